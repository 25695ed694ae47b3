/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger (docs/semantics.md 2.2): whose every object is that was made
 * through a judged request, and of which phase.  SQLite on disk, a table in
 * memory in front of it: reading never touches the disk.  Writes are visible
 * at once and made durable by a thread, many in one transaction; a write that
 * fails on disk is taken back, and the object is nobody's.
 *
 * It never guesses: an entry counts for the object of the same kind, id and
 * creation mark only, so that a volume made again under an old name is
 * another object.  Everything here may be called from any thread.
 */
#ifndef PR_LEDGER_H
#define PR_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/api.h>
#include <portreeve/compiler.h>
#include <portreeve/err.h>
#include <portreeve/str.h>

struct pr_ledger; /* opaque */

#define PR_LEDGER_NAME 128 /* longest team or phase, in bytes */

enum pr_ledger_how {
	PR_LEDGER_REQUEST = 0, /* made through a judged request */
	PR_LEDGER_ADOPTED,     /* portreeve adopt */
};

struct pr_ledger_entry {
	enum pr_kind kind;
	struct pr_str id;   /* full id; of a volume its name */
	struct pr_str name; /* for people; may be empty */
	/* pr_object.created; empty: not known yet, the first look-up pins it */
	struct pr_str created;
	struct pr_str team;  /* owner; empty: nobody's, on purpose */
	struct pr_str phase; /* empty: unknown */
	enum pr_ledger_how how;
	struct pr_str decision; /* id of the decision that allowed it */
	int64_t time;           /* pr_clock_wall(); 0: now */
};

/* What a look-up answers: no memory to free. */
struct pr_ledger_owner {
	char team[PR_LEDGER_NAME + 1];
	char phase[PR_LEDGER_NAME + 1];
	enum pr_ledger_how how;
};

/*
 * Opens the ledger, makes it (mode 0600) if there is none, reads it whole.
 * Errors: INVALID (damaged, made by a newer version, or writable by others;
 * the text names the command that mends it), IO.  Close with
 * pr_ledger_close.
 */
struct pr_ledger *pr_ledger_open(
    const char *path, struct pr_err **err) PR_NODISCARD;
/* Writes what is queued and frees.  NULL is fine. */
void pr_ledger_close(struct pr_ledger *l);

/*
 * Writes or replaces an entry; visible to pr_ledger_get at once.  -1: not
 * taken (a string too long, the ledger full, or the last write failed and
 * the disk has not recovered).  Strings are copied.
 */
int pr_ledger_put(struct pr_ledger *l, const struct pr_ledger_entry *e,
    struct pr_err **err) PR_NODISCARD;
/*
 * Forgets an object that is gone: only entries written before `before`
 * (pr_clock_wall() time), since a new one may bear the name already.
 */
void pr_ledger_forget(
    struct pr_ledger *l, enum pr_kind kind, struct pr_str id, int64_t before);
/*
 * Forgets the entries of a kind written before `before` for which `exists`
 * says false.  It is called with a lock held: it must not call the ledger.
 */
void pr_ledger_prune(struct pr_ledger *l, enum pr_kind kind, int64_t before,
    bool (*exists)(void *arg, struct pr_str id), void *arg);

/*
 * Whose the object is.  `created` is compared for kinds whose ids are names
 * that can be used again (volumes, plugins).  False: no entry.
 */
bool pr_ledger_get(struct pr_ledger *l, enum pr_kind kind, struct pr_str id,
    struct pr_str created, struct pr_ledger_owner *out);

/*
 * Waits until all that was put before is durable.  -1: some of it is not, or
 * a write failed within the last seconds (so call it right after the put).
 */
int pr_ledger_flush(struct pr_ledger *l, struct pr_err **err) PR_NODISCARD;

/* Every entry, in no order; `row` must not call the ledger; strings borrowed. */
void pr_ledger_each(struct pr_ledger *l,
    void (*row)(void *arg, const struct pr_ledger_entry *e), void *arg);

/* ---- how long images have run (docs/semantics.md 11.8) ---- */

struct pr_ledger_run {
	struct pr_str phase, digest;
	struct pr_str container; /* the one that ran so long */
	uint64_t ns;             /* without a stop */
	int64_t time; /* pr_clock_wall() of the writing, for people */
};
struct pr_ledger_running { /* a run under way, to go on after a restart */
	struct pr_str container, started, boot;
	uint64_t since; /* CLOCK_MONOTONIC of that boot, ns */
};

/* The longest run is kept.  Strings are copied; -1: not taken. */
int pr_ledger_run_put(struct pr_ledger *l, const struct pr_ledger_run *run,
    struct pr_err **err) PR_NODISCARD;
bool pr_ledger_ran(struct pr_ledger *l, struct pr_str phase,
    struct pr_str digest, uint64_t *ns);
/* Every image and phase, in no order; `row` must not call the ledger. */
void pr_ledger_runs_each(struct pr_ledger *l,
    void (*row)(void *arg, const struct pr_ledger_run *run), void *arg);
int pr_ledger_running_put(struct pr_ledger *l,
    const struct pr_ledger_running *r, struct pr_err **err) PR_NODISCARD;
void pr_ledger_running_end(struct pr_ledger *l, struct pr_str container);
/* Since when that very run goes on; false: it is another, or none. */
bool pr_ledger_running_since(struct pr_ledger *l, struct pr_str container,
    struct pr_str started, struct pr_str boot, uint64_t *since);

/* Changes with every change of what pr_ledger_get would answer. */
uint64_t pr_ledger_generation(struct pr_ledger *l);
/* False while writes fail (for /readyz). */
bool pr_ledger_healthy(struct pr_ledger *l);
size_t pr_ledger_count(struct pr_ledger *l);

#endif /* PR_LEDGER_H */
