/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_verified.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

#include <portreeve/arena.h>

#define SLOTS     256 /* a newer one takes the place of an older one */
#define SENT_MOST 4   /* certificates; more are verified each time */
#define KEY       32

struct slot {
	uint8_t key[KEY];       /* SHA-256 of the digests of what was sent */
	STACK_OF(X509) * chain; /* NULL: empty */
};

struct tls_verified {
	pthread_mutex_t lock;
	struct slot slots[SLOTS];
	STACK_OF(X509_CRL) * crls;
};

struct tls_verified *
tls_verified_new(void)
{
	struct tls_verified *v = pr_xcalloc(1, sizeof *v);

	pthread_mutex_init(&v->lock, NULL);
	v->crls = sk_X509_CRL_new_null();
	if (v->crls == NULL)
		abort();
	return v;
}

void
tls_verified_free(struct tls_verified *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		sk_X509_pop_free(v->slots[i].chain, X509_free);
	sk_X509_CRL_pop_free(v->crls, X509_CRL_free);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

void
tls_verified_crl(struct tls_verified *v, X509_CRL *crl)
{
	X509_CRL_up_ref(crl);
	if (sk_X509_CRL_push(v->crls, crl) <= 0)
		abort();
}

static bool
key_of(const STACK_OF(X509) * sent, uint8_t key[KEY])
{
	uint8_t all[SENT_MOST * KEY];
	int n = sk_X509_num(sent);
	unsigned len = 0;

	if (n < 1 || n > SENT_MOST)
		return false;
	for (int i = 0; i < n; i++) {
		if (X509_digest(sk_X509_value(sent, i), EVP_sha256(),
			all + (size_t)i * KEY, &len) != 1 ||
		    len != KEY)
			return false;
	}
	return EVP_Digest(
		   all, (size_t)n * KEY, key, &len, EVP_sha256(), NULL) == 1;
}

static bool
dates_are_good(const struct tls_verified *v, const STACK_OF(X509) * chain)
{
	for (int i = 0; i < sk_X509_num(chain); i++) {
		const X509 *x = sk_X509_value(chain, i);

		if (X509_cmp_timeframe(NULL, X509_get0_notBefore(x),
			X509_get0_notAfter(x)) != 0)
			return false;
	}
	for (int i = 0; i < sk_X509_CRL_num(v->crls); i++) {
		const X509_CRL *crl = sk_X509_CRL_value(v->crls, i);

		if (X509_cmp_timeframe(NULL, X509_CRL_get0_lastUpdate(crl),
			X509_CRL_get0_nextUpdate(crl)) != 0)
			return false;
	}
	return true;
}

bool
tls_verified_has(struct tls_verified *v, const STACK_OF(X509) * sent)
{
	uint8_t key[KEY];
	const struct slot *s;
	bool good;

	if (!key_of(sent, key))
		return false;
	s = &v->slots[key[0] % SLOTS];
	pthread_mutex_lock(&v->lock);
	good = s->chain != NULL && memcmp(s->key, key, KEY) == 0 &&
	    dates_are_good(v, s->chain);
	pthread_mutex_unlock(&v->lock);
	return good;
}

void
tls_verified_add(
    struct tls_verified *v, const STACK_OF(X509) * sent, STACK_OF(X509) * chain)
{
	STACK_OF(X509) * old, *copy;
	uint8_t key[KEY];
	struct slot *s;

	if (chain == NULL || sk_X509_num(chain) < 1 || !key_of(sent, key))
		return;
	copy = X509_chain_up_ref(chain);
	if (copy == NULL)
		return;
	s = &v->slots[key[0] % SLOTS];
	pthread_mutex_lock(&v->lock);
	old = s->chain;
	s->chain = copy;
	memcpy(s->key, key, KEY);
	pthread_mutex_unlock(&v->lock);
	sk_X509_pop_free(old, X509_free);
}
