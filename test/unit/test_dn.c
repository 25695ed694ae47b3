/* SPDX-License-Identifier: Apache-2.0 */
/* <ldap.h> as a second opinion on what is a DN at all. */
#include <string.h>

#include <ldap.h>

#include <portreeve/arena.h>
#include <portreeve/dn.h>

#include "unit.h"

static const struct {
	const char *dn;
	const char *want; /* NULL: not a DN */
} forms[] = {
    {"", ""},
    {"cn=a", "cn=a"},
    {"CN=Pay Ments,OU=Groups,DC=Acme,DC=Com",
	"cn=pay ments,ou=groups,dc=acme,dc=com"},
    {"cn=a , ou = b", "cn=a,ou=b"},
    {"cn=  a   b  ,ou=c", "cn=a b,ou=c"},
    {"cn=\\ a\\ ,ou=c", "cn=a,ou=c"},
    {"commonName=a,2.5.4.11=b", "cn=a,ou=b"},
    {"b=2+A=1,c=x", "a=1+b=2,c=x"},
    {"cn=a\\,b", "cn=a\\2cb"},
    {"cn=a\\2cb", "cn=a\\2cb"},
    {"cn=a\\2Cb", "cn=a\\2cb"},
    {"cn=a=b", "cn=a\\3db"},
    {"cn=#0402AB01", "cn=#0402ab01"},
    {"cn=\\#0402", "cn=\\230402"},
    {"cn=a*b", "cn=a\\2ab"},
    {"cn=\\C3\\84rger", "cn=\303\244rger"},
    {"cn=\303\204RGER", "cn=\303\244rger"},
    {"cn=\316\221\316\225", "cn=\316\261\316\265"},
    {"cn=\320\224\320\230\320\201", "cn=\320\264\320\270\321\221"},
    {"x-odd=KeepsCase", "x-odd=KeepsCase"},
    {"1.2.3.4=KeepsCase", "1.2.3.4=KeepsCase"},
    {"x-odd=\\20a\\20", "x-odd=\\20a\\20"},
    {"cn", NULL},
    {"cn=", NULL},
    {"cn=\\20", NULL},
    {"=a", NULL},
    {"cn=a,", NULL},
    {",cn=a", NULL},
    {"cn=a,,ou=b", NULL},
    {"cn=a+", NULL},
    {"cn=a;ou=b", NULL},
    {"cn=\"a\"", NULL},
    {"cn=a<b", NULL},
    {"cn=a\\", NULL},
    {"cn=a\\4", NULL},
    {"cn=a\\zz", NULL},
    {"cn=a\\00b", NULL},
    {"cn=\\ff", NULL},
    {"cn=#04020", NULL},
    {"cn=#", NULL},
    {"c n=a", NULL},
    {"cn;lang-en=a", NULL},
    {"1..2=a", NULL},
    {"1.=a", NULL},
    {"-a=b", NULL},
};

START_TEST(one_spelling)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf again = PR_BUF_INIT;
	bool ok;

	pr_buf_cstr(&b, "before:");
	ok = pr_dn_normalise(pr_str_of(forms[_i].dn), &b);
	ck_assert_int_eq(ok, forms[_i].want != NULL);
	if (!ok) {
		ck_assert_str_eq(b.p, "before:");
		return;
	}
	ck_assert_str_eq(b.p + 7, forms[_i].want);
	ck_assert(pr_dn_normalise(pr_str_of(b.p + 7), &again));
	ck_assert_str_eq(again.n > 0 ? again.p : "", forms[_i].want);
}
END_TEST

START_TEST(nul_and_length)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	char big[PR_DN_MAX + 1];

	ck_assert(!pr_dn_normalise(PR_STR("cn=a\0b"), &b));
	memset(big, 'a', sizeof big);
	memcpy(big, "cn=", 3);
	ck_assert(pr_dn_normalise((struct pr_str){big, PR_DN_MAX}, &b));
	ck_assert(!pr_dn_normalise((struct pr_str){big, PR_DN_MAX + 1}, &b));
}
END_TEST

static const struct {
	const char *pattern, *dn;
	bool want;
} matches[] = {
    {"cn=pay,ou=g", "cn=PAY,ou=G", true},
    {"cn=*,ou=g", "cn=pay,ou=g", true},
    {"cn=p*y,ou=g", "cn=pay,ou=g", true},
    {"cn=p*y,ou=g", "cn=payx,ou=g", false},
    {"cn=*,ou=g", "cn=pay,ou=x,ou=g", false},
    {"cn=**,ou=g", "cn=pay,ou=x,ou=g", false},
    {"cn=**,ou=g", "cn=pay,ou=g", true},
    {"cn=pay*,ou=g", "cn=pay\\,ou\\=x,ou=g", true},
    {"cn=pay*,ou=g", "cn=pay+uid=x,ou=g", false},
    {"cn=pay*+uid=*,ou=g", "uid=x+cn=pay,ou=g", true},
    {"cn=*c,ou=g", "cn=a\\,,ou=g", false},
    {"cn=*\\,,ou=g", "cn=a\\,,ou=g", true},
    {"cn=\\2a,ou=g", "cn=pay,ou=g", false},
    {"cn=\\2a,ou=g", "cn=*,ou=g", true},
    {"cn=a*a,ou=g", "cn=a,ou=g", false},
    {"cn=pay", "cn=pay,ou=g", false},
    {"cn=pay,ou=g", "cn=pay", false},
    {"", "cn=pay", false},
    {"", "", false},
};

START_TEST(patterns)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf p = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf d = PR_BUF_INIT;

	ck_assert(pr_dn_pattern(pr_str_of(matches[_i].pattern), &p));
	ck_assert(pr_dn_normalise(pr_str_of(matches[_i].dn), &d));
	ck_assert_int_eq(
	    pr_dn_match(pr_buf_view(&p), pr_buf_view(&d)), matches[_i].want);
}
END_TEST

START_TEST(below)
{
	ck_assert(pr_dn_under(PR_STR("cn=a,ou=b"), PR_STR("ou=b")));
	ck_assert(pr_dn_under(PR_STR("ou=b"), PR_STR("ou=b")));
	ck_assert(pr_dn_under(PR_STR("ou=b"), PR_STR("")));
	ck_assert(!pr_dn_under(PR_STR("cn=a,xou=b"), PR_STR("ou=b")));
	ck_assert(!pr_dn_under(PR_STR("ou=b"), PR_STR("cn=a,ou=b")));
}
END_TEST

START_TEST(first_rdn)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf v = PR_BUF_INIT;
	struct pr_str dn = PR_STR("CN=Big\\2C  Bob + UID = b,ou=x");
	char type[PR_DN_TYPE_MAX];

	ck_assert(pr_dn_rdn(dn, 0, type, &v));
	ck_assert_str_eq(type, "cn");
	ck_assert_str_eq(v.p, "Big,  Bob");
	pr_buf_reset(&v);
	ck_assert(pr_dn_rdn(dn, 1, type, &v));
	ck_assert_str_eq(type, "uid");
	ck_assert_str_eq(v.p, "b");
	ck_assert(!pr_dn_rdn(dn, 2, type, &v));
	ck_assert(!pr_dn_rdn(PR_STR(""), 0, type, &v));
	ck_assert(!pr_dn_rdn(PR_STR("cn=#0401"), 0, type, &v));
}
END_TEST

static unsigned
count_rdns(const char *normal)
{
	unsigned n = 1;

	for (; *normal != '\0'; normal++)
		n += *normal == ',';
	return n;
}

/* What we take for a DN, libldap takes for one with as many RDNs. */
START_TEST(libldap_agrees)
{
	static const char alphabet[] = "cn=a,ou+\\# 2c*;\"<\303\204=b,dc=";
	uint64_t seed = 0x9e3779b97f4a7c15u;
	unsigned both = 0;

	for (unsigned i = 0; i < 300000; i++) {
		PR_CLEANUP(pr_buf_fini) struct pr_buf ours = PR_BUF_INIT;
		char s[24] = "cn=a,";
		size_t n = 5;
		LDAPDN theirs = NULL;
		unsigned rdns = 0;

		for (unsigned k = 0; k < 4 + i % 14; k++) {
			seed =
			    seed * 6364136223846793005u + 1442695040888963407u;
			s[n++] = alphabet[(seed >> 33) % (sizeof alphabet - 1)];
		}
		s[n] = '\0';
		if (!pr_dn_normalise((struct pr_str){s, n}, &ours))
			continue;
		both++;
		ck_assert_msg(ldap_str2dn(s, &theirs, LDAP_DN_FORMAT_LDAPV3) ==
			LDAP_SUCCESS,
		    "only we take \"%s\" for a DN", s);
		while (theirs[rdns] != NULL)
			rdns++;
		ck_assert_msg(rdns == count_rdns(ours.p), "RDNs of \"%s\"", s);
		ldap_dnfree(theirs);
	}
	ck_assert_uint_gt(both, 1000);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("dn");
	TCase *tc = tcase_create("dn");

	tcase_add_loop_test(tc, one_spelling, 0, PR_COUNT(forms));
	tcase_add_test(tc, nul_and_length);
	tcase_add_loop_test(tc, patterns, 0, PR_COUNT(matches));
	tcase_add_test(tc, below);
	tcase_add_test(tc, first_rdn);
	tcase_add_test(tc, libldap_agrees);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
