#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""The decision in C against the oracle: random policies, random requests.

  ORACLE_PAIRS=1000000 ORACLE_SEED=… test/oracle/run.py [CASE.jsonl …]

The seed is fixed for a release, so that two runs say the same; `make
campaign` takes new ones.  Compared: verdict, reason, grant, guard and key.  A difference is shrunk and
printed as the two lines that build/tools/decide takes; after 20 the run ends.
Without arguments the recorded cases of test/oracle/cases/ go first.
"""
import collections
import copy
import fcntl
import glob
import json
import multiprocessing
import os
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

import generate  # noqa: E402
import judge     # noqa: E402
import lines     # noqa: E402
import oracle    # noqa: E402

COMPARED = ("verdict", "reason", "grant", "guard", "key")
REQUESTS, POLICIES = 300, 10
STOP_AFTER = 20
# deadline, audit and so on come from outside the decision
ELSEWHERE = {"bad-call", "unmapped-identity", "directory-unavailable",
             "audit-unavailable", "deadline", "busy", "none"}
F_SETPIPE_SZ = 1031


class Tool:
    """build/tools/decide."""

    def __init__(self, build):
        self.p = subprocess.Popen(
            [os.path.join(build, "tools", "decide")], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        # a batch's answers fit, so that neither side waits for the other
        fcntl.fcntl(self.p.stdout, F_SETPIPE_SZ, 1 << 20)

    def ask(self, lines):
        self.p.stdin.write(b"".join(lines))
        self.p.stdin.flush()
        answers = [self.p.stdout.readline() for _ in lines]
        if not answers[-1]:
            raise RuntimeError("decide ended: %r" % lines[0][:400])
        return [json.loads(a) for a in answers]

    def close(self):
        self.p.stdin.close()
        self.p.wait()


def line(doc):
    return json.dumps(doc).encode() + b"\n"


def policy_line(doc, host):
    return line({"policy": json.dumps(doc), "host": host})


def same(c, o):
    return all((c.get(k) or None) == (o.get(k) or None) for k in COMPARED)


class Shrinker:
    """Drops what a difference does not need."""

    def __init__(self, tool, cat, table):
        self.tool, self.cat, self.table = tool, cat, table

    def differs(self, doc, host, case):
        try:
            ok, got = self.tool.ask([policy_line(doc, host), line(case)])
            if ok.get("policy") != "ok":
                return None
            pol = oracle.Policy(self.cat, self.table, doc, host)
            want = oracle.decide(pol, oracle.Request(self.cat, case))
        except (KeyError, ValueError, TypeError, AttributeError,
                RuntimeError):
            return None
        return None if same(got, want) else (got, want)

    @staticmethod
    def kind(both):
        """What makes two differences the same one."""
        return both and [(a["verdict"], a["reason"], a["key"] or None)
                         for a in both]

    def drop(self, tree, test):
        """Deletes members of a tree, deeper and deeper, while test() holds."""
        for key in list(tree if isinstance(tree, dict)
                        else range(len(tree) - 1, -1, -1)):
            value = tree[key]
            del tree[key]
            if test():
                continue
            if isinstance(tree, dict):
                tree[key] = value
            else:
                tree.insert(key, value)
            if isinstance(value, (dict, list)):
                self.drop(value, test)

    def run(self, doc, host, case):
        doc, case = copy.deepcopy(doc), copy.deepcopy(case)
        body = json.loads(case["body"]) if "body" in case else None

        first = self.kind(self.differs(doc, host, case))

        def test():
            if body is not None:
                case["body"] = json.dumps(body)
            return self.kind(self.differs(doc, host, case)) == first
        if first is None:
            return doc, case, None
        for part in ("grants", "guards", "quotas", "roles", "profiles",
                     "phases", "hosts"):
            if part in doc:
                self.drop(doc[part], test)
        for tree in (body, case.get("objects"), case.get("paths")):
            if tree:
                self.drop(tree, test)
        for key in ("wanted_team", "daemon", "door", "objects", "paths"):
            if key in case:
                value = case.pop(key)
                if not test():
                    case[key] = value
        test()
        return doc, case, self.differs(doc, host, case)


class Worker:
    def __init__(self, build, seed, pairs):
        self.cat = oracle.Catalogue(build)
        self.table = judge.read_table(ROOT)
        self.tool = Tool(build)
        self.seed, self.pairs = seed, pairs
        self.passed = 0
        self.failures = []
        self.counts = collections.Counter()
        self.actions = collections.Counter()  # action, reason
        self.kinds = collections.Counter()

    def fail(self, text):
        self.failures.append(text)

    def differ(self, doc, host, case, got, want):
        kind = str(Shrinker.kind((got, want)))
        self.kinds[kind] += 1
        if self.kinds[kind] > 2:
            return
        s = Shrinker(self.tool, self.cat, self.table)
        small, less, both = s.run(doc, host, case)
        if both is not None:
            doc, case, (got, want) = small, less, both
        self.fail("%s%sC:      %s\noracle: %s\n" % (
            policy_line(doc, host).decode(), line(case).decode(),
            {k: got.get(k) for k in COMPARED + ("what",)}, want))

    def world(self, seed):
        world = generate.World(seed)
        cases = [world.request() for _ in range(REQUESTS)]
        lines = [line(c) for c in cases]
        requests = [oracle.Request(self.cat, c) for c in cases]
        for n in range(POLICIES):
            doc, host = generate.policy(world.g)
            got = self.tool.ask([policy_line(doc, host)] + lines)
            if got[0].get("policy") != "ok":
                self.fail("policy refused: %s" % json.dumps(doc))
                continue
            pol = oracle.Policy(self.cat, self.table, doc, host)
            for case, rq, c in zip(cases, requests, got[1:]):
                o = oracle.decide(pol, rq)
                self.counts[c["verdict"], c["reason"], c["key"]] += 1
                if rq.op is not None:
                    self.actions[rq.op["action"], c["reason"]] += 1
                if same(c, o):
                    self.passed += 1
                    continue
                self.differ(doc, host, case, c, o)
                self.tool.ask([policy_line(doc, host)])
                if len(self.failures) >= STOP_AFTER:
                    return
            if n == 0:
                self.metamorphic(world.g, doc, host, lines, got[1:])

    def metamorphic(self, g, doc, host, lines, before):
        """What must hold whoever is right."""
        def ask(changed, what, holds):
            got = self.tool.ask([policy_line(changed, host)] + lines)
            if got[0].get("policy") != "ok":
                self.fail("%s: policy refused: %s" % (
                    what, json.dumps(changed)))
                return
            for text, a, b in zip(lines, before, got[1:]):
                if holds(a, b):
                    self.passed += 1
                else:
                    self.fail("%s\n%s%s%s\n%s" % (
                        what, policy_line(changed, host).decode(),
                        text.decode(), a, b))
                    return
        ask(shuffled(g, doc), "order matters", same)
        for what, changed in (("a guard allows more", with_guard(g, doc)),
                              ("a role deny allows more",
                               with_deny(g, doc))):
            ask(changed, what,
                lambda a, b: b["verdict"] == "deny" or
                a["verdict"] == b["verdict"] or b["verdict"] == "would-deny"
                and a["verdict"] == "allow")
        ask(dict(doc, hosts={}), "a host of no phase allows",
            lambda a, b: b["verdict"] == "deny")
        ask(dict(doc, grants=[]), "no grant allows",
            lambda a, b: b["verdict"] == "deny" or
            b["reason"] == "builtin.ping")

    def run(self):
        seed = self.seed
        while self.passed < self.pairs and \
                len(self.failures) < STOP_AFTER:
            try:
                self.world(seed)
            except Exception:  # pylint: disable=broad-except
                self.fail("seed %d: %s" % (seed, traceback.format_exc()))
                break
            seed += 1
        self.tool.close()
        return (self.passed, self.failures, self.counts, self.actions,
                lines.HITS)


def shuffled(g, tree):
    if isinstance(tree, dict):
        items = list(tree.items())
        g.r.shuffle(items)
        return {k: shuffled(g, v) for k, v in items}
    if isinstance(tree, list):
        items = [shuffled(g, v) for v in tree]
        g.r.shuffle(items)
        return items
    return tree


def with_guard(g, doc):
    doc = copy.deepcopy(doc)
    guard = {"id": "added", "deny": generate.verb_map(g, 0, 1)}
    doc["guards"].append(guard)
    return doc


def with_deny(g, doc):
    doc = copy.deepcopy(doc)
    role = doc["roles"][g.pick(sorted(doc["roles"]))]
    deny = role.setdefault("deny", {})
    for resource, verbs in generate.verb_map(g, 1, 2).items():
        deny[resource] = sorted(set(deny.get(resource, [])) | set(verbs)) \
            if "*" not in verbs else ["*"]
    return doc


def work(args):
    return Worker(*args).run()


def replay(build, files):
    """Recorded cases: policy, request, and the answer that is right."""
    cat, table = oracle.Catalogue(build), judge.read_table(ROOT)
    tool = Tool(build)
    passed, failures = 0, []
    for name in files:
        with open(name, encoding="utf-8") as f:
            rows = [json.loads(x) for x in f if x.strip()]
        for row in rows:
            if "policy" in row:
                doc, host = json.loads(row["policy"]), row["host"]
                ok = tool.ask([line(row)])[0]
                pol = oracle.Policy(cat, table, doc, host)
                if ok.get("policy") != "ok":
                    failures.append("%s: policy refused" % name)
                continue
            want = row.pop("want")
            got = tool.ask([line(row)])[0]
            mine = oracle.decide(pol, oracle.Request(cat, row))
            for who, answer in (("C", got), ("oracle", mine)):
                if all((answer.get(k) or None) == (v or None)
                       for k, v in want.items()):
                    passed += 1
                else:
                    failures.append("%s: %s says %s, not %s" % (
                        os.path.basename(name), who, answer, want))
    tool.close()
    return passed, failures


def coverage(counts):
    """What the run met; what it never met and should have."""
    verdicts, reasons, keys = (collections.Counter() for _ in range(3))
    for (v, r, k), n in counts.items():
        verdicts[v] += n
        reasons[r] += n
        if k:
            keys[k] += n
    print("verdicts: " + ", ".join("%s %d" % x for x in
                                   verdicts.most_common()))
    print("reasons: " + ", ".join("%s %d" % x for x in
                                  reasons.most_common()))
    print("keys: " + ", ".join("%s %d" % x for x in keys.most_common()))
    return reasons, keys


def never(reasons, keys):
    with open(os.path.join(ROOT, "include/portreeve/reason.h"),
              encoding="utf-8") as f:
        known = set(judge.re.findall(r'X\(\w+, "([^"]+)"\)', f.read()))
    out = ["reason %s never occurred" % r
           for r in sorted(known - ELSEWHERE - set(reasons))]
    judged = {path for path, _, _, _ in judge.read_table(ROOT)}
    return out + ["key %s never decided" % k
                  for k in sorted(judged - set(keys))]


def unasked(build, actions):
    """Every action is allowed at times, and denied by a profile if it needs
    one."""
    out = []
    for _, _, row in oracle.Catalogue(build).rows:
        name = row["action"]
        if row["until"] is not None and float(row["until"]) < 1.24:
            continue  # answered to nobody (6.2)
        if name not in oracle.BUILTIN_GUARD and not (
                actions[name, "grant"] or actions[name, "builtin.ping"]):
            out.append("action %s was never allowed" % name)
        if row["spec"] and not sum(actions[name, r] for r in (
                "profile", "stored-spec", "must-default")):
            out.append("action %s was never denied by a profile" % name)
    return sorted(set(out))


def release_seed():
    """0.1.0 is 1000: other pairs in every release, the same within it."""
    with open(os.path.join(ROOT, "include/portreeve/version.h"),
              encoding="utf-8") as f:
        parts = judge.re.search(r'PR_VERSION\s+"([0-9.]+)', f.read())[1]
    seed = 0
    for part in parts.split("."):
        seed = seed * 1000 + int(part)
    return seed


def main():
    build = os.environ.get("PORTREEVE_BUILD") or os.path.join(ROOT, "build")
    if "PORTREEVE_BUILD" not in os.environ:
        subprocess.run(["make", "-s", "-C", ROOT, "build/portreeve",
                        "build/tools/decide"], check=True, stdout=sys.stderr)
    files = sys.argv[1:] or sorted(glob.glob(
        os.path.join(HERE, "cases", "*.jsonl")))
    passed, failures = replay(build, files)
    if len(sys.argv) == 1:
        pairs = int(os.environ.get("ORACLE_PAIRS") or 1000000)
        seed = int(os.environ.get("ORACLE_SEED") or release_seed())
        print("seed %d, %d pairs" % (seed, pairs), flush=True)
        n = 2  # whatever the machine has: the same pairs everywhere
        start = time.monotonic()
        with multiprocessing.Pool(n) as pool:
            results = pool.map(work, [
                (build, seed + i * 10 ** 6, pairs // n) for i in range(n)])
        counts = collections.Counter()
        actions = collections.Counter()
        met_lines = collections.Counter()
        for p, f, c, a, h in results:
            met_lines += h
            passed += p
            failures += f
            counts += c
            actions += a
        print("%.0f s" % (time.monotonic() - start))
        met = coverage(counts)
        print("lines: " + ", ".join("%s %d" % (k, met_lines[k])
                                    for k in sorted(lines.WANTED)))
        if pairs >= 1000000:  # fewer need not meet everything
            failures += never(*met) + unasked(build, actions)
            failures += ["line %s was never come to" % k
                         for k in lines.WANTED if not met_lines[k]]
    for f in failures[:4 * STOP_AFTER]:
        print(f)
    print("%d passed, %d failed" % (passed, len(failures)))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
