/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve test: the tests that a policy carries, and what they leave out. */
#include <string.h>

#include <portreeve/policytest.h>

#include "policy_source.h"

struct options {
	enum cli_format format;
	const char *config;
	bool coverage;
};

static const struct cli_option options[] = {
    CLI_OPTION_OUTPUT(struct options, format),
    CLI_OPTION_CONFIG(struct options, config),
    {"coverage", 'C', CLI_FLAG, offsetof(struct options, coverage), NULL,
	"list grants, guards, role denies and profile keys, and which of them "
	"decided a test"},
};

/* ---- what decided ---- */

struct coverage {
	bool *grants, *guards, *roles;
	bool *keys; /* profile * PR_KEY_COUNT + key */
};

static struct coverage
coverage_new(const struct pr_policy *p, struct pr_arena *a)
{
	return (struct coverage){
	    pr_arena_array(a, p->n_grants + 1, sizeof(bool)),
	    pr_arena_array(a, p->n_guards + 1, sizeof(bool)),
	    pr_arena_array(a, p->n_roles + 1, sizeof(bool)),
	    pr_arena_array(a, p->n_profiles * PR_KEY_COUNT, sizeof(bool))};
}

/* A key counts for the profile in which it is written. */
static void
cover_key(const struct pr_policy *p, struct coverage *c, int profile, int key)
{
	const struct pr_leaf *leaf = &p->profiles[profile].leaf[key];
	int writer = leaf->given ? pr_policy_profile(p, leaf->profile) : -1;

	if (writer >= 0)
		c->keys[(size_t)writer * PR_KEY_COUNT + (size_t)key] = true;
}

static void
cover(
    const struct pr_policy *p, struct coverage *c, const struct pr_decision *d)
{
	if (d->guard >= 0)
		c->guards[d->guard] = true;
	if (d->profile >= 0 && d->key >= 0)
		cover_key(p, c, d->profile, d->key);
	if (d->reason == PR_REASON_ROLE_DENY) {
		/* the deny may be the parent's */
		for (int r = d->role; r >= 0; r = p->roles[r].extends)
			c->roles[r] = true;
	} else if (d->grant >= 0) {
		c->grants[d->grant] = true;
	}
}

struct row {
	const char *kind;
	struct pr_str name;
	const char *key; /* or NULL */
	struct pr_loc loc;
	bool covered;
};

static void
put_row(struct cli *cli, struct cli_rows *rows, const struct row *r,
    struct pr_arena *a)
{
	(void)cli;
	cli_cell_paint(rows, r->covered ? CLI_GREEN : CLI_RED);
	cli_cell_cstr(rows, r->covered ? "tested" : "untested");
	cli_cell_cstr(rows, r->kind);
	cli_cell_cstr(rows,
	    pr_arena_printf(a, "%.*s%s%s", PR_STRF(r->name),
		r->key != NULL ? "." : "", r->key != NULL ? r->key : ""));
	cli_cell_cstr(rows, r->loc.file);
	cli_cell_u64(rows, r->loc.line);
}

static bool
has_denies(const struct pr_role *r)
{
	for (unsigned op = 0; op < PR_OP_COUNT; op++) {
		if (pr_opset_has(&r->own_deny, (enum pr_op)op))
			return true;
	}
	return false;
}

static void
put_keys(struct cli *cli, struct cli_rows *rows, const struct pr_policy *p,
    const struct coverage *c, struct pr_arena *a)
{
	for (size_t i = 0; i < p->n_profiles; i++) {
		for (unsigned k = 0; k < PR_KEY_COUNT; k++) {
			const struct pr_leaf *leaf = &p->profiles[i].leaf[k];

			if (leaf->given &&
			    pr_str_eq(leaf->profile, p->profiles[i].name))
				put_row(cli, rows,
				    &(struct row){"key", p->profiles[i].name,
					pr_profile_key(k)->path, leaf->loc,
					c->keys[i * PR_KEY_COUNT + k]},
				    a);
		}
	}
}

static void
print_coverage(struct cli *cli, enum cli_format format,
    const struct pr_policy *p, const struct coverage *c)
{
	static const struct cli_column columns[] = {{.name = "tested"},
	    {.name = "kind"}, {.name = "name"}, {.name = "file"},
	    {.name = "line", .right = true}};
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	struct cli_rows *rows =
	    cli_rows_new(cli, format, columns, PR_COUNT(columns));

	for (size_t i = 0; i < p->n_grants; i++)
		put_row(cli, rows,
		    &(struct row){"grant", p->grants[i].id, NULL,
			p->grants[i].loc, c->grants[i]},
		    a);
	for (size_t i = 0; i < p->n_guards; i++)
		put_row(cli, rows,
		    &(struct row){"guard", p->guards[i].id, NULL,
			p->guards[i].loc, c->guards[i]},
		    a);
	for (size_t i = 0; i < p->n_roles; i++) {
		if (has_denies(&p->roles[i]))
			put_row(cli, rows,
			    &(struct row){"role-deny", p->roles[i].name, NULL,
				p->roles[i].loc, c->roles[i]},
			    a);
	}
	put_keys(cli, rows, p, c, a);
	cli_rows_end(rows);
}

/* ---- the tests themselves ---- */

static const struct cli_column test_columns[] = {
    {.name = "result"},
    {.name = "file"},
    {.name = "line", .right = true},
    {.name = "as"},
    {.name = "request"},
    {.name = "expect"},
    {.name = "by", .hidden = true},
    {.name = "got"},
    {.name = "grant", .hidden = true},
    {.name = "why", .hidden = true},
};

static void
put_test(struct cli_rows *rows, const struct pr_policy *p,
    const struct pr_test_result *r, struct pr_arena *a)
{
	const struct pr_policy_test *t = r->test;

	cli_cell_paint(rows, r->passed ? CLI_GREEN : CLI_RED);
	cli_cell_cstr(rows, r->passed ? "passed" : "failed");
	cli_cell_cstr(rows, t->loc.file);
	cli_cell_u64(rows, t->loc.line);
	cli_cell(rows, t->as);
	if (t->command.n > 0)
		cli_cell(rows, t->command);
	else
		cli_cell_cstr(rows,
		    pr_arena_printf(a, "%.*s %.*s", PR_STRF(t->method),
			PR_STRF(t->target)));
	cli_cell_cstr(rows,
	    t->expect_would_deny  ? "would-deny"
		: t->expect_allow ? "allow"
				  : "deny");
	cli_cell(rows, t->by);
	cli_cell_cstr(rows, r->got);
	if (r->decision.grant >= 0)
		cli_cell(rows, p->grants[r->decision.grant].id);
	else
		cli_cell_null(rows);
	cli_cell_cstr(rows, r->what);
}

/* Runs all; returns how many failed.  rows may be NULL. */
static size_t
run_tests(const struct pr_policy *p, struct cli_rows *rows, struct coverage *c)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(1 << 16);
	size_t failed = 0;

	for (size_t i = 0; i < p->n_tests; i++) {
		struct pr_test_result r;

		pr_arena_reset(a, 1 << 16);
		pr_policy_test_run(p, &p->tests[i], a, &r);
		failed += !r.passed;
		cover(p, c, &r.decision);
		if (rows != NULL)
			put_test(rows, p, &r, a);
	}
	return failed;
}

static void
print_failures(struct cli *cli, const struct pr_policy *p)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();

	pr_policy_tests_run(p, ds);
	pr_diags_print(ds, cli->err);
}

static int
test(struct cli *cli, const void *opts)
{
	const struct options *o = opts;
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *p =
	    cli_policy(cli->n_args > 0 ? cli->args[0] : NULL, o->config, ds);
	struct cli_rows *rows = NULL;
	struct coverage c;
	size_t failed;

	if (p == NULL) {
		cli_diagnosed(cli, ds);
		return CLI_CONFIG;
	}
	c = coverage_new(p, a);
	if (!o->coverage)
		rows = cli_rows_new(
		    cli, o->format, test_columns, PR_COUNT(test_columns));
	failed = run_tests(p, rows, &c);
	if (rows != NULL)
		cli_rows_end(rows);
	else
		print_coverage(cli, o->format, p, &c);
	if (failed > 0)
		print_failures(cli, p);
	fprintf(
	    cli->err, "%zu passed, %zu failed\n", p->n_tests - failed, failed);
	return failed == 0 ? CLI_OK : CLI_FAILURE;
}

const struct cli_command cli_cmd_test = {
    .name = "test",
    .args = "[PATH]",
    .text = "Run the tests that a policy carries",
    .help =
	"Decides the tests: section of the policy file or folder PATH, or of\n"
	"the one that the configuration names, without a daemon or a\n"
	"directory; a row each on stdout, what failed and why on stderr.\n"
	"--coverage prints instead what could decide (grants, guards, role\n"
	"denies, the keys of profiles) and whether some test was decided by\n"
	"it.  Exit 0: all passed, 1: some failed, 78: the policy is broken.\n",
    .examples = "portreeve test\n"
		"portreeve test policy.d -o json\n"
		"portreeve test --coverage policy.d\n",
    .options = options,
    .n_options = PR_COUNT(options),
    .size = sizeof(struct options),
    .max_args = 1,
    .run = test,
};
