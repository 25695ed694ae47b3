/* SPDX-License-Identifier: Apache-2.0 */
/* What carries a certificate: base64, PEM, DER.  Local to identity/. */
#ifndef DER_H
#define DER_H

#include <stdbool.h>

#include <portreeve/arena.h>
#include <portreeve/str.h>

/*
 * The DER inside an entry of RequestPeerCertificates: base64 of PEM text with
 * exactly one CERTIFICATE and nothing else.  NULL, or what is wrong (static).
 */
const char *der_of_call(
    struct pr_arena *a, struct pr_str entry, struct pr_str *der);
/* The same from PEM text; blank lines at its end are allowed. */
const char *der_of_pem(
    struct pr_arena *a, struct pr_str pem, struct pr_str *der);
/*
 * True if s is one value in DER: definite and shortest lengths, short tags,
 * strings in one piece, every part filled exactly.
 */
bool der_is_strict(struct pr_str s);

#endif /* DER_H */
