/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go finds the field of a struct by its exact name, and else by bytes that
 * are equal under Unicode's simple folding: a field "Kind" is filled by the
 * key "kind", and by one that is spelt with the Kelvin sign.
 */
#include <portreeve/json.h>

#include "reader.h"

struct fold {
	uint32_t from, to, step;
	int32_t add;
};

static const struct fold folds[] = {
#define FOLD(from, to, step, add) {from, to, step, add},
#include "fold.def"
#undef FOLD
};

uint32_t
fold_rune(uint32_t c)
{
	size_t lo = 0, hi = PR_COUNT(folds);

	if (c < 0x80)
		return ascii_lower((unsigned char)c);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const struct fold *f = &folds[mid];

		if (c < f->from)
			hi = mid;
		else if (c > f->to)
			lo = mid + 1;
		else if ((c - f->from) % f->step != 0)
			return c;
		else
			return c + (uint32_t)f->add;
	}
	return c;
}

uint32_t
fold_next(struct pr_str *s)
{
	size_t n = pr_utf8_head(*s);
	const unsigned char *p = (const unsigned char *)s->p;
	uint32_t c;

	if (n == 0)
		c = 0x110000U + p[0];
	else if (n == 1)
		c = p[0];
	else
		c = p[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3fU);
	n += n == 0;
	s->p += n;
	s->n -= n;
	return fold_rune(c);
}

bool
folds_to_ascii(struct pr_str s)
{
	while (s.n > 0) {
		if (fold_next(&s) >= 0x80)
			return false;
	}
	return true;
}

bool
pr_json_fold_eq(struct pr_str a, struct pr_str b)
{
	while (a.n > 0 && b.n > 0) {
		unsigned char x = (unsigned char)*a.p;
		unsigned char y = (unsigned char)*b.p;

		if ((x | y) < 0x80) {
			if (ascii_lower(x) != ascii_lower(y))
				return false;
			a = (struct pr_str){a.p + 1, a.n - 1};
			b = (struct pr_str){b.p + 1, b.n - 1};
		} else if (fold_next(&a) != fold_next(&b)) {
			return false;
		}
	}
	return a.n == b.n;
}
