/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve.yaml: its keys. */
#include "config_local.h"

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
	const struct table variable = {what, fields, PR_COUNT(fields)}

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
