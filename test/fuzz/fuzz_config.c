/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration of any bytes: refused with a reason, or whole. */
#include <stdint.h>
#include <stdlib.h>

#include <portreeve/config.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_buf_fini) struct pr_buf out = PR_BUF_INIT;
	struct pr_config c;
	int rc = pr_config_parse("/etc/fuzz.yaml",
	    (struct pr_str){(const char *)data, size}, a, &c, ds);

	pr_diags_format(ds, &out);
	if ((rc != 0) != (pr_diags_count(ds, PR_ERROR) > 0))
		abort();
	if (rc == 0 &&
	    (c.policy == NULL || c.plugin.socket == NULL ||
		c.plugin.deadline == 0 || c.plugin.n_peer_uids == 0 ||
		c.daemon.name == NULL || c.audit.dir == NULL))
		abort();
	return 0;
}
