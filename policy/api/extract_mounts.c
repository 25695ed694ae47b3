/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that puts a file system into a container: Binds, Mounts, Tmpfs,
 * VolumesFrom, volume options.  Binds are read as volume/mounts
 * linux_parser.go reads them.
 */
#include <string.h>

#include <portreeve/buf.h>

#include "extract.h"
#include "refuse.h"

struct pr_mount *
extract_mount(struct extract *e, enum pr_mount_type type, pr_field field)
{
	struct pr_spec *s = e->spec;
	struct pr_mount *m;

	if (s->n_mounts == s->cap_mounts) {
		size_t cap = s->cap_mounts > 0 ? s->cap_mounts * 2 : 8;
		struct pr_mount *all =
		    pr_arena_array(e->arena, cap, sizeof *all);

		if (s->n_mounts > 0)
			memcpy(all, s->mounts, s->n_mounts * sizeof *all);
		s->mounts = all;
		s->cap_mounts = cap;
	}
	m = &s->mounts[s->n_mounts++];
	*m = (struct pr_mount){
	    .type = type, .field = field, .ref = -1, .bind = -1};
	return m;
}

static bool
is_propagation(struct pr_str s)
{
	static const char *const known[] = {
	    "private", "rprivate", "shared", "rshared", "slave", "rslave"};

	for (size_t i = 0; i < PR_COUNT(known); i++) {
		if (pr_str_is(s, known[i]))
			return true;
	}
	return false;
}

/* One word of a bind's mode; false: no engine takes it. */
static bool
mode_word(struct pr_mount *m, struct pr_str word)
{
	static const char *const harmless[] = {
	    "rw", "nocopy", "consistent", "cached", "delegated", "default"};

	if (pr_str_is(word, "ro")) {
		m->read_only = true;
		return true;
	}
	if (pr_str_is(word, "z") || pr_str_is(word, "Z")) {
		m->relabel = true;
		return true;
	}
	if (is_propagation(word)) {
		m->propagation = word;
		return true;
	}
	for (size_t i = 0; i < PR_COUNT(harmless); i++) {
		if (pr_str_is(word, harmless[i]))
			return true;
	}
	return false;
}

static bool
bind_mode(struct pr_mount *m, struct pr_str mode)
{
	while (mode.p != NULL) {
		struct pr_str word = pr_str_cut(&mode, ',');

		if (!mode_word(m, word))
			return false;
	}
	return true;
}

static bool
volume_name_ok(struct pr_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9');

		if (!alnum && (i == 0 || (c != '_' && c != '.' && c != '-')))
			return false;
	}
	return s.n >= 2;
}

/* A source: an absolute path of the host, or the name of a volume. */
int
extract_source(struct extract *e, struct pr_mount *m, struct pr_str source)
{
	if (source.n > 0 && source.p[0] == '/') {
		m->type = PR_MOUNT_BIND;
		m->bind = extract_bind(e, source, !m->read_only);
		m->source = e->spec->binds[m->bind].path;
		return 0;
	}
	if (!volume_name_ok(source))
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "%s: \"%s\" is neither an absolute path nor the name "
		    "of a volume, which begins with a letter or a digit and "
		    "has two at least of letters, digits, _ . -",
		    m->field, pr_show(source).text);
	m->type = PR_MOUNT_VOLUME;
	m->source = source;
	m->ref =
	    extract_ref(e, PR_KIND_VOLUME, PR_REF_VOLUME, source, m->field);
	return 0;
}

static int
read_bind(struct extract *e, struct pr_str text, pr_field field)
{
	struct pr_mount *m = extract_mount(e, PR_MOUNT_VOLUME, field);
	struct pr_str part[3] = {{NULL, 0}}, rest = text;
	size_t n = 0;

	while (rest.p != NULL && n < 3)
		part[n++] = pr_str_cut(&rest, ':');
	if (rest.p != NULL || part[0].n == 0)
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "%s is not source:target[:mode]", field);
	if (n == 1) { /* "/x": an anonymous volume */
		m->driver = e->spec->volume_driver;
		return part[0].p[0] == '/'
		    ? 0
		    : body_refuse(e->why, PR_REASON_AMBIGUOUS,
			  "%s is not an absolute path", field);
	}
	if (part[1].n == 0 || part[1].p[0] != '/')
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "%s: the target is not an absolute path", field);
	if (n == 3 && !bind_mode(m, part[2]))
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "%s: the mode is not known", field);
	if (extract_source(e, m, part[0]) < 0)
		return -1;
	if (m->type == PR_MOUNT_VOLUME)
		m->driver = e->spec->volume_driver;
	return 0;
}

/* "rw,size=64m,exec" */
static struct pr_kvs
tmpfs_words(struct pr_arena *a, struct pr_str text)
{
	size_t n = 1, at = 0;
	struct pr_kv *kv;

	if (text.n == 0)
		return (struct pr_kvs){NULL, 0};
	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == ',';
	kv = pr_arena_array(a, n, sizeof *kv);
	while (text.p != NULL) {
		struct pr_str value = pr_str_cut(&text, ',');
		struct pr_str key = pr_str_cut(&value, '=');

		kv[at++] = (struct pr_kv){key, value};
	}
	return (struct pr_kvs){kv, n};
}

/*
 * TmpfsOptions.Options: [["noexec"], ["size", "1m"]].  The daemon joins them
 * by '=' and ',', so a comma inside of one makes two of it: joined here too.
 */
static struct pr_kvs
tmpfs_pairs(struct pr_arena *a, const struct pr_json *v)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;

	for (size_t i = 0; i < body_count(v); i++) {
		const struct pr_json *pair = &v->items[i];

		for (uint32_t k = 0; k < pair->n; k++) {
			if (text.n > 0)
				pr_buf_char(&text, k > 0 ? '=' : ',');
			pr_buf_str(&text, body_str(&pair->items[k]));
		}
	}
	return tmpfs_words(a, pr_arena_str(a, pr_buf_view(&text)));
}

static void
read_volume_options(
    struct extract *e, struct pr_mount *m, const struct body_slots *f)
{
	struct body_walk walk = {
	    .arena = e->arena, .checked = true, .why = e->why};
	struct body_slots o = {{NULL}}, d = {{NULL}};

	if (body_walk(&walk, BODY_VOLUMEOPTIONS, f->f[F_M_VOLUME], "", &o) <
		0 ||
	    body_walk(&walk, BODY_DRIVER, o.f[F_MV_DRIVER], "", &d) < 0)
		return;
	m->driver = body_str(d.f[F_DR_NAME]);
	m->labels = body_map(e->arena, o.f[F_MV_LABELS]);
	m->options = body_map(e->arena, d.f[F_DR_OPTIONS]);
	extract_volume_paths(e, m->driver, m->options);
}

static bool
is_template(struct pr_str s)
{
	for (size_t i = 0; i + 1 < s.n; i++) {
		if (s.p[i] == '{' && s.p[i + 1] == '{')
			return true;
	}
	return false;
}

static bool
any_template(struct pr_kvs kvs)
{
	for (size_t i = 0; i < kvs.n; i++) {
		if (is_template(kvs.v[i].key) || is_template(kvs.v[i].value))
			return true;
	}
	return false;
}

static int
read_typed(struct extract *e, struct pr_mount *m, const struct body_slots *f)
{
	struct body_walk walk = {
	    .arena = e->arena, .checked = true, .why = e->why};
	struct pr_str type = body_str(f->f[F_M_TYPE]);
	struct pr_str source = body_str(f->f[F_M_SOURCE]);
	struct body_slots o = {{NULL}};

	m->read_only = body_bool(f->f[F_M_READONLY]);
	/* options of any type are read whatever the type: an engine that
	 * changes its mind about which count finds them judged */
	if (body_walk(&walk, BODY_BINDOPTIONS, f->f[F_M_BIND], "", &o) < 0 ||
	    body_walk(&walk, BODY_TMPFSOPTIONS, f->f[F_M_TMPFS], "", &o) < 0)
		return -1;
	m->propagation = body_str(o.f[F_MB_PROPAGATION]);
	m->shallow =
	    body_bool(o.f[F_MB_NONRECURSIVE]) || body_bool(o.f[F_MB_RONONREC]);
	read_volume_options(e, m, f);
	m->has_template = is_template(source) || any_template(m->options) ||
	    any_template(m->labels);
	if (pr_str_is(type, "bind")) {
		if (source.n == 0 || source.p[0] != '/')
			return body_refuse(e->why, PR_REASON_AMBIGUOUS,
			    "%s: the source of a bind is an absolute path",
			    m->field);
		return extract_source(e, m, source);
	}
	if (pr_str_is(type, "volume")) {
		m->type = PR_MOUNT_VOLUME;
		if (source.n == 0)
			return 0;
		if (source.p[0] == '/')
			return body_refuse(e->why, PR_REASON_AMBIGUOUS,
			    "%s: a volume has a name, not a path", m->field);
		return extract_source(e, m, source);
	}
	if (pr_str_is(type, "tmpfs")) {
		m->type = PR_MOUNT_TMPFS;
		m->options = tmpfs_pairs(e->arena, o.f[F_MT_OPTIONS]);
		return 0;
	}
	if (pr_str_is(type, "image")) {
		m->type = PR_MOUNT_IMAGE;
		m->source = source;
		m->ref = extract_ref(
		    e, PR_KIND_IMAGE, PR_REF_MOUNT_IMAGE, source, m->field);
		return 0;
	}
	m->type = PR_MOUNT_OTHER;
	m->type_text = type;
	return 0;
}

int
extract_mount_list(
    struct extract *e, const struct pr_json *mounts, pr_field where)
{
	struct body_walk walk = {
	    .arena = e->arena, .checked = true, .why = e->why};

	for (size_t i = 0; i < body_count(mounts); i++) {
		struct body_slots f = {{NULL}};
		pr_field field = pr_arena_printf(e->arena, "%s[%zu]", where, i);
		struct pr_mount *m = extract_mount(e, PR_MOUNT_OTHER, field);

		if (body_walk(&walk, BODY_MOUNT, &mounts->items[i], field, &f) <
			0 ||
		    read_typed(e, m, &f) < 0)
			return -1;
	}
	return 0;
}

static int
read_volumes_from(struct extract *e, struct pr_strs from)
{
	for (size_t i = 0; i < from.n; i++) {
		struct pr_str mode = from.v[i], name = pr_str_cut(&mode, ':');
		pr_field field =
		    pr_arena_printf(e->arena, "HostConfig.VolumesFrom[%zu]", i);

		if (name.n == 0)
			return body_refuse(e->why, PR_REASON_AMBIGUOUS,
			    "%s names no container", field);
		extract_ref(
		    e, PR_KIND_CONTAINER, PR_REF_VOLUMES_FROM, name, field);
		e->spec->volumes_from = true;
	}
	return 0;
}

int
extract_mounts(struct extract *e, const struct body_slots *config,
    const struct body_slots *host)
{
	struct pr_strs binds = body_strs(e->arena, host->f[F_H_BINDS]);
	const struct pr_json *tmpfs = host->f[F_H_TMPFS];
	size_t anonymous = body_count(config->f[F_C_VOLUMES]);

	e->spec->volume_driver = body_str(host->f[F_H_VOLUMEDRIVER]);
	for (size_t i = 0; i < binds.n; i++) {
		if (read_bind(e, binds.v[i],
			pr_arena_printf(e->arena, "HostConfig.Binds[%zu]", i)) <
		    0)
			return -1;
	}
	if (extract_mount_list(e, host->f[F_H_MOUNTS], "HostConfig.Mounts") <
		0 ||
	    read_volumes_from(
		e, body_strs(e->arena, host->f[F_H_VOLUMESFROM])) < 0)
		return -1;
	for (size_t i = 0; i < body_count(tmpfs); i++)
		extract_mount(e, PR_MOUNT_TMPFS, "HostConfig.Tmpfs")->options =
		    tmpfs_words(e->arena, body_str(&tmpfs->members[i].value));
	for (size_t i = 0; i < anonymous; i++)
		extract_mount(e, PR_MOUNT_VOLUME, "Volumes")->driver =
		    e->spec->volume_driver;
	return 0;
}

/* One entry of an inspect answer's Mounts: Type, Name or Source, RW, Mode. */
static int
add_mount_of(struct extract *e, const struct pr_json *v)
{
	const struct pr_json *rw;
	struct pr_str type, source;
	struct pr_mount *m;

	if (v->type != PR_JSON_OBJECT)
		return -1;
	type = body_str(pr_json_get(v, PR_STR("Type")));
	rw = pr_json_get(v, PR_STR("RW"));
	m = extract_mount(e, PR_MOUNT_OTHER, "HostConfig.VolumesFrom");
	m->read_only = !body_bool(rw);
	m->propagation = body_str(pr_json_get(v, PR_STR("Propagation")));
	/* the daemon fills this in where nobody wrote anything */
	if (pr_str_is(m->propagation, "rprivate"))
		m->propagation = PR_STR("");
	if (pr_str_is(type, "bind")) {
		source = body_str(pr_json_get(v, PR_STR("Source")));
		return source.n > 0 && source.p[0] == '/'
		    ? extract_source(e, m, source)
		    : -1;
	}
	if (pr_str_is(type, "volume")) {
		source = body_str(pr_json_get(v, PR_STR("Name")));
		return source.n > 0 && source.p[0] != '/'
		    ? extract_source(e, m, source)
		    : -1;
	}
	if (pr_str_is(type, "tmpfs"))
		m->type = PR_MOUNT_TMPFS;
	else
		m->type_text = type;
	return 0;
}

int
pr_spec_add_volumes_from(const struct pr_extract *x, struct pr_spec *s,
    const struct pr_json *inspect)
{
	struct pr_refusal why = {0};
	struct extract e = {.x = x, .arena = x->arena, .spec = s, .why = &why};
	const struct pr_json *mounts;
	size_t before = s->n_mounts;

	if (inspect == NULL || inspect->type != PR_JSON_OBJECT)
		return -1;
	mounts = pr_json_get(inspect, PR_STR("Mounts"));
	if (mounts == NULL || mounts->type != PR_JSON_ARRAY)
		return -1; /* the daemon says [] where nothing is mounted */
	for (uint32_t i = 0; i < mounts->n; i++) {
		if (add_mount_of(&e, &mounts->items[i]) < 0) {
			s->n_mounts = before; /* no half of it stays */
			return -1;
		}
	}
	return 0;
}
