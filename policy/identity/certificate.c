/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DER → facts, strictly: whatever two readers could read in two ways makes
 * the certificate unfit, whether or not a rule wants that part.
 */
#include "certificate.h"

#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <portreeve/caps.h>
#include <portreeve/digest.h>
#include <portreeve/dn.h>

#include "der.h"

#define MAX_EXTENSIONS 64
#define MIN_STRENGTH   112 /* bits: RSA 2048, SHA-224; not SHA-1 */
#define UPN_OID        "1.3.6.1.4.1.311.20.2.3"

static void
general_names_freep(GENERAL_NAMES **p)
{
	GENERAL_NAMES_free(*p);
}

static bool
seconds_of(const ASN1_TIME *t, int64_t *out)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*out = timegm(&tm);
	return true;
}

static const char *
read_numbers(struct pr_arena *a, struct certificate *c)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(c->x509);
	size_t n = (size_t)ASN1_STRING_length(serial);
	uint8_t sum[PR_SHA256_LEN];
	char *hex = pr_arena_bytes(a, PR_SHA256_HEX);

	pr_sha256(c->facts.der.p, c->facts.der.n, sum);
	pr_hex(sum, sizeof sum, hex);
	c->facts.fingerprint = (struct pr_str){hex, PR_SHA256_HEX - 1};
	/* RFC 5280 4.1.2.2 allows 20 octets */
	if (n > 20 || ASN1_STRING_type(serial) != V_ASN1_INTEGER)
		return "its serial number is negative or longer than 20 bytes";
	hex = pr_arena_bytes(a, 2 * n + 1);
	pr_hex(ASN1_STRING_get0_data(serial), n, hex);
	c->facts.serial = (struct pr_str){hex, 2 * n};
	if (!seconds_of(X509_get0_notBefore(c->x509), &c->facts.not_before) ||
	    !seconds_of(X509_get0_notAfter(c->x509), &c->facts.not_after))
		return "its validity cannot be read";
	return NULL;
}

static struct pr_str
issuer_key(struct pr_arena *a, struct pr_str text)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	if (!pr_dn_normalise(text, &b))
		return (struct pr_str){NULL, 0};
	return pr_arena_str(a, pr_buf_view(&b));
}

static const char *
read_names(struct pr_arena *a, struct certificate *c)
{
	if (!x500_read(a, X509_get_issuer_name(c->x509), &c->issuer) ||
	    !x500_read(a, X509_get_subject_name(c->x509), &c->subject))
		return "its names have more than 64 parts";
	c->facts.issuer = x500_text(a, &c->issuer);
	c->facts.subject = x500_text(a, &c->subject);
	c->issuer_key = issuer_key(a, c->facts.issuer);
	for (size_t i = 0; i < c->subject.n; i++) {
		const struct x500_attr *at = &c->subject.v[i];

		if (!pr_str_is(at->oid, "2.5.4.3"))
			continue;
		if (at->raw || at->value.n > PR_CAP_NAME)
			return "its CN is empty, too long or holds characters "
			       "that are not fit for a name";
		c->facts.cn = at->value;
		c->n_cn++;
	}
	if (c->n_cn > 1) /* dockerd takes the last, others the first */
		c->facts.cn = (struct pr_str){NULL, 0};
	return NULL;
}

static const char *
check_extensions(const X509 *x)
{
	int n = X509_get_ext_count(x);

	if (n > MAX_EXTENSIONS)
		return "it has more than 64 extensions";
	for (int i = 0; i < n; i++) {
		X509_EXTENSION *e = X509_get_ext(x, i);
		const ASN1_OBJECT *o = X509_EXTENSION_get_object(e);

		if (X509_get_ext_by_OBJ(x, o, i) >= 0)
			return "it has the same extension twice";
	}
	return NULL;
}

/* Where a SAN of one type goes. */
struct list {
	struct pr_str *v;
	size_t n;
};

struct sans {
	struct list emails, dns, uris, upns;
};

static const char *
add_san(struct pr_arena *a, struct list *to, const ASN1_STRING *s)
{
	struct pr_str text;

	if (!text_of_asn1(a, s, &text) || text.n > PR_CAP_SAN)
		return "a name in its SAN is empty, too long or holds "
		       "characters that are not fit for a name";
	to->v[to->n++] = pr_arena_str(a, text);
	return NULL;
}

static const char *
add_other_name(struct pr_arena *a, struct sans *to, const OTHERNAME *o)
{
	char oid[64];

	OBJ_obj2txt(oid, sizeof oid, o->type_id, 1);
	if (strcmp(oid, UPN_OID) != 0)
		return NULL;
	if (o->value == NULL || ASN1_TYPE_get(o->value) != V_ASN1_UTF8STRING)
		return "the UPN of its SAN is no UTF8String";
	return add_san(a, &to->upns, o->value->value.utf8string);
}

static const char *
sort_san(struct pr_arena *a, struct sans *to, const GENERAL_NAME *g)
{
	switch (g->type) {
	case GEN_EMAIL:
		return add_san(a, &to->emails, g->d.rfc822Name);
	case GEN_DNS:
		return add_san(a, &to->dns, g->d.dNSName);
	case GEN_URI:
		return add_san(a, &to->uris, g->d.uniformResourceIdentifier);
	case GEN_OTHERNAME:
		return add_other_name(a, to, g->d.otherName);
	default:
		return NULL; /* names nobody here */
	}
}

/* The GeneralNames of the SAN; NULL with *wrong == NULL: there is none. */
static GENERAL_NAMES *
parse_san(const X509 *x, const char **wrong)
{
	int at = X509_get_ext_by_NID(x, NID_subject_alt_name, -1);
	const ASN1_OCTET_STRING *o;
	const unsigned char *p;
	GENERAL_NAMES *names;
	struct pr_str der;

	*wrong = NULL;
	if (at < 0)
		return NULL;
	o = X509_EXTENSION_get_data(X509_get_ext(x, at));
	p = ASN1_STRING_get0_data(o);
	der = (struct pr_str){(const char *)p, (size_t)ASN1_STRING_length(o)};
	*wrong = "its SAN cannot be read";
	if (!der_is_strict(der))
		return NULL;
	names = d2i_GENERAL_NAMES(NULL, &p, ASN1_STRING_length(o));
	if (names == NULL || p != (const unsigned char *)der.p + der.n) {
		GENERAL_NAMES_free(names);
		return NULL;
	}
	*wrong = NULL;
	return names;
}

static const char *
read_sans(struct pr_arena *a, struct certificate *c)
{
	const char *wrong;
	PR_CLEANUP(general_names_freep)
	GENERAL_NAMES *names = parse_san(c->x509, &wrong);
	struct sans to = {0};
	struct list *const lists[] = {&to.emails, &to.dns, &to.uris, &to.upns};
	int n;

	if (names == NULL)
		return wrong;
	n = sk_GENERAL_NAME_num(names);
	if (n > (int)PR_CAP_SANS)
		return "its SAN holds too many names";
	for (size_t i = 0; i < PR_COUNT(lists); i++)
		lists[i]->v =
		    pr_arena_array(a, (size_t)n + 1, sizeof *lists[i]->v);
	for (int i = 0; i < n && wrong == NULL; i++)
		wrong = sort_san(a, &to, sk_GENERAL_NAME_value(names, i));
	if (wrong != NULL)
		return wrong;
	c->facts.emails = to.emails.v;
	c->facts.n_emails = to.emails.n;
	c->facts.dns = to.dns.v;
	c->facts.n_dns = to.dns.n;
	c->facts.uris = to.uris.v;
	c->facts.n_uris = to.uris.n;
	c->facts.upns = to.upns.v;
	c->facts.n_upns = to.upns.n;
	return NULL;
}

static const char *
check_strength(X509 *x)
{
	const EVP_PKEY *key = X509_get0_pubkey(x);
	int bits = 0;

	if (key == NULL || EVP_PKEY_get_security_bits(key) < MIN_STRENGTH)
		return "its key is of no known kind, or too weak";
	if (X509_get_signature_info(x, NULL, NULL, &bits, NULL) != 1 ||
	    bits < MIN_STRENGTH)
		return "its signature is of no known kind, or too weak "
		       "(SHA-1, MD5)";
	return NULL;
}

/* What may present it: checked by dockerd too, at the handshake. */
static const char *
check_use(X509 *x)
{
	uint32_t use;

	if (X509_check_purpose(x, -1, 0) != 1 ||
	    (X509_get_extension_flags(x) & EXFLAG_INVALID) != 0)
		return "its extensions cannot be read";
	if ((X509_get_extension_flags(x) & EXFLAG_CA) != 0)
		return "it is the certificate of an authority";
	use = X509_get_extended_key_usage(x);
	if ((use & (XKU_SSL_CLIENT | XKU_ANYEKU)) == 0)
		return "it is not made for clients (EKU clientAuth is missing)";
	if ((X509_get_key_usage(x) &
		(KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT)) == 0)
		return "its key usage lets nobody sign in with it";
	return NULL;
}

static const char *
read_parts(struct pr_arena *a, struct certificate *c)
{
	const char *wrong;

	if ((wrong = read_numbers(a, c)) != NULL ||
	    (wrong = read_names(a, c)) != NULL ||
	    (wrong = check_extensions(c->x509)) != NULL ||
	    (wrong = read_sans(a, c)) != NULL ||
	    (wrong = check_strength(c->x509)) != NULL)
		return wrong;
	return check_use(c->x509);
}

const char *
certificate_read(struct pr_arena *a, struct pr_str der, struct certificate *c)
{
	const unsigned char *p = (const unsigned char *)der.p;
	const char *wrong;

	*c = (struct certificate){.facts = {.der = der}};
	if (!der_is_strict(der))
		return "it is not in DER";
	c->x509 = d2i_X509(NULL, &p, (long)der.n);
	if (c->x509 == NULL || p != (const unsigned char *)der.p + der.n) {
		ERR_clear_error();
		return "it cannot be read as X.509";
	}
	wrong = read_parts(a, c);
	ERR_clear_error();
	return wrong;
}

void
certificate_fini(struct certificate *c)
{
	X509_free(c->x509);
	c->x509 = NULL;
}
