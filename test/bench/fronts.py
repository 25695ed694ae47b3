# SPDX-License-Identifier: Apache-2.0
"""What can stand before a daemon with TLS and client certificates: nginx and
haproxy of the distribution, portreeve-proxy, and OpenSSL with nothing behind.

All serve with one process and one thread, the same keys, without tickets and
without a session cache.  nginx and haproxy authorize nothing and log nothing.
"""
import os
import re
import subprocess

from harness import BUILD, Proxy
from harness.proxy import free_port
from harness.room import die_with_parent, end_process, wait_until
import socket

NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 12000; }}
http {{
	access_log off;
	keepalive_requests 1000000000;
	keepalive_timeout 1h;
	client_max_body_size 0;
	client_body_temp_path {folder}/body;
	proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/f;
	uwsgi_temp_path {folder}/u;
	scgi_temp_path {folder}/s;
	upstream daemon {{
		server unix:{docker};
		keepalive 256;
		keepalive_requests 1000000000;
	}}
	server {{
		listen 127.0.0.1:{port} ssl backlog=4096;
		ssl_certificate {cert};
		ssl_certificate_key {key};
		ssl_client_certificate {ca};
		ssl_verify_client on;
		ssl_protocols TLSv1.2 TLSv1.3;
		ssl_session_tickets off;
		ssl_session_cache off;
		location / {{
			proxy_pass http://daemon;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_request_buffering off;
			proxy_max_temp_file_size 0;
			proxy_read_timeout 1h;
{buffers}		}}
	}}
}}
"""
NGINX_BUFFERS = """\
			proxy_buffer_size 128k;
			proxy_buffers 8 128k;
			proxy_busy_buffers_size 256k;
			client_body_buffer_size 128k;
"""
HAPROXY = """\
global
	maxconn 12000
	no strict-limits
	nbthread 1
	ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
	tune.ssl.cachesize 0
{buffers}defaults
	mode http
	timeout connect 5s
	timeout client 1h
	timeout server 1h
	timeout http-keep-alive 1h
	http-reuse always
frontend clients
	bind 127.0.0.1:{port} ssl crt {both} ca-file {ca} verify required alpn http/1.1 backlog 4096
	default_backend daemon
backend daemon
	server daemon unix@{docker}
"""
HAPROXY_BUFFERS = "\ttune.bufsize 131072\n"
POLICY = """\
version: 1
labels: {team: com.acme.team, phase: com.acme.phase}
teams:
  payments: {ldap: ["cn=payments,ou=groups,dc=acme,dc=com"]}
hosts: {"*": [dev]}
phases: {dev: {audit: metadata}}
roles:
  all: {allow: {container: [list, create], image: [list, inspect, save, load], system: [ping, version]}}
grants:
  - {id: pay, team: payments, role: all, phases: ["*"], owner: any, profile: unrestricted}
"""
LDIF = """\
dn: uid=alice,ou=people,dc=acme,dc=com
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: A

dn: cn=payments,ou=groups,dc=acme,dc=com
objectClass: groupOfNames
cn: payments
member: uid=alice,ou=people,dc=acme,dc=com
"""
OPTIONS = """\
  timeouts: {idle: 1h}
  limits: {connections: 20000, per_subject: 20000}
"""


def memory(pid, key="VmRSS"):
    """KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(key + r":\s+(\d+)", f.read())[1])


def forget_peak(pid):
    """VmHWM is counted from now on."""
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as f:
        f.write("5")


class Front:
    """One server: .port, .pid."""

    def __init__(self, port, pid, end):
        self.port, self.pid, self.end = port, pid, end


class Fronts:
    """Starts them in front of a daemon's socket."""

    def __init__(self, room, lab):
        self.room, self.lab = room, lab
        self.cert, self.key = lab.server("front")
        self.both = room("front-both.pem")
        with open(self.both, "w", encoding="ascii") as out:
            for name in (self.cert, self.key):
                with open(name, encoding="ascii") as f:
                    out.write(f.read())
        self.n = 0

    def run(self, what, argv, port):
        log = open(self.room(f"{what}-{port}.log"), "ab")
        proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=log, preexec_fn=die_with_parent)
        log.close()
        self.room.push(lambda: end_process(proc))

        def listens():
            try:
                socket.create_connection(("127.0.0.1", port), 5).close()
                return True
            except OSError:
                return False

        wait_until(what, listens, 60, proc, self.room(f"{what}-{port}.log"))
        return Front(port, proc.pid, lambda: end_process(proc))

    def write(self, name, text, **words):
        port = free_port()
        self.n += 1
        folder = self.room.mkdir(f"{name}-{self.n}")
        path = os.path.join(folder, name + ".conf")
        with open(path, "w", encoding="ascii") as f:
            f.write(text.format(folder=folder, port=port, cert=self.cert,
                                key=self.key, both=self.both, ca=self.lab.ca,
                                **words))
        return port, path, folder

    def nginx(self, docker, big=False):
        port, path, folder = self.write(
            "nginx", NGINX, docker=docker,
            buffers=NGINX_BUFFERS if big else "")
        return self.run("nginx", ["/usr/sbin/nginx", "-e",
                                  os.path.join(folder, "error.log"),
                                  "-p", folder, "-c", path], port)

    def haproxy(self, docker, big=False):
        port, path, _ = self.write(
            "haproxy", HAPROXY, docker=docker,
            buffers=HAPROXY_BUFFERS if big else "")
        return self.run("haproxy", ["/usr/sbin/haproxy", "-db", "-f", path],
                        port)

    def ours(self, docker, sync="none"):
        self.n += 1
        p = Proxy(self.room, docker, self.lab, POLICY, LDIF, sync=sync,
                  host="bench-1", options=OPTIONS, name=f"proxy-{self.n}")
        p.start()
        front = Front(p.port, p.proc.pid, p.stop)
        front.proxy = p
        return front

    def bare(self):
        port = free_port()
        return self.run("bare", [os.path.join(BUILD, "bench", "origin"),
                                 "tls", str(port), self.cert, self.key,
                                 self.lab.ca], port)

    def origin(self, size):
        """The stand-in of a daemon; returns its socket."""
        self.n += 1
        path = self.room(f"origin-{self.n}.sock")
        proc = subprocess.Popen(
            [os.path.join(BUILD, "bench", "origin"), "unix", path, str(size)],
            preexec_fn=die_with_parent)
        self.room.push(lambda: end_process(proc))
        wait_until("origin", lambda: os.path.exists(path), 60, proc)
        return path
