/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts: host paths, volumes, tmpfs (docs/semantics.md 5.10). */
#include <portreeve/image.h>

#include "profile.h"

/* The part of a pattern before its first '*', without a '/' at its end. */
static struct pr_str
literal_root(struct pr_str pattern)
{
	struct pr_str root = pr_str_sub(pattern, 0, pr_str_find(pattern, '*'));

	if (root.n < pattern.n) { /* "/srv/a*": the root is /srv */
		while (root.n > 0 && root.p[root.n - 1] != '/')
			root.n--;
	}
	while (root.n > 1 && root.p[root.n - 1] == '/')
		root.n--;
	return root;
}

/*
 * One pattern and one bind.  Accepted only if the path matches as it is
 * written (it is clean) and no component below the pattern's root is a
 * symlink, so that what is mounted is what was judged.
 */
static enum pr_tri
bind_fits(const struct judging *j, struct pr_str pattern,
    const struct pr_mount *m, const struct pr_path_fact *fact)
{
	char buf[1024];
	bool ro = pr_str_ends(pattern, ":ro");
	struct pr_str p;

	if (ro)
		pattern = pr_str_sub(pattern, 0, pattern.n - 3);
	p = pattern_expand(j, pattern, buf, sizeof buf);
	if (p.p == NULL || !pr_glob(p, m->source, '/'))
		return PR_NO;
	if (ro && (!m->read_only || m->shallow))
		return PR_NO;
	if (fact == NULL || !fact->known)
		return PR_CANNOT_TELL;
	/* what lies below the root on other hosts nobody looks at */
	if (j->spec->elsewhere && m->source.n > literal_root(p).n)
		return PR_CANNOT_TELL;
	return fact->last_link <= literal_root(p).n ? PR_YES : PR_NO;
}

/* Why a bind fails whose path, as it is written, a pattern has. */
static const char *
bind_flaw(const struct judging *j, const struct pr_mount *m,
    const struct pr_path_fact *fact)
{
	const char *flaw = m->read_only ? " read-only" : "";
	char buf[1024];

	for (size_t i = 0; i < j->leaf->list.n; i++) {
		struct pr_str pattern = j->leaf->list.v[i], p;
		bool ro = pr_str_ends(pattern, ":ro");

		if (ro)
			pattern = pr_str_sub(pattern, 0, pattern.n - 3);
		p = pattern_expand(j, pattern, buf, sizeof buf);
		if (p.p == NULL || !pr_glob(p, m->source, '/'))
			continue;
		if (ro && !m->read_only)
			flaw = " read-write";
		else if (ro && m->shallow)
			flaw = " read-only, but not what is mounted below it";
		else if (fact != NULL && fact->last_link > 0)
			return ", on whose way is a symlink";
	}
	return flaw;
}

enum pr_tri
judge_bind(struct judging *j)
{
	enum pr_tri all = PR_YES; /* a bind that fails beats one unseen */

	for (size_t i = 0; i < j->spec->n_mounts; i++) {
		const struct pr_mount *m = &j->spec->mounts[i];
		const struct pr_path_fact *fact;
		enum pr_tri best = PR_NO;
		char name[SHOWN + 4];

		if (m->type == PR_MOUNT_OTHER)
			return judge_no(j,
			    "%s has a mount type that is not known", m->field);
		if (m->type != PR_MOUNT_BIND)
			continue;
		fact = j->spec->binds[m->bind].fact;
		for (size_t k = 0; k < j->leaf->list.n && best != PR_YES; k++) {
			enum pr_tri t =
			    bind_fits(j, j->leaf->list.v[k], m, fact);

			best = t == PR_NO ? best : t;
		}
		if (best == PR_CANNOT_TELL)
			all = judge_cannot_tell(j, "%s: %s: %s", m->field,
			    shown(m->source, name),
			    fact != NULL && fact->known
				? "it may be a link on another node"
				: fact != NULL && fact->why != NULL
				? fact->why
				: "the host path was not looked at");
		if (best == PR_NO)
			return judge_no(j, "%s mounts %s%s", m->field,
			    shown(m->source, name), bind_flaw(j, m, fact));
	}
	return all;
}

enum pr_tri
judge_protected(struct judging *j)
{
	enum pr_tri all = PR_YES;
	char name[SHOWN + 4];

	if (pr_str_is(j->leaf->word, "allow"))
		return PR_YES;
	for (size_t i = 0; i < j->spec->n_binds; i++) {
		const struct pr_bind_source *b = &j->spec->binds[i];

		if (b->fact == NULL || !b->fact->known)
			all = judge_cannot_tell(
			    j, "%s was not looked at", shown(b->path, name));
		else if (b->fact->is_protected)
			return judge_no(j, "%s is protected (%.*s)",
			    shown(b->path, name),
			    PR_STRF(b->fact->protected_by));
	}
	return all;
}

enum pr_tri
judge_shared_trees(struct judging *j)
{
	enum pr_tri all = PR_YES;
	char name[SHOWN + 4];

	if (j->leaf->b)
		return PR_YES;
	for (size_t i = 0; i < j->spec->n_binds; i++) {
		const struct pr_bind_source *b = &j->spec->binds[i];

		if (b->of_volume)
			continue;
		if (b->fact == NULL || !b->fact->shared_known ||
		    (j->spec->elsewhere && !b->fact->shared))
			all = judge_cannot_tell(j,
			    "%s: the mounts of other containers are not known",
			    shown(b->path, name));
		else if (b->fact->shared)
			return judge_no(j,
			    "%s lies in one tree with what %.*s has mounted",
			    shown(b->path, name),
			    b->fact->shared_with.n < 32
				? (int)b->fact->shared_with.n
				: 12,
			    b->fact->shared_with.p);
	}
	return all;
}

enum pr_tri
judge_propagation(struct judging *j)
{
	char name[SHOWN + 4];

	for (size_t i = 0; i < j->spec->n_mounts; i++) {
		const struct pr_mount *m = &j->spec->mounts[i];

		if (m->propagation.n > 0 &&
		    !list_matches(j, m->propagation, '\0'))
			return judge_no(j, "%s has propagation %s", m->field,
			    shown(m->propagation, name));
	}
	return PR_YES;
}

enum pr_tri
judge_relabel(struct judging *j)
{
	for (size_t i = 0; i < j->spec->n_mounts && !j->leaf->b; i++) {
		if (j->spec->mounts[i].relabel)
			return judge_no(j, "%s asks for relabelling",
			    j->spec->mounts[i].field);
	}
	return PR_YES;
}

enum pr_tri
judge_volumes(struct judging *j)
{
	char name[SHOWN + 4];

	for (size_t i = 0; i < j->spec->n_mounts; i++) {
		const struct pr_mount *m = &j->spec->mounts[i];

		if (m->type != PR_MOUNT_VOLUME || m->ref < 0)
			continue;
		if (pr_str_is(j->leaf->word, "none"))
			return judge_no(j, "%s mounts volume %s", m->field,
			    shown(m->source, name));
		/* another node may have another volume of that name */
		if (j->spec->elsewhere && !pr_str_is(j->leaf->word, "any"))
			return judge_cannot_tell(j,
			    "%s: whose volume %s is on other nodes is not "
			    "known",
			    m->field, shown(m->source, name));
	}
	return PR_YES;
}

static enum pr_tri
driver_allowed(struct judging *j, struct pr_str driver, pr_field field)
{
	char name[SHOWN + 4];

	if (driver.n == 0)
		driver = PR_STR("local");
	if (list_matches(j, driver, '\0'))
		return PR_YES;
	return judge_no(j, "%s has driver %s", field, shown(driver, name));
}

/*
 * A volume that exists keeps the driver and the options that it was made
 * with, whatever the request says (FACTS E): so both are judged.
 */
enum pr_tri
judge_volume_drivers(struct judging *j)
{
	const struct pr_spec *s = j->spec;
	enum pr_tri all = PR_YES;

	if (s->volume_driver.n > 0 &&
	    driver_allowed(j, s->volume_driver, "HostConfig.VolumeDriver") ==
		PR_NO)
		return PR_NO;
	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct pr_mount *m = &s->mounts[i];
		const struct pr_object *o = ref_object(j, m->ref);

		if (m->type != PR_MOUNT_VOLUME)
			continue;
		if (driver_allowed(j, m->driver, m->field) == PR_NO)
			return PR_NO;
		if (o != NULL && o->presence == PR_PRESENT &&
		    driver_allowed(j, o->driver, m->field) == PR_NO)
			return PR_NO;
		if (m->ref >= 0 && o == NULL)
			all = PR_CANNOT_TELL;
	}
	return all == PR_YES ? PR_YES
			     : judge_cannot_tell(j, "a volume is not known");
}

bool
option_allowed(struct judging *j, struct pr_str key, struct pr_str value)
{
	char both[1024];
	size_t n = 0;

	if (list_matches(j, key, '\0'))
		return true;
	if (key.n + 1 + value.n > sizeof both)
		return false;
	for (size_t i = 0; i < key.n; i++)
		both[n++] = key.p[i];
	both[n++] = '=';
	for (size_t i = 0; i < value.n; i++)
		both[n++] = value.p[i];
	return list_matches(j, (struct pr_str){both, n}, '\0');
}

static enum pr_tri
object_options(struct judging *j, const struct pr_object *o, pr_field field)
{
	const struct pr_json *v = o->options;
	char name[SHOWN + 4];

	if (v == NULL || v->type == PR_JSON_NULL)
		return PR_YES;
	if (v->type != PR_JSON_OBJECT)
		return judge_cannot_tell(
		    j, "%s: the volume's options are not understood", field);
	for (uint32_t i = 0; i < v->n; i++) {
		const struct pr_json *value = &v->members[i].value;

		if (value->type != PR_JSON_STRING ||
		    !option_allowed(j, v->members[i].key, value->str))
			return judge_no(j, "%s: the volume has option %s",
			    field, shown(v->members[i].key, name));
	}
	return PR_YES;
}

enum pr_tri
judge_volume_opts(struct judging *j)
{
	enum pr_tri all = PR_YES;

	for (size_t i = 0; i < j->spec->n_mounts; i++) {
		const struct pr_mount *m = &j->spec->mounts[i];
		const struct pr_object *o = ref_object(j, m->ref);
		char name[SHOWN + 4];

		if (m->type == PR_MOUNT_TMPFS)
			continue;
		for (size_t k = 0; k < m->options.n; k++) {
			if (!option_allowed(
				j, m->options.v[k].key, m->options.v[k].value))
				return judge_no(j, "%s has volume option %s",
				    m->field, shown(m->options.v[k].key, name));
		}
		if (m->type != PR_MOUNT_VOLUME || m->ref < 0)
			continue;
		if (o == NULL)
			all = PR_CANNOT_TELL;
		else if (o->presence == PR_PRESENT) {
			enum pr_tri t = object_options(j, o, m->field);

			if (t == PR_NO)
				return PR_NO;
			all = t == PR_YES ? all : t;
		}
	}
	return all == PR_YES ? PR_YES
			     : judge_cannot_tell(j, "a volume is not known");
}

enum pr_tri
judge_volumes_from(struct judging *j)
{
	if (!j->spec->volumes_from || !pr_str_is(j->leaf->word, "none"))
		return PR_YES;
	return judge_no(j, "HostConfig.VolumesFrom is set");
}

enum pr_tri
judge_tmpfs(struct judging *j)
{
	static const char *const harmless[] = {"size", "mode", "uid", "gid",
	    "ro", "rw", "nosuid", "nodev", "noexec"};
	char name[SHOWN + 4];

	for (size_t i = 0; i < j->spec->n_mounts; i++) {
		const struct pr_mount *m = &j->spec->mounts[i];

		if (m->type != PR_MOUNT_TMPFS)
			continue;
		if (!j->leaf->b)
			return judge_no(j, "%s is a tmpfs", m->field);
		for (size_t k = 0; k < m->options.n; k++) {
			struct pr_str key = m->options.v[k].key;
			bool ok = list_has(j->leaf, "*");

			for (size_t h = 0; h < PR_COUNT(harmless) && !ok; h++)
				ok = pr_str_is(key, harmless[h]);
			if (!ok &&
			    !option_allowed(j, key, m->options.v[k].value))
				return judge_no(j, "%s has tmpfs option %s",
				    m->field, shown(key, name));
		}
	}
	return PR_YES;
}

enum pr_tri
judge_mount_images(struct judging *j)
{
	struct pr_arena *a = NULL;
	enum pr_tri all = PR_YES;

	for (size_t i = 0; i < j->spec->n_mounts && all == PR_YES; i++) {
		const struct pr_mount *m = &j->spec->mounts[i];
		struct pr_image image;
		char name[SHOWN + 4];

		if (m->type != PR_MOUNT_IMAGE)
			continue;
		if (a == NULL)
			a = pr_arena_new(1024);
		image = pr_image_read(a, m->source);
		if (image.form != PR_IMAGE_NAME ||
		    !image_name_allowed(j, &image))
			all = judge_no(j, "%s mounts image %s", m->field,
			    shown(m->source, name));
	}
	pr_arena_free(a);
	return all;
}
