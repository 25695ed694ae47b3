/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known about an object of the daemon: data for the decision.  Made
 * by inventory, or by a test from nothing; eval only reads it.
 */
#ifndef PR_FACTS_H
#define PR_FACTS_H

#include <stdbool.h>

#include <portreeve/api.h>
#include <portreeve/json.h>
#include <portreeve/str.h>

enum pr_presence {
	PR_PRESENCE_UNKNOWN = 0, /* cannot tell; `why` says so */
	PR_ABSENT,
	PR_PRESENT,
};

/* How a reference names its object (semantics 6.3). */
enum pr_named_by {
	PR_BY_NOTHING = 0,
	PR_BY_ID, /* the full id */
	PR_BY_NAME,
	PR_BY_PREFIX, /* of the id, 12 digits or more */
};

struct pr_object {
	enum pr_kind kind;
	enum pr_presence presence;
	const char *why; /* UNKNOWN: one line */
	/* a reference that plugin mode refuses: short prefix, or a name of hex
	 * digits that also begins another object's id (semantics 6.3) */
	bool ambiguous;
	enum pr_named_by by;
	struct pr_str
	    id; /* full id; of a volume its name; of an image sha256:... */
	struct pr_str name; /* without a leading slash */
	/* mark of its making, opaque: what the ledger compares where names are
	 * used again (of a local volume from its directory: the daemon's own
	 * CreatedAt moves when files come and go) */
	struct pr_str created;

	/* ownership: the ledger beats the labels (semantics 2.2) */
	bool in_ledger;
	struct pr_str ledger_team, ledger_phase; /* empty: nobody's */
	const struct pr_json
	    *labels; /* the object's own labels (a map), or NULL */

	const struct pr_json *inspect; /* the daemon's answer, or NULL */

	/* container */
	struct pr_str image_id;
	bool running;
	/* exec: its container (id) and how it would run; task: its service */
	struct pr_str container;
	bool exec_privileged;
	struct pr_str exec_user;
	bool exec_running;
	/* volume */
	struct pr_str driver;          /* network too */
	const struct pr_json *options; /* driver options, a map, or NULL */
	/* network: bridge, host, none have no owner */
	bool builtin;
	/* image */
	const struct pr_json *repo_tags;    /* array of strings, or NULL */
	const struct pr_json *repo_digests; /* array of strings, or NULL */
	const struct pr_json *config;       /* Config of the image, or NULL */
};

/* A bind source as the host sees it (semantics 5.10). */
struct pr_path_fact {
	bool known; /* false: cannot tell; `why` says so */
	const char *why;
	struct pr_str
	    real; /* the deepest existing ancestor, resolved, plus what does not exist */
	bool exists;
	/* length of the longest prefix of the cleaned source, in bytes, whose
	 * every component is no symlink (the whole: no symlink at all) */
	size_t plain;
	/* length of the longest prefix of the cleaned source whose last
	 * component is a symlink; 0: there is none */
	size_t last_link;
	bool
	    is_protected; /* it, or what it resolves to, is protected or above something protected */
	struct pr_str protected_by; /* "/var/run/docker.sock" */
	/* another container or volume has a strict ancestor of it mounted
	 * read-write, or it would become one itself */
	bool shared;
	struct pr_str shared_with;
	bool shared_known;
};

#endif /* PR_FACTS_H */
