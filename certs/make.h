/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates as OpenSSL has them.  Local to certs/. */
#ifndef MAKE_H
#define MAKE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <portreeve/certs.h>

/* A key of that kind (NULL: the default).  The caller frees it. */
EVP_PKEY *key_make(const char *word, struct pr_err **err);
/*
 * A signed certificate for `key`; ca == NULL: signed by itself.  The caller
 * frees it.
 */
X509 *cert_make(const struct pr_cert_spec *spec, EVP_PKEY *key, X509 *ca,
    EVP_PKEY *ca_key, struct pr_err **err);
/* The digest that a key signs with (Ed25519: NULL). */
const EVP_MD *key_digest(const EVP_PKEY *key);
/* Takes OpenSSL's last error as the text's end; returns -1. */
int fail_ssl(struct pr_err **err, const char *what);

/* For PR_CLEANUP. */
void key_freep(EVP_PKEY **p);
void cert_freep(X509 **p);
void crl_freep(X509_CRL **p);
void bio_freep(BIO **p);

#endif /* MAKE_H */
