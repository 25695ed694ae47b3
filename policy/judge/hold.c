/* SPDX-License-Identifier: Apache-2.0 */
/* What an allow holds between its two stages (docs/semantics.md 6.3, 11.5). */
#include <string.h>

#include <portreeve/clock.h>

#include "work.h"

uint64_t
work_wait_until(const struct pr_judge_call *call)
{
	uint64_t margin = (call->deadline - call->received) / 8;

	return call->deadline > call->received ? call->deadline - margin
					       : call->deadline;
}

/* ---- what an allow holds ---- */

static void
remember_volumes(const struct work *w, struct pending_entry *e)
{
	struct pr_buf b = PR_BUF_INIT;

	for (size_t i = 0; w->spec != NULL && i < w->spec->n_refs; i++) {
		const struct pr_ref *r = &w->spec->refs[i];

		if (r->role != PR_REF_VOLUME || r->object == NULL ||
		    r->object->presence != PR_ABSENT)
			continue;
		pr_buf_str(&b, r->name);
		pr_buf_char(&b, '\0');
	}
	e->volumes = b.p;
	e->n_volumes = b.n;
}

static bool
names_volume(const struct pr_spec *spec)
{
	/* what cannot be read may name one */
	if (spec == NULL || spec->body != PR_SPEC_VOLUME)
		return true;
	for (size_t i = 0; i < spec->n_refs; i++) {
		if (spec->refs[i].role == PR_REF_VOLUME)
			return true;
	}
	return false;
}

static void
copy_name(char to[PR_LEDGER_NAME + 1], struct pr_str s)
{
	size_t n = s.n <= PR_LEDGER_NAME ? s.n : 0;

	if (n > 0)
		memcpy(to, s.p, n);
	to[n] = '\0';
}

/* What the request changes once it is let through. */
static enum pr_kind
changes(const struct pr_request *rq)
{
	if (rq->op->risk == PR_RISK_READ)
		return PR_KIND_NONE;
	switch (rq->op->op) {
	case PR_OP_CONTAINER_EXEC:
	case PR_OP_CONTAINER_EXEC_START:
	case PR_OP_CONTAINER_EXEC_RESIZE:
	case PR_OP_CONTAINER_RESIZE:
	case PR_OP_CONTAINER_ATTACH:
	case PR_OP_CONTAINER_ATTACH_WS:
	case PR_OP_CONTAINER_WAIT:
		return PR_KIND_NONE; /* neither names nor specs */
	case PR_OP_CONTAINER_COMMIT:
		return PR_KIND_IMAGE;
	default:
		break;
	}
	switch (rq->op->resource) {
	case PR_RES_CONTAINER:
		return PR_KIND_CONTAINER;
	case PR_RES_IMAGE:
	case PR_RES_BUILD:
		return PR_KIND_IMAGE;
	case PR_RES_NETWORK:
		return PR_KIND_NETWORK;
	case PR_RES_VOLUME:
		return PR_KIND_VOLUME;
	case PR_RES_SERVICE:
		return PR_KIND_SERVICE;
	case PR_RES_SECRET:
		return PR_KIND_SECRET;
	case PR_RES_CONFIG:
		return PR_KIND_CONFIG;
	default:
		return PR_KIND_NONE;
	}
}

/* And what besides: volumes come and go with containers. */
static enum pr_kind
changes_too(const struct pr_request *rq, const struct pending_entry *e)
{
	switch (rq->op->op) {
	case PR_OP_CONTAINER_CREATE:
		return e->n_volumes > 0 ? PR_KIND_VOLUME : PR_KIND_NONE;
	case PR_OP_CONTAINER_REMOVE:
	case PR_OP_CONTAINER_PRUNE:
		return PR_KIND_VOLUME;
	case PR_OP_NETWORK_CONNECT:
	case PR_OP_NETWORK_DISCONNECT:
	case PR_OP_NETWORK_REMOVE:
		return PR_KIND_CONTAINER;
	default:
		return PR_KIND_NONE;
	}
}

static void
begin_changes(
    struct pr_judge *j, const enum pr_kind kinds[2], struct pending_entry *e)
{
	for (size_t i = 0; i < 2; i++) {
		if (kinds[i] != PR_KIND_NONE)
			e->token[i] = e->owned ? pr_inventory_naming_begin(
						     j->inventory, kinds[i], 0)
					       : pr_inventory_mutating_begin(
						     j->inventory, kinds[i], 0);
	}
}

void
end_changes(struct pr_judge *j, const struct pending_entry *e)
{
	for (size_t i = 0; i < PR_COUNT(e->token); i++) {
		if (e->token[i] != 0)
			pr_inventory_mutating_end(j->inventory, e->token[i]);
	}
}

bool
work_target_absent(const struct work *w)
{
	return w->facts.n_refs > 0 && w->facts.refs[0].role == PR_REF_TARGET &&
	    w->facts.refs[0].object != NULL &&
	    w->facts.refs[0].object->presence == PR_ABSENT;
}

void
work_let_go(struct work *w)
{
	usage_release(w->j->usage, w->reserved);
	w->reserved = 0;
}

/*
 * Updates of one container are judged one after the other: what each leaves
 * is what the next one begins with (semantics 10.6).  The turn is a name that
 * nothing can have, given by each of them.
 */
static const struct pr_ref *
with_turn(const struct work *w, size_t *n_refs)
{
	const struct pr_object *o = NULL;
	struct pr_ref *refs;

	if (w->rq.op->op != PR_OP_CONTAINER_UPDATE || *n_refs == 0)
		return w->facts.refs;
	o = w->facts.refs[0].object;
	if (o == NULL || o->presence != PR_PRESENT)
		return w->facts.refs;
	refs = pr_arena_array(w->a, *n_refs + 1, sizeof *refs);
	memcpy(refs, w->facts.refs, *n_refs * sizeof *refs);
	refs[(*n_refs)++] = (struct pr_ref){.kind = PR_KIND_CONTAINER,
	    .role = PR_REF_NEW_NAME,
	    .name = pr_str_of(
		pr_arena_printf(w->a, "update %.*s", PR_STRF(o->id)))};
	return refs;
}

/* As pending_add; n_refs of the references keep their names. */
int
work_hold(struct work *w, size_t n_refs)
{
	const struct pr_policy *p = w->q.policy;
	struct pending_entry e = {.since = pr_clock_now(),
	    .op = w->rq.op->op,
	    .absent = work_target_absent(w)};
	const struct pr_ref *refs;
	enum pr_kind kinds[2];
	int rc;

	e.reserved = w->reserved;
	memcpy(e.id, w->out->id, sizeof e.id);
	pending_key(w->call, &e.key);
	if (w->rq.op->creates != PR_KIND_NONE &&
	    w->rq.op->scope == PR_SCOPE_OWNED) {
		e.owned = true;
		if (w->d.owner_team >= 0)
			copy_name(e.team, p->teams[w->d.owner_team].name);
		if (w->d.owner_phase >= 0)
			copy_name(e.phase, p->phases[w->d.owner_phase].name);
		remember_volumes(w, &e);
		e.unnamed = w->rq.op->creates == PR_KIND_VOLUME &&
		    !names_volume(w->spec);
	}
	kinds[0] = changes(&w->rq);
	kinds[1] = changes_too(&w->rq, &e);
	begin_changes(w->j, kinds, &e);
	refs = with_turn(w, &n_refs);
	rc = pending_add(w->j->pending, &e, refs, n_refs, w->since, w->may_wait,
	    work_wait_until(w->call), &w->out->turn, &w->held->pending);
	if (rc == 0)
		w->held->holds = true;
	else
		end_changes(w->j, &e);
	if (rc != 0) {
		pending_entry_fini(&e);
		work_let_go(w);
	}
	return rc;
}

/*
 * Some other request is giving, or has just given, a name of this one to
 * something: what this one would be denied for may not be so any more.
 */
int
work_unsettled(struct work *w)
{
	switch (w->d.reason) {
	case PR_REASON_OWNER:
	case PR_REASON_PHASE:
	case PR_REASON_PHASE_MISMATCH:
	case PR_REASON_NO_SUCH_OBJECT:
	case PR_REASON_CANNOT_TELL:
		return pending_unsettled(w->j->pending, w->facts.refs,
		    w->facts.n_refs, w->since, w->may_wait, w->call->deadline);
	default:
		return 0;
	}
}
