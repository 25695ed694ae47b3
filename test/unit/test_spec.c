/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The effective spec: every spelling of the same power comes out the same
 * (DESIGN 7).  A row is a body and what the spec says in one line.
 */
#include <string.h>

#include "spec_words.h"

/* ---- HostConfig, a field at a time ---- */

static const struct {
	const char *host, *says;
} hosts[] = {
    {"", ""},
    /* binds */
    {"'Binds':['/etc:/x']", "bind(/etc)"},
    {"'Binds':['/etc/../etc//:/x']", "bind(/etc)"},
    {"'Binds':['//etc:/x']", "bind(/etc)"},
    {"'Binds':['/etc/.:/x']", "bind(/etc)"},
    {"'Binds':['/../..:/x']", "bind(/)"},
    {"'Binds':['/:/x']", "bind(/)"},
    {"'Binds':['/etc:/x:ro']", "bind(/etc ro)"},
    {"'Binds':['/etc:/x:rw']", "bind(/etc)"},
    {"'Binds':['/etc:/x:z']", "bind(/etc relabel)"},
    {"'Binds':['/etc:/x:ro,Z,rshared']", "bind(/etc ro relabel prop=rshared)"},
    {"'Binds':['/etc:/x:cached,nocopy']", "bind(/etc)"},
    {"'Mounts':[{'Type':'bind','Source':'/etc','Target':'/x'}]", "bind(/etc)"},
    {"'Mounts':[{'Type':'bind','Source':'/srv/../etc','ReadOnly':true}]",
	"bind(/etc ro)"},
    {"'Mounts':[{'type':'bind','SOURCE':'/etc'}]", "bind(/etc)"},
    {"'Mounts':[{'Type':'bind','Source':'/e','BindOptions':{'Propagation':"
     "'rslave'}}]",
	"bind(/e prop=rslave)"},
    {"'Mounts':[{'Type':'bind','Source':'/e','ReadOnly':true,'BindOptions':{"
     "'NonRecursive':true}}]",
	"bind(/e ro shallow)"},
    {"'Mounts':[{'Type':'bind','Source':'/e','ReadOnly':true,'BindOptions':{"
     "'ReadOnlyNonRecursive':true}}]",
	"bind(/e ro shallow)"},
    /* volumes: named, anonymous, with options */
    {"'Binds':['data:/x']", "volume(data) <volume volume data>"},
    {"'Binds':['data:/x:ro']", "volume(data ro) <volume volume data>"},
    {"'Binds':['/x']", "volume()"},
    {"'VolumeDriver':'nfs','Binds':['data:/x','/y']",
	"volume(data driver=nfs) volume( driver=nfs) <volume volume data>"},
    {"'Mounts':[{'Type':'volume','Source':'data'}]",
	"volume(data) <volume volume data>"},
    {"'Mounts':[{'Type':'volume'}]", "volume()"},
    {"'Mounts':[{'Type':'volume','Source':'v1','VolumeOptions':{"
     "'DriverConfig':{'Name':'local','Options':{'type':'none','o':'bind',"
     "'device':'/etc'}}}}]",
	"volume(v1 driver=local opt[type]=none opt[o]=bind opt[device]=/etc) "
	"<volume volume v1>"},
    {"'Mounts':[{'Type':'bind','Source':'/e','VolumeOptions':{'DriverConfig':"
     "{'Options':{'o':'x'}}}}]",
	"bind(/e opt[o]=x)"},
    {"'VolumesFrom':['c1','c2:ro']",
	"volumes-from <volumes-from container c1> <volumes-from container c2>"},
    /* tmpfs, images, and what is none of these */
    {"'Tmpfs':{'/t':''}", "tmpfs()"},
    {"'Tmpfs':{'/t':'rw,size=1m,exec'}",
	"tmpfs( opt[rw]= opt[size]=1m opt[exec]=)"},
    {"'Mounts':[{'Type':'tmpfs','TmpfsOptions':{'SizeBytes':5}}]", "tmpfs()"},
    {"'Mounts':[{'Type':'tmpfs','TmpfsOptions':{'Options':[['exec'],['size',"
     "'1m']]}}]",
	"tmpfs( opt[exec]= opt[size]=1m)"},
    /* a comma in one option makes two of it */
    {"'Mounts':[{'Type':'tmpfs','TmpfsOptions':{'Options':[['size','1m,exec']]"
     "}}]",
	"tmpfs( opt[size]=1m opt[exec]=)"},
    {"'Mounts':[{'Type':'tmpfs','TmpfsOptions':{'Options':[['ro,suid'],[]]}}]",
	"tmpfs( opt[ro]= opt[suid]=)"},
    {"'Mounts':[{'Type':'image','Source':'alpine'}]",
	"image(alpine) <mount-image image alpine>"},
    {"'Mounts':[{'Type':'cluster','Source':'x'}]", "other( type=cluster)"},
    {"'Mounts':[{'Type':'Bind','Source':'/etc'}]", "other( type=Bind)"},
    {"'Mounts':[{'Source':'/etc'}]", "other()"},
    /* capabilities */
    {"'CapAdd':['SYS_ADMIN']", "add=SYS_ADMIN"},
    {"'CapAdd':['sys_admin']", "add=SYS_ADMIN"},
    {"'CapAdd':['CAP_SYS_ADMIN']", "add=SYS_ADMIN"},
    {"'CapAdd':['cap_Sys_Admin']", "add=SYS_ADMIN"},
    {"'CapAdd':'SYS_ADMIN'", "add=SYS_ADMIN"},
    {"'capadd':['all']", "add=ALL"},
    {"'CapAdd':['CAP_CAP_X']", "add=CAP_X"},
    {"'CapAdd':[' SYS_ADMIN']", "add= SYS_ADMIN"},
    {"'CapDrop':['all','cap_chown']", "drop=ALL drop=CHOWN"},
    /* security options, with '=' or ':' */
    {"'SecurityOpt':['seccomp=unconfined']", "seccomp=unconfined"},
    {"'SecurityOpt':['seccomp:unconfined']", "seccomp=unconfined"},
    {"'SecurityOpt':['seccomp={}']", "seccomp={}"},
    {"'SecurityOpt':['seccomp=']", "seccomp=(empty)"},
    {"'SecurityOpt':['seccomp=builtin','seccomp=unconfined']",
	"seccomp=unconfined"},
    {"'SecurityOpt':['apparmor=unconfined']", "apparmor=unconfined"},
    {"'SecurityOpt':['apparmor:a=b']", "secopt=apparmor:a=b"},
    {"'SecurityOpt':['apparmor=']", "apparmor=(empty)"},
    {"'SecurityOpt':['label=disable']", "selinux=disable"},
    {"'SecurityOpt':['label:disable']", "selinux=disable"},
    {"'SecurityOpt':['disable']", "selinux=disable"},
    {"'SecurityOpt':['label=type:x','label=level:s0']",
	"selinux=type:x selinux=level:s0"},
    {"'SecurityOpt':['no-new-privileges']", "nnp"},
    {"'SecurityOpt':['no-new-privileges=true']", "nnp"},
    {"'SecurityOpt':['no-new-privileges:1']", "nnp"},
    {"'SecurityOpt':['no-new-privileges','no-new-privileges=false']", ""},
    {"'SecurityOpt':['Seccomp=unconfined']", "secopt=Seccomp=unconfined"},
    {"'SecurityOpt':['systempaths=unconfined']",
	"secopt=systempaths=unconfined"},
    {"'SecurityOpt':['writable-cgroups=true']", "secopt=writable-cgroups=true"},
    {"'SecurityOpt':['']", "secopt="},
    {"'Privileged':true", "privileged"},
    {"'pRiViLeGeD':true", "privileged"},
    {"'\\u0050rivileged':true", "privileged"},
    {"'MaskedPaths':[]", "masked"},
    {"'MaskedPaths':null", ""},
    {"'ReadonlyPaths':['/x']", "readonly"},
    /* namespaces: exact words, anything else is a name */
    {"'NetworkMode':'host'", "net=host"},
    {"'NetworkMode':'none'", "net=none"},
    {"'NetworkMode':'default'", "net=private"},
    {"'NetworkMode':'bridge'", "net=private"},
    {"'NetworkMode':'HOST'", "net=named:HOST <network network HOST>"},
    {"'NetworkMode':' host'", "net=named: host <network network  host>"},
    {"'NetworkMode':'backend'", "net=named:backend <network network backend>"},
    {"'NetworkMode':'container:web'",
	"net=container:web <namespace container web>"},
    {"'NetworkMode':'container:'",
	"net=named:container: <network network container:>"},
    {"'PidMode':'host'", "pid=host"},
    {"'PidMode':'Host'", "pid=invalid"},
    {"'PidMode':'private'", "pid=invalid"},
    {"'PidMode':'container:web'",
	"pid=container:web <namespace container web>"},
    {"'IpcMode':'host'", "ipc=host"},
    {"'IpcMode':'private'", "ipc=private"},
    {"'IpcMode':'shareable'", "ipc=shareable"},
    {"'IpcMode':'none'", "ipc=none"},
    {"'IpcMode':'container:a'", "ipc=container:a <namespace container a>"},
    {"'UTSMode':'host'", "uts=host"},
    {"'UTSMode':'container:a'", "uts=invalid"},
    {"'UsernsMode':'host'", "userns=host"},
    {"'UsernsMode':'private'", "userns=invalid"},
    {"'CgroupnsMode':'host'", "cgroupns=host"},
    {"'CgroupnsMode':'private'", "cgroupns=private"},
    {"'CgroupnsMode':'container:a'", "cgroupns=invalid"},
    /* links, as written and as inspect shows them */
    {"'Links':['db']", "links <link container db>"},
    {"'Links':['db:alias']", "links <link container db>"},
    {"'Links':['/db:/web/alias']", "links <link container db>"},
    /* ports */
    {"'PortBindings':{'80/tcp':[{'HostPort':'8080'}]}", "port( 8080)"},
    {"'PortBindings':{'80/tcp':[{'HostIp':'::1','HostPort':''},{}],'81':null}",
	"port(::1 ) port( )"},
    {"'PortBindings':{'80/tcp':[]}", ""},
    {"'PublishAllPorts':true", "all-ports"},
    /* devices */
    {"'Devices':[{'PathOnHost':'/dev/sda'}]", "device=/dev/sda"},
    {"'DeviceCgroupRules':['a *:* rwm']", "rule=a *:* rwm"},
    {"'DeviceRequests':[{'Driver':'nvidia','Count':-1,'Capabilities':[['gpu'],"
     "['compute','utility']]}]",
	"ask(nvidia -1 cap=gpu cap=compute cap=utility)"},
    {"'DeviceRequests':[{'DeviceIDs':['0']}]", "ask( 0 ids)"},
    {"'DeviceRequests':[{'Options':{'a':'b'}}]", "ask( 0 ids)"},
    /* kernel and limits */
    {"'Sysctls':{'kernel.shm_rmid_forced':'1'}",
	"sysctl[kernel.shm_rmid_forced]=1"},
    {"'Annotations':{'a':'b'}", "annotation[a]=b"},
    {"'StorageOpt':{'size':'1G'}", "storage[size]=1G"},
    {"'Runtime':'kata'", "runtime=kata"},
    {"'CgroupParent':'/x'", "parent=/x"},
    {"'GroupAdd':['0','docker']", "group=0 group=docker"},
    {"'OomKillDisable':true", "oomkill"},
    {"'OomScoreAdj':-1000", "oom=-1000"},
    {"'CpusetCpus':'0-3','CpusetMems':'0'", "cpuset=0-3 mems=0"},
    {"'CpuRealtimeRuntime':1", "realtime"},
    {"'CpuRealtimePeriod':1", "realtime"},
    {"'BlkioWeight':10", "weight"},
    {"'BlkioWeightDevice':[{'Path':'/dev/sda'}]", "blkdev"},
    {"'BlkioDeviceReadBps':[{}]", "blkdev"},
    {"'BlkioDeviceWriteBps':[{}]", "blkdev"},
    {"'BlkioDeviceReadIOps':[{}]", "blkdev"},
    {"'BlkioDeviceWriteIOps':[{}]", "blkdev"},
    {"'Memory':1048576,'MemorySwap':-1", "memory=1048576 swap=-1"},
    {"'NanoCpus':1500000000", "cpus=1500000000"},
    {"'CpuQuota':50000", "cpus=500000000"},
    {"'CpuQuota':50000,'CpuPeriod':10000", "cpus=5000000000"},
    {"'CpuQuota':-1", ""},
    {"'CpuQuota':9223372036854775807,'CpuPeriod':1",
	"cpus=9223372036854775807"},
    {"'NanoCpus':5,'CpuQuota':50000", "cpus=5"},
    {"'PidsLimit':-1", "pids=-1"},
    {"'PidsLimit':100", "pids=100"},
    {"'ShmSize':67108864", "shm=67108864"},
    {"'Ulimits':[{'Name':'nofile','Soft':1,'Hard':-1}]", "ulimit(nofile 1 -1)"},
    /* the daemon writes the name in capitals: case says nothing */
    {"'Ulimits':[{'Name':'NoFile','Soft':1,'Hard':2}]", "ulimit(nofile 1 2)"},
    {"'RestartPolicy':{'Name':'on-failure','MaximumRetryCount':3}",
	"restart=on-failure max=3"},
    {"'LogConfig':{'Type':'syslog','Config':{'syslog-address':'x'}}",
	"log=syslog logopt[syslog-address]=x"},
    {"'ExtraHosts':['a:1.1.1.1']", "host=a:1.1.1.1"},
    {"'Dns':['8.8.8.8'],'DnsOptions':['ndots:1'],'DnsSearch':['x']",
	"dns=8.8.8.8 dns=ndots:1 dns=x"},
    {"'ReadonlyRootfs':true", "rootfs-ro"},
    {"'Cgroup':'container:x'", "default:HostConfig.Cgroup"},
    {"'Capabilities':['CAP_X']", "default:HostConfig.Capabilities"},
    {"'Foo':1", "unknown:HostConfig.Foo"},
};

START_TEST(host_config)
{
	struct kit k = kit_new(NULL);
	struct pr_spec *s = kit_spec(&k, CREATE,
	    pr_arena_printf(k.arena, "{'Image':'alpine','HostConfig':{%s}}",
		hosts[_i].host));

	ck_assert_msg(s != NULL, "%s: %s", hosts[_i].host, k.why.text);
	ck_assert_msg(strcmp(words(&k, s), hosts[_i].says) == 0,
	    "%s\n     is %s\n wanted %s", hosts[_i].host, words(&k, s),
	    hosts[_i].says);
	kit_free(&k);
}
END_TEST

/* ---- the rest of the body of create ---- */

static const struct {
	const char *body, *says;
} bodies[] = {
    {"'User':'0:0','Env':['A=b','C']", "user=0:0 env=A=b env=C"},
    {"'Labels':{'team':'pay'}", "label[team]=pay"},
    {"'Volumes':{'/a':{},'/b':{}}", "volume() volume()"},
    {"'Volumes':{'/a':{}},'HostConfig':{'VolumeDriver':'nfs'}",
	"volume( driver=nfs)"},
    {"'MacAddress':'02:42:00:00:00:01'", "mac"},
    {"'Healthcheck':{'Test':['CMD','x']}", "health"},
    {"'Healthcheck':{'Test':['CMD-SHELL','x']}", "health"},
    {"'Healthcheck':{'Test':['NONE']}", "nohealth"},
    {"'Healthcheck':{'Test':[]}", ""},
    {"'Healthcheck':{'Interval':5}", ""},
    /* what the daemon does not know it does not run */
    {"'Healthcheck':{'Test':['']}", "nohealth"},
    {"'Healthcheck':{'Test':['cmd','x']}", "nohealth"},
    {"'Healthcheck':{'Test':['CMD']}", "nohealth"},
    {"'Cpuset':'0'", "default:Cpuset"},
    {"'Foo':{}", "unknown:Foo"},
    {"'NetworkingConfig':{'net1':null}", ""},
    {"'NetworkingConfig':{'net1':{}}", "unknown:NetworkingConfig.net1"},
    {"'NetworkingConfig':{'Foo':null,'Bar':1}", "unknown:NetworkingConfig.Bar"},
    {"'HostConfig':null", ""},
    {"'hostconfig':{'privileged':true}", "privileged"},
    /* endpoints: by name, by id, both */
    {"'NetworkingConfig':{'EndpointsConfig':{'back':{}}}",
	"endpoint=named:back <network network back>"},
    {"'NetworkingConfig':{'EndpointsConfig':{'host':null}}", "endpoint=host"},
    {"'networkingconfig':{'endpointsconfig':{'none':{}}}", "endpoint=none"},
    {"'NetworkingConfig':{'EndpointsConfig':{'back':{'NetworkID':'cafe'}}}",
	"endpoint=named:back endpoint=named:cafe <network network back> "
	"<network network cafe>"},
    {"'NetworkingConfig':{'EndpointsConfig':{'back':{'NetworkID':'host'}}}",
	"endpoint=named:back endpoint=host <network network back>"},
    {"'NetworkingConfig':{'EndpointsConfig':{'back':{'Links':['db:x'],"
     "'DriverOpts':{'k':'v'},'IPAMConfig':{'IPv4Address':'10.0.0.1'}}}}",
	"endpoint=named:back fixed epopt[k]=v links <network network back> "
	"<link container db>"},
    {"'NetworkingConfig':{'EndpointsConfig':{'b':{'IPAMConfig':{'IPv6Address':"
     "'::1'}}}}",
	"endpoint=named:b fixed <network network b>"},
    {"'NetworkingConfig':{'EndpointsConfig':{'b':{'IPAMConfig':{"
     "'LinkLocalIPs':['x']}}}}",
	"endpoint=named:b fixed <network network b>"},
    {"'NetworkingConfig':{'EndpointsConfig':{'b':{'MacAddress':'x'}}}",
	"endpoint=named:b fixed <network network b>"},
    {"'NetworkingConfig':{'EndpointsConfig':{'container:web':{}}}",
	"endpoint=container:web <namespace container web>"},
};

START_TEST(create_body)
{
	struct kit k = kit_new(NULL);
	struct pr_spec *s = kit_spec(&k, CREATE,
	    pr_arena_printf(k.arena, "{'Image':'alpine',%s}", bodies[_i].body));

	ck_assert_msg(s != NULL, "%s: %s", bodies[_i].body, k.why.text);
	ck_assert_msg(strcmp(words(&k, s), bodies[_i].says) == 0,
	    "%s\n     is %s\n wanted %s", bodies[_i].body, words(&k, s),
	    bodies[_i].says);
	kit_free(&k);
}
END_TEST

/* ---- what is refused ---- */

static const struct {
	const char *call, *body, *says;
} refused[] = {
    {CREATE, "[]", "no object"},
    {CREATE, "null", "no object"},
    {CREATE, "{}", "Image is not set"},
    {CREATE, "{'Image':''}", "Image is not set"},
    {CREATE, "{'Image':'A'}", "not a valid reference"},
    {CREATE, "{'Image':'a','Privileged':true}", "beside HostConfig"},
    {CREATE, "{'Image':'a','Binds':[]}", "beside HostConfig"},
    {CREATE, "{'Image':'a','HostConfig':{},'hostConfig':{}}", "same field"},
    {CREATE, "{'Image':'a','HostConfig':{'Binds':['/a:/b:ro:x']}}",
	"source:target"},
    {CREATE, "{'Image':'a','HostConfig':{'Binds':[':/b']}}", "source:target"},
    {CREATE, "{'Image':'a','HostConfig':{'Binds':['']}}", "source:target"},
    {CREATE, "{'Image':'a','HostConfig':{'Binds':['x']}}", "absolute path"},
    {CREATE, "{'Image':'a','HostConfig':{'Binds':['/a:b']}}", "absolute path"},
    {CREATE, "{'Image':'a','HostConfig':{'Binds':['/a:']}}", "absolute path"},
    {CREATE, "{'Image':'a','HostConfig':{'Binds':['/a:/b:']}}", "mode"},
    {CREATE, "{'Image':'a','HostConfig':{'Binds':['/a:/b:RO']}}", "mode"},
    {CREATE, "{'Image':'a','HostConfig':{'Binds':['/a:/b:ro ']}}", "mode"},
    {CREATE, "{'Image':'a','HostConfig':{'Binds':['a/b:/c']}}", "volume"},
    {CREATE, "{'Image':'a','HostConfig':{'Binds':['../a:/c']}}", "volume"},
    {CREATE, "{'Image':'a','HostConfig':{'Binds':['v:/c']}}", "volume"},
    {CREATE, "{'Image':'a','HostConfig':{'Mounts':[{'Type':'bind'}]}}",
	"absolute path"},
    {CREATE,
	"{'Image':'a','HostConfig':{'Mounts':[{'Type':'bind','Source':'a'}]}}",
	"absolute path"},
    {CREATE,
	"{'Image':'a','HostConfig':{'Mounts':[{'Type':'volume','Source':"
	"'/etc'}]}}",
	"not a path"},
    {CREATE, "{'Image':'a','HostConfig':{'VolumesFrom':[':ro']}}",
	"names no container"},
    {CREATE, "{'Image':'a','HostConfig':{'Links':[':x']}}",
	"names no container"},
    {CREATE,
	"{'Image':'a','HostConfig':{'SecurityOpt':['no-new-privileges=yes']}}",
	"true or false"},
    /* toupper of Go: a dotless i makes RLIMIT_NOFILE of this */
    {CREATE,
	"{'Image':'a','HostConfig':{'Ulimits':[{'Name':'nof\xc4\xb1le'}]}}",
	"ulimit"},
    {CREATE, "{'Image':'a','HostConfig':{'Ulimits':[{'Name':''}]}}", "ulimit"},
    {"POST /v1.41/containers/x/rename", NULL, "name"},
    {"POST /v1.41/containers/x/rename?name=", NULL, "name"},
    {"POST /v1.41/containers/x/exec", "[]", "object"},
    {"POST /v1.41/containers/x/exec", "{'Privileged':1}", "true or false"},
    {"POST /v1.41/networks/n/disconnect", "{}", "Container"},
    {"POST /v1.41/networks/n/disconnect", "{'Container':'a','container':'b'}",
	"twice"},
    {"POST /v1.41/networks/n/disconnect", "{'Container':['a']}", "Container"},
    {"POST /v1.41/volumes/create", "{'Name':'a','name':'b'}", "same field"},
};

START_TEST(request_is_refused)
{
	struct kit k = kit_new(NULL);

	ck_assert_msg(kit_spec(&k, refused[_i].call, refused[_i].body) == NULL,
	    "%s %s passes", refused[_i].call, refused[_i].body);
	ck_assert_msg(k.why.reason == PR_REASON_AMBIGUOUS, "%s: %s",
	    refused[_i].body, pr_reason_code(k.why.reason));
	ck_assert_msg(strstr(k.why.text, refused[_i].says) != NULL, "%s: %s",
	    refused[_i].body, k.why.text);
	kit_free(&k);
}
END_TEST

/* ---- the other operations ---- */

static const struct {
	const char *call, *body;
	int is; /* enum pr_spec_body, -1: no spec at all */
	const char *says;
} others[] = {
    {CREATE "?name=web", "{'Image':'a'}", PR_SPEC_CONTAINER,
	"<new-name container web>"},
    {CREATE "?name=/web", "{'Image':'a'}", PR_SPEC_CONTAINER,
	"<new-name container web>"},
    {CREATE "?name=", "{'Image':'a'}", PR_SPEC_CONTAINER, ""},
    {"POST /v1.41/containers/x/exec",
	"{'Privileged':true,'User':'root','Env':['A=b'],'Cmd':['sh']}",
	PR_SPEC_EXEC, "user=root env=A=b privileged"},
    {"POST /v1.41/containers/x/exec", "{'Foo':1}", PR_SPEC_EXEC, "unknown:Foo"},
    {"POST /v1.41/exec/x/start", "{'Detach':true}", PR_SPEC_EXEC, ""},
    {"POST /v1.41/exec/x/start", "{'Privileged':true}", PR_SPEC_EXEC,
	"unknown:Privileged"},
    {"POST /v1.41/containers/x/start", NULL, PR_SPEC_NOTHING, ""},
    {"POST /v1.41/containers/x/start?checkpoint=c", NULL, PR_SPEC_NOTHING, ""},
    {"POST /v1.41/containers/x/start?checkpoint=", NULL, PR_SPEC_NOTHING, ""},
    {"POST /v1.41/containers/x/start?checkpoint=c&checkpoint-dir=/d", NULL,
	PR_SPEC_NOTHING, "default:the query key checkpoint-dir"},
    {"POST /v1.41/containers/x/start?checkpoint-dir=/d", NULL, PR_SPEC_NOTHING,
	"default:the query key checkpoint-dir"},
    {"POST /v1.41/containers/x/restart", NULL, PR_SPEC_NOTHING, ""},
    {"POST /v1.41/containers/x/unpause", NULL, PR_SPEC_NOTHING, ""},
    {"POST /v1.41/containers/x/attach?stdin=1&stream=1", NULL, PR_SPEC_NOTHING,
	""},
    {"POST /v1.41/containers/x/rename?name=y", NULL, PR_SPEC_NOTHING,
	"<new-name container y>"},
    {"POST /v1.41/containers/x/rename?name=/y", NULL, PR_SPEC_NOTHING,
	"<new-name container y>"},
    {"POST /v1.41/containers/x/stop", NULL, -1, ""},
    {"GET /v1.41/containers/x/json", NULL, -1, ""},
    {"POST /v1.41/networks/n/disconnect", "{'Container':'web'}",
	PR_SPEC_NOTHING, "<argument container web>"},
    /* update: what the rest of a HostConfig holds must be default */
    {"POST /v1.41/containers/x/update", "{'Memory':1}", PR_SPEC_UPDATE, ""},
    {"POST /v1.41/containers/x/update", "{}", PR_SPEC_UPDATE, ""},
    {"POST /v1.41/containers/x/update",
	"{'Binds':null,'Privileged':false,'Mounts':[],'Runtime':''}",
	PR_SPEC_UPDATE, ""},
    {"POST /v1.41/containers/x/update", "{'Privileged':true}", PR_SPEC_UPDATE,
	"default:Privileged"},
    {"POST /v1.41/containers/x/update", "{'binds':['/:/x']}", PR_SPEC_UPDATE,
	"default:Binds"},
    {"POST /v1.41/containers/x/update", "{'AutoRemove':true}", PR_SPEC_UPDATE,
	"default:AutoRemove"},
    {"POST /v1.41/containers/x/update", "{'HostConfig':{'Memory':1}}",
	PR_SPEC_UPDATE, "unknown:HostConfig"},
    {"POST /v1.41/containers/x/update", "{'Image':'y'}", PR_SPEC_UPDATE,
	"unknown:Image"},
    {"POST /v1.41/containers/x/update?Memory=1", "{}", PR_SPEC_UPDATE,
	"unknown:the query key Memory"},
    /* commit */
    {"POST /v1.41/commit?container=x", "{}", PR_SPEC_COMMIT, ""},
    {"POST /v1.41/commit?container=x", "null", PR_SPEC_COMMIT, ""},
    {"POST /v1.41/commit?container=x", NULL, PR_SPEC_COMMIT, ""},
    {"POST /v1.41/commit?container=x&repo=a/b:1&tag=2&pause=0&author=a&"
     "comment=c",
	NULL, PR_SPEC_COMMIT, "name=docker.io/a/b:2"},
    {"POST /v1.41/commit?container=x&tag=2", NULL, PR_SPEC_COMMIT, ""},
    {"POST /v1.41/commit?container=x",
	"{'labels':{'a':'b'},'Env':['A=b'],'User':'0','HostConfig':{}}",
	PR_SPEC_COMMIT, "label[a]=b env=A=b"},
    {"POST /v1.41/commit?container=x&changes=LABEL+a%3Dc&changes=ENV+B%3Dc",
	"{'Labels':{'a':'b'},'Env':['A=b']}", PR_SPEC_COMMIT,
	"label[a]=c label[a]=b env=A=b env=B=c"},
    {"POST /v1.41/commit?container=x", "{'HostConfig':{'Privileged':true}}",
	PR_SPEC_COMMIT, "default:HostConfig"},
    {"POST /v1.41/commit?container=x",
	"{'NetworkingConfig':{'EndpointsConfig':{}}}", PR_SPEC_COMMIT,
	"default:NetworkingConfig"},
    {"POST /v1.41/commit?container=x", "{'Changes':['LABEL a=b']}",
	PR_SPEC_COMMIT, "unknown:Changes"},
    {"POST /v1.41/commit?container=x&changes=RUN+x", NULL, PR_SPEC_UNREAD, ""},
    /* copies */
    {"PUT /v1.41/containers/x/archive?path=/&noOverwriteDirNonDir=1&"
     "copyUIDGID=1",
	NULL, PR_SPEC_NOTHING, ""},
    {"PUT /v1.41/containers/x/archive?path=/&follow=1", NULL, PR_SPEC_NOTHING,
	"unknown:the query key follow"},
    {"GET /v1.41/containers/x/archive?path=/etc", NULL, -1, ""},
    /* checkpoints */
    {"POST /v1.41/containers/x/checkpoints",
	"{'CheckpointID':'c.1','Exit':true}", PR_SPEC_NOTHING, ""},
    {"POST /v1.41/containers/x/checkpoints",
	"{'CheckpointID':'c','CheckpointDir':'/etc'}", PR_SPEC_NOTHING,
	"default:CheckpointDir"},
    {"POST /v1.41/containers/x/checkpoints", "{'CheckpointID':'c','Dir':'/e'}",
	PR_SPEC_NOTHING, "unknown:Dir"},
    {"GET /v1.41/containers/x/checkpoints", NULL, PR_SPEC_NOTHING, ""},
    {"GET /v1.41/containers/x/checkpoints?dir=/etc", NULL, PR_SPEC_NOTHING,
	"default:the query key dir"},
    {"DELETE /v1.41/containers/x/checkpoints/c", NULL, PR_SPEC_NOTHING, ""},
    {"DELETE /v1.41/containers/x/checkpoints/c?dir=/etc", NULL, PR_SPEC_NOTHING,
	"default:the query key dir"},
    /* bodies that nobody reads yet are never "nothing" */
    {"POST /v1.41/services/create",
	"{'Name':'s','TaskTemplate':{'ContainerSpec':{'Image':'a'}}}",
	PR_SPEC_SERVICE, "restart=always <new-name service s>"},
    {"POST /v1.41/build", NULL, PR_SPEC_BUILD, ""},
    {"POST /v1.41/session", NULL, PR_SPEC_SESSION, ""},
};

START_TEST(other_operation)
{
	struct kit k = kit_new(NULL);
	struct pr_spec *s = kit_spec(&k, others[_i].call, others[_i].body);

	ck_assert_msg(k.why.reason == PR_REASON_NONE, "%s: %s", others[_i].call,
	    k.why.text);
	if (others[_i].is < 0) {
		ck_assert_ptr_null(s);
	} else {
		ck_assert_ptr_nonnull(s);
		ck_assert_int_eq(s->body, others[_i].is);
		ck_assert_msg(strcmp(words(&k, s), others[_i].says) == 0,
		    "%s\n     is %s\n wanted %s", others[_i].call, words(&k, s),
		    others[_i].says);
		ck_assert((s->body == PR_SPEC_UNREAD) == (s->unread != NULL));
	}
	kit_free(&k);
}
END_TEST

/* ---- host paths in a volume's options ---- */

static const struct {
	const char *driver, *options, *paths;
} volume_paths[] = {
    {"", "{'type':'none','o':'bind','device':'/etc/../run'}", " /run"},
    {"", "{'device':'/dev/sda1','type':'ext4'}", " /dev/sda1"},
    {"", "{'o':'rw,rbind','device':'etc'}", " etc"},
    {"", "{'o':'size=1m,uid=5','type':'tmpfs','device':'tmpfs'}", ""},
    {"", "{'type':'nfs','o':'addr=1.2.3.4,rw','device':':/x'}", ""},
    {"",
	"{'type':'overlay','device':'overlay','o':'lowerdir=/a:/b,upperdir=c,"
	"workdir=/d'}",
	" /a /b c /d"},
    {"", "{'type':'proc','device':'proc'}", " /proc"},
    {"", "{'type':'cgroup2','device':'x'}", " /sys"},
    {"local", "{'device':'/x'}", " /x"},
    {"other", "{'device':'/x'}", ""},
    {"", "{'Device':'/x','type':'none'}", ""},
    {"", "{}", ""},
};

static const char *
bind_words(struct kit *k, const struct pr_spec *s)
{
	const char *all = "";

	for (size_t i = 0; i < s->n_binds; i++) {
		ck_assert(s->binds[i].of_volume);
		all = pr_arena_printf(
		    k->arena, "%s %.*s", all, PR_STRF(s->binds[i].path));
	}
	return all;
}

START_TEST(paths_of_a_volume)
{
	struct kit k = kit_new(NULL);
	struct pr_extract x = {k.arena, true};
	const char *driver = volume_paths[_i].driver;
	const char *options = volume_paths[_i].options;
	const char *want = volume_paths[_i].paths;
	struct pr_object there = {.kind = PR_KIND_VOLUME,
	    .presence = PR_PRESENT,
	    .driver = pr_str_of(driver),
	    .options = kit_json(&k, options)};
	struct pr_spec *s = kit_spec(&k, "POST /volumes/create",
	    pr_arena_printf(
		k.arena, "{'Driver':'%s','DriverOpts':%s}", driver, options));

	ck_assert_str_eq(bind_words(&k, s), want);
	/* the same in a mount … */
	s = kit_spec(&k, CREATE,
	    pr_arena_printf(k.arena,
		"{'Image':'a','HostConfig':{'Mounts':[{'Type':'volume',"
		"'Target':'/x','VolumeOptions':{'DriverConfig':{'Name':'%s',"
		"'Options':%s}}}]}}",
		driver, options));
	ck_assert_str_eq(bind_words(&k, s), want);
	/* … and of a volume that is there */
	s = kit_spec(
	    &k, CREATE, "{'Image':'a','HostConfig':{'Binds':['vol:/x']}}");
	pr_spec_add_volume_paths(&x, s);
	ck_assert_uint_eq(s->n_binds, 0);
	s->refs[s->mounts[0].ref].object = &there;
	pr_spec_add_volume_paths(&x, s);
	ck_assert_str_eq(bind_words(&k, s), want);
	kit_free(&k);
}
END_TEST

START_TEST(labels_and_usage)
{
	struct kit k = kit_new(NULL);
	struct pr_spec *s = kit_spec(&k, CREATE,
	    "{'Image':'a','Labels':{'t':'pay','e':''},'HostConfig':{'Memory':5,"
	    "'NanoCpus':7,'PortBindings':{'1':[{},{}],'2':[{}]}}}");
	struct pr_amounts u;
	struct pr_str v;

	ck_assert(pr_spec_label(s, PR_STR("t"), &v));
	ck_assert(pr_str_is(v, "pay"));
	ck_assert(pr_spec_label(s, PR_STR("e"), &v));
	ck_assert_uint_eq(v.n, 0);
	ck_assert(!pr_spec_label(s, PR_STR("x"), &v));
	ck_assert(!pr_spec_label(s, (struct pr_str){NULL, 0}, &v));
	pr_amounts_of_spec(s, &u);
	ck_assert_int_eq(u.v[PR_LIMIT_MEMORY], 5);
	ck_assert_int_eq(u.v[PR_LIMIT_CPUS], 7);
	ck_assert_int_eq(u.v[PR_LIMIT_PORTS], 3);
	s = kit_spec(&k, CREATE, "{'Image':'a','HostConfig':{'Memory':-1}}");
	pr_amounts_of_spec(s, &u);
	ck_assert_int_eq(u.v[PR_LIMIT_MEMORY], -1);
	ck_assert_int_eq(u.v[PR_LIMIT_CPUS], -1);
	kit_free(&k);
}
END_TEST

/* Only an image that cannot be an id may be looked up later. */
START_TEST(an_image_that_could_be_an_id_is_looked_up_at_once)
{
	struct kit k = kit_new(NULL);
	struct pr_spec *s = kit_spec(&k, CREATE, "{'Image':'alpine'}");

	ck_assert(s->refs[s->image_ref].lazy);
	s = kit_spec(&k, CREATE, "{'Image':'cafe'}");
	ck_assert(!s->refs[s->image_ref].lazy);
	s = kit_spec(&k, CREATE, "{'Image':'sha256:cafe'}");
	ck_assert(!s->refs[s->image_ref].lazy);
	kit_free(&k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("spec");
	TCase *t = tcase_create("spec");

	tcase_add_loop_test(t, host_config, 0, PR_COUNT(hosts));
	tcase_add_loop_test(t, create_body, 0, PR_COUNT(bodies));
	tcase_add_loop_test(t, request_is_refused, 0, PR_COUNT(refused));
	tcase_add_loop_test(t, other_operation, 0, PR_COUNT(others));
	tcase_add_loop_test(t, paths_of_a_volume, 0, PR_COUNT(volume_paths));
	tcase_add_test(t, labels_and_usage);
	tcase_add_test(t, an_image_that_could_be_an_id_is_looked_up_at_once);
	suite_add_tcase(s, t);
	return unit_run(s);
}
