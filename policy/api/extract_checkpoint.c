/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints.  The daemon joins directory and id to a path of the host and
 * looks at neither (FACTS E), so the directory must be its own, and an id is
 * a name that climbs nowhere.
 */
#include "extract.h"

static bool
is_name(struct pr_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9');

		if (!alnum && (i == 0 || (c != '_' && c != '.' && c != '-')))
			return false;
	}
	return s.n > 0;
}

static int
check_id(struct extract *e, struct pr_str id, pr_field field)
{
	if (is_name(id))
		return 0;
	return body_refuse(e->why, PR_REASON_AMBIGUOUS,
	    "%s is not the name of a checkpoint: letters, digits, '_', '.', "
	    "'-'",
	    field);
}

static void
check_dir(struct extract *e, const struct pr_request *rq, const char *key)
{
	const struct pr_str *dir = pr_query_get(rq, key);

	if (dir != NULL && dir->n > 0)
		e->spec->must_default =
		    pr_arena_printf(e->arena, "the query key %s", key);
}

int
extract_start(struct extract *e, const struct pr_request *rq)
{
	const struct pr_str *id = pr_query_get(rq, "checkpoint");

	check_dir(e, rq, "checkpoint-dir");
	if (id == NULL || id->n == 0)
		return 0;
	return check_id(e, *id, "the query key checkpoint");
}

int
extract_checkpoint(struct extract *e, const struct pr_request *rq)
{
	struct body_walk walk = {.arena = e->arena, .why = e->why};
	struct body_slots f = {{NULL}};

	if (body_walk(&walk, BODY_CHECKPOINT, rq->json, "", &f) < 0)
		return -1;
	e->spec->unknown_field = walk.unknown_field;
	e->spec->must_default = walk.must_default;
	return check_id(e, body_str(f.f[F_CP_ID]), "CheckpointID");
}

int
extract_checkpoints(struct extract *e, const struct pr_request *rq)
{
	check_dir(e, rq, "dir");
	return 0;
}

int
extract_uncheckpoint(struct extract *e, const struct pr_request *rq)
{
	check_dir(e, rq, "dir");
	return check_id(e, rq->name2, "the checkpoint in the path");
}
