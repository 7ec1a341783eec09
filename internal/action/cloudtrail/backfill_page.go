// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/objects"
)

// halfOfQuota leaves the other half of the two requests a second to the account's people.
const halfOfQuota = 0.5

// maxPage is the largest page of LookupEvents.
const maxPage = 50

// lookUp asks a region for one page.
func (b *backfiller) lookUp(ctx context.Context, region string, in *api.LookupEventsInput) (*api.LookupEventsOutput, error) {
	cfg, err := b.env.Door.AtRate(halfOfQuota).Config(ctx, b.cursor.Account, region)
	if err != nil {
		return nil, err
	}
	b.cursor.Requests++
	in.MaxResults, in.StartTime = aws.Int32(maxPage), aws.Time(b.cursor.From)
	if in.EndTime == nil {
		in.EndTime = aws.Time(b.cursor.Until)
	}
	return api.NewFromConfig(cfg).LookupEvents(ctx, in)
}

// page reads one page of a region. What a region refuses is its outcome, and no error.
func (b *backfiller) page(ctx context.Context, p *place) error {
	in := &api.LookupEventsInput{LookupAttributes: b.cursor.attributes()}
	if p.Token != "" {
		in.NextToken = &p.Token
	}
	if !p.End.IsZero() {
		in.EndTime = &p.End
	}
	out, err := b.lookUp(ctx, p.Region, in)
	if err != nil {
		return b.refused(ctx, p, err)
	}
	for i := range out.Events {
		if err := b.keep(p, &out.Events[i]); err != nil {
			return err
		}
	}
	p.Refusals, p.Token = 0, aws.ToString(out.NextToken)
	p.IsDone = p.Token == ""
	return nil
}

// offCodes are how a region answers that the account has not enabled.
//
// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
var offCodes = []string{"UnrecognizedClientException", "InvalidClientTokenId", "OptInRequired", "AuthFailure"}

// refused says what a region's error means for it: it is off, it is denied, it is asked again later, or it is given up.
func (b *backfiller) refused(ctx context.Context, p *place, err error) error {
	var answer smithy.APIError
	isTold := errors.As(err, &answer)
	switch {
	case ctx.Err() != nil:
		return err
	case isTold && slices.Contains(offCodes, answer.ErrorCode()):
		p.IsDone, p.IsOff, p.Outcome = true, true, "off: the region is not enabled in the account"
	case action.IsDenied(err), errors.Is(err, gate.ErrNoAccess):
		p.IsDone, p.Outcome = true, brief("denied: "+err.Error())
	case isTold && answer.ErrorCode() == "InvalidNextTokenException" && p.Token != "":
		p.Token, p.End = "", p.Oldest
		b.cursor.gap("AWS had forgotten a page of " + p.Region + ": events of one second may be there twice")
	case isTold && !isPassing(ctx, err):
		p.IsDone, p.Outcome = true, brief("not read to the end: "+err.Error())
	default:
		b.later(p, err)
	}
	return nil
}

// isPassing reports whether AWS may answer the same request later: it throttles, or it is at fault itself.
func isPassing(ctx context.Context, err error) bool {
	var named *asl.Error
	var status interface{ HTTPStatusCode() int }
	return errors.As(action.AsError(ctx, err), &named) && named.Name == "CloudTrail.ThrottlingException" ||
		errors.As(err, &status) && isServerFault(status.HTTPStatusCode())
}

// isServerFault: what an endpoint does not implement it will not implement the next time either.
func isServerFault(status int) bool {
	return status >= http.StatusInternalServerError && status != http.StatusNotImplemented
}

// later leaves a region alone for this visit, and in the end for good.
func (b *backfiller) later(p *place, err error) {
	b.held = true
	b.used[p.Region] = perRegion
	if p.Refusals++; p.Refusals >= maxRefusals {
		p.IsDone, p.Outcome = true, brief("not read to the end: "+err.Error())
	}
}

// keep writes an event, unless it was written when its session was read, and follows the keys that the session issued.
func (b *backfiller) keep(p *place, e *types.Event) error {
	text := []byte(aws.ToString(e.CloudTrailEvent))
	if e.EventTime != nil {
		p.Oldest = e.EventTime.UTC()
	}
	r, err := cloudtrail.ParseRecord(text)
	if err == nil {
		if b.cursor.Order != orderSession && slices.Contains(b.cursor.Keys, r.UserIdentity.AccessKeyID) {
			return nil
		}
		if b.cursor.Order == orderSession {
			issued, _ := r.ResponseElement("credentials", "accessKeyId")
			b.cursor.follow(issued)
		}
	}
	b.cursor.Events++
	b.cursor.Counts[b.cursor.Order]++
	p.Events++
	return b.sink.write(text)
}

// sink is the evidence file, a member of gzip for each visit that found something.
type sink struct {
	folder *objects.Evidence
	file   *os.File
	zip    *gzip.Writer // nil until something is written
}

func (b *backfiller) folder() string {
	return filepath.Join(b.env.EvidenceDir, filepath.Base(string(b.env.Incident.ID)))
}

func (b *backfiller) openSink() error {
	folder, err := objects.OpenEvidence(b.folder())
	if err != nil {
		return err
	}
	file, err := folder.Resume(b.cursor.File, b.cursor.Size)
	if err != nil {
		return errors.Join(err, folder.Close())
	}
	b.sink = sink{folder: folder, file: file}
	return nil
}

// write writes an event as one line; what is no JSON is written as text.
func (s *sink) write(event []byte) error {
	var line bytes.Buffer
	if json.Compact(&line, event) != nil {
		line.Reset()
		quoted, err := json.Marshal(map[string]string{"unreadable": string(event)})
		if err != nil {
			return fmt.Errorf("keep an event: %w", err)
		}
		line.Write(quoted)
	}
	line.WriteByte('\n')
	if s.zip == nil {
		s.zip = gzip.NewWriter(s.file)
	}
	if _, err := s.zip.Write(line.Bytes()); err != nil {
		return fmt.Errorf("keep an event: %w", err)
	}
	return nil
}

// closeSink makes what was written durable, before the cursor says that it is there.
func (b *backfiller) closeSink() error {
	s := &b.sink
	var err error
	if s.zip != nil {
		err = errors.Join(s.zip.Close(), s.file.Sync())
	}
	size, seekErr := s.file.Seek(0, io.SeekCurrent)
	if err = errors.Join(err, seekErr, s.file.Close(), s.folder.Close()); err != nil {
		return fmt.Errorf("keep what Event history had: %w", err)
	}
	b.cursor.Size = size
	return nil
}

// sample asks for the newest page of the first region, to learn how many there are.
func (b *backfiller) sample(ctx context.Context) (pages int, isKnown bool) {
	out, err := b.lookUp(ctx, b.cursor.Places[0].Region, &api.LookupEventsInput{})
	switch {
	case err != nil:
		return 1, false
	case aws.ToString(out.NextToken) == "" || len(out.Events) == 0 || out.Events[len(out.Events)-1].EventTime == nil:
		return 1, true
	}
	whole := b.cursor.Until.Sub(b.cursor.From)
	covered := max(b.cursor.Until.Sub(*out.Events[len(out.Events)-1].EventTime), time.Second)
	return int(whole/covered) + 1, true
}
