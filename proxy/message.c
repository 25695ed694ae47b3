/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <stdio.h>
#include <string.h>

/*
 * Headers of one hop, and those that are written anew: never forwarded.
 * A client has no business with our own ones; X-Portreeve-Team is a wish that
 * the plugin behind the daemon must know of as well.
 */
static const char *const ours[] = {
    "Host",
    "Connection",
    "Content-Length",
    "Transfer-Encoding",
    "Upgrade",
    "Expect",
    "TE",
    "Trailer",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authorization",
    "Proxy-Authenticate",
    "HTTP2-Settings",
    "Content-Type",
    "X-Portreeve-Lookup",
    "X-Portreeve-Assertion",
};

static bool
is_ours(struct pr_str name)
{
	for (size_t i = 0; i < PR_COUNT(ours); i++) {
		if (pr_str_is_nocase(name, ours[i]))
			return true;
	}
	return false;
}

/* ---- to the daemon ---- */

static void
add(struct iobuf *out, const char *text)
{
	iobuf_add(out, text, strlen(text));
}

static void
add_str(struct iobuf *out, struct pr_str s)
{
	iobuf_add(out, s.p, s.n);
}

static void
add_header(struct iobuf *out, const char *name, struct pr_str value)
{
	add(out, name);
	add(out, ": ");
	add_str(out, value);
	add(out, "\r\n");
}

static void
add_length(struct iobuf *out, uint64_t length)
{
	char text[64];

	snprintf(text, sizeof text, "Content-Length: %llu\r\n",
	    (unsigned long long)length);
	add(out, text);
}

/* GET, HEAD and DELETE without a body say nothing of one. */
static bool
expects_body(struct pr_str method)
{
	return pr_str_is(method, "POST") || pr_str_is(method, "PUT");
}

static void
add_framing(struct iobuf *out, const struct flow *f)
{
	bool repeated;
	const struct pr_str *type = pr_header_get(
	    f->head.headers, f->head.n_headers, "Content-Type", &repeated);

	if (f->streams) {
		if (type != NULL)
			add_header(out, "Content-Type", *type);
		if (f->head.framing == HTTP_FRAME_CHUNKED)
			add(out, "Transfer-Encoding: chunked\r\n");
		else
			add_length(out, f->head.length);
	} else if (f->json.n > 0) {
		add(out, "Content-Type: application/json\r\n");
		add_length(out, f->json.n);
	} else if (expects_body(f->head.method)) {
		add_length(out, 0);
	}
}

/* What the plugin behind the daemon is to know of who asks. */
static void
add_assertion(struct iobuf *out, const struct flow *f)
{
	struct pr_asserter *as = pr_judge_asserter(f->loop->proxy->judge);
	struct pr_buf b = PR_BUF_INIT;
	bool repeated;
	const struct pr_str *type = pr_header_get(
	    f->head.headers, f->head.n_headers, "Content-Type", &repeated);
	struct pr_assertion about = {.kind = PR_ASSERT_REQUEST,
	    .method = f->head.method,
	    .target = f->out.forward.target,
	    .body = pr_buf_view(&f->json),
	    .streams = f->streams,
	    .caller = &f->call.caller,
	    .decision = pr_str_of(f->out.id),
	    .policy = f->out.record.policy};

	if (as == NULL)
		return;
	if (f->streams && type != NULL)
		about.content_type = *type;
	else if (f->json.n > 0)
		about.content_type = PR_STR("application/json");
	pr_assertion_write(as, &about, &b);
	add(out, PR_ASSERTION_HEADER ": ");
	add_str(out, pr_buf_view(&b));
	add(out, "\r\n");
	pr_buf_fini(&b);
}

void
message_request(struct iobuf *out, const struct flow *f)
{
	const struct http_head *h = &f->head;

	add_str(out, h->method);
	add(out, " ");
	add_str(out, f->out.forward.target);
	add(out, " HTTP/1.1\r\nHost: docker\r\n");
	for (size_t i = 0; i < h->n_headers; i++) {
		if (is_ours(h->headers[i].name))
			continue;
		add_str(out, h->headers[i].name);
		add(out, ": ");
		add_str(out, h->headers[i].value);
		add(out, "\r\n");
	}
	if (h->upgrade != HTTP_UPGRADE_NONE) {
		add(out, "Connection: Upgrade\r\nUpgrade: ");
		add(out, http_upgrade_name(h->upgrade));
		add(out, "\r\n");
	}
	add_framing(out, f);
	add_assertion(out, f);
	add(out, "\r\n");
}

void
message_chunk(struct iobuf *out, struct pr_str data)
{
	char size[24];
	int n;

	if (data.n == 0)
		return;
	n = snprintf(size, sizeof size, "%zx\r\n", data.n);
	(void)iobuf_room(out, data.n + (size_t)n + 2);
	iobuf_add(out, size, (size_t)n);
	iobuf_add(out, data.p, data.n);
	iobuf_add(out, "\r\n", 2);
}

/* ---- to the client ---- */

void
message_answer(
    struct pr_buf *out, const struct http_head *h, struct pr_str method)
{
	pr_buf_printf(out, "HTTP/1.1 %d ", h->status);
	pr_buf_str(out, h->reason);
	pr_buf_cstr(out, "\r\n");
	for (size_t i = 0; i < h->n_headers; i++) {
		const struct pr_header *x = &h->headers[i];
		bool type = pr_str_is_nocase(x->name, "Content-Type") ||
		    (pr_str_is(method, "HEAD") &&
			pr_str_is_nocase(x->name, "Content-Length"));

		if (!type && is_ours(x->name))
			continue;
		pr_buf_str(out, x->name);
		pr_buf_cstr(out, ": ");
		pr_buf_str(out, x->value);
		pr_buf_cstr(out, "\r\n");
	}
}

static const char *
reason_of(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
	    {400, "Bad Request"},
	    {403, "Forbidden"},
	    {408, "Request Timeout"},
	    {413, "Content Too Large"},
	    {414, "URI Too Long"},
	    {417, "Expectation Failed"},
	    {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"},
	    {501, "Not Implemented"},
	    {502, "Bad Gateway"},
	    {503, "Service Unavailable"},
	    {504, "Gateway Timeout"},
	    {505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < PR_COUNT(reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].text;
	}
	return "Error";
}

void
message_error(
    struct pr_buf *out, int status, const char *text, bool head, bool last)
{
	struct pr_buf body = PR_BUF_INIT;

	pr_buf_cstr(&body, "{\"message\":");
	pr_buf_json(&body, pr_str_of(text));
	pr_buf_cstr(&body, "}\n");
	pr_buf_printf(out,
	    "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n%s\r\n",
	    status, reason_of(status), body.n,
	    last ? "Connection: close\r\n" : "");
	if (!head)
		pr_buf_str(out, pr_buf_view(&body));
	pr_buf_fini(&body);
}
