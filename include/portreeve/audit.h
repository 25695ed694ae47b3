/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision log, the writing side (reading: audit_read.h).  JSON Lines,
 * format portreeve.decision/1: each line carries the SHA-256 of the line
 * before it, segments are chained, and the record of an allow is durable
 * before the answer may leave.  docs/log.md describes the format.
 *
 * It never writes what it is not given: callers pass names and masks
 * (pr_audit_mask), never secrets, credentials or values of environment.
 * It never makes a failure look like a success: what could not be made
 * durable is said to the caller, counted, and noted in the log itself once
 * there is a log again.
 *
 * Everything here may be called from any thread.
 */
#ifndef PR_AUDIT_H
#define PR_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/compiler.h>
#include <portreeve/digest.h>
#include <portreeve/err.h>
#include <portreeve/reason.h>
#include <portreeve/str.h>

struct pr_audit; /* opaque */

enum pr_audit_failure {
	PR_AUDIT_FAILURE_DENY = 0, /* no durable record: no allow */
	PR_AUDIT_FAILURE_ALLOW,    /* go on, loudly; the loss is counted */
};

enum pr_audit_sync {
	PR_AUDIT_SYNC_GROUP = 0, /* fdatasync before an allow leaves */
	PR_AUDIT_SYNC_NONE,      /* write(2) before it; fdatasync each second */
};

struct pr_audit_config {
	const char *dir;      /* exists, or is made 0700; files are 0600 */
	const char *door;     /* "plugin", "proxy": names the chain's files */
	const char *daemon;   /* daemon.name of the configuration, or NULL */
	const char *key_file; /* of pr_audit_mask; NULL: hmac.key in dir */
	enum pr_audit_failure failure;
	enum pr_audit_sync sync;
	uint64_t segment; /* bytes; 0: 64 MiB */
	/*
	 * The room that the log may count on, in bytes; when less than a tenth
	 * of it is free, denials are counted and no longer written, so that
	 * allows go on.  0: the file system's size, at most 16 segments.
	 */
	uint64_t space;
	uint64_t age; /* ns; older segments are ended; 0: none is too old */
	/* Signed checkpoints (docs/log.md): a file with an Ed25519 key, NULL:
	 * none; after so many records (0: 1000) or so long (ns; 0: 60 s), and
	 * at the end of each segment.  Their copies go to a file, or to
	 * "syslog", or nowhere (NULL). */
	const char *checkpoint_key;
	uint64_t checkpoint_records, checkpoint_interval;
	const char *checkpoint_copy;
};

/* How much of a decision is written (the phase's `audit:`). */
enum pr_audit_level {
	PR_AUDIT_LEVEL_NONE = 0, /* who, what, where, verdict and why */
	PR_AUDIT_LEVEL_METADATA, /* and targets, teams, names, message */
	PR_AUDIT_LEVEL_REQUEST,  /* and facts, digest of the body */
};

struct pr_record_team {
	struct pr_str name;
	struct pr_str source; /* "ldap", "ldif", "cert", "anonymous" */
	int64_t age_ms;       /* of what the directory said; -1: does not age */
};

struct pr_record_fact {
	struct pr_str name;  /* "HostConfig.Privileged" */
	struct pr_str value; /* as shown to the user; secrets only as a mask */
};

/*
 * A decision.  Borrowed during the call; empty strings are not written.
 * Zeroed, it is a denial.  Long strings are clipped, which is counted in the
 * record ("clipped").
 */
struct pr_record {
	enum pr_audit_level level;
	int64_t time;              /* pr_clock_wall() of the decision; 0: now */
	struct pr_str id;          /* decision id: pr_uuid7 */
	struct pr_str correlation; /* what the response stage will know */
	struct pr_str stage;       /* "request" or "response" */

	struct {
		struct pr_str name;
		struct pr_str how;         /* the identity rule: "san-email" */
		struct pr_str fingerprint; /* SHA-256 of the certificate, hex */
		struct pr_str serial;
		int64_t uid; /* of the local user; see has_uid */
		bool has_uid;
	} subject;
	const struct pr_record_team *teams;
	size_t n_teams;
	struct pr_str team; /* the acting team */

	struct pr_str phase;
	struct pr_str action;
	struct pr_str method;
	struct pr_str target;    /* as sent; written where it differs */
	struct pr_str canonical; /* as judged */
	struct {
		struct pr_str kind, id, name, owner;
	} resource;

	enum pr_verdict verdict;
	bool would_deny; /* an allow of complain mode: written as would-deny */
	bool break_glass;
	enum pr_reason reason;
	struct pr_str grant, guard, profile_key, role;
	struct pr_str file; /* the policy's place */
	unsigned line;
	struct pr_str policy;  /* hash of the policy */
	struct pr_str message; /* the line that the user sees */
	const struct pr_record_fact *facts;
	size_t n_facts;
	const uint8_t *body_sha256; /* PR_SHA256_LEN bytes, or NULL */
	uint64_t latency_us;
};

/* What became of an allowed request; of the response stage. */
struct pr_outcome {
	int64_t time;     /* 0: now */
	struct pr_str id; /* of the decision; empty: not known */
	struct pr_str correlation;
	struct pr_str action;
	int status; /* HTTP; 0: not shown to us */
	bool has_bytes;
	uint64_t bytes;         /* of the body, as far as seen */
	uint64_t duration_us;   /* since the decision; 0: not known */
	struct pr_str resource; /* id of what was made */
	struct pr_str note;     /* "denied-by-response-rule" */
};

enum pr_audit_answer {
	PR_AUDIT_FAILED = 0, /* deny, reason PR_REASON_AUDIT */
	PR_AUDIT_DONE,       /* answer now */
	PR_AUDIT_WAIT,       /* done() will be called, once */
	PR_AUDIT_ROUND,      /* answer after pr_audit_round_end */
};

/*
 * Called by the committer's thread, with no lock held, exactly once for each
 * PR_AUDIT_WAIT.  `ok`: the answer may leave; otherwise deny with
 * PR_REASON_AUDIT.  It must not block and must not call pr_audit_close.
 */
typedef void pr_audit_done(void *arg, bool ok);

/*
 * Opens the log: finds the chain's end, notes a tail that a crash tore, and
 * begins a new segment.  A directory that cannot be written is no error here:
 * it is logged, allows are refused, and the log recovers alone.  Errors:
 * INVALID (the configuration), DENIED (another process writes this chain).
 * Free with pr_audit_close.
 */
struct pr_audit *pr_audit_open(
    const struct pr_audit_config *config, struct pr_err **err) PR_NODISCARD;
/* Writes what is queued, calls what waits, and frees.  NULL is fine. */
void pr_audit_close(struct pr_audit *a);

/*
 * Records a decision.  An allow: see enum pr_audit_answer.  A denial is
 * queued and always answered DONE: it may leave first, keeps its place in the
 * chain, and is folded into a count when the same one comes in a flood.
 * done may be NULL only for denials.
 */
enum pr_audit_answer pr_audit_append(struct pr_audit *a,
    const struct pr_record *r, pr_audit_done *done, void *arg) PR_NODISCARD;
/*
 * The same, blocking until the record is durable or `deadline`
 * (pr_clock_now() time) has passed.  True: the answer may leave.
 */
bool pr_audit_append_wait(struct pr_audit *a, const struct pr_record *r,
    uint64_t deadline) PR_NODISCARD;
/*
 * Records an outcome; never waits.  If it cannot be written the answer goes
 * out all the same (the effect has happened) and allows fail from then on.
 */
void pr_audit_outcome(struct pr_audit *a, const struct pr_outcome *o);

/*
 * A round, for an event loop that judges many calls before it answers any:
 * what its thread records from now on (sync: none) is written by one write(2)
 * at the round's end, and an allow's answer is PR_AUDIT_ROUND until then.
 * False: with sync: group there are no rounds, the committer gathers.  One
 * round a thread at a time.
 */
bool pr_audit_round(struct pr_audit *a) PR_NODISCARD;
/*
 * Ends the round of this thread.  True: its lines are written, the answers of
 * its `allows` PR_AUDIT_ROUNDs may leave.  False: none of them may, deny with
 * PR_REASON_AUDIT.
 */
bool pr_audit_round_end(struct pr_audit *a, size_t allows) PR_NODISCARD;

/* False while allows would fail (for /readyz). */
bool pr_audit_healthy(struct pr_audit *a);

struct pr_audit_stats {
	uint64_t records; /* lines written */
	uint64_t bytes;
	uint64_t commits;  /* fdatasyncs that served somebody */
	uint64_t segments; /* begun */
	uint64_t failures; /* segments abandoned, or not begun, for an error */
	uint64_t refused;  /* allows that were told no */
	uint64_t lost;     /* allows that went on without a record */
	uint64_t folded; /* denials that are only counted, in a folded record */
	uint64_t dropped; /* denials and outcomes not written, only counted */
	bool healthy;
};
void pr_audit_stats(struct pr_audit *a, struct pr_audit_stats *out);

/*
 * A value that must not be written, as a name for itself: "hmac:" and 32 hex
 * digits of HMAC-SHA-256 under this host's key (made at first use, mode
 * 0600), so that equal values can be seen to be equal.  Without a key
 * "hmac:unavailable" is the result.
 */
#define PR_AUDIT_MASK_LEN 40
void pr_audit_mask(
    struct pr_audit *a, struct pr_str value, char out[PR_AUDIT_MASK_LEN]);

#endif /* PR_AUDIT_H */
