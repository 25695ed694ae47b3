/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's answer as the caller may see it, in the proxy: lists without
 * the objects of others, inspects without what response rules hide.  What is
 * not of a known shape is withheld, never shown as it is.
 */
#include "view.h"

#include <stdio.h>
#include <string.h>

#include <portreeve/image.h>

#include "local.h"

#define CUTS      64 /* paths of redaction that concern one answer */
#define CUT_DEPTH 12

/* "Config.Env[*TOKEN*]": keys, and patterns on names. */
struct cut {
	struct pr_str keys[CUT_DEPTH];
	size_t n;
	struct pr_str patterns; /* p == NULL: all of it */
};

struct view {
	struct pr_judge *j;
	struct pr_arena *a;
	const struct pr_judge_call *call;
	const struct pr_judgement_held *held;
	const struct pr_judge_forward *f;
	struct pr_question q;
	bool may_wait, would_wait;
	bool keep_own; /* a response rule says so */
	struct cut cuts[CUTS];
	size_t n_cuts;
	struct pr_str text; /* of the answer */
	struct pr_buf *out;
	int64_t left; /* elements that may be shown yet; -1: all */
	const char *why;
};

static const char hidden[] = "<redacted>";

/* ---- whose ---- */

struct owner {
	struct pr_str team, phase;
	char buf[2][PR_LEDGER_NAME + 1];
	bool everybody; /* has no owner: bridge, host, none */
};

static const struct pr_json *
member(const struct pr_json *object, const char *key)
{
	return object != NULL && object->type == PR_JSON_OBJECT
	    ? pr_json_get(object, pr_str_of(key))
	    : NULL;
}

static struct pr_str
text_of(const struct pr_json *object, const char *key)
{
	const struct pr_json *v = member(object, key);

	return v != NULL && v->type == PR_JSON_STRING
	    ? v->str
	    : (struct pr_str){NULL, 0};
}

static struct pr_str
label_of(const struct pr_json *labels, struct pr_str key)
{
	const struct pr_json *v = NULL;

	if (key.n > 0 && labels != NULL && labels->type == PR_JSON_OBJECT)
		v = pr_json_get(labels, key);
	return v != NULL && v->type == PR_JSON_STRING
	    ? v->str
	    : (struct pr_str){NULL, 0};
}

static bool
is_builtin(struct pr_str name)
{
	return pr_str_is(name, "bridge") || pr_str_is(name, "host") ||
	    pr_str_is(name, "none");
}

static const struct pr_json *
labels_of(enum pr_kind kind, const struct pr_json *item)
{
	const struct pr_json *spec = member(item, "Spec");

	switch (kind) {
	case PR_KIND_SERVICE:
	case PR_KIND_SECRET:
	case PR_KIND_CONFIG:
		return member(spec, "Labels");
	case PR_KIND_TASK:
		return member(member(spec, "ContainerSpec"), "Labels");
	default:
		return member(item, "Labels");
	}
}

/* The ledger knows volumes by a mark that only the inventory can read. */
static void
volume_owner(struct view *v, struct pr_str name, struct owner *to)
{
	const struct pr_policy *p = v->held->snapshot->policy;
	struct pr_object_ref *r =
	    pr_inventory_peek(v->j->inventory, PR_KIND_VOLUME, name);
	const struct pr_object *o;

	if (r == NULL && v->may_wait)
		r = pr_inventory_get(
		    v->j->inventory, PR_KIND_VOLUME, name, v->call->deadline);
	v->would_wait = v->would_wait || r == NULL;
	if (r == NULL)
		return;
	o = pr_object_of(r);
	if (o->presence == PR_PRESENT) {
		to->team = pr_arena_str(v->a,
		    o->in_ledger ? o->ledger_team
				 : label_of(o->labels, p->label_team));
		to->phase = pr_arena_str(v->a,
		    o->in_ledger ? o->ledger_phase
				 : label_of(o->labels, p->label_phase));
	}
	pr_object_unref(r);
}

static void
find_owner(struct view *v, enum pr_kind kind, struct pr_str id,
    const struct pr_json *labels, struct owner *to)
{
	const struct pr_policy *p = v->held->snapshot->policy;
	struct pr_ledger_owner owner;

	if (kind == PR_KIND_VOLUME) {
		volume_owner(v, id, to);
	} else if (id.n > 0 &&
	    pr_ledger_get(v->j->ledger,
		kind == PR_KIND_TASK ? PR_KIND_SERVICE : kind, id,
		(struct pr_str){NULL, 0}, &owner)) {
		snprintf(to->buf[0], sizeof to->buf[0], "%s", owner.team);
		snprintf(to->buf[1], sizeof to->buf[1], "%s", owner.phase);
		to->team = pr_str_of(to->buf[0]);
		to->phase = pr_str_of(to->buf[1]);
	} else {
		to->team = label_of(labels, p->label_team);
		to->phase = label_of(labels, p->label_phase);
	}
}

static bool
is_own(const struct view *v, struct pr_str team)
{
	const struct pr_policy *p = v->held->snapshot->policy;
	const struct teams *t = v->held->teams;

	for (size_t i = 0; team.n > 0 && i < t->n; i++) {
		int acts = p->teams[t->v[i]].acts_for;

		if (pr_str_eq(
			p->teams[acts >= 0 ? acts : (int)t->v[i]].name, team))
			return true;
	}
	return false;
}

static bool
may_see(struct view *v, const struct owner *o)
{
	if (o->everybody)
		return true;
	if (v->f->narrow && !pr_decide_keeps(v->a, &v->q, o->team, o->phase))
		return false;
	return !v->keep_own || is_own(v, o->team);
}

/* Some name of it is one that image rules speak of. */
static bool
names_shown(struct view *v, const struct pr_json *names)
{
	for (uint32_t i = 0;
	     names != NULL && names->type == PR_JSON_ARRAY && i < names->n;
	     i++) {
		struct pr_image image = {.form = PR_IMAGE_INVALID};

		if (names->items[i].type == PR_JSON_STRING)
			image = pr_image_read(v->a, names->items[i].str);
		if (image.form != PR_IMAGE_INVALID &&
		    image.form != PR_IMAGE_ID &&
		    pr_decide_shows_image(v->a, &v->q, &image))
			return true;
	}
	return false;
}

static bool
image_is_shown(struct view *v, const struct pr_json *item)
{
	if (v->keep_own) {
		v->why = "images are nobody's own";
		return false;
	}
	return !v->f->images || names_shown(v, member(item, "RepoTags")) ||
	    names_shown(v, member(item, "RepoDigests"));
}

/* One element of a list. */
static bool
item_is_shown(struct view *v, enum pr_kind kind, const struct pr_json *item)
{
	struct owner o = {.everybody = false};
	struct pr_str id;

	if (item->type != PR_JSON_OBJECT)
		return false;
	if (kind == PR_KIND_IMAGE)
		return image_is_shown(v, item);
	id = text_of(item,
	    kind == PR_KIND_VOLUME     ? "Name"
		: kind == PR_KIND_TASK ? "ServiceID"
		: kind == PR_KIND_CONTAINER || kind == PR_KIND_NETWORK ? "Id"
								       : "ID");
	o.everybody =
	    kind == PR_KIND_NETWORK && is_builtin(text_of(item, "Name"));
	if (!o.everybody)
		find_owner(v, kind, id, labels_of(kind, item), &o);
	return may_see(v, &o);
}

/* ---- redaction ---- */

static bool
is_named(struct pr_str patterns, struct pr_str name)
{
	while (patterns.p != NULL) {
		if (pr_glob_nocase(pr_str_cut(&patterns, '|'), name, '\0'))
			return true;
	}
	return false;
}

/* Does one of the cuts that end here hide this name? */
static bool
is_cut(const struct view *v, uint64_t ends, struct pr_str name)
{
	for (size_t i = 0; i < v->n_cuts; i++) {
		if ((ends >> i & 1) != 0 &&
		    (v->cuts[i].patterns.p == NULL ||
			is_named(v->cuts[i].patterns, name)))
			return true;
	}
	return false;
}

static bool
cuts_all(const struct view *v, uint64_t ends)
{
	for (size_t i = 0; i < v->n_cuts; i++) {
		if ((ends >> i & 1) != 0 && v->cuts[i].patterns.p == NULL)
			return true;
	}
	return false;
}

static void
put_hidden(struct view *v, struct pr_str before)
{
	struct pr_buf b = PR_BUF_INIT;

	pr_buf_str(&b, before);
	pr_buf_cstr(&b, hidden);
	pr_buf_json(v->out, pr_buf_view(&b));
	pr_buf_fini(&b);
}

/* "NAME=value": the name stays. */
static void
put_cut_item(struct view *v, const struct pr_json *item, uint64_t ends)
{
	struct pr_str rest, name;

	if (item->type != PR_JSON_STRING) {
		put_hidden(v, (struct pr_str){NULL, 0});
		return;
	}
	rest = item->str;
	name = pr_str_cut(&rest, '=');
	if (!is_cut(v, ends, name))
		pr_json_write(v->out, item, v->text);
	else if (rest.p == NULL)
		put_hidden(v, (struct pr_str){NULL, 0});
	else
		put_hidden(v, pr_str_sub(item->str, 0, name.n + 1));
}

/* A value that cuts end at. */
static void
put_cut(struct view *v, const struct pr_json *value, uint64_t ends)
{
	bool all = cuts_all(v, ends);

	switch (value->type) {
	case PR_JSON_NULL:
		pr_buf_cstr(v->out, "null");
		break;
	case PR_JSON_ARRAY:
		pr_buf_char(v->out, '[');
		for (uint32_t i = 0; !all && i < value->n; i++) {
			if (i > 0)
				pr_buf_char(v->out, ',');
			put_cut_item(v, &value->items[i], ends);
		}
		pr_buf_char(v->out, ']');
		break;
	case PR_JSON_OBJECT:
		pr_buf_char(v->out, '{');
		for (uint32_t i = 0; !all && i < value->n; i++) {
			const struct pr_json_member *m = &value->members[i];

			if (i > 0)
				pr_buf_char(v->out, ',');
			pr_buf_json(v->out, m->key);
			pr_buf_char(v->out, ':');
			if (is_cut(v, ends, m->key))
				put_hidden(v, (struct pr_str){NULL, 0});
			else
				pr_json_write(v->out, &m->value, v->text);
		}
		pr_buf_char(v->out, '}');
		break;
	case PR_JSON_STRING:
		put_hidden(v, (struct pr_str){NULL, 0});
		break;
	default:
		pr_buf_cstr(v->out, "null");
		break;
	}
}

/*
 * Writes a value without what the cuts in `on` hide, of which `depth` keys
 * were passed.  Recursion ends with the document: PR_CAP_JSON_DEPTH.
 */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void
put_value(
    struct view *v, const struct pr_json *value, uint64_t on, size_t depth)
{
	if (on == 0 || value->type < PR_JSON_ARRAY) {
		pr_json_write(v->out, value, v->text);
		return;
	}
	pr_buf_char(v->out, value->type == PR_JSON_ARRAY ? '[' : '{');
	for (uint32_t i = 0; i < value->n; i++) {
		const struct pr_json_member *m;
		uint64_t next = 0, ends = 0;

		if (i > 0)
			pr_buf_char(v->out, ',');
		if (value->type == PR_JSON_ARRAY) {
			put_value(v, &value->items[i], on, depth);
			continue;
		}
		m = &value->members[i];
		for (size_t c = 0; c < v->n_cuts; c++) {
			if ((on >> c & 1) == 0 ||
			    !pr_str_eq(v->cuts[c].keys[depth], m->key))
				continue;
			if (v->cuts[c].n == depth + 1)
				ends |= UINT64_C(1) << c;
			else
				next |= UINT64_C(1) << c;
		}
		pr_buf_json(v->out, m->key);
		pr_buf_char(v->out, ':');
		if (ends == 0)
			put_value(v, &m->value, next, depth + 1);
		else if (next == 0)
			put_cut(v, &m->value, ends);
		else /* one path goes on where another ends: all of it */
			put_hidden(v, (struct pr_str){NULL, 0});
	}
	pr_buf_char(v->out, value->type == PR_JSON_ARRAY ? ']' : '}');
}

static uint64_t
all_cuts(const struct view *v)
{
	return v->n_cuts == CUTS ? UINT64_MAX : (UINT64_C(1) << v->n_cuts) - 1;
}

/* ---- lists ---- */

/* Which members of an answer are lists of what. */
struct shape {
	enum pr_op op;
	const char *list;  /* NULL: the answer itself is the list */
	enum pr_kind kind; /* NONE: of nobody's: shown as it is */
	bool none;         /* what is in it cannot be told: emptied */
};

static const struct shape shapes[] = {
    {PR_OP_IMAGE_LIST, NULL, PR_KIND_IMAGE, false},
    {PR_OP_CONTAINER_LIST, NULL, PR_KIND_CONTAINER, false},
    {PR_OP_VOLUME_LIST, "Volumes", PR_KIND_VOLUME, false},
    {PR_OP_VOLUME_LIST, "Warnings", PR_KIND_NONE, false},
    {PR_OP_NETWORK_LIST, NULL, PR_KIND_NETWORK, false},
    {PR_OP_NETWORK_LIST_SLASH, NULL, PR_KIND_NETWORK, false},
    {PR_OP_SERVICE_LIST, NULL, PR_KIND_SERVICE, false},
    {PR_OP_TASK_LIST, NULL, PR_KIND_TASK, false},
    {PR_OP_SECRET_LIST, NULL, PR_KIND_SECRET, false},
    {PR_OP_CONFIG_LIST, NULL, PR_KIND_CONFIG, false},
    {PR_OP_SYSTEM_DF, "Containers", PR_KIND_CONTAINER, false},
    {PR_OP_SYSTEM_DF, "Volumes", PR_KIND_VOLUME, false},
    {PR_OP_SYSTEM_DF, "Images", PR_KIND_IMAGE, false},
    {PR_OP_SYSTEM_DF, "LayersSize", PR_KIND_NONE, false},
    {PR_OP_SYSTEM_DF, "BuilderSize", PR_KIND_NONE, false},
    {PR_OP_SYSTEM_DF, "BuildCache", PR_KIND_NONE, true},
    /* what was removed was the caller's: the request was narrowed */
    {PR_OP_CONTAINER_PRUNE, "ContainersDeleted", PR_KIND_NONE, false},
    {PR_OP_CONTAINER_PRUNE, "SpaceReclaimed", PR_KIND_NONE, false},
    {PR_OP_VOLUME_PRUNE, "VolumesDeleted", PR_KIND_NONE, false},
    {PR_OP_VOLUME_PRUNE, "SpaceReclaimed", PR_KIND_NONE, false},
    {PR_OP_NETWORK_PRUNE, "NetworksDeleted", PR_KIND_NONE, false},
};

static const struct shape *
shape_of(enum pr_op op, const char *list, struct pr_str key)
{
	for (size_t i = 0; i < PR_COUNT(shapes); i++) {
		const struct shape *s = &shapes[i];

		if (s->op == op &&
		    (list == NULL ? s->list == NULL
				  : s->list != NULL && pr_str_is(key, s->list)))
			return s;
	}
	return NULL;
}

static void
put_list(struct view *v, const struct pr_json *list, enum pr_kind kind)
{
	bool first = true;

	if (list->type != PR_JSON_ARRAY) {
		if (list->type != PR_JSON_NULL)
			v->why = "a list in it is none";
		pr_buf_cstr(v->out, "null");
		return;
	}
	pr_buf_char(v->out, '[');
	for (uint32_t i = 0; i < list->n && v->left != 0; i++) {
		if (!item_is_shown(v, kind, &list->items[i]))
			continue;
		if (!first)
			pr_buf_char(v->out, ',');
		first = false;
		if (v->left > 0)
			v->left--;
		put_value(v, &list->items[i], all_cuts(v), 0);
	}
	pr_buf_char(v->out, ']');
}

static void
put_member(struct view *v, const struct pr_json_member *m)
{
	const struct shape *s = shape_of(v->f->op->op, "", m->key);

	pr_buf_json(v->out, m->key);
	pr_buf_char(v->out, ':');
	if (s == NULL) {
		v->why = "a part of it is of no known shape";
		pr_buf_cstr(v->out, "null");
	} else if (s->none && (v->f->narrow || v->keep_own)) {
		pr_buf_cstr(v->out, "[]");
	} else if (s->kind != PR_KIND_NONE) {
		put_list(v, &m->value, s->kind);
	} else {
		pr_json_write(v->out, &m->value, v->text);
	}
}

static void
put_lists(struct view *v, const struct pr_json *body)
{
	const struct shape *s =
	    shape_of(v->f->op->op, NULL, (struct pr_str){NULL, 0});

	if (s != NULL) {
		put_list(v, body, s->kind);
		return;
	}
	if (body->type != PR_JSON_OBJECT) {
		v->why = "it is of no known shape";
		return;
	}
	pr_buf_char(v->out, '{');
	for (uint32_t i = 0; i < body->n; i++) {
		if (i > 0)
			pr_buf_char(v->out, ',');
		put_member(v, &body->members[i]);
	}
	pr_buf_char(v->out, '}');
}

/* ---- rules ---- */

static void
add_cut(struct view *v, struct pr_str path)
{
	struct cut *c = &v->cuts[v->n_cuts];
	struct pr_str patterns = path, dotted = pr_str_cut(&patterns, '[');

	if (v->n_cuts == CUTS) {
		v->why = "more paths of redaction than can be followed";
		return;
	}
	*c = (struct cut){.patterns = patterns};
	while (dotted.p != NULL && c->n < CUT_DEPTH)
		c->keys[c->n++] = pr_str_cut(&dotted, '.');
	if (dotted.p != NULL)
		v->why = "a path of redaction that is too deep";
	if (c->patterns.p != NULL && pr_str_ends(c->patterns, "]"))
		c->patterns.n--;
	v->n_cuts++;
}

static void
take_rules(struct view *v)
{
	const struct pr_policy *p = v->held->snapshot->policy;

	for (size_t i = 0; i < p->n_responses; i++) {
		const struct pr_response *rule = &p->responses[i];

		if (!view_rule_applies(v->held, rule, v->f->op->op))
			continue;
		v->keep_own = v->keep_own || rule->keep_own_team;
		for (size_t k = 0; k < rule->redact.n; k++)
			add_cut(v, rule->redact.v[k]);
	}
}

bool
view_rule_applies(const struct pr_judgement_held *held,
    const struct pr_response *rule, enum pr_op op)
{
	if (!pr_opset_has(&rule->on, op))
		return false;
	for (size_t i = 0; i < rule->n_except; i++) {
		for (size_t t = 0; t < held->teams->n; t++) {
			if (held->teams->v[t] == rule->except[i])
				return false;
		}
	}
	return true;
}

static void
view_begin(struct view *v, struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, const struct pr_judgement *of)
{
	*v = (struct view){.j = j,
	    .a = a,
	    .call = call,
	    .held = of->held,
	    .f = &of->forward,
	    .left = of->forward.limit > 0 ? (int64_t)of->forward.limit : -1};
	v->q = of->held->question;
	take_rules(v);
}

/* ---- the doors' functions ---- */

enum pr_judge_answer
pr_judge_view(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, const struct pr_judgement *of,
    struct pr_str body, bool may_wait, struct pr_buf *out, const char **why)
{
	struct view *v = pr_arena_alloc(a, sizeof *v);
	struct pr_json_fault fault;
	const struct pr_json *json = pr_json_read(a, body, &fault);

	view_begin(v, j, a, call, of);
	v->may_wait = may_wait;
	v->text = body;
	v->out = out;
	if (json == NULL)
		v->why = "it is no JSON that can be read";
	else if (v->f->narrow || v->f->images || v->keep_own)
		put_lists(v, json);
	else
		put_value(v, json, all_cuts(v), 0);
	if (v->would_wait && !may_wait) {
		pr_buf_reset(out);
		return PR_JUDGE_WOULD_WAIT;
	}
	if (v->would_wait)
		v->why = "whose an object is cannot be told";
	*why = v->why;
	return PR_JUDGED;
}

/* ---- events ---- */

static bool
event_is_shown(struct view *v, const struct pr_json *e)
{
	static const struct {
		const char *type;
		enum pr_kind kind;
	} types[] = {
	    {"container", PR_KIND_CONTAINER},
	    {"network", PR_KIND_NETWORK},
	    {"volume", PR_KIND_VOLUME},
	    {"service", PR_KIND_SERVICE},
	    {"secret", PR_KIND_SECRET},
	    {"config", PR_KIND_CONFIG},
	};
	const struct pr_json *actor = member(e, "Actor");
	const struct pr_json *attributes = member(actor, "Attributes");
	struct pr_str type = text_of(e, "Type");

	for (size_t i = 0; i < PR_COUNT(types); i++) {
		struct owner o = {.everybody = false};

		if (!pr_str_is(type, types[i].type))
			continue;
		/* attributes of containers hold their labels; a network's
		 * events are its own, whoever connects */
		find_owner(
		    v, types[i].kind, text_of(actor, "ID"), attributes, &o);
		return may_see(v, &o);
	}
	return false; /* images, builds, the daemon: everybody's */
}

bool
pr_judge_view_event(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, const struct pr_judgement *of,
    struct pr_str line, struct pr_buf *out)
{
	struct view *v = pr_arena_alloc(a, sizeof *v);
	struct pr_json_fault fault;
	const struct pr_json *e = pr_json_read(a, line, &fault);

	view_begin(v, j, a, call, of);
	v->text = line;
	v->out = out;
	if (e == NULL || e->type != PR_JSON_OBJECT || v->why != NULL)
		return false;
	if ((v->f->narrow || v->keep_own) && !event_is_shown(v, e))
		return true;
	put_value(v, e, all_cuts(v), 0);
	pr_buf_char(out, '\n');
	return true;
}
