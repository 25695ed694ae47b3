#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""What we take a target for is what the real daemon's router made of it.

A real dockerd, an authorization plugin of the test that allows everything and
remembers, and a world in which each operation answers in words of its own
(REFERENCES).  Every reference is sent in dozens of spellings, byte for byte,
and each spelling is classified by us:

    an operation        the daemon's handler answered as that operation does,
                        and our canonical form gets the same answer
    unknown-operation   the daemon ran no handler: it asked no plugin
    refused otherwise   whatever the daemon did, it was not let through
"""
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingUnixStreamServer

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import BUILD, Api, Dockerd, Report, Room  # noqa: E402
from harness.wire import send_raw  # noqa: E402

# operation, method, path, query, body (an object: JSON), who is named.
# `idle` was created, `busy` runs, `ghost` is nobody.
REFERENCES = [
    ("SYSTEM_PING", "GET", "/_ping"),
    ("SYSTEM_PING_HEAD", "HEAD", "/_ping"),
    ("SYSTEM_VERSION", "GET", "/version"),
    ("SYSTEM_INFO", "GET", "/info"),
    ("SYSTEM_DF", "GET", "/system/df"),
    ("SYSTEM_EVENTS", "GET", "/events", "since=1&until=2"),
    ("SYSTEM_OPTIONS", "OPTIONS", "/containers/json"),
    ("CONTAINER_LIST", "GET", "/containers/json", "all=1"),
    ("CONTAINER_INSPECT", "GET", "/containers/idle/json"),
    ("CONTAINER_CHANGES", "GET", "/containers/idle/changes"),
    ("CONTAINER_TOP", "GET", "/containers/idle/top"),
    ("CONTAINER_LOGS", "GET", "/containers/idle/logs"),
    ("CONTAINER_STATS", "GET", "/containers/ghost1/stats"),
    ("CONTAINER_EXPORT", "GET", "/containers/ghost2/export"),
    ("CONTAINER_ATTACH_WS", "GET", "/containers/idle/attach/ws"),
    ("CONTAINER_ARCHIVE_READ", "GET", "/containers/idle/archive"),
    ("CONTAINER_ARCHIVE_STAT", "HEAD", "/containers/idle/archive"),
    ("CONTAINER_ARCHIVE_WRITE", "PUT", "/containers/idle/archive"),
    ("CONTAINER_CREATE", "POST", "/containers/create", "name=x", {}),
    ("CONTAINER_KILL", "POST", "/containers/idle/kill", "signal=BOGUS"),
    ("CONTAINER_PAUSE", "POST", "/containers/idle/pause"),
    ("CONTAINER_UNPAUSE", "POST", "/containers/busy/unpause"),
    ("CONTAINER_RESTART", "POST", "/containers/ghost/restart"),
    ("CONTAINER_START", "POST", "/containers/busy/start"),
    ("CONTAINER_STOP", "POST", "/containers/idle/stop", "t=w"),
    ("CONTAINER_WAIT", "POST", "/containers/idle/wait"),
    ("CONTAINER_RESIZE", "POST", "/containers/idle/resize", "h=1&w=z"),
    ("CONTAINER_ATTACH", "POST", "/containers/idle/attach", "logs=1"),
    ("CONTAINER_EXEC", "POST", "/containers/busy/exec", "", {}),
    ("CONTAINER_RENAME", "POST", "/containers/idle/rename"),
    ("CONTAINER_UPDATE", "POST", "/containers/idle/update", "", {}),
    ("CONTAINER_PRUNE", "POST", "/containers/prune", "filters=x"),
    ("CONTAINER_REMOVE", "DELETE", "/containers/busy"),
    ("CONTAINER_EXEC_INSPECT", "GET", "/exec/ghost/json"),
    ("CONTAINER_EXEC_START", "POST", "/exec/ghost/start", "", {}),
    ("CONTAINER_EXEC_RESIZE", "POST", "/exec/ghost/resize", "h=1&w=y"),
    ("CONTAINER_COMMIT", "POST", "/commit", "container=ghost3", {}),
    ("CONTAINER_CHECKPOINT_LIST", "GET", "/containers/idle/checkpoints"),
    ("CONTAINER_CHECKPOINT_REMOVE", "DELETE",
     "/containers/idle/checkpoints/ghost"),
    ("IMAGE_LIST", "GET", "/images/json"),
    ("IMAGE_INSPECT", "GET", "/images/lib/box:1/json"),
    ("IMAGE_HISTORY", "GET", "/images/lib/box:1/history"),
    ("IMAGE_SAVE", "GET", "/images/lib/ghost/get"),
    ("IMAGE_SAVE_MANY", "GET", "/images/get", "names=ghost4"),
    ("IMAGE_PULL", "POST", "/images/create", "fromImage=UPPER"),
    ("IMAGE_IMPORT", "POST", "/images/create", "fromSrc=%25&repo=x"),
    ("IMAGE_TAG", "POST", "/images/lib/box:1/tag", "repo=a/UPPER"),
    ("IMAGE_PUSH", "POST", "/images/lib/ghost/push"),
    ("IMAGE_PRUNE", "POST", "/images/prune", "filters=%7B%22y%22%3A%5B%22%22%5D%7D"),
    ("IMAGE_REMOVE", "DELETE", "/images/lib/ghost"),
    ("DISTRIBUTION_INSPECT", "GET", "/distribution/a/UPPER/json"),
    ("VOLUME_LIST", "GET", "/volumes"),
    ("VOLUME_INSPECT", "GET", "/volumes/vol"),
    ("VOLUME_CREATE", "POST", "/volumes/create", "", {"Name": "/no"}),
    ("VOLUME_PRUNE", "POST", "/volumes/prune", "filters=%7B%22v%22%3A%5B%22%22%5D%7D"),
    ("VOLUME_REMOVE", "DELETE", "/volumes/ghost"),
    ("NETWORK_LIST", "GET", "/networks"),
    ("NETWORK_INSPECT", "GET", "/networks/net"),
    ("NETWORK_CREATE", "POST", "/networks/create", "", {"Name": "net",
                                                        "CheckDuplicate": True}),
    ("NETWORK_CONNECT", "POST", "/networks/net/connect", "",
     {"Container": "phantom"}),
    ("NETWORK_DISCONNECT", "POST", "/networks/net/disconnect", "",
     {"Container": "idle"}),
    ("NETWORK_REMOVE", "DELETE", "/networks/bridge"),
    ("BUILD_CANCEL", "POST", "/build/cancel"),
    ("BUILD_SESSION", "POST", "/session"),
    ("SWARM_INSPECT", "GET", "/swarm"),
    ("SWARM_UNLOCK_KEY", "GET", "/swarm/unlockkey"),
    ("SWARM_INIT", "POST", "/swarm/init", "", {"ListenAddr": "ghost:x"}),
    ("SERVICE_LIST", "GET", "/services"),
    ("SERVICE_INSPECT", "GET", "/services/ghost"),
    ("SERVICE_UPDATE", "POST", "/services/ghost/update", "version=q", {}),
    ("NODE_LIST", "GET", "/nodes"),
    ("NODE_INSPECT", "GET", "/nodes/ghost"),
    ("NODE_UPDATE", "POST", "/nodes/ghost/update", "version=r", {}),
    ("TASK_INSPECT", "GET", "/tasks/ghost"),
    ("SECRET_INSPECT", "GET", "/secrets/ghost"),
    ("SECRET_REMOVE", "DELETE", "/secrets/spirit"),
    ("CONFIG_INSPECT", "GET", "/configs/ghost"),
    ("CONFIG_REMOVE", "DELETE", "/configs/spirit"),
    ("PLUGIN_LIST", "GET", "/plugins"),
    ("PLUGIN_INSPECT", "GET", "/plugins/a/ghost/json"),
    ("PLUGIN_PRIVILEGES", "GET", "/plugins/privileges", "remote=UPPER"),
    ("PLUGIN_ENABLE", "POST", "/plugins/a/ghost/enable", "timeout=k"),
    ("PLUGIN_DISABLE", "POST", "/plugins/a/spirit/disable"),
    ("DEBUG_VARS", "GET", "/debug/vars"),
    ("DEBUG_PPROF", "GET", "/debug/pprof/"),
    ("DEBUG_PPROF_CMDLINE", "GET", "/debug/pprof/cmdline"),
]


class Recorder(BaseHTTPRequestHandler):
    """An authorization plugin that allows and remembers."""
    protocol_version = "HTTP/1.1"
    uris = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = {"Implements": ["authz"]}
        if self.path != "/Plugin.Activate":
            answer = {"Allow": True}
            if self.path.endswith("AuthZReq"):
                call = json.loads(body)
                Recorder.uris.append((call["RequestMethod"],
                                      call["RequestUri"]))
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def address_string(self):
        return "unix"

    def log_message(self, *args):
        pass


class Call:
    def __init__(self, op, method, path, query="", body=None):
        self.op = op
        self.method = method
        self.path = path
        self.query = query
        self.body = None if body is None else json.dumps(body).encode()

    def target(self, path=None, version="/v1.41"):
        path = self.path if path is None else path
        return version + path + ("?" + self.query if self.query else "")


def shape(method, answer):
    """What an answer says about who gave it, without what changes."""
    j = answer.json
    if answer.headers.get("content-type") == "application/octet-stream":
        said = "bytes"
    elif isinstance(j, dict) and set(j) == {"message"}:
        said = re.sub(r"[0-9a-f]{64}", "ID", j["message"])
    elif isinstance(j, dict):
        said = sorted(j)
    elif isinstance(j, list):
        said = [sorted(j[0]) if j and isinstance(j[0], dict) else "list"]
    else:
        said = re.sub(rb"[0-9a-f]{12,64}|\d+", b"#", answer.body[:40])
    return (method, answer.status, answer.headers.get("content-type", ""), repr(said))


class World:
    def __init__(self, room):
        self.d = Dockerd(room, plugins=["recorder"])
        server = ThreadingUnixStreamServer(self.d.plugin_socket("recorder"),
                                           Recorder)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        room.push(server.server_close)
        room.push(server.shutdown)
        self.d.start()
        api = Api(self.d.connect)
        self.d.import_image(api, "lib/box", "1")
        for name, cmd in (("idle", "true"), ("busy", "sleep 600")):
            api.must("POST", f"/containers/create?name={name}",
                     {"Image": "lib/box:1", "Cmd": cmd.split()})
        api.must("POST", "/containers/busy/start")
        api.must("POST", "/networks/create", {"Name": "net"})
        api.must("POST", "/volumes/create", {"Name": "vol"})
        api.must("POST", "/swarm/init", {"ListenAddr": "127.0.0.1:2377",
                                         "AdvertiseAddr": "127.0.0.1"})
        api.must("POST", "/services/create", {
            "Name": "svc", "Mode": {"Replicated": {"Replicas": 0}},
            "TaskTemplate": {"ContainerSpec": {"Image": "lib/box:1"}}})
        self.classifier = subprocess.Popen(
            [os.path.join(BUILD, "tools", "classify")], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        room.push(self.end)

    def end(self):
        self.classifier.stdin.close()
        self.classifier.wait()

    def send(self, method, target, body):
        """The daemon's answer and whether it asked the plugin."""
        head = f"{method} {target} HTTP/1.1\r\nHost: docker\r\n".encode(
            "latin1")
        if body is not None:
            head += b"Content-Type: application/json\r\n"
        if body is not None or method in ("POST", "PUT"):
            head += f"Content-Length: {len(body or b'')}\r\n".encode()
        head += b"Connection: close\r\n\r\n"
        Recorder.uris.clear()
        answer = send_raw(self.d.connect(), head + (body or b""), method, 0.3)
        return shape(method, answer), bool(Recorder.uris)

    def classify(self, method, target, body):
        fields = [method, target]
        if body is not None:
            fields += ["Content-Type:application/json", "=" + body.hex()]
        if body is not None or method in ("POST", "PUT"):
            fields.append(f"Content-Length:{len(body or b'')}")
        self.classifier.stdin.write("\t".join(fields) + "\n")
        self.classifier.stdin.flush()
        return self.classifier.stdout.readline().rstrip("\n").split("\t")


def escape(text, which=lambda c: True, upper=False):
    form = "%%%02X" if upper else "%%%02x"
    return "".join(form % ord(c) if which(c) else c for c in text)


def good_spellings(c):
    """Other ways to write it that mean the same."""
    p, q = c.path, "?" + c.query if c.query else ""
    yield p + q
    yield "/v1.41" + p + q
    if p.startswith("/debug"):
        return  # without a version on this engine
    yield "/v1.41/" + escape(p[1:]) + q
    yield "/v1.41/" + escape(p[1:], upper=True) + q
    yield "/" + escape("v1.41" + p) + q
    yield "/%76%31.41" + p + q
    yield "/v1.41/" + escape(p[1:2]) + p[2:] + q
    yield "/v1.41" + p[:-1] + escape(p[-1]) + q
    yield "/v1.41/" + escape(p[1:], lambda x: x == "/") + q
    yield "/v1.41/" + escape(p[1:], str.isalnum, True) + q
    yield "/v1.41/" + escape(p[1:], lambda x: x in ":_.") + q
    yield "/v1.41" + p + (q + "&zz=1" if q else "?zz=1")
    yield "/v1.41" + p + (q if q else "?")
    yield "/v1.41" + p + "?&&" + q[1:] + "&"
    yield "/v1.41" + p + ("?" + escape(q[1], upper=True) + q[2:] if q else "")
    for v in ("1.40", "1.30", "1.25", "1.24"):
        yield f"/v{v}" + p + q


def odd_spellings(c):
    """What is near it: routed elsewhere, redirected, or refused."""
    p, q = c.path, "?" + c.query if c.query else ""
    for v in ("1.041", "01.41", "1.41.0", "1.41.", "1..41", "1", ".", "1.23",
              "1.11", "1.99", "2.0", "1.18446744073709551657", "41"):
        yield f"/v{v}" + p + q
    yield "/V1.41" + p + q
    yield "/v1.41/v1.41" + p + q
    yield "/v1.41x" + p + q
    for prefix in ("/", "//", "/./", "/../", "/x/../", "/v1.41/../", "/%2e/",
                   "/%2e%2e/", "/%2f", "/x/%2e%2e/", "/_ping/../", "/%00"):
        yield prefix + p[1:] + q
        yield prefix + p + q
    for suffix in ("/", "//", "/.", "/..", "%2f", "%20", "%00", "%0a", "%09",
                   "x", "#x", "%23", ";x", "%3b", "+", "\\", "%5c", ".", "*",
                   "%c3%b6", "%ff", "%e2%84%aa", "/json", "/create", "%zz",
                   "%", "%2"):
        yield "/v1.41" + p + suffix + q
    yield "/v1.41" + p.replace("/", "//", 1) + q
    yield "/v1.41" + p.replace("/", "/./", 1) + q
    yield "/v1.41" + p.replace("/", "\\") + q
    yield "/v1.41" + p.upper() + q
    yield "/v1.41" + p.swapcase() + q
    yield "/v1.41" + p[:-1] + q
    yield "/v1.41" + escape(escape(p, str.isalpha), lambda x: x == "%") + q
    yield "v1.41" + p + q
    yield "*"
    yield "http://docker/v1.41" + p + q
    yield "http:/v1.41" + p + q
    yield "x://containers/json/v1.41" + p + q
    for query in (";", "a;b", "%zz", "a=%zz", "#", "#%zz", "a=1&a=2", "%00=1",
                  "a=%00", "=x"):
        yield "/v1.41" + p + (q + "&" if q else "?") + query


# method and target: where one route ends and another begins
CORNERS = [
    ("GET", "/containers/json/json"), ("GET", "/containers/idle/json/json"),
    ("GET", "/containers/idle"), ("GET", "/containers/"),
    ("GET", "/containers"), ("GET", "/containers/json/"),
    ("POST", "/containers/create/start"), ("DELETE", "/containers/"),
    ("DELETE", "/containers/idle/"), ("DELETE", "/containers/ghost/json"),
    ("DELETE", "/containers/idle/checkpoints"),
    ("DELETE", "/containers/idle/checkpoints/"),
    ("DELETE", "/containers/idle/checkpoints/a/b"),
    ("DELETE", "/containers/a/b/checkpoints/c"),
    ("GET", "/containers/idle/checkpoints/ghost"),
    ("GET", "/containers/idle/al/json"), ("GET", "/containers/%2Fidle/json"),
    ("GET", "/containers/idle%2Fal/json"), ("GET", "/images"),
    ("GET", "/images/json/json"), ("GET", "/images/get/json"),
    ("GET", "/images/lib/box:1/json/json"), ("DELETE", "/images/"),
    ("GET", "/images//json"), ("GET", "/images/lib/box:1"),
    ("POST", "/images/json"), ("GET", "/networks/"), ("GET", "/networks/net/"),
    ("GET", "/networks/create"), ("GET", "/networks/a/b"),
    ("DELETE", "/networks/"), ("GET", "/networks/prune"), ("GET", "/volumes/"),
    ("GET", "/volumes/create"), ("GET", "/volumes/a/b"), ("PUT", "/volumes/v"),
    ("GET", "/services/"), ("GET", "/services/create"),
    ("GET", "/services/a/b"), ("GET", "/services/svc/logs/x"),
    ("GET", "/nodes/a/b"), ("GET", "/swarm/"), ("GET", "/plugins/"),
    ("GET", "/plugins/json"), ("GET", "/plugins/a/b/json"),
    ("GET", "/exec/json"), ("GET", "/exec//json"), ("GET", "/exec/a/b/json"),
    ("GET", "/distribution/json"), ("GET", "/_ping/"), ("POST", "/_ping"),
    ("GET", "/"), ("OPTIONS", "/"), ("OPTIONS", "/x/y"), ("OPTIONS", "*"),
    ("HEAD", "/info"), ("HEAD", "/containers/json"), ("HEAD", "/version"),
    ("HEAD", "/containers/ghost/export"), ("PATCH", "/containers/json"),
    ("get", "/_ping"), ("Get", "/containers/json"), ("PUT", "/_ping"),
    ("TRACE", "/_ping"), ("FOO", "/_ping"), ("GET", "/grpc"),
    ("GET", "/session"), ("GET", "/build"), ("BREW", "/debug/vars"),
    ("GET", "/debug"), ("GET", "/debug/"), ("GET", "/debug/pprof"),
    ("GET", "/debug/pprof/a/b"), ("GET", "/debug/pprof/block"),
]


# one handler behind two routes
TWINS = {"NETWORK_LIST_SLASH": "NETWORK_LIST"}


class Judge:
    def __init__(self, r, w, want):
        self.r = r
        self.w = w
        self.want = want    # operation -> shape at v1.41
        self.counts = {}
        self.let = 0        # refused by us, run by the daemon

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def judge(self, method, target, body, op=None):
        """One spelling; op: what it must be, if that is known."""
        ours = self.w.classify(method, target, body)
        got, asked = self.w.send(method, target, body)
        line = f"{method} {target}"
        if ours[0] == "!unknown-operation":
            self.count("unknown")
            self.r.check(not asked or "/debug" in target,
                         f"{line}: no handler of the daemon", str(got))
        elif ours[0].startswith("!"):
            self.count("refused")
            self.let += asked
            self.r.check(op is None, f"{line}: means {op}", ours[-1])
        else:
            self.count("operation")
            self.operation(line, ours, got, asked, op, body)

    def operation(self, line, ours, got, asked, op, body):
        method = line.split(" ")[0]
        again, _ = self.w.send(method, ours[4], body)
        # engines from 28 on have /debug under a version too; this one not
        newer = "/v" in ours[4][:2] and ours[0].startswith("DEBUG_")
        self.r.check(asked != newer, f"{line}: a handler ran", str(got))
        self.r.equal(again, got, f"{line}: the canonical {ours[4]} agrees")
        if op is not None:
            self.r.equal(ours[0], op, f"{line}: what it means")
        if ours[4].startswith("/v1.41/") and got in self.want.values():
            self.r.equal([o for o, s in self.want.items() if s == got],
                         [TWINS.get(ours[0], ours[0])], f"{line}: what answered")


def learn(r, w, calls):
    """The answer of each operation, which must be nobody else's."""
    want = {}
    for c in calls:
        version = "" if c.path.startswith("/debug") else "/v1.41"
        got, asked = w.send(c.method, c.target(version=version), c.body)
        r.check(asked and got[1] != 0, f"{c.op} answers", str(got))
        r.check(got not in want.values(), f"{c.op} answers in its own words",
                str([o for o, s in want.items() if s == got]) + str(got))
        want[c.op] = got
    return want


def main():
    r = Report(verbose=False)
    calls = [Call(*ref) for ref in REFERENCES]
    with Room("targets") as room:
        w = World(room)
        want = learn(r, w, calls)
        j = Judge(r, w, want)
        for c in calls:
            for target in good_spellings(c):
                j.judge(c.method, target, c.body, c.op)
            for target in odd_spellings(c):
                j.judge(c.method, target, c.body)
        for method, path in CORNERS:
            for version in ("", "/v1.41"):
                j.judge(method, path if path == "*" else version + path, None)
        r.equal(learn(r, w, calls), want, "the world is as it was")
    for what in ("operation", "unknown", "refused"):
        n = j.counts.get(what, 0)
        print(f"{n} spellings: {what}")
        r.check(n > 100, f"there are spellings of this kind: {what}")
    print(f"{j.let} of the refused would have run")
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
