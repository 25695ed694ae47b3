/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/clock.h>

#include "local.h"

void
pr_directory_defaults(struct pr_directory_config *c)
{
	*c = (struct pr_directory_config){0};
	c->user.filter.s = "(objectClass=*)";
	c->user.name.s = "uid";
	c->group.filter.s = "(objectClass=*)";
	c->group.member.s = "member";
	c->group.name.s = "cn";
	c->group.nested = PR_NESTED_NONE;
	c->group.depth = 5;
	c->timeouts.connect = PR_SEC;
	c->timeouts.search = PR_SEC;
	c->cache.ttl = 60 * PR_SEC;
	c->cache.negative_ttl = 10 * PR_SEC;
}

static bool
given(const struct pr_directory_text *t)
{
	return t->s != NULL && t->s[0] != '\0';
}

/* 127/8, ::1 and localhost, without or with a port. */
static bool
is_loopback(struct pr_str host)
{
	if (pr_str_is_nocase(host, "localhost") || pr_str_is(host, "[::1]"))
		return true;
	if (!pr_str_starts(host, "127."))
		return false;
	for (size_t i = 0; i < host.n; i++) {
		if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9'))
			return false; /* 127.0.0.1.example.com */
	}
	return true;
}

static bool
read_host(struct pr_str rest, struct uri *u, const char **why)
{
	struct pr_str host = rest, port = {NULL, 0};
	size_t end = pr_str_find(rest, ']');
	uint64_t number = 1;

	*why = "after the host only a port may follow";
	if (rest.n > 0 && rest.p[rest.n - 1] == '/')
		host.n--;
	if (host.n > 0 && host.p[0] == '[') {
		if (end >= host.n)
			return false;
		port = pr_str_sub(host, end + 1, host.n);
		host = pr_str_sub(host, 0, end + 1);
		if (port.n > 0 && port.p[0] != ':')
			return false;
		port = pr_str_sub(port, 1, port.n);
	} else if (pr_str_find(host, ':') < host.n) {
		port = host;
		host = pr_str_cut(&port, ':');
		if (port.n == 0)
			return false;
	}
	for (size_t i = 0; i < host.n; i++) {
		if (strchr("/?#@% ,", host.p[i]) != NULL)
			return false;
	}
	if (port.n > 0 && !pr_str_u64(port, &number))
		return false;
	if (number == 0 || number > 65535) {
		*why = "there is no such port";
		return false;
	}
	if (host.n == 0) {
		*why = "the host is missing";
		return false;
	}
	u->loopback = is_loopback(host);
	return true;
}

bool
dir_uri_read(const char *s, struct uri *u, const char **why)
{
	static const char *const schemes[] = {
	    "ldap://", "ldaps://", "ldapi://"};

	*u = (struct uri){0};
	for (size_t i = 0; i < PR_COUNT(schemes); i++) {
		struct pr_str uri = pr_str_of(s);
		size_t n = strlen(schemes[i]);

		if (!pr_str_starts(uri, schemes[i]))
			continue;
		if (!pr_str_printable(uri))
			break;
		u->scheme = i == 0 ? URI_LDAP : i == 1 ? URI_LDAPS : URI_LDAPI;
		if (u->scheme != URI_LDAPI)
			return read_host(pr_str_sub(uri, n, uri.n), u, why);
		u->loopback = true;
		*why = "the socket's path is missing (its slashes as %2F)";
		return uri.n > n && strchr(s + n, '/') == NULL;
	}
	*why = "it begins with none of ldaps://, ldap://, ldapi://";
	return false;
}

static void
check_dn(
    const struct pr_directory_text *t, const char *key, struct pr_diags *ds)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	if (given(t) && !pr_dn_normalise(pr_str_of(t->s), &b))
		pr_diags_add(ds, PR_ERROR, t->loc, NULL,
		    "directory.%s: \"%s\" is not a distinguished name", key,
		    t->s);
}

static void
check_filter(const struct pr_directory_config *c,
    const struct pr_directory_text *t, const char *key, struct pr_diags *ds)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(1024);
	struct filter f;
	const char *why;
	size_t at;

	if (!given(t))
		pr_diags_add(ds, PR_ERROR, t->loc, "(objectClass=*) is any",
		    "directory.%s: a filter is missing", key);
	else if (!dir_filter_parse(a, pr_str_of(t->s), &f, &at, &why))
		pr_diags_add(ds, PR_ERROR, t->loc, NULL,
		    "directory.%s: \"%.*s\" and then: %s", key, (int)at, t->s,
		    why);
	else if (f.extensible && c->type == PR_DIRECTORY_LDIF)
		pr_diags_add(ds, PR_ERROR, t->loc, NULL,
		    "directory.%s: an LDIF file has no matching rules", key);
}

static void
check_type(
    const struct pr_directory_text *t, const char *key, struct pr_diags *ds)
{
	char name[PR_DN_TYPE_MAX];

	if (t->s == NULL || strchr(t->s, ';') != NULL ||
	    !pr_dn_type(pr_str_of(t->s), name))
		pr_diags_add(ds, PR_ERROR, t->loc, NULL,
		    "directory.%s: \"%s\" is not an attribute's name", key,
		    t->s != NULL ? t->s : "");
}

/* True if this server's answers come through TLS. */
static void
check_uri(const struct pr_directory_config *c,
    const struct pr_directory_text *t, bool *tls, struct pr_diags *ds)
{
	const char *why;
	struct uri u;

	if (t->s == NULL || !dir_uri_read(t->s, &u, &why)) {
		pr_diags_add(ds, PR_ERROR, t->loc, "ldaps://ldap.example.com",
		    "directory.uri: \"%s\": %s", t->s != NULL ? t->s : "",
		    t->s != NULL ? why : "a URI is missing");
		return;
	}
	*tls |= u.scheme == URI_LDAPS || (u.scheme == URI_LDAP && c->starttls);
	if (u.scheme == URI_LDAPS && c->starttls)
		pr_diags_add(ds, PR_ERROR, t->loc,
		    "ldaps:// has TLS from the start; StartTLS is for ldap://",
		    "directory.uri: %s together with starttls", t->s);
	if (u.scheme == URI_LDAP && !c->starttls && !u.loopback)
		pr_diags_add(ds, PR_ERROR, t->loc,
		    "write ldaps://, or add starttls: true",
		    "directory.uri: %s without TLS: whoever is on the way "
		    "could say who is in which team",
		    t->s);
	if (u.scheme != URI_LDAPI && c->bind.method == PR_BIND_EXTERNAL)
		pr_diags_add(ds, PR_ERROR, t->loc, NULL,
		    "directory.bind.method: external is for ldapi:// (%s has "
		    "no idea who we are)",
		    t->s);
}

static void
check_bind(const struct pr_directory_config *c, struct pr_diags *ds)
{
	bool simple = c->bind.method == PR_BIND_SIMPLE;

	if (simple && !given(&c->bind.dn))
		pr_diags_add(ds, PR_ERROR, c->bind.loc, NULL,
		    "directory.bind: method simple needs dn");
	if (simple && !given(&c->bind.password_file))
		pr_diags_add(ds, PR_ERROR, c->bind.loc,
		    "a bind without a password is an anonymous one",
		    "directory.bind: method simple needs password_file");
	if (!simple && c->bind.dn.s != NULL)
		pr_diags_add(ds, PR_ERROR, c->bind.dn.loc, NULL,
		    "directory.bind.dn is for method simple");
	if (!simple && c->bind.password_file.s != NULL)
		pr_diags_add(ds, PR_ERROR, c->bind.password_file.loc, NULL,
		    "directory.bind.password_file is for method simple");
	check_dn(&c->bind.dn, "bind.dn", ds);
}

static void
check_ldap(const struct pr_directory_config *c, struct pr_diags *ds)
{
	bool tls = false;

	if (c->n_uri == 0)
		pr_diags_add(ds, PR_ERROR, c->loc, NULL,
		    "directory: type ldap needs uri");
	for (size_t i = 0; i < c->n_uri; i++)
		check_uri(c, &c->uri[i], &tls, ds);
	if (tls && !given(&c->tls.ca))
		pr_diags_add(ds, PR_ERROR,
		    c->tls.ca.loc.line > 0 ? c->tls.ca.loc : c->loc,
		    "tls: {ca: FILE}, the CA that signed the servers",
		    "directory: TLS needs tls.ca");
	if (c->file.s != NULL)
		pr_diags_add(ds, PR_ERROR, c->file.loc, NULL,
		    "directory.file is for type ldif");
	if (!given(&c->user.base))
		pr_diags_add(ds, PR_ERROR, c->loc, NULL,
		    "directory: type ldap needs user.base");
	if (!given(&c->group.base))
		pr_diags_add(ds, PR_ERROR, c->loc, NULL,
		    "directory: type ldap needs group.base");
	check_bind(c, ds);
}

static void
check_ldif(const struct pr_directory_config *c, struct pr_diags *ds)
{
	if (!given(&c->file))
		pr_diags_add(ds, PR_ERROR, c->loc, NULL,
		    "directory: type ldif needs file");
	if (c->n_uri > 0)
		pr_diags_add(ds, PR_ERROR, c->uri[0].loc, NULL,
		    "directory.uri is for type ldap");
	if (c->starttls || c->tls.ca.s != NULL ||
	    c->bind.method != PR_BIND_NONE)
		pr_diags_add(ds, PR_ERROR, c->loc, NULL,
		    "directory: starttls, tls and bind are for type ldap");
}

static void
check_group(const struct pr_directory_config *c, struct pr_diags *ds)
{
	char name[PR_DN_TYPE_MAX];

	check_dn(&c->group.base, "group.base", ds);
	check_filter(c, &c->group.filter, "group.filter", ds);
	check_type(&c->group.member, "group.member", ds);
	check_type(&c->group.name, "group.name", ds);
	if (c->group.depth < 1 || c->group.depth > PR_CAP_NESTING)
		pr_diags_add(ds, PR_ERROR, c->group.nested_loc, NULL,
		    "directory.group.depth: %u is not in 1..%d", c->group.depth,
		    PR_CAP_NESTING);
	if (c->group.member.s == NULL ||
	    !pr_dn_type(pr_str_of(c->group.member.s), name))
		return;
	if (c->group.nested != PR_NESTED_NONE &&
	    dir_attribute_syntax(name) != SYNTAX_DN)
		pr_diags_add(ds, PR_ERROR, c->group.nested_loc, "nested: none",
		    "directory.group.nested: %s names users, not groups",
		    c->group.member.s);
}

static void
check_time(uint64_t ns, uint64_t min, uint64_t max, struct pr_loc loc,
    const char *key, struct pr_diags *ds)
{
	if (ns < min || ns > max)
		pr_diags_add(ds, PR_ERROR, loc, NULL,
		    "directory.%s: %llu ms is not in %llu ms..%llu s", key,
		    (unsigned long long)(ns / PR_MS),
		    (unsigned long long)(min / PR_MS),
		    (unsigned long long)(max / PR_SEC));
}

bool
pr_directory_check(const struct pr_directory_config *c, struct pr_diags *ds)
{
	size_t before = pr_diags_count(ds, PR_ERROR);

	switch (c->type) {
	case PR_DIRECTORY_LDIF:
		check_ldif(c, ds);
		break;
	case PR_DIRECTORY_LDAP:
		check_ldap(c, ds);
		break;
	case PR_DIRECTORY_UNSET:
		pr_diags_add(ds, PR_ERROR, c->loc, NULL,
		    "directory: type is missing: ldif or ldap");
		break;
	}
	check_dn(&c->user.base, "user.base", ds);
	check_filter(c, &c->user.filter, "user.filter", ds);
	check_type(&c->user.name, "user.name", ds);
	check_group(c, ds);
	check_time(c->timeouts.connect, 10 * PR_MS, 60 * PR_SEC,
	    c->timeouts_loc, "timeouts.connect", ds);
	check_time(c->timeouts.search, 10 * PR_MS, 60 * PR_SEC, c->timeouts_loc,
	    "timeouts.search", ds);
	check_time(
	    c->cache.ttl, 0, 86400 * PR_SEC, c->cache_loc, "cache.ttl", ds);
	check_time(c->cache.negative_ttl, 10 * PR_MS, 3600 * PR_SEC,
	    c->cache_loc, "cache.negative_ttl", ds);
	check_time(c->cache.stale_ok, 0, 604800 * PR_SEC, c->cache_loc,
	    "cache.stale_ok", ds);
	return pr_diags_count(ds, PR_ERROR) == before;
}

static void
copy_text(struct pr_arena *a, struct pr_directory_text *t)
{
	t->s = pr_arena_strdup(a, pr_str_of(t->s));
	if (t->loc.file != NULL)
		t->loc.file = pr_arena_strdup(a, pr_str_of(t->loc.file));
}

struct pr_directory_config *
dir_config_copy(struct pr_arena *a, const struct pr_directory_config *from)
{
	struct pr_directory_config *c = pr_arena_alloc(a, sizeof *c);
	struct pr_directory_text *uri;

	*c = *from;
	uri = pr_arena_array(a, from->n_uri, sizeof *uri);
	for (size_t i = 0; i < from->n_uri; i++) {
		uri[i] = from->uri[i];
		copy_text(a, &uri[i]);
	}
	c->uri = uri;
	copy_text(a, &c->file);
	copy_text(a, &c->tls.ca);
	copy_text(a, &c->bind.dn);
	copy_text(a, &c->bind.password_file);
	copy_text(a, &c->user.base);
	copy_text(a, &c->user.filter);
	copy_text(a, &c->user.name);
	copy_text(a, &c->group.base);
	copy_text(a, &c->group.filter);
	copy_text(a, &c->group.member);
	copy_text(a, &c->group.name);
	/* places of blocks are for the check, which is over */
	c->loc = c->starttls_loc = c->bind.loc = c->group.nested_loc =
	    c->timeouts_loc = c->cache_loc = (struct pr_loc){0};
	return c;
}
