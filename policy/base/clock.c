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
	    (unsigned)(tm.tm_year + 1900) % 10000U, (unsigned)tm.tm_mon % 12 + 1,
	    (unsigned)tm.tm_mday % 32, (unsigned)tm.tm_hour % 24,
	    (unsigned)tm.tm_min % 60, (unsigned)tm.tm_sec % 61,
	    (unsigned)us % 1000000U);
}
