/* SPDX-License-Identifier: Apache-2.0 */
/* What libmicrohttpd says of itself, into our log. */
#ifndef MHD_LOG_H
#define MHD_LOG_H

#include <stdarg.h>

/* MHD_LogCallback */
void mhd_log(void *cls, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0)));

#endif /* MHD_LOG_H */
