/* SPDX-License-Identifier: Apache-2.0 */
/* Strings: RFC 8259 section 7, nothing repaired. */
#include <string.h>

#include <portreeve/json.h>

#include "reader.h"

static bool
is_high_surrogate(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdbff;
}

static bool
is_low_surrogate(uint32_t c)
{
	return c >= 0xdc00 && c <= 0xdfff;
}

/* Four hexadecimal digits, or -1. */
static int32_t
hex4(const char *p)
{
	int32_t v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)p[i];
		unsigned char small = c | 0x20;

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if (small >= 'a' && small <= 'f')
			v = v << 4 | (small - 'a' + 10);
		else
			return -1;
	}
	return v;
}

/*
 * The escape at p, a backslash.  Returns its length, or 0 if it is none; a
 * surrogate that has lost its other half is handed out as it is.
 */
static size_t
escape_at(const char *p, const char *end, uint32_t *c)
{
	static const char means[256] = {['"'] = '"',
	    ['\\'] = '\\',
	    ['/'] = '/',
	    ['b'] = '\b',
	    ['f'] = '\f',
	    ['n'] = '\n',
	    ['r'] = '\r',
	    ['t'] = '\t'};
	int32_t v;

	if (end - p < 2)
		return 0;
	*c = (unsigned char)means[(unsigned char)p[1]];
	if (*c != 0)
		return 2;
	if (p[1] != 'u' || end - p < 6 || (v = hex4(p + 2)) < 0)
		return 0;
	*c = (uint32_t)v;
	if (is_high_surrogate(*c) && end - p >= 12 && p[6] == '\\' &&
	    p[7] == 'u' && (v = hex4(p + 8)) >= 0 &&
	    is_low_surrogate((uint32_t)v)) {
		*c = 0x10000 + ((*c - 0xd800) << 10) + ((uint32_t)v - 0xdc00);
		return 12;
	}
	return 6;
}

static size_t
utf8_length(uint32_t c)
{
	return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

static size_t
utf8_put(char *o, uint32_t c)
{
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t n = utf8_length(c);

	for (size_t i = n; i-- > 1; c >>= 6)
		o[i] = (char)(0x80 | (c & 0x3f));
	o[0] = (char)(lead[n] | c);
	return n;
}

/* Every escape in s has been looked at before; `n` bytes come out. */
static struct pr_str
unescape(struct reader *r, struct pr_str s, size_t n)
{
	char *out = pr_arena_bytes(r->arena, n), *o = out;
	const char *p = s.p, *end = s.p + s.n;

	while (p < end) {
		const char *q =
		    *p == '\\' ? p : memchr(p, '\\', (size_t)(end - p));
		size_t plain = (size_t)((q != NULL ? q : end) - p);
		uint32_t c = 0;

		memcpy(o, p, plain);
		o += plain;
		p += plain;
		if (q != NULL) {
			p += escape_at(p, end, &c);
			o += utf8_put(o, c);
		}
	}
	return (struct pr_str){out, n};
}

/* The run of more than ASCII at p; returns its length, 0 for a fault. */
static size_t
wide_run(struct reader *r, const char *p)
{
	const char *q = p;

	while (q < r->end && (unsigned char)*q >= 0x80) {
		size_t n =
		    pr_utf8_head((struct pr_str){q, (size_t)(r->end - q)});

		if (n == 0) {
			reader_fail(r, PR_JSON_ENCODING, q, "not UTF-8");
			return 0;
		}
		q += n;
	}
	return (size_t)(q - p);
}

/* What is at p is not plain; returns how far to go on, 0 for a fault. */
static size_t
special(struct reader *r, const char *p, struct text *t, size_t *saved)
{
	size_t n;
	uint32_t c;

	if (p == r->end) {
		reader_fail(r, PR_JSON_SYNTAX, p, "the string does not end");
		return 0;
	}
	if ((unsigned char)*p < 0x20) {
		reader_fail(r, PR_JSON_SYNTAX, p,
		    "a raw control character in a string");
		return 0;
	}
	if (*p != '\\') {
		t->wide = true;
		return wide_run(r, p);
	}
	n = escape_at(p, r->end, &c);
	if (n == 0) {
		reader_fail(r, PR_JSON_SYNTAX, p, "no such escape");
		return 0;
	}
	if (is_high_surrogate(c) || is_low_surrogate(c)) {
		reader_fail(r, PR_JSON_ENCODING, p, "a lone surrogate");
		return 0;
	}
	t->nul |= c == 0;
	t->wide |= c >= 0x80;
	*saved += n - utf8_length(c);
	return n;
}

bool
read_any_string(struct reader *r, struct text *out)
{
	const char *begin = r->p + 1, *p = begin;
	size_t saved = 0; /* an escape is always longer than what it means */

	out->nul = false;
	out->wide = false;
	for (;;) {
		size_t n;

		p = scan_plain(p, r->end);
		if (p < r->end && *p == '"')
			break;
		n = special(r, p, out, &saved);
		if (n == 0)
			return false;
		p += n;
	}
	r->p = p + 1;
	out->s = (struct pr_str){begin, (size_t)(p - begin)};
	if (saved > 0)
		out->s = unescape(r, out->s, out->s.n - saved);
	return true;
}
