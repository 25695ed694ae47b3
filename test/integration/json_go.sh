#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# slow
# Our JSON reader against Go's encoding/json, on JSON_GO_DOCS documents made
# from JSON_GO_SEED (printed).  Needs Debian's golang-go.
set -eu

cd "$(dirname "$0")/../.."
tmp=$(mktemp -d)
trap 'chmod -R u+w "$tmp"; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

if [ -z "${PORTREEVE_BUILD:-}" ]; then
	PORTREEVE_BUILD=build
	make -s build/tools/json_dump >&2
fi
(cd test/integration/go &&
	GOCACHE=$tmp/cache GOPATH=$tmp/path GOFLAGS=-mod=mod GOPROXY=off \
	GO111MODULE=on CGO_ENABLED=0 go build -o "$tmp/json" .)

set -- -docs "${JSON_GO_DOCS:-1000000}"
if [ -n "${JSON_GO_SEED:-}" ]; then
	set -- "$@" -seed "$JSON_GO_SEED"
fi
"$tmp/json" -tool "$PORTREEVE_BUILD/tools/json_dump" "$@"
