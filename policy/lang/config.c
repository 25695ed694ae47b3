/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve.yaml: the tables of its keys, and where their values go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/caps.h>
#include <portreeve/clock.h>
#include <portreeve/config.h>
#include <portreeve/file.h>

#include "schema.h"
#include "value.h"

#define DEADLINE_MIN (100 * PR_MS)
#define DEADLINE_MAX (60 * PR_SEC)
#define WORKERS_MAX  1024

struct raw_config {
	const struct ynode *daemon, *policy, *identity, *identity_deny;
	const struct ynode *directory, *audit, *ledger, *break_glass,
	    *promotions, *plugin, *proxy;
	const struct ynode *admin, *signature;
};
struct raw_daemon {
	const struct ynode *name, *socket;
};
struct raw_identity {
	const struct ynode *source, *issuer, *by, *search, *ca;
};
struct raw_directory {
	const struct ynode *type, *file, *uri, *tls, *starttls, *bind, *user;
	const struct ynode *group, *timeouts, *cache;
};
struct raw_ca {
	const struct ynode *ca;
};
struct raw_bind {
	const struct ynode *method, *dn, *password_file;
};
struct raw_user {
	const struct ynode *base, *filter, *name;
};
struct raw_group {
	const struct ynode *base, *filter, *member, *name, *nested, *depth;
};
struct raw_timeouts {
	const struct ynode *connect, *search;
};
struct raw_cache {
	const struct ynode *ttl, *negative_ttl, *stale_ok;
};
struct raw_audit {
	const struct ynode *dir, *failure, *sync, *segment, *space, *key;
	const struct ynode *age, *checkpoint;
};
struct raw_checkpoint {
	const struct ynode *key, *records, *interval, *copy;
};
struct raw_plugin {
	const struct ynode *socket, *deadline, *peer_uids, *plain_tcp, *grpc;
	const struct ynode *workers;
};
struct raw_proxy {
	const struct ynode *listen, *assertion_key, *deadline, *workers;
	const struct ynode *threads, *timeouts, *limits, *admin;
};
struct raw_proxy_timeouts {
	const struct ynode *handshake, *head, *body, *idle, *stall, *total;
};
struct raw_proxy_limits {
	const struct ynode *connections, *per_subject, *rate;
};
struct raw_listen {
	const struct ynode *name, *address, *unix_path, *mode, *tls, *phases;
};
struct raw_tls {
	const struct ynode *cert, *key, *client_ca, *crl;
};
struct raw_admin {
	const struct ynode *socket;
};
struct raw_signature {
	const struct ynode *keys, *min_serial;
};

#define ROW(need, type, member, name, shape, words, sub, text)            \
	{                                                                 \
		name, SHAPE_##shape, offsetof(struct type, member), need, \
		    words, sub, text                                      \
	}
#define KEY(type, member, name, shape, text) \
	ROW(false, type, member, name, shape, NULL, NULL, text)
#define NEED(type, member, name, shape, text) \
	ROW(true, type, member, name, shape, NULL, NULL, text)
#define WORDS(type, member, name, words, text) \
	ROW(false, type, member, name, WORD, words, NULL, text)
#define SUB(type, member, name, shape, table, text) \
	ROW(false, type, member, name, shape, NULL, &(table), text)
#define TABLE(variable, what, fields) \
	static const struct table variable = {what, fields, PR_COUNT(fields)}

/* "|cn|dn|...": from the second byte on */
#define X(id, word, text) "|" word
static const char by_words[] = PR_IDENTITY_BY(X);
#undef X

/* clang-format off */
static const struct field daemon_fields[] = {
	KEY(raw_daemon, name, "name", STR, "the host's name in the policy; default: the short host name"),
	KEY(raw_daemon, socket, "socket", STR, "dockerd's own socket"),
};
TABLE(daemon_table, "daemon block", daemon_fields);

static const struct field identity_fields[] = {
	NEED(raw_identity, source, "source", STR, "first half of the subject's name"),
	KEY(raw_identity, issuer, "issuer", STR, "DN of the CA that the rule is for"),
	ROW(true, raw_identity, by, "by", WORD, by_words + 1, NULL, "what gives the name"),
	KEY(raw_identity, search, "search", STR, "directory filter: \"(mail={san.email})\""),
	KEY(raw_identity, ca, "ca", STR, "PEM file of the CA whose signature is checked again"),
};
TABLE(identity_table, "identity rule", identity_fields);

static const struct field ca_fields[] = {
	NEED(raw_ca, ca, "ca", STR, "PEM file of CAs that the servers' certificates come from"),
};
TABLE(ca_table, "tls block of the directory", ca_fields);

static const struct field bind_fields[] = {
	ROW(true, raw_bind, method, "method", WORD, "none|simple|external", NULL, "none, simple, or external (ldapi)"),
	KEY(raw_bind, dn, "dn", STR, "who binds"),
	KEY(raw_bind, password_file, "password_file", STR, "file with the password, mode 0600"),
};
TABLE(bind_table, "bind block", bind_fields);

static const struct field user_fields[] = {
	KEY(raw_user, base, "base", TEXT, "DN below which users are"),
	KEY(raw_user, filter, "filter", STR, "filter that users match"),
	KEY(raw_user, name, "name", STR, "attribute with the user's name"),
};
TABLE(user_table, "user block", user_fields);

static const struct field group_fields[] = {
	KEY(raw_group, base, "base", TEXT, "DN below which groups are"),
	KEY(raw_group, filter, "filter", STR, "filter that groups match"),
	KEY(raw_group, member, "member", STR, "attribute with the members"),
	KEY(raw_group, name, "name", STR, "attribute with the group's name"),
	WORDS(raw_group, nested, "nested", "none|memberof|expand|chain", "how groups in groups are found"),
	KEY(raw_group, depth, "depth", NUM, "how deep groups nest"),
};
TABLE(group_table, "group block", group_fields);

static const struct field timeouts_fields[] = {
	KEY(raw_timeouts, connect, "connect", DURATION, "for connecting"),
	KEY(raw_timeouts, search, "search", DURATION, "for a search"),
};
TABLE(timeouts_table, "timeouts block", timeouts_fields);

static const struct field cache_fields[] = {
	KEY(raw_cache, ttl, "ttl", DURATION, "how long an answer is fresh"),
	KEY(raw_cache, negative_ttl, "negative_ttl", DURATION, "the same for \"no such user\""),
	KEY(raw_cache, stale_ok, "stale_ok", DURATION, "how long past ttl an answer counts in an outage"),
};
TABLE(cache_table, "cache block", cache_fields);

static const struct field directory_fields[] = {
	ROW(true, raw_directory, type, "type", WORD, "ldap|ldif", NULL, "ldap, or ldif: the embedded directory"),
	KEY(raw_directory, file, "file", STR, "the LDIF file"),
	KEY(raw_directory, uri, "uri", STR_OR_STRS, "LDAP servers, in order of preference"),
	SUB(raw_directory, tls, "tls", MAP, ca_table, "there is no key that turns verification off"),
	KEY(raw_directory, starttls, "starttls", BOOL, "StartTLS on ldap:// servers"),
	SUB(raw_directory, bind, "bind", MAP, bind_table, "who we are to the directory"),
	SUB(raw_directory, user, "user", MAP, user_table, "where users are"),
	SUB(raw_directory, group, "group", MAP, group_table, "where groups are"),
	SUB(raw_directory, timeouts, "timeouts", MAP, timeouts_table, "how long is waited"),
	SUB(raw_directory, cache, "cache", MAP, cache_table, "how long answers live"),
};
TABLE(directory_table, "directory block", directory_fields);

static const struct field checkpoint_fields[] = {
	NEED(raw_checkpoint, key, "key", STR, "file of the Ed25519 key, PEM"),
	KEY(raw_checkpoint, records, "records", NUM, "one after so many records"),
	KEY(raw_checkpoint, interval, "interval", DURATION, "and after so long, if there are any"),
	KEY(raw_checkpoint, copy, "copy", STR, "file for copies, or syslog"),
};
TABLE(checkpoint_table, "checkpoint block", checkpoint_fields);

static const struct field audit_fields[] = {
	KEY(raw_audit, dir, "dir", STR, "folder of the decision log"),
	WORDS(raw_audit, failure, "failure", "deny|allow", "what an allow without a durable record becomes"),
	WORDS(raw_audit, sync, "sync", "group|none", "group: on disk before the answer"),
	KEY(raw_audit, segment, "segment", SIZE, "size of a segment"),
	KEY(raw_audit, space, "space", SIZE, "room that the log may count on"),
	KEY(raw_audit, key, "key", STR, "file of the key that masks secrets"),
	KEY(raw_audit, age, "age", DURATION, "of a segment, at most; 0s: any"),
	SUB(raw_audit, checkpoint, "checkpoint", MAP, checkpoint_table, "signed lines"),
};
TABLE(audit_table, "audit block", audit_fields);

static const struct field plugin_fields[] = {
	KEY(raw_plugin, socket, "socket", STR, "where dockerd finds the plugin"),
	KEY(raw_plugin, deadline, "deadline", DURATION, "for a decision, in all"),
	KEY(raw_plugin, peer_uids, "peer_uids", NUMS, "uids that may call; default [0]"),
	KEY(raw_plugin, plain_tcp, "accept_plain_tcp", BOOL, "anonymous teams although dockerd listens without TLS"),
	KEY(raw_plugin, grpc, "accept_grpc_bypass", BOOL, "engines that let gRPC pass round AuthZ"),
	KEY(raw_plugin, workers, "workers", NUM, "threads; default: as fits the machine"),
};
TABLE(plugin_table, "plugin block", plugin_fields);

static const struct field tls_fields[] = {
	NEED(raw_tls, cert, "cert", STR, "server certificate, PEM"),
	NEED(raw_tls, key, "key", STR, "its key, PEM"),
	NEED(raw_tls, client_ca, "client_ca", STR, "CAs of client certificates, PEM"),
	KEY(raw_tls, crl, "crl", STR, "revocation list, PEM"),
};
TABLE(tls_table, "tls block of a listener", tls_fields);

static const struct field listen_fields[] = {
	NEED(raw_listen, name, "name", STR, "source of the subjects that come this way"),
	KEY(raw_listen, address, "address", STR, "\"0.0.0.0:2376\""),
	KEY(raw_listen, unix_path, "unix", STR, "path of a unix socket"),
	KEY(raw_listen, mode, "mode", STR, "of the unix socket: \"0660\""),
	SUB(raw_listen, tls, "tls", MAP, tls_table, "mutual TLS; always with an address"),
	KEY(raw_listen, phases, "phases", STRS, "of the host's, those that may be reached here"),
};
TABLE(listen_table, "listener", listen_fields);

static const struct field proxy_timeouts_fields[] = {
	KEY(raw_proxy_timeouts, handshake, "handshake", DURATION, "of TLS; default 10s"),
	KEY(raw_proxy_timeouts, head, "head", DURATION, "from a request's first byte to the end of its head; default 10s"),
	KEY(raw_proxy_timeouts, body, "body", DURATION, "for the whole of a body that is judged; default 60s"),
	KEY(raw_proxy_timeouts, idle, "idle", DURATION, "between requests; default 5m"),
	KEY(raw_proxy_timeouts, stall, "stall", DURATION, "while a message is under way and nothing moves; default 60s"),
	KEY(raw_proxy_timeouts, total, "total", DURATION, "of a request and its answer, tunnels too; default none"),
};
TABLE(proxy_timeouts_table, "timeouts of the proxy", proxy_timeouts_fields);

static const struct field proxy_limits_fields[] = {
	KEY(raw_proxy_limits, connections, "connections", NUM, "at the same time; default 20000"),
	KEY(raw_proxy_limits, per_subject, "per_subject", NUM, "connections of one subject; default 1000"),
	KEY(raw_proxy_limits, rate, "requests_per_second", NUM, "of one subject; default any"),
};
TABLE(proxy_limits_table, "limits of the proxy", proxy_limits_fields);

static const struct field proxy_fields[] = {
	SUB(raw_proxy, listen, "listen", MAPS, listen_table, "where clients come in"),
	KEY(raw_proxy, assertion_key, "assertion_key", STR, "key shared with the plugin"),
	KEY(raw_proxy, admin, "admin", STR, "its own admin socket; default: none"),
	KEY(raw_proxy, deadline, "deadline", DURATION, "for a decision, in all"),
	KEY(raw_proxy, workers, "workers", NUM, "threads that wait for look-ups; default: as fits the machine"),
	KEY(raw_proxy, threads, "threads", NUM, "event loops; default 1"),
	SUB(raw_proxy, timeouts, "timeouts", MAP, proxy_timeouts_table, "how long clients may take"),
	SUB(raw_proxy, limits, "limits", MAP, proxy_limits_table, "how many they may be"),
};
TABLE(proxy_table, "proxy block", proxy_fields);

static const struct field admin_fields[] = {
	KEY(raw_admin, socket, "socket", STR, "socket of status, reload and metrics"),
};
TABLE(admin_table, "admin block", admin_fields);

static const struct field signature_fields[] = {
	NEED(raw_signature, keys, "keys", STRS, "files of public keys, PEM: Ed25519 or P-256"),
	KEY(raw_signature, min_serial, "min_serial", NUM, "serial of the oldest policy that is taken"),
};
TABLE(signature_table, "policy_signature block", signature_fields);

static const struct field config_fields[] = {
	SUB(raw_config, daemon, "daemon", MAP, daemon_table, "the daemon that is guarded"),
	KEY(raw_config, policy, "policy", STR, "file or folder of the policy"),
	SUB(raw_config, identity, "identity", MAPS, identity_table, "first rule that matches wins"),
	KEY(raw_config, identity_deny, "identity_deny", STR, "file of certificate fingerprints that are denied"),
	SUB(raw_config, directory, "directory", MAP, directory_table, "who is in which group"),
	SUB(raw_config, audit, "audit", MAP, audit_table, "the decision log"),
	KEY(raw_config, ledger, "ledger", STR, "file of the ledger"),
	KEY(raw_config, break_glass, "break_glass", STR, "file of root's that lifts the built-in guards for a time"),
	KEY(raw_config, promotions, "promotions", STR, "file or folder of signed promotion lines"),
	SUB(raw_config, plugin, "plugin", MAP, plugin_table, "portreeve-plugin"),
	SUB(raw_config, proxy, "proxy", MAP, proxy_table, "portreeve-proxy"),
	SUB(raw_config, admin, "admin", MAP, admin_table, "the admin socket"),
	SUB(raw_config, signature, "policy_signature", MAP, signature_table, "only signed policies are loaded"),
};
const struct table config_table = {
	"configuration", config_fields, PR_COUNT(config_fields)};
/* clang-format on */

struct reader {
	struct lang l;
	struct pr_config *out;
	const char *folder; /* with '/' at its end, or "" */
};

static struct pr_loc
loc_of(const struct ynode *n)
{
	return n != NULL ? ynode_loc(n) : (struct pr_loc){0};
}

static const char *
text_of(struct reader *r, const struct ynode *n)
{
	return n != NULL ? pr_arena_strdup(r->l.arena, n->s) : NULL;
}

/* A path, from the file's folder; `otherwise` if it is not given. */
static const char *
path_of(struct reader *r, const struct ynode *n, const char *otherwise)
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

static struct pr_directory_text
dir_text(
    struct reader *r, const struct ynode *n, struct pr_directory_text otherwise)
{
	if (n == NULL)
		return otherwise;
	return (struct pr_directory_text){text_of(r, n), ynode_loc(n)};
}

static struct pr_directory_text
dir_path(
    struct reader *r, const struct ynode *n, struct pr_directory_text otherwise)
{
	if (n == NULL)
		return otherwise;
	return (struct pr_directory_text){path_of(r, n, NULL), ynode_loc(n)};
}

/* Reads a block, if it is there. */
static bool
block(struct reader *r, const struct ynode *n, const struct table *t, void *raw)
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

	(void)block(r, n, &daemon_table, &raw);
	c->daemon.name =
	    raw.name != NULL && value_name(&r->l, raw.name, "daemon", true)
	    ? text_of(r, raw.name)
	    : short_host_name(r->l.arena);
	c->daemon.socket = path_of(r, raw.socket, "/var/run/docker.sock");
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
		rule->source = text_of(r, raw.source);
		rule->issuer = text_of(r, raw.issuer);
		rule->by = text_of(r, raw.by);
		rule->search = text_of(r, raw.search);
		rule->ca = path_of(r, raw.ca, NULL);
		rule->source_loc = loc_of(raw.source);
		rule->issuer_loc = loc_of(raw.issuer);
		rule->by_loc = loc_of(raw.by);
		rule->search_loc = loc_of(raw.search);
		rule->ca_loc = loc_of(raw.ca);
	}
	r->out->identity = v;
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
		v[d->n_uri++] =
		    (struct pr_directory_text){text_of(r, n), ynode_loc(n)};
		return;
	}
	Y_EACH(n, e)
	{
		v[d->n_uri++] =
		    (struct pr_directory_text){text_of(r, e), ynode_loc(e)};
	}
}

static void
read_bind(struct reader *r, const struct ynode *n)
{
	struct pr_directory_config *d = &r->out->directory;
	struct raw_bind raw = {0};

	if (!block(r, n, &bind_table, &raw))
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

	(void)block(r, n, &user_table, &raw);
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

	(void)block(r, n, &group_table, &raw);
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

static void
duration(struct reader *r, const struct ynode *n, uint64_t *ns)
{
	if (n != NULL)
		(void)value_duration(&r->l, n, ns);
}

static void
read_directory(struct reader *r, const struct ynode *n)
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
	if (block(r, raw.tls, &ca_table, &ca))
		d->tls.ca = dir_path(r, ca.ca, d->tls.ca);
	if (raw.starttls != NULL) {
		d->starttls = value_bool(raw.starttls);
		d->starttls_loc = ynode_loc(raw.starttls);
	}
	read_bind(r, raw.bind);
	read_user(r, raw.user);
	read_group(r, raw.group);
	if (block(r, raw.timeouts, &timeouts_table, &t))
		d->timeouts_loc = ynode_loc(raw.timeouts);
	duration(r, t.connect, &d->timeouts.connect);
	duration(r, t.search, &d->timeouts.search);
	if (block(r, raw.cache, &cache_table, &c))
		d->cache_loc = ynode_loc(raw.cache);
	duration(r, c.ttl, &d->cache.ttl);
	duration(r, c.negative_ttl, &d->cache.negative_ttl);
	duration(r, c.stale_ok, &d->cache.stale_ok);
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

	if (!block(r, n, &checkpoint_table, &raw))
		return;
	a->checkpoint_key = path_of(r, raw.key, NULL);
	if (raw.records != NULL)
		(void)value_num(
		    &r->l, raw.records, 1, 1000000000, &a->checkpoint_records);
	if (raw.interval != NULL)
		(void)value_duration(
		    &r->l, raw.interval, &a->checkpoint_interval);
	a->checkpoint_copy =
	    raw.copy != NULL && pr_str_is(raw.copy->s, "syslog")
	    ? "syslog"
	    : path_of(r, raw.copy, NULL);
}

static void
read_audit(struct reader *r, const struct ynode *n)
{
	struct pr_audit_config *a = &r->out->audit;
	struct raw_audit raw = {0};

	(void)block(r, n, &audit_table, &raw);
	a->dir = path_of(r, raw.dir, "/var/log/portreeve");
	a->daemon = r->out->daemon.name;
	a->key_file = path_of(r, raw.key, NULL);
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

	(void)block(r, n, &plugin_table, &raw);
	c->plugin.loc = loc_of(n);
	c->plugin.socket =
	    path_of(r, raw.socket, "/run/docker/plugins/portreeve.sock");
	c->plugin.deadline = 2 * PR_SEC;
	duration(r, raw.deadline, &c->plugin.deadline);
	if (c->plugin.deadline < DEADLINE_MIN ||
	    c->plugin.deadline > DEADLINE_MAX)
		lang_error(&r->l, ynode_loc(raw.deadline), NULL,
		    "the deadline lies between 100ms and 60s");
	read_peer_uids(r, raw.peer_uids);
	c->plugin.accept_plain_tcp = value_bool(raw.plain_tcp);
	c->plugin.accept_grpc_bypass = value_bool(raw.grpc);
	if (raw.workers != NULL &&
	    value_num(&r->l, raw.workers, 1, WORKERS_MAX, &workers))
		c->plugin.workers = (unsigned)workers;
}

/* -- proxy -- */

/* "127.0.0.1:2376", "[::1]:2376", "host:2376" */
static void
check_address(struct reader *r, const struct ynode *n)
{
	struct pr_str s = n->s, host;
	size_t colon = s.n;
	uint64_t port = 0;

	while (colon > 0 && s.p[colon - 1] != ':')
		colon--;
	host = pr_str_sub(s, 0, colon > 0 ? colon - 1 : 0);
	if (host.n == 0 || !pr_str_u64(pr_str_sub(s, colon, s.n), &port) ||
	    port > 65535 || (host.p[0] == '[') != (host.p[host.n - 1] == ']') ||
	    (host.p[0] != '[' && pr_str_find(host, ':') < host.n))
		lang_error(&r->l, ynode_loc(n),
		    "as \"0.0.0.0:2376\" or \"[::1]:2376\"",
		    "not an address with a port");
}

static void
check_mode(struct reader *r, const struct ynode *n, unsigned *mode)
{
	unsigned v = 0;

	for (size_t i = 0; i < n->s.n && v <= 07777; i++)
		v = n->s.p[i] >= '0' && n->s.p[i] <= '7'
		    ? v * 8 + (unsigned)(n->s.p[i] - '0')
		    : 010000;
	if (v > 0777 || n->s.n < 3) {
		lang_error(&r->l, ynode_loc(n), "as \"0660\"",
		    "not the mode of a socket");
		return;
	}
	*mode = v;
}

static void
read_tls(struct reader *r, struct pr_config_listen *to, const struct ynode *n)
{
	struct raw_tls raw = {0};

	if (!block(r, n, &tls_table, &raw))
		return;
	to->tls.loc = ynode_loc(n);
	to->tls.cert = path_of(r, raw.cert, NULL);
	to->tls.key = path_of(r, raw.key, NULL);
	to->tls.client_ca = path_of(r, raw.client_ca, NULL);
	to->tls.crl = path_of(r, raw.crl, NULL);
}

static void
read_listen(
    struct reader *r, struct pr_config_listen *to, const struct ynode *n)
{
	struct raw_listen raw = {0};

	to->loc = ynode_loc(n);
	to->mode = 0660;
	if (!schema_read(&r->l, n, &listen_table, &raw))
		return;
	if (value_name(&r->l, raw.name, "listener", false))
		to->name = text_of(r, raw.name);
	if ((raw.address != NULL) == (raw.unix_path != NULL))
		lang_error(&r->l, to->loc, NULL,
		    "a listener has either \"address\" or \"unix\"");
	if (raw.address != NULL) {
		check_address(r, raw.address);
		to->address = text_of(r, raw.address);
		if (raw.tls == NULL)
			lang_error(&r->l, to->loc,
			    "tls: {cert: ..., key: ..., client_ca: ...}",
			    "an address without \"tls\" would let anybody in");
	}
	to->unix_path = path_of(r, raw.unix_path, NULL);
	if (raw.phases != NULL) {
		struct pr_strs phases = value_strs(&r->l, raw.phases);

		if (phases.n == 0)
			lang_error(&r->l, ynode_loc(raw.phases), NULL,
			    "nothing could be reached here");
		to->phases = phases.v;
		to->n_phases = phases.n;
	}
	if (raw.mode != NULL)
		check_mode(r, raw.mode, &to->mode);
	if (raw.mode != NULL && raw.unix_path == NULL)
		lang_error(&r->l, ynode_loc(raw.mode), NULL,
		    "\"mode\" is for unix sockets");
	if (raw.tls != NULL && raw.unix_path != NULL)
		lang_error(&r->l, ynode_loc(raw.tls), NULL,
		    "\"tls\" is for addresses");
	read_tls(r, to, raw.tls);
}

static void
read_count(struct reader *r, const struct ynode *n, uint64_t max, unsigned *out)
{
	uint64_t v;

	if (n != NULL && value_num(&r->l, n, 1, max, &v))
		*out = (unsigned)v;
}

static void
read_proxy_bounds(struct reader *r, const struct raw_proxy *raw)
{
	struct pr_config *c = r->out;
	struct raw_proxy_timeouts t = {0};
	struct raw_proxy_limits l = {0};

	c->proxy.deadline = 2 * PR_SEC;
	duration(r, raw->deadline, &c->proxy.deadline);
	if (c->proxy.deadline < DEADLINE_MIN ||
	    c->proxy.deadline > DEADLINE_MAX)
		lang_error(&r->l, ynode_loc(raw->deadline), NULL,
		    "the deadline lies between 100ms and 60s");
	c->proxy.timeouts.handshake = 10 * PR_SEC;
	c->proxy.timeouts.head = 10 * PR_SEC;
	c->proxy.timeouts.body = 60 * PR_SEC;
	c->proxy.timeouts.idle = 300 * PR_SEC;
	c->proxy.timeouts.stall = 60 * PR_SEC;
	(void)block(r, raw->timeouts, &proxy_timeouts_table, &t);
	duration(r, t.handshake, &c->proxy.timeouts.handshake);
	duration(r, t.head, &c->proxy.timeouts.head);
	duration(r, t.body, &c->proxy.timeouts.body);
	duration(r, t.idle, &c->proxy.timeouts.idle);
	duration(r, t.stall, &c->proxy.timeouts.stall);
	duration(r, t.total, &c->proxy.timeouts.total);
	c->proxy.threads = 1;
	c->proxy.max_connections = 20000;
	c->proxy.max_per_subject = 1000;
	read_count(r, raw->workers, WORKERS_MAX, &c->proxy.workers);
	read_count(r, raw->threads, 64, &c->proxy.threads);
	(void)block(r, raw->limits, &proxy_limits_table, &l);
	read_count(r, l.connections, 1000000, &c->proxy.max_connections);
	read_count(r, l.per_subject, 1000000, &c->proxy.max_per_subject);
	read_count(r, l.rate, 1000000, &c->proxy.rate_per_subject);
}

static void
read_proxy(struct reader *r, const struct ynode *n)
{
	struct pr_config *c = r->out;
	struct raw_proxy raw = {0};
	struct pr_config_listen *v;

	(void)block(r, n, &proxy_table, &raw);
	c->proxy.assertion_key = path_of(r, raw.assertion_key, NULL);
	c->proxy.admin = path_of(r, raw.admin, NULL);
	read_proxy_bounds(r, &raw);
	if (raw.listen == NULL)
		return;
	v = pr_arena_array(r->l.arena, raw.listen->n, sizeof *v);
	Y_EACH(raw.listen, e)
	{
		struct pr_config_listen *to = &v[c->proxy.n_listen++];

		read_listen(r, to, e);
		for (size_t i = 0; i + 1 < c->proxy.n_listen; i++) {
			if (to->name == NULL || v[i].name == NULL ||
			    strcmp(v[i].name, to->name) != 0)
				continue;
			lang_error(&r->l, to->loc, NULL,
			    "listener \"%s\" is defined twice", to->name);
			lang_note(&r->l, v[i].loc, "first defined here");
			break;
		}
		if (c->proxy.n_listen == PR_CAP_LISTENERS && e->next != NULL) {
			lang_error(&r->l, ynode_loc(e->next), NULL,
			    "more than %zu listeners", PR_CAP_LISTENERS);
			break;
		}
	}
	c->proxy.listen = v;
}

static void
read_signature(struct reader *r, const struct ynode *n)
{
	struct pr_config *c = r->out;
	struct raw_signature raw = {0};
	const char **v;

	if (!block(r, n, &signature_table, &raw))
		return;
	c->policy_signature.loc = ynode_loc(n);
	v = pr_arena_array(r->l.arena, raw.keys->n, sizeof *v);
	Y_EACH(raw.keys, e)
	{
		v[c->policy_signature.n_keys++] = path_of(r, e, NULL);
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
	c->policy = path_of(r, raw.policy, "/etc/portreeve/policy.d");
	c->policy_loc = loc_of(raw.policy);
	read_identity(r, raw.identity);
	c->identity_deny = path_of(r, raw.identity_deny, NULL);
	c->identity_deny_loc = loc_of(raw.identity_deny);
	read_directory(r, raw.directory);
	read_audit(r, raw.audit);
	c->ledger = path_of(r, raw.ledger, "/var/lib/portreeve/ledger.db");
	c->break_glass =
	    path_of(r, raw.break_glass, "/etc/portreeve/break-glass");
	c->promotions = path_of(r, raw.promotions, NULL);
	read_plugin(r, raw.plugin);
	read_proxy(r, raw.proxy);
	(void)block(r, raw.admin, &admin_table, &admin);
	c->admin_socket = path_of(r, admin.socket, "/run/portreeve/admin.sock");
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
