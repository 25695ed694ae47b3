/* SPDX-License-Identifier: Apache-2.0 */
/* Where the plain part of a JSON string ends. */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Neither quote, backslash, control character nor a byte beyond ASCII. */
static inline int
scan_is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/*
 * The first byte in [p, end) that is not plain, or end.  The vectors need no
 * alignment and never read past end.
 */
static inline const char *
scan_plain(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i escape = _mm_set1_epi8('\\');
	const __m128i space = _mm_set1_epi8(' ');

	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const void *)p);
		/* signed: 0x80 and up are less than a space, too */
		__m128i stop = _mm_or_si128(_mm_cmplt_epi8(v, space),
		    _mm_or_si128(
			_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, escape)));
		int mask = _mm_movemask_epi8(stop);

		if (mask != 0)
			return p + __builtin_ctz((unsigned)mask);
	}
#endif
	while (p < end && scan_is_plain((unsigned char)*p))
		p++;
	return p;
}

#endif /* JSON_SCAN_H */
