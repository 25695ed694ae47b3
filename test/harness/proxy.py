# SPDX-License-Identifier: Apache-2.0
"""build/portreeve-proxy before a dockerd, with a configuration of one test."""
import os
import signal
import socket
import subprocess
import time

from . import wire
from .room import BUILD, HarnessError, die_with_parent, end_process, tail, \
    wait_until

CONFIG = """\
daemon: {{name: {name}, socket: {docker}}}
policy: {policy}
identity:
{identity}
directory: {directory}
audit: {{dir: {audit}, failure: deny, sync: {sync}, segment: 64MiB}}
ledger: {ledger}
proxy:
  deadline: 5s
{options}  listen:
    - name: tcp
      address: "127.0.0.1:{port}"
      tls: {{cert: {cert}, key: {key}, client_ca: {ca}{crl}}}
    - {{name: local, unix: {unix}, mode: "0666"}}
admin: {{socket: {admin}}}
"""


def free_port():
    """A port that nobody listens on now; the proxy takes it at once."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Proxy:
    """start() returns when both listeners take connections.

    docker     the daemon's socket
    lab        a CA (certs.Lab): makes the server's certificate
    crl        path of a revocation list, or None
    options    more lines below proxy:, indented by two blanks
    """

    def __init__(self, room, docker, lab, policy, ldif=None, identity=None,
                 host="host-1", sync="group", crl=None, options="",
                 name="proxy"):
        self.room = room
        self.lab = lab
        self.folder = room.mkdir(name)
        self.unix = os.path.join(self.folder, "local.sock")
        self.port = free_port()
        self.policy = room.mkdir(name, "policy.d")
        self.policy_file = os.path.join(self.policy, "policy.yaml")
        self.audit = room.mkdir(name, "audit", mode=0o700)
        self.log = os.path.join(self.folder, "proxy.log")
        self.config_file = os.path.join(self.folder, "portreeve.yaml")
        self.program = os.path.join(BUILD, "portreeve-proxy")
        self.proc = None
        room.write(os.path.join(name, "people.ldif"), ldif or "")
        cert, key = lab.server("proxy-" + name)
        identity = identity or '{source: lab, issuer: "CN=Lab CA", by: cn}'
        lines = [identity] if isinstance(identity, str) else identity
        self.write_policy(policy)
        with open(self.config_file, "w", encoding="utf-8") as f:
            f.write(CONFIG.format(
                name=host, docker=docker, policy=self.policy,
                identity="\n".join("  - " + x for x in lines),
                directory="{type: ldif, file: "
                + os.path.join(self.folder, "people.ldif") + "}",
                audit=self.audit, sync=sync,
                ledger=os.path.join(self.folder, "ledger.db"),
                port=self.port, cert=cert, key=key, ca=lab.ca,
                crl=f", crl: {crl}" if crl else "", unix=self.unix,
                options=options,
                admin=os.path.join(self.folder, "admin.sock")))

    def write_policy(self, text):
        with open(self.policy_file + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(self.policy_file + ".new", self.policy_file)

    def start(self, timeout=60.0):
        with open(self.log, "ab") as log:
            self.proc = subprocess.Popen(
                [self.program, "--config", self.config_file],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with_parent)
        self.room.push(self.stop)
        wait_until("portreeve-proxy", self.listens, timeout, self.proc,
                   self.log)
        return self

    def listens(self):
        try:
            with wire.connect_unix(self.unix):
                pass
            with socket.create_connection(("127.0.0.1", self.port), 5):
                return True
        except OSError:
            return False

    def connect(self, cert, key, timeout=30.0):
        """A TLS connection of that client."""
        return wire.connect_tls(self.port, cert, key, self.lab.ca, timeout)

    def docker_env(self, cn):
        """The environment in which `docker` speaks as cn."""
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("DOCKER_")}
        env.update(DOCKER_HOST=f"tcp://127.0.0.1:{self.port}",
                   DOCKER_TLS_VERIFY="1",
                   DOCKER_CERT_PATH=self.lab.bundle(cn),
                   DOCKER_CONFIG=self.room.mkdir("docker-config"),
                   DOCKER_BUILDKIT="0")
        return env

    def reload(self, policy=None, expect="reload", timeout=20.0):
        """Writes the policy when given, SIGHUP, waits for what it says."""
        mark = os.path.getsize(self.log)
        if policy is not None:
            self.write_policy(policy)
        self.proc.send_signal(signal.SIGHUP)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                f.seek(mark)
                text = f.read()
            if expect in text and text.endswith("\n"):
                return text
            if self.proc.poll() is not None:
                break
            time.sleep(0.02)
        raise HarnessError("portreeve-proxy: nothing said about a reload"
                           + tail(self.log))

    def records(self):
        """All lines of its log that are whole, as text."""
        out = []
        for name in sorted(os.listdir(self.audit)):
            if name.startswith("proxy") and name.endswith((".jsonl", ".log")):
                with open(os.path.join(self.audit, name),
                          encoding="utf-8") as f:
                    out += f.read().splitlines()
        return out

    def stop(self):
        if self.proc is None:
            return 0
        proc, self.proc = self.proc, None
        return end_process(proc)

    def tail(self):
        return tail(self.log)
