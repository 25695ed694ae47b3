/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of identity share: rules, calls, a person. */
#ifndef IDENTITY_KIT_H
#define IDENTITY_KIT_H

#include <stdio.h>

#include <check.h>

#include <portreeve/identity.h>

#include "forge.h"

#define ISSUER "CN=Acme User CA,O=Acme"

#define CN_UTF8(text)                                             \
	{                                                         \
		NID_commonName, V_ASN1_UTF8STRING, BYTES(text), 0 \
	}
#define CN_OF(type, text)                            \
	{                                            \
		NID_commonName, type, BYTES(text), 0 \
	}
#define EMAIL(text)                       \
	{                                 \
		GEN_EMAIL, 0, BYTES(text) \
	}
#define URI(text)                       \
	{                               \
		GEN_URI, 0, BYTES(text) \
	}
#define UPN(text)                                             \
	{                                                     \
		GEN_OTHERNAME, V_ASN1_UTF8STRING, BYTES(text) \
	}

static inline struct pr_identity *
rules_new(const struct pr_identity_rule *rules, size_t n)
{
	struct pr_diags *ds = pr_diags_new();
	struct pr_identity *id = pr_identity_compile(rules, n, ds);

	pr_diags_print(ds, stderr);
	ck_assert(id != NULL);
	pr_diags_free(ds);
	return id;
}

static inline struct pr_identity *
rule_new(const char *by)
{
	struct pr_identity_rule r = {
	    .source = "corp", .issuer = ISSUER, .by = by};

	return rules_new(&r, 1);
}

/* What dockerd would write beside the certificate: its last CN. */
static inline struct pr_str
go_user(const X509 *x)
{
	const X509_NAME *n = X509_get_subject_name(x);
	int at = -1, next;
	const ASN1_STRING *s;

	while ((next = X509_NAME_get_index_by_NID(n, NID_commonName, at)) >= 0)
		at = next;
	if (at < 0)
		return (struct pr_str){NULL, 0};
	s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(n, at));
	return (struct pr_str){(const char *)ASN1_STRING_get0_data(s),
	    (size_t)ASN1_STRING_length(s)};
}

struct answer {
	int rc;
	const struct pr_subject *s;
	struct pr_identity_why why;
};

static inline struct answer
ask(const struct pr_identity *id, struct pr_str user, const char *method,
    struct pr_str entry)
{
	struct pr_identity_call call = {.user = user,
	    .method = pr_str_of(method),
	    .chain = &entry,
	    .n_chain = entry.p != NULL};
	struct answer a = {0};

	a.rc = pr_identity_map(id, &call, &a.s, &a.why);
	ck_assert(a.s != NULL);
	ck_assert_int_eq(a.rc == 0, a.s->how != PR_SUBJECT_UNMAPPED);
	ck_assert_int_eq(a.rc == 0, a.why.text[0] == '\0');
	return a;
}

static inline void
text_is_safe(const char *text)
{
	ck_assert(pr_str_utf8(pr_str_of(text)));
	for (const char *p = text; *p != '\0'; p++)
		ck_assert((unsigned char)*p >= 0x20 && *p != 0x7f);
}

/* A good certificate for alice, as a call has it. */
static inline void
alice(struct pr_buf *entry, void (*tweak)(struct forge *))
{
	static const struct forge_part subject[] = {
	    {NID_organizationName, V_ASN1_UTF8STRING, BYTES("Acme"), 0},
	    CN_UTF8("alice")};
	static const struct forge_san sans[] = {EMAIL("alice@acme.com"),
	    UPN("alice@corp"), URI("spiffe://acme.com/u/alice"),
	    {GEN_DNS, 0, BYTES("alice.acme.com")}};
	struct forge f;

	forge_begin(&f, subject, 2, sans, 4);
	if (tweak != NULL)
		tweak(&f);
	forge_sign(&f);
	forge_call_text(entry, pr_buf_view(&f.der));
	forge_end(&f);
}

static inline int
find(struct pr_identity_cache *c, struct pr_str entry,
    const struct pr_subject **s, struct pr_identity_why *why)
{
	struct pr_identity_call call = {.user = PR_STR("alice"),
	    .method = PR_STR("TLS"),
	    .chain = &entry,
	    .n_chain = 1};

	return pr_identity_find(c, &call, s, why);
}

#endif /* IDENTITY_KIT_H */
