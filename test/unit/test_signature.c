/* SPDX-License-Identifier: Apache-2.0 */
/* Signed policies: whose, of which files, how old. */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <portreeve/policy.h>

#include "cli.h"
#include "unit.h"

#define PAY "version: 1\nteams: {pay: {ldap: [\"cn=pay\"]}}\n"
#define OPS "version: 1\nteams: {ops: {ldap: [\"cn=ops\"]}}\n"

static char folder[] = "/tmp/portreeve-signature-XXXXXX";

static const struct {
	const char *name, *kind, *group;
} kinds[] = {
    {"ed", "ED25519", NULL},
    {"p256", "EC", "P-256"},
    {"other", "ED25519", NULL},
    {"p384", "EC", "P-384"},
};

static char *
in(const char *name)
{
	static char path[4][256];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof path[0], "%s/%s", folder, name);
	return p;
}

static void
put(const char *name, const char *text, const char *mode)
{
	FILE *f = fopen(in(name), mode);

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
put_key(const char *name, const char *kind, const char *group)
{
	EVP_PKEY *key = group != NULL
	    ? EVP_PKEY_Q_keygen(NULL, NULL, kind, group)
	    : EVP_PKEY_Q_keygen(NULL, NULL, kind);
	char file[64];
	FILE *f;

	ck_assert_ptr_nonnull(key);
	snprintf(file, sizeof file, "%s.key", name);
	f = fopen(in(file), "w");
	ck_assert_int_eq(
	    PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
	ck_assert_int_eq(chmod(in(file), 0600), 0);
	snprintf(file, sizeof file, "%s.pem", name);
	f = fopen(in(file), "w");
	ck_assert_int_eq(PEM_write_PUBKEY(f, key), 1);
	fclose(f);
	EVP_PKEY_free(key);
}

static void
sign(const char *key, uint64_t serial, const char *mode)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf line = PR_BUF_INIT;
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	struct pr_pem_key *k = pr_pem_key_private(in(key), NULL);

	ck_assert_ptr_nonnull(k);
	ck_assert_int_eq(
	    pr_policy_sign(in("policy.d"), serial, k, &line, ds), 0);
	pr_buf_add(&line, "", 1);
	put("policy.d/SIGNATURE", line.p, mode);
	pr_pem_key_free(k);
}

/* A folder of two files, signed by both kinds of key with serial 7. */
static void
prepare(void)
{
	put("policy.d/10-pay.yaml", PAY, "w");
	put("policy.d/20-ops.yml", OPS, "w");
	(void)remove(in("policy.d/30-more.yaml"));
	(void)remove(in("policy.d/11-pay.yaml"));
	sign("ed.key", 7, "w");
}

static struct pr_policy *
load(const char *key, uint64_t min, char *why, size_t len)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;
	const char *path = in(key);
	struct pr_policy_signers s = {.loc = {"c.yaml", 1, 1, 1},
	    .keys = &path,
	    .n_keys = 1,
	    .min_serial = min};
	struct pr_policy_signature found;
	struct pr_policy *p = pr_policy_load_signed(in("policy.d"), &s, ds);

	pr_diags_format(ds, &text);
	snprintf(why, len, "%.*s", PR_STRF(pr_buf_view(&text)));
	/* the two ways agree; but mistakes are found by reading alone */
	ck_assert(
	    p == NULL || pr_policy_verify(in("policy.d"), &s, &found, ds) == 0);
	return p;
}

/* ---- what may be wrong ---- */

static void
nothing(void)
{
}

static void
other_bytes(void)
{
	put("policy.d/20-ops.yml", "# a remark\n", "a");
}

static void
one_more_file(void)
{
	put("policy.d/30-more.yaml", "version: 1\n", "w");
}

static void
one_file_less(void)
{
	ck_assert_int_eq(remove(in("policy.d/20-ops.yml")), 0);
}

static void
another_name(void)
{
	ck_assert_int_eq(
	    rename(in("policy.d/10-pay.yaml"), in("policy.d/11-pay.yaml")), 0);
}

static void
contents_swapped(void)
{
	put("policy.d/10-pay.yaml", OPS, "w");
	put("policy.d/20-ops.yml", PAY, "w");
}

static void
no_signature(void)
{
	ck_assert_int_eq(remove(in("policy.d/SIGNATURE")), 0);
}

static void
no_line(void)
{
	put("policy.d/SIGNATURE", "# nobody\n\n", "w");
}

static void
edit(const char *from, const char *to)
{
	char text[4096], *at;
	FILE *f = fopen(in("policy.d/SIGNATURE"), "r+");
	size_t n = fread(text, 1, sizeof text - 1, f);

	text[n] = '\0';
	at = strstr(text, from);
	ck_assert_ptr_nonnull(at);
	memcpy(at, to, strlen(to));
	rewind(f);
	fwrite(text, 1, n, f);
	fclose(f);
}

static void
a_higher_serial(void)
{
	edit("/1 7 ", "/1 9 ");
}

static void
another_time(void)
{
	edit(" 20", " 19");
}

static void
another_format(void)
{
	edit("portreeve-policy/1", "portreeve-policy/2");
}

static void
serial_zero(void)
{
	edit("/1 7 ", "/1 0 ");
}

static void
two_blanks(void)
{
	put("policy.d/SIGNATURE", "portreeve-policy/1  7\n", "w");
}

static void
a_word_more(void)
{
	char text[1024];
	FILE *f = fopen(in("policy.d/SIGNATURE"), "r");
	size_t n = fread(text, 1, sizeof text - 8, f);

	fclose(f);
	strcpy(text + n - 1, " x\n");
	put("policy.d/SIGNATURE", text, "w");
}

static void
a_long_line(void)
{
	char text[2048];

	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	put("policy.d/SIGNATURE", text, "w");
}

static void
a_stranger_first(void)
{
	sign("other.key", 9, "w");
	sign("ed.key", 7, "a");
}

static void
an_older_one_too(void)
{
	sign("ed.key", 3, "a");
}

static void
by_p256(void)
{
	sign("p256.key", 7, "w");
}

static void
a_name_to_escape(void)
{
	put("policy.d/a\\b.yaml", "version: 1\n", "w");
}

static const struct {
	void (*change)(void);
	const char *key;
	uint64_t min;
	const char *wrong; /* NULL: it is loaded */
} rows[] = {
    {nothing, "ed.pem", 0, NULL},
    {nothing, "ed.pem", 7, NULL},
    {by_p256, "p256.pem", 7, NULL},
    {a_stranger_first, "ed.pem", 0, NULL},
    {an_older_one_too, "ed.pem", 7, NULL},
    {nothing, "ed.pem", 8, "serial 7 is older than 8"},
    {nothing, "other.pem", 0, "not trusted here"},
    {by_p256, "ed.pem", 0, "not trusted here"},
    {nothing, "p384.pem", 0, "no public key of Ed25519 or P-256"},
    {nothing, "ed.key", 0, "no public key of Ed25519 or P-256"},
    {nothing, "none.pem", 0, "none.pem"},
    {other_bytes, "ed.pem", 0, "of other files"},
    {one_more_file, "ed.pem", 0, "of other files"},
    {one_file_less, "ed.pem", 0, "of other files"},
    {another_name, "ed.pem", 0, "of other files"},
    {contents_swapped, "ed.pem", 0, "of other files"},
    {no_signature, "ed.pem", 0, "the policy is not signed"},
    {no_line, "ed.pem", 0, "there is no signature in it"},
    {a_higher_serial, "ed.pem", 0, "the signature is not the key's"},
    {another_time, "ed.pem", 0, "the signature is not the key's"},
    {another_format, "ed.pem", 0, "the line begins with portreeve-policy/1"},
    {serial_zero, "ed.pem", 0, "a serial is a number"},
    {two_blanks, "ed.pem", 0, "a serial is a number"},
    {a_word_more, "ed.pem", 0, "something stands behind"},
    {a_long_line, "ed.pem", 0, "too long"},
    {a_name_to_escape, "ed.pem", 0, "cannot be signed"},
};

START_TEST(only_what_a_key_signed_is_loaded)
{
	char why[4096];
	struct pr_policy *p;

	prepare();
	rows[_i].change();
	p = load(rows[_i].key, rows[_i].min, why, sizeof why);
	if (rows[_i].wrong == NULL) {
		ck_assert_msg(p != NULL, "row %d: %s", _i, why);
		ck_assert_uint_eq(p->signature.serial, 7);
		ck_assert_uint_eq(p->n_teams, 2);
	} else {
		ck_assert_msg(p == NULL, "row %d is loaded", _i);
		ck_assert_msg(
		    strstr(why, rows[_i].wrong) != NULL, "row %d: %s", _i, why);
	}
	pr_policy_unref(p);
	(void)remove(in("policy.d/a\\b.yaml"));
}
END_TEST

/* Of a policy with mistakes that nobody signed not one is said. */
START_TEST(what_is_not_signed_is_not_parsed)
{
	char why[4096];

	prepare();
	put("policy.d/30-more.yaml", "frobnicate: 1\n", "w");
	ck_assert_ptr_null(load("ed.pem", 0, why, sizeof why));
	ck_assert_ptr_null(strstr(why, "frobnicate"));
	sign("ed.key", 7, "w");
	ck_assert_ptr_null(
	    load("ed.pem", 0, why, sizeof why) == NULL ? NULL : why);
	prepare();
}
END_TEST

/* The digest is what people get with sha256sum. */
START_TEST(the_digest_can_be_made_by_hand)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	const char *path;
	struct pr_policy_signers s = {
	    .loc = {.line = 1}, .keys = &path, .n_keys = 1};
	struct pr_policy_signature found;
	char command[512], sum[128] = "";
	FILE *f;

	prepare();
	path = in("ed.pem");
	ck_assert_int_eq(pr_policy_verify(in("policy.d"), &s, &found, ds), 0);
	snprintf(command, sizeof command,
	    "cd %s && LC_ALL=C sha256sum *.yaml *.yml | sha256sum",
	    in("policy.d"));
	f = popen(command, "r");
	ck_assert_ptr_nonnull(fgets(sum, sizeof sum, f));
	pclose(f);
	sum[64] = '\0';
	ck_assert_str_eq(found.digest + strlen("sha256:"), sum);
}
END_TEST

/* ---- the command ---- */

static int
run(const char *args, char **out, char **err)
{
	char text[1024], *argv[16], *word, *rest = text;
	int argc = 0;
	size_t n;
	FILE *o = open_memstream(out, &n), *e = open_memstream(err, &n);
	int rc;

	snprintf(text, sizeof text, "portreeve %s", args);
	while ((word = strsep(&rest, " ")) != NULL)
		argv[argc++] = word[0] == '@' ? in(word + 1) : word;
	argv[argc] = NULL;
	rc = cli_main(argc, argv, o, e);
	fclose(o);
	fclose(e);
	return rc;
}

static const struct {
	const char *args;
	int rc;
	const char *out, *err;
} commands[] = {
    {"policy sign -k @ed.key -s 8 @policy.d", CLI_OK, "portreeve-policy/1 8 ",
	""},
    {"policy sign -k @p256.key -s 8 -c @c.yaml", CLI_OK,
	"portreeve-policy/1 8 ", ""},
    {"policy sign -s 8 @policy.d", CLI_USAGE, "", "--key FILE"},
    {"policy sign -k @ed.key @policy.d", CLI_USAGE, "", "--serial N"},
    {"policy sign -k @ed.pem -s 8 @policy.d", CLI_FAILURE, "", "chmod 0600"},
    {"policy sign -k @p384.key -s 8 @policy.d", CLI_FAILURE, "",
	"no private key of Ed25519 or P-256"},
    {"policy sign -k @ed.key -s 8 @nothing.d", CLI_CONFIG, "", "nothing.d"},
    {"policy verify -k @ed.pem @policy.d", CLI_OK, "7  ", ""},
    {"policy verify -k @ed.pem -o json @policy.d", CLI_OK, "\"serial\": 7", ""},
    {"policy verify -k @other.pem -k @ed.pem @policy.d", CLI_OK, "7  ", ""},
    {"policy verify -k @ed.pem -s 8 @policy.d", CLI_CONFIG, "", "older"},
    {"policy verify -c @c.yaml", CLI_OK, "7  ", ""},
    {"policy verify -c @open.yaml", CLI_CONFIG, "", "any policy is taken"},
    {"check -c @c.yaml", CLI_OK, "2 teams", ""},
    {"check -c @strict.yaml", CLI_CONFIG, "", "not trusted here"},
    {"check @policy.d", CLI_OK, "2 teams", ""},
};

START_TEST(commands_sign_and_verify)
{
	char *out = NULL, *err = NULL;
	int rc;

	prepare();
	put("c.yaml", "policy: policy.d\npolicy_signature: {keys: [ed.pem]}\n",
	    "w");
	put("strict.yaml",
	    "policy: policy.d\npolicy_signature: {keys: [other.pem]}\n", "w");
	put("open.yaml", "policy: policy.d\n", "w");
	ck_assert_int_eq(chmod(in("ed.pem"), 0644), 0);
	rc = run(commands[_i].args, &out, &err);
	ck_assert_msg(rc == commands[_i].rc &&
		strstr(out, commands[_i].out) != NULL &&
		strstr(err, commands[_i].err) != NULL,
	    "%s: %d\n%s%s", commands[_i].args, rc, out, err);
	free(out);
	free(err);
}
END_TEST

/* A line that `sign` makes is good, beside a file too. */
START_TEST(a_file_has_its_signature_beside_it)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(1024);
	PR_CLEANUP(pr_policy_unrefp) struct pr_policy *p = NULL;
	char *out = NULL, *err = NULL;
	const char *path = in("p256.pem");
	struct pr_policy_signers s = {
	    .loc = {.line = 1}, .keys = &path, .n_keys = 1};

	put("one.yaml", PAY, "w");
	ck_assert_str_eq(
	    pr_policy_signature_path(in("one.yaml"), a), in("one.yaml.sig"));
	ck_assert_str_eq(pr_policy_signature_path(in("policy.d"), a),
	    in("policy.d/SIGNATURE"));
	ck_assert_int_eq(
	    run("policy sign -k @p256.key -s 1 @one.yaml", &out, &err), 0);
	put("one.yaml.sig", out, "w");
	path = in("p256.pem");
	p = pr_policy_load_signed(in("one.yaml"), &s, ds);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(p->signature.serial, 1);
	free(out);
	free(err);
}
END_TEST

static void
make_keys(void)
{
	for (size_t i = 0; i < PR_COUNT(kinds); i++)
		put_key(kinds[i].name, kinds[i].kind, kinds[i].group);
}

static void
rm_folder(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", folder);
	(void)!system(command);
}

int
main(void)
{
	Suite *s = suite_create("signature");
	TCase *tc = tcase_create("signature");
	int rc;

	if (mkdtemp(folder) == NULL || mkdir(in("policy.d"), 0700) != 0)
		return 1;
	tcase_add_unchecked_fixture(tc, make_keys, NULL);
	tcase_add_loop_test(
	    tc, only_what_a_key_signed_is_loaded, 0, (int)PR_COUNT(rows));
	tcase_add_test(tc, what_is_not_signed_is_not_parsed);
	tcase_add_test(tc, the_digest_can_be_made_by_hand);
	tcase_add_loop_test(
	    tc, commands_sign_and_verify, 0, (int)PR_COUNT(commands));
	tcase_add_test(tc, a_file_has_its_signature_beside_it);
	suite_add_tcase(s, tc);
	rc = unit_run(s);
	rm_folder();
	return rc;
}
