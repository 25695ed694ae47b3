#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""The docker SDK for Python under role developer and profile baseline."""
import os
import sys

import clients_kit as kit

# Runs under Debian's python, which has the SDK; prints what it did.
SCRIPT = r"""
import io, os, tarfile, docker

def tar(name, data):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        i = tarfile.TarInfo(name)
        i.size = len(data)
        t.addfile(i, io.BytesIO(data))
    return out.getvalue()

def step(name, value=True):
    print("step", name, "ok" if value else "WRONG", flush=True)

c = docker.from_env()
step("version", c.version()["Version"])
step("info", c.info()["ID"])
step("run", c.containers.run("busybox", "echo hello", remove=True) == b"hello\n")
net = c.networks.create("sdknet", labels={"a": "b"})
vol = c.volumes.create("sdkvol", labels={"a": "b"})
web = c.containers.run(
    "busybox", ["sleep", "1000"], name="sdk", detach=True, network="sdknet",
    environment={"MODE": "dev"}, labels={"tier": "web"}, mem_limit="64m",
    nano_cpus=500000000, pids_limit=50, volumes={"sdkvol": {"bind": "/d"}},
    ports={"80/tcp": ("127.0.0.1", 18081)}, read_only=False, init=True,
    restart_policy={"Name": "on-failure", "MaximumRetryCount": 3},
    ulimits=[docker.types.Ulimit(name="nofile", soft=100, hard=100)],
    healthcheck={"test": ["CMD", "true"]}, cap_drop=["ALL"],
    security_opt=["no-new-privileges"], tmpfs={"/t": "size=1m"})
step("list", [x.name for x in c.containers.list()] == ["sdk"])
web.reload()
step("inspect", web.status == "running")
step("exec", web.exec_run(["id"]).exit_code == 0)
step("exec stream", b"".join(web.exec_run(["cat", "/etc/passwd"],
                                          stream=True).output).startswith(b"root"))
step("put", web.put_archive("/tmp", tar("f", b"data\n")))
step("get", b"data\n" in b"".join(web.get_archive("/tmp/f")[0]))
step("logs", web.logs() == b"")
step("top", web.top()["Processes"])
step("stats", web.stats(stream=False)["id"] == web.id)
step("diff", web.diff() is not None)
web.update(mem_limit="128m", memswap_limit="256m")
step("update")
web.pause(), web.unpause(), web.rename("sdk2")
step("pause, rename")
web.stop(timeout=0), web.start(), web.restart(timeout=0), web.kill()
step("stop, start, restart, kill", web.wait()["StatusCode"] == 137)
img = web.commit("localhost/pay/sdk", "1")
step("commit", img.id)
net.disconnect(web), net.connect(web, aliases=["w"])
step("connect")
web.remove(v=True, force=True), net.remove(), vol.remove()
step("remove")
img, log = c.images.build(path=os.environ["CTX"], tag="localhost/pay/sdk:2",
                          buildargs={"V": "9"}, labels={"l": "m"}, rm=True,
                          extra_hosts={"db": "10.0.0.1"}, network_mode="none",
                          container_limits={"memory": 268435456})
step("build", c.containers.run("localhost/pay/sdk:2",
                               remove=True).startswith(b"built 9"))
step("images", len(c.images.list("localhost/pay/sdk")) == 2)
c.images.get("localhost/pay/sdk:2").tag("localhost/pay/sdk", "3")
for tag in "123":
    c.images.remove("localhost/pay/sdk:" + tag)
step("tag, remove")
try:
    c.containers.run("busybox", "true", privileged=True)
    step("privileged", False)
except docker.errors.APIError as e:
    step("privileged is refused", e.response.status_code == 403 and
         "privileged" in str(e))
"""

with kit.Room("sdk") as room:
    site = kit.Site(room)
    out = site.works("/usr/bin/python3", "-c", SCRIPT, env={
        "CTX": os.path.join(site.work, kit.context(site))})
    for line in out.splitlines():
        site.r.check(line.endswith(" ok"), "sdk: " + line)
    site.r.equal(len(out.splitlines()), 23, "every step was taken")
    sys.exit(site.end())
