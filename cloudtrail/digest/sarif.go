// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"bufio"
	"io"
	"net/url"
)

// SARIF writes a SARIF 2.1.0 log with one run: a rule for each code, a result for everything that is not valid (and,
// with Header.Verbose, for the rest with the kind "pass").
//
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type SARIF struct {
	header  Header
	results jsonList
}

var _ Renderer = (*SARIF)(nil)

// NewSARIF returns a SARIF that writes to out.
func NewSARIF(out io.Writer, h Header) *SARIF {
	return &SARIF{header: h, results: jsonList{out: bufio.NewWriter(out)}}
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifRule struct {
	ID               Code      `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
}

type sarifResult struct {
	RuleID     Code            `json:"ruleId"`
	Kind       string          `json:"kind,omitempty"`
	Level      string          `json:"level"`
	Message    sarifText       `json:"message"`
	Locations  []sarifLocation `json:"locations,omitempty"`
	Properties Result          `json:"properties"`
}

type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
	} `json:"physicalLocation"`
}

// Result writes r.
func (s *SARIF) Result(r Result) error {
	if err := s.start(); err != nil || r.IsValid() && !s.header.Verbose {
		return err
	}
	result := sarifResult{
		RuleID: r.Code, Level: string(r.Severity), Properties: r,
		Message: sarifText{r.kind() + " " + r.Scope.String() + ": " + r.Detail},
	}
	if r.IsValid() {
		result.Kind, result.Message.Text = "pass", r.kind()+" is valid"
	}
	if r.Key != "" {
		var at sarifLocation
		at.Physical.Artifact.URI = (&url.URL{Scheme: "s3", Host: r.Bucket, Path: "/" + r.Key}).String()
		result.Locations = []sarifLocation{at}
	}
	return s.results.add(result)
}

func (s *SARIF) start() error {
	if s.results.hasStarted {
		return nil
	}
	rules := make([]sarifRule, 0, len(codeTexts))
	for _, c := range codeTexts {
		rules = append(rules, sarifRule{c.code, sarifText{c.text}})
	}
	return s.results.start("{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{"+
		"\"tool\":{\"driver\":{\"name\":\"switchback validate-logs\",\"rules\":", rules, "}},\n\"results\":[")
}

type sarifInvocation struct {
	IsSuccessful bool        `json:"executionSuccessful"`
	ExitCode     int         `json:"exitCode"`
	Properties   jsonSummary `json:"properties"`
}

// Close writes the summary, as properties of the invocation.
func (s *SARIF) Close(summary Summary, err error) error {
	if startErr := s.start(); startErr != nil {
		return startErr
	}
	end := newJSONSummary(s.header, summary, err)
	return s.results.end("\n],\n\"invocations\":", []sarifInvocation{{err == nil, end.ExitStatus, end}}, "}]}\n")
}

// codeTexts describe the codes for readers of SARIF.
var codeTexts = []struct {
	code Code
	text string
}{
	{CodeValid, "The file is exactly what CloudTrail delivered."},
	{CodeInvalidFormat, "The file is not a gzip file, or not a digest file."},
	{CodeMoved, "The digest file was written for another place."},
	{CodeUnknownKey, "No public key has the fingerprint that the digest file names."},
	{CodeBadKey, "The public key cannot be decoded."},
	{CodeBadSignature, "The digest file is not what CloudTrail signed."},
	{CodeBadDigest, "The digest file or its metadata cannot be understood."},
	{CodeMissingDigest, "Digest files are missing."},
	{CodeHashMismatch, "The log file was changed."},
	{CodeMissingLogFile, "The log file is missing."},
	{CodeTrailingData, "Data follows the compressed content."},
	{CodeUnknownHash, "The digest file names a hash algorithm other than SHA-256."},
	{CodeUnreadable, "It could not be read."},
	{CodeChainHash, "The digest file is not the one that the next one names by its hash."},
	{CodeChainSignature, "The digest file's signature is not the one that the next one holds."},
	{CodeDiscontinuity, "The times of linked digest files do not join."},
	{CodeGap, "Logging or log file validation was off."},
	{CodeMissingTail, "The newest digest files are missing."},
	{CodeMissingHead, "The oldest digest files are missing."},
	{CodeNothingFound, "There are no digest files."},
	{CodeUnlistedLogFile, "No digest file lists the log file."},
	{CodeLoggedWhileOff, "The log file was delivered while logging or validation was off."},
	{CodeUnlinkedDigest, "No digest file leads to this one."},
	{CodeForeignLogFile, "The log file belongs to another account or region."},
	{CodeWrongAccount, "The digest file names another account than its key."},
	{CodeSignatureMissing, "The object's metadata lost the signature."},
	{CodeSignatureFormat, "The signature is not written as CloudTrail does."},
	{CodeWrongAlgorithm, "Another signature algorithm is named."},
	{CodeTruncated, "The compressed stream lacks its end."},
	{CodeFingerprint, "The public key is not the one it is named after."},
	{CodeResumed, "Proven by an earlier run."},
	{CodeResumeMismatch, "The digest file is not the one that was proven before."},
	{CodeSearchIncomplete, "There were too many log files to search for unlisted ones."},
}
