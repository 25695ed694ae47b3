/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve reload: the running daemon reads its policy again, and says so. */
#include "admin_socket.h"

struct options {
	struct admin_where where;
};

static const struct cli_option options[] = {
    CLI_OPTION_CONFIG(struct options, where.config),
    CLI_OPTION_ADMIN_SOCKET(struct options, where.socket),
};

static int
run(struct cli *cli, const void *opts)
{
	const struct options *o = opts;
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;
	unsigned status;
	int rc =
	    admin_command(cli, &o->where, "POST", "/reload", &status, &text);

	if (rc != CLI_OK)
		return rc;
	/* lines that came through a socket: not for the terminal to obey */
	for (struct pr_str rest = pr_buf_view(&text); rest.n > 0;) {
		cli_print_safe(status == 200 ? cli->out : cli->err,
		    pr_str_cut(&rest, '\n'));
		fputc('\n', status == 200 ? cli->out : cli->err);
	}
	if (status == 200)
		return CLI_OK;
	return status == 422 ? CLI_CONFIG : CLI_FAILURE;
}

const struct cli_command cli_cmd_reload = {
    .name = "reload",
    .args = "",
    .text = "Let the running daemon read its policy again",
    .help =
	"The daemon reads policy, identity rules and directory files again,\n"
	"all or nothing: with a mistake the old ones stay in force, the\n"
	"mistakes are shown, and the exit status is 78.\n",
    .examples = "portreeve reload\n"
		"portreeve reload --socket /run/portreeve/admin.sock\n",
    .options = options,
    .n_options = PR_COUNT(options),
    .size = sizeof(struct options),
    .run = run,
};
