/* SPDX-License-Identifier: Apache-2.0 */
/* The proxy's HTTP/1.1 reader. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "http_heads.h"
#include "unit.h"

static int
read_step(const char *p, size_t n, size_t step, struct http_head *h)
{
	struct http_scan scan = {0, 0};
	struct http_fault why = {0, NULL};
	size_t size = 0;

	for (size_t at = step < n ? step : n;;
	     at = at + step < n ? at + step : n) {
		switch (http_scan(&scan, p, at, &size, &why)) {
		case HTTP_BAD:
			return why.status;
		case HTTP_DONE:
			return http_read_request(p, size, h, &why) < 0
			    ? why.status
			    : 0;
		default:
			if (at == n)
				return -1;
		}
	}
}

START_TEST(test_heads)
{
	struct http_head h;
	int got = read_step(heads[_i].p, heads[_i].n, heads[_i].n, &h);

	/* the whole head at once, and a byte at a time */
	ck_assert_msg(got == heads[_i].status, "row %d: %d, not %d: %s", _i,
	    got, heads[_i].status, heads[_i].p);
	ck_assert_int_eq(read_step(heads[_i].p, heads[_i].n, 1, &h), got);
}
END_TEST

/* Every byte in every place of a small head: known to be good, or refused. */
START_TEST(test_every_byte)
{
	static const char good[] =
	    "GET /p HTTP/1.1\r\nHost: h\r\nAb: v\r\n\r\n";
	static const struct {
		size_t at;
		const char *may; /* printable bytes that may stand there */
	} places[] = {
	    {1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}, {26, NULL}, /* name: tokens */
	    {30, NULL}, /* value: printable */
	};
	char head[sizeof good];
	struct http_head h;

	for (size_t k = 0; k < PR_COUNT(places); k++) {
		for (int c = 0; c < 256; c++) {
			int got;

			memcpy(head, good, sizeof good);
			head[places[k].at] = (char)c;
			got = read_step(head, sizeof good - 1, 7, &h);
			if (c < 0x20 && c != '\t')
				ck_assert_msg(got > 0, "%zu: %d", k, c);
			if (c >= 0x7f)
				ck_assert_msg(got == 400, "%zu: %d", k, c);
			if (places[k].may != NULL)
				ck_assert_int_eq(got == 0,
				    c != 0 && strchr(places[k].may, c) != NULL);
		}
	}
}
END_TEST

START_TEST(test_what_is_read)
{
	static const char text[] =
	    "POST /v1.41/exec/x/start?a=b HTTP/1.1\r\nHost: docker\r\n"
	    "Content-Type: application/json\r\nContent-Length: 12\r\n"
	    "Connection: Upgrade\r\nUpgrade: tcp\r\nX-Y:  v  \r\n\r\n";
	struct http_head h;

	ck_assert_int_eq(read_step(text, sizeof text - 1, 3, &h), 0);
	ck_assert(pr_str_is(h.method, "POST"));
	ck_assert(pr_str_is(h.target, "/v1.41/exec/x/start?a=b"));
	ck_assert_int_eq(h.framing, HTTP_FRAME_LENGTH);
	ck_assert_uint_eq(h.length, 12);
	ck_assert_int_eq(h.upgrade, HTTP_UPGRADE_TCP);
	ck_assert_uint_eq(h.n_headers, 6);
	ck_assert(pr_str_is(h.headers[5].value, "v"));
	ck_assert_uint_eq(h.size, sizeof text - 1);
}
END_TEST

START_TEST(test_bounds)
{
	struct pr_buf b = PR_BUF_INIT;
	struct http_head h;

	pr_buf_cstr(&b, "GET /");
	while (b.n < 33000)
		pr_buf_char(&b, 'a');
	pr_buf_cstr(&b, " HTTP/1.1\r\nHost: h\r\n\r\n");
	ck_assert_int_eq(read_step(b.p, b.n, b.n, &h), 414);
	pr_buf_reset(&b);
	pr_buf_cstr(&b, "GET / HTTP/1.1\r\nHost: h\r\nX: ");
	while (b.n < HTTP_HEAD_MAX + 10)
		pr_buf_char(&b, 'a');
	ck_assert_int_eq(read_step(b.p, b.n, 1000, &h), 431);
	pr_buf_reset(&b);
	pr_buf_cstr(&b, "GET / HTTP/1.1\r\nHost: h\r\n");
	for (int i = 0; i < HTTP_HEADERS_MAX; i++)
		pr_buf_cstr(&b, "A: b\r\n");
	pr_buf_cstr(&b, "\r\n");
	ck_assert_int_eq(read_step(b.p, b.n, b.n, &h), 431);
	pr_buf_fini(&b);
}
END_TEST

/* ---- bodies ---- */

#define BODY(s) s, sizeof(s) - 1
static const struct {
	const char *p;
	size_t n;
	const char *body; /* NULL: refused */
	size_t left;      /* bytes of the next message */
} bodies[] = {
    {BODY("0\r\n\r\n"), "", 0},
    {BODY("5\r\nhello\r\n0\r\n\r\nGET "), "hello", 4},
    {BODY("3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"), "hello", 0},
    {BODY("00005\r\nhello\r\n000\r\n\r\n"), "hello", 0},
    {BODY("a\r\n0123456789\r\n0\r\n\r\n"), "0123456789", 0},
    {BODY("A\r\n0123456789\r\n0\r\nX: y\r\nZ: \r\n\r\n"), "0123456789", 0},
    {BODY("5;x=y\r\nhello\r\n0\r\n\r\n"), NULL, 0},
    {BODY("5 \r\nhello\r\n0\r\n\r\n"), NULL, 0},
    {BODY(" 5\r\nhello\r\n0\r\n\r\n"), NULL, 0},
    {BODY("+5\r\nhello\r\n0\r\n\r\n"), NULL, 0},
    {BODY("-5\r\nhello\r\n0\r\n\r\n"), NULL, 0},
    {BODY("0x5\r\nhello\r\n0\r\n\r\n"), NULL, 0},
    {BODY("5\nhello\r\n0\r\n\r\n"), NULL, 0},
    {BODY("5\r\nhello\n0\r\n\r\n"), NULL, 0},
    {BODY("5\r\nhello0\r\n\r\n"), NULL, 0},
    {BODY("5\r\nhelloX\r\n0\r\n\r\n"), NULL, 0},
    {BODY("5\r\nhell\r\n0\r\n\r\n"), NULL, 0},
    {BODY("\r\n0\r\n\r\n"), NULL, 0},
    {BODY("0\r\n\n"), NULL, 0},
    {BODY("0\n\r\n"), NULL, 0},
    {BODY("0\r\n \r\n\r\n"), NULL, 0},
    {BODY("0\r\nX y\r\n\r\n"), NULL, 0},
    {BODY("0\r\nX: \x01\r\n\r\n"), NULL, 0},
    {BODY("0\r\n: y\r\n\r\n"), NULL, 0},
    {BODY("0\r\nX: y\n\r\n"), NULL, 0},
    {BODY("0\r\nX: y\r\n z\r\n\r\n"), NULL, 0},
    {BODY("g\r\n"), NULL, 0},
    {BODY("fffffffffffff\r\n"), NULL, 0},
    {BODY("10000000000000005\r\nhello\r\n0\r\n\r\n"), NULL, 0},
    {BODY("5\r\rhello"), NULL, 0},
    {BODY("5\0\r\nhello"), NULL, 0},
    {BODY("\"5\"\r\nhello"), NULL, 0},
};

/* Reads by steps; -1 refused, else how much was left, and the body. */
static long
read_body(const char *p, size_t n, size_t step, char *out)
{
	const struct http_head chunked = {.framing = HTTP_FRAME_CHUNKED};
	struct http_body b;
	size_t at = 0;

	http_body_begin(&b, &chunked);
	while (at < n) {
		struct http_fault why;
		struct pr_str data;
		size_t used, give = step < n - at ? step : n - at;
		enum http_answer got =
		    http_body_read(&b, p + at, give, &used, &data, &why);

		if (got == HTTP_BAD)
			return -1;
		memcpy(out, data.p != NULL ? data.p : "", data.n);
		out += data.n;
		*out = '\0';
		at += used;
		if (got == HTTP_DONE)
			return (long)(n - at);
		ck_assert(used > 0);
	}
	return -2;
}

START_TEST(test_bodies)
{
	for (size_t step = 1; step < 20; step++) {
		char out[64] = "";
		long left = read_body(bodies[_i].p, bodies[_i].n, step, out);

		if (bodies[_i].body == NULL) {
			ck_assert_msg(
			    left == -1, "%s: %ld", bodies[_i].p, left);
			continue;
		}
		ck_assert_int_eq(left, (long)bodies[_i].left);
		ck_assert_str_eq(out, bodies[_i].body);
	}
}
END_TEST

START_TEST(test_length)
{
	const struct http_head five = {
	    .framing = HTTP_FRAME_LENGTH, .length = 5};
	struct http_body b;
	struct http_fault why;
	struct pr_str data;
	size_t used;

	http_body_begin(&b, &five);
	ck_assert_int_eq(
	    http_body_read(&b, "hel", 3, &used, &data, &why), HTTP_MORE);
	ck_assert_int_eq(
	    http_body_read(&b, "loGET", 5, &used, &data, &why), HTTP_DONE);
	ck_assert_uint_eq(used, 2);
	ck_assert_int_eq(
	    http_body_read(&b, "GET", 3, &used, &data, &why), HTTP_DONE);
	ck_assert_uint_eq(used, 0);
}
END_TEST

/* ---- answers ---- */

static const struct {
	const char *text, *method;
	int framing; /* -1: refused */
} answers[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "GET", HTTP_FRAME_LENGTH},
    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", HTTP_FRAME_NONE},
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "HEAD", HTTP_FRAME_NONE},
    {"HTTP/1.1 204 No Content\r\n\r\n", "POST", HTTP_FRAME_NONE},
    {"HTTP/1.1 304 Not Modified\r\n\r\n", "POST", HTTP_FRAME_NONE},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "GET",
	HTTP_FRAME_CHUNKED},
    {"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\n", "GET", HTTP_FRAME_LENGTH},
    {"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
	"POST", HTTP_FRAME_NONE},
    {"HTTP/1.1 200 OK\r\nContent-Type: x\r\n\r\n", "POST", HTTP_FRAME_RAW},
    {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", "GET", -1},
    {"HTTP/2 200\r\n\r\n", "GET", -1},
    {"HTTP/1.1 20 OK\r\n\r\n", "GET", -1},
    {"HTTP/1.1 2000 OK\r\n\r\n", "GET", -1},
    {"HTTP/1.1 099 OK\r\n\r\n", "GET", -1},
    {"HTTP/1.1 600 OK\r\n\r\n", "GET", -1},
    {"HTTP/1.1  200 OK\r\n\r\n", "GET", -1},
    {"ICY 200 OK\r\n\r\n", "GET", -1},
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "GET",
	-1},
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
     "Transfer-Encoding: chunked\r\n\r\n",
	"GET", -1},
    {"HTTP/1.1 101 X\r\nConnection: Upgrade\r\n\r\n", "POST", -1},
};

START_TEST(test_answers)
{
	struct http_head h;
	struct http_fault why;
	int rc = http_read_answer(answers[_i].text, strlen(answers[_i].text),
	    pr_str_of(answers[_i].method), &h, &why);

	ck_assert_msg(
	    (rc < 0) == (answers[_i].framing < 0), "%s", answers[_i].text);
	if (rc == 0)
		ck_assert_int_eq((int)h.framing, answers[_i].framing);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("http");
	TCase *t = tcase_create("http");

	tcase_add_loop_test(t, test_heads, 0, (int)PR_COUNT(heads));
	tcase_add_test(t, test_every_byte);
	tcase_add_test(t, test_what_is_read);
	tcase_add_test(t, test_bounds);
	tcase_add_loop_test(t, test_bodies, 0, (int)PR_COUNT(bodies));
	tcase_add_test(t, test_length);
	tcase_add_loop_test(t, test_answers, 0, (int)PR_COUNT(answers));
	suite_add_tcase(s, t);
	return unit_run(s);
}
