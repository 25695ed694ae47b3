#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Golden tests of the policy language.  A folder NN-name holds
#   in.policy.yaml or in.policy.d/   -> fmt.ok (canonical form), stderr.ok
#   in.config.yaml                   -> stderr.ok (check -c)
# A folder without fmt.ok expects exit status 78.  UPDATE=1 rewrites.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
build=${PORTREEVE_BUILD:-$root/build}
case $build in /*) ;; *) build=$root/$build ;; esac
portreeve=$build/portreeve
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

ok() {
	passed=$((passed + 1))
}
bad() {
	failed=$((failed + 1))
	echo "FAILED $1"
}
# same NAME WANT GOT: compares, or rewrites WANT
same() {
	if [ "${UPDATE:-0}" = 1 ]; then
		cp "$3" "$2"
	fi
	if diff -u "$2" "$3"; then ok; else bad "$1: $(basename "$2")"; fi
}

golden_policy() {
	local dir=$1 name=$2 in rc want=78
	in=in.policy.yaml
	[ -d "$dir/in.policy.d" ] && in=in.policy.d
	(cd "$dir" && "$portreeve" fmt "$in") >"$tmp/out" 2>"$tmp/err"
	rc=$?
	if [ "${UPDATE:-0}" = 1 ]; then
		if [ $rc = 0 ]; then : >"$dir/fmt.ok"; else rm -f "$dir/fmt.ok"; fi
	fi
	[ -e "$dir/fmt.ok" ] && want=0
	if [ $rc = $want ]; then ok; else bad "$name: exit $rc, not $want"; fi
	same "$name" "$dir/stderr.ok" "$tmp/err"
	if [ -e "$dir/fmt.ok" ]; then
		same "$name" "$dir/fmt.ok" "$tmp/out"
		# what is printed is read as the same
		cp "$tmp/out" "$tmp/again.yaml"
		"$portreeve" fmt "$tmp/again.yaml" >"$tmp/twice" 2>/dev/null
		if cmp -s "$tmp/out" "$tmp/twice"; then
			ok
		else
			bad "$name: the canonical form is not stable"
		fi
	elif [ -s "$tmp/out" ]; then
		bad "$name: output beside errors"
	fi
}

golden_config() {
	local dir=$1 name=$2 rc
	(cd "$dir" && "$portreeve" check -c in.config.yaml) >"$tmp/out" 2>"$tmp/err"
	rc=$?
	if [ $rc = 78 ]; then ok; else bad "$name: exit $rc, not 78"; fi
	same "$name" "$dir/stderr.ok" "$tmp/err"
}

for dir in "$here"/[0-9]*; do
	name=$(basename "$dir")
	if [ -e "$dir/in.config.yaml" ]; then
		golden_config "$dir" "$name"
	else
		golden_policy "$dir" "$name"
	fi
done

# The shipped profiles let ordinary commands pass, and no others.
mkdir "$tmp/shipped"
cp "$root/packaging/policy/plugin-only.yaml" "$tmp/shipped/10-shipped.yaml"
cp "$here/plugin-only.yaml" "$tmp/shipped/20-tests.yaml"
if "$portreeve" test "$tmp/shipped" >"$tmp/out" 2>"$tmp/err"; then
	ok
else
	bad "plugin-only: $(cat "$tmp/err" "$tmp/out")"
fi

# The schema for editors is made from the tables.
"$portreeve" fmt --schema >"$tmp/schema"
same schema "$root/packaging/policy/policy.schema.json" "$tmp/schema"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
