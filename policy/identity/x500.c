/* SPDX-License-Identifier: Apache-2.0 */
#include "x500.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/objects.h>

#include <portreeve/buf.h>
#include <portreeve/digest.h>

/* Names that dn.h knows too; every other type stands as OID=#hex. */
static const struct {
	const char *oid, *name;
} types[] = {
    {"2.5.4.3", "CN"},
    {"2.5.4.6", "C"},
    {"2.5.4.7", "L"},
    {"2.5.4.8", "ST"},
    {"2.5.4.10", "O"},
    {"2.5.4.11", "OU"},
    {"2.5.4.9", "STREET"},
    {"0.9.2342.19200300.100.1.25", "DC"},
    {"0.9.2342.19200300.100.1.1", "UID"},
    {"1.2.840.113549.1.9.1", "emailAddress"},
    {"2.5.4.4", "SN"},
    {"2.5.4.5", "serialNumber"},
    {"2.5.4.12", "title"},
    {"2.5.4.42", "givenName"},
    {"2.5.4.46", "dnQualifier"},
};

static const char *
type_name(struct pr_str oid)
{
	for (size_t i = 0; i < PR_COUNT(types); i++)
		if (pr_str_is(oid, types[i].oid))
			return types[i].name;
	return NULL;
}

bool
x500_is_plain(const struct x500_name *name)
{
	for (size_t i = 0; i < name->n; i++)
		if (name->v[i].raw)
			return false;
	return name->n > 0;
}

/* The whole TLV of a value, for "#hex" (RFC 4514 2.4). */
static struct pr_str
der_of_value(struct pr_arena *a, const ASN1_STRING *s)
{
	int len = i2d_ASN1_PRINTABLE(s, NULL);
	struct pr_str out = {NULL, 0};
	unsigned char *p;

	if (len <= 0)
		return out;
	out.p = pr_arena_bytes(a, (size_t)len);
	out.n = (size_t)len;
	p = (unsigned char *)(uintptr_t)out.p;
	i2d_ASN1_PRINTABLE(s, &p);
	return out;
}

static void
attr_of_entry(
    struct pr_arena *a, const X509_NAME_ENTRY *e, struct x500_attr *to)
{
	const ASN1_STRING *s = X509_NAME_ENTRY_get_data(e);
	char oid[256];

	OBJ_obj2txt(oid, sizeof oid, X509_NAME_ENTRY_get_object(e), 1);
	to->oid = pr_arena_str(a, pr_str_of(oid));
	to->raw = type_name(to->oid) == NULL || !text_of_asn1(a, s, &to->value);
	to->value = to->raw ? der_of_value(a, s) : pr_arena_str(a, to->value);
}

bool
x500_read(struct pr_arena *a, const X509_NAME *from, struct x500_name *out)
{
	int n = X509_NAME_entry_count(from);
	int last = -1;
	unsigned rdn = 0;

	*out = (struct x500_name){NULL, 0};
	if (n < 0 || n > X500_MAX_ATTRS)
		return false;
	out->v = pr_arena_array(a, (size_t)n + 1, sizeof *out->v);
	for (int i = n - 1; i >= 0; i--) {
		const X509_NAME_ENTRY *e = X509_NAME_get_entry(from, i);
		int set = X509_NAME_ENTRY_set(e);

		if (last >= 0 && set != last)
			rdn++;
		last = set;
		out->v[out->n].rdn = rdn;
		attr_of_entry(a, e, &out->v[out->n++]);
	}
	return true;
}

static void
put_value(struct pr_buf *b, struct pr_str v)
{
	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];

		if (strchr("\"+,;<>\\", c) != NULL || (i == 0 && c == '#'))
			pr_buf_char(b, '\\');
		pr_buf_char(b, c);
	}
}

static void
put_attr(struct pr_buf *b, const struct x500_attr *at)
{
	const char *name = type_name(at->oid);

	if (name != NULL)
		pr_buf_cstr(b, name);
	else
		pr_buf_str(b, at->oid);
	pr_buf_char(b, '=');
	if (at->raw) {
		pr_buf_char(b, '#');
		pr_hex(at->value.p, at->value.n,
		    pr_buf_reserve(b, 2 * at->value.n + 1));
		pr_buf_grew(b, 2 * at->value.n);
	} else {
		put_value(b, at->value);
	}
}

struct pr_str
x500_text(struct pr_arena *a, const struct x500_name *name)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	for (size_t i = 0; i < name->n; i++) {
		if (i > 0)
			pr_buf_char(&b,
			    name->v[i].rdn == name->v[i - 1].rdn ? '+' : ',');
		put_attr(&b, &name->v[i]);
	}
	return pr_arena_str(a, pr_buf_view(&b));
}
