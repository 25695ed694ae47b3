/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that may wait: for dockerd's look-ups, for the directory. */
#ifndef JOBS_H
#define JOBS_H

#include "flow.h"

struct jobs; /* opaque */

struct jobs *jobs_start(unsigned workers, struct pr_err **err) PR_NODISCARD;
/* False: too many wait already.  What is done goes to loop_post. */
bool jobs_push(struct jobs *j, struct flow *f) PR_NODISCARD;
/* What is queued is done first. */
void jobs_stop(struct jobs *j);

#endif /* JOBS_H */
