/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of policy/inventory share. */
#ifndef INVENTORY_LOCAL_H
#define INVENTORY_LOCAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <portreeve/eyes.h>
#include <portreeve/inventory.h>

#include "docker.h"

/* ---- answers ---- */

/*
 * What the daemon said, read once, immutable and counted: an object without
 * the parts that depend on the reference or change by themselves (by,
 * ambiguous, ledger), a list, or the daemon's facts.
 */
struct answer {
	atomic_uint refs;
	struct pr_arena *arena; /* holds everything, the text too */
	const struct pr_json *json;
	const struct pr_daemon_facts *daemon; /* of /info: daemon_facts_read */
	struct pr_object object;
};

struct answer *answer_new(size_t first) PR_NODISCARD;
struct answer *answer_ref(struct answer *a);
void answer_unref(struct answer *a); /* NULL is fine */

/* What a reference turned out to be. */
struct finding {
	struct answer *answer; /* never NULL: UNKNOWN has its why in it */
	enum pr_named_by by;
	bool ambiguous;
};

/* An answer of presence UNKNOWN; the text is copied. */
struct answer *answer_unknown(enum pr_kind kind, const char *why) PR_NODISCARD;

/* ---- the inventory ---- */

struct mutation {
	uint64_t token;
	uint64_t expires;
	enum pr_kind kind;
	bool names; /* gives names only: what ids mean stays */
};

struct cached;
struct flight;

struct pr_inventory {
	struct pr_ledger *ledger;
	struct pr_nonces *nonces;
	struct docker *docker;
	unsigned max_lookups;
	size_t cache_bytes;
	uint64_t max_age;
	char *socket;
	void (*watch)(
	    void *arg, enum pr_container_event what, struct pr_str id);
	void *watch_arg;
	char **protect;
	size_t n_protect;

	pthread_mutex_t lock; /* everything below; never held over I/O */
	pthread_cond_t changed;
	bool events; /* the stream stands */
	bool seen;   /* asked, and not gone since: it is the same daemon */
	/* what is cached of a kind is right only while its number stays */
	uint64_t generation[PR_KIND_COUNT];
	/* the same for what was found by its full id, which a new object or a
	 * new name does not change */
	uint64_t facts[PR_KIND_COUNT];
	struct mutation *mutations;
	size_t n_mutations, cap_mutations;
	unsigned mutating[PR_KIND_COUNT];
	uint64_t last_token;
	struct flight *flights;
	unsigned in_flight;
	struct cached **buckets; /* CACHE_BUCKETS */
	struct cached *newest, *oldest;
	struct pr_list_ref *list;
	uint64_t list_started;
	bool listing;
	/* local volumes, kept as long as the list of containers is */
	struct answer *volumes; /* or NULL */
	uint64_t volumes_generation, volumes_born;
	struct answer *version, *info; /* of the daemon, or NULL */
	struct pr_inventory_stats stats;
	pid_t pid;    /* of dockerd; 0: not known */
	int pid_fd;   /* that very process, or -1 */
	pid_t caller; /* who called the plugin last; 0: nobody yet */

	struct path_places *places; /* resolved protected places; own lock */
	pthread_t thread;
	int wake; /* eventfd: the thread is to stop */
};

/* Waits on inv->changed until deadline; false: it has passed.  Lock held. */
bool inv_wait(struct pr_inventory *inv, uint64_t deadline);
/* Everything cached of the kind is stale.  Lock held. */
void inv_stale(struct pr_inventory *inv, enum pr_kind kind);
void inv_stale_all(struct pr_inventory *inv);
/* Are names of the kind steady, so that what is cached may be used?  Lock held. */
bool inv_steady(struct pr_inventory *inv, enum pr_kind kind);

/* ---- cache.c; all with the lock held ---- */

void cache_init(struct pr_inventory *inv);
void cache_fini(struct pr_inventory *inv); /* mutations too */
/*
 * A finding that is surely still right.  While something that may change
 * names is on its way only full ids count, read after it had begun.
 */
bool cache_find(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    struct finding *f);
/*
 * Keeps what was found under the reference and under the full id, if nothing
 * has happened since the look-up began with that generation.
 */
void cache_store(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    const struct finding *f, uint64_t generation, uint64_t facts);

/* ---- resolve.c: one reference, asked of the daemon ---- */

void resolve(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    uint64_t deadline, struct finding *out);
/* What is wrong with a reference that is not even asked, or NULL; static. */
const char *reference_fault(enum pr_kind kind, struct pr_str ref);
/* GET and read as JSON; NULL: *err. */
struct answer *fetch_json(struct pr_inventory *inv, struct pr_str target,
    uint64_t deadline, int *status, struct pr_err **err) PR_NODISCARD;
/* A string member of an object, or the empty string. */
struct pr_str json_str(const struct pr_json *object, const char *key);
/* A member of that type, or NULL. */
const struct pr_json *json_of(
    const struct pr_json *object, const char *key, enum pr_json_type type);
bool json_true(const struct pr_json *object, const char *key);

/* ---- events.c ---- */

void *events_run(void *inv);

/* ---- paths ---- */

/* A file of dockerd's process in /proc, opened; -1 and *why (static). */
int inv_open(
    struct pr_inventory *inv, enum pr_eyes_file file, const char **why);
/* The root of dockerd's mount namespace, opened; -1 and *why (static). */
int inv_root(struct pr_inventory *inv, const char **why);
/* The mark of a local volume's making; empty if it cannot be told. */
struct pr_str volume_mark(
    struct pr_inventory *inv, struct pr_arena *a, struct pr_str mountpoint);

/* ---- lists.c ---- */

/* Reads what both answers say into info->daemon; nobody else has it yet. */
void daemon_facts_read(struct answer *info, const struct pr_json *version);

struct pr_list_ref {
	atomic_uint refs;
	struct answer *answer;
	struct pr_listed *items;
	size_t n;
	uint64_t started; /* how many lists had been asked for, with this */
	uint64_t generation, volume_generation, ledger_generation, born;
	/* host paths that containers and volumes have mounted; shared.c */
	struct shared_mounts *mounts;
};
void shared_mounts_free(struct shared_mounts *m);

#endif /* INVENTORY_LOCAL_H */
