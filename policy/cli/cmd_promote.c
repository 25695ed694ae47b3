/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve promote: what has run here, signed for daemons elsewhere. */
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>
#include <portreeve/config.h>
#include <portreeve/ledger.h>
#include <portreeve/promotion.h>

#include "cli.h"

struct options {
	const char *config, *phase, *key, *make_key, *check;
	bool public;
	enum cli_format format;
};

static const struct cli_option options[] = {
    CLI_OPTION_CONFIG(struct options, config),
    {"phase", 'p', CLI_TEXT, offsetof(struct options, phase), "PHASE",
	"only what has run in this phase"},
    {"key", 'k', CLI_TEXT, offsetof(struct options, key), "FILE",
	"sign with this Ed25519 key, and print lines"},
    {"public", 0, CLI_FLAG, offsetof(struct options, public), NULL,
	"print the public half of --key, for via:"},
    {"make-key", 0, CLI_TEXT, offsetof(struct options, make_key), "FILE",
	"make a new key in a new file, print its public half"},
    {"check", 0, CLI_TEXT, offsetof(struct options, check), "PATH",
	"read lines of a file or folder, check their signatures"},
    CLI_OPTION_OUTPUT(struct options, format),
};

static const struct cli_column columns[] = {
    {.name = "digest"},
    {.name = "phase"},
    {.name = "seconds", .right = true},
    {.name = "daemon"},
    {.name = "time"},
    {.name = "key"},
};

static int
print_public(struct cli *cli, const struct pr_private_key *k)
{
	char text[PR_PUBLIC_KEY_TEXT];
	struct pr_public_key public;

	pr_private_key_public(k, &public);
	pr_public_key_print(&public, text);
	fprintf(cli->out, "%s\n", text);
	return CLI_OK;
}

static int
make_key(struct cli *cli, const char *path)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	PR_CLEANUP(pr_private_key_freep)
	struct pr_private_key *k = pr_private_key_make(path, &err);

	return k != NULL ? print_public(cli, k) : cli_failed(cli, err);
}

static void
row(struct cli_rows *rows, const struct pr_promotion *p)
{
	cli_cell(rows, p->digest);
	cli_cell(rows, p->phase);
	cli_cell_u64(rows, p->seconds);
	cli_cell(rows, p->daemon);
	cli_cell(rows, p->time);
	if (p->key.n > 0)
		cli_cell(rows, p->key);
	else
		cli_cell_null(rows);
}

static int
check(struct cli *cli, const struct options *o)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	struct pr_promotions *p = pr_promotions_load(o->check, ds);
	struct pr_promotion line;
	struct cli_rows *rows;
	struct pr_loc loc;

	if (p == NULL)
		return cli_diagnosed(cli, ds);
	rows = cli_rows_new(cli, o->format, columns, PR_COUNT(columns));
	for (size_t i = 0; pr_promotions_get(p, i, &line, &loc); i++)
		row(rows, &line);
	cli_rows_end(rows);
	pr_promotions_free(p);
	return CLI_OK;
}

/* ---- what the ledger knows ---- */

struct choice {
	const struct options *o;
	char *const *digests; /* empty: all */
	struct pr_arena *arena;
	struct pr_promotion *v;
	size_t n, cap;
};

static bool
is_wanted(const struct choice *c, const struct pr_ledger_run *run)
{
	if (c->o->phase != NULL && !pr_str_is(run->phase, c->o->phase))
		return false;
	for (size_t i = 0; c->digests[i] != NULL; i++) {
		if (pr_str_is(run->digest, c->digests[i]))
			return true;
	}
	return c->digests[0] == NULL;
}

static void
choose(void *arg, const struct pr_ledger_run *run)
{
	struct choice *c = arg;
	char time[28];

	if (!is_wanted(c, run))
		return;
	pr_clock_format(run->time, time);
	c->v = pr_grow(c->v, c->n, &c->cap, sizeof *c->v);
	c->v[c->n++] =
	    (struct pr_promotion){.digest = pr_arena_str(c->arena, run->digest),
		.phase = pr_arena_str(c->arena, run->phase),
		.seconds = run->ns / PR_SEC,
		.time = pr_arena_str(c->arena, pr_str_of(time))};
}

static int
by_digest(const void *a, const void *b)
{
	const struct pr_promotion *x = a, *y = b;
	int c = pr_str_cmp(x->digest, y->digest);

	return c != 0 ? c : pr_str_cmp(x->phase, y->phase);
}

/* A digest that was asked for and has not run is worth an error. */
static int
missing(struct cli *cli, const struct choice *c)
{
	for (size_t i = 0; c->digests[i] != NULL; i++) {
		bool found = false;

		for (size_t k = 0; k < c->n; k++)
			found =
			    found || pr_str_is(c->v[k].digest, c->digests[i]);
		if (!found) {
			cli_error(cli, "%s has not run here%s%s", c->digests[i],
			    c->o->phase != NULL ? " in " : "",
			    c->o->phase != NULL ? c->o->phase : "");
			return CLI_FAILURE;
		}
	}
	return CLI_OK;
}

static void
print_signed(struct cli *cli, const struct choice *c,
    const struct pr_private_key *key, const char *daemon)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	char now[28];

	pr_clock_format(pr_clock_wall(), now);
	for (size_t i = 0; i < c->n; i++) {
		c->v[i].daemon = pr_str_of(daemon);
		c->v[i].time = pr_str_of(now);
		pr_promotion_print(&c->v[i], key, &b);
	}
	fwrite(b.p, 1, b.n, cli->out);
}

static void
print_rows(struct cli *cli, const struct choice *c, const char *daemon)
{
	struct cli_rows *rows =
	    cli_rows_new(cli, c->o->format, columns, PR_COUNT(columns) - 1);

	for (size_t i = 0; i < c->n; i++) {
		const struct pr_promotion *p = &c->v[i];

		cli_cell(rows, p->digest);
		cli_cell(rows, p->phase);
		cli_cell_u64(rows, p->seconds);
		cli_cell_cstr(rows, daemon);
		cli_cell(rows, p->time);
	}
	cli_rows_end(rows);
}

static int
promote(struct cli *cli, const struct options *o,
    const struct pr_config *config, const struct pr_private_key *key)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	struct choice c = {.o = o, .digests = cli->args, .arena = a};
	struct pr_ledger *l = pr_ledger_open(config->ledger, &err);
	int rc;

	if (l == NULL)
		return cli_failed(cli, err);
	pr_ledger_runs_each(l, choose, &c);
	pr_ledger_close(l);
	if (c.n > 1)
		qsort(c.v, c.n, sizeof *c.v, by_digest);
	rc = missing(cli, &c);
	if (rc == CLI_OK && key != NULL)
		print_signed(cli, &c, key, config->daemon.name);
	else if (rc == CLI_OK)
		print_rows(cli, &c, config->daemon.name);
	pr_freep(&c.v);
	return rc;
}

static int
run(struct cli *cli, const void *opts)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	PR_CLEANUP(pr_private_key_freep) struct pr_private_key *key = NULL;
	const struct options *o = opts;
	struct pr_config config;

	if (o->make_key != NULL)
		return make_key(cli, o->make_key);
	if (o->check != NULL)
		return check(cli, o);
	if (o->public && o->key == NULL)
		return cli_usage(cli, "--public wants --key");
	if (o->key != NULL && (key = pr_private_key_load(o->key, &err)) == NULL)
		return cli_failed(cli, err);
	if (o->public)
		return print_public(cli, key);
	if (pr_config_load(o->config != NULL ? o->config : CLI_CONFIG_FILE, a,
		&config, ds) < 0)
		return cli_diagnosed(cli, ds);
	return promote(cli, o, &config, key);
}

const struct cli_command cli_cmd_promote = {
    .name = "promote",
    .args = "[DIGEST...]",
    .text = "Show and sign how long images have run here",
    .help =
	"Lists the images, by manifest digest, that have run on this daemon,\n"
	"in which phase, and for how long one container ran without a stop.\n"
	"With --key each row is printed as a promotion line: signed, to be\n"
	"copied to the file or folder that promotions: names in the\n"
	"configuration of daemons whose grants want promoted_from and name\n"
	"the key in via:. A reload takes new lines in.\n"
	"\n"
	"What runs now is written into the ledger once a minute.\n",
    .examples =
	"portreeve promote --make-key /etc/portreeve/promote.key\n"
	"portreeve promote --phase staging\n"
	"portreeve promote --phase staging --key /etc/portreeve/promote.key "
	">staging-1.promotions\n"
	"portreeve promote --check /etc/portreeve/promotions.d\n",
    .options = options,
    .n_options = PR_COUNT(options),
    .size = sizeof(struct options),
    .min_args = 0,
    .max_args = SIZE_MAX,
    .run = run,
};
