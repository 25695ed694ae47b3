# SPDX-License-Identifier: Apache-2.0
"""Cases of generate.py: a denial names the field that is wrong, and how."""

# what stands in HostConfig, and what the user is told
HOST = [
    ("a symlink where the path itself fits",
     {"Binds": ["/srv/red/link/x:/a"]},
     "Binds[0] mounts /srv/red/link/x, on whose way is a symlink"),
    ("a read-only tree, read-write", {"Binds": ["/srv/shared/ro:/a"]},
     "mounts /srv/shared/ro read-write"),
    ("a read-only tree without what is mounted in it", {"Mounts": [
        {"Type": "bind", "Source": "/srv/shared/ro", "Target": "/a",
         "ReadOnly": True, "BindOptions": {"NonRecursive": True}}]},
     "read-only, but not what is mounted below it"),
    ("CPUs by quota", {"CpuPeriod": 100000, "CpuQuota": 400000},
     "HostConfig.CpuQuota, in billionths of a CPU, is 4000000000"),
    ("CPUs", {"NanoCpus": 4000000000}, "HostConfig.NanoCpus is 4000000000"),
    ("memory that is negative", {"Memory": -1},
     "HostConfig.Memory is -1, that is unlimited"),
    ("memory that is missing", {"Memory": 0}, "HostConfig.Memory is not set"),
    ("too much swap", {"MemorySwap": 1 << 40},
     "limits.swap wants at most twice the memory"),
    ("a tmpfs option", {"Tmpfs": {"/t": "exec"}},
     "has tmpfs option exec, tight.mounts.tmpfs wants true"),
    ("the host's network by its id", {"NetworkMode": "{{HOSTNET_ID}}"},
     "... (host), tight.namespaces.network wants"),
    ("a capability without a name", {"CapAdd": [""]},
     'HostConfig.CapAdd has ""'),
    ("a field without a name", {"": 1}, 'HostConfig."" is a field that no'),
    ("a number that does not fit", {"ShmSize": 1 << 64},
     "HostConfig.ShmSize is too large, or not a whole number"),
    ("a key with a NUL", {"Privileged\0": True}, "holds a NUL"),
]
TOP = [
    ("an endpoint by another id", {"NetworkingConfig": {"EndpointsConfig": {
        "rednet": {"NetworkID": "{{HOSTNET_ID}}"}}}},
     "NetworkingConfig.EndpointsConfig[rednet].NetworkID is"),
    ("a forbidden variable, and nothing of its value",
     {"Env": ["DB_PASSWORD=hunter2"]}, "Env sets DB_PASSWORD, tight"),
]


V = "/v1.41"
REST = [
    ("a volume's driver", "/volumes/create",
     {"Name": "sv1", "Driver": "LOCAL"}, "the volume has driver LOCAL"),
    ("a volume's option", "/volumes/create",
     {"Name": "sv1", "DriverOpts": {"size": "1g"}},
     "the volume has volume option size"),
    ("a volume's name", "/volumes/create", {"Name": "v"},
     'Name: "v" is neither an absolute path nor the name of a volume'),
    ("the network that is connected to", "/networks/host/connect",
     {"Container": "mine"}, "the network of the path is host, tight"),
]


def build(add, create, with_host, with_top):
    for title, fields, says in HOST:
        add("says", "deny", title, create(with_host(**fields)), says=says)
    for title, fields, says in TOP:
        add("says", "deny", title, create(with_top(**fields)), says=says)
    for title, path, body, says in REST:
        add("says", "deny", title, create(body, target=V + path), says=says)
