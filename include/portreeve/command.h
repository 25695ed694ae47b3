/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `docker run ...` as the request that the docker CLI would send: for the
 * tests of a policy, which are written as commands.  Understands the flags of
 * the table in policy/judge/docker_flags.def; what it does not know it says.
 */
#ifndef PR_COMMAND_H
#define PR_COMMAND_H

#include <portreeve/arena.h>
#include <portreeve/request.h>

/*
 * Fills method, target, headers, body and body_shown of *call, in the arena.
 * Returns 0, or -1 with one line in *why (in the arena).  `docker run` gives
 * the request that creates.
 */
int pr_docker_command(struct pr_arena *a, struct pr_str line,
    struct pr_call *call, const char **why) PR_NODISCARD;

#endif /* PR_COMMAND_H */
