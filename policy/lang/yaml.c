/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include <portreeve/caps.h>

#include "node.h"

#define MAX_DEPTH  32 /* the deepest policy has 8 */
#define LINEAR_MAX 12 /* maps up to this are searched for twins as they are */

struct level {
	struct ynode *node;
	struct ynode *last;
};

struct reader {
	struct lang *l;
	const char *file;
	struct pr_str text;
	bool ascii;
	size_t line_at; /* offset of ... */
	unsigned line;  /* ... this line, from 0 */
	struct level stack[MAX_DEPTH];
	unsigned depth;
	struct ynode *root;
	bool stop;
};

/*
 * libyaml counts characters; editors, compilers and we count bytes.  Marks
 * hardly ever go back, so the line is found from where the last one was.
 */
static unsigned
byte_column(struct reader *r, const yaml_mark_t *mark)
{
	struct pr_str t = r->text;
	size_t at, chars = 0;

	if (r->ascii)
		return (unsigned)mark->column + 1;
	if (mark->line < r->line)
		r->line = 0, r->line_at = 0;
	while (r->line < mark->line) {
		const char *nl =
		    memchr(t.p + r->line_at, '\n', t.n - r->line_at);

		if (nl == NULL)
			break;
		r->line_at = (size_t)(nl - t.p) + 1;
		r->line++;
	}
	for (at = r->line_at; at < t.n && chars < mark->column; at++)
		chars += at + 1 >= t.n || (t.p[at + 1] & 0xc0) != 0x80;
	return (unsigned)(at - r->line_at) + 1;
}

static void
set_place(struct reader *r, struct ynode *n, const yaml_event_t *e)
{
	n->file = r->file;
	n->line = (uint32_t)e->start_mark.line + 1;
	n->col = byte_column(r, &e->start_mark);
	n->len = 1;
	if (e->type == YAML_SCALAR_EVENT &&
	    e->end_mark.line == e->start_mark.line)
		n->len = byte_column(r, &e->end_mark) - n->col;
}

struct pr_loc
ynode_loc(const struct ynode *n)
{
	return (struct pr_loc){n->file, n->line, n->col, n->len};
}

static struct pr_loc
event_loc(struct reader *r, const yaml_event_t *e)
{
	return (struct pr_loc){r->file, (unsigned)e->start_mark.line + 1,
	    byte_column(r, &e->start_mark), 1};
}

const char *
ynode_kind(const struct ynode *n)
{
	if (n->type == Y_MAP)
		return "a map";
	if (n->type == Y_LIST)
		return "a list";
	return n->plain && n->s.n == 0 ? "nothing" : "a string";
}

const struct ynode *
ynode_get(const struct ynode *map, const char *key)
{
	Y_EACH_PAIR(map, k, v)
	{
		if (pr_str_is(k->s, key))
			return v;
	}
	return NULL;
}

struct ynode *
ynode_make(struct lang *l, struct pr_str text)
{
	struct ynode *n = pr_arena_alloc(l->tree, sizeof *n);

	n->type = Y_SCALAR;
	n->s = text;
	return n;
}

struct ynode *
ynode_make_list(struct lang *l)
{
	struct ynode *n = pr_arena_alloc(l->tree, sizeof *n);

	n->type = Y_LIST;
	return n;
}

void
ynode_push(struct ynode *list, struct ynode *element)
{
	struct ynode **at = &list->first;

	while (*at != NULL)
		at = &(*at)->next;
	*at = element;
	list->n++;
}

static void add(struct lang *l, enum pr_severity sev, struct pr_loc loc,
    const char *hint, const char *fmt, va_list ap) PR_PRINTF(5, 0);

static void
add(struct lang *l, enum pr_severity sev, struct pr_loc loc, const char *hint,
    const char *fmt, va_list ap)
{
	pr_diags_add(
	    l->ds, sev, loc, hint, "%s", pr_arena_vprintf(l->tree, fmt, ap));
}

void
lang_error(
    struct lang *l, struct pr_loc loc, const char *hint, const char *fmt, ...)
{
	va_list ap;

	if (l->errors++ == LANG_MAX_DIAGS)
		pr_diags_add(l->ds, PR_ERROR, (struct pr_loc){0}, NULL,
		    "too many errors; the rest is not shown");
	if (l->errors > LANG_MAX_DIAGS)
		return;
	va_start(ap, fmt);
	add(l, PR_ERROR, loc, hint, fmt, ap);
	va_end(ap);
}

void
lang_warn(
    struct lang *l, struct pr_loc loc, const char *hint, const char *fmt, ...)
{
	va_list ap;

	if (l->warnings++ == LANG_MAX_DIAGS)
		pr_diags_add(l->ds, PR_WARNING, (struct pr_loc){0}, NULL,
		    "too many warnings; the rest is not shown");
	if (l->warnings > LANG_MAX_DIAGS)
		return;
	va_start(ap, fmt);
	add(l, PR_WARNING, loc, hint, fmt, ap);
	va_end(ap);
}

void
lang_note(struct lang *l, struct pr_loc loc, const char *fmt, ...)
{
	va_list ap;

	if (l->errors > LANG_MAX_DIAGS || l->warnings > LANG_MAX_DIAGS)
		return;
	va_start(ap, fmt);
	add(l, PR_NOTE, loc, NULL, fmt, ap);
	va_end(ap);
}

const char *
lang_meant(struct lang *l, struct pr_str word, const char *const *candidates,
    size_t n, const char *otherwise)
{
	const char *best = pr_suggest(word, candidates, n);

	if (best == NULL)
		return otherwise;
	return pr_arena_printf(l->tree, "did you mean \"%s\"?", best);
}

/* Characters that a reader of the file cannot see, or sees elsewhere. */
static const char *
hidden_character(struct pr_str line, size_t i)
{
	const unsigned char *c = (const unsigned char *)line.p + i;
	size_t left = line.n - i;

	if (c[0] == '\0')
		return "a NUL byte";
	if ((c[0] < 0x20 && c[0] != '\t' && !(c[0] == '\r' && left == 1)) ||
	    c[0] == 0x7f || (left > 1 && c[0] == 0xc2 && c[1] < 0xa0))
		return "a control character";
	if (left > 2 && c[0] == 0xe2 &&
	    ((c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) ||
		(c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9)))
		return "an invisible character (line, paragraph or direction)";
	if (left > 2 && c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf)
		return "a byte order mark";
	return NULL;
}

/* What is wrong with the bytes of a file, before YAML is thought of. */
static bool
text_is_clean(struct reader *r)
{
	struct pr_loc loc = {r->file, 0, 1, 1};
	struct pr_str text = r->text;

	r->ascii = true;
	if (!pr_str_utf8(text)) {
		lang_error(r->l, loc, NULL, "not UTF-8");
		return false;
	}
	while (text.p != NULL) {
		struct pr_str line = pr_str_cut(&text, '\n');

		loc.line++;
		for (size_t i = 0; i < line.n; i++) {
			unsigned char c = (unsigned char)line.p[i];
			const char *what;

			if (c >= 0x20 && c < 0x7f)
				continue;
			r->ascii = r->ascii && c < 0x80;
			what = hidden_character(line, i);
			if (what == NULL)
				continue;
			loc.col = (unsigned)i + 1;
			lang_error(r->l, loc, NULL, "%s", what);
			return false;
		}
	}
	return true;
}

static void
check_scalar(struct reader *r, struct ynode *n)
{
	for (size_t i = 0; i < n->s.n; i++) {
		unsigned char c = (unsigned char)n->s.p[i];
		const char *what;

		if (c >= 0x20 && c < 0x7f)
			continue;
		what = c == '\n' || c == '\t'
		    ? NULL
		    : hidden_character((struct pr_str){n->s.p, n->s.n}, i);

		if (c == '\r')
			what = "a control character";
		if (what == NULL)
			continue;
		lang_error(
		    r->l, ynode_loc(n), NULL, "the string holds %s", what);
		n->bad = true;
		return;
	}
}

static bool
check_key(struct reader *r, const struct ynode *map, struct ynode *key)
{
	if (key->type != Y_SCALAR) {
		lang_error(r->l, ynode_loc(key), NULL, "%s cannot be a key",
		    ynode_kind(key));
		return false;
	}
	if (key->plain && pr_str_is(key->s, "<<")) {
		lang_error(r->l, ynode_loc(key),
		    "profiles and roles have \"extends\"",
		    "merge keys are not part of the language");
		key->bad = true;
	}
	(void)map;
	return true;
}

static void
twin(struct reader *r, struct ynode *key, const struct ynode *first)
{
	lang_error(r->l, ynode_loc(key), NULL, "\"%.*s\" is here twice",
	    PR_STRF(key->s));
	lang_note(r->l, ynode_loc(first), "first defined here");
	key->bad = true;
}

/* Twin keys of a big map, through a table of hashes. */
static void
find_twins_hashed(struct reader *r, struct ynode *map)
{
	size_t size = 16;
	struct ynode **slots;

	while (size < (size_t)map->n * 2)
		size *= 2;
	slots = pr_xcalloc(size, sizeof(struct ynode *));
	for (struct ynode *k = map->first; k != NULL; k = k->next->next) {
		size_t i = pr_hash(PR_HASH_SEED, k->s.p, k->s.n) & (size - 1);

		while (slots[i] != NULL && !pr_str_eq(slots[i]->s, k->s))
			i = (i + 1) & (size - 1);
		if (slots[i] != NULL)
			twin(r, k, slots[i]);
		else
			slots[i] = k;
	}
	pr_freep(&slots);
}

static void
find_twins(struct reader *r, struct ynode *map)
{
	if (map->n > LINEAR_MAX) {
		find_twins_hashed(r, map);
		return;
	}
	for (struct ynode *k = map->first; k != NULL; k = k->next->next) {
		struct ynode *f = map->first;

		while (f != k && !pr_str_eq(f->s, k->s))
			f = f->next->next;
		if (f != k)
			twin(r, k, f);
	}
}

static void
attach(struct reader *r, struct ynode *n)
{
	struct level *top;

	if (r->depth == 0) {
		r->root = n;
		return;
	}
	top = &r->stack[r->depth - 1];
	if (top->last == NULL)
		top->node->first = n;
	else
		top->last->next = n;
	top->last = n;
	/* a map's n counts keys and values until it ends */
	top->node->n++;
	if (top->node->type == Y_MAP && top->node->n % 2 == 1 &&
	    !check_key(r, top->node, n))
		r->stop = true;
}

static struct ynode *
new_node(struct reader *r, enum ynode_type type, const yaml_event_t *e)
{
	struct ynode *n;

	if (r->l->nodes++ >= PR_CAP_POLICY_NODES) {
		lang_error(r->l, event_loc(r, e), NULL, "more than %zu values",
		    PR_CAP_POLICY_NODES);
		r->stop = true;
	}
	n = pr_arena_alloc(r->l->tree, sizeof *n);
	n->type = (uint8_t)type;
	set_place(r, n, e);
	return n;
}

static void
refuse_decoration(struct reader *r, struct ynode *n, const yaml_event_t *e,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		lang_error(r->l, event_loc(r, e), NULL,
		    "anchors are not part of the language");
	if (tag != NULL)
		lang_error(r->l, event_loc(r, e), NULL,
		    "tags are not part of the language");
	n->bad = n->bad || anchor != NULL || tag != NULL;
}

static void
on_scalar(struct reader *r, const yaml_event_t *e)
{
	struct ynode *n = new_node(r, Y_SCALAR, e);

	n->s = pr_arena_str(r->l->tree,
	    (struct pr_str){
		(const char *)e->data.scalar.value, e->data.scalar.length});
	n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	check_scalar(r, n);
	refuse_decoration(r, n, e, e->data.scalar.anchor, e->data.scalar.tag);
	attach(r, n);
}

static void
on_begin(struct reader *r, const yaml_event_t *e)
{
	bool map = e->type == YAML_MAPPING_START_EVENT;
	struct ynode *n = new_node(r, map ? Y_MAP : Y_LIST, e);

	refuse_decoration(r, n, e,
	    map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor,
	    map ? e->data.mapping_start.tag : e->data.sequence_start.tag);
	attach(r, n);
	if (r->depth == MAX_DEPTH) {
		lang_error(r->l, ynode_loc(n), NULL, "nested more than %d deep",
		    MAX_DEPTH);
		r->stop = true;
		return;
	}
	r->stack[r->depth++] = (struct level){n, NULL};
}

static void
on_end(struct reader *r)
{
	struct ynode *n = r->stack[--r->depth].node;

	if (n != NULL && n->type == Y_MAP) {
		n->n /= 2;
		find_twins(r, n);
	}
}

static void
on_alias(struct reader *r, const yaml_event_t *e)
{
	struct ynode *n = new_node(r, Y_SCALAR, e);

	lang_error(
	    r->l, ynode_loc(n), NULL, "aliases are not part of the language");
	n->bad = true;
	attach(r, n);
}

static void
on_document(struct reader *r, const yaml_event_t *e)
{
	if (e->data.document_start.version_directive != NULL ||
	    e->data.document_start.tag_directives.start !=
		e->data.document_start.tag_directives.end)
		lang_error(r->l, event_loc(r, e), NULL,
		    "directives are not part of the language");
	if (r->root != NULL) {
		lang_error(r->l, event_loc(r, e),
		    "put it into a file of its own",
		    "a second document begins here");
		r->stop = true;
	}
}

static void
on_event(struct reader *r, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		on_document(r, e);
		break;
	case YAML_SCALAR_EVENT:
		on_scalar(r, e);
		break;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		on_begin(r, e);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_end(r);
		break;
	case YAML_ALIAS_EVENT:
		on_alias(r, e);
		break;
	case YAML_STREAM_END_EVENT:
		r->stop = true;
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
}

static void
syntax_error(struct reader *r, const yaml_parser_t *p)
{
	bool marked = p->problem_mark.line > 0 || p->problem_mark.column > 0 ||
	    p->context_mark.line > 0;
	struct pr_loc loc = {r->file, (unsigned)p->problem_mark.line + 1,
	    byte_column(r, &p->problem_mark), 1};

	if (!marked)
		loc.line = loc.col = 1;
	lang_error(r->l, loc,
	    p->context != NULL
		? pr_arena_printf(r->l->tree, "%s that begins in line %zu",
		      p->context, p->context_mark.line + 1)
		: NULL,
	    "not YAML: %s", p->problem != NULL ? p->problem : "unreadable");
}

const struct ynode *
yaml_read(struct lang *l, const char *file, struct pr_str text, bool *empty)
{
	struct reader r = {.l = l, .file = file, .text = text};
	size_t errors = l->errors;
	bool failed = false;
	yaml_parser_t parser;

	*empty = false;
	if (!text_is_clean(&r))
		return NULL;
	if (yaml_parser_initialize(&parser) == 0)
		abort(); /* out of memory, and nothing else */
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)text.p, text.n);
	while (!r.stop) {
		yaml_event_t e;

		if (yaml_parser_parse(&parser, &e) == 0) {
			syntax_error(&r, &parser);
			failed = true;
			break;
		}
		on_event(&r, &e);
		yaml_event_delete(&e);
	}
	failed = failed || r.depth > 0;
	yaml_parser_delete(&parser);
	*empty = !failed && r.root == NULL && l->errors == errors;
	/* half a tree would only cause complaints about what is missing */
	return failed ? NULL : r.root;
}
