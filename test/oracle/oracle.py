# SPDX-License-Identifier: Apache-2.0
"""The decision, a second time: written from docs/semantics.md, not from the
C code, so that the two can be compared.  Knows nothing of speed but caches.
"""
import json
import os
import re
import subprocess
import urllib.parse
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import bodies as B
import builds as BUILDS
import judge as J
import quota as Q
import services as SV
import updates as UPDATES
import spec as S
from judge import CANT, NO, YES
from lines import hit

RISK = {"read": 0, "mutate": 1, "exec": 2, "host": 3}
STAGES = ("role", "phase", "owner", "no-such-object", "no-profile", "quota",
          "profile", "stored-spec")
STAGE = {name: i for i, name in enumerate(STAGES)}
STAGE["phase-mismatch"] = STAGE["owner"]
STAGE["must-default"] = STAGE["profile"]
BUILTIN_GUARD = {"plugin.disable", "plugin.remove", "plugin.set",
                 "plugin.upgrade"}
# whose stored spec counts (3.7)
STORED = {"container.start", "container.restart", "container.unpause",
          "container.exec", "container.exec-start", "container.attach",
          "container.attach-ws", "container.archive-write",
          "container.commit", "container.update", "container.rename"}
POLLED = {"container", "volume", "network", "service", "secret", "config"}
FULL_ID = re.compile(r"^[0-9a-f]{64}\Z")
ABSENT = {"presence": "absent"}
UNKNOWN = "?"     # a phase that is not known
ANY = object()    # every phase, known or not


class Catalogue:
    def __init__(self, build):
        rows = json.loads(subprocess.run(
            [os.path.join(build, "portreeve"), "api", "-o", "json"],
            check=True, capture_output=True).stdout)
        self.rows = []
        for r in rows:
            if not r["path"].startswith("/"):
                continue
            pattern = re.sub(r"\\\{(\w+)(?::(\\?\.\\?[*+]))?\\\}",
                             lambda m: "(?P<%s>%s)" % (
                                 m.group(1), (m.group(2) or "[^/]+")
                                 .replace("\\", "")),
                             re.escape(r["path"]))
            self.rows.append((r["method"], re.compile(pattern + r"\Z"), r))
        self.parent = {}
        self.covers = {}
        for _, _, r in self.rows:
            if r["parent"]:
                self.parent[r["action"]] = r["parent"]

    def find(self, method, path, query):
        for m, regex, r in self.rows:
            if m != method:
                continue
            hit = regex.match(path)
            if hit is None:
                continue
            if r["action"] == "image.pull" and not query.get("fromImage"):
                continue
            return r, list(hit.groupdict().values()) or [None]
        return None, [None]


class Request:
    """A case without the policy: what is asked, by whom, and the facts."""

    def __init__(self, cat, case):
        self.case = case
        self.facts = {}
        for o in case.get("objects", ()):
            self.facts.setdefault((o["kind"], o["ref"]), dict(o))
        self.settled = None
        self.paths = {p["path"]: p for p in case.get("paths", ())}
        self.plugin = case.get("door") != "proxy"
        self.daemon = case.get("daemon") or {}
        who = case.get("who") or {}
        self.who = who.get("name", "")
        self.anonymous = who.get("anonymous", False)
        self.teams = list(who.get("teams", ()))
        self.refused = None
        self.op = None
        self.spec = self.stored = self.plain = None
        self.judged = {}
        try:
            self.read(cat, case)
        except S.Refused as r:
            self.refused = r.reason

    def fact(self, kind, name):
        o = self.facts.get((kind, name))
        if o is None:
            return ABSENT
        if "presence" not in o:
            o = dict(o, presence="present")
            self.facts[(kind, name)] = o
        return o

    def settle(self, labels):
        """10.14: volumes that nobody named are of those who have them."""
        if self.settled is not None:
            if self.settled != labels:
                raise ValueError("other labels")
            return
        self.settled = labels
        for (kind, _), o in self.facts.items():
            if kind != "volume" or o.get("presence") in (
                    "absent", "unknown") or \
                    not FULL_ID.match(o.get("id", "")) or \
                    o.get("ledger") is not None or \
                    labels.get("team") in (o.get("labels") or {}):
                continue
            users = self.case.get("volume_users")
            if users is None:
                o["presence"] = "unknown"
                hit("10.14:cannot-tell")
                continue
            owners = set()
            for u in users:
                if u["volume"] != o["id"]:
                    continue
                if u.get("ledger") is not None:
                    hit("10.14:ledger")
                    owners.add((u["ledger"].get("team") or "",
                                u["ledger"].get("phase") or ""))
                else:
                    hit("10.14:label")
                    said = u.get("labels") or {}
                    owners.add((said.get(labels.get("team")) or "",
                                said.get(labels.get("phase")) or ""))
            if len(owners) == 1:
                team, phase = owners.pop()
                o["ledger"] = {"team": team, "phase": phase}
                hit("10.14:given")
            else:
                hit("10.14:several" if owners else "10.14:none")

    def read(self, cat, case):
        target = urllib.parse.urlsplit(case["target"])
        path = urllib.parse.unquote(target.path)
        m = re.match(r"^/v([0-9]+)\.([0-9]+)(/.*)\Z", path)
        if m:
            if (int(m.group(1)), int(m.group(2))) < (1, 24):
                raise S.Refused("unsupported-version")
            path = m.group(3)
        self.pairs = urllib.parse.parse_qsl(
            target.query, keep_blank_values=True)
        self.query = dict(self.pairs)
        self.op, self.names = cat.find(case["method"], path, self.query)
        self.name = self.names[0]
        if self.op is None:
            return
        self.action = self.op["action"]
        self.scope = self.op["scope"]
        self.read_body(case)
        self.find_refs()

    def echoed(self, body):
        """What stands in query and body counts in one of them (9.17)."""
        known = " ".join([
            table.get(self.action, "") for table in
            (S.QUERY, B.QUERY, UPDATES.QUERY, BUILDS.QUERY, SV.QUERY)]
            + [SV.PLAIN.get(self.action, ("", ""))[1]]).split()
        self.query = {k: v for k, v in self.query.items()
                      if k in known or k not in body or
                      (body[k] is None and v != "")}
        return {k: v for k, v in body.items()
                if k not in known or k not in self.query}

    def read_body(self, case):
        text = case.get("body")
        kind = self.op["body"]
        if kind == "json-required" and text is None:
            raise S.Refused("body-not-visible")
        if kind == "json-optional" and text is None and \
                case.get("headers", {}).get("Content-Length") != "0":
            raise S.Refused("body-not-visible")
        if kind == "start" and text not in (None, "{}", "null"):
            raise S.Refused("ambiguous-request")
        body = None
        if text is not None and kind.startswith("json"):
            body = json.loads(text)
        if isinstance(body, dict) and self.query:
            body = self.echoed(body)
        self.labels = {}
        self.body = body if isinstance(body, dict) else {}
        if self.action not in S.QUERY:
            self.labels = self.body.get("Labels") or {}
        if self.action == "container.create":
            self.spec = S.of_create(body, self.query, self.fact)
            self.labels = self.spec.labels
        elif self.action == "container.exec":
            self.spec = S.of_exec(body, self.query)
        elif self.action == "container.exec-start":
            self.spec = S.of_exec_start(body, self.query,
                                        self.fact("exec", self.name))
        elif self.action in B.QUERY:
            self.spec = B.read_spec(self.action, self.name, self.query,
                                    self.pairs, body)
            self.labels = self.spec.labels
        elif self.action in UPDATES.QUERY:
            self.spec = UPDATES.read_spec(
                self.action, self.names[-1], self.query, self.pairs, body,
                self.fact("container", self.name))
        elif self.action in BUILDS.QUERY:
            self.spec = BUILDS.read_spec(self.action, self.query, self.pairs)
        elif self.action in SV.QUERY:
            self.spec = SV.of_service(self.action, self.query, body,
                                      self.fact("service", self.name),
                                      self.daemon)
            self.labels = self.spec.labels
        elif self.action in SV.PLAIN:
            self.plain = SV.of_plain(self.action, self.query, body)
            self.labels = self.plain.labels
        elif self.action in S.QUERY and self.carries_spec():
            self.spec = S.of_query(self.action, self.query)
        self.claims = [] if self.spec is None else [self.spec.pairs] + [
            list(labels.items()) for labels in self.spec.made]

    def find_refs(self):
        """(kind, name, fact of the owner, exempt)"""
        self.refs, self.stored_refs = [], []
        kind = self.op["kind"]
        if self.action == "container.commit":
            kind, self.name = "container", self.query.get("container")
        self.kind = kind
        self.container = None
        if kind == "exec":
            ex = self.fact("exec", self.name)
            owner = ex
            if ex["presence"] == "present" and ex.get("container"):
                self.container = ex["container"]
                owner = self.fact("container", self.container)
            self.path_fact = owner if ex["presence"] == "present" else ex
            self.refs.append(("exec", self.name, self.path_fact))
        elif kind == "task":
            task = self.fact("task", self.name)
            hit("13.5:task")
            self.path_fact = task
            if task["presence"] == "present":
                self.path_fact = self.fact("service", task["container"]) \
                    if task.get("container") else {"presence": "unknown"}
            # a task that is there and its service that is not: like an exec
            self.refs.append(("exec" if task["presence"] == "present"
                              else kind, self.name, self.path_fact))
        elif kind != "none":
            self.path_fact = self.fact(kind, self.name)
            if kind == "network" and self.path_fact.get("builtin"):
                self.scope = "builtin"
            self.refs.append((kind, self.name, self.path_fact))
            if kind == "container":
                self.container = self.name
        else:
            self.path_fact = None
        if self.action == "network.disconnect":
            name = self.body.get("Container", "")
            self.refs.append(("container", name,
                              self.fact("container", name)))
        if self.spec is not None:
            self.refs += self.refs_of(self.spec)
        self.new_name = self.name_given()
        self.wants_stored = self.action in STORED and not (
            self.action == "container.attach" and not self.stdin())
        if self.wants_stored and self.container is not None:
            inspect = self.fact("container", self.container).get("inspect")
            if inspect is not None:
                try:
                    self.stored = S.of_inspect(inspect, self.fact)
                except S.Refused:
                    return
                if self.stored is not None:
                    self.stored_refs = self.refs_of(self.stored)

    def name_given(self):
        """(kind, name) of what is made or renamed; 6.3, 13.5"""
        if self.action in ("container.create", "container.rename"):
            return "container", self.query.get("name", "")
        if self.action in ("network.create", "service.create",
                           "secret.create", "config.create"):
            return self.op["creates"], self.body.get("Name") or ""
        return None, ""

    def taken_for_id(self):
        kind, name = self.new_name
        if not name:
            return False
        fact = self.fact(kind, name)
        unknown = fact["presence"] == "unknown"
        begins = fact["presence"] == "present" and fact.get("by") != "name"
        if kind in ("container", "network"):
            if not J.HEX.match(name):
                return False
            if len(name) >= 12:
                hit("6.3:hex-name")
                return True
            if unknown or begins or fact.get("ambiguous"):
                hit("6.3:hex-name-begins-id")
                return True
            return False
        hit("13.5:name-unknown" if unknown else "13.5:name-begins-id"
            if begins else "13.5:new-name")
        return unknown or begins

    def refs_of(self, spec):
        return [(k, n, {"presence": "unknown"} if k == "unseen"
                 else self.fact(k, n))
                for k, n in spec.refs + spec.late_refs]

    def counted(self):
        """The containers that quotas count; None: nobody can tell."""
        return self.case.get("containers")

    def stdin(self):
        return self.query.get("stdin", "").strip().lower() not in (
            "", "0", "no", "false", "none")

    def carries_spec(self):
        return self.op["spec"] and not (
            self.action == "container.attach" and not self.stdin())

    def creates(self):
        return self.scope == "owned" and self.op["kind"] == "none" \
            and self.op["creates"] in POLLED


class Context:
    """What a judge of a key may ask."""

    def __init__(self, rq, scope, values, place):
        self.rq = rq
        self.scope = scope
        self.values, self.place = values, place
        self.daemon = rq.daemon
        self.lifted = False

    def fact(self, kind, name):
        return self.rq.fact(kind, name)

    def path(self, path):
        return self.rq.paths.get(path, {})

    def image_config(self, s):
        fact = self.fact("image", s.image)
        return fact.get("config") if fact["presence"] == "present" else None

    def image_absent(self, s):
        return YES if self.fact("image", s.image)["presence"] == "absent" \
            else CANT

    def container_user(self):
        if self.rq.container is None:
            return None
        inspect = self.fact("container", self.rq.container).get("inspect")
        return inspect and (inspect.get("Config") or {}).get("User", "")


DAYS = {d: i for i, d in enumerate(
    ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))}


def in_window(text, now):
    span, zone = text.rsplit(" ", 1)
    ends = []
    for end in span.split(".."):
        day, hm = end.split()
        h, m = hm.split(":")
        ends.append(DAYS[day] * 1440 + int(h) * 60 + int(m))
    t = datetime.fromtimestamp(now, timezone.utc).astimezone(ZoneInfo(zone))
    at = t.weekday() * 1440 + t.hour * 60 + t.minute
    start, end = ends
    return start <= at < end if start < end else at >= start or at < end


class Policy:
    def __init__(self, cat, table, doc, host):
        self.cat, self.table, self.doc = cat, table, doc
        self.place = {row[0]: i for i, row in enumerate(table)}
        self.labels = doc.get("labels") or {}
        self.teams = doc.get("teams") or {}
        self.phases = doc.get("phases") or {}
        self.served = sorted(self.find_host(host))
        self.roles = {}
        self.profiles = {}
        self.grants = sorted(doc.get("grants") or [], key=lambda g: g["id"])
        self.guards = sorted(doc.get("guards") or [], key=lambda g: g["id"])
        self.allowed_cache = {}

    def find_host(self, host):
        hosts = self.doc.get("hosts") or {}
        if host in hosts:
            return hosts[host]
        best = max((p for p in hosts if J.glob(p, host)), default=None,
                   key=lambda p: len(p.split("*")[0]))
        return hosts[best] if best is not None else []

    def in_map(self, table, action):
        res, verb = action.split(".", 1)
        parent = self.cat.parent.get(action)
        for r, verbs in (table or {}).items():
            if r == "*":
                return True
            if r == res and ("*" in verbs or verb in verbs or (
                    parent and parent.split(".", 1)[1] in verbs)):
                return True
        return False

    def role(self, name, action):
        """(allowed, denied)"""
        key = (name, action)
        if key not in self.allowed_cache:
            allow = deny = False
            while name:
                r = self.doc["roles"][name]
                allow = allow or self.in_map(r.get("allow"), action)
                deny = deny or self.in_map(r.get("deny"), action)
                name = r.get("extends")
            self.allowed_cache[key] = (allow, deny)
        return self.allowed_cache[key]

    def profile(self, name):
        if name not in self.profiles:
            chain = []
            n = name
            while n:  # None: a profile without keys
                p = self.doc["profiles"][n]
                chain.append(p)
                n = p.get("extends")
            values = []
            for path, typ, _, absent in self.table:
                v = None
                for p in chain:
                    if typ == "RANGES":
                        got = leaf(p, path)
                        if got is not None:
                            v = {**got, **(v or {})}
                        continue
                    v = leaf(p, path)
                    if v is not None:
                        break
                values.append(J.absent_value(typ, absent)
                              if v is None else v)
            self.profiles[name] = values
        return self.profiles[name]

    def acting(self, grant, rq):
        """The acting teams; [None]: a subject without teams."""
        def act(t):
            return (self.teams.get(t) or {}).get("acts_for") or t
        mine = [t for t in rq.teams if t in self.teams]
        if grant["team"] == "*":
            if rq.anonymous:
                return []
            if not mine:
                return [None] if rq.scope == "ownerless" else []
            return sorted({act(t) for t in mine})
        return [act(grant["team"])] if grant["team"] in mine else []


def leaf(profile, path):
    v = profile
    for part in path.split("."):
        if not isinstance(v, dict) or part not in v:
            return None
        v = v[part]
    return v


class Result:
    """What became of one grant for one acting team."""
    __slots__ = ("grant", "team", "answer", "reason", "key", "soft")

    def __init__(self, grant, team, answer, reason=None, key=-1, soft=False):
        self.grant, self.team, self.answer = grant, team, answer
        self.reason, self.key, self.soft = reason, key, soft

    def rank(self):
        return (STAGE[self.reason], self.key)


def deny(reason, grant=None, guard=None, key=None):
    return {"verdict": "deny", "reason": reason, "grant": grant,
            "guard": guard, "key": key}


class Decision:
    def __init__(self, pol, rq, now, lifted=False):
        self.pol, self.rq, self.now = pol, rq, now
        self.lifted = lifted  # 10.13
        # what a listener lets in of the host's phases (9.29)
        door = rq.case.get("listener")
        self.served = [p for p in pol.served if door is None or p in door]

    # -- facts --

    def owner_of(self, fact):
        if fact.get("ledger") is not None:
            return fact["ledger"].get("team") or None
        return (fact.get("labels") or {}).get(
            self.pol.labels.get("team")) or None

    def phase_of(self, fact):
        if len(self.pol.served) == 1:
            return self.pol.served[0]
        if fact.get("ledger") is not None:
            p = fact["ledger"].get("phase")
        else:
            p = (fact.get("labels") or {}).get(self.pol.labels.get("phase"))
        return p if p in self.pol.phases else UNKNOWN

    # -- the stages before the grants --

    def touches(self, phases, phase):
        """Do the phases of a guard or grant take in the request's?"""
        if phases is None or "*" in phases:
            return YES
        if phase == UNKNOWN:
            return CANT
        if isinstance(phase, list):
            return YES if set(phases) & set(phase) else NO
        return YES if phase in phases else NO

    def guard(self, phase):
        rq = self.rq
        if rq.action in BUILTIN_GUARD and not self.lifted:
            hit("10.13:plugin")
            return deny("guard")
        if rq.action == "container.archive-write" and not self.lifted:
            a = self.copy_into()
            if a != NO:
                hit("10.13:copy" if a == YES else "10.13:copy-unknown")
                return deny("guard" if a == YES else "cannot-tell")
        for g in self.pol.guards:
            if set(g.get("except", ())) & set(rq.teams):
                continue
            if self.pol.in_map(g["deny"], rq.action) and \
                    (self.touches(g.get("phases"), phase) != NO or
                     set(g["phases"]) & set(self.cluster())):
                return deny("guard", guard=g["id"])
        return None

    def copy_into(self):
        """10.8: is something protected mounted there?"""
        rq = self.rq
        if rq.path_fact["presence"] == "absent":
            return NO
        if rq.stored is None:
            return CANT
        ctx = Context(rq, None, None, None)
        facts = [{} if p is None else ctx.path(p)
                 for p in J.host_paths(rq.stored, ctx)]
        if any(f.get("protected") for f in facts):
            return YES
        return NO if all(f.get("known") for f in facts) else CANT

    def role_deny(self, phase):
        rq, cant = self.rq, None
        for g in self.pol.grants:
            if not self.pol.role(g["role"], rq.action)[1]:
                continue
            for team in self.pol.acting(g, rq):
                reach = self.reaches(g, phase)
                if reach == NO and set(g["phases"]) & set(self.cluster()):
                    reach = YES
                a = min(reach, self.deny_scope(g, team),
                        key=(NO, CANT, YES).index)
                if a == YES:
                    return deny("role-deny", grant=g["id"])
                if a == CANT and cant is None:
                    cant = g["id"]
        return deny("cannot-tell", grant=cant) if cant is not None else None

    def reaches(self, g, phase):
        """2.5; a role deny reaches as far as its grant."""
        if phase == UNKNOWN:
            fact = self.rq.path_fact
            if fact is not None and fact["presence"] == "unknown":
                return YES if "*" in g["phases"] else CANT
            return YES if "*" in g["phases"] and \
                g.get("owner") == "any" else NO
        return self.touches(g["phases"], phase)

    def deny_scope(self, g, team):
        rq = self.rq
        scope = rq.scope
        if g.get("owner") == "any" or scope in ("ownerless", "builtin"):
            return YES
        if scope == "global":
            return NO
        if rq.creates():
            label = self.wanted_owner()
            return YES if label is None or self.in_scope(g, team, label) \
                else NO
        fact = rq.path_fact
        if fact is None:
            return YES
        if fact["presence"] == "absent":
            return YES
        if fact["presence"] == "unknown":
            return CANT
        return YES if self.in_scope(g, team, self.owner_of(fact)) else NO

    def freeze(self, phase):
        rq = self.rq
        if RISK[rq.op["risk"]] < 1:
            return None
        phases = self.served if phase == UNKNOWN else \
            phase if isinstance(phase, list) else [phase]
        for p in list(phases) + self.cluster():
            f = (self.pol.phases.get(p) or {}).get("freeze")
            if not f or set(f.get("except", ())) & set(rq.teams):
                continue
            allow = f.get("allow", {"container": ["stop", "kill",
                                                  "restart"]})
            if self.pol.in_map(allow, rq.action):
                continue
            if any(in_window(w, self.now) for w in f.get("windows", ())):
                return deny("freeze")
        return None

    def cluster(self):
        """13.8: the phases that workers may be of."""
        op = self.rq.op
        if "service" in (op["kind"], op["creates"]) or op["kind"] == "task":
            return self.pol.doc.get("cluster_phases") or []
        return []

    def labels_keep(self, g, team, phase):
        """13.6: the reason, or None"""
        rq, pol = self.rq, self.pol
        t, p = pol.labels.get("team"), pol.labels.get("phase")
        task = rq.spec.task_labels if rq.action.startswith(
            "service.") and rq.spec is not None else {}
        if rq.action == "service.create":
            owner, own_phase = self.wanted_owner() or team, phase
        elif rq.action in SV.UPDATED and \
                rq.path_fact["presence"] == "present" and not (
                    rq.spec is not None and rq.spec.undecided):
            fact = rq.path_fact
            owner, own_phase = self.owner_of(fact), self.phase_of(fact)
            if own_phase == UNKNOWN:  # what it says, if not of the policy
                own_phase = (fact["ledger"].get("phase") if fact.get(
                    "ledger") is not None else
                    (fact.get("labels") or {}).get(p)) or None
            if owner is None:  # a claim, as in a create
                for labels in (rq.labels, task):
                    bad = self.claims(g, team, phase, [
                        (k, v) for k, v in labels.items()
                        if k == t or own_phase is None])
                    if bad is not None:
                        return bad
            bare = fact.get("ledger") is None
            had = fact.get("labels") or {}
            if owner is not None and (
                    rq.labels.get(t, owner) != owner or
                    t not in rq.labels and bare and t in had):
                return "owner"
            if own_phase is None:
                pass  # whoever reaches it covers every phase
            elif rq.labels.get(p, own_phase) != own_phase or (
                    p not in rq.labels and bare and p in had and
                    len(pol.served) > 1):
                return "phase-mismatch"
        else:
            return None
        if owner is not None and task.get(t, owner) != owner:
            return "owner"
        if own_phase is not None and task.get(p, own_phase) != own_phase:
            return "phase-mismatch"
        return None

    def early(self, phase):
        return self.guard(phase) or self.role_deny(phase) or \
            self.freeze(phase)

    # -- grants --

    def wanted_owner(self):
        label = self.rq.labels.get(self.pol.labels.get("team"))
        if label is None:
            label = self.rq.case.get("wanted_team") or None
        return label

    def in_scope(self, g, team, owner):
        kind = g.get("owner", "own")
        if kind == "any":
            return True
        if owner is None:
            return False
        return owner == team if kind == "own" else owner in kind

    def check_refs(self, g, team, phase):
        """None, or the reason; CANT"""
        rq = self.rq
        any_owner = g.get("owner") == "any"
        missing = cant = False
        mutates = RISK[rq.op["risk"]] >= 1
        scope = rq.scope
        refs = rq.refs + rq.stored_refs
        for i, (kind, name, fact) in enumerate(refs):
            path = i == 0 and rq.kind != "none"
            if kind == "name" or (kind == "image"):
                continue
            if scope != "owned" and path:
                continue
            if kind == "network" and (fact.get("builtin") or (
                    name in ("bridge", "host", "none") and not path)):
                continue
            if fact["presence"] == "unknown":
                cant = True
                continue
            if fact["presence"] == "absent":
                if kind == "volume" and not path:
                    continue
                if path and kind == "exec" or fact is not rq.path_fact:
                    missing = True
                elif path and (
                        mutates and fact.get("by") != "id"):
                    missing = True
                continue
            if not self.in_scope(g, team, self.owner_of(fact)):
                return "owner"
            p = self.phase_of(fact)
            if p == phase and p != UNKNOWN:
                continue
            if (any_owner or (isinstance(phase, list) and p != UNKNOWN)) \
                    and ("*" in g["phases"] or p in g["phases"]):
                continue
            return "phase-mismatch"
        if missing:
            return "no-such-object"
        return CANT if cant else None

    def claims(self, g, team, phase, pairs):
        """9.17, 10.3: labels of what is made beside: the reason, or None"""
        pol = self.pol
        for key, value in pairs:
            if key == pol.labels.get("team") and (
                    value not in pol.teams or
                    not self.in_scope(g, team, value)):
                return "owner"
        for key, value in pairs:
            if key == pol.labels.get("phase") and (
                    value != phase if isinstance(phase, str) else
                    value not in phase or not (
                        "*" in g["phases"] or value in g["phases"])):
                return "phase-mismatch"
        return None

    def grant(self, g, team, phase):
        rq, pol = self.rq, self.pol
        allow, denied = pol.role(g["role"], rq.action)
        if not allow or denied:
            return Result(g, team, NO, "role")
        cluster = self.cluster()
        if self.reaches(g, phase) == NO or cluster and (
                not ("*" in g["phases"] or
                     set(cluster) <= set(g["phases"])) or
                isinstance(phase, str) and
                phase not in cluster + [UNKNOWN]):
            return Result(g, team, NO, "phase")
        if rq.scope == "global" and g.get("owner") != "any":
            return Result(g, team, NO, "owner")
        if rq.creates():
            label = self.wanted_owner()
            if label is not None and (label not in pol.teams or
                                      not self.in_scope(g, team, label)):
                return Result(g, team, NO, "owner")
        for pairs in rq.claims:
            bad = self.claims(g, team, phase, pairs)
            if bad is not None:
                return Result(g, team, NO, bad)
        if getattr(rq.spec, "installs", False) and g.get("owner") != "any":
            return Result(g, team, NO, "owner")
        bad = self.labels_keep(g, team, phase)
        if bad is not None:
            return Result(g, team, NO, bad)
        refs = self.check_refs(g, team, phase)
        if refs not in (None, CANT):
            return Result(g, team, NO, refs)
        cant = [-1] if refs == CANT else []
        if getattr(rq.spec, "undecided", False):
            cant.append(-1)
        if rq.plain is not None:
            return self.plain(g, team, cant)
        if not rq.carries_spec():
            return Result(g, team, CANT if cant else YES)
        if "profile" not in g:
            return Result(g, team, NO, "no-profile")
        quota = self.quota(team, phase)
        if quota == NO:
            return Result(g, team, NO, "quota")
        promoted = Q.promoted(rq, g.get("promoted_from"))
        if CANT in (quota, promoted):
            cant.append(-1)
        return self.shape(g, team, phase, cant, promoted == NO)

    def plain(self, g, team, cant):
        """13.10"""
        pol, plain = self.pol, self.rq.plain
        name = g.get("profile")
        values = None if name == "unrestricted" else pol.profile(name)
        if values is not None and plain.must:
            return Result(g, team, NO, "must-default", -1)
        place = pol.place["unknown_fields"]
        if values is not None and plain.unknown and \
                values[place] != "allow":
            return Result(g, team, NO, "profile", place)
        return Result(g, team, CANT if cant else YES)

    def quota(self, team, phase):
        """3.10, 11.3"""
        rq = self.rq
        if rq.action == "container.create":
            owner = self.wanted_owner() or team
            old, new = None, Q.amounts(rq.spec.hc)
        elif rq.action == "container.update":
            owner = self.owner_of(rq.path_fact)
            stored = Q.stored_host_config(rq)
            old = new = None
            if stored is not None:
                old, new = Q.amounts(stored), Q.amounts(
                    Q.updated(stored, rq.body))
                if new is None:
                    old = None
        elif rq.action in ("service.create", "service.update"):
            owner = self.wanted_owner() or team \
                if rq.action == "service.create" else \
                self.owner_of(rq.path_fact)
            return CANT if any(Q.concerns(self.pol, q, owner, phase)
                               for q in self.pol.doc.get("quotas") or ()) \
                else YES
        else:
            return YES
        worst = YES
        for q in self.pol.doc.get("quotas") or ():
            if not Q.concerns(self.pol, q, owner, phase):
                continue
            a = CANT if rq.action == "container.update" and old is None \
                else Q.fits(self.pol, q, owner, rq.counted(), old, new)
            if a == NO:
                return NO
            if a == CANT:
                worst = CANT
        return worst

    def shape(self, g, team, phase, cant, unpromoted=False):
        """cant: the places of the keys that cannot be told; -1: no key"""
        rq = self.rq
        name = g["profile"]
        values = None if name == "unrestricted" else \
            self.pol.profile(name)
        ctx = Context(rq, J.Scope(team, rq.who,
                                  phase if isinstance(phase, str) and
                                  phase != UNKNOWN else None),
                      values, self.pol.place)
        ctx.lifted = self.lifted
        soft = not unpromoted
        first = Result(g, team, NO, "profile") if unpromoted else None
        if rq.spec is not None:
            a, key, s = J.judge(self.pol.table, values, rq.spec, ctx)
            if a == NO:
                soft = soft and s
                first = first or Result(
                    g, team, NO,
                    "must-default" if key == -1 else "profile", key)
            elif a == CANT:
                cant.append(key)
        elif values is not None:
            cant.append(-1)  # a body that nobody reads (9.15)
        if rq.wants_stored and g.get("stored_specs") != "any":
            if rq.stored is None:
                if rq.path_fact["presence"] != "absent":
                    cant.append(-1)
            else:
                a, key, s = J.judge(self.pol.table, values, rq.stored, ctx)
                if a == NO:
                    soft = soft and s
                    if first is None:
                        first = Result(g, team, NO, "stored-spec", key)
                elif a == CANT:
                    cant.append(key)
        if first is not None:
            first.soft = soft and not cant
            return first
        return Result(g, team, CANT, None, cant[0]) if cant else \
            Result(g, team, YES)

    def poll(self, phase):
        out = []
        for g in self.pol.grants:
            for team in self.pol.acting(g, self.rq):
                out.append(self.grant(g, team, phase))
        return out

    def complains(self, phase):
        if phase == UNKNOWN:
            return False
        phases = phase if isinstance(phase, list) else [phase]
        phases = list(phases) + self.cluster()
        return all((self.pol.phases.get(p) or {}).get("mode") == "complain"
                   for p in phases)

    def key_name(self, key):
        return self.pol.table[key][0] if key >= 0 else None

    def conclude(self, results, phase):
        yes = [r for r in results if r.answer == YES]
        if yes:
            if self.rq.creates() and self.wanted_owner() is None and \
                    len({r.team for r in yes}) > 1:
                return deny("owner", grant=yes[0].grant["id"])
            return {"verdict": "allow", "reason": "grant", "guard": None,
                    "grant": yes[0].grant["id"], "key": None}
        cant = [r for r in results if r.answer == CANT]
        if cant:
            return deny("cannot-tell", grant=cant[0].grant["id"],
                        key=self.key_name(cant[0].key))
        if not results:
            return deny("no-grant")
        if self.complains(phase):
            for r in results:
                if r.soft:
                    return {"verdict": "would-deny", "reason": r.reason,
                            "grant": r.grant["id"], "guard": None,
                            "key": self.key_name(r.key)}
        return self.nearest(results)

    def nearest(self, results):
        best = results[0]
        for r in results[1:]:
            if r.rank() > best.rank():
                best = r
        return deny(best.reason, grant=best.grant["id"],
                    key=self.key_name(best.key))

    # -- the phase --

    def create(self):
        pol = self.pol
        label = self.rq.labels.get(pol.labels.get("phase"))
        if label is not None:
            if label in self.served:
                return self.settled(label)
            return self.early(UNKNOWN) or deny("phase-not-served")
        if len(self.served) == 1:
            return self.settled(self.served[0])
        polled = {p: self.poll(p) for p in self.served}
        ok, undecided = [], []
        for p in self.served:
            rs = polled[p]
            cant = [r for r in rs if r.answer == CANT]
            if any(r.answer == YES for r in rs) or (
                    self.complains(p) and not cant and
                    any(r.soft for r in rs)):
                ok.append(p)
            else:
                undecided += cant
        if len(ok) == 1 and not undecided:
            return self.settled(ok[0], polled[ok[0]])
        early = self.early(UNKNOWN)
        if early:
            return early
        if len(ok) > 1:
            return deny("phase")
        if undecided:
            r = min(undecided, key=lambda r: r.grant["id"])
            return deny("cannot-tell", grant=r.grant["id"],
                        key=self.key_name(r.key))
        results = [r for p in self.served for r in polled[p]]
        if not results:
            return deny("no-grant")
        return self.nearest(sorted(results, key=lambda r: (
            r.grant["id"], r.team or "")))

    def settled(self, phase, results=None):
        early = self.early(phase)
        if early:
            return early
        if self.rq.action in ("system.ping", "system.version") and \
                not self.rq.anonymous:
            return {"verdict": "allow", "reason": "builtin.ping",
                    "grant": None, "guard": None, "key": None}
        return self.conclude(self.poll(phase) if results is None
                             else results, phase)

    def stranger(self):
        """1.2, 9.33: without a certificate, perhaps from the network"""
        rq = self.rq
        if not rq.anonymous or not any(
                t.get("anonymous") for t in self.pol.teams.values()):
            return None
        plain = rq.daemon.get("plain_tcp")
        if not rq.plugin or rq.case.get("accept_plain_tcp") or not plain:
            hit("1.2:taken" if not plain else "1.2:accepted" if rq.plugin
                else "1.2:proxy")
            return None
        reason = "cannot-tell" if plain == "unknown" else "no-grant"
        hit("9.33:" + reason)
        return reason

    def decide(self):
        rq, pol = self.rq, self.pol
        if rq.refused:
            return deny(rq.refused)
        if rq.op is None:
            return deny("unknown-operation")
        stranger = self.stranger()
        if stranger:
            return deny(stranger)
        if not self.served:
            return deny("phase-not-served")
        if rq.scope == "owned" and not rq.creates() and \
                rq.path_fact is not None and \
                rq.path_fact["presence"] != "absent" and \
                self.phase_of(rq.path_fact) in set(pol.served) - set(
                    self.served):
            return deny("phase-not-served")
        path = rq.kind != "none" and not rq.plugin  # 9.29: written as an id
        for kind, name, fact in rq.refs[path:] + rq.stored_refs:
            if fact.get("ambiguous"):
                return deny("ambiguous-request")
        if rq.plugin:
            if rq.taken_for_id():
                return deny("ambiguous-request")
        if rq.scope != "owned":
            return self.settled(self.served)
        if rq.creates():
            return self.create()
        if rq.path_fact is None:
            return self.settled(UNKNOWN)
        if rq.path_fact["presence"] == "absent":
            return self.settled(self.served)
        return self.settled(self.phase_of(rq.path_fact))


def decide(pol, rq):
    rq.settle(pol.labels)
    now = rq.case.get("now", 0)
    out = Decision(pol, rq, now).decide()
    if not rq.case.get("break_glass") or out["verdict"] != "deny":
        return out
    # 10.13: only a request that nothing else denies is changed by it
    lifted = Decision(pol, rq, now, True).decide()
    if lifted["verdict"] == "deny":
        if out["reason"] == "guard" and out["guard"] is None:
            hit("10.13:denied-anyway")
        return out
    hit("10.13:lifted")
    return lifted
