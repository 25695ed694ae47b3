#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes corpus.jsonl: minimal pairs, a safe request plus one forbidden thing.

Each line is one request as bytes on the wire (latin-1 text), who sends it, and
whether policy.yaml lets it through:
  id class title expect wire [user] [setup] [daemon] [offline] [gone] [says]
`daemon`: dockerd answers by itself and asks no plugin.  `offline`: it wants a
registry that is not there, so that it fails when it is let through.  `gone`:
engines from there on have no such route.  `says`: what a user is told.
`setup`: requests that the admin makes first, {"save": {NAME: member}} keeps a
member of the answer.
{{NAME}} in wire stands for what replay.py knows: ids of the world.  {{LENGTH}}
is counted when the rest is filled in, {{PAD}} is 1.1 MB of x, and a body that
begins with {{CHUNKED}} is sent in one chunk.
"""
import copy
import json
import os
import sys

import builds
import client_cases
import json_cases
import message_cases
import specs
import swarm_cases
from create_cases import HOST_DENY, TOP_DENY

HERE = os.path.dirname(os.path.abspath(__file__))
V = "/v1.41"
AGENT = "Docker-Client/20.10.24 (linux)"
JSON = {"Content-Type": "application/json"}
SAFE = {
    "Image": "app", "Cmd": ["sleep", "60"],
    "Labels": {"com.acme.team": "red"},
    "HostConfig": {"Memory": 67108864, "PidsLimit": 100,
                   "ReadonlyRootfs": True, "NetworkMode": "none",
                   "SecurityOpt": ["no-new-privileges"]},
}
cases = []


def wire(method, target, body=None, headers=None, framing="length"):
    h = {"Host": "docker", "User-Agent": AGENT}
    h.update(headers or {})
    head = f"{method} {target} HTTP/1.1\r\n"
    if body is not None and framing == "length":
        h.setdefault("Content-Length", "{{LENGTH}}")
    if framing == "chunked":
        h["Transfer-Encoding"] = "chunked"
    head += "".join(f"{k}: {v}\r\n" for k, v in h.items()) + "\r\n"
    if framing == "chunked":
        return head + "{{CHUNKED}}" + body
    return head + (body or "")


def add(cls, expect, title, text, **more):
    n = 1 + sum(1 for c in cases if c["class"] == cls)
    cases.append({"id": f"{cls}-{n:03}", "class": cls, "title": title,
                  "expect": expect, "wire": text, **more})


def with_host(**fields):
    body = copy.deepcopy(SAFE)
    body["HostConfig"].update(fields)
    return body


def with_top(**fields):
    body = copy.deepcopy(SAFE)
    body.update(fields)
    return body


def create(body, target=V + "/containers/create", **kw):
    text = body if isinstance(body, str) else json.dumps(body)
    return wire("POST", target, text, {**JSON, **kw.pop("headers", {})}, **kw)


def framing():
    """The body is there, but a plugin is not shown it, or not all of it."""
    good, bad = json.dumps(SAFE), json.dumps(with_host(Privileged=True))
    big = json.dumps(with_top(Env=["A={{PAD}}"]))
    path = V + "/containers/create"
    add("framing", "allow", "chunked, application/json",
        create(good, framing="chunked"))
    add("framing", "deny", "chunked and privileged",
        create(bad, framing="chunked"))
    for kind in ("text/plain", "application/x-www-form-urlencoded",
                 "multipart/form-data; boundary=x", "application/octet-stream",
                 "application/json/x", "text/json", "application/jsonp",
                 "application/json; charset", "*/*"):
        add("framing", "deny", f"the body as {kind}", wire(
            "POST", path, bad, {"Content-Type": kind}))
    add("framing", "deny", "no content type", wire("POST", path, bad))
    add("framing", "deny", "no content type, chunked",
        wire("POST", path, bad, framing="chunked"))
    add("framing", "deny", "no body at all", wire("POST", path, None, JSON))
    add("framing", "deny", "an empty body", wire("POST", path, "", JSON))
    add("framing", "deny", "two content types, json first", wire(
        "POST", path, bad, {"Content-Type": "application/json",
                            "content-type": "text/plain"}))
    add("framing", "deny", "two content types, json last", wire(
        "POST", path, bad, {"Content-Type": "text/plain",
                            "content-type": "application/json"}))
    add("framing", "deny", "more than dockerd shows", create(
        big.replace('"HostConfig": {', '"HostConfig": {"Privileged": true,')))
    add("framing", "deny", "more than dockerd shows, chunked", create(
        big.replace('"HostConfig": {', '"HostConfig": {"Privileged": true,'),
        framing="chunked"))
    add("framing", "deny", "a bad escape in a fragment hides the body",
        create(bad, target=path + "?#%zz"))
    add("framing", "deny", "… behind a query", create(
        bad, target=path + "?name=a1#%zz"))
    add("framing", "deny", "privileged said to be gzip", create(
        bad, headers={"Content-Encoding": "gzip"}))
    add("framing", "allow", "content type in capitals, with a charset",
        wire("POST", path, good,
             {"Content-Type": "Application/JSON; charset=utf-8"}))
    add("framing", "deny", "privileged, in capitals, with a charset",
        wire("POST", path, bad,
             {"Content-Type": "Application/JSON; charset=utf-8"}))
    add("framing", "deny", "a body where start takes none", create(
        json.dumps({"Binds": ["/:/x"]}),
        target=V + "/containers/{{MINE_ID}}/start"))
    add("framing", "deny", "… with the last version that took it", create(
        json.dumps({"Binds": ["/:/x"]}),
        target="/v1.23/containers/{{MINE_ID}}/start"))
    add("framing", "deny", "a form that renames a tag", wire(
        "POST", V + "/images/app/tag?repo=app&tag=1", "repo=evil",
        {"Content-Type": "application/x-www-form-urlencoded"}))
    add("framing", "deny", "a form that changes what is stopped", wire(
        "POST", V + "/containers/{{MINE_ID}}/stop", "t=0",
        {"Content-Type": "application/x-www-form-urlencoded"}))


def targets():
    """The other team's container, however it is spelt; and what is not a
    target at all.  The same spelling of one's own is the pair."""
    bad, post = "targets", "POST"
    spellings = [
        ("by name", "/containers/other/stop"),
        ("by full id", "/containers/{{OTHER_ID}}/stop"),
        ("by a short id", "/containers/{{OTHER_SHORT}}/stop"),
        ("by six digits of its id", "/containers/{{OTHER_6}}/stop"),
        ("with an escaped letter", "/containers/%6fther/stop"),
        ("with an escaped slash", "/containers%2fother/stop"),
        ("with an escaped verb", "/containers/other/%73top"),
        ("through the alias of a link", "/containers/linker/peer/stop"),
        ("through an escaped alias", "/containers/linker%2fpeer/stop"),
    ]
    for title, path in spellings:
        add(bad, "deny", "stop another's container " + title,
            wire(post, V + path, ""))
        add(bad, "deny", "… with no version", wire(post, path, ""))
    for title, target in [
            ("absolute form", "http://docker" + V + "/containers/other/stop"),
            ("absolute form, another scheme",
             "x://docker" + V + "/containers/other/stop"),
            ("absolute form of one's own",
             "http://docker" + V + "/containers/mine/stop"),
            ("a version with zeros", "/v001.41/containers/mine/stop"),
            ("a version with four parts", "/v1.41.0.0/containers/mine/stop"),
            ("a version that ends in a dot", "/v1.41./containers/mine/stop"),
            ("a version below 1.24", "/v1.23/containers/mine/stop"),
            ("a semicolon in the query", V + "/containers/mine/stop?t=1;x=2"),
            ("a bad escape in the query", V + "/containers/mine/stop?t=%zz"),
            ("a repeated key", V + "/containers/mine/kill?signal=TERM"
             "&signal=KILL"),
            ("a byte that is no ASCII", V + "/containers/mine/stop?t=\xff"),
            ("a NUL in the name", V + "/containers/mine%00/stop")]:
        add(bad, "deny", title, wire(post, target, ""))
    for title, path in [
            ("two slashes", "//containers/other/stop"),
            ("a dot segment", "/./containers/other/stop"),
            ("dot dot", "/containers/mine/../other/stop"),
            ("escaped dot dot", "/containers/mine/%2e%2e/other/stop"),
            ("a trailing slash", "/containers/other/stop/"),
            ("a newline in the name", "/containers/other%0a/stop"),
            ("capital letters", "/Containers/other/stop"),
            ("a fragment as a byte", "/containers/other/stop#x")]:
        add(bad, "deny", title, wire(post, V + path, ""), daemon=True)
    for method, path, title in [
            ("GET", "/containers/other/json", "inspect another's container"),
            ("GET", "/containers/other/logs?stdout=1", "read another's logs"),
            ("GET", "/containers/other/top", "see another's processes"),
            ("GET", "/containers/other/export", "export another's files"),
            ("GET", "/containers/mine/export", "export: not in the role"),
            ("GET", "/containers/other/archive?path=/etc/passwd",
             "copy out of another's container"),
            ("HEAD", "/containers/other/archive?path=/etc/passwd",
             "stat in another's container"),
            ("GET", "/containers/other/changes", "another's changes"),
            ("GET", "/containers/other/stats?stream=0", "another's stats"),
            ("GET", "/containers/other/attach/ws?stream=1",
             "attach by websocket"),
            ("DELETE", "/containers/other?force=1", "remove another's"),
            ("DELETE", "/containers/mine?force=1&force=0", "repeated force"),
            ("DELETE", "/volumes/blue-vol", "remove another's volume"),
            ("DELETE", "/networks/bluenet", "remove another's network"),
            ("GET", "/events?until=1", "events of everybody"),
            ("GET", "/system/df", "disk use of everybody"),
            ("GET", "/info", "info: not in the role"),
            ("GET", "/secrets", "secrets"), ("GET", "/swarm", "the swarm"),
            ("GET", "/swarm/unlockkey", "the swarm's unlock key"),
            ("GET", "/nodes", "nodes"), ("GET", "/plugins", "plugins"),
            ("GET", "/images/app/get", "save an image"),
            ("GET", "/distribution/app/json", "ask a registry"),
            ("DELETE", "/images/app?force=1", "remove an image")]:
        add(bad, "deny", title, wire(method, V + path))
    for path, title in [
            ("/containers/other/start", "start another's"),
            ("/containers/other/restart?t=0", "restart another's"),
            ("/containers/other/kill", "kill another's"),
            ("/containers/other/pause", "pause another's"),
            ("/containers/other/wait", "wait for another's"),
            ("/containers/other/attach?stream=1&stdout=1", "attach"),
            ("/containers/other/resize?h=1&w=1", "resize another's"),
            ("/containers/other/rename?name=mine2", "rename another's"),
            ("/containers/prune", "prune"), ("/volumes/prune", "prune volumes"),
            ("/networks/prune", "prune networks"),
            ("/images/prune", "prune images"),
            ("/build/prune", "prune the build cache"),
            ("/commit?container=other&repo=app&tag=1", "commit another's"),
            ("/commit?container=mine&repo=app&tag=1", "commit under a name"),
            ("/images/create?fromImage=evil&tag=1", "pull"),
            ("/images/evil/tag?repo=app&tag=9", "give a trusted name"),
            ("/images/app/push?tag=latest", "push"),
            ("/images/load", "load"),
            ("/build?t=app&networkmode=host", "build in the host's network"),
            ("/build?remote=http://evil/x.tar", "build from elsewhere"),
            ("/session", "the builder's session"),
            ("/grpc", "the builder's rpc"),
            ("/plugins/pull?remote=evil&name=evil", "install a plugin"),
            ("/plugins/portreeve/disable?force=1", "disable the authorizer"),
            ("/swarm/leave?force=1", "leave the swarm"),
            ("/containers/mine/checkpoints", "checkpoint"),
            ("/auth", "a login"),
            ("/debug/vars", "debug"),
            ("/containers/other/exec", "exec with no body")]:
        v = "" if path == "/debug/vars" else V
        more = {"gone": 28} if path == "/debug/vars" else {}
        add(bad, "deny", title, wire(post, v + path, ""), **more)
    add(bad, "deny", "write into another's files", wire(
        "PUT", V + "/containers/other/archive?path=/tmp", "x" * 1024,
        {"Content-Type": "application/x-tar"}))
    add(bad, "deny", "an upgrade to h2c on the builder", wire(
        post, V + "/session", "", {"Connection": "Upgrade",
                                   "Upgrade": "h2c"}))


def bodies():
    """Other operations that carry a spec, none of them in the role."""
    for path, body, title in [
            ("/volumes/create", {"Name": "v9", "Driver": "local",
                                 "DriverOpts": {"type": "none", "o": "bind",
                                                "device": "/etc"}},
             "a volume that is the host's /etc"),
            ("/networks/create", {"Name": "n9", "Driver": "macvlan",
                                  "Options": {"parent": "eth0"}},
             "a macvlan network"),
            ("/networks/create", {"Name": "n9", "Options": {
                "com.docker.network.bridge.name": "docker0"}},
             "a bridge on the host's bridge"),
            ("/networks/bluenet/connect", {"Container": "mine"},
             "connect to another's network"),
            ("/networks/rednet/connect", {"Container": "other"},
             "connect another's container"),
            ("/networks/host/connect", {"Container": "mine"},
             "connect to the host's network"),
            ("/containers/mine/update", {"Memory": 0, "CgroupParent": "/"},
             "update"),
            ("/containers/other/update", {"Memory": 6291456},
             "update another's"),
            ("/services/create", {"Name": "s", "TaskTemplate": {
                "ContainerSpec": {"Image": "app", "Mounts": [
                    {"Type": "bind", "Source": "/", "Target": "/x"}]}}},
             "a service with the host's root"),
            ("/swarm/init", {"ListenAddr": "127.0.0.1:2377"}, "swarm init"),
            ("/swarm/join", {"RemoteAddrs": ["10.0.0.1:2377"]}, "swarm join"),
            ("/secrets/create", {"Name": "s", "Data": "eA=="}, "a secret"),
            ("/configs/create", {"Name": "c", "Data": "eA=="}, "a config"),
            ("/plugins/create?name=x", {}, "a plugin"),
            ("/auth", {"username": "x", "password": "y"}, "a login")]:
        add("bodies", "deny", title, wire("POST", V + path, json.dumps(body),
                                          JSON))


EXEC_MINE = {"method": "POST", "path": "/containers/mine/exec",
             "body": {"Cmd": ["true"], "AttachStdout": True},
             "save": {"EXEC": "Id"}}
EXEC_OTHER = {**EXEC_MINE, "path": "/containers/other/exec"}
EXEC_ROOTLY = {**EXEC_MINE, "body": {"Cmd": ["true"], "Privileged": True}}


TAG_GONE = {"method": "POST",
            "path": "/images/app/tag?repo=registry.acme.com/red/gone&tag=1"}
DIGEST = "sha256:" + "ab" * 32
OWN = "registry.acme.com/red/"


def images():
    """Names of images: what is pulled, given, taken away, sent away."""
    def ask(expect, title, target, method="POST", **more):
        add("images", expect, title,
            wire(method, V + target, "" if method == "POST" else None),
            **more)

    pull = "/images/create?fromImage="
    for title, target in [
            ("pull of another image", pull + "evil&tag=1"),
            ("… with the tag in its name", pull + "evil:1"),
            ("pull from the other team's repository",
             pull + "registry.acme.com/blue/x&tag=1"),
            ("pull from a look-alike registry",
             pull + "registry.acme.com.evil.com/red/x&tag=1"),
            ("pull by a digest from elsewhere", pull + "evil&tag=" + DIGEST),
            ("pull with a digest behind a tag",
             pull + "app&tag=1@" + DIGEST),
            ("pull with a path in the tag", pull + "app&tag=../evil"),
            ("pull whose name is escaped", pull + "%65vil&tag=1"),
            ("pull and import at once", pull + "app&tag=1&fromSrc=-"),
            ("pull with a key that is none", pull + "app&tag=1&insecure=1"),
            ("pull of two images", pull + "app&tag=1&fromImage=evil"),
            ("a trusted name for other content",
             "/images/evil/tag?repo=app&tag=9"),
            ("a trusted name for trusted content",
             "/images/app/tag?repo=app&tag=9"),
            ("one's own name for other content",
             "/images/evil/tag?repo=" + OWN + "x&tag=1"),
            ("… by its id", "/images/{{EVIL_ID}}/tag?repo=" + OWN + "x"),
            ("the other team's name", "/images/app/tag?repo="
             "registry.acme.com/blue/x&tag=1"),
            ("one's own name, and another tag's", "/images/app/tag?repo="
             + OWN + "x&repo=app&tag=1"),
            ("a name with a digest", "/images/app/tag?repo=" + OWN + "x@"
             + DIGEST),
            ("no name", "/images/app/tag?tag=1"),
            ("push of a library image", "/images/app/push?tag=latest"),
            ("push to the other team's repository",
             "/images/registry.acme.com/blue/app/push?tag=1"),
            ("push to a look-alike registry",
             "/images/registry.acme.com.evil.com/red/x/push?tag=1"),
            ("import under a trusted name",
             "/images/create?fromSrc=-&repo=app&tag=9"),
            ("import from elsewhere",
             "/images/create?fromSrc=http://169.254.169.254/x&repo="
             + OWN + "i"),
            ("import from a file", "/images/create?fromSrc=file:///etc/x"),
            ("import with a login in the URL", "/images/create?fromSrc="
             "https://files.acme.com:x@evil/pub/x"),
            ("import that climbs out", "/images/create?fromSrc="
             "https://files.acme.com/pub/..%2Fx"),
            ("import from a host that begins so", "/images/create?fromSrc="
             "https://files.acme.com.evil.com/pub/x"),
            ("import with the other team's label", "/images/create?fromSrc=-"
             "&changes=LABEL+com.acme.team%3Dblue"),
            ("… quoted", "/images/create?fromSrc=-"
             "&changes=label+%22com.acme.team%22%3Dblue"),
            ("… escaped", "/images/create?fromSrc=-"
             "&changes=LABEL+com.acme.te%5Cam%3Dblue"),
            ("… in a continued line", "/images/create?fromSrc=-"
             "&changes=LABEL+a%3Db+%5C&changes=USER+com.acme.team%3Dblue"),
            ("… in a second line", "/images/create?fromSrc=-"
             "&changes=USER+1%0ALABEL+com.acme.team%3Dblue"),
            ("import with a password", "/images/create?fromSrc=-"
             "&changes=ENV+DB_PASSWORD%3Dx"),
            ("import of nothing", "/images/create"),
            ("load: the names are not seen", "/images/load?quiet=1")]:
        ask("deny", title, target)
    for title, target in [
            ("remove a library image", "/images/app"),
            ("remove the other team's name",
             "/images/registry.acme.com/blue/app:1"),
            ("remove an image by its id, all names with it",
             "/images/{{APP_ID}}?force=1"),
            ("remove by a short id", "/images/{{EVIL_ID}}?force=1")]:
        ask("deny", title, target, method="DELETE")
    ask("allow", "pull from one's own repository", pull + OWN + "x&tag=1",
        offline=True)
    ask("allow", "pull of all tags", pull + OWN + "x", offline=True)
    ask("allow", "pull by digest", pull + OWN + "x&tag=" + DIGEST,
        offline=True)
    ask("allow", "pull for a platform",
        pull + "app&tag=1&platform=linux%2Famd64", offline=True)
    ask("allow", "tag", "/images/app/tag?repo=" + OWN + "n&tag=2")
    ask("allow", "tag, from an id",
        "/images/{{APP_ID}}/tag?repo=" + OWN + "n&tag=3")
    ask("allow", "push", "/images/" + OWN + "app/push?tag=1", offline=True)
    ask("allow", "push of all tags", "/images/" + OWN + "app/push",
        offline=True)
    ask("allow", "remove a name of one's own",
        "/images/" + OWN + "gone:1", method="DELETE", setup=[TAG_GONE])


NETTED = {"method": "POST", "path": "/containers/create?name=netted",
          "body": {"Image": "app", "Cmd": ["sleep", "60"],
                   "Labels": {"com.acme.team": "red"},
                   "HostConfig": {"NetworkMode": "rednet"}},
          "save": {"NETTED": "Id"}}


def volumes():
    """What is made for containers to use: volumes and networks."""
    def ask(expect, title, path, body, **more):
        text = body if isinstance(body, str) else json.dumps(body)
        add("volumes", expect, title, wire("POST", V + path, text, JSON),
            **more)

    bind = {"type": "none", "o": "bind", "device": "/etc"}
    opts = {"com.docker.network.bridge.name": "docker0"}
    for title, body in [
            ("a volume of the host's root",
             {"Name": "v8", "DriverOpts": {**bind, "device": "/"}}),
            ("… in lower case", {"name": "v8", "driveropts": bind}),
            ("a volume with no name of the host's /etc",
             {"DriverOpts": bind}),
            ("a volume on a disk", {"Name": "v8", "DriverOpts": {
                "type": "ext4", "device": "/dev/vda"}}),
            ("an overlay of the host's /etc", {"Name": "v8", "DriverOpts": {
                "type": "overlay", "device": "overlay",
                "o": "lowerdir=/etc"}}),
            ("a volume over nfs", {"Name": "v8", "DriverOpts": {
                "type": "nfs", "o": "addr=10.0.0.1", "device": ":/"}}),
            ("options twice", '{"Name":"v8","DriverOpts":{},"driverOpts":'
             + json.dumps(bind) + "}"),
            ("another driver", {"Name": "v8", "Driver": "evil"}),
            ("the other team's volume, made again", {"Name": "blue-vol"}),
            ("one's own volume of the host's /etc, made again",
             {"Name": "host-vol"}),
            ("a volume for the other team", {"Name": "v8", "Labels": {
                "com.acme.team": "blue"}}),
            ("a volume with a path for a name", {"Name": "../../etc"}),
            ("a cluster volume", {"Name": "v8", "ClusterVolumeSpec": {
                "Group": "g"}}),
            ("a field that is none", {"Name": "v8", "Mountpoint": "/etc"})]:
        ask("deny", title, "/volumes/create", body)
    for title, body in [
            ("a network on the host's bridge", {"Name": "n8",
                                                "Options": opts}),
            ("… in lower case", {"name": "n8", "options": opts}),
            ("an ipvlan network", {"Name": "n8", "Driver": "ipvlan"}),
            ("a host network", {"Name": "n8", "Driver": "host"}),
            ("an overlay network", {"Name": "n8", "Driver": "overlay"}),
            ("a network that publishes everywhere", {"Name": "n8", "Options": {
                "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0"}}),
            ("another address driver", {"Name": "n8", "IPAM": {
                "Driver": "evil"}}),
            ("options for the address driver", {"Name": "n8", "IPAM": {
                "Driver": "default", "Options": {"x": "y"}}}),
            ("an ingress network", {"Name": "n8", "Ingress": True}),
            ("an attachable network of the swarm", {
                "Name": "n8", "Driver": "overlay", "Attachable": True}),
            ("a network of the swarm", {"Name": "n8", "Scope": "swarm"}),
            ("a configuration only", {"Name": "n8", "ConfigOnly": True}),
            ("a network made from another", {"Name": "n8", "ConfigFrom": {
                "Network": "bluenet"}}),
            ("a name that reads like an id", {"Name": "0123456789ab"}),
            ("a network for the other team", {"Name": "n8", "Labels": {
                "com.acme.team": "blue"}})]:
        ask("deny", title, "/networks/create", body)
    end = {"Container": "{{NETTED}}"}
    for title, path, body in [
            ("connect to the host's network by its id",
             "/networks/{{HOSTNET_ID}}/connect", end),
            ("connect to the other team's network",
             "/networks/bluenet/connect", end),
            ("connect, and name the host's network in the body",
             "/networks/redback/connect",
             {**end, "EndpointConfig": {"NetworkID": "{{HOSTNET_ID}}"}}),
            ("connect with a link to the other team",
             "/networks/redback/connect",
             {**end, "EndpointConfig": {"Links": ["other:db"]}}),
            ("connect with driver options", "/networks/redback/connect",
             {**end, "EndpointConfig": {"DriverOpts": {
                 "com.docker.network.endpoint.sysctls":
                 "net.ipv4.ip_forward=1"}}}),
            ("connect two containers", "/networks/redback/connect",
             '{"Container":"{{NETTED}}","container":"other"}'),
            ("connect nobody", "/networks/redback/connect", {})]:
        ask("deny", title, path, body, setup=[NETTED])
    ask("allow", "a volume", "/volumes/create", {"Name": "vol-{{N}}"})
    ask("allow", "a volume, as the command line asks", "/volumes/create",
        {"Name": "vol-{{N}}", "Driver": "local", "DriverOpts": {},
         "Labels": {"com.acme.team": "red"}})
    ask("allow", "a volume with no name", "/volumes/create", {})
    ask("allow", "one's own volume, made again", "/volumes/create",
        {"Name": "red-vol"})
    ask("allow", "a network, as the command line asks", "/networks/create",
        {"Name": "net-{{N}}", "Driver": "bridge", "Scope": "",
         "CheckDuplicate": True, "Internal": False, "Attachable": False,
         "Ingress": False, "ConfigOnly": False, "ConfigFrom": None,
         "EnableIPv6": False, "Options": {}, "Labels": {},
         "IPAM": {"Driver": "default", "Options": {}, "Config": []}})
    ask("allow", "a network with a subnet", "/networks/create",
        {"Name": "net-{{N}}", "Internal": True, "IPAM": {
            "Config": [{"Subnet": "10.77.7.0/24"}]}})
    ask("allow", "connect", "/networks/redback/connect",
        {**end, "EndpointConfig": {"Aliases": ["web"]}}, setup=[NETTED])
    ask("allow", "connect to the bridge", "/networks/bridge/connect", end,
        setup=[NETTED])


def execs():
    base = {"Cmd": ["true"], "AttachStdout": True}

    def make(where, body):
        text = body if isinstance(body, str) else json.dumps(body)
        return wire("POST", V + f"/containers/{where}/exec", text, JSON)

    for title, where, body in [
            ("exec, privileged", "mine", {**base, "Privileged": True}),
            ("exec, privileged in lower case", "mine",
             {**base, "privileged": True}),
            ("exec as root", "mine", {**base, "User": "root"}),
            ("exec as another user", "mine", {**base, "User": "2000"}),
            ("exec as root by number", "mine", {**base, "User": "0:0"}),
            ("exec in another's container", "other", base),
            ("… by its id", "{{OTHER_ID}}", base),
            ("… by a short id", "{{OTHER_SHORT}}", base),
            ("… through a link's alias", "linker/peer", base),
            ("exec with a password in Env", "mine",
             {**base, "Env": ["PASSWORD=x"]}),
            ("exec with an unknown field", "mine", {**base, "Power": 1}),
            ("exec, privileged twice", "mine",
             '{"Cmd":["true"],"Privileged":true,"Privileged":false}'),
            ("exec, a second value behind", "mine",
             '{"Cmd":["true"]}{"Privileged":true}'),
            ("exec, a list", "mine", '[{"Cmd":["true"]}]'),
            ("exec in a container that is not", "nothing", base),
            ("exec in a powerful container of one's own team", "mighty",
             base)]:
        add("exec", "deny", title, make(where, body))
    add("exec", "deny", "exec as plain text", wire(
        "POST", V + "/containers/mine/exec", json.dumps(base),
        {"Content-Type": "text/plain"}))
    start = json.dumps({"Detach": False, "Tty": False})

    def start_of(which):
        return wire("POST", V + f"/exec/{which}/start", start, JSON)
    add("exec", "deny", "start another's exec", start_of("{{EXEC}}"),
        setup=[EXEC_OTHER])
    add("exec", "deny", "inspect another's exec",
        wire("GET", V + "/exec/{{EXEC}}/json"), setup=[EXEC_OTHER])
    add("exec", "deny", "resize another's exec",
        wire("POST", V + "/exec/{{EXEC}}/resize?h=2&w=2", ""),
        setup=[EXEC_OTHER])
    add("exec", "deny", "start a privileged exec that an admin made",
        start_of("{{EXEC}}"), setup=[EXEC_ROOTLY])
    add("exec", "deny", "start an exec that is not", start_of("0" * 64))
    add("exec", "deny", "start an exec by a prefix", start_of("{{EXEC_SHORT}}"),
        setup=[EXEC_MINE])
    for verb, title in [("start", "start"), ("restart", "restart"),
                        ("unpause", "unpause")]:
        add("exec", "deny", f"{title} a powerful container of one's own team",
            wire("POST", V + f"/containers/mighty/{verb}", ""))
    add("exec", "allow", "exec in one's own", make("mine", base))
    add("exec", "allow", "exec with a terminal", make(
        "mine", {**base, "Tty": True, "AttachStdin": True, "Env": ["A=b"],
                 "WorkingDir": "/tmp", "DetachKeys": "ctrl-p,ctrl-q"}))
    add("exec", "allow", "exec by full id", make("{{MINE_ID}}", base))
    add("exec", "allow", "start one's own exec", start_of("{{EXEC}}"),
        setup=[EXEC_MINE])
    add("exec", "allow", "inspect one's own exec",
        wire("GET", V + "/exec/{{EXEC}}/json"), setup=[EXEC_MINE])


def ordinary():
    """What the clients of good people send."""
    add("plain", "allow", "ping by HEAD", wire("HEAD", "/_ping"))
    add("plain", "allow", "ping by GET", wire("GET", "/_ping"))
    for v in ("", "/v1.24", "/v1.30", "/v1.40", "/v1.41"):
        add("plain", "allow", f"list, version {v or 'none'}",
            wire("GET", v + "/containers/json"))
        add("plain", "allow", f"create, version {v or 'none'}",
            create(SAFE, target=v + "/containers/create"))
    for path in ("/version", "/containers/json?all=1&limit=0",
                 "/containers/json?filters=%7B%22label%22%3A%7B%22a%3Db%22"
                 "%3Atrue%7D%7D", "/containers/mine/json",
                 "/containers/{{MINE_ID}}/json", "/containers/mine/json?size=1",
                 "/containers/{{MINE_SHORT}}/json",
                 "/containers/mine/logs?stderr=1&stdout=1&tail=all",
                 "/containers/mine/top", "/containers/mine/stats?stream=0",
                 "/containers/mine/changes", "/images/json",
                 "/images/app/json", "/images/app:latest/history",
                 "/images/registry.acme.com/red/app:1/json", "/networks",
                 "/volumes", "/containers/%6dine/json"):
        add("plain", "allow", "GET " + path, wire("GET", V + path))
    for path in ("start", "stop?t=0", "restart?t=0", "kill", "pause",
                 "wait?condition=next-exit", "resize?h=24&w=80",
                 "attach?stdout=1&logs=1"):
        add("plain", "allow", "POST " + path,
            wire("POST", V + "/containers/mine/" + path, ""))
    add("plain", "allow", "unpause",
        wire("POST", V + "/containers/mine/unpause", ""),
        setup=[{"method": "POST", "path": "/containers/mine/pause"}])
    add("plain", "allow", "start with an empty object", wire(
        "POST", V + "/containers/mine/start", "{}", JSON))
    add("plain", "allow", "remove one's own", wire(
        "DELETE", V + "/containers/mine?force=1&v=1"))
    for title, body in [
            ("a name", None),
            ("a bind below the team's folder",
             with_host(Binds=["/srv/red/a:/a"])),
            ("a read-only bind of the shared tree",
             with_host(Binds=["/srv/shared/ro:/a:ro"])),
            ("a bind mount", with_host(Mounts=[
                {"Type": "bind", "Source": "/srv/red/a", "Target": "/a"}])),
            ("a folder with dots in its name",
             with_host(Binds=["/srv/red/a..b:/a"])),
            ("one's own volume", with_host(Binds=["red-vol:/x"])),
            ("a volume of one's own container, without a name",
             with_host(Binds=["{{MINE_ANON}}:/x"])),
            ("a new volume", with_host(Binds=["fresh-{{N}}:/x"])),
            ("a volume mount", with_host(Mounts=[
                {"Type": "volume", "Source": "red-vol", "Target": "/a"}])),
            ("a tmpfs", with_host(Tmpfs={"/tmp": "size=1m,noexec"})),
            ("a tmpfs mount", with_host(Mounts=[
                {"Type": "tmpfs", "Target": "/t",
                 "TmpfsOptions": {"SizeBytes": 1048576}}])),
            ("volumes from one's own", with_host(VolumesFrom=["mine"])),
            ("one's own network", with_host(NetworkMode="rednet")),
            ("the default network", with_host(NetworkMode="default")),
            ("the bridge", with_host(NetworkMode="bridge")),
            ("the network of one's own container",
             with_host(NetworkMode="container:mine")),
            ("an allowed capability",
             with_host(CapAdd=["NET_BIND_SERVICE"], CapDrop=["ALL"])),
            ("… with its prefix, in lower case",
             with_host(CapAdd=["cap_net_bind_service"])),
            ("two cpus", with_host(NanoCpus=2000000000)),
            ("swap of twice the memory", with_host(MemorySwap=134217728)),
            ("a port on loopback", with_host(
                NetworkMode="default", PortBindings={"80/tcp": [
                    {"HostIp": "127.0.0.1", "HostPort": "18080"}]})),
            ("restart five times", with_host(RestartPolicy={
                "Name": "on-failure", "MaximumRetryCount": 5})),
            ("an allowed sysctl", with_host(
                NetworkMode="default", Sysctls={"net.core.somaxconn": "64"})),
            ("json-file with a size", with_host(LogConfig={
                "Type": "json-file", "Config": {"max-size": "1m"}})),
            ("the empty fields of the command line", with_host(
                Privileged=False, CapAdd=None, Links=None, PidMode="",
                UTSMode="", UsernsMode="", IpcMode="", Devices=[],
                MaskedPaths=None, ReadonlyPaths=None, Binds=None,
                ConsoleSize=[0, 0], Isolation="", ShmSize=0,
                OomKillDisable=False, MemorySwappiness=-1,
                DeviceRequests=None)),
            ("attack words inside strings", with_top(
                Cmd=["echo", '"Privileged":true', "/var/run/docker.sock:/x"],
                Env=['X={"HostConfig":{"Privileged":true}}'])),
            ("unicode in a label", with_top(Labels={
                "com.acme.team": "red", "note": "größer ☂"})),
            ("an image of the team's repository",
             with_top(Image="registry.acme.com/red/app:1")),
            ("an image spelt in full",
             with_top(Image="docker.io/library/app:latest")),
            ("an image by its id", with_top(Image="{{APP_ID}}")),
            ("no label", with_top(Labels={})),
            ("a health check", with_top(Healthcheck={
                "Test": ["CMD", "true"], "Interval": 1000000000})),
            ("an endpoint with an alias", {
                **with_host(NetworkMode="rednet"), "NetworkingConfig": {
                    "EndpointsConfig": {"rednet": {"Aliases": ["web"]}}}})]:
        target = V + "/containers/create" + \
            ("?name=named-{{N}}" if body is None else "")
        add("plain", "allow", "create with " + title,
            create(body or SAFE, target=target))


def references():
    """What a name or an id leads to, whoever made it."""
    for which, title in [("hosty", "the host's"),
                         ("guest", "it from a third")]:
        add("ref", "deny", "join the network of one's own container that has "
            + title, create(with_host(NetworkMode="container:" + which)))
    add("ref", "allow", "join the network of one's own container",
        create(with_host(NetworkMode="container:mine")))
    for path in ("/json", "/logs?follow=1&stdout=1", "/stats"):
        add("ref", "deny", "two hex digits that name nothing yet: " + path,
            wire("GET", V + "/containers/9e" + path))


def build():
    add("create", "allow", "the safe body", create(SAFE))
    for title, fields in HOST_DENY:
        add("create", "deny", title, create(with_host(**fields)))
    for title, fields in TOP_DENY:
        add("create", "deny", title, create(with_top(**fields)))
    json_cases.build(add, create, SAFE)
    framing()
    targets()
    bodies()
    images()
    volumes()
    execs()
    ordinary()
    references()
    specs.build(add, wire)
    builds.build(add, wire)
    swarm_cases.services(add, wire)
    client_cases.build(add, wire, SAFE)
    message_cases.build(add, create, with_host, with_top)
    return cases


def main():
    text = "".join(json.dumps(c) + "\n" for c in build())
    path = os.path.join(HERE, "corpus.jsonl")
    if sys.argv[1:] == ["--check"]:
        with open(path, encoding="ascii") as f:
            return 0 if f.read() == text else 1
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    print(f"{len(cases)} cases, "
          f"{sum(c['expect'] == 'allow' for c in cases)} allowed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
