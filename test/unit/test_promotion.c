/* SPDX-License-Identifier: Apache-2.0 */
/* Signed lines about what has run, their keys, and the ledger of runs. */
#include <sys/stat.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/digest.h>
#include <portreeve/ledger.h>
#include <portreeve/promotion.h>

#include "unit.h"

#define D1        \
	"sha256:" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define D2        \
	"sha256:" \
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static char dir[64], path[96];
static struct pr_err *err;
static struct pr_private_key *key, *other;
static struct pr_diags *ds;

static struct pr_private_key *
make(const char *name)
{
	struct pr_private_key *k;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	k = pr_private_key_make(path, &err);
	ck_assert_msg(k != NULL, "%s", pr_err_text(err));
	return k;
}

static void
setup(void)
{
	strcpy(dir, "/tmp/promotion.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	other = make("other");
	key = make("key");
	ds = pr_diags_new();
}

static void
teardown(void)
{
	char command[128];

	pr_private_key_free(key);
	pr_private_key_free(other);
	pr_diags_free(ds);
	pr_err_freep(&err);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static const char *
public_of(const struct pr_private_key *k)
{
	static char text[PR_PUBLIC_KEY_TEXT];
	struct pr_public_key public;

	pr_private_key_public(k, &public);
	pr_public_key_print(&public, text);
	return text;
}

static void
sign(struct pr_buf *b, const struct pr_private_key *k, const char *digest,
    const char *phase, uint64_t seconds)
{
	struct pr_promotion p = {.digest = pr_str_of(digest),
	    .phase = pr_str_of(phase),
	    .seconds = seconds,
	    .daemon = PR_STR("staging-1"),
	    .time = PR_STR("2026-11-22T10:00:00Z")};

	pr_promotion_print(&p, k, b);
}

/* ---- keys ---- */

START_TEST(a_key_in_a_file_is_the_same_key)
{
	struct pr_private_key *again = pr_private_key_load(path, &err);
	uint8_t one[PR_SIGNATURE_LEN], two[PR_SIGNATURE_LEN];
	struct pr_public_key k;
	struct stat st;

	ck_assert_msg(again != NULL, "%s", pr_err_text(err));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	pr_sign(key, PR_STR("abc"), one);
	pr_sign(again, PR_STR("abc"), two);
	ck_assert_mem_eq(one, two, sizeof one);
	pr_private_key_public(again, &k);
	ck_assert(pr_signature_is_good(&k, PR_STR("abc"), one));
	ck_assert(!pr_signature_is_good(&k, PR_STR("abd"), one));
	for (size_t i = 0; i < sizeof one; i++) {
		one[i] ^= 1;
		ck_assert(!pr_signature_is_good(&k, PR_STR("abc"), one));
		one[i] ^= 1;
	}
	pr_private_key_free(again);
}
END_TEST

START_TEST(a_file_is_not_overwritten)
{
	ck_assert_ptr_null(pr_private_key_make(path, &err));
	ck_assert(strstr(pr_err_text(err), "exists") != NULL);
}
END_TEST

static const struct {
	const char *text;
	unsigned mode;
} bad_keys[] = {
    {"", 0600},
    {"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", 0600},
    /* P-256 */
    {"-----BEGIN PRIVATE KEY-----\n"
     "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\n"
     "OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n"
     "1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n"
     "-----END PRIVATE KEY-----\n",
	0600},
    {NULL, 0644},
    {NULL, 0620},
};

START_TEST(a_bad_key_is_refused)
{
	FILE *f;

	if (bad_keys[_i].text != NULL) {
		f = fopen(path, "w");
		ck_assert_ptr_nonnull(f);
		fputs(bad_keys[_i].text, f);
		fclose(f);
	}
	ck_assert_int_eq(chmod(path, bad_keys[_i].mode), 0);
	ck_assert_ptr_null(pr_private_key_load(path, &err));
	ck_assert(strstr(pr_err_text(err), path) != NULL);
}
END_TEST

START_TEST(a_public_key_has_one_spelling)
{
	static const char *const bad[] = {"",
	    "ed25519:", "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURp=",
	    "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo",
	    "ED25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
	    "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo==",
	    "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="};
	const char *good =
	    "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
	char text[PR_PUBLIC_KEY_TEXT];
	struct pr_public_key k;

	ck_assert(pr_public_key_read(pr_str_of(good), &k));
	pr_public_key_print(&k, text);
	ck_assert_str_eq(text, good);
	for (size_t i = 0; i < PR_COUNT(bad); i++)
		ck_assert_msg(
		    !pr_public_key_read(pr_str_of(bad[i]), &k), "%s", bad[i]);
}
END_TEST

/* RFC 8032 7.1, test 2. */
START_TEST(signatures_are_those_of_the_rfc)
{
	static const uint8_t public[] = {0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43,
	    0x89, 0x5a, 0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c,
	    0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1,
	    0x2a, 0xf4, 0x66, 0x0c};
	static const uint8_t sig[] = {0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca,
	    0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f, 0x64, 0x25, 0x40, 0xa2, 0xb2,
	    0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76, 0x22, 0x23, 0xeb,
	    0xdb, 0x69, 0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99, 0x6e,
	    0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e,
	    0xae, 0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb,
	    0x0c, 0x00};
	struct pr_public_key k;

	memcpy(k.bytes, public, sizeof public);
	ck_assert(pr_signature_is_good(&k, PR_STR("\x72"), sig));
	ck_assert(!pr_signature_is_good(&k, PR_STR("\x73"), sig));
}
END_TEST

/* ---- lines ---- */

START_TEST(what_is_signed_is_found)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	struct pr_promotions *p;
	struct pr_promotion line;
	struct pr_loc loc;
	uint64_t ns;

	pr_buf_cstr(&b, "# what staging says\n\n");
	sign(&b, key, D2, "staging", 9);
	sign(&b, key, D1, "staging", 60);
	sign(&b, other, D1, "staging", 7200);
	sign(&b, key, D1, "staging", 3600);
	sign(&b, key, D1, "test", 9999);
	p = pr_promotions_parse("f", pr_buf_view(&b), ds);
	ck_assert_uint_eq(pr_diags_count(ds, PR_WARNING), 0);
	ck_assert_ptr_nonnull(p);
	ck_assert(pr_promotions_find(
	    p, pr_str_of(public_of(key)), PR_STR("staging"), PR_STR(D1), &ns));
	ck_assert_uint_eq(ns, 3600 * PR_SEC);
	ck_assert(pr_promotions_find(p, pr_str_of(public_of(other)),
	    PR_STR("staging"), PR_STR(D1), &ns));
	ck_assert_uint_eq(ns, 7200 * PR_SEC);
	ck_assert(!pr_promotions_find(
	    p, pr_str_of(public_of(other)), PR_STR("test"), PR_STR(D1), &ns));
	ck_assert(!pr_promotions_find(
	    p, pr_str_of(public_of(key)), PR_STR("stagin"), PR_STR(D1), &ns));
	ck_assert(!pr_promotions_find(NULL, pr_str_of(public_of(key)),
	    PR_STR("staging"), PR_STR(D1), &ns));
	ck_assert(pr_promotions_get(p, 0, &line, &loc));
	ck_assert_uint_eq(loc.line, 4);
	ck_assert(!pr_promotions_get(p, 5, &line, &loc));
	pr_promotions_free(p);
}
END_TEST

/* No byte of a line can be another: each change is refused, with its line. */
START_TEST(every_changed_byte_is_refused)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	pr_buf_cstr(&b, "# one\n");
	sign(&b, key, D1, "staging", 3600);
	for (size_t i = 6; i + 1 < b.n; i++) {
		static const char to[] = {'0', 'a', ' ', '\t', 'Z', '\0'};

		for (size_t k = 0; k < sizeof to; k++) {
			struct pr_diags *mine = pr_diags_new();
			struct pr_promotions *p;
			struct pr_diag d;
			char was = b.p[i];

			b.p[i] = to[k];
			p = pr_promotions_parse("f", pr_buf_view(&b), mine);
			ck_assert_msg(was == to[k] ? p != NULL : p == NULL,
			    "byte %zu as %d", i, to[k]);
			if (p == NULL) {
				ck_assert(pr_diags_get(mine, 0, &d));
				ck_assert_uint_eq(d.loc.line, 2);
				ck_assert_str_eq(d.loc.file, "f");
			}
			pr_promotions_free(p);
			pr_diags_free(mine);
			b.p[i] = was;
		}
	}
	/* nor can it be cut, or go on */
	for (size_t n = 7; n + 1 < b.n; n++) {
		struct pr_diags *mine = pr_diags_new();

		ck_assert_ptr_null(
		    pr_promotions_parse("f", (struct pr_str){b.p, n}, mine));
		pr_diags_free(mine);
	}
	b.n--;
	pr_buf_cstr(&b, " more\n");
	ck_assert_ptr_null(pr_promotions_parse("f", pr_buf_view(&b), ds));
}
END_TEST

START_TEST(a_long_line_is_refused)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	for (int i = 0; i < 2000; i++)
		pr_buf_char(&b, 'a');
	ck_assert_ptr_null(pr_promotions_parse("f", pr_buf_view(&b), ds));
}
END_TEST

static void
write_file(const char *name, const struct pr_buf *b)
{
	char file[160];
	FILE *f;

	snprintf(file, sizeof file, "%s/%s", dir, name);
	f = fopen(file, "w");
	ck_assert_ptr_nonnull(f);
	fwrite(b->p, 1, b->n, f);
	fclose(f);
}

START_TEST(a_folder_is_read_whole_or_not)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	struct pr_promotions *p;
	struct pr_diag d;
	uint64_t ns;

	sign(&b, key, D1, "staging", 1);
	write_file("a.promotions", &b);
	sign(&b, key, D2, "staging", 2);
	write_file("b.promotions", &b);
	p = pr_promotions_load(dir, ds);
	ck_assert_ptr_nonnull(p);
	ck_assert(pr_promotions_find(
	    p, pr_str_of(public_of(key)), PR_STR("staging"), PR_STR(D2), &ns));
	pr_promotions_free(p);
	pr_buf_reset(&b);
	pr_buf_cstr(&b, "portreeve-promotion/2 x\n");
	write_file("c.promotions", &b);
	ck_assert_ptr_null(pr_promotions_load(dir, ds));
	ck_assert(pr_diags_get(ds, 0, &d));
	ck_assert(strstr(d.loc.file, "c.promotions") != NULL);
	ck_assert_uint_eq(d.loc.line, 1);
	ck_assert_ptr_null(pr_promotions_load("/nowhere/at/all", ds));
}
END_TEST

/* ---- the ledger ---- */

static struct pr_ledger *
open_ledger(void)
{
	char file[160];
	struct pr_ledger *l;

	snprintf(file, sizeof file, "%s/ledger.db", dir);
	l = pr_ledger_open(file, &err);
	ck_assert_msg(l != NULL, "%s", pr_err_text(err));
	return l;
}

static void
put(struct pr_ledger *l, const char *phase, const char *digest, uint64_t ns)
{
	struct pr_ledger_run run = {.phase = pr_str_of(phase),
	    .digest = pr_str_of(digest),
	    .container = PR_STR("c"),
	    .ns = ns,
	    .time = 1};

	ck_assert_msg(
	    pr_ledger_run_put(l, &run, &err) == 0, "%s", pr_err_text(err));
}

static uint64_t
ran(struct pr_ledger *l, const char *phase, const char *digest)
{
	uint64_t ns;

	return pr_ledger_ran(l, pr_str_of(phase), pr_str_of(digest), &ns)
	    ? ns
	    : UINT64_MAX;
}

START_TEST(the_longest_run_stays)
{
	struct pr_ledger *l = open_ledger();

	ck_assert_uint_eq(ran(l, "staging", D1), UINT64_MAX);
	put(l, "staging", D1, 0);
	ck_assert_uint_eq(ran(l, "staging", D1), 0);
	put(l, "staging", D1, 50);
	put(l, "staging", D1, 20);
	put(l, "test", D1, 7);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(ran(l, "staging", D1), 50);
		ck_assert_uint_eq(ran(l, "test", D1), 7);
		ck_assert_uint_eq(ran(l, "staging", D2), UINT64_MAX);
		pr_ledger_close(l);
		l = open_ledger();
	}
	pr_ledger_close(l);
}
END_TEST

START_TEST(a_run_goes_on_only_if_it_is_the_same)
{
	struct pr_ledger *l = open_ledger();
	struct pr_ledger_running r = {
	    PR_STR("c"), PR_STR("start"), PR_STR("boot"), 5};
	uint64_t since;

	ck_assert_int_eq(pr_ledger_running_put(l, &r, &err), 0);
	pr_ledger_close(l);
	l = open_ledger();
	ck_assert(pr_ledger_running_since(
	    l, PR_STR("c"), PR_STR("start"), PR_STR("boot"), &since));
	ck_assert_uint_eq(since, 5);
	ck_assert(!pr_ledger_running_since(
	    l, PR_STR("c"), PR_STR("later"), PR_STR("boot"), &since));
	ck_assert(!pr_ledger_running_since(
	    l, PR_STR("c"), PR_STR("start"), PR_STR("next"), &since));
	ck_assert(!pr_ledger_running_since(
	    l, PR_STR("d"), PR_STR("start"), PR_STR("boot"), &since));
	pr_ledger_running_end(l, PR_STR("c"));
	pr_ledger_close(l);
	l = open_ledger();
	ck_assert(!pr_ledger_running_since(
	    l, PR_STR("c"), PR_STR("start"), PR_STR("boot"), &since));
	pr_ledger_close(l);
}
END_TEST

/* One that was made before runs were kept keeps what it has. */
START_TEST(an_older_ledger_is_taken_over)
{
	static const char old[] =
	    "CREATE TABLE object (kind TEXT NOT NULL, id TEXT NOT NULL,"
	    " name TEXT NOT NULL, created TEXT NOT NULL, team TEXT NOT NULL,"
	    " phase TEXT NOT NULL, how TEXT NOT NULL, decision TEXT NOT NULL,"
	    " time INTEGER NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;"
	    "INSERT INTO object VALUES ('container','x','','','pay','dev',"
	    "'request','',5);"
	    "PRAGMA application_id = 1347581489; PRAGMA user_version = 1;";
	struct pr_ledger_owner owner;
	struct pr_ledger *l;
	char file[160];
	sqlite3 *db;

	snprintf(file, sizeof file, "%s/ledger.db", dir);
	ck_assert_int_eq(sqlite3_open(file, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, old, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	ck_assert_int_eq(chmod(file, 0600), 0);
	l = open_ledger();
	ck_assert(pr_ledger_get(
	    l, PR_KIND_CONTAINER, PR_STR("x"), PR_STR(""), &owner));
	ck_assert_str_eq(owner.team, "pay");
	put(l, "staging", D1, 5);
	pr_ledger_close(l);
	l = open_ledger();
	ck_assert_uint_eq(ran(l, "staging", D1), 5);
	pr_ledger_close(l);
}
END_TEST

START_TEST(odd_runs_are_not_taken)
{
	struct pr_ledger *l = open_ledger();
	struct pr_ledger_run run = {.phase = PR_STR(""),
	    .digest = PR_STR(D1),
	    .container = PR_STR("c")};
	struct pr_ledger_running r = {
	    PR_STR("c"), PR_STR("a\0b"), PR_STR("boot"), 5};

	ck_assert_int_eq(pr_ledger_run_put(l, &run, &err), -1);
	run.phase = PR_STR("staging");
	run.ns = UINT64_MAX;
	ck_assert_int_eq(pr_ledger_run_put(l, &run, &err), -1);
	ck_assert_int_eq(pr_ledger_running_put(l, &r, &err), -1);
	pr_ledger_close(l);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("promotion");
	TCase *t = tcase_create("promotion");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_key_in_a_file_is_the_same_key);
	tcase_add_test(t, a_file_is_not_overwritten);
	tcase_add_loop_test(
	    t, a_bad_key_is_refused, 0, (int)PR_COUNT(bad_keys));
	tcase_add_test(t, a_public_key_has_one_spelling);
	tcase_add_test(t, signatures_are_those_of_the_rfc);
	tcase_add_test(t, what_is_signed_is_found);
	tcase_add_test(t, every_changed_byte_is_refused);
	tcase_add_test(t, a_long_line_is_refused);
	tcase_add_test(t, a_folder_is_read_whole_or_not);
	tcase_add_test(t, the_longest_run_stays);
	tcase_add_test(t, a_run_goes_on_only_if_it_is_the_same);
	tcase_add_test(t, an_older_ledger_is_taken_over);
	tcase_add_test(t, odd_runs_are_not_taken);
	suite_add_tcase(suite, t);
	return unit_run(suite);
}
