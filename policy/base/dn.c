/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <portreeve/dn.h>

#define RDNS_MAX 64
#define AVAS_MAX 16

/* Types by all their names; FOLD: the equality rule ignores case. */
enum {
	EXACT = 0,
	FOLD = 1
};
static const struct type {
	const char *name, *canonical;
	int fold;
} types[] = {
    {"0.9.2342.19200300.100.1.1", "uid", FOLD},
    {"0.9.2342.19200300.100.1.25", "dc", FOLD},
    {"0.9.2342.19200300.100.1.3", "mail", FOLD},
    {"1.2.840.113549.1.9.1", "emailaddress", FOLD},
    {"2.5.4.10", "o", FOLD},
    {"2.5.4.11", "ou", FOLD},
    {"2.5.4.12", "title", FOLD},
    {"2.5.4.13", "description", FOLD},
    {"2.5.4.3", "cn", FOLD},
    {"2.5.4.31", "member", EXACT},
    {"2.5.4.4", "sn", FOLD},
    {"2.5.4.42", "givenname", FOLD},
    {"2.5.4.43", "initials", FOLD},
    {"2.5.4.46", "dnqualifier", FOLD},
    {"2.5.4.5", "serialnumber", FOLD},
    {"2.5.4.50", "uniquemember", EXACT},
    {"2.5.4.6", "c", FOLD},
    {"2.5.4.7", "l", FOLD},
    {"2.5.4.8", "st", FOLD},
    {"2.5.4.9", "street", FOLD},
    {"c", "c", FOLD},
    {"cn", "cn", FOLD},
    {"commonname", "cn", FOLD},
    {"countryname", "c", FOLD},
    {"dc", "dc", FOLD},
    {"description", "description", FOLD},
    {"displayname", "displayname", FOLD},
    {"dnqualifier", "dnqualifier", FOLD},
    {"domaincomponent", "dc", FOLD},
    {"email", "emailaddress", FOLD},
    {"emailaddress", "emailaddress", FOLD},
    {"givenname", "givenname", FOLD},
    {"gn", "givenname", FOLD},
    {"initials", "initials", FOLD},
    {"l", "l", FOLD},
    {"localityname", "l", FOLD},
    {"mail", "mail", FOLD},
    {"name", "name", FOLD},
    {"o", "o", FOLD},
    {"organizationalunitname", "ou", FOLD},
    {"organizationname", "o", FOLD},
    {"ou", "ou", FOLD},
    {"rfc822mailbox", "mail", FOLD},
    {"samaccountname", "samaccountname", FOLD},
    {"serialnumber", "serialnumber", FOLD},
    {"sn", "sn", FOLD},
    {"st", "st", FOLD},
    {"stateorprovincename", "st", FOLD},
    {"street", "street", FOLD},
    {"streetaddress", "street", FOLD},
    {"surname", "sn", FOLD},
    {"title", "title", FOLD},
    {"uid", "uid", FOLD},
    {"userid", "uid", FOLD},
};

static int
type_order(const void *key, const void *row)
{
	return strcmp(key, ((const struct type *)row)->name);
}

static const struct type *
find_type(const char *name)
{
	return bsearch(
	    name, types, PR_COUNT(types), sizeof types[0], type_order);
}

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* descr: a letter, then letters, digits and hyphens; or numbers and dots */
static bool
is_type(struct pr_str s)
{
	bool oid = s.n > 0 && is_digit(s.p[0]);

	if (s.n == 0 || s.n >= PR_DN_TYPE_MAX || (!oid && !is_alpha(s.p[0])))
		return false;
	for (size_t i = 1; i < s.n; i++) {
		char c = s.p[i];

		if (oid ? !is_digit(c) && (c != '.' || s.p[i - 1] == '.')
			: !is_alpha(c) && !is_digit(c) && c != '-')
			return false;
	}
	return s.p[s.n - 1] != '.';
}

bool
pr_dn_type(struct pr_str type, char out[PR_DN_TYPE_MAX])
{
	struct pr_str base = pr_str_sub(type, 0, pr_str_find(type, ';'));
	const struct type *t;

	if (!is_type(base))
		return false;
	for (size_t i = 0; i < base.n; i++)
		out[i] =
		    (char)(base.p[i] >= 'A' && base.p[i] <= 'Z' ? base.p[i] + 32
								: base.p[i]);
	out[base.n] = '\0';
	t = find_type(out);
	if (t != NULL)
		memcpy(out, t->canonical, strlen(t->canonical) + 1);
	return true;
}

/* Capital letters come in runs (+delta) and in pairs (even or odd, +1). */
static const struct {
	uint32_t from, to;
	uint32_t delta;
	int parity; /* 0: all; 1: odd ones; 2: even ones */
} capitals[] = {
    {0x0041, 0x005a, 32, 0},
    {0x00c0, 0x00d6, 32, 0},
    {0x00d8, 0x00de, 32, 0},
    {0x0100, 0x012f, 1, 2},
    {0x0132, 0x0137, 1, 2},
    {0x0139, 0x0148, 1, 1},
    {0x014a, 0x0177, 1, 2},
    {0x0179, 0x017e, 1, 1},
    {0x0386, 0x0386, 38, 0},
    {0x0388, 0x038a, 37, 0},
    {0x038c, 0x038c, 64, 0},
    {0x038e, 0x038f, 63, 0},
    {0x0391, 0x03a1, 32, 0},
    {0x03a3, 0x03ab, 32, 0},
    {0x0400, 0x040f, 80, 0},
    {0x0410, 0x042f, 32, 0},
    {0x0460, 0x0481, 1, 2},
    {0x048a, 0x04bf, 1, 2},
    {0x04d0, 0x052f, 1, 2},
    {0x1e00, 0x1e95, 1, 2},
    {0x1ea0, 0x1eff, 1, 2},
};

static uint32_t
small_letter(uint32_t c)
{
	for (size_t i = 0; i < PR_COUNT(capitals); i++) {
		if (c < capitals[i].from)
			return c;
		if (c > capitals[i].to)
			continue;
		if (capitals[i].parity == 0 ||
		    (capitals[i].parity == 1) == (c % 2 == 1))
			return c + capitals[i].delta;
		return c;
	}
	return c;
}

/* One character of well-formed UTF-8 below U+10000; longer ones as they are. */
static size_t
fold_char(const unsigned char *p, size_t n, char out[4])
{
	uint32_t c = p[0];
	size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (len > n)
		len = n;
	if (len == 2)
		c = (c & 0x1f) << 6 | (p[1] & 0x3f);
	else if (len == 3)
		c = (c & 0x0f) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3f);
	memcpy(out, p, len);
	if (len == 4 || small_letter(c) == c)
		return len;
	c = small_letter(c);
	if (len == 1) {
		out[0] = (char)c;
	} else if (len == 2) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
	} else {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
	}
	return len;
}

void
pr_dn_fold(struct pr_str value, struct pr_buf *out)
{
	bool word = false, gap = false;

	for (size_t i = 0; i < value.n;) {
		char c[4];
		size_t n;

		if (value.p[i] == ' ') {
			gap = word;
			i++;
			continue;
		}
		if (gap)
			pr_buf_char(out, ' ');
		gap = false;
		word = true;
		n = fold_char(
		    (const unsigned char *)value.p + i, value.n - i, c);
		pr_buf_add(out, c, n);
		i += n;
	}
}

/*
 * The reader.  A value is decoded into `value`, in which a wildcard is the
 * byte 1: values with control characters cannot be confused with it because
 * they are refused in patterns.
 */
#define WILD '\1'

struct reader {
	const char *p, *end;
	bool pattern;
	struct pr_buf value;  /* decoded value of one AVA */
	struct pr_buf folded; /* the same as it is compared */
	struct pr_buf avas; /* "type=value" of the AVAs of one RDN, in a row */
	struct pr_str ava[AVAS_MAX];
	size_t at[AVAS_MAX + 1]; /* where they start in avas */
	size_t n_avas;
};

static void
skip_blanks(struct reader *r)
{
	while (r->p < r->end && *r->p == ' ')
		r->p++;
}

static int
hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* What follows a backslash. */
static bool
read_escape(struct reader *r)
{
	int hi, lo;

	if (r->p == r->end)
		return false;
	if (strchr(" \"#+,;<=>\\", *r->p) != NULL && *r->p != '\0') {
		pr_buf_char(&r->value, *r->p++);
		return true;
	}
	if (r->end - r->p < 2)
		return false;
	hi = hex_value(r->p[0]);
	lo = hex_value(r->p[1]);
	if (hi < 0 || lo < 0 || hi + lo == 0)
		return false;
	if (r->pattern && hi * 16 + lo == WILD)
		return false;
	pr_buf_char(&r->value, (char)(hi * 16 + lo));
	r->p += 2;
	return true;
}

/* A value up to its separator; blanks at its end that are not escaped go. */
static bool
read_string(struct reader *r)
{
	size_t solid = 0;

	for (; r->p < r->end && *r->p != ',' && *r->p != '+';) {
		char c = *r->p++;

		if (c == '\0' || c == '"' || c == ';' || c == '<' || c == '>')
			return false;
		if (c == '\\') {
			if (!read_escape(r))
				return false;
			solid = r->value.n;
			continue;
		}
		if (r->pattern && c == WILD)
			return false;
		pr_buf_char(
		    &r->value, (char)(r->pattern && c == '*' ? WILD : c));
		if (c != ' ')
			solid = r->value.n;
	}
	r->value.n = solid;
	return solid > 0 && pr_str_utf8(pr_buf_view(&r->value));
}

/* "#04024869": BER in hex, which we keep as it is written. */
static bool
read_hexstring(struct reader *r)
{
	size_t digits = 0;

	pr_buf_char(&r->avas, *r->p++);
	for (; r->p < r->end && hex_value(*r->p) >= 0; r->p++, digits++)
		pr_buf_char(&r->avas, "0123456789abcdef"[hex_value(*r->p)]);
	skip_blanks(r);
	return digits > 0 && digits % 2 == 0;
}

static void
write_value(struct reader *r, struct pr_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool end = i == 0 || i + 1 == s.n;

		if (c == WILD && r->pattern)
			pr_buf_char(&r->avas, '*');
		else if (c < 0x20 || c == 0x7f || (c == ' ' && end) ||
		    strchr("\"#*+,;<=>\\", c) != NULL)
			pr_buf_printf(&r->avas, "\\%02x", c);
		else
			pr_buf_char(&r->avas, (char)c);
	}
}

static bool
read_value(struct reader *r, const char *type)
{
	const struct type *t = find_type(type);

	skip_blanks(r);
	if (r->p < r->end && *r->p == '#')
		return read_hexstring(r);
	pr_buf_reset(&r->value);
	if (!read_string(r))
		return false;
	if (t == NULL || t->fold == EXACT) {
		write_value(r, pr_buf_view(&r->value));
		return true;
	}
	pr_buf_reset(&r->folded);
	pr_dn_fold(pr_buf_view(&r->value), &r->folded);
	write_value(r, pr_buf_view(&r->folded));
	return r->folded.n > 0;
}

static bool
read_ava(struct reader *r, char type[PR_DN_TYPE_MAX])
{
	const char *from;
	struct pr_str s;

	skip_blanks(r);
	from = r->p;
	while (r->p < r->end && *r->p != '=')
		r->p++;
	s = pr_str_trim((struct pr_str){from, (size_t)(r->p - from)});
	if (r->p == r->end || r->n_avas == AVAS_MAX ||
	    pr_str_find(s, ';') != s.n || !pr_dn_type(s, type))
		return false;
	r->p++;
	r->at[r->n_avas++] = r->avas.n;
	pr_buf_cstr(&r->avas, type);
	pr_buf_char(&r->avas, '=');
	return read_value(r, type);
}

static int
ava_order(const void *a, const void *b)
{
	return pr_str_cmp(*(const struct pr_str *)a, *(const struct pr_str *)b);
}

/* One RDN with what separates it from the next. */
static bool
read_rdn(struct reader *r, struct pr_buf *out)
{
	char type[PR_DN_TYPE_MAX];

	r->n_avas = 0;
	pr_buf_reset(&r->avas);
	do {
		if (!read_ava(r, type))
			return false;
	} while (r->p < r->end && *r->p == '+' && r->p++);
	r->at[r->n_avas] = r->avas.n;
	for (size_t i = 0; i < r->n_avas; i++)
		r->ava[i] =
		    pr_str_sub(pr_buf_view(&r->avas), r->at[i], r->at[i + 1]);
	qsort(r->ava, r->n_avas, sizeof r->ava[0], ava_order);
	for (size_t i = 0; i < r->n_avas; i++) {
		if (i > 0)
			pr_buf_char(out, '+');
		pr_buf_str(out, r->ava[i]);
	}
	return true;
}

static bool
read_dn(struct reader *r, struct pr_buf *out)
{
	size_t n = 0;

	skip_blanks(r);
	if (r->p == r->end)
		return true;
	for (;;) {
		if (++n > RDNS_MAX || !read_rdn(r, out))
			return false;
		if (r->p == r->end)
			return true;
		if (*r->p++ != ',')
			return false;
		pr_buf_char(out, ',');
	}
}

static bool
normalise(struct pr_str dn, bool pattern, struct pr_buf *out)
{
	struct reader r = {.pattern = pattern};
	size_t before = out->n;
	bool ok;

	if (dn.n > PR_DN_MAX)
		return false;
	r.p = dn.n > 0 ? dn.p : "";
	r.end = r.p + dn.n;
	pr_buf_reserve(out, dn.n + 1);
	ok = read_dn(&r, out);
	if (!ok) {
		out->n = before;
		out->p[before] = '\0';
	}
	pr_buf_fini(&r.value);
	pr_buf_fini(&r.folded);
	pr_buf_fini(&r.avas);
	return ok;
}

bool
pr_dn_normalise(struct pr_str dn, struct pr_buf *out)
{
	return normalise(dn, false, out);
}

bool
pr_dn_rdn(struct pr_str dn, unsigned i, char type[PR_DN_TYPE_MAX],
    struct pr_buf *value)
{
	struct reader r = {.p = dn.p, .end = dn.p + dn.n};
	bool ok;

	if (dn.n == 0 || dn.n > PR_DN_MAX)
		return false;
	for (;;) {
		pr_buf_reset(&r.value);
		ok = read_ava(&r, type);
		if (!ok || i-- == 0)
			break;
		ok = r.p < r.end && *r.p++ == '+';
		if (!ok)
			break;
	}
	ok = ok && r.value.n > 0;
	if (ok)
		pr_buf_str(value, pr_buf_view(&r.value));
	pr_buf_fini(&r.value);
	pr_buf_fini(&r.folded);
	pr_buf_fini(&r.avas);
	return ok;
}

bool
pr_dn_pattern(struct pr_str pattern, struct pr_buf *out)
{
	return normalise(pattern, true, out);
}

/* A byte of a value in normal form: itself, or \xx, which is never parted. */
static size_t
unit(struct pr_str s, size_t i)
{
	return s.p[i] == '\\' && s.n - i >= 3 ? 3 : 1;
}

/* One AVA.  The last star is where we come back to: |pattern| * |ava|. */
static bool
ava_matches(struct pr_str pattern, struct pr_str ava)
{
	size_t i = 0, j = 0, star = SIZE_MAX, mark = 0;

	for (;;) {
		if (i < pattern.n && pattern.p[i] == '*') {
			star = ++i;
			mark = j;
			continue;
		}
		if (i == pattern.n && j == ava.n)
			return true;
		if (i < pattern.n && j < ava.n) {
			size_t n = unit(pattern, i);

			if (n == unit(ava, j) &&
			    memcmp(pattern.p + i, ava.p + j, n) == 0) {
				i += n;
				j += n;
				continue;
			}
		}
		if (star == SIZE_MAX || mark >= ava.n)
			return false;
		mark += unit(ava, mark);
		i = star;
		j = mark;
	}
}

static bool
rdn_matches(struct pr_str pattern, struct pr_str rdn)
{
	while (pattern.p != NULL && rdn.p != NULL) {
		if (!ava_matches(
			pr_str_cut(&pattern, '+'), pr_str_cut(&rdn, '+')))
			return false;
	}
	return pattern.p == NULL && rdn.p == NULL;
}

bool
pr_dn_match(struct pr_str pattern, struct pr_str dn)
{
	if (pattern.n == 0 || dn.n == 0)
		return false;
	while (pattern.p != NULL && dn.p != NULL) {
		if (!rdn_matches(
			pr_str_cut(&pattern, ','), pr_str_cut(&dn, ',')))
			return false;
	}
	return pattern.p == NULL && dn.p == NULL;
}

bool
pr_dn_under(struct pr_str dn, struct pr_str base)
{
	if (base.n == 0)
		return true;
	if (dn.n < base.n || memcmp(dn.p + dn.n - base.n, base.p, base.n) != 0)
		return false;
	return dn.n == base.n || dn.p[dn.n - base.n - 1] == ',';
}
