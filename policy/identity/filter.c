/* SPDX-License-Identifier: Apache-2.0 */
/* Search templates: "(mail={san.email})" → an RFC 4515 filter. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>

#include <portreeve/buf.h>

#include "rules.h"

/* How a value is written into the filter. */
enum form {
	FORM_TEXT,    /* RFC 4515 escapes */
	FORM_DECIMAL, /* hex → decimal */
	FORM_GSER,    /* inside "" of RFC 3641: quotes doubled, then as TEXT */
	FORM_BYTES,   /* every byte escaped */
};

#define ONE(member) \
	offsetof(struct pr_subject, member), 0, sizeof(struct pr_str)
#define MANY(list, count) \
	offsetof(struct pr_subject, list), offsetof(struct pr_subject, count), 0

/* Where a field's value is: one pr_str, or the only one of a list. */
static const struct field {
	const char *word;
	enum form form;
	size_t at, count_at, one;
} fields[] = {
    {"name", FORM_TEXT, ONE(name)},
    {"cn", FORM_TEXT, ONE(cn)},
    {"san.email", FORM_TEXT, MANY(emails, n_emails)},
    {"san.upn", FORM_TEXT, MANY(upns, n_upns)},
    {"san.uri", FORM_TEXT, MANY(uris, n_uris)},
    {"san.dns", FORM_TEXT, MANY(dns, n_dns)},
    {"subject", FORM_TEXT, ONE(subject)},
    {"issuer", FORM_TEXT, ONE(issuer)},
    {"issuer.gser", FORM_GSER, ONE(issuer)},
    {"fingerprint", FORM_TEXT, ONE(fingerprint)},
    {"serial", FORM_TEXT, ONE(serial)},
    {"serial.decimal", FORM_DECIMAL, ONE(serial)},
    {"der", FORM_BYTES, ONE(der)},
};

/* The same words for others; a test holds the two tables together. */
const char *const pr_identity_fields[] = {"name", "cn", "san.email", "san.upn",
    "san.uri", "san.dns", "subject", "issuer", "issuer.gser", "fingerprint",
    "serial", "serial.decimal", "der", NULL};

_Static_assert(PR_COUNT(fields) + 1 == PR_COUNT(pr_identity_fields),
    "every field has its word");

static int
field_of(struct pr_str word)
{
	for (size_t i = 0; i < PR_COUNT(fields); i++)
		if (pr_str_is(word, fields[i].word))
			return (int)i;
	return -1;
}

static bool
begins_field(struct pr_str s, size_t i)
{
	return s.p[i] == '{' && i + 1 < s.n && s.p[i + 1] >= 'a' &&
	    s.p[i + 1] <= 'z';
}

static bool
unknown_field(struct pr_str word, struct pr_loc loc, struct pr_diags *ds)
{
	const char *near =
	    pr_suggest(word, pr_identity_fields, PR_COUNT(fields));
	char hint[80];

	snprintf(hint, sizeof hint, "did you mean \"{%s}\"?",
	    near != NULL ? near : "");
	pr_diags_add(ds, PR_ERROR, loc, near != NULL ? hint : NULL,
	    "a search has no field \"{%.*s}\"", PR_STRF(word));
	return false;
}

/* Reads one "{word}" at *i. */
static bool
parse_field(struct pr_str s, size_t *i, bool user, struct pr_loc loc,
    struct pr_diags *ds, int *field)
{
	size_t end = *i;
	struct pr_str word;

	while (end < s.n && s.p[end] != '}')
		end++;
	word = pr_str_sub(s, *i + 1, end);
	if (end == s.n) {
		pr_diags_add(ds, PR_ERROR, loc, NULL,
		    "\"{%.*s\" is not closed with '}'", PR_STRF(word));
		return false;
	}
	*field = field_of(word);
	if (*field < 0)
		return unknown_field(word, loc, ds);
	if (user && *field != 0) {
		pr_diags_add(ds, PR_ERROR, loc, "write {name}",
		    "with by: user there is no certificate to take {%.*s} from",
		    PR_STRF(word));
		return false;
	}
	*i = end + 1;
	return true;
}

/* '(' and ')' in pairs, one pair around everything. */
static bool
is_balanced(struct pr_str s)
{
	size_t depth = 0;

	if (s.n < 3 || s.p[0] != '(')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '(')
			depth++;
		if (s.p[i] == ')' && depth-- == 0)
			return false;
		if (depth == 0)
			return i + 1 == s.n;
	}
	return false;
}

static bool
parse_parts(struct pr_arena *a, struct pr_str s, bool user, struct pr_loc loc,
    struct pr_diags *ds, struct filter *out)
{
	size_t from = 0;

	for (size_t i = 0; i < s.n;) {
		size_t at = i;
		int field;

		if (!begins_field(s, i)) {
			i++;
			continue;
		}
		if (!parse_field(s, &i, user, loc, ds, &field))
			return false;
		out->v[out->n++] = (struct filter_part){
		    pr_arena_str(a, pr_str_sub(s, from, at)), field};
		from = i;
	}
	if (out->n == 0) {
		pr_diags_add(ds, PR_ERROR, loc,
		    "for example (mail={san.email})",
		    "this search is the same for everybody: no {field} in it");
		return false;
	}
	out->v[out->n++] =
	    (struct filter_part){pr_arena_str(a, pr_str_sub(s, from, s.n)), -1};
	return true;
}

bool
filter_parse(struct pr_arena *a, const char *text, bool user, struct pr_loc loc,
    struct pr_diags *ds, struct filter *out)
{
	struct pr_str s = pr_str_of(text);

	*out = (struct filter){NULL, 0};
	if (s.n > 1024 || !pr_str_utf8(s) || !is_balanced(s) ||
	    pr_str_find(s, '=') == s.n) {
		pr_diags_add(ds, PR_ERROR, loc,
		    "for example (mail={san.email})",
		    "a search is an LDAP filter (RFC 4515) in parentheses");
		return false;
	}
	out->v = pr_arena_array(a, s.n / 2 + 2, sizeof *out->v);
	return parse_parts(a, s, user, loc, ds, out);
}

static void
put_escaped(struct pr_buf *b, unsigned char c)
{
	pr_buf_printf(b, "\\%02x", c);
}

static void
put_text(struct pr_buf *b, struct pr_str v, bool gser)
{
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if (c < 0x20 || c == 0x7f || strchr("*()\\", c) != NULL)
			put_escaped(b, c);
		else
			pr_buf_char(b, (char)c);
		if (gser && c == '"')
			pr_buf_char(b, '"');
	}
}

static void
put_decimal(struct pr_arena *a, struct pr_buf *b, struct pr_str hex)
{
	BIGNUM *n = NULL;
	char *text = NULL;

	if (BN_hex2bn(&n, pr_arena_strdup(a, hex)) > 0 &&
	    (text = BN_bn2dec(n)) != NULL)
		pr_buf_cstr(b, text);
	OPENSSL_free(text);
	BN_free(n);
}

static void
put_field(struct pr_arena *a, struct pr_buf *b, enum form form, struct pr_str v)
{
	switch (form) {
	case FORM_TEXT:
	case FORM_GSER:
		put_text(b, v, form == FORM_GSER);
		break;
	case FORM_DECIMAL:
		put_decimal(a, b, v);
		break;
	case FORM_BYTES:
		for (size_t i = 0; i < v.n; i++)
			put_escaped(b, (unsigned char)v.p[i]);
		break;
	}
}

/* The only value of the field; false: none, or several. */
static bool
only_value(const struct field *f, const struct pr_subject *s, struct pr_str *v)
{
	const char *base = (const char *)s;
	const struct pr_str *const *list;
	const size_t *n;

	if (f->one != 0) {
		memcpy(v, base + f->at, sizeof *v);
		return v->n > 0;
	}
	list = (const void *)(base + f->at);
	n = (const void *)(base + f->count_at);
	if (*n != 1)
		return false;
	*v = (*list)[0];
	return true;
}

const char *
filter_render(struct pr_arena *a, const struct filter *f,
    const struct pr_subject *s, struct pr_str *out)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	for (size_t i = 0; i < f->n; i++) {
		const struct field *field;
		struct pr_str v;

		pr_buf_str(&b, f->v[i].literal);
		if (f->v[i].field < 0)
			continue;
		field = &fields[f->v[i].field];
		if (!only_value(field, s, &v))
			return pr_arena_printf(a,
			    "the rule's search wants one {%s}, the certificate "
			    "has none or several",
			    field->word);
		put_field(a, &b, field->form, v);
	}
	*out = pr_arena_str(a, pr_buf_view(&b));
	return NULL;
}
