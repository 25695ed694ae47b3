#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every field of every body, both ways, and each asked of the program.

fields.tsv says what the descriptions of the API hold, version by version
(extract_fields.py makes it); policy/api/body_fields.def and the query keys
of policy/api/extract.c say what Portreeve knows.  A field that only one of
them has fails here, so a new version of the API is a failing test and no
hole.  What the descriptions do not tell, but some engine reads, is in
BESIDE.
"""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from harness import BUILD, ROOT, Report  # noqa: E402

# the structs that a route's body is read as
TOPS = {
    "POST /auth": ["AUTH"],
    "POST /commit": ["CONFIG"],
    "POST /configs/create": ["CONFIGOBJ"],
    "POST /configs/{}/update": ["CONFIGOBJ"],
    "POST /containers/create": ["CONFIG", "CREATE"],
    "POST /containers/{}/exec": ["EXEC"],
    "POST /containers/{}/update": ["HOSTCONFIG"],
    "POST /exec/{}/start": ["EXECSTART"],
    "POST /networks/create": ["NETWORK"],
    "POST /networks/{}/connect": ["CONNECT"],
    "POST /nodes/{}/update": ["NODE"],
    "POST /plugins/pull": ["PLUGINPRIVILEGE"],
    "POST /plugins/{}/upgrade": ["PLUGINPRIVILEGE"],
    "POST /secrets/create": ["SECRET"],
    "POST /secrets/{}/update": ["SECRET"],
    "POST /services/create": ["SERVICE"],
    "POST /services/{}/update": ["SERVICE"],
    "POST /swarm/init": ["SWARMINIT"],
    "POST /swarm/join": ["SWARMJOIN"],
    "POST /swarm/unlock": ["SWARMUNLOCK"],
    "POST /swarm/update": ["SWARM"],
    "POST /volumes/create": ["VOLUME"],
}
# bodies that no struct is for, and why
OTHERWISE = {
    "POST /build": "a tar",
    "POST /images/create": "a tar",
    "POST /images/load": "a tar",
    "POST /networks/{}/disconnect": "Container alone is read, by name",
    "POST /plugins/create": "a tar",
    "POST /plugins/{}/set": "a list of strings",
    "PUT /containers/{}/archive": "a tar",
    "PUT /volumes/{}": "denied to all profiles but unrestricted",
}
# below these nothing is known, because they must not be there
SEALED = ["ClusterVolumeSpec", "ClusterOptions"]
# fields that engines read and the descriptions do not have: struct, names
BESIDE = {
    "AUTH": ["auth", "identitytoken", "registrytoken"],
    "CHECKPOINT": ["CheckpointID", "CheckpointDir", "Exit"],
    "CREATE": ["Cpuset"],
    "EXEC": ["Container", "Detach"],
    "EXECSTART": ["hijack", "stdin"],
    "MOUNT": ["ClusterOptions"],
    "SWARMINIT": ["AutoLockManagers", "Availability"],
    "SWARMJOIN": ["Availability"],
    "TASKPLUGIN": ["Env", "Privileges"],
}
# query keys that engines read and the descriptions do not have, or that only
# the other operation of the route reads
QUERY_BESIDE = {
    "build.run": ["cpusetmems", "cgroupparent", "ulimits", "session",
                  "buildid", "isolation", "securityopt"],
    "container.attach": ["hijack"],
    "container.checkpoint-list": ["dir"],
    "container.checkpoint-remove": ["dir"],
    "container.start": ["checkpoint", "checkpoint-dir"],
    "image.tag": ["force"],
}
# known, though no engine of today has them
ENDED = [("HOSTCONFIG", "Capabilities"), ("TASKLIMITS", "GenericResources")]
# the version of the oldest engine: what ended before is no engine's field
OLDEST = 41
TYPES = {
    "STR": ["str"], "BOOL": ["bool"], "INT": ["int"], "UINT": ["int"],
    "FLOAT": ["float"], "INTS": ["int[]"], "STRS": ["str[]"],
    "STRS_NUL": ["str[]"], "STRSLICE": ["str[]"], "STRSLICE_NUL": ["str[]"],
    "STRSS": ["str[][]"], "MAP_STR": ["str{}"], "MAP_STR_NUL": ["str{}"],
    "OBJ": ["object"], "OBJS": ["object[]"], "MAP_OBJ": ["object{}"],
    "MAP_OBJS": ["object[]{}"],
}


def described():
    """[(route, field, type, ended)], and the versions that they are from."""
    with open(os.path.join(HERE, "fields.tsv"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    rows = [line.split("\t") for line in lines[2:]]
    return [(f"{m} {r}", field, kind, until != "-" and int(until) < OLDEST)
            for m, r, field, kind, _, until in rows], \
        [int(v) for v in re.findall(r"1\.(\d+)", lines[0])]


def known():
    """{struct: {name: (type, sub, class)}} of body_fields.def."""
    path = os.path.join(ROOT, "policy", "api", "body_fields.def")
    with open(path, encoding="ascii") as f:
        text = f.read()
    structs = {s: {} for s in re.findall(r"^BODY_STRUCT\((\w+)\)", text, re.M)}
    rows = re.findall(r'^BODY_FIELD\((\w+),\s*\w+,\s*"([^"]+)",\s*(\w+),'
                      r'\s*(\w+),\s*(\w+)\)', text, re.M)
    for struct, name, kind, sub, what in rows:
        structs[struct][name] = (kind, sub, what)
    assert len(rows) == len(re.findall(r"^BODY_FIELD\(", text, re.M))
    return structs


def find(structs, tops, field):
    """The row of a path of names, and the structs that it went through."""
    row, seen = None, []
    for name in re.sub(r"\[\]|\{\}", "", field).strip(".").split("."):
        fits = [(s, n) for s in tops for n in structs[s]
                if n.lower() == name.lower()]
        if not fits:
            return None, seen
        row = structs[fits[0][0]][fits[0][1]]
        seen.append(fits[0])
        tops = [row[1]] if row[1] != "NONE" else []
    return row, seen


def bodies(r, rows, structs):
    """Each described field is in the table, with its type."""
    used = set()
    for route, field, kind, ended in rows:
        if field[0] == "?" or route not in TOPS or field == ".":
            continue
        if any(f".{s}." in f".{field}" for s in SEALED):
            continue
        row, seen = find(structs, TOPS[route], field)
        if row is None and ended:
            continue
        if not r.check(row is not None, f"{route}: {field} is known"):
            continue
        used.add(seen[-1])
        r.check(kind in TYPES[row[0]], f"{route}: {field} is {kind}",
                f"body_fields.def has {row[0]}")
    return used


def reverse(r, used, structs):
    """Each field of the table is described, or known to be read anyway."""
    for struct, names in structs.items():
        for name in names:
            beside = name in BESIDE.get(struct, [])
            r.check(((struct, name) in used) != beside,
                    f"{struct}.{name} is described" if not beside else
                    f"{struct}.{name} is read, though not described")


def routes(r, rows):
    """Each route with a body is read, or it is known why not."""
    have = {route for route, field, *_ in rows if field[0] != "?"}
    for route in sorted(have):
        r.check((route in TOPS) != (route in OTHERWISE),
                f"{route} is read, or it is said why not")
    for route in sorted(set(TOPS) | set(OTHERWISE)):
        r.check(route in have, f"{route} has a body")


def operations():
    done = subprocess.run([os.path.join(BUILD, "portreeve"), "api", "-o",
                           "json"], capture_output=True, check=True)
    actions = {}
    for o in json.loads(done.stdout):
        route = re.sub(r"\{[^}]*\}", "{}", o["path"])
        actions.setdefault(f"{o['method']} {route}", []).append(o["action"])
    return actions


def query(r, rows):
    """The query keys of the routes whose bodies an extractor reads."""
    path = os.path.join(ROOT, "policy", "api", "extract.c")
    with open(path, encoding="ascii") as f:
        text = f.read()
    table = text[text.index("} extractors[] = {"):]
    table = table[:table.index("\n};")]
    keys = {action: "".join(re.findall(r'"([^"]*)"', rest)).split()
            for action, rest in re.findall(
                r'\{"([\w.-]+)",\s*\w+,((?:\s*"[^"]*")+)\}', table)}
    actions = operations()
    seen = {}
    for route, field, _, ended in rows:
        for action in actions.get(route, []):
            if field[0] != "?" or action not in keys:
                continue
            seen.setdefault(action, set()).add(field[1:])
            if ended and field[1:] not in keys[action]:
                continue
            r.check(field[1:] in keys[action], f"{action}: {field} is known")
    for action, names in keys.items():
        for name in names:
            beside = name in QUERY_BESIDE.get(action, [])
            r.check((name in seen.get(action, ())) != beside,
                    f"{action}: ?{name} is described")


class Silent(Report):
    """Counts, and prints nothing."""

    def check(self, ok, sentence, note=""):
        self.failed += not ok
        return ok


def every_row_counts(r, rows, structs):
    """A field that either side loses is missed."""
    for struct, names in structs.items():
        for name in names:
            less = {s: {n: v for n, v in f.items() if (s, n) !=
                        (struct, name)} for s, f in structs.items()}
            silent = Silent()
            used = bodies(silent, [w for w in rows if w[1][0] != "?"], less)
            reverse(silent, used, less)
            r.check(silent.failed > 0 or name in BESIDE.get(struct, []) or
                    (struct, name) in ENDED,
                    f"without {struct}.{name} this test fails")


# ---- each field asked of the program ----

POLICY = """version: 1
teams: {t: {}}
hosts: {h: [p]}
phases: {p: {}}
roles: {all: {allow: {"*": ["*"]}}}
profiles: {open: {images: {allow: ["**"]}}}
grants: [{id: g, team: t, role: all, phases: ["*"], owner: any, profile: open}]
"""
# what a body needs besides, so that it is read to the end
BASE = {
    "POST /containers/create": {"Image": "a"},
    "POST /networks/create": {"Name": "n"},
    "POST /networks/{}/connect": {"Container": "c"},
    "POST /services/create":
        {"TaskTemplate": {"ContainerSpec": {"Image": "a"}}},
    "POST /services/{}/update":
        {"TaskTemplate": {"ContainerSpec": {"Image": "a"}}},
}
# and elements of lists
NEEDS = {"Secrets": ("SecretID", "s"), "Configs": ("ConfigID", "c"),
         "Ulimits": ("Name", "nofile"), "Mounts": ("Type", "volume")}
SAMPLES = {"str": "xy", "bool": True, "int": 1, "float": 0.5}


def sample(kind):
    if kind.endswith("[]"):
        return [sample(kind[:-2])]
    if kind.endswith("{}"):
        return {"k": sample(kind[:-2])}
    return {} if kind == "object" else SAMPLES[kind]


def put(body, path, value):
    """Sets `A[].b{}.c` in a body, and makes what is on the way."""
    name, *rest = re.match(r"([^.\[{]*)((?:\[\]|\{\})*)\.?(.*)",
                           path, re.S).groups()
    deep, rest = rest
    if not rest and not deep:
        body[name] = value
        return
    below = {}
    put(below, rest, value)
    if not deep:
        if isinstance(body.get(name), dict):
            put(body[name], rest, value)
        else:
            body[name] = below
        return
    for step in reversed(re.findall(r"\[\]|\{\}", deep)):
        below = [below] if step == "[]" else {"k": below}
    body[name] = below


def fill(value):
    """Gives elements of lists what they need."""
    if isinstance(value, list):
        for v in value:
            fill(v)
    if isinstance(value, dict):
        for name, v in value.items():
            if name in NEEDS and isinstance(v, list) and \
                    isinstance(v[0], dict):
                v[0].setdefault(*NEEDS[name])
            fill(v)


def body_of(route, path, value):
    body = json.loads(json.dumps(BASE.get(route, {})))
    whole = path.startswith("[].")
    put(body, path.removeprefix("[]."), value)
    fill(body)
    return [body] if whole else body


def question(route, body):
    method, path = route.split()
    if "/update" in path and path.split("/")[1] in (
            "services", "secrets", "configs", "nodes") or \
            path == "/swarm/update":
        path += "?version=1"
    elif path == "/commit":
        path += "?container=" + "x" * 64
    text = json.dumps(body)
    return {"who": {"name": "a", "teams": ["t"]}, "method": method,
            "target": path.replace("{}", "x" * 64),
            "headers": {"Content-Type": "application/json",
                        "Content-Length": str(len(text))}, "body": text,
            "objects": [{"kind": k, "ref": ref, "by": "id", "container": "c",
                         "inspect": {"Config": {"Image": "a"},
                                     "HostConfig": {}, "Scope": "swarm"},
                         "ledger": {"team": "t", "phase": "p"}}
                        for k in ("container", "network", "service", "secret",
                                  "config", "exec", "volume")
                        for ref in ("x" * 64, "xy", "s", "c", "k")],
            "paths": [{"path": "/xy", "known": True, "exists": True}],
            "daemon": {"runtime": "runc"}}


def answers(questions):
    lines = [json.dumps({"policy": POLICY, "host": "h"})]
    lines += [json.dumps(q) for q in questions]
    done = subprocess.run([os.path.join(BUILD, "tools", "decide")],
                          input="\n".join(lines) + "\n", text=True,
                          capture_output=True, check=True)
    got = [json.loads(line) for line in done.stdout.splitlines()]
    return [a for a in got if "verdict" in a][-len(questions):]


def asked(r, rows, structs):
    """A field is known where it stands; its neighbour nobody knows is not."""
    told, asks = [], []
    for route, field, kind, ended in rows:
        # /auth is judged by nobody, plugin upgrade by a guard
        if route not in TOPS or field[0] in "?" or field == "." or \
                route in ("POST /auth", "POST /plugins/{}/upgrade"):
            continue
        row, _ = find(structs, TOPS[route], field)
        if row is None or ended or \
                any(f".{s}." in f".{field}" for s in SEALED):
            continue
        told.append((route, field,
                     row[2] if kind != "object" else ""))
        asks.append(question(route, body_of(route, field, sample(kind))))
        asks.append(question(route, body_of(route, field + "Y", 0)))
    got = answers(asks)
    r.equal(len(got), len(asks), "every question has an answer")
    for (route, field, what), yes, no in zip(told, got[::2], got[1::2]):
        r.check(yes.get("key") != "unknown_fields",
                f"{route}: the program knows {field}", str(yes))
        if what == "DEFAULT":
            r.equal(yes["reason"], "must-default",
                    f"{route}: {field} must be default")
        r.check(no.get("key") == "unknown_fields" or
                no["reason"] == "must-default",
                f"{route}: the program does not know {field}Y", str(no))


def main():
    r = Report(verbose=False)
    rows, versions = described()
    structs = known()
    used = bodies(r, rows, structs)
    reverse(r, used, structs)
    routes(r, rows)
    query(r, rows)
    asked(r, rows, structs)
    every_row_counts(r, rows, structs)
    header = os.path.join(ROOT, "include", "portreeve", "api.h")
    with open(header, encoding="ascii") as f:
        newest = re.search(r"PR_API_NEWEST\s+(\d+)", f.read()).group(1)
    r.equal(versions[-1], int(newest), "the newest version is the catalogue's")
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
