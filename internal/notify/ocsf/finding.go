// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"time"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

// What bounds a finding, in bytes. The schema has no limits; lines of a log have.
const (
	maxTitle = 500
	maxText  = 16 << 10
	maxName  = 1000
)

// The version of the schema, and the class.
const (
	schema   = "1.4.0"
	class    = 2004
	category = 2
)

// activity is what happened to the finding.
type activity int

const (
	create activity = iota + 1
	update
	closing
)

// finding is an event of the class Detection Finding with the profile Cloud. Moments are milliseconds since 1970.
//
// https://schema.ocsf.io/1.4.0/classes/detection_finding
type finding struct {
	ActivityID   activity   `json:"activity_id"`
	ActivityName string     `json:"activity_name"`
	CategoryUID  int        `json:"category_uid"`
	CategoryName string     `json:"category_name"`
	ClassUID     int        `json:"class_uid"`
	ClassName    string     `json:"class_name"`
	TypeUID      int        `json:"type_uid"`
	TypeName     string     `json:"type_name"`
	Time         int64      `json:"time"`
	SeverityID   int        `json:"severity_id"`
	Severity     string     `json:"severity"`
	StatusID     int        `json:"status_id"`
	Status       string     `json:"status"`
	IsAlert      bool       `json:"is_alert"`
	Message      string     `json:"message"`
	Metadata     metadata   `json:"metadata"`
	Info         info       `json:"finding_info"`
	Cloud        cloud      `json:"cloud"`
	Resources    []resource `json:"resources,omitempty"`
	Evidences    []evidence `json:"evidences,omitempty"`
}

type metadata struct {
	Version  string   `json:"version"`
	UID      string   `json:"uid"`
	Product  product  `json:"product"`
	Profiles []string `json:"profiles"`
}

type product struct {
	Name   string `json:"name"`
	Vendor string `json:"vendor_name"`
}

type info struct {
	UID          string    `json:"uid"`
	Title        string    `json:"title"`
	Desc         string    `json:"desc"`
	CreatedTime  int64     `json:"created_time"`
	ModifiedTime int64     `json:"modified_time"`
	FirstSeen    int64     `json:"first_seen_time,omitempty"`
	DataSources  []string  `json:"data_sources"`
	Analytic     *analytic `json:"analytic,omitempty"`
}

type analytic struct {
	UID    string `json:"uid"`
	Name   string `json:"name"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
}

type cloud struct {
	Provider string   `json:"provider"`
	Region   string   `json:"region,omitempty"`
	Account  *account `json:"account,omitempty"`
}

type account struct {
	UID    string `json:"uid"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
}

type resource struct {
	UID       string `json:"uid"`
	Name      string `json:"name,omitempty"`
	Region    string `json:"region,omitempty"`
	Partition string `json:"cloud_partition,omitempty"`
}

// evidence is the call and who made it.
type evidence struct {
	API   *api  `json:"api,omitempty"`
	Actor actor `json:"actor"`
}

type api struct {
	Operation string `json:"operation"`
}

type actor struct {
	User user `json:"user"`
}

type user struct {
	UID  string `json:"uid"`
	Name string `json:"name,omitempty"`
}

// newFinding is the finding of an incident but for its texts and its own id.
func newFinding(inc incident.Incident, a activity, now time.Time) finding {
	created := inc.Times.Received
	if created.IsZero() {
		created = now
	}
	activityName, status := nameOf(a)
	severityID, severity := severityOf(inc.Severity)
	f := finding{
		ActivityID: a, ActivityName: activityName, CategoryUID: category, CategoryName: "Findings", ClassUID: class, ClassName: "Detection Finding",
		TypeUID: class*100 + int(a), TypeName: "Detection Finding: " + activityName, Time: now.UnixMilli(),
		SeverityID: severityID, Severity: severity, StatusID: statusIDs[status], Status: status, IsAlert: a == create,
		Metadata: metadata{Version: schema, Product: product{"Switchback", "The Switchback Authors"}, Profiles: []string{"cloud"}},
		Info: info{
			UID: string(inc.ID), CreatedTime: created.UnixMilli(), ModifiedTime: now.UnixMilli(), DataSources: []string{"AWS CloudTrail"},
		},
		Cloud: cloud{Provider: "AWS", Region: line(inc.Region)},
	}
	if !inc.Times.Occurred.IsZero() {
		f.Info.FirstSeen = inc.Times.Occurred.UnixMilli()
	}
	if book := line(inc.Key.Runbook); book != "" {
		f.Info.Analytic = &analytic{UID: book, Name: book, TypeID: 1, Type: "Rule"}
	}
	if inc.Key.Account != "" {
		f.Cloud.Account = &account{UID: line(inc.Key.Account), TypeID: 10, Type: "AWS Account"}
	}
	f.Resources, f.Evidences = resources(inc), evidences(inc)
	return f
}

func resources(inc incident.Incident) []resource {
	if inc.Key.Resource == "" {
		return nil
	}
	r := resource{UID: line(inc.Key.Resource), Region: line(inc.Region)}
	if p, err := arn.Parse(inc.Key.Resource); err == nil {
		r.Name, r.Partition = line(p.Name()), p.Partition
	}
	return []resource{r}
}

func evidences(inc incident.Incident) []evidence {
	if inc.Who.Principal == "" {
		return nil
	}
	e := evidence{Actor: actor{user{UID: line(inc.Who.Principal), Name: line(inc.Who.Human)}}}
	if name := line(inc.Key.EventName); name != "" {
		e.API = &api{Operation: name}
	}
	return []evidence{e}
}

func line(s string) string { return notify.Line(s, maxName) }

// nameOf is the activity in the schema's words, and the status that goes with it.
func nameOf(a activity) (name, status string) {
	switch a {
	case update:
		return "Update", "In Progress"
	case closing:
		return "Close", "Resolved"
	}
	return "Create", "New"
}

var statusIDs = map[string]int{"New": 1, "In Progress": 2, "Resolved": 4}

func severityOf(s incident.Severity) (id int, name string) {
	switch s {
	case incident.Critical:
		return 5, "Critical"
	case incident.High:
		return 4, "High"
	case incident.Medium:
		return 3, "Medium"
	case incident.Low:
		return 2, "Low"
	}
	return 0, "Unknown"
}
