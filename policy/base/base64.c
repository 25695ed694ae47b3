/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64.  The body inside an AuthZReq is base64 and may be a megabyte, so
 * blocks are decoded in vectors where the processor has them.  A block with
 * anything odd in it is left to the plain way, which alone judges.
 */
#include <openssl/evp.h>

#include <portreeve/digest.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define VECTORS 1
#endif

#define X 0xff /* no digit */

static const uint8_t value_of[256] = {
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,                /* 00 */
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,                /* 10 */
    X, X, X, X, X, X, X, X, X, X, X, 62, X, X, X, 63,              /* 20 */
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X, X, X, X, X, X,      /* 30 */
    X, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,           /* 40 */
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, X, X, X, X, X,     /* 50 */
    X, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, /* 60 */
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, X, X, X, X, X,     /* 70 */
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,                /* 80 */
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,                /* 90 */
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,                /* a0 */
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,                /* b0 */
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,                /* c0 */
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,                /* d0 */
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,                /* e0 */
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,                /* f0 */
};

/*
 * Four characters, no padding.  Or-ing first: a value that is no digit has
 * bits above the sixth, and nothing else has.
 */
static bool
quartet(const uint8_t *in, uint32_t *v)
{
	uint8_t a = value_of[in[0]], b = value_of[in[1]];
	uint8_t c = value_of[in[2]], d = value_of[in[3]];

	*v = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | d;
	return (a | b | c | d) < 64;
}

/* Whole quartets without padding; false: something that is no digit. */
static bool
decode_quartets(const uint8_t *in, size_t n, uint8_t *out)
{
	for (; n > 0; n -= 4, in += 4, out += 3) {
		uint32_t v;

		if (!quartet(in, &v))
			return false;
		out[0] = (uint8_t)(v >> 16);
		out[1] = (uint8_t)(v >> 8);
		out[2] = (uint8_t)v;
	}
	return true;
}

/* The last quartet, which may be padded; returns how many bytes, or -1. */
static int
decode_last(const uint8_t *in, uint8_t *out)
{
	int pad = in[3] != '=' ? 0 : in[2] != '=' ? 1 : 2;
	uint8_t digits[4] = {
	    in[0], in[1], pad > 1 ? 'A' : in[2], pad > 0 ? 'A' : in[3]};
	uint32_t v;

	if (!quartet(digits, &v))
		return -1;
	/* the bits that padding leaves over must be zero */
	if ((v & ((1U << (8 * pad)) - 1)) != 0)
		return -1;
	for (int i = 0; i < 3 - pad; i++)
		out[i] = (uint8_t)(v >> (16 - 8 * i));
	return 3 - pad;
}

#ifdef VECTORS
/*
 * After Mula and Lemire, "Faster Base64 Encoding and Decoding using AVX2
 * Instructions" (2018).  A character is judged by two tables, one for each
 * half of the byte: a bit that both have says that it is no digit.  The
 * upper half (and one bit for the slash) then says what to add to get the
 * value of the digit.
 */
#define LOWER_HALF                                                        \
	0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, \
	    0x1a, 0x1b, 0x1b, 0x1b, 0x1a
#define UPPER_HALF                                                        \
	0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, \
	    0x10, 0x10, 0x10, 0x10, 0x10
#define ADD      0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0
#define PACK     2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1
#define PAIRS    0x01400140 /* aaaaaa bbbbbb into 12 bits */
#define QUARTETS 0x00011000 /* two of those into 24 */

/* Both return how many characters they decoded: a multiple of four. */
__attribute__((target("ssse3"))) static size_t
decode_ssse3(const uint8_t *in, size_t n, uint8_t *out)
{
	const __m128i lower = _mm_setr_epi8(LOWER_HALF);
	const __m128i upper = _mm_setr_epi8(UPPER_HALF);
	const __m128i add = _mm_setr_epi8(ADD);
	const __m128i pack = _mm_setr_epi8(PACK);
	const __m128i half = _mm_set1_epi8(0x0f);
	size_t i = 0;

	/* 12 bytes come out and 16 are written: 24 characters give room */
	for (; n - i >= 24; i += 16, out += 12) {
		__m128i v = _mm_loadu_si128((const void *)(in + i));
		__m128i hi = _mm_and_si128(_mm_srli_epi32(v, 4), half);
		__m128i lo = _mm_and_si128(v, half);
		__m128i bad = _mm_and_si128(
		    _mm_shuffle_epi8(lower, lo), _mm_shuffle_epi8(upper, hi));
		__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('/'));

		if (_mm_movemask_epi8(
			_mm_cmpeq_epi8(bad, _mm_setzero_si128())) != 0xffff)
			break;
		v = _mm_add_epi8(
		    v, _mm_shuffle_epi8(add, _mm_add_epi8(slash, hi)));
		v = _mm_maddubs_epi16(v, _mm_set1_epi32(PAIRS));
		v = _mm_madd_epi16(v, _mm_set1_epi32(QUARTETS));
		_mm_storeu_si128((void *)out, _mm_shuffle_epi8(v, pack));
	}
	return i;
}

__attribute__((target("avx2"))) static size_t
decode_avx2(const uint8_t *in, size_t n, uint8_t *out)
{
	const __m256i lower = _mm256_setr_epi8(LOWER_HALF, LOWER_HALF);
	const __m256i upper = _mm256_setr_epi8(UPPER_HALF, UPPER_HALF);
	const __m256i add = _mm256_setr_epi8(ADD, ADD);
	const __m256i pack = _mm256_setr_epi8(PACK, PACK);
	const __m256i join = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);
	const __m256i half = _mm256_set1_epi8(0x0f);
	size_t i = 0;

	/* 24 bytes come out and 32 are written: 48 characters give room */
	for (; n - i >= 48; i += 32, out += 24) {
		__m256i v = _mm256_loadu_si256((const void *)(in + i));
		__m256i hi = _mm256_and_si256(_mm256_srli_epi32(v, 4), half);
		__m256i lo = _mm256_and_si256(v, half);
		__m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('/'));

		if (!_mm256_testz_si256(_mm256_shuffle_epi8(lower, lo),
			_mm256_shuffle_epi8(upper, hi)))
			break;
		v = _mm256_add_epi8(
		    v, _mm256_shuffle_epi8(add, _mm256_add_epi8(slash, hi)));
		v = _mm256_maddubs_epi16(v, _mm256_set1_epi32(PAIRS));
		v = _mm256_madd_epi16(v, _mm256_set1_epi32(QUARTETS));
		v = _mm256_shuffle_epi8(v, pack);
		_mm256_storeu_si256(
		    (void *)out, _mm256_permutevar8x32_epi32(v, join));
	}
	return i;
}
#endif

bool
pr_base64_has(enum pr_base64_way way)
{
	switch (way) {
#ifdef VECTORS
	case PR_BASE64_AVX2:
		return __builtin_cpu_supports("avx2");
	case PR_BASE64_SSSE3:
		return __builtin_cpu_supports("ssse3");
#endif
	default:
		return way == PR_BASE64_PLAIN;
	}
}

static size_t
decode_vectors(
    enum pr_base64_way way, const uint8_t *in, size_t n, uint8_t *out)
{
#ifdef VECTORS
	if (way == PR_BASE64_AVX2)
		return decode_avx2(in, n, out);
	if (way == PR_BASE64_SSSE3)
		return decode_ssse3(in, n, out);
#endif
	(void)way;
	(void)in;
	(void)n;
	(void)out;
	return 0;
}

ptrdiff_t
pr_base64_decode_by(enum pr_base64_way way, struct pr_str s, void *out)
{
	const uint8_t *in = (const uint8_t *)s.p;
	uint8_t *o = out;
	size_t body, done;
	int last;

	if (s.n % 4 != 0)
		return -1;
	if (s.n == 0)
		return 0;
	body = s.n - 4; /* only the last quartet may hold padding */
	done = decode_vectors(way, in, body, o);
	o += done / 4 * 3;
	if (!decode_quartets(in + done, body - done, o))
		return -1;
	o += (body - done) / 4 * 3;
	last = decode_last(in + body, o);
	return last < 0 ? -1 : o + last - (uint8_t *)out;
}

ptrdiff_t
pr_base64_decode(struct pr_str s, void *out)
{
	enum pr_base64_way way = PR_BASE64_AVX2;

	while (!pr_base64_has(way))
		way--;
	return pr_base64_decode_by(way, s, out);
}

size_t
pr_base64_encode(const void *p, size_t n, char *out)
{
	return (size_t)EVP_EncodeBlock((unsigned char *)out, p, (int)n);
}
