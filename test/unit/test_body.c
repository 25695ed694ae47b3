/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies by table.  `fields` below is written from the Engine API's schemas
 * (1.24 to 1.56), not from body_fields.def: a field that is lost there, or
 * that changes its class, shows here.
 */
#include <ctype.h>
#include <string.h>

#include "body.h"
#include "eval_kit.h"

enum class {
	FREE = BODY_FREE,
	JUDGED = BODY_JUDGED,
	DEFAULT = BODY_DEFAULT
};

/* A field, and a value that is not its zero value. */
static const struct {
	enum body_struct in;
	const char *name, *value;
	enum class class;
} fields[] = {
    /* ContainerConfig */
    {BODY_CONFIG, "Hostname", "'h'", FREE},
    {BODY_CONFIG, "Domainname", "'d'", FREE},
    {BODY_CONFIG, "User", "'u'", JUDGED},
    {BODY_CONFIG, "AttachStdin", "true", FREE},
    {BODY_CONFIG, "AttachStdout", "true", FREE},
    {BODY_CONFIG, "AttachStderr", "true", FREE},
    {BODY_CONFIG, "ExposedPorts", "{'80/tcp':{}}", FREE},
    {BODY_CONFIG, "Tty", "true", FREE},
    {BODY_CONFIG, "OpenStdin", "true", FREE},
    {BODY_CONFIG, "StdinOnce", "true", FREE},
    {BODY_CONFIG, "Env", "['A=b']", JUDGED},
    {BODY_CONFIG, "Cmd", "['sh']", FREE},
    {BODY_CONFIG, "Healthcheck", "{'Test':['NONE']}", JUDGED},
    {BODY_CONFIG, "ArgsEscaped", "true", FREE},
    {BODY_CONFIG, "Image", "'alpine'", JUDGED},
    {BODY_CONFIG, "Volumes", "{'/x':{}}", JUDGED},
    {BODY_CONFIG, "WorkingDir", "'/w'", FREE},
    {BODY_CONFIG, "Entrypoint", "['sh']", FREE},
    {BODY_CONFIG, "NetworkDisabled", "true", FREE},
    {BODY_CONFIG, "MacAddress", "'02:42:ac:11:00:02'", JUDGED},
    {BODY_CONFIG, "OnBuild", "['RUN x']", FREE},
    {BODY_CONFIG, "Labels", "{'a':'b'}", JUDGED},
    {BODY_CONFIG, "StopSignal", "'TERM'", FREE},
    {BODY_CONFIG, "StopTimeout", "5", FREE},
    {BODY_CONFIG, "Shell", "['sh']", FREE},
    /* beside them in the body of create */
    {BODY_CREATE, "HostConfig", "{'Privileged':true}", JUDGED},
    {BODY_CREATE, "NetworkingConfig", "{'EndpointsConfig':{}}", JUDGED},
    {BODY_CREATE, "Cpuset", "'0'", DEFAULT},
    /* HostConfig */
    {BODY_HOSTCONFIG, "Binds", "['/a:/b']", JUDGED},
    {BODY_HOSTCONFIG, "ContainerIDFile", "'/f'", FREE},
    {BODY_HOSTCONFIG, "LogConfig", "{'Type':'local'}", JUDGED},
    {BODY_HOSTCONFIG, "NetworkMode", "'host'", JUDGED},
    {BODY_HOSTCONFIG, "PortBindings", "{'80/tcp':[{'HostPort':'1'}]}", JUDGED},
    {BODY_HOSTCONFIG, "RestartPolicy", "{'Name':'always'}", JUDGED},
    {BODY_HOSTCONFIG, "AutoRemove", "true", FREE},
    {BODY_HOSTCONFIG, "VolumeDriver", "'nfs'", JUDGED},
    {BODY_HOSTCONFIG, "VolumesFrom", "['x']", JUDGED},
    {BODY_HOSTCONFIG, "ConsoleSize", "[1,2]", FREE},
    {BODY_HOSTCONFIG, "Annotations", "{'a':'b'}", JUDGED},
    {BODY_HOSTCONFIG, "CapAdd", "['SYS_ADMIN']", JUDGED},
    {BODY_HOSTCONFIG, "CapDrop", "['ALL']", JUDGED},
    {BODY_HOSTCONFIG, "Capabilities", "['CAP_X']", DEFAULT},
    {BODY_HOSTCONFIG, "CgroupnsMode", "'host'", JUDGED},
    {BODY_HOSTCONFIG, "Dns", "['1.1.1.1']", JUDGED},
    {BODY_HOSTCONFIG, "DnsOptions", "['ndots:1']", JUDGED},
    {BODY_HOSTCONFIG, "DnsSearch", "['x']", JUDGED},
    {BODY_HOSTCONFIG, "ExtraHosts", "['a:1.1.1.1']", JUDGED},
    {BODY_HOSTCONFIG, "GroupAdd", "['0']", JUDGED},
    {BODY_HOSTCONFIG, "IpcMode", "'host'", JUDGED},
    {BODY_HOSTCONFIG, "Cgroup", "'container:x'", DEFAULT},
    {BODY_HOSTCONFIG, "Links", "['db:db']", JUDGED},
    {BODY_HOSTCONFIG, "OomScoreAdj", "-5", JUDGED},
    {BODY_HOSTCONFIG, "PidMode", "'host'", JUDGED},
    {BODY_HOSTCONFIG, "Privileged", "true", JUDGED},
    {BODY_HOSTCONFIG, "PublishAllPorts", "true", JUDGED},
    {BODY_HOSTCONFIG, "ReadonlyRootfs", "true", JUDGED},
    {BODY_HOSTCONFIG, "SecurityOpt", "['label=disable']", JUDGED},
    {BODY_HOSTCONFIG, "StorageOpt", "{'size':'1G'}", JUDGED},
    {BODY_HOSTCONFIG, "Tmpfs", "{'/t':'exec'}", JUDGED},
    {BODY_HOSTCONFIG, "UTSMode", "'host'", JUDGED},
    {BODY_HOSTCONFIG, "UsernsMode", "'host'", JUDGED},
    {BODY_HOSTCONFIG, "ShmSize", "1", JUDGED},
    {BODY_HOSTCONFIG, "Sysctls", "{'a':'b'}", JUDGED},
    {BODY_HOSTCONFIG, "Runtime", "'runc'", JUDGED},
    {BODY_HOSTCONFIG, "Isolation", "'default'", FREE},
    {BODY_HOSTCONFIG, "MaskedPaths", "['/x']", JUDGED},
    {BODY_HOSTCONFIG, "ReadonlyPaths", "['/x']", JUDGED},
    {BODY_HOSTCONFIG, "Mounts", "[{'Type':'tmpfs'}]", JUDGED},
    {BODY_HOSTCONFIG, "Init", "true", FREE},
    /* its Resources */
    {BODY_HOSTCONFIG, "CpuShares", "1", JUDGED},
    {BODY_HOSTCONFIG, "Memory", "1", JUDGED},
    {BODY_HOSTCONFIG, "NanoCpus", "1", JUDGED},
    {BODY_HOSTCONFIG, "CgroupParent", "'/x'", JUDGED},
    {BODY_HOSTCONFIG, "BlkioWeight", "1", JUDGED},
    {BODY_HOSTCONFIG, "BlkioWeightDevice", "[{'Path':'/d','Weight':1}]",
	JUDGED},
    {BODY_HOSTCONFIG, "BlkioDeviceReadBps", "[{'Path':'/d','Rate':1}]", JUDGED},
    {BODY_HOSTCONFIG, "BlkioDeviceWriteBps", "[{'Path':'/d','Rate':1}]",
	JUDGED},
    {BODY_HOSTCONFIG, "BlkioDeviceReadIOps", "[{'Path':'/d','Rate':1}]",
	JUDGED},
    {BODY_HOSTCONFIG, "BlkioDeviceWriteIOps", "[{'Path':'/d','Rate':1}]",
	JUDGED},
    {BODY_HOSTCONFIG, "CpuPeriod", "1", JUDGED},
    {BODY_HOSTCONFIG, "CpuQuota", "1", JUDGED},
    {BODY_HOSTCONFIG, "CpuRealtimePeriod", "1", JUDGED},
    {BODY_HOSTCONFIG, "CpuRealtimeRuntime", "1", JUDGED},
    {BODY_HOSTCONFIG, "CpusetCpus", "'0'", JUDGED},
    {BODY_HOSTCONFIG, "CpusetMems", "'0'", JUDGED},
    {BODY_HOSTCONFIG, "Devices", "[{'PathOnHost':'/dev/x'}]", JUDGED},
    {BODY_HOSTCONFIG, "DeviceCgroupRules", "['a *:* rwm']", JUDGED},
    {BODY_HOSTCONFIG, "DeviceRequests", "[{'Count':-1}]", JUDGED},
    {BODY_HOSTCONFIG, "KernelMemory", "1", FREE},
    {BODY_HOSTCONFIG, "KernelMemoryTCP", "1", FREE},
    {BODY_HOSTCONFIG, "MemoryReservation", "1", FREE},
    {BODY_HOSTCONFIG, "MemorySwap", "1", JUDGED},
    {BODY_HOSTCONFIG, "MemorySwappiness", "1", FREE},
    {BODY_HOSTCONFIG, "OomKillDisable", "true", JUDGED},
    {BODY_HOSTCONFIG, "PidsLimit", "1", JUDGED},
    {BODY_HOSTCONFIG, "Ulimits", "[{'Name':'nofile','Soft':1,'Hard':1}]",
	JUDGED},
    {BODY_HOSTCONFIG, "CpuCount", "1", FREE},
    {BODY_HOSTCONFIG, "CpuPercent", "1", FREE},
    {BODY_HOSTCONFIG, "IOMaximumIOps", "1", FREE},
    {BODY_HOSTCONFIG, "IOMaximumBandwidth", "1", FREE},
    /* HealthConfig */
    {BODY_HEALTH, "Test", "['CMD','x']", JUDGED},
    {BODY_HEALTH, "Interval", "1", FREE},
    {BODY_HEALTH, "Timeout", "1", FREE},
    {BODY_HEALTH, "StartPeriod", "1", FREE},
    {BODY_HEALTH, "StartInterval", "1", FREE},
    {BODY_HEALTH, "Retries", "1", FREE},
    /* LogConfig, PortBinding, RestartPolicy */
    {BODY_LOGCONFIG, "Type", "'syslog'", JUDGED},
    {BODY_LOGCONFIG, "Config", "{'a':'b'}", JUDGED},
    {BODY_PORTBINDING, "HostIp", "'::'", JUDGED},
    {BODY_PORTBINDING, "HostPort", "'80'", JUDGED},
    {BODY_RESTART, "Name", "'always'", JUDGED},
    {BODY_RESTART, "MaximumRetryCount", "1", JUDGED},
    /* devices and limits */
    {BODY_WEIGHT, "Path", "'/d'", JUDGED},
    {BODY_WEIGHT, "Weight", "1", JUDGED},
    {BODY_THROTTLE, "Path", "'/d'", JUDGED},
    {BODY_THROTTLE, "Rate", "1", JUDGED},
    {BODY_DEVICE, "PathOnHost", "'/dev/x'", JUDGED},
    {BODY_DEVICE, "PathInContainer", "'/dev/x'", JUDGED},
    {BODY_DEVICE, "CgroupPermissions", "'rwm'", JUDGED},
    {BODY_DEVREQUEST, "Driver", "'nvidia'", JUDGED},
    {BODY_DEVREQUEST, "Count", "-1", JUDGED},
    {BODY_DEVREQUEST, "DeviceIDs", "['0']", JUDGED},
    {BODY_DEVREQUEST, "Capabilities", "[['gpu']]", JUDGED},
    {BODY_DEVREQUEST, "Options", "{'a':'b'}", JUDGED},
    {BODY_ULIMIT, "Name", "'nofile'", JUDGED},
    {BODY_ULIMIT, "Soft", "1", JUDGED},
    {BODY_ULIMIT, "Hard", "-1", JUDGED},
    /* Mount */
    {BODY_MOUNT, "Type", "'bind'", JUDGED},
    {BODY_MOUNT, "Source", "'/etc'", JUDGED},
    {BODY_MOUNT, "Target", "'/x'", FREE},
    {BODY_MOUNT, "ReadOnly", "true", JUDGED},
    {BODY_MOUNT, "Consistency", "'cached'", FREE},
    {BODY_MOUNT, "BindOptions", "{'Propagation':'shared'}", JUDGED},
    {BODY_MOUNT, "VolumeOptions", "{'NoCopy':true}", JUDGED},
    {BODY_MOUNT, "ImageOptions", "{'Subpath':'x'}", FREE},
    {BODY_MOUNT, "TmpfsOptions", "{'SizeBytes':1}", JUDGED},
    {BODY_MOUNT, "ClusterOptions", "{}", FREE},
    {BODY_BINDOPTIONS, "Propagation", "'rshared'", JUDGED},
    {BODY_BINDOPTIONS, "NonRecursive", "true", JUDGED},
    {BODY_BINDOPTIONS, "CreateMountpoint", "true", FREE},
    {BODY_BINDOPTIONS, "ReadOnlyNonRecursive", "true", JUDGED},
    {BODY_BINDOPTIONS, "ReadOnlyForceRecursive", "true", FREE},
    {BODY_VOLUMEOPTIONS, "NoCopy", "true", FREE},
    {BODY_VOLUMEOPTIONS, "Labels", "{'a':'b'}", JUDGED},
    {BODY_VOLUMEOPTIONS, "Subpath", "'x'", FREE},
    {BODY_VOLUMEOPTIONS, "DriverConfig", "{'Name':'nfs'}", JUDGED},
    {BODY_DRIVER, "Name", "'local'", JUDGED},
    {BODY_DRIVER, "Options", "{'type':'none'}", JUDGED},
    {BODY_IMAGEOPTIONS, "Subpath", "'x'", FREE},
    {BODY_TMPFSOPTIONS, "SizeBytes", "1", FREE},
    {BODY_TMPFSOPTIONS, "Mode", "511", FREE},
    {BODY_TMPFSOPTIONS, "Options", "[['exec']]", JUDGED},
    /* NetworkingConfig, EndpointSettings, EndpointIPAMConfig */
    {BODY_NETWORKING, "EndpointsConfig", "{'host':{}}", JUDGED},
    {BODY_ENDPOINT, "IPAMConfig", "{'IPv4Address':'10.0.0.1'}", JUDGED},
    {BODY_ENDPOINT, "Links", "['a:b']", JUDGED},
    {BODY_ENDPOINT, "Aliases", "['a']", FREE},
    {BODY_ENDPOINT, "NetworkID", "'x'", JUDGED},
    {BODY_ENDPOINT, "EndpointID", "'x'", FREE},
    {BODY_ENDPOINT, "Gateway", "'10.0.0.1'", FREE},
    {BODY_ENDPOINT, "IPAddress", "'10.0.0.1'", FREE},
    {BODY_ENDPOINT, "IPPrefixLen", "24", FREE},
    {BODY_ENDPOINT, "IPv6Gateway", "'::1'", FREE},
    {BODY_ENDPOINT, "GlobalIPv6Address", "'::1'", FREE},
    {BODY_ENDPOINT, "GlobalIPv6PrefixLen", "64", FREE},
    {BODY_ENDPOINT, "MacAddress", "'02:42:ac:11:00:02'", JUDGED},
    {BODY_ENDPOINT, "DriverOpts", "{'a':'b'}", JUDGED},
    {BODY_ENDPOINT, "GwPriority", "1", FREE},
    {BODY_ENDPOINT, "DNSNames", "['x']", FREE},
    {BODY_IPAM, "IPv4Address", "'10.0.0.1'", JUDGED},
    {BODY_IPAM, "IPv6Address", "'::1'", JUDGED},
    {BODY_IPAM, "LinkLocalIPs", "['fe80::1']", JUDGED},
    /* exec create and start */
    {BODY_EXEC, "User", "'root'", JUDGED},
    {BODY_EXEC, "Privileged", "true", JUDGED},
    {BODY_EXEC, "Tty", "true", FREE},
    {BODY_EXEC, "ConsoleSize", "[1,2]", FREE},
    {BODY_EXEC, "AttachStdin", "true", FREE},
    {BODY_EXEC, "AttachStderr", "true", FREE},
    {BODY_EXEC, "AttachStdout", "true", FREE},
    {BODY_EXEC, "Detach", "true", FREE},
    {BODY_EXEC, "DetachKeys", "'ctrl-p'", FREE},
    {BODY_EXEC, "Env", "['A=b']", JUDGED},
    {BODY_EXEC, "WorkingDir", "'/'", FREE},
    {BODY_EXEC, "Cmd", "['sh']", FREE},
    {BODY_EXEC, "Container", "'x'", FREE},
    {BODY_EXECSTART, "Detach", "true", FREE},
    {BODY_EXECSTART, "Tty", "true", FREE},
    {BODY_EXECSTART, "ConsoleSize", "[1,2]", FREE},
    {BODY_EXECSTART, "hijack", "true", FREE},
    {BODY_EXECSTART, "stdin", "true", FREE},
    /* the body of containers/x/checkpoints */
    {BODY_CHECKPOINT, "CheckpointID", "'c'", JUDGED},
    {BODY_CHECKPOINT, "CheckpointDir", "'/etc'", DEFAULT},
    {BODY_CHECKPOINT, "Exit", "true", FREE},
    /* VolumeCreateRequest */
    {BODY_VOLUME, "Driver", "'nfs'", JUDGED},
    {BODY_VOLUME, "DriverOpts", "{'device':'/etc'}", JUDGED},
    {BODY_VOLUME, "Labels", "{'a':'b'}", JUDGED},
    {BODY_VOLUME, "Name", "'v'", JUDGED},
    {BODY_VOLUME, "ClusterVolumeSpec", "{'Group':'x'}", DEFAULT},
    /* the body of networks/create */
    {BODY_NETWORK, "Name", "'n'", JUDGED},
    {BODY_NETWORK, "CheckDuplicate", "true", FREE},
    {BODY_NETWORK, "Driver", "'macvlan'", JUDGED},
    {BODY_NETWORK, "Scope", "'swarm'", DEFAULT},
    {BODY_NETWORK, "EnableIPv4", "true", FREE},
    {BODY_NETWORK, "EnableIPv6", "true", FREE},
    {BODY_NETWORK, "IPAM", "{'Driver':'x'}", JUDGED},
    {BODY_NETWORK, "Internal", "true", FREE},
    {BODY_NETWORK, "Attachable", "true", JUDGED},
    {BODY_NETWORK, "Ingress", "true", DEFAULT},
    {BODY_NETWORK, "ConfigOnly", "true", DEFAULT},
    {BODY_NETWORK, "ConfigFrom", "{'Network':'x'}", DEFAULT},
    {BODY_NETWORK, "Options", "{'parent':'eth0'}", JUDGED},
    {BODY_NETWORK, "Labels", "{'a':'b'}", JUDGED},
    {BODY_CONFIGFROM, "Network", "'x'", DEFAULT},
    {BODY_NETIPAM, "Driver", "'x'", JUDGED},
    {BODY_NETIPAM, "Options", "{'a':'b'}", JUDGED},
    {BODY_NETIPAM, "Config", "[{'Subnet':'10.0.0.0/8'}]", FREE},
    {BODY_NETPOOL, "Subnet", "'10.0.0.0/8'", FREE},
    {BODY_NETPOOL, "IPRange", "'10.0.0.0/8'", FREE},
    {BODY_NETPOOL, "Gateway", "'10.0.0.1'", FREE},
    {BODY_NETPOOL, "AuxiliaryAddresses", "{'a':'10.0.0.2'}", FREE},
    /* the body of networks/x/connect */
    {BODY_CONNECT, "Container", "'c'", JUDGED},
    {BODY_CONNECT, "EndpointConfig", "{'Links':['a']}", JUDGED},
    /* AuthConfig */
    {BODY_AUTH, "username", "'u'", FREE},
    {BODY_AUTH, "password", "'p'", FREE},
    {BODY_AUTH, "auth", "'a'", FREE},
    {BODY_AUTH, "email", "'e'", FREE},
    {BODY_AUTH, "serveraddress", "'s'", FREE},
    {BODY_AUTH, "identitytoken", "'t'", FREE},
    {BODY_AUTH, "registrytoken", "'t'", FREE},
#include "cluster_fields.def"
};

struct walked {
	int rc;
	unsigned found; /* slots that are filled */
	struct body_walk walk;
	struct pr_refusal why;
};

/* Walks the text as that struct; strings live in the kit's arena. */
static struct walked
walk(struct kit *k, enum body_struct in, const char *text)
{
	struct walked w = {.found = 0};
	struct body_slots slots = {{NULL}};

	w.walk = (struct body_walk){.arena = k->arena, .why = &w.why};
	w.rc = body_walk(&w.walk, in, kit_json(k, text), "X", &slots);
	for (size_t i = 0; i < BODY_FIELD_COUNT; i++)
		w.found += slots.f[i] != NULL;
	return w;
}

START_TEST(every_field_is_known)
{
	struct kit k = kit_new(NULL);
	const char *name = fields[_i].name;
	struct walked w = walk(&k, fields[_i].in,
	    pr_arena_printf(k.arena, "{'%s':%s}", name, fields[_i].value));

	ck_assert_msg(w.rc == 0, "%s: %s", name, w.why.text);
	ck_assert_msg(w.walk.unknown_field == NULL, "%s is unknown", name);
	ck_assert_msg(
	    (w.walk.must_default != NULL) == (fields[_i].class == DEFAULT),
	    "%s: its class has changed", name);
	ck_assert_uint_eq(w.found, 1);
	kit_free(&k);
}
END_TEST

START_TEST(every_field_is_found_as_go_finds_it)
{
	struct kit k = kit_new(NULL);
	char name[64];
	struct walked w;
	size_t i;

	for (i = 0; fields[_i].name[i] != '\0'; i++)
		name[i] = (char)(isupper((unsigned char)fields[_i].name[i])
			? tolower(fields[_i].name[i])
			: toupper(fields[_i].name[i]));
	name[i] = '\0';
	w = walk(&k, fields[_i].in,
	    pr_arena_printf(k.arena, "{'%s':%s}", name, fields[_i].value));
	ck_assert_int_eq(w.rc, 0);
	ck_assert_ptr_null(w.walk.unknown_field);
	ck_assert_uint_eq(w.found, 1);
	kit_free(&k);
}
END_TEST

START_TEST(every_field_has_a_type)
{
	struct kit k = kit_new(NULL);
	bool is_bool = strcmp(fields[_i].value, "true") == 0;
	struct walked w = walk(&k, fields[_i].in,
	    pr_arena_printf(k.arena, "{'%s':%s}", fields[_i].name,
		is_bool ? "'true'" : "true"));

	ck_assert_msg(w.rc < 0, "%s takes anything", fields[_i].name);
	ck_assert_int_eq(w.why.reason, PR_REASON_AMBIGUOUS);
	kit_free(&k);
}
END_TEST

START_TEST(no_field_is_written_twice)
{
	struct kit k = kit_new(NULL);
	char lower[64];
	struct walked w;
	size_t i;

	for (i = 0; fields[_i].name[i] != '\0'; i++)
		lower[i] = (char)tolower(fields[_i].name[i]);
	lower[i] = '\0';
	if (strcmp(lower, fields[_i].name) == 0)
		lower[0] = (char)toupper(lower[0]);
	w = walk(&k, fields[_i].in,
	    pr_arena_printf(k.arena, "{'%s':%s,'%s':%s}", fields[_i].name,
		fields[_i].value, lower, fields[_i].value));
	ck_assert_int_lt(w.rc, 0);
	ck_assert_int_eq(w.why.reason, PR_REASON_AMBIGUOUS);
	kit_free(&k);
}
END_TEST

START_TEST(null_is_as_good_as_nothing)
{
	struct kit k = kit_new(NULL);
	struct walked w = walk(&k, fields[_i].in,
	    pr_arena_printf(k.arena, "{'%s':null}", fields[_i].name));

	ck_assert_int_eq(w.rc, 0);
	ck_assert_uint_eq(w.found, 0);
	ck_assert_ptr_null(w.walk.must_default);
	kit_free(&k);
}
END_TEST

START_TEST(the_table_has_no_other_fields)
{
	ck_assert_uint_eq(PR_COUNT(fields), BODY_FIELD_COUNT);
}
END_TEST

/* Spellings that are refused, each for its own reason. */
static const struct {
	enum body_struct in;
	const char *text, *says;
} refused[] = {
    {BODY_HOSTCONFIG, "[]", "is array, the daemon wants an object"},
    {BODY_HOSTCONFIG, "'x'", "wants an object"},
    {BODY_HOSTCONFIG, "{'Privileged':1}", "true or false"},
    {BODY_HOSTCONFIG, "{'Privileged':'true'}", "true or false"},
    {BODY_HOSTCONFIG, "{'Memory':1.0}", "a whole number"},
    {BODY_HOSTCONFIG, "{'Memory':1e9}", "a whole number"},
    {BODY_HOSTCONFIG, "{'Memory':'1'}", "a whole number"},
    {BODY_HOSTCONFIG, "{'Memory':9223372036854775808}", "a whole number"},
    {BODY_HOSTCONFIG, "{'Binds':'/a:/b'}", "a list of strings"},
    {BODY_HOSTCONFIG, "{'Binds':[null]}", "strings in it"},
    {BODY_HOSTCONFIG, "{'Binds':['/a:/b',1]}", "a string"},
    {BODY_HOSTCONFIG, "{'Binds':['/a\\u0000:/b']}", "NUL"},
    {BODY_HOSTCONFIG, "{'NetworkMode':'ho\\u0000st'}", "NUL"},
    {BODY_HOSTCONFIG, "{'Sysctls':{'a\\u0000':'b'}}", "NUL"},
    {BODY_HOSTCONFIG, "{'Sysctls':{'a':'b\\u0000'}}", "NUL"},
    {BODY_HOSTCONFIG, "{'Sysctls':{'a':1}}", "a string"},
    {BODY_HOSTCONFIG, "{'Sysctls':['a']}", "an object"},
    {BODY_HOSTCONFIG, "{'Mounts':{}}", "a list"},
    {BODY_HOSTCONFIG, "{'Mounts':[null]}", "no null in it"},
    {BODY_HOSTCONFIG, "{'Mounts':['x']}", "an object"},
    {BODY_HOSTCONFIG, "{'Mounts':[{'Type':'bind','type':'bind'}]}",
	"HostConfig.Mounts[0]"},
    {BODY_HOSTCONFIG, "{'Mounts':[{},{'BindOptions':{'NonRecursive':1}}]}",
	"NonRecursive is number"},
    {BODY_HOSTCONFIG, "{'PortBindings':{'80/tcp':{}}}", "a list"},
    {BODY_HOSTCONFIG, "{'PortBindings':{'80\\u0000':[]}}", "NUL"},
    {BODY_HOSTCONFIG, "{'PortBindings':{'80':[{'HostIp':1}]}}", "a string"},
    {BODY_HOSTCONFIG, "{'BlkioDeviceReadBps':[{'Rate':-1}]}", "not negative"},
    {BODY_HOSTCONFIG, "{'ConsoleSize':[1,'2']}", "a whole number"},
    {BODY_HOSTCONFIG, "{'DeviceRequests':[{'Capabilities':['gpu']}]}",
	"a list of strings"},
    {BODY_HOSTCONFIG, "{'CapAdd':5}", "a list of strings"},
    {BODY_HOSTCONFIG, "{'CapAdd':'SYS\\u0000'}", "NUL"},
    /* Go folds the Kelvin sign to k and the long s to s */
    {BODY_HOSTCONFIG, "{'Networ\xe2\x84\xaaMode':'host'}", "folds"},
    {BODY_HOSTCONFIG, "{'Networ\\u212aMode':'host'}", "folds"},
    {BODY_HOSTCONFIG, "{'Bind\xc5\xbf':['/:/h']}", "folds"},
    {BODY_HOSTCONFIG, "{'Privileged\\u0000':true}", "folds"},
    {BODY_NETWORKING, "{'EndpointsConfig':{'a':{'Links':1}}}",
	"a list of strings"},
    {BODY_NETWORKING, "{'EndpointsConfig':[]}", "an object"},
    {BODY_CONFIG, "{'Env':{'A':'b'}}", "a list of strings"},
    {BODY_CONFIG, "{'ExposedPorts':{'80/tcp':1}}", "an object"},
};

START_TEST(spelling_is_refused)
{
	struct kit k = kit_new(NULL);
	struct body_slots slots = {{NULL}};
	struct pr_refusal why = {.reason = PR_REASON_NONE};
	struct body_walk w = {.arena = k.arena, .why = &why};

	ck_assert_msg(
	    body_walk(&w, refused[_i].in, kit_json(&k, refused[_i].text),
		"HostConfig", &slots) < 0,
	    "%s passes", refused[_i].text);
	ck_assert_int_eq(why.reason, PR_REASON_AMBIGUOUS);
	ck_assert_msg(strstr(why.text, refused[_i].says) != NULL, "%s: %s",
	    refused[_i].text, why.text);
	kit_free(&k);
}
END_TEST

/* Spellings that the daemon takes and that mean what they seem to. */
static const struct {
	enum body_struct in;
	const char *text;
} taken[] = {
    {BODY_HOSTCONFIG, "null"},
    {BODY_HOSTCONFIG, "{}"},
    {BODY_HOSTCONFIG, "{'CapAdd':'SYS_ADMIN'}"},
    {BODY_HOSTCONFIG, "{'Memory':-0}"},
    {BODY_HOSTCONFIG, "{'Sysctls':{'a':'b','A':'c'}}"},
    {BODY_HOSTCONFIG, "{'Sysctls':{'a':null}}"},
    {BODY_HOSTCONFIG, "{'PortBindings':{'80/tcp':null}}"},
    {BODY_CONFIG, "{'Env':['A=b\\u0000c']}"},
    {BODY_CONFIG, "{'Cmd':['a\\u0000b']}"},
    {BODY_CONFIG, "{'Cmd':'sh'}"},
    {BODY_CONFIG, "{'Labels':{'a':'b\\u0000'}}"},
    {BODY_CONFIG, "{'Healthcheck':{'Test':['CMD','a\\u0000']}}"},
    {BODY_NETWORKING, "{'EndpointsConfig':{'a':null}}"},
};

START_TEST(spelling_is_taken)
{
	struct kit k = kit_new(NULL);
	struct walked w = walk(&k, taken[_i].in, taken[_i].text);

	ck_assert_msg(w.rc == 0, "%s: %s", taken[_i].text, w.why.text);
	ck_assert_ptr_null(w.walk.unknown_field);
	kit_free(&k);
}
END_TEST

/* Unknown fields are noted at any depth, with their place. */
static const struct {
	enum body_struct in;
	const char *text, *place;
} unknown[] = {
    {BODY_HOSTCONFIG, "{'Foo':1}", "X.Foo"},
    {BODY_HOSTCONFIG, "{'Foo':false}", "X.Foo"},
    {BODY_HOSTCONFIG, "{'Foo':null,'Bar':[]}", "X.Bar"},
    {BODY_HOSTCONFIG, "{'Memory':1,'Foo':{}}", "X.Foo"},
    {BODY_HOSTCONFIG, "{'Mounts':[{'Type':'bind'},{'Foo':1}]}",
	"X.Mounts[1].Foo"},
    {BODY_HOSTCONFIG, "{'Mounts':[{'VolumeOptions':{'DriverConfig':{'x':1}}}]}",
	"X.Mounts[0].VolumeOptions.DriverConfig.x"},
    {BODY_HOSTCONFIG, "{'PortBindings':{'80':[{'Foo':1}]}}",
	"X.PortBindings.80[0].Foo"},
    {BODY_NETWORKING, "{'EndpointsConfig':{'n':{'Foo':1}}}",
	"X.EndpointsConfig.n.Foo"},
    {BODY_CONFIG, "{'ExposedPorts':{'80':{'Foo':1}}}", "X.ExposedPorts.80.Foo"},
    {BODY_HOSTCONFIG, "{'a b\\nc':1}", "X.?"},
};

START_TEST(unknown_field_is_noted)
{
	struct kit k = kit_new(NULL);
	struct walked w = walk(&k, unknown[_i].in, unknown[_i].text);

	ck_assert_int_eq(w.rc, 0);
	ck_assert_ptr_nonnull(w.walk.unknown_field);
	ck_assert_str_eq(w.walk.unknown_field, unknown[_i].place);
	kit_free(&k);
}
END_TEST

/* null is no value to any engine, whatever it stands for. */
START_TEST(null_of_nobody_is_nothing)
{
	struct kit k = kit_new(NULL);
	struct walked w = walk(&k, BODY_HOSTCONFIG,
	    "{'LxcConf':null,'Mounts':[{'Type':'bind','Foo':null}]}");

	ck_assert_int_eq(w.rc, 0);
	ck_assert_ptr_null(w.walk.unknown_field);
	kit_free(&k);
}
END_TEST

START_TEST(an_answer_of_the_daemon_may_hold_zeroes_of_its_own)
{
	struct kit k = kit_new(NULL);
	struct pr_refusal why;
	struct body_walk w = {.arena = k.arena, .why = &why, .stored = true};

	ck_assert_int_eq(body_walk(&w, BODY_HOSTCONFIG,
			     kit_json(&k,
				 "{'New':null,'A':0,'B':'','C':[],'D':{},"
				 "'E':false}"),
			     "", NULL),
	    0);
	ck_assert_ptr_null(w.unknown_field);
	ck_assert_int_eq(body_walk(&w, BODY_HOSTCONFIG,
			     kit_json(&k, "{'New':[1]}"), "", NULL),
	    0);
	ck_assert_str_eq(w.unknown_field, "New");
	kit_free(&k);
}
END_TEST

START_TEST(a_field_that_must_be_default_is_noted_at_depth)
{
	struct kit k = kit_new(NULL);
	struct walked w =
	    walk(&k, BODY_CREATE, "{'HostConfig':{'Cgroup':'container:x'}}");

	ck_assert_int_eq(w.rc, 0);
	ck_assert_str_eq(w.walk.must_default, "X.HostConfig.Cgroup");
	w = walk(&k, BODY_CREATE, "{'HostConfig':{'Capabilities':[]}}");
	ck_assert_ptr_null(w.walk.must_default);
	kit_free(&k);
}
END_TEST

/*
 * A field of HostConfig beside it: some engines obey it there (FACTS E), so
 * anything but a zero value is ambiguous; every one of them.
 */
START_TEST(top_level_host_field_is_ambiguous)
{
	struct kit k = kit_new(NULL);
	char *body = pr_arena_printf(k.arena, "{'Image':'a','%s':%s}",
	    fields[_i].name, fields[_i].value);

	if (fields[_i].in != BODY_HOSTCONFIG) {
		kit_free(&k);
		return;
	}
	ck_assert_ptr_null(kit_spec(&k, "POST /v1.41/containers/create", body));
	ck_assert_msg(k.why.reason == PR_REASON_AMBIGUOUS, "%s", body);
	ck_assert_msg(
	    strstr(k.why.text, fields[_i].name) != NULL, "%s", k.why.text);
	body = pr_arena_printf(
	    k.arena, "{'Image':'a','%s':null}", fields[_i].name);
	ck_assert_ptr_nonnull(
	    kit_spec(&k, "POST /v1.41/containers/create", body));
	ck_assert_ptr_null(k.spec->unknown_field);
	kit_free(&k);
}
END_TEST

static const struct {
	const char *value;
	bool zero, zero_if_empty;
} zeroes[] = {
    {"null", true, true},
    {"false", true, true},
    {"0", true, true},
    {"-0", true, true},
    {"''", true, true},
    {"[]", false, true},
    {"{}", false, true},
    {"true", false, false},
    {"1", false, false},
    {"0.0", false, false},
    {"0e0", false, false},
    {"' '", false, false},
    {"[0]", false, false},
    {"{'a':null}", false, false},
};

START_TEST(zero_value)
{
	struct kit k = kit_new(NULL);
	const struct pr_json *v = kit_json(&k, zeroes[_i].value);

	ck_assert_int_eq(body_is_zero(v, false), zeroes[_i].zero);
	ck_assert_int_eq(body_is_zero(v, true), zeroes[_i].zero_if_empty);
	kit_free(&k);
}
END_TEST

START_TEST(nothing_has_the_zero_value)
{
	ck_assert(body_is_zero(NULL, false));
	ck_assert_uint_eq(body_str(NULL).n, 0);
	ck_assert(!body_bool(NULL));
	ck_assert_int_eq(body_int(NULL), 0);
	ck_assert_uint_eq(body_count(NULL), 0);
	ck_assert_uint_eq(body_strs(NULL, NULL).n, 0);
	ck_assert_uint_eq(body_map(NULL, NULL).n, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("body");
	TCase *t = tcase_create("fields"), *u = tcase_create("spellings");
	const int n = (int)PR_COUNT(fields);

	tcase_add_loop_test(t, every_field_is_known, 0, n);
	tcase_add_loop_test(t, every_field_is_found_as_go_finds_it, 0, n);
	tcase_add_loop_test(t, every_field_has_a_type, 0, n);
	tcase_add_loop_test(t, no_field_is_written_twice, 0, n);
	tcase_add_loop_test(t, null_is_as_good_as_nothing, 0, n);
	tcase_add_loop_test(t, top_level_host_field_is_ambiguous, 0, n);
	tcase_add_test(t, the_table_has_no_other_fields);
	suite_add_tcase(s, t);
	tcase_add_loop_test(u, spelling_is_refused, 0, PR_COUNT(refused));
	tcase_add_loop_test(u, spelling_is_taken, 0, PR_COUNT(taken));
	tcase_add_loop_test(u, unknown_field_is_noted, 0, PR_COUNT(unknown));
	tcase_add_test(u, null_of_nobody_is_nothing);
	tcase_add_loop_test(u, zero_value, 0, PR_COUNT(zeroes));
	tcase_add_test(u, an_answer_of_the_daemon_may_hold_zeroes_of_its_own);
	tcase_add_test(u, a_field_that_must_be_default_is_noted_at_depth);
	tcase_add_test(u, nothing_has_the_zero_value);
	suite_add_tcase(s, u);
	return unit_run(s);
}
