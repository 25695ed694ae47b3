#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""portreeve doctor beside a real dockerd that the plugin guards."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Dockerd, Lab, Plugin, Report, Room  # noqa: E402
from harness.room import wait_until  # noqa: E402

POLICY = """\
version: 1
teams:
  console: {anonymous: true}
hosts: {"*": [dev]}
phases: {dev: {audit: metadata}}
roles:
  seer: {allow: {system: [ping%s]}}
grants:
  - {id: see, team: console, role: seer, phases: ["*"], owner: any}
"""


def ask(p):
    done = p.command("doctor", "--config", p.config_file, "-o", "json")
    return {x["check"]: x for x in json.loads(done.stdout)}, done


def main():
    r = Report()
    with Room("doctor") as room:
        lab = Lab(room("ca"))
        d = Dockerd(room, plugins=["portreeve"], lab=lab,
                    config={"live-restore": True, "icc": False})
        p = Plugin(room, d.plugin_socket("portreeve"), d.socket,
                   POLICY % ", info, version").start()
        d.start()
        # the plugin looks for the daemon now and then
        wait_until("the plugin sees dockerd", lambda: ask(p)[0][
            "plugin-ready"]["result"] == "pass", log=p.log)
        got, done = ask(p)

        def expect(name, want, part):
            x = got[name]
            r.check(x["result"] == want and part in x["found"],
                    f"{name}: {want}: {part}", str(x) + done.stderr)
        expect("plugin", "pass", d.config_file)
        expect("plugin-socket", "pass", "0600")
        expect("plugin-ready", "pass", "200")
        expect("config", "pass", p.config_file)
        expect("listeners", "pass", "no TCP")
        expect("tls", "pass", "with CA")
        expect("live-restore", "pass", "true")
        expect("icc", "pass", "false")
        expect("userns-remap", "warn", "root")
        expect("file-tls-key", "pass", "docker.key")
        expect("file-daemon-json", "pass", d.config_file)
        version = got["grpc"]["found"].split()[1]
        r.check(version[0].isdigit(), "the engine says its version", version)
        r.check(got["storage-driver"]["result"] in ("pass", "warn"),
                "… its storage driver", str(got["storage-driver"]))
        r.check(got["seccomp-profile"]["result"] in ("pass", "fail"),
                "… and whether it filters calls", str(got["seccomp-profile"]))
        # the policy no longer lets root look: the plugin knows the version
        p.reload(POLICY % "")
        got, done = ask(p)
        expect("grpc", "pass", version)
        expect("seccomp-profile", "unknown", "anonymous")
        os.chmod(d.socket, 0o666)
        got, done = ask(p)
        expect("docker-socket", "fail", "0666")
        p.stop()
        got, done = ask(p)
        expect("plugin-ready", "fail", "")
        expect("seccomp-profile", "unknown", "answered 500")
        r.equal(done.returncode, 1, "without the plugin: exit 1")
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
