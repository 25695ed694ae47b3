/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tests that a policy carries (docs/semantics.md 7): each is a request
 * with a subject and given objects, decided by the policy itself, without a
 * daemon or a directory.
 */
#ifndef PR_POLICYTEST_H
#define PR_POLICYTEST_H

#include <portreeve/decide.h>
#include <portreeve/policy.h>

struct pr_test_result {
	const struct pr_policy_test *test;
	bool passed;
	const char
	    *got; /* "deny, profile, baseline.privileged"; in the arena */
	const char *what; /* why, as the decision says it; in the arena */
	/* what decided; of a test that could not be asked: nothing */
	struct pr_decision decision;
};

/* Runs one test; the result's strings live in the arena. */
void pr_policy_test_run(const struct pr_policy *p,
    const struct pr_policy_test *t, struct pr_arena *a,
    struct pr_test_result *out);
/*
 * Runs all; a failing test is an error in ds at its place.  Returns how many
 * failed.
 */
size_t pr_policy_tests_run(const struct pr_policy *p, struct pr_diags *ds);

/* "alice@pay+ops": who, with the teams of that name.  False: no such team. */
bool pr_who_read(const struct pr_policy *p, struct pr_arena *a,
    struct pr_str as, struct pr_who *who, struct pr_str *unknown);

#endif /* PR_POLICYTEST_H */
