# SPDX-License-Identifier: Apache-2.0
"""What the tests of real clients share: a guarded dockerd, a developer with
packaging/policy/plugin-only.yaml (role developer, profile baseline), and the
clients themselves.  Images are made here; nothing is fetched.
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import (Dockerd, Lab, Plugin, Report,  # noqa: E402
                     ROOT, Room, engines)
from harness.dockerd import busybox_tar  # noqa: E402

SHIPPED = os.path.join(ROOT, "packaging", "policy", "plugin-only.yaml")
OWN = """\
version: 1
labels: {{team: com.acme.team, phase: com.acme.phase}}
teams:
  pay: {{ldap: ["cn=pay,ou=groups,dc=acme,dc=com"]}}
  web: {{ldap: ["cn=web,ou=groups,dc=acme,dc=com"]}}
  ops: {{ldap: ["cn=ops,ou=groups,dc=acme,dc=com"]}}
hosts: {{"*": [dev]}}
phases: {{dev: {{audit: metadata}}}}
{more}
grants:
  - {{id: pay-dev, team: pay, role: {role}, phases: [dev], profile: {profile}}}
  - {{id: web-dev, team: web, role: developer, phases: [dev], profile: baseline}}
  - {{id: ops, team: ops, role: admin, phases: ["*"], owner: any, profile: unrestricted}}
"""
PEOPLE = {"alice": "pay", "mila": "web", "olga": "ops"}


def ldif():
    text = ["dn: dc=acme,dc=com\nobjectClass: dcObject\nobjectClass: "
            "organization\no: Acme\ndc: acme\n"]
    text += [f"dn: ou={ou},dc=acme,dc=com\nobjectClass: organizationalUnit\n"
             f"ou: {ou}\n" for ou in ("people", "groups")]
    for uid, team in PEOPLE.items():
        text.append(f"dn: uid={uid},ou=people,dc=acme,dc=com\nobjectClass: "
                    f"inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n")
        text.append(f"dn: cn={team},ou=groups,dc=acme,dc=com\nobjectClass: "
                    f"groupOfNames\ncn: {team}\n"
                    f"member: uid={uid},ou=people,dc=acme,dc=com\n")
    return "\n".join(text)


class Site:
    """A dockerd with the plugin; run() is a command of one person.

    engine  of the daemon: None, "26.1", "28.5"
    cli     whose clients: None is this machine's, else an engine's
    """

    def __init__(self, room, engine=None, cli=None, role="developer",
                 profile="baseline", more=""):
        self.room = room
        self.cli = cli
        self.r = Report()
        self.lab = Lab(room("ca"))
        for who in PEOPLE:
            self.lab.client(who)
        srv = room.mkdir("srv")
        os.makedirs(os.path.join(srv, "pay", "data"))
        self.d = Dockerd(room, plugins=["portreeve"], lab=self.lab,
                         binds={srv: "/srv"}, engine=engine)
        self.plugin = Plugin(room, self.d.plugin_socket("portreeve"),
                             self.d.socket, None, ldif())
        shutil.copy(SHIPPED, self.plugin.policy)
        room.write("plugin/policy.d/own.yaml", OWN.format(
            role=role, profile=profile, more=more))
        self.plugin.start()
        self.d.start()
        self.work = room.mkdir("work")
        for name in ("busybox", "pay/base"):
            self.must("olga", "docker", "import", "-", name + ":latest",
                      data=busybox_tar())

    def environment(self, who):
        folder = self.lab.bundle(who)
        # python's requests prefers *_CA_BUNDLE to the CA that it is given
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("DOCKER_", "COMPOSE_", "BUILDKIT_"))
               and not k.endswith("_CA_BUNDLE")}
        env.update(DOCKER_HOST=f"tcp://127.0.0.1:{self.d.port}",
                   DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=folder,
                   DOCKER_CONFIG=folder, NO_COLOR="1", HOME=self.work,
                   DOCKER_BUILDKIT="0", PYTHONWARNINGS="ignore")
        return env

    def argv(self, argv):
        if self.cli is not None:
            return engines.client(self.cli, [self.room.path], argv)
        if argv[0] == "docker":  # Debian's, whatever else is installed
            return ["/usr/bin/docker", *argv[1:]]
        return list(argv)

    def run(self, who, *argv, data=None, env=None, cwd=None):
        """(status, stdout, everything) of a client's command."""
        inside = ["env", "-C", cwd or self.work, *argv] if self.cli else argv
        done = subprocess.run(
            self.argv(inside), input=data, capture_output=True, check=False,
            stdin=subprocess.DEVNULL if data is None else None,
            env={**self.environment(who), **(env or {})}, timeout=180,
            cwd=cwd or self.work)
        out = done.stdout.decode("utf-8", "replace")
        return done.returncode, out, out + done.stderr.decode("utf-8",
                                                              "replace")

    def must(self, who, *argv, **kw):
        status, out, text = self.run(who, *argv, **kw)
        if status != 0:
            raise RuntimeError(f"{who} {' '.join(argv)}: {text}")
        return out

    def works(self, *argv, says="", who="alice", **kw):
        """An ordinary command: it works, and is refused nothing."""
        status, out, text = self.run(who, *argv, **kw)
        ok = status == 0 and says in text and \
            "authorization denied" not in text
        self.r.check(ok, f"{who} $ {shown(argv)}",
                     f"status {status}, wanted {says!r}: {text[-1500:]}")
        return out.strip()

    def refused(self, *argv, says="", who="alice", **kw):
        status, _, text = self.run(who, *argv, **kw)
        self.r.check(status != 0 and "authorization denied" in text and
                     says in text, f"{who} is refused $ {shown(argv)}",
                     f"status {status}, wanted {says!r}: {text[-1500:]}")

    def end(self):
        """Nothing was refused behind the back of a client that goes on."""
        self.d.stop()
        self.r.equal(self.plugin.stop(), 0, "the plugin ends well")
        return self.r.end()


def shown(argv):
    text = " ".join(argv).replace("\n", "; ")
    return text if len(text) < 100 else text[:100] + "…"
