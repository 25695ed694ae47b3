/* SPDX-License-Identifier: Apache-2.0 */
#include "value.h"

#include <string.h>
#include <time.h>

#include <portreeve/clock.h>

#define NAME_MAX_LEN 128
#define CPUS_DIGITS  9

static const struct {
	const char *name;
	unsigned shift;
} size_units[] = {
    {"", 0},
    {"B", 0},
    {"K", 10},
    {"M", 20},
    {"G", 30},
    {"T", 40},
    {"KB", 10},
    {"MB", 20},
    {"GB", 30},
    {"TB", 40},
    {"Ki", 10},
    {"Mi", 20},
    {"Gi", 30},
    {"Ti", 40},
    {"KiB", 10},
    {"MiB", 20},
    {"GiB", 30},
    {"TiB", 40},
};

static const struct {
	const char *name;
	uint64_t ns;
} time_units[] = {
    {"d", 86400 * PR_SEC},
    {"h", 3600 * PR_SEC},
    {"m", 60 * PR_SEC},
    {"s", PR_SEC},
    {"ms", PR_MS},
};

/* Digits at the beginning; what follows stays in *s. */
static bool
take_digits(struct pr_str *s, uint64_t *out)
{
	size_t n = 0;

	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	if (!pr_str_u64(pr_str_sub(*s, 0, n), out) || *out > INT64_MAX)
		return false;
	*s = pr_str_sub(*s, n, s->n);
	return true;
}

static bool
parse_size(struct pr_str s, int64_t *out)
{
	uint64_t v;

	if (!take_digits(&s, &v))
		return false;
	for (size_t i = 0; i < PR_COUNT(size_units); i++) {
		if (!pr_str_is_nocase(s, size_units[i].name))
			continue;
		if (v > (uint64_t)INT64_MAX >> size_units[i].shift)
			return false;
		*out = (int64_t)(v << size_units[i].shift);
		return true;
	}
	return false;
}

static bool
parse_cpus(struct pr_str s, int64_t *out)
{
	uint64_t whole, part = 0;
	size_t digits = 0;

	if (!take_digits(&s, &whole) || whole > 1000000)
		return false;
	if (s.n > 1 && s.p[0] == '.') {
		for (s = pr_str_sub(s, 1, s.n); digits < s.n; digits++) {
			if (s.p[digits] < '0' || s.p[digits] > '9' ||
			    digits >= CPUS_DIGITS)
				return false;
			part = part * 10 + (uint64_t)(s.p[digits] - '0');
		}
		s.n = 0;
	}
	if (s.n > 0)
		return false;
	for (; digits < CPUS_DIGITS; digits++)
		part *= 10;
	*out = (int64_t)(whole * PR_SEC + part);
	return true;
}

static bool
parse_num(struct pr_str s, int64_t *out)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	uint64_t v;

	if (!pr_str_u64(pr_str_sub(s, minus, s.n), &v) || v > INT64_MAX ||
	    (minus && v == 0))
		return false;
	*out = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

bool
value_parse(struct pr_str s, enum unit unit, int64_t *out)
{
	switch (unit) {
	case UNIT_SIZE:
		return parse_size(s, out);
	case UNIT_CPUS:
		return parse_cpus(s, out);
	case UNIT_NUM:
		break;
	}
	return parse_num(s, out);
}

bool
value_parse_duration(struct pr_str s, uint64_t *ns)
{
	size_t next = 0; /* units come in falling order, each once */

	*ns = 0;
	if (s.n == 0)
		return false;
	while (s.n > 0) {
		uint64_t v;
		size_t unit = 0, i;

		if (!take_digits(&s, &v))
			return false;
		while (unit < s.n && s.p[unit] >= 'a' && s.p[unit] <= 'z')
			unit++;
		for (i = next; i < PR_COUNT(time_units); i++) {
			if (pr_str_is(
				pr_str_sub(s, 0, unit), time_units[i].name))
				break;
		}
		/* a hundred years are enough */
		if (i == PR_COUNT(time_units) ||
		    v > 36500 * (time_units[0].ns / PR_MS) ||
		    v > 36500 * time_units[0].ns / time_units[i].ns)
			return false;
		*ns += v * time_units[i].ns;
		s = pr_str_sub(s, unit, s.n);
		next = i + 1;
	}
	return true;
}

void
value_print_duration(struct pr_buf *out, uint64_t ns)
{
	if (ns == 0)
		pr_buf_cstr(out, "0s");
	for (size_t i = 0; i < PR_COUNT(time_units); i++) {
		uint64_t v = ns / time_units[i].ns;

		if (v > 0)
			pr_buf_printf(out, "%llu%s", (unsigned long long)v,
			    time_units[i].name);
		ns %= time_units[i].ns;
	}
}

void
value_print_cpus(struct pr_buf *out, int64_t v)
{
	char text[32];
	int n = snprintf(text, sizeof text, "%lld.%09lld",
	    (long long)(v / (int64_t)PR_SEC), (long long)(v % (int64_t)PR_SEC));

	while (n > 0 && text[n - 1] == '0')
		n--;
	if (n > 0 && text[n - 1] == '.')
		n--;
	pr_buf_add(out, text, (size_t)n);
}

void
value_print_size(struct pr_buf *out, int64_t v)
{
	static const char *const names[] = {"", "KiB", "MiB", "GiB", "TiB"};
	size_t i = 0;

	while (v != 0 && v % 1024 == 0 && i + 1 < PR_COUNT(names)) {
		v /= 1024;
		i++;
	}
	pr_buf_printf(out, "%lld%s", (long long)v, names[i]);
}

bool
value_num(struct lang *l, const struct ynode *n, uint64_t min, uint64_t max,
    uint64_t *out)
{
	if (n->type == Y_SCALAR && pr_str_u64(n->s, out) && *out >= min &&
	    *out <= max)
		return true;
	lang_error(l, ynode_loc(n), NULL, "wants a number from %llu to %llu",
	    (unsigned long long)min, (unsigned long long)max);
	return false;
}

static const char *
unit_example(enum unit unit)
{
	switch (unit) {
	case UNIT_SIZE:
		return "a size, as 512MiB (K, M, G, T are binary)";
	case UNIT_CPUS:
		return "a number of CPUs, as 2 or 0.5";
	case UNIT_NUM:
		break;
	}
	return "a whole number";
}

bool
value_quantity(
    struct lang *l, const struct ynode *n, enum unit unit, int64_t *out)
{
	if (n->type == Y_SCALAR && value_parse(n->s, unit, out) && *out >= 0)
		return true;
	lang_error(l, ynode_loc(n), NULL, "wants %s", unit_example(unit));
	return false;
}

bool
value_duration(struct lang *l, const struct ynode *n, uint64_t *ns)
{
	if (n->type == Y_SCALAR && value_parse_duration(n->s, ns))
		return true;
	lang_error(
	    l, ynode_loc(n), NULL, "wants a duration, as 90s, 15m or 1h30m");
	return false;
}

static size_t
find_dots(struct pr_str s)
{
	for (size_t i = 0; i + 1 < s.n; i++) {
		if (s.p[i] == '.' && s.p[i + 1] == '.')
			return i;
	}
	return s.n;
}

bool
value_range(
    struct lang *l, const struct ynode *n, enum unit unit, struct pr_range *out)
{
	struct pr_str s = n->s;
	size_t dots = find_dots(s);
	int64_t one;

	*out = (struct pr_range){.loc = ynode_loc(n)};
	if (dots == s.n) {
		lang_error(l, ynode_loc(n),
		    value_parse(s, unit, &one)
			? pr_arena_printf(l->tree,
			      "write \"..%.*s\" for at most, \"%.*s..\" for at "
			      "least",
			      PR_STRF(s), PR_STRF(s))
			: "\"A..B\", \"A..\", \"..B\"; with \"?\" after it it "
			  "may be unset",
		    "wants a range");
		return false;
	}
	out->text = pr_arena_str(l->arena, s);
	if (s.p[s.n - 1] == '?') {
		out->optional = true;
		s.n--;
	}

	struct pr_str lo = pr_str_sub(s, 0, dots);
	struct pr_str hi = pr_str_sub(s, dots + 2, s.n);

	out->has_lo = lo.n > 0;
	out->has_hi = hi.n > 0;
	if ((out->has_lo && !value_parse(lo, unit, &out->lo)) ||
	    (out->has_hi && !value_parse(hi, unit, &out->hi)) ||
	    (!out->has_lo && !out->has_hi && !pr_str_is(s, ".."))) {
		lang_error(l, ynode_loc(n), NULL,
		    "each end of the range wants %s", unit_example(unit));
		return false;
	}
	if (out->has_lo && out->has_hi && out->lo > out->hi) {
		lang_error(l, ynode_loc(n), NULL,
		    "the range is empty: its begin is above its end");
		return false;
	}
	return true;
}

bool
value_ports(struct lang *l, const struct ynode *n, struct pr_range *out)
{
	struct pr_str hi = n->s;
	struct pr_str lo = pr_str_cut(&hi, '-');
	uint64_t a, b;

	*out = (struct pr_range){.loc = ynode_loc(n),
	    .text = pr_arena_str(l->arena, n->s),
	    .has_lo = true,
	    .has_hi = true,
	    .lo = 1,
	    .hi = 0};
	if (pr_str_is(n->s, "none"))
		return true;
	if (hi.p == NULL)
		hi = lo;
	if (!pr_str_u64(lo, &a) || !pr_str_u64(hi, &b) || a == 0 || b > 65535 ||
	    a > b) {
		lang_error(l, ynode_loc(n), NULL,
		    "wants ports, as \"1024-65535\", or none");
		return false;
	}
	out->lo = (int64_t)a;
	out->hi = (int64_t)b;
	return true;
}

static bool
is_name(struct pr_str s, bool capitals)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    (capitals && c >= 'A' && c <= 'Z');

		if (!word && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return false;
	}
	return s.n > 0 && s.n <= NAME_MAX_LEN;
}

bool
value_name(
    struct lang *l, const struct ynode *n, const char *what, bool capitals)
{
	if (n->bad)
		return false;
	if (n->type == Y_SCALAR && is_name(n->s, capitals))
		return true;
	lang_error(l, ynode_loc(n),
	    capitals ? "letters, digits and . _ - after the first"
		     : "small letters, digits and . _ - after the first",
	    "\"%.*s\" cannot be the name of a %s",
	    n->type == Y_SCALAR ? (int)n->s.n : 0,
	    n->type == Y_SCALAR ? n->s.p : "", what);
	return false;
}

/* Index of what follows "${name}" at i, or 0. */
static size_t
substitution_end(struct pr_str s, size_t i)
{
	static const char *const known[] = {"${team}", "${user}", "${phase}"};

	for (size_t k = 0; k < PR_COUNT(known); k++) {
		if (pr_str_starts(pr_str_sub(s, i, s.n), known[k]))
			return i + strlen(known[k]);
	}
	return 0;
}

bool
value_glob(struct lang *l, const struct ynode *n, bool substitutions)
{
	struct pr_str s = n->s;

	for (size_t i = 0; i < s.n; i++) {
		struct pr_loc loc = ynode_loc(n);

		if (s.p[i] == '?' || s.p[i] == '[' || s.p[i] == ']') {
			lang_error(l, loc,
			    "* stands for what is in a segment, ** for any "
			    "depth",
			    "%c is not part of a pattern", s.p[i]);
			return false;
		}
		if (s.p[i] != '$' || i + 1 == s.n || s.p[i + 1] != '{')
			continue;
		if (!substitutions) {
			lang_error(l, loc, NULL, "nothing is substituted here");
			return false;
		}
		if (substitution_end(s, i) == 0) {
			lang_error(l, loc,
			    "there are ${team}, ${user} and ${phase}",
			    "unknown substitution");
			return false;
		}
	}
	return true;
}

struct pr_str
value_keep(struct lang *l, const struct ynode *scalar)
{
	return pr_arena_str(l->arena, scalar->s);
}

struct pr_strs
value_strs(struct lang *l, const struct ynode *list)
{
	struct pr_strs out = {NULL, 0};

	if (list == NULL || list->n == 0)
		return out;

	struct pr_str *v = pr_arena_array(l->arena, list->n, sizeof *v);

	Y_EACH(list, e)
	{
		v[out.n++] = pr_arena_str(l->arena, e->s);
	}
	out.v = v;
	return out;
}

/* A pattern as tokens: a byte, or one of these. */
enum {
	TOKEN_STAR = 256,
	TOKEN_DEEP = 257,
};
#define TOKENS_MAX 512

static size_t
tokenize(struct pr_str s, uint16_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n < TOKENS_MAX;) {
		size_t end = s.p[i] == '$' ? substitution_end(s, i) : 0;

		if (end > 0) {
			out[n++] = TOKEN_STAR;
			i = end;
		} else if (pr_str_starts(pr_str_sub(s, i, s.n), "**")) {
			out[n++] = TOKEN_DEEP;
			i += 2;
		} else {
			out[n++] = s.p[i] == '*' ? TOKEN_STAR : (uint8_t)s.p[i];
			i++;
		}
	}
	return n;
}

/* True if a wildcard may take the token; a wildcard takes a wildcard. */
static bool
takes(uint16_t wild, uint16_t token, char sep)
{
	return wild == TOKEN_DEEP || token != (uint8_t)sep || sep == '\0';
}

/*
 * met[j]: the first i tokens of a and the first j of b have a string in
 * common.  Row by row, as for an edit distance.
 */
bool
value_globs_meet(struct lang *l, struct pr_str a, struct pr_str b, char sep)
{
	uint16_t ta[TOKENS_MAX], tb[TOKENS_MAX];
	bool rows[2][TOKENS_MAX + 1] = {{false}};
	size_t na = tokenize(a, ta), nb = tokenize(b, tb);

	(void)l;
	for (size_t i = 0; i <= na; i++) {
		bool *now = rows[i % 2], *last = rows[(i + 1) % 2];

		for (size_t j = 0; j <= nb; j++) {
			bool wa = i > 0 && ta[i - 1] >= TOKEN_STAR;
			bool wb = j > 0 && tb[j - 1] >= TOKEN_STAR;
			bool met = i == 0 && j == 0;

			/* a wildcard takes nothing, or one token more */
			met = met || (wa && last[j]) || (wb && now[j - 1]);
			met = met ||
			    (wa && j > 0 && now[j - 1] &&
				takes(ta[i - 1], tb[j - 1], sep));
			met = met ||
			    (wb && i > 0 && last[j] &&
				takes(tb[j - 1], ta[i - 1], sep));
			met = met ||
			    (i > 0 && j > 0 && last[j - 1] &&
				ta[i - 1] == tb[j - 1]);
			now[j] = met;
		}
	}
	return rows[na % 2][nb];
}

static bool
take_number(struct pr_str *s, size_t digits, char after, int *out)
{
	*out = 0;
	if (s->n < digits + (after != '\0'))
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		*out = *out * 10 + (s->p[i] - '0');
	}
	if (after != '\0' && s->p[digits] != after)
		return false;
	*s = pr_str_sub(*s, digits + (after != '\0'), s->n);
	return true;
}

/* "Z", "+02:00": seconds east */
static bool
take_offset(struct pr_str s, int *east)
{
	int h, m, sign = s.n > 0 && s.p[0] == '-' ? -1 : 1;

	*east = 0;
	if (pr_str_is(s, "Z"))
		return true;
	if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-'))
		return false;
	s = pr_str_sub(s, 1, s.n);
	if (!take_number(&s, 2, ':', &h) || !take_number(&s, 2, '\0', &m) ||
	    h > 14 || m > 59)
		return false;
	*east = sign * (h * 3600 + m * 60);
	return true;
}

bool
value_time(struct pr_str s, int64_t *wall)
{
	struct tm tm = {0}, back;
	int east;
	time_t t;

	if (!take_number(&s, 4, '-', &tm.tm_year) ||
	    !take_number(&s, 2, '-', &tm.tm_mon) ||
	    !take_number(&s, 2, 'T', &tm.tm_mday) ||
	    !take_number(&s, 2, ':', &tm.tm_hour) ||
	    !take_number(&s, 2, '\0', &tm.tm_min))
		return false;
	if (s.n > 0 && s.p[0] == ':') {
		s = pr_str_sub(s, 1, s.n);
		if (!take_number(&s, 2, '\0', &tm.tm_sec))
			return false;
	}
	tm.tm_year -= 1900;
	tm.tm_mon--;
	back = tm;
	t = timegm(&back);
	/* 31 February is not a day */
	if (!take_offset(s, &east) || tm.tm_year < 70 || tm.tm_year > 300 ||
	    back.tm_mday != tm.tm_mday || back.tm_mon != tm.tm_mon ||
	    back.tm_hour != tm.tm_hour || back.tm_min != tm.tm_min ||
	    back.tm_sec != tm.tm_sec)
		return false;
	*wall = ((int64_t)t - east) * (int64_t)PR_SEC;
	return true;
}
