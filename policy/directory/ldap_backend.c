/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/clock.h>
#include <portreeve/file.h>

#include "ldap_local.h"

struct ldap_directory {
	const struct pr_directory_config *c;
	struct pool *pool;
};

/* Before libldap reads its environment, which it does once. */
static void
prepare_library(void)
{
	struct sigaction now;

	setenv("LDAPNOINIT", "1", 1);
	ldap_set_option(NULL, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	/* libldap writes without MSG_NOSIGNAL */
	if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
		signal(SIGPIPE, SIG_IGN);
}

static bool
check_ca(const struct pr_directory_text *file, struct pr_diags *ds)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(8192);
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	struct pr_str text;

	if (file->s[0] == '\0')
		return true;
	if (pr_file_read(a, file->s, PR_CAP_SMALL_FILE, &text, &err) < 0) {
		pr_diags_add(ds, PR_ERROR, file->loc, NULL,
		    "directory.tls.ca: %s", pr_err_text(err));
		return false;
	}
	if (memmem(text.p, text.n, begin, sizeof begin - 1) != NULL)
		return true;
	pr_diags_add(ds, PR_ERROR, file->loc, "PEM is what it must be",
	    "directory.tls.ca: %s holds no certificate", file->s);
	return false;
}

static bool
check_password(const struct pr_directory_text *file, struct pr_diags *ds)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(512);
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_str text;
	bool empty;

	if (file->s[0] == '\0')
		return true;
	if (pr_file_read_secret(a, file->s, 4096, &text, &err) < 0) {
		pr_diags_add(ds, PR_ERROR, file->loc, NULL,
		    "directory.bind.password_file: %s", pr_err_text(err));
		return false;
	}
	empty = text.n == 0 || (text.n == 1 && text.p[0] == '\n');
	explicit_bzero((char *)(uintptr_t)text.p, text.n);
	if (empty)
		pr_diags_add(ds, PR_ERROR, file->loc,
		    "a bind without a password is an anonymous one",
		    "directory.bind.password_file: %s is empty", file->s);
	return !empty;
}

static bool
check_files(const struct pr_directory_config *c, struct pr_diags *ds)
{
	bool ca = check_ca(&c->tls.ca, ds);

	return check_password(&c->bind.password_file, ds) && ca;
}

void *
dir_ldap_open(const struct pr_directory_config *c, struct pr_diags *ds)
{
	struct ldap_directory *d;

	if (!check_files(c, ds))
		return NULL;
	prepare_library();
	d = pr_xcalloc(1, sizeof *d);
	d->c = c;
	d->pool = dir_pool_new(c);
	if (d->pool == NULL) {
		pr_diags_add(ds, PR_ERROR, c->loc, NULL,
		    "directory: no thread can be started");
		free(d);
		return NULL;
	}
	return d;
}

/* A connection may have died since its last use: that is tried once more. */
static int
ldap_fetch(void *self, struct pr_str name, struct pr_str filter,
    uint64_t deadline, const struct pr_membership **out, struct pr_err **err)
{
	struct ldap_directory *d = self;

	for (int attempt = 0;; attempt++) {
		struct conn *c = dir_pool_take(d->pool, deadline, err);
		bool again;
		int rc;

		if (c == NULL)
			return -1;
		rc = dir_ldap_read(c, name, filter, deadline, out, err);
		if (rc < 0)
			pr_err_wrap(err, "%s", d->c->uri[c->uri].s);
		again = rc < 0 && attempt == 0 && err != NULL &&
		    ((*err)->code == PR_ERR_OFFLINE ||
			(*err)->code == PR_ERR_TIMEOUT) &&
		    pr_clock_now() < deadline;
		dir_pool_put(d->pool, c);
		if (!again)
			return rc;
		pr_err_freep(err);
	}
}

static int
ldap_reload(void *self, struct pr_diags *ds)
{
	struct ldap_directory *d = self;

	if (!check_files(d->c, ds))
		return -1;
	dir_pool_renew(d->pool);
	return 0;
}

static bool
ldap_ready(void *self, struct pr_buf *why)
{
	struct ldap_directory *d = self;

	return dir_pool_ready(d->pool, why);
}

static void
ldap_close(void *self)
{
	struct ldap_directory *d = self;

	dir_pool_close(d->pool);
	free(d);
}

const struct backend_ops dir_ldap_backend = {
    ldap_fetch, ldap_reload, ldap_ready, ldap_close};
