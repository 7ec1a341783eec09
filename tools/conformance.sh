#!/usr/bin/env bash
# Compares with the recorded verdicts of AWS and its validators: a line a set, and those cases that differ for a reason.
# Exit status 1 when a case differs that is not listed.
set -euo pipefail
status=0
out=$(go test -count=1 -v -run '^TestConformance$' ./asl ./internal/jsonata ./eventpattern ./internal/policy) || status=$?
printf '%-46s %6s %6s %6s\n' file cases agree differ
sed -n 's/^.*conformance: //p' <<<"$out"
grep -oE '[^ ]*: [^ ]* deviates: .*|third-party data is absent.*' <<<"$out" || true
if [ "$status" -ne 0 ]; then
	printf '%s\n' "$out" >&2
	exit "$status"
fi
