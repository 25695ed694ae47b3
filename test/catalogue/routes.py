#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The catalogue against the daemon's routes, both ways.

routes.tsv is the list of what the daemon's routers register, kept by hand
beside the catalogue: a row that one of them has and the other has not is a
hole or an invention.
"""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from harness import BUILD, ROOT, Report  # noqa: E402

# one route, two operations: the query tells which
TWINS = {("POST", "/images/create"): ["IMAGE_IMPORT", "IMAGE_PULL"]}
# operations that come by no route
ROUTELESS = ["BUILD_GRPC_H2"]
WORDS = {
    "risk": ["read", "mutate", "exec", "host"],
    "scope": ["ownerless", "owned", "global"],
    "body": ["none", "json-required", "json-optional", "opaque", "start",
             "json-withheld"],
    "stream": ["none", "hijack", "upgrade", "chunked"],
}


def routes():
    with open(os.path.join(HERE, "routes.tsv"), encoding="ascii") as f:
        lines = f.read().splitlines()
    return [line.split("\t") for line in lines[1:]]


def api(*args):
    done = subprocess.run([os.path.join(BUILD, "portreeve"), "api", *args],
                          capture_output=True, check=True)
    return done.stdout.decode()


def concrete(path):
    """A path that only this template means."""
    path = re.sub(r"\{any[^}]*\}", "any/where", path)
    return re.sub(r"\{(\w+)(:[^}]*)?\}", r"some\1", path)


def classify(calls):
    text = "".join("\t".join(c) + "\n" for c in calls)
    done = subprocess.run([os.path.join(BUILD, "tools", "classify")],
                          input=text, capture_output=True, text=True,
                          check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def both_ways(r, ops, want):
    have = {}
    for op in ops:
        if op["id"] not in ROUTELESS:
            have.setdefault((op["method"], op["path"]), []).append(op["id"])
    for method, path, *_ in want:
        r.check((method, path) in have, f"{method} {path} has an operation")
    known = {(m, p) for m, p, *_ in want}
    for key, ids in have.items():
        r.check(key in known, f"{' '.join(key)} is a route of the daemon")
        r.equal(sorted(ids), TWINS.get(key, ids[:1]),
                f"{' '.join(key)} is one operation, or known twins")
    r.equal(len(ops), len(want) + len(ROUTELESS)
            + sum(len(t) - 1 for t in TWINS.values()),
            "no row more, no row less")
    r.equal([o["id"] for o in ops if o["method"] == "*"], ROUTELESS,
            "what comes by no route is known")


def versions(r, ops, want):
    span = {(m, p): (a, None if b == "-" else b) for m, p, a, b in want}
    for op in ops:
        if op["id"] in ROUTELESS:
            continue
        r.equal((op["since"], op["until"]), span.get((op["method"],
                                                      op["path"])),
                f"{op['id']}: versions")


def routed(r, ops):
    """Each operation is what its own route is classified as."""
    calls = []
    for op in ops:
        query = "?fromImage=a" if op["id"] == "IMAGE_PULL" else ""
        body = ["Content-Type:application/json", "Content-Length:2",
                "=" + b"{}".hex()] if op["body"].startswith("json") else []
        calls.append([op["method"], concrete(op["path"]) + query, *body])
    for op, got in zip(ops, classify(calls)):
        if op["id"] in ROUTELESS:
            r.equal(got[0], "!ambiguous-request", f"{op['id']} never comes")
        elif op["until"] is not None:
            r.equal(got[:2], ["!unsupported-version", op["id"]],
                    f"{op['id']} has ended")
        else:
            r.equal(got[:2], [op["id"], op["action"]],
                    f"{op['id']} is found by {op['method']} {op['path']}")


def words(r, ops):
    for key, allowed in WORDS.items():
        for op in ops:
            r.check(op[key] in allowed, f"{op['id']}: {key} {op[key]}")
    r.equal(len({o["id"] for o in ops}), len(ops), "ids are unique")
    r.equal(len({o["text"] for o in ops}), len(ops), "descriptions too")


def formats(r, ops):
    lines = [json.loads(x) for x in api("-o", "jsonl").splitlines()]
    r.equal(lines, ops, "jsonl says what json says")
    csv = api("-o", "csv").split("\r\n")
    r.equal(len(csv), len(ops) + 2, "csv has a heading and the rows")
    table = api().splitlines()
    r.equal(len(table), len(ops) + 1, "so has the table")
    some = json.loads(api("-o", "json", "-r", "volume", "-r", "network"))
    r.equal(some, [o for o in ops if o["resource"] in ("volume", "network")],
            "-r takes what it says")


class Silent(Report):
    """Counts, and prints nothing."""

    def check(self, ok, sentence, note=""):
        self.failed += not ok
        return ok


def every_row_counts(r, ops, want):
    for i, op in enumerate(ops):
        silent = Silent()
        both_ways(silent, ops[:i] + ops[i + 1:], want)
        r.check(silent.failed > 0, f"without {op['id']} this test fails")
    for i, row in enumerate(want):
        silent = Silent()
        both_ways(silent, ops, want[:i] + want[i + 1:])
        r.check(silent.failed > 0, f"without {' '.join(row[:2])} too")


def the_table_itself(r, ops):
    """One row of the .def is one operation: nothing is hidden by #if."""
    path = os.path.join(ROOT, "policy", "api", "docker_api.def")
    with open(path, encoding="ascii") as f:
        ids = re.findall(r"^API_OP\((\w+),", f.read(), re.M)
    r.equal(ids, [o["id"] for o in ops], "docker_api.def, row by row")


def main():
    r = Report(verbose=False)
    ops = json.loads(api("-o", "json"))
    want = routes()
    both_ways(r, ops, want)
    versions(r, ops, want)
    routed(r, ops)
    words(r, ops)
    formats(r, ops)
    every_row_counts(r, ops, want)
    the_table_itself(r, ops)
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
