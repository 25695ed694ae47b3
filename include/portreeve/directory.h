/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is in which group.  A subject's name goes in, the groups that a
 * directory knows it in come out: from an LDIF file (the embedded directory)
 * or from LDAP servers, through one cache.  Which group is which team is the
 * policy's business.
 *
 * An outage is never an answer: what cannot be read is an error, and what was
 * read before keeps its age, so that the caller decides how old it may be.
 * Nothing here follows a referral, turns a verification off, or sends an
 * empty password.
 */
#ifndef PR_DIRECTORY_H
#define PR_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <portreeve/buf.h>
#include <portreeve/compiler.h>
#include <portreeve/diag.h>
#include <portreeve/err.h>
#include <portreeve/str.h>

enum pr_directory_type {
	PR_DIRECTORY_UNSET = 0,
	PR_DIRECTORY_LDIF,
	PR_DIRECTORY_LDAP,
};

enum pr_directory_bind {
	PR_BIND_NONE = 0, /* anonymous */
	PR_BIND_SIMPLE,
	PR_BIND_EXTERNAL, /* SASL EXTERNAL: who we are on the ldapi socket */
};

enum pr_directory_nested {
	PR_NESTED_NONE = 0, /* groups that name the user */
	PR_NESTED_MEMBEROF, /* groups that the user's memberOf names */
	PR_NESTED_EXPAND,   /* and groups of these groups, `depth` levels up */
	PR_NESTED_CHAIN,    /* the same, by Active Directory itself */
};

/* A string of the configuration and where it stands; s == NULL: not given. */
struct pr_directory_text {
	const char *s;
	struct pr_loc loc;
};

/* The `directory:` block of portreeve.yaml.  Everything is borrowed. */
struct pr_directory_config {
	struct pr_loc loc; /* of the block */
	enum pr_directory_type type;
	struct pr_directory_text file;       /* ldif */
	const struct pr_directory_text *uri; /* ldap: in order of preference */
	size_t n_uri;
	struct {
		struct pr_directory_text ca; /* PEM; needed for every TLS */
	} tls;
	bool starttls;
	struct pr_loc starttls_loc;
	struct {
		struct pr_loc loc;
		enum pr_directory_bind method;
		struct pr_directory_text dn;
		struct pr_directory_text password_file; /* mode 0600 or less */
	} bind;
	struct {
		struct pr_directory_text base; /* "": everywhere (ldif only) */
		struct pr_directory_text filter; /* RFC 4515 */
		struct pr_directory_text name;   /* uid, sAMAccountName, ... */
	} user;
	struct {
		struct pr_directory_text base;
		struct pr_directory_text filter;
		struct pr_directory_text member; /* member, uniqueMember: DNs;
						    memberUid: names */
		struct pr_directory_text name;
		enum pr_directory_nested nested;
		unsigned depth; /* levels of groups in groups; expand */
		struct pr_loc nested_loc;
	} group;
	struct {
		uint64_t connect; /* ns: TCP, TLS and bind, each */
		uint64_t search;  /* ns: one search */
	} timeouts;
	struct {
		uint64_t ttl; /* ns: a found user is fresh for this */
		uint64_t
		    negative_ttl;  /* ns: one that is not there, a failure */
		uint64_t stale_ok; /* ns past ttl; a phase may say otherwise */
	} cache;
	struct pr_loc timeouts_loc, cache_loc;
};

/* Everything that may be left out, as it is then; the rest zeroed. */
void pr_directory_defaults(struct pr_directory_config *c);
/*
 * Adds what is wrong with the block to ds; true if nothing is.  Files are
 * not opened here.
 */
bool pr_directory_check(
    const struct pr_directory_config *c, struct pr_diags *ds) PR_NODISCARD;

struct pr_group {
	struct pr_str dn;   /* normal form (dn.h) */
	struct pr_str name; /* as the directory writes it; may be empty */
};

/* What one reading of the directory said about one subject; immutable. */
struct pr_membership {
	bool found;              /* exactly one entry is the subject's */
	bool ambiguous;          /* several are: the subject is none of them */
	struct pr_str user_dn;   /* normal form; empty unless found */
	struct pr_str user_name; /* the name attribute, as it is written */
	const struct pr_group *groups; /* sorted by DN, each once */
	size_t n_groups;
	struct pr_str source; /* "ldif FILE", "ldap URI" */
	uint64_t fetched_at;  /* pr_clock_now */
};

const struct pr_membership *pr_membership_ref(const struct pr_membership *m);
/* NULL is fine; the last one frees it. */
void pr_membership_unref(const struct pr_membership *m);
void pr_membership_unrefp(const struct pr_membership **m); /* PR_CLEANUP */

struct pr_directory; /* opaque; for any number of threads */

/*
 * Opens what the block describes, which has passed pr_directory_check.  Reads
 * the files (LDIF, CA, password) and reports what is wrong with them; returns
 * NULL then.  Servers that cannot be reached are no failure.  An ldap
 * directory sets LDAPNOINIT in the environment and ignores SIGPIPE if nobody
 * handles it, so open it before other threads read the environment.
 * The configuration is copied.  Free with pr_directory_close.
 */
struct pr_directory *pr_directory_open(
    const struct pr_directory_config *c, struct pr_diags *ds) PR_NODISCARD;
/* The same for an LDIF text in memory, named `file` in diagnostics. */
struct pr_directory *pr_directory_open_ldif(const struct pr_directory_config *c,
    struct pr_str text, struct pr_diags *ds) PR_NODISCARD;
/* No other call may be under way.  NULL is fine. */
void pr_directory_close(struct pr_directory *d);
/*
 * Reads the files again (SIGHUP).  Returns 0, with the cache emptied and new
 * connections made, or -1 with diagnostics, and everything is as it was.
 */
int pr_directory_reload(
    struct pr_directory *d, struct pr_diags *ds) PR_NODISCARD;

struct pr_directory_answer {
	const struct pr_membership *m; /* caller unrefs */
	uint64_t stale;                /* ns since its ttl ended; 0: fresh */
};

/*
 * The groups of a subject by its name, or, with a filter (RFC 4515; n == 0:
 * none), of the entry that the filter finds among the users; what stands in
 * the filter for data has been escaped with pr_directory_escape.
 *
 * Returns 0 with an answer at once if a cached one is fresh or stale for at
 * most `stale_ok` ns (it is then read again in the background).  Otherwise
 * the directory is asked, once for all who wait for the same subject, until
 * `deadline` (pr_clock_now).  Returns -1 if it cannot be known: OFFLINE,
 * TIMEOUT, DENIED (our credentials), INVALID (an answer that does not count).
 * "No such user" and "several" are answers: see found and ambiguous.
 */
int pr_directory_lookup(struct pr_directory *d, struct pr_str name,
    struct pr_str filter, uint64_t stale_ok, uint64_t deadline,
    struct pr_directory_answer *out, struct pr_err **err) PR_NODISCARD;
/* A fresh cached answer (caller unrefs), or NULL.  Never waits. */
const struct pr_membership *pr_directory_peek(
    struct pr_directory *d, struct pr_str name, struct pr_str filter);
/*
 * Reads a subject again although a fresh answer is there: for a denial that
 * one more team would turn into an allow.  At most once per subject and
 * negative_ttl, and at most 20 a second in all.  Returns 0 with a new answer,
 * 1 if it is not due (nothing was asked), -1 as above (the cache is as it
 * was).
 */
int pr_directory_refresh(struct pr_directory *d, struct pr_str name,
    struct pr_str filter, uint64_t deadline, struct pr_directory_answer *out,
    struct pr_err **err) PR_NODISCARD;

/* True if the directory can be asked now; else appends why not. */
bool pr_directory_ready(struct pr_directory *d, struct pr_buf *why);

/* Appends data as RFC 4515 wants it inside a filter's value. */
void pr_directory_escape(struct pr_buf *b, struct pr_str data);
/* Longest subject name that is asked for. */
#define PR_DIRECTORY_NAME_MAX ((size_t)256)

#endif /* PR_DIRECTORY_H */
