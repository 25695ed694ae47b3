# SPDX-License-Identifier: Apache-2.0
"""Quotas and promotion, written from docs/semantics.md 3.10, 3.11 and 11
alone.
"""
from fractions import Fraction

import judge as J
from judge import CANT, NO, YES

LIMITS = ("containers", "memory", "cpus", "ports")


def amounts(hc):
    """What a container counts (11.2); None: without bound."""
    memory = hc.get("Memory") or 0
    nano, quota = hc.get("NanoCpus") or 0, hc.get("CpuQuota") or 0
    cpus = None
    if quota < 0:
        pass  # the kernel is told the quota last (5.4)
    elif nano > 0:
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


def had(c, name):
    """What a container that is there counts."""
    if name == "containers":
        return 1
    if name == "ports":
        return c.get("ports", 0)
    v = c.get(name)
    return v if v is None or name == "memory" else Fraction(v, 10 ** 9)


def fits(pol, q, owner, counted, old, new):
    """old: of the container as it is, or None: it is made"""
    if counted is None:
        return CANT  # whatever is asked (11.4)
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
        total = after - before
        for c in counted:
            phase = pol.served[0] if len(pol.served) == 1 else c.get("phase")
            if c.get("team") != owner or not concerns(pol, q, owner, phase):
                continue
            if had(c, name) is None:
                return NO
            total += had(c, name)
        if total > limit:
            return NO
    return YES


# -- promotion --

PROMOTED = {"container.create", "container.start", "container.restart",
            "container.unpause"}
UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400, "ms": Fraction(1, 1000)}


def seconds(text):
    digits = text.rstrip("smhd")
    return Fraction(digits) * UNIT[text[len(digits):] or "s"]


def promoted(rq, want):
    if want is None:
        return YES
    if rq.action in ("service.create", "service.update"):
        return CANT  # 13.9
    if rq.action not in PROMOTED:
        return YES
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
        image = rq.path_fact.get("image_id")
        if not image or rq.path_fact["presence"] == "unknown" or \
                rq.stored is None:
            return CANT
        fact = rq.fact("image", image)
        if fact["presence"] == "absent":
            return CANT
    if fact["presence"] == "unknown":
        return CANT  # 11.9, whatever the name says
    if fact["presence"] == "present":
        digests |= {J.split(d)[2] for d in fact.get("repo_digests") or []}
    least = seconds(want["min_runtime"])
    ran = rq.case.get("ran")
    for run in ran or ():
        if run["phase"] == want["phase"] and run["digest"] in digests and \
                run["seconds"] >= least and (
                    not run.get("by") or run["by"] in want.get("via", ())):
            return YES
    return CANT if ran is None else NO
