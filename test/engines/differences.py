#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""What differs between the engines that Portreeve is tested with: each row of
docs/engines.md is asked of each engine, with a recording plugin in front.

  differences.py            asks, compares with docs/engines.md
  differences.py --write    writes docs/engines.md
"""
import base64
import json
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Dockerd, Report, ROOT, Room  # noqa: E402
from harness.dockerd import busybox_tar  # noqa: E402
from harness.wire import send_raw  # noqa: E402

ENGINES = ("20.10", "26.1", "28.5")
DOC = os.path.join(ROOT, "docs", "engines.md")
BEGIN, END = "<!-- rows: test/engines/differences.py -->\n", "<!-- end -->\n"
JSON = "application/json"
BODY = {"Image": "busybox", "Cmd": ["true"]}


class Recorder:
    """An AuthZ plugin that allows all and keeps the last request of a path."""

    def __init__(self, path):
        self.calls = []
        self.heads = []
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(path)
        self.sock.listen(64)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            conn, _ = self.sock.accept()
            threading.Thread(target=self.talk, args=(conn,),
                             daemon=True).start()

    def talk(self, conn):
        f = conn.makefile("rb")
        while True:
            line = f.readline()
            if not line:
                return
            head = {}
            while True:
                h = f.readline().strip().decode()
                if not h:
                    break
                k, _, v = h.partition(":")
                head[k.lower()] = v.strip()
            body = f.read(int(head.get("content-length", 0)))
            if b"Activate" in line:
                out = b'{"Implements":["authz"]}'
            else:
                out = b'{"Allow":true}'
                if b"AuthZReq" in line:
                    self.calls.append(json.loads(body))
                    self.heads.append(head)
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                         % (len(out), out))


class Engine:
    def __init__(self, room, version):
        self.version = version
        self.d = Dockerd(room, plugins=["rec"], name="d" + version[:2],
                         engine=None if version == "20.10" else version)
        self.rec = Recorder(self.d.plugin_socket("rec"))
        self.d.start()
        self.n = 0
        self.ask("POST", "/v1.41/images/create?fromSrc=-&repo=busybox",
                 busybox_tar(), "application/x-tar")

    def ask(self, method, target, body=b"", kind=JSON):
        """(status, JSON or text); the plugin's view is in self.rec.calls."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        head = f"{method} {target} HTTP/1.1\r\nHost: d\r\n"
        if body or method == "POST":
            head += f"Content-Length: {len(body)}\r\n"
        if body and kind:
            head += f"Content-Type: {kind}\r\n"
        a = send_raw(self.d.connect(), head.encode() + b"\r\n" + body, method)
        return a.status, a.json if a.json is not None else a.body.decode(
            "utf-8", "replace")

    def create(self, body, version="v1.41", **query):
        """The HostConfig of what was made, or the status."""
        self.n += 1
        query = "&".join([f"name=c{self.n}"]
                         + [f"{k}={v}" for k, v in query.items()])
        status, got = self.ask("POST", f"/{version}/containers/create?{query}",
                               body)
        if status != 201:
            return status
        status, got = self.ask("GET", f"/containers/{got['Id']}/json")
        return got

    def shown(self):
        """The body that the plugin saw of the last request."""
        return self.rec.calls[-1].get("RequestBody")


def host(e, field, body, **kw):
    got = e.create(body, **kw)
    return got if isinstance(got, int) else got["HostConfig"].get(field)


def swarm_unlock(e):
    """A JSON body that says it is text."""
    status, got = e.ask("POST", "/v1.41/swarm/unlock",
                        {"UnlockKey": "x"}, "text/plain")
    hidden = e.shown() is None
    return ("decoded, and hidden from the plugin" if status == 503 and hidden
            else f"refused ({status})")


def trailing(e):
    got = e.create(json.dumps(BODY).encode() + b' {"Image":"other"}')
    return "the rest is ignored" if not isinstance(got, int) \
        else f"refused ({got})"


def old_version(e):
    status, _ = e.ask("GET", "/v1.23/containers/json")
    return "taken" if status == 200 else f"refused ({status})"


def start_body(e):
    made = e.create(BODY)
    status, _ = e.ask("POST", f"/v1.23/containers/{made['Id']}/start",
                      {"PidMode": "host", "NetworkMode": "none"})
    got = e.ask("GET", f"/containers/{made['Id']}/json")[1]["HostConfig"]
    return "obeyed" if got["PidMode"] == "host" else f"refused ({status})"


def top_level(e):
    got = host(e, "Privileged", {**BODY, "Privileged": True})
    return "obeyed" if got is True else "ignored"


def folded(e):
    got = host(e, "Privileged", {**BODY, "hostCONFIG": {"privileged": True}})
    return "obeyed" if got is True else "ignored"


def one_string(e):
    got = host(e, "CapAdd", {**BODY, "HostConfig": {"CapAdd": "SYS_TIME"}})
    return f"refused ({got})" if isinstance(got, int) else "taken as a list"


def debug(e):
    status = e.ask("POST", "/debug/vars")[0]
    return "answers" if status == 200 else f"is gone ({status})"


def auth_body(e):
    e.ask("POST", "/v1.41/auth", {"username": "u", "password": "p"})
    return "shown to the plugin" if e.shown() else "withheld"


def big_body(e):
    got = e.create({**BODY, "Labels": {"pad": "x" * 1100000}})
    call = next(c for c in reversed(e.rec.calls)
                if c["RequestMethod"] == "POST")
    if isinstance(got, int):
        return f"refused ({got})"
    return "withheld, and obeyed" if not call.get("RequestBody") else "shown"


def plugin_host(e):
    e.ask("GET", "/_ping")
    return e.rec.heads[-1].get("host") or "(empty)"


def min_version(e):
    return e.ask("GET", "/version")[1]["MinAPIVersion"]


def newest(e):
    return e.ask("GET", "/version")[1]["ApiVersion"]


def twin_networks(e):
    made = [e.ask("POST", "/v1.41/networks/create",
                  {"Name": "twin", "CheckDuplicate": False})[0]
            for _ in range(2)]
    return "made" if made[1] == 201 else f"refused ({made[1]})"


def two_endpoints(e):
    newest_api = "v" + newest(e)
    for name in ("e1", "e2"):
        e.ask("POST", "/networks/create", {"Name": name})
    got = e.create({**BODY, "HostConfig": {"NetworkMode": "e1"},
                    "NetworkingConfig": {"EndpointsConfig": {"e1": {},
                                                             "e2": {}}}},
                   version=newest_api)
    return f"refused ({got})" if isinstance(got, int) else "joins both"


def annotations(e):
    got = host(e, "Annotations", {**BODY, "HostConfig": {
        "Annotations": {"a": "b"}}}, version="v" + newest(e))
    return "stored" if got == {"a": "b"} else "ignored"


def image_mount(e):
    got = host(e, "Mounts", {**BODY, "HostConfig": {"Mounts": [
        {"Type": "image", "Source": "busybox", "Target": "/x"}]}},
        version="v" + newest(e))
    return f"refused ({got})" if isinstance(got, int) else "taken"


def ambiguous_prefix(e):
    for _ in range(20):
        e.create(BODY)
    ids = [c["Id"] for c in e.ask("GET", "/containers/json?all=1")[1]]
    firsts = [i[0] for i in ids]
    twice = next(f for f in firsts if firsts.count(f) > 1)
    return str(e.ask("GET", f"/containers/{twice}/json")[0])


def shim(e):
    got = host(e, "Runtime", {**BODY, "HostConfig": {"Runtime": "a.b.c"}})
    return f"refused ({got})" if isinstance(got, int) else "stored"


def builder(e):
    with e.d.connect() as s:
        s.sendall(b"HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n")
        head = s.recv(4096).decode().lower()
    return "BuildKit" if "builder-version: 2" in head else "classic"


def masked(e):
    got = host(e, "MaskedPaths", BODY)
    return f"{len(got)} paths"


def fragment(e):
    e.ask("POST", "/v1.41/swarm/unlock?#%zz", {"UnlockKey": "x"})
    return "hidden from the plugin" if e.shown() is None else "shown"


def form(e):
    made = e.create(BODY)
    status, _ = e.ask("POST", f"/containers/{made['Id']}/rename?name=good",
                      b"name=evil" + str(e.n).encode(),
                      "application/x-www-form-urlencoded")
    got = e.ask("GET", f"/containers/{made['Id']}/json")[1]["Name"]
    return "beats the query" if got.startswith("/evil") else "is ignored"


# what, the question, what Portreeve does about it
ROWS = [
    ("newest API version", newest, "6.2: versions newer than the catalogue "
     "are judged, new routes and fields denied"),
    ("oldest API version", min_version, "6.2: below 1.24 is denied"),
    ("a request of API 1.23", old_version, "6.2"),
    ("HostConfig in the body of start, API 1.23", start_body,
     "6.1: start takes no body; below 1.24 is denied"),
    ("HostConfig fields beside HostConfig", top_level,
     "5.3: `ambiguous-request`"),
    ("keys in other letters (`hostCONFIG`)", folded,
     "read as the daemon folds them"),
    ("CapAdd as one string", one_string, "read as a list of one"),
    ("something behind the JSON body", trailing, "`ambiguous-request`"),
    ("a swarm body as text/plain", swarm_unlock, "`body-not-visible`"),
    ("a bad escape behind `?#`", fragment, "`ambiguous-request`"),
    ("a form in the body of rename", form, "6.1: forms are refused"),
    ("the body of /auth", auth_body, "6.1: withheld, nothing in it is "
     "judged"),
    ("a JSON body of more than 1 MiB", big_body, "`body-not-visible`"),
    ("POST /debug/vars", debug, "its own action, nobody's but admin's"),
    ("two networks of one name (API 1.41)", twin_networks,
     "names are resolved; ambiguous is denied"),
    ("two EndpointsConfig at create", two_endpoints,
     "each is judged like NetworkMode"),
    ("HostConfig.Annotations", annotations, "kernel.annotations, always"),
    ("a mount of type image", image_mount, "mounts.images, always"),
    ("a runtime `a.b.c` that nobody has", shim, "kernel.runtimes, always"),
    ("paths masked by default", masked, "what 20.10 masks must be masked"),
    ("an ambiguous prefix of ids", ambiguous_prefix, "6.3: prefixes under "
     "12 digits are denied"),
    ("Host in the calls of plugins", plugin_host, "not looked at"),
    ("builder that _ping names", builder, "BuildKit needs build.opaque"),
]


def table(answers):
    lines = ["| what | " + " | ".join(ENGINES) + " | Portreeve |",
             "| --- | " + " | ".join("---" for _ in ENGINES) + " | --- |"]
    for what, ask, does in ROWS:
        lines.append(f"| {what} | " + " | ".join(
            str(answers[v][ask.__name__]) for v in ENGINES) + f" | {does} |")
    return "\n".join(lines) + "\n"


def main():
    answers = {}
    with Room("engines") as room:
        for version in ENGINES:
            e = Engine(room, version)
            answers[version] = {}
            for _, ask, _ in ROWS:
                answers[version][ask.__name__] = ask(e)
            e.d.stop()
    with open(DOC, encoding="utf-8") as f:
        text = f.read()
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    if "--write" in sys.argv:
        with open(DOC, "w", encoding="utf-8") as f:
            f.write(before + BEGIN + table(answers) + END + after)
        return 0
    r = Report(verbose=False)
    rows, now = old.splitlines(), table(answers).splitlines()
    r.equal(len(rows), len(now), "a row for each question")
    for was, is_ in zip(rows, now):
        r.equal(is_, was, "docs/engines.md: " + was[:60])
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
