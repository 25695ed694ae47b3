/* SPDX-License-Identifier: Apache-2.0 */
/* What is run: the image, its user, health check and environment. */
#include <portreeve/image.h>

#include "profile.h"

static bool
some_pattern(struct judging *j, const struct pr_image *image,
    bool (*match)(struct pr_str pattern, const struct pr_image *image))
{
	char spelt[1024], buf[1024];

	for (size_t i = 0; i < j->leaf->list.n; i++) {
		/* before the substitution: a team's name is no registry */
		struct pr_str p =
		    pr_image_spell(j->leaf->list.v[i], spelt, sizeof spelt);

		p = pattern_expand(j, p, buf, sizeof buf);
		if (p.p != NULL && match(p, image))
			return true;
	}
	return false;
}

bool
image_name_allowed(struct judging *j, const struct pr_image *image)
{
	return some_pattern(j, image, pr_image_match);
}

bool
image_tags_allowed(struct judging *j, const struct pr_image *image)
{
	return some_pattern(j, image, pr_image_match_all_tags);
}

bool
profile_names_image(const struct pr_profile *profile,
    const struct pr_judge_env *env, const struct pr_image *image)
{
	static const enum pr_profile_key keys[] = {
	    PR_KEY_IMAGES_ALLOW, PR_KEY_IMAGES_WRITE};

	for (size_t i = 0; i < PR_COUNT(keys); i++) {
		struct judging j = {.profile = profile,
		    .env = env,
		    .key = keys[i],
		    .leaf = &profile->leaf[keys[i]]};

		if (image_name_allowed(&j, image))
			return true;
	}
	return false;
}

/* How many names of a list there are, and how many of them are allowed. */
struct tally {
	size_t n, allowed;
};

static struct tally
count_names(struct judging *j, struct pr_arena *a, const struct pr_json *v)
{
	struct tally t = {0, 0};

	for (uint32_t i = 0; v != NULL && v->type == PR_JSON_ARRAY && i < v->n;
	     i++) {
		struct pr_image image = {.form = PR_IMAGE_INVALID};

		if (v->items[i].type == PR_JSON_STRING)
			image = pr_image_read(a, v->items[i].str);
		t.n++;
		if (image.form != PR_IMAGE_ID &&
		    image.form != PR_IMAGE_INVALID &&
		    image_name_allowed(j, &image))
			t.allowed++;
	}
	return t;
}

static enum pr_tri
by_id(
    struct judging *j, struct pr_arena *a, const struct pr_object *o, bool all)
{
	struct tally tags = count_names(j, a, o->repo_tags);
	struct tally digests = count_names(j, a, o->repo_digests);
	char name[SHOWN + 4];

	if (!all)
		return tags.allowed + digests.allowed > 0
		    ? PR_YES
		    : judge_no(j, "Image %s has no name that is allowed",
			  shown(j->spec->image, name));
	/* digests count where no tag speaks for the image */
	if (tags.n == 0)
		tags = digests;
	return tags.allowed == tags.n
	    ? PR_YES
	    : judge_no(j, "Image %s has a name that is not allowed",
		  shown(j->spec->image, name));
}

static enum pr_tri
judge_image_in(struct judging *j, struct pr_arena *a, bool all)
{
	struct pr_image image = pr_image_read(a, j->spec->image);
	const struct pr_object *o = ref_object(j, j->spec->image_ref);
	char name[SHOWN + 4];

	if (image.form == PR_IMAGE_INVALID)
		return judge_no(j, "Image is no valid reference");
	if (image.form != PR_IMAGE_NAME) {
		/* hex digits: the daemon decides whether name or id */
		if (o == NULL)
			return judge_cannot_tell(j, "Image %s is not known",
			    shown(j->spec->image, name));
		if (o->ambiguous)
			return judge_no(j,
			    "Image %s is both a name and the beginning of an "
			    "id",
			    shown(j->spec->image, name));
		if (o->presence == PR_PRESENT && o->by != PR_BY_NAME)
			return by_id(j, a, o, all);
		if (image.form == PR_IMAGE_ID)
			return judge_no(j, "there is no image %s",
			    shown(j->spec->image, name));
	}
	if (image_name_allowed(j, &image))
		return PR_YES;
	return judge_no(j, "Image is %s", shown(j->spec->image, name));
}

enum pr_tri
judge_image(struct judging *j, bool all)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(1024);

	return judge_image_in(j, a, all);
}

enum pr_tri
judge_images_allow(struct judging *j)
{
	return judge_image(j, false);
}

enum pr_tri
judge_images_digest(struct judging *j)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(1024);
	struct pr_image image = pr_image_read(a, j->spec->image);
	char name[SHOWN + 4];

	if (!pr_str_is(j->leaf->word, "required") || image.digest.n > 0)
		return PR_YES;
	return judge_no(
	    j, "Image %s has no digest", shown(j->spec->image, name));
}

/*
 * The image, as far as it is known.  A node of the swarm pulls what a name
 * means there and then, unless it is a digest.
 */
static const struct pr_object *
image_of(const struct judging *j)
{
	const struct pr_object *o = ref_object(j, j->spec->image_ref);

	if (o == NULL || j->spec->body != PR_SPEC_SERVICE)
		return o;
	return o->presence == PR_PRESENT &&
		pr_str_find(j->spec->image, '@') < j->spec->image.n
	    ? o
	    : NULL;
}

static const struct pr_json *
image_config(const struct judging *j, const char *field)
{
	const struct pr_object *o = image_of(j);

	if (o == NULL || o->presence != PR_PRESENT || o->config == NULL ||
	    o->config->type != PR_JSON_OBJECT)
		return NULL;
	return pr_json_get(o->config, pr_str_of(field));
}

/* The variable stands in the image's environment as it stands here. */
static bool
inherited(const struct judging *j, struct pr_str variable)
{
	const struct pr_json *env = image_config(j, "Env");

	if (env == NULL || env->type != PR_JSON_ARRAY)
		return false;
	for (uint32_t i = 0; i < env->n; i++) {
		if (env->items[i].type == PR_JSON_STRING &&
		    pr_str_eq(env->items[i].str, variable))
			return true;
	}
	return false;
}

enum pr_tri
judge_env_forbid(struct judging *j)
{
	char shown_name[SHOWN + 4];

	for (size_t i = 0; i < j->spec->env.n; i++) {
		struct pr_str rest = j->spec->env.v[i];
		struct pr_str name = pr_str_cut(&rest, '=');

		for (size_t k = 0; k < j->leaf->list.n; k++) {
			/* the name alone: a value is never shown */
			if (pr_glob_nocase(j->leaf->list.v[k], name, '\0') &&
			    !inherited(j, j->spec->env.v[i]))
				return judge_no(
				    j, "Env sets %s", shown(name, shown_name));
		}
	}
	return PR_YES;
}

enum pr_tri
judge_require_user(struct judging *j)
{
	const struct pr_object *o = image_of(j);
	const struct pr_json *user;
	char name[SHOWN + 4];

	if (!pr_str_is(j->leaf->word, "non-root"))
		return PR_YES;
	if (j->spec->user_given)
		return !user_is_root(j->spec->user)
		    ? PR_YES
		    : judge_no(j, "User is %s", shown(j->spec->user, name));
	/* a stored spec has the image's user already */
	if (j->spec->stored)
		return judge_no(j, "User is root");
	if (o == NULL)
		return judge_cannot_tell(j, "the image's user is not known");
	if (o->presence == PR_ABSENT) /* judged at start (semantics 2.8) */
		return PR_YES;
	user = image_config(j, "User");
	if (user != NULL && user->type == PR_JSON_STRING &&
	    !user_is_root(user->str))
		return PR_YES;
	return judge_no(j, "User is not set, and the image has none");
}

enum pr_tri
judge_require_health(struct judging *j)
{
	const struct pr_object *o = image_of(j);
	const struct pr_json *health;

	if (!j->leaf->b || j->spec->healthcheck)
		return PR_YES;
	if (j->spec->healthcheck_off)
		return judge_no(j, "Healthcheck is switched off");
	if (j->spec->stored)
		return judge_no(j, "Healthcheck is not set");
	if (o == NULL)
		return judge_cannot_tell(
		    j, "the image's health check is not known");
	if (o->presence == PR_ABSENT)
		return PR_YES;
	health = image_config(j, "Healthcheck");
	if (health != NULL && health->type == PR_JSON_OBJECT) {
		const struct pr_json *test =
		    pr_json_get(health, PR_STR("Test"));

		if (test != NULL && test->type == PR_JSON_ARRAY &&
		    test->n > 1 && test->items[0].type == PR_JSON_STRING &&
		    (pr_str_is(test->items[0].str, "CMD") ||
			pr_str_is(test->items[0].str, "CMD-SHELL")))
			return PR_YES;
	}
	return judge_no(j, "Healthcheck is not set, and the image has none");
}
