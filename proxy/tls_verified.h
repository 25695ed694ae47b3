/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chains that were verified in one context: the same bytes, verified against
 * the same authorities and revocation lists, are good as long as all of their
 * dates are.  What a reload reads anew begins with nothing remembered.
 *
 * This is no resumption: each client still proves that it has the key.
 */
#ifndef TLS_VERIFIED_H
#define TLS_VERIFIED_H

#include <stdbool.h>

#include <openssl/x509.h>

#include <portreeve/compiler.h>

struct tls_verified; /* opaque; from any thread */

struct tls_verified *tls_verified_new(void) PR_NODISCARD;
void tls_verified_free(struct tls_verified *v); /* NULL is fine */
/* Before the first look: a list whose dates count, too. */
void tls_verified_crl(struct tls_verified *v, X509_CRL *crl);

/* Was what the peer sent verified, and are all dates of it good now? */
bool tls_verified_has(
    struct tls_verified *v, const STACK_OF(X509) * sent) PR_NODISCARD;
/* It was verified, by this chain. */
void tls_verified_add(struct tls_verified *v, const STACK_OF(X509) * sent,
    STACK_OF(X509) * chain);

#endif /* TLS_VERIFIED_H */
