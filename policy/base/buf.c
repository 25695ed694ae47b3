/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>

#define SHORT ((size_t)100) /* as most of what is printed */

void
pr_buf_fini(struct pr_buf *b)
{
	free(b->p);
	*b = (struct pr_buf)PR_BUF_INIT;
}

void
pr_buf_reset(struct pr_buf *b)
{
	b->n = 0;
	if (b->p != NULL)
		b->p[0] = '\0';
}

char *
pr_buf_reserve(struct pr_buf *b, size_t n)
{
	b->p = pr_grow(b->p, b->n + n, &b->cap, 1);
	return b->p + b->n;
}

void
pr_buf_grew(struct pr_buf *b, size_t n)
{
	b->n += n;
	b->p[b->n] = '\0';
}

void
pr_buf_add(struct pr_buf *b, const void *p, size_t n)
{
	char *to = pr_buf_reserve(b, n);

	if (n > 0)
		memcpy(to, p, n);
	pr_buf_grew(b, n);
}

void
pr_buf_str(struct pr_buf *b, struct pr_str s)
{
	pr_buf_add(b, s.p, s.n);
}

void
pr_buf_cstr(struct pr_buf *b, const char *s)
{
	pr_buf_add(b, s, strlen(s));
}

void
pr_buf_char(struct pr_buf *b, char c)
{
	*pr_buf_reserve(b, 1) = c;
	pr_buf_grew(b, 1);
}

void
pr_buf_u64(struct pr_buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	pr_buf_add(b, digits + at, sizeof digits - at);
}

void
pr_buf_i64(struct pr_buf *b, int64_t v)
{
	if (v < 0) {
		pr_buf_char(b, '-');
		pr_buf_u64(b, -(uint64_t)v);
	} else {
		pr_buf_u64(b, (uint64_t)v);
	}
}

void
pr_buf_vprintf(struct pr_buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	/* most are short: once, where there is room for them */
	va_copy(again, ap);
	n = vsnprintf(pr_buf_reserve(b, SHORT), SHORT + 1, fmt, again);
	va_end(again);
	if (n < 0)
		abort(); /* our own format: a bug */
	if ((size_t)n > SHORT)
		vsnprintf(pr_buf_reserve(b, (size_t)n), (size_t)n + 1, fmt, ap);
	pr_buf_grew(b, (size_t)n);
}

void
pr_buf_printf(struct pr_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pr_buf_vprintf(b, fmt, ap);
	va_end(ap);
}

struct pr_str
pr_buf_view(const struct pr_buf *b)
{
	return (struct pr_str){b->p, b->n};
}

static bool
plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* The well-formed UTF-8 sequence at the front of s, as its length, or 0. */
static size_t
sequence(struct pr_str s)
{
	size_t most = s.n < 4 ? s.n : 4;

	for (size_t len = 2; len <= most; len++) {
		if (pr_str_utf8((struct pr_str){s.p, len}))
			return len;
	}
	return 0;
}

static void
escape(struct pr_buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	switch (c) {
	case '"':
		pr_buf_cstr(b, "\\\"");
		break;
	case '\\':
		pr_buf_cstr(b, "\\\\");
		break;
	case '\n':
		pr_buf_cstr(b, "\\n");
		break;
	case '\t':
		pr_buf_cstr(b, "\\t");
		break;
	default: {
		char u[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

		pr_buf_add(b, u, sizeof u);
	}
	}
}

void
pr_buf_json(struct pr_buf *b, struct pr_str s)
{
	size_t i = 0;

	pr_buf_char(b, '"');
	while (i < s.n) {
		size_t run = i;

		while (run < s.n && plain((unsigned char)s.p[run]))
			run++;
		if (run > i)
			pr_buf_add(b, s.p + i, run - i);
		i = run;
		if (i == s.n)
			break;
		if ((unsigned char)s.p[i] < 0x80) {
			escape(b, (unsigned char)s.p[i++]);
			continue;
		}

		size_t len = sequence(pr_str_sub(s, i, s.n));

		if (len == 3 && memcmp(s.p + i, "\xe2\x80\xa8", 3) == 0)
			pr_buf_cstr(b, "\\u2028");
		else if (len == 3 && memcmp(s.p + i, "\xe2\x80\xa9", 3) == 0)
			pr_buf_cstr(b, "\\u2029");
		else if (len == 2 && (unsigned char)s.p[i] == 0xc2 &&
		    (unsigned char)s.p[i + 1] < 0xa0) /* C1 controls */
			pr_buf_printf(
			    b, "\\u00%02x", (unsigned char)s.p[i + 1]);
		else if (len > 0)
			pr_buf_add(b, s.p + i, len);
		else
			escape(b, (unsigned char)s.p[i]);
		i += len > 0 ? len : 1;
	}
	pr_buf_char(b, '"');
}
