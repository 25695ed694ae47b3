/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every bound on something that comes from outside, in one place.  A size is
 * compared with its cap before anything is allocated for it; allocation
 * itself never fails (arena.h), so nothing fails half way.
 */
#ifndef PR_CAPS_H
#define PR_CAPS_H

#include <stddef.h>

/* JSON (docs/semantics.md 8.1) */
#define PR_CAP_JSON_DEPTH   64
#define PR_CAP_JSON_NODES   ((size_t)262144)   /* values in one document */
#define PR_CAP_JSON_KEYS    ((size_t)16384)    /* members of one object */
#define PR_CAP_PLUGIN_BODY  ((size_t)4 << 20)  /* RequestBody, decoded */
#define PR_CAP_PLUGIN_CALL  ((size_t)16 << 20) /* a whole AuthZReq/Res */
#define PR_CAP_PROXY_BODY   ((size_t)16 << 20)
#define PR_CAP_LOOKUP_BODY  ((size_t)16 << 20) /* an answer of dockerd */

/* Targets */
#define PR_CAP_TARGET       ((size_t)32768)
#define PR_CAP_QUERY_PAIRS  ((size_t)256)

/* Files that people write */
#define PR_CAP_POLICY_FILE  ((size_t)8 << 20)
#define PR_CAP_POLICY_FILES ((size_t)1024)
#define PR_CAP_POLICY_TEXT  ((size_t)32 << 20) /* all files together */
#define PR_CAP_POLICY_NODES ((size_t)1 << 20)  /* YAML values of a load */
#define PR_CAP_PROFILES     ((size_t)1024)
#define PR_CAP_LEAF_LIST    ((size_t)4096) /* entries of one list */
#define PR_CAP_ROLES        ((size_t)4096)
#define PR_CAP_HOSTS        ((size_t)1024)
#define PR_CAP_LISTENERS    ((size_t)256)
#define PR_CAP_LDIF_FILE    ((size_t)256 << 20)
#define PR_CAP_SMALL_FILE   ((size_t)1 << 20) /* keys, certificates, lists */

/* Directory */
#define PR_CAP_GROUPS       ((size_t)4096) /* groups of one subject */
#define PR_CAP_NESTING      16

/* Certificates in RequestPeerCertificates[0], PEM text */
#define PR_CAP_CERT         ((size_t)131072)
#define PR_CAP_SANS         ((size_t)256)  /* names in one SAN */
#define PR_CAP_SAN          ((size_t)2048) /* bytes of one of them */
#define PR_CAP_NAME         ((size_t)320)  /* of a subject: an e-mail address */

/* The line that a user sees */
#define PR_CAP_MESSAGE      300

#endif /* PR_CAPS_H */
