/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_cert.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <portreeve/arena.h>
#include <portreeve/digest.h>

#include "tls.h"

#define SLOTS 4096

struct tls_cert {
	struct tls_cert *next; /* of the slot */
	unsigned refs;         /* under the lock */
	uint8_t key[32];       /* SHA-256 of its bytes */
	X509 *x;
	char *text; /* base64 of its PEM */
	size_t n;
};

static struct {
	pthread_mutex_t lock;
	struct tls_cert *slots[SLOTS];
} held = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct tls_cert **
slot_of(const uint8_t key[32])
{
	return &held.slots[(size_t)(key[0] | key[1] << 8) % SLOTS];
}

static bool
digest(X509 *x, uint8_t key[32])
{
	unsigned n = 0;

	return X509_digest(x, EVP_sha256(), key, &n) == 1 && n == 32;
}

/* Locked. */
static struct tls_cert *
find(const uint8_t key[32], const X509 *x)
{
	struct tls_cert *c = *slot_of(key);

	while (c != NULL &&
	    (memcmp(c->key, key, sizeof c->key) != 0 || X509_cmp(c->x, x) != 0))
		c = c->next;
	if (c != NULL)
		c->refs++;
	return c;
}

struct tls_cert *
tls_cert_find(X509 *x)
{
	uint8_t key[32];
	struct tls_cert *c;

	if (!digest(x, key))
		return NULL;
	pthread_mutex_lock(&held.lock);
	c = find(key, x);
	pthread_mutex_unlock(&held.lock);
	return c;
}

/* Base64 of its PEM, which the AuthZ protocol wants. */
static char *
text_of(X509 *x, size_t *n)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *out = NULL, *pem = NULL;
	long len;

	if (bio == NULL)
		abort();
	if (PEM_write_bio_X509(bio, x) == 1 &&
	    (len = BIO_get_mem_data(bio, &pem)) > 0) {
		out = pr_xmalloc(4 * (((size_t)len + 2) / 3) + 1);
		*n = pr_base64_encode(pem, (size_t)len, out);
	}
	BIO_free(bio);
	return out;
}

struct tls_cert *
tls_cert_get(X509 *x)
{
	struct tls_cert **slot, *c;
	uint8_t key[32];

	if (!digest(x, key))
		return NULL;
	pthread_mutex_lock(&held.lock);
	c = find(key, x);
	if (c == NULL) {
		c = pr_xcalloc(1, sizeof *c);
		c->text = text_of(x, &c->n);
		slot = slot_of(key);
		memcpy(c->key, key, sizeof c->key);
		X509_up_ref(x);
		c->x = x;
		c->refs = 1;
		c->next = *slot;
		*slot = c;
	}
	pthread_mutex_unlock(&held.lock);
	if (c->text != NULL)
		return c;
	tls_cert_unref(c);
	return NULL;
}

struct tls_cert *
tls_cert_ref(struct tls_cert *c)
{
	pthread_mutex_lock(&held.lock);
	c->refs++;
	pthread_mutex_unlock(&held.lock);
	return c;
}

void
tls_cert_unref(struct tls_cert *c)
{
	struct tls_cert **at;

	if (c == NULL)
		return;
	pthread_mutex_lock(&held.lock);
	if (--c->refs > 0) {
		pthread_mutex_unlock(&held.lock);
		return;
	}
	for (at = slot_of(c->key); *at != c;)
		at = &(*at)->next;
	*at = c->next;
	pthread_mutex_unlock(&held.lock);
	X509_free(c->x);
	free(c->text);
	free(c);
}

X509 *
tls_cert_x509(const struct tls_cert *c)
{
	return c->x;
}

struct pr_str
tls_cert_text(const struct tls_cert *c)
{
	return (struct pr_str){c->text, c->n};
}
