#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# slow
# Our JSON reader against Go's encoding/json, on JSON_GO_DOCS documents made
# from JSON_GO_SEED (printed; fixed for a release, `make campaign` takes new
# ones).  Needs Debian's golang-go.
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

release=$(sed -n 's/^#define PR_VERSION *"\([0-9.]*\).*/\1/p' \
	include/portreeve/version.h | awk -F. '{ print ($1 * 1000 + $2) * 1000 + $3 }')
"$tmp/json" -tool "$PORTREEVE_BUILD/tools/json_dump" \
	-docs "${JSON_GO_DOCS:-1000000}" -seed "${JSON_GO_SEED:-$release}"
