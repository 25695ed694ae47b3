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

#include <portreeve/compiler.h>
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

/* Texts one behind the other, in blocks. */
struct stream {
	uint64_t h[2];
	size_t used;
	uint8_t block[BLOCK];
};

static void
add_text(struct stream *s, struct pr_str text)
{
	const uint8_t *p = (const uint8_t *)text.p;
	size_t n = text.n;

	while (n > 0) {
		size_t part = BLOCK - s->used;

		if (part > n)
			part = n;
		memcpy(s->block + s->used, p, part);
		s->used += part;
		p += part;
		n -= part;
		for (; s->used == BLOCK; s->used = 0) {
			shrink(s->h, s->block, PAIRS);
			/* what follows needs no copy while it fills blocks */
			for (; n >= BLOCK; n -= BLOCK, p += BLOCK)
				shrink(s->h, p, PAIRS);
		}
	}
}

void
pr_keyed_hash(
    const struct pr_str *parts, size_t n, uint8_t out[PR_KEYED_HASH_LEN])
{
	struct stream s PR_UNINITIALIZED;
	size_t pad;

	pthread_once(&once, setup);
	s.h[0] = s.h[1] = 1;
	s.used = 0;
	/* with the lengths first it is known where each ends, and the zeros
	 * that fill the last pair mean nothing */
	absorb(s.h, n);
	for (size_t i = 0; i < n; i++) {
		uint64_t length = parts[i].n;

		add_text(
		    &s, (struct pr_str){(const char *)&length, sizeof length});
	}
	for (size_t i = 0; i < n; i++)
		add_text(&s, parts[i]);
	pad = (16 - s.used % 16) % 16;
	memset(s.block + s.used, 0, pad);
	if (s.used > 0)
		shrink(s.h, s.block, (s.used + pad) / 16);
	for (size_t i = 0; i < 2; i++) {
		s.h[i] %= PRIME;
		memcpy(out + 8 * i, &s.h[i], sizeof s.h[i]);
	}
}
