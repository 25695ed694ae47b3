#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""Whose things are, on a real dockerd: by the ledger, by own labels, by
adoption, and by no trick; and what is asked of them while others change what
names mean (semantics 1.4, 2.2, 2.7, 2.9, 3.7, 6.3)."""
import base64
import json
import os
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from harness import Api, Dockerd, Lab, Plugin, Report, Room  # noqa: E402
from harness.room import wait_until  # noqa: E402
from harness.wire import connect_tls, send_raw  # noqa: E402

# mia is in both teams
TEAMS = {"alice": ["red"], "bob": ["blue"], "olga": ["ops"],
         "mia": ["red", "blue"]}
GROUPS = sorted({t for all_of in TEAMS.values() for t in all_of})
POLICY = """\
version: 1
labels: {team: com.acme.team, phase: com.acme.phase}
teams:
  red: {ldap: ["cn=red,ou=groups,dc=acme,dc=com"]}
  blue: {ldap: ["cn=blue,ou=groups,dc=acme,dc=com"]}
  ops: {ldap: ["cn=ops,ou=groups,dc=acme,dc=com"]}
hosts: {"*": [dev]}
phases: {dev: {audit: metadata}}
roles:
  all: {allow: {"*": ["*"]}}
profiles:
  plain:
    namespaces: {network: [private, own, none, "container:own"]}
    mounts: {volumes: own, volumes_from: own}
    images: {allow: ["**"], write: ["**"]}
grants:
  - {id: red, team: red, role: all, phases: [dev], profile: plain}
  - {id: blue, team: blue, role: all, phases: [dev], profile: plain}
  - {id: ops, team: ops, role: all, phases: ["*"], owner: any, profile: unrestricted}
"""
LDIF = "".join(
    f"dn: uid={u},ou=people,dc=acme,dc=com\nobjectClass: inetOrgPerson\n"
    f"uid: {u}\ncn: {u}\nsn: {u}\n\n" for u in TEAMS) + "".join(
    f"dn: cn={t},ou=groups,dc=acme,dc=com\nobjectClass: groupOfNames\n"
    f"cn: {t}\n" + "".join(
        f"member: uid={u},ou=people,dc=acme,dc=com\n"
        for u, teams in TEAMS.items() if t in teams) + "\n" for t in GROUPS)
TEAM = "com.acme.team"
BODY = {"Image": "busybox", "Cmd": ["sleep", "600"],
        "HostConfig": {"NetworkMode": "none"}}


def together(*calls):
    """Runs the calls at the same moment; their results in order."""
    barrier = threading.Barrier(len(calls))
    out = [None] * len(calls)

    def go(i):
        barrier.wait()
        out[i] = calls[i]()
    threads = [threading.Thread(target=go, args=(i,))
               for i in range(len(calls))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return out


class World:
    def __init__(self, room, r):
        self.r = r
        lab = Lab(room("ca"))
        for who in TEAMS:
            lab.client(who)
        self.d = Dockerd(room, lab=lab)
        self.plugin = Plugin(
            room, self.d.plugin_socket("portreeve"), self.d.socket, POLICY,
            ldif=LDIF, name="portreeve").start()
        self.d.start()
        self.tls = {u: (lambda p=lab.pair(u): connect_tls(
            self.d.port, *p, lab.ca)) for u in TEAMS}
        self.api = {u: Api(self.tls[u]) for u in TEAMS}

    def guard(self, on):
        """With the plugin, or before there was one."""
        self.d.reload(authorization_plugins=["portreeve"] if on else None)

    def reaches(self, who, kind, ref):
        path = {"container": f"/containers/{ref}/json",
                "volume": f"/volumes/{ref}",
                "network": f"/networks/{ref}"}[kind]
        return self.api[who]("GET", path).status

    def whose(self, kind, ref, sentence, **want):
        got = {u: self.reaches(u, kind, ref) for u in want}
        self.r.equal(got, want, sentence)

    def create(self, who, body=None, name=None, headers=None):
        return self.api[who]("POST", "/containers/create" +
                             (f"?name={name}" if name else ""),
                             {**BODY, **(body or {})}, headers)

    def remove(self, *ids):
        for i in ids:
            self.api["olga"].must("DELETE", f"/containers/{i}?force=1")


def before_us(w):
    """What was made before Portreeve: own labels, else nobody's."""
    root = Api(w.d.connect)
    made = {}
    for team in ("red", "blue", None):
        labels = {TEAM: team} if team else {}
        made[team] = (
            root.must("POST", "/containers/create",
                      {**BODY, "Labels": labels})["Id"],
            root.must("POST", "/volumes/create",
                      {"Name": f"old-{team}", "Labels": labels})["Name"],
            root.must("POST", "/networks/create",
                      {"Name": f"oldnet-{team}", "Labels": labels,
                       "CheckDuplicate": True})["Id"])
    # an image that says whose its containers are
    root.must("POST", "/commit?container=" + made[None][0] +
              "&repo=claims&changes=LABEL%20" + TEAM + "%3Dblue", {})
    inherits = root.must("POST", "/containers/create",
                         {**BODY, "Image": "claims"})["Id"]
    both = root.must("POST", "/containers/create", {
        **BODY, "Image": "claims", "Labels": {TEAM: "red"}})["Id"]
    w.guard(True)
    for kind, i in (("container", 0), ("volume", 1), ("network", 2)):
        w.whose(kind, made["red"][i], f"an old {kind} with red's label",
                alice=200, bob=403, olga=200)
        w.whose(kind, made[None][i], f"an old {kind} without label is "
                "nobody's", alice=403, bob=403, olga=200)
    w.whose("container", inherits, "a label that comes from the image gives "
            "it to nobody", alice=403, bob=403, olga=200)
    w.whose("container", both, "one that was given beside it counts",
            alice=200, bob=403)
    return made, inherits


def sees_daemon(plugin):
    done = plugin.command("doctor", "--config", plugin.config_file,
                          "-o", "json")
    return any(x["check"] == "plugin-ready" and x["result"] == "pass"
               for x in json.loads(done.stdout))


def adoption(w, made, inherits):
    def adopt(kind, ref, team):
        a = w.plugin.command("adopt", "-c", w.plugin.config_file, kind, ref,
                             "-t", team, "-p", "dev")
        w.r.equal(a.returncode, 0, f"a {kind} is adopted")
    kinds = ("container", "volume", "network")
    for kind, ref in zip(kinds, made[None]):
        adopt(kind, ref, "blue")
    adopt("container", inherits, "red")
    adopt("container", made["blue"][0], "red")
    wait_until("the ledger", lambda: all(
        w.reaches("bob", k, ref) == 200
        for k, ref in zip(kinds, made[None])) and
        w.reaches("alice", "container", inherits) == 200, 20)
    for kind, ref in zip(kinds, made[None]):
        w.whose(kind, ref, f"an adopted {kind} is blue's", alice=403, bob=200)
    w.whose("container", made["blue"][0],
            "the ledger beats a label of the object's own", alice=200, bob=403)
    w.plugin.stop()
    w.plugin.start()
    # stored specs are read by what the daemon says of itself
    wait_until("the plugin sees dockerd", lambda: sees_daemon(w.plugin))
    w.whose("container", inherits, "after a restart too", alice=200, bob=403)


def ledger(w):
    """Without any label: whoever made it has it."""
    c = w.create("alice").json["Id"]
    w.whose("container", c, "alice's container is red's", alice=200, bob=403,
            mia=200)
    n = w.api["alice"].must("POST", "/networks/create",
                            {"Name": "rednet"})["Id"]
    w.whose("network", n, "her network too", alice=200, bob=403)
    w.whose("network", "rednet", "by its name", alice=200, bob=403)
    w.api["alice"].must("POST", "/volumes/create", {"Name": "redvol"})
    w.whose("volume", "redvol", "her volume", alice=200, bob=403)
    # the same name made again is another volume
    w.api["olga"].must("DELETE", "/volumes/redvol")
    w.api["bob"].must("POST", "/volumes/create", {"Name": "redvol"})
    w.whose("volume", "redvol", "made again by bob it is blue's",
            alice=403, bob=200)
    w.remove(c)


def spoofs(w):
    """Words that look like ownership."""
    def denied(body, sentence, who="alice"):
        a = w.create(who, body)
        w.r.check(a.status == 403, sentence, (a.status, a.body[:200]))
    denied({"Labels": {TEAM: "blue"}}, "alice makes nothing of blue's")
    denied({"Labels": {TEAM: "nobody"}}, "nor of a team that is none")
    denied({"Labels": {TEAM: ""}}, "nor of an empty one")
    raw = json.dumps(BODY)[:-1]
    for text, sentence in (
            (', "Labels": {"%s": "red", "%s": "blue"}}' % (TEAM, TEAM),
             "a label twice"),
            (', "Labels": {"%s": "red"}, "labels": {"%s": "blue"}}' %
             (TEAM, TEAM), "labels twice, folded"),
            (', "Labels": {"%s": "red"}, "Label\u017f": {"%s": "blue"}}' %
             (TEAM, TEAM), "labels by Unicode folding"),
            (', "Labels": {"%s": ["blue"]}}' % TEAM, "a label that is a list"),
            (', "HostConfig": {"Labels": {"%s": "blue"}}}' % TEAM,
             "labels elsewhere, with HostConfig twice")):
        data = (raw + text).encode()
        head = ("POST /v1.41/containers/create HTTP/1.1\r\nHost: d\r\n"
                "Content-Type: application/json\r\nContent-Length: "
                f"{len(data)}\r\n\r\n").encode()
        a = send_raw(w.tls["alice"](), head + data, "POST")
        w.r.check(a.status == 403, "refused: " + sentence, a.body[:200])
    # keys of a map are compared with case: it is not our label
    for label in (TEAM.upper(), "Com.Acme.Team", TEAM + " ", " " + TEAM):
        a = w.create("alice", {"Labels": {label: "blue"}})
        w.whose("container", a.json["Id"],
                f"a label {label!r} gives bob nothing", alice=200, bob=403)
        w.remove(a.json["Id"])
    # labels of the image: red's container stays red's
    a = w.create("alice", {"Image": "claims"})
    w.whose("container", a.json["Id"], "an image that says blue gives red's "
            "container to nobody else", alice=200, bob=403)
    image = w.api["alice"]("POST", "/commit?container=" + a.json["Id"] +
                           "&repo=redimg&changes=LABEL%20" + TEAM + "%3Dblue",
                           {})
    w.r.equal(image.status, 403, "a commit that says blue is refused")
    image = w.api["alice"]("POST", "/commit?container=" + a.json["Id"] +
                           "&repo=redimg", {})
    w.r.check(image.status == 201, "a plain commit is not", image.body[:300])
    mine = w.create("bob", {"Image": "redimg"})
    w.whose("container", mine.json["Id"], "what bob runs of red's image is "
            "blue's", alice=403, bob=200)
    w.remove(a.json["Id"], mine.json["Id"])
    for path, body in (
            ("/volumes/create", {"Name": "spoof", "Labels": {TEAM: "blue"}}),
            ("/networks/create", {"Name": "spoof", "Labels": {TEAM: "blue"}}),
            ("/containers/create", {**BODY, "HostConfig": {"Mounts": [{
                "Type": "volume", "Source": "spoof", "Target": "/x",
                "VolumeOptions": {"Labels": {TEAM: "blue"}}}]}})):
        w.r.equal(w.api["alice"]("POST", path, body).status, 403,
                  f"a label for blue is refused: {path}")
    # creating what is there does not take it over
    w.api["bob"].must("POST", "/volumes/create", {"Name": "bluevol"})
    a = w.api["alice"]("POST", "/volumes/create", {"Name": "bluevol"})
    w.r.equal(a.status, 403, "a volume is not taken by making it again")
    w.whose("volume", "bluevol", "it stays blue's", alice=403, bob=200)


def others(w):
    """What a request touches besides (2.7)."""
    c = w.create("bob", name="blueweb").json["Id"]
    w.api["bob"].must("POST", "/networks/create", {"Name": "bluenet"})
    for host, sentence in (
            ({"NetworkMode": "container:blueweb"}, "its network"),
            ({"NetworkMode": "none", "PidMode": "container:" + c}, "its pids"),
            ({"NetworkMode": "none", "IpcMode": "container:blueweb"},
             "its ipc"),
            ({"NetworkMode": "none", "VolumesFrom": ["blueweb:ro"]},
             "its volumes"),
            ({"NetworkMode": "bluenet"}, "blue's network"),
            ({"NetworkMode": "none", "Binds": ["bluevol:/x"]},
             "blue's volume"),
            ({"Links": ["blueweb:x"]}, "a link to it")):
        w.r.equal(w.create("alice", {"HostConfig": host}).status, 403,
                  f"alice has no part in blue's container: {sentence}")
    for method, path in (
            ("POST", f"/containers/{c}/exec"), ("POST", "/commit?container=" + c),
            ("GET", f"/containers/{c}/archive?path=/etc/passwd"),
            ("POST", f"/containers/{c}/attach?stream=1&stdin=1"),
            ("POST", f"/containers/{c}/rename?name=mine"),
            ("POST", f"/containers/{c}/update"),
            ("GET", f"/containers/{c[:12]}/json"),
            ("GET", f"/containers/{c[:13]}/logs?stdout=1"),
            ("DELETE", f"/containers/{c}?force=1")):
        body = None if method != "POST" or "attach" in path or \
            "rename" in path else {}
        w.r.equal(w.api["alice"](method, path, body).status, 403,
                  f"nor may she {method} {path.split('?')[0].split('/')[-1]}")
    w.remove(c)


# ---- races ----

def acting(w):
    """mia's containers belong to the team that each request names (1.4)."""
    def one(i):
        team = ("red", "blue")[i % 2]
        a = w.create("mia", headers={"X-Portreeve-Team": team})
        return team, a.json["Id"] if a.status == 201 else a.body
    got = together(*(lambda i=i: one(i) for i in range(24)))
    wrong = [x for x in got
             if w.reaches("alice", "container", x[1]) !=
             (200 if x[0] == "red" else 403) or
             w.reaches("bob", "container", x[1]) !=
             (200 if x[0] == "blue" else 403)]
    w.r.equal(wrong, [], "equal creates for two teams at once are told apart")
    w.r.equal(w.create("mia").status, 403, "without a team she must say one")
    w.r.equal(w.create("alice", headers={"X-Portreeve-Team": "blue"}).status,
              403, "alice cannot name another's")
    w.remove(*(x[1] for x in got))


def one_name(w):
    """Two teams want one name; whoever gets it has it."""
    both = strange = 0
    for i in range(15):
        name = f"name{i}"
        got = together(*(lambda u=u: w.create(u, name=name)
                         for u in ("alice", "bob", "alice", "bob")))
        made = [a for a in got if a.status == 201]
        both += len(made) > 1
        winner = "alice" if got[0].status == 201 or got[2].status == 201 \
            else "bob"
        loser = "bob" if winner == "alice" else "alice"
        strange += w.reaches(winner, "container", name) != 200
        strange += w.reaches(loser, "container", name) != 403
        for a in made:
            w.remove(a.json["Id"])
    w.r.equal((both, strange), (0, 0),
              "a name that two teams want belongs to the one who got it")


def swaps(w, ask, sentence, turns=60):
    """alice asks for `web`, which is now hers and now bob's."""
    stop = threading.Event()

    def swap():
        who = 0
        while not stop.is_set():
            u = ("alice", "bob")[who % 2]
            who += 1
            env = [f"OF={u}"]
            a = w.create(u, {"Env": env, "Labels": {"of": u}}, name="web")
            if a.status == 201:
                w.api[u]("DELETE", f"/containers/{a.json['Id']}?force=1")
    t = threading.Thread(target=swap)
    t.start()
    seen = {}
    wrong = []
    for _ in range(turns):
        status, of = ask()
        seen[status] = seen.get(status, 0) + 1
        if of == "bob":
            wrong.append((status, of))
    stop.set()
    t.join()
    w.r.equal(wrong, [], sentence)
    return seen


def looks(w):
    def ask():
        a = w.api["alice"]("GET", "/containers/web/json")
        return a.status, a.json["Config"]["Labels"].get("of") \
            if a.status == 200 else None
    seen = swaps(w, ask, "a name that changes hands shows alice nothing of "
                 "bob's", 150)
    w.r.check(set(seen) <= {200, 403, 404}, "each is answered", seen)


def borrows(w):
    """VolumesFrom, commit and rename of a name that changes hands."""
    images = []

    def commit():
        a = w.api["alice"]("POST", "/commit?container=web", {})
        if a.status != 201:
            return a.status, None
        images.append(a.json["Id"])
        i = w.api["olga"].must("GET", f"/images/{a.json['Id']}/json")
        return 201, "bob" if "OF=bob" in (i["Config"]["Env"] or []) \
            else "alice"
    swaps(w, commit, "no commit of bob's container by its name")

    def join():
        a = w.create("alice", {"HostConfig": {
            "NetworkMode": "none", "VolumesFrom": ["web"]}})
        if a.status == 201:
            w.remove(a.json["Id"])
        return a.status, None
    seen = swaps(w, join, "VolumesFrom by name is judged", 40)
    w.r.check(set(seen) <= {201, 400, 403, 404}, "and answered", seen)


def powers(w):
    """olga makes `mighty` with power for red; alice has a tame one there at
    times: she never starts the strong one (3.7)."""
    stop = threading.Event()
    strong = {**BODY, "Labels": {TEAM: "red"},
              "HostConfig": {"NetworkMode": "none", "PidMode": "host",
                             "CapAdd": ["SYS_ADMIN"]}}
    started = []

    def swap():
        while not stop.is_set():
            a = w.api["olga"]("POST", "/containers/create?name=mighty", strong)
            if a.status == 201:
                i = w.api["olga"]("GET", f"/containers/{a.json['Id']}/json")
                for _ in range(3):
                    i = w.api["olga"](
                        "GET", f"/containers/{a.json['Id']}/json")
                if i.status == 200 and i.json["State"]["Running"]:
                    started.append(a.json["Id"])
                w.remove(a.json["Id"])
            a = w.create("alice", name="mighty")
            if a.status == 201:
                w.remove(a.json["Id"])
    t = threading.Thread(target=swap)
    t.start()
    got = {}
    for _ in range(60):
        s = w.api["alice"]("POST", "/containers/mighty/start").status
        got[s] = got.get(s, 0) + 1
    stop.set()
    t.join()
    w.r.equal(started, [], "a name that changes hands starts nothing that "
              "alice could not make")
    w.r.check(set(got) <= {204, 304, 403, 404, 409}, "each is answered", got)


def hexes(w):
    """Names of hex digits, and prefixes that become somebody's (6.3)."""
    for name in ("a" * 12, "deadbeefcafe", "0" * 64):
        w.r.equal(w.create("alice", name=name).status, 403,
                  f"no container is called {name[:16]}")
    c = w.create("bob").json["Id"]
    for cut in (2, 4, 11):
        a = w.create("alice", name=c[:cut])
        w.r.equal(a.status, 403, f"nor by what begins an id ({cut} digits)")
        a = w.api["alice"]("GET", f"/containers/{c[:cut]}/json")
        w.r.equal(a.status, 403, f"nor is one asked for by {cut} digits")
    mine = w.create("alice").json["Id"]
    a = w.api["alice"]("POST", f"/containers/{mine}/rename?name={c[:6]}")
    w.r.equal(a.status, 403, "nor renamed so")
    # ids that are made while somebody asks for what could begin them
    stop = threading.Event()
    leaks = []

    def ask(digit):
        while not stop.is_set():
            a = w.api["alice"]("GET", f"/containers/{digit}/json")
            if a.status == 200:
                leaks.append(digit)
    threads = [threading.Thread(target=ask, args=(d,))
               for d in "0123456789abcdef"]
    for t in threads:
        t.start()
    more = [w.create("bob").json["Id"] for _ in range(20)]
    stop.set()
    for t in threads:
        t.join()
    w.r.equal(leaks, [], "no digit begins what bob makes meanwhile")
    w.remove(c, mine, *more)


def tokens(w):
    """A header is no team: base64 of something is ignored or refused."""
    odd = base64.b64encode(b'{"team":"ops"}').decode()
    for value in ("ops", "red,blue", "*", odd, ""):
        a = w.create("alice", headers={"X-Portreeve-Team": value})
        w.r.check(a.status == (201 if value == "" else 403),
                  f"X-Portreeve-Team: {value[:12]!r}", a.body[:100])
        if a.status == 201:
            w.remove(a.json["Id"])


def main():
    r = Report()
    with Room() as room:
        w = World(room, r)
        w.d.import_image(Api(w.d.connect))
        made, inherits = before_us(w)
        adoption(w, made, inherits)
        ledger(w)
        spoofs(w)
        others(w)
        tokens(w)
        acting(w)
        one_name(w)
        looks(w)
        borrows(w)
        powers(w)
        hexes(w)
    r.exit()


if __name__ == "__main__":
    main()
