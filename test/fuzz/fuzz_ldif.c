/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a directory file, and what must hold of one that was read:
 * every answer is sorted, once each, in normal form.  The bytes are taken for
 * a DN and a filter as well.
 */
#include <stdint.h>
#include <stdlib.h>

#include <portreeve/arena.h>
#include <portreeve/clock.h>
#include <portreeve/directory.h>
#include <portreeve/dn.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_answer(const struct pr_membership *m)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	for (size_t i = 0; i < m->n_groups; i++) {
		if (i > 0 &&
		    pr_str_cmp(m->groups[i - 1].dn, m->groups[i].dn) >= 0)
			abort();
		pr_buf_reset(&b);
		if (!pr_dn_normalise(m->groups[i].dn, &b) ||
		    !pr_str_eq(pr_buf_view(&b), m->groups[i].dn))
			abort();
	}
	if (!m->found && m->n_groups > 0)
		abort();
}

static void
ask(struct pr_directory *d, struct pr_str name, struct pr_str filter)
{
	struct pr_directory_answer a;

	if (pr_directory_lookup(
		d, name, filter, 0, pr_clock_now() + PR_SEC, &a, NULL) == 0)
		check_answer(a.m);
	pr_membership_unref(a.m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pr_str text = {(const char *)data, size};
	struct pr_directory_config c;
	struct pr_diags *ds = pr_diags_new();
	struct pr_directory *d;
	struct pr_buf b = PR_BUF_INIT;

	pr_directory_defaults(&c);
	c.type = PR_DIRECTORY_LDIF;
	c.file.s = "fuzz.ldif";
	c.group.nested = PR_NESTED_EXPAND;
	d = pr_directory_open_ldif(&c, text, ds);
	if ((d == NULL) != (pr_diags_count(ds, PR_ERROR) > 0))
		abort();
	if (d != NULL) {
		ask(d, PR_STR("a"), PR_STR(""));
		ask(d, PR_STR("a"), pr_str_sub(text, 0, 300));
		ask(d, pr_str_sub(text, 0, 20), PR_STR(""));
	}
	if (pr_dn_normalise(text, &b) &&
	    !pr_dn_match(pr_buf_view(&b), pr_buf_view(&b)) && b.n > 0)
		abort();
	pr_buf_fini(&b);
	pr_diags_format(ds, &b);
	pr_buf_fini(&b);
	pr_directory_close(d);
	pr_diags_free(ds);
	return 0;
}
