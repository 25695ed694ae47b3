/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <portreeve/resolve.h>

static const struct pr_object *
object_of(struct pr_facts *f, enum pr_kind kind, struct pr_str name)
{
	const struct pr_object *o =
	    f->lookup->object(f->lookup->arg, kind, name, false);

	f->would_wait = f->would_wait || o == NULL;
	return o;
}

static bool
is_hex(struct pr_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!((s.p[i] >= '0' && s.p[i] <= '9') ||
			(s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	}
	return s.n > 0;
}

static void
taken_for_id(struct pr_facts *f, struct pr_ref *r)
{
	struct pr_object *bad = pr_arena_alloc(f->arena, sizeof *bad);

	bad->kind = r->kind;
	bad->presence = PR_ABSENT;
	bad->ambiguous = true;
	r->object = bad;
}

/*
 * Ids of the swarm are letters and digits, so nearly every name could begin
 * one: what must not be is a name that begins one that is there, chosen so.
 */
static void
resolve_swarm_name(struct pr_facts *f, struct pr_ref *r)
{
	const struct pr_object *o = object_of(f, r->kind, r->name);

	if (o == NULL || o->presence == PR_PRESENCE_UNKNOWN ||
	    (o->presence == PR_PRESENT && o->by != PR_BY_NAME))
		taken_for_id(f, r);
}

/*
 * A name that is about to be given: one of hex digits must not be taken for
 * an id, now or later (semantics 6.3).
 */
static void
resolve_new_name(struct pr_facts *f, struct pr_ref *r)
{
	const struct pr_object *o = NULL;

	if (r->kind == PR_KIND_SERVICE || r->kind == PR_KIND_SECRET ||
	    r->kind == PR_KIND_CONFIG) {
		resolve_swarm_name(f, r);
		return;
	}
	if ((r->kind != PR_KIND_CONTAINER && r->kind != PR_KIND_NETWORK) ||
	    !is_hex(r->name))
		return; /* volumes are exempt: anonymous ones are hex */
	if (r->name.n < 12) {
		o = object_of(f, r->kind, r->name);
		if (o != NULL &&
		    (o->presence == PR_ABSENT ||
			(o->presence == PR_PRESENT && o->by == PR_BY_NAME &&
			    !o->ambiguous)))
			return;
	}
	taken_for_id(f, r);
}

static void
resolve_ref(struct pr_facts *f, struct pr_ref *r)
{
	if (r->role == PR_REF_NEW_NAME) {
		resolve_new_name(f, r);
	} else if (r->lazy) {
		r->object =
		    f->lookup->object(f->lookup->arg, r->kind, r->name, true);
	} else if (r->kind == PR_KIND_NETWORK &&
	    (pr_str_is(r->name, "host") || pr_str_is(r->name, "none") ||
		pr_str_is(r->name, "bridge") ||
		pr_str_is(r->name, "default"))) {
		struct pr_object *o = pr_arena_alloc(f->arena, sizeof *o);

		o->kind = PR_KIND_NETWORK;
		o->presence = PR_PRESENT;
		o->by = PR_BY_ID; /* nobody can give these names to another */
		o->builtin = true;
		o->name =
		    pr_str_is(r->name, "default") ? PR_STR("bridge") : r->name;
		r->object = o;
	} else {
		r->object = object_of(f, r->kind, r->name);
	}
}

static void
resolve_binds(struct pr_facts *f, struct pr_spec *spec, struct pr_str except)
{
	for (size_t i = 0; i < spec->n_binds; i++) {
		struct pr_bind_source *b = &spec->binds[i];

		b->fact =
		    f->lookup->path(f->lookup->arg, b->path, b->writes, except);
		f->would_wait = f->would_wait || b->fact == NULL;
	}
}

/* The mounts of VolumesFrom's sources become mounts of the spec. */
static void
resolve_volumes_from(struct pr_facts *f, struct pr_spec *spec)
{
	struct pr_extract x = {f->arena, f->plugin};
	size_t n = spec->n_refs;

	for (size_t i = 0; i < n; i++) {
		const struct pr_object *o = spec->refs[i].object;

		if (spec->refs[i].role != PR_REF_VOLUMES_FROM || o == NULL ||
		    o->presence != PR_PRESENT)
			continue;
		if (pr_spec_add_volumes_from(&x, spec, o->inspect) < 0)
			spec->refs[i].object = NULL; /* cannot tell */
	}
	for (size_t i = n; i < spec->n_refs; i++)
		resolve_ref(f, &spec->refs[i]);
}

/* Was it looked at when the container was made, and never since? */
static bool
is_past(const struct pr_spec *spec, const struct pr_ref *r)
{
	return spec->stored && r->role == PR_REF_VOLUMES_FROM;
}

static void
resolve_spec(struct pr_facts *f, struct pr_spec *spec, struct pr_str except)
{
	struct pr_extract x = {f->arena, f->plugin};

	for (size_t i = 0; i < spec->n_refs; i++) {
		if (!is_past(spec, &spec->refs[i]))
			resolve_ref(f, &spec->refs[i]);
	}
	if (spec->volumes_from && !spec->stored)
		resolve_volumes_from(f, spec);
	pr_spec_add_volume_paths(&x, spec);
	resolve_binds(f, spec, except);
}

static void
add_ref(struct pr_facts *f, struct pr_ref r)
{
	if (f->n_refs == f->cap_refs) {
		size_t cap = f->cap_refs > 0 ? f->cap_refs * 2 : 8;
		struct pr_ref *refs =
		    pr_arena_array(f->arena, cap, sizeof *refs);

		if (f->n_refs > 0)
			memcpy(refs, f->refs, f->n_refs * sizeof *refs);
		f->refs = refs;
		f->cap_refs = cap;
	}
	f->refs[f->n_refs++] = r;
}

static void
add_refs_of(struct pr_facts *f, const struct pr_spec *spec)
{
	for (size_t i = 0; i < spec->n_refs; i++) {
		if (!is_past(spec, &spec->refs[i]))
			add_ref(f, spec->refs[i]);
	}
}

/* What the path names, and the container behind an exec. */
static const struct pr_object *
resolve_target(struct pr_facts *f, const struct pr_request *rq)
{
	struct pr_ref r = {.kind = rq->op->kind,
	    .role = PR_REF_TARGET,
	    .name = rq->name,
	    .field = "the path"};

	if (rq->op->op == PR_OP_CONTAINER_COMMIT) {
		const struct pr_str *name = pr_query_get(rq, "container");

		r.kind = PR_KIND_CONTAINER;
		r.field = "the query key container";
		if (name == NULL)
			return NULL;
		r.name = *name;
	}
	if (r.kind == PR_KIND_NONE || rq->op->scope != PR_SCOPE_OWNED)
		return NULL;
	r.object = object_of(f, r.kind, r.name);
	add_ref(f, r);
	if (r.kind != PR_KIND_EXEC && r.kind != PR_KIND_TASK)
		return r.object;
	if (r.object == NULL || r.object->presence != PR_PRESENT ||
	    r.object->container.n == 0)
		return NULL;
	r = (struct pr_ref){.kind = r.kind == PR_KIND_TASK ? PR_KIND_SERVICE
							   : PR_KIND_CONTAINER,
	    .role = PR_REF_CONTAINER_OF,
	    .name = r.object->container,
	    .field = r.kind == PR_KIND_TASK ? "the task's service"
					    : "the exec's container"};
	r.object = object_of(f, r.kind, r.name);
	add_ref(f, r);
	return r.object;
}

static struct pr_str
user_of(const struct pr_object *container)
{
	const struct pr_json *config;
	const struct pr_json *user;

	if (container->inspect == NULL)
		return (struct pr_str){NULL, 0};
	config = pr_json_get(container->inspect, PR_STR("Config"));
	if (config == NULL || config->type != PR_JSON_OBJECT)
		return (struct pr_str){NULL, 0};
	user = pr_json_get(config, PR_STR("User"));
	return user != NULL && user->type == PR_JSON_STRING
	    ? user->str
	    : (struct pr_str){NULL, 0};
}

/* An exec that is started runs as it was made (semantics 9.11). */
static void
complete_exec(const struct pr_facts *f, struct pr_spec *spec,
    const struct pr_object *container)
{
	const struct pr_object *exec = NULL;

	for (size_t i = 0; i < f->n_refs; i++) {
		if (f->refs[i].kind == PR_KIND_EXEC)
			exec = f->refs[i].object;
	}
	if (exec != NULL && exec->presence == PR_PRESENT) {
		spec->privileged = exec->exec_privileged;
		spec->user = exec->exec_user;
		spec->user_given = exec->exec_user.n > 0;
	}
	if (container != NULL && container->presence == PR_PRESENT &&
	    container->inspect != NULL) {
		spec->container_user = user_of(container);
		spec->container_user_known = true;
	}
}

/* The image by its id: the name may mean another by now. */
static void
add_run_image(
    struct pr_facts *f, struct pr_spec *s, const struct pr_object *container)
{
	struct pr_ref *refs;

	if (container->image_id.n == 0)
		return;
	refs = pr_arena_array(f->arena, s->n_refs + 1, sizeof *refs);
	memcpy(refs, s->refs, s->n_refs * sizeof *refs);
	refs[s->n_refs++] = (struct pr_ref){.kind = PR_KIND_IMAGE,
	    .role = PR_REF_IMAGE,
	    .name = container->image_id,
	    .field = "the container's image",
	    .lazy = true};
	s->refs = refs;
	s->cap_refs = s->run_image = s->n_refs;
}

/* What is not given stays; a container that is not there has nothing. */
static void
complete_update(const struct pr_facts *f, struct pr_spec *spec,
    const struct pr_object *container)
{
	struct pr_extract x = {f->arena, f->plugin};

	if (container == NULL || container->presence == PR_PRESENCE_UNKNOWN ||
	    (container->presence == PR_PRESENT && container->inspect == NULL))
		return;
	if (pr_spec_update(&x, spec,
		container->presence == PR_PRESENT ? container->inspect : NULL) <
	    0)
		spec->updated = false; /* cannot tell */
}

static void
resolve_stored(struct pr_facts *f, const struct pr_object *container)
{
	struct pr_extract x = {f->arena, f->plugin};
	struct pr_spec *s;

	if (container == NULL || container->presence != PR_PRESENT)
		return;
	s = pr_spec_of_container(&x, container->inspect);
	if (s == NULL)
		return;
	/* what it got from others it has itself by now, and a name of then
	 * may mean another container (semantics 10.11) */
	if (s->volumes_from &&
	    pr_spec_add_volumes_from(&x, s, container->inspect) < 0)
		return;
	resolve_spec(f, s, container->id);
	add_run_image(f, s, container);
	f->stored = s;
	f->stored_known = true;
}

/* What the service had before is what the update asks for. */
static void
roll_back(
    struct pr_facts *f, struct pr_spec *spec, const struct pr_object *service)
{
	struct pr_extract x = {f->arena, f->plugin};

	if (service == NULL || service->presence != PR_PRESENT ||
	    pr_spec_roll_back(&x, spec, service->inspect) < 0)
		return; /* unread: cannot tell */
}

void
pr_resolve(
    struct pr_facts *f, const struct pr_request *rq, struct pr_spec *spec)
{
	const struct pr_object *target = resolve_target(f, rq);

	if (f->would_wait)
		return;
	if (spec != NULL) {
		if (spec->rolls_back)
			roll_back(f, spec, target);
		spec->elsewhere = spec->body == PR_SPEC_SERVICE && !f->one_node;
		if (spec->body == PR_SPEC_EXEC)
			complete_exec(f, spec, target);
		if (spec->body == PR_SPEC_UPDATE)
			complete_update(f, spec, target);
		resolve_spec(f, spec,
		    target != NULL ? target->id : (struct pr_str){NULL, 0});
		add_refs_of(f, spec);
	}
	if (pr_decide_wants_stored(rq))
		resolve_stored(f, target);
	/* what a stored spec uses is touched by the request as well */
	if (f->stored != NULL)
		add_refs_of(f, f->stored);
}

static bool
lazy_of(struct pr_facts *f, struct pr_spec *spec)
{
	bool any = false;

	for (size_t i = 0; spec != NULL && i < spec->n_refs; i++) {
		struct pr_ref *r = &spec->refs[i];

		if (!r->lazy || r->object != NULL)
			continue;
		r->object = object_of(f, r->kind, r->name);
		any = true;
	}
	return any;
}

bool
pr_resolve_lazy(struct pr_facts *f, struct pr_spec *spec)
{
	bool a = lazy_of(f, spec), b = lazy_of(f, f->stored);

	return a || b;
}
