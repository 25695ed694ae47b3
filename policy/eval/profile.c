/* SPDX-License-Identifier: Apache-2.0 */
/* Judging a spec by a profile: the keys' order, and the simple keys. */
#include "profile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *
field_in(const struct judging *j, const char *field, const char *query)
{
	return j->spec->body == PR_SPEC_BUILD ? query : field;
}

bool
list_has(const struct pr_leaf *leaf, const char *word)
{
	for (size_t i = 0; i < leaf->list.n; i++) {
		if (pr_str_is(leaf->list.v[i], word))
			return true;
	}
	return false;
}

static bool
substitute(const struct judging *j, struct pr_str *rest, struct pr_str *value)
{
	static const char *const names[] = {"${team}", "${user}", "${phase}"};
	const struct pr_str values[] = {
	    j->env->team, j->env->user, j->env->phase};

	for (size_t i = 0; i < PR_COUNT(names); i++) {
		if (pr_str_starts(*rest, names[i])) {
			*rest = pr_str_sub(*rest, strlen(names[i]), rest->n);
			*value = values[i];
			return true;
		}
	}
	return false;
}

struct pr_str
pattern_expand(
    const struct judging *j, struct pr_str pattern, char *buf, size_t len)
{
	const struct pr_str nothing = {NULL, 0};
	struct pr_str rest = pattern, value;
	size_t n = 0;

	if (pr_str_find(pattern, '$') == pattern.n)
		return pattern;
	while (rest.n > 0) {
		if (substitute(j, &rest, &value)) {
			/* inserted literally: what could be read as a part of
			 * the pattern (':' begins an image's tag) is not
			 * inserted at all */
			if (value.n == 0 || n + value.n >= len ||
			    pr_str_find(value, '*') < value.n ||
			    pr_str_find(value, '/') < value.n ||
			    pr_str_find(value, ':') < value.n ||
			    pr_str_is(value, ".") || pr_str_is(value, ".."))
				return nothing;
			memcpy(buf + n, value.p, value.n);
			n += value.n;
			continue;
		}
		if (n + 1 >= len)
			return nothing;
		buf[n++] = rest.p[0];
		rest = pr_str_sub(rest, 1, rest.n);
	}
	return (struct pr_str){buf, n};
}

bool
list_matches(struct judging *j, struct pr_str s, char sep)
{
	char buf[1024];

	for (size_t i = 0; i < j->leaf->list.n; i++) {
		struct pr_str p =
		    pattern_expand(j, j->leaf->list.v[i], buf, sizeof buf);

		if (p.p != NULL && pr_glob(p, s, sep))
			return true;
	}
	return false;
}

enum pr_tri
keys_allowed(struct judging *j, struct pr_kvs map, const char *field)
{
	char name[SHOWN + 4];

	for (size_t i = 0; i < map.n; i++) {
		if (!list_matches(j, map.v[i].key, '\0'))
			return judge_no(
			    j, "%s has %s", field, shown(map.v[i].key, name));
	}
	return PR_YES;
}

enum pr_tri
values_allowed(
    struct judging *j, struct pr_strs values, const char *field, char sep)
{
	char name[SHOWN + 4];

	for (size_t i = 0; i < values.n; i++) {
		if (!list_matches(j, values.v[i], sep))
			return judge_no(
			    j, "%s has %s", field, shown(values.v[i], name));
	}
	return PR_YES;
}

const struct pr_object *
ref_object(const struct judging *j, int ref)
{
	const struct pr_object *o;

	if (ref < 0 || (size_t)ref >= j->spec->n_refs)
		return NULL;
	o = j->spec->refs[ref].object;
	return o != NULL && o->presence != PR_PRESENCE_UNKNOWN ? o : NULL;
}

static enum pr_tri
judge_unknown_fields(struct judging *j)
{
	if (j->spec->unknown_field == NULL || pr_str_is(j->leaf->word, "allow"))
		return PR_YES;
	return judge_no(j, "%s is a field that no known engine has",
	    j->spec->unknown_field);
}

static enum pr_tri
judge_privileged(struct judging *j)
{
	if (!j->spec->privileged || j->leaf->b)
		return PR_YES;
	return judge_no(j, "HostConfig.Privileged is true");
}

static enum pr_tri
judge_cap_add(struct judging *j)
{
	char name[SHOWN + 4];

	for (size_t i = 0; i < j->spec->cap_add.n; i++) {
		bool found = list_has(j->leaf, "ALL");

		for (size_t k = 0; !found && k < j->leaf->list.n; k++) {
			struct pr_str want = j->leaf->list.v[k];

			if (want.n > 4 &&
			    pr_str_eq_nocase(
				pr_str_sub(want, 0, 4), PR_STR("CAP_")))
				want = pr_str_sub(want, 4, want.n);
			found = pr_str_eq_nocase(want, j->spec->cap_add.v[i]);
		}
		if (!found)
			return judge_no(j, "HostConfig.CapAdd has %s",
			    shown(j->spec->cap_add.v[i], name));
	}
	return PR_YES;
}

static bool
dropped(const struct pr_spec *s, struct pr_str want)
{
	for (size_t i = 0; i < s->cap_drop.n; i++) {
		if (pr_str_is(s->cap_drop.v[i], "ALL") ||
		    pr_str_eq_nocase(s->cap_drop.v[i], want))
			return true;
	}
	return false;
}

static enum pr_tri
judge_cap_drop(struct judging *j)
{
	for (size_t i = 0; i < j->leaf->list.n; i++) {
		struct pr_str want = j->leaf->list.v[i];

		if (want.n > 4 &&
		    pr_str_eq_nocase(pr_str_sub(want, 0, 4), PR_STR("CAP_")))
			want = pr_str_sub(want, 4, want.n);
		if (!dropped(j->spec, want))
			return judge_no(
			    j, "HostConfig.CapDrop lacks %.*s", PR_STRF(want));
	}
	return PR_YES;
}

static enum pr_tri
judge_seccomp(struct judging *j)
{
	struct pr_str s = j->spec->seccomp;
	const char *is = s.n == 0        ? "default"
	    : pr_str_is(s, "unconfined") ? "unconfined"
	    : pr_str_is(s, "builtin")    ? "builtin"
					 : "custom";

	if (list_has(j->leaf, is))
		return PR_YES;
	return judge_no(j, "HostConfig.SecurityOpt sets seccomp to %s", is);
}

static enum pr_tri
judge_apparmor(struct judging *j)
{
	struct pr_str s = j->spec->apparmor;
	char name[SHOWN + 4];

	/* docker-default is what the daemon takes when nothing is said */
	if ((s.n == 0 || pr_str_is(s, "docker-default")) &&
	    list_has(j->leaf, "default"))
		return PR_YES;
	if (s.n > 0 && list_matches(j, s, '\0') && !pr_str_is(s, "default"))
		return PR_YES;
	return judge_no(j, "HostConfig.SecurityOpt sets apparmor to %s",
	    s.n > 0 ? shown(s, name) : "default");
}

static enum pr_tri
judge_selinux(struct judging *j)
{
	char name[SHOWN + 4];

	if (j->spec->selinux.n == 0)
		return list_has(j->leaf, "default")
		    ? PR_YES
		    : judge_no(j, "no SELinux label is set");
	for (size_t i = 0; i < j->spec->selinux.n; i++) {
		struct pr_str label = j->spec->selinux.v[i];

		if (pr_str_is(label, "default") ||
		    !list_matches(j, label, '\0'))
			return judge_no(j,
			    "HostConfig.SecurityOpt sets label %s",
			    shown(label, name));
	}
	return PR_YES;
}

static enum pr_tri
judge_no_new_privs(struct judging *j)
{
	if (!pr_str_is(j->leaf->word, "required") ||
	    j->spec->no_new_privs == PR_YES)
		return PR_YES;
	return judge_no(j, "HostConfig.SecurityOpt lacks no-new-privileges");
}

/* What engines 20.10 and newer all mask, or keep read-only, by themselves. */
static const char *const masked[] = {"/proc/asound", "/proc/acpi",
    "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
    "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"};
static const char *const readonly[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};

static const char *
missing(struct pr_strs have, const char *const *want, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool found = false;

		for (size_t k = 0; k < have.n && !found; k++)
			found = pr_str_is(have.v[k], want[i]);
		if (!found)
			return want[i];
	}
	return NULL;
}

static enum pr_tri
judge_masked_paths(struct judging *j)
{
	const struct pr_spec *s = j->spec;
	const char *path;

	if (pr_str_is(j->leaf->word, "any"))
		return PR_YES;
	path = s->masked_given
	    ? missing(s->masked_paths, masked, PR_COUNT(masked))
	    : NULL;
	if (path != NULL)
		return judge_no(j, "HostConfig.MaskedPaths lacks %s", path);
	path = s->readonly_given
	    ? missing(s->readonly_paths, readonly, PR_COUNT(readonly))
	    : NULL;
	if (path != NULL)
		return judge_no(j, "HostConfig.ReadonlyPaths lacks %s", path);
	return PR_YES;
}

static enum pr_tri
judge_security_options(struct judging *j)
{
	return values_allowed(
	    j, j->spec->security_options, "HostConfig.SecurityOpt", '\0');
}

static bool
is_clean(struct pr_str path)
{
	if (path.n == 0 || path.p[0] != '/')
		return false;
	path = pr_str_sub(path, 1, path.n);
	while (path.p != NULL) {
		struct pr_str part = pr_str_cut(&path, '/');

		if (part.n == 0 || pr_str_is(part, ".") ||
		    pr_str_is(part, ".."))
			return false;
	}
	return true;
}

static enum pr_tri
judge_devices(struct judging *j)
{
	char name[SHOWN + 4];

	for (size_t i = 0; i < j->spec->n_devices; i++) {
		struct pr_str host = j->spec->devices[i].host;

		if (!is_clean(host) || !list_matches(j, host, '/'))
			return judge_no(
			    j, "HostConfig.Devices has %s", shown(host, name));
	}
	return PR_YES;
}

static bool
request_fits(
    const struct pr_device_request *want, const struct pr_device_ask *ask)
{
	if (ask->ids || !pr_glob(want->driver, ask->driver, '\0'))
		return false;
	if (want->count >= 0 && (ask->count < 0 || ask->count > want->count))
		return false;
	for (size_t i = 0; i < ask->capabilities.n; i++) {
		bool found = false;

		for (size_t k = 0; k < want->capabilities.n && !found; k++)
			found = pr_glob(want->capabilities.v[k],
			    ask->capabilities.v[i], '\0');
		if (!found)
			return false;
	}
	return true;
}

static enum pr_tri
judge_device_requests(struct judging *j)
{
	for (size_t i = 0; i < j->spec->n_asks; i++) {
		bool found = false;

		for (size_t k = 0; k < j->leaf->n_requests && !found; k++)
			found = request_fits(
			    &j->leaf->requests[k], &j->spec->asks[i]);
		if (!found)
			return judge_no(j,
			    "HostConfig.DeviceRequests asks for "
			    "devices");
	}
	return PR_YES;
}

static enum pr_tri
judge_cgroup_rules(struct judging *j)
{
	char name[SHOWN + 4];

	for (size_t i = 0; i < j->spec->cgroup_rules.n; i++) {
		bool found = false;

		for (size_t k = 0; k < j->leaf->list.n && !found; k++)
			found = pr_str_eq(
			    j->leaf->list.v[k], j->spec->cgroup_rules.v[i]);
		if (!found)
			return judge_no(j,
			    "HostConfig.DeviceCgroupRules has %s",
			    shown(j->spec->cgroup_rules.v[i], name));
	}
	return PR_YES;
}

static enum pr_tri
judge_sysctls(struct judging *j)
{
	return keys_allowed(j, j->spec->sysctls, "HostConfig.Sysctls");
}

enum pr_tri
default_or_listed(struct judging *j, struct pr_str s, struct pr_str fills_in,
    const char *field)
{
	char name[SHOWN + 4];
	bool is_default =
	    s.n == 0 || (fills_in.n > 0 && pr_str_eq(s, fills_in));

	if (is_default && list_has(j->leaf, "default"))
		return PR_YES;
	if (s.n > 0 && !pr_str_is(s, "default") && list_matches(j, s, '\0'))
		return PR_YES;
	return judge_no(
	    j, "%s is %s", field, s.n > 0 ? shown(s, name) : "default");
}

/* The same where the daemon says what it fills in. */
static enum pr_tri
daemon_default_or_listed(struct judging *j, struct pr_str s,
    struct pr_str fills_in, const char *field)
{
	if (j->env->daemon_unknown && s.n > 0 && list_has(j->leaf, "default") &&
	    !list_matches(j, s, '\0'))
		return judge_cannot_tell(
		    j, "%s: the daemon has not told its default yet", field);
	return default_or_listed(j, s, fills_in, field);
}

static enum pr_tri
judge_runtimes(struct judging *j)
{
	return daemon_default_or_listed(
	    j, j->spec->runtime, j->env->default_runtime, "HostConfig.Runtime");
}

static enum pr_tri
judge_log_drivers(struct judging *j)
{
	static const char field[] = "HostConfig.LogConfig.Type";

	/* what another node fills in nobody knows */
	if (j->spec->body == PR_SPEC_SERVICE)
		return default_or_listed(
		    j, j->spec->log_driver, PR_STR(""), field);
	return daemon_default_or_listed(
	    j, j->spec->log_driver, j->env->default_log_driver, field);
}

static enum pr_tri
judge_log_opts(struct judging *j)
{
	return keys_allowed(
	    j, j->spec->log_opts, "HostConfig.LogConfig.Config");
}

/* The runtime joins and cleans it: ".." would climb out of the pattern. */
static bool
climbs(struct pr_str path)
{
	while (path.p != NULL) {
		if (pr_str_is(pr_str_cut(&path, '/'), ".."))
			return true;
	}
	return false;
}

enum pr_tri
judge_cgroup_parent(struct judging *j)
{
	char name[SHOWN + 4];

	if (j->spec->cgroup_parent.n == 0 ||
	    (!climbs(j->spec->cgroup_parent) &&
		list_matches(j, j->spec->cgroup_parent, '/')))
		return PR_YES;
	return judge_no(j, "%s is %s",
	    field_in(j, "HostConfig.CgroupParent", "cgroupparent"),
	    shown(j->spec->cgroup_parent, name));
}

static enum pr_tri
judge_oom_kill_disable(struct judging *j)
{
	if (!j->spec->oom_kill_disable || j->leaf->b)
		return PR_YES;
	return judge_no(j, "HostConfig.OomKillDisable is true");
}

static enum pr_tri
judge_annotations(struct judging *j)
{
	return keys_allowed(j, j->spec->annotations, "HostConfig.Annotations");
}

static enum pr_tri
judge_storage_opt(struct judging *j)
{
	return keys_allowed(j, j->spec->storage_opt, "HostConfig.StorageOpt");
}

static enum pr_tri
judge_group_add(struct judging *j)
{
	return values_allowed(
	    j, j->spec->group_add, "HostConfig.GroupAdd", '\0');
}

enum pr_tri
judge_cpuset(struct judging *j)
{
	struct pr_str sets[] = {j->spec->cpuset_cpus, j->spec->cpuset_mems};
	char name[SHOWN + 4];

	for (size_t i = 0; i < PR_COUNT(sets) && !j->leaf->b; i++) {
		if (sets[i].n > 0 && !list_matches(j, sets[i], '\0'))
			return judge_no(j, "%s is %s",
			    i == 0 ? field_in(j, "HostConfig.CpusetCpus",
					 "cpusetcpus")
				   : field_in(j, "HostConfig.CpusetMems",
					 "cpusetmems"),
			    shown(sets[i], name));
	}
	return PR_YES;
}

static enum pr_tri
judge_realtime(struct judging *j)
{
	if (!j->spec->realtime || j->leaf->b)
		return PR_YES;
	return judge_no(j, "HostConfig.CpuRealtimeRuntime is set");
}

static enum pr_tri
judge_blkio(struct judging *j)
{
	bool none = pr_str_is(j->leaf->word, "none");
	bool devices = pr_str_is(j->leaf->word, "devices");

	if (j->spec->blkio_devices && !devices)
		return judge_no(
		    j, "block I/O is set per device, not by weight alone");
	if (j->spec->blkio_weight && none)
		return judge_no(j, "HostConfig.BlkioWeight is set");
	return PR_YES;
}

enum pr_tri
judge_extra_hosts(struct judging *j)
{
	if (j->leaf->b)
		return PR_YES;
	return values_allowed(j, j->spec->extra_hosts,
	    field_in(j, "HostConfig.ExtraHosts", "extrahosts"), '\0');
}

static enum pr_tri
judge_dns(struct judging *j)
{
	if (j->leaf->b)
		return PR_YES;
	return values_allowed(j, j->spec->dns, "HostConfig.Dns", '\0');
}

static enum pr_tri
judge_exec_privileged(struct judging *j)
{
	if (!j->spec->privileged || j->leaf->b)
		return PR_YES;
	return judge_no(j, "Privileged is true");
}

/* "", "0", "00:0", "+0", "-0", "root": all the same user */
bool
user_is_root(struct pr_str user)
{
	struct pr_str name = pr_str_cut(&user, ':');
	size_t i = 0;

	if (name.n > 1 && (name.p[0] == '+' || name.p[0] == '-'))
		i++;
	while (i < name.n && name.p[i] == '0')
		i++;
	return i == name.n || pr_str_is(name, "root");
}

/* The same text, or root both (semantics 9.11). */
static bool
is_same_user(struct pr_str user, struct pr_str container)
{
	if (pr_str_eq(user, container))
		return true;
	return user_is_root(user) && user_is_root(container) &&
	    pr_str_find(user, ':') == user.n;
}

static enum pr_tri
judge_exec_user(struct judging *j)
{
	const struct pr_spec *s = j->spec;
	bool same = list_has(j->leaf, "same-as-container");
	struct pr_str user = s->user_given ? s->user : s->container_user;
	char name[SHOWN + 4];

	if (list_has(j->leaf, "any") || (same && !s->user_given))
		return PR_YES;
	if (user.n == 0)
		user = PR_STR("root");
	if ((s->user_given || s->container_user_known) &&
	    !pr_str_is(user, "same-as-container") &&
	    list_matches(j, user, '\0'))
		return PR_YES;
	if ((same || !s->user_given) && !s->container_user_known &&
	    j->leaf->list.n > 0)
		return judge_cannot_tell(
		    j, "the container's user is not known");
	if (same && s->user_given && is_same_user(s->user, s->container_user))
		return PR_YES;
	return judge_no(j, "User is %s", shown(user, name));
}

static enum pr_tri
judge_require_ro_root(struct judging *j)
{
	if (!j->leaf->b || j->spec->read_only_rootfs)
		return PR_YES;
	return judge_no(j, "HostConfig.ReadonlyRootfs is false");
}

static enum pr_tri
judge_require_labels(struct judging *j)
{
	struct pr_str value;

	for (size_t i = 0; i < j->leaf->list.n; i++) {
		if (!pr_spec_label(j->spec, j->leaf->list.v[i], &value) ||
		    value.n == 0)
			return judge_no(j, "Labels lacks %.*s",
			    PR_STRF(j->leaf->list.v[i]));
	}
	return PR_YES;
}

/*
 * The judge of a key, on every body that it is asked of unless
 * profile_bodies.c has another.
 */
static const key_judge judges[PR_KEY_COUNT] = {
    [PR_KEY_UNKNOWN_FIELDS] = judge_unknown_fields,
    [PR_KEY_PRIVILEGED] = judge_privileged,
    [PR_KEY_NS_NETWORK] = judge_network,
    [PR_KEY_NS_PID] = judge_pid,
    [PR_KEY_NS_IPC] = judge_ipc,
    [PR_KEY_NS_UTS] = judge_uts,
    [PR_KEY_NS_USER] = judge_userns,
    [PR_KEY_NS_CGROUP] = judge_cgroupns,
    [PR_KEY_BIND] = judge_bind,
    [PR_KEY_PROTECTED] = judge_protected,
    [PR_KEY_SHARED_TREES] = judge_shared_trees,
    [PR_KEY_PROPAGATION] = judge_propagation,
    [PR_KEY_RELABEL] = judge_relabel,
    [PR_KEY_VOLUMES] = judge_volumes,
    [PR_KEY_VOLUME_DRIVERS] = judge_volume_drivers,
    [PR_KEY_VOLUME_OPTS] = judge_volume_opts,
    [PR_KEY_VOLUMES_FROM] = judge_volumes_from,
    [PR_KEY_TMPFS] = judge_tmpfs,
    [PR_KEY_MOUNT_IMAGES] = judge_mount_images,
    [PR_KEY_CAP_ADD] = judge_cap_add,
    [PR_KEY_CAP_DROP] = judge_cap_drop,
    [PR_KEY_SECCOMP] = judge_seccomp,
    [PR_KEY_APPARMOR] = judge_apparmor,
    [PR_KEY_SELINUX] = judge_selinux,
    [PR_KEY_NO_NEW_PRIVS] = judge_no_new_privs,
    [PR_KEY_MASKED_PATHS] = judge_masked_paths,
    [PR_KEY_SECURITY_OPTIONS] = judge_security_options,
    [PR_KEY_DEVICES] = judge_devices,
    [PR_KEY_DEVICE_REQUESTS] = judge_device_requests,
    [PR_KEY_CGROUP_RULES] = judge_cgroup_rules,
    [PR_KEY_SYSCTLS] = judge_sysctls,
    [PR_KEY_RUNTIMES] = judge_runtimes,
    [PR_KEY_CGROUP_PARENT] = judge_cgroup_parent,
    [PR_KEY_OOM_KILL_DISABLE] = judge_oom_kill_disable,
    [PR_KEY_OOM_SCORE] = judge_oom_score,
    [PR_KEY_ANNOTATIONS] = judge_annotations,
    [PR_KEY_STORAGE_OPT] = judge_storage_opt,
    [PR_KEY_GROUP_ADD] = judge_group_add,
    [PR_KEY_CPUSET] = judge_cpuset,
    [PR_KEY_REALTIME] = judge_realtime,
    [PR_KEY_BLKIO] = judge_blkio,
    [PR_KEY_NET_LINKS] = judge_links,
    [PR_KEY_EXTRA_HOSTS] = judge_extra_hosts,
    [PR_KEY_DNS] = judge_dns,
    [PR_KEY_STATIC_IP] = judge_static_ip,
    [PR_KEY_DRIVER_OPTS] = judge_driver_opts,
    [PR_KEY_IMAGES_ALLOW] = judge_images_allow,
    [PR_KEY_IMAGES_DIGEST] = judge_images_digest,
    [PR_KEY_EXEC_PRIVILEGED] = judge_exec_privileged,
    [PR_KEY_EXEC_USER] = judge_exec_user,
    [PR_KEY_LOG_OPTS] = judge_log_opts,
    [PR_KEY_LOG_DRIVERS] = judge_log_drivers,
    [PR_KEY_MEMORY] = judge_memory,
    [PR_KEY_SWAP] = judge_swap,
    [PR_KEY_CPUS] = judge_cpus,
    [PR_KEY_PIDS] = judge_pids,
    [PR_KEY_ULIMITS] = judge_ulimits,
    [PR_KEY_SHM] = judge_shm,
    [PR_KEY_PORTS_BIND] = judge_ports_bind,
    [PR_KEY_CPU_SHARES] = judge_cpu_shares,
    [PR_KEY_PORTS_CONTAINER] = judge_ports_container,
    [PR_KEY_PORTS_RANGE] = judge_ports_range,
    [PR_KEY_PUBLISH_ALL] = judge_publish_all,
    [PR_KEY_RESTART] = judge_restart,
    [PR_KEY_ENV_FORBID] = judge_env_forbid,
    [PR_KEY_REQUIRE_USER] = judge_require_user,
    [PR_KEY_REQUIRE_RO_ROOT] = judge_require_ro_root,
    [PR_KEY_REQUIRE_HEALTH] = judge_require_health,
    [PR_KEY_REQUIRE_LABELS] = judge_require_labels,
};

key_judge
judge_of_key(enum pr_profile_key key)
{
	return judges[key];
}

/* Demands that no profile of the chain makes are not judged; SWAP has a rule
 * of its own for that case. */
static bool
is_demanded(enum pr_profile_key key, const struct pr_leaf *leaf)
{
	return leaf->made || key == PR_KEY_SWAP || key == PR_KEY_PORTS_RANGE;
}

static void
note(struct pr_shortfall *why, enum pr_tri answer, enum pr_profile_key key,
    const char *text)
{
	bool soft = pr_profile_key(key)->soft;

	why->all_soft = why->all_soft && soft && answer == PR_NO;
	/* the first that fails; before that, the first that is undecided */
	if (why->answer == PR_NO || (why->answer == answer))
		return;
	why->answer = answer;
	why->key = key;
	why->names_key = true;
	snprintf(why->text, sizeof why->text, "%s", text);
}

static enum pr_tri
judge_keys(const struct pr_profile *profile, const struct pr_spec *spec,
    const struct pr_judge_env *env, struct pr_shortfall *why)
{
	char text[sizeof why->text];
	struct judging j = {profile, spec, env, 0, NULL, text, sizeof text};

	/* YES here stands for "nothing noted yet" */
	why->answer = PR_YES;
	why->all_soft = true;
	for (unsigned key = 0; key < PR_KEY_COUNT; key++) {
		key_judge judge = judge_of(key, spec->body);
		enum pr_tri answer;

		if (judge == NULL || !is_demanded(key, &profile->leaf[key]))
			continue;
		j.key = key;
		j.leaf = &profile->leaf[key];
		text[0] = '\0';
		answer = judge(&j);
		if (answer != PR_YES)
			note(why, answer, key, text);
	}
	return why->answer;
}

/* What even `unrestricted` does not have (semantics 5.10). */
static enum pr_tri
judge_builtin(const struct pr_profile *profile, const struct pr_spec *spec,
    const struct pr_judge_env *env, struct pr_shortfall *why)
{
	static const struct pr_leaf deny = {.made = true, .word = {"deny", 4}};
	struct judging j = {profile, spec, env, PR_KEY_PROTECTED, &deny,
	    why->text, sizeof why->text};

	if (spec->rolls_back && spec->body == PR_SPEC_UNREAD) {
		why->answer = PR_CANNOT_TELL;
		snprintf(why->text, sizeof why->text, "%s is not known",
		    spec->unread);
		return PR_CANNOT_TELL;
	}
	if (!pr_profile_key_asks(PR_KEY_PROTECTED, spec->body) ||
	    env->break_glass)
		return PR_YES;
	why->key = PR_KEY_PROTECTED;
	why->names_key = true;
	why->answer = judge_protected(&j);
	return why->answer;
}

enum pr_tri
pr_profile_judge(const struct pr_profile *profile, const struct pr_spec *spec,
    const struct pr_judge_env *env, struct pr_shortfall *why)
{
	*why = (struct pr_shortfall){.stored = spec->stored};
	if (profile->unrestricted)
		return judge_builtin(profile, spec, env, why);
	if (spec->body == PR_SPEC_UNREAD) {
		why->answer = PR_CANNOT_TELL;
		snprintf(why->text, sizeof why->text,
		    "%s is judged by no profile but unrestricted",
		    spec->unread);
		return PR_CANNOT_TELL;
	}
	if (spec->must_default != NULL) {
		why->answer = PR_NO;
		why->must_default = true;
		snprintf(why->text, sizeof why->text,
		    "%s is set; it must have its default value",
		    spec->must_default);
		return PR_NO;
	}
	if (spec->body == PR_SPEC_UPDATE && !spec->updated) {
		why->answer = PR_CANNOT_TELL;
		snprintf(why->text, sizeof why->text,
		    "the container's stored limits are not known");
		return PR_CANNOT_TELL;
	}
	return judge_keys(profile, spec, env, why);
}
