#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""Names that change between judgement and handler, on a real dockerd: two
teams want one volume, one asks for what is not there yet, one takes turns;
names that change hands while others use them, updates that are wrong only
together."""
import base64
import json
import os
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
from harness import Api, Dockerd, Lab, Plugin, Report, Room  # noqa: E402
from harness.wire import connect_tls, connect_unix  # noqa: E402

TEAMS = {"alice": "red", "bob": "blue", "olga": "ops"}
PEOPLE = [*TEAMS, "carol"]  # carol is of red and of blue
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
    mounts: {bind: ["/srv/${team}/**"], volumes: own, volumes_from: own}
    images: {allow: ["**"]}
    limits: {cpus: "..2?"}
grants:
  - {id: red, team: red, role: all, phases: [dev], profile: plain}
  - {id: blue, team: blue, role: all, phases: [dev], profile: plain}
  - {id: ops, team: ops, role: all, phases: ["*"], owner: any, profile: unrestricted}
"""
LDIF = "".join(
    f"dn: uid={u},ou=people,dc=acme,dc=com\nobjectClass: inetOrgPerson\n"
    f"uid: {u}\ncn: {u}\nsn: {u}\n\n" for u in PEOPLE) + "".join(
    f"dn: cn={t},ou=groups,dc=acme,dc=com\nobjectClass: groupOfNames\n"
    f"cn: {t}\nmember: uid={u},ou=people,dc=acme,dc=com\n"
    + ("" if t == "ops" else
       "member: uid=carol,ou=people,dc=acme,dc=com\n") + "\n"
    for u, t in TEAMS.items())
BODY = {"Image": "busybox", "Cmd": ["sleep", "600"], "StopSignal": "KILL"}


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


def one_volume(r, api):
    """Whoever makes it has it; the other is refused, never let in."""
    both = some = 0
    for i in range(20):
        body = {**BODY, "HostConfig": {"Binds": [f"race{i}:/x"]}}
        got = [a.status for a in together(*(
            lambda a=api[u]: a("POST", "/containers/create", body)
            for u in ("alice", "bob")))]
        both += got == [201, 201]
        some += 201 in got
    r.equal(both, 0, "two teams never get one new volume")
    r.equal(some, 20, "one of the two always does")
    got = [a.status for a in together(*(
        lambda: api["alice"]("POST", "/containers/create", {
            **BODY, "HostConfig": {"Binds": ["common:/x"]}})
        for _ in range(12)))]
    r.equal(got, [201] * 12, "one team makes and uses a volume at once")


def many_volumes(r, api):
    """All that one create makes belongs to whom it was made for."""
    binds = [f"many{i}:/v{i}" for i in range(12)]
    api["alice"].must("POST", "/containers/create",
                      {**BODY, "HostConfig": {"Binds": binds}})
    for who, want in (("alice", 201), ("bob", 403)):
        r.equal(api[who]("POST", "/containers/create", {
            **BODY, "HostConfig": {"Binds": binds[-1:]}}).status, want,
            f"the twelfth volume of a create, for {who}")


def turns(r, api):
    """A loop of creates under a name in use keeps nobody from it."""
    api["alice"].must("POST", "/containers/create?name=busy", BODY)
    stop = threading.Event()

    def loop():
        while not stop.is_set():
            api["bob"]("POST", "/containers/create?name=busy", BODY)
    threads = [threading.Thread(target=loop) for _ in range(24)]
    for t in threads:
        t.start()
    got = [api["alice"]("GET", "/containers/busy/json").status
           for _ in range(10)]
    stop.set()
    for t in threads:
        t.join()
    r.equal(got, [200] * 10, "the owner reaches a name that others ask for")


def short_hex(r, api):
    got = {api["bob"]("GET", f"/containers/{d}/logs?follow=1&stdout=1").status
           for d in "0123456789abcdef"}
    r.equal(got, {403}, "a digit that begins no id yet is refused")
    r.equal(api["bob"]("GET", "/containers/none/json").status, 404,
            "a name that is not there is not found")


def judged_only(lab, sock, who, target, body):
    """What the daemon asks about a create; nothing ever comes of it."""
    with open(lab.pair(who)[0], "rb") as f:
        pem = f.read()
    text = json.dumps(body).encode()
    call = json.dumps({
        "User": who, "UserAuthNMethod": "TLS", "RequestMethod": "POST",
        "RequestUri": target, "RequestBody": base64.b64encode(text).decode(),
        "RequestHeaders": {"Content-Type": "application/json",
                           "Content-Length": str(len(text))},
        "RequestPeerCertificates": [base64.b64encode(pem).decode()]}).encode()
    conn = connect_unix(sock, 60.0)
    conn.sendall(b"POST /AuthZPlugin.AuthZReq HTTP/1.1\r\nHost: x\r\n"
                 b"Connection: close\r\nContent-Length: %d\r\n\r\n"
                 % len(call) + call)
    got = b""
    while chunk := conn.recv(65536):
        got += chunk
    conn.close()
    return b'{"Allow":true}' in got


def without_outcome(r, api, lab, sock):
    """A create whose outcome never comes keeps its name from who would use
    it, and from nobody who only looks whether it is there."""
    r.check(judged_only(lab, sock, "bob", "/v1.41/volumes/create",
                        {"Name": "never"}), "a create is judged")
    r.equal(api["alice"]("GET", "/volumes/never").status, 404,
            "a look at what is not there yet")
    r.equal(api["alice"]("POST", "/volumes/create",
                         {"Name": "never"}).status, 403,
            "the name is still reserved")


class Swapping:
    """Two containers whose names an admin swaps for as long as it lasts:
    `name` means now the one, now the other."""

    def __init__(self, api, name, one, two):
        self.api, self.name = api["olga"], name
        self.ids = {}
        for which, body in (("one", one), ("two", two)):
            made = self.api.must(
                "POST", f"/containers/create?name={name}-{which}", body)
            self.ids[which] = made["Id"]
            self.api.must("POST", f"/containers/{made['Id']}/start")
        self.stop = threading.Event()
        self.swaps = 0
        self.thread = threading.Thread(target=self.run)

    def rename(self, which, name):
        # by the full id: it means the same whatever the names are
        return self.api("POST", f"/containers/{self.ids[which]}/rename"
                        f"?name={name}").status == 204

    def run(self):
        here, there = "one", "two"
        while not self.stop.is_set():
            if self.rename(here, self.name):
                while not self.rename(here, f"{self.name}-{here}"):
                    if self.stop.is_set():
                        return
            here, there = there, here
            self.swaps += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def stored_specs(r, api):
    """An exec by a name lands in the container that was judged, although the
    name means a more powerful one every other moment (3.7)."""
    made, wrong = 0, 0
    label = {"com.acme.team": "red"}
    with Swapping(api, "power", {**BODY, "Labels": label},
                  {**BODY, "Labels": label,
                   "HostConfig": {"PidMode": "host"}}) as s:
        for _ in range(1000):
            a = api["alice"]("POST", "/containers/power/exec",
                             {"Cmd": ["true"]})
            if a.status == 201:
                made += 1
                e = api["olga"].must("GET", f"/exec/{a.json['Id']}/json")
                wrong += e["ContainerID"] != s.ids["one"]
            if made >= 15 and s.swaps >= 20:
                break
    r.equal(wrong, 0, "no exec in the powerful one that bore the name too")
    r.check(made >= 15 and s.swaps >= 20, "execs and swaps there were",
            f"{made} execs, {s.swaps} swaps")


def touched(r, api):
    """What a create touches is what was judged: volumes of a container whose
    name means another team's every other moment (2.7)."""
    made, wrong = 0, 0
    bodies = [{**BODY, "Labels": {"com.acme.team": t},
               "HostConfig": {"Binds": [f"{t}-data:/d"]}}
              for t in ("red", "blue")]
    with Swapping(api, "source", *bodies) as s:
        for _ in range(1000):
            a = api["alice"]("POST", "/containers/create", {
                **BODY, "HostConfig": {"VolumesFrom": ["source"]}})
            if a.status == 201:
                made += 1
                c = api["olga"].must("GET",
                                     f"/containers/{a.json['Id']}/json")
                wrong += "blue-data" in json.dumps(c["Mounts"])
            if made >= 15 and s.swaps >= 20:
                break
    r.equal(wrong, 0, "no volume of the other team that bore the name too")
    r.check(made >= 15 and s.swaps >= 20, "creates and swaps there were",
            f"{made} creates, {s.swaps} swaps")


def updates(r, api):
    """Two updates that are right alone and wrong together."""
    both = some = 0
    for _ in range(15):
        i = api["alice"].must("POST", "/containers/create", BODY)["Id"]
        path = f"/containers/{i}/update"
        got = [a.status for a in together(
            lambda p=path: api["alice"]("POST", p, {"CpuPeriod": 1000}),
            lambda p=path: api["alice"]("POST", p, {"CpuQuota": 150000}))]
        host = api["olga"].must("GET", f"/containers/{i}/json")["HostConfig"]
        both += host["CpuPeriod"] == 1000 and host["CpuQuota"] == 150000
        some += 200 in got
    r.equal(both, 0, "period and quota never end in 150 processors")
    r.equal(some, 15, "one of the two is always done")


def paths(r, api, srv):
    """A folder that is a symlink when the container starts (5.10)."""
    here, aside = os.path.join(srv, "red/x"), os.path.join(srv, "red/y")
    os.makedirs(here)
    os.makedirs(os.path.join(srv, "blue"))
    body = {**BODY, "HostConfig": {"Binds": ["/srv/red/x:/x"]}}
    i = api["alice"].must("POST", "/containers/create", body)["Id"]
    start = f"/containers/{i}/start"
    for to in ("/etc", "../blue", "y"):
        os.rename(here, aside)
        os.symlink(to, here)
        r.equal(api["alice"]("POST", start).status, 403,
                f"no start while the source is a symlink to {to}")
        os.unlink(here)
        os.rename(aside, here)
    r.equal(api["alice"]("POST", start).status, 204,
            "it starts when the source is the folder again")
    os.rename(here, aside)
    os.symlink("/etc", here)
    r.equal(api["alice"]("POST", f"/containers/{i}/restart?t=0").status, 403,
            "no restart while it is a symlink")
    r.equal(api["alice"]("POST", f"/containers/{i}/exec",
                         {"Cmd": ["true"]}).status, 403,
            "… nor an exec")
    os.unlink(here)
    os.rename(aside, here)


def acting_teams(r, api):
    """One who is of two teams makes one volume for both at once (1.4)."""
    odd = 0
    for i in range(15):
        body = {**BODY, "HostConfig": {"Binds": [f"dual{i}:/x"]}}
        got = [a.status for a in together(*(
            lambda t=t, b=body: api["carol"](
                "POST", "/containers/create", b, {"X-Portreeve-Team": t})
            for t in ("red", "blue")))]
        use = [api[u]("POST", "/containers/create", body).status == 201
               for u in ("alice", "bob")]
        odd += [s == 201 for s in got] != use or sum(use) != 1
    r.equal(odd, 0, "the volume is the team's whose request was let through")


def main():
    r = Report()
    with Room() as room:
        lab = Lab(room("ca"))
        for who in PEOPLE:
            lab.client(who)
        srv = room.mkdir("srv")
        d = Dockerd(room, plugins=["portreeve"], lab=lab,
                    binds={srv: "/srv"})
        Plugin(room, d.plugin_socket("portreeve"), d.socket, POLICY,
               ldif=LDIF, name="portreeve").start()
        d.start()
        api = {u: Api(lambda p=lab.pair(u): connect_tls(
            d.port, *p, lab.ca)) for u in PEOPLE}
        d.import_image(api["olga"])
        one_volume(r, api)
        many_volumes(r, api)
        turns(r, api)
        short_hex(r, api)
        paths(r, api, srv)
        acting_teams(r, api)
        updates(r, api)
        stored_specs(r, api)
        touched(r, api)
        without_outcome(r, api, lab, d.plugin_socket("portreeve"))
    r.exit()


if __name__ == "__main__":
    main()
