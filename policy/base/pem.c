/* SPDX-License-Identifier: Apache-2.0 */
#include "pem.h"

#include <stdint.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <portreeve/arena.h>
#include <portreeve/file.h>

#define KEY_FILE 16384 /* bytes; a PEM key has a few hundred */

/* A key in a file is not asked a passphrase for. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

int
pem_read(const char *path, bool secret, EVP_PKEY **out, struct pr_err **err)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(1024);
	struct pr_str text;
	BIO *bio;

	*out = NULL;
	if ((secret ? pr_file_read_secret(a, path, KEY_FILE, &text, err)
		    : pr_file_read(a, path, KEY_FILE, &text, err)) < 0)
		return -1;
	bio = BIO_new_mem_buf(text.p, (int)text.n);
	if (bio != NULL)
		*out = secret
		    ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL)
		    : PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	/* what is no key is no error of the next one who asks */
	ERR_clear_error();
	if (secret)
		OPENSSL_cleanse((void *)(uintptr_t)text.p, text.n);
	return 0;
}
