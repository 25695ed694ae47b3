/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_SOCKET_H
#define ADMIN_SOCKET_H

#include "cli.h"

#define CLI_OPTION_ADMIN_SOCKET(type, field)                          \
	{                                                             \
		"socket", 0, CLI_TEXT, offsetof(type, field), "PATH", \
		    "the admin socket (default: as configured)"       \
	}

struct pr_arena;

/*
 * The admin socket: the one given, else the configuration's (in the arena).
 * Returns CLI_OK, or the exit code when the configuration cannot be read.
 */
int admin_socket_find(struct cli *cli, struct pr_arena *a, const char *given,
    const char *config, const char **out);

#endif /* ADMIN_SOCKET_H */
