/* SPDX-License-Identifier: Apache-2.0 */
#include <portreeve/compiler.h>
#include <portreeve/reason.h>

const char *
pr_reason_code(enum pr_reason r)
{
	static const char *const codes[] = {
#define X(id, code) [PR_REASON_##id] = code,
	    PR_REASONS(X)
#undef X
	};

	return (unsigned)r < PR_COUNT(codes) ? codes[r] : codes[PR_REASON_NONE];
}
