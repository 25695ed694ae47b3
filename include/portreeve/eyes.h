/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child process that opens a few files of another process, by its number:
 * its root directory (as a place to walk from, no more), its table of mounts,
 * what it was started as, and dockerd's configuration.  That takes
 * CAP_SYS_PTRACE, and Landlock forbids it to whoever is confined; so
 * the child has this capability and nothing else to do, and the daemon, which
 * reads what strangers send, has not.
 */
#ifndef PR_EYES_H
#define PR_EYES_H

#include <sys/types.h>

#include <portreeve/err.h>

enum pr_eyes_file {
	PR_EYES_ROOT = 1,
	PR_EYES_MOUNTS,
	PR_EYES_PROGRAM,   /* as a place, no more */
	PR_EYES_ARGUMENTS, /* /proc/PID/cmdline */
	/* what its argument --config-file names, in its own root; without
	 * one /etc/docker/daemon.json */
	PR_EYES_CONFIG,
};

/* Starts the child; before threads, once.  It ends with its parent. */
int pr_eyes_open(struct pr_err **err) PR_NODISCARD;
/*
 * A descriptor, or -1 with errno.  Any thread; one at a time.  Without a
 * child the file is opened by this process itself.
 */
int pr_eyes_look(pid_t pid, enum pr_eyes_file file) PR_NODISCARD;

#endif /* PR_EYES_H */
