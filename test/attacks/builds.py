# SPDX-License-Identifier: Apache-2.0
"""Cases of generate.py about builds: what a query may say beside a context
that nobody sees."""
import io
import json
import tarfile
from urllib.parse import quote, urlencode

V = "/v1.41"
OWN = "registry.acme.com/red/"
TYPE = {"Content-Type": "application/x-tar"}
# as the docker command of 20.10 sends it; the profile wants a limit
CLI = {"buildargs": "{}", "cachefrom": "[]", "cgroupparent": "",
       "cpuperiod": "0", "cpuquota": "0", "cpusetcpus": "", "cpusetmems": "",
       "cpushares": "0", "dockerfile": "Dockerfile", "labels": "{}",
       "memory": "67108864", "memswap": "0", "networkmode": "default",
       "rm": "1", "shmsize": "0", "target": "", "ulimits": "null",
       "version": "1"}


def context():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        data = b"FROM app\nLABEL made=here\n"
        f = tarfile.TarInfo("Dockerfile")
        f.size = len(data)
        t.addfile(f, io.BytesIO(data))
    return out.getvalue().decode("latin1")


def j(value):
    return json.dumps(value)


ALLOWED = [
    ("as the docker command sends it", {"t": OWN + "b:1"}),
    ("without a name", {}),
    ("two names", [("t", OWN + "b:1"), ("t", OWN + "b:2")]),
    ("with build arguments", {"buildargs": j({"V": "1", "HTTP_PROXY": None})}),
    ("with labels", {"labels": j({"a": "b", "com.acme.team": "red"})}),
    ("with a cache from an image that may be run",
     {"cachefrom": j(["app", OWN + "app:1"])}),
    ("without a cache, for a target", {
        "nocache": "1", "pull": "0", "target": "x", "q": "1"}),
    ("without a network", {"networkmode": "none"}),
    ("with a host", {"extrahosts": "db:10.0.0.1"}),
    ("with limits", {"cpuquota": "100000", "cpuperiod": "100000",
                     "shmsize": "67108864", "ulimits": j([
                         {"Name": "nofile", "Hard": 99, "Soft": 99}])}),
    ("with swap of twice the memory", {"memswap": "134217728"}),
    ("for a platform", {"platform": "linux/amd64"}),
]
DENIED = [
    ("the name of what others run", {"t": "app"}),
    ("a name of another team", {"t": "registry.acme.com/blue/app:1"}),
    ("a good name and a bad one", [("t", OWN + "b:1"), ("t", "app:1")]),
    ("a name that only begins so", {"t": "registry.acme.com/redder/x"}),
    ("a name with a digest", {"t": OWN + "b@sha256:" + "a" * 64}),
    ("the host's network", {"networkmode": "host"}),
    ("the host's network by its id", {"networkmode": "{{HOSTNET_ID}}"}),
    ("another team's network", {"networkmode": "bluenet"}),
    ("another team's container's network",
     {"networkmode": "container:other"}),
    ("one's own mighty container's network",
     {"networkmode": "container:hosty"}),
    ("a context from anywhere", {"remote": "https://evil.com/x.tar"}),
    ("a context from git", {"remote": "git@evil.com:x/y.git"}),
    ("a context from github, shortened", {"remote": "github.com/x/y"}),
    ("a context in a session", {"remote": "client-session",
                                "session": "x"}),
    ("a session", {"session": "x"}),
    ("BuildKit", {"version": "2"}),
    ("an exporter", {"outputs": j([{"Type": "local", "Attrs": {
        "dest": "/etc"}}])}),
    ("a builder that is none", {"version": "3"}),
    ("no limit", {"memory": "0"}),
    ("too much memory", {"memory": "1073741824"}),
    ("swap without end", {"memswap": "-1"}),
    ("memory that is no number", {"memory": "1e7"}),
    ("too many CPUs", {"cpuquota": "900000", "cpuperiod": "100000"}),
    ("another cgroup", {"cgroupparent": "/"}),
    ("a cgroup that climbs", {"cgroupparent": "/x/../.."}),
    ("security options", {"securityopt": j(["seccomp=unconfined"])}),
    ("a cache from an image that may not be run",
     {"cachefrom": j(["evil"])}),
    ("a cache from an image by its id", {"cachefrom": j(["{{EVIL_ID}}"])}),
    ("credentials in build arguments", {"buildargs": j(
        {"DB_PASSWORD": "x"})}),
    ("credentials in other letters", {"buildargs": j({"password": "x"})}),
    ("the label of another team", {"labels": j({"com.acme.team": "blue"})}),
    ("the label twice", {"labels":
                         '{"com.acme.team":"red","com.acme.team":"blue"}'}),
    ("build arguments that are no object", {"buildargs": "[]"}),
    ("something behind build arguments", {"buildargs": '{}{"A":"b"}'}),
    ("ulimits with a field twice", {"ulimits":
     '[{"Name":"nofile","Hard":9,"hard":999999}]'}),
    ("a key that nobody knows", {"entitlements": "network.host"}),
    ("a key in other letters", {"T": "app"}),
]


def target(query):
    pairs = [(k, v) for k, v in CLI.items() if k not in dict(query)]
    # placeholders are filled in later
    return V + "/build?" + urlencode(pairs + list(query), quote_via=quote,
                                     safe="{}" if "{{" in str(query) else "")


def build(add, wire):
    def ask(expect, title, query, headers=None, path=None, body=None):
        query = list(query.items()) if isinstance(query, dict) else query
        add("build", expect, "build: " + title, wire(
            "POST", path or target(query), context() if body is None else
            body, {**TYPE, **(headers or {})}))

    for title, query in ALLOWED:
        ask("allow", title, query)
    for title, query in DENIED:
        ask("deny", title, query)
    ask("deny", "a query key twice", {}, path=V + "/build?memory=67108864&"
        "memory=9")
    ask("deny", "a bad escape hides a pair", {}, path=V + "/build?memory="
        "67108864&x=%zz&networkmode=host")
    ask("deny", "a semicolon hides a pair", {}, path=V + "/build?memory="
        "67108864;networkmode=host")
    ask("deny", "a form", {}, {"Content-Type":
                               "application/x-www-form-urlencoded"},
        body="networkmode=host&t=app")
    ask("deny", "a context that says it is JSON", {},
        {"Content-Type": "application/json"})
    add("build", "deny", "build: a session", wire(
        "POST", V + "/session", None, {"Connection": "Upgrade",
                                       "Upgrade": "h2c",
                                       "Content-Length": "0"}))
    add("build", "deny", "build: gRPC", wire(
        "POST", V + "/grpc", None, {"Connection": "Upgrade",
                                    "Upgrade": "h2c",
                                    "Content-Length": "0"}))
    add("build", "deny", "build: the cache of everybody is pruned", wire(
        "POST", V + "/build/prune", "", {}))
    add("build", "allow", "build: one is cancelled", wire(
        "POST", V + "/build/cancel?id=x", "", {}))
