/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening unix sockets: made by us, or inherited from whoever started
 * us (sd_listen_fds(3)).  It never takes a socket away from a process that
 * lives, and never removes one that is not ours.
 */
#ifndef SOCKET_H
#define SOCKET_H

#include <sys/types.h>

#include <stdbool.h>

#include <portreeve/err.h>

struct listener {
	int fd; /* -1: none */
	bool inherited;
	char *path; /* ours, to be removed; NULL if inherited */
	dev_t dev;
	ino_t ino;
};

/* The folder of a socket and those above it, where they are not there. */
int listener_make_folder(const char *path, struct pr_err **err) PR_NODISCARD;
/*
 * Listens at `path`, mode 0600: the folder is made if it is not there, a
 * socket that nobody listens on is replaced.  Errors: DENIED: a process
 * listens there; INVALID: something is there that is no socket, or the path
 * is too long; IO.  End with listener_close.
 */
int listener_open(
    struct listener *l, const char *path, struct pr_err **err) PR_NODISCARD;
/* Takes over a descriptor if it is a listening unix stream socket. */
int listener_take(struct listener *l, int fd, struct pr_err **err) PR_NODISCARD;
/*
 * Looks among the descriptors that the service manager passed (LISTEN_FDS)
 * for one that listens at `path`; false: there is none.
 */
bool listener_inherit(struct listener *l, const char *path);
/* Removes the socket from its path, if the one there is still this one. */
void listener_unlink(struct listener *l);
/* Unlinks, closes. */
void listener_close(struct listener *l);

/* Who is at the other end (SO_PEERCRED). */
struct peer {
	pid_t pid; /* 0: of another pid namespace */
	uid_t uid;
};
bool peer_of(int fd, struct peer *out);

#endif /* SOCKET_H */
