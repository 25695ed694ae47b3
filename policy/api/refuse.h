/* SPDX-License-Identifier: Apache-2.0 */
/* How the readers of a call say no. */
#ifndef PR_API_REFUSE_H
#define PR_API_REFUSE_H

#include <portreeve/compiler.h>
#include <portreeve/request.h>

/* Fills *why and returns -1. */
int pr_refuse(struct pr_refusal *why, enum pr_reason reason, const char *fmt,
    ...) PR_PRINTF(3, 4);

/*
 * Words of a caller within a refusal: cut to what is useful, with everything
 * but printable ASCII shown as '?'.
 */
struct pr_shown {
	char text[56];
};
struct pr_shown pr_show(struct pr_str s);

/* The value of a hexadecimal digit, or -1. */
static inline int
pr_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum pr_encode { /* what stands as it is, beside letters, digits and -._~ */
	PR_ENCODE_PATH = 1,  /* "/:@,=+" */
	PR_ENCODE_VALUE = 2, /* "/:@," */
	PR_ENCODE_KEY = 4,   /* nothing */
};

/* Writes s percent-encoded at p, which has room for 3 * s.n; where it ends. */
char *pr_percent_encode(char *p, struct pr_str s, enum pr_encode how);

#endif /* PR_API_REFUSE_H */
