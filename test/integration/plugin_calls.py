#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""portreeve-plugin on its socket: what dockerd sends, what nobody should, and
what happens around it: reloads, ends, sockets, a full disk, no daemon."""
import base64
import glob
import json
import os
import re
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import HarnessError, Plugin, Report, Room  # noqa: E402
from harness.room import die_with_parent, end_process, wait_until  # noqa: E402
from harness.wire import Reader, connect_unix, read_answer, \
    request  # noqa: E402

POLICY = """\
version: 1
teams:
  console: {anonymous: true}
hosts: {"*": [dev]}
phases: {dev: {audit: metadata}}
roles:
  all: {allow: {"*": ["*"]}}
profiles:
  any: {images: {allow: ["**"]}}
grants:
  - {id: all, team: console, role: all, phases: ["*"], owner: any, profile: unrestricted}
"""
GUARD = """\
guards:
  - {id: policy-b, deny: {container: [list]}}
"""
BROKEN = POLICY.replace("role: all", "role: al")
LIST = {"RequestMethod": "GET", "RequestUri": "/v1.41/containers/json"}
PING = {"RequestMethod": "GET", "RequestUri": "/_ping"}
INSPECT = {"RequestMethod": "GET",
           "RequestUri": "/v1.41/containers/abc/json"}
STOP = {"RequestMethod": "POST", "RequestUri": "/v1.41/containers/abc/stop",
        "RequestHeaders": {"Content-Length": "0"}}
ALLOW = b'{"Allow":true}'
DENY = re.compile(rb'\{"Allow":false,"Msg":"([^"\\\x00-\x1f]|\\["\\u/a-z0-9])*"\}')
TYPE = "application/vnd.docker.plugins.v1.2+json"
REQ = "/AuthZPlugin.AuthZReq"


def http(body, path=REQ, head=""):
    return (f"POST {path} HTTP/1.1\r\nHost: \r\nUser-Agent: "
            f"Go-http-client/1.1\r\nContent-Length: {len(body)}\r\n"
            f"Accept: {TYPE}\r\n{head}\r\n").encode() + body


def message(m):
    return m if isinstance(m, bytes) else json.dumps(m).encode()


class Dialogue:
    """A keep-alive connection."""

    def __init__(self, path, timeout=60.0):
        self.sock = connect_unix(path, timeout)
        self.reader = Reader(self.sock)

    def send(self, m, path=REQ):
        self.sock.sendall(http(message(m), path))

    def answer(self):
        """(status, headers, body); ConnectionError: it broke off."""
        r = self.reader
        status = int(r.line().split(b" ")[1])
        headers = {}
        line = r.line()
        while line:
            k, _, v = line.partition(b": ")
            headers[k.decode().lower()] = v.decode()
            line = r.line()
        return status, headers, r.exactly(int(headers["content-length"]))

    def call(self, m, path=REQ):
        self.send(m, path)
        return self.answer()[2]

    def close(self):
        self.sock.close()


def denied(body, reason=None):
    """A denial in its constant shape; with these words in it."""
    return DENY.fullmatch(body) is not None and \
        (reason is None or reason in json.loads(body)["Msg"])


def records(p):
    out = []
    for path in sorted(glob.glob(p.audit + "/*.jsonl")):
        with open(path, encoding="utf-8") as f:
            out += [json.loads(x) for x in f if x.endswith("\n")]
    return out


class Scene:
    """A plugin with a policy that allows all, in a room of its own."""
    n = 0
    logs = []

    def __init__(self, room, policy=POLICY, docker=None, change=None, **more):
        Scene.n += 1
        self.name = f"s{Scene.n}"
        self.room = room
        self.sock = os.path.join(room.mkdir(self.name + ".d"), "p.sock")
        self.p = Plugin(room, self.sock, docker or room("no-docker.sock"),
                        policy, host="host-1", name=self.name, alone=True,
                        **more)
        Scene.logs.append(self.p.log)
        if change is not None:
            with open(self.p.config_file, encoding="utf-8") as f:
                text = f.read()
            with open(self.p.config_file, "w", encoding="utf-8") as f:
                f.write(change(text))

    def __enter__(self):
        self.p.start()
        return self

    def __exit__(self, *exc):
        self.p.stop()

    def call(self, m, path=REQ):
        return request(self.sock, "POST", path, message(m),
                       {"Content-Type": ""}).body

    def log(self):
        with open(self.p.log, encoding="utf-8", errors="replace") as f:
            return f.read()


# --- the protocol -----------------------------------------------------------

def endpoints(r, s):
    a = request(s.sock, "POST", "/Plugin.Activate", b"")
    r.equal((a.status, a.json), (200, {"Implements": ["authz"]}),
            "Plugin.Activate says authz")
    for method, path in (("GET", "/Plugin.Activate"), ("GET", REQ),
                         ("POST", "/"), ("POST", "/authzplugin.authzreq"),
                         ("POST", REQ + "/"), ("PUT", REQ),
                         ("POST", "/VolumeDriver.List")):
        r.equal(request(s.sock, method, path, b"").status, 404,
                f"{method} {path} is not there")
    d = Dialogue(s.sock)
    d.send(LIST)
    status, headers, body = d.answer()
    r.equal((status, headers["content-type"], body), (200, TYPE, ALLOW),
            "an allow is its constant shape")
    d.send(b"{}")
    status, headers, body = d.answer()
    r.check(status == 200 and headers["content-type"] == TYPE
            and denied(body, "RequestMethod is missing"),
            "a denial is its constant shape, status 200", body)
    r.equal(d.call(dict(LIST, ResponseStatusCode=200),
                   "/AuthZPlugin.AuthZRes"), ALLOW, "AuthZRes passes")
    d.close()


BAD = [
    ("empty", b"", "came empty"),
    ("one byte", b"{", "not readable"),
    ("cut off", message(LIST)[:-5], "not readable"),
    ("garbage", bytes(range(256)) * 8, "not readable"),
    ("an array", b"[]", "not an object"),
    ("null", b"null", "not an object"),
    ("two values", b"{}{}", "not readable"),
    ("a byte order mark", b"\xef\xbb\xbf" + message(LIST), "not readable"),
    ("no method", b'{"RequestUri":"/_ping"}', "RequestMethod is missing"),
    ("no target", b'{"RequestMethod":"GET"}', "RequestUri is missing"),
    ("a method twice", b'{"RequestMethod":"GET","RequestMethod":"GET",'
     b'"RequestUri":"/_ping"}', "not readable"),
    ("another spelling", b'{"requestmethod":"GET","RequestUri":"/_ping"}',
     "another way"),
    ("a number for a method", b'{"RequestMethod":1,"RequestUri":"/_ping"}',
     "not a string"),
    ("a body that is no base64", dict(LIST, RequestBody="%%%"), "base64"),
    ("headers as a list", dict(LIST, RequestHeaders=[]), "not an object"),
    ("a status in a request", dict(LIST, ResponseStatusCode=200),
     "in a request"),
    ("U+FFFD in the target", dict(LIST, RequestUri="/v1.41/info?\ufffd"), ""),
    ("raw bytes in the target", dict(LIST, RequestUri="/v1.41/inf\u00f6"), ""),
    ("a deep one", b'{"a":' * 100 + b"1" + b"}" * 100, "not readable"),
    ("another's look-up", dict(LIST, RequestHeaders={
        "X-Portreeve-Lookup": "5ec7e7" * 10 + "abcd"}), "not for clients"),
]


def bad_input(r, s):
    for name, m, words in BAD:
        body = s.call(m)
        r.check(denied(body, words), f"{name}: denied", body)
        if name != "a status in a request":
            body = s.call(m, "/AuthZPlugin.AuthZRes")
            r.check(denied(body, words), f"{name}, as a response: denied",
                    body)
    body = s.call(b" " * (17 << 20))
    r.check(denied(body, "longer than"), "17 MiB: denied", body)
    s.p.stop()
    text = json.dumps(records(s.p)) + s.log()
    r.check("5ec7e7" not in text, "the look-up's value is in no log")
    bad = [x for x in records(s.p) if x.get("reason") == "bad-call"]
    r.check(len(bad) >= 8, "bad calls are in the log", str(len(bad)))
    s.p.start()


def framing(r, s):
    """Bodies in pieces, chunked, slow, too short, after each other."""
    body = message(LIST)
    d = Dialogue(s.sock)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7])
                      for i in range(0, len(body), 7))
    d.sock.sendall(f"POST {REQ} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                   "chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n")
    r.equal(d.answer()[2], ALLOW, "a chunked call is read")
    for b in http(body):
        d.sock.send(bytes([b]))
    r.equal(d.answer()[2], ALLOW, "a call byte by byte is read")
    d.sock.sendall(f"POST {REQ} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                   "chunked\r\n\r\n".encode())
    piece = b"%x\r\n%s\r\n" % (1 << 20, b" " * (1 << 20))
    for _ in range(17):
        d.sock.sendall(piece)
    d.sock.sendall(b"0\r\n\r\n")
    r.check(denied(d.answer()[2], "longer than"),
            "17 MiB in chunks: denied, and nothing lost")
    r.equal(d.call(LIST), ALLOW, "the connection goes on")
    d.sock.sendall(http(message(LIST)) * 20 + http(b"{}") +
                   http(message(LIST)) * 20)
    got = [d.answer()[2] for _ in range(41)]
    r.check(got[:20] == got[21:] == [ALLOW] * 20 and denied(got[20]),
            "41 pipelined calls are answered in their order")
    r.check(all(d.call(LIST) == ALLOW for _ in range(200)),
            "200 calls on one connection")
    big = {"RequestMethod": "POST", "RequestUri": "/v1.41/build",
           "RequestHeaders": {"Content-Type": "application/x-tar"},
           "User": "x" * 2_000_000}
    r.check(denied(d.call(big)), "2 MB are read", "")
    d.close()
    for n in (0, 1, 10, len(body) - 1):
        c = connect_unix(s.sock)
        c.sendall(http(body)[:-len(body)] + body[:n])
        c.close()
    c = connect_unix(s.sock)
    c.sendall(b"POST /AuthZ")
    c.close()
    r.equal(s.call(LIST), ALLOW, "calls that are broken off hurt nobody")


def many(r, s):
    """300 connections at once, each with two calls."""
    all_ = [Dialogue(s.sock) for _ in range(300)]
    for _ in range(2):
        for i, d in enumerate(all_):
            d.send(LIST if i % 3 else b"{}")
        got = [d.answer()[2] for d in all_]
        r.check(all(g == ALLOW if i % 3 else denied(g)
                    for i, g in enumerate(got)),
                "300 connections are answered, each its own call")
    for d in all_:
        d.close()


# --- around it --------------------------------------------------------------

class Hanging:
    """A daemon that takes connections and never says a word."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(path)
        self.sock.listen(512)

    def close(self):
        self.sock.close()


def daemon_gone(r, s):
    body = s.call(STOP)
    r.check(denied(body, "cannot"), "without a daemon a stop is denied", body)
    r.equal(s.call(LIST), ALLOW, "what needs no look-up goes on")


def daemon_hangs(r, room):
    docker = room("hang.sock")
    h = Hanging(docker)
    with Scene(room, docker=docker, deadline="1s") as s:
        slow = [Dialogue(s.sock) for _ in range(100)]
        for d in slow:
            d.send(STOP)
        quick = Dialogue(s.sock)
        r.check(all(quick.call(PING) == ALLOW for _ in range(50)),
                "while 100 calls wait for the daemon others are answered")
        got = [d.answer()[2] for d in slow]
        r.check(all(denied(g) for g in got),
                "all that wait are denied by the deadline", str(set(got)))
        s.p.stop()
        why = {x["reason"] for x in records(s.p)
               if x.get("action") == "container.stop"}
        r.check(why and why <= {"cannot-tell", "deadline", "busy"},
                "with its reason in the log", str(why))
    h.close()


def load(sock, stop, out, lost):
    """Calls until `stop`; each answer goes to out, each loss to lost."""
    while not stop.is_set():
        try:
            d = Dialogue(sock)
        except OSError:
            return
        try:
            while not stop.is_set():
                try:
                    d.send(LIST)
                except (BrokenPipeError, ConnectionResetError):
                    break
                try:
                    status, headers, body = d.answer()
                except (ConnectionError, IndexError, ValueError) as e:
                    lost.append(repr(e))
                    return
                out.append(body)
                if headers.get("connection", "").lower() == "close":
                    break
        finally:
            d.close()


class Load:
    def __init__(self, sock, n=8):
        self.stop = threading.Event()
        self.out, self.lost = [], []
        self.threads = [threading.Thread(target=load, args=(
            sock, self.stop, self.out, self.lost)) for _ in range(n)]
        for t in self.threads:
            t.start()

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join()
        return self.out


def reloads(r, s):
    """A and B and a broken one, under load: every answer is A's or B's."""
    work = Load(s.sock)
    for i in range(6):
        s.p.reload((POLICY + GUARD) if i % 2 == 0 else POLICY, "in force")
        if i % 2 == 0:
            r.check(denied(s.call(LIST), "policy-b"),
                    "after the reload B is in force")
        else:
            r.equal(s.call(LIST), ALLOW, "after the reload A is in force")
        text = s.p.reload(BROKEN, "stays in force")
        r.check("policy.yaml:11" in text and "al" in text,
                "a broken policy is told with its place", text)
        r.check(denied(s.call(LIST), "policy-b") if i % 2 == 0
                else s.call(LIST) == ALLOW, "and changes nothing")
    got = work.end()
    r.check(got and all(g == ALLOW or denied(g, "policy-b") for g in got),
            "every answer under load is A's or B's", str(len(got)))
    r.check(not work.lost, "no call was lost", str(work.lost))
    r.check(ALLOW in got and any(g != ALLOW for g in got), "and both came")
    s.p.write_policy(POLICY)


def drain(r, room):
    for _ in range(3):
        with Scene(room) as s:
            work = Load(s.sock, 12)
            wait_until("load", lambda w=work: len(w.out) > 200, 30)
            status = s.p.stop()
            got = work.end()
            r.equal(status, 0, "SIGTERM under load: a clean end")
            r.check(all(g == ALLOW for g in got) and not work.lost,
                    "whoever could send was answered", str(work.lost))
            r.check(not os.path.exists(s.sock), "the socket is gone")


def drain_waits(r, room):
    """What waits for the daemon when the end comes is answered."""
    h = Hanging(room("hang2.sock"))
    with Scene(room, docker=room("hang2.sock"), deadline="1s") as s:
        all_ = [Dialogue(s.sock) for _ in range(20)]
        for d in all_:
            d.send(STOP)
        idle = Dialogue(s.sock)
        r.equal(idle.call(PING), ALLOW, "all have arrived")
        status = s.p.stop()
        r.check(status == 0 and all(denied(d.answer()[2]) for d in all_),
                "calls that wait are answered before the end")
        r.equal(idle.sock.recv(1), b"", "an idle connection is closed")
    h.close()


def run_plugin(s, *args, env=None, **more):
    return subprocess.run([s.p.program, *args], capture_output=True,
                          text=True, check=False, timeout=120,
                          env={**os.environ, **(env or {})}, **more)


def sockets(r, room):
    with Scene(room) as s:
        # another one with everything of its own but the socket
        other = Scene(room, change=lambda t: re.sub(
            r"plugin: {socket: [^,]*,", f"plugin: {{socket: {s.sock},", t))
        done = run_plugin(other, "--config", other.p.config_file)
        r.check(done.returncode == 1 and "in use" in done.stderr,
                "a socket in use: refuses to start", done.stderr)
        r.equal(s.call(LIST), ALLOW, "and whoever had it keeps it")
        r.equal(os.stat(s.sock).st_mode & 0o777, 0o600, "its mode is 0600")
        s.p.proc.kill()
        s.p.proc.wait()
        s.p.proc = None
        r.check(os.path.exists(s.sock), "killed, it leaves its socket")
        s.p.start()
        r.check(s.call(LIST) == ALLOW and "replaced" in s.log(),
                "which is replaced at the next start")
        os.unlink(s.sock)
        with open(s.sock, "w", encoding="ascii") as f:
            f.write("another's")
        r.equal(s.p.stop(), 0, "ends")
        r.check(os.path.isfile(s.sock), "what is not ours is not removed")
        done = run_plugin(s, "--config", s.p.config_file)
        r.check(done.returncode == 78 and "no socket" in done.stderr
                and os.path.isfile(s.sock), "a file there is not touched",
                done.stderr)
        os.unlink(s.sock)
    deep = Scene(room, change=lambda t: t.replace("p.sock", "a/b/p.sock"))
    deep.p.start(wait=False)
    deep.sock = deep.sock.replace("p.sock", "a/b/p.sock")
    wait_until("the socket", lambda: os.path.exists(deep.sock), 60,
               deep.p.proc, deep.p.log)
    r.equal(deep.call(LIST), ALLOW, "the socket's folder is made")
    deep.p.stop()


def peers(r, room):
    s = Scene(room, change=lambda t: t.replace(
        "plugin: {", "plugin: {peer_uids: [4242], "))
    s.p.start(wait=False)
    wait_until("socket", lambda: os.path.exists(s.sock), 60, s.p.proc)
    for _ in range(20):
        c = connect_unix(s.sock)
        try:
            c.sendall(http(message(LIST)))
        except OSError:
            pass
        r.check(read_answer(c, "POST").status == 0,
                "root is refused where it is not named")
        c.close()
    s.p.stop()
    r.equal(s.log().count("refused a connection of uid 0"), 1,
            "which is logged, once in a while")


def inherited(r, room):
    s = Scene(room)
    lst = socket.socket(socket.AF_UNIX)
    lst.bind(s.sock)
    lst.listen(64)
    early = Dialogue(s.sock)
    early.send(LIST)
    for how in ("LISTEN_FDS", "--socket-fd"):
        def fd3():
            die_with_parent()
            os.dup2(lst.fileno(), 3)
        argv = ["sh", "-c", 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"',
                "sh", s.p.program, "--config", s.p.config_file]
        if how == "--socket-fd":
            argv = argv[4:] + ["--socket-fd", "3"]
        with open(s.p.log, "ab") as log:
            proc = subprocess.Popen(argv, stdout=log, stderr=log,
                                    pass_fds=(3,), preexec_fn=fd3,
                                    stdin=subprocess.DEVNULL)
        room.push(lambda x=proc: end_process(x))
        r.equal(early.answer()[2], ALLOW,
                f"{how}: a call that waited in the backlog is answered")
        late = Dialogue(s.sock)
        r.equal(late.call(LIST), ALLOW, f"{how}: and later ones")
        r.equal(end_process(proc), 0, f"{how}: ends")
        r.check(os.path.exists(s.sock), f"{how}: the socket stays")
        early = Dialogue(s.sock)
        early.send(LIST)
    lst.close()
    done = run_plugin(s, "--config", s.p.config_file, "--socket-fd", "0")
    r.equal(done.returncode, 64, "--socket-fd 0 is no descriptor")


def mount(room, folder, options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder],
                   check=True)
    room.push(lambda: subprocess.run(["umount", "-l", folder], check=False))


def remount(folder, how):
    subprocess.run(["mount", "-o", "remount," + how, folder], check=True)


def recovers(s):
    wait_until("the log", lambda: s.call(LIST) == ALLOW, 60, s.p.proc, s.p.log)
    return True


def disk(r, room):
    for sync in ("group", "none"):
        s = Scene(room, sync=sync)
        mount(room, s.p.audit, "size=512k,mode=700")
        with s:
            r.equal(s.call(LIST), ALLOW, f"{sync}: there is a log")
            filler = os.path.join(s.p.audit, "filler")
            with open(filler, "wb", buffering=0) as f:
                try:
                    while True:
                        f.write(b"x" * 4096)
                except OSError:
                    pass
            got = [s.call(LIST) for _ in range(50)]
            bad = [g for g in got if g != ALLOW]
            r.check(bad and all(denied(g, "audit-unavailable") for g in bad)
                    and got[-1] != ALLOW, f"{sync}: a full log denies",
                    str(got[-1]))
            os.unlink(filler)
            r.check(recovers(s), f"{sync}: and recovers alone")
        s = Scene(room, sync=sync)
        mount(room, s.p.audit, "size=4m,mode=700,ro")
        with s:
            body = s.call(LIST)
            r.check(denied(body, "audit-unavailable"),
                    f"{sync}: a read-only log denies", body)
            r.check(denied(s.call(b"{}"), "RequestMethod"),
                    f"{sync}: a denial needs no log")
            a = request(s.p.admin, "GET", "/readyz?verbose")
            r.check(a.status == 503 and b"not ok  audit" in a.body,
                    f"{sync}: it is not ready", str(a.body))
            remount(s.p.audit, "rw")
            r.check(recovers(s), f"{sync}: and recovers alone")


def admin(r, s):
    a = request(s.p.admin, "GET", "/healthz")
    r.equal((a.status, a.body), (200, b"ok\n"), "/healthz")
    a = request(s.p.admin, "GET", "/readyz")
    r.check(a.status == 503 and b"not ok  daemon" in a.body,
            "/readyz without a daemon: not ready, and why", str(a.body))
    r.equal(request(s.p.admin, "GET", "/reload").status, 405, "GET /reload")
    r.equal(request(s.p.admin, "GET", "/nothing").status, 404, "GET /nothing")
    r.equal(os.stat(s.p.admin).st_mode & 0o777, 0o600, "its mode is 0600")
    s.call(LIST)
    done = s.p.command("status", "--config", s.p.config_file, "-o", "json")
    j = json.loads(done.stdout)
    r.check(done.returncode == 0 and j["calls"]["requests"] >= 1
            and len(j["policy"]) == 64 and j["door"] == "plugin",
            "portreeve status -o json", done.stdout)
    done = s.p.command("status", "--socket", s.p.admin)
    r.check("calls.requests" in done.stdout, "portreeve status as a table")
    done = s.p.command("reload", "--config", s.p.config_file)
    r.check(done.returncode == 0 and "in force" in done.stdout,
            "portreeve reload", done.stderr)
    s.p.write_policy(BROKEN)
    done = s.p.command("reload", "--socket", s.p.admin)
    r.check(done.returncode == 78 and "policy.yaml:11" in done.stderr,
            "portreeve reload of a broken policy: 78 and the place",
            done.stderr)
    s.p.write_policy(POLICY)
    done = s.p.command("status", "--socket", s.room("nobody.sock"))
    r.equal(done.returncode, 69, "portreeve status without a daemon: 69")
    done = s.p.command("status", "--config", s.room("nothing.yaml"))
    r.equal(done.returncode, 78, "portreeve status without configuration: 78")


def notifies(r, room):
    path = room("notify.sock")
    n = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    n.bind(path)
    n.settimeout(60)
    os.environ["NOTIFY_SOCKET"] = path
    os.environ["WATCHDOG_USEC"] = "200000"
    try:
        s = Scene(room)
        s.p.start()
    finally:
        del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]

    def next_word():
        while True:
            word = n.recv(512).decode()
            if word != "WATCHDOG=1":
                return word
    r.check(next_word().startswith("READY=1"), "READY=1 at the start")
    r.equal(n.recv(512), b"WATCHDOG=1", "WATCHDOG=1 now and then")
    s.p.reload(POLICY, "in force")
    word = next_word()
    r.check(word.startswith("RELOADING=1\nMONOTONIC_USEC="), "RELOADING=1",
            word)
    r.check(next_word().startswith("READY=1"), "READY=1 after the reload")
    s.p.stop()
    r.equal(next_word(), "STOPPING=1", "STOPPING=1 at the end")
    n.close()


def command_line(r, room):
    s = Scene(room)
    for args, want, words in (
            (["--version"], 0, "portreeve-plugin "), (["--help"], 0, "usage:"),
            (["--nonsense"], 64, "--help"), (["operand"], 64, "operand"),
            (["--log-level", "loud"], 64, "loud"),
            (["--log-format", "xml"], 64, "xml"),
            (["--config", room("nothing.yaml")], 78, "nothing.yaml"),
            (["--config", s.p.config_file, "--check"], 0, "")):
        done = run_plugin(s, *args)
        r.check(done.returncode == want
                and words in done.stdout + done.stderr,
                f"{' '.join(args[:1])}: {want}", done.stdout + done.stderr)
    s.p.write_policy(BROKEN.replace("team: console", "team: konsole"))
    for more in ([], ["--check"]):
        done = run_plugin(s, "--config", s.p.config_file, *more)
        r.check(done.returncode == 78 and "konsole" in done.stderr
                and '"al"' in done.stderr,
                f"a broken policy {more}: 78, every mistake", done.stderr)
    r.check(not os.path.exists(s.sock), "and no socket is made")


def main():
    r = Report()
    with Room() as room:
        with Scene(room) as s:
            for part in (endpoints, framing, many, bad_input, daemon_gone,
                         reloads, admin):
                part(r, s)
                r.check(s.p.proc.poll() is None,
                        f"it lives after {part.__name__}")
            s.p.stop()
            done = s.p.command("log", "verify", "--dir", s.p.audit)
            r.equal(done.returncode, 0, "the log of all that is intact")
        for part in (daemon_hangs, drain, drain_waits, sockets, peers,
                     inherited, disk, notifies, command_line):
            try:
                part(r, room)
            except (OSError, HarnessError) as e:
                r.check(False, f"{part.__name__} came to an end", repr(e))
        for path in filter(os.path.exists, Scene.logs):
            with open(path, encoding="utf-8", errors="replace") as f:
                bad = re.search("Sanitizer|runtime error|assert.*", f.read())
            r.check(bad is None, f"nothing odd in {path[len(room.path):]}",
                    bad and bad[0])
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
