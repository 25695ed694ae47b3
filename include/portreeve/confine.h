/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process may still do once it has begun: no new privileges, no core
 * files, nobody traces it, few capabilities, the system calls of one table
 * (policy/base/confine.def), and with Landlock the files and TCP ports that it
 * was told of.  There is no way back and no switch.
 */
#ifndef PR_CONFINE_H
#define PR_CONFINE_H

#include <stddef.h>
#include <stdint.h>

#include <portreeve/buf.h>
#include <portreeve/err.h>

enum pr_process { /* bits */
	PR_PLUGIN = 1,
	PR_PROXY = 2,
	PR_EYES = 4, /* opens dockerd's root: portreeve/eyes.h */
};

enum pr_place_rights { /* bits; of all that is below the path */
	PR_PLACE_READ = 1,
	PR_PLACE_WRITE = 2,   /* read, make, change, remove files */
	PR_PLACE_SOCKETS = 4, /* make sockets, remove files */
};

struct pr_place {
	const char *path; /* one that is not there gives nothing */
	unsigned rights;
};

/*
 * Confines this process: before its first thread, for the system calls hold
 * for all threads but Landlock for those to come.  `places` beside those that
 * every process needs (/proc/self, resolver, time zones, libraries); `ports`:
 * to connect to by TCP.  Returns 0, or -1: the process must not go on.  A
 * kernel without Landlock is no error: it is logged, and pr_confined says so.
 * In builds with a sanitizer it does nothing.
 */
int pr_confine(enum pr_process process, const struct pr_place *places, size_t n,
    const uint16_t *ports, size_t n_ports, struct pr_err **err) PR_NODISCARD;
/* "seccomp, landlock 7", for people; static. */
const char *pr_confined(void);

/* The tables as Markdown: the generated part of docs/security.md. */
void pr_confine_print(struct pr_buf *b);

#endif /* PR_CONFINE_H */
