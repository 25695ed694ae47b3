/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of the swarm that need no profile: secrets, configs, the swarm
 * itself, its nodes, plugins.  Every field of them is known; the rest is
 * the owner's affair (docs/semantics.md 13).
 */
#include "extract.h"

/* The struct that the daemon reads a body into, or each element of it. */
static enum body_struct
top_of(enum pr_op op)
{
	switch (op) {
	case PR_OP_SWARM_INIT:
		return BODY_SWARMINIT;
	case PR_OP_SWARM_JOIN:
		return BODY_SWARMJOIN;
	case PR_OP_SWARM_UPDATE:
		return BODY_SWARM;
	case PR_OP_SWARM_UNLOCK:
		return BODY_SWARMUNLOCK;
	case PR_OP_NODE_UPDATE:
		return BODY_NODE;
	case PR_OP_SECRET_CREATE:
	case PR_OP_SECRET_UPDATE:
		return BODY_SECRET;
	case PR_OP_CONFIG_CREATE:
	case PR_OP_CONFIG_UPDATE:
		return BODY_CONFIGOBJ;
	case PR_OP_PLUGIN_INSTALL:
	case PR_OP_PLUGIN_UPGRADE:
		return BODY_PLUGINPRIVILEGE;
	default:
		return BODY_EMPTY; /* every field is unknown */
	}
}

/* Nothing in such a body says more than the action. */
int
extract_plain(struct extract *e, const struct pr_request *rq)
{
	struct body_walk walk = {
	    .arena = e->arena, .echoes = e->echoes, .why = e->why};

	e->spec->body = PR_SPEC_PLAIN;
	if (body_walk(&walk, top_of(rq->op->op), rq->json, "", NULL) < 0)
		return -1;
	e->spec->unknown_field = walk.unknown_field;
	e->spec->must_default = walk.must_default;
	return 0;
}

/* Only "golang" is a templating driver, and it has no options. */
static void
read_templating(struct extract *e, const struct body_slots *f)
{
	struct pr_str name = body_str(f->f[F_DR_NAME]);

	if (e->spec->must_default == NULL &&
	    ((name.n > 0 && !pr_str_is(name, "golang")) ||
		body_count(f->f[F_DR_OPTIONS]) > 0))
		e->spec->must_default = "Templating";
}

/* A secret or a config: labels say whose it is. */
static int
read_kept(struct extract *e, const struct pr_request *rq, enum pr_kind kind,
    enum body_field name, enum body_field labels, enum body_field templating)
{
	struct body_walk walk = {
	    .arena = e->arena, .echoes = e->echoes, .why = e->why};
	struct body_slots f = {{NULL}};
	struct pr_spec *s = e->spec;

	s->body = PR_SPEC_PLAIN;
	if (body_walk(&walk, top_of(rq->op->op), rq->json, "", &f) < 0)
		return -1;
	s->unknown_field = walk.unknown_field;
	s->must_default = walk.must_default;
	walk.checked = true;
	if (body_walk(&walk, BODY_DRIVER, f.f[templating], "", &f) < 0)
		return -1;
	read_templating(e, &f);
	s->labels = body_map(e->arena, f.f[labels]);
	if (rq->op->creates == kind && body_str(f.f[name]).n > 0)
		extract_ref(
		    e, kind, PR_REF_NEW_NAME, body_str(f.f[name]), "Name");
	return 0;
}

int
extract_secret(struct extract *e, const struct pr_request *rq)
{
	return read_kept(
	    e, rq, PR_KIND_SECRET, F_ST_NAME, F_ST_LABELS, F_ST_TEMPLATING);
}

int
extract_config(struct extract *e, const struct pr_request *rq)
{
	return read_kept(
	    e, rq, PR_KIND_CONFIG, F_CO_NAME, F_CO_LABELS, F_CO_TEMPLATING);
}

/* A list of what a plugin may do: who installs it has agreed to that. */
int
extract_privileges(struct extract *e, const struct pr_request *rq)
{
	struct body_walk walk = {.arena = e->arena, .why = e->why};

	e->spec->body = PR_SPEC_PLAIN;
	if (rq->json == NULL || rq->json->type == PR_JSON_NULL)
		return 0;
	if (rq->json->type != PR_JSON_ARRAY)
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "the body is no list of privileges");
	for (uint32_t i = 0; i < rq->json->n; i++) {
		if (body_walk(&walk, top_of(rq->op->op), &rq->json->items[i],
			pr_arena_printf(e->arena, "[%u]", (unsigned)i),
			NULL) < 0)
			return -1;
	}
	e->spec->unknown_field = walk.unknown_field;
	return 0;
}

/* "NAME=value" each */
int
extract_settings(struct extract *e, const struct pr_request *rq)
{
	e->spec->body = PR_SPEC_PLAIN;
	if (rq->json == NULL || rq->json->type != PR_JSON_ARRAY)
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "the body is no list of settings");
	for (uint32_t i = 0; i < rq->json->n; i++) {
		if (rq->json->items[i].type != PR_JSON_STRING)
			return body_refuse(e->why, PR_REASON_AMBIGUOUS,
			    "[%u] is %s, the daemon wants a string",
			    (unsigned)i,
			    pr_json_type_name(&rq->json->items[i]));
	}
	return 0;
}

/* plugin.create: a tar, and a name in the query. */
int
extract_tar(struct extract *e, const struct pr_request *rq)
{
	(void)rq;
	e->spec->body = PR_SPEC_PLAIN;
	return 0;
}
