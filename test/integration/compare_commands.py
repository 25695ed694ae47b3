# SPDX-License-Identifier: Apache-2.0
"""The commands of the comparison, one a row, in the order in which they run.

A row is what stands behind `docker`, or a shell's line behind `sh:`.  What
more it needs stands beside it:

  data     what it reads; the end of it is the end of its input
  tty      it has a terminal: (text that is waited for, what is typed then) …
  tar      it writes a tar: its members are compared
  sort     the order of its lines is nobody's
  digits   its numbers are not compared
  named    errors name this object; the proxy asked for it by its id
  status   nothing but the exit status is compared
  differs  it is refused through the proxy and not by the daemon: the reason
"""
from harness.dockerd import busybox_tar


class Row:
    def __init__(self, line, data=None, tty=None, tar=False, sort=False,
                 digits=False, named=None, status=False, differs=None):
        self.line = line
        self.data = data
        self.tty = tty
        self.tar = tar
        self.sort = sort
        self.digits = digits
        self.named = named
        self.status = status
        self.differs = differs


def rows(text):
    """One a line; before it N: digits, S: sort, ?: status, or W, B: named."""
    out = []
    for line in filter(None, text.splitlines()):
        flag = line[0] if line[1] == " " else ""
        out.append(Row(line[2:] if flag else line, digits=flag == "N",
                       sort=flag == "S", status=flag == "?",
                       named={"W": "web", "B": "box"}.get(flag)))
    return out


# what is absent and would be changed is denied by its name, not answered 404
ABSENT = "2.8: what is absent is changed by nobody, by its name"

EMPTY = rows("""
version --format {{.Server.APIVersion}}
version --format {{.Client.APIVersion}}
version
info --format {{.Driver}}
info --format {{.Containers}}/{{.Images}}/{{.SecurityOptions}}
info
ps
ps -a
images
image ls --digests
network ls
volume ls
volume ls -q
system df
system df -v
plugin ls
container ls --filter status=exited
container prune -f
image prune -f
volume prune -f
network prune -f
""")

IMAGES = [
    Row("import - busybox:latest", data=busybox_tar()),
    Row("import -c 'ENV A=b' -c 'CMD [\"id\"]' -m 'a message' - made:1",
        data=busybox_tar({"etc/made": b"yes\n"})),
    *rows("""
run --rm made:1
run --rm made:1 env
S images
images -q
S images --no-trunc
S images --format {{.Repository}}:{{.Tag}}={{.Size}}
images --filter dangling=true
images --filter reference=b*
image ls busybox
image inspect busybox
image inspect --format {{.Config.Env}} made:1
inspect --type image made:1
image inspect nothere
inspect nothere
history busybox
history --no-trunc --format {{.Comment}}/{{.Size}} made:1
tag busybox localhost:5000/a/b:c
tag busybox other
tag nothere x
tag busybox UPPER
rmi localhost:5000/a/b:c
rmi other made:1
S images
pull 127.0.0.1:1/none
push 127.0.0.1:1/none
run --rm --pull never nothere true
"""),
    Row("rmi nothere"),
]

RUN = [
    *rows("""
run --rm busybox echo hello
run --rm busybox sh -c 'echo out; echo err >&2; exit 7'
run --rm busybox sh -c 'kill -9 $$'
run --rm busybox nothere
run --rm busybox /etc
run --rm --entrypoint '' busybox id -u
run --rm -e A=1 -e B busybox env
run --rm --env-file env busybox env
run --rm -w /new/dir busybox pwd
run --rm -u 1000 busybox id
run --rm -u nobodythere busybox id
run --rm --restart always busybox true
run --rm -p 99999:80 busybox true
run --badflag busybox
run
"""),
    Row("run --rm --network nothere busybox true", differs=ABSENT),
    Row("run -i --rm busybox cat", data=b"typed\nand more\n"),
    Row("run -i --rm busybox wc -c", data=b"x" * 1_000_000),
    Row("run -i --rm busybox sh -c 'cat >/dev/null; echo after; exit 5'",
        data=b"ends\n"),
    Row("run -i --rm busybox sh -c 'read a; echo got $a'",
        data=b"one\ntwo\n"),
    Row("run -i --rm busybox true", data=b"x" * 200_000),
    Row("run --rm busybox sh -c 'yes | head -c 3000000 | tail -c 10'"),
    Row("run -a stdout --rm busybox sh -c 'echo out; echo err >&2'"),
    Row("run -a stderr --rm busybox sh -c 'echo out; echo err >&2'"),
    Row("run --rm -t busybox sh -c 'tty; stty size; echo err >&2'"),
    Row("run --rm -it busybox sh", tty=[
        ("# ", "echo $((6*7))\n"), ("42", ""), ("# ", "exit 3\n")]),
    Row("run --rm -it busybox sh -c 'echo go; cat'", tty=[
        ("go", "line\n"), ("line", "\x04")]),
    Row("run --rm -it busybox sh -c 'trap \"echo caught; exit 4\" INT; "
        "echo go; while :; do sleep 0.1; done'", tty=[("go", "\x03")]),
]

OPTIONS = rows("""
run --rm -h box busybox hostname
run --rm --add-host a:10.1.2.3 busybox cat /etc/hosts
run --rm --dns 10.9.8.7 --dns-search corp busybox cat /etc/resolv.conf
run --rm --read-only busybox touch /x
run --rm --tmpfs /t:size=1m busybox df /t
run --rm -v vol1:/v busybox sh -c 'echo kept >/v/f'
run --rm -v vol1:/v:ro busybox cat /v/f
run --rm --mount type=volume,src=vol1,dst=/m busybox ls /m
run --rm -v /srv/shared:/s busybox sh -c 'echo bound >/s/f'
run --rm --mount type=bind,src=/nowhere,dst=/n busybox true
run --rm --memory 64m --memory-swap 64m --cpus 0.5 --pids-limit 50 busybox true
run --rm --memory 1k busybox true
run --rm --ulimit nofile=100:200 busybox sh -c 'ulimit -n'
run --rm --cap-drop ALL --cap-add CHOWN busybox grep CapEff /proc/self/status
run --rm --privileged busybox grep CapEff /proc/self/status
run --rm --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status
N run --rm --init busybox ps
run --rm --pid host busybox true
run --rm --network none busybox ls /sys/class/net
run --rm --device /dev/null:/dev/mine busybox ls /dev/mine
run --rm --sysctl net.ipv4.ip_forward=1 busybox cat /proc/sys/net/ipv4/ip_forward
run --rm --shm-size 8m busybox df /dev/shm
""")

LIVES = [
    *rows("""
create --name web -l tier=app -e MODE=dev busybox sh -c 'echo up; exec httpd -f -h /etc'
create --name web busybox true
ps
ps -a
start web
start web
ps
ps -q
ps --no-trunc --format {{.Names}}|{{.Image}}|{{.Status}}|{{.Ports}}|{{.Command}}
ps -a --filter label=tier=app --format {{.Names}}
ps -a --filter label=tier=none --format {{.Names}}
ps -s --format {{.Names}}
ps -l --format {{.Names}}
ps -n 1 --format {{.Names}}
inspect web
inspect -f {{.State.Status}} web
inspect -f '{{json .Config}}' web
inspect -s -f {{.Name}} web
container inspect web
logs web
N top web
N top web -o pid,comm
top web -nonsense
port web
diff web
exec web touch /made
diff web
stats --no-stream --format {{.Name}} web
rename web site
rename site web
pause web
W pause web
ps --format {{.Names}}:{{.Status}}
W exec web true
unpause web
W unpause web
update --memory 64m --memory-swap 128m web
inspect -f {{.HostConfig.Memory}}/{{.HostConfig.MemorySwap}} web
update --restart on-failure:3 web
inspect -f {{.HostConfig.RestartPolicy}} web
update --cpus 1.5 --pids-limit 77 web
update --memory 1k web
restart -t 0 web
stop -t 0 web
stop web
ps -a --format {{.Names}}:{{.Status}}
exec web true
N top web
start web
kill -s USR1 web
W kill -s NOSUCH web
kill web
W kill web
wait web
start web
W rm web
rm -f web
run -d --name pub -p 127.0.0.1:18080:80 -p 8053:53/udp busybox httpd -f -h /etc
S port pub
port pub 80
port pub 81
ps --format {{.Ports}}
run -d --name pub2 -p 127.0.0.1:18080:80 busybox sleep 100
rm -f pub pub2
run -d --name brief busybox sh -c 'sleep 0.3; exit 9'
wait brief
inspect -f {{.State.ExitCode}} brief
start -a brief
rm brief
run --name health --health-cmd true --health-interval 1s -d busybox sleep 100
inspect -f {{.Config.Healthcheck}} health
rm -fv health
run -d --cidfile cid busybox sleep 100
sh: docker rm -f $(cat cid) | wc -c
create --name limits --memory 32m --cpu-quota 50000 --cpu-period 100000 --oom-score-adj 5 busybox true
inspect limits
rm limits
"""),
    *[Row(x, differs=ABSENT) for x in (
        "start nobody", "stop nobody", "kill nobody", "rm nobody",
        "restart nobody", "pause nobody", "rename nobody x",
        "update -m 64m nobody", "rename nobody again")],
    *rows("""
exec nobody true
logs nobody
top nobody
diff nobody
port nobody
wait nobody
inspect nobody
container inspect nobody
stats --no-stream nobody
attach nobody
cp nobody:/x .
export nobody
"""),
]

EXEC = [
    Row("run -d --name box busybox sleep 1000"),
    *rows("""
exec box echo inside
exec box sh -c 'echo out; echo err >&2; exit 4'
exec box nothere
exec -e X=1 box sh -c 'echo $X'
exec -w /tmp box pwd
exec -u 1000 box id
exec -u nobodythere box id
exec -d box sh -c 'echo detached >/d; sleep 1000'
exec --privileged box grep CapEff /proc/self/status
exec --env-file env box env
exec box sh -c 'yes | head -c 2000000 | tail -c 6'
sh: docker exec box sh -c 'yes | head -c 5000000' | cksum
"""),
    Row("exec -i box cat", data=b"typed\n"),
    Row("exec -i box wc -c", data=b"x" * 1_000_000),
    Row("exec -i box sh -c 'cat >/in; wc -c </in; exit 6'",
        data=b"y" * 70_000),
    Row("exec -t box tty"),
    Row("exec -it box sh", tty=[("# ", "echo $((6*7))\n"),
                                ("42", ""), ("# ", "exit 2\n")]),
    Row("exec -it box sh", tty=[("# ", "echo g$((1))o; cat\n"), ("g1o", "again\n"),
                                ("again", "\x04"), ("# ", "exit\n")]),
    Row("exec -it -e TERM=dumb box sh -c 'sleep 0.5; echo $TERM; stty size'", tty=[]),
    Row("rm -f box"),
]

LOGS = [
    *rows("""
run -d --name tick busybox sh -c 'for i in 1 2 3 4; do echo tick $i; sleep 0.1; echo tock $i >&2; sleep 0.1; done'
logs -f tick
logs tick
logs --tail 1 tick
logs --tail 0 tick
logs -n 3 tick
logs -t tick
logs --details tick
logs --since 1h tick
logs --until 1h tick
logs --since nonsense tick
rm tick
run --name long busybox sh -c 'yes 0123456789 | head -n 50000'
sh: docker logs long | cksum
sh: docker logs long | head -n 3
rm long
create -i --name ai busybox sh -c 'cat; echo done'
"""),
    Row("start -ai ai", data=b"through attach\n"),
    *rows("""
logs ai
rm ai
run -d --name late busybox sh -c 'sleep 1; echo late; exit 3'
attach --no-stdin late
attach late
rm late
"""),
    Row("run -it --name detach busybox sh", tty=[
        ("# ", "echo $((6*7))\n"), ("42", "\x10\x11")]),
    Row("ps --format {{.Names}}:{{.Image}}"),
    Row("attach detach", tty=[("", "\n"), ("# ", "echo $((7*7))\n"),
                              ("49", "exit 8\n")]),
    *rows("""
inspect -f {{.State.ExitCode}} detach
rm detach
"""),
]

CP = [
    *rows("""
run -d --name box -v vol1:/v busybox sleep 1000
cp big box:/tmp/big
exec box wc -c /tmp/big
cp box:/tmp/big back
sh: cksum <back
cp tree box:/tmp/tree
exec box find /tmp/tree -type f
cp tree/. box:/tmp/flat
exec box ls /tmp/flat
cp box:/tmp/tree got
sh: find got -type f | sort; cat got/a/b
cp box:/etc/. etcs
sh: ls etcs
sh: docker cp -a box:/etc/passwd - | tar -t
cp -L box:/bin/ls sh
sh: ls -l sh | cut -c1-10
cp tree/a/b box:/v/inside
exec box cat /v/inside
cp nothere box:/tmp
B cp box:/nothere .
B cp tree/a/b box:/nothere/dir/x
cp box:/tmp box:/var
cp tree/a/b box:/proc/x
sh: tar -c tree | docker cp - box:/srv
exec box find /srv -type f
stop -t 0 box
cp tree/a/b box:/etc/stopped
sh: docker cp box:/etc/stopped - | tar -xO
"""),
    Row("export box", tar=True),
    *rows("""
export -o box.tar box
sh: tar -tf box.tar | grep -c .
commit -m 'a snapshot' -a me -c 'ENV Z=1' box snap:1
run --rm snap:1 sh -c 'cat /etc/stopped; echo $Z'
history --format {{.Comment}}/{{.CreatedBy}} snap:1
commit --pause=false box snap:2
image inspect -f {{.Author}}/{{.Comment}} snap:1
rmi snap:1 snap:2
rm box
"""),
]

SAVE = [
    Row("tag busybox two:1"),
    Row("save busybox", tar=True),
    Row("save busybox two:1", tar=True),
    Row("save nothere"),
    *rows("""
save -o both.tar busybox two:1
sh: tar -tf both.tar | grep -c .
rmi two:1
load -i both.tar
S images --format {{.Repository}}:{{.Tag}}
sh: docker save two:1 | gzip | docker load
rmi two:1
load -q -i both.tar
"""),
    Row("load", data=b"this is no tar"),
    Row("load", data=b""),
    Row("import - junk", data=b"neither is this"),
    Row("rmi two:1"),
]

BUILD = [
    Row("build -q -t app:1 ctx"),
    *rows("""
build -t app:1 ctx
run --rm app:1
image inspect -f {{.Config.Cmd}}/{{.Config.Env}} app:1
history --format {{.CreatedBy}} app:1
build --no-cache -t app:2 --build-arg V=2 --label l=m ctx
run --rm app:2
image inspect -f {{.Config.Labels.l}} app:2
build -t app:3 -f ctx/Other ctx
build --target first -t app:4 -f ctx/Other ctx
build -t bad -f ctx/Bad ctx
build -t bad -f ctx/Fails ctx
build -t bad nothere
build --network none -t app:5 ctx
build --memory 64m --rm=false -t app:6 --no-cache ctx
sh: tar -C ctx -c . | docker build -t app:7 -
sh: docker build -t app:8 - <ctx/Other
build -t UPPER ctx
build --add-host a:1.2.3.4 --shm-size 8m --ulimit nofile=99 -t app:9 ctx
"""),
    Row("build -", data=b"FROM busybox\nRUN true\n"),
    Row("build -", data=b""),
    *rows("""
image prune -f --filter until=24h
sh: docker rmi -f app:1 app:2 app:3 app:4 app:5 app:6 app:7 app:8 app:9 >/dev/null
? container prune -f
sh: docker image prune -f >/dev/null
builder prune -f
S images --format {{.Repository}}:{{.Tag}}
"""),
]

BUILDKIT = rows("""
buildx ls
buildx version
? buildx build -t kit:1 ctx
run --rm kit:1
? buildx build --progress plain --no-cache --build-arg V=2 --label l=m -t kit:2 ctx
run --rm kit:2
? buildx build -f ctx/Fails ctx
? buildx build -f ctx/Bad ctx
? buildx build -o type=local,dest=out ctx
sh: cat out/built out/f
? buildx build -o type=tar,dest=out.tar ctx
sh: tar -tf out.tar | grep -c .
? buildx build --target first -f ctx/Other -t kit:3 ctx
? sh: docker buildx build -t kit:4 - <ctx/Other
? sh: tar -C ctx -c . | docker buildx build -t kit:5 -
? buildx du
? buildx prune -f
? rmi kit:1 kit:2 kit:3 kit:4 kit:5
""")

NETWORKS = [
    *rows("""
network create net1
network create net1
network create --driver bridge --subnet 10.77.0.0/24 --gateway 10.77.0.1 --label a=b --opt com.docker.network.bridge.enable_icc=true net2
network create --subnet nonsense net3
network create --internal --ipv6=false net4
network ls --format {{.Name}}/{{.Driver}}
network ls --filter name=net1 --format {{.Name}}
network ls --filter label=a=b --format {{.Name}}
network ls -q --no-trunc
network inspect net2
network inspect bridge
network inspect -v net1
network inspect nothere
run -d --name srv --network net2 --ip 10.77.0.9 --network-alias www busybox httpd -f -h /etc
run --rm --network net2 busybox wget -qO- http://www/group
run --rm --network net2 busybox wget -qO- http://srv/group
network connect --alias other net1 srv
network connect net1 srv
inspect -f '{{json .NetworkSettings.Networks}}' srv
network disconnect net1 srv
network disconnect net1 srv
network rm net2
run --rm --network container:srv busybox wget -qO- http://127.0.0.1/group
run --rm --link srv:peer --network net2 busybox wget -qO- http://peer/group
network inspect -f '{{range .Containers}}{{.Name}}{{.IPv4Address}}{{end}}' net2
rm -f srv
network rm net2 net4
network prune -f
network ls --format {{.Name}}
network rm bridge
"""),
    Row("network rm nothere", differs=ABSENT),
    Row("network connect nothere nobody", differs=ABSENT),
]

VOLUMES = [
    *rows("""
volume create v1
volume create v1
volume create --label a=b --label c=d v2
volume create --driver local --opt type=tmpfs --opt device=tmpfs --opt o=size=1m v3
volume ls
volume ls -q --filter label=a=b
volume ls --filter dangling=true -q
volume ls --format {{.Name}}/{{.Driver}}
volume inspect v1
volume inspect v2 v3
volume inspect nothere
run --rm -v v3:/t busybox df /t
run -d --name uses -v v1:/d busybox sleep 1000
volume rm v1
run --rm --volumes-from uses busybox ls /d
rm -f uses
volume rm v1 v2 v3
"""),
    Row("volume rm nothere", differs=ABSENT),
    Row("volume create bad/name", differs="10.5: no volume is called so"),
    *rows("""
volume rm -f vol1
run --name anon -v /data busybox true
sh: docker volume ls -q | wc -l
rm -v anon
sh: docker volume ls -q | wc -l
volume prune -f
system df --format {{.Type}}/{{.TotalCount}}
"""),
]

EVENTS = [
    *rows("""
run --name e1 busybox true
rm e1
volume create e2
volume rm e2
network create e3
network rm e3
tag busybox e4
rmi e4
S events --since {since} --until {now} --format {{.Type}}/{{.Action}}
events --since {since} --until {now} --filter type=volume --format {{.Action}}/{{.Actor.ID}}
S events --since {since} --until {now} --filter container=e1
events --since {since} --until {now} --filter event=die --format {{.Actor.Attributes.exitCode}}
events --since {since} --until {now} --filter type=image --format {{.Status}}
events --since nonsense
events --since 1 --until 2
"""),
    Row("sh: docker events --since {since} --until {now} --format "
        "'{{json .}}' | grep -c '^{.*}$'"),
]

SWARM = rows("""
node ls
service ls
swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377
info --format {{.Swarm.LocalNodeState}}/{{.Swarm.Managers}}
node ls --format {{.Status}}/{{.Availability}}/{{.ManagerStatus}}
node inspect self --format {{.Spec.Role}}
sh: printf word | docker secret create s1 -
secret ls --format {{.Name}}
secret inspect s1
sh: printf text | docker config create c1 -
config ls --format {{.Name}}
config inspect --pretty c1
service create -d --name web --secret s1 --config c1 --replicas 0 busybox sleep 1000
service ls --format {{.Name}}/{{.Replicas}}/{{.Image}}
service inspect web
service inspect --pretty web
service update -d --env-add A=1 web
service update -d --rollback web
service scale -d web=0
service ps web
service logs web
service rm web
secret rm s1
config rm c1
network create -d overlay --attachable over
network ls --filter driver=overlay --format {{.Name}}
network rm over
swarm join-token -q nothere
swarm update --task-history-limit 3
swarm leave
swarm leave --force
""")

ENDS = rows("""
create --name z1 busybox true
create --name z2 busybox true
ps -aq
container prune -f --filter label=nope
container prune -f
S images -a -q
volume create zz
? system prune -f
? system prune -af --volumes
system df
images
ps -a
login -u a -p b 127.0.0.1:1
logout 127.0.0.1:1
""")

GROUPS = [EMPTY, IMAGES, RUN, OPTIONS, LIVES, EXEC, LOGS, CP, SAVE, BUILD,
          NETWORKS, VOLUMES, EVENTS, SWARM, ENDS]
# a newer engine and command line: what streams, and BuildKit
NEWER = [IMAGES, RUN, EXEC, LOGS, CP, SAVE, BUILDKIT, EVENTS]

# ------------------------------------------------- what the commands find

FILES = {
    "env": "C=3\nD=four words and more\n",
    "tree/a/b": "deep\n",
    "tree/c": "flat\n",
    "big": bytes(range(256)) * 20_000,
    "ctx/Dockerfile": """\
FROM busybox
ARG V=1
ENV MADE=$V
RUN echo built $V >/built
COPY f /f
LABEL tier=app
CMD ["cat", "/built", "/f"]
""",
    "ctx/f": "a file\n",
    "ctx/big": bytes(5_000_000),
    "ctx/.dockerignore": "ignored\n",
    "ctx/ignored": "x\n",
    "ctx/Other": """\
FROM busybox AS first
RUN echo one >/one
FROM busybox
COPY --from=first /one /two
""",
    "ctx/Bad": "FROM busybox\nNONSENSE here\n",
    "ctx/Fails": "FROM busybox\nRUN echo before; false\n",
}
