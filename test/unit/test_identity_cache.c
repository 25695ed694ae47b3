/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates already read: the same answers, sooner. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <portreeve/clock.h>

#include "identity_kit.h"
#include "unit.h"

START_TEST(what_is_known_is_not_read_again)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf one = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf copy = PR_BUF_INIT;
	struct pr_identity *id = rule_new("cn");
	struct pr_identity_cache *c = pr_identity_cache_new(id, 64);
	const struct pr_subject *a, *b;
	struct pr_identity_why why;
	uint64_t start, ns;
	enum {
		N = 200000
	};
	int missed = 0;

	alice(&one, NULL);
	pr_buf_str(&copy, pr_buf_view(&one));
	ck_assert_int_eq(find(c, pr_buf_view(&one), &a, &why), 0);
	ck_assert_int_eq(find(c, pr_buf_view(&copy), &b, &why), 0);
	ck_assert_ptr_eq(a, b);
	pr_subject_unref(b);
	start = pr_clock_now();
	for (int i = 0; i < N; i++) {
		missed += find(c, pr_buf_view(&copy), &b, &why) != 0 || a != b;
		pr_subject_unref(b);
	}
	ck_assert_int_eq(missed, 0);
	ns = (pr_clock_now() - start) / N;
	printf("a hit: %llu ns for %zu bytes\n", (unsigned long long)ns, one.n);
	/* the last character decides as well */
	copy.p[copy.n - 6] ^= 1;
	ck_assert_int_eq(find(c, pr_buf_view(&copy), &b, &why), -1);
	pr_subject_unref(b);
	/* the subject outlives the memory */
	pr_identity_cache_free(c);
	pr_identity_unref(id);
	ck_assert(pr_str_is(a->id, "corp:alice"));
	pr_subject_unref(a);
}
END_TEST

/* User is another's: not even a certificate that is known helps. */
START_TEST(each_call_is_checked)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf entry = PR_BUF_INIT;
	struct pr_identity *id = rule_new("cn");
	struct pr_identity_cache *c = pr_identity_cache_new(id, 1);
	struct pr_str chain;
	struct pr_identity_call call = {.user = PR_STR("root"),
	    .method = PR_STR("TLS"),
	    .chain = &chain,
	    .n_chain = 1};
	const struct pr_subject *s;
	struct pr_identity_why why;

	alice(&entry, NULL);
	chain = pr_buf_view(&entry);
	ck_assert_int_eq(find(c, chain, &s, &why), 0);
	pr_subject_unref(s);
	ck_assert_int_eq(pr_identity_find(c, &call, &s, &why), -1);
	ck_assert(s->how == PR_SUBJECT_UNMAPPED);
	pr_subject_unref(s);
	call = (struct pr_identity_call){.n_chain = 0};
	ck_assert_int_eq(pr_identity_find(c, &call, &s, &why), 0);
	ck_assert(s->how == PR_SUBJECT_ANONYMOUS);
	pr_subject_unref(s);
	pr_identity_cache_free(c);
	pr_identity_unref(id);
}
END_TEST

static void
one_second_more(struct forge *f)
{
	X509_gmtime_adj(X509_getm_notAfter(f->x), 1);
}

START_TEST(what_is_known_expires)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf entry = PR_BUF_INIT;
	struct pr_identity *id = rule_new("cn");
	struct pr_identity_cache *c = pr_identity_cache_new(id, 16);
	const struct pr_subject *s;
	struct pr_identity_why why;

	alice(&entry, one_second_more);
	ck_assert_int_eq(find(c, pr_buf_view(&entry), &s, &why), 0);
	/* until the wall clock has passed it */
	while (pr_clock_wall() / 1000000000 <= s->not_after)
		usleep(50000);
	pr_subject_unref(s);
	ck_assert_int_eq(find(c, pr_buf_view(&entry), &s, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "expired at"));
	pr_subject_unref(s);
	pr_identity_cache_free(c);
	pr_identity_unref(id);
}
END_TEST

/* --- many at once --- */

#define PEOPLE 40
#define ROUNDS 100

struct crowd {
	struct pr_identity_cache *cache;
	struct pr_buf entries[PEOPLE];
	char names[PEOPLE][16];
	unsigned wrong; /* atomic */
};

static void *
walk(void *arg)
{
	struct crowd *w = arg;

	for (size_t i = 0; i < (size_t)ROUNDS * PEOPLE; i++) {
		size_t k = i * 7 % PEOPLE;
		struct pr_str chain = pr_buf_view(&w->entries[k]);
		struct pr_identity_call call = {.user = pr_str_of(w->names[k]),
		    .method = PR_STR("TLS"),
		    .chain = &chain,
		    .n_chain = 1};
		const struct pr_subject *s;
		struct pr_identity_why why;

		if (pr_identity_find(w->cache, &call, &s, &why) != 0 ||
		    !pr_str_is(s->name, w->names[k]))
			__atomic_fetch_add(&w->wrong, 1, __ATOMIC_RELAXED);
		pr_subject_unref(s);
	}
	return NULL;
}

START_TEST(threads_and_reloads)
{
	struct crowd w = {0};
	struct pr_identity *ids[2] = {rule_new("cn"), rule_new("cn")};
	pthread_t threads[4];

	/* fewer places than people: they push each other out */
	w.cache = pr_identity_cache_new(ids[0], 32);
	for (size_t i = 0; i < PEOPLE; i++) {
		struct forge_part part = {
		    NID_commonName, V_ASN1_UTF8STRING, w.names[i], 0, 0};
		struct forge f;

		part.len =
		    snprintf(w.names[i], sizeof w.names[i], "user%zu", i);
		forge_begin(&f, &part, 1, NULL, 0);
		forge_sign(&f);
		forge_call_text(&w.entries[i], pr_buf_view(&f.der));
		forge_end(&f);
	}
	for (size_t i = 0; i < PR_COUNT(threads); i++)
		pthread_create(&threads[i], NULL, walk, &w);
	for (int i = 0; i < 50; i++) {
		pr_identity_cache_reload(w.cache, ids[i % 2]);
		usleep(500);
	}
	for (size_t i = 0; i < PR_COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(w.wrong, 0);
	pr_identity_cache_free(w.cache);
	for (size_t i = 0; i < PEOPLE; i++)
		pr_buf_fini(&w.entries[i]);
	pr_identity_unref(ids[0]);
	pr_identity_unref(ids[1]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("identity cache");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_unchecked_fixture(t, forge_setup, forge_teardown);
	tcase_add_test(t, what_is_known_is_not_read_again);
	tcase_add_test(t, each_call_is_checked);
	tcase_add_test(t, what_is_known_expires);
	tcase_add_test(t, threads_and_reloads);
	suite_add_tcase(s, t);
	return unit_run(s);
}
