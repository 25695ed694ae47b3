# SPDX-License-Identifier: Apache-2.0
"""Newer engines and clients, from the suites of Debian that have them.

    26.1   trixie   docker 26.1, compose 2.26, buildx 0.13
    28.5   forky    docker 28.5, compose 2.40, buildx 0.29

Each is a root unpacked by mmdebstrap from the mirror that apt uses here: no
script of a package runs, nothing of it touches the machine.  Roots are kept
in PORTREEVE_ENGINES (default /var/cache/portreeve/engines), about 480 MB each,
and used by many tests at once: nothing writes into them.
"""
import fcntl
import glob
import os
import re
import shutil
import subprocess

from .room import HarnessError

SUITES = {"26.1": "trixie", "28.5": "forky"}
CACHE = os.environ.get("PORTREEVE_ENGINES", "/var/cache/portreeve/engines")
PACKAGES = ("docker.io,docker-cli,docker-buildx,docker-compose,iptables,"
            "busybox-static,base-files,bash,coreutils,util-linux,mount,"
            "iproute2,sed,grep,procps")
# Debian's alternatives are made by scripts, which do not run here
LINKS = {f"usr/sbin/{name}": "xtables-nft-multi" for name in (
    "iptables", "iptables-save", "iptables-restore",
    "ip6tables", "ip6tables-save", "ip6tables-restore")}


def mirror():
    """Where this machine's packages come from."""
    for name in glob.glob("/etc/apt/sources.list.d/*.sources"):
        with open(name, encoding="utf-8") as f:
            for m in re.finditer(r"(?m)^URIs:\s*(\S+)", f.read()):
                if "security" not in m[1]:
                    return m[1]
    for name in ["/etc/apt/sources.list"] + glob.glob(
            "/etc/apt/sources.list.d/*.list"):
        if os.path.exists(name):
            with open(name, encoding="utf-8") as f:
                for m in re.finditer(r"(?m)^deb\s+(?:\[.*?\]\s*)?(\S+)",
                                     f.read()):
                    if "security" not in m[1]:
                        return m[1]
    return "http://deb.debian.org/debian"


def root_of(engine):
    """The root of an engine; made if it is not there yet."""
    suite = SUITES[engine]
    root = os.path.join(CACHE, suite)
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, suite + ".lock"), "w",
              encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if recipe_of(root) != PACKAGES:
            make(suite, root)
    return root


def recipe_of(root):
    """What a root was made of; None if there is none, or only a part."""
    try:
        with open(os.path.join(root, ".recipe"), encoding="ascii") as f:
            return f.read()
    except FileNotFoundError:
        return None


def make(suite, root):
    new = root + ".new"
    for old in (root, new):
        shutil.rmtree(old, ignore_errors=True)
    done = subprocess.run(
        ["mmdebstrap", "--quiet", "--mode=root", "--variant=extract",
         # testing's lists are old in a world that stands still
         '--aptopt=Acquire::Check-Valid-Until "false"',
         "--include=" + PACKAGES, suite, new, mirror()],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise HarnessError(f"mmdebstrap {suite} from {mirror()}:\n"
                           + done.stderr[-2000:])
    for path, target in LINKS.items():
        if not os.path.lexists(os.path.join(new, path)):
            os.symlink(target, os.path.join(new, path))
    for path in ("etc/passwd", "etc/group"):
        with open(os.path.join(new, path), "w", encoding="ascii") as f:
            f.write("root:x:0:0:root:/root:/bin/bash\n" if path.endswith("d")
                    else "root:x:0:\ndocker:x:999:\n")
    for path in ("opt", "srv", "etc/docker", "var/lib"):
        os.makedirs(os.path.join(new, path), exist_ok=True)
    with open(os.path.join(new, ".recipe"), "w", encoding="ascii") as f:
        f.write(PACKAGES)
    os.rename(new, root)


# Runs with the engine's root as its own, beside the folders it is given.
INSIDE = r"""
set -e
root=$1; shift
mount --bind "$root" "$root"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/run"
while [ "$1" != -- ]; do
	mkdir -p "$root$1"
	mount --rbind "$1" "$root$1"
	shift
done
shift
exec chroot "$root" "$@"
"""


def client(engine, folders, argv):
    """argv that runs a client of the engine; it sees the folders (below /tmp
    or /run) and the network of this machine."""
    return ["unshare", "-m", "--propagation", "private", "bash", "-c", INSIDE,
            "client", root_of(engine), *folders, "--", *argv]
