/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ed25519 (RFC 8032): keys, and signatures of texts.  A private key lies in a
 * PEM file (PKCS #8) that only its owner may read; a public key is written as
 * one word, "ed25519:" and 44 characters of base64.
 */
#ifndef PR_SIGN_H
#define PR_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/compiler.h>
#include <portreeve/err.h>
#include <portreeve/str.h>

#define PR_SIGNATURE_LEN   64
#define PR_PUBLIC_KEY_LEN  32
/* "ed25519:" and base64, with NUL */
#define PR_PUBLIC_KEY_TEXT 53

struct pr_public_key {
	uint8_t bytes[PR_PUBLIC_KEY_LEN];
};
struct pr_private_key; /* opaque; may be used by several threads */

/* Errors: IO, or INVALID (not Ed25519, encrypted, readable by others). */
struct pr_private_key *pr_private_key_load(
    const char *path, struct pr_err **err) PR_NODISCARD;
/* Makes a new one in a new file (0600), durable when it returns. */
struct pr_private_key *pr_private_key_make(
    const char *path, struct pr_err **err) PR_NODISCARD;
void pr_private_key_free(struct pr_private_key *k);   /* NULL is fine */
void pr_private_key_freep(struct pr_private_key **k); /* for PR_CLEANUP */
void pr_private_key_public(
    const struct pr_private_key *k, struct pr_public_key *out);

/* Of the text's bytes as they are. */
void pr_sign(const struct pr_private_key *k, struct pr_str text,
    uint8_t signature[PR_SIGNATURE_LEN]);
/* False also for a key or signature that is none. */
bool pr_signature_is_good(const struct pr_public_key *k, struct pr_str text,
    const uint8_t signature[PR_SIGNATURE_LEN]);

/* One spelling only: two texts are one key if they are equal. */
bool pr_public_key_read(struct pr_str text, struct pr_public_key *out);
void pr_public_key_print(
    const struct pr_public_key *k, char text[PR_PUBLIC_KEY_TEXT]);

#endif /* PR_SIGN_H */
