/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One reference, found as the daemon finds it: the daemon is asked, and the
 * answer must be about what was asked for (FACTS F: how each kind is named).
 */
#include <stdlib.h>
#include <string.h>

#include <portreeve/buf.h>
#include <portreeve/image.h>

#include "local.h"

#define MAX_REF  512
#define ID_LEN   64
#define SHORT_ID 12 /* shorter prefixes are refused (semantics 6.3) */

struct found { /* what an inspect answer says about itself */
	struct pr_str id, name, hex; /* hex: the id without "sha256:" */
};

struct route {
	const char *prefix, *suffix;
	bool slashes;     /* a reference may hold '/' */
	const char *list; /* for names that could be prefixes of other ids */
	void (*read)(struct pr_inventory *inv, struct pr_arena *a,
	    const struct pr_json *json, struct pr_object *o);
};

/* ---- JSON ---- */

const struct pr_json *
json_of(const struct pr_json *object, const char *key, enum pr_json_type type)
{
	const struct pr_json *v;

	if (object == NULL || object->type != PR_JSON_OBJECT)
		return NULL;
	v = pr_json_get(object, pr_str_of(key));
	return v != NULL && v->type == type ? v : NULL;
}

struct pr_str
json_str(const struct pr_json *object, const char *key)
{
	const struct pr_json *v = json_of(object, key, PR_JSON_STRING);

	return v != NULL && (v->flags & PR_JSON_HAS_NUL) == 0
	    ? v->str
	    : (struct pr_str){NULL, 0};
}

bool
json_true(const struct pr_json *object, const char *key)
{
	return json_of(object, key, PR_JSON_TRUE) != NULL;
}

/* ---- what each kind's answer says ---- */

static void
read_container(struct pr_inventory *inv PR_UNUSED, struct pr_arena *a PR_UNUSED,
    const struct pr_json *json, struct pr_object *o)
{
	o->id = json_str(json, "Id");
	o->name = json_str(json, "Name");
	if (pr_str_starts(o->name, "/"))
		o->name = pr_str_sub(o->name, 1, o->name.n);
	o->created = json_str(json, "Created");
	o->labels = json_of(
	    json_of(json, "Config", PR_JSON_OBJECT), "Labels", PR_JSON_OBJECT);
	o->image_id = json_str(json, "Image");
	o->running =
	    json_true(json_of(json, "State", PR_JSON_OBJECT), "Running");
}

static void
read_exec(struct pr_inventory *inv PR_UNUSED, struct pr_arena *a PR_UNUSED,
    const struct pr_json *json, struct pr_object *o)
{
	const struct pr_json *how =
	    json_of(json, "ProcessConfig", PR_JSON_OBJECT);

	o->id = json_str(json, "ID");
	o->container = json_str(json, "ContainerID");
	o->exec_running = json_true(json, "Running");
	o->exec_user = json_str(how, "user");
	/* it must say no in so many words */
	o->exec_privileged = json_of(how, "privileged", PR_JSON_FALSE) == NULL;
}

static void
read_volume(struct pr_inventory *inv, struct pr_arena *a,
    const struct pr_json *json, struct pr_object *o)
{
	o->id = o->name = json_str(json, "Name");
	o->labels = json_of(json, "Labels", PR_JSON_OBJECT);
	o->driver = json_str(json, "Driver");
	o->options = json_of(json, "Options", PR_JSON_OBJECT);
	o->created = pr_str_is(o->driver, "local")
	    ? volume_mark(inv, a, json_str(json, "Mountpoint"))
	    : json_str(json, "CreatedAt");
}

static void
read_network(struct pr_inventory *inv PR_UNUSED, struct pr_arena *a PR_UNUSED,
    const struct pr_json *json, struct pr_object *o)
{
	o->id = json_str(json, "Id");
	o->name = json_str(json, "Name");
	o->created = json_str(json, "Created");
	o->labels = json_of(json, "Labels", PR_JSON_OBJECT);
	o->driver = json_str(json, "Driver");
	o->options = json_of(json, "Options", PR_JSON_OBJECT);
	/* the daemon lets nobody make networks of these names */
	o->builtin = pr_str_is(o->name, "bridge") ||
	    pr_str_is(o->name, "host") || pr_str_is(o->name, "none");
}

static void
read_image(struct pr_inventory *inv PR_UNUSED, struct pr_arena *a PR_UNUSED,
    const struct pr_json *json, struct pr_object *o)
{
	o->id = json_str(json, "Id");
	o->created = json_str(json, "Created");
	o->repo_tags = json_of(json, "RepoTags", PR_JSON_ARRAY);
	o->repo_digests = json_of(json, "RepoDigests", PR_JSON_ARRAY);
	o->config = json_of(json, "Config", PR_JSON_OBJECT);
	o->labels = json_of(o->config, "Labels", PR_JSON_OBJECT);
}

static void
read_plugin(struct pr_inventory *inv PR_UNUSED, struct pr_arena *a PR_UNUSED,
    const struct pr_json *json, struct pr_object *o)
{
	o->id = json_str(json, "Id");
	o->name = json_str(json, "Name");
}

static void
read_task(struct pr_inventory *inv PR_UNUSED, struct pr_arena *a PR_UNUSED,
    const struct pr_json *json, struct pr_object *o)
{
	o->id = json_str(json, "ID");
	o->name = json_str(json, "Name");
	o->created = json_str(json, "CreatedAt");
	o->container = json_str(json, "ServiceID");
}

/* Services, nodes, secrets, configs. */
static void
read_swarm(struct pr_inventory *inv PR_UNUSED, struct pr_arena *a PR_UNUSED,
    const struct pr_json *json, struct pr_object *o)
{
	const struct pr_json *spec = json_of(json, "Spec", PR_JSON_OBJECT);

	o->id = json_str(json, "ID");
	o->name = json_str(spec, "Name");
	o->created = json_str(json, "CreatedAt");
	o->labels = json_of(spec, "Labels", PR_JSON_OBJECT);
	if (o->labels == NULL)
		o->labels = json_of(json, "Labels", PR_JSON_OBJECT);
	if (o->name.n == 0)
		o->name = json_str(
		    json_of(json, "Description", PR_JSON_OBJECT), "Hostname");
}

static const struct route routes[PR_KIND_COUNT] = {
    [PR_KIND_CONTAINER] = {"/containers/", "/json", false,
	"/containers/json?all=1", read_container},
    [PR_KIND_EXEC] = {"/exec/", "/json", false, NULL, read_exec},
    [PR_KIND_IMAGE] = {"/images/", "/json", true, "/images/json?all=1",
	read_image},
    [PR_KIND_NETWORK] = {"/networks/", "", false, "/networks", read_network},
    [PR_KIND_VOLUME] = {"/volumes/", "", false, NULL, read_volume},
    [PR_KIND_PLUGIN] = {"/plugins/", "/json", true, NULL, read_plugin},
    [PR_KIND_SERVICE] = {"/services/", "", false, NULL, read_swarm},
    [PR_KIND_TASK] = {"/tasks/", "", false, NULL, read_task},
    [PR_KIND_NODE] = {"/nodes/", "", false, NULL, read_swarm},
    [PR_KIND_SECRET] = {"/secrets/", "", false, NULL, read_swarm},
    [PR_KIND_CONFIG] = {"/configs/", "", false, NULL, read_swarm},
};

/* ---- asking ---- */

const char *
reference_fault(enum pr_kind kind, struct pr_str ref)
{
	struct pr_str rest = ref;

	if (kind == PR_KIND_NONE || kind >= PR_KIND_COUNT)
		return "no kind of object that can be looked up";
	if (ref.n == 0 || ref.n > MAX_REF)
		return "a reference that is empty or too long";
	for (size_t i = 0; i < ref.n; i++)
		if ((unsigned char)ref.p[i] < ' ' || ref.p[i] == 0x7f)
			return "a reference with control characters";
	if (!routes[kind].slashes && pr_str_find(ref, '/') < ref.n)
		return "a reference with a slash";
	while (rest.p != NULL) {
		struct pr_str part = pr_str_cut(&rest, '/');

		if (part.n == 0 || pr_str_is(part, ".") ||
		    pr_str_is(part, ".."))
			return "a reference with an empty or dot segment";
	}
	return NULL;
}

static void
add_encoded(struct pr_buf *b, struct pr_str s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-/:@";

	for (size_t i = 0; i < s.n; i++) {
		if (memchr(plain, s.p[i], sizeof plain - 1) != NULL)
			pr_buf_char(b, s.p[i]);
		else
			pr_buf_printf(b, "%%%02X", (unsigned char)s.p[i]);
	}
}

struct answer *
fetch_json(struct pr_inventory *inv, struct pr_str target, uint64_t deadline,
    int *status, struct pr_err **err)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf body = PR_BUF_INIT;
	struct pr_json_fault fault;

	*status = docker_get(inv->docker, target, deadline, &body, err);
	if (*status < 0)
		return NULL;
	struct answer *a = answer_new(body.n * 3 + 256);

	a->json = pr_json_read(
	    a->arena, pr_arena_str(a->arena, pr_buf_view(&body)), &fault);
	if (a->json == NULL) {
		pr_err_set(err, PR_ERR_INVALID, 0,
		    "dockerd's answer is no JSON that is understood (%s)",
		    fault.text);
		answer_unref(a);
		return NULL;
	}
	return a;
}

/* ---- is the answer about what was asked? ---- */

static bool
is_hex(struct pr_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') ||
			(s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return s.n > 0;
}

static struct pr_str
without_algorithm(struct pr_str id)
{
	return pr_str_starts(id, "sha256:") ? pr_str_sub(id, 7, id.n) : id;
}

static bool
begins(struct pr_str s, struct pr_str prefix)
{
	return s.n >= prefix.n && pr_str_eq(pr_str_sub(s, 0, prefix.n), prefix);
}

/* Do both name the same image? */
static bool
image_eq(struct pr_arena *a, struct pr_str x, struct pr_str y)
{
	struct pr_image i = pr_image_read(a, x), j = pr_image_read(a, y);

	if (i.form == PR_IMAGE_INVALID || i.name.n == 0 ||
	    j.form == PR_IMAGE_INVALID || !pr_str_eq(i.name, j.name) ||
	    !pr_str_eq(i.digest, j.digest))
		return false;
	/* where a digest is given the tag says nothing */
	return i.digest.n > 0 ||
	    pr_str_eq(i.tag.n > 0 ? i.tag : PR_STR("latest"),
		j.tag.n > 0 ? j.tag : PR_STR("latest"));
}

static bool
names_include(
    struct pr_arena *a, const struct pr_json *names, struct pr_str ref)
{
	for (uint32_t i = 0; names != NULL && i < names->n; i++)
		if (names->items[i].type == PR_JSON_STRING &&
		    image_eq(a, names->items[i].str, ref))
			return true;
	return false;
}

static bool
is_name_of(struct pr_arena *a, const struct pr_object *o, struct pr_str ref)
{
	switch (o->kind) {
	case PR_KIND_IMAGE:
		return names_include(a, o->repo_tags, ref) ||
		    names_include(a, o->repo_digests, ref);
	case PR_KIND_PLUGIN:
		return image_eq(a, o->name, ref);
	case PR_KIND_EXEC:
		return false;
	default:
		return o->name.n > 0 && pr_str_eq(o->name, ref);
	}
}

/* How the daemon got from ref to the object; NOTHING: it is another one. */
static enum pr_named_by
named_by(struct pr_arena *a, const struct pr_object *o, struct pr_str ref)
{
	struct pr_str id = without_algorithm(o->id);
	struct pr_str want =
	    o->kind == PR_KIND_IMAGE ? without_algorithm(ref) : ref;

	if (o->kind == PR_KIND_VOLUME)
		return pr_str_eq(o->name, ref) ? PR_BY_NAME : PR_BY_NOTHING;
	if (pr_str_eq(id, want))
		return PR_BY_ID;
	if (is_name_of(a, o, ref))
		return PR_BY_NAME;
	if (o->kind != PR_KIND_EXEC && begins(id, want))
		return PR_BY_PREFIX;
	return PR_BY_NOTHING;
}

/* Does ref begin the id of another object of that list?  -1: cannot tell. */
static int
begins_another(struct pr_inventory *inv, const char *list, struct pr_str ref,
    struct pr_str own, uint64_t deadline, struct pr_err **err)
{
	int status, found = 0;
	struct answer *a =
	    fetch_json(inv, pr_str_of(list), deadline, &status, err);

	if (a == NULL)
		return -1;
	if (status != 200 || a->json->type != PR_JSON_ARRAY)
		found = pr_err_set(err, PR_ERR_INVALID, 0,
		    "dockerd answered %d for %s", status, list);
	for (uint32_t i = 0; found == 0 && i < a->json->n; i++) {
		struct pr_str id = json_str(&a->json->items[i], "Id");

		if (id.n == 0)
			found = pr_err_set(err, PR_ERR_INVALID, 0,
			    "dockerd listed an object without an id");
		else if (!pr_str_eq(id, own) &&
		    begins(without_algorithm(id), ref))
			found = 1;
	}
	answer_unref(a);
	return found;
}

/* Semantics 6.3: what plugin mode refuses, since the daemon looks again. */
static int
judge_ambiguity(struct pr_inventory *inv, struct pr_str ref, uint64_t deadline,
    struct finding *f, struct pr_err **err)
{
	const struct pr_object *o = &f->answer->object;
	const char *list = routes[o->kind].list;
	struct pr_str hex =
	    o->kind == PR_KIND_IMAGE ? without_algorithm(ref) : ref;
	int rc;

	if (f->by == PR_BY_PREFIX)
		f->ambiguous = hex.n < SHORT_ID;
	if (f->by != PR_BY_NAME || list == NULL || !is_hex(hex))
		return 0;
	rc = begins_another(inv, list, hex, o->id, deadline, err);
	f->ambiguous = rc != 0;
	return rc < 0 ? -1 : 0;
}

/* Those of a container that its image does not say as well. */
static const struct pr_json *
without_inherited(struct pr_arena *a, const struct pr_json *labels,
    const struct pr_json *inherited)
{
	struct pr_json *own = pr_arena_alloc(a, sizeof *own);
	struct pr_json_member *members =
	    pr_arena_array(a, labels->n, sizeof *members);

	*own = *labels;
	own->n = 0;
	own->members = members;
	for (uint32_t i = 0; i < labels->n; i++) {
		const struct pr_json_member *m = &labels->members[i];
		const struct pr_json *same =
		    inherited != NULL ? pr_json_get(inherited, m->key) : NULL;

		if (same == NULL || same->type != PR_JSON_STRING ||
		    m->value.type != PR_JSON_STRING ||
		    !pr_str_eq(same->str, m->value.str))
			members[own->n++] = *m;
	}
	return own;
}

/*
 * A container that no judged request made is its label's (semantics 2.2), but
 * the daemon shows labels of the image among them, and whoever makes an image
 * makes nobody an owner (2.9).
 */
static int
own_labels(struct pr_inventory *inv, struct answer *a, uint64_t deadline,
    struct pr_err **err)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf target = PR_BUF_INIT;
	struct pr_object *o = &a->object;
	struct pr_ledger_owner owner;
	struct answer *image;
	int status, rc = 0;

	if (o->labels == NULL || o->labels->n == 0 || o->image_id.n == 0 ||
	    (inv->ledger != NULL &&
		pr_ledger_get(
		    inv->ledger, PR_KIND_CONTAINER, o->id, PR_STR(""), &owner)))
		return 0;
	pr_buf_cstr(&target, routes[PR_KIND_IMAGE].prefix);
	add_encoded(&target, o->image_id);
	pr_buf_cstr(&target, routes[PR_KIND_IMAGE].suffix);
	image = fetch_json(inv, pr_buf_view(&target), deadline, &status, err);
	if (image == NULL)
		return -1;
	if (status == 200 && image->json->type == PR_JSON_OBJECT)
		o->labels = without_inherited(a->arena, o->labels,
		    json_of(json_of(image->json, "Config", PR_JSON_OBJECT),
			"Labels", PR_JSON_OBJECT));
	else if (status == 404) /* what it said is not known any more */
		o->labels = NULL;
	else
		rc = pr_err_set(err, PR_ERR_INVALID, 0,
		    "dockerd answered %d for a container's image", status);
	answer_unref(image);
	return rc;
}

static int
read_present(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    uint64_t deadline, struct finding *f, struct pr_err **err)
{
	struct answer *a = f->answer;

	if (a->json->type != PR_JSON_OBJECT)
		return pr_err_set(
		    err, PR_ERR_INVALID, 0, "dockerd's answer is no object");
	a->object = (struct pr_object){
	    .kind = kind, .presence = PR_PRESENT, .inspect = a->json};
	routes[kind].read(inv, a->arena, a->json, &a->object);
	f->by = a->object.id.n > 0 ? named_by(a->arena, &a->object, ref)
				   : PR_BY_NOTHING;
	if (f->by == PR_BY_NOTHING)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "dockerd's answer is about another object");
	if (kind == PR_KIND_CONTAINER && own_labels(inv, a, deadline, err) < 0)
		return -1;
	if (kind == PR_KIND_EXEC && a->object.container.n != ID_LEN)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "dockerd did not say whose the exec is");
	if (kind == PR_KIND_TASK && a->object.container.n == 0)
		return pr_err_set(
		    err, PR_ERR_INVALID, 0, "the task is no service's");
	return judge_ambiguity(inv, ref, deadline, f, err);
}

/*
 * Nothing has that name, but the id of what is made next may begin with it:
 * whoever asks for "a" often enough gets to somebody's new container before
 * anybody can tell that it is there.
 */
static bool
may_become_prefix(enum pr_kind kind, struct pr_str ref)
{
	return (kind == PR_KIND_CONTAINER || kind == PR_KIND_NETWORK) &&
	    ref.n < SHORT_ID && is_hex(ref);
}

/* 404 of a route, not of an object, says nothing about objects. */
static bool
is_absence(const struct pr_json *json)
{
	struct pr_str message = json_str(json, "message");

	return message.n > 0 && !pr_str_is(message, "page not found");
}

static int
ask(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    uint64_t deadline, struct finding *f, struct pr_err **err)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf target = PR_BUF_INIT;
	int status;

	pr_buf_cstr(&target, routes[kind].prefix);
	add_encoded(&target, ref);
	pr_buf_cstr(&target, routes[kind].suffix);
	f->answer =
	    fetch_json(inv, pr_buf_view(&target), deadline, &status, err);
	if (f->answer == NULL)
		return -1;
	if (status == 200)
		return read_present(inv, kind, ref, deadline, f, err);
	if (status == 404 && is_absence(f->answer->json)) {
		f->answer->object =
		    (struct pr_object){.kind = kind, .presence = PR_ABSENT};
		f->ambiguous = may_become_prefix(kind, ref);
		return 0;
	}
	struct pr_str said = json_str(f->answer->json, "message");

	return pr_err_set(err, PR_ERR_INVALID, 0, "dockerd answered %d: %.*s",
	    status, (int)(said.n > 100 ? 100 : said.n),
	    said.n > 0 ? said.p : "");
}

void
resolve(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    uint64_t deadline, struct finding *out)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

	*out = (struct finding){NULL, PR_BY_NOTHING, false};
	if (ask(inv, kind, ref, deadline, out, &err) == 0)
		return;
	answer_unref(out->answer);
	*out = (struct finding){
	    answer_unknown(kind, pr_err_text(err)), PR_BY_NOTHING, false};
}
