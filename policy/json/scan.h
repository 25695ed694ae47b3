/* SPDX-License-Identifier: Apache-2.0 */
/* Where the plain part of a JSON string ends. */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Neither quote, backslash, control character nor a byte beyond ASCII. */
static inline int
scan_is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

#ifdef __SSE2__
/* A bit for each of 16 bytes that is not plain. */
static inline unsigned
scan_stops(const char *p)
{
	__m128i v = _mm_loadu_si128((const void *)p);
	/* signed: 0x80 and up are less than a space, too */
	__m128i stop = _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(' ')),
	    _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
		_mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));

	return (unsigned)_mm_movemask_epi8(stop);
}
#endif

/* True if a quote ends the plain text at p soon, after n bytes. */
static inline bool
scan_short(const char *p, const char *end, size_t *n)
{
#ifdef __SSE2__
	unsigned stops;

	if (end - p < 32)
		return false;
	stops = scan_stops(p);
	if (stops == 0)
		stops = scan_stops(p + 16) << 16;
	if (stops == 0)
		return false;
	*n = (size_t)__builtin_ctz(stops);
	return p[*n] == '"';
#else
	(void)p;
	(void)end;
	(void)n;
	return false;
#endif
}

#if defined(__x86_64__)
/* The same for whole blocks of 64 bytes; returns where it must be looked at
 * byte by byte. */
__attribute__((target("avx2"))) static inline const char *
scan_blocks(const char *p, const char *end)
{
	const __m256i space = _mm256_set1_epi8(' ');
	const __m256i quote = _mm256_set1_epi8('"');
	const __m256i escape = _mm256_set1_epi8('\\');

	for (; end - p >= 64; p += 64) {
		__m256i a = _mm256_loadu_si256((const void *)p);
		__m256i b = _mm256_loadu_si256((const void *)(p + 32));
		/* a byte below a space, as signed numbers go */
		__m256i low = _mm256_or_si256(
		    _mm256_cmpgt_epi8(space, a), _mm256_cmpgt_epi8(space, b));
		__m256i odd =
		    _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(a, quote),
					_mm256_cmpeq_epi8(b, quote)),
			_mm256_or_si256(_mm256_cmpeq_epi8(a, escape),
			    _mm256_cmpeq_epi8(b, escape)));

		if (_mm256_movemask_epi8(_mm256_or_si256(low, odd)) != 0)
			break;
	}
	return p;
}
#endif

/*
 * The first byte in [p, end) that is not plain, or end.  The vectors need no
 * alignment and never read past end.
 */
static inline const char *
scan_plain(const char *p, const char *end)
{
#if defined(__x86_64__)
	if (end - p >= 256 && __builtin_cpu_supports("avx2"))
		p = scan_blocks(p, end);
#endif
#ifdef __SSE2__
	for (; end - p >= 16; p += 16) {
		unsigned stops = scan_stops(p);

		if (stops != 0)
			return p + __builtin_ctz(stops);
	}
#endif
	while (p < end && scan_is_plain((unsigned char)*p))
		p++;
	return p;
}

#endif /* JSON_SCAN_H */
