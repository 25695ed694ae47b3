/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve log verify: the proof, and where it ends. */
#include <string.h>

#include <portreeve/audit_read.h>

#include "cli.h"
#include "log_source.h"

struct options {
	const char *dir, *config, *door, *head;
	bool partial;
	enum cli_format format;
};

static const struct cli_option options[] = {
    LOG_OPTION_DIR(struct options, dir),
    CLI_OPTION_CONFIG(struct options, config),
    LOG_OPTION_DOOR(struct options, door, "; needed with --head"),
    {"head", 0, CLI_TEXT, offsetof(struct options, head), "SEQ:SHA256",
	"this record must be in the chain (from an earlier verify)"},
    {"partial", 0, CLI_FLAG, offsetof(struct options, partial), NULL,
	"the oldest segments may have been moved away"},
    CLI_OPTION_OUTPUT(struct options, format),
};

static const struct cli_column columns[] = {
    {.name = "door"},
    {.name = "intact"},
    {.name = "segments", .right = true},
    {.name = "records", .right = true},
    {.name = "decisions", .right = true},
    {.name = "outcomes", .right = true},
    {.name = "first", .right = true},
    {.name = "last", .right = true},
    {.name = "last_sha256"},
    {.name = "broken_record"},
    {.name = "broken_file"},
    {.name = "broken_offset"},
    {.name = "what"},
};

static bool
read_head(const char *s, struct pr_log_head *out)
{
	struct pr_str rest = pr_str_of(s), seq = pr_str_cut(&rest, ':');

	if (!pr_str_u64(seq, &out->seq) || out->seq == 0 ||
	    rest.n != PR_SHA256_HEX - 1 ||
	    strspn(rest.p, "0123456789abcdef") != rest.n)
		return false;
	memcpy(out->hash, rest.p, PR_SHA256_HEX);
	return true;
}

static void
print_text(struct cli *cli, const char *door, const struct pr_log_report *r)
{
	const char *no = cli_paint(cli, CLI_RED),
		   *yes = cli_paint(cli, CLI_GREEN);
	const char *off = cli_paint(cli, CLI_PLAIN);
	struct pr_str notes = pr_buf_view(&r->notes);

	if (r->intact)
		fprintf(cli->out,
		    "%s: %sintact%s: records %llu to %llu in %llu segments, "
		    "%llu decisions, %llu outcomes\n",
		    door, yes, off, (unsigned long long)r->first_seq,
		    (unsigned long long)r->last.seq,
		    (unsigned long long)r->segments,
		    (unsigned long long)r->decisions,
		    (unsigned long long)r->outcomes);
	else
		fprintf(cli->out,
		    "%s: %sBROKEN%s at record %llu: %s, byte %llu: %s\n", door,
		    no, off, (unsigned long long)r->seq, r->file,
		    (unsigned long long)r->offset, r->what);
	while (notes.n > 0) {
		fputs("  note: ", cli->out);
		cli_print_safe(cli->out, pr_str_cut(&notes, '\n'));
		fputc('\n', cli->out);
	}
	if (r->intact && r->last.seq > 0)
		fprintf(cli->out,
		    "  unsealed: record %llu (%s, byte %llu) is the last; no "
		    "later line vouches for it, nor that none was cut off "
		    "behind it.\n"
		    "  To prove it later: --door %s --head %llu:%s\n",
		    (unsigned long long)r->last.seq, r->last_file,
		    (unsigned long long)r->last_offset, door,
		    (unsigned long long)r->last.seq, r->last.hash);
}

static void
print_row(
    struct cli_rows *rows, const char *door, const struct pr_log_report *r)
{
	cli_cell_cstr(rows, door);
	cli_cell_bool(rows, r->intact);
	cli_cell_u64(rows, r->segments);
	cli_cell_u64(rows, r->lines);
	cli_cell_u64(rows, r->decisions);
	cli_cell_u64(rows, r->outcomes);
	cli_cell_u64(rows, r->first_seq);
	cli_cell_u64(rows, r->last.seq);
	cli_cell_cstr(rows, r->last.hash);
	if (r->intact) {
		for (size_t i = 9; i < PR_COUNT(columns); i++)
			cli_cell_null(rows);
		return;
	}
	cli_cell_u64(rows, r->seq);
	cli_cell_cstr(rows, r->file);
	cli_cell_u64(rows, r->offset);
	cli_cell_cstr(rows, r->what);
}

/* 1: intact, 0: broken, -1: it could not be read. */
static int
verify_door(struct cli *cli, const struct options *o, const char *dir,
    const char *door, struct cli_rows *rows, struct pr_err **err)
{
	struct pr_log_head head;
	struct pr_log_report r;
	int intact;

	if (o->head != NULL && !read_head(o->head, &head))
		return cli_usage(cli, "--head is NUMBER:SHA256, in hex");
	if (pr_log_verify(dir, door, o->partial, o->head != NULL ? &head : NULL,
		&r, err) != 0)
		return -1;
	if (rows != NULL)
		print_row(rows, door, &r);
	else
		print_text(cli, door, &r);
	intact = r.intact;
	pr_log_report_fini(&r);
	return intact;
}

static int
verify(struct cli *cli, const struct options *o, const char *dir,
    const struct pr_log_files *f, struct cli_rows *rows)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	char door[64], last[64] = "";
	int all = CLI_OK;

	for (size_t i = 0; i < f->n; i++) {
		int rc;

		pr_log_door(f->names[i], door);
		if (strcmp(door, last) == 0)
			continue;
		memcpy(last, door, sizeof last);
		rc = verify_door(cli, o, dir, door, rows, &err);
		if (rc < 0)
			return cli_failed(cli, err);
		if (rc == CLI_USAGE)
			return rc;
		if (rc == 0)
			all = CLI_FAILURE;
	}
	return all;
}

static int
run(struct cli *cli, const void *opts)
{
	PR_CLEANUP(pr_log_files_free) struct pr_log_files f = {0};
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	const struct options *o = opts;
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	const char *dir;
	struct cli_rows *rows = NULL;
	int rc;

	if (o->head != NULL && o->door == NULL)
		return cli_usage(cli, "--head needs --door");
	dir = log_dir(a, o->dir, o->config, cli->err);
	if (dir == NULL)
		return CLI_CONFIG;
	if (pr_log_files(dir, o->door, &f, &err) != 0)
		return cli_failed(cli, err);
	if (f.n == 0) {
		cli_error(cli, "%s: there is no log here", dir);
		return CLI_FAILURE;
	}
	if (o->format != CLI_TABLE)
		rows = cli_rows_new(cli, o->format, columns, PR_COUNT(columns));
	rc = verify(cli, o, dir, &f, rows);
	if (rows != NULL)
		cli_rows_end(rows);
	return rc;
}

const struct cli_command cli_cmd_log_verify = {
    .name = "log verify",
    .args = "",
    .text = "Prove that the decision log is whole",
    .help =
	"Every line carries the digest of the line before it, and every\n"
	"segment names the one before it: a change, a gap, a line that was\n"
	"added or moved shows, with record, file and byte. What nothing\n"
	"vouches for is said: the last line, and that it is the last. Keep\n"
	"its number and digest elsewhere and give them to --head later.\n"
	"Exit status: 0 intact, 1 broken.\n",
    .examples = "portreeve log verify\n"
		"portreeve log verify --door plugin --head 8123:9f86d081...\n"
		"portreeve log verify --partial --dir /srv/archive/prod-1\n",
    .options = options,
    .n_options = PR_COUNT(options),
    .size = sizeof(struct options),
    .run = run,
};
