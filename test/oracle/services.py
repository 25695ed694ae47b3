# SPDX-License-Identifier: Apache-2.0
"""Services, and what the swarm keeps: written from docs/semantics.md 13
alone.  A service's fields are read as those of the container that a task of
it becomes, so most keys are judged as a container's.
"""
import re

import bodies as B
import judge as J
import spec as S
from judge import CANT, NO, YES
from lines import hit

DRIVER = S.schema("Name Options:ms")
ATTACH = S.schema("Target Aliases:ls DriverOpts:ms")
FILE = S.schema("Name UID GID Mode:i")
GENERIC = [S.schema(NamedResourceSpec=S.schema("Kind Value"),
                    DiscreteResourceSpec=S.schema("Kind Value:i"))]
ROLLOUT = S.schema("Parallelism:i Delay:i FailureAction Monitor:i "
                   "MaxFailureRatio:any Order")
PRIVILEGES = S.schema(
    "NoNewPrivileges:b", CredentialSpec=S.schema("Config File Registry"),
    SELinuxContext=S.schema("Disable:b User Role Type Level"),
    Seccomp=S.schema("Mode Profile"), AppArmor=S.schema("Mode"))
CONTAINER = S.schema(
    "Image Labels:ms Command:ls Args:ls Hostname Env:ls Dir User Groups:ls "
    "Init:b StopSignal TTY:b OpenStdin:b ReadOnly:b StopGracePeriod:i "
    "Hosts:ls Isolation Sysctls:ms CapabilityAdd:ls CapabilityDrop:ls "
    "OomScoreAdj:i", Privileges=PRIVILEGES, Mounts=[S.MOUNT],
    Healthcheck=S.HEALTH,
    DNSConfig=S.schema("Nameservers:ls Search:ls Options:ls"),
    Secrets=[S.schema("SecretID SecretName", File=FILE)],
    Configs=[S.schema("ConfigID ConfigName", File=FILE,
                      Runtime=S.schema())],
    Ulimits=[S.schema("Name Soft:i Hard:i")])
TASK = S.schema(
    "ForceUpdate:i Runtime", ContainerSpec=CONTAINER,
    PluginSpec=S.schema("Name Remote Disabled:b Env:ls"),
    NetworkAttachmentSpec=S.schema("ContainerID"),
    Resources=S.schema(
        "SwapBytes:i MemorySwappiness:i",
        Limits=S.schema("NanoCPUs:i MemoryBytes:i Pids:i",
                        GenericResources=GENERIC),
        Reservations=S.schema("NanoCPUs:i MemoryBytes:i",
                              GenericResources=GENERIC)),
    RestartPolicy=S.schema("Condition Delay:i MaxAttempts:i Window:i"),
    Placement=S.schema("Constraints:ls MaxReplicas:i"), Networks=[ATTACH],
    LogDriver=DRIVER)
SERVICE = S.schema(
    "Name Labels:ms", TaskTemplate=TASK,
    Mode=S.schema(Replicated=S.schema("Replicas:i"), Global=S.schema()),
    UpdateConfig=ROLLOUT, RollbackConfig=ROLLOUT, Networks=[ATTACH],
    EndpointSpec=S.schema("Mode", Ports=[S.schema(
        "Name Protocol TargetPort:i PublishedPort:i PublishMode")]))
SECRET = S.schema("Name Labels:ms Data", Driver=DRIVER, Templating=DRIVER)
CONFIG = S.schema("Name Labels:ms Data", Templating=DRIVER)
SWARM = S.schema(
    "Name Labels:ms", Raft=S.schema("SnapshotInterval:i"),
    CAConfig=S.schema("NodeCertExpiry:i SigningCACert SigningCAKey "
                      "ForceRotate:i", ExternalCAs=[S.schema("Protocol URL")]),
    TaskDefaults=S.schema(LogDriver=DRIVER),
    EncryptionConfig=S.schema("AutoLockManagers:b"))
INIT = S.schema("ListenAddr AdvertiseAddr ForceNewCluster:b Availability "
                "AutoLockManagers:b", Spec=SWARM)
JOIN = S.schema("ListenAddr AdvertiseAddr DataPathAddr RemoteAddrs:ls "
                "JoinToken Availability")
NODE = S.schema("Name Labels:ms Role Availability")
PRIVILEGE = [S.schema("Name Description Value:ls")]
PLAIN = {"secret.create": (SECRET, ""), "secret.update": (SECRET, "version"),
         "config.create": (CONFIG, ""), "config.update": (CONFIG, "version"),
         "swarm.init": (INIT, ""), "swarm.join": (JOIN, ""),
         "swarm.update": (SWARM, "version rotateWorkerToken "
                                 "rotateManagerToken "
                                 "rotateManagerUnlockKey"),
         "swarm.unlock": (S.schema("UnlockKey"), ""),
         "node.update": (NODE, "version"),
         "plugin.install": (PRIVILEGE, "remote name"),
         "plugin.upgrade": (PRIVILEGE, "remote"), "plugin.set": ("ls", "")}
UPDATED = {"service.update", "secret.update", "config.update"}
QUERY = {"service.create": "",
         "service.update": "version registryAuthFrom rollback"}


def walked(schema, body):
    """(what was read, a field that no engine has)"""
    walk = S.Walk()
    doc = walk.value(schema, body)
    return doc, walk.unknown


def security(p):
    out = {"label": [], "seccomp": None, "apparmor": None,
           "nnp": p.get("NoNewPrivileges", False), "other": []}
    sec = p.get("Seccomp", {})
    if sec.get("Profile") or sec.get("Mode") not in (None, "", "default",
                                                     "unconfined"):
        out["seccomp"] = "custom"
    elif sec.get("Mode") == "unconfined":
        out["seccomp"] = "unconfined"
    mode = p.get("AppArmor", {}).get("Mode")
    if mode == "disabled":
        out["apparmor"] = "unconfined"
    elif mode not in (None, "", "default"):
        out["apparmor"] = "*"
    se = p.get("SELinuxContext", {})
    if se.get("Disable"):
        out["label"].append("disable")
    out["label"] += ["%s:%s" % (k.lower(), se[k])
                     for k in ("User", "Role", "Type", "Level")
                     if se.get(k)]
    cred = p.get("CredentialSpec", {})
    out["other"] = ["credentialspec=%s://%s" % (k.lower(), cred[k])
                    for k in ("Config", "File", "Registry") if cred.get(k)]
    return out


def hosts(entries):
    out = []
    for entry in entries:
        if not re.match(r"^[ -~]*\Z", entry):
            B.refuse()
        words = entry.split()
        out.append("%s:%s" % (words[1], words[0]) if len(words) > 1 else entry)
    return out


def requests(task):
    out = []
    for r in task.get("Resources", {}).get("Reservations", {}).get(
            "GenericResources", []):
        if "NamedResourceSpec" in r:
            out.append(None)
        one = r.get("DiscreteResourceSpec")
        if one is not None:
            out.append({"Driver": "swarm", "Count": one.get("Value", 0),
                        "Capabilities": [[one.get("Kind", "")]]})
    return out


RESTART = {"none": "no", "on-failure": "on-failure"}


def host_config(task, c, doc):
    limits = task.get("Resources", {}).get("Limits", {})
    memory = limits.get("MemoryBytes", 0)
    swap = task.get("Resources", {}).get("SwapBytes")
    policy = task.get("RestartPolicy", {})
    dns = c.get("DNSConfig", {})
    return {
        "CapAdd": c.get("CapabilityAdd", []),
        "CapDrop": c.get("CapabilityDrop", []),
        "Sysctls": c.get("Sysctls"), "GroupAdd": c.get("Groups"),
        "OomScoreAdj": c.get("OomScoreAdj", 0),
        "ReadonlyRootfs": c.get("ReadOnly", False),
        "ExtraHosts": hosts(c.get("Hosts", [])),
        "Dns": dns.get("Nameservers", []), "DnsSearch": dns.get("Search", []),
        "DnsOptions": dns.get("Options", []),
        "Memory": memory, "NanoCpus": limits.get("NanoCPUs", 0),
        "PidsLimit": limits.get("Pids", 0),
        "MemorySwap": 0 if swap is None else -1 if swap < 0 else
        swap + memory,
        "Ulimits": c.get("Ulimits", []),
        "RestartPolicy": {
            "Name": RESTART.get(policy.get("Condition", ""), "always"),
            "MaximumRetryCount": policy.get("MaxAttempts", 0)},
        "PortBindings": {
            "%d/%d" % (p.get("TargetPort", 0), i): [
                {"HostPort": str(p.get("PublishedPort") or "")}]
            for i, p in enumerate(
                doc.get("EndpointSpec", {}).get("Ports", []))},
        "LogConfig": {"Type": task.get("LogDriver", {}).get("Name", ""),
                      "Config": task.get("LogDriver", {}).get("Options")}}


def templates(mount):
    """13.1: what the node would make something else of"""
    options = mount.get("VolumeOptions", {})
    for what, texts in (
            ("source", [mount.get("Source", "")]),
            ("option", pairs(options.get("DriverConfig", {}).get("Options"))),
            ("label", pairs(options.get("Labels")))):
        if any("{{" in t for t in texts):
            hit("13.1:template-" + what)
            B.refuse()


def pairs(table):
    return [t or "" for kv in (table or {}).items() for t in kv]


def fill(s, doc):
    task = doc.get("TaskTemplate", {})
    c = task.get("ContainerSpec", {})
    s.labels = doc.get("Labels", {})
    s.task_labels = c.get("Labels", {})
    s.body = {"User": c.get("User", ""),
              "Healthcheck": c.get("Healthcheck")}
    s.hc = host_config(task, c, doc)
    s.requests = requests(task)
    s.security = security(c.get("Privileges", {}))
    s.env = c.get("Env", [])
    s.image = c.get("Image", "")
    for u in s.hc["Ulimits"]:
        if not re.match(r"^[A-Za-z]+\Z", u.get("Name", "")):
            B.refuse()
    if s.image:
        s.refs.append(("image", s.image))
    for m in c.get("Mounts", []):
        templates(m)
        S.read_mount(s, m)
    cred = c.get("Privileges", {}).get("CredentialSpec", {})
    if cred.get("Config"):
        hit("13.5:credential")
        s.refs.append(("config", cred["Config"]))
    for kind, field in (("secret", "Secrets"), ("config", "Configs")):
        for r in c.get(field, []):
            name = r.get(kind.title() + "ID")
            hit("13.5:" + (kind if name else "empty-id"))
            if not name:
                B.refuse()
            s.refs.append((kind, name))
    for n in task.get("Networks", []) + doc.get("Networks", []):
        s.networks.append(n.get("Target", ""))
        s.endpoints[len(s.endpoints)] = n
        if s.networks[-1] not in S.BUILTIN:
            s.refs.append(("network", s.networks[-1]))
    s.installs = task.get("Runtime", "") not in ("", "container") or \
        bool(task.get("PluginSpec"))
    s.must = s.installs or bool(task.get("NetworkAttachmentSpec")) or bool(
        task.get("Resources", {}).get("Limits", {}).get("GenericResources"))
    if not s.image and not s.must:
        hit("13.1:no-image")
        B.refuse()


def blank(daemon):
    s = B.new(KEYS)
    s.elsewhere = daemon.get("swarm_nodes") != 1
    s.task_labels, s.requests, s.undecided = {}, [], False
    s.installs = False
    s.security = security({})
    return s


def of_service(action, query, body, fact, daemon):
    s = blank(daemon)
    doc, s.unknown = walked(SERVICE, body)
    back = query.get("rollback", "")
    if action == "service.update":
        if back not in ("", "none", "previous") or not re.match(
                r"^[0-9]+\Z", query.get("version", "")):
            B.refuse()
    s.unknown = s.unknown or not set(query) <= set(QUERY[action].split())
    if back != "previous":
        fill(s, doc)
        return s
    inspect = fact.get("inspect") if fact["presence"] == "present" else None
    body_unknown = s.unknown
    try:
        if inspect is None or not isinstance(
                inspect.get("PreviousSpec"), dict) or \
                (inspect.get("Version") or {}).get("Index") != int(
                    query["version"]):
            raise S.Refused("")
        doc, unknown = walked(SERVICE, inspect["PreviousSpec"])
        s.unknown = s.unknown or unknown
        fill(s, doc)
    except S.Refused:
        s = blank(daemon)  # nothing of what was read so far counts
        s.unknown = body_unknown
        s.undecided = fact["presence"] != "absent"
        s.unread = True
        s.labels = {}
    return s


def of_plain(action, query, body):
    schema, keys = PLAIN[action]
    s = B.new({})
    doc, s.unknown = walked(schema, body)
    s.unknown = s.unknown or not set(query) <= set(keys.split())
    if action.startswith(("secret", "config")):
        s.labels = doc.get("Labels", {})
        t = doc.get("Templating", {})
        s.must = bool(doc.get("Driver")) or bool(t.get("Options")) or \
            t.get("Name", "") not in ("", "golang")
    elif action in ("swarm.init", "swarm.update"):
        spec = doc.get("Spec", {}) if action == "swarm.init" else doc
        ca = spec.get("CAConfig", {})
        s.must = any(ca.get(k) for k in ("ExternalCAs", "SigningCACert",
                                         "SigningCAKey")) or \
            bool(spec.get("TaskDefaults", {}).get("LogDriver"))
    return s


PREDEFINED = "com.docker.swarm.predefined"


# -- the keys that mean something else here -------------------------------

def k_network(v, s, ctx):
    """13.2"""
    if not s.networks:
        hit("13.2:private")
        return J.answer("private" in v)
    worst = J.k_ns_network(v, s, ctx)
    for name in s.networks:
        if worst == NO:
            return NO
        if J.network_word(ctx, name) is not None:
            continue
        fact = ctx.fact("network", name)
        if fact["presence"] == "present" and \
                PREDEFINED in (fact.get("labels") or {}):
            hit("13.2:predefined")
            return NO
        scope = (fact.get("inspect") or {}).get("Scope") \
            if fact["presence"] == "present" else None
        hit("13.2:" + ("scope-unknown" if scope is None else
                       "swarm" if scope == "swarm" else "scope"))
        if scope is None:
            worst = CANT
        elif scope != "swarm":
            return NO
    return worst


def k_bind(v, s, ctx):
    if not s.elsewhere:
        return J.k_bind(v, s, ctx)
    worst = NO if s.odd_mount else YES
    for path, read_only, nonrec in s.binds:
        best = NO
        for p in v:
            ro = p.endswith(":ro")
            p = ctx.scope.expand(p[:-3] if ro else p)
            if p is None or (ro and (not read_only or nonrec)) or \
                    not J.glob(p, path):
                continue
            root = p[:p.index("*")].rpartition("/")[0] if "*" in p else p
            best = YES if path == (root or "/") else \
                CANT if best == NO else best
        if best == NO:
            return NO
        if best == CANT:
            worst = CANT if worst == YES else worst
    return worst


def k_shared(v, s, ctx):
    a = J.k_shared_trees(v, s, ctx)
    return CANT if s.elsewhere and a == YES and not v and s.binds else a


def k_volumes(v, s, ctx):
    if not s.elsewhere or v == "any" or not s.volumes:
        return J.k_volumes(v, s, ctx)
    return NO if v == "none" else CANT


def k_requests(v, s, ctx):
    s.hc["DeviceRequests"] = [r for r in s.requests if r is not None]
    return NO if None in s.requests else J.k_device_requests(v, s, ctx)


def k_log_drivers(v, s, ctx):
    typ = J.log_config(s)["Type"]
    return J.answer("default" in v if typ == "" else typ in v)


def image_of(s, ctx):
    """The image's configuration, if it is known what is run."""
    fact = ctx.fact("image", s.image)
    if not J.split(s.image)[2] or fact["presence"] != "present":
        return None
    return fact.get("config")


def k_env(v, s, ctx):
    have = set((image_of(s, ctx) or {}).get("Env") or [])
    return J.answer(not any(
        e not in have and ctx.scope.any(v, e.split("=")[0], True)
        for e in s.env))


def k_user(v, s, ctx):
    user = s.body["User"]
    if v == "non-root" and user == "":
        image = image_of(s, ctx)
        if image is None:
            return CANT
        user = image.get("User") or ""
    return J.answer(v != "non-root" or not J.root(user))


def k_health(v, s, ctx):
    test = (s.body["Healthcheck"] or {}).get("Test") or []
    if v and not test:
        image = image_of(s, ctx)
        if image is None:
            return CANT
        test = (image.get("Healthcheck") or {}).get("Test") or []
    return J.answer(not v or len(test) > 1 and
                    test[0] in ("CMD", "CMD-SHELL"))


KEYS = {k: J.JUDGE[k] for k in (
    "mounts.protected", "mounts.propagation", "mounts.tmpfs",
    "mounts.images", "capabilities.add", "capabilities.drop",
    "security.seccomp", "security.apparmor", "security.selinux",
    "security.no_new_privileges", "security.options", "kernel.sysctls",
    "kernel.oom_score", "kernel.group_add", "net.extra_hosts", "net.dns",
    "net.driver_opts", "images.allow", "images.digest", "log_opts",
    "limits.memory", "limits.swap", "limits.cpus", "limits.pids",
    "limits.ulimits", "ports.bind", "ports.range", "ports.container", "restart",
    "require.read_only_rootfs", "require.labels")}
KEYS.update({
    "namespaces.network": k_network, "mounts.bind": k_bind,
    "mounts.shared_trees": k_shared, "mounts.volumes": k_volumes,
    "mounts.volume_drivers": J.k_volume_drivers,
    "mounts.volume_opts": J.k_volume_opts,
    "devices.requests": k_requests, "log_drivers": k_log_drivers,
    "env.forbid": k_env, "require.user": k_user,
    "require.healthcheck": k_health})
