/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DIR/index: a heading, the number of the last revocation list, then one line
 * a certificate, its fields parted by tabs:
 *
 *     portreeve-ca 1
 *     crl 2
 *     valid  4f…  2027-02-20T10:00:00Z  -  -  9c…  alice.pem  CN=alice
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/x509.h>

#include <portreeve/buf.h>
#include <portreeve/digest.h>
#include <portreeve/file.h>

#include "make.h"
#include "store.h"

#define HEADING  "portreeve-ca 1"
#define MAX_FILE ((size_t)64 << 20)

static void
put_time(struct pr_buf *b, int64_t seconds)
{
	time_t t = seconds;
	struct tm tm;
	char text[40];

	if (seconds == 0) {
		pr_buf_char(b, '-');
		return;
	}
	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	pr_buf_cstr(b, text);
}

static bool
take_time(struct pr_arena *a, struct pr_str s, int64_t *out)
{
	struct tm tm = {0};
	const char *end;

	*out = 0;
	if (pr_str_is(s, "-"))
		return true;
	end = strptime(pr_arena_strdup(a, s), "%Y-%m-%dT%H:%M:%SZ", &tm);
	*out = timegm(&tm);
	return end != NULL && *end == '\0';
}

struct index_entry *
index_add(struct index *ix)
{
	ix->v = pr_grow(ix->v, ix->n, &ix->cap, sizeof *ix->v);
	ix->v[ix->n] = (struct index_entry){0};
	return &ix->v[ix->n++];
}

struct index_entry *
index_find(struct index *ix, struct pr_str serial)
{
	for (size_t i = 0; i < ix->n; i++)
		if (pr_str_eq_nocase(ix->v[i].serial, serial))
			return &ix->v[i];
	return NULL;
}

static bool
read_line(struct index *ix, struct pr_str line)
{
	struct index_entry *e = index_add(ix);
	struct pr_str state = pr_str_cut(&line, '\t');
	struct pr_str until, revoked;

	e->serial = pr_str_cut(&line, '\t');
	until = pr_str_cut(&line, '\t');
	revoked = pr_str_cut(&line, '\t');
	e->reason = pr_str_cut(&line, '\t');
	e->fingerprint = pr_str_cut(&line, '\t');
	e->file = pr_str_cut(&line, '\t');
	e->subject = line;
	e->revoked = pr_str_is(state, "revoked");
	return line.p != NULL && (e->revoked || pr_str_is(state, "valid")) &&
	    e->serial.n > 0 && take_time(ix->arena, until, &e->not_after) &&
	    take_time(ix->arena, revoked, &e->revoked_at) &&
	    e->revoked == (e->revoked_at != 0);
}

static int
read_text(struct index *ix, struct pr_str text)
{
	struct pr_str line = pr_str_cut(&text, '\n');
	int at = 2;

	if (!pr_str_is(line, HEADING))
		return 1;
	line = pr_str_cut(&text, '\n');
	if (!pr_str_starts(line, "crl ") ||
	    !pr_str_u64(pr_str_sub(line, 4, line.n), &ix->crl_number))
		return at;
	while (text.n > 0) {
		at++;
		if (!read_line(ix, pr_str_cut(&text, '\n')))
			return at;
	}
	return 0;
}

int
index_read(struct index *ix, const char *dir, struct pr_err **err)
{
	PR_CLEANUP(pr_freep) char *path = store_path(dir, "index", "");
	struct pr_str text;
	int line;

	*ix = (struct index){.arena = pr_arena_new(4096)};
	if (pr_file_read(ix->arena, path, MAX_FILE, &text, err) < 0)
		return -1;
	line = read_text(ix, text);
	if (line != 0)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s:%d: not a line of an index of certificates", path,
		    line);
	return 0;
}

int
index_write(const struct index *ix, const char *dir, struct pr_err **err)
{
	PR_CLEANUP(pr_freep) char *path = store_path(dir, "index", "");
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	pr_buf_printf(
	    &b, HEADING "\ncrl %llu\n", (unsigned long long)ix->crl_number);
	for (size_t i = 0; i < ix->n; i++) {
		const struct index_entry *e = &ix->v[i];

		pr_buf_printf(&b, "%s\t%.*s\t",
		    e->revoked ? "revoked" : "valid", PR_STRF(e->serial));
		put_time(&b, e->not_after);
		pr_buf_char(&b, '\t');
		put_time(&b, e->revoked_at);
		pr_buf_printf(&b, "\t%.*s\t%.*s\t%.*s\t%.*s\n",
		    PR_STRF(e->reason), PR_STRF(e->fingerprint),
		    PR_STRF(e->file), PR_STRF(e->subject));
	}
	return store_write(path, 0644, b.p, b.n, true, err);
}

void
index_fini(struct index *ix)
{
	pr_arena_free(ix->arena);
	free(ix->v);
	*ix = (struct index){0};
}

/* --- texts --- */

struct pr_str
cert_serial(struct pr_arena *a, const X509 *x)
{
	const ASN1_INTEGER *s = X509_get0_serialNumber(x);
	size_t n = (size_t)ASN1_STRING_length(s);
	bool negative = ASN1_STRING_type(s) == V_ASN1_NEG_INTEGER;
	char *p = pr_arena_bytes(a, 2 * n + 2);

	p[0] = '-';
	pr_hex(ASN1_STRING_get0_data(s), n, p + negative);
	return (struct pr_str){p, 2 * n + negative};
}

struct pr_str
cert_fingerprint(struct pr_arena *a, const X509 *x)
{
	unsigned char *der = NULL;
	uint8_t sum[PR_SHA256_LEN] = {0};
	char *p = pr_arena_bytes(a, PR_SHA256_HEX);
	int n = i2d_X509(x, &der);

	if (n > 0)
		pr_sha256(der, (size_t)n, sum);
	OPENSSL_free(der);
	pr_hex(sum, sizeof sum, p);
	return (struct pr_str){p, PR_SHA256_HEX - 1};
}

struct pr_str
cert_name(struct pr_arena *a, const X509_NAME *name)
{
	PR_CLEANUP(bio_freep) BIO *b = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n;

	if (b == NULL)
		abort();
	X509_NAME_print_ex(b, name, 0,
	    (unsigned long)XN_FLAG_RFC2253 &
		~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	n = BIO_get_mem_data(b, &p);
	return pr_arena_str(a, (struct pr_str){p, n > 0 ? (size_t)n : 0});
}

int64_t
cert_seconds(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;
}
