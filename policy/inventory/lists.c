/* SPDX-License-Identifier: Apache-2.0 */
/* The list of containers, and the daemon's own facts. */
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>

#include "local.h"

void
pr_list_unref(struct pr_list_ref *l)
{
	if (l == NULL ||
	    atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1)
		return;
	shared_mounts_free(l->mounts);
	answer_unref(l->answer);
	free(l->items);
	free(l);
}

static struct pr_list_ref *
list_ref(struct pr_list_ref *l)
{
	atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
	return l;
}

const struct pr_listed *
pr_list_items(const struct pr_list_ref *l, size_t *n)
{
	*n = l->n;
	return l->items;
}

static bool
read_listed(const struct pr_json *v, struct pr_listed *out)
{
	const struct pr_json *names = json_of(v, "Names", PR_JSON_ARRAY);

	*out = (struct pr_listed){.id = json_str(v, "Id"),
	    .image_id = json_str(v, "ImageID"),
	    .state = json_str(v, "State"),
	    .labels = json_of(v, "Labels", PR_JSON_OBJECT),
	    .mounts = json_of(v, "Mounts", PR_JSON_ARRAY)};
	/* aliases of links are names too: "/linker/alias" */
	for (uint32_t i = 0; names != NULL && i < names->n; i++) {
		struct pr_str s = names->items[i].type == PR_JSON_STRING
		    ? names->items[i].str
		    : PR_STR("");

		if (pr_str_starts(s, "/"))
			s = pr_str_sub(s, 1, s.n);
		if (pr_str_find(s, '/') == s.n)
			out->name = s;
	}
	return out->id.n > 0;
}

static void
fill_owners(struct pr_inventory *inv, struct pr_list_ref *l)
{
	if (inv->ledger == NULL)
		return;
	l->ledger_generation = pr_ledger_generation(inv->ledger);
	for (size_t i = 0; i < l->n; i++)
		l->items[i].in_ledger =
		    pr_ledger_get(inv->ledger, PR_KIND_CONTAINER,
			l->items[i].id, PR_STR(""), &l->items[i].owner);
}

static struct pr_list_ref *
read_list(struct pr_inventory *inv, struct answer *a, const char **why)
{
	struct pr_list_ref *l = pr_xcalloc(1, sizeof *l);

	atomic_init(&l->refs, 1);
	l->answer = a;
	l->items = pr_xcalloc(a->json->n + 1, sizeof *l->items);
	for (uint32_t i = 0; i < a->json->n; i++)
		if (!read_listed(&a->json->items[i], &l->items[l->n++])) {
			*why = "dockerd listed a container without an id";
			pr_list_unref(l);
			return NULL;
		}
	fill_owners(inv, l);
	return l;
}

static struct pr_list_ref *
ask_list(struct pr_inventory *inv, uint64_t deadline, const char **why)
{
	int status;
	struct answer *a = fetch_json(
	    inv, PR_STR("/containers/json?all=1"), deadline, &status, NULL);

	if (a == NULL || status != 200 || a->json->type != PR_JSON_ARRAY) {
		answer_unref(a);
		*why = "dockerd did not list its containers";
		return NULL;
	}
	return read_list(inv, a, why);
}

/* Lock held. */
static bool
list_is_right(struct pr_inventory *inv)
{
	const struct pr_list_ref *l = inv->list;

	return l != NULL && inv_steady(inv, PR_KIND_CONTAINER) &&
	    l->generation == inv->generation[PR_KIND_CONTAINER] &&
	    pr_clock_now() - l->born <= inv->max_age &&
	    (inv->ledger == NULL ||
		l->ledger_generation == pr_ledger_generation(inv->ledger));
}

/*
 * Callers that come while a list is under way do not take that one (it may
 * have been read before they came) but the next, which they share.
 */
struct pr_list_ref *
pr_inventory_list_containers(
    struct pr_inventory *inv, uint64_t deadline, const char **why)
{
	struct pr_list_ref *l = NULL, *old = NULL;

	*why = "the list of containers took too long";
	pthread_mutex_lock(&inv->lock);
	uint64_t came = inv->list_started;

	for (;;) {
		if (list_is_right(inv) ||
		    (inv->list != NULL && inv->list->started > came)) {
			l = list_ref(inv->list);
			inv->stats.hits++;
			break;
		}
		if (!inv->listing) {
			uint64_t generation =
			    inv->generation[PR_KIND_CONTAINER];
			uint64_t started = ++inv->list_started;

			inv->listing = true;
			inv->stats.lookups++;
			pthread_mutex_unlock(&inv->lock);
			l = ask_list(inv, deadline, why);
			pthread_mutex_lock(&inv->lock);
			inv->listing = false;
			if (l != NULL) {
				l->generation = generation;
				l->started = started;
				l->born = pr_clock_now();
				old = inv->list;
				inv->list = list_ref(l);
			}
			pthread_cond_broadcast(&inv->changed);
			break;
		}
		if (!inv_wait(inv, deadline))
			break;
	}
	pthread_mutex_unlock(&inv->lock);
	pr_list_unref(old);
	return l;
}

/* ---- the daemon's facts ---- */

static const struct pr_str *
items_of(struct pr_arena *a, const struct pr_json *array, size_t *n)
{
	struct pr_str *list;

	*n = 0;
	if (array == NULL)
		return NULL;
	list = pr_arena_array(a, array->n + 1, sizeof *list);
	for (uint32_t i = 0; i < array->n; i++)
		if (array->items[i].type == PR_JSON_STRING)
			list[(*n)++] = array->items[i].str;
	return list;
}

static const struct pr_str *
keys_of(struct pr_arena *a, const struct pr_json *object, size_t *n)
{
	struct pr_str *list;

	*n = 0;
	if (object == NULL)
		return NULL;
	list = pr_arena_array(a, object->n + 1, sizeof *list);
	for (uint32_t i = 0; i < object->n; i++)
		list[(*n)++] = object->members[i].key;
	return list;
}

/* Once an answer, and not once a request: requests ask for these often. */
/*
 * moby daemon/info.go: fillAPIInfo warns of each listener on TCP without TLS,
 * or with TLS and no verification of clients, in one sentence or another.
 */
static bool
warns_of_listener(const struct pr_json *warnings)
{
	static const char sign[] = "API is accessible on http";

	for (uint32_t i = 0; warnings != NULL && i < warnings->n; i++) {
		const struct pr_json *w = &warnings->items[i];

		/* what cannot be read may be that one */
		if (w->type != PR_JSON_STRING ||
		    memmem(w->str.p, w->str.n, sign, sizeof sign - 1) != NULL)
			return true;
	}
	return false;
}

void
daemon_facts_read(struct answer *info, const struct pr_json *version)
{
	struct pr_daemon_facts *f = pr_arena_alloc(info->arena, sizeof *f);
	const struct pr_json *json = info->json, *swarm, *nodes;
	struct pr_str state;

	/* the other answer may go away before this one */
	f->engine = pr_arena_str(info->arena, json_str(version, "Version"));
	f->api_version =
	    pr_arena_str(info->arena, json_str(version, "ApiVersion"));
	f->min_api_version =
	    pr_arena_str(info->arena, json_str(version, "MinAPIVersion"));
	f->name = json_str(json, "Name");
	f->root_dir = json_str(json, "DockerRootDir");
	f->default_runtime = json_str(json, "DefaultRuntime");
	f->default_log_driver = json_str(json, "LoggingDriver");
	f->cgroup_driver = json_str(json, "CgroupDriver");
	f->cgroup_version = json_str(json, "CgroupVersion");
	f->security_options = items_of(info->arena,
	    json_of(json, "SecurityOptions", PR_JSON_ARRAY),
	    &f->n_security_options);
	f->runtimes = keys_of(info->arena,
	    json_of(json, "Runtimes", PR_JSON_OBJECT), &f->n_runtimes);
	f->plain_tcp =
	    warns_of_listener(json_of(json, "Warnings", PR_JSON_ARRAY));
	swarm = json_of(json, "Swarm", PR_JSON_OBJECT);
	state = json_str(swarm, "LocalNodeState");
	f->swarm = state.n > 0 && !pr_str_is(state, "inactive");
	nodes = json_of(swarm, "Nodes", PR_JSON_NUMBER);
	if (f->swarm && nodes != NULL && (nodes->flags & PR_JSON_INT) != 0)
		f->swarm_nodes = nodes->i;
	info->daemon = f;
}

static const struct pr_str *
copied_list(struct pr_arena *a, const struct pr_str *v, size_t n)
{
	struct pr_str *list = pr_arena_array(a, n, sizeof *list);

	for (size_t i = 0; i < n; i++)
		list[i] = pr_arena_str(a, v[i]);
	return list;
}

bool
pr_inventory_daemon(
    struct pr_inventory *inv, struct pr_arena *a, struct pr_daemon_facts *out)
{
	struct pr_str *const texts[] = {&out->engine, &out->api_version,
	    &out->min_api_version, &out->name, &out->root_dir,
	    &out->default_runtime, &out->default_log_driver,
	    &out->cgroup_driver, &out->cgroup_version};
	struct answer *info = NULL;

	*out = (struct pr_daemon_facts){0};
	pthread_mutex_lock(&inv->lock);
	if (inv->version != NULL && inv->info != NULL)
		info = answer_ref(inv->info);
	pthread_mutex_unlock(&inv->lock);
	if (info == NULL)
		return false;
	*out = *info->daemon;
	for (size_t i = 0; i < PR_COUNT(texts); i++)
		*texts[i] = pr_arena_str(a, *texts[i]);
	out->security_options =
	    copied_list(a, out->security_options, out->n_security_options);
	out->runtimes = copied_list(a, out->runtimes, out->n_runtimes);
	answer_unref(info);
	return true;
}

enum pr_tri
pr_inventory_plain_tcp(struct pr_inventory *inv)
{
	enum pr_tri plain = PR_CANNOT_TELL;

	pthread_mutex_lock(&inv->lock);
	if (inv->seen)
		plain = inv->info->daemon->plain_tcp ? PR_YES : PR_NO;
	pthread_mutex_unlock(&inv->lock);
	return plain;
}
