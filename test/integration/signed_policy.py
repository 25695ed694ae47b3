#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""policy_signature: the plugin starts with a policy that a trusted key has
signed and with no other (78); a reload of one that is not signed, changed,
older or of another key keeps the old one; keys are read anew at a reload.
Confined, as it always runs."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Plugin, Report, Room  # noqa: E402

POLICY = """\
version: 1
teams: {console: {anonymous: true}}
hosts: {"*": [dev]}
phases: {dev: {}}
roles: {all: {allow: {system: [info, ping]}}}
grants: [{id: GRANT, team: console, role: all, phases: ["*"], owner: any}]
"""


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


class Site:
    def __init__(self, room):
        self.room = room
        self.p = Plugin(room, room("portreeve.sock"), room("docker.sock"),
                        POLICY, alone=True)
        self.signature = os.path.join(self.p.policy, "SIGNATURE")
        keys = room.mkdir("keys", mode=0o700)
        self.keys = {}
        for name, kind in (("ed", ["ed25519"]), ("other", ["ed25519"]), (
                "p256", ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"])):
            key = os.path.join(keys, name)
            openssl("genpkey", "-algorithm", *kind, "-out", key + ".key")
            os.chmod(key + ".key", 0o600)
            openssl("pkey", "-in", key + ".key", "-pubout", "-out",
                    key + ".pem")
            os.chmod(key + ".pem", 0o644)
            self.keys[name] = key
        with open(self.p.config_file, "a", encoding="utf-8") as f:
            f.write(f"policy_signature: {{keys: [{self.keys['ed']}.pem, "
                    f"{self.keys['p256']}.pem], min_serial: 5}}\n")

    def sign(self, key, serial):
        done = self.p.command("policy", "sign", "-k", self.keys[key] + ".key",
                              "-s", str(serial), self.p.policy, check=True)
        with open(self.signature, "w", encoding="utf-8") as f:
            f.write(done.stdout)

    def write(self, grant):
        self.p.write_policy(POLICY.replace("GRANT", grant))

    def run(self, *more):
        return subprocess.run(
            [self.p.program, "--config", self.p.config_file, *more],
            capture_output=True, text=True, timeout=60, check=False)

    def status(self):
        return self.p.command("status", "--config", self.p.config_file).stdout


def starts(r, s):
    for what, change, words in (
            ("no signature", lambda: None, "not signed"),
            ("another's", lambda: s.sign("other", 9), "not trusted"),
            ("an old one", lambda: s.sign("ed", 4), "older than 5"),
            ("of other files", lambda: (s.sign("ed", 5), s.write("b")),
             "other files")):
        s.write("a")
        change()
        for more in ([], ["--check"]):
            done = s.run(*more)
            r.check(done.returncode == 78 and words in done.stderr,
                    f"{what} {more}: 78", done.stderr)
    for key in ("p256", "ed"):
        s.sign(key, 5)
        done = s.run("--check")
        r.check(done.returncode == 0, f"signed by {key}", done.stderr)


def reloads(r, s):
    s.p.start()
    r.check(" 5\n" in s.status().split("policy_serial")[1][:80],
            "status says the serial", s.status())
    s.write("c")
    text = s.p.reload(expect="stays in force")
    r.check("other files" in text, "a changed policy: the old one", text)
    s.sign("p256", 8)
    s.p.reload(expect="is in force")
    r.check(" 8\n" in s.status().split("policy_serial")[1][:80],
            "a signed one is taken", s.status())
    s.write("a")
    s.sign("ed", 7)
    text = s.p.reload(expect="stays in force")
    r.check("older than 8, which is in force" in text,
            "an older one that was good once: the old one", text)
    s.sign("other", 9)
    text = s.p.reload(expect="stays in force")
    r.check("not trusted" in text, "a stranger's: the old one", text)
    os.replace(s.keys["other"] + ".pem", s.keys["ed"] + ".pem")
    s.p.reload(expect="is in force")
    r.check(" 9\n" in s.status().split("policy_serial")[1][:80],
            "a key that was exchanged is read anew", s.status())
    os.unlink(s.signature)
    text = s.p.reload(expect="stays in force")
    r.check("not signed" in text, "no signature any more: the old one", text)
    os.unlink(s.keys["ed"] + ".pem")
    s.sign("p256", 9)
    text = s.p.reload(expect="stays in force")
    r.check("ed.pem" in text, "a key that is gone: the old one", text)


def by_hand(r, s):
    """With openssl alone, as an HSM would."""
    s.sign("ed", 20)
    with open(s.signature, encoding="utf-8") as f:
        signed = f.read().rsplit(" ", 1)[0]
    s.room.write("text", signed)
    openssl("dgst", "-sha256", "-sign", s.keys["p256"] + ".key", "-out",
            s.room("sig"), s.room("text"))
    done = s.p.command("policy", "verify", "-k", s.keys["p256"] + ".pem",
                       s.p.policy)
    r.check(done.returncode == 78, "the line names its key", done.stderr)
    ident = subprocess.run(
        f"openssl pkey -pubin -in {s.keys['p256']}.pem -outform DER |"
        " sha256sum", shell=True, check=True, capture_output=True,
        text=True).stdout.split()[0]
    signed = signed.rsplit(" ", 1)[0] + " sha256:" + ident
    s.room.write("text", signed)
    openssl("dgst", "-sha256", "-sign", s.keys["p256"] + ".key", "-out",
            s.room("sig"), s.room("text"))
    b64 = subprocess.run(["openssl", "base64", "-A", "-in", s.room("sig")],
                         check=True, capture_output=True, text=True).stdout
    with open(s.signature, "w", encoding="utf-8") as f:
        f.write(signed + " " + b64 + "\n")
    done = s.p.command("policy", "verify", "-k", s.keys["p256"] + ".pem",
                       s.p.policy)
    r.check(done.returncode == 0 and "20" in done.stdout,
            "a line that openssl signed", done.stderr)


def main():
    r = Report()
    with Room("signed") as room:
        s = Site(room)
        starts(r, s)
        reloads(r, s)
        by_hand(r, s)
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
