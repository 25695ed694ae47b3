/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared trees (semantics 5.10): somebody who writes a directory above a bind
 * source can put a symlink in its place between judgement and mount.
 */
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>

#include "local.h"
#include "places.h"

struct shared_mount {
	struct pr_hostpath path;
	struct pr_str container; /* id; empty: a volume's own device */
	struct pr_str name;      /* for people */
	bool writes;
};

struct shared_mounts {
	struct pr_arena *arena;
	struct shared_mount *mounts;
	size_t n, cap;
	bool blind;                  /* some of it could not be looked at */
	struct shared_mounts *older; /* that somebody may still be reading */
};

void
shared_mounts_free(struct shared_mounts *m)
{
	for (struct shared_mounts *older; m != NULL; m = older) {
		older = m->older;
		free(m->mounts);
		pr_arena_free(m->arena);
		free(m);
	}
}

static void
add_mount(struct shared_mounts *m, const struct path_view *v,
    struct pr_str source, struct shared_mount mount)
{
	const char *why;

	if (pr_hostpath_resolve(m->arena, v->root_fd, &v->mounts,
		pr_arena_str(m->arena, source), &mount.path, &why) < 0) {
		m->blind = true;
		return;
	}
	m->mounts = pr_grow(m->mounts, m->n, &m->cap, sizeof *m->mounts);
	m->mounts[m->n++] = mount;
}

static void
add_container(struct shared_mounts *m, const struct path_view *v,
    const struct pr_listed *c)
{
	for (uint32_t i = 0; c->mounts != NULL && i < c->mounts->n; i++) {
		const struct pr_json *mount = &c->mounts->items[i];
		struct pr_str type = json_str(mount, "Type");
		struct pr_str source = json_str(mount, "Source");

		/* tmpfs has no source, a volume's is under the daemon's root */
		if (!pr_str_is(type, "bind"))
			continue;
		add_mount(m, v, source,
		    (struct shared_mount){
			.container = pr_arena_str(m->arena, c->id),
			.name = pr_arena_str(m->arena, c->name),
			/* it must say no in so many words */
			.writes = json_of(mount, "RW", PR_JSON_FALSE) == NULL});
	}
}

/* A local volume may be a directory of the host: o=bind, device=/srv/x. */
static void
add_volume(struct shared_mounts *m, const struct path_view *v,
    const struct pr_json *volume)
{
	const struct pr_json *options =
	    json_of(volume, "Options", PR_JSON_OBJECT);
	struct pr_str device = json_str(options, "device");
	struct pr_str flags = json_str(options, "o");
	bool read_only = false;

	if (!pr_str_starts(device, "/"))
		return;
	while (flags.p != NULL)
		read_only |= pr_str_is(pr_str_cut(&flags, ','), "ro");
	/* options are a path as somebody wrote it: unclean ones blind us */
	add_mount(m, v, device,
	    (struct shared_mount){
		.name = pr_arena_str(m->arena, json_str(volume, "Name")),
		.writes = !read_only});
}

/* Counted, or NULL: what was read and is surely still right, or a new one. */
static struct answer *
local_volumes(struct pr_inventory *inv, uint64_t deadline)
{
	/* {"driver":["local"]}: other drivers are asked over their sockets,
	 * and one that is gone makes the daemon wait 15 s */
	static const char target[] =
	    "/volumes?filters=%7B%22driver%22%3A%5B%22local%22%5D%7D";
	struct answer *a = NULL, *old;
	uint64_t generation;
	int status;

	pthread_mutex_lock(&inv->lock);
	generation = inv->generation[PR_KIND_VOLUME];
	if (inv->volumes != NULL && inv_steady(inv, PR_KIND_VOLUME) &&
	    inv->volumes_generation == generation &&
	    pr_clock_now() - inv->volumes_born <= inv->max_age)
		a = answer_ref(inv->volumes);
	pthread_mutex_unlock(&inv->lock);
	if (a != NULL)
		return a;
	a = fetch_json(inv, pr_str_of(target), deadline, &status, NULL);
	if (a == NULL || status != 200 || a->json->type != PR_JSON_OBJECT) {
		answer_unref(a);
		return NULL;
	}
	pthread_mutex_lock(&inv->lock);
	old = inv->volumes;
	inv->volumes = answer_ref(a);
	inv->volumes_generation = generation;
	inv->volumes_born = pr_clock_now();
	pthread_mutex_unlock(&inv->lock);
	answer_unref(old);
	return a;
}

static int
add_volumes(struct pr_inventory *inv, struct shared_mounts *m,
    const struct path_view *v, uint64_t deadline)
{
	struct answer *a = local_volumes(inv, deadline);
	const struct pr_json *volumes;

	if (a == NULL)
		return -1;
	/* null: there are none */
	volumes = json_of(a->json, "Volumes", PR_JSON_ARRAY);
	for (uint32_t i = 0; volumes != NULL && i < volumes->n; i++)
		add_volume(m, v, &volumes->items[i]);
	answer_unref(a);
	return 0;
}

static struct shared_mounts *
collect(struct pr_inventory *inv, const struct path_view *v,
    const struct pr_list_ref *l, uint64_t deadline)
{
	struct shared_mounts *m = pr_xcalloc(1, sizeof *m);

	m->arena = pr_arena_new(8192);
	for (size_t i = 0; i < l->n; i++)
		add_container(m, v, &l->items[i]);
	if (add_volumes(inv, m, v, deadline) < 0) {
		shared_mounts_free(m);
		return NULL;
	}
	return m;
}

/* The mounts, kept with the list that they were read for. */
static const struct shared_mounts *
mounts_of(struct pr_inventory *inv, const struct path_view *v,
    struct pr_list_ref *l, uint64_t deadline)
{
	struct shared_mounts *m, *mine = NULL;

	pthread_mutex_lock(&inv->lock);
	m = l->volume_generation == inv->generation[PR_KIND_VOLUME] &&
		inv_steady(inv, PR_KIND_VOLUME)
	    ? l->mounts
	    : NULL;
	uint64_t generation = inv->generation[PR_KIND_VOLUME];

	pthread_mutex_unlock(&inv->lock);
	if (m != NULL)
		return m;
	mine = collect(inv, v, l, deadline);
	if (mine == NULL)
		return NULL;
	pthread_mutex_lock(&inv->lock);
	mine->older = l->mounts; /* others may be reading it */
	l->mounts = mine;
	l->volume_generation = generation;
	pthread_mutex_unlock(&inv->lock);
	return mine;
}

static bool
is_shared(
    const struct shared_mount *m, const struct pr_hostpath *source, bool writes)
{
	return (m->writes && pr_hostpath_above(&m->path, source)) ||
	    (writes && pr_hostpath_above(source, &m->path));
}

int
shared_with(struct pr_inventory *inv, struct pr_arena *a,
    const struct path_view *v, const struct pr_hostpath *source, bool writes,
    struct pr_str except, uint64_t deadline, struct pr_str *with,
    const char **why)
{
	struct pr_list_ref *l =
	    pr_inventory_list_containers(inv, deadline, why);
	const struct shared_mounts *m;
	int shared;

	if (l == NULL)
		return -1;
	m = mounts_of(inv, v, l, deadline);
	shared = m == NULL || m->blind ? -1 : 0;
	*why = "not every mount of other containers could be looked at";
	for (size_t i = 0; m != NULL && i < m->n && shared <= 0; i++) {
		const struct shared_mount *o = &m->mounts[i];

		if (o->container.n > 0 && pr_str_eq(o->container, except))
			continue;
		if (is_shared(o, source, writes)) {
			*with = pr_arena_str(a, o->name);
			shared = 1;
		}
	}
	pr_list_unref(l);
	return shared;
}
