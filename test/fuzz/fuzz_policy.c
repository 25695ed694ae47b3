/* SPDX-License-Identifier: Apache-2.0 */
/* A policy of any bytes: refused, or printed and read as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>
#include <portreeve/policy.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
nothing(void *arg, unsigned team)
{
	(void)arg;
	(void)team;
}

static void
use(const struct pr_policy *p)
{
	pr_policy_teams_of_group(p, PR_STR("cn=pay,dc=acme"), nothing, NULL);
	(void)pr_policy_host(p, PR_STR("prod-1"));
	for (size_t i = 0; i < p->n_phases; i++)
		(void)pr_phase_frozen(
		    &p->phases[i], 1784296800 * (int64_t)PR_SEC);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_buf_fini) struct pr_buf out = PR_BUF_INIT;
	PR_CLEANUP(pr_policy_unrefp) struct pr_policy *p = NULL;
	PR_CLEANUP(pr_policy_unrefp) struct pr_policy *q = NULL;

	p = pr_policy_parse(
	    "fuzz", (struct pr_str){(const char *)data, size}, ds);
	pr_diags_format(ds, &out);
	if ((p == NULL) != (pr_diags_count(ds, PR_ERROR) > 0))
		abort();
	if (p == NULL)
		return 0;
	use(p);
	pr_buf_reset(&out);
	pr_policy_print(p, &out);
	q = pr_policy_parse("again", pr_buf_view(&out), ds);
	if (q == NULL || strcmp(p->hash, q->hash) != 0)
		abort();
	return 0;
}
