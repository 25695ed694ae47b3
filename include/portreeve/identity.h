/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks, from what dockerd says of its client: the certificate that it
 * verified (RequestPeerCertificates[0]), User and UserAuthNMethod.
 *
 * Ordered rules tied to the issuer give the name; the first that matches
 * wins.  A rule whose field is absent does not match; one whose field is
 * there but not exactly once, or not fit to be a name, refuses the caller
 * (two CNs, of which dockerd takes the last; a NUL; a wildcard ...).  Names
 * are compared byte by byte, e-mail addresses too: no case is folded.  Issuers
 * are compared as DNs (dn.h: order counts, case and blanks do not).
 *
 * dockerd has verified the chain against its own CA file.  The issuer's DN is
 * only a text in the certificate, so a rule is as good as the promise that no
 * other CA of that file issues under that DN; `ca:` makes the rule verify the
 * signature itself.  Validity, key strength and clientAuth are checked again
 * here, as dockerd looks at them only at the handshake.
 */
#ifndef PR_IDENTITY_H
#define PR_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include <portreeve/compiler.h>
#include <portreeve/diag.h>
#include <portreeve/err.h>
#include <portreeve/str.h>
#include <portreeve/subject.h>

/* One entry of `identity:` as written; NULL is a key that is not there. */
struct pr_identity_rule {
	const char
	    *source; /* [a-z0-9][a-z0-9._-]*: the first half of the subject */
	const char *issuer; /* a DN, "CN=Acme User CA,O=Acme" (RFC 4514) */
	const char *by;     /* one of PR_IDENTITY_BY */
	const char *search; /* "(mail={san.email})": see pr_identity_fields */
	const char
	    *ca; /* PEM file whose key must have signed the certificate */
	struct pr_loc loc; /* of the rule */
	/* of the values; one with line 0 falls back to loc */
	struct pr_loc source_loc, issuer_loc, by_loc, search_loc, ca_loc;
};

/* X(id, word of `by:`, what it takes) */
#define PR_IDENTITY_BY(X)                                                      \
	X(CN, "cn", "the subject's common name")                               \
	X(DN, "dn", "the subject's whole DN")                                  \
	X(SAN_EMAIL, "san-email", "the e-mail address of the SAN")             \
	X(SAN_UPN, "san-upn", "the user principal name of the SAN")            \
	X(SAN_URI, "san-uri", "the URI of the SAN (SPIFFE)")                   \
	X(EXACT, "exact", "this very certificate, looked up in the directory") \
	X(USER, "user", "the daemon's User, where it shows no certificate")

/* The words of `by:`, for schemas and help; static, NULL at the end. */
extern const char *const pr_identity_by_words[];
/* What stands in {} of a search: "name", "cn", "san.email" ...; the same. */
extern const char *const pr_identity_fields[];

struct pr_identity; /* compiled rules: immutable, shared, counted */

/*
 * Checks the rules and compiles them; reads the `ca:` files.  Reports every
 * mistake at its place and returns NULL if there was an error.  No rules is
 * fine: then every certificate is unmapped.  Free with pr_identity_unref.
 */
struct pr_identity *pr_identity_compile(const struct pr_identity_rule *rules,
    size_t n, struct pr_diags *ds) PR_NODISCARD;
/*
 * Adds a deny list to rules that are not shared yet: one SHA-256 fingerprint
 * a line (64 hex digits, colons allowed), # begins a comment.  -1: the file
 * cannot be read or a line is wrong, reported with its place.
 */
int pr_identity_deny_file(
    struct pr_identity *id, const char *path, struct pr_diags *ds) PR_NODISCARD;
struct pr_identity *pr_identity_ref(struct pr_identity *id);
void pr_identity_unref(struct pr_identity *id);
void pr_identity_unrefp(struct pr_identity **id); /* for PR_CLEANUP */

/* What dockerd says of the caller; empty strings are absent ones.  Borrowed. */
struct pr_identity_call {
	struct pr_str user;   /* User */
	struct pr_str method; /* UserAuthNMethod */
	const struct pr_str
	    *chain; /* RequestPeerCertificates, as in the JSON */
	size_t n_chain;
	/* The door itself did the handshake that showed chain[0]: user and
	 * method are not filled and say nothing. */
	bool verified;
	/* The peer of a unix socket (SO_PEERCRED), where the door is one: the
	 * subject is local:local_name.  An empty name is a uid without one,
	 * which is unmapped. */
	bool has_uid;
	uint32_t uid;
	struct pr_str local, local_name;
};

/* For the user and the log: one printable line. */
struct pr_identity_why {
	char text[240];
};

/*
 * Names the caller.  0: *out is the subject (a certificate's, a user's or
 * anonymous).  -1: unmapped, *why says why, and *out (how == UNMAPPED) holds
 * what is known of the certificate, for the log.  *out is never NULL; the
 * caller gives it back with pr_subject_unref.
 */
int pr_identity_map(const struct pr_identity *id,
    const struct pr_identity_call *call, const struct pr_subject **out,
    struct pr_identity_why *why) PR_NODISCARD;

/*
 * The same through a memory of certificates already read: bounded, shared by
 * all threads, found by keyed hash and then compared byte by byte.  A hit
 * costs well under a microsecond; validity and User are checked each time.
 */
struct pr_identity_cache; /* opaque */

/* Takes a reference to id.  Remembers up to about max certificates. */
struct pr_identity_cache *pr_identity_cache_new(
    struct pr_identity *id, size_t max) PR_NODISCARD;
/* No other thread may be in it. */
void pr_identity_cache_free(struct pr_identity_cache *c);
/* Other rules or another deny list: forgets everything; takes a reference. */
void pr_identity_cache_reload(
    struct pr_identity_cache *c, struct pr_identity *id);
int pr_identity_find(struct pr_identity_cache *c,
    const struct pr_identity_call *call, const struct pr_subject **out,
    struct pr_identity_why *why) PR_NODISCARD;

#endif /* PR_IDENTITY_H */
