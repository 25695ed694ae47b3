/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/file.h>

static void
read_file(struct lang *l, struct files *files, const char *path)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_loc loc = {path, 0, 0, 0};
	struct file f = {.name = path};

	if (pr_file_read(l->tree, path, PR_CAP_POLICY_FILE, &f.text, &err) <
	    0) {
		const char *text = pr_err_text(err);
		size_t n = strlen(path);

		/* the place names the file already */
		if (strncmp(text, path, n) == 0 && text[n] == ':')
			text += n + 2;
		lang_error(l, loc, NULL, "%s", text);
		return;
	}
	files->bytes += f.text.n;
	if (files->bytes > PR_CAP_POLICY_TEXT) {
		lang_error(l, loc, NULL, "the policy is larger than %zu bytes",
		    PR_CAP_POLICY_TEXT);
		return;
	}
	files->v = pr_grow(files->v, files->n, &files->cap, sizeof *files->v);
	files->v[files->n++] = f;
}

static bool
is_policy_name(const char *name)
{
	struct pr_str s = pr_str_of(name);

	return name[0] != '.' &&
	    (pr_str_ends(s, ".yaml") || pr_str_ends(s, ".yml"));
}

static int
name_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
close_dir(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

static void
read_folder(struct lang *l, struct files *files, const char *path)
{
	PR_CLEANUP(close_dir) DIR *d = opendir(path);
	struct pr_loc loc = {path, 0, 0, 0};
	const char **names;
	const struct dirent *e;
	size_t n = 0, len = strlen(path);

	if (d == NULL) {
		lang_error(l, loc, NULL, "%s", strerror(errno));
		return;
	}
	names = pr_arena_array(l->tree, PR_CAP_POLICY_FILES, sizeof *names);
	while ((e = readdir(d)) != NULL) {
		if (!is_policy_name(e->d_name))
			continue;
		if (n == PR_CAP_POLICY_FILES) {
			lang_error(l, loc, NULL, "more than %zu files",
			    PR_CAP_POLICY_FILES);
			return;
		}
		names[n++] = pr_arena_printf(l->arena, "%s%s%s", path,
		    len > 0 && path[len - 1] == '/' ? "" : "/", e->d_name);
	}
	if (n == 0)
		lang_error(l, loc, NULL, "there is no *.yaml in this folder");
	qsort(names, n, sizeof *names, name_order);
	for (size_t i = 0; i < n; i++)
		read_file(l, files, names[i]);
}

void
files_read(struct lang *l, const char *path, struct files *out)
{
	struct pr_loc loc = {path, 0, 0, 0};
	struct stat st;

	*out = (struct files){0};
	if (stat(path, &st) < 0) {
		lang_error(l, loc, NULL, "%s", strerror(errno));
		return;
	}
	out->is_folder = S_ISDIR(st.st_mode);
	if (out->is_folder)
		read_folder(l, out, path);
	else
		read_file(l, out, path);
}
