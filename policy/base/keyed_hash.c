/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After VMAC (Krovetz and Dai, 2007): blocks are shrunk by NH, a sum of
 * products with a secret key, twice with the key shifted, which two blocks
 * that differ survive alike with 2^-128; what is left goes into two
 * polynomials over the Mersenne prime 2^61 - 1, each in a secret point, where
 * texts of n words that differ meet in at most n points.
 */
#include <pthread.h>
#include <string.h>

#include <portreeve/digest.h>

#define PRIME ((UINT64_C(1) << 61) - 1)
#define PAIRS 64 /* of 64-bit words in a block */
#define BLOCK ((size_t)16 * PAIRS)

__extension__ typedef unsigned __int128 wide;

static struct {
	uint64_t nh[2 * PAIRS + 2];
	uint64_t point[2];
} key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
setup(void)
{
	pr_random(key.nh, sizeof key.nh);
	for (int i = 0; i < 2; i++) {
		while (key.point[i] < 2 || key.point[i] >= PRIME) {
			pr_random(&key.point[i], sizeof key.point[i]);
			key.point[i] &= PRIME;
		}
	}
}

/* Of less than 2^124; the result is less than 2^62. */
static inline uint64_t
reduce(wide v)
{
	return ((uint64_t)v & PRIME) + (uint64_t)(v >> 61) % PRIME;
}

/* A word of less than 2^57 into both polynomials. */
static void
absorb(uint64_t h[2], uint64_t word)
{
	for (int i = 0; i < 2; i++)
		h[i] = reduce((wide)(h[i] % PRIME + word) * key.point[i]);
}

static void
absorb_wide(uint64_t h[2], wide v)
{
	const uint64_t mask = (UINT64_C(1) << 56) - 1;

	absorb(h, (uint64_t)v & mask);
	absorb(h, (uint64_t)(v >> 56) & mask);
	absorb(h, (uint64_t)(v >> 112));
}

/* `pairs` of words at p, which may lie anywhere. */
static void
shrink(uint64_t h[2], const uint8_t *p, size_t pairs)
{
	wide one = 0, two = 0;

	for (size_t i = 0; i < 2 * pairs; i += 2, p += 16) {
		const uint64_t *k = key.nh + i;
		uint64_t a, b;

		memcpy(&a, p, 8);
		memcpy(&b, p + 8, 8);
		one += (wide)(a + k[0]) * (b + k[1]);
		two += (wide)(a + k[2]) * (b + k[3]);
	}
	absorb_wide(h, one);
	absorb_wide(h, two);
}

static void
absorb_text(uint64_t h[2], struct pr_str s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	uint8_t last[16] = {0};
	size_t n = s.n;

	/* with the length, the zeros that fill the last pair mean nothing */
	absorb(h, n);
	for (; n >= BLOCK; n -= BLOCK, p += BLOCK)
		shrink(h, p, PAIRS);
	if (n >= 16) {
		shrink(h, p, n / 16);
		p += n / 16 * 16;
		n %= 16;
	}
	if (n > 0) {
		memcpy(last, p, n);
		shrink(h, last, 1);
	}
}

void
pr_keyed_hash(
    const struct pr_str *parts, size_t n, uint8_t out[PR_KEYED_HASH_LEN])
{
	uint64_t h[2] = {1, 1};

	pthread_once(&once, setup);
	for (size_t i = 0; i < n; i++)
		absorb_text(h, parts[i]);
	for (size_t i = 0; i < 2; i++) {
		h[i] %= PRIME;
		memcpy(out + 8 * i, &h[i], sizeof h[i]);
	}
}
