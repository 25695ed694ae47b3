# SPDX-License-Identifier: Apache-2.0
"""What a request's body asks for, written from docs/semantics.md alone.

A Spec does not depend on a policy; judge.py compares it with a profile.
"""
import re

from lines import hit

FREE, MUST = "free", "must"

# The zero value of a type; a field of class MUST has to be that, or null.
ZERO = {"s": "", "b": False, "i": 0, "ls": [], "ss": [], "ms": {}, "li": [],
        "me": {}, "any": None}


class Refused(Exception):
    """The request is refused before the policy is asked."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def schema(free="", must="", **objects):
    """name:type words; objects are nested schemas (a list: of objects)."""
    table = {}
    for cls, words in ((FREE, free), (MUST, must)):
        for word in words.split():
            name, _, typ = word.partition(":")
            table[name.lower()] = (name, typ or "s", cls)
    for name, inner in objects.items():
        table[name.lower()] = (name, inner, FREE)
    return table


HEALTH = schema("Test:ls Interval:i Timeout:i StartPeriod:i Retries:i "
                "StartInterval:i")
ENDPOINT = schema(
    "Links:ls Aliases:ls NetworkID EndpointID Gateway IPAddress "
    "IPPrefixLen:i IPv6Gateway GlobalIPv6Address GlobalIPv6PrefixLen:i "
    "MacAddress DriverOpts:ms GwPriority:i DNSNames:ls",
    IPAMConfig=schema("IPv4Address IPv6Address LinkLocalIPs:ls"))
MOUNT = schema(
    "Type Source Target ReadOnly:b Consistency",
    BindOptions=schema("Propagation NonRecursive:b CreateMountpoint:b "
                       "ReadOnlyNonRecursive:b ReadOnlyForceRecursive:b"),
    VolumeOptions=schema("NoCopy:b Labels:ms Subpath",
                         DriverConfig=schema("Name Options:ms")),
    ImageOptions=schema("Subpath"),
    TmpfsOptions=schema("SizeBytes:i Mode:i Options:lls"))
RATE = schema("Path Rate:i")
HOST_CONFIG = schema(
    "Binds:ls NetworkMode AutoRemove:b VolumeDriver VolumesFrom:ls "
    "ConsoleSize:li Annotations:ms CapAdd:ss CapDrop:ss CgroupnsMode "
    "Dns:ls DnsOptions:ls DnsSearch:ls ExtraHosts:ls GroupAdd:ls IpcMode "
    "Links:ls OomScoreAdj:i PidMode Privileged:b PublishAllPorts:b "
    "ReadonlyRootfs:b SecurityOpt:ls StorageOpt:ms Tmpfs:ms UTSMode "
    "UsernsMode ShmSize:i Sysctls:ms Runtime CpuShares:i Memory:i "
    "NanoCpus:i CgroupParent BlkioWeight:i CpuPeriod:i CpuQuota:i "
    "CpuRealtimePeriod:i CpuRealtimeRuntime:i CpusetCpus CpusetMems "
    "DeviceCgroupRules:ls MemoryReservation:i MemorySwap:i "
    "MemorySwappiness:i OomKillDisable:b PidsLimit:i MaskedPaths:ls "
    "ReadonlyPaths:ls Init:b ContainerIDFile Isolation KernelMemory:i "
    "KernelMemoryTCP:i CpuCount:i CpuPercent:i IOMaximumIOps:i "
    "IOMaximumBandwidth:i",
    must="Cgroup Capabilities:ls",
    LogConfig=schema("Type Config:ms"),
    PortBindings={"": schema("HostIp HostPort")},
    RestartPolicy=schema("Name MaximumRetryCount:i"),
    BlkioWeightDevice=[schema("Path Weight:i")],
    BlkioDeviceReadBps=[RATE], BlkioDeviceWriteBps=[RATE],
    BlkioDeviceReadIOps=[RATE], BlkioDeviceWriteIOps=[RATE],
    Devices=[schema("PathOnHost PathInContainer CgroupPermissions")],
    DeviceRequests=[schema("Driver Count:i DeviceIDs:ls Capabilities:lls "
                           "Options:ms")],
    Ulimits=[schema("Name Soft:i Hard:i")], Mounts=[MOUNT])
CONFIG = schema(
    "Hostname Domainname User AttachStdin:b AttachStdout:b AttachStderr:b "
    "ExposedPorts:me Tty:b OpenStdin:b StdinOnce:b Env:ls Cmd:ss Image "
    "Volumes:me WorkingDir Entrypoint:ss NetworkDisabled:b MacAddress "
    "OnBuild:ls Labels:ms StopSignal StopTimeout:i Shell:ss ArgsEscaped:b",
    Healthcheck=HEALTH)
NETWORKING = schema(EndpointsConfig={None: ENDPOINT})
CREATE = dict(CONFIG)
CREATE.update(schema(
    HostConfig=HOST_CONFIG,
    NetworkingConfig=NETWORKING))
EXEC = schema("User Privileged:b Tty:b ConsoleSize:li AttachStdin:b "
              "AttachStdout:b AttachStderr:b Detach:b DetachKeys Env:ls "
              "WorkingDir Cmd:ss Container")
EXEC_START = schema("Detach:b Tty:b ConsoleSize:li hijack:b stdin:b")


def is_str(v):
    return isinstance(v, str)


def is_int(v):
    return type(v) is int and -2**63 <= v < 2**63


def list_of(test):
    return lambda v: isinstance(v, list) and all(
        x is None or test(x) for x in v)


TYPE = {
    "s": is_str, "b": lambda v: isinstance(v, bool), "i": is_int,
    "ls": list_of(is_str), "li": list_of(is_int),
    "ss": lambda v: is_str(v) or list_of(is_str)(v),
    "lls": list_of(list_of(is_str)),
    "ms": lambda v: isinstance(v, dict) and all(
        x is None or is_str(x) for x in v.values()),
    "me": lambda v: isinstance(v, dict) and all(
        x is None or isinstance(x, dict) for x in v.values()),
    "any": lambda v: True,
}


class Walk:
    """Reads a body by its schema."""

    def __init__(self, lenient=False):
        self.unknown = False
        self.must = False
        self.lenient = lenient

    def value(self, typ, v):
        if isinstance(typ, str):
            if not TYPE[typ](v):
                raise Refused("ambiguous-request")
            if typ == "ss" and is_str(v):
                return [v]
            if isinstance(v, list) and typ in ("ls", "ss"):
                return ["" if x is None else x for x in v]
            return v
        if isinstance(typ, list):
            if not isinstance(v, list):
                raise Refused("ambiguous-request")
            return [self.read(typ[0], x or {}) for x in v]
        if None in typ:  # a map of objects
            if not isinstance(v, dict):
                raise Refused("ambiguous-request")
            return {k: self.read(typ[None], x or {}) for k, x in v.items()}
        if "" in typ:    # a map of lists of objects
            if not isinstance(v, dict):
                raise Refused("ambiguous-request")
            return {k: [self.read(typ[""], y or {}) for y in x or []]
                    for k, x in v.items()}
        return self.read(typ, v)

    def read(self, table, obj):
        if not isinstance(obj, dict):
            raise Refused("ambiguous-request")
        out, seen = {}, set()
        for key, v in obj.items():
            fold = key.lower()
            if fold in seen:
                raise Refused("ambiguous-request")
            seen.add(fold)
            if fold not in table:
                if table is CREATE and fold in HOST_CONFIG:
                    if v not in (None, "", 0, False):
                        raise Refused("ambiguous-request")
                    continue
                self.unknown |= v is not None  # 9.17
                continue
            name, typ, cls = table[fold]
            if v is None:
                continue
            v = self.value(typ, v)
            if cls == MUST and v != ZERO[typ]:
                self.must = True
            out[name] = v
        return out


class Spec:
    """Normalised; every attribute is the harmless value when not asked."""

    def __init__(self):
        self.unknown = self.must = False
        self.body = {}
        self.hc = {}
        self.labels = {}
        self.refs = []      # (kind, name) in the order of 9.9
        self.image = None
        self.is_exec = False
        self.empty = False  # no body, but perhaps a query
        self.binds = []     # (path, read_only, nonrecursive)
        self.propagation = []
        self.odd_mount = False
        self.relabel = False
        self.volumes = []   # (name, driver, options) of named volumes
        self.made = []      # labels of volumes in Mounts
        self.pairs = []     # labels of an image, in their order
        self.anon = []      # (driver, options)
        self.tmpfs = []     # lists of options
        self.mount_images = []
        self.volumes_from = []
        self.late_refs = []  # what VolumesFrom brings
        self.networks = []  # modes and endpoint names
        self.container_net = None
        self.links = []
        self.exec_privileged = False
        self.exec_user = ""
        self.env = []
        self.stored = False


PROPAGATION = {"shared", "rshared", "slave", "rslave", "private", "rprivate"}


def clean(path):
    """Go's path.Clean of an absolute path."""
    parts = []
    for p in path.split("/"):
        if p == "..":
            if parts:
                parts.pop()
        elif p not in ("", "."):
            parts.append(p)
    return "/" + "/".join(parts)


def read_binds(spec, hc):
    driver = hc.get("VolumeDriver", "")
    for bind in hc.get("Binds", []):
        part = bind.split(":")
        if len(part) == 1:
            spec.anon.append((driver, {}))
            continue
        modes = part[2].split(",") if len(part) > 2 else []
        spec.propagation += [m for m in modes if m in PROPAGATION]
        if "z" in modes or "Z" in modes:
            spec.relabel = True
        if part[0].startswith("/"):
            spec.binds.append((clean(part[0]), "ro" in modes, False))
        else:
            spec.volumes.append((part[0], driver, {}))
            spec.refs.append(("volume", part[0]))


def read_mount(spec, m):
    typ, source = m.get("Type", ""), m.get("Source", "")
    spec.made.append(m.get("VolumeOptions", {}).get("Labels", {}))
    if typ == "bind":
        opt = m.get("BindOptions", {})
        spec.binds.append((clean(source), m.get("ReadOnly", False),
                           opt.get("NonRecursive", False) or
                           opt.get("ReadOnlyNonRecursive", False)))
        if opt.get("Propagation"):
            spec.propagation.append(opt["Propagation"])
    elif typ == "volume":
        cfg = m.get("VolumeOptions", {}).get("DriverConfig", {})
        what = (cfg.get("Name", ""), cfg.get("Options", {}))
        if source:
            spec.volumes.append((source,) + what)
            spec.refs.append(("volume", source))
        else:
            spec.anon.append(what)
    elif typ == "tmpfs":
        opt = m.get("TmpfsOptions", {})
        text = ",".join("=".join(o or []) for o in opt.get("Options", []))
        spec.tmpfs.append([o.split("=")[0] for o in text.split(",") if o])
    elif typ == "image":
        spec.mount_images.append(source)
        spec.refs.append(("image", source))
    else:
        spec.odd_mount = True


BUILTIN = {"": "private", "default": "private", "bridge": "private",
           "none": "none", "host": "host"}


def container_of(mode):
    return mode[10:] if mode.startswith("container:") else None


def read_volumes_from(spec, v):
    """What the source has mounted, the new container has mounted."""
    name = v.split(":")[0]
    spec.volumes_from.append(name)
    fact = spec.fact("container", name)
    inspect = fact.get("inspect")
    if fact["presence"] != "present" or inspect is None or \
            not isinstance(inspect.get("Mounts"), list):
        if fact["presence"] == "present":
            hit("10.11:source-unknown")
        # there, but nobody can see what it has mounted: cannot be told
        spec.refs.append(("unseen" if fact["presence"] == "present"
                          else "container", name))
        return
    hit("10.11:source")
    spec.refs.append(("container", name))
    read_mounted(spec, inspect["Mounts"])


def read_mounted(spec, mounts):
    for m in mounts:
        if m.get("Type") == "bind":
            spec.binds.append((clean(m["Source"]), not m.get("RW"), False))
        elif m.get("Type") == "volume":
            spec.volumes.append((m["Name"], m.get("Driver", ""), {}))
            spec.late_refs.append(("volume", m["Name"]))
        elif m.get("Type") != "tmpfs":
            spec.odd_mount = True


def read_host_config(spec, hc):
    read_binds(spec, hc)
    for m in hc.get("Mounts", []):
        read_mount(spec, m)
    for path_options in hc.get("Tmpfs", {}).values():
        spec.tmpfs.append([o.split("=")[0] for o in
                           (path_options or "").split(",") if o])
    for v in hc.get("VolumesFrom", []):
        if spec.stored:  # 10.11: what it has itself by now
            spec.volumes_from.append(v.split(":")[0])
        else:
            read_volumes_from(spec, v)
    mode = hc.get("NetworkMode", "")
    spec.container_net = container_of(mode)
    if spec.container_net is not None:
        spec.refs.append(("container", spec.container_net))
    else:
        spec.networks.append(mode)
        if mode not in BUILTIN:
            spec.refs.append(("network", mode))
    for field in ("PidMode", "IpcMode"):
        name = container_of(hc.get(field, ""))
        if name is not None:
            spec.refs.append(("container", name))


def read_endpoints(spec, body):
    ends = body.get("NetworkingConfig", {}).get("EndpointsConfig", {})
    spec.endpoints = ends
    for name, end in ends.items():
        spec.networks.append(name)
        if name not in BUILTIN:
            spec.refs.append(("network", name))
        other = end.get("NetworkID")
        if other and not spec.stored:  # there the daemon wrote it
            spec.networks.append(other)
            if other not in BUILTIN:
                spec.refs.append(("network", other))
        for link in end.get("Links", []):
            spec.links.append(link.split(":")[0])
            spec.refs.append(("container", link.split(":")[0]))


def fill_container(spec, body, hc):
    spec.body, spec.hc = body, hc
    spec.labels = body.get("Labels", {})
    for u in hc.get("Ulimits", []):
        if not re.match(r"^[A-Za-z]+\Z", u.get("Name", "")):
            raise Refused("ambiguous-request")
    spec.env = body.get("Env", [])
    spec.image = body.get("Image", "")
    spec.anon += [(hc.get("VolumeDriver", ""), {})
                  for _ in body.get("Volumes", {})]
    if spec.image:
        spec.refs.append(("image", spec.image))
    read_host_config(spec, hc)
    read_endpoints(spec, body)
    for link in hc.get("Links", []):
        spec.links.append(link.split(":")[0])
        spec.refs.append(("container", link.split(":")[0]))


def of_create(body, query, fact):
    walk = Walk()
    spec = Spec()
    spec.fact = fact
    body = walk.read(CREATE, body)
    spec.unknown, spec.must = walk.unknown, walk.must
    fill_container(spec, body, body.get("HostConfig", {}))
    if not spec.image:
        raise Refused("ambiguous-request")
    spec.unknown |= unknown_query("container.create", query)
    return spec


# the query keys that some engine knows (5.3)
ATTACH = "detachKeys logs stream stdin stdout stderr"
QUERY = {"container.create": "name platform", "container.exec": "",
         "container.exec-start": "", "container.restart": "t signal",
         "container.start": "detachKeys checkpoint checkpoint-dir",
         "container.unpause": "", "container.attach": ATTACH + " hijack",
         "container.attach-ws": ATTACH, "container.rename": "name"}


def unknown_query(action, query):
    return not set(query) <= set(QUERY[action].split())


def of_query(action, query):
    spec = Spec()
    spec.empty = True
    if action == "container.start":
        if query.get("checkpoint") and not re.match(
                r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*\Z", query["checkpoint"]):
            raise Refused("ambiguous-request")
        spec.must = bool(query.get("checkpoint-dir"))
    spec.unknown = unknown_query(action, query)
    return spec


def of_exec(body, query):
    walk = Walk()
    spec = Spec()
    body = walk.read(EXEC, body)
    spec.is_exec = True
    spec.unknown, spec.must = walk.unknown or bool(query), walk.must
    spec.exec_privileged = body.get("Privileged", False)
    spec.exec_user = body.get("User", "")
    spec.env = body.get("Env", [])
    return spec


def of_exec_start(body, query, fact):
    walk = Walk()
    spec = Spec()
    walk.read(EXEC_START, body)
    spec.is_exec = True
    spec.unknown = walk.unknown or bool(query)
    if fact is not None:
        spec.exec_privileged = fact.get("exec_privileged", False)
        spec.exec_user = fact.get("exec_user", "")
    return spec


def of_inspect(inspect, fact):
    """The stored spec of a container, out of the daemon's own answer."""
    walk = Walk(lenient=True)
    spec = Spec()
    spec.stored = True
    spec.fact = fact
    body = walk.read(CONFIG, inspect.get("Config") or {})
    hc = walk.read(HOST_CONFIG, inspect.get("HostConfig") or {})
    spec.must = walk.must
    spec.unknown = walk.unknown
    nets = (inspect.get("NetworkSettings") or {}).get("Networks") or {}
    body["NetworkingConfig"] = {"EndpointsConfig": {
        k: walk.read(ENDPOINT, v or {}) for k, v in nets.items()}}
    fill_container(spec, body, hc)
    if spec.volumes_from:
        if not isinstance(inspect.get("Mounts"), list):
            hit("10.11:stored-unknown")
            return None
        hit("10.11:own-mounts")
        read_mounted(spec, inspect["Mounts"])
    return spec


HEX = re.compile(r"^[0-9a-f]+$")
