# SPDX-License-Identifier: Apache-2.0
"""podman's Docker-compatible service of this machine, in namespaces of its
own as harness/dockerd.py's: with kill it is gone whole."""
import os
import signal
import subprocess

from . import wire
from .room import die_with_parent, end_process, wait_until

INSIDE = r"""
set -e
ip link set lo up
mount -t tmpfs -o mode=755 tmpfs /run
[ ! -d /var/lib/cni ] || mount -t tmpfs tmpfs /var/lib/cni
mount --bind "$ROOM_SRV" /srv
exec "$@"
"""
CONF = """\
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
network_cmd_path = ""
[containers]
log_driver = "k8s-file"
[network]
network_config_dir = "{folder}/networks"
"""


class Podman:
    """start() returns when the API answers on self.socket."""

    def __init__(self, room, srv, name="podman"):
        self.room = room
        self.folder = room.mkdir(name)
        self.srv = srv
        self.socket = os.path.join(self.folder, "podman.sock")
        self.log = os.path.join(self.folder, "podman.log")
        self.up = None

    def start(self, timeout=60.0):
        conf = os.path.join(self.folder, "containers.conf")
        room_conf = CONF.format(folder=self.folder)
        self.room.write(conf, room_conf)
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("DOCKER_", "CONTAINER"))}
        env.update(CONTAINERS_CONF=conf, ROOM_SRV=self.srv,
                   HOME=self.folder, TMPDIR=self.room.mkdir("podman", "tmp"))
        with open(self.log, "ab") as log:
            self.up = subprocess.Popen(
                ["unshare", "-n", "-m", "-p", "--fork", "--kill-child",
                 "--mount-proc", "--propagation", "private",
                 "bash", "-c", INSIDE, "podman", "podman",
                 "--root", os.path.join(self.folder, "root"),
                 "--runroot", "/run/podman-runroot",
                 "--storage-driver", "vfs", "system", "service",
                 "--time=0", "unix://" + self.socket],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                start_new_session=True, preexec_fn=die_with_parent)
        self.room.push(self.stop)
        wait_until("podman", self.answers, timeout, self.up, self.log)
        return self

    def answers(self):
        try:
            return wire.request(self.socket, "GET", "/_ping", None, None,
                                20.0).status == 200
        except OSError:
            return False

    def connect(self):
        return wire.connect_unix(self.socket)

    def stop(self):
        if self.up is not None:
            proc, self.up = self.up, None
            end_process(proc, 1.0, signal.SIGKILL)
