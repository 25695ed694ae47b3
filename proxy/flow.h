/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request from its head to the end of its answer: what was read, what was
 * judged, what becomes of it.  It outlives its connection while a worker or
 * the log has it, and never forgets an allow: what was not sent is withdrawn,
 * what was sent gets its outcome.
 */
#ifndef FLOW_H
#define FLOW_H

#include <portreeve/judge.h>

#include "chan.h"
#include "http.h"
#include "loop.h"

/* Who is at the other end of a connection; counted, one loop's. */
struct peer {
	unsigned refs;
	struct tls_cert *cert;     /* NULL: uid */
	struct pr_str certificate; /* of it, as in the AuthZ protocol */
	bool has_uid;
	uid_t uid;
	char name[64]; /* of the uid; empty: it has none */
};
void peer_unref(struct peer *p);

enum flow_stage {
	FLOW_READING = 0,
	FLOW_JUDGING,    /* a worker has it */
	FLOW_JUDGED,     /* out is complete, not recorded */
	FLOW_RECORDING,  /* the log has it */
	FLOW_DENIED,     /* recorded */
	FLOW_ALLOWED,    /* recorded, not sent */
	FLOW_SENT,       /* the daemon has some of it */
	FLOW_RESPONDING, /* a worker has it */
	FLOW_OVER,       /* the outcome is written */
	FLOW_REVIEW,     /* a copy of one that is under way, judged again */
};

struct flow {
	struct loop *loop;
	struct conn *conn; /* who waits for it; NULL: nobody any more */
	struct peer *peer;
	enum flow_stage stage;
	bool away;        /* a worker or the log has it */
	bool recorded;    /* what the log said */
	const char *note; /* static: what the outcome says beside the status */
	uint64_t serial;
	uint64_t reviews; /* REVIEW: serial of the flow that it is a copy of */
	struct flow *next;

	struct pr_arena *keep; /* the request as it was read */
	struct http_head head;
	const struct pr_op_info *op; /* before it is judged */
	struct pr_judge_call call;
	char ticket[40];
	uint64_t began;

	struct http_body reader; /* of the request's body */
	struct pr_buf body;      /* where it is judged */
	bool streams;            /* or it is not: it streams by */

	struct pr_arena *work;
	struct pr_judgement out;
	struct pr_buf json; /* what the daemon gets for body */

	/* the answer */
	struct http_scan scan;
	struct http_body answer_reader;
	bool answered;  /* its head was read */
	bool holds;     /* its body is kept to be judged */
	bool viewed;    /* that was found out */
	bool views;     /* and shown as far as its caller may see it */
	bool events;    /* line by line */
	bool delivered; /* the client has its head, or some of it */
	bool chunks;    /* it goes to the client in chunks */
	int status;
	uint64_t bytes;
	struct pr_buf answer_head; /* for the client, without framing */
	struct pr_buf answer;
	struct pr_buf view;   /* of the answer: what the client gets */
	const char *withheld; /* why it gets nothing of it */
	struct pr_arena *work2;
	struct pr_judge_result result;
	struct pr_judgement after;
	struct pr_outcome outcome;
};

struct flow *flow_new(
    struct loop *l, struct conn *c, struct peer *peer) PR_NODISCARD;
/* The connection lets go of it; what it owes is settled, now or when it
 * comes back. */
void flow_drop(struct flow *f);
void flow_free_spare(struct loop *l);

/* Each returns true if it is done; else conn_flow_back() will be called. */
bool flow_judge(struct flow *f) PR_NODISCARD;
bool flow_record(struct flow *f) PR_NODISCARD;
/* The response stage; result.body is answer, if `shown`. */
bool flow_respond(struct flow *f, bool shown) PR_NODISCARD;
/* A denial that needs no judging; recorded. */
void flow_refuse(struct flow *f, enum pr_reason reason, const char *text);
/* Takes an allow back, and says so in the log. */
void flow_withdraw(struct flow *f, enum pr_reason reason);

/* No decision came in time: says so in the log; what comes is taken back. */
void flow_late(struct flow *f);
/* Would it still be allowed?  If not, its connection is cut off. */
void flow_review(const struct flow *f);

/* By the loop, for what was posted. */
void flow_back(struct flow *f);
/* By a worker; false: push it again, behind the others. */
bool flow_work(struct flow *f);

#endif /* FLOW_H */
