/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manual pages and completions from the tables that the programs run by, so
 * that they cannot say anything else:
 *
 *   describe OUT MAN
 *
 * writes OUT/man1 (a page a command), OUT/man5 and OUT/man8 (the pages of the
 * folder MAN, lines @keys@ and @profile-keys@ filled in), OUT/bash and
 * OUT/zsh, and OUT/doc/security-tables.md, a part of docs/security.md.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/config.h>
#include <portreeve/confine.h>
#include <portreeve/policy.h>
#include <portreeve/spec.h>
#include <portreeve/version.h>

#include "cli.h"

#define DATE "November 22, 2026"
#define LINE 76

static const struct cli_command *const *commands;
static size_t n_commands;

static void PR_NORETURN
die(const char *what)
{
	fprintf(stderr, "describe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static FILE *
create(const char *folder, const char *sub, const char *name)
{
	char path[1024];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, sub);
	if (mkdir(folder, 0755) != 0 && errno != EEXIST)
		die(folder);
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		die(path);
	snprintf(path, sizeof path, "%s/%s/%s", folder, sub, name);
	f = fopen(path, "we");
	if (f == NULL)
		die(path);
	return f;
}

static void
finish(FILE *f, const char *what)
{
	if (fflush(f) != 0 || ferror(f) != 0)
		die(what);
	fclose(f);
}

/* --- mdoc --------------------------------------------------------------- */

/* One byte as text; `begins` a line. */
static void
put_byte(FILE *f, char c, bool begins)
{
	if (begins && (c == '.' || c == '\''))
		fputs("\\&", f);
	if (c == '\\')
		fputs("\\e", f);
	else
		fputc(c, f);
}

static void
put_literal(FILE *f, struct pr_str s)
{
	for (size_t i = 0; i < s.n; i++)
		put_byte(f, s.p[i], i == 0 || s.p[i - 1] == '\n');
}

/* An argument of a macro. */
static void
put_arg(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s != '\0'; s++) {
		if (*s == '"')
			fputs("\\(dq", f);
		else
			put_byte(f, *s, false);
	}
	fputc('"', f);
}

static bool
ends_sentence(struct pr_str s, size_t i)
{
	return (s.p[i] == '.' || s.p[i] == '!' || s.p[i] == '?') &&
	    i + 1 < s.n && (s.p[i + 1] == ' ' || s.p[i + 1] == '\n') && i > 1 &&
	    s.p[i - 1] != '.';
}

static size_t
word_length(struct pr_str s, size_t from)
{
	size_t n = 0;

	while (from + n < s.n && s.p[from + n] != ' ' && s.p[from + n] != '\n')
		n++;
	return n;
}

/* A paragraph: every sentence begins a line, as mandoc wants it. */
static void
put_paragraph(FILE *f, struct pr_str s)
{
	bool begins = true;
	size_t col = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\n' || c == ' ') {
			while (i + 1 < s.n &&
			    (s.p[i + 1] == ' ' || s.p[i + 1] == '\n'))
				i++;
			begins = col + word_length(s, i + 1) > LINE;
			fputc(begins ? '\n' : ' ', f);
			col = begins ? 0 : col + 1;
			continue;
		}
		put_byte(f, c, begins);
		begins = false;
		col++;
		if (!ends_sentence(s, i))
			continue;
		while (i + 1 < s.n && (s.p[i + 1] == ' ' || s.p[i + 1] == '\n'))
			i++;
		fputc('\n', f);
		begins = true;
		col = 0;
	}
	if (!begins)
		fputc('\n', f);
}

/* Paragraphs are parted by empty lines. */
static void
put_text(FILE *f, const char *text)
{
	struct pr_str rest = pr_str_of(text);
	bool first = true;

	while (rest.n > 0) {
		const char *gap = memmem(rest.p, rest.n, "\n\n", 2);
		size_t n = gap != NULL ? (size_t)(gap - rest.p) : rest.n;

		if (!first)
			fputs(".Pp\n", f);
		first = false;
		put_paragraph(f, pr_str_trim(pr_str_sub(rest, 0, n)));
		rest = pr_str_sub(rest, n + 2, rest.n);
	}
}

static void
page_name(const struct cli_command *c, char *out, size_t cap)
{
	snprintf(out, cap, "portreeve-%s", c->name);
	for (char *p = out; *p != '\0'; p++)
		if (*p == ' ')
			*p = '-';
}

static void
put_head(FILE *f, const char *name, const char *section, const char *text)
{
	char title[128];

	snprintf(title, sizeof title, "%s", name);
	for (char *p = title; *p != '\0'; p++)
		*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
	fprintf(f,
	    ".\\\" SPDX-License-Identifier: Apache-2.0\n"
	    ".Dd " DATE "\n.Dt %s %s\n.Os\n.Sh NAME\n.Nm %s\n.Nd ",
	    title, section, name);
	/* no capital, no full stop */
	fprintf(f, "%c%s\n",
	    text[0] >= 'A' && text[0] <= 'Z' ? text[0] + 32 : text[0],
	    text + 1);
}

static void
put_option(FILE *f, const struct cli_option *o)
{
	fputs(".It ", f);
	if (o->letter != '\0')
		fprintf(f, "Fl %c , ", o->letter);
	fprintf(f, "Fl \\-%s", o->name);
	if (o->arg != NULL) {
		fputs(" Ar ", f);
		put_arg(f, o->arg);
	}
	fputc('\n', f);
	put_paragraph(f, pr_str_of(o->text));
}

static void
put_synopsis(FILE *f, const struct cli_command *c)
{
	fprintf(f, ".Sh SYNOPSIS\n.Nm portreeve %s\n", c->name);
	if (c->n_options > 0)
		fputs(".Op Ar options\n", f);
	if (c->args[0] == '\0')
		return;
	fputs(".Ar ", f);
	put_arg(f, c->args);
	fputc('\n', f);
}

static const char exit_status[] =
    ".Sh EXIT STATUS\n.Bl -tag -width Ds -compact\n"
    ".It 0\nok, or allowed\n.It 1\nfailure\n.It 2\ndenied\n.It 64\nwrong "
    "usage\n.It 69\nsomething cannot be reached\n.It 78\nbad configuration "
    "or policy\n.El\n";

static void
put_page(const char *out, const struct cli_command *c)
{
	char name[128], file[160];
	FILE *f;

	page_name(c, name, sizeof name);
	snprintf(file, sizeof file, "%s.1", name);
	f = create(out, "man1", file);
	put_head(f, name, "1", c->text);
	put_synopsis(f, c);
	fputs(".Sh DESCRIPTION\n", f);
	put_text(f, c->help != NULL ? c->help : c->text);
	if (c->n_options > 0) {
		fputs(".Pp\nThe options are:\n.Bl -tag -width Ds\n", f);
		for (size_t i = 0; i < c->n_options; i++)
			put_option(f, &c->options[i]);
		fputs(".El\n", f);
	}
	fputs(exit_status, f);
	if (c->examples != NULL) {
		fputs(".Sh EXAMPLES\n.Bd -literal -offset indent\n", f);
		put_literal(f, pr_str_of(c->examples));
		fputs(".Ed\n", f);
	}
	fputs(".Sh SEE ALSO\n.Xr portreeve 1 ,\n.Xr portreeve-policy 5 ,\n"
	      ".Xr portreeve.yaml 5\n",
	    f);
	finish(f, file);
}

static void
put_main_page(const char *out)
{
	FILE *f = create(out, "man1", "portreeve.1");
	char name[128];

	put_head(
	    f, "portreeve", "1", "who may do what through a Docker daemon");
	fputs(".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar options\n.Nm\n.Ar "
	      "command\n.Fl \\-help\n.Nm\n.Fl \\-version\n.Sh DESCRIPTION\n"
	      ".Nm\nis the command of Portreeve for admins and auditors: it "
	      "checks policies, asks\nthem, reads and proves the log of "
	      "decisions, and looks after the daemons.\nData goes to standard "
	      "output, complaints to standard error.\n.Pp\nThe commands are:\n"
	      ".Bl -tag -width Ds\n",
	    f);
	for (size_t i = 0; i < n_commands; i++) {
		page_name(commands[i], name, sizeof name);
		fprintf(f, ".It Xr %s 1\n", name);
		put_paragraph(f, pr_str_of(commands[i]->text));
	}
	fputs(".El\n.Sh ENVIRONMENT\n.Bl -tag -width Ds\n.It Ev NO_COLOR\n"
	      "Tables have no colour.\n.El\n.Sh FILES\n"
	      ".Bl -tag -width Ds -compact\n"
	      ".It Pa /etc/portreeve/portreeve.yaml\nthe configuration, see\n"
	      ".Xr portreeve.yaml 5\n.It Pa /etc/portreeve/policy.d\n"
	      "the policy, see\n.Xr portreeve-policy 5\n"
	      ".It Pa /var/log/portreeve\nthe log of decisions, see\n"
	      ".Xr portreeve-decisions 5\n.El\n",
	    f);
	fputs(exit_status, f);
	fputs(".Sh SEE ALSO\n.Xr portreeve-decisions 5 ,\n"
	      ".Xr portreeve-policy 5 ,\n.Xr portreeve.yaml 5 ,\n"
	      ".Xr portreeve-plugin 8\n",
	    f);
	finish(f, "portreeve.1");
}

/* --- the pages that are written by hand --------------------------------- */

static void
put_key(void *arg, const char *path, const char *type, const char *words,
    const char *text)
{
	FILE *f = arg;

	fprintf(f, ".It Cm %s\n(", path);
	if (words != NULL) {
		for (; *words != '\0'; words++)
			fputs(
			    *words == '|' ? ", " : (char[2]){*words, '\0'}, f);
	} else {
		fputs(type, f);
	}
	fputs(")\n", f);
	put_paragraph(f, pr_str_of(text));
}

static void
put_profile_keys(FILE *f)
{
	char text[1024], bodies[256];

	for (int i = 0; i < PR_KEY_COUNT; i++) {
		const struct pr_profile_key_info *k =
		    pr_profile_key((enum pr_profile_key)i);

		fprintf(f, ".It Cm %s\n", k->path);
		pr_profile_key_bodies(
		    (enum pr_profile_key)i, bodies, sizeof bodies);
		snprintf(text, sizeof text, "(%s; of %s; unless given: %s) %s",
		    k->soft ? "soft" : "hard", bodies,
		    k->absent[0] != '\0' ? k->absent : "no demand", k->text);
		put_paragraph(f, pr_str_of(text));
	}
}

/* What profile keys are asked of. */
static void
put_bodies(FILE *f)
{
	for (int i = 0; i < PR_SPEC_BODY_COUNT; i++) {
		enum pr_spec_body b = (enum pr_spec_body)i;

		if (pr_spec_body_name(b) == NULL)
			continue;
		fprintf(f, ".It Cm %s\n", pr_spec_body_name(b));
		put_paragraph(f, pr_str_of(pr_spec_body_text(b)));
	}
}

static void
fill_page(const char *out, const char *folder, const char *name)
{
	char path[1024], line[1024];
	const char *dot = strrchr(name, '.');
	FILE *in, *f;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	in = fopen(path, "re");
	if (in == NULL)
		die(path);
	snprintf(path, sizeof path, "man%s", dot + 1);
	f = create(out, path, name);
	while (fgets(line, sizeof line, in) != NULL) {
		if (strcmp(line, "@keys@\n") == 0)
			pr_config_keys(put_key, f);
		else if (strcmp(line, "@profile-keys@\n") == 0)
			put_profile_keys(f);
		else if (strcmp(line, "@bodies@\n") == 0)
			put_bodies(f);
		else
			fputs(line, f);
	}
	fclose(in);
	finish(f, name);
}

static bool
is_page(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL && strlen(dot) == 2 &&
	    strchr("12345678", dot[1]) != NULL;
}

static void
fill_pages(const char *out, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;

	if (dir == NULL)
		die(folder);
	while ((e = readdir(dir)) != NULL)
		if (is_page(e->d_name))
			fill_page(out, folder, e->d_name);
	closedir(dir);
}

/* --- completions -------------------------------------------------------- */

enum values {
	VALUES_NONE = 0,
	VALUES_WORDS,
	VALUES_FILES,
	VALUES_FOLDERS,
	VALUES_ACTIONS,
};

/* What an argument of that name may be; tried from the top. */
static const struct {
	const char *arg, *option; /* NULL: any */
	enum values values;
	const char *words;
} known[] = {
    {"FORMAT", NULL, VALUES_WORDS, "table json jsonl csv"},
    {"PHASE", NULL, VALUES_WORDS, "dev test staging production"},
    {"VERDICT", NULL, VALUES_WORDS, "allow deny would-deny"},
    {"DOOR", NULL, VALUES_WORDS, "plugin proxy"},
    {"KIND", "key", VALUES_WORDS,
	"ec-p256 ec-p384 ed25519 rsa-2048 rsa-3072 rsa-4096"},
    {"USE", NULL, VALUES_WORDS, "server client both none"},
    {"REASON", NULL, VALUES_WORDS, NULL}, /* every reason code */
    {"ACTION", NULL, VALUES_ACTIONS, NULL},
    {"FILE", NULL, VALUES_FILES, NULL},
    {"PATH", NULL, VALUES_FILES, NULL},
    {"DIR", NULL, VALUES_FOLDERS, NULL},
    {"FOLDER", NULL, VALUES_FOLDERS, NULL},
};

static enum values
values_of(const struct cli_option *o, const char **words)
{
	*words = NULL;
	if (o->arg == NULL)
		return VALUES_NONE;
	for (size_t i = 0; i < PR_COUNT(known); i++) {
		if (strcmp(known[i].arg, o->arg) != 0 ||
		    (known[i].option != NULL &&
			strcmp(known[i].option, o->name) != 0))
			continue;
		*words = known[i].words;
		return known[i].values;
	}
	return VALUES_NONE;
}

static void
put_reasons(FILE *f)
{
	for (int i = PR_REASON_NONE + 1; i < PR_REASON_COUNT; i++)
		fprintf(f, "%s%s", i > 1 ? " " : "",
		    pr_reason_code((enum pr_reason)i));
}

/* What is typed as an operand: policies and certificates are files. */
static bool
takes_files(const struct cli_command *c)
{
	return strstr(c->args, "PATH") != NULL ||
	    strstr(c->args, "FILE") != NULL;
}

static void
bash_values(FILE *f, const struct cli_option *o)
{
	const char *words;
	enum values v = values_of(o, &words);

	if (o->arg == NULL)
		return;
	fputs("\t\t", f);
	if (o->letter != '\0')
		fprintf(f, "-%c | ", o->letter);
	fprintf(f, "--%s)\n", o->name);
	switch (v) {
	case VALUES_WORDS:
		fputs("\t\t\t_portreeve_words \"", f);
		if (words != NULL)
			fputs(words, f);
		else
			put_reasons(f);
		fputs("\"\n", f);
		break;
	case VALUES_FILES:
		fputs("\t\t\t_portreeve_files -f\n", f);
		break;
	case VALUES_FOLDERS:
		fputs("\t\t\t_portreeve_files -d\n", f);
		break;
	case VALUES_ACTIONS:
		fputs("\t\t\t_portreeve_words \"$(_portreeve_actions)\"\n", f);
		break;
	default: /* free text */
		break;
	}
	fputs("\t\t\treturn ;;\n", f);
}

static void
bash_command(FILE *f, const struct cli_command *c)
{
	fprintf(f, "\t\"%s\")\n\t\tcase \"$prev\" in\n", c->name);
	for (size_t i = 0; i < c->n_options; i++)
		bash_values(f, &c->options[i]);
	fputs("\t\tesac\n\t\tcase \"$cur\" in\n\t\t-*) _portreeve_words \"", f);
	for (size_t i = 0; i < c->n_options; i++)
		fprintf(f, "--%s ", c->options[i].name);
	fputs("--help\" ;;\n", f);
	if (takes_files(c))
		fputs("\t\t*) _portreeve_files -f ;;\n", f);
	else if (strstr(c->args, "ACTION") != NULL)
		fputs("\t\t*) _portreeve_words \"$(_portreeve_actions)\" ;;\n",
		    f);
	fputs("\t\tesac\n\t\t;;\n", f);
}

static const char bash_head[] =
    "# SPDX-License-Identifier: Apache-2.0\n"
    "# bash completion of portreeve, made from its tables\n"
    "# shellcheck shell=bash disable=SC2207,SC2016\n"
    "_portreeve_words() {\n"
    "\tCOMPREPLY=($(compgen -W \"$1\" -- \"$cur\"))\n}\n"
    "_portreeve_files() {\n"
    "\tcompopt -o filenames 2>/dev/null\n"
    "\tlocal IFS=$'\\n'\n"
    "\tCOMPREPLY=($(compgen \"$1\" -- \"$cur\"))\n}\n"
    "_portreeve_actions() {\n"
    "\tportreeve api -o csv 2>/dev/null | sed -n '2,$s/,.*//p' | sort -u\n}\n"
    "_portreeve() {\n"
    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "\tlocal command=${COMP_WORDS[1]} second=${COMP_WORDS[2]-}\n"
    "\tCOMPREPLY=()\n";

/* The first words of the commands, or the second ones of a family. */
static void
put_words_of(FILE *f, struct pr_str family, const char *part)
{
	struct pr_str last = {NULL, 0};

	for (size_t i = 0; i < n_commands; i++) {
		struct pr_str rest = pr_str_of(commands[i]->name);
		struct pr_str first = pr_str_cut(&rest, ' ');

		if (family.n == 0 && !pr_str_eq(first, last))
			fprintf(f, "%.*s%s", PR_STRF(first), part);
		if (family.n > 0 && pr_str_eq(first, family) && rest.n > 0)
			fprintf(f, "%.*s%s", PR_STRF(rest), part);
		last = first;
	}
}

static bool
first_of_family(size_t i, struct pr_str *family)
{
	struct pr_str rest = pr_str_of(commands[i]->name), before;

	*family = pr_str_cut(&rest, ' ');
	if (rest.p == NULL)
		return false;
	for (size_t k = 0; k < i; k++) {
		before = pr_str_of(commands[k]->name);
		if (strchr(commands[k]->name, ' ') != NULL &&
		    pr_str_eq(pr_str_cut(&before, ' '), *family))
			return false;
	}
	return true;
}

static void
put_bash(const char *out)
{
	FILE *f = create(out, "bash", "portreeve");
	struct pr_str family;

	fputs(bash_head, f);
	fputs(
	    "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\t_portreeve_words \"", f);
	put_words_of(f, PR_STR(""), " ");
	fputs("help --help --version\"\n\t\treturn\n\tfi\n", f);
	for (size_t i = 0; i < n_commands; i++) {
		if (!first_of_family(i, &family))
			continue;
		fprintf(f,
		    "\tif [ \"$command\" = %.*s ]; then\n\t\tcase \"$second\" "
		    "in\n",
		    PR_STRF(family));
		for (size_t k = 0; k < n_commands; k++) {
			struct pr_str rest = pr_str_of(commands[k]->name);

			if (pr_str_eq(pr_str_cut(&rest, ' '), family) &&
			    rest.n > 0)
				fprintf(f,
				    "\t\t%.*s) [ \"$COMP_CWORD\" -eq 2 ] || "
				    "command=\"%s\" ;;\n",
				    PR_STRF(rest), commands[k]->name);
		}
		fputs(
		    "\t\tesac\n\t\tif [ \"$COMP_CWORD\" -eq 2 ] && [[ $cur != "
		    "-* ]]; then\n\t\t\t_portreeve_words \"",
		    f);
		put_words_of(f, family, " ");
		fputs("\"\n\t\t\treturn\n\t\tfi\n\tfi\n", f);
	}
	fputs("\tcase \"$command\" in\n\thelp) [ \"$COMP_CWORD\" -ne 2 ] || "
	      "_portreeve_words \"",
	    f);
	put_words_of(f, PR_STR(""), " ");
	fputs("\" ;;\n", f);
	for (size_t i = 0; i < n_commands; i++)
		bash_command(f, commands[i]);
	fputs("\tesac\n}\ncomplete -F _portreeve portreeve\n", f);
	finish(f, "bash completion");
}

/* 'text' in single quotes, without what _arguments reads. */
static void
zsh_text(FILE *f, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			fputs("'\\''", f);
		else if (*s == '[' || *s == ']' || *s == ':')
			fprintf(f, "\\%c", *s);
		else
			fputc(*s, f);
	}
}

static void
zsh_option(FILE *f, const struct cli_option *o)
{
	const char *words;
	enum values v = values_of(o, &words);

	fputs("\t\t\t", f);
	if (o->letter != '\0')
		fprintf(f, "'(-%c --%s)'{-%c,--%s}", o->letter, o->name,
		    o->letter, o->name);
	else
		fprintf(f, "--%s", o->name);
	fputs("'[", f);
	zsh_text(f, o->text);
	fputc(']', f);
	if (o->arg != NULL) {
		fputc(':', f);
		zsh_text(f, o->arg);
		fputc(':', f);
	}
	if (v == VALUES_WORDS) {
		fputc('(', f);
		if (words != NULL)
			fputs(words, f);
		else
			put_reasons(f);
		fputc(')', f);
	} else if (v == VALUES_FILES) {
		fputs("_files", f);
	} else if (v == VALUES_FOLDERS) {
		fputs("_files -/", f);
	} else if (v == VALUES_ACTIONS) {
		fputs("_portreeve_actions", f);
	}
	fputs("' \\\n", f);
}

static void
zsh_command(FILE *f, const struct cli_command *c)
{
	fprintf(f, "\t\"%s\")\n\t\t_arguments \\\n", c->name);
	for (size_t i = 0; i < c->n_options; i++)
		zsh_option(f, &c->options[i]);
	fputs("\t\t\t'--help[this text]'", f);
	if (takes_files(c))
		fputs(" \\\n\t\t\t'*:file:_files'", f);
	else if (strstr(c->args, "ACTION") != NULL)
		fputs(" \\\n\t\t\t'*:action:_portreeve_actions'", f);
	fputs("\n\t\t;;\n", f);
}

static void
put_zsh(const char *out)
{
	FILE *f = create(out, "zsh", "_portreeve");
	struct pr_str family;

	fputs("#compdef portreeve\n# SPDX-License-Identifier: Apache-2.0\n"
	      "_portreeve_actions() {\n\tlocal -a actions\n\tactions=(${(f)\"$("
	      "portreeve api -o csv 2>/dev/null | sed -n '2,$s/,.*//p' | sort "
	      "-u)\"})\n\tcompadd -a actions\n}\n_portreeve() {\n"
	      "\tlocal command=$words[2]\n\tif (( CURRENT == 2 )); then\n"
	      "\t\tlocal -a commands=(\n",
	    f);
	for (size_t i = 0; i < n_commands; i++) {
		if (strchr(commands[i]->name, ' ') != NULL) {
			if (first_of_family(i, &family))
				fprintf(f, "\t\t\t'%.*s'\n", PR_STRF(family));
			continue;
		}
		fprintf(f, "\t\t\t'%s:", commands[i]->name);
		zsh_text(f, commands[i]->text);
		fputs("'\n", f);
	}
	fputs("\t\t\t'--help' '--version')\n\t\t_describe command "
	      "commands\n\t\treturn\n\tfi\n",
	    f);
	for (size_t i = 0; i < n_commands; i++) {
		if (!first_of_family(i, &family))
			continue;
		fprintf(f,
		    "\tif [[ $command == %.*s ]]; then\n\t\tlocal -a "
		    "family=(",
		    PR_STRF(family));
		put_words_of(f, family, " ");
		fputs(")\n\t\tif (( CURRENT == 3 )) && [[ $words[3] != -* ]]; "
		      "then\n\t\t\tcompadd -a family\n\t\t\treturn\n\t\tfi\n"
		      "\t\tif (( ${family[(Ie)$words[3]]} )); then\n"
		      "\t\t\tcommand=\"$command $words[3]\"\n\t\t\tshift "
		      "words\n\t\t\t(( CURRENT-- ))\n\t\tfi\n\tfi\n",
		    f);
	}
	fputs("\tshift words\n\t(( CURRENT-- ))\n\tcase $command in\n", f);
	for (size_t i = 0; i < n_commands; i++)
		zsh_command(f, commands[i]);
	fputs("\tesac\n}\n_portreeve \"$@\"\n", f);
	finish(f, "zsh completion");
}

static void
put_security(const char *out)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	FILE *f = create(out, "doc", "security-tables.md");

	pr_confine_print(&b);
	fwrite(b.p, 1, b.n, f);
	finish(f, "tables of docs/security.md");
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: describe OUT MAN\n", stderr);
		return 64;
	}
	commands = cli_commands(&n_commands);
	put_main_page(argv[1]);
	for (size_t i = 0; i < n_commands; i++)
		put_page(argv[1], commands[i]);
	fill_pages(argv[1], argv[2]);
	put_bash(argv[1]);
	put_zsh(argv[1]);
	put_security(argv[1]);
	return 0;
}
