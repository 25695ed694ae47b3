#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""Production runs what staging ran: a real dockerd, a registry, and images
that ran long enough, too short, in bits, paused, elsewhere, or not at all."""
import os
import re
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from harness import Api, Dockerd, Lab, Plugin, Report, Room  # noqa: E402
from harness.dockerd import busybox_tar  # noqa: E402
from harness.registry import Registry  # noqa: E402
from harness.room import wait_until  # noqa: E402
from harness.wire import connect_tls  # noqa: E402

TEAMS = {"alice": "dev", "bob": "ci", "olga": "ops"}
POLICY = """\
version: 1
labels: {team: com.acme.team, phase: com.acme.phase}
teams:
  dev: {ldap: ["cn=dev,ou=groups,dc=acme,dc=com"]}
  ci: {ldap: ["cn=ci,ou=groups,dc=acme,dc=com"]}
  ops: {ldap: ["cn=ops,ou=groups,dc=acme,dc=com"]}
hosts: {"*": [staging, production]}
phases: {staging: {audit: metadata}, production: {audit: metadata}}
roles:
  all: {allow: {"*": ["*"]}}
grants:
  - {id: dev, team: dev, role: all, phases: [staging], profile: unrestricted}
  - {id: ci, team: ci, role: all, phases: [production], profile: unrestricted,
     promoted_from: {phase: staging, min_runtime: 3s%s}}
  - {id: ops, team: ops, role: all, phases: ["*"], owner: any, profile: unrestricted}
"""
LDIF = "".join(
    f"dn: uid={u},ou=people,dc=acme,dc=com\nobjectClass: inetOrgPerson\n"
    f"uid: {u}\ncn: {u}\nsn: {u}\n\n" for u in TEAMS) + "".join(
    f"dn: cn={t},ou=groups,dc=acme,dc=com\nobjectClass: groupOfNames\n"
    f"cn: {t}\nmember: uid={u},ou=people,dc=acme,dc=com\n\n"
    for u, t in TEAMS.items())
TEAM, PHASE = "com.acme.team", "com.acme.phase"
REPO = "127.0.0.1:5000/acme/"


def body(image, phase, team=None):
    labels = {PHASE: phase, **({TEAM: team} if team else {})}
    return {"Image": image, "Cmd": ["sleep", "600"], "Labels": labels,
            "HostConfig": {"NetworkMode": "none"}}


class World:
    def __init__(self, room, r):
        self.r = r
        lab = Lab(room("ca"))
        for who in TEAMS:
            lab.client(who)
        self.d = Dockerd(room, plugins=["portreeve"], lab=lab)
        self.lines = room.mkdir("promotions.d")
        self.key = room("promote.key")
        self.plugin = Plugin(
            room, self.d.plugin_socket("portreeve"), self.d.socket,
            POLICY % "", ldif=LDIF, name="portreeve",
            extra=f"promotions: {self.lines}\n").start()
        self.d.start()
        self.api = {u: Api(lambda p=lab.pair(u): connect_tls(
            self.d.port, *p, lab.ca)) for u in TEAMS}
        self.registry = Registry(room)
        self.digest = {n: self.registry.add("acme/" + n, "1", busybox_tar(
            {"etc/name": n.encode()})) for n in
            ("app", "other", "bits", "paused", "far", "kept")}
        self.registry.start(self.d)
        for n in self.digest:
            self.pull(n)

    def pull(self, name):
        a = self.api["olga"]("POST", f"/images/create?fromImage={REPO}{name}"
                                     "&tag=1")
        if a.status != 200 or b"error" in a.body:
            raise RuntimeError(f"pull {name}: {a.body[:400]}")

    def run(self, name):
        """In staging; the container's id."""
        made = self.api["alice"].must("POST", "/containers/create",
                                      body(REPO + name + ":1", "staging"))
        self.api["alice"].must("POST", f"/containers/{made['Id']}/start")
        return made["Id"]

    def stop(self, container):
        self.api["alice"].must("POST", f"/containers/{container}/kill")

    def create(self, name, tag=":1"):
        return self.api["bob"]("POST", "/containers/create",
                               body(REPO + name + tag, "production"))

    def tool(self, *args):
        return self.plugin.command("promote", "-c", self.plugin.config_file,
                                   *args)

    def refused(self, name, text, sentence):
        a = self.create(name)
        self.r.check(a.status == 403 and text in a.message, sentence,
                     a.message)

    def until_allowed(self, name, sentence):
        began = time.monotonic()
        wait_until(name, lambda: self.create(name).status == 201, 30)
        self.r.check(True, sentence)
        return time.monotonic() - began


def local(w):
    w.refused("app", "has not run in staging", "what has not run is refused")
    w.d.import_image(w.api["olga"], "built")
    a = w.api["bob"]("POST", "/containers/create", body("built", "production"))
    w.r.check(a.status == 403 and "no manifest digest" in a.message,
              "what was never pulled too", a.message)
    began = time.monotonic()
    first = w.run("app")
    time.sleep(1)
    w.refused("app", "s without a stop, min_runtime wants 3s",
              "and what has not run for long enough")
    w.until_allowed("app", "after its time it may be created")
    w.r.check(time.monotonic() - began >= 3, "not before")
    w.r.equal(w.create("app", "@" + w.digest["app"]).status, 201,
              "by its digest as well")
    w.refused("other", "has not run", "another image gained nothing")
    w.stop(first)
    w.r.equal(w.create("app").status, 201, "having run is enough")


def in_bits(w):
    """Three runs of a second and a half are no run of three."""
    for _ in range(3):
        one = w.run("bits")
        time.sleep(1.5)
        w.stop(one)
    w.refused("bits", "has run in staging for 1s", "a sum of runs is no run")
    one = w.run("paused")
    w.api["alice"].must("POST", f"/containers/{one}/pause")
    time.sleep(4)
    w.refused("paused", "without a stop", "a pause is no run")
    w.api["alice"].must("POST", f"/containers/{one}/unpause")
    time.sleep(1)
    w.refused("paused", "without a stop", "and what was before does not add")
    w.until_allowed("paused", "a run after the pause is one")
    w.stop(one)


def at_start(w):
    """The name may have moved, or somebody else made the container."""
    made = w.api["olga"].must(
        "POST", "/containers/create",
        body(REPO + "other:1", "production", "ci"))["Id"]
    a = w.api["bob"]("POST", f"/containers/{made}/start")
    w.r.check(a.status == 403 and "has not run" in a.message,
              "start looks at the container's own image", a.message)
    good = w.create("app").json["Id"]
    w.api["olga"].must(
        "POST", f"/images/{REPO}other:1/tag?repo={REPO}app&tag=1")
    w.refused("app", "has not run", "a tag that moved names another image")
    w.r.equal(w.api["bob"]("POST", f"/containers/{good}/start").status, 204,
              "what was made before runs what it was made of")
    w.api["bob"].must("POST", f"/containers/{good}/kill")
    w.pull("app")
    a = w.create("nothere")
    w.r.equal(a.status, 404, "an image that is not here is not found")
    a = w.create("app", "@sha256:" + "0" * 64)
    w.r.check(a.status == 403 and "has not run" in a.message,
              "but one that is named by digest is refused", a.message)


def seconds(w, name):
    a = w.tool("-o", "csv", "-p", "staging", w.digest[name])
    m = re.search(r"sha256:[0-9a-f]{64},staging,(\d+),", a.stdout)
    return int(m.group(1)) if m else -1


def restarts(w):
    """A run goes on through a restart of the plugin, not of the daemon."""
    one = w.run("kept")
    time.sleep(1.2)
    w.plugin.stop()
    time.sleep(1)
    before = seconds(w, "kept")
    w.r.check(before >= 1, "what ran is in the ledger", before)
    w.plugin.start()
    began = time.monotonic()
    w.until_allowed("kept", "the run goes on through a restart")
    w.r.check(time.monotonic() - began < 2.5, "from where it was")
    w.plugin.proc.send_signal(signal.SIGKILL)
    w.plugin.proc.wait()
    w.plugin.proc = None
    w.plugin.start()
    began = time.monotonic()
    w.until_allowed("kept", "killed, it still knows")
    w.r.check(time.monotonic() - began < 2.5, "as soon as it has looked")
    w.stop(one)
    two = w.run("far")
    time.sleep(1)
    w.d.stop()
    w.d.start()
    w.registry.stop()
    w.registry.start(w.d)
    w.r.check(seconds(w, "far") < 3, "a restart of dockerd ended a run")
    w.refused("far", "without a stop", "so it is too short")
    w.api["olga"].must("DELETE", f"/containers/{two}?force=1")


def elsewhere(w):
    """Lines that others have signed."""
    a = w.tool("--make-key", w.key)
    w.r.equal(a.returncode, 0, "a key is made")
    public = a.stdout.strip()
    signed = w.tool("-p", "staging", "--key", w.key, w.digest["app"])
    w.r.check(signed.returncode == 0 and
              signed.stdout.count("\n") == 1, "a line is signed", signed)
    a = w.tool("--key", w.key, "sha256:" + "1" * 64)
    w.r.equal(a.returncode, 1, "what has not run is not signed")
    # another daemon: it knows nothing of its own
    w.plugin.stop()
    for end in ("", "-wal", "-shm"):
        path = os.path.join(w.plugin.folder, "ledger.db" + end)
        if os.path.exists(path):
            os.unlink(path)
    w.plugin.start()
    w.refused("app", "has not run", "a fresh ledger knows nothing")
    file = os.path.join(w.lines, "staging.promotions")

    def say(text):
        with open(file, "w", encoding="utf-8") as f:
            f.write(text)
    say(signed.stdout)
    text = w.plugin.reload()
    w.r.check("no grant takes the word" in text,
              "a stranger's line is a warning", text)
    w.refused("app", "has not run", "and counts for nothing")
    w.plugin.reload(POLICY % f', via: ["{public}"]')
    w.r.equal(w.create("app").status, 201, "with its key named it counts")
    w.refused("other", "has not run", "for its digest alone")
    say(signed.stdout.replace(w.digest["app"], w.digest["other"]))
    text = w.plugin.reload()
    w.r.check("staging.promotions:1:" in text and "signature" in text,
              "a line that was changed refuses the reload, with its place",
              text)
    w.refused("other", "has not run", "and gives nothing")
    w.r.equal(w.create("app").status, 201, "what was known stays")
    a = w.tool("--check", w.lines)
    w.r.check(a.returncode == 78 and "staging.promotions:1:" in a.stderr,
              "the command says the same", a)
    say(signed.stdout)
    a = w.tool("--check", w.lines, "-o", "jsonl")
    w.r.check(a.returncode == 0 and w.digest["app"] in a.stdout,
              "and reads what is good", a)
    w.plugin.reload(POLICY % "")
    w.refused("app", "has not run", "without its key the word is taken back")


def main():
    r = Report()
    with Room() as room:
        w = World(room, r)
        local(w)
        in_bits(w)
        at_start(w)
        restarts(w)
        elsewhere(w)
    r.exit()


if __name__ == "__main__":
    main()
