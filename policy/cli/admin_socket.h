/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_SOCKET_H
#define ADMIN_SOCKET_H

#include <portreeve/buf.h>

#include "cli.h"

#define CLI_OPTION_ADMIN_SOCKET(type, field)                          \
	{                                                             \
		"socket", 0, CLI_TEXT, offsetof(type, field), "PATH", \
		    "the admin socket (default: as configured)"       \
	}

struct admin_where {
	const char *socket; /* NULL: the configuration's */
	const char *config; /* NULL: its default place */
};

/*
 * Asks the running daemon: CLI_OK and its answer (body appended), or an exit
 * code, said on cli->err.
 */
int admin_command(struct cli *cli, const struct admin_where *where,
    const char *method, const char *path, unsigned *status,
    struct pr_buf *body);

#endif /* ADMIN_SOCKET_H */
