/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"

/* Where reading stands. */
struct reader {
	struct cli *cli;
	int argc, at;
	char **argv;
	char *options; /* the struct that is filled */
};

static const struct cli_option *
by_name(const struct cli_command *cmd, struct pr_str name)
{
	for (size_t i = 0; i < cmd->n_options; i++) {
		if (pr_str_is(name, cmd->options[i].name))
			return &cmd->options[i];
	}
	return NULL;
}

static const struct cli_option *
by_letter(const struct cli_command *cmd, char letter)
{
	for (size_t i = 0; i < cmd->n_options; i++) {
		if (cmd->options[i].letter == letter)
			return &cmd->options[i];
	}
	return NULL;
}

static const char *const formats[] = {
    [CLI_TABLE] = "table",
    [CLI_JSON] = "json",
    [CLI_JSONL] = "jsonl",
    [CLI_CSV] = "csv",
};

static int
store_format(struct reader *r, enum cli_format *out, const char *value)
{
	for (size_t i = 0; i < PR_COUNT(formats); i++) {
		if (strcmp(value, formats[i]) == 0) {
			*out = (enum cli_format)i;
			return CLI_OK;
		}
	}
	return cli_unknown(
	    r->cli, "output format", value, formats, PR_COUNT(formats));
}

static int
store(struct reader *r, const struct cli_option *o, const char *value)
{
	void *field = r->options + o->offset;

	switch (o->type) {
	case CLI_FLAG:
		*(bool *)field = true;
		return CLI_OK;
	case CLI_TEXT:
		*(const char **)field = value;
		return CLI_OK;
	case CLI_NUMBER:
		if (!pr_str_u64(pr_str_of(value), field))
			return cli_usage(r->cli,
			    "--%s wants a number, not \"%s\"", o->name, value);
		return CLI_OK;
	case CLI_LIST: {
		struct cli_list *list = field;

		if (list->n == CLI_LIST_MAX)
			return cli_usage(r->cli,
			    "--%s is given more than %d times", o->name,
			    CLI_LIST_MAX);
		list->v[list->n++] = value;
		return CLI_OK;
	}
	case CLI_OUTPUT:
		return store_format(r, field, value);
	}
	return CLI_USAGE;
}

/* The option's value: what stands with it, else the next word. */
static int
take_value(struct reader *r, const struct cli_option *o, const char *with)
{
	if (with != NULL)
		return store(r, o, with);
	if (r->at >= r->argc)
		return cli_usage(r->cli, "--%s wants %s", o->name, o->arg);
	return store(r, o, r->argv[r->at++]);
}

static int
unknown_option(struct reader *r, struct pr_str name)
{
	const struct cli_command *cmd = r->cli->command;
	const char *names[64];
	char word[64];
	size_t n = 0;

	for (; n < cmd->n_options && n < PR_COUNT(names); n++)
		names[n] = cmd->options[n].name;
	snprintf(word, sizeof word, "%.*s", PR_STRF(name));
	return cli_unknown(r->cli, "option", word, names, n);
}

static int
read_long(struct reader *r, const char *word)
{
	struct pr_str value = pr_str_of(word);
	struct pr_str name = pr_str_cut(&value, '=');
	const struct cli_option *o = by_name(r->cli->command, name);

	if (o == NULL)
		return unknown_option(r, name);
	if (o->type != CLI_FLAG)
		return take_value(r, o, value.p);
	if (value.p != NULL)
		return cli_usage(r->cli, "--%s takes no value", o->name);
	return store(r, o, NULL);
}

/* "-af", "-o json", "-ojson" */
static int
read_letters(struct reader *r, const char *word)
{
	for (; *word != '\0'; word++) {
		const struct cli_option *o = by_letter(r->cli->command, *word);
		int rc;

		if (o == NULL)
			return unknown_option(r, (struct pr_str){word, 1});
		if (o->type != CLI_FLAG)
			return take_value(
			    r, o, word[1] != '\0' ? word + 1 : NULL);
		rc = store(r, o, NULL);
		if (rc != CLI_OK)
			return rc;
	}
	return CLI_OK;
}

static int
check_operands(struct cli *cli)
{
	const struct cli_command *cmd = cli->command;

	if (cli->n_args < cmd->min_args)
		return cli_usage(cli, "wants %s", cmd->args);
	if (cli->n_args > cmd->max_args)
		return cli_usage(cli, "does not know what to do with \"%s\"",
		    cli->args[cmd->max_args]);
	return CLI_OK;
}

int
cli_options_read(
    struct cli *cli, int argc, char **argv, void *options, char **args)
{
	struct reader r = {cli, argc, 0, argv, options};
	bool operands_only = false;

	cli->args = args;
	cli->n_args = 0;
	while (r.at < argc) {
		char *word = argv[r.at++];
		int rc = CLI_OK;

		if (operands_only || word[0] != '-' || word[1] == '\0')
			args[cli->n_args++] = word;
		else if (strcmp(word, "--") == 0)
			operands_only = true;
		else if (strcmp(word, "--help") == 0 ||
		    (strcmp(word, "-h") == 0 &&
			by_letter(cli->command, 'h') == NULL))
			return -1;
		else if (word[1] == '-')
			rc = read_long(&r, word + 2);
		else
			rc = read_letters(&r, word + 1);
		if (rc != CLI_OK)
			return rc;
	}
	args[cli->n_args] = NULL;
	return check_operands(cli);
}

static void
help_option(const struct cli_option *o, FILE *out)
{
	char left[64];

	snprintf(left, sizeof left, "--%s%s%s", o->name,
	    o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
	if (o->letter != '\0')
		fprintf(out, "  -%c, %-20s %s\n", o->letter, left, o->text);
	else
		fprintf(out, "      %-20s %s\n", left, o->text);
}

void
cli_help(const struct cli_command *cmd, FILE *out)
{
	fprintf(out, "usage: portreeve %s%s%s%s\n\n%s.\n", cmd->name,
	    cmd->n_options > 0 ? " [options]" : "",
	    cmd->args[0] != '\0' ? " " : "", cmd->args, cmd->text);
	if (cmd->help != NULL)
		fprintf(out, "\n%s", cmd->help);
	fprintf(out, "\noptions:\n");
	for (size_t i = 0; i < cmd->n_options; i++)
		help_option(&cmd->options[i], out);
	fprintf(out, "      %-20s %s\n", "--help", "this text");
	if (cmd->examples == NULL)
		return;
	fprintf(out, "\nexamples:\n");
	for (const char *p = cmd->examples; *p != '\0';) {
		size_t n = strcspn(p, "\n");

		fprintf(out, "  %.*s\n", (int)n, p);
		p += n + (p[n] == '\n');
	}
}
