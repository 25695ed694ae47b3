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

	if (n > room)
		n = room;
	for (size_t i = 0; i < n; i++)
		out.text[i] = s.p[i] >= 0x20 && s.p[i] < 0x7f ? s.p[i] : '?';
	strcpy(out.text + n, s.n > n ? "..." : "");
	return out;
}

void
pr_percent_encode(struct pr_buf *out, struct pr_str s, const char *keep)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') ||
		    (c != '\0' && strchr(keep, c) != NULL);

		if (plain) {
			pr_buf_char(out, (char)c);
			continue;
		}
		pr_buf_char(out, '%');
		pr_buf_char(out, hex[c >> 4]);
		pr_buf_char(out, hex[c & 15]);
	}
}
