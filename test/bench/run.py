#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: portreeve-plugin beside a server that answers a constant, and
portreeve-proxy beside nginx and haproxy (proxy_part.py).

All serve in one run; rounds alternate, each figure is the median of the
rounds' ratios.  A real dockerd stands behind the plugin, with a
real image and container, so look-ups are real.  Nothing passes or fails here;
docs/PERFORMANCE.md (--write) says what was measured and what was aimed at.
"""
import argparse
import json
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Api, BUILD, Dockerd, Lab, Plugin, ROOT, Room  # noqa: E402
from harness.room import die_with_parent, end_process, wait_until  # noqa: E402
from harness.wire import request  # noqa: E402
from proxy_part import ProxyBench  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
DOC = os.path.join(ROOT, "docs", "PERFORMANCE.md")
LABELS = {"com.acme.team": "payments", "com.acme.phase": "dev"}

POLICY = """\
version: 1
labels: {{team: com.acme.team, phase: com.acme.phase}}
teams:
  payments: {{ldap: ["cn=payments,ou=groups,dc=acme,dc=com"]}}
  console: {{anonymous: true}}
{teams}hosts:
  "*": [dev]
phases:
  dev: {{audit: metadata}}
roles:
  developer: {{allow: {{container: ["*"], image: ["*"], system: [ping, version, info]}}}}
  lists: {{allow: {{container: [list], system: [ping]}}}}
profiles:
  baseline:
    images: {{allow: ["docker.io/library/*"]}}
    mounts: {{bind: ["/**/binds-of-${{team}}/**"], volumes: own}}
    namespaces: {{network: [private, own]}}
    limits: {{memory: "..4GiB?", pids: "..1024?"}}
grants:
  - {{id: pay-dev, team: payments, role: developer, phases: [dev], profile: baseline}}
  - {{id: pay-list, team: payments, role: lists, phases: [dev], owner: any}}
  - {{id: con-list, team: console, role: lists, phases: [dev], owner: any}}
{grants}"""
LDIF = """\
dn: uid=alice,ou=people,dc=acme,dc=com
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: A

dn: cn=payments,ou=groups,dc=acme,dc=com
objectClass: groupOfNames
cn: payments
member: uid=alice,ou=people,dc=acme,dc=com
"""


def policy(others=0):
    """With grants of that many other teams."""
    teams = "".join(f'  team-{i}: {{ldap: ["cn=team-{i},ou=groups,dc=acme,'
                    'dc=com"]}\n' for i in range(others))
    grants = "".join(f"  - {{id: grant-{i}, team: team-{i}, role: developer, "
                     "phases: [dev], profile: baseline}\n"
                     for i in range(others))
    return POLICY.format(teams=teams, grants=grants)


class Bench:
    def __init__(self, room, a):
        self.room = room
        self.a = a
        self.rows = []
        self.lab = Lab(room("ca"))
        self.cert = self.lab.client("alice")[0]
        self.d = Dockerd(room).start()
        api = Api(self.d.connect)
        self.d.import_image(api)
        made = api.must("POST", "/containers/create?name=mine", {
            "Image": "busybox", "Cmd": ["sleep", "100000"], "Labels": LABELS})
        self.container = made["Id"]
        api.must("POST", f"/containers/{self.container}/start")
        self.full_body, self.refused_body = self.make_full_body(api)
        self.list_body = room.write("list.json", json.dumps(
            api.must("GET", "/containers/json")))
        self.inspect_body = room.write("inspect.json", json.dumps(
            api.must("GET", f"/containers/{self.container}/json")))
        self.constant_sock = self.d.plugin_socket("constant")
        self.constant = subprocess.Popen(
            [os.path.join(BUILD, "bench", "constant"), self.constant_sock],
            preexec_fn=die_with_parent)
        room.push(lambda: end_process(self.constant))
        wait_until("constant", lambda: os.path.exists(self.constant_sock))
        self.n_plugins = 0

    def make_full_body(self, api):
        """create.json with two binds, a named volume and a user network;
        and the same with a limit that the policy does not let pass."""
        binds = [os.path.join(self.room.mkdir("binds-of-payments"), x)
                 for x in ("in", "out")]
        for b in binds:
            os.makedirs(b)
        api.must("POST", "/volumes/create", {"Name": "data", "Labels": LABELS})
        api.must("POST", "/networks/create",
                 {"Name": "back", "Driver": "bridge", "Labels": LABELS})
        with open(os.path.join(HERE, "create.json"), encoding="utf-8") as f:
            body = json.load(f)
        body["HostConfig"]["Binds"] = [binds[0] + ":/in:ro",
                                       binds[1] + ":/out", "data:/data"]
        body["HostConfig"]["NetworkMode"] = "back"
        body["NetworkingConfig"]["EndpointsConfig"] = {"back": {}}
        found = []
        for name, pids in (("full.json", 200), ("refused.json", 4096)):
            body["HostConfig"]["PidsLimit"] = pids
            found.append(self.room.write(
                name, json.dumps(body, separators=(",", ":"))))
        return found

    def plugin(self, others=0, sync="none", wrap=()):
        """Another one of ours; dockerd asks it too (look-ups come back)."""
        self.n_plugins += 1
        name = f"portreeve{self.n_plugins}"
        p = Plugin(self.room, self.d.plugin_socket(name), self.d.socket,
                   policy(others), LDIF, sync=sync, host="bench-1", name=name)
        p.wrap = list(wrap)
        start = time.monotonic()
        p.start(wait=False)
        while not p.answers():  # more often than start() asks
            if p.proc.poll() is not None:
                sys.exit("the plugin does not start" + p.tail())
            time.sleep(0.002)
        p.load_ms = (time.monotonic() - start) * 1e3
        p.dockerd_name = name
        return p

    def dockerd_asks(self, name):
        self.d.reload(authorization_plugins=[name] if name else [])

    def load(self, sock, pid, kind, conns=16, seconds=None, calls=0):
        argv = [os.path.join(BUILD, "bench", "load"), "--sock", sock,
                "--pid", str(pid), "--kind", kind, "--conns", str(conns),
                "--cert", self.cert, "--container", self.container,
                "--create-body", os.path.join(HERE, "create.json"),
                "--full-body", self.full_body,
                "--refused-body", self.refused_body,
                "--list-body", self.list_body,
                "--inspect-body", self.inspect_body,
                "--calls", str(calls),
                "--seconds", str(seconds or self.a.seconds)]
        done = subprocess.run(argv, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            sys.exit(f"load: {done.stderr.strip()}")
        got = json.loads(done.stdout)
        expected = (got["calls"] if kind == "refused" and
                    sock != self.constant_sock and not calls else 0)
        if got["errors"] or (got["deny"] != expected and not calls):
            print(f"  ! {kind} at {os.path.basename(sock)}: "
                  f"{got['deny']} denied, {got['errors']} errors of "
                  f"{got['calls']}: not a fair figure")
        return got

    def row(self, what, aim, value, detail):
        report(self.rows)(what, aim, value, detail)

    def cpu(self, p):
        for kind, aim in (("list", "≤ 1.5 ×"), ("create", "≤ 2.5 ×"),
                          ("refused", "≤ 4 ×"), ("full", "—"),
                          ("mix", "≤ 1.75 ×"), ("big", "≤ 5 ×")):
            ratios, ours, theirs = [], [], []
            for _ in range(self.a.rounds):
                c = self.load(self.constant_sock, self.constant.pid, kind)
                o = self.load(p.socket, p.proc.pid, kind)
                ratios.append(o["cpu_us"] / c["cpu_us"])
                ours.append(o)
                theirs.append(c)
            med = statistics.median
            self.row(f"CPU a call, {kind}, 16 connections", aim,
                     f"{med(ratios):.2f} ×",
                     f"{med(x['cpu_us'] for x in ours):.1f} µs to "
                     f"{med(x['cpu_us'] for x in theirs):.1f} µs; p50 "
                     f"{med(x['p50_us'] for x in ours):.0f}, p99 "
                     f"{med(x['p99_us'] for x in ours):.0f} µs")
        # one that has seen nothing else: who made what is remembered, and
        # the loads before have made many things
        fresh = self.plugin()
        self.load(fresh.socket, fresh.proc.pid, "big")
        time.sleep(3)  # memory is given back when it is quiet
        kib = rss(fresh.proc.pid)
        self.row("RSS, small policy, after 900 KB bodies", "≤ 8 MiB",
                 f"{kib / 1024:.1f} MiB", "")
        fresh.stop()

    def durable(self, p, g):
        ratios, seen = [], []
        for _ in range(self.a.rounds):
            n = self.load(p.socket, p.proc.pid, "list", 64)
            s = self.load(g.socket, g.proc.pid, "list", 64)
            ratios.append(s["per_second"] / n["per_second"])
            seen.append((s, n))
        s, n = seen[-1]
        self.row("throughput with a durable log, 64 callers", "≥ 0.6 ×",
                 f"{statistics.median(ratios):.2f} ×",
                 f"{s['per_second']:.0f}/s to {n['per_second']:.0f}/s; p99 "
                 f"{s['p99_us']:.0f} µs")

    def through_dockerd(self, p):
        """What each plugin adds to GET /containers/json, unix socket."""
        added = {"constant": [], p.dockerd_name: []}
        bare_all = []
        for _ in range(self.a.rounds):
            self.dockerd_asks(None)
            bare = get_median_us(self.d.socket)
            bare_all.append(bare)
            for name, found in added.items():
                self.dockerd_asks(name)
                found.append(get_median_us(self.d.socket) - bare)
        ours = statistics.median(added[p.dockerd_name])
        theirs = statistics.median(added["constant"])
        self.row("added to GET /containers/json through dockerd", "≤ 1.25 ×",
                 f"{ours / theirs:.2f} ×", f"{ours:.0f} µs to {theirs:.0f} µs"
                 f" on {statistics.median(bare_all):.0f} µs")
        self.dockerd_asks(p.dockerd_name)

    def instructions(self):
        """What callgrind counts, kernel not included, of both servers."""
        p = self.plugin(wrap=valgrind(self.room, "ours"))
        sock = self.d.plugin_socket("counted")
        bare = subprocess.Popen(
            [*valgrind(self.room, "bare"),
             os.path.join(BUILD, "bench", "constant"), sock],
            preexec_fn=die_with_parent, stderr=subprocess.DEVNULL)
        self.room.push(lambda: end_process(bare))
        wait_until("constant", lambda: os.path.exists(sock))
        self.dockerd_asks(p.dockerd_name)
        for kind in ("list", "create", "refused", "mix"):
            found = []
            for s, pid in ((p.socket, p.proc.pid), (sock, bare.pid)):
                self.load(s, pid, kind, calls=100)
                callgrind("--instr=on", pid)
                self.load(s, pid, kind, calls=COUNTED)
                callgrind("--instr=off", pid)
                found.append(counted(self.room, pid))
            self.row(f"instructions a call, {kind}, callgrind", "—",
                     f"{found[0] / found[1]:.2f} ×",
                     f"{found[0]:,.0f} to {found[1]:,.0f}")
        p.stop()

    def scale(self):
        """Three of ours, each with more that does not concern alice."""
        sizes = (10, 1000, 10000)
        plugins = {n: self.plugin(n) for n in sizes}
        for kind in ("list", "create"):
            seen = {n: [] for n in sizes}
            for _ in range(self.a.rounds):
                for n, p in plugins.items():
                    seen[n].append(self.load(p.socket, p.proc.pid,
                                             kind)["cpu_us"])
            for n in sizes[1:]:
                ratios = [x / y for x, y in zip(seen[n], seen[10])]
                self.row(f"CPU a call, {kind}, {n:,} grants of others to 10",
                         "≤ 1.2 ×", f"{statistics.median(ratios):.2f} ×",
                         f"{statistics.median(seen[n]):.1f} µs to "
                         f"{statistics.median(seen[10]):.1f} µs")
        most = plugins[10000]
        self.row("start with 10,000 grants", "≤ 200 ms",
                 f"{most.load_ms:.0f} ms", "until it answers")
        self.row("RSS with 10,000 grants", "≤ 32 MiB",
                 f"{rss(most.proc.pid) / 1024:.1f} MiB", "")


COUNTED = 2000  # calls


def valgrind(room, name):
    """Counts nothing until it is told to; it knows no seccomp."""
    free = os.path.join(BUILD, "bench", "unconfined.so")
    return ["env", "LD_PRELOAD=" + free, "valgrind", "-q",
            "--tool=callgrind", "--instr-atstart=no",
            "--callgrind-out-file=" + room(name + ".%p")]


def callgrind(what, pid):
    subprocess.run(["callgrind_control", what, str(pid)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def counted(room, pid):
    """Instructions a call since it was told to count; starts anew."""
    callgrind("--dump=bench", pid)
    found = []

    def whole():
        for name in os.listdir(room.path):
            if f".{pid}." in name:
                path = os.path.join(room.path, name)
                with open(path, encoding="utf-8", errors="replace") as f:
                    m = re.search(r"^totals: (\d+)", f.read(), re.M)
                if m:
                    os.unlink(path)
                    found.append(int(m[1]))
        return found

    wait_until("callgrind's counts", whole)
    callgrind("--zero", pid)
    return found[0] / COUNTED


def rss(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])


def get_median_us(path, n=400):
    """Median of n sequential GETs on one kept connection."""
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    wire = b"GET /v1.41/containers/json HTTP/1.1\r\nHost: docker\r\n\r\n"
    times = []
    for i in range(n + 50):
        start = time.perf_counter()
        s.sendall(wire)
        data = b""
        while True:
            data += s.recv(65536)
            head, sep, body = data.partition(b"\r\n\r\n")
            m = re.search(rb"Content-Length: (\d+)", head)
            if sep and m and len(body) >= int(m[1]):
                break
        if i >= 50:
            times.append((time.perf_counter() - start) * 1e6)
        if b" 200 " not in head[:20]:
            sys.exit("GET /containers/json was refused: "
                     + body.decode(errors="replace"))
    s.close()
    return statistics.median(times)


def write_doc(rows, a, mark):
    """The table between those marks of docs/PERFORMANCE.md."""
    begin, end = f"<!-- {mark} begin -->\n", f"<!-- {mark} end -->\n"
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        cpu = re.search(r"model name\s*: (.*)", f.read())
    table = (f"Measured {time.strftime('%Y-%m-%d')} on "
             f"{os.cpu_count()} × {cpu[1] if cpu else platform.machine()}, "
             f"Linux {platform.release().split('-')[0]}, with "
             f"`make bench ARGS=\"--write --rounds {a.rounds} --seconds "
             f"{a.seconds:g}\"`; medians of {a.rounds} alternating rounds.\n\n"
             "| figure | aim | measured | in numbers |\n"
             "| --- | --- | --- | --- |\n")
    table += "".join("| " + " | ".join(r) + " |\n" for r in rows)
    with open(DOC, encoding="utf-8") as f:
        text = f.read()
    head, rest = text.split(begin)
    with open(DOC, "w", encoding="utf-8") as f:
        f.write(head + begin + table + end + rest.split(end)[1])


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    a.add_argument("--rounds", type=int, default=5)
    a.add_argument("--seconds", type=float, default=1.0)
    a.add_argument("--write", action="store_true",
                   help="put the table into docs/PERFORMANCE.md")
    a.add_argument("--only",
                   default="cpu,durable,dockerd,scale,callgrind,proxy")
    a.add_argument("--peer", metavar="SOCKET:PID", action="append", default=[],
                   help="measure another plugin's socket in the same run")
    a = a.parse_args()
    only = a.only.split(",")
    with Room("bench") as room:
        tables = {"make bench": plugin_parts(room, a, only),
                  "make bench proxy": proxy_parts(room, a, only)}
    for mark, rows in tables.items():
        if a.write and rows:
            write_doc(rows, a, mark)
    return 0


PLUGIN_PARTS = {"cpu", "dockerd", "durable", "scale", "callgrind"}
PROXY_PARTS = ("small", "shakes", "bodies", "latency", "idle", "siege")


def report(rows):
    def row(what, aim, value, detail):
        rows.append((what, aim, value, detail))
        print(f"{what:<52} {value:>10}   aim {aim:<10} {detail}", flush=True)
    return row


def proxy_parts(room, a, only):
    """proxy, or one of its parts: proxy.idle"""
    rows = []
    parts = [x for x in PROXY_PARTS
             if "proxy" in only or "proxy." + x in only]
    if not parts:
        return rows
    b = ProxyBench(room, a, report(rows))
    for part in parts:
        if part == "latency":
            d = Dockerd(room, name="dockerd-proxy").start()
            b.latency(d.socket)
            d.stop()
        else:
            getattr(b, part)()
    return rows


def plugin_parts(room, a, only):
    """All but the proxy's."""
    if PLUGIN_PARTS.isdisjoint(only):
        return []
    b = Bench(room, a)
    p = b.plugin()
    b.dockerd_asks(p.dockerd_name)
    request(p.socket, "POST", "/Plugin.Activate", b"")
    if "cpu" in only:
        b.cpu(p)
    for peer in a.peer:
        sock, pid = peer.rsplit(":", 1)
        for kind in ("list", "create", "mix"):
            got = b.load(sock, int(pid), kind)
            b.row(f"CPU a call, {kind}, {os.path.basename(sock)}", "—",
                  f"{got['cpu_us']:.1f} µs", f"p99 {got['p99_us']:.0f} µs")
    if "dockerd" in only:
        b.through_dockerd(p)
    if "durable" in only:
        b.durable(p, b.plugin(sync="group"))
    p.stop()
    if "scale" in only:
        b.scale()
    if "callgrind" in only:
        b.instructions()
    return b.rows


if __name__ == "__main__":
    sys.exit(main())
