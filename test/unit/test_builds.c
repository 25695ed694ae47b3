/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds: every key of the query of POST /build, and BuildKit's sessions.  A
 * row asks one thing, the whole way from the line to the decision.
 */
#include "eval_kit.h"

static const char policy[] =
    "version: 1\n"
    "labels: {team: t, phase: ph}\n"
    "teams:\n"
    "  pay: {ldap: [\"cn=pay,dc=a\"]}\n"
    "  kit: {ldap: [\"cn=kit,dc=a\"]}\n"
    "  ops: {ldap: [\"cn=ops,dc=a\"]}\n"
    "  net: {ldap: [\"cn=net,dc=a\"]}\n"
    "hosts: {h: [dev]}\n"
    "phases: {dev: {}, prod: {}}\n"
    "roles:\n"
    "  all: {allow: {\"*\": [\"*\"]}}\n"
    "profiles:\n"
    "  p:\n"
    "    images: {allow: [\"docker.io/library/app:*\"], write: "
    "[\"reg.io/${team}/**\"]}\n"
    "    env: {forbid: [\"*KEY*\"]}\n"
    "    build: {network: [default, none], remote: "
    "[\"https://git.io/${team}/**\"]}\n"
    "    limits: {memory: \"..1GiB?\", cpus: \"..2?\", shm: \"..128MiB?\", "
    "ulimits: {nofile: \"..1024?\"}}\n"
    "    net: {extra_hosts: [\"db:10.0.0.*\"]}\n"
    "    kernel: {cgroup_parent: [\"/builds/**\"], cpuset: [\"0-1\"]}\n"
    "  kit: {extends: p, build: {opaque: true, secrets: true}}\n"
    "  net: {build: {network: [own, \"container:own\", host]}}\n"
    "  bare: {limits: {memory: \"1MiB..1GiB\"}}\n"
    "grants:\n"
    "  - {id: pay, team: pay, role: all, phases: [dev], profile: p}\n"
    "  - {id: kit, team: kit, role: all, phases: [dev], profile: kit}\n"
    "  - {id: net, team: net, role: all, phases: [dev], profile: net}\n"
    "  - {id: ops, team: ops, role: all, phases: [\"*\"], owner: any, "
    "profile: unrestricted}\n";

#define DIGEST                                                    \
	"sha256:"                                                 \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaa"
#define OBJECTS                                                      \
	"[{'kind':'network','ref':'pn','team':'net','phase':'dev'}," \
	"{'kind':'network','ref':'on','team':'ops','phase':'dev'},"  \
	"{'kind':'network','ref':'hostid','by':'id','builtin':true," \
	"'name':'host'},"                                            \
	"{'ref':'pc','team':'net','phase':'dev'},"                   \
	"{'ref':'oc','team':'ops','phase':'dev'}]"

struct row {
	const char *query; /* behind /build */
	const char *reason;
	const char *key;
};

static const struct row rows[] = {
    {"", "grant", NULL},
    /* as the docker command of engine 20.10 sends it */
    {"?buildargs=%7B%7D&cachefrom=%5B%5D&cgroupparent=&cpuperiod=0&cpuquota=0"
     "&cpusetcpus=&cpusetmems=&cpushares=0&dockerfile=Dockerfile&labels=%7B%7D"
     "&memory=0&memswap=0&networkmode=default&rm=1&shmsize=0&t=reg.io%2Fpay%2F"
     "x&target=&ulimits=null&version=1",
	"grant", NULL},
    {"?q=1&nocache=1&pull=1&rm=0&forcerm=1&target=x&platform=linux%2Famd64"
     "&squash=1&buildid=x&dockerfile=sub%2FDockerfile&cpushares=9",
	"grant", NULL},

    /* names, every one of them */
    {"?t=reg.io/pay/x:1&t=reg.io/pay/y", "grant", NULL},
    {"?t=reg.io/pay/x:1&t=app", "profile", "images.write"},
    {"?t=app:1", "profile", "images.write"},
    {"?t=reg.io/ops/x", "profile", "images.write"},
    {"?t=", "grant", NULL},
    {"?t=reg.io/pay/x@" DIGEST, "ambiguous-request", NULL},
    {"?t=UPPER", "ambiguous-request", NULL},
    {"?cachefrom=%5B%22app:1%22,%22%22%5D", "grant", NULL},
    {"?cachefrom=%5B%22app%22%5D", "grant", NULL},
    {"?cachefrom=%5B%22evil%22%5D", "profile", "images.allow"},
    {"?cachefrom=%5B%22app%22,%22evil%22%5D", "profile", "images.allow"},
    {"?cachefrom=%5B%22" DIGEST "%22%5D", "cannot-tell", NULL},
    {"?cachefrom=%5B1%5D", "ambiguous-request", NULL},
    {"?cachefrom=app", "ambiguous-request", NULL},

    /* the network of what RUN runs */
    {"?networkmode=", "grant", NULL},
    {"?networkmode=bridge", "grant", NULL},
    {"?networkmode=none", "grant", NULL},
    {"?networkmode=host", "profile", "build.network"},
    {"?networkmode=container:oc", "owner", NULL},
    {"?networkmode=hostid", "profile", "build.network"},
    {"?networkmode=on", "owner", NULL},
    {"?networkmode=nowhere", "no-such-object", NULL},
    {"?extrahosts=db:10.0.0.5", "grant", NULL},
    {"?extrahosts=db:10.0.0.5&extrahosts=hub:6.6.6.6", "profile",
	"net.extra_hosts"},

    /* where the context comes from */
    {"?remote=https://git.io/pay/x.git%23main:sub", "grant", NULL},
    {"?remote=https://git.io/ops/x.git", "profile", "build.remote"},
    {"?remote=http://git.io/pay/x.git", "profile", "build.remote"},
    {"?remote=https://git.io/pay/../ops/x", "profile", "build.remote"},
    {"?remote=https://git.io/pay/x.git%23--upload-pack=x", "profile",
	"build.remote"},
    {"?remote=https://git.io%40evil/pay/x", "profile", "build.remote"},
    {"?remote=git%40git.io:pay/x.git", "profile", "build.remote"},
    {"?remote=github.com/x/y", "profile", "build.remote"},

    /* limits: what a build's query has of them */
    {"?memory=1073741824", "grant", NULL},
    {"?memory=1073741825", "profile", "limits.memory"},
    {"?memory=1048576&memswap=2097152", "grant", NULL},
    {"?memory=1048576&memswap=-1", "profile", "limits.swap"},
    {"?memory=x", "ambiguous-request", NULL},
    {"?memory=%2B1", "ambiguous-request", NULL},
    {"?cpuquota=200000", "grant", NULL},
    {"?cpuquota=300000", "profile", "limits.cpus"},
    {"?cpuquota=200000&cpuperiod=50000", "profile", "limits.cpus"},
    {"?shmsize=134217728", "grant", NULL},
    {"?shmsize=134217729", "profile", "limits.shm"},
    {"?ulimits=%5B%7B%22Name%22:%22nofile%22,%22Hard%22:9,%22Soft%22:9%7D%5D",
	"grant", NULL},
    {"?ulimits=%5B%7B%22name%22:%22NOFILE%22,%22hard%22:9999,%22soft%22:9%7D"
     "%5D",
	"profile", "limits.ulimits"},
    {"?ulimits=%5B%7B%22Name%22:%22nofile%22,%22Hard%22:9,%22hard%22:9999%7D"
     "%5D",
	"ambiguous-request", NULL},
    {"?ulimits=%5B%7B%22Name%22:%22core%22,%22Power%22:9%7D%5D", "profile",
	"unknown_fields"},
    {"?cpusetcpus=0-1", "grant", NULL},
    {"?cpusetcpus=0-9", "profile", "kernel.cpuset"},
    {"?cpusetmems=1", "profile", "kernel.cpuset"},
    {"?cgroupparent=/builds/x", "grant", NULL},
    {"?cgroupparent=/", "profile", "kernel.cgroup_parent"},
    {"?cgroupparent=/builds/../x", "profile", "kernel.cgroup_parent"},

    /* build arguments stay in the image's history */
    {"?buildargs=%7B%22A%22:%22b%22,%22HTTP_PROXY%22:null%7D", "grant", NULL},
    {"?buildargs=%7B%22my_key%22:%22b%22%7D", "profile", "build.secrets"},
    {"?buildargs=%7B%22A%22:1%7D", "ambiguous-request", NULL},
    {"?buildargs=%7B%22A%22:%22b%22,%22A%22:%22c%22%7D", "ambiguous-request",
	NULL},
    {"?buildargs=%7B%7D%7D", "ambiguous-request", NULL},

    /* labels of the image */
    {"?labels=%7B%22a%22:%22b%22%7D", "grant", NULL},
    {"?labels=%7B%22t%22:%22pay%22,%22ph%22:%22dev%22%7D", "grant", NULL},
    {"?labels=%7B%22t%22:%22ops%22%7D", "owner", NULL},
    {"?labels=%7B%22ph%22:%22prod%22%7D", "phase-mismatch", NULL},
    {"?labels=%7B%22t%22:%22pay%22,%22t%22:%22ops%22%7D", "ambiguous-request",
	NULL},

    /* BuildKit */
    {"?version=2", "profile", "build.opaque"},
    {"?version=3", "ambiguous-request", NULL},
    {"?session=x", "profile", "build.opaque"},
    {"?remote=client-session", "profile", "build.opaque"},
    {"?outputs=%5B%7B%22Type%22:%22local%22%7D%5D", "profile", "build.opaque"},
    {"?outputs=%5B%5D", "grant", NULL},

    /* what no engine on Linux takes, or knows */
    {"?securityopt=%5B%22seccomp=unconfined%22%5D", "must-default", NULL},
    {"?isolation=hyperv", "must-default", NULL},
    {"?isolation=default&securityopt=null", "grant", NULL},
    {"?entitlements=x", "profile", "unknown_fields"},
    {"?T=app", "profile", "unknown_fields"},
    {"?memory=1&memory=2", "ambiguous-request", NULL},
};

static void
check(struct kit *k, const char *as, const char *call, const char *reason,
    const char *key)
{
	struct ask a = {
	    .as = as, .call = call, .objects = OBJECTS, .plugin = true};
	struct pr_decision d;
	const char *got;

	kit_decide(k, &a, &d);
	got = d.key >= 0 ? pr_profile_key((enum pr_profile_key)d.key)->path
			 : "none";
	ck_assert_msg(strcmp(pr_reason_code(d.reason), reason) == 0,
	    "%s as %s: %s, not %s (%s)", call, as != NULL ? as : "alice@pay",
	    pr_reason_code(d.reason), reason, d.what);
	ck_assert_int_eq(d.verdict == PR_ALLOW, strcmp(reason, "grant") == 0);
	if (key != NULL)
		ck_assert_msg(strcmp(got, key) == 0, "%s: key %s, not %s (%s)",
		    call, got, key, d.what);
}

static void
check_build(struct kit *k, const char *as, const char *query,
    const char *reason, const char *key)
{
	check(k, as, pr_arena_printf(k->arena, "POST /v1.41/build%s", query),
	    reason, key);
}

START_TEST(queries)
{
	struct kit k = kit_new(policy);

	for (size_t i = 0; i < PR_COUNT(rows); i++)
		check_build(
		    &k, NULL, rows[i].query, rows[i].reason, rows[i].key);
	kit_free(&k);
}
END_TEST

/* build.opaque takes BuildKit; what is seen of it is judged all the same. */
START_TEST(out_of_sight)
{
	static const struct row opaque[] = {
	    {"?version=2&session=x&remote=client-session&t=reg.io/kit/x&buildid"
	     "=y&outputs=%5B%7B%22Type%22:%22moby%22%7D%5D&buildargs=%7B%22A_"
	     "KEY%22:%22b%22%7D",
		"grant", NULL},
	    {"?version=2&t=app", "profile", "images.write"},
	    {"?version=2&networkmode=host", "profile", "build.network"},
	};
	struct kit k = kit_new(policy);

	for (size_t i = 0; i < PR_COUNT(opaque); i++)
		check_build(&k, "eve@kit", opaque[i].query, opaque[i].reason,
		    opaque[i].key);
	check(&k, "eve@kit", "POST /session", "grant", NULL);
	check(&k, "eve@kit", "POST /grpc", "grant", NULL);
	check(&k, "eve@kit", "POST /grpc?x=1", "profile", "unknown_fields");
	check(&k, NULL, "POST /session", "profile", "build.opaque");
	check(&k, NULL, "POST /v1.41/grpc", "profile", "build.opaque");
	check(&k, "olga@ops", "POST /session", "grant", NULL);
	check(&k, NULL, "POST /build/cancel?id=x", "grant", NULL);
	check(&k, NULL, "POST /build/prune", "owner", NULL);
	check(&k, "olga@ops", "POST /build/prune", "grant", NULL);
	kit_free(&k);
}
END_TEST

START_TEST(networks_of_builds)
{
	static const struct row networks[] = {
	    {"?networkmode=default", "profile", "build.network"},
	    {"?networkmode=pn", "grant", NULL},
	    {"?networkmode=on", "owner", NULL},
	    {"?networkmode=host", "grant", NULL},
	    {"?networkmode=hostid", "grant", NULL},
	    {"?networkmode=none", "profile", "build.network"},
	    {"?networkmode=container:oc", "owner", NULL},
	    /* what that container has itself is not known */
	    {"?networkmode=container:pc", "cannot-tell", "build.network"},
	    {"?buildargs=%7B%22A_TOKEN%22:%22b%22%7D&networkmode=pn", "profile",
		"build.secrets"},
	};
	struct kit k = kit_new(policy);

	for (size_t i = 0; i < PR_COUNT(networks); i++)
		check_build(&k, "nina@net", networks[i].query,
		    networks[i].reason, networks[i].key);
	kit_free(&k);
}
END_TEST

/* Who may all may all of this too, unless the daemon would not take it. */
START_TEST(unrestricted)
{
	struct kit k = kit_new(policy);

	for (size_t i = 0; i < PR_COUNT(rows); i++) {
		const char *reason = rows[i].reason;

		if (strcmp(reason, "ambiguous-request") != 0 &&
		    strcmp(reason, "no-such-object") != 0)
			reason = "grant";
		if (strstr(rows[i].query, "ph%22:%22prod") != NULL)
			reason = "phase-mismatch";
		check_build(&k, "olga@ops", rows[i].query, reason, NULL);
	}
	kit_free(&k);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("builds");
	TCase *t = tcase_create("builds");

	tcase_add_test(t, queries);
	tcase_add_test(t, out_of_sight);
	tcase_add_test(t, networks_of_builds);
	tcase_add_test(t, unrestricted);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
