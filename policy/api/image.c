/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <portreeve/image.h>

#define HEX64    64
#define NAME_CAP 255

static bool
is_hex(struct pr_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return s.n > 0;
}

static bool
is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* [a-z0-9]+ joined by '.', '_', "__" or dashes (reference.go, pathComponent) */
static bool
component_ok(struct pr_str s)
{
	size_t i = 0;

	while (i < s.n && is_lower_alnum(s.p[i])) {
		while (i < s.n && is_lower_alnum(s.p[i]))
			i++;
		if (i == s.n)
			return true;
		if (s.p[i] == '-') {
			while (i < s.n && s.p[i] == '-')
				i++;
		} else if (s.p[i] == '_') {
			i += i + 1 < s.n && s.p[i + 1] == '_' ? 2 : 1;
		} else if (s.p[i] == '.') {
			i++;
		}
	}
	return false;
}

static bool
path_ok(struct pr_str path)
{
	do {
		if (!component_ok(pr_str_cut(&path, '/')))
			return false;
	} while (path.p != NULL);
	return true;
}

static bool
label_ok(struct pr_str s)
{
	if (s.n == 0 || !is_alnum(s.p[0]) || !is_alnum(s.p[s.n - 1]))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_alnum(s.p[i]) && s.p[i] != '-')
			return false;
	}
	return true;
}

/* host[:port], letters, digits, '-' and '.'; IPv6 in brackets is refused */
static bool
domain_ok(struct pr_str s)
{
	struct pr_str port = s, host = pr_str_cut(&port, ':');

	if (s.n == 0 || (port.p != NULL && port.n == 0))
		return false;
	for (size_t i = 0; port.p != NULL && i < port.n; i++) {
		if (port.p[i] < '0' || port.p[i] > '9')
			return false;
	}
	do {
		if (!label_ok(pr_str_cut(&host, '.')))
			return false;
	} while (host.p != NULL);
	return true;
}

static bool
tag_ok(struct pr_str s)
{
	if (s.n == 0 || s.n > 128 || (!is_alnum(s.p[0]) && s.p[0] != '_'))
		return false;
	for (size_t i = 1; i < s.n; i++) {
		if (!is_alnum(s.p[i]) && strchr("_.-", s.p[i]) == NULL)
			return false;
	}
	return true;
}

/*
 * What ParseAnyReference of distribution takes for an id before it looks for a
 * name: 64 hex digits, a digest of any algorithm it knows; moby's image store
 * also takes the beginning of one after "sha256:".
 */
static bool
is_id(struct pr_str s)
{
	static const struct {
		const char *algorithm;
		size_t digits;
	} digests[] = {{"sha384:", 96}, {"sha512:", 128}};

	if ((s.n == HEX64 && is_hex(s)) || pr_str_starts(s, "sha256:"))
		return true;
	for (size_t i = 0; i < PR_COUNT(digests); i++) {
		if (pr_str_starts(s, digests[i].algorithm) &&
		    s.n == 7 + digests[i].digits &&
		    is_hex(pr_str_sub(s, 7, s.n)))
			return true;
	}
	return false;
}

static bool
digest_ok(struct pr_str s)
{
	return s.n == 7 + HEX64 && pr_str_starts(s, "sha256:") &&
	    is_hex(pr_str_sub(s, 7, s.n));
}

/* A first component is a registry if it cannot be anything else. */
static bool
is_domain(struct pr_str s)
{
	bool upper = false;

	for (size_t i = 0; i < s.n; i++)
		upper = upper || (s.p[i] >= 'A' && s.p[i] <= 'Z');
	return pr_str_find(s, '.') < s.n || pr_str_find(s, ':') < s.n ||
	    pr_str_is(s, "localhost") || upper;
}

static bool
read_name(struct pr_arena *a, struct pr_str name, struct pr_image *image)
{
	size_t slash = pr_str_find(name, '/');
	struct pr_str domain = PR_STR("docker.io"), path = name;

	if (slash < name.n && is_domain(pr_str_sub(name, 0, slash))) {
		domain = pr_str_sub(name, 0, slash);
		path = pr_str_sub(name, slash + 1, name.n);
	}
	if (pr_str_is(domain, "index.docker.io"))
		domain = PR_STR("docker.io");
	if (!domain_ok(domain) || !path_ok(path) ||
	    domain.n + 1 + path.n > NAME_CAP)
		return false;

	bool official =
	    pr_str_is(domain, "docker.io") && pr_str_find(path, '/') == path.n;

	struct pr_str library = official ? PR_STR("library/") : PR_STR("");
	size_t n = domain.n + 1 + library.n + path.n;
	char *out = pr_arena_bytes(a, n);

	memcpy(out, domain.p, domain.n);
	out[domain.n] = '/';
	memcpy(out + domain.n + 1, library.p, library.n);
	memcpy(out + domain.n + 1 + library.n, path.p, path.n);
	image->name = (struct pr_str){out, n};
	return true;
}

/* Cuts ":tag" off a name: a ':' after the last '/'. */
static struct pr_str
cut_tag(struct pr_str *name)
{
	struct pr_str none = {NULL, 0};

	for (size_t at = name->n; at > 0 && name->p[at - 1] != '/'; at--) {
		if (name->p[at - 1] == ':') {
			struct pr_str tag = pr_str_sub(*name, at, name->n);

			*name = pr_str_sub(*name, 0, at - 1);
			return tag.n > 0 ? tag : PR_STR("");
		}
	}
	return none;
}

struct pr_image
pr_image_read(struct pr_arena *a, struct pr_str text)
{
	struct pr_image image = {.form = PR_IMAGE_INVALID};
	struct pr_str digest = text, name, tag;

	if (text.n == 0 || text.n > 4096 || !pr_str_printable(text))
		return image;
	if (is_id(text)) {
		image.form = PR_IMAGE_ID;
		return image;
	}
	name = pr_str_cut(&digest, '@');
	if (digest.p != NULL && !digest_ok(digest))
		return image;
	tag = cut_tag(&name);
	if (tag.p != NULL && !tag_ok(tag))
		return image;
	if (!read_name(a, name, &image))
		return image;
	image.tag = tag;
	image.digest = digest;
	image.form = is_hex(text) ? PR_IMAGE_EITHER : PR_IMAGE_NAME;
	return image;
}

/* The part of a pattern that is a registry, or empty. */
static struct pr_str
registry_of(struct pr_str pattern)
{
	size_t slash = pr_str_find(pattern, '/');
	struct pr_str first = pr_str_sub(pattern, 0, slash);

	return slash < pattern.n && is_domain(first) ? first : PR_STR("");
}

struct pr_str
pr_image_spell(struct pr_str pattern, char *buf, size_t len)
{
	struct pr_str registry = registry_of(pattern), path = pattern, name;
	int n;

	if (registry.n > 0 && !pr_str_is(registry, "docker.io") &&
	    !pr_str_is(registry, "index.docker.io"))
		return pattern;
	if (registry.n > 0)
		path = pr_str_sub(pattern, registry.n + 1, pattern.n);
	name = path;
	name = pr_str_cut(&name, '@');
	if (registry.n == 0 && pr_str_starts(name, "**"))
		return pattern;
	n = snprintf(buf, len, "docker.io/%s%.*s",
	    pr_str_find(name, '/') < name.n || pr_str_starts(name, "**")
		? ""
		: "library/",
	    PR_STRF(path));
	if (n < 0 || (size_t)n >= len)
		return PR_STR("");
	return (struct pr_str){buf, (size_t)n};
}

bool
pr_image_match(struct pr_str pattern, const struct pr_image *image)
{
	struct pr_str digest = pattern, name = pr_str_cut(&digest, '@');
	struct pr_str tag = cut_tag(&name);

	if (image->name.n == 0 || !pr_glob(name, image->name, '/'))
		return false;
	if (digest.p != NULL)
		return image->digest.n > 0 &&
		    pr_glob(digest, image->digest, '\0');
	if (tag.p == NULL)
		return true;
	/* the daemon looks at the digest alone when there is one */
	return image->digest.n == 0 &&
	    pr_glob(
		tag, image->tag.n > 0 ? image->tag : PR_STR("latest"), '\0');
}

bool
pr_image_match_all_tags(struct pr_str pattern, const struct pr_image *image)
{
	struct pr_str digest = pattern, name = pr_str_cut(&digest, '@');
	struct pr_str tag = cut_tag(&name);

	return image->name.n > 0 && digest.p == NULL &&
	    (tag.p == NULL || pr_str_is(tag, "*")) &&
	    pr_glob(name, image->name, '/');
}
