/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include <portreeve/api.h>

/*
 * sizeof(#resource) counts the NUL, so it is where the verb begins in
 * "resource.verb": an id is its name in capitals (held by test_api).
 */
static const struct pr_op_info ops[] = {
    [PR_OP_UNKNOWN] = {.op = PR_OP_UNKNOWN,
	.id = "UNKNOWN",
	.method = "",
	.path = "",
	.action = "unknown",
	.verb = "unknown",
	.resource = PR_RES_SYSTEM,
	.scope = PR_SCOPE_GLOBAL,
	.body = PR_BODY_KIND_JSON,
	.risk = PR_RISK_HOST,
	.spec = true,
	.text = "An operation that is not in the table: always denied"},
#define API_OP(id_, method_, path_, resource_, action_, parent_, since_,  \
    until_, kind_, creates_, scope_, body_, stream_, risk_, spec_, text_) \
	[PR_OP_##id_] = {.op = PR_OP_##id_,                               \
	    .id = #id_,                                                   \
	    .method = method_,                                            \
	    .path = path_,                                                \
	    .action = action_,                                            \
	    .verb = &action_[sizeof(#resource_)],                         \
	    .parent = parent_,                                            \
	    .resource = PR_RES_##resource_,                               \
	    .since = since_,                                              \
	    .until = until_,                                              \
	    .kind = PR_KIND_##kind_,                                      \
	    .creates = PR_KIND_##creates_,                                \
	    .scope = PR_SCOPE_##scope_,                                   \
	    .body = PR_BODY_KIND_##body_,                                 \
	    .stream = PR_STREAM_##stream_,                                \
	    .risk = PR_RISK_##risk_,                                      \
	    .spec = spec_,                                                \
	    .text = text_},
#include "docker_api.def"
#undef API_OP
};

_Static_assert(PR_COUNT(ops) == PR_OP_COUNT, "a row per operation");

const struct pr_op_info *
pr_api_op(enum pr_op op)
{
	return &ops[(size_t)op < PR_OP_COUNT ? op : PR_OP_UNKNOWN];
}

static const char *const resources[] = {
#define X(id, name) [PR_RES_##id] = name,
    PR_RESOURCES(X)
#undef X
};

static const char *const kinds[] = {
    [PR_KIND_NONE] = "none",
    [PR_KIND_CONTAINER] = "container",
    [PR_KIND_EXEC] = "exec",
    [PR_KIND_IMAGE] = "image",
    [PR_KIND_NETWORK] = "network",
    [PR_KIND_VOLUME] = "volume",
    [PR_KIND_PLUGIN] = "plugin",
    [PR_KIND_SERVICE] = "service",
    [PR_KIND_TASK] = "task",
    [PR_KIND_NODE] = "node",
    [PR_KIND_SECRET] = "secret",
    [PR_KIND_CONFIG] = "config",
};
_Static_assert(PR_COUNT(kinds) == PR_KIND_COUNT, "a word per kind");

static const char *const risks[] = {
    [PR_RISK_READ] = "read",
    [PR_RISK_MUTATE] = "mutate",
    [PR_RISK_EXEC] = "exec",
    [PR_RISK_HOST] = "host",
};

static const char *const scopes[] = {
    [PR_SCOPE_OWNERLESS] = "ownerless",
    [PR_SCOPE_OWNED] = "owned",
    [PR_SCOPE_GLOBAL] = "global",
};

static const char *const bodies[] = {
    [PR_BODY_KIND_NONE] = "none",
    [PR_BODY_KIND_JSON] = "json-required",
    [PR_BODY_KIND_JSON_OPTIONAL] = "json-optional",
    [PR_BODY_KIND_OPAQUE] = "opaque",
    [PR_BODY_KIND_START] = "start",
    [PR_BODY_KIND_WITHHELD] = "json-withheld",
};

static const char *const streams[] = {
    [PR_STREAM_NONE] = "none",
    [PR_STREAM_HIJACK] = "hijack",
    [PR_STREAM_UPGRADE] = "upgrade",
    [PR_STREAM_CHUNKED] = "chunked",
};

static const char *
word(const char *const *words, size_t n, size_t i)
{
	return i < n ? words[i] : "unknown";
}

const char *
pr_resource_name(enum pr_resource r)
{
	return word(resources, PR_COUNT(resources), r);
}

const char *
pr_kind_name(enum pr_kind k)
{
	return word(kinds, PR_COUNT(kinds), k);
}

const char *
pr_risk_name(enum pr_risk r)
{
	return word(risks, PR_COUNT(risks), r);
}

const char *
pr_scope_name(enum pr_scope s)
{
	return word(scopes, PR_COUNT(scopes), s);
}

const char *
pr_body_kind_name(enum pr_body_kind b)
{
	return word(bodies, PR_COUNT(bodies), b);
}

const char *
pr_stream_name(enum pr_stream s)
{
	return word(streams, PR_COUNT(streams), s);
}

enum pr_resource
pr_resource_of(struct pr_str name)
{
	size_t r = 0;

	while (r < PR_RES_COUNT && !pr_str_is(name, resources[r]))
		r++;
	return (enum pr_resource)r;
}

/* The verb of the action that covers an operation, or NULL. */
static const char *
parent_verb(const struct pr_op_info *op)
{
	const char *dot;

	if (op->parent == NULL)
		return NULL;
	dot = strchr(op->parent, '.');
	assert(dot != NULL); /* the table is ours */
	return dot + 1;
}

bool
pr_opset_add_verb(struct pr_opset *s, enum pr_resource r, struct pr_str verb)
{
	bool all = pr_str_is(verb, "*"), any = false;

	for (size_t i = PR_OP_UNKNOWN + 1; i < PR_OP_COUNT; i++) {
		const char *parent = parent_verb(&ops[i]);

		if (ops[i].resource != r ||
		    !(all || pr_str_is(verb, ops[i].verb) ||
			(parent != NULL && pr_str_is(verb, parent))))
			continue;
		pr_opset_add(s, ops[i].op);
		any = true;
	}
	return any;
}

static void
add_word(const char **words, size_t max, size_t *n, const char *w)
{
	for (size_t i = 0; i < *n; i++) {
		if (strcmp(words[i], w) == 0)
			return;
	}
	if (*n < max)
		words[(*n)++] = w;
}

size_t
pr_api_verbs(enum pr_resource r, const char **verbs, size_t max)
{
	size_t n = 0;

	for (size_t i = PR_OP_UNKNOWN + 1; i < PR_OP_COUNT; i++) {
		const char *parent = parent_verb(&ops[i]);

		if (ops[i].resource != r)
			continue;
		add_word(verbs, max, &n, ops[i].verb);
		if (parent != NULL)
			add_word(verbs, max, &n, parent);
	}
	return n;
}
