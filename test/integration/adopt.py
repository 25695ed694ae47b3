#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""portreeve adopt: recorded first, then in the ledger, and noticed by a
process that has the ledger open."""
import json
import os
import sqlite3
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
from harness import Report, Room  # noqa: E402
from harness.room import wait_until  # noqa: E402

BUILD = os.path.join(TOP, os.environ.get("PORTREEVE_BUILD", "build"))
CONTAINER = "a" * 64

POLICY = """\
version: 1
labels: {team: com.acme.team, phase: com.acme.phase}
teams:
  payments: {ldap: ["cn=payments,ou=groups,dc=acme,dc=com"]}
phases:
  dev: {audit: metadata}
hosts: {"*": [dev]}
roles:
  viewer: {allow: {container: [list]}}
grants:
  - {id: g, team: payments, role: viewer, phases: [dev]}
"""


class World:
    def __init__(self, room):
        self.room = room
        self.log = room("log")
        self.ledger = room("ledger.db")
        room.write("policy.d/a.yaml", POLICY)
        self.config = room.write("portreeve.yaml", f"""\
daemon: {{name: test, socket: {room("docker.sock")}}}
policy: {room("policy.d")}
audit: {{dir: {self.log}}}
ledger: {self.ledger}
""")

    def adopt(self, *args):
        return subprocess.run(
            [os.path.join(BUILD, "portreeve"), "adopt", "-c", self.config,
             *args], capture_output=True, text=True, timeout=60, check=False)

    def rows(self):
        with sqlite3.connect(self.ledger) as db:
            return db.execute("SELECT kind, id, name, team, phase, how,"
                              " decision FROM object ORDER BY id").fetchall()

    def records(self):
        found = []
        for name in sorted(os.listdir(self.log)):
            if name.endswith(".jsonl"):
                with open(os.path.join(self.log, name), encoding="utf-8") as f:
                    found += [json.loads(line) for line in f]
        return [r for r in found if r.get("action") == "portreeve.adopt"]


def refused(report, world):
    for args, status, text in (
            (("contaner", CONTAINER, "-t", "payments"), 64, '"container"'),
            (("container", "web", "-t", "payments"), 64, "docker inspect"),
            (("container", CONTAINER), 64, "--team"),
            (("container", CONTAINER, "-t", "payment"), 64, '"payments"'),
            (("container", CONTAINER, "-t", "payments", "-p", "deb"), 64,
             '"dev"'),
            (("container", CONTAINER, "-t", "payments", "-c",
              world.room("none.yaml")), 78, "none.yaml")):
        got = world.adopt(*args)
        report.check(got.returncode == status and text in got.stderr,
                     "refused: " + " ".join(args[1:]), got)
    report.check(not os.path.exists(world.ledger), "and nothing was written")


def noticed(report, world):
    tool = subprocess.Popen(
        [os.path.join(BUILD, "tools", "inventory"), world.room("docker.sock"),
         world.ledger], text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def known():
        tool.stdin.write("1\tstats\n")
        tool.stdin.flush()
        return json.loads(tool.stdout.readline())["ledger"]

    report.equal(known(), 1, "another process has read the ledger")
    got = world.adopt("volume", "pgdata", "-t", "payments", "-p", "dev")
    report.equal(got.returncode, 0, "a volume is adopted by its name")
    wait_until("the other process", lambda: known() == 2, 20)
    report.check(True, "and it notices what was adopted since")
    tool.stdin.close()
    report.equal(tool.wait(30), 0, "it ends well")


def main():
    report = Report(verbose="-v" in sys.argv)
    with Room("adopt") as room:
        world = World(room)
        refused(report, world)
        got = world.adopt("container", CONTAINER, "--team", "payments",
                          "--phase", "dev", "--name", "web")
        report.check(got.returncode == 0 and "belongs to team payments" in
                     got.stdout, "a container is adopted by its id", got)
        records = world.records()
        report.equal(len(records), 1, "one record is in the log")
        report.equal(world.rows(), [
            ("container", CONTAINER, "web", "payments", "dev", "adopted",
             records[0]["id"])], "the ledger names the record")
        report.check("uid" in json.dumps(records[0]) and
                     records[0]["verdict"] == "allow",
                     "which says who did it", records[0])
        noticed(report, world)
        verify = subprocess.run(
            [os.path.join(BUILD, "portreeve"), "log", "verify", "-d",
             world.log], capture_output=True, text=True, check=False)
        report.check(verify.returncode == 0 and "command" in verify.stdout,
                     "the command's own chain is whole", verify)
        os.rename(world.log, world.log + ".old")
        with open(world.log, "w", encoding="ascii") as f:
            f.write("no folder")
        got = world.adopt("volume", "other", "-t", "payments")
        report.check(got.returncode == 1 and len(world.rows()) == 2,
                     "no record, no adoption", got)
    report.exit()


if __name__ == "__main__":
    main()
