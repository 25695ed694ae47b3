/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates of test_identity: each with the rule that reads it and the
 * name that it gives, or the reason why it gives none.
 */
#ifndef ODD_CERTS_H
#define ODD_CERTS_H

#include "identity_kit.h"

/* --- tweaks of an otherwise good certificate --- */

static void
is_expired(struct forge *f)
{
	X509_gmtime_adj(X509_getm_notBefore(f->x), -7200);
	X509_gmtime_adj(X509_getm_notAfter(f->x), -60);
}

static void
is_future(struct forge *f)
{
	X509_gmtime_adj(X509_getm_notBefore(f->x), 600);
}

static void
for_servers(struct forge *f)
{
	forge_drop_ext(f->x, NID_ext_key_usage);
	forge_ext(f->x, NID_ext_key_usage, "serverAuth");
}

static void
for_anything(struct forge *f)
{
	forge_drop_ext(f->x, NID_ext_key_usage);
	forge_ext(f->x, NID_ext_key_usage, "anyExtendedKeyUsage");
}

static void
for_both(struct forge *f)
{
	forge_drop_ext(f->x, NID_ext_key_usage);
	forge_ext(f->x, NID_ext_key_usage, "serverAuth,clientAuth");
}

static void
without_eku(struct forge *f)
{
	forge_drop_ext(f->x, NID_ext_key_usage);
}

static void
for_signing_certs(struct forge *f)
{
	forge_drop_ext(f->x, NID_key_usage);
	forge_ext(f->x, NID_key_usage, "critical,keyCertSign");
}

static void
is_authority(struct forge *f)
{
	forge_drop_ext(f->x, NID_basic_constraints);
	forge_ext(f->x, NID_basic_constraints, "critical,CA:TRUE");
}

static void
by_sha1(struct forge *f)
{
	f->md = EVP_sha1();
}

static void
by_md5(struct forge *f)
{
	f->signer = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	f->key = f->signer;
	f->md = EVP_md5();
}

static void
with_rsa1024(struct forge *f)
{
	f->key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
}

static void
with_rsa2048(struct forge *f)
{
	f->key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
}

static void
with_ed25519(struct forge *f)
{
	f->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static void
with_p192(struct forge *f)
{
	f->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "prime192v1");
}

static void
of_other_issuer(struct forge *f)
{
	X509_NAME *n = X509_NAME_new();

	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8,
	    (const unsigned char *)"Evil CA", -1, -1, 0);
	X509_set_issuer_name(f->x, n);
	X509_NAME_free(n);
}

/* the same RDNs, the other way round */
static void
of_reversed_issuer(struct forge *f)
{
	X509_NAME *n = X509_NAME_new();

	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8,
	    (const unsigned char *)"Acme User CA", -1, -1, 0);
	X509_NAME_add_entry_by_txt(
	    n, "O", MBSTRING_UTF8, (const unsigned char *)"Acme", -1, -1, 0);
	X509_set_issuer_name(f->x, n);
	X509_NAME_free(n);
}

/* one CN that reads like the issuer's text */
static void
of_texty_issuer(struct forge *f)
{
	X509_NAME *n = X509_NAME_new();

	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8,
	    (const unsigned char *)"Acme User CA,O=Acme", -1, -1, 0);
	X509_set_issuer_name(f->x, n);
	X509_NAME_free(n);
}

/* CN and O in one RDN */
static void
of_multivalued_issuer(struct forge *f)
{
	X509_NAME *n = X509_NAME_new();

	X509_NAME_add_entry_by_txt(
	    n, "O", MBSTRING_UTF8, (const unsigned char *)"Acme", -1, -1, 0);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8,
	    (const unsigned char *)"Acme User CA", -1, -1, -1);
	X509_set_issuer_name(f->x, n);
	X509_NAME_free(n);
}

/* the issuer's strings of another type are the same name */
static void
of_printable_issuer(struct forge *f)
{
	X509_NAME *n = X509_NAME_new();

	X509_NAME_add_entry_by_NID(n, NID_organizationName,
	    V_ASN1_PRINTABLESTRING, (const unsigned char *)"Acme", -1, -1, 0);
	X509_NAME_add_entry_by_NID(n, NID_commonName, V_ASN1_BMPSTRING,
	    (const unsigned char *)"\0A\0c\0m\0e\0 \0U\0s\0e\0r\0 \0C\0A", 24,
	    -1, 0);
	X509_set_issuer_name(f->x, n);
	X509_NAME_free(n);
}

static void
of_issuer_with_nul(struct forge *f)
{
	X509_NAME *n = X509_NAME_new();

	X509_NAME_add_entry_by_NID(n, NID_organizationName, V_ASN1_UTF8STRING,
	    (const unsigned char *)"Acme", -1, -1, 0);
	X509_NAME_add_entry_by_NID(n, NID_commonName, V_ASN1_UTF8STRING,
	    (const unsigned char *)"Acme User CA\0x", 14, -1, 0);
	X509_set_issuer_name(f->x, n);
	X509_NAME_free(n);
}

static void
with_san_twice(struct forge *f)
{
	static const struct forge_san second[] = {EMAIL("root@acme.com")};
	GENERAL_NAMES *names = forge_general_names(second, 1);
	unsigned char *der = NULL;
	int n = i2d_GENERAL_NAMES(names, &der);

	forge_raw_ext(f->x, NID_subject_alt_name, der, (size_t)n);
	OPENSSL_free(der);
	GENERAL_NAMES_free(names);
}

static void
with_san_and_garbage(struct forge *f)
{
	forge_raw_ext(f->x, NID_subject_alt_name,
	    "\x30\x0a\x81\x08"
	    "a@b.test"
	    "junk",
	    16);
}

static void
with_empty_san(struct forge *f)
{
	forge_raw_ext(f->x, NID_subject_alt_name, "\x30\x00", 2);
}

static void
with_long_form_san(struct forge *f)
{
	forge_raw_ext(f->x, NID_subject_alt_name,
	    "\x30\x81\x0a\x81\x08"
	    "a@b.test",
	    13);
}

static void
with_non_san(struct forge *f)
{
	forge_raw_ext(f->x, NID_subject_alt_name, "hello", 5);
}

static void
with_huge_san(struct forge *f)
{
	static char name[65536];
	struct forge_san one = {GEN_EMAIL, 0, name, sizeof name};

	memset(name, 'a', sizeof name);
	memcpy(name + sizeof name - 9, "@acme.com", 9);
	forge_add_sans(f->x, &one, 1);
}

static void
with_many_sans(struct forge *f)
{
	static struct forge_san many[300];

	for (size_t i = 0; i < PR_COUNT(many); i++)
		many[i] = (struct forge_san){GEN_DNS, 0, BYTES("a.test")};
	forge_add_sans(f->x, many, PR_COUNT(many));
}

static void
with_foreign_other_name(struct forge *f)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_TYPE *t = ASN1_TYPE_new();
	ASN1_UTF8STRING *s = ASN1_UTF8STRING_new();

	ASN1_STRING_set(s, "root@acme.com", -1);
	ASN1_TYPE_set(t, V_ASN1_UTF8STRING, s);
	GENERAL_NAME_set0_othername(g, OBJ_txt2obj("1.2.3.4", 1), t);
	sk_GENERAL_NAME_push(names, g);
	X509_add1_ext_i2d(f->x, NID_subject_alt_name, names, 0, 0);
	GENERAL_NAMES_free(names);
}

static void
with_negative_serial(struct forge *f)
{
	ASN1_INTEGER_set(X509_get_serialNumber(f->x), -5);
}

static void
with_bad_constraints(struct forge *f)
{
	forge_drop_ext(f->x, NID_basic_constraints);
	forge_raw_ext(f->x, NID_basic_constraints, "\x02\x01\x05", 3);
}

/* --- edits of the finished DER --- */

static void
der_trailing(struct pr_buf *der)
{
	pr_buf_char(der, 'x');
}

static void
der_truncated(struct pr_buf *der)
{
	der->n -= 5;
}

/* 30 82 hh ll → 30 83 00 hh ll: the same length in BER */
static void
der_long_length(struct pr_buf *der)
{
	struct pr_buf out = PR_BUF_INIT;

	pr_buf_add(&out, "\x30\x83\0", 3);
	pr_buf_add(&out, der->p + 2, der->n - 2);
	pr_buf_fini(der);
	*der = out;
}

static void
der_indefinite(struct pr_buf *der)
{
	struct pr_buf out = PR_BUF_INIT;

	pr_buf_add(&out, "\x30\x80", 2);
	pr_buf_add(&out, der->p + 4, der->n - 4);
	pr_buf_add(&out, "\0\0", 2);
	pr_buf_fini(der);
	*der = out;
}

/* Strings that OpenSSL does not write are put in the place of '~'. */
static void
der_surrogate(struct pr_buf *der)
{
	memcpy(memchr(der->p, '~', der->n), "\xd8\0", 2);
}

static void
der_latin1(struct pr_buf *der)
{
	memcpy(memchr(der->p, '~', der->n), "\xeb\xeb", 2);
}

static void
der_overlong(struct pr_buf *der)
{
	memcpy(memchr(der->p, '~', der->n), "\xc1\xa5", 2);
}

static void
der_utf8_surrogate(struct pr_buf *der)
{
	memcpy(memchr(der->p, '~', der->n), "\xed\xa0\x80", 3);
}

static void
der_empty(struct pr_buf *der)
{
	pr_buf_reset(der);
}

static void
der_noise(struct pr_buf *der)
{
	for (size_t i = 0; i < der->n; i++)
		der->p[i] = (char)(i * 37);
}

/* --- the table --- */

static const struct {
	const char *title;
	struct forge_part subject[4];
	struct forge_san sans[4];
	void (*tweak)(struct forge *);
	void (*edit)(struct pr_buf *);
	const char *by;
	const char *want; /* the name, or NULL: unmapped */
	const char *why;  /* in the text */
} certs[] = {
    /* CN */
    {"plain", {CN_UTF8("alice")}, {{0}}, NULL, NULL, "cn", "alice", NULL},
    {"printable CN", {CN_OF(V_ASN1_PRINTABLESTRING, "alice")}, {{0}}, NULL,
	NULL, "cn", "alice", NULL},
    {"IA5 CN", {CN_OF(V_ASN1_IA5STRING, "alice")}, {{0}}, NULL, NULL, "cn",
	"alice", NULL},
    {"UTF-8 CN", {CN_UTF8("Zo\xc3\xab")}, {{0}}, NULL, NULL, "cn", "Zo\xc3\xab",
	NULL},
    {"BMP CN", {CN_OF(V_ASN1_BMPSTRING, "\0Z\0o\0\xeb")}, {{0}}, NULL, NULL,
	"cn", "Zo\xc3\xab", NULL},
    {"universal CN", {CN_OF(V_ASN1_UNIVERSALSTRING, "\0\0\0a\0\0\0b")}, {{0}},
	NULL, NULL, "cn", "ab", NULL},
    {"ASCII T61 CN", {CN_OF(V_ASN1_T61STRING, "alice")}, {{0}}, NULL, NULL,
	"cn", "alice", NULL},
    {"T61 CN that is not ASCII", {CN_OF(V_ASN1_T61STRING, "Zo\xeb")}, {{0}},
	NULL, NULL, "cn", NULL, "not fit for a name"},
    {"T61 CN with a character of two meanings",
	{CN_OF(V_ASN1_T61STRING, "a#b")}, {{0}}, NULL, NULL, "cn", NULL,
	"not fit for a name"},
    {"BMP CN with a surrogate", {CN_OF(V_ASN1_BMPSTRING, "~~\0a")}, {{0}}, NULL,
	der_surrogate, "cn", NULL, "cannot be read"},
    {"BMP CN of odd length", {CN_OF(V_ASN1_BMPSTRING, "\0a\0")}, {{0}}, NULL,
	NULL, "cn", NULL, ""},
    {"UTF-8 CN that is Latin-1", {CN_UTF8("Zo~~")}, {{0}}, NULL, der_latin1,
	"cn", NULL, "cannot be read"},
    {"overlong UTF-8 CN", {CN_UTF8("alic~~")}, {{0}}, NULL, der_overlong, "cn",
	NULL, "cannot be read"},
    {"surrogate in a UTF-8 CN", {CN_UTF8("a~~~")}, {{0}}, NULL,
	der_utf8_surrogate, "cn", NULL, "cannot be read"},
    {"NUL in the CN", {CN_UTF8("alice\0evil")}, {{0}}, NULL, NULL, "cn", NULL,
	"not fit for a name"},
    {"NUL at the end of the CN", {CN_UTF8("alice\0")}, {{0}}, NULL, NULL, "cn",
	NULL, "not fit for a name"},
    {"NUL in a printable CN", {CN_OF(V_ASN1_PRINTABLESTRING, "alice\0evil")},
	{{0}}, NULL, NULL, "cn", NULL, "not fit for a name"},
    {"NUL in a BMP CN", {CN_OF(V_ASN1_BMPSTRING, "\0a\0\0\0b")}, {{0}}, NULL,
	NULL, "cn", NULL, "not fit for a name"},
    {"printable CN that is not", {CN_OF(V_ASN1_PRINTABLESTRING, "a\xc3\xab")},
	{{0}}, NULL, NULL, "cn", NULL, "not fit for a name"},
    {"newline in the CN", {CN_UTF8("alice\nroot")}, {{0}}, NULL, NULL, "cn",
	NULL, "not fit for a name"},
    {"escape in the CN", {CN_UTF8("alice\033[2J")}, {{0}}, NULL, NULL, "cn",
	NULL, "not fit for a name"},
    {"direction mark in the CN",
	{CN_UTF8("ali\xe2\x80\xae"
		 "ce")},
	{{0}}, NULL, NULL, "cn", NULL, "not fit for a name"},
    {"zero-width blank in the CN",
	{CN_UTF8("ali\xe2\x80\x8b"
		 "ce")},
	{{0}}, NULL, NULL, "cn", NULL, "not fit for a name"},
    {"replacement character in the CN", {CN_UTF8("ali\xef\xbf\xbd")}, {{0}},
	NULL, NULL, "cn", NULL, "not fit for a name"},
    {"blank after the CN", {CN_UTF8("alice ")}, {{0}}, NULL, NULL, "cn", NULL,
	"not fit for a name"},
    {"empty CN", {CN_UTF8("")}, {{0}}, NULL, NULL, "cn", NULL,
	"not fit for a name"},
    {"no CN", {{NID_organizationName, V_ASN1_UTF8STRING, BYTES("Acme"), 0}},
	{{0}}, NULL, NULL, "cn", NULL, "nothing that an identity rule"},
    {"no subject", {{0}}, {{0}}, NULL, NULL, "cn", NULL,
	"nothing that an identity rule"},
    {"two CNs", {CN_UTF8("alice"), CN_UTF8("root")}, {{0}}, NULL, NULL, "cn",
	NULL, "several CNs"},
    {"two equal CNs", {CN_UTF8("alice"), CN_UTF8("alice")}, {{0}}, NULL, NULL,
	"cn", NULL, "several CNs"},
    {"two CNs in one RDN",
	{CN_UTF8("alice"),
	    {NID_commonName, V_ASN1_UTF8STRING, BYTES("root"), -1}},
	{{0}}, NULL, NULL, "cn", NULL, "several CNs"},
    {"wildcard CN", {CN_UTF8("*")}, {{0}}, NULL, NULL, "cn", NULL, "'*'"},
    {"wildcard in the CN", {CN_UTF8("*.acme.com")}, {{0}}, NULL, NULL, "cn",
	NULL, "'*'"},
    {"CN that looks like a subject", {CN_UTF8("corp:root")}, {{0}}, NULL, NULL,
	"cn", "corp:root", NULL},
    {"CN that looks like a DN", {CN_UTF8("alice,O=Other")}, {{0}}, NULL, NULL,
	"cn", "alice,O=Other", NULL},
    {"CN beside a SAN that says otherwise", {CN_UTF8("alice")},
	{EMAIL("root@acme.com")}, NULL, NULL, "cn", "alice", NULL},
    {"CN that is a SEQUENCE", {CN_OF(V_ASN1_SEQUENCE, "\x30\x03\x02\x01\x01")},
	{{0}}, NULL, NULL, "cn", NULL, ""},
    /* DN */
    {"whole DN",
	{{NID_organizationName, V_ASN1_UTF8STRING, BYTES("A, Inc"), 0},
	    CN_UTF8("alice")},
	{{0}}, NULL, NULL, "dn", "CN=alice,O=A\\, Inc", NULL},
    {"multi-valued RDN",
	{CN_UTF8("alice"), {NID_userId, V_ASN1_UTF8STRING, BYTES("7"), -1}},
	{{0}}, NULL, NULL, "dn", "UID=7+CN=alice", NULL},
    {"DN with a control character",
	{{NID_organizationName, V_ASN1_UTF8STRING, BYTES("A\nB"), 0},
	    CN_UTF8("alice")},
	{{0}}, NULL, NULL, "dn", NULL, "no known type"},
    {"DN with an unknown type",
	{{NID_favouriteDrink, V_ASN1_UTF8STRING, BYTES("tea"), 0},
	    CN_UTF8("alice")},
	{{0}}, NULL, NULL, "dn", NULL, "no known type"},
    {"empty DN", {{0}}, {{0}}, NULL, NULL, "dn", NULL, "nothing that"},
    /* SAN */
    {"e-mail", {CN_UTF8("x")}, {EMAIL("Alice@Acme.com")}, NULL, NULL,
	"san-email", "Alice@Acme.com", NULL},
    {"e-mail of a certificate with two CNs", {CN_UTF8("a"), CN_UTF8("b")},
	{EMAIL("alice@acme.com")}, NULL, NULL, "san-email", "alice@acme.com",
	NULL},
    {"e-mail without a subject", {{0}}, {EMAIL("alice@acme.com")}, NULL, NULL,
	"san-email", "alice@acme.com", NULL},
    {"two e-mails", {CN_UTF8("x")}, {EMAIL("a@acme.com"), EMAIL("b@acme.com")},
	NULL, NULL, "san-email", NULL, "several e-mail"},
    {"e-mail in the subject only",
	{{NID_pkcs9_emailAddress, V_ASN1_IA5STRING, BYTES("a@acme.com"), 0}},
	{{0}}, NULL, NULL, "san-email", NULL, "nothing that"},
    {"NUL in the e-mail", {CN_UTF8("x")}, {EMAIL("a@acme.com\0.evil")}, NULL,
	NULL, "san-email", NULL, "name in its SAN"},
    {"e-mail that is none", {CN_UTF8("x")}, {EMAIL("alice")}, NULL, NULL,
	"san-email", NULL, "is none"},
    {"e-mail with two @", {CN_UTF8("x")}, {EMAIL("a@b@acme.com")}, NULL, NULL,
	"san-email", NULL, "is none"},
    {"e-mail of a whole domain", {CN_UTF8("x")}, {EMAIL("@acme.com")}, NULL,
	NULL, "san-email", NULL, "is none"},
    {"wildcard e-mail", {CN_UTF8("x")}, {EMAIL("*@acme.com")}, NULL, NULL,
	"san-email", NULL, "'*'"},
    {"e-mail that is not ASCII", {CN_UTF8("x")}, {EMAIL("zo\xc3\xab@acme.com")},
	NULL, NULL, "san-email", NULL, "name in its SAN"},
    {"empty e-mail", {CN_UTF8("x")}, {EMAIL("")}, NULL, NULL, "san-email", NULL,
	"name in its SAN"},
    {"odd DNS name beside the e-mail", {CN_UTF8("x")},
	{EMAIL("a@acme.com"), {GEN_DNS, 0, BYTES("a\nb")}}, NULL, NULL,
	"san-email", NULL, "name in its SAN"},
    {"UPN", {CN_UTF8("x")}, {UPN("zo\xc3\xab@corp")}, NULL, NULL, "san-upn",
	"zo\xc3\xab@corp", NULL},
    {"two UPNs", {CN_UTF8("x")}, {UPN("a@corp"), UPN("b@corp")}, NULL, NULL,
	"san-upn", NULL, "several UPNs"},
    {"UPN of a wrong type", {CN_UTF8("x")},
	{{GEN_OTHERNAME, V_ASN1_IA5STRING, BYTES("a@corp")}}, NULL, NULL,
	"san-upn", NULL, "no UTF8String"},
    {"NUL in the UPN", {CN_UTF8("x")}, {UPN("a@corp\0x")}, NULL, NULL,
	"san-upn", NULL, "name in its SAN"},
    {"another otherName", {CN_UTF8("x")}, {{0}}, with_foreign_other_name, NULL,
	"san-upn", NULL, "nothing that"},
    {"SPIFFE", {{0}}, {URI("spiffe://acme.com/ci/payments/7")}, NULL, NULL,
	"san-uri", "spiffe://acme.com/ci/payments/7", NULL},
    {"SPIFFE with dots", {{0}}, {URI("spiffe://acme.com/ci/../root")}, NULL,
	NULL, "san-uri", NULL, "SPIFFE"},
    {"SPIFFE with an escape", {{0}}, {URI("spiffe://acme.com/ci%2froot")}, NULL,
	NULL, "san-uri", NULL, "SPIFFE"},
    {"SPIFFE with a query", {{0}}, {URI("spiffe://acme.com/ci?x")}, NULL, NULL,
	"san-uri", NULL, "SPIFFE"},
    {"SPIFFE with an empty segment", {{0}}, {URI("spiffe://acme.com//ci")},
	NULL, NULL, "san-uri", NULL, "SPIFFE"},
    {"SPIFFE in capitals", {{0}}, {URI("SPIFFE://acme.com/ci")}, NULL, NULL,
	"san-uri", NULL, "SPIFFE"},
    {"SPIFFE with user and port", {{0}}, {URI("spiffe://a@acme.com:1/ci")},
	NULL, NULL, "san-uri", NULL, "SPIFFE"},
    {"another URI", {{0}}, {URI("urn:acme:alice")}, NULL, NULL, "san-uri",
	"urn:acme:alice", NULL},
    {"URI that is none", {{0}}, {URI("alice")}, NULL, NULL, "san-uri", NULL,
	"is none"},
    {"two URIs", {{0}}, {URI("urn:a:b"), URI("urn:a:c")}, NULL, NULL, "san-uri",
	NULL, "several URIs"},
    {"SAN twice", {CN_UTF8("x")}, {EMAIL("a@acme.com")}, with_san_twice, NULL,
	"san-email", NULL, "twice"},
    {"SAN with garbage behind", {CN_UTF8("x")}, {{0}}, with_san_and_garbage,
	NULL, "san-email", NULL, "cannot be read"},
    {"SAN in BER", {CN_UTF8("x")}, {{0}}, with_long_form_san, NULL, "san-email",
	NULL, "cannot be read"},
    {"SAN that is none", {CN_UTF8("x")}, {{0}}, with_non_san, NULL, "san-email",
	NULL, "cannot be read"},
    {"empty SAN", {CN_UTF8("x")}, {{0}}, with_empty_san, NULL, "san-email",
	NULL, "nothing that"},
    {"SAN of 64 KiB", {CN_UTF8("x")}, {{0}}, with_huge_san, NULL, "san-email",
	NULL, "too long"},
    {"300 SANs", {CN_UTF8("x")}, {{0}}, with_many_sans, NULL, "cn", NULL,
	"too many names"},
    /* use, time, strength */
    {"expired", {CN_UTF8("alice")}, {{0}}, is_expired, NULL, "cn", NULL,
	"expired at"},
    {"not valid yet", {CN_UTF8("alice")}, {{0}}, is_future, NULL, "cn", NULL,
	"not valid before"},
    {"for servers", {CN_UTF8("alice")}, {{0}}, for_servers, NULL, "cn", NULL,
	"clientAuth"},
    {"for anything", {CN_UTF8("alice")}, {{0}}, for_anything, NULL, "cn",
	"alice", NULL},
    {"for both", {CN_UTF8("alice")}, {{0}}, for_both, NULL, "cn", "alice",
	NULL},
    {"without EKU", {CN_UTF8("alice")}, {{0}}, without_eku, NULL, "cn", "alice",
	NULL},
    {"key usage of an authority", {CN_UTF8("alice")}, {{0}}, for_signing_certs,
	NULL, "cn", NULL, "key usage"},
    {"an authority", {CN_UTF8("alice")}, {{0}}, is_authority, NULL, "cn", NULL,
	"authority"},
    {"SHA-1", {CN_UTF8("alice")}, {{0}}, by_sha1, NULL, "cn", NULL, "too weak"},
    {"MD5", {CN_UTF8("alice")}, {{0}}, by_md5, NULL, "cn", NULL, "too weak"},
    {"RSA 1024", {CN_UTF8("alice")}, {{0}}, with_rsa1024, NULL, "cn", NULL,
	"too weak"},
    {"P-192", {CN_UTF8("alice")}, {{0}}, with_p192, NULL, "cn", NULL,
	"too weak"},
    {"RSA 2048", {CN_UTF8("alice")}, {{0}}, with_rsa2048, NULL, "cn", "alice",
	NULL},
    {"Ed25519", {CN_UTF8("alice")}, {{0}}, with_ed25519, NULL, "cn", "alice",
	NULL},
    {"negative serial", {CN_UTF8("alice")}, {{0}}, with_negative_serial, NULL,
	"cn", NULL, "serial"},
    {"extension that cannot be read", {CN_UTF8("alice")}, {{0}},
	with_bad_constraints, NULL, "cn", NULL, "extensions"},
    /* issuer */
    {"another issuer", {CN_UTF8("alice")}, {{0}}, of_other_issuer, NULL, "cn",
	NULL, "no identity rule"},
    {"issuer the other way round", {CN_UTF8("alice")}, {{0}},
	of_reversed_issuer, NULL, "cn", NULL, "no identity rule"},
    {"issuer whose CN is the whole text", {CN_UTF8("alice")}, {{0}},
	of_texty_issuer, NULL, "cn", NULL, "no identity rule"},
    {"issuer in one RDN", {CN_UTF8("alice")}, {{0}}, of_multivalued_issuer,
	NULL, "cn", NULL, "no identity rule"},
    {"issuer with a NUL", {CN_UTF8("alice")}, {{0}}, of_issuer_with_nul, NULL,
	"cn", NULL, "no identity rule"},
    {"issuer in other string types", {CN_UTF8("alice")}, {{0}},
	of_printable_issuer, NULL, "cn", "alice", NULL},
    /* DER */
    {"bytes behind the certificate", {CN_UTF8("alice")}, {{0}}, NULL,
	der_trailing, "cn", NULL, "not in DER"},
    {"truncated", {CN_UTF8("alice")}, {{0}}, NULL, der_truncated, "cn", NULL,
	"not in DER"},
    {"long form of a length", {CN_UTF8("alice")}, {{0}}, NULL, der_long_length,
	"cn", NULL, "not in DER"},
    {"indefinite length", {CN_UTF8("alice")}, {{0}}, NULL, der_indefinite, "cn",
	NULL, "not in DER"},
    {"no bytes at all", {CN_UTF8("alice")}, {{0}}, NULL, der_empty, "cn", NULL,
	""},
    {"noise", {CN_UTF8("alice")}, {{0}}, NULL, der_noise, "cn", NULL,
	"not in DER"},
};

#endif /* ODD_CERTS_H */
