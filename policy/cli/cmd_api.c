/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve api: the catalogue, for people, scripts and tests. */
#include <string.h>

#include <portreeve/api.h>
#include <portreeve/spec.h>

#include "cli.h"

struct options {
	enum cli_format format;
	struct cli_list resources;
	bool wide, keys;
};

static const struct cli_option options[] = {
    CLI_OPTION_OUTPUT(struct options, format),
    {"resource", 'r', CLI_LIST, offsetof(struct options, resources), "NAME",
	"only this resource (may be repeated)"},
    {"wide", 'w', CLI_FLAG, offsetof(struct options, wide), NULL,
	"tables with every column"},
    {"keys", 'k', CLI_FLAG, offsetof(struct options, keys), NULL,
	"the keys of profiles instead, and which bodies each is asked of"},
};

enum column {
	COL_ACTION = 0,
	COL_METHOD,
	COL_PATH,
	COL_RISK,
	COL_SCOPE,
	COL_BODY,
	COL_SPEC,
	COL_ID,
	COL_RESOURCE,
	COL_VERB,
	COL_PARENT,
	COL_SINCE,
	COL_UNTIL,
	COL_KIND,
	COL_CREATES,
	COL_STREAM,
	COL_TEXT,
	COL_COUNT
};

/* Those of after COL_SPEC do not fit beside the path on a screen. */
static const struct cli_column columns[COL_COUNT] = {
    [COL_ACTION] = {.name = "action"},
    [COL_METHOD] = {.name = "method"},
    [COL_PATH] = {.name = "path"},
    [COL_RISK] = {.name = "risk"},
    [COL_SCOPE] = {.name = "scope"},
    [COL_BODY] = {.name = "body"},
    [COL_SPEC] = {.name = "spec"},
    [COL_ID] = {.name = "id", .hidden = true},
    [COL_RESOURCE] = {.name = "resource", .hidden = true},
    [COL_VERB] = {.name = "verb", .hidden = true},
    [COL_PARENT] = {.name = "parent", .hidden = true},
    [COL_SINCE] = {.name = "since", .hidden = true},
    [COL_UNTIL] = {.name = "until", .hidden = true},
    [COL_KIND] = {.name = "kind", .hidden = true},
    [COL_CREATES] = {.name = "creates", .hidden = true},
    [COL_STREAM] = {.name = "stream", .hidden = true},
    [COL_TEXT] = {.name = "text", .hidden = true},
};

static void
cell_version(struct cli_rows *rows, unsigned minor)
{
	char text[16];

	snprintf(text, sizeof text, "1.%u", minor);
	cli_cell_cstr(rows, minor != 0 ? text : NULL);
}

static void
print_op(struct cli_rows *rows, const struct pr_op_info *op)
{
	cli_cell_cstr(rows, op->action);
	cli_cell_cstr(rows, op->method);
	cli_cell_cstr(rows, op->path);
	if (op->risk == PR_RISK_HOST)
		cli_cell_paint(rows, CLI_RED);
	cli_cell_cstr(rows, pr_risk_name(op->risk));
	cli_cell_cstr(rows, pr_scope_name(op->scope));
	cli_cell_cstr(rows, pr_body_kind_name(op->body));
	cli_cell_bool(rows, op->spec);
	cli_cell_cstr(rows, op->id);
	cli_cell_cstr(rows, pr_resource_name(op->resource));
	cli_cell_cstr(rows, op->verb);
	cli_cell_cstr(rows, op->parent);
	cell_version(rows, op->since);
	cell_version(rows, op->until);
	cli_cell_cstr(rows, pr_kind_name(op->kind));
	cli_cell_cstr(rows, pr_kind_name(op->creates));
	cli_cell_cstr(rows, pr_stream_name(op->stream));
	cli_cell_cstr(rows, op->text);
}

static int
check_resources(struct cli *cli, const struct cli_list *list)
{
	const char *names[PR_RES_COUNT];

	for (size_t i = 0; i < PR_RES_COUNT; i++)
		names[i] = pr_resource_name((enum pr_resource)i);
	for (size_t i = 0; i < list->n; i++) {
		if (pr_resource_of(pr_str_of(list->v[i])) == PR_RES_COUNT)
			return cli_unknown(
			    cli, "resource", list->v[i], names, PR_RES_COUNT);
	}
	return CLI_OK;
}

static bool
wanted(const struct cli_list *list, enum pr_resource r)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->v[i], pr_resource_name(r)) == 0)
			return true;
	}
	return list->n == 0;
}

/* ---- the keys of profiles ---- */

static const struct cli_column key_columns[] = {
    {.name = "key"},
    {.name = "soft"},
    {.name = "bodies"},
    {.name = "absent", .hidden = true},
    {.name = "text"},
};

static void
cell_bodies(struct cli_rows *rows, enum pr_profile_key key)
{
	char words[256];

	pr_profile_key_bodies(key, words, sizeof words);
	cli_cell_cstr(rows, words[0] != '\0' ? words : NULL);
}

static int
print_keys(struct cli *cli, const struct options *o)
{
	struct cli_column cols[PR_COUNT(key_columns)];
	struct cli_rows *rows;

	memcpy(cols, key_columns, sizeof cols);
	for (size_t i = 0; o->wide && i < PR_COUNT(cols); i++)
		cols[i].hidden = false;
	rows = cli_rows_new(cli, o->format, cols, PR_COUNT(cols));
	for (unsigned i = 0; i < PR_KEY_COUNT; i++) {
		enum pr_profile_key key = (enum pr_profile_key)i;
		const struct pr_profile_key_info *info = pr_profile_key(key);

		cli_cell_cstr(rows, info->path);
		cli_cell_bool(rows, info->soft);
		cell_bodies(rows, key);
		cli_cell_cstr(
		    rows, info->absent[0] != '\0' ? info->absent : NULL);
		cli_cell_cstr(rows, info->text);
	}
	cli_rows_end(rows);
	return CLI_OK;
}

static int
run(struct cli *cli, const void *opts)
{
	const struct options *o = opts;
	struct cli_column cols[COL_COUNT];
	struct cli_rows *rows;
	int rc = check_resources(cli, &o->resources);

	if (rc != CLI_OK)
		return rc;
	if (o->keys)
		return print_keys(cli, o);
	memcpy(cols, columns, sizeof cols);
	for (size_t i = 0; o->wide && i < COL_COUNT; i++)
		cols[i].hidden = false;
	rows = cli_rows_new(cli, o->format, cols, COL_COUNT);
	for (size_t i = PR_OP_UNKNOWN + 1; i < PR_OP_COUNT; i++) {
		const struct pr_op_info *op = pr_api_op((enum pr_op)i);

		if (wanted(&o->resources, op->resource))
			print_op(rows, op);
	}
	cli_rows_end(rows);
	return CLI_OK;
}

const struct cli_command cli_cmd_api = {
    .name = "api",
    .args = "",
    .text = "Print the Docker API as Portreeve knows it",
    .help =
	"One row an operation: the action that policies name, method and\n"
	"path, risk (read, mutate, exec, host: may become root there),\n"
	"whose the object is, what body the daemon reads, and whether it\n"
	"carries a spec that a profile must allow.\n"
	"\n"
	"With --keys one row a key of profiles: whether complain mode may\n"
	"soften it, the bodies that it is asked of, and its value where no\n"
	"profile gives one (none: a demand that is not made).\n",
    .examples =
	"portreeve api\n"
	"portreeve api -r container -r image\n"
	"portreeve api --keys\n"
	"portreeve api -o json | jq '.[] | select(.risk == \"host\")'\n",
    .options = options,
    .n_options = PR_COUNT(options),
    .size = sizeof(struct options),
    .run = run,
};
