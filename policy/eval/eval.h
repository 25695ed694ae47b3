/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that decide. */
#ifndef EVAL_H
#define EVAL_H

#include <portreeve/decide.h>

/* Who an object belongs to, as text: the policy may not know the name. */
struct belonging {
	struct pr_str team;  /* empty: nobody's */
	struct pr_str phase; /* empty: unknown */
};

/* The phase of a request, or of an object. */
enum phase_kind {
	PHASE_ONE = 0, /* index */
	PHASE_SET,     /* ownerless and global operations: the host's phases */
	PHASE_UNKNOWN,
};

struct phase {
	enum phase_kind kind;
	int index;
};

/* A request, seen once and asked for each grant. */
struct matter {
	const struct pr_question *q;
	const struct pr_op_info *op;
	struct pr_arena *arena;
	struct phase phase;
	bool creates; /* an object that will have an owner */
	const struct pr_ref
	    *target;              /* owned object that is acted on, or NULL */
	bool target_absent;       /* it is not there, and that is fine */
	bool target_unknown;      /* it cannot be looked up */
	struct pr_str label_team; /* what the body claims, if has_* */
	bool has_label_team;
	bool spec;   /* needs a profile (semantics 3.6) */
	bool stored; /* and the stored spec (3.7) */
};

/* How far a grant got (semantics 4.7); larger is further. */
enum stage {
	STAGE_ROLE = 0,
	STAGE_PHASE,
	STAGE_OWNER, /* and phase-mismatch */
	STAGE_NO_SUCH_OBJECT,
	STAGE_NO_PROFILE,
	STAGE_QUOTA,
	STAGE_PROFILE,
	STAGE_STORED,
	STAGE_ALL,
};

/* What one grant says for one acting team. */
struct opinion {
	enum pr_tri answer;
	bool soft; /* NO, but complain mode may soften it */
	enum stage stage;
	enum pr_reason reason;
	unsigned grant;
	int team;  /* acting team, or -1 */
	int key;   /* of the profile, or -1 */
	int quota; /* that says no, or -1 */
	char text[200];
};

void opinion_say(struct opinion *o, enum pr_tri answer, enum stage stage,
    enum pr_reason reason, const char *text);

/* Fills m from q, for the given phase (when a create tries several). */
void matter_init(
    struct matter *m, struct pr_arena *a, const struct pr_question *q);

/* ---- scope.c ---- */
struct belonging belongs_to(
    const struct pr_question *q, const struct pr_object *o);
/* The host's only phase, or unknown. */
struct phase host_phase(const struct pr_question *q);
/* The phase of an object that is there (semantics 2.5). */
struct phase phase_of(const struct pr_question *q, const struct pr_object *o);
bool has_no_owner(const struct pr_ref *r);
/* Does the grant, for an acting team, reach objects of this owner? */
bool owner_in_scope(const struct pr_policy *p, const struct pr_grant *g,
    int team, struct pr_str owner);
/* The grant's phases cover the matter's phase. */
enum pr_tri phase_covered(const struct matter *m, const struct pr_grant *g);
/* Owner scope of everything the request touches, the target first. */
void judge_scope(const struct matter *m, const struct pr_grant *g, int team,
    struct opinion *o);
/* The same for the target alone, as role denies ask (semantics 3.4). */
enum pr_tri scope_covers(
    const struct matter *m, const struct pr_grant *g, int team);

/* ---- quota.c ---- */
/* The quotas of the owner that a grant for this acting team would give. */
void judge_quotas(const struct matter *m, int team, struct opinion *o);
void take_reservation(const struct matter *m, struct pr_decision *d);

/* ---- promotion.c ---- */
void judge_promotion(
    const struct matter *m, const struct pr_grant *g, struct opinion *o);

/* Labels of what is made beside or without an owner (semantics 10.3). */
void judge_team_labels(const struct matter *m, const struct pr_grant *g,
    int team, struct pr_kvs labels, struct opinion *o);
void judge_labels(const struct matter *m, const struct pr_grant *g, int team,
    struct pr_kvs labels, struct opinion *o);

/* ---- cluster.c ---- */
/* The phases of other hosts that an operation on a service concerns. */
pr_phase_mask cluster_of(const struct matter *m);
/* The grant covers them all. */
void judge_cluster(
    const struct matter *m, const struct pr_grant *g, struct opinion *o);
/* Labels of services, secrets and configs; plugins made by services. */
void judge_cluster_labels(const struct matter *m, const struct pr_grant *g,
    int team, struct opinion *o);
void judge_service_promotion(
    const struct matter *m, const struct pr_grant *g, struct opinion *o);
/* A body that needs no profile. */
void judge_plain(const struct matter *m, const struct pr_grant *g, int team,
    struct opinion *o);

/* ---- grant.c ---- */
/* What a profile is told of the request, with the grant's acting team. */
struct pr_judge_env judge_env(const struct matter *m, int team);
/* What the profile of a grant says about one spec. */
void judge_spec(const struct matter *m, const struct pr_grant *g, int team,
    const struct pr_spec *spec, struct opinion *o);
/* Everything about one grant and one acting team; *o is wholly written. */
void judge_grant(
    const struct matter *m, unsigned grant, int team, struct opinion *o);
/*
 * Calls f for each grant of the subject with each acting team it is evaluated
 * for (semantics 1.4, 3.3), in no order that matters.
 */
void each_grant(const struct matter *m,
    void (*f)(void *arg, const struct matter *m, unsigned grant, int team),
    void *arg);

#endif /* EVAL_H */
