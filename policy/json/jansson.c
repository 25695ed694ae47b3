/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>

#include <jansson.h>

#include <portreeve/arena.h>
#include <portreeve/jsonout.h>

static void
take_over(void)
{
	json_set_alloc_funcs(pr_xmalloc, free);
}

void
pr_jansson_setup(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, take_over);
}

json_t *
pr_jansson_load(struct pr_str text, struct pr_err **err)
{
	json_error_t why;
	json_t *v;

	pr_jansson_setup();
	v = json_loadb(text.p != NULL ? text.p : "", text.n,
	    JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
	if (v == NULL)
		pr_err_set(err, PR_ERR_INVALID, 0, "%d:%d: %s", why.line,
		    why.column, why.text);
	return v;
}

void
pr_jansson_freep(json_t **v)
{
	json_decref(*v);
	*v = NULL;
}
