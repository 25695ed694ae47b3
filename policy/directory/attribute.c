/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "local.h"

/* Attributes whose values are not compared as words; sorted. */
static const struct {
	const char *name;
	enum syntax syntax;
} attributes[] = {
    {"creatorsname", SYNTAX_DN},
    {"distinguishedname", SYNTAX_DN},
    {"entrydn", SYNTAX_DN},
    {"gidnumber", SYNTAX_EXACT},
    {"homedirectory", SYNTAX_EXACT},
    {"loginshell", SYNTAX_EXACT},
    {"manager", SYNTAX_DN},
    {"member", SYNTAX_DN},
    {"memberof", SYNTAX_DN},
    {"memberuid", SYNTAX_EXACT},
    {"modifiersname", SYNTAX_DN},
    {"objectclass", SYNTAX_CLASS},
    {"owner", SYNTAX_DN},
    {"roleoccupant", SYNTAX_DN},
    {"secretary", SYNTAX_DN},
    {"seealso", SYNTAX_DN},
    {"uidnumber", SYNTAX_EXACT},
    {"uniquemember", SYNTAX_DN},
    {"usercertificate", SYNTAX_EXACT},
    {"userpassword", SYNTAX_EXACT},
};

static int
by_name(const void *key, const void *row)
{
	return strcmp(key, *(const char *const *)row);
}

enum syntax
dir_attribute_syntax(const char *name)
{
	size_t row = sizeof attributes[0];
	const char *hit =
	    bsearch(name, attributes, PR_COUNT(attributes), row, by_name);

	if (hit == NULL)
		return SYNTAX_FOLD;
	return attributes[(size_t)(hit - (const char *)attributes) / row]
	    .syntax;
}

void
dir_attribute_form(enum syntax s, struct pr_str value, struct pr_buf *out)
{
	switch (s) {
	case SYNTAX_EXACT:
		pr_buf_str(out, value);
		break;
	case SYNTAX_DN:
		if (!pr_dn_normalise(value, out))
			pr_buf_cstr(out, "");
		break;
	case SYNTAX_FOLD:
	case SYNTAX_CLASS:
		pr_dn_fold(value, out);
		break;
	}
}

/* RFC 4519, 2798, 2307: (objectClass=person) finds inetOrgPerson as well. */
static const struct {
	const char *sub, *super;
} classes[] = {
    {"inetorgperson", "organizationalperson"},
    {"organizationalperson", "person"},
    {"pilotperson", "person"},
    {"residentialperson", "person"},
    {"user", "organizationalperson"},
};

bool
dir_class_is(struct pr_str sub, struct pr_str super)
{
	if (sub.n == 0)
		return false;
	for (size_t i = 0; i < PR_COUNT(classes); i++) {
		if (pr_str_eq(sub, super) || pr_str_is(super, "top"))
			return true;
		if (pr_str_is(sub, classes[i].sub)) {
			sub = pr_str_of(classes[i].super);
			i = (size_t)-1;
		}
	}
	return pr_str_eq(sub, super);
}
