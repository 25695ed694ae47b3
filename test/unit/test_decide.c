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
	tcase_add_test(u, zero_denies);
	suite_add_tcase(s, u);
	return unit_run(s);
}
