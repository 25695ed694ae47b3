/* SPDX-License-Identifier: Apache-2.0 */
/* The decision: each rule (decide_rows.h), and what holds for all. */
#include <string.h>

#include "decide_rows.h"

/* "allow grant g owner pay/dev", "deny profile g privileged" */
static const char *
words(struct kit *k, const struct pr_decision *d)
{
	const struct pr_policy *p = k->policy;
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	pr_buf_printf(&b, "%s %s",
	    d->verdict != PR_ALLOW ? "deny"
		: d->would_deny    ? "would-deny"
				   : "allow",
	    pr_reason_code(d->reason));
	if (d->guard >= 0)
		pr_buf_printf(&b, " %.*s", PR_STRF(p->guards[d->guard].id));
	if (d->grant >= 0)
		pr_buf_printf(&b, " %.*s", PR_STRF(p->grants[d->grant].id));
	if (d->key >= 0)
		pr_buf_printf(&b, " %s",
		    pr_profile_key((enum pr_profile_key)d->key)->path);
	if (d->verdict == PR_ALLOW && d->owner_team >= 0)
		pr_buf_printf(&b, " owner %.*s/%.*s",
		    PR_STRF(p->teams[d->owner_team].name),
		    PR_STRF(p->phases[d->owner_phase].name));
	return pr_arena_strdup(k->arena, pr_buf_view(&b));
}

START_TEST(decision)
{
	const struct row *r = &rows[_i];
	struct pr_decision d;
	PR_CLEANUP(pr_buf_fini) struct pr_buf yaml = PR_BUF_INIT;
	struct kit k;

	pr_buf_printf(&yaml, "%s%s%c", HEAD, r->rest, '\0');
	k = kit_new(yaml.p);
	k.host = r->host;
	kit_decide(&k, &r->ask, &d);
	ck_assert_msg(strcmp(words(&k, &d), r->says) == 0,
	    "%s%s\n%s %s %s\n     is %s (%s)\n wanted %s", r->rest, r->host,
	    r->ask.as != NULL ? r->ask.as : "alice@pay", r->ask.call,
	    r->ask.body != NULL ? r->ask.body : "", words(&k, &d), d.what,
	    r->says);
	ck_assert(d.verdict == PR_ALLOW || d.verdict == PR_DENY);
	/* a denial says why; an allow names what allows it */
	if (d.verdict == PR_DENY)
		ck_assert(d.what[0] != '\0' ||
		    d.reason == PR_REASON_UNKNOWN_OPERATION);
	else
		ck_assert(d.grant >= 0 || d.reason == PR_REASON_PING);
	kit_free(&k);
}
END_TEST

/* ---- what holds for every row ---- */

static struct pr_decision
decide_with(const struct row *r, const char *yaml, struct ask ask,
    enum kit_memory memory)
{
	struct kit k = kit_new(yaml);
	struct pr_decision d;

	k.host = r->host;
	k.memory = memory;
	kit_decide(&k, &ask, &d);
	kit_free(&k);
	return d;
}

static bool
same(const struct pr_decision *a, const struct pr_decision *b)
{
	return a->verdict == b->verdict && a->reason == b->reason &&
	    a->grant == b->grant && a->guard == b->guard && a->key == b->key &&
	    a->team == b->team && a->phase == b->phase &&
	    a->owner_team == b->owner_team && a->would_deny == b->would_deny;
}

/* The grants (and guards) of a row in the opposite order. */
static char *
reversed(const char *rest)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	struct pr_str s = pr_str_of(rest), lines[32];
	size_t n = 0;

	while (s.n > 0) {
		struct pr_str line = pr_str_cut(&s, '\n');

		if (pr_str_starts(line, "  - ")) {
			ck_assert_uint_lt(n, PR_COUNT(lines));
			lines[n++] = line;
			if (s.n > 0 && pr_str_starts(s, "  - "))
				continue;
			for (; n > 0; n--)
				pr_buf_printf(
				    &b, "%.*s\n", PR_STRF(lines[n - 1]));
		} else {
			pr_buf_printf(&b, "%.*s\n", PR_STRF(line));
		}
	}
	pr_buf_char(&b, '\0');
	return pr_xstrdup(b.p);
}

/* "a@ml+pay" as "a@pay+ml" */
static const char *
turned(struct pr_arena *a, const char *as)
{
	struct pr_str teams = pr_str_of(as), name, first;

	name = pr_str_cut(&teams, '@');
	if (teams.p == NULL || pr_str_find(teams, '+') == teams.n)
		return as;
	first = pr_str_cut(&teams, '+');
	return pr_arena_printf(
	    a, "%.*s@%.*s+%.*s", PR_STRF(name), PR_STRF(teams), PR_STRF(first));
}

static char *
policy_of(const char *rest, const char *more)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	pr_buf_printf(&b, "%s%s%s%c", HEAD, rest, more, '\0');
	return pr_xstrdup(b.p);
}

START_TEST(the_order_of_nothing_matters)
{
	const struct row *r = &rows[_i];
	struct pr_arena *a = pr_arena_new(256);
	PR_CLEANUP(pr_freep) char *back = reversed(r->rest);
	PR_CLEANUP(pr_freep) char *one = policy_of(r->rest, "");
	PR_CLEANUP(pr_freep) char *two = policy_of(back, "");
	struct ask ask = r->ask;
	struct pr_decision d = decide_with(r, one, ask, KIT_KNOWS), e;

	if (ask.as != NULL)
		ask.as = turned(a, ask.as);
	e = decide_with(r, two, ask, KIT_KNOWS);
	ck_assert_msg(same(&d, &e), "%s: %s, %s", r->says,
	    pr_reason_code(e.reason), e.what);
	pr_arena_free(a);
}
END_TEST

/* The action of a row's call as "resource: [verb]". */
static const char *
action_of(struct pr_arena *a, const struct row *r)
{
	struct kit k = kit_new(NULL);
	const char *out = NULL;

	kit_spec(&k, r->ask.call, r->ask.body);
	if (k.rq.op->op != PR_OP_UNKNOWN)
		out = pr_arena_printf(a, "%s: [%s]",
		    pr_resource_name(k.rq.op->resource), k.rq.op->verb);
	kit_free(&k);
	return out;
}

START_TEST(a_guard_never_allows_more)
{
	const struct row *r = &rows[_i];
	struct pr_arena *a = pr_arena_new(256);
	const char *action = action_of(a, r);
	bool has_guards = strstr(r->rest, "guards:") != NULL;
	PR_CLEANUP(pr_freep)
	char *with = policy_of(r->rest,
	    action == NULL ? ""
			   : pr_arena_printf(a, "%s  - {id: zz, deny: {%s}}\n",
				 has_guards ? "" : "guards:\n", action));
	PR_CLEANUP(pr_freep)
	char *other = policy_of(r->rest,
	    pr_arena_printf(a, "%s  - {id: zz, deny: {swarm: [leave]}}\n",
		has_guards ? "" : "guards:\n"));
	PR_CLEANUP(pr_freep) char *plain = policy_of(r->rest, "");
	struct pr_decision d = decide_with(r, with, r->ask, KIT_KNOWS), e;

	/* quotas follow guards in the text: those rows end otherwise */
	ck_assert_int_eq(d.verdict, PR_DENY);
	/* and one that is about something else changes nothing */
	d = decide_with(r, plain, r->ask, KIT_KNOWS);
	e = decide_with(r, other, r->ask, KIT_KNOWS);
	ck_assert_msg(same(&d, &e), "%s: %s", r->says, e.what);
	pr_arena_free(a);
}
END_TEST

START_TEST(a_role_deny_never_allows_more)
{
	const struct row *r = &rows[_i];
	struct pr_arena *a = pr_arena_new(256);
	const char *action = action_of(a, r);
	PR_CLEANUP(pr_freep) char *plain = policy_of(r->rest, "");
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	const char *at = plain, *role;
	struct pr_decision d = decide_with(r, plain, r->ask, KIT_KNOWS), e;

	if (action == NULL) {
		pr_arena_free(a);
		return;
	}
	/* every role denies the action as well */
	while ((role = strstr(at, ": {allow: {")) != NULL) {
		pr_buf_add(&b, at, (size_t)(role - at));
		pr_buf_printf(&b, ": {deny: {%s}, allow: {", action);
		at = role + strlen(": {allow: {");
	}
	pr_buf_cstr(&b, at);
	pr_buf_char(&b, '\0');
	e = decide_with(r, b.p, r->ask, KIT_KNOWS);
	ck_assert_msg(e.verdict == PR_DENY || e.reason == PR_REASON_PING,
	    "%s: %s", r->says, pr_reason_code(e.reason));
	ck_assert(d.verdict == PR_ALLOW || e.verdict == PR_DENY);
	pr_arena_free(a);
}
END_TEST

START_TEST(knowing_less_never_allows_more)
{
	const struct row *r = &rows[_i];
	PR_CLEANUP(pr_freep) char *yaml = policy_of(r->rest, "");
	struct pr_decision d = decide_with(r, yaml, r->ask, KIT_KNOWS);
	struct pr_decision e = decide_with(r, yaml, r->ask, KIT_CANNOT_TELL);
	struct pr_decision f = decide_with(r, yaml, r->ask, KIT_WOULD_WAIT);

	ck_assert_msg(d.verdict == PR_ALLOW || e.verdict == PR_DENY, "%s: %s",
	    r->says, e.what);
	ck_assert_msg(d.verdict == PR_ALLOW || f.verdict == PR_DENY, "%s: %s",
	    r->says, f.what);
}
END_TEST

START_TEST(without_grants_only_the_ping_is_left)
{
	const struct row *r = &rows[_i];
	struct pr_decision d = decide_with(r, HEAD, r->ask, KIT_KNOWS);

	ck_assert(d.verdict == PR_DENY || d.reason == PR_REASON_PING);
}
END_TEST

/* Every phase complains: what is let through then failed by soft keys alone. */
static char *
complaining(const char *rest)
{
	static const char *const words[][2] = {
	    {"  dev: {}", "  dev: {mode: complain}"},
	    {"  test: {}", "  test: {mode: complain}"},
	    {"  prod: {}", "  prod: {mode: complain}"},
	    {"  cold: {", "  cold: {mode: complain, "},
	};
	PR_CLEANUP(pr_freep) char *plain = policy_of(rest, "");
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	size_t changed = 0;

	for (const char *at = plain; *at != '\0';) {
		size_t i = 0;

		while (i < PR_COUNT(words) &&
		    strncmp(at, words[i][0], strlen(words[i][0])) != 0)
			i++;
		if (i == PR_COUNT(words)) {
			pr_buf_char(&b, *at++);
			continue;
		}
		pr_buf_cstr(&b, words[i][1]);
		at += strlen(words[i][0]);
		changed++;
	}
	ck_assert_uint_eq(changed, PR_COUNT(words));
	pr_buf_char(&b, '\0');
	return pr_xstrdup(b.p);
}

START_TEST(complaints_soften_soft_keys_alone)
{
	const struct row *r = &rows[_i];
	PR_CLEANUP(pr_freep) char *plain = policy_of(r->rest, "");
	PR_CLEANUP(pr_freep) char *soft = complaining(r->rest);
	struct pr_decision d = decide_with(r, plain, r->ask, KIT_KNOWS);
	struct pr_decision e = decide_with(r, soft, r->ask, KIT_KNOWS);

	if (e.verdict != PR_ALLOW)
		return;
	if (!e.would_deny) {
		ck_assert_msg(d.verdict == PR_ALLOW, "%s", r->says);
		return;
	}
	ck_assert_msg(
	    e.reason == PR_REASON_PROFILE || e.reason == PR_REASON_STORED_SPEC,
	    "%s: %s", r->says, pr_reason_code(e.reason));
	ck_assert_int_ge(e.key, 0);
	ck_assert_msg(pr_profile_key((enum pr_profile_key)e.key)->soft, "%s",
	    pr_profile_key((enum pr_profile_key)e.key)->path);
	ck_assert(d.verdict == PR_ALLOW || d.reason == PR_REASON_PROFILE ||
	    d.reason == PR_REASON_STORED_SPEC || d.reason == PR_REASON_PHASE);
}
END_TEST

/* ---- every operation of the table, by one who may all ---- */

static void
decide_op(struct kit *k, enum pr_op op, int64_t now, struct pr_decision *d)
{
	const struct pr_op_info *info = pr_api_op(op);
	struct pr_object o = {.kind = info->kind,
	    .presence = PR_PRESENT,
	    .by = PR_BY_NAME,
	    .id = PR_STR(ID64),
	    .name = PR_STR("web"),
	    .in_ledger = true,
	    .ledger_team = PR_STR("pay"),
	    .ledger_phase = PR_STR("cold")};
	struct pr_object of = o;
	struct pr_spec spec = {.image_ref = -1};
	struct pr_spec stored = {.image_ref = -1, .stored = true};
	struct pr_request rq = {.op = info, .spec = info->spec};
	unsigned team = (unsigned)pr_policy_team(k->policy, PR_STR("pay"));
	struct pr_who who = {.name = PR_STR("a"), .teams = &team, .n_teams = 1};
	struct pr_ref refs[] = {
	    {.kind = info->kind, .role = PR_REF_TARGET, .object = &o},
	    {.kind = PR_KIND_CONTAINER,
		.role = PR_REF_CONTAINER_OF,
		.object = &of}};
	struct pr_question q = {.policy = k->policy,
	    .request = &rq,
	    .who = &who,
	    .served = pr_policy_host(k->policy, PR_STR("f")),
	    .now = now * 1000000000,
	    .refs = refs,
	    .spec = &spec,
	    .stored = &stored,
	    .stored_known = true};

	if (op == PR_OP_CONTAINER_COMMIT)
		refs[0].kind = PR_KIND_CONTAINER;
	of.kind = PR_KIND_CONTAINER;
	if (info->kind != PR_KIND_NONE || op == PR_OP_CONTAINER_COMMIT)
		q.n_refs = info->kind == PR_KIND_EXEC ? 2 : 1;
	pr_decide(k->arena, &q, d);
}

/* Nothing that changes anything, by whatever route, gets through a freeze. */
START_TEST(a_frozen_phase_is_not_changed)
{
	PR_CLEANUP(pr_freep)
	char *yaml = policy_of(GRANTS
	    "  - {id: g, team: pay, role: all, phases: [\"*\"], owner: "
	    "any, profile: unrestricted}\n",
	    "");
	struct kit k = kit_new(yaml);
	size_t frozen = 0;

	for (int i = 0; i < PR_OP_COUNT; i++) {
		const struct pr_op_info *info = pr_api_op((enum pr_op)i);
		bool spared = i == PR_OP_CONTAINER_STOP ||
		    i == PR_OP_CONTAINER_KILL || i == PR_OP_CONTAINER_RESTART;
		struct pr_decision d, e;

		if (i == PR_OP_UNKNOWN)
			continue;
		decide_op(&k, (enum pr_op)i, MONDAY, &d);
		decide_op(&k, (enum pr_op)i, WEDNESDAY, &e);
		ck_assert_msg(e.reason != PR_REASON_FREEZE, "%s", info->action);
		if (info->risk < PR_RISK_MUTATE || spared) {
			ck_assert_msg(d.reason == e.reason, "%s", info->action);
			continue;
		}
		ck_assert_msg(d.verdict == PR_DENY &&
			(d.reason == PR_REASON_FREEZE ||
			    d.reason == PR_REASON_GUARD),
		    "%s: %s", info->action, pr_reason_code(d.reason));
		frozen += d.reason == PR_REASON_FREEZE;
	}
	ck_assert_uint_gt(frozen, 40);
	kit_free(&k);
}
END_TEST

/* By a listener for dev: what is of test is not dev's, nor comes in. */
START_TEST(a_listener_takes_its_phases_alone)
{
	static const struct {
		const char *phase, *says;
	} of[] = {{"dev", "allow grant g"}, {"test", "deny phase-not-served"},
	    {"", "deny phase g"}};
	PR_CLEANUP(pr_freep)
	char *yaml = policy_of(
	    GRANTS "  - {id: g, team: pay, role: run, phases: [dev]}\n", "");

	for (size_t i = 0; i < PR_COUNT(of); i++) {
		struct kit k = kit_new(yaml);
		struct pr_decision d;
		char objects[100];
		struct ask ask = {.call = "POST /v1.41/containers/web/stop",
		    .objects = objects};

		snprintf(objects, sizeof objects,
		    "[{'ref':'web','team':'pay','phase':'%s'}]", of[i].phase);
		k.host = "m";
		kit_decide(&k, &ask, &d);
		k.q.host = k.q.served;
		k.q.served = (pr_phase_mask)1
		    << pr_policy_phase(k.policy, PR_STR("dev"));
		pr_decide(k.arena, &k.q, &d);
		ck_assert_str_eq(words(&k, &d), of[i].says);
		kit_free(&k);
	}
}
END_TEST

/* Zeroed memory is a denial, whatever else it says. */
START_TEST(zero_denies)
{
	struct pr_decision d;

	memset(&d, 0, sizeof d);
	ck_assert_int_eq(d.verdict, PR_DENY);
	ck_assert_int_ne(PR_ALLOW, 1);
	ck_assert_int_eq((enum pr_tri)0, PR_NO);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("decide");
	TCase *t = tcase_create("rows"), *u = tcase_create("properties");
	const int n = (int)PR_COUNT(rows);

	tcase_add_loop_test(t, decision, 0, n);
	suite_add_tcase(s, t);
	tcase_add_loop_test(u, the_order_of_nothing_matters, 0, n);
	tcase_add_loop_test(u, a_guard_never_allows_more, 0, n);
	tcase_add_loop_test(u, a_role_deny_never_allows_more, 0, n);
	tcase_add_loop_test(u, knowing_less_never_allows_more, 0, n);
	tcase_add_loop_test(u, without_grants_only_the_ping_is_left, 0, n);
	tcase_add_loop_test(u, complaints_soften_soft_keys_alone, 0, n);
	tcase_add_test(u, a_frozen_phase_is_not_changed);
	tcase_add_test(u, a_listener_takes_its_phases_alone);
	tcase_add_test(u, zero_denies);
	suite_add_tcase(s, u);
	return unit_run(s);
}
