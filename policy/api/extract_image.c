/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What works on images: pull, tag, push, remove, import, load.  They have no
 * owner; their names are what is judged (docs/semantics.md 5.9), so all that
 * is read here is which names a request takes, gives and sends away.
 */
#include <string.h>

#include <portreeve/image.h>

#include "extract.h"

struct pr_str
extract_query(const struct pr_request *rq, const char *key)
{
	const struct pr_str *value = pr_query_get(rq, key);

	return value != NULL ? *value : (struct pr_str){NULL, 0};
}

/*
 * The reference that the daemon makes of a name and a tag beside it: the tag
 * takes the place of the name's own, and may be a digest (PullImage,
 * reference.WithTag, reference.WithDigest).
 */
static int
join(struct extract *e, struct pr_str repo, struct pr_str tag, pr_field field,
    struct pr_image *out, struct pr_str *text)
{
	struct pr_image i = pr_image_read(e->arena, repo);
	bool digest = pr_str_starts(tag, "sha256:");

	if (i.form != PR_IMAGE_NAME && i.form != PR_IMAGE_EITHER)
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "%s is not the name of an image", field);
	if (digest)
		i.digest = tag;
	if (tag.n > 0)
		i.tag = digest ? (struct pr_str){NULL, 0} : tag;
	*text = pr_str_of(pr_arena_printf(e->arena, "%.*s%s%.*s%s%.*s",
	    PR_STRF(i.name), i.tag.n > 0 ? ":" : "", PR_STRF(i.tag),
	    i.digest.n > 0 ? "@" : "", PR_STRF(i.digest)));
	*out = pr_image_read(e->arena, *text);
	/* "1@sha256:..." is no tag, whatever it reads like behind a name */
	if (out->form != PR_IMAGE_NAME || !pr_str_eq(out->tag, i.tag) ||
	    !pr_str_eq(out->digest, i.digest))
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "the tag beside %s is no tag", field);
	return 0;
}

int
extract_name(struct extract *e, enum pr_image_act act, struct pr_str repo,
    struct pr_str tag, pr_field field)
{
	struct pr_spec *s = e->spec;
	struct pr_image image = {0};
	struct pr_str text;

	if (join(e, repo, tag, field, &image, &text) < 0)
		return -1;
	if (act == PR_IMAGE_WRITTEN && image.digest.n > 0)
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "%s has a digest; only a tag can be given", field);
	if (s->n_names == s->cap_names) {
		size_t cap = s->cap_names > 0 ? s->cap_names * 2 : 4;
		struct pr_image_name *names =
		    pr_arena_array(e->arena, cap, sizeof *names);

		for (size_t i = 0; i < s->n_names; i++)
			names[i] = s->names[i];
		s->names = names;
		s->cap_names = cap;
	}
	s->names[s->n_names++] = (struct pr_image_name){.act = act,
	    .field = field,
	    .text = text,
	    .all_tags = act != PR_IMAGE_WRITTEN && image.tag.n == 0 &&
		image.digest.n == 0};
	return 0;
}

int
extract_pull(struct extract *e, const struct pr_request *rq)
{
	e->spec->body = PR_SPEC_IMAGE;
	return extract_name(e, PR_IMAGE_PULLED, extract_query(rq, "fromImage"),
	    extract_query(rq, "tag"), "fromImage");
}

int
extract_push(struct extract *e, const struct pr_request *rq)
{
	struct body_walk walk = {
	    .arena = e->arena, .echoes = e->echoes, .why = e->why};

	/* credentials, from clients that do not send X-Registry-Auth */
	if (body_walk(&walk, BODY_AUTH, rq->json, "", NULL) < 0)
		return -1;
	e->spec->body = PR_SPEC_IMAGE;
	e->spec->unknown_field = walk.unknown_field;
	return extract_name(e, PR_IMAGE_PUSHED, rq->name,
	    extract_query(rq, "tag"), "the image");
}

/* The image that the path names, by name or by id. */
static int
read_source(struct extract *e, const struct pr_request *rq)
{
	struct pr_image image = pr_image_read(e->arena, rq->name);
	struct pr_spec *s = e->spec;

	if (image.form == PR_IMAGE_INVALID)
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "the path is not a valid reference to an image");
	s->body = PR_SPEC_IMAGE;
	s->image = rq->name;
	s->image_ref =
	    extract_ref(e, PR_KIND_IMAGE, PR_REF_IMAGE, s->image, "the path");
	s->refs[s->image_ref].lazy = image.form == PR_IMAGE_NAME;
	return 0;
}

int
extract_tag(struct extract *e, const struct pr_request *rq)
{
	if (read_source(e, rq) < 0)
		return -1;
	return extract_name(e, PR_IMAGE_WRITTEN, extract_query(rq, "repo"),
	    extract_query(rq, "tag"), "repo");
}

int
extract_remove_image(struct extract *e, const struct pr_request *rq)
{
	e->spec->removes_image = true;
	return read_source(e, rq);
}

/*
 * An import's source: a URL; the daemon puts http:// before what has no
 * scheme.  "-" is the body.
 */
int
extract_import(struct extract *e, const struct pr_request *rq)
{
	struct pr_str src = extract_query(rq, "fromSrc");
	struct pr_str repo = extract_query(rq, "repo");

	if (src.n == 0)
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "neither fromImage nor fromSrc is set");
	e->spec->body = PR_SPEC_IMAGE;
	if (!pr_str_is(src, "-"))
		e->spec->from_src = memmem(src.p, src.n, "://", 3) != NULL
		    ? src
		    : pr_str_of(pr_arena_printf(
			  e->arena, "http://%.*s", PR_STRF(src)));
	if (extract_changes(e, rq, (struct pr_kvs){NULL, 0}) < 0)
		return -1;
	/* without a name it is found by its id alone, which nobody allows */
	if (repo.n == 0)
		return 0;
	return extract_name(
	    e, PR_IMAGE_WRITTEN, repo, extract_query(rq, "tag"), "repo");
}

/* What of the body has no place in an image; the daemon decodes it here too. */
static void
must_be_empty(
    struct extract *e, const struct body_slots *f, enum body_field field)
{
	if (e->spec->must_default == NULL && !body_is_zero(f->f[field], true))
		e->spec->must_default = body_name(field);
}

/*
 * A commit's body is a container's Config, beside which its reader knows all
 * that a create may have.  What the container has itself is judged by its
 * stored spec.
 */
int
extract_commit(struct extract *e, const struct pr_request *rq)
{
	static const enum body_struct top[] = {BODY_CONFIG, BODY_CREATE};
	struct body_walk walk = {
	    .arena = e->arena, .echoes = e->echoes, .why = e->why};
	struct body_slots *f = pr_arena_alloc(e->arena, sizeof *f);
	struct pr_str repo = extract_query(rq, "repo");

	if (extract_query(rq, "container").n == 0)
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "commit wants a container in the query key container");
	if (body_walk_any(&walk, top, PR_COUNT(top), BODY_HOSTCONFIG, rq->json,
		"", f) < 0)
		return -1;
	e->spec->body = PR_SPEC_COMMIT;
	e->spec->unknown_field = walk.unknown_field;
	e->spec->must_default = walk.must_default;
	must_be_empty(e, f, F_W_HOSTCONFIG);
	must_be_empty(e, f, F_W_NETWORKING);
	e->spec->env = body_strs(e->arena, f->f[F_C_ENV]);
	if (extract_changes(e, rq, body_map(e->arena, f->f[F_C_LABELS])) < 0)
		return -1;
	if (repo.n == 0)
		return 0;
	return extract_name(
	    e, PR_IMAGE_WRITTEN, repo, extract_query(rq, "tag"), "repo");
}

int
extract_load(struct extract *e, const struct pr_request *rq)
{
	(void)rq;
	e->spec->body = PR_SPEC_IMAGE;
	e->spec->names_unseen = true;
	return 0;
}
