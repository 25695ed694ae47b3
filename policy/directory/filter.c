/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Search filters (RFC 4515).  Parsed here also when a server evaluates them:
 * what is put together from parts must be whole in each part, or a
 * parenthesis in one would change the meaning of the other.
 */
#include <string.h>

#include "local.h"

#define DEPTH_MAX 32

enum op {
	OP_PRESENT,
	OP_EQUAL, /* also ~= */
	OP_SUBSTRING,
	OP_GREATER,
	OP_LESS,
	OP_RULE, /* (attr:rule:=value) */
	OP_AND,
	OP_OR,
	OP_NOT,
};

struct filter_node {
	enum op op;
	unsigned n; /* operands of and, or */
	char type[PR_DN_TYPE_MAX];
	enum syntax syntax;
	struct pr_str *parts; /* the value; around stars if there are any */
	size_t n_parts;
};

struct parser {
	struct pr_arena *a;
	struct pr_str text;
	size_t at;
	struct filter_node *v;
	size_t n;
	bool extensible;
	const char *why;
	struct {
		enum op op;
		unsigned n;
	} open[DEPTH_MAX];
	unsigned depth;
};

static bool
bad(struct parser *p, const char *why)
{
	p->why = why;
	return false;
}

static int
peek(const struct parser *p)
{
	return p->at < p->text.n ? (unsigned char)p->text.p[p->at] : -1;
}

static struct filter_node *
emit(struct parser *p, enum op op)
{
	struct filter_node *f;

	if (p->n == FILTER_NODES) {
		bad(p, "the filter has too many parts");
		return NULL;
	}
	f = &p->v[p->n++];
	f->op = op;
	return f;
}

static int
hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of a value, or -1. */
static int
read_byte(struct parser *p)
{
	int c = peek(p), hi, lo;

	p->at++;
	if (c != '\\')
		return c == '(' || c == 0 ? -1 : c;
	hi = hex_digit(peek(p));
	p->at++;
	lo = hex_digit(peek(p));
	p->at++;
	return hi < 0 || lo < 0 ? -1 : hi * 16 + lo;
}

/* Values as they are compared; the parts of a substring keep their blanks. */
static void
add_part(struct parser *p, struct filter_node *f, struct pr_str raw)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	if (f->op == OP_SUBSTRING && f->syntax != SYNTAX_EXACT) {
		for (size_t i = 0; i < raw.n; i++)
			pr_buf_char(
			    &b, (char)(raw.p[i] == ' ' ? '\1' : raw.p[i]));
		raw = pr_buf_view(&b);
	}

	PR_CLEANUP(pr_buf_fini) struct pr_buf form = PR_BUF_INIT;

	dir_attribute_form(f->op == OP_SUBSTRING && f->syntax == SYNTAX_DN
		? SYNTAX_FOLD
		: f->syntax,
	    raw, &form);
	for (size_t i = 0; f->op == OP_SUBSTRING && i < form.n; i++) {
		if (form.p[i] == '\1')
			form.p[i] = ' ';
	}
	f->parts[f->n_parts++] = pr_arena_str(p->a, pr_buf_view(&form));
}

static bool
read_value(struct parser *p, struct filter_node *f)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf raw = PR_BUF_INIT;
	size_t from = p->at, stars = 0;

	for (size_t i = from; i < p->text.n && p->text.p[i] != ')'; i++)
		stars += p->text.p[i] == '*';
	if (f->op == OP_EQUAL && stars == 1 && p->text.p[from] == '*' &&
	    from + 1 < p->text.n && p->text.p[from + 1] == ')') {
		f->op = OP_PRESENT;
		p->at++;
		return true;
	}
	if (stars > 0 && f->op != OP_EQUAL)
		return bad(p, "a star is for equality only; it is \\2a else");
	if (stars > 0)
		f->op = OP_SUBSTRING;
	f->parts = pr_arena_array(p->a, stars + 1, sizeof *f->parts);
	while (peek(p) >= 0 && peek(p) != ')') {
		if (peek(p) == '*') {
			add_part(p, f, pr_buf_view(&raw));
			pr_buf_reset(&raw);
			p->at++;
			continue;
		}

		int c = read_byte(p);

		if (c < 0)
			return bad(
			    p, "\\, ( and NUL are \\5c, \\28, \\00 here");
		pr_buf_char(&raw, (char)c);
	}
	add_part(p, f, pr_buf_view(&raw));
	return true;
}

/* "attr", "attr;option", "attr:rule", ":dn:rule" in front of "=" */
static bool
read_type(struct parser *p, struct filter_node *f, struct pr_str s)
{
	size_t colon = pr_str_find(s, ':');

	if (colon < s.n) {
		f->op = OP_RULE;
		p->extensible = true;
		for (size_t i = 0; i < s.n; i++) {
			if (strchr("():;.-", s.p[i]) == NULL &&
			    !(s.p[i] >= '0' && s.p[i] <= '9') &&
			    !((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z'))
				return bad(p, "not an attribute and a rule");
		}
		s = pr_str_sub(s, 0, colon);
		if (s.n == 0)
			return true;
	}
	if (!pr_dn_type(s, f->type))
		return bad(p, "an attribute's name is missing here");
	f->syntax = dir_attribute_syntax(f->type);
	return true;
}

static bool
read_item(struct parser *p)
{
	struct filter_node *f = emit(p, OP_EQUAL);
	size_t from = p->at;
	struct pr_str type;

	if (f == NULL)
		return false;
	while (peek(p) >= 0 && strchr("=()*\\", peek(p)) == NULL)
		p->at++;
	if (peek(p) != '=' || p->at == from)
		return bad(p, "attribute=value is missing here");
	type = pr_str_sub(p->text, from, p->at);
	p->at++;
	switch (type.p[type.n - 1]) {
	case '~':
		type.n--;
		break;
	case '<':
		f->op = OP_LESS;
		type.n--;
		break;
	case '>':
		f->op = OP_GREATER;
		type.n--;
		break;
	case ':':
		type.n--;
		if (pr_str_find(type, ':') == type.n)
			return bad(p, "a matching rule is missing here");
		break;
	default:
		if (pr_str_find(type, ':') < type.n)
			return bad(p, "a rule needs :=");
	}
	return read_type(p, f, type) && read_value(p, f);
}

/* The ")" that is due, and those of the brackets that it completes. */
static bool
close_item(struct parser *p)
{
	for (;;) {
		if (peek(p) != ')')
			return bad(p, "a ) is missing here");
		p->at++;
		if (p->depth == 0)
			return true;
		p->open[p->depth - 1].n++;
		if (peek(p) == '(') {
			if (p->open[p->depth - 1].op == OP_NOT)
				return bad(p, "! takes one filter");
			return true;
		}
		p->depth--;

		struct filter_node *f = emit(p, p->open[p->depth].op);

		if (f == NULL)
			return false;
		f->n = p->open[p->depth].n;
	}
}

static bool
parse(struct parser *p)
{
	do {
		if (peek(p) != '(')
			return bad(p, "a ( is missing here");
		p->at++;
		if (peek(p) == '&' || peek(p) == '|' || peek(p) == '!') {
			if (p->depth == DEPTH_MAX)
				return bad(p, "the filter is nested too deep");
			p->open[p->depth].n = 0;
			p->open[p->depth++].op = peek(p) == '&' ? OP_AND
			    : peek(p) == '|'                    ? OP_OR
								: OP_NOT;
			p->at++;
			continue;
		}
		if (!read_item(p) || !close_item(p))
			return false;
	} while (p->depth > 0);
	if (p->at < p->text.n)
		return bad(p, "the filter ends before this");
	return true;
}

bool
dir_filter_parse(struct pr_arena *a, struct pr_str text, struct filter *out,
    size_t *at, const char **why)
{
	struct parser p = {.a = a, .text = text};
	size_t nodes = 1;
	bool ok;

	for (size_t i = 0; i < text.n; i++)
		nodes += text.p[i] == '(';
	p.v = pr_arena_array(
	    a, nodes < FILTER_NODES ? nodes : FILTER_NODES, sizeof *p.v);
	ok = text.n <= FILTER_MAX ? parse(&p)
				  : bad(&p, "the filter is too long");
	*out = (struct filter){p.v, p.n, p.extensible};
	*at = p.at < text.n ? p.at : text.n;
	*why = p.why;
	return ok;
}

static bool
find_part(struct pr_str s, struct pr_str part, size_t *at)
{
	const char *hit;

	if (part.n == 0)
		return true;
	if (s.n < *at + part.n)
		return false;
	hit = memmem(s.p + *at, s.n - *at, part.p, part.n);
	if (hit == NULL)
		return false;
	*at = (size_t)(hit - s.p) + part.n;
	return true;
}

static bool
substring_matches(const struct filter_node *f, struct pr_str s)
{
	struct pr_str first = f->parts[0], last = f->parts[f->n_parts - 1];
	size_t at = first.n;

	if (s.n < first.n + last.n ||
	    (first.n > 0 && memcmp(s.p, first.p, first.n) != 0) ||
	    (last.n > 0 && memcmp(s.p + s.n - last.n, last.p, last.n) != 0))
		return false;
	s.n -= last.n;
	for (size_t i = 1; i + 1 < f->n_parts; i++) {
		if (!find_part(s, f->parts[i], &at))
			return false;
	}
	return true;
}

static int
order(struct pr_str a, struct pr_str b)
{
	uint64_t x, y;

	if (pr_str_u64(a, &x) && pr_str_u64(b, &y))
		return x < y ? -1 : x > y;
	return pr_str_cmp(a, b);
}

static bool
value_matches(const struct filter_node *f, struct pr_str s)
{
	switch (f->op) {
	case OP_EQUAL:
		return f->syntax == SYNTAX_CLASS
		    ? dir_class_is(s, f->parts[0])
		    : s.n > 0 && pr_str_eq(s, f->parts[0]);
	case OP_SUBSTRING:
		return substring_matches(f, s);
	case OP_GREATER:
		return order(s, f->parts[0]) >= 0;
	case OP_LESS:
		return order(s, f->parts[0]) <= 0;
	default:
		return f->op == OP_PRESENT;
	}
}

static bool
node_matches(
    const struct filter_node *f, const struct ldif_entry *e, struct pr_buf *b)
{
	for (size_t i = 0; i < e->n; i++) {
		if (strcmp(e->v[i].type, f->type) != 0)
			continue;
		pr_buf_reset(b);
		dir_attribute_form(f->syntax, e->v[i].value, b);
		if (value_matches(f, pr_buf_view(b)))
			return true;
	}
	return false;
}

bool
dir_filter_matches(const struct filter *f, const struct ldif_entry *e)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	bool stack[FILTER_NODES + 1];
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct filter_node *node = &f->v[i];
		bool all = true, any = false;

		if (node->op < OP_AND) {
			stack[n++] = node_matches(node, e, &b);
			continue;
		}
		/* the parser has counted them */
		for (unsigned k = 0; k < node->n && n > 0; k++) {
			n--;
			all &= stack[n];
			any |= stack[n];
		}
		if (node->op == OP_NOT)
			stack[n++] = !any;
		else
			stack[n++] = node->op == OP_AND ? all : any;
	}
	return n == 1 && stack[0];
}

void
pr_directory_escape(struct pr_buf *b, struct pr_str data)
{
	for (size_t i = 0; i < data.n; i++) {
		unsigned char c = (unsigned char)data.p[i];

		if (c < 0x20 || c >= 0x7f || strchr("()*\\", c) != NULL)
			pr_buf_printf(b, "\\%02x", c);
		else
			pr_buf_char(b, (char)c);
	}
}
