/* SPDX-License-Identifier: Apache-2.0 */
/* Time: what ages (monotonic, counts through suspend) and what is written. */
#ifndef PR_CLOCK_H
#define PR_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/str.h>

/* CLOCK_BOOTTIME in ns: for ages, deadlines and TTLs. */
uint64_t pr_clock_now(void);
/* CLOCK_MONOTONIC in ns: of this boot, and nobody can set it. */
uint64_t pr_clock_monotonic(void);
/* CLOCK_REALTIME in ns since 1970: for records and validity. */
int64_t pr_clock_wall(void);
/* "2026-11-22T10:16:37.123456Z" for a wall time; buf takes 28 bytes. */
void pr_clock_format(int64_t wall, char buf[28]);

/*
 * A time as dockerd writes it (RFC 3339, up to nanoseconds, any offset) as
 * wall time.  False: it is none.
 */
bool pr_clock_parse(struct pr_str s, int64_t *wall);

#define PR_MS  UINT64_C(1000000)
#define PR_SEC UINT64_C(1000000000)

#endif /* PR_CLOCK_H */
