#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""The inventory against a real dockerd that asks a plugin about every call:
references as the daemon resolves them, events, nonces, host paths."""
import json
import os
import queue
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingUnixStreamServer

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
from harness import Api, Dockerd, Report, Room  # noqa: E402
from harness.room import wait_until  # noqa: E402

TOOL = os.environ.get("INVENTORY_TOOL") or os.path.join(
    TOP, os.environ.get("PORTREEVE_BUILD", "build"), "tools", "inventory")
HEADER = "X-Portreeve-Lookup"


class Tool:
    """The C program; ask() may be called from several threads."""

    def __init__(self, room, socket, ledger):
        self.proc = subprocess.Popen([TOOL, socket, ledger], text=True,
                                     stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE)
        self.lock = threading.Lock()
        self.waiting = {}
        self.stopped = False
        self.n = 0
        threading.Thread(target=self.read, daemon=True).start()
        room.push(self.stop)

    def read(self):
        for line in self.proc.stdout:
            answer = json.loads(line)
            self.waiting.pop(answer.pop("n")).put(answer)

    def ask(self, *words):
        box = queue.Queue()
        with self.lock:
            self.n += 1
            self.waiting[self.n] = box
            self.proc.stdin.write("\t".join([str(self.n), *words]) + "\n")
            self.proc.stdin.flush()
        return box.get(timeout=60)

    def stop(self):
        if self.proc.poll() is None:
            self.stopped = True
            self.proc.stdin.close()
            self.proc.wait(30)
        return self.proc.returncode


class Plugin(BaseHTTPRequestHandler):
    """Allows everybody, but asks the tool about each nonce that it sees."""
    protocol_version = "HTTP/1.1"
    tool = None
    seen = []  # (stage, nonce, uri, ours)

    def judge(self, stage, call):
        uri = call.get("RequestUri", "")
        nonce = call.get("RequestHeaders", {}).get(HEADER)
        if nonce is None:
            return True
        if Plugin.tool.stopped:
            return False
        ours = Plugin.tool.ask(
            "nonce", nonce, call["RequestMethod"], uri, stage,
            "body" if call.get("RequestBody") else "empty")["ours"]
        Plugin.seen.append((stage, nonce, uri, ours))
        return ours

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/Plugin.Activate":
            answer = {"Implements": ["authz"]}
        else:
            stage = "req" if self.path.endswith("Req") else "res"
            answer = {"Allow": self.judge(stage, json.loads(body)),
                      "Msg": "no nonce of ours"}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass

    def address_string(self):
        return "dockerd"


class Server(ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


def begin(room, report):
    dockerd = Dockerd(room, plugins=["recorder"],
                      binds={room.mkdir("srv"): "/srv"})
    server = Server(dockerd.plugin_socket("recorder"), Plugin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    room.push(server.shutdown)
    # the tool is there before the daemon is
    Plugin.tool = tool = Tool(room, dockerd.socket, room("ledger.db"))
    got = tool.ask("get", "container", "web")
    report.check(got["presence"] == "unknown" and "dockerd at" in got["why"],
                 "without a daemon nothing is known", got)
    dockerd.start()
    report.equal(tool.ask("ready"), {"ready": True},
                 "the event stream stands once dockerd is there")
    api = Api(dockerd.connect)
    dockerd.import_image(api)
    return dockerd, tool, api


def create(api, name, **body):
    spec = {"Image": "busybox", "Cmd": ["sleep", "1000"],
            "HostConfig": {"NetworkMode": "none"}, **body}
    query = f"?name={name}" if name else ""
    return api.must("POST", "/containers/create" + query, spec)["Id"]


def expect(report, tool, kind, ref, sentence, **want):
    got = tool.ask("get", kind, ref)
    got = {k: got.get(k) for k in want}
    return report.equal(got, want, sentence)


def containers(report, tool, api):
    web = create(api, "web", Labels={"a": "b"})
    ident = dict(presence="present", id=web, name="web", ambiguous=False)
    expect(report, tool, "container", web, "a container by its full id",
           by="id", labels=1, running=False, **ident)
    expect(report, tool, "container", "web", "by its name", by="name", **ident)
    expect(report, tool, "container", web[:12], "by twelve digits", by="prefix",
           **ident)
    expect(report, tool, "container", web[:11], "by eleven: refused", by="prefix",
           ambiguous=True, id=web)
    expect(report, tool, "container", "Web", "names keep their case",
           presence="absent")
    expect(report, tool, "container", web.upper(), "and so do ids",
           presence="absent")
    for ref in ("a/b", "web/x", ".", ".."):
        expect(report, tool, "container", ref, f"{ref!r} is not asked",
               presence="unknown")
    expect(report, tool, "container", "linker/al", "an alias of a link is refused",
           presence="unknown", ambiguous=True)
    short = web[:13]
    shadow = create(api, short)
    expect(report, tool, "container", short,
           "a name that begins another's id shadows it, and is said to",
           by="name", id=shadow, ambiguous=True)
    api.must("DELETE", f"/containers/{shadow}")
    expect(report, tool, "container", short, "and no longer when it is gone",
           by="prefix", id=web, ambiguous=False)
    # a name of hex digits that begins nobody's id
    free = next(f"{i:04x}" for i in range(65536) if web[:4] != f"{i:04x}")
    hexed = create(api, free)
    expect(report, tool, "container", free, "a hex name alone is a name",
           by="name", id=hexed, ambiguous=False)
    fake = "f" * 64 if web[0] != "f" else "e" * 64
    named = create(api, fake)
    expect(report, tool, "container", fake, "a name of 64 digits is a name",
           by="name", id=named)
    for c in (hexed, named):
        api.must("DELETE", f"/containers/{c}")
    return web


def networks(report, tool, api):
    def make(name):
        return api.must("POST", "/networks/create",
                        {"Name": name, "CheckDuplicate": False,
                         "Labels": {"x": "y"}})["Id"]
    net = make("front")
    expect(report, tool, "network", "front", "a network by name", by="name",
           id=net, labels=1, builtin=False, driver="bridge", ambiguous=False)
    expect(report, tool, "network", net, "by id", by="id", id=net)
    expect(report, tool, "network", net[:12], "by prefix", by="prefix", id=net,
           ambiguous=False)
    expect(report, tool, "network", net[:8], "by a short prefix: refused",
           by="prefix", ambiguous=True)
    for name in ("bridge", "host", "none"):
        expect(report, tool, "network", name, f"{name} is the daemon's own",
               by="name", builtin=True)
    twin = make("front")
    expect(report, tool, "network", "front", "two of a name: cannot tell",
           presence="unknown")
    api.must("DELETE", f"/networks/{twin}")
    expect(report, tool, "network", "front", "one again", id=net)
    shadow = make(net[:14])
    expect(report, tool, "network", net[:14], "a name like another's id is said",
           by="name", id=shadow, ambiguous=True)
    api.must("DELETE", f"/networks/{shadow}")
    expect(report, tool, "network", "nowhere", "no such network",
           presence="absent")
    api.must("DELETE", f"/networks/{net}")


def images(report, tool, api):
    got = tool.ask("get", "image", "busybox")
    image = got["id"]
    report.check(got["by"] == "name" and image.startswith("sha256:"),
                 "an image by name", got)
    digits = image[7:]
    for ref in ("busybox:latest", "docker.io/library/busybox", "library/busybox",
                "index.docker.io/library/busybox:latest", "docker.io/busybox"):
        expect(report, tool, "image", ref, f"as {ref}", by="name", id=image,
               ambiguous=False)
    expect(report, tool, "image", image, "by id", by="id", id=image)
    expect(report, tool, "image", digits, "by id without sha256:", by="id",
           id=image)
    expect(report, tool, "image", digits[:12], "by twelve digits", by="prefix",
           id=image, ambiguous=False)
    expect(report, tool, "image", digits[:6], "by six: refused", by="prefix",
           ambiguous=True)
    expect(report, tool, "image", "busybox:other", "another tag is absent",
           presence="absent")
    expect(report, tool, "image", "BusyBox", "upper case is no reference",
           presence="unknown")
    api.must("POST", "/commit?container=web&repo=other")
    other = tool.ask("get", "image", "other")["id"]
    api.must("POST", f"/images/other/tag?repo={digits[:13]}")
    expect(report, tool, "image", digits[:13],
           "a tag that begins another image's id is said", by="name", id=other,
           ambiguous=True)


def volumes(report, tool, api, dockerd):
    api.must("POST", "/volumes/create", {"Name": "data", "Labels": {"a": "b"}})
    got = tool.ask("get", "volume", "data")
    report.check(got["presence"] == "present" and got["by"] == "name" and
                 got["driver"] == "local" and got["labels"] == 1,
                 "a volume by name", got)
    report.check(got["created"] != "" and "-1." not in got["created"],
                 "its making has a mark", got)
    expect(report, tool, "volume", "Data", "names keep their case",
           presence="absent")
    expect(report, tool, "volume", "dat", "and are whole", presence="absent")
    inside = f"{dockerd.folder}/data/volumes/data/_data"
    with open(inside + "/file", "w", encoding="ascii") as f:
        f.write("x")
    tool.ask("end", tool.ask("begin", "volume") and "0")
    again = tool.ask("get", "volume", "data")
    report.equal(again["created"], got["created"],
                 "files that come and go do not change it")
    tool.ask("put", "volume", "data", got["created"], "pay", "dev")
    expect(report, tool, "volume", "data", "its owner is in the ledger",
           in_ledger=True, team="pay", phase="dev")
    api.must("DELETE", "/volumes/data")
    api.must("POST", "/volumes/create", {"Name": "data"})
    new = tool.ask("get", "volume", "data")
    report.check(new["created"] != got["created"] and not new["in_ledger"],
                 "made again it is another, and nobody's", new)


def execs(report, tool, api, web):
    api.must("POST", f"/containers/{web}/start")
    tool.ask("put", "container", web, "-", "pay", "dev")
    plain = api.must("POST", f"/containers/{web}/exec",
                     {"Cmd": ["true"]})["Id"]
    strong = api.must("POST", f"/containers/{web}/exec",
                      {"Cmd": ["true"], "Privileged": True,
                       "User": "1000"})["Id"]
    expect(report, tool, "exec", plain, "an exec by id, its container, its owner",
           presence="present", container=web, exec_privileged=False, exec_user="",
           team="pay", in_ledger=True)
    expect(report, tool, "exec", strong, "a privileged one as another user",
           container=web, exec_privileged=True, exec_user="1000")
    expect(report, tool, "exec", plain[:20], "never by prefix", presence="absent")


def events(report, tool, api, web):
    def peeked(name="web"):
        return tool.ask("peek", "container", name)

    tool.ask("get", "container", "web")
    report.equal(peeked().get("id"), web, "what was asked is cached by name")
    report.equal(peeked(web).get("by"), "id", "and by full id")
    hits = tool.ask("stats")["hits"]
    tool.ask("get", "container", "web")
    report.equal(tool.ask("stats")["hits"], hits + 1, "and asked no more")
    api.must("POST", f"/containers/{web}/rename?name=shop")
    wait_until("the rename event", lambda: peeked() == {}, 20)
    expect(report, tool, "container", "web", "renamed: the old name is absent",
           presence="absent")
    expect(report, tool, "container", "shop", "the new one is there", id=web)
    token = str(tool.ask("begin", "container")["token"])
    report.equal(peeked("shop"), {}, "while a change is on its way: not cached")
    tool.ask("get", "container", "shop")
    report.equal(peeked("shop"), {}, "a name not even after asking")
    report.equal(peeked(web).get("id"), web, "a full id then is")
    tool.ask("end", token)
    report.equal(peeked(web), {}, "the end makes it stale")
    tool.ask("get", "container", "shop")
    report.equal(peeked("shop").get("id"), web, "then names are cached again")
    api.must("POST", f"/containers/{web}/kill")
    wait_until("the die event", lambda: not tool.ask(
        "get", "container", web)["running"], 20)
    report.check(True, "a death is seen")
    gone = create(api, "gone")
    tool.ask("put", "container", gone, "-", "pay", "dev")
    before = tool.ask("stats")["ledger"]
    api.must("DELETE", f"/containers/{gone}")
    wait_until("the destroy event",
               lambda: tool.ask("stats")["ledger"] < before, 20)
    report.check(True, "what is gone is out of the ledger")


def nonces(report, tool, api):
    report.check(len(Plugin.seen) > 100 and all(s[3] for s in Plugin.seen),
                 "each call with a nonce was one of ours",
                 [s for s in Plugin.seen if not s[3]][:3])
    by_nonce = {}
    for stage, nonce, uri, _ in Plugin.seen:
        by_nonce.setdefault(nonce, []).append((stage, uri))
    wrong = [v for v in by_nonce.values()
             if not v[0][1].startswith("/events") and
             v != [("req", v[0][1]), ("res", v[0][1])]]
    report.equal(wrong, [], "each came back once as request, once as response")
    report.equal(tool.ask("stats")["nonces"], 1,
                 "none is left but the event stream's")
    used = Plugin.seen[0][1]
    for value in (used, "0" * 64, ""):
        got = api("GET", "/containers/json", None, {HEADER: value})
        report.equal(got.status, 403, f"a stranger's header {value[:8]!r} is refused")
    del Plugin.seen[-3:]


def crowd(report, tool, web):
    """Many at once, all through the plugin that the look-ups wait for."""
    tool.ask("end", str(tool.ask("begin", "container")["token"]))
    before = tool.ask("stats")
    boxes = []

    def one(ref):
        boxes.append(tool.ask("get", "container", ref))

    for refs in (["shop"] * 60, [web[:n] for n in range(4, 64)]):
        threads = [threading.Thread(target=one, args=(r,)) for r in refs]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    after = tool.ask("stats")
    report.equal({b["id"] for b in boxes}, {web}, "120 at once all find it")
    report.check(after["lookups"] - before["lookups"] <= 75 and
                 after["refused"] == 0,
                 "callers of the same name share a look-up", (before, after))


def paths(report, tool, api, dockerd, room):
    def path(p, mode="rw", *more):
        return tool.ask("path", p, mode, *more)

    def check(p, sentence, mode="rw", **want):
        got = path(p, mode)
        report.equal({k: got.get(k) for k in want}, want, sentence)

    os.makedirs(room("srv", "pay", "app"))
    os.symlink("/run", room("srv", "pay", "link"))
    os.symlink("../pay/app", room("srv", "pay", "near"))
    with open(room("srv", "inside"), "w", encoding="ascii") as f:
        f.write("")
    free = dict(known=True, protected=False, shared=False, shared_known=True)
    check("/srv/inside", "dockerd's own mounts are what counts", exists=True,
          real="/srv/inside", **free)
    check("/srv/pay/app", "a plain folder", exists=True, plain=12, **free)
    check("/srv/pay/new/x", "what does not exist is judged by what does",
          exists=False, real="/srv/pay/new/x", plain=14, **free)
    check("/srv/pay/near/x", "a symlink is seen", real="/srv/pay/app/x", plain=8,
          **free)
    check("/srv/pay/link", "a symlink to the daemon's run folder",
          real="/run", plain=8, protected=True)
    for p in ("/", "/run", "/var", "/var/run", "/var/run/docker.sock", "/etc",
              "/proc", "/proc/1/root", "/proc/self/cwd", "/sys/fs/cgroup",
              "/dev/null", "/dev", dockerd.socket, dockerd.folder,
              f"{dockerd.folder}/data/volumes", "/usr/sbin/dockerd", "/usr"):
        check(p, f"{p} is protected", known=True, protected=True)
    check("/etc/localtime", "/etc/localtime is not", "ro", protected=False)
    for p in ("/srv/../etc", "srv", "/srv/./x", "/srv//x", "/srv/"):
        check(p, f"{p} is not looked at", known=False)
    # the same file system under another name, mounted inside the namespace
    os.makedirs(room("srv", "alias", "sub"))
    subprocess.run(dockerd.enter("mount", "--bind", "/run", "/srv/alias/sub"),
                   check=True)
    wait_until("a view of the new mount",
               lambda: path("/srv/alias/sub/docker").get("protected"), 20)
    check("/srv/alias/sub/docker", "a bind mount of the run folder",
          protected=True, by="/run/docker")
    check("/srv/alias", "and the folder above such a mount", protected=True)
    check("/srv/pay", "but not its neighbour", protected=False)
    subprocess.run(dockerd.enter("umount", "/srv/alias/sub"), check=True)

    one = create(api, "tree", HostConfig={
        "NetworkMode": "none", "Binds": ["/srv/pay:/x", "/srv/ml/x:/y:ro"]})
    check("/srv/pay/app", "another container writes the folder above", shared=True,
          **{"with": "tree"})
    report.equal(path("/srv/pay/app", "ro", one)["shared"], False,
                 "its own mounts do not count")
    check("/srv/pay", "the same folder is not above itself", shared=False)
    check("/srv/ml/x/y", "what is read-only above does not count", shared=False)
    check("/srv/ml", "a new writer above another's mount", shared=True)
    check("/srv/ml", "but not a reader", "ro", shared=False)
    api.must("DELETE", f"/containers/{one}")
    wait_until("the list without it",
               lambda: not path("/srv/pay/app")["shared"], 20)
    os.makedirs(room("srv", "vol", "deep"))
    api.must("POST", "/volumes/create", {"Name": "hostdir", "DriverOpts": {
        "type": "none", "o": "bind", "device": "/srv/vol"}})
    wait_until("the volume", lambda: path("/srv/vol/deep")["shared"], 20)
    check("/srv/vol/deep", "a volume's device counts as well",
          **{"with": "hostdir"})
    api.must("DELETE", "/volumes/hostdir")
    wait_until("no volume", lambda: not path("/srv/vol/deep")["shared"], 20)


def restart(report, tool, dockerd, web):
    tool.ask("put", "container", "9" * 64, "-", "pay", "dev")
    tool.ask("put", "container", web, "-", "pay", "dev")
    dockerd.stop(graceful=True)
    wait_until("the end of the stream",
               lambda: not tool.ask("stats")["events"], 20)
    report.equal(tool.ask("peek", "container", web), {},
                 "without the daemon nothing is cached")
    got = tool.ask("get", "container", web)
    report.equal(got["presence"], "unknown", "and nothing is known")
    report.equal(tool.ask("path", "/srv/pay", "rw")["known"], False,
                 "of paths neither")
    dockerd.start()
    tool.ask("ready")
    expect(report, tool, "container", web, "it is back, and so is the answer",
           presence="present", team="pay")
    wait_until("pruning", lambda: tool.ask(
        "get", "container", "9" * 64)["presence"] == "absent", 20)
    report.equal(tool.ask("path", "/srv/pay", "rw")["known"], True,
                 "and paths, in the new daemon's namespace")


def main():
    report = Report(verbose="-v" in sys.argv)
    with Room("inventory") as room:
        dockerd, tool, api = begin(room, report)
        got = tool.ask("daemon")
        report.check(got["known"] and got["runtime"] == "runc" and
                     got["log"] == "json-file" and got["engine"] and
                     got["root"].endswith("/data") and not got["swarm"],
                     "the daemon's own facts", got)
        web = containers(report, tool, api)
        networks(report, tool, api)
        images(report, tool, api)
        volumes(report, tool, api, dockerd)
        execs(report, tool, api, web)
        events(report, tool, api, web)
        crowd(report, tool, web)
        nonces(report, tool, api)
        paths(report, tool, api, dockerd, room)
        restart(report, tool, dockerd, web)
        report.equal(tool.stop(), 0, "the tool ends well")
    report.exit()


if __name__ == "__main__":
    main()
