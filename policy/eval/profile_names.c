/* SPDX-License-Identifier: Apache-2.0 */
/* Names of images that a request pulls, gives, takes away or sends (5.9). */
#include <string.h>

#include "profile.h"

/* Every name that the request does this with is allowed by the key. */
static enum pr_tri
judge_names(struct judging *j, enum pr_image_act act)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(1024);
	char name[SHOWN + 4];

	for (size_t i = 0; i < j->spec->n_names; i++) {
		const struct pr_image_name *n = &j->spec->names[i];
		struct pr_image image;

		if (n->act != act)
			continue;
		image = pr_image_read(a, n->text);
		if (n->all_tags ? !image_tags_allowed(j, &image)
				: !image_name_allowed(j, &image))
			return judge_no(j, "%s is %s%s", n->field,
			    shown(n->text, name),
			    n->all_tags ? " with all its tags" : "");
	}
	return PR_YES;
}

/* What is pulled, and the image that gets one more name. */
enum pr_tri
judge_images_source(struct judging *j)
{
	if (j->spec->image_ref >= 0 && !j->spec->removes_image) {
		enum pr_tri t = judge_image(j, false);

		if (t != PR_YES)
			return t;
	}
	return judge_names(j, PR_IMAGE_PULLED);
}

enum pr_tri
judge_images_write(struct judging *j)
{
	if (j->spec->names_unseen && !list_has(j->leaf, "**"))
		return judge_no(j, "the names lie in the tar");
	if (j->spec->removes_image)
		return judge_image(j, true);
	return judge_names(j, PR_IMAGE_WRITTEN);
}

enum pr_tri
judge_images_push(struct judging *j)
{
	return judge_names(j, PR_IMAGE_PUSHED);
}

/* "%2e", "%2f", "%5c": what a server may read as another path. */
static bool
is_sly_escape(const char *p, size_t n)
{
	static const char *const sly[] = {"%2e", "%2f", "%5c", "%25"};

	for (size_t i = 0; n >= 3 && i < PR_COUNT(sly); i++) {
		if (strncasecmp(p, sly[i], 3) == 0)
			return true;
	}
	return false;
}

static bool
is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' ||
	    c == '_';
}

bool
url_is_plain(struct pr_str url)
{
	struct pr_str rest, host;

	if (!pr_str_printable(url))
		return false;
	for (size_t i = 0; i < url.n; i++) {
		if (url.p[i] == ' ' || url.p[i] == '\\' ||
		    is_sly_escape(url.p + i, url.n - i))
			return false;
	}
	if (pr_str_starts(url, "http://"))
		rest = pr_str_sub(url, 7, url.n);
	else if (pr_str_starts(url, "https://"))
		rest = pr_str_sub(url, 8, url.n);
	else
		return false;
	host = pr_str_cut(&rest, '/');
	for (size_t i = 0; i < host.n; i++) {
		if (!is_host_char(host.p[i]))
			return false;
	}
	while (rest.p != NULL) {
		struct pr_str part = pr_str_cut(&rest, '/');
		size_t hash = pr_str_find(part, '#');

		/* what git would take for an option */
		if (hash + 1 < part.n && part.p[hash + 1] == '-')
			return false;

		if (pr_str_is(part, ".") || pr_str_is(part, ".."))
			return false;
	}
	return host.n > 0;
}

enum pr_tri
judge_images_from_src(struct judging *j)
{
	char name[SHOWN + 4];

	if (j->spec->from_src.n == 0 ||
	    (url_is_plain(j->spec->from_src) &&
		list_matches(j, j->spec->from_src, '/')))
		return PR_YES;
	return judge_no(j, "fromSrc is %s", shown(j->spec->from_src, name));
}
