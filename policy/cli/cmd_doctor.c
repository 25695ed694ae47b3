/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve doctor: is this host guarded as it should be? */
#include <string.h>

#include "cli.h"
#include "doctor.h"

struct options {
	const char *config, *root, *daemon_file, *socket;
	enum cli_format format;
	bool strict;
};

static const struct cli_option options[] = {
    CLI_OPTION_CONFIG(struct options, config),
    {"daemon-json", 0, CLI_TEXT, offsetof(struct options, daemon_file), "FILE",
	"dockerd's configuration (default: as dockerd was told)"},
    {"docker-socket", 0, CLI_TEXT, offsetof(struct options, socket), "PATH",
	"dockerd's socket (default: as in the configuration)"},
    {"root", 0, CLI_TEXT, offsetof(struct options, root), "DIR",
	"look at the files of another root, an image for example"},
    {"strict", 0, CLI_FLAG, offsetof(struct options, strict), NULL,
	"warnings fail, too"},
    CLI_OPTION_OUTPUT(struct options, format),
};

static const struct cli_column columns[] = {
    {.name = "result"},
    {.name = "check"},
    {.name = "found"},
    {.name = "why", .hidden = true},
    {.name = "mend", .hidden = true},
};

static const struct {
	const char *word;
	enum cli_paint paint;
} results[] = {
    [DOCTOR_UNKNOWN] = {"unknown", CLI_YELLOW},
    [DOCTOR_FAIL] = {"fail", CLI_RED},
    [DOCTOR_WARN] = {"warn", CLI_YELLOW},
    [DOCTOR_PASS] = {"pass", CLI_GREEN},
};

struct round {
	struct cli *cli;
	struct doctor d;
	struct cli_rows *rows;
	struct pr_buf advice; /* below the table */
	size_t count[PR_COUNT(results)];
};

static void
add_advice(struct round *r, const struct doctor_check *c,
    const struct doctor_finding *f)
{
	pr_buf_printf(&r->advice, "\n%s: %s\n", results[f->result].word, c->id);
	pr_buf_printf(&r->advice, "    why:  %s\n", c->why);
	pr_buf_printf(
	    &r->advice, "    mend: %s\n", f->mend != NULL ? f->mend : c->mend);
}

static void
examine(struct round *r, const struct doctor_check *checks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct doctor_check *c = &checks[i];
		struct doctor_finding f = {0};

		c->look(&r->d, &f);
		r->count[f.result]++;
		cli_cell_paint(r->rows, results[f.result].paint);
		cli_cell_cstr(r->rows, results[f.result].word);
		cli_cell_cstr(r->rows, c->id);
		cli_cell_cstr(r->rows, f.found);
		cli_cell_cstr(r->rows, c->why);
		if (f.result == DOCTOR_PASS) {
			cli_cell_null(r->rows);
			continue;
		}
		cli_cell_cstr(r->rows, f.mend != NULL ? f.mend : c->mend);
		add_advice(r, c, &f);
	}
}

static void
print_advice(struct round *r)
{
	struct pr_str rest = pr_buf_view(&r->advice);

	while (rest.n > 0) {
		cli_print_safe(r->cli->out, pr_str_cut(&rest, '\n'));
		fputc('\n', r->cli->out);
	}
	fprintf(r->cli->out,
	    "\n%zu passed, %zu warnings, %zu failed, %zu unknown\n",
	    r->count[DOCTOR_PASS], r->count[DOCTOR_WARN], r->count[DOCTOR_FAIL],
	    r->count[DOCTOR_UNKNOWN]);
}

static int
run(struct cli *cli, const void *opts)
{
	const struct options *o = opts;
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(65536);
	struct round r = {.cli = cli, .advice = PR_BUF_INIT};
	size_t bad;
	const struct doctor_options where = {
	    .root = o->root != NULL && strcmp(o->root, "/") != 0 ? o->root : "",
	    .config = o->config != NULL ? o->config : CLI_CONFIG_FILE,
	    .daemon_file = o->daemon_file,
	    .socket = o->socket,
	};

	doctor_gather(&r.d, a, &where);
	r.rows = cli_rows_new(cli, o->format, columns, PR_COUNT(columns));
	examine(&r, doctor_guard_checks, doctor_n_guard_checks);
	examine(&r, doctor_daemon_checks, doctor_n_daemon_checks);
	examine(&r, doctor_file_checks, doctor_n_file_checks);
	cli_rows_end(r.rows);
	if (o->format == CLI_TABLE)
		print_advice(&r);
	pr_buf_fini(&r.advice);
	bad = r.count[DOCTOR_FAIL] + r.count[DOCTOR_UNKNOWN];
	if (o->strict)
		bad += r.count[DOCTOR_WARN];
	return bad == 0 ? CLI_OK : CLI_FAILURE;
}

const struct cli_command cli_cmd_doctor = {
    .name = "doctor",
    .args = "",
    .text = "is this host guarded as it should be",
    .help =
	"Looks at dockerd's configuration, how it was started, what it says\n"
	"of itself, Portreeve's own files and the sockets, and says of each\n"
	"what is found: pass, warn, fail, or unknown where it cannot be seen;\n"
	"and for all but pass why it matters and how to mend it.  It changes\n"
	"nothing.  Exit status: 0 without failures, 1 if anything failed or\n"
	"could not be seen (with --strict: or was warned of).\n",
    .examples =
	"portreeve doctor\n"
	"portreeve doctor -o json | jq '.[] | select(.result==\"fail\")'\n",
    .options = options,
    .n_options = PR_COUNT(options),
    .size = sizeof(struct options),
    .run = run,
};
