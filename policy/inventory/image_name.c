/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "local.h"

/* The parts of a reference, by the rules of the distribution's grammar. */
struct image_name {
	struct pr_str domain, path, tag, digest;
	bool library; /* "library/" is to be thought before the path */
};

static bool
is_domain(struct pr_str first)
{
	return pr_str_find(first, '.') < first.n ||
	    pr_str_find(first, ':') < first.n || pr_str_is(first, "localhost");
}

static struct image_name
split(struct pr_str s)
{
	struct image_name n = {.domain = PR_STR("docker.io")};
	struct pr_str digest = s, rest = pr_str_cut(&digest, '@');
	size_t slash = pr_str_find(rest, '/'), colon = rest.n;

	if (digest.p != NULL)
		n.digest = digest;
	if (slash < rest.n && is_domain(pr_str_sub(rest, 0, slash))) {
		n.domain = pr_str_sub(rest, 0, slash);
		rest = pr_str_sub(rest, slash + 1, rest.n);
	}
	if (pr_str_is(n.domain, "index.docker.io"))
		n.domain = PR_STR("docker.io");
	for (size_t i = rest.n; i > 0 && rest.p[i - 1] != '/'; i--)
		if (rest.p[i - 1] == ':')
			colon = i - 1;
	n.path = pr_str_sub(rest, 0, colon);
	/* where a digest is given the tag says nothing */
	if (n.digest.n == 0)
		n.tag = colon < rest.n ? pr_str_sub(rest, colon + 1, rest.n)
				       : PR_STR("latest");
	n.library = pr_str_is(n.domain, "docker.io") &&
	    pr_str_find(n.path, '/') == n.path.n;
	return n;
}

static struct pr_str
without_library(const struct image_name *n)
{
	if (pr_str_is(n->domain, "docker.io") &&
	    pr_str_starts(n->path, "library/"))
		return pr_str_sub(n->path, strlen("library/"), n->path.n);
	return n->path;
}

static bool
in_library(const struct image_name *n)
{
	return n->library ||
	    (pr_str_is(n->domain, "docker.io") &&
		pr_str_starts(n->path, "library/"));
}

bool
image_name_eq(struct pr_str a, struct pr_str b)
{
	struct image_name x = split(a), y = split(b);

	return pr_str_eq(x.domain, y.domain) &&
	    in_library(&x) == in_library(&y) &&
	    pr_str_eq(without_library(&x), without_library(&y)) &&
	    pr_str_eq(x.tag, y.tag) && pr_str_eq(x.digest, y.digest);
}
