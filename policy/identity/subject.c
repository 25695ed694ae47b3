/* SPDX-License-Identifier: Apache-2.0 */
#include <portreeve/subject.h>

#include "rules.h"

const struct pr_subject pr_subject_anonymous = {
    .how = PR_SUBJECT_ANONYMOUS,
    .name = {"anonymous", 9},
    .id = {"anonymous", 9},
};

const struct pr_subject pr_subject_unmapped = {
    .how = PR_SUBJECT_UNMAPPED,
    .id = {"unmapped", 8},
};

const char *
pr_subject_how_name(enum pr_subject_how how)
{
	static const char *const names[] = {
	    [PR_SUBJECT_UNMAPPED] = "unmapped",
	    [PR_SUBJECT_CERT] = "cert",
	    [PR_SUBJECT_USER] = "user",
	    [PR_SUBJECT_UID] = "uid",
	    [PR_SUBJECT_ANONYMOUS] = "anonymous",
	};

	return (size_t)how < PR_COUNT(names) ? names[how] : names[0];
}

void
owner_ref(struct pr_subject_owner *o)
{
	__atomic_fetch_add(&o->refs, 1, __ATOMIC_RELAXED);
}

void
owner_unref(struct pr_subject_owner *o)
{
	/* the last one sees everything that the others did before */
	if (__atomic_fetch_sub(&o->refs, 1, __ATOMIC_ACQ_REL) == 1)
		pr_arena_free(o->arena); /* the owner lives in it */
}

const struct pr_subject *
pr_subject_ref(const struct pr_subject *s)
{
	if (s->owner != NULL)
		owner_ref(s->owner);
	return s;
}

void
pr_subject_unref(const struct pr_subject *s)
{
	if (s != NULL && s->owner != NULL)
		owner_unref(s->owner);
}

void
pr_subject_unrefp(const struct pr_subject **s)
{
	pr_subject_unref(*s);
	*s = NULL;
}
