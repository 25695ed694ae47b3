#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""What lifts a built-in guard: root's file on the host, for a time, on a real
dockerd; and the log says so."""
import datetime
import glob
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Api, Dockerd, Lab, Plugin, Report, Room  # noqa: E402
from harness.wire import connect_tls  # noqa: E402

POLICY = """\
version: 1
teams:
  ops: {ldap: ["cn=ops,ou=groups,dc=acme,dc=com"]}
  red: {ldap: ["cn=red,ou=groups,dc=acme,dc=com"]}
hosts: {"*": [dev]}
phases: {dev: {audit: metadata}}
roles: {all: {allow: {"*": ["*"]}}}
profiles:
  plain: {images: {allow: ["**"]}, mounts: {bind: ["/**"]}}
grants:
  - {id: ops, team: ops, role: all, phases: ["*"], owner: any, profile: unrestricted}
  - {id: red, team: red, role: all, phases: ["*"], profile: plain}
"""
TEAMS = {"olga": "ops", "alice": "red"}
LDIF = "".join(
    f"dn: uid={u},ou=people,dc=acme,dc=com\nobjectClass: inetOrgPerson\n"
    f"uid: {u}\ncn: {u}\nsn: {u}\n\n"
    f"dn: cn={t},ou=groups,dc=acme,dc=com\nobjectClass: groupOfNames\n"
    f"cn: {t}\nmember: uid={u},ou=people,dc=acme,dc=com\n\n"
    for u, t in TEAMS.items())
BODY = {"Image": "busybox", "Cmd": ["true"],
        "HostConfig": {"Binds": ["/run/docker/plugins:/p:ro"]}}


def ends(**later):
    """A file's text: a time from now."""
    at = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(**later)
    return "# the plugin must be moved\n" + at.strftime("%Y-%m-%dT%H:%M:%SZ\n")


def records(plugin):
    out = []
    for path in sorted(glob.glob(os.path.join(plugin.audit, "*.jsonl*"))):
        with open(path, encoding="utf-8", errors="replace") as f:
            out += [json.loads(x) for x in f if x.startswith("{")]
    return out


def main():
    r = Report()
    with Room() as room:
        lab = Lab(room("ca"))
        for who in TEAMS:
            lab.client(who)
        d = Dockerd(room, plugins=["portreeve"], lab=lab)
        room.mkdir("glass")
        path = room("glass", "file")
        p = Plugin(room, d.plugin_socket("portreeve"), d.socket, POLICY,
                   ldif=LDIF, name="portreeve",
                   extra=f"break_glass: {path}\n").start()
        d.start()
        api = {u: Api(lambda c=lab.pair(u): connect_tls(d.port, *c, lab.ca))
               for u in TEAMS}
        d.import_image(api["olga"])

        def bind(who="olga"):
            return api[who]("POST", "/containers/create", BODY).status

        def put(text, mode=0o600):
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
            os.chmod(path, mode)

        r.equal(bind(), 403, "the plugins' folder is protected")
        put(ends(hours=1))
        r.equal(bind(), 201, "… and not while the glass is broken")
        r.equal(bind("alice"), 403, "… to those who may all but that")
        r.equal(api["olga"]("POST", "/plugins/none/disable").status, 404,
                "plugins can be disabled meanwhile")
        put(ends(hours=1), 0o666)
        r.equal(bind(), 403, "a file that others may write is not obeyed")
        put(ends(days=3))
        r.equal(bind(), 403, "… nor one that ends in days")
        put(ends(seconds=-1))
        r.equal(bind(), 403, "… nor one that has ended")
        os.unlink(path)
        r.equal(api["olga"]("POST", "/plugins/none/disable").status, 403,
                "without it nothing is lifted")
        r.equal(p.stop(), 0, "the plugin ends well")
        broken = [x for x in records(p) if x.get("break_glass")]
        r.equal([(x["action"], x["verdict"]) for x in broken],
                [("container.create", "allow"), ("plugin.disable", "allow")],
                "the log says which requests used it")
    r.exit()


if __name__ == "__main__":
    main()
