/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response stage without a daemon: what rules let pass, what the ledger
 * learns, and what becomes of an allow that is withdrawn.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/clock.h>

#include "eval_kit.h"
#include "local.h"

#define POLICY                                                               \
	"version: 1\n"                                                       \
	"labels: {team: t, phase: p}\n"                                      \
	"teams: {pay: {anonymous: true}, ops: {}}\n"                         \
	"hosts: {\"*\": [dev]}\n"                                            \
	"phases: {dev: {}}\n"                                                \
	"roles: {all: {allow: {\"*\": [\"*\"]}}, "                           \
	"plug: {allow: {plugin: [disable]}}}\n"                              \
	"profiles: {p: {images: {allow: [\"docker.io/library/*\"]}}}\n"      \
	"grants: [{id: g, team: pay, role: all, phases: [dev], profile: p}," \
	" {id: h, team: pay, role: plug, phases: [dev], owner: any}]\n"      \
	"responses:\n"                                                       \
	"  - {id: own, on: {container: [list], network: [list], volume: "    \
	"[list]}, keep: own-team}\n"                                         \
	"  - {id: env, on: {container: [inspect]}, redact: "                 \
	"[\"Config.Env[*TOKEN*|*PASS*]\", \"HostConfig.Binds\", "            \
	"\"Mounts.Source\", \"Config.Labels[secret]\"]}\n"                   \
	"  - {id: img, on: {image: [list]}, redact: [\"RepoTags\"]}\n"       \
	"  - {id: exc, on: {container: [top]}, redact: [\"Titles\"], "       \
	"except: [pay]}\n"

static char dir[64], policy[128], ledger[128], sock[128];
static struct pr_config config;
static struct pr_judge *judge;
static struct pr_arena *arena;

static void
setup(void)
{
	static const struct pr_identity_rule rule = {
	    .source = "bare", .by = "user"};
	struct pr_diags *ds = pr_diags_new();
	struct pr_err *err = NULL;
	FILE *f;

	snprintf(dir, sizeof dir, "/tmp/portreeve-response-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(policy, sizeof policy, "%s/p.yaml", dir);
	snprintf(ledger, sizeof ledger, "%s/ledger.db", dir);
	snprintf(sock, sizeof sock, "%s/none.sock", dir);
	f = fopen(policy, "w");
	ck_assert_ptr_nonnull(f);
	fputs(POLICY, f);
	fclose(f);
	config = (struct pr_config){.file = "c.yaml",
	    .plugin.accept_plain_tcp = true,
	    .identity = &rule,
	    .n_identity = 1,
	    .daemon = {"d", sock},
	    .policy = policy,
	    .ledger = ledger};
	judge = pr_judge_open(&config, PR_DOOR_PLUGIN, ds, &err);
	if (judge == NULL)
		pr_diags_print(ds, stdout);
	ck_assert_ptr_nonnull(judge);
	pr_diags_free(ds);
	arena = pr_arena_new(1 << 14);
}

static void
teardown(void)
{
	char command[128];

	pr_judge_close(judge);
	pr_arena_free(arena);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static struct pr_judge_call
call_of(const char *line, const char *body)
{
	struct kit k = {.arena = arena};
	uint64_t now = pr_clock_now();

	return (struct pr_judge_call){.call = kit_call(&k, line, body),
	    .received = now,
	    .deadline = now + 5 * PR_SEC};
}

static struct pr_judge_result
result_of(int status, const char *body)
{
	struct kit k = {.arena = arena};

	return (struct pr_judge_result){.status = status,
	    .body =
		body != NULL ? kit_text(&k, body) : (struct pr_str){NULL, 0},
	    .body_shown = body != NULL};
}

/* ---- rules ---- */

static const struct {
	const char *call, *body; /* NULL: not shown */
	bool passes;
} rows[] = {
    /* no rule, no question */
    {"GET /v1.41/info", NULL, true},
    {"GET /v1.41/containers/x/top", "{'Titles':['a']}", true},
    /* lists: all of them own, by ledger or label */
    {"GET /v1.41/containers/json", "[]", true},
    {"GET /v1.41/containers/json", "[{'Id':'a','Labels':{'t':'pay'}}]", true},
    {"GET /v1.41/containers/json", "[{'Id':'a','Labels':{'t':'ops'}}]", false},
    {"GET /v1.41/containers/json", "[{'Id':'a','Labels':{}}]", false},
    {"GET /v1.41/containers/json", "[{'Id':'a','Labels':{'t':''}}]", false},
    {"GET /v1.41/containers/json", "[{'Id':'a'}]", false},
    {"GET /v1.41/containers/json",
	"[{'Id':'a','Labels':{'t':'pay'}},{'Id':'b'}]", false},
    {"GET /v1.41/containers/json", "['x']", false},
    {"GET /v1.41/containers/json", "{}", false},
    {"GET /v1.41/containers/json", "[{'Labels':{'t':['pay']}}]", false},
    {"GET /v1.41/networks", "[{'Id':'a','Name':'bridge'}]", true},
    {"GET /v1.41/networks", "[{'Id':'a','Name':'back'}]", false},
    {"GET /v1.41/volumes", "{'Volumes':null}", true},
    {"GET /v1.41/volumes", "{'Volumes':[{'Name':'a','Labels':{'t':'pay'}}]}",
	true},
    {"GET /v1.41/volumes", "{'Volumes':[{'Name':'a','Labels':null}]}", false},
    {"GET /v1.41/volumes", "{'Volumes':{}}", false},
    /* what cannot be seen does not pass */
    {"GET /v1.41/containers/json", NULL, false},
    {"GET /v1.41/containers/json", "[{'Id':'a'", false},
    {"GET /v1.41/containers/json", "", false},
    {"GET /v1.41/containers/x/json", NULL, false},
    {"GET /v1.41/containers/x/json", "{'a':1,'a':2}", false},
    /* what is to be hidden must not show */
    {"GET /v1.41/containers/x/json", "{}", true},
    {"GET /v1.41/containers/x/json", "{'Config':{'Env':['A=b']}}", true},
    {"GET /v1.41/containers/x/json", "{'Config':{'Env':['my_token=b']}}",
	false},
    {"GET /v1.41/containers/x/json", "{'Config':{'Env':['A=b','DBPASS']}}",
	false},
    {"GET /v1.41/containers/x/json", "{'Config':{'Env':['A=TOKEN']}}", true},
    {"GET /v1.41/containers/x/json", "{'Config':{'Env':[5]}}", false},
    {"GET /v1.41/containers/x/json", "{'Config':{'Env':'TOKEN=x'}}", false},
    {"GET /v1.41/containers/x/json", "{'Config':null}", true},
    {"GET /v1.41/containers/x/json", "{'Config':{'Labels':{'secret':'x'}}}",
	false},
    {"GET /v1.41/containers/x/json", "{'Config':{'Labels':{'other':'x'}}}",
	true},
    {"GET /v1.41/containers/x/json", "{'HostConfig':{'Binds':['/a:/b']}}",
	false},
    {"GET /v1.41/containers/x/json", "{'HostConfig':{'Binds':[]}}", true},
    {"GET /v1.41/containers/x/json", "{'HostConfig':{'Binds':null}}", true},
    /* lists on the way, and answers that are lists */
    {"GET /v1.41/containers/x/json", "{'Mounts':[{'Source':'/etc'}]}", false},
    {"GET /v1.41/containers/x/json", "{'Mounts':[]}", true},
    {"GET /v1.41/images/json", "[{'Id':'a','RepoTags':['x:1']}]", false},
    {"GET /v1.41/images/json", "[{'Id':'a','RepoTags':[]},{'Id':'b'}]", true},
};

START_TEST(response_rule)
{
	struct pr_judge_call call = call_of(rows[_i].call, NULL);
	struct pr_judge_result result = result_of(200, rows[_i].body);
	struct pr_judgement out;
	struct pr_outcome outcome;

	for (int may_wait = 0; may_wait < 2; may_wait++) {
		ck_assert_int_eq(pr_judge_response(judge, arena, &call, &result,
				     may_wait != 0, &out, &outcome),
		    PR_JUDGED);
		ck_assert_msg((out.verdict == PR_ALLOW) == rows[_i].passes,
		    "%s %s: %s", rows[_i].call, rows[_i].body, out.message);
		ck_assert((out.message[0] == '\0') == rows[_i].passes);
		ck_assert_uint_le(strlen(out.message), PR_CAP_MESSAGE);
		pr_judgement_end(&out);
	}
}
END_TEST

/* ---- the ledger ---- */

static struct pr_judgement
allowed(const struct pr_judge_call *call)
{
	struct pr_judgement out;

	ck_assert_int_eq(
	    pr_judge_request(judge, arena, call, true, &out), PR_JUDGED);
	ck_assert_msg(out.verdict == PR_ALLOW, "%s", out.message);
	return out;
}

#define CREATE "POST /v1.41/containers/create?name=web"
#define BODY   "{'Image':'alpine'}"

static const struct {
	int status;
	const char *body;
	const char *id; /* that becomes pay's, or NULL */
} answers[] = {
    {201, "{'Id':'abc','Warnings':null}", "abc"},
    {200, "{'Id':'abc'}", "abc"},
    {201, "{'id':'abc'}", NULL},
    {201, "{'Id':5}", NULL},
    {201, "{'Id':''}", NULL},
    {201, "[]", NULL},
    {201, "{'Id':'abc'", NULL},
    {201, NULL, NULL},
    {0, "{'Id':'abc'}", NULL},
    {0, NULL, NULL},
    {404, "{'Id':'abc'}", NULL},
    {500, NULL, NULL},
};

START_TEST(the_ledger_learns_what_was_made)
{
	struct pr_judge_call call = call_of(CREATE, BODY);
	struct pr_judge_result result =
	    result_of(answers[_i].status, answers[_i].body);
	struct pr_judgement in = allowed(&call), out;
	struct pr_ledger_owner owner;
	struct pr_outcome outcome;
	bool known;

	ck_assert_int_eq(pr_judge_response(judge, arena, &call, &result, true,
			     &out, &outcome),
	    PR_JUDGED);
	ck_assert_int_eq(out.verdict, PR_ALLOW);
	/* the outcome bears the decision's id */
	ck_assert(pr_str_is(outcome.id, in.id));
	known = pr_ledger_get(judge->ledger, PR_KIND_CONTAINER, PR_STR("abc"),
	    (struct pr_str){NULL, 0}, &owner);
	ck_assert_int_eq(known, answers[_i].id != NULL);
	if (known) {
		ck_assert_str_eq(owner.team, "pay");
		ck_assert_str_eq(owner.phase, "dev");
	}
	pr_judgement_end(&out);
	/* it ends once: what comes again is nobody's */
	ck_assert_int_eq(pr_judge_response(judge, arena, &call, &result, true,
			     &out, &outcome),
	    PR_JUDGED);
	ck_assert_uint_eq(outcome.id.n, 0);
	pr_judgement_end(&out);
	pr_judgement_end(&in);
}
END_TEST

START_TEST(an_answer_without_a_request_teaches_nothing)
{
	struct pr_judge_call call = call_of(CREATE, BODY);
	struct pr_judge_result result = result_of(201, "{'Id':'abc'}");
	struct pr_ledger_owner owner;
	struct pr_outcome outcome;
	struct pr_judgement out;

	ck_assert_int_eq(pr_judge_response(judge, arena, &call, &result, true,
			     &out, &outcome),
	    PR_JUDGED);
	ck_assert(!pr_ledger_get(judge->ledger, PR_KIND_CONTAINER,
	    PR_STR("abc"), (struct pr_str){NULL, 0}, &owner));
	pr_judgement_end(&out);
}
END_TEST

/* ---- withdrawing ---- */

START_TEST(a_withdrawn_allow_is_a_denial_and_holds_nothing)
{
	struct pr_judge_call call = call_of(CREATE, BODY);
	struct pr_judge_result result = result_of(201, "{'Id':'abc'}");
	struct pr_judgement first = allowed(&call), out;
	struct pr_ledger_owner owner;
	struct pr_outcome outcome;

	/* the name is taken meanwhile */
	ck_assert_int_eq(pr_judge_request(judge, arena, &call, false, &out),
	    PR_JUDGE_WOULD_WAIT);
	pr_judge_withdraw(judge, &first, PR_REASON_AUDIT);
	ck_assert_int_eq(first.verdict, PR_DENY);
	ck_assert_int_eq(first.record.verdict, PR_DENY);
	ck_assert_int_eq(first.record.reason, PR_REASON_AUDIT);
	ck_assert_ptr_nonnull(strstr(first.message, first.id));
	ck_assert_uint_le(strlen(first.message), PR_CAP_MESSAGE);
	/* twice is nothing */
	pr_judge_withdraw(judge, &first, PR_REASON_DEADLINE);
	ck_assert_int_eq(first.verdict, PR_DENY);
	/* an answer that comes nevertheless teaches nothing */
	ck_assert_int_eq(pr_judge_response(judge, arena, &call, &result, true,
			     &out, &outcome),
	    PR_JUDGED);
	ck_assert_uint_eq(outcome.id.n, 0);
	ck_assert(!pr_ledger_get(judge->ledger, PR_KIND_CONTAINER,
	    PR_STR("abc"), (struct pr_str){NULL, 0}, &owner));
	pr_judgement_end(&out);
	pr_judgement_end(&first);
	/* and the name is free */
	first = allowed(&call);
	pr_judgement_end(&first);
}
END_TEST

/* Zeroed memory is a denial and may be ended. */
START_TEST(zero_is_a_denial)
{
	struct pr_judgement out;

	memset(&out, 0, sizeof out);
	ck_assert_int_eq(out.verdict, PR_DENY);
	pr_judgement_end(&out);
	pr_judge_withdraw(judge, &out, PR_REASON_DEADLINE);
	ck_assert_int_eq(out.verdict, PR_DENY);
}
END_TEST

/* What nobody can look up is not allowed, however often it is asked. */
START_TEST(without_a_daemon_nothing_that_needs_it_is_allowed)
{
	static const char *const calls[] = {"POST /v1.41/containers/x/start",
	    "POST /v1.41/containers/x/stop", "GET /v1.41/containers/x/json",
	    "DELETE /v1.41/volumes/x", "DELETE /v1.41/networks/x"};

	for (size_t i = 0; i < PR_COUNT(calls); i++) {
		struct pr_judge_call call = call_of(calls[i], NULL);
		struct pr_judgement out;

		ck_assert_int_eq(
		    pr_judge_request(judge, arena, &call, true, &out),
		    PR_JUDGED);
		ck_assert_int_eq(out.verdict, PR_DENY);
		ck_assert_int_eq(out.record.reason, PR_REASON_CANNOT_TELL);
		pr_judgement_end(&out);
	}
}
END_TEST

/* The caller of `whoami` without chain and user is anonymous, others not. */
START_TEST(who_is_not_mapped_is_denied)
{
	struct pr_judge_call call = call_of("GET /v1.41/info", NULL);
	struct pr_str chain[] = {PR_STR("bm90IGEgY2VydGlmaWNhdGU=")};
	struct pr_judgement out;

	call.caller.method = PR_STR("TLS");
	call.caller.chain = chain;
	call.caller.n_chain = 1;
	ck_assert_int_eq(
	    pr_judge_request(judge, arena, &call, true, &out), PR_JUDGED);
	ck_assert_int_eq(out.verdict, PR_DENY);
	ck_assert_int_eq(out.record.reason, PR_REASON_UNMAPPED_IDENTITY);
	pr_judgement_end(&out);
}
END_TEST

/* The built-in guards stand while no file of root's lifts them. */
START_TEST(nothing_but_the_file_lifts_a_built_in_guard)
{
	struct pr_judge_call call =
	    call_of("POST /v1.41/plugins/x/disable", NULL);
	struct pr_judgement out;

	ck_assert_int_eq(
	    pr_judge_request(judge, arena, &call, true, &out), PR_JUDGED);
	ck_assert_int_eq(out.verdict, PR_DENY);
	ck_assert_int_eq(out.record.reason, PR_REASON_GUARD);
	ck_assert(!out.record.break_glass);
	pr_judgement_end(&out);
}
END_TEST

/* X-Portreeve-Team names a team once, or not at all. */
START_TEST(a_team_that_is_named_twice_is_not_named)
{
	static const char *const bodies[] = {
	    "{'Name':'net-1'}", "{'Name':'net-2'}", "{'Name':'net-3'}"};

	for (size_t n = 0; n < PR_COUNT(bodies); n++) {
		struct pr_judge_call call =
		    call_of("POST /v1.41/networks/create", bodies[n]);
		struct pr_header h[3] = {call.call.headers[0],
		    {PR_STR("X-Portreeve-Team"), PR_STR("ops")},
		    {PR_STR("X-Portreeve-Team"), PR_STR("pay")}};
		struct pr_judgement out;

		call.call.headers = h;
		call.call.n_headers = 1 + n;
		ck_assert_int_eq(
		    pr_judge_request(judge, arena, &call, true, &out),
		    PR_JUDGED);
		ck_assert_int_eq(out.record.reason,
		    n == 1 ? PR_REASON_OWNER : PR_REASON_GRANT);
		pr_judgement_end(&out);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("response");
	TCase *t = tcase_create("response");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, response_rule, 0, PR_COUNT(rows));
	tcase_add_loop_test(
	    t, the_ledger_learns_what_was_made, 0, PR_COUNT(answers));
	tcase_add_test(t, an_answer_without_a_request_teaches_nothing);
	tcase_add_test(t, a_withdrawn_allow_is_a_denial_and_holds_nothing);
	tcase_add_test(t, zero_is_a_denial);
	tcase_add_test(t, without_a_daemon_nothing_that_needs_it_is_allowed);
	tcase_add_test(t, who_is_not_mapped_is_denied);
	tcase_add_test(t, nothing_but_the_file_lifts_a_built_in_guard);
	tcase_add_test(t, a_team_that_is_named_twice_is_not_named);
	suite_add_tcase(s, t);
	return unit_run(s);
}
