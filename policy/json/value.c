/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into a document that was read. */
#include <string.h>

#include <portreeve/json.h>

#include "reader.h"

/* Cheap, and true for most members: this key cannot fold to that name. */
static bool
differs_at_once(struct pr_str key, const char *name, size_t n)
{
	unsigned char c;

	/* folding shortens (the Kelvin sign has three bytes), never stretches */
	if (key.n < n)
		return true;
	if (n == 0)
		return key.n > 0;
	c = (unsigned char)key.p[0];
	return c < 0x80 && ascii_lower(c) != ascii_lower((unsigned char)*name);
}

const struct pr_json *
pr_json_field(const struct pr_json *object, const char *name)
{
	struct pr_str want = pr_str_of(name);

	if (object == NULL || object->type != PR_JSON_OBJECT)
		return NULL;
	for (uint32_t i = 0; i < object->n; i++) {
		const struct pr_json_member *m = &object->members[i];

		if (!differs_at_once(m->key, want.p, want.n) &&
		    pr_json_fold_eq(m->key, want))
			return &m->value;
	}
	return NULL;
}

const struct pr_json *
pr_json_get(const struct pr_json *object, struct pr_str key)
{
	if (object == NULL || object->type != PR_JSON_OBJECT)
		return NULL;
	for (uint32_t i = 0; i < object->n; i++) {
		if (pr_str_eq(object->members[i].key, key))
			return &object->members[i].value;
	}
	return NULL;
}

const char *
pr_json_type_name(const struct pr_json *v)
{
	static const char *const names[] = {
	    [PR_JSON_NULL] = "null",
	    [PR_JSON_FALSE] = "boolean",
	    [PR_JSON_TRUE] = "boolean",
	    [PR_JSON_NUMBER] = "number",
	    [PR_JSON_STRING] = "string",
	    [PR_JSON_ARRAY] = "array",
	    [PR_JSON_OBJECT] = "object",
	};

	return v != NULL ? names[v->type] : "nothing";
}
