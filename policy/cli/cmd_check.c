/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve check, fmt: what is wrong with a policy; its canonical form. */
#include <string.h>

#include <portreeve/policytest.h>

#include "policy_source.h"

/* for "%zu team%s" */
#define COUNTED(n) (n), (n) == 1 ? "" : "s"

struct options {
	enum cli_format format;
	const char *config;
	bool schema;
};

static const struct cli_option check_options[] = {
    CLI_OPTION_OUTPUT(struct options, format),
    CLI_OPTION_CONFIG(struct options, config),
};
static const struct cli_option fmt_options[] = {
    CLI_OPTION_CONFIG(struct options, config),
    {"schema", 's', CLI_FLAG, offsetof(struct options, schema), NULL,
	"print the JSON Schema of a policy file instead"},
};

static struct pr_policy *
load(const struct cli *cli, const char *config, struct pr_diags *ds)
{
	return cli_policy(cli->n_args > 0 ? cli->args[0] : NULL, config, ds);
}

/* Diagnostics as rows, for editors and CI. */
static void
print_rows(struct cli *cli, enum cli_format format, const struct pr_diags *ds)
{
	static const struct cli_column columns[] = {{.name = "severity"},
	    {.name = "file"}, {.name = "line"}, {.name = "column"},
	    {.name = "length"}, {.name = "text"}, {.name = "hint"}};
	static const char *const names[] = {"note", "warning", "error"};
	struct cli_rows *rows =
	    cli_rows_new(cli, format, columns, PR_COUNT(columns));
	struct pr_diag d;

	for (size_t i = 0; pr_diags_get(ds, i, &d); i++) {
		cli_cell_cstr(rows, names[d.severity]);
		cli_cell_cstr(rows, d.loc.file);
		cli_cell_u64(rows, d.loc.line);
		cli_cell_u64(rows, d.loc.col);
		cli_cell_u64(rows, d.loc.len);
		cli_cell_cstr(rows, d.text);
		cli_cell_cstr(rows, d.hint);
	}
	cli_rows_end(rows);
}

static int
check(struct cli *cli, const void *opts)
{
	const struct options *o = opts;
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *p = load(cli, o->config, ds);
	int rc = CLI_OK;

	if (p != NULL)
		pr_policy_tests_run(p, ds);
	if (o->format == CLI_TABLE)
		rc = cli_diagnosed(cli, ds);
	else
		print_rows(cli, o->format, ds);
	if (p == NULL || rc != CLI_OK || pr_diags_count(ds, PR_ERROR) > 0)
		return CLI_CONFIG;
	if (o->format == CLI_TABLE)
		fprintf(cli->out,
		    "policy %.12s: %zu team%s, %zu role%s, %zu profile%s, %zu "
		    "grant%s, %zu guard%s, %zu test%s passed\n",
		    p->hash, COUNTED(p->n_teams), COUNTED(p->n_roles),
		    COUNTED(p->n_profiles - 1), COUNTED(p->n_grants),
		    COUNTED(p->n_guards), COUNTED(p->n_tests));
	return CLI_OK;
}

static int
fmt(struct cli *cli, const void *opts)
{
	const struct options *o = opts;
	PR_CLEANUP(pr_buf_fini) struct pr_buf out = PR_BUF_INIT;
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_policy_unrefp) struct pr_policy *p = NULL;

	if (o->schema) {
		pr_policy_schema(&out);
	} else {
		p = load(cli, o->config, ds);
		if (cli_diagnosed(cli, ds) != CLI_OK || p == NULL)
			return CLI_CONFIG;
		pr_policy_print(p, &out);
	}
	fwrite(out.p, 1, out.n, cli->out);
	return CLI_OK;
}

const struct cli_command cli_cmd_check = {
    .name = "check",
    .args = "[PATH]",
    .text = "Check a policy",
    .help =
	"Reads the policy file or folder PATH, or the one that the\n"
	"configuration names, and prints every mistake with its place.\n"
	"Runs the policy's tests as well: one that fails is a mistake.\n"
	"Exits with 78 if the policy cannot be used; warnings do not count.\n",
    .examples = "portreeve check\n"
		"portreeve check policy.d\n"
		"portreeve check -o json policy.d/10-pay.yaml\n",
    .options = check_options,
    .n_options = PR_COUNT(check_options),
    .size = sizeof(struct options),
    .max_args = 1,
    .run = check,
};

const struct cli_command cli_cmd_fmt = {
    .name = "fmt",
    .args = "[PATH]",
    .text = "Print a policy in its canonical form",
    .help = "Merges the files of a folder, sorts what has no order and spells\n"
	    "everything in one way; the SHA-256 of the result is the policy's\n"
	    "hash. Comments are not kept, so nothing is written back.\n",
    .examples = "portreeve fmt policy.d\n"
		"diff <(portreeve fmt old.yaml) <(portreeve fmt policy.d)\n"
		"portreeve fmt --schema > policy.schema.json\n",
    .options = fmt_options,
    .n_options = PR_COUNT(fmt_options),
    .size = sizeof(struct options),
    .max_args = 1,
    .run = fmt,
};
