# SPDX-License-Identifier: Apache-2.0
"""Cases of generate.py: what clients write that no engine reads.

docker-java (Testcontainers, the Docker plugin of Jenkins) writes every field
that it has ever known, as null; dockerode (VS Code, Testcontainers of node)
one set of options into query and body; go-dockerclient null to start.
"""
import json
from urllib.parse import urlencode

V = "/v1.41"
JSON = {"Content-Type": "application/json"}
LIMITS = {"Memory": 67108864, "PidsLimit": 100, "ReadonlyRootfs": True,
          "NetworkMode": "none", "SecurityOpt": ["no-new-privileges"]}
JAVA_HOST = (
    "Binds BlkioWeight BlkioWeightDevice BlkioDeviceReadBps MemorySwappiness "
    "NanoCPUs CapAdd CapDrop ContainerIDFile CpuPeriod CpuShares CpuQuota "
    "CpusetCpus CpusetMems Devices DeviceCgroupRules DeviceRequests DiskQuota "
    "Dns DnsOptions DnsSearch ExtraHosts GroupAdd IpcMode Cgroup Links "
    "LogConfig LxcConf MemorySwap MemoryReservation KernelMemory "
    "OomKillDisable Init AutoRemove OomScoreAdj PortBindings Privileged "
    "PublishAllPorts RestartPolicy Ulimits CpuCount CpuPercent IOMaximumIOps "
    "IOMaximumBandwidth VolumesFrom Mounts PidMode Isolation StorageOpt "
    "CgroupParent VolumeDriver ShmSize Runtime Tmpfs UTSMode UsernsMode "
    "Sysctls ConsoleSize CgroupnsMode").split()
JAVA = (
    "Hostname Domainname User AttachStdin AttachStdout AttachStderr PortSpecs "
    "Tty OpenStdin StdInOnce Env Healthcheck ArgsEscaped Entrypoint Volumes "
    "WorkingDir MacAddress OnBuild NetworkDisabled ExposedPorts StopSignal "
    "StopTimeout Shell NetworkingConfig").split()
EXEC = {"method": "POST", "path": "/containers/mine/exec",
        "body": {"Cmd": ["true"], "AttachStdout": True},
        "save": {"EXEC": "Id"}}


def spread(options):
    """As querystring.stringify has it, maps and lists as JSON."""
    words = {True: "true", False: "false", None: ""}
    return urlencode({
        k: json.dumps(v) if isinstance(v, (dict, list)) else
        words[v] if v is None or isinstance(v, bool) else v
        for k, v in options.items()})


def nulls(add, wire, safe):
    def ask(expect, title, body, path="/containers/create"):
        add("clients", expect, title, wire("POST", V + path,
                                           json.dumps(body), JSON))

    java = {**dict.fromkeys(JAVA), **safe, "HostConfig": {
        **dict.fromkeys(JAVA_HOST), **LIMITS}}
    ask("allow", "docker-java's fields, most of them null", java)
    ask("deny", "… but one that no engine knows is not",
        {**java, "PortSpecs": ["80:80"]})
    ask("deny", "… nor one in HostConfig", {**java, "HostConfig": {
        **java["HostConfig"], "LxcConf": [{"Key": "lxc.aa_profile",
                                           "Value": "unconfined"}]}})
    ask("deny", "… but privileged", {**java, "HostConfig": {
        **java["HostConfig"], "Privileged": True}})
    ask("allow", "a field of nobody that is null, in an exec",
        {"Cmd": ["true"], "Xyzzy": None}, "/containers/mine/exec")
    ask("deny", "… that is false", {"Cmd": ["true"], "Xyzzy": False},
        "/containers/mine/exec")
    ask("allow", "… in an update", {"PidsLimit": 50, "DiskQuota": None},
        "/containers/mine/update")


def echoes(add, wire, safe):
    def ask(expect, title, path, options, query=None, **more):
        add("clients", expect, title, wire(
            "POST", V + path + "?" + (query or spread(options)),
            json.dumps(options), JSON), **more)

    create = "/containers/create"
    both = {**safe, "name": "echo-{{N}}", "Tty": False}
    ask("allow", "dockerode's create, in query and body", create, both,
        # placeholders stand as they are
        spread(both).replace("%7B%7BN%7D%7D", "{{N}}"))
    ask("deny", "… and privileged", create,
        {**safe, "HostConfig": {**LIMITS, "Privileged": True}})
    ask("deny", "… privileged in the body, not in the query", create,
        {**safe, "HostConfig": {**LIMITS, "Privileged": True}},
        spread(safe))
    ask("allow", "… privileged in the query, where nobody reads it", create,
        safe, spread({**safe, "HostConfig": {"Privileged": True}}))
    ask("deny", "a key of nobody in query and body", create,
        {**safe, "xyzzy": "1"})
    ask("deny", "… null in the body", create, {**safe, "xyzzy": None},
        spread({**safe, "xyzzy": "1"}))
    ask("deny", "a field in the query alone", create, safe, "Env=A")
    ask("deny", "a query key in the body alone", create,
        {**safe, "name": "x9"}, "platform=")
    ask("deny", "a query key in the body in other case", create,
        {**safe, "Name": "x9"}, "name=x9")
    ask("deny", "a query key inside HostConfig", create,
        {**safe, "HostConfig": {**LIMITS, "name": "x9"}}, "name=x9")
    ask("allow", "dockerode's volume", "/volumes/create",
        {"Name": "echoed", "Driver": "local"})
    ask("deny", "… with options", "/volumes/create",
        {"Name": "echoed2", "DriverOpts": {"type": "none", "o": "bind",
                                           "device": "/etc"}})
    ask("deny", "a volume of the cluster that says nothing",
        "/volumes/create", {"Name": "echoed3", "ClusterVolumeSpec": {}})
    ask("allow", "… that is null", "/volumes/create",
        {"Name": "echoed4", "ClusterVolumeSpec": None})
    ask("allow", "dockerode's network", "/networks/create",
        {"Name": "echonet", "Driver": "bridge", "CheckDuplicate": True})
    ask("deny", "… a macvlan", "/networks/create",
        {"Name": "echonet2", "Driver": "macvlan"})
    ask("allow", "dockerode's commit", "/commit",
        {"container": "mine", "repo": "registry.acme.com/red/echo"})
    ask("deny", "… of another's", "/commit", {"container": "other"})
    ask("deny", "… where the body names one's own", "/commit",
        {"container": "mine"}, "container=other")
    ask("allow", "dockerode's attach", "/containers/mine/attach",
        {"stream": True, "hijack": True, "stdout": True})
    start = "/exec/{{EXEC}}/start"
    for expect, title, body in [
            ("allow", "dockerode's start of an exec",
             {"hijack": True, "stdin": True, "Tty": False}),
            ("deny", "… with a word of nobody", {"hijacked": True})]:
        add("clients", expect, title, wire("POST", V + start,
                                           json.dumps(body), JSON),
            setup=[EXEC])
    add("clients", "allow", "start with null, as go-dockerclient",
        wire("POST", V + "/containers/mine/start", "null", JSON))
    add("clients", "deny", "start with a list",
        wire("POST", V + "/containers/mine/start", "[]", JSON))


def build(add, wire, safe):
    nulls(add, wire, safe)
    echoes(add, wire, safe)
