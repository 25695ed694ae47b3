#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""The directory suite against a real slapd that holds the LDIF which the
embedded directory reads, over every kind of connection; and what happens when
servers die, hang, lie, or come back."""
import os
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import BUILD, Lab, Report, Room, Slapd  # noqa: E402
from harness.ldap_server import LdapServer, SIZE_LIMIT  # noqa: E402
from harness.room import wait_until  # noqa: E402
from harness.slapd import free_port  # noqa: E402

SUITE = os.path.join(BUILD, "tools", "directory_suite")
SUFFIX = "dc=acme,dc=com"
PEOPLE = "ou=people," + SUFFIX
GROUPS = "ou=groups," + SUFFIX
SERVICE = "cn=portreeve," + SUFFIX
# a hang is what the tests look for, not a slow machine
HANG = 20.0


class Directory:
    """The suite's `serve`, told what to ask."""

    def __init__(self, *args, env=None):
        self.proc = subprocess.Popen(
            [SUITE, "serve", *args], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1,
            env={**os.environ, **(env or {})})
        self.line = self.proc.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.proc.stdin.close()
        self.proc.wait(60)
        self.proc.stdout.close()

    def tell(self, text):
        """(result, stale_ms, took_ms, words)"""
        self.proc.stdin.write(text + "\n")
        result, stale, took, words = \
            self.proc.stdout.readline().rstrip("\n").split("\t", 3)
        return result, int(stale), int(took), words

    def lookup(self, name, stale=0, deadline=5000, by="-"):
        return self.tell(f"lookup {name} {by} {stale} {deadline}")

    def until(self, want, name, timeout=30.0, **more):
        """Asks until the answer is as wanted; the last answer."""
        end = time.monotonic() + timeout
        while True:
            got = self.lookup(name, **more)
            if got[0] == want or time.monotonic() > end:
                return got
            time.sleep(0.05)


def suite(r, what, *args, env=None):
    done = subprocess.run([SUITE, "rows", *args], text=True, check=False,
                          capture_output=True, timeout=300,
                          env={**os.environ, **(env or {})})
    lines = done.stdout.splitlines() or [""]
    passed = lines[-1].split(" ")[0]
    r.check(done.returncode == 0 and int(passed or 0) > 60,
            f"the suite over {what}: {lines[-1]}", done.stdout + done.stderr)


def service(room):
    file = room("password")
    if not os.path.exists(file):
        room.write("password", "sesame\n", 0o600)
    return ("bind=simple", "dn=" + SERVICE, "password_file=" + file)


def kinds_of_connection(r, room, s, lab, other):
    simple = service(room)
    ca = "ca=" + lab.ca
    suite(r, "ldap:// on loopback", "uri=" + s.uri, *simple)
    suite(r, "StartTLS", "uri=" + s.uri, "starttls=1", ca, *simple)
    suite(r, "ldaps://", "uri=" + s.ldaps, ca, *simple)
    suite(r, "ldapi:// with EXTERNAL", "uri=" + s.ldapi, "bind=external")
    weak = {"LDAPTLS_REQCERT": "never", "LDAPTLS_CACERT": lab.ca,
            "LDAPURI": s.uri}
    for what, more in (("ldaps://", ("uri=" + s.ldaps,)),
                       ("StartTLS", ("uri=" + s.uri, "starttls=1"))):
        with Directory(*more, "ca=" + other.ca, *simple, env=weak) as d:
            got = d.lookup("alice")
            r.check(got[0].startswith("error"),
                    f"{what} with another CA's certificate is refused, "
                    "whatever LDAPTLS_REQCERT says", str(got))
    lab.run("server", "--cn", "127.0.0.1", "--dns", "elsewhere.example",
            "--out", "elsewhere")
    named = Slapd(room, suffix=SUFFIX, tls=(lab.ca, *lab.pair("elsewhere")),
                  name="named").start()
    with Directory("uri=" + named.ldaps, ca, *simple) as d:
        got = d.lookup("alice")
        r.check(got[0] == "error OFFLINE" and "TLS" in got[3],
                "so is a certificate of another name", str(got))
    with Directory("uri=" + s.uri) as d:
        got = d.lookup("alice")
        r.check(got[0] in ("-", "error INVALID", "error DENIED"),
                "slapd shows nothing to nobody", str(got))


def credentials(r, room, s):
    empty = room.write("empty", "\n", 0o600)
    done = subprocess.run(
        [SUITE, "serve", "uri=" + s.uri, "bind=simple", "dn=" + SERVICE,
         "password_file=" + empty], text=True, check=False,
        capture_output=True, stdin=subprocess.DEVNULL)
    r.check(done.returncode == 78 and "is empty" in done.stdout,
            "an empty password file is a mistake", done.stdout)
    readable = room.write("readable", "sesame\n", 0o644)
    done = subprocess.run(
        [SUITE, "serve", "uri=" + s.uri, "bind=simple", "dn=" + SERVICE,
         "password_file=" + readable], text=True, check=False,
        capture_output=True, stdin=subprocess.DEVNULL)
    r.check(done.returncode == 78, "so is one that all may read", done.stdout)
    wrong = room.write("wrong", "open\n", 0o600)
    args = ("uri=" + s.uri, "bind=simple", "dn=" + SERVICE,
            "password_file=" + wrong, "negative_ttl=100")
    with Directory(*args) as d:
        got = d.lookup("alice")
        r.equal(got[0], "error DENIED", "a wrong password is said to be one")
        room.write("wrong", "sesame\n", 0o600)
        got = d.until("all-dev|everyone|oncall|payments|", "alice")
        r.equal(got[0], "all-dev|everyone|oncall|payments|",
                "… and mended without a restart")


def empty_password_is_never_sent(r, room):
    server = LdapServer(lambda s: s.done())
    file = room.write("soon-empty", "x\n", 0o600)
    args = ("uri=" + server.uri, "bind=simple", "dn=" + SERVICE,
            "password_file=" + file, "negative_ttl=50")
    with Directory(*args) as d:
        d.lookup("alice")
        before = len(server.binds)
        room.write("soon-empty", "", 0o600)
        r.equal(d.tell("reload")[0], "kept",
                "a password file that became empty is not taken")
        server.sock.close()
    r.check(before > 0 and all(p for _, p in server.binds),
            "no empty password was ever sent", str(server.binds))
    second = LdapServer(lambda s: b"")  # never answers: connections break
    file = room.write("soon-empty", "x\n", 0o600)
    with Directory("uri=" + second.uri, "bind=simple", "dn=" + SERVICE,
                   "password_file=" + file, "negative_ttl=50",
                   "search=200") as d:
        room.write("soon-empty", "", 0o600)
        got = d.lookup("alice", deadline=2000)
        r.check(got[0].startswith("error"), "… nor later", str(got))
        got = d.lookup("alice", deadline=2000)
        r.check(got[0].startswith("error"), "… nor after that", str(got))
    r.check(all(p for _, p in second.binds),
            "… when it is emptied behind our back", str(second.binds))


def limits(r, room, s):
    ldif = "".join(
        f"dn: cn=m{i},{GROUPS}\nobjectClass: groupOfNames\n"
        f"member: uid=carol,{PEOPLE}\n\n" for i in range(700))
    ring = "".join(
        f"dn: cn=ring{i},ou=ring,{SUFFIX}\nobjectClass: groupOfNames\n"
        f"member: cn=ring{(i + 999) % 1000},ou=ring,{SUFFIX}\n"
        + (f"member: uid=round,{PEOPLE}\n" if i == 0 else "") + "\n"
        for i in range(1000))
    s.tool("ldapadd", "-f", room.write("many.ldif", ldif))
    s.tool("ldapadd", "-f", room.write(
        "ring.ldif", f"dn: ou=ring,{SUFFIX}\nobjectClass: "
        "organizationalUnit\n\n" + ring))
    with Directory("uri=" + s.uri, *service(room)) as d:
        got = d.lookup("carol")
        r.equal(got[0].count("|"), 700, "700 groups, though slapd gives 500 "
                "at most in one go: in pages")
        r.equal(d.lookup("carol", by="(uid=carol)")[0].count("|"), 700,
                "… by a filter as well")
    with Directory("uri=" + s.ldapi, "bind=external", "depth=1") as d:
        got = d.lookup("carol")
        r.equal(got[0], "error INVALID",
                "where the pages are limited, too, a part is no answer")
        r.check("ize limit" in got[3], "… and it is said why", got[3])
    with Directory("uri=" + s.uri, *service(room), "depth=16",
                   "group.base=ou=ring," + SUFFIX) as d:
        r.equal(d.lookup("round")[0].count("|"), 17,
                "a ring of a thousand groups ends at the depth")


def referrals(r, room, s):
    s.tool("ldapadd", "-M", "-f", room.write(
        "ref.ldif", f"dn: ou=far,ou=elsewhere,{SUFFIX}\nobjectClass: "
        "referral\nobjectClass: extensibleObject\nou: far\n"
        "ref: ldap://127.0.0.1:1/dc=far\n\n"))
    base = "ou=elsewhere," + SUFFIX
    with Directory("uri=" + s.uri, *service(room), "user.base=" + base) as d:
        got = d.lookup("outside")
        r.check(got[0] == "error INVALID" and "referrals are not followed"
                in got[3], "a base of which a part is elsewhere is refused",
                str(got))
    with Directory("uri=" + s.uri, *service(room),
                   f"user.base=ou=far,{base}") as d:
        got = d.lookup("outside")
        r.check(got[0] == "error INVALID" and "referral" in got[3],
                "a referral is not followed", str(got))
    with Directory("uri=" + s.uri, *service(room),
                   "user.base=dc=nowhere") as d:
        r.equal(d.lookup("alice")[0], "error INVALID",
                "a base that is not there is no empty directory")


def ages(r, room, s):
    args = ("uri=" + s.uri, *service(room), "ttl=300", "negative_ttl=3000")
    with Directory(*args) as d:
        r.equal(d.lookup("newcomer")[0], "-", "nobody of that name")
        s.tool("ldapadd", "-f", room.write(
            "new.ldif", f"dn: uid=newcomer,{PEOPLE}\nobjectClass: "
            "inetOrgPerson\ncn: N\nsn: N\nuid: newcomer\n\n"))
        r.equal(d.lookup("newcomer")[0], "-",
                "… is remembered for negative_ttl")
        r.equal(d.until("no groups", "newcomer")[0], "no groups",
                "… and no longer")
    args = ("uri=" + s.uri, *service(room), "ttl=3600000",
            "negative_ttl=3600000")
    with Directory(*args) as d:
        r.equal(d.lookup("newcomer")[0], "no groups", "in no group")
        s.tool("ldapmodify", "-f", room.write(
            "join.ldif", f"dn: cn=platform,{GROUPS}\nchangetype: modify\n"
            f"add: member\nmember: uid=newcomer,{PEOPLE}\n"))
        r.equal(d.lookup("newcomer")[0], "no groups", "… as long as cached")
        time.sleep(0.6)  # a re-read of what was just read is none
        got = d.tell("refresh newcomer 5000")
        r.equal(got[0], "everyone|platform|", "a re-read sees the new team")
        r.equal(d.tell("refresh newcomer 5000")[0], "none",
                "… once per negative_ttl")
        r.equal(d.tell("peek newcomer")[0], "everyone|platform|",
                "… and the cache has it")
        s.tool("ldapmodify", "-f", room.write(
            "part.ldif", f"dn: cn=platform,{GROUPS}\nchangetype: modify\n"
            f"delete: member\nmember: uid=newcomer,{PEOPLE}\n"))
        r.equal(d.tell("reload")[0], "reloaded", "SIGHUP")
        r.equal(d.lookup("newcomer")[0], "no groups", "… forgets the cache")


ALICE = "all-dev|everyone|oncall|payments|"


def outage(r, room, s):
    args = ("uri=" + s.uri, *service(room), "ttl=400", "negative_ttl=200",
            "connect=500", "search=500")
    with Directory(*args) as d:
        r.equal(d.tell("lookup alice - 0 5000")[0], ALICE, "before")
        r.equal(d.tell("ready")[0], "ready", "… it is ready")
        s.proc.kill()
        s.proc.wait()
        got = d.until("error OFFLINE", "bob")
        r.equal(got[0], "error OFFLINE", "slapd is killed: an error, not "
                "\"no groups\"")
        r.equal(d.tell("ready")[0], "not ready", "… and not ready")
        time.sleep(0.5)
        got = d.lookup("alice", stale=3600000, deadline=0)
        r.check(got[0] == ALICE and got[1] > 0,
                "what was read is there, with its age, without waiting",
                str(got))
        got = d.lookup("alice", stale=1)
        r.check(got[0].startswith("error"), "… but not for who may not have "
                "it so old", str(got))
        r.equal(d.tell("peek alice")[0], "none", "… and not as fresh")
        got = d.tell("storm 64 bob 0 3000")
        r.equal(got[0], "answers 0 errors 64", "nobody gets an answer")
        s.start()
        got = d.until("everyone|platform|", "bob")
        r.equal(got[0], "everyone|platform|", "slapd is back, and we know")
        got = d.until(ALICE, "alice")
        r.check(got[0] == ALICE and got[1] == 0, "… and fresh again", str(got))


def stop(proc):
    """SIGSTOP, and not before all of it stands still."""
    proc.send_signal(signal.SIGSTOP)
    tasks = f"/proc/{proc.pid}/task"

    def state(task):
        with open(f"{tasks}/{task}/stat", encoding="utf-8") as f:
            return f.read().rpartition(")")[2].split()[0]
    wait_until("slapd stands still",
               lambda: all(state(t) == "T" for t in os.listdir(tasks)))


def black_hole(r, room, s):
    args = ("uri=" + s.uri, *service(room), "ttl=400", "negative_ttl=200",
            "connect=500", "search=500")
    with Directory(*args) as d:
        d.lookup("alice")
        stop(s.proc)
        try:
            began = time.monotonic()
            got = d.lookup("bob", deadline=1500)
            r.check(got[0].startswith("error"), "slapd is stopped: an error",
                    str(got))
            got = d.tell("storm 64 carol 0 1500")
            r.equal(got[0], "answers 0 errors 64", "… for all 64 callers")
            r.check(time.monotonic() - began < HANG, "… and nobody hangs")
            time.sleep(0.5)
            got = d.lookup("alice", stale=3600000, deadline=0)
            r.equal(got[0], ALICE, "… what is cached needs no server")
        finally:
            s.proc.send_signal(signal.SIGCONT)
        got = d.until("everyone|platform|", "bob")
        r.equal(got[0], "everyone|platform|", "it goes on, and so do we")


def failover(r, room, s, lab):
    second = Slapd(room, suffix=SUFFIX, tls=s.tls, name="second",
                   schemas=("nis",)).start(room("people.ldif"))
    dead = f"ldap://127.0.0.1:{free_port()}"
    quick = (*service(room), "negative_ttl=200", "connect=500", "search=500")
    with Directory("uri=" + dead, "uri=" + s.uri, *quick) as d:
        got = d.lookup("bob")
        r.check(got[0] == "everyone|platform|" and s.uri in got[3],
                "the first of two servers is down: the second answers",
                str(got))
    with Directory("uri=" + s.uri, "uri=" + second.uri, "ttl=0", *quick) as d:
        got = d.lookup("bob")
        r.check(s.uri in got[3], "both are up: the first answers", str(got))
        stop(s.proc)
        try:
            got = d.lookup("bob", deadline=10000)
            r.check(got[0] == "everyone|platform|" and
                    second.uri in got[3],
                    "it hangs in the middle: the second answers the same "
                    "call", str(got))
        finally:
            s.proc.send_signal(signal.SIGCONT)
        second.proc.kill()
        second.proc.wait()
        got = d.until("everyone|platform|", "bob", deadline=10000)
        r.check(got[0] == "everyone|platform|" and s.uri in got[3],
                "that one dies: the first again", str(got))
    no_tls = Slapd(room, suffix=SUFFIX, name="plain").start()
    with Directory("uri=" + no_tls.uri, "starttls=1", "ca=" + lab.ca,
                   *quick) as d:
        got = d.lookup("bob")
        r.check(got[0].startswith("error") and "StartTLS" in got[3],
                "a server without StartTLS gets no password", str(got))


def strange_servers(r, room, lab):
    alice = "uid=alice," + PEOPLE

    def person(s, **more):
        return s.entry_of(alice, {"uid": ["alice"], **more})

    def users(s):
        return s.base == PEOPLE

    def ask(what, want, answer, *args, words="", capabilities=(), **more):
        server = LdapServer(answer, capabilities)
        began = time.monotonic()
        with Directory("uri=" + server.uri, "search=700", *args) as d:
            got = d.lookup("alice", **{"deadline": 2500, **more})
            r.check(got[0] == want and words in got[3], what, str(got))
        r.check(time.monotonic() - began < HANG, "… and it ends")
        server.close()
        return server

    ask("a user who is another one is nobody", "-",
        lambda s: (s.entry(alice, uid=["mallory"]) if users(s) else b"") +
        s.done())
    ask("a user from outside the base does not count", "error INVALID",
        lambda s: s.entry("uid=alice,dc=evil", uid=["alice"]) + s.done())
    ask("a group from outside the base does not count", "error INVALID",
        lambda s: (person(s) if users(s) else
                   s.entry("cn=admins,dc=evil", cn=["admins"])) + s.done())
    ask("a DN that is none", "error INVALID",
        lambda s: s.entry("admins", uid=["alice"]) + s.done())
    ask("entries and then a size limit", "error INVALID",
        lambda s: person(s) + s.done(0 if users(s) else SIZE_LIMIT))
    ask("two users and then a size limit: several", "?",
        lambda s: person(s) + person(s) + s.done(SIZE_LIMIT))
    ask("one user and a reference", "error INVALID",
        lambda s: person(s) + s.reference("ldap://evil/") + s.done())
    ask("a referral", "error INVALID",
        lambda s: s.done(10, referral="ldap://evil/"))
    ask("groups without end", "error INVALID",
        lambda s: person(s) + s.done() if users(s) else (
            s.entry(f"cn=g{i},{GROUPS}", cn=["g"]) for i in range(10 ** 6)),
        "search=20000", words="more than 4096", deadline=20000)
    ask("a server that says nothing", "error TIMEOUT", lambda s: b"")

    def slowly(s):
        for b in person(s) + s.done():
            time.sleep(0.2)
            yield bytes([b])
    ask("a server that says a byte now and then", "error TIMEOUT", slowly)
    ask("a message that is too long", "error OFFLINE",
        lambda s: b"\x30\x84\x7f\xff\xff\xff\x02\x01\x02")
    ask("noise", "error OFFLINE", lambda s: b"HTTP/1.1 200 OK\r\n\r\n" * 9)
    ask("chain where it is not known", "error INVALID",
        lambda s: person(s) + s.done(), "nested=chain",
        words="Active Directory")

    ad = ("1.2.840.113556.1.4.800",)
    server = ask("chain at Active Directory", "deep|", lambda s: (
        person(s) if users(s) else s.entry(f"cn=deep,{GROUPS}", cn=["deep"])
    ) + s.done(), "nested=chain", capabilities=ad)
    r.check(any(f"(member:1.2.840.113556.1.4.1941:={alice})" in s.filter
                for s in server.searches), "… by its rule")

    def in_parts(s):
        """1500 values at a time, as Active Directory gives them"""
        names = [f"cn=g{i},{GROUPS}" for i in range(3200)]
        if not users(s) and s.base != alice:
            return b"".join(
                s.entry(n, cn=[f"g{i}"]) for i, n in enumerate(names)
                if f"(cn=g{i})" in s.filter) + s.done()
        start = 0
        for a in s.attrs:
            if ";range=" in a:
                start = int(a.split("=")[1].split("-")[0])
        last = min(start + 1500, len(names))
        end = "*" if last == len(names) else str(last - 1)
        return person(s, **{f"memberOf;range={start}-{end}":
                            names[start:last]}) + s.done()
    server = LdapServer(in_parts, ad)
    with Directory("uri=" + server.uri, "nested=memberof", "search=20000",
                   "ttl=0") as d:
        got = d.lookup("alice", deadline=60000)
        r.equal(got[0].count("|"), 3200, "memberOf;range= is read to its end")
    server.close()
    ask("a memberOf that names a group which is gone does not count", "real|",
        lambda s: (person(s, memberOf=[f"cn=ghost,{GROUPS}",
                                       f"cn=real,{GROUPS}"]) if users(s) else
                   s.entry(f"cn=real,{GROUPS}", cn=["real"])) + s.done(),
        "nested=memberof")
    ask("a group that was not asked for does not count", "real|",
        lambda s: (person(s, memberOf=[f"cn=real,{GROUPS}"]) if users(s) else
                   s.entry(f"cn=real,{GROUPS}", cn=["real"]) +
                   s.entry(f"cn=admins,{GROUPS}", cn=["admins"])) + s.done(),
        "nested=memberof")

    # StartTLS taken away: an answer that is no success, or success and then
    # no TLS at all
    for what, reply in (
            ("refused", None),
            ("promised and not kept", lambda i: b"\x30\x0c\x02\x01" +
             bytes([i]) + b"\x78\x07\x0a\x01\x00\x04\x00\x04\x00" + b"x" * 99)
    ):
        server = LdapServer(lambda s: s.done(), on_extended=reply)
        with Directory("uri=" + server.uri, "starttls=1", "ca=" + lab.ca,
                       *service(room), "connect=500") as d:
            got = d.lookup("alice", deadline=2500)
            r.check(got[0].startswith("error"), f"StartTLS {what}", str(got))
        r.equal(server.binds, [], "… and no password is sent")
        server.close()


CONFIG = """\
directory:
  {where}
  user:  {{base: "{people}", filter: "(objectClass=inetOrgPerson)"}}
  group: {{base: "{groups}", filter: "(objectClass=groupOfNames)", \
nested: expand}}
  cache: {{negative_ttl: 1s}}
"""


def the_command(r, room, s, lab):
    """portreeve directory test: the same answer from both kinds."""
    service(room)

    def ask(where, *args):
        conf = room.write("portreeve.yaml", CONFIG.format(
            where=where, people=PEOPLE, groups=GROUPS))
        return subprocess.run(
            [os.path.join(BUILD, "portreeve"), "directory", "test", "-c",
             conf, *args], text=True, check=False, capture_output=True)
    ldif = "type: ldif\n  file: " + room("people.ldif")
    ldap = ("type: ldap\n  uri: [" + s.ldaps + "]\n  tls: {ca: " + lab.ca +
            "}\n  bind: {method: simple, dn: \"" + SERVICE +
            "\", password_file: " + room("password") + "}")
    a, b = ask(ldif, "alice"), ask(ldap, "alice")
    r.equal((a.returncode, a.stdout), (b.returncode, b.stdout),
            "portreeve directory test says the same of both: " + b.stderr)
    r.check(a.returncode == 0 and "cn=payments," + GROUPS in a.stdout,
            "… with DNs", a.stdout + a.stderr)
    for args, code, words in (
            (("nobody",), 1, "no such user"), (("twin",), 1, "several"),
            (("x", "-s", "(mail=bob@acme.com)"), 0, "uid=bob"),
            (("x", "-s", "(mail=bob@acme.com"), 1, "filter")):
        for where in (ldif, ldap):
            done = ask(where, *args)
            r.check(done.returncode == code and words in done.stderr,
                    f"… {' '.join(args)}: {code}, {words}", done.stderr)
    done = ask(ldap.replace(s.ldaps, f"ldaps://127.0.0.1:{free_port()}"),
               "alice")
    r.equal(done.returncode, 69, "… 69 if nobody is there: " + done.stderr)
    done = ask(ldap.replace("ldaps://127.0.0.1", "ldap://192.0.2.1"), "alice")
    r.check(done.returncode == 78 and "portreeve.yaml:3:" in done.stderr
            and "without TLS" in done.stderr,
            "… 78 with the place for ldap:// to another host", done.stderr)
    done = ask(ldif.replace("people.ldif", "people.ldif.not"), "alice")
    r.equal(done.returncode, 78, "… 78 for a file that is not there")
    room.write("people.ldif", "dn: dc=a\ncn:: !\n")
    done = ask(ldif, "alice")
    r.check(done.returncode == 78 and "people.ldif:2:6: error" in done.stderr,
            "… and the line of one that is broken", done.stderr)


def one_search_for_all(r):
    gate = threading.Event()

    def wait(s):
        gate.wait(10)
        if s.base == PEOPLE:
            return s.entry("uid=alice," + PEOPLE, uid=["alice"]) + s.done()
        return s.done()
    server = LdapServer(wait)
    threading.Timer(1.0, gate.set).start()
    with Directory("uri=" + server.uri, "search=20000") as d:
        got = d.tell("storm 64 alice 0 20000")
        r.equal(got[0], "answers 64 errors 0", "64 ask for the same subject")
    r.equal(sum(s.base == PEOPLE for s in server.searches), 1,
            "… and the server is asked once")
    server.close()


def main():
    r = Report()
    with Room("ldap") as room:
        lab = Lab(room("ca"))
        other = Lab(room("other"), "Other CA")
        ldif = subprocess.run([SUITE, "ldif"], check=True,
                              capture_output=True).stdout
        s = Slapd(
            room, suffix=SUFFIX, tls=(lab.ca, *lab.server()),
            schemas=("nis",),
            extra=f'limits dn.exact="{SERVICE}" size.soft=500 size.hard=500 '
            "size.prtotal=unlimited\n")
        s.start(room.write("people.ldif", ldif))
        kinds_of_connection(r, room, s, lab, other)
        credentials(r, room, s)
        empty_password_is_never_sent(r, room)
        ages(r, room, s)
        outage(r, room, s)
        black_hole(r, room, s)
        failover(r, room, s, lab)
        limits(r, room, s)
        referrals(r, room, s)
        strange_servers(r, room, lab)
        one_search_for_all(r)
        the_command(r, room, s, lab)
    r.exit()


if __name__ == "__main__":
    main()
