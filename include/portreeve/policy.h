/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy, read, checked and compiled: a snapshot.  It is immutable after
 * load, lives in one arena, is reference-counted and swapped whole.  What it
 * means is docs/semantics.md.
 *
 * Names are compiled to indexes; sets of phases to bit masks; sets of actions
 * to pr_opset.  Every part keeps the place where it was written.
 */
#ifndef PR_POLICY_H
#define PR_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/api.h>
#include <portreeve/arena.h>
#include <portreeve/audit.h>
#include <portreeve/buf.h>
#include <portreeve/diag.h>
#include <portreeve/policy_signature.h>
#include <portreeve/str.h>

#define PR_MAX_PHASES 64

/* A set of phases: bit i is phases[i]. */
typedef uint64_t pr_phase_mask;

struct pr_strs { /* a list as it was written */
	const struct pr_str *v;
	size_t n;
};

struct pr_cert_pattern {
	struct pr_str
	    pattern; /* on a SAN URI/e-mail/DNS or the subject DN; glob, '*' stops at '/' */
	struct pr_str issuer; /* DN text, or empty: any */
};

struct pr_team {
	struct pr_str name;
	struct pr_loc loc;
	struct pr_strs ldap; /* group DNs, glob on a value */
	const struct pr_cert_pattern *cert;
	size_t n_cert;
	bool anonymous;
	int acts_for; /* index of a team, or -1 */
	struct pr_str contact;
	const struct pr_cert_pattern *require; /* second factor */
	size_t n_require;
};

/* A half-open window of a week in local time of `zone`: minutes since Monday 00:00. */
struct pr_window {
	unsigned begin,
	    end; /* begin > end: wraps over the week's end; never equal */
	struct pr_str zone;       /* "Europe/Berlin" */
	const struct pr_zone *tz; /* the zone's rules, read at load (tz.c) */
};

struct pr_phase {
	struct pr_str name;
	struct pr_loc loc;
	bool complain;
	enum pr_audit_level audit;
	const struct pr_window *freeze;
	size_t n_freeze;
	struct pr_opset
	    freeze_allow; /* default: container stop, kill, restart */
	const unsigned *freeze_except; /* teams */
	size_t n_freeze_except;
	uint64_t
	    directory_stale_ok; /* ns; UINT64_MAX: as the configuration says */
};

struct pr_host {
	struct pr_str pattern;
	struct pr_loc loc;
	pr_phase_mask phases;
};

struct pr_role {
	struct pr_str name;
	struct pr_loc loc;
	int extends;
	struct pr_opset allow, deny; /* united with those of the parents */
	struct pr_opset own_allow, own_deny; /* what is written here */
};

enum pr_leaf_type {
	PR_LEAF_BOOL = 0,
	PR_LEAF_WORD,         /* one of the words that the key's text names */
	PR_LEAF_LIST,         /* strings, mostly patterns */
	PR_LEAF_BOOL_OR_LIST, /* list given: b is true */
	PR_LEAF_ANY_OR_LIST,  /* "any": b is true and the list empty */
	PR_LEAF_RANGE,
	PR_LEAF_RANGES,   /* name: range */
	PR_LEAF_PORTS,    /* "1024-65535": lo, hi */
	PR_LEAF_REQUESTS, /* list of {driver, capabilities, count} */
};

/* "A..B", "A..B?", one end open; sizes in bytes, cpus in 1e-9. */
struct pr_range {
	struct pr_str name; /* of an ulimit */
	struct pr_str text; /* as written */
	bool has_lo, has_hi, optional;
	int64_t lo, hi;
	struct pr_loc loc;
};

struct pr_device_request {
	struct pr_str driver; /* pattern; empty: must be unset */
	struct pr_strs
	    capabilities; /* patterns, all of the request's must match one */
	int64_t count;    /* at most; -1: all */
};

struct pr_leaf {
	bool given; /* false: the value is that of the table, or no demand */
	bool made;  /* false: a demand that is not made */
	struct pr_loc loc;     /* where it is written; line 0: default */
	struct pr_str profile; /* the profile that wrote it */
	bool b;
	struct pr_str word;
	struct pr_strs list;
	/* RANGE, PORTS: one; ports "none": one with lo > hi */
	const struct pr_range *ranges;
	size_t n_ranges;
	size_t n_own_ranges; /* RANGES: written here, the parents' follow */
	const struct pr_device_request *requests;
	size_t n_requests;
};

enum pr_profile_key {
#define PROFILE_KEY(id, ...) PR_KEY_##id,
#include <portreeve/profile_keys.def>
#undef PROFILE_KEY
	PR_KEY_COUNT
};

struct pr_profile_key_info {
	const char *path; /* "mounts.bind" */
	enum pr_leaf_type type;
	bool soft;
	const char *absent;
	const char *bodies; /* letters of PR_SPEC_BODIES (spec.h) */
	const char *text;
};
const struct pr_profile_key_info *pr_profile_key(enum pr_profile_key key);

struct pr_profile {
	struct pr_str name;
	struct pr_loc loc;
	int extends; /* index, or -1 */
	bool
	    unrestricted; /* the built-in one: allows all but the built-in guards */
	struct pr_leaf leaf[PR_KEY_COUNT]; /* parents merged in */
	/* defaults: of the proxy (5.4), "memory=512MiB"; parents merged in */
	struct pr_strs defaults;
	struct pr_strs own_defaults; /* what is written here */
};

enum pr_owner_scope {
	PR_OWNER_OWN = 0,
	PR_OWNER_ANY,
	PR_OWNER_TEAMS
};

struct pr_grant {
	struct pr_str id;
	struct pr_loc loc;
	int team; /* index, or -1 for "*" */
	unsigned role;
	pr_phase_mask phases; /* of the policy's phases; all_phases: "*" */
	bool all_phases;
	enum pr_owner_scope owner;
	const unsigned *owner_teams;
	size_t n_owner_teams;
	int profile; /* index in profiles, or -1 */
	bool stored_specs_any;
	int promoted_phase;        /* index, or -1 */
	uint64_t promoted_runtime; /* ns */
	struct pr_strs promoted_via;
};

struct pr_guard {
	struct pr_str id;
	struct pr_loc loc;
	struct pr_opset deny;
	pr_phase_mask phases;
	bool all_phases;
	const unsigned *except; /* teams */
	size_t n_except;
	struct pr_str message;
};

struct pr_response {
	struct pr_str id;
	struct pr_loc loc;
	struct pr_opset on;
	bool keep_own_team; /* keep: own-team */
	struct pr_strs redact;
	const unsigned *except;
	size_t n_except;
};

struct pr_quota {
	struct pr_loc loc;
	int team; /* -1: each team */
	pr_phase_mask phases;
	bool all_phases;
	int64_t containers, memory, cpus,
	    ports; /* -1: not limited; cpus in 1e-9 */
};

struct pr_given { /* a resource that a test assumes */
	struct pr_str name;
	enum pr_kind kind;         /* container unless said */
	struct pr_str team, phase; /* empty: none */
	bool absent;
};

struct pr_policy_test {
	struct pr_loc loc;
	struct pr_str as; /* "alice@payments+ops" */
	struct pr_str host, door, at;
	int64_t when;                       /* `at` as wall time, ns; 0: now */
	struct pr_str command;              /* do: */
	struct pr_str method, target, body; /* request: */
	const struct pr_given *given;
	size_t n_given;
	bool expect_allow;
	bool expect_would_deny;
	struct pr_str by; /* or empty */
};

struct pr_policy {
	struct pr_arena *arena;
	_Atomic unsigned refs;
	char hash[65]; /* SHA-256 hex of pr_policy_print's canonical form */
	/* where one was asked for; else the key is empty */
	struct pr_policy_signature signature;
	struct pr_str label_team, label_phase; /* label keys; empty: none */

	/* teams, phases, hosts, roles, profiles: sorted by name */
	struct pr_team *teams;
	size_t n_teams;
	struct pr_phase *phases;
	size_t n_phases;
	struct pr_host *hosts;
	size_t n_hosts;
	struct pr_role *roles;
	size_t n_roles;
	struct pr_profile *profiles;
	size_t n_profiles; /* but [0]: "unrestricted" */
	struct pr_grant *grants;
	size_t n_grants; /* sorted by id */
	struct pr_guard *guards;
	size_t n_guards; /* sorted by id */
	struct pr_response *responses;
	size_t n_responses;
	struct pr_quota *quotas;
	size_t n_quotas;
	struct pr_policy_test *tests;
	size_t n_tests;
	pr_phase_mask cluster_phases;

	/* grants_of[t]: indexes of the grants of team t, in order of id;
	 * grants_of[n_teams]: those of "*". */
	struct {
		const unsigned *v;
		size_t n;
	} * grants_of;

	struct pr_group_index *groups; /* of pr_policy_teams_of_group */
};

/*
 * Reads one file, or the *.yaml and *.yml of a folder in order of name,
 * merged by name; checks everything; reports every mistake into ds.  Returns
 * a snapshot with one reference, or NULL if there was an error.
 */
struct pr_policy *pr_policy_load(
    const char *path, struct pr_diags *ds) PR_NODISCARD;
/* The same, if it is signed as they want it; unsigned ones are not parsed. */
struct pr_policy *pr_policy_load_signed(const char *path,
    const struct pr_policy_signers *s, struct pr_diags *ds) PR_NODISCARD;
/* The same from a text (tests, fuzzers); `name` stands for the file. */
struct pr_policy *pr_policy_parse(
    const char *name, struct pr_str text, struct pr_diags *ds) PR_NODISCARD;
struct pr_policy *pr_policy_ref(struct pr_policy *p);
void pr_policy_unref(struct pr_policy *p);
void pr_policy_unrefp(struct pr_policy **p); /* for PR_CLEANUP */

/*
 * The policy as canonical YAML: reading it again gives the same policy.
 * Comments are not kept.
 */
void pr_policy_print(const struct pr_policy *p, struct pr_buf *out);

/* The JSON Schema of a policy file, for editors; made from the tables. */
void pr_policy_schema(struct pr_buf *out);

/* Index by name, or -1. */
int pr_policy_team(const struct pr_policy *p, struct pr_str name);
int pr_policy_phase(const struct pr_policy *p, struct pr_str name);
int pr_policy_role(const struct pr_policy *p, struct pr_str name);
int pr_policy_profile(const struct pr_policy *p, struct pr_str name);
int pr_policy_grant(const struct pr_policy *p, struct pr_str id);
/*
 * The phases that a host serves (semantics 3.12), 0 if none does; ties were
 * refused at load.
 */
pr_phase_mask pr_policy_host(const struct pr_policy *p, struct pr_str host);
/* True if the wall time lies in one of the phase's freeze windows. */
bool pr_phase_frozen(const struct pr_phase *phase, int64_t wall);

/*
 * Index of a team's patterns on group DNs, so that 10,000 teams cost no more
 * than one: calls hit(arg, team) for each team whose `ldap` patterns match
 * the group.  DNs are compared as DNs (case of types and values ignored,
 * blanks around ',' and '=' dropped): pass them through pr_dn_normal first.
 */
void pr_policy_teams_of_group(const struct pr_policy *p, struct pr_str dn,
    void (*hit)(void *arg, unsigned team), void *arg);
/*
 * A DN in comparable form (RFC 4514, lower case, no blanks), in the arena;
 * p == NULL if it is none.
 */
struct pr_str pr_dn_normal(struct pr_arena *a, struct pr_str dn);

#endif /* PR_POLICY_H */
