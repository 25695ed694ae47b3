/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose the files are that the configuration names: who may change them, or
 * what they lie in, decides what is decided here.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/file.h>

#include "local.h"

/* What must be there and is not is missed by whoever opens it. */
static bool
is_good(const char *path, unsigned forbidden, struct pr_file_fault *fault)
{
	return forbidden == 0 ||
	    pr_file_trusted(path, forbidden, fault) != PR_FILE_BAD;
}

/* In a folder like /tmp nobody takes another's place. */
static bool
folder_is_good(const char *file, struct pr_file_fault *fault)
{
	PR_CLEANUP(pr_freep) char *copy = pr_xstrdup(file);
	const char *folder = dirname(copy);
	struct stat st;

	return pr_file_trusted(folder,
		   stat(folder, &st) == 0 && (st.st_mode & S_ISVTX) != 0
		       ? 0
		       : PR_FILE_NOT_WRITABLE,
		   fault) != PR_FILE_BAD;
}

static void
close_dir(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

/* A folder of files that are read: each of them. */
static bool
entries_are_good(
    const char *path, unsigned forbidden, struct pr_file_fault *fault)
{
	PR_CLEANUP(close_dir) DIR *d = opendir(path);
	const struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		PR_CLEANUP(pr_freep) char *name = NULL;
		struct stat st;

		if (e->d_name[0] == '.' ||
		    asprintf(&name, "%s/%s", path, e->d_name) < 0)
			continue;
		if (stat(name, &st) == 0 && S_ISREG(st.st_mode) &&
		    !is_good(name, forbidden, fault))
			return false;
	}
	return true;
}

/* A file that is read, by the name that it has and by what links lead to. */
static bool
read_is_good(const struct pr_config_file *f, struct pr_file_fault *fault)
{
	PR_CLEANUP(pr_freep) char *real = realpath(f->path, NULL);

	if (real == NULL)
		return true;
	return is_good(f->path, f->forbidden, fault) &&
	    folder_is_good(f->path, fault) && folder_is_good(real, fault) &&
	    entries_are_good(f->path, f->forbidden, fault);
}

/* A folder of ours alone, if it is there. */
static bool
is_own(const char *path, struct pr_file_fault *fault)
{
	struct stat st;

	if (stat(path, &st) != 0 || st.st_uid == geteuid())
		return true;
	snprintf(fault->text, sizeof fault->text,
	    "%s: user %u owns it, and this process is user %u", path,
	    (unsigned)st.st_uid, (unsigned)geteuid());
	snprintf(fault->mend, sizeof fault->mend, "chown -R %u %s",
	    (unsigned)geteuid(), path);
	return false;
}

static bool
file_is_good(const struct pr_config_file *f, struct pr_file_fault *fault)
{
	switch (f->use) {
	case PR_CONFIG_READ:
		/* break_glass is looked at when it is asked for */
		return f->forbidden == 0 || read_is_good(f, fault);
	case PR_CONFIG_FOLDER:
		return is_own(f->path, fault) &&
		    is_good(f->path, f->forbidden, fault);
	case PR_CONFIG_MADE:
	case PR_CONFIG_WRITE:
	case PR_CONFIG_SOCKET:
		return folder_is_good(f->path, fault) &&
		    is_good(f->path, f->forbidden, fault);
	}
	return false;
}

int
judge_trust(
    const struct pr_config *c, unsigned process, struct pr_file_fault *fault)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	size_t n;
	const struct pr_config_file *files = pr_config_files(c, a, &n);

	for (size_t i = 0; i < n; i++) {
		if ((files[i].processes & process) != 0 &&
		    !file_is_good(&files[i], fault))
			return -1;
	}
	return 0;
}

int
pr_judge_trust(
    const struct pr_config *c, enum pr_process process, struct pr_err **err)
{
	struct pr_file_fault fault;

	if (judge_trust(c, process, &fault) == 0)
		return 0;
	return pr_err_set(
	    err, PR_ERR_INVALID, 0, "%s\nhint: %s", fault.text, fault.mend);
}

/* A check by root must not leave files behind that the daemon, which runs as a
 * user of its own, may not open. */
int
pr_judge_trust_for_owner(
    const struct pr_config *c, enum pr_process process, struct pr_err **err)
{
	PR_CLEANUP(pr_freep) char *folder = pr_xstrdup(c->ledger);
	struct stat st;

	if (geteuid() == 0 && stat(dirname(folder), &st) == 0 &&
	    setegid(st.st_gid) == 0)
		(void)!seteuid(st.st_uid);
	return pr_judge_trust(c, process, err);
}
