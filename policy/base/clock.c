/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include <portreeve/clock.h>

uint64_t
pr_clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * PR_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t
pr_clock_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * PR_SEC + (uint64_t)ts.tv_nsec;
}

int64_t
pr_clock_wall(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * (int64_t)PR_SEC + ts.tv_nsec;
}

void
pr_clock_format(int64_t wall, char buf[28])
{
	int64_t sec = wall / (int64_t)PR_SEC, us;
	time_t t;
	struct tm tm;

	if (wall < 0 && wall % (int64_t)PR_SEC != 0)
		sec--;
	us = (wall - sec * (int64_t)PR_SEC) / 1000;
	t = (time_t)sec;
	gmtime_r(&t, &tm);
	snprintf(buf, 28, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
	    (unsigned)(tm.tm_year + 1900) % 10000U,
	    (unsigned)tm.tm_mon % 12 + 1, (unsigned)tm.tm_mday % 32,
	    (unsigned)tm.tm_hour % 24, (unsigned)tm.tm_min % 60,
	    (unsigned)tm.tm_sec % 61, (unsigned)us % 1000000U);
}

/* Digits s[at, at + n) as a number, or -1. */
static int64_t
digits(struct pr_str s, size_t at, size_t n)
{
	int64_t v = 0;

	if (at + n > s.n)
		return -1;
	for (size_t i = at; i < at + n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		v = v * 10 + (s.p[i] - '0');
	}
	return v;
}

/* "Z", "+01:00" at the end of a time, as seconds; false: neither. */
static bool
offset(struct pr_str s, int64_t *sec)
{
	int64_t h, m;

	*sec = 0;
	if (pr_str_is(s, "Z"))
		return true;
	h = digits(s, 1, 2);
	m = digits(s, 4, 2);
	if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':' ||
	    h < 0 || m < 0)
		return false;
	*sec = (h * 60 + m) * 60 * (s.p[0] == '+' ? 1 : -1);
	return true;
}

bool
pr_clock_parse(struct pr_str s, int64_t *wall)
{
	struct tm tm = {.tm_year = (int)digits(s, 0, 4) - 1900,
	    .tm_mon = (int)digits(s, 5, 2) - 1,
	    .tm_mday = (int)digits(s, 8, 2),
	    .tm_hour = (int)digits(s, 11, 2),
	    .tm_min = (int)digits(s, 14, 2),
	    .tm_sec = (int)digits(s, 17, 2)};
	int64_t ns = 0, unit = (int64_t)PR_SEC, shift;
	size_t at = 19;

	if (s.n < 20 || s.p[4] != '-' || s.p[7] != '-' || s.p[10] != 'T' ||
	    s.p[13] != ':' || s.p[16] != ':' || tm.tm_year < 0 ||
	    tm.tm_year > 400 || tm.tm_mon < 0 || tm.tm_mday < 1 ||
	    tm.tm_hour < 0 || tm.tm_min < 0 || tm.tm_sec < 0)
		return false;
	if (s.p[at] == '.') {
		for (at++; at < s.n && digits(s, at, 1) >= 0; at++) {
			unit /= 10;
			ns += unit * digits(s, at, 1);
		}
	}
	if (!offset(pr_str_sub(s, at, s.n), &shift))
		return false;
	*wall = ((int64_t)timegm(&tm) - shift) * (int64_t)PR_SEC + ns;
	return true;
}
