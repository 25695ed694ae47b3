/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies and queries that are no container's: a row asks one thing, and the
 * whole way from the request's line to the decision answers it.
 */
#include "eval_kit.h"

static const char policy[] =
    "version: 1\n"
    "labels: {team: t, phase: ph}\n"
    "teams:\n"
    "  pay: {ldap: [\"cn=pay,dc=a\"]}\n"
    "  ops: {ldap: [\"cn=ops,dc=a\"]}\n"
    "hosts:\n"
    "  h: [dev]\n"
    "  two: [dev, prod]\n"
    "phases: {dev: {}, prod: {}}\n"
    "roles:\n"
    "  all: {allow: {\"*\": [\"*\"]}}\n"
    "profiles:\n"
    "  p:\n"
    "    images: {allow: [\"docker.io/library/app:*\", \"reg.io/${team}/**\", "
    "\"reg.io/one:1\"], write: [\"reg.io/${team}/**\"], push: "
    "[\"reg.io/${team}/*\"], from_src: [\"https://files.io/pub/**\"]}\n"
    "    env: {forbid: [\"*SECRET*\"]}\n"
    "    namespaces: {network: [private, own]}\n"
    "    mounts: {volume_opts: [size, \"type=tmpfs\"]}\n"
    "    net: {options: [\"icc=false\"], driver_opts: [ok], static_ip: "
    "false}\n"
    "grants:\n"
    "  - {id: pay, team: pay, role: all, phases: [dev], profile: p}\n"
    "  - {id: ops, team: ops, role: all, phases: [\"*\"], owner: any, "
    "profile: unrestricted}\n";

#define TAGGED                                                             \
	"[{'kind':'image','ref':'abcdef123456','by':'prefix','id':"        \
	"'sha256:abcdef123456','repo_tags':['reg.io/pay/a:1',"             \
	"'app:latest'],'repo_digests':['reg.io/pay/a@sha256:"              \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"']}]"
#define OWN_ONLY                                                    \
	"[{'kind':'image','ref':'abcdef123456','by':'prefix','id':" \
	"'sha256:abcdef123456','repo_tags':['reg.io/pay/a:1',"      \
	"'reg.io/pay/b:2']}]"
#define EVIL_ID                                                     \
	"[{'kind':'image','ref':'abcdef123456','by':'prefix','id':" \
	"'sha256:abcdef123456','repo_tags':['evil:1']}]"
#define DIGEST                                                    \
	"sha256:"                                                 \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaa"

struct row {
	const char *call, *body, *objects;
	const char *reason; /* of the decision; "grant": allowed */
	const char *key;    /* of a profile, or NULL */
};

static const struct row images[] = {
    /* pull: the name must be one that may be run */
    {"POST /images/create?fromImage=app&tag=1", NULL, NULL, "grant", NULL},
    {"POST /images/create?fromImage=app:1", NULL, NULL, "grant", NULL},
    {"POST /images/create?fromImage=evil&tag=1", NULL, NULL, "profile",
	"images.allow"},
    {"POST /images/create?fromImage=reg.io/pay/x&tag=1", NULL, NULL, "grant",
	NULL},
    {"POST /images/create?fromImage=reg.io/ops/x&tag=1", NULL, NULL, "profile",
	"images.allow"},
    /* the tag beside the name takes the place of the name's own */
    {"POST /images/create?fromImage=reg.io/one:1&tag=2", NULL, NULL, "profile",
	"images.allow"},
    {"POST /images/create?fromImage=reg.io/one:2&tag=1", NULL, NULL, "grant",
	NULL},
    {"POST /images/create?fromImage=reg.io/one&tag=1@" DIGEST, NULL, NULL,
	"ambiguous-request", NULL},
    /* neither tag nor digest: all tags */
    {"POST /images/create?fromImage=reg.io/one", NULL, NULL, "profile",
	"images.allow"},
    {"POST /images/create?fromImage=app", NULL, NULL, "grant", NULL},
    {"POST /images/create?fromImage=reg.io/pay/x", NULL, NULL, "grant", NULL},
    /* a digest is what counts, wherever it stands */
    {"POST /images/create?fromImage=reg.io/pay/x&tag=" DIGEST, NULL, NULL,
	"grant", NULL},
    {"POST /images/create?fromImage=reg.io/one&tag=" DIGEST, NULL, NULL,
	"profile", "images.allow"},
    {"POST /images/create?fromImage=reg.io/one@" DIGEST "&tag=1", NULL, NULL,
	"profile", "images.allow"},
    {"POST /images/create?fromImage=UPPER&tag=1", NULL, NULL,
	"ambiguous-request", NULL},
    {"POST /images/create?fromImage=app&tag=a/b", NULL, NULL,
	"ambiguous-request", NULL},
    {"POST /images/create?fromImage=app&tag=1&platform=linux/amd64", NULL, NULL,
	"grant", NULL},
    {"POST /images/create?fromImage=app&tag=1&power=1", NULL, NULL, "profile",
	"unknown_fields"},
    {"POST /images/create?fromImage=app&tag=1&fromSrc=-", NULL, NULL,
	"ambiguous-request", NULL},

    /* tag: from an allowed image to a name that may be written */
    {"POST /images/app/tag?repo=reg.io/pay/n&tag=1", NULL, NULL, "grant", NULL},
    {"POST /images/app/tag?repo=reg.io/pay/n", NULL, NULL, "grant", NULL},
    {"POST /images/evil/tag?repo=reg.io/pay/n", NULL, NULL, "profile",
	"images.allow"},
    {"POST /images/app/tag?repo=app&tag=9", NULL, NULL, "profile",
	"images.write"},
    {"POST /images/app/tag?repo=reg.io/ops/n", NULL, NULL, "profile",
	"images.write"},
    {"POST /images/app/tag?tag=9", NULL, NULL, "ambiguous-request", NULL},
    {"POST /images/app/tag?repo=reg.io/pay/n@" DIGEST, NULL, NULL,
	"ambiguous-request", NULL},
    {"POST /images/app/tag?repo=reg.io/pay/n&tag=" DIGEST, NULL, NULL,
	"ambiguous-request", NULL},
    {"POST /images/abcdef123456/tag?repo=reg.io/pay/n", NULL, TAGGED, "grant",
	NULL},
    {"POST /images/abcdef123456/tag?repo=reg.io/pay/n", NULL, EVIL_ID,
	"profile", "images.allow"},

    /* push: the name decides where to */
    {"POST /images/reg.io/pay/a/push?tag=1", NULL, NULL, "grant", NULL},
    {"POST /images/reg.io/pay/a/push", NULL, NULL, "grant", NULL},
    {"POST /images/app/push?tag=1", NULL, NULL, "profile", "images.push"},
    {"POST /images/reg.io/pay/a/b/push?tag=1", NULL, NULL, "profile",
	"images.push"},
    {"POST /images/reg.io/pay/a/push?tag=1", "{'auth':'','email':''}", NULL,
	"grant", NULL},
    {"POST /images/reg.io/pay/a/push?tag=1", "{'power':1}", NULL, "profile",
	"unknown_fields"},
    {"POST /images/reg.io/pay/a/push?tag=1", "{'auth':'','Auth':''}", NULL,
	"ambiguous-request", NULL},

    /* remove: by name that name; by id every name that it has */
    {"DELETE /images/reg.io/pay/a:1", NULL, NULL, "grant", NULL},
    {"DELETE /images/app:1", NULL, NULL, "profile", "images.write"},
    {"DELETE /images/abcdef123456", NULL, OWN_ONLY, "grant", NULL},
    {"DELETE /images/abcdef123456", NULL, TAGGED, "profile", "images.write"},
    {"DELETE /images/abcdef123456?force=1&noprune=0", NULL, OWN_ONLY, "grant",
	NULL},
    {"DELETE /images/abcdef123456", NULL,
	"[{'kind':'image','ref':'abcdef123456','by':'prefix','id':'sha256:"
	"abcdef123456','repo_digests':['evil@" DIGEST "']}]",
	"profile", "images.write"},
    {"DELETE /images/abcdef123456", NULL,
	"[{'kind':'image','ref':'abcdef123456','presence':'unknown'}]",
	"cannot-tell", "images.write"},
    {"DELETE /images/abcdef123456", NULL,
	"[{'kind':'image','ref':'abcdef123456','by':'name','ambiguous':true,"
	"'repo_tags':['abcdef123456:latest']}]",
	"profile", "images.write"},
    {"DELETE /images/" DIGEST, NULL, NULL, "profile", "images.write"},

    /* import: where from, and under which name */
    {"POST /images/create?fromSrc=-&repo=reg.io/pay/i&tag=1", NULL, NULL,
	"grant", NULL},
    {"POST /images/create?fromSrc=-", NULL, NULL, "grant", NULL},
    {"POST /images/create?fromSrc=-&repo=app", NULL, NULL, "profile",
	"images.write"},
    {"POST /images/create?fromSrc=https://files.io/pub/x.tar", NULL, NULL,
	"grant", NULL},
    {"POST /images/create?fromSrc=http://files.io/pub/x.tar", NULL, NULL,
	"profile", "images.from_src"},
    {"POST /images/create?fromSrc=files.io/pub/x.tar", NULL, NULL, "profile",
	"images.from_src"},
    {"POST /images/create?fromSrc=https://files.io/pub/../x.tar", NULL, NULL,
	"profile", "images.from_src"},
    {"POST /images/create?fromSrc=https://files.io/pub/%252e%252e/x", NULL,
	NULL, "profile", "images.from_src"},
    {"POST /images/create?fromSrc=https://files.io@evil/pub/x", NULL, NULL,
	"profile", "images.from_src"},
    {"POST /images/create", NULL, NULL, "ambiguous-request", NULL},
    {"POST /images/create?fromSrc=-&changes=CMD+x&changes=LABEL+a%3Db", NULL,
	NULL, "grant", NULL},
    {"POST /images/create?fromSrc=-&changes=ENV+A_SECRET%3Db", NULL, NULL,
	"profile", "env.forbid"},
    {"POST /images/create?fromSrc=-&changes=env+A_SECRET+b+c", NULL, NULL,
	"profile", "env.forbid"},
    {"POST /images/create?fromSrc=-&changes=LABEL+t%3Dpay+ph%3Ddev", NULL, NULL,
	"grant", NULL},
    {"POST /images/create?fromSrc=-&changes=LABEL+t%3Dops", NULL, NULL, "owner",
	NULL},
    {"POST /images/create?fromSrc=-&changes=label+%22t%22%3D'ops'", NULL, NULL,
	"owner", NULL},
    {"POST /images/create?fromSrc=-&changes=label+t+ops", NULL, NULL, "owner",
	NULL},
    {"POST /images/create?fromSrc=-&changes=LABEL+t%3Dpay+t%3Dops", NULL, NULL,
	"owner", NULL},
    {"POST /images/create?fromSrc=-&changes=LABEL+ph%3Dprod", NULL, NULL,
	"phase-mismatch", NULL},
    /* what is read otherwise by the daemon is not guessed */
    {"POST "
     "/images/create?fromSrc=-&changes=LABEL+x%3Dy%5C&changes=USER+t%3Dops",
	NULL, NULL, "cannot-tell", NULL},
    {"POST /images/create?fromSrc=-&changes=CMD+x%0ALABEL+t%3Dops", NULL, NULL,
	"cannot-tell", NULL},
    {"POST /images/create?fromSrc=-&changes=LABEL+$T%3Dops", NULL, NULL,
	"cannot-tell", NULL},
    {"POST /images/create?fromSrc=-&changes=LABEL+%5Ct%3Dops", NULL, NULL,
	"cannot-tell", NULL},
    {"POST /images/create?fromSrc=-&changes=LABEL+%22t%3Dops", NULL, NULL,
	"cannot-tell", NULL},
    {"POST /images/create?fromSrc=-&changes=RUN+x", NULL, NULL, "cannot-tell",
	NULL},
    {"POST /images/create?fromSrc=-&changes=%23+escape%3D%60", NULL, NULL,
	"cannot-tell", NULL},

    /* load: the names lie in the tar */
    {"POST /images/load?quiet=1", NULL, NULL, "profile", "images.write"},
};

#define NETWORKS                                                            \
	"[{'kind':'network','ref':'pn','team':'pay','phase':'dev'},"        \
	"{'kind':'network','ref':'on','team':'ops','phase':'dev'},"         \
	"{'kind':'network','ref':'hostid','by':'id','builtin':true,"        \
	"'name':'host'},"                                                   \
	"{'kind':'network','ref':'bridge','builtin':true,'name':'bridge'}," \
	"{'kind':'network','ref':'host','builtin':true,'name':'host'},"     \
	"{'kind':'network','ref':'none','builtin':true,'name':'none'},"     \
	"{'ref':'pc','team':'pay','phase':'dev'},"                          \
	"{'ref':'oc','team':'ops','phase':'dev'}]"

static const struct row volumes[] = {
    {"POST /volumes/create", "{'Name':'v1'}", NULL, "grant", NULL},
    {"POST /volumes/create",
	"{'Name':'v1','Driver':'local','DriverOpts':null,"
	"'Labels':{'a':'b'},'ClusterVolumeSpec':null}",
	NULL, "grant", NULL},
    {"POST /volumes/create", "{}", NULL, "grant", NULL},
    {"POST /volumes/create",
	"{'Name':'v1','DriverOpts':{'size':'1m',"
	"'type':'tmpfs'}}",
	NULL, "grant", NULL},
    {"POST /volumes/create",
	"{'Name':'v1','DriverOpts':{'type':'none','o':"
	"'bind','device':'/etc'}}",
	NULL, "profile", "mounts.volume_opts"},
    {"POST /volumes/create", "{'DriverOpts':{'device':'/etc'}}", NULL,
	"profile", "mounts.volume_opts"},
    {"POST /volumes/create", "{'Name':'v1','Driver':'evil'}", NULL, "profile",
	"mounts.volume_drivers"},
    {"POST /volumes/create", "{'Name':'v1','ClusterVolumeSpec':{'Group':'x'}}",
	NULL, "must-default", NULL},
    {"POST /volumes/create", "{'Name':'v1','Power':1}", NULL, "profile",
	"unknown_fields"},
    {"POST /volumes/create?name=v2", "{'Name':'v1'}", NULL, "profile",
	"unknown_fields"},
    {"POST /volumes/create", "{'Name':'v1','name':'v2'}", NULL,
	"ambiguous-request", NULL},
    {"POST /volumes/create", "{'Name':'/etc'}", NULL, "ambiguous-request",
	NULL},
    {"POST /volumes/create", "{'Name':'a/b'}", NULL, "ambiguous-request", NULL},
    {"POST /volumes/create", NULL, NULL, "body-not-visible", NULL},
    {"POST /volumes/create", "{'Name':'v1','Labels':{'t':'ops'}}", NULL,
	"owner", NULL},
    {"POST /volumes/create", "{'Name':'v1','Labels':{'ph':'prod'}}", NULL,
	"phase-not-served", NULL},
    /* one that exists is answered as if it had been made */
    {"POST /volumes/create", "{'Name':'v1'}",
	"[{'kind':'volume','ref':'v1','team':'pay','phase':'dev',"
	"'driver':'local'}]",
	"grant", NULL},
    {"POST /volumes/create", "{'Name':'v1'}",
	"[{'kind':'volume','ref':'v1','team':'ops','phase':'dev',"
	"'driver':'local'}]",
	"owner", NULL},
    {"POST /volumes/create", "{'Name':'v1'}",
	"[{'kind':'volume','ref':'v1','driver':'local'}]", "owner", NULL},
    {"POST /volumes/create", "{'Name':'v1'}",
	"[{'kind':'volume','ref':'v1','team':'pay','phase':'dev',"
	"'driver':'local','options':{'device':'/etc'}}]",
	"profile", "mounts.volume_opts"},
    {"POST /volumes/create", "{'Name':'v1'}",
	"[{'kind':'volume','ref':'v1','presence':'unknown'}]", "cannot-tell",
	NULL},
};

static const struct row networks[] = {
    {"POST /networks/create", "{'Name':'n1'}", NULL, "grant", NULL},
    {"POST /networks/create",
	"{'Driver':'bridge','Scope':'','IPAM':{'Driver':'default','Options':{},"
	"'Config':[{'Subnet':'10.9.0.0/24'}]},'Internal':true,'Attachable':"
	"false,'Ingress':false,'ConfigOnly':false,'ConfigFrom':null,"
	"'Options':{},'Labels':{},'Name':'n1','CheckDuplicate':true}",
	NULL, "grant", NULL},
    {"POST /networks/create",
	"{'Name':'n1','Driver':'macvlan','Options':"
	"{'parent':'eth0'}}",
	NULL, "profile", "net.drivers"},
    {"POST /networks/create",
	"{'Name':'n1','Options':{'com.docker.network."
	"bridge.name':'docker0'}}",
	NULL, "profile", "net.options"},
    {"POST /networks/create", "{'Name':'n1','Options':{'icc':'false'}}", NULL,
	"grant", NULL},
    {"POST /networks/create", "{'Name':'n1','Options':{'icc':'true'}}", NULL,
	"profile", "net.options"},
    {"POST /networks/create", "{'Name':'n1','IPAM':{'Driver':'x'}}", NULL,
	"profile", "net.ipam_drivers"},
    {"POST /networks/create", "{'Name':'n1','IPAM':{'Options':{'x':'y'}}}",
	NULL, "profile", "net.options"},
    {"POST /networks/create", "{'Name':'n1','IPAM':{'Power':1}}", NULL,
	"profile", "unknown_fields"},
    {"POST /networks/create", "{'Name':'n1','Ingress':true}", NULL,
	"must-default", NULL},
    {"POST /networks/create", "{'Name':'n1','Attachable':true}", NULL, "grant",
	NULL},
    {"POST /networks/create",
	"{'Name':'n1','Driver':'bridge','Attachable':true}", NULL, "grant",
	NULL},
    {"POST /networks/create",
	"{'Name':'n1','Driver':'overlay','Attachable':true}", NULL,
	"must-default", NULL},
    {"POST /networks/create", "{'Name':'n1','Scope':'swarm'}", NULL,
	"must-default", NULL},
    {"POST /networks/create", "{'Name':'n1','ConfigOnly':true}", NULL,
	"must-default", NULL},
    {"POST /networks/create", "{'Name':'n1','ConfigFrom':{'Network':'x'}}",
	NULL, "must-default", NULL},
    {"POST /networks/create", "{'Name':'n1','configfrom':{'network':'x'}}",
	NULL, "must-default", NULL},
    {"POST /networks/create", "{'Name':'abcdefabcdef'}", NULL,
	"ambiguous-request", NULL},
    {"POST /networks/create", "{}", NULL, "ambiguous-request", NULL},
    {"POST /networks/create", "{'Name':'n1','Labels':{'t':'ops'}}", NULL,
	"owner", NULL},

    {"POST /networks/pn/connect", "{'Container':'pc'}", NETWORKS, "grant",
	NULL},
    {"POST /networks/pn/connect",
	"{'Container':'pc','EndpointConfig':{'IPAMConfig':{},'Links':null,"
	"'Aliases':['a'],'MacAddress':'','DriverOpts':{},'GwPriority':0}}",
	NETWORKS, "grant", NULL},
    {"POST /networks/on/connect", "{'Container':'pc'}", NETWORKS, "owner",
	NULL},
    {"POST /networks/pn/connect", "{'Container':'oc'}", NETWORKS, "owner",
	NULL},
    {"POST /networks/nn/connect", "{'Container':'pc'}", NETWORKS,
	"no-such-object", NULL},
    {"POST /networks/pn/connect", "{'Container':'nc'}", NETWORKS,
	"no-such-object", NULL},
    {"POST /networks/pn/connect", "{}", NETWORKS, "ambiguous-request", NULL},
    {"POST /networks/bridge/connect", "{'Container':'pc'}", NETWORKS, "grant",
	NULL},
    {"POST /networks/bridge/connect", "{'Container':'oc'}", NETWORKS, "owner",
	NULL},
    {"POST /networks/host/connect", "{'Container':'pc'}", NETWORKS, "profile",
	"namespaces.network"},
    {"POST /networks/none/connect", "{'Container':'pc'}", NETWORKS, "profile",
	"namespaces.network"},
    {"POST /networks/hostid/connect", "{'Container':'pc'}", NETWORKS, "profile",
	"namespaces.network"},
    {"POST /networks/pn/connect",
	"{'Container':'pc','EndpointConfig':{'NetworkID':'hostid'}}", NETWORKS,
	"profile", "namespaces.network"},
    {"POST /networks/pn/connect",
	"{'Container':'pc','EndpointConfig':{'Links':['oc:x']}}", NETWORKS,
	"owner", NULL},
    {"POST /networks/pn/connect",
	"{'Container':'pc','EndpointConfig':{'DriverOpts':{'x':'y'}}}",
	NETWORKS, "profile", "net.driver_opts"},
    {"POST /networks/pn/connect",
	"{'Container':'pc','EndpointConfig':{'IPAMConfig':{'IPv4Address':"
	"'10.0.0.9'}}}",
	NETWORKS, "profile", "net.static_ip"},
    {"POST /networks/pn/connect", "{'Container':'pc','Power':1}", NETWORKS,
	"profile", "unknown_fields"},
};

static void
check_row(struct kit *k, const struct row *r, const char *as,
    const char *reason, const char *key)
{
	struct ask a = {.as = as,
	    .call = r->call,
	    .body = r->body,
	    .objects = r->objects,
	    .plugin = true};
	struct pr_decision d;
	const char *got;

	kit_decide(k, &a, &d);
	got = d.key >= 0 ? pr_profile_key((enum pr_profile_key)d.key)->path
			 : NULL;
	ck_assert_msg(strcmp(pr_reason_code(d.reason), reason) == 0,
	    "%s %s: %s, not %s (%s)", r->call, r->body != NULL ? r->body : "",
	    pr_reason_code(d.reason), reason, d.what);
	ck_assert_int_eq(d.verdict == PR_ALLOW, strcmp(reason, "grant") == 0);
	if (key != NULL)
		ck_assert_msg(got != NULL && strcmp(got, key) == 0,
		    "%s: key %s, not %s (%s)", r->call,
		    got != NULL ? got : "none", key, d.what);
}

static void
check_rows(const struct row *rows, size_t n)
{
	struct kit k = kit_new(policy);

	for (size_t i = 0; i < n; i++)
		check_row(&k, &rows[i], NULL, rows[i].reason, rows[i].key);
	kit_free(&k);
}

START_TEST(names_of_images)
{
	check_rows(images, PR_COUNT(images));
}
END_TEST

START_TEST(volumes_that_are_made)
{
	check_rows(volumes, PR_COUNT(volumes));
}
END_TEST

START_TEST(networks_made_and_connected)
{
	check_rows(networks, PR_COUNT(networks));
}
END_TEST

/* What cannot be judged is for the unrestricted alone. */
START_TEST(unrestricted_may_all)
{
	struct kit k = kit_new(policy);

	for (size_t i = 0; i < PR_COUNT(images); i++) {
		const char *reason = images[i].reason;
		bool bad = strcmp(reason, "ambiguous-request") == 0;

		/* names of another phase are nobody's business there */
		if (strcmp(reason, "phase-mismatch") == 0)
			continue;
		check_row(
		    &k, &images[i], "root@ops", bad ? reason : "grant", NULL);
	}
	kit_free(&k);
}
END_TEST

START_TEST(load_with_all_names)
{
	char yaml[sizeof policy];
	struct kit k;
	char *at;

	memcpy(yaml, policy, sizeof yaml);
	at = strstr(yaml, "write: [\"reg.io/${team}/**\"]");
	ck_assert_ptr_nonnull(at);
	memcpy(at, "write:              [\"**\"]  ", 28);
	k = kit_new(yaml);
	check_row(&k, &(struct row){.call = "POST /images/load?quiet=1"}, NULL,
	    "grant", NULL);
	kit_free(&k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("bodies");
	TCase *t = tcase_create("bodies");

	tcase_add_test(t, names_of_images);
	tcase_add_test(t, volumes_that_are_made);
	tcase_add_test(t, networks_made_and_connected);
	tcase_add_test(t, unrestricted_may_all);
	tcase_add_test(t, load_with_all_names);
	suite_add_tcase(s, t);
	return unit_run(s);
}
