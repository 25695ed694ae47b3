/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of portreeve.yaml, and what its readers share. */
#ifndef LANG_CONFIG_LOCAL_H
#define LANG_CONFIG_LOCAL_H

#include <portreeve/config.h>

#include "schema.h"
#include "value.h"

/* What the tables read into. */
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

extern const struct table daemon_table, identity_table, ca_table, bind_table,
    user_table, group_table, timeouts_table, cache_table, directory_table,
    checkpoint_table, audit_table, plugin_table, tls_table, listen_table,
    proxy_timeouts_table, proxy_limits_table, proxy_table, admin_table,
    signature_table;

struct reader {
	struct lang l;
	struct pr_config *out;
	const char *folder; /* with '/' at its end, or "" */
};

void config_directory(struct reader *r, const struct ynode *n);
void config_proxy(struct reader *r, const struct ynode *n);

struct pr_loc config_loc_of(const struct ynode *n);
const char *config_text_of(struct reader *r, const struct ynode *n);
/* A path, from the file's folder; `otherwise` if it is not given. */
const char *config_path_of(
    struct reader *r, const struct ynode *n, const char *otherwise);
/* Reads a block, if it is there. */
bool config_block(
    struct reader *r, const struct ynode *n, const struct table *t, void *raw);
/* Left as it is if it is not given. */
void config_duration(struct reader *r, const struct ynode *n, uint64_t *ns);
void config_count(
    struct reader *r, const struct ynode *n, uint64_t max, unsigned *out);

#define CONFIG_DEADLINE_MIN (100 * PR_MS)
#define CONFIG_DEADLINE_MAX (60 * PR_SEC)
#define CONFIG_WORKERS_MAX  1024

#endif /* LANG_CONFIG_LOCAL_H */
