/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GETs to dockerd over its unix socket: just enough HTTP/1.1.  Keep-alive
 * connections, Content-Length and chunked answers, one absolute deadline,
 * caps on everything.  What is not understood is an error, never a guess.
 */
#ifndef DOCKER_H
#define DOCKER_H

#include <sys/types.h>

#include <portreeve/assertion.h>
#include <portreeve/buf.h>
#include <portreeve/err.h>
#include <portreeve/nonce.h>

struct docker; /* opaque; thread-safe */

/* `wake` is a descriptor that ends every wait when it becomes readable. */
/* asserter: NULL where our own plugin is asked about look-ups. */
struct docker *docker_new(const char *socket, struct pr_nonces *ns,
    struct pr_asserter *asserter, int wake) PR_NODISCARD;
void docker_free(struct docker *d);

/*
 * GET target (origin form, already encoded).  Returns the status (200..599)
 * with the body in *body, or -1.  Only application/json bodies are taken.
 */
int docker_get(struct docker *d, struct pr_str target, uint64_t deadline,
    struct pr_buf *body, struct pr_err **err) PR_NODISCARD;

/* The process at the other end of the socket, or 0. */
pid_t docker_peer(struct docker *d, uint64_t deadline);

/* An answer without end, line by line. */
struct docker_stream; /* opaque; one thread */

struct docker_stream *docker_stream_open(struct docker *d, struct pr_str target,
    uint64_t deadline, struct pr_err **err) PR_NODISCARD;
/*
 * The next line, without its newline, valid until the next call; waits for it
 * as long as it takes.  1: there is one; 0: `wake` ended the wait; -1: broken.
 * After 0 and -1 the stream is of no more use.
 */
int docker_stream_line(struct docker_stream *s, struct pr_str *line,
    struct pr_err **err) PR_NODISCARD;
void docker_stream_close(struct docker_stream *s);

#endif /* DOCKER_H */
