#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""make run DOOR=proxy: one daemon that two teams share, and do not see.

A private dockerd with the plugin in its daemon.json, the proxy before it, a
CA and a directory with two teams and an admin; then scenes with the real
docker command.  Ctrl-C ends it and leaves nothing; ONCE=1 ends after the
scenes with an honest exit status.
"""
import os
import pty
import select
import subprocess
import sys
import textwrap
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Dockerd, Lab, Plugin, Proxy, Report, Room  # noqa: E402
from harness.people import ldif  # noqa: E402
from harness.dockerd import busybox_tar  # noqa: E402

ONCE = os.environ.get("ONCE", "") not in ("", "0")
BOLD, GREEN, RED, PLAIN = ("", "", "", "")
if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
    BOLD, GREEN, RED, PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[0m"
PEOPLE = {"alice": "payments", "mila": "search", "olga": "platform"}
SUFFIX = "dc=acme,dc=com"
POLICY = """\
version: 1
labels: {team: com.acme.team, phase: com.acme.phase}
teams:
  payments: {ldap: ["cn=payments,ou=groups,dc=acme,dc=com"], contact: "#pay-oncall"}
  search:   {ldap: ["cn=search,ou=groups,dc=acme,dc=com"], contact: "#search"}
  platform: {ldap: ["cn=platform,ou=groups,dc=acme,dc=com"]}
hosts: {"*": [dev]}
phases: {dev: {audit: request}}
roles:
  admin: {allow: {"*": ["*"]}}
  developer:
    allow:
      container: ["*"]
      volume: ["*"]
      network: ["*"]
      image: [list, inspect, tag]
      build: [run]
      system: [info, events, df]
profiles:
  baseline:
    images: {allow: ["docker.io/library/*"], write: ["docker.io/${team}/**"]}
    namespaces: {network: [private, none, own]}
    exec: {user: [same-as-container]}
    build: {network: [default, none]}
grants:
  - {id: pay-dev,    team: payments, role: developer, phases: [dev], profile: baseline}
  - {id: search-dev, team: search, role: developer, phases: [dev], profile: baseline}
  - {id: ops,        team: platform, role: admin, phases: ["*"], owner: any, profile: unrestricted}
responses:
  - {id: env-mask, on: {container: [inspect]}, redact: ["Config.Env[*TOKEN*|*SECRET*|*PASSWORD*]"], except: [platform]}
"""


def say(text):
    print(text, flush=True)


def quote(text, lines):
    """What a command said, whole sentences."""
    for line in [x for x in text.splitlines() if x.strip()][:lines]:
        for part in textwrap.wrap(line, 110, subsequent_indent="  ",
                                  replace_whitespace=False) or [line]:
            say("    | " + part)


class Stage:
    def __init__(self, room):
        self.room = room
        self.r = Report(verbose=False)
        self.n = 0
        say("a certificate authority, and certificates for "
            + ", ".join(PEOPLE))
        self.lab = Lab(room("ca"))
        for who in PEOPLE:
            self.lab.client(who)
        key = room.write("assertion.key", os.urandom(32).hex(), mode=0o600)
        self.d = Dockerd(room, plugins=["portreeve"])
        say("the plugin behind the daemon: who comes round the proxy is denied")
        self.plugin = Plugin(
            room, self.d.plugin_socket("portreeve"), self.d.socket, POLICY,
            ldif(PEOPLE), extra=f"proxy: {{assertion_key: {key}}}\n").start()
        say("dockerd, with the plugin in its daemon.json")
        self.d.start()
        self.p = Proxy(room, self.d.socket, self.lab, POLICY, ldif(PEOPLE),
                       options=f"  assertion_key: {key}\n").start()
        say(f"the proxy: tcp://127.0.0.1:{self.p.port} (mutual TLS), "
            f"unix://{self.p.unix}\n")

    def scene(self, title, who, argv, want, text="", stdin=b""):
        """One docker command, what was expected, what happened."""
        self.n += 1
        say(f"{BOLD}{self.n:2}. {title}{PLAIN}")
        say(f"    {who}$ docker " + " ".join(argv))
        done = subprocess.run(["docker", *argv], env=self.p.docker_env(who),
                              input=stdin, capture_output=True, timeout=120,
                              check=False)
        out = (done.stdout + done.stderr).decode(errors="replace").strip()
        quote(out, 6)
        texts = [text] if isinstance(text, str) else text
        ok = (done.returncode == 0) == (want == "allowed") and all(
            t in out if not t.startswith("!") else t[1:] not in out
            for t in texts)
        self.r.check(ok, title, out)
        say(f"    {GREEN if ok else RED}{want if ok else 'NOT AS EXPECTED'}"
            f"{PLAIN}\n")
        return out

    def terminal(self, title, who, argv, script, want):
        """The same under a terminal: waits for a text, types the answer."""
        self.n += 1
        say(f"{BOLD}{self.n:2}. {title}{PLAIN}")
        say(f"    {who}$ docker " + " ".join(argv))
        pid, fd = pty.fork()
        if pid == 0:
            os.environ.clear()
            os.environ.update(self.p.docker_env(who), TERM="xterm")
            os.execvp("docker", ["docker", *argv])
        shown = b""
        end = time.monotonic() + 60
        for wait_for, answer in script:
            mark = len(shown)
            while wait_for not in shown[mark:] and time.monotonic() < end:
                if not select.select([fd], [], [], 1)[0]:
                    continue
                try:
                    shown += os.read(fd, 65536)
                except OSError:  # it has ended
                    break
            os.write(fd, answer)
        while True:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            shown += data
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(fd)
        quote(shown.decode(errors="replace"), 8)
        ok = status == 0 and want in shown
        self.r.check(ok, title, repr(shown))
        say(f"    {GREEN if ok else RED}{'as expected' if ok else 'NOT'}"
            f"{PLAIN}\n")


def play(s):
    s.scene("the admin loads an image: no plugin sees its bytes, the proxy "
            "passes them on", "olga", ["import", "-", "busybox"], "allowed",
            stdin=busybox_tar())
    s.scene("alice runs a service of payments", "alice",
            ["run", "-d", "--name", "api", "-e", "API_TOKEN=s3cret",
             "busybox", "sleep", "600"], "allowed")
    s.scene("mila runs one of search", "mila",
            ["run", "-d", "--name", "index", "busybox", "sleep", "600"],
            "allowed")
    s.scene("alice sees what is hers", "alice",
            ["ps", "--format", "{{.Names}}"], "allowed", ["api", "!index"])
    s.scene("mila sees what is hers", "mila",
            ["ps", "--format", "{{.Names}}"], "allowed", ["index", "!api"])
    s.scene("the admin sees everything", "olga",
            ["ps", "--format", "{{.Names}}"], "allowed", ["index", "api"])
    s.scene("what is another team's stays so", "mila", ["stop", "api"],
            "denied", "belongs to team payments")
    s.scene("secrets in the environment are hidden", "alice",
            ["inspect", "-f", "{{.Config.Env}}", "api"], "allowed",
            ["API_TOKEN=<redacted>", "!s3cret"])
    s.scene("whose it is stands on it, for other tools", "alice",
            ["inspect", "-f", "{{.Config.Labels}}", "api"], "allowed",
            ["com.acme.team:payments", "com.acme.phase:dev"])
    s.terminal("alice works in her container", "alice",
               ["exec", "-it", "api", "sh"],
               [(b"# ", b"echo $((6*7))\n"), (b"42", b"exit 0\n")], b"42")
    folder = s.room.mkdir("context")
    s.room.write("context/Dockerfile", "FROM busybox\nCOPY big /big\n")
    s.room.write("context/big", os.urandom(8_000_000))
    s.scene("she builds: the context streams through", "alice",
            ["build", "-q", "-t", "payments/api", folder], "allowed",
            "sha256:")
    s.scene("but not as root of the host", "alice",
            ["run", "--privileged", "busybox", "true"], "denied",
            "HostConfig.Privileged")
    s.n += 1
    say(f"{BOLD}{s.n:2}. root goes round the proxy, to the daemon's own "
        f"socket{PLAIN}")
    done = subprocess.run(
        ["docker", "-H", "unix://" + s.d.socket, "ps"], capture_output=True,
        text=True, check=False, env={k: v for k, v in os.environ.items()
                                     if not k.startswith("DOCKER_")})
    quote(done.stderr, 6)
    ok = done.returncode != 0 and "denied" in done.stderr
    s.r.check(ok, "the second lock", done.stderr)
    say(f"    {GREEN if ok else RED}{'denied' if ok else 'NOT'}{PLAIN}\n")


def main():
    with Room("shared") as room:
        s = Stage(room)
        play(s)
        if ONCE or not sys.stdout.isatty():
            if s.r.failed:
                say(s.p.tail() + s.plugin.tail())
            return s.r.end()
        for who in PEOPLE:
            say(f"{who}:  docker --tlsverify --tlscacert "
                f"{s.lab.bundle(who)}/ca.pem --tlscert "
                f"{s.lab.bundle(who)}/cert.pem --tlskey "
                f"{s.lab.bundle(who)}/key.pem "
                f"-H tcp://127.0.0.1:{s.p.port} ps")
        say("\nyours to try; Ctrl-C ends it")
        try:
            s.p.proc.wait()
        except KeyboardInterrupt:
            say("")
        return s.r.end()


if __name__ == "__main__":
    sys.exit(main())
