# SPDX-License-Identifier: Apache-2.0
"""A real dockerd in namespaces of its own.

    the test ──► unshare ─► init (bash, pid 1 inside) ─► dockerd ─► containerd …
                  network, mount and pid namespace: own docker0 and iptables,
                  own /run, and one kill that takes everything with it

 * The network is private, so bridges and published ports are real and in
   nobody's way.  A TLS listener is opened by the test on 127.0.0.1 of the
   machine and handed to dockerd as an inherited socket (LISTEN_FDS).
 * /run is an empty tmpfs inside: dockerd finds no containerd but its own, and
   /run/docker/plugins is a folder of the room, where a plugin that runs
   outside puts its socket.
 * The pid namespace dies with its first process, which dies with the test:
   no container, shim or mount is left, even after kill -9 of the test.
"""
import io
import json
import os
import signal
import socket
import subprocess
import tarfile
import time

from . import engines, wire
from .room import HarnessError, die_with_parent, end_process, tail, wait_until

APPLETS = ("sh ash sleep cat ls id echo true false grep mount umount hostname "
           "wget nc touch mkdir rm ps head tail wc stat sort seq env printenv "
           "tty stty date dd df find kill cp mv ln chmod chown test yes nproc "
           "httpd sed awk tr pwd").split()

# Runs as pid 1 inside.  "$@" is dockerd and its arguments.
INIT = r"""
set -e
ip link set lo up
if [ -n "$ROOM_ROOT" ]; then
	# the root of another engine, with the room where it is outside
	mount --bind "$ROOM_ROOT" "$ROOM_ROOT"
	mount --rbind /sys "$ROOM_ROOT/sys"
	mount -t proc proc "$ROOM_ROOT/proc"
	mount --rbind /dev "$ROOM_ROOT/dev"
	mount -t tmpfs tmpfs "$ROOM_ROOT/tmp"
	mkdir -p "$ROOM_ROOT$ROOM"
	mount --rbind "$ROOM" "$ROOM_ROOT$ROOM"
	for path in etc/docker var/lib; do
		mount -t tmpfs tmpfs "$ROOM_ROOT/$path"
	done
	cd "$ROOM_ROOT"
	pivot_root . .
	umount -l .
	cd /
	hash -r
fi
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/docker/plugins
mount --bind "$ROOM_PLUGINS" /run/docker/plugins
# containerd makes a folder there, whatever it is told
if [ -d /opt/containerd ]; then
	mount -t tmpfs tmpfs /opt/containerd
else
	mount -t tmpfs tmpfs /opt
fi
while IFS= read -r pair; do
	[ -z "$pair" ] || mount --bind "${pair%%:*}" "${pair#*:}"
done <<<"$ROOM_BINDS"
(
	if [ -n "$ROOM_FD" ]; then
		[ "$ROOM_FD" = 3 ] || eval "exec 3<&$ROOM_FD $ROOM_FD<&-"
		export LISTEN_FDS=1 LISTEN_PID=$BASHPID
	fi
	exec "$@"
) &
wait $!
"""


def busybox_tar(extra=None):
    """A root file system of one static busybox, as bytes of a tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name in ("bin", "etc", "tmp", "proc", "sys", "dev", "data", "srv",
                     "root", "var", "run"):
            d = tarfile.TarInfo(name)
            d.type, d.mode = tarfile.DIRTYPE, 0o755
            t.addfile(d)
        files = {"etc/passwd": b"root:x:0:0:root:/:/bin/sh\n"
                               b"user:x:1000:1000::/:/bin/sh\n",
                 "etc/group": b"root:x:0:\nuser:x:1000:\n", **(extra or {})}
        with open("/bin/busybox", "rb") as f:
            files["bin/busybox"] = f.read()
        for name, data in files.items():
            f = tarfile.TarInfo(name)
            f.size, f.mode = len(data), 0o755 if "bin/" in name else 0o644
            t.addfile(f, io.BytesIO(data))
        for a in APPLETS:
            link = tarfile.TarInfo("bin/" + a)
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            t.addfile(link)
    return out.getvalue()


class Dockerd:
    """start() returns when the API answers; stop() leaves nothing behind.

    room      where everything goes (a Room)
    plugins   names for daemon.json's authorization-plugins; their sockets
              must answer before start()
    lab       a CA (certs.Lab or anything with .ca and .server()): opens a
              TLS listener on 127.0.0.1, port self.port
    binds     {folder of the room: place inside}: e.g. a private /srv
    engine    a newer one (engines.SUITES); None: that of this machine
    """

    def __init__(self, room, plugins=(), lab=None, binds=None, name="dockerd",
                 program="/usr/sbin/dockerd", config=None, engine=None, hosts=()):
        self.room = room
        self.root = engines.root_of(engine) if engine else ""
        self.folder = room.mkdir(name)
        self.program = program
        self.plugin_dir = room.mkdir(name, "plugins")
        self.socket = os.path.join(self.folder, "docker.sock")
        self.log = os.path.join(self.folder, "dockerd.log")
        self.config_file = os.path.join(self.folder, "daemon.json")
        self.binds = dict(binds or {})
        self.hosts = list(hosts)  # more places to listen, inside
        self.lab = lab
        self.port = None
        self.up = None
        self.pid = None
        self.cgroup = "/" + os.path.basename(room.path) + "-" + name
        self.config = {"cgroup-parent": self.cgroup,
                       "shutdown-timeout": 3,
                       "deprecated-key-path": os.path.join(self.folder,
                                                           "key.json"), **(config or {})}
        if plugins:
            self.config["authorization-plugins"] = list(plugins)
        if lab is not None:
            cert, key = lab.server()
            self.config.update(tlsverify=True, tlscacert=lab.ca, tlscert=cert,
                               tlskey=key)

    def plugin_socket(self, name):
        """Where a plugin called so must listen for this dockerd."""
        return os.path.join(self.plugin_dir, name + ".sock")

    def write_config(self):
        with open(self.config_file, "w", encoding="ascii") as f:
            json.dump(self.config, f, indent=1)

    def start(self, timeout=90.0):
        self.write_config()
        argv = [self.program, "--config-file", self.config_file,
                "--host", "unix://" + self.socket,
                "--data-root", os.path.join(self.folder, "data"),
                "--exec-root", "/run/dockerd", "--pidfile", "/run/dockerd.pid"]
        for host in self.hosts:
            argv += ["--host", host]
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("DOCKER_", "LISTEN_"))}
        env["PATH"] = env.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin"
        env.update(ROOM_PLUGINS=self.plugin_dir, ROOM_FD="",
                   ROOM=self.room.path, ROOM_ROOT=self.root,
                   ROOM_BINDS="".join(f"{a}:{b}\n"
                                      for a, b in self.binds.items()))
        fds = ()
        listener = None
        if self.lab is not None:
            listener = socket.socket()
            # a restart takes the same port again
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # the one that was killed may still be on its way out
            wait_until("the port", lambda: self.bind(listener), 30)
            listener.listen(128)
            self.port = listener.getsockname()[1]
            fds = (listener.fileno(),)
            env["ROOM_FD"] = str(listener.fileno())
            argv += ["--host", "fd://"]
        with open(self.log, "ab") as log:
            self.up = subprocess.Popen(
                ["unshare", "-n", "-m", "-p", "--fork", "--kill-child",
                 "--mount-proc", "--propagation", "private",
                 "bash", "-c", INIT, "init", *argv],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                pass_fds=fds, start_new_session=True,
                preexec_fn=die_with_parent)
        if listener is not None:
            listener.close()
        self.room.push(self.stop)
        wait_until("dockerd", self.answers, timeout, self.up, self.log)
        init = children(self.up.pid)[0]
        self.pid = next(p for p in children(init)
                        if command(p) == os.path.basename(self.program))
        return self

    def bind(self, listener):
        try:
            listener.bind(("127.0.0.1", self.port or 0))
            return True
        except OSError:
            return False

    def answers(self):
        try:
            return wire.request(self.socket, "GET", "/_ping", None, None,
                                20.0).status != 0
        except OSError:
            return False

    def reload(self, **changes):
        """Changes daemon.json and sends SIGHUP; None takes a key away."""
        mark = os.path.getsize(self.log)
        for k, v in changes.items():
            k = k.replace("_", "-")
            if v is None:
                self.config.pop(k, None)
            else:
                self.config[k] = v
        self.write_config()
        os.kill(self.pid, signal.SIGHUP)
        wait_until("dockerd reload", lambda: self.logged("Reloaded config",
                                                         mark), 30.0, self.up)

    def logged(self, text, since=0):
        with open(self.log, "rb") as f:
            f.seek(since)
            return text.encode() in f.read()

    def enter(self, *argv):
        """argv that runs inside: the containers' network, dockerd's mounts."""
        return ["nsenter", "-n", "-m", "-t", str(self.pid), *argv]

    def connect(self):
        return wire.connect_unix(self.socket)

    def import_image(self, api, name="busybox", tag="latest", extra=None):
        """Makes an image without any registry; through whichever door."""
        api.must("POST", f"/images/create?fromSrc=-&repo={name}&tag={tag}",
                 busybox_tar(extra), {"Content-Type": "application/x-tar"})

    def stop(self, graceful=False):
        """Ends everything inside.  The data stays for another start()."""
        if self.up is None:
            return
        proc, self.up = self.up, None
        if graceful and proc.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
            try:
                proc.wait(60)
            except subprocess.TimeoutExpired:
                pass
        end_process(proc, 1.0, signal.SIGKILL)
        self.pid = None
        remove_cgroups(self.cgroup)

    def tail(self):
        return tail(self.log)


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(x) for x in f.read().split()]
    except OSError:
        raise HarnessError(f"process {pid} is gone") from None


def command(pid):
    with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
        return f.read().strip()


def remove_cgroups(name):
    """The groups of the containers that were, once the last has died."""
    top = "/sys/fs/cgroup"
    left = []
    for _ in range(100):
        left = [path + name for path in
                [top] + [e.path for e in os.scandir(top) if e.is_dir()]
                if os.path.isdir(path + name)]
        if not left:
            return
        for path in left:
            for group, _, _ in os.walk(path, topdown=False):
                try:
                    os.rmdir(group)
                except OSError:
                    pass
        time.sleep(0.02)
