/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision, asked by lines of JSON on stdin and answered by lines of JSON
 * on stdout: for the oracle's differential run and for the reproduction of a
 * single case.  docs/HACKING.md describes the lines.
 *
 *   {"policy": "<yaml>", "host": "dev-1"}   ->  {"policy": "ok"} or "error"
 *   {"who": {...}, "method": ..., ...}      ->  {"verdict": ..., ...}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/buf.h>
#include <portreeve/caps.h>
#include <portreeve/decide.h>
#include <portreeve/resolve.h>

#include "counted.h"
#include "local.h"

struct world {
	struct pr_policy *policy;
	char host[128];
	struct pr_arena *arena; /* of one question */
	const struct pr_json *objects, *paths;
	const struct pr_json *users; /* of volumes that nobody named */
};

static struct pr_str
text(const struct pr_json *o, const char *key)
{
	const struct pr_json *v = o != NULL && o->type == PR_JSON_OBJECT
	    ? pr_json_get(o, pr_str_of(key))
	    : NULL;

	return v != NULL && v->type == PR_JSON_STRING
	    ? v->str
	    : (struct pr_str){NULL, 0};
}

static const struct pr_json *
get(const struct pr_json *o, const char *key)
{
	const struct pr_json *v = o != NULL && o->type == PR_JSON_OBJECT
	    ? pr_json_get(o, pr_str_of(key))
	    : NULL;

	return v != NULL && v->type != PR_JSON_NULL ? v : NULL;
}

static bool
flag(const struct pr_json *o, const char *key)
{
	const struct pr_json *v = get(o, key);

	return v != NULL && v->type == PR_JSON_TRUE;
}

static int64_t
number(const struct pr_json *o, const char *key, int64_t otherwise)
{
	const struct pr_json *v = get(o, key);

	return v != NULL && v->type == PR_JSON_NUMBER ? v->i : otherwise;
}

static enum pr_kind
kind_of(struct pr_str name)
{
	for (unsigned k = 0; k < PR_KIND_COUNT; k++) {
		if (pr_str_is(name, pr_kind_name((enum pr_kind)k)))
			return (enum pr_kind)k;
	}
	return PR_KIND_NONE;
}

static void
fill_object(struct pr_object *o, const struct pr_json *v)
{
	const struct pr_json *ledger = get(v, "ledger");
	struct pr_str by = text(v, "by");

	o->presence = pr_str_is(text(v, "presence"), "absent") ? PR_ABSENT
	    : pr_str_is(text(v, "presence"), "unknown") ? PR_PRESENCE_UNKNOWN
							: PR_PRESENT;
	o->ambiguous = flag(v, "ambiguous");
	o->by = pr_str_is(by, "id")   ? PR_BY_ID
	    : pr_str_is(by, "prefix") ? PR_BY_PREFIX
				      : PR_BY_NAME;
	o->id = text(v, "id");
	o->name = text(v, "name");
	o->in_ledger = ledger != NULL;
	o->ledger_team = text(ledger, "team");
	o->ledger_phase = text(ledger, "phase");
	o->labels = get(v, "labels");
	o->inspect = get(v, "inspect");
	o->running = flag(v, "running");
	o->container = text(v, "container");
	o->image_id = text(v, "image_id");
	o->exec_privileged = flag(v, "exec_privileged");
	o->exec_user = text(v, "exec_user");
	o->driver = text(v, "driver");
	o->options = get(v, "options");
	o->builtin = flag(v, "builtin");
	o->repo_tags = get(v, "repo_tags");
	o->repo_digests = get(v, "repo_digests");
	o->config = get(v, "config");
}

static struct pr_str
owner_word(const struct pr_json *v, const char *word, struct pr_str label)
{
	const struct pr_json *ledger = get(v, "ledger"), *labels = NULL;
	const struct pr_json *said;

	if (ledger != NULL)
		return text(ledger, word);
	labels = get(v, "labels");
	said = labels != NULL ? pr_json_get(labels, label) : NULL;
	return said != NULL && said->type == PR_JSON_STRING
	    ? said->str
	    : (struct pr_str){NULL, 0};
}

/* As policy/judge/volume.c does with the daemon's list. */
static void
give_volume(const struct world *w, struct pr_object *o)
{
	const struct pr_policy *p = w->policy;
	struct volume_user *users;
	size_t n = 0;

	if (!volume_is_nameless(p, o))
		return;
	if (w->users == NULL || w->users->type != PR_JSON_ARRAY) {
		o->presence = PR_PRESENCE_UNKNOWN;
		return;
	}
	users = pr_arena_array(w->arena, w->users->n + 1, sizeof *users);
	for (uint32_t i = 0; i < w->users->n; i++) {
		const struct pr_json *v = &w->users->items[i];

		if (pr_str_eq(text(v, "volume"), o->id))
			users[n++] = (struct volume_user){
			    owner_word(v, "team", p->label_team),
			    owner_word(v, "phase", p->label_phase)};
	}
	volume_give(users, n, o);
}

static const struct pr_object *
object_of(void *arg, enum pr_kind kind, struct pr_str name, bool lazy)
{
	struct world *w = arg;
	struct pr_object *o;

	if (lazy)
		return NULL;
	o = pr_arena_alloc(w->arena, sizeof *o);
	o->kind = kind;
	o->presence = PR_ABSENT;
	for (uint32_t i = 0; w->objects != NULL && i < w->objects->n; i++) {
		const struct pr_json *v = &w->objects->items[i];

		if (kind_of(text(v, "kind")) == kind &&
		    pr_str_eq(text(v, "ref"), name)) {
			fill_object(o, v);
			break;
		}
	}
	give_volume(w, o);
	return o;
}

static const struct pr_path_fact *
path_of(void *arg, struct pr_str path, bool writes, struct pr_str except)
{
	struct world *w = arg;
	struct pr_path_fact *f = pr_arena_alloc(w->arena, sizeof *f);

	(void)writes;
	(void)except;
	f->real = path;
	for (uint32_t i = 0; w->paths != NULL && i < w->paths->n; i++) {
		const struct pr_json *v = &w->paths->items[i];

		if (!pr_str_eq(text(v, "path"), path))
			continue;
		f->known = flag(v, "known");
		f->exists = flag(v, "exists");
		f->last_link = (size_t)number(v, "last_link", 0);
		f->is_protected = flag(v, "protected");
		f->shared = flag(v, "shared");
		f->shared_known = f->known;
	}
	return f;
}

static size_t
read_headers(
    struct pr_arena *a, const struct pr_json *v, struct pr_header **out)
{
	if (v == NULL || v->type != PR_JSON_OBJECT)
		return 0;
	*out = pr_arena_array(a, v->n, sizeof **out);
	for (uint32_t i = 0; i < v->n; i++)
		(*out)[i] = (struct pr_header){
		    v->members[i].key, v->members[i].value.str};
	return v->n;
}

static void
read_who(struct world *w, const struct pr_json *v, struct pr_who *who)
{
	const struct pr_json *teams = get(v, "teams");
	unsigned *list;

	who->name = text(v, "name");
	who->source = text(v, "source");
	who->anonymous = flag(v, "anonymous");
	if (teams == NULL || teams->type != PR_JSON_ARRAY)
		return;
	list = pr_arena_array(w->arena, teams->n, sizeof *list);
	for (uint32_t i = 0; i < teams->n; i++) {
		int t = pr_policy_team(w->policy, teams->items[i].str);

		if (t < 0)
			continue;
		/* ascending, each once */
		size_t at = who->n_teams;

		while (at > 0 && list[at - 1] > (unsigned)t)
			at--;
		if (at > 0 && list[at - 1] == (unsigned)t)
			continue;
		memmove(list + at + 1, list + at,
		    (who->n_teams - at) * sizeof *list);
		list[at] = (unsigned)t;
		who->n_teams++;
	}
	who->teams = list;
}

static void
answer(const struct world *w, const struct pr_decision *d)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	const struct pr_policy *p = w->policy;
	const struct pr_str none = {NULL, 0};

	pr_buf_printf(&b, "{\"verdict\":\"%s\",\"reason\":\"%s\",\"grant\":",
	    d->verdict != PR_ALLOW ? "deny"
		: d->would_deny    ? "would-deny"
				   : "allow",
	    pr_reason_code(d->reason));
	pr_buf_json(&b, d->grant >= 0 ? p->grants[d->grant].id : none);
	pr_buf_cstr(&b, ",\"guard\":");
	pr_buf_json(&b, d->guard >= 0 ? p->guards[d->guard].id : none);
	pr_buf_cstr(&b, ",\"key\":");
	pr_buf_json(&b,
	    d->key >= 0
		? pr_str_of(pr_profile_key((enum pr_profile_key)d->key)->path)
		: none);
	pr_buf_cstr(&b, ",\"phase\":");
	pr_buf_json(&b, d->phase >= 0 ? p->phases[d->phase].name : none);
	pr_buf_cstr(&b, ",\"owner_team\":");
	pr_buf_json(
	    &b, d->owner_team >= 0 ? p->teams[d->owner_team].name : none);
	pr_buf_cstr(&b, ",\"what\":");
	pr_buf_json(&b, pr_str_of(d->what));
	pr_buf_cstr(&b, "}\n");
	fwrite(b.p, 1, b.n, stdout);
}

static void
refuse(const struct world *w, const struct pr_refusal *why)
{
	struct pr_decision d = {.reason = why->reason,
	    .grant = -1,
	    .guard = -1,
	    .key = -1,
	    .phase = -1,
	    .owner_team = -1};

	snprintf(d.what, sizeof d.what, "%s", why->text);
	answer(w, &d);
}

/* The phases that a listener lets in: all, if it does not say. */
static pr_phase_mask
listener(const struct world *w, const struct pr_json *v)
{
	pr_phase_mask mask = 0;

	if (v == NULL || v->type != PR_JSON_ARRAY)
		return ~(pr_phase_mask)0;
	for (uint32_t i = 0; i < v->n; i++) {
		int phase = pr_policy_phase(w->policy, v->items[i].str);

		if (phase >= 0)
			mask |= (pr_phase_mask)1 << phase;
	}
	return mask;
}

static size_t
anonymous_teams(const struct pr_policy *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_teams; i++)
		n += p->teams[i].anonymous;
	return n;
}

/* What dockerd says of its listeners: nothing said is none without TLS. */
static enum pr_tri
plain_tcp(const struct pr_json *daemon)
{
	if (pr_str_is(text(daemon, "plain_tcp"), "unknown"))
		return PR_CANNOT_TELL;
	return flag(daemon, "plain_tcp") ? PR_YES : PR_NO;
}

static void
question(struct world *w, const struct pr_json *v)
{
	const struct pr_json *body = get(v, "body"), *daemon = get(v, "daemon");
	bool plugin = !pr_str_is(text(v, "door"), "proxy");
	struct pr_header *headers = NULL;
	struct pr_refusal why = {0};
	struct pr_request rq;
	struct pr_spec *spec = NULL;
	struct pr_decision d, lifted;
	struct pr_who who = {0};
	struct pr_extract x = {w->arena, plugin};
	struct pr_lookup lookup = {w, object_of, path_of};
	struct pr_facts facts = {.arena = w->arena,
	    .lookup = &lookup,
	    .plugin = plugin,
	    .one_node = number(daemon, "swarm_nodes", 0) == 1};
	struct pr_call call = {.method = text(v, "method"),
	    .target = text(v, "target"),
	    .max_body = PR_CAP_PLUGIN_BODY};

	call.n_headers = read_headers(w->arena, get(v, "headers"), &headers);
	call.headers = headers;
	if (body != NULL && body->type == PR_JSON_STRING) {
		call.body = body->str;
		call.body_shown = true;
	}
	w->objects = get(v, "objects");
	w->paths = get(v, "paths");
	w->users = get(v, "volume_users");
	if (pr_request_read(w->arena, &call, &rq, &why) < 0 ||
	    pr_spec_read(&x, &rq, &spec, &why) < 0) {
		refuse(w, &why);
		return;
	}
	read_who(w, get(v, "who"), &who);
	why.reason = anonymous_refused(&who,
	    plugin ? PR_DOOR_PLUGIN : PR_DOOR_PROXY, anonymous_teams(w->policy),
	    flag(v, "accept_plain_tcp"), plain_tcp(daemon));
	if (why.reason != PR_REASON_NONE) {
		refuse(w, &why);
		return;
	}
	pr_resolve(&facts, &rq, spec);
	pr_resolve_lazy(&facts, spec);

	struct pr_question q = {.policy = w->policy,
	    .request = &rq,
	    .who = &who,
	    .door = plugin ? PR_DOOR_PLUGIN : PR_DOOR_PROXY,
	    .served = pr_policy_host(w->policy, pr_str_of(w->host)),
	    .now = number(v, "now", 0) * 1000000000,
	    .refs = facts.refs,
	    .n_refs = facts.n_refs,
	    .spec = spec,
	    .stored = facts.stored,
	    .stored_known = facts.stored_known,
	    .wanted_team = text(v, "wanted_team")};

	q.env.default_runtime = text(daemon, "runtime");
	q.env.default_log_driver = text(daemon, "log_driver");
	q.env.default_cgroupns = text(daemon, "cgroupns");
	q.host = q.served;
	q.served &= listener(w, get(v, "listener"));

	struct counted counted = {
	    .containers = get(v, "containers"), .ran = get(v, "ran")};

	counted_ask(&q, &counted);
	pr_decide(w->arena, &q, &d);
	if (flag(v, "break_glass") &&
	    pr_decide_lifted(w->arena, &q, &d, &lifted))
		d = lifted;
	answer(w, &d);
}

static void
take_policy(struct world *w, const struct pr_json *v, struct pr_str yaml)
{
	struct pr_diags *ds = pr_diags_new();
	struct pr_str host = text(v, "host");

	pr_policy_unref(w->policy);
	/* strings of the policy may borrow its text: keep a copy */
	w->policy = pr_policy_parse("policy", yaml, ds);
	snprintf(w->host, sizeof w->host, "%.*s", PR_STRF(host));
	printf("{\"policy\":\"%s\"}\n", w->policy != NULL ? "ok" : "error");
	if (w->policy == NULL)
		pr_diags_print(ds, stderr);
	pr_diags_free(ds);
}

int
main(void)
{
	struct world w = {.arena = pr_arena_new(1 << 16)};
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		struct pr_json_fault fault;
		struct pr_str s = {line, (size_t)n};
		const struct pr_json *v;

		pr_arena_reset(w.arena, 1 << 16);
		v = pr_json_read(w.arena, pr_str_trim(s), &fault);
		if (v == NULL) {
			fprintf(stderr, "decide: byte %u: %s\n", fault.at,
			    fault.text);
			return 1;
		}
		if (get(v, "policy") != NULL)
			take_policy(&w, v, text(v, "policy"));
		else if (w.policy == NULL)
			puts("{\"error\":\"no policy\"}");
		else
			question(&w, v);
		fflush(stdout);
	}
	free(line);
	pr_policy_unref(w.policy);
	pr_arena_free(w.arena);
	return 0;
}
