#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The units: systemd reads them without a complaint, and says of each service
that little is open to it."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
UNITS = os.path.join(ROOT, "packaging/systemd")
sys.path.insert(0, os.path.join(ROOT, "test"))
from harness.report import Report  # noqa: E402

MOST = 1.5
# with the drop-in for a directory on the network
MOST_NETWORK = 1.8
WANTED = {"Type": "notify", "NoNewPrivileges": "yes", "WatchdogSec": None,
          "ProtectSystem": "strict", "User": None, "Restart": "always"}


def exposure(path):
    """(number, what is open) as systemd-analyze security says."""
    done = subprocess.run(["systemd-analyze", "security", "--offline=true",
                           "--no-pager", path], capture_output=True, text=True,
                          check=False)
    m = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    return float(m[1]) if m else 99.0, done.stdout + done.stderr


def keys(path):
    out = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            k, eq, v = line.strip().partition("=")
            if eq and not k.startswith("#"):
                out.setdefault(k, []).append(v)
    return out


def verified(r, folder, unit):
    """In a copy whose programs are there, so that only the unit can be wrong."""
    with open(os.path.join(folder, unit), encoding="utf-8") as f:
        text = f.read()
    text = re.sub(r"^(ExecStart\w*=[+!:@-]*)\S+", r"\1/bin/true", text,
                  flags=re.M)
    text = re.sub(r"^Documentation=.*$", "", text, flags=re.M)
    with open(os.path.join(folder, unit), "w", encoding="utf-8") as f:
        f.write(text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no",
                           os.path.join(folder, unit)], capture_output=True,
                          text=True, check=False)
    says = [x for x in done.stderr.splitlines() if "portreeve" in x]
    r.check(not says, f"{unit}: systemd-analyze verify", "\n".join(says))


def main():
    r = Report()
    services = sorted(glob.glob(UNITS + "/*.service"))
    r.check(len(services) > 0, "there are services")
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(glob.glob(UNITS + "/*.s*")):
            shutil.copy(path, folder)
        for path in services:
            name = os.path.basename(path)
            n, says = exposure(path)
            r.check(n <= MOST, f"{name}: exposure {n}, at most {MOST}", says)
            got = keys(path)
            for k, v in WANTED.items():
                r.check(k in got and (v is None or got[k] == [v]),
                        f"{name}: {k}={v or '…'}", str(got.get(k)))
            r.check(os.path.exists(path[:-8] + ".socket"),
                    f"{name}: its socket stays while it is restarted")
        # the measure measures: a unit without its shutters is open
        loose = os.path.join(folder, "loose.service")
        with open(loose, "w", encoding="utf-8") as f:
            f.write("[Service]\nExecStart=/bin/true\n")
        r.check(exposure(loose)[0] > 5, "a bare unit would be found")
        name = "portreeve-plugin.service"
        dropin = os.path.join(UNITS, "examples/directory.conf")
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            text = f.read()
        with open(dropin, encoding="utf-8") as f:
            both = text.split("[Install]")[0] + f.read()
        with open(os.path.join(folder, "net.service"), "w",
                  encoding="utf-8") as f:
            f.write(both)
        n, says = exposure(os.path.join(folder, "net.service"))
        r.check(n <= MOST_NETWORK,
                f"with a directory on the network: {n}", says)
        for path in sorted(glob.glob(UNITS + "/*.s*")):
            verified(r, folder, os.path.basename(path))
    socket = keys(os.path.join(UNITS, "portreeve-plugin.socket"))
    r.equal((socket["ListenStream"], socket["SocketMode"], socket["Before"]),
            (["/run/docker/plugins/portreeve.sock"], ["0600"],
             ["docker.service"]), "the plugin's socket, before docker")
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
