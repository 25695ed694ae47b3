#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# slow
# The decision log when the world fails: no space, I/O errors on every call in
# turn, a read-only file system, a folder that goes away, kill -9.  Each time:
# every allow that was acknowledged has a record that counts, and the chain is
# whole.  Needs root (private mounts) and strace.
set -u
if [ "${AUDIT_FAULTS_INSIDE:-}" != 1 ]; then
	AUDIT_FAULTS_INSIDE=1 exec unshare -m --propagation private "$0" "$@"
fi
here=$(cd "$(dirname "$0")/../.." && pwd)
load=${PORTREEVE_BUILD:-$here/build}/tools/audit_load
case $load in /*) ;; *) load=$here/$load ;; esac
tmp=$(mktemp -d) || exit 1
passed=0 failed=0
pids=()

finish() {
	for p in "${pids[@]}"; do kill -9 "$p" 2>/dev/null; done
	wait 2>/dev/null
	umount "$tmp/fs" 2>/dev/null
	rm -rf "$tmp"
}
trap finish EXIT

ok() { # name, condition as a command
	local name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		echo "ok: $name"
	else
		failed=$((failed + 1))
		echo "FAILED: $name"
		sed 's/^/    /' "$tmp/out" "$tmp/check" "$tmp/err" 2>/dev/null | tail -12
	fi
}

fresh() {
	rm -rf "$tmp/log" "$tmp/log.old" "$tmp/acked" "$tmp/out" "$tmp/check"
	: >"$tmp/acked"
}

proved() { # folder [partial]
	"$load" check "$1" "$tmp/acked" "${2:-}" >"$tmp/check" 2>&1
}

number() { # key: of the load's report
	sed -n "s/.*\<$1=\([0-9]*\).*/\1/p" "$tmp/out"
}
is() { # key, -eq|-gt, number
	local n
	n=$(number "$1")
	test -n "$n" -a "${n:-0}" "$2" "$3"
}

start() { # in the background: arguments of run after the folder
	local dir=$1
	shift
	"$load" run "$dir" "$@" acked="$tmp/acked" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	pids+=("$pid")
}

acked() { wc -l <"$tmp/acked"; }

# Until more are acknowledged than were; prints how long it took.
more() {
	local was=$1 begin i
	begin=$(date +%s%N)
	for ((i = 0; i < 1000; i++)); do
		if [ "$(acked)" -gt "$was" ]; then
			echo "    after $((($(date +%s%N) - begin) / 1000000)) ms"
			return 0
		fi
		sleep 0.01
	done
	return 1
}

# Until nothing more is acknowledged.
stalled() {
	local was now i
	was=$(acked)
	for ((i = 0; i < 50; i++)); do
		sleep 0.3
		now=$(acked)
		[ "$now" -gt 0 ] && [ "$now" -eq "$was" ] && return 0
		was=$now
	done
	return 1
}

tmpfs() {
	mkdir -p "$tmp/fs"
	mount -t tmpfs -o "size=$1" none "$tmp/fs" || exit 1
}

# --- no space ---------------------------------------------------------------
for sync in group none; do
	fresh
	tmpfs 256k
	head -c 200k /dev/zero >"$tmp/fs/filler"
	start "$tmp/fs/log" $sync threads=2 seconds=12 pause_us=500 denials=20
	ok "ENOSPC, $sync: allows stop" stalled
	was=$(acked)
	rm "$tmp/fs/filler"
	ok "ENOSPC, $sync: it recovers alone when space returns" more "$was"
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	ok "ENOSPC, $sync: nothing acknowledged is lost" proved "$tmp/fs/log"
	umount "$tmp/fs"
done

fresh
tmpfs 64k
"$load" run "$tmp/fs/log" group threads=4 count=200 denials=5 \
	acked="$tmp/acked" >"$tmp/out" 2>"$tmp/err"
ok "ENOSPC, 64k: allows are refused, not lost" is refused -gt 0
ok "ENOSPC, 64k: some were served before" is allowed -gt 0
ok "ENOSPC, 64k: nothing acknowledged is lost" proved "$tmp/fs/log"
umount "$tmp/fs"

# --- audit.failure: allow -----------------------------------------------------
fresh
tmpfs 64k
"$load" run "$tmp/fs/log" group threads=2 count=500 failure=allow \
	>"$tmp/out" 2>"$tmp/err"
ok "failure: allow goes on" is refused -eq 0
ok "failure: allow counts what has no record" is lost -gt 0
ok "failure: allow says it" grep -q 'without a record' "$tmp/err"
umount "$tmp/fs"

# --- each call in turn --------------------------------------------------------
inject() { # name, sync, strace's inject expression, allows a thread
	fresh
	strace -f -o "$tmp/trace" -e trace="${3%%:*}" -e inject="$3" "$load" run \
		"$tmp/log" "$2" threads=2 count="${4:-40}" pause_us=12000 denials=3 \
		settle=1 		acked="$tmp/acked" >"$tmp/out" 2>"$tmp/err"
	ok "$1: nothing acknowledged is lost" proved "$tmp/log"
	ok "$1: it serves again" is healthy -eq 1
	ok "$1: it served at all" is allowed -gt 0
	ok "$1: it was injected" grep -q 'INJECTED\|DELAYED' "$tmp/trace"
	case $3 in
	*EINTR* | *delay*) ;;
	*) ok "$1: the error was met" is failures -gt 0 ;;
	esac
}
for sync in group none; do
	for n in 1 2 3 5 8; do
		inject "EIO, write $n, $sync" $sync "write:error=EIO:when=$n"
	done
	inject "EROFS, write 4 to 6, $sync" $sync "write:error=EROFS:when=4..6"
	inject "EIO, fsync 1, $sync" $sync "fsync:error=EIO:when=1"
	inject "EIO, rename 1, $sync" $sync "renameat:error=EIO:when=1"
	inject "EINTR, write, $sync" $sync "write:error=EINTR:when=2+3"
	inject "EIO, fdatasync 1, $sync" $sync "fdatasync:error=EIO:when=1" 120
	inject "slow fdatasync, $sync" $sync \
		"fdatasync:delay_enter=300000:when=1" 120
done
for n in 2 3 5 8; do
	inject "EIO, fdatasync $n" group "fdatasync:error=EIO:when=$n"
done
inject "EIO, every third fdatasync" group "fdatasync:error=EIO:when=3+3"

# --- read-only ------------------------------------------------------------------
fresh
tmpfs 8m
mkdir "$tmp/fs/log"
mount -o remount,ro "$tmp/fs"
start "$tmp/fs/log" group threads=2 seconds=12 pause_us=2000
sleep 0.5
ok "EROFS at the start: nothing is allowed" test "$(acked)" -eq 0
mount -o remount,rw "$tmp/fs"
ok "EROFS at the start: it recovers alone" more 0
kill -9 "$pid"
wait "$pid" 2>/dev/null
ok "EROFS at the start: nothing acknowledged is lost" proved "$tmp/fs/log"
umount "$tmp/fs"

# --- the folder goes away ---------------------------------------------------------
fresh
start "$tmp/log" group threads=4 seconds=3
ok "folder renamed: served before" more 0
mv "$tmp/log" "$tmp/log.old"
ok "folder renamed: served after" more "$(acked)"
wait "$pid"
mv -n "$tmp"/log.old/*.jsonl "$tmp/log/"
ok "folder renamed: both halves are one chain" proved "$tmp/log"

fresh
start "$tmp/log" group threads=4 seconds=3
ok "folder removed: served before" more 0
rm -rf "$tmp/log"
ok "folder removed: served after" more "$(acked)"
wait "$pid"
: >"$tmp/acked"
ok "folder removed: the new chain is whole from there on" \
	proved "$tmp/log" partial

RANDOM=1
# --- kill -9 ------------------------------------------------------------------------
fresh
for ((i = 0; i < 25; i++)); do
	start "$tmp/log" "$([ $((i % 2)) = 0 ] && echo group || echo none)" \
		threads=4 denials=10 segment=100000
	more "$(acked)" >/dev/null
	sleep "0.0$((RANDOM % 10))"
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
done
ok "25 times kill -9: nothing acknowledged is lost" proved "$tmp/log"
sed 's/^/    /' "$tmp/check" | head -1

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
