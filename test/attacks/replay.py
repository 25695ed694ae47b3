#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""Replays corpus.jsonl against the plugin, with a real dockerd behind.

plugin   the AuthZReq that dockerd would make of the request, straight to the
         plugin's socket
dockerd  the request's bytes over mutual TLS as its user: what is forbidden must
         end in 403 of the plugin (or never reach it: `daemon`), what is
         allowed must not

The world: containers mine, mighty (red, but made by an admin with the host's
pid namespace), keeper (red, with the plugins' folder), linker (a link to other under the alias peer) and other
(blue); volumes red-vol, blue-vol and host-vol (red, but the host's /etc);
networks rednet and bluenet; images app (allowed) and evil.  /srv inside is a
folder of the test.
"""
import argparse
import base64
import ctypes
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from harness import Api, Dockerd, Lab, Plugin, Report, Room  # noqa: E402
from harness.room import die_with_parent  # noqa: E402
from harness.wire import Reader, authz_call, connect_tls  # noqa: E402

RED, BLUE = {"com.acme.team": "red"}, {"com.acme.team": "blue"}
SAFE = {"Memory": 67108864, "PidsLimit": 100, "ReadonlyRootfs": True,
        "NetworkMode": "none", "SecurityOpt": ["no-new-privileges"]}
SLEEP = {"Image": "app", "Cmd": ["sleep", "1000000"], "StopSignal": "KILL"}
CONTAINERS = {
    "mine": {**SLEEP, "Labels": RED, "User": "1000:1000",
             "Volumes": {"/anon": {}}, "HostConfig": SAFE},
    "other": {**SLEEP, "Labels": BLUE, "Volumes": {"/anon": {}}, "Env": ["TOKEN=of-blue"],
              "HostConfig": {"Binds": ["blue-vol:/data"]}},
    "mighty": {**SLEEP, "Labels": RED, "HostConfig": {
        **SAFE, "PidMode": "host", "Binds": ["/srv/blue:/b"]}},
    "hosty": {**SLEEP, "Labels": RED, "HostConfig": {"NetworkMode": "host"}},
    "guest": {**SLEEP, "Labels": RED, "HostConfig": {
        "NetworkMode": "container:mine"}},
    # what only an admin could make, before the plugin was there
    "keeper": {**SLEEP, "Labels": RED, "HostConfig": {
        **SAFE, "Binds": ["/run/docker/plugins:/p"]}},
    "linker": {**SLEEP, "Labels": RED, "HostConfig": {
        "Links": ["other:peer"]}},
}
VOLUMES = {"red-vol": {"Labels": RED}, "blue-vol": {"Labels": BLUE},
           "host-vol": {"Labels": RED, "Driver": "local", "DriverOpts": {
               "type": "none", "o": "bind", "device": "/etc"}}}
TAGS = {"registry.acme.com/red/app": "app", "registry.acme.com/blue/app": "evil",
        "registry.acme.com/redder/app": "evil",
        "registry.acme.com.evil.com/red/x": "evil",
        "evil.com/registry.acme.com/red/x": "evil"}
PAD = b"x" * 1100000
HIDDEN = ("authorization", "x-registry-auth", "x-registry-config")


class World:
    """What the cases take for granted, and its repair after each."""

    def __init__(self, d, api):
        self.d = d
        self.api = api
        self.vars = {}
        self.ids = {}
        self.n = 0

    def build(self):
        """All of it; what is there stays."""
        api = self.api
        for kind, extra in (("app", None), ("evil", {"etc/evil": b"evil\n"})):
            have = api("GET", f"/images/{kind}/json").json
            if have.get("Id") is None or \
                    have["Id"] != self.vars.get(kind.upper() + "_ID"):
                self.d.import_image(api, kind, extra=extra)
                have = api.must("GET", f"/images/{kind}/json")
            self.vars[kind.upper() + "_ID"] = have["Id"]
        for repo, kind in TAGS.items():
            api.must("POST", f"/images/{kind}/tag?repo={repo}&tag=1")
        there = {v["Name"] for v in api.must("GET", "/volumes")["Volumes"]}
        for name, body in VOLUMES.items():
            if name not in there:
                api.must("POST", "/volumes/create", {"Name": name, **body})
        nets = {n["Name"]: n["Id"] for n in api.must("GET", "/networks")}
        self.vars["HOSTNET_ID"] = nets["host"]
        for name, labels in (("rednet", RED), ("redback", RED),
                             ("bluenet", BLUE)):
            if name not in nets:
                api.must("POST", "/networks/create", {"Name": name,
                                                      "Labels": labels})
        if api.must("GET", "/info")["Swarm"]["LocalNodeState"] != "inactive":
            api.must("POST", "/swarm/leave?force=1")
        self.repair()

    def repair(self):
        """Removes what is new, makes anew what is gone or not running."""
        have = {}
        for c in self.api.must("GET", "/containers/json?all=1"):
            names = [n.strip("/") for n in c["Names"]]
            name = next((n for n in names if n in CONTAINERS), None)
            if name and c["State"] == "running" and \
                    self.ids.get(name, c["Id"]) == c["Id"]:
                have[name] = c["Id"]
            else:
                self.api("DELETE", f"/containers/{c['Id']}?force=1&v=1")
        if "linker" in have and "other" not in have:
            self.api("DELETE", "/containers/linker?force=1")
            del have["linker"]
        for name, body in CONTAINERS.items():
            if name not in have:
                have[name] = self.api.must(
                    "POST", f"/containers/create?name={name}", body)["Id"]
                self.api.must("POST", f"/containers/{name}/start")
        self.ids = have
        for name, short in (("mine", "MINE"), ("other", "OTHER"),
                            ("keeper", "KEEPER")):
            self.vars[short + "_ID"] = have[name]
            self.vars[short + "_SHORT"] = have[name][:12]
            self.vars[short + "_6"] = have[name][:6]
            mounts = self.api.must("GET", f"/containers/{name}/json")["Mounts"]
            self.vars[short + "_ANON"] = next(
                (m["Name"] for m in mounts if m["Destination"] == "/anon"), "")

    def prepare(self, case):
        """The case's own values, its setup made by the admin."""
        self.n += 1
        v = {**self.vars, "N": str(self.n)}
        for step in case.get("setup", ()):
            got = self.api.must(step["method"], step["path"],
                                step.get("body"))
            for key, member in step.get("save", {}).items():
                v[key] = got[member]
                v[key + "_SHORT"] = got[member][:12]
        return v


def bytes_of(case, v):
    """The request as it goes over the wire."""
    data = re.sub(rb"\{\{([A-Z0-9_]+)\}\}",
                  lambda m: v.get(m[1].decode(), m[0].decode())
                  .encode("latin1"), case["wire"].encode("latin1"))
    head, _, body = data.replace(b"{{PAD}}", PAD).partition(b"\r\n\r\n")
    if body.startswith(b"{{CHUNKED}}"):
        body = body[len(b"{{CHUNKED}}"):]
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    head = head.replace(b"{{LENGTH}}", str(len(body)).encode())
    return head + b"\r\n\r\n" + body


def is_json(content_type):
    """As Go's mime.ParseMediaType has it, for the types of the corpus."""
    kind, _, rest = content_type.partition(";")
    return kind.strip().lower() == "application/json" and \
        all(re.fullmatch(r'\s*[\w-]+=("[^"]*"|[\w.-]+)\s*', p)
            for p in rest.split(";") if p.strip())


def authz_request(data, pem, user="alice"):
    """The AuthZReq that dockerd 20.10 makes of these bytes."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    method, target = lines[0].split(b" ")[:2]
    first, headers, chunked = {}, {}, False
    for line in lines[1:]:
        k, _, x = line.partition(b":")
        name = "-".join(p.capitalize() for p in k.decode().split("-"))
        text = x.strip().decode("utf-8", "replace")
        first.setdefault(name, text)
        if name == "Transfer-Encoding":
            chunked = True
        elif name != "Host" and name.lower() not in HIDDEN:
            headers[name] = text
    if chunked:
        body = body.split(b"\r\n", 1)[1][:-len(b"\r\n0\r\n\r\n")]
    message = {"User": user, "UserAuthNMethod": "TLS",
               "RequestMethod": method.decode(),
               "RequestUri": target.decode("utf-8", "replace")}
    shown = is_json(first.get("Content-Type", "")) and len(body) < 1048576 \
        and b"#%" not in target
    if shown and body:
        message["RequestBody"] = base64.b64encode(body).decode()
    message["RequestHeaders"] = headers
    message["RequestPeerCertificates"] = [base64.b64encode(pem).decode()]
    return message


def answer_of(sock, data):
    """(status, text): the head and what is there of the body at once."""
    try:
        try:
            sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        r = Reader(sock)
        status = int(r.line().split(b" ")[1])
        length = 0
        line = r.line()
        while line:
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            line = r.line()
        has_body = status >= 400 and not data.startswith(b"HEAD ")
        body = r.exactly(min(length, 1000)) if has_body else b""
        return status, body.decode("utf-8", "replace").strip()
    except (OSError, ValueError, IndexError) as e:
        return 0, repr(e)
    finally:
        sock.close()


class Caller:
    """A process in dockerd's own namespaces that speaks as dockerd does: the
    plugin looks at host paths where its caller sees them."""

    def __init__(self, d, sock):
        self.proc = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--relay", sock,
             "--within", str(d.pid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, preexec_fn=die_with_parent)

    def __call__(self, message, kind="AuthZReq"):
        self.proc.stdin.write(json.dumps([message, kind]) + "\n")
        self.proc.stdin.flush()
        return json.loads(self.proc.stdout.readline())

    def end(self):
        self.proc.stdin.close()
        self.proc.wait()


def relay(sock, pid):
    # by setns, after all modules are there: inside may be no python
    for kind in ("net", "mnt"):
        with open(f"/proc/{pid}/ns/{kind}", "rb") as f:
            if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), 0) != 0:
                raise OSError(ctypes.get_errno(), "setns " + kind)
    for line in sys.stdin:
        print(json.dumps(authz_call(sock, *json.loads(line))), flush=True)
    return 0


class Replay:
    def __init__(self, room, args):
        self.r = Report(verbose=args.verbose)
        self.engine = args.engine
        self.lab = Lab(room("ca"))
        self.certs = {u: self.lab.client(u) for u in ("alice", "olga")}
        self.pems = {}
        for user, (cert, _) in self.certs.items():
            with open(cert, "rb") as f:
                self.pems[user] = f.read()
        srv = room.mkdir("srv")
        for folder in ("red/a", "red/a..b", "redder", "blue", "shared/ro"):
            os.makedirs(os.path.join(srv, folder))
        os.symlink("/etc", os.path.join(srv, "red", "link"))
        for to, name in (("/run/docker", "plug"), ("../blue", "tored"),
                         ("link", "chain"), ("..", "up"), ("loop", "loop"),
                         ("/no/such/place", "dead")):
            os.symlink(to, os.path.join(srv, "red", name))
        self.d = Dockerd(room, lab=self.lab, binds={srv: "/srv"},
                         engine=args.engine).start()
        self.world = World(self.d, Api(self.d.connect))
        self.world.build()
        with open(os.path.join(HERE, "policy.yaml"), encoding="utf-8") as f:
            policy = f.read()
        with open(os.path.join(HERE, "people.ldif"), encoding="utf-8") as f:
            ldif = f.read()
        self.plugin = Plugin(room, self.d.plugin_socket("portreeve"),
                             self.d.socket, policy, ldif).start()
        self.world.vars.update(CONFIG=self.plugin.folder,
                               DAEMON=self.d.folder, CERTS=room("ca"))
        self.caller = Caller(self.d, self.plugin.socket)
        room.push(self.caller.end)
        self.d.reload(authorization_plugins=["portreeve"])
        # from here on the admin, too, goes through the plugin
        self.world.api = Api(lambda: self.tls("olga"))
        done = self.world.api("GET", "/info")
        self.r.equal(done.status, 200, "the admin gets through: "
                     + (done.message if done.status != 200 else ""))

    def tls(self, user):
        return connect_tls(self.d.port, *self.certs[user], self.lab.ca, 20.0)

    def by_plugin(self, case):
        data = bytes_of(case, self.world.prepare(case))
        user = case.get("user", "alice")
        message = authz_request(data, self.pems[user], user)
        status, got = self.caller(message)
        allowed = status == 200 and got is not None and \
            got.get("Allow") is True
        if allowed:
            # it came to nothing: dockerd's answer to a handler's error
            self.caller(message, "AuthZRes")
        self.r.check(status == 200 and got is not None and
                     allowed == (case["expect"] == "allow") and
                     case.get("says", "") in got.get("Msg", ""),
                     f"plugin {case['id']} {case['expect']}: {case['title']}",
                     json.dumps(got))
        if case.get("setup"):
            self.world.repair()

    def by_dockerd(self, case):
        data = bytes_of(case, self.world.prepare(case))
        status, text = answer_of(self.tls(case.get("user", "alice")), data)
        refused = status == 403 and (
            "authorization denied by plugin portreeve: " in text
            or data.startswith(b"HEAD "))
        gone = case.get("gone")
        if gone is not None and gone <= float(self.engine or 20.10):
            ok = status == 404  # no such route any more: nobody is asked
        elif case.get("daemon"):
            ok = status >= 300
        elif case["expect"] == "deny":
            ok = refused
        else:
            ok = status not in (0, 403) and (
                status < 500 or case.get("offline", False))
        self.r.check(ok, f"dockerd {case['id']} {case['expect']}: "
                     f"{case['title']}", f"{status} {text}")
        if case["expect"] == "deny" and not ok:
            self.world.build()
        elif not refused or case.get("setup"):
            self.world.repair()


def main():
    a = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.
                                RawDescriptionHelpFormatter)
    a.add_argument("--mode", choices=["plugin", "dockerd", "both"],
                   default="both")
    a.add_argument("--id", help="a comma-separated list, or beginnings")
    a.add_argument("--corpus", default=os.path.join(HERE, "corpus.jsonl"))
    a.add_argument("--engine", choices=["26.1", "28.5"],
                   help="a newer one than this machine's")
    a.add_argument("--relay", help=argparse.SUPPRESS)
    a.add_argument("--within", help=argparse.SUPPRESS)
    a.add_argument("-v", "--verbose", action="store_true")
    a = a.parse_args()
    if a.relay:
        return relay(a.relay, a.within)
    with open(a.corpus, encoding="ascii") as f:
        cases = [json.loads(line) for line in f]
    if a.id:
        cases = [c for c in cases if c["id"].startswith(tuple(
            a.id.split(",")))]
    with Room("attacks") as room:
        run = Replay(room, a)
        run.r.check(subprocess.run([
            sys.executable, os.path.join(HERE, "generate.py"), "--check"],
            check=False).returncode == 0,
            "corpus.jsonl is what generate.py makes")
        for case in cases:
            if a.mode != "dockerd" and not case.get("daemon"):
                run.by_plugin(case)
        for case in cases:
            if a.mode != "plugin":
                run.by_dockerd(case)
        run.r.check(run.plugin.proc.poll() is None, "the plugin still runs",
                    run.plugin.tail())
        run.r.check(run.d.answers(), "dockerd still answers", run.d.tail())
        run.d.stop()
        run.r.check(run.plugin.stop() == 0, "the plugin ends well",
                    run.plugin.tail())
        return run.r.end()


if __name__ == "__main__":
    sys.exit(main())
