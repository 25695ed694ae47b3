/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Targets and queries: what is accepted is what the router would route
 * without a redirect, is printable ASCII, and means the same when it is
 * encoded anew in another spelling.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/caps.h>
#include <portreeve/request.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
check_refusal(const struct pr_refusal *why)
{
	must(why->reason == PR_REASON_AMBIGUOUS ||
	    why->reason == PR_REASON_UNSUPPORTED_VERSION);
	must(why->text[0] != '\0');
	must(pr_str_printable(pr_str_of(why->text)));
}

/* path.Clean would leave it alone, but for a slash at the end. */
static void
check_path(struct pr_str path)
{
	must(path.n > 0 && path.p[0] == '/' && pr_str_printable(path));
	for (size_t i = 0; i + 1 < path.n; i++) {
		struct pr_str rest = pr_str_sub(path, i, path.n);

		must(!pr_str_starts(rest, "//"));
		must(!pr_str_starts(rest, "/./") && !pr_str_is(rest, "/."));
		must(!pr_str_starts(rest, "/../") && !pr_str_is(rest, "/.."));
	}
}

static void
escape_all(struct pr_buf *b, struct pr_str s)
{
	for (size_t i = 0; i < s.n; i++)
		pr_buf_printf(b, "%%%02x", (unsigned char)s.p[i]);
}

/* Every byte escaped, as the daemon would decode it again. */
static void
check_other_spelling(struct pr_arena *a, const struct pr_target *t)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	struct pr_refusal why;
	struct pr_target again;

	if (t->path.n * 3 + 32 > PR_CAP_TARGET)
		return;
	pr_buf_char(&b, '/');
	if (t->version.major > 0)
		pr_buf_printf(
		    &b, "v%u.%u/", t->version.major, t->version.minor);
	escape_all(&b, pr_str_sub(t->path, 1, t->path.n));
	must(pr_target_read(a, pr_buf_view(&b), &again, &why) == 0);
	must(pr_str_eq(again.path, t->path));
	must(again.version.major == t->version.major &&
	    again.version.minor == t->version.minor);
}

static void
check_query(struct pr_arena *a, struct pr_str raw)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	const struct pr_query_pair *pairs, *again;
	struct pr_refusal why;
	size_t n, m;

	if (pr_query_read(a, raw, &pairs, &n, &why) < 0) {
		check_refusal(&why);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		must(pairs[i].key.n > 0 && pr_str_printable(pairs[i].key));
		must(pr_str_utf8(pairs[i].value));
		must(pairs[i].value.n == 0 ||
		    memchr(pairs[i].value.p, 0, pairs[i].value.n) == NULL);
		pr_buf_char(&b, '&');
		escape_all(&b, pairs[i].key);
		pr_buf_char(&b, '=');
		escape_all(&b, pairs[i].value);
	}
	must(
	    pr_query_read(a, pr_buf_view(&b), &again, &m, &why) == 0 && m == n);
	for (size_t i = 0; i < n; i++)
		must(pr_str_eq(pairs[i].key, again[i].key) &&
		    pr_str_eq(pairs[i].value, again[i].value));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pr_arena *a = pr_arena_new(1024);
	char *copy = pr_xmalloc(size + 1);
	struct pr_str raw = {copy, size};
	struct pr_refusal why;
	struct pr_target t;

	if (size > 0)
		memcpy(copy, data, size);
	if (pr_target_read(a, raw, &t, &why) < 0) {
		check_refusal(&why);
	} else {
		check_path(t.path);
		must(t.version.major == 0 || t.version.major > 1 ||
		    t.version.minor >= PR_API_OLDEST);
		check_other_spelling(a, &t);
		check_query(a, t.query);
	}
	check_query(a, raw);
	(void)pr_media_of(raw);
	free(copy);
	pr_arena_free(a);
	return 0;
}
