/* SPDX-License-Identifier: Apache-2.0 */
/* Which signature of a policy's files is good. */
#include <sys/stat.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/clock.h>
#include <portreeve/digest.h>
#include <portreeve/file.h>

#include "files.h"

#define FORMAT   "portreeve-policy/1"
#define HASH     "sha256:"
#define HASH_LEN 71
#define MAX_LINE 1024
#define MAX_KEYS 64
/* base64 of PR_PEM_SIGNATURE */
#define SIG_TEXT (PR_PEM_SIGNATURE / 3 * 4)

/* ---- the digest ---- */

static struct pr_str
name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return pr_str_of(slash != NULL ? slash + 1 : path);
}

/* As sha256sum would print it; names that it would escape are refused. */
static bool
digest_of(struct lang *l, const struct files *files, char out[HASH_LEN + 1])
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf list = PR_BUF_INIT;
	uint8_t sum[PR_SHA256_LEN];
	char hex[PR_SHA256_HEX];

	for (size_t i = 0; i < files->n; i++) {
		const struct file *f = &files->v[i];
		struct pr_str name = name_of(f->name);
		struct pr_loc loc = {f->name, 0, 0, 0};

		if (!pr_str_printable(name) ||
		    pr_str_find(name, '\\') < name.n) {
			lang_error(l, loc, "letters, digits, '-', '_', '.'",
			    "a file of this name cannot be signed");
			return false;
		}
		pr_sha256(f->text.p, f->text.n, sum);
		pr_hex(sum, sizeof sum, hex);
		pr_buf_printf(&list, "%s  %.*s\n", hex, PR_STRF(name));
	}
	pr_sha256(list.p, list.n, sum);
	memcpy(out, HASH, sizeof HASH);
	pr_hex(sum, sizeof sum, out + sizeof HASH - 1);
	return true;
}

/* ---- keys ---- */

struct keys {
	struct pr_pem_key *v[MAX_KEYS];
	size_t n;
};

static void
keys_fini(struct keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		pr_pem_key_free(k->v[i]);
}

/* All or none: one that cannot be read is a mistake, not one less. */
static bool
read_keys(struct lang *l, const struct pr_policy_signers *s, struct keys *out)
{
	if (s->n_keys > MAX_KEYS) {
		lang_error(l, s->loc, NULL, "more than %d keys", MAX_KEYS);
		return false;
	}
	for (size_t i = 0; i < s->n_keys; i++) {
		PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

		out->v[out->n] = pr_pem_key_public(s->keys[i], &err);
		if (out->v[out->n] == NULL)
			lang_error(l, s->loc, NULL, "%s", pr_err_text(err));
		else
			out->n++;
	}
	return out->n == s->n_keys;
}

static const struct pr_pem_key *
key_by_id(const struct keys *keys, struct pr_str id)
{
	for (size_t i = 0; i < keys->n; i++) {
		if (pr_str_is(id, pr_pem_key_id(keys->v[i])))
			return keys->v[i];
	}
	return NULL;
}

/* ---- lines ---- */

enum word {
	WORD_FORMAT = 0,
	WORD_SERIAL,
	WORD_DIGEST,
	WORD_TIME,
	WORD_KEY,
	WORD_SIGNATURE,
	WORDS
};

/* How far the best line came. */
enum stage {
	STAGE_NONE = 0,
	STAGE_OTHER_FILES,
	STAGE_STRANGER,
	STAGE_FORGED,
	STAGE_OLD,
	STAGE_GOOD,
};

struct reader {
	struct lang *l;
	const char *file;
	const struct keys *keys;
	const char *digest;
	uint64_t min_serial;
	struct pr_policy_signature *out;
	struct pr_str line;
	unsigned number;
	enum stage best;
	struct pr_loc at; /* of the best */
};

static struct pr_loc
place(const struct reader *r, struct pr_str word)
{
	return (struct pr_loc){r->file, r->number,
	    (unsigned)(word.p - r->line.p) + 1, (unsigned)word.n};
}

static bool
is_hash(struct pr_str s)
{
	bool hex = s.n == HASH_LEN && pr_str_starts(s, HASH);

	for (size_t i = strlen(HASH); hex && i < s.n; i++)
		hex = strchr("0123456789abcdef", s.p[i]) != NULL;
	return hex;
}

static bool
is_well_formed(enum word what, struct pr_str s)
{
	uint64_t serial;

	switch (what) {
	case WORD_FORMAT:
		return pr_str_is(s, FORMAT);
	case WORD_SERIAL:
		return pr_str_u64(s, &serial) && serial > 0 &&
		    serial <= INT64_MAX;
	case WORD_DIGEST:
	case WORD_KEY:
		return is_hash(s);
	case WORD_TIME:
		return s.n > 0 && s.n < 32 && pr_str_printable(s);
	case WORD_SIGNATURE:
		return s.n > 0 && s.n <= SIG_TEXT;
	case WORDS:
		break;
	}
	return false;
}

static bool
split(struct reader *r, struct pr_str w[WORDS])
{
	static const char *const wrong[WORDS] = {"the line begins with " FORMAT,
	    "a serial is a number", "a digest is " HASH " and 64 hex digits",
	    "this is no time", "a key is " HASH " and 64 hex digits",
	    "a signature is base64, of Ed25519 or P-256"};
	struct pr_str rest = r->line;

	for (unsigned i = 0; i < WORDS; i++) {
		w[i] = rest.p != NULL
		    ? pr_str_cut(&rest, ' ')
		    : pr_str_sub(r->line, r->line.n, r->line.n);
		if (is_well_formed((enum word)i, w[i]))
			continue;
		lang_error(r->l, place(r, w[i]), NULL, "%s", wrong[i]);
		return false;
	}
	if (rest.p == NULL)
		return true;
	lang_error(r->l, place(r, rest), NULL,
	    "something stands behind the signature");
	return false;
}

static bool
is_signed(const struct reader *r, const struct pr_pem_key *key,
    const struct pr_str w[WORDS])
{
	uint8_t sig[SIG_TEXT];
	struct pr_str text = {
	    r->line.p, (size_t)(w[WORD_SIGNATURE].p - r->line.p) - 1};
	ptrdiff_t n = pr_base64_decode(w[WORD_SIGNATURE], sig);

	return n > 0 && pr_pem_key_verify(key, text, sig, (size_t)n);
}

static enum stage
judge_line(const struct reader *r, const struct pr_str w[WORDS])
{
	const struct pr_pem_key *key = key_by_id(r->keys, w[WORD_KEY]);
	uint64_t serial = 0;

	if (!pr_str_is(w[WORD_DIGEST], r->digest))
		return STAGE_OTHER_FILES;
	if (key == NULL)
		return STAGE_STRANGER;
	if (!is_signed(r, key, w))
		return STAGE_FORGED;
	return pr_str_u64(w[WORD_SERIAL], &serial) && serial >= r->min_serial
	    ? STAGE_GOOD
	    : STAGE_OLD;
}

static void
copy(char *to, size_t size, struct pr_str s)
{
	size_t n = s.n < size ? s.n : size - 1;

	memcpy(to, s.p, n);
	to[n] = '\0';
}

/* Of several good lines the one with the highest serial counts. */
static void
take(struct reader *r, const struct pr_str w[WORDS])
{
	enum stage stage = judge_line(r, w);
	uint64_t serial = 0;

	(void)pr_str_u64(w[WORD_SERIAL], &serial);
	if (stage < r->best || (stage == r->best && serial <= r->out->serial))
		return;
	r->best = stage;
	r->at = (struct pr_loc){r->file, r->number, 1, 0};
	r->out->serial = serial;
	copy(r->out->digest, sizeof r->out->digest, w[WORD_DIGEST]);
	copy(r->out->time, sizeof r->out->time, w[WORD_TIME]);
	copy(r->out->key, sizeof r->out->key, w[WORD_KEY]);
}

static void
read_lines(struct reader *r, struct pr_str text)
{
	struct pr_str w[WORDS];

	while (text.p != NULL && text.n > 0) {
		r->line = pr_str_cut(&text, '\n');
		r->number++;
		if (r->line.n == 0 || r->line.p[0] == '#')
			continue;
		if (r->line.n > MAX_LINE)
			lang_error(r->l,
			    (struct pr_loc){r->file, r->number, 1, 0}, NULL,
			    "the line is too long");
		else if (split(r, w))
			take(r, w);
	}
}

static void
explain(struct reader *r)
{
	struct pr_loc loc = r->at;
	struct lang *l = r->l;

	switch (r->best) {
	case STAGE_NONE:
		lang_error(l, (struct pr_loc){r->file, 0, 0, 0},
		    "portreeve policy sign makes a line",
		    "there is no signature in it");
		break;
	case STAGE_OTHER_FILES:
		lang_error(l, loc, "sign it again, or bring the old files back",
		    "the signature is of other files: these have the digest %s",
		    r->digest);
		break;
	case STAGE_STRANGER:
		lang_error(l, loc,
		    "add its public key to policy_signature.keys",
		    "signed by %s, which is not trusted here", r->out->key);
		break;
	case STAGE_FORGED:
		lang_error(l, loc, "the line was changed after it was made",
		    "the signature is not the key's");
		break;
	case STAGE_OLD:
		lang_error(l, loc, "sign it again with a higher serial",
		    "serial %" PRIu64 " is older than %" PRIu64
		    ", the oldest that is taken",
		    r->out->serial, r->min_serial);
		break;
	case STAGE_GOOD:
		break;
	}
}

/* ---- a policy's signature ---- */

static const char *
signature_path(const char *path, bool is_folder, struct pr_arena *a)
{
	size_t len = strlen(path);

	if (!is_folder)
		return pr_arena_printf(a, "%s.sig", path);
	return pr_arena_printf(a, "%s%sSIGNATURE", path,
	    len > 0 && path[len - 1] == '/' ? "" : "/");
}

const char *
pr_policy_signature_path(const char *path, struct pr_arena *a)
{
	struct stat st;

	return signature_path(
	    path, stat(path, &st) == 0 && S_ISDIR(st.st_mode), a);
}

bool
files_signed(struct lang *l, const char *path, const struct files *files,
    const struct pr_policy_signers *s, struct pr_policy_signature *out)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	PR_CLEANUP(keys_fini) struct keys keys = {.n = 0};
	struct reader r = {.l = l,
	    .keys = &keys,
	    .file = signature_path(path, files->is_folder, l->arena),
	    .min_serial = s->min_serial,
	    .out = out};
	char digest[HASH_LEN + 1];
	struct pr_str text;

	*out = (struct pr_policy_signature){0};
	if (l->errors > 0 || !digest_of(l, files, digest) ||
	    !read_keys(l, s, &keys))
		return false;
	r.digest = digest;
	if (pr_file_read(l->tree, r.file, PR_CAP_SMALL_FILE, &text, &err) < 0) {
		lang_error(l, s->loc, "portreeve policy sign --help",
		    "the policy is not signed: %s", pr_err_text(err));
		return false;
	}
	read_lines(&r, text);
	if (l->errors == 0)
		explain(&r);
	pr_diags_source(l->ds, r.file, text.p);
	if (l->errors == 0)
		return true;
	*out = (struct pr_policy_signature){0};
	return false;
}

static void
begin(struct lang *l, struct pr_diags *ds)
{
	*l = (struct lang){
	    .ds = ds, .tree = pr_arena_new(16384), .arena = pr_arena_new(4096)};
}

static void
end(struct lang *l)
{
	pr_arena_free(l->tree);
	pr_arena_free(l->arena);
}

int
pr_policy_verify(const char *path, const struct pr_policy_signers *s,
    struct pr_policy_signature *out, struct pr_diags *ds)
{
	struct files files;
	struct lang l;
	bool good;

	begin(&l, ds);
	files_read(&l, path, &files);
	good = files_signed(&l, path, &files, s, out);
	free(files.v);
	end(&l);
	return good ? 0 : -1;
}

int
pr_policy_sign(const char *path, uint64_t serial, const struct pr_pem_key *key,
    struct pr_buf *out, struct pr_diags *ds)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf line = PR_BUF_INIT;
	char digest[HASH_LEN + 1], now[32], text[SIG_TEXT + 1];
	uint8_t sig[PR_PEM_SIGNATURE];
	struct files files;
	struct lang l;
	size_t n = 0;

	begin(&l, ds);
	files_read(&l, path, &files);
	if (l.errors == 0 && digest_of(&l, &files, digest)) {
		pr_clock_format(pr_clock_wall(), now);
		pr_buf_printf(&line, FORMAT " %" PRIu64 " %s %s %s", serial,
		    digest, now, pr_pem_key_id(key));
		n = pr_pem_key_sign(key, pr_buf_view(&line), sig);
		if (n == 0)
			lang_error(&l, (struct pr_loc){path, 0, 0, 0}, NULL,
			    "the key does not sign");
	}
	if (n > 0) {
		pr_base64_encode(sig, n, text);
		pr_buf_printf(
		    out, "%.*s %s\n", PR_STRF(pr_buf_view(&line)), text);
	}
	free(files.v);
	end(&l);
	return n > 0 ? 0 : -1;
}
