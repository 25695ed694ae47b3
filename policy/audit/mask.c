/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masks: names for values that must not be written.  The key is this host's
 * own; without it nobody can try values against a mask, so it must not
 * travel with the log.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/log.h>

#include "local.h"

enum {
	KEY_TEXT = 2 * PR_SHA256_LEN
};

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 0, or an errno; EACCES: others may read it; EINVAL: it is no key. */
static int
read_key(const char *path, uint8_t key[PR_SHA256_LEN])
{
	char text[KEY_TEXT + 1] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = 0;
	struct stat st;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) != 0)
		rc = errno;
	else if ((st.st_mode & 077) != 0)
		rc = EACCES;
	else if (!S_ISREG(st.st_mode) ||
	    read(fd, text, sizeof text) < (ssize_t)KEY_TEXT)
		rc = EINVAL;
	for (size_t i = 0; rc == 0 && i < PR_SHA256_LEN; i++) {
		int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);

		if (high < 0 || low < 0)
			rc = EINVAL;
		else
			key[i] = (uint8_t)(high << 4 | low);
	}
	explicit_bzero(text, sizeof text);
	close(fd);
	return rc;
}

/* Made whole under a passing name; whoever links first has made the key. */
static int
make_key(const char *path)
{
	uint8_t key[PR_SHA256_LEN];
	char text[KEY_TEXT + 2], passing[4200];
	int fd, rc = 0;

	(void)snprintf(passing, sizeof passing, "%s.%ld", path, (long)getpid());
	pr_random(key, sizeof key);
	pr_hex(key, sizeof key, text);
	text[KEY_TEXT] = '\n';
	unlink(passing);
	errno = 0; /* a short write sets none */
	fd = open(passing, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0 || write(fd, text, KEY_TEXT + 1) != KEY_TEXT + 1 ||
	    fsync(fd) != 0 || (link(passing, path) != 0 && errno != EEXIST))
		rc = errno != 0 ? errno : ENOSPC;
	if (fd >= 0) {
		close(fd);
		unlink(passing);
	}
	explicit_bzero(key, sizeof key);
	explicit_bzero(text, sizeof text);
	return rc;
}

static bool
have_key(struct pr_audit *a)
{
	int rc;

	if (a->has_key)
		return true;
	rc = read_key(a->key_file, a->key);
	if (rc == ENOENT && (rc = make_key(a->key_file)) == 0)
		rc = read_key(a->key_file, a->key);
	a->has_key = rc == 0;
	if (rc == EACCES)
		pr_log(PR_LOG_ERROR,
		    "%s: group or others may read it: chmod 0600 %s",
		    a->key_file, a->key_file);
	else if (rc != 0)
		pr_log(PR_LOG_ERROR, "%s: %s", a->key_file, strerror(rc));
	return a->has_key;
}

void
pr_audit_mask(
    struct pr_audit *a, struct pr_str value, char out[PR_AUDIT_MASK_LEN])
{
	uint8_t mac[PR_SHA256_LEN];

	pthread_mutex_lock(&a->keylock);
	if (!have_key(a)) {
		pthread_mutex_unlock(&a->keylock);
		memcpy(out, "hmac:unavailable", sizeof "hmac:unavailable");
		return;
	}
	pr_hmac_sha256(a->key, sizeof a->key, value.p, value.n, mac);
	pthread_mutex_unlock(&a->keylock);
	memcpy(out, "hmac:", 5);
	pr_hex(mac, 16, out + 5);
}
