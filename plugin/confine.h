/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFINE_H
#define CONFINE_H

#include <portreeve/config.h>
#include <portreeve/err.h>

/*
 * Makes the folders that the program writes to, sees that nobody else does,
 * and gives up everything that the configuration does not ask for.  Before
 * any thread.  INVALID: an owner or a mode; the text says what mends it.
 */
int plugin_confine(const struct pr_config *c, struct pr_err **err) PR_NODISCARD;

#endif /* CONFINE_H */
