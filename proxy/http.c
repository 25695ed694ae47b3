/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <string.h>

#include <portreeve/caps.h>

#define METHOD_MAX 16

static int
refuse(struct http_fault *why, int status, const char *text)
{
	*why = (struct http_fault){status, text};
	return -1;
}

/* ---- bytes ---- */

enum class {
	TOKEN = 1,  /* of names: RFC 9110 5.6.2 */
	VALUE = 2,  /* of values: printable ASCII, blank, tab */
	TARGET = 4, /* of targets: printable ASCII but '#' */
	HOST = 8,   /* of Host: RFC 3986 3.2.2 and a port */
};

#define ANY (VALUE | TARGET | TOKEN | HOST)
static const uint8_t classes[256] = {
    ['\t'] = VALUE,
    [' '] = VALUE,
    ['!'] = ANY,
    ['"'] = VALUE | TARGET,
    ['#'] = VALUE | TOKEN,
    ['$' ... '\''] = ANY,
    ['(' ... ')'] = VALUE | TARGET | HOST,
    ['*' ... '+'] = ANY,
    [','] = VALUE | TARGET | HOST,
    ['-' ... '.'] = ANY,
    ['/'] = VALUE | TARGET,
    ['0' ... '9'] = ANY,
    [':' ... ';'] = VALUE | TARGET | HOST,
    ['<'] = VALUE | TARGET,
    ['='] = VALUE | TARGET | HOST,
    ['>' ... '@'] = VALUE | TARGET,
    ['A' ... 'Z'] = ANY,
    ['['] = VALUE | TARGET | HOST,
    ['\\'] = VALUE | TARGET,
    [']'] = VALUE | TARGET | HOST,
    ['^'] = VALUE | TARGET | TOKEN,
    ['_'] = ANY,
    ['`'] = VALUE | TARGET | TOKEN,
    ['a' ... 'z'] = ANY,
    ['{'] = VALUE | TARGET,
    ['|'] = VALUE | TARGET | TOKEN,
    ['}'] = VALUE | TARGET,
    ['~'] = ANY,
};
#undef ANY

static unsigned
class_of(unsigned char c)
{
	return classes[c];
}

static bool
all_of(struct pr_str s, unsigned class)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((class_of((unsigned char)s.p[i]) & class) == 0)
			return false;
	}
	return true;
}

/* ---- the end of the head ---- */

/* A line feed at i: 1 the head ends here, 0 a line does, -1 refused. */
static int
end_line(struct http_scan *s, const char *p, size_t i, struct http_fault *why)
{
	if (i == 0 || p[i - 1] != '\r')
		return refuse(
		    why, 400, "a line ends without a carriage return");
	if (i - 1 == s->line) {
		if (s->line == 0)
			return refuse(
			    why, 400, "an empty line before the request");
		return 1;
	}
	s->line = i + 1;
	return 0;
}

enum http_answer
http_scan(struct http_scan *s, const char *p, size_t n, size_t *size,
    struct http_fault *why)
{
	for (; s->at < n; s->at++) {
		unsigned char c = (unsigned char)p[s->at];
		int end = 0;

		if (s->at > 0 && p[s->at - 1] == '\r' && c != '\n') {
			refuse(why, 400, "a carriage return inside of a line");
			return HTTP_BAD;
		}
		if (c == '\n')
			end = end_line(s, p, s->at, why);
		else if (c != '\r' && (class_of(c) & VALUE) == 0)
			end = refuse(why, 400,
			    "a byte that is not printable ASCII in the head");
		if (end < 0)
			return HTTP_BAD;
		if (end > 0) {
			*size = ++s->at;
			return HTTP_DONE;
		}
		if (s->at + 1 >= HTTP_HEAD_MAX) {
			refuse(why, 431, "the head is longer than 64 KiB");
			return HTTP_BAD;
		}
	}
	return HTTP_MORE;
}

/* ---- lines ---- */

/* The next line of a scanned head, without its end; empty at the last. */
static struct pr_str
next_line(struct pr_str *rest)
{
	struct pr_str line = pr_str_cut(rest, '\n');

	line.n--; /* the carriage return: http_scan saw it */
	return line;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int
read_header(struct pr_str line, struct http_head *out, struct http_fault *why)
{
	struct pr_header *h;
	struct pr_str name;

	if (is_blank(line.p[0]))
		return refuse(why, 400, "a header line that is folded");
	name = pr_str_cut(&line, ':');
	if (line.p == NULL)
		return refuse(why, 400, "a header line without a colon");
	if (name.n == 0 || !all_of(name, TOKEN))
		return refuse(why, 400, "a header's name is not a token");
	if (out->n_headers == HTTP_HEADERS_MAX)
		return refuse(why, 431, "more than 100 headers");
	while (line.n > 0 && is_blank(line.p[0])) {
		line.p++;
		line.n--;
	}
	while (line.n > 0 && is_blank(line.p[line.n - 1]))
		line.n--;
	h = &out->headers[out->n_headers++];
	h->name = name;
	h->value = line;
	return 0;
}

static int
read_headers(struct pr_str rest, struct http_head *out, struct http_fault *why)
{
	for (;;) {
		struct pr_str line = next_line(&rest);

		if (line.n == 0)
			return 0;
		if (read_header(line, out, why) < 0)
			return -1;
	}
}

/* ---- headers that say where the message ends, or change it ---- */

/* What is taken once at most: readers differ in which one they obey. */
static const char *const single[] = {
    "Host",
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Upgrade",
    "Expect",
    "TE",
    "Trailer",
    "Content-Type",
    "Content-Encoding",
    "User-Agent",
    "Authorization",
    "X-Registry-Auth",
    "X-Registry-Config",
    "X-Portreeve-Team",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
};

static int
check_single(const struct http_head *h, struct http_fault *why)
{
	for (size_t k = 0; k < PR_COUNT(single); k++) {
		size_t seen = 0, len = strlen(single[k]);

		for (size_t i = 0; i < h->n_headers; i++) {
			if (h->headers[i].name.n == len &&
			    pr_str_is_nocase(h->headers[i].name, single[k]) &&
			    ++seen > 1)
				return refuse(why, 400,
				    "a header that may come once comes twice");
		}
	}
	return 0;
}

static const struct pr_str *
header(const struct http_head *h, const char *name)
{
	bool repeated;

	return pr_header_get(h->headers, h->n_headers, name, &repeated);
}

static int
read_length(struct pr_str s, uint64_t *out, struct http_fault *why)
{
	/* far below what overflows; a terabyte is more than any image */
	if (s.n > 15 || !pr_str_u64(s, out))
		return refuse(why, 400, "Content-Length is not a number");
	return 0;
}

static int
read_framing(struct http_head *h, struct http_fault *why)
{
	const struct pr_str *length = header(h, "Content-Length");
	const struct pr_str *coding = header(h, "Transfer-Encoding");

	if (length != NULL && coding != NULL)
		return refuse(
		    why, 400, "both Content-Length and Transfer-Encoding");
	if (coding != NULL) {
		if (!pr_str_is_nocase(*coding, "chunked"))
			return refuse(why, 501,
			    "a Transfer-Encoding that is not \"chunked\"");
		h->framing = HTTP_FRAME_CHUNKED;
	} else if (length != NULL) {
		if (read_length(*length, &h->length, why) < 0)
			return -1;
		h->framing =
		    h->length > 0 ? HTTP_FRAME_LENGTH : HTTP_FRAME_NONE;
	}
	return 0;
}

static const struct {
	const char *word;
	enum http_upgrade upgrade;
} upgrades[] = {
    {"tcp", HTTP_UPGRADE_TCP},
    {"h2c", HTTP_UPGRADE_H2C},
    {"websocket", HTTP_UPGRADE_WEBSOCKET},
};

const char *
http_upgrade_name(enum http_upgrade u)
{
	for (size_t i = 0; i < PR_COUNT(upgrades); i++) {
		if (upgrades[i].upgrade == u)
			return upgrades[i].word;
	}
	return "";
}

static int
read_connection(struct http_head *h, struct http_fault *why)
{
	const struct pr_str *value = header(h, "Connection");
	const struct pr_str *upgrade = header(h, "Upgrade");
	struct pr_str rest = value != NULL ? *value : (struct pr_str){NULL, 0};
	bool wants = false;

	while (rest.p != NULL) {
		struct pr_str word = pr_str_trim(pr_str_cut(&rest, ','));

		if (pr_str_is_nocase(word, "close"))
			h->close = true;
		else if (pr_str_is_nocase(word, "upgrade"))
			wants = true;
		else if (!pr_str_is_nocase(word, "keep-alive"))
			return refuse(why, 400,
			    "Connection takes close, keep-alive and upgrade");
	}
	if (wants != (upgrade != NULL))
		return refuse(
		    why, 400, "Upgrade and Connection: upgrade go together");
	for (size_t i = 0; wants && i < PR_COUNT(upgrades); i++) {
		if (pr_str_is_nocase(*upgrade, upgrades[i].word))
			h->upgrade = upgrades[i].upgrade;
	}
	if (wants && h->upgrade == HTTP_UPGRADE_NONE)
		return refuse(why, 400, "Upgrade takes tcp, h2c and websocket");
	return 0;
}

static int
read_expect(struct http_head *h, struct http_fault *why)
{
	const struct pr_str *expect = header(h, "Expect");

	if (expect == NULL)
		return 0;
	if (!pr_str_is_nocase(*expect, "100-continue"))
		return refuse(
		    why, 417, "an Expect that is not \"100-continue\"");
	h->expects = true;
	return 0;
}

static int
check_host(const struct http_head *h, struct http_fault *why)
{
	const struct pr_str *host = header(h, "Host");

	if (host == NULL)
		return refuse(why, 400, "there is no Host");
	/* an empty one is what RFC 9110 7.2 has for a target without authority:
	 * docker's own clients send it with /session and /grpc */
	if (host->n > 1024 || !all_of(*host, HOST))
		return refuse(why, 400, "Host is not a name with a port");
	return 0;
}

/* ---- first lines ---- */

static int
check_version(struct pr_str s, struct http_fault *why)
{
	if (pr_str_is(s, "HTTP/1.1"))
		return 0;
	if (s.n == 8 && pr_str_starts(s, "HTTP/") && s.p[6] == '.')
		return refuse(why, 505, "HTTP/1.1 is spoken here");
	return refuse(why, 400, "the request line does not end in HTTP/1.1");
}

static int
read_request_line(
    struct pr_str line, struct http_head *out, struct http_fault *why)
{
	out->method = pr_str_cut(&line, ' ');
	if (line.p == NULL)
		return refuse(why, 400, "the request line has no target");
	if (out->method.n == 0 || out->method.n > METHOD_MAX)
		return refuse(why, 400, "the method is none");
	for (size_t i = 0; i < out->method.n; i++) {
		if (out->method.p[i] < 'A' || out->method.p[i] > 'Z')
			return refuse(why, 400, "the method is none");
	}
	out->target = pr_str_cut(&line, ' ');
	if (line.p == NULL)
		return refuse(why, 400, "the request line has no version");
	if (check_version(line, why) < 0)
		return -1;
	if (out->target.n > PR_CAP_TARGET)
		return refuse(why, 414, "the target is longer than 32 KiB");
	if (out->target.n == 0 || out->target.p[0] != '/')
		return refuse(
		    why, 400, "the target is not a path that begins with /");
	if (!all_of(out->target, TARGET))
		return refuse(
		    why, 400, "the target holds what must be percent-encoded");
	return 0;
}

int
http_read_request(
    const char *p, size_t size, struct http_head *out, struct http_fault *why)
{
	struct pr_str rest = {p, size};

	out->n_headers = 0;
	out->status = 0;
	out->framing = HTTP_FRAME_NONE;
	out->length = 0;
	out->upgrade = HTTP_UPGRADE_NONE;
	out->close = out->expects = false;
	out->size = size;
	if (read_request_line(next_line(&rest), out, why) < 0 ||
	    read_headers(rest, out, why) < 0 || check_single(out, why) < 0 ||
	    check_host(out, why) < 0 || read_framing(out, why) < 0 ||
	    read_connection(out, why) < 0 || read_expect(out, why) < 0)
		return -1;
	if (out->expects && out->framing == HTTP_FRAME_NONE)
		out->expects = false;
	return 0;
}

static int
read_status_line(
    struct pr_str line, struct http_head *out, struct http_fault *why)
{
	uint64_t status;

	if (!pr_str_starts(line, "HTTP/1.1 "))
		return refuse(why, 502, "the daemon does not speak HTTP/1.1");
	line = pr_str_sub(line, 9, line.n);
	if (line.n < 3 || (line.n > 3 && line.p[3] != ' ') ||
	    !pr_str_u64(pr_str_sub(line, 0, 3), &status) || status < 100 ||
	    status > 599)
		return refuse(why, 502, "the daemon's status is none");
	out->status = (int)status;
	out->reason = pr_str_sub(line, 4, line.n);
	return 0;
}

static bool
has_no_body(const struct http_head *h, struct pr_str method)
{
	return h->status < 200 || h->status == 204 || h->status == 304 ||
	    pr_str_is(method, "HEAD");
}

int
http_read_answer(const char *p, size_t size, struct pr_str method,
    struct http_head *out, struct http_fault *why)
{
	struct pr_str rest = {p, size};
	bool measured;

	out->n_headers = 0;
	out->framing = HTTP_FRAME_NONE;
	out->length = 0;
	out->upgrade = HTTP_UPGRADE_NONE;
	out->close = out->expects = false;
	out->size = size;
	out->method = out->target = (struct pr_str){NULL, 0};
	if (read_status_line(next_line(&rest), out, why) < 0 ||
	    read_headers(rest, out, why) < 0 || check_single(out, why) < 0 ||
	    read_framing(out, why) < 0)
		return -1;
	measured = header(out, "Content-Length") != NULL;
	if (out->status == 101) {
		if (read_connection(out, why) < 0)
			return -1;
	} else {
		const struct pr_str *c = header(out, "Connection");

		out->close = c != NULL && pr_str_is_nocase(*c, "close");
	}
	if (has_no_body(out, method))
		out->framing = HTTP_FRAME_NONE;
	else if (out->framing == HTTP_FRAME_NONE && !measured)
		out->framing = HTTP_FRAME_RAW;
	return 0;
}

/* ---- bodies ---- */

enum body_state {
	CHUNK_SIZE = 0,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_CR,
	CHUNK_LF,
	TRAILER,      /* at the first byte of a line */
	TRAILER_NAME, /* inside of one */
	TRAILER_VALUE,
	TRAILER_LF, /* after the CR of a line */
	END_LF,     /* after the CR of the empty line */
};

void
http_body_begin(struct http_body *b, const struct http_head *head)
{
	*b = (struct http_body){.framing = head->framing};
	if (head->framing == HTTP_FRAME_LENGTH)
		b->left = head->length;
	b->done = head->framing == HTTP_FRAME_NONE;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int
chunk_size(struct http_body *b, char c, struct http_fault *why)
{
	int digit = hex(c);

	if (digit >= 0) {
		if (++b->digits > 12)
			return refuse(why, 400, "a chunk's size is too long");
		b->left = b->left << 4 | (unsigned)digit;
		return 0;
	}
	if (c != '\r' || b->digits == 0)
		return refuse(why, 400, "a chunk's size is not a number");
	b->state = CHUNK_SIZE_LF;
	return 0;
}

static int
chunk_begin(struct http_body *b)
{
	b->digits = 0;
	b->state = b->left > 0 ? CHUNK_DATA : TRAILER;
	return 0;
}

static int
trailer(struct http_body *b, char c, struct http_fault *why)
{
	unsigned class = class_of((unsigned char)c);

	if (++b->trailer > HTTP_TRAILER_MAX)
		return refuse(why, 431, "the trailer is too long");
	switch (b->state) {
	case TRAILER:
		if (c == '\r') {
			b->state = END_LF;
			return 0;
		}
		b->state = TRAILER_NAME;
		return class & TOKEN
		    ? 0
		    : refuse(why, 400, "a trailer is no header");
	case TRAILER_NAME:
		if (c == ':')
			b->state = TRAILER_VALUE;
		else if ((class & TOKEN) == 0)
			return refuse(why, 400, "a trailer is no header");
		return 0;
	default:
		if (c == '\r')
			b->state = TRAILER_LF;
		else if ((class & VALUE) == 0)
			return refuse(why, 400, "a trailer is no header");
		return 0;
	}
}

/* One byte of a chunked body that is no data. */
static int
chunk_byte(struct http_body *b, char c, struct http_fault *why)
{
	static const char text[] = "a chunk does not end where it should";

	switch (b->state) {
	case CHUNK_SIZE:
		return chunk_size(b, c, why);
	case CHUNK_SIZE_LF:
		return c == '\n' ? chunk_begin(b) : refuse(why, 400, text);
	case CHUNK_CR:
		b->state = CHUNK_LF;
		return c == '\r' ? 0 : refuse(why, 400, text);
	case CHUNK_LF:
		b->state = CHUNK_SIZE;
		return c == '\n' ? 0 : refuse(why, 400, text);
	case TRAILER_LF:
		b->state = TRAILER;
		return c == '\n' ? 0 : refuse(why, 400, text);
	case END_LF:
		b->done = true;
		return c == '\n' ? 0 : refuse(why, 400, text);
	default:
		return trailer(b, c, why);
	}
}

static struct pr_str
take_data(struct http_body *b, const char *p, size_t n)
{
	struct pr_str data = {p, n < b->left ? n : (size_t)b->left};

	b->left -= data.n;
	return data;
}

static enum http_answer
read_chunked(struct http_body *b, const char *p, size_t n, size_t *used,
    struct pr_str *data, struct http_fault *why)
{
	while (!b->done && *used < n) {
		if (b->state == CHUNK_DATA) {
			*data = take_data(b, p + *used, n - *used);
			*used += data->n;
			if (b->left == 0)
				b->state = CHUNK_CR;
			return HTTP_MORE;
		}
		if (chunk_byte(b, p[(*used)++], why) < 0)
			return HTTP_BAD;
	}
	return b->done ? HTTP_DONE : HTTP_MORE;
}

enum http_answer
http_body_read(struct http_body *b, const char *p, size_t n, size_t *used,
    struct pr_str *data, struct http_fault *why)
{
	*used = 0;
	*data = (struct pr_str){NULL, 0};
	if (b->done)
		return HTTP_DONE;
	switch (b->framing) {
	case HTTP_FRAME_CHUNKED:
		return read_chunked(b, p, n, used, data, why);
	case HTTP_FRAME_LENGTH:
		*data = take_data(b, p, n);
		*used = data->n;
		b->done = b->left == 0;
		return b->done ? HTTP_DONE : HTTP_MORE;
	case HTTP_FRAME_RAW:
		*data = (struct pr_str){p, n};
		*used = n;
		return HTTP_MORE;
	case HTTP_FRAME_NONE:
	default:
		b->done = true;
		return HTTP_DONE;
	}
}
