#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""The plugin is ended and started again and again, and reads its policy again
and again, while a real dockerd asks it: nobody notices.

Its socket is held by the test, as a service manager holds it: calls wait in
its backlog.  RESTARTS=40 and RELOADS=1000 by default; `make restarts` does 200.
"""
import glob
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import BUILD, Dockerd, Lab, Plugin, Report, Room  # noqa: E402
from harness.room import die_with_parent, end_process, wait_until  # noqa: E402
from harness.wire import Reader, connect_unix  # noqa: E402

RESTARTS = int(os.environ.get("RESTARTS", "40"))
RELOADS = int(os.environ.get("RELOADS", "1000"))
POLICY = """\
version: 1
teams:
  console: {anonymous: true}
  dev: {ldap: ["cn=dev,ou=groups,dc=corp,dc=example"]}
hosts: {"*": [dev]}
phases: {dev: {audit: metadata}}
roles:
  seer: {allow: {container: [list], system: [ping, version, info]}}
grants:
  - {id: see, team: console, role: seer, phases: ["*"], owner: any}
  - {id: dev, team: dev, role: seer, phases: ["*"], owner: any}
"""
GUARD = POLICY + """\
guards:
  - {id: nobody-lists, deny: {container: [list]}}
"""
BROKEN = POLICY.replace("role: seer", "role: sear")
LDIF = """\
dn: uid=ada,ou=people,dc=corp,dc=example
objectClass: inetOrgPerson
uid: ada
cn: Ada
sn: A

dn: cn=dev,ou=groups,dc=corp,dc=example
objectClass: groupOfNames
cn: dev
member: uid=ada,ou=people,dc=corp,dc=example
"""


class Held(Plugin):
    """A plugin whose socket somebody else holds."""

    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.socket)
        os.chmod(self.socket, 0o600)
        self.listener.listen(4096)

    def start(self, timeout=60.0, wait=True):
        with open(self.log, "ab") as log:
            fd = self.listener.fileno()
            self.proc = subprocess.Popen(
                ["bash", "-c", '[ "$1" = 3 ] || eval "exec 3<&$1 $1<&-"; '
                 'shift; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@"',
                 "held", str(fd), self.program, "--config",
                 self.config_file], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, pass_fds=(fd,), start_new_session=True,
                preexec_fn=die_with_parent)
        if wait:
            wait_until("portreeve-plugin", self.answers, timeout, self.proc,
                       self.log)
        return self


def records(p):
    out = []
    for path in sorted(glob.glob(p.audit + "/*.jsonl")):
        with open(path, encoding="utf-8") as f:
            out += [json.loads(x) for x in f if x.endswith("\n")]
    return out


def said(p, since):
    with open(p.log, encoding="utf-8", errors="replace") as f:
        f.seek(since)
        return f.read()


class Load:
    """Callers that go on until they are told to stop; what went wrong."""

    def __init__(self):
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.done = {}
        self.wrong = []
        self.threads = []

    def add(self, name, once, n=1):
        def run():
            while not self.stop.is_set():
                try:
                    trouble = once()
                except (OSError, ValueError, IndexError) as e:
                    trouble = repr(e)
                with self.lock:
                    self.done[name] = self.done.get(name, 0) + 1
                    if trouble:
                        self.wrong.append(f"{name}: {trouble}")
        for _ in range(n):
            t = threading.Thread(target=run, daemon=True)
            self.threads.append(t)
            t.start()

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join(60)


def docker(d, lab):
    env = {**os.environ, "DOCKER_HOST": f"tcp://127.0.0.1:{d.port}",
           "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": lab.bundle("ada"),
           "DOCKER_CONFIG": lab.bundle("ada")}

    def once():
        done = subprocess.run(["docker", "ps", "-q"], env=env,
                              capture_output=True, text=True, check=False)
        return done.stderr.strip() if done.returncode else None
    return once


def api(d, path):
    """Keeps its connection to dockerd."""
    state = threading.local()

    def once():
        if getattr(state, "sock", None) is None:
            state.sock = connect_unix(d.socket, 60.0)
            state.reader = Reader(state.sock)
        try:
            state.sock.sendall(f"GET {path} HTTP/1.1\r\nHost: d\r\n\r\n"
                               .encode())
            status, body = answer(state.reader)
        except OSError:
            state.sock = None
            raise
        return None if status == 200 else f"{status} {body[:200]!r}"
    return once


def answer(r):
    status = int(r.line().split(b" ")[1])
    length = 0
    line = r.line()
    while line:
        k, _, v = line.partition(b": ")
        if k.lower() == b"content-length":
            length = int(v)
        line = r.line()
    return status, r.exactly(length)


def restarts(r, room):
    lab = Lab(room("ca"))
    lab.client("ada")
    d = Dockerd(room, plugins=["portreeve"], lab=lab)
    p = Held(room, d.plugin_socket("portreeve"), d.socket, POLICY, ldif=LDIF)
    p.start()
    d.start()
    load = Load()
    load.add("docker ps", docker(d, lab))
    load.add("list", api(d, "/v1.41/containers/json"), 3)
    load.add("ping", api(d, "/_ping"), 2)
    begun = time.monotonic()
    statuses = set()
    for _ in range(RESTARTS):
        statuses.add(end_process(p.proc, 30.0))
        mark = os.path.getsize(p.log)
        p.start(wait=False)
        wait_until("portreeve-plugin", lambda at=mark: "serves" in said(
            p, at), 60.0, p.proc, p.log)
        time.sleep(0.02)
    took = time.monotonic() - begun
    wait_until("portreeve-plugin", p.answers, 60.0, p.proc, p.log)
    load.end()
    print(f"     {RESTARTS} restarts in {took:.1f} s; {load.done}")
    r.equal(statuses, {0}, "each ended by itself")
    r.equal(load.wrong[:5], [], f"{sum(load.done.values())} calls and "
            f"commands during {RESTARTS} restarts: none failed")
    for name in ("docker ps", "list", "ping"):
        r.check(load.done.get(name, 0) > 10, f"there was load: {name}")
    p.proc.send_signal(signal.SIGTERM)
    p.proc.wait(30)
    got = [x for x in records(p) if x["type"] == "decision"]
    bad = [x for x in got if x["verdict"] == "allow"
           and (not x.get("method") or not x.get("canonical"))]
    r.equal(bad[:3], [], f"{len(got)} decisions: no allow of an empty call")
    # a look-up of the one before: its answer is for nobody any more
    r.equal([x for x in got if x["verdict"] == "deny" and
             "X-Portreeve-Lookup" not in x.get("message", "")][:3], [],
            "… and nobody was denied")
    done = p.command("log", "verify", "--dir", p.audit)
    r.equal(done.returncode, 0, "the log is whole: " + done.stderr[-300:])
    p.proc = None
    d.stop()


def reloads(r, room):
    """Straight at the plugin's socket: dockerd is not so fast."""
    p = Plugin(room, room("reload.sock"), room("no-docker.sock"), POLICY,
               name="reload", alone=True).start()
    hashes = {}
    for name, text in (("open", POLICY), ("guarded", GUARD)):
        p.reload(text)
        done = p.command("status", "--socket", p.admin, "-o", "json")
        hashes[json.loads(done.stdout)["policy"]] = name
    body = json.dumps({"RequestMethod": "GET",
                       "RequestUri": "/v1.41/containers/json"}).encode()
    call = (b"POST /AuthZPlugin.AuthZReq HTTP/1.1\r\nHost: \r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)) + body
    state = threading.local()
    seen = set()

    def once():
        if getattr(state, "sock", None) is None:
            state.sock = connect_unix(p.socket, 60.0)
            state.reader = Reader(state.sock)
        state.sock.sendall(call)
        status, got = answer(state.reader)
        if status != 200:
            return str(status)
        j = json.loads(got)
        if j["Allow"]:
            seen.add("open")
        elif "nobody-lists" in j["Msg"]:
            seen.add("guarded")
        else:
            return j["Msg"]
        return None
    load = Load()
    begun = time.monotonic()
    load.add("list", once, 4)
    refused = 0
    for i in range(RELOADS):
        text = BROKEN if i % 10 == 9 else (POLICY, GUARD)[i % 2]
        p.write_policy(text)
        p.proc.send_signal(signal.SIGHUP)
        refused += text is BROKEN
        time.sleep(0.01)
    took = time.monotonic() - begun
    load.end()
    n = load.done["list"]
    print(f"     {RELOADS} reloads, {refused} of them broken, in {took:.1f} "
          f"s; {n / took:.0f} calls a second")
    r.equal(load.wrong[:5], [], f"{n} calls during {RELOADS} SIGHUP: none "
            "failed")
    r.equal(seen, {"open", "guarded"}, "both policies were in force")
    done = p.command("status", "--socket", p.admin, "-o", "json")
    j = json.loads(done.stdout)
    r.check(j["reloads"] > RELOADS / 20 and j["reloads_failed"] > 0,
            "they were read and refused", done.stdout)
    r.equal(p.stop(), 0, "it ends")
    mixed = []
    got = [x for x in records(p) if x["type"] == "decision"]
    for x in got:
        want = {"open": ("allow", "see", None),
                "guarded": ("deny", None, "nobody-lists")}.get(
                    hashes.get(x.get("policy")))
        ids = x.get("ids", {})
        if (x["verdict"], ids.get("grant"), ids.get("guard")) != want:
            mixed.append(x)
    r.check(len(got) > 100, f"{len(got)} decisions are in the log")
    r.equal(mixed[:2], [], "each is what the policy that it names says")


def main():
    r = Report()
    with Room("restart") as room:
        restarts(r, room)
        reloads(r, room)
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
