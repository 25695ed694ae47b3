/* SPDX-License-Identifier: Apache-2.0 */
#include "make.h"

#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <portreeve/digest.h>

#define UPN_OID "1.3.6.1.4.1.311.20.2.3"
#define DAY     ((int64_t)86400)

/* What a kind of certificate may do. */
static const struct kind {
	const char *constraints, *usage;
	unsigned eku;
	int64_t seconds;
} kinds[] = {
    [PR_CERT_CA] = {"critical,CA:TRUE,pathlen:0",
	"critical,keyCertSign,cRLSign", 0, 3650 * DAY},
    [PR_CERT_SERVER] = {"critical,CA:FALSE",
	"critical,digitalSignature,keyEncipherment", PR_CERT_EKU_SERVER,
	397 * DAY},
    [PR_CERT_CLIENT] = {"critical,CA:FALSE", "critical,digitalSignature",
	PR_CERT_EKU_CLIENT, 90 * DAY},
};

static const struct {
	const char *word, *type, *curve;
	size_t bits;
} keys[] = {
    {"ec-p256", "EC", "P-256", 0},
    {"ec-p384", "EC", "P-384", 0},
    {"ed25519", "ED25519", NULL, 0},
    {"rsa-2048", "RSA", NULL, 2048},
    {"rsa-3072", "RSA", NULL, 3072},
    {"rsa-4096", "RSA", NULL, 4096},
};

const char *const pr_cert_key_words[] = {
    "ec-p256", "ec-p384", "ed25519", "rsa-2048", "rsa-3072", "rsa-4096", NULL};

void
key_freep(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

void
cert_freep(X509 **p)
{
	X509_free(*p);
}

void
crl_freep(X509_CRL **p)
{
	X509_CRL_free(*p);
}

void
bio_freep(BIO **p)
{
	BIO_free(*p);
}

int
fail_ssl(struct pr_err **err, const char *what)
{
	unsigned long e = ERR_peek_last_error();
	const char *why = ERR_reason_error_string(e);

	pr_err_set(err, PR_ERR_INVALID, 0, "%s: %s", what,
	    why != NULL ? why : "OpenSSL gives no reason");
	ERR_clear_error();
	return -1;
}

EVP_PKEY *
key_make(const char *word, struct pr_err **err)
{
	EVP_PKEY *key = NULL;
	size_t i = 0;

	while (word != NULL && i < PR_COUNT(keys) &&
	    strcmp(word, keys[i].word) != 0)
		i++;
	if (i == PR_COUNT(keys)) {
		pr_err_set(err, PR_ERR_INVALID, 0,
		    "no kind of key is called \"%s\"", word);
		return NULL;
	}
	if (keys[i].curve != NULL)
		key =
		    EVP_PKEY_Q_keygen(NULL, NULL, keys[i].type, keys[i].curve);
	else if (keys[i].bits != 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, keys[i].type, keys[i].bits);
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, keys[i].type);
	if (key == NULL)
		fail_ssl(err, "cannot make a key");
	return key;
}

const EVP_MD *
key_digest(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
}

/* --- names --- */

static int
add_rdn(X509_NAME *name, int nid, const char *option, const char *value,
    struct pr_err **err)
{
	struct pr_str s = pr_str_of(value);

	if (value == NULL)
		return 0;
	if (s.n == 0 || !pr_str_utf8(s))
		return pr_err_set(
		    err, PR_ERR_INVALID, 0, "%s is empty or not UTF-8", option);
	if (X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
		(const unsigned char *)value, -1, -1, 0) == 1)
		return 0;
	ERR_clear_error();
	return pr_err_set(
	    err, PR_ERR_INVALID, 0, "%s: at most 64 characters", option);
}

static int
set_subject(X509 *x, const struct pr_cert_spec *spec, struct pr_err **err)
{
	X509_NAME *name = X509_get_subject_name(x);

	/* general to special, as X.500 orders them */
	if (add_rdn(name, NID_organizationName, "--org", spec->org, err) < 0 ||
	    add_rdn(name, NID_organizationalUnitName, "--ou", spec->ou, err) <
		0)
		return -1;
	return add_rdn(name, NID_commonName, "--cn", spec->cn, err);
}

static int
set_ia5(GENERAL_NAME *g, int type, const char *value)
{
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();

	if (s == NULL || !pr_str_printable(pr_str_of(value)) ||
	    value[0] == '\0' || ASN1_STRING_set(s, value, -1) != 1) {
		ASN1_IA5STRING_free(s);
		return -1;
	}
	GENERAL_NAME_set0_value(g, type, s);
	return 0;
}

static int
set_ip(GENERAL_NAME *g, const char *value)
{
	ASN1_OCTET_STRING *s = a2i_IPADDRESS(value);

	if (s == NULL)
		return -1;
	GENERAL_NAME_set0_value(g, GEN_IPADD, s);
	return 0;
}

static int
set_upn(GENERAL_NAME *g, const char *value)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(UPN_OID, 1);
	ASN1_TYPE *type = ASN1_TYPE_new();
	ASN1_UTF8STRING *s = ASN1_UTF8STRING_new();

	if (oid == NULL || type == NULL || s == NULL || value[0] == '\0' ||
	    !pr_str_utf8(pr_str_of(value)) ||
	    ASN1_STRING_set(s, value, -1) != 1) {
		ASN1_OBJECT_free(oid);
		ASN1_TYPE_free(type);
		ASN1_UTF8STRING_free(s);
		return -1;
	}
	ASN1_TYPE_set(type, V_ASN1_UTF8STRING, s);
	GENERAL_NAME_set0_othername(g, oid, type);
	return 0;
}

static int
set_san(GENERAL_NAME *g, const struct pr_cert_san *san)
{
	switch (san->type) {
	case PR_CERT_DNS:
		return set_ia5(g, GEN_DNS, san->value);
	case PR_CERT_EMAIL:
		return set_ia5(g, GEN_EMAIL, san->value);
	case PR_CERT_URI:
		return set_ia5(g, GEN_URI, san->value);
	case PR_CERT_IP:
		return set_ip(g, san->value);
	case PR_CERT_UPN:
		return set_upn(g, san->value);
	}
	return -1;
}

static void
names_freep(GENERAL_NAMES **p)
{
	GENERAL_NAMES_free(*p);
}

static int
add_sans(X509 *x, const struct pr_cert_spec *spec, struct pr_err **err)
{
	PR_CLEANUP(names_freep) GENERAL_NAMES *names = GENERAL_NAMES_new();

	if (spec->n_sans == 0)
		return 0;
	for (size_t i = 0; i < spec->n_sans; i++) {
		GENERAL_NAME *g = GENERAL_NAME_new();

		if (g == NULL || set_san(g, &spec->sans[i]) < 0) {
			GENERAL_NAME_free(g);
			ERR_clear_error();
			return pr_err_set(err, PR_ERR_INVALID, 0,
			    "\"%s\" cannot stand in a subject alternative name",
			    spec->sans[i].value);
		}
		sk_GENERAL_NAME_push(names, g);
	}
	if (X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0) != 1)
		return fail_ssl(err, "subject alternative name");
	return 0;
}

/* --- the rest --- */

/* The values are ours: OpenSSL's text form of extensions is safe for them. */
static int
add_ext(X509 *x, X509 *ca, int nid, const char *value, struct pr_err **err)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;
	int ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, ca, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok ? 0 : fail_ssl(err, OBJ_nid2sn(nid));
}

static int
add_extensions(
    X509 *x, X509 *ca, const struct pr_cert_spec *spec, struct pr_err **err)
{
	static const char *const ekus[] = {
	    NULL, "serverAuth", "clientAuth", "serverAuth,clientAuth"};
	const struct kind *k = &kinds[spec->kind];
	const char *eku = ekus[(spec->eku_given ? spec->eku : k->eku) & 3];

	if (add_ext(x, ca, NID_basic_constraints, k->constraints, err) < 0 ||
	    add_ext(x, ca, NID_key_usage, k->usage, err) < 0 ||
	    add_ext(x, ca, NID_subject_key_identifier, "hash", err) < 0 ||
	    add_ext(x, ca, NID_authority_key_identifier, "keyid", err) < 0)
		return -1;
	if (eku != NULL && add_ext(x, ca, NID_ext_key_usage, eku, err) < 0)
		return -1;
	return add_sans(x, spec, err);
}

/* 16 random bytes, positive and without leading zeros (RFC 5280 4.1.2.2). */
static int
set_serial(X509 *x)
{
	uint8_t bytes[16];
	BIGNUM *n;
	int ok;

	pr_random(bytes, sizeof bytes);
	bytes[0] = (uint8_t)((bytes[0] & 0x3f) | 0x40);
	n = BN_bin2bn(bytes, sizeof bytes, NULL);
	ok = n != NULL &&
	    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
	BN_free(n);
	return ok ? 0 : -1;
}

static int
set_validity(X509 *x, const struct pr_cert_spec *spec, struct pr_err **err)
{
	int64_t from = spec->not_before != 0 ? spec->not_before : time(NULL);
	int64_t length =
	    spec->seconds != 0 ? spec->seconds : kinds[spec->kind].seconds;

	/* ASN1_TIME_set takes years up to 9999 */
	if (length < 0 || from < 0 || from > INT64_C(253402300799) - length)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "the validity ends after the year 9999");
	if (ASN1_TIME_set(X509_getm_notBefore(x), from) == NULL ||
	    ASN1_TIME_set(X509_getm_notAfter(x), from + length) == NULL)
		return fail_ssl(err, "validity");
	return 0;
}

X509 *
cert_make(const struct pr_cert_spec *spec, EVP_PKEY *key, X509 *ca,
    EVP_PKEY *ca_key, struct pr_err **err)
{
	PR_CLEANUP(cert_freep) X509 *x = X509_new();

	if (x == NULL || X509_set_version(x, X509_VERSION_3) != 1 ||
	    set_serial(x) < 0 || X509_set_pubkey(x, key) != 1) {
		fail_ssl(err, "cannot make a certificate");
		return NULL;
	}
	if (set_validity(x, spec, err) < 0 || set_subject(x, spec, err) < 0)
		return NULL;
	if (ca == NULL) {
		ca = x;
		ca_key = key;
	}
	X509_set_issuer_name(x, X509_get_subject_name(ca));
	if (add_extensions(x, ca, spec, err) < 0)
		return NULL;
	if (X509_sign(x, ca_key, key_digest(ca_key)) == 0) {
		fail_ssl(err, "cannot sign the certificate");
		return NULL;
	}
	return pr_take(&x);
}
