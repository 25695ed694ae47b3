/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints: signed lines of the log.  Each carries the digest of the line
 * before it, so its signature is over all that stands before it in the chain.
 * A copy goes to a second sink, from a thread of its own: a sink that hangs
 * keeps nobody from an answer.
 */
#ifndef AUDIT_CHECKPOINT_H
#define AUDIT_CHECKPOINT_H

#include <portreeve/audit.h>
#include <portreeve/audit_read.h>
#include <portreeve/sign.h>

#include "segment.h"

struct checkpoints; /* opaque; the committer's, but for the sink */

/* NULL without *err: none are configured. */
struct checkpoints *pr_checkpoints_open(
    const struct pr_audit_config *c, struct pr_err **err) PR_NODISCARD;
/* Gives the sink a moment for what is left.  NULL is fine. */
void pr_checkpoints_close(struct checkpoints *c);

/* Are there lines that it is time to sign?  NULL: never. */
bool pr_checkpoint_due(
    const struct checkpoints *c, const struct segment *s, bool force);
/* Puts the line in `out` as pr_segment_put does. */
void pr_checkpoint_put(
    struct checkpoints *c, struct segment *s, struct pr_buf *out);
/* Lines up to seq are on the disk: the copy may go. */
void pr_checkpoint_durable(struct checkpoints *c, uint64_t seq);

/* ---- reading (checkpoint_read.c) ---- */

struct checkpoint {
	char chain[PR_UUID_LEN];
	char door[64];
	char key[PR_PUBLIC_KEY_TEXT];
};
/* NULL, or what is wrong with the line (static): its signature, too. */
const char *pr_checkpoint_read(struct pr_str line, struct checkpoint *out);

#endif /* AUDIT_CHECKPOINT_H */
