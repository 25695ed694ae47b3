/* SPDX-License-Identifier: Apache-2.0 */
/* Files that people or packages put there: read whole, bounded. */
#ifndef PR_FILE_H
#define PR_FILE_H

#include <sys/types.h>

#include <portreeve/arena.h>
#include <portreeve/err.h>
#include <portreeve/str.h>

/*
 * Reads a regular file of at most `cap` bytes into the arena, NUL after the
 * last byte.  The file is opened once, without following a link in its last
 * place being required or forbidden.  Returns 0 or -1.
 */
int pr_file_read(struct pr_arena *a, const char *path, size_t cap,
    struct pr_str *out, struct pr_err **err) PR_NODISCARD;
/*
 * The same for a secret: refuses a file that group or others may read, with
 * the chmod that mends it in the text.
 */
int pr_file_read_secret(struct pr_arena *a, const char *path, size_t cap,
    struct pr_str *out, struct pr_err **err) PR_NODISCARD;

/*
 * Who may touch it: the owner must be root or us, and none of the `forbidden`
 * bits of the mode (of what a symlink leads to) may be set.
 */
enum pr_file_trust {
	PR_FILE_BAD = 0, /* text and mend say why and what to do */
	PR_FILE_MISSING, /* nothing there, or it cannot be looked at: text */
	PR_FILE_GOOD,
};
struct pr_file_fault {
	char text[512]; /* "/etc/x: mode 0666 lets others change it" */
	char mend[512]; /* "chmod 0644 /etc/x" */
};
enum pr_file_trust pr_file_trusted(const char *path, unsigned forbidden,
    struct pr_file_fault *fault) PR_NODISCARD;
/* The same where `owner` stands for us. */
enum pr_file_trust pr_file_trusted_of(const char *path, unsigned forbidden,
    uid_t owner, struct pr_file_fault *fault) PR_NODISCARD;
#define PR_FILE_NOT_WRITABLE 0022U
#define PR_FILE_SECRET       0077U

#endif /* PR_FILE_H */
