/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/random.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* SHA256_*: EVP allocates for each digest, and one is made for each record */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <portreeve/compiler.h>
#include <portreeve/digest.h>

/* For HMAC.  Fetched once: a fetch costs more than a short digest does. */
static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

/* openssl.cnf and OPENSSL_CONF have no say in what is trusted here. */
__attribute__((constructor)) static void
no_configuration(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

static void
sha256_setup(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (sha256 == NULL) {
		fputs("portreeve: no SHA-256 in libcrypto\n", stderr);
		abort();
	}
}

void
pr_sha256(const void *p, size_t n, uint8_t out[PR_SHA256_LEN])
{
	SHA256_CTX ctx PR_UNINITIALIZED;

	if (SHA256_Init(&ctx) != 1 || SHA256_Update(&ctx, p, n) != 1 ||
	    SHA256_Final(out, &ctx) != 1)
		abort(); /* none of them can fail */
}

void
pr_hmac_sha256(const void *key, size_t keylen, const void *p, size_t n,
    uint8_t out[PR_SHA256_LEN])
{
	pthread_once(&sha256_once, sha256_setup);
	if (HMAC(sha256, key, (int)keylen, p, n, out, NULL) == NULL)
		abort();
}

void
pr_hex(const void *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
	out[2 * n] = '\0';
}

void
pr_random(void *p, size_t n)
{
	uint8_t *b = p;

	while (n > 0) {
		ssize_t got = getrandom(b, n, 0);

		if (got < 0 && errno != EINTR)
			abort();
		if (got > 0) {
			b += got;
			n -= (size_t)got;
		}
	}
}

bool
pr_equal_secret(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void
pr_uuid7(int64_t wall, char out[PR_UUID_LEN])
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static uint64_t last; /* ms << 12 | counter, never goes back */
	static uint8_t pool[8 * 64];
	static size_t left;
	uint64_t stamp = (uint64_t)(wall / 1000000) << 12;
	uint8_t id[16], *random;
	char hex[33];

	pthread_mutex_lock(&lock);
	last = stamp > last ? stamp : last + 1;
	stamp = last;
	if (left == 0) {
		pr_random(pool, sizeof pool);
		left = sizeof pool;
	}
	left -= 8;
	random = pool + left;
	for (size_t i = 0; i < 8; i++)
		id[8 + i] = random[i];
	pthread_mutex_unlock(&lock);
	for (size_t i = 0; i < 6; i++)
		id[i] = (uint8_t)(stamp >> (52 - 8 * i));
	id[6] = (uint8_t)(0x70 | ((stamp >> 8) & 15));
	id[7] = (uint8_t)stamp;
	id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
	pr_hex(id, sizeof id, hex);
	for (size_t i = 0, o = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			out[o++] = '-';
		out[o++] = hex[i];
	}
	out[PR_UUID_LEN - 1] = '\0';
}
