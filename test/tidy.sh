#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy on the files named, J (2) at a time; what was clean before and has
# not changed since, with its headers, is not looked at again.
#
#   test/tidy.sh CACHE FILE.c … -- FLAGS
set -u
cache=$1
shift
files=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	files+=("$1")
	shift
done
mkdir -p "$cache"
base=$(clang-tidy --version | sha256sum; cat .clang-tidy; echo "$*")
export cache base

one() {
	local file=$1 key out
	shift
	key=$({
		echo "$base"
		clang "${@:2}" -MM "$file" | tr -d '\134' | tr ' ' '\n' |
			sed '1d; /^$/d' | xargs cat
	} | sha256sum)
	key=$cache/${key%% *}
	[ -e "$key" ] && return
	if out=$(clang-tidy --quiet "$file" "$@" 2>&1); then
		: >"$key"
		return
	fi
	printf '%s\n' "$out"
	return 1
}
export -f one
# shellcheck disable=SC2016
printf '%s\0' "${files[@]}" |
	xargs -0 -P "${J:-2}" -I{} bash -c 'one "$@"' tidy {} "$@"
