# SPDX-License-Identifier: Apache-2.0
"""Quotas and promotion, written from docs/semantics.md 3.10, 3.11 and 11
alone.
"""
from fractions import Fraction

import judge as J
from judge import CANT, NO, YES

INTERIM = True
LIMITS = ("containers", "memory", "cpus", "ports")


def amounts(hc):
    """What a container counts (11.2); None: without bound."""
    memory = hc.get("Memory") or 0
    nano, quota = hc.get("NanoCpus") or 0, hc.get("CpuQuota") or 0
    cpus = None
    if nano > 0:
        cpus = Fraction(nano, 10 ** 9)
    elif quota > 0:
        cpus = Fraction(quota, hc.get("CpuPeriod") or 100000)
    return {"containers": 1, "memory": memory if memory > 0 else None,
            "cpus": cpus, "ports": None if hc.get("PublishAllPorts") else
            sum(len(b or []) for b in
                (hc.get("PortBindings") or {}).values())}


def updated(stored, body):
    """11.3: absent, null and 0 mean what is stored, each by itself."""
    new = dict(stored)
    for key, v in body.items():
        for field in ("Memory", "NanoCpus", "CpuQuota", "CpuPeriod"):
            if key.lower() == field.lower() and v:
                new[field] = v
    return new


def stored_host_config(rq):
    inspect = rq.path_fact.get("inspect")
    return None if inspect is None else inspect.get("HostConfig") or {}


def concerns(pol, q, owner, phase):
    """phase: a name, or anything else that is not known: every one"""
    if owner not in pol.teams or q["team"] not in ("*", owner):
        return False
    phases = q.get("phases")
    return phases is None or "*" in phases or \
        phase not in pol.phases or phase in phases


def limit_of(q, name):
    v = q.get(name)
    return None if v is None else J.number(str(v))


def fits(pol, q, owner, counted, old, new):
    """old: of the container as it is, or None: it is made"""
    worst = YES
    if INTERIM:
        return CANT
    for name in LIMITS:
        limit = limit_of(q, name)
        if limit is None or old is not None and name in ("containers",
                                                         "ports"):
            continue
        before = 0 if old is None else old[name]
        after = new[name]
        if before is None or after is not None and after <= before:
            continue  # no higher than before
        if after is None:
            return NO
        if counted is None:
            worst = CANT
            continue
        total = after - before
        for c in counted:
            if c.get("team") != owner or not concerns(
                    pol, q, owner, c.get("phase")):
                continue
            had = amounts(c.get("host_config") or {})[name]
            if had is None:
                return NO
            total += had
        if total > limit:
            return NO
    return worst


# -- promotion --

PROMOTED = {"container.create", "container.start", "container.restart",
            "container.unpause"}
UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400, "ms": Fraction(1, 1000)}


def seconds(text):
    digits = text.rstrip("smhd")
    return Fraction(digits) * UNIT[text[len(digits):] or "s"]


def promoted(rq, want):
    if want is None or rq.action not in PROMOTED:
        return YES
    if INTERIM:
        return CANT if rq.action == "container.create" else YES
    digests = set()
    if rq.action == "container.create":
        name = rq.spec.image
        digest = J.split(name)[2]
        if digest:
            digests.add(digest)
        fact = rq.fact("image", name)
        if fact["presence"] == "absent" and not digest:
            return YES
    else:
        if rq.path_fact["presence"] == "absent":
            return YES
        inspect = rq.path_fact.get("inspect")
        if inspect is None or not inspect.get("Image"):
            return CANT
        fact = rq.fact("image", inspect["Image"])
    if fact["presence"] == "present":
        digests |= {J.split(d)[2] for d in fact.get("repo_digests") or []}
    least = seconds(want["min_runtime"])
    for run in rq.case.get("ran", ()):
        if run["phase"] == want["phase"] and run["digest"] in digests and \
                run["seconds"] >= least:
            return YES
    for line in rq.case.get("promoted", ()):
        if line["phase"] == want["phase"] and line["digest"] in digests \
                and line["seconds"] >= least and \
                line["key"] in want.get("via", ()):
            return YES
    return CANT if fact["presence"] == "unknown" else NO
