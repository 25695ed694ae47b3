# SPDX-License-Identifier: Apache-2.0
"""Cases of generate.py about containers that are there: update, commit,
copies, checkpoints, rename; and about Portreeve and dockerd themselves."""
import io
import json
import tarfile

V = "/v1.41"
JSON = {"Content-Type": "application/json"}
TAR = {"Content-Type": "application/x-tar"}
OWN = "registry.acme.com/red/"
RED = {"com.acme.team": "red"}
LIMITS = {"Memory": 67108864, "PidsLimit": 100, "ReadonlyRootfs": True,
          "NetworkMode": "none", "SecurityOpt": ["no-new-privileges"]}


def made(save, **host):
    """A container of red's, made by the admin, that is there."""
    return {"method": "POST", "path": "/containers/create",
            "body": {"Image": "app", "Cmd": ["sleep", "60"], "Labels": RED,
                     "HostConfig": {**LIMITS, **host}}, "save": {save: "Id"}}


QUOTA = made("QUOTA", CpuQuota=50000)
NANO = made("NANO", NanoCpus=1000000000)
WITH_VOLUME = made("VOLD", Binds=["red-vol:/data"])

# what `docker update --memory 128m` sends
CLI_UPDATE = {
    "CpuShares": 0, "Memory": 134217728, "NanoCpus": 0, "CgroupParent": "",
    "BlkioWeight": 0, "BlkioWeightDevice": None, "BlkioDeviceReadBps": None,
    "BlkioDeviceWriteBps": None, "BlkioDeviceReadIOps": None,
    "BlkioDeviceWriteIOps": None, "CpuPeriod": 0, "CpuQuota": 0,
    "CpuRealtimePeriod": 0, "CpuRealtimeRuntime": 0, "CpusetCpus": "",
    "CpusetMems": "", "Devices": None, "DeviceCgroupRules": None,
    "DeviceRequests": None, "KernelMemory": 0, "KernelMemoryTCP": 0,
    "MemoryReservation": 0, "MemorySwap": 0, "MemorySwappiness": None,
    "OomKillDisable": None, "PidsLimit": None, "Ulimits": None,
    "CpuCount": 0, "CpuPercent": 0, "IOMaximumIOps": 0,
    "IOMaximumBandwidth": 0,
    "RestartPolicy": {"Name": "", "MaximumRetryCount": 0}}


def tar(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name, link, data in members:
            m = tarfile.TarInfo(name)
            if link:
                m.type, m.linkname = tarfile.SYMTYPE, link
            else:
                m.size = len(data)
            t.addfile(m, io.BytesIO(data))
    return out.getvalue().decode("latin1")


def update(add, wire):
    def ask(expect, title, body, where="mine", headers=None, **more):
        text = body if isinstance(body, str) else json.dumps(body)
        framing = more.pop("framing", "length")
        add("update", expect, title, wire(
            "POST", V + f"/containers/{where}/update", text, headers or JSON,
            framing=framing), **more)

    rows = [
        ("no process limit", {"PidsLimit": 0}),
        ("unlimited processes", {"PidsLimit": -1}),
        ("… in lower case", {"pidslimit": -1}),
        ("… with a long s", '{"Pid\\u017fLimit":-1}'),
        ("too many processes", {"PidsLimit": 201}),
        ("a limit and then null", '{"PidsLimit":-1,"PidsLimit":null}'),
        ("too much memory", {"Memory": 1073741824,
                             "MemorySwap": 1073741824}),
        ("unlimited swap", {"MemorySwap": -1}),
        ("too many cpus", {"NanoCpus": 4000000000}),
        ("too many cpus by quota", {"CpuQuota": 400000}),
        ("… with a short period", {"CpuQuota": 50000, "CpuPeriod": 1000}),
        ("restart always", {"RestartPolicy": {"Name": "always"}}),
        ("… in lower case", {"restartpolicy": {"name": "always"}}),
        ("restart on failure for ever", {"RestartPolicy": {
            "Name": "on-failure"}}),
        ("another cgroup parent", {"CgroupParent": "/"}),
        ("a device", {"Devices": [{"PathOnHost": "/dev/vda"}]}),
        ("a device rule", {"DeviceCgroupRules": ["a *:* rwm"]}),
        ("a device request", {"DeviceRequests": [{"Count": -1}]}),
        ("the OOM killer off", {"OomKillDisable": True}),
        ("real-time cpu", {"CpuRealtimePeriod": 1000000,
                           "CpuRealtimeRuntime": 950000}),
        ("block I/O of a device", {"BlkioDeviceReadBps": [
            {"Path": "/dev/vda", "Rate": 1}]}),
        ("privileged", {"Privileged": True}),
        ("binds", {"Binds": ["/:/x"]}),
        ("a security option", {"SecurityOpt": ["seccomp=unconfined"]}),
        ("a HostConfig inside", {"HostConfig": {"Memory": 67108864}}),
        ("labels", {"Labels": {"com.acme.team": "blue"}}),
        ("an unknown field", {"Power": 1}),
        ("a field twice, folded", '{"Memory":67108864,"memory":1073741824}'),
        ("a second value behind", '{"PidsLimit":50}{"PidsLimit":-1}'),
        ("a brace behind", '{"PidsLimit":50}}'),
        ("null", "null"), ("a list", "[]"), ("nothing", ""),
        ("a number as text", {"PidsLimit": "50"}),
        ("a float", '{"PidsLimit":50.0}')]
    for title, body in rows:
        ask("deny", title, body)
    ask("deny", "a period that multiplies the stored quota",
        {"CpuPeriod": 1000}, "{{QUOTA}}", setup=[QUOTA])
    ask("deny", "a quota of -1 that lifts the stored one", {"CpuQuota": -1,
                                                            "NanoCpus": 0},
        "{{QUOTA}}", setup=[made("QUOTA", CpuQuota=50000, CpuPeriod=1000)])
    ask("deny", "too many processes, chunked", {"PidsLimit": -1},
        framing="chunked")
    ask("deny", "as plain text", {"PidsLimit": 50},
        headers={"Content-Type": "text/plain"})
    ask("deny", "as a form", "PidsLimit=50", headers={
        "Content-Type": "application/x-www-form-urlencoded"})
    ask("deny", "longer than a plugin is shown",
        '{"PidsLimit":-1,"CpusetCpus":"{{PAD}}"}')
    for where in ("other", "{{OTHER_ID}}", "{{OTHER_SHORT}}", "linker/peer",
                  "mighty", "hosty", "nothing"):
        ask("deny", "update of " + where, {"PidsLimit": 50}, where)
    for title, body in [
            ("as the command line sends it", CLI_UPDATE),
            ("fewer processes", {"PidsLimit": 50}),
            ("nothing at all", {}),
            ("memory and swap", {"Memory": 100663296,
                                 "MemorySwap": 134217728}),
            ("a restart policy", {"RestartPolicy": {
                "Name": "on-failure", "MaximumRetryCount": 3}}),
            ("no restart", {"RestartPolicy": {"Name": "no"}}),
            ("a weight of the cpus", {"CpuShares": 512})]:
        ask("allow", title, body)
    ask("allow", "cpus of a stopped one", {"NanoCpus": 1500000000},
        "{{NANO}}", setup=[NANO])
    ask("allow", "a smaller quota", {"CpuQuota": 40000}, "{{QUOTA}}",
        setup=[QUOTA])
    ask("allow", "by full id", {"PidsLimit": 60}, "{{MINE_ID}}")


def commit(add, wire):
    def ask(expect, title, query, body=None, headers=None, **more):
        text = json.dumps(body) if not isinstance(body, str) else body
        add("commit", expect, title, wire(
            "POST", V + "/commit?" + query, "" if body is None else text,
            (headers or JSON) if body is not None else headers), **more)

    mine = "container=mine"
    for title, query in [
            ("of another's", "container=other"),
            ("… by id", "container={{OTHER_ID}}"),
            ("… by six digits", "container={{OTHER_6}}"),
            ("… through a link", "container=linker/peer"),
            ("… named first", "container=other&container=mine"),
            ("of a powerful one of one's own team", "container=mighty"),
            ("of nobody", "repo=" + OWN + "x"),
            ("of one that is not", "container=nothing"),
            ("a trusted name", mine + "&repo=app&tag=1"),
            ("… spelt in full", mine + "&repo=docker.io/library/app"),
            ("the other team's name",
             mine + "&repo=registry.acme.com/blue/x&tag=1"),
            ("a look-alike of one's own",
             mine + "&repo=registry.acme.com.evil.com/red/x"),
            ("two names", mine + "&repo=" + OWN + "x&repo=app"),
            ("a name with a digest",
             mine + "&repo=" + OWN + "x@sha256:" + "ab" * 32),
            ("the other team's label",
             mine + "&changes=LABEL+com.acme.team%3Dblue"),
            ("… in lower case, quoted",
             mine + "&changes=label+%22com.acme.team%22%3D%22blue%22"),
            ("… behind one's own",
             mine + "&changes=LABEL+com.acme.team%3Dred+com.acme.team%3Dblue"),
            ("… in a second line",
             mine + "&changes=USER+1%0ALABEL+com.acme.team%3Dblue"),
            ("… behind a backslash",
             mine + "&changes=USER+1+%5C&changes=LABEL+com.acme.team%3Dblue"),
            ("a variable in a label",
             mine + "&changes=LABEL+%24X%3Dblue"),
            ("another phase's label",
             mine + "&changes=LABEL+com.acme.phase%3Ddev"),
            ("a password", mine + "&changes=ENV+DB_PASSWORD%3Dx"),
            ("a line that runs", mine + "&changes=RUN+id"),
            ("an unknown key", mine + "&power=1")]:
        ask("deny", "commit " + title, query)
    for title, body in [
            ("the other team's label", {"Labels": {"com.acme.team": "blue"}}),
            ("… in lower case", {"labels": {"com.acme.team": "blue"}}),
            ("labels twice", '{"Labels":{"com.acme.team":"red"},"labels":'
             '{"com.acme.team":"blue"}}'),
            ("a password", {"Env": ["DB_PASSWORD=x"]}),
            ("a HostConfig", {"HostConfig": {"Privileged": True}}),
            ("privileged", {"Privileged": True}),
            ("networks", {"NetworkingConfig": {"EndpointsConfig": {
                "host": {}}}}),
            ("an unknown field", {"Changes": ["USER 0"]}),
            ("a list", [])]:
        ask("deny", "commit with " + title, mine, body)
    ask("deny", "commit as a form", mine, "repo=app&container=other", {
        "Content-Type": "application/x-www-form-urlencoded"})
    ask("deny", "commit as plain text", mine,
        '{"Labels":{"com.acme.team":"blue"}}', {"Content-Type": "text/plain"})
    ask("allow", "commit", mine)
    ask("allow", "commit as the command line sends it",
        "author=&changes=CMD+%5B%22true%22%5D&comment=&container=mine&repo="
        + OWN + "c&tag=1", "null")
    ask("allow", "commit with a Config", mine + "&repo=" + OWN + "c&pause=0",
        {"Cmd": ["true"], "Labels": RED, "Env": ["A=b"]})
    ask("allow", "commit with a label of one's own",
        mine + "&changes=LABEL+com.acme.team%3Dred+ticket%3D1")


def copies(add, wire):
    def put(expect, title, where, query="path=/data", body=None,
            headers=None, **more):
        add("copy", expect, title, wire(
            "PUT", V + f"/containers/{where}/archive?{query}",
            tar(("a", None, b"a")) if body is None else body,
            headers or TAR), **more)

    for where in ("other", "{{OTHER_ID}}", "linker/peer", "mighty", "hosty",
                  "nothing"):
        put("deny", "copy into " + where, where, "path=/tmp")
    put("deny", "copy into protected files", "keeper", "path=/p")
    put("deny", "… from the root", "keeper", "path=/")
    put("deny", "… through a link in the tar", "keeper", "path=/tmp",
        tar(("l", "/p", b""), ("l/x", None, b"x")))
    put("deny", "… as an admin", "keeper", "path=/p", user="olga")
    put("deny", "… by its id, as an admin", "{{KEEPER_ID}}", "path=/tmp",
        user="olga")
    for title, query in [("two paths", "path=/data&path=/p"),
                         ("an unknown key", "path=/data&follow=1"),
                         ("a semicolon", "path=/data;x=1")]:
        put("deny", "copy with " + title, "{{VOLD}}", query,
            setup=[WITH_VOLUME])
    for kind in ("application/json", "multipart/form-data; boundary=x",
                 "application/x-www-form-urlencoded"):
        put("deny", "copy as " + kind, "{{VOLD}}", setup=[WITH_VOLUME],
            headers={"Content-Type": kind})
    for path in ("archive?path=/etc/passwd", "export"):
        add("copy", "deny", "copy from another's: " + path, wire(
            "GET", V + "/containers/other/" + path))
    add("copy", "deny", "look at another's file", wire(
        "HEAD", V + "/containers/other/archive?path=/etc/passwd"))
    put("allow", "copy into one's own volume", "{{VOLD}}",
        setup=[WITH_VOLUME])
    put("allow", "… as the command line does", "{{VOLD}}",
        "noOverwriteDirNonDir=true&path=%2Fdata", setup=[WITH_VOLUME],
        headers={"Content-Type": "text/plain"})
    put("allow", "… keeping who owns it", "{{VOLD}}",
        "copyUIDGID=true&noOverwriteDirNonDir=true&path=%2Fdata%2F",
        setup=[WITH_VOLUME], headers={})
    add("copy", "allow", "copy from one's own", wire(
        "GET", V + "/containers/mine/archive?path=%2Fetc%2Fpasswd"))
    add("copy", "allow", "look at a file of one's own", wire(
        "HEAD", V + "/containers/mine/archive?path=%2Fetc%2Fpasswd"))


def others(add, wire):
    """Checkpoints, rename, kill."""
    def post(expect, title, path, body=None, **more):
        add("manage", expect, title, wire(
            "POST", V + path, "" if body is None else json.dumps(body),
            JSON if body is not None else None), **more)

    points = "/containers/mine/checkpoints"
    for title, body in [
            ("an id that climbs", {"CheckpointID": "../x"}),
            ("an id with a slash", {"CheckpointID": "a/b"}),
            ("a directory of the host", {"CheckpointID": "x",
                                         "CheckpointDir": "/etc"}),
            ("… in lower case", {"CheckpointID": "x",
                                 "checkpointdir": "/etc"}),
            ("no id", {}),
            ("an unknown field", {"CheckpointID": "x", "Dir": "/etc"})]:
        post("deny", "checkpoint with " + title, points, body)
    post("deny", "checkpoint of another's", "/containers/other/checkpoints",
         {"CheckpointID": "x"})
    for method, path, title in [
            ("GET", points + "?dir=/etc", "list checkpoints elsewhere"),
            ("DELETE", points + "/x?dir=/etc", "remove one elsewhere"),
            ("DELETE", points + "/.x", "remove one with an odd name"),
            ("GET", "/containers/other/checkpoints", "list another's")]:
        add("manage", "deny", title, wire(method, V + path))
    for query, title in [
            ("checkpoint=x&checkpoint-dir=/etc", "from elsewhere"),
            ("checkpoint=..%2f..%2fx", "with an id that climbs"),
            ("checkpoint-dir=/etc", "with a directory alone")]:
        post("deny", "start " + title, "/containers/mine/start?" + query)
    add("manage", "allow", "list one's own checkpoints",
        wire("GET", V + points), offline=True)
    post("allow", "a checkpoint", points, {"CheckpointID": "c1",
                                           "Exit": False}, offline=True)
    setup = [made("OLD")]
    for title, path in [
            ("rename another's", "/containers/other/rename?name=mine2"),
            ("rename a powerful one", "/containers/mighty/rename?name=m2"),
            ("rename to an id", "/containers/{{OLD}}/rename?name="
             "0123456789ab"),
            ("rename to the beginning of an id",
             "/containers/{{OLD}}/rename?name={{OTHER_6}}"),
            ("rename without a name", "/containers/{{OLD}}/rename"),
            ("rename with two names",
             "/containers/{{OLD}}/rename?name=a1&name=a2"),
            ("kill another's by its id", "/containers/{{OTHER_ID}}/kill"),
            ("kill through a link", "/containers/linker/peer/kill")]:
        post("deny", title, path, setup=setup)
    post("allow", "rename", "/containers/{{OLD}}/rename?name=new-{{N}}",
         setup=setup)


def themselves(add, wire):
    """Portreeve and dockerd: nobody takes them away through the API."""
    body = {"Image": "app", "Cmd": ["true"]}

    def post(expect, title, path, send=None, method="POST", **more):
        text = "" if send is None else json.dumps(send)
        add("self", expect, title, wire(
            method, V + path, text if method == "POST" else None,
            JSON if send is not None else None), user="olga", **more)

    for title, path, send in [
            ("disable the plugin", "/plugins/portreeve/disable?force=1", None),
            ("… by another spelling",
             "/plugins/portreeve:latest/disable", None),
            ("set the plugin", "/plugins/portreeve/set", ["A=b"]),
            ("upgrade the plugin", "/plugins/portreeve/upgrade?remote=x",
             [])]:
        post("deny", title, path, send)
    post("deny", "remove the plugin", "/plugins/portreeve?force=1",
         method="DELETE")
    sources = [
        ("the plugin's socket", "/run/docker/plugins/portreeve.sock"),
        ("the plugins' folder", "/run/docker/plugins"),
        ("… of specs", "/etc/docker/plugins"),
        ("… of the other kind", "/usr/lib/docker/plugins"),
        ("what will be there one day", "/run/docker/plugins/x/y"),
        ("the docker socket", "/var/run/docker.sock"),
        ("above them", "/run"), ("the root", "/"),
        ("through /proc", "/proc/1/root/run/docker"),
        ("through /proc/self", "/proc/self/root/etc/docker"),
        ("climbing", "/srv/../run/docker"),
        ("through a symlink", "/srv/red/plug"),
        ("below a symlink", "/srv/red/plug/plugins"),
        ("Portreeve's folder", "{{CONFIG}}"),
        ("its policy", "{{CONFIG}}/policy.d"),
        ("its directory of people", "{{CONFIG}}/people.ldif"),
        ("its log", "{{CONFIG}}/audit"),
        ("its ledger", "{{CONFIG}}/ledger.db"),
        ("dockerd's configuration", "{{DAEMON}}/daemon.json"),
        ("dockerd's data", "{{DAEMON}}/data"),
        ("dockerd's certificates", "{{CERTS}}"),
        ("… its authority's", "{{CERTS}}/ca.pem"),
        ("dockerd's program", "/usr/sbin/dockerd")]
    for title, source in sources:
        post("deny", "bind " + title, "/containers/create",
             {**body, "HostConfig": {"Binds": [source + ":/x:ro"]}})
    for title, source in sources[:2] + sources[13:15] + sources[18:21]:
        post("deny", "mount " + title, "/containers/create",
             {**body, "HostConfig": {"Mounts": [
                 {"Type": "bind", "Source": source, "Target": "/x"}]}})
        options = {"type": "none", "o": "bind", "device": source}
        post("deny", "a volume of " + title, "/volumes/create",
             {"Name": "v9", "DriverOpts": options})
        post("deny", "a mount that makes a volume of " + title,
             "/containers/create", {**body, "HostConfig": {"Mounts": [
                 {"Type": "volume", "Target": "/x", "VolumeOptions": {
                     "DriverConfig": {"Options": options}}}]}})
    for title, options in [
            ("an overlay of the plugins", {
                "type": "overlay", "device": "overlay",
                "o": "lowerdir=/srv:/run/docker/plugins"}),
            ("a bind from where dockerd runs", {
                "type": "none", "o": "rbind", "device": "etc/docker"}),
            ("/proc", {"type": "proc", "device": "proc"}),
            ("the disk", {"type": "ext4", "device": "/dev/vda"})]:
        post("deny", "a volume of " + title, "/volumes/create",
             {"Name": "v9", "DriverOpts": options})
    post("deny", "volumes from one that has them", "/containers/create",
         {**body, "HostConfig": {"VolumesFrom": ["keeper"]}})
    for path, send in [
            ("/swarm/init", {"ListenAddr": "127.0.0.1:2377"}),
            ("/swarm/join", {"RemoteAddrs": ["10.0.0.1:2377"]}),
            ("/swarm/leave?force=1", None),
            ("/swarm/unlock", {"UnlockKey": "x"}),
            ("/swarm/update?version=1", {"Name": "default"}),
            ("/plugins/pull?remote=evil&name=evil", []),
            ("/plugins/create?name=evil", None),
            ("/plugins/evil/enable?timeout=1", None)]:
        add("self", "deny", "for all but admins: " + path, wire(
            "POST", V + path, "" if send is None else json.dumps(send),
            JSON if send is not None else None))
    post("allow", "bind of something else", "/containers/create",
         {**body, "HostConfig": {"Binds": ["/srv/blue:/x"]}})
    post("allow", "a volume of something else", "/volumes/create",
         {"Name": "vol-{{N}}", "DriverOpts": {
             "type": "none", "o": "bind", "device": "/srv/blue"}})
    post("allow", "a volume in memory", "/volumes/create",
         {"Name": "vol-{{N}}", "DriverOpts": {
             "type": "tmpfs", "device": "tmpfs", "o": "size=1m"}})
    add("self", "allow", "copy into another container", wire(
        "PUT", V + "/containers/other/archive?path=/tmp",
        tar(("a", None, b"a")), TAR), user="olga")


def paths(add, wire):
    """Bind sources: what they lead to on the host, now and one day."""
    def bind(expect, title, source, mode=""):
        body = {"Image": "app", "Cmd": ["true"], "Labels": RED,
                "HostConfig": {**LIMITS, "Binds": [f"{source}:/x{mode}"]}}
        add("path", expect, title, wire(
            "POST", V + "/containers/create", json.dumps(body), JSON))

    def mount(expect, title, source, **more):
        body = {"Image": "app", "Cmd": ["true"], "Labels": RED,
                "HostConfig": {**LIMITS, "Mounts": [
                    {"Type": "bind", "Source": source, "Target": "/x",
                     **more}]}}
        add("path", expect, title, wire(
            "POST", V + "/containers/create", json.dumps(body), JSON))

    rows = [
        ("a symlink to the other team's", "/srv/red/tored"),
        ("a symlink to a symlink", "/srv/red/chain"),
        ("a symlink up", "/srv/red/up/blue"),
        ("a symlink round and round", "/srv/red/loop"),
        ("a symlink to what is not there", "/srv/red/dead"),
        ("… and something below it", "/srv/red/dead/x"),
        ("what is not there, below a symlink", "/srv/red/link/new"),
        ("what is not there, of the other team", "/srv/blue/new"),
        ("what is not there, of nobody", "/nowhere/new"),
        ("what is not there, in a folder of dockerd's", "/etc/docker/new"),
        ("climbing to the other team's", "/srv/red/../blue"),
        ("climbing from what is not there", "/srv/red/new/../../blue"),
        ("climbing and coming back through a link",
         "/srv/red/../red/link/ssh"),
        ("dots and slashes", "/srv/./blue/."),
        ("the parent of all teams'", "/srv/"),
        ("the parent, climbing", "/srv/red/.."),
        ("the root, climbing", "/srv/../.."),
        ("the way of a process", "/proc/self/root/srv/red"),
        ("… of the first", "/proc/1/root/srv/red"),
        ("where a process works", "/proc/self/cwd"),
        ("what a process has open", "/proc/self/fd/0"),
        ("a device", "/dev/null"),
        ("the settings of the kernel", "/sys/kernel"),
        ("another spelling of the case", "/srv/Red/a"),
        ("a name that only begins so", "/srv/red-not/a"),
        ("a star", "/srv/*/a")]
    for title, source in rows:
        bind("deny", "bind of " + title, source)
        bind("deny", "read-only bind of " + title, source, ":ro")
        mount("deny", "mount of " + title, source)
    mount("deny", "mount of the shared tree, writable below",
          "/srv/shared/ro", ReadOnly=True,
          BindOptions={"ReadOnlyNonRecursive": True})
    mount("deny", "mount that makes its source", "/srv/blue/new",
          BindOptions={"CreateMountpoint": True})
    for title, source in [
            ("what is not there yet", "/srv/red/new-{{N}}"),
            ("what is not there yet, two levels", "/srv/red/n-{{N}}/x"),
            ("dots and slashes in one's own", "//srv/./red//a/"),
            ("climbing within one's own", "/srv/red/a/../a"),
            ("a name with dots", "/srv/red/a..b"),
            ("all of one's own", "/srv/red")]:
        bind("allow", "bind of " + title, source)
    mount("allow", "mount of a folder of one's own", "/srv/red/a",
          BindOptions={"Propagation": "rprivate"})
    mount("allow", "read-only mount of the shared tree", "/srv/shared/ro",
          ReadOnly=True)


def build(add, wire):
    for part in (update, commit, copies, others, themselves, paths):
        part(add, wire)
