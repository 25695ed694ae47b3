#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The numbers on the admin socket: readable for Prometheus, true, and never
with a name of anybody in them; alert rules and dashboard use what exists."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import ROOT, Lab, Plugin, Proxy, Report, Room  # noqa: E402
from harness.wire import connect_unix, request  # noqa: E402

POLICY = """\
version: 1
teams:
  console: {anonymous: true}
hosts: {"*": [dev]}
phases: {dev: {audit: metadata}}
roles:
  seer: {allow: {container: [list], system: [ping]}}
grants:
  - {id: see, team: console, role: seer, phases: ["*"], owner: any}
"""
RULES = os.path.join(ROOT, "packaging/prometheus")
DASHBOARD = os.path.join(ROOT, "packaging/grafana/portreeve.json")
LINE = re.compile(r"^(portreeve_[a-z0-9_]+)(\{([^}]*)\})? ([0-9.]+)$")
LABEL = re.compile(r'([a-z]+)="([^"\\]*)"')
LABELS = {"version", "stage", "verdict", "reason", "le", "result"}
NAME = re.compile(r"portreeve_[a-z0-9_]+")


def ask(uri, user=None, method="GET"):
    m = {"RequestMethod": method, "RequestUri": uri}
    if user:
        m.update(User=user, UserAuthNMethod="TLS")
    return m


class Page:
    """What /metrics says, of plugin or proxy: page("ready")."""

    def __init__(self, p, prefix="portreeve_"):
        self.prefix = prefix
        a = request(p.admin, "GET", "/metrics")
        self.text = a.body.decode()
        self.type = a.headers.get("content-type", "")
        self.values = {}
        self.labels = {}
        self.odd = []
        for line in self.text.splitlines():
            m = LINE.match(line)
            if m:
                self.values[m[1] + (m[2] or "")] = float(m[4])
                for k, v in LABEL.findall(m[3] or ""):
                    self.labels.setdefault(k, set()).add(v)
            elif not line.startswith("# "):
                self.odd.append(line)

    def __call__(self, name):
        return self.values.get(self.prefix + name)

    def names(self):
        return {re.sub(r"\{.*", "", k) for k in self.values}


def reasons():
    with open(os.path.join(ROOT, "include/portreeve/reason.h"),
              encoding="utf-8") as f:
        return set(re.findall(r'X\([A-Z_]+, "([^"]+)"\)', f.read()))


def promtool(r, sentence, *args, text=None, cwd=None):
    done = subprocess.run(["promtool", *args], input=text, text=True,
                          capture_output=True, check=False, cwd=cwd)
    r.check(done.returncode == 0 and not done.stdout.strip().startswith(
        "portreeve"), sentence, done.stdout + done.stderr)
    return done


def decided(p, stage, verdict, reason):
    return p(f'decisions_total{{stage="{stage}",verdict="{verdict}",'
             f'reason="{reason}"}}')


def all_decisions(page):
    return sum(v for k, v in page.values.items()
               if "decisions_total{" in k and 'stage="request"' in k)


def the_page(r, p):
    page = Page(p)
    r.check(page.type.startswith("text/plain; version=0.0.4"), "its type",
            page.type)
    r.equal(page.odd, [], "nothing but samples and comments")
    promtool(r, "promtool check metrics", "check", "metrics", text=page.text)
    done = subprocess.run(["promtool", "check", "metrics"], text=True,
                          input="x_total{a=\"1\"} 1\nx_total{a=\"1\"} 2\n",
                          capture_output=True, check=False)
    r.check(done.returncode != 0, "… which would find something")
    r.equal(set(page.labels) - LABELS, set(), "labels are of a closed set")
    r.equal(page.labels["reason"] - reasons(), set(), "so are the reasons")
    r.equal(page.labels["stage"], {"request", "response"}, "… the stages")
    r.equal(page.labels["verdict"], {"allow", "deny"}, "… the verdicts")
    return page


def they_move(r, p):
    before = Page(p)
    for _ in range(3):
        p.call(ask("/v1.41/containers/json"))
    p.call(ask("/v1.41/containers/zanzibar/stop", method="POST"))
    p.call(ask("/v1.41/containers/json", user="zelda.of.hyrule"))
    p.call(b"")
    p.call({**ask("/v1.41/containers/json"), "ResponseStatusCode": 200},
           "AuthZRes")
    page = Page(p)

    def more(stage, verdict, reason):
        return (decided(page, stage, verdict, reason) or 0) - \
            (decided(before, stage, verdict, reason) or 0)
    r.equal(more("request", "allow", "grant"), 3, "allows are counted")
    r.equal(more("request", "deny", "bad-call"), 1, "… an empty call")
    r.equal(more("request", "deny", "unmapped-identity"), 1,
            "… somebody unknown")
    r.equal(all_decisions(page) - all_decisions(before), 6, "… each once")
    for stage, n in (("request", 6), ("response", 1)):
        name = f'answer_duration_seconds_count{{stage="{stage}"}}'
        r.equal(page(name) - before(name), n, f"… and timed: {stage}")
        buckets = [v for k, v in page.values.items() if "_bucket{" in k
                   and f'stage="{stage}"' in k]
        r.check(buckets == sorted(buckets) and buckets[-1] == page(name),
                "… in classes that add up", str(buckets))
    for word in ("zelda", "hyrule", "zanzibar", "console", "see\""):
        r.check(word not in page.text, f"no name is in it: {word}")
    r.check(page("resident_memory_bytes") > 1e6 and page("open_fds") > 5 and
            page("cpu_seconds_total") >= 0, "the process itself")
    r.equal(page("ready"), 0, "not ready without a daemon")
    r.equal((page("audit_healthy"), page("directory_up")), (1, 1),
            "log and directory are well")


def reloads(r, p):
    r.equal((Page(p)("last_reload_successful"), Page(p)(
        'reloads_total{result="ok"}')), (1, 0), "no reload yet")
    number = Page(p)("policy_number")
    p.reload(POLICY.replace("seer", "saw"))
    page = Page(p)
    r.check(page("policy_number") != number and page("policy_number") > 0,
            "another policy, another number")
    r.equal(page('reloads_total{result="ok"}'), 1, "a reload is counted")
    kept = page("policy_number")
    p.reload("version: 1\nrolls: {}\n", expect="not done")
    page = Page(p)
    r.equal((page("last_reload_successful"), page("policy_number"), page(
        'reloads_total{result="failed"}')), (0, kept, 1),
        "one that is refused, too, and the old policy stays")
    p.reload(POLICY)
    r.equal(Page(p)("last_reload_successful"), 1, "… until one succeeds")
    r.equal(Page(p)("policy_number"), number, "the same policy, the number")


def directory_down(r, room):
    p = Plugin(room, room("down.sock"), room("no-docker.sock"), POLICY,
               name="down", alone=True, directory="""
  type: ldap
  uri: ["ldap://127.0.0.1:1"]
  starttls: true
  tls: {ca: %s}
  user: {base: "ou=people,dc=x"}
  group: {base: "ou=groups,dc=x"}
  bind: {method: none}
""" % Lab(room("ca")).ca)
    p.start()
    p.call(ask("/v1.41/containers/json", user="bob"))
    a = request(p.admin, "GET", "/readyz?verbose")
    r.check(b"not ok  directory: " in a.body, "/readyz: directory down",
            a.body.decode())
    r.equal(Page(p)("directory_up"), 0, "… and its number")
    p.stop()


def the_proxy(r, room):
    """Its page; what it is made of moves when clients come."""
    p = Proxy(room, room("no-docker.sock"), Lab(room("proxy-ca")), POLICY,
              options=f"  admin: {room('proxy-admin.sock')}\n")
    p.admin = room("proxy-admin.sock")
    p.start()

    def now():
        return Page(p, "portreeve_proxy_")
    before = now()
    r.check(before.type.startswith("text/plain; version=0.0.4"),
            "the proxy's page: its type", before.type)
    r.equal(before.odd, [], "… nothing but samples and comments")
    r.equal(before.labels, {}, "… no labels")
    promtool(r, "… promtool check metrics", "check", "metrics",
             text=before.text)
    a = request(p.unix, "GET", "/v1.41/containers/zanzibar/json")
    r.equal(a.status, 403, "a request that is denied")
    s = connect_unix(p.unix)
    s.sendall(b"nonsense\r\n\r\n")
    s.recv(1000)
    page = now()
    for name in ("accepted_total", "requests_total", "denied_total",
                 "malformed_total"):
        r.check(page(name) > before(name), f"… {name} moves",
                (before(name), page(name)))
    r.check("zanzibar" not in page.text, "… and says no name")
    r.equal((page("last_reload_successful"), page("reloads_total")), (1, 0),
            "… no reload yet")
    p.reload("version: 1\nrolls: {}\n", expect="not all was done")
    page = now()
    r.equal((page("last_reload_successful"), page("reloads_failed_total"),
             page("policy_number")), (0, 1, before("policy_number")),
            "… a reload that fails, and the policy stays")
    p.reload(POLICY.replace("seer", "saw"), expect="in force")
    page = now()
    r.equal((page("last_reload_successful"), page("reloads_total")), (1, 2),
            "… until one succeeds")
    r.check(page("policy_number") != before("policy_number"),
            "… with another policy")
    r.equal((page("ready"), page("directory_up"), page("audit_healthy")),
            (0, 1, 1), "… not ready without a daemon")
    p.stop()
    return page


def rules_and_dashboard(r, page, proxy):
    names = page.names() | proxy.names()
    promtool(r, "promtool check rules", "check", "rules",
             "portreeve.rules.yml", cwd=RULES)
    promtool(r, "promtool test rules", "test", "rules",
             "portreeve.rules.test.yml", cwd=RULES)
    with open(os.path.join(RULES, "portreeve.rules.yml"),
              encoding="utf-8") as f:
        rules = f.read()
    used = {n for line in rules.splitlines() if "expr:" in line
            for n in NAME.findall(line)}
    r.check(len(used) > 8, "alerts use numbers")
    r.equal(used - names, set(), "… that exist")
    alerts = set(re.findall(r"alert: (\w+)", rules))
    with open(os.path.join(RULES, "portreeve.rules.test.yml"),
              encoding="utf-8") as f:
        tests = f.read()
    r.equal({a for a in alerts if tests.count(f"alertname: {a}") != 2}, set(),
            "each alert is tested both ways")
    with open(DASHBOARD, encoding="utf-8") as f:
        board = json.load(f)
    exprs = [t["expr"] for p in board["panels"] for t in p["targets"]]
    r.check(len(exprs) > 15, "the dashboard has panels")
    r.equal({n for e in exprs for n in NAME.findall(e)} - names, set(),
            "… of numbers that exist")
    text = json.dumps({"groups": [{"name": "d", "rules": [
        {"record": f"x:{i}", "expr": e.replace("$__rate_interval", "5m")
         .replace("$instance", ".*")} for i, e in enumerate(exprs)]}]})
    promtool(r, "promtool takes every expression of it", "check", "rules",
             "/dev/stdin", text=text)


def main():
    r = Report()
    with Room("metrics") as room:
        p = Plugin(room, room("p.sock"), room("no-docker.sock"),
                   POLICY, alone=True).start()
        the_page(r, p)
        they_move(r, p)
        reloads(r, p)
        rules_and_dashboard(r, the_page(r, p), the_proxy(r, room))
        a = request(p.admin, "GET", "/readyz?verbose")
        r.check(b"ok      directory: ldif" in a.body,
                "/readyz?verbose names the directory", a.body.decode())
        p.stop()
        directory_down(r, room)
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
