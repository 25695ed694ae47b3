/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host path really is (docs/semantics.md 5.10): walked component by
 * component below a given root, never following anything blindly, and
 * compared with places by name, by inode, and by its place in its file
 * system, so that symlinks, bind mounts and mounts of the same device under
 * another name are seen.
 *
 * It opens nothing but O_PATH descriptors.  It can block where the file
 * system blocks (a dead NFS server).
 */
#ifndef PR_HOSTPATH_H
#define PR_HOSTPATH_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/arena.h>
#include <portreeve/compiler.h>
#include <portreeve/str.h>

/* The mount table of a process: /proc/PID/mountinfo. */
struct pr_mount {
	uint64_t id;
	struct pr_str dev;   /* "8:1": of the file system, not of st_dev */
	struct pr_str root;  /* what of it is mounted */
	struct pr_str point; /* where, seen from the process's root */
	bool kernel; /* proc, sysfs, devtmpfs, ...: no files but power */
};

struct pr_mounts {
	const struct pr_mount *mounts;
	size_t n;
};

/* Reads a table's text (borrowed where it holds no escapes).  0 or -1. */
int pr_mounts_read(
    struct pr_arena *a, struct pr_str text, struct pr_mounts *out) PR_NODISCARD;

struct pr_hostnode { /* a directory on the way, or the end of it */
	uint64_t dev, ino;
};

struct pr_hostpath {
	struct pr_str path; /* as given */
	struct pr_str
	    real; /* no symlinks in it; what does not exist, as given */
	bool exists;
	size_t plain; /* bytes of path whose components are no symlinks */
	size_t
	    last_link; /* where its last component ends that is one; 0: none */
	bool
	    kernel; /* it leads into a kernel file system; not walked further */
	struct pr_str fs_dev, fs_path;   /* where in its file system it is */
	const struct pr_hostnode *chain; /* root ... deepest existing */
	size_t n_chain;
	/* of the deepest existing: inode and time of birth, as text */
	struct pr_str mark;
};

/*
 * Walks `path` (absolute, cleaned) below the directory root_fd, which stays
 * the caller's.  `mounts` is the table of the namespace that root_fd is of.
 * -1: cannot tell; *why says so (static).
 */
int pr_hostpath_resolve(struct pr_arena *a, int root_fd,
    const struct pr_mounts *mounts, struct pr_str path, struct pr_hostpath *out,
    const char **why) PR_NODISCARD;

/* Is `a` the same as `b`, or above it?  Strings of absolute paths. */
bool pr_path_covers(struct pr_str a, struct pr_str b);

/*
 * Does the source show the place: is it the place, inside it, or above it
 * (also by a mount somewhere below the source)?
 */
bool pr_hostpath_shows(const struct pr_hostpath *source,
    const struct pr_hostpath *place, const struct pr_mounts *mounts);
/* Does it show a kernel file system: it is in one, or one is mounted below? */
bool pr_hostpath_shows_kernel(
    const struct pr_hostpath *source, const struct pr_mounts *mounts);
/* Is `a` strictly above `b`, by name or by place in the file system? */
bool pr_hostpath_above(
    const struct pr_hostpath *a, const struct pr_hostpath *b);

#endif /* PR_HOSTPATH_H */
