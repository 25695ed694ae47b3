/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of service create and update, and the spec that a service had
 * before (rollback).  What a service asks for means what the same thing
 * means for a container (docs/semantics.md 13), because each task ends as
 * one, somewhere in the swarm.
 */
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "extract.h"

#define IN_TASK "TaskTemplate."
#define IN_SPEC "TaskTemplate.ContainerSpec."

/* "default" and "" are what nobody chose. */
static struct pr_str
chosen(struct pr_str mode)
{
	return pr_str_is(mode, "default") ? (struct pr_str){NULL, 0} : mode;
}

static void
read_selinux(struct extract *e, const struct body_slots *f)
{
	static const struct {
		const char *key;
		enum body_field field;
	} parts[] = {{"user", F_SE_USER}, {"role", F_SE_ROLE},
	    {"type", F_SE_TYPE}, {"level", F_SE_LEVEL}};
	struct pr_str *all =
	    pr_arena_array(e->arena, PR_COUNT(parts) + 1, sizeof *all);
	size_t n = 0;

	if (body_bool(f->f[F_SE_DISABLE]))
		all[n++] = PR_STR("disable");
	for (size_t i = 0; i < PR_COUNT(parts); i++) {
		struct pr_str value = body_str(f->f[parts[i].field]);

		if (value.n > 0)
			all[n++] = pr_str_of(pr_arena_printf(
			    e->arena, "%s:%.*s", parts[i].key, PR_STRF(value)));
	}
	e->spec->selinux = (struct pr_strs){all, n};
}

/* Of Windows, and an option that no Linux daemon takes. */
static void
read_credential(struct extract *e, const struct body_slots *f)
{
	static const struct {
		const char *scheme;
		enum body_field field;
	} from[] = {{"config", F_CR_CONFIG}, {"file", F_CR_FILE},
	    {"registry", F_CR_REGISTRY}};
	struct pr_str *all =
	    pr_arena_array(e->arena, PR_COUNT(from), sizeof *all);
	size_t n = 0;

	for (size_t i = 0; i < PR_COUNT(from); i++) {
		struct pr_str value = body_str(f->f[from[i].field]);

		if (value.n > 0)
			all[n++] = pr_str_of(pr_arena_printf(e->arena,
			    "credentialspec=%s://%.*s", from[i].scheme,
			    PR_STRF(value)));
	}
	e->spec->security_options = (struct pr_strs){all, n};
	if (body_str(f->f[F_CR_CONFIG]).n > 0)
		extract_ref(e, PR_KIND_CONFIG, PR_REF_ARGUMENT,
		    body_str(f->f[F_CR_CONFIG]),
		    IN_SPEC "Privileges.CredentialSpec.Config");
}

static int
read_privileges(struct extract *e, struct body_walk *walk, struct body_slots *f)
{
	struct pr_spec *s = e->spec;
	struct pr_str mode;

	if (body_walk(walk, BODY_PRIVILEGES, f->f[F_TC_PRIVILEGES], "", f) <
		0 ||
	    body_walk(walk, BODY_CREDENTIAL, f->f[F_PV_CREDENTIAL], "", f) <
		0 ||
	    body_walk(walk, BODY_SELINUX, f->f[F_PV_SELINUX], "", f) < 0 ||
	    body_walk(walk, BODY_SECCOMP, f->f[F_PV_SECCOMP], "", f) < 0 ||
	    body_walk(walk, BODY_APPARMOR, f->f[F_PV_APPARMOR], "", f) < 0)
		return -1;
	read_selinux(e, f);
	read_credential(e, f);
	s->seccomp = chosen(body_str(f->f[F_SC_MODE]));
	if (body_str(f->f[F_SC_PROFILE]).n > 0)
		s->seccomp = PR_STR("custom");
	mode = chosen(body_str(f->f[F_AA_MODE]));
	s->apparmor = pr_str_is(mode, "disabled") ? PR_STR("unconfined")
	    : mode.n == 0                         ? mode
						  : PR_STR("(unknown mode)");
	s->no_new_privs = body_bool(f->f[F_PV_NONEWPRIVS]) ? PR_YES : PR_NO;
	return 0;
}

/* Secrets and configs: the swarm finds them by their ids alone. */
static int
read_refs(struct extract *e, const struct pr_json *list, enum pr_kind kind,
    enum body_struct st, enum body_field id, const char *what)
{
	struct body_walk walk = {
	    .arena = e->arena, .checked = true, .why = e->why};

	for (size_t i = 0; i < body_count(list); i++) {
		struct body_slots f = {{NULL}};
		pr_field field = pr_arena_printf(
		    e->arena, IN_SPEC "%ss[%zu].%sID", what, i, what);

		if (body_walk(&walk, st, &list->items[i], field, &f) < 0)
			return -1;
		if (body_str(f.f[id]).n == 0)
			return body_refuse(e->why, PR_REASON_AMBIGUOUS,
			    "%s is not set", field);
		extract_ref(e, kind, PR_REF_ARGUMENT, body_str(f.f[id]), field);
	}
	return 0;
}

/* Of "address name alias ..." the engine makes "name:address". */
static int
read_hosts(struct extract *e, struct pr_strs hosts)
{
	struct pr_str *out = pr_arena_array(e->arena, hosts.n, sizeof *out);

	for (size_t i = 0; i < hosts.n; i++) {
		struct pr_str rest = hosts.v[i], part[2] = {{NULL, 0}};
		size_t n = 0;

		/* blanks that are not ASCII part words for the engine too */
		if (!pr_str_printable(rest))
			return body_refuse(e->why, PR_REASON_AMBIGUOUS,
			    IN_SPEC "Hosts[%zu] has characters that are not "
				    "printable ASCII",
			    i);
		while (rest.p != NULL && n < 2) {
			struct pr_str word = pr_str_cut(&rest, ' ');

			if (word.n > 0)
				part[n++] = word;
		}
		out[i] = n < 2
		    ? hosts.v[i]
		    : pr_str_of(pr_arena_printf(e->arena, "%.*s:%.*s",
			  PR_STRF(part[1]), PR_STRF(part[0])));
	}
	e->spec->extra_hosts = (struct pr_strs){out, hosts.n};
	return 0;
}

/*
 * The node that runs a task expands templates in what is mounted: what it
 * would be then is not what was judged.
 */
static int
no_templates(const struct extract *e)
{
	const struct pr_spec *s = e->spec;

	for (size_t i = 0; i < s->n_mounts; i++) {
		if (s->mounts[i].has_template)
			return body_refuse(e->why, PR_REASON_AMBIGUOUS,
			    "%s holds a template ({{), which the node that "
			    "runs the task expands",
			    s->mounts[i].field);
	}
	return 0;
}

static int
read_container(struct extract *e, struct body_walk *walk, struct body_slots *f)
{
	struct pr_spec *s = e->spec;

	s->task_labels = body_map(e->arena, f->f[F_TC_LABELS]);
	s->user = body_str(f->f[F_TC_USER]);
	s->user_given = s->user.n > 0;
	s->env = body_strs(e->arena, f->f[F_TC_ENV]);
	s->group_add = body_strs(e->arena, f->f[F_TC_GROUPS]);
	s->read_only_rootfs = body_bool(f->f[F_TC_READONLY]);
	s->sysctls = body_map(e->arena, f->f[F_TC_SYSCTLS]);
	s->cap_add = extract_capabilities(e->arena, f->f[F_TC_CAPADD]);
	s->cap_drop = extract_capabilities(e->arena, f->f[F_TC_CAPDROP]);
	s->oom_score = body_int(f->f[F_TC_OOMSCORE]);
	extract_health(e, f->f[F_TC_HEALTH]);
	/* what a plugin is made of has no image: the rest counts all the same */
	if (((s->must_default == NULL || body_str(f->f[F_TC_IMAGE]).n > 0) &&
		extract_image(e, f->f[F_TC_IMAGE], IN_SPEC "Image") < 0) ||
	    extract_mount_list(e, f->f[F_TC_MOUNTS], IN_SPEC "Mounts") < 0 ||
	    no_templates(e) < 0 ||
	    extract_ulimits(e, f->f[F_TC_ULIMITS], true, IN_SPEC "Ulimits") <
		0 ||
	    read_hosts(e, body_strs(e->arena, f->f[F_TC_HOSTS])) < 0 ||
	    read_privileges(e, walk, f) < 0 ||
	    body_walk(walk, BODY_DNSCONFIG, f->f[F_TC_DNS], "", f) < 0)
		return -1;
	s->dns = extract_join(e->arena,
	    (const struct pr_json *const[]){
		f->f[F_DN_SERVERS], f->f[F_DN_OPTIONS], f->f[F_DN_SEARCH]},
	    3);
	if (read_refs(e, f->f[F_TC_SECRETS], PR_KIND_SECRET, BODY_SECRETREF,
		F_SR_ID, "Secret") < 0)
		return -1;
	return read_refs(e, f->f[F_TC_CONFIGS], PR_KIND_CONFIG, BODY_CONFIGREF,
	    F_CF_ID, "Config");
}

/* What nodes say that they have, GPUs for instance. */
static int
read_generic(struct extract *e, const struct pr_json *list)
{
	struct body_walk walk = {
	    .arena = e->arena, .checked = true, .why = e->why};
	struct pr_spec *s = e->spec;

	s->n_asks = body_count(list);
	s->asks = pr_arena_array(e->arena, s->n_asks, sizeof *s->asks);
	for (size_t i = 0; i < s->n_asks; i++) {
		struct body_slots f = {{NULL}};
		struct pr_str *kind = pr_arena_array(e->arena, 2, sizeof *kind);

		if (body_walk(&walk, BODY_GENERIC, &list->items[i], "", &f) <
			0 ||
		    body_walk(&walk, BODY_GENERICNAMED, f.f[F_GR_NAMED], "",
			&f) < 0 ||
		    body_walk(&walk, BODY_GENERICCOUNT, f.f[F_GR_DISCRETE], "",
			&f) < 0)
			return -1;
		kind[0] = body_str(f.f[F_GD_KIND]);
		kind[1] = body_str(f.f[F_GN_KIND]);
		s->asks[i] = (struct pr_device_ask){.driver = PR_STR("swarm"),
		    .count = body_int(f.f[F_GD_VALUE]),
		    .capabilities = {kind[0].n > 0 ? kind : kind + 1,
			(size_t)(kind[0].n > 0) + (size_t)(kind[1].n > 0)},
		    .ids = f.f[F_GR_NAMED] != NULL};
	}
	return 0;
}

static int
read_resources(struct extract *e, struct body_walk *walk, struct body_slots *f)
{
	struct pr_spec *s = e->spec;
	int64_t swap;

	if (body_walk(walk, BODY_TASKRESOURCES, f->f[F_TA_RESOURCES], "", f) <
		0 ||
	    body_walk(walk, BODY_TASKLIMITS, f->f[F_TR_LIMITS], "", f) < 0 ||
	    body_walk(walk, BODY_RESERVATIONS, f->f[F_TR_RESERVATIONS], "", f) <
		0)
		return -1;
	s->memory = body_int(f->f[F_TL_MEMORY]);
	s->cpus = body_int(f->f[F_TL_CPUS]);
	s->pids = body_int(f->f[F_TL_PIDS]);
	/* swap alone here, memory and swap together there */
	swap = body_int(f->f[F_TR_SWAP]);
	if (f->f[F_TR_SWAP] == NULL)
		s->swap = 0;
	else if (swap < 0 || s->memory < 0 || swap > INT64_MAX - s->memory)
		s->swap = -1;
	else
		s->swap = s->memory + swap;
	return read_generic(e, f->f[F_RV_GENERIC]);
}

/* A task is replaced where a container is restarted. */
static void
read_restart(struct extract *e, const struct body_slots *f)
{
	static const struct {
		const char *condition, *policy;
	} words[] = {{"", "always"}, {"any", "always"}, {"none", "no"},
	    {"on-failure", "on-failure"}};
	struct pr_str condition = body_str(f->f[F_RP_CONDITION]);

	e->spec->restart = condition;
	e->spec->restart_max = body_int(f->f[F_RP_ATTEMPTS]);
	for (size_t i = 0; i < PR_COUNT(words); i++) {
		if (pr_str_is(condition, words[i].condition))
			e->spec->restart = pr_str_of(words[i].policy);
	}
}

static int
read_networks(struct extract *e, const struct pr_json *list, const char *where)
{
	struct body_walk walk = {
	    .arena = e->arena, .checked = true, .why = e->why};

	for (size_t i = 0; i < body_count(list); i++) {
		struct pr_endpoint *out =
		    &e->spec->endpoints[e->spec->n_endpoints++];
		struct body_slots f = {{NULL}};
		pr_field field =
		    pr_arena_printf(e->arena, "%s[%zu].Target", where, i);

		if (body_walk(
			&walk, BODY_ATTACHMENT, &list->items[i], field, &f) < 0)
			return -1;
		out->network =
		    extract_network_mode(e, body_str(f.f[F_NT_TARGET]), field);
		out->driver_opts = body_map(e->arena, f.f[F_NT_OPTS]);
	}
	return 0;
}

/* Published by the mesh on every node, or by the task's node: all addresses. */
static int
read_ports(struct extract *e, const struct pr_json *ports)
{
	struct body_walk walk = {
	    .arena = e->arena, .checked = true, .why = e->why};
	struct pr_spec *s = e->spec;

	s->ports =
	    pr_arena_array(e->arena, body_count(ports), sizeof *s->ports);
	for (size_t i = 0; i < body_count(ports); i++) {
		struct body_slots f = {{NULL}};
		pr_field field =
		    pr_arena_printf(e->arena, "EndpointSpec.Ports[%zu]", i);
		int64_t port;

		if (body_walk(&walk, BODY_PORT, &ports->items[i], field, &f) <
		    0)
			return -1;
		port = body_int(f.f[F_PO_PUBLISHED]);
		s->ports[s->n_ports++] = (struct pr_port){.field = field,
		    .inside = pr_str_of(pr_arena_printf(
			e->arena, "%" PRId64, body_int(f.f[F_PO_TARGET]))),
		    .port = port == 0 ? (struct pr_str){NULL, 0}
				      : pr_str_of(pr_arena_printf(
					    e->arena, "%" PRId64, port))};
	}
	return 0;
}

static int
read_task(struct extract *e, struct body_walk *walk, struct body_slots *f)
{
	struct pr_spec *s = e->spec;
	struct pr_str runtime;

	if (body_walk(walk, BODY_TASK, f->f[F_SV_TASK], "", f) < 0 ||
	    body_walk(walk, BODY_TASKCONTAINER, f->f[F_TA_CONTAINER], "", f) <
		0 ||
	    body_walk(walk, BODY_TASKRESTART, f->f[F_TA_RESTART], "", f) < 0 ||
	    body_walk(walk, BODY_DRIVER, f->f[F_TA_LOG], "", f) < 0)
		return -1;
	runtime = body_str(f->f[F_TA_RUNTIME]);
	if (runtime.n > 0 && !pr_str_is(runtime, "container")) {
		s->must_default = IN_TASK "Runtime";
		s->installs_plugin = true;
	}
	if (body_count(f->f[F_TA_PLUGIN]) > 0)
		s->installs_plugin = true;
	read_restart(e, f);
	s->log_driver = body_str(f->f[F_DR_NAME]);
	s->log_opts = body_map(e->arena, f->f[F_DR_OPTIONS]);
	if (read_resources(e, walk, f) < 0)
		return -1;
	return read_container(e, walk, f);
}

/* A whole ServiceSpec: of a body, or what the daemon shows of a service. */
static int
read_service(
    struct extract *e, struct body_walk *walk, const struct pr_json *json)
{
	struct body_slots *f = pr_arena_alloc(e->arena, sizeof *f);
	struct pr_spec *s = e->spec;

	if (body_walk(walk, BODY_SERVICE, json, "", f) < 0)
		return -1;
	walk->checked = true;
	s->unknown_field = walk->unknown_field;
	s->must_default = walk->must_default;
	s->labels = body_map(e->arena, f->f[F_SV_LABELS]);
	if (read_task(e, walk, f) < 0 ||
	    body_walk(walk, BODY_PUBLISHED, f->f[F_SV_ENDPOINT], "", f) < 0)
		return -1;
	s->endpoints = pr_arena_array(e->arena,
	    body_count(f->f[F_SV_NETWORKS]) + body_count(f->f[F_TA_NETWORKS]),
	    sizeof *s->endpoints);
	s->service_name = body_str(f->f[F_SV_NAME]);
	/* the older place counts where the newer is empty: both are judged */
	if (read_networks(e, f->f[F_TA_NETWORKS], IN_TASK "Networks") < 0 ||
	    read_networks(e, f->f[F_SV_NETWORKS], "Networks") < 0)
		return -1;
	return read_ports(e, f->f[F_PB_PORTS]);
}

/* An update says which state of the service it is about. */
static int
read_update(struct extract *e, const struct pr_request *rq)
{
	struct pr_str rollback = extract_query(rq, "rollback");
	struct pr_str version = extract_query(rq, "version");

	if (!pr_str_u64(version, &e->spec->service_version))
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "the query key version is no number");
	if (pr_str_is(rollback, "previous"))
		e->spec->rolls_back = true;
	else if (rollback.n > 0 && !pr_str_is(rollback, "none"))
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "the query key rollback is neither previous nor none");
	return 0;
}

int
extract_service(struct extract *e, const struct pr_request *rq)
{
	struct body_walk walk = {
	    .arena = e->arena, .echoes = e->echoes, .why = e->why};
	struct pr_spec *s = e->spec;

	s->body = PR_SPEC_SERVICE;
	if (rq->op->op == PR_OP_SERVICE_UPDATE && read_update(e, rq) < 0)
		return -1;
	if (s->rolls_back) {
		s->body = PR_SPEC_UNREAD; /* until it is looked up */
		s->unread = "the service's previous spec";
		/* the body is checked by the daemon and then dropped */
		if (body_walk(&walk, BODY_SERVICE, rq->json, "", NULL) < 0)
			return -1;
		s->unknown_field = walk.unknown_field;
		return 0;
	}
	if (read_service(e, &walk, rq->json) < 0)
		return -1;
	if (s->service_name.n > 0 && rq->op->op == PR_OP_SERVICE_CREATE)
		extract_ref(e, PR_KIND_SERVICE, PR_REF_NEW_NAME,
		    s->service_name, "Name");
	return 0;
}

/* "Version": {"Index": 17} */
static bool
is_version(const struct pr_json *inspect, uint64_t want)
{
	const struct pr_json *v = pr_json_get(inspect, PR_STR("Version"));

	if (v == NULL || v->type != PR_JSON_OBJECT)
		return false;
	v = pr_json_get(v, PR_STR("Index"));
	return v != NULL && v->type == PR_JSON_NUMBER &&
	    (v->flags & PR_JSON_INT) != 0 && v->i >= 0 &&
	    (uint64_t)v->i == want;
}

int
pr_spec_roll_back(const struct pr_extract *x, struct pr_spec *s,
    const struct pr_json *inspect)
{
	struct pr_refusal why = {0};
	struct extract e = {.x = x, .arena = x->arena, .spec = s, .why = &why};
	struct body_walk walk = {
	    .arena = x->arena, .stored = true, .why = &why};
	const struct pr_spec was = *s;
	const struct pr_json *before;

	if (inspect == NULL || inspect->type != PR_JSON_OBJECT ||
	    !is_version(inspect, s->service_version))
		return -1;
	before = pr_json_get(inspect, PR_STR("PreviousSpec"));
	if (before == NULL || before->type != PR_JSON_OBJECT)
		return -1;
	if (read_service(&e, &walk, before) < 0) {
		*s = was; /* nothing of what was read so far counts */
		return -1;
	}
	if (was.unknown_field != NULL)
		s->unknown_field = was.unknown_field;
	s->body = PR_SPEC_SERVICE;
	return 0;
}
