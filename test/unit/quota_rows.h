/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of test_decide.c: quotas and promotion (docs/semantics.md 11). */

#define Q(rest)    SIMPLE "quotas:\n  - {team: pay, " rest "}\n"
#define QALL(rest) SIMPLE "quotas:\n  - {team: \"*\", " rest "}\n"
#define ONE        "{'team':'pay','phase':'dev'}"
#define BOUND(m, c, p)                                           \
	"{'team':'pay','phase':'dev','memory':" #m ",'cpus':" #c \
	",'ports':" #p "}"
#define LIMITED(m, c) \
	"{'Image':'alpine','HostConfig':{'Memory':" #m ",'NanoCpus':" #c "}}"
#define PORTS(p) "{'Image':'alpine','HostConfig':{" p "}}"
#define UPDATE   "POST /v1.41/containers/web/update"
#define HAS(host)                                              \
	"[{'ref':'web','team':'pay','phase':'dev','id':'" ID64 \
	"'," INSPECT(host) "}]"
/* unrestricted: what an update asks for is judged by quotas alone */
#define UPD(rest)                                                      \
	"grants:\n  - {id: g, team: pay, role: all, phases: [\"*\"], " \
	"profile: unrestricted}\nquotas:\n  - {team: pay, " rest "}\n"

/* who counts: nobody is cannot tell, of another team is nothing */
{Q("containers: 3"), "h", {.call = CREATE, .body = ALPINE},
    "deny cannot-tell g"},
    {Q("containers: 3"), "h", {.call = CREATE, .body = ALPINE, .there = "[]"},
	"allow grant g owner pay/dev"},
    {SIMPLE "quotas:\n  - {team: ml, containers: 0}\n", "h",
	{.call = CREATE, .body = ALPINE}, "allow grant g owner pay/dev"},
    {QALL("phases: [test], containers: 0"), "h",
	{.call = CREATE, .body = ALPINE}, "allow grant g owner pay/dev"},
    {QALL("containers: 0"), "h",
	{.call = CREATE, .body = ALPINE, .there = "[]"}, "deny quota g"},
    {Q("containers: 2"), "h",
	{.call = CREATE, .body = ALPINE, .there = "[" ONE "]"},
	"allow grant g owner pay/dev"},
    {Q("containers: 2"), "h",
	{.call = CREATE, .body = ALPINE, .there = "[" ONE "," ONE "]"},
	"deny quota g"},
    {QALL("containers: 2"), "h",
	{.call = CREATE,
	    .body = ALPINE,
	    .there = "[" ONE ",{'team':'ml','phase':'dev'},{'phase':'dev'}]"},
	"allow grant g owner pay/dev"},
    /* phases are counted together; an unknown one in every phase */
    {Q("phases: [dev, test], containers: 2"), "m",
	{.call = CREATE,
	    .body = "{'Image':'alpine','Labels':{'p':'dev'}}",
	    .there = "[" ONE ",{'team':'pay','phase':'test'}]"},
	"deny quota g"},
    {Q("phases: [dev], containers: 2"), "m",
	{.call = CREATE,
	    .body = "{'Image':'alpine','Labels':{'p':'dev'}}",
	    .there = "[" ONE ",{'team':'pay','phase':'test'}]"},
	"allow grant g owner pay/dev"},
    {Q("phases: [dev], containers: 2"), "m",
	{.call = CREATE,
	    .body = "{'Image':'alpine','Labels':{'p':'dev'}}",
	    .there = "[" ONE ",{'team':'pay'}]"},
	"deny quota g"},
    {Q("phases: [dev], containers: 2"), "m",
	{.call = CREATE,
	    .body = "{'Image':'alpine','Labels':{'p':'dev'}}",
	    .there = "[" ONE ",{'team':'pay','phase':'gone'}]"},
	"deny quota g"},
    /* a host of one phase: what a ledger or label says else is nothing */
    {Q("phases: [dev], containers: 1"), "h",
	{.call = CREATE,
	    .body = ALPINE,
	    .there = "[{'team':'pay','phase':'test'}]"},
	"deny quota g"},
    /* the owner is asked, not who asks */
    {GRANTS GRANT("g", "pay",
	 "profile: lib, owner: any") "quotas:\n  - {team: ml, containers: 0}\n",
	"h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','Labels':{'t':'ml'}}",
	    .there = "[]"},
	"deny quota g"},
    {GRANTS GRANT("g", "pay",
	 "profile: unrestricted") "quotas:\n  - {team: pay, containers: 0}\n",
	"h", {.call = CREATE, .body = ALPINE, .there = "[]"}, "deny quota g"},
    /* what is counted must be set */
    {Q("memory: 1GiB"), "h", {.call = CREATE, .body = ALPINE, .there = "[]"},
	"deny quota g"},
    {Q("memory: 1GiB"), "h",
	{.call = CREATE, .body = LIMITED(-1, 1), .there = "[]"},
	"deny quota g"},
    {Q("cpus: 1"), "h", {.call = CREATE, .body = LIMITED(1, 0), .there = "[]"},
	"deny quota g"},
    {Q("memory: 1KiB, cpus: 1"), "h",
	{.call = CREATE, .body = LIMITED(1024, 1000000000), .there = "[]"},
	"allow grant g owner pay/dev"},
    {Q("memory: 1KiB, cpus: 1"), "h",
	{.call = CREATE, .body = LIMITED(1025, 1000000000), .there = "[]"},
	"deny quota g"},
    {Q("memory: 1KiB, cpus: 1"), "h",
	{.call = CREATE, .body = LIMITED(1024, 1000000001), .there = "[]"},
	"deny quota g"},
    {Q("memory: 1KiB"), "h",
	{.call = CREATE,
	    .body = LIMITED(9223372036854775807, 1),
	    .there = "[" BOUND(9223372036854775807, 1, 1) "]"},
	"deny quota g"},
    {Q("cpus: 1"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'CpuQuota':50000}}",
	    .there = "[" BOUND(1, 500000000, 0) "]"},
	"allow grant g owner pay/dev"},
    {Q("cpus: 1"), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine','HostConfig':{'CpuQuota':50000,"
		    "'CpuPeriod':50000}}",
	    .there = "[" BOUND(1, 500000000, 0) "]"},
	"deny quota g"},
    /* one without bound makes the sum unbound */
    {Q("memory: 1GiB"), "h",
	{.call = CREATE, .body = LIMITED(1, 1), .there = "[" ONE "]"},
	"deny quota g"},
    {Q("memory: 1GiB"), "h",
	{.call = CREATE,
	    .body = LIMITED(1, 1),
	    .there = "[{'team':'ml','phase':'dev'}]"},
	"allow grant g owner pay/dev"},
    /* ports: each binding one; all of an image's are without bound */
    {GRANTS RUN("g", "open") "quotas:\n  - {team: pay, ports: 2}\n", "h",
	{.call = CREATE,
	    .body = PORTS("'PortBindings':{'80/tcp':[]}"),
	    .there = "[" BOUND(1, 1, 9) "]"},
	"allow grant g owner pay/dev"},
    {GRANTS GRANT("g", "pay",
	 "profile: unrestricted") "quotas:\n  - {team: pay, ports: 2}\n",
	"h",
	{.call = CREATE,
	    .body = PORTS("'PortBindings':{'80/tcp':[{'HostPort':'1-9'}],"
			  "'81/tcp':[{}]}"),
	    .there = "[]"},
	"allow grant g owner pay/dev"},
    {GRANTS GRANT("g", "pay",
	 "profile: unrestricted") "quotas:\n  - {team: pay, ports: 2}\n",
	"h",
	{.call = CREATE,
	    .body = PORTS("'PortBindings':{'80/tcp':[{},{}],'81/tcp':[{}]}"),
	    .there = "[]"},
	"deny quota g"},
    {GRANTS GRANT("g", "pay",
	 "profile: unrestricted") "quotas:\n  - {team: pay, ports: 2}\n",
	"h",
	{.call = CREATE,
	    .body = PORTS("'PublishAllPorts':true"),
	    .there = "[]"},
	"deny quota g"},
    /* several: one that fails beats one that cannot be told; none is soft */
    {Q("containers: 5") "  - {team: \"*\", containers: 0}\n", "h",
	{.call = CREATE, .body = ALPINE, .there = "[]"}, "deny quota g"},
    {GRANTS RUN("g", "cap") "quotas:\n  - {team: pay, containers: 0}\n", "c",
	{.call = CREATE, .body = ALPINE, .there = "[]"}, "deny quota g"},
    {GRANTS RUN("g", "cap") "quotas:\n  - {team: pay, containers: 1}\n", "c",
	{.call = CREATE, .body = ALPINE, .there = "[]"},
	"would-deny profile g limits.memory owner pay/soft"},
    {GRANTS RUN("g", "cap") "quotas:\n  - {team: pay, containers: 1}\n", "c",
	{.call = CREATE, .body = ALPINE}, "deny profile g limits.memory"},
    /* an earlier stage, and another grant */
    {GRANTS GRANT("g", "pay", "") "quotas:\n  - {team: pay, containers: 0}\n",
	"h", {.call = CREATE, .body = ALPINE, .there = "[]"},
	"deny no-profile g"},
    {GRANTS RUN("a", "lib") GRANT(
	 "b", "ops", "profile: lib, owner: [pay, ops]") "quotas:\n  - {team: "
							"pay, containers: 0}\n",
	"h", {.as = "a@pay+ops", .call = CREATE, .body = ALPINE, .there = "[]"},
	"allow grant b owner ops/dev"},
    /* nothing else is asked */
    {Q("containers: 0"), "h",
	{.call = "POST /v1.41/containers/web/stop", .objects = WEB},
	"allow grant g"},

    /* update: the difference alone */
    {UPD("memory: 1KiB"), "h",
	{.call = UPDATE,
	    .body = "{'Memory':512}",
	    .objects = HAS("'Memory':256"),
	    .there = "[" BOUND(256, 1, 0) "," BOUND(512, 1, 0) "]"},
	"allow grant g"},
    {UPD("memory: 1KiB"), "h",
	{.call = UPDATE,
	    .body = "{'Memory':513}",
	    .objects = HAS("'Memory':256"),
	    .there = "[" BOUND(256, 1, 0) "," BOUND(512, 1, 0) "]"},
	"deny quota g"},
    {UPD("memory: 1KiB"), "h",
	{.call = UPDATE,
	    .body = "{'memory':513}",
	    .objects = HAS("'Memory':256"),
	    .there = "[" BOUND(256, 1, 0) "," BOUND(512, 1, 0) "]"},
	"deny quota g"},
    /* what raises nothing passes above the limit; taking a bound away not */
    {UPD("memory: 1KiB"), "h",
	{.call = UPDATE,
	    .body = "{'Memory':2048}",
	    .objects = HAS("'Memory':4096"),
	    .there = "[" BOUND(4096, 1, 0) "]"},
	"allow grant g"},
    {UPD("memory: 1KiB, containers: 0"), "h",
	{.call = UPDATE,
	    .body = "{'CpuShares':5,'Memory':0}",
	    .objects = HAS("'Memory':4096"),
	    .there = "[" BOUND(4096, 1, 0) "]"},
	"allow grant g"},
    {UPD("memory: 1KiB"), "h",
	{.call = UPDATE,
	    .body = "{'Memory':-1}",
	    .objects = HAS("'Memory':1"),
	    .there = "[" BOUND(1, 1, 0) "]"},
	"deny quota g"},
    {UPD("memory: 1KiB"), "h",
	{.call = UPDATE,
	    .body = "{'Memory':9999}",
	    .objects = HAS("'Memory':0"),
	    .there = "[" ONE "]"},
	"allow grant g"},
    /* a period alone makes the quota another share */
    {UPD("cpus: 1"), "h",
	{.call = UPDATE,
	    .body = "{'CpuPeriod':10000}",
	    .objects = HAS("'CpuQuota':50000,'CpuPeriod':100000"),
	    .there = "[" BOUND(1, 500000000, 0) "]"},
	"deny quota g"},
    {UPD("cpus: 1"), "h",
	{.call = UPDATE,
	    .body = "{'CpuQuota':-1}",
	    .objects = HAS("'CpuQuota':50000"),
	    .there = "[" BOUND(1, 500000000, 0) "]"},
	"deny quota g"},
    /* the daemon refuses a quota beside NanoCpus: nothing is raised */
    {UPD("cpus: 1"), "h",
	{.call = UPDATE,
	    .body = "{'CpuQuota':200000}",
	    .objects = HAS("'NanoCpus':500000000"),
	    .there = "[" BOUND(1, 500000000, 0) "]"},
	"allow grant g"},
    /* the container's owner; nobody's and what is unknown to the policy */
    {"grants:\n  - {id: g, team: ops, role: all, phases: [\"*\"], owner: any, "
     "profile: unrestricted}\nquotas:\n  - {team: \"*\", memory: 1KiB}\n",
	"h",
	{.as = "o@ops",
	    .call = UPDATE,
	    .body = "{'Memory':9999}",
	    .objects = HAS("'Memory':1"),
	    .there = "[" BOUND(1, 1, 0) "]"},
	"deny quota g"},
    {"grants:\n  - {id: g, team: ops, role: all, phases: [\"*\"], owner: any, "
     "profile: unrestricted}\nquotas:\n  - {team: \"*\", memory: 1KiB}\n",
	"h",
	{.as = "o@ops",
	    .call = UPDATE,
	    .body = "{'Memory':9999}",
	    .objects =
		"[{'ref':'web','id':'" ID64 "'," INSPECT("'Memory':1") "}]",
	    .there = "[]"},
	"allow grant g"},
    /* a stored spec that is not known cannot be compared */
    {UPD("memory: 1KiB"), "h",
	{.call = UPDATE,
	    .body = "{'Memory':1}",
	    .objects = "[{'ref':'web','team':'pay','phase':'dev'}]",
	    .there = "[]"},
	"deny cannot-tell g"},
    /* services are not counted, so they cannot be told */
    {UPD("containers: 9"), "h",
	{.call = "POST /v1.41/services/create",
	    .body = "{'Name':'s','TaskTemplate':{'ContainerSpec':{'Image':'a'}"
		    "}}",
	    .there = "[]"},
	"deny cannot-tell g"},

/* ---- 3.11: promotion ---- */
#define D1 "sha256:" ID64
#define PROMOTED(more)                               \
	GRANTS GRANT("g", "pay",                     \
	    "profile: open, promoted_from: {phase: " \
	    "test, min_runtime: 1h" more "}")
#define KEY1 "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define IMAGE(digests) \
	"{'kind':'image','ref':'alpine','repo_digests':[" digests "]}"
#define RAN(phase, seconds, more) \
	"{'digest':'" D1 "','phase':'" phase "','seconds':" #seconds more "}"
#define OF_ALPINE(runs)                                        \
	{                                                      \
		.call = CREATE, .body = ALPINE,                \
		.objects = "[" IMAGE("'x/alpine@" D1 "'") "]", \
		.ran = "[" runs "]"                            \
	}
    {PROMOTED(""), "h", OF_ALPINE(RAN("test", 3600, )),
	"allow grant g owner pay/dev"},
    {PROMOTED(""), "h", OF_ALPINE(RAN("test", 3599, )), "deny profile g"},
    {PROMOTED(""), "h", OF_ALPINE(RAN("dev", 9999, )), "deny profile g"},
    {PROMOTED(""), "h", OF_ALPINE(""), "deny profile g"},
    {PROMOTED(""), "h",
	{.call = CREATE,
	    .body = ALPINE,
	    .objects = "[" IMAGE("'x/alpine@" D1 "'") "]"},
	"deny cannot-tell g"},
    /* never pulled or pushed */
    {PROMOTED(""), "h",
	{.call = CREATE,
	    .body = ALPINE,
	    .objects = "[" IMAGE("") "]",
	    .ran = "[" RAN("test", 9999, ) "]"},
	"deny profile g"},
    /* the digest counts, whatever the name */
    {PROMOTED(""), "h",
	{.call = CREATE,
	    .body = ALPINE,
	    .objects = "[" IMAGE("'y@sha256:00','other/name@" D1 "'") "]",
	    .ran = "[" RAN("test", 9999, ) "]"},
	"allow grant g owner pay/dev"},
    /* what others say counts if their key is named */
    {PROMOTED(""), "h", OF_ALPINE(RAN("test", 3600, ",'by':'" KEY1 "'")),
	"deny profile g"},
    {PROMOTED(", via: [\"" KEY1 "\"]"), "h",
	OF_ALPINE(RAN("test", 3600, ",'by':'" KEY1 "'")),
	"allow grant g owner pay/dev"},
    /* not there: by its digest, else later, when it would run */
    {PROMOTED(""), "h", {.call = CREATE, .body = ALPINE, .ran = "[]"},
	"allow grant g owner pay/dev"},
    {PROMOTED(""), "h",
	{.call = CREATE, .body = "{'Image':'alpine@" D1 "'}", .ran = "[]"},
	"deny profile g"},
    {PROMOTED(""), "h",
	{.call = CREATE,
	    .body = "{'Image':'alpine@" D1 "'}",
	    .ran = "[" RAN("test", 3600, ) "]"},
	"allow grant g owner pay/dev"},
    {PROMOTED(""), "h",
	{.call = CREATE,
	    .body = ALPINE,
	    .objects = "[{'kind':'image','ref':'alpine','presence':'unknown'"
		       "}]",
	    .ran = "[" RAN("test", 3600, ) "]"},
	"deny cannot-tell g"},
    /* start looks at the image that the container has, not at the name */
    {PROMOTED(""), "h",
	{.call = "POST /v1.41/containers/web/start",
	    .objects =
		"[{'ref':'web','team':'pay','image_id':'sha256:ab'," INSPECT(
		    "") "}," IMAGE("'x@" D1
				   "'") ",{'kind':'image','ref':'sha256:ab','"
					"repo_digests':[]}]",
	    .ran = "[" RAN("test", 3600, ) "]"},
	"deny profile g"},
    {PROMOTED(""), "h",
	{.call = "POST /v1.41/containers/web/start",
	    .objects =
		"[{'ref':'web','team':'pay','image_id':'sha256:ab'," INSPECT(
		    "") "},{'kind':'image','ref':'sha256:ab',"
			"'repo_digests':['x@" D1 "']}]",
	    .ran = "[" RAN("test", 3600, ) "]"},
	"allow grant g"},
    {PROMOTED(""), "h",
	{.call = "POST /v1.41/containers/web/start",
	    .objects = "[{'ref':'web','team':'pay'," INSPECT("") "}]",
	    .ran = "[]"},
	"deny cannot-tell g"},
    {PROMOTED(""), "h",
	{.call = "POST /v1.41/containers/web/stop", .objects = WEB},
	"allow grant g"},
    /* it is hard, and before every key */
    {GRANTS GRANT("g", "pay",
	 "profile: cap, promoted_from: {phase: test, min_runtime: 1h}"),
	"c", OF_ALPINE(""), "deny profile g"},
    {GRANTS GRANT("a", "pay",
	 "profile: lib, promoted_from: {phase: test, min_runtime: 1h}")
	    RUN("g", "cap"),
	"h", OF_ALPINE(""), "deny profile g limits.memory"},
    /* 0s: it has run at all */
    {GRANTS GRANT("g", "pay",
	 "profile: lib, promoted_from: {phase: test, min_runtime: 0s}"),
	"h", OF_ALPINE(""), "deny profile g"},
    {GRANTS GRANT("g", "pay",
	 "profile: lib, promoted_from: {phase: test, min_runtime: 0s}"),
	"h", OF_ALPINE(RAN("test", 0, )), "allow grant g owner pay/dev"},
