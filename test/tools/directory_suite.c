/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of directory_rows.h against a directory server, and a driver that
 * a script tells what to ask while it kills, stops and starts servers.
 *
 *   directory_suite ldif                  the people, for slapd
 *   directory_suite rows KEY=VALUE...     the suite
 *   directory_suite serve KEY=VALUE...    commands on stdin:
 *       lookup NAME FILTER|- STALE_MS DEADLINE_MS
 *       refresh NAME DEADLINE_MS | peek NAME | ready | reload
 *       storm THREADS NAME STALE_MS DEADLINE_MS
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "directory_rows.h"

static struct pr_directory_text uris[8];

static uint64_t
ms(const char *s)
{
	return strtoull(s, NULL, 10) * PR_MS;
}

static bool
set_more(struct pr_directory_config *c, const char *key, const char *value)
{
	static const char *const nested[] = {
	    "none", "memberof", "expand", "chain"};

	if (strcmp(key, "nested") == 0) {
		for (unsigned i = 0; i < PR_COUNT(nested); i++) {
			if (strcmp(nested[i], value) == 0)
				c->group.nested = (enum pr_directory_nested)i;
		}
	} else if (strcmp(key, "depth") == 0) {
		c->group.depth = (unsigned)atoi(value);
	} else if (strcmp(key, "connect") == 0) {
		c->timeouts.connect = ms(value);
	} else if (strcmp(key, "search") == 0) {
		c->timeouts.search = ms(value);
	} else if (strcmp(key, "ttl") == 0) {
		c->cache.ttl = ms(value);
	} else if (strcmp(key, "negative_ttl") == 0) {
		c->cache.negative_ttl = ms(value);
	} else {
		return false;
	}
	return true;
}

static bool
set(struct pr_directory_config *c, const char *key, const char *value)
{
	const struct {
		const char *key;
		struct pr_directory_text *to;
	} texts[] = {
	    {"ca", &c->tls.ca},
	    {"dn", &c->bind.dn},
	    {"password_file", &c->bind.password_file},
	    {"user.base", &c->user.base},
	    {"user.filter", &c->user.filter},
	    {"user.name", &c->user.name},
	    {"group.base", &c->group.base},
	    {"group.filter", &c->group.filter},
	    {"group.member", &c->group.member},
	};

	for (size_t i = 0; i < PR_COUNT(texts); i++) {
		if (strcmp(texts[i].key, key) == 0) {
			texts[i].to->s = value;
			return true;
		}
	}
	if (strcmp(key, "uri") == 0 && c->n_uri < PR_COUNT(uris)) {
		uris[c->n_uri++].s = value;
		c->uri = uris;
	} else if (strcmp(key, "starttls") == 0) {
		c->starttls = strcmp(value, "1") == 0;
	} else if (strcmp(key, "bind") == 0) {
		c->bind.method = strcmp(value, "simple") == 0 ? PR_BIND_SIMPLE
		    : strcmp(value, "external") == 0          ? PR_BIND_EXTERNAL
							      : PR_BIND_NONE;
	} else {
		return set_more(c, key, value);
	}
	return true;
}

static void
read_arguments(struct pr_directory_config *c, char **argv)
{
	for (; *argv != NULL; argv++) {
		char *eq = strchr(*argv, '=');

		if (eq == NULL) {
			fprintf(stderr, "no KEY=VALUE: %s\n", *argv);
			exit(64);
		}
		*eq = '\0';
		if (!set(c, *argv, eq + 1)) {
			fprintf(stderr, "no such key: %s\n", *argv);
			exit(64);
		}
		*eq = '=';
	}
}

static struct pr_directory *
open_with(const struct pr_directory_config *c)
{
	struct pr_diags *ds = pr_diags_new();
	struct pr_directory *d = NULL;

	if (pr_directory_check(c, ds))
		d = pr_directory_open(c, ds);
	if (d == NULL) {
		pr_diags_print(ds, stdout);
		exit(78);
	}
	pr_diags_free(ds);
	return d;
}

static int
run_rows(char **argv)
{
	struct pr_directory *d[VARIANTS];
	unsigned passed = 0, failed = 0, wrong, tried;

	for (unsigned v = 0; v < VARIANTS; v++) {
		struct pr_directory_config c;

		pr_directory_defaults(&c);
		c.type = PR_DIRECTORY_LDAP;
		variant_config(&c, (enum variant)v);
		c.n_uri = 0;
		read_arguments(&c, argv);
		d[v] = open_with(&c);
	}
	for (size_t i = 0; i < PR_COUNT(rows); i++) {
		PR_CLEANUP(pr_buf_fini) struct pr_buf got = PR_BUF_INIT;
		bool ok = run_row(d[rows[i].variant], &rows[i], &got);

		passed += ok;
		failed += !ok;
		if (!ok)
			printf("%s of \"%s\" %s: %s, not %s\n",
			    variants[rows[i].variant].name, rows[i].name,
			    rows[i].filter, got.p, rows[i].want);
	}
	wrong = try_all_bytes(d[DIRECT], &tried);
	passed += wrong == 0;
	failed += wrong > 0;
	if (wrong > 0)
		printf("%u of %u names with odd bytes\n", wrong, tried);
	for (unsigned v = 0; v < VARIANTS; v++)
		pr_directory_close(d[v]);
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const char *
code_name(enum pr_err_code c)
{
	static const char *const names[] = {
	    "?", "IO", "OFFLINE", "TIMEOUT", "DENIED", "INVALID"};

	return names[c <= PR_ERR_INVALID ? c : 0];
}

/* "RESULT|stale_ms|took_ms|what": one line a command. */
static void
show(int rc, const struct pr_directory_answer *a, const struct pr_err *err,
    uint64_t began)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	unsigned long took = (pr_clock_now() - began) / PR_MS;

	if (rc < 0) {
		printf("error %s\t0\t%lu\t%s\n", code_name(err->code), took,
		    pr_err_text(err));
		return;
	}
	if (a->m == NULL) {
		printf("none\t0\t%lu\t\n", took);
		return;
	}
	show_answer(&b, 0, a->m);
	printf("%s\t%lu\t%lu\t%.*s\n", b.n > 0 ? b.p : "no groups",
	    a->stale > 0 ? (unsigned long)(a->stale / PR_MS) + 1 : 0ul, took,
	    PR_STRF(a->m->source));
}

struct storm {
	struct pr_directory *d;
	const char *name;
	uint64_t stale_ok, patience;
	_Atomic unsigned answers, errors;
	_Atomic uint64_t worst;
};

static void *
storm_one(void *arg)
{
	struct storm *s = arg;
	uint64_t began = pr_clock_now(), took, worst = s->worst;
	struct pr_directory_answer a;

	if (pr_directory_lookup(s->d, pr_str_of(s->name), PR_STR(""),
		s->stale_ok, began + s->patience, &a, NULL) == 0)
		s->answers++;
	else
		s->errors++;
	pr_membership_unref(a.m);
	took = pr_clock_now() - began;
	while (took > worst &&
	    !atomic_compare_exchange_weak(&s->worst, &worst, took))
		;
	return NULL;
}

static void
storm(struct pr_directory *d, unsigned n, const char *name, uint64_t stale_ok,
    uint64_t patience)
{
	struct storm s = {
	    .d = d, .name = name, .stale_ok = stale_ok, .patience = patience};
	pthread_t t[256];

	if (n > PR_COUNT(t))
		n = PR_COUNT(t);
	for (unsigned i = 0; i < n; i++) {
		if (pthread_create(&t[i], NULL, storm_one, &s) != 0)
			abort();
	}
	for (unsigned i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	printf("answers %u errors %u\t0\t%lu\t\n", s.answers, s.errors,
	    (unsigned long)(s.worst / PR_MS));
}

static void
obey(struct pr_directory *d, char *line)
{
	char *w[6] = {NULL};
	uint64_t began = pr_clock_now();
	struct pr_directory_answer a = {0};
	struct pr_err *err = NULL;
	size_t n = 0;

	for (char *s = strtok(line, " \n"); s != NULL && n < PR_COUNT(w);
	     s = strtok(NULL, " \n"))
		w[n++] = s;
	if (n == 5 && strcmp(w[0], "lookup") == 0) {
		int rc = pr_directory_lookup(d, pr_str_of(w[1]),
		    strcmp(w[2], "-") == 0 ? PR_STR("") : pr_str_of(w[2]),
		    ms(w[3]), began + ms(w[4]), &a, &err);

		show(rc, &a, err, began);
	} else if (n == 3 && strcmp(w[0], "refresh") == 0) {
		int rc = pr_directory_refresh(
		    d, pr_str_of(w[1]), PR_STR(""), began + ms(w[2]), &a, &err);

		show(rc, &a, err, began);
	} else if (n == 2 && strcmp(w[0], "peek") == 0) {
		a.m = pr_directory_peek(d, pr_str_of(w[1]), PR_STR(""));
		show(0, &a, NULL, began);
	} else if (n == 5 && strcmp(w[0], "storm") == 0) {
		storm(d, (unsigned)atoi(w[1]), w[2], ms(w[3]), ms(w[4]));
	} else if (n == 1 && strcmp(w[0], "ready") == 0) {
		PR_CLEANUP(pr_buf_fini) struct pr_buf why = PR_BUF_INIT;
		bool ok = pr_directory_ready(d, &why);

		printf("%s\t0\t0\t%s\n", ok ? "ready" : "not ready",
		    why.n > 0 ? why.p : "");
	} else if (n == 1 && strcmp(w[0], "reload") == 0) {
		struct pr_diags *ds = pr_diags_new();

		printf("%s\t0\t0\t\n",
		    pr_directory_reload(d, ds) == 0 ? "reloaded" : "kept");
		pr_diags_free(ds);
	} else {
		printf("what?\t0\t0\t\n");
	}
	fflush(stdout);
	pr_membership_unref(a.m);
	pr_err_free(err);
}

static int
serve(char **argv)
{
	struct pr_directory_config c;
	struct pr_directory *d;
	char line[4096];

	pr_directory_defaults(&c);
	c.type = PR_DIRECTORY_LDAP;
	variant_config(&c, EXPAND);
	read_arguments(&c, argv);
	d = open_with(&c);
	printf("open\t0\t0\t\n");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL)
		obey(d, line);
	pr_directory_close(d);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "ldif") == 0)
		return fputs(people_ldif, stdout) < 0;
	if (argc > 2 && strcmp(argv[1], "rows") == 0)
		return run_rows(argv + 2);
	if (argc > 2 && strcmp(argv[1], "serve") == 0)
		return serve(argv + 2);
	fputs(
	    "usage: directory_suite ldif|rows|serve [KEY=VALUE...]\n", stderr);
	return 64;
}
