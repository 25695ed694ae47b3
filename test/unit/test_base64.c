/* SPDX-License-Identifier: Apache-2.0 */
/* The ways of decoding base64 agree, on what is right and on what is wrong. */
#include <string.h>

#include <portreeve/digest.h>

#include "unit.h"

static void
decodes(
    enum pr_base64_way way, struct pr_str in, const void *want, ptrdiff_t len)
{
	char out[256];
	ptrdiff_t got;

	memset(out, '#', sizeof out);
	got = pr_base64_decode_by(way, in, out);
	if (got != len || (len > 0 && memcmp(out, want, (size_t)len) != 0))
		ck_abort_msg(
		    "way %d, %.*s: %td, not %td", way, PR_STRF(in), got, len);
	if (out[3 * in.n / 4] != '#')
		ck_abort_msg("way %d, %zu characters: wrote more than 3n/4 "
			     "bytes",
		    way, in.n);
	/* and where it stands */
	if (in.n > 0)
		memcpy(out, in.p, in.n);
	got = pr_base64_decode_by(way, (struct pr_str){out, in.n}, out);
	if (got != len || (len > 0 && memcmp(out, want, (size_t)len) != 0))
		ck_abort_msg(
		    "way %d, %.*s: another result in place", way, PR_STRF(in));
}

static void
all_decode(struct pr_str in, const void *want, ptrdiff_t len)
{
	static const enum pr_base64_way ways[] = {
	    PR_BASE64_PLAIN, PR_BASE64_SSSE3, PR_BASE64_AVX2};

	for (size_t i = 0; i < PR_COUNT(ways); i++) {
		if (pr_base64_has(ways[i]))
			decodes(ways[i], in, want, len);
	}
}

START_TEST(there_is_always_a_way)
{
	ck_assert(pr_base64_has(PR_BASE64_PLAIN));
}
END_TEST

START_TEST(every_length)
{
	unsigned char bytes[150];
	char text[256];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(i * 37 + (i >> 3));
	for (size_t n = 0; n <= sizeof bytes; n++) {
		size_t len = pr_base64_encode(bytes, n, text);

		all_decode((struct pr_str){text, len}, bytes, (ptrdiff_t)n);
		for (size_t cut = 1; cut < 4 && cut <= len; cut++)
			all_decode((struct pr_str){text, len - cut}, NULL, -1);
	}
}
END_TEST

/* One character c among As: right in one place of the three bytes. */
START_TEST(every_byte_everywhere)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
				     "opqrstuvwxyz0123456789+/";
	char text[128], want[96];
	struct pr_str in = {text, sizeof text};

	for (size_t at = 0; at < sizeof text; at++) {
		for (unsigned c = 0; c < 256; c++) {
			const char *digit = memchr(digits, (int)c, 64);
			unsigned v = digit != NULL
			    ? (unsigned)(digit - digits) << (18 - 6 * (at % 4))
			    : 0;

			memset(text, 'A', sizeof text);
			text[at] = (char)c;
			memset(want, 0, sizeof want);
			for (unsigned i = 0; i < 3; i++)
				want[at / 4 * 3 + i] =
				    (char)(v >> (16 - 8 * i));
			if (c == '=' && at + 1 == sizeof text)
				all_decode(in, want, 95);
			else
				all_decode(in, want, digit != NULL ? 96 : -1);
		}
	}
}
END_TEST

START_TEST(padding_only_at_the_end)
{
	char text[128];
	struct pr_str in = {text, sizeof text};

	for (size_t at = 0; at + 1 < sizeof text; at++) {
		memset(text, 'A', sizeof text);
		text[at] = text[at + 1] = '=';
		if (at + 2 < sizeof text)
			all_decode(in, NULL, -1);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("base64");
	TCase *tc = tcase_create("decode");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, there_is_always_a_way);
	tcase_add_test(tc, every_length);
	tcase_add_test(tc, every_byte_everywhere);
	tcase_add_test(tc, padding_only_at_the_end);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
