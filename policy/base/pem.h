/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in PEM files, without a passphrase; for sign.c and pem_key.c. */
#ifndef PEM_H
#define PEM_H

#include <stdbool.h>

#include <openssl/evp.h>

#include <portreeve/compiler.h>
#include <portreeve/err.h>

/*
 * -1: the file cannot be read, or others may read a secret one; 0: *out is the
 * key, or NULL where the file holds none.  The text of a secret is wiped.
 */
int pem_read(const char *path, bool secret, EVP_PKEY **out,
    struct pr_err **err) PR_NODISCARD;

#endif /* PEM_H */
