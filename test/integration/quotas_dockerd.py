#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""Quotas on a real dockerd: many creates at once, what ends a reservation,
restarts of plugin and daemon, updates, and what the refusal says."""
import json
import os
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
labels: {team: com.acme.team, phase: com.acme.phase}
teams:
  red: {ldap: ["cn=red,ou=groups,dc=acme,dc=com"]}
  blue: {ldap: ["cn=blue,ou=groups,dc=acme,dc=com"]}
  ops: {ldap: ["cn=ops,ou=groups,dc=acme,dc=com"]}
hosts: {"*": [dev]}
phases: {dev: {audit: metadata}}
roles:
  all: {allow: {"*": ["*"]}}
grants:
  - {id: red, team: red, role: all, phases: [dev], profile: unrestricted}
  - {id: blue, team: blue, role: all, phases: [dev], profile: unrestricted}
  - {id: ops, team: ops, role: all, phases: ["*"], owner: any, profile: unrestricted}
"""
QUOTAS = """\
quotas:
  - {team: red, containers: 10}
  - {team: blue, memory: 64MiB, cpus: 2, ports: 3}
"""
LDIF = "".join(
    f"dn: uid={u},ou=people,dc=acme,dc=com\nobjectClass: inetOrgPerson\n"
    f"uid: {u}\ncn: {u}\nsn: {u}\n\n" for u in TEAMS) + "".join(
    f"dn: cn={t},ou=groups,dc=acme,dc=com\nobjectClass: groupOfNames\n"
    f"cn: {t}\nmember: uid={u},ou=people,dc=acme,dc=com\n\n"
    for u, t in TEAMS.items())
BODY = {"Image": "busybox", "Cmd": ["sleep", "60"]}
MIB = 1 << 20


def together(n, call):
    """Runs call(0..n-1) at the same moment; their results in order."""
    barrier = threading.Barrier(n)
    out = [None] * n

    def go(i):
        barrier.wait()
        out[i] = call(i)
    threads = [threading.Thread(target=go, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return out


def limited(memory=8 * MIB, cpus=10 ** 8, ports=0, **more):
    host = {"Memory": memory, "NanoCpus": cpus, **more}
    if ports:
        host["PortBindings"] = {f"{i}/tcp": [{"HostPort": str(20000 + i)}]
                                for i in range(1, ports + 1)}
    return {**BODY, "HostConfig": host}


def ids(api, owner=None):
    out = api.must("GET", "/containers/json?all=1")
    return [c["Id"] for c in out]


def remove_all(api):
    for i in ids(api):
        api.must("DELETE", f"/containers/{i}?force=1")


def storm(r, api):
    """200 creates at once against 10."""
    def create(i):
        # some bring a name, some fail in the daemon (an unknown runtime)
        name = f"?name=storm{i}" if i % 3 == 0 else ""
        body = BODY if i % 10 else {**BODY, "HostConfig": {"Runtime": "none"}}
        return api["alice"]("POST", "/containers/create" + name, body)
    got = together(200, create)
    made = [a for a in got if a.status == 201]
    there = ids(api["olga"])
    if len(made) < 10:
        # reservations of those that failed were held for a moment: what is
        # asked for now must fit
        for i in range(10 - len(made)):
            made.append(api["alice"]("POST", "/containers/create", BODY))
        there = ids(api["olga"])
    r.equal(len(there), 10, "200 creates at once end with exactly ten")
    r.equal(sorted(a.json["Id"] for a in made), sorted(there),
            "which are those that were answered with 201")
    refused = [a for a in got if a.status == 403]
    r.check(len(refused) > 100 and all(
        "quota" in a.message or "Runtime" in a.message for a in refused),
        "the others were refused for the quota", refused[0].message)
    a = api["alice"]("POST", "/containers/create", BODY)
    r.check(a.status == 403 and "10/10 used" in a.message,
            "the refusal says used/limit", a.message)
    r.check("policy.yaml:" in a.message, "and where the quota is written",
            a.message)
    r.equal(api["bob"]("POST", "/containers/create",
                       limited()).status, 201, "another team has its own")


def plain_storm(r, api):
    """All can be made: exactly ten are, at the first go."""
    for turn in range(3):
        remove_all(api["olga"])
        got = together(200, lambda i: api["alice"](
            "POST", "/containers/create", BODY).status)
        r.equal((got.count(201), got.count(403), len(ids(api["olga"]))),
                (10, 190, 10), f"exactly ten of 200, turn {turn + 1}")


def freed(r, api):
    """What is removed is free at once, what fails never counted."""
    one = ids(api["olga"])[0]
    api["olga"].must("DELETE", f"/containers/{one}?force=1")
    for _ in range(5):
        a = api["alice"]("POST", "/containers/create", BODY)
        r.equal(a.status, 201, "a place that was freed can be taken")
        r.equal(api["alice"]("POST", "/containers/create", BODY).status, 403,
                "once")
        api["olga"].must("DELETE", f"/containers/{a.json['Id']}?force=1")
    for _ in range(12):
        api["alice"]("POST", "/containers/create?name=olgas", {
            **BODY, "HostConfig": {"NetworkMode": "container:nothere"}})
        api["alice"]("POST", "/containers/create", {
            **BODY, "HostConfig": {"CgroupParent": "x", "Memory": 1}})
    r.equal(api["alice"]("POST", "/containers/create", BODY).status, 201,
            "creates that the daemon refused take nothing")


def restarts(r, api, plugin, d):
    """After a restart everything is counted before anything is judged."""
    plugin.stop()
    plugin.start()
    r.equal(len(ids(api["olga"])), 10, "ten are there")
    got = together(20, lambda i: api["alice"](
        "POST", "/containers/create", BODY).status)
    r.equal(got, [403] * 20, "after a restart of the plugin: none more")
    # while it is away somebody removes one on the daemon's side
    one = ids(api["olga"])[0]
    api["olga"].must("DELETE", f"/containers/{one}?force=1")
    d.stop(graceful=True)
    d.start()
    got = together(20, lambda i: api["alice"](
        "POST", "/containers/create", BODY).status)
    r.equal(sorted(got), [201] + [403] * 19,
            "after a restart of dockerd: the one place that is free")


def amounts(r, api):
    remove_all(api["olga"])
    bob = api["bob"]

    def denied(body, text, sentence):
        a = bob("POST", "/containers/create", body)
        r.check(a.status == 403 and text in a.message, sentence, a.message)
    denied(BODY, "Memory is not set", "memory that is counted must be set")
    denied({**BODY, "HostConfig": {"Memory": 8 * MIB}}, "NanoCpus",
           "cpus too")
    denied(limited(PublishAllPorts=True), "PublishAllPorts",
           "all ports are no number")
    denied(limited(memory=65 * MIB), "0MiB/64MiB used, 65MiB more",
           "more than all")
    made = bob.must("POST", "/containers/create",
                    limited(memory=40 * MIB, ports=2))["Id"]
    denied(limited(memory=25 * MIB), "40MiB/64MiB used", "memory is summed")
    denied(limited(ports=2), "2/3 used, 2 more", "ports are summed")
    denied(limited(cpus=2 * 10 ** 9), "0.1/2 used, 2 more", "cpus are summed")
    # key case, and the old spelling of cpus
    denied({**BODY, "hostconfig": {"memory": 30 * MIB, "nanocpus": 1}},
           "40MiB/64MiB", "whatever the case of the keys")
    denied({**BODY, "HostConfig": {"Memory": 8 * MIB, "CpuPeriod": 1000,
                                   "CpuQuota": 3000}}, "0.1/2 used",
           "cpus by quota and period")

    def update(body):
        return bob("POST", f"/containers/{made}/update", body)
    a = update({"Memory": 65 * MIB, "MemorySwap": 130 * MIB})
    r.check(a.status == 403 and "40MiB/64MiB used, 25MiB more" in a.message,
            "an update is the difference", a.message)
    r.equal(update({"NanoCpus": 2 * 10 ** 9}).status, 200,
            "up to the limit it passes")
    a = bob("POST", "/containers/create", limited(cpus=10 ** 7))
    r.check(a.status == 403 and "2/2 used" in a.message,
            "and counts from then on", a.message)
    r.equal(update({"CpuShares": 512}).status, 200,
            "what raises nothing passes")
    r.equal(update({"NanoCpus": 10 ** 8}).status, 200, "down is free")
    got = together(8, lambda i: update({"NanoCpus": 10 ** 9 + i}).status)
    r.check(all(s in (200, 403) for s in got) and 200 in got,
            "updates of one container at once", got)
    # what is read from the daemon is what is counted
    real = [bob.must("GET", f"/containers/{i}/json")["HostConfig"]
            for i in ids(api["olga"])]
    r.check(sum(h["NanoCpus"] for h in real) <= 2 * 10 ** 9,
            "the sum stays below", real)


def update_storm(r, api):
    """Twenty containers grow at once; the sum never passes the limit."""
    remove_all(api["olga"])
    bob = api["bob"]
    made = [bob.must("POST", "/containers/create",
                     limited(memory=6 * MIB))["Id"] for _ in range(8)]
    got = together(8, lambda i: bob(
        "POST", f"/containers/{made[i]}/update",
        {"Memory": 14 * MIB, "MemorySwap": 28 * MIB}).status)
    real = [bob.must("GET", f"/containers/{i}/json")["HostConfig"][
        "Memory"] for i in made]
    r.check(sum(real) <= 64 * MIB and got.count(200) == 2,
            "updates at once share what is left", (got, real))


def introduced(r, api, plugin):
    """A quota that comes by reload counts what is there already."""
    remove_all(api["olga"])
    plugin.reload(POLICY)
    for _ in range(12):
        api["alice"].must("POST", "/containers/create", BODY)
    plugin.reload(POLICY + QUOTAS)
    a = api["alice"]("POST", "/containers/create", BODY)
    r.check(a.status == 403 and "12/10 used" in a.message,
            "a quota that is new counts what was there before", a.message)
    for i in ids(api["olga"])[:3]:
        api["olga"].must("DELETE", f"/containers/{i}?force=1")
    r.equal(api["alice"]("POST", "/containers/create", BODY).status, 201,
            "and lets in what fits")


def adopted(r, api, plugin, d):
    """Nobody's containers count from when somebody is given them."""
    remove_all(api["olga"])
    plugin.reload(POLICY + "quotas:\n  - {team: red, containers: 1}\n")
    made = api["olga"].must("POST", "/containers/create", BODY)["Id"]
    a = plugin.command("adopt", "-c", plugin.config_file, "container", made,
                       "-t", "red", "-p", "dev")
    r.equal(a.returncode, 0, "olga's container is given to red")

    def refused():
        a = api["alice"]("POST", "/containers/create", BODY)
        if a.status == 201:
            api["olga"].must("DELETE", f"/containers/{a.json['Id']}")
        return a.status == 403 and "1/1 used" in a.message
    wait_until("the adoption", refused, 20)
    r.check(True, "then red's quota counts it")


def logged(r, plugin):
    quota = []
    for name in sorted(os.listdir(plugin.audit)):
        if name.endswith(".jsonl"):
            with open(os.path.join(plugin.audit, name),
                      encoding="utf-8") as f:
                quota += [x for x in map(json.loads, f)
                          if x.get("reason") == "quota"]
    r.check(quota and all(x["verdict"] == "deny" for x in quota),
            "the log has the refusals under their reason", quota[:1])


def main():
    r = Report()
    with Room() as room:
        lab = Lab(room("ca"))
        for who in TEAMS:
            lab.client(who)
        d = Dockerd(room, plugins=["portreeve"], lab=lab)
        plugin = Plugin(room, d.plugin_socket("portreeve"), d.socket,
                        POLICY + QUOTAS, ldif=LDIF, name="portreeve",
                        deadline="20s").start()
        d.start()
        api = {u: Api(lambda p=lab.pair(u): connect_tls(
            d.port, *p, lab.ca)) for u in TEAMS}
        d.import_image(api["olga"])
        storm(r, api)
        plain_storm(r, api)
        freed(r, api)
        restarts(r, api, plugin, d)
        amounts(r, api)
        update_storm(r, api)
        introduced(r, api, plugin)
        adopted(r, api, plugin, d)
        logged(r, plugin)
    r.exit()


if __name__ == "__main__":
    main()
