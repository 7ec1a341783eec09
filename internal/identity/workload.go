// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"cmp"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
)

// Workload is a machine with a web identity: a CI job, a pod. The provider has signed it, nothing else; texts are as
// recorded.
type Workload struct {
	// Provider is who vouched: an ARN or a host name.
	Provider string `json:"provider"`
	Subject  string `json:"subject,omitempty"`
	// Repository of a CI job, "org/app".
	Repository string `json:"repository,omitempty"`
	// Ref is the branch, tag or environment that the job ran for.
	Ref string `json:"ref,omitempty"`
	// Actor is who started the job, where the provider puts it into the subject. It is a name of the provider's.
	Actor string `json:"actor,omitempty"`
}

// workloadOf reads the identity of AssumeRoleWithWebIdentity.
func workloadOf(u cloudtrail.UserIdentity) *Workload {
	w := &Workload{Provider: u.IdentityProvider, Subject: u.UserName}
	switch {
	case strings.HasPrefix(w.Subject, "org/"):
		w.readPath()
	default:
		w.readPairs()
	}
	return w
}

// readPairs reads the subjects of GitHub Actions and GitLab: "repo:org/app:ref:refs/heads/main",
// "project_path:group/app:ref_type:branch:ref:main". Repositories name the claims, and their order, themselves, so a value
// may be followed by anything; names of branches cannot hold a colon. Two values for one claim are one too many: then the
// subject says nothing.
//
// https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims
// https://docs.gitlab.com/ci/secrets/id_token_authentication/
func (w *Workload) readPairs() {
	parts := strings.Split(w.Subject, ":")
	claims := map[string]string{}
	for i := 0; i+1 < len(parts); i += 2 {
		if _, twice := claims[parts[i]]; twice {
			return
		}
		claims[parts[i]] = parts[i+1]
	}
	w.Repository = cmp.Or(claims["repo"], claims["repository"], claims["project_path"])
	if w.Repository == "" {
		return // "system:serviceaccount:namespace:name" and others
	}
	w.Ref = cmp.Or(claims["ref"], claims["environment"])
	w.Actor = cmp.Or(claims["actor"], claims["user_login"])
}

// readPath reads the subject of CircleCI, "org/ID/project/ID/user/ID".
//
// https://circleci.com/docs/guides/permissions-authentication/openid-connect-tokens/
func (w *Workload) readPath() {
	parts := strings.Split(w.Subject, "/")
	if len(parts) < 6 || parts[2] != "project" || parts[4] != "user" {
		return
	}
	w.Repository, w.Actor = "project/"+parts[3], parts[5]
}
