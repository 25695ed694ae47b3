# SPDX-License-Identifier: Apache-2.0
"""Updates, commits, copies into containers, checkpoints: written from
docs/semantics.md 5.4 and 10.6 to 10.9 alone.
"""
import re

import bodies as B
import judge as J
import spec as S

RESOURCES = set(
    "CpuShares Memory NanoCpus CgroupParent BlkioWeight BlkioWeightDevice "
    "BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps "
    "BlkioDeviceWriteIOps CpuPeriod CpuQuota CpuRealtimePeriod "
    "CpuRealtimeRuntime CpusetCpus CpusetMems Devices DeviceCgroupRules "
    "DeviceRequests KernelMemory KernelMemoryTCP MemoryReservation "
    "MemorySwap MemorySwappiness OomKillDisable PidsLimit Ulimits CpuCount "
    "CpuPercent IOMaximumIOps IOMaximumBandwidth".split())
POINTERS = {"PidsLimit", "OomKillDisable", "MemorySwappiness"}
COMMIT = dict(S.CONFIG)
COMMIT.update(S.schema(HostConfig=S.HOST_CONFIG,
                       NetworkingConfig=S.schema(
                           EndpointsConfig={None: S.ENDPOINT})))
CHECKPOINT = S.schema("CheckpointID Exit:b", must="CheckpointDir")
ID = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*\Z")
QUERY = {"container.update": "",
         "container.commit": "container repo tag comment author pause "
                             "changes",
         "container.archive-write": "path noOverwriteDirNonDir copyUIDGID",
         "container.checkpoint-list": "dir",
         "container.checkpoint-create": "",
         "container.checkpoint-remove": "dir"}


def is_default(v):
    """An object with members is none, whatever they are."""
    return v in (None, "", 0, False, [], {})


def of_update(body, fact):
    s = B.new(UPDATE)
    walk = S.Walk()
    body = walk.read(S.HOST_CONFIG, body)
    s.unknown, s.must = walk.unknown, walk.must
    for key, v in body.items():
        if key not in RESOURCES and key != "RestartPolicy" and \
                not is_default(v):
            s.must = True
    stored = {}
    if fact["presence"] != "absent":
        inspect = fact.get("inspect")
        if inspect is None or not isinstance(inspect.get("HostConfig"),
                                             dict):
            s.unread = True
        else:
            stored = inspect["HostConfig"]
    try:
        s.hc = S.Walk(lenient=True).read(S.HOST_CONFIG, stored)
    except S.Refused:
        s.unread = True
    for key, v in body.items():
        if key in POINTERS or key in RESOURCES and v not in (0, "", []):
            s.hc[key] = v
    if (body.get("RestartPolicy") or {}).get("Name"):
        s.hc["RestartPolicy"] = body["RestartPolicy"]
    if named(body.get("Ulimits", [])):
        s.unread = s.unread or not named(s.hc.get("Ulimits", []))
    else:
        B.refuse()
    return s


def named(ulimits):
    return all(re.match(r"^[A-Za-z]+\Z", u.get("Name", ""))
               for u in ulimits)


def of_commit(body, query, pairs):
    s = B.new(COMMIT_KEYS)
    if not query.get("container"):
        B.refuse()
    if body is not None:
        if not isinstance(body, dict):
            B.refuse()
        for key, v in body.items():
            if key.lower() in S.HOST_CONFIG and key.lower() not in COMMIT \
                    and v not in (None, "", 0, False):
                B.refuse()
        walk = S.Walk()
        body = walk.read(COMMIT, {
            k: v for k, v in body.items()
            if k.lower() in COMMIT or k.lower() not in S.HOST_CONFIG})
        s.unknown, s.must = walk.unknown, walk.must or not all(
            is_default(body.get(k)) for k in ("HostConfig",
                                              "NetworkingConfig"))
        s.pairs += list(body.get("Labels", {}).items())
        s.env = list(body.get("Env", []))
    B.read_changes(s, pairs)
    if query.get("repo"):
        B.give(s, "write", query["repo"], query.get("tag", ""))
    return s


def of_checkpoint(action, name, query, body):
    s = B.new({})
    if action == "container.checkpoint-create":
        walk = S.Walk()
        body = walk.read(CHECKPOINT, body)
        s.unknown, s.must = walk.unknown, walk.must
        name = body.get("CheckpointID", "")
    if action != "container.checkpoint-list" and not ID.match(name or ""):
        B.refuse()
    s.must = s.must or bool(query.get("dir"))
    return s


def read_spec(action, name, query, pairs, body, fact):
    if action == "container.update":
        s = of_update(body, fact)
    elif action == "container.commit":
        s = of_commit(body, query, pairs)
    elif action == "container.archive-write":
        s = B.new({})
    else:
        s = of_checkpoint(action, name, query, body)
    s.unknown = s.unknown or not set(query) <= set(QUERY[action].split())
    return s


UPDATE = {k: J.JUDGE[k] for k in (
    "devices.allow", "devices.requests", "devices.cgroup_rules",
    "kernel.cgroup_parent", "kernel.oom_kill_disable", "kernel.cpuset",
    "kernel.realtime", "kernel.blkio", "limits.memory", "limits.swap",
    "limits.cpus", "limits.cpu_shares", "limits.pids", "limits.ulimits", "restart")}
COMMIT_KEYS = {"images.write": B.names("write"),
               "env.forbid": J.k_env_forbid}
