/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/api.h>

#include "unit.h"

/* ---- the matcher ---- */

struct match_row {
	const char *method, *path;
	enum pr_op op;
	const char *name, *name2;
};

#define M(method, path, op)                      \
	{                                        \
		method, path, PR_OP_##op, "", "" \
	}
#define N(method, path, op, name)                  \
	{                                          \
		method, path, PR_OP_##op, name, "" \
	}
#define N2(method, path, op, name, also)             \
	{                                            \
		method, path, PR_OP_##op, name, also \
	}
#define NONE(method, path)                          \
	{                                           \
		method, path, PR_OP_UNKNOWN, "", "" \
	}

/* clang-format off */
static const struct match_row matches[] = {
    /* every operation, as clients write it */
    N("GET", "/containers/c/checkpoints", CONTAINER_CHECKPOINT_LIST, "c"),
    N("POST", "/containers/c/checkpoints", CONTAINER_CHECKPOINT_CREATE, "c"),
    N2("DELETE", "/containers/c/checkpoints/p", CONTAINER_CHECKPOINT_REMOVE, "c", "p"),
    N("HEAD", "/containers/c/archive", CONTAINER_ARCHIVE_STAT, "c"),
    M("GET", "/containers/json", CONTAINER_LIST),
    N("GET", "/containers/c/export", CONTAINER_EXPORT, "c"),
    N("GET", "/containers/c/changes", CONTAINER_CHANGES, "c"),
    N("GET", "/containers/c/json", CONTAINER_INSPECT, "c"),
    N("GET", "/containers/c/top", CONTAINER_TOP, "c"),
    N("GET", "/containers/c/logs", CONTAINER_LOGS, "c"),
    N("GET", "/containers/c/stats", CONTAINER_STATS, "c"),
    N("GET", "/containers/c/attach/ws", CONTAINER_ATTACH_WS, "c"),
    N("GET", "/exec/e/json", CONTAINER_EXEC_INSPECT, "e"),
    N("GET", "/containers/c/archive", CONTAINER_ARCHIVE_READ, "c"),
    M("POST", "/containers/create", CONTAINER_CREATE),
    N("POST", "/containers/c/kill", CONTAINER_KILL, "c"),
    N("POST", "/containers/c/pause", CONTAINER_PAUSE, "c"),
    N("POST", "/containers/c/unpause", CONTAINER_UNPAUSE, "c"),
    N("POST", "/containers/c/restart", CONTAINER_RESTART, "c"),
    N("POST", "/containers/c/start", CONTAINER_START, "c"),
    N("POST", "/containers/c/stop", CONTAINER_STOP, "c"),
    N("POST", "/containers/c/wait", CONTAINER_WAIT, "c"),
    N("POST", "/containers/c/resize", CONTAINER_RESIZE, "c"),
    N("POST", "/containers/c/attach", CONTAINER_ATTACH, "c"),
    N("POST", "/containers/c/copy", CONTAINER_COPY, "c"),
    N("POST", "/containers/c/exec", CONTAINER_EXEC, "c"),
    N("POST", "/exec/e/start", CONTAINER_EXEC_START, "e"),
    N("POST", "/exec/e/resize", CONTAINER_EXEC_RESIZE, "e"),
    N("POST", "/containers/c/rename", CONTAINER_RENAME, "c"),
    N("POST", "/containers/c/update", CONTAINER_UPDATE, "c"),
    M("POST", "/containers/prune", CONTAINER_PRUNE),
    M("POST", "/commit", CONTAINER_COMMIT),
    N("PUT", "/containers/c/archive", CONTAINER_ARCHIVE_WRITE, "c"),
    N("DELETE", "/containers/c", CONTAINER_REMOVE, "c"),
    M("GET", "/images/json", IMAGE_LIST),
    M("GET", "/images/search", IMAGE_SEARCH),
    M("GET", "/images/get", IMAGE_SAVE_MANY),
    N("GET", "/images/i/get", IMAGE_SAVE, "i"),
    N("GET", "/images/i/history", IMAGE_HISTORY, "i"),
    N("GET", "/images/i/json", IMAGE_INSPECT, "i"),
    N("GET", "/images/i/attestations", IMAGE_ATTESTATIONS, "i"),
    M("POST", "/images/load", IMAGE_LOAD),
    M("POST", "/images/create", IMAGE_PULL),
    N("POST", "/images/i/push", IMAGE_PUSH, "i"),
    N("POST", "/images/i/tag", IMAGE_TAG, "i"),
    M("POST", "/images/prune", IMAGE_PRUNE),
    N("DELETE", "/images/i", IMAGE_REMOVE, "i"),
    N("OPTIONS", "/containers/json", SYSTEM_OPTIONS, "containers/json"),
    M("GET", "/_ping", SYSTEM_PING),
    M("HEAD", "/_ping", SYSTEM_PING_HEAD),
    M("GET", "/events", SYSTEM_EVENTS),
    M("GET", "/info", SYSTEM_INFO),
    M("GET", "/version", SYSTEM_VERSION),
    M("GET", "/system/df", SYSTEM_DF),
    M("POST", "/auth", SYSTEM_AUTH),
    M("GET", "/volumes", VOLUME_LIST),
    N("GET", "/volumes/v", VOLUME_INSPECT, "v"),
    M("POST", "/volumes/create", VOLUME_CREATE),
    M("POST", "/volumes/prune", VOLUME_PRUNE),
    N("PUT", "/volumes/v", VOLUME_UPDATE, "v"),
    N("DELETE", "/volumes/v", VOLUME_REMOVE, "v"),
    M("POST", "/build", BUILD_RUN),
    M("POST", "/build/prune", BUILD_PRUNE),
    M("POST", "/build/cancel", BUILD_CANCEL),
    M("POST", "/session", BUILD_SESSION),
    M("POST", "/grpc", BUILD_GRPC),
    M("POST", "/swarm/init", SWARM_INIT),
    M("POST", "/swarm/join", SWARM_JOIN),
    M("POST", "/swarm/leave", SWARM_LEAVE),
    M("GET", "/swarm", SWARM_INSPECT),
    M("GET", "/swarm/unlockkey", SWARM_UNLOCK_KEY),
    M("POST", "/swarm/update", SWARM_UPDATE),
    M("POST", "/swarm/unlock", SWARM_UNLOCK),
    M("GET", "/services", SERVICE_LIST),
    N("GET", "/services/s", SERVICE_INSPECT, "s"),
    M("POST", "/services/create", SERVICE_CREATE),
    N("POST", "/services/s/update", SERVICE_UPDATE, "s"),
    N("DELETE", "/services/s", SERVICE_REMOVE, "s"),
    N("GET", "/services/s/logs", SERVICE_LOGS, "s"),
    M("GET", "/nodes", NODE_LIST),
    N("GET", "/nodes/n", NODE_INSPECT, "n"),
    N("DELETE", "/nodes/n", NODE_REMOVE, "n"),
    N("POST", "/nodes/n/update", NODE_UPDATE, "n"),
    M("GET", "/tasks", TASK_LIST),
    N("GET", "/tasks/t", TASK_INSPECT, "t"),
    N("GET", "/tasks/t/logs", TASK_LOGS, "t"),
    M("GET", "/secrets", SECRET_LIST),
    M("POST", "/secrets/create", SECRET_CREATE),
    N("DELETE", "/secrets/s", SECRET_REMOVE, "s"),
    N("GET", "/secrets/s", SECRET_INSPECT, "s"),
    N("POST", "/secrets/s/update", SECRET_UPDATE, "s"),
    M("GET", "/configs", CONFIG_LIST),
    M("POST", "/configs/create", CONFIG_CREATE),
    N("DELETE", "/configs/c", CONFIG_REMOVE, "c"),
    N("GET", "/configs/c", CONFIG_INSPECT, "c"),
    N("POST", "/configs/c/update", CONFIG_UPDATE, "c"),
    M("GET", "/plugins", PLUGIN_LIST),
    N("GET", "/plugins/p/json", PLUGIN_INSPECT, "p"),
    M("GET", "/plugins/privileges", PLUGIN_PRIVILEGES),
    N("DELETE", "/plugins/p", PLUGIN_REMOVE, "p"),
    N("POST", "/plugins/p/enable", PLUGIN_ENABLE, "p"),
    N("POST", "/plugins/p/disable", PLUGIN_DISABLE, "p"),
    M("POST", "/plugins/pull", PLUGIN_INSTALL),
    N("POST", "/plugins/p/push", PLUGIN_PUSH, "p"),
    N("POST", "/plugins/p/upgrade", PLUGIN_UPGRADE, "p"),
    N("POST", "/plugins/p/set", PLUGIN_SET, "p"),
    M("POST", "/plugins/create", PLUGIN_CREATE),
    N("GET", "/distribution/d/json", DISTRIBUTION_INSPECT, "d"),
    M("GET", "/networks", NETWORK_LIST),
    M("GET", "/networks/", NETWORK_LIST_SLASH),
    N("GET", "/networks/n", NETWORK_INSPECT, "n"),
    M("POST", "/networks/create", NETWORK_CREATE),
    N("POST", "/networks/n/connect", NETWORK_CONNECT, "n"),
    N("POST", "/networks/n/disconnect", NETWORK_DISCONNECT, "n"),
    M("POST", "/networks/prune", NETWORK_PRUNE),
    N("DELETE", "/networks/n", NETWORK_REMOVE, "n"),
    M("GET", "/debug/vars", DEBUG_VARS),
    M("GET", "/debug/pprof/", DEBUG_PPROF),
    M("GET", "/debug/pprof/cmdline", DEBUG_PPROF_CMDLINE),
    M("GET", "/debug/pprof/profile", DEBUG_PPROF_PROFILE),
    M("GET", "/debug/pprof/symbol", DEBUG_PPROF_SYMBOL),
    M("GET", "/debug/pprof/trace", DEBUG_PPROF_TRACE),
    N("GET", "/debug/pprof/heap", DEBUG_PPROF_NAME, "heap"),
    /* names take as much as they can */
    N("GET", "/containers/a/b/json", CONTAINER_INSPECT, "a/b"),
    N("GET", "/containers/json/json", CONTAINER_INSPECT, "json"),
    N("GET", "/containers/a/json/json", CONTAINER_INSPECT, "a/json"),
    N("GET", "/containers/a/logs/json", CONTAINER_INSPECT, "a/logs"),
    N("GET", "/containers/a/attach/ws/json", CONTAINER_INSPECT, "a/attach/ws"),
    N("GET", "/containers/a/attach/attach/ws", CONTAINER_ATTACH_WS, "a/attach"),
    N("POST", "/containers/create/start", CONTAINER_START, "create"),
    N("POST", "/containers/a/start/start", CONTAINER_START, "a/start"),
    N("POST", "/containers/prune/exec", CONTAINER_EXEC, "prune"),
    N("DELETE", "/containers/create", CONTAINER_REMOVE, "create"),
    N("DELETE", "/containers/a/b", CONTAINER_REMOVE, "a/b"),
    N("DELETE", "/containers/a/json", CONTAINER_REMOVE, "a/json"),
    N("DELETE", "/containers/", CONTAINER_REMOVE, ""),
    N("DELETE", "/containers/a/", CONTAINER_REMOVE, "a/"),
    N("GET", "/images/r.example:5000/a/b:1/json", IMAGE_INSPECT, "r.example:5000/a/b:1"),
    N("GET", "/images/a/json/json", IMAGE_INSPECT, "a/json"),
    N("GET", "/images/a/get/history", IMAGE_HISTORY, "a/get"),
    N("POST", "/images/a/b/c/push", IMAGE_PUSH, "a/b/c"),
    N("POST", "/images/create/tag", IMAGE_TAG, "create"),
    N("POST", "/images/load/push", IMAGE_PUSH, "load"),
    N("DELETE", "/images/a/b@sha256:0", IMAGE_REMOVE, "a/b@sha256:0"),
    N("DELETE", "/images/prune", IMAGE_REMOVE, "prune"),
    N("GET", "/distribution/a/b/c/json", DISTRIBUTION_INSPECT, "a/b/c"),
    N("POST", "/plugins/a/b:c/enable", PLUGIN_ENABLE, "a/b:c"),
    N("POST", "/plugins/pull/set", PLUGIN_SET, "pull"),
    N("DELETE", "/plugins/privileges", PLUGIN_REMOVE, "privileges"),
    N("GET", "/networks/a/b", NETWORK_INSPECT, "a/b"),
    N("GET", "/networks/prune", NETWORK_INSPECT, "prune"),
    N("GET", "/networks/create", NETWORK_INSPECT, "create"),
    N("POST", "/networks/create/connect", NETWORK_CONNECT, "create"),
    N("POST", "/networks/a/connect/connect", NETWORK_CONNECT, "a/connect"),
    N("DELETE", "/networks/a/connect", NETWORK_REMOVE, "a/connect"),
    N("GET", "/volumes/create", VOLUME_INSPECT, "create"),
    N("GET", "/volumes/a/b", VOLUME_INSPECT, "a/b"),
    N("GET", "/volumes/", VOLUME_INSPECT, ""),
    N("GET", "/exec/a/b/json", CONTAINER_EXEC_INSPECT, "a/b"),
    /* the checkpoints' routes come first, where they match */
    N("DELETE", "/containers/a/checkpoints", CONTAINER_REMOVE, "a/checkpoints"),
    N("DELETE", "/containers/a/b/checkpoints/p", CONTAINER_REMOVE, "a/b/checkpoints/p"),
    N("DELETE", "/containers/a/checkpoints/p/q", CONTAINER_REMOVE, "a/checkpoints/p/q"),
    N("GET", "/containers/a/b/checkpoints", CONTAINER_CHECKPOINT_LIST, "a/b"),
    N2("DELETE", "/containers/checkpoints/checkpoints/json", CONTAINER_CHECKPOINT_REMOVE, "checkpoints", "json"),
    /* one segment only */
    N("GET", "/services/create", SERVICE_INSPECT, "create"),
    NONE("GET", "/services/a/b"), NONE("GET", "/services/"),
    NONE("GET", "/services/a/b/logs"), NONE("GET", "/services//logs"),
    NONE("POST", "/services/a/b/update"), NONE("DELETE", "/services/"),
    NONE("GET", "/nodes/a/b"), NONE("GET", "/tasks/"), NONE("GET", "/tasks/a/"),
    NONE("DELETE", "/secrets/a/b"), NONE("DELETE", "/configs/"),
    NONE("GET", "/debug/pprof/a/b"), NONE("GET", "/debug/pprof"),
    /* methods: HEAD is not GET, case counts */
    NONE("HEAD", "/containers/json"), NONE("HEAD", "/containers/c/export"),
    NONE("HEAD", "/containers/c/json"), NONE("HEAD", "/info"),
    NONE("get", "/containers/json"), NONE("Post", "/containers/create"),
    NONE("GET", "/containers/create"), NONE("PUT", "/containers/create"),
    NONE("PATCH", "/containers/create"), NONE("CONNECT", "/containers/create"),
    NONE("TRACE", "/_ping"), NONE("POST", "/_ping"), NONE("", "/_ping"),
    NONE("DELETE", "/_ping"), NONE("POST", "/containers/json"),
    NONE("POST", "/containers/c"), NONE("PUT", "/networks/n"),
    NONE("BREW", "/debug/vars"), NONE("POST", "/debug/vars"),
    NONE("options", "/x"), NONE("*", "/grpc"), NONE("*", "*"),
    /* case of the path, ends, things that are near a route */
    NONE("GET", "/Containers/json"), NONE("GET", "/_PING"),
    NONE("GET", "/_ping/"), NONE("GET", "/info/"), NONE("GET", "/"),
    NONE("GET", ""), NONE("GET", "/containers"), NONE("GET", "/containers/"),
    NONE("GET", "/containers/json/"), NONE("GET", "/containers/c"),
    NONE("GET", "/containers/c/"), NONE("GET", "/containers/c/json/"),
    NONE("GET", "/containersjson"), NONE("GET", "/containers/jsonx"),
    NONE("GET", "/xcontainers/json"), NONE("POST", "/containers/create/"),
    NONE("POST", "/containers/create "), NONE("POST", "/containers/createx"),
    NONE("GET", "/images/i/push"), NONE("GET", "/images"),
    NONE("GET", "/images/i"), NONE("GET", "/exec/json"),
    NONE("GET", "/exec/e"), NONE("POST", "/exec"), NONE("GET", "/plugins/"),
    NONE("GET", "/plugins/p"), NONE("POST", "/networks"),
    NONE("POST", "/networks/"), NONE("GET", "/swarm/"), NONE("GET", "/swarm/init"),
    NONE("GET", "/volumesx"), NONE("PUT", "/volumes"), NONE("GET", "/build"),
    NONE("POST", "/build/"), NONE("GET", "/session"), NONE("POST", "/sessionx"),
    NONE("GET", "/debug"), NONE("GET", "/debug/"), NONE("GET", "/debug/varsx"),
    NONE("GET", "/v1.41/containers/json"), NONE("GET", "containers/json"),
};
/* clang-format on */

START_TEST(matches_as_the_router)
{
	const struct match_row *row = &matches[_i];
	struct pr_str name, name2;
	const struct pr_op_info *op = pr_api_match(
	    pr_str_of(row->method), pr_str_of(row->path), &name, &name2);

	ck_assert_msg(op->op == row->op, "%s %s is %s, not %s", row->method,
	    row->path, op->id, pr_api_op(row->op)->id);
	ck_assert_msg(pr_str_is(name, row->name), "%s: name %.*s", row->path,
	    PR_STRF(name));
	ck_assert_msg(pr_str_is(name2, row->name2), "%s: second name %.*s",
	    row->path, PR_STRF(name2));
}
END_TEST

/* Two operations are never found by a path alone. */
static bool
found_otherwise(enum pr_op op)
{
	return op == PR_OP_UNKNOWN || op == PR_OP_IMAGE_IMPORT ||
	    op == PR_OP_BUILD_GRPC_H2;
}

START_TEST(every_operation_is_matched)
{
	bool seen = false;

	for (size_t i = 0; i < PR_COUNT(matches); i++)
		seen = seen || matches[i].op == (enum pr_op)_i;
	ck_assert_msg(
	    seen != found_otherwise((enum pr_op)_i) || _i == PR_OP_UNKNOWN,
	    "%s has no row", pr_api_op((enum pr_op)_i)->id);
}
END_TEST

/* ---- the rows ---- */

START_TEST(row_is_well_formed)
{
	const struct pr_op_info *op = pr_api_op((enum pr_op)_i);
	const char *resource = pr_resource_name(op->resource);
	size_t n = strlen(resource), i;

	ck_assert_int_eq(op->op, _i);
	ck_assert_msg(strncmp(op->action, resource, n) == 0 &&
		op->action[n] == '.' && op->verb == op->action + n + 1,
	    "%s: %s is no action of %s", op->id, op->action, resource);
	for (i = 0; op->action[i] != '\0'; i++) {
		int c = op->action[i];

		ck_assert_msg(
		    op->id[i] == (c == '.' || c == '-' ? '_' : toupper(c)),
		    "id %s is not of action %s", op->id, op->action);
	}
	ck_assert(op->id[i] == '\0' || op->id[i] == '_');
	ck_assert(op->since >= 12 && op->since <= PR_API_NEWEST);
	ck_assert(op->until == 0 || op->until >= op->since);
	ck_assert_uint_gt(strlen(op->text), 8);
	ck_assert_int_ne(op->text[strlen(op->text) - 1], '.');
	/* an object in the path means that it belongs to somebody or all */
	ck_assert(op->kind == PR_KIND_NONE || strchr(op->path, '{') != NULL);
	/* what nobody judges by a body changes nothing */
	if (strcmp(op->method, "GET") == 0 || strcmp(op->method, "HEAD") == 0)
		ck_assert_int_eq(op->body, PR_BODY_KIND_NONE);
	if (strcmp(op->method, "DELETE") == 0)
		ck_assert_int_ne(op->risk, PR_RISK_READ);
}
END_TEST

START_TEST(parent_is_of_the_same_resource)
{
	const struct pr_op_info *op = pr_api_op((enum pr_op)_i);
	struct pr_opset set = {{0}};

	if (op->parent == NULL)
		return;
	ck_assert_int_eq(
	    strncmp(op->parent, op->action, (size_t)(op->verb - op->action)),
	    0);
	ck_assert(pr_opset_add_verb(&set, op->resource,
	    pr_str_of(op->parent + (op->verb - op->action))));
	ck_assert(pr_opset_has(&set, op->op));
}
END_TEST

/* The operations with a property, in full: semantics 2.1, 3.6, 6.1. */
static const enum pr_op specs[] = {PR_OP_CONTAINER_CREATE,
    PR_OP_CONTAINER_START, PR_OP_CONTAINER_RESTART, PR_OP_CONTAINER_UNPAUSE,
    PR_OP_CONTAINER_UPDATE, PR_OP_CONTAINER_COMMIT, PR_OP_CONTAINER_EXEC,
    PR_OP_CONTAINER_EXEC_START, PR_OP_CONTAINER_ATTACH,
    PR_OP_CONTAINER_ATTACH_WS, PR_OP_CONTAINER_ARCHIVE_WRITE,
    PR_OP_CONTAINER_RENAME, PR_OP_CONTAINER_CHECKPOINT_CREATE,
    PR_OP_CONTAINER_CHECKPOINT_LIST, PR_OP_CONTAINER_CHECKPOINT_REMOVE,
    PR_OP_VOLUME_CREATE, PR_OP_NETWORK_CREATE, PR_OP_NETWORK_CONNECT,
    PR_OP_BUILD_RUN, PR_OP_BUILD_SESSION, PR_OP_BUILD_GRPC, PR_OP_BUILD_GRPC_H2,
    PR_OP_IMAGE_IMPORT, PR_OP_IMAGE_LOAD, PR_OP_IMAGE_TAG, PR_OP_IMAGE_PULL,
    PR_OP_IMAGE_PUSH, PR_OP_IMAGE_REMOVE, PR_OP_SERVICE_CREATE,
    PR_OP_SERVICE_UPDATE, PR_OP_UNKNOWN};

static const enum pr_op opaques[] = {PR_OP_BUILD_RUN, PR_OP_IMAGE_LOAD,
    PR_OP_IMAGE_IMPORT, PR_OP_CONTAINER_ARCHIVE_WRITE, PR_OP_PLUGIN_CREATE};

static const enum pr_op jsons[] = {PR_OP_CONTAINER_CREATE,
    PR_OP_CONTAINER_CHECKPOINT_CREATE, PR_OP_CONTAINER_COPY,
    PR_OP_CONTAINER_EXEC, PR_OP_CONTAINER_EXEC_START, PR_OP_CONTAINER_UPDATE,
    PR_OP_VOLUME_CREATE, PR_OP_VOLUME_UPDATE, PR_OP_NETWORK_CREATE,
    PR_OP_NETWORK_CONNECT, PR_OP_NETWORK_DISCONNECT, PR_OP_SWARM_INIT,
    PR_OP_SWARM_JOIN, PR_OP_SWARM_UPDATE, PR_OP_SWARM_UNLOCK,
    PR_OP_SERVICE_CREATE, PR_OP_SERVICE_UPDATE, PR_OP_NODE_UPDATE,
    PR_OP_SECRET_CREATE, PR_OP_SECRET_UPDATE, PR_OP_CONFIG_CREATE,
    PR_OP_CONFIG_UPDATE, PR_OP_PLUGIN_INSTALL, PR_OP_PLUGIN_UPGRADE,
    PR_OP_PLUGIN_SET, PR_OP_UNKNOWN};

static const enum pr_op unowned[] = {PR_OP_SYSTEM_PING, PR_OP_SYSTEM_PING_HEAD,
    PR_OP_SYSTEM_VERSION, PR_OP_SYSTEM_INFO, PR_OP_SYSTEM_AUTH,
    PR_OP_SYSTEM_OPTIONS, PR_OP_IMAGE_LIST, PR_OP_IMAGE_SEARCH,
    PR_OP_IMAGE_SAVE_MANY, PR_OP_IMAGE_SAVE, PR_OP_IMAGE_HISTORY,
    PR_OP_IMAGE_INSPECT, PR_OP_IMAGE_ATTESTATIONS, PR_OP_IMAGE_LOAD,
    PR_OP_IMAGE_PULL, PR_OP_IMAGE_IMPORT, PR_OP_IMAGE_PUSH, PR_OP_IMAGE_TAG,
    PR_OP_IMAGE_REMOVE, PR_OP_BUILD_RUN, PR_OP_BUILD_CANCEL,
    PR_OP_BUILD_SESSION, PR_OP_BUILD_GRPC, PR_OP_BUILD_GRPC_H2,
    PR_OP_DISTRIBUTION_INSPECT};

static const enum pr_op globals[] = {PR_OP_CONTAINER_LIST,
    PR_OP_CONTAINER_PRUNE, PR_OP_IMAGE_PRUNE, PR_OP_SYSTEM_EVENTS,
    PR_OP_SYSTEM_DF, PR_OP_VOLUME_LIST, PR_OP_VOLUME_PRUNE, PR_OP_BUILD_PRUNE,
    PR_OP_SWARM_INIT, PR_OP_SWARM_JOIN, PR_OP_SWARM_LEAVE, PR_OP_SWARM_INSPECT,
    PR_OP_SWARM_UNLOCK_KEY, PR_OP_SWARM_UPDATE, PR_OP_SWARM_UNLOCK,
    PR_OP_SERVICE_LIST, PR_OP_NODE_LIST, PR_OP_NODE_INSPECT, PR_OP_NODE_REMOVE,
    PR_OP_NODE_UPDATE, PR_OP_TASK_LIST, PR_OP_SECRET_LIST, PR_OP_CONFIG_LIST,
    PR_OP_PLUGIN_LIST, PR_OP_PLUGIN_INSPECT, PR_OP_PLUGIN_PRIVILEGES,
    PR_OP_PLUGIN_REMOVE, PR_OP_PLUGIN_ENABLE, PR_OP_PLUGIN_DISABLE,
    PR_OP_PLUGIN_INSTALL, PR_OP_PLUGIN_PUSH, PR_OP_PLUGIN_UPGRADE,
    PR_OP_PLUGIN_SET, PR_OP_PLUGIN_CREATE, PR_OP_NETWORK_LIST,
    PR_OP_NETWORK_LIST_SLASH, PR_OP_NETWORK_PRUNE, PR_OP_DEBUG_VARS,
    PR_OP_DEBUG_PPROF, PR_OP_DEBUG_PPROF_CMDLINE, PR_OP_DEBUG_PPROF_PROFILE,
    PR_OP_DEBUG_PPROF_SYMBOL, PR_OP_DEBUG_PPROF_TRACE, PR_OP_DEBUG_PPROF_NAME,
    PR_OP_UNKNOWN};

static bool
is_in(enum pr_op op, const enum pr_op *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] == op)
			return true;
	}
	return false;
}
#define IN(op, list) is_in(op, list, PR_COUNT(list))

START_TEST(row_has_its_properties)
{
	const struct pr_op_info *op = pr_api_op((enum pr_op)_i);

	ck_assert_msg(op->spec == IN(op->op, specs), "spec of %s", op->id);
	ck_assert_msg((op->body == PR_BODY_KIND_OPAQUE) == IN(op->op, opaques),
	    "opaque body of %s", op->id);
	ck_assert_msg((op->body == PR_BODY_KIND_JSON) == IN(op->op, jsons),
	    "JSON body of %s", op->id);
	ck_assert_msg((op->body == PR_BODY_KIND_START) ==
		(op->op == PR_OP_CONTAINER_START),
	    "start body of %s", op->id);
	ck_assert_msg((op->body == PR_BODY_KIND_JSON_OPTIONAL) ==
		(op->op == PR_OP_CONTAINER_COMMIT ||
		    op->op == PR_OP_IMAGE_PUSH),
	    "optional body of %s", op->id);
	ck_assert_msg((op->body == PR_BODY_KIND_WITHHELD) ==
		(op->op == PR_OP_SYSTEM_AUTH),
	    "withheld body of %s", op->id);
	ck_assert_msg((op->scope == PR_SCOPE_OWNERLESS) == IN(op->op, unowned),
	    "%s ownerless", op->id);
	ck_assert_msg((op->scope == PR_SCOPE_GLOBAL) == IN(op->op, globals),
	    "%s global", op->id);
}
END_TEST

START_TEST(what_a_success_makes)
{
	static const struct {
		enum pr_op op;
		enum pr_kind kind;
	} rows[] = {
	    {PR_OP_CONTAINER_CREATE, PR_KIND_CONTAINER},
	    {PR_OP_CONTAINER_EXEC, PR_KIND_EXEC},
	    {PR_OP_CONTAINER_COMMIT, PR_KIND_IMAGE},
	    {PR_OP_IMAGE_LOAD, PR_KIND_IMAGE},
	    {PR_OP_IMAGE_PULL, PR_KIND_IMAGE},
	    {PR_OP_IMAGE_IMPORT, PR_KIND_IMAGE},
	    {PR_OP_BUILD_RUN, PR_KIND_IMAGE},
	    {PR_OP_VOLUME_CREATE, PR_KIND_VOLUME},
	    {PR_OP_NETWORK_CREATE, PR_KIND_NETWORK},
	    {PR_OP_SERVICE_CREATE, PR_KIND_SERVICE},
	    {PR_OP_SECRET_CREATE, PR_KIND_SECRET},
	    {PR_OP_CONFIG_CREATE, PR_KIND_CONFIG},
	    {PR_OP_PLUGIN_INSTALL, PR_KIND_PLUGIN},
	    {PR_OP_PLUGIN_CREATE, PR_KIND_PLUGIN},
	};
	size_t makers = 0;

	for (size_t i = 0; i < PR_COUNT(rows); i++)
		ck_assert_int_eq(pr_api_op(rows[i].op)->creates, rows[i].kind);
	for (size_t i = 0; i < PR_OP_COUNT; i++)
		makers += pr_api_op((enum pr_op)i)->creates != PR_KIND_NONE;
	ck_assert_uint_eq(makers, PR_COUNT(rows));
}
END_TEST

START_TEST(unknown_is_the_worst_case)
{
	const struct pr_op_info *op = pr_api_op(PR_OP_UNKNOWN);

	ck_assert_int_eq(op->risk, PR_RISK_HOST);
	ck_assert_int_eq(op->scope, PR_SCOPE_GLOBAL);
	ck_assert_ptr_eq(pr_api_op(PR_OP_COUNT), op);
	ck_assert_ptr_eq(pr_api_op((enum pr_op) - 1), op);
}
END_TEST

/* ---- words and sets ---- */

START_TEST(resources_have_their_names)
{
	for (size_t r = 0; r < PR_RES_COUNT; r++) {
		const char *name = pr_resource_name((enum pr_resource)r);

		ck_assert_uint_eq(pr_resource_of(pr_str_of(name)), r);
	}
	ck_assert_int_eq(pr_resource_of(PR_STR("contain")), PR_RES_COUNT);
	ck_assert_int_eq(pr_resource_of(PR_STR("Container")), PR_RES_COUNT);
	ck_assert_int_eq(pr_resource_of(PR_STR("")), PR_RES_COUNT);
	ck_assert_str_eq(pr_resource_name(PR_RES_COUNT), "unknown");
	ck_assert_str_eq(pr_kind_name(PR_KIND_NONE), "none");
	ck_assert_str_eq(pr_kind_name(PR_KIND_CONFIG), "config");
	ck_assert_str_eq(pr_kind_name(PR_KIND_COUNT), "unknown");
	ck_assert_str_eq(pr_risk_name(PR_RISK_HOST), "host");
	ck_assert_str_eq(pr_scope_name(PR_SCOPE_GLOBAL), "global");
	ck_assert_str_eq(pr_body_kind_name(PR_BODY_KIND_START), "start");
	ck_assert_str_eq(pr_stream_name(PR_STREAM_UPGRADE), "upgrade");
}
END_TEST

static size_t
set_size(const struct pr_opset *s)
{
	size_t n = 0;

	for (size_t i = 0; i < PR_OP_COUNT; i++)
		n += pr_opset_has(s, (enum pr_op)i);
	return n;
}

static const struct {
	enum pr_resource resource;
	const char *verb;
	size_t n; /* operations; 0: there is no such verb */
	enum pr_op has;
} verbs[] = {
    {PR_RES_CONTAINER, "exec", 4, PR_OP_CONTAINER_EXEC_RESIZE},
    {PR_RES_CONTAINER, "exec-start", 1, PR_OP_CONTAINER_EXEC_START},
    {PR_RES_CONTAINER, "attach", 2, PR_OP_CONTAINER_ATTACH_WS},
    {PR_RES_CONTAINER, "attach-ws", 1, PR_OP_CONTAINER_ATTACH_WS},
    {PR_RES_CONTAINER, "checkpoint", 3, PR_OP_CONTAINER_CHECKPOINT_REMOVE},
    {PR_RES_CONTAINER, "create", 1, PR_OP_CONTAINER_CREATE},
    {PR_RES_CONTAINER, "strat", 0, PR_OP_UNKNOWN},
    {PR_RES_CONTAINER, "", 0, PR_OP_UNKNOWN},
    {PR_RES_CONTAINER, "Create", 0, PR_OP_UNKNOWN},
    {PR_RES_CONTAINER, "pull", 0, PR_OP_UNKNOWN},
    {PR_RES_CONTAINER, "container.create", 0, PR_OP_UNKNOWN},
    {PR_RES_CONTAINER, "exec*", 0, PR_OP_UNKNOWN},
    {PR_RES_SYSTEM, "ping", 2, PR_OP_SYSTEM_PING_HEAD},
    {PR_RES_SYSTEM, "*", 8, PR_OP_SYSTEM_OPTIONS},
    {PR_RES_NETWORK, "list", 2, PR_OP_NETWORK_LIST_SLASH},
    {PR_RES_IMAGE, "save", 2, PR_OP_IMAGE_SAVE_MANY},
    {PR_RES_BUILD, "grpc", 2, PR_OP_BUILD_GRPC_H2},
    {PR_RES_DEBUG, "pprof", 6, PR_OP_DEBUG_PPROF_NAME},
    {PR_RES_VOLUME, "*", 6, PR_OP_VOLUME_UPDATE},
};

START_TEST(verb_means_operations)
{
	struct pr_opset set = {{0}};
	bool known = pr_opset_add_verb(
	    &set, verbs[_i].resource, pr_str_of(verbs[_i].verb));

	ck_assert_int_eq(known, verbs[_i].n > 0);
	ck_assert_uint_eq(set_size(&set), verbs[_i].n);
	ck_assert(!known || pr_opset_has(&set, verbs[_i].has));
	ck_assert(!pr_opset_has(&set, PR_OP_UNKNOWN));
}
END_TEST

START_TEST(every_verb_is_listed_once)
{
	const char *list[64];
	size_t n = pr_api_verbs((enum pr_resource)_i, list, PR_COUNT(list));

	ck_assert_uint_gt(n, 0);
	for (size_t i = 0; i < n; i++) {
		struct pr_opset set = {{0}};

		ck_assert(pr_opset_add_verb(
		    &set, (enum pr_resource)_i, pr_str_of(list[i])));
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(list[k], list[i]);
	}
	ck_assert_uint_eq(pr_api_verbs((enum pr_resource)_i, list, 1), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("api");
	TCase *tc = tcase_create("match");

	tcase_add_loop_test(tc, matches_as_the_router, 0, PR_COUNT(matches));
	tcase_add_loop_test(tc, every_operation_is_matched, 0, PR_OP_COUNT);
	suite_add_tcase(s, tc);
	tc = tcase_create("rows");
	tcase_add_loop_test(tc, row_is_well_formed, 1, PR_OP_COUNT);
	tcase_add_loop_test(tc, parent_is_of_the_same_resource, 1, PR_OP_COUNT);
	tcase_add_loop_test(tc, row_has_its_properties, 0, PR_OP_COUNT);
	tcase_add_test(tc, what_a_success_makes);
	tcase_add_test(tc, unknown_is_the_worst_case);
	suite_add_tcase(s, tc);
	tc = tcase_create("words");
	tcase_add_test(tc, resources_have_their_names);
	tcase_add_loop_test(tc, verb_means_operations, 0, PR_COUNT(verbs));
	tcase_add_loop_test(tc, every_verb_is_listed_once, 0, PR_RES_COUNT);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
