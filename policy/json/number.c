/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers: RFC 8259 section 6; an int64 only as strconv.ParseInt takes it. */
#include <portreeve/json.h>

#include "reader.h"

static const char *
digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* At least one digit from r->p on, or a fault. */
static bool
some_digits(struct reader *r)
{
	const char *p = digits(r->p, r->end);

	if (p == r->p)
		return reader_fail(
		    r, PR_JSON_SYNTAX, p, "a digit must be here");
	r->p = p;
	return true;
}

static bool
to_int64(const char *p, const char *end, bool negative, int64_t *out)
{
	uint64_t v = 0;

	if (end - p > 19) /* and 19 digits fit into 64 bits */
		return false;
	for (; p < end; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	if (v > (uint64_t)INT64_MAX + negative)
		return false;
	*out = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

bool
read_number(struct reader *r, struct pr_json *v)
{
	bool negative = *r->p == '-', whole = true;
	const char *first;

	r->p += negative;
	first = r->p;
	if (!some_digits(r))
		return false;
	if (*first == '0' && r->p - first > 1)
		return reader_fail(
		    r, PR_JSON_SYNTAX, first + 1, "a leading zero");
	if (to_int64(first, r->p, negative, &v->i))
		v->flags = PR_JSON_INT;
	if (r->p < r->end && *r->p == '.') {
		whole = false;
		r->p++;
		if (!some_digits(r))
			return false;
	}
	if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
		whole = false;
		r->p++;
		if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
			r->p++;
		if (!some_digits(r))
			return false;
	}
	if (!whole) {
		v->flags = 0;
		v->i = 0;
	}
	return true;
}
