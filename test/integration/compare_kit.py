# SPDX-License-Identifier: Apache-2.0
"""The docker command at a daemon, and through portreeve-proxy at its twin.

Two dockerds of one kind begin empty.  Each row of compare_commands.py runs at
both at once, directly as root at one and as an admin through the proxy at the
other: status, output and errors must be the same, but for what is another one
each time (ids, times, addresses of cards) and the labels that the proxy puts
on what is made through it.
"""
import fcntl
import io
import json
import os
import re
import select
import shlex
import struct
import subprocess
import sys
import tarfile
import termios
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Dockerd, Lab, Proxy, Report, Room, engines  # noqa: E402
from harness.people import ldif  # noqa: E402
import compare_commands as table  # noqa: E402

POLICY = """\
version: 1
labels: {team: com.acme.team, phase: com.acme.phase}
teams:
  ops: {ldap: ["cn=ops,ou=groups,dc=acme,dc=com"]}
hosts: {"*": [dev]}
phases: {dev: {audit: metadata}}
roles:
  admin: {allow: {"*": ["*"]}}
grants:
  - {id: ops, team: ops, role: admin, phases: ["*"], owner: any, profile: unrestricted}
"""
PEOPLE = ldif({"olga": "ops"})
PATIENCE = 30


class Side:
    """One of the two, with a folder of its own to work in."""

    def __init__(self, room, name, engine):
        self.room = room
        self.since = ""
        self.work = room.mkdir(name, "work")
        self.d = Dockerd(room, name=name, engine=engine,
                         binds={room.mkdir(name, "srv"): "/srv"}).start()
        self.name = name
        for path, content in table.FILES.items():
            room.write(os.path.join(name, "work", path), content)
        os.mkdir(room(name, "srv", "shared"))
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(("DOCKER_", "BUILDKIT_"))}
        self.env.update(
            PATH="/usr/bin:/bin:/usr/sbin:/sbin", HOME=self.work,
            BUILDX_GIT_INFO="0", NO_COLOR="1",
            DOCKER_CONFIG=room.mkdir(name, "config"), TERM="xterm",
            DOCKER_BUILDKIT="0", DOCKER_HOST="unix://" + self.d.socket)
        if engine is not None:
            self.client_of(engine)

    def client_of(self, engine):
        """`docker` is the engine's, in the folder where it is called."""
        argv = engines.client(engine, [self.room.path], ["env", "-C"])
        path = self.room.write(
            os.path.join(self.name, "bin", "docker"), "#!/bin/sh\nexec "
            + shlex.join(argv) + ' "$PWD" docker "$@"\n', mode=0o755)
        self.env["PATH"] = os.path.dirname(path) + ":" + self.env["PATH"]

    def argv(self, row):
        line = row.line.replace("{since}", self.since).replace(
            "{now}", f"{time.time():.9f}")
        argv = ["sh", "-c", line[3:]] if line.startswith("sh:") \
            else ["docker", *shlex.split(line)]
        return ["env", "-C", self.work, *argv]

    def run(self, row):
        """(status, stdout, stderr) as they came."""
        if row.tty is not None:
            return self.at_terminal(row)
        p = subprocess.Popen(
            self.argv(row), env=self.env, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
            stdin=subprocess.PIPE if row.data is not None
            else subprocess.DEVNULL)
        try:
            out, err = p.communicate(row.data, PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, 9)
            out, err = p.communicate()
            err += b"\n(hung)"
        return p.returncode, out, err

    def at_terminal(self, row):
        fd, its = os.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 33, 99, 0, 0))
        p = subprocess.Popen(["setsid", "-c", *self.argv(row)], env=self.env,
                             stdin=its, stdout=its, stderr=its)
        os.close(its)
        try:
            shown = talk(fd, row.tty)
            return p.wait(PATIENCE), shown, b""
        except subprocess.TimeoutExpired:
            p.kill()
            return p.wait(), shown, b"(hung)"
        finally:
            os.close(fd)


def talk(fd, script):
    """Waits for each text, types its answer; all that was shown."""
    shown, mark = b"", 0
    script = list(script)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if script and script[0][0].encode() in shown[mark:]:
            wanted = script[0][0].encode()
            mark = shown.index(wanted, mark) + len(wanted)
            os.write(fd, script.pop(0)[1].encode())
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            shown += os.read(fd, 65536)
        except OSError:  # the other side of the terminal is closed
            break
    return shown


# ------------------------------------------------------- what is compared

OURS = re.compile(r"com\.acme\.(?:team|phase)")
NORMAL = [(re.compile(a), b) for a, b in (
    (r"\x1b\[[0-9;?]*[a-zA-Z]|\^C", ""),
    (r'"?com\.acme\.(?:team|phase)"?[=:] ?"?\w+"?(?:,(?: |(?=\S)))?', ""),
    (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<daemon>"),
    (r"\b[0-9a-f]{64}\b", "<id>"),
    (r"\b[0-9a-f]{12}\b", "<id>"),
    (r"sha256:[0-9a-f]+", "sha256:<id>"),
    (r"\b[0-9a-z]{25}\b", "<swarm id>"),
    (r"SWMTKN-[0-9a-z-]+", "<token>"),
    (r"\b(?:[0-9A-Z]{4}:){11}[0-9A-Z]{4}\b", "<daemon>"),
    (r"^ *Runtimes: .*", "Runtimes:"),  # in no order
    (r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", "<card>"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?"
     r"(?:Z| ?[+-]\d\d:?\d\d)?(?: [A-Z]{3,4})?", "<time>"),
    (r"(?:Less than a second|About an? \w+|\d+ (?:second|minute)s?)"
     r"(?: ago)?", "<ago>"),
    (r"docker-import-\d+", "<folder>"),
    (r"^Step \d+/\d+ ", "Step "),
    (r"^(?:(?:~|/) # )+", ""),  # a prompt may be drawn again
    (r"^Labels:$", ""),
    (r"[ \t]+", " "),
)]
# of the steps that label a build, and what comes with any step
STEPS = re.compile(r"error waiting for container: context canceled|"
                   r"LABEL com\.acme\.|^ ---> |^Removing intermediate|"
                   r"\(nop\) *LABEL$")
LOOSE = {"Pid", "Created", "NEventsListener", "NFd", "NGoroutines",
         "timeNano", "time", "HostConfigHash", "Index"}


def same_json(x):
    """JSON without what differs each time; labels none and empty are one."""
    if isinstance(x, list):
        return [same_json(y) for y in x]
    if not isinstance(x, dict):
        return x
    out = {}
    for k, v in x.items():
        if k in LOOSE:
            v = "<any>"
        elif not OURS.fullmatch(k):
            v = same_json(v)
        else:
            continue
        if v != {} or k != "Labels":
            out[k] = v
    return {k: v for k, v in out.items() if k != "Labels" or v}


def members(data):
    """What a tar holds: names and sizes; those of JSON bear the ids."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as t:
            return "\n".join(sorted(
                f"{m.name} {m.type} " + ("" if m.name.endswith("json")
                                         or "/sha256/" in m.name
                                         else str(m.size)) for m in t))
    except tarfile.TarError as e:
        return f"no tar: {e}"


def normal(row, side, data, out=True):
    """Text in the form in which two sides are compared."""
    if row.tar and out and data:
        text = members(data)
    else:
        text = data.decode("utf-8", "replace").replace("\r", "")
    text = text.replace(side.room(side.name), "<room>").replace(
        f"{os.path.basename(side.room.path)}-{side.name}", "<group>")
    lines = []
    for chunk in ([text] if text[:1] in "[{" else text.splitlines()):
        try:
            chunk = json.dumps(same_json(json.loads(chunk)), indent=1,
                               sort_keys=True) if chunk[:1] in "[{" else chunk
        except ValueError:
            pass
        lines += [x for x in chunk.splitlines() if not STEPS.search(x)]
    for i, line in enumerate(lines):
        for pattern, to in NORMAL:
            line = pattern.sub(to, line)
        if row.digits:
            line = re.sub(r"\d+", "<n>", line)
        if row.named is not None:
            line = re.sub(rf"\b{row.named}\b", "<id>", line)
        lines[i] = line.strip()
    # what is typed is shown once, or twice, or behind a prompt
    typed = [t.strip() for _, t in row.tty or () if t.strip(" \n\x03\x04")]
    lines = [x for x in lines if x and not any(t in x for t in typed)]
    return "\n".join(sorted(lines) if row.sort or row.tar else lines)


class Comparison:
    def __init__(self, room, engine, report):
        self.r = report
        self.sides = [Side(room, n, engine) for n in ("direct", "through")]
        lab = Lab(room("ca"))
        lab.client("olga")
        self.proxy = Proxy(room, self.sides[1].d.socket, lab, POLICY, PEOPLE,
                           sync="none").start()
        env = self.proxy.docker_env("olga")
        self.sides[1].env.update({k: env[k] for k in (
            "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")})

    def both(self, row):
        got = [None, None]

        def one(i):
            got[i] = self.sides[i].run(row)
        t = threading.Thread(target=one, args=(1,))
        t.start()
        one(0)
        t.join()
        return got

    def row(self, row):
        (s0, o0, e0), (s1, o1, e1) = self.both(row)
        if row.differs:
            text = e1.decode("utf-8", "replace")
            return self.r.check(
                s0 != 0 and s1 != 0 and
                "authorization denied by portreeve" in text,
                f"docker {row.line} (differs, {row.differs})",
                f"{s0} {e0!r}, {s1} {e1!r}")
        want = [s0, normal(row, self.sides[0], o0),
                normal(row, self.sides[0], e0, False)]
        got = [s1, normal(row, self.sides[1], o1),
               normal(row, self.sides[1], e1, False)]
        if row.status:
            want[1:], got[1:] = [], []
        return self.r.check(got == want, f"docker {row.line} ({s0})",
                            difference(want, got))

    def run(self, newer):
        for group in table.NEWER if newer else table.GROUPS:
            for side in self.sides:
                side.since = f"{time.time():.9f}"
            for row in group:
                self.row(row)
            if self.proxy.proc.poll() is not None:
                self.r.check(False, "the proxy lives", self.proxy.tail())
                return


def difference(want, got):
    out = []
    for what, a, b in zip(("status", "stdout", "stderr"), want, got):
        if a == b:
            continue
        a, b = str(a).splitlines(), str(b).splitlines()
        for i in range(max(len(a), len(b))):
            x, y = (v[i] if i < len(v) else "(nothing)" for v in (a, b))
            if x != y:
                out.append(f"{what}: directly {x[:300]!r}\n"
                           f"     through  {y[:300]!r}")
                break
    return "\n     ".join(out)


def main(engine=None):
    report = Report(verbose="-v" in sys.argv)
    with Room("compare") as room:
        c = Comparison(room, engine, report)
        c.run(engine is not None)
        report.equal(c.proxy.stop(), 0, "the proxy ends well")
        if report.failed:
            print(c.proxy.tail())
    return report.end()
