#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""What comes in wrong goes out right: closed, refused, or said to be broken.

No docker here: a scripted daemon behind the proxy answers as the test wants,
or not at all; certificates are good, expired, revoked, of another CA, for
servers; clients are slow, silent, too many.
"""
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Lab, Proxy, Report, Room  # noqa: E402
from harness.people import ldif  # noqa: E402
from harness import wire  # noqa: E402

POLICY = """\
version: 1
teams: {ops: {ldap: ["cn=ops,ou=groups,dc=acme,dc=com"]}}
hosts: {"*": [dev]}
phases: {dev: {audit: request}}
roles: {admin: {allow: {"*": ["*"]}}}
grants:
  - {id: ops, team: ops, role: admin, phases: ["*"], owner: any, profile: unrestricted}
"""
PEOPLE = ldif({"olga": "ops", "leaver": "ops"})
OPTIONS = """\
  timeouts: {handshake: 1s, head: 1s, body: 2s, idle: 20s, stall: 2s}
  limits: {connections: 60, per_subject: 30}
"""
INFO = "/v1.41/info"


class Daemon:
    """Answers /info by the script; look-ups find nothing."""

    def __init__(self, path):
        self.path = path
        self.script = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        self.close = False
        self.hold = False
        self.conns = []
        self.listen()

    def listen(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(self.path)
        self.sock.listen(64)
        threading.Thread(target=self.accept, args=(self.sock,),
                         daemon=True).start()

    def gone(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        os.unlink(self.path)
        for c in self.conns:
            try:
                c.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended before
        self.conns = []

    def accept(self, sock):
        while True:
            try:
                c, _ = sock.accept()
            except OSError:
                return
            self.conns.append(c)
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        try:
            self.answer(c)
        except OSError:
            pass  # the proxy has hung up

    def answer(self, c):
        buf = b""
        with c:
            while True:
                while b"\r\n\r\n" not in buf:
                    more = c.recv(65536)
                    if not more:
                        return
                    buf += more
                head, _, buf = buf.partition(b"\r\n\r\n")
                if b"/info" not in head or b"X-Portreeve-Lookup" in head:
                    c.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n"
                              b"{}")
                    continue
                while self.hold:
                    time.sleep(0.02)
                c.sendall(self.script)
                if self.close:
                    return


class World:
    def __init__(self, room):
        self.room = room
        self.lab = Lab(room("ca"))
        self.other = Lab(room("other"))
        for who in ("olga", "leaver", "stranger"):
            self.lab.client(who)
        self.lab.client("old", "--not-before", "2020-01-01", "--days", "30")
        self.lab.run("client", "--cn", "server-only", "--out", "server-only",
                     "--eku", "server")
        self.lab.run("client", "--cn", "no-eku", "--out", "no-eku", "--eku",
                     "none")
        self.other.client("olga")
        self.crl = room("ca", "crl.pem")
        self.lab.run("crl", "--out", self.crl)
        self.d = Daemon(room("docker.sock"))
        self.p = Proxy(room, self.d.path, self.lab, POLICY, PEOPLE,
                       crl=self.crl, options=OPTIONS
                       + f"  admin: {room('admin.sock')}\n", sync="none").start()

    def ask(self, who="olga", target=INFO, lab=None):
        try:
            s = self.p.connect(*(lab or self.lab).pair(who))
        except (OSError, ssl.SSLError):
            return wire.Answer()
        return wire.send_raw(s, wire.encode("GET", target))

    def raw(self, timeout=20):
        return socket.create_connection(("127.0.0.1", self.p.port), timeout)


def ends(s, within):
    """The peer ends the connection in that time."""
    s.settimeout(within)
    try:
        while s.recv(65536):
            pass
        return True
    except (socket.timeout, TimeoutError):
        return False
    except OSError:
        return True


def certificates(r, w):
    r.equal(w.ask().status, 200, "a good certificate")
    for who in ("old", "server-only", "no-eku"):
        r.equal(w.ask(who).status, 0, f"{who}: no connection")
    r.equal(w.ask("olga", lab=w.other).status, 0, "of another CA: none")
    a = w.ask("stranger")
    r.check(a.status == 403, "who is in no team is denied", a.message)
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
    try:
        s = plain.wrap_socket(w.raw())
        a = wire.send_raw(s, wire.encode("GET", INFO))
    except (OSError, ssl.SSLError):
        a = wire.Answer()
    r.equal(a.status, 0, "none at all: no connection")
    warnings.simplefilter("ignore", DeprecationWarning)  # that is the point
    for version, ok in ((ssl.TLSVersion.TLSv1_1, False),
                        (ssl.TLSVersion.TLSv1_2, True)):
        ctx = ssl.create_default_context(cafile=w.lab.ca)
        ctx.set_ciphers("DEFAULT@SECLEVEL=0")
        ctx.load_cert_chain(*w.lab.pair("olga"))
        ctx.minimum_version = ssl.TLSVersion.TLSv1
        ctx.maximum_version = version
        try:
            s = ctx.wrap_socket(w.raw(), server_hostname="127.0.0.1")
            status = wire.send_raw(s, wire.encode("GET", INFO)).status
        except (OSError, ssl.SSLError):
            status = 0
        r.equal(status, 200 if ok else 0, f"{version.name}")
    ctx = ssl.create_default_context(cafile=w.lab.ca)
    ctx.load_cert_chain(*w.lab.pair("olga"))
    ctx.set_alpn_protocols(["h2"])
    try:
        ctx.wrap_socket(w.raw(), server_hostname="127.0.0.1")
        r.check(False, "ALPN h2 alone: no connection")
    except (OSError, ssl.SSLError):
        r.check(True, "ALPN h2 alone: no connection")
    ctx.set_alpn_protocols(["h2", "http/1.1"])
    s = ctx.wrap_socket(w.raw(), server_hostname="127.0.0.1")
    r.equal(s.selected_alpn_protocol(), "http/1.1", "http/1.1 beside it")
    session = s.session
    wire.send_raw(s, wire.encode("GET", INFO))
    try:
        s = ctx.wrap_socket(w.raw(), server_hostname="127.0.0.1",
                            session=session)
        r.equal(s.session_reused, False, "no session is resumed")
        s.close()
    except (OSError, ssl.SSLError, ValueError):
        r.check(True, "no session is resumed")
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 70,
                 os.urandom(400)):
        s = w.raw()
        s.sendall(data)
        r.check(ends(s, 5), f"{data[:12]!r} for TLS: closed")
        s.close()


def revocation(r, w):
    idle = w.p.connect(*w.lab.pair("leaver"))
    idle.sendall(wire.encode("GET", INFO))
    r.check(b"200 OK" in idle.recv(4096), "leaver is at work")
    stays = w.p.connect(*w.lab.pair("olga"))
    w.lab.run("revoke", w.lab.pair("leaver")[0])
    w.lab.run("crl", "--out", w.crl)
    w.p.reload()
    r.check(ends(idle, 1.0), "revoked: cut off within a second")
    r.equal(w.ask("leaver").status, 0, "and not let in again")
    r.equal(wire.send_raw(stays, wire.encode("GET", INFO)).status, 200,
            "who was there and is not revoked stays")
    with open(w.crl, "rb") as f:
        good = f.read()
    with open(w.crl, "wb") as f:
        f.write(b"no list\n")
    text = w.p.reload(expect="not all was done")
    r.check("is in force" in text, "the policy was taken all the same", text)
    r.equal(w.ask().status, 200, "a broken list leaves the old one in force")
    r.equal(w.ask("leaver").status, 0, "with whom it revoked")
    with open(w.crl, "wb") as f:
        f.write(good)
    w.p.reload()


def daemons(r, w):
    def says(script, close=False):
        w.d.script, w.d.close = script, close
        return w.ask()

    head = b"HTTP/1.1 200 OK\r\n"
    for script, what in (
            (b"HTTP/1.0 200 OK\r\n\r\n{}", "HTTP/1.0"),
            (b"nonsense\r\n\r\n", "nonsense"),
            (head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
             "two lengths"),
            (head + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
             b"{}", "two framings"),
            (head + b"\r\n{}", "no length"),
            (b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
             "an upgrade that nobody asked for"),
            (head + b"X: \x01\r\n\r\n", "a control character"),
            (b"", "nothing")):
        a = says(script, True)
        r.check(a.status == 502 and a.json is not None,
                f"a daemon that says {what}: 502 with a reason",
                f"{a.status} {a.message}")
    a = says(head + b"Content-Length: 9\r\n\r\n{}", True)
    r.equal(a.status, 0, "an answer that breaks off is no success")
    a = says(head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", True)
    r.equal(a.status, 0, "chunked, too")
    a = says(head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n")
    r.equal(a.status, 0, "chunks that are none, too")
    a = says(b"HTTP/1.1 103 Early\r\nX: y\r\n\r\n" + head
             + b"Content-Length: 2\r\n\r\n{}")
    r.equal((a.status, a.body), (200, b"{}"), "news on the way are left out")
    a = says(head + b"Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
             b"2\r\n{}\r\n0\r\nX: y\r\n\r\n")
    r.equal((a.status, a.body), (200, b"{}"), "a trailer ends a body")
    says(head + b"Content-Length: 2\r\n\r\n{}")
    w.d.gone()
    a = w.ask()
    r.check(a.status in (403, 502), "a daemon that is gone", a.message)
    w.d.listen()
    for _ in range(100):
        a = w.ask()
        if a.status == 200:
            break
        time.sleep(0.1)
    r.equal(a.status, 200, "and comes back")
    text = "\n".join(w.p.records())
    r.check("daemon-failed" in text, "the log has the outcome")


def slow(r, w):
    s = w.raw()
    begin = time.monotonic()
    r.check(ends(s, 10) and time.monotonic() - begin < 8,
            "who does not shake hands is closed")
    s = w.p.connect(*w.lab.pair("olga"))
    s.sendall(b"GET /v1.41/info HTTP/1.1\r\nHost:")
    a = wire.read_answer(s)
    r.equal(a.status, 408, "a head that does not end: 408")
    s = w.p.connect(*w.lab.pair("olga"))
    s.sendall(b"POST /v1.41/auth HTTP/1.1\r\nHost: d\r\nContent-Type: "
              b"application/json\r\nContent-Length: 10\r\n\r\n{")
    a = wire.read_answer(s)
    r.equal(a.status, 408, "a body that does not end: 408")
    s = w.p.connect(*w.lab.pair("olga"))
    s.sendall(b"POST /v1.41/build HTTP/1.1\r\nHost: d\r\nContent-Type: "
              b"application/x-tar\r\nContent-Length: 1000\r\n\r\nx")
    r.check(ends(s, 15), "a stream that does not go on: closed")


def admin(r, w):
    def ask(path, method="GET"):
        return wire.request(w.room("admin.sock"), method, path)

    r.equal(ask("/healthz").body, b"ok\n", "the admin socket: /healthz")
    r.check(b"not ok  daemon" in ask("/readyz").body,
            "/readyz says what is amiss", ask("/readyz").message)
    r.equal(ask("/status").json["door"], "proxy", "/status")
    text = ask("/metrics").body.decode()
    r.check("portreeve_proxy_requests_total" in text, "/metrics", text[:300])
    a = ask("/reload", "POST")
    r.check(a.status == 200 and b"is in force" in a.body, "/reload",
            a.message)
    with open(w.p.policy_file, encoding="utf-8") as f:
        good = f.read()
    w.p.write_policy("version: 2\n")
    a = ask("/reload", "POST")
    r.check(a.status == 422 and "error" in a.message and
            b"stays in force" in a.body,
            "/reload of a broken policy", a.message)
    w.p.write_policy(good)
    r.equal(ask("/reload", "POST").status, 200, "and of a mended one")
    r.equal(ask("/nothing").status, 404, "other paths are none")
    r.equal(os.stat(w.room("admin.sock")).st_mode & 0o777, 0o600,
            "only its owner may open it")


def inherited(r, w):
    """A service manager opens the socket: it outlives the program."""
    p = Proxy(w.room, w.d.path, w.lab, POLICY, PEOPLE, name="heir",
              sync="none")
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", p.port))
    s.listen(16)

    def start():
        with open(p.log, "ab") as log:
            return subprocess.Popen(
                ["sh", "-c", "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$@\"",
                 "sh", p.program, "--config", p.config_file], stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, close_fds=False,
                preexec_fn=lambda: os.dup2(s.fileno(), 3, True))

    def ask():
        c = wire.connect_tls(p.port, *w.lab.pair("olga"), w.lab.ca, 60.0)
        return wire.send_raw(c, wire.encode("GET", INFO)).status

    proc = start()
    r.equal(ask(), 200, "an inherited socket is taken by its address")
    proc.terminate()
    proc.wait(20)
    later = []
    t = threading.Thread(target=lambda: later.append(ask()))
    t.start()
    time.sleep(0.2)
    proc = start()
    t.join(60)
    r.equal(later, [200], "who comes between two programs waits")
    proc.terminate()
    proc.wait(20)
    s.close()


def many(r, w):
    open_ones = [w.p.connect(*w.lab.pair("olga")) for _ in range(30)]
    a = w.ask()
    r.check(a.status == 429, "more connections than one may have: 429",
            f"{a.status} {a.message}")
    r.equal(w.ask("stranger").status, 403, "others come in still")
    for s in open_ones:
        s.close()
    for _ in range(100):
        if w.ask().status == 200:
            break
        time.sleep(0.05)
    r.equal(w.ask().status, 200, "and so does who has gone home")
    flood = []
    for _ in range(60):
        try:
            flood.append(w.raw(5))
        except OSError:
            break
    time.sleep(0.5)
    for s in flood:
        s.close()
    for _ in range(100):
        a = w.ask()
        if a.status == 200:
            break
        time.sleep(0.1)
    r.equal(a.status, 200, "when all places are taken, others wait")


def main():
    r = Report(verbose=False)
    with Room("badinput") as room:
        w = World(room)
        for part in (certificates, revocation, daemons, slow, admin, inherited, many):
            try:
                part(r, w)
            except (OSError, RuntimeError, IndexError) as e:
                r.check(False, part.__name__, repr(e))
            if w.p.proc.poll() is not None:
                r.check(False, f"the proxy died in {part.__name__}",
                        w.p.tail())
                break
        r.equal(w.p.stop(), 0, "SIGTERM ends it")
        if r.failed:
            print(w.p.tail())
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
