#!/usr/bin/env bash
# Runs a command and fails when it changed a file of the tree.
set -euo pipefail
state() { git ls-files -co --exclude-standard -z | { xargs -0 sha256sum 2>/dev/null || true; } | sort; }
before=$(state)
"$@"
after=$(state)
if [ "$before" != "$after" ]; then
	echo "changed by: $*" >&2
	diff <(echo "$before") <(echo "$after") >&2 || true
	exit 1
fi
