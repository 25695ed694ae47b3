#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""The docker command through the proxy does what it does without it.

A real dockerd, portreeve-proxy before it, mutual TLS; the docker CLI runs,
attaches, copies, follows logs and events, builds, loads and saves.  What one
person may not do is refused in one line, and never reaches the daemon.
"""
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tarfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Api, Dockerd, Lab, Proxy, Report, Room  # noqa: E402
from harness.people import ldif  # noqa: E402
from harness import wire  # noqa: E402
from harness.dockerd import busybox_tar  # noqa: E402

POLICY = """\
version: 1
labels: {team: com.acme.team, phase: com.acme.phase}
teams:
  payments: {ldap: ["cn=payments,ou=groups,dc=acme,dc=com"]}
  platform: {ldap: ["cn=platform,ou=groups,dc=acme,dc=com"]}
hosts: {"*": [dev]}
phases: {dev: {audit: request}}
roles:
  admin: {allow: {"*": ["*"]}}
  developer: {allow: {container: ["*"], image: [list, inspect]}}
profiles:
  small:
    images: {allow: ["docker.io/library/*"]}
    namespaces: {network: [private, none]}
    exec: {user: [same-as-container]}
grants:
  - {id: ops, team: platform, role: admin, phases: ["*"], owner: any, profile: unrestricted}
  - {id: pay, team: payments, role: developer, phases: [dev], profile: small}
"""
PEOPLE = {"olga": "platform", "alice": "payments"}


class World:
    def __init__(self, room):
        self.room = room
        self.lab = Lab(room("ca"))
        for who in PEOPLE:
            self.lab.client(who)
        self.d = Dockerd(room).start()
        self.direct = Api(self.d.connect)
        self.d.import_image(self.direct)
        self.p = Proxy(room, self.d.socket, self.lab, POLICY, ldif(PEOPLE)).start()

    def docker(self, *args, who="olga", stdin=b"", timeout=120, direct=False):
        """A finished docker command: (status, stdout, stderr)."""
        env = self.p.docker_env(who)
        if direct:
            for k in ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
                env.pop(k)
            env["DOCKER_HOST"] = "unix://" + self.d.socket
        done = subprocess.run(["docker", *args], input=stdin, env=env,
                              capture_output=True, timeout=timeout,
                              check=False)
        return (done.returncode, done.stdout.decode(errors="replace"),
                done.stderr.decode(errors="replace"))

    def popen(self, *args, who="olga", **kw):
        return subprocess.Popen(["docker", *args],
                                env=self.p.docker_env(who), **kw)


def plain(r, w):
    r.check(w.docker("version")[0] == 0, "docker version")
    code, out, _ = w.docker("run", "--rm", "busybox", "echo", "hello")
    r.check((code, out) == (0, "hello\n"), "docker run", out)
    code, out, err = w.docker("run", "--rm", "busybox", "sh", "-c",
                              "echo out; echo err >&2; exit 7")
    r.check((code, out, err) == (7, "out\n", "err\n"),
            "its output, its errors and its status come through",
            f"{code} {out!r} {err!r}")
    code, out, _ = w.docker("run", "-i", "--rm", "busybox", "wc", "-c",
                            stdin=b"x" * 300000)
    r.check((code, out.strip()) == (0, "300000"),
            "the end of stdin reaches the container, its output flows after",
            out)
    code, out, _ = w.docker("ps", "-a", "--format", "{{.Image}}")
    r.check((code, out) == (0, ""), "docker ps -a", out)


def names(r, w):
    w.docker("run", "-d", "--name", "web", "busybox", "sleep", "600")
    code, out, _ = w.docker("exec", "web", "echo", "inside")
    r.check((code, out) == (0, "inside\n"), "docker exec", out)
    code, out, _ = w.docker("exec", "-i", "web", "cat",
                            stdin=b"a line\nanother\n")
    r.check((code, out) == (0, "a line\nanother\n"), "docker exec -i", out)
    code, out, _ = w.docker("inspect", "-f", "{{.Name}}", "web")
    r.check((code, out) == (0, "/web\n"), "docker inspect", out)
    code, out, err = w.docker("inspect", "nobody")
    r.check(code == 1 and "No such" in err, "the 404 of the CLI", err)
    cid = w.docker("inspect", "-f", "{{.Id}}", "web")[1].strip()
    code, out, _ = w.docker("top", cid[:3])
    r.check(code == 0 and "sleep 600" in out,
            "a short prefix of an id is written as the whole id", out)
    r.check(any(f"/containers/{cid[:3]}/top" in x and f'"{cid}"' in x
                for x in w.p.records()), "the log has both spellings")


def copies(r, w):
    data = os.urandom(3_000_000)
    path = w.room.write("three.bin", data)
    code, _, err = w.docker("cp", path, "web:/tmp/three.bin")
    r.check(code == 0, "docker cp into a container", err)
    back = w.room("back.bin")
    code, _, err = w.docker("cp", "web:/tmp/three.bin", back)
    with open(back, "rb") as f:
        r.check(code == 0 and f.read() == data, "docker cp out of it", err)
    code, out, err = w.docker("cp", "web:/nowhere", back)
    r.check(code != 0 and "nowhere" in err, "the error of docker cp", err)


def follows(r, w):
    p = w.popen("run", "--rm", "--name", "tick", "busybox", "sh", "-c",
                "for i in 1 2 3 4 5 6 7 8; do echo tick $i; sleep 0.5; done",
                stdout=subprocess.DEVNULL)
    for _ in range(100):
        if w.docker("inspect", "tick")[0] == 0:
            break
        time.sleep(0.1)
    begin = time.monotonic()
    logs = w.popen("logs", "-f", "tick", stdout=subprocess.PIPE)
    first = logs.stdout.readline()
    early = time.monotonic() - begin
    rest = logs.stdout.read()
    logs.wait()
    p.wait()
    r.check(first == b"tick 1\n" and rest.count(b"tick") == 7,
            "docker logs -f", f"{first} {rest} {early:.1f}")
    r.check(early < time.monotonic() - begin,
            "lines come when they are written")
    before = threads_of_daemon(w)
    logs = w.popen("events", stdout=subprocess.PIPE)
    time.sleep(0.5)
    w.docker("run", "--rm", "busybox", "true")
    line = logs.stdout.readline()
    r.check(b"container create" in line, "docker events", repr(line))
    logs.send_signal(signal.SIGINT)
    logs.wait()
    logs.stdout.close()
    for _ in range(50):
        if threads_of_daemon(w) <= before:
            break
        time.sleep(0.1)
    r.check(threads_of_daemon(w) <= before,
            "who leaves a stream leaves nothing at the daemon",
            f"{before} {threads_of_daemon(w)}")


def threads_of_daemon(w):
    """Connections that dockerd's socket has now."""
    out = subprocess.run(["ss", "-xH", "state", "connected"],
                         capture_output=True, text=True, check=False).stdout
    return sum(w.d.socket in line for line in out.splitlines())


def terminal(r, w):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.clear()
        os.environ.update(w.p.docker_env("olga"), TERM="xterm")
        os.execvp("docker", ["docker", "run", "--rm", "-it", "busybox", "sh"])
    text = talk(fd, [(b"# ", b"tty; echo $((6*7))\n"), (b"42", b"exit 3\n")])
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    r.check(b"/dev/pts/0" in text and b"42" in text,
            "docker run -it under a terminal", repr(text))
    r.check(status == 3, "and its status", str(status))
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.clear()
        os.environ.update(w.p.docker_env("olga"), TERM="xterm")
        os.execvp("docker", ["docker", "exec", "-it", "web", "sh"])
    text = talk(fd, [(b"# ", b"echo $((6*7))\n"), (b"42", b"exit 0\n")])
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    r.check(b"42" in text and status == 0, "docker exec -it", repr(text))


def talk(fd, script, timeout=30):
    """Waits for a text, types the answer, and so on; all that was shown."""
    shown = b""
    end = time.monotonic() + timeout
    for wanted, answer in script:
        mark = len(shown)
        while wanted not in shown[mark:] and time.monotonic() < end:
            if not select.select([fd], [], [], 1)[0]:
                continue
            try:
                shown += os.read(fd, 65536)
            except OSError:
                return shown
        os.write(fd, answer)
    while time.monotonic() < end:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    return shown


def builds(r, w):
    folder = w.room.mkdir("context")
    w.room.write("context/Dockerfile",
                 "FROM busybox\nCOPY big /big\nRUN wc -c < /big > /size\n")
    w.room.write("context/big", os.urandom(20_000_000))
    code, out, err = w.docker("build", "-t", "built", folder)
    r.check(code == 0 and "Successfully tagged built" in out,
            "docker build, 20 MB of context", out + err)
    code, out, _ = w.docker("run", "--rm", "built", "cat", "/size")
    r.check(out.strip() == "20000000", "what was built", out)
    image = w.direct("GET", "/images/built/json").json["Config"]["Labels"]
    r.check(image == {"com.acme.team": "platform", "com.acme.phase": "dev"},
            "it bears the labels of who built it", str(image))
    path = w.room("image.tar")
    code, _, err = w.docker("save", "-o", path, "built")
    r.check(code == 0 and tarfile.is_tarfile(path), "docker save", err)
    w.docker("rmi", "built")
    code, out, err = w.docker("load", "-i", path)
    r.check(code == 0 and "Loaded image: built" in out, "docker load",
            out + err)
    code, out, err = w.docker("import", "-", "again:1",
                              stdin=busybox_tar())
    r.check(code == 0, "docker import, chunked", err)


def refusals(r, w):
    code, _, err = w.docker("run", "--rm", "--privileged", "busybox", "true",
                            who="alice")
    r.check(code != 0 and "HostConfig.Privileged" in err,
            "what the profile refuses is refused in one line", err)
    code, _, err = w.docker("stop", "web", who="alice")
    r.check(code != 0 and "belongs to team platform" in err,
            "what is another's as well", err)
    code, out, err = w.docker("run", "-d", "--name", "hers", "busybox",
                              "sleep", "600", who="alice")
    r.check(code == 0, "her own she may make", err)
    labels = w.direct("GET", "/containers/hers/json").json["Config"]["Labels"]
    r.check(labels == {"com.acme.team": "payments", "com.acme.phase": "dev"},
            "it bears the labels of its owner and phase", str(labels))
    code, out, err = w.docker("exec", "hers", "echo", "mine", who="alice")
    r.check((code, out) == (0, "mine\n"), "and she may use it", err)
    code, out, err = w.docker("info", who="alice")
    r.check("authorization denied by portreeve" in out + err,
            "what nobody granted her is denied", out + err)


def wire_level(r, w):
    cert, key = w.lab.pair("olga")
    s = w.p.connect(cert, key)
    s.sendall(b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n"
              b"GET /v1.41/version HTTP/1.1\r\nHost: d\r\n\r\n"
              b"GET /v1.41/containers/json HTTP/1.1\r\nHost: d\r\n"
              b"Connection: close\r\n\r\n")
    data = b""
    while True:
        got = s.recv(65536)
        if not got:
            break
        data += got
    bodies = re.findall(rb"HTTP/1.1 (\d+)", data)
    r.check(bodies == [b"200"] * 3 and data.index(b"OK") <
            data.index(b"ApiVersion"), "pipelined requests, in order",
            repr(data[:400]))
    s = w.p.connect(cert, key)
    body = json.dumps({"Image": "busybox", "Cmd": ["true"]}).encode()
    s.sendall(b"POST /v1.41/containers/create?name=late HTTP/1.1\r\nHost: d\r\n"
              b"Content-Type: application/json\r\nExpect: 100-continue\r\n"
              b"Content-Length: %d\r\n\r\n" % len(body))
    first = s.recv(1024)
    r.check(first == b"HTTP/1.1 100 Continue\r\n\r\n",
            "Expect: 100-continue is answered", repr(first))
    a = wire.send_raw(s, body)
    r.check(a.status == 201, "and the body taken", str(a.status))
    s = w.p.connect(cert, key)
    a = wire.send_raw(s, b"POST /v1.41/containers/create?name=chunky HTTP/1.1"
                      b"\r\nHost: d\r\nContent-Type: application/json\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
                      % (len(body), body))
    r.check(a.status == 201, "a chunked body is judged like any other",
            f"{a.status} {a.message}")
    for head, status in (
            (b"GET /_ping HTTP/1.1\nHost: d\n\n", 400),
            (b"GET http://d/_ping HTTP/1.1\r\nHost: d\r\n\r\n", 400),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            (b"GET /_ping HTTP/1.0\r\nHost: d\r\n\r\n", 505)):
        s = w.p.connect(cert, key)
        a = wire.send_raw(s, head)
        r.check(a.status == status, f"{head!r} is {status}", str(a.status))
    with wire.connect_unix(w.p.unix) as s:
        a = wire.send_raw(s, wire.encode("GET", "/_ping"))
        r.check(a.status == 200, "a local user may ping", str(a.status))


def upgrades(r, w):
    cert, key = w.lab.pair("olga")
    head = {"Connection": "Upgrade", "Upgrade": "h2c",
            "X-Docker-Expose-Session-Uuid": "u1",
            "X-Docker-Expose-Session-Name": "n"}
    for who, status in (("olga", b"101"), ("alice", b"403")):
        s = w.p.connect(*w.lab.pair(who))
        s.sendall(wire.encode("POST", "/v1.41/session", None, head))
        got = s.recv(4096)
        r.check(got.startswith(b"HTTP/1.1 " + status),
                f"/session of {who} is {status.decode()}", repr(got))
        s.close()
    s = w.p.connect(cert, key)
    a = wire.send_raw(s, wire.encode("GET", "/v1.41/info", None, head))
    r.check(a.status == 403 and "Upgrade" in a.message,
            "h2c elsewhere is refused", a.message)
    cid = w.direct("GET", "/containers/web/json").json["Id"]
    s = w.p.connect(cert, key)
    s.sendall(wire.encode("GET", f"/v1.41/containers/{cid[:12]}/attach/ws?"
                          "stream=1&stdout=1&stdin=1", None, {
                              "Connection": "Upgrade", "Upgrade": "websocket",
                              "Origin": "http://docker",
                              "Sec-WebSocket-Version": "13",
                              "Sec-WebSocket-Key":
                              "dGhlIHNhbXBsZSBub25jZQ=="}))
    got = s.recv(4096)
    r.check(b" 101 " in got and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in got,
            "attach/ws is a websocket", repr(got))
    s.close()


def hijacks_the_old_way(r, w):
    cert, key = w.lab.pair("olga")
    eid = w.direct("POST", "/containers/web/exec",
                   {"AttachStdin": True, "AttachStdout": True,
                    "Cmd": ["cat"]}).json["Id"]
    s = w.p.connect(cert, key)
    s.sendall(wire.encode("POST", f"/v1.41/exec/{eid}/start",
                          {"Detach": False, "Tty": False}))
    head = s.recv(4096)
    r.check(head.startswith(b"HTTP/1.1 200") and b"raw-stream" in head,
            "a hijack without Upgrade", repr(head))
    s.sendall(b"to and fro\n")
    got = b""
    while b"fro\n" not in got:
        more = s.recv(4096)
        if not more:
            break
        got += more
    r.check(got.endswith(b"to and fro\n") and got[0] == 1,
            "is raw both ways", repr(got))
    s.close()


def reloads(r, w):
    w.docker("run", "-d", "--name", "long", "busybox", "sleep", "600",
             who="alice")
    p = w.popen("exec", "-i", "long", "cat", who="alice",
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(b"there?\n")
    p.stdin.flush()
    r.check(p.stdout.readline() == b"there?\n", "a tunnel stands")
    w.p.reload(POLICY)
    p.stdin.write(b"still?\n")
    p.stdin.flush()
    r.check(p.stdout.readline() == b"still?\n",
            "a reload that changes nothing leaves it alone")
    w.p.reload("version: 1\nnonsense: true\n", expect="not all was done")
    r.check(w.docker("ps", who="olga")[0] == 0,
            "a policy with mistakes leaves the old one in force")
    begin = time.monotonic()
    w.p.reload(POLICY.replace("team: payments, role: developer",
                              "team: platform, role: developer"))
    cut = p.stdout.read()
    p.wait()
    r.check(cut == b"" and time.monotonic() - begin < 5,
            "a tunnel that would be denied now is cut off")
    w.p.reload(POLICY)


def main():
    r = Report(verbose=False)
    with Room("proxy") as room:
        w = World(room)
        for part in (plain, names, copies, follows, terminal, builds,
                     refusals, wire_level, upgrades, hijacks_the_old_way, reloads):
            part(r, w)
            if w.p.proc.poll() is not None:
                r.check(False, f"the proxy died in {part.__name__}",
                        w.p.tail())
                break
        r.check(w.p.stop() == 0, "SIGTERM ends it", w.p.tail())
        if r.failed:
            print(w.p.tail())
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
