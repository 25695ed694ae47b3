# SPDX-License-Identifier: Apache-2.0
"""build/portreeve-plugin with a configuration made for one test."""
import os
import signal
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
plugin: {{socket: {socket}, deadline: {deadline}{alone}}}
admin: {{socket: {admin}}}
"""


class Plugin:
    """start() returns when /Plugin.Activate is answered.

    socket     where dockerd looks for it (Dockerd.plugin_socket(name))
    docker     dockerd's own socket, for look-ups
    policy     text of the policy (policy.d/policy.yaml), or None: the folder
               policy.d is filled before start() by somebody else
    ldif       text of the embedded directory, or None with directory=
    identity   lines of the identity list, YAML
    alone      there is no daemon: anonymous callers are taken all the same
    """

    def __init__(self, room, socket, docker, policy, ldif=None, identity=None,
                 directory=None, host="host-1", sync="group", deadline="2s",
                 name="plugin", extra="", alone=False):
        self.room = room
        self.folder = room.mkdir(name)
        self.socket = socket
        self.policy = room.mkdir(name, "policy.d")
        self.policy_file = os.path.join(self.policy, "policy.yaml")
        self.audit = room.mkdir(name, "audit", mode=0o700)
        self.admin = os.path.join(self.folder, "admin.sock")
        self.log = os.path.join(self.folder, "plugin.log")
        self.config_file = os.path.join(self.folder, "portreeve.yaml")
        self.program = os.path.join(BUILD, "portreeve-plugin")
        self.wrap = []  # words before the program: a debugger, a profiler
        self.proc = None
        if directory is None:
            room.write(os.path.join(name, "people.ldif"), ldif or "")
            directory = ("{type: ldif, file: "
                         + os.path.join(self.folder, "people.ldif") + "}")
        identity = identity or '{source: lab, issuer: "CN=Lab CA", by: cn}'
        lines = [identity] if isinstance(identity, str) else identity
        if policy is not None:
            self.write_policy(policy)
        with open(self.config_file, "w", encoding="utf-8") as f:
            f.write(CONFIG.format(
                name=host, docker=docker, policy=self.policy,
                identity="\n".join("  - " + x for x in lines),
                directory=directory, audit=self.audit, sync=sync,
                ledger=os.path.join(self.folder, "ledger.db"),
                socket=socket, deadline=deadline, admin=self.admin,
                alone=", accept_plain_tcp: true" if alone else "") + extra)

    def write_policy(self, text):
        with open(self.policy_file + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(self.policy_file + ".new", self.policy_file)

    def start(self, timeout=60.0, wait=True):
        with open(self.log, "ab") as log:
            self.proc = subprocess.Popen(
                [*self.wrap, self.program, "--config", self.config_file],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with_parent)
        self.room.push(self.stop)
        if wait:
            wait_until("portreeve-plugin", self.answers, timeout, self.proc,
                       self.log)
        return self

    def answers(self):
        try:
            a = wire.request(self.socket, "POST", "/Plugin.Activate", b"",
                             None, 10.0)
            return a.json == {"Implements": ["authz"]}
        except OSError:
            return False

    def reload(self, policy=None, expect="reload", timeout=20.0):
        """Writes the policy when given, SIGHUP, waits for a new log line."""
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
        raise HarnessError("portreeve-plugin: nothing said about a reload"
                           + tail(self.log))

    def call(self, message, kind="AuthZReq"):
        return wire.authz_call(self.socket, message, kind)

    def command(self, *args, check=False):
        """Runs build/portreeve; the completed process, text captured."""
        return subprocess.run([os.path.join(BUILD, "portreeve"), *args],
                              capture_output=True, text=True, check=check)

    def stop(self):
        if self.proc is None:
            return 0
        proc, self.proc = self.proc, None
        return end_process(proc)

    def tail(self):
        return tail(self.log)
