/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, HMAC, randomness, hex, base64 and ids; over libcrypto. */
#ifndef PR_DIGEST_H
#define PR_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <portreeve/compiler.h>
#include <portreeve/str.h>

#define PR_SHA256_LEN 32
#define PR_SHA256_HEX 65 /* with NUL */
#define PR_UUID_LEN   37 /* with NUL */

void pr_sha256(const void *p, size_t n, uint8_t out[PR_SHA256_LEN]);
void pr_hmac_sha256(const void *key, size_t keylen, const void *p, size_t n,
    uint8_t out[PR_SHA256_LEN]);
/* Lower-case hex, NUL-terminated; out takes 2n+1 bytes. */
void pr_hex(const void *p, size_t n, char *out);
/*
 * Tells texts apart in tables: each part with its length, under a key that
 * this process made and that nobody learns.  Whoever chooses the texts, two
 * collide with less than 2^-80; much quicker than a digest.  Not to be shown,
 * stored or sent.
 */
#define PR_KEYED_HASH_LEN 16
void pr_keyed_hash(
    const struct pr_str *parts, size_t n, uint8_t out[PR_KEYED_HASH_LEN]);
/* From the kernel; aborts if there is none. */
void pr_random(void *p, size_t n);
/* True if equal, in time that depends on n only. */
bool pr_equal_secret(const void *a, const void *b, size_t n);
/* A UUIDv7 (RFC 9562 5.7) for the given wall time, and monotonic in a process. */
void pr_uuid7(int64_t wall, char out[PR_UUID_LEN]);
/*
 * Standard base64 with padding, nothing else in it (RFC 4648 4).  Returns the
 * decoded length, or -1.  out takes 3 * n / 4 bytes; it may be s.p itself.
 */
ptrdiff_t pr_base64_decode(struct pr_str s, void *out);
/*
 * The same by a way that this machine has; for tests and benches.
 * pr_base64_decode takes the best one.
 */
enum pr_base64_way {
	PR_BASE64_PLAIN,
	PR_BASE64_SSSE3,
	PR_BASE64_AVX2,
};
bool pr_base64_has(enum pr_base64_way way);
ptrdiff_t pr_base64_decode_by(
    enum pr_base64_way way, struct pr_str s, void *out);
/* out takes 4 * ((n + 2) / 3) + 1 bytes; returns the length. */
size_t pr_base64_encode(const void *p, size_t n, char *out);

#endif /* PR_DIGEST_H */
