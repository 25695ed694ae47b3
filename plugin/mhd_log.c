/* SPDX-License-Identifier: Apache-2.0 */
#include "mhd_log.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>

#define SAY_EVERY (1 * PR_SEC)

void
mhd_log(void *cls, const char *format, va_list ap)
{
	static _Atomic uint64_t said;
	uint64_t now, last = said;
	char text[256];

	(void)cls;
	/* once a connection, for unix sockets have no such option */
	if (strstr(format, "TCP_NODELAY") != NULL)
		return;
	now = pr_clock_now();
	if (last != 0 && now - last < SAY_EVERY)
		return;
	if (!atomic_compare_exchange_strong(&said, &last, now))
		return;
	vsnprintf(text, sizeof text, format, ap);
	text[strcspn(text, "\n")] = '\0';
	pr_log(PR_LOG_DEBUG, "libmicrohttpd: %s", text);
}
