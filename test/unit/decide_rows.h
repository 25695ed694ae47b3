/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the decision, a row each (semantics 1 to 4 and 9): what a
 * policy adds to the common head, one question, and the answer in words.
 * Read by test_decide.c.
 */
#ifndef DECIDE_ROWS_H
#define DECIDE_ROWS_H

#include "eval_kit.h"

#define HEAD                                                                  \
	"version: 1\n"                                                        \
	"labels: {team: t, phase: p}\n"                                       \
	"teams: {anon: {anonymous: true}, ml: {}, ops: {}, pay: {contact: "   \
	"\"#pay-oncall\"}, ci: {acts_for: pay}}\n"                            \
	"hosts: {h: [dev], m: [dev, test], c: [soft], mc: [soft, softer], "   \
	"f: [cold], all: [cold, dev, prod, soft, softer, test]}\n"            \
	"phases:\n"                                                           \
	"  dev: {}\n"                                                         \
	"  test: {}\n"                                                        \
	"  prod: {}\n"                                                        \
	"  soft: {mode: complain}\n"                                          \
	"  softer: {mode: complain}\n"                                        \
	"  cold: {freeze: {windows: [\"Mon 00:00..Tue 00:00 UTC\"], except: " \
	"[ops]}}\n"                                                           \
	"roles:\n"                                                            \
	"  all: {allow: {\"*\": [\"*\"]}}\n"                                  \
	"  run: {allow: {container: [create, start, stop, inspect, list, "    \
	"exec, remove, rename, logs]}}\n"                                     \
	"  no-exec: {extends: run, deny: {container: [exec]}}\n"              \
	"profiles:\n"                                                         \
	"  open: {images: {allow: [\"**\"]}, mounts: {volumes_from: own, "    \
	"bind: [\"/**\"]}, namespaces: {network: [private, own, host, "       \
	"container:own], pid: [private, container:own]}}\n"                   \
	"  lib: {images: {allow: [\"docker.io/library/*\"]}}\n"               \
	"  tok: {extends: lib, env: {forbid: [TOKEN]}}\n"                     \
	"  cap: {extends: lib, limits: {memory: \"1MiB..1GiB\"}}\n"

#define GRANT(id, team, rest)                                                \
	"  - {id: " id ", team: " team ", role: run, phases: [\"*\"], " rest \
	"}\n"
#define RUN(id, profile) GRANT(id, "pay", "profile: " profile)
#define GRANTS           "grants:\n"
#define SIMPLE           GRANTS RUN("g", "lib")

#define CREATE           "POST /v1.41/containers/create"
#define ALPINE           "{'Image':'alpine'}"
/* one whose manifest is named: promotion asks where it ran */
#define PINNED           "{'Image':'alpine@sha256:" ID64 "'}"
#define WEB              "[{'ref':'web','team':'pay','phase':'dev'}]"
#define ID64             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define INSPECT(host) \
	"'inspect':{'Config':{'Image':'alpine'},'HostConfig':{" host "}}"

/* Monday noon and Wednesday noon of a week in November 2026, UTC. */
#define MONDAY    INT64_C(1795435200)
#define WEDNESDAY INT64_C(1795608000)

struct row {
	const char *rest, *host;
	struct ask ask;
	const char *says;
};

static const struct row rows[] = {
    /* ---- 1: subjects and teams ---- */
    {SIMPLE, "h", {.call = CREATE, .body = ALPINE},
	"allow grant g owner pay/dev"},
    {SIMPLE, "h", {.as = "bob@ml", .call = CREATE, .body = ALPINE},
	"deny no-grant"},
    {SIMPLE, "h", {.as = "bob", .call = CREATE, .body = ALPINE},
	"deny no-grant"},
    /* acts_for replaces the team: the grant's owner and ${team} are pay's */
    {GRANTS GRANT("g", "ci", "profile: lib"), "h",
	{.as = "bot@ci", .call = CREATE, .body = ALPINE},
	"allow grant g owner pay/dev"},
    {GRANTS GRANT("g", "ci", ""), "h",
	{.as = "bot@ci",
	    .call = "POST /v1.41/containers/web/stop",
	    .objects = WEB},
	"allow grant g"},
    {GRANTS GRANT("g", "ci", ""), "h",
	{.as = "bot@ci",
	    .call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web','team':'ci','phase':'dev'}]"},
	"deny owner g"},
    {GRANTS GRANT("g", "pay", "profile: lib"), "h",
	{.as = "bot@ci", .call = CREATE, .body = ALPINE}, "deny no-grant"},
    /* "*": once for each team of the subject, ownerless without any */
    {GRANTS GRANT("g", "\"*\"", ""), "h",
	{.as = "a@ml+pay",
	    .call = "POST /v1.41/containers/web/stop",
	    .objects = WEB},
	"allow grant g"},
    {GRANTS GRANT("g", "\"*\"", ""), "h",
	{.as = "a@ml",
	    .call = "POST /v1.41/containers/web/stop",
	    .objects = WEB},
	"deny owner g"},
    {GRANTS "  - {id: g, team: \"*\", role: all, phases: [\"*\"]}\n", "h",
	{.as = "a", .call = "GET /v1.41/info"}, "allow grant g"},
    {GRANTS "  - {id: g, team: \"*\", role: all, phases: [\"*\"], owner: any}"
	    "\n",
	"h", {.as = "a", .call = "GET /v1.41/containers/json"},
	"deny no-grant"},
    {GRANTS "  - {id: g, team: \"*\", role: all, phases: [\"*\"], owner: any}"
	    "\n",
	"h", {.as = "a@ml", .call = "GET /v1.41/containers/json"},
	"allow grant g"},
    /* "*" is every identified subject: anonymous has its own teams only */
    {GRANTS "  - {id: g, team: \"*\", role: all, phases: [\"*\"]}\n", "h",
	{.as = "anonymous", .call = "GET /v1.41/info"}, "deny no-grant"},
    {GRANTS "  - {id: g, team: anon, role: all, phases: [\"*\"]}\n", "h",
	{.as = "anonymous", .call = "GET /v1.41/info"}, "allow grant g"},
    /* the built-in ping, and what takes it away */
    {"", "h", {.as = "a", .call = "GET /_ping"}, "allow builtin.ping"},
    {"", "h", {.as = "a", .call = "HEAD /_ping"}, "allow builtin.ping"},
    {"", "h", {.as = "a", .call = "GET /v1.41/version"}, "allow builtin.ping"},
    {"", "h", {.as = "anonymous", .call = "GET /_ping"}, "deny no-grant"},
    {"guards:\n  - {id: q, deny: {system: [ping]}}\n", "h",
	{.as = "a", .call = "GET /_ping"}, "deny guard q"},

    /* ---- 2: owner and phase ---- */
    {SIMPLE, "h", {.call = "POST /v1.41/containers/web/stop", .objects = WEB},
	"allow grant g"},
    {SIMPLE, "h",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web','team':'ml'}]"},
	"deny owner g"},
    {SIMPLE, "h",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web'}]"},
	"deny owner g"},
    {SIMPLE, "h",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web','labels':{'t':'pay','p':'dev'}}]"},
	"allow grant g"},
    /* the ledger beats the label, and nobody's beats it too */
    {SIMPLE, "h",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web','team':'ml','labels':{'t':'pay'}}]"},
	"deny owner g"},
    {SIMPLE, "h",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web','team':'','labels':{'t':'pay'}}]"},
	"deny owner g"},
    {SIMPLE, "h",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web','labels':{'T':'pay','t':5}}]"},
	"deny owner g"},
    /* scopes of a grant */
    {GRANTS GRANT("g", "pay", "owner: any"), "h",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web'}]"},
	"allow grant g"},
    {GRANTS GRANT("g", "pay", "owner: [ml, ops]"), "h",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web','team':'ml'}]"},
	"allow grant g"},
    {GRANTS GRANT("g", "pay", "owner: [ml, ops]"), "h",
	{.call = "POST /v1.41/containers/web/stop", .objects = WEB},
	"deny owner g"},
    {GRANTS GRANT("g", "pay", "owner: [ml, ops]"), "h",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web'}]"},
	"deny owner g"},
    /* an object of unknown phase, on a host of several */
    {GRANTS GRANT("g", "pay", ""), "m",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web','team':'pay'}]"},
	"deny phase g"},
    {GRANTS GRANT("g", "pay", "owner: any"), "m",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web','team':'pay','phase':'gone'}]"},
	"allow grant g"},
    {GRANTS "  - {id: g, team: pay, role: run, phases: [dev], owner: any}\n",
	"m",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web','team':'pay'}]"},
	"deny phase g"},
    {GRANTS "  - {id: g, team: pay, role: run, phases: [test]}\n", "m",
	{.call = "POST /v1.41/containers/web/stop", .objects = WEB},
	"deny phase g"},
    /* ownerless and global operations */
    {SIMPLE, "h", {.call = "GET /v1.41/containers/json"}, "deny owner g"},
    {GRANTS GRANT("g", "pay", "owner: any"), "m",
	{.call = "GET /v1.41/containers/json"}, "allow grant g"},
    {GRANTS "  - {id: g, team: pay, role: all, phases: [test]}\n", "m",
	{.call = "GET /v1.41/images/json"}, "allow grant g"},
    {GRANTS "  - {id: g, team: pay, role: all, phases: [prod]}\n", "m",
	{.call = "GET /v1.41/images/json"}, "deny phase g"},
    /* everything that is touched: owner and phase (2.7) */
    {GRANTS RUN("g", "open"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'VolumesFrom':['web']}}",
	    .objects = "[{'ref':'web','team':'pay',"
		       "'inspect':{'Mounts':[]}}]"},
	"allow grant g owner pay/dev"},
    {GRANTS RUN("g", "open"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'VolumesFrom':['web']}}",
	    .objects = "[{'ref':'web','team':'ml','inspect':{'Mounts':[]}}]"},
	"deny owner g"},
    {GRANTS RUN("g", "open"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'NetworkMode':'back'}}",
	    .objects = "[{'kind':'network','ref':'back','team':'ml'}]"},
	"deny owner g"},
    {GRANTS RUN("g", "open"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'PidMode':"
		    "'container:web'}}",
	    .objects = "[{'ref':'web','team':'ml'}]"},
	"deny owner g"},
    {GRANTS RUN("g", "open"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Links':['web:x']}}",
	    .objects = "[{'ref':'web','team':'ml'}]"},
	"deny owner g"},
    {GRANTS RUN("g", "open"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Binds':['data:/x']}}",
	    .objects = "[{'kind':'volume','ref':'data','team':'ml'}]"},
	"deny owner g"},
    {GRANTS RUN("g", "open"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'VolumesFrom':['web']}}",
	    .objects = "[{'ref':'web','team':'pay','inspect':{'Mounts':[{"
		       "'Type':'volume','Name':'data','RW':true}]}},{'kind':"
		       "'volume','ref':'data','team':'ml'}]"},
	"deny owner g"},
    {GRANTS RUN("g", "open"), "m",
	{.call = CREATE,
	    .body = "{'Image':'alpine','Labels':{'p':'test'},'HostConfig':{"
		    "'Links':['web']}}",
	    .objects = WEB},
	"deny phase-mismatch g"},
    {GRANTS GRANT("g", "pay", "owner: any, profile: open"), "m",
	{.call = CREATE,
	    .body = "{'Image':'alpine','Labels':{'p':'test'},'HostConfig':{"
		    "'Links':['web']}}",
	    .objects = WEB},
	"allow grant g owner pay/test"},
    {GRANTS "  - {id: g, team: pay, role: run, phases: [test], owner: any, "
	    "profile: open}\n",
	"m",
	{.call = CREATE,
	    .body = "{'Image':'alpine','Labels':{'p':'test'},'HostConfig':{"
		    "'Links':['web']}}",
	    .objects = WEB},
	"deny phase-mismatch g"},
    /* the host's own networks belong to nobody and are judged by profile */
    {GRANTS RUN("g", "open"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'NetworkMode':'host'}}"},
	"allow grant g owner pay/dev"},
    {SIMPLE, "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'NetworkMode':'host'}}"},
	"deny profile g namespaces.network"},
    {SIMPLE, "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','NetworkingConfig':{'EndpointsConfig':{"
		    "'bridge':{'NetworkID':'host'}}}}"},
	"deny profile g namespaces.network"},
    /* absent: a read passes, a change does not, but by a full id (2.8) */
    {SIMPLE, "h", {.call = "GET /v1.41/containers/web/json"}, "allow grant g"},
    {SIMPLE, "h", {.call = "POST /v1.41/containers/web/stop"},
	"deny no-such-object g"},
    {SIMPLE, "h", {.call = "POST /v1.41/containers/" ID64 "/stop"},
	"allow grant g"},
    {SIMPLE, "h", {.as = "b@ml", .call = "GET /v1.41/containers/web/json"},
	"deny no-grant"},
    {SIMPLE, "h", {.call = "GET /v1.41/exec/" ID64 "/json"},
	"deny no-such-object g"},
    {SIMPLE, "h", {.call = "POST /v1.41/exec/" ID64 "/start", .body = "{}"},
	"deny no-such-object g"},
    {GRANTS RUN("g", "open"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Links':['gone']}}"},
	"deny no-such-object g"},
    {GRANTS RUN("g", "open"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Links':['" ID64 "']}}"},
	"deny no-such-object g"},
    {GRANTS RUN("g", "open"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Binds':['data:/x']}}"},
	"allow grant g owner pay/dev"},
    /* what cannot be looked up cannot be told, whatever the scope */
    {GRANTS GRANT("g", "pay", "owner: any, profile: unrestricted"), "h",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web','presence':'unknown'}]"},
	"deny cannot-tell g"},
    {GRANTS GRANT("g", "pay", "owner: any, profile: unrestricted"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Links':['web']}}",
	    .objects = "[{'ref':'web','presence':'unknown'}]"},
	"deny cannot-tell g"},
    {GRANTS GRANT("g", "pay", "owner: any, profile: unrestricted"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'VolumesFrom':['web']}}",
	    .objects = "[{'ref':'web','team':'pay'}]"},
	"deny cannot-tell g"},
    /* out of scope beats absent, both beat unknown (9.7) */
    {GRANTS RUN("g", "open"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Links':['a1','b1','c1']}"
		    "}",
	    .objects = "[{'ref':'a1','presence':'unknown'},{'ref':'c1','team':"
		       "'ml'}]"},
	"deny owner g"},
    {GRANTS RUN("g", "open"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Links':['a1','b1']}}",
	    .objects = "[{'ref':'a1','presence':'unknown'}]"},
	"deny no-such-object g"},
    /* an exec is its container's */
    {GRANTS RUN("g", "lib"), "h",
	{.call = "POST /v1.41/exec/" ID64 "/start",
	    .body = "{}",
	    .objects = "[{'kind':'exec','ref':'" ID64 "','by':'id','container':"
		       "'cc'},{'ref':'cc','team':'ml'," INSPECT("") "}]"},
	"deny owner g"},
    {GRANTS RUN("g", "lib"), "h",
	{.call = "POST /v1.41/exec/" ID64 "/start",
	    .body = "{}",
	    .objects = "[{'kind':'exec','ref':'" ID64 "','by':'id','container':"
		       "'cc'},{'ref':'cc','team':'pay'," INSPECT("") "}]"},
	"allow grant g"},
    {GRANTS RUN("g", "lib"), "h",
	{.call = "POST /v1.41/exec/" ID64 "/start",
	    .body = "{}",
	    .objects = "[{'kind':'exec','ref':'" ID64 "','by':'id','container':"
		       "'cc','exec_privileged':true},{'ref':'cc','team':'pay'"
		       "," INSPECT("") "}]"},
	"deny profile g exec.privileged"},
    /* an exec whose container is gone is not a read of nothing */
    {GRANTS "  - {id: a, team: pay, role: no-exec, phases: [\"*\"]}\n" GRANT(
	 "g", "ops", "owner: any, profile: open"),
	"h",
	{.as = "a@pay+ops",
	    .call = "POST /v1.41/containers/web/exec",
	    .body = "{}",
	    .objects = "[{'ref':'web','presence':'unknown'}]"},
	"deny cannot-tell a"},
    {GRANTS RUN("g", "lib"), "h",
	{.call = "POST /v1.41/exec/" ID64 "/start",
	    .body = "{}",
	    .objects = "[{'kind':'exec','ref':'" ID64
		       "','by':'id','container':'" ID64 "'}]"},
	"deny no-such-object g"},
    {GRANTS RUN("g", "lib"), "h",
	{.call = "POST /v1.41/exec/" ID64 "/start",
	    .body = "{}",
	    .objects = "[{'kind':'exec','ref':'" ID64 "','by':'id','container':"
		       "'cc'},{'ref':'cc','presence':'unknown'}]"},
	"deny cannot-tell g"},
    /* a commit acts on its container */
    {GRANTS "  - {id: g, team: pay, role: all, phases: [dev], profile: "
	    "unrestricted, owner: any}\n",
	"m",
	{.call = "POST /v1.41/commit?container=web",
	    .objects =
		"[{'ref':'web','team':'pay','phase':'test'," INSPECT("") "}]"},
	"deny phase g"},
    {GRANTS "  - {id: g, team: pay, role: all, phases: [\"*\"], profile: "
	    "unrestricted, owner: any}\n",
	"m",
	{.call = "POST /v1.41/commit?container=web",
	    .objects =
		"[{'ref':'web','team':'pay','phase':'test'," INSPECT("") "}]"},
	"allow grant g"},
    {GRANTS "  - {id: g, team: pay, role: all, phases: [\"*\"], profile: "
	    "unrestricted}\n",
	"m",
	{.call = "POST /v1.41/commit?container=web",
	    .objects = "[{'ref':'web','team':'ml','phase':'test'}]"},
	"deny owner g"},

    /* ---- 2.2, 9.5: the owner of a create ---- */
    {SIMPLE, "h",
	{.call = CREATE, .body = "{'Image':'alpine','Labels':{'t':'pay'}}"},
	"allow grant g owner pay/dev"},
    {SIMPLE, "h",
	{.call = CREATE, .body = "{'Image':'alpine','Labels':{'t':'ml'}}"},
	"deny owner g"},
    {SIMPLE, "h",
	{.call = CREATE, .body = "{'Image':'alpine','Labels':{'t':''}}"},
	"deny owner g"},
    {SIMPLE, "h",
	{.call = CREATE, .body = "{'Image':'alpine','Labels':{'t':'gone'}}"},
	"deny owner g"},
    {SIMPLE, "h", {.call = CREATE, .body = ALPINE, .team = "pay"},
	"allow grant g owner pay/dev"},
    {SIMPLE, "h", {.call = CREATE, .body = ALPINE, .team = "ml"},
	"deny owner g"},
    {SIMPLE, "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','Labels':{'t':'pay'}}",
	    .team = "ml"},
	"allow grant g owner pay/dev"},
    {GRANTS GRANT("g", "\"*\"", "profile: lib"), "h",
	{.as = "a@ml+pay", .call = CREATE, .body = ALPINE}, "deny owner g"},
    {GRANTS GRANT("g", "\"*\"", "profile: lib"), "h",
	{.as = "a@ml+pay", .call = CREATE, .body = ALPINE, .team = "ml"},
	"allow grant g owner ml/dev"},
    {GRANTS GRANT("b", "ml", "profile: cap") RUN("g", "lib"), "h",
	{.as = "a@ml+pay", .call = CREATE, .body = ALPINE},
	"allow grant g owner pay/dev"},
    {GRANTS GRANT("g", "ops", "owner: any, profile: lib"), "h",
	{.as = "o@ops",
	    .call = CREATE,
	    .body = "{'Image':'alpine','Labels':{'t':'ml'}}"},
	"allow grant g owner ml/dev"},
    {GRANTS GRANT("g", "ops", "owner: any, profile: lib"), "h",
	{.as = "o@ops",
	    .call = CREATE,
	    .body = "{'Image':'alpine','Labels':{'t':'gone'}}"},
	"deny owner g"},
    /* the labels of a volume that a mount makes say whose it is, too */
    {SIMPLE, "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Mounts':[{'Type':"
		    "'volume','Source':'data','VolumeOptions':{'Labels':{'t':"
		    "'ml'}}}]}}"},
	"deny owner g"},
    {SIMPLE, "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Mounts':[{'Type':"
		    "'volume','VolumeOptions':{'Labels':{'t':'pay','p':'dev'}}"
		    "}]}}"},
	"allow grant g owner pay/dev"},
    {SIMPLE, "m",
	{.call = CREATE,
	    .body = "{'Image':'alpine','Labels':{'p':'dev'},'HostConfig':{"
		    "'Mounts':[{'Type':'volume','VolumeOptions':{'Labels':{'p'"
		    ":'test'}}}]}}"},
	"deny phase-mismatch g"},

    /* ---- 2.4, 9.3: the phase of a create ---- */
    {SIMPLE, "h",
	{.call = CREATE, .body = "{'Image':'alpine','Labels':{'p':'dev'}}"},
	"allow grant g owner pay/dev"},
    {SIMPLE, "h",
	{.call = CREATE, .body = "{'Image':'alpine','Labels':{'p':'test'}}"},
	"deny phase-not-served"},
    {SIMPLE, "h",
	{.call = CREATE, .body = "{'Image':'alpine','Labels':{'p':''}}"},
	"deny phase-not-served"},
    {SIMPLE, "m",
	{.call = CREATE, .body = "{'Image':'alpine','Labels':{'p':'prod'}}"},
	"deny phase-not-served"},
    {SIMPLE, "m", {.call = CREATE, .body = ALPINE}, "deny phase"},
    {SIMPLE, "m",
	{.call = CREATE, .body = "{'Image':'alpine','Labels':{'p':'test'}}"},
	"allow grant g owner pay/test"},
    {GRANTS "  - {id: g, team: pay, role: run, phases: [test], profile: lib}"
	    "\n",
	"m", {.call = CREATE, .body = ALPINE}, "allow grant g owner pay/test"},
    {GRANTS "  - {id: a, team: pay, role: run, phases: [dev], profile: cap}\n"
	    "  - {id: g, team: pay, role: run, phases: [test], profile: lib}\n",
	"m", {.call = CREATE, .body = ALPINE}, "allow grant g owner pay/test"},
    {GRANTS "  - {id: a, team: pay, role: run, phases: [dev], profile: cap}\n"
	    "  - {id: g, team: pay, role: run, phases: [test], profile: cap}\n",
	"m", {.call = CREATE, .body = ALPINE}, "deny profile a limits.memory"},
    {GRANTS "  - {id: g, team: pay, role: run, phases: [prod], profile: lib}"
	    "\n",
	"m", {.call = CREATE, .body = ALPINE}, "deny phase g"},
    /* undecided in one phase: no yes in another makes it the only one */
    {GRANTS "  - {id: a, team: pay, role: run, phases: [dev], profile: lib, "
	    "promoted_from: {phase: test, min_runtime: 1h}}\n"
	    "  - {id: g, team: pay, role: run, phases: [test], profile: lib}\n",
	"m", {.call = CREATE, .body = PINNED}, "deny cannot-tell a"},
    /* guards, role denies and freeze see the phase that was found */
    {GRANTS "  - {id: g, team: pay, role: run, phases: [test], profile: lib}\n"
	    "guards:\n  - {id: q, deny: {container: [create]}, phases: [dev]}"
	    "\n",
	"m", {.call = CREATE, .body = ALPINE}, "allow grant g owner pay/test"},
    {GRANTS "  - {id: g, team: pay, role: run, phases: [test], profile: lib}\n"
	    "guards:\n  - {id: q, deny: {container: [create]}, phases: [test]}"
	    "\n",
	"m", {.call = CREATE, .body = ALPINE}, "deny guard q"},
    /* and the unknown phase where it stays unknown */
    {SIMPLE "guards:\n  - {id: q, deny: {container: [create]}, phases: "
	    "[prod]}\n",
	"m", {.call = CREATE, .body = ALPINE}, "deny guard q"},
    {SIMPLE "guards:\n  - {id: q, deny: {container: [create]}, phases: "
	    "[prod]}\n",
	"h", {.call = CREATE, .body = "{'Image':'a','Labels':{'p':'x'}}"},
	"deny guard q"},

    /* ---- 3: roles, grants, guards, freeze ---- */
    {SIMPLE, "h", {.call = "POST /v1.41/containers/web/kill", .objects = WEB},
	"deny role g"},
    {GRANTS "  - {id: g, team: pay, role: no-exec, phases: [\"*\"], profile: "
	    "lib}\n",
	"h",
	{.call = "POST /v1.41/containers/web/exec",
	    .body = "{}",
	    .objects = WEB},
	"deny role-deny g"},
    /* a role's deny counts where its grant does, profiles do not matter */
    {GRANTS "  - {id: a, team: pay, role: no-exec, phases: [\"*\"]}\n" RUN(
	 "g", "open"),
	"h",
	{.call = "POST /v1.41/containers/web/exec",
	    .body = "{}",
	    .objects = "[{'ref':'web','team':'pay'," INSPECT("") "}]"},
	"deny role-deny a"},
    {GRANTS "  - {id: a, team: pay, role: no-exec, phases: [test]}\n" RUN(
	 "g", "open"),
	"h",
	{.call = "POST /v1.41/containers/web/exec",
	    .body = "{}",
	    .objects = "[{'ref':'web','team':'pay'," INSPECT("") "}]"},
	"allow grant g"},
    {GRANTS "  - {id: a, team: ml, role: no-exec, phases: [\"*\"]}\n" RUN(
	 "g", "open"),
	"h",
	{.as = "a@pay+ml",
	    .call = "POST /v1.41/containers/web/exec",
	    .body = "{}",
	    .objects = "[{'ref':'web','team':'pay'," INSPECT("") "}]"},
	"allow grant g"},
    /* guards: the lowest id, real teams in except */
    {SIMPLE "guards:\n  - {id: z, deny: {container: [stop]}}\n"
	    "  - {id: q, deny: {container: [\"*\"]}, phases: [dev]}\n",
	"h", {.call = "POST /v1.41/containers/web/stop", .objects = WEB},
	"deny guard q"},
    {SIMPLE "guards:\n  - {id: q, deny: {container: [stop]}, phases: [prod]}"
	    "\n",
	"h", {.call = "POST /v1.41/containers/web/stop", .objects = WEB},
	"allow grant g"},
    {SIMPLE "guards:\n  - {id: q, deny: {container: [stop]}, phases: [prod]}"
	    "\n",
	"m",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web','team':'pay'}]"},
	"deny guard q"},
    {SIMPLE "guards:\n  - {id: q, deny: {container: [stop]}, except: [pay]}\n",
	"h", {.call = "POST /v1.41/containers/web/stop", .objects = WEB},
	"allow grant g"},
    {GRANTS GRANT("g", "ci", "") "guards:\n  - {id: q, deny: {container: "
				 "[stop]}, except: [pay]}\n",
	"h",
	{.as = "bot@ci",
	    .call = "POST /v1.41/containers/web/stop",
	    .objects = WEB},
	"deny guard q"},
    {GRANTS GRANT("g", "pay", "owner: any") "guards:\n  - {id: q, deny: "
					    "{container: [list]}, phases: "
					    "[test]}\n",
	"m", {.call = "GET /v1.41/containers/json"}, "deny guard q"},
    /* nobody takes the plugin away, whatever the grant */
    {GRANTS "  - {id: g, team: pay, role: all, phases: [\"*\"], owner: any, "
	    "profile: unrestricted}\n",
	"h", {.call = "POST /v1.41/plugins/x/disable"}, "deny guard"},
    {GRANTS "  - {id: g, team: pay, role: all, phases: [\"*\"], owner: any, "
	    "profile: unrestricted}\n",
	"h", {.call = "DELETE /v1.41/plugins/x"}, "deny guard"},
    /* freeze */
    {SIMPLE, "f", {.call = CREATE, .body = ALPINE, .now = MONDAY},
	"deny freeze"},
    {SIMPLE, "f", {.call = CREATE, .body = ALPINE, .now = WEDNESDAY},
	"allow grant g owner pay/cold"},
    {SIMPLE, "f",
	{.call = "GET /v1.41/containers/web/json",
	    .objects = WEB,
	    .now = MONDAY},
	"allow grant g"},
    {SIMPLE, "f",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = WEB,
	    .now = MONDAY},
	"allow grant g"},
    {SIMPLE, "f",
	{.call = "DELETE /v1.41/containers/web", .objects = WEB, .now = MONDAY},
	"deny freeze"},
    {SIMPLE, "f",
	{.as = "a@ops+pay", .call = CREATE, .body = ALPINE, .now = MONDAY},
	"allow grant g owner pay/cold"},
    {GRANTS GRANT("g", "pay", "owner: any"), "all",
	{.call = "DELETE /v1.41/containers/web",
	    .objects = "[{'ref':'web','team':'pay'}]",
	    .now = MONDAY},
	"deny freeze"},
    {GRANTS GRANT("g", "pay", "owner: any"), "all",
	{.call = "DELETE /v1.41/containers/web", .objects = WEB, .now = MONDAY},
	"allow grant g"},

    /* ---- 3.6, 3.7: profiles and stored specs ---- */
    {GRANTS GRANT("g", "pay", ""), "h", {.call = CREATE, .body = ALPINE},
	"deny no-profile g"},
    {SIMPLE, "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Privileged':true}}"},
	"deny profile g privileged"},
    {SIMPLE, "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Cgroup':'x'}}"},
	"deny must-default g"},
    {SIMPLE, "h",
	{.call = CREATE, .body = "{'Image':'alpine','Privileged':true}"},
	"deny ambiguous-request"},
    {GRANTS GRANT("g", "pay", "profile: unrestricted"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Privileged':true}}"},
	"allow grant g owner pay/dev"},
    {SIMPLE, "h",
	{.call = "POST /v1.41/containers/web/start",
	    .objects = "[{'ref':'web','team':'pay'," INSPECT("") "}]"},
	"allow grant g"},
    {SIMPLE, "h",
	{.call = "POST /v1.41/containers/web/start",
	    .objects =
		"[{'ref':'web','team':'pay'," INSPECT("'Privileged':true") "}"
									   "]"},
	"deny stored-spec g privileged"},
    {GRANTS GRANT("g", "pay", "profile: lib, stored_specs: any"), "h",
	{.call = "POST /v1.41/containers/web/start",
	    .objects =
		"[{'ref':'web','team':'pay'," INSPECT("'Privileged':true") "}"
									   "]"},
	"allow grant g"},
    {SIMPLE, "h", {.call = "POST /v1.41/containers/web/start", .objects = WEB},
	"deny cannot-tell g"},
    {SIMPLE, "h",
	{.call = "POST /v1.41/containers/web/exec",
	    .body = "{'Cmd':['sh']}",
	    .objects =
		"[{'ref':'web','team':'pay'," INSPECT("'PidMode':'host'") "}]"},
	"deny stored-spec g namespaces.pid"},
    {SIMPLE, "h",
	{.call = "POST /v1.41/containers/web/exec",
	    .body = "{'Privileged':true}",
	    .objects =
		"[{'ref':'web','team':'pay'," INSPECT("'PidMode':'host'") "}]"},
	"deny profile g exec.privileged"},
    {SIMPLE, "h",
	{.call = "POST /v1.41/containers/web/start",
	    .objects = "[{'ref':'web','team':'pay'," INSPECT(
		"'Binds':['data:/x']") "},{'kind':'volume','ref':'data',"
				       "'team':'ml'}]"},
	"deny owner g"},
    {SIMPLE, "h", {.call = "POST /v1.41/containers/" ID64 "/start"},
	"allow grant g"},
    {GRANTS "  - {id: g, team: pay, role: all, phases: [\"*\"], profile: open}"
	    "\n",
	"h",
	{.call = "POST /v1.41/containers/web/start?checkpoint=x",
	    .objects = "[{'ref':'web','team':'pay'," INSPECT("") "}]"},
	"allow grant g"},
#include "decide_bodies.def"

    /* ---- 3.9, 9.6: complain ---- */
    {GRANTS RUN("g", "cap"), "c", {.call = CREATE, .body = ALPINE},
	"would-deny profile g limits.memory owner pay/soft"},
    {GRANTS RUN("g", "cap"), "h", {.call = CREATE, .body = ALPINE},
	"deny profile g limits.memory"},
    {GRANTS RUN("g", "cap"), "c",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Privileged':true}}"},
	"deny profile g privileged"},
    {GRANTS RUN("g", "cap"), "c",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'Cgroup':'x'}}"},
	"deny must-default g"},
    {GRANTS RUN("g", "cap"), "c",
	{.call = CREATE, .body = "{'Image':'alpine','Labels':{'t':'ml'}}"},
	"deny owner g"},
    {GRANTS GRANT("g", "pay", ""), "c", {.call = CREATE, .body = ALPINE},
	"deny no-profile g"},
    {GRANTS RUN("g", "cap"), "c",
	{.call = "POST /v1.41/containers/web/start",
	    .objects = "[{'ref':'web','team':'pay'," INSPECT("") "}]"},
	"would-deny stored-spec g limits.memory"},
    {GRANTS RUN("g", "cap"), "c",
	{.call = "POST /v1.41/containers/web/start",
	    .objects =
		"[{'ref':'web','team':'pay'," INSPECT("'Privileged':true") "}"
									   "]"},
	"deny stored-spec g privileged"},
    {GRANTS RUN("g", "cap"), "c",
	{.call = "POST /v1.41/containers/web/start",
	    .objects = "[{'ref':'web','team':'pay'}]"},
	"deny cannot-tell g"},
    /* soft itself, but the stored spec is not known, or breaks a hard key */
    {GRANTS RUN("g", "tok"), "c",
	{.call = "POST /v1.41/containers/web/exec",
	    .body = "{'Env':['TOKEN=x']}",
	    .objects = "[{'ref':'web','team':'pay'," INSPECT("") "}]"},
	"would-deny profile g env.forbid"},
    {GRANTS RUN("g", "tok"), "c",
	{.call = "POST /v1.41/containers/web/exec",
	    .body = "{'Env':['TOKEN=x']}",
	    .objects = "[{'ref':'web','team':'pay'}]"},
	"deny profile g env.forbid"},
    {GRANTS RUN("g", "tok"), "c",
	{.call = "POST /v1.41/containers/web/exec",
	    .body = "{'Env':['TOKEN=x']}",
	    .objects = "[{'ref':'web','team':'pay'," INSPECT(
		"'Privileged':true") "}]"},
	"deny profile g env.forbid"},
    /* an undecided grant beats a soft denial; a yes beats both */
    {GRANTS GRANT("a", "pay",
	 "profile: lib, promoted_from: {phase: dev, min_runtime: 1h}")
	    RUN("g", "cap"),
	"c", {.call = CREATE, .body = PINNED}, "deny cannot-tell a"},
    {GRANTS GRANT("a", "pay",
	 "profile: lib, promoted_from: {phase: dev, min_runtime: 1h}")
	    RUN("b", "cap") RUN("g", "lib"),
	"c", {.call = CREATE, .body = PINNED}, "allow grant g owner pay/soft"},
    {GRANTS RUN("g", "cap") RUN("b", "cap"), "c",
	{.call = CREATE, .body = ALPINE},
	"would-deny profile b limits.memory owner pay/soft"},
    /* several phases that complain: which one is not known */
    {GRANTS RUN("g", "cap"), "mc", {.call = CREATE, .body = ALPINE},
	"deny phase"},
    {GRANTS "  - {id: g, team: pay, role: run, phases: [soft], profile: cap}"
	    "\n",
	"mc", {.call = CREATE, .body = ALPINE},
	"would-deny profile g limits.memory owner pay/soft"},
    /* it softens no guard */
    {GRANTS RUN("g", "cap") "guards:\n  - {id: q, deny: {container: [create]}"
			    "}\n",
	"c", {.call = CREATE, .body = ALPINE}, "deny guard q"},

/* ---- 3.10, 3.11, 11: quotas and promotion ---- */
#include "quota_rows.h"

    /* ---- 4, 9: order, nearest miss, ties ---- */
    {"", "h", {.call = "GET /v1.41/nothing"}, "deny unknown-operation"},
    {"", "nowhere", {.as = "a", .call = "GET /_ping"}, "deny phase-not-served"},
    {GRANTS RUN("b", "lib") RUN("a", "lib"), "h",
	{.call = CREATE, .body = ALPINE}, "allow grant a owner pay/dev"},
    {GRANTS "  - {id: a, team: pay, role: run, phases: [test], profile: lib}\n"
	    "  - {id: b, team: pay, role: all, phases: [dev]}\n",
	"h", {.call = CREATE, .body = ALPINE}, "deny no-profile b"},
    {GRANTS RUN("a", "lib") RUN("b", "cap"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'PidMode':'host'}}"},
	"deny profile a namespaces.pid"},
    /* further down the table is nearer */
    {GRANTS RUN("a", "lib") RUN("b", "open"), "h",
	{.call = CREATE,
	    .body = "{'Image':'acme/x','HostConfig':{'CapAdd':['CHOWN'],"
		    "'RestartPolicy':{'Name':'always'},'NetworkMode':'host'}}"},
	"deny profile b capabilities.add"},
    {GRANTS GRANT("a", "pay", "") GRANT("b", "pay", "owner: [ml]"), "h",
	{.call = "POST /v1.41/containers/web/stop",
	    .objects = "[{'ref':'web','team':'ops'}]"},
	"deny owner a"},
    {GRANTS
	"  - {id: a, team: pay, role: all, phases: [\"*\"]}\n" GRANT("b", "pay",
	    "promoted_from: {phase: test, min_runtime: 1h}, profile: "
	    "lib"),
	"h", {.call = CREATE, .body = PINNED}, "deny cannot-tell b"},
    /* 6.3: plugin mode refuses what could be two things; the proxy may not */
    {GRANTS GRANT("g", "pay", "owner: any"), "h",
	{.call = "POST /v1.41/containers/cafe/stop",
	    .objects = "[{'ref':'cafe','team':'pay','ambiguous':true}]",
	    .plugin = true},
	"deny ambiguous-request"},
    {GRANTS GRANT("g", "pay", "owner: any"), "h",
	{.call = "POST /v1.41/containers/cafe/stop",
	    .objects = "[{'ref':'cafe','team':'pay','ambiguous':true}]"},
	"allow grant g"},
    {SIMPLE, "h",
	{.call = CREATE "?name=0123456789ab", .body = ALPINE, .plugin = true},
	"deny ambiguous-request"},
    {SIMPLE, "h",
	{.call = CREATE "?name=cafe",
	    .body = ALPINE,
	    .objects = "[{'ref':'cafe','by':'prefix'}]",
	    .plugin = true},
	"deny ambiguous-request"},
    {SIMPLE, "h",
	{.call = CREATE "?name=cafe",
	    .body = ALPINE,
	    .objects = "[{'ref':'cafe','presence':'unknown'}]",
	    .plugin = true},
	"deny ambiguous-request"},
    {SIMPLE, "h", {.call = CREATE "?name=cafe", .body = ALPINE, .plugin = true},
	"allow grant g owner pay/dev"},
    {SIMPLE, "h", {.call = CREATE "?name=web", .body = ALPINE, .plugin = true},
	"allow grant g owner pay/dev"},
    {GRANTS "  - {id: g, team: pay, role: all, phases: [\"*\"], profile: "
	    "unrestricted}\n",
	"h",
	{.call = "POST /v1.41/networks/create",
	    .body = "{'Name':'0123456789abcdef'}",
	    .plugin = true},
	"deny ambiguous-request"},
    {GRANTS "  - {id: g, team: pay, role: all, phases: [\"*\"], profile: "
	    "unrestricted}\n",
	"h",
	{.call = "POST /v1.41/volumes/create",
	    .body = "{'Name':'0123456789abcdef'}",
	    .plugin = true},
	"allow grant g owner pay/dev"},
#include "decide_services.def"
};

#endif /* DECIDE_ROWS_H */
