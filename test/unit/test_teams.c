/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates to teams: patterns, issuers, the second factor. */
#include <string.h>

#include "eval_kit.h"
#include "local.h"

#define POLICY                                                               \
	"version: 1\n"                                                       \
	"hosts: {\"*\": [dev]}\n"                                            \
	"phases: {dev: {}}\n"                                                \
	"teams:\n"                                                           \
	"  a: {cert: [\"spiffe://acme/pay/*\"]}\n"                           \
	"  b: {cert: [\"spiffe://acme/pay/*\"], require: {cert: "            \
	"[\"spiffe://acme/hard/*\"]}}\n"                                     \
	"  c: {cert: [\"spiffe://acme/pay/*\"], issuer: \"CN=CA,O=Acme\"}\n" \
	"  d: {cert: [\"CN=root,O=Acme\"]}\n"                                \
	"  e: {anonymous: true}\n"

static const struct {
	enum pr_subject_how how;
	const char *uris[2], *issuer, *subject;
	const char *teams;
} rows[] = {
    {PR_SUBJECT_CERT, {"spiffe://acme/pay/x"}, "CN=Other", "CN=x", "a"},
    {PR_SUBJECT_CERT, {"spiffe://acme/pay/x/y"}, "CN=Other", "CN=x", ""},
    {PR_SUBJECT_CERT, {"spiffe://acme/pay/x"}, "cn=ca, o=acme", "CN=x", "ac"},
    /* the second factor: without it the membership does not count */
    {PR_SUBJECT_CERT, {"spiffe://acme/pay/x", "spiffe://acme/hard/1"},
	"CN=Other", "CN=x", "ab"},
    {PR_SUBJECT_CERT, {"spiffe://acme/hard/1"}, "CN=Other", "CN=x", ""},
    {PR_SUBJECT_CERT, {NULL}, "CN=Other", "CN=root,O=Acme", "d"},
    {PR_SUBJECT_CERT, {NULL}, "CN=Other", "CN=root,O=Acme,C=DE", ""},
    /* whoever comes without a certificate has none of a certificate's */
    {PR_SUBJECT_USER, {"spiffe://acme/pay/x"}, "CN=Other", "CN=root,O=Acme",
	""},
    {PR_SUBJECT_UID, {"spiffe://acme/pay/x"}, "CN=Other", "CN=root,O=Acme", ""},
    {PR_SUBJECT_ANONYMOUS, {"spiffe://acme/pay/x"}, "CN=Other",
	"CN=root,O=Acme", "e"},
};

START_TEST(teams_of_a_certificate)
{
	struct pr_diags *ds = pr_diags_new();
	struct pr_policy *p = pr_policy_parse("p", pr_str_of(POLICY), ds);
	struct pr_config config = {.daemon = {.name = "d"}, .policy = "p"};
	struct pr_str uris[2];
	struct pr_subject s = {.how = rows[_i].how,
	    .issuer = pr_str_of(rows[_i].issuer),
	    .subject = pr_str_of(rows[_i].subject),
	    .uris = uris};
	struct snapshot *snapshot;
	struct teams *teams;
	char have[8] = "";

	if (p == NULL)
		pr_diags_print(ds, stdout);
	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < 2 && rows[_i].uris[i] != NULL; i++)
		uris[s.n_uris++] = pr_str_of(rows[_i].uris[i]);
	snapshot = snapshot_new(p, NULL, &config, ds);
	teams = teams_of(snapshot, &s, NULL);
	ck_assert_uint_lt(teams->n, sizeof have);
	for (size_t i = 0; i < teams->n; i++)
		have[i] = p->teams[teams->v[i]].name.p[0];
	ck_assert_str_eq(have, rows[_i].teams);
	teams_unref(teams);
	snapshot_unref(snapshot);
	pr_diags_free(ds);
}
END_TEST

/* 10.14: a volume that nobody named, and who has it mounted. */
START_TEST(volumes_that_nobody_named)
{
	static const struct volume_user users[] = {{{"pay", 3}, {"dev", 3}},
	    {{"pay", 3}, {"dev", 3}}, {{"pay", 3}, {"prod", 4}},
	    {{"ops", 3}, {"prod", 4}}};
	struct pr_object o = {.kind = PR_KIND_VOLUME, .presence = PR_PRESENT};

	volume_give(users, 0, &o);
	ck_assert(!o.in_ledger);
	volume_give(users + 1, 2, &o); /* two phases */
	ck_assert(!o.in_ledger);
	volume_give(users + 2, 2, &o); /* two teams */
	ck_assert(!o.in_ledger);
	volume_give(users, 2, &o);
	ck_assert(o.in_ledger && pr_str_is(o.ledger_team, "pay") &&
	    pr_str_is(o.ledger_phase, "dev"));
}
END_TEST

/* 9.33 */
START_TEST(who_may_be_anonymous)
{
	const struct pr_who nobody = {.anonymous = true}, alice = {0};
	const enum pr_door plugin = PR_DOOR_PLUGIN, proxy = PR_DOOR_PROXY;

#define REFUSED(who, door, n, accept, plain, reason) \
	ck_assert_int_eq(                            \
	    anonymous_refused(&(who), door, n, accept, plain), reason)
	REFUSED(nobody, plugin, 1, false, PR_NO, PR_REASON_NONE);
	REFUSED(nobody, plugin, 1, false, PR_YES, PR_REASON_NO_GRANT);
	REFUSED(
	    nobody, plugin, 1, false, PR_CANNOT_TELL, PR_REASON_CANNOT_TELL);
	REFUSED(nobody, plugin, 1, true, PR_YES, PR_REASON_NONE);
	REFUSED(nobody, plugin, 0, false, PR_YES, PR_REASON_NONE);
	REFUSED(nobody, proxy, 1, false, PR_YES, PR_REASON_NONE);
	REFUSED(alice, plugin, 1, false, PR_YES, PR_REASON_NONE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("teams");
	TCase *t = tcase_create("teams");

	tcase_add_loop_test(t, teams_of_a_certificate, 0, PR_COUNT(rows));
	tcase_add_test(t, volumes_that_nobody_named);
	tcase_add_test(t, who_may_be_anonymous);
	suite_add_tcase(s, t);
	return unit_run(s);
}
