/* SPDX-License-Identifier: Apache-2.0 */
/* Only what has run elsewhere may run here (docs/semantics.md 11.6-11.10). */
#include <stdio.h>

#include <portreeve/clock.h>

#include "eval.h"

/* The image that would run; NULL: not known, or *none: there is none yet. */
static const struct pr_object *
find_image(const struct matter *m, struct pr_str *named, bool *none)
{
	const struct pr_question *q = m->q;
	const struct pr_spec *s = m->creates ? q->spec : q->stored;
	const struct pr_object *o;
	size_t at;

	*named = (struct pr_str){NULL, 0};
	*none = false;
	if (s == NULL || s->body != PR_SPEC_CONTAINER)
		return NULL;
	if (m->creates) {
		at = pr_str_find(s->image, '@');
		*named = pr_str_sub(s->image, at + 1, s->image.n);
		o = s->image_ref >= 0 ? s->refs[s->image_ref].object : NULL;
		*none = o != NULL && o->presence == PR_ABSENT;
	} else {
		o = s->run_image > 0 ? s->refs[s->run_image - 1].object : NULL;
	}
	return o != NULL && o->presence == PR_PRESENT ? o : NULL;
}

struct search {
	const struct matter *m;
	const struct pr_grant *g;
	bool any;         /* some digest is known */
	bool ran;         /* one of them has run there */
	uint64_t ran_for; /* the longest */
};

static void
try_digest(struct search *s, struct pr_str digest)
{
	const struct pr_question *q = s->m->q;
	uint64_t ns = 0;

	if (!pr_str_starts(digest, "sha256:"))
		return;
	s->any = true;
	if (!q->ran(q->ran_arg, s->g, digest, &ns))
		return;
	s->ran = true;
	if (ns > s->ran_for)
		s->ran_for = ns;
}

static void
try_all(struct search *s, const struct pr_object *image, struct pr_str named)
{
	const struct pr_json *all = image != NULL ? image->repo_digests : NULL;

	if (named.n > 0)
		try_digest(s, named);
	for (uint32_t i = 0;
	     all != NULL && all->type == PR_JSON_ARRAY && i < all->n; i++) {
		struct pr_str d = all->items[i].str;

		if (all->items[i].type == PR_JSON_STRING)
			try_digest(
			    s, pr_str_sub(d, pr_str_find(d, '@') + 1, d.n));
	}
}

static void
say_not_run(const struct search *s, struct opinion *o)
{
	const struct pr_policy *p = s->m->q->policy;
	struct pr_str phase = p->phases[s->g->promoted_phase].name;
	char text[200];

	if (!s->any)
		snprintf(text, sizeof text,
		    "the image has no manifest digest (it was never pulled or "
		    "pushed), so it cannot have run in %.*s",
		    PR_STRF(pr_str_sub(phase, 0, 40)));
	else if (!s->ran)
		snprintf(text, sizeof text,
		    "the image has not run in %.*s, as far as is known here",
		    PR_STRF(pr_str_sub(phase, 0, 40)));
	else
		snprintf(text, sizeof text,
		    "the image has run in %.*s for %llus without a stop, "
		    "min_runtime wants %llus",
		    PR_STRF(pr_str_sub(phase, 0, 40)),
		    (unsigned long long)(s->ran_for / PR_SEC),
		    (unsigned long long)(s->g->promoted_runtime / PR_SEC));
	opinion_say(o, PR_NO, STAGE_PROFILE, PR_REASON_PROFILE, text);
}

static bool
concerns(const struct matter *m)
{
	switch (m->op->op) {
	case PR_OP_CONTAINER_CREATE:
		return true;
	case PR_OP_CONTAINER_START:
	case PR_OP_CONTAINER_RESTART:
	case PR_OP_CONTAINER_UNPAUSE:
		return !m->target_absent;
	default:
		return false;
	}
}

void
judge_promotion(
    const struct matter *m, const struct pr_grant *g, struct opinion *o)
{
	struct search s = {.m = m, .g = g};
	const struct pr_object *image;
	struct pr_str named;
	bool none;

	if (g->promoted_phase < 0 || !concerns(m))
		return;
	image = find_image(m, &named, &none);
	/* it will not be made; were it there by then, start is judged again */
	if (none && named.n == 0)
		return;
	if ((image == NULL && !none) || m->q->ran == NULL) {
		if (o->answer == PR_YES)
			opinion_say(o, PR_CANNOT_TELL, STAGE_PROFILE,
			    PR_REASON_CANNOT_TELL,
			    "where the image ran before is not known");
		return;
	}
	try_all(&s, image, named);
	if (!s.ran || s.ran_for < g->promoted_runtime)
		say_not_run(&s, o);
}
