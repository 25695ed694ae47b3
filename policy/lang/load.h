/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One load of a policy: files -> nodes -> entries of each section -> the
 * snapshot.  Internal to policy/lang.
 *
 *     yaml.c      text to nodes            schema.c   nodes by tables
 *     tables.c    the tables               load.c     files, sections, names
 *     compile.c   teams ... tests          profile.c  profiles
 *     check.c     warnings                 print.c    the canonical form
 */
#ifndef LANG_LOAD_H
#define LANG_LOAD_H

#include <portreeve/policy.h>

#include "schema.h"
#include "value.h"

/* Sections whose elements have names, or stand in lists. */
enum section {
	SEC_TEAMS,
	SEC_HOSTS,
	SEC_PHASES,
	SEC_ROLES,
	SEC_PROFILES,
	SEC_GRANTS,
	SEC_GUARDS,
	SEC_RESPONSES,
	SEC_QUOTAS,
	SEC_TESTS,
	SEC_COUNT
};

struct entry {
	const struct ynode *key; /* of a map, or the list's element itself */
	const struct ynode *value;
	struct pr_str name; /* key, or id */
	size_t order;       /* in which it was read */
};

struct entries {
	struct entry *v; /* malloc'ed */
	size_t n, cap;
};

struct load {
	struct lang l;
	struct pr_policy *p;
	struct entries sec[SEC_COUNT];
	const struct ynode *version, *labels, *cluster_phases;
	struct { /* zones read so far, by name */
		struct pr_str name;
		const struct pr_zone *tz;
	} zones[16];
	size_t n_zones;
};

/* What the tables read into. */
struct raw_top {
	const struct ynode *version, *labels, *cluster_phases;
	const struct ynode *sec[SEC_COUNT];
};
struct raw_labels {
	const struct ynode *team, *phase;
};
struct raw_team {
	const struct ynode *ldap, *cert, *issuer, *anonymous, *acts_for;
	const struct ynode *contact, *require;
};
struct raw_require {
	const struct ynode *cert, *issuer;
};
struct raw_phase {
	const struct ynode *mode, *audit, *freeze, *stale_ok;
};
struct raw_freeze {
	const struct ynode *windows, *except, *allow;
};
struct raw_role {
	const struct ynode *extends, *allow, *deny;
};
struct raw_profile {
	const struct ynode *extends, *defaults;
};
struct raw_defaults {
	const struct ynode *v[5]; /* by load_defaults_table */
};
struct raw_grant {
	const struct ynode *id, *team, *role, *phases, *profile, *owner;
	const struct ynode *stored_specs, *promoted_from;
};
struct raw_promoted {
	const struct ynode *phase, *min_runtime, *via;
};
struct raw_guard {
	const struct ynode *id, *deny, *phases, *except, *message;
};
struct raw_response {
	const struct ynode *id, *on, *keep, *redact, *except;
};
struct raw_quota {
	const struct ynode *team, *phases, *containers, *memory, *cpus, *ports;
};
struct raw_test {
	const struct ynode *as, *command, *request, *given, *host, *door, *at;
	const struct ynode *expect, *by;
};
struct raw_request {
	const struct ynode *method, *target, *body;
};
struct raw_given {
	const struct ynode *kind, *team, *phase, *absent;
};

extern const struct table top_table, labels_table, team_table, require_table,
    phase_table, freeze_table, role_table, profile_table, defaults_table,
    grant_table, promoted_table, guard_table, response_table, quota_table,
    test_table, request_table, given_table;

/* Index of a name in a section that is compiled, or -1. */
int load_find(const struct pr_policy *p, enum section s, struct pr_str name);
/* The same for a scalar of the policy; -1 is reported with did-you-mean.
 * NULL, which is reported already, gives -1. */
int load_ref(struct load *ld, enum section s, const struct ynode *n);
/*
 * The order of n things in which parents come before children; extends[i] is
 * -1 or an index.  A cycle is reported with its chain, and cut.
 */
unsigned *load_extends_order(
    struct load *ld, enum section s, int *extends, size_t n);

void load_teams(struct load *ld);
void load_hosts(struct load *ld);
void load_phases(struct load *ld);
void load_freeze_excepts(struct load *ld); /* after teams */
void load_roles(struct load *ld);
void load_profiles(struct load *ld); /* profile.c */
void load_grants(struct load *ld);
void load_guards(struct load *ld);
void load_responses(struct load *ld);
void load_quotas(struct load *ld);
void load_tests(struct load *ld);
void load_top(struct load *ld); /* version, labels, cluster_phases */

/* Sets of verbs. */
struct pr_opset load_verbs(struct load *ld, const struct ynode *map);
pr_phase_mask load_phase_mask(
    struct load *ld, const struct ynode *list, bool *all);

/* Warnings about a policy without errors: check.c. */
void load_check(struct load *ld);
/* Where a profile loosens what it extends: profile_order.c. */
void load_check_looser(struct load *ld, const struct pr_profile *child,
    const struct pr_profile *parent);

/* Of pr_policy_teams_of_group: groups.c. */
struct pr_group_index *group_index_new(struct pr_arena *a, size_t n_patterns);
void group_index_add(struct pr_arena *a, struct pr_group_index *g,
    struct pr_str pattern, unsigned team);

/* What a policy that does not say gets: stop, kill, restart. */
struct pr_opset load_freeze_allow(void);

/* The words that a key's text names in its last parentheses, or NULL. */
const char *profile_key_words(struct lang *l, enum pr_profile_key key);
/* Keys whose absence is no demand (semantics 5.2). */
static inline bool
profile_key_is_demand(enum pr_profile_key key)
{
	return pr_profile_key(key)->absent[0] == '\0';
}

#endif /* LANG_LOAD_H */
