/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tests that a policy carries (semantics 7), and that neither a start nor
 * a reload takes a policy that fails its own.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/judge.h>
#include <portreeve/ledger.h>
#include <portreeve/policytest.h>

#include "eval_kit.h"

#define POLICY                                                                \
	"version: 1\n"                                                        \
	"labels: {team: t, phase: p}\n"                                       \
	"teams: {pay: {}, ml: {}, anon: {anonymous: true}}\n"                 \
	"hosts: {\"dev-*\": [dev], prod: [prod]}\n"                           \
	"phases: {dev: {}, soft: {mode: complain}, prod: {freeze: {windows: " \
	"[\"Sat 00:00..Sun 00:00 UTC\"]}}}\n"                                 \
	"roles: {run: {allow: {container: [create, start, stop, inspect, "    \
	"exec]}, deny: {container: [export]}}}\n"                             \
	"profiles: {p: {images: {allow: [\"docker.io/library/*\"]}, mounts: " \
	"{bind: [\"/**\"]}}}\n"                                               \
	"grants: [{id: g, team: pay, role: run, phases: [dev, prod], "        \
	"profile: p}]\n"                                                      \
	"guards: [{id: q, deny: {container: [exec]}, phases: [prod]}]\n"      \
	"tests:\n"

/* A test of a policy, whether it passes, and what it got. */
static const struct {
	const char *test;
	bool passes;
	const char *got;
} rows[] = {
    {"{as: a@pay, host: dev-1, do: docker run alpine, expect: allow}", true,
	"allow, by grant"},
    {"{as: a@pay, host: dev-1, do: docker run alpine, expect: deny}", false,
	"allow, by grant"},
    {"{as: a@pay, host: dev-1, do: docker run alpine, expect: allow, by: g}",
	true, "allow, by grant"},
    {"{as: a@pay, host: dev-1, do: docker run --privileged alpine, expect: "
     "deny, by: p.privileged}",
	true, "deny, by profile, p.privileged"},
    {"{as: a@pay, host: dev-1, do: docker run --privileged alpine, expect: "
     "deny, by: profile}",
	true, "deny, by profile, p.privileged"},
    {"{as: a@pay, host: dev-1, do: docker run --privileged alpine, expect: "
     "deny, by: p.images.allow}",
	false, "deny, by profile, p.privileged"},
    {"{as: a@pay, host: dev-1, do: docker run acme/x, expect: deny, by: "
     "p.images.allow}",
	true, "deny, by profile, p.images.allow"},
    {"{as: a@ml, host: dev-1, do: docker run alpine, expect: deny, by: "
     "no-grant}",
	true, "deny, by no-grant"},
    /* given objects */
    {"{as: a@pay, host: dev-1, do: docker stop web, expect: deny, by: "
     "no-such-object}",
	true, "deny, by no-such-object"},
    {"{as: a@pay, host: dev-1, do: docker stop web, given: {web: {team: pay, "
     "phase: dev}}, expect: allow}",
	true, "allow, by grant"},
    {"{as: a@pay, host: dev-1, do: docker stop web, given: {web: {team: ml}}, "
     "expect: deny, by: owner}",
	true, "deny, by owner"},
    {"{as: a@pay, host: dev-1, do: docker start web, given: {web: {team: pay, "
     "phase: dev}}, expect: allow}",
	true, "allow, by grant"},
    {"{as: a@pay, host: dev-1, do: docker run -v data:/x alpine, given: {data: "
     "{kind: volume, team: ml}}, expect: deny, by: owner}",
	true, "deny, by owner"},
    /* protected places, without a host to look at */
    {"{as: a@pay, host: dev-1, do: \"docker run -v /var/run:/x alpine\", "
     "expect: deny, by: p.mounts.protected}",
	true, "deny, by profile, p.mounts.protected"},
    {"{as: a@pay, host: dev-1, do: \"docker run -v /:/x alpine\", expect: "
     "deny, by: p.mounts.protected}",
	true, "deny, by profile, p.mounts.protected"},
    {"{as: a@pay, host: dev-1, do: \"docker run -v /srv/a:/x alpine\", "
     "expect: allow}",
	true, "allow, by grant"},
    /* hosts, doors, times, guards */
    {"{as: a@pay, host: prod, do: docker exec web sh, given: {web: {team: pay}}"
     ", expect: deny, by: q}",
	true, "deny, by guard"},
    {"{as: a@pay, host: nowhere, do: docker ps, expect: deny, by: "
     "phase-not-served}",
	true, "deny, by phase-not-served"},
    {"{as: a@pay, host: prod, do: docker run alpine, at: "
     "\"2026-11-28T12:00:00Z\", expect: deny, by: freeze}",
	true, "deny, by freeze"},
    {"{as: a@pay, host: prod, do: docker run alpine, at: "
     "\"2026-11-29T00:30:00+01:00\", expect: deny, by: freeze}",
	true, "deny, by freeze"},
    {"{as: a@pay, host: prod, do: docker run alpine, at: "
     "\"2026-11-28T12:00Z\", expect: deny, by: freeze}",
	true, "deny, by freeze"},
    {"{as: a@pay, host: prod, do: docker run alpine, at: "
     "\"2026-11-27T12:00:00Z\", expect: allow}",
	true, "allow, by grant"},
    {"{as: a@pay, host: dev-1, door: plugin, do: docker run --name "
     "0123456789ab alpine, expect: deny, by: ambiguous-request}",
	true, "deny, by ambiguous-request"},
    {"{as: a@pay, host: dev-1, door: proxy, do: docker run --name "
     "0123456789ab alpine, expect: allow}",
	true, "allow, by grant"},
    /* requests instead of commands */
    {"{as: a@pay, host: dev-1, request: {method: GET, target: "
     "/v1.41/containers/web/json}, expect: allow}",
	true, "allow, by grant"},
    {"{as: a@pay, host: dev-1, request: {method: POST, target: "
     "/v1.41/containers/create, body: '{\"Image\":\"alpine\",\"Privileged\":"
     "true}'}, expect: deny, by: ambiguous-request}",
	true, "deny, by ambiguous-request"},
    {"{as: a@pay, host: dev-1, request: {method: POST, target: "
     "/v1.41/containers/create}, expect: deny, by: body-not-visible}",
	true, "deny, by body-not-visible"},
    {"{as: a, host: dev-1, do: docker version, expect: allow, by: "
     "builtin.ping}",
	true, "allow, by builtin.ping"},
    {"{as: anonymous, host: dev-1, do: docker version, expect: deny}", true,
	"deny, by no-grant"},
    /* what cannot be asked fails, whatever it expects */
    {"{as: a@pay, host: dev-1, do: docker frob, expect: deny}", false,
	"the command cannot be read: this command is not known here; write "
	"the request with request: instead"},
    {"{as: a@pay, host: dev-1, do: docker run --frob alpine, expect: deny}",
	false, "the command cannot be read: --frob is not known here"},
    {"{as: a@pay, host: dev-1, do: docker run alpine, expect: would-deny}",
	false, "allow, by grant"},
};

static struct pr_policy *
policy_of(const char *tests)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	struct pr_policy *p;

	pr_buf_printf(&b, "%s  - %s\n", POLICY, tests);
	p = pr_policy_parse("p.yaml", pr_buf_view(&b), ds);
	if (p == NULL)
		pr_diags_print(ds, stdout);
	ck_assert_ptr_nonnull(p);
	return p;
}

START_TEST(policy_test)
{
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *p = policy_of(rows[_i].test);
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	struct pr_arena *a = pr_arena_new(4096);
	struct pr_test_result r;
	struct pr_diag d;

	pr_policy_test_run(p, &p->tests[0], a, &r);
	ck_assert_msg(strcmp(r.got, rows[_i].got) == 0, "%s: %s (%s)",
	    rows[_i].test, r.got, r.what);
	ck_assert_msg(
	    r.passed == rows[_i].passes, "%s: %s", rows[_i].test, r.got);
	ck_assert_uint_eq(pr_policy_tests_run(p, ds), !rows[_i].passes);
	ck_assert_uint_eq(pr_diags_count(ds, PR_ERROR), !rows[_i].passes);
	if (!rows[_i].passes) {
		ck_assert(pr_diags_get(ds, 0, &d));
		ck_assert_uint_eq(d.loc.line, 11);
		ck_assert_ptr_nonnull(strstr(d.text, "test failed"));
		ck_assert_ptr_nonnull(strstr(d.text, rows[_i].got));
	}
	pr_arena_free(a);
}
END_TEST

/* ---- who ---- */

static const struct {
	const char *as, *name;
	int teams; /* -1: refused */
	bool anonymous;
} people[] = {
    {"alice", "alice", 0, false},
    {"alice@pay", "alice", 1, false},
    {"alice@ml+pay", "alice", 2, false},
    {"alice@pay+pay", "alice", 1, false},
    {"alice@gone", "alice", -1, false},
    {"alice@", "alice", -1, false},
    {"alice@pay+", "alice", -1, false},
    {"anonymous", "anonymous", 1, true},
};

START_TEST(who)
{
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *p =
	    policy_of("{as: a, host: prod, do: docker ps, expect: deny}");
	struct pr_arena *a = pr_arena_new(4096);
	struct pr_str unknown;
	struct pr_who w;
	bool known = pr_who_read(p, a, pr_str_of(people[_i].as), &w, &unknown);

	ck_assert_int_eq(known, people[_i].teams >= 0);
	ck_assert(pr_str_is(w.name, people[_i].name));
	ck_assert_int_eq(w.anonymous, people[_i].anonymous);
	if (known)
		ck_assert_uint_eq(w.n_teams, people[_i].teams);
	for (size_t i = 1; known && i < w.n_teams; i++)
		ck_assert_uint_lt(w.teams[i - 1], w.teams[i]);
	pr_arena_free(a);
}
END_TEST

/* ---- start and reload ---- */

static char dir[] = "/tmp/portreeve-policytest-XXXXXX";

static const char *
place(const char *name, char buf[128])
{
	snprintf(buf, 128, "%s/%s", dir, name);
	return buf;
}

static void
write_policy(const char *path, const char *test)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "%s  - %s\n", POLICY, test);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(a_policy_that_fails_its_tests_is_not_taken)
{
	static const struct pr_identity_rule rule = {
	    .by = "user", .source = "bare"};
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	char policy[128], ledger[128], sock[128], hash[65], again[65];
	struct pr_config config = {.file = "c.yaml",
	    .identity = &rule,
	    .n_identity = 1,
	    .daemon = {"dev-1", place("none.sock", sock)},
	    .policy = place("p.yaml", policy),
	    .ledger = place("ledger.db", ledger)};
	struct pr_judge *j;
	struct pr_diag d;
	bool said = false;

	/* at the start */
	write_policy(policy, rows[1].test);
	ck_assert_ptr_null(pr_judge_open(&config, PR_DOOR_PLUGIN, ds, &err));
	for (size_t i = 0; pr_diags_get(ds, i, &d); i++)
		said = said || strstr(d.text, "test failed") != NULL;
	ck_assert(said);
	/* at a reload: the old one stays */
	pr_diags_free(ds);
	ds = pr_diags_new();
	write_policy(policy, rows[0].test);
	j = pr_judge_open(&config, PR_DOOR_PLUGIN, ds, &err);
	ck_assert_msg(j != NULL, "%s", err != NULL ? pr_err_text(err) : "");
	pr_judge_policy_hash(j, hash);
	write_policy(policy, rows[1].test);
	ck_assert_int_lt(pr_judge_reload(j, ds), 0);
	ck_assert_uint_eq(pr_diags_count(ds, PR_ERROR), 1);
	pr_judge_policy_hash(j, again);
	ck_assert_str_eq(hash, again);
	write_policy(policy, rows[2].test);
	pr_diags_free(ds);
	ds = pr_diags_new();
	ck_assert_int_eq(pr_judge_reload(j, ds), 0);
	pr_judge_policy_hash(j, again);
	ck_assert_str_ne(hash, again);
	pr_judge_close(j);
}
END_TEST

static void
make_dir(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
remove_dir(void)
{
	char path[160];

	snprintf(path, sizeof path, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(path), 0);
}

int
main(void)
{
	Suite *s = suite_create("policytest");
	TCase *t = tcase_create("policytest"), *u = tcase_create("judge");

	tcase_add_loop_test(t, policy_test, 0, PR_COUNT(rows));
	tcase_add_loop_test(t, who, 0, PR_COUNT(people));
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(u, make_dir, remove_dir);
	tcase_add_test(u, a_policy_that_fails_its_tests_is_not_taken);
	suite_add_tcase(s, u);
	return unit_run(s);
}
