/* SPDX-License-Identifier: Apache-2.0 */
/* Files that people or packages put there: read whole, bounded. */
#ifndef PR_FILE_H
#define PR_FILE_H

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

#endif /* PR_FILE_H */
