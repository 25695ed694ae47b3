/* SPDX-License-Identifier: Apache-2.0 */
/* The authority's folder: files, lock, index.  Local to certs/. */
#ifndef STORE_H
#define STORE_H

#include <openssl/x509.h>

#include <portreeve/arena.h>
#include <portreeve/certs.h>

/*
 * Writes the file whole or not at all (a new file, flushed, put in its
 * place).  Without `force` it fails where there is one.
 */
int store_write(const char *path, unsigned mode, const void *p, size_t n,
    bool force, struct pr_err **err);
/* Fails, with the hint --force, if the file is there. */
int store_absent(const char *path, struct pr_err **err);
/* The first certificate, and the private key, of a PEM file. */
X509 *store_read_cert(const char *path, struct pr_err **err);
EVP_PKEY *store_read_key(const char *path, struct pr_err **err);
int store_write_cert(
    const char *path, const X509 *x, bool force, struct pr_err **err);
int store_write_key(
    const char *path, const EVP_PKEY *key, bool force, struct pr_err **err);
int store_write_crl(const char *path, const X509_CRL *crl, struct pr_err **err);

/* "dir/name" + suffix; malloc'ed. */
char *store_path(const char *dir, const char *name, const char *suffix);
/* Holds DIR/lock until closed; -1: *err. */
int store_lock(const char *dir, struct pr_err **err);
void store_unlockp(int *fd); /* for PR_CLEANUP */

struct index_entry {
	bool revoked;
	int64_t not_after, revoked_at;     /* seconds since 1970 */
	struct pr_str serial, fingerprint; /* hex, lower case */
	struct pr_str reason;              /* a word, or "-" */
	struct pr_str file;                /* name of the certificate's file */
	struct pr_str subject;             /* RFC 4514, one line */
};

struct index {
	struct pr_arena *arena;
	uint64_t crl_number; /* of the last list */
	struct index_entry *v;
	size_t n, cap;
};

int index_read(struct index *ix, const char *dir, struct pr_err **err);
int index_write(const struct index *ix, const char *dir, struct pr_err **err);
/* A new entry, zeroed; valid until the next one. */
struct index_entry *index_add(struct index *ix);
struct index_entry *index_find(struct index *ix, struct pr_str serial);
void index_fini(struct index *ix);

/* Texts of a certificate, in the arena. */
struct pr_str cert_serial(struct pr_arena *a, const X509 *x);
struct pr_str cert_fingerprint(struct pr_arena *a, const X509 *x);
struct pr_str cert_name(struct pr_arena *a, const X509_NAME *name);
int64_t cert_seconds(const ASN1_TIME *t);

#endif /* STORE_H */
