#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Wrong owners and modes of what the configuration names: each is refused at
the start (78) and by --check, with the command that mends it; after that
command it is taken.  A reload looks again."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Lab, Plugin, Proxy, Report, Room  # noqa: E402

POLICY = """\
version: 1
teams: {console: {anonymous: true}}
hosts: {"*": [dev]}
phases: {dev: {}}
roles: {all: {allow: {system: [ping]}}}
grants: [{id: all, team: console, role: all, phases: ["*"], owner: any}]
"""
NOBODY = 65534
BOTH, PLUGIN, PROXY = ("plugin", "proxy"), ("plugin",), ("proxy",)
# what, the wrong modes ("user": another owner), and who looks at it
ROWS = [
    ("portreeve.yaml", (0o666, 0o620, "user"), BOTH),
    ("{etc}", (0o777, 0o775, "user"), BOTH),
    ("policy.d", (0o777, 0o775, "user"), BOTH),
    ("policy.d/policy.yaml", (0o666, 0o664, "user"), BOTH),
    ("policy.d/SIGNATURE", (0o666, "user"), BOTH),
    ("keys", (0o777, "user"), BOTH),
    ("keys/policy.pem", (0o666, "user"), BOTH),
    ("keys/checkpoint.key", (0o640, 0o604, "user"), BOTH),
    ("keys/hmac.key", (0o640, "user"), BOTH),
    ("keys/assertion.key", (0o644, "user"), BOTH),
    ("keys/ca.pem", (0o666, "user"), BOTH),
    ("keys/deny", (0o666, "user"), BOTH),
    ("people.ldif", (0o666, "user"), BOTH),
    ("promotions", (0o777, "user"), BOTH),
    ("promotions/a.promotions", (0o666, "user"), BOTH),
    ("audit", (0o777, 0o702, 0o770, "user"), BOTH),
    ("state", (0o777, "user"), BOTH),
    ("state/ledger.db", (0o666, 0o640, "user"), BOTH),
    ("copies", (0o777, "user"), BOTH),
    ("sockets", (0o777, 0o775, "user"), PLUGIN),
    ("admin", (0o777, "user"), PLUGIN),
    ("listen", (0o777, "user"), PROXY),
    ("keys/server.pem", (0o666, "user"), PROXY),
    ("keys/server.key", (0o640, 0o644, "user"), PROXY),
    ("keys/clients.pem", (0o666, "user"), PROXY),
]
CONFIG = """\
daemon: {{name: host-1, socket: {0}/no-docker.sock}}
policy: policy.d
identity:
  - {{source: lab, issuer: "CN=Lab CA", by: cn, ca: keys/ca.pem}}
identity_deny: keys/deny
directory: {{type: ldif, file: people.ldif}}
audit: {{dir: audit, sync: none, key: keys/hmac.key, checkpoint: {{key: keys/checkpoint.key, copy: copies/checkpoints}}}}
ledger: state/ledger.db
promotions: promotions
plugin: {{socket: sockets/p.sock, accept_plain_tcp: true}}
admin: {{socket: admin/a.sock}}
policy_signature: {{keys: [keys/policy.pem]}}
proxy:
  assertion_key: keys/assertion.key
  admin: admin/b.sock
  listen:
    - {{name: tcp, address: "127.0.0.1:0", tls: {{cert: keys/server.pem, key: keys/server.key, client_ca: keys/clients.pem}}}}
    - {{name: local, unix: listen/l.sock}}
"""


class Site:
    """Everything that a configuration can name, as it should be."""

    def __init__(self, room):
        self.room = room
        lab = Lab(room("ca"))
        self.programs = {
            "plugin": Plugin(room, room("x.sock"), room("no"), POLICY,
                             name="unused-a").program,
            "proxy": Proxy(room, room("no"), lab, POLICY,
                           name="unused-b").program}
        self.etc = room.mkdir("etc", mode=0o755)
        for name in ("policy.d", "keys", "promotions", "state", "copies",
                     "sockets", "admin", "listen"):
            room.mkdir("etc", name, mode=0o755)
        room.mkdir("etc", "audit", mode=0o700)
        self.write("policy.d/policy.yaml", POLICY)
        self.write("people.ldif", "")
        self.write("keys/deny", "")
        self.write("promotions/a.promotions", "")
        self.write("keys/assertion.key", "k" * 64, 0o600)
        self.write("keys/hmac.key", "h" * 64, 0o600)
        cert, key = lab.server("proxy")
        for name, path in (("server.pem", cert), ("server.key", key),
                           ("clients.pem", lab.ca), ("ca.pem", lab.ca)):
            shutil.copy(path, self("keys/" + name))
            os.chmod(self("keys/" + name), 0o644)
        os.chmod(self("keys/server.key"), 0o600)
        for name in ("checkpoint", "policy"):
            self.sh(f"openssl genpkey -algorithm ed25519 -out {name}.key &&"
                    f" chmod 600 {name}.key && openssl pkey -in {name}.key"
                    f" -pubout -out {name}.pem && chmod 644 {name}.pem",
                    self("keys"))
        self.sh(f"{os.path.dirname(self.programs['plugin'])}/portreeve policy"
                " sign -k keys/policy.key -s 1 policy.d >policy.d/SIGNATURE",
                self.etc)
        self.write("portreeve.yaml", CONFIG.format(self.etc))

    def __call__(self, name):
        return os.path.join(self.etc, name)

    def write(self, name, text, mode=0o644):
        with open(self(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self(name), mode)

    @staticmethod
    def sh(command, cwd):
        subprocess.run(command, shell=True, check=True, cwd=cwd,
                       capture_output=True)

    def run(self, who, *more):
        return subprocess.run(
            [self.programs[who], "--config", self("portreeve.yaml"), *more],
            capture_output=True, text=True, timeout=60, check=False)


def spoil(path, wrong):
    st = os.stat(path)
    if wrong == "user":
        os.chown(path, NOBODY, -1)
    else:
        os.chmod(path, wrong)
    return st


def refused(r, s, name, wrong, programs):
    path = s.etc if name == "{etc}" else s(name)
    for who in programs:
        st = spoil(path, wrong)
        what = f"{who}: {name} {wrong if wrong == 'user' else oct(wrong)}"
        said = []
        # --check by root acts as the owner of the ledger's folder
        for more in ([], ["--check"])[:1 if name == "state" else 2]:
            done = s.run(who, *more)
            said.append(done.stderr)
            r.check(done.returncode == 78 and path in done.stderr,
                    f"{what} {' '.join(more)}: 78", done.stderr)
        hints = re.findall(r"(ch(?:mod|own) [^;]*)$", said[0], re.M)
        good = len(hints) == 1 and path in hints[0]
        r.check(good, f"{what}: the command that mends it", said[0])
        if good:
            s.sh(hints[0], "/")
            done = s.run(who, "--check")
            r.check(done.returncode == 0, f"{what}: mended", done.stderr)
        os.chown(path, st.st_uid, st.st_gid)
        os.chmod(path, st.st_mode & 0o7777)


def reloads(r, s):
    """What became anybody's while it runs is not read again."""
    for who, path, mode in (("plugin", "policy.d/policy.yaml", 0o666),
                            ("proxy", "people.ldif", 0o666)):
        log = s.room(who + ".log")
        with open(log, "wb") as f:
            proc = subprocess.Popen(
                [s.programs[who], "--config", s("portreeve.yaml")], stderr=f)

        def until(words, log=log):
            end = time.monotonic() + 30
            while time.monotonic() < end:
                with open(log, encoding="utf-8") as f:
                    text = f.read()
                if words in text:
                    return text
                time.sleep(0.05)
            return ""
        r.check(until("with policy"), f"{who} begins")
        st = os.stat(s(path))
        os.chmod(s(path), mode)
        proc.send_signal(signal.SIGHUP)
        text = until("reload: not")
        r.check("chmod 0644 " + s(path) in text,
                f"{who}: a reload of what others may write", text)
        os.chmod(s(path), st.st_mode & 0o7777)
        proc.send_signal(signal.SIGHUP)
        r.check(until("reload: policy"), f"{who}: mended, a reload is done")
        proc.terminate()
        r.equal(proc.wait(30), 0, f"{who}: an orderly end")


def main():
    r = Report()
    with Room("owners") as room:
        s = Site(room)
        for who in BOTH:
            done = s.run(who, "--check")
            r.check(done.returncode == 0, f"{who}: all is well", done.stderr)
        reloads(r, s)
        for name, wrongs, programs in ROWS:
            for wrong in wrongs:
                refused(r, s, name, wrong, programs)
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
