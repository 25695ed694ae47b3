/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content-Type, as Go's mime.ParseMediaType reads it, for the part of its
 * language that every client writes; the rest is BAD: the daemon's own
 * readers disagree about a type whose parameters are broken (ParseForm still
 * takes it for a form, CheckForJSON does not take it for JSON).
 */
#include <string.h>

#include <portreeve/request.h>

#define MAX_PARAMETERS 8

static const char *const tars[] = {
    "application/x-tar",
    "application/tar",
    "application/octet-stream",
    "text/plain",
};

/* RFC 7230 token characters, without '*' (RFC 2231 is not for us). */
static size_t
token_length(struct pr_str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] > 0x20 && s.p[n] < 0x7f &&
	    strchr("()<>@,;:\\\"/[]?={}*", s.p[n]) == NULL)
		n++;
	return n;
}

static bool
is_token(struct pr_str s)
{
	return s.n > 0 && token_length(s) == s.n;
}

static bool
is_type(struct pr_str s)
{
	struct pr_str sub = s, main_type = pr_str_cut(&sub, '/');

	return sub.p != NULL && is_token(main_type) && is_token(sub);
}

/* Takes a token or a plain quoted string off *s; false: neither. */
static bool
take_value(struct pr_str *s)
{
	size_t n = token_length(*s);

	if (n == 0 && s->n > 1 && s->p[0] == '"') {
		for (n = 1; n < s->n && s->p[n] != '"'; n++) {
			if (s->p[n] < 0x20 || s->p[n] >= 0x7f ||
			    s->p[n] == '\\')
				return false;
		}
		if (n == s->n)
			return false;
		n++;
	}
	*s = pr_str_sub(*s, n, s->n);
	return n > 0;
}

/* Everything after the first ';': name=value, parted by ';'. */
static bool
parameters_are_well_formed(struct pr_str s)
{
	struct pr_str names[MAX_PARAMETERS];

	for (size_t n = 0;; n++) {
		size_t len;

		s = pr_str_trim(s);
		if (s.n == 0)
			return true; /* also "application/json;" */
		len = token_length(s);
		if (len == 0 || len == s.n || s.p[len] != '=' ||
		    n == MAX_PARAMETERS)
			return false;
		names[n] = pr_str_sub(s, 0, len);
		for (size_t i = 0; i < n; i++) {
			if (pr_str_eq_nocase(names[i], names[n]))
				return false;
		}
		s = pr_str_sub(s, len + 1, s.n);
		if (!take_value(&s))
			return false;
		s = pr_str_trim(s);
		if (s.n == 0)
			return true;
		if (s.p[0] != ';')
			return false;
		s = pr_str_sub(s, 1, s.n);
	}
}

enum pr_media
pr_media_of(struct pr_str content_type)
{
	struct pr_str rest = pr_str_trim(content_type), type;

	if (rest.n == 0)
		return PR_MEDIA_NONE;
	type = pr_str_trim(pr_str_cut(&rest, ';'));
	if (!is_type(type) || !parameters_are_well_formed(rest))
		return PR_MEDIA_BAD;
	if (pr_str_is_nocase(type, "application/json"))
		return PR_MEDIA_JSON;
	if (pr_str_is_nocase(type, "application/x-www-form-urlencoded") ||
	    (type.n >= 10 &&
		pr_str_is_nocase(pr_str_sub(type, 0, 10), "multipart/")))
		return PR_MEDIA_FORM;
	for (size_t i = 0; i < PR_COUNT(tars); i++) {
		if (pr_str_is_nocase(type, tars[i]))
			return PR_MEDIA_TAR;
	}
	return PR_MEDIA_OTHER;
}
