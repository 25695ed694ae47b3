/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve status: what the running daemon says of itself. */
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/json.h>

#include "admin_socket.h"

struct options {
	struct admin_where where;
	enum cli_format format;
};

static const struct cli_option options[] = {
    CLI_OPTION_CONFIG(struct options, where.config),
    CLI_OPTION_ADMIN_SOCKET(struct options, where.socket),
    CLI_OPTION_OUTPUT(struct options, format),
};

static const struct cli_column columns[] = {
    {.name = "name"},
    {.name = "value"},
};

static void
cell_value(struct cli_rows *rows, struct pr_str text, const struct pr_json *v)
{
	switch (v->type) {
	case PR_JSON_STRING:
		cli_cell(rows, v->str);
		break;
	case PR_JSON_FALSE:
	case PR_JSON_TRUE:
		cli_cell_paint(
		    rows, v->type == PR_JSON_TRUE ? CLI_GREEN : CLI_RED);
		cli_cell_bool(rows, v->type == PR_JSON_TRUE);
		break;
	case PR_JSON_NULL:
		cli_cell_null(rows);
		break;
	default:
		cli_cell_json(rows, pr_str_sub(text, v->begin, v->end));
		break;
	}
}

/* Deeper objects are JSON. */
static void
print_group(struct cli_rows *rows, struct pr_arena *a, struct pr_str text,
    struct pr_str group, const struct pr_json *doc)
{
	for (uint32_t i = 0; i < doc->n; i++) {
		const struct pr_json_member *m = &doc->members[i];

		cli_cell_cstr(rows,
		    pr_arena_printf(
			a, "%.*s.%.*s", PR_STRF(group), PR_STRF(m->key)));
		cell_value(rows, text, &m->value);
	}
}

/* Objects of the first level as "calls.requests". */
static void
print_members(struct cli_rows *rows, struct pr_arena *a, struct pr_str text,
    const struct pr_json *doc)
{
	for (uint32_t i = 0; i < doc->n; i++) {
		const struct pr_json_member *m = &doc->members[i];

		if (m->value.type == PR_JSON_OBJECT) {
			print_group(rows, a, text, m->key, &m->value);
			continue;
		}
		cli_cell(rows, m->key);
		cell_value(rows, text, &m->value);
	}
}

static int
print_status(struct cli *cli, struct pr_arena *a, enum cli_format format,
    struct pr_str text)
{
	struct pr_json_fault fault;
	const struct pr_json *doc = pr_json_read(a, text, &fault);
	struct cli_rows *rows;

	if (doc == NULL || doc->type != PR_JSON_OBJECT) {
		cli_error(cli, "the daemon's answer is not readable");
		return CLI_FAILURE;
	}
	if (format == CLI_JSON || format == CLI_JSONL) {
		fwrite(text.p, 1, text.n, cli->out);
		return CLI_OK;
	}
	rows = cli_rows_new(cli, format, columns, PR_COUNT(columns));
	print_members(rows, a, text, doc);
	cli_rows_end(rows);
	return CLI_OK;
}

static int
run(struct cli *cli, const void *opts)
{
	const struct options *o = opts;
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;
	unsigned status;
	int rc =
	    admin_command(cli, &o->where, "GET", "/status", &status, &text);

	if (rc != CLI_OK)
		return rc;
	if (status != 200) {
		cli_error(cli, "the daemon answered %u", status);
		return CLI_FAILURE;
	}
	return print_status(cli, a, o->format, pr_buf_view(&text));
}

const struct cli_command cli_cmd_status = {
    .name = "status",
    .args = "",
    .text = "Show what the running daemon says of itself",
    .help = "Version, policy in force, whether it is ready, and what it has\n"
	    "counted since it was started.\n",
    .examples = "portreeve status\n"
		"portreeve status -o json | jq .calls\n",
    .options = options,
    .n_options = PR_COUNT(options),
    .size = sizeof(struct options),
    .run = run,
};
