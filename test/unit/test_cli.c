/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "unit.h"

/* ---- runs of the whole program ---- */

#define MAX_ARGS 12

struct run {
	int rc;
	char *out, *err;
};

static struct run
run_cli(char *const *args)
{
	char *argv[MAX_ARGS + 2] = {(char[]){"portreeve"}};
	struct run r;
	size_t n_out, n_err;
	FILE *out = open_memstream(&r.out, &n_out);
	FILE *err = open_memstream(&r.err, &n_err);
	int argc = 1;

	while (args[argc - 1] != NULL) {
		argv[argc] = args[argc - 1];
		argc++;
	}
	r.rc = cli_main(argc, argv, out, err);
	fclose(out);
	fclose(err);
	return r;
}

static void
run_free(struct run *r)
{
	free(r->out);
	free(r->err);
}

static const struct {
	const char *args[MAX_ARGS];
	int rc;
	const char *out, *err; /* part of it; NULL: nothing at all */
} runs[] = {
    {{"--version"}, CLI_OK, "portreeve ", NULL},
    {{"--help"}, CLI_OK, "commands:", NULL},
    {{"-h"}, CLI_OK, "commands:", NULL},
    {{"help"}, CLI_OK, "commands:", NULL},
    {{"help", "api"}, CLI_OK, "examples:\n  portreeve api", NULL},
    {{"api", "--help"}, CLI_OK, "usage: portreeve api [options]", NULL},
    {{"api", "-h"}, CLI_OK, "--resource NAME", NULL},
    {{"api", "--resource=volume", "--help", "--nonsense"}, CLI_OK,
	"usage:", NULL},
    {{NULL}, CLI_USAGE, NULL, "commands:"},
    {{"apy"}, CLI_USAGE, NULL, "did you mean \"api\"?"},
    {{"help", "apy"}, CLI_USAGE, NULL, "did you mean \"api\"?"},
    {{"zzzzzz"}, CLI_USAGE, NULL, "unknown command \"zzzzzz\"\n"},
    {{""}, CLI_USAGE, NULL, "unknown command \"\""},
    {{"--api"}, CLI_USAGE, NULL, "unknown command"},
    {{"api"}, CLI_OK, "\ncontainer.create ", NULL},
    {{"api", "--keys"}, CLI_OK, "\nexec.privileged ", NULL},
    {{"api", "--keys", "-ojsonl"}, CLI_OK,
	"\"bodies\":\"container volume service\",\"absent\":\"own\"", NULL},
    {{"api", "-r", "volume", "-o", "json"}, CLI_OK, "\"volume.create\"", NULL},
    {{"api", "-ojsonl", "-rvolume"}, CLI_OK, "\"id\":\"VOLUME_LIST\"", NULL},
    {{"api", "--output=csv", "--resource", "volume"}, CLI_OK,
	"volume.list,GET,/volumes,", NULL},
    {{"api", "-wr", "volume"}, CLI_OK, "VOLUME_LIST", NULL},
    {{"api", "extra"}, CLI_USAGE, NULL, "\"extra\""},
    {{"api", "--", "--wide"}, CLI_USAGE, NULL, "\"--wide\""},
    {{"api", "-"}, CLI_USAGE, NULL, "\"-\""},
    {{"api", "-r"}, CLI_USAGE, NULL, "--resource wants NAME"},
    {{"api", "--resource"}, CLI_USAGE, NULL, "--resource wants NAME"},
    {{"api", "-r", "contaner"}, CLI_USAGE, NULL,
	"unknown resource \"contaner\"; did you mean \"container\"?"},
    {{"api", "--resorce", "x"}, CLI_USAGE, NULL, "did you mean \"resource\"?"},
    {{"api", "-x"}, CLI_USAGE, NULL, "unknown option \"x\""},
    {{"api", "-wx"}, CLI_USAGE, NULL, "unknown option \"x\""},
    {{"api", "--wide=1"}, CLI_USAGE, NULL, "--wide takes no value"},
    {{"api", "-o", "jason"}, CLI_USAGE, NULL, "did you mean \"json\"?"},
    {{"api", "-o", ""}, CLI_USAGE, NULL, "unknown output format"},
    {{"api", "--="}, CLI_USAGE, NULL, "unknown option"},
};

static void
expect(const char *what, const char *got, const char *part)
{
	if (part == NULL)
		ck_assert_msg(got[0] == '\0', "%s: %s", what, got);
	else
		ck_assert_msg(strstr(got, part) != NULL, "%s lacks %s: %s",
		    what, part, got);
}

START_TEST(program_answers)
{
	char *args[MAX_ARGS + 1] = {NULL};
	struct run r;

	for (size_t i = 0; i < MAX_ARGS && runs[_i].args[i] != NULL; i++)
		args[i] = strdup(runs[_i].args[i]);
	r = run_cli(args);
	ck_assert_int_eq(r.rc, runs[_i].rc);
	expect("output", r.out, runs[_i].out);
	expect("errors", r.err, runs[_i].err);
	ck_assert_msg(strchr(r.out, '\033') == NULL, "colour in a file");
	run_free(&r);
	for (size_t i = 0; args[i] != NULL; i++)
		free(args[i]);
}
END_TEST

START_TEST(lost_output_is_a_failure)
{
	char name[] = "portreeve", api[] = "api";
	char *argv[] = {name, api, NULL};
	FILE *full = fopen("/dev/full", "w"), *err;
	char *text;
	size_t n;

	ck_assert_ptr_nonnull(full);
	err = open_memstream(&text, &n);
	ck_assert_int_eq(cli_main(2, argv, full, err), CLI_FAILURE);
	fclose(err);
	fclose(full);
	expect("errors", text, "cannot write");
	free(text);
}
END_TEST

START_TEST(every_command_is_documented)
{
	size_t n;
	const struct cli_command *const *all = cli_commands(&n);

	ck_assert_uint_gt(n, 0);
	for (size_t i = 0; i < n; i++) {
		const struct cli_command *c = all[i];

		ck_assert(c->run != NULL);
		ck_assert_msg(
		    c->text[strlen(c->text) - 1] != '.', "%s", c->name);
		ck_assert_msg(c->examples != NULL &&
			strncmp(c->examples, "portreeve ", 10) == 0 &&
			c->examples[strlen(c->examples) - 1] == '\n',
		    "%s: examples", c->name);
		ck_assert_msg(
		    c->help == NULL || c->help[strlen(c->help) - 1] == '\n',
		    "%s: help", c->name);
		ck_assert_uint_le(c->min_args, c->max_args);
		for (size_t o = 0; o < c->n_options; o++) {
			const struct cli_option *opt = &c->options[o];

			ck_assert_msg(
			    (opt->type == CLI_FLAG) == (opt->arg == NULL),
			    "%s --%s", c->name, opt->name);
			ck_assert_uint_lt(opt->offset, c->size);
			for (size_t k = 0; k < o; k++)
				ck_assert_msg(strcmp(opt->name,
						  c->options[k].name) != 0 &&
					(opt->letter == '\0' ||
					    opt->letter !=
						c->options[k].letter),
				    "%s: --%s twice", c->name, opt->name);
		}
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(c->name, all[k]->name);
	}
}
END_TEST

/* ---- options ---- */

struct fields {
	bool flag;
	const char *text;
	uint64_t number;
	struct cli_list list;
	enum cli_format format;
};

static const struct cli_option table[] = {
    {"flag", 'f', CLI_FLAG, offsetof(struct fields, flag), NULL, "a flag"},
    {"text", 't', CLI_TEXT, offsetof(struct fields, text), "TEXT", "a text"},
    {"number", 'n', CLI_NUMBER, offsetof(struct fields, number), "N",
	"a number"},
    {"list", 0, CLI_LIST, offsetof(struct fields, list), "ITEM", "items"},
    CLI_OPTION_OUTPUT(struct fields, format),
};

static const struct cli_command command = {.name = "try it",
    .args = "FILE...",
    .text = "Try",
    .options = table,
    .n_options = PR_COUNT(table),
    .size = sizeof(struct fields),
    .min_args = 1,
    .max_args = 2};

static const struct {
	const char *line; /* words parted by one blank */
	int rc;
	const char *fields; /* flag text number list... / operands */
} lines[] = {
    {"a", 0, "0 - 0 / a"},
    {"a b", 0, "0 - 0 / a b"},
    {"-f a", 0, "1 - 0 / a"},
    {"a -f", 0, "1 - 0 / a"},
    {"--flag a --text x", 0, "1 x 0 / a"},
    {"--text=x a", 0, "0 x 0 / a"},
    {"--text= a", 0, "0  0 / a"},
    {"--text=x=y a", 0, "0 x=y 0 / a"},
    {"-tx a", 0, "0 x 0 / a"},
    {"-t x a", 0, "0 x 0 / a"},
    {"-ft x a", 0, "1 x 0 / a"},
    {"-t -f a", 0, "0 -f 0 / a"},
    {"-t x -t y a", 0, "0 y 0 / a"},
    {"-n 42 a", 0, "0 - 42 / a"},
    {"-n42 a", 0, "0 - 42 / a"},
    {"--list 1 a --list=2", 0, "0 - 0 1 2 / a"},
    {"-- -f", 0, "0 - 0 / -f"},
    {"-- -- -f", 0, "0 - 0 / -- -f"},
    {"a -- --flag", 0, "0 - 0 / a --flag"},
    {"-", 0, "0 - 0 / -"},
    {"--help", -1, NULL},
    {"a -h", -1, NULL},
    {"a -- -h b", CLI_USAGE, NULL},
    {"-f", CLI_USAGE, NULL},
    {"a b c", CLI_USAGE, NULL},
    {"-n x a", CLI_USAGE, NULL},
    {"-n -1 a", CLI_USAGE, NULL},
    {"-n 042 a", CLI_USAGE, NULL},
    {"-n 99999999999999999999 a", CLI_USAGE, NULL},
    {"a -t", CLI_USAGE, NULL},
    {"--flag=yes a", CLI_USAGE, NULL},
    {"--tex x a", CLI_USAGE, NULL},
    {"-q a", CLI_USAGE, NULL},
};

START_TEST(options_are_read)
{
	char words[128], *argv[16], *args[17], *save, got[256];
	struct fields f = {0};
	FILE *sink = fopen("/dev/null", "w");
	struct cli cli = {.command = &command, .out = sink, .err = sink};
	int argc = 0, rc, n;

	snprintf(words, sizeof words, "%s", lines[_i].line);
	for (char *w = strtok_r(words, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	rc = cli_options_read(&cli, argc, argv, &f, args);
	fclose(sink);
	ck_assert_msg(rc == lines[_i].rc, "\"%s\": %d", lines[_i].line, rc);
	if (rc != 0)
		return;
	n = snprintf(got, sizeof got, "%d %s %d", f.flag,
	    f.text != NULL ? f.text : "-", (int)f.number);
	for (size_t i = 0; i < f.list.n; i++)
		n += sprintf(got + n, " %s", f.list.v[i]);
	n += sprintf(got + n, " /");
	for (size_t i = 0; i < cli.n_args; i++)
		n += sprintf(got + n, " %s", cli.args[i]);
	ck_assert_ptr_null(cli.args[cli.n_args]);
	ck_assert_str_eq(got, lines[_i].fields);
}
END_TEST

START_TEST(list_is_capped)
{
	char *argv[CLI_LIST_MAX + 2], *args[CLI_LIST_MAX + 3];
	char item[] = "--list=x", operand[] = "a";
	FILE *sink = fopen("/dev/null", "w");
	struct cli cli = {.command = &command, .out = sink, .err = sink};
	struct fields f = {0};

	for (int i = 0; i <= CLI_LIST_MAX; i++)
		argv[i] = item;
	argv[CLI_LIST_MAX] = operand;
	ck_assert_int_eq(
	    cli_options_read(&cli, CLI_LIST_MAX + 1, argv, &f, args), CLI_OK);
	ck_assert_uint_eq(f.list.n, CLI_LIST_MAX);
	argv[CLI_LIST_MAX] = item;
	f = (struct fields){0};
	ck_assert_int_eq(
	    cli_options_read(&cli, CLI_LIST_MAX + 1, argv, &f, args),
	    CLI_USAGE);
	fclose(sink);
}
END_TEST

/* ---- rows ---- */

static const struct cli_column columns[] = {
    {.name = "name"},
    {.name = "count", .right = true},
    {.name = "is_on"},
    {.name = "more", .hidden = true},
};

static void
two_rows(struct cli_rows *r)
{
	cli_cell(r, PR_STR("a, \"b\"\n\033[31m"));
	cli_cell_u64(r, 7);
	cli_cell_bool(r, true);
	cli_cell_json(r, PR_STR("[1,2]"));
	cli_cell_paint(r, CLI_RED);
	cli_cell_cstr(r, "\xc3\xb6lig");
	cli_cell_i64(r, -1234567);
	cli_cell_null(r);
	cli_cell_cstr(r, NULL);
}

static const struct {
	enum cli_format format;
	bool color, live, empty;
	const char *text;
} outputs[] = {
    {CLI_TABLE, false, false, false,
	"NAME                   COUNT  IS ON\n"
	"a, \"b\"\\x0a\\x1b[31m         7  yes\n"
	"\xc3\xb6lig                -1234567  -\n"},
    {CLI_TABLE, true, false, true,
	"\033[1mNAME\033[0m  \033[1mCOUNT\033[0m  \033[1mIS ON\033[0m\n"},
    {CLI_TABLE, false, true, false,
	"NAME                COUNT  IS ON\n"
	"a, \"b\"\\x0a\\x1b[31m      7  yes\n"
	"\xc3\xb6lig  -1234567  -\n"},
    {CLI_JSON, true, false, false,
	"[\n {\"name\": \"a, \\\"b\\\"\\n\\u001b[31m\", \"count\": 7, "
	"\"is_on\": true, \"more\": [1,2]},\n"
	" {\"name\": \"\xc3\xb6lig\", \"count\": -1234567, "
	"\"is_on\": null, \"more\": null}\n]\n"},
    {CLI_JSON, false, false, true, "[]\n"},
    {CLI_JSONL, false, true, false,
	"{\"name\":\"a, \\\"b\\\"\\n\\u001b[31m\",\"count\":7,"
	"\"is_on\":true,\"more\":[1,2]}\n"
	"{\"name\":\"\xc3\xb6lig\",\"count\":-1234567,"
	"\"is_on\":null,\"more\":null}\n"},
    {CLI_JSONL, false, false, true, ""},
    {CLI_CSV, false, false, false,
	"name,count,is_on,more\r\n"
	"\"a, \"\"b\"\"\n\033[31m\",7,true,\"[1,2]\"\r\n"
	"\xc3\xb6lig,-1234567,,\r\n"},
    {CLI_CSV, false, false, true, "name,count,is_on,more\r\n"},
};

START_TEST(rows_are_printed)
{
	char *text;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	struct cli cli = {
	    .out = out, .err = stderr, .color = outputs[_i].color};
	struct cli_rows *r =
	    cli_rows_new(&cli, outputs[_i].format, columns, PR_COUNT(columns));

	if (outputs[_i].live)
		cli_rows_live(r);
	if (!outputs[_i].empty)
		two_rows(r);
	cli_rows_end(r);
	fclose(out);
	ck_assert_str_eq(text, outputs[_i].text);
	free(text);
}
END_TEST

START_TEST(failures_have_their_codes)
{
	static const struct {
		enum pr_err_code code;
		int rc;
	} rows[] = {
	    {PR_ERR_IO, CLI_FAILURE},
	    {PR_ERR_OFFLINE, CLI_UNREACHABLE},
	    {PR_ERR_TIMEOUT, CLI_UNREACHABLE},
	    {PR_ERR_DENIED, CLI_FAILURE},
	    {PR_ERR_INVALID, CLI_FAILURE},
	};
	FILE *sink = fopen("/dev/null", "w");
	struct cli cli = {.command = &command, .out = sink, .err = sink};
	struct pr_diags *ds = pr_diags_new();
	struct pr_loc loc = {.file = "a.yaml", .line = 1, .col = 1};

	for (size_t i = 0; i < PR_COUNT(rows); i++) {
		struct pr_err *err = NULL;

		pr_err_set(&err, rows[i].code, 0, "no");
		ck_assert_int_eq(cli_failed(&cli, err), rows[i].rc);
		pr_err_free(err);
	}
	pr_diags_add(ds, PR_WARNING, loc, NULL, "hm");
	ck_assert_int_eq(cli_diagnosed(&cli, ds), CLI_OK);
	pr_diags_add(ds, PR_ERROR, loc, NULL, "no");
	ck_assert_int_eq(cli_diagnosed(&cli, ds), CLI_CONFIG);
	pr_diags_free(ds);
	fclose(sink);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli");
	TCase *tc = tcase_create("program");

	tcase_add_loop_test(tc, program_answers, 0, PR_COUNT(runs));
	tcase_add_test(tc, lost_output_is_a_failure);
	tcase_add_test(tc, every_command_is_documented);
	tcase_add_test(tc, failures_have_their_codes);
	suite_add_tcase(s, tc);
	tc = tcase_create("options");
	tcase_add_loop_test(tc, options_are_read, 0, PR_COUNT(lines));
	tcase_add_test(tc, list_is_capped);
	suite_add_tcase(s, tc);
	tc = tcase_create("rows");
	tcase_add_loop_test(tc, rows_are_printed, 0, PR_COUNT(outputs));
	suite_add_tcase(s, tc);
	return unit_run(s);
}
