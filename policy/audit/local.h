/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of policy/audit share and nobody else sees. */
#ifndef AUDIT_LOCAL_H
#define AUDIT_LOCAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <portreeve/audit.h>
#include <portreeve/buf.h>
#include <portreeve/sign.h>

#define SEGMENT_NAME 96 /* longest name of a segment file, with NUL */
#define SEGMENT_EXT  ".jsonl"
#define CHAIN_ZERO \
	"0000000000000000000000000000000000000000000000000000000000000000"

/* More than the longest head (see pr_line_head). */
#define LINE_HEADROOM 192

enum line_type {
	LINE_SEGMENT = 0,
	LINE_DECISION,
	LINE_OUTCOME,
	LINE_LOSS,       /* what could not be written, as counts */
	LINE_CHECKPOINT, /* signed */
	LINE_TYPES
};
/* Static; indexed by enum line_type. */
extern const char *const pr_line_types[LINE_TYPES];

/* --- record.c: values to text; no state, no lock ----------------------- */

/* What stands in every line of this process: boot, daemon, host, door. */
void pr_record_constants(struct pr_buf *b, const char *boot, const char *daemon,
    const char *host, const char *door);
/*
 * Appends the body of a line, from "time" to the closing brace.  Returns the
 * offset in b from which on equal denials have equal bytes.
 */
size_t pr_record_encode(
    struct pr_buf *b, struct pr_str constants, const struct pr_record *r);
void pr_outcome_encode(
    struct pr_buf *b, struct pr_str constants, const struct pr_outcome *o);
/* The formatting of pr_clock_format, cached by the second; 27 bytes. */
void pr_record_time(int64_t wall, char out[27]);

/* --- line.c: the head of a line, written and read ---------------------- */

/*
 * Writes {"type":T,"seq":N,"prev":H,["durable":D,] and returns its length;
 * out takes LINE_HEADROOM bytes.  durable 0: not written.
 */
size_t pr_line_head(char *out, enum line_type type, uint64_t seq,
    const uint8_t prev[PR_SHA256_LEN], uint64_t durable);

struct line_head {
	enum line_type type;
	uint64_t seq;
	uint64_t durable; /* 0: not said */
	char prev[PR_SHA256_HEX];
	size_t len; /* bytes of the head */
};
/* Reads what pr_line_head writes, byte for byte; false: it is not that. */
bool pr_line_read(struct pr_str line, struct line_head *out);

/* --- segment.c: the files; the caller holds the writer's lock ---------- */

/* A place in the chain: after a line. */
struct chain_end {
	uint64_t seq;
	uint64_t offset;
	uint8_t hash[PR_SHA256_LEN];
};

struct segment {
	const char *dir, *door;
	struct pr_str constants;
	int dirfd, lockfd, fd; /* -1: not open */
	char name[SEGMENT_NAME];
	char chain[PR_UUID_LEN];
	bool found;          /* the chain's end was looked for */
	bool used;           /* something was committed after the header */
	uint64_t durable;    /* seq of the last line known to be on the disk */
	uint64_t marked;     /* the last value of it that a line told */
	struct chain_end at; /* the last line written */
	struct chain_end good; /* the last line that counts */
	/* what the next header says about the segment before it */
	struct {
		char file[SEGMENT_NAME]; /* "": there is none */
		uint64_t bytes;
		const char *state; /* "closed", "torn", "abandoned", ... */
		uint64_t tail;     /* bytes after `bytes`, if torn */
		uint8_t tail_hash[PR_SHA256_LEN];
	} previous;
};

void pr_segment_init(struct segment *s);
/*
 * Opens the directory (making it if need be), takes the chain's lock, finds
 * its end if that was not done, and begins a segment: it is durable, its
 * name included, when this returns 0.
 */
int pr_segment_begin(struct segment *s, struct pr_err **err) PR_NODISCARD;
/* Puts a line in `out` and moves s->at behind it; nothing is written. */
void pr_segment_put(struct segment *s, struct pr_buf *out, enum line_type type,
    struct pr_str body);
/* The same of a checkpoint, whose body has neither signature nor end. */
void pr_segment_put_signed(struct segment *s, struct pr_buf *out,
    struct pr_str body, const struct pr_private_key *k);
/* Writes lines; -1: errno says why, and the segment must be abandoned. */
int pr_segment_write(struct segment *s, const char *p, size_t n) PR_NODISCARD;
/*
 * fdatasync, and that the file is still where its name says.  Touches
 * nothing of *s, so it needs no lock while nobody else closes the file.
 */
int pr_segment_sync(const struct segment *s) PR_NODISCARD;
/* What was written counts from now on. */
void pr_segment_commit(struct segment *s);
/* Ends the segment in order; the next one is chained to it. */
void pr_segment_finish(struct segment *s);
/* Ends it after an error: what counts is s->good, the rest is declared. */
void pr_segment_abandon(struct segment *s);
void pr_segment_close(struct segment *s);

/* --- fold.c: floods of equal denials ----------------------------------- */

#define FOLD_SLOTS 128

struct fold_slot {
	uint64_t hash;
	uint64_t since;   /* pr_clock_now of the window's first */
	unsigned written; /* of this window, in full */
	uint64_t count;   /* of this window, not written */
	int64_t first, last;
	struct pr_buf stable; /* what makes it the same denial */
	struct pr_buf body;   /* of the first that was not written */
};

struct fold {
	pthread_mutex_t lock;
	struct fold_slot slots[FOLD_SLOTS];
};

/*
 * True: write this denial.  False: it is counted.  A count that this one
 * drives out is appended to `out` as a body (empty: nothing to write).
 */
bool pr_fold_seen(struct fold *f, struct pr_str body, size_t stable,
    uint64_t now, int64_t wall, struct pr_buf *out);
/* The next body that is due (all of them if `force`), or false. */
bool pr_fold_due(
    struct fold *f, uint64_t now, bool force, size_t *at, struct pr_buf *out);
void pr_fold_fini(struct fold *f);

/* --- audit.c, commit.c, mask.c ------------------------------------------ */

/* A queued line; its body lies in the queue's bytes. */
struct item {
	enum line_type type;
	uint32_t n;          /* bytes of the body */
	pr_audit_done *done; /* NULL: nobody waits */
	void *arg;
};

struct queue {
	struct item *items;
	size_t n, cap;
	size_t waiting; /* items with done */
	struct pr_buf bytes;
};

struct pr_audit {
	char *dir, *door, *key_file;
	enum pr_audit_failure failure;
	enum pr_audit_sync sync;
	uint64_t segment_max;
	uint64_t space; /* configured; 0: measured */
	struct pr_buf constants;

	pthread_mutex_t qlock; /* queue, stop, rotate; never held over I/O */
	pthread_cond_t wake;
	struct queue queue;
	bool stop;
	bool rotate; /* sync none: the committer shall begin a segment */

	/*
	 * seg and out.  Only the committer opens and closes files; with sync
	 * none every caller writes.
	 */
	pthread_mutex_t wlock;
	struct segment seg;
	struct pr_buf out;   /* sync none: what rounds have put, not written */
	size_t unwritten;    /* lines in it */
	size_t unawaited;    /* of them, denials and outcomes */
	uint64_t lost_lines; /* times that such lines were lost */
	int write_errno;     /* of a caller's write that failed */

	atomic_bool broken; /* there is no segment that can be trusted */
	atomic_bool low;    /* little room: denials are only counted */
	struct fold fold;

	struct checkpoints *checkpoints; /* NULL: none */
	uint64_t age;                    /* of a segment; 0: any */

	/* the committer's own */
	uint64_t born;     /* the segment; pr_clock_now */
	uint64_t next_try; /* to begin a segment; pr_clock_now */
	uint64_t said_at;  /* that it cannot */
	uint64_t measured; /* bytes written when the space was looked at */
	uint64_t reserve;  /* bytes kept for allows */
	uint64_t told_refused, told_lost, told_dropped; /* to the log itself */
	uint64_t told_at;

	struct {
		_Atomic uint64_t records, bytes, commits, segments, failures,
		    refused, lost, folded, dropped;
	} count;
	_Atomic uint64_t lost_said_at;

	pthread_mutex_t keylock;
	uint8_t key[PR_SHA256_LEN];
	bool has_key;

	pthread_t committer;
};

/* Queues a copy of body; false: there is no room. */
bool pr_audit_enqueue(struct pr_audit *a, enum line_type type,
    struct pr_str body, pr_audit_done *done, void *arg);
/* A line that nobody waits for: written or queued, or else counted. */
void pr_audit_submit(
    struct pr_audit *a, enum line_type type, struct pr_str body);
/* n allows without a record: counts, says so; may they leave all the same? */
bool pr_audit_without(struct pr_audit *a, size_t n);
void pr_queue_push(struct queue *q, enum line_type type, struct pr_str body,
    pr_audit_done *done, void *arg);
void pr_queue_reset(struct queue *q);
void pr_queue_fini(struct queue *q);
/* Writes what rounds have put; -1: it is lost.  wlock held. */
int pr_audit_flush(struct pr_audit *a) PR_NODISCARD;
/* The segment can take no more: what rounds have put is lost.  wlock held. */
void pr_audit_lose(struct pr_audit *a);

/* Tries to begin a segment: says in the log how it went. */
int pr_commit_begin(struct pr_audit *a, struct pr_err **err);
/* The committer's thread. */
void *pr_commit_run(void *audit);

/* Bounds of the queue; those that nobody waits for may fill half of it. */
#define QUEUE_ITEMS ((size_t)65536)
#define QUEUE_BYTES ((size_t)64 << 20)

#endif /* AUDIT_LOCAL_H */
