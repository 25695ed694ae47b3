/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One API call, read as the daemon would read it, or refused.  From here on
 * there is one spelling of everything.
 */
#ifndef PR_REQUEST_H
#define PR_REQUEST_H

#include <portreeve/api.h>
#include <portreeve/arena.h>
#include <portreeve/json.h>
#include <portreeve/reason.h>
#include <portreeve/str.h>

struct pr_header {
	struct pr_str name; /* as sent; compared without case */
	struct pr_str value;
};

/* What a door saw.  Everything is borrowed. */
struct pr_call {
	struct pr_str method;
	struct pr_str target; /* as sent */
	const struct pr_header *headers;
	size_t n_headers;
	struct pr_str body; /* what is visible of it */
	bool
	    body_shown; /* body is the whole body (may be empty in the proxy) */
	size_t max_body; /* cap on JSON bodies at this door */
};

struct pr_query_pair {
	struct pr_str key, value; /* decoded by Go's rules */
};

struct pr_version {
	unsigned major, minor; /* 0.0: no prefix, the daemon's own version */
};

struct pr_request {
	const struct pr_op_info *op;
	struct pr_str method;
	struct pr_str target; /* as sent */
	struct pr_str
	    canonical; /* "/v1.41/containers/x/json?all=1", re-encoded */
	struct pr_version version;
	struct pr_str name;  /* the path's variable, decoded */
	struct pr_str name2; /* the checkpoint */
	const struct pr_query_pair *query;
	size_t n_query;
	struct pr_str body; /* as shown */
	bool body_shown;
	const struct pr_json *json; /* of a JSON body that is there, or NULL */
	bool
	    spec; /* this call needs a profile: op->spec, an attach only with stdin */
};

/* Why a call was refused before policy was asked. */
struct pr_refusal {
	enum pr_reason
	    reason; /* AMBIGUOUS, BODY_NOT_VISIBLE, UNKNOWN_OPERATION, UNSUPPORTED_VERSION */
	char text
	    [200]; /* for the user: what was wrong and what would be right */
};

/*
 * Classifies a call: canonical target (DESIGN 6), operation, query, content
 * type, body kind, strict JSON.  Returns 0 and fills *rq (borrowing from the
 * call and the arena), or -1 and fills *why; *rq then holds what was found out
 * so far, for the log (op is never NULL).
 */
int pr_request_read(struct pr_arena *a, const struct pr_call *call,
    struct pr_request *rq, struct pr_refusal *why) PR_NODISCARD;

/*
 * The canonical target of a request that was read, with the object that the
 * path names (of a commit: its query) spelt `id`; an empty id changes nothing.
 */
struct pr_str pr_request_target(struct pr_arena *a, const struct pr_request *rq,
    struct pr_str id) PR_NODISCARD;

/* The same target with another query. */
struct pr_str pr_request_requery(struct pr_arena *a, struct pr_str target,
    const struct pr_query_pair *pairs, size_t n) PR_NODISCARD;

/* First value of a query key, or NULL.  Keys are case-sensitive. */
const struct pr_str *pr_query_get(const struct pr_request *rq, const char *key);
/* moby httputils.BoolValue: false for absent, "", 0, no, false, none. */
bool pr_query_bool(const struct pr_request *rq, const char *key);
/* The header's only value, or NULL (absent or repeated: *repeated is set). */
const struct pr_str *pr_header_get(
    const struct pr_header *h, size_t n, const char *name, bool *repeated);

/* ---- the parts of it ---- */

struct pr_target {
	struct pr_version version;
	struct pr_str path;  /* decoded, without the version's prefix */
	struct pr_str query; /* as sent, without the '?' */
};

/*
 * Reads a request target as Go's URL parser and the daemon's router do
 * (percent-decoded once), or refuses it: everything that the router would
 * answer by a redirect, that is not in origin form, or that a plugin might
 * be shown otherwise than the daemon sees it (AMBIGUOUS).  A version below
 * PR_API_OLDEST is UNSUPPORTED_VERSION, with *out filled.
 */
int pr_target_read(struct pr_arena *a, struct pr_str raw, struct pr_target *out,
    struct pr_refusal *why) PR_NODISCARD;

/*
 * Reads a query as Go's url.ParseQuery does, in its order; refuses what some
 * handlers skip and others stop at (';', a bad escape), what is not UTF-8,
 * control characters, and every repeated key but those that are lists.
 */
int pr_query_read(struct pr_arena *a, struct pr_str raw,
    const struct pr_query_pair **pairs, size_t *n,
    struct pr_refusal *why) PR_NODISCARD;

enum pr_media {
	PR_MEDIA_BAD = 0, /* Go's mime.ParseMediaType might fail, or we do */
	PR_MEDIA_NONE,    /* no type given */
	PR_MEDIA_JSON,
	PR_MEDIA_FORM, /* urlencoded or multipart: merged into the query */
	PR_MEDIA_TAR,  /* what opaque routes take: tar, octets, text/plain */
	PR_MEDIA_OTHER,
};
/* The class of a Content-Type's value. */
enum pr_media pr_media_of(struct pr_str content_type);

#endif /* PR_REQUEST_H */
