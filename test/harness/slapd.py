# SPDX-License-Identifier: Apache-2.0
"""A real slapd on loopback, with the entries of one LDIF file."""
import os
import socket
import subprocess
import urllib.parse

from .room import HarnessError, die_with_parent, end_process, wait_until

SCHEMA = "/etc/ldap/schema"
CONFIG = """\
{includes}pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
{tls}sizelimit 500
localSSF 128
database mdb
maxsize 67108864
suffix "{suffix}"
rootdn "{rootdn}"
rootpw {password}
directory {folder}/db
index objectClass,uid,mail,member eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.base="gidNumber=0+uidNumber=0,cn=peercred,cn=external,\
cn=auth" read by users read by anonymous auth
{extra}overlay memberof
memberof-refint TRUE
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Slapd:
    """start(ldif) loads the file and answers on self.uri (ldap://127.0.0.1),
    self.ldapi and, with tls=(ca, cert, key), self.ldaps.  After stop() or a
    kill, start() takes up the same data at the same place.  schemas are
    added to the usual three, extra is text of slapd.conf for the database."""

    def __init__(self, room, suffix="dc=corp,dc=example", tls=None,
                 name="slapd", schemas=(), extra=""):
        self.schemas = ("core", "cosine", "inetorgperson", *schemas)
        self.extra = extra
        self.room = room
        self.folder = room.mkdir(name)
        os.makedirs(os.path.join(self.folder, "db"), exist_ok=True)
        self.suffix = suffix
        self.rootdn = "cn=root," + suffix
        self.password = "lab-only"
        self.tls = tls
        self.port = free_port()
        self.uri = f"ldap://127.0.0.1:{self.port}"
        self.ldapi = "ldapi://" + urllib.parse.quote(
            os.path.join(self.folder, "ldapi"), safe="")
        self.ldaps = f"ldaps://127.0.0.1:{free_port()}" if tls else None
        self.log = os.path.join(self.folder, "slapd.log")
        self.proc = None

    def start(self, ldif=None):
        tls = ""
        if self.tls:
            tls = ("TLSCACertificateFile {}\nTLSCertificateFile {}\n"
                   "TLSCertificateKeyFile {}\n").format(*self.tls)
        conf = os.path.join(self.folder, "slapd.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(CONFIG.format(
                includes="".join(f"include {SCHEMA}/{x}.schema\n"
                                 for x in self.schemas),
                extra=self.extra, folder=self.folder, suffix=self.suffix,
                rootdn=self.rootdn, password=self.password, tls=tls))
        urls = " ".join(filter(None, (self.uri, self.ldapi, self.ldaps)))
        with open(self.log, "ab") as log:
            self.proc = subprocess.Popen(
                ["/usr/sbin/slapd", "-f", conf, "-h", urls, "-d", "0"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with_parent)
        self.room.push(self.stop)
        wait_until("slapd", self.answers, 30.0, self.proc, self.log)
        if ldif is not None:
            self.tool("ldapadd", "-f", ldif)
        return self

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    def tool(self, program, *args):
        """ldapadd, ldapmodify, ldapsearch … as the root of the directory."""
        done = subprocess.run(
            [program, "-x", "-H", self.uri, "-D", self.rootdn,
             "-w", self.password, *args], capture_output=True, text=True,
            check=False, env={**os.environ, "LDAPNOINIT": "1"})
        if done.returncode != 0:
            raise HarnessError(f"{program}: {done.stderr.strip()}")
        return done.stdout

    def stop(self):
        if self.proc is not None:
            end_process(self.proc)
            self.proc = None
