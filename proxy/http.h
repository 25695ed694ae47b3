/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 as this proxy takes it: a reader that refuses what it does not
 * wholly understand.  Pure functions over bytes; no memory, no sockets.
 *
 * RFC 9112 lets a recipient be generous in many places (bare LF, folded
 * lines, absolute targets, several equal lengths); each of them has been used
 * to make two readers see different messages, so none is taken.  What is read
 * here is never forwarded as it came: http_write.h writes it anew.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/request.h>

#define HTTP_HEADERS_MAX 100
#define HTTP_HEAD_MAX    ((size_t)65536)
#define HTTP_TRAILER_MAX ((size_t)4096)

enum http_answer {
	HTTP_BAD = 0, /* *why says so; close after the answer */
	HTTP_MORE,    /* nothing wrong yet, and not whole */
	HTTP_DONE,
};

struct http_fault {
	int status; /* for the client: 400, 411, 414, 417, 431, 501, 505 */
	const char *text; /* static */
};

enum http_framing {
	HTTP_FRAME_NONE = 0, /* no body */
	HTTP_FRAME_LENGTH,
	HTTP_FRAME_CHUNKED,
	HTTP_FRAME_RAW, /* an answer without a length: only for a hijack */
};

enum http_upgrade {
	HTTP_UPGRADE_NONE = 0,
	HTTP_UPGRADE_TCP,
	HTTP_UPGRADE_H2C,
	HTTP_UPGRADE_WEBSOCKET,
};
const char *http_upgrade_name(enum http_upgrade u);

struct http_head {
	struct pr_str method, target; /* of a request */
	int status;                   /* of an answer */
	struct pr_str reason;
	struct pr_header headers[HTTP_HEADERS_MAX];
	size_t n_headers;
	enum http_framing framing;
	uint64_t length; /* of HTTP_FRAME_LENGTH */
	enum http_upgrade upgrade;
	bool close;   /* Connection: close */
	bool expects; /* Expect: 100-continue */
	size_t size;  /* bytes of the head, the empty line included */
};

/* How far the head's bytes were looked at; zeroed at its first byte. */
struct http_scan {
	size_t at;
	size_t line; /* where the current line begins */
};

/*
 * Looks at new bytes of a head (p is always its beginning): every byte that
 * can be in none is refused as soon as it is there.  DONE: *size is its
 * length.
 */
enum http_answer http_scan(struct http_scan *s, const char *p, size_t n,
    size_t *size, struct http_fault *why) PR_NODISCARD;
/*
 * Reads a whole head of `size` bytes as http_scan found it.  Strings are
 * borrowed from p.  0 or -1.
 */
int http_read_request(const char *p, size_t size, struct http_head *out,
    struct http_fault *why) PR_NODISCARD;
/* The same for the answer to a request of that method. */
int http_read_answer(const char *p, size_t size, struct pr_str method,
    struct http_head *out, struct http_fault *why) PR_NODISCARD;

/* ---- bodies ---- */

struct http_body {
	enum http_framing framing;
	int state;
	uint64_t left;   /* of the body or the chunk */
	unsigned digits; /* of the chunk's size, so far */
	size_t trailer;  /* bytes of the trailer, so far */
	bool done;
};

void http_body_begin(struct http_body *b, const struct http_head *head);
/*
 * Takes framing off: *used bytes were read from p, of which *data is the next
 * piece of the body (maybe empty).  BAD: *why.  DONE: the body is over, what
 * follows is another message.  MORE: call again with what follows, when some
 * does.  Trailers are checked and dropped.
 */
enum http_answer http_body_read(struct http_body *b, const char *p, size_t n,
    size_t *used, struct pr_str *data, struct http_fault *why) PR_NODISCARD;

#endif /* HTTP_H */
