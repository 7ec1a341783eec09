// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package benign

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// caller is who makes a call, and how.
type caller struct {
	identity       cloudtrail.UserIdentity
	address, agent string
	console        bool
}

// by is one sort of callers.
type by func(h *History) caller

// names of the people and of the repositories whose pipelines deploy.
var (
	names        = []string{"ada", "grace", "edsger", "barbara", "donald"}
	repositories = []string{"shop/web", "shop/api", "platform/network", "platform/data"}
)

// pipeline is a session of the role that CI deploys with, opened by a token of its provider.
func pipeline(h *History) caller {
	c := h.session("Deploy", "GitHubActions")
	c.identity.SessionContext.WebIDFederationData = &cloudtrail.WebIDFederationData{
		FederatedProvider: h.global("iam", "oidc-provider/token.actions.githubusercontent.com"), Attributes: json.RawMessage("{}"),
	}
	c.address, c.agent = h.address("192.0.2"), "HashiCorp Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.60.0"
	return c
}

// person is a session of the role Operator in the console.
func person(h *History) caller {
	c := h.session("Operator", names[h.random.IntN(len(names))]+"@example.com")
	c.address, c.agent, c.console = h.address("198.51.100"), "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36", true
	return c
}

// user is one of IAM, on the command line.
func user(h *History) caller {
	name := names[h.random.IntN(len(names))]
	return caller{
		identity: cloudtrail.UserIdentity{
			Type: cloudtrail.IdentityIAMUser, PrincipalID: fmt.Sprintf("AIDA%016d", len(name)), ARN: h.global("iam", "user/"+name),
			AccountID: h.o.Account, AccessKeyID: "AKIAIOSFODNN7EXAMPLE", UserName: name,
		},
		address: h.address("203.0.113"), agent: "aws-cli/2.17.20 md/awscrt#0.20.11 os/linux lang/python#3.11.9",
	}
}

// scanner is the session of a tool that reads everything.
func scanner(h *History) caller {
	c := h.session("AWSServiceRoleForConfig", "AWSConfig-Describe")
	c.identity.InvokedBy = arn.ServiceHost("config")
	c.address, c.agent = arn.ServiceHost("config"), arn.ServiceHost("config")
	return c
}

// service is a service that works by itself.
func service(label string) by {
	return func(*History) caller {
		host := arn.ServiceHost(label)
		return caller{identity: cloudtrail.UserIdentity{Type: cloudtrail.IdentityAWSService, InvokedBy: host}, address: host, agent: host}
	}
}

// scaling is a service with its linked role.
func scaling(h *History) caller {
	c := h.session("AWSServiceRoleForAutoScaling", "AutoScaling")
	c.identity.InvokedBy = arn.ServiceHost("autoscaling")
	c.address, c.agent = arn.ServiceHost("autoscaling"), arn.ServiceHost("autoscaling")
	return c
}

// session is one of a role. Sessions of a role and a name are opened anew each hour.
func (h *History) session(role, name string) caller {
	opened := h.now.Truncate(time.Hour)
	id := fmt.Sprintf("AROA%016d", len(role))
	isMFA := false
	return caller{identity: cloudtrail.UserIdentity{
		Type: cloudtrail.IdentityAssumedRole, PrincipalID: id + ":" + name, ARN: h.global("sts", "assumed-role/"+role+"/"+name),
		AccountID: h.o.Account, AccessKeyID: h.key(role, name, opened),
		SessionContext: &cloudtrail.SessionContext{
			SessionIssuer: cloudtrail.SessionIssuer{
				Type: "Role", PrincipalID: id, ARN: h.global("iam", "role/"+role), AccountID: h.o.Account, UserName: role,
			},
			CreationDate: opened, MFAAuthenticated: &isMFA,
		},
	}}
}

// key is the access key of a session, the same for the same.
func (h *History) key(role, name string, opened time.Time) string {
	sum := uint64(14695981039346656037)
	for _, b := range []byte(role + name) {
		sum = (sum ^ uint64(b)) * 1099511628211
	}
	return fmt.Sprintf("ASIA%08d%08X", opened.Unix()/3600, uint32(sum))
}

func (h *History) address(net string) string { return fmt.Sprintf("%s.%d", net, 1+h.random.IntN(254)) }
