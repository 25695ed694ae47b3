/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The effective spec: every spelling of the same power comes out the same
 * (DESIGN 7).  A row is a body and what the spec says in one line.
 */
#include <inttypes.h>
#include <string.h>

#include "eval_kit.h"

#define CREATE "POST /v1.41/containers/create"

/* ---- a spec in words: what is not zero, in a fixed order ---- */

static void
put(struct pr_buf *b, const char *name, struct pr_str s)
{
	if (s.n > 0)
		pr_buf_printf(b, " %s=%.*s", name, PR_STRF(s));
}

static void
put_flag(struct pr_buf *b, const char *name, bool set)
{
	if (set)
		pr_buf_printf(b, " %s", name);
}

static void
put_int(struct pr_buf *b, const char *name, int64_t v)
{
	if (v != 0)
		pr_buf_printf(b, " %s=%" PRId64, name, v);
}

static void
put_list(struct pr_buf *b, const char *name, struct pr_strs l)
{
	for (size_t i = 0; i < l.n; i++)
		pr_buf_printf(b, " %s=%.*s", name, PR_STRF(l.v[i]));
}

static void
put_map(struct pr_buf *b, const char *name, struct pr_kvs m)
{
	for (size_t i = 0; i < m.n; i++)
		pr_buf_printf(b, " %s[%.*s]=%.*s", name, PR_STRF(m.v[i].key),
		    PR_STRF(m.v[i].value));
}

static void
put_ns(struct pr_buf *b, const char *name, const struct pr_ns *ns,
    const struct pr_spec *s)
{
	static const char *const kinds[] = {"private", "none", "host",
	    "shareable", "container", "named", "invalid"};

	if (ns->kind == PR_NS_PRIVATE && ns->text.n == 0)
		return;
	pr_buf_printf(b, " %s=%s", name, kinds[ns->kind]);
	if (ns->ref >= 0)
		pr_buf_printf(b, ":%.*s", PR_STRF(s->refs[ns->ref].name));
}

static void
put_mounts(struct pr_buf *b, const struct pr_spec *s)
{
	static const char *const types[] = {
	    "bind", "volume", "tmpfs", "image", "other"};

	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct pr_mount *m = &s->mounts[i];

		pr_buf_printf(
		    b, " %s(%.*s", types[m->type], PR_STRF(m->source));
		put_flag(b, "ro", m->read_only);
		put_flag(b, "shallow", m->shallow);
		put_flag(b, "relabel", m->relabel);
		put(b, "prop", m->propagation);
		put(b, "driver", m->driver);
		put(b, "type", m->type_text);
		put_map(b, "opt", m->options);
		pr_buf_cstr(b, ")");
		/* what a mount refers to is what it names */
		if (m->type == PR_MOUNT_BIND) {
			ck_assert(pr_str_eq(s->binds[m->bind].path, m->source));
			ck_assert(s->binds[m->bind].writes == !m->read_only);
		}
		if (m->ref >= 0)
			ck_assert(pr_str_eq(s->refs[m->ref].name, m->source));
	}
}

static void
put_power(struct pr_buf *b, const struct pr_spec *s)
{
	put_flag(b, "privileged", s->privileged);
	put_list(b, "add", s->cap_add);
	put_list(b, "drop", s->cap_drop);
	put(b, "seccomp", s->seccomp);
	put(b, "apparmor", s->apparmor);
	put_list(b, "selinux", s->selinux);
	put_list(b, "secopt", s->security_options);
	put_flag(b, "nnp", s->no_new_privs == PR_YES);
	put_flag(b, "masked", s->masked_given);
	put_flag(b, "readonly", s->readonly_given);
	for (size_t i = 0; i < s->n_devices; i++)
		put(b, "device", s->devices[i].host);
	for (size_t i = 0; i < s->n_asks; i++) {
		pr_buf_printf(b, " ask(%.*s %" PRId64,
		    PR_STRF(s->asks[i].driver), s->asks[i].count);
		put_list(b, "cap", s->asks[i].capabilities);
		put_flag(b, "ids", s->asks[i].ids);
		pr_buf_cstr(b, ")");
	}
	put_list(b, "rule", s->cgroup_rules);
	put_map(b, "sysctl", s->sysctls);
	put_map(b, "annotation", s->annotations);
	put_map(b, "storage", s->storage_opt);
	put(b, "runtime", s->runtime);
	put(b, "parent", s->cgroup_parent);
	put_list(b, "group", s->group_add);
}

static void
put_limits(struct pr_buf *b, const struct pr_spec *s)
{
	put_flag(b, "oomkill", s->oom_kill_disable);
	put_int(b, "oom", s->oom_score);
	put(b, "cpuset", s->cpuset_cpus);
	put(b, "mems", s->cpuset_mems);
	put_flag(b, "realtime", s->realtime);
	put_flag(b, "weight", s->blkio_weight);
	put_flag(b, "blkdev", s->blkio_devices);
	put_int(b, "memory", s->memory);
	put_int(b, "swap", s->swap);
	put_int(b, "cpus", s->cpus);
	put_int(b, "pids", s->pids);
	put_int(b, "shm", s->shm);
	for (size_t i = 0; i < s->n_ulimits; i++)
		pr_buf_printf(b, " ulimit(%.*s %" PRId64 " %" PRId64 ")",
		    PR_STRF(s->ulimits[i].name), s->ulimits[i].soft,
		    s->ulimits[i].hard);
	put(b, "restart", s->restart);
	put_int(b, "max", s->restart_max);
}

static void
put_network(struct pr_buf *b, const struct pr_spec *s)
{
	for (size_t i = 0; i < s->n_endpoints; i++) {
		put_ns(b, "endpoint", &s->endpoints[i].network, s);
		put_flag(b, "fixed", s->endpoints[i].static_ip);
		put_map(b, "epopt", s->endpoints[i].driver_opts);
	}
	put_flag(b, "mac", s->static_mac);
	put_flag(b, "links", s->links);
	put_list(b, "host", s->extra_hosts);
	put_list(b, "dns", s->dns);
	for (size_t i = 0; i < s->n_ports; i++)
		pr_buf_printf(b, " port(%.*s %.*s)", PR_STRF(s->ports[i].ip),
		    PR_STRF(s->ports[i].port));
	put_flag(b, "all-ports", s->publish_all);
}

/* References but the image's, which every create has. */
static void
put_refs(struct pr_buf *b, const struct pr_spec *s)
{
	static const char *const roles[] = {"target", "container-of", "network",
	    "namespace", "volumes-from", "link", "volume", "image",
	    "mount-image", "new-name", "argument"};

	for (size_t i = 0; i < s->n_refs; i++) {
		if (s->refs[i].role == PR_REF_IMAGE)
			continue;
		pr_buf_printf(b, " <%s %s %.*s>", roles[s->refs[i].role],
		    pr_kind_name(s->refs[i].kind), PR_STRF(s->refs[i].name));
	}
}

static const char *
words(struct kit *k, const struct pr_spec *s)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	put_map(&b, "label", s->labels);
	put(&b, "user", s->user);
	put_list(&b, "env", s->env);
	put_flag(&b, "health", s->healthcheck);
	put_flag(&b, "nohealth", s->healthcheck_off);
	put_ns(&b, "net", &s->network, s);
	put_ns(&b, "pid", &s->pid, s);
	put_ns(&b, "ipc", &s->ipc, s);
	put_ns(&b, "uts", &s->uts, s);
	put_ns(&b, "userns", &s->userns, s);
	put_ns(&b, "cgroupns", &s->cgroupns, s);
	put_mounts(&b, s);
	put_flag(&b, "volumes-from", s->volumes_from);
	put_power(&b, s);
	put_limits(&b, s);
	put_network(&b, s);
	put(&b, "log", s->log_driver);
	put_map(&b, "logopt", s->log_opts);
	put_flag(&b, "rootfs-ro", s->read_only_rootfs);
	for (size_t i = 0; i < s->n_names; i++)
		put(&b, "name", s->names[i].text);
	put_refs(&b, s);
	if (s->must_default != NULL)
		pr_buf_printf(&b, " default:%s", s->must_default);
	if (s->unknown_field != NULL)
		pr_buf_printf(&b, " unknown:%s", s->unknown_field);
	return b.n == 0
	    ? ""
	    : pr_arena_strdup(k->arena, pr_str_sub(pr_buf_view(&b), 1, b.n));
}

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

/* ---- stored specs ---- */

static const struct {
	const char *inspect;
	bool read;
	const char *says;
} stored[] = {
    {"{'Config':{'Image':'a'},'HostConfig':{}}", true, ""},
    {"{'Config':{'Image':'a','User':'u'},'HostConfig':{'Privileged':true}}",
	true, "user=u privileged"},
    {"{'Config':{'Image':'a'},'HostConfig':{'New':0}}", true, ""},
    {"{'Config':{'Image':'a'},'HostConfig':{'New':1}}", true,
	"unknown:HostConfig.New"},
    {"{'Config':{'Image':'a'},'HostConfig':{'Cgroup':'x'}}", true,
	"default:HostConfig.Cgroup"},
    {"{'Config':{'Image':'a'},'HostConfig':{},'NetworkSettings':{'Networks':"
     "{'host':{'NetworkID':'x','MacAddress':'m'}}}}",
	true, "endpoint=host"},
    {"{'Config':{'Image':'a'},'HostConfig':{},'NetworkSettings':{'Networks':"
     "{'back':{'DriverOpts':{'k':'v'}}}}}",
	true, "endpoint=named:back epopt[k]=v <network network back>"},
    {"{}", false, NULL},
    {"[]", false, NULL},
    {"{'Config':{'Image':'a'}}", false, NULL},
    {"{'HostConfig':{}}", false, NULL},
    {"{'Config':{},'HostConfig':{}}", false, NULL},
    {"{'Config':null,'HostConfig':{}}", false, NULL},
    {"{'Config':{'Image':'a'},'HostConfig':{'Privileged':'no'}}", false, NULL},
    {"{'Config':{'Image':'a'},'HostConfig':{'Binds':['x']}}", false, NULL},
};

START_TEST(stored_spec)
{
	struct kit k = kit_new(NULL);
	struct pr_extract x = {k.arena, true};
	struct pr_spec *s =
	    pr_spec_of_container(&x, kit_json(&k, stored[_i].inspect));

	ck_assert_msg((s != NULL) == stored[_i].read, "%s", stored[_i].inspect);
	if (s != NULL) {
		ck_assert(s->stored);
		ck_assert_int_eq(s->body, PR_SPEC_CONTAINER);
		ck_assert_str_eq(words(&k, s), stored[_i].says);
	}
	kit_free(&k);
}
END_TEST

START_TEST(no_answer_is_no_stored_spec)
{
	struct kit k = kit_new(NULL);
	struct pr_extract x = {k.arena, true};
	struct pr_spec *s =
	    kit_spec(&k, CREATE, "{'Image':'a','HostConfig':{}}");

	ck_assert_ptr_null(pr_spec_of_container(&x, NULL));
	ck_assert_int_lt(pr_spec_add_volumes_from(&x, s, NULL), 0);
	kit_free(&k);
}
END_TEST

/* ---- VolumesFrom brings the source's mounts ---- */

static const struct {
	const char *inspect;
	bool read;
	const char *says;
} sources[] = {
    {"{'Mounts':[]}", true, ""},
    /* not said is not nothing */
    {"{}", false, NULL},
    {"{'Mounts':null}", false, NULL},
    {"{'Mounts':[{'Type':'bind','Source':'/etc','RW':true}]}", true,
	"bind(/etc)"},
    {"{'Mounts':[{'Type':'bind','Source':'/etc','RW':false,'Propagation':"
     "'rprivate'}]}",
	true, "bind(/etc ro)"},
    {"{'Mounts':[{'Type':'bind','Source':'/etc'}]}", true, "bind(/etc ro)"},
    {"{'Mounts':[{'Type':'volume','Name':'data','RW':true}]}", true,
	"volume(data) <volume volume data>"},
    {"{'Mounts':[{'Type':'tmpfs'}]}", true, "tmpfs( ro)"},
    {"{'Mounts':[{'Type':'image'}]}", true, "other( ro type=image)"},
    {"{'Mounts':[{'Type':'bind'}]}", false, NULL},
    {"{'Mounts':[{'Type':'bind','Source':'rel'}]}", false, NULL},
    {"{'Mounts':[{'Type':'volume','Name':'/etc'}]}", false, NULL},
    {"{'Mounts':{}}", false, NULL},
    {"{'Mounts':['x']}", false, NULL},
    {"[]", false, NULL},
};

START_TEST(volumes_from_source)
{
	struct kit k = kit_new(NULL);
	struct pr_extract x = {k.arena, true};
	struct pr_spec *s =
	    kit_spec(&k, CREATE, "{'Image':'a','HostConfig':{}}");
	int rc =
	    pr_spec_add_volumes_from(&x, s, kit_json(&k, sources[_i].inspect));

	ck_assert_msg((rc == 0) == sources[_i].read, "%s", sources[_i].inspect);
	if (rc == 0)
		ck_assert_str_eq(words(&k, s), sources[_i].says);
	kit_free(&k);
}
END_TEST

/* ---- an update beside what is stored ---- */

static const struct {
	const char *host; /* HostConfig of the inspect answer */
	const char *body, *says;
} updates[] = {
    {"{}", "{}", ""},
    {"{}", "{'Memory':5,'CpusetCpus':'0','PidsLimit':7}",
	"cpuset=0 memory=5 pids=7"},
    /* zero, null and the empty string are what is stored */
    {"{'Memory':5,'CpusetCpus':'0','NanoCpus':3,'BlkioWeight':9}",
	"{'Memory':0,'CpusetCpus':'','NanoCpus':0,'BlkioWeight':null}",
	"cpuset=0 weight memory=5 cpus=3"},
    /* pointers count as they stand, null does not */
    {"{'PidsLimit':100,'OomKillDisable':true}", "{'PidsLimit':0}", "oomkill"},
    {"{'PidsLimit':100}", "{'PidsLimit':-1}", "pids=-1"},
    {"{'PidsLimit':100}", "{'PidsLimit':null}", "pids=100"},
    {"{'PidsLimit':100}", "{'pidslimit':-1}", "pids=-1"},
    {"{'OomKillDisable':true}", "{'OomKillDisable':false}", ""},
    {"{'OomKillDisable':null}", "{'OomKillDisable':true}", "oomkill"},
    /* processors: raw quota and period */
    {"{'CpuQuota':50000}", "{'CpuPeriod':1000}", "cpus=50000000000"},
    {"{'CpuQuota':50000,'CpuPeriod':100000}", "{'CpuQuota':900000}",
	"cpus=9000000000"},
    {"{'CpuPeriod':1000}", "{'CpuQuota':50000}", "cpus=50000000000"},
    {"{'CpuQuota':50000}", "{'CpuQuota':-1}", ""},
    {"{'NanoCpus':1000000000}", "{'CpuQuota':-1}", ""},
    {"{'NanoCpus':1000000000,'CpuQuota':-1}", "{'CpuQuota':0}", ""},
    {"{'Memory':5,'MemorySwap':5}", "{'MemorySwap':-1}", "memory=5 swap=-1"},
    {"{'Memory':5,'MemorySwap':10}", "{'Memory':7}", "memory=7 swap=10"},
    /* a restart policy is taken whole, if it has a name */
    {"{'RestartPolicy':{'Name':'on-failure','MaximumRetryCount':3}}",
	"{'RestartPolicy':{'MaximumRetryCount':9}}",
	"restart=on-failure max=3"},
    {"{'RestartPolicy':{'Name':'on-failure','MaximumRetryCount':3}}",
	"{'RestartPolicy':{'Name':'on-failure'}}", "restart=on-failure"},
    {"{'RestartPolicy':{'Name':'','MaximumRetryCount':0}}",
	"{'restartpolicy':{'name':'always'}}", "restart=always"},
    /* what an engine may apply one day */
    {"{'CgroupParent':'/a','Devices':[{'PathOnHost':'/dev/a'}]}",
	"{'CgroupParent':'/b','DeviceCgroupRules':['a *:* rwm']}",
	"device=/dev/a rule=a *:* rwm parent=/b"},
    {"{'Devices':[{'PathOnHost':'/dev/a'}]}",
	"{'Devices':[{'PathOnHost':'/dev/b'}]}", "device=/dev/b"},
    {"{'Ulimits':[{'Name':'nofile','Soft':1,'Hard':2}]}", "{'Ulimits':null}",
	"ulimit(nofile 1 2)"},
    /* the rest of the container is not what an update is about */
    {"{'Privileged':true,'Binds':['/:/x'],'Memory':5}", "{'Memory':6}",
	"memory=6"},
};

START_TEST(update_beside_what_is_stored)
{
	struct kit k = kit_new(NULL);
	struct pr_extract x = {k.arena, true};
	struct pr_spec *s =
	    kit_spec(&k, "POST /v1.41/containers/x/update", updates[_i].body);
	const char *inspect =
	    pr_arena_printf(k.arena, "{'HostConfig':%s}", updates[_i].host);

	ck_assert_msg(s != NULL, "%s: %s", updates[_i].body, k.why.text);
	ck_assert(!s->updated);
	ck_assert_int_eq(pr_spec_update(&x, s, kit_json(&k, inspect)), 0);
	ck_assert(s->updated);
	ck_assert_msg(strcmp(words(&k, s), updates[_i].says) == 0,
	    "%s on %s\n     is %s\n wanted %s", updates[_i].body,
	    updates[_i].host, words(&k, s), updates[_i].says);
	kit_free(&k);
}
END_TEST

START_TEST(update_beside_nothing)
{
	static const char *const odd[] = {
	    "[]", "{}", "{'HostConfig':null}", "{'HostConfig':{'Memory':'5'}}"};
	struct kit k = kit_new(NULL);
	struct pr_extract x = {k.arena, true};

	for (size_t i = 0; i < PR_COUNT(odd); i++) {
		struct pr_spec *s =
		    kit_spec(&k, "POST /containers/x/update", "{'Memory':5}");

		ck_assert_msg(pr_spec_update(&x, s, kit_json(&k, odd[i])) < 0,
		    "%s", odd[i]);
		ck_assert(!s->updated);
		/* no container at all: what the body says is all there is */
		ck_assert_int_eq(pr_spec_update(&x, s, NULL), 0);
		ck_assert_int_eq(s->memory, 5);
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
	tcase_add_loop_test(t, stored_spec, 0, PR_COUNT(stored));
	tcase_add_loop_test(t, volumes_from_source, 0, PR_COUNT(sources));
	tcase_add_loop_test(
	    t, update_beside_what_is_stored, 0, PR_COUNT(updates));
	tcase_add_loop_test(t, paths_of_a_volume, 0, PR_COUNT(volume_paths));
	tcase_add_test(t, update_beside_nothing);
	tcase_add_test(t, no_answer_is_no_stored_spec);
	tcase_add_test(t, labels_and_usage);
	tcase_add_test(t, an_image_that_could_be_an_id_is_looked_up_at_once);
	suite_add_tcase(s, t);
	return unit_run(s);
}
