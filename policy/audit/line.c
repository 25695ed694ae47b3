/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a line.  It has one spelling, so that the writer can find the
 * chain's end, and the verifier its order, without guessing.
 */
#include <string.h>

#include "local.h"

const char *const pr_line_types[LINE_TYPES] = {
    [LINE_SEGMENT] = "segment",
    [LINE_DECISION] = "decision",
    [LINE_OUTCOME] = "outcome",
    [LINE_LOSS] = "loss",
    [LINE_CHECKPOINT] = "checkpoint",
};

#define PUT(o, literal) \
	(memcpy((o), literal, sizeof(literal) - 1), (o) + sizeof(literal) - 1)

static char *
put_u64(char *o, uint64_t v)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	/* no string: a length goes with it */
	memcpy(o, digits + at, sizeof digits - at); /* NOLINT */
	return o + sizeof digits - at;
}

size_t
pr_line_head(char *out, enum line_type type, uint64_t seq,
    const uint8_t prev[PR_SHA256_LEN], uint64_t durable)
{
	const char *name = pr_line_types[type];
	size_t n = strlen(name);
	char *o = PUT(out, "{\"type\":\"");

	memcpy(o, name, n);
	o = PUT(o + n, "\",\"seq\":");
	o = put_u64(o, seq);
	o = PUT(o, ",\"prev\":\"");
	pr_hex(prev, PR_SHA256_LEN, o); /* its NUL is written over */
	o = PUT(o + PR_SHA256_HEX - 1, "\",");
	if (durable != 0) {
		o = PUT(o, "\"durable\":");
		o = put_u64(o, durable);
		o = PUT(o, ",");
	}
	return (size_t)(o - out);
}

static bool
skip(struct pr_str *s, const char *literal)
{
	if (!pr_str_starts(*s, literal))
		return false;
	*s = pr_str_sub(*s, strlen(literal), s->n);
	return true;
}

static bool
skip_u64(struct pr_str *s, uint64_t *out)
{
	return pr_str_u64(pr_str_cut(s, ','), out) && s->p != NULL;
}

static bool
read_type(struct pr_str name, enum line_type *out)
{
	for (unsigned i = 0; i < LINE_TYPES; i++) {
		if (pr_str_is(name, pr_line_types[i])) {
			*out = (enum line_type)i;
			return true;
		}
	}
	return false;
}

static bool
read_hash(struct pr_str *s, char out[PR_SHA256_HEX])
{
	if (s->n < PR_SHA256_HEX - 1)
		return false;
	for (size_t i = 0; i < PR_SHA256_HEX - 1; i++) {
		char c = s->p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		out[i] = c;
	}
	out[PR_SHA256_HEX - 1] = '\0';
	*s = pr_str_sub(*s, PR_SHA256_HEX - 1, s->n);
	return true;
}

bool
pr_line_read(struct pr_str line, struct line_head *out)
{
	struct pr_str s = line;

	if (!skip(&s, "{\"type\":\"") ||
	    !read_type(pr_str_cut(&s, '"'), &out->type) ||
	    !skip(&s, ",\"seq\":") || !skip_u64(&s, &out->seq) ||
	    !skip(&s, "\"prev\":\"") || !read_hash(&s, out->prev) ||
	    !skip(&s, "\","))
		return false;
	out->durable = 0;
	if (skip(&s, "\"durable\":") &&
	    (!skip_u64(&s, &out->durable) || out->durable == 0))
		return false;
	out->len = line.n - s.n;
	return true;
}
