/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include <sys/socket.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <portreeve/arena.h>
#include <portreeve/caps.h>
#include <portreeve/file.h>

#include "tls_cert.h"

#define CHAIN_DEPTH 4

static const char ciphers12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
static const char ciphers13[] = "TLS_AES_128_GCM_SHA256:"
				"TLS_AES_256_GCM_SHA384:"
				"TLS_CHACHA20_POLY1305_SHA256";
/* not const: the macro that takes it casts that away */
static char groups[] = "X25519:P-256:P-384";

struct tls_ctx {
	_Atomic unsigned refs;
	SSL_CTX *ssl;
};

struct tls {
	SSL *ssl;
	struct tls_ctx *ctx;
	int fd;
	bool drained;          /* the last read took all that the socket had */
	bool eof;              /* it has ended, with or without an alert */
	struct tls_cert *cert; /* of the peer, when the handshake is made */
	X509 *twin;            /* while it is made: what took its place */
	const char *why;       /* static */
};

/* ---- contexts ---- */

static int
openssl_failed(struct pr_err **err, const char *what, const char *path)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return pr_err_set(err, PR_ERR_INVALID, 0, "%s %s: %s", what, path,
	    text != NULL ? text : "not to be used");
}

/* http/1.1, or no ALPN at all; h2 alone ends the handshake. */
static int
select_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned inlen, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";

	(void)ssl;
	(void)arg;
	for (unsigned i = 0; i < inlen; i += in[i] + 1u) {
		if (inlen - i >= sizeof ours - 1 &&
		    memcmp(in + i, ours, sizeof ours - 1) == 0) {
			*out = in + i + 1;
			*outlen = in[i];
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* A certificate without extended key usage is good for anything: not here. */
static bool
is_for_clients(X509 *x)
{
	uint32_t usage = X509_get_extended_key_usage(x);

	return usage != UINT32_MAX && (usage & XKU_SSL_CLIENT) != 0;
}

static int
verify(int ok, X509_STORE_CTX *store)
{
	if (ok == 1 && X509_STORE_CTX_get_error_depth(store) == 0 &&
	    !is_for_clients(X509_STORE_CTX_get_current_cert(store))) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_INVALID_PURPOSE);
		return 0;
	}
	return ok;
}

/* Puts x in the place of the leaf, which the caller still holds. */
static void
replace_leaf(STACK_OF(X509) * certs, const X509 *leaf, X509 *x)
{
	if (certs == NULL || sk_X509_num(certs) == 0 ||
	    sk_X509_value(certs, 0) != leaf)
		return;
	X509_up_ref(x);
	X509_free(sk_X509_value(certs, 0));
	sk_X509_set(certs, 0, x);
}

/*
 * The whole chain is verified each time; what is kept of it is the
 * certificate that other connections of the same peer hold already.
 */
static int
verify_chain(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
	    store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = ssl != NULL ? SSL_get_app_data(ssl) : NULL;
	int ok = X509_verify_cert(store);
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	struct tls_cert *same;

	(void)arg;
	if (ok != 1 || t == NULL || t->twin != NULL || leaf == NULL)
		return ok;
	same = tls_cert_find(leaf);
	if (same != NULL && tls_cert_x509(same) != leaf) {
		/* OpenSSL looks at it until this handshake is over */
		X509_up_ref(leaf);
		t->twin = leaf;
		replace_leaf(X509_STORE_CTX_get0_untrusted(store), leaf,
		    tls_cert_x509(same));
		replace_leaf(X509_STORE_CTX_get0_chain(store), leaf,
		    tls_cert_x509(same));
	}
	tls_cert_unref(same);
	return ok;
}

static void
harden(SSL_CTX *ssl)
{
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_CTX_set_options(ssl,
	    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_num_tickets(ssl, 0);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ssl,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ssl, 1);
	SSL_CTX_set_verify_depth(ssl, CHAIN_DEPTH);
	SSL_CTX_set_verify(
	    ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify);
	SSL_CTX_set_cert_verify_callback(ssl, verify_chain, NULL);
	SSL_CTX_set_alpn_select_cb(ssl, select_alpn, NULL);
}

static int
set_words(SSL_CTX *ssl, struct pr_err **err)
{
	if (SSL_CTX_set_cipher_list(ssl, ciphers12) != 1 ||
	    SSL_CTX_set_ciphersuites(ssl, ciphers13) != 1 ||
	    SSL_CTX_set1_groups_list(ssl, (void *)(uintptr_t)groups) != 1)
		return openssl_failed(err, "ciphers", "of TLS");
	return 0;
}

static int
no_password(char *buf, int size, int rw, void *arg)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)arg;
	return 0; /* nobody is there to type one */
}

static int
use_key(SSL_CTX *ssl, const struct pr_config_listen *l, struct pr_err **err)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(8192);
	struct pr_str text;
	EVP_PKEY *key;
	BIO *bio;
	int rc;

	if (pr_file_read_secret(a, l->tls.key, PR_CAP_SMALL_FILE, &text, err) <
	    0)
		return -1;
	bio = BIO_new_mem_buf(text.p, (int)text.n);
	key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	explicit_bzero((void *)(uintptr_t)text.p, text.n);
	if (key == NULL)
		return openssl_failed(err, "key", l->tls.key);
	rc = SSL_CTX_use_PrivateKey(ssl, key);
	EVP_PKEY_free(key);
	if (rc != 1 || SSL_CTX_check_private_key(ssl) != 1)
		return openssl_failed(err, "key", l->tls.key);
	return 0;
}

/* All revocation lists of the file; how many, or -1. */
static int
add_crls(X509_STORE *store, struct pr_str text)
{
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	X509_CRL *crl;
	int n = 0, ok = 1;

	while (ok == 1 &&
	    (crl = PEM_read_bio_X509_CRL(bio, NULL, no_password, NULL)) !=
		NULL) {
		ok = X509_STORE_add_crl(store, crl);
		X509_CRL_free(crl);
		n++;
	}
	BIO_free(bio);
	if (ok == 1)
		ERR_clear_error(); /* the end of the file is an error */
	return ok == 1 ? n : -1;
}

static int
use_crl(SSL_CTX *ssl, const char *path, struct pr_err **err)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(8192);
	X509_STORE *store = SSL_CTX_get_cert_store(ssl);
	struct pr_str text;

	if (path == NULL)
		return 0;
	if (pr_file_read(a, path, PR_CAP_POLICY_FILE, &text, err) < 0)
		return -1;
	if (add_crls(store, text) <= 0)
		return openssl_failed(err, "revocation list", path);
	X509_STORE_set_flags(
	    store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return 0;
}

static int
use_files(SSL_CTX *ssl, const struct pr_config_listen *l, struct pr_err **err)
{
	STACK_OF(X509_NAME) * names;

	if (SSL_CTX_use_certificate_chain_file(ssl, l->tls.cert) != 1)
		return openssl_failed(err, "certificate", l->tls.cert);
	if (use_key(ssl, l, err) < 0)
		return -1;
	if (SSL_CTX_load_verify_file(ssl, l->tls.client_ca) != 1)
		return openssl_failed(err, "client CA", l->tls.client_ca);
	names = SSL_load_client_CA_file(l->tls.client_ca);
	if (names == NULL)
		return openssl_failed(err, "client CA", l->tls.client_ca);
	SSL_CTX_set_client_CA_list(ssl, names);
	return use_crl(ssl, l->tls.crl, err);
}

struct tls_ctx *
tls_ctx_new(const struct pr_config_listen *l, struct pr_err **err)
{
	struct tls_ctx *c = pr_xcalloc(1, sizeof *c);

	ERR_clear_error();
	c->refs = 1;
	c->ssl = SSL_CTX_new(TLS_server_method());
	if (c->ssl == NULL)
		abort();
	harden(c->ssl);
	if (set_words(c->ssl, err) == 0 && use_files(c->ssl, l, err) == 0)
		return c;
	tls_ctx_unref(c);
	return NULL;
}

struct tls_ctx *
tls_ctx_ref(struct tls_ctx *c)
{
	c->refs++;
	return c;
}

void
tls_ctx_unref(struct tls_ctx *c)
{
	if (c == NULL || --c->refs > 0)
		return;
	SSL_CTX_free(c->ssl);
	free(c);
}

/* ---- connections ---- */

/*
 * The socket beneath: as OpenSSL's own, and it tells whether another read
 * would find anything.
 */
static int
sock_read(BIO *b, char *p, int n)
{
	struct tls *t = BIO_get_data(b);
	ssize_t got;

	BIO_clear_retry_flags(b);
	do
		got = recv(t->fd, p, (size_t)n, 0);
	while (got < 0 && errno == EINTR);
	t->drained = got < n;
	t->eof = got == 0;
	if (got < 0 && errno == EAGAIN)
		BIO_set_retry_read(b);
	return (int)got;
}

static int
sock_write(BIO *b, const char *p, int n)
{
	struct tls *t = BIO_get_data(b);
	ssize_t put;

	BIO_clear_retry_flags(b);
	do
		put = send(t->fd, p, (size_t)n, MSG_NOSIGNAL);
	while (put < 0 && errno == EINTR);
	if (put < 0 && errno == EAGAIN)
		BIO_set_retry_write(b);
	return (int)put;
}

static long
sock_ctrl(BIO *b, int what, long n, void *p)
{
	const struct tls *t = BIO_get_data(b);

	(void)n;
	(void)p;
	if (what == BIO_CTRL_EOF)
		return t->eof;
	return what == BIO_CTRL_FLUSH || what == BIO_CTRL_DUP;
}

static BIO_METHOD *sock_method;

static void
make_method(void)
{
	sock_method =
	    BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
	if (sock_method == NULL ||
	    BIO_meth_set_read(sock_method, sock_read) != 1 ||
	    BIO_meth_set_write(sock_method, sock_write) != 1 ||
	    BIO_meth_set_ctrl(sock_method, sock_ctrl) != 1)
		abort();
}

struct tls *
tls_new(struct tls_ctx *c, int fd)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct tls *t = pr_xcalloc(1, sizeof *t);
	BIO *bio;

	pthread_once(&once, make_method);
	t->fd = fd;
	t->ssl = SSL_new(c->ssl);
	bio = BIO_new(sock_method);
	if (t->ssl == NULL || bio == NULL)
		abort();
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_app_data(t->ssl, t);
	t->ctx = tls_ctx_ref(c);
	SSL_set_accept_state(t->ssl);
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	X509_free(t->twin);
	tls_cert_unref(t->cert);
	tls_ctx_unref(t->ctx);
	free(t);
}

static void
note_failure(struct tls *t, int code)
{
	unsigned long error = ERR_get_error();
	const char *text = error != 0 ? ERR_reason_error_string(error) : NULL;
	long verified = SSL_get_verify_result(t->ssl);

	if (verified != X509_V_OK)
		text = X509_verify_cert_error_string(verified);
	if (text == NULL)
		text = code == SSL_ERROR_SYSCALL ? "the connection broke"
						 : "protocol error";
	t->why = text;
	ERR_clear_error();
}

static enum tls_answer
answer_of(struct tls *t, int rc)
{
	int code = SSL_get_error(t->ssl, rc);

	switch (code) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_EOF;
	default:
		note_failure(t, code);
		return TLS_FAILED;
	}
}

enum tls_answer
tls_handshake(struct tls *t)
{
	X509 *peer;
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(t->ssl);
	if (rc != 1)
		return answer_of(t, rc);
	/* the verify result is "OK" where there is no certificate */
	peer = SSL_get0_peer_certificate(t->ssl);
	if (peer != NULL && SSL_get_verify_result(t->ssl) == X509_V_OK &&
	    is_for_clients(peer) && SSL_session_reused(t->ssl) == 0) {
		X509_free(t->twin);
		t->twin = NULL;
		t->cert = tls_cert_get(peer);
		return TLS_OK;
	}
	t->why = "no client certificate";
	return TLS_FAILED;
}

enum tls_answer
tls_read(struct tls *t, char *p, size_t n, size_t *done)
{
	int rc;

	ERR_clear_error();
	rc = SSL_read_ex(t->ssl, p, n, done);
	return rc == 1 ? TLS_OK : answer_of(t, rc);
}

void
tls_has_more(struct tls *t)
{
	t->drained = false;
}

bool
tls_drained(const struct tls *t)
{
	return t->drained && SSL_has_pending(t->ssl) == 0;
}

enum tls_answer
tls_write(struct tls *t, const char *p, size_t n, size_t *done)
{
	int rc;

	ERR_clear_error();
	rc = SSL_write_ex(t->ssl, p, n, done);
	return rc == 1 ? TLS_OK : answer_of(t, rc);
}

enum tls_answer
tls_end(struct tls *t)
{
	int rc;

	if (!SSL_is_init_finished(t->ssl))
		return TLS_OK;
	ERR_clear_error();
	rc = SSL_shutdown(t->ssl);
	return rc >= 0 ? TLS_OK : answer_of(t, rc);
}

const char *
tls_why(const struct tls *t)
{
	return t->why != NULL ? t->why : "";
}

struct tls_cert *
tls_peer(const struct tls *t)
{
	return t->cert != NULL ? tls_cert_ref(t->cert) : NULL;
}

bool
tls_still_good(const struct tls *t, const struct tls_ctx *c)
{
	X509 *peer = SSL_get0_peer_certificate(t->ssl);
	X509_STORE_CTX *v = X509_STORE_CTX_new();
	bool good = false;

	if (v == NULL)
		abort();
	ERR_clear_error();
	if (peer != NULL &&
	    X509_STORE_CTX_init(v, SSL_CTX_get_cert_store(c->ssl), peer,
		SSL_get_peer_cert_chain(t->ssl)) == 1) {
		X509_STORE_CTX_set_default(v, "ssl_client");
		X509_STORE_CTX_set_depth(v, CHAIN_DEPTH);
		X509_STORE_CTX_set_verify_cb(v, verify);
		good = X509_verify_cert(v) == 1;
	}
	X509_STORE_CTX_free(v);
	ERR_clear_error();
	return good;
}

const char *
tls_version(const struct tls *t)
{
	return SSL_get_version(t->ssl);
}
