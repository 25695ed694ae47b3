#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""One daemon, two teams that cannot see each other.

Through the proxy lists, disk usage and events show what is the caller's, a
prune takes what is the caller's, inspects hide what the policy hides; whoever
may see everything sees everything, and what cannot be shown in part is not
shown at all.
"""
import json
import os
import socket
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Api, Dockerd, Lab, Proxy, Report, Room  # noqa: E402
from harness.people import ldif  # noqa: E402
from harness import wire  # noqa: E402
from harness.dockerd import busybox_tar  # noqa: E402

POLICY = """\
version: 1
labels: {team: com.acme.team, phase: com.acme.phase}
teams:
  payments: {ldap: ["cn=payments,ou=groups,dc=acme,dc=com"]}
  search:   {ldap: ["cn=search,ou=groups,dc=acme,dc=com"]}
  platform: {ldap: ["cn=platform,ou=groups,dc=acme,dc=com"]}
  locals:   {ldap: ["cn=locals,ou=groups,dc=acme,dc=com"]}
hosts: {"*": [dev]}
phases: {dev: {audit: request}}
roles:
  admin: {allow: {"*": ["*"]}}
  developer: {allow: {container: ["*"], volume: ["*"], network: ["*"], image: [list, inspect], system: [info, events, df]}}
  peeker: {allow: {container: [list, inspect, logs], image: [list]}}
profiles:
  small:
    images: {allow: ["docker.io/library/*"]}
    mounts: {volumes: own}
    exec: {user: [same-as-container]}
grants:
  - {id: ops, team: platform, role: admin, phases: ["*"], owner: any, profile: unrestricted}
  - {id: pay, team: payments, role: developer, phases: [dev], profile: small}
  - {id: sea, team: search, role: developer, phases: [dev], profile: small}
  - {id: loc, team: locals, role: peeker, phases: [dev], owner: any}
responses:
  - {id: env, on: {container: [inspect]}, redact: ["Config.Env[*TOKEN*|*SECRET*]", "Config.Labels[*key*]", "HostConfig.Binds"], except: [platform]}
  - {id: logs, on: {container: [logs]}, redact: ["x"], except: [platform, payments]}
  - {id: own, on: {image: [list]}, keep: own-team, except: [platform, payments]}
"""
PEOPLE = {"olga": "platform", "alice": "payments", "mila": "search",
          "root": "locals", "nobody": "locals"}


class World:
    def __init__(self, room):
        self.room = room
        self.lab = Lab(room("ca"))
        self.d = Dockerd(room).start()
        self.direct = Api(self.d.connect)
        self.d.import_image(self.direct)
        for who in ("olga", "alice", "mila"):
            self.lab.client(who)
        self.p = Proxy(room, self.d.socket, self.lab, POLICY, ldif(PEOPLE)).start()

    def api(self, who):
        cert, key = self.lab.pair(who)
        return Api(lambda: self.p.connect(cert, key))

    def names(self, who, path="/containers/json?all=1"):
        a = self.api(who)("GET", path)
        return a.status, sorted(c["Names"][0][1:] for c in a.json or []) \
            if isinstance(a.json, list) else a.message


def lists(r, w):
    for who, team in (("alice", "pay"), ("mila", "sea")):
        api = w.api(who)
        for n in ("1", "2"):
            api.must("POST", f"/containers/create?name={team}-{n}",
                     {"Image": "busybox", "Cmd": ["sleep", "600"],
                      "HostConfig": {"Binds": [f"{team}-data:/data"]}})
        api.must("POST", f"/containers/{team}-1/start")
        api.must("POST", "/volumes/create", {"Name": team + "-vol"})
        api.must("POST", "/networks/create", {"Name": team + "-net"})
    w.direct.must("POST", "/containers/create?name=stray",
                  {"Image": "busybox", "Cmd": ["true"]})
    r.equal(w.names("alice"), (200, ["pay-1", "pay-2"]),
            "docker ps -a shows alice what is hers")
    r.equal(w.names("mila"), (200, ["sea-1", "sea-2"]), "and mila hers")
    r.equal(w.names("alice", "/containers/json"), (200, ["pay-1"]),
            "docker ps, too")
    r.equal(w.names("alice", "/containers/json?limit=1"), (200, ["pay-2"]),
            "docker ps -l: the last one of hers")
    r.equal(w.names("olga")[1], ["pay-1", "pay-2", "sea-1", "sea-2", "stray"],
            "olga sees everything")
    a = w.api("alice")("GET", "/volumes")
    r.equal(a.status, 200, "volumes " + a.message[:200])
    vols = a.json["Volumes"]
    r.equal(sorted(v["Name"] for v in vols), ["pay-data", "pay-vol"],
            "docker volume ls")
    nets = w.api("alice")("GET", "/networks").json
    r.equal(sorted(n["Name"] for n in nets),
            ["bridge", "host", "none", "pay-net"], "docker network ls")
    df = w.api("mila")("GET", "/system/df").json
    r.equal((sorted(c["Names"][0] for c in df["Containers"]),
             sorted(v["Name"] for v in df["Volumes"])),
            (["/sea-1", "/sea-2"], ["sea-data", "sea-vol"]),
            "docker system df")
    a = w.api("alice")("GET", "/containers/sea-1/json")
    r.check(a.status == 403 and "belongs to team search" in a.message,
            "what is another's is not to be inspected", a.message)
    a = w.api("alice")("GET", "/containers/json?filters="
                       + urllib.parse.quote('{"name":["sea"]}'))
    r.equal(a.json, [], "no filter finds it")


def events(r, w):
    cert, key = w.lab.pair("alice")
    s = w.p.connect(cert, key)
    s.sendall(wire.encode("GET", "/v1.41/events"))
    got = []

    def read():
        reader = wire.Reader(s)
        try:
            while reader.line():
                pass
            while True:
                n = int(reader.line(), 16)
                if n == 0:
                    return
                for line in reader.exactly(n).splitlines():
                    got.append(json.loads(line))
                reader.line()
        except (OSError, ValueError):
            return

    t = threading.Thread(target=read, daemon=True)
    t.start()
    time.sleep(0.5)
    for who, name in (("mila", "sea-2"), ("alice", "pay-2")):
        w.api(who).must("POST", f"/containers/{name}/start")
        w.api(who).must("POST", f"/containers/{name}/kill")
    end = time.monotonic() + 20
    while time.monotonic() < end and not any(
            e["Action"] == "die" for e in got):
        time.sleep(0.05)
    s.shutdown(socket.SHUT_RDWR)
    t.join(20)
    s.close()
    names = {e["Actor"]["Attributes"].get("name") for e in got
             if e["Type"] == "container"}
    r.check(names == {"pay-2"} and any(e["Action"] == "die" for e in got),
            "docker events shows hers, line by line", str(got)[:600])


def prunes(r, w):
    for who, n in (("mila", "sea"), ("alice", "pay")):
        w.api(who).must("POST", f"/containers/create?name={n}-old",
                        {"Image": "busybox", "Cmd": ["true"]})
    a = w.api("alice")("POST", "/containers/prune")
    r.equal(a.status, 200, "docker container prune")
    left = w.names("olga")[1]
    r.check("pay-old" not in left and "sea-old" in left and "stray" in left,
            "takes what is hers", str(left))
    a = w.api("alice")("POST", "/containers/prune?filters="
                       + urllib.parse.quote('{"label":["nope"]}'))
    r.equal(a.json["ContainersDeleted"], None, "her own filters count, too")
    w.direct.must("POST", "/containers/create?name=odd",
                  {"Image": "busybox", "Cmd": ["true"], "Labels": {
                      "com.acme.team": "payments"}})
    a = w.api("alice")("POST", "/networks/prune")
    r.equal(a.status, 200, "docker network prune")
    nets = [n["Name"] for n in w.api("olga")("GET", "/networks").json]
    r.check("pay-net" not in nets and "sea-net" in nets,
            "takes the networks that are hers", str(nets))
    a = w.api("alice")("POST", "/images/prune")
    r.check(a.status == 403, "images are everybody's", a.message)


def redacts(r, w):
    w.api("alice").must(
        "POST", "/containers/create?name=pay-env",
        {"Image": "busybox", "Cmd": ["true"], "Env": ["A=1", "MY_TOKEN=abc", "SECRET_X=d=e"],
         "Labels": {"plain": "1", "the-key": "2"},
         "HostConfig": {"Binds": ["pay-data:/x"]}})
    c = w.api("alice")("GET", "/containers/pay-env/json").json
    r.equal([e for e in c["Config"]["Env"] if not e.startswith("PATH")],
            ["A=1", "MY_TOKEN=<redacted>", "SECRET_X=<redacted>"],
            "what the policy hides of the environment is hidden")
    r.equal((c["Config"]["Labels"]["plain"], c["Config"]["Labels"]["the-key"]),
            ("1", "<redacted>"), "and of labels")
    r.equal(c["HostConfig"]["Binds"], [], "and a whole list")
    full = w.api("olga")("GET", "/containers/pay-env/json").json
    r.check("MY_TOKEN=abc" in full["Config"]["Env"],
            "not for whom the rule excepts")
    a = w.api("mila")("GET", "/containers/sea-1/logs?stdout=1")
    r.check(a.status == 502 and "stream" in a.message,
            "a stream that a rule speaks of is withheld", a.message)
    a = w.api("mila")("GET", "/images/json")
    r.check(a.status == 502 and "nobody's own" in a.message,
            "so is a list that nobody can part", a.message)
    a = w.api("alice")("GET", "/images/json")
    r.check(a.status == 200, "others see theirs", a.message)


def images(r, w):
    """Nobody's, and shown by the rules about their names."""
    for name in ("localhost:5000/sea/app:1", "docker.io/acme/tool:2"):
        repo, tag = name.rsplit(":", 1)
        w.d.import_image(w.direct, repo, tag)
    w.direct.must("POST", "/images/create?fromSrc=-",
                  busybox_tar({"etc/none": b"x"}),
                  {"Content-Type": "application/x-tar"})

    def shown(items):
        return sorted((x["RepoTags"] or ["<none>:<none>"])[0] for x in items)
    everything = shown(w.direct("GET", "/images/json").json)
    r.equal(len(everything), 4, f"four images are there: {everything}")
    r.equal(shown(w.api("olga")("GET", "/images/json").json), everything,
            "docker images shows olga, of profile unrestricted, all of them")
    r.equal(shown(w.api("alice")("GET", "/images/json").json),
            ["busybox:latest"], "and alice those that image rules name")
    r.equal(shown(w.api("alice")("GET", "/images/json?all=1").json),
            ["busybox:latest"], "docker images -a, too")
    r.equal(shown(w.api("alice")("GET", "/system/df").json["Images"]),
            ["busybox:latest"], "so does docker system df")
    r.equal(shown(w.api("olga")("GET", "/system/df").json["Images"]),
            everything, "and olga's shows all")


def local_users(r, w):
    """root is nobody of the directory, whatever stands there."""
    a = wire.request(w.p.unix, "GET", "/v1.41/containers/json")
    r.check(a.status == 403 and "root" in a.message,
            "uid 0 has no team of the directory", a.message)
    pid = os.fork()
    if pid == 0:
        os.setgid(65534)
        os.setuid(65534)
        a = wire.request(w.p.unix, "GET", "/v1.41/containers/json?all=1")
        os._exit(0 if a.status == 200 and len(a.json) > 3 else 1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    r.equal(status, 0, "uid 65534 is local:nobody, of team locals")


def main():
    r = Report(verbose=False)
    with Room("views") as room:
        os.chmod(room.path, 0o755)
        w = World(room)
        for part in (lists, events, prunes, redacts, images, local_users):
            try:
                part(r, w)
            except (RuntimeError, TypeError, KeyError) as e:
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
