/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X.501 names and strings of certificates → text that can be shown, and
 * given to dn.h to be compared.  Local to identity/.
 */
#ifndef X500_H
#define X500_H

#include <openssl/x509.h>

#include <portreeve/arena.h>
#include <portreeve/str.h>

#define X500_MAX_ATTRS 64

struct x500_attr {
	struct pr_str oid;   /* dotted */
	struct pr_str value; /* UTF-8; the DER of the value if `raw` */
	bool raw;            /* no text that is fit to be shown */
	unsigned rdn;        /* which RDN it belongs to, from 0 */
};

/* Most specific RDN first, as RFC 4514 writes them. */
struct x500_name {
	struct x500_attr *v;
	size_t n;
};

/* From a certificate.  False: more than X500_MAX_ATTRS attributes. */
bool x500_read(
    struct pr_arena *a, const X509_NAME *from, struct x500_name *out);
/* RFC 4514; printable, whatever is in it. */
struct pr_str x500_text(struct pr_arena *a, const struct x500_name *name);
/* True if it has attributes and each has a text. */
bool x500_is_plain(const struct x500_name *name);

/*
 * The UTF-8 of an X.501 string: UTF8, Printable, IA5, Numeric, BMP and
 * Universal strings, T61 where it is plain ASCII.  False: no text that all
 * readers agree on, or characters that text_is_plain refuses.
 */
bool text_of_asn1(struct pr_arena *a, const ASN1_STRING *s, struct pr_str *out);
/*
 * Well-formed UTF-8 that looks like what it is: no control, direction,
 * zero-width or replacement characters, no blank at its ends, not empty.
 */
bool text_is_plain(struct pr_str s);

#endif /* X500_H */
