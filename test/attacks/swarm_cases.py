# SPDX-License-Identifier: Apache-2.0
"""Cases of generate.py about services and what the swarm keeps.

alice may make and change services, but nothing as a service that she may not
have as a container.  dockerd is in no swarm, so what is let through ends in
503 (`offline`); test/integration/services_dockerd.py has a swarm.
"""
import copy
import json

V = "/v1.41"
JSON = {"Content-Type": "application/json"}
SAFE = {
    "Name": "s-{{N}}", "Labels": {"com.acme.team": "red"},
    "TaskTemplate": {
        "ContainerSpec": {
            "Image": "app", "Command": ["sleep", "60"], "ReadOnly": True,
            "Labels": {"com.acme.team": "red"},
            "Privileges": {"NoNewPrivileges": True}},
        "Resources": {"Limits": {"MemoryBytes": 67108864, "Pids": 100}},
        "RestartPolicy": {"Condition": "on-failure", "MaxAttempts": 3}},
    "Mode": {"Replicated": {"Replicas": 1}},
}


def with_(at, **fields):
    """SAFE with something more of the service, task or container."""
    body = copy.deepcopy(SAFE)
    place = {"service": body, "task": body["TaskTemplate"],
             "container": body["TaskTemplate"]["ContainerSpec"]}[at]
    place.update(fields)
    return body


def mount(kind, source, **more):
    return {"Mounts": [{"Type": kind, "Source": source, "Target": "/x",
                        **more}]}


CONTAINER_DENY = [
    ("a bind of /", mount("bind", "/")),
    ("a bind of /etc, read-only", mount("bind", "/etc", ReadOnly=True)),
    ("a bind of the docker socket", mount("bind", "/var/run/docker.sock")),
    ("a bind of the plugin folder", mount("bind", "/run/docker/plugins")),
    ("a bind that climbs out", mount("bind", "/srv/red/../../etc")),
    ("a bind of the other team's folder", mount("bind", "/srv/blue")),
    ("a bind below one's own folder, which another node may have as a link",
     mount("bind", "/srv/red/a")),
    ("a bind that another node may share", mount("bind", "/srv/red")),
    ("a bind of what a template becomes", mount(
        "bind", "/srv/red/{{print \"\\x2e\\x2e/blue\"}}")),
    ("a volume of what a template becomes", mount(
        "volume", "blue-{{print \"vol\"}}")),
    ("a label of a volume that a template becomes", mount(
        "volume", "", VolumeOptions={"Labels": {
            "com.acme.team": "{{print \"blue\"}}"}})),
    ("a bind with shared propagation", mount(
        "bind", "/srv/red", BindOptions={"Propagation": "rshared"})),
    ("the other team's volume", mount("volume", "blue-vol")),
    ("a volume that is the host's /etc", mount("volume", "host-vol")),
    ("a volume with bind options", mount("volume", "v9", VolumeOptions={
        "DriverConfig": {"Name": "local", "Options": {
            "type": "none", "o": "bind", "device": "/etc"}}})),
    ("a volume of another driver", mount("volume", "", VolumeOptions={
        "DriverConfig": {"Name": "nfs"}})),
    ("a mount of type npipe", mount("npipe", "x")),
    ("a mount of type cluster", mount("cluster", "x")),
    ("SYS_ADMIN", {"CapabilityAdd": ["CAP_SYS_ADMIN"]}),
    ("a capability in lower case", {"CapabilityAdd": ["sys_ptrace"]}),
    ("all capabilities", {"CapabilityAdd": ["ALL"]}),
    ("no seccomp", {"Privileges": {"NoNewPrivileges": True, "Seccomp": {
        "Mode": "unconfined"}}}),
    ("a seccomp profile of one's own", {"Privileges": {
        "NoNewPrivileges": True, "Seccomp": {"Mode": "custom",
                                             "Profile": "e30="}}}),
    ("no AppArmor", {"Privileges": {"NoNewPrivileges": True, "AppArmor": {
        "Mode": "disabled"}}}),
    ("no SELinux", {"Privileges": {"NoNewPrivileges": True,
                                   "SELinuxContext": {"Disable": True}}}),
    ("a SELinux type", {"Privileges": {"NoNewPrivileges": True,
                                       "SELinuxContext": {"Type": "spc_t"}}}),
    ("new privileges", {"Privileges": {"NoNewPrivileges": False}}),
    ("a credential spec", {"Privileges": {
        "NoNewPrivileges": True, "CredentialSpec": {"File": "x.json"}}}),
    ("a sysctl", {"Sysctls": {"kernel.msgmax": "1"}}),
    ("a negative OOM score", {"OomScoreAdj": -999}),
    ("a supplementary group", {"Groups": ["docker"]}),
    ("a writable root", {"ReadOnly": False}),
    ("a password in the environment", {"Env": ["DB_PASSWORD=x"]}),
    ("another image", {"Image": "evil"}),
    ("another registry's image", {"Image": "evil.com/registry.acme.com/red/x"
                                           ":1"}),
    ("a field nobody knows", {"Privileged": True}),
    ("containers that claim to be the other team's",
     {"Labels": {"com.acme.team": "blue"}}),
    ("a key that folds to another", {"capabilityadd": ["SYS_ADMIN"]}),
    ("a key folded from elsewhere in Unicode",
     {"\u017fysctls": {"kernel.msgmax": "1"}}),
    ("a secret without an id", {"Secrets": [{"SecretName": "x"}]}),
    ("a secret that nobody can look up", {"Secrets": [
        {"SecretID": "x", "SecretName": "x"}]}),
]
TASK_DENY = [
    ("the host's network", {"Networks": [{"Target": "host"}]}),
    ("the host's network by its id", {"Networks": [
        {"Target": "{{HOSTNET_ID}}"}]}),
    ("a container's network", {"Networks": [{"Target": "container:other"}]}),
    ("the other team's network", {"Networks": [{"Target": "bluenet"}]}),
    ("a network of this host alone", {"Networks": [{"Target": "rednet"}]}),
    ("the runtime plugin", {"Runtime": "plugin", "PluginSpec": {
        "Name": "x", "Remote": "evil/plugin", "Privileges": [
            {"Name": "network", "Value": ["host"]}]}}),
    ("a plugin beside a container", {"PluginSpec": {"Name": "x"}}),
    ("an attachment", {"NetworkAttachmentSpec": {"ContainerID": "x"}}),
    ("no memory limit", {"Resources": {"Limits": {"Pids": 100}}}),
    ("a reservation in place of a limit", {"Resources": {
        "Limits": {"Pids": 100}, "Reservations": {"MemoryBytes": 67108864}}}),
    ("no pids limit", {"Resources": {"Limits": {"MemoryBytes": 67108864}}}),
    ("swap without end", {"Resources": {
        "Limits": {"MemoryBytes": 67108864, "Pids": 100}, "SwapBytes": -1}}),
    ("a generic resource", {"Resources": {
        "Limits": {"MemoryBytes": 67108864, "Pids": 100}, "Reservations": {
            "GenericResources": [{"DiscreteResourceSpec": {
                "Kind": "GPU", "Value": 1}}]}}}),
    ("a log driver", {"LogDriver": {"Name": "syslog"}}),
    ("an option of the log driver", {"LogDriver": {
        "Name": "json-file", "Options": {"syslog-address": "unix:///x"}}}),
    ("restarts for ever", {"RestartPolicy": {"Condition": "any"}}),
    ("restarts nobody spoke of", {"RestartPolicy": None}),
    ("restarts without a count", {"RestartPolicy": {
        "Condition": "on-failure"}}),
]
SERVICE_DENY = [
    ("the host's network, in the older place",
     {"Networks": [{"Target": "host"}]}),
    ("a port", {"EndpointSpec": {"Ports": [
        {"TargetPort": 80, "PublishedPort": 8080}]}}),
    ("a port of the node", {"EndpointSpec": {"Ports": [
        {"TargetPort": 80, "PublishedPort": 8080, "PublishMode": "host"}]}}),
    ("the other team's label", {"Labels": {"com.acme.team": "blue"}}),
    ("a phase that is not", {"Labels": {"com.acme.team": "red",
                                        "com.acme.phase": "dev"}}),
    ("a field nobody knows", {"Power": 1}),
    ("two task templates", {"taskTemplate": {}}),
]
ALLOW = [
    ("nothing special", "service", {}),
    ("a tmpfs", "container", {"Mounts": [
        {"Type": "tmpfs", "Target": "/t",
         "TmpfsOptions": {"SizeBytes": 1000000}}]}),
    ("a nameless volume", "container", {"Mounts": [
        {"Type": "volume", "Target": "/v"}]}),
    ("a capability that is allowed", "container", {
        "CapabilityAdd": ["CAP_NET_BIND_SERVICE"]}),
    ("a health check and hosts", "container", {
        "Healthcheck": {"Test": ["CMD", "true"]},
        "Hosts": ["10.0.0.1 api"], "DNSConfig": {}, "Isolation": "default"}),
    ("what the docker CLI sends besides", "service", {
        "UpdateConfig": {"Parallelism": 1, "FailureAction": "pause",
                         "Monitor": 5000000000, "MaxFailureRatio": 0,
                         "Order": "stop-first"},
        "RollbackConfig": {"Parallelism": 1, "FailureAction": "pause",
                           "Monitor": 5000000000, "MaxFailureRatio": 0,
                           "Order": "stop-first"},
        "EndpointSpec": {"Mode": "vip"}}),
    ("a placement", "task", {"Placement": {
        "Constraints": ["node.role==worker"], "Platforms": [
            {"Architecture": "amd64", "OS": "linux"}]},
        "ForceUpdate": 0, "Runtime": "container"}),
]


def services(add, wire):
    def create(body, target=V + "/services/create", **kw):
        return wire("POST", target, body if isinstance(body, str)
                    else json.dumps(body), JSON, **kw)
    for place, rows in (("container", CONTAINER_DENY), ("task", TASK_DENY),
                        ("service", SERVICE_DENY)):
        for title, fields in rows:
            add("service", "deny", "a service with " + title,
                create(with_(place, **fields)))
    for title, place, fields in ALLOW:
        # a name could not be looked up
        body = with_(place, **fields)
        del body["Name"]
        add("service", "allow", "a service with " + title, create(body),
            offline=True)
    text = json.dumps(SAFE)
    add("service", "deny", "a service whose body no plugin is shown",
        create(text, V + "/services/create?#%zz"))
    add("service", "deny", "a service as text", wire(
        "POST", V + "/services/create", text, {"Content-Type": "text/plain"}))
    add("service", "deny", "a service in chunks of no length", create(
        json.dumps(with_("task", Networks=[{"Target": "host"}])),
        framing="chunked"))
    add("service", "deny", "two values of one field", create(
        text[:-1] + ', "TaskTemplate": {"Networks": [{"Target": "host"}]}}'))
    for title, target in [
            ("an update of a service that is not there",
             "/services/none/update?version=1"),
            ("an update without a version", "/services/none/update"),
            ("a rollback that cannot be looked up",
             "/services/none/update?version=1&rollback=previous"),
            ("an unknown query key", "/services/create?power=1")]:
        add("service", "deny", title, create(SAFE, V + target))
    for path, body, title in [
            ("/swarm/update?version=1", {"Name": "default"}, "swarm update"),
            ("/swarm/unlock", {"UnlockKey": "x"}, "swarm unlock"),
            ("/nodes/x/update?version=1", {"Role": "manager"},
             "a node made manager"),
            ("/secrets/x/update?version=1", {"Name": "x"}, "a secret changed"),
            ("/configs/x/update?version=1", {"Name": "x"}, "a config changed"),
            ("/plugins/pull?remote=x/y", [{"Name": "network",
                                           "Value": ["host"]}],
             "a plugin with the host's network"),
            ("/plugins/x/set", ["DEBUG=1"], "a plugin's settings"),
            ("/plugins/x/upgrade?remote=x/y", [], "a plugin upgraded")]:
        add("service", "deny", title, create(body, V + path))
