/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates of every kind, also such as no authority would make: subjects
 * and alternative names byte by byte, odd extensions, edited DER.
 */
#ifndef FORGE_H
#define FORGE_H

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <portreeve/buf.h>
#include <portreeve/digest.h>

/* Bytes with their number, for tables. */
#define BYTES(literal) (literal), (int)(sizeof(literal) - 1)

struct forge_part { /* of the subject, in the order of the DER */
	int nid, type;
	const char *bytes;
	int len;
	int set; /* 0: an RDN of its own; -1: in the RDN before */
};

struct forge_san {
	int gen;  /* GEN_EMAIL, GEN_URI, GEN_DNS; GEN_OTHERNAME is a UPN */
	int type; /* of the string */
	const char *bytes;
	int len;
};

struct forge {
	X509 *x;
	EVP_PKEY *key;    /* of the certificate */
	EVP_PKEY *signer; /* of the authority */
	const EVP_MD *md;
	struct pr_buf der; /* once signed */
};

/* Made once: keys cost time. */
static EVP_PKEY *forge_ca_key, *forge_other_key, *forge_leaf_key;

static inline X509_NAME *
forge_ca_name(void)
{
	X509_NAME *n = X509_NAME_new();

	X509_NAME_add_entry_by_txt(
	    n, "O", MBSTRING_UTF8, (const unsigned char *)"Acme", -1, -1, 0);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8,
	    (const unsigned char *)"Acme User CA", -1, -1, 0);
	return n;
}

static inline void
forge_setup(void)
{
	forge_ca_key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	forge_other_key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	forge_leaf_key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

static inline void
forge_teardown(void)
{
	EVP_PKEY_free(forge_ca_key);
	EVP_PKEY_free(forge_other_key);
	EVP_PKEY_free(forge_leaf_key);
}

static inline void
forge_ext(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	if (e == NULL || X509_add_ext(x, e, -1) != 1)
		abort();
	X509_EXTENSION_free(e);
}

/* An extension with these bytes as its value, whatever they are. */
static inline void
forge_raw_ext(X509 *x, int nid, const void *p, size_t n)
{
	ASN1_OCTET_STRING *o = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;

	ASN1_OCTET_STRING_set(o, p, (int)n);
	e = X509_EXTENSION_create_by_NID(NULL, nid, 0, o);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(o);
}

static inline void
forge_drop_ext(X509 *x, int nid)
{
	int at = X509_get_ext_by_NID(x, nid, -1);

	if (at < 0)
		abort();
	X509_EXTENSION_free(X509_delete_ext(x, at));
}

static inline GENERAL_NAME *
forge_general_name(const struct forge_san *s)
{
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_STRING *str =
	    ASN1_STRING_type_new(s->type != 0 ? s->type : V_ASN1_IA5STRING);

	ASN1_STRING_set(str, s->bytes, s->len);
	if (s->gen == GEN_OTHERNAME) {
		ASN1_TYPE *t = ASN1_TYPE_new();

		ASN1_TYPE_set(t, s->type, str);
		GENERAL_NAME_set0_othername(
		    g, OBJ_txt2obj("1.3.6.1.4.1.311.20.2.3", 1), t);
	} else {
		GENERAL_NAME_set0_value(g, s->gen, str);
	}
	return g;
}

static inline GENERAL_NAMES *
forge_general_names(const struct forge_san *sans, size_t n)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();

	for (size_t i = 0; i < n && sans[i].gen >= 0 && sans[i].bytes != NULL;
	     i++)
		sk_GENERAL_NAME_push(names, forge_general_name(&sans[i]));
	return names;
}

static inline void
forge_add_sans(X509 *x, const struct forge_san *sans, size_t n)
{
	GENERAL_NAMES *names = forge_general_names(sans, n);

	if (sk_GENERAL_NAME_num(names) > 0)
		X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0);
	GENERAL_NAMES_free(names);
}

/* A client certificate of the CA, good in every way; not signed yet. */
static inline void
forge_begin(struct forge *f, const struct forge_part *subject, size_t n_subject,
    const struct forge_san *sans, size_t n_sans)
{
	X509_NAME *ca = forge_ca_name();

	*f = (struct forge){X509_new(), forge_leaf_key, forge_ca_key,
	    EVP_sha256(), PR_BUF_INIT};
	X509_set_version(f->x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(f->x), 0x1234567);
	X509_gmtime_adj(X509_getm_notBefore(f->x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(f->x), 3600);
	X509_set_issuer_name(f->x, ca);
	X509_NAME_free(ca);
	for (size_t i = 0; i < n_subject && subject[i].bytes != NULL; i++)
		X509_NAME_add_entry_by_NID(X509_get_subject_name(f->x),
		    subject[i].nid, subject[i].type,
		    (const unsigned char *)subject[i].bytes, subject[i].len, -1,
		    subject[i].set);
	forge_ext(f->x, NID_basic_constraints, "critical,CA:FALSE");
	forge_ext(f->x, NID_key_usage, "critical,digitalSignature");
	forge_ext(f->x, NID_ext_key_usage, "clientAuth");
	forge_add_sans(f->x, sans, n_sans);
}

static inline void
forge_sign(struct forge *f)
{
	unsigned char *der = NULL;
	int n;

	X509_set_pubkey(f->x, f->key);
	if (X509_sign(f->x, f->signer, f->md) == 0)
		abort();
	n = i2d_X509(f->x, &der);
	pr_buf_reset(&f->der);
	pr_buf_add(&f->der, der, (size_t)n);
	OPENSSL_free(der);
}

static inline void
forge_end(struct forge *f)
{
	X509_free(f->x);
	pr_buf_fini(&f->der);
}

/* PEM as Go's pem.Encode writes it. */
static inline void
forge_pem(struct pr_buf *out, struct pr_str der)
{
	size_t n = 4 * ((der.n + 2) / 3);
	char *b64 = malloc(n + 1);

	n = pr_base64_encode(der.p, der.n, b64);
	pr_buf_cstr(out, "-----BEGIN CERTIFICATE-----\n");
	for (size_t i = 0; i < n; i += 64) {
		pr_buf_add(out, b64 + i, n - i < 64 ? n - i : 64);
		pr_buf_char(out, '\n');
	}
	pr_buf_cstr(out, "-----END CERTIFICATE-----\n");
	free(b64);
}

/* base64 of that, as it stands in RequestPeerCertificates. */
static inline void
forge_entry(struct pr_buf *out, struct pr_str text)
{
	char *to = pr_buf_reserve(out, 4 * ((text.n + 2) / 3) + 1);

	pr_buf_grew(out, pr_base64_encode(text.p, text.n, to));
}

static inline void
forge_call_text(struct pr_buf *out, struct pr_str der)
{
	struct pr_buf pem = PR_BUF_INIT;

	forge_pem(&pem, der);
	forge_entry(out, pr_buf_view(&pem));
	pr_buf_fini(&pem);
}

#endif /* FORGE_H */
