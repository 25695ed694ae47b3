/* SPDX-License-Identifier: Apache-2.0 */
/* Where clients come in: TCP with TLS, unix sockets, inherited ones. */
#ifndef LISTEN_H
#define LISTEN_H

#include <sys/types.h>

#include <pthread.h>
#include <stdbool.h>

#include <portreeve/config.h>
#include <portreeve/err.h>

#include "tls.h"

struct listener {
	const struct pr_config_listen *config;
	int fd; /* -1: closed */
	bool inherited;
	dev_t dev; /* of a unix socket that is ours */
	ino_t ino;
	pthread_mutex_t lock; /* of tls */
	struct tls_ctx *tls;  /* NULL: unix */
};

/*
 * Opens the socket, or takes the inherited one of that address (LISTEN_FDS),
 * and reads the TLS files.  0 or -1.  End with listener_close.
 */
int listener_open(struct listener *l, const struct pr_config_listen *config,
    struct pr_err **err) PR_NODISCARD;
/* Takes no more connections; the unix socket that is ours goes away. */
void listener_shut(struct listener *l);
void listener_close(struct listener *l);
/* The context of now, with a reference; NULL: no TLS here. */
struct tls_ctx *listener_tls(struct listener *l);
void listener_set_tls(struct listener *l, struct tls_ctx *fresh);

/* Who is at the other end of a unix socket; false: not to be told. */
bool peer_uid(int fd, uid_t *uid);
/* Its name on this host in buf; false: it has none. */
bool uid_name(uid_t uid, char *buf, size_t size);

#endif /* LISTEN_H */
