/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that are refused by fingerprint, whoever they name. */
#include <stdlib.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/file.h>

#include "rules.h"

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, PR_SHA256_LEN);
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* "ab:cd:…" or "abcd…", as openssl and `cert inspect` print it. */
static bool
read_fingerprint(struct pr_str s, uint8_t out[PR_SHA256_LEN])
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; n++) {
		if (n > 0 && s.p[i] == ':')
			i++;
		if (n == PR_SHA256_LEN || i + 2 > s.n || digit(s.p[i]) < 0 ||
		    digit(s.p[i + 1]) < 0)
			return false;
		out[n] = (uint8_t)(digit(s.p[i]) << 4 | digit(s.p[i + 1]));
		i += 2;
	}
	return n == PR_SHA256_LEN;
}

static void
read_line(struct pr_identity *id, struct pr_str line, struct pr_loc loc,
    struct pr_diags *ds)
{
	struct pr_str word =
	    pr_str_trim(pr_str_sub(line, 0, pr_str_find(line, '#')));

	if (word.n == 0)
		return;
	if (read_fingerprint(word, id->denied[id->n_denied])) {
		id->n_denied++;
		return;
	}
	loc.col = (unsigned)(word.p - line.p) + 1;
	loc.len = (unsigned)word.n;
	pr_diags_add(ds, PR_ERROR, loc, "portreeve cert inspect FILE prints it",
	    "not the SHA-256 fingerprint of a certificate (64 hex digits)");
}

int
pr_identity_deny_file(
    struct pr_identity *id, const char *path, struct pr_diags *ds)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	size_t before = pr_diags_count(ds, PR_ERROR), lines = 1;
	struct pr_loc loc = {path, 0, 0, 0};
	struct pr_str text, all;

	if (pr_file_read(a, path, PR_CAP_SMALL_FILE, &text, &err) < 0) {
		pr_diags_add(ds, PR_ERROR, (struct pr_loc){0}, NULL, "%s",
		    pr_err_text(err));
		return -1;
	}
	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	id->denied = pr_arena_array(id->arena, lines, sizeof *id->denied);
	id->n_denied = 0;
	for (all = text; all.p != NULL;) {
		loc.line++;
		read_line(id, pr_str_cut(&all, '\n'), loc, ds);
	}
	qsort(id->denied, id->n_denied, sizeof *id->denied, compare);
	if (pr_diags_count(ds, PR_ERROR) == before)
		return 0;
	pr_diags_source(ds, path, text.p);
	return -1;
}

bool
denylist_has(const struct pr_identity *id, struct pr_str fingerprint)
{
	uint8_t key[PR_SHA256_LEN];

	return id->n_denied > 0 && read_fingerprint(fingerprint, key) &&
	    bsearch(key, id->denied, id->n_denied, sizeof *id->denied,
		compare) != NULL;
}
