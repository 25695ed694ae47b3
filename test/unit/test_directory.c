/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <portreeve/arena.h>
#include <portreeve/caps.h>

#include "tools/directory_rows.h"
#include "unit.h"

#define FILE_NAME "people.ldif"

static struct pr_directory_config
ldif_config(enum variant v)
{
	struct pr_directory_config c;

	pr_directory_defaults(&c);
	c.type = PR_DIRECTORY_LDIF;
	c.file.s = FILE_NAME;
	variant_config(&c, v);
	return c;
}

static struct pr_directory *
open_text(const struct pr_directory_config *c, const char *text)
{
	struct pr_diags *ds = pr_diags_new();
	struct pr_directory *d;

	ck_assert(pr_directory_check(c, ds));
	d = pr_directory_open_ldif(c, pr_str_of(text), ds);
	if (d == NULL)
		pr_diags_print(ds, stderr);
	pr_diags_free(ds);
	ck_assert_ptr_nonnull(d);
	return d;
}

static struct pr_directory *
open_variant(enum variant v)
{
	struct pr_directory_config c = ldif_config(v);

	return open_text(&c, people_ldif);
}

START_TEST(the_suite)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf got = PR_BUF_INIT;
	struct pr_directory *d = open_variant(rows[_i].variant);

	ck_assert_msg(run_row(d, &rows[_i], &got),
	    "%s of \"%s\" %s: %s, not %s", variants[rows[_i].variant].name,
	    rows[_i].name, rows[_i].filter, got.p, rows[_i].want);
	pr_directory_close(d);
}
END_TEST

START_TEST(all_bytes)
{
	struct pr_directory *d = open_variant(DIRECT);
	unsigned tried;

	ck_assert_uint_eq(try_all_bytes(d, &tried), 0);
	ck_assert_uint_eq(tried, 2048);
	pr_directory_close(d);
}
END_TEST

#define DC "dn: dc=a\nobjectClass: x\n"

static const struct {
	const char *text;
	const char *want; /* the first line of what is said; NULL: it is read */
} files[] = {
    {"", NULL},
    {"# nothing\n\n\n", NULL},
    {"version: 1\n\n" DC, NULL},
    {"version: 1\n" DC "\n\n\n", NULL},
    {DC "changetype: add\n", NULL},
    {"dn: dc=a\nchangetype: add\nobjectClass: x\n", NULL},
    {"dn: dc=a\r\nobjectClass: x\r\n\r\n", NULL},
    {"dn: dc=a\nobjectClass: x", NULL},
    {DC "cn;lang-de: x\nuserCertificate;binary:: AAEC\n", NULL},
    {"version: 2\n" DC,
	":1:10: error: LDIF version \"2\"; there is only "
	"version 1"},
    {"dn: dc=a\ncn: b\n", ":1:1: error: this entry has no objectClass"},
    {DC "\n" DC, ":4:1: error: \"dc=a\" stands here twice"},
    {DC "\ndn: DC=A\nobjectClass: y\n",
	":4:1: error: \"DC=A\" stands here twice"},
    {"cn: b\n\n",
	":1:1: error: a record begins with \"dn:\", not with "
	"\"cn\""},
    {DC "dn: dc=b\n", ":3:1: error: \"dn\" has no place inside a record"},
    {DC "nonsense\n",
	":3:1: error: not \"attribute: value\": a colon is missing"},
    {DC ": x\n", ":3:1: error: not \"attribute: value\": a colon is missing"},
    {DC "cn:: QQ\n", ":3:6: error: this is not base64"},
    {DC "cn:: Q!==\n", ":3:6: error: this is not base64"},
    {DC "jpegPhoto:< file:///etc/shadow\n",
	":3:10: error: values from URLs are not read"},
    {DC "1a: x\n", ":3:1: error: \"1a\" is not an attribute's name"},
    {"dn: nonsense\nobjectClass: x\n",
	":1:5: error: \"nonsense\" is not a distinguished name (RFC 4514)"},
    {"dn:\nobjectClass: x\n",
	":1:4: error: \"\" is not a distinguished name (RFC 4514)"},
    {"dn:: AA==\nobjectClass: x\n",
	":1:6: error: \"\\u0000\" is not a distinguished name (RFC 4514)"},
    {DC "member: bob\n",
	":3:9: error: \"bob\" of member is not a distinguished name"},
    {"dn: dc=a\nchangetype: modify\nreplace: cn\ncn: b\n",
	":2:13: error: changetype \"modify\": this file says what is, not "
	"what changes"},
    {"dn: dc=a\nchangetype: delete\n",
	":2:13: error: changetype \"delete\": this file says what is, not "
	"what changes"},
    {DC "control: 1.2.3 true\n",
	":3:1: error: \"control\" has no place inside a record"},
    {" x\n" DC, ":1:1: error: this line continues no other line"},
};

START_TEST(ldif_files)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_buf_fini) struct pr_buf said = PR_BUF_INIT;
	struct pr_directory_config c = ldif_config(DIRECT);
	struct pr_directory *d;
	struct pr_str rest, line;

	d = pr_directory_open_ldif(&c, pr_str_of(files[_i].text), ds);
	pr_diags_format(ds, &said);
	ck_assert_int_eq(d != NULL, files[_i].want == NULL);
	pr_directory_close(d);
	if (files[_i].want == NULL) {
		ck_assert_uint_eq(said.n, 0);
		return;
	}
	rest = pr_buf_view(&said);
	line = pr_str_cut(&rest, '\n');
	ck_assert(pr_str_starts(line, FILE_NAME));
	line = pr_str_sub(line, strlen(FILE_NAME), line.n);
	ck_assert_msg(pr_str_is(line, files[_i].want), "%.*s", PR_STRF(line));
}
END_TEST

/* Every mistake in one run, each with its place. */
START_TEST(ldif_says_all)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	struct pr_directory_config c = ldif_config(DIRECT);

	ck_assert_ptr_null(pr_directory_open_ldif(&c,
	    PR_STR("dn: a\n\ndn: dc=a\nx\ny\ncn:: !\nobjectClass: z\n"), ds));
	ck_assert_uint_eq(pr_diags_count(ds, PR_ERROR), 4);
}
END_TEST

static struct pr_directory_text *
uri_list(const char *s, struct pr_loc loc)
{
	static struct pr_directory_text t[2];

	t[0] = (struct pr_directory_text){s, loc};
	return t;
}

/* A block that is right, then one change to it. */
static const struct check {
	const char *uri, *ca;
	bool starttls;
	enum pr_directory_bind bind;
	const char *dn, *password_file, *user_base, *filter, *member;
	enum pr_directory_nested nested;
	unsigned depth;
	const char *want; /* NULL: nothing is wrong */
} checks[] = {
    {"ldaps://a", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0, 5,
	NULL},
    {"ldaps://a:636/", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0, 5,
	NULL},
    {"ldaps://[2001:db8::1]:636", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b)",
	"member", 0, 5, NULL},
    {"ldap://a", "ca", 1, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0, 5, NULL},
    {"ldap://127.0.0.1:389", NULL, 0, 0, NULL, NULL, "dc=a", "(a=b)", "member",
	0, 5, NULL},
    {"ldap://[::1]", NULL, 0, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0, 5,
	NULL},
    {"ldapi://%2Frun%2Fldapi", NULL, 0, PR_BIND_EXTERNAL, NULL, NULL, "dc=a",
	"(a=b)", "member", 0, 5, NULL},
    {"ldaps://a", "ca", 0, PR_BIND_SIMPLE, "cn=x", "pw", "dc=a", "(a=b)",
	"member", PR_NESTED_CHAIN, 5, NULL},
    {"ldap://a", NULL, 0, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0, 5,
	"without TLS"},
    {"ldap://127.0.0.1.example.com", NULL, 0, 0, NULL, NULL, "dc=a", "(a=b)",
	"member", 0, 5, "without TLS"},
    {"ldap://localhost.example.com", NULL, 0, 0, NULL, NULL, "dc=a", "(a=b)",
	"member", 0, 5, "without TLS"},
    {"ldap://x@127.0.0.1", NULL, 0, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0,
	5, "only a port may follow"},
    {"ldaps://a", NULL, 0, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0, 5,
	"TLS needs tls.ca"},
    {"ldap://127.0.0.1", NULL, 1, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0,
	5, "TLS needs tls.ca"},
    {"ldaps://a", "ca", 1, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0, 5,
	"together with starttls"},
    {"ldaps://a,b", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0, 5,
	"only a port may follow"},
    {"ldaps://a/dc=b", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0, 5,
	"only a port may follow"},
    {"ldaps://a:99999", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0, 5,
	"no such port"},
    {"ldaps://", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0, 5,
	"the host is missing"},
    {"ldaps://a b", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0, 5,
	"only a port may follow"},
    {"ldapi:///run/ldapi", NULL, 0, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0,
	5, "slashes as %2F"},
    {"http://a", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b)", "member", 0, 5,
	"begins with none of"},
    {"ldaps://a", "ca", 0, PR_BIND_EXTERNAL, NULL, NULL, "dc=a", "(a=b)",
	"member", 0, 5, "external is for ldapi"},
    {"ldaps://a", "ca", 0, PR_BIND_SIMPLE, NULL, "pw", "dc=a", "(a=b)",
	"member", 0, 5, "simple needs dn"},
    {"ldaps://a", "ca", 0, PR_BIND_SIMPLE, "cn=x", NULL, "dc=a", "(a=b)",
	"member", 0, 5, "needs password_file"},
    {"ldaps://a", "ca", 0, PR_BIND_SIMPLE, "", "pw", "dc=a", "(a=b)", "member",
	0, 5, "simple needs dn"},
    {"ldaps://a", "ca", 0, PR_BIND_NONE, "cn=x", NULL, "dc=a", "(a=b)",
	"member", 0, 5, "dn is for method simple"},
    {"ldaps://a", "ca", 0, 0, NULL, NULL, NULL, "(a=b)", "member", 0, 5,
	"needs user.base"},
    {"ldaps://a", "ca", 0, 0, NULL, NULL, "nonsense", "(a=b)", "member", 0, 5,
	"not a distinguished name"},
    {"ldaps://a", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b", "member", 0, 5,
	"\"(a=b\" and then: a ) is missing"},
    {"ldaps://a", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b))(c=d", "member", 0, 5,
	"\"(a=b)\" and then: the filter ends"},
    {"ldaps://a", "ca", 0, 0, NULL, NULL, "dc=a", "", "member", 0, 5,
	"a filter is missing"},
    {"ldaps://a", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b)", "mem ber", 0, 5,
	"not an attribute's name"},
    {"ldaps://a", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b)", "memberUid",
	PR_NESTED_EXPAND, 5, "names users, not groups"},
    {"ldaps://a", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b)", "member",
	PR_NESTED_EXPAND, 17, "17 is not in 1..16"},
    {"ldaps://a", "ca", 0, 0, NULL, NULL, "dc=a", "(a=b)", "member",
	PR_NESTED_EXPAND, 0, "0 is not in 1..16"},
};

START_TEST(configuration)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_buf_fini) struct pr_buf said = PR_BUF_INIT;
	const struct check *k = &checks[_i];
	struct pr_loc loc = {"portreeve.yaml", 7, 3, 0};
	struct pr_directory_config c;

	pr_directory_defaults(&c);
	c.type = PR_DIRECTORY_LDAP;
	c.loc = loc;
	c.uri = uri_list(k->uri, loc);
	c.n_uri = 1;
	c.tls.ca.s = k->ca;
	c.starttls = k->starttls;
	c.bind.method = k->bind;
	c.bind.loc = loc;
	c.bind.dn = (struct pr_directory_text){k->dn, loc};
	c.bind.password_file =
	    (struct pr_directory_text){k->password_file, loc};
	c.user.base = (struct pr_directory_text){k->user_base, loc};
	c.group.base = (struct pr_directory_text){"dc=g", loc};
	c.user.filter = (struct pr_directory_text){k->filter, loc};
	c.group.member = (struct pr_directory_text){k->member, loc};
	c.group.nested = k->nested;
	c.group.nested_loc = loc;
	c.group.depth = k->depth;
	ck_assert_int_eq(pr_directory_check(&c, ds), k->want == NULL);
	pr_diags_format(ds, &said);
	if (k->want == NULL)
		return;
	ck_assert_uint_eq(pr_diags_count(ds, PR_ERROR), 1);
	ck_assert_msg(strstr(said.p, k->want) != NULL, "%s", said.p);
	ck_assert_msg(
	    strstr(said.p, "portreeve.yaml:7:3: error") != NULL, "%s", said.p);
}
END_TEST

static void
answer_at(
    struct pr_directory *d, const char *name, struct pr_directory_answer *a)
{
	ck_assert_int_eq(pr_directory_lookup(d, pr_str_of(name), PR_STR(""), 0,
			     pr_clock_now() + PR_SEC, a, NULL),
	    0);
}

START_TEST(cached_answers)
{
	struct pr_directory *d = open_variant(EXPAND);
	struct pr_directory_answer a, b;
	const struct pr_membership *m;

	ck_assert_ptr_null(pr_directory_peek(d, PR_STR("alice"), PR_STR("")));
	answer_at(d, "alice", &a);
	answer_at(d, "alice", &b);
	ck_assert_ptr_eq(a.m, b.m);
	ck_assert_uint_eq(b.stale, 0);
	m = pr_directory_peek(d, PR_STR("alice"), PR_STR(""));
	ck_assert_ptr_eq(m, a.m);
	ck_assert(pr_str_is(m->user_dn, "uid=alice," PEOPLE));
	ck_assert(pr_str_is(m->user_name, "alice"));
	ck_assert(pr_str_is(m->source, "ldif " FILE_NAME));
	ck_assert(pr_str_is(m->groups[0].dn, "cn=all-dev," GROUPS));
	/* the same name by another filter is another subject */
	ck_assert_ptr_null(
	    pr_directory_peek(d, PR_STR("alice"), PR_STR("(mail=*)")));
	pr_membership_unref(m);
	pr_membership_unref(b.m);
	pr_directory_close(d);
	/* an answer outlives its directory */
	ck_assert_uint_eq(a.m->n_groups, 4);
	pr_membership_unref(a.m);
}
END_TEST

START_TEST(rereads_are_rare)
{
	struct pr_directory_config c = ldif_config(EXPAND);
	struct pr_directory *d;
	struct pr_directory_answer a;
	uint64_t soon = pr_clock_now() + 60 * PR_SEC;
	unsigned done = 0;

	c.cache.negative_ttl = 3600 * PR_SEC;
	d = open_text(&c, people_ldif);
	ck_assert_int_eq(pr_directory_refresh(
			     d, PR_STR("alice"), PR_STR(""), soon, &a, NULL),
	    0);
	ck_assert(a.m->found);
	pr_membership_unref(a.m);
	ck_assert_int_eq(pr_directory_refresh(
			     d, PR_STR("alice"), PR_STR(""), soon, &a, NULL),
	    1);
	ck_assert_ptr_null(a.m);
	/* and in all: no more than the seconds that pass here allow */
	for (unsigned i = 0; i < 500; i++) {
		char name[16];

		snprintf(name, sizeof name, "user%u", i);
		if (pr_directory_refresh(
			d, pr_str_of(name), PR_STR(""), soon, &a, NULL) == 0)
			done++;
		pr_membership_unref(a.m);
	}
	ck_assert_uint_ge(done, 19);
	ck_assert_uint_lt(done, 500);
	pr_directory_close(d);
}
END_TEST

static void
write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

#define ONE_GROUP(member)                         \
	"dn: uid=a,ou=p\nobjectClass: person\n\n" \
	"dn: cn=g,ou=p\nobjectClass: groupOfNames\n" member

START_TEST(reload_keeps_the_old)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	char dir[] = "/tmp/portreeve-ldif-XXXXXX", path[64];
	struct pr_directory_config c;
	struct pr_directory_answer a;
	struct pr_directory *d;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/p.ldif", dir);
	pr_directory_defaults(&c);
	c.type = PR_DIRECTORY_LDIF;
	c.file.s = path;
	ck_assert_ptr_null(pr_directory_open(&c, ds)); /* not there */
	write_text(path, ONE_GROUP(""));
	d = pr_directory_open(&c, ds);
	ck_assert_ptr_nonnull(d);
	answer_at(d, "a", &a);
	ck_assert_uint_eq(a.m->n_groups, 0);
	pr_membership_unref(a.m);

	write_text(path, "broken");
	ck_assert_int_eq(pr_directory_reload(d, ds), -1);
	answer_at(d, "a", &a);
	ck_assert(a.m->found);
	pr_membership_unref(a.m);

	write_text(path, ONE_GROUP("member: uid=a,ou=p\n"));
	ck_assert_int_eq(pr_directory_reload(d, ds), 0);
	answer_at(d, "a", &a);
	ck_assert_uint_eq(a.m->n_groups, 1);
	ck_assert(pr_str_is(a.m->groups[0].name, "g"));
	pr_membership_unref(a.m);
	pr_directory_close(d);
	unlink(path);
	rmdir(dir);
}
END_TEST

/* A thousand groups in a ring, and a user in more groups than count. */
START_TEST(loops_and_caps)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	struct pr_directory_config c = ldif_config(EXPAND);
	struct pr_directory_answer a;
	struct pr_err *err = NULL;
	struct pr_directory *d;

	for (unsigned i = 0; i < 1000; i++)
		pr_buf_printf(&b,
		    "dn: cn=r%u," GROUPS "\nobjectClass: groupOfNames\n"
		    "member: cn=r%u," GROUPS "\n%s\n",
		    i, (i + 999) % 1000,
		    i == 0 ? "member: uid=u," PEOPLE "\n" : "");
	for (unsigned i = 0; i <= PR_CAP_GROUPS; i++)
		pr_buf_printf(&b,
		    "dn: cn=m%u," GROUPS "\nobjectClass: groupOfNames\n"
		    "member: uid=many," PEOPLE "\n\n",
		    i);
	pr_buf_cstr(&b, PERSON("u", "U") PERSON("many", "M"));
	c.group.depth = PR_CAP_NESTING;
	d = open_text(&c, b.p);
	answer_at(d, "u", &a);
	ck_assert_uint_eq(a.m->n_groups, PR_CAP_NESTING + 1);
	pr_membership_unref(a.m);
	ck_assert_int_eq(pr_directory_lookup(d, PR_STR("many"), PR_STR(""), 0,
			     pr_clock_now() + PR_SEC, &a, &err),
	    -1);
	ck_assert_int_eq(err->code, PR_ERR_INVALID);
	ck_assert_ptr_null(a.m);
	pr_err_free(err);
	pr_directory_close(d);
}
END_TEST

static const struct {
	const char *raw, *want;
} escapes[] = {
    {"alice", "alice"},
    {"a*b", "a\\2ab"},
    {"(a)", "\\28a\\29"},
    {"a\\b", "a\\5cb"},
    {"\303\274", "\\c3\\bc"},
    {"\n\177", "\\0a\\7f"},
};

START_TEST(escaping)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	pr_directory_escape(&b, pr_str_of(escapes[_i].raw));
	ck_assert_str_eq(b.p, escapes[_i].want);
	pr_buf_reset(&b);
	pr_directory_escape(&b, PR_STR("a\0b"));
	ck_assert_str_eq(b.p, "a\\00b");
}
END_TEST

static void *
ask_often(void *arg)
{
	static const char *const names[] = {"alice", "bob", "deep", "nobody"};
	struct pr_directory *d = arg;

	for (unsigned i = 0; i < 3000; i++) {
		const char *name = names[i % PR_COUNT(names)];
		struct pr_directory_answer a;

		if (i % 3 == 0) {
			pr_membership_unref(
			    pr_directory_peek(d, pr_str_of(name), PR_STR("")));
			continue;
		}
		if (pr_directory_lookup(d, pr_str_of(name), PR_STR(""),
			PR_SEC * (i % 2), pr_clock_now() + 10 * PR_SEC, &a,
			NULL) < 0)
			return arg;
		if (a.m->found != (name[0] != 'n'))
			return arg;
		pr_membership_unref(a.m);
	}
	return NULL;
}

/* For TSan: many threads, an answer that ages at once, reloads between. */
START_TEST(many_threads)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	char dir[] = "/tmp/portreeve-ldif-XXXXXX", path[64];
	struct pr_directory_config c = ldif_config(EXPAND);
	struct pr_directory *d;
	pthread_t t[4];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/p.ldif", dir);
	write_text(path, people_ldif);
	c.file.s = path;
	c.cache.ttl = PR_MS / 10;
	d = pr_directory_open(&c, ds);
	ck_assert_ptr_nonnull(d);
	for (size_t i = 0; i < PR_COUNT(t); i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, ask_often, d), 0);
	for (unsigned i = 0; i < 20; i++)
		ck_assert_int_eq(pr_directory_reload(d, ds), 0);
	for (size_t i = 0; i < PR_COUNT(t); i++) {
		void *rc;

		pthread_join(t[i], &rc);
		ck_assert_ptr_null(rc);
	}
	pr_directory_close(d);
	unlink(path);
	rmdir(dir);
}
END_TEST

/* More subjects than the cache keeps: it stays bounded, answers stay right. */
START_TEST(many_subjects)
{
	struct pr_directory *d = open_variant(DIRECT);
	struct pr_directory_answer a;

	for (unsigned i = 0; i < 40000; i++) {
		char name[16];

		snprintf(name, sizeof name, "user%u", i);
		answer_at(d, name, &a);
		ck_assert(!a.m->found);
		pr_membership_unref(a.m);
	}
	answer_at(d, "alice", &a);
	ck_assert(a.m->found);
	pr_membership_unref(a.m);
	pr_directory_close(d);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("directory");
	TCase *tc = tcase_create("directory");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, the_suite, 0, PR_COUNT(rows));
	tcase_add_test(tc, all_bytes);
	tcase_add_loop_test(tc, ldif_files, 0, PR_COUNT(files));
	tcase_add_test(tc, ldif_says_all);
	tcase_add_loop_test(tc, configuration, 0, PR_COUNT(checks));
	tcase_add_test(tc, cached_answers);
	tcase_add_test(tc, rereads_are_rare);
	tcase_add_test(tc, reload_keeps_the_old);
	tcase_add_test(tc, loops_and_caps);
	tcase_add_loop_test(tc, escaping, 0, PR_COUNT(escapes));
	tcase_add_test(tc, many_threads);
	tcase_add_test(tc, many_subjects);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
