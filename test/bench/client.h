/* SPDX-License-Identifier: Apache-2.0 */
/* A client with a certificate, of TLS over loopback or of a unix socket. */
#ifndef CLIENT_H
#define CLIENT_H

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

struct target {
	const char *sock; /* a unix socket, without TLS; or NULL */
	unsigned port;
	const char *cert, *key, *ca;
	int receive; /* SO_RCVBUF; 0: the kernel's */
	SSL_CTX *ctx;
};

static inline _Noreturn void
die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static inline void
target_open(struct target *t)
{
	if (t->sock != NULL)
		return;
	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx == NULL ||
	    SSL_CTX_use_certificate_chain_file(t->ctx, t->cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(t->ctx, t->key, SSL_FILETYPE_PEM) !=
		1 ||
	    SSL_CTX_load_verify_file(t->ctx, t->ca) != 1) {
		fprintf(stderr, "bench: --cert, --key, --ca\n");
		exit(64);
	}
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
	/* as docker's client prefers: so all servers do the same work */
	SSL_CTX_set_ciphersuites(t->ctx, "TLS_AES_128_GCM_SHA256");
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(t->ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}

/* A connected socket, still blocking; -1: errno. */
static inline int
target_connect(const struct target *t)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct sockaddr_in sin = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)t->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1, rc, fd;

	fd = socket(
	    t->sock != NULL ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (t->sock != NULL) {
		snprintf(sun.sun_path, sizeof sun.sun_path, "%s", t->sock);
		rc = connect(fd, (const void *)&sun, sizeof sun);
	} else {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (t->receive > 0)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &t->receive,
			    sizeof t->receive);
		rc = connect(fd, (const void *)&sin, sizeof sin);
	}
	if (rc == 0)
		return fd;
	rc = errno;
	close(fd);
	errno = rc;
	return -1;
}

/* TLS on it, the handshake not made yet; NULL: a unix socket. */
static inline SSL *
target_tls(const struct target *t, int fd)
{
	SSL *ssl;

	if (t->ctx == NULL)
		return NULL;
	ssl = SSL_new(t->ctx);
	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
		die("TLS");
	SSL_set_connect_state(ssl);
	return ssl;
}

/* Options that all clients take; 0: it is not one of them. */
static inline int
target_option(struct target *t, int c, const char *value)
{
	if (c == 's')
		t->sock = value;
	else if (c == 'p')
		t->port = (unsigned)strtoul(value, NULL, 10);
	else if (c == 'c')
		t->cert = value;
	else if (c == 'k')
		t->key = value;
	else if (c == 'a')
		t->ca = value;
	else
		return 0;
	return 1;
}
#define TARGET_OPTIONS                              \
	{"sock", required_argument, NULL, 's'},     \
	    {"port", required_argument, NULL, 'p'}, \
	    {"cert", required_argument, NULL, 'c'}, \
	    {"key", required_argument, NULL, 'k'},  \
	{                                           \
		"ca", required_argument, NULL, 'a'  \
	}

#endif /* CLIENT_H */
