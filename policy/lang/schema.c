/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"

#include <string.h>

/* What each shape wants, for "wants ..."; a row a shape. */
static const struct {
	enum ynode_type type;
	const char *wants;
} shapes[SHAPE_COUNT] = {
    [SHAPE_STR] = {Y_SCALAR, "a string"},
    [SHAPE_TEXT] = {Y_SCALAR, "a string"},
    [SHAPE_BOOL] = {Y_SCALAR, "true or false"},
    [SHAPE_WORD] = {Y_SCALAR, "a word"},
    [SHAPE_NUM] = {Y_SCALAR, "a number"},
    [SHAPE_SIZE] = {Y_SCALAR, "a size, as 64MiB"},
    [SHAPE_CPUS] = {Y_SCALAR, "a number of CPUs, as 1.5"},
    [SHAPE_DURATION] = {Y_SCALAR, "a duration, as 90s, 15m or 1h30m"},
    [SHAPE_STRS] = {Y_LIST, "a list of strings"},
    [SHAPE_NUMS] = {Y_LIST, "a list of numbers"},
    [SHAPE_MAP] = {Y_MAP, "a map"},
    [SHAPE_MAPS] = {Y_LIST, "a list of maps"},
    [SHAPE_NAMED] = {Y_MAP, "a map of names"},
    [SHAPE_LISTS] = {Y_MAP, "a map of lists"},
    [SHAPE_VERBS] = {Y_MAP, "a map, as {container: [list, inspect]}"},
    [SHAPE_WORD_OR_STRS] = {Y_SCALAR, "a word or a list"},
    [SHAPE_STR_OR_STRS] = {Y_SCALAR, "a string or a list of strings"},
    [SHAPE_PROFILE] = {Y_MAP, "a map"},
};

size_t
schema_words(struct lang *l, const char *words, const char **v, size_t max)
{
	struct pr_str rest = pr_str_of(words);
	size_t n = 0;

	while (rest.p != NULL && n < max)
		v[n++] = pr_arena_strdup(l->tree, pr_str_cut(&rest, '|'));
	return n;
}

static const char *
words_hint(struct lang *l, struct pr_str word, const char *words)
{
	const char *v[SCHEMA_WORDS_MAX] = {""};
	size_t n = schema_words(l, words, v, PR_COUNT(v));
	const char *text = v[0];

	for (size_t i = 1; i < n; i++)
		text = pr_arena_printf(
		    l->tree, i + 1 < n ? "%s, %s" : "%s or %s", text, v[i]);
	return lang_meant(
	    l, word, v, n, pr_arena_printf(l->tree, "it may be %s", text));
}

static bool
is_one_of(struct pr_str word, const char *words)
{
	struct pr_str rest = pr_str_of(words);

	while (rest.p != NULL) {
		if (pr_str_eq(pr_str_cut(&rest, '|'), word))
			return true;
	}
	return false;
}

/*
 * YAML 1.1 reads these as booleans or nothing, we read them as strings; the
 * next program that looks at the file may not.
 */
static bool
looks_boolean(const struct ynode *n)
{
	static const char *const words[] = {
	    "yes", "no", "on", "off", "y", "n", "true", "false", "null", "~"};

	if (!n->plain)
		return false;
	for (size_t i = 0; i < PR_COUNT(words); i++) {
		if (pr_str_is_nocase(n->s, words[i]))
			return true;
	}
	return false;
}

static bool
check_str(struct lang *l, const struct ynode *n, const char *name)
{
	if (n->bad)
		return false;
	if (n->s.n == 0) {
		lang_error(l, ynode_loc(n), NULL, "\"%s\" is empty", name);
		return false;
	}
	for (size_t i = 0; i < n->s.n; i++) {
		if (n->s.p[i] != '\n' && n->s.p[i] != '\t')
			continue;
		lang_error(l, ynode_loc(n), NULL,
		    "\"%s\" must be one line without tabs", name);
		return false;
	}
	if (looks_boolean(n))
		lang_warn(l, ynode_loc(n),
		    pr_arena_printf(l->tree, "write \"%.*s\"", PR_STRF(n->s)),
		    "%.*s without quotes is no string to other readers of "
		    "YAML",
		    PR_STRF(n->s));
	return true;
}

static bool
check_strs(struct lang *l, const struct ynode *list, const char *name)
{
	bool good = true;

	Y_EACH(list, e)
	{
		if (!e->bad && e->type != Y_SCALAR)
			lang_error(l, ynode_loc(e), NULL,
			    "\"%s\" wants a list of strings, this is %s", name,
			    ynode_kind(e));
		if (e->bad || e->type != Y_SCALAR || !check_str(l, e, name))
			good = false;
	}
	return good;
}

static bool
check_bool(struct lang *l, const struct ynode *n, const char *name)
{
	static const char *const yes[] = {"yes", "on", "y", "true"};
	bool is_yes = false, quoted = !n->plain;

	if (n->plain && (pr_str_is(n->s, "true") || pr_str_is(n->s, "false")))
		return true;
	for (size_t i = 0; i < PR_COUNT(yes); i++)
		is_yes = is_yes || pr_str_is_nocase(n->s, yes[i]);
	quoted =
	    quoted && (pr_str_is(n->s, "true") || pr_str_is(n->s, "false"));
	lang_error(l, ynode_loc(n),
	    quoted                 ? "write it without quotes"
		: is_yes           ? "write true"
		: looks_boolean(n) ? "write false"
				   : NULL,
	    "\"%s\" wants true or false", name);
	return false;
}

/* What is wrong is reported; whoever uses the map passes over it. */
static void
check_lists(struct lang *l, const struct ynode *map, const char *name)
{
	Y_EACH_PAIR(map, k, v)
	{
		if (k->bad || v->bad)
			continue;
		if (v->type == Y_LIST) {
			(void)check_strs(l, v, name);
			continue;
		}
		lang_error(l, ynode_loc(v),
		    v->type == Y_SCALAR && v->s.n > 0
			? pr_arena_printf(
			      l->tree, "write [%.*s]", PR_STRF(v->s))
			: NULL,
		    "\"%.*s\" wants a list of strings, this is %s",
		    PR_STRF(k->s), ynode_kind(v));
	}
}

static bool
wrong_type(struct lang *l, const struct ynode *n, const char *name,
    const struct field *f)
{
	const char *hint = NULL;
	bool list = shapes[f->shape].type == Y_LIST;

	if (n->type == Y_SCALAR && n->plain && n->s.n == 0)
		hint = list ? "write [] for an empty list" : NULL;
	else if (n->type == Y_SCALAR && list && f->shape != SHAPE_MAPS)
		hint = pr_arena_printf(l->tree,
		    n->plain ? "write [%.*s]" : "write [\"%.*s\"]",
		    PR_STRF(n->s));
	lang_error(l, ynode_loc(n), hint, "\"%s\" wants %s, this is %s", name,
	    shapes[f->shape].wants, ynode_kind(n));
	return false;
}

static bool
check_word(struct lang *l, const struct ynode *n, const char *name,
    const struct field *f)
{
	const char *hint;

	if (is_one_of(n->s, f->words))
		return true;
	hint = words_hint(l, n->s, f->words);
	if (f->shape == SHAPE_WORD_OR_STRS)
		hint = pr_arena_printf(
		    l->tree, "%s; a list may stand here too", hint);
	lang_error(l, ynode_loc(n), hint, "\"%.*s\" is no value of \"%s\"",
	    PR_STRF(n->s), name);
	return false;
}

bool
schema_shape(struct lang *l, const struct ynode *n, const char *name,
    const struct field *f)
{
	bool or_list =
	    f->shape == SHAPE_WORD_OR_STRS || f->shape == SHAPE_STR_OR_STRS;

	if (n->bad)
		return false;
	if (or_list && n->type == Y_LIST)
		return check_strs(l, n, name);
	if (n->type != shapes[f->shape].type ||
	    (n->type == Y_SCALAR && n->plain && n->s.n == 0))
		return wrong_type(l, n, name, f);
	switch (f->shape) {
	case SHAPE_STR:
	case SHAPE_STR_OR_STRS:
		return check_str(l, n, name);
	case SHAPE_BOOL:
		return check_bool(l, n, name);
	case SHAPE_WORD:
	case SHAPE_WORD_OR_STRS:
		return check_word(l, n, name, f);
	case SHAPE_STRS:
	case SHAPE_NUMS:
		return check_strs(l, n, name);
	case SHAPE_VERBS:
	case SHAPE_LISTS:
		check_lists(l, n, name);
		break;
	case SHAPE_TEXT:
	case SHAPE_NUM:
	case SHAPE_SIZE:
	case SHAPE_CPUS:
	case SHAPE_DURATION:
	case SHAPE_MAP:
	case SHAPE_MAPS: /* schema_read looks at each */
	case SHAPE_NAMED:
	case SHAPE_PROFILE:
	case SHAPE_COUNT:
		break;
	}
	return true;
}

/* "a grant", "an identity rule" */
static const char *
article(const char *noun)
{
	return strchr("aeiou", noun[0]) != NULL ? "an" : "a";
}

static void
unknown_key(struct lang *l, const struct ynode *key, const struct table *t)
{
	const char *v[SCHEMA_WORDS_MAX];
	const char *all = t->fields[0].name;
	size_t n = 0;

	for (; n < t->n && n < PR_COUNT(v); n++)
		v[n] = t->fields[n].name;
	for (size_t i = 1; i < n; i++)
		all = pr_arena_printf(l->tree, "%s, %s", all, v[i]);
	lang_error(l, ynode_loc(key),
	    lang_meant(l, key->s, v, n,
		pr_arena_printf(l->tree, "the keys are %s", all)),
	    "unknown key \"%.*s\" of %s %s", PR_STRF(key->s), article(t->what),
	    t->what);
}

bool
schema_read(
    struct lang *l, const struct ynode *map, const struct table *t, void *out)
{
	uint64_t seen = 0;
	bool whole = true;

	if (map->bad)
		return false;
	if (map->type != Y_MAP) {
		lang_error(l, ynode_loc(map), NULL,
		    "%s %s is a map, this is %s", article(t->what), t->what,
		    ynode_kind(map));
		return false;
	}
	Y_EACH_PAIR(map, k, v)
	{
		size_t i = 0;

		if (k->bad)
			continue;
		while (i < t->n && !pr_str_is(k->s, t->fields[i].name))
			i++;
		if (i == t->n) {
			unknown_key(l, k, t);
			continue;
		}
		seen |= UINT64_C(1) << i;
		if (schema_shape(l, v, t->fields[i].name, &t->fields[i]))
			*(const struct ynode **)(void *)((char *)out +
			    t->fields[i].offset) = v;
		else if (t->fields[i].required)
			whole = false;
	}
	for (size_t i = 0; i < t->n; i++) {
		if (!t->fields[i].required || (seen >> i & 1) != 0)
			continue;
		lang_error(l, ynode_loc(map), NULL, "the %s has no \"%s\"",
		    t->what, t->fields[i].name);
		whole = false;
	}
	return whole;
}
