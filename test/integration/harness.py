#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""The surroundings themselves: a private dockerd and slapd do what the other
tests rely on, side by side, and leave nothing behind."""
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingUnixStreamServer

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Api, Dockerd, Lab, Report, Room, Slapd  # noqa: E402
from harness.wire import connect_tls  # noqa: E402

LDIF = """\
dn: dc=corp,dc=example
objectClass: dcObject
objectClass: organization
o: Corp
dc: corp

dn: ou=people,dc=corp,dc=example
objectClass: organizationalUnit
ou: people

dn: uid=ada,ou=people,dc=corp,dc=example
objectClass: inetOrgPerson
uid: ada
cn: Ada
sn: A

dn: cn=a,dc=corp,dc=example
objectClass: groupOfNames
cn: a
member: uid=ada,ou=people,dc=corp,dc=example
"""


class Recorder(BaseHTTPRequestHandler):
    """A plugin of the test: denies PUT /denied-by-test users, remembers."""
    protocol_version = "HTTP/1.1"
    calls = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/Plugin.Activate":
            answer = {"Implements": ["authz"]}
        else:
            call = json.loads(body or b"{}")
            Recorder.calls.append((self.path, call))
            answer = {"Allow": "evil" not in call.get("RequestUri", ""),
                      "Msg": "no evil"}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def address_string(self):
        return "unix"

    def log_message(self, *args):
        pass


def plugin_of_the_test(path):
    server = ThreadingUnixStreamServer(path, Recorder)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def docker(d, lab, user, *args):
    folder = lab.bundle(user)
    return subprocess.run(
        ["docker", *args], text=True, capture_output=True, check=False,
        env={**os.environ, "DOCKER_HOST": f"tcp://127.0.0.1:{d.port}",
             "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": folder,
             "DOCKER_CONFIG": folder})


def the_daemon(r, room):
    lab = Lab(room("ca"))
    lab.client("ada")
    d = Dockerd(room, plugins=["probe"], lab=lab,
                binds={room.mkdir("srv"): "/srv"})
    server = plugin_of_the_test(d.plugin_socket("probe"))
    room.push(server.server_close)
    room.push(server.shutdown)
    d.start()
    d.import_image(Api(d.connect))
    done = docker(d, lab, "ada", "run", "--rm", "-v", "/srv:/s", "busybox",
                  "sh", "-c", "echo written > /s/file; echo hello")
    r.equal((done.stdout, done.returncode), ("hello\n", 0),
            "docker run over mutual TLS works: " + done.stderr)
    r.check(os.path.exists(room("srv", "file")), "/srv inside is the room's")
    r.check(not os.path.exists("/srv/file"), "… and not the machine's")
    uris = [c for k, c in Recorder.calls
            if "containers/create" in c.get("RequestUri", "")]
    r.check(bool(uris) and uris[0].get("User") == "ada"
            and uris[0].get("RequestPeerCertificates"),
            "the plugin of daemon.json saw user and certificate")
    done = docker(d, lab, "ada", "run", "--name", "evil", "busybox", "true")
    r.check(done.returncode != 0 and "no evil" in done.stderr,
            "… and its refusal reaches the person", done.stderr)
    done = docker(d, lab, "ada", "run", "-d", "-p", "8099:80", "busybox",
                  "httpd", "-f", "-p", "80", "-h", "/etc")
    get = "for i in 1 2 3 4 5 6 7 8 9; do wget -qO- " \
          "http://127.0.0.1:8099/group && break; sleep 1; done"
    page = subprocess.run(d.enter("/bin/busybox", "sh", "-c", get),
                          capture_output=True, text=True, check=False)
    r.check("root:x:0" in page.stdout, "a published port is real, inside",
            page.stderr + done.stderr)
    before = len(Recorder.calls)
    d.reload(authorization_plugins=None)
    docker(d, lab, "ada", "version")
    r.equal(len(Recorder.calls), before,
            "SIGHUP with a changed daemon.json takes effect")
    anonymous_tls = Api(lambda: connect_tls(d.port, *lab.client("bob"),
                                            lab.ca))
    r.equal(anonymous_tls("GET", "/_ping").status, 200,
            "the harness speaks mutual TLS itself")
    return d


def the_directory(r, room):
    lab = Lab(room("ca2"))
    cert, key = lab.server()
    s = Slapd(room, tls=(lab.ca, cert, key)).start(room.write("x.ldif", LDIF))
    found = s.tool("ldapsearch", "-LLL", "-b", s.suffix, "(uid=ada)",
                   "memberOf")
    r.check("memberOf: cn=a,dc=corp,dc=example" in found,
            "slapd answers, with memberOf", found)
    done = subprocess.run(
        ["ldapsearch", "-x", "-LLL", "-H", s.ldaps, "-D", s.rootdn, "-w",
         s.password, "-b", s.suffix, "-s", "base"], text=True, check=False,
        capture_output=True, env={**os.environ, "LDAPTLS_CACERT": lab.ca})
    r.check("dc: corp" in done.stdout, "… over ldaps", done.stderr)
    done = subprocess.run(
        ["ldapsearch", "-Q", "-Y", "EXTERNAL", "-LLL", "-H", s.ldapi, "-b",
         s.suffix, "-s", "base"], text=True, check=False, capture_output=True)
    r.check("dc: corp" in done.stdout, "… over ldapi with EXTERNAL",
            done.stderr)


def main():
    r = Report()
    with Room("harness") as room:
        d = the_daemon(r, room)
        other = Dockerd(room, name="second").start()
        r.equal(Api(other.connect)("GET", "/containers/json").json, [],
                "a second dockerd runs beside the first")
        other.stop()
        r.check(d.answers(), "… and ending it does not disturb the first")
        port = d.port
        d.stop(graceful=True)
        d.start()
        r.check(d.port == port and len(Api(d.connect)(
            "GET", "/images/json").json) == 1,
            "a restart keeps the port and the images")
        the_directory(r, room)
        path = room.path
    r.check(not os.path.exists(path), "the room is gone")
    with open("/proc/mounts", encoding="utf-8") as f:
        r.check(path not in f.read(), "no mount is left")
    r.check(not any(os.path.exists(f"/sys/fs/cgroup/{x}/"
                                   + os.path.basename(path) + "-dockerd")
                    for x in ("", "memory", "pids")), "no cgroup is left")
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
