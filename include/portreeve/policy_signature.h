/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed policies (docs/semantics.md 3.13, 9.32).  Beside the files of a
 * policy lies one with a line a signature:
 *
 *   portreeve-policy/1 SERIAL DIGEST TIME KEY SIGNATURE
 *
 * DIGEST is that of the list that `sha256sum` would print of the files, in
 * order of name; SIGNATURE is over all bytes of the line before the blank in
 * front of it.  What is checked are the bytes that are parsed.
 */
#ifndef PR_POLICY_SIGNATURE_H
#define PR_POLICY_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/diag.h>
#include <portreeve/pem_key.h>

/* Whose word is taken: policy_signature of portreeve.yaml. */
struct pr_policy_signers {
	struct pr_loc loc;       /* line 0: not asked for */
	const char *const *keys; /* files: public keys, PEM */
	size_t n_keys;
	uint64_t min_serial;
};

/* The signature that was found good. */
struct pr_policy_signature {
	uint64_t serial;
	char digest[72], time[32], key[PR_PEM_KEY_ID];
};

/* In a folder PATH/SIGNATURE, beside a file PATH.sig; in the arena. */
const char *pr_policy_signature_path(const char *path, struct pr_arena *a);

/*
 * Is the policy at `path`, a file or a folder, signed by one of them?  0 with
 * *out filled, or -1: *ds says why not.  It is not parsed.
 */
int pr_policy_verify(const char *path, const struct pr_policy_signers *s,
    struct pr_policy_signature *out, struct pr_diags *ds) PR_NODISCARD;

/* Appends the line; -1: *ds says why not. */
int pr_policy_sign(const char *path, uint64_t serial,
    const struct pr_pem_key *key, struct pr_buf *out,
    struct pr_diags *ds) PR_NODISCARD;

#endif /* PR_POLICY_SIGNATURE_H */
