/* SPDX-License-Identifier: Apache-2.0 */
/* Rules, searches and deny lists: how they are read, what they do. */
#include <stdio.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "identity_kit.h"
#include "unit.h"

static void
expect(const struct pr_identity_rule *rules, size_t n, struct pr_str entry,
    const char *want)
{
	struct pr_identity *id = rules_new(rules, n);
	struct answer a = ask(id, PR_STR("alice"), "TLS", entry);

	if (want == NULL)
		ck_assert_msg(a.rc == -1, "%.*s", PR_STRF(a.s->id));
	else
		ck_assert_msg(a.rc == 0 && pr_str_is(a.s->id, want),
		    "%.*s, not %s: %s", PR_STRF(a.s->id), want, a.why.text);
	pr_subject_unref(a.s);
	pr_identity_unref(id);
}

static void
with_second_email(struct forge *f)
{
	static const struct forge_san two[] = {
	    EMAIL("a@acme.com"), EMAIL("b@acme.com")};

	forge_drop_ext(f->x, NID_subject_alt_name);
	forge_add_sans(f->x, two, 2);
}

static void
without_san(struct forge *f)
{
	forge_drop_ext(f->x, NID_subject_alt_name);
}

START_TEST(the_first_rule_that_matches_wins)
{
	static const struct pr_identity_rule rules[] = {
	    {.source = "other", .issuer = "CN=Other", .by = "cn"},
	    {.source = "mail", .issuer = ISSUER, .by = "san-email"},
	    {.source = "name",
		.issuer = "cn=acme  user ca, o=ACME",
		.by = "cn"},
	    {.source = "dn", .issuer = ISSUER, .by = "dn"},
	};
	PR_CLEANUP(pr_buf_fini) struct pr_buf whole = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf bare = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf two = PR_BUF_INIT;

	alice(&whole, NULL);
	alice(&bare, without_san);
	alice(&two, with_second_email);
	expect(rules, 4, pr_buf_view(&whole), "mail:alice@acme.com");
	expect(rules, 4, pr_buf_view(&bare), "name:alice");
	expect(rules + 3, 1, pr_buf_view(&bare), "dn:CN=alice,O=Acme");
	/* there, but ambiguous: no later rule is asked */
	expect(rules, 4, pr_buf_view(&two), NULL);
	expect(rules, 1, pr_buf_view(&whole), NULL);
	expect(rules, 0, pr_buf_view(&whole), NULL);
}
END_TEST

static void
by_other_key(struct forge *f)
{
	f->signer = forge_other_key;
}

static void
write_ca(const char *path, EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *n = forge_ca_name();
	FILE *out = fopen(path, "w");

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_issuer_name(x, n);
	X509_set_subject_name(x, n);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	PEM_write_X509(out, x);
	fclose(out);
	X509_free(x);
	X509_NAME_free(n);
}

static void
flip_all_bits(const struct pr_identity *id, struct pr_buf *der)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf entry = PR_BUF_INIT;

	for (size_t bit = 0; bit < 8 * der->n; bit++) {
		struct answer a;

		der->p[bit / 8] ^= (char)(1 << bit % 8);
		pr_buf_reset(&entry);
		forge_call_text(&entry, pr_buf_view(der));
		der->p[bit / 8] ^= (char)(1 << bit % 8);
		/* User as it would be: the signature alone has to hold */
		a = ask(id, PR_STR("alice"), "TLS", pr_buf_view(&entry));
		ck_assert_msg(
		    a.rc == -1, "bit %zu: %.*s", bit, PR_STRF(a.s->id));
		text_is_safe(a.why.text);
		pr_subject_unref(a.s);
	}
}

START_TEST(a_pinned_key_must_have_signed)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf good = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf forged = PR_BUF_INIT;
	char dir[] = "/tmp/portreeve-test.XXXXXX", ca[64], other[64];
	static const struct forge_part subject[] = {CN_UTF8("alice")};
	struct pr_identity_rule rules[2] = {
	    {.source = "old", .issuer = ISSUER, .by = "cn", .ca = ca},
	    {.source = "new", .issuer = ISSUER, .by = "cn", .ca = other},
	};
	struct pr_identity *id;
	struct forge f;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(ca, sizeof ca, "%s/ca.pem", dir);
	snprintf(other, sizeof other, "%s/other.pem", dir);
	write_ca(ca, forge_ca_key);
	write_ca(other, forge_other_key);
	alice(&good, NULL);
	alice(&forged, by_other_key);
	expect(rules, 1, pr_buf_view(&good), "old:alice");
	expect(rules, 1, pr_buf_view(&forged), NULL);
	expect(rules, 2, pr_buf_view(&forged), "new:alice");

	forge_begin(&f, subject, 1, NULL, 0);
	forge_sign(&f);
	id = rules_new(rules, 1);
	flip_all_bits(id, &f.der);
	pr_identity_unref(id);
	forge_end(&f);
	unlink(ca);
	unlink(other);
	rmdir(dir);
}
END_TEST

static const struct {
	const char *by, *search, *want;
} searches[] = {
    {"cn", "(uid={cn})", "(uid=a\\28b\\29\\5cc)"},
    {"cn", "(&(uid={name})(o=x))", "(&(uid=a\\28b\\29\\5cc)(o=x))"},
    {"cn", "(mail={san.email})", "(mail=\\2a@acme.com)"},
    {"cn", "(x={serial}{fingerprint})", NULL},
    {"cn", "(dn={subject})", "(dn=CN=a\\28b\\29\\5c\\5cc)"},
    {"cn", "(a={serial.decimal})", "(a=19088743)"},
    {"cn", "(a={serial}-{ x})", "(a=01234567-{ x})"},
    {"exact", NULL,
	"(userCertificate:certificateExactMatch:={ serialNumber 19088743, "
	"issuer rdnSequence:\"CN=Acme User CA,O=Acme\" })"},
};

START_TEST(searches_are_escaped)
{
	static const struct forge_part subject[] = {CN_UTF8("a(b)\\c")};
	static const struct forge_san sans[] = {EMAIL("*@acme.com")};
	PR_CLEANUP(pr_buf_fini) struct pr_buf entry = PR_BUF_INIT;
	struct pr_identity_rule r = {.source = "corp",
	    .issuer = ISSUER,
	    .by = searches[_i].by,
	    .search = searches[_i].search};
	struct pr_identity *id = rules_new(&r, 1);
	struct answer a;
	struct forge f;

	forge_begin(&f, subject, 1, sans, 1);
	forge_sign(&f);
	forge_call_text(&entry, pr_buf_view(&f.der));
	a = ask(id, PR_STR("a(b)\\c"), "TLS", pr_buf_view(&entry));
	ck_assert_int_eq(a.rc, 0);
	if (searches[_i].want != NULL)
		ck_assert_msg(pr_str_is(a.s->search, searches[_i].want), "%.*s",
		    PR_STRF(a.s->search));
	else
		ck_assert_uint_eq(a.s->search.n, 4 + 8 + 64);
	pr_subject_unref(a.s);
	pr_identity_unref(id);
	forge_end(&f);
}
END_TEST

START_TEST(a_search_needs_its_field_once)
{
	static const struct pr_identity_rule r = {.source = "corp",
	    .issuer = ISSUER,
	    .by = "cn",
	    .search = "(mail={san.email})"};
	PR_CLEANUP(pr_buf_fini) struct pr_buf none = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf two = PR_BUF_INIT;

	alice(&none, without_san);
	alice(&two, with_second_email);
	expect(&r, 1, pr_buf_view(&none), NULL);
	expect(&r, 1, pr_buf_view(&two), NULL);
}
END_TEST

/* Wrong rules: each is an error with this text. */
static const struct {
	struct pr_identity_rule r;
	const char *text;
} wrong_rules[] = {
    {{.issuer = ISSUER, .by = "cn"}, "needs a source"},
    {{.source = "Corp", .issuer = ISSUER, .by = "cn"}, "no source"},
    {{.source = "a:b", .issuer = ISSUER, .by = "cn"}, "no source"},
    {{.source = "", .issuer = ISSUER, .by = "cn"}, "no source"},
    {{.source = "-a", .issuer = ISSUER, .by = "cn"}, "no source"},
    {{.source = "anonymous", .issuer = ISSUER, .by = "cn"}, "no source"},
    {{.source = "corp", .issuer = ISSUER}, "needs by"},
    {{.source = "corp", .issuer = ISSUER, .by = "san-mail"},
	"did you mean \"san-email\""},
    {{.source = "corp", .issuer = ISSUER, .by = "CN"}, "unknown by"},
    {{.source = "corp", .by = "cn"}, "needs the issuer"},
    {{.source = "corp", .issuer = "", .by = "cn"}, "no distinguished name"},
    {{.source = "corp", .issuer = "/O=Acme/CN=CA", .by = "cn"},
	"no distinguished name"},
    {{.source = "corp", .issuer = "Acme", .by = "cn"}, "no distinguished name"},
    {{.source = "corp", .issuer = "CN=a\"b\"", .by = "cn"},
	"no distinguished name"},
    {{.source = "corp", .issuer = ISSUER, .by = "user"}, "has no issuer"},
    {{.source = "corp", .by = "user", .ca = "x.pem"}, "has no ca"},
    {{.source = "corp", .by = "user", .search = "(uid={cn})"}, "write {name}"},
    {{.source = "corp", .issuer = ISSUER, .by = "cn", .search = "mail={cn}"},
	"in parentheses"},
    {{.source = "corp", .issuer = ISSUER, .by = "cn", .search = "(a={cn}"},
	"in parentheses"},
    {{.source = "corp", .issuer = ISSUER, .by = "cn", .search = "(a={cn}))"},
	"in parentheses"},
    {{.source = "corp",
	 .issuer = ISSUER,
	 .by = "cn",
	 .search = "(a={cn})(b=c)"},
	"in parentheses"},
    {{.source = "corp", .issuer = ISSUER, .by = "cn", .search = "({cn})"},
	"in parentheses"},
    {{.source = "corp", .issuer = ISSUER, .by = "cn", .search = "(a=b)"},
	"same for everybody"},
    {{.source = "corp",
	 .issuer = ISSUER,
	 .by = "cn",
	 .search = "(a={san.emial})"},
	"did you mean \"{san.email}\""},
    {{.source = "corp", .issuer = ISSUER, .by = "cn", .search = "(a={cn)"},
	"not closed"},
    {{.source = "corp", .issuer = ISSUER, .by = "cn", .ca = "/nowhere.pem"},
	"/nowhere.pem: No such file"},
    {{.source = "corp", .issuer = ISSUER, .by = "cn", .ca = "/dev/null"},
	"not a regular file"},
};

START_TEST(wrong_rules_are_told)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;
	struct pr_diags *ds = pr_diags_new();
	struct pr_identity_rule r = wrong_rules[_i].r;

	r.loc = (struct pr_loc){"portreeve.yaml", 7, 5, 0};
	ck_assert_ptr_null(pr_identity_compile(&r, 1, ds));
	pr_diags_format(ds, &text);
	ck_assert_msg(
	    strstr(text.p, wrong_rules[_i].text) != NULL, "%s", text.p);
	ck_assert_ptr_nonnull(strstr(text.p, "portreeve.yaml:7:5: error:"));
	pr_diags_free(ds);
}
END_TEST

START_TEST(rules_are_compared)
{
	static const struct pr_identity_rule hidden[] = {
	    {.source = "a", .issuer = ISSUER, .by = "cn"},
	    {.source = "b", .issuer = "CN=ACME user CA,O=acme", .by = "cn"},
	};
	static const struct pr_identity_rule shared[] = {
	    {.source = "a", .issuer = ISSUER, .by = "cn"},
	    {.source = "a", .issuer = "CN=Other", .by = "cn"},
	};
	struct pr_diags *ds = pr_diags_new();
	struct pr_identity *id;

	ck_assert_ptr_null(pr_identity_compile(hidden, 2, ds));
	ck_assert_uint_eq(pr_diags_count(ds, PR_ERROR), 1);
	pr_diags_free(ds);
	ds = pr_diags_new();
	id = pr_identity_compile(shared, 2, ds);
	ck_assert_ptr_nonnull(id);
	ck_assert_uint_eq(pr_diags_count(ds, PR_WARNING), 1);
	pr_identity_unref(id);
	pr_diags_free(ds);
}
END_TEST

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
}

START_TEST(deny_lists_refuse_by_fingerprint)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf entry = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;
	char path[] = "/tmp/portreeve-test.XXXXXX";
	struct pr_identity *id = rule_new("cn"), *strict = rule_new("cn");
	struct pr_identity_cache *c = pr_identity_cache_new(id, 64);
	struct pr_diags *ds = pr_diags_new();
	const struct pr_subject *s;
	struct pr_identity_why why;
	char list[400];

	close(mkstemp(path));
	alice(&entry, NULL);
	ck_assert_int_eq(find(c, pr_buf_view(&entry), &s, &why), 0);
	snprintf(list, sizeof list,
	    "# lost laptops\n\n%064d # nobody\n%.*s\t# alice\n", 0,
	    PR_STRF(s->fingerprint));
	pr_subject_unref(s);
	write_file(path, list);
	ck_assert_int_eq(pr_identity_deny_file(strict, path, ds), 0);
	pr_identity_cache_reload(c, strict);
	ck_assert_int_eq(find(c, pr_buf_view(&entry), &s, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "deny list"));
	pr_subject_unref(s);
	pr_identity_cache_reload(c, id);
	ck_assert_int_eq(find(c, pr_buf_view(&entry), &s, &why), 0);
	pr_subject_unref(s);

	write_file(path, "# ok\n  abcd\n");
	ck_assert_int_eq(pr_identity_deny_file(strict, path, ds), -1);
	pr_diags_format(ds, &text);
	ck_assert_ptr_nonnull(strstr(text.p, ":2:3: error:"));
	unlink(path);
	ck_assert_int_eq(pr_identity_deny_file(strict, path, ds), -1);
	pr_diags_free(ds);
	pr_identity_cache_free(c);
	pr_identity_unref(strict);
	pr_identity_unref(id);
}
END_TEST

START_TEST(colons_in_fingerprints_are_fine)
{
	char path[] = "/tmp/portreeve-test.XXXXXX";
	struct pr_identity *id = rule_new("cn");
	struct pr_diags *ds = pr_diags_new();
	char list[200] = "";

	close(mkstemp(path));
	for (int i = 0; i < 32; i++)
		snprintf(list + strlen(list), 8, "%sAB", i > 0 ? ":" : "");
	write_file(path, list);
	ck_assert_int_eq(pr_identity_deny_file(id, path, ds), 0);
	strcat(list, ":");
	write_file(path, list);
	ck_assert_int_eq(pr_identity_deny_file(id, path, ds), -1);
	unlink(path);
	pr_diags_free(ds);
	pr_identity_unref(id);
}
END_TEST

START_TEST(the_words_agree)
{
	size_t n = 0;

	while (pr_identity_by_words[n] != NULL)
		n++;
	ck_assert_uint_eq(n, 7);
	/* every field of a search compiles */
	for (size_t i = 0; pr_identity_fields[i] != NULL; i++) {
		char search[64];
		struct pr_identity_rule r = {.source = "corp",
		    .issuer = ISSUER,
		    .by = "cn",
		    .search = search};

		snprintf(
		    search, sizeof search, "(a={%s})", pr_identity_fields[i]);
		pr_identity_unref(rules_new(&r, 1));
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("identity rules");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_unchecked_fixture(t, forge_setup, forge_teardown);
	tcase_add_test(t, the_first_rule_that_matches_wins);
	tcase_add_test(t, a_pinned_key_must_have_signed);
	tcase_add_loop_test(t, searches_are_escaped, 0, PR_COUNT(searches));
	tcase_add_test(t, a_search_needs_its_field_once);
	tcase_add_loop_test(t, wrong_rules_are_told, 0, PR_COUNT(wrong_rules));
	tcase_add_test(t, rules_are_compared);
	tcase_add_test(t, deny_lists_refuse_by_fingerprint);
	tcase_add_test(t, colons_in_fingerprints_are_fine);
	tcase_add_test(t, the_words_agree);
	suite_add_tcase(s, t);
	return unit_run(s);
}
