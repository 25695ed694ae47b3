#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""What the proxy forwards is what it judged, whatever the bytes.

A scripted daemon behind the proxy writes down every byte that it gets.  Heads
and bodies on which readers of HTTP disagree (the smuggling literature, the
heads of the unit test's kind), each alone, glued to a second request, and
mutated, are sent over mutual TLS.  Then:

    every message that the daemon got is canonical: one framing, one host,
    origin form, and a body that its framing covers exactly
    the daemon got exactly the messages that the decision log allowed
    what was refused got a 4xx or 5xx and the end of the connection

The seed is printed; SMUGGLING_SEED and SMUGGLING_N repeat or lengthen it.
"""
import collections
import json
import os
import random
import re
import socket
import ssl
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Lab, Proxy, Report, Room  # noqa: E402
from harness.people import ldif  # noqa: E402

SEED = int(os.environ.get("SMUGGLING_SEED", random.SystemRandom()
                          .randrange(1 << 32)))
N = int(os.environ.get("SMUGGLING_N", "1500"))
POLICY = """\
version: 1
teams: {ops: {ldap: ["cn=ops,ou=groups,dc=acme,dc=com"]}}
hosts: {"*": [dev]}
phases: {dev: {audit: request}}
roles: {admin: {allow: {"*": ["*"]}}}
grants:
  - {id: ops, team: ops, role: admin, phases: ["*"], owner: any, profile: unrestricted}
"""
PEOPLE = ldif({"olga": "ops"})
GET = b"GET /v1.41/images/json HTTP/1.1\r\n"
BUILD = b"POST /v1.41/build HTTP/1.1\r\n"
AUTH = b"POST /v1.41/auth HTTP/1.1\r\n"
HOST = b"Host: docker\r\n"
JSON = b"Content-Type: application/json\r\n"
TAR = b"Content-Type: application/x-tar\r\n"
END = b"\r\n"
SECOND = b"GET /v1.41/info?smuggled=1 HTTP/1.1\r\nHost: docker\r\n\r\n"
LENGTHS = [b"Content-Length: 5", b"Content-Length: 5, 5", b"Content-Length: +5",
           b"Content-Length: 0x5", b"Content-Length: 05", b"Content-Length : 5",
           b"Content-Length:\t5", b"Content-Length: 5\x0b", b"Content-Length:5",
           b"Content-Length: -5", b"Content-Length: 5;", b"content-length: 6",
           b"Content-Length: 0", b"Content-Length: 99999999999999999999",
           b"Content_Length: 5", b"Content-Length: 5\r\n Content-Length: 6",
           b"X: y\nContent-Length: 5", b"X: y\rContent-Length: 5",
           b"Content-Length: \r\n 5", b"\tContent-Length: 5",
           b"Content-Length\x00: 5", b"Content-Length: 5\x00"]
CODINGS = [b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity",
           b"Transfer-Encoding: chunked, identity", b"Transfer-Encoding:chunked",
           b"Transfer-Encoding: x, chunked", b"Transfer-Encoding : chunked",
           b"transfer-encoding: Chunked", b"Transfer-Encoding: chunked\x0b",
           b"Transfer-Encoding: \x00chunked", b"Transfer_Encoding: chunked",
           b"Transfer-Encoding: \"chunked\"", b"Transfer-Encoding: ch\r\n unked",
           b"X: y\nTransfer-Encoding: chunked", b"Transfer-Encoding:\r\n chunked",
           b"X: y\rTransfer-Encoding: chunked", b" Transfer-Encoding: chunked",
           b"Transfer-Encoding: chunked;a=b", b"TE: chunked",
           b"Transfer-Encoding: chunkedchunked", b"Transfer-Encoding: cHunkeD",
           b"Transfer-Encoding: gzip", b"Transfer-Encoding:"]
BODIES = [b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n",
          b"0\r\n\r\n", b"5;x=y\r\nhello\r\n0\r\n\r\n", b"0005\r\nhello\r\n0\r\n\r\n",
          b"5 \r\nhello\r\n0\r\n\r\n", b"-1\r\nhello\r\n0\r\n\r\n",
          b"5\r\nhelloXX0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n",
          b"5\r\nhello\r\n0\r\nTransfer-Encoding: x\r\n\r\n",
          b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n", b""]
FIRST = [b"GET http://docker/v1.41/images/json HTTP/1.1\r\n",
         b"GET /v1.41/images/json HTTP/1.0\r\n", b"GET /v1.41/images/json\r\n",
         b"GET /v1.41/images/json HTTP/1.1 \r\n", b"get /v1.41/images/json HTTP/1.1\r\n",
         b"GET\t/v1.41/images/json HTTP/1.1\r\n", b"GET  /v1.41/images/json HTTP/1.1\r\n",
         b"GET /v1.41/images/json HTTP/1.1\n", b"\r\nGET /v1.41/images/json HTTP/1.1\r\n",
         b"GET /v1.41/images/json?a=b;c HTTP/1.1\r\n", b"GET /v1.41//images/json HTTP/1.1\r\n",
         b"GET /v1.41/images/json#x HTTP/1.1\r\n", b"GET /v1.41/images/%6ason HTTP/1.1\r\n",
         b"GET /v1.41/images/json HTTP/2.0\r\n", b"PRI * HTTP/2.0\r\n",
         b"OPTIONS * HTTP/1.1\r\n", b"CONNECT docker:80 HTTP/1.1\r\n",
         b"GET /v1.41/images/json\x00 HTTP/1.1\r\n", b"GET /v1.41/images/j\xffson HTTP/1.1\r\n"]
HEADERS = [b"Connection: close, Host", b"Connection: Content-Length",
           b"Connection: upgrade\r\nUpgrade: h2c", b"Upgrade: tcp",
           b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA",
           b"Expect: 100-continue", b"Expect: 200-ok", b"Host: other", b"Host:",
           b"Host: a\r\nHost: b", b"X\x00: y", b"X: \x7f", b"X y: z", b": z", b"X",
           b"X-Portreeve-Lookup: 00", b"X-Portreeve-Assertion: v1;mac=0",
           b"Content-Type: application/json\r\nContent-Type: text/plain",
           b"Content-Type: application/x-www-form-urlencoded",
           b"X-HTTP-Method-Override: DELETE", b"Keep-Alive: timeout=5",
           b"Proxy-Connection: keep-alive", b"Trailer: Content-Length",
           b"X: " + b"a" * 70000]


def attacks():
    """At least 200, each a list of bytes for one connection."""
    out = [GET + HOST + END, AUTH + HOST + JSON + b"Content-Length: 2\r\n\r\n{}",
           BUILD + HOST + TAR + b"Transfer-Encoding: chunked\r\n\r\n" + BODIES[1]]
    out += [first + HOST + END for first in FIRST]
    out += [GET + HOST + h + END + END for h in HEADERS]
    out += [GET + h + END + END for h in HEADERS]
    for start in (BUILD + HOST + TAR, AUTH + HOST + JSON):
        for a in LENGTHS:
            out += [start + a + END + END + BODIES[0]]
            for b in CODINGS[:6]:
                out += [start + a + END + b + END + END + BODIES[1],
                        start + b + END + a + END + END + BODIES[3]]
        for b in CODINGS:
            out += [start + b + END + END + BODIES[1]]
        for body in BODIES:
            out += [start + CODINGS[0] + END + END + body,
                    start + b"Content-Length: %d\r\n\r\n" % len(body) + body]
    return out


def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        at = rng.randrange(len(data))
        kind = rng.randrange(6)
        if kind == 0:
            data[at] = rng.randrange(256)
        elif kind == 1:
            del data[at]
        elif kind == 2:
            data.insert(at, rng.choice(b"\r\n\t \x00:;,05a\xff"))
        elif kind == 3:
            other = rng.choice(LENGTHS + CODINGS + HEADERS[:20]) + END
            line = data.find(b"\r\n", at)
            if line >= 0:
                data[line + 2:line + 2] = other
        elif kind == 4:
            end = min(len(data), at + rng.randrange(1, 30))
            data[at:at] = data[at:end]
        else:
            data[at:at + 1] = bytes([data[at] ^ 0x20])
    return bytes(data)


class Daemon:
    """Writes down what it gets; a look-up of the proxy finds nothing."""

    def __init__(self, path):
        self.got = []     # (method, target, headers, body)
        self.wrong = []
        self.lock = threading.Lock()
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(path)
        self.sock.listen(256)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def bad(self, what, data):
        with self.lock:
            self.wrong.append((what, bytes(data[:300])))
        raise ConnectionError

    def serve(self, c):
        buf = bytearray()
        try:
            while True:
                while b"\r\n\r\n" not in buf:
                    more = c.recv(65536)
                    if not more:
                        if buf:
                            self.bad("a head that does not end", buf)
                        return
                    buf += more
                self.one(c, buf)
        except OSError:
            pass
        finally:
            c.close()

    def one(self, c, buf):
        head, _, rest = bytes(buf).partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        first = re.fullmatch(rb"([A-Z]+) (/[!-\"$-~]*) HTTP/1\.1", lines[0])
        if not first or b"\n" in head.replace(b"\r\n", b"") \
                or b"\r" in head.replace(b"\r\n", b""):
            self.bad("no canonical request line or line end", head)
        names = collections.Counter()
        headers = {}
        for line in lines[1:]:
            m = re.fullmatch(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t -~]*)", line)
            if not m:
                self.bad("no canonical header", line)
            names[m[1].lower()] += 1
            headers[m[1].lower()] = m[2]
        if names[b"host"] != 1 or headers[b"host"] != b"docker":
            self.bad("not our Host", head)
        if names[b"content-length"] + names[b"transfer-encoding"] > 1:
            self.bad("two framings", head)
        if not re.fullmatch(rb"\d+", headers.get(b"content-length", b"0")) \
                or headers.get(b"transfer-encoding", b"chunked") != b"chunked":
            self.bad("a framing of its own", head)
        for gone in (b"x-portreeve-assertion", b"te", b"trailer", b"expect",
                     b"keep-alive", b"proxy-connection", b"http2-settings"):
            if names[gone]:
                self.bad("a header that is not for the daemon", head)
        del buf[:len(head) + 4]
        body = self.body(c, buf, headers)
        ours = headers.get(b"user-agent") == b"portreeve" \
            and b"x-portreeve-lookup" in headers
        if not ours:
            with self.lock:
                self.got.append((first[1], first[2], headers, body))
        if ours and first[2].startswith(b"/events"):
            c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            return
        text = b'{"message":"no"}' if ours else b"[]"
        c.sendall(b"HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n%s" % (
                      b"404 Not Found" if ours else b"200 OK", len(text), text))

    def need(self, c, buf, n):
        while len(buf) < n:
            more = c.recv(65536)
            if not more:
                raise ConnectionError
            buf += more
        data = bytes(buf[:n])
        del buf[:n]
        return data

    def body(self, c, buf, headers):
        if b"transfer-encoding" not in headers:
            return self.need(c, buf, int(headers.get(b"content-length", b"0")))
        out = b""
        while True:
            size = b""
            while not size.endswith(b"\r\n"):
                size += self.need(c, buf, 1)
            if not re.fullmatch(rb"[0-9a-f]+\r\n", size):
                self.bad("no canonical chunk", size)
            n = int(size, 16)
            out += self.need(c, buf, n)
            if self.need(c, buf, 2) != b"\r\n":
                self.bad("a chunk that does not end", size)
            if n == 0:
                return out


class Client:
    def __init__(self, lab, port):
        self.ctx = ssl.create_default_context(cafile=lab.ca)
        self.ctx.load_cert_chain(*lab.pair("olga"))
        self.port = port

    def send(self, data):
        """(all that came back, the connection was ended by the proxy)"""
        raw = socket.create_connection(("127.0.0.1", self.port), 20)
        s = self.ctx.wrap_socket(raw, server_hostname="127.0.0.1")
        got = b""
        try:
            s.sendall(data)
            s.settimeout(0.15)
            while True:
                more = s.recv(65536)
                if not more:
                    return got, True
                got += more
        except (socket.timeout, TimeoutError):
            return got, False
        except OSError:
            return got, True
        finally:
            s.close()


def statuses(data):
    return [int(x) for x in re.findall(rb"HTTP/1\.1 (\d\d\d) ", data)]


def main():
    r = Report(verbose=False)
    rng = random.Random(SEED)
    print(f"seed {SEED}, {N} mutations")
    with Room("smuggle") as room:
        lab = Lab(room("ca"))
        lab.client("olga")
        daemon = Daemon(room("docker.sock"))
        p = Proxy(room, room("docker.sock"), lab, POLICY, PEOPLE,
                  sync="none").start()
        client = Client(lab, p.port)
        todo = attacks()
        r.check(len(todo) >= 200, f"{len(todo)} heads and bodies")
        todo += [a + SECOND for a in todo]
        todo += [mutate(rng, rng.choice(todo)) for _ in range(N)]
        unclosed, odd, smuggled = [], [], []

        def work(share):
            for data in share:
                before = b"smuggled" in data
                got, ended = client.send(data)
                codes = statuses(got)
                bad = [x for x in codes if x >= 400 and x != 403]
                if bad and not ended:
                    unclosed.append(data[:200])
                if codes and not set(codes) <= {100, 200, 400, 403, 408, 411,
                                                413, 414, 417, 431, 501, 502,
                                                505}:
                    odd.append((codes, data[:200]))
                # a good second request is answered; what stood in a body
                # is not
                if before and codes.count(200) > data.count(b"HTTP/1.1\r\n"):
                    smuggled.append(data[:300])

        threads = [threading.Thread(target=work, args=(todo[i::8],))
                   for i in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        r.equal(p.stop(), 0, "the proxy lives")
        r.equal(daemon.wrong[:3], [], "the daemon got canonical messages only")
        r.equal(unclosed[:3], [], "what is refused ends its connection")
        r.equal(odd[:3], [], "with a status that says so")
        r.equal(smuggled[:3], [], "no more answers than requests")
        allowed = collections.Counter()
        for line in p.records():
            rec = json.loads(line)
            if rec.get("verdict") == "allow":
                allowed[rec["method"], rec.get("canonical") or
                        rec["target"]] += 1
        seen = collections.Counter((m.decode(), t.decode())
                                   for m, t, _, _ in daemon.got)
        r.check(not seen - allowed, f"{sum(seen.values())} messages, each "
                "allowed by a record", str((seen - allowed).most_common(3)))
        # an allow whose client left, or whose body broke, was not sent whole
        print(f"{len(todo)} connections, {sum(allowed.values())} allowed")
        if r.failed:
            print(p.tail())
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
