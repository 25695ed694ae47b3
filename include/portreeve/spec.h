/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The effective spec: one normalised model of what a workload would really
 * get, whatever the spelling (DESIGN 7).  Filled from a body by an extractor
 * (policy/api/extract_*.c), from a container's stored spec by
 * pr_spec_of_container; judged by pr_profile_judge.
 *
 * An extractor names every object that the request touches as a reference;
 * whoever drives it resolves them (inventory) before the spec is judged.
 */
#ifndef PR_SPEC_H
#define PR_SPEC_H

#include <portreeve/facts.h>
#include <portreeve/policy.h>
#include <portreeve/request.h>

/* Why a request touches an object. */
enum pr_ref_role {
	PR_REF_TARGET = 0,   /* the object that the path names */
	PR_REF_CONTAINER_OF, /* the container of an exec */
	PR_REF_NETWORK,      /* NetworkMode, EndpointsConfig */
	PR_REF_NAMESPACE,    /* container:x of network, pid, ipc */
	PR_REF_VOLUMES_FROM,
	PR_REF_LINK,
	PR_REF_VOLUME,       /* a named volume; absent: the request makes it */
	PR_REF_IMAGE,        /* facts about the image that is run */
	PR_REF_MOUNT_IMAGE,
	PR_REF_NEW_NAME,     /* a name that the request gives: reserved, must not be hex (semantics 6.3) */
	PR_REF_ARGUMENT,     /* another object named in body or query (secrets, configs, connect's container) */
};

struct pr_ref {
	enum pr_kind kind;
	enum pr_ref_role role;
	struct pr_str name;  /* as the request spells it, decoded */
	const char *field;   /* "HostConfig.NetworkMode"; static or in the arena */
	const struct pr_object *object; /* filled by who resolves; NULL: not resolved = cannot tell */
};

struct pr_bind_source { /* a host path that inventory must look at */
	struct pr_str path; /* absolute, cleaned lexically as dockerd does */
	bool writes;
	const struct pr_path_fact *fact; /* NULL: cannot tell */
};

struct pr_spec; /* the rest is between extract_*.c and profile_*.c: policy/api/spec.h */

struct pr_extract {
	struct pr_arena *arena;
	bool plugin; /* door: names cannot be rewritten to ids */
};

/*
 * The effective spec of a request that carries one.  Returns
 *   0  with *spec set (NULL if this operation carries nothing to judge),
 *  -1  refused: *why (AMBIGUOUS, BODY_NOT_VISIBLE, MUST_DEFAULT, ...).
 * For an operation whose body no extractor understands yet, *spec is one for
 * which pr_profile_judge says "cannot tell" for every profile but the
 * unrestricted one.
 */
int pr_spec_read(const struct pr_extract *x, const struct pr_request *rq,
    struct pr_spec **spec, struct pr_refusal *why) PR_NODISCARD;
/*
 * The stored spec of a container, from the daemon's inspect answer, for
 * semantics 3.7.  NULL: the answer is not understood (cannot tell).
 */
struct pr_spec *pr_spec_of_container(
    const struct pr_extract *x, const struct pr_json *inspect) PR_NODISCARD;

/* The references, to be resolved in place. */
struct pr_ref *pr_spec_refs(struct pr_spec *s, size_t *n);
struct pr_bind_source *pr_spec_binds(struct pr_spec *s, size_t *n);
/* The value of a label that the body sets: false if it does not set it. */
bool pr_spec_label(const struct pr_spec *s, struct pr_str key, struct pr_str *value);

/* What quotas count (semantics 3.10); -1: not set. */
struct pr_spec_usage {
	int64_t memory, cpus, ports;
};
void pr_spec_usage(const struct pr_spec *s, struct pr_spec_usage *u);

/* What eval tells the judge of a profile about the request. */
struct pr_judge_env {
	struct pr_str team;  /* acting team: ${team} */
	struct pr_str user;  /* ${user} */
	struct pr_str phase; /* ${phase} */
	/* is this object in the grant's owner scope, of the request's phase? */
	enum pr_tri (*in_scope)(void *arg, const struct pr_object *o);
	void *arg;
	/* facts of the daemon for `default` (semantics 5.6) */
	struct pr_str default_runtime, default_log_driver, default_cgroup_parent;
};

struct pr_shortfall { /* the first key that fails, or is undecided */
	enum pr_tri answer;      /* NO or CANNOT_TELL */
	enum pr_profile_key key;
	bool all_soft;           /* every key that fails is soft and none is undecided */
	bool stored;             /* it was the stored spec */
	bool owner;              /* what fails is an object out of owner scope */
	char text[200];          /* "HostConfig.Privileged is true, restricted.privileged wants false" */
};

/*
 * Judges a spec by a profile: every key in the table's order.  PR_YES: all
 * satisfied.  Else *why is the first key that fails (a failing key beats an
 * undecided one before it), and whether complain could soften it.
 * Pure: no I/O.  Never says YES for a spec that holds what it does not know.
 */
enum pr_tri pr_profile_judge(const struct pr_profile *profile,
    const struct pr_spec *spec, const struct pr_judge_env *env,
    struct pr_shortfall *why);

#endif /* PR_SPEC_H */
