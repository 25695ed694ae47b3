/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reading a document costs, beside jansson in the same run:
 *	bench_json test/bench/json_body.json
 * The file is a body as `docker run` sends it; the other documents are made
 * here, 900 KB each.  Wall time of the fastest of several rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/digest.h>
#include <portreeve/json.h>

#define BIG    900000
#define ROUNDS 12

static struct pr_arena *arena;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
read_ours(struct pr_str text)
{
	struct pr_json_fault fault;

	if (pr_json_read(arena, text, &fault) == NULL) {
		fprintf(stderr, "%s at %u\n", fault.text, fault.at);
		exit(EXIT_FAILURE);
	}
	pr_arena_reset(arena, 65536);
}

static void
read_jansson(struct pr_str text)
{
	json_t *j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);

	if (j == NULL)
		exit(EXIT_FAILURE);
	json_decref(j);
}

static void
decode_by(enum pr_base64_way way, struct pr_str text)
{
	static char out[BIG * 2];

	if (pr_base64_decode_by(way, text, out) < 0)
		exit(EXIT_FAILURE);
}

static void
decode_best(struct pr_str text)
{
	decode_by(PR_BASE64_AVX2, text);
}

static void
decode_ssse3(struct pr_str text)
{
	decode_by(PR_BASE64_SSSE3, text);
}

static void
decode_plain(struct pr_str text)
{
	decode_by(PR_BASE64_PLAIN, text);
}

/* Microseconds of one call, of the fastest round. */
static double
measure(void (*fn)(struct pr_str), struct pr_str text)
{
	size_t times = 2000000 / (text.n + 1000) + 1;
	double best = 1e18;

	for (int round = 0; round < ROUNDS; round++) {
		double t = now();

		for (size_t i = 0; i < times; i++)
			fn(text);
		t = (now() - t) / (double)times;
		best = t < best ? t : best;
	}
	return best;
}

static void
line(const char *name, struct pr_str text, double ours, double other)
{
	printf("%-28s %8zu bytes %10.2f us %7.3f ns/byte %10.2f us  x%.1f\n",
	    name, text.n, ours, ours * 1000 / (double)text.n, other,
	    other / ours);
}

static void
documents(const char *name, struct pr_str text)
{
	line(name, text, measure(read_ours, text), measure(read_jansson, text));
}

/* {"Env":[item,item,...]}, BIG bytes */
static void
repeated(const char *name, const char *item)
{
	struct pr_buf b PR_CLEANUP(pr_buf_fini) = PR_BUF_INIT;

	pr_buf_cstr(&b, "{\"Env\":[");
	while (b.n < BIG)
		pr_buf_printf(&b, "%s,", item);
	b.p[b.n - 1] = ']';
	pr_buf_char(&b, '}');
	documents(name, pr_buf_view(&b));
}

/* One string of BIG bytes. */
static void
filled(const char *name, const char *piece)
{
	struct pr_buf b PR_CLEANUP(pr_buf_fini) = PR_BUF_INIT;

	pr_buf_cstr(&b, "{\"Label\":\"");
	while (b.n < BIG)
		pr_buf_cstr(&b, piece);
	pr_buf_cstr(&b, "\"}");
	documents(name, pr_buf_view(&b));
}

static void
keyed(const char *name, const char *format, size_t keys)
{
	struct pr_buf b PR_CLEANUP(pr_buf_fini) = PR_BUF_INIT;

	pr_buf_cstr(&b, "{");
	for (size_t i = 0; i < keys; i++)
		pr_buf_printf(
		    &b, "\"%s%zu\":\"0123456789abcdef012345\",", format, i);
	b.p[b.n - 1] = '}';
	documents(name, pr_buf_view(&b));
}

static void
base64(const char *name, size_t n)
{
	char *bytes = pr_xcalloc(n, 1);
	char *text = pr_xmalloc(4 * ((n + 2) / 3) + 1);
	struct pr_str in;
	double plain;

	pr_random(bytes, n);
	in = (struct pr_str){text, pr_base64_encode(bytes, n, text)};
	plain = measure(decode_plain, in);
	if (pr_base64_has(PR_BASE64_SSSE3))
		line(name, in, measure(decode_ssse3, in), plain);
	if (pr_base64_has(PR_BASE64_AVX2))
		line(name, in, measure(decode_best, in), plain);
	free(bytes);
	free(text);
}

int
main(int argc, char **argv)
{
	struct pr_buf body PR_CLEANUP(pr_buf_fini) = PR_BUF_INIT;
	char chunk[4096];
	size_t n;
	FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;

	if (f == NULL) {
		fputs("usage: bench_json BODY.json\n", stderr);
		return 64;
	}
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		pr_buf_add(&body, chunk, n);
	fclose(f);
	arena = pr_arena_new(65536);
	printf(
	    "%-28s %14s %13s %15s %13s\n", "", "", "ours", "", "jansson/plain");
	documents("create body", pr_buf_view(&body));
	filled("one long string", "0123456789abcdef");
	filled("one string, not ASCII", "\xe6\xb8\xaf\xe5\x8f\xa3");
	filled("one string, all escapes", "\\n\\u00e9");
	repeated("env of 40 bytes", "\"APP_SETTING_42=value-of.example.com\"");
	repeated("integers", "12345");
	repeated("small objects", "{\"HostPort\":\"8080\"}");
	keyed("16384 keys", "com.acme.label-", 16384);
	keyed("16384 keys, not ASCII", "com.acm\xc3\xa9.label-", 16384);
	base64("base64", BIG);
	base64("base64", 2800);
	pr_arena_free(arena);
	return 0;
}
