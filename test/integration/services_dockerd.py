#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""Services, secrets, configs and tasks of a real swarm of one node: what is
judged is what the daemon does, by whatever name, and stays whose it is.  With
an argument (26.1, 28.5) that engine is behind."""
import json
import os
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from harness import Api, Dockerd, Lab, Plugin, Report, Room  # noqa: E402
from harness.room import wait_until  # noqa: E402
from harness.wire import connect_tls  # noqa: E402

TEAMS = {"alice": "red", "bob": "blue", "olga": "ops"}
POLICY = """\
version: 1
labels: {team: t, phase: p}
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
    images: {allow: ["**"]}
    mounts: {volumes: own, bind: ["/srv/${team}/**"], shared_trees: true}
    namespaces: {network: [private, own]}
    net: {drivers: [default, bridge, overlay]}
    restart: ["no", always]
    limits: {memory: "..64MiB?"}
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


def spec(name, container=None, **task):
    return {"Name": name, "Labels": task.pop("labels", {}),
            "TaskTemplate": {
                "ContainerSpec": {"Image": "busybox",
                                  "Command": ["sleep", "300"],
                                  **(container or {})}, **task},
            "Mode": {"Replicated": {"Replicas": 1}}}


def inspect(api, name):
    return api["olga"].must("GET", f"/services/{name}")


def version(api, name):
    return inspect(api, name)["Version"]["Index"]


def running(api, name):
    filters = json.dumps({"service": [name], "desired-state": ["running"]})
    tasks = api["olga"].must("GET", "/tasks?filters=" + quoted(filters))
    return [t for t in tasks if t["Status"]["State"] == "running"]


def quoted(text):
    return "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in text)


def creates(r, api):
    """Ordinary services, and what a container could not have either."""
    a = api["alice"]
    made = a("POST", "/services/create", spec("web"))
    r.equal(made.status, 201, "a plain service is made")
    wait_until("a task", lambda: running(api, "web"), 120.0)
    cases = {
        "a bind outside": {"Mounts": [{"Type": "bind", "Source": "/etc",
                                       "Target": "/x"}]},
        "a capability": {"CapabilityAdd": ["CAP_SYS_ADMIN"]},
        "a capability, spelled otherwise": {"capabilityadd": ["sys_admin"]},
        "no seccomp": {"Privileges": {"Seccomp": {"Mode": "unconfined"}}},
        "no label": {"Privileges": {"SELinuxContext": {"Disable": True}}},
        "a sysctl": {"Sysctls": {"net.ipv4.ip_forward": "1"}},
        "an option of a volume": {"Mounts": [{
            "Type": "volume", "Source": "v0", "Target": "/x",
            "VolumeOptions": {"DriverConfig": {"Name": "local", "Options": {
                "type": "none", "o": "bind", "device": "/etc"}}}}]},
    }
    for what, container in cases.items():
        r.equal(a("POST", "/services/create", spec("evil", container)).status,
                403, f"a service with {what}")
    for what, body in {
            "the host's network": spec("evil", Networks=[{"Target": "host"}]),
            "the host's network, in the older place":
                {**spec("evil"), "Networks": [{"Target": "host"}]},
            "a plugin": {"Name": "evil", "TaskTemplate": {
                "Runtime": "plugin", "PluginSpec": {"Name": "x",
                                                    "Remote": "y"}}},
            "too much memory": spec("evil", Resources={
                "Limits": {"MemoryBytes": 1 << 30}}),
            "a port": {**spec("evil"), "EndpointSpec": {
                "Ports": [{"TargetPort": 80, "PublishedPort": 8080}]}},
            "a log driver": spec("evil", LogDriver={"Name": "syslog"}),
    }.items():
        r.equal(a("POST", "/services/create", body).status, 403,
                f"a service with {what}")
    host = api["olga"].must("GET", "/networks/host")["Id"]
    r.equal(a("POST", "/services/create",
              spec("evil", Networks=[{"Target": host}])).status, 403,
            "the host's network by its id")
    r.equal(a("POST", "/services/create", spec("mine", {"Mounts": [
        {"Type": "bind", "Source": "/srv/red", "Target": "/x"},
        {"Type": "volume", "Source": "redvol", "Target": "/y"}]})).status,
        201, "a bind and a volume of one's own, in a swarm of one node")
    return made.json["ID"]


def whose(r, api, sid):
    """By id, name and prefix; by somebody else never."""
    task = running(api, "web")[0]
    for ref in (sid, "web", sid[:14]):
        r.equal(api["alice"]("GET", f"/services/{ref}").status, 200,
                f"alice looks at her service as {len(ref)} characters")
        for method, path in (("GET", ""), ("DELETE", ""),
                             ("GET", "/logs?stdout=1")):
            r.equal(api["bob"](method, f"/services/{ref}{path}").status, 403,
                    f"bob: {method} {path} by {len(ref)} characters")
    r.equal(api["bob"]("GET", f"/services/{sid[:3]}").status, 403,
            "a short prefix is refused")
    for ref in (task["ID"], task["ID"][:14]):
        r.equal(api["alice"]("GET", f"/tasks/{ref}").status, 200,
                "alice looks at a task of hers")
        r.equal(api["bob"]("GET", f"/tasks/{ref}").status, 403,
                "bob does not")
        r.equal(api["bob"]("GET", f"/tasks/{ref}/logs?stdout=1").status, 403,
                "nor at its logs")
    container = task["Status"]["ContainerStatus"]["ContainerID"]
    r.equal(api["bob"]("POST", f"/containers/{container}/exec",
                       {"Cmd": ["id"]}).status, 403,
            "nor does he get into its container")


def updates(r, api):
    """An update is judged like a create, and leaves the owner."""
    def update(who, body, extra="", v=None):
        v = version(api, "web") if v is None else v
        return api[who]("POST", f"/services/web/update?version={v}{extra}",
                        body).status
    r.equal(update("bob", spec("web")), 403, "bob updates alice's service")
    r.equal(update("alice", spec("web", {"Env": ["A=b"]})), 200,
            "alice updates it")
    r.equal(update("alice", spec("web", {"CapabilityAdd": ["ALL"]})), 403,
            "but not to more than she may")
    r.equal(update("alice", spec("web", labels={"t": "blue"})), 403,
            "nor to bob's")
    r.equal(update("alice", spec("web", {"Labels": {"t": "blue"}})), 403,
            "nor its containers to bob's")
    r.equal(update("olga", spec("web", labels={"t": "blue"})), 403,
            "nor does an admin, who adopts instead")
    r.equal(api["alice"]("POST", "/services/web/update",
                         spec("web")).status, 403, "an update of no version")
    # an admin makes it mighty and takes that back: what was is PreviousSpec
    r.equal(update("olga", spec("web", {"CapabilityAdd": ["SYS_ADMIN"]})),
            200, "an admin gives it more")
    r.equal(update("olga", spec("web")), 200, "and takes it back")
    now = version(api, "web")
    r.equal(update("alice", spec("web"), "&rollback=previous"), 403,
            "alice rolls back to what she may not have")
    r.equal(update("alice", spec("web"), "&rollback=PREVIOUS"), 403,
            "rollback in other letters")
    r.equal(update("alice", spec("web", {"Env": ["C=d"]})), 200,
            "an update in between")
    r.equal(update("alice", spec("web"), "&rollback=previous", now), 403,
            "a rollback of another version")
    r.equal(update("alice", spec("web"), "&rollback=previous"), 200,
            "a rollback to what she may have")
    r.check("CapabilityAdd" not in
            inspect(api, "web")["Spec"]["TaskTemplate"]["ContainerSpec"],
            "nothing of the admin's is back")


def secrets(r, api):
    a, b = api["alice"], api["bob"]
    made = a("POST", "/secrets/create", {"Name": "sec", "Data": "eA=="})
    r.equal(made.status, 201, "a secret is made")
    sid = made.json["ID"]
    conf = a.must("POST", "/configs/create", {"Name": "cf",
                                              "Data": "eA=="})["ID"]
    r.equal(b("POST", "/secrets/create",
              {"Name": "sec2", "Data": "eA==",
               "Labels": {"t": "red"}}).status, 403,
            "a secret in somebody else's name")
    r.equal(a("POST", "/secrets/create",
              {"Name": "sec3", "Driver": {"Name": "vault"}}).status, 403,
            "a secret of a driver")
    r.equal(b("GET", f"/configs/{conf}").status, 403, "bob reads a config")
    file = {"Name": "f", "UID": "0", "GID": "0", "Mode": 292}
    for who, want in (("bob", 403), ("alice", 201)):
        for field, ref in (("Secrets", {"SecretID": sid,
                                        "SecretName": "sec"}),
                           ("Configs", {"ConfigID": conf,
                                        "ConfigName": "cf"})):
            body = spec(f"{who}-{field.lower()}",
                        {field: [{"File": file, **ref}]})
            r.equal(api[who]("POST", "/services/create", body).status, want,
                    f"{who}: a service with {field} of alice")
    made = b.must("POST", "/services/create", spec("bobs"))
    body = spec("bobs", {"Secrets": [{"File": file, "SecretID": sid,
                                      "SecretName": "sec"}]})
    r.equal(b("POST", f"/services/bobs/update?version="
              f"{version(api, 'bobs')}", body).status, 403,
            "a secret of alice comes by no update")
    v = a.must("GET", f"/secrets/{sid}")["Version"]["Index"]
    r.equal(b("POST", f"/secrets/{sid}/update?version={v}",
              {"Name": "sec", "Labels": {"t": "blue"}}).status, 403,
            "bob takes a secret")
    r.equal(a("POST", f"/secrets/sec/update?version={v}",
              {"Name": "sec", "Labels": {"x": "y"}}).status, 200,
            "alice labels hers")
    r.equal(b("DELETE", f"/secrets/{sid}").status, 403, "bob removes it")


def networks(r, api):
    """An overlay of one's own; a network of this host is none of the swarm."""
    a = api["alice"]
    a.must("POST", "/networks/create", {"Name": "ov", "Driver": "overlay"})
    a.must("POST", "/networks/create", {"Name": "br", "Driver": "bridge"})
    r.equal(a("POST", "/services/create",
              spec("onov", Networks=[{"Target": "ov"}])).status, 201,
            "a service on an overlay of one's own")
    r.equal(a("POST", "/services/create",
              spec("onbr", Networks=[{"Target": "br"}])).status, 403,
            "not on a bridge of this host")
    r.equal(api["bob"]("POST", "/services/create",
                       spec("bobov", Networks=[{"Target": "ov"}])).status,
            403, "bob on alice's overlay")


def races(r, api):
    """Two teams want one name; one of them has it, and what is there."""
    both = 0
    for i in range(10):
        got = {}
        go = threading.Barrier(2)

        def make(who, name=f"race{i}"):
            go.wait()
            got[who] = api[who]("POST", "/services/create", spec(name)).status
        threads = [threading.Thread(target=make, args=(w,))
                   for w in ("alice", "bob")]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        both += list(got.values()).count(201) > 1
        owner = next(w for w, s in got.items() if s == 201)
        other = "bob" if owner == "alice" else "alice"
        r.equal((api[owner]("GET", f"/services/race{i}").status,
                 api[other]("GET", f"/services/race{i}").status), (200, 403),
                "who made it has it")
        api[owner].must("DELETE", f"/services/race{i}")
    r.equal(both, 0, "nobody makes a service twice")


def cluster(r, api):
    """What commands the host is for owner: any alone."""
    a = api["alice"]
    for method, path, body in (
            ("POST", "/swarm/leave?force=1", None),
            ("POST", "/swarm/update?version=1", {"Name": "default"}),
            ("POST", "/swarm/join", {"RemoteAddrs": ["10.0.0.1:2377"],
                                     "JoinToken": "x"}),
            ("POST", "/swarm/unlock", {"UnlockKey": "x"}),
            ("GET", "/swarm", None), ("GET", "/swarm/unlockkey", None),
            ("GET", "/nodes", None),
            ("POST", "/plugins/pull?remote=x/y", []),
            ("POST", "/plugins/create?name=x", b"")):
        r.equal(a(method, path, body, {"Content-Type": "application/x-tar"}
                  if body == b"" else None).status, 403,
                f"alice: {method} {path}")
    node = api["olga"].must("GET", "/nodes")[0]
    v = node["Version"]["Index"]
    body = {"Role": "manager", "Availability": "active", "Labels": {"a": "b"}}
    r.equal(a("POST", f"/nodes/{node['ID']}/update?version={v}",
              body).status, 403, "alice labels a node")
    r.equal(api["olga"]("POST", f"/nodes/{node['ID']}/update?version={v}",
                        body).status, 200, "an admin does")
    swarm = api["olga"].must("GET", "/swarm")
    spec_now = swarm["Spec"]
    r.equal(api["olga"]("POST", "/swarm/update?version="
                        f"{swarm['Version']['Index']}", spec_now).status, 200,
            "what swarm inspect shows is what swarm update takes")


def wire_up(first, second):
    """A network of two ends between the two daemons."""
    name = f"vp{os.getpid()}"
    run = subprocess.check_call
    run(["ip", "link", "add", name, "type", "veth", "peer", "name",
         name + "b"])
    for d, link, address in ((first, name, "10.9.0.1"),
                             (second, name + "b", "10.9.0.2")):
        run(["ip", "link", "set", link, "netns", str(d.pid)])
        for args in (["addr", "add", address + "/24", "dev", link],
                     ["link", "set", link, "up"]):
            run(["nsenter", "-n", "-t", str(d.pid), "ip", *args])


def two_nodes(r, room, d, api, engine):
    """With a second node nothing of this host says what is there."""
    body = spec("below", {"Mounts": [
        {"Type": "bind", "Source": "/srv/red/a", "Target": "/x"}]})
    at_root = spec("root", {"Mounts": [
        {"Type": "bind", "Source": "/srv/red", "Target": "/x"}]})
    volume = spec("vol", {"Mounts": [
        {"Type": "volume", "Source": "redvol", "Target": "/y"}]})
    a = api["alice"]
    for what, b in (("below its folder", body), ("a volume", volume)):
        r.equal(a("POST", "/services/create", b).status, 201,
                f"one node: {what}")
        a.must("DELETE", f"/services/{b['Name']}")
    other = Dockerd(room, name="second", engine=engine).start()
    wire_up(d, other)
    token = api["olga"].must("GET", "/swarm")["JoinTokens"]["Worker"]
    Api(other.connect).must("POST", "/swarm/join", {
        "ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": "10.9.0.2",
        "RemoteAddrs": ["10.9.0.1:2377"], "JoinToken": token})
    wait_until("a second node",
               lambda: len(api["olga"].must("GET", "/nodes")) == 2, 60.0)
    # the event of it has been heard when the answer changes
    wait_until("the event", lambda: a(
        "POST", "/services/create", {**volume, "Name": "probe"}).status == 403
        or a("DELETE", "/services/probe").status == 404, 60.0)
    for what, b, want in (("below its folder", body, 403),
                          ("a volume", volume, 403),
                          ("its folder itself", at_root, 201)):
        r.equal(a("POST", "/services/create", b).status, want,
                f"two nodes: {what}")


def main(engine=None):
    r = Report()
    with Room() as room:
        lab = Lab(room("ca"))
        for who in TEAMS:
            lab.client(who)
        srv = room.mkdir("srv")
        room.mkdir("srv", "red", "a")
        d = Dockerd(room, plugins=["portreeve"], lab=lab, binds={srv: "/srv"},
                    engine=engine)
        Plugin(room, d.plugin_socket("portreeve"), d.socket, POLICY,
               ldif=LDIF, name="portreeve").start()
        d.start()
        api = {u: Api(lambda p=lab.pair(u): connect_tls(
            d.port, *p, lab.ca)) for u in TEAMS}
        d.import_image(api["olga"])
        r.equal(api["alice"]("POST", "/swarm/init",
                             {"ListenAddr": "127.0.0.1:2377"}).status, 403,
                "a team makes no swarm")
        subprocess.check_call(["nsenter", "-n", "-t", str(d.pid), "ip", "addr",
                               "add", "10.9.0.1/32", "dev", "lo"])
        api["olga"].must("POST", "/swarm/init", {
            "ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": "10.9.0.1"})
        sid = creates(r, api)
        whose(r, api, sid)
        updates(r, api)
        secrets(r, api)
        networks(r, api)
        races(r, api)
        cluster(r, api)
        two_nodes(r, room, d, api, engine)
        for s in api["olga"].must("GET", "/services"):
            api["olga"].must("DELETE", f"/services/{s['ID']}")
        api["olga"]("POST", "/swarm/leave?force=1")
    r.exit()


if __name__ == "__main__":
    main(*sys.argv[1:])
