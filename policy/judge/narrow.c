/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request on many objects, narrowed before the daemon has it: a prune gets
 * label filters of its caller's team; a list that would end after N gets its
 * end when the others are out of it.
 */
#include <stdio.h>
#include <string.h>

#include "local.h"

struct narrowing {
	struct pr_judge *j;
	struct pr_arena *a;
	const struct pr_question *q;
	const struct pr_request *rq;
	struct pr_judge_forward *f;
	struct pr_str team, phase; /* labels of what may be removed */
	char *why;
	size_t len;
};

static int
refuse(struct narrowing *n, const char *text)
{
	snprintf(n->why, n->len, "%s", text);
	return -1;
}

/* ---- queries ---- */

static struct pr_query_pair *
copy_query(struct narrowing *n, const char *without, size_t *count)
{
	struct pr_query_pair *pairs =
	    pr_arena_array(n->a, n->rq->n_query + 1, sizeof *pairs);

	*count = 0;
	for (size_t i = 0; i < n->rq->n_query; i++) {
		if (!pr_str_is(n->rq->query[i].key, without))
			pairs[(*count)++] = n->rq->query[i];
	}
	return pairs;
}

static void
set_query(struct narrowing *n, const char *key, struct pr_str value)
{
	size_t count;
	struct pr_query_pair *pairs = copy_query(n, key, &count);

	pairs[count++] = (struct pr_query_pair){pr_str_of(key), value};
	n->f->target = pr_request_requery(n->a, n->f->target, pairs, count);
}

/* limit=N means the last N of everybody's: the caller's own are counted. */
static int
narrow_list(struct narrowing *n)
{
	const struct pr_str *limit = pr_query_get(n->rq, "limit");
	struct pr_query_pair *pairs;
	uint64_t most;
	size_t count;
	bool all = false;

	if (limit == NULL || !pr_str_u64(*limit, &most) || most == 0)
		return 1;
	n->f->limit = most < UINT32_MAX ? (unsigned)most : UINT32_MAX;
	pairs = copy_query(n, "limit", &count);
	for (size_t i = 0; i < count; i++) {
		if (!pr_str_is(pairs[i].key, "all"))
			continue;
		pairs[i].value = PR_STR("1");
		all = true;
	}
	if (!all) /* a limit takes those that do not run, too */
		pairs[count++] =
		    (struct pr_query_pair){PR_STR("all"), PR_STR("1")};
	n->f->target = pr_request_requery(n->a, n->f->target, pairs, count);
	return 1;
}

/* ---- prunes ---- */

static bool
keeps(const struct narrowing *n, unsigned team, int phase)
{
	const struct pr_policy *p = n->q->policy;

	return pr_decide_keeps(n->a, n->q, p->teams[team].name,
	    phase >= 0 ? p->phases[phase].name : (struct pr_str){NULL, 0});
}

/* Phases of the host in which the team's objects may be removed. */
static pr_phase_mask
phases_of(const struct narrowing *n, unsigned team)
{
	pr_phase_mask out = 0;

	for (unsigned i = 0; i < n->q->policy->n_phases; i++) {
		if ((n->q->served >> i & 1) != 0 && keeps(n, team, (int)i))
			out |= (pr_phase_mask)1 << i;
	}
	return out;
}

/* The only team that it can be about, or the one that was named. */
static int
choose_team(struct narrowing *n)
{
	const struct pr_policy *p = n->q->policy;
	int found = -1;

	if (p->label_team.n == 0)
		return refuse(n,
		    "the policy names no label for teams, so that this cannot "
		    "be narrowed to your objects; it needs owner: any");
	for (unsigned t = 0; t < p->n_teams; t++) {
		if (phases_of(n, t) == 0 ||
		    (n->q->wanted_team.n > 0 &&
			!pr_str_eq(n->q->wanted_team, p->teams[t].name)))
			continue;
		if (found >= 0)
			return refuse(n,
			    "this could be about the objects of several of "
			    "your teams; name one by X-Portreeve-Team");
		found = (int)t;
	}
	return found >= 0 ? found
			  : refuse(n, "no team's objects are yours to remove");
}

static int
choose_labels(struct narrowing *n)
{
	const struct pr_policy *p = n->q->policy;
	int team = choose_team(n);
	pr_phase_mask phases;

	if (team < 0)
		return -1;
	n->team = p->teams[team].name;
	phases = phases_of(n, (unsigned)team);
	if (phases == (n->q->host != 0 ? n->q->host : n->q->served))
		return 1;
	if (p->label_phase.n == 0 || (phases & (phases - 1)) != 0)
		return refuse(n,
		    "your objects of some phases are not yours to remove, and "
		    "a prune knows one phase or all");
	n->phase = p->phases[__builtin_ctzll(phases)].name;
	return 1;
}

static void
put_label(struct pr_buf *b, struct pr_str key, struct pr_str value, bool *first)
{
	struct pr_buf pair = PR_BUF_INIT;

	if (value.n == 0)
		return;
	if (!*first)
		pr_buf_char(b, ',');
	*first = false;
	pr_buf_str(&pair, key);
	pr_buf_char(&pair, '=');
	pr_buf_str(&pair, value);
	pr_buf_json(b, pr_buf_view(&pair));
	pr_buf_cstr(b, ":true");
	pr_buf_fini(&pair);
}

/* {"a": ["x"]} and {"a": {"x": true}} are the same to the daemon. */
static int
put_values(struct narrowing *n, struct pr_buf *b, const struct pr_json *values,
    bool *first)
{
	for (uint32_t i = 0; i < values->n; i++) {
		const struct pr_json *item =
		    values->type == PR_JSON_ARRAY ? &values->items[i] : NULL;

		if (item != NULL && item->type != PR_JSON_STRING)
			return refuse(n, "filters hold what is no text");
		if (!*first)
			pr_buf_char(b, ',');
		*first = false;
		pr_buf_json(
		    b, item != NULL ? item->str : values->members[i].key);
		pr_buf_cstr(b, ":true");
	}
	return 0;
}

static int
put_filters(struct narrowing *n, struct pr_buf *b, const struct pr_json *old)
{
	const struct pr_policy *p = n->q->policy;
	const struct pr_json *labels = NULL;
	bool first = true;

	pr_buf_char(b, '{');
	for (uint32_t i = 0; old != NULL && i < old->n; i++) {
		const struct pr_json_member *m = &old->members[i];
		bool none = true;

		if (m->value.type < PR_JSON_ARRAY)
			return refuse(n, "filters hold what is no list");
		if (pr_str_is(m->key, "label")) {
			labels = &m->value;
			continue;
		}
		pr_buf_json(b, m->key);
		pr_buf_cstr(b, ":{");
		if (put_values(n, b, &m->value, &none) < 0)
			return -1;
		pr_buf_cstr(b, "},");
	}
	pr_buf_cstr(b, "\"label\":{");
	if (labels != NULL && put_values(n, b, labels, &first) < 0)
		return -1;
	put_label(b, p->label_team, n->team, &first);
	put_label(b, p->label_phase, n->phase, &first);
	pr_buf_cstr(b, "}}");
	return 0;
}

static int
inject(struct narrowing *n)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	const struct pr_str *text = pr_query_get(n->rq, "filters");
	const struct pr_json *old = NULL;
	struct pr_json_fault fault;

	if (text != NULL && text->n > 0) {
		old = pr_json_read(n->a, *text, &fault);
		if (old == NULL || old->type != PR_JSON_OBJECT)
			return refuse(n, "the query key filters is no object");
	}
	if (put_filters(n, &b, old) < 0)
		return -1;
	set_query(n, "filters", pr_arena_str(n->a, pr_buf_view(&b)));
	return 1;
}

/*
 * An image may bring labels along: a container that bears the team's label and
 * is another's by the ledger would go, too.
 */
static int
check_containers(struct narrowing *n, uint64_t deadline, bool may_wait)
{
	const char *why;
	struct pr_list_ref *list;
	const struct pr_listed *items;
	size_t count;
	int rc = 1;

	if (!may_wait)
		return 0;
	list = pr_inventory_list_containers(n->j->inventory, deadline, &why);
	if (list == NULL)
		return refuse(n, why);
	items = pr_list_items(list, &count);
	for (size_t i = 0; i < count && rc == 1; i++) {
		const struct pr_json *label = items[i].labels != NULL
		    ? pr_json_get(items[i].labels, n->q->policy->label_team)
		    : NULL;

		if (label == NULL || label->type != PR_JSON_STRING ||
		    !pr_str_eq(label->str, n->team) || !items[i].in_ledger ||
		    pr_str_is(n->team, items[i].owner.team))
			continue;
		rc = refuse(
		    n, "a container bears your team's label and is another's");
	}
	pr_list_unref(list);
	return rc;
}

int
narrow_request(struct pr_judge *j, struct pr_arena *a,
    const struct pr_question *q, const struct pr_request *rq, uint64_t deadline,
    bool may_wait, struct pr_judge_forward *f, char *why, size_t len)
{
	struct narrowing n = {
	    .j = j, .a = a, .q = q, .rq = rq, .f = f, .why = why, .len = len};
	int rc;

	switch (rq->op->op) {
	case PR_OP_CONTAINER_LIST:
		return narrow_list(&n);
	case PR_OP_CONTAINER_PRUNE:
		rc = choose_labels(&n);
		if (rc > 0)
			rc = check_containers(&n, deadline, may_wait);
		return rc > 0 ? inject(&n) : rc;
	case PR_OP_VOLUME_PRUNE:
	case PR_OP_NETWORK_PRUNE:
		rc = choose_labels(&n);
		return rc > 0 ? inject(&n) : rc;
	default:
		return 1;
	}
}
