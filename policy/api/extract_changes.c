/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The query key `changes` of commit and import: lines of a Dockerfile that
 * shape the image.  What they set is judged where it stands for something
 * (LABEL, ENV); what cannot be read as the daemon reads it (escapes,
 * variables, continued lines) is denied to every profile but `unrestricted`.
 */
#include <string.h>

#include "extract.h"

/* Others that commit takes: what they set is judged when the image is run. */
static const char *const harmless[] = {"cmd", "entrypoint", "expose",
    "healthcheck", "onbuild", "stopsignal", "user", "volume", "workdir"};

struct pairs {
	struct pr_kv *v;
	size_t n, cap;
};

static void
add(struct extract *e, struct pairs *p, struct pr_str key, struct pr_str value)
{
	if (p->n == p->cap) {
		size_t cap = p->cap > 0 ? p->cap * 2 : 8;
		struct pr_kv *v = pr_arena_array(e->arena, cap, sizeof *v);

		if (p->n > 0)
			memcpy(v, p->v, p->n * sizeof *v);
		p->v = v;
		p->cap = cap;
	}
	p->v[p->n++] = (struct pr_kv){key, value};
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * The next word, its quotes taken away; p == NULL: it cannot be read.  The
 * rest begins behind it.
 */
static struct pr_str
next_word(struct extract *e, struct pr_str *rest)
{
	char *word = pr_arena_bytes(e->arena, rest->n + 1), quote = '\0';
	size_t n = 0, i = 0;

	for (; i < rest->n; i++) {
		char c = rest->p[i];

		if (c == '\\' || c == '$' || c == '`')
			return (struct pr_str){NULL, 0};
		if (quote == '\0' && is_blank(c))
			break;
		if (quote == '\0' && (c == '"' || c == '\''))
			quote = c;
		else if (c == quote)
			quote = '\0';
		else
			word[n++] = c;
	}
	if (quote != '\0')
		return (struct pr_str){NULL, 0};
	*rest = pr_str_trim(pr_str_sub(*rest, i, rest->n));
	return (struct pr_str){word, n};
}

/* "key=value key=value", or "key value" to the end of the line. */
static bool
read_pairs(struct extract *e, struct pr_str rest, struct pairs *out)
{
	bool first = true;

	if (rest.n == 0)
		return false;
	for (; rest.n > 0; first = false) {
		struct pr_str value = next_word(e, &rest), key;

		if (value.p == NULL)
			return false;
		if (pr_str_find(value, '=') == value.n) {
			key = value;
			if (!first || rest.n == 0)
				return false;
			value = rest;
			for (struct pr_str w = rest; w.n > 0;) {
				/* quotes inside would be taken away */
				struct pr_str word = next_word(e, &w);

				if (word.p == NULL)
					return false;
			}
			if (pr_str_find(value, '"') < value.n ||
			    pr_str_find(value, '\'') < value.n)
				return false;
			add(e, out, key, value);
			return true;
		}
		key = pr_str_cut(&value, '=');
		add(e, out, key, value);
	}
	return true;
}

static bool
read_change(struct extract *e, struct pr_str line, struct pairs *labels,
    struct pairs *env)
{
	struct pr_str rest = pr_str_trim(line), word;
	size_t n = 0;

	for (size_t i = 0; i < rest.n; i++) {
		if (rest.p[i] == '\n' || rest.p[i] == '\r')
			return false;
	}
	if (rest.n == 0)
		return true;
	if (rest.p[rest.n - 1] == '\\' || rest.p[rest.n - 1] == '`')
		return false;
	while (n < rest.n && !is_blank(rest.p[n]))
		n++;
	word = pr_str_sub(rest, 0, n);
	rest = pr_str_trim(pr_str_sub(rest, n, rest.n));
	if (pr_str_is_nocase(word, "label"))
		return read_pairs(e, rest, labels);
	if (pr_str_is_nocase(word, "env"))
		return read_pairs(e, rest, env);
	for (size_t i = 0; i < PR_COUNT(harmless); i++) {
		if (pr_str_is_nocase(word, harmless[i]))
			return true;
	}
	return false;
}

/* Adds "NAME=value" of each pair to the environment. */
static void
take_env(struct extract *e, const struct pairs *env)
{
	struct pr_strs *to = &e->spec->env;
	struct pr_str *all;

	if (env->n == 0)
		return;
	all = pr_arena_array(e->arena, to->n + env->n, sizeof *all);
	for (size_t i = 0; i < to->n; i++)
		all[i] = to->v[i];
	for (size_t i = 0; i < env->n; i++)
		all[to->n + i] =
		    pr_str_of(pr_arena_printf(e->arena, "%.*s=%.*s",
			PR_STRF(env->v[i].key), PR_STRF(env->v[i].value)));
	*to = (struct pr_strs){all, to->n + env->n};
}

int
extract_changes(
    struct extract *e, const struct pr_request *rq, struct pr_kvs labels)
{
	struct pairs all = {NULL, 0, 0}, env = {NULL, 0, 0};

	for (size_t i = 0; i < rq->n_query; i++) {
		if (!pr_str_is(rq->query[i].key, "changes") ||
		    read_change(e, rq->query[i].value, &all, &env))
			continue;
		e->spec->body = PR_SPEC_UNREAD;
		e->spec->unread = "a line of the query key changes";
	}
	for (size_t i = 0; i < labels.n; i++)
		add(e, &all, labels.v[i].key, labels.v[i].value);
	e->spec->labels = (struct pr_kvs){all.v, all.n};
	take_env(e, &env);
	return 0;
}
