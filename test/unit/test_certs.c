/* SPDX-License-Identifier: Apache-2.0 */
/* The lab's authority: what it issues, and what it refuses. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <portreeve/certs.h>
#include <portreeve/file.h>

#include "unit.h"

#define DAY ((int64_t)86400)

static char dir[64];
static char ca_path[96];

static const struct pr_cert_spec ca_spec = {.kind = PR_CERT_CA,
    .cn = "Lab CA",
    .org = "Acme"};

static char *
in_dir(const char *name)
{
	static char path[4][160];
	static unsigned at;
	char *p = path[at++ % 4];

	snprintf(p, sizeof path[0], "%s/%s", dir, name);
	return p;
}

static void
setup(void)
{
	struct pr_cert_made made;

	snprintf(dir, sizeof dir, "/tmp/portreeve-certs.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(ca_path, sizeof ca_path, "%s/ca.pem", dir);
	ck_assert_int_eq(pr_certs_init(dir, &ca_spec, false, &made, NULL), 0);
	pr_cert_made_fini(&made);
}

static void
teardown(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -r -- '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static void
issue(const char *name, const struct pr_cert_spec *spec)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_cert_made made;

	ck_assert_msg(pr_certs_issue(dir, name, spec, false, &made, &err) == 0,
	    "%s", pr_err_text(err));
	pr_cert_made_fini(&made);
}

static X509 *
load(const char *path)
{
	FILE *f = fopen(path, "r");
	X509 *x;

	ck_assert_ptr_nonnull(f);
	x = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	ck_assert_ptr_nonnull(x);
	return x;
}

static unsigned
mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* What a TLS library would say; 0 is X509_V_OK. */
static int
verify(const char *name, int purpose, const char *crl_path)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509 *ca = load(ca_path), *x = load(in_dir(name));
	int rc;

	X509_STORE_add_cert(store, ca);
	if (crl_path != NULL) {
		FILE *f = fopen(crl_path, "r");
		X509_CRL *crl = PEM_read_X509_CRL(f, NULL, NULL, NULL);

		fclose(f);
		ck_assert_ptr_nonnull(crl);
		X509_STORE_add_crl(store, crl);
		X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
		X509_CRL_free(crl);
	}
	X509_STORE_CTX_init(ctx, store, x, NULL);
	X509_STORE_CTX_set_purpose(ctx, purpose);
	rc = X509_verify_cert(ctx) == 1 ? X509_V_OK
					: X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	X509_free(ca);
	X509_free(x);
	return rc;
}

START_TEST(the_authority)
{
	X509 *x = load(ca_path);

	ck_assert_int_eq(X509_check_ca(x), 1);
	ck_assert_uint_eq(
	    X509_get_key_usage(x), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	ck_assert_int_eq(X509_get_pathlen(x), 0);
	ck_assert_int_eq(X509_verify(x, X509_get0_pubkey(x)), 1);
	ck_assert_uint_eq(mode_of(in_dir("ca.key")), 0600);
	ck_assert_uint_eq(mode_of(ca_path), 0644);
	X509_free(x);
}
END_TEST

/* Each kind, what verifies it, and what does not. */
static const struct {
	const char *title;
	struct pr_cert_spec spec;
	int client, server; /* of X509_verify_cert for that purpose */
} kinds[] = {
    {"client", {.kind = PR_CERT_CLIENT, .cn = "a"}, X509_V_OK,
	X509_V_ERR_INVALID_PURPOSE},
    {"server", {.kind = PR_CERT_SERVER, .cn = "a"}, X509_V_ERR_INVALID_PURPOSE,
	X509_V_OK},
    {"both",
	{.kind = PR_CERT_SERVER,
	    .cn = "a",
	    .eku_given = true,
	    .eku = PR_CERT_EKU_SERVER | PR_CERT_EKU_CLIENT},
	X509_V_OK, X509_V_OK},
    {"no use named", {.kind = PR_CERT_CLIENT, .cn = "a", .eku_given = true},
	X509_V_OK, X509_V_OK},
    {"client with the wrong use",
	{.kind = PR_CERT_CLIENT,
	    .cn = "a",
	    .eku_given = true,
	    .eku = PR_CERT_EKU_SERVER},
	X509_V_ERR_INVALID_PURPOSE, X509_V_OK},
    {"expired",
	{.kind = PR_CERT_CLIENT,
	    .cn = "a",
	    .not_before = 1000000000,
	    .seconds = DAY},
	X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_INVALID_PURPOSE},
    {"not valid yet",
	{.kind = PR_CERT_CLIENT,
	    .cn = "a",
	    .not_before = 4000000000,
	    .seconds = DAY},
	X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_INVALID_PURPOSE},
    {"RSA", {.kind = PR_CERT_CLIENT, .cn = "a", .key = "rsa-2048"}, X509_V_OK,
	X509_V_ERR_INVALID_PURPOSE},
    {"P-384", {.kind = PR_CERT_CLIENT, .cn = "a", .key = "ec-p384"}, X509_V_OK,
	X509_V_ERR_INVALID_PURPOSE},
    {"Ed25519", {.kind = PR_CERT_CLIENT, .cn = "a", .key = "ed25519"},
	X509_V_OK, X509_V_ERR_INVALID_PURPOSE},
};

START_TEST(kinds_are_what_they_say)
{
	issue("a", &kinds[_i].spec);
	ck_assert_int_eq(
	    verify("a.pem", X509_PURPOSE_SSL_CLIENT, NULL), kinds[_i].client);
	ck_assert_int_eq(
	    verify("a.pem", X509_PURPOSE_SSL_SERVER, NULL), kinds[_i].server);
	ck_assert_uint_eq(mode_of(in_dir("a.key")), 0600);
}
END_TEST

START_TEST(names_are_written_and_read_back)
{
	static const struct pr_cert_san sans[] = {
	    {PR_CERT_DNS, "alice.acme.com"},
	    {PR_CERT_IP, "127.0.0.1"},
	    {PR_CERT_IP, "::1"},
	    {PR_CERT_EMAIL, "alice@acme.com"},
	    {PR_CERT_EMAIL, "a,DNS:evil@acme.com"},
	    {PR_CERT_URI, "spiffe://acme.com/ci"},
	    {PR_CERT_UPN, "zo\xc3\xab@corp"},
	};
	static const char *const want[] = {"DNS:alice.acme.com", "IP:127.0.0.1",
	    "IP:::1", "email:alice@acme.com", "email:a,DNS:evil@acme.com",
	    "URI:spiffe://acme.com/ci", "UPN:zo\xc3\xab@corp"};
	static const struct pr_cert_spec spec = {.kind = PR_CERT_CLIENT,
	    .cn = "zo\xc3\xab, the first",
	    .org = "A+B",
	    .ou = "#1",
	    .sans = sans,
	    .n_sans = PR_COUNT(sans)};
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	struct pr_cert_info info;

	issue("zoe", &spec);
	ck_assert_int_eq(pr_certs_read(a, in_dir("zoe.pem"), &info, NULL), 0);
	ck_assert(pr_str_is(
	    info.subject, "CN=zo\xc3\xab\\, the first,OU=\\#1,O=A\\+B"));
	ck_assert(pr_str_is(info.issuer, "CN=Lab CA,O=Acme"));
	ck_assert_uint_eq(info.n_sans, PR_COUNT(want));
	for (size_t i = 0; i < PR_COUNT(want); i++)
		ck_assert_msg(pr_str_is(info.sans[i], want[i]), "%.*s",
		    PR_STRF(info.sans[i]));
	ck_assert_uint_eq(info.n_eku, 1);
	ck_assert(pr_str_is(info.eku[0], "clientAuth"));
	ck_assert(pr_str_is(info.key, "ec-p256"));
	ck_assert(!info.ca);
	ck_assert_uint_eq(info.fingerprint.n, 64);
	ck_assert_uint_eq(info.serial.n, 32);
	ck_assert_int_eq(info.not_after - info.not_before, 90 * DAY);
}
END_TEST

/* What must not be made: the error says which. */
static const struct {
	const char *name;
	struct pr_cert_spec spec;
	struct pr_cert_san san;
	const char *text;
} wrong[] = {
    {"../a", {.kind = PR_CERT_CLIENT, .cn = "a"}, {0}, "no name for a file"},
    {"a/b", {.kind = PR_CERT_CLIENT, .cn = "a"}, {0}, "no name for a file"},
    {"", {.kind = PR_CERT_CLIENT, .cn = "a"}, {0}, "no name for a file"},
    {".a", {.kind = PR_CERT_CLIENT, .cn = "a"}, {0}, "no name for a file"},
    {"ca", {.kind = PR_CERT_CLIENT, .cn = "a"}, {0}, "authority's own"},
    {"index", {.kind = PR_CERT_CLIENT, .cn = "a"}, {0}, "authority's own"},
    {"a", {.kind = PR_CERT_CLIENT, .cn = ""}, {0}, "--cn is empty"},
    {"a", {.kind = PR_CERT_CLIENT, .cn = "\xff"}, {0}, "--cn is empty or not"},
    {"a",
	{.kind = PR_CERT_CLIENT,
	    .cn = "0123456789012345678901234567890123456789"
		  "0123456789012345678901234"},
	{0}, "at most 64"},
    {"a", {.kind = PR_CERT_CLIENT, .cn = "a", .key = "dsa"}, {0},
	"no kind of key"},
    {"a", {.kind = PR_CERT_CLIENT, .cn = "a", .n_sans = 1},
	{PR_CERT_IP, "999.1.1.1"}, "999.1.1.1"},
    {"a", {.kind = PR_CERT_CLIENT, .cn = "a", .n_sans = 1},
	{PR_CERT_EMAIL, "zo\xc3\xab@x"}, "cannot stand"},
    {"a", {.kind = PR_CERT_CLIENT, .cn = "a", .n_sans = 1}, {PR_CERT_DNS, ""},
	"cannot stand"},
    {"a", {.kind = PR_CERT_CLIENT, .cn = "a", .n_sans = 1},
	{PR_CERT_UPN, "\xff"}, "cannot stand"},
    {"a",
	{.kind = PR_CERT_CLIENT,
	    .cn = "a",
	    .not_before = 253402300000,
	    .seconds = DAY},
	{0}, "9999"},
};

START_TEST(wrong_wishes_are_refused)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_cert_spec spec = wrong[_i].spec;
	struct pr_cert_made made;

	spec.sans = &wrong[_i].san;
	ck_assert_int_eq(
	    pr_certs_issue(dir, wrong[_i].name, &spec, false, &made, &err), -1);
	ck_assert_msg(strstr(pr_err_text(err), wrong[_i].text) != NULL, "%s",
	    pr_err_text(err));
	pr_cert_made_fini(&made);
	ck_assert_int_eq(access(in_dir("a.key"), F_OK), -1);
	ck_assert_int_eq(access(in_dir("a.pem"), F_OK), -1);
}
END_TEST

START_TEST(nothing_is_overwritten)
{
	static const struct pr_cert_spec spec = {
	    .kind = PR_CERT_CLIENT, .cn = "alice"};
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_cert_made one, two;

	ck_assert_int_eq(
	    pr_certs_issue(dir, "alice", &spec, false, &one, NULL), 0);
	ck_assert_int_eq(
	    pr_certs_issue(dir, "alice", &spec, false, &two, &err), -1);
	ck_assert_ptr_nonnull(strstr(pr_err_text(err), "--force"));
	pr_cert_made_fini(&two);
	ck_assert_int_eq(
	    pr_certs_issue(dir, "alice", &spec, true, &two, NULL), 0);
	ck_assert_str_ne(one.serial, two.serial);
	pr_cert_made_fini(&two);
	ck_assert_int_eq(pr_certs_init(dir, &ca_spec, false, &two, NULL), -1);
	pr_cert_made_fini(&two);
	/* the one that was replaced can still be revoked */
	ck_assert_int_eq(pr_certs_revoke(dir, one.serial, NULL, &two, NULL), 0);
	ck_assert_str_eq(two.fingerprint, one.fingerprint);
	pr_cert_made_fini(&two);
	pr_cert_made_fini(&one);
}
END_TEST

START_TEST(revocation)
{
	static const struct pr_cert_spec spec = {
	    .kind = PR_CERT_CLIENT, .cn = "a"};
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_cert_made made;
	char crl[96];
	size_t n;

	snprintf(crl, sizeof crl, "%s/crl.pem", dir);
	issue("a", &spec);
	issue("b", &spec);
	ck_assert_int_eq(pr_certs_crl(dir, NULL, 0, &n, NULL), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(
	    verify("a.pem", X509_PURPOSE_SSL_CLIENT, crl), X509_V_OK);
	ck_assert_int_eq(pr_certs_revoke(dir, in_dir("a.pem"), "key-compromise",
			     &made, NULL),
	    0);
	pr_cert_made_fini(&made);
	ck_assert_int_eq(
	    pr_certs_revoke(dir, in_dir("a.pem"), NULL, &made, &err), -1);
	ck_assert_ptr_nonnull(strstr(pr_err_text(err), "revoked already"));
	ck_assert_int_eq(pr_certs_crl(dir, NULL, DAY, &n, NULL), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(verify("a.pem", X509_PURPOSE_SSL_CLIENT, crl),
	    X509_V_ERR_CERT_REVOKED);
	ck_assert_int_eq(
	    verify("b.pem", X509_PURPOSE_SSL_CLIENT, crl), X509_V_OK);
}
END_TEST

START_TEST(what_cannot_be_revoked)
{
	static const char *const which[] = {
	    "00ff", "/nowhere.pem", "/dev/null", ca_path};
	struct pr_cert_made made;

	for (size_t i = 0; i < PR_COUNT(which); i++) {
		ck_assert_int_eq(
		    pr_certs_revoke(dir, which[i], NULL, &made, NULL), -1);
		pr_cert_made_fini(&made);
	}
	ck_assert_int_eq(
	    pr_certs_revoke(dir, ca_path, "bored", &made, NULL), -1);
}
END_TEST

/* A key that others may read, or of another authority, signs nothing. */
START_TEST(the_key_is_looked_at)
{
	static const struct pr_cert_spec spec = {
	    .kind = PR_CERT_CLIENT, .cn = "a"};
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_cert_made made;

	ck_assert_int_eq(chmod(in_dir("ca.key"), 0644), 0);
	ck_assert_int_eq(
	    pr_certs_issue(dir, "a", &spec, false, &made, &err), -1);
	ck_assert_ptr_nonnull(strstr(pr_err_text(err), "chmod 0600"));
	ck_assert_int_eq(chmod(in_dir("ca.key"), 0600), 0);
	issue("a", &spec);
	ck_assert_int_eq(rename(in_dir("a.key"), in_dir("ca.key")), 0);
	ck_assert_int_eq(
	    pr_certs_issue(dir, "b", &spec, false, &made, &err), -1);
	ck_assert_ptr_nonnull(strstr(pr_err_text(err), "does not belong"));
}
END_TEST

START_TEST(a_broken_index_is_told)
{
	static const char *const texts[] = {"", "x\n", "portreeve-ca 1\n",
	    "portreeve-ca 1\ncrl x\n", "portreeve-ca 1\ncrl 1\nvalid\n",
	    "portreeve-ca 1\ncrl 1\nodd\t1\t-\t-\t-\t-\t-\t-\n",
	    "portreeve-ca 1\ncrl 1\nrevoked\t1\t-\t-\t-\t-\t-\t-\n",
	    "portreeve-ca 1\ncrl 1\nvalid\t1\tsoon\t-\t-\t-\t-\t-\n"};
	size_t n;

	for (size_t i = 0; i < PR_COUNT(texts); i++) {
		PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
		FILE *f = fopen(in_dir("index"), "w");

		fputs(texts[i], f);
		fclose(f);
		ck_assert_int_eq(pr_certs_crl(dir, NULL, 0, &n, &err), -1);
		ck_assert_ptr_nonnull(strstr(pr_err_text(err), "index:"));
	}
}
END_TEST

START_TEST(bundles_are_what_docker_wants)
{
	static const struct pr_cert_spec spec = {
	    .kind = PR_CERT_CLIENT, .cn = "a"};
	const char *to = in_dir("bundle");

	issue("a", &spec);
	ck_assert_int_eq(pr_certs_bundle(dir, "a", to, false, NULL), 0);
	ck_assert_uint_eq(mode_of(in_dir("bundle/key.pem")), 0600);
	ck_assert_uint_eq(mode_of(in_dir("bundle/cert.pem")), 0644);
	ck_assert_int_eq(access(in_dir("bundle/ca.pem"), R_OK), 0);
	ck_assert_int_eq(pr_certs_bundle(dir, "a", to, false, NULL), -1);
	ck_assert_int_eq(pr_certs_bundle(dir, "a", to, true, NULL), 0);
	ck_assert_int_eq(
	    pr_certs_bundle(dir, "b", in_dir("other"), false, NULL), -1);
}
END_TEST

/* Two commands at once: both certificates are in the index. */
START_TEST(several_at_once)
{
	static const struct pr_cert_spec spec = {
	    .kind = PR_CERT_CLIENT, .cn = "a"};
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	struct pr_str text;
	pid_t pids[4];
	size_t lines = 0;

	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		for (int k = 0; k < 5; k++) {
			struct pr_cert_made made;
			char name[32];

			snprintf(name, sizeof name, "n%d-%d", i, k);
			if (pr_certs_issue(
				dir, name, &spec, false, &made, NULL) < 0)
				_exit(1);
			pr_cert_made_fini(&made);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		int status;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(
	    pr_file_read(a, in_dir("index"), 1 << 20, &text, NULL), 0);
	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	ck_assert_uint_eq(lines, 2 + 20);
}
END_TEST

START_TEST(folders_that_are_none)
{
	static const struct pr_cert_spec spec = {
	    .kind = PR_CERT_CLIENT, .cn = "a"};
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_cert_made made;
	size_t n;

	ck_assert_int_eq(
	    pr_certs_issue("/nowhere/at/all", "a", &spec, false, &made, &err),
	    -1);
	ck_assert_ptr_nonnull(strstr(pr_err_text(err), "no authority here"));
	ck_assert_int_eq(
	    pr_certs_init("/nowhere/at/all", &ca_spec, false, &made, NULL), -1);
	ck_assert_int_eq(
	    pr_certs_init(ca_path, &ca_spec, false, &made, NULL), -1);
	ck_assert_int_eq(
	    pr_certs_crl(dir, "/nowhere/at/all.pem", 0, &n, NULL), -1);
}
END_TEST

START_TEST(names_of_files)
{
	static const struct {
		const char *cn, *want;
	} rows[] = {
	    {"alice", "alice"},
	    {"Alice B.", "Alice-B."},
	    {"../../etc/passwd", "-.-..-etc-passwd"},
	    {".hidden", "-hidden"},
	    {"", ""},
	};
	char name[64];

	for (size_t i = 0; i < PR_COUNT(rows); i++) {
		pr_certs_file_name(rows[i].cn, name, sizeof name);
		ck_assert_str_eq(name, rows[i].want);
	}
	pr_certs_file_name("0123456789", name, 4);
	ck_assert_str_eq(name, "012");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("certs");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_authority);
	tcase_add_loop_test(t, kinds_are_what_they_say, 0, PR_COUNT(kinds));
	tcase_add_test(t, names_are_written_and_read_back);
	tcase_add_loop_test(t, wrong_wishes_are_refused, 0, PR_COUNT(wrong));
	tcase_add_test(t, nothing_is_overwritten);
	tcase_add_test(t, revocation);
	tcase_add_test(t, what_cannot_be_revoked);
	tcase_add_test(t, the_key_is_looked_at);
	tcase_add_test(t, a_broken_index_is_told);
	tcase_add_test(t, bundles_are_what_docker_wants);
	tcase_add_test(t, several_at_once);
	tcase_add_test(t, folders_that_are_none);
	tcase_add_test(t, names_of_files);
	suite_add_tcase(s, t);
	return unit_run(s);
}
