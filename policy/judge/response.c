/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response stage: what was made goes to the ledger, response rules see
 * the answer.  A plugin can only let an answer pass or replace it by an error
 * (the effect has happened); a rule that cannot see its body denies.
 */
#include <stdio.h>
#include <string.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>

#include "local.h"

/* ---- the ledger ---- */

/* The id in the answer of a create. */
static struct pr_str
made_id(const struct pr_json *answer, enum pr_kind kind)
{
	static const struct {
		enum pr_kind kind;
		const char *field;
	} fields[] = {
	    {PR_KIND_CONTAINER, "Id"},
	    {PR_KIND_NETWORK, "Id"},
	    {PR_KIND_VOLUME, "Name"},
	    {PR_KIND_SERVICE, "ID"},
	    {PR_KIND_SECRET, "ID"},
	    {PR_KIND_CONFIG, "ID"},
	};
	const struct pr_str none = {NULL, 0};

	for (size_t i = 0; i < PR_COUNT(fields); i++) {
		const struct pr_json *v;

		if (fields[i].kind != kind)
			continue;
		v = pr_json_get(answer, pr_str_of(fields[i].field));
		return v != NULL && v->type == PR_JSON_STRING ? v->str : none;
	}
	return none;
}

static void
put(struct pr_judge *j, const struct pending_entry *e, enum pr_kind kind,
    struct pr_str id)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_ledger_entry entry = {.kind = kind,
	    .id = id,
	    .team = pr_str_of(e->team),
	    .phase = pr_str_of(e->phase),
	    .how = PR_LEDGER_REQUEST,
	    .decision = pr_str_of(e->id)};

	if (pr_ledger_put(j->ledger, &entry, &err) < 0)
		pr_log(PR_LOG_ERROR,
		    "%s %.*s is nobody's: the ledger took no entry: %s",
		    pr_kind_name(kind), PR_STRF(id), pr_err_text(err));
}

/*
 * Creating a volume that exists answers 201 with the old one (FACTS E): it
 * was somebody's before, so only what was absent at judgement is entered.
 */
static void
learn(struct pr_judge *j, struct pr_arena *a, const struct pending_entry *e,
    const struct pr_judge_result *result, struct pr_outcome *outcome)
{
	enum pr_kind kind = pr_api_op(e->op)->creates;
	struct pr_json_fault fault;
	const struct pr_json *answer;
	struct pr_str id;

	if (!e->owned || result->status < 200 || result->status > 299 ||
	    !result->body_shown)
		return;
	answer = pr_json_read(a, result->body, &fault);
	if (answer == NULL || answer->type != PR_JSON_OBJECT)
		return;
	id = made_id(answer, kind);
	if (id.n == 0)
		return;
	outcome->resource = id;
	if (kind != PR_KIND_VOLUME || e->unnamed)
		put(j, e, kind, id);
	for (size_t i = 0; i < e->n_volumes; i += strlen(e->volumes + i) + 1)
		put(j, e, PR_KIND_VOLUME, pr_str_of(e->volumes + i));
}

/*
 * What was promised becomes what is there, or nothing.  A success whose id is
 * not shown may be either: events or time end that (semantics 11.5).
 */
static void
end_reservation(struct pr_judge *j, const struct pending_entry *e,
    const struct pr_judge_result *result, struct pr_str made)
{
	bool done = result->status >= 200 && result->status <= 299;

	if (!done)
		usage_release(j->usage, e->reserved);
	else if (made.n > 0 || pr_api_op(e->op)->creates == PR_KIND_NONE)
		usage_done(j->usage, e->reserved, made);
}

/* ---- response rules ---- */

struct reply {
	struct pr_judge *j;
	struct pr_arena *a;
	const struct snapshot *s;
	const struct teams *teams;
	const struct pr_request *rq;
	const struct pr_json *body; /* NULL: not visible */
	char text[200];
};

static bool
excepted(const struct reply *r, const struct pr_response *rule)
{
	for (size_t i = 0; i < rule->n_except; i++) {
		for (size_t t = 0; t < r->teams->n; t++) {
			if (r->teams->v[t] == rule->except[i])
				return true;
		}
	}
	return false;
}

static bool
is_own(const struct reply *r, struct pr_str team)
{
	const struct pr_policy *p = r->s->policy;

	for (size_t t = 0; t < r->teams->n; t++) {
		unsigned i = r->teams->v[t];
		int acting =
		    p->teams[i].acts_for >= 0 ? p->teams[i].acts_for : (int)i;

		if (team.n > 0 && pr_str_eq(p->teams[acting].name, team))
			return true;
	}
	return false;
}

static struct pr_str
text_of(const struct pr_json *object, const char *key)
{
	const struct pr_json *v = pr_json_get(object, pr_str_of(key));

	return v != NULL && v->type == PR_JSON_STRING
	    ? v->str
	    : (struct pr_str){NULL, 0};
}

/* One element of a list: its owner by ledger, else by label. */
static bool
item_is_own(
    const struct reply *r, enum pr_kind kind, const struct pr_json *item)
{
	static const char *const builtin[] = {"bridge", "host", "none"};
	struct pr_ledger_owner owner;
	struct pr_str id, label = r->s->policy->label_team;
	const struct pr_json *labels;

	if (item->type != PR_JSON_OBJECT)
		return false;
	id = text_of(item, kind == PR_KIND_VOLUME ? "Name" : "Id");
	for (size_t i = 0; kind == PR_KIND_NETWORK && i < PR_COUNT(builtin);
	     i++) {
		if (pr_str_is(text_of(item, "Name"), builtin[i]))
			return true;
	}
	if (id.n > 0 &&
	    pr_ledger_get(r->j->ledger, kind, id,
		kind == PR_KIND_VOLUME ? text_of(item, "CreatedAt")
				       : (struct pr_str){NULL, 0},
		&owner))
		return is_own(r, pr_str_of(owner.team));
	labels = pr_json_get(item, PR_STR("Labels"));
	if (label.n == 0 || labels == NULL || labels->type != PR_JSON_OBJECT)
		return false;
	labels = pr_json_get(labels, label);
	return labels != NULL && labels->type == PR_JSON_STRING &&
	    is_own(r, labels->str);
}

static bool
list_is_own(struct reply *r)
{
	const struct pr_json *list = r->body;
	enum pr_kind kind = r->rq->op->resource == PR_RES_CONTAINER
	    ? PR_KIND_CONTAINER
	    : r->rq->op->resource == PR_RES_VOLUME ? PR_KIND_VOLUME
						   : PR_KIND_NETWORK;

	if (kind == PR_KIND_VOLUME && list->type == PR_JSON_OBJECT)
		list = pr_json_get(list, PR_STR("Volumes"));
	if (list == NULL || list->type == PR_JSON_NULL)
		return true;
	if (list->type != PR_JSON_ARRAY)
		return false;
	for (uint32_t i = 0; i < list->n; i++) {
		if (!item_is_own(r, kind, &list->items[i]))
			return false;
	}
	return true;
}

/* One of "*TOKEN*|*SECRET*" is the name. */
static bool
is_named(struct pr_str patterns, struct pr_str name)
{
	while (patterns.p != NULL) {
		if (pr_glob_nocase(pr_str_cut(&patterns, '|'), name, '\0'))
			return true;
	}
	return false;
}

/* A list of "NAME=value", or a map, holds one of the names. */
static bool
holds_named(const struct pr_json *v, struct pr_str patterns)
{
	for (uint32_t i = 0; v->type == PR_JSON_ARRAY && i < v->n; i++) {
		struct pr_str name = v->items[i].str;

		if (v->items[i].type != PR_JSON_STRING ||
		    is_named(patterns, pr_str_cut(&name, '=')))
			return true;
	}
	for (uint32_t i = 0; v->type == PR_JSON_OBJECT && i < v->n; i++) {
		if (is_named(patterns, v->members[i].key))
			return true;
	}
	return v->type < PR_JSON_ARRAY;
}

static bool
is_empty(const struct pr_json *v)
{
	if (v->type == PR_JSON_STRING)
		return v->str.n == 0;
	return v->type >= PR_JSON_ARRAY && v->n == 0;
}

/* "Config.Env[*TOKEN*|*SECRET*]": the path, and patterns on names. */
static bool
object_shows(const struct pr_json *v, struct pr_str path)
{
	struct pr_str patterns = path, dotted = pr_str_cut(&patterns, '[');

	while (dotted.p != NULL && v != NULL) {
		struct pr_str key = pr_str_cut(&dotted, '.');

		/* a list on the way: some element of it may show it */
		if (v->type == PR_JSON_ARRAY && v->n > 0)
			return true;
		v = v->type == PR_JSON_OBJECT ? pr_json_get(v, key) : NULL;
	}
	if (v == NULL || v->type == PR_JSON_NULL)
		return false;
	if (patterns.p == NULL)
		return !is_empty(v);
	if (pr_str_ends(patterns, "]"))
		patterns.n--;
	return holds_named(v, patterns);
}

/* Of an object, or of each element of a list. */
static bool
path_shows(const struct pr_json *v, struct pr_str path)
{
	if (v->type != PR_JSON_ARRAY)
		return object_shows(v, path);
	for (uint32_t i = 0; i < v->n; i++) {
		if (object_shows(&v->items[i], path))
			return true;
	}
	return false;
}

static bool
rule_passes(struct reply *r, const struct pr_response *rule)
{
	if (r->body == NULL) {
		snprintf(r->text, sizeof r->text,
		    "rule %.*s cannot see the answer (too large, or a stream)",
		    PR_STRF(rule->id));
		return false;
	}
	if (rule->keep_own_team && !list_is_own(r)) {
		snprintf(r->text, sizeof r->text,
		    "rule %.*s: the list shows objects of others, and a plugin "
		    "cannot shorten it",
		    PR_STRF(rule->id));
		return false;
	}
	for (size_t i = 0; i < rule->redact.n; i++) {
		if (path_shows(r->body, rule->redact.v[i])) {
			snprintf(r->text, sizeof r->text,
			    "rule %.*s: the answer shows what it hides, and a "
			    "plugin cannot change it",
			    PR_STRF(rule->id));
			return false;
		}
	}
	return true;
}

static bool
rules_pass(struct reply *r, const struct pr_judge_result *result)
{
	const struct pr_policy *p = r->s->policy;
	struct pr_json_fault fault;
	bool read = false;

	for (size_t i = 0; i < p->n_responses; i++) {
		const struct pr_response *rule = &p->responses[i];

		if (!pr_opset_has(&rule->on, r->rq->op->op) ||
		    excepted(r, rule))
			continue;
		if (!read && result->body_shown)
			r->body = pr_json_read(r->a, result->body, &fault);
		read = true;
		if (!rule_passes(r, rule))
			return false;
	}
	return true;
}

static bool
has_rules(const struct snapshot *s, enum pr_op op)
{
	for (size_t i = 0; i < s->policy->n_responses; i++) {
		if (pr_opset_has(&s->policy->responses[i].on, op))
			return true;
	}
	return false;
}

/* ---- the stage ---- */

static void
refuse(struct pr_judgement *out, struct pr_outcome *outcome, const char *text)
{
	snprintf(out->message, sizeof out->message,
	    "the answer is withheld: %.150s; what was asked has been done. "
	    "decision %s",
	    text, out->id);
	outcome->note = PR_STR("denied-by-response-rule");
}

static enum pr_judge_answer
judge_rules(struct pr_judge *j, struct pr_arena *a, struct snapshot *s,
    const struct pr_judge_call *call, const struct pr_request *rq,
    const struct pr_judge_result *result, bool may_wait,
    struct pr_judgement *out, struct pr_outcome *outcome)
{
	struct reply r = {.j = j, .a = a, .s = s, .rq = rq};
	struct pr_judgement_held *held = out->held;
	struct pr_identity_why why;
	enum pr_reason reason;

	pr_subject_unref(held->subject); /* of an earlier attempt */
	teams_unref(held->teams);
	held->subject = NULL;
	held->teams = NULL;
	if (pr_identity_find(
		j->identities, &call->caller, &held->subject, &why) < 0) {
		refuse(out, outcome, why.text);
		return PR_JUDGED;
	}
	held->teams = judge_teams(j, s, held->subject, may_wait, false,
	    call->deadline, &reason, r.text, sizeof r.text);
	if (held->teams == NULL && reason == PR_REASON_NONE)
		return PR_JUDGE_WOULD_WAIT;
	r.teams = held->teams;
	if (held->teams == NULL || !rules_pass(&r, result))
		refuse(out, outcome, r.text);
	else
		out->verdict = PR_ALLOW;
	return PR_JUDGED;
}

/* What the request does: as it was read when it was judged, or read now. */
static int
find_op(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, const struct pending_key *key,
    struct pr_request *rq, char id[PR_UUID_LEN], struct pr_refusal *why)
{
	enum pr_op op;

	if (!pending_op(j->pending, key, &op, id)) {
		if (id[0] == '\0') /* nobody judged it: a name for itself */
			pr_uuid7(pr_clock_wall(), id);
		return pr_request_read(a, &call->call, rq, why);
	}
	rq->op = pr_api_op(op);
	return 0;
}

static enum pr_judge_answer
judge_reply(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, const struct pending_key *key,
    const struct pr_judge_result *result, bool may_wait, bool appeared,
    struct pr_judgement *out, struct pr_outcome *outcome)
{
	struct snapshot *s = out->held->snapshot;
	struct pr_request rq = {.op = pr_api_op(PR_OP_UNKNOWN)};
	struct pr_refusal why = {0};

	if (find_op(j, a, call, key, &rq, out->id, &why) < 0) {
		refuse(out, outcome, why.text);
		return PR_JUDGED;
	}
	outcome->action = pr_str_of(rq.op->action);
	if (appeared) {
		refuse(out, outcome,
		    "the object was not there when the request was judged");
		return PR_JUDGED;
	}
	/* the proxy has shown its caller what is left of it: pr_judge_view */
	if (j->door == PR_DOOR_PROXY || call->forwarded ||
	    !has_rules(s, rq.op->op)) {
		out->verdict = PR_ALLOW;
		return PR_JUDGED;
	}
	return judge_rules(j, a, s, call, &rq, result, may_wait, out, outcome);
}

enum pr_judge_answer
pr_judge_response(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, const struct pr_judge_result *result,
    bool may_wait, struct pr_judgement *out, struct pr_outcome *outcome)
{
	struct pending_entry e = {.since = 0};
	struct pending_key key;
	enum pr_judge_answer answer;
	bool known, appeared;
	uint64_t now = pr_clock_now(), handle;

	*out = (struct pr_judgement){0};
	*outcome = (struct pr_outcome){.time = pr_clock_wall()};
	out->held = pr_arena_alloc(a, sizeof *out->held);
	out->held->judge = j;
	out->held->snapshot = judge_snapshot(j);
	pending_key(call, &key);
	/* rules that need the directory may have to wait: the entry is taken
	 * out only when the stage can be finished */
	appeared = false;
	if (!may_wait) {
		answer = judge_reply(
		    j, a, call, &key, result, false, false, out, outcome);
		if (answer == PR_JUDGE_WOULD_WAIT) {
			pr_judgement_end(out);
			*out = (struct pr_judgement){0};
			return answer;
		}
	}
	known = pending_end(j->pending, &key, &e, &handle);
	if (known) {
		memcpy(out->id, e.id, sizeof out->id);
		outcome->duration_us = (now - e.since) / 1000;
		learn(j, a, &e, result, outcome);
		end_reservation(j, &e, result, outcome->resource);
		end_changes(j, &e);
		pending_entry_fini(&e);
		pending_release(j->pending, handle);
		appeared =
		    e.absent && result->status >= 200 && result->status < 300;
	}
	if (may_wait || appeared) {
		out->verdict = PR_DENY;
		judge_reply(
		    j, a, call, &key, result, may_wait, appeared, out, outcome);
	}
	outcome->id = known ? pr_str_of(out->id) : (struct pr_str){NULL, 0};
	outcome->correlation = outcome->id;
	outcome->status = result->status;
	outcome->has_bytes = result->body_shown;
	outcome->bytes = result->body.n;
	return PR_JUDGED;
}
