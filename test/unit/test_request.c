/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/caps.h>
#include <portreeve/request.h>

#include "unit.h"

static struct pr_arena *arena;
static struct pr_request rq;
static struct pr_refusal why;

static void
setup(void)
{
	arena = pr_arena_new(4096);
}

static void
teardown(void)
{
	pr_arena_free(arena);
}

/* What a door saw, in a line: NULL is "not there". */
struct seen {
	const char *method, *target;
	const char *type, *length; /* Content-Type, Content-Length */
	const char *body;          /* NULL: not shown */
};

static int
read_seen(const struct seen *s)
{
	struct pr_header headers[3];
	struct pr_call call = {.method = pr_str_of(s->method),
	    .target = pr_str_of(s->target),
	    .headers = headers,
	    .body = pr_str_of(s->body),
	    .body_shown = s->body != NULL,
	    .max_body = 256};
	size_t n = 0;

	headers[n++] = (struct pr_header){
	    PR_STR("User-Agent"), PR_STR("Docker-Client/28.2.2 (linux)")};
	if (s->type != NULL)
		headers[n++] = (struct pr_header){
		    PR_STR("Content-Type"), pr_str_of(s->type)};
	if (s->length != NULL)
		headers[n++] = (struct pr_header){
		    PR_STR("content-length"), pr_str_of(s->length)};
	call.n_headers = n;
	return pr_request_read(arena, &call, &rq, &why);
}

#define JSON  "application/json"
#define PLAIN "text/plain"
#define TAR   "application/x-tar"
#define FORM  "application/x-www-form-urlencoded"
#define PARTS "multipart/form-data; boundary=x"
#define ID    "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"

/* ---- what the docker command sends: method, target, headers, operation ---- */

struct good_row {
	struct seen seen;
	enum pr_op op;
	const char *name;
	const char *canonical; /* NULL: as sent */
};

/* clang-format off */
static const struct good_row good[] = {
    {{"HEAD", "/_ping", NULL, NULL, NULL}, PR_OP_SYSTEM_PING_HEAD, "", NULL},
    {{"GET", "/_ping", NULL, NULL, NULL}, PR_OP_SYSTEM_PING, "", NULL},
    {{"GET", "/v1.41/version", NULL, NULL, NULL}, PR_OP_SYSTEM_VERSION, "", NULL},
    {{"GET", "/v1.41/info", NULL, NULL, NULL}, PR_OP_SYSTEM_INFO, "", NULL},
    {{"GET", "/v1.41/events?since=1795318084&until=1795321684", NULL, NULL, NULL}, PR_OP_SYSTEM_EVENTS, "", NULL},
    {{"GET", "/v1.41/containers/json?all=1", NULL, NULL, NULL}, PR_OP_CONTAINER_LIST, "", NULL},
    {{"GET", "/v1.41/containers/json?all=1&filters=%7B%22label%22%3A%7B%22team%3Da%22%3Atrue%7D%7D", NULL, NULL, NULL},
        PR_OP_CONTAINER_LIST, "", "/v1.41/containers/json?all=1&filters=%7B%22label%22:%7B%22team%3Da%22:true%7D%7D"},
    {{"POST", "/v1.41/containers/create?name=web", JSON, "15", "{\"Image\":\"web\"}"}, PR_OP_CONTAINER_CREATE, "", NULL},
    {{"POST", "/v1.41/containers/create", JSON, NULL, "{\"Image\":\"web\"}"}, PR_OP_CONTAINER_CREATE, "", NULL},
    {{"POST", "/v1.41/containers/create", "application/json; charset=utf-8", "15", "{\"Image\":\"web\"}"}, PR_OP_CONTAINER_CREATE, "", NULL},
    {{"POST", "/v1.41/containers/" ID "/wait?condition=next-exit", NULL, "0", NULL}, PR_OP_CONTAINER_WAIT, ID, NULL},
    {{"POST", "/v1.41/containers/" ID "/start", NULL, "0", NULL}, PR_OP_CONTAINER_START, ID, NULL},
    {{"POST", "/v1.41/containers/" ID "/start", NULL, NULL, NULL}, PR_OP_CONTAINER_START, ID, NULL},
    {{"POST", "/v1.41/containers/" ID "/start", PLAIN, "0", NULL}, PR_OP_CONTAINER_START, ID, NULL},
    {{"POST", "/v1.41/containers/" ID "/start", JSON, "2", "{}"}, PR_OP_CONTAINER_START, ID, NULL},
    {{"POST", "/v1.41/containers/" ID "/start", JSON, "4", "null"}, PR_OP_CONTAINER_START, ID, NULL},
    {{"POST", "/v1.41/containers/" ID "/start", JSON, "5", " { }\n"}, PR_OP_CONTAINER_START, ID, NULL},
    {{"POST", "/v1.41/containers/" ID "/start", JSON, "0", ""}, PR_OP_CONTAINER_START, ID, NULL},
    {{"POST", "/v1.41/containers/" ID "/attach?stderr=1&stdin=1&stdout=1&stream=1", PLAIN, "0", NULL}, PR_OP_CONTAINER_ATTACH, ID, NULL},
    {{"POST", "/v1.41/containers/" ID "/resize?h=24&w=80", NULL, "0", NULL}, PR_OP_CONTAINER_RESIZE, ID, NULL},
    {{"GET", "/v1.41/containers/web/logs?follow=1&stderr=1&stdout=1&tail=all", NULL, NULL, NULL}, PR_OP_CONTAINER_LOGS, "web", NULL},
    {{"GET", "/v1.41/containers/web/json?size=1", NULL, NULL, NULL}, PR_OP_CONTAINER_INSPECT, "web", NULL},
    {{"GET", "/v1.41/containers/web/top", NULL, NULL, NULL}, PR_OP_CONTAINER_TOP, "web", NULL},
    {{"GET", "/v1.41/containers/web/stats?stream=0", NULL, NULL, NULL}, PR_OP_CONTAINER_STATS, "web", NULL},
    {{"GET", "/v1.41/containers/web/changes", NULL, NULL, NULL}, PR_OP_CONTAINER_CHANGES, "web", NULL},
    {{"GET", "/v1.41/containers/web/export", NULL, NULL, NULL}, PR_OP_CONTAINER_EXPORT, "web", NULL},
    {{"POST", "/v1.41/containers/web/exec", JSON, "16", "{\"Cmd\":[\"true\"]}"}, PR_OP_CONTAINER_EXEC, "web", NULL},
    {{"POST", "/v1.41/exec/" ID "/start", JSON, "29", "{\"Detach\":false,\"Tty\":false}"}, PR_OP_CONTAINER_EXEC_START, ID, NULL},
    {{"GET", "/v1.41/exec/" ID "/json", NULL, NULL, NULL}, PR_OP_CONTAINER_EXEC_INSPECT, ID, NULL},
    {{"POST", "/v1.41/exec/" ID "/resize?h=24&w=80", NULL, "0", NULL}, PR_OP_CONTAINER_EXEC_RESIZE, ID, NULL},
    {{"POST", "/v1.41/containers/web/stop?t=1", NULL, "0", NULL}, PR_OP_CONTAINER_STOP, "web", NULL},
    {{"POST", "/v1.41/containers/web/stop", PLAIN, "0", NULL}, PR_OP_CONTAINER_STOP, "web", NULL},
    {{"POST", "/v1.41/containers/web/stop", NULL, NULL, NULL}, PR_OP_CONTAINER_STOP, "web", NULL},
    {{"POST", "/v1.41/containers/web/kill?signal=TERM", NULL, "0", NULL}, PR_OP_CONTAINER_KILL, "web", NULL},
    {{"POST", "/v1.41/containers/web/kill?signal=TERM", JSON, "2", "{}"}, PR_OP_CONTAINER_KILL, "web", NULL},
    {{"POST", "/v1.41/containers/web/kill?signal=TERM", JSON, "4", "nope"}, PR_OP_CONTAINER_KILL, "web", NULL},
    {{"POST", "/v1.41/containers/web/restart?t=1", NULL, "0", NULL}, PR_OP_CONTAINER_RESTART, "web", NULL},
    {{"POST", "/v1.41/containers/web/pause", NULL, "0", NULL}, PR_OP_CONTAINER_PAUSE, "web", NULL},
    {{"POST", "/v1.41/containers/web/unpause", NULL, "0", NULL}, PR_OP_CONTAINER_UNPAUSE, "web", NULL},
    {{"POST", "/v1.41/containers/web/rename?name=www", NULL, "0", NULL}, PR_OP_CONTAINER_RENAME, "web", NULL},
    {{"POST", "/v1.41/containers/web/update", JSON, "12", "{\"Memory\":12}"}, PR_OP_CONTAINER_UPDATE, "web", NULL},
    {{"DELETE", "/v1.41/containers/web?force=1&v=1", NULL, NULL, NULL}, PR_OP_CONTAINER_REMOVE, "web", NULL},
    {{"GET", "/v1.41/containers/web/archive?path=%2Fetc%2Fpasswd", NULL, NULL, NULL}, PR_OP_CONTAINER_ARCHIVE_READ, "web", "/v1.41/containers/web/archive?path=/etc/passwd"},
    {{"HEAD", "/v1.41/containers/web/archive?path=%2Ftmp", NULL, NULL, NULL}, PR_OP_CONTAINER_ARCHIVE_STAT, "web", "/v1.41/containers/web/archive?path=/tmp"},
    {{"PUT", "/v1.41/containers/web/archive?noOverwriteDirNonDir=true&path=%2Ftmp", PLAIN, NULL, NULL}, PR_OP_CONTAINER_ARCHIVE_WRITE, "web",
        "/v1.41/containers/web/archive?noOverwriteDirNonDir=true&path=/tmp"},
    {{"POST", "/v1.41/commit?container=web&repo=img&tag=1", JSON, "4", "null"}, PR_OP_CONTAINER_COMMIT, "", NULL},
    {{"POST", "/v1.41/commit?container=web", NULL, "0", NULL}, PR_OP_CONTAINER_COMMIT, "", NULL},
    {{"POST", "/v1.41/commit?container=web", JSON, "0", ""}, PR_OP_CONTAINER_COMMIT, "", NULL},
    {{"POST", "/v1.41/containers/prune?filters=%7B%7D", NULL, "0", NULL}, PR_OP_CONTAINER_PRUNE, "", NULL},
    {{"GET", "/v1.41/images/json?all=1", NULL, NULL, NULL}, PR_OP_IMAGE_LIST, "", NULL},
    {{"GET", "/v1.41/images/r.example/team/app:1/json", NULL, NULL, NULL}, PR_OP_IMAGE_INSPECT, "r.example/team/app:1", NULL},
    {{"GET", "/v1.41/images/get?names=a&names=b", NULL, NULL, NULL}, PR_OP_IMAGE_SAVE_MANY, "", NULL},
    {{"POST", "/v1.41/images/create?fromImage=r.example%2Fteam%2Fapp&tag=1", NULL, "0", NULL}, PR_OP_IMAGE_PULL, "",
        "/v1.41/images/create?fromImage=r.example/team/app&tag=1"},
    {{"POST", "/v1.41/images/create?fromImage=app&tag=sha256%3A00", PLAIN, "0", NULL}, PR_OP_IMAGE_PULL, "", "/v1.41/images/create?fromImage=app&tag=sha256:00"},
    {{"POST", "/v1.41/images/create?fromSrc=-&repo=bb%3Alatest", PLAIN, NULL, NULL}, PR_OP_IMAGE_IMPORT, "", "/v1.41/images/create?fromSrc=-&repo=bb:latest"},
    {{"POST", "/v1.41/images/create?fromSrc=http%3A%2F%2Fx", NULL, "0", NULL}, PR_OP_IMAGE_IMPORT, "", "/v1.41/images/create?fromSrc=http://x"},
    {{"POST", "/v1.41/images/create?fromImage=&fromSrc=-", TAR, NULL, NULL}, PR_OP_IMAGE_IMPORT, "", NULL},
    {{"POST", "/v1.41/images/create", NULL, "0", NULL}, PR_OP_IMAGE_IMPORT, "", NULL},
    {{"POST", "/v1.41/images/create?fromimage=x", NULL, "0", NULL}, PR_OP_IMAGE_IMPORT, "", NULL},
    {{"POST", "/v1.41/images/load?quiet=1", TAR, NULL, NULL}, PR_OP_IMAGE_LOAD, "", NULL},
    {{"POST", "/v1.41/images/r.example/a/push?tag=1", NULL, "0", NULL}, PR_OP_IMAGE_PUSH, "r.example/a", NULL},
    {{"POST", "/v1.41/images/bb/tag?repo=r.example%2Fa&tag=2", NULL, "0", NULL}, PR_OP_IMAGE_TAG, "bb", "/v1.41/images/bb/tag?repo=r.example/a&tag=2"},
    {{"DELETE", "/v1.41/images/r.example/a:2", NULL, NULL, NULL}, PR_OP_IMAGE_REMOVE, "r.example/a:2", NULL},
    {{"GET", "/v1.41/distribution/r.example/a/json", NULL, NULL, NULL}, PR_OP_DISTRIBUTION_INSPECT, "r.example/a", NULL},
    {{"POST", "/v1.41/networks/create", JSON, "12", "{\"Name\":\"n\"}"}, PR_OP_NETWORK_CREATE, "", NULL},
    {{"GET", "/v1.41/networks/n", NULL, NULL, NULL}, PR_OP_NETWORK_INSPECT, "n", NULL},
    {{"POST", "/v1.41/networks/n/connect", JSON, "17", "{\"Container\":\"c\"}"}, PR_OP_NETWORK_CONNECT, "n", NULL},
    {{"DELETE", "/v1.41/networks/n", NULL, NULL, NULL}, PR_OP_NETWORK_REMOVE, "n", NULL},
    {{"GET", "/v1.41/networks/", NULL, NULL, NULL}, PR_OP_NETWORK_LIST_SLASH, "", NULL},
    {{"POST", "/v1.41/volumes/create", JSON, "12", "{\"Name\":\"v\"}"}, PR_OP_VOLUME_CREATE, "", NULL},
    {{"DELETE", "/v1.41/volumes/v", NULL, NULL, NULL}, PR_OP_VOLUME_REMOVE, "v", NULL},
    {{"POST", "/v1.41/build?dockerfile=Dockerfile&t=a%3A1&t=b", TAR, NULL, NULL}, PR_OP_BUILD_RUN, "", "/v1.41/build?dockerfile=Dockerfile&t=a:1&t=b"},
    {{"POST", "/v1.41/build?remote=client-session&session=x&version=2", PLAIN, "0", NULL}, PR_OP_BUILD_RUN, "", NULL},
    {{"POST", "/session", NULL, NULL, NULL}, PR_OP_BUILD_SESSION, "", NULL},
    {{"POST", "/v1.41/grpc", NULL, NULL, NULL}, PR_OP_BUILD_GRPC, "", NULL},
    {{"POST", "/v1.41/auth", JSON, "40", NULL}, PR_OP_SYSTEM_AUTH, "", NULL},
    {{"POST", "/v1.41/auth", JSON, "2", "{}"}, PR_OP_SYSTEM_AUTH, "", NULL},
    {{"POST", "/v1.41/plugins/pull?remote=a", JSON, "2", "[]"}, PR_OP_PLUGIN_INSTALL, "", NULL},
    {{"POST", "/v1.41/plugins/a/b:c/enable?timeout=0", NULL, "0", NULL}, PR_OP_PLUGIN_ENABLE, "a/b:c", NULL},
    {{"POST", "/v1.41/plugins/create?name=a", TAR, NULL, NULL}, PR_OP_PLUGIN_CREATE, "", NULL},
    {{"OPTIONS", "/v1.41/containers/a/b/c", NULL, NULL, NULL}, PR_OP_SYSTEM_OPTIONS, "", NULL},
    {{"OPTIONS", "/", NULL, NULL, NULL}, PR_OP_SYSTEM_OPTIONS, "", NULL},
    /* other spellings become one */
    {{"GET", "/%76%31.41/%63ontainers%2Fweb%2fjson", NULL, NULL, NULL}, PR_OP_CONTAINER_INSPECT, "web", "/v1.41/containers/web/json"},
    {{"GET", "/networks/a%20b?verbose", NULL, NULL, NULL}, PR_OP_NETWORK_INSPECT, "a b", "/networks/a%20b?verbose="},
    {{"GET", "/info?&&a=b+c&%64=%7e", NULL, NULL, NULL}, PR_OP_SYSTEM_INFO, "", "/info?a=b%20c&d=~"},
    {{"GET", "/networks/a%25%3f%23b", NULL, NULL, NULL}, PR_OP_NETWORK_INSPECT, "a%?#b", "/networks/a%25%3F%23b"},
    {{"GET", "/info?", NULL, NULL, NULL}, PR_OP_SYSTEM_INFO, "", "/info"},
};
/* clang-format on */

START_TEST(call_is_read)
{
	const struct good_row *row = &good[_i];
	const char *want =
	    row->canonical != NULL ? row->canonical : row->seen.target;

	ck_assert_msg(read_seen(&row->seen) == 0, "%s %s: %s: %s",
	    row->seen.method, row->seen.target, pr_reason_code(why.reason),
	    why.text);
	ck_assert_msg(
	    rq.op->op == row->op, "%s is %s", row->seen.target, rq.op->id);
	ck_assert_msg(pr_str_is(rq.name, row->name), "%s: name %.*s",
	    row->seen.target, PR_STRF(rq.name));
	/* the canonical form of a query that was canonical is itself */
	ck_assert_msg(pr_str_is(rq.canonical, want), "%s: canonical %.*s",
	    row->seen.target, PR_STRF(rq.canonical));
}
END_TEST

/* What was written means what was read, and writing it again changes nothing. */
START_TEST(canonical_form_is_stable)
{
	struct seen again = good[_i].seen;
	struct pr_request first;

	ck_assert_int_eq(read_seen(&again), 0);
	first = rq;
	again.target = pr_arena_strdup(arena, rq.canonical);
	ck_assert_msg(read_seen(&again) == 0, "%s: %s", again.target, why.text);
	ck_assert(rq.op == first.op && pr_str_eq(rq.name, first.name));
	ck_assert(pr_str_eq(rq.canonical, first.canonical));
	ck_assert_uint_eq(rq.n_query, first.n_query);
	for (size_t i = 0; i < rq.n_query; i++)
		ck_assert(pr_str_eq(rq.query[i].key, first.query[i].key) &&
		    pr_str_eq(rq.query[i].value, first.query[i].value));
}
END_TEST

/* ---- what is refused ---- */

struct bad_row {
	struct seen seen;
	enum pr_reason reason;
	enum pr_op op;    /* what it would have been, for the log */
	const char *says; /* part of the text */
};

#define AMBIGUOUS PR_REASON_AMBIGUOUS
#define HIDDEN    PR_REASON_BODY_NOT_VISIBLE
#define UNKNOWN   PR_REASON_UNKNOWN_OPERATION
#define OLD       PR_REASON_UNSUPPORTED_VERSION

/* clang-format off */
static const struct bad_row bad[] = {
    /* a body that is needed and not there: however it was hidden */
    {{"POST", "/v1.41/containers/create", JSON, "2000000", NULL}, HIDDEN, PR_OP_CONTAINER_CREATE, "did not show"},
    {{"POST", "/v1.41/containers/create", JSON, "0", NULL}, HIDDEN, PR_OP_CONTAINER_CREATE, "application/json"},
    {{"POST", "/v1.41/containers/create", JSON, "0", ""}, HIDDEN, PR_OP_CONTAINER_CREATE, "shows no body"},
    {{"POST", "/v1.41/containers/create", NULL, "0", NULL}, HIDDEN, PR_OP_CONTAINER_CREATE, "shows no body"},
    {{"POST", "/v1.41/containers/create", NULL, NULL, NULL}, HIDDEN, PR_OP_CONTAINER_CREATE, "shows no body"},
    {{"POST", "/v1.41/containers/create", "", "20", NULL}, HIDDEN, PR_OP_CONTAINER_CREATE, ""},
    {{"POST", "/v1.41/containers/create", "text/json", "20", NULL}, HIDDEN, PR_OP_CONTAINER_CREATE, ""},
    {{"POST", "/v1.41/containers/create", PLAIN, "20", NULL}, HIDDEN, PR_OP_CONTAINER_CREATE, ""},
    {{"POST", "/v1.41/services/create", PLAIN, "20", NULL}, HIDDEN, PR_OP_SERVICE_CREATE, ""},
    {{"POST", "/v1.41/swarm/unlock", PLAIN, "20", NULL}, HIDDEN, PR_OP_SWARM_UNLOCK, ""},
    {{"POST", "/v1.41/plugins/pull?remote=a", PLAIN, "20", NULL}, HIDDEN, PR_OP_PLUGIN_INSTALL, ""},
    {{"POST", "/v1.41/plugins/a/set", PLAIN, "20", NULL}, HIDDEN, PR_OP_PLUGIN_SET, ""},
    {{"POST", "/v1.41/containers/c/checkpoints", PLAIN, "20", NULL}, HIDDEN, PR_OP_CONTAINER_CHECKPOINT_CREATE, ""},
    {{"POST", "/v1.41/exec/" ID "/start", PLAIN, "15", NULL}, HIDDEN, PR_OP_CONTAINER_EXEC_START, ""},
    {{"POST", "/v1.41/exec/" ID "/start", JSON, NULL, NULL}, HIDDEN, PR_OP_CONTAINER_EXEC_START, ""},
    {{"POST", "/v1.41/commit?container=c", JSON, "20", NULL}, HIDDEN, PR_OP_CONTAINER_COMMIT, ""},
    {{"POST", "/v1.41/commit?container=c", NULL, NULL, NULL}, HIDDEN, PR_OP_CONTAINER_COMMIT, "Content-Length: 0"},
    {{"POST", "/v1.41/commit?container=c", NULL, "00", NULL}, HIDDEN, PR_OP_CONTAINER_COMMIT, ""},
    {{"POST", "/v1.41/images/a/push", NULL, NULL, NULL}, HIDDEN, PR_OP_IMAGE_PUSH, ""},
    {{"POST", "/v1.41/images/a/push", PLAIN, "4", NULL}, HIDDEN, PR_OP_IMAGE_PUSH, ""},
    {{"POST", "/v1.41/auth", PLAIN, "4", NULL}, HIDDEN, PR_OP_SYSTEM_AUTH, ""},
    {{"POST", "/v1.41/auth", NULL, NULL, NULL}, HIDDEN, PR_OP_SYSTEM_AUTH, ""},
    /* a body where none belongs: another Content-Type may go before this one */
    {{"POST", "/v1.41/containers/c/kill", PLAIN, "8", NULL}, HIDDEN, PR_OP_CONTAINER_KILL, "takes no body"},
    {{"POST", "/v1.41/containers/c/kill", PLAIN, NULL, NULL}, HIDDEN, PR_OP_CONTAINER_KILL, "takes no body"},
    {{"POST", "/v1.41/containers/c/rename?name=a", JSON, "8", NULL}, HIDDEN, PR_OP_CONTAINER_RENAME, "takes no body"},
    {{"POST", "/v1.41/images/create?fromImage=a", TAR, NULL, NULL}, HIDDEN, PR_OP_IMAGE_PULL, "takes no body"},
    {{"POST", "/v1.41/containers/c/start", PLAIN, "20", NULL}, HIDDEN, PR_OP_CONTAINER_START, "Content-Length: 0"},
    {{"POST", "/v1.41/containers/c/start", NULL, "20", NULL}, HIDDEN, PR_OP_CONTAINER_START, ""},
    {{"POST", "/v1.41/containers/c/start", JSON, NULL, NULL}, HIDDEN, PR_OP_CONTAINER_START, ""},
    /* start with a spec */
    {{"POST", "/v1.41/containers/c/start", JSON, "19", "{\"Privileged\":true}"}, AMBIGUOUS, PR_OP_CONTAINER_START, "create"},
    {{"POST", "/v1.41/containers/c/start", JSON, "2", "[]"}, AMBIGUOUS, PR_OP_CONTAINER_START, ""},
    {{"POST", "/v1.41/containers/c/start", JSON, "1", " "}, AMBIGUOUS, PR_OP_CONTAINER_START, ""},
    {{"POST", "/v1.41/containers/c/start", PLAIN, "2", "{}"}, AMBIGUOUS, PR_OP_CONTAINER_START, "application/json"},
    /* forms, everywhere */
    {{"POST", "/v1.41/containers/create", FORM, "20", NULL}, AMBIGUOUS, PR_OP_CONTAINER_CREATE, "form"},
    {{"POST", "/v1.41/containers/create", PARTS, "20", NULL}, AMBIGUOUS, PR_OP_CONTAINER_CREATE, "form"},
    {{"POST", "/v1.41/containers/c/kill", FORM, "8", NULL}, AMBIGUOUS, PR_OP_CONTAINER_KILL, "form"},
    {{"POST", "/v1.41/containers/c/kill", FORM, "0", NULL}, AMBIGUOUS, PR_OP_CONTAINER_KILL, "form"},
    {{"POST", "/v1.41/images/create?fromImage=a", FORM, "42", NULL}, AMBIGUOUS, PR_OP_IMAGE_PULL, "form"},
    {{"POST", "/v1.41/images/create?fromSrc=-", FORM, "42", NULL}, AMBIGUOUS, PR_OP_IMAGE_IMPORT, "form"},
    {{"POST", "/v1.41/build?networkmode=none", FORM, "58", NULL}, AMBIGUOUS, PR_OP_BUILD_RUN, "form"},
    {{"POST", "/v1.41/build/cancel", PARTS, "58", NULL}, AMBIGUOUS, PR_OP_BUILD_CANCEL, "form"},
    {{"PUT", "/v1.41/containers/c/archive?path=/", FORM, "8", NULL}, AMBIGUOUS, PR_OP_CONTAINER_ARCHIVE_WRITE, "form"},
    {{"POST", "/v1.41/commit?container=c", FORM, "0", NULL}, AMBIGUOUS, PR_OP_CONTAINER_COMMIT, "form"},
    {{"GET", "/v1.41/info", FORM, NULL, NULL}, AMBIGUOUS, PR_OP_SYSTEM_INFO, "form"},
    {{"DELETE", "/v1.41/containers/c", PARTS, "8", NULL}, AMBIGUOUS, PR_OP_CONTAINER_REMOVE, "form"},
    {{"POST", "/v1.41/containers/c/start", FORM, "0", NULL}, AMBIGUOUS, PR_OP_CONTAINER_START, "form"},
    /* types that are not well formed, everywhere */
    {{"POST", "/v1.41/containers/create", "application/json; charset", "20", NULL}, AMBIGUOUS, PR_OP_CONTAINER_CREATE, "well formed"},
    {{"POST", "/v1.41/containers/c/kill", "application/x-www-form-urlencoded; a", "8", NULL}, AMBIGUOUS, PR_OP_CONTAINER_KILL, "well formed"},
    {{"GET", "/v1.41/info", "nonsense", NULL, NULL}, AMBIGUOUS, PR_OP_SYSTEM_INFO, "well formed"},
    /* a shown body of another type: two Content-Types */
    {{"POST", "/v1.41/containers/create", PLAIN, "2", "{}"}, AMBIGUOUS, PR_OP_CONTAINER_CREATE, "application/json"},
    {{"POST", "/v1.41/containers/create", NULL, "2", "{}"}, AMBIGUOUS, PR_OP_CONTAINER_CREATE, "application/json"},
    {{"POST", "/v1.41/auth", PLAIN, "2", "{}"}, AMBIGUOUS, PR_OP_SYSTEM_AUTH, "application/json"},
    /* opaque bodies */
    {{"POST", "/v1.41/build", JSON, "10240", "{}"}, AMBIGUOUS, PR_OP_BUILD_RUN, "x-tar"},
    {{"POST", "/v1.41/build", JSON, "0", NULL}, AMBIGUOUS, PR_OP_BUILD_RUN, "x-tar"},
    {{"POST", "/v1.41/build", "application/zip", "10", NULL}, AMBIGUOUS, PR_OP_BUILD_RUN, "x-tar"},
    {{"POST", "/v1.41/images/load", "text/json", "10", NULL}, AMBIGUOUS, PR_OP_IMAGE_LOAD, "x-tar"},
    {{"PUT", "/v1.41/containers/c/archive?path=/", JSON, "10", NULL}, AMBIGUOUS, PR_OP_CONTAINER_ARCHIVE_WRITE, "x-tar"},
    /* JSON that is not */
    {{"POST", "/v1.41/containers/create", JSON, "9", "{\"a\":tru}"}, AMBIGUOUS, PR_OP_CONTAINER_CREATE, "at byte"},
    {{"POST", "/v1.41/containers/create", JSON, "1", " "}, AMBIGUOUS, PR_OP_CONTAINER_CREATE, "at byte"},
    {{"POST", "/v1.41/containers/create", JSON, "5", "{} {}"}, AMBIGUOUS, PR_OP_CONTAINER_CREATE, "at byte"},
    {{"POST", "/v1.41/containers/create", JSON, "3", "{}}"}, AMBIGUOUS, PR_OP_CONTAINER_CREATE, "at byte"},
    {{"POST", "/v1.41/containers/create", JSON, "13", "{\"a\":1,\"a\":2}"}, AMBIGUOUS, PR_OP_CONTAINER_CREATE, "twice"},
    {{"POST", "/v1.41/containers/create", JSON, "5", "\xef\xbb\xbf{}"}, AMBIGUOUS, PR_OP_CONTAINER_CREATE, "at byte"},
    {{"POST", "/v1.41/commit?container=c", JSON, "1", "{"}, AMBIGUOUS, PR_OP_CONTAINER_COMMIT, "at byte"},
    /* names */
    {{"DELETE", "/v1.41/containers/", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_CONTAINER_REMOVE, "no container"},
    {{"GET", "/v1.41/volumes/", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_VOLUME_INSPECT, "no volume"},
    {{"DELETE", "/v1.41/images/", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_IMAGE_REMOVE, "no image"},
    {{"DELETE", "/v1.41/networks/", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_NETWORK_REMOVE, "no network"},
    {{"DELETE", "/v1.41/plugins/", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_PLUGIN_REMOVE, "no plugin"},
    {{"GET", "/v1.41/containers/linker/al/json", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_CONTAINER_INSPECT, "slash"},
    {{"POST", "/v1.41/containers/a/b/exec", JSON, "2", "{}"}, AMBIGUOUS, PR_OP_CONTAINER_EXEC, "slash"},
    {{"DELETE", "/v1.41/containers/a/", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_CONTAINER_REMOVE, "slash"},
    {{"DELETE", "/v1.41/images/a/", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_IMAGE_REMOVE, "slash"},
    {{"DELETE", "/v1.41/plugins/a/b/", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_PLUGIN_REMOVE, "slash"},
    {{"GET", "/v1.41/networks/a%2fb", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_NETWORK_INSPECT, "slash"},
    {{"GET", "/v1.41/volumes/a/b", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_VOLUME_INSPECT, "slash"},
    {{"POST", "/v1.41/exec/a/b/start", JSON, "2", "{}"}, AMBIGUOUS, PR_OP_CONTAINER_EXEC_START, "slash"},
    {{"GET", "/v1.41/containers/a/b/checkpoints", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_CONTAINER_CHECKPOINT_LIST, "slash"},
    /* pull or import */
    {{"POST", "/v1.41/images/create?fromImage=a&fromSrc=-", NULL, "0", NULL}, AMBIGUOUS, PR_OP_IMAGE_PULL, "not both"},
    {{"POST", "/v1.41/images/create?fromImage=a&fromImage=b", NULL, "0", NULL}, AMBIGUOUS, PR_OP_IMAGE_PULL, "fromImage"},
    /* targets, queries */
    {{"GET", "http://x/info", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_UNKNOWN, "begins with /"},
    {{"POST", "*", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_UNKNOWN, ""},
    {{"POST", "/v1.41/services/create?#%zz", PLAIN, "2", NULL}, AMBIGUOUS, PR_OP_UNKNOWN, "#"},
    {{"POST", "/v1.41/containers/create?a;b", JSON, "2", "{}"}, AMBIGUOUS, PR_OP_CONTAINER_CREATE, "semicolon"},
    {{"POST", "/v1.41/build?%zz=1&networkmode=host", TAR, "2", NULL}, AMBIGUOUS, PR_OP_BUILD_RUN, "%"},
    {{"POST", "/v1.041/containers/create", JSON, "2", "{}"}, AMBIGUOUS, PR_OP_UNKNOWN, "/v1.41"},
    /* versions */
    {{"POST", "/v1.23/containers/create", JSON, "2", "{}"}, OLD, PR_OP_CONTAINER_CREATE, "1.24"},
    {{"POST", "/v1.20/exec/" ID "/start", PLAIN, "15", NULL}, OLD, PR_OP_CONTAINER_EXEC_START, "1.24"},
    {{"POST", "/v1.41/containers/c/copy", JSON, "2", "{}"}, OLD, PR_OP_CONTAINER_COPY, "1.23"},
    {{"POST", "/containers/c/copy", JSON, "2", "{}"}, OLD, PR_OP_CONTAINER_COPY, "1.23"},
    /* no such thing */
    {{"GET", "/v1.41/containers/create", NULL, NULL, NULL}, UNKNOWN, PR_OP_UNKNOWN, "POST"},
    {{"HEAD", "/v1.41/containers/c/export", NULL, NULL, NULL}, UNKNOWN, PR_OP_UNKNOWN, "there is GET"},
    {{"Post", "/v1.41/containers/create", JSON, "2", "{}"}, UNKNOWN, PR_OP_UNKNOWN, "there is POST"},
    {{"GET", "/v1.41/containers/c/archive/x", NULL, NULL, NULL}, UNKNOWN, PR_OP_UNKNOWN, "no operation"},
    {{"PATCH", "/v1.41/containers/c/archive", NULL, NULL, NULL}, UNKNOWN, PR_OP_UNKNOWN, "GET, HEAD, PUT"},
    {{"GET", "/v1.41/v1.41/info", NULL, NULL, NULL}, UNKNOWN, PR_OP_UNKNOWN, ""},
    {{"POST", "/v1.41\\containers\\create", JSON, "2", "{}"}, UNKNOWN, PR_OP_UNKNOWN, ""},
    {{"POST", "/v1.41/containers/create%20", JSON, "2", "{}"}, UNKNOWN, PR_OP_UNKNOWN, ""},
    {{"BREW", "/debug/vars", NULL, NULL, NULL}, UNKNOWN, PR_OP_UNKNOWN, "GET"},
    {{"", "", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_UNKNOWN, ""},
    {{"*", "/(h2c/h2 Content-Type: application/grpc*)", NULL, NULL, NULL}, AMBIGUOUS, PR_OP_UNKNOWN, ""},
};
/* clang-format on */

START_TEST(call_is_refused)
{
	const struct bad_row *row = &bad[_i];

	ck_assert_msg(read_seen(&row->seen) < 0, "%s %s was read",
	    row->seen.method, row->seen.target);
	ck_assert_msg(why.reason == row->reason, "%s %s: %s: %s",
	    row->seen.method, row->seen.target, pr_reason_code(why.reason),
	    why.text);
	ck_assert_msg(
	    rq.op->op == row->op, "%s is %s", row->seen.target, rq.op->id);
	ck_assert_msg(strstr(why.text, row->says) != NULL, "%s: %s",
	    row->seen.target, why.text);
	ck_assert(pr_str_printable(pr_str_of(why.text)));
	ck_assert_uint_gt(strlen(why.text), 10);
	ck_assert_ptr_null(row->reason == HIDDEN ? rq.json : NULL);
}
END_TEST

START_TEST(refusal_shows_no_secret)
{
	static const struct seen rows[] = {
	    {"POST", "/v1.41/secrets/create", JSON, "25",
		"{\"Data\":\"hunter2\",\"Data\":1}"},
	    {"POST", "/v1.41/secrets/create", JSON, "25", "\"hunter2"},
	    {"POST", "/v1.41/containers/create?a=hunter2&a=hunter2", JSON, "2",
		"{}"},
	    {"POST", "/v1.41/containers/create?a=hunter2%00", JSON, "2", "{}"},
	    {"POST", "/v1.41/build?buildargs=hunter2;", TAR, "2", NULL},
	};

	ck_assert(read_seen(&rows[_i]) < 0);
	ck_assert_msg(strstr(why.text, "hunter2") == NULL, "%s", why.text);
}
END_TEST

START_TEST(headers_come_once)
{
	static const char *const names[] = {"Content-Type", "Content-Length"};
	struct pr_header headers[2] = {
	    {pr_str_of(names[_i]), PR_STR("0")},
	    {pr_str_of(_i == 0 ? "content-TYPE" : "CONTENT-length"),
		PR_STR("0")},
	};
	struct pr_call call = {.method = PR_STR("POST"),
	    .target = PR_STR("/v1.41/containers/c/stop"),
	    .headers = headers,
	    .n_headers = 2};
	bool repeated;

	ck_assert(pr_request_read(arena, &call, &rq, &why) < 0);
	ck_assert_int_eq(why.reason, PR_REASON_AMBIGUOUS);
	ck_assert_ptr_null(pr_header_get(headers, 2, names[_i], &repeated));
	ck_assert(repeated);
	ck_assert_ptr_null(pr_header_get(headers, 2, "Accept", &repeated));
	ck_assert(!repeated);
	ck_assert_ptr_eq(
	    pr_header_get(headers, 1, names[_i], &repeated), &headers[0].value);
}
END_TEST

START_TEST(body_is_capped)
{
	char body[300];
	struct seen s = {"POST", "/v1.41/containers/create", JSON, NULL, body};

	memset(body, ' ', sizeof body);
	memcpy(body, "{}", 2);
	body[256] = '\0';
	ck_assert_int_eq(read_seen(&s), 0);
	ck_assert_int_eq(rq.json->type, PR_JSON_OBJECT);
	body[256] = ' ';
	body[257] = '\0';
	ck_assert(read_seen(&s) < 0);
	ck_assert_int_eq(why.reason, PR_REASON_AMBIGUOUS);
	ck_assert_msg(strstr(why.text, "257 bytes") != NULL, "%s", why.text);
}
END_TEST

START_TEST(attach_needs_a_profile_for_input_only)
{
	static const struct {
		const char *target;
		bool spec;
	} rows[] = {
	    {"/v1.41/containers/c/attach?stdout=1", false},
	    {"/v1.41/containers/c/attach?stdin=0", false},
	    {"/v1.41/containers/c/attach", false},
	    {"/v1.41/containers/c/attach?stdin=1", true},
	    {"/v1.41/containers/c/attach?stdin=off", true},
	    {"/v1.41/containers/c/attach?Stdin=1", false},
	    {"/v1.41/containers/c/restart", true},
	    {"/v1.41/containers/c/stop", false},
	};
	struct seen s = {"POST", rows[_i].target, NULL, "0", NULL};

	ck_assert_int_eq(read_seen(&s), 0);
	ck_assert_int_eq(rq.spec, rows[_i].spec);
}
END_TEST

/* moby httputils.BoolValue, on values as they stand in a query. */
static const struct {
	const char *value;
	bool yes;
} bools[] = {
    {"", false},
    {"0", false},
    {"no", false},
    {"false", false},
    {"none", false},
    {"NO", false},
    {"False", false},
    {"NONE", false},
    {"+no+", false},
    {"%20false%09", false},
    {"%0a0%0d", false},
    {"%c2%a0no", false},
    {"no%e3%80%80", false},
    {"%e2%80%8a0", false},
    {"%e1%9a%80%e2%80%a8none%e2%80%a9", false},
    {"+", false},
    {"1", true},
    {"true", true},
    {"yes", true},
    {"n", true},
    {"off", true},
    {"f", true},
    {"-1", true},
    {"00", true},
    {"0.0", true},
    {"no.", true},
    {"n+o", true},
    {"nul", true},
    {"null", true},
    {"%e2%80%8b0", true},
    {"0%cc%80", true},
    {"%ef%bc%90", true},
    {"fal%c5%bfe", true},
};

START_TEST(boolean_is_read_as_the_daemon_does)
{
	char target[128];
	struct seen s = {"GET", target, NULL, NULL, NULL};

	snprintf(target, sizeof target, "/info?a=%s", bools[_i].value);
	ck_assert_msg(read_seen(&s) == 0, "%s", why.text);
	ck_assert_msg(pr_query_bool(&rq, "a") == bools[_i].yes, "\"%s\"",
	    bools[_i].value);
	ck_assert(!pr_query_bool(&rq, "b"));
	ck_assert(!pr_query_bool(&rq, "A"));
}
END_TEST

START_TEST(first_value_counts)
{
	struct seen s = {
	    "GET", "/images/get?names=a&names=b", NULL, NULL, NULL};

	ck_assert_int_eq(read_seen(&s), 0);
	ck_assert(pr_str_is(*pr_query_get(&rq, "names"), "a"));
	ck_assert_ptr_null(pr_query_get(&rq, "name"));
	ck_assert_uint_eq(rq.n_query, 2);
}
END_TEST

START_TEST(checkpoint_has_two_names)
{
	struct seen s = {
	    "DELETE", "/v1.41/containers/c/checkpoints/p", NULL, NULL, NULL};

	ck_assert_int_eq(read_seen(&s), 0);
	ck_assert(pr_str_is(rq.name, "c") && pr_str_is(rq.name2, "p"));
	ck_assert_uint_eq(rq.version.major, 1);
	ck_assert_uint_eq(rq.version.minor, 41);
}
END_TEST

START_TEST(every_reason_has_a_code)
{
	for (int i = 0; i < PR_REASON_COUNT; i++) {
		const char *code = pr_reason_code((enum pr_reason)i);

		for (int k = 0; k < i; k++)
			ck_assert_str_ne(
			    code, pr_reason_code((enum pr_reason)k));
	}
	ck_assert_str_eq(pr_reason_code(PR_REASON_COUNT), "none");
	ck_assert_str_eq(pr_reason_code(PR_REASON_PING), "builtin.ping");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("request");
	TCase *tc = tcase_create("read");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, call_is_read, 0, PR_COUNT(good));
	tcase_add_loop_test(tc, canonical_form_is_stable, 0, PR_COUNT(good));
	tcase_add_test(tc, first_value_counts);
	tcase_add_test(tc, checkpoint_has_two_names);
	tcase_add_loop_test(tc, attach_needs_a_profile_for_input_only, 0, 8);
	tcase_add_loop_test(
	    tc, boolean_is_read_as_the_daemon_does, 0, PR_COUNT(bools));
	suite_add_tcase(s, tc);
	tc = tcase_create("refuse");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, call_is_refused, 0, PR_COUNT(bad));
	tcase_add_loop_test(tc, refusal_shows_no_secret, 0, 5);
	tcase_add_loop_test(tc, headers_come_once, 0, 2);
	tcase_add_test(tc, body_is_capped);
	tcase_add_test(tc, every_reason_has_a_code);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
