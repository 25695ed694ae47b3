/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <portreeve/str.h>

#define MAX_SUGGEST 48 /* longer words are not compared */

struct matcher {
	struct pr_str pat;
	struct pr_str s;
	char sep;
	bool nocase;
};

static bool
same(const struct matcher *m, char a, char b)
{
	if (m->nocase) {
		if (a >= 'A' && a <= 'Z')
			a = (char)(a + 32);
		if (b >= 'A' && b <= 'Z')
			b = (char)(b + 32);
	}
	return a == b;
}

static bool
is_double(const struct matcher *m, size_t i)
{
	return i + 1 < m->pat.n && m->pat.p[i] == '*' && m->pat.p[i + 1] == '*';
}

/*
 * Two marks to come back to, one for the last `*` and one for the last `**`:
 * a `*` that cannot grow past a separator falls back to the `**` before it.
 * When a later `**` is met the earlier marks are done with, so the work is
 * at most |pattern| * |s|.
 */
static bool
match_from(const struct matcher *m, size_t i, size_t j)
{
	size_t star_i = SIZE_MAX, star_j = 0;
	size_t deep_i = SIZE_MAX, deep_j = 0;

	for (;;) {
		if (is_double(m, i)) {
			i += 2;
			deep_i = i;
			deep_j = j;
			star_i = SIZE_MAX;
			continue;
		}
		if (i < m->pat.n && m->pat.p[i] == '*') {
			star_i = ++i;
			star_j = j;
			continue;
		}
		if (i == m->pat.n && j == m->s.n)
			return true;
		if (i < m->pat.n && j < m->s.n &&
		    same(m, m->pat.p[i], m->s.p[j])) {
			i++;
			j++;
			continue;
		}
		if (star_i != SIZE_MAX && star_j < m->s.n &&
		    (m->sep == '\0' || m->s.p[star_j] != m->sep)) {
			i = star_i;
			j = ++star_j;
			continue;
		}
		if (deep_i != SIZE_MAX && deep_j < m->s.n) {
			i = deep_i;
			j = ++deep_j;
			star_i = SIZE_MAX;
			continue;
		}
		return false;
	}
}

static bool
glob(struct matcher m)
{
	/* "/srv/a/" "**" takes "/srv/a" itself: depth none */
	if (m.sep != '\0' && m.pat.n >= 3 && m.pat.n == m.s.n + 3 &&
	    m.pat.p[m.s.n] == m.sep && is_double(&m, m.s.n + 1)) {
		struct matcher head = m;

		head.pat.n = m.s.n;
		if (match_from(&head, 0, 0))
			return true;
	} else if (m.sep != '\0' && m.pat.n >= 3 &&
	    m.pat.p[m.pat.n - 3] == m.sep && is_double(&m, m.pat.n - 2)) {
		struct matcher head = m;

		head.pat.n -= 3;
		if (match_from(&head, 0, 0))
			return true;
	}
	return match_from(&m, 0, 0);
}

bool
pr_glob(struct pr_str pattern, struct pr_str s, char sep)
{
	return glob((struct matcher){pattern, s, sep, false});
}

bool
pr_glob_nocase(struct pr_str pattern, struct pr_str s, char sep)
{
	return glob((struct matcher){pattern, s, sep, true});
}

/* Damerau-Levenshtein with adjacent swaps, three rows. */
static size_t
distance(struct pr_str a, struct pr_str b)
{
	size_t rows[3][MAX_SUGGEST + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= b.n; j++)
		last[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		now[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			bool equal = a.p[i - 1] == b.p[j - 1];
			size_t best = last[j - 1] + !equal;

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
			    a.p[i - 2] == b.p[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}

		size_t *spare = before;

		before = last;
		last = now;
		now = spare;
	}
	return last[b.n];
}

const char *
pr_suggest(struct pr_str word, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	size_t limit = word.n / 3 + 1;

	if (word.n == 0 || word.n > MAX_SUGGEST)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct pr_str c = pr_str_of(candidates[i]);

		if (c.n > MAX_SUGGEST)
			continue;

		size_t d = distance(word, c);

		if (d < limit || (d == limit && best == NULL)) {
			best = candidates[i];
			limit = d;
		}
	}
	return best;
}
