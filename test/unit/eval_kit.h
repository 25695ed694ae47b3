/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of specs, profiles and decisions share: a policy from a text,
 * a request from a line, objects from JSON, and the question put together as
 * the judge does.  JSON is written with ' for ", so that rows stay readable.
 */
#ifndef EVAL_KIT_H
#define EVAL_KIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/buf.h>
#include <portreeve/caps.h>
#include <portreeve/decide.h>
#include <portreeve/diag.h>
#include <portreeve/policytest.h>
#include <portreeve/resolve.h>

#include "counted.h"
#include "unit.h"

enum kit_memory { /* what the daemon and the host are said to know */
	KIT_KNOWS = 0,
	KIT_CANNOT_TELL,
	KIT_WOULD_WAIT,
};

struct kit {
	struct pr_arena *arena;
	enum kit_memory memory;
	struct pr_policy *policy;
	const char *host; /* NULL: "h" */
	const struct pr_json *objects, *paths;
	struct counted counted;
	struct pr_question q; /* the last one, and what it stands on */
	struct pr_request rq;
	struct pr_who who;
	struct pr_spec *spec;
	struct pr_refusal why;
};

struct ask {                 /* one question, as a row of a table writes it */
	const char *as;      /* "alice@pay+ops"; NULL: "alice@pay" */
	const char *call;    /* "POST /v1.41/containers/web/start" */
	const char *body;    /* JSON, or NULL */
	const char *objects; /* JSON array, or NULL */
	const char *paths;   /* JSON array, or NULL */
	const char *there;   /* containers (counted.h), or NULL */
	const char *ran;     /* images (counted.h), or NULL */
	const char *team;    /* X-Portreeve-Team, or NULL */
	bool plugin;
	bool break_glass;
	bool one_node; /* of the swarm */
	int64_t now;   /* seconds */
};

static inline struct kit
kit_new(const char *yaml)
{
	struct kit k = {.arena = pr_arena_new(1 << 14)};
	struct pr_diags *ds = pr_diags_new();

	if (yaml != NULL) {
		k.policy = pr_policy_parse("policy.yaml", pr_str_of(yaml), ds);
		if (k.policy == NULL) {
			printf("%s\n", yaml);
			pr_diags_print(ds, stdout);
		}
		ck_assert_ptr_nonnull(k.policy);
	}
	pr_diags_free(ds);
	return k;
}

static inline void
kit_free(struct kit *k)
{
	pr_policy_unref(k->policy);
	pr_arena_free(k->arena);
}

/* ' becomes ", for JSON in C. */
static inline struct pr_str
kit_text(struct kit *k, const char *s)
{
	char *copy = pr_arena_strdup(k->arena, pr_str_of(s));

	for (size_t i = 0; copy[i] != '\0'; i++) {
		if (copy[i] == '\'')
			copy[i] = '"';
	}
	return pr_str_of(copy);
}

static inline const struct pr_json *
kit_json(struct kit *k, const char *s)
{
	struct pr_json_fault fault = {0, 0, NULL};
	const struct pr_json *v;

	if (s == NULL)
		return NULL;
	v = pr_json_read(k->arena, kit_text(k, s), &fault);
	if (v == NULL)
		printf("%s\n  at %u: %s\n", s, fault.at, fault.text);
	ck_assert_ptr_nonnull(v);
	return v;
}

static inline const struct pr_json *
kit_get(const struct pr_json *o, const char *key)
{
	const struct pr_json *v = o != NULL && o->type == PR_JSON_OBJECT
	    ? pr_json_get(o, pr_str_of(key))
	    : NULL;

	return v != NULL && v->type != PR_JSON_NULL ? v : NULL;
}

static inline struct pr_str
kit_str(const struct pr_json *o, const char *key)
{
	const struct pr_json *v = kit_get(o, key);

	return v != NULL && v->type == PR_JSON_STRING
	    ? v->str
	    : (struct pr_str){NULL, 0};
}

static inline bool
kit_true(const struct pr_json *o, const char *key)
{
	const struct pr_json *v = kit_get(o, key);

	return v != NULL && v->type == PR_JSON_TRUE;
}

/*
 * {'kind','ref', 'team','phase' (ledger), 'labels', 'presence', 'by', 'id',
 * 'name','inspect', 'container', 'driver', 'options', ...}
 */
static inline void
kit_fill_object(struct pr_object *o, const struct pr_json *v)
{
	struct pr_str presence = kit_str(v, "presence"), by = kit_str(v, "by");

	o->presence = pr_str_is(presence, "absent") ? PR_ABSENT
	    : pr_str_is(presence, "unknown")        ? PR_PRESENCE_UNKNOWN
						    : PR_PRESENT;
	o->by = pr_str_is(by, "id")   ? PR_BY_ID
	    : pr_str_is(by, "prefix") ? PR_BY_PREFIX
				      : PR_BY_NAME;
	o->ambiguous = kit_true(v, "ambiguous");
	o->id = kit_str(v, "id");
	o->name = kit_str(v, "name");
	o->in_ledger =
	    kit_get(v, "team") != NULL || kit_get(v, "phase") != NULL;
	o->ledger_team = kit_str(v, "team");
	o->ledger_phase = kit_str(v, "phase");
	o->labels = kit_get(v, "labels");
	o->inspect = kit_get(v, "inspect");
	o->container = kit_str(v, "container");
	o->image_id = kit_str(v, "image_id");
	o->exec_privileged = kit_true(v, "exec_privileged");
	o->exec_user = kit_str(v, "exec_user");
	o->driver = kit_str(v, "driver");
	o->options = kit_get(v, "options");
	o->builtin = kit_true(v, "builtin");
	o->repo_tags = kit_get(v, "repo_tags");
	o->repo_digests = kit_get(v, "repo_digests");
	o->config = kit_get(v, "config");
}

static inline const struct pr_object *
kit_object(void *arg, enum pr_kind kind, struct pr_str name, bool lazy)
{
	struct kit *k = arg;
	struct pr_object *o;

	if (lazy || k->memory == KIT_WOULD_WAIT)
		return NULL;
	o = pr_arena_alloc(k->arena, sizeof *o);
	o->kind = kind;
	if (k->memory == KIT_CANNOT_TELL)
		return o;
	o->presence = PR_ABSENT;
	for (uint32_t i = 0; k->objects != NULL && i < k->objects->n; i++) {
		const struct pr_json *v = &k->objects->items[i];
		struct pr_str of = kit_str(v, "kind");

		if (pr_str_is(of.n > 0 ? of : PR_STR("container"),
			pr_kind_name(kind)) &&
		    pr_str_eq(kit_str(v, "ref"), name)) {
			kit_fill_object(o, v);
			break;
		}
	}
	return o;
}

/* {'path', 'link': length, 'protected', 'shared', 'unknown', 'alone': others' mounts unknown} */
static inline const struct pr_path_fact *
kit_path(void *arg, struct pr_str path, bool writes, struct pr_str except)
{
	struct kit *k = arg;
	struct pr_path_fact *f = pr_arena_alloc(k->arena, sizeof *f);

	(void)writes;
	(void)except;
	if (k->memory != KIT_KNOWS)
		return k->memory == KIT_WOULD_WAIT ? NULL : f;
	f->known = f->exists = f->shared_known = true;
	f->real = path;
	for (uint32_t i = 0; k->paths != NULL && i < k->paths->n; i++) {
		const struct pr_json *v = &k->paths->items[i];
		const struct pr_json *link = kit_get(v, "link");

		if (!pr_str_eq(kit_str(v, "path"), path))
			continue;
		f->known = !kit_true(v, "unknown");
		f->shared_known = f->known && !kit_true(v, "alone");
		f->last_link = link != NULL ? (size_t)link->i : 0;
		f->is_protected = kit_true(v, "protected");
		f->protected_by = path;
		f->shared = kit_true(v, "shared");
	}
	return f;
}

static inline struct pr_call
kit_call(struct kit *k, const char *line, const char *body)
{
	struct pr_str target = pr_str_of(line),
		      method = pr_str_cut(&target, ' ');
	struct pr_header *h = pr_arena_array(k->arena, 1, sizeof *h);
	struct pr_call call = {.method = method,
	    .target = target,
	    .headers = h,
	    .n_headers = 1,
	    .max_body = PR_CAP_PLUGIN_BODY};

	if (body != NULL) {
		*h = (struct pr_header){
		    PR_STR("Content-Type"), PR_STR("application/json")};
		call.body = kit_text(k, body);
		call.body_shown = true;
	} else {
		*h = (struct pr_header){PR_STR("Content-Length"), PR_STR("0")};
		call.n_headers = !pr_str_is(method, "GET");
	}
	return call;
}

/* The spec of a request; NULL and k->why if it is refused. */
static inline struct pr_spec *
kit_spec(struct kit *k, const char *line, const char *body)
{
	struct pr_call call = kit_call(k, line, body);
	struct pr_extract x = {k->arena, true};

	k->why = (struct pr_refusal){.reason = PR_REASON_NONE};
	k->spec = NULL;
	if (pr_request_read(k->arena, &call, &k->rq, &k->why) < 0 ||
	    pr_spec_read(&x, &k->rq, &k->spec, &k->why) < 0)
		return NULL;
	return k->spec;
}

/* Resolves the request that kit_spec read; nothing is decided yet. */
static inline void
kit_resolve(struct kit *k, const struct ask *a)
{
	struct pr_lookup lookup = {k, kit_object, kit_path};
	struct pr_facts f = {.arena = k->arena,
	    .lookup = &lookup,
	    .plugin = a->plugin,
	    .one_node = a->one_node};

	k->objects = kit_json(k, a->objects);
	k->paths = kit_json(k, a->paths);
	pr_resolve(&f, &k->rq, k->spec);
	pr_resolve_lazy(&f, k->spec);
	k->q = (struct pr_question){.policy = k->policy,
	    .request = &k->rq,
	    .who = &k->who,
	    .door = a->plugin ? PR_DOOR_PLUGIN : PR_DOOR_PROXY,
	    .now = a->now * 1000000000,
	    .refs = f.refs,
	    .n_refs = f.n_refs,
	    .spec = k->spec,
	    .stored = f.stored,
	    .stored_known = f.stored_known,
	    .wanted_team = pr_str_of(a->team)};
	k->q.env.break_glass = a->break_glass;
}

/* All of it; a refusal comes out as a denial with its reason. */
static inline void
kit_decide(struct kit *k, const struct ask *a, struct pr_decision *d)
{
	struct pr_str unknown = {NULL, 0};

	*d = (struct pr_decision){
	    .grant = -1, .guard = -1, .key = -1, .team = -1, .phase = -1};
	kit_spec(k, a->call, a->body);
	if (k->why.reason != PR_REASON_NONE) {
		d->reason = k->why.reason;
		snprintf(d->what, sizeof d->what, "%s", k->why.text);
		return;
	}
	kit_resolve(k, a);
	if (!pr_who_read(k->policy, k->arena,
		pr_str_of(a->as != NULL ? a->as : "alice@pay"), &k->who,
		&unknown))
		ck_abort_msg("no team %.*s", PR_STRF(unknown));
	k->q.served = pr_policy_host(
	    k->policy, pr_str_of(k->host != NULL ? k->host : "h"));
	if (k->memory == KIT_KNOWS) {
		k->counted.containers = kit_json(k, a->there);
		k->counted.ran = kit_json(k, a->ran);
	}
	counted_ask(&k->q, &k->counted);
	pr_decide(k->arena, &k->q, d);
}

#endif /* EVAL_KIT_H */
