#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian package: built twice and the same, clean for lintian, small;
installed in a copy of this machine that is thrown away: it works as it is,
touches nothing of docker, and purge takes away what it made and nothing else.

  check.py [--deb FILE]     without building: only what a package does
"""
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "test"))
from harness.report import Report  # noqa: E402

MOST = 2 << 20
# in a mount namespace of its own; $1: an empty folder, $2: the script
COPY = r"""
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
for d in proc sys dev; do mount --rbind /$d "$1/root/$d"; done
mount -t tmpfs tmpfs "$1/root/run"
mount -t tmpfs tmpfs "$1/root/tmp"
cp "$3" "$1/root/tmp/portreeve.deb"
cp "$4" "$1/root/tmp/installed"
exec chroot "$1/root" bash -c "$2"
"""
LIFE = r"""
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive
docker() { find /etc/docker /etc/default/docker /lib/systemd/system/docker* /etc/systemd -type f -exec sha256sum {} + 2>/dev/null | sort | sha256sum; }
ours() { find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path '*/build*' -o -path "$SOURCES" \) -prune -o -name '*portreeve*' -print 2>/dev/null | sort; }
mkdir -p /etc/docker; echo '{}' >/etc/docker/daemon.json
ours >/tmp/before; d=$(docker)
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
dpkg -i /tmp/portreeve.deb >/tmp/out 2>&1 || { cat /tmp/out; exit 1; }
grep -q '"authorization-plugins": \["portreeve"\]' /tmp/out && echo "ok it prints the line for daemon.json"
[ "$(docker)" = "$d" ] && echo "ok docker's files are as they were"
dpkg -V portreeve && echo "ok dpkg -V"
cp /tmp/installed /root/installed; sh -x /root/installed >/tmp/log 2>&1 && echo "ok it works as it is" || tail -n 30 /tmp/log
echo '# mine' >>/etc/portreeve/policy.d/10-local.yaml
cp /etc/portreeve/policy.d/10-local.yaml /tmp/mine
dpkg -i /tmp/portreeve.deb >/dev/null 2>&1 && cmp -s /tmp/mine /etc/portreeve/policy.d/10-local.yaml && echo "ok an upgrade keeps what was edited"
echo 'version: 1' >/etc/portreeve/policy.d/90-other.yaml
dpkg -r portreeve >/dev/null 2>&1
[ -d /var/log/portreeve ] && [ -e /etc/portreeve/portreeve.yaml ] && echo "ok remove keeps log and configuration"
dpkg -P portreeve >/tmp/out 2>&1 || cat /tmp/out
[ -e /etc/portreeve/policy.d/90-other.yaml ] && echo "ok purge keeps what somebody else put there"
[ ! -e /etc/portreeve/portreeve.yaml ] && [ ! -e /var/log/portreeve ] && [ ! -e /var/lib/portreeve ] && echo "ok purge takes away configuration, log and ledger"
getent passwd portreeve >/dev/null || echo "ok … and the user"
rm -r /etc/portreeve
ours >/tmp/after; diff /tmp/before /tmp/after && echo "ok nothing is left behind"
[ "$(docker)" = "$d" ] && echo "ok docker's files are as they were, still"
"""
SENTENCES = 11


def build(folder, env, mask):
    """A package of this tree, built in `folder`."""
    os.makedirs(folder)
    old = os.umask(mask)
    try:
        files = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], cwd=ROOT, capture_output=True,
            check=True).stdout
        subprocess.run(["xargs", "-0", "cp", "--parents", "-t", folder],
                       input=files, cwd=ROOT, check=True)
        done = subprocess.run(
            ["packaging/debian/build", folder], cwd=ROOT,
            capture_output=True, text=True, check=False,
            env={**os.environ, "DEB_BUILD_OPTIONS": "nocheck parallel=2",
                 **env})
    finally:
        os.umask(old)
    if done.returncode != 0:
        print(done.stdout[-3000:] + done.stderr[-3000:])
        return None
    found = [p for p in glob.glob(os.path.dirname(folder) + "/*.deb")
             if "dbgsym" not in p]
    return found[0] if found else None


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def built_twice(r, work):
    a = build(os.path.join(work, "a/portreeve"), {"TZ": "UTC"}, 0o022)
    if not r.check(a is not None, "it builds"):
        return None
    b = build(os.path.join(work, "some-other-place/b/src"),
              {"TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8",
               "HOME": work}, 0o077)
    r.check(b is not None and digest(a) == digest(b),
            "built twice, elsewhere: the same bytes")
    changes = glob.glob(os.path.dirname(a) + "/*.changes")
    done = subprocess.run(["lintian", "--allow-root", "--fail-on",
                           "error,warning", *changes], capture_output=True,
                          text=True, check=False)
    says = [x for x in done.stdout.splitlines() if x[:2] in ("E:", "W:")]
    r.check(done.returncode == 0 and not says, "lintian is content",
            done.stdout)
    return a


def main():
    r = Report()
    work = tempfile.mkdtemp(prefix="package.")
    try:
        deb = sys.argv[2] if sys.argv[1:2] == ["--deb"] else \
            built_twice(r, work)
        if deb is None:
            return r.end()
        size = os.path.getsize(deb)
        r.check(size <= MOST, f"{size} bytes, at most {MOST}")
        top = os.path.join(work, "copy")
        os.mkdir(top)
        done = subprocess.run(
            ["unshare", "-m", "-p", "--fork", "--kill-child", "--propagation",
             "private", "bash", "-c", COPY, "copy", top, LIFE,
             os.path.abspath(deb),
             os.path.join(ROOT, "packaging/debian/tests/installed")],
            capture_output=True, text=True, check=False,
            env={**os.environ, "SOURCES": ROOT})
        lines = done.stdout.splitlines()
        good = [x for x in lines if x.startswith("ok ")]
        for x in good:
            r.check(True, x[3:])
        r.equal(len(good), SENTENCES, "all of its life was as it should be")
        if len(good) != SENTENCES:
            print(done.stdout + done.stderr)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
