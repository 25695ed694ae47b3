/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a create with the labels that say whose it is: so that they
 * survive the ledger, and other tools see them (docs/semantics.md 2.2).
 * Nothing else is changed.
 */
#include "local.h"

/* Objects on the way to a map of labels; the last one is the map. */
struct way {
	enum pr_op op;
	const char *keys[4];
};

static const struct way ways[] = {
    {PR_OP_CONTAINER_CREATE, {"Labels"}},
    {PR_OP_VOLUME_CREATE, {"Labels"}},
    {PR_OP_NETWORK_CREATE, {"Labels"}},
    {PR_OP_SERVICE_CREATE, {"Labels"}},
    {PR_OP_SERVICE_CREATE, {"TaskTemplate", "ContainerSpec", "Labels"}},
};
#define WAYS PR_COUNT(ways)

struct writer {
	struct pr_buf *b;
	const struct pr_judge_forward *f;
	struct pr_str text;
	unsigned set;
};

/* "key":"value", if neither is empty and the map has no such key. */
static void
add_label(struct writer *w, const struct pr_json *map, struct pr_str key,
    struct pr_str value, bool *first)
{
	if (key.n == 0 || value.n == 0 ||
	    (map != NULL && pr_json_get(map, key) != NULL))
		return;
	if (!*first)
		pr_buf_char(w->b, ',');
	*first = false;
	pr_buf_json(w->b, key);
	pr_buf_char(w->b, ':');
	pr_buf_json(w->b, value);
	w->set++;
}

/* map: NULL where the body has none, or null. */
static void
write_labels(struct writer *w, const struct pr_json *map)
{
	bool first = true;

	pr_buf_char(w->b, '{');
	for (uint32_t i = 0; map != NULL && i < map->n; i++) {
		if (!first)
			pr_buf_char(w->b, ',');
		first = false;
		pr_buf_json(w->b, map->members[i].key);
		pr_buf_char(w->b, ':');
		pr_json_write(w->b, &map->members[i].value, w->text);
	}
	add_label(w, map, w->f->team_label, w->f->team, &first);
	add_label(w, map, w->f->phase_label, w->f->phase, &first);
	pr_buf_char(w->b, '}');
}

/* Which ways lead on through the member `key`; of those in `on`. */
static unsigned
follow(const struct writer *w, unsigned on, size_t depth, struct pr_str key)
{
	unsigned out = 0;

	for (size_t i = 0; i < WAYS; i++) {
		if ((on >> i & 1) != 0 && ways[i].op == w->f->op->op &&
		    ways[i].keys[depth] != NULL &&
		    pr_json_fold_eq(key, pr_str_of(ways[i].keys[depth])))
			out |= 1u << i;
	}
	return out;
}

static bool
ends(unsigned on, size_t depth)
{
	for (size_t i = 0; i < WAYS; i++) {
		if ((on >> i & 1) != 0 && ways[i].keys[depth + 1] == NULL)
			return true;
	}
	return false;
}

static bool
has_labels(const struct pr_json *v)
{
	return v->type == PR_JSON_OBJECT;
}

/* Ways are three keys long at most. NOLINTNEXTLINE(misc-no-recursion) */
static void
write_on_way(
    struct writer *w, const struct pr_json *v, unsigned on, size_t depth)
{
	unsigned seen = 0;
	bool first = true;

	if (v->type != PR_JSON_OBJECT) {
		pr_json_write(w->b, v, w->text);
		return;
	}
	pr_buf_char(w->b, '{');
	for (uint32_t i = 0; i < v->n; i++) {
		const struct pr_json_member *m = &v->members[i];
		unsigned next = follow(w, on, depth, m->key);

		seen |= next;
		if (!first)
			pr_buf_char(w->b, ',');
		first = false;
		pr_buf_json(w->b, m->key);
		pr_buf_char(w->b, ':');
		if (next == 0)
			pr_json_write(w->b, &m->value, w->text);
		else if (ends(next, depth))
			write_labels(
			    w, has_labels(&m->value) ? &m->value : NULL);
		else
			write_on_way(w, &m->value, next, depth + 1);
	}
	for (size_t i = 0; i < WAYS; i++) {
		if ((on >> i & 1) == 0 || (seen >> i & 1) != 0 ||
		    ways[i].op != w->f->op->op ||
		    ways[i].keys[depth + 1] != NULL)
			continue;
		if (!first)
			pr_buf_char(w->b, ',');
		first = false;
		pr_buf_json(w->b, pr_str_of(ways[i].keys[depth]));
		pr_buf_char(w->b, ':');
		write_labels(w, NULL);
	}
	pr_buf_char(w->b, '}');
}

void
pr_judge_body(struct pr_buf *b, const struct pr_judge_forward *f,
    struct pr_str text, unsigned *set)
{
	struct writer w = {.b = b, .f = f, .text = text};

	if (f->team.n == 0 && f->phase.n == 0)
		pr_json_write(b, f->json, text);
	else
		write_on_way(&w, f->json, (1u << WAYS) - 1, 0);
	*set = w.set;
}

/* labels={"a": "b"} is one JSON object; what is no such was refused. */
void
forward_build_labels(
    struct pr_arena *a, const struct pr_request *rq, struct pr_judge_forward *f)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	const struct pr_str *text = pr_query_get(rq, "labels");
	struct pr_query_pair *pairs =
	    pr_arena_array(a, rq->n_query + 1, sizeof *pairs);
	struct writer w = {.b = &b, .f = f};
	const struct pr_json *old = NULL;
	struct pr_json_fault fault;
	size_t n = 0;

	if (text != NULL && text->n > 0) {
		old = pr_json_read(a, *text, &fault);
		if (old == NULL || old->type != PR_JSON_OBJECT)
			return;
		w.text = *text;
	}
	write_labels(&w, old);
	if (w.set == 0)
		return;
	for (size_t i = 0; i < rq->n_query; i++) {
		if (!pr_str_is(rq->query[i].key, "labels"))
			pairs[n++] = rq->query[i];
	}
	pairs[n++] = (struct pr_query_pair){
	    PR_STR("labels"), pr_arena_str(a, pr_buf_view(&b))};
	f->target = pr_request_requery(a, f->target, pairs, n);
	f->set = w.set;
}
