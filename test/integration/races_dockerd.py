#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""Names that change between judgement and handler, on a real dockerd: two
teams want one volume, one asks for what is not there yet, one takes turns."""
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
    mounts: {volumes: own}
    images: {allow: ["**"]}
    limits: {}
grants:
  - {id: red, team: red, role: all, phases: [dev], profile: plain}
  - {id: blue, team: blue, role: all, phases: [dev], profile: plain}
  - {id: ops, team: ops, role: all, phases: ["*"], owner: any, profile: unrestricted}
"""
LDIF = "".join(
    f"dn: uid={u},ou=people,dc=acme,dc=com\nobjectClass: inetOrgPerson\n"
    f"uid: {u}\ncn: {u}\nsn: {u}\n\n" for u in TEAMS) + "".join(
    f"dn: cn={t},ou=groups,dc=acme,dc=com\nobjectClass: groupOfNames\n"
    f"cn: {t}\nmember: uid={u},ou=people,dc=acme,dc=com\n\n"
    for u, t in TEAMS.items())
BODY = {"Image": "busybox", "Cmd": ["sleep", "60"]}


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


def main():
    r = Report()
    with Room() as room:
        lab = Lab(room("ca"))
        for who in TEAMS:
            lab.client(who)
        d = Dockerd(room, plugins=["portreeve"], lab=lab)
        Plugin(room, d.plugin_socket("portreeve"), d.socket, POLICY,
               ldif=LDIF, name="portreeve").start()
        d.start()
        api = {u: Api(lambda p=lab.pair(u): connect_tls(
            d.port, *p, lab.ca)) for u in TEAMS}
        d.import_image(api["olga"])
        one_volume(r, api)
        many_volumes(r, api)
        turns(r, api)
        short_hex(r, api)
        without_outcome(r, api, lab, d.plugin_socket("portreeve"))
    r.exit()


if __name__ == "__main__":
    main()
