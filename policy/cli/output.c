/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>

#include "cli.h"

enum cell_kind {
	CELL_TEXT = 0,
	CELL_RAW,
	CELL_BOOL,
	CELL_NULL
};

struct cell {
	size_t at, n; /* in rows.text */
	enum cell_kind kind;
	enum cli_paint paint;
};

struct cli_rows {
	struct cli *cli;
	enum cli_format format;
	const struct cli_column *cols;
	size_t n_cols;
	struct cell *cells; /* of the row at hand; of all rows for a table */
	size_t n_cells, cap_cells;
	struct pr_buf text;
	enum cli_paint paint; /* of the next cell */
	bool live;
	bool begun; /* something is printed already */
};

static const char *const paints[] = {
    [CLI_PLAIN] = "\033[0m",
    [CLI_BOLD] = "\033[1m",
    [CLI_DIM] = "\033[2m",
    [CLI_RED] = "\033[31m",
    [CLI_GREEN] = "\033[32m",
    [CLI_YELLOW] = "\033[33m",
};

const char *
cli_paint(const struct cli *cli, enum cli_paint p)
{
	return cli->color ? paints[p] : "";
}

struct cli_rows *
cli_rows_new(struct cli *cli, enum cli_format format,
    const struct cli_column *cols, size_t n)
{
	struct cli_rows *r = pr_xcalloc(1, sizeof *r);

	r->cli = cli;
	r->format = format;
	r->cols = cols;
	r->n_cols = n;
	return r;
}

void
cli_rows_live(struct cli_rows *r)
{
	r->live = true;
}

static bool
is_control(struct pr_str s, size_t i)
{
	unsigned char c = (unsigned char)s.p[i];

	if (c == 0xc2 && i + 1 < s.n)
		return (unsigned char)s.p[i + 1] < 0xa0; /* C1 in UTF-8 */
	return c < 0x20 || c == 0x7f;
}

void
cli_print_safe(FILE *out, struct pr_str s)
{
	bool utf8 = pr_str_utf8(s);

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_control(s, i) || (!utf8 && c >= 0x80))
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

/* Characters that cli_print_safe shows. */
static size_t
safe_width(struct pr_str s)
{
	bool utf8 = pr_str_utf8(s);
	size_t w = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_control(s, i) || (!utf8 && c >= 0x80))
			w += 4;
		else if ((c & 0xc0) != 0x80 || !utf8)
			w++;
	}
	return w;
}

static struct pr_str
cell_text(const struct cli_rows *r, const struct cell *c)
{
	return (struct pr_str){r->text.p + c->at, c->n};
}

/* As a table shows it. */
static struct pr_str
cell_shown(const struct cli_rows *r, const struct cell *c)
{
	if (c->kind == CELL_NULL)
		return PR_STR("-");
	if (c->kind == CELL_BOOL)
		return r->text.p[c->at] == 't' ? PR_STR("yes") : PR_STR("no");
	return cell_text(r, c);
}

static void
pad(FILE *out, size_t n)
{
	fprintf(out, "%*s", (int)n, "");
}

/* The last visible column is not padded, unless it stands to the right. */
static size_t
last_column(const struct cli_rows *r)
{
	size_t last = 0;

	for (size_t i = 0; i < r->n_cols; i++) {
		if (!r->cols[i].hidden)
			last = i;
	}
	return last;
}

static void
print_cell(const struct cli_rows *r, size_t col, struct pr_str s,
    enum cli_paint paint, size_t width)
{
	FILE *out = r->cli->out;
	size_t have = safe_width(s), fill = width > have ? width - have : 0;

	if (r->cols[col].right)
		pad(out, fill);
	if (paint != CLI_PLAIN)
		fputs(cli_paint(r->cli, paint), out);
	cli_print_safe(out, s);
	if (paint != CLI_PLAIN)
		fputs(cli_paint(r->cli, CLI_PLAIN), out);
	if (col == last_column(r)) {
		fputc('\n', out);
		return;
	}
	if (!r->cols[col].right)
		pad(out, fill);
	fputs("  ", out);
}

static void
print_heading(const struct cli_rows *r, const size_t *widths)
{
	for (size_t i = 0; i < r->n_cols; i++) {
		char name[64];
		size_t n = 0;

		if (r->cols[i].hidden)
			continue;
		for (const char *p = r->cols[i].name;
		     *p != '\0' && n < sizeof name; p++)
			name[n++] =
			    (char)(*p == '_' ? ' '
					     : toupper((unsigned char)*p));
		print_cell(r, i, (struct pr_str){name, n}, CLI_BOLD, widths[i]);
	}
}

static void
print_table_row(
    const struct cli_rows *r, const struct cell *row, const size_t *widths)
{
	for (size_t i = 0; i < r->n_cols; i++) {
		if (!r->cols[i].hidden)
			print_cell(r, i, cell_shown(r, &row[i]), row[i].paint,
			    widths[i]);
	}
}

static size_t *
widths_new(const struct cli_rows *r)
{
	size_t *w = pr_xcalloc(r->n_cols, sizeof *w);

	for (size_t i = 0; i < r->n_cols; i++) {
		w[i] = strlen(r->cols[i].name);
		if (r->cols[i].width > w[i])
			w[i] = r->cols[i].width;
	}
	return w;
}

static void
print_table(const struct cli_rows *r)
{
	size_t *widths = widths_new(r);

	for (size_t i = 0; i < r->n_cells; i++) {
		size_t w = safe_width(cell_shown(r, &r->cells[i]));

		if (w > widths[i % r->n_cols])
			widths[i % r->n_cols] = w;
	}
	if (!r->begun)
		print_heading(r, widths);
	for (size_t i = 0; i + r->n_cols <= r->n_cells; i += r->n_cols)
		print_table_row(r, &r->cells[i], widths);
	free(widths);
}

static void
print_json_row(const struct cli_rows *r, bool spaced)
{
	struct pr_buf b = PR_BUF_INIT;

	pr_buf_char(&b, '{');
	for (size_t i = 0; i < r->n_cols; i++) {
		const struct cell *c = &r->cells[i];

		if (i > 0)
			pr_buf_cstr(&b, spaced ? ", " : ",");
		pr_buf_json(&b, pr_str_of(r->cols[i].name));
		pr_buf_cstr(&b, spaced ? ": " : ":");
		if (c->kind == CELL_TEXT)
			pr_buf_json(&b, cell_text(r, c));
		else
			pr_buf_str(&b, cell_text(r, c));
	}
	pr_buf_char(&b, '}');
	fwrite(b.p, 1, b.n, r->cli->out);
	pr_buf_fini(&b);
}

static void
print_csv_cell(FILE *out, struct pr_str s)
{
	bool quote = s.n > 0 && (s.p[0] == ' ' || s.p[s.n - 1] == ' ');

	for (size_t i = 0; i < s.n; i++)
		quote = quote || strchr(",\"\r\n", s.p[i]) != NULL;
	if (!quote) {
		fwrite(s.p, 1, s.n, out);
		return;
	}
	fputc('"', out);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			fputc('"', out);
		fputc(s.p[i], out);
	}
	fputc('"', out);
}

static void
print_csv_heading(const struct cli_rows *r)
{
	for (size_t i = 0; i < r->n_cols; i++) {
		if (i > 0)
			fputc(',', r->cli->out);
		print_csv_cell(r->cli->out, pr_str_of(r->cols[i].name));
	}
	fputs("\r\n", r->cli->out);
}

static void
print_csv_row(const struct cli_rows *r)
{
	for (size_t i = 0; i < r->n_cols; i++) {
		const struct cell *c = &r->cells[i];

		if (i > 0)
			fputc(',', r->cli->out);
		if (c->kind != CELL_NULL)
			print_csv_cell(r->cli->out, cell_text(r, c));
	}
	fputs("\r\n", r->cli->out);
}

static void
end_row(struct cli_rows *r)
{
	FILE *out = r->cli->out;

	switch (r->format) {
	case CLI_TABLE:
		if (!r->live)
			return; /* widths are known at the end */
		print_table(r);
		break;
	case CLI_JSON:
		fputs(r->begun ? ",\n " : "[\n ", out);
		print_json_row(r, true);
		break;
	case CLI_JSONL:
		print_json_row(r, false);
		fputc('\n', out);
		break;
	case CLI_CSV:
		if (!r->begun)
			print_csv_heading(r);
		print_csv_row(r);
		break;
	}
	r->begun = true;
	r->n_cells = 0;
	pr_buf_reset(&r->text);
	if (r->live)
		fflush(out);
}

static void
add(struct cli_rows *r, struct pr_str s, enum cell_kind kind)
{
	r->cells =
	    pr_grow(r->cells, r->n_cells, &r->cap_cells, sizeof *r->cells);
	r->cells[r->n_cells++] = (struct cell){r->text.n, s.n, kind, r->paint};
	r->paint = CLI_PLAIN;
	pr_buf_str(&r->text, s);
	if (r->n_cells % r->n_cols == 0)
		end_row(r);
}

void
cli_cell(struct cli_rows *r, struct pr_str s)
{
	add(r, s, CELL_TEXT);
}

void
cli_cell_cstr(struct cli_rows *r, const char *s)
{
	if (s == NULL)
		cli_cell_null(r);
	else
		cli_cell(r, pr_str_of(s));
}

void
cli_cell_u64(struct cli_rows *r, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)v);
	add(r, pr_str_of(text), CELL_RAW);
}

void
cli_cell_i64(struct cli_rows *r, int64_t v)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)v);
	add(r, pr_str_of(text), CELL_RAW);
}

void
cli_cell_bool(struct cli_rows *r, bool v)
{
	add(r, v ? PR_STR("true") : PR_STR("false"), CELL_BOOL);
}

void
cli_cell_null(struct cli_rows *r)
{
	add(r, PR_STR("null"), CELL_NULL);
}

void
cli_cell_json(struct cli_rows *r, struct pr_str json)
{
	add(r, json, CELL_RAW);
}

void
cli_cell_paint(struct cli_rows *r, enum cli_paint p)
{
	r->paint = p;
}

void
cli_rows_end(struct cli_rows *r)
{
	assert(r->n_cells % r->n_cols == 0);
	if (r->format == CLI_TABLE && !r->live)
		print_table(r);
	if (r->format == CLI_JSON)
		fputs(r->begun ? "\n]\n" : "[]\n", r->cli->out);
	if (r->format == CLI_CSV && !r->begun)
		print_csv_heading(r);
	pr_buf_fini(&r->text);
	free(r->cells);
	free(r);
}
