/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dockerd knows: objects by the names that requests give them, asked of
 * the daemon over its socket, cached while its event stream says that nothing
 * has changed; and what host paths really are.
 *
 * It never guesses: an answer that is late, odd, or about something else
 * gives PR_PRESENCE_UNKNOWN with the reason in `why`.  It never changes
 * anything: every call to the daemon is a GET from an allow-list, with a
 * nonce (nonce.h), because dockerd asks the plugin about it.
 *
 * Functions that may wait say so and take a deadline (pr_clock_now() time);
 * the others never do.  Everything may be called from any thread.
 */
#ifndef PR_INVENTORY_H
#define PR_INVENTORY_H

#include <sys/types.h>

#include <portreeve/arena.h>
#include <portreeve/assertion.h>
#include <portreeve/err.h>
#include <portreeve/facts.h>
#include <portreeve/ledger.h>
#include <portreeve/nonce.h>

struct pr_inventory; /* opaque */

/* What happened to a container, as far as somebody outside counts it. */
enum pr_container_event {
	PR_CONTAINER_MADE = 0,
	PR_CONTAINER_GONE,
	PR_CONTAINER_CHANGED, /* its limits */
	PR_CONTAINER_RUNS,    /* started, unpaused */
	PR_CONTAINER_STOPS,   /* died, paused */
	/* without id: the event stream is away; it is back, or an event was
	 * not understood */
	PR_CONTAINER_UNSEEN,
	PR_CONTAINER_MISSED,
};

struct pr_inventory_config {
	const char *socket; /* dockerd's; NULL: /var/run/docker.sock */
	/* more protected places (semantics 5.10): policy, ledger, audit
	 * directory, keys, admin socket; copied */
	const char *const *protect;
	size_t n_protect;
	/* signs look-ups for the plugin of another process, instead of a nonce
	 * for our own; NULL: the nonce.  Must outlive the inventory. */
	struct pr_asserter *asserter;
	unsigned max_lookups; /* at the same time; 0: 64 */
	size_t cache_bytes;   /* 0: 4 MiB */
	uint64_t max_age;     /* ns; of a cached answer; 0: 5 s */
	/* called by the inventory's thread, in order; must not wait; may be
	 * NULL */
	void (*watch)(
	    void *arg, enum pr_container_event what, struct pr_str id);
	void *watch_arg;
};

/*
 * Starts the thread that follows the daemon's events; the daemon need not be
 * there yet.  `ledger` may be NULL (nothing is in it) and must outlive the
 * inventory.  Close with pr_inventory_close, when nobody is inside any more.
 */
struct pr_inventory *pr_inventory_open(const struct pr_inventory_config *config,
    struct pr_ledger *ledger, struct pr_err **err) PR_NODISCARD;
/* Ends every look-up, those to come too; before threads that make them. */
void pr_inventory_stop(struct pr_inventory *inv);  /* NULL is fine */
void pr_inventory_close(struct pr_inventory *inv); /* NULL is fine */

/* The registry that the plugin asks about PR_LOOKUP_HEADER; of the inventory. */
struct pr_nonces *pr_inventory_nonces(struct pr_inventory *inv);

/* ---- objects ---- */

struct pr_object_ref; /* opaque: a counted reference to an immutable object */

/* The object; valid as long as the reference is held. */
const struct pr_object *pr_object_of(const struct pr_object_ref *r);
struct pr_object_ref *pr_object_ref(struct pr_object_ref *r);
void pr_object_unref(struct pr_object_ref *r);   /* NULL is fine */
void pr_object_unrefp(struct pr_object_ref **r); /* for PR_CLEANUP */

/*
 * The object that the daemon would find for `ref` (decoded, as in the path or
 * body).  May wait until `deadline`.  Never NULL; caller unrefs.
 */
struct pr_object_ref *pr_inventory_get(struct pr_inventory *inv,
    enum pr_kind kind, struct pr_str ref, uint64_t deadline) PR_NODISCARD;
/* The same if it is cached and surely still right, else NULL; never waits. */
struct pr_object_ref *pr_inventory_peek(struct pr_inventory *inv,
    enum pr_kind kind, struct pr_str ref) PR_NODISCARD;

/*
 * An allowed request that may change objects of this kind is on its way: call
 * _begin when AuthZReq allows it and _end at its AuthZRes.  In between names
 * of that kind are looked up anew each time; both make what was cached of the
 * kind stale.  `expires` ends it if no AuthZRes comes (0: 60 s from now).
 * _end takes the token once; a token that is unknown or expired is ignored.
 */
uint64_t pr_inventory_mutating_begin(
    struct pr_inventory *inv, enum pr_kind kind, uint64_t expires);
/*
 * The same for a request that only makes an object, and so gives a name: what
 * is known by full id stays right.
 */
uint64_t pr_inventory_naming_begin(
    struct pr_inventory *inv, enum pr_kind kind, uint64_t expires);
void pr_inventory_mutating_end(struct pr_inventory *inv, uint64_t token);

/* ---- lists ---- */

struct pr_listed { /* a container of the list */
	struct pr_str id;
	struct pr_str name; /* without the slash */
	struct pr_str image_id;
	struct pr_str state;          /* "running", "created", ... */
	const struct pr_json *labels; /* a map, or NULL */
	const struct pr_json *mounts; /* an array, or NULL */
	bool in_ledger;
	struct pr_ledger_owner owner;
};

struct pr_list_ref; /* opaque, counted */

/*
 * All containers, running or not.  May wait.  NULL: cannot tell, *why says
 * so (static).  Caller unrefs.
 */
struct pr_list_ref *pr_inventory_list_containers(
    struct pr_inventory *inv, uint64_t deadline, const char **why) PR_NODISCARD;
const struct pr_listed *pr_list_items(const struct pr_list_ref *l, size_t *n);
void pr_list_unref(struct pr_list_ref *l); /* NULL is fine */

/* ---- the daemon itself ---- */

struct pr_daemon_facts {           /* empty strings: not known */
	struct pr_str engine;      /* "20.10.24+dfsg1" */
	struct pr_str api_version; /* "1.41" */
	struct pr_str min_api_version;
	struct pr_str name;
	struct pr_str root_dir;
	struct pr_str default_runtime;
	struct pr_str default_log_driver;
	struct pr_str cgroup_driver, cgroup_version;
	struct pr_str
	    default_cgroup_parent; /* never told by the daemon: empty */
	const struct pr_str *security_options;
	size_t n_security_options;
	const struct pr_str *runtimes; /* configured names */
	size_t n_runtimes;
	/* it listens on TCP and asks callers for no certificate */
	bool plain_tcp;
	bool swarm;          /* this node is part of one */
	int64_t swarm_nodes; /* of a swarm that it manages; 0: not known */
};

/* Copied into the arena; never waits.  False: the daemon was not seen yet. */
bool pr_inventory_daemon(
    struct pr_inventory *inv, struct pr_arena *a, struct pr_daemon_facts *out);

/*
 * Does dockerd listen on TCP without asking callers for a certificate?  Never
 * waits.  CANNOT_TELL: it was not asked since it last went away.
 */
enum pr_tri pr_inventory_plain_tcp(struct pr_inventory *inv);

/* ---- host paths (semantics 5.10) ---- */

/*
 * Paths are resolved for dockerd: the process that listens on the docker
 * socket.  Where that is the service manager (socket activation) it is the
 * process that called the plugin last, which the plugin says here
 * (SO_PEERCRED).
 */
void pr_inventory_daemon_pid(struct pr_inventory *inv, pid_t pid);

/*
 * A bind source as dockerd sees it.  `path` is absolute and cleaned lexically;
 * `except` is the id of the container whose own mounts do not count for
 * shared trees (empty: a new container).  May wait for the container list.
 * *out is wholly written; its strings live in the arena.
 */
void pr_inventory_path(struct pr_inventory *inv, struct pr_arena *a,
    struct pr_str path, bool writes, struct pr_str except, uint64_t deadline,
    struct pr_path_fact *out);

/* ---- health ---- */

struct pr_inventory_stats {
	bool events; /* the event stream stands: caching is on */
	uint64_t lookups, hits, shared, failed, refused;
	uint64_t reconnects;
	unsigned in_flight;
	size_t cached, cached_bytes;
};
void pr_inventory_stats(
    struct pr_inventory *inv, struct pr_inventory_stats *out);

#endif /* PR_INVENTORY_H */
