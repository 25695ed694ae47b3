/* SPDX-License-Identifier: Apache-2.0 */
/* Builds (docs/semantics.md 5.11, 11): what their query says. */
#include "profile.h"

enum pr_tri
judge_build_remote(struct judging *j)
{
	char name[SHOWN + 4];

	if (j->spec->remote.n == 0 ||
	    (url_is_plain(j->spec->remote) &&
		list_matches(j, j->spec->remote, '/')))
		return PR_YES;
	return judge_no(
	    j, "the query key remote is %s", shown(j->spec->remote, name));
}

/* What env.forbid names, or these where it names nothing. */
static bool
is_secret(const struct judging *j, struct pr_str name)
{
	static const struct pr_str usual[] = {
	    {"*PASSWORD*", 10}, {"*SECRET*", 8}, {"*TOKEN*", 7}};
	const struct pr_leaf *forbid = &j->profile->leaf[PR_KEY_ENV_FORBID];
	struct pr_strs patterns = {usual, PR_COUNT(usual)};

	if (forbid->made && forbid->list.n > 0)
		patterns = forbid->list;
	for (size_t i = 0; i < patterns.n; i++) {
		if (pr_glob_nocase(patterns.v[i], name, '\0'))
			return true;
	}
	return false;
}

/* Build arguments stand in the image's history, for everybody to read. */
enum pr_tri
judge_build_secrets(struct judging *j)
{
	char name[SHOWN + 4];

	for (size_t i = 0; i < j->spec->build_args.n && !j->leaf->b; i++) {
		struct pr_str key = j->spec->build_args.v[i].key;

		if (is_secret(j, key))
			return judge_no(j, "the query key buildargs sets %s",
			    shown(key, name));
	}
	return PR_YES;
}

enum pr_tri
judge_build_opaque(struct judging *j)
{
	if (j->spec->opaque == NULL || j->leaf->b)
		return PR_YES;
	return judge_no(
	    j, "%s of a build cannot be looked into", j->spec->opaque);
}
