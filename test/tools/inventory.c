/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks an inventory what a test wants to know: one question a line on stdin,
 * one JSON answer a line on stdout, each in a thread of its own, since the
 * daemon asks about nonces while a look-up waits.  Fields are parted by tabs;
 * the first is a number that comes back as "n".
 *
 *   inventory SOCKET [LEDGER]
 *   get KIND REF       peek KIND REF      begin KIND / end TOKEN
 *   path PATH rw|ro [EXCEPT]              list      daemon
 *   put KIND ID CREATED TEAM PHASE        flush     stats
 *   nonce VALUE METHOD URI req|res empty|body
 *   ready              waits until the event stream stands
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/buf.h>
#include <portreeve/clock.h>
#include <portreeve/inventory.h>

static struct pr_inventory *inv;
static struct pr_ledger *ledger;
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local struct pr_buf out = PR_BUF_INIT;

static void
member(const char *key, struct pr_str value)
{
	pr_buf_printf(&out, "%s\"%s\":", out.n > 1 ? "," : "", key);
	pr_buf_json(&out, value);
}

static void
member_bool(const char *key, bool value)
{
	pr_buf_printf(&out, "%s\"%s\":%s", out.n > 1 ? "," : "", key,
	    value ? "true" : "false");
}

static void
member_u64(const char *key, uint64_t value)
{
	pr_buf_printf(&out, "%s\"%s\":%llu", out.n > 1 ? "," : "", key,
	    (unsigned long long)value);
}

static enum pr_kind
kind_of(const char *name)
{
	for (unsigned k = 1; k < PR_KIND_COUNT; k++)
		if (strcmp(pr_kind_name((enum pr_kind)k), name) == 0)
			return (enum pr_kind)k;
	return PR_KIND_NONE;
}

static void
show_object(struct pr_object_ref *r)
{
	static const char *const presence[] = {"unknown", "absent", "present"};
	static const char *const by[] = {"nothing", "id", "name", "prefix"};

	if (r == NULL)
		return;
	const struct pr_object *o = pr_object_of(r);

	member("presence", pr_str_of(presence[o->presence]));
	member("why", pr_str_of(o->why));
	member("by", pr_str_of(by[o->by]));
	member_bool("ambiguous", o->ambiguous);
	member("id", o->id);
	member("name", o->name);
	member("created", o->created);
	member_bool("in_ledger", o->in_ledger);
	member("team", o->ledger_team);
	member("phase", o->ledger_phase);
	member_bool("running", o->running);
	member("container", o->container);
	member_bool("exec_privileged", o->exec_privileged);
	member("exec_user", o->exec_user);
	member("driver", o->driver);
	member_bool("builtin", o->builtin);
	member_u64("labels", o->labels != NULL ? o->labels->n : 0);
	member_u64("repo_tags", o->repo_tags != NULL ? o->repo_tags->n : 0);
	pr_object_unref(r);
}

static void
do_get(char **arg)
{
	show_object(pr_inventory_get(inv, kind_of(arg[0]), pr_str_of(arg[1]),
	    pr_clock_now() + 2 * PR_SEC));
}

static void
do_peek(char **arg)
{
	show_object(pr_inventory_peek(inv, kind_of(arg[0]), pr_str_of(arg[1])));
}

static void
do_begin(char **arg)
{
	member_u64(
	    "token", pr_inventory_mutating_begin(inv, kind_of(arg[0]), 0));
}

static void
do_end(char **arg)
{
	pr_inventory_mutating_end(inv, strtoull(arg[0], NULL, 10));
}

static void
do_path(char **arg)
{
	struct pr_arena *a = pr_arena_new(4096);
	struct pr_path_fact f;

	pr_inventory_path(inv, a, pr_str_of(arg[0]), strcmp(arg[1], "rw") == 0,
	    pr_str_of(arg[2]), pr_clock_now() + 2 * PR_SEC, &f);
	member_bool("known", f.known);
	member("why", pr_str_of(f.why));
	member("real", f.real);
	member_bool("exists", f.exists);
	member_u64("plain", f.plain);
	member_bool("protected", f.is_protected);
	member("by", f.protected_by);
	member_bool("shared", f.shared);
	member("with", f.shared_with);
	member_bool("shared_known", f.shared_known);
	pr_arena_free(a);
}

static void
do_list(char **arg PR_UNUSED)
{
	const char *why = NULL;
	struct pr_list_ref *l = pr_inventory_list_containers(
	    inv, pr_clock_now() + 2 * PR_SEC, &why);
	size_t n = 0;

	if (l == NULL) {
		member("why", pr_str_of(why));
		return;
	}
	const struct pr_listed *c = pr_list_items(l, &n);

	pr_buf_cstr(&out, "\"containers\":[");
	for (size_t i = 0; i < n; i++) {
		pr_buf_cstr(&out, i > 0 ? ",[" : "[");
		pr_buf_json(&out, c[i].id);
		pr_buf_char(&out, ',');
		pr_buf_json(&out, c[i].name);
		pr_buf_char(&out, ',');
		pr_buf_json(&out, c[i].state);
		pr_buf_char(&out, ',');
		pr_buf_json(
		    &out, pr_str_of(c[i].in_ledger ? c[i].owner.team : ""));
		pr_buf_char(&out, ']');
	}
	pr_buf_char(&out, ']');
	pr_list_unref(l);
}

static void
do_daemon(char **arg PR_UNUSED)
{
	struct pr_arena *a = pr_arena_new(1024);
	struct pr_daemon_facts f;

	member_bool("known", pr_inventory_daemon(inv, a, &f));
	member("engine", f.engine);
	member("api", f.api_version);
	member("root", f.root_dir);
	member("runtime", f.default_runtime);
	member("log", f.default_log_driver);
	member("cgroup", f.cgroup_version);
	member_u64("security", f.n_security_options);
	member_bool("swarm", f.swarm);
	pr_arena_free(a);
}

static void
do_put(char **arg)
{
	struct pr_ledger_entry e = {.kind = kind_of(arg[0]),
	    .id = pr_str_of(arg[1]),
	    .created = pr_str_of(arg[2]),
	    .team = pr_str_of(arg[3]),
	    .phase = pr_str_of(arg[4])};

	if (strcmp(arg[2], "-") == 0)
		e.created = PR_STR("");
	member_bool("done", pr_ledger_put(ledger, &e, NULL) == 0);
}

static void
do_flush(char **arg PR_UNUSED)
{
	member_bool("done", pr_ledger_flush(ledger, NULL) == 0);
}

static void
do_stats(char **arg PR_UNUSED)
{
	struct pr_inventory_stats s;

	pr_inventory_stats(inv, &s);
	member_bool("events", s.events);
	member_u64("lookups", s.lookups);
	member_u64("hits", s.hits);
	member_u64("shared", s.shared);
	member_u64("failed", s.failed);
	member_u64("refused", s.refused);
	member_u64("reconnects", s.reconnects);
	member_u64("cached", s.cached);
	member_u64("bytes", s.cached_bytes);
	member_u64("ledger", ledger != NULL ? pr_ledger_count(ledger) : 0);
	member_u64("nonces", pr_nonces_live(pr_inventory_nonces(inv)));
}

static void
do_nonce(char **arg)
{
	member_bool("ours",
	    pr_nonce_accept(pr_inventory_nonces(inv), pr_str_of(arg[0]),
		pr_str_of(arg[1]), pr_str_of(arg[2]),
		strcmp(arg[3], "req") == 0 ? PR_NONCE_REQUEST
					   : PR_NONCE_RESPONSE,
		strcmp(arg[4], "empty") == 0));
}

static void
do_ready(char **arg PR_UNUSED)
{
	struct pr_inventory_stats s;

	do {
		usleep(10000);
		pr_inventory_stats(inv, &s);
	} while (!s.events);
	member_bool("ready", true);
}

static const struct {
	const char *name;
	void (*run)(char **arg);
} commands[] = {
    {"get", do_get},
    {"peek", do_peek},
    {"begin", do_begin},
    {"end", do_end},
    {"path", do_path},
    {"list", do_list},
    {"daemon", do_daemon},
    {"put", do_put},
    {"flush", do_flush},
    {"stats", do_stats},
    {"nonce", do_nonce},
    {"ready", do_ready},
};

static void *
answer(void *arg)
{
	static char empty[] = "";
	char *line = arg;
	char *word[8] = {
	    empty, empty, empty, empty, empty, empty, empty, empty};
	char *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(line, "\t\n", &save); w != NULL && n < 8;
	     w = strtok_r(NULL, "\t\n", &save))
		word[n++] = w;
	pr_buf_char(&out, '{');
	member_u64("n", strtoull(word[0], NULL, 10));
	for (size_t i = 0; i < PR_COUNT(commands); i++)
		if (strcmp(commands[i].name, word[1]) == 0)
			commands[i].run(word + 2);
	pr_buf_char(&out, '}');
	pthread_mutex_lock(&writing);
	puts(out.p);
	fflush(stdout);
	pthread_mutex_unlock(&writing);
	pr_buf_fini(&out);
	free(line);
	return NULL;
}

static void
answer_all(void)
{
	pthread_t *threads = NULL;
	size_t n = 0, cap = 0, size = 0;
	char *line = NULL;

	while (getline(&line, &size, stdin) > 0) {
		threads = pr_grow(threads, n, &cap, sizeof *threads);
		if (pthread_create(
			&threads[n], NULL, answer, pr_xstrdup(line)) != 0)
			abort();
		n++;
	}
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	free(line);
}

int
main(int argc, char **argv)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_inventory_config config = {0};

	if (argc < 2)
		return 64;
	config.socket = argv[1];
	if (argc > 2 && (ledger = pr_ledger_open(argv[2], &err)) == NULL) {
		fprintf(stderr, "%s\n", pr_err_text(err));
		return 1;
	}
	inv = pr_inventory_open(&config, ledger, &err);
	if (inv == NULL) {
		fprintf(stderr, "%s\n", pr_err_text(err));
		return 1;
	}
	answer_all();
	pr_inventory_close(inv);
	pr_ledger_close(ledger);
	return 0;
}
