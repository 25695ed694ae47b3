#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the daemon fills in (docs/semantics.md 5.6) is known a moment after
the plugin has begun: a call of that moment waits for it, and is judged as
ever; where the daemon never tells, it is `cannot-tell` within the deadline.

Before the plugin is a daemon of few words, whose /info comes when the test
says so."""
import base64
import json
import os
import socketserver
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Plugin, Report, Room  # noqa: E402

POLICY = """\
version: 1
teams: {console: {anonymous: true}}
hosts: {"*": [dev]}
phases: {dev: {audit: metadata}}
roles: {all: {allow: {"*": ["*"]}}}
profiles: {plain: {images: {allow: ["**"]}}}
grants:
  - {id: all, team: console, role: all, phases: ["*"], owner: any, profile: plain}
"""
ID = "c0ffee" + "0" * 58
IMAGE = {"Id": "sha256:" + "a" * 64, "RepoTags": ["busybox:latest"],
         "RepoDigests": [], "Config": {"User": ""}}
# what cgroups v1 and this daemon's own defaults make of a plain container
STORED = {
    "Id": ID, "Name": "/web", "Created": "2026-01-01T00:00:00.000000000Z",
    "Image": IMAGE["Id"], "State": {"Status": "exited"},
    "Config": {"Image": "busybox", "User": "", "Labels": {}, "Env": []},
    "HostConfig": {"CgroupnsMode": "host", "Runtime": "special",
                   "LogConfig": {"Type": "local", "Config": {}},
                   "NetworkMode": "default", "IpcMode": "private"},
    "Mounts": [], "NetworkSettings": {"Networks": {}}}
ANSWERS = {
    "/version": {"Version": "20.10.24", "ApiVersion": "1.41",
                 "MinAPIVersion": "1.12"},
    "/info": {"Name": "x", "DefaultRuntime": "special", "CgroupVersion": "1",
              "LoggingDriver": "local", "Warnings": [],
              "Swarm": {"LocalNodeState": "inactive"}},
    "/containers/json": [], "/networks": [], "/volumes": {"Volumes": []},
    f"/containers/{ID}/json": STORED, "/containers/web/json": STORED,
    "/images/busybox/json": IMAGE, f"/images/{IMAGE['Id']}/json": IMAGE,
}
CALLS = {
    "start of a container of cgroups v1": {
        "RequestMethod": "POST", "RequestUri": f"/v1.41/containers/{ID}/start"},
    "create that names the daemon's runtime": {
        "RequestMethod": "POST", "RequestUri": "/v1.41/containers/create",
        "RequestHeaders": {"Content-Type": "application/json"},
        "Body": {"Image": "busybox", "HostConfig": {"Runtime": "special"}}},
    "create that names the daemon's log driver": {
        "RequestMethod": "POST", "RequestUri": "/v1.41/containers/create",
        "RequestHeaders": {"Content-Type": "application/json"},
        "Body": {"Image": "busybox",
                 "HostConfig": {"LogConfig": {"Type": "local"}}}},
}


def message(call):
    call = dict(call)
    body = call.pop("Body", None)
    if body is not None:
        text = json.dumps(body).encode()
        call["RequestBody"] = base64.b64encode(text).decode()
        call["RequestHeaders"] = dict(call["RequestHeaders"], **{
            "Content-Length": str(len(text))})
    return call


class Daemon(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path):
        self.tells = threading.Event()
        self.asked = threading.Event()
        super().__init__(path, Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """Whoever asked has gone: so it may."""


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline().split()
        while self.rfile.readline().strip():
            pass
        path = line[1].decode().split("?")[0] if len(line) > 1 else ""
        if path.startswith("/v1."):
            path = "/" + path.split("/", 2)[2]
        if path == "/events":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n"
                             b"Transfer-Encoding: chunked\r\n\r\n")
            self.wfile.flush()
            time.sleep(600)
        if path == "/info":
            self.server.asked.set()
            self.server.tells.wait(600)
        body = ANSWERS.get(path)
        status = b"200 OK" if body is not None else b"404 Not Found"
        text = json.dumps(body if body is not None else {"message": "no"})
        self.wfile.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\n"
                         b"Content-Type: application/json\r\nContent-Length: "
                         + str(len(text)).encode() + b"\r\n\r\n"
                         + text.encode())


def begin(room, name):
    d = Daemon(room(name + ".sock"))
    p = Plugin(room, room(name + "-plugin.sock"), room(name + ".sock"), POLICY,
               name=name, alone=True).start()
    return d, p


def waits(r, room, what, call):
    name = what.replace(" ", "-").replace("'", "")
    d, p = begin(room, name)
    r.check(d.asked.wait(20), f"{what}: /info is asked")
    answers = []
    t = threading.Thread(target=lambda: answers.append(
        p.call(message(call))))
    t.start()
    time.sleep(0.5)
    r.check(not answers, f"{what}: no answer before the daemon's", answers)
    d.tells.set()
    t.join(20)
    r.check(answers and answers[0][1] == {"Allow": True},
            f"{what}: allowed as ever", answers)
    r.equal(p.call(message(call))[1], {"Allow": True}, f"{what}: and again")
    p.stop()
    d.shutdown()


def is_never_told(r, room):
    d, p = begin(room, "silent")
    for what, call in CALLS.items():
        begun = time.monotonic()
        a = p.call(message(call))[1]
        took = time.monotonic() - begun
        r.check(not a["Allow"] and "not told its default" in a["Msg"],
                f"{what}, never told: cannot-tell", a)
        r.check(took < 10, f"{what}: within the deadline", took)
    d.tells.set()
    p.stop()
    d.shutdown()


def main():
    r = Report()
    with Room("facts") as room:
        for what, call in CALLS.items():
            waits(r, room, what, call)
        is_never_told(r, room)
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
