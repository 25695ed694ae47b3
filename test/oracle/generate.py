# SPDX-License-Identifier: Apache-2.0
"""Random policies and random requests over one small world, so that names
meet and every outcome is common.  All chance comes from one seeded source.
"""
import json
import random
import urllib.parse

TEAMS = ["alpha", "bravo", "ci", "console", "delta"]
PHASES = ["dev", "prod", "test"]
TEAM_KEY, PHASE_KEY = "com.acme.team", "com.acme.phase"
USERS = ["alice", "alice", "bob", "bob", "x*", "a/b", "..", "h:1"]
HEX64 = ["%x" % i * 64 for i in range(1, 6)]
IMAGES = ["alpine", "alpine:3.18", "reg.acme.com/alpha/app:1.2",
          "reg.acme.com/alpha/app", "docker.io/library/busybox",
          "reg.acme.com/bravo/x@sha256:" + "a" * 64,
          "localhost:5000/t/u:v", "acme/tool", "index.docker.io/acme/tool",
          "sha256:" + "b" * 64, "c" * 64, "beef", "alpine:3.18@sha256:" +
          "d" * 64]
IMAGE_PATTERNS = ["**", "docker.io/library/*", "alpine", "alpine:3.18",
                  "reg.acme.com/**", "reg.acme.com/${team}/*",
                  "docker.io/**", "reg.acme.com/alpha/app:*",
                  "reg.acme.com/*/x@sha256:" + "a" * 64, "acme/*",
                  "reg.acme.com/alpha/app:latest", "localhost:5000/**"]
CAPS = ["SYS_ADMIN", "cap_net_admin", "CAP_CHOWN", "NET_BIND_SERVICE", "ALL",
        "chown"]
PATHS = ["/srv/alpha/data", "/srv/alpha", "/srv/bravo/x", "/etc",
         "/etc/localtime", "/var/run/docker.sock", "/srv/alice/h", "/",
         "/srv/alpha/../bravo", "//srv//alpha/data/", "/s/x"]
PATH_PATTERNS = ["/srv/${team}/**", "/etc/localtime:ro", "/srv/*", "/**",
                 "/srv/${user}/*", "/etc:ro", "/srv/**:ro", "/srv/alpha",
                 "/srv/*/x", "/srv/${phase}/**", "/s*/x", "/s/*"]
ENV = ["PATH=/bin", "DB_PASSWORD=x", "TOKEN", "Secret_Key=1", "LANG=C",
       "a/b=c", "=x"]
SECURITY = ["no-new-privileges", "no-new-privileges:true",
            "no-new-privileges=false", "seccomp=unconfined",
            "seccomp:unconfined", "seccomp=builtin", "seccomp={}",
            "apparmor=unconfined", "apparmor:mine", "label=disable",
            "label:type:foo", "label=level:s0", "writable-cgroups=true",
            "foo=bar", "disable"]
MASKED = ["/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys",
          "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
          "/proc/sched_debug", "/proc/scsi", "/sys/firmware"]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
            "/proc/sysrq-trigger"]
VIA = ["ed25519:" + c * 43 + "=" for c in "AE"]
MB, GB = 1 << 20, 1 << 30


class Source:
    """Chance, with a few words for it."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.pick = self.r.choice

    def chance(self, p):
        return self.r.random() < p

    def some(self, items, least=0, most=None):
        most = min(len(items), 3 if most is None else most)
        return self.r.sample(items, self.r.randint(min(least, most), most))


# -- policies -------------------------------------------------------------

LEAVES = {
    "unknown_fields": ["deny", "allow"],
    "privileged": [True, False],
    "namespaces.network": (["private", "none", "own", "host",
                            "container:own"],),
    "namespaces.pid": (["private", "host", "container:own"],),
    "namespaces.ipc": (["private", "none", "shareable", "host",
                        "container:own"],),
    "namespaces.uts": (["private", "host"],),
    "namespaces.user": (["default", "host"],),
    "namespaces.cgroup": (["private", "host"],),
    "mounts.bind": (PATH_PATTERNS,),
    "mounts.protected": ["deny", "allow"],
    "mounts.shared_trees": [True, False],
    "mounts.propagation": (["private", "rprivate", "rslave", "shared"],),
    "mounts.relabel": [True, False],
    "mounts.volumes": ["none", "own", "any"],
    "mounts.volume_drivers": (["local", "nfs", "vieux/sshfs"],),
    "mounts.volume_opts": (["type", "type=tmpfs", "o=size=1m", "device",
                            "size", "*", "*"],),
    "mounts.volumes_from": ["none", "own", "any"],
    "mounts.tmpfs": [True, False, ["exec"], ["suid", "dev"], []],
    "mounts.images": (IMAGE_PATTERNS,),
    "capabilities.add": (CAPS,),
    "capabilities.drop": (["ALL", "NET_RAW", "cap_mknod"],),
    "security.seccomp": (["default", "unconfined", "builtin", "custom"],),
    "security.apparmor": (["default", "unconfined", "mine", "*"],),
    "security.selinux": (["default", "disable", "type:foo", "level:s0"],),
    "security.no_new_privileges": ["any", "required"],
    "security.masked_paths": ["default", "any"],
    "security.options": (["writable-cgroups=true", "foo=bar",
                          "credentialspec=file://*"],),
    "devices.allow": (["/dev/fuse", "/dev/snd/**", "/dev/**", "/dev/*"],),
    "devices.requests": ([{"driver": "nvidia", "capabilities": ["gpu"],
                           "count": 1},
                          {"driver": "cdi", "capabilities": [],
                           "count": 0},
                          {"driver": "nvidia", "capabilities": ["*"],
                           "count": -1},
                          {"driver": "swarm", "capabilities": ["gpu"],
                           "count": 2}],),
    "devices.cgroup_rules": (["c 1:3 mr", "a *:* rwm", "c * mr"],),
    "kernel.sysctls": (["net.core.somaxconn", "net.ipv4.*", "net.*"],),
    "kernel.runtimes": (["default", "runc", "kata"],),
    "kernel.cgroup_parent": (["/alpha", "/sys/*", "/${team}", "*"],),
    "kernel.oom_kill_disable": [True, False],
    "kernel.oom_score": ["0..1000?", "-500..500?", "100..200"],
    "kernel.annotations": (["a.b/c", "run.oci", "a*", "*"],),
    "kernel.storage_opt": (["size", "size=10G"],),
    "kernel.group_add": (["audio", "1000", "a*"],),
    "kernel.cpuset": ["any", ["0-1"], ["0", "1"]],
    "kernel.realtime": [True, False],
    "kernel.blkio": ["none", "any", "devices"],
    "net.links": ["own", "any", "none"],
    "net.extra_hosts": ["any", [], ["h:10.0.0.1"], ["*:host-gateway"],
                        ["h:*"]],
    "net.dns": ["any", [], ["10.0.0.2", "corp"]],
    "net.static_ip": [True, False],
    "net.driver_opts": (["ifname", "a=b"],),
    "images.allow": (IMAGE_PATTERNS,),
    "images.digest": ["any", "required"],
    "images.write": (IMAGE_PATTERNS,),
    "images.push": (IMAGE_PATTERNS,),
    "images.from_src": (["https://files.acme.com/pub/**", "http://**",
                         "https://*/x.tar"],),
    "net.drivers": (["default", "bridge", "macvlan", "ipvlan*"],),
    "net.options": (["parent", "mtu=1400", "com.docker.*"],),
    "net.ipam_drivers": (["default", "dhcp"],),
    "build.network": (["default", "none", "own", "host",
                       "container:own"],),
    "build.remote": (["https://github.com/acme/**", "https://git.acme.com/**",
                      "http://**", "**"],),
    "build.secrets": [True, False],
    "build.opaque": [True, False],
    "exec.privileged": [True, False],
    "exec.user": (["same-as-container", "any", "root", "app", "1000"],),
    "log_opts": (["max-size", "syslog-*", "tag=x", "t*"],),
    "log_drivers": (["default", "json-file", "syslog", "none"],),
    "limits.memory": ["..1GiB?", "64MiB..1GiB", "..2G", "128M..?"],
    "limits.swap": ["..2GiB?", "..1GiB", "1M..4GiB"],
    "limits.cpus": ["..2?", "0.1..2", "..1.5", "0.5..1?"],
    "limits.pids": ["..100?", "1..256", "..1000"],
    "limits.ulimits": [{"nofile": "..1024?"}, {"nofile": "..65536",
                                               "core": "0..0?"},
                       {"core": "..100?"}],
    "limits.shm": ["..64MiB?", "..1GiB", "1M..128M?"],
    "ports.bind": (["127.0.0.1", "::1", "0.0.0.0", "::", "10.0.0.0/8",
                    "0.0.0.0/0", "::/0"],),
    "ports.range": ["none", "1024-65535", "8000-8010", "80-80"],
    "limits.cpu_shares": ["2..1024", "..4?"],
    "ports.container": ["none", "23-65535", "80-80"],
    "ports.publish_all": [True, False],
    "restart": (["no", "always", "unless-stopped", "on-failure",
                 "on-failure:5", "on-failure:2"],),
    "env.forbid": (["*PASSWORD*", "TOKEN", "secret*", "*/*", "l*"],),
    "require.user": ["any", "non-root"],
    "require.read_only_rootfs": [True, False],
    "require.healthcheck": [True, False],
    "require.labels": (["ticket", "cost"],),
}
COMMON = ["images.allow", "images.write", "net.drivers", "namespaces.network", "mounts.bind", "exec.user",
          "restart", "ports.bind", "ports.range", "ports.container"]
GENEROUS = {"images.allow": ["**"], "images.write": ["**"],
            "images.push": ["**"]}
# what almost every request needs
ORDINARY = {"namespaces.network": "private", "namespaces.pid": "private",
            "namespaces.ipc": "private", "namespaces.uts": "private",
            "namespaces.user": "default", "namespaces.cgroup": "private",
            "security.seccomp": "default", "security.apparmor": "default",
            "security.selinux": "default", "kernel.runtimes": "default",
            "log_drivers": "default", "restart": "no",
            "exec.user": "same-as-container",
            "build.network": "default",
            "mounts.volume_drivers": "local", "net.drivers": "default"}
DEMANDS = {"capabilities.drop", "security.no_new_privileges",
           "images.digest", "limits.memory", "limits.swap", "limits.cpus",
           "limits.pids", "limits.ulimits", "limits.shm", "require.user",
           "require.read_only_rootfs", "require.healthcheck",
           "require.labels", "kernel.oom_score"}
VERBS = {
    "container": ["create", "exec", "start", "stop", "remove", "inspect",
                  "list", "rename", "restart", "attach", "wait", "kill",
                  "logs", "archive-read", "archive-write", "exec-start",
                  "pause", "unpause", "update", "commit", "checkpoint",
                  "*", "attach-ws", "export", "stats", "prune",
                  "exec-inspect", "resize"],
    "image": ["list", "inspect", "pull", "remove", "*", "prune"],
    "network": ["list", "inspect", "create", "connect", "remove", "*"],
    "volume": ["list", "inspect", "create", "remove", "*"],
    "system": ["ping", "version", "info", "events", "df", "*"],
    "service": ["list", "create", "inspect", "*"],
    "secret": ["create", "list", "inspect", "remove"],
    "plugin": ["*"], "swarm": ["*"], "build": ["run", "prune"],
    "config": ["create", "inspect"], "task": ["inspect"],
}


def put(tree, path, v):
    parts = path.split(".")
    for p in parts[:-1]:
        tree = tree.setdefault(p, {})
    tree[parts[-1]] = v


def verb_map(g, least, most, wide=0.0):
    if g.chance(wide):
        return {"*": ["*"]}
    out = {}
    for res in ["container"] * g.chance(0.8) + g.some(
            sorted(VERBS), least, most):
        out[res] = ["*"] if g.chance(wide) else \
            g.some(VERBS[res], 1, 8)
    return out or {"container": ["kill"]}


def profile(g, parents):
    tree = {}
    if parents and g.chance(0.35):
        tree["extends"] = g.pick(parents)
    mode = g.pick([0.03, 0.1, 0.3, 0.7])
    for path, values in LEAVES.items():
        if not g.chance(max(mode, 0.6 if path in COMMON else 0)):
            continue
        if path in GENEROUS and g.chance(0.6):
            put(tree, path, GENEROUS[path])
        elif path in DEMANDS and g.chance(0.6):
            continue
        elif isinstance(values, tuple):
            most = len(values[0]) if g.chance(0.5) else 3
            some = g.some(values[0], 0, most)
            if path in ORDINARY and ORDINARY[path] not in some and \
                    g.chance(0.9):
                some.append(ORDINARY[path])
            if path == "namespaces.network" and "own" not in some and \
                    g.chance(0.3):
                some.append("own")
            put(tree, path, some)
        else:
            put(tree, path, g.pick(values))
    return tree


def window(g):
    days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    return "%s %02d:%02d..%s %02d:%02d %s" % (
        g.pick(days), g.r.randrange(24), g.pick([0, 30]), g.pick(days),
        g.r.randrange(24), g.pick([15, 45]),
        g.pick(["UTC", "Europe/Berlin", "America/New_York"]))


def phase(g):
    out = {}
    if g.chance(0.4):
        out["mode"] = "complain"
    if g.chance(0.12):
        f = {"windows": [window(g) for _ in range(g.r.randint(1, 2))]}
        if g.chance(0.4):
            f["except"] = g.some(TEAMS, 1, 2)
        if g.chance(0.3):
            f["allow"] = {"container": g.some(
                ["stop", "kill", "create", "exec", "start"], 1)}
        out["freeze"] = f
    return out


def quota(g):
    q = {"team": g.pick(["*", "alpha", "bravo"])}
    if g.chance(0.6):
        q["phases"] = g.pick([["*"], g.some(PHASES, 1)])
    for name, values in (("containers", [1, 2, 4, 40]),
                         ("memory", ["512MiB", "1GiB", "8GiB"]),
                         ("cpus", [1, "1.5", 8]), ("ports", [0, 1, 3])):
        if g.chance(0.5):
            q[name] = g.pick(values)
    if len(q) < 3:
        q["containers"] = 3
    return q


def policy(g):
    """(document, host)"""
    doc = {"version": 1, "labels": {"team": TEAM_KEY, "phase": PHASE_KEY},
           "teams": {t: {"cert": ["spiffe://acme/%s/*" % t]}
                     for t in TEAMS}}
    doc["teams"]["ci"]["acts_for"] = "alpha"
    doc["teams"]["console"] = {"anonymous": True}
    doc["hosts"] = {"dev-1": g.some(PHASES, 1), "dev-*": g.some(PHASES, 1),
                    "*": [g.pick(PHASES)]}
    if g.chance(0.05):
        del doc["hosts"]["*"]
    host = g.pick(["dev-1", "dev-1", "dev-2", "other"])
    doc["phases"] = {p: phase(g) for p in PHASES}
    roles = doc["roles"] = {}
    for i in range(g.r.randint(1, 4)):
        role = roles["r%d" % i] = {"allow": verb_map(g, 0, 4, 0.7)}
        if i and g.chance(0.3):
            role["extends"] = "r%d" % g.r.randrange(i)
        if g.chance(0.25):
            role["deny"] = verb_map(g, 0, 1, 0.02)
    profiles = doc["profiles"] = {}
    for i in range(g.r.randint(1, 4)):
        profiles["p%d" % i] = profile(g, sorted(profiles))
    doc["grants"] = []
    for i in range(g.pick([1, 2, 3, 3, 4, 5, 9] if g.chance(0.96) else [0])):
        grant = {"id": "g%d" % g.r.randrange(10 ** 6),
                 "team": g.pick(TEAMS[:3] + TEAMS[:3] + TEAMS + ["*"] * 9),
                 "role": g.pick(sorted(roles)),
                 "phases": g.pick([["*"], PHASES, g.some(PHASES, 1)])}
        if g.chance(0.5):
            grant["owner"] = g.pick(["own", "any", "any", "any",
                                     g.some(TEAMS, 1)])
        if g.chance(0.9):
            grant["profile"] = "unrestricted" if g.chance(0.15) else \
                g.pick(sorted(profiles))
        if "profile" in grant and g.chance(0.4):
            grant["stored_specs"] = "any"
        if g.chance(0.06):
            grant["promoted_from"] = {
                "phase": g.pick(PHASES),
                "min_runtime": g.pick(["1h", "90m", "0s", "2d"])}
            if g.chance(0.5):
                grant["promoted_from"]["via"] = g.some(VIA, 1, 2)
        doc["grants"].append(grant)
    if g.chance(0.25):
        doc["cluster_phases"] = g.some(PHASES, 1)
    doc["guards"] = []
    for i in range(g.pick([0, 0, 0, 0, 0, 1, 2])):
        guard = {"id": "n%d" % g.r.randrange(10 ** 6),
                 "deny": verb_map(g, 0, 1)}
        if g.chance(0.6):
            guard["phases"] = g.some(PHASES, 1, 2)
        if g.chance(0.6):
            guard["except"] = g.some(TEAMS, 1)
        doc["guards"].append(guard)
    if g.chance(0.15):
        doc["quotas"] = [quota(g) for _ in range(g.pick([1, 1, 2]))]
    return doc, host


# -- requests -------------------------------------------------------------

class Body:
    """A container that somebody wants, and the facts that it touches."""

    def __init__(self, g, facts):
        self.g, self.facts = g, facts
        self.top = {"Image": facts.image(g.pick(IMAGES[:8] if g.chance(0.8)
                                                else IMAGES))}
        self.hc = {}
        self.ends = {}

    def labels(self):
        return self.top.setdefault("Labels", {})

    def add(self, field, item):
        self.hc.setdefault(field, []).append(item)

    def document(self):
        if self.ends:
            self.top["NetworkingConfig"] = {"EndpointsConfig": self.ends}
            if self.g.chance(0.1):
                self.top["NetworkingConfig"]["net1"] = self.g.pick(
                    [None, None, {}])
        if self.hc or self.g.chance(0.5):
            self.top["HostConfig"] = self.hc
        return self.top


def f_simple(field, *values):
    def f(b):
        b.hc[field] = b.g.pick(values)
    return f


def f_top(field, *values):
    def f(b):
        b.top[field] = b.g.pick(values)
    return f


def f_list(field, values):
    def f(b):
        b.hc[field] = b.g.some(values, 0)
    return f


def f_map(field, values):
    def f(b):
        b.hc[field] = {k: b.g.pick(v) for k, v in values.items()
                       if b.g.chance(0.5)}
    return f


def f_bind(b):
    path = b.facts.path(b.g.pick(PATHS))
    mode = b.g.pick(["", "", ":ro", ":rw", ":ro,z", ":Z", ":rshared",
                     ":ro,rslave", ":rprivate", ":nocopy"])
    b.add("Binds", path + ":/mnt" + mode)


def f_volume(b):
    name = b.facts.volume()
    b.add("Binds", name + ":/data" + b.g.pick(["", ":ro", ":nocopy"]))


def f_anon(b):
    if b.g.chance(0.5):
        b.top["Volumes"] = {"/cache": {}}
    else:
        b.add("Binds", "/cache")


def volume_labels(g):
    labels = {"x": "y"}
    if g.chance(0.2):
        labels[TEAM_KEY] = g.pick(["alpha", "bravo", "ghost", ""])
    if g.chance(0.2):
        labels[PHASE_KEY] = g.pick(PHASES + ["ghost", ""])
    return labels


def volume_options(facts):
    """Options of the local driver, which may be a mount of anything."""
    g = facts.g
    out = {}
    if g.chance(0.4):
        out["type"] = g.pick(["tmpfs", "none", "none", "overlay", "proc",
                              "sysfs", "nfs", "ext4"])
    if g.chance(0.4):
        out["o"] = g.pick(["size=1m", "bind", "rbind,ro", "bind,ro",
                           "lowerdir=/etc:/srv/alpha,upperdir=/s/x,workdir=w",
                           "move", "addr=10.0.0.1,rw", "key=/etc", "loop"])
    if g.chance(0.4):
        out["device"] = g.pick(["/etc", "/var/run/docker.sock", "tmpfs",
                                "srv", "/srv/alpha/../bravo", ":/export",
                                "//srv//alpha/data/"])
    for path in ("/etc", "/srv/alpha", "/s/x", "/export", "/proc", "/sys"):
        if g.chance(0.9):
            facts.path(path)
    if out.get("device", "").startswith("/"):
        facts.path(out["device"])
    return out


def f_mount(b):
    g = b.g
    m = {"Type": g.pick(["bind", "volume", "volume", "tmpfs", "image",
                         "bind"]), "Target": "/m"}
    if g.chance(0.5):
        m["ReadOnly"] = g.chance(0.7)
    if m["Type"] == "bind":
        m["Source"] = b.facts.path(g.pick(PATHS))
        if g.chance(0.4):
            m["BindOptions"] = {}
            if g.chance(0.5):
                m["BindOptions"]["Propagation"] = g.pick(
                    ["rprivate", "shared", "rslave", ""])
            for f in ("NonRecursive", "CreateMountpoint",
                      "ReadOnlyNonRecursive"):
                if g.chance(0.2):
                    m["BindOptions"][f] = g.chance(0.7)
    elif m["Type"] == "volume":
        if g.chance(0.8):
            m["Source"] = b.facts.volume()
        if g.chance(0.5):
            m["VolumeOptions"] = {"Labels": volume_labels(g),
                                  "DriverConfig": {
                "Name": g.pick(["", "local", "nfs"]),
                "Options": volume_options(b.facts)}}
    elif m["Type"] == "tmpfs":
        m["TmpfsOptions"] = {"SizeBytes": 1 << 20}
        if g.chance(0.3):
            m["TmpfsOptions"]["Mode"] = 448
        if g.chance(0.4):
            m["TmpfsOptions"]["Options"] = g.pick(
                [[["exec"]], [["noexec"]], [["size", "1m"], ["suid"]],
                 [["nodev,exec"]], [["huge", "always"]], []])
    else:
        m["Source"] = b.facts.image(g.pick(IMAGES))
    b.add("Mounts", m)


def f_volumes_from(b):
    b.add("VolumesFrom", b.facts.container() + b.g.pick(["", ":rw"]))


def f_network(b):
    mode = b.g.pick(["", "default", "bridge", "none", "host", "net", "net",
                     "container"])
    if mode == "container":
        mode = "container:" + b.facts.container()
    elif mode == "net":
        mode = b.facts.network()
    b.hc["NetworkMode"] = mode


def f_endpoint(b):
    g = b.g
    name = g.pick(["bridge", "host", "none", None, None, None])
    end = {}
    if g.chance(0.3):
        end["IPAMConfig"] = {"IPv4Address": g.pick(["", "10.1.2.3"])}
    if g.chance(0.2):
        end["DriverOpts"] = {"ifname": "e0"} if g.chance(0.5) else \
            {"a": g.pick(["b", "c"])}
    if g.chance(0.2):
        end["Links"] = [b.facts.container() + ":al"]
    if g.chance(0.1):
        end["MacAddress"] = "02:42:ac:11:00:02"
    if g.chance(0.3):
        end["Aliases"] = ["web"]
    if g.chance(0.1):
        end["NetworkID"] = g.pick(["", "host", b.facts.network()])
    b.ends[name or b.facts.network()] = end


def f_ns(field, *words):
    def f(b):
        w = b.g.pick(words)
        b.hc[field] = "container:" + b.facts.container() \
            if w == "container" else w
    return f


def f_ports(b):
    b.hc["PortBindings"] = {b.g.pick(["80/tcp", "53/udp"]): [
        {"HostIp": b.g.pick(["", "127.0.0.1", "0.0.0.0", "::1", "10.1.2.3",
                             "192.168.1.1", "bogus", "::"]),
         "HostPort": b.g.pick(["", "80", "8080", "8000-8005", "0", "8009-"
                               "8020", "65535", "1024"])}
        for _ in range(b.g.r.randint(1, 2))]}


def f_label(b):
    b.labels()[b.g.pick(["ticket", "cost", "x"])] = \
        b.g.pick(["1", "1", ""])


def f_health(b):
    b.top["Healthcheck"] = {"Test": b.g.pick(
        [["NONE"], ["CMD", "true"], [], ["CMD-SHELL", "x"], ["x", "y"],
         ["CMD"], [""]])}


def f_unknown(b):
    b.g.pick([b.top, b.hc])[b.g.pick(["Flavour", "X"])] = b.g.pick(
        [1, "", None, {}])


def f_limits(b):
    g = b.g
    b.hc["Memory"] = g.pick([0, 64 * MB, 512 * MB, GB, 3 * GB])
    if g.chance(0.5):
        b.hc["MemorySwap"] = g.pick([0, -1, b.hc["Memory"], GB,
                                     2 * b.hc["Memory"], 8 * GB])


def f_quota(b):
    b.hc["CpuQuota"] = b.g.pick([0, 50000, 150000, 200000, -1])
    if b.g.chance(0.5):
        b.hc["CpuPeriod"] = b.g.pick([0, 100000, 50000])


FEATURES = [
    f_simple("Privileged", True, True, False), f_bind, f_bind, f_volume,
    f_volume, f_anon, f_mount, f_mount, f_mount, f_volumes_from, f_network,
    f_network, f_network, f_endpoint, f_endpoint,
    f_ns("PidMode", "", "host", "container"),
    f_ns("IpcMode", "", "private", "shareable", "none", "host",
         "container"),
    f_ns("UTSMode", "", "host"), f_ns("UsernsMode", "", "host"),
    f_ns("CgroupnsMode", "", "private", "host"), f_ports, f_ports, f_label,
    f_label, f_health, f_unknown, f_limits, f_limits, f_quota,
    f_list("CapAdd", CAPS), f_list("CapAdd", CAPS),
    f_list("CapDrop", ["ALL", "NET_RAW", "mknod"]),
    f_simple("CapAdd", "SYS_ADMIN", "chown"),
    f_list("SecurityOpt", SECURITY), f_list("SecurityOpt", SECURITY),
    f_simple("MaskedPaths", [], None, MASKED, MASKED[1:], MASKED + ["/x"]),
    f_simple("ReadonlyPaths", [], None, READONLY, READONLY[:-1]),
    f_list("DeviceCgroupRules", ["c 1:3 mr", "a *:* rwm"]),
    f_simple("Devices", [], [{"PathOnHost": "/dev/fuse",
                              "PathInContainer": "/dev/fuse",
                              "CgroupPermissions": "rwm"}],
             [{"PathOnHost": "/dev/snd/a"}], [{"PathOnHost": "/dev/sda"}]),
    f_simple("DeviceRequests", [{"Driver": "nvidia", "Count": 1,
                                 "Capabilities": [["gpu"]]}],
             [{"Driver": "nvidia", "Count": -1,
               "Capabilities": [["gpu", "compute"]]}],
             [{"Driver": "cdi"}], [{"Driver": "", "Count": 2,
                                    "Capabilities": [["gpu"]]}]),
    f_map("Sysctls", {"net.core.somaxconn": ["1"], "net.ipv4.tcp_x": ["1"],
                      "kernel.msgmax": ["2"]}),
    f_simple("Runtime", "", "runc", "kata", "x"),
    f_simple("CgroupParent", "", "/alpha", "/sys/x", "/bravo", "a.slice",
             "/sys/..", "/sys/../alpha"),
    f_simple("OomKillDisable", True, False),
    f_simple("OomScoreAdj", 0, 100, -100, 1001, 600, -999),
    f_map("Annotations", {"a.b/c": ["1"], "run.oci": [""], "z": ["1"]}),
    f_map("StorageOpt", {"size": ["10G", "20G"], "x": ["y"]}),
    f_list("GroupAdd", ["audio", "1000", "docker"]),
    f_simple("CpusetCpus", "", "0-1", "0", "2"),
    f_simple("CpusetMems", "", "0", "1"),
    f_simple("CpuRealtimePeriod", 0, 1000),
    f_simple("CpuRealtimeRuntime", 0, 1000),
    f_simple("BlkioWeight", 0, 500),
    f_simple("BlkioWeightDevice", [], [{"Path": "/dev/sda", "Weight": 1}]),
    f_simple("BlkioDeviceReadBps", [], [{"Path": "/dev/sda", "Rate": 1}]),
    lambda b: b.add("Links", b.facts.container() + ":al"),
    f_list("ExtraHosts", ["h:10.0.0.1", "h:10.0.0.2", "x:host-gateway"]),
    f_list("Dns", ["10.0.0.2", "8.8.8.8"]),
    f_list("DnsOptions", ["ndots:1"]), f_list("DnsSearch", ["corp", "x"]),
    f_top("MacAddress", "", "02:42:ac:11:00:02"),
    f_simple("LogConfig", {"Type": ""}, {"Type": "json-file", "Config":
                                         {"max-size": "1m"}},
             {"Type": "syslog", "Config": {"syslog-address": "udp://x"}},
             {"Type": "journald", "Config": {}}, {"Type": "none"},
             {"Config": {"tag": "x"}}),
    f_simple("NanoCpus", 0, 10 ** 9, 5 * 10 ** 8, 2 * 10 ** 9 + 1, 10 ** 8),
    f_simple("PidsLimit", 0, -1, 50, 100, 256, 5000, None),
    f_simple("Ulimits", [{"Name": "nofile", "Soft": 512, "Hard": 1024}],
             [{"Name": "nofile", "Soft": 1024, "Hard": 65536}],
             [{"Name": "core", "Soft": 0, "Hard": 0}],
             [{"Name": "core", "Soft": -1, "Hard": -1}],
             [{"Name": "memlock", "Soft": 5, "Hard": 5}],
             [{"Name": "NoFile", "Soft": 5, "Hard": 5000}],
             [{"Name": "no-file", "Soft": 5, "Hard": 5}]),
    f_simple("ShmSize", 0, MB, 64 * MB, 256 * MB),
    f_simple("PublishAllPorts", True, False),
    f_simple("RestartPolicy", {"Name": ""}, {"Name": "no"},
             {"Name": "always"}, {"Name": "unless-stopped"},
             {"Name": "on-failure"},
             {"Name": "on-failure", "MaximumRetryCount": 3},
             {"Name": "on-failure", "MaximumRetryCount": 5}),
    lambda b: b.top.update(Env=b.g.some(ENV, 1)),
    lambda b: b.top.update(Env=b.g.some(ENV, 1)),
    f_top("User", "", "root", "0", "00:0", "app", "1000:0", "0:app", "+0",
          "-0"),
    f_top("User", "app", "1000"),
    f_simple("ReadonlyRootfs", True, False),
    f_simple("Tmpfs", {"/t": ""}, {"/t": "rw,size=64m,noexec"},
             {"/t": "exec"}, {"/t": "suid,dev"}, {"/t": "huge=always"}),
    f_simple("VolumeDriver", "", "local", "nfs"),
    f_top("Hostname", "web"), f_top("Cmd", ["sh"], "sh"),
    f_top("Tty", True), f_simple("AutoRemove", True),
    f_simple("Init", True, None),
]


UPDATES = [
    f_limits, f_limits, f_quota, f_quota,
    f_simple("NanoCpus", 0, 10 ** 9, 3 * 10 ** 9),
    f_simple("PidsLimit", 0, -1, 50, 5000, None),
    f_simple("RestartPolicy", {"Name": ""}, {"Name": "always"}, None, {},
             {"Name": "on-failure", "MaximumRetryCount": 2},
             {"MaximumRetryCount": 9}),
    f_simple("CpusetCpus", "", "0-1", "2"), f_simple("CpusetMems", "", "1"),
    f_simple("OomKillDisable", True, False, None),
    f_simple("CpuRealtimePeriod", 0, 1000),
    f_simple("CpuRealtimeRuntime", 0, 1000),
    f_simple("BlkioWeight", 0, 500),
    f_simple("BlkioWeightDevice", [], [{"Path": "/dev/sda", "Weight": 1}]),
    f_simple("Ulimits", [], [{"Name": "nofile", "Soft": 1, "Hard": 9999}],
             [{"Name": "core"}]),
    f_simple("Devices", [], None, [{"PathOnHost": "/dev/fuse"}]),
    f_simple("DeviceCgroupRules", [], ["a *:* rwm"], ["c 1:3 mr"]),
    f_simple("DeviceRequests", [], [{"Driver": "nvidia", "Count": -1}]),
    f_simple("CgroupParent", "", "/alpha", "/sys/x"),
    f_simple("MemoryReservation", 0, 5), f_simple("CpuShares", 0, 5),
    f_simple("MemorySwappiness", -1, 0, None), f_simple("KernelMemory", 0, 1),
]


def s_container(field, *values):
    def f(g, facts, doc, task, c):
        c[field] = g.pick(values)
    return f


def s_task(field, *values):
    def f(g, facts, doc, task, c):
        task[field] = g.pick(values)
    return f


def s_privileges(field, *values):
    def f(g, facts, doc, task, c):
        c.setdefault("Privileges", {})[field] = g.pick(values)
    return f


def s_mount(g, facts, doc, task, c):
    b = Body(g, facts)
    f_mount(b)
    m = b.hc["Mounts"][0]
    if g.chance(0.2):
        text = g.pick(["{{.Node.ID}}", "{{", "vx", "a{{.Task.Name}}"])
        where = g.pick(["Source", "Source", "Options", "Labels", "Target"])
        if where in ("Source", "Target"):
            if m["Type"] == "bind":
                path = "/srv/" + text
                facts.path(path)
                if g.chance(0.5):  # what cleaning takes away
                    path, text = "/srv/" + text + "/../alpha", ""
                    facts.path("/srv/alpha")
                m[where] = path
            else:
                m[where] = text
            facts.use("volume", text)
        else:
            o = m.setdefault("VolumeOptions", {})
            if where == "Options":
                o = o.setdefault("DriverConfig", {})
            kv = ("k", text) if g.chance(0.7) else (text, "v")
            o[where] = dict([kv])
    c.setdefault("Mounts", []).append(m)


def s_networks(g, facts, doc, task, c):
    where = g.pick([task, task, task, doc])
    net = {"Target": g.pick([facts.network(), facts.network(), "host",
                             "bridge", "none"])}
    if g.chance(0.15):
        net["DriverOpts"] = {"a": g.pick("bc")}
    where.setdefault("Networks", []).append(net)


def s_secret(g, facts, doc, task, c):
    kind = g.pick(["Secret", "Config"])
    name = facts.use(kind.lower(), g.pick(["k1", "k2"]))
    c[kind + "s"] = [{kind + "ID": name if g.chance(0.95) else "",
                      kind + "Name": "x"}]


def s_credential(g, facts, doc, task, c):
    c.setdefault("Privileges", {})["CredentialSpec"] = {
        "Config": facts.use("config", "k1")}


def s_limits(g, facts, doc, task, c):
    res = task.setdefault("Resources", {})
    res["Limits"] = {"MemoryBytes": g.pick([0, 64 * MB, GB, 3 * GB])}
    if g.chance(0.4):
        res["Limits"]["NanoCPUs"] = g.pick([0, 10 ** 9, 3 * 10 ** 9])
    if g.chance(0.4):
        res["Limits"]["Pids"] = g.pick([0, -1, 50, 5000])
    if g.chance(0.3):
        res["SwapBytes"] = g.pick([-1, 0, GB, 8 * GB])
    if g.chance(0.08):
        res["Limits"]["GenericResources"] = g.pick([[], [{}]])
    if g.chance(0.15):
        res["Reservations"] = {"GenericResources": [g.pick(
            [{"DiscreteResourceSpec": {"Kind": "gpu", "Value": 2}},
             {"DiscreteResourceSpec": {"Kind": "ssd", "Value": 1}},
             {"NamedResourceSpec": {"Kind": "gpu", "Value": "a"}}])]}


def s_ports(g, facts, doc, task, c):
    doc["EndpointSpec"] = {"Ports": [
        {"TargetPort": g.pick([80, 80, 22]), "PublishedPort": g.pick([0, 80, 8080, 8005]),
         "PublishMode": g.pick(["host", "ingress"])}]}
    if g.chance(0.3):
        del doc["EndpointSpec"]["Ports"][0]["PublishedPort"]


def s_labels(g, facts, doc, task, c):
    c["Labels"] = {g.pick([TEAM_KEY, PHASE_KEY, "a"]): g.pick(
        ["alpha", "bravo"] + PHASES)}


SERVICE_FEATURES = [
    s_mount, s_mount, s_mount, s_networks, s_networks, s_networks, s_secret,
    s_secret, s_credential,
    s_limits, s_limits, s_ports, s_labels,
    s_container("CapabilityAdd", [], ["SYS_ADMIN"], ["chown"]),
    s_container("CapabilityDrop", ["ALL"], ["NET_RAW"]),
    s_container("Env", ["TOKEN=x"], ["A=b"], ["DB_PASSWORD=x"]),
    s_container("User", "", "root", "app", "0:0"),
    s_container("Groups", ["audio"], ["docker"]),
    s_container("ReadOnly", True, False),
    s_container("Hosts", ["10.0.0.1 h"], ["10.0.0.2 h x"], ["h"],
                ["10.0.0.1 h\t"], ["10.0.0.1\u00a0h"]),
    s_container("DNSConfig", {"Nameservers": ["10.0.0.2"]},
                {"Search": ["x"]}),
    s_container("Sysctls", {"net.core.somaxconn": "1"}, {"kernel.x": "1"}),
    s_container("Ulimits", [{"Name": "nofile", "Soft": 1, "Hard": 9999}],
                [{"Name": "no-file"}]),
    s_container("OomScoreAdj", 0, 100, -100),
    s_container("Healthcheck", {"Test": ["CMD", "x"]}, {"Test": ["NONE"]},
                {}),
    s_container("Image", ""), s_container("Flavour", 1),
    s_container("Args", ["x"]), s_task("ForceUpdate", 1),
    s_privileges("NoNewPrivileges", True, False),
    s_privileges("Seccomp", {"Mode": "default"}, {"Mode": "unconfined"},
                 {"Mode": "custom", "Profile": "e30="}, {"Profile": "e30="},
                 {}),
    s_privileges("AppArmor", {"Mode": "disabled"}, {"Mode": "default"},
                 {"Mode": "x"}, {}),
    s_privileges("SELinuxContext", {"Disable": True}, {"Type": "foo"},
                 {"Level": "s0", "User": "u"}),
    s_privileges("CredentialSpec", {"File": "x"}, {"Registry": "r"}, {},
                 {"Config": "k1"}),
    s_task("RestartPolicy", {}, {"Condition": "none"}, {"Condition": "any"},
           {"Condition": "on-failure"},
           {"Condition": "on-failure", "MaxAttempts": 3}),
    s_task("RestartPolicy", {"Condition": "none"}),
    s_task("LogDriver", {}, {"Name": "json-file"}, {"Name": "syslog",
           "Options": {"syslog-address": "x"}}, {"Options": {"tag": "x"}}),
    s_task("Runtime", "", "container", "plugin", "x"),
    s_task("PluginSpec", {}, {"Name": "x"}),
    s_task("NetworkAttachmentSpec", {}, {"ContainerID": "x"}),
    lambda g, facts, doc, task, c: doc.update(Flavour=1),
    lambda g, facts, doc, task, c: doc.update(
        Mode={"Replicated": {"Replicas": 2}}),
]


def near_default(b):
    """What the docker CLI writes anyway."""
    b.hc.update({"Binds": None, "ContainerIDFile": "", "LogConfig":
                 {"Type": "", "Config": {}}, "NetworkMode": "default",
                 "PortBindings": {}, "RestartPolicy":
                 {"Name": "no", "MaximumRetryCount": 0},
                 "AutoRemove": False, "VolumeDriver": "",
                 "VolumesFrom": None, "CapAdd": None, "CapDrop": None,
                 "Dns": [], "DnsOptions": [], "DnsSearch": [],
                 "ExtraHosts": None, "GroupAdd": None, "IpcMode": "",
                 "Cgroup": "", "Links": None, "OomScoreAdj": 0,
                 "PidMode": "", "Privileged": False,
                 "PublishAllPorts": False, "ReadonlyRootfs": False,
                 "SecurityOpt": None, "UTSMode": "", "UsernsMode": "",
                 "ShmSize": 0, "ConsoleSize": [0, 0], "Isolation": "",
                 "CpuShares": 0, "Memory": 0, "NanoCpus": 0,
                 "CgroupParent": "", "BlkioWeight": 0,
                 "BlkioWeightDevice": [], "CpuPeriod": 0, "CpuQuota": 0,
                 "Devices": [], "DeviceCgroupRules": None,
                 "DeviceRequests": None, "KernelMemory": 0,
                 "MemorySwap": 0, "MemorySwappiness": -1,
                 "OomKillDisable": False, "PidsLimit": 0, "Ulimits": None,
                 "MaskedPaths": None, "ReadonlyPaths": None})


class Facts:
    """The objects and paths of one request."""

    def __init__(self, g, world):
        self.g, self.world = g, world
        self.objects, self.paths = {}, {}

    def use(self, kind, ref):
        key = (kind, ref)
        if key not in self.objects:
            self.objects[key] = self.world.fact(self, kind, ref)
        return ref

    def container(self):
        return self.use("container", self.g.pick(self.world.containers))

    def volume(self):
        return self.use("volume", self.g.pick(self.world.volumes))

    def network(self):
        return self.use("network", self.g.pick(self.world.networks))

    def image(self, ref):
        return self.use("image", ref)

    def clean(self, path):
        return self.path(path) and self.last

    def path(self, path):
        self.last = clean = "/" + "/".join(p for p in path.split("/") if p)
        if path == "/srv/alpha/../bravo":
            self.last = clean = "/srv/bravo"
        if clean not in self.paths:
            g = self.g
            fact = {"path": clean, "known": g.chance(0.9),
                    "exists": g.chance(0.8)}
            if fact["known"] and clean != "/" and g.chance(0.15):
                fact["last_link"] = g.pick(
                    [i for i in range(1, len(clean))
                     if clean[i] == "/"] + [len(clean)])
            if fact["known"] and (clean in ("/", "/var/run/docker.sock",
                                            "/proc", "/sys") or
                                  g.chance(0.03)):
                fact["protected"] = True
            if fact["known"] and g.chance(0.1):
                fact["shared"] = True
            self.paths[clean] = fact
        return path


# what a container that is joined has itself
JOINABLE = [{}, {}, {"NetworkMode": "default", "PidMode": "", "IpcMode": ""},
            {"NetworkMode": "host"}, {"PidMode": "host", "IpcMode": "host"},
            {"NetworkMode": "container:" + HEX64[0]},
            {"PidMode": "container:web", "IpcMode": "shareable"}]


# the rest of the routes: who may is all that there is to judge
RARE = [tuple(x.split()) for x in """
POST /build/cancel?id=x|POST /build/prune|GET /configs|DELETE /configs/{c}
GET /containers/{k}/changes|GET /debug/vars|GET /debug/pprof/
GET /images/alpine/attestations|GET /images/alpine/history|GET /images/get
POST /networks/prune|GET /nodes|GET /nodes/n1|DELETE /nodes/n1
POST /plugins/create?name=x|GET /plugins/x/json
GET /plugins/privileges?remote=x|POST /plugins/x/push|GET /secrets
GET /secrets/{x}|GET /services/{s}/logs|DELETE /services/{s}
GET /swarm/unlockkey|OPTIONS /x|GET /tasks|GET /tasks/{t}/logs
POST /volumes/prune|PUT /volumes/{v}?version=1|POST /auth
DELETE /plugins/x|POST /containers/{k}/resize?h=1&w=1
""".replace("\n", "|").split("|") if x]


class World:
    containers = ["api", "web", "db1", "web.1", HEX64[0]]
    volumes = ["data", "logs", "f" * 64]
    networks = ["net1", "backend", HEX64[1]]

    def __init__(self, seed):
        self.g = Source(seed)

    def fact(self, facts, kind, ref):
        g = self.g
        o = {"kind": kind, "ref": ref}
        full = len(ref) == 64 and kind != "volume"
        r = g.r.random()
        if r < 0.10:
            o["presence"] = "absent"
            if full:
                o["by"] = "id"
            return o
        if r < 0.14:
            o["presence"] = "unknown"
            return o
        if r < 0.16 and kind in ("container", "network") and not full:
            o["ambiguous"] = True
        o["by"] = "id" if full else "name"
        o["id"] = ref if full else HEX64[2]
        o["name"] = "name" if full else ref
        if kind == "image":
            if ref == "beef":
                o["by"] = g.pick(["prefix", "name"])
            if ref.startswith("sha256:"):
                o["by"] = "id"
            o["repo_tags"] = g.some(["alpine:3.18",
                                     "reg.acme.com/alpha/app:1.2"], 0)
            o["repo_digests"] = g.some(["alpine@sha256:" + "d" * 64], 0)
            o["config"] = {"Env": g.some(ENV, 0),
                           "User": g.pick(["", "app", "0"])}
            if g.chance(0.4):
                o["config"]["Healthcheck"] = {"Test": g.pick(
                    [["CMD", "x"], ["NONE"], ["CMD"], ["x", "y"], []])}
            return o
        self.owned(o)
        if kind == "container":  # a daemon's answer always has it
            o["inspect"] = {"Id": HEX64[2], "Name": "/x",
                            "Config": {"Image": "alpine"},
                            "HostConfig": g.pick(JOINABLE),
                            "NetworkSettings": {"Networks": g.pick(
                                [{}, {}, {"bridge": {}}, {"host": {}}])},
                            "Mounts": [self.mount_point(facts) for _ in
                                       range(g.pick([0, 0, 1, 2]))]}
            if g.chance(0.05):
                o["inspect"]["Mounts"] = g.pick([None, {}])
            elif g.chance(0.03):
                del o["inspect"]["Mounts"]
        if kind == "network" and g.chance(0.7):
            o["inspect"] = {"Scope": g.pick(["swarm", "swarm", "local"])}
        if kind == "network" and g.chance(0.06):
            o.setdefault("labels", {})[
                "com.docker.swarm.predefined"] = g.pick(["true", ""])
        if kind == "task":
            o["container"] = facts.use("service", "svc")
        if kind == "network" and g.chance(0.15):
            o["builtin"] = True
            o["name"] = g.pick(["bridge", "host", "none"])
        if kind == "volume":
            o["id"] = o["name"] = ref
            o["driver"] = g.pick(["local", "local", "local", "nfs"])
            if g.chance(0.2):
                o["options"] = volume_options(facts)
        return o

    def mount_point(self, facts):
        g = self.g
        if g.chance(0.5):
            return {"Type": "bind", "Source": facts.clean(g.pick(PATHS)),
                    "Destination": "/m", "Mode": "", "RW": g.chance(0.5),
                    "Propagation": "rprivate"}
        name = facts.volume()
        return {"Type": "volume", "Name": name, "Driver": "local",
                "Source": "/var/lib/docker/volumes/%s/_data" % name,
                "Destination": "/m", "Mode": "z", "RW": g.chance(0.5),
                "Propagation": ""}

    def owned(self, o):
        g = self.g
        team = g.pick(["alpha", "alpha", "bravo", "delta", "", "ghost"])
        ph = g.pick(PHASES + PHASES + ["", "ghost"])
        if g.chance(0.6):
            o["ledger"] = {"team": team, "phase": ph}
        if g.chance(0.5):
            o["labels"] = {TEAM_KEY: g.pick(TEAMS[:3]),
                           PHASE_KEY: g.pick(PHASES)}

    def container_with_spec(self, facts, ref=None):
        ref = ref or g_pick(self, self.containers)
        facts.use("container", ref)
        o = facts.objects[("container", ref)]
        if o.get("presence", "present") == "present" and \
                self.g.chance(0.95):
            o["inspect"] = self.inspect(facts)
            o["running"] = self.g.chance(0.5)
        if self.g.chance(0.9):
            o["image_id"] = facts.image("sha256:" + "f" * 64)
        return ref

    def body(self, facts):
        g = self.g
        b = Body(g, facts)
        if g.chance(0.2):
            near_default(b)
            for field in ("Binds", "VolumesFrom", "Links"):
                b.hc[field] = []
        for _ in range(g.pick([0, 0, 1, 1, 1, 2, 2, 3, 5])):
            g.pick(FEATURES)(b)
        return b

    def inspect(self, facts):
        b = self.body(facts)
        b.hc.setdefault("NetworkMode", "default")
        if g_chance(self, 0.12):
            f_volumes_from(b)
        doc = b.document()
        doc.pop("NetworkingConfig", None)
        hc = doc.pop("HostConfig", b.hc)
        if isinstance(hc.get("CapAdd"), str):
            hc["CapAdd"] = [hc["CapAdd"]]
        for junk in ("Flavour", "X"):
            hc.pop(junk, None)
            doc.pop(junk, None)
        answer = {"Id": HEX64[2], "Name": "/x", "Config": doc,
                  "HostConfig": hc, "NetworkSettings": {"Networks": b.ends},
                  "Mounts": [self.mount_point(facts) for _ in
                             range(self.g.pick([0, 0, 0, 1, 2]))]}
        if self.g.chance(0.03):
            del answer["Mounts"]
        elif self.g.chance(0.03):
            answer["Mounts"] = self.g.pick([None, {}, "x"])
        return answer

    # -- one request --

    def who(self):
        g = self.g
        if g.chance(0.09):
            return {"anonymous": True, "teams": ["console"]
                    if g.chance(0.8) else []}
        teams = g.some(TEAMS[:3] + ["delta"], 1, g.pick([2, 4])) \
            if g.chance(0.96) else []
        return {"source": "corp", "name": g.pick(USERS), "teams": teams}

    def request(self):
        g = self.g
        facts = Facts(g, self)
        case = {"who": self.who(), "now": 1767000000 +
                g.r.randrange(0, 14 * 86400, 300)}
        if g.chance(0.3):
            case["door"] = "proxy"
            if g.chance(0.3):
                case["listener"] = g.some(PHASES, 1)
        if g.chance(0.1):
            case["wanted_team"] = g.pick(TEAMS[:3] + ["ghost"])
        if g.chance(0.5):
            case["daemon"] = {"runtime": "runc", "log_driver": g.pick(
                ["json-file", "journald"]),
                "cgroupns": g.pick(["private", "host"]),
                "swarm_nodes": g.pick([0, 1, 1, 3])}
        self.outside(case)
        r = g.r.random()
        if r < 0.44:
            self.create(case, facts)
        elif r < 0.52:
            self.exec_create(case, facts)
        elif r < 0.57:
            self.exec_start(case, facts)
        elif r < 0.69:
            self.lifecycle(case, facts)
        elif r < 0.75:
            self.names(case, facts)
        elif r < 0.81:
            self.made(case, facts)
        elif r < 0.84:
            self.build(case, facts)
        elif r < 0.87:
            self.changed(case, facts)
        elif r < 0.94:
            self.kept(case, facts)
        else:
            self.other(case, facts)
        case["target"] = g.pick(["", "/v1.41", "/v1.41", "/v1.24",
                                 "/v1.40"]) + case["target"]
        if g.chance(0.004):
            case["target"] = "/v1.23" + case["target"][6:] \
                if case["target"].startswith("/v") else case["target"]
        self.history(case)
        if g.chance(0.35):
            self.agree(case, facts)
        if facts.objects:
            case["objects"] = list(facts.objects.values())
        if facts.paths:
            case["paths"] = list(facts.paths.values())
        return case

    def agree(self, case, facts):
        """All of it is one team's and one phase's: what comes after the
        stages of owner and phase is reached."""
        g = self.g
        owner = {"team": g.pick(case["who"].get("teams") or ["alpha"]),
                 "phase": g.pick(PHASES)}
        if owner["team"] == "ci":
            owner["team"] = "alpha"  # it acts for that
        for u in case.get("volume_users", ()):
            if "ledger" in u:
                u["ledger"] = owner
        for (kind, ref), o in facts.objects.items():
            if kind == "image" or o.get("presence") == "unknown" or \
                    o.get("builtin"):
                continue
            if kind in ("container", "secret", "config", "service",
                        "network") and o.get("presence") == "absent" and \
                    ref in ("k1", "k2", "svc2") + tuple(
                        self.networks + self.containers):
                o.pop("presence")
                o.update(by="id" if len(ref) == 64 else "name",
                         id=ref if len(ref) == 64 else HEX64[2],
                         name="name" if len(ref) == 64 else ref)
                if kind == "container":
                    o["inspect"] = {"Id": o["id"], "Name": "/x",
                                    "HostConfig": {}, "Config": {
                                        "Image": "alpine"},
                                    "NetworkSettings": {"Networks": {}},
                                    "Mounts": []}
            o.pop("ambiguous", None)
            if kind == "network" and o.get("presence") != "absent":
                o["inspect"] = g.pick([{"Scope": "swarm"}, {"Scope": "swarm"},
                                       {"Scope": "local"}, {}])
                if g.chance(0.15):
                    o["labels"] = {"com.docker.swarm.predefined": "true"}
            if o.get("presence", "present") == "present" and not (
                    ref == "f" * 64 and g.chance(0.7)):
                o["ledger"] = owner

    def outside(self, case):
        """What neither request nor policy says: root's file, listeners, who
        has the volumes that nobody named."""
        g = self.g
        if g.chance(0.2):
            case["break_glass"] = True
        if case["who"].get("anonymous"):
            daemon = case.setdefault("daemon", {})
            daemon["plain_tcp"] = g.pick([True, False, False, "unknown"])
            if g.chance(0.3):
                case["accept_plain_tcp"] = True
        if g.chance(0.9):
            case["volume_users"] = users = []
            same = {"team": g.pick(["alpha", "alpha", "bravo", "", "ghost"]),
                    "phase": g.pick(PHASES + ["", "ghost"])}
            for _ in range(g.pick([0, 1, 1, 1, 2, 2, 3])):
                u = {"volume": g.pick(["f" * 64] * 5 + ["e" * 64])}
                if g.chance(0.7):
                    u["ledger"] = same if g.chance(0.85) else {
                        "team": g.pick(["alpha", "bravo", "delta"]),
                        "phase": g.pick(PHASES)}
                if g.chance(0.5):
                    u["labels"] = {TEAM_KEY: same["team"],
                                   PHASE_KEY: same["phase"]} \
                        if g.chance(0.8) else self.labels_of(0.7)
                users.append(u)

    def history(self, case):
        """What is there, for quotas; what has run, for promotion."""
        g = self.g
        if g.chance(0.85):
            case["containers"] = []
            for _ in range(g.pick([0, 0, 1, 1, 2, 3])):
                c = {"team": g.pick(["alpha", "bravo", "delta", "", "ghost"]),
                     "phase": g.pick(PHASES + ["", "ghost"])}
                if g.chance(0.85):
                    c["memory"] = g.pick([64 * MB, 256 * MB, GB])
                if g.chance(0.85):
                    c["cpus"] = g.pick([10 ** 8, 5 * 10 ** 8, 10 ** 9])
                if g.chance(0.5):
                    c["ports"] = g.pick([0, 1, 2])
                case["containers"].append(c)
        if g.chance(0.85):
            case["ran"] = []
            for _ in range(g.pick([0, 1, 1, 2])):
                run = {"digest": "sha256:" + g.pick("adde") * 64,
                       "phase": g.pick(PHASES),
                       "seconds": g.pick([0, 60, 3600, 5400, 10 ** 6])}
                if g.chance(0.3):
                    run["by"] = g.pick(VIA)
                case["ran"].append(run)

    def json_body(self, case, doc):
        case["headers"] = {"Content-Type": "application/json"}
        case["body"] = json.dumps(doc)

    def create(self, case, facts):
        g = self.g
        b = self.body(facts)
        if g.chance(0.3):
            b.labels()[TEAM_KEY] = g.pick(["alpha", "alpha", "bravo",
                                           "delta", "ghost"])
        if g.chance(0.3):
            b.labels()[PHASE_KEY] = g.pick(PHASES + PHASES + ["ghost"])
        case["method"], case["target"] = "POST", "/containers/create"
        query = []
        if g.chance(0.4):
            query.append("name=" + facts.use("container", g.pick(
                ["new1", "api2", "job", "new1", "api2", "job", "deadbeef01",
                 "deadbeef0123"])))
            self.new_name(facts, "container", query[0][5:])
        if g.chance(0.05):
            query.append("platform=linux/amd64")
        if g.chance(0.02):
            query.append("flavour=1")
        if query:
            case["target"] += "?" + "&".join(query)
        doc = b.document()
        r = g.r.random()
        if r < 0.004:
            doc[g.pick(["Privileged", "Memory"])] = g.pick([1, True])
        elif r < 0.012:
            doc[g.pick(["Privileged", "Memory", "Binds"])] = g.pick(
                [None, 0, False, ""])
        elif r < 0.016:
            doc["hostconfig"] = doc.pop("HostConfig", {})
        elif r < 0.018:
            doc.setdefault("HostConfig", {})["Memory"] = "1g"
        elif r < 0.022:
            return
        elif r < 0.027:
            doc.setdefault("HostConfig", {}).update(g.pick([
                {"Cgroup": "x"}, {"Capabilities": ["CHOWN"]}]))
        elif r < 0.03:
            doc.setdefault("HostConfig", {})["Mounts"] = [
                {"Type": "npipe", "Source": "x", "Target": "/y"}]
        self.json_body(case, doc)

    def new_name(self, facts, kind, name):
        """Is there anything that the name to be given might be?"""
        g = self.g
        o = {"kind": kind, "ref": name, "by": "name", "id": HEX64[3],
             "name": name}
        r = g.r.random()
        if r < 0.8:
            o = {"kind": kind, "ref": name, "presence": "absent"}
        elif r < 0.85:
            o = {"kind": kind, "ref": name, "presence": "unknown"}
        elif r < 0.95:
            o["by"] = g.pick(["prefix", "prefix", "id"])
        facts.objects[(kind, name)] = o

    def exec_create(self, case, facts):
        g = self.g
        ref = self.container_with_spec(facts)
        case["method"] = "POST"
        case["target"] = "/containers/%s/exec" % ref
        doc = {"Cmd": ["sh"]}
        for field, values in (("Privileged", [True, False]),
                              ("User", ["", "root", "app", "1000", "0"]),
                              ("Env", [["TOKEN=1"], ["A=B"], []]),
                              ("Tty", [True]), ("WorkingDir", ["/"]),
                              ("Container", ["x"]), ("Flavour", [1])):
            if g.chance(0.02 if field == "Flavour" else 0.25):
                doc[field] = g.pick(values)
        self.json_body(case, doc)

    def exec_start(self, case, facts):
        g = self.g
        eid = HEX64[4]
        o = {"kind": "exec", "ref": eid, "by": "id", "id": eid}
        r = g.r.random()
        if r < 0.07:
            o["presence"] = "absent"
        elif r < 0.1:
            o["presence"] = "unknown"
        else:
            ref = HEX64[0]
            self.container_with_spec(facts, ref)
            o["container"] = ref
            o["exec_privileged"] = g.chance(0.2)
            o["exec_user"] = g.pick(["", "", "root", "app"])
        facts.objects[("exec", eid)] = o
        if g.chance(0.2):
            case["method"], case["target"] = "GET", "/exec/%s/json" % eid
            return
        if g.chance(0.1):
            case["method"] = "POST"
            case["target"] = "/exec/%s/resize?h=1&w=1" % eid
            return
        case["method"], case["target"] = "POST", "/exec/%s/start" % eid
        self.json_body(case, {"Detach": False, "Tty": g.chance(0.5)})

    def lifecycle(self, case, facts):
        g = self.g
        method, tail = g.pick([
            ("POST", "/start"), ("POST", "/start"), ("POST", "/stop"),
            ("POST", "/restart"), ("POST", "/unpause"), ("POST", "/pause"),
            ("POST", "/kill"), ("POST", "/wait"), ("DELETE", ""),
            ("GET", "/json"), ("GET", "/logs?stdout=1"),
            ("POST", "/attach?stdin=1&stream=1"),
            ("POST", "/attach?stdout=1"), ("GET", "/attach/ws"),
            ("POST", "/rename?name="), ("GET", "/export"),
            ("GET", "/archive?path=/x"), ("PUT", "/archive?path=/x"),
            ("GET", "/stats"), ("POST", "/resize?h=1&w=1"),
            ("GET", "/top"), ("HEAD", "/archive?path=/x")])
        ref = self.container_with_spec(facts)
        case["method"], case["target"] = method, \
            "/containers/%s%s" % (ref, tail)
        if tail.endswith("name="):
            name = g.pick(["new1", "new1", "beef01", "deadbeef0123"])
            case["target"] += name
            self.new_name(facts, "container", name)
        if method == "PUT":
            case["headers"] = {"Content-Type": "application/x-tar"}

    def names(self, case, facts):
        """Names of images: pulled, given, taken away, sent."""
        g = self.g
        case["method"] = "POST"
        name = g.pick(IMAGES + ["Upper", "a//b"])
        query = []
        action = g.pick(["pull", "pull", "tag", "tag", "push", "remove",
                         "remove", "import", "import", "load"])
        tag = g.pick(["", "", "3.18", "1.2", "v2", "sha256:" + "e" * 64,
                      "1@sha256:" + "e" * 64, "a/b"])
        path = "/images/create"
        if action == "pull":
            query = [("fromImage", name)]
        elif action == "import":
            query = [("fromSrc", g.pick(
                ["-", "-", "https://files.acme.com/pub/x.tar",
                 "files.acme.com/x.tar", "https://files.acme.com/pub/../x",
                 "https://a@files.acme.com/x.tar", "http://h/a%2Eb",
                 "https://files.acme.com?q/x.tar", "ftp://h/x", ""]))]
            for _ in range(g.pick([0, 0, 1, 1, 2])):
                query.append(("changes", g.pick(
                    ["CMD x", "LABEL a=b", "env DB_PASSWORD=1",
                     "ENV TOKEN a b", "LABEL %s=alpha" % TEAM_KEY,
                     "label '%s'=bravo c=d" % TEAM_KEY,
                     'LABEL "%s=delta"' % TEAM_KEY,
                     "LABEL %s ghost" % TEAM_KEY,
                     "LABEL %s=%s" % (PHASE_KEY, g.pick(PHASES)),
                     "LABEL %s=" % TEAM_KEY, "RUN x", "USER 0", "",
                     "LABEL a=$b", "LABEL a", "CMD x \\",
                     "USER x\nLABEL a=b", "LABEL 'a=b", " EXPOSE\t80",
                     "ENV a=b c"])))
        elif action == "load":
            path = "/images/load"
        elif action == "remove":
            case["method"] = "DELETE"
            path = "/images/" + facts.image(g.pick(IMAGES))
        else:
            path = "/images/%s/%s" % (facts.image(g.pick(IMAGES)), action)
        if action in ("tag", "import") and g.chance(0.85):
            query.append(("repo", name))
        if action in ("pull", "tag", "push", "import") and tag:
            query.append(("tag", tag))
        if g.chance(0.04):
            query.append(("flavour", "1"))
        if action == "push":
            case["headers"] = {"Content-Length": "0"}
            if g.chance(0.2):
                self.json_body(case, g.pick([{}, {"auth": "x"},
                                             {"flavour": 1}]))
        if query:
            path += "?" + urllib.parse.urlencode(query)
        case["target"] = path

    def made(self, case, facts):
        """Volumes and networks that are made, networks connected."""
        g = self.g
        case["method"] = "POST"
        doc = {}

        def maybe(p, field, *values):
            if g.chance(p):
                doc[field] = g.pick(values)
        what = g.pick(["volume", "network", "connect"])
        if what == "connect":
            net = g.pick(self.networks + ["bridge", "host", "none"])
            facts.use("network", net)
            if net in ("bridge", "host", "none"):
                facts.objects[("network", net)] = {
                    "kind": "network", "ref": net, "by": "name",
                    "builtin": True, "name": net, "id": HEX64[3]}
            case["target"] = "/networks/%s/connect" % net
            if g.chance(0.97):
                doc["Container"] = facts.container()
            if g.chance(0.6):
                end = doc["EndpointConfig"] = g.pick([
                    {}, {"Aliases": ["a"]}, {"DriverOpts": {"ifname": "x"}},
                    {"IPAMConfig": {"IPv4Address": "10.0.0.9"}},
                    {"MacAddress": "02:42:ac:11:00:02"}, {"Flavour": 1}])
                end = doc["EndpointConfig"] = dict(end)
                if g.chance(0.2):
                    end["NetworkID"] = facts.network()
                if g.chance(0.2):
                    end["Links"] = [facts.container() + ":x"]
        elif what == "volume":
            case["target"] = "/volumes/create"
            if g.chance(0.8):
                doc["Name"] = facts.volume()
            maybe(0.3, "Driver", "local", "nfs", "")
            maybe(0.5, "DriverOpts", {}, {"type": "tmpfs"},
                  volume_options(facts), volume_options(facts),
                  volume_options(facts), {"size": "1m"})
            maybe(0.04, "ClusterVolumeSpec", None, {}, {"Group": "x"})
        else:
            case["target"] = "/networks/create"
            doc["Name"] = g.pick(["new1"] * 6 + ["beef01", "beef01",
                                                 "deadbeef0123"])
            self.new_name(facts, "network", doc["Name"])
            maybe(0.4, "Driver", "bridge", "macvlan", "ipvlan2", "default")
            maybe(0.3, "Options", {}, {"parent": "eth0"}, {"mtu": "1400"},
                  {"mtu": "9"}, {"com.docker.x": "y"})
            maybe(0.3, "IPAM", None, {"Driver": "default"},
                  {"Driver": "dhcp"}, {"Options": {"parent": "x"}},
                  {"Config": [{"Subnet": "10.0.0.0/8"}]}, {"Flavour": 1})
            for field in ("Attachable", "Ingress", "ConfigOnly", "Internal",
                          "EnableIPv6", "CheckDuplicate"):
                maybe(0.06, field, True, False, False)
            maybe(0.05, "Scope", "", "swarm")
            maybe(0.05, "ConfigFrom", None, {"Network": "x"})
        if what != "connect" and g.chance(0.4):
            doc["Labels"] = {g.pick([TEAM_KEY, PHASE_KEY, "a"]): g.pick(
                TEAMS[:3] + PHASES + ["ghost"])}
        maybe(0.03, "Flavour", 1)
        if g.chance(0.01):
            return
        self.json_body(case, doc)

    def changed(self, case, facts):
        """Updates, commits, copies, checkpoints of a container."""
        g = self.g
        ref = self.container_with_spec(facts)
        what = g.pick(["update", "update", "commit", "commit", "copy",
                       "copy", "checkpoint"])
        case["method"] = "POST"
        if what == "update":
            case["target"] = "/containers/%s/update" % ref
            b = Body(g, facts)
            for _ in range(g.pick([0, 1, 1, 2, 3])):
                g.pick(UPDATES)(b)
            if g.chance(0.03):
                g.pick(FEATURES)(b)
            if g.chance(0.03):
                b.hc[g.pick(["Flavour", "Memory", "memory", "Binds"])] = \
                    g.pick([1, None, "x", []])
            self.json_body(case, b.hc)
        elif what == "commit":
            self.commit(case, ref)
        elif what == "copy":
            case["method"] = "PUT"
            hc = (facts.objects[("container", ref)].get("inspect")
                  or {}).get("HostConfig")
            if hc and g.chance(0.4):
                path = facts.path(g.pick(["/", "/var/run/docker.sock",
                                          "/srv/alpha"]))
                hc["Binds"] = (hc.get("Binds") or []) + [path + ":/s:ro"]
            case["target"] = "/containers/%s/archive?path=/x%s" % (
                ref, g.pick(["", "", "&noOverwriteDirNonDir=1",
                             "&copyUIDGID=true", "&flavour=1"]))
            case["headers"] = {"Content-Type": "application/x-tar"}
        else:
            self.checkpoint(case, ref)

    def commit(self, case, ref):
        g = self.g
        query = [("container", ref)] if g.chance(0.97) else []
        if g.chance(0.6):
            query.append(("repo", g.pick(IMAGES + ["Upper"])))
        if g.chance(0.4):
            query.append(("tag", g.pick(["v1", "a/b", "3.18"])))
        for _ in range(g.pick([0, 0, 0, 1, 2])):
            query.append(("changes", g.pick(
                ["CMD x", "LABEL a=b", "ENV TOKEN=1",
                 "LABEL %s=%s" % (TEAM_KEY, g.pick(TEAMS[:3])),
                 "LABEL %s=%s" % (PHASE_KEY, g.pick(PHASES)), "RUN x"])))
        for key in ("comment", "author", "pause", "flavour"):
            if g.chance(0.05):
                query.append((key, "1"))
        case["target"] = "/commit"
        if query:
            case["target"] += "?" + urllib.parse.urlencode(query)
        case["headers"] = {"Content-Length": "0"}
        if g.chance(0.3):
            return
        doc = {}
        for p, field, values in (
                (0.3, "Labels", [{TEAM_KEY: "alpha"}, {TEAM_KEY: "bravo"},
                                 {PHASE_KEY: "dev"}, {}, {"a": "b"}]),
                (0.2, "Env", [["TOKEN=x"], ["A=b"], []]),
                (0.2, "Image", ["alpine"]), (0.2, "User", ["root"]),
                (0.04, "HostConfig", [None, {}, {"Privileged": False},
                                      {"Privileged": True}]),
                (0.03, "NetworkingConfig", [{}, {"EndpointsConfig": {}}]),
                (0.03, "Memory", [0, 1, None, False]),
                (0.02, "Flavour", [1])):
            if g.chance(p):
                doc[field] = g.pick(values)
        self.json_body(case, doc)

    def checkpoint(self, case, ref):
        g = self.g
        way = g.pick(["list", "create", "remove", "start"])
        name = g.pick(["cp1", "cp1", "a.b-c", "..", "-x", ""])
        folder = g.pick(["", "", "", "/tmp", None])
        base = "/containers/%s" % ref
        if way == "create":
            case["target"] = base + "/checkpoints"
            doc = {"CheckpointID": name, "Exit": True}
            if folder is not None:
                doc["CheckpointDir"] = folder
            if g.chance(0.05):
                doc["Flavour"] = 1
            self.json_body(case, doc)
            return
        query = "" if folder is None else "dir=" + folder
        if way == "start":
            query = "checkpoint=" + name
            if folder is not None:
                query += "&checkpoint-dir=" + folder
            case["target"] = base + "/start?" + query
            return
        case["method"] = "GET" if way == "list" else "DELETE"
        case["target"] = base + "/checkpoints"
        if way == "remove":
            case["target"] += "/" + (name if name not in ("", "..")
                                     else "%41x")
        if query:
            case["target"] += "?" + query

    def kept(self, case, facts):
        """Services, secrets, configs; the swarm, nodes, plugins."""
        g = self.g
        case["method"] = "POST"
        r = g.r.random()
        if r < 0.6:
            doc = self.service(facts)
            case["target"] = "/services/create"
            self.new_name(facts, "service", "svc")
            if g.chance(0.45):
                self.update_service(case, facts, doc)
            self.json_body(case, doc)
            return
        if r < 0.85:
            self.keepsake(case, facts)
            return
        path, doc = g.pick([
            ("/swarm/init", {"ListenAddr": "0.0.0.0", "Spec": {}}),
            ("/swarm/init", {"Spec": {"CAConfig": {"SigningCAKey": "x"}}}),
            ("/swarm/join", {"JoinToken": "x"}), ("/swarm/unlock", {}),
            ("/swarm/update?version=1", {"Name": "x"}),
            ("/swarm/update?version=1&flavour=1", {}),
            ("/swarm/update?version=1", {"TaskDefaults": {"LogDriver": {
                "Name": "syslog"}}}),
            ("/swarm/update?version=1", {"CAConfig": {"ExternalCAs": [
                {"URL": "x"}]}}),
            ("/nodes/n1/update?version=1", {"Role": "manager"}),
            ("/nodes/n1/update?version=1", {"Flavour": 1}),
            ("/plugins/pull?remote=x", [{"Name": "network"}]),
            ("/plugins/pull?remote=x", [{"Flavour": 1}]),
            ("/plugins/x/set", ["A=b"]), ("/plugins/x/upgrade?remote=y", []),
            ("/plugins/x/enable", None), ("/swarm/leave", None)])
        case["target"] = path
        if doc is not None:
            self.json_body(case, doc)

    def labels_of(self, p):
        g = self.g
        out = {}
        if g.chance(p):
            out[TEAM_KEY] = g.pick(["alpha", "alpha", "bravo", "delta",
                                    "ghost"])
        if g.chance(p):
            out[PHASE_KEY] = g.pick(PHASES + PHASES + ["ghost"])
        return out

    def keepsake(self, case, facts):
        """A secret or config."""
        g = self.g
        kind = g.pick(["secret", "config"])
        doc = {"Name": "thing", "Data": "eA=="}
        if g.chance(0.7):
            doc["Labels"] = self.labels_of(0.5)
        if g.chance(0.1):
            doc["Templating"] = g.pick([{}, {"Name": "golang"},
                                        {"Name": "x"}, None,
                                        {"Options": {"a": "b"}}])
        if kind == "secret" and g.chance(0.1):
            doc["Driver"] = g.pick([None, {}, {"Name": "x"}])
        if g.chance(0.05):
            doc["Flavour"] = 1
        case["target"] = "/%ss/create" % kind
        self.new_name(facts, kind, "thing")
        if g.chance(0.5):
            case["target"] = "/%ss/%s/update?version=4" % (
                kind, facts.use(kind, g.pick(["k1", "k2"])))
        self.json_body(case, doc)

    def update_service(self, case, facts, doc):
        g = self.g
        facts.objects.pop(("service", "svc"))
        name = facts.use("service", g.pick(["svc", "svc2"]))
        case["target"] = "/services/%s/update?version=%s" % (
            name, g.pick(["7", "7", "7", "8", "x"]))
        if g.chance(0.4):
            case["target"] += "&rollback=" + g.pick(
                ["previous", "previous", "previous", "none", "", "x"])
        if g.chance(0.04):
            case["target"] += g.pick(["&flavour=1", "&registryAuthFrom=spec"])
        fact = facts.objects[("service", name)]
        if fact.get("presence", "present") == "present" and g.chance(0.9):
            fact["inspect"] = {"Version": {"Index": 7}, "Spec": doc}
            if g.chance(0.85):
                fact["inspect"]["PreviousSpec"] = self.service(facts)

    def service(self, facts):
        g = self.g
        c = {"Image": facts.image(g.pick(IMAGES[:8]))}
        task = {"ContainerSpec": c}
        doc = {"Name": "svc", "TaskTemplate": task}
        if g.chance(0.6):
            doc["Labels"] = self.labels_of(0.5)
            if g.chance(0.3):
                doc["Labels"][g.pick(["ticket", "cost"])] = "1"
        for _ in range(g.pick([0, 1, 1, 2, 3])):
            g.pick(SERVICE_FEATURES)(g, facts, doc, task, c)
        if g.chance(0.5):
            g.pick([s_mount, s_networks, s_networks, s_secret, s_credential])(
                g, facts, doc, task, c)
        return doc

    def build(self, case, facts):
        """A build's query; what is out of sight."""
        g = self.g
        case["method"] = "POST"
        if g.chance(0.1):
            case["target"] = g.pick(["/session", "/grpc",
                                     "/session?flavour=1"])
            return
        case["headers"] = {"Content-Type": "application/x-tar"}
        query = [("t", g.pick(IMAGES + ["", "Upper", "acme/tool:v2"]))
                 for _ in range(g.pick([0, 1, 1, 1, 2]))]

        def maybe(p, key, *values):
            if g.chance(p):
                query.append((key, g.pick(values)))
        maybe(0.15, "cachefrom", *([json.dumps(x) for x in (
            [], None, ["alpine"], ["reg.acme.com/alpha/app:1.2", "beef"],
            ["sha256:" + "b" * 64], ["acme/tool", "alpine:3.18"],
            ["c" * 64, "acme/x"])] + ["x", "{}"]))
        if g.chance(0.3):
            query.append(("networkmode", g.pick(
                ["", "default", "bridge", "none", "host",
                 facts.network(), "container:" + facts.container()])))
        for _ in range(g.pick([0, 0, 0, 0, 1, 2])):
            query.append(("extrahosts", g.pick(
                ["h:10.0.0.1", "h:10.0.0.2", "x:host-gateway"])))
        maybe(0.2, "remote", "", "client-session", "github.com/acme/x",
              "https://git.acme.com/a/b.git#main", "git@github.com:a/b",
              "https://git.acme.com/a/b.git#-x", "http://h/x.tar",
              "https://git.acme.com/a/../b", "git://git.acme.com/a")
        maybe(0.2, "buildargs", "{}", "null", '{"A":"b"}',
              '{"DB_PASSWORD":"x"}', '{"token":null}', '{"MY_Token":"x"}',
              "[]", '{"A":1}', '{"l":"x"}')
        maybe(0.2, "labels", "{}", json.dumps({TEAM_KEY: g.pick(
            TEAMS[:3] + ["ghost"])}), json.dumps({PHASE_KEY: g.pick(
                PHASES)}), '{"a":"b"}')
        maybe(0.1, "memory", "0", "1073741824", "67108864", "1g", "-1",
              "4294967296", "+5", "")
        maybe(0.08, "memswap", "0", "-1", "1073741824", "8589934592")
        maybe(0.08, "cpuquota", "0", "50000", "200000")
        maybe(0.05, "cpuperiod", "0", "100000", "50000")
        maybe(0.08, "shmsize", "0", "67108864", "268435456")
        maybe(0.08, "ulimits", "[]", '[{"Name":"nofile","Soft":512,'
              '"Hard":1024}]', '[{"Name":"no-file","Soft":1}]',
              '[{"name":"core","Soft":9,"Hard":-1}]')
        maybe(0.08, "cgroupparent", "", "/alpha", "/sys/x", "/sys/..")
        maybe(0.06, "cpusetcpus", "0-1", "0", "")
        maybe(0.04, "cpusetmems", "0", "1")
        maybe(0.1, "version", "", "1", "2", "3", "01")
        maybe(0.05, "session", "", "abc")
        maybe(0.05, "outputs", "", "[]", '[{"Type":"local"}]')
        maybe(0.05, "isolation", "", "default", "hyperv")
        maybe(0.05, "securityopt", "[]", '["label=disable"]', "")
        maybe(0.05, "cpushares", "0", "5")
        maybe(0.2, "dockerfile", "Dockerfile")
        maybe(0.03, "flavour", "1")
        g.r.shuffle(query)
        case["target"] = "/build"
        if query:
            case["target"] += "?" + urllib.parse.urlencode(query)

    def other(self, case, facts):
        g = self.g
        method, target = g.pick(RARE) if g.chance(0.4) else g.pick([
            ("GET", "/_ping"), ("GET", "/version"), ("HEAD", "/_ping"),
            ("GET", "/info"), ("GET", "/events"), ("GET", "/system/df"),
            ("GET", "/containers/json"), ("GET", "/images/json"),
            ("GET", "/images/alpine/json"), ("GET", "/networks"),
            ("GET", "/networks/{n}"), ("GET", "/networks/{n}"),
            ("DELETE", "/networks/{n}"), ("GET", "/volumes"),
            ("GET", "/volumes/{v}"), ("DELETE", "/volumes/{v}"),
            ("POST", "/containers/prune"), ("POST", "/images/prune"),
            ("GET", "/swarm"), ("POST", "/swarm/leave"), ("GET", "/plugins"),
            ("POST", "/plugins/x/disable"), ("POST", "/plugins/x/enable"),
            ("GET", "/images/search?term=x"), ("GET", "/services"),
            ("GET", "/services/{s}"), ("GET", "/tasks/{t}"),
            ("DELETE", "/secrets/{x}"), ("GET", "/configs/{c}"),
            ("GET", "/nope"), ("PUT", "/containers/json"),
            ("GET", "/distribution/alpine/json")])
        if g.chance(0.35):
            self.unread(case, facts)
            return
        for mark, kind, pick in (
                ("{n}", "network", self.networks + ["bridge"]),
                ("{v}", "volume", self.volumes), ("{s}", "service", ["svc"]),
                ("{t}", "task", ["t1"]), ("{x}", "secret", ["key"]),
                ("{c}", "config", ["cfg"]), ("{k}", "container", ["api"])):
            if mark in target:
                ref = g.pick(pick)
                facts.use(kind, ref)
                if ref == "bridge":
                    facts.objects[(kind, ref)] = {
                        "kind": kind, "ref": ref, "by": "name",
                        "builtin": True, "name": ref, "id": HEX64[3]}
                target = target.replace(mark, ref)
        case["method"], case["target"] = method, target
        if target.startswith(("/auth", "/volumes/")) and method != "DELETE" \
                and "prune" not in target and method != "GET":
            self.json_body(case, {})
        if target.startswith("/plugins/create"):
            case["headers"] = {"Content-Type": "application/x-tar"}

    def unread(self, case, facts):
        """Bodies that no extractor reads: who may, and the labels."""
        g = self.g
        labels = {}
        if g.chance(0.4):
            labels[TEAM_KEY] = g.pick(["alpha", "bravo", "ghost", ""])
        if g.chance(0.4):
            labels[PHASE_KEY] = g.pick(PHASES + ["ghost"])
        doc = {"Name": "thing", "Labels": labels}
        method, target, doc = g.pick([
            ("POST", "/volumes/create", doc),
            ("POST", "/networks/create", doc),
            ("POST", "/networks/%s/connect", {}),
            ("POST", "/networks/%s/disconnect", {}),
            ("POST", "/images/create?fromImage=alpine", None),
            ("POST", "/images/alpine/tag?repo=x&tag=y", None),
            ("DELETE", "/images/alpine", None),
            ("POST", "/build?t=x", None), ("POST", "/session", None),
            ("POST", "/images/load", None)])
        if "connect" in target:
            target %= facts.network()
            doc = {"Container": facts.container()}
        elif "%s" in target:
            target %= self.container_with_spec(facts)
        case["method"], case["target"] = method, target
        if doc is not None:
            self.json_body(case, doc)
        elif "/build" in target or "/load" in target:
            case["headers"] = {"Content-Type": "application/x-tar"}


def g_chance(world, p):
    return world.g.chance(p)


def g_pick(world, items):
    return world.g.pick(items)
