/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/clock.h>
#include <portreeve/digest.h>
#include <portreeve/file.h>
#include <portreeve/promotion.h>

#define FORMAT    "portreeve-promotion/1"
#define ENDING    ".promotions"
#define MAX_NAME  128
#define MAX_FILES 1024
#define MAX_TIME  UINT64_C(3153600000) /* a hundred years, in seconds */

struct line {
	struct pr_promotion p;
	struct pr_loc loc;
};

struct pr_promotions {
	struct pr_arena *arena;
	struct line *lines; /* by digest, then as they stand */
	size_t n, cap;
};

struct reader {
	struct pr_promotions *out;
	struct pr_diags *ds;
	const char *file;
	unsigned number; /* of the line */
	struct pr_str line;
	size_t errors;
};

/* ---- one line ---- */

static void
bad(struct reader *r, struct pr_str at, const char *hint, const char *what)
{
	struct pr_loc loc = {.file = r->file, .line = r->number, .col = 1};

	if (at.p != NULL) {
		loc.col = (unsigned)(at.p - r->line.p) + 1;
		loc.len = (unsigned)at.n;
	}
	pr_diags_add(r->ds, PR_ERROR, loc, hint, "%s", what);
	r->errors++;
}

static bool
is_digest(struct pr_str s)
{
	if (s.n != 71 || !pr_str_starts(s, "sha256:"))
		return false;
	for (size_t i = 7; i < s.n; i++) {
		if (!((s.p[i] >= '0' && s.p[i] <= '9') ||
			(s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	}
	return true;
}

static bool
is_name(struct pr_str s)
{
	if (s.n == 0 || s.n > MAX_NAME)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	}
	return true;
}

static bool
is_time(struct pr_str s)
{
	int64_t wall;

	return is_name(s) && pr_clock_parse(s, &wall);
}

static bool
is_seconds(struct pr_str s)
{
	uint64_t n;

	return pr_str_u64(s, &n) && n <= MAX_TIME;
}

static bool
is_key(struct pr_str s)
{
	struct pr_public_key k;

	return pr_public_key_read(s, &k);
}

static bool
is_format(struct pr_str s)
{
	return pr_str_is(s, FORMAT);
}

enum word {
	WORD_FORMAT = 0,
	WORD_DIGEST,
	WORD_PHASE,
	WORD_SECONDS,
	WORD_DAEMON,
	WORD_TIME,
	WORD_KEY,
	WORD_SIGNATURE,
	WORDS
};

static const struct {
	bool (*is)(struct pr_str s);
	const char *wrong, *hint;
} words[WORDS] = {
    {is_format, "this is no promotion line", "it begins with " FORMAT},
    {is_digest, "this is no manifest digest",
	"sha256: and 64 hex digits in lower case"},
    {is_name, "this is no name of a phase", NULL},
    {is_seconds, "this is no number of seconds", NULL},
    {is_name, "this is no name of a daemon", NULL},
    {is_time, "this is no time", "as 2026-11-22T10:16:37Z"},
    {is_key, "this is no public key", "ed25519: and 44 characters of base64"},
    {is_name, "this is no signature", "88 characters of base64"},
};

/* The words of the line, one blank between two; false: said. */
static bool
split(struct reader *r, struct pr_str w[WORDS])
{
	struct pr_str rest = r->line;

	for (unsigned i = 0; i < WORDS; i++) {
		if (rest.p == NULL) {
			bad(r, (struct pr_str){NULL, 0}, NULL,
			    "the line ends too early: format, digest, phase, "
			    "seconds, daemon, time, key, signature");
			return false;
		}
		w[i] = pr_str_cut(&rest, ' ');
		if (!words[i].is(w[i])) {
			bad(r, w[i], words[i].hint, words[i].wrong);
			return false;
		}
	}
	if (rest.p == NULL)
		return true;
	bad(r, rest, NULL, "something stands behind the signature");
	return false;
}

static bool
is_signed(struct reader *r, const struct pr_str w[WORDS])
{
	uint8_t sig[MAX_NAME];
	struct pr_public_key k;
	struct pr_str text = {
	    r->line.p, (size_t)(w[WORD_SIGNATURE].p - r->line.p) - 1};

	if (w[WORD_SIGNATURE].n != 88 ||
	    pr_base64_decode(w[WORD_SIGNATURE], sig) != PR_SIGNATURE_LEN) {
		bad(r, w[WORD_SIGNATURE], words[WORD_SIGNATURE].hint,
		    words[WORD_SIGNATURE].wrong);
		return false;
	}
	if (pr_public_key_read(w[WORD_KEY], &k) &&
	    pr_signature_is_good(&k, text, sig))
		return true;
	bad(r, w[WORD_SIGNATURE],
	    "the line was changed, or signed by another key",
	    "the signature is not the key's");
	return false;
}

static void
keep(struct reader *r, const struct pr_str w[WORDS])
{
	struct pr_promotions *p = r->out;
	struct line *l;
	uint64_t seconds = 0;

	(void)pr_str_u64(w[WORD_SECONDS], &seconds);
	p->lines = pr_grow(p->lines, p->n, &p->cap, sizeof *p->lines);
	l = &p->lines[p->n++];
	*l = (struct line){
	    .p = {.digest = pr_arena_str(p->arena, w[WORD_DIGEST]),
		.phase = pr_arena_str(p->arena, w[WORD_PHASE]),
		.seconds = seconds,
		.daemon = pr_arena_str(p->arena, w[WORD_DAEMON]),
		.time = pr_arena_str(p->arena, w[WORD_TIME]),
		.key = pr_arena_str(p->arena, w[WORD_KEY])},
	    .loc = {.file = r->file, .line = r->number, .col = 1}};
}

static void
read_text(struct reader *r, struct pr_str text)
{
	struct pr_str w[WORDS];

	r->number = 0;
	while (text.p != NULL && text.n > 0) {
		r->line = pr_str_cut(&text, '\n');
		r->number++;
		if (r->line.n == 0 || r->line.p[0] == '#')
			continue;
		if (r->line.n > PR_CAP_PROMOTION_LINE)
			bad(r, (struct pr_str){NULL, 0}, NULL,
			    "the line is too long");
		else if (split(r, w) && is_signed(r, w))
			keep(r, w);
	}
}

/* ---- files ---- */

static int
by_digest(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int c = pr_str_cmp(x->p.digest, y->p.digest);

	if (c != 0)
		return c;
	c = strcmp(x->loc.file, y->loc.file);
	return c != 0
	    ? c
	    : (x->loc.line > y->loc.line) - (x->loc.line < y->loc.line);
}

static struct pr_promotions *
finish(struct reader *r)
{
	if (r->errors > 0) {
		pr_promotions_free(r->out);
		return NULL;
	}
	if (r->out->n > 1)
		qsort(
		    r->out->lines, r->out->n, sizeof *r->out->lines, by_digest);
	return r->out;
}

static struct pr_promotions *
promotions_new(void)
{
	struct pr_promotions *p = pr_xcalloc(1, sizeof *p);

	p->arena = pr_arena_new(4096);
	return p;
}

struct pr_promotions *
pr_promotions_parse(const char *name, struct pr_str text, struct pr_diags *ds)
{
	struct reader r = {.out = promotions_new(), .ds = ds};

	r.file = pr_arena_strdup(r.out->arena, pr_str_of(name));
	read_text(&r, text);
	pr_diags_source(ds, name, pr_arena_strdup(r.out->arena, text));
	return finish(&r);
}

static void
trouble(struct reader *r, const char *path, const char *text)
{
	pr_diags_add(r->ds, PR_ERROR,
	    (struct pr_loc){
		.file = pr_arena_strdup(r->out->arena, pr_str_of(path))},
	    NULL, "%s", text);
	r->errors++;
}

static void
read_file(struct reader *r, const char *path)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	PR_CLEANUP(pr_arena_freep) struct pr_arena *tmp = pr_arena_new(16384);
	struct pr_str text;

	r->file = pr_arena_strdup(r->out->arena, pr_str_of(path));
	if (pr_file_read(tmp, path, PR_CAP_POLICY_FILE, &text, &err) < 0) {
		trouble(r, path, pr_err_text(err));
		return;
	}
	read_text(r, text);
	pr_diags_source(r->ds, path, pr_arena_strdup(tmp, text));
}

static int
is_promotions(const struct dirent *d)
{
	return d->d_name[0] != '.' && pr_str_ends(pr_str_of(d->d_name), ENDING);
}

static void
read_folder(struct reader *r, const char *path)
{
	struct dirent **list = NULL;
	int n = scandir(path, &list, is_promotions, alphasort);

	if (n < 0)
		trouble(r, path, strerror(errno));
	if (n > MAX_FILES)
		trouble(r, path, "too many files");
	for (int i = 0; i < n; i++) {
		if (n <= MAX_FILES)
			read_file(r,
			    pr_arena_printf(
				r->out->arena, "%s/%s", path, list[i]->d_name));
		free(list[i]);
	}
	free(list);
}

struct pr_promotions *
pr_promotions_load(const char *path, struct pr_diags *ds)
{
	struct reader r = {.out = promotions_new(), .ds = ds};
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		read_folder(&r, path);
	else
		read_file(&r, path);
	return finish(&r);
}

void
pr_promotions_free(struct pr_promotions *p)
{
	if (p == NULL)
		return;
	pr_arena_free(p->arena);
	free(p->lines);
	free(p);
}

/* ---- what they say ---- */

/* The first line of the digest, or where it would be. */
static size_t
first_of(const struct pr_promotions *p, struct pr_str digest)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (pr_str_cmp(p->lines[mid].p.digest, digest) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool
pr_promotions_find(const struct pr_promotions *p, struct pr_str key,
    struct pr_str phase, struct pr_str digest, uint64_t *ns)
{
	bool found = false;

	*ns = 0;
	for (size_t i = p != NULL ? first_of(p, digest) : 0;
	     p != NULL && i < p->n && pr_str_eq(p->lines[i].p.digest, digest);
	     i++) {
		const struct pr_promotion *l = &p->lines[i].p;

		if (!pr_str_eq(l->key, key) || !pr_str_eq(l->phase, phase))
			continue;
		found = true;
		if (l->seconds * PR_SEC > *ns)
			*ns = l->seconds * PR_SEC;
	}
	return found;
}

bool
pr_promotions_get(const struct pr_promotions *p, size_t i,
    struct pr_promotion *out, struct pr_loc *loc)
{
	if (p == NULL || i >= p->n)
		return false;
	*out = p->lines[i].p;
	*loc = p->lines[i].loc;
	return true;
}

void
pr_promotion_print(const struct pr_promotion *p, const struct pr_private_key *k,
    struct pr_buf *out)
{
	uint8_t sig[PR_SIGNATURE_LEN];
	char text[4 * ((PR_SIGNATURE_LEN + 2) / 3) + 1];
	char key[PR_PUBLIC_KEY_TEXT];
	struct pr_public_key public;
	size_t at = out->n;

	pr_private_key_public(k, &public);
	pr_public_key_print(&public, key);
	pr_buf_printf(out, FORMAT " %.*s %.*s %llu %.*s %.*s %s",
	    PR_STRF(p->digest), PR_STRF(p->phase),
	    (unsigned long long)p->seconds, PR_STRF(p->daemon),
	    PR_STRF(p->time), key);
	pr_sign(k, (struct pr_str){out->p + at, out->n - at}, sig);
	pr_base64_encode(sig, sizeof sig, text);
	pr_buf_printf(out, " %s\n", text);
}
