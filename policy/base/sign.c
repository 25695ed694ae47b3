/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <portreeve/arena.h>
#include <portreeve/digest.h>
#include <portreeve/file.h>
#include <portreeve/sign.h>

#include "pem.h"

#define PREFIX "ed25519:"

struct pr_private_key {
	EVP_PKEY *key;
	struct pr_public_key public;
};

static void
md_freep(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

/* Takes the key over; NULL: it is no Ed25519 key. */
static struct pr_private_key *
wrap(EVP_PKEY *key)
{
	struct pr_private_key *k;
	size_t n = PR_PUBLIC_KEY_LEN;

	if (key == NULL)
		return NULL;
	k = pr_xcalloc(1, sizeof *k);
	k->key = key;
	if (EVP_PKEY_is_a(key, "ED25519") &&
	    EVP_PKEY_get_raw_public_key(key, k->public.bytes, &n) == 1 &&
	    n == PR_PUBLIC_KEY_LEN)
		return k;
	ERR_clear_error();
	pr_private_key_free(k);
	return NULL;
}

struct pr_private_key *
pr_private_key_load(const char *path, struct pr_err **err)
{
	struct pr_private_key *k;
	EVP_PKEY *key;

	if (pem_read(path, true, &key, err) < 0)
		return NULL;
	k = wrap(key);
	if (k == NULL)
		pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s: no Ed25519 private key in PEM without a passphrase "
		    "(openssl genpkey -algorithm ed25519 makes one)",
		    path);
	return k;
}

static int
write_key(int fd, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n = 0;
	int rc = -1;

	if (bio != NULL &&
	    PEM_write_bio_PKCS8PrivateKey(
		bio, key, NULL, NULL, 0, NULL, NULL) == 1)
		n = BIO_get_mem_data(bio, &text);
	if (n > 0 && write(fd, text, (size_t)n) == n && fsync(fd) == 0)
		rc = 0;
	if (n > 0)
		OPENSSL_cleanse(text, (size_t)n);
	BIO_free(bio);
	return rc;
}

struct pr_private_key *
pr_private_key_make(const char *path, struct pr_err **err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct pr_private_key *k;

	if (fd < 0) {
		pr_err_set(
		    err, PR_ERR_IO, errno, "%s: %s", path, strerror(errno));
		return NULL;
	}
	k = wrap(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	if (k == NULL || write_key(fd, k->key) < 0) {
		pr_err_set(err, PR_ERR_IO, errno,
		    "%s: the key cannot be made or written", path);
		pr_private_key_free(k);
		k = NULL;
		unlink(path);
	}
	close(fd);
	return k;
}

void
pr_private_key_free(struct pr_private_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->key);
	free(k);
}

void
pr_private_key_freep(struct pr_private_key **k)
{
	pr_private_key_free(*k);
	*k = NULL;
}

void
pr_private_key_public(const struct pr_private_key *k, struct pr_public_key *out)
{
	*out = k->public;
}

void
pr_sign(const struct pr_private_key *k, struct pr_str text,
    uint8_t signature[PR_SIGNATURE_LEN])
{
	PR_CLEANUP(md_freep) EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = PR_SIGNATURE_LEN;

	/* a key that was loaded signs, or memory is gone */
	if (c == NULL || EVP_DigestSignInit(c, NULL, NULL, NULL, k->key) != 1 ||
	    EVP_DigestSign(
		c, signature, &n, (const unsigned char *)text.p, text.n) != 1 ||
	    n != PR_SIGNATURE_LEN)
		abort();
}

bool
pr_signature_is_good(const struct pr_public_key *k, struct pr_str text,
    const uint8_t signature[PR_SIGNATURE_LEN])
{
	PR_CLEANUP(md_freep) EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(
	    NULL, "ED25519", NULL, k->bytes, PR_PUBLIC_KEY_LEN);
	bool good = c != NULL && key != NULL &&
	    EVP_DigestVerifyInit(c, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestVerify(c, signature, PR_SIGNATURE_LEN,
		(const unsigned char *)text.p, text.n) == 1;

	EVP_PKEY_free(key);
	ERR_clear_error();
	return good;
}

bool
pr_public_key_read(struct pr_str text, struct pr_public_key *out)
{
	uint8_t bytes[PR_PUBLIC_KEY_LEN + 4];
	char again[PR_PUBLIC_KEY_TEXT];
	size_t head = strlen(PREFIX);

	if (text.n != PR_PUBLIC_KEY_TEXT - 1 || !pr_str_starts(text, PREFIX) ||
	    pr_base64_decode(pr_str_sub(text, head, text.n), bytes) !=
		PR_PUBLIC_KEY_LEN)
		return false;
	memcpy(out->bytes, bytes, PR_PUBLIC_KEY_LEN);
	/* base64 has bits to spare: they are zero */
	pr_public_key_print(out, again);
	return pr_str_is(text, again);
}

void
pr_public_key_print(
    const struct pr_public_key *k, char text[PR_PUBLIC_KEY_TEXT])
{
	memcpy(text, PREFIX, strlen(PREFIX));
	pr_base64_encode(k->bytes, PR_PUBLIC_KEY_LEN, text + strlen(PREFIX));
}
