/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFINE_H
#define CONFINE_H

#include <portreeve/config.h>
#include <portreeve/err.h>

/*
 * Gives up what the proxy does not need, when its listeners are open and
 * before its first thread (portreeve/confine.h).  Files whose owner or mode is
 * wrong are refused: INVALID, with the command that mends it.  0 or -1: it
 * must not go on.
 */
int proxy_confine(
    const struct pr_config *config, struct pr_err **err) PR_NODISCARD;

#endif /* CONFINE_H */
