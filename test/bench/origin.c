/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands behind the proxies that are measured, and beside them: a server that
 * answers at once and knows nothing.
 *
 *   origin unix SOCKET BYTES            the daemon, for small requests and for
 *                                       bodies of that many bytes
 *   origin tls PORT CERT KEY CA         OpenSSL and an answer, nothing else
 *
 * GET .../images/get streams BYTES in chunks of 32 KiB, as dockerd does; what
 * looks an image up gets one; every body is read to its end and thrown away.
 */
#include <sys/epoll.h>

#include <signal.h>
#include <stdbool.h>

#include "client.h"

#define CHUNK  32768
#define BLOCK  (4 * (CHUNK + 8)) /* what is written at once */
#define EVENTS 256

static const char answer[] =
    "[{\"Id\":\"8dfafdbc3a40b1e6b0ec0e4e2e0e6a1f3b2c4d5e6f708192a3b4c5d6e7f80"
    "91\",\"Names\":[\"/web\"],\"Image\":\"busybox\",\"ImageID\":\"sha256:"
    "2d4dfafdbc3a40b1e6b0ec0e4e2e0e6a1f3b2c4d5e6f708192a3b4c5d6e7f809\","
    "\"Command\":\"sleep 100000\",\"Created\":1700000000,\"Ports\":[],"
    "\"Labels\":{\"com.acme.team\":\"payments\",\"com.acme.phase\":\"dev\"},"
    "\"State\":\"running\",\"Status\":\"Up 2 hours\",\"HostConfig\":{"
    "\"NetworkMode\":\"default\"},\"NetworkSettings\":{\"Networks\":{}},"
    "\"Mounts\":[]}]\n";
/* what the proxy asks for before anybody else does */
static const char daemon_facts[] =
    "{\"ID\":\"bench\",\"Name\":\"bench\",\"Version\":\"20.10.24\","
    "\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\",\"Os\":\"linux\","
    "\"OSType\":\"linux\",\"Arch\":\"amd64\",\"Driver\":\"overlay2\","
    "\"DockerRootDir\":\"/var/lib/docker\",\"SecurityOptions\":[],"
    "\"RegistryConfig\":{\"IndexConfigs\":{}}}\n";
static const char image[] =
    "{\"Id\":\"sha256:"
    "2d4dfafdbc3a40b1e6b0ec0e4e2e0e6a1f3b2c4d5e6f708192a3b4c5d6e7f809a\","
    "\"RepoTags\":[\"busybox:latest\"],\"RepoDigests\":[],"
    "\"Config\":{\"User\":\"\",\"Env\":[],\"Labels\":{}}}\n";

struct conn {
	int fd;
	SSL *ssl;
	char in[CHUNK * 4];
	size_t have;
	uint64_t left; /* of a body or chunk that comes in */
	int chunked;   /* 1: in one; 2: before a size */
	bool in_body;  /* until it is over, nothing is answered */
	bool streams;
	uint64_t stream; /* bytes that are still to go; 0: the last chunk */
	size_t at;       /* in the block, or the last chunk */
};

static int epfd;
static uint64_t bytes;
static char block[BLOCK];

static void
drop(struct conn *c)
{
	SSL_free(c->ssl);
	close(c->fd);
	free(c);
}

static ssize_t
get(struct conn *c, char *p, size_t n)
{
	int rc;

	if (c->ssl == NULL)
		return recv(c->fd, p, n, 0);
	rc = SSL_read(c->ssl, p, (int)n);
	if (rc > 0)
		return rc;
	errno =
	    SSL_get_error(c->ssl, rc) == SSL_ERROR_WANT_READ ? EAGAIN : EPROTO;
	return -1;
}

static void
put(struct conn *c, const char *p, size_t n)
{
	/* answers are small: they fit into the socket */
	if (c->ssl != NULL)
		(void)!SSL_write(c->ssl, p, (int)n);
	else
		(void)!send(c->fd, p, n, MSG_NOSIGNAL);
}

static void
answer_with(struct conn *c, const char *body, size_t n)
{
	char out[2048];
	int len = snprintf(out, sizeof out,
	    "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n"
	    "Content-Type: application/json\r\nOstype: linux\r\n"
	    "Server: Docker/20.10.24 (linux)\r\n"
	    "Date: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
	    "Content-Length: %zu\r\n\r\n%.*s",
	    n, (int)n, body);

	put(c, out, (size_t)len);
}

/* Goes on with the stream; the rest when the socket takes more. */
static void
stream(struct conn *c)
{
	static const char last[] = "0\r\n\r\n";

	while (c->streams) {
		bool ends = c->stream == 0;
		const char *p = ends ? last : block;
		size_t size = ends ? sizeof last - 1 : BLOCK;
		ssize_t n = send(c->fd, p + c->at, size - c->at, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		c->at += (size_t)n;
		if (c->at < size)
			continue;
		c->at = 0;
		c->streams = !ends;
		c->stream -= c->stream < 4 * CHUNK ? c->stream : 4 * CHUNK;
	}
}

static const char *
find(const struct conn *c, size_t n, const char *what)
{
	return memmem(c->in, n, what, strlen(what));
}

/* Returns whether the head's request has a body. */
static bool
begin(struct conn *c, size_t size)
{
	const char *at; /* haproxy writes names in lower case */

	if (find(c, size, "ncoding: chunked") != NULL) {
		c->chunked = 2;
		c->left = 0;
		return true;
	}
	c->chunked = 0;
	at = find(c, size, "ength: ");
	c->left = at != NULL ? strtoull(at + 7, NULL, 10) : 0;
	return c->left > 0;
}

static void
respond(struct conn *c, size_t size)
{
	static const char streams[] =
	    "HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n";
	size_t line = (size_t)((char *)memchr(c->in, '\n', size) - c->in);

	if (find(c, line, "/events") != NULL) {
		put(c, streams, sizeof streams - 1); /* and nothing happens */
	} else if (find(c, line, "/version") != NULL ||
	    find(c, line, "/info") != NULL) {
		answer_with(c, daemon_facts, sizeof daemon_facts - 1);
	} else if (find(c, line, "/networks") != NULL ||
	    find(c, line, "/json?all=1") != NULL) {
		answer_with(c, "[]\n", 3);
	} else if (find(c, line, "/images/get") != NULL) {
		put(c, streams, sizeof streams - 1);
		c->streams = true;
		c->stream = bytes;
		c->at = 0;
		stream(c);
	} else if (find(c, line, "/images/") != NULL && c->in[0] == 'G') {
		answer_with(c, image, sizeof image - 1);
	} else {
		answer_with(c, answer, sizeof answer - 1);
	}
}

static void
eat(struct conn *c, size_t n)
{
	memmove(c->in, c->in + n, c->have - n);
	c->have -= n;
}

/* Throws a body away.  True: it is over. */
static bool
body(struct conn *c)
{
	size_t at = 0;
	bool over = false;

	while (!over && at < c->have) {
		size_t n = c->have - at;
		const char *end;

		if (c->left > 0) {
			n = n < c->left ? n : (size_t)c->left;
			c->left -= n;
			at += n;
			over = c->left == 0 && c->chunked == 0;
			continue;
		}
		end = memmem(c->in + at, n, "\r\n", 2);
		if (end == NULL)
			break;
		if (end != c->in + at) { /* with the line end behind it */
			c->left = strtoull(c->in + at, NULL, 16);
			c->chunked = c->left > 0 ? 2 : 1;
			c->left += c->left > 0 ? 2 : 0;
		} else {
			over = c->chunked == 1;
		}
		at = (size_t)(end - c->in) + 2;
	}
	eat(c, at);
	return over;
}

static void
serve(struct conn *c)
{
	while (c->have > 0) {
		const char *end;
		size_t size;

		if (c->in_body) {
			if (!body(c))
				return;
			c->in_body = false;
			answer_with(c, "{}\n", 3);
			continue;
		}
		end = find(c, c->have, "\r\n\r\n");
		if (end == NULL)
			return;
		size = (size_t)(end - c->in) + 4;
		if (begin(c, size))
			c->in_body = true;
		else
			respond(c, size);
		eat(c, size);
	}
}

static void
happens(struct conn *c, unsigned events)
{
	size_t room;
	ssize_t n;

	if ((events & EPOLLOUT) != 0)
		stream(c);
	if ((events & EPOLLIN) == 0 && (events & EPOLLHUP) == 0)
		return;
	do {
		room = sizeof c->in - c->have;
		n = get(c, c->in + c->have, room);
		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			drop(c);
			return;
		}
		if (n > 0) {
			c->have += (size_t)n;
			serve(c);
		}
	} while (n > 0 && (c->ssl != NULL || (size_t)n == room));
}

static void
take(int listener, SSL_CTX *ctx)
{
	struct epoll_event e = {.events = EPOLLIN};
	struct conn *c;
	int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		die("memory");
	c->fd = fd;
	if (ctx != NULL) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		c->ssl = SSL_new(ctx);
		SSL_set_fd(c->ssl, fd);
		SSL_set_accept_state(c->ssl);
	} else {
		e.events |= EPOLLOUT | EPOLLET;
	}
	e.data.ptr = c;
	epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &e);
}

static SSL_CTX *
server(const char *cert, const char *key, const char *ca)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_load_verify_file(ctx, ca) != 1)
		die("certificates");
	SSL_CTX_set_verify(
	    ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return ctx;
}

static int
listen_on(const char *path, unsigned port)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct sockaddr_in sin = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1,
	    fd = socket(path != NULL ? AF_UNIX : AF_INET,
		SOCK_STREAM | SOCK_NONBLOCK, 0);
	int rc;

	if (path != NULL) {
		snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
		rc = bind(fd, (const void *)&sun, sizeof sun);
	} else {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
		rc = bind(fd, (const void *)&sin, sizeof sin);
	}
	if (rc != 0 || listen(fd, 4096) != 0)
		die("listen");
	return fd;
}

static void
make_block(void)
{
	char *p = block;

	for (int i = 0; i < 4; i++) {
		memcpy(p, "8000\r\n", 6);
		for (size_t j = 0; j < CHUNK; j++)
			p[6 + j] = (char)(j * 31 + j / 7);
		memcpy(p + 6 + CHUNK, "\r\n", 2);
		p += CHUNK + 8;
	}
}

int
main(int argc, char **argv)
{
	struct epoll_event e = {.events = EPOLLIN}, events[EVENTS];
	SSL_CTX *ctx = NULL;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && strcmp(argv[1], "unix") == 0) {
		fd = listen_on(argv[2], 0);
		bytes = strtoull(argv[3], NULL, 10);
	} else if (argc == 6 && strcmp(argv[1], "tls") == 0) {
		fd = listen_on(NULL, (unsigned)strtoul(argv[2], NULL, 10));
		ctx = server(argv[3], argv[4], argv[5]);
	} else {
		return 64;
	}
	make_block();
	epfd = epoll_create1(0);
	epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &e);
	for (;;) {
		int n = epoll_wait(epfd, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == NULL)
				take(fd, ctx);
			else
				happens(events[i].data.ptr, events[i].events);
		}
	}
}
