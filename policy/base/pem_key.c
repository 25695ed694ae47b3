/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <portreeve/arena.h>
#include <portreeve/digest.h>
#include <portreeve/file.h>
#include <portreeve/pem_key.h>

#include "pem.h"

struct pr_pem_key {
	EVP_PKEY *key;
	const EVP_MD *digest; /* NULL: the kind has its own */
	char id[PR_PEM_KEY_ID];
};

static void
md_freep(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

static bool
is_p256(EVP_PKEY *key)
{
	char group[32] = "";

	return EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
	    strcmp(group, "prime256v1") == 0;
}

static bool
set_id(struct pr_pem_key *k)
{
	static const char kind[] = "sha256:";
	uint8_t sum[PR_SHA256_LEN];
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(k->key, &der);

	if (n <= 0)
		return false;
	pr_sha256(der, (size_t)n, sum);
	OPENSSL_free(der);
	memcpy(k->id, kind, sizeof kind);
	pr_hex(sum, sizeof sum, k->id + sizeof kind - 1);
	return true;
}

/* Takes the key over; NULL: it is of no kind that we take. */
static struct pr_pem_key *
wrap(EVP_PKEY *key)
{
	struct pr_pem_key *k;

	if (key == NULL)
		return NULL;
	k = pr_xcalloc(1, sizeof *k);
	k->key = key;
	if (is_p256(key))
		k->digest = EVP_sha256();
	if ((k->digest != NULL || EVP_PKEY_is_a(key, "ED25519")) && set_id(k))
		return k;
	ERR_clear_error();
	pr_pem_key_free(k);
	return NULL;
}

struct pr_pem_key *
pr_pem_key_private(const char *path, struct pr_err **err)
{
	struct pr_pem_key *k;
	EVP_PKEY *key;

	if (pem_read(path, true, &key, err) < 0)
		return NULL;
	k = wrap(key);
	if (k == NULL)
		pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s: no private key of Ed25519 or P-256 in PEM without a "
		    "passphrase (openssl genpkey -algorithm ed25519 makes one)",
		    path);
	return k;
}

struct pr_pem_key *
pr_pem_key_public(const char *path, struct pr_err **err)
{
	struct pr_pem_key *k;
	EVP_PKEY *key;

	if (pem_read(path, false, &key, err) < 0)
		return NULL;
	k = wrap(key);
	if (k == NULL)
		pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s: no public key of Ed25519 or P-256 in PEM (openssl "
		    "pkey -in KEY -pubout makes one)",
		    path);
	return k;
}

void
pr_pem_key_free(struct pr_pem_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->key);
	free(k);
}

void
pr_pem_key_freep(struct pr_pem_key **k)
{
	pr_pem_key_free(*k);
	*k = NULL;
}

const char *
pr_pem_key_id(const struct pr_pem_key *k)
{
	return k->id;
}

size_t
pr_pem_key_sign(const struct pr_pem_key *k, struct pr_str text,
    uint8_t signature[PR_PEM_SIGNATURE])
{
	PR_CLEANUP(md_freep) EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = PR_PEM_SIGNATURE;

	if (c != NULL &&
	    EVP_DigestSignInit(c, NULL, k->digest, NULL, k->key) == 1 &&
	    EVP_DigestSign(
		c, signature, &n, (const unsigned char *)text.p, text.n) == 1)
		return n;
	ERR_clear_error();
	return 0;
}

bool
pr_pem_key_verify(const struct pr_pem_key *k, struct pr_str text,
    const uint8_t *signature, size_t n)
{
	PR_CLEANUP(md_freep) EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = c != NULL &&
	    EVP_DigestVerifyInit(c, NULL, k->digest, NULL, k->key) == 1 &&
	    EVP_DigestVerify(
		c, signature, n, (const unsigned char *)text.p, text.n) == 1;

	ERR_clear_error();
	return good;
}
