/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many clients with a certificate that want little or take long, and stay
 * until standard input ends:
 *
 *   --idle N     one GET of --path each, then silence
 *   --heads N    a head that never ends, a byte of it every second
 *   --bodies N   a container's body that never ends, likewise
 *   --readers N  a GET of --big, read at 1 KiB a second
 *
 * Who is cut off comes again.  Says {"ready": N} when all are there, and at
 * the end how often one had to come again.
 */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>

#include "client.h"

enum kind {
	IDLE = 0,
	HEAD,
	BODY,
	READER,
	KINDS
};

struct member {
	int fd;
	SSL *ssl;
	enum kind kind;
};

static struct target to;
static const char *path = "/v1.41/containers/json";
static const char *big = "/v1.41/images/get?names=busybox";
static unsigned want[KINDS], cut;

static void
say(struct member *m, const char *text)
{
	(void)!SSL_write(m->ssl, text, (int)strlen(text));
}

static void
first_words(struct member *m)
{
	char text[512], ignored[4096];

	switch (m->kind) {
	case HEAD:
		say(m, "GET /v1.41/containers/json HTTP/1.1\r\nHost: d\r\nX-");
		break;
	case BODY:
		say(m,
		    "POST /v1.41/containers/create HTTP/1.1\r\nHost: d\r\n"
		    "Content-Type: application/json\r\n"
		    "Content-Length: 900000\r\n\r\n{\"Image\":\"");
		break;
	case READER:
	case IDLE:
	default:
		snprintf(text, sizeof text,
		    "GET %s HTTP/1.1\r\nHost: d\r\n\r\n",
		    m->kind == READER ? big : path);
		say(m, text);
		/* an answer to this is not longer than a record of TLS */
		if (m->kind == IDLE &&
		    SSL_read(m->ssl, ignored, sizeof ignored) <= 0)
			die("no answer");
		break;
	}
}

static void
join(struct member *m)
{
	struct target t = to;

	t.receive = m->kind == READER ? 4096 : 0;
	m->fd = target_connect(&t);
	if (m->fd < 0)
		die("connect");
	m->ssl = target_tls(&t, m->fd);
	if (SSL_do_handshake(m->ssl) != 1) {
		fprintf(stderr, "crowd: no handshake\n");
		exit(EXIT_FAILURE);
	}
	first_words(m);
	fcntl(m->fd, F_SETFL, O_NONBLOCK);
}

static bool
is_there(struct member *m, int rc)
{
	int why = rc > 0 ? SSL_ERROR_NONE : SSL_get_error(m->ssl, rc);

	return why == SSL_ERROR_NONE || why == SSL_ERROR_WANT_READ ||
	    why == SSL_ERROR_WANT_WRITE;
}

/* Once a second. */
static void
drip(struct member *m)
{
	char some[1024];
	bool there = true;

	ERR_clear_error();
	if (m->kind == HEAD || m->kind == BODY) {
		there = is_there(m, SSL_write(m->ssl, "a", 1));
		/* what it answers is the end of it */
		if (there && SSL_read(m->ssl, some, sizeof some) > 0)
			there = false;
	} else {
		there = is_there(m, SSL_read(m->ssl, some, sizeof some));
	}
	if (there)
		return;
	cut++;
	SSL_free(m->ssl);
	close(m->fd);
	join(m);
}

static const struct option long_options[] = {
    TARGET_OPTIONS,
    {"path", required_argument, NULL, 'P'},
    {"big", required_argument, NULL, 'B'},
    {"idle", required_argument, NULL, '0' + IDLE},
    {"heads", required_argument, NULL, '0' + HEAD},
    {"bodies", required_argument, NULL, '0' + BODY},
    {"readers", required_argument, NULL, '0' + READER},
    {NULL, 0, NULL, 0},
};

static bool
over(int ms)
{
	struct pollfd in = {.fd = 0, .events = POLLIN};

	return poll(&in, 1, ms) > 0;
}

int
main(int argc, char **argv)
{
	struct member *all;
	unsigned n = 0, made = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (target_option(&to, c, optarg))
			continue;
		if (c == 'P')
			path = optarg;
		else if (c == 'B')
			big = optarg;
		else if (c >= '0' && c < '0' + KINDS)
			n += want[c - '0'] =
			    (unsigned)strtoul(optarg, NULL, 10);
		else
			return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	target_open(&to);
	all = calloc(n + 1, sizeof *all);
	if (all == NULL)
		die("memory");
	for (int k = 0; k < KINDS; k++) {
		for (unsigned i = 0; i < want[k]; i++) {
			all[made].kind = (enum kind)k;
			join(&all[made++]);
		}
	}
	printf("{\"ready\":%u}\n", made);
	fflush(stdout);
	while (!over(1000)) {
		for (unsigned i = 0; i < made; i++) {
			if (all[i].kind != IDLE)
				drip(&all[i]);
		}
	}
	for (unsigned i = 0; i < made; i++) {
		if (all[i].kind == IDLE)
			drip(&all[i]);
	}
	printf("{\"cut\":%u}\n", cut);
	return EXIT_SUCCESS;
}
