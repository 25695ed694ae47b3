# SPDX-License-Identifier: Apache-2.0
"""Small HTTP/1.1 over unix sockets or TLS, byte-exact where a test needs it."""
import json
import socket
import ssl


def connect_unix(path, timeout=60.0):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    s.connect(path)
    return s


def connect_tls(port, cert, key, ca, timeout=60.0):
    ctx = ssl.create_default_context(cafile=ca)
    ctx.load_cert_chain(cert, key)
    s = socket.create_connection(("127.0.0.1", port), timeout)
    return ctx.wrap_socket(s, server_hostname="127.0.0.1")


class Answer:
    """status 0: the peer closed or broke off before a whole head."""

    def __init__(self, status=0, headers=None, body=b""):
        self.status = status
        self.headers = headers or {}
        self.body = body

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def message(self):
        j = self.json
        if isinstance(j, dict) and "message" in j:
            return j["message"]
        return self.body.decode("utf-8", "replace").strip()


class Reader:
    """Bytes of one connection, with a look-ahead buffer."""

    def __init__(self, sock):
        self.sock = sock
        self.buf = b""

    def fill(self):
        data = self.sock.recv(65536)
        self.buf += data
        return bool(data)

    def line(self):
        while b"\n" not in self.buf:
            if not self.fill():
                raise ConnectionError("closed in a line")
        line, self.buf = self.buf.split(b"\n", 1)
        return line.rstrip(b"\r")

    def exactly(self, n):
        while len(self.buf) < n:
            if not self.fill():
                raise ConnectionError("closed in a body")
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def chunked(self):
        out = b""
        while True:
            n = int(self.line().split(b";")[0], 16)
            if n == 0:
                while self.line():
                    pass
                return out
            out += self.exactly(n)
            self.line()

    def rest(self, quiet):
        """A stream without length: until it ends or says nothing more."""
        self.sock.settimeout(quiet)
        try:
            while self.fill():
                pass
        except (socket.timeout, TimeoutError):
            pass
        data, self.buf = self.buf, b""
        return data


def read_answer(sock, method="GET", quiet=1.0):
    r = Reader(sock)
    try:
        while True:
            status = int(r.line().split(b" ")[1])
            headers = {}
            line = r.line()
            while line:
                k, _, v = line.partition(b":")
                headers[k.decode("latin1").lower()] = \
                    v.strip().decode("latin1")
                line = r.line()
            if status != 100:
                break
        if method == "HEAD" or status in (204, 304):
            return Answer(status, headers)
        if headers.get("transfer-encoding") == "chunked":
            body = r.chunked()
        elif "content-length" in headers:
            body = r.exactly(int(headers["content-length"]))
        else:
            body = r.rest(quiet)
        return Answer(status, headers, body)
    except (OSError, ValueError, IndexError):
        return Answer()


def send_raw(sock, data, method="GET", quiet=1.0):
    """Sends exactly these bytes on the connection, reads one answer, closes."""
    try:
        try:
            sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_answer(sock, method, quiet)
    finally:
        sock.close()


def encode(method, target, body=None, headers=None):
    h = {"Host": "docker"}
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
        h["Content-Type"] = "application/json"
    h.update(headers or {})
    if body is not None or method in ("POST", "PUT"):
        h.setdefault("Content-Length", str(len(body or b"")))
    head = f"{method} {target} HTTP/1.1\r\n"
    head += "".join(f"{k}: {v}\r\n" for k, v in h.items())
    return head.encode("latin1") + b"\r\n" + (body or b"")


def request(sock, method, target, body=None, headers=None, timeout=60.0):
    """One request over a new connection to a unix socket."""
    return send_raw(connect_unix(sock, timeout),
                    encode(method, target, body, headers), method)


def post(sock, target, body):
    return request(sock, "POST", target, body)


def authz_call(sock, message, kind="AuthZReq", timeout=30.0):
    """What dockerd sends to a plugin: (status, answer as object or None).

    message: a dict, or bytes for calls that are not JSON at all.
    """
    if isinstance(message, dict):
        message = json.dumps(message).encode()
    head = {"Host": "", "User-Agent": "Go-http-client/1.1",
            "Accept": "application/vnd.docker.plugins.v1.2+json"}
    a = request(sock, "POST", "/AuthZPlugin." + kind, message, head, timeout)
    return a.status, a.json


class Api:
    """The Engine API for the one who prepares the world: api("GET", "/x")."""

    def __init__(self, connect, version="v1.41"):
        self.connect = connect
        self.version = version

    def __call__(self, method, path, body=None, headers=None):
        target = f"/{self.version}{path}" if self.version else path
        return send_raw(self.connect(), encode(method, target, body, headers),
                        method)

    def must(self, method, path, body=None, headers=None):
        """The same, and an error unless it worked."""
        a = self(method, path, body, headers)
        if not 200 <= a.status < 400:
            raise RuntimeError(f"{method} {path}: {a.status} {a.message}")
        return a.json
