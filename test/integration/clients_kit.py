# SPDX-License-Identifier: Apache-2.0
"""What the tests of real clients share: a dockerd, guarded by the plugin or
with portreeve-proxy before it, a developer with packaging/policy/plugin-only.yaml (role developer, profile baseline), and the
clients themselves.  Images are made here; nothing is fetched.
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import (Dockerd, Lab, Plugin, Proxy, Report,  # noqa: E402
                     ROOT, Room, engines)
from harness.people import ldif  # noqa: E402
from harness.dockerd import busybox_tar  # noqa: E402

SHIPPED = os.path.join(ROOT, "packaging", "policy", "plugin-only.yaml")
OWN = """\
version: 1
labels: {{team: com.acme.team, phase: com.acme.phase}}
teams:
  pay: {{ldap: ["cn=pay,ou=groups,dc=acme,dc=com"]}}
  web: {{ldap: ["cn=web,ou=groups,dc=acme,dc=com"]}}
  ops: {{ldap: ["cn=ops,ou=groups,dc=acme,dc=com"]}}
hosts: {{"*": [dev]}}
phases: {{dev: {{audit: metadata}}}}
{more}
grants:
  - {{id: pay-dev, team: pay, role: {role}, phases: [dev], profile: {profile}}}
  - {{id: web-dev, team: web, role: developer, phases: [dev], profile: baseline}}
  - {{id: ops, team: ops, role: admin, phases: ["*"], owner: any, profile: unrestricted}}
"""
PEOPLE = {"alice": "pay", "mila": "web", "olga": "ops"}


class Site:
    """A guarded dockerd; run() is a command of one person.

    door    what guards it: "plugin" or "proxy"
    daemon  behind the proxy: None is a dockerd, else daemon(room, srv)
    engine  of the daemon: None, "26.1", "28.5"
    cli     whose clients: None is this machine's, else an engine's
    """

    def __init__(self, room, engine=None, cli=None, role="developer",
                 profile="baseline", more="", door="plugin", daemon=None):
        self.room = room
        self.door = door
        self.cli = cli
        self.r = Report()
        self.lab = Lab(room("ca"))
        for who in PEOPLE:
            self.lab.client(who)
        srv = room.mkdir("srv")
        os.makedirs(os.path.join(srv, "pay", "data"))
        binds = {srv: "/srv"}
        if door == "plugin":
            self.d = Dockerd(room, plugins=["portreeve"], lab=self.lab,
                             binds=binds, engine=engine)
            self.guard = Plugin(room, self.d.plugin_socket("portreeve"),
                                self.d.socket, None, ldif(PEOPLE))
        else:
            self.d = (daemon(room, srv) if daemon is not None else Dockerd(
                room, binds=binds, engine=engine)).start()
            self.guard = Proxy(room, self.d.socket, self.lab, "", ldif(PEOPLE))
            os.unlink(self.guard.policy_file)
        shutil.copy(SHIPPED, self.guard.policy)
        room.write(os.path.join(door, "policy.d", "own.yaml"), OWN.format(
            role=role, profile=profile, more=more))
        self.guard.start()
        if door == "plugin":
            self.d.start()
        self.port = (self.d if door == "plugin" else self.guard).port
        self.work = room.mkdir("work")
        self.must("olga", "docker", "import", "-", "busybox:latest",
                  data=busybox_tar())

    def environment(self, who):
        folder = self.lab.bundle(who)
        # python's requests prefers *_CA_BUNDLE to the CA that it is given
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("DOCKER_", "COMPOSE_", "BUILDKIT_"))
               and not k.endswith("_CA_BUNDLE")}
        env.update(DOCKER_HOST=f"tcp://127.0.0.1:{self.port}",
                   DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=folder,
                   DOCKER_CONFIG=folder, NO_COLOR="1", HOME=self.work,
                   DOCKER_BUILDKIT="0", PYTHONWARNINGS="ignore")
        return env

    def argv(self, argv):
        if self.cli is not None:
            return engines.client(self.cli, [self.room.path], argv)
        if argv[0] == "docker":  # Debian's, whatever else is installed
            return ["/usr/bin/docker", *argv[1:]]
        return list(argv)

    def run(self, who, *argv, data=None, env=None, cwd=None):
        """(status, stdout, everything) of a client's command."""
        inside = ["env", "-C", cwd or self.work, *argv] if self.cli else argv
        done = subprocess.run(
            self.argv(inside), input=data, capture_output=True, check=False,
            stdin=subprocess.DEVNULL if data is None else None,
            env={**self.environment(who), **(env or {})}, timeout=180,
            cwd=cwd or self.work)
        out = done.stdout.decode("utf-8", "replace")
        return done.returncode, out, out + done.stderr.decode("utf-8",
                                                              "replace")

    def must(self, who, *argv, **kw):
        status, out, text = self.run(who, *argv, **kw)
        if status != 0:
            raise RuntimeError(f"{who} {' '.join(argv)}: {text}")
        return out

    def works(self, *argv, says="", who="alice", **kw):
        """An ordinary command: it works, and is refused nothing."""
        status, out, text = self.run(who, *argv, **kw)
        ok = status == 0 and says in text and \
            "authorization denied" not in text
        self.r.check(ok, f"{who} $ {shown(argv)}",
                     f"status {status}, wanted {says!r}: {text[-1500:]}")
        return out.strip()

    def refused(self, *argv, says="", who="alice", **kw):
        status, _, text = self.run(who, *argv, **kw)
        self.r.check(status != 0 and "authorization denied" in text and
                     says in text, f"{who} is refused $ {shown(argv)}",
                     f"status {status}, wanted {says!r}: {text[-1500:]}")

    def end(self):
        """Nothing was refused behind the back of a client that goes on."""
        self.d.stop()
        self.r.equal(self.guard.stop(), 0, f"the {self.door} ends well")
        return self.r.end()


def shown(argv):
    text = " ".join(argv).replace("\n", "; ")
    return text if len(text) < 100 else text[:100] + "…"


# ---------------------------------------------------------------- commands

DOCKERFILE = """\
FROM busybox
ARG V=1
RUN echo built $V >/built
COPY f /f
LABEL tier=app
CMD ["cat", "/built", "/f"]
"""
SERVE = "mkdir -p /www; echo page >/www/index.html; exec httpd -f -h /www"
SHOP = """\
version: "3.7"
services:
  db:
    image: busybox
    stop_signal: SIGKILL
    command: sh -c "echo ready >/data/state && exec nc -ll -p 5432 -e cat /data/state"
    volumes: ["data:/data", "/srv/pay/data:/import:ro"]
    healthcheck: {test: ["CMD", "true"], interval: 1s}
    networks: {back: {aliases: [database]}}
  api:
    image: busybox
    stop_signal: SIGKILL
    command: sh -c "echo api is up; exec sleep 1000"
    environment: {MODE: dev}
    depends_on: [db]
    networks: [front, back]
    restart: on-failure:5
  web:
    image: busybox
    stop_signal: SIGKILL
    command: sh -c "mkdir -p /www; echo page >/www/index.html; exec httpd -f -h /www"
    ports: ["127.0.0.1:18080:80"]
    depends_on: [api]
    networks: [front]
    init: true
    labels: {tier: web}
volumes: {data: {}}
networks: {front: {}, back: {}}
"""


def look(s):
    """Who looks around changes nothing."""
    for argv in ("version", "info", "ps -a", "images", "network ls",
                 "volume ls", "history busybox", "image inspect busybox",
                 "network inspect bridge", "context ls",
                 "events --since 1 --until 2"):
        s.works("docker", *argv.split())


def one_container(s):
    """run, look into it, change it, end it."""
    d = ("docker",)
    s.works(*d, "run", "--rm", "busybox", "echo", "hello", says="hello")
    s.works(*d, "run", "-d", "--name", "web", "-p", "127.0.0.1:18080:80",
            "-e", "A=b", "-l", "x=y", "busybox", "sh", "-c", SERVE)
    s.works(*d, "ps", says="web")
    for argv in ("inspect web", "logs web", "top web", "port web", "diff web",
                 "stats --no-stream web", "container inspect -s web"):
        s.works(*d, *argv.split())
    s.works(*d, "exec", "web", "id", says="uid=0")
    s.works(*d, "exec", "-e", "X=1", "-w", "/tmp", "web", "pwd", says="/tmp")
    s.works(*d, "exec", "-i", "web", "cat", data=b"typed\n", says="typed")
    s.works(*d, "exec", "-d", "web", "sleep", "1")
    s.works(*d, "update", "--memory", "64m", "--memory-swap", "128m", "web")
    s.works(*d, "update", "--restart", "unless-stopped", "web")
    s.works(*d, "rename", "web", "web2")
    for argv in ("pause web2", "unpause web2", "restart -t 0 web2",
                 "stop -t 0 web2", "start web2", "kill web2", "start web2"):
        s.works(*d, *argv.split())
    ended = s.works(*d, "run", "-d", "busybox", "true")
    s.works(*d, "wait", ended, says="0")
    s.works(*d, "rm", ended)
    s.works(*d, "create", "--name", "c1", "busybox", "echo", "made first")
    s.works(*d, "start", "-a", "c1", says="made first")
    s.works(*d, "rm", "c1")


def options(s):
    """What people write behind run."""
    run = ("docker", "run", "--rm")
    s.works(*run, "-i", "busybox", "cat", data=b"stdin\n", says="stdin")
    s.works(*run, "--read-only", "--user", "1000", "--memory", "64m", "--cpus",
            "0.5", "--pids-limit", "50", "--ulimit", "nofile=100:100",
            "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
            "busybox", "id", says="uid=1000")
    s.works(*run, "--init", "--hostname", "h", "--dns", "10.0.0.1",
            "--add-host", "a:10.0.0.1", "--workdir", "/tmp", "--entrypoint",
            "pwd", "--env-file", "/dev/null", "busybox", says="/tmp")
    s.works(*run, "--mount", "type=tmpfs,dst=/t", "--tmpfs", "/u:size=1m",
            "--shm-size", "32m", "--stop-signal", "KILL", "--log-opt",
            "max-size=1m", "--health-cmd", "true", "--restart", "no",
            "--cpu-shares", "512", "--expose", "80", "busybox", "true")
    s.works(*run, "-v", "/srv/pay/data:/d", "busybox", "touch", "/d/x")
    s.works(*run, "-v", "/srv/pay/data:/d:ro", "busybox", "ls", "/d",
            says="x")
    s.works(*run, "--network", "none", "busybox", "true")
    s.works("docker", "run", "-d", "--name", "from", "-v", "shared:/s",
            "busybox", "sleep", "100")
    s.works(*run, "--volumes-from", "from", "--link", "from:f", "busybox",
            "ls", "/s")
    s.works("docker", "rm", "-fv", "from")
    s.works("docker", "volume", "rm", "shared")


def nets_and_volumes(s):
    d = ("docker",)
    s.works(*d, "network", "create", "--label", "x=y", "net1")
    s.works(*d, "network", "inspect", "net1")
    s.works(*d, "network", "connect", "--alias", "www", "net1", "web2")
    s.works(*d, "run", "--rm", "--network", "net1", "busybox", "wget", "-qO-",
            "http://www/", says="page")
    s.works(*d, "network", "disconnect", "net1", "web2")
    s.works(*d, "network", "rm", "net1")
    s.works(*d, "volume", "create", "--label", "x=y", "v1")
    s.works(*d, "volume", "inspect", "v1")
    for name in ("v1", "v2"):
        s.works(*d, "run", "--rm", "-v", name + ":/d", "busybox", "touch",
                "/d/x")
    s.works(*d, "volume", "rm", "v1", "v2")


def copies(s):
    """docker cp both ways, a file, a folder and a stream."""
    d = ("docker", "cp")
    s.room.write("work/f", "data\n")
    s.room.write("work/tree/a/b", "deep\n")
    s.works(*d, "f", "web2:/tmp/f")
    s.works(*d, "tree", "web2:/tmp/tree")
    s.works("docker", "exec", "web2", "cat", "/tmp/f", "/tmp/tree/a/b",
            says="deep")
    s.works(*d, "web2:/tmp/f", "back")
    s.works(*d, "web2:/tmp/tree", "backtree")
    s.works(*d, "web2:/tmp/f", "-", says="data")
    with open(s.room("work", "backtree", "a", "b"), encoding="ascii") as f:
        s.r.equal(f.read(), "deep\n", "what came back is what went in")


def images(s):
    d = ("docker",)
    own = "localhost/pay/"
    s.works(*d, "commit", "-m", "a snapshot", "-c", "LABEL made=here", "web2",
            own + "snap:1")
    s.works(*d, "tag", own + "snap:1", own + "snap:2")
    s.works(*d, "run", "--rm", own + "snap:2", "echo", "again", says="again")
    s.works(*d, "rmi", own + "snap:2")
    s.works(*d, "import", "-", own + "imported:1", data=busybox_tar())
    s.works(*d, "rmi", own + "imported:1", own + "snap:1")


def context(s, name="ctx"):
    s.room.write(f"work/{name}/Dockerfile", DOCKERFILE)
    s.room.write(f"work/{name}/f", "a file\n")
    return name


def classic_build(s, build=("docker", "build")):
    ctx = context(s)
    own = "localhost/pay/app:"
    s.works(*build, ctx)
    s.works(*build, "-t", own + "1", ctx)
    s.works(*build, "-t", own + "2", "-t", own + "two", "--build-arg", "V=2",
            "--no-cache", "--label", "l=m", "--network", "none", "--rm",
            "-f", ctx + "/Dockerfile", "--memory", "256m", ctx)
    s.works("docker", "run", "--rm", own + "two", says="built 2")
    s.works(*build, "-t", own + "3", "--cache-from", "busybox", "-",
            data=b"FROM busybox\nRUN true\n")
    s.works("docker", "rmi", own + "1", own + "2", own + "two", own + "3")
    s.refused(*build, "-t", "busybox:latest", ctx, says="images.write")
    s.refused(*build, "--network", "host", ctx, says="build.network")
    s.refused(*build, "--cache-from", "evil.example/x", ctx,
              says="images.allow")


def refusals(s):
    """The same people, and what the policy means to refuse."""
    run = ("docker", "run", "--rm")
    s.refused(*run, "--privileged", "busybox", "true", says="privileged")
    s.refused(*run, "-v", "/:/host", "busybox", "true")
    s.refused(*run, "-v", "/var/run/docker.sock:/s", "busybox", "true")
    s.refused(*run, "--pid", "host", "busybox", "true", says="pid")
    s.refused(*run, "--network", "host", "busybox", "true", says="network")
    s.refused("docker", "exec", "--privileged", "web2", "id",
              says="exec.privileged")
    s.refused("docker", "exec", "-u", "1000", "web2", "id", says="exec.user")
    s.refused("docker", "exec", "web2", "id", who="mila")
    s.refused("docker", "cp", "f", "web2:/tmp/f", who="mila")
    s.refused("docker", "cp", "web2:/etc", "x", who="mila")
    s.refused("docker", "rm", "-f", "web2", who="mila")
    s.refused("docker", "rmi", "busybox", says="images.write")
    s.refused("docker", "container", "prune", "-f")
    s.refused("docker", "export", "web2", says="denies it")


def ordinary(s):
    look(s)
    one_container(s)
    options(s)
    nets_and_volumes(s)
    copies(s)
    images(s)
    refusals(s)
    s.works("docker", "rm", "-f", "web2")


def compose(s, command):
    """A project of three services, from up to down."""
    s.room.write("work/shop/docker-compose.yml", SHOP)
    project = s.room("work", "shop", "docker-compose.yml")

    def c(*argv, **kw):
        return s.works(*command, "-f", project, *argv, **kw)
    c("config")
    c("up", "-d")
    c("ps", says="web")
    c("logs", says="api is up")
    c("exec", "-T", "api", "nc", "database", "5432", says="ready")
    c("exec", "-T", "web", "wget", "-qO-", "http://localhost/", says="page")
    for argv in ("top", "images", "port web 80", "stop -t 0 web", "start web",
                 "restart -t 0 web", "pause api", "unpause api",
                 "up -d --force-recreate -t 0 api", "up -d --scale api=2",
                 "kill web", "rm -f web", "up -d"):
        c(*argv.split())
    c("run", "--rm", "-T", "api", "echo", "once", says="once")
    c("down", "-v", "-t", "0")
    # attached: it follows the events until it is stopped
    status, _, text = s.run("alice", "timeout", "-s", "INT", "10", *command,
                            "-f", project, "up", "-t", "0")
    s.r.check("Attaching to" in text and "authorization denied" not in text
              and status in (0, 124, 130), "alice $ compose up, attached",
              f"status {status}: {text}")
    c("down", "-v", "-t", "0")


# Runs under Debian's python, which has the SDK; prints what it did.
SDK = r"""
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


def sdk(s):
    """The docker SDK for Python, step by step."""
    out = s.works("/usr/bin/python3", "-c", SDK, env={
        "CTX": os.path.join(s.work, context(s))})
    for line in out.splitlines():
        s.r.check(line.endswith(" ok"), "sdk: " + line)
    s.r.equal(len(out.splitlines()), 23, "every step was taken")
