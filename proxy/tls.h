/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS towards clients, and the only place that knows OpenSSL: 1.2 and 1.3, a
 * client certificate in the handshake or none at all, no resumption, no
 * renegotiation, ALPN http/1.1.  A context is immutable; a reload makes
 * another one, and connections that stay are looked at again with it.
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>
#include <stddef.h>

#include <portreeve/config.h>
#include <portreeve/err.h>

struct tls_ctx; /* opaque, counted: certificate, key, CAs, CRL */
struct tls;     /* opaque: one connection */

/* Reads the files of a listener.  NULL: *err. */
struct tls_ctx *tls_ctx_new(
    const struct pr_config_listen *l, struct pr_err **err) PR_NODISCARD;
struct tls_ctx *tls_ctx_ref(struct tls_ctx *c);
void tls_ctx_unref(struct tls_ctx *c); /* NULL is fine */

/* Server side of a connection on a non-blocking socket, which stays the
 * caller's. */
struct tls *tls_new(struct tls_ctx *c, int fd) PR_NODISCARD;
void tls_free(struct tls *t); /* NULL is fine */

enum tls_answer {
	TLS_FAILED = 0, /* tls_why says so; the connection is of no use */
	TLS_OK,
	TLS_WANT_READ,
	TLS_WANT_WRITE,
	TLS_EOF, /* the other side said that it is done (close_notify) */
};
enum tls_answer tls_handshake(struct tls *t) PR_NODISCARD;
/* *done: bytes read or written, of TLS_OK. */
enum tls_answer tls_read(
    struct tls *t, char *p, size_t n, size_t *done) PR_NODISCARD;
enum tls_answer tls_write(
    struct tls *t, const char *p, size_t n, size_t *done) PR_NODISCARD;
/* Says that nothing more will be written. */
enum tls_answer tls_end(struct tls *t) PR_NODISCARD;
/* Of the last TLS_FAILED: one line, borrowed until the next call. */
const char *tls_why(const struct tls *t);

/* True: the socket had nothing more when it was read last, and neither has
 * TLS. */
bool tls_drained(const struct tls *t);
/*
 * The socket said that it has more.  What is left in TLS may be read without
 * the socket being asked: that look of before says nothing any more.
 */
void tls_has_more(struct tls *t);

/*
 * The verified certificate of the peer.  NULL: there is none, which no
 * handshake lets happen.  Caller frees with tls_cert_unref.
 */
struct tls_cert *tls_peer(const struct tls *t) PR_NODISCARD;
/* As the AuthZ protocol shows it: base64 of its PEM.  Borrowed from c. */
struct pr_str tls_cert_text(const struct tls_cert *c);
void tls_cert_unref(struct tls_cert *c); /* NULL is fine */
/* Would the peer's certificate be taken by this context, now? */
bool tls_still_good(const struct tls *t, const struct tls_ctx *c) PR_NODISCARD;
/* "TLSv1.3", static. */
const char *tls_version(const struct tls *t);

#endif /* TLS_H */
