/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, ordinary and odd: nobody is taken for somebody else. */
#include <stdio.h>

#include <portreeve/identity.h>

#include "identity_kit.h"
#include "odd_certs.h"
#include "unit.h"

/* --- tests --- */

START_TEST(certificates)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf entry = PR_BUF_INIT;
	struct pr_identity *id = rule_new(certs[_i].by);
	struct pr_str user;
	struct answer a;
	struct forge f;

	forge_begin(&f, certs[_i].subject, 4, certs[_i].sans, 4);
	if (certs[_i].tweak != NULL)
		certs[_i].tweak(&f);
	forge_sign(&f);
	if (certs[_i].edit != NULL)
		certs[_i].edit(&f.der);
	forge_call_text(&entry, pr_buf_view(&f.der));
	user = go_user(f.x);
	/* Go reads BMP and universal strings into UTF-8 */
	if (certs[_i].want != NULL && strcmp(certs[_i].by, "cn") == 0)
		user = pr_str_of(certs[_i].want);

	a = ask(id, user, "TLS", pr_buf_view(&entry));
	if (certs[_i].want != NULL) {
		ck_assert_msg(a.rc == 0, "%s: %s", certs[_i].title, a.why.text);
		ck_assert_msg(pr_str_is(a.s->name, certs[_i].want),
		    "%s: is \"%.*s\"", certs[_i].title, PR_STRF(a.s->name));
		ck_assert(a.s->how == PR_SUBJECT_CERT);
		ck_assert(pr_str_is(a.s->source, "corp"));
		ck_assert(pr_str_starts(a.s->id, "corp:"));
	} else {
		ck_assert_msg(a.rc == -1, "%s: is \"%.*s\"", certs[_i].title,
		    PR_STRF(a.s->id));
		ck_assert_msg(strstr(a.why.text, certs[_i].why) != NULL,
		    "%s: says \"%s\"", certs[_i].title, a.why.text);
		ck_assert(a.s->name.n == 0 && a.s->source.n == 0);
		ck_assert(pr_str_is(a.s->id, "unmapped"));
		text_is_safe(a.why.text);
	}
	pr_subject_unref(a.s);
	pr_identity_unref(id);
	if (f.key != forge_leaf_key)
		EVP_PKEY_free(f.key);
	forge_end(&f);
}
END_TEST

/* What is wrong between base64 and DER; %s is the PEM of a good one. */
static const struct {
	const char *title, *form;
	bool raw; /* not base64 of it, but as it stands */
	const char *why;
} carriers[] = {
    {"good", "%s", false, NULL},
    {"two certificates", "%s%s", false, "more than one"},
    {"text before it", "x\n%s", false, "not PEM"},
    {"a newline before it", "\n%s", false, "not PEM"},
    {"text behind it", "%sx", false, "does not end"},
    {"a line behind it", "%s-----\n", false, "does not end"},
    {"a header of PEM", "-----BEGIN CERTIFICATE-----\nProc-Type: 4\n\n%s",
	false, ""},
    {"only BEGIN", "-----BEGIN CERTIFICATE-----\n", false, "not PEM"},
    {"nothing inside",
	"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", false, ""},
    {"an empty line inside",
	"-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n", false,
	""},
    {"another label",
	"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", false,
	"not PEM"},
    {"BEGIN and END on one line",
	"-----BEGIN CERTIFICATE-----AAAA-----END CERTIFICATE-----\n", false,
	"not PEM"},
    {"PEM that is not base64", "%s", true, "not base64"},
    {"an empty entry", "", true, "not base64"},
    {"blanks", "    ", true, "not base64"},
};

START_TEST(carriers_hold_one_certificate)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf entry = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf pem = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;
	struct pr_identity *id = rule_new("cn");
	static const struct forge_part subject[] = {CN_UTF8("alice")};
	const char *form = carriers[_i].form;
	struct forge f;
	struct answer a;

	forge_begin(&f, subject, 1, NULL, 0);
	forge_sign(&f);
	forge_pem(&pem, pr_buf_view(&f.der));
	for (; *form != '\0'; form++) {
		if (form[0] == '%' && form[1] == 's') {
			pr_buf_str(&text, pr_buf_view(&pem));
			form++;
		} else {
			pr_buf_char(&text, *form);
		}
	}
	if (carriers[_i].raw)
		pr_buf_str(&entry, pr_buf_view(&text));
	else
		forge_entry(&entry, pr_buf_view(&text));
	a = ask(id, PR_STR("alice"), "TLS",
	    (struct pr_str){entry.n > 0 ? entry.p : "", entry.n});
	ck_assert_msg((a.rc == 0) == (carriers[_i].why == NULL), "%s: %s",
	    carriers[_i].title, a.why.text);
	if (carriers[_i].why != NULL)
		ck_assert_msg(strstr(a.why.text, carriers[_i].why) != NULL,
		    "%s: says \"%s\"", carriers[_i].title, a.why.text);
	pr_subject_unref(a.s);
	pr_identity_unref(id);
	forge_end(&f);
}
END_TEST

START_TEST(too_large_is_refused)
{
	struct pr_identity *id = rule_new("cn");
	size_t n = 400000;
	char *big = malloc(n);
	struct answer a;

	memset(big, 'A', n);
	a = ask(id, PR_STR(""), "TLS", (struct pr_str){big, n});
	ck_assert_int_eq(a.rc, -1);
	ck_assert_ptr_nonnull(strstr(a.why.text, "larger"));
	pr_subject_unref(a.s);
	free(big);
	pr_identity_unref(id);
}
END_TEST

START_TEST(facts_are_kept)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf entry = PR_BUF_INIT;
	struct pr_identity *id = rule_new("san-email");
	struct answer a;
	char hex[PR_SHA256_HEX];
	uint8_t sum[PR_SHA256_LEN];

	alice(&entry, NULL);
	a = ask(id, PR_STR("alice"), "TLS", pr_buf_view(&entry));
	ck_assert_int_eq(a.rc, 0);
	ck_assert(pr_str_is(a.s->id, "corp:alice@acme.com"));
	ck_assert(pr_str_is(a.s->issuer, ISSUER));
	ck_assert(pr_str_is(a.s->subject, "CN=alice,O=Acme"));
	ck_assert(pr_str_is(a.s->serial, "01234567"));
	ck_assert(pr_str_is(a.s->cn, "alice"));
	ck_assert_uint_eq(a.s->n_emails, 1);
	ck_assert_uint_eq(a.s->n_upns, 1);
	ck_assert_uint_eq(a.s->n_uris, 1);
	ck_assert_uint_eq(a.s->n_dns, 1);
	ck_assert(pr_str_is(a.s->uris[0], "spiffe://acme.com/u/alice"));
	ck_assert_int_eq(a.s->not_after - a.s->not_before, 7200);
	pr_sha256(a.s->der.p, a.s->der.n, sum);
	pr_hex(sum, sizeof sum, hex);
	ck_assert(pr_str_is(a.s->fingerprint, hex));
	ck_assert_str_eq(pr_subject_how_name(a.s->how), "cert");
	pr_subject_unref(a.s);
	pr_identity_unref(id);
}
END_TEST

/* Refused certificates still leave their facts for the log. */
START_TEST(facts_of_the_refused_are_kept)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf entry = PR_BUF_INIT;
	struct pr_identity *id = rule_new("cn");
	struct answer a;

	alice(&entry, is_expired);
	a = ask(id, PR_STR("alice"), "TLS", pr_buf_view(&entry));
	ck_assert_int_eq(a.rc, -1);
	ck_assert(a.s->how == PR_SUBJECT_UNMAPPED);
	ck_assert_uint_eq(a.s->fingerprint.n, 64);
	ck_assert(pr_str_is(a.s->subject, "CN=alice,O=Acme"));
	ck_assert_uint_eq(a.s->search.n, 0);
	pr_subject_unref(a.s);
	pr_identity_unref(id);
}
END_TEST

START_TEST(user_and_method_must_agree)
{
	static const struct {
		const char *user, *method;
		int rc;
	} rows[] = {
	    {"alice", "TLS", 0},
	    {"root", "TLS", -1},
	    {"", "TLS", -1},
	    {"alice", "", -1},
	    {"alice", "tls", -1},
	    {"", "", -1},
	    {"alice ", "TLS", -1},
	};
	PR_CLEANUP(pr_buf_fini) struct pr_buf entry = PR_BUF_INIT;
	struct pr_identity *id = rule_new("cn");

	alice(&entry, NULL);
	for (size_t i = 0; i < PR_COUNT(rows); i++) {
		struct answer a = ask(id, pr_str_of(rows[i].user),
		    rows[i].method, pr_buf_view(&entry));

		ck_assert_int_eq(a.rc, rows[i].rc);
		pr_subject_unref(a.s);
	}
	pr_identity_unref(id);
}
END_TEST

START_TEST(without_a_certificate)
{
	static const struct {
		const char *user, *method;
		bool rule; /* there is a rule by: user */
		enum pr_subject_how how;
	} rows[] = {
	    {"", "", false, PR_SUBJECT_ANONYMOUS},
	    {"", "", true, PR_SUBJECT_ANONYMOUS},
	    {"alice", "TLS", true, PR_SUBJECT_USER},
	    {"alice", "TLS", false, PR_SUBJECT_UNMAPPED},
	    {"", "TLS", true, PR_SUBJECT_UNMAPPED},
	    {"alice", "", true, PR_SUBJECT_UNMAPPED},
	    {"alice", "basic", true, PR_SUBJECT_UNMAPPED},
	    {"*", "TLS", true, PR_SUBJECT_UNMAPPED},
	    {"a\nb", "TLS", true, PR_SUBJECT_UNMAPPED},
	    {"ali\xef\xbf\xbd", "TLS", true, PR_SUBJECT_UNMAPPED},
	};
	static const struct pr_identity_rule rules[] = {
	    {.source = "corp", .issuer = ISSUER, .by = "cn"},
	    {.source = "bare", .by = "user", .search = "(uid={name})"},
	};

	for (size_t i = 0; i < PR_COUNT(rows); i++) {
		struct pr_identity *id = rules_new(rules, 1 + rows[i].rule);
		struct answer a = ask(id, pr_str_of(rows[i].user),
		    rows[i].method, (struct pr_str){NULL, 0});

		ck_assert_int_eq(a.s->how, rows[i].how);
		if (rows[i].how == PR_SUBJECT_USER) {
			ck_assert(pr_str_is(a.s->id, "bare:alice"));
			ck_assert(pr_str_is(a.s->search, "(uid=alice)"));
		}
		pr_subject_unref(a.s);
		pr_identity_unref(id);
	}
}
END_TEST

/* A certificate is never looked up by: user. */
START_TEST(a_certificate_is_not_user)
{
	static const struct pr_identity_rule rule = {
	    .source = "bare", .by = "user"};
	PR_CLEANUP(pr_buf_fini) struct pr_buf entry = PR_BUF_INIT;
	struct pr_identity *id = rules_new(&rule, 1);
	struct answer a;

	alice(&entry, NULL);
	a = ask(id, PR_STR("alice"), "TLS", pr_buf_view(&entry));
	ck_assert_int_eq(a.rc, -1);
	pr_subject_unref(a.s);
	pr_identity_unref(id);
}
END_TEST

START_TEST(only_the_leaf_counts)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf good = PR_BUF_INIT;
	struct pr_identity *id = rule_new("cn");
	struct pr_str chain[2];
	struct pr_identity_call call = {.user = PR_STR("alice"),
	    .method = PR_STR("TLS"),
	    .chain = chain,
	    .n_chain = 2};
	const struct pr_subject *s;
	struct pr_identity_why why;

	alice(&good, NULL);
	chain[0] = pr_buf_view(&good);
	chain[1] = PR_STR("anything");
	ck_assert_int_eq(pr_identity_map(id, &call, &s, &why), 0);
	pr_subject_unref(s);
	chain[0] = PR_STR("anything");
	chain[1] = pr_buf_view(&good);
	ck_assert_int_eq(pr_identity_map(id, &call, &s, &why), -1);
	pr_subject_unref(s);
	pr_identity_unref(id);
}
END_TEST

START_TEST(truncated_anywhere_is_nobody)
{
	static const struct forge_part subject[] = {CN_UTF8("alice")};
	struct pr_identity *id = rule_new("cn");
	PR_CLEANUP(pr_buf_fini) struct pr_buf entry = PR_BUF_INIT;
	struct forge f;

	forge_begin(&f, subject, 1, NULL, 0);
	forge_sign(&f);
	for (size_t n = 0; n < f.der.n; n++) {
		struct answer a;

		pr_buf_reset(&entry);
		forge_call_text(&entry, (struct pr_str){f.der.p, n});
		a = ask(id, PR_STR("alice"), "TLS", pr_buf_view(&entry));
		ck_assert_int_eq(a.rc, -1);
		pr_subject_unref(a.s);
	}
	/* and the text of the call */
	pr_buf_reset(&entry);
	forge_call_text(&entry, pr_buf_view(&f.der));
	for (size_t n = 0; n < entry.n; n++) {
		struct answer a = ask(
		    id, PR_STR("alice"), "TLS", (struct pr_str){entry.p, n});

		/* all but the last newline of the PEM is no loss */
		if (a.rc == 0)
			ck_assert(pr_str_is(a.s->id, "corp:alice"));
		else
			text_is_safe(a.why.text);
		ck_assert(a.rc == -1 || n + 4 >= entry.n);
		pr_subject_unref(a.s);
	}
	pr_identity_unref(id);
	forge_end(&f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("identity");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_unchecked_fixture(t, forge_setup, forge_teardown);
	tcase_add_loop_test(t, certificates, 0, PR_COUNT(certs));
	tcase_add_loop_test(
	    t, carriers_hold_one_certificate, 0, PR_COUNT(carriers));
	tcase_add_test(t, too_large_is_refused);
	tcase_add_test(t, facts_are_kept);
	tcase_add_test(t, facts_of_the_refused_are_kept);
	tcase_add_test(t, user_and_method_must_agree);
	tcase_add_test(t, without_a_certificate);
	tcase_add_test(t, a_certificate_is_not_user);
	tcase_add_test(t, only_the_leaf_counts);
	tcase_add_test(t, truncated_anywhere_is_nobody);
	suite_add_tcase(s, t);
	return unit_run(s);
}
