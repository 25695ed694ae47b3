#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""podman's Docker-compatible service behind the proxy: what docker's command
does there, of two teams and an admin.  Each row of the table in
docs/engines.md is asked again and compared with it.

  podman.py            asks, compares with docs/engines.md
  podman.py --write    writes docs/engines.md
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "integration"))
import clients_kit as kit  # noqa: E402
from harness import Podman, ROOT  # noqa: E402

DOC = os.path.join(ROOT, "docs", "engines.md")
BEGIN, END = "<!-- rows: test/engines/podman.py -->\n", "<!-- end -->\n"


class Rows:
    """Answers in words that are the same each time."""

    def __init__(self, site):
        self.s = site
        self.rows = []

    def ask(self, what, line, says="", who="olga", **kw):
        """A command: does it what dockerd's does?"""
        status, out, text = self.s.run(who, "docker", *line.split(), **kw)
        if "authorization denied by portreeve: " in text:
            why = text.split("by portreeve: ")[1]
            answer = "denied: " + re.sub(
                r"^.*? may not [\w.-]+( in dev)?: | \[.*| decision .*", "",
                why.splitlines()[0])
        elif status != 0:
            answer = "fails: " + (text.strip().splitlines() or [""])[-1]
        elif says not in out:
            answer = "answers otherwise"
        else:
            answer = "works"
        answer = re.sub(r"\b[0-9a-f]{12,64}\b", "ID", answer)
        answer = re.sub(r"/tmp/\S+", "PATH", answer).replace("|", "/")
        self.rows.append((what, answer[:160]))


def life(a):
    ask = a.ask
    ask("version", "version", "4.3")
    ask("info", "info")
    ask("run", "run --rm busybox echo hello", "hello")
    ask("run: end of stdin", "run -i --rm busybox wc -c", "4000",
        data=b"x" * 4000)
    ask("run -d", "run -d --name web busybox sleep 1000")
    ask("ps", "ps --format {{.Names}}", "web")
    ask("labels of owner and phase",
        "inspect -f {{.Config.Labels}} web", "com.acme.team:ops")
    ask("exec", "exec web echo inside", "inside")
    ask("exec -i", "exec -i web cat", "typed", data=b"typed\n")
    ask("exec: status", "exec web true")
    ask("logs", "logs web")
    ask("top", "top web", "sleep")
    ask("stats --no-stream", "stats --no-stream web", "web")
    ask("diff", "diff web")
    ask("cp in", "cp f web:/tmp/f")
    ask("cp out", "cp web:/tmp/f back")
    ask("rename", "rename web web2")
    ask("pause", "pause web2")
    ask("unpause", "unpause web2")
    ask("update --memory", "update --memory 64m --memory-swap 64m web2")
    ask("restart", "restart -t 0 web2")
    ask("stop", "stop -t 0 web2")
    ask("start", "start web2")
    ask("kill", "kill web2")
    ask("wait", "wait web2", "137")
    ask("commit", "commit web2 localhost/pay/snap:1")
    ask("tag", "tag localhost/pay/snap:1 localhost/pay/snap:2")
    ask("rmi", "rmi localhost/pay/snap:1 localhost/pay/snap:2")


def objects(a):
    ask = a.ask
    ask("images", "images --format {{.Repository}}", "busybox")
    ask("volume create", "volume create v1", "v1")
    ask("volume ls", "volume ls -q", "v1")
    ask("a volume in a container", "run --rm -v v1:/v busybox touch /v/x")
    ask("volume rm", "volume rm v1")
    ask("network create", "network create n1")
    ask("network ls", "network ls --format {{.Name}}", "n1")
    ask("a network of a container", "run --rm --network n1 busybox true")
    ask("network rm", "network rm n1")
    ask("build", "build -t localhost/pay/app:1 ctx", "localhost/pay/app:1")
    ask("save", "save -o saved.tar busybox", who="olga")
    ask("load", "load -i saved.tar", who="olga")
    ask("events", "events --since 1h --until 1s --filter event=create "
        "--format {{.Actor.Attributes.name}}", "web", who="olga")
    ask("events, by team", "events --since 1h --until 1s", "web",
        who="alice")
    ask("system df", "system df", "Containers", who="olga")
    ask("container prune", "container prune -f", who="olga")
    ask("swarm", "node ls", who="olga")


def refused(a):
    ask = a.ask
    ask("another team's container: exec", "exec web2 id", who="mila")
    ask("… rm", "rm -f web2", who="mila")
    ask("a developer: run", "run --rm busybox true", who="alice")
    ask("… run --privileged", "run --rm --privileged busybox true",
        who="alice")
    ask("… run -v /:/host", "run --rm -v /:/host busybox true",
        who="alice")
    ask("rm -f", "rm -f web2")


def table(rows):
    return "| what | through the proxy |\n| --- | --- |\n" + "".join(
        f"| {a} | {b} |\n" for a, b in rows)


def main():
    with kit.Room("podman") as room:
        site = kit.Site(room, door="proxy", daemon=Podman)
        room.write("work/f", "data\n")
        kit.context(site)
        a = Rows(site)
        for part in (life, refused, objects):
            part(a)
        with open(DOC, encoding="utf-8") as f:
            text = f.read()
        before, _, rest = text.partition(BEGIN)
        old, _, after = rest.partition(END)
        if "--write" in sys.argv:
            with open(DOC, "w", encoding="utf-8") as f:
                f.write(before + BEGIN + table(a.rows) + END + after)
        was = old.splitlines()[2:]
        site.r.equal(len(was), len(a.rows), "a row for each question")
        for row, (what, answer) in zip(was, a.rows):
            site.r.equal(f"| {what} | {answer} |", row,
                         "docs/engines.md: " + what)
        return site.end()


if __name__ == "__main__":
    sys.exit(main())
