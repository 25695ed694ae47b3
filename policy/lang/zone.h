/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time zones, for freeze windows: the rules of a zone are read once, when the
 * policy is loaded, into its arena; asking them touches neither files nor
 * the environment (TZ, localtime), so any thread may.  New rules of a zone
 * (package tzdata) are seen at the next reload.
 */
#ifndef LANG_ZONE_H
#define LANG_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include <portreeve/arena.h>
#include <portreeve/str.h>

#define ZONE_DIR "/usr/share/zoneinfo"

struct pr_zone; /* opaque */

/*
 * Reads ZONE_DIR/name.  NULL: no such zone, or a file that is not understood;
 * *why is then static text.
 */
const struct pr_zone *zone_load(
    struct pr_arena *a, struct pr_str name, const char **why);
/* The same from a file's bytes (RFC 8536), which may be anything. */
const struct pr_zone *zone_parse(struct pr_arena *a, struct pr_str tzif);
/* Seconds east of UTC at t (seconds since 1970). */
int32_t zone_offset(const struct pr_zone *z, int64_t t);

#endif /* LANG_ZONE_H */
