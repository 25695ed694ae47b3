/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every daemon's main() does: its command line, its exit codes, signals,
 * and what it says of a reload.  One thread: the first.
 */
#ifndef PR_SERVICE_H
#define PR_SERVICE_H

#include <stdbool.h>

#include <portreeve/buf.h>
#include <portreeve/compiler.h>
#include <portreeve/diag.h>
#include <portreeve/err.h>

enum pr_exit { /* DESIGN 12 */
	PR_EXIT_OK = 0,
	PR_EXIT_FAILED = 1,
	PR_EXIT_USAGE = 64,
	PR_EXIT_UNREACHABLE = 69,
	PR_EXIT_CONFIG = 78,
};

struct pr_service {
	const char *name;     /* "portreeve-plugin" */
	const char *usage;    /* what --help prints */
	bool takes_socket_fd; /* --socket-fd N */
};

struct pr_service_options {
	const char *config; /* default: PR_CONFIG_PATH, by the caller */
	int socket_fd;      /* -1: none */
	bool check;
};

/* -1: go on; else the exit code, and all is said. */
int pr_service_options(const struct pr_service *s, int argc, char **argv,
    struct pr_service_options *o) PR_NODISCARD;

/* Says it, a person's mistake with its hint, and returns the exit code. */
int pr_service_failed(const struct pr_service *s, const struct pr_err *err);

/* Before any thread, so that all leave signals to this one; -1: errno. */
int pr_service_signals(void) PR_NODISCARD;
/*
 * Until SIGTERM or SIGINT: at SIGHUP `reload`, and as often as the watchdog
 * wants it `feed`.
 */
void pr_service_serve(
    int signals, void (*feed)(void *arg), void (*reload)(void *arg), void *arg);

/*
 * What a reload came to, to the log and for the one who asked: the mistakes,
 * and which policy is in force, the new one if it was `taken`.  not_done: "not
 * done", where rc is not 0.
 */
void pr_service_say_reload(const struct pr_diags *ds, int rc,
    const char *not_done, bool taken, const char *hash, struct pr_buf *text);

#endif /* PR_SERVICE_H */
