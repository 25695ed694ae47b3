/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks: `source:name`, and everything that is known of the certificate
 * behind it (docs/semantics.md 1).  A record that is read only once made.
 * Every text in it is UTF-8 without NUL, control or direction characters, so
 * it can be logged, compared and shown as it is.
 */
#ifndef PR_SUBJECT_H
#define PR_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <portreeve/compiler.h>
#include <portreeve/str.h>

/* How the name is known.  A zero is nobody: denied `unmapped-identity`. */
enum pr_subject_how {
	PR_SUBJECT_UNMAPPED = 0,
	PR_SUBJECT_CERT, /* a rule of identity: and the peer's certificate */
	PR_SUBJECT_USER, /* the daemon's User alone, by a rule `by: user` */
	PR_SUBJECT_UID,  /* the peer's uid on a unix socket */
	PR_SUBJECT_ANONYMOUS, /* no User, no method, no certificate */
};

struct pr_subject_owner; /* opaque: what the bytes live in */

struct pr_subject {
	enum pr_subject_how how;
	struct pr_str source; /* "corp" */
	struct pr_str name;   /* "alice" */
	struct pr_str id;     /* "corp:alice"; "anonymous"; "unmapped" */
	struct pr_str search; /* RFC 4515 filter, or empty: look the name up */

	/* Of the certificate; empty without one. */
	struct pr_str
	    fingerprint;      /* SHA-256 of the DER, 64 lower-case digits */
	struct pr_str serial; /* lower-case hex, no leading zero bytes */
	struct pr_str issuer; /* RFC 4514, most specific first */
	struct pr_str subject;
	struct pr_str cn; /* the only CN, or empty */
	const struct pr_str *emails, *dns, *uris, *upns; /* of the SAN */
	size_t n_emails, n_dns, n_uris, n_upns;
	int64_t not_before, not_after; /* seconds since 1970 */
	struct pr_str der;

	bool has_uid;
	uint32_t uid;

	struct pr_subject_owner
	    *owner; /* NULL: not counted (static, or of a test) */
};

/* One more reference to s, and s.  From any thread. */
const struct pr_subject *pr_subject_ref(const struct pr_subject *s);
/* Gives a reference back; the last one frees.  NULL is fine. */
void pr_subject_unref(const struct pr_subject *s);
void pr_subject_unrefp(const struct pr_subject **s); /* for PR_CLEANUP */

/* "unmapped", "cert", "user", "uid", "anonymous"; static. */
const char *pr_subject_how_name(enum pr_subject_how how);

/* The caller without any identity (semantics 1.2); static. */
extern const struct pr_subject pr_subject_anonymous;
/* Nobody; static. */
extern const struct pr_subject pr_subject_unmapped;

#endif /* PR_SUBJECT_H */
