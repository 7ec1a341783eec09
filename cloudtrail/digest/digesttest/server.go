// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digesttest

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail/digest"
)

// Handler serves the world as S3 (path style: GetBucketLocation, ListObjects of both versions, GetObject) and as
// CloudTrail (ListPublicKeys, DescribeTrails without trails). Signatures of requests are not looked at.
func (w *World) Handler() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		switch {
		case r.Method == http.MethodPost:
			w.serveCloudTrail(rw, r)
		case key != "":
			w.serveObject(rw, r, bucket, key)
		case r.URL.Query().Has("location"):
			writeXML(rw, http.StatusOK, struct {
				XMLName xml.Name `xml:"LocationConstraint"`
			}{})
		default:
			w.serveList(rw, r, bucket)
		}
	})
}

type xmlError struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
}

func writeXML(rw http.ResponseWriter, status int, value any) {
	rw.Header().Set("Content-Type", "application/xml")
	rw.WriteHeader(status)
	_ = xml.NewEncoder(rw).Encode(value) // a client that went away
}

func (w *World) serveObject(rw http.ResponseWriter, r *http.Request, bucket, key string) {
	o, err := w.Get(r.Context(), bucket, key)
	switch {
	case errors.Is(err, digest.ErrNotFound):
		writeXML(rw, http.StatusNotFound, xmlError{Code: "NoSuchKey", Message: "The specified key does not exist."})
		return
	case err != nil:
		writeXML(rw, http.StatusForbidden, xmlError{Code: "AccessDenied", Message: err.Error()})
		return
	}
	for name, value := range o.Metadata {
		rw.Header()["x-amz-meta-"+name] = []string{value} // in lower case: clients keep the case they see
	}
	body := w.Object(bucket, key).Body
	rw.Header().Set("Content-Length", strconv.Itoa(len(body)))
	rw.Header().Set("ETag", `"none"`)
	_, _ = rw.Write(body) // a client that went away
}

type xmlList struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Name                  string
	IsTruncated           bool
	NextMarker            string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	Contents              []xmlContent
	CommonPrefixes        []xmlPrefix
}

type xmlContent struct {
	Key          string
	LastModified string
	Size         int
}

type xmlPrefix struct{ Prefix string }

func (w *World) serveList(rw http.ResponseWriter, r *http.Request, bucket string) {
	q := r.URL.Query()
	page, err := w.List(r.Context(), digest.ListRequest{
		Bucket: bucket, Prefix: q.Get("prefix"), Delimiter: q.Get("delimiter"),
		StartAfter: max(q.Get("start-after"), q.Get("marker")), Token: q.Get("continuation-token"),
	})
	if err != nil {
		writeXML(rw, http.StatusForbidden, xmlError{Code: "AccessDenied", Message: err.Error()})
		return
	}
	encode := func(s string) string { return s }
	if q.Get("encoding-type") == "url" {
		encode = url.QueryEscape
	}
	list := xmlList{Name: bucket, IsTruncated: page.Next != "", EncodingType: q.Get("encoding-type")}
	if q.Get("list-type") == "2" {
		list.NextContinuationToken = page.Next
	} else {
		list.NextMarker = encode(page.Next)
	}
	for _, key := range page.Keys {
		o := w.Object(bucket, key)
		list.Contents = append(list.Contents, xmlContent{encode(key), o.Modified.UTC().Format(time.RFC3339), len(o.Body)})
	}
	for _, prefix := range page.Prefixes {
		list.CommonPrefixes = append(list.CommonPrefixes, xmlPrefix{encode(prefix)})
	}
	writeXML(rw, http.StatusOK, list)
}

func (w *World) serveCloudTrail(rw http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "CloudTrail_20131101.")
	var answer any
	switch operation {
	case "ListPublicKeys":
		var req struct{ StartTime, EndTime float64 }
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		keys, err := w.PublicKeys(r.Context(), signingRegion(r), unix(req.StartTime), unix(req.EndTime))
		if err != nil {
			http.Error(rw, `{"__type":"AccessDeniedException"}`, http.StatusBadRequest)
			return
		}
		answer = keyList(keys)
	case "DescribeTrails":
		answer = map[string]any{"trailList": []any{}}
	default:
		http.Error(rw, `{"__type":"UnknownOperationException"}`, http.StatusBadRequest)
		return
	}
	rw.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(rw).Encode(answer) // a client that went away
}

func unix(seconds float64) time.Time { return time.Unix(int64(seconds), 0).UTC() }

// signingRegion is the region in the credential scope of a signed request.
func signingRegion(r *http.Request) string {
	scope := strings.Split(r.Header.Get("Authorization"), "/")
	if len(scope) < 4 {
		return ""
	}
	return scope[2]
}

func keyList(keys []digest.PublicKey) map[string]any {
	list := []any{}
	for _, k := range keys {
		list = append(list, map[string]any{"Fingerprint": k.Fingerprint, "Value": k.Value})
	}
	return map[string]any{"PublicKeyList": list}
}
