/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-ups that the program makes itself come back to the plugin as AuthZReq
 * and AuthZRes, because dockerd asks it about every call.  Each look-up
 * carries a one-shot random nonce in a header; the registry says whether a
 * call that carries one is really ours.
 *
 * A nonce is good for exactly one AuthZReq and one AuthZRes of the method and
 * target that it was registered with, with an empty body, until it expires.
 * A call that shows a nonce of ours with anything else about it burns it.
 * Nonces are compared in constant time, are never logged, and asking never
 * waits for anything but a short lock: so no decision queue stands before it.
 */
#ifndef PR_NONCE_H
#define PR_NONCE_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/compiler.h>
#include <portreeve/str.h>

#define PR_LOOKUP_HEADER "X-Portreeve-Lookup"
#define PR_NONCE_HEX     64 /* 32 random bytes */
#define PR_NONCE_TARGET  2048

enum pr_nonce_stage {
	PR_NONCE_REQUEST = 0,
	PR_NONCE_RESPONSE
};

struct pr_nonces; /* opaque; thread-safe */

/* A registry for at most `max` nonces at a time; free with pr_nonces_free. */
struct pr_nonces *pr_nonces_new(unsigned max) PR_NODISCARD;
void pr_nonces_free(struct pr_nonces *ns);

/*
 * Registers a GET of exactly `target` (only those of an allow-list of
 * templates: inspect and list routes, /version, /info, /events).  The request
 * must come before `request_by`, its response before `response_by`
 * (pr_clock_now() times; UINT64_MAX: whenever the stream ends).  Writes the
 * header's value and returns a handle for pr_nonce_drop; 0: refused (not on
 * the list, too long, or the registry is full).
 */
uint64_t pr_nonce_add(struct pr_nonces *ns, struct pr_str target,
    uint64_t request_by, uint64_t response_by,
    char value[PR_NONCE_HEX + 1]) PR_NODISCARD;
/*
 * The look-up is over: what of the nonce is unused is void after
 * `expires` (pr_clock_now() time), or sooner if it would have been.
 */
void pr_nonce_drop(struct pr_nonces *ns, uint64_t handle, uint64_t expires);

/*
 * Is this call one of ours?  `value` is the header's, `uri` the RequestUri.
 * False for everything that is not right in every part; the caller then
 * denies: nobody else has reason to send the header.
 */
bool pr_nonce_accept(struct pr_nonces *ns, struct pr_str value,
    struct pr_str method, struct pr_str uri, enum pr_nonce_stage stage,
    bool body_empty) PR_NODISCARD;

/* Nonces that are still good for something. */
unsigned pr_nonces_live(struct pr_nonces *ns);

#endif /* PR_NONCE_H */
