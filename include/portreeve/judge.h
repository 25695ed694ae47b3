/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request's life between the door and the log (docs/design.md 5): read,
 * identify, extract, resolve, decide; and at the response stage: outcome,
 * ledger, response rules.  A door (plugin, proxy) brings the call and sends
 * the answer; the record is written by the door's order, so that an event
 * loop can wait for the disk without blocking.
 *
 *   door: pr_judge_request -> pr_audit_append(record) -> answer
 *         ... the daemon works ...
 *   door: pr_judge_response -> answer
 */
#ifndef PR_JUDGE_H
#define PR_JUDGE_H

#include <portreeve/arena.h>
#include <portreeve/assertion.h>
#include <portreeve/audit.h>
#include <portreeve/caps.h>
#include <portreeve/config.h>
#include <portreeve/decide.h>
#include <portreeve/diag.h>
#include <portreeve/identity.h>
#include <portreeve/inventory.h>
#include <portreeve/policy.h>

struct pr_judge; /* opaque; for any number of threads */

/*
 * Nobody but root and this user may change what the configuration names for
 * the process, or the folders that it lies in; secrets are read by nobody
 * else.  0, or -1 with INVALID: the text says what mends it.
 */
int pr_judge_trust(const struct pr_config *config, enum pr_process process,
    struct pr_err **err) PR_NODISCARD;

/*
 * For --check: the same, after root has become the user that the ledger's
 * folder belongs to, and stays so.
 */
int pr_judge_trust_for_owner(const struct pr_config *config,
    enum pr_process process, struct pr_err **err) PR_NODISCARD;

/*
 * Before the judge is opened and before any thread: makes the folders that
 * the process writes to, sees that nobody else may change what the
 * configuration names, and gives up every right that it does not ask for
 * (portreeve/confine.h).  0 or -1: it must not go on.  INVALID: an owner or a
 * mode; the text says what mends it.
 */
int pr_judge_confine(const struct pr_config *config, enum pr_process process,
    struct pr_err **err) PR_NODISCARD;

/*
 * Opens all that the configuration names but the log: policy (and its
 * tests), identity rules, directory, ledger, inventory.  NULL: it cannot
 * start; ds or *err says why (exit 78 for ds, 69/1 for err).  The
 * configuration must outlive it.  Close with pr_judge_close when no call is
 * inside.
 */
struct pr_judge *pr_judge_open(const struct pr_config *config,
    enum pr_door door, struct pr_diags *ds, struct pr_err **err) PR_NODISCARD;
void pr_judge_close(struct pr_judge *j);
/*
 * Reads policy, identity files and directory files again; all or nothing:
 * -1 leaves everything as it was, with the mistakes in ds.  One at a time.
 */
int pr_judge_reload(struct pr_judge *j, struct pr_diags *ds) PR_NODISCARD;

struct pr_inventory *pr_judge_inventory(struct pr_judge *j);
/* Of the configuration's proxy.assertion_key; NULL: there is none. */
struct pr_asserter *pr_judge_asserter(struct pr_judge *j);
/* True if the directory can be asked now, or none is configured; else
 * appends why not. */
bool pr_judge_directory_ready(struct pr_judge *j, struct pr_buf *why);
/* The hash of the policy in force; buf takes 65 bytes. */
void pr_judge_policy_hash(struct pr_judge *j, char buf[65]);
/* Its first 48 bits, for metrics: equal numbers on two hosts, equal policies. */
uint64_t pr_judge_policy_number(struct pr_judge *j);
/* The serial of its signature; 0: none was asked for. */
uint64_t pr_judge_policy_serial(struct pr_judge *j);

/* A call as a door brings it; everything borrowed until the judgement ends. */
struct pr_judge_call {
	struct pr_call call;
	struct pr_identity_call caller;
	uint64_t received; /* pr_clock_now() */
	uint64_t deadline; /* pr_clock_now() time */
	/* tells the call from others that are equal to it, where the door can;
	 * the same at both stages */
	struct pr_str ticket;
	/* of the plugin: the proxy has signed for it, and it is the proxy that
	 * narrows it and shows its answer in part */
	bool forwarded;
	/* phases that may come in by this listener; none given: all */
	const struct pr_str *phases;
	size_t n_phases;
};

/*
 * For a door that writes the daemon's message itself: what was judged, and
 * nothing else.  Of an allow; lives as long as its judgement.
 */
struct pr_judge_forward {
	const struct pr_op_info *op;
	/* canonical, the object's name replaced by the full id that was judged */
	struct pr_str target;
	const struct pr_json *json; /* the judged body, or NULL */
	/* what a create's labels are to say; empty: nothing */
	struct pr_str team_label, team, phase_label, phase;
	unsigned set;   /* labels that were added to the query of a build */
	bool rules;     /* response rules have a say in the answer */
	bool narrow;    /* only what the caller may see of it is shown */
	bool images;    /* of images those that image rules name are shown */
	unsigned limit; /* elements of the list that are shown; 0: all */
	bool absent;    /* what it reads was not there */
};

/*
 * What came of it.  Zeroed, it is a denial.  Lives as long as its arena; end
 * it with pr_judgement_end, always.
 */
struct pr_judgement {
	enum pr_verdict verdict; /* == PR_ALLOW or it is a denial */
	char id[PR_UUID_LEN];
	char message[PR_CAP_MESSAGE + 1]; /* of a denial */
	struct pr_record record;          /* for pr_audit_append */
	struct pr_judge_forward forward;
	struct pr_judgement_held *held; /* what it keeps alive; private */
	uint64_t turn;                  /* among those who wait; private */
};

enum pr_judge_answer {
	PR_JUDGED = 0,       /* *out is complete */
	PR_JUDGE_WOULD_WAIT, /* may_wait was false, and something must be asked */
	PR_JUDGE_LATER,      /* names are in use: let others go first */
};

/*
 * Judges a call at the request stage.  With may_wait false it never blocks:
 * WOULD_WAIT means that a thread which may block should call again with a
 * fresh arena.  With may_wait it returns by the deadline; LATER means that
 * another request holds a name which this one uses: call again with a fresh
 * arena and the same *out, after other work.  *out is zeroed before the first
 * call.  An allow holds what the request will change (names, caches) from here
 * until its response or pr_judge_withdraw.
 */
enum pr_judge_answer pr_judge_request(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, bool may_wait,
    struct pr_judgement *out) PR_NODISCARD;
/*
 * The allow will not be answered after all (the log failed, the deadline
 * passed): lets go of what it holds.  Turns *out into a denial with this
 * reason; the record is the caller's to write.
 */
void pr_judge_withdraw(
    struct pr_judge *j, struct pr_judgement *out, enum pr_reason reason);
/* Gives back what the judgement's memory refers to.  Zeroed is fine. */
void pr_judgement_end(struct pr_judgement *out);

/*
 * A denial that needs no judging (an empty call, a nonce that is none, a
 * queue that is full): fills *out for the log and the answer.
 */
void pr_judge_refuse(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, enum pr_reason reason, const char *text,
    struct pr_judgement *out);

/*
 * The body as the daemon shall have it: `text` is what forward.json was read
 * from; the labels of a create are added where they are missing.  *set: how
 * many were.
 */
void pr_judge_body(struct pr_buf *b, const struct pr_judge_forward *f,
    struct pr_str text, unsigned *set);

/*
 * The answer to a request that was allowed (`of`, not ended yet) as its caller
 * may see it: forward.narrow, forward.rules.  *why: NULL, or why it must be
 * withheld (static); then what is in *out is of no use.
 */
enum pr_judge_answer pr_judge_view(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, const struct pr_judgement *of,
    struct pr_str body, bool may_wait, struct pr_buf *out,
    const char **why) PR_NODISCARD;
/*
 * One event of the stream: appends it, or nothing where it is not the
 * caller's to see.  False: it is none.  Never waits.
 */
bool pr_judge_view_event(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, const struct pr_judgement *of,
    struct pr_str line, struct pr_buf *out) PR_NODISCARD;

/* The response stage: what the daemon answered, as far as it is shown. */
struct pr_judge_result {
	int status; /* 0: not shown */
	struct pr_str body;
	bool body_shown;
};

/*
 * Ends a request: finds its judgement again, learns what was made (ledger),
 * judges the response rules.  out->verdict == PR_ALLOW: let it pass.  The
 * outcome is in *outcome for pr_audit_outcome.  May wait only if may_wait.
 */
enum pr_judge_answer pr_judge_response(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, const struct pr_judge_result *result,
    bool may_wait, struct pr_judgement *out,
    struct pr_outcome *outcome) PR_NODISCARD;

#endif /* PR_JUDGE_H */
