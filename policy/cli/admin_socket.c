/* SPDX-License-Identifier: Apache-2.0 */
#include "admin_socket.h"

#include <portreeve/arena.h>
#include <portreeve/config.h>
#include <portreeve/diag.h>

int
admin_socket_find(struct cli *cli, struct pr_arena *a, const char *given,
    const char *config, const char **out)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	struct pr_config c;

	*out = given;
	if (given != NULL)
		return CLI_OK;
	if (pr_config_load(
		config != NULL ? config : CLI_CONFIG_FILE, a, &c, ds) != 0)
		return cli_diagnosed(cli, ds);
	*out = c.admin_socket;
	return CLI_OK;
}
