/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon keeps of its rights: what its configuration asks for. */
#include <sys/stat.h>

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/eyes.h>
#include <portreeve/judge.h>

#define MAX_PORTS 64

struct room {
	struct pr_arena *a;
	struct pr_place *places; /* room for two a file */
	size_t n;
	uint16_t ports[MAX_PORTS];
	size_t n_ports;
	struct pr_err **err;
};

static const char *
folder_of(struct room *r, const char *path)
{
	return dirname(pr_arena_strdup(r->a, pr_str_of(path)));
}

/* Folders of ours are made if they are not there; then they are ours alone. */
static int
make_folder(struct room *r, const struct pr_config_file *f)
{
	if (f->use == PR_CONFIG_FOLDER && mkdir(f->path, 0700) != 0 &&
	    errno != EEXIST && errno != EROFS)
		return pr_err_set(r->err, PR_ERR_IO, errno,
		    "cannot make %s: %s", f->path, strerror(errno));
	return 0;
}

/* --- what it needs ------------------------------------------------------ */

static void
add(struct room *r, const char *path, unsigned rights)
{
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

	add(r, folder_of(r, path), PR_PLACE_READ);
	if (realpath(path, real) != NULL)
		add(r, folder_of(r, real), PR_PLACE_READ);
}

static void
add_file(struct room *r, const struct pr_config_file *f)
{
	switch (f->use) {
	case PR_CONFIG_READ:
		add_read(r, f->path);
		break;
	case PR_CONFIG_MADE:
		if (access(f->path, F_OK) == 0)
			add_read(r, f->path);
		else
			add(r, folder_of(r, f->path), PR_PLACE_WRITE);
		break;
	case PR_CONFIG_WRITE:
		add(r, folder_of(r, f->path), PR_PLACE_WRITE);
		break;
	case PR_CONFIG_FOLDER:
		add(r, f->path, PR_PLACE_WRITE);
		break;
	case PR_CONFIG_SOCKET:
		add(r, folder_of(r, f->path), PR_PLACE_SOCKETS);
		break;
	}
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
pr_judge_confine(
    const struct pr_config *c, enum pr_process process, struct pr_err **err)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	struct room r = {.a = a, .err = err};
	const struct pr_config_file *files;
	size_t n;

	files = pr_config_files(c, a, &n);
	r.places = pr_arena_array(a, 2 * n, sizeof *r.places);
	for (size_t i = 0; i < n; i++) {
		if ((files[i].processes & process) == 0)
			continue;
		if (make_folder(&r, &files[i]) != 0)
			return -1;
		add_file(&r, &files[i]);
	}
	add_ports(&r, c);
	if (pr_judge_trust(c, process, err) != 0)
		return -1;
	if (pr_eyes_open(err) != 0)
		return -1;
	return pr_confine(process, r.places, r.n, r.ports, r.n_ports, err);
}
