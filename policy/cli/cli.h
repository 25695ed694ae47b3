/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `portreeve` command: a table of commands, one file cmd_NAME.c each and
 * one row in commands.def.  A command declares its options as a table and
 * gets them filled in; it prints data to cli->out and complaints to cli->err
 * and returns one of the exit codes.  Nothing here is thread-safe.
 */
#ifndef PR_CLI_H
#define PR_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <portreeve/compiler.h>
#include <portreeve/diag.h>
#include <portreeve/err.h>
#include <portreeve/str.h>

enum cli_exit { /* DESIGN 12 */
	CLI_OK = 0,
	CLI_FAILURE = 1,
	CLI_DENY = 2,
	CLI_USAGE = 64,
	CLI_UNREACHABLE = 69,
	CLI_CONFIG = 78,
};

struct cli_command;

/* One run of one command. */
struct cli {
	const struct cli_command *command;
	FILE *out;  /* data */
	FILE *err;  /* everything else */
	bool color; /* out is a terminal and NO_COLOR is unset */
	size_t n_args;
	char *const
	    *args; /* operands: what is not an option; NULL after the last */
};

enum cli_type {       /* of the field that an option fills */
	CLI_FLAG = 0, /* bool: true if given */
	CLI_TEXT,     /* const char *: the last one given, NULL without */
	CLI_NUMBER,   /* uint64_t */
	CLI_LIST,     /* struct cli_list: every one given */
	CLI_OUTPUT,   /* enum cli_format */
};

#define CLI_LIST_MAX 64
struct cli_list {
	size_t n;
	const char *v[CLI_LIST_MAX];
};

struct cli_option {
	const char *name; /* "output", without dashes */
	char letter;      /* 'o', or 0 */
	enum cli_type type;
	size_t offset;    /* of the field in the command's options */
	const char *arg;  /* "FORMAT"; NULL for a flag */
	const char *text; /* one line */
};

/* The rows that several commands have. */
#define CLI_OPTION_OUTPUT(type, field)                                      \
	{                                                                   \
		"output", 'o', CLI_OUTPUT, offsetof(type, field), "FORMAT", \
		    "table (default), json, jsonl or csv"                   \
	}
#define CLI_CONFIG_FILE "/etc/portreeve/portreeve.yaml"
#define CLI_OPTION_CONFIG(type, field)                                  \
	{                                                               \
		"config", 'c', CLI_TEXT, offsetof(type, field), "FILE", \
		    "configuration (default " CLI_CONFIG_FILE ")"       \
	}

struct cli_command {
	const char *name;     /* "log" or, of a family, "log verify" */
	const char *args;     /* "USER ACTION [RESOURCE]"; "" */
	const char *text;     /* one line, for the list of commands */
	const char *help;     /* paragraphs, for --help; ends with a newline */
	const char *examples; /* lines "portreeve ...\n" */
	const struct cli_option *options;
	size_t n_options;
	size_t size; /* of the struct that the options fill; zeroed first */
	size_t min_args, max_args; /* operands; max SIZE_MAX: any number */
	/* Returns an enum cli_exit. */
	int (*run)(struct cli *cli, const void *options);
};

/* The program: finds the command, reads options, runs it, flushes out. */
int cli_main(int argc, char **argv, FILE *out, FILE *err);
/* All commands in the order of commands.def; static. */
const struct cli_command *const *cli_commands(size_t *n);

/*
 * Reads argv[0..argc) by the command's table into *options (cmd->size bytes,
 * zeroed) and gathers the operands in args (room for argc + 1).  Options may
 * stand anywhere before "--".  0, CLI_USAGE (said on cli->err), or -1: help
 * was asked for.
 */
int cli_options_read(
    struct cli *cli, int argc, char **argv, void *options, char **args);
void cli_help(const struct cli_command *command, FILE *out);

/* "portreeve NAME: text" on cli->err. */
void cli_error(const struct cli *cli, const char *fmt, ...) PR_PRINTF(2, 3);
/* The same and a pointer to --help; returns CLI_USAGE. */
int cli_usage(const struct cli *cli, const char *fmt, ...) PR_PRINTF(2, 3);
/* Says what failed and returns the exit code for it: CLI_UNREACHABLE for
 * OFFLINE and TIMEOUT, CLI_FAILURE for the rest. */
int cli_failed(const struct cli *cli, const struct pr_err *err);
/* Prints diagnostics on cli->err: CLI_CONFIG if one is an error, else CLI_OK. */
int cli_diagnosed(const struct cli *cli, const struct pr_diags *ds);
/* fmt with "did you mean" after it, if a candidate is near; returns CLI_USAGE. */
int cli_unknown(const struct cli *cli, const char *what, const char *word,
    const char *const *candidates, size_t n);

/* ---- output: the same rows as a table, JSON, JSON Lines or CSV ---- */
enum cli_format {
	CLI_TABLE = 0,
	CLI_JSON,  /* one array of objects */
	CLI_JSONL, /* an object a line */
	CLI_CSV,   /* RFC 4180 with a heading */
};

enum cli_paint {
	CLI_PLAIN = 0,
	CLI_BOLD,
	CLI_DIM,
	CLI_RED,
	CLI_GREEN,
	CLI_YELLOW,
};
/* The escape sequence, or "" where there is no colour; static. */
const char *cli_paint(const struct cli *cli, enum cli_paint p);

struct cli_column {
	const char *name; /* JSON key; the table's heading in capitals */
	unsigned width;   /* of live tables: at least so many characters */
	bool right;       /* numbers stand to the right */
	bool hidden;      /* not in tables: too long for them */
};

struct cli_rows; /* opaque */
/* Rows of n columns; cols is borrowed until the end. Ends with cli_rows_end. */
struct cli_rows *cli_rows_new(struct cli *cli, enum cli_format format,
    const struct cli_column *cols, size_t n) PR_NODISCARD;
/* A table prints each row as it comes, for -f; call before the first cell. */
void cli_rows_live(struct cli_rows *r);
/* One cell after the other; the last of a row ends it. */
void cli_cell(struct cli_rows *r, struct pr_str s);
void cli_cell_cstr(struct cli_rows *r, const char *s); /* NULL: null, "-" */
void cli_cell_u64(struct cli_rows *r, uint64_t v);
void cli_cell_i64(struct cli_rows *r, int64_t v);
void cli_cell_bool(struct cli_rows *r, bool v);
void cli_cell_null(struct cli_rows *r);
/* A JSON text as it is (arrays, objects, floats); tables show the text. */
void cli_cell_json(struct cli_rows *r, struct pr_str json);
/* Colour of the cell that comes next, in tables on terminals. */
void cli_cell_paint(struct cli_rows *r, enum cli_paint p);
/* Prints what is left and frees. */
void cli_rows_end(struct cli_rows *r);

/* s with what a terminal might obey shown as \xNN. */
void cli_print_safe(FILE *out, struct pr_str s);

#endif /* PR_CLI_H */
