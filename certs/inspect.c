/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a certificate, for people and scripts; it judges nothing. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "make.h"
#include "store.h"

static struct pr_str
prefixed(struct pr_arena *a, const char *prefix, const ASN1_STRING *s)
{
	size_t len = strlen(prefix), n = (size_t)ASN1_STRING_length(s);
	char *p = pr_arena_bytes(a, len + n + 1);

	memcpy(p, prefix, len);
	memcpy(p + len, ASN1_STRING_get0_data(s), n);
	return (struct pr_str){p, len + n};
}

static struct pr_str
of_ip(struct pr_arena *a, const ASN1_OCTET_STRING *s)
{
	int n = ASN1_STRING_length(s);
	char text[INET6_ADDRSTRLEN] = "?";

	if (n == 4 || n == 16)
		inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(s),
		    text, sizeof text);
	return pr_str_of(pr_arena_printf(a, "IP:%s", text));
}

static struct pr_str
of_other(struct pr_arena *a, const OTHERNAME *o)
{
	char oid[128];

	OBJ_obj2txt(oid, sizeof oid, o->type_id, 1);
	if (strcmp(oid, "1.3.6.1.4.1.311.20.2.3") == 0 && o->value != NULL &&
	    ASN1_TYPE_get(o->value) == V_ASN1_UTF8STRING)
		return prefixed(a, "UPN:", o->value->value.utf8string);
	return pr_str_of(pr_arena_printf(a, "otherName:%s", oid));
}

static struct pr_str
san_text(struct pr_arena *a, const GENERAL_NAME *g)
{
	switch (g->type) {
	case GEN_DNS:
		return prefixed(a, "DNS:", g->d.dNSName);
	case GEN_EMAIL:
		return prefixed(a, "email:", g->d.rfc822Name);
	case GEN_URI:
		return prefixed(a, "URI:", g->d.uniformResourceIdentifier);
	case GEN_IPADD:
		return of_ip(a, g->d.iPAddress);
	case GEN_OTHERNAME:
		return of_other(a, g->d.otherName);
	case GEN_DIRNAME: {
		struct pr_str n = cert_name(a, g->d.directoryName);

		return pr_str_of(
		    pr_arena_printf(a, "DirName:%.*s", PR_STRF(n)));
	}
	default:
		return pr_str_of(pr_arena_printf(a, "generalName:%d", g->type));
	}
}

static void
read_sans(struct pr_arena *a, const X509 *x, struct pr_cert_info *out)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	int n = sk_GENERAL_NAME_num(names); /* -1: there is none */
	struct pr_str *v;

	if (n > 0) {
		v = pr_arena_array(a, (size_t)n, sizeof *v);
		for (int i = 0; i < n; i++)
			v[i] = san_text(a, sk_GENERAL_NAME_value(names, i));
		out->sans = v;
		out->n_sans = (size_t)n;
	}
	GENERAL_NAMES_free(names);
}

static void
read_eku(struct pr_arena *a, const X509 *x, struct pr_cert_info *out)
{
	EXTENDED_KEY_USAGE *eku =
	    X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	int n = sk_ASN1_OBJECT_num(eku);
	struct pr_str *v;

	if (n > 0) {
		v = pr_arena_array(a, (size_t)n, sizeof *v);
		for (int i = 0; i < n; i++) {
			const ASN1_OBJECT *o = sk_ASN1_OBJECT_value(eku, i);
			int nid = OBJ_obj2nid(o);
			char oid[128];

			OBJ_obj2txt(oid, sizeof oid, o, 1);
			v[i] = pr_arena_str(a,
			    pr_str_of(
				nid != NID_undef ? OBJ_nid2sn(nid) : oid));
		}
		out->eku = v;
		out->n_eku = (size_t)n;
	}
	EXTENDED_KEY_USAGE_free(eku);
}

static struct pr_str
key_text(struct pr_arena *a, const X509 *x)
{
	const EVP_PKEY *key = X509_get0_pubkey(x);
	char group[64] = "";
	size_t n;

	if (key == NULL)
		return PR_STR("unknown");
	if (EVP_PKEY_is_a(key, "EC")) {
		EVP_PKEY_get_group_name(key, group, sizeof group, &n);
		if (strcmp(group, "prime256v1") == 0)
			return PR_STR("ec-p256");
		if (strcmp(group, "secp384r1") == 0)
			return PR_STR("ec-p384");
		return pr_str_of(pr_arena_printf(a, "ec-%s", group));
	}
	if (EVP_PKEY_is_a(key, "RSA"))
		return pr_str_of(
		    pr_arena_printf(a, "rsa-%d", EVP_PKEY_get_bits(key)));
	if (EVP_PKEY_is_a(key, "ED25519"))
		return PR_STR("ed25519");
	return pr_arena_str(a, pr_str_of(EVP_PKEY_get0_type_name(key)));
}

int
pr_certs_read(struct pr_arena *a, const char *path, struct pr_cert_info *out,
    struct pr_err **err)
{
	PR_CLEANUP(cert_freep) X509 *x = store_read_cert(path, err);

	*out = (struct pr_cert_info){0};
	if (x == NULL)
		return -1;
	out->subject = cert_name(a, X509_get_subject_name(x));
	out->issuer = cert_name(a, X509_get_issuer_name(x));
	out->serial = cert_serial(a, x);
	out->fingerprint = cert_fingerprint(a, x);
	out->key = key_text(a, x);
	out->signature =
	    pr_arena_str(a, pr_str_of(OBJ_nid2ln(X509_get_signature_nid(x))));
	out->not_before = cert_seconds(X509_get0_notBefore(x));
	out->not_after = cert_seconds(X509_get0_notAfter(x));
	out->ca = X509_check_ca(x) == 1;
	read_sans(a, x, out);
	read_eku(a, x, out);
	ERR_clear_error();
	return 0;
}
