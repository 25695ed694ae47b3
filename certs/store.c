/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include <portreeve/caps.h>
#include <portreeve/file.h>

#include "make.h"

char *
store_path(const char *dir, const char *name, const char *suffix)
{
	size_t n = strlen(dir) + strlen(name) + strlen(suffix) + 2;
	char *path = pr_xmalloc(n);

	snprintf(path, n, "%s/%s%s", dir, name, suffix);
	return path;
}

static int
fail(struct pr_err **err, const char *path)
{
	return pr_err_set(
	    err, PR_ERR_IO, errno, "%s: %s", path, strerror(errno));
}

static int
fail_exists(struct pr_err **err, const char *path)
{
	return pr_err_set(err, PR_ERR_INVALID, EEXIST,
	    "%s exists already; --force replaces it", path);
}

int
store_absent(const char *path, struct pr_err **err)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return fail_exists(err, path);
	return errno == ENOENT ? 0 : fail(err, path);
}

static int
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		p += w;
		n -= (size_t)w;
	}
	return fsync(fd);
}

static void
sync_folder(const char *path)
{
	char *copy = pr_xstrdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(copy);
}

int
store_write(const char *path, unsigned mode, const void *p, size_t n,
    bool force, struct pr_err **err)
{
	size_t size = strlen(path) + sizeof ".XXXXXX";
	PR_CLEANUP(pr_freep) char *name = pr_xmalloc(size);
	int fd, rc;

	snprintf(name, size, "%s.XXXXXX", path);
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return fail(err, path);
	rc = fchmod(fd, mode) < 0 || write_all(fd, p, n) < 0 ? -1 : 0;
	if (close(fd) < 0 || rc < 0) {
		rc = fail(err, path);
	} else if (force) {
		rc = rename(name, path) == 0 ? 0 : fail(err, path);
	} else if (link(name, path) < 0) { /* never replaces */
		rc = errno == EEXIST ? fail_exists(err, path) : fail(err, path);
	}
	(void)unlink(name); /* after a rename there is none */
	sync_folder(path);
	return rc;
}

static BIO *
bio_of_file(
    struct pr_arena *a, const char *path, bool secret, struct pr_err **err)
{
	struct pr_str text;
	int rc = secret
	    ? pr_file_read_secret(a, path, PR_CAP_SMALL_FILE, &text, err)
	    : pr_file_read(a, path, PR_CAP_SMALL_FILE, &text, err);

	return rc < 0 ? NULL : BIO_new_mem_buf(text.p, (int)text.n);
}

X509 *
store_read_cert(const char *path, struct pr_err **err)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	PR_CLEANUP(bio_freep) BIO *b = bio_of_file(a, path, false, err);
	X509 *x;

	if (b == NULL)
		return NULL;
	x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	ERR_clear_error();
	if (x == NULL)
		pr_err_set(
		    err, PR_ERR_INVALID, 0, "%s: no certificate in PEM", path);
	return x;
}

/* No terminal is asked for a passphrase. */
static int
no_passphrase(char *buf, int size, int rw, void *arg)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)arg;
	return -1;
}

EVP_PKEY *
store_read_key(const char *path, struct pr_err **err)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	PR_CLEANUP(bio_freep) BIO *b = bio_of_file(a, path, true, err);
	EVP_PKEY *key;

	if (b == NULL)
		return NULL;
	key = PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL);
	ERR_clear_error();
	if (key == NULL)
		pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s: no private key in PEM without a passphrase", path);
	return key;
}

static int
write_bio(const char *path, unsigned mode, BIO *b, int ok, bool force,
    struct pr_err **err)
{
	char *p = NULL;
	long n = b != NULL ? BIO_get_mem_data(b, &p) : 0;

	if (ok != 1 || n <= 0)
		return fail_ssl(err, path);
	return store_write(path, mode, p, (size_t)n, force, err);
}

int
store_write_cert(
    const char *path, const X509 *x, bool force, struct pr_err **err)
{
	PR_CLEANUP(bio_freep) BIO *b = BIO_new(BIO_s_mem());

	return write_bio(
	    path, 0644, b, b != NULL && PEM_write_bio_X509(b, x), force, err);
}

int
store_write_key(
    const char *path, const EVP_PKEY *key, bool force, struct pr_err **err)
{
	/* secure: wiped when it is freed */
	PR_CLEANUP(bio_freep) BIO *b = BIO_new(BIO_s_secmem());
	int ok = b != NULL &&
	    PEM_write_bio_PKCS8PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);

	return write_bio(path, 0600, b, ok, force, err);
}

int
store_write_crl(const char *path, const X509_CRL *crl, struct pr_err **err)
{
	PR_CLEANUP(bio_freep) BIO *b = BIO_new(BIO_s_mem());

	return write_bio(path, 0644, b,
	    b != NULL && PEM_write_bio_X509_CRL(b, crl), true, err);
}

int
store_lock(const char *dir, struct pr_err **err)
{
	char *path = store_path(dir, "lock", "");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc;

	do {
		rc = fd < 0 ? -1 : flock(fd, LOCK_EX);
	} while (rc < 0 && fd >= 0 && errno == EINTR);
	if (rc < 0) {
		fail(err, path);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	free(path);
	return fd;
}

void
store_unlockp(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
