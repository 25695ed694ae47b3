/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the load generators measure with: a histogram of times, and what a
 * process has used of processor and memory.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <sys/types.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A histogram with 64 steps to each power of two: 1.6 % wide. */
enum {
	SUB_BITS = 6,
	HIST = 40 << SUB_BITS
};

struct hist {
	uint64_t n;
	uint64_t of[HIST];
};

static inline void
hist_add(struct hist *h, uint64_t ns)
{
	unsigned top = 63 - (unsigned)__builtin_clzll(ns | 1);
	unsigned i = (unsigned)ns;

	if (top >= SUB_BITS)
		i = ((top - SUB_BITS + 1) << SUB_BITS) +
		    (unsigned)((ns >> (top - SUB_BITS)) &
			((1 << SUB_BITS) - 1));
	h->of[i < HIST ? i : HIST - 1]++;
	h->n++;
}

static inline double
hist_us(const struct hist *h, double q)
{
	uint64_t want = (uint64_t)(q * (double)h->n), seen = 0;

	for (unsigned i = 0; i < HIST; i++) {
		unsigned power = i >> SUB_BITS;
		uint64_t sub = i & ((1 << SUB_BITS) - 1);

		seen += h->of[i];
		if (seen > want && power == 0)
			return (double)sub / 1e3;
		if (seen > want)
			return (double)(((UINT64_C(1) << SUB_BITS) + sub)
				   << (power - 1)) /
			    1e3;
	}
	return 0;
}

/* Of all threads; 0 where no process is measured. */
static inline double
cpu_seconds(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (pid == 0)
		return 0;
	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &ts) != 0) {
		perror("--pid");
		exit(EXIT_FAILURE);
	}
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static inline long
status_kib(pid_t pid, const char *key)
{
	char path[64], line[256];
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			kib = strtol(line + strlen(key), NULL, 10);
	fclose(f);
	return kib;
}

#endif /* MEASURE_H */
