/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates of peers, each held once: a certificate takes 8 KiB when it is
 * read, and one person's tools keep many connections.
 */
#ifndef TLS_CERT_H
#define TLS_CERT_H

#include <openssl/x509.h>

#include <portreeve/compiler.h>

struct tls_cert; /* opaque; counted, from any thread */

/* The one that holds the same bytes; NULL: nobody has it. */
struct tls_cert *tls_cert_find(X509 *x) PR_NODISCARD;
/* The same; holds x itself if nobody has it.  NULL: it cannot be read. */
struct tls_cert *tls_cert_get(X509 *x) PR_NODISCARD;
struct tls_cert *tls_cert_ref(struct tls_cert *c);
/* tls_cert_unref, tls_cert_text: tls.h, for those who know no OpenSSL */

X509 *tls_cert_x509(const struct tls_cert *c); /* borrowed */

#endif /* TLS_CERT_H */
