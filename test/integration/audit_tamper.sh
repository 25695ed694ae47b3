#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# slow
# Every bit, line, byte and segment of a log tampered with: all of it is
# found, or the log is seen to end earlier than its head, kept elsewhere, says.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
tamper=${PORTREEVE_BUILD:-$here/build}/tools/audit_tamper
case $tamper in /*) ;; *) tamper=$here/$tamper ;; esac
base=/dev/shm
[ -w "$base" ] || base=${TMPDIR:-/tmp}
tmp=$(mktemp -d -p "$base") || exit 1
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

try() { # name, arguments
	local name=$1
	shift
	mkdir "$tmp/$name"
	if "$tamper" "$tmp/$name" "$@"; then
		passed=$((passed + 1))
		echo "ok: $name"
	else
		failed=$((failed + 1))
		echo "FAILED: $name"
	fi
}
try one-segment 100
try many-segments 24 4096
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
