# SPDX-License-Identifier: Apache-2.0
"""Bodies and queries that are no container's, and the keys that judge them:
written from docs/semantics.md 5.9 and 10 alone.
"""
import re

import judge as J
import spec as S
from judge import CANT, NO, YES

PART = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
NAME = re.compile(r"^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?/"
                  r")?%s(?:/%s)*\Z" % (PART, PART))
TAG = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z")
DIGEST = re.compile(r"^sha256:[0-9a-f]{64}\Z")

VOLUME = S.schema("Driver DriverOpts:ms Labels:ms Name",
                  ClusterVolumeSpec=S.schema())
NETWORK = S.schema(
    "Name CheckDuplicate:b Driver EnableIPv4:b EnableIPv6:b Internal:b "
    "Options:ms Labels:ms Attachable:b",
    must="Scope Ingress:b ConfigOnly:b",
    ConfigFrom=S.schema("Network"),
    IPAM=S.schema("Driver Options:ms", Config=[S.schema(
        "Subnet IPRange Gateway AuxiliaryAddresses:ms")]))
CONNECT = S.schema("Container", EndpointConfig=S.ENDPOINT)
AUTH = S.schema("username password auth email serveraddress identitytoken "
                "registrytoken")
QUERY = {"image.pull": "fromImage tag platform fromSrc repo message changes",
         "image.tag": "repo tag force", "image.push": "tag platform",
         "image.remove": "force noprune platforms",
         "image.import": "fromSrc repo tag message changes platform "
                         "fromImage",
         "image.load": "quiet platform", "volume.create": "",
         "network.create": "", "network.connect": ""}


def refuse():
    raise S.Refused("ambiguous-request")


def new(keys):
    s = S.Spec()
    s.keys = keys
    s.names = []         # (act, name, all tags)
    s.removes = s.names_unseen = s.unread = False
    s.from_src = ""
    s.endpoints = {}
    return s


# -- images ---------------------------------------------------------------

def valid(name):
    name, tag, digest = J.split(name)
    return NAME.match(name) and not re.match(r"^[0-9a-f]{64}\Z", name) and \
        (tag is None or TAG.match(tag)) and \
        (digest is None or DIGEST.match(digest))


def joined(name, tag):
    """10.2: a tag beside a name takes the place of its own."""
    if not name or not valid(name) or name.startswith("sha256:"):
        refuse()
    path, own, digest = J.split(J.canonical(name))
    if tag.startswith("sha256:"):
        if not DIGEST.match(tag):
            refuse()
        own, digest = None, tag
    elif tag:
        if not TAG.match(tag):
            refuse()
        own = tag
    return path + (":" + own if own else "") + ("@" + digest if digest
                                                else "")


def give(s, act, name, tag):
    name = joined(name, tag)
    _, t, d = J.split(name)
    if act == "write" and d:
        refuse()
    s.names.append((act, name, act != "write" and not t and not d))


FREE = {"cmd", "entrypoint", "expose", "healthcheck", "onbuild", "stopsignal",
        "user", "volume", "workdir"}


def words(text):
    """Quoted words; None: one that cannot be read."""
    out, word, quote = [], None, None
    for c in text:
        if c in "\\$`":
            return None
        if quote is None and c in " \t":
            if word is not None:
                out.append(word)
            word = None
            continue
        word = word or ""
        if quote is None and c in "\"'":
            quote = c
        elif c == quote:
            quote = None
        else:
            word += c
    if quote is not None:
        return None
    return out + [word] if word is not None else out


def read_change(line):
    """("label" or "env" or None, pairs); None: cannot be read."""
    line = line.strip(" \t\r\n")
    if not line:
        return None, []
    if "\n" in line or "\r" in line or line[-1] in "\\`":
        return None
    first, _, rest = line.replace("\t", " ").partition(" ")
    rest = rest.strip(" ")
    first = first.lower()
    if first in FREE:
        return None, []
    if first not in ("label", "env"):
        return None
    ws = words(rest)
    if not ws:
        return None
    if "=" not in ws[0]:
        if len(ws) < 2 or set(rest) & set("\"'") - set(
                rest.split(" ")[0]):
            return None
        return first, [(ws[0], rest.split(" ", 1)[1].strip(" "))]
    if any("=" not in w for w in ws):
        return None
    return first, [tuple(w.split("=", 1)) for w in ws]


def read_changes(s, query):
    for key, line in query:
        if key != "changes":
            continue
        got = read_change(line)
        if got is None:
            s.unread = True
        elif got[0] == "label":
            s.pairs += got[1]
        elif got[0] == "env":
            s.env += ["%s=%s" % p for p in got[1]]


def plain(url):
    m = re.match(r"^https?://([A-Za-z0-9._:-]+)(/.*)?\Z", url)
    if not m or re.search(r"[ \\]|%(2e|2f|5c|25)", url, re.I):
        return False
    return not set((m.group(2) or "").split("/")) & {".", ".."}


def of_image(action, name, query, pairs, body):
    s = new(IMAGE)
    tag = query.get("tag", "")
    if action == "image.pull":
        if query.get("fromSrc"):
            refuse()
        give(s, "pull", query.get("fromImage"), tag)
    elif action == "image.push":
        if body is not None:
            walk = S.Walk()
            walk.read(AUTH, body)
            s.unknown = walk.unknown
        give(s, "push", name, tag)
    elif action in ("image.tag", "image.remove"):
        if not (valid(name) or DIGEST.match(name) or
                re.match(r"^[0-9a-f]{64}\Z", name)):
            refuse()
        s.image = name
        s.refs.append(("image", name))
        s.removes = action == "image.remove"
        if not s.removes:
            give(s, "write", query.get("repo"), tag)
    elif action == "image.import":
        src = query.get("fromSrc")
        if not src:
            refuse()
        if src != "-":
            s.from_src = src if "://" in src else "http://" + src
        read_changes(s, pairs)
        if query.get("repo"):
            give(s, "write", query["repo"], tag)
    else:
        s.names_unseen = True
    return s


def patterns(ctx, v):
    return [p for p in (ctx.scope.expand(J.canonical(p)) for p in v) if p]


def covers(ctx, v, name, all_tags):
    for p in patterns(ctx, v):
        path, tag, digest = J.split(p)
        if all_tags and (digest is not None or tag not in (None, "*")):
            continue
        if all_tags and J.glob(path, name) or \
                not all_tags and J.image_matches(p, name):
            return True
    return False


def names(act):
    def judge(v, s, ctx):
        return J.answer(all(covers(ctx, v, n, every)
                            for a, n, every in s.names if a == act))
    return judge


def k_allow(v, s, ctx):
    if s.image and not s.removes:
        a = J.image_allowed(ctx, v, s.image)
        if a != YES:
            return a
    return names("pull")(v, s, ctx)


def k_write(v, s, ctx):
    if s.names_unseen and "**" not in v:
        return NO
    if not s.removes:
        return names("write")(v, s, ctx)
    fact = ctx.fact("image", s.image)
    by_id = J.is_id(s.image, fact)
    if by_id is None or (by_id and fact["presence"] == "unknown"):
        return CANT
    if not by_id:
        return J.answer(covers(ctx, v, J.canonical(s.image), False))
    if fact["presence"] == "absent":
        return NO
    all_names = fact.get("repo_tags") or fact.get("repo_digests") or []
    return J.answer(all(covers(ctx, v, J.canonical(n), False)
                        for n in all_names))


def k_from_src(v, s, ctx):
    return J.answer(not s.from_src or (
        plain(s.from_src) and ctx.scope.any(v, s.from_src, False, True)))


IMAGE = {"images.allow": k_allow, "images.write": k_write,
         "images.push": names("push"), "images.from_src": k_from_src,
         "env.forbid": J.k_env_forbid}


# -- volumes and networks -------------------------------------------------

def read(s, table, body):
    walk = S.Walk()
    body = walk.read(table, body if body is not None else {})
    s.unknown, s.must = walk.unknown, walk.must
    return body


def of_volume(body):
    s = new(VOLUME_KEYS)
    cluster = isinstance(body, dict) and body.get("ClusterVolumeSpec")
    body = read(s, VOLUME, body)
    s.must = s.must or cluster not in (None, False)
    s.labels = body.get("Labels", {})
    name = body.get("Name", "")
    what = (body.get("Driver", ""), body.get("DriverOpts", {}))
    if not name:
        s.anon.append(what)
        return s
    if not re.match(r"^[A-Za-z0-9][A-Za-z0-9_.-]+\Z", name):
        refuse()
    s.volumes.append((name,) + what)
    s.refs.append(("volume", name))
    return s


def of_network(body):
    s = new(NETWORK_KEYS)
    s.net = read(s, NETWORK, body)
    s.must = s.must or bool(s.net.get("ConfigFrom")) or bool(
        s.net.get("Attachable") and
        s.net.get("Driver") not in (None, "", "bridge"))
    s.labels = s.net.get("Labels", {})
    if not s.net.get("Name"):
        refuse()
    return s


def of_connect(name, body):
    s = new(CONNECT_KEYS)
    body = read(s, CONNECT, body)
    if not body.get("Container"):
        refuse()
    s.refs.append(("container", body["Container"]))
    end = body.get("EndpointConfig", {})
    s.endpoints = {name: end}
    for n in [name] + ([end["NetworkID"]] if end.get("NetworkID") else []):
        s.networks.append(n)
        if n not in S.BUILTIN:
            s.refs.append(("network", n))
    for link in end.get("Links", []):
        s.links.append(link.split(":")[0])
        s.refs.append(("container", s.links[-1]))
    return s


def default_or(field, same, ipam=False):
    def judge(v, s, ctx):
        d = (s.net.get("IPAM", {}) if ipam else s.net).get(field, "")
        if d in ("", same) and "default" in v:
            return YES
        return J.answer(d not in ("", "default") and ctx.scope.any(v, d))
    return judge


def k_net_options(v, s, ctx):
    return J.answer(all(J.options_allowed(ctx, v, o) for o in (
        s.net.get("Options"), s.net.get("IPAM", {}).get("Options"))))


VOLUME_KEYS = {"mounts.protected": J.k_protected,
               "mounts.volumes": J.k_volumes,
               "mounts.volume_drivers": J.k_volume_drivers,
               "mounts.volume_opts": J.k_volume_opts}
NETWORK_KEYS = {"net.drivers": default_or("Driver", "bridge"),
                "net.options": k_net_options,
                "net.ipam_drivers": default_or("Driver", "default", True)}
CONNECT_KEYS = {"namespaces.network": J.k_ns_network,
                "net.links": J.k_links, "net.static_ip": J.k_static_ip,
                "net.driver_opts": J.k_driver_opts}


def read_spec(action, name, query, pairs, body):
    """None: this action is read elsewhere, or by nobody yet."""
    if action not in QUERY:
        return None
    if action.startswith("image."):
        s = of_image(action, name, query, pairs, body)
    elif action == "volume.create":
        s = of_volume(body)
    elif action == "network.create":
        s = of_network(body)
    else:
        s = of_connect(name, body)
    s.unknown = s.unknown or not set(query) <= set(QUERY[action].split())
    return s
