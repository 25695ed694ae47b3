/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of certificates: which of them are fit to name somebody. */
#include <string.h>

#include <openssl/asn1.h>

#include "x500.h"

/* What a terminal, a log or an eye would not show as what it is. */
static const struct {
	uint32_t from, to;
} hidden[] = {
    {0x00, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, /* soft hyphen */
    {0x61c, 0x61c},                           /* Arabic letter mark */
    {0x115f, 0x1160},                         /* Hangul fillers */
    {0x180e, 0x180e},
    {0x2000, 0x200f}, /* odd blanks, zero width, direction marks */
    {0x2028, 0x202f}, /* separators, embeddings, narrow blank */
    {0x205f, 0x206f}, /* invisible operators, isolates */
    {0x3000, 0x3000}, {0x3164, 0x3164},
    {0xd800, 0xf8ff}, /* surrogates, private use */
    {0xfe00, 0xfe0f}, /* variation selectors */
    {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
    {0xfff0, 0xffff}, /* specials, with U+FFFD: Go's "was not UTF-8" */
    {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff}, /* tags, private use */
};

static bool
is_hidden(uint32_t c)
{
	for (size_t i = 0; i < PR_COUNT(hidden); i++)
		if (c >= hidden[i].from && c <= hidden[i].to)
			return true;
	return false;
}

/* The next character of well-formed UTF-8; *i moves past it. */
static uint32_t
next_char(struct pr_str s, size_t *i)
{
	const unsigned char *p = (const unsigned char *)s.p + *i;
	unsigned more = p[0] < 0x80 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
	uint32_t c = more == 0 ? p[0] : p[0] & (0x3fu >> more);

	for (unsigned k = 1; k <= more; k++)
		c = c << 6 | (p[k] & 0x3f);
	*i += more + 1;
	return c;
}

bool
text_is_plain(struct pr_str s)
{
	if (s.n == 0 || !pr_str_utf8(s) || s.p[0] == ' ' || s.p[s.n - 1] == ' ')
		return false;
	for (size_t i = 0; i < s.n;) {
		uint32_t c = next_char(s, &i);

		/* a no-break blank looks like a blank; U+1FFFE and the like
		 * are no characters */
		if (c == 0xa0 || (c & 0xfffe) == 0xfffe || is_hidden(c))
			return false;
	}
	return true;
}

static bool
only(struct pr_str s, const char *also)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') ||
		    (c != '\0' && strchr(also, c) != NULL))
			continue;
		return false;
	}
	return true;
}

static size_t
put_char(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Big-endian units of `width` bytes; a surrogate is no character. */
static bool
widen(struct pr_arena *a, struct pr_str s, size_t width, struct pr_str *out)
{
	const unsigned char *p = (const unsigned char *)s.p;
	char *to = pr_arena_bytes(a, s.n / width * 4 + 1);
	size_t n = 0;

	if (s.n % width != 0)
		return false;
	for (size_t i = 0; i < s.n; i += width) {
		uint32_t c = 0;

		for (size_t k = 0; k < width; k++)
			c = c << 8 | p[i + k];
		if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return false;
		n += put_char(to + n, c);
	}
	*out = (struct pr_str){to, n};
	return true;
}

bool
text_of_asn1(struct pr_arena *a, const ASN1_STRING *s, struct pr_str *out)
{
	int len = ASN1_STRING_length(s);
	struct pr_str raw = {
	    (const char *)ASN1_STRING_get0_data(s), len > 0 ? (size_t)len : 0};

	*out = raw;
	switch (ASN1_STRING_type(s)) {
	case V_ASN1_UTF8STRING:
		break;
	case V_ASN1_IA5STRING:
		if (!pr_str_printable(raw))
			return false;
		break;
	case V_ASN1_PRINTABLESTRING:
		/* X.680 41.4, and & * @ _ that many use and Go accepts; the
		 * others are read differently by different readers */
		if (!only(raw, " '()+,-./:=?&*@_"))
			return false;
		break;
	case V_ASN1_NUMERICSTRING:
		for (size_t i = 0; i < raw.n; i++)
			if (raw.p[i] != ' ' &&
			    (raw.p[i] < '0' || raw.p[i] > '9'))
				return false;
		break;
	case V_ASN1_T61STRING:
		/* Latin-1 to some, T.61 to others: only what is both */
		if (!only(raw, " '()+,-./:=?@_"))
			return false;
		break;
	case V_ASN1_BMPSTRING:
		if (!widen(a, raw, 2, out))
			return false;
		break;
	case V_ASN1_UNIVERSALSTRING:
		if (!widen(a, raw, 4, out))
			return false;
		break;
	default:
		return false;
	}
	return text_is_plain(*out);
}
