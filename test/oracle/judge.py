# SPDX-License-Identifier: Apache-2.0
"""The keys of a profile against a Spec, written from docs/semantics.md alone.

Every judge answers YES, NO or CANT.
"""
import ipaddress
import os
import re
from fractions import Fraction
from functools import lru_cache

from lines import hit
from spec import BUILTIN, clean

NO, YES, CANT = 0, 1, 2


def read_table(root):
    """[(path, type, soft, absent)] of profile_keys.def, in its order."""
    where = os.path.join(root, "include/portreeve/profile_keys.def")
    with open(where, encoding="utf-8") as f:
        rows = re.findall(r'^PROFILE_KEY\(\w+,\s*"([^"]+)",\s*(\w+),\s*'
                          r'(SOFT|HARD),\s*"((?:[^"\\]|\\.)*)"', f.read(),
                          re.M)
    return [(path, typ, soft == "SOFT", absent.replace('\\"', '"'))
            for path, typ, soft, absent in rows]


def absent_value(typ, text):
    if text == "":
        return None
    if text.startswith("["):
        return [w.strip().strip('"') for w in text[1:-1].split(",")
                if w.strip()]
    return {"true": True, "false": False}.get(text, text)


# -- patterns -------------------------------------------------------------

@lru_cache(maxsize=65536)
def glob_re(pattern, fold=False, paths=True):
    """In what is no path a star takes slashes too."""
    out, i = "", 0
    star = "[^/]*" if paths else ".*"
    while i < len(pattern):
        if pattern.startswith("/**", i) and i + 3 == len(pattern):
            out += "(?:/.*)?"
            i += 3
        elif pattern.startswith("**/", i) and (i == 0 or
                                               pattern[i - 1] == "/"):
            out += "(?:.*/)?"
            i += 3
        elif pattern.startswith("**", i):
            out += ".*"
            i += 2
        elif pattern[i] == "*":
            out += star
            i += 1
        else:
            out += re.escape(pattern[i])
            i += 1
    return re.compile(out + r"\Z", (re.I if fold else 0) | re.S)


def glob(pattern, text, fold=False, paths=True):
    return glob_re(pattern, fold, paths).match(text) is not None


VAR = re.compile(r"\$\{(team|user|phase)\}")


class Scope:
    """What ${...} stands for: inserted literally, a `*` in it is no glob."""

    def __init__(self, team, user, phase):
        self.map = {"team": team, "user": user, "phase": phase}

    def expand(self, pattern):
        """None: the pattern names something that is not known."""
        if "${" not in pattern:
            return pattern
        for name in VAR.findall(pattern):
            value = self.map[name]
            if not value or value in (".", "..") or \
                    any(c in value for c in "*/:"):
                return None
        return VAR.sub(lambda m: self.map[m.group(1)], pattern)

    def any(self, patterns, text, fold=False, paths=False):
        for p in patterns:
            p = self.expand(p)
            if p is not None and glob(p, text, fold, paths):
                return True
        return False


# -- images ---------------------------------------------------------------

def split(name):
    """(registry/path, tag or None, digest or None), as it is written."""
    name, at, digest = name.partition("@")
    tag = None
    colon = name.rfind(":")
    if colon > name.rfind("/"):
        name, tag = name[:colon], name[colon + 1:]
    return name, tag, digest if at else None


@lru_cache(maxsize=65536)
def canonical(text):
    """The name with what the daemon adds to it spelt out (5.5)."""
    name = split(text)[0]
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or
                         first == "localhost"):
        first, rest = "", name
        if name.startswith("**"):
            return text
    elif first not in ("docker.io", "index.docker.io"):
        return text
    if "/" not in rest and not rest.startswith("**"):
        rest = "library/" + rest
    return "docker.io/" + rest + text[len(name):]


def image_matches(pattern, name):
    """Both are spelt out."""
    path, tag, digest = split(name)
    p_path, p_tag, p_digest = split(pattern)
    if not glob(p_path, path):
        return False
    if p_digest is not None:
        return digest is not None and glob(p_digest, digest)
    if p_tag is not None:
        return digest is None and glob(p_tag, tag or "latest")
    return True


HEX = re.compile(r"^[0-9a-f]+\Z")


def is_id(name, fact):
    """9.12; None: cannot tell."""
    if name.startswith("sha256:") or (len(name) == 64 and HEX.match(name)):
        return True
    if HEX.match(name):
        if fact["presence"] == "unknown":
            return None
        return fact["presence"] == "present" and fact.get("by") in (
            "id", "prefix")
    return False


def image_allowed(ctx, patterns, name):
    fact = ctx.fact("image", name)
    by_id = is_id(name, fact)
    if by_id is None:
        return CANT
    # spelt out before the substitution: a team's name is no registry
    pats = [p for p in (ctx.scope.expand(canonical(p)) for p in patterns)
            if p is not None]
    if not by_id:
        name = canonical(name)
        return YES if any(image_matches(p, name) for p in pats) else NO
    if fact["presence"] == "unknown":
        return CANT
    if fact["presence"] == "absent":
        return NO
    names = (fact.get("repo_tags") or []) + (fact.get("repo_digests") or [])
    return YES if any(image_matches(p, canonical(n))
                      for p in pats for n in names) \
        else NO


# -- ranges ---------------------------------------------------------------

UNIT = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def number(text):
    m = re.match(r"^(-?[0-9.]+)\s*([KMG]?)i?B?$", text)
    return Fraction(m.group(1)) * UNIT[m.group(2)]


@lru_cache(maxsize=4096)
def range_of(text):
    optional = text.endswith("?")
    low, _, high = text.rstrip("?").partition("..")
    return (number(low) if low else None, number(high) if high else None,
            optional)


def within(text, v):
    """v None: it is not set."""
    low, high, optional = range_of(text)
    if v is None:
        return YES if optional else NO
    return YES if (low is None or v >= low) and \
        (high is None or v <= high) else NO


# -- the keys -------------------------------------------------------------

def answer(b):
    return YES if b else NO


def k_unknown_fields(v, s, ctx):
    return answer(v == "allow" or not s.unknown)


def k_privileged(v, s, ctx):
    return answer(v or not s.hc.get("Privileged"))


def network_word(ctx, name):
    """The word of 5.7 for a network, or None: it is one like any other."""
    fact = ctx.fact("network", name)
    if name not in BUILTIN and fact["presence"] == "present" and \
            fact.get("builtin"):
        name = fact.get("name")
    return BUILTIN.get(name)


def joined(v, ctx, name, field):
    """What container `name` has there, whoever joins it has (9.26)."""
    if "container:own" not in v:
        return NO
    fact = ctx.fact("container", name)
    if fact["presence"] != "present":
        return YES
    doc = fact.get("inspect")
    if doc is None:
        return CANT
    mode = (doc.get("HostConfig") or {}).get(field, "")
    nets = (doc.get("NetworkSettings") or {}).get("Networks") or {}
    if mode.startswith("container:"):
        return NO
    if mode == "host" or (field == "NetworkMode" and "host" in nets):
        return answer("host" in v)
    return YES


def k_ns_network(v, s, ctx):
    worst = YES
    if s.container_net is not None:
        worst = joined(v, ctx, s.container_net, "NetworkMode")
        if worst == NO:
            return NO
    for n in s.networks:
        word = network_word(ctx, n) or "own"
        if word == "own" and ctx.fact("network", n)["presence"] == "unknown":
            worst = CANT
        elif word not in v:
            return NO
    return worst


def ns(field, words, empty):
    def judge(v, s, ctx):
        mode = s.hc.get(field, "") or empty
        if mode.startswith("container:"):
            return joined(v, ctx, mode[10:], field) \
                if "container:own" in words else NO
        return answer(mode in words and mode in v)
    return judge


cgroupns = ns("CgroupnsMode", {"private", "host"}, "private")


def k_ns_cgroup(v, s, ctx):
    # what the daemon filled in is the default (5.6)
    if s.stored and not s.hc.get("Privileged") and "private" in v and \
            s.hc.get("CgroupnsMode") == ctx.daemon.get("cgroupns"):
        return YES
    return cgroupns(v, s, ctx)


def k_bind(v, s, ctx):
    worst = YES
    if s.odd_mount:
        return NO
    for path, read_only, nonrec in s.binds:
        best = NO
        fact = ctx.path(path)
        for p in v:
            ro = p.endswith(":ro")
            p = ctx.scope.expand(p[:-3] if ro else p)
            if p is None or (ro and (not read_only or nonrec)):
                continue
            if not glob(p, path):
                continue
            if not fact.get("known"):
                best = CANT
                continue
            root = p
            if "*" in p:
                root = p[:p.index("*")].rpartition("/")[0]
            if fact.get("last_link", 0) > len(root):
                continue
            best = YES
            break
        if best == NO:
            return NO
        if best == CANT:
            worst = CANT
    return worst


def k_protected(v, s, ctx):
    worst = YES
    if v == "allow":
        return YES
    for path in host_paths(s, ctx):
        fact = {} if path is None else ctx.path(path)
        if fact.get("protected"):
            return NO
        if not fact.get("known"):
            worst = CANT
    return worst


def host_paths(s, ctx):
    """Binds, and what the options of local volumes mount (10.10)."""
    out = [path for path, _, _ in s.binds]
    for driver, options in s.anon:
        out += option_paths(driver, options)
    for name, driver, options in s.volumes:
        out += option_paths(driver, options)
        fact = ctx.fact("volume", name)
        if fact["presence"] == "present":
            out += option_paths(fact.get("driver"), fact.get("options"))
    return out


KERNEL = {t: d for d, types in (
    ("/proc", "proc nsfs binfmt_misc"),
    ("/dev", "devtmpfs devpts mqueue hugetlbfs"),
    ("/sys", "sysfs cgroup cgroup2 debugfs tracefs securityfs configfs bpf "
             "pstore efivarfs selinuxfs fusectl")) for t in types.split()}


def option_paths(driver, options):
    """10.10; None: a path that cannot be told."""
    if driver not in (None, "", "local"):
        return []
    options = options or {}
    typ, device = options.get("type") or "", options.get("device") or ""
    words = (options.get("o") or "").split(",")
    out = []
    if device.startswith("/") or device and set(words) & {
            "bind", "rbind", "move"}:
        out.append(clean(device) if device.startswith("/") else None)
    for word in words:
        name, eq, value = word.partition("=")
        if typ == "overlay" and eq and name.endswith("dir"):
            out += [clean(p) if p.startswith("/") else None
                    for p in value.split(":")]
        else:
            out += [clean(p) for p in re.split("[=:]", word)
                    if p.startswith("/")]
    if typ in KERNEL:
        out.append(KERNEL[typ])
    return out


def k_shared_trees(v, s, ctx):
    worst = YES
    if v:
        return YES
    for path, _, _ in s.binds:
        fact = ctx.path(path)
        if not fact.get("known"):
            worst = CANT
        elif fact.get("shared"):
            return NO
    return worst


def k_propagation(v, s, ctx):
    return answer(all(p in v for p in s.propagation))


def k_relabel(v, s, ctx):
    return answer(v or not s.relabel)


def k_volumes(v, s, ctx):
    return answer(v != "none" or not s.volumes)


def k_volume_drivers(v, s, ctx):
    worst = YES
    asked = s.hc.get("VolumeDriver")
    if asked and not ctx.scope.any(v, asked):
        return NO
    for driver, _ in s.anon:
        if not ctx.scope.any(v, driver or "local"):
            return NO
    for name, driver, _ in s.volumes:
        fact = ctx.fact("volume", name)
        if not ctx.scope.any(v, driver or "local"):
            return NO
        if fact["presence"] == "unknown":
            worst = CANT
        elif fact["presence"] == "present" and not ctx.scope.any(
                v, fact.get("driver") or "local"):
            return NO
    return worst


def keys_allowed(ctx, v, options):
    return all(ctx.scope.any(v, k) for k in options or {})


def options_allowed(ctx, v, options):
    return all(ctx.scope.any(v, k) or
               ctx.scope.any(v, k + "=" + (x or ""))
               for k, x in (options or {}).items())


def k_volume_opts(v, s, ctx):
    worst = YES
    for _, options in s.anon:
        if not options_allowed(ctx, v, options):
            return NO
    for name, _, options in s.volumes:
        fact = ctx.fact("volume", name)
        if not options_allowed(ctx, v, options):
            return NO
        if fact["presence"] == "unknown":
            worst = CANT
        elif fact["presence"] == "present" and not options_allowed(
                ctx, v, fact.get("options")):
            return NO
    return worst


def k_volumes_from(v, s, ctx):
    return answer(v != "none" or not s.volumes_from)


TMPFS_FREE = {"size", "mode", "uid", "gid", "ro", "rw", "nosuid", "nodev",
              "noexec"}


def k_tmpfs(v, s, ctx):
    if v is False:
        return answer(not s.tmpfs)
    more = [] if v is True else v
    return answer(all(o in TMPFS_FREE or o in more
                      for opts in s.tmpfs for o in opts))


def k_mount_images(v, s, ctx):
    """Names only: digits that could be an id are none."""
    pats = [p for p in (ctx.scope.expand(canonical(p)) for p in v) if p]
    return answer(all(
        n and not n.startswith("sha256:") and not HEX.match(n) and
        any(image_matches(p, canonical(n)) for p in pats)
        for n in s.mount_images))


def cap(name):
    name = name.upper()
    return name if name == "ALL" or name.startswith("CAP_") \
        else "CAP_" + name


def k_cap_add(v, s, ctx):
    have = {cap(c) for c in v}
    return answer("ALL" in have or
                  all(cap(c) in have for c in s.hc.get("CapAdd", [])))


def k_cap_drop(v, s, ctx):
    drop = {cap(c) for c in s.hc.get("CapDrop", [])}
    return answer("ALL" in drop or all(cap(c) in drop for c in v))


def security_opts(s):
    """{label: [..], seccomp, apparmor, nnp, other: [..]}"""
    if hasattr(s, "security"):
        return s.security
    out = {"label": [], "seccomp": None, "apparmor": None, "nnp": False,
           "other": []}
    for opt in s.hc.get("SecurityOpt", []):
        if opt == "no-new-privileges":
            out["nnp"] = True
            continue
        if opt == "disable":
            out["label"].append("disable")
            continue
        key, sep, val = opt.partition("=")
        if not sep:
            key, sep, val = opt.partition(":")
        if sep and key == "label":
            out["label"].append(val)
        elif sep and key in ("seccomp", "apparmor"):
            out[key] = val
        elif sep and key == "no-new-privileges" and val in (
                "true", "1", "t", "T", "TRUE", "True"):
            out["nnp"] = True
        elif sep and key == "no-new-privileges" and val in (
                "false", "0", "f", "F", "FALSE", "False"):
            out["nnp"] = False
        else:
            out["other"].append(opt)
    s.security = out
    return out


def k_seccomp(v, s, ctx):
    val = security_opts(s)["seccomp"]
    word = "default" if val is None else val if val in (
        "unconfined", "builtin") else "custom"
    return answer(word in v)


def k_apparmor(v, s, ctx):
    val = security_opts(s)["apparmor"]
    if not val:
        return answer("default" in v)
    return answer(ctx.scope.any(v, val))


def k_selinux(v, s, ctx):
    labels = security_opts(s)["label"]
    if not labels:
        return answer("default" in v)
    return answer(all(ctx.scope.any(v, x) for x in labels))


def k_nnp(v, s, ctx):
    return answer(v != "required" or security_opts(s)["nnp"])


MASKED = {"/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys",
          "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
          "/proc/sched_debug", "/proc/scsi", "/sys/firmware"}
READONLY = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
            "/proc/sysrq-trigger"}


def k_masked_paths(v, s, ctx):
    if v == "any":
        return YES
    for field, least in (("MaskedPaths", MASKED),
                         ("ReadonlyPaths", READONLY)):
        paths = s.hc.get(field)
        if paths is not None and not least <= set(paths):
            return NO
    return YES


def k_security_options(v, s, ctx):
    return answer(all(ctx.scope.any(v, o)
                      for o in security_opts(s)["other"]))


def k_devices(v, s, ctx):
    return answer(all(ctx.scope.any(v, d.get("PathOnHost", ""), False, True)
                      for d in s.hc.get("Devices", [])))


def k_device_requests(v, s, ctx):
    def one(r):
        for p in v:
            if "driver" in p and not glob(p["driver"], r.get("Driver", "")):
                continue
            if "count" in p:
                count = r.get("Count", 0)
                if p["count"] != -1 and (count < 0 or count > p["count"]):
                    continue
            caps = [c for group in r.get("Capabilities", [])
                    for c in group or []]
            if "capabilities" in p and not all(
                    any(glob(x, c) for x in p["capabilities"])
                    for c in caps):
                continue
            return True
        return False
    return answer(all(one(r) for r in s.hc.get("DeviceRequests", [])))


def k_cgroup_rules(v, s, ctx):
    """As text: a rule has stars of its own."""
    return answer(set(s.hc.get("DeviceCgroupRules") or []) <= set(v))


def every(field, key=lambda x: x):
    def judge(v, s, ctx):
        return answer(all(ctx.scope.any(v, key(x))
                          for x in s.hc.get(field) or []))
    return judge


def k_runtimes(v, s, ctx):
    run = s.hc.get("Runtime", "")
    if run == "" or run == ctx.daemon.get("runtime"):
        return answer("default" in v or (run != "" and run in v))
    return answer(run in v)


def k_cgroup_parent(v, s, ctx):
    parent = s.hc.get("CgroupParent", "")
    return answer(not parent or ".." not in parent.split("/") and
                  ctx.scope.any(v, parent, False, True))


def k_oom_kill(v, s, ctx):
    return answer(v or not s.hc.get("OomKillDisable"))


def k_oom_score(v, s, ctx):
    return within(v, s.hc.get("OomScoreAdj", 0) or None)


def k_map(field):
    def judge(v, s, ctx):
        return answer(keys_allowed(ctx, v, s.hc.get(field)))
    return judge


def k_cpuset(v, s, ctx):
    sets = [s.hc[f] for f in ("CpusetCpus", "CpusetMems") if s.hc.get(f)]
    return answer(v == "any" or v == ["any"] or
                  all(ctx.scope.any(v, x) for x in sets))


def k_realtime(v, s, ctx):
    return answer(v or not (s.hc.get("CpuRealtimePeriod") or
                            s.hc.get("CpuRealtimeRuntime")))


BLKIO = ("BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps",
         "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps")


def k_blkio(v, s, ctx):
    if any(s.hc.get(f) for f in BLKIO):
        return answer(v == "devices")
    return answer(not s.hc.get("BlkioWeight") or v in ("any", "devices"))


def k_links(v, s, ctx):
    return answer(v != "none" or not s.links)


def any_or(fields):
    def judge(v, s, ctx):
        if v in ("any", ["any"]):
            return YES
        return answer(all(ctx.scope.any(v, x) for f in fields
                          for x in s.hc.get(f, [])))
    return judge


def endpoints(s):
    return getattr(s, "endpoints", {}).values()


def k_static_ip(v, s, ctx):
    if v:
        return YES
    if s.stored:
        # the daemon writes addresses of its own there
        return answer(not any(any((e.get("IPAMConfig") or {}).values())
                              for e in endpoints(s)))
    for e in endpoints(s):
        if any((e.get("IPAMConfig") or {}).values()) or e.get("MacAddress"):
            return NO
    return answer(not s.body.get("MacAddress"))


def k_driver_opts(v, s, ctx):
    return answer(all(keys_allowed(ctx, v, e.get("DriverOpts"))
                      for e in endpoints(s)))


def always(v, s, ctx):
    return YES


def k_images_allow(v, s, ctx):
    if s.image == "":
        return NO
    return image_allowed(ctx, v, s.image)


def k_images_digest(v, s, ctx):
    if v != "required":
        return YES
    return answer(split(s.image)[2])


def k_exec_privileged(v, s, ctx):
    return answer(v or not s.exec_privileged)


def root(user):
    user = user.split(":")[0]
    return user in ("", "root") or bool(re.match(r"^[+-]?0+\Z", user))


def k_exec_user(v, s, ctx):
    if "any" in v:
        return YES
    same = "same-as-container" in v
    if s.exec_user == "" and same:
        return YES
    names = [x for x in v if x != "same-as-container"]
    if s.exec_user:
        if ctx.scope.any(names, s.exec_user):
            return YES
        if not same:
            return NO
    elif not names:
        return NO
    c = ctx.container_user()
    if c is not None and not s.exec_user:
        return answer(ctx.scope.any(names, c or "root"))
    if c is None:
        return CANT
    return answer(c == s.exec_user or (
        root(c) and root(s.exec_user) and ":" not in s.exec_user))


def log_config(s):
    return s.hc.get("LogConfig") or {}


def k_log_opts(v, s, ctx):
    return answer(keys_allowed(ctx, v, log_config(s).get("Config")))


def k_log_drivers(v, s, ctx):
    typ = log_config(s).get("Type", "")
    if typ == "" or typ == ctx.daemon.get("log_driver"):
        return answer("default" in v or (typ != "" and typ in v))
    return answer(typ in v)


def positive(s, field):
    n = s.hc.get(field, 0)
    return n if n > 0 else None


def k_memory(v, s, ctx):
    return within(v, positive(s, "Memory"))


def k_swap(v, s, ctx):
    swap = s.hc.get("MemorySwap", 0)
    if v is not None and swap < 0:
        return answer(False)  # -1 is unlimited, "?" or not (9.14)
    if v is not None:
        return NO if swap < 0 else within(v, swap or None)
    mem = s.hc.get("Memory", 0)
    return answer(swap == 0 or (mem > 0 and 0 < swap <= 2 * mem))


def k_cpus(v, s, ctx):
    nano = s.hc.get("NanoCpus", 0)
    quota = s.hc.get("CpuQuota", 0)
    if quota < 0:
        cpus = None  # the kernel is told the quota last
    elif nano > 0:
        cpus = Fraction(nano, 10**9)
    elif quota > 0:
        cpus = Fraction(quota, s.hc.get("CpuPeriod", 0) or 100000)
    else:
        cpus = None
    return within(v, cpus)


def k_pids(v, s, ctx):
    return within(v, positive(s, "PidsLimit"))


def k_ulimits(v, s, ctx):
    for name, text in v.items():
        found = [u for u in s.hc.get("Ulimits", [])
                 if u["Name"].lower() == name.lower()]
        if not found and within(text, None) != YES:
            return NO
        for u in found:
            for which in ("Soft", "Hard"):
                if within(text, u.get(which, 0)) != YES or \
                        u.get(which, 0) < 0:
                    return NO
    return YES


def k_shm(v, s, ctx):
    return within(v, positive(s, "ShmSize"))


def k_cpu_shares(v, s, ctx):
    return within(v, positive(s, "CpuShares"))


def bindings(s):
    return [b for bs in (s.hc.get("PortBindings") or {}).values()
            for b in bs]


def addresses(text):
    if text == "":
        return ["0.0.0.0", "::"]
    try:
        return [str(ipaddress.ip_address(text))]
    except ValueError:
        return addresses("")


def k_ports_bind(v, s, ctx):
    nets = [ipaddress.ip_network(x, strict=False) for x in v]
    return answer(all(any(ipaddress.ip_address(a) in n for n in nets)
                      for b in bindings(s)
                      for a in addresses(b.get("HostIp", ""))))


def k_ports_range(v, s, ctx):
    for b in bindings(s):
        if v == "none":
            return NO
        low, _, high = v.partition("-")
        text = b.get("HostPort", "")
        if text == "":
            continue
        first, dash, last = text.partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            return NO
        first, last = int(first), int(last if dash else first)
        if not int(low) <= first <= last <= int(high or low) or first == 0:
            return NO
    return YES


def k_ports_container(v, s, ctx):
    low, _, high = v.partition("-")
    for inside, published in (s.hc.get("PortBindings") or {}).items():
        first, dash, last = inside.partition("/")[0].partition("-")
        last = last if dash else first
        if published and (v == "none" or not first.isdigit() or
                          not last.isdigit() or not int(low) <= int(first) <=
                          int(last) <= int(high or low) or int(first) == 0):
            return NO
    return YES


def k_publish_all(v, s, ctx):
    return answer(v or not s.hc.get("PublishAllPorts"))


def k_restart(v, s, ctx):
    pol = s.hc.get("RestartPolicy") or {}
    name = pol.get("Name", "") or "no"
    if name != "on-failure":
        return answer(name in v)
    count = pol.get("MaximumRetryCount", 0)
    for w in v:
        if w == "on-failure" or w == "on-failure:0":
            return YES
        if w.startswith("on-failure:") and 0 < count <= int(w[11:]):
            return YES
    return NO


def k_env_forbid(v, s, ctx):
    image = ctx.image_config(s) if not s.is_exec else None
    have = set((image or {}).get("Env") or [])
    return answer(not any(
        e not in have and ctx.scope.any(v, e.split("=")[0], True)
        for e in s.env))


def k_require_user(v, s, ctx):
    if v != "non-root":
        return YES
    user = s.body.get("User", "")
    if user == "" and not s.stored:
        image = ctx.image_config(s)
        if image is None:
            return ctx.image_absent(s)
        user = image.get("User") or ""
    return answer(not root(user))


def k_require_ro(v, s, ctx):
    return answer(not v or s.hc.get("ReadonlyRootfs"))


def k_require_health(v, s, ctx):
    if not v:
        return YES
    test = (s.body.get("Healthcheck") or {}).get("Test") or []
    if not test and not s.stored:
        image = ctx.image_config(s)
        if image is None:
            return ctx.image_absent(s)
        test = (image.get("Healthcheck") or {}).get("Test") or []
    return answer(len(test) > 1 and test[0] in ("CMD", "CMD-SHELL"))


def k_require_labels(v, s, ctx):
    return answer(all(s.labels.get(x) for x in v))


JUDGE = {
    "unknown_fields": k_unknown_fields, "privileged": k_privileged,
    "namespaces.network": k_ns_network,
    "namespaces.pid": ns("PidMode", {"private", "host", "container:own"},
                         "private"),
    "namespaces.ipc": ns("IpcMode", {"private", "none", "shareable", "host",
                                     "container:own"}, "private"),
    "namespaces.uts": ns("UTSMode", {"private", "host"}, "private"),
    "namespaces.user": ns("UsernsMode", {"default", "host"}, "default"),
    "namespaces.cgroup": k_ns_cgroup,
    "mounts.bind": k_bind, "mounts.protected": k_protected,
    "mounts.shared_trees": k_shared_trees,
    "mounts.propagation": k_propagation, "mounts.relabel": k_relabel,
    "mounts.volumes": k_volumes, "mounts.volume_drivers": k_volume_drivers,
    "mounts.volume_opts": k_volume_opts,
    "mounts.volumes_from": k_volumes_from, "mounts.tmpfs": k_tmpfs,
    "mounts.images": k_mount_images, "capabilities.add": k_cap_add,
    "capabilities.drop": k_cap_drop, "security.seccomp": k_seccomp,
    "security.apparmor": k_apparmor, "security.selinux": k_selinux,
    "security.no_new_privileges": k_nnp,
    "security.masked_paths": k_masked_paths,
    "security.options": k_security_options, "devices.allow": k_devices,
    "devices.requests": k_device_requests,
    "devices.cgroup_rules": k_cgroup_rules,
    "kernel.sysctls": k_map("Sysctls"), "kernel.runtimes": k_runtimes,
    "kernel.cgroup_parent": k_cgroup_parent,
    "kernel.oom_kill_disable": k_oom_kill, "kernel.oom_score": k_oom_score,
    "kernel.annotations": k_map("Annotations"),
    "kernel.storage_opt": k_map("StorageOpt"),
    "kernel.group_add": every("GroupAdd"), "kernel.cpuset": k_cpuset,
    "kernel.realtime": k_realtime, "kernel.blkio": k_blkio,
    "net.links": k_links, "net.extra_hosts": any_or(["ExtraHosts"]),
    "net.dns": any_or(["Dns", "DnsOptions", "DnsSearch"]),
    "net.static_ip": k_static_ip, "net.driver_opts": k_driver_opts,
    "net.drivers": always, "net.options": always,
    "net.ipam_drivers": always, "images.allow": k_images_allow,
    "images.digest": k_images_digest, "images.write": always,
    "images.push": always, "images.from_src": always,
    "exec.privileged": k_exec_privileged, "exec.user": k_exec_user,
    "build.network": always, "build.remote": always,
    "build.secrets": always, "build.opaque": always,
    "log_opts": k_log_opts, "log_drivers": k_log_drivers,
    "limits.memory": k_memory, "limits.swap": k_swap, "limits.cpus": k_cpus,
    "limits.pids": k_pids, "limits.ulimits": k_ulimits,
    "limits.shm": k_shm, "limits.cpu_shares": k_cpu_shares,
    "ports.container": k_ports_container, "ports.bind": k_ports_bind,
    "ports.range": k_ports_range, "ports.publish_all": k_publish_all,
    "restart": k_restart, "env.forbid": k_env_forbid,
    "require.user": k_require_user,
    "require.read_only_rootfs": k_require_ro,
    "require.healthcheck": k_require_health,
    "require.labels": k_require_labels,
}
EXEC_KEYS = {"unknown_fields", "exec.privileged", "exec.user", "env.forbid"}


def judge(table, values, s, ctx):
    """(answer, place of the key that is named, every failure is soft)

    values: one per row of the table, None for a demand not made; or None
    for `unrestricted`, which leaves the built-in guards.
    """
    keys = getattr(s, "keys", None)
    if values is None and (s.is_exec or s.empty or keys is not None and
                           "mounts.protected" not in keys):
        return YES, None, False
    if keys is not None and s.unread:
        return CANT, -1, False
    if values is None and ctx.lifted:
        return YES, None, False
    if values is None:
        for i, row in enumerate(table):
            if row[0] == "mounts.protected":
                a = k_protected("deny", s, ctx)
                if a == NO:
                    hit("10.13:unrestricted")
                return a, i, False
    first_no = first_cant = None
    soft = True
    if s.must:
        first_no, soft = -1, False
    for i, (path, _, is_soft, _) in enumerate(table):
        v = values[i]
        if s.is_exec and path not in EXEC_KEYS or s.empty and i > 0 or \
                not s.is_exec and path.startswith("exec."):
            continue
        if keys is not None and i > 0 and path not in keys:
            continue
        if v is None and path != "limits.swap":
            continue
        a = (keys or JUDGE).get(path, JUDGE[path])(v, s, ctx)
        if a == NO:
            if first_no is None:
                first_no = i
            soft = soft and is_soft
        elif a == CANT and first_cant is None:
            first_cant = i
    if first_no is not None:
        return NO, first_no, soft and first_cant is None
    if first_cant is not None:
        return CANT, first_cant, False
    return YES, None, False
