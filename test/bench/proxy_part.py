# SPDX-License-Identifier: Apache-2.0
"""The proxy's part of make bench: beside nginx and haproxy, in one run."""
import json
import os
import statistics
import subprocess
import sys

from fronts import Fronts, forget_peak, memory
from harness import BUILD, Lab
from harness.room import die_with_parent

GIB = 1 << 30
LIST = "/v1.41/containers/json"
SAVE = "/v1.41/images/get?names=busybox"
LOAD = "/v1.41/images/load"
IDLE = 10000
med = statistics.median


class ProxyBench:
    """row(what, aim, value, detail) takes each line of the table."""

    def __init__(self, room, a, row):
        self.room, self.a, self.row = room, a, row
        self.lab = Lab(room.mkdir("proxy-ca"))
        self.cert, self.key = self.lab.client("alice")
        self.fronts = Fronts(room, self.lab)
        self.docker = self.fronts.origin(GIB)

    def load(self, front, kind="get", conns=16, seconds=None, path=LIST,
             sock=None, size=GIB):
        argv = [os.path.join(BUILD, "bench", "tls_load"),
                "--kind", kind, "--conns", str(conns), "--path", path,
                "--bytes", str(size),
                "--seconds", str(seconds or self.a.seconds)]
        if sock:
            argv += ["--sock", sock]
        else:
            argv += ["--port", str(front.port), "--pid", str(front.pid),
                     "--cert", self.cert, "--key", self.key,
                     "--ca", self.lab.ca]
        done = subprocess.run(argv, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            sys.exit(f"{done.stderr.strip()}: {argv}")
        got = json.loads(done.stdout)
        if got["errors"] or got["refused"]:
            print(f"  ! {kind}: {got['errors']} errors, {got['refused']} "
                  f"refused of {got['calls']}: not a fair figure")
        return got

    def rounds(self, fronts, **words):
        """{name: [result of each round]}, alternating."""
        seen = {name: [] for name in fronts}
        for _ in range(self.a.rounds):
            for name, front in fronts.items():
                seen[name].append(self.load(front, **words))
        return seen

    def three(self, docker, big=False):
        return {"nginx": self.fronts.nginx(docker, big),
                "haproxy": self.fronts.haproxy(docker, big),
                "ours": self.fronts.ours(docker)}

    def ratio(self, what, aim, seen, key, best, text, rivals=("nginx",
                                                              "haproxy")):
        """Ours to the better of the rivals, the median of the rounds."""
        ratios = [o[key] / best(seen[r][i][key] for r in rivals)
                  for i, o in enumerate(seen["ours"])]
        self.row(what, aim, f"{med(ratios):.2f} ×", ", ".join(
            f"{name} {text(med(x[key] for x in seen[name]))}"
            for name in ("ours", *rivals)))

    def small(self):
        fronts = self.three(self.docker)
        fronts["bare"] = self.fronts.bare()
        for conns in (16, 64):
            seen = self.rounds(fronts, conns=conns)
            self.ratio(f"proxy: requests a second, {conns} connections",
                       "≥ 1.1 ×", seen, "per_second", max,
                       lambda x: f"{x:,.0f}")
            self.ratio(f"proxy: CPU a request, {conns} connections",
                       "≤ 0.9 ×", seen, "cpu_us", min,
                       lambda x: f"{x:.1f} µs")
            self.ratio(f"proxy: requests a second to bare TLS, {conns}",
                       "≥ 0.6 ×", seen, "per_second", max,
                       lambda x: f"{x:,.0f}", rivals=("bare",))
        for f in fronts.values():
            f.end()

    def shakes(self):
        fronts = {"nginx": self.fronts.nginx(self.docker),
                  "ours": self.fronts.ours(self.docker)}
        seen = self.rounds(fronts, kind="handshake", conns=4)
        self.ratio("proxy: CPU of a full handshake", "≤ 0.85 ×", seen,
                   "cpu_us", min, lambda x: f"{x:.0f} µs", rivals=("nginx",))
        for f in fronts.values():
            f.end()

    def bodies(self):
        fronts = self.three(self.docker, big=True)
        for kind, path in (("down", SAVE), ("up", LOAD)):
            small = {}
            for name, f in fronts.items():
                self.load(f, path=LIST, seconds=0.2)
                forget_peak(f.pid)
                small[name] = memory(f.pid)
            seen = self.rounds(fronts, kind=kind, path=path, conns=1)
            for got in seen.values():
                for x in got:
                    x["gib_s"] = x["bytes"] / GIB / x["wall_s"]
            self.ratio(f"proxy: CPU of 1 GiB {kind}", "≤ 0.9 ×", seen,
                       "cpu_s", min, lambda x: f"{x:.2f} s")
            self.ratio(f"proxy: throughput of 1 GiB {kind}", "≥ 1.0 ×", seen,
                       "gib_s", max, lambda x: f"{x:.2f} GiB/s")
            grown = {n: max(x["peak_kib"] for x in got) - small[n]
                     for n, got in seen.items()}
            self.row(f"proxy: RSS, growth by 1 GiB {kind}", "≤ 1 MiB",
                     f"{grown['ours'] / 1024:.1f} MiB",
                     f"haproxy {grown['haproxy'] / 1024:.1f}, nginx "
                     f"{grown['nginx'] / 1024:.1f} MiB")
        for f in fronts.values():
            f.end()

    def latency(self, docker):
        """What each adds to a GET /containers/json of a real dockerd."""
        fronts = self.three(docker)
        added = {name: [] for name in fronts}
        direct = []
        for _ in range(self.a.rounds):
            bare = self.load(None, sock=docker, conns=1)["p50_us"]
            direct.append(bare)
            for name, f in fronts.items():
                added[name].append(self.load(f, conns=1)["p50_us"] - bare)
        ratios = [o / h for o, h in zip(added["ours"], added["haproxy"])]
        self.row("proxy: added to GET /containers/json of dockerd",
                 "≤ 1.0 ×", f"{med(ratios):.2f} ×", ", ".join(
                     f"{n} {med(x):.0f} µs" for n, x in added.items())
                 + f" on {med(direct):.0f} µs")
        for f in fronts.values():
            f.end()

    def crowd(self, front, **kinds):
        """Clients that stay until the process that is returned ends."""
        argv = [os.path.join(BUILD, "bench", "crowd"),
                "--port", str(front.port), "--cert", self.cert,
                "--key", self.key, "--ca", self.lab.ca, "--path", LIST,
                "--big", SAVE]
        for name, n in kinds.items():
            argv += ["--" + name, str(n)]
        proc = subprocess.Popen(argv, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True,
                                preexec_fn=die_with_parent)
        self.room.push(proc.kill)
        line = proc.stdout.readline()
        if not line:
            sys.exit("crowd: it ended")
        return proc

    @staticmethod
    def disperse(proc):
        out, _ = proc.communicate("")
        return json.loads(out)["cut"]

    def idle(self):
        each, whole = {}, {}
        for name, f in self.three(self.docker).items():
            self.load(f, seconds=0.2)
            before = memory(f.pid)
            proc = self.crowd(f, idle=IDLE)
            whole[name] = memory(f.pid)
            each[name] = (whole[name] - before) / IDLE
            if self.disperse(proc):
                print(f"  ! {name} did not keep them all")
            f.end()
        self.row(f"proxy: memory of an idle connection, of {IDLE:,}",
                 "≤ 20 KiB", f"{each['ours']:.1f} KiB",
                 f"haproxy {each['haproxy']:.1f}, nginx {each['nginx']:.1f}")
        self.row(f"proxy: RSS with {IDLE:,} idle connections", "≤ 220 MiB",
                 f"{whole['ours'] / 1024:.0f} MiB",
                 f"haproxy {whole['haproxy'] / 1024:.0f}, nginx "
                 f"{whole['nginx'] / 1024:.0f}")

    def siege(self):
        """A client that behaves, alone and among many that do not."""
        f = self.fronts.ours(self.docker)
        quiet = [self.load(f, conns=1) for _ in range(self.a.rounds)]
        proc = self.crowd(f, idle=IDLE, heads=500, bodies=200, readers=100)
        loud = [self.load(f, conns=1) for _ in range(self.a.rounds)]
        kib = memory(f.pid)
        self.disperse(proc)
        a, b = (med(x["p99_us"] for x in seen) for seen in (loud, quiet))
        bad = sum(x["errors"] + x["refused"] for x in loud)
        self.row(f"proxy: p99 beside {IDLE:,} idle and 800 slow ones",
                 "≤ 3 ×", f"{a / b:.2f} ×",
                 f"{a:.0f} µs to {b:.0f} µs; {bad} errors; RSS "
                 f"{kib / 1024:.0f} MiB")
        f.end()
