/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <portreeve/caps.h>
#include <portreeve/file.h>

#include "make.h"
#include "store.h"

#define DAY ((int64_t)86400)

/* RFC 5280 5.3.1; 0 (unspecified) is left out of the list. */
static const struct {
	const char *word;
	long code;
} reasons[] = {
    {"unspecified", 0},
    {"key-compromise", 1},
    {"affiliation-changed", 3},
    {"superseded", 4},
    {"cessation-of-operation", 5},
    {"privilege-withdrawn", 9},
};

const char *const pr_cert_reason_words[] = {"unspecified", "key-compromise",
    "affiliation-changed", "superseded", "cessation-of-operation",
    "privilege-withdrawn", NULL};

void
pr_cert_made_fini(struct pr_cert_made *made)
{
	free(made->cert);
	free(made->key);
	*made = (struct pr_cert_made){0};
}

void
pr_certs_file_name(const char *cn, char *out, size_t size)
{
	static const char also[] = "._-";
	size_t n = 0;

	for (; *cn != '\0' && n + 1 < size; cn++) {
		char c = *cn;
		bool fit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr(also, c) != NULL;

		out[n++] = (char)(fit ? c : '-');
	}
	out[n] = '\0';
	if (n > 0 && out[0] == '.')
		out[0] = '-'; /* no hidden files, no ".." */
}

/* A plain name: what is issued stays in the folder and is not the CA's own. */
static int
check_name(const char *name, struct pr_err **err)
{
	static const char *const own[] = {"ca", "crl", "index", "lock"};
	char fit[256];

	pr_certs_file_name(name, fit, sizeof fit);
	if (name[0] == '\0' || strcmp(name, fit) != 0)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "\"%s\" is no name for a file: letters, digits, '.', '_', "
		    "'-'",
		    name);
	for (size_t i = 0; i < PR_COUNT(own); i++)
		if (strcmp(name, own[i]) == 0)
			return pr_err_set(err, PR_ERR_INVALID, 0,
			    "\"%s\" is the authority's own; give another --out",
			    name);
	return 0;
}

static void
describe(struct pr_cert_made *made, struct index_entry *e, struct pr_arena *a,
    const X509 *x, const char *file)
{
	e->serial = cert_serial(a, x);
	e->fingerprint = cert_fingerprint(a, x);
	e->subject = cert_name(a, X509_get_subject_name(x));
	e->not_after = cert_seconds(X509_get0_notAfter(x));
	e->reason = PR_STR("-");
	e->file = pr_arena_str(a, pr_str_of(file));
	snprintf(made->serial, sizeof made->serial, "%.*s", PR_STRF(e->serial));
	snprintf(made->fingerprint, sizeof made->fingerprint, "%.*s",
	    PR_STRF(e->fingerprint));
	made->not_after = e->not_after;
}

/* The key first: a certificate without its key helps nobody. */
static int
write_pair(struct pr_cert_made *made, const X509 *x, const EVP_PKEY *key,
    bool force, struct pr_err **err)
{
	if (!force &&
	    (store_absent(made->key, err) < 0 ||
		store_absent(made->cert, err) < 0))
		return -1;
	if (store_write_key(made->key, key, force, err) < 0)
		return -1;
	return store_write_cert(made->cert, x, force, err);
}

static int
make_folder(const char *dir, struct pr_err **err)
{
	struct stat st;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return pr_err_set(
		    err, PR_ERR_IO, errno, "%s: %s", dir, strerror(errno));
	if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
		return pr_err_set(
		    err, PR_ERR_INVALID, 0, "%s: not a folder", dir);
	return 0;
}

int
pr_certs_init(const char *dir, const struct pr_cert_spec *spec, bool force,
    struct pr_cert_made *made, struct pr_err **err)
{
	PR_CLEANUP(index_fini) struct index ix = {0};
	PR_CLEANUP(key_freep) EVP_PKEY *key = NULL;
	PR_CLEANUP(cert_freep) X509 *x = NULL;
	struct index_entry self;

	*made = (struct pr_cert_made){0};
	if (make_folder(dir, err) < 0)
		return -1;
	PR_CLEANUP(store_unlockp) int lock = store_lock(dir, err);

	if (lock < 0)
		return -1;
	made->cert = store_path(dir, "ca", ".pem");
	made->key = store_path(dir, "ca", ".key");
	if (!force &&
	    (store_absent(made->key, err) < 0 ||
		store_absent(made->cert, err) < 0))
		return -1;
	if ((key = key_make(spec->key, err)) == NULL ||
	    (x = cert_make(spec, key, NULL, NULL, err)) == NULL ||
	    write_pair(made, x, key, force, err) < 0)
		return -1;
	/* what an earlier authority issued is not this one's */
	ix.arena = pr_arena_new(1024);
	describe(made, &self, ix.arena, x, "ca.pem");
	return index_write(&ix, dir, err);
}

/* The lock of a folder that is an authority's. */
static int
lock_authority(const char *dir, struct pr_err **err)
{
	PR_CLEANUP(pr_freep) char *cert = store_path(dir, "ca", ".pem");

	if (access(cert, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s: no authority here; make one with portreeve cert ca",
		    dir);
	return store_lock(dir, err);
}

struct authority {
	X509 *cert;
	EVP_PKEY *key;
};

static void
authority_fini(struct authority *ca)
{
	X509_free(ca->cert);
	EVP_PKEY_free(ca->key);
}

static int
open_authority(const char *dir, struct authority *ca, struct index *ix,
    struct pr_err **err)
{
	PR_CLEANUP(pr_freep) char *cert = store_path(dir, "ca", ".pem");
	PR_CLEANUP(pr_freep) char *key = store_path(dir, "ca", ".key");

	if ((ca->cert = store_read_cert(cert, err)) == NULL ||
	    (ca->key = store_read_key(key, err)) == NULL)
		return -1;
	if (X509_check_private_key(ca->cert, ca->key) != 1) {
		ERR_clear_error();
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s does not belong to %s", key, cert);
	}
	return index_read(ix, dir, err);
}

int
pr_certs_issue(const char *dir, const char *name,
    const struct pr_cert_spec *spec, bool force, struct pr_cert_made *made,
    struct pr_err **err)
{
	PR_CLEANUP(store_unlockp) int lock = lock_authority(dir, err);
	PR_CLEANUP(index_fini) struct index ix = {0};
	PR_CLEANUP(authority_fini) struct authority ca = {0};
	PR_CLEANUP(key_freep) EVP_PKEY *key = NULL;
	PR_CLEANUP(cert_freep) X509 *x = NULL;
	char file[300];

	*made = (struct pr_cert_made){0};
	if (check_name(name, err) < 0 || lock < 0 ||
	    open_authority(dir, &ca, &ix, err) < 0)
		return -1;
	made->cert = store_path(dir, name, ".pem");
	made->key = store_path(dir, name, ".key");
	if (!force &&
	    (store_absent(made->key, err) < 0 ||
		store_absent(made->cert, err) < 0))
		return -1;
	if ((key = key_make(spec->key, err)) == NULL ||
	    (x = cert_make(spec, key, ca.cert, ca.key, err)) == NULL)
		return -1;
	snprintf(file, sizeof file, "%s.pem", name);
	describe(made, index_add(&ix), ix.arena, x, file);
	/* indexed before it can be used: what exists can be revoked */
	if (index_write(&ix, dir, err) < 0)
		return -1;
	return write_pair(made, x, key, force, err);
}

/* The serial that `which` means: hex as it stands, or that of a file. */
static int
serial_of(struct index *ix, const struct authority *ca, const char *which,
    struct pr_str *serial, struct pr_err **err)
{
	PR_CLEANUP(cert_freep) X509 *x = NULL;

	*serial = pr_str_of(which);
	if (index_find(ix, *serial) != NULL)
		return 0;
	if (access(which, F_OK) < 0)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s: neither a serial in the index nor a file", which);
	if ((x = store_read_cert(which, err)) == NULL)
		return -1;
	if (X509_verify(x, X509_get0_pubkey(ca->cert)) != 1) {
		ERR_clear_error();
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s was not issued by this authority", which);
	}
	*serial = cert_serial(ix->arena, x);
	if (index_find(ix, *serial) == NULL)
		return pr_err_set(
		    err, PR_ERR_INVALID, 0, "%s is not in the index", which);
	return 0;
}

static int
check_reason(const char *word, struct pr_err **err)
{
	for (size_t i = 0; i < PR_COUNT(reasons); i++)
		if (strcmp(word, reasons[i].word) == 0)
			return 0;
	return pr_err_set(
	    err, PR_ERR_INVALID, 0, "no reason is called \"%s\"", word);
}

int
pr_certs_revoke(const char *dir, const char *which, const char *reason,
    struct pr_cert_made *made, struct pr_err **err)
{
	PR_CLEANUP(store_unlockp) int lock = lock_authority(dir, err);
	PR_CLEANUP(index_fini) struct index ix = {0};
	PR_CLEANUP(authority_fini) struct authority ca = {0};
	struct index_entry *e;
	struct pr_str serial;

	*made = (struct pr_cert_made){0};
	if (reason == NULL)
		reason = "unspecified";
	if (check_reason(reason, err) < 0 || lock < 0 ||
	    open_authority(dir, &ca, &ix, err) < 0 ||
	    serial_of(&ix, &ca, which, &serial, err) < 0)
		return -1;
	e = index_find(&ix, serial);
	if (e->revoked)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%.*s (%.*s) is revoked already", PR_STRF(e->serial),
		    PR_STRF(e->subject));
	e->revoked = true;
	e->revoked_at = time(NULL);
	e->reason = pr_str_of(reason);
	snprintf(made->serial, sizeof made->serial, "%.*s", PR_STRF(e->serial));
	snprintf(made->fingerprint, sizeof made->fingerprint, "%.*s",
	    PR_STRF(e->fingerprint));
	made->not_after = e->not_after;
	return index_write(&ix, dir, err);
}

static int
add_revoked(X509_CRL *crl, struct pr_arena *a, const struct index_entry *e)
{
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_TIME *when = ASN1_TIME_set(NULL, e->revoked_at);
	ASN1_ENUMERATED *why = ASN1_ENUMERATED_new();
	ASN1_INTEGER *serial = NULL;
	BIGNUM *n = NULL;
	long code = 0;
	int ok;

	for (size_t i = 0; i < PR_COUNT(reasons); i++)
		if (pr_str_is(e->reason, reasons[i].word))
			code = reasons[i].code;
	ok = r != NULL && when != NULL && why != NULL &&
	    BN_hex2bn(&n, pr_arena_strdup(a, e->serial)) > 0 &&
	    (serial = BN_to_ASN1_INTEGER(n, NULL)) != NULL &&
	    X509_REVOKED_set_serialNumber(r, serial) == 1 &&
	    X509_REVOKED_set_revocationDate(r, when) == 1 &&
	    ASN1_ENUMERATED_set(why, code) == 1 &&
	    (code == 0 ||
		X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, why, 0, 0) == 1) &&
	    X509_CRL_add0_revoked(crl, r) == 1;
	if (!ok)
		X509_REVOKED_free(r);
	ASN1_TIME_free(when);
	ASN1_ENUMERATED_free(why);
	ASN1_INTEGER_free(serial);
	BN_free(n);
	return ok ? 0 : -1;
}

static int
set_crl_times(X509_CRL *crl, int64_t seconds)
{
	int64_t now = time(NULL);
	ASN1_TIME *from = ASN1_TIME_set(NULL, now);
	ASN1_TIME *until = ASN1_TIME_set(NULL, now + seconds);
	int ok = from != NULL && until != NULL &&
	    X509_CRL_set1_lastUpdate(crl, from) == 1 &&
	    X509_CRL_set1_nextUpdate(crl, until) == 1;

	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	return ok ? 0 : -1;
}

static int
add_crl_extensions(X509_CRL *crl, X509 *ca, uint64_t number)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	X509_EXTENSION *aki;
	X509V3_CTX ctx;
	int ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, ca, NULL, NULL, crl, 0);
	aki = X509V3_EXT_conf_nid(
	    NULL, &ctx, NID_authority_key_identifier, "keyid");
	ok = n != NULL && aki != NULL && ASN1_INTEGER_set_uint64(n, number) &&
	    X509_CRL_add_ext(crl, aki, -1) == 1 &&
	    X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0) == 1;
	ASN1_INTEGER_free(n);
	X509_EXTENSION_free(aki);
	return ok ? 0 : -1;
}

static X509_CRL *
crl_make(const struct index *ix, const struct authority *ca, int64_t seconds,
    size_t *n)
{
	PR_CLEANUP(crl_freep) X509_CRL *crl = X509_CRL_new();

	if (crl == NULL || X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert)) !=
		1 ||
	    set_crl_times(crl, seconds) < 0 ||
	    add_crl_extensions(crl, ca->cert, ix->crl_number) < 0)
		return NULL;
	*n = 0;
	for (size_t i = 0; i < ix->n; i++) {
		if (!ix->v[i].revoked)
			continue;
		if (add_revoked(crl, ix->arena, &ix->v[i]) < 0)
			return NULL;
		++*n;
	}
	X509_CRL_sort(crl);
	if (X509_CRL_sign(crl, ca->key, key_digest(ca->key)) == 0)
		return NULL;
	return pr_take(&crl);
}

int
pr_certs_crl(const char *dir, const char *path, int64_t seconds, size_t *n,
    struct pr_err **err)
{
	PR_CLEANUP(store_unlockp) int lock = lock_authority(dir, err);
	PR_CLEANUP(index_fini) struct index ix = {0};
	PR_CLEANUP(authority_fini) struct authority ca = {0};
	PR_CLEANUP(crl_freep) X509_CRL *crl = NULL;
	PR_CLEANUP(pr_freep) char *own = store_path(dir, "crl", ".pem");

	if (lock < 0 || open_authority(dir, &ca, &ix, err) < 0)
		return -1;
	if (seconds <= 0)
		seconds = 7 * DAY;
	ix.crl_number++;
	if ((crl = crl_make(&ix, &ca, seconds, n)) == NULL)
		return fail_ssl(err, "cannot make the revocation list");
	/* the number first: it must never be given twice */
	if (index_write(&ix, dir, err) < 0)
		return -1;
	return store_write_crl(path != NULL ? path : own, crl, err);
}

static int
copy(const char *from_dir, const char *from, const char *suffix,
    const char *to_dir, const char *to, unsigned mode, bool force,
    struct pr_err **err)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(8192);
	PR_CLEANUP(pr_freep) char *src = store_path(from_dir, from, suffix);
	PR_CLEANUP(pr_freep) char *dst = store_path(to_dir, to, "");
	struct pr_str text;

	if (pr_file_read(a, src, PR_CAP_SMALL_FILE, &text, err) < 0)
		return -1;
	return store_write(dst, mode, text.p, text.n, force, err);
}

int
pr_certs_bundle(const char *dir, const char *name, const char *to, bool force,
    struct pr_err **err)
{
	static const char *const files[] = {"ca.pem", "cert.pem", "key.pem"};
	PR_CLEANUP(store_unlockp) int lock = lock_authority(dir, err);

	if (check_name(name, err) < 0 || lock < 0 || make_folder(to, err) < 0)
		return -1;
	for (size_t i = 0; !force && i < PR_COUNT(files); i++) {
		PR_CLEANUP(pr_freep) char *path = store_path(to, files[i], "");

		if (store_absent(path, err) < 0)
			return -1;
	}
	if (copy(dir, "ca", ".pem", to, files[0], 0644, force, err) < 0 ||
	    copy(dir, name, ".pem", to, files[1], 0644, force, err) < 0)
		return -1;
	return copy(dir, name, ".key", to, files[2], 0600, force, err);
}
