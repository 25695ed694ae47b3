/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words to the service manager (sd_notify(3)) by a datagram to the socket
 * that NOTIFY_SOCKET names.  Without one they do nothing; nobody waits.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdint.h>

#include <portreeve/compiler.h>

void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);
void notify_watchdog(void);
/* How often it wants to hear of us, ns; 0: not at all. */
uint64_t notify_watchdog_every(void);

#endif /* NOTIFY_H */
