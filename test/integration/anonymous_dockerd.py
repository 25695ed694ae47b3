#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""Callers without any identity: those of a real dockerd's unix socket have
what a team with `anonymous: true` has, but not while the daemon listens on TCP
for everybody (docs/semantics.md 1.2)."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Api, Dockerd, Plugin, Report, Room  # noqa: E402
from harness.wire import connect_unix  # noqa: E402

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


def ask(r, room, sentence, want, hosts=(), words="", **more):
    name = sentence.replace(" ", "-").replace(",", "")
    d = Dockerd(room, plugins=["portreeve"], name=name, hosts=hosts)
    p = Plugin(room, d.plugin_socket("portreeve"), d.socket, POLICY,
               name=name + "-plugin", **more).start()
    d.start()
    api = Api(lambda: connect_unix(d.socket))
    # twice: asked on a worker while the daemon is not known, and after it
    for _ in range(2):
        a = api("GET", "/containers/json")
        r.check(a.status == want and words in str(a.body), sentence,
                f"{a.status} {a.body!r}")
    # the plugin of a daemon that it has not asked yet
    p.stop()
    p.start()
    a = api("GET", "/containers/json")
    r.check(a.status == want and words in str(a.body),
            sentence + ", a plugin that has just begun",
            f"{a.status} {a.body!r}")
    d.stop()
    p.stop()


def main():
    r = Report()
    with Room() as room:
        ask(r, room, "the socket alone", 200)
        ask(r, room, "TCP beside it", 403, ["tcp://127.0.0.1:2375"],
            "asks for no certificate")
        ask(r, room, "TCP that is accepted", 200, ["tcp://127.0.0.1:2375"],
            alone=True)
    r.exit()


if __name__ == "__main__":
    main()
