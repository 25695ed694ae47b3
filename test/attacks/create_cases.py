# SPDX-License-Identifier: Apache-2.0
"""What generate.py makes of a container's body: one forbidden field each."""

HOST_DENY = [
    ("privileged", {"Privileged": True}),
    ("bind of the host's root", {"Binds": ["/:/host"]}),
    ("bind of /etc", {"Binds": ["/etc:/x"]}),
    ("bind of /etc, read-only", {"Binds": ["/etc:/x:ro"]}),
    ("bind of the docker socket", {"Binds": [
        "/var/run/docker.sock:/var/run/docker.sock"]}),
    ("bind of /run", {"Binds": ["/run:/x"]}),
    ("bind of the plugin folder", {"Binds": ["/run/docker/plugins:/x"]}),
    ("bind that climbs out", {"Binds": ["/srv/red/../../etc:/x"]}),
    ("bind of the other team's folder", {"Binds": ["/srv/blue:/x"]}),
    ("bind of a folder whose name only begins so",
     {"Binds": ["/srv/redder:/x"]}),
    ("bind of all teams' folders", {"Binds": ["/srv:/x"]}),
    ("bind with doubled slashes", {"Binds": ["//etc:/x"]}),
    ("bind through a symlink", {"Binds": ["/srv/red/link:/x"]}),
    ("bind below a symlink", {"Binds": ["/srv/red/link/ssh:/x"]}),
    ("bind of /proc/1/root", {"Binds": ["/proc/1/root:/x"]}),
    ("a good bind and a bad one", {"Binds": ["/srv/red/a:/a", "/etc:/b"]}),
    ("bind with shared propagation", {"Binds": ["/srv/red/a:/a:rshared"]}),
    ("read-only tree bound read-write", {"Binds": ["/srv/shared/ro:/a"]}),
    ("bind with an empty source", {"Binds": [":/x"]}),
    ("mount of /etc", {"Mounts": [
        {"Type": "bind", "Source": "/etc", "Target": "/x"}]}),
    ("mount of /etc, read-only", {"Mounts": [
        {"Type": "bind", "Source": "/etc", "Target": "/x", "ReadOnly": True}]}),
    ("mount with rshared", {"Mounts": [
        {"Type": "bind", "Source": "/srv/red/a", "Target": "/x",
         "BindOptions": {"Propagation": "rshared"}}]}),
    ("read-only mount that is not recursive", {"Mounts": [
        {"Type": "bind", "Source": "/srv/shared/ro", "Target": "/x",
         "ReadOnly": True, "BindOptions": {"NonRecursive": True}}]}),
    ("volume mount with bind options of the driver", {"Mounts": [
        {"Type": "volume", "Source": "v1", "Target": "/x", "VolumeOptions":
         {"DriverConfig": {"Name": "local", "Options":
                           {"type": "none", "o": "bind",
                            "device": "/etc"}}}}]}),
    ("volume mount with an nfs driver", {"Mounts": [
        {"Type": "volume", "Source": "v2", "Target": "/x", "VolumeOptions":
         {"DriverConfig": {"Options": {"type": "nfs", "o": "addr=10.0.0.1",
                                       "device": ":/"}}}}]}),
    ("anonymous volume with driver options", {"Mounts": [
        {"Type": "volume", "Target": "/x", "VolumeOptions":
         {"DriverConfig": {"Name": "local", "Options":
                           {"type": "ext4", "device": "/dev/vda"}}}}]}),
    ("mount of type npipe", {"Mounts": [
        {"Type": "npipe", "Source": "/x", "Target": "/y"}]}),
    ("mount of type cluster", {"Mounts": [
        {"Type": "cluster", "Source": "/x", "Target": "/y"}]}),
    ("the other team's volume", {"Binds": ["blue-vol:/x"]}),
    ("the other team's volume as a mount", {"Mounts": [
        {"Type": "volume", "Source": "blue-vol", "Target": "/x"}]}),
    ("a prepared volume that is the host's /etc", {"Binds": ["host-vol:/x"]}),
    ("another volume driver", {"VolumeDriver": "evil", "Binds": ["v3:/x"]}),
    ("the other team's volume without a name", {"Binds": [
        "{{OTHER_ANON}}:/x"]}),
    ("volumes from the other team's container", {"VolumesFrom": ["other"]}),
    ("… by its id", {"VolumesFrom": ["{{OTHER_ID}}"]}),
    ("… by a prefix of its id, read-only", {"VolumesFrom":
                                            ["{{OTHER_SHORT}}:ro"]}),
    ("host network", {"NetworkMode": "host"}),
    ("host network by its id", {"NetworkMode": "{{HOSTNET_ID}}"}),
    ("the other team's network", {"NetworkMode": "bluenet"}),
    ("network of the other team's container",
     {"NetworkMode": "container:other"}),
    ("host pid namespace", {"PidMode": "host"}),
    ("pid namespace of the other team", {"PidMode": "container:other"}),
    ("host ipc namespace", {"IpcMode": "host"}),
    ("ipc namespace of the other team", {"IpcMode": "container:{{OTHER_ID}}"}),
    ("host uts namespace", {"UTSMode": "host"}),
    ("host user namespace", {"UsernsMode": "host"}),
    ("host cgroup namespace", {"CgroupnsMode": "host"}),
    ("another container's cgroup", {"Cgroup": "container:other"}),
    ("SYS_ADMIN", {"CapAdd": ["SYS_ADMIN"]}),
    ("cap_sys_admin in lower case", {"CapAdd": ["cap_sys_admin"]}),
    ("all capabilities", {"CapAdd": ["ALL"]}),
    ("all, in lower case", {"CapAdd": ["all"]}),
    ("SYS_PTRACE beside an allowed one",
     {"CapAdd": ["NET_BIND_SERVICE", "SYS_PTRACE"]}),
    ("a capability as a bare string", {"CapAdd": "SYS_ADMIN"}),
    ("a device", {"Devices": [{"PathOnHost": "/dev/vda", "PathInContainer":
                               "/dev/vda", "CgroupPermissions": "rwm"}]}),
    ("a device rule", {"DeviceCgroupRules": ["a *:* rwm"]}),
    ("a device request", {"DeviceRequests": [
        {"Driver": "nvidia", "Count": -1, "Capabilities": [["gpu"]]}]}),
    ("seccomp off", {"SecurityOpt": ["no-new-privileges",
                                     "seccomp=unconfined"]}),
    ("seccomp off, with a colon", {"SecurityOpt": ["no-new-privileges",
                                                   "seccomp:unconfined"]}),
    ("a seccomp profile of one's own",
     {"SecurityOpt": ["no-new-privileges",
                      'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']}),
    ("AppArmor off", {"SecurityOpt": ["no-new-privileges",
                                      "apparmor=unconfined"]}),
    ("labels off", {"SecurityOpt": ["no-new-privileges", "label=disable"]}),
    ("labels off, bare", {"SecurityOpt": ["no-new-privileges", "disable"]}),
    ("another label type", {"SecurityOpt": ["no-new-privileges",
                                            "label=type:spc_t"]}),
    ("new privileges allowed again", {"SecurityOpt": [
        "no-new-privileges", "no-new-privileges=false"]}),
    ("new privileges not forbidden", {"SecurityOpt": []}),
    ("system paths unmasked", {"MaskedPaths": []}),
    ("system paths writable", {"ReadonlyPaths": []}),
    ("no memory limit", {"Memory": 0}),
    ("too much memory", {"Memory": 1073741824}),
    ("unlimited memory by -1", {"Memory": -1}),
    ("unlimited swap", {"MemorySwap": -1}),
    ("no process limit", {"PidsLimit": 0}),
    ("unlimited processes", {"PidsLimit": -1}),
    ("process limit absent", {"PidsLimit": None}),
    ("too many processes", {"PidsLimit": 201}),
    ("too many cpus", {"NanoCpus": 4000000000}),
    ("too many cpus by quota", {"CpuPeriod": 100000, "CpuQuota": 400000}),
    ("a writable root file system", {"ReadonlyRootfs": False}),
    ("a port on all addresses", {"PortBindings": {
        "80/tcp": [{"HostIp": "", "HostPort": "8080"}]}}),
    ("a port on 0.0.0.0", {"PortBindings": {
        "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}}),
    ("a privileged port", {"PortBindings": {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "443"}]}}),
    ("a port range that begins too low", {"PortBindings": {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "1000-2000"}]}}),
    ("port 0", {"PortBindings": {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "0"}]}}),
    ("an address that is none", {"PortBindings": {
        "80/tcp": [{"HostIp": "127.0.0.1x", "HostPort": "8080"}]}}),
    ("all ports published", {"PublishAllPorts": True}),
    ("restart always", {"RestartPolicy": {"Name": "always"}}),
    ("restart on failure for ever", {"RestartPolicy": {
        "Name": "on-failure", "MaximumRetryCount": 0}}),
    ("restart unless stopped", {"RestartPolicy": {"Name": "unless-stopped"}}),
    ("a sysctl", {"Sysctls": {"kernel.shm_rmid_forced": "1"}}),
    ("another runtime", {"Runtime": "io.containerd.runtime.v1.linux"}),
    ("another cgroup parent", {"CgroupParent": "/"}),
    ("the OOM killer off", {"OomKillDisable": True}),
    ("the OOM score lowered", {"OomScoreAdj": -1000}),
    ("a syslog driver with an address", {"LogConfig": {
        "Type": "syslog", "Config": {"syslog-address": "unixgram:///dev/log"}}}),
    ("a json-file option that is none", {"LogConfig": {
        "Type": "json-file", "Config": {"path": "/etc/cron.d/x"}}}),
    ("link to the other team's container", {"Links": ["other:db"]}),
    ("a group added", {"GroupAdd": ["0"]}),
    ("storage options", {"StorageOpt": {"size": "1T"}}),
    ("a block device weight", {"BlkioWeightDevice": [
        {"Path": "/dev/vda", "Weight": 1000}]}),
    ("real-time cpu", {"CpuRealtimePeriod": 1000000,
                       "CpuRealtimeRuntime": 950000}),
    ("tmpfs with exec", {"Tmpfs": {"/tmp": "exec"}}),
    ("tmpfs with suid", {"Tmpfs": {"/tmp": "suid"}}),
    ("tmpfs with dev", {"Tmpfs": {"/tmp": "dev"}}),
    ("a field that no engine knows", {"HostPower": True}),
    ("annotations", {"Annotations": {"run.oci.hooks.stdout": "/x"}}),
    ("capabilities of engine 19.03", {"Capabilities": ["CAP_SYS_ADMIN"]}),
    ("kernel memory as text", {"KernelMemory": "1"}),
]
TOP_DENY = [
    ("another image", {"Image": "evil"}),
    ("an image of a look-alike registry",
     {"Image": "registry.acme.com.evil.com/red/x:1"}),
    ("an image with the registry in its path",
     {"Image": "evil.com/registry.acme.com/red/x:1"}),
    ("an image of the other team's repository",
     {"Image": "registry.acme.com/blue/app:1"}),
    ("a repository that only begins so",
     {"Image": "registry.acme.com/redder/app:1"}),
    ("an image by an id whose names are not allowed",
     {"Image": "{{EVIL_ID}}"}),
    ("no image", {"Image": ""}),
    ("another team's label", {"Labels": {"com.acme.team": "blue"}}),
    ("a phase that this host does not serve", {"Labels": {
        "com.acme.team": "red", "com.acme.phase": "dev"}}),
    ("a label of no team", {"Labels": {"com.acme.team": "nobody"}}),
    ("a password in the environment", {"Env": ["DB_PASSWORD=x"]}),
    ("… in lower case", {"Env": ["db_password=x"]}),
    ("endpoint in the other team's network", {"NetworkingConfig": {
        "EndpointsConfig": {"bluenet": {}}}}),
    ("endpoint in the host's network", {"NetworkingConfig": {
        "EndpointsConfig": {"host": {}}}}),
    ("endpoint with driver options", {"NetworkingConfig": {
        "EndpointsConfig": {"rednet": {"DriverOpts": {
            "com.docker.network.endpoint.sysctls": "net.ipv4.ip_forward=1"}}}}}),
    ("endpoint linked to the other team's container", {"NetworkingConfig": {
        "EndpointsConfig": {"rednet": {"Links": ["other:db"]}}}}),
    ("privileged at the top level", {"Privileged": True}),
    ("binds at the top level", {"Binds": ["/:/x"]}),
    ("memory at the top level", {"Memory": 1 << 40}),
    ("pid mode at the top level", {"PidMode": "host"}),
    ("no HostConfig at all", {"HostConfig": None}),
    ("an unknown field", {"Xyzzy": 1}),
]
