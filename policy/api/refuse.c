/* SPDX-License-Identifier: Apache-2.0 */
#include "refuse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
pr_refuse(struct pr_refusal *why, enum pr_reason reason, const char *fmt, ...)
{
	va_list ap;

	why->reason = reason;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof why->text, fmt, ap);
	va_end(ap);
	return -1;
}

struct pr_shown
pr_show(struct pr_str s)
{
	struct pr_shown out;
	size_t room = sizeof out.text - sizeof "...", n = s.n;
	const char *tail = "";

	if (n > room) {
		n = room;
		tail = "...";
	}
	for (size_t i = 0; i < n; i++) {
		char c = s.p[i];

		out.text[i] = '?';
		if (c >= 0x20 && c < 0x7f)
			out.text[i] = c;
	}
	memcpy(out.text + n, tail, strlen(tail) + 1);
	return out;
}

#define ALL  (PR_ENCODE_PATH | PR_ENCODE_VALUE | PR_ENCODE_KEY)
#define SOME (PR_ENCODE_PATH | PR_ENCODE_VALUE)
static const unsigned char plain[256] = {
    ['-'] = ALL,
    ['.'] = ALL,
    ['_'] = ALL,
    ['~'] = ALL,
    ['/'] = SOME,
    [':'] = SOME,
    ['@'] = SOME,
    [','] = SOME,
    ['='] = PR_ENCODE_PATH,
    ['+'] = PR_ENCODE_PATH,
};

static bool
stands_as_it_is(unsigned char c, enum pr_encode how)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    (c >= 'A' && c <= 'Z') || (plain[c] & how) != 0;
}

char *
pr_percent_encode(char *p, struct pr_str s, enum pr_encode how)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (stands_as_it_is(c, how)) {
			*p++ = (char)c;
			continue;
		}
		*p++ = '%';
		*p++ = hex[c >> 4];
		*p++ = hex[c & 15];
	}
	return p;
}
