/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve.yaml: where its values go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/caps.h>
#include <portreeve/clock.h>
#include <portreeve/config.h>
#include <portreeve/file.h>

#include "config_local.h"

struct pr_loc
config_loc_of(const struct ynode *n)
{
	return n != NULL ? ynode_loc(n) : (struct pr_loc){0};
}

const char *
config_text_of(struct reader *r, const struct ynode *n)
{
	return n != NULL ? pr_arena_strdup(r->l.arena, n->s) : NULL;
}

/* A path, from the file's folder; `otherwise` if it is not given. */
const char *
config_path_of(struct reader *r, const struct ynode *n, const char *otherwise)
{
	if (n == NULL)
		return otherwise;
	if (pr_str_find(n->s, ':') + 3 <= n->s.n &&
	    pr_str_starts(
		pr_str_sub(n->s, pr_str_find(n->s, ':'), n->s.n), "://"))
		lang_error(&r->l, ynode_loc(n), "as /var/run/docker.sock",
		    "a path is wanted, this is a URL");
	if (n->s.p[0] == '/')
		return pr_arena_strdup(r->l.arena, n->s);
	return pr_arena_printf(r->l.arena, "%s%.*s", r->folder, PR_STRF(n->s));
}

/* Reads a block, if it is there. */
bool
config_block(
    struct reader *r, const struct ynode *n, const struct table *t, void *raw)
{
	return n != NULL && schema_read(&r->l, n, t, raw);
}

static const char *
short_host_name(struct pr_arena *a)
{
	char name[256] = "";

	if (gethostname(name, sizeof name - 1) < 0 || name[0] == '\0')
		return "localhost";
	return pr_arena_strdup(a,
	    pr_str_sub(pr_str_of(name), 0, pr_str_find(pr_str_of(name), '.')));
}

static void
read_daemon(struct reader *r, const struct ynode *n)
{
	struct raw_daemon raw = {0};
	struct pr_config *c = r->out;

	(void)config_block(r, n, &daemon_table, &raw);
	c->daemon.name =
	    raw.name != NULL && value_name(&r->l, raw.name, "daemon", true)
	    ? config_text_of(r, raw.name)
	    : short_host_name(r->l.arena);
	c->daemon.socket =
	    config_path_of(r, raw.socket, "/var/run/docker.sock");
}

static void
read_identity(struct reader *r, const struct ynode *list)
{
	struct pr_identity_rule *v;

	if (list == NULL)
		return;
	v = pr_arena_array(r->l.arena, list->n, sizeof *v);
	Y_EACH(list, e)
	{
		struct pr_identity_rule *rule = &v[r->out->n_identity++];
		struct raw_identity raw = {0};

		rule->loc = ynode_loc(e);
		(void)schema_read(&r->l, e, &identity_table, &raw);
		rule->source = config_text_of(r, raw.source);
		rule->issuer = config_text_of(r, raw.issuer);
		rule->by = config_text_of(r, raw.by);
		rule->search = config_text_of(r, raw.search);
		rule->ca = config_path_of(r, raw.ca, NULL);
		rule->source_loc = config_loc_of(raw.source);
		rule->issuer_loc = config_loc_of(raw.issuer);
		rule->by_loc = config_loc_of(raw.by);
		rule->search_loc = config_loc_of(raw.search);
		rule->ca_loc = config_loc_of(raw.ca);
	}
	r->out->identity = v;
}

void
config_duration(struct reader *r, const struct ynode *n, uint64_t *ns)
{
	if (n != NULL)
		(void)value_duration(&r->l, n, ns);
}

static void
read_size(struct reader *r, const struct ynode *n, uint64_t *out)
{
	int64_t v;

	if (n != NULL && value_quantity(&r->l, n, UNIT_SIZE, &v))
		*out = (uint64_t)v;
}

static void
read_checkpoint(struct reader *r, const struct ynode *n)
{
	struct pr_audit_config *a = &r->out->audit;
	struct raw_checkpoint raw = {0};

	if (!config_block(r, n, &checkpoint_table, &raw))
		return;
	a->checkpoint_key = config_path_of(r, raw.key, NULL);
	if (raw.records != NULL)
		(void)value_num(
		    &r->l, raw.records, 1, 1000000000, &a->checkpoint_records);
	if (raw.interval != NULL)
		(void)value_duration(
		    &r->l, raw.interval, &a->checkpoint_interval);
	a->checkpoint_copy =
	    raw.copy != NULL && pr_str_is(raw.copy->s, "syslog")
	    ? "syslog"
	    : config_path_of(r, raw.copy, NULL);
}

static void
read_audit(struct reader *r, const struct ynode *n)
{
	struct pr_audit_config *a = &r->out->audit;
	struct raw_audit raw = {0};

	(void)config_block(r, n, &audit_table, &raw);
	a->dir = config_path_of(r, raw.dir, "/var/log/portreeve");
	a->daemon = r->out->daemon.name;
	a->key_file = config_path_of(r, raw.key, NULL);
	if (raw.failure != NULL && pr_str_is(raw.failure->s, "allow"))
		a->failure = PR_AUDIT_FAILURE_ALLOW;
	if (raw.sync != NULL && pr_str_is(raw.sync->s, "none"))
		a->sync = PR_AUDIT_SYNC_NONE;
	a->segment = UINT64_C(64) << 20;
	read_size(r, raw.segment, &a->segment);
	read_size(r, raw.space, &a->space);
	a->age = 24 * 3600 * PR_SEC;
	if (raw.age != NULL)
		(void)value_duration(&r->l, raw.age, &a->age);
	read_checkpoint(r, raw.checkpoint);
}

/* -- plugin -- */

static void
read_peer_uids(struct reader *r, const struct ynode *list)
{
	static const uint32_t root = 0;
	uint32_t *v;

	r->out->plugin.peer_uids = &root;
	r->out->plugin.n_peer_uids = 1;
	if (list == NULL)
		return;
	if (list->n == 0)
		lang_error(&r->l, ynode_loc(list), NULL,
		    "nobody could call the plugin");
	v = pr_arena_array(r->l.arena, list->n, sizeof *v);
	r->out->plugin.n_peer_uids = 0;
	Y_EACH(list, e)
	{
		uint64_t uid;

		if (value_num(&r->l, e, 0, UINT32_MAX - 1, &uid))
			v[r->out->plugin.n_peer_uids++] = (uint32_t)uid;
	}
	r->out->plugin.peer_uids = v;
}

static void
read_plugin(struct reader *r, const struct ynode *n)
{
	struct pr_config *c = r->out;
	struct raw_plugin raw = {0};
	uint64_t workers = 0;

	(void)config_block(r, n, &plugin_table, &raw);
	c->plugin.loc = config_loc_of(n);
	c->plugin.socket =
	    config_path_of(r, raw.socket, "/run/docker/plugins/portreeve.sock");
	c->plugin.deadline = 2 * PR_SEC;
	config_duration(r, raw.deadline, &c->plugin.deadline);
	if (c->plugin.deadline < CONFIG_DEADLINE_MIN ||
	    c->plugin.deadline > CONFIG_DEADLINE_MAX)
		lang_error(&r->l, ynode_loc(raw.deadline), NULL,
		    "the deadline lies between 100ms and 60s");
	read_peer_uids(r, raw.peer_uids);
	c->plugin.accept_plain_tcp = value_bool(raw.plain_tcp);
	c->plugin.accept_grpc_bypass = value_bool(raw.grpc);
	if (raw.workers != NULL &&
	    value_num(&r->l, raw.workers, 1, CONFIG_WORKERS_MAX, &workers))
		c->plugin.workers = (unsigned)workers;
}

void
config_count(
    struct reader *r, const struct ynode *n, uint64_t max, unsigned *out)
{
	uint64_t v;

	if (n != NULL && value_num(&r->l, n, 1, max, &v))
		*out = (unsigned)v;
}

static void
read_signature(struct reader *r, const struct ynode *n)
{
	struct pr_config *c = r->out;
	struct raw_signature raw = {0};
	const char **v;

	if (!config_block(r, n, &signature_table, &raw))
		return;
	c->policy_signature.loc = ynode_loc(n);
	v = pr_arena_array(r->l.arena, raw.keys->n, sizeof *v);
	Y_EACH(raw.keys, e)
	{
		v[c->policy_signature.n_keys++] = config_path_of(r, e, NULL);
	}
	c->policy_signature.keys = v;
	if (raw.keys->n == 0)
		lang_error(&r->l, ynode_loc(raw.keys), NULL,
		    "without a key no policy could be loaded");
	if (raw.min_serial != NULL)
		(void)value_num(&r->l, raw.min_serial, 0, INT64_MAX,
		    &c->policy_signature.min_serial);
}

static void
read_all(struct reader *r, const struct ynode *root)
{
	struct pr_config *c = r->out;
	struct raw_config raw = {0};
	struct raw_admin admin = {0};

	if (root != NULL)
		(void)schema_read(&r->l, root, &config_table, &raw);
	read_daemon(r, raw.daemon);
	c->policy = config_path_of(r, raw.policy, "/etc/portreeve/policy.d");
	c->policy_loc = config_loc_of(raw.policy);
	read_identity(r, raw.identity);
	c->identity_deny = config_path_of(r, raw.identity_deny, NULL);
	c->identity_deny_loc = config_loc_of(raw.identity_deny);
	config_directory(r, raw.directory);
	read_audit(r, raw.audit);
	c->ledger =
	    config_path_of(r, raw.ledger, "/var/lib/portreeve/ledger.db");
	c->break_glass =
	    config_path_of(r, raw.break_glass, "/etc/portreeve/break-glass");
	c->promotions = config_path_of(r, raw.promotions, NULL);
	read_plugin(r, raw.plugin);
	config_proxy(r, raw.proxy);
	(void)config_block(r, raw.admin, &admin_table, &admin);
	c->admin_socket =
	    config_path_of(r, admin.socket, "/run/portreeve/admin.sock");
	read_signature(r, raw.signature);
}

int
pr_config_parse(const char *path, struct pr_str text, struct pr_arena *a,
    struct pr_config *out, struct pr_diags *ds)
{
	struct reader r = {.l = {.arena = a, .ds = ds}, .out = out};
	const char *slash = strrchr(path, '/');
	struct pr_loc loc = {0};
	const struct ynode *root;
	size_t errors;
	bool empty;

	r.l.tree = pr_arena_new(16384);
	*out = (struct pr_config){0};
	loc.file = out->file = pr_arena_strdup(a, pr_str_of(path));
	r.folder = slash == NULL
	    ? ""
	    : pr_arena_strdup(
		  a, (struct pr_str){path, (size_t)(slash - path) + 1});
	text.p = pr_arena_strdup(r.l.tree, text);
	root = yaml_read(&r.l, out->file, text, &empty);
	if (empty)
		lang_warn(&r.l, loc, NULL,
		    "there is nothing in it: all values are the defaults");
	if (root != NULL || empty)
		read_all(&r, root);
	pr_diags_source(ds, out->file, text.p);
	errors = r.l.errors;
	pr_arena_free(r.l.tree);
	return errors == 0 ? 0 : -1;
}

int
pr_config_load(const char *path, struct pr_arena *a, struct pr_config *out,
    struct pr_diags *ds)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	PR_CLEANUP(pr_arena_freep) struct pr_arena *tmp = pr_arena_new(16384);
	struct pr_str text;

	if (pr_file_read(tmp, path, PR_CAP_SMALL_FILE, &text, &err) == 0)
		return pr_config_parse(path, text, a, out, ds);
	*out = (struct pr_config){0};
	pr_diags_add(
	    ds, PR_ERROR, (struct pr_loc){0}, NULL, "%s", pr_err_text(err));
	return -1;
}
