/* SPDX-License-Identifier: Apache-2.0 */
/* The body of container create, and the stored spec of a container. */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include <portreeve/image.h>

#include "extract.h"

#define DEFAULT_PERIOD INT64_C(100000) /* CpuPeriod 0 (kernel default, us) */

/* "sys_admin", "CAP_SYS_ADMIN" -> "SYS_ADMIN" (FACTS E: upper, CAP_ once). */
struct pr_strs
extract_capabilities(struct pr_arena *a, const struct pr_json *v)
{
	struct pr_strs in = body_strs(a, v);
	struct pr_str *out = pr_arena_array(a, in.n, sizeof *out);

	for (size_t i = 0; i < in.n; i++) {
		char *up = pr_arena_strdup(a, in.v[i]);

		for (size_t k = 0; k < in.v[i].n; k++)
			up[k] = (char)toupper((unsigned char)up[k]);
		out[i] = (struct pr_str){up, in.v[i].n};
		if (pr_str_starts(out[i], "CAP_"))
			out[i] = pr_str_sub(out[i], 4, out[i].n);
	}
	return (struct pr_strs){out, in.n};
}

/* ParseBool of Go's strconv; anything else is refused by the daemon. */
static enum pr_tri
parse_bool(struct pr_str s)
{
	static const char *const yes[] = {
	    "1", "t", "T", "TRUE", "true", "True"};
	static const char *const no[] = {
	    "0", "f", "F", "FALSE", "false", "False"};

	for (size_t i = 0; i < PR_COUNT(yes); i++) {
		if (pr_str_is(s, yes[i]))
			return PR_YES;
		if (pr_str_is(s, no[i]))
			return PR_NO;
	}
	return PR_CANNOT_TELL;
}

/*
 * One SecurityOpt (moby daemon/daemon_unix.go parseSecurityOpt): split at the
 * first '=', else at the first ':'; what is neither stands alone.
 */
static int
security_opt(struct extract *e, struct pr_str opt, struct pr_str *selinux,
    struct pr_str *other)
{
	struct pr_spec *s = e->spec;
	struct pr_str value = opt, key = pr_str_cut(&value, '=');

	if (value.p == NULL) {
		value = opt;
		key = pr_str_cut(&value, ':');
	}
	if (value.p == NULL && pr_str_is(opt, "no-new-privileges")) {
		s->no_new_privs = PR_YES;
	} else if (value.p == NULL && pr_str_is(opt, "disable")) {
		selinux[s->selinux.n++] = PR_STR("disable");
	} else if (value.p != NULL && pr_str_is(key, "label")) {
		selinux[s->selinux.n++] = value;
	} else if (value.p != NULL && pr_str_is(key, "apparmor")) {
		s->apparmor = value.n > 0 ? value : PR_STR("(empty)");
	} else if (value.p != NULL && pr_str_is(key, "seccomp")) {
		s->seccomp = value.n > 0 ? value : PR_STR("(empty)");
	} else if (value.p != NULL && pr_str_is(key, "no-new-privileges")) {
		enum pr_tri yes = parse_bool(value);

		if (yes == PR_CANNOT_TELL)
			return body_refuse(e->why, PR_REASON_AMBIGUOUS,
			    "HostConfig.SecurityOpt: no-new-privileges is true "
			    "or false");
		s->no_new_privs = yes;
	} else {
		other[s->security_options.n++] = opt;
	}
	return 0;
}

int
extract_security(struct extract *e, const struct body_slots *host)
{
	struct pr_spec *s = e->spec;
	struct pr_strs opts = body_strs(e->arena, host->f[F_H_SECURITYOPT]);
	struct pr_str *selinux, *other;

	selinux = pr_arena_array(e->arena, opts.n, sizeof *selinux);
	other = pr_arena_array(e->arena, opts.n, sizeof *other);
	s->selinux.v = selinux;
	s->security_options.v = other;
	for (size_t i = 0; i < opts.n; i++) {
		if (security_opt(e, opts.v[i], selinux, other) < 0)
			return -1;
	}
	s->privileged = body_bool(host->f[F_H_PRIVILEGED]);
	s->cap_add = extract_capabilities(e->arena, host->f[F_H_CAPADD]);
	s->cap_drop = extract_capabilities(e->arena, host->f[F_H_CAPDROP]);
	/* null keeps the daemon's list, [] empties it (FACTS E) */
	s->masked_given = host->f[F_H_MASKEDPATHS] != NULL;
	s->masked_paths = body_strs(e->arena, host->f[F_H_MASKEDPATHS]);
	s->readonly_given = host->f[F_H_READONLYPATHS] != NULL;
	s->readonly_paths = body_strs(e->arena, host->f[F_H_READONLYPATHS]);
	return 0;
}

/*
 * RLIMIT_ and the name in Go's capitals is what the runtime gets: case says
 * nothing, and letters that are not ASCII could fold to others.
 */
int
extract_ulimits(struct extract *e, const struct pr_json *ulimits, bool checked,
    pr_field field)
{
	struct pr_spec *s = e->spec;
	struct body_walk walk = {
	    .arena = e->arena, .checked = checked, .why = e->why};

	s->n_ulimits = body_count(ulimits);
	s->ulimits = pr_arena_array(e->arena, s->n_ulimits, sizeof *s->ulimits);
	for (size_t i = 0; i < s->n_ulimits; i++) {
		struct body_slots u = {{NULL}};
		struct pr_str name;
		char *lower;

		if (body_walk(
			&walk, BODY_ULIMIT, &ulimits->items[i], field, &u) < 0)
			return -1;
		name = body_str(u.f[F_U_NAME]);
		lower = pr_arena_strdup(e->arena, name);
		for (size_t k = 0; k < name.n; k++) {
			if (!isascii((unsigned char)lower[k]) ||
			    !isalpha((unsigned char)lower[k]))
				name.n = 0;
			else
				lower[k] =
				    (char)tolower((unsigned char)lower[k]);
		}
		if (name.n == 0)
			return body_refuse(e->why, PR_REASON_AMBIGUOUS,
			    "%s[%zu]: the name of a ulimit is letters, as "
			    "nofile",
			    field, i);
		s->ulimits[i] = (struct pr_ulimit){{lower, name.n},
		    body_int(u.f[F_U_SOFT]), body_int(u.f[F_U_HARD])};
	}
	if (s->unknown_field == NULL)
		s->unknown_field = walk.unknown_field;
	return 0;
}

int64_t
extract_cpus(int64_t quota, int64_t period)
{
	__int128 cpus;

	if (quota <= 0)
		return 0;
	cpus = (__int128)quota * 1000000000 /
	    (period > 0 ? period : DEFAULT_PERIOD);
	return cpus > INT64_MAX ? INT64_MAX : (int64_t)cpus;
}

static int
extract_limits(struct extract *e, const struct body_slots *host)
{
	struct pr_spec *s = e->spec;
	int64_t quota = body_int(host->f[F_H_CPUQUOTA]);

	s->memory = body_int(host->f[F_H_MEMORY]);
	s->swap = body_int(host->f[F_H_MEMORYSWAP]);
	s->pids = body_int(host->f[F_H_PIDSLIMIT]);
	s->shm = body_int(host->f[F_H_SHMSIZE]);
	s->cpu_shares = body_int(host->f[F_H_CPUSHARES]);
	/* the kernel gets the quota last: a negative one lifts NanoCpus */
	s->cpus = quota < 0 ? 0 : body_int(host->f[F_H_NANOCPUS]);
	s->cpus_by_quota = s->cpus == 0;
	if (s->cpus_by_quota)
		s->cpus = extract_cpus(quota, body_int(host->f[F_H_CPUPERIOD]));
	s->cpuset_cpus = body_str(host->f[F_H_CPUSETCPUS]);
	s->cpuset_mems = body_str(host->f[F_H_CPUSETMEMS]);
	s->realtime = body_int(host->f[F_H_CPURTPERIOD]) != 0 ||
	    body_int(host->f[F_H_CPURTRUNTIME]) != 0;
	s->blkio_weight = body_int(host->f[F_H_BLKIOWEIGHT]) != 0;
	s->blkio_devices = body_count(host->f[F_H_BLKIOWEIGHTDEV]) > 0 ||
	    body_count(host->f[F_H_BLKIOREADBPS]) > 0 ||
	    body_count(host->f[F_H_BLKIOWRITEBPS]) > 0 ||
	    body_count(host->f[F_H_BLKIOREADIOPS]) > 0 ||
	    body_count(host->f[F_H_BLKIOWRITEIOPS]) > 0;
	return extract_ulimits(
	    e, host->f[F_H_ULIMITS], true, "HostConfig.Ulimits");
}

/* DeviceRequests[i].Capabilities is a list of lists: any of all of. */
static struct pr_strs
flatten(struct pr_arena *a, const struct pr_json *v)
{
	size_t n = 0, at = 0;
	struct pr_str *out;

	for (size_t i = 0; i < body_count(v); i++)
		n += body_count(&v->items[i]);
	out = pr_arena_array(a, n, sizeof *out);
	for (size_t i = 0; i < body_count(v); i++) {
		for (size_t k = 0; k < body_count(&v->items[i]); k++)
			out[at++] = body_str(&v->items[i].items[k]);
	}
	return (struct pr_strs){out, n};
}

static void
extract_devices(struct extract *e, const struct body_slots *host)
{
	struct pr_spec *s = e->spec;
	const struct pr_json *devices = host->f[F_H_DEVICES];
	const struct pr_json *asks = host->f[F_H_DEVICEREQUESTS];
	struct body_walk walk = {
	    .arena = e->arena, .checked = true, .why = e->why};

	s->n_devices = body_count(devices);
	s->devices = pr_arena_array(e->arena, s->n_devices, sizeof *s->devices);
	for (size_t i = 0; i < s->n_devices; i++) {
		struct body_slots d = {{NULL}};

		if (body_walk(&walk, BODY_DEVICE, &devices->items[i], "", &d) ==
		    0)
			s->devices[i] = (struct pr_device){
			    body_str(d.f[F_D_HOST]), body_str(d.f[F_D_INSIDE]),
			    body_str(d.f[F_D_PERM])};
	}
	s->n_asks = body_count(asks);
	s->asks = pr_arena_array(e->arena, s->n_asks, sizeof *s->asks);
	for (size_t i = 0; i < s->n_asks; i++) {
		struct body_slots q = {{NULL}};

		if (body_walk(
			&walk, BODY_DEVREQUEST, &asks->items[i], "", &q) != 0)
			continue;
		s->asks[i].driver = body_str(q.f[F_Q_DRIVER]);
		s->asks[i].count = body_int(q.f[F_Q_COUNT]);
		s->asks[i].capabilities = flatten(e->arena, q.f[F_Q_CAPS]);
		s->asks[i].ids = body_count(q.f[F_Q_IDS]) > 0 ||
		    body_count(q.f[F_Q_OPTIONS]) > 0;
	}
	s->cgroup_rules = body_strs(e->arena, host->f[F_H_DEVICECGROUP]);
}

int
extract_resources(struct extract *e, const struct body_slots *host)
{
	struct pr_spec *s = e->spec;
	struct body_walk walk = {
	    .arena = e->arena, .checked = true, .why = e->why};
	struct body_slots part = {{NULL}};

	if (extract_limits(e, host) < 0 ||
	    body_walk(&walk, BODY_RESTART, host->f[F_H_RESTARTPOLICY],
		"HostConfig.RestartPolicy", &part) < 0)
		return -1;
	extract_devices(e, host);
	s->cgroup_parent = body_str(host->f[F_H_CGROUPPARENT]);
	s->oom_kill_disable = body_bool(host->f[F_H_OOMKILLDISABLE]);
	s->restart = body_str(part.f[F_R_NAME]);
	s->restart_max = body_int(part.f[F_R_MAX]);
	return 0;
}

struct pr_strs
extract_join(struct pr_arena *a, const struct pr_json *const *v, size_t n)
{
	struct pr_str *out;
	size_t total = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		total += body_count(v[i]);
	out = pr_arena_array(a, total, sizeof *out);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < body_count(v[i]); k++)
			out[at++] = body_str(&v[i]->items[k]);
	}
	return (struct pr_strs){out, total};
}

static void
extract_kernel(struct extract *e, const struct body_slots *host)
{
	struct pr_spec *s = e->spec;
	const struct pr_json *dns[] = {
	    host->f[F_H_DNS], host->f[F_H_DNSOPTIONS], host->f[F_H_DNSSEARCH]};

	s->sysctls = body_map(e->arena, host->f[F_H_SYSCTLS]);
	s->annotations = body_map(e->arena, host->f[F_H_ANNOTATIONS]);
	s->storage_opt = body_map(e->arena, host->f[F_H_STORAGEOPT]);
	s->runtime = body_str(host->f[F_H_RUNTIME]);
	s->oom_score = body_int(host->f[F_H_OOMSCOREADJ]);
	s->group_add = body_strs(e->arena, host->f[F_H_GROUPADD]);
	s->extra_hosts = body_strs(e->arena, host->f[F_H_EXTRAHOSTS]);
	s->dns = extract_join(e->arena, dns, PR_COUNT(dns));
}

/*
 * Healthcheck.Test: [] inherits, ["NONE"] turns it off, and so does every
 * first word that the daemon has no probe for.
 */
void
extract_health(struct extract *e, const struct pr_json *health)
{
	struct body_walk walk = {
	    .arena = e->arena, .checked = true, .why = e->why};
	struct body_slots h = {{NULL}};
	const struct pr_json *test;

	if (health == NULL || body_walk(&walk, BODY_HEALTH, health, "", &h) < 0)
		return;
	test = h.f[F_HC_TEST];
	if (body_count(test) == 0)
		return;
	e->spec->healthcheck = test->n > 1 &&
	    (pr_str_is(body_str(&test->items[0]), "CMD") ||
		pr_str_is(body_str(&test->items[0]), "CMD-SHELL"));
	e->spec->healthcheck_off = !e->spec->healthcheck;
}

int
extract_image(struct extract *e, const struct pr_json *image, pr_field field)
{
	struct pr_spec *s = e->spec;
	struct pr_image read;

	s->image = body_str(image);
	read = pr_image_read(e->arena, s->image);
	if (read.form == PR_IMAGE_INVALID)
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    s->image.n == 0 ? "%s is not set"
				    : "%s is not a valid reference",
		    field);
	s->image_ref =
	    extract_ref(e, PR_KIND_IMAGE, PR_REF_IMAGE, s->image, field);
	/* a name that cannot be an id needs facts only for some keys */
	s->refs[s->image_ref].lazy = read.form == PR_IMAGE_NAME;
	return 0;
}

int
extract_container(struct extract *e, const struct body_slots *config,
    const struct body_slots *host, const struct pr_json *endpoints)
{
	struct pr_spec *s = e->spec;
	struct body_walk walk = {
	    .arena = e->arena, .checked = true, .why = e->why};
	struct body_slots part = {{NULL}};

	s->body = PR_SPEC_CONTAINER;
	s->labels = body_map(e->arena, config->f[F_C_LABELS]);
	s->user = body_str(config->f[F_C_USER]);
	s->user_given = s->user.n > 0;
	s->env = body_strs(e->arena, config->f[F_C_ENV]);
	s->static_mac = body_str(config->f[F_C_MACADDRESS]).n > 0;
	extract_health(e, config->f[F_C_HEALTHCHECK]);
	if (extract_image(e, config->f[F_C_IMAGE], "Image") < 0 ||
	    extract_security(e, host) < 0 ||
	    extract_mounts(e, config, host) < 0 ||
	    extract_network(e, host, endpoints) < 0 ||
	    extract_resources(e, host) < 0)
		return -1;
	extract_kernel(e, host);
	if (body_walk(&walk, BODY_LOGCONFIG, host->f[F_H_LOGCONFIG],
		"HostConfig.LogConfig", &part) < 0)
		return -1;
	s->log_driver = body_str(part.f[F_L_TYPE]);
	s->log_opts = body_map(e->arena, part.f[F_L_CONFIG]);
	s->read_only_rootfs = body_bool(host->f[F_H_READONLYROOTFS]);
	return 0;
}

int
extract_create(struct extract *e, const struct pr_request *rq)
{
	static const enum body_struct top[] = {BODY_CONFIG, BODY_CREATE};
	struct body_walk walk = {.arena = e->arena,
	    .deep = true,
	    .echoes = e->echoes,
	    .why = e->why};
	struct body_slots *slots = pr_arena_alloc(e->arena, sizeof *slots);
	const struct pr_str *name = pr_query_get(rq, "name");

	if (rq->json == NULL || rq->json->type != PR_JSON_OBJECT)
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "the body of container.create is no object");
	if (body_walk_any(&walk, top, PR_COUNT(top), BODY_HOSTCONFIG, rq->json,
		"", slots) < 0)
		return -1;
	/* of each struct inside there is one, so its fields are found as well */
	if (extract_container(e, slots, slots, slots->f[F_N_ENDPOINTS]) < 0)
		return -1;
	e->spec->unknown_field = walk.unknown_field;
	e->spec->must_default = walk.must_default;
	if (name != NULL && name->n > 0)
		extract_ref(e, PR_KIND_CONTAINER, PR_REF_NEW_NAME,
		    name->p[0] == '/' ? pr_str_sub(*name, 1, name->n) : *name,
		    "the query key name");
	return 0;
}
