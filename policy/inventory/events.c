/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that follows the daemon's events: they make cached answers
 * stale, and take what is gone out of the ledger.  While the stream does not
 * stand nothing is cached.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>

#include "local.h"

#define ASK_TIME   (5 * PR_SEC)
#define IMPATIENT  (250 * PR_MS) /* of the first tries */
#define HASTY      4
#define FIRST_WAIT 20 /* ms, before the next try */
#define LAST_WAIT  500
#define OVERLAP    (2 * PR_SEC) /* the stream begins before it is asked for */
#define MIN_MINOR  24           /* of API 1.x */

/* ---- what an event means ---- */

/* What happens to containers and changes nothing that is asked about. */
static const char *const quiet_actions[] = {"attach", "detach", "top", "resize",
    "export", "archive-path", "extract-to-dir", "copy", "commit", "mount",
    "unmount", "push", "save"};

static const struct {
	const char *type;
	enum pr_kind kinds[3];
	const char *gone; /* the action after which the object is no more */
} event_types[] = {
    {"container", {PR_KIND_CONTAINER}, "destroy"},
    {"image", {PR_KIND_IMAGE}, NULL},
    {"volume", {PR_KIND_VOLUME}, "destroy"},
    {"network", {PR_KIND_NETWORK, PR_KIND_CONTAINER}, "destroy"},
    {"plugin", {PR_KIND_PLUGIN}, "remove"},
    {"service", {PR_KIND_SERVICE, PR_KIND_TASK}, "remove"},
    {"node", {PR_KIND_NODE, PR_KIND_TASK}, NULL},
    {"secret", {PR_KIND_SECRET}, "remove"},
    {"config", {PR_KIND_CONFIG}, "remove"},
    {"builder", {PR_KIND_NONE}, NULL},
};

static bool
is_quiet(struct pr_str action)
{
	if (pr_str_starts(action, "health_status"))
		return true;
	for (size_t i = 0; i < PR_COUNT(quiet_actions); i++)
		if (pr_str_is(action, quiet_actions[i]))
			return true;
	return false;
}

static void
stale_locked(struct pr_inventory *inv, const enum pr_kind *kinds, size_t n)
{
	pthread_mutex_lock(&inv->lock);
	for (size_t i = 0; i < n; i++)
		if (kinds[i] != PR_KIND_NONE)
			inv_stale(inv, kinds[i]);
	pthread_mutex_unlock(&inv->lock);
}

static void
forget(struct pr_inventory *inv, enum pr_kind kind, const struct pr_json *event)
{
	const struct pr_json *when = pr_json_get(event, PR_STR("timeNano"));
	struct pr_str id =
	    json_str(json_of(event, "Actor", PR_JSON_OBJECT), "ID");

	if (inv->ledger != NULL && id.n > 0 && when != NULL &&
	    when->type == PR_JSON_NUMBER && (when->flags & PR_JSON_INT) != 0)
		pr_ledger_forget(inv->ledger, kind, id, when->i);
}

static void
all_stale(struct pr_inventory *inv)
{
	pthread_mutex_lock(&inv->lock);
	inv_stale_all(inv);
	pthread_mutex_unlock(&inv->lock);
}

static void ask_daemon(struct pr_inventory *inv);

static const struct {
	const char *action;
	enum pr_container_event what;
} container_events[] = {
    {"create", PR_CONTAINER_MADE},
    {"destroy", PR_CONTAINER_GONE},
    {"update", PR_CONTAINER_CHANGED},
    {"start", PR_CONTAINER_RUNS},
    {"unpause", PR_CONTAINER_RUNS},
    {"die", PR_CONTAINER_STOPS},
    {"pause", PR_CONTAINER_STOPS},
};

static void
tell_watcher(struct pr_inventory *inv, enum pr_container_event what,
    const struct pr_json *event)
{
	if (inv->watch != NULL)
		inv->watch(inv->watch_arg, what,
		    event != NULL
			? json_str(
			      json_of(event, "Actor", PR_JSON_OBJECT), "ID")
			: (struct pr_str){NULL, 0});
}

static void
watch_container(
    struct pr_inventory *inv, struct pr_str action, const struct pr_json *event)
{
	for (size_t i = 0; i < PR_COUNT(container_events); i++) {
		if (pr_str_is(action, container_events[i].action))
			tell_watcher(inv, container_events[i].what, event);
	}
}

static void
take_event(struct pr_inventory *inv, const struct pr_json *event)
{
	static const enum pr_kind exec[] = {PR_KIND_EXEC};
	struct pr_str type = json_str(event, "Type");
	struct pr_str action = json_str(event, "Action");

	if (pr_str_starts(action, "exec_")) {
		stale_locked(inv, exec, PR_COUNT(exec));
		return;
	}
	if (is_quiet(action))
		return;
	if (pr_str_is(type, "node")) /* how many there are */
		ask_daemon(inv);
	for (size_t i = 0; i < PR_COUNT(event_types); i++) {
		if (!pr_str_is(type, event_types[i].type))
			continue;
		stale_locked(
		    inv, event_types[i].kinds, PR_COUNT(event_types[i].kinds));
		if (event_types[i].gone != NULL &&
		    pr_str_is(action, event_types[i].gone))
			forget(inv, event_types[i].kinds[0], event);
		if (event_types[i].kinds[0] == PR_KIND_CONTAINER)
			watch_container(inv, action, event);
		return;
	}
	all_stale(inv); /* "daemon", or something newer than this table */
	if (pr_str_is(type, "daemon"))
		ask_daemon(inv);
}

/* ---- the daemon's own facts ---- */

/*
 * moby pkg/plugins/client.go: callWithRetry sleeps a second and more when the
 * plugin that it asks has just ended, so that an answer may be a long way off
 * which the next request gets at once.
 */
static struct answer *
ask_object(struct pr_inventory *inv, const char *target, struct pr_err **err)
{
	struct pr_str t = pr_str_of(target);
	struct answer *a = NULL;
	int status = 0;

	for (int i = 0; a == NULL && i < HASTY; i++)
		a = fetch_json(
		    inv, t, pr_clock_now() + IMPATIENT, &status, NULL);
	if (a == NULL)
		a = fetch_json(inv, t, pr_clock_now() + ASK_TIME, &status, err);
	if (a != NULL && (status != 200 || a->json->type != PR_JSON_OBJECT)) {
		pr_err_set(err, PR_ERR_INVALID, 0, "dockerd answered %d for %s",
		    status, target);
		answer_unref(a);
		a = NULL;
	}
	return a;
}

/* dockerd must understand the routes without version that are asked. */
static int
check_version(const struct pr_json *version, struct pr_err **err)
{
	struct pr_str minor = json_str(version, "ApiVersion");
	struct pr_str major = pr_str_cut(&minor, '.');
	uint64_t n;

	if (!pr_str_is(major, "1") || !pr_str_u64(minor, &n) || n < MIN_MINOR)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "dockerd speaks an API older than 1.%d, or none",
		    MIN_MINOR);
	return 0;
}

static int
learn_daemon(struct pr_inventory *inv, struct pr_err **err)
{
	struct answer *version = ask_object(inv, "/version", err);
	struct answer *info = NULL;
	int rc = version == NULL ? -1 : check_version(version->json, err);

	if (rc == 0 && (info = ask_object(inv, "/info", err)) == NULL)
		rc = -1;
	if (rc == 0) {
		struct answer *old[2];

		daemon_facts_read(info, version->json);
		pthread_mutex_lock(&inv->lock);
		old[0] = inv->version;
		old[1] = inv->info;
		inv->version = version;
		inv->info = info;
		inv->seen = true;
		pthread_mutex_unlock(&inv->lock);
		version = old[0];
		info = old[1];
	}
	answer_unref(version);
	answer_unref(info);
	return rc;
}

static void
ask_daemon(struct pr_inventory *inv)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

	if (learn_daemon(inv, &err) < 0)
		pr_log(PR_LOG_WARNING, "inventory: %s", pr_err_text(err));
}

/* ---- what went while nobody was looking ---- */

struct id_list {
	const char **ids; /* sorted; all are of that length */
	size_t n, len;
};

static int
id_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
id_exists(void *arg, struct pr_str id)
{
	const struct id_list *l = arg;
	char key[80];
	const char *p = key;

	if (id.n != 64) /* not an id of these: leave it alone */
		return true;
	memcpy(key, id.p, id.n);
	key[id.n] = '\0';
	return bsearch(&p, l->ids, l->n, sizeof *l->ids, id_cmp) != NULL;
}

/* Forgets ledger entries of objects that the list no longer has. */
static void
prune(struct pr_inventory *inv, enum pr_kind kind, const char *target)
{
	int64_t before = pr_clock_wall();
	int status;
	struct answer *a = fetch_json(
	    inv, pr_str_of(target), pr_clock_now() + ASK_TIME, &status, NULL);
	bool whole =
	    a != NULL && status == 200 && a->json->type == PR_JSON_ARRAY;

	if (whole) {
		struct id_list l = {.n = a->json->n};

		l.ids = pr_arena_array(a->arena, l.n + 1, sizeof *l.ids);
		for (size_t i = 0; i < l.n; i++) {
			struct pr_str id = json_str(&a->json->items[i], "Id");

			l.ids[i] = pr_arena_strdup(a->arena, id);
			whole &= id.n > 0;
		}
		qsort(l.ids, l.n, sizeof *l.ids, id_cmp);
		if (whole)
			pr_ledger_prune(
			    inv->ledger, kind, before, id_exists, &l);
	}
	answer_unref(a);
}

/* ---- the stream ---- */

static void
set_events(struct pr_inventory *inv, bool on)
{
	pthread_mutex_lock(&inv->lock);
	inv->events = on;
	inv->seen = on;
	inv_stale_all(inv);
	if (on)
		inv->stats.reconnects++;
	pthread_mutex_unlock(&inv->lock);
}

/* 0: asked to stop; -1: the stream broke. */
static int
follow(struct pr_inventory *inv, struct docker_stream *s, struct pr_err **err)
{
	struct pr_arena *arena = pr_arena_new(4096);
	struct pr_json_fault fault;
	struct pr_str line;
	int more;

	while ((more = docker_stream_line(s, &line, err)) > 0) {
		const struct pr_json *event = pr_json_read(arena, line, &fault);

		if (event != NULL && event->type == PR_JSON_OBJECT) {
			take_event(inv, event);
		} else {
			/* it meant something, after all */
			all_stale(inv);
			tell_watcher(inv, PR_CONTAINER_MISSED, NULL);
		}
		pr_arena_reset(arena, 4096);
	}
	pr_arena_free(arena);
	return more;
}

static int
watch(struct pr_inventory *inv, struct pr_err **err)
{
	char target[64];
	int64_t since = pr_clock_wall() - (int64_t)OVERLAP;
	int rc;

	if (learn_daemon(inv, err) < 0)
		return -1;
	snprintf(target, sizeof target, "/events?since=%lld.%09lld",
	    (long long)(since / (int64_t)PR_SEC),
	    (long long)(since % (int64_t)PR_SEC));
	struct docker_stream *s = docker_stream_open(
	    inv->docker, pr_str_of(target), pr_clock_now() + ASK_TIME, err);

	if (s == NULL)
		return -1;
	set_events(inv, true);
	tell_watcher(inv, PR_CONTAINER_MISSED, NULL);
	pr_log(PR_LOG_DEBUG, "inventory: following dockerd at %s", inv->socket);
	if (inv->ledger != NULL) {
		prune(inv, PR_KIND_CONTAINER, "/containers/json?all=1");
		prune(inv, PR_KIND_NETWORK, "/networks");
	}
	rc = follow(inv, s, err);
	set_events(inv, false);
	tell_watcher(inv, PR_CONTAINER_UNSEEN, NULL);
	docker_stream_close(s);
	return rc;
}

/* True: asked to stop. */
static bool
pause_ms(struct pr_inventory *inv, int ms)
{
	struct pollfd p = {.fd = inv->wake, .events = POLLIN};

	return poll(&p, 1, ms) > 0;
}

void *
events_run(void *arg)
{
	struct pr_inventory *inv = arg;
	int wait = FIRST_WAIT;
	bool said = false; /* a trouble is told once */

	for (;;) {
		PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
		uint64_t began = pr_clock_now();

		if (watch(inv, &err) == 0)
			return NULL;
		if (pr_clock_now() - began > ASK_TIME) {
			wait = FIRST_WAIT;
			said = false;
		}
		if (pause_ms(inv, 0))
			return NULL;
		if (!said)
			pr_log(PR_LOG_WARNING,
			    "inventory: %s; nothing is cached until dockerd is "
			    "back",
			    pr_err_text(err));
		said = true;
		if (pause_ms(inv, wait))
			return NULL;
		wait = wait * 2 > LAST_WAIT ? LAST_WAIT : wait * 2;
	}
}
