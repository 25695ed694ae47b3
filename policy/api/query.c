/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/request.h>

#include "refuse.h"

/* Keys that the daemon reads as lists (docs/semantics.md 8.2). */
static const char *const lists[] = {
    "changes",
    "t",
    "names",
    "platform",
    "platforms",
    "extrahosts",
    "type",
};

static bool
may_repeat(struct pr_str key)
{
	for (size_t i = 0; i < PR_COUNT(lists); i++) {
		if (pr_str_is(key, lists[i]))
			return true;
	}
	return false;
}

/* url.QueryUnescape: '+' is a blank.  False: a bad escape. */
static bool
unescape(struct pr_arena *a, struct pr_str raw, struct pr_str *out)
{
	char *p;
	size_t n = 0;

	if (pr_str_find(raw, '%') == raw.n && pr_str_find(raw, '+') == raw.n) {
		*out = raw;
		return true;
	}
	p = pr_arena_bytes(a, raw.n + 1);
	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];

		if (c == '+')
			c = ' ';
		if (c == '%') {
			int hi =
			    i + 2 < raw.n ? pr_hex_digit(raw.p[i + 1]) : -1;
			int lo =
			    i + 2 < raw.n ? pr_hex_digit(raw.p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return false;
			c = (char)(hi << 4 | lo);
			i += 2;
		}
		p[n++] = c;
	}
	*out = (struct pr_str){p, n};
	return true;
}

/* Text: UTF-8 without controls, but tabs and line ends. */
static bool
is_text(struct pr_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
		    c == 0x7f)
			return false;
		if (c == 0xc2 && i + 1 < s.n &&
		    (unsigned char)s.p[i + 1] < 0xa0)
			return false; /* U+0080..U+009F */
	}
	return pr_str_utf8(s);
}

static bool
is_key(struct pr_str s)
{
	return s.n > 0 && pr_str_printable(s) && pr_str_find(s, ' ') == s.n;
}

static int
read_pair(struct pr_arena *a, struct pr_str part, struct pr_query_pair *out,
    struct pr_refusal *why)
{
	struct pr_str value = part, key = pr_str_cut(&value, '=');

	if (!unescape(a, key, &out->key) || !unescape(a, value, &out->value))
		return pr_refuse(why, PR_REASON_AMBIGUOUS,
		    "the query holds a %% without two hexadecimal digits");
	if (!is_key(out->key))
		return pr_refuse(why, PR_REASON_AMBIGUOUS,
		    "the query holds a key that is empty or not printable "
		    "ASCII");
	if (!is_text(out->value))
		return pr_refuse(why, PR_REASON_AMBIGUOUS,
		    "the value of \"%s\" in the query is not UTF-8 text",
		    pr_show(out->key).text);
	return 0;
}

static int
check_repeated(
    const struct pr_query_pair *pairs, size_t n, struct pr_refusal *why)
{
	struct pr_str key = pairs[n].key;

	if (may_repeat(key))
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (pr_str_eq(pairs[i].key, key))
			return pr_refuse(why, PR_REASON_AMBIGUOUS,
			    "\"%s\" stands twice in the query; give it once",
			    pr_show(key).text);
	}
	return 0;
}

int
pr_query_read(struct pr_arena *a, struct pr_str raw,
    const struct pr_query_pair **pairs, size_t *n, struct pr_refusal *why)
{
	struct pr_query_pair *list;
	size_t max = 1;

	*pairs = NULL;
	*n = 0;
	if (raw.n == 0)
		return 0;
	if (pr_str_find(raw, ';') < raw.n)
		return pr_refuse(why, PR_REASON_AMBIGUOUS,
		    "the query holds a semicolon; percent-encode it as %%3B");
	for (size_t i = 0; i < raw.n; i++)
		max += raw.p[i] == '&';
	if (max > PR_CAP_QUERY_PAIRS)
		return pr_refuse(why, PR_REASON_AMBIGUOUS,
		    "the query holds %zu parameters, %zu are the most", max,
		    PR_CAP_QUERY_PAIRS);
	list = pr_arena_array(a, max, sizeof *list);
	*pairs = list;
	while (raw.p != NULL) {
		struct pr_str part = pr_str_cut(&raw, '&');

		if (part.n == 0)
			continue; /* Go skips these */
		if (read_pair(a, part, &list[*n], why) < 0 ||
		    check_repeated(list, *n, why) < 0)
			return -1;
		(*n)++;
	}
	return 0;
}

const struct pr_str *
pr_query_get(const struct pr_request *rq, const char *key)
{
	for (size_t i = 0; i < rq->n_query; i++) {
		if (pr_str_is(rq->query[i].key, key))
			return &rq->query[i].value;
	}
	return NULL;
}

/* Bytes of a leading white space character (unicode.IsSpace), or 0. */
static size_t
space_at(struct pr_str s, size_t i)
{
	static const char *const wide[] = {"\xc2\x85", "\xc2\xa0",
	    "\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
	    "\xe2\x81\x9f", "\xe3\x80\x80"};
	const char *p;

	if (i >= s.n)
		return 0;
	p = s.p + i;
	if (*p == ' ' || (*p >= '\t' && *p <= '\r'))
		return 1;
	for (size_t w = 0; w < PR_COUNT(wide); w++) {
		size_t n = strlen(wide[w]);

		if (s.n - i >= n && memcmp(p, wide[w], n) == 0)
			return n;
	}
	/* U+2000..U+200A */
	if (s.n - i >= 3 && memcmp(p, "\xe2\x80", 2) == 0 &&
	    (unsigned char)p[2] <= 0x8a)
		return 3;
	return 0;
}

/* strings.TrimSpace of a value that is UTF-8. */
static struct pr_str
trim(struct pr_str s)
{
	size_t n;

	while ((n = space_at(s, 0)) > 0)
		s = pr_str_sub(s, n, s.n);
	for (size_t i = s.n; i > 0;) {
		size_t begin = i - 1;

		while (begin > 0 && ((unsigned char)s.p[begin] & 0xc0) == 0x80)
			begin--;
		if (space_at(s, begin) != i - begin)
			break;
		s.n = i = begin;
	}
	return s;
}

bool
pr_query_bool(const struct pr_request *rq, const char *key)
{
	static const char *const falsehoods[] = {
	    "", "0", "no", "false", "none"};
	const struct pr_str *value = pr_query_get(rq, key);

	if (value == NULL)
		return false;
	for (size_t i = 0; i < PR_COUNT(falsehoods); i++) {
		if (pr_str_is_nocase(trim(*value), falsehoods[i]))
			return false;
	}
	return true;
}
