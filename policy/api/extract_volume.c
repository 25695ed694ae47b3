/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /volumes/create, and the host paths in a volume's options: to the
 * local driver type, device and o are arguments of mount(2), so a volume is
 * one more spelling of a bind (FACTS E).
 */
#include <string.h>

#include "extract.h"

/* A path of the host that only mounts.protected is asked about. */
static void
add_path(struct extract *e, struct pr_str path)
{
	int at = extract_bind(e, path, true);
	struct pr_bind_source *b = &e->spec->binds[at];

	b->of_volume = true;
	/* relative to wherever the daemon runs: nobody can tell */
	if (path.p[0] != '/')
		b->path = path;
}

/* Kernel file systems have no path of their own: the one they stand for. */
static const struct {
	const char *type, *place;
} kernel[] = {
    {"proc", "/proc"},
    {"sysfs", "/sys"},
    {"devtmpfs", "/dev"},
    {"devpts", "/dev"},
    {"cgroup", "/sys"},
    {"cgroup2", "/sys"},
    {"debugfs", "/sys"},
    {"tracefs", "/sys"},
    {"securityfs", "/sys"},
    {"configfs", "/sys"},
    {"bpf", "/sys"},
    {"pstore", "/sys"},
    {"efivarfs", "/sys"},
    {"selinuxfs", "/sys"},
    {"fusectl", "/sys"},
    {"binfmt_misc", "/proc"},
    {"nsfs", "/proc"},
    {"mqueue", "/dev"},
    {"hugetlbfs", "/dev"},
};

static bool
is_bind_word(struct pr_str s)
{
	return pr_str_is(s, "bind") || pr_str_is(s, "rbind") ||
	    pr_str_is(s, "move");
}

/* "bind", "lowerdir=/a:/b": paths stand alone, behind '=' and behind ':'. */
static void
read_o(struct extract *e, struct pr_str o, bool overlay, bool *bind)
{
	while (o.p != NULL) {
		struct pr_str value = pr_str_cut(&o, ',');
		struct pr_str key = pr_str_cut(&value, '=');
		bool dir = overlay && pr_str_ends(key, "dir");

		*bind = *bind || is_bind_word(key);
		if (key.n > 0 && key.p[0] == '/')
			add_path(e, key);
		while (value.p != NULL) {
			struct pr_str part = pr_str_cut(&value, ':');

			if (part.n > 0 && (dir || part.p[0] == '/'))
				add_path(e, part);
		}
	}
}

void
extract_volume_paths(
    struct extract *e, struct pr_str driver, struct pr_kvs options)
{
	struct pr_str type = {NULL, 0}, o = {NULL, 0}, device = {NULL, 0};
	bool bind = false;

	if (driver.n > 0 && !pr_str_is(driver, "local"))
		return;
	for (size_t i = 0; i < options.n; i++) {
		if (pr_str_is(options.v[i].key, "type"))
			type = options.v[i].value;
		else if (pr_str_is(options.v[i].key, "o"))
			o = options.v[i].value;
		else if (pr_str_is(options.v[i].key, "device"))
			device = options.v[i].value;
	}
	for (size_t i = 0; i < PR_COUNT(kernel); i++) {
		if (pr_str_is(type, kernel[i].type))
			add_path(e, pr_str_of(kernel[i].place));
	}
	if (o.n > 0)
		read_o(e, o, pr_str_is(type, "overlay"), &bind);
	if (device.n > 0 && (bind || device.p[0] == '/'))
		add_path(e, device);
}

int
extract_volume(struct extract *e, const struct pr_request *rq)
{
	struct body_walk walk = {.arena = e->arena, .why = e->why};
	struct body_slots v = {{NULL}};
	struct pr_mount *m;
	struct pr_str name;

	if (body_walk(&walk, BODY_VOLUME, rq->json, "", &v) < 0)
		return -1;
	e->spec->body = PR_SPEC_VOLUME;
	e->spec->unknown_field = walk.unknown_field;
	e->spec->must_default = walk.must_default;
	/* {} too: the daemon asks whether it is there */
	if (v.f[F_V_CLUSTER] != NULL)
		e->spec->must_default = body_name(F_V_CLUSTER);
	e->spec->labels = body_map(e->arena, v.f[F_V_LABELS]);
	m = extract_mount(e, PR_MOUNT_VOLUME, "Name");
	m->driver = body_str(v.f[F_V_DRIVER]);
	m->options = body_map(e->arena, v.f[F_V_DRIVEROPTS]);
	extract_volume_paths(e, m->driver, m->options);
	name = body_str(v.f[F_V_NAME]);
	if (name.n == 0) { /* the daemon makes one up */
		m->field = "the volume";
		return 0;
	}
	if (name.p[0] == '/')
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "Name: a volume has a name, not a path");
	if (extract_source(e, m, name) < 0)
		return -1;
	m->field = "the volume";
	return 0;
}

void
pr_spec_add_volume_paths(const struct pr_extract *x, struct pr_spec *s)
{
	struct pr_refusal why = {0};
	struct extract e = {.x = x, .arena = x->arena, .spec = s, .why = &why};

	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct pr_mount *m = &s->mounts[i];
		const struct pr_object *o;

		if (m->type != PR_MOUNT_VOLUME || m->ref < 0)
			continue;
		o = s->refs[m->ref].object;
		if (o != NULL && o->presence == PR_PRESENT &&
		    o->options != NULL && o->options->type == PR_JSON_OBJECT)
			extract_volume_paths(
			    &e, o->driver, body_map(x->arena, o->options));
	}
}
