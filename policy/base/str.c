/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <portreeve/str.h>

static unsigned char
lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

bool
pr_str_eq_nocase(struct pr_str a, struct pr_str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (lower((unsigned char)a.p[i]) !=
		    lower((unsigned char)b.p[i]))
			return false;
	}
	return true;
}

bool
pr_str_starts(struct pr_str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && (n == 0 || memcmp(s.p, prefix, n) == 0);
}

bool
pr_str_ends(struct pr_str s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.n >= n && (n == 0 || memcmp(s.p + (s.n - n), suffix, n) == 0);
}

int
pr_str_cmp(struct pr_str a, struct pr_str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

size_t
pr_str_find(struct pr_str s, char c)
{
	const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

	return at != NULL ? (size_t)(at - s.p) : s.n;
}

struct pr_str
pr_str_sub(struct pr_str s, size_t from, size_t to)
{
	if (to > s.n)
		to = s.n;
	if (from > to)
		from = to;
	return (struct pr_str){s.p != NULL ? s.p + from : NULL, to - from};
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct pr_str
pr_str_trim(struct pr_str s)
{
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct pr_str
pr_str_cut(struct pr_str *s, char c)
{
	size_t at = pr_str_find(*s, c);
	struct pr_str head = {s->p, at};

	if (at == s->n)
		*s = (struct pr_str){NULL, 0};
	else
		*s = (struct pr_str){s->p + at + 1, s->n - at - 1};
	return head;
}

bool
pr_str_printable(struct pr_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
	}
	return true;
}

/* Unicode 3.9, table 3-7 */
size_t
pr_utf8_head(struct pr_str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char lo = 0x80, hi = 0xbf;
	size_t len;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (s.n < len)
		return 0;
	if (p[0] == 0xe0)
		lo = 0xa0;
	else if (p[0] == 0xed)
		hi = 0x9f;
	else if (p[0] == 0xf0)
		lo = 0x90;
	else if (p[0] == 0xf4)
		hi = 0x8f;
	if (p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

bool
pr_str_utf8(struct pr_str s)
{
	while (s.n > 0) {
		size_t len = pr_utf8_head(s);

		if (len == 0)
			return false;
		s = (struct pr_str){s.p + len, s.n - len};
	}
	return true;
}

bool
pr_str_u64(struct pr_str s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 20 || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' ||
		    __builtin_mul_overflow(v, UINT64_C(10), &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	}
	*out = v;
	return true;
}

uint64_t
pr_hash(uint64_t seed, const void *p, size_t n)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	const unsigned char *b = p;
	uint64_t h = seed ^ n * odd, w;

	for (; n >= sizeof w; n -= sizeof w, b += sizeof w) {
		memcpy(&w, b, sizeof w);
		h = (h ^ w) * odd;
		h ^= h >> 32;
	}
	if (n > 0) {
		w = 0;
		memcpy(&w, b, n);
		h = (h ^ w) * odd;
		h ^= h >> 32;
	}
	h *= odd;
	return h ^ h >> 29;
}
