/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many connections and requests a second one peer may have: a peer is a
 * certificate or a uid, told apart before anything is judged.
 */
#ifndef SUBJECTS_H
#define SUBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/compiler.h>
#include <portreeve/str.h>

struct subjects; /* opaque; thread-safe */
struct subject;  /* one peer that has a connection */

/* connections: at the same time; rate: requests a second, 0: any. */
struct subjects *subjects_new(unsigned connections, unsigned rate) PR_NODISCARD;
void subjects_free(struct subjects *ss); /* NULL is fine */

/* One more connection of the peer with this key.  NULL: too many. */
struct subject *subjects_enter(
    struct subjects *ss, struct pr_str key) PR_NODISCARD;
void subjects_leave(struct subjects *ss, struct subject *s); /* NULL is fine */
/* One more request at `now` (ns); false: too many. */
bool subjects_may(
    struct subjects *ss, struct subject *s, uint64_t now) PR_NODISCARD;

#endif /* SUBJECTS_H */
