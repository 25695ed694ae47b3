/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFINE_LOCAL_H
#define CONFINE_LOCAL_H

#include <portreeve/confine.h>

/* seccomp.c: loads the filter of the table for all threads. */
int confine_calls(enum pr_process process, struct pr_err **err) PR_NODISCARD;
/* landlock.c: -1 with *err, else the version of the kernel's Landlock, 0: none */
int confine_files(enum pr_process process, const struct pr_place *places,
    size_t n, const uint16_t *ports, size_t n_ports,
    struct pr_err **err) PR_NODISCARD;

#endif /* CONFINE_LOCAL_H */
