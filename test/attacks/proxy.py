#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""Replays corpus.jsonl through the proxy, with a real dockerd behind.

The requests' bytes go over mutual TLS as alice, or whom the case names.  What is forbidden must end in
an answer of the proxy, and what is allowed must not; where that is not what
the plugin does, the case stands in DIFFERENT with its reason.
"""
import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import replay  # noqa: E402
from harness import Api, Dockerd, Lab, Proxy, Report, Room  # noqa: E402

# case, or the beginning of several: what the proxy does, and why
DIFFERENT = {
    "volumes-028": ("allow", "what the path names is written as its full id, "
                    "so that no name is taken for one"),
    **{f"manage-0{n}": ("allow", "as volumes-028") for n in (19, 20)},
    **{f"ref-00{n}": ("allow", "what is absent is forwarded as it is, and an "
                      "answer that finds it after all is withheld")
       for n in (4, 5, 6)},
}


class Replay:
    def __init__(self, room, verbose):
        self.r = Report(verbose=verbose)
        lab = Lab(room("ca"))
        self.certs = {u: lab.client(u) for u in ("alice", "olga")}
        srv = room.mkdir("srv")
        for folder in ("red/a", "red/a..b", "redder", "blue", "shared/ro"):
            os.makedirs(os.path.join(srv, folder))
        os.symlink("/etc", os.path.join(srv, "red", "link"))
        for to, name in (("/run/docker", "plug"), ("../blue", "tored"),
                         ("link", "chain"), ("..", "up"), ("loop", "loop"),
                         ("/no/such/place", "dead")):
            os.symlink(to, os.path.join(srv, "red", name))
        self.d = Dockerd(room, binds={srv: "/srv"}).start()
        self.world = replay.World(self.d, Api(self.d.connect))
        self.world.build()
        texts = []
        for name in ("policy.yaml", "people.ldif"):
            with open(os.path.join(HERE, name), encoding="utf-8") as f:
                texts.append(f.read())
        self.p = Proxy(room, self.d.socket, lab, *texts, sync="none").start()

    def one(self, case):
        data = replay.bytes_of(case, self.world.prepare(case))
        who = self.certs[case.get("user", "alice")]
        status, text = replay.answer_of(self.p.connect(*who, 20.0), data)
        ours = "authorization denied by portreeve: " in text
        # HTTP that the proxy does not take ends the connection
        refused = ours or status in (400, 413, 414, 417, 431, 501, 502, 505) \
            or (status == 403 and data.startswith(b"HEAD "))
        expect, why = case["expect"], ""
        for name, (verdict, reason) in DIFFERENT.items():
            if case["id"].startswith(name):
                expect, why = verdict, " - " + reason
        ok = refused if expect == "deny" else not ours and status != 0 and (
            status < 500 or case.get("offline", False))
        self.r.check(ok, f"proxy {case['id']} {expect}: {case['title']}{why}",
                     f"{status} {text}")
        if expect == "deny" and not ok:
            self.world.build()
        elif not refused or case.get("setup"):
            self.world.repair()


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--id", help="a comma-separated list, or beginnings")
    a.add_argument("-v", "--verbose", action="store_true")
    a = a.parse_args()
    with open(os.path.join(HERE, "corpus.jsonl"), encoding="ascii") as f:
        cases = [json.loads(line) for line in f]
    if a.id:
        cases = [c for c in cases
                 if any(c["id"].startswith(i) for i in a.id.split(","))]
    with Room("attacks") as room:
        t = Replay(room, a.verbose)
        for case in cases:
            t.one(case)
        t.r.equal(t.p.stop(), 0, "the proxy lives")
        if t.r.failed:
            print(t.p.tail())
    return t.r.end()


if __name__ == "__main__":
    sys.exit(main())
