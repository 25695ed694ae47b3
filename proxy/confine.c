/* SPDX-License-Identifier: Apache-2.0 */
#include "confine.h"

#include <sys/stat.h>

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/arena.h>
#include <portreeve/confine.h>
#include <portreeve/eyes.h>
#include <portreeve/file.h>

#define MAX_PLACES 512
#define MAX_PORTS  64

struct room {
	struct pr_arena *a;
	struct pr_place places[MAX_PLACES];
	size_t n;
	uint16_t ports[MAX_PORTS];
	size_t n_ports;
	struct pr_err **err;
};

/* --- owners and modes --------------------------------------------------- */

/* A file or folder that must be there is missed by whoever opens it. */
static int
trusted(struct room *r, const char *path, unsigned forbidden)
{
	struct pr_file_fault fault;

	if (path == NULL ||
	    pr_file_trusted(path, forbidden, &fault) != PR_FILE_BAD)
		return 0;
	return pr_err_set(
	    r->err, PR_ERR_INVALID, 0, "%s\nhint: %s", fault.text, fault.mend);
}

/* A folder of ours: made if it is not there, and then ours alone. */
static int
own_folder(struct room *r, const char *path, unsigned forbidden)
{
	struct stat st;

	if (mkdir(path, 0700) != 0 && errno != EEXIST && errno != EROFS)
		return pr_err_set(r->err, PR_ERR_IO, errno,
		    "cannot make %s: %s", path, strerror(errno));
	if (stat(path, &st) == 0 && st.st_uid != geteuid())
		return pr_err_set(r->err, PR_ERR_INVALID, 0,
		    "%s: user %u owns it, and this process is user %u\n"
		    "hint: chown -R %u %s",
		    path, (unsigned)st.st_uid, (unsigned)geteuid(),
		    (unsigned)geteuid(), path);
	return trusted(r, path, forbidden);
}

static const char *
folder_of(struct room *r, const char *path)
{
	return dirname(pr_arena_strdup(r->a, pr_str_of(path)));
}

static int
check_owners(struct room *r, const struct pr_config *c)
{
	const char *const files[] = {c->file, c->policy, c->identity_deny,
	    c->directory.file.s, c->directory.tls.ca.s};

	for (size_t i = 0; i < PR_COUNT(files); i++)
		if (trusted(r, files[i], PR_FILE_NOT_WRITABLE) != 0)
			return -1;
	if (trusted(r, c->directory.bind.password_file.s, PR_FILE_SECRET) !=
		0 ||
	    trusted(r, c->audit.key_file, PR_FILE_SECRET) != 0 ||
	    trusted(r, c->proxy.assertion_key, PR_FILE_SECRET) != 0 ||
	    trusted(r, c->ledger, PR_FILE_SECRET) != 0)
		return -1;
	/* its group may read the log, nobody else */
	if (own_folder(r, c->audit.dir, PR_FILE_SECRET & ~0050U) != 0)
		return -1;
	return trusted(r, folder_of(r, c->ledger), PR_FILE_NOT_WRITABLE);
}

/* --- what it needs ------------------------------------------------------ */

static void
add(struct room *r, const char *path, unsigned rights)
{
	if (path != NULL && r->n < MAX_PLACES)
		r->places[r->n++] = (struct pr_place){path, rights};
}

/*
 * The folder that a file or folder lies in: what is renamed over it can be
 * read as well.  And what a link leads to now.
 */
static void
add_read(struct room *r, const char *path)
{
	char real[PATH_MAX];

	if (path == NULL)
		return;
	add(r, folder_of(r, path), PR_PLACE_READ);
	if (realpath(path, real) != NULL)
		add(r, folder_of(r, real), PR_PLACE_READ);
}

/* Sockets are made already, and removed at the end; files are read again. */
static void
add_listeners(struct room *r, const struct pr_config *c)
{
	/* the names of local users */
	add(r, "/etc/passwd", PR_PLACE_READ);
	for (size_t i = 0; i < c->proxy.n_listen; i++) {
		const struct pr_config_listen *l = &c->proxy.listen[i];

		if (l->unix_path != NULL)
			add(r, folder_of(r, l->unix_path), PR_PLACE_SOCKETS);
		add_read(r, l->tls.cert);
		add_read(r, l->tls.key);
		add_read(r, l->tls.client_ca);
		add_read(r, l->tls.crl);
	}
}

static void
add_files(struct room *r, const struct pr_config *c)
{
	add_read(r, c->file);
	add_read(r, c->policy);
	add_read(r, c->identity_deny);
	for (size_t i = 0; i < c->n_identity; i++)
		add_read(r, c->identity[i].ca);
	add_read(r, c->directory.file.s);
	add_read(r, c->directory.tls.ca.s);
	add_read(r, c->directory.bind.password_file.s);
	for (size_t i = 0; i < c->policy_signature.n_keys; i++)
		add_read(r, c->policy_signature.keys[i]);
	add(r, c->audit.dir, PR_PLACE_WRITE);
	if (c->audit.key_file != NULL)
		add(r, folder_of(r, c->audit.key_file),
		    access(c->audit.key_file, F_OK) == 0 ? PR_PLACE_READ
							 : PR_PLACE_WRITE);
	add(r, folder_of(r, c->ledger), PR_PLACE_WRITE);
	add_read(r, c->proxy.assertion_key);
	if (c->proxy.admin != NULL)
		add(r, folder_of(r, c->proxy.admin), PR_PLACE_SOCKETS);
	add_listeners(r, c);
}

/* "ldaps://host:1636/": 1636; without a number the scheme's. */
static uint16_t
port_of(struct pr_str uri)
{
	bool tls = pr_str_starts(uri, "ldaps:");
	size_t at = uri.n;
	struct pr_str host;
	uint64_t port;

	for (size_t i = 0; i + 2 < uri.n; i++)
		if (memcmp(uri.p + i, "://", 3) == 0)
			at = i + 3;
	host = pr_str_sub(uri, at, uri.n);
	host = pr_str_cut(&host, '/');
	for (size_t i = host.n; i > 0 && host.p[i - 1] != ']'; i--)
		if (host.p[i - 1] == ':' &&
		    pr_str_u64(pr_str_sub(host, i, host.n), &port) &&
		    port <= UINT16_MAX)
			return (uint16_t)port;
	return tls ? 636 : 389;
}

static void
add_ports(struct room *r, const struct pr_config *c)
{
	if (c->directory.type != PR_DIRECTORY_LDAP)
		return;
	r->ports[r->n_ports++] = 53; /* long answers of the resolver */
	for (size_t i = 0; i < c->directory.n_uri && r->n_ports < MAX_PORTS;
	     i++) {
		struct pr_str uri = pr_str_of(c->directory.uri[i].s);

		if (pr_str_starts(uri, "ldap:") || pr_str_starts(uri, "ldaps:"))
			r->ports[r->n_ports++] = port_of(uri);
	}
}

int
proxy_confine(const struct pr_config *c, struct pr_err **err)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	struct room r = {.a = a, .err = err};

	if (check_owners(&r, c) != 0)
		return -1;
	add_files(&r, c);
	add_ports(&r, c);
	if (pr_eyes_open(err) != 0)
		return -1;
	return pr_confine(PR_PROXY, r.places, r.n, r.ports, r.n_ports, err);
}
