/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer for what we write: log lines, messages, answers.
 * Never for what comes in without a cap.  Always NUL-terminated after the
 * last byte; the NUL is not counted.
 */
#ifndef PR_BUF_H
#define PR_BUF_H

#include <stdarg.h>
#include <stdint.h>

#include <portreeve/compiler.h>
#include <portreeve/str.h>

struct pr_buf {
	char *p;
	size_t n;
	size_t cap;
};

#define PR_BUF_INIT        \
	{                  \
		NULL, 0, 0 \
	}

void pr_buf_fini(struct pr_buf *b); /* also for PR_CLEANUP */
void pr_buf_reset(struct pr_buf *b);
/* Makes room for n more bytes and returns where they go; see pr_buf_grew. */
char *pr_buf_reserve(struct pr_buf *b, size_t n);
void pr_buf_grew(struct pr_buf *b, size_t n);
void pr_buf_add(struct pr_buf *b, const void *p, size_t n);
void pr_buf_str(struct pr_buf *b, struct pr_str s);
void pr_buf_cstr(struct pr_buf *b, const char *s);
void pr_buf_char(struct pr_buf *b, char c);
void pr_buf_u64(struct pr_buf *b, uint64_t v);
void pr_buf_i64(struct pr_buf *b, int64_t v);
void pr_buf_printf(struct pr_buf *b, const char *fmt, ...) PR_PRINTF(2, 3);
void pr_buf_vprintf(struct pr_buf *b, const char *fmt, va_list ap)
    PR_PRINTF(2, 0);
/*
 * s as a JSON string with its quotes: RFC 8259, control characters, DEL and
 * bytes that are not UTF-8 as \u00XX, U+2028 and U+2029 escaped; so a line
 * of the log is a line, and a terminal obeys nobody.
 */
void pr_buf_json(struct pr_buf *b, struct pr_str s);
struct pr_str pr_buf_view(const struct pr_buf *b);

#endif /* PR_BUF_H */
