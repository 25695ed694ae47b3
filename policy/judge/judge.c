/* SPDX-License-Identifier: Apache-2.0 */
/* What a judge consists of: opened, swapped at a reload, closed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>
#include <portreeve/directory.h>
#include <portreeve/file.h>
#include <portreeve/log.h>
#include <portreeve/policytest.h>

#include "local.h"

#define COUNT_TIME (30 * PR_SEC)

struct snapshot *
judge_snapshot(struct pr_judge *j)
{
	struct snapshot *s;

	pthread_mutex_lock(&j->lock);
	s = snapshot_ref(j->snapshot);
	pthread_mutex_unlock(&j->lock);
	return s;
}

uint64_t
pr_judge_policy_number(struct pr_judge *j)
{
	char hash[65], bits[13] = "";

	pr_judge_policy_hash(j, hash);
	memcpy(bits, hash, sizeof bits - 1);
	return strtoull(bits, NULL, 16);
}

uint64_t
pr_judge_policy_serial(struct pr_judge *j)
{
	struct snapshot *s = judge_snapshot(j);
	uint64_t serial = s->policy->signature.serial;

	snapshot_unref(s);
	return serial;
}

void
pr_judge_policy_hash(struct pr_judge *j, char buf[65])
{
	struct snapshot *s = judge_snapshot(j);

	memcpy(buf, s->policy->hash, 65);
	snapshot_unref(s);
}

struct pr_asserter *
pr_judge_asserter(struct pr_judge *j)
{
	return j->asserter;
}

struct pr_inventory *
pr_judge_inventory(struct pr_judge *j)
{
	return j->inventory;
}

/* Compiled rules with their deny list, or NULL. */
static struct pr_identity *
open_identity(const struct pr_config *config, struct pr_diags *ds)
{
	struct pr_identity *id =
	    pr_identity_compile(config->identity, config->n_identity, ds);

	if (id != NULL && config->identity_deny != NULL &&
	    pr_identity_deny_file(id, config->identity_deny, ds) < 0) {
		pr_identity_unref(id);
		return NULL;
	}
	return id;
}

static bool
is_named(const struct pr_policy *p, struct pr_str key)
{
	for (size_t i = 0; i < p->n_grants; i++) {
		const struct pr_strs *via = &p->grants[i].promoted_via;

		for (size_t k = 0; k < via->n; k++) {
			if (pr_str_eq(via->v[k], key))
				return true;
		}
	}
	return false;
}

/* Lines that no grant would ever look at: a key was changed, or mistyped. */
static void
warn_of_strangers(const struct pr_policy *p, const struct pr_promotions *lines,
    struct pr_diags *ds)
{
	struct pr_promotion line;
	struct pr_loc loc;

	for (size_t i = 0; pr_promotions_get(lines, i, &line, &loc); i++) {
		if (!is_named(p, line.key))
			pr_diags_add(ds, PR_WARNING, loc,
			    "add it to promoted_from.via, or take the line "
			    "away",
			    "no grant takes the word of %.*s",
			    PR_STRF(line.key));
	}
}

/* What is in force is not taken back by a signature of yesterday. */
static bool
is_older(const struct pr_policy *p, uint64_t oldest,
    const struct pr_config *config, struct pr_diags *ds)
{
	if (p->signature.serial >= oldest)
		return false;
	pr_diags_add(ds, PR_ERROR, config->policy_loc,
	    "sign it again with a serial that is not lower",
	    "the policy's serial %" PRIu64 " is older than %" PRIu64
	    ", which is in force",
	    p->signature.serial, oldest);
	return true;
}

static struct snapshot *
open_snapshot(
    const struct pr_config *config, uint64_t oldest, struct pr_diags *ds)
{
	struct pr_policy *policy = pr_policy_load_signed(
	    config->policy, &config->policy_signature, ds);
	struct pr_promotions *promotions = NULL;

	if (policy == NULL)
		return NULL;
	if (is_older(policy, oldest, config, ds)) {
		pr_policy_unref(policy);
		return NULL;
	}
	/* a policy that fails its own tests is as good as broken */
	if (pr_policy_tests_run(policy, ds) > 0) {
		pr_policy_unref(policy);
		return NULL;
	}
	if (config->promotions != NULL) {
		promotions = pr_promotions_load(config->promotions, ds);
		if (promotions == NULL) {
			pr_policy_unref(policy);
			return NULL;
		}
		warn_of_strangers(policy, promotions, ds);
	}
	return snapshot_new(policy, promotions, config, ds);
}

static void
watch_containers(void *arg, enum pr_container_event what, struct pr_str id)
{
	struct pr_judge *j = arg;

	usage_event(j->usage, what, id);
	runs_watch_event(j->runs, what, id);
}

/* As the decision sees it (semantics 2.5). */
static bool
phase_of_container(
    void *arg, const struct pr_object *o, char phase[PR_LEDGER_NAME + 1])
{
	struct pr_judge *j = arg;
	struct snapshot *s = judge_snapshot(j);
	struct pr_str name = {NULL, 0};
	const struct pr_json *v;

	if (s->served != 0 && (s->served & (s->served - 1)) == 0) {
		name = s->policy->phases[__builtin_ctzll(s->served)].name;
	} else if (o->in_ledger) {
		name = o->ledger_phase;
	} else if (o->labels != NULL && s->policy->label_phase.n > 0) {
		v = pr_json_get(o->labels, s->policy->label_phase);
		if (v != NULL && v->type == PR_JSON_STRING &&
		    pr_policy_phase(s->policy, v->str) >= 0)
			name = v->str;
	}
	if (name.n > 0 && name.n <= PR_LEDGER_NAME) {
		memcpy(phase, name.p, name.n);
		phase[name.n] = '\0';
	}
	snapshot_unref(s);
	return name.n > 0 && name.n <= PR_LEDGER_NAME;
}

/* Quotas are counted before somebody waits for it. */
static void
count_again(void *arg)
{
	struct pr_judge *j = arg;
	struct snapshot *s = judge_snapshot(j);
	struct usage_view v = {.usage = j->usage,
	    .inventory = j->inventory,
	    .ledger = j->ledger,
	    .policy = s->policy,
	    .served = s->served,
	    .amounts = true};

	if (s->policy->n_quotas > 0)
		(void)usage_prepare(&v, true, pr_clock_now() + COUNT_TIME);
	snapshot_unref(s);
}

static int
open_world(struct pr_judge *j, struct pr_err **err)
{
	const struct pr_config *c = j->config;
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(1024);
	struct pr_inventory_config config = {.socket = c->daemon.socket};
	const struct pr_config_file *files;
	const char **protect;
	struct runs_source source = {
	    .phase = phase_of_container, .missed = count_again, .arg = j};

	files = pr_config_files(c, a, &config.n_protect);
	protect = pr_arena_array(a, config.n_protect, sizeof(char *));
	for (size_t i = 0; i < config.n_protect; i++)
		protect[i] = files[i].path;
	config.protect = protect;
	config.watch = watch_containers;
	config.watch_arg = j;
	if (c->proxy.assertion_key != NULL) {
		j->asserter = pr_asserter_open(c->proxy.assertion_key, err);
		if (j->asserter == NULL)
			return -1;
	}
	/* the plugin's own look-ups come back to itself */
	config.asserter = j->door == PR_DOOR_PROXY ? j->asserter : NULL;
	j->ledger = pr_ledger_open(c->ledger, err);
	if (j->ledger == NULL)
		return -1;
	j->inventory = pr_inventory_open(&config, j->ledger, err);
	if (j->inventory == NULL)
		return -1;
	source.inventory = j->inventory;
	source.ledger = j->ledger;
	return runs_watch_start(j->runs, &source, err);
}

struct pr_judge *
pr_judge_open(const struct pr_config *config, enum pr_door door,
    struct pr_diags *ds, struct pr_err **err)
{
	struct pr_judge *j = pr_xcalloc(1, sizeof *j);
	struct pr_identity *id;

	j->config = config;
	j->door = door;
	pthread_mutex_init(&j->lock, NULL);
	j->pending = pending_new();
	j->usage = usage_new();
	j->runs = runs_watch_new();
	/* every mistake of every file in one run */
	j->snapshot = open_snapshot(config, 0, ds);
	id = open_identity(config, ds);
	if (id != NULL)
		j->identities = pr_identity_cache_new(id, 1024);
	pr_identity_unref(id);
	if (config->directory.type != PR_DIRECTORY_UNSET &&
	    pr_directory_check(&config->directory, ds))
		j->directory = pr_directory_open(&config->directory, ds);
	if (j->snapshot == NULL || j->identities == NULL ||
	    pr_diags_count(ds, PR_ERROR) > 0 || open_world(j, err) < 0) {
		pr_judge_close(j);
		return NULL;
	}
	return j;
}

void
pr_judge_close(struct pr_judge *j)
{
	if (j == NULL)
		return;
	pr_inventory_stop(j->inventory);
	runs_watch_stop(j->runs);
	pr_inventory_close(j->inventory);
	pr_ledger_close(j->ledger);
	pr_asserter_close(j->asserter);
	snapshot_unref(j->snapshot);
	pr_identity_cache_free(j->identities);
	pr_directory_close(j->directory);
	pending_free(j->pending);
	usage_free(j->usage);
	runs_watch_free(j->runs);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

/* As at the start: what others may change is not taken. */
static void
check_owners(struct pr_judge *j, struct pr_diags *ds)
{
	struct pr_file_fault fault;

	if (judge_trust(j->config,
		j->door == PR_DOOR_PROXY ? PR_PROXY : PR_PLUGIN, &fault) != 0)
		pr_diags_add(ds, PR_ERROR, (struct pr_loc){0}, fault.mend, "%s",
		    fault.text);
}

int
pr_judge_reload(struct pr_judge *j, struct pr_diags *ds)
{
	struct snapshot *old = judge_snapshot(j);
	struct snapshot *fresh =
	    open_snapshot(j->config, old->policy->signature.serial, ds);
	struct pr_identity *id = open_identity(j->config, ds);

	snapshot_unref(old);
	check_owners(j, ds);
	if (fresh == NULL || id == NULL || pr_diags_count(ds, PR_ERROR) > 0 ||
	    (j->directory != NULL &&
		pr_directory_reload(j->directory, ds) < 0)) {
		snapshot_unref(fresh);
		pr_identity_unref(id);
		return -1;
	}
	pr_identity_cache_reload(j->identities, id);
	pr_identity_unref(id);
	pthread_mutex_lock(&j->lock);
	old = j->snapshot;
	j->snapshot = fresh;
	pthread_mutex_unlock(&j->lock);
	snapshot_unref(old);
	return 0;
}

bool
pr_judge_directory_ready(struct pr_judge *j, struct pr_buf *why)
{
	return j->directory == NULL || pr_directory_ready(j->directory, why);
}

/* A membership for the subject; 0, 1: would wait, -1: *why. */
static int
look_up_groups(struct pr_judge *j, const struct snapshot *s,
    const struct pr_subject *subject, bool may_wait, bool again,
    uint64_t deadline, const struct pr_membership **m, char *why, size_t len)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_directory_answer answer = {0};
	int rc;

	*m = NULL;
	/* root is nobody of the directory (semantics 1.1) */
	if (j->directory == NULL || subject->how == PR_SUBJECT_ANONYMOUS ||
	    (subject->has_uid && subject->uid == 0))
		return 0;
	if (again) {
		rc = pr_directory_refresh(j->directory, subject->name,
		    subject->search, deadline, &answer, &err);
		*m = rc == 0 ? answer.m : NULL;
		return rc == 0 ? 0 : 1;
	}
	*m = pr_directory_peek(j->directory, subject->name, subject->search);
	if (*m != NULL)
		return 0;
	if (!may_wait)
		return 1;
	rc = pr_directory_lookup(j->directory, subject->name, subject->search,
	    s->stale_ok, deadline, &answer, &err);
	if (rc < 0) {
		snprintf(why, len, "%s", pr_err_text(err));
		return -1;
	}
	*m = answer.m;
	return 0;
}

struct teams *
judge_teams(struct pr_judge *j, struct snapshot *s,
    const struct pr_subject *subject, bool may_wait, bool again,
    uint64_t deadline, enum pr_reason *reason, char *why, size_t len)
{
	PR_CLEANUP(pr_membership_unrefp) const struct pr_membership *m = NULL;

	*reason = PR_REASON_NONE;
	switch (look_up_groups(
	    j, s, subject, may_wait, again, deadline, &m, why, len)) {
	case 0:
		return teams_of(s, subject, m);
	case 1:
		return NULL;
	default:
		*reason = PR_REASON_DIRECTORY;
		return NULL;
	}
}
