#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The package under a systemd of its own, with a dockerd of its own: both
units start with all their walls, docker works through each, and nobody notices
when they are restarted, killed, reloaded or hang.

  booted.py [--deb FILE]    (default: the one in build/deb)

A Debian root is booted in a container (systemd-nspawn), and thrown away.
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "test"))
from harness.engines import mirror  # noqa: E402
from harness.report import Report  # noqa: E402

INCLUDE = "systemd,systemd-sysv,dbus,docker.io,procps,busybox-static"
PROBE = r"""#!/bin/bash
exec >/root/out 2>&1
ok() { if "${@:2}"; then echo "ok $1"; else echo "FAILED $1"; fi; }
no() { if "${@:2}"; then echo "FAILED $1"; else echo "ok $1"; fi; }
says() { "${@:2}" 2>&1 | grep -q -- "$1"; }
ok "it is installed" dpkg -i /root/portreeve.deb
cd /etc/portreeve || exit 1
for x in "ca --cn CA --org Acme" "server --cn host --ip 127.0.0.1" "client --cn alice" "bundle alice --out /root/.docker"; do
	portreeve cert $x --dir /root/lab
done
cat >portreeve.yaml <<Y
daemon: {name: dev-1}
identity:
  - {source: corp, issuer: "CN=CA,O=Acme", by: cn}
directory: {type: ldif, file: /etc/portreeve/people.ldif}
Y
cat >people.ldif <<Y
dn: uid=alice,dc=acme
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: A

dn: cn=payments,dc=acme
objectClass: groupOfNames
cn: payments
member: uid=alice,dc=acme
Y
cp /usr/share/portreeve/policy/plugin-only.yaml policy.d/
cat >policy.d/10-local.yaml <<Y
version: 1
labels: {team: com.acme.team, phase: com.acme.phase}
teams:
  payments: {ldap: ["cn=payments,dc=acme"]}
hosts: {"*": [dev]}
phases: {dev: {audit: metadata}}
grants:
  - {id: pay-dev, team: payments, role: developer, phases: [dev], profile: baseline}
Y
ok "portreeve check" portreeve check
ok "the plugin is enabled and starts" systemctl enable --now portreeve-plugin.socket portreeve-plugin.service
mkdir -p /etc/systemd/system/docker.service.d
printf '[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd --containerd=/run/containerd/containerd.sock\n' >/etc/systemd/system/docker.service.d/hosts.conf
cat >/etc/docker/daemon.json <<Y
{"authorization-plugins": ["portreeve"], "tlsverify": true, "tlscacert": "/root/lab/ca.pem",
 "tlscert": "/root/lab/host.pem", "tlskey": "/root/lab/host.key",
 "hosts": ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2376"]}
Y
systemctl daemon-reload
ok "docker restarts with it" systemctl restart docker
D="timeout 60 docker --tlsverify -H tcp://127.0.0.1:2376"
ok "she may list" $D ps
ok "not be root of the host" says "privileged wants false" $D run --privileged busybox true
ok "not mount /etc: its resolver sees the host" says "mounts /etc" $D run -v /etc:/x busybox true
mkdir -p /srv/payments && ln -s /etc /srv/payments/link
ok "nor by a symlink" says "/etc" $D run -v /srv/payments/link:/x busybox true
ok "who has no certificate may not" says "without identity" docker ps
portreeve doctor >/root/doctor
no "doctor finds nothing wrong with what the package made" grep -E '^fail +file-(log|ledger|config|policy|secrets)' /root/doctor
(for i in $(seq 60); do $D ps -q || echo FAILED; done) >/root/calls 2>&1 &
calls=$!
for i in 1 2 3 4 5; do sleep 0.4; systemctl restart portreeve-plugin; done
wait $calls
no "60 calls during 5 restarts: none failed" grep -q FAILED /root/calls
kill -9 "$(systemctl show -p MainPID --value portreeve-plugin)"
ok "one that is killed is back" $D ps
ok "reload" systemctl reload portreeve-plugin
ok "docker's reload keeps the plugin" systemctl reload docker
ok "who asks afterwards is judged" says "without identity" docker ps
kill -STOP "$(systemctl show -p MainPID --value portreeve-plugin)"
ok "one that hangs is replaced by the watchdog, and the call is answered" $D ps
systemctl stop portreeve-plugin.service
ok "its socket starts it" $D ps
no "and it knows the boot" grep -q '"boot":""' /var/log/portreeve/*.jsonl

rm /etc/docker/daemon.json
(umask 077; od -An -tx1 -N32 /dev/urandom | tr -d ' \n' >assertion.key; cp /root/lab/host.key server.key)
cp /root/lab/host.pem server.pem; cp /root/lab/ca.pem ca.pem
systemctl restart docker
cat >>portreeve.yaml <<Y
proxy:
  assertion_key: /run/credentials/portreeve-proxy.service/assertion.key
  listen:
    - name: tcp
      address: "0.0.0.0:2376"
      tls: {cert: /etc/portreeve/server.pem, key: /run/credentials/portreeve-proxy.service/server.key, client_ca: /etc/portreeve/ca.pem}
Y
systemctl disable --now portreeve-plugin.socket portreeve-plugin.service
mkdir -p /etc/systemd/system/portreeve-proxy.service.d
printf '[Service]\nLoadCredential=server.key:/etc/portreeve/server.key\nLoadCredential=assertion.key:/etc/portreeve/assertion.key\n' >/etc/systemd/system/portreeve-proxy.service.d/keys.conf
systemctl daemon-reload
ok "the proxy is enabled and starts, its keys from systemd" systemctl enable --now portreeve-proxy.socket portreeve-proxy.service
ok "she may list through it" $D ps
ok "not be root of the host through it" says "privileged wants false" $D run --privileged busybox true
systemctl restart portreeve-proxy
ok "after a restart" $D ps
ok "it reloads" systemctl reload portreeve-proxy
systemctl stop portreeve-proxy.service
ok "its socket starts it as well" $D ps
ok "the log is whole" portreeve log verify
journalctl -b --no-pager -u portreeve-plugin -u portreeve-proxy >/root/journal
no "the journal has a line a message" grep -q '\^~' /root/journal
systemctl poweroff
"""
UNIT = """\
[Unit]
After=docker.service
[Service]
Type=oneshot
ExecStart=/root/probe
"""
SENTENCES = PROBE.count("\nok \"") + PROBE.count("\nno \"")


def debian(folder, deb):
    """A root that can be booted and has what the package depends on."""
    depends = subprocess.run(["dpkg-deb", "-f", deb, "Depends"],
                             capture_output=True, text=True,
                             check=True).stdout
    names = [x.split("|")[0].split("(")[0].strip()
             for x in depends.split(",")]
    done = subprocess.run(
        ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase",
         '--aptopt=Acquire::Check-Valid-Until "false"',
         "--include=" + ",".join([INCLUDE, *names]), "bookworm", folder, mirror()],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr[-2000:])


def put(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def main():
    r = Report()
    found = sys.argv[2:3] if sys.argv[1:2] == ["--deb"] else [
        p for p in glob.glob(os.path.join(ROOT, "build/deb/*.deb"))
        if "dbgsym" not in p]
    if not found:
        sys.exit("booted.py: there is no package; make deb")
    work = tempfile.mkdtemp(prefix="booted.", dir="/var/tmp")
    top = os.path.join(work, "root")
    try:
        debian(top, found[0])
        shutil.copy(found[0], os.path.join(top, "root/portreeve.deb"))
        put(top + "/root/probe", PROBE, 0o755)
        put(top + "/etc/systemd/system/probe.service", UNIT)
        os.symlink("../probe.service", os.path.join(
            top, "etc/systemd/system/multi-user.target.wants/probe.service"))
        done = subprocess.run(
            ["timeout", "-k", "20", "400", "systemd-nspawn", "-q", "-D", top,
             "--register=no", "--keep-unit", "--boot", "--console=pipe",
             "--private-network", "--capability=all",
             "--system-call-filter=@mount @keyring bpf"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False)
        with open(top + "/root/out", encoding="utf-8",
                  errors="replace") as f:
            said = f.read()
        good = [x[3:] for x in said.splitlines() if x.startswith("ok ")]
        for x in good:
            r.check(True, x)
        if not r.equal(len(good), SENTENCES, "all was as it should be"):
            print(said + done.stdout + done.stderr)
            if os.path.exists(top + "/root/journal"):
                with open(top + "/root/journal", encoding="utf-8") as f:
                    print(f.read()[-6000:])
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
