/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve.yaml: the directory. */
#include <portreeve/caps.h>

#include "config_local.h"

static struct pr_directory_text
dir_text(
    struct reader *r, const struct ynode *n, struct pr_directory_text otherwise)
{
	if (n == NULL)
		return otherwise;
	return (struct pr_directory_text){config_text_of(r, n), ynode_loc(n)};
}

static struct pr_directory_text
dir_path(
    struct reader *r, const struct ynode *n, struct pr_directory_text otherwise)
{
	if (n == NULL)
		return otherwise;
	return (struct pr_directory_text){
	    config_path_of(r, n, NULL), ynode_loc(n)};
}

/* -- directory -- */

static void
read_uris(struct reader *r, const struct ynode *n)
{
	struct pr_directory_config *d = &r->out->directory;
	struct pr_directory_text *v;

	if (n == NULL)
		return;
	v = pr_arena_array(r->l.arena, n->type == Y_LIST ? n->n : 1, sizeof *v);
	d->uri = v;
	if (n->type == Y_SCALAR) {
		v[d->n_uri++] = (struct pr_directory_text){
		    config_text_of(r, n), ynode_loc(n)};
		return;
	}
	Y_EACH(n, e)
	{
		v[d->n_uri++] = (struct pr_directory_text){
		    config_text_of(r, e), ynode_loc(e)};
	}
}

static void
read_bind(struct reader *r, const struct ynode *n)
{
	struct pr_directory_config *d = &r->out->directory;
	struct raw_bind raw = {0};

	if (!config_block(r, n, &bind_table, &raw))
		return;
	d->bind.loc = ynode_loc(n);
	d->bind.method = pr_str_is(raw.method->s, "simple") ? PR_BIND_SIMPLE
	    : pr_str_is(raw.method->s, "external")          ? PR_BIND_EXTERNAL
							    : PR_BIND_NONE;
	d->bind.dn = dir_text(r, raw.dn, d->bind.dn);
	d->bind.password_file =
	    dir_path(r, raw.password_file, d->bind.password_file);
}

static void
read_user(struct reader *r, const struct ynode *n)
{
	struct pr_directory_config *d = &r->out->directory;
	struct raw_user raw = {0};

	(void)config_block(r, n, &user_table, &raw);
	d->user.base = dir_text(r, raw.base, d->user.base);
	d->user.filter = dir_text(r, raw.filter, d->user.filter);
	d->user.name = dir_text(r, raw.name, d->user.name);
}

static void
read_group(struct reader *r, const struct ynode *n)
{
	static const struct {
		const char *word;
		enum pr_directory_nested nested;
	} words[] = {{"none", PR_NESTED_NONE}, {"memberof", PR_NESTED_MEMBEROF},
	    {"expand", PR_NESTED_EXPAND}, {"chain", PR_NESTED_CHAIN}};
	struct pr_directory_config *d = &r->out->directory;
	struct raw_group raw = {0};
	uint64_t depth;

	(void)config_block(r, n, &group_table, &raw);
	d->group.base = dir_text(r, raw.base, d->group.base);
	d->group.filter = dir_text(r, raw.filter, d->group.filter);
	d->group.member = dir_text(r, raw.member, d->group.member);
	d->group.name = dir_text(r, raw.name, d->group.name);
	for (size_t i = 0; i < PR_COUNT(words) && raw.nested != NULL; i++) {
		if (!pr_str_is(raw.nested->s, words[i].word))
			continue;
		d->group.nested = words[i].nested;
		d->group.nested_loc = ynode_loc(raw.nested);
	}
	if (raw.depth != NULL &&
	    value_num(&r->l, raw.depth, 1, PR_CAP_NESTING, &depth))
		d->group.depth = (unsigned)depth;
}

void
config_directory(struct reader *r, const struct ynode *n)
{
	struct pr_directory_config *d = &r->out->directory;
	struct raw_directory raw = {0};
	struct raw_ca ca = {0};
	struct raw_timeouts t = {0};
	struct raw_cache c = {0};

	if (n == NULL)
		return;
	(void)schema_read(&r->l, n, &directory_table, &raw);
	pr_directory_defaults(d);
	d->loc = ynode_loc(n);
	if (raw.type != NULL)
		d->type = pr_str_is(raw.type->s, "ldap") ? PR_DIRECTORY_LDAP
							 : PR_DIRECTORY_LDIF;
	d->file = dir_path(r, raw.file, d->file);
	read_uris(r, raw.uri);
	if (config_block(r, raw.tls, &ca_table, &ca))
		d->tls.ca = dir_path(r, ca.ca, d->tls.ca);
	if (raw.starttls != NULL) {
		d->starttls = value_bool(raw.starttls);
		d->starttls_loc = ynode_loc(raw.starttls);
	}
	read_bind(r, raw.bind);
	read_user(r, raw.user);
	read_group(r, raw.group);
	if (config_block(r, raw.timeouts, &timeouts_table, &t))
		d->timeouts_loc = ynode_loc(raw.timeouts);
	config_duration(r, t.connect, &d->timeouts.connect);
	config_duration(r, t.search, &d->timeouts.search);
	if (config_block(r, raw.cache, &cache_table, &c))
		d->cache_loc = ynode_loc(raw.cache);
	config_duration(r, c.ttl, &d->cache.ttl);
	config_duration(r, c.negative_ttl, &d->cache.negative_ttl);
	config_duration(r, c.stale_ok, &d->cache.stale_ok);
}
