#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""Two locks: the plugin takes from the daemon's socket what the proxy signed.

A real dockerd with the plugin in its daemon.json and the proxy before it; the
docker command works through the proxy, and the socket behind it is of no use
to anybody: not without an assertion, not with one that was used, is old, or
speaks of another request.
"""
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Dockerd, Lab, Plugin, Proxy, Report, Room  # noqa: E402
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
  developer: {allow: {container: ["*"]}}
profiles:
  small:
    images: {allow: ["docker.io/library/*"]}
grants:
  - {id: ops, team: platform, role: admin, phases: ["*"], owner: any, profile: unrestricted}
  - {id: pay, team: payments, role: developer, phases: [dev], profile: small}
"""
PEOPLE = ldif({"olga": "platform", "alice": "payments"})
SECRET = "0123456789abcdef0123456789abcdef\n"


class Forger:
    """Somebody who stole the key: shows what the signature is bound to."""

    def __init__(self, key, cert):
        self.key = hashlib.sha256(key.encode()).digest()
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
            self.boot = f.read().strip()
        with open(cert, "rb") as f:
            pem = f.read()
        import base64
        self.cert = base64.b64encode(pem).decode()
        self.n = 0

    def sign(self, method, target, ctype="", body=b"", age=0.0, nonce=None,
             boot=None, digest=None, kind="request"):
        self.n += 1
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - int(age * 1e9)
        said = (f"v1;kind={kind};time={now};"
                f"nonce={nonce or '%032x' % (self.n + 77)};"
                f"boot={boot or self.boot};"
                f"body={digest or hashlib.sha256(body).hexdigest()}")
        if kind == "request":
            said += f";decision=x;policy=y;cert={self.cert}"
        text = b"portreeve.assertion/1\n" + b"".join(
            b"%d:%s\n" % (len(p), p.encode())
            for p in (said, method, target, ctype))
        return said + ";mac=" + hmac.new(self.key, text,
                                         hashlib.sha256).hexdigest()


def through(r, w):
    r.check(w.docker("version")[0] == 0, "docker version")
    code, out, err = w.docker("import", "-", "busybox", stdin=busybox_tar())
    r.check(code == 0, "docker import: a body that no plugin is shown", err)
    code, out, err = w.docker("run", "--rm", "--name", "one", "busybox",
                              "echo", "hi", who="alice")
    r.equal((code, out), (0, "hi\n"), "docker run through both locks")
    code, out, err = w.docker("run", "-i", "--rm", "busybox", "wc", "-c",
                              stdin=b"x" * 5000, who="alice")
    r.equal((code, out.strip()), (0, "5000"), "docker run -i")
    code, out, err = w.docker("run", "--rm", "--privileged", "busybox",
                              "true", who="alice")
    r.check(code != 0 and "denied by portreeve" in err,
            "the first lock denies in its own words", err)
    text = w.plugin_log()
    r.check('"lab:alice"' in text and "container.create" in text,
            "the plugin's log has the same subject")
    r.check("look-up" not in text, "and no look-ups")


def direct(r, w):
    def ask(method, target, value=None, body=None, headers=None):
        h = dict(headers or {})
        if value is not None:
            h["X-Portreeve-Assertion"] = value
        return wire.request(w.d.socket, method, target, body, h)

    f = Forger(SECRET, w.lab.pair("olga")[0])
    get = "/v1.41/containers/json"
    a = ask("GET", get)
    r.check(a.status == 403, "without an assertion: denied", a.message)
    a = ask("GET", get, "v1;kind=request;mac=" + "0" * 64)
    r.check(a.status == 403 and "not about this request" in a.message,
            "with a forged one", a.message)
    good = f.sign("GET", get)
    a = ask("GET", get, good)
    r.check(a.status == 200, "with a good one: as its caller", a.message)
    a = ask("GET", get, good)
    r.check(a.status == 403 and "used before" in a.message,
            "with the same one again", a.message)
    a = ask("GET", "/v1.41/containers/json?all=1", f.sign("GET", get))
    r.check(a.status == 403 and "not about this" in a.message,
            "for another target", a.message)
    a = ask("DELETE", "/v1.41/containers/x",
            f.sign("GET", "/v1.41/containers/x"))
    r.check(a.status == 403, "for another method", a.message)
    a = ask("GET", get, f.sign("GET", get, age=6))
    r.check(a.status == 403 and "too old" in a.message, "an old one",
            a.message)
    a = ask("GET", get, f.sign("GET", get, age=-3))
    r.check(a.status == 403 and "too old" in a.message, "one of the future",
            a.message)
    a = ask("GET", get, f.sign("GET", get, boot="x"))
    r.check(a.status == 403, "one of another boot", a.message)
    nonce = "ab" * 16
    a = ask("GET", get, f.sign("GET", get, nonce=nonce))
    b = ask("GET", get, f.sign("GET", get, nonce=nonce))
    r.equal((a.status, b.status), (200, 403), "a stolen nonce")
    body = json.dumps({"Image": "busybox", "Cmd": ["true"]}).encode()
    create = "/v1.41/containers/create"
    js = {"Content-Type": "application/json"}
    a = ask("POST", create, f.sign("POST", create, "application/json", body),
            body, js)
    r.check(a.status == 201, "a create with its body", a.message)
    a = ask("POST", create, f.sign("POST", create, "application/json", body),
            body.replace(b"true", b"evil"), js)
    r.check(a.status == 403 and "body" in a.message, "another body",
            a.message)
    a = ask("POST", create, f.sign("POST", create, "application/json",
                                   digest="stream"), body, js)
    r.check(a.status == 403, "`stream` where the plugin sees the body",
            a.message)
    a = ask("POST", create, f.sign("POST", create, "application/json",
                                   kind="look-up"), body, js)
    r.check(a.status == 403, "a look-up is no create", a.message)
    cert, key = w.lab.pair("alice")
    s = w.p.connect(cert, key)
    a = wire.send_raw(s, wire.encode("GET", get, None, {
        "X-Portreeve-Assertion": f.sign("GET", get)}))
    r.check(a.status == 403 or a.json == [],
            "a client's own copy is taken away: alice stays alice",
            str(a.status))


class World:
    def __init__(self, room):
        self.room = room
        self.lab = Lab(room("ca"))
        for who in ("olga", "alice"):
            self.lab.client(who)
        key = room.write("assertion.key", SECRET, mode=0o600)
        self.d = Dockerd(room, plugins=["portreeve"])
        self.plugin = Plugin(
            room, self.d.plugin_socket("portreeve"), self.d.socket, POLICY,
            PEOPLE, extra=f"proxy: {{assertion_key: {key}}}\n").start()
        self.d.start()
        self.p = Proxy(room, self.d.socket, self.lab, POLICY, PEOPLE,
                       options=f"  assertion_key: {key}\n").start()

    def docker(self, *args, who="olga", stdin=b"", timeout=120):
        done = subprocess.run(["docker", *args], input=stdin,
                              env=self.p.docker_env(who), check=False,
                              capture_output=True, timeout=timeout)
        return (done.returncode, done.stdout.decode(errors="replace"),
                done.stderr.decode(errors="replace"))

    def plugin_log(self):
        out = ""
        for name in os.listdir(self.plugin.audit):
            if name.startswith("plugin"):
                with open(os.path.join(self.plugin.audit, name),
                          encoding="utf-8", errors="replace") as f:
                    out += f.read()
        return out


def main():
    r = Report(verbose=False)
    with Room("locks") as room:
        w = World(room)
        for part in (through, direct):
            part(r, w)
        r.equal(w.p.stop(), 0, "the proxy ends")
        if r.failed:
            print(w.p.tail(), w.plugin.tail())
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
