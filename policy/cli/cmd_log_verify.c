/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve log verify: the proof, and where it ends. */
#include <string.h>

#include <portreeve/audit_read.h>
#include <portreeve/caps.h>
#include <portreeve/file.h>

#include "cli.h"
#include "log_source.h"

struct options {
	const char *dir, *config, *door, *head, *copies;
	struct cli_list keys;
	bool partial;
	enum cli_format format;
};

static const struct cli_option options[] = {
    LOG_OPTION_DIR(struct options, dir),
    CLI_OPTION_CONFIG(struct options, config),
    LOG_OPTION_DOOR(struct options, door, "; needed with --head"),
    {"head", 0, CLI_TEXT, offsetof(struct options, head), "SEQ:SHA256",
	"this record must be in the chain (from an earlier verify)"},
    {"key", 'k', CLI_LIST, offsetof(struct options, keys), "KEY",
	"checkpoints must be signed by it (ed25519:..., or a file with it)"},
    {"copies", 0, CLI_TEXT, offsetof(struct options, copies), "FILE",
	"checkpoints of the second sink, which must be in the chain"},
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
    {.name = "checkpoints", .right = true},
    {.name = "sealed", .right = true},
    {.name = "sealed_key"},
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
print_sealed(
    struct cli *cli, const struct pr_log_report *r, const struct options *o)
{
	fprintf(cli->out,
	    "  sealed: up to record %llu, by %llu checkpoints of %s%s\n",
	    (unsigned long long)r->sealed.seq,
	    (unsigned long long)r->checkpoints, r->sealed_key,
	    o->keys.n > 0 ? "" : " (--key proves that this is the right one)");
	if (o->copies != NULL)
		fprintf(cli->out, "  %llu of them are in the second sink\n",
		    (unsigned long long)r->copies);
}

static void
print_text(struct cli *cli, const char *door, const struct pr_log_report *r,
    const struct options *o)
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
	if (r->intact && r->checkpoints > 0)
		print_sealed(cli, r, o);
	if (r->intact && r->last.seq > 0 && r->last.seq > r->sealed.seq)
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
	cli_cell_u64(rows, r->checkpoints);
	cli_cell_u64(rows, r->sealed.seq);
	cli_cell_cstr(rows, r->checkpoints > 0 ? r->sealed_key : NULL);
	if (r->intact) {
		for (size_t i = 12; i < PR_COUNT(columns); i++)
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
verify_door(struct cli *cli, const struct options *o,
    const struct pr_log_demand *asked, const char *dir, const char *door,
    struct cli_rows *rows, struct pr_err **err)
{
	struct pr_log_report r;
	int intact;

	if (pr_log_prove(dir, door, asked, &r, err) != 0)
		return -1;
	if (rows != NULL)
		print_row(rows, door, &r);
	else
		print_text(cli, door, &r, o);
	intact = r.intact;
	pr_log_report_fini(&r);
	return intact;
}

static int
verify(struct cli *cli, const struct options *o,
    const struct pr_log_demand *asked, const char *dir,
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
		rc = verify_door(cli, o, asked, dir, door, rows, &err);
		if (rc < 0)
			return cli_failed(cli, err);
		if (rc == 0)
			all = CLI_FAILURE;
	}
	return all;
}

/* The word itself, or a file that begins with it. */
static int
read_key(struct cli *cli, struct pr_arena *a, const char *word,
    struct pr_public_key *out)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_str text = pr_str_of(word), first;

	if (!pr_str_starts(text, "ed25519:") &&
	    pr_file_read(a, word, PR_CAP_SMALL_FILE, &text, &err) < 0)
		return cli_failed(cli, err);
	first = pr_str_trim(pr_str_cut(&text, '\n'));
	if (pr_public_key_read(first, out))
		return CLI_OK;
	return cli_usage(cli, "%s is no public key: ed25519: and base64", word);
}

static int
read_demand(struct cli *cli, struct pr_arena *a, const struct options *o,
    struct pr_log_demand *out)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_public_key *keys = pr_arena_array(a, o->keys.n, sizeof *keys);
	struct pr_log_head *head = pr_arena_alloc(a, sizeof *head);
	int rc = CLI_OK;

	*out = (struct pr_log_demand){
	    .partial = o->partial, .keys = keys, .n_keys = o->keys.n};
	if (o->head != NULL) {
		if (!read_head(o->head, head))
			return cli_usage(
			    cli, "--head is NUMBER:SHA256, in hex");
		out->head = head;
	}
	for (size_t i = 0; i < o->keys.n && rc == CLI_OK; i++)
		rc = read_key(cli, a, o->keys.v[i], &keys[i]);
	if (rc == CLI_OK && o->copies != NULL &&
	    pr_file_read(a, o->copies, PR_CAP_LDIF_FILE, &out->copies, &err) <
		0)
		return cli_failed(cli, err);
	return rc;
}

static int
run(struct cli *cli, const void *opts)
{
	PR_CLEANUP(pr_log_files_free) struct pr_log_files f = {0};
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	const struct options *o = opts;
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	struct pr_log_demand asked;
	const char *dir;
	struct cli_rows *rows = NULL;
	int rc;

	if (o->head != NULL && o->door == NULL)
		return cli_usage(cli, "--head needs --door");
	rc = read_demand(cli, a, o, &asked);
	if (rc != CLI_OK)
		return rc;
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
	rc = verify(cli, o, &asked, dir, &f, rows);
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
	"\n"
	"Checkpoints (audit.checkpoint in the configuration) are signed "
	"lines:\n"
	"with --key they must be that key's, which proves whose log it is;\n"
	"with --copies those of the second sink must be in it, which shows a\n"
	"log that was cut off or exchanged as a whole.\n"
	"Exit status: 0 intact, 1 broken.\n",
    .examples = "portreeve log verify\n"
		"portreeve log verify --door plugin --head 8123:9f86d081...\n"
		"portreeve log verify --key /etc/portreeve/log.pub --copies "
		"/srv/safe/checkpoints\n"
		"portreeve log verify --partial --dir /srv/archive/prod-1\n",
    .options = options,
    .n_options = PR_COUNT(options),
    .size = sizeof(struct options),
    .run = run,
};
