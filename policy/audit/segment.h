/* SPDX-License-Identifier: Apache-2.0 */
/* Between segment.c and recover.c. */
#ifndef AUDIT_SEGMENT_H
#define AUDIT_SEGMENT_H

#include "local.h"

/*
 * Finds the end of the chain in the open directory: fills good, durable,
 * chain and previous.  An empty directory is the beginning of a chain.
 */
int pr_segment_find_end(struct segment *s, struct pr_err **err) PR_NODISCARD;

#endif /* AUDIT_SEGMENT_H */
