/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words to the service manager (sd_notify(3)) by a datagram to the socket
 * that NOTIFY_SOCKET names.  Without one they do nothing; nobody waits.
 */
#ifndef PR_NOTIFY_H
#define PR_NOTIFY_H

#include <stdint.h>

#include <portreeve/compiler.h>

void pr_notify_ready(const char *status);
void pr_notify_reloading(void);
void pr_notify_stopping(void);
void pr_notify_watchdog(void);
/* How often it wants to hear of us, ns; 0: not at all. */
uint64_t pr_notify_watchdog_every(void);

#endif /* PR_NOTIFY_H */
