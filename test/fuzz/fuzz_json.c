/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON reader: whatever it takes lies within its bounds, its strings are
 * UTF-8, and what it says of a place is a place.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/caps.h>
#include <portreeve/json.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
walk(const struct pr_json *v, size_t size, unsigned depth)
{
	must(depth <= PR_CAP_JSON_DEPTH);
	must(v->begin < v->end && v->end <= size);
	must(strcmp(pr_json_type_name(v), "nothing") != 0);
	if (v->type == PR_JSON_STRING) {
		must(pr_str_utf8(v->str));
		must((v->str.n > 0 &&
			 memchr(v->str.p, '\0', v->str.n) != NULL) ==
		    ((v->flags & PR_JSON_HAS_NUL) != 0));
	}
	for (uint32_t i = 0; v->type == PR_JSON_ARRAY && i < v->n; i++)
		walk(&v->items[i], size, depth + 1);
	for (uint32_t i = 0; v->type == PR_JSON_OBJECT && i < v->n; i++) {
		const struct pr_json_member *m = &v->members[i];

		must(pr_str_utf8(m->key) && m->at < m->value.begin);
		must(pr_json_get(v, m->key) == &m->value);
		/* the slow way to know about twins */
		for (uint32_t k = 0; k < i; k++)
			must(!pr_json_fold_eq(v->members[k].key, m->key) ||
			    (v->flags & PR_JSON_TWINS));
		walk(&m->value, size, depth + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pr_arena *a = pr_arena_new(1024);
	/* a block of its own, so that a byte too many is seen */
	char *copy = pr_xmalloc(size);
	struct pr_json_fault fault;
	const struct pr_json *v;

	if (size > 0)
		memcpy(copy, data, size);
	v = pr_json_read(a, (struct pr_str){copy, size}, &fault);
	must((v == NULL) == (fault.error != PR_JSON_OK));
	must(fault.at <= size);
	if (v != NULL)
		walk(v, size, 0);
	free(copy);
	pr_arena_free(a);
	return 0;
}
