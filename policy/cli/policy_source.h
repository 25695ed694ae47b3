/* SPDX-License-Identifier: Apache-2.0 */
/* Where commands get a policy from, and the people that it is about. */
#ifndef PR_CLI_POLICY_SOURCE_H
#define PR_CLI_POLICY_SOURCE_H

#include <portreeve/arena.h>
#include <portreeve/decide.h>
#include <portreeve/policy.h>

#include "cli.h"

/*
 * The policy at `path`, or where the configuration says (NULL: its default
 * place).  NULL: *ds says why.  Caller unrefs.
 */
struct pr_policy *cli_policy(
    const char *path, const char *config, struct pr_diags *ds) PR_NODISCARD;

/*
 * The directory of the configuration (NULL: its default place); what it keeps
 * lives in the arena.  NULL: *ds says why, with the hint if none is
 * configured.  Caller closes.
 */
struct pr_directory *cli_directory(const char *config, const char *hint,
    struct pr_arena *a, struct pr_diags *ds) PR_NODISCARD;

/*
 * "alice@pay+ops", or "alice" and the teams that the configured directory
 * gives; *who lives in the arena.  CLI_OK, or an exit code: said on cli->err.
 */
int cli_who(struct cli *cli, const struct pr_policy *p, const char *text,
    const char *config, struct pr_arena *a, struct pr_who *who);

#endif /* PR_CLI_POLICY_SOURCE_H */
