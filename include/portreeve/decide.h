/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision (docs/semantics.md 4): a pure function of policy snapshot,
 * request, subject with teams, and resource facts.  No I/O, no clock of its
 * own, no memory beyond the arena it is given.
 */
#ifndef PR_DECIDE_H
#define PR_DECIDE_H

#include <portreeve/policy.h>
#include <portreeve/quota.h>
#include <portreeve/reason.h>
#include <portreeve/request.h>
#include <portreeve/spec.h>

/* Who asks, as data (identity and directory fill it). */
struct pr_who {
	struct pr_str source; /* mapping rule; empty for anonymous */
	struct pr_str name;
	bool anonymous;
	/* indexes of the policy's teams, ascending, without acts_for applied;
	 * a team whose second factor is missing is not among them */
	const unsigned *teams;
	size_t n_teams;
};

enum pr_door {
	PR_DOOR_PLUGIN = 0,
	PR_DOOR_PROXY
};

struct pr_question {
	const struct pr_policy *policy;
	const struct pr_request *request;
	const struct pr_who *who;
	enum pr_door door;
	pr_phase_mask served; /* phases of this host that may come in */
	/* all of this host's, which say of what phase an object is; 0: the
	 * same */
	pr_phase_mask host;
	int64_t now; /* wall clock, ns */

	/* The objects that the request touches: [0] is the path's object when
	 * the operation's kind is not NONE; then those of spec. */
	const struct pr_ref *refs;
	size_t n_refs;
	struct pr_spec *spec;   /* what the body asks for, or NULL */
	struct pr_spec *stored; /* of the container that is acted on, or NULL */
	bool stored_known;      /* false where 3.7 needs it: cannot tell */

	/* X-Portreeve-Team, or empty */
	struct pr_str wanted_team;
	struct pr_judge_env env; /* team, user and phase are not read */
	/* What a team of the policy uses of what quota i counts, reservations
	 * included; false: cannot tell.  NULL: nobody counts. */
	bool (*used)(void *arg, unsigned quota, int team, struct pr_used *out);
	void *used_arg;
	/* The longest run of an image, by manifest digest, in the phase that a
	 * grant wants, as this daemon or one of the grant's `via` has seen it;
	 * false: none.  NULL: nobody has looked. */
	bool (*ran)(void *arg, const struct pr_grant *g, struct pr_str digest,
	    uint64_t *ns);
	void *ran_arg;
	bool without_quotas; /* questions that ask for no amounts */
	/* The door narrows operations on many objects to the subject's own
	 * (pr_decide_narrows), so they need no `owner: any`. */
	bool narrow;
};

/* Operations on many objects that a door can narrow. */
bool pr_decide_narrows(enum pr_op op);

/* What an allow must take from quotas before it is one (semantics 11.5). */
struct pr_reserve {
	bool wanted;
	int team, phase;         /* owner; phase -1: unknown */
	struct pr_str container; /* of an update: its full id; else empty */
	struct pr_quota_ask ask;
};

struct pr_decision {
	enum pr_verdict verdict;
	enum pr_reason reason;
	bool would_deny; /* allowed by complain mode only */
	int grant;       /* index in the policy, or -1 */
	int guard;
	int role;
	int team;    /* acting team, or -1 */
	int key;     /* enum pr_profile_key, or -1 */
	int profile; /* index, or -1 */
	/* phase of the request: index; -1: unknown; -2: the set `phases` */
	int phase;
	pr_phase_mask phases;
	struct pr_loc loc; /* of the line that decided; line 0: none */
	/* what a create will belong to: team index or -1 (nobody's), phase or -1 */
	int owner_team;
	int owner_phase;
	struct pr_reserve reserve;
	enum pr_audit_level audit;
	char what
	    [240]; /* why, for the message: "HostConfig.Privileged is true, ..." */
	char
	    hint[160]; /* nearest allowed variant or what to do; may be empty */
};

/* Decides.  *d is wholly written; it is a denial unless all was decided. */
void pr_decide(
    struct pr_arena *a, const struct pr_question *q, struct pr_decision *d);

/*
 * Is it built-in guards alone that deny?  Then *out is the decision without
 * them, for when root has lifted them (semantics 10.13).
 */
bool pr_decide_lifted(struct pr_arena *a, const struct pr_question *q,
    const struct pr_decision *d, struct pr_decision *out);

/* Does the stored spec of the container matter (semantics 3.7)? */
bool pr_decide_wants_stored(const struct pr_request *rq);

/*
 * The line that the user sees (DESIGN 10), at most PR_CAP_MESSAGE bytes, one
 * line, printable: buf takes PR_CAP_MESSAGE + 1.
 */
void pr_decision_message(const struct pr_question *q,
    const struct pr_decision *d, const char *decision_id, char *buf);

/*
 * Of an operation that was narrowed: does some grant let the subject do it with
 * an object of this owner and phase (empty: nobody's, none)?
 */
bool pr_decide_keeps(struct pr_arena *a, const struct pr_question *q,
    struct pr_str owner, struct pr_str phase);

/*
 * Of a list of images that was allowed: does some grant that allows it show an
 * image of this name (NULL: every image, without a look at names)?
 */
struct pr_image;
bool pr_decide_shows_image(struct pr_arena *a, const struct pr_question *q,
    const struct pr_image *image);

#endif /* PR_DECIDE_H */
