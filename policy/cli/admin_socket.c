/* SPDX-License-Identifier: Apache-2.0 */
#include "admin_socket.h"

#include <portreeve/arena.h>
#include <portreeve/config.h>
#include <portreeve/diag.h>

#include "admin_client.h"

/* The one given, else the configuration's (in the arena). */
static int
find(struct cli *cli, struct pr_arena *a, const char *given, const char *config,
    const char **out)
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

int
admin_command(struct cli *cli, const struct admin_where *where,
    const char *method, const char *path, unsigned *status, struct pr_buf *body)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	const char *socket;
	int rc = find(cli, a, where->socket, where->config, &socket);

	if (rc != CLI_OK)
		return rc;
	if (admin_ask(socket, method, path, status, body, &err) != 0)
		return cli_failed(cli, err);
	return CLI_OK;
}
