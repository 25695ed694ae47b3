#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""make run: a real dockerd, guarded, and what people meet at its door.

A private dockerd (TLS on 127.0.0.1, its own namespaces), a directory with
three people of two teams and an admin, a CA of its own, the plugin named in
daemon.json; then scenes with the real docker command, each with what was
expected and what happened.  Ctrl-C ends it and leaves nothing; ONCE=1 ends
after the scenes with an honest exit status.
"""
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import (BUILD, Dockerd, Lab, Plugin,  # noqa: E402
                     Report, ROOT, Room, Slapd)
from harness.dockerd import busybox_tar  # noqa: E402
from harness.wire import connect_tls, encode, send_raw  # noqa: E402

# the embedded directory (an LDIF file), or a private slapd
LDAP = os.environ.get("DIRECTORY", "") == "ldap"
ONCE = os.environ.get("ONCE", "") not in ("", "0")
PROFILES = os.path.join(ROOT, "packaging", "policy", "plugin-only.yaml")
BOLD, GREEN, RED, PLAIN = ("", "", "", "")
if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
    BOLD, GREEN, RED, PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[0m"

PEOPLE = {"alice": "payments", "ben": "payments", "mila": "search",
          "olga": "platform"}
SUFFIX = "dc=acme,dc=com"
LAB = """\
version: 1
labels: {team: com.acme.team, phase: com.acme.phase}
teams:
  payments: {ldap: ["cn=payments,ou=groups,dc=acme,dc=com"], contact: "#pay-oncall"}
  search:   {ldap: ["cn=search,ou=groups,dc=acme,dc=com"], contact: "#search"}
  platform: {ldap: ["cn=platform,ou=groups,dc=acme,dc=com"]}
hosts:
  "lab": [dev, production]
phases:
  dev: {audit: metadata}
  production: {audit: request}
grants:
  - {id: pay-dev,    team: payments, role: developer, phases: [dev], profile: baseline}
  - {id: pay-watch,  team: payments, role: viewer, phases: [production]}
  - {id: search-dev, team: search, role: developer, phases: [dev], profile: baseline}
  - {id: ops,        team: platform, role: admin, phases: ["*"], owner: any, profile: unrestricted}
"""
SHOP = """\
version: "3.7"
services:
  db:
    image: busybox
    command: sh -c "echo ready >/data/state; exec sleep 1000"
    stop_signal: SIGKILL
    volumes: ["data:/data"]
  api:
    image: busybox
    command: sleep 1000
    stop_signal: SIGKILL
    depends_on: [db]
    volumes: ["data:/data"]
volumes: {data: {}}
"""
# what the live edit adds: payments may deploy to production
PAY_PROD = "  - {id: pay-prod, team: payments, role: deployer, " \
           "phases: [production], profile: baseline}\n"
DIRECTORY = """\
{{type: ldap, uri: ["{uri}"], tls: {{ca: {ca}}},
  bind: {{method: simple, dn: "{dn}", password_file: {password}}},
  user: {{base: "ou=people,{suffix}", filter: "(objectClass=inetOrgPerson)", name: uid}},
  group: {{base: "ou=groups,{suffix}", filter: "(objectClass=groupOfNames)", member: member, name: cn, nested: expand, depth: 5}},
  timeouts: {{connect: 1s, search: 1s}},
  cache: {{ttl: 2s, negative_ttl: 1s, stale_ok: 15m}}}}"""


def ldif(gone=()):
    """The directory, as ldapadd takes it; who is gone is in no team."""
    text = [f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization"
            "\no: Acme\ndc: acme\n"]
    for ou in ("people", "groups"):
        text.append(f"dn: ou={ou},{SUFFIX}\nobjectClass: organizationalUnit\n"
                    f"ou: {ou}\n")
    for uid in PEOPLE:
        text.append(f"dn: uid={uid},ou=people,{SUFFIX}\nobjectClass: "
                    f"inetOrgPerson\nuid: {uid}\ncn: {uid.title()}\nsn: "
                    f"{uid[0].upper()}\nmail: {uid}@acme.com\n")
    for team in sorted(set(PEOPLE.values())):
        members = "".join(f"member: uid={u},ou=people,{SUFFIX}\n"
                          for u, t in PEOPLE.items()
                          if t == team and u not in gone)
        text.append(f"dn: cn={team},ou=groups,{SUFFIX}\nobjectClass: "
                    f"groupOfNames\ncn: {team}\n{members}")
    return "\n".join(text)


class Stage:
    """What the scenes are played on."""

    def __init__(self, room):
        self.room = room
        self.r = Report(verbose=False)
        self.n = 0
        say("a certificate authority, and certificates for "
            + ", ".join(PEOPLE))
        self.lab = Lab(room("ca"))
        for who in PEOPLE:
            self.lab.client(who, "--email", who + "@acme.com")
        self.people = room.write("people.ldif", ldif())
        self.slapd = None
        if LDAP:
            say("a directory: slapd on loopback, ldaps, from people.ldif")
            cert, key = self.lab.server("slapd")
            self.slapd = Slapd(room, SUFFIX, (self.lab.ca, cert, key))
            self.slapd.start(self.people)
        else:
            say("a directory: people.ldif, as ldapadd takes it")
        self.d = Dockerd(room, plugins=["portreeve"], lab=self.lab,
                         binds={room.mkdir("srv"): "/srv"})
        room.mkdir("srv", "payments")
        say("the plugin, with packaging/policy/plugin-only.yaml and lab.yaml")
        self.plugin = self.start_plugin()
        say("dockerd, with the plugin in its daemon.json")
        self.d.start()
        say(f"ready: tcp://127.0.0.1:{self.d.port} (mutual TLS)\n")

    def directory(self):
        if self.slapd is None:
            return f"{{type: ldif, file: {self.people}}}"
        password = self.room.write("ldap.password", self.slapd.password,
                                   mode=0o600)
        return DIRECTORY.format(
            uri=self.slapd.ldaps, ca=self.lab.ca, dn=self.slapd.rootdn,
            password=password, suffix=SUFFIX)

    def leaves(self, who):
        """Takes somebody out of the team, and lets the plugin notice."""
        if self.slapd is None:
            self.room.write("people.ldif", ldif(gone=(who,)))
            self.edit(LAB, f"{who} has left in people.ldif")
            return
        self.slapd.tool("ldapmodify", "-f", self.room.write("leave.ldif", (
            f"dn: cn={PEOPLE[who]},ou=groups,{SUFFIX}\nchangetype: modify\n"
            f"delete: member\nmember: uid={who},ou=people,{SUFFIX}\n")))
        time.sleep(3)  # past the ttl of the cache

    def start_plugin(self):
        directory = self.directory()
        p = Plugin(self.room, self.d.plugin_socket("portreeve"),
                   self.d.socket, None, directory=directory, host="lab",
                   name="portreeve")
        self.policy = self.room.mkdir("portreeve", "policy.d")
        shutil.copy(PROFILES, self.policy)
        self.lab_yaml = os.path.join(self.policy, "lab.yaml")
        self.room.write("portreeve/policy.d/lab.yaml", LAB)
        return p.start()

    def environment(self, who):
        folder = self.lab.bundle(who)
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("DOCKER_", "COMPOSE_"))
               and not k.endswith("_CA_BUNDLE")}
        env.update(DOCKER_BUILDKIT="0", DOCKER_HOST=f"tcp://127.0.0.1:{self.d.port}",
                   DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=folder,
                   DOCKER_CONFIG=folder, NO_COLOR="1")
        return env

    def scene(self, title):
        print(f"{BOLD}— {title}{PLAIN}", flush=True)

    def verdict(self, who, command, want, ok, shown, note=""):
        self.n += 1
        color, word = (GREEN, "as expected") if ok else (RED, "NOT EXPECTED")
        print(f"{self.n:3}. {who} ({PEOPLE.get(who, 'the daemon')}) $ "
              f"{command}")
        print(f"     {want}: {color}{word}{PLAIN}")
        for line in [x for x in shown.strip().splitlines() if x][:6]:
            print("       " + line[:400])
        if note and not ok:
            print(f"       {note}")
        sys.stdout.flush()
        self.r.check(ok, f"scene {self.n}: {who} $ {command}")

    def docker(self, who, *args, allowed=True, says="", data=None):
        """One command of one person, judged by status and words."""
        done = subprocess.run(["docker", *args], input=data,
                              stdin=subprocess.DEVNULL if data is None
                              else None, capture_output=True, check=False,
                              env=self.environment(who), timeout=120)
        out = (done.stdout + done.stderr).decode("utf-8", "replace")
        refused = "authorization denied by plugin" in out
        ok = says in out and (done.returncode == 0 and not refused if allowed
                              else refused and done.returncode != 0)
        self.verdict(who, "docker " + " ".join(map(quoted, args)),
                     "allowed" if allowed else "refused", ok,
                     refusal(out) if refused else out,
                     f"exit status {done.returncode}, wanted {says!r} in it")
        return done.stdout.decode("utf-8", "replace").strip()

    def compose(self, who, *args, says=""):
        """docker-compose of a project of two services."""
        done = subprocess.run(
            ["docker-compose", *args], stdin=subprocess.DEVNULL,
            capture_output=True, check=False, cwd=self.room("work", "shop"),
            env=self.environment(who), timeout=120)
        out = (done.stdout + done.stderr).decode("utf-8", "replace")
        self.verdict(who, "docker-compose " + " ".join(args), "allowed",
                     done.returncode == 0 and says in out, out,
                     f"exit status {done.returncode}, wanted {says!r} in it")

    def refused(self, who, *args, says=""):
        return self.docker(who, *args, allowed=False, says=says)

    def raw(self, who, path, body, title, says):
        """A request that no docker command would send like that."""
        cert, key = self.lab.pair(who)
        answer = send_raw(connect_tls(self.d.port, cert, key, self.lab.ca),
                          encode("POST", "/v1.41" + path, body,
                                 {"Content-Type": "application/json"}))
        ok = answer.status == 403 and says in answer.message
        self.verdict(who, title, "refused", ok, refusal(answer.message),
                     f"status {answer.status}")

    def terminal(self, who, args, typed, says):
        """A command on a terminal of its own, with something typed."""
        pid, fd = pty.fork()
        if pid == 0:
            os.execvpe("docker", ["docker", *args], self.environment(who))
        out, sent, end = b"", False, time.monotonic() + 60
        while time.monotonic() < end:
            ready, _, _ = select.select([fd], [], [], 0.2)
            try:
                data = os.read(fd, 4096) if ready else None
            except OSError:
                break
            if data == b"":
                break
            out += data or b""
            if not sent and b"# " in out:  # the prompt
                os.write(fd, typed.encode())
                sent = True
        else:
            os.kill(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(fd)
        text = out.decode("utf-8", "replace").replace("\r", "")
        self.verdict(who, "docker " + " ".join(args), "allowed",
                     status == 0 and says in text, text,
                     f"exit status {status}")

    def portreeve(self, title, *args, status=0, says=""):
        done = subprocess.run([os.path.join(BUILD, "portreeve"), *args],
                              capture_output=True, text=True, check=False,
                              env={**os.environ, "NO_COLOR": "1"})
        out = done.stdout + done.stderr
        self.verdict("olga", f"portreeve {title}",
                     f"exit status {status}",
                     done.returncode == status and says in out,
                     "\n".join(out.splitlines()[-6:]),
                     f"exit status {done.returncode}, wanted {says!r}")

    def edit(self, text, title, status=0, says=""):
        """The policy is changed under the running plugin, and reloaded."""
        self.room.write("portreeve/policy.d/lab.yaml", text)
        self.portreeve("reload     # " + title, "reload", "--config",
                       self.plugin.config_file, status=status, says=says)


def refusal(out):
    """The one line that matters of what docker says."""
    for line in out.splitlines():
        if "authorization denied by plugin" in line:
            return line[line.index("authorization denied by plugin"):]
    return out


def quoted(x):
    return f"'{x}'" if any(c in x for c in " $&|;*(){}\"") or not x else x


def say(text):
    print(f"  {text}", flush=True)


def act_one(s):
    s.scene("a developer at work in dev")
    s.docker("olga", "import", "-", "busybox:latest", data=busybox_tar())
    s.docker("alice", "run", "--rm", "busybox", "echo", "hello from dev",
             says="hello from dev")
    s.docker("alice", "run", "-d", "--name", "web", "busybox", "sh", "-c",
             "echo listening; exec sleep 100000")
    s.docker("alice", "ps", says="web")
    s.docker("ben", "logs", "web", says="listening")
    s.docker("ben", "exec", "web", "cat", "/etc/group", says="root")
    s.terminal("alice", ["run", "-it", "--rm", "busybox", "sh"],
               "echo $((6*7)); exit\n", "42")
    s.terminal("alice", ["exec", "-it", "web", "sh"],
               "echo $((7*8)); exit\n", "56")
    s.docker("alice", "run", "--rm", "-v", "/srv/payments:/data", "busybox",
             "touch", "/data/file")
    act_one_files(s)


def act_one_files(s):
    """cp, commit, build and compose, for those who may."""
    s.scene("files, images and a project")
    note = s.room.write("work/note", "from outside\n")
    back = s.room("work", "back")
    s.docker("alice", "cp", note, "web:/tmp/note")
    s.docker("ben", "exec", "web", "cat", "/tmp/note", says="from outside")
    s.docker("ben", "cp", "web:/tmp/note", back)
    s.refused("mila", "cp", note, "web:/tmp/note")
    s.docker("alice", "update", "--memory", "64m", "--memory-swap", "64m",
             "web")
    s.docker("alice", "commit", "web", "localhost/payments/web:1")
    s.refused("alice", "commit", "web", "busybox:latest", says="images.write")
    ctx = os.path.dirname(s.room.write(
        "work/ctx/Dockerfile", "FROM busybox\nRUN echo built >/built\n"
        "CMD cat /built\n"))
    s.docker("alice", "build", "-q", "-t", "localhost/payments/app:1", ctx)
    s.docker("alice", "run", "--rm", "localhost/payments/app:1",
             says="built")
    s.refused("alice", "build", "-t", "busybox:latest", ctx,
              says="images.write")
    s.refused("alice", "build", "--network", "host", ctx,
              says="build.network")
    if shutil.which("docker-compose"):
        s.room.write("work/shop/docker-compose.yml", SHOP)
        for argv, says in (("up -d", ""), ("ps", "api"), ("exec -T api cat "
                           "/data/state", "ready"), ("down -v -t 0", "")):
            s.compose("alice", *argv.split(), says=says)


def act_two(s):
    s.scene("the same in production, and ways to the host")
    s.refused("alice", "run", "--rm", "-l", "com.acme.phase=production",
              "busybox", "true", says="production")
    s.refused("alice", "run", "--rm", "--privileged", "busybox", "true",
              says="privileged")
    s.refused("alice", "run", "--rm", "-v",
              "/var/run/docker.sock:/var/run/docker.sock", "busybox", "true")
    s.refused("alice", "run", "--rm", "-v", "/:/host", "busybox", "true")
    s.refused("alice", "run", "--rm", "--pid", "host", "busybox", "true")
    s.refused("alice", "run", "--rm", "--cap-add", "SYS_ADMIN", "busybox",
              "true")
    create = "/containers/create"
    s.raw("alice", create,
          b'{"Image":"busybox","hostconfig":{"Privileged":true}}',
          "POST /containers/create with lower-case hostconfig", "privileged")
    s.raw("alice", create, b'{"Image":"busybox","HostConfig":{"Privileged":'
          b'false},"HostConfig":{"Privileged":true}}',
          "POST /containers/create with two HostConfig", "twice")
    s.refused("alice", "volume", "create", "--opt", "type=none", "--opt",
              "o=bind", "--opt", "device=/etc", "etc")
    s.refused("alice", "run", "--rm", "--mount", "type=volume,dst=/x,volume-"
              "opt=type=none,volume-opt=o=bind,volume-opt=device=/etc",
              "busybox", "true")


def act_three(s):
    s.scene("another team's container")
    s.docker("mila", "ps", says="web")
    s.refused("mila", "stop", "web", says="web")
    s.refused("mila", "exec", "web", "id")
    s.raw("mila", "/containers/web/exec", b'{"Cmd":["id"]}',
          "POST /containers/web/exec, without looking first", "exec")
    s.refused("mila", "inspect", "web")
    s.refused("mila", "run", "--rm", "--volumes-from", "web", "busybox",
              "true")
    s.docker("olga", "inspect", "--format", "{{.State.Status}}", "web",
             says="running")
    s.docker("olga", "stop", "-t", "0", "web")
    s.docker("alice", "start", "web")


def act_four(s):
    s.scene("the policy is edited while everything runs")
    production = ["run", "--rm", "-l", "com.acme.phase=production", "busybox",
                  "echo", "in production"]
    s.edit(LAB.replace("role: viewer", "role: veiwer"),
           "a slip in lab.yaml", 78, 'unknown role "veiwer"')
    s.docker("alice", "exec", "web", "echo", "the old policy holds",
             says="the old policy holds")
    s.edit(LAB + PAY_PROD, "lab.yaml has a grant pay-prod now")
    s.docker("alice", *production, says="in production")
    s.edit(LAB, "and it is taken back")
    s.refused("alice", *production, says="production")
    s.scene("and the directory")
    s.leaves("ben")
    s.refused("ben", "exec", "web", "id", says="ben")


def act_five(s):
    s.scene("the log")
    where = ["--config", s.plugin.config_file]
    s.portreeve("log --verdict deny --user lab:alice", "log", *where, "--verdict",
                "deny", "--user", "lab:alice", says="privileged")
    s.portreeve("log verify", "log", "verify", *where)
    copy = s.room("copy")
    shutil.copytree(s.plugin.audit, copy)
    for name in sorted(os.listdir(copy)):
        path = os.path.join(copy, name)
        with open(path, "rb") as f:
            text = f.read()
        if b'lab:alice' in text:
            with open(path, "wb") as f:
                f.write(text.replace(b'lab:alice', b'lab:mallo', 1))
            break
    s.portreeve("log verify --dir COPY, one name changed in it", "log",
                "verify", "--dir", copy, status=1, says="byte")


def by_hand(s):
    print(f"""
{BOLD}Yours now.{PLAIN} In another terminal, as one of {', '.join(PEOPLE)}:

  export DOCKER_HOST=tcp://127.0.0.1:{s.d.port} DOCKER_TLS_VERIFY=1
  export DOCKER_CERT_PATH={s.lab.bundle('alice')} DOCKER_CONFIG=$DOCKER_CERT_PATH
  docker run --rm -it busybox sh
  docker run --rm --privileged busybox true

  {s.lab_yaml}        edit it, then
  {BUILD}/portreeve reload --config {s.plugin.config_file}
  {BUILD}/portreeve log -f --config {s.plugin.config_file}

Ports that containers publish are in the private network of this dockerd:
  nsenter -n -t {s.d.pid} busybox wget -qO- http://127.0.0.1:PORT/

Ctrl-C ends everything and removes {s.room.path}.""", flush=True)
    stop = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    signal.sigwait(stop)
    print("\nending…", flush=True)


def main():
    if os.geteuid() != 0:
        sys.exit("make run: dockerd wants root: sudo make run")
    signal.signal(signal.SIGTERM, lambda *a: sys.exit(1))
    with Room("portreeve") as room:
        try:
            s = Stage(room)
            for act in (act_one, act_two, act_three, act_four, act_five):
                act(s)
                print()
            status = s.r.end()
            if not ONCE:
                by_hand(s)
            s.d.stop()
            if s.plugin.stop() != 0:
                print("the plugin did not end well" + s.plugin.tail())
                return 1
        except KeyboardInterrupt:
            print("\nending…")
            return 130
        return status


if __name__ == "__main__":
    sys.exit(main())
