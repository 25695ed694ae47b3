/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/arena.h>
#include <portreeve/version.h>

#define CLI_COMMAND(id) extern const struct cli_command cli_cmd_##id;
#include "commands.def"
#undef CLI_COMMAND

static const struct cli_command *const commands[] = {
#define CLI_COMMAND(id) &cli_cmd_##id,
#include "commands.def"
#undef CLI_COMMAND
};

const struct cli_command *const *
cli_commands(size_t *n)
{
	*n = PR_COUNT(commands);
	return commands;
}

static void PR_PRINTF(2, 0)
    say(const struct cli *cli, const char *fmt, va_list ap)
{
	const char *name = cli->command != NULL ? cli->command->name : NULL;

	fprintf(cli->err, "portreeve%s%s: ", name != NULL ? " " : "",
	    name != NULL ? name : "");
	vfprintf(cli->err, fmt, ap);
	fputc('\n', cli->err);
}

void
cli_error(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(cli, fmt, ap);
	va_end(ap);
}

int
cli_usage(const struct cli *cli, const char *fmt, ...)
{
	const char *name = cli->command != NULL ? cli->command->name : NULL;
	va_list ap;

	va_start(ap, fmt);
	say(cli, fmt, ap);
	va_end(ap);
	fprintf(cli->err, "try: portreeve %s%s--help\n",
	    name != NULL ? name : "", name != NULL ? " " : "");
	return CLI_USAGE;
}

int
cli_failed(const struct cli *cli, const struct pr_err *err)
{
	cli_error(cli, "%s", pr_err_text(err));
	if (err != NULL &&
	    (err->code == PR_ERR_OFFLINE || err->code == PR_ERR_TIMEOUT))
		return CLI_UNREACHABLE;
	return CLI_FAILURE;
}

int
cli_diagnosed(const struct cli *cli, const struct pr_diags *ds)
{
	pr_diags_print(ds, cli->err);
	return pr_diags_count(ds, PR_ERROR) > 0 ? CLI_CONFIG : CLI_OK;
}

int
cli_unknown(const struct cli *cli, const char *what, const char *word,
    const char *const *candidates, size_t n)
{
	const char *near = pr_suggest(pr_str_of(word), candidates, n);

	if (near != NULL)
		return cli_usage(cli, "unknown %s \"%s\"; did you mean \"%s\"?",
		    what, word, near);
	return cli_usage(cli, "unknown %s \"%s\"", what, word);
}

static void
help_all(FILE *out)
{
	fprintf(out,
	    "usage: portreeve COMMAND [options]\n\n"
	    "Portreeve decides who may do what through a Docker daemon.\n\n"
	    "commands:\n");
	for (size_t i = 0; i < PR_COUNT(commands); i++)
		fprintf(
		    out, "  %-16s %s\n", commands[i]->name, commands[i]->text);
	fprintf(out,
	    "\n  portreeve COMMAND --help   what it does, with examples\n"
	    "  portreeve --version\n\n"
	    "exit status: 0 ok or allowed, 1 failure, 2 denied, 64 usage,\n"
	    "69 unreachable, 78 bad configuration\n");
}

/* The length of "cmd" if the words begin with it, counted in words; or 0. */
static int
words_match(const struct cli_command *cmd, int argc, char **argv)
{
	struct pr_str rest = pr_str_of(cmd->name);
	int n = 0;

	while (rest.p != NULL) {
		struct pr_str word = pr_str_cut(&rest, ' ');

		if (n >= argc || !pr_str_is(word, argv[n]))
			return 0;
		n++;
	}
	return n;
}

/* The command that the first words name; the longest name wins. */
static const struct cli_command *
find_command(int argc, char **argv, int *words)
{
	const struct cli_command *found = NULL;

	*words = 0;
	for (size_t i = 0; i < PR_COUNT(commands); i++) {
		int n = words_match(commands[i], argc, argv);

		if (n > *words) {
			*words = n;
			found = commands[i];
		}
	}
	return found;
}

/* A family ("cert") without one of its own: lists its members. */
static bool
help_family(const char *word, FILE *out)
{
	struct pr_str family = pr_str_of(word);
	bool any = false;

	for (size_t i = 0; i < PR_COUNT(commands); i++) {
		struct pr_str name = pr_str_of(commands[i]->name);
		struct pr_str first = pr_str_cut(&name, ' ');

		if (name.p == NULL || !pr_str_eq(first, family))
			continue;
		if (!any)
			fprintf(out, "usage: portreeve %s COMMAND\n\n", word);
		any = true;
		fprintf(
		    out, "  %-16s %s\n", commands[i]->name, commands[i]->text);
	}
	return any;
}

static int
no_such_command(struct cli *cli, int argc, char **argv)
{
	const char *names[PR_COUNT(commands)];
	char word[64];

	for (size_t i = 0; i < PR_COUNT(commands); i++)
		names[i] = commands[i]->name;
	if (help_family(argv[0], cli->err)) {
		if (argc < 2 || argv[1][0] == '-')
			return CLI_USAGE;
		snprintf(word, sizeof word, "%s %s", argv[0], argv[1]);
		return cli_unknown(
		    cli, "command", word, names, PR_COUNT(names));
	}
	snprintf(word, sizeof word, "%s", argv[0]);
	return cli_unknown(cli, "command", word, names, PR_COUNT(names));
}

static int
run(struct cli *cli, int argc, char **argv)
{
	PR_CLEANUP(pr_freep)
	void *options = pr_xcalloc(1, cli->command->size + 1);
	PR_CLEANUP(pr_freep)
	void *args = pr_xcalloc((size_t)argc + 1, sizeof(char *));
	int rc = cli_options_read(cli, argc, argv, options, args);

	if (rc < 0) {
		cli_help(cli->command, cli->out);
		return CLI_OK;
	}
	if (rc != CLI_OK)
		return rc;
	return cli->command->run(cli, options);
}

static bool
want_color(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(out)) == 1 && (no == NULL || *no == '\0') &&
	    term != NULL && strcmp(term, "dumb") != 0;
}

/* Data that did not reach its reader is a failure, whatever the command said. */
static int
finish(struct cli *cli, int rc)
{
	if (fflush(cli->out) == 0 && !ferror(cli->out))
		return rc;
	cli->command = NULL;
	cli_error(cli, "cannot write the output");
	return rc == CLI_OK ? CLI_FAILURE : rc;
}

int
cli_main(int argc, char **argv, FILE *out, FILE *err)
{
	struct cli cli = {.out = out, .err = err, .color = want_color(out)};
	int words;

	argv++;
	argc--;
	if (argc < 1) {
		help_all(err);
		return CLI_USAGE;
	}
	if (strcmp(argv[0], "--version") == 0) {
		fprintf(out, "portreeve %s\n", PR_VERSION);
		return finish(&cli, CLI_OK);
	}
	bool help = strcmp(argv[0], "help") == 0;

	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
	    (help && argc == 1)) {
		help_all(out);
		return finish(&cli, CLI_OK);
	}
	argv += help;
	argc -= help;
	cli.command = find_command(argc, argv, &words);
	if (cli.command == NULL)
		return no_such_command(&cli, argc, argv);
	if (help) {
		cli_help(cli.command, out);
		return finish(&cli, CLI_OK);
	}
	return finish(&cli, run(&cli, argc - words, argv + words));
}
