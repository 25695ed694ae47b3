/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small certificate authority for labs and tests: a folder with a key, an
 * index of what was issued and revoked, and the certificates.  It can also
 * make wrong ones (expired, not yet valid, wrong use) on purpose.  Not for
 * a company's PKI: the key lies unencrypted in the folder (mode 0600).
 *
 *     DIR/ca.pem ca.key     the authority
 *     DIR/index             one line a certificate; replaced atomically
 *     DIR/NAME.pem NAME.key what was issued
 *     DIR/crl.pem           the last revocation list
 *
 * Everything happens under a lock on DIR/lock, so two commands at once are
 * fine.  Nothing that exists is overwritten unless `force` says so.
 */
#ifndef PR_CERTS_H
#define PR_CERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <portreeve/arena.h>
#include <portreeve/compiler.h>
#include <portreeve/err.h>
#include <portreeve/str.h>

enum pr_cert_kind {
	PR_CERT_CA,
	PR_CERT_SERVER,
	PR_CERT_CLIENT
};

enum pr_cert_san_type {
	PR_CERT_DNS,
	PR_CERT_IP,
	PR_CERT_EMAIL,
	PR_CERT_URI,
	PR_CERT_UPN, /* otherName, 1.3.6.1.4.1.311.20.2.3 */
};

struct pr_cert_san {
	enum pr_cert_san_type type;
	const char *value;
};

#define PR_CERT_EKU_SERVER 1u
#define PR_CERT_EKU_CLIENT 2u

struct pr_cert_spec {
	enum pr_cert_kind kind;
	const char *cn, *org, *ou; /* NULL: not in the subject */
	const struct pr_cert_san *sans;
	size_t n_sans;
	const char *key;    /* a word of pr_cert_key_words; NULL: ec-p256 */
	int64_t not_before; /* seconds since 1970; 0: now */
	int64_t seconds;    /* validity; 0: the kind's default */
	bool eku_given;     /* use eku and not the kind's own */
	unsigned eku;       /* PR_CERT_EKU_*; 0: no such extension */
};

extern const char *const pr_cert_key_words[]; /* NULL at the end */

/* What was made: paths are malloc'ed; free with pr_cert_made_fini. */
struct pr_cert_made {
	char *cert, *key;
	char serial[48]; /* hex */
	char fingerprint[65];
	int64_t not_after;
};
void pr_cert_made_fini(struct pr_cert_made *made);

/* Makes DIR (0700) if needed, and the authority in it. */
int pr_certs_init(const char *dir, const struct pr_cert_spec *spec, bool force,
    struct pr_cert_made *made, struct pr_err **err) PR_NODISCARD;
/* A certificate and its key as DIR/name.pem and DIR/name.key. */
int pr_certs_issue(const char *dir, const char *name,
    const struct pr_cert_spec *spec, bool force, struct pr_cert_made *made,
    struct pr_err **err) PR_NODISCARD;
/*
 * Marks a certificate of this authority as revoked; `which` is a serial in
 * hex or a PEM file, `reason` a word of pr_cert_reason_words or NULL.  The
 * list itself is written by pr_certs_crl.  Fills made->serial, fingerprint.
 */
int pr_certs_revoke(const char *dir, const char *which, const char *reason,
    struct pr_cert_made *made, struct pr_err **err) PR_NODISCARD;
extern const char *const pr_cert_reason_words[]; /* NULL at the end */
/* Writes a PEM CRL to `path` (NULL: DIR/crl.pem); *n: how many it lists. */
int pr_certs_crl(const char *dir, const char *path, int64_t seconds, size_t *n,
    struct pr_err **err) PR_NODISCARD;
/*
 * The folder that `docker` wants in DOCKER_CERT_PATH: TO/ca.pem, cert.pem,
 * key.pem (0600), copied from DIR/name.*.
 */
int pr_certs_bundle(const char *dir, const char *name, const char *to,
    bool force, struct pr_err **err) PR_NODISCARD;

/* What `inspect` shows; texts are as the certificate has them, unescaped. */
struct pr_cert_info {
	struct pr_str subject, issuer; /* RFC 4514 */
	struct pr_str serial;          /* hex */
	struct pr_str fingerprint;     /* SHA-256, hex */
	struct pr_str key;             /* "ec-p256", "rsa-2048", ... */
	struct pr_str signature;       /* "ecdsa-with-SHA256" */
	int64_t not_before, not_after; /* seconds since 1970 */
	bool ca;
	const struct pr_str *sans; /* "DNS:localhost", "email:a@b", "UPN:..." */
	size_t n_sans;
	const struct pr_str *eku; /* "serverAuth", "clientAuth", or OIDs */
	size_t n_eku;
};
/* Reads the first certificate of a PEM file; *out lives in the arena. */
int pr_certs_read(struct pr_arena *a, const char *path,
    struct pr_cert_info *out, struct pr_err **err) PR_NODISCARD;

/* The name of a file for a subject: [A-Za-z0-9._-], others become '-'. */
void pr_certs_file_name(const char *cn, char *out, size_t size);

#endif /* PR_CERTS_H */
