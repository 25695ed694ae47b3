/* SPDX-License-Identifier: Apache-2.0 */
#include "der.h"

#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/digest.h>

#define BEGIN     "-----BEGIN CERTIFICATE-----\n"
#define END       "-----END CERTIFICATE-----"

#define DER_DEPTH 32

/* The lines between BEGIN and END, without their ends. */
static const char *
join_lines(struct pr_arena *a, struct pr_str body, struct pr_str *out)
{
	char *to = pr_arena_bytes(a, body.n + 1);
	size_t n = 0;

	while (body.n > 0) {
		struct pr_str line = pr_str_cut(&body, '\n');

		if (line.n == 0 || line.n > 76)
			return "the certificate's PEM has a line that is empty "
			       "or too long";
		memcpy(to + n, line.p, line.n);
		n += line.n;
	}
	*out = (struct pr_str){to, n};
	return NULL;
}

const char *
der_of_pem(struct pr_arena *a, struct pr_str pem, struct pr_str *der)
{
	struct pr_str body;
	const char *wrong;
	char *to;
	ptrdiff_t n;

	if (pem.n > PR_CAP_CERT)
		return "the certificate is larger than 128 KiB";
	while (pem.n > 0 && pem.p[pem.n - 1] == '\n')
		pem.n--;
	if (!pr_str_starts(pem, BEGIN))
		return "the certificate is not PEM text";
	/* a second certificate, or anything else between, is no base64 */
	body = pr_str_sub(pem, strlen(BEGIN), pem.n);
	if (!pr_str_ends(body, "\n" END))
		return "the PEM text does not end with its certificate";
	body.n -= strlen(END);
	if ((wrong = join_lines(a, body, &body)) != NULL)
		return wrong;
	to = pr_arena_bytes(a, body.n + 4);
	n = pr_base64_decode(body, to);
	if (n <= 0)
		return "the PEM text is more than one certificate, or not "
		       "base64";
	*der = (struct pr_str){to, (size_t)n};
	return NULL;
}

const char *
der_of_call(struct pr_arena *a, struct pr_str entry, struct pr_str *der)
{
	ptrdiff_t n;
	char *to;

	if (entry.n > PR_CAP_CERT / 3 * 4 + 4)
		return "the certificate is larger than 128 KiB";
	to = pr_arena_bytes(a, entry.n + 4);
	n = pr_base64_decode(entry, to);
	if (n <= 0)
		return "the entry of RequestPeerCertificates is not base64";
	return der_of_pem(a, (struct pr_str){to, (size_t)n}, der);
}

/*
 * A header at *at, not past `end`.  False: not DER.  On return *at is behind
 * the header, *len fits before end.
 */
static bool
read_header(struct pr_str s, size_t *at, size_t end, unsigned *tag, size_t *len)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned n;

	if (end - *at < 2)
		return false;
	*tag = p[(*at)++];
	if ((*tag & 0x1f) == 0x1f)
		return false; /* long tags occur in no certificate */
	n = p[(*at)++];
	*len = n;
	if (n >= 0x80) {
		n &= 0x7f;
		if (n == 0 || n > 4 || end - *at < n || p[*at] == 0)
			return false;
		for (*len = 0; n > 0; n--)
			*len = *len << 8 | p[(*at)++];
		if (*len < 0x80)
			return false;
	}
	return *len <= end - *at;
}

bool
der_is_strict(struct pr_str s)
{
	size_t ends[DER_DEPTH]; /* of the values that we are in */
	unsigned depth = 0;
	size_t at = 0;

	ends[0] = s.n;
	do {
		unsigned tag;
		size_t len;

		if (!read_header(s, &at, ends[depth], &tag, &len))
			return false;
		/* of the universal types only SEQUENCE and SET hold others */
		bool holds = (tag & 0x20) != 0;
		bool wants = (tag & 0x1f) == 0x10 || (tag & 0x1f) == 0x11;

		if ((tag & 0xc0) == 0 && holds != wants)
			return false;
		if (holds) {
			if (++depth == DER_DEPTH)
				return false;
			ends[depth] = at + len;
		} else {
			at += len;
		}
		while (depth > 0 && at == ends[depth])
			depth--;
	} while (at < ends[depth]);
	return depth == 0 && at == s.n;
}
