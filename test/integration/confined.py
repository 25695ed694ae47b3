#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the configuration names outside of its own folder is in reach of the
confined programs: a signing key, where copies of checkpoints go, promotions
that are read again; and a file that others may write is refused."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import HarnessError, Lab, Plugin, Proxy, Report, \
    Room  # noqa: E402
from harness.room import wait_until  # noqa: E402
from harness.wire import request  # noqa: E402

POLICY = """\
version: 1
teams:
  console: {anonymous: true}
hosts: {"*": [dev]}
phases: {dev: {audit: metadata}}
roles: {all: {allow: {"*": ["*"]}}}
grants:
  - {id: all, team: console, role: all, phases: ["*"], owner: any, profile: unrestricted}
"""
PING = {"RequestMethod": "GET", "RequestUri": "/_ping"}


class Site:
    """A folder each for the key, the copies and the promotions."""

    def __init__(self, room, name):
        self.key = os.path.join(room.mkdir(name + "-keys", mode=0o700),
                                "log.key")
        self.copies = os.path.join(room.mkdir(name + "-safe", mode=0o700),
                                   "checkpoints")
        self.promotions = room.mkdir(name + "-promotions")

    def configure(self, program):
        made = Plugin.command(program, "promote", "--make-key", self.key)
        if made.returncode != 0:
            raise HarnessError(made.stderr)
        with open(program.config_file, encoding="utf-8") as f:
            text = f.read()
        text = text.replace(
            "segment: 64MiB}", "segment: 64MiB, checkpoint: {key: "
            f"{self.key}, interval: 1s, copy: {self.copies}}}}}")
        text += f"promotions: {self.promotions}\n"
        with open(program.config_file, "w", encoding="utf-8") as f:
            f.write(text)

    def promote(self, text):
        with open(os.path.join(self.promotions, "a.promotions"), "w",
                  encoding="utf-8") as f:
            f.write(text)

    def copied(self):
        if not os.path.exists(self.copies):
            return False
        with open(self.copies, encoding="utf-8") as f:
            return '"signature"' in f.read()


def reaches(r, name, program, site, ask):
    ask()
    try:
        wait_until("a copy of a checkpoint", site.copied, 20, program.proc,
                   program.log)
    except HarnessError as e:
        r.check(False, f"{name}: a checkpoint is copied", str(e))
    else:
        r.check(True, f"{name}: a checkpoint is copied")
    site.promote("# nothing has run yet\n")
    r.check("is in force" in program.reload(),
            f"{name}: promotions are read again")
    site.promote("nonsense\n")
    said = program.reload()
    r.check("a.promotions:1:" in said, f"{name}: and are looked at", said)
    r.equal(program.stop(), 0, f"{name}: an orderly end")


def refuses(r, name, program, site):
    path = os.path.join(site.promotions, "a.promotions")
    os.unlink(path)
    os.chmod(site.promotions, 0o777)
    try:
        program.start(20)
    except HarnessError as e:
        r.check("chmod" in str(e) and site.promotions in str(e),
                f"{name}: promotions that all may write are refused", str(e))
    else:
        r.check(False, f"{name}: promotions that all may write are refused")
    program.stop()


def main():
    r = Report()
    with Room() as room:
        lab = Lab(room("ca"))
        docker = room("no-docker.sock")
        plugin = Plugin(room, os.path.join(room.mkdir("p"), "p.sock"), docker,
                        POLICY, alone=True)
        proxy = Proxy(room, docker, lab, POLICY)
        for name, program, ask in (
                ("plugin", plugin, lambda: plugin.call(PING)),
                ("proxy", proxy, lambda: request(proxy.unix, "GET", "/_ping"))):
            site = Site(room, name)
            site.configure(program)
            try:
                program.start(20)
            except HarnessError as e:
                r.check(False, f"{name} begins", str(e))
                continue
            reaches(r, name, program, site, ask)
            refuses(r, name, program, site)
    r.exit()


if __name__ == "__main__":
    main()
