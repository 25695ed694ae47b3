/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Docker API, as a table: one row of policy/api/docker_api.def is one
 * operation; nothing else in the program knows a Docker path.
 */
#ifndef PR_API_H
#define PR_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <portreeve/compiler.h>
#include <portreeve/str.h>

enum pr_op {
	PR_OP_UNKNOWN = 0, /* not in the table: always denied */
#define API_OP(id, ...) PR_OP_##id,
#include "docker_api.def"
#undef API_OP
	PR_OP_COUNT
};

/* API versions 1.N: older ones are denied, newer ones are judged by the
 * newest that the table knows (docs/semantics.md 6.2). */
#define PR_API_OLDEST 24
#define PR_API_NEWEST 56

/* What an action is about: the first word of its name. */
/* clang-format off */
#define PR_RESOURCES(X) \
	X(SYSTEM, "system") X(CONTAINER, "container") X(IMAGE, "image") \
	X(NETWORK, "network") X(VOLUME, "volume") X(BUILD, "build") \
	X(DISTRIBUTION, "distribution") X(PLUGIN, "plugin") \
	X(SWARM, "swarm") X(SERVICE, "service") X(TASK, "task") \
	X(NODE, "node") X(SECRET, "secret") X(CONFIG, "config") \
	X(DEBUG, "debug")
/* clang-format on */
enum pr_resource {
#define X(id, name) PR_RES_##id,
	PR_RESOURCES(X)
#undef X
	PR_RES_COUNT
};

enum pr_risk {
	PR_RISK_READ = 0,
	PR_RISK_MUTATE,
	PR_RISK_EXEC,
	PR_RISK_HOST, /* may become root on the host */
};

enum pr_body_kind { /* docs/semantics.md 6.1 */
	PR_BODY_KIND_NONE = 0,
	PR_BODY_KIND_JSON,          /* json-required */
	PR_BODY_KIND_JSON_OPTIONAL, /* json-optional */
	PR_BODY_KIND_OPAQUE,
	PR_BODY_KIND_START,    /* none, or empty, or {} */
	PR_BODY_KIND_WITHHELD, /* JSON that most engines show to no plugin */
};

enum pr_stream { /* what follows the answer's head */
	PR_STREAM_NONE = 0,
	PR_STREAM_HIJACK,  /* raw bytes both ways after 101 or 200 */
	PR_STREAM_UPGRADE, /* another protocol: h2c, websocket */
	PR_STREAM_CHUNKED, /* an answer of any length */
};

/* Whose it is (docs/semantics.md 2.1). */
enum pr_scope {
	PR_SCOPE_OWNERLESS = 0,
	PR_SCOPE_OWNED,
	PR_SCOPE_GLOBAL, /* needs owner: any */
};

/* The object that the path names: what inventory is asked about. */
enum pr_kind {
	PR_KIND_NONE = 0,
	PR_KIND_CONTAINER,
	PR_KIND_EXEC,
	PR_KIND_IMAGE,
	PR_KIND_NETWORK,
	PR_KIND_VOLUME,
	PR_KIND_PLUGIN,
	PR_KIND_SERVICE,
	PR_KIND_TASK,
	PR_KIND_NODE,
	PR_KIND_SECRET,
	PR_KIND_CONFIG,
	PR_KIND_COUNT
};

struct pr_op_info {
	enum pr_op op;
	const char *id; /* "CONTAINER_CREATE" */
	const char *method;
	const char
	    *path; /* template of routes.tsv: "/containers/{name:.*}/json" */
	const char *action; /* "container.exec-start" */
	const char *verb;   /* "exec-start": what follows the dot */
	const char *
	    parent; /* "container.exec": the action that covers this one, or NULL */
	enum pr_resource resource;
	unsigned since,
	    until;            /* API minor versions 1.N; until 0: still there */
	enum pr_kind kind;    /* of the object that the path names */
	enum pr_kind creates; /* of the object that a success makes */
	enum pr_scope scope;
	enum pr_body_kind body;
	enum pr_stream stream;
	enum pr_risk risk;
	/* Carries a spec: needs a profile (semantics 3.6).  An attach does
	 * only with stdin: ask pr_request.spec. */
	bool spec;
	const char *text; /* one line for people */
};

/* The row of an operation; PR_OP_UNKNOWN has a row too, and what is no
 * operation gets that one.  Static. */
const struct pr_op_info *pr_api_op(enum pr_op op);
/*
 * The operation for a method and a decoded path without its version prefix,
 * as the daemon's router finds it (gorilla/mux: first registered route that
 * matches, greedy names).  Never NULL: unlisted gives PR_OP_UNKNOWN.
 * name and name2 get the path's variables, borrowed from path; name may be
 * empty or hold slashes, as the daemon's may.  POST /images/create gives
 * IMAGE_PULL: only the query tells an import (request.h).
 */
const struct pr_op_info *pr_api_match(struct pr_str method, struct pr_str path,
    struct pr_str *name, struct pr_str *name2);

/* The words for the values, as `portreeve api` prints them; static. */
const char *pr_resource_name(enum pr_resource r);
const char *pr_kind_name(enum pr_kind k); /* "none" for PR_KIND_NONE */
const char *pr_risk_name(enum pr_risk r);
const char *pr_scope_name(enum pr_scope s);
const char *pr_body_kind_name(enum pr_body_kind b);
const char *pr_stream_name(enum pr_stream s);
/* The resource of that name, or PR_RES_COUNT. */
enum pr_resource pr_resource_of(struct pr_str name);

/*
 * Operations as a set: one bit each.  What roles, grants and guards hold.
 */
struct pr_opset {
	uint64_t bits[(PR_OP_COUNT + 63) / 64];
};
static inline bool
pr_opset_has(const struct pr_opset *s, enum pr_op op)
{
	return (s->bits[op / 64] >> (op % 64) & 1) != 0;
}
static inline void
pr_opset_add(struct pr_opset *s, enum pr_op op)
{
	s->bits[op / 64] |= UINT64_C(1) << (op % 64);
}
/*
 * Adds the operations that `resource: [verb]` means: the verb's own rows and
 * those that it covers (parent); verb "*" means all of the resource.
 * False: there is no such verb.
 */
bool pr_opset_add_verb(
    struct pr_opset *s, enum pr_resource r, struct pr_str verb);
/*
 * All verbs of a resource, each once, those that only cover others
 * ("checkpoint") too; for did-you-mean.  Fills up to max, returns the number.
 */
size_t pr_api_verbs(enum pr_resource r, const char **verbs, size_t max);

#endif /* PR_API_H */
