#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shipped profiles: each loads, lets its ordinary requests pass, and
`checklist` refuses, by the right key, a request that violates one item of the
runtime checklist and nothing else.
"""
import copy
import glob
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import BUILD, HarnessError, ROOT, Report  # noqa: E402

FOLDER = os.path.join(ROOT, "packaging", "policy")
PROFILES = {os.path.basename(f)[:-5]: f
            for f in glob.glob(os.path.join(FOLDER, "profiles", "*.yaml"))}
SITE = """
labels: {{team: t, phase: ph}}
teams: {{pay: {{ldap: ["cn=pay,dc=a"]}}}}
hosts: {{h: [prod]}}
phases: {{prod: {{}}}}
{roles}
grants:
  - {{id: g, team: pay, role: all, phases: [prod], profile: {profile}}}
"""
ROLES = 'roles: {all: {allow: {"*": ["*"]}}}'
DIGEST = "@sha256:" + "a" * 64
DB = {"kind": "container", "ref": "db", "ledger": {"team": "pay",
                                                   "phase": "prod"}}
NET = {"kind": "network", "ref": "front", "ledger": {"team": "pay",
                                                     "phase": "prod"}}
# an image that says nothing of user and health check
IMAGE = {"kind": "image", "ref": "alpine" + DIGEST, "config": {}}
PATHS = [{"path": p, "known": True, "exists": True} for p in (
    "/etc", "/srv/pay/data", "/var/run/docker.sock")]
GOOD = {
    "Image": "alpine" + DIGEST, "User": "1000", "Env": ["MODE=prod"],
    "Healthcheck": {"Test": ["CMD", "true"]},
    "HostConfig": {
        "NetworkMode": "front", "ReadonlyRootfs": True, "Memory": 67108864,
        "NanoCpus": 500000000, "CpuShares": 512, "PidsLimit": 64,
        "Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 1024},
                    {"Name": "nproc", "Soft": 64, "Hard": 64}],
        "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"],
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5},
        "Binds": ["/srv/pay/data:/data", "cache:/cache"],
        "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1",
                                     "HostPort": "8080"}]}}}
HOST, GONE = "host", "without"


def port(inside="80/tcp", ip="127.0.0.1", outside="8080"):
    return {"PortBindings": {inside: [{"HostIp": ip, "HostPort": outside}]}}


def ulimits(**values):
    return {"Ulimits": [{"Name": k, "Soft": v, "Hard": v}
                        for k, v in values.items()]}


# item, what is changed in GOOD (HostConfig; None: taken away), key
ITEMS = [
    ("no privileged container", {"Privileged": True}, "privileged"),
    ("no ssh port mapping", port("22/tcp", outside="2222"),
     "ports.container"),
    ("no privileged port mapping", port(outside="80"), "ports.range"),
    ("no sensitive host directory", {"Binds": ["/etc:/x"]}, "mounts.bind"),
    ("… read-only neither", {"Binds": ["/etc:/x:ro"]}, "mounts.bind"),
    ("… as a mount neither", {"Mounts": [
        {"Type": "bind", "Source": "/etc", "Target": "/x"}]}, "mounts.bind"),
    ("… by a volume neither", {"Mounts": [
        {"Type": "volume", "Target": "/x", "VolumeOptions": {"DriverConfig": {
            "Options": {"type": "none", "o": "bind", "device": "/etc"}}}}]},
     "mounts.volume_opts"),
    ("read-only root", {"ReadonlyRootfs": False},
     "require.read_only_rootfs"),
    ("no docker socket", {"Binds": ["/var/run/docker.sock:/s"]},
     "mounts.bind"),
    ("CPU priority set", {"CpuShares": 0}, "limits.cpu_shares"),
    ("CPU limit", {"NanoCpus": 0}, "limits.cpus"),
    ("restart on-failure:5 at most: not always",
     {"RestartPolicy": {"Name": "always"}}, "restart"),
    ("… not 6 times", {"RestartPolicy": {
        "Name": "on-failure", "MaximumRetryCount": 6}}, "restart"),
    ("… not for ever", {"RestartPolicy": {"Name": "on-failure"}}, "restart"),
    ("named ports only", {"PublishAllPorts": True}, "ports.publish_all"),
    ("SELinux options", {"SecurityOpt": ["no-new-privileges",
                                         "label=disable"]},
     "security.selinux"),
    ("AppArmor profile", {"SecurityOpt": ["no-new-privileges",
                                          "apparmor=unconfined"]},
     "security.apparmor"),
    ("default seccomp", {"SecurityOpt": ["no-new-privileges",
                                         "seccomp=unconfined"]},
     "security.seccomp"),
    ("no new privileges", {"SecurityOpt": []}, "security.no_new_privileges"),
    ("masked paths", {"MaskedPaths": []}, "security.masked_paths"),
    ("ulimits: open files", ulimits(nproc=64), "limits.ulimits"),
    ("ulimits: processes", ulimits(nofile=1024), "limits.ulimits"),
    ("ulimits: not unlimited", ulimits(nofile=1024, nproc=-1),
     "limits.ulimits"),
    ("no host network", {"NetworkMode": HOST}, "namespaces.network"),
    ("no host pid namespace", {"PidMode": HOST}, "namespaces.pid"),
    ("no host ipc namespace", {"IpcMode": HOST}, "namespaces.ipc"),
    ("no shared ipc namespace", {"IpcMode": "shareable"}, "namespaces.ipc"),
    ("no host uts namespace", {"UTSMode": HOST}, "namespaces.uts"),
    ("no host user namespace", {"UsernsMode": HOST}, "namespaces.user"),
    ("no host cgroup namespace", {"CgroupnsMode": HOST},
     "namespaces.cgroup"),
    ("propagation not shared", {"Binds": ["/srv/pay/data:/x:shared"]},
     "mounts.propagation"),
    ("… not rshared", {"Mounts": [
        {"Type": "bind", "Source": "/srv/pay/data", "Target": "/x",
         "BindOptions": {"Propagation": "rshared"}}]}, "mounts.propagation"),
    ("memory limit", {"Memory": 0}, "limits.memory"),
    ("published on a given interface", port(ip=""), "ports.bind"),
    ("… not on all", port(ip="0.0.0.0"), "ports.bind"),
    ("no host device", {"Devices": [
        {"PathOnHost": "/dev/sda", "PathInContainer": "/dev/sda",
         "CgroupPermissions": "r"}]}, "devices.allow"),
    ("no device request", {"DeviceRequests": [{"Count": -1}]},
     "devices.requests"),
    ("no device rule", {"DeviceCgroupRules": ["c 1:3 r"]},
     "devices.cgroup_rules"),
    ("no default bridge", {"NetworkMode": "default"}, "namespaces.network"),
    ("… by its name", {"NetworkMode": "bridge"}, "namespaces.network"),
    ("… nor without a word", {"NetworkMode": None}, "namespaces.network"),
    ("cgroup parent", {"CgroupParent": "/other"}, "kernel.cgroup_parent"),
    ("pids limit", {"PidsLimit": None}, "limits.pids"),
    ("… not unlimited", {"PidsLimit": -1}, "limits.pids"),
    ("log driver", {"LogConfig": {"Type": "none"}}, "log_drivers"),
    ("runtime", {"Runtime": "kata"}, "kernel.runtimes"),
    ("capabilities dropped", {"CapDrop": ["CHOWN"]}, "capabilities.drop"),
    ("capabilities not added", {"CapAdd": ["NET_ADMIN"]},
     "capabilities.add"),
]
# the same beside HostConfig
TOP = [
    ("HEALTHCHECK", {"Healthcheck": None}, "require.healthcheck"),
    ("… not switched off", {"Healthcheck": {"Test": ["NONE"]}},
     "require.healthcheck"),
    ("non-root user", {"User": "root"}, "require.user"),
    ("… nor 0", {"User": "0:1000"}, "require.user"),
    ("… and the image's user is looked up", {"User": None}, "require.user"),
    ("no credentials in env", {"Env": ["DB_PASSWORD=x"]}, "env.forbid"),
    ("… a token neither", {"Env": ["GITHUB_TOKEN=x"]}, "env.forbid"),
    ("digest-pinned images", {"Image": "alpine:3.18"}, "images.digest"),
    ("images from validated registries",
     {"Image": "evil.example/library/alpine" + DIGEST}, "images.allow"),
    ("fields that nobody knows", {"Flavour": 1}, "unknown_fields"),
]
EXECS = [
    ("an ordinary exec", {"Cmd": ["id"]}, None),
    ("… as the same user", {"Cmd": ["id"], "User": "1000"}, None),
    ("no privileged exec", {"Cmd": ["id"], "Privileged": True},
     "exec.privileged"),
    ("no other-user exec", {"Cmd": ["id"], "User": "0"}, "exec.user"),
    ("no credentials in an exec", {"Cmd": ["id"], "Env": ["TOKEN=x"]},
     "env.forbid"),
]


class Decide:
    """build/tools/decide, with one policy."""

    def __init__(self, text):
        self.proc = subprocess.Popen(
            [os.path.join(BUILD, "tools", "decide")], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.send({"policy": text, "host": "h"})
        if self.proc.stdout.readline() != '{"policy":"ok"}\n':
            raise HarnessError("no policy:\n" + text)

    def send(self, line):
        self.proc.stdin.write(json.dumps(line) + "\n")
        self.proc.stdin.flush()

    def __call__(self, target, body, inspect=None):
        db = {**DB, "inspect": inspect} if inspect else DB
        said = {} if body is None else {
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps(body)}
        self.send({"who": {"name": "alice", "teams": ["pay"]}, **said,
                   "method": "POST", "target": "/v1.41" + target,
                   "paths": PATHS,
                   "objects": [db, NET, IMAGE,
                               {**IMAGE, "ref": "alpine:3.18"}],
                   "daemon": {"runtime": "runc"}})
        got = json.loads(self.proc.stdout.readline())
        if "verdict" not in got:
            raise HarnessError(str(got))
        return got

    def end(self):
        self.proc.stdin.close()
        self.proc.wait()


def policy(profile, files, roles=ROLES):
    """The files' text, and beside it a grant of the profile."""
    texts = []
    for name in files:
        with open(name, encoding="utf-8") as f:
            texts.append(re.sub(r"(?m)^version: 1$", "", f.read()))
    text = "version: 1\n" + "".join(texts)
    site = SITE.format(profile=profile, roles=roles)
    if "\ngrants:\n" in text:  # the file has grants of its own
        site, own = site.split("grants:\n")
        text = text.replace("\ngrants:\n", "\ngrants:\n" + own, 1)
    return site + text if not roles else text + site


def changed(host=None, top=None):
    body = copy.deepcopy(GOOD)
    for part, change in ((body["HostConfig"], host), (body, top)):
        for key, value in (change or {}).items():
            if value is None:
                part.pop(key, None)
            else:
                part[key] = value
    return body


def loads(r):
    r.equal(sorted(PROFILES), ["baseline", "checklist", "restricted"],
            "the profiles that ship")
    for name, path in sorted(PROFILES.items()):
        done = subprocess.run([os.path.join(BUILD, "portreeve"), "check",
                               path], capture_output=True, text=True,
                              check=False)
        r.check(done.returncode == 0, f"{name} loads alone", done.stderr)
        with open(path, encoding="utf-8") as f:
            r.check(re.match(rf"# Profile {name}, version [1-9]\d*\.\n",
                             f.readline()), f"{name} says its version")


def refusals(r):
    d = Decide(policy("checklist", [PROFILES["checklist"]]))
    got = d("/containers/create", GOOD)
    r.equal(got["verdict"], "allow", f"checklist: an ordinary create: {got}")
    rows = [(title, changed(host=c), key) for title, c, key in ITEMS] + \
        [(title, changed(top=c), key) for title, c, key in TOP]
    for title, body, key in rows:
        got = d("/containers/create", body)
        r.equal((got["verdict"], got["reason"], got["key"]),
                ("deny", "profile", key), f"checklist: {title}")
        r.check(f"checklist.{key} wants" in got["what"] or
                key == "unknown_fields", f"checklist: {title}, in words",
                got["what"])
    stored = {**changed(), "Id": "d" * 64}
    stored = {"Id": "d" * 64, "Config": {k: v for k, v in stored.items()
                                         if k not in ("HostConfig", "Id")},
              "HostConfig": stored["HostConfig"]}
    for title, body, key in EXECS:
        got = d("/containers/db/exec", body, stored)
        r.equal((got["verdict"], got["key"]),
                ("deny" if key else "allow", key or ""),
                f"checklist: {title}")
    stored["HostConfig"] = {**stored["HostConfig"], "Privileged": True}
    got = d("/containers/db/start", None, stored)
    r.equal((got["verdict"], got["reason"], got["key"]),
            ("deny", "stored-spec", "privileged"),
            "checklist: a container that somebody else made is not started")
    d.end()


def ordinary(r):
    """baseline and restricted, from their own file and from plugin-only."""
    shipped = os.path.join(FOLDER, "plugin-only.yaml")
    plain = {"Image": "alpine", "HostConfig": {}}
    release = changed(host={"Binds": ["cache:/cache"], "CapAdd": None})
    for profile, body in (("baseline", plain), ("restricted", release)):
        for where in ([PROFILES[profile]], [shipped]):
            own = where != [shipped]
            d = Decide(policy(profile, where, ROLES) if own else
                       policy(profile, where, "").replace(
                           "role: all", "role: developer"))
            name = f"{profile} of {os.path.basename(where[0])}"
            got = d("/containers/create", body)
            r.equal(got["verdict"], "allow", f"{name}: ordinary: {got}")
            for change, key in (
                    ({"Privileged": True}, "privileged"),
                    ({"Binds": ["/etc:/x"]}, "mounts.bind"),
                    ({"PidMode": "host"}, "namespaces.pid"),
                    ({"CapAdd": ["SYS_ADMIN"]}, "capabilities.add")):
                bad = copy.deepcopy(body)
                bad["HostConfig"].update(change)
                got = d("/containers/create", bad)
                r.equal((got["verdict"], got["key"]), ("deny", key),
                        f"{name}: {key}")
            bad = {**body, "Image": "alpine"}
            if profile == "restricted":
                got = d("/containers/create", bad)
                r.equal(got["key"], "images.digest", f"{name}: digest")
            d.end()


def main():
    r = Report(verbose=False)
    loads(r)
    refusals(r)
    ordinary(r)
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
