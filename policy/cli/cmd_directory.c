/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve directory test: what the directory says about one subject. */
#include <portreeve/clock.h>
#include <portreeve/config.h>

#include "cli.h"
#include "policy_source.h"

#define PATIENCE (10 * PR_SEC)

struct options {
	enum cli_format format;
	const char *config;
	const char *search;
};

static const struct cli_option options[] = {
    CLI_OPTION_OUTPUT(struct options, format),
    CLI_OPTION_CONFIG(struct options, config),
    {"search", 's', CLI_TEXT, offsetof(struct options, search), "FILTER",
	"find the user by this filter, as an identity rule's search does"},
};

static void
print_groups(
    struct cli *cli, enum cli_format format, const struct pr_membership *m)
{
	static const struct cli_column columns[] = {{.name = "group"},
	    {.name = "dn"}, {.name = "user", .hidden = true},
	    {.name = "user_dn", .hidden = true},
	    {.name = "source", .hidden = true}};
	struct cli_rows *rows =
	    cli_rows_new(cli, format, columns, PR_COUNT(columns));

	for (size_t i = 0; i < m->n_groups; i++) {
		cli_cell(rows, m->groups[i].name);
		cli_cell(rows, m->groups[i].dn);
		cli_cell(rows, m->user_name);
		cli_cell(rows, m->user_dn);
		cli_cell(rows, m->source);
	}
	cli_rows_end(rows);
}

/* One sentence for a person, beside the data. */
static void
print_user(struct cli *cli, const struct pr_membership *m, uint64_t took)
{
	if (!m->found) {
		cli_error(cli, "%s: %s", cli->args[0],
		    m->ambiguous
			? "several entries fit, so the user is none of them"
			: "no such user");
		return;
	}
	cli_print_safe(cli->err, m->user_name);
	fputs(" is ", cli->err);
	cli_print_safe(cli->err, m->user_dn);
	fprintf(cli->err, " in %zu group%s, says ", m->n_groups,
	    m->n_groups == 1 ? "" : "s");
	cli_print_safe(cli->err, m->source);
	fprintf(cli->err, " after %.1f ms\n", (double)took / (double)PR_MS);
}

static int
ask(struct cli *cli, const struct options *o, struct pr_directory *d)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_directory_answer a;
	uint64_t began = pr_clock_now();
	int rc;

	if (pr_directory_lookup(d, pr_str_of(cli->args[0]),
		pr_str_of(o->search), 0, began + PATIENCE, &a, &err) < 0)
		return cli_failed(cli, err);
	print_user(cli, a.m, pr_clock_now() - began);
	rc = a.m->found ? CLI_OK : CLI_FAILURE;
	if (a.m->found)
		print_groups(cli, o->format, a.m);
	pr_membership_unref(a.m);
	return rc;
}

static int
run(struct cli *cli, const void *opts)
{
	const struct options *o = opts;
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	struct pr_directory *d = cli_directory(
	    o->config, "directory: {type: ldif, file: people.ldif}", a, ds);
	int rc = cli_diagnosed(cli, ds);

	if (d == NULL)
		return CLI_CONFIG;
	if (rc == CLI_OK)
		rc = ask(cli, o, d);
	pr_directory_close(d);
	return rc;
}

const struct cli_command cli_cmd_directory_test = {
    .name = "directory test",
    .args = "USER",
    .text = "Ask the directory who somebody is",
    .help =
	"The groups that the configured directory knows USER in, as the\n"
	"daemons would learn them: a row a group, its DN as policies compare\n"
	"it. Exit 0: found, 1: no such user, or several, or an answer that\n"
	"does not count, 69: the directory cannot be reached.\n",
    .examples = "portreeve directory test alice\n"
		"portreeve directory test alice -c portreeve.yaml -o json\n"
		"portreeve directory test alice -s \"(mail=alice@acme.com)\"\n",
    .options = options,
    .n_options = PR_COUNT(options),
    .size = sizeof(struct options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
