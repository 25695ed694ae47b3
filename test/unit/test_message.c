/* SPDX-License-Identifier: Apache-2.0 */
/* The line that the user sees (DESIGN 10), whatever it is made of. */
#include <string.h>

#include "eval_kit.h"

#define ID "0198c0de-0000-7000-8000-0123456789ab"

#define POLICY                                                            \
	"version: 1\n"                                                    \
	"teams: {pay: {contact: \"#pay-oncall\"}, ops: {}}\n"             \
	"hosts: {h: [dev]}\n"                                             \
	"phases: {dev: {}}\n"                                             \
	"roles: {run: {allow: {container: [create, stop]}}}\n"            \
	"profiles: {p: {images: {allow: [\"**\"]}}}\n"                    \
	"grants: [{id: g, team: pay, role: run, phases: [dev], profile: " \
	"p}]\n"

/* One decision's line, as `buf`; checks what holds for every line. */
static void
message(struct kit *k, const struct pr_decision *d, const char *id,
    char buf[PR_CAP_MESSAGE + 2])
{
	size_t n;

	memset(buf, 'x', PR_CAP_MESSAGE + 2);
	k->q.request = &k->rq;
	k->q.who = &k->who;
	pr_decision_message(&k->q, d, id, buf);
	ck_assert_int_eq(buf[PR_CAP_MESSAGE + 1], 'x');
	n = strlen(buf);
	ck_assert_uint_le(n, PR_CAP_MESSAGE);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(buf[i] >= 0x20 && buf[i] < 0x7f, "%s", buf);
	ck_assert_msg(strstr(buf, id) != NULL, "%s", buf);
}

static void
says(const char *line, const char *part)
{
	ck_assert_msg(strstr(line, part) != NULL, "%s\n lacks %s", line, part);
}

START_TEST(a_denial_names_who_what_where_why_and_whom_to_ask)
{
	struct kit k = kit_new(POLICY);
	struct ask a = {.call = "POST /v1.41/containers/create",
	    .body = "{'Image':'alpine','HostConfig':{'Privileged':true}}"};
	char line[PR_CAP_MESSAGE + 2];
	struct pr_decision d;

	kit_decide(&k, &a, &d);
	message(&k, &d, ID, line);
	ck_assert_str_eq(line,
	    "alice (team pay) may not container.create in dev: "
	    "HostConfig.Privileged is true, p.privileged wants false "
	    "[grant g, policy.yaml:7] decision " ID "; ask #pay-oncall");
	kit_free(&k);
}
END_TEST

START_TEST(a_guard_shows_its_message)
{
	struct kit k = kit_new(
	    POLICY "guards: [{id: q, deny: {container: [stop]}, message: "
		   "\"see https://wiki/stop\"}]\n");
	struct ask a = {.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web','team':'pay'}]"};
	char line[PR_CAP_MESSAGE + 2];
	struct pr_decision d;

	kit_decide(&k, &a, &d);
	message(&k, &d, ID, line);
	says(line, "a guard forbids it to all; see https://wiki/stop");
	says(line, "[guard q, policy.yaml:8]");
	kit_free(&k);
}
END_TEST

START_TEST(a_refusal_needs_no_policy)
{
	struct kit k = kit_new(NULL);
	struct pr_decision d = {.reason = PR_REASON_AMBIGUOUS,
	    .grant = -1,
	    .guard = -1,
	    .team = -1,
	    .phase = -1};
	char line[PR_CAP_MESSAGE + 2];

	kit_spec(&k, "POST /nothing", NULL);
	k.who.name = PR_STR("alice");
	message(&k, &d, ID, line);
	says(line, "alice may not ");
	says(line, ": ambiguous-request");
	k.who.anonymous = true;
	message(&k, &d, ID, line);
	says(line, "a caller without identity may not ");
	kit_free(&k);
}
END_TEST

/* However long its parts are, the id and the contact stay. */
START_TEST(long_parts_are_cut_and_the_end_is_kept)
{
	struct kit k = kit_new(POLICY);
	struct pr_decision d = {
	    .grant = 0, .guard = -1, .team = 1, .phase = 0, .loc.line = 99999};
	char name[400], line[PR_CAP_MESSAGE + 2];

	memset(name, 'n', sizeof name);
	memset(d.what, 'w', sizeof d.what - 1);
	memset(d.hint, 'h', sizeof d.hint - 1);
	d.loc.file = "/a/very/long/way/to/policy.d/10-payments.yaml";
	kit_spec(&k, "POST /v1.41/containers/create", "{'Image':'a'}");
	k.q.policy = k.policy;
	k.who.name = (struct pr_str){name, sizeof name};
	d.team = pr_policy_team(k.policy, PR_STR("pay"));
	message(&k, &d, ID, line);
	ck_assert_uint_eq(strlen(line), PR_CAP_MESSAGE);
	says(line, " decision " ID "; ask #pay-oncall");
	kit_free(&k);
}
END_TEST

/* What others wrote cannot make a second line, or speak to the terminal. */
START_TEST(nothing_speaks_to_the_terminal)
{
	struct kit k = kit_new(POLICY);
	struct pr_decision d = {
	    .grant = 0, .guard = -1, .team = -1, .phase = -1};
	char line[PR_CAP_MESSAGE + 2];

	snprintf(d.what, sizeof d.what, "a\nb\r\x1b[31mc\x7f\xc3\xa9\t");
	snprintf(d.hint, sizeof d.hint, "\n");
	kit_spec(&k, "POST /v1.41/containers/create", "{'Image':'a'}");
	k.q.policy = k.policy;
	k.who.name = PR_STR("al\nice\xff");
	message(&k, &d, ID, line);
	says(line, "al?ice? may not");
	says(line, "a?b??[31mc????");
	kit_free(&k);
}
END_TEST

/* Every length of every part, one after the other. */
START_TEST(no_length_breaks_it)
{
	struct kit k = kit_new(POLICY);
	char name[400], line[PR_CAP_MESSAGE + 2];

	memset(name, 'n', sizeof name);
	kit_spec(&k, "POST /v1.41/containers/create", "{'Image':'a'}");
	k.q.policy = k.policy;
	for (size_t i = 0; i < 239; i++) {
		struct pr_decision d = {
		    .grant = 0, .guard = -1, .phase = 0, .loc.line = 1};

		d.loc.file = "p.yaml";
		d.team = pr_policy_team(k.policy, PR_STR("pay"));
		memset(d.what, 'w', i);
		memset(d.hint, 'h', i < 159 ? i : 159);
		k.who.name = (struct pr_str){name, i};
		message(&k, &d, ID, line);
		says(line, "; ask #pay-oncall");
	}
	kit_free(&k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("message");
	TCase *t = tcase_create("message");

	tcase_add_test(t, a_denial_names_who_what_where_why_and_whom_to_ask);
	tcase_add_test(t, a_guard_shows_its_message);
	tcase_add_test(t, a_refusal_needs_no_policy);
	tcase_add_test(t, long_parts_are_cut_and_the_end_is_kept);
	tcase_add_test(t, nothing_speaks_to_the_terminal);
	tcase_add_test(t, no_length_breaks_it);
	suite_add_tcase(s, t);
	return unit_run(s);
}
