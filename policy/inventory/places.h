/* SPDX-License-Identifier: Apache-2.0 */
/* Protected places, and what dockerd's namespace looks like, for a moment. */
#ifndef PLACES_H
#define PLACES_H

#include <portreeve/hostpath.h>
#include <portreeve/policy.h>

struct pr_inventory;
struct path_places;

struct path_places *path_places_new(struct pr_inventory *inv) PR_NODISCARD;
void path_places_free(struct path_places *p); /* NULL is fine */

/* One look at the host: counted, immutable. */
struct path_view {
	unsigned refs; /* under the lock of the places */
	struct pr_arena *arena;
	int root_fd;
	struct pr_mounts mounts;
	struct pr_hostpath *places;
	size_t n_places;
	uint64_t born;
};

/* A view at most a second old, or NULL and *why (static). */
struct path_view *path_view_get(
    struct pr_inventory *inv, const char **why) PR_NODISCARD;
void path_view_put(struct pr_inventory *inv, struct path_view *v);

/* ---- daemon_files.c ---- */

/*
 * Paths in the arguments and the configuration of dockerd, and its program,
 * as dockerd sees them; those that are not there are none.
 */
struct pr_strs daemon_files(struct pr_inventory *inv, struct pr_arena *a);

/* ---- shared.c ---- */

struct shared_mounts; /* what containers and volumes have mounted read-write */
struct pr_list_ref;

/*
 * Compares a source with what others have mounted.  -1: cannot tell; else
 * whether it is shared, and with whom (*with is in the arena).
 */
int shared_with(struct pr_inventory *inv, struct pr_arena *a,
    const struct path_view *v, const struct pr_hostpath *source, bool writes,
    struct pr_str except, uint64_t deadline, struct pr_str *with,
    const char **why);

#endif /* PLACES_H */
