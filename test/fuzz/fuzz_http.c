/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proxy's HTTP reader: what it takes, it takes the same whether it comes
 * at once or byte by byte; what it reads lies in what it was given; a body is
 * never longer than its framing says.
 */
#include <stdlib.h>
#include <string.h>

#include "http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum http_answer
scan(const char *p, size_t n, size_t step, size_t *size)
{
	struct http_scan s = {0, 0};
	struct http_fault why;

	for (size_t at = step;; at += step) {
		enum http_answer got =
		    http_scan(&s, p, at < n ? at : n, size, &why);

		if (got != HTTP_MORE || at >= n)
			return got;
	}
}

static void
inside(struct pr_str s, const char *p, size_t n)
{
	if (s.n > 0 && (s.p < p || s.p + s.n > p + n))
		abort();
}

static void
read_body(const struct http_head *h, const char *p, size_t n)
{
	struct http_body b;
	uint64_t total = 0;
	size_t at = 0;

	http_body_begin(&b, h);
	for (;;) {
		struct http_fault why;
		struct pr_str body;
		size_t used, give = n - at < 7 ? n - at : 7;
		enum http_answer got =
		    http_body_read(&b, p + at, give, &used, &body, &why);

		if (used > give)
			abort();
		inside(body, p + at, give);
		total += body.n;
		at += used;
		if (got != HTTP_MORE || at == n)
			break;
	}
	if (h->framing == HTTP_FRAME_LENGTH && total > h->length)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data;
	struct http_head h;
	struct http_fault why = {0, NULL};
	size_t size = 0, again = 0;
	enum http_answer got;

	if (n == 0)
		return 0;
	got = scan(p, n, n, &size);
	if (scan(p, n, 1, &again) != got || size != again)
		abort();
	if (got != HTTP_DONE)
		return 0;
	if (http_read_request(p, size, &h, &why) == 0) {
		inside(h.method, p, size);
		inside(h.target, p, size);
		for (size_t i = 0; i < h.n_headers; i++) {
			inside(h.headers[i].name, p, size);
			inside(h.headers[i].value, p, size);
		}
		if (memchr(h.target.p, '#', h.target.n) != NULL ||
		    h.target.p[0] != '/')
			abort();
		read_body(&h, p + size, n - size);
	} else if (why.status < 400) {
		abort();
	}
	if (http_read_answer(p, size, PR_STR("GET"), &h, &why) == 0)
		read_body(&h, p + size, n - size);
	return 0;
}
