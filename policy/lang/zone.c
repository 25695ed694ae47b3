/* SPDX-License-Identifier: Apache-2.0 */
#include "zone.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/file.h>

#define HEADER     44
#define DAY        INT64_C(86400)
#define OFFSET_MAX (26 * 3600) /* RFC 8536 3.2: -25 h < utoff < 26 h */

/* When daylight saving begins or ends, in local time (POSIX TZ). */
struct rule_date {
	char kind; /* 'M': month.week.day; 'J': day 1-365; 'D': day 0-365 */
	int month, week, day;
	int32_t time;
};

/* The TZ string at the file's end: what holds after the last transition. */
struct rule {
	int32_t std, dst;
	bool has_dst;
	struct rule_date begin, end;
};

struct pr_zone {
	size_t n;
	const int64_t *at;     /* ascending */
	const int32_t *offset; /* from at[i] on */
	int32_t before;        /* earlier than at[0] */
	bool has_rule;
	struct rule rule;
};

static uint32_t
be32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 |
	    (uint32_t)u[2] << 8 | u[3];
}

static int64_t
be64(const char *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* Days since 1970-01-01 (Gregorian, any year). */
static int64_t
days_of(int64_t year, int month, int day)
{
	int64_t era, yoe, doy;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	yoe = year - era * 400;
	doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t
year_of(int64_t t)
{
	int64_t day = t >= 0 ? t / DAY : (t - DAY + 1) / DAY;
	int64_t year = 1970 + day / 366;

	while (days_of(year + 1, 1, 1) <= day)
		year++;
	while (days_of(year, 1, 1) > day)
		year--;
	return year;
}

static bool
is_leap(int64_t y)
{
	return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

/* Local seconds since 1970 of a rule's date in a year. */
static int64_t
date_of(const struct rule_date *d, int64_t year)
{
	int64_t day = days_of(year, 1, 1);

	if (d->kind == 'J') {
		day += d->day - 1 + (is_leap(year) && d->day >= 60);
	} else if (d->kind == 'D') {
		day += d->day;
	} else {
		int64_t first = days_of(year, d->month, 1);
		int64_t next = d->month == 12 ? days_of(year + 1, 1, 1)
					      : days_of(year, d->month + 1, 1);
		/* 1970-01-01 was a Thursday */
		int64_t weekday = ((first + 4) % 7 + 7) % 7;

		day = first + (d->day - weekday + 7) % 7 +
		    INT64_C(7) * (d->week - 1);
		while (day >= next)
			day -= 7;
	}
	return day * DAY + d->time;
}

static int32_t
rule_offset(const struct rule *r, int64_t t)
{
	int64_t year, begin, end;

	if (!r->has_dst)
		return r->std;
	year = year_of(t + r->std);
	begin = date_of(&r->begin, year) - r->std;
	end = date_of(&r->end, year) - r->dst;
	if (begin < end)
		return t >= begin && t < end ? r->dst : r->std;
	return t >= end && t < begin ? r->std : r->dst;
}

int32_t
zone_offset(const struct pr_zone *z, int64_t t)
{
	size_t lo = 0, hi = z->n;

	/* nobody's clock; keeps the arithmetic far from its ends */
	if (t > INT64_C(1) << 40 || t < -(INT64_C(1) << 40))
		return z->before;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (z->at[mid] <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == z->n && z->has_rule)
		return rule_offset(&z->rule, t);
	return lo == 0 ? z->before : z->offset[lo - 1];
}

/* The TZ string: "CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30" */
static bool
take_name(struct pr_str *s)
{
	size_t n = 0;

	if (s->n > 0 && s->p[0] == '<') {
		n = pr_str_find(*s, '>') + 1;
	} else {
		while (n < s->n && ((s->p[n] | 0x20) >= 'a') &&
		    ((s->p[n] | 0x20) <= 'z'))
			n++;
	}
	if (n < 3 || n > s->n)
		return false;
	*s = pr_str_sub(*s, n, s->n);
	return true;
}

static bool
take_int(struct pr_str *s, int max, int *out)
{
	size_t n = 0;

	*out = 0;
	while (n < s->n && n < 4 && s->p[n] >= '0' && s->p[n] <= '9')
		*out = *out * 10 + (s->p[n++] - '0');
	*s = pr_str_sub(*s, n, s->n);
	return n > 0 && *out <= max;
}

static bool
take_char(struct pr_str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = pr_str_sub(*s, 1, s->n);
	return true;
}

/* [+-]h[hh][:mm[:ss]] */
static bool
take_time(struct pr_str *s, int32_t *out)
{
	int h, m = 0, sec = 0, sign = 1;

	if (take_char(s, '-'))
		sign = -1;
	else
		(void)take_char(s, '+');
	if (!take_int(s, 167, &h))
		return false;
	if (take_char(s, ':') && !take_int(s, 59, &m))
		return false;
	if (take_char(s, ':') && !take_int(s, 59, &sec))
		return false;
	*out = sign * (h * 3600 + m * 60 + sec);
	return true;
}

static bool
take_date(struct pr_str *s, struct rule_date *d)
{
	d->time = 2 * 3600;
	if (!take_char(s, ','))
		return false;
	if (take_char(s, 'M')) {
		d->kind = 'M';
		if (!take_int(s, 12, &d->month) || d->month == 0 ||
		    !take_char(s, '.') || !take_int(s, 5, &d->week) ||
		    d->week == 0 || !take_char(s, '.') ||
		    !take_int(s, 6, &d->day))
			return false;
	} else if (take_char(s, 'J')) {
		d->kind = 'J';
		if (!take_int(s, 365, &d->day) || d->day == 0)
			return false;
	} else {
		d->kind = 'D';
		if (!take_int(s, 365, &d->day))
			return false;
	}
	return !take_char(s, '/') || take_time(s, &d->time);
}

static bool
parse_rule(struct pr_str s, struct rule *r)
{
	int32_t west;

	if (!take_name(&s) || !take_time(&s, &west))
		return false;
	r->std = -west;
	r->has_dst = s.n > 0;
	if (!r->has_dst)
		return true;
	r->dst = r->std + 3600;
	if (!take_name(&s))
		return false;
	if (s.n > 0 && s.p[0] != ',') {
		if (!take_time(&s, &west))
			return false;
		r->dst = -west;
	}
	return take_date(&s, &r->begin) && take_date(&s, &r->end) && s.n == 0;
}

/* The counts of a header, and how long its block is. */
struct block {
	size_t isut, isstd, leap, times, types, chars;
	size_t size;
};

static bool
read_header(struct pr_str s, size_t time_size, struct block *b)
{
	if (s.n < HEADER || memcmp(s.p, "TZif", 4) != 0)
		return false;
	b->isut = be32(s.p + 20);
	b->isstd = be32(s.p + 24);
	b->leap = be32(s.p + 28);
	b->times = be32(s.p + 32);
	b->types = be32(s.p + 36);
	b->chars = be32(s.p + 40);
	/* no real file is anywhere near; no product below can overflow */
	if (b->times > 10000 || b->types == 0 || b->types > 256 ||
	    b->chars > 4096 || b->leap > 1000 || b->isut > 256 ||
	    b->isstd > 256)
		return false;
	b->size = HEADER + b->times * (time_size + 1) + b->types * 6 +
	    b->chars + b->leap * (time_size + 4) + b->isstd + b->isut;
	return b->size <= s.n;
}

static bool
read_block(struct pr_arena *a, struct pr_str s, const struct block *b,
    struct pr_zone *z)
{
	int64_t *at = pr_arena_array(a, b->times, sizeof *at);
	int32_t *offset = pr_arena_array(a, b->times, sizeof *offset);
	const char *times = s.p + HEADER;
	const char *index = times + b->times * 8;
	const char *types = index + b->times;

	for (size_t i = 0; i < b->types; i++) {
		int32_t utoff = (int32_t)be32(types + i * 6);

		if (utoff > OFFSET_MAX || utoff < -OFFSET_MAX)
			return false;
	}
	for (size_t i = 0; i < b->times; i++) {
		unsigned type = (unsigned char)index[i];

		at[i] = be64(times + i * 8);
		if (type >= b->types || (i > 0 && at[i] <= at[i - 1]))
			return false;
		offset[i] = (int32_t)be32(types + (size_t)type * 6);
	}
	z->n = b->times;
	z->at = at;
	z->offset = offset;
	z->before = (int32_t)be32(types);
	return true;
}

const struct pr_zone *
zone_parse(struct pr_arena *a, struct pr_str s)
{
	struct pr_zone *z = pr_arena_alloc(a, sizeof *z);
	struct block b;

	/* version 1 has 32-bit times only and has not been made since 2006 */
	if (!read_header(s, 4, &b) || s.p[4] < '2')
		return NULL;
	s = pr_str_sub(s, b.size, s.n);
	if (!read_header(s, 8, &b) || !read_block(a, s, &b, z))
		return NULL;
	s = pr_str_sub(s, b.size, s.n);
	if (!take_char(&s, '\n'))
		return NULL;
	s = pr_str_sub(s, 0, pr_str_find(s, '\n'));
	z->has_rule = s.n > 0;
	return !z->has_rule || parse_rule(s, &z->rule) ? z : NULL;
}

static bool
is_zone_name(struct pr_str s)
{
	if (s.n == 0 || s.n > 64 || pr_str_starts(s, "right/"))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool word = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		    (c >= '0' && c <= '9');

		if (!word && (i == 0 || strchr("_+-/", c) == NULL || c == '\0'))
			return false;
	}
	return true;
}

const struct pr_zone *
zone_load(struct pr_arena *a, struct pr_str name, const char **why)
{
	char path[sizeof ZONE_DIR + 66];
	struct pr_arena *tmp;
	const struct pr_zone *z = NULL;
	struct pr_str bytes;

	*why = "there is no such time zone in " ZONE_DIR;
	if (!is_zone_name(name))
		return NULL;
	snprintf(path, sizeof path, "%s/%.*s", ZONE_DIR, PR_STRF(name));
	tmp = pr_arena_new(16384);
	if (pr_file_read(tmp, path, PR_CAP_SMALL_FILE, &bytes, NULL) == 0) {
		*why = "the time zone's file is not understood";
		z = zone_parse(a, bytes);
	}
	pr_arena_free(tmp);
	return z;
}
