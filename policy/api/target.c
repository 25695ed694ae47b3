/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request target.  The daemon decodes the path once (net/url), cleans it
 * and answers a redirect if that changed it, and routes on what is left
 * (gorilla/mux); a plugin is shown the bytes as sent, after Go's JSON encoder
 * has had them.  Only targets that mean one thing to all of these pass.
 */
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/request.h>

#include "refuse.h"

static int
ambiguous(struct pr_refusal *why, const char *text)
{
	return pr_refuse(why, PR_REASON_AMBIGUOUS, "%s", text);
}

/* As nearly all of them are: nothing to decode, nothing to refuse. */
static bool
is_plain(struct pr_str s)
{
	bool odd = s.n == 0 || s.n > PR_CAP_TARGET || s.p[0] != '/';

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		odd |= c <= 0x20 || c >= 0x7f || c == '#' || c == '%';
	}
	return !odd;
}

static int
check_bytes(struct pr_str raw, struct pr_refusal *why)
{
	if (raw.n > PR_CAP_TARGET)
		return pr_refuse(why, PR_REASON_AMBIGUOUS,
		    "the request target has %zu bytes, %zu are the most", raw.n,
		    PR_CAP_TARGET);
	if (raw.n == 0 || raw.p[0] != '/')
		return ambiguous(why,
		    "the request target must be a path that begins with /, "
		    "without scheme or host");
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] <= 0x20 || raw.p[i] >= 0x7f)
			return pr_refuse(why, PR_REASON_AMBIGUOUS,
			    "byte %zu of the request target is not printable "
			    "ASCII; percent-encode it",
			    i);
		if (raw.p[i] == '#')
			return ambiguous(why,
			    "the request target holds a #; percent-encode it "
			    "as %23");
	}
	return 0;
}

/* Decodes %XX once; what comes out must be printable ASCII. */
static int
decode_path(struct pr_arena *a, struct pr_str raw, struct pr_str *path,
    struct pr_refusal *why)
{
	char *p = pr_arena_bytes(a, raw.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++) {
		int c = (unsigned char)raw.p[i];

		if (c == '%') {
			int hi =
			    i + 2 < raw.n ? pr_hex_digit(raw.p[i + 1]) : -1;
			int lo =
			    i + 2 < raw.n ? pr_hex_digit(raw.p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return ambiguous(why,
				    "the path holds a % without two "
				    "hexadecimal digits");
			c = hi << 4 | lo;
			i += 2;
		}
		if (c < 0x20 || c >= 0x7f)
			return pr_refuse(why, PR_REASON_AMBIGUOUS,
			    "the path holds %%%02X: names are printable ASCII",
			    (unsigned)c);
		p[n++] = (char)c;
	}
	*path = (struct pr_str){p, n};
	return 0;
}

/*
 * The router cleans paths and redirects; so a path that path.Clean would
 * change reaches no handler and is no spelling of one.
 */
static int
check_segments(struct pr_str path, struct pr_refusal *why)
{
	struct pr_str rest = pr_str_sub(path, 1, path.n);

	while (rest.p != NULL) {
		struct pr_str segment = pr_str_cut(&rest, '/');

		if (segment.n == 0 && rest.p != NULL)
			return ambiguous(
			    why, "the path holds an empty segment (//)");
		if (pr_str_is(segment, ".") || pr_str_is(segment, ".."))
			return ambiguous(
			    why, "the path holds a segment . or ..");
	}
	return 0;
}

/* Digits without leading zeros, few enough for every engine's int. */
static bool
read_number(struct pr_str s, unsigned *out)
{
	uint64_t v;

	if (s.n > 4 || !pr_str_u64(s, &v))
		return false;
	*out = (unsigned)v;
	return true;
}

static bool
version_is_old(struct pr_version v)
{
	return v.major < 1 || (v.major == 1 && v.minor < PR_API_OLDEST);
}

/*
 * Takes the prefix off *path if the daemon would see one, "/v[0-9.]+/".  The
 * daemon takes many spellings of a version; one is left.
 */
static int
take_version(struct pr_str *path, struct pr_version *v, struct pr_refusal *why)
{
	struct pr_str number, major;
	size_t end = 2;

	if (!pr_str_starts(*path, "/v"))
		return 0;
	while (end < path->n && strchr("0123456789.", path->p[end]) != NULL)
		end++;
	if (end == 2 || end == path->n || path->p[end] != '/')
		return 0;
	number = pr_str_sub(*path, 2, end);
	*path = pr_str_sub(*path, end, path->n);
	major = pr_str_cut(&number, '.');
	if (number.p == NULL || !read_number(major, &v->major) ||
	    !read_number(number, &v->minor)) {
		*v = (struct pr_version){0, 0};
		return ambiguous(why,
		    "the version must be written as /v1.41: two numbers "
		    "without leading zeros");
	}
	if (version_is_old(*v))
		return pr_refuse(why, PR_REASON_UNSUPPORTED_VERSION,
		    "API version %u.%u is not served; 1.%d is the oldest",
		    v->major, v->minor, PR_API_OLDEST);
	return 0;
}

int
pr_target_read(struct pr_arena *a, struct pr_str raw, struct pr_target *out,
    struct pr_refusal *why)
{
	bool plain = is_plain(raw);

	*out = (struct pr_target){.path = PR_STR("")};
	if (!plain && check_bytes(raw, why) < 0)
		return -1;
	out->query = raw;
	if (plain)
		out->path = pr_str_cut(&out->query, '?');
	else if (decode_path(a, pr_str_cut(&out->query, '?'), &out->path, why) <
	    0)
		return -1;
	if (check_segments(out->path, why) < 0)
		return -1;
	return take_version(&out->path, &out->version, why);
}
