// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/report"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "report:Write", Class: "tell",
		Summary: "write the incident's report as Markdown, HTML and JSON",
	}, write))
}

type params struct {
	Stage string `json:"stage"`
}

type result struct {
	Stage      string              `json:"stage"`
	ReportedAt time.Time           `json:"reported_at"`
	Artefacts  []incident.Artefact `json:"artefacts"`
}

func write(ctx context.Context, env *action.Env, p params) (result, error) {
	if p.Stage != report.Provisional && p.Stage != report.Final {
		return result{}, &asl.Error{
			Name:  action.ErrorInvalidParameters,
			Cause: fmt.Sprintf("stage: %.50q is neither %s nor %s", p.Stage, report.Provisional, report.Final),
		}
	}
	inc, isFirst, err := begin(ctx, env, p.Stage)
	if err != nil {
		return result{}, err
	}
	artefacts, err := env.Reporter.Write(ctx, inc.ID)
	if err != nil {
		return result{}, errors.Join(err, takeBack(ctx, env, inc, isFirst))
	}
	out := result{Stage: p.Stage, ReportedAt: inc.Times.Reported, Artefacts: artefacts}
	return out, onTimeline(ctx, env, out)
}

// begin sets what the report itself shows before it is written: its stage, and when the first one was.
func begin(ctx context.Context, env *action.Env, stage string) (incident.Incident, bool, error) {
	fact, err := json.Marshal(params{stage})
	if err != nil {
		return incident.Incident{}, false, fmt.Errorf("encode stage: %w", err)
	}
	isFirst := false
	inc, err := env.Store.Update(ctx, env.Incident.ID, func(i *incident.Incident) error {
		if isFirst = i.Times.Reported.IsZero(); isFirst {
			i.Times.Reported = env.Clock().UTC()
		}
		if i.Facts == nil {
			i.Facts = map[string]json.RawMessage{}
		}
		i.Facts[report.StageFact] = fact
		return nil
	})
	return inc, isFirst, err
}

// takeBack undoes the claim that a report was written.
func takeBack(ctx context.Context, env *action.Env, inc incident.Incident, isFirst bool) error {
	if !isFirst {
		return nil
	}
	_, err := env.Store.Update(context.WithoutCancel(ctx), inc.ID, func(i *incident.Incident) error {
		if i.Times.Reported.Equal(inc.Times.Reported) {
			i.Times.Reported = time.Time{}
		}
		return nil
	})
	return err
}

func onTimeline(ctx context.Context, env *action.Env, out result) error {
	data, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode artefacts: %w", err)
	}
	key := "report/" + out.Stage
	for _, a := range out.Artefacts {
		key += "/" + a.SHA256[:min(16, len(a.SHA256))]
	}
	return env.Timeline.Append(ctx, incident.Entry{
		Incident: env.Incident.ID, At: env.Clock(), Kind: incident.EntryReport, Data: data, Key: key,
		Text: fmt.Sprintf("%s report written, %d files", out.Stage, len(out.Artefacts)),
	})
}
