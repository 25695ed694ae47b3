/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the judge. */
#ifndef JUDGE_LOCAL_H
#define JUDGE_LOCAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <portreeve/judge.h>
#include <portreeve/promotion.h>
#include <portreeve/resolve.h>

#include "runs.h"
#include "usage.h"

/* Who belongs to which teams of one policy: counted, immutable. */
struct teams {
	_Atomic unsigned refs;
	const struct pr_subject *subject;       /* held */
	const struct pr_membership *membership; /* held; NULL: no directory */
	size_t n;
	unsigned v[]; /* ascending */
};

#define TEAMS_SLOTS 1024

/* A policy as this host lives by it; swapped whole at a reload. */
struct snapshot {
	_Atomic unsigned refs;
	struct pr_policy *policy;
	struct pr_promotions *promotions; /* NULL: none are configured */
	bool promotes; /* some grant wants to know what ran */
	pr_phase_mask served;
	uint64_t stale_ok;         /* the strictest of the served phases */
	const unsigned *with_cert; /* teams that certificates are members of */
	size_t n_with_cert;
	const unsigned *anonymous;
	size_t n_anonymous;
	struct pr_arena *arena;
	pthread_mutex_t lock;
	struct teams *known[TEAMS_SLOTS]; /* under lock */
};

/* Takes policy and promotions over. */
struct snapshot *snapshot_new(struct pr_policy *policy,
    struct pr_promotions *promotions, const struct pr_config *config,
    struct pr_diags *ds);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);

/* The teams of a subject; caller gives back with teams_unref. */
struct teams *teams_of(struct snapshot *s, const struct pr_subject *subject,
    const struct pr_membership *m);
struct teams *teams_ref(struct teams *t);
void teams_unref(struct teams *t);

/* ---- pending.c: requests between their two stages ---- */

struct pending; /* the table */

struct pending_key {
	uint8_t bytes[PR_KEYED_HASH_LEN];
};

struct pending_entry { /* what is remembered of an allowed request */
	struct pending_key key;
	char id[PR_UUID_LEN];
	uint64_t since; /* pr_clock_now() */
	enum pr_op op;
	bool absent; /* what it reads was not there when it was judged */
	char team[PR_LEDGER_NAME + 1], phase[PR_LEDGER_NAME + 1];
	bool owned;        /* team and phase are to be written in the ledger */
	uint64_t token[2]; /* of pr_inventory_mutating_begin; 0: none */
	/* volumes that the request makes: names, each with its NUL; whoever
	 * has the entry owns them (pending_entry_fini) */
	char *volumes;
	size_t n_volumes;  /* bytes */
	uint64_t reserved; /* of quotas; 0: nothing */
	bool unnamed;      /* volume.create: the daemon makes up the name */
};

void pending_entry_fini(struct pending_entry *e);
struct pending *pending_new(void);
void pending_free(struct pending *p);
void pending_key(const struct pr_judge_call *call, struct pending_key *key);
/*
 * The time of names: counts on when one was given.  Read it before references
 * are looked up and hand it back as `since`.
 */
uint64_t pending_clock(struct pending *p);
/*
 * Remembers an allowed request and takes the names that it uses and gives:
 * 0: taken, with what the entry owns; 1: one of them was given to something since the references were
 * looked up, so they must be looked up and judged anew; -1: a name is in use
 * by another request and did not become free in a short time (may_wait), or is
 * in use now (otherwise): ask again.  Who waits has a turn, *turn (0 before
 * the first time), and those who come later wait behind; it ends at the
 * deadline or by pending_release.
 */
int pending_add(struct pending *p, const struct pending_entry *e,
    const struct pr_ref *refs, size_t n_refs, uint64_t since, bool may_wait,
    uint64_t deadline, uint64_t *turn, uint64_t *handle);
/*
 * Before a denial: 1: a name that the request uses was given since, another
 * look may find more; -1: it is being given just now (after waiting a short
 * time for it, if may_wait); 0: neither.
 */
int pending_unsettled(struct pending *p, const struct pr_ref *refs,
    size_t n_refs, uint64_t since, bool may_wait, uint64_t deadline);
/* Takes it back, as if it had not been. */
void pending_drop(struct pending *p, uint64_t handle, struct pending_entry *e);
/*
 * The request with this key that ends next: what it does, as it was read when
 * it was judged, and the id of its decision.  False: there is none.
 */
bool pending_op(struct pending *p, const struct pending_key *key,
    enum pr_op *op, char id[PR_UUID_LEN]);
/*
 * The oldest request with this key ends: true, *e and *handle, or false.  Its
 * names stay taken until what became of them is written down; then release.
 */
bool pending_end(struct pending *p, const struct pending_key *key,
    struct pending_entry *e, uint64_t *handle);
void pending_release(struct pending *p, uint64_t handle);

/* ---- record.c ---- */

struct pr_judgement_held {
	struct pr_judge *judge;
	struct snapshot *snapshot;
	const struct pr_subject *subject;
	struct teams *teams;
	struct pr_object_ref **objects;
	size_t n_objects;
	/* of an allow in the proxy: what its answer is judged by */
	struct pr_question question;
	uint64_t pending; /* handle; 0: none */
	bool holds;       /* the allow holds what it will change */
};

void record_fill(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, const struct pr_request *rq,
    const struct pr_subject *subject, const struct teams *teams,
    const struct snapshot *s, const struct pr_question *q,
    const struct pr_decision *d, struct pr_judgement *out);

struct pr_judge {
	const struct pr_config *config;
	enum pr_door door;
	pthread_mutex_t lock; /* of snapshot */
	struct snapshot *snapshot;
	struct pr_identity_cache *identities;
	struct pr_directory *directory; /* NULL: none configured */
	struct pr_ledger *ledger;
	struct pr_asserter *asserter; /* NULL: no key is configured */
	struct pr_inventory *inventory;
	struct pending *pending;
	struct usage *usage;
	struct runs_watch *runs;
};

/*
 * A volume that the daemon made for a container by itself is in no ledger: it
 * is of the containers that have it.  Returns `o`, a copy of it in the arena
 * that says whose it is, or NULL: the list of containers would be waited for.
 */
const struct pr_object *volume_of_containers(struct pr_judge *j,
    struct pr_arena *a, const struct pr_policy *p, const struct pr_object *o,
    bool may_wait, uint64_t deadline);

/* Did nobody name it, and does neither ledger nor label say whose it is? */
bool volume_is_nameless(const struct pr_policy *p, const struct pr_object *o);

struct volume_user {               /* a container that has the volume mounted */
	struct pr_str team, phase; /* empty: nobody's, of none */
};

/* Whose it is then, if they are all of one team and one phase. */
void volume_give(
    const struct volume_user *users, size_t n, struct pr_object *o);

/*
 * May a caller without a certificate be taken for anonymous (semantics 1.2,
 * 9.33)?  PR_REASON_NONE, or why not.  plain: does dockerd listen on TCP and
 * ask for no certificate?
 */
enum pr_reason anonymous_refused(const struct pr_who *who, enum pr_door door,
    size_t n_anonymous, bool accept_plain_tcp, enum pr_tri plain);

/*
 * Is the break-glass file there, root's, and not ended at this wall time?
 * Says on stderr why one that is there is not obeyed.
 */
bool break_glass(const char *path, int64_t now);

/* Ends what an entry told the inventory to be under way. */
void end_changes(struct pr_judge *j, const struct pending_entry *e);

/* Adds the labels of owner and phase to the query of a build. */
void forward_build_labels(struct pr_arena *a, const struct pr_request *rq,
    struct pr_judge_forward *f);
/*
 * Writes forward.target anew so that it concerns the caller's own objects:
 * 1, 0: would have to wait, -1: it cannot be done, says why.
 */
int narrow_request(struct pr_judge *j, struct pr_arena *a,
    const struct pr_question *q, const struct pr_request *rq, uint64_t deadline,
    bool may_wait, struct pr_judge_forward *f, char *why, size_t len);

struct snapshot *judge_snapshot(struct pr_judge *j);
/* Subject's teams; NULL: see *reason and why (or would wait: NONE). */
struct teams *judge_teams(struct pr_judge *j, struct snapshot *s,
    const struct pr_subject *subject, bool may_wait, bool again,
    uint64_t deadline, enum pr_reason *reason, char *why, size_t len);

/* ---- trust.c ---- */
struct pr_file_fault;
/* 0, or -1 with the fault: as pr_judge_trust. */
int judge_trust(
    const struct pr_config *c, unsigned process, struct pr_file_fault *fault);

#endif /* JUDGE_LOCAL_H */
