/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to dockerd: bytes with a deadline, heads and chunks of
 * HTTP/1.1 answers.  Strict: CRLF only, one framing, no obs-fold.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/buf.h>
#include <portreeve/err.h>

#define HTTP_BUF 16384 /* also the longest head that is accepted */

struct http {
	int fd;
	int wake; /* ends waits when readable, or -1 */
	bool woken;
	size_t at, n; /* unread bytes are in[at..n) */
	char in[HTTP_BUF];
};

struct http_head {
	int status;
	bool json; /* Content-Type is application/json */
	bool chunked;
	bool close;      /* not to be used again */
	uint64_t length; /* if not chunked */
};

/* Connects; -1 on failure (errors OFFLINE, DENIED, TIMEOUT, IO). */
int http_connect(struct http *h, const char *socket, uint64_t deadline,
    struct pr_err **err) PR_NODISCARD;
void http_close(struct http *h);

int http_write(struct http *h, struct pr_str bytes, uint64_t deadline,
    struct pr_err **err) PR_NODISCARD;
/* *none: the connection ended before a byte of an answer came. */
int http_read_head(struct http *h, struct http_head *head, bool *none,
    uint64_t deadline, struct pr_err **err) PR_NODISCARD;
/* Appends exactly n bytes to *to. */
int http_read_bytes(struct http *h, uint64_t n, struct pr_buf *to,
    uint64_t deadline, struct pr_err **err) PR_NODISCARD;
/*
 * Appends the next chunk; 1: more may follow, 0: that was the last.  `max`
 * bounds what *to may hold.
 */
int http_read_chunk(struct http *h, struct pr_buf *to, size_t max,
    uint64_t deadline, struct pr_err **err) PR_NODISCARD;

#endif /* HTTP_H */
