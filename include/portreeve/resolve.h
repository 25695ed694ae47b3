/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a request's references to facts: everything that it touches is looked
 * up, then what that brings along (an exec's container, the mounts of
 * VolumesFrom, a stored spec and what it uses).  Nothing here decides, and
 * nothing here knows where facts come from: inventory in the daemons, `given`
 * in the tests of a policy.
 */
#ifndef PR_RESOLVE_H
#define PR_RESOLVE_H

#include <portreeve/decide.h>
#include <portreeve/spec.h>

struct pr_lookup {
	void *arg;
	/*
	 * The object that a reference names; it lives as long as the arena.
	 * lazy: only if it costs nothing.  NULL: it would have to wait.
	 */
	const struct pr_object *(*object)(
	    void *arg, enum pr_kind kind, struct pr_str name, bool lazy);
	/* A host path; `except`: the container whose own mounts do not count. */
	const struct pr_path_fact *(*path)(
	    void *arg, struct pr_str path, bool writes, struct pr_str except);
};

struct pr_facts {
	struct pr_arena *arena;
	const struct pr_lookup *lookup;
	bool plugin;     /* door */
	bool one_node;   /* the swarm is this host alone, and that is known */
	bool would_wait; /* some look-up would have had to wait */
	/* for pr_question */
	struct pr_ref *refs;
	size_t n_refs, cap_refs;
	struct pr_spec *stored;
	bool stored_known;
};

/* Looks up everything that the request touches, but what is lazy. */
void pr_resolve(
    struct pr_facts *f, const struct pr_request *rq, struct pr_spec *spec);
/* Then what only some profiles ask for.  False: there was nothing left. */
bool pr_resolve_lazy(struct pr_facts *f, struct pr_spec *spec);

#endif /* PR_RESOLVE_H */
