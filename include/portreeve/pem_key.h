/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of people, in PEM files as `openssl` makes them, for signatures that
 * lie beside what they are about: Ed25519 (RFC 8032), and ECDSA on P-256 with
 * SHA-256 (FIPS 186-5; the signature in DER), which smart cards and HSMs have.
 */
#ifndef PR_PEM_KEY_H
#define PR_PEM_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/compiler.h>
#include <portreeve/err.h>
#include <portreeve/str.h>

#define PR_PEM_KEY_ID    72 /* "sha256:" and 64 hex digits, with NUL */
#define PR_PEM_SIGNATURE 96 /* bytes; P-256 in DER has 72 at most */

struct pr_pem_key; /* opaque; may be used by several threads */

/* Errors: IO, or INVALID (of another kind, encrypted, readable by others). */
struct pr_pem_key *pr_pem_key_private(
    const char *path, struct pr_err **err) PR_NODISCARD;
struct pr_pem_key *pr_pem_key_public(
    const char *path, struct pr_err **err) PR_NODISCARD;
void pr_pem_key_free(struct pr_pem_key *k); /* NULL is fine */
void pr_pem_key_freep(struct pr_pem_key **k);

/* SHA-256 of the public half (SubjectPublicKeyInfo, DER); static as the key. */
const char *pr_pem_key_id(const struct pr_pem_key *k);

/* Of the text's bytes; the length, or 0: the key signs nothing. */
size_t pr_pem_key_sign(const struct pr_pem_key *k, struct pr_str text,
    uint8_t signature[PR_PEM_SIGNATURE]) PR_NODISCARD;
bool pr_pem_key_verify(const struct pr_pem_key *k, struct pr_str text,
    const uint8_t *signature, size_t n) PR_NODISCARD;

#endif /* PR_PEM_KEY_H */
