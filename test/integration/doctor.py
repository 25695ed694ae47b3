#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""portreeve doctor: each check both ways, against prepared trees and a daemon
that says what the test wants; then a real plugin and dockerd's own words."""
import copy
import json
import os
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import BUILD, Report, Room  # noqa: E402

SOUND = {
    "authorization-plugins": ["portreeve"],
    "hosts": ["unix:///run/docker.sock", "tcp://0.0.0.0:2376"],
    "tlsverify": True, "tlscacert": "/etc/docker/ca.pem",
    "tlscert": "/etc/docker/cert.pem", "tlskey": "/etc/docker/key.pem",
    "icc": False, "userns-remap": "default", "live-restore": True,
    "userland-proxy": False, "log-level": "info", "log-driver": "journald",
    "no-new-privileges": True, "storage-driver": "overlay2",
    "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1, "Hard": 1}},
}
INFO = {"ServerVersion": "29.1.0", "Driver": "overlay2",
        "SecurityOptions": ["name=seccomp,profile=builtin"]}
CONFIG = """\
daemon: {name: h, socket: /run/docker.sock}
identity:
  - {source: lab, issuer: "CN=Lab CA", by: cn}
directory: {type: ldif, file: /etc/portreeve/people.ldif}
proxy: {assertion_key: /etc/portreeve/assertion.key}
admin: {socket: /run/portreeve/admin.sock}
"""
# path: mode; what a sound host has
FILES = {
    "/etc/docker/ca.pem": 0o644, "/etc/docker/cert.pem": 0o644,
    "/etc/docker/key.pem": 0o600, "/etc/default/docker": 0o644,
    "/lib/systemd/system/docker.service": 0o644,
    "/lib/systemd/system/docker.socket": 0o644,
    "/etc/portreeve/policy.d/a.yaml": 0o644,
    "/etc/portreeve/assertion.key": 0o600,
    "/var/lib/portreeve/ledger.db": 0o600,
    "/run/containerd/containerd.sock": 0o660,
}
FOLDERS = {"/etc/docker": 0o755, "/var/lib/docker": 0o710,
           "/etc/portreeve/policy.d": 0o755, "/var/log/portreeve": 0o700}


class Answers:
    """HTTP of few words on a unix socket: {path: (status, body)}."""

    def __init__(self, path, answers):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.answers = answers
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            with s:
                data = b""
                while b"\r\n\r\n" not in data:
                    data += s.recv(4096) or b"\r\n\r\n"
                path = data.split(b" ")[1].decode()
                status, body = self.answers.get(path, (404, "no"))
                if not isinstance(body, str):
                    body = json.dumps(body)
                # without a length, as dockerd answers when it is long
                s.sendall(f"HTTP/1.0 {status} X\r\n\r\n{body}".encode())

    def close(self):
        # wakes the thread in accept()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Tree:
    """A sound host below a folder; a test makes one thing of it unsound."""
    n = 0

    def __init__(self, room):
        Tree.n += 1
        self.root = room.mkdir(f"t{Tree.n}")
        self.daemon = copy.deepcopy(SOUND)
        self.info = copy.deepcopy(INFO)
        self.args = ["/usr/sbin/dockerd"]
        self.ready = (200, "ok      policy: x\nready\n")
        self.info_status = 200
        for path, mode in FILES.items():
            self.file(path, "x\n", mode)
        for path, mode in FOLDERS.items():
            os.makedirs(self(path), exist_ok=True)
            os.chmod(self(path), mode)
        self.file("/etc/portreeve/portreeve.yaml", CONFIG)
        self.file("/etc/environment", "DOCKER_CONTENT_TRUST=1\n")
        self.bound("/run/docker/plugins/portreeve.sock", 0o600)
        self.socket_mode = 0o660
        self.uid = 0

    def __call__(self, path):
        return self.root + path

    def file(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(self(path)), exist_ok=True)
        with open(self(path), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self(path), mode)

    def bound(self, path, mode):
        os.makedirs(os.path.dirname(self(path)), exist_ok=True)
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(self(path))
        os.chmod(self(path), mode)

    def doctor(self, *args):
        if self.daemon is not None:
            self.file("/etc/docker/daemon.json", self.daemon
                      if isinstance(self.daemon, str)
                      else json.dumps(self.daemon))
        if self.args:
            self.file("/proc/77/comm", "dockerd\n")
            self.file("/proc/77/cmdline",
                      "".join(a + "\0" for a in self.args))
        version = {"Version": self.info.get("ServerVersion", "")}
        d = Answers(self("/run/docker.sock"), {
            "/info": (self.info_status, self.info),
            "/version": (self.info_status, version)})
        os.chmod(self("/run/docker.sock"), self.socket_mode)
        p = Answers(self("/run/portreeve/admin.sock"), {
            "/readyz?verbose": self.ready,
            "/status": (200, {"engine": "28.0.1"})})
        os.chown(self("/run/portreeve/admin.sock"), self.uid, -1)
        try:
            return subprocess.run(
                [os.path.join(BUILD, "portreeve"), "doctor", "--root",
                 self.root, *args], capture_output=True, text=True,
                check=False)
        finally:
            d.close()
            p.close()
            os.unlink(self("/run/docker.sock"))
            os.unlink(self("/run/portreeve/admin.sock"))


def setting(name, value):
    def change(t):
        if value is None:
            del t.daemon[name]
        else:
            t.daemon[name] = value
    return change


def flag(*args):
    return lambda t: t.args.extend(args)


def both(*changes):
    def change(t):
        for c in changes:
            c(t)
    return change


TCP_ROW = "   {}: 00000000:0947 00000000:0000 {} 00000000:00000000 " \
    "00:00000000 00000000     0        0 {} 1 0000 100 0 0 10 0\n"


def handed(*inodes, state="0A", table="tcp"):
    """Sockets that dockerd holds, whatever daemon.json says."""
    def change(t):
        t.daemon["hosts"] = ["fd://"]
        os.makedirs(t("/proc/77/fd"))
        for i, n in enumerate(inodes):
            os.symlink(f"socket:[{n}]", t(f"/proc/77/fd/{i + 3}"))
        os.symlink("/dev/null", t("/proc/77/fd/0"))
        t.file(f"/proc/77/net/{table}", "  sl  local_address …\n" + "".join(
            TCP_ROW.format(i, state, n) for i, n in enumerate(inodes)))
    return change


def mode(path, bits):
    return lambda t: os.chmod(t(path), bits)


def owner(path, uid):
    return lambda t: os.chown(t(path), uid, -1)


def runs_as(uid):
    return lambda t: setattr(t, "uid", uid)


def engine(version):
    return lambda t: t.info.update(ServerVersion=version)


def attribute(name, value):
    return lambda t: setattr(t, name, value)


def write(path, text):
    return lambda t: t.file(path, text)


def remove(path):
    return lambda t: os.unlink(t(path))


def proxy_alone(t):
    t.daemon["hosts"] = ["unix:///run/docker.sock"]
    t.file("/etc/portreeve/portreeve.yaml", CONFIG.replace(
        "proxy: {", "proxy: {listen: [{name: l, unix: /run/p.sock}], "))


def bypass(t):
    t.file("/etc/portreeve/portreeve.yaml",
           CONFIG + "plugin: {accept_grpc_bypass: true}\n")


# check, what is changed, its result, a part of what is found or of the mend
ROWS = [
    ("plugin", setting("authorization-plugins", ["other"]), "fail",
     "does not name"),
    ("plugin", setting("authorization-plugins", None), "fail", "not name"),
    ("plugin", both(setting("authorization-plugins", None),
                    flag("--authorization-plugin=portreeve")), "fail", "flag"),
    ("plugin", both(setting("authorization-plugins", None),
                    flag("--authorization-plugin", "portreeve")), "fail",
     "SIGHUP"),
    ("plugin", attribute("daemon", "{\"icc\": "), "fail", "daemon.json"),
    ("plugin", attribute("daemon", "[]"), "fail", "not an object"),
    ("plugin", attribute("daemon", None), "fail", "No such file"),
    ("plugin", setting("authorization-plugins", ["a", "portreeve"]), "pass",
     "names portreeve"),
    ("plugin-files", write("/etc/docker/plugins/portreeve.spec", "tcp://x"),
     "fail", "rm /etc/docker/plugins/portreeve.spec"),
    ("plugin-files", write("/usr/lib/docker/plugins/portreeve.json", "{}"),
     "fail", "portreeve.json"),
    ("plugin-socket", mode("/run/docker/plugins/portreeve.sock", 0o666),
     "fail", "0666"),
    ("plugin-socket", owner("/run/docker/plugins/portreeve.sock", 1000),
     "fail", "user 1000"),
    ("plugin-socket", remove("/run/docker/plugins/portreeve.sock"), "fail",
     "no socket"),
    ("plugin-ready", attribute("ready", (
        503, "ok      policy: x\nnot ok  audit: /var/log\nnot ready\n")),
     "fail", "not ok  audit"),
    ("plugin-ready", write("/etc/portreeve/portreeve.yaml", CONFIG.replace(
        "admin.sock", "none.sock")), "fail", "No such file"),
    ("config", write("/etc/portreeve/portreeve.yaml", "demon: {}\n"), "fail",
     "portreeve.yaml:1:1"),
    ("config", remove("/etc/portreeve/portreeve.yaml"), "fail", "portreeve"),
    ("cve-2024-41110", engine("20.10.24+dfsg1"), "warn", "20.10.24"),
    ("cve-2024-41110", engine("23.0.14"), "warn", ""),
    ("cve-2024-41110", engine("23.0.15"), "pass", ""),
    ("cve-2024-41110", engine("24.0.9"), "warn", ""),
    ("cve-2024-41110", engine("25.0.5"), "warn", ""),
    ("cve-2024-41110", engine("25.0.6"), "pass", ""),
    ("cve-2024-41110", engine("26.1.4"), "warn", ""),
    ("cve-2024-41110", engine("26.1.5+dfsg1"), "pass", ""),
    ("cve-2024-41110", engine("27.1.0"), "warn", ""),
    ("cve-2024-41110", engine("27.1.1"), "pass", ""),
    ("cve-2024-41110", engine("dev"), "unknown", "not known"),
    ("cve-2026-34040", engine("29.3.0"), "warn", "29.3.0"),
    ("cve-2026-34040", engine("29.3.1"), "pass", ""),
    ("cve-2026-34040", engine("30.0.0-rc.1"), "pass", ""),
    ("grpc", engine("29.1.9"), "pass", ""),
    ("grpc", engine("29.2.0"), "fail", "proxy"),
    ("grpc", both(engine("29.2.0"), proxy_alone), "pass", "proxy alone"),
    ("grpc", both(engine("29.2.0"), bypass), "warn", "accept_grpc_bypass"),
    # a daemon that tells root nothing: the plugin knows
    ("grpc", both(engine("29.2.0"), attribute("info_status", 403)), "pass",
     "28.0.1"),
    ("seccomp-profile", attribute("info_status", 403), "unknown",
     "anonymous"),
    ("storage-driver", both(attribute("info_status", 403),
                            setting("storage-driver", None)), "unknown",
     "anonymous"),
    ("listeners", setting("hosts", ["unix:///run/docker.sock"]), "pass",
     "no TCP"),
    ("listeners", setting("tlsverify", None), "fail", "0.0.0.0:2376"),
    ("listeners", setting("tlsverify", False), "fail", "certificate"),
    ("listeners", both(setting("hosts", None), setting("tlsverify", None),
                       flag("-H", "tcp://1.2.3.4:2375")), "fail", "1.2.3.4"),
    ("listeners", both(setting("hosts", None), setting("tlsverify", None),
                       flag("-H=tcp://1.2.3.4:2375")), "fail", "1.2.3.4"),
    ("listeners", both(setting("hosts", None), setting("tlsverify", None),
                       flag("--host", "fd://", "--host=:2375")), "fail",
     ":2375"),
    ("listeners", both(setting("tlsverify", None), flag("--tlsverify")),
     "pass", "mutual"),
    ("listeners", both(setting("tlsverify", None),
                       flag("--tlsverify=false")), "fail", ""),
    ("listeners", flag("-H", "tcp://1.2.3.4:2375"), "warn", "2 TCP"),
    ("listeners", both(handed(91), setting("tlsverify", None)), "fail",
     "handed"),
    ("listeners", both(handed(91, table="tcp6"),
                       setting("tlsverify", None)), "fail", "handed"),
    ("listeners", handed(91), "pass", "mutual TLS"),
    ("listeners", handed(91, 92), "warn", "2 TCP"),
    ("listeners", both(handed(91, state="01"), setting("tlsverify", None)),
     "pass", "no TCP"),
    ("tls", setting("tlsverify", None), "fail", "tlsverify"),
    ("tls", setting("tlskey", None), "fail", "tlskey"),
    ("tls", both(setting("tlsverify", None),
                 setting("hosts", ["fd://"])), "pass", "no TCP"),
    ("docker-socket", attribute("socket_mode", 0o666), "fail", "0666"),
    ("docker-socket", write("/etc/portreeve/portreeve.yaml", CONFIG.replace(
        "/run/docker.sock", "/run/no.sock")), "unknown", "no.sock"),
    ("icc", setting("icc", None), "warn", "by default"),
    ("icc", setting("icc", True), "warn", "true"),
    ("icc", both(setting("icc", None), flag("--icc=false")), "pass", ""),
    ("userns-remap", setting("userns-remap", None), "warn", "root"),
    ("userns-remap", setting("userns-remap", ""), "warn", "root"),
    ("live-restore", setting("live-restore", None), "warn", "default"),
    ("live-restore", both(setting("live-restore", None),
                          flag("--live-restore")), "pass", ""),
    ("userland-proxy", setting("userland-proxy", None), "warn", "default"),
    ("log-level", setting("log-level", "debug"), "warn", "debug"),
    ("log-level", setting("log-level", "error"), "warn", "error"),
    ("log-level", setting("log-level", None), "pass", "default"),
    ("log-level", setting("debug", True), "warn", "debug"),
    ("log-level", flag("-D"), "warn", "debug"),
    ("log-level", both(setting("log-level", None), flag("-l", "warn")),
     "warn", "warn"),
    ("insecure-registries", setting("insecure-registries", ["r:5000"]),
     "fail", "r:5000"),
    ("insecure-registries", setting("insecure-registries", []), "pass", ""),
    ("default-ulimits", setting("default-ulimits", None), "warn", "none"),
    ("no-new-privileges", setting("no-new-privileges", None), "warn", ""),
    ("seccomp-profile", setting("seccomp-profile", "unconfined"), "fail",
     "unconfined"),
    ("seccomp-profile", lambda t: t.info.update(SecurityOptions=[
        "name=apparmor"]), "fail", "without"),
    ("seccomp-profile", setting("seccomp-profile", "/etc/docker/s.json"),
     "pass", "s.json"),
    ("central-logging", setting("log-driver", None), "warn", "json-file"),
    ("central-logging", setting("log-driver", "syslog"), "pass", "syslog"),
    ("content-trust", write("/etc/environment", "A=1\n"), "warn",
     "signatures"),
    ("storage-driver", lambda t: t.info.update(Driver="vfs"), "warn", "vfs"),
    ("partition", both(), "warn", "file system of /"),
    ("partition", setting("data-root", "/nowhere"), "unknown", "/nowhere"),
    ("file-daemon-json", lambda t: (t.file("/etc/docker/d.json", json.dumps(
        t.daemon), 0o666), flag("--config-file=/etc/docker/d.json")(t)),
     "fail", "chmod 0644"),
    ("file-etc-docker", mode("/etc/docker", 0o777), "fail", "chmod 0755"),
    ("file-etc-docker", owner("/etc/docker", 1000), "fail", "chown 0"),
    ("file-default", mode("/etc/default/docker", 0o664), "fail",
     "its group"),
    ("file-default", remove("/etc/default/docker"), "pass", "not there"),
    ("file-docker-service", owner("/lib/systemd/system/docker.service", 5),
     "fail", "user 5"),
    ("file-docker-socket", mode("/lib/systemd/system/docker.socket", 0o646),
     "fail", "others"),
    ("file-tls-ca", mode("/etc/docker/ca.pem", 0o666), "fail", "chmod 0644"),
    ("file-tls-ca", remove("/etc/docker/ca.pem"), "unknown", "not there"),
    ("file-tls-cert", owner("/etc/docker/cert.pem", 1000), "fail", "1000"),
    ("file-tls-cert", setting("tlscert", None), "pass", "no tlscert"),
    ("file-tls-key", mode("/etc/docker/key.pem", 0o644), "fail",
     "chmod 0600"),
    ("file-data-root", mode("/var/lib/docker", 0o755), "fail", "chmod 0711"),
    ("file-containerd-socket", mode("/run/containerd/containerd.sock",
                                    0o666), "fail", "chmod 0660"),
    ("file-config", mode("/etc/portreeve/portreeve.yaml", 0o666), "fail",
     "chmod 0644"),
    ("file-policy", mode("/etc/portreeve/policy.d", 0o775), "fail",
     "chmod 0755"),
    ("file-log", mode("/var/log/portreeve", 0o755), "fail", "chmod"),
    ("file-log", mode("/var/log/portreeve", 0o750), "pass", ""),
    ("file-log", owner("/var/log/portreeve", 997), "fail", "chown 0"),
    ("file-log", both(owner("/var/log/portreeve", 997),
                      runs_as(997)), "pass", ""),
    ("file-policy", both(owner("/etc/portreeve/policy.d", 997),
                         runs_as(997)), "fail",
     "chown 0"),
    ("file-ledger", mode("/var/lib/portreeve/ledger.db", 0o640), "fail",
     "chmod 0600"),
    ("file-secrets", mode("/etc/portreeve/assertion.key", 0o640), "fail",
     "chmod 0600"),
    ("file-secrets", remove("/etc/portreeve/assertion.key"), "unknown",
     "not there"),
]


def results(done):
    try:
        return {x["check"]: x for x in json.loads(done.stdout)}
    except ValueError:
        return {}


def sound(r, room):
    """Nothing is wrong: every check but the partition's passes."""
    done = Tree(room).doctor("-o", "json")
    got = results(done)
    r.check(len(got) > 30, f"{len(got)} checks", done.stderr)
    for name, x in got.items():
        # 29.1.0 is before the mend of 34040; the tree is on one file system
        want = "warn" if name in ("partition", "cve-2026-34040") else "pass"
        r.equal(x["result"], want, f"sound: {name} ({x['found']})")
        r.check(bool(x["why"]) and (x["mend"] is None) == (want == "pass"),
                f"{name} says why, and how to mend what is not good")
    r.equal(done.returncode, 0, "a sound host: exit 0")
    done = Tree(room).doctor("--strict")
    r.equal(done.returncode, 1, "--strict: a warning is a failure")
    return set(got)


def unsound(r, room, names):
    seen = {}
    for name, change, want, part in ROWS:
        t = Tree(room)
        change(t)
        done = t.doctor("-o", "json")
        x = results(done).get(name, {})
        says = str(x.get("found")) + " " + str(x.get("mend"))
        r.check(x.get("result") == want and part in says,
                f"{name}: {want}: {part}", f"{x} {done.stderr}")
        seen.setdefault(name, set()).add(want)
        if want in ("fail", "unknown"):
            r.equal(done.returncode, 1, f"{name}: exit 1")
    for name in sorted(names):
        r.check(bool(seen.get(name, set()) - {"pass"}),
                f"{name} is tested both ways")


def the_table(r, room):
    t = Tree(room)
    t.daemon["insecure-registries"] = ["evil\x1b[31m:5000"]
    t.daemon["icc"] = True
    done = t.doctor()
    r.check("fail: insecure-registries\n    why:  " in done.stdout
            and "warn: icc" in done.stdout, "the table says why and how",
            done.stdout)
    r.check("\x1b" not in done.stdout and "\\x1b" in done.stdout,
            "what a file says does not command the terminal")
    r.check(done.stdout.rstrip().endswith("0 unknown"), "… and sums up",
            done.stdout[-200:])
    done = t.doctor("--daemon-json", "/etc/docker/none.json", "-o", "json")
    r.equal(results(done)["plugin"]["result"], "fail",
            "--daemon-json names another file")


def its_own_partition(r, room):
    """In a mount namespace of its own: a file system at the data root."""
    t = Tree(room)
    t.file("/etc/docker/daemon.json", json.dumps(t.daemon))
    where = t("/var/lib/docker")
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-c",
         'mount -t tmpfs -o mode=710 tmpfs "$1" && exec "$2" doctor '
         '--root "$3" -o json', "sh", where,
         os.path.join(BUILD, "portreeve"), t.root],
        capture_output=True, text=True, check=False)
    x = results(done).get("partition", {})
    r.equal(x.get("result"), "pass", "partition: pass on one of its own"
            + done.stderr)


def nothing_there(r, room):
    done = subprocess.run(
        [os.path.join(BUILD, "portreeve"), "doctor", "--root",
         room.mkdir("empty"), "-o", "json"], capture_output=True, text=True,
        check=False)
    got = results(done)
    for name in ("plugin", "plugin-socket", "plugin-ready", "config"):
        r.equal(got[name]["result"], "fail", f"an empty host: {name}")
    for name in ("cve-2024-41110", "grpc", "docker-socket", "storage-driver",
                 "seccomp-profile", "partition"):
        r.equal(got[name]["result"], "unknown", f"an empty host: {name}")
    r.equal(done.returncode, 1, "an empty host: exit 1")


def main():
    r = Report()
    with Room("doctor") as room:
        os.umask(0o022)
        names = sound(r, room)
        unsound(r, room, names)
        the_table(r, room)
        its_own_partition(r, room)
        nothing_there(r, room)
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
