# SPDX-License-Identifier: Apache-2.0
"""Builds: a query that asks for much, written from docs/semantics.md 12
alone.
"""
import json
import re

import bodies as B
import judge as J
import spec as S
from judge import CANT, NO, YES

FREE = ("dockerfile q nocache pull rm forcerm platform target "
        "squash buildid")
JUDGED = ("t cachefrom networkmode extrahosts remote buildargs labels memory "
          "memswap cpushares cpuquota cpuperiod shmsize ulimits cgroupparent "
          "cpusetcpus cpusetmems version session outputs securityopt "
          "isolation")
QUERY = {"build.run": FREE + " " + JUDGED, "build.session": "",
         "build.grpc": ""}
NUMBER = re.compile(r"^-?[0-9]+\Z")
ULIMITS = [S.schema("Name Soft:i Hard:i")]
CREDENTIALS = ["*PASSWORD*", "*SECRET*", "*TOKEN*"]


def number(query, key):
    text = query.get(key, "")
    if text == "":
        return 0
    if not NUMBER.match(text) or not -2**63 <= int(text) < 2**63:
        B.refuse()
    return int(text)


def document(query, key, typ, otherwise):
    text = query.get(key, "")
    if text == "":
        return otherwise
    try:
        doc = json.loads(text)
    except ValueError:
        B.refuse()
    if doc is None:
        return otherwise
    return S.Walk().value(typ, doc)


def of_build(query, pairs):
    s = B.new(BUILD)
    for key, value in pairs:
        if key == "t" and value:
            B.give(s, "write", value, "")
    s.caches = document(query, "cachefrom", "ls", [])
    s.unread = any(n.startswith("sha256:") or J.HEX.match(n)
                   for n in s.caches)
    mode = query.get("networkmode", "")
    s.container_net = S.container_of(mode)
    if s.container_net is not None:
        s.refs.append(("container", s.container_net))
    else:
        s.networks.append(mode)
        if mode not in S.BUILTIN:
            s.refs.append(("network", mode))
    s.hc = {"ExtraHosts": [v for k, v in pairs if k == "extrahosts"],
            "Memory": number(query, "memory"),
            "MemorySwap": number(query, "memswap"),
            "CpuQuota": number(query, "cpuquota"),
            "CpuPeriod": number(query, "cpuperiod"),
            "ShmSize": number(query, "shmsize"),
            "CpuShares": number(query, "cpushares"),
            "Ulimits": document(query, "ulimits", ULIMITS, []),
            "CgroupParent": query.get("cgroupparent", ""),
            "CpusetCpus": query.get("cpusetcpus", ""),
            "CpusetMems": query.get("cpusetmems", "")}
    for u in s.hc["Ulimits"]:
        if not re.match(r"^[A-Za-z]+\Z", u.get("Name", "")):
            B.refuse()
    s.args = document(query, "buildargs", "ms", {})
    s.pairs = list(document(query, "labels", "ms", {}).items())
    version = query.get("version", "")
    if version not in ("", "1", "2"):
        B.refuse()
    s.remote = query.get("remote", "")
    s.opaque = version == "2" or bool(query.get("session")) or \
        s.remote == "client-session" or \
        query.get("outputs", "") not in ("", "[]", "null")
    if s.remote == "client-session":
        s.remote = ""
    s.must = query.get("securityopt", "") not in ("", "[]", "null") or \
        query.get("isolation", "") not in ("", "default")
    return s


def of_session():
    s = B.new(SESSION)
    s.opaque = True
    return s


def k_opaque(v, s, ctx):
    return J.answer(v or not s.opaque)


def k_caches(v, s, ctx):
    return J.answer(all(B.covers(ctx, v, J.canonical(name), False)
                        for name in s.caches))


def k_network(v, s, ctx):
    words = ["private" if w == "default" else w for w in v]
    return J.k_ns_network(words, s, ctx)


def k_remote(v, s, ctx):
    url = s.remote
    if not url:
        return YES
    if url.startswith("github.com/"):
        url = "https://" + url
    return J.answer("#-" not in url and B.plain(url) and
                    ctx.scope.any(v, url, False, True))


def k_secrets(v, s, ctx):
    if v:
        return YES
    forbid = ctx.values[ctx.place["env.forbid"]]
    return J.answer(not any(
        ctx.scope.any(forbid or CREDENTIALS, name, True)
        for name in s.args))


BUILD = {"images.write": B.names("write"), "images.allow": k_caches,
         "build.network": k_network, "build.remote": k_remote,
         "build.secrets": k_secrets, "build.opaque": k_opaque,
         "net.extra_hosts": J.JUDGE["net.extra_hosts"],
         "kernel.cgroup_parent": J.k_cgroup_parent,
         "kernel.cpuset": J.k_cpuset, "limits.memory": J.k_memory,
         "limits.swap": J.k_swap, "limits.cpus": J.k_cpus,
         "limits.ulimits": J.k_ulimits, "limits.shm": J.k_shm,
         "limits.cpu_shares": J.k_cpu_shares}
SESSION = {"build.opaque": k_opaque}


def read_spec(action, query, pairs):
    s = of_build(query, pairs) if action == "build.run" else of_session()
    s.unknown = not set(query) <= set(QUERY[action].split())
    return s
