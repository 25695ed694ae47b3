/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers for Prometheus (text format 0.0.4).  Labels come from closed
 * sets that are compiled in: no name of a user, team, image or object ever
 * becomes one.
 */
#ifndef METRICS_H
#define METRICS_H

#include <portreeve/buf.h>

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct plugin;
void metrics_print(struct plugin *p, struct pr_buf *b);

#endif /* METRICS_H */
