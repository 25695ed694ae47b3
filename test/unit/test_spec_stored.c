/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Specs that are more than a body: what is stored, what VolumesFrom brings,
 * an update beside what it changes.
 */
#include "spec_words.h"

/* ---- stored specs ---- */

static const struct {
	const char *inspect;
	bool read;
	const char *says;
} stored[] = {
    {"{'Config':{'Image':'a'},'HostConfig':{}}", true, ""},
    {"{'Config':{'Image':'a','User':'u'},'HostConfig':{'Privileged':true}}",
	true, "user=u privileged"},
    {"{'Config':{'Image':'a'},'HostConfig':{'New':0}}", true, ""},
    {"{'Config':{'Image':'a'},'HostConfig':{'New':1}}", true,
	"unknown:HostConfig.New"},
    {"{'Config':{'Image':'a'},'HostConfig':{'Cgroup':'x'}}", true,
	"default:HostConfig.Cgroup"},
    {"{'Config':{'Image':'a'},'HostConfig':{},'NetworkSettings':{'Networks':"
     "{'host':{'NetworkID':'x','MacAddress':'m'}}}}",
	true, "endpoint=host"},
    {"{'Config':{'Image':'a'},'HostConfig':{},'NetworkSettings':{'Networks':"
     "{'back':{'DriverOpts':{'k':'v'}}}}}",
	true, "endpoint=named:back epopt[k]=v <network network back>"},
    {"{}", false, NULL},
    {"[]", false, NULL},
    {"{'Config':{'Image':'a'}}", false, NULL},
    {"{'HostConfig':{}}", false, NULL},
    {"{'Config':{},'HostConfig':{}}", false, NULL},
    {"{'Config':null,'HostConfig':{}}", false, NULL},
    {"{'Config':{'Image':'a'},'HostConfig':{'Privileged':'no'}}", false, NULL},
    {"{'Config':{'Image':'a'},'HostConfig':{'Binds':['x']}}", false, NULL},
};

START_TEST(stored_spec)
{
	struct kit k = kit_new(NULL);
	struct pr_extract x = {k.arena, true};
	struct pr_spec *s =
	    pr_spec_of_container(&x, kit_json(&k, stored[_i].inspect));

	ck_assert_msg((s != NULL) == stored[_i].read, "%s", stored[_i].inspect);
	if (s != NULL) {
		ck_assert(s->stored);
		ck_assert_int_eq(s->body, PR_SPEC_CONTAINER);
		ck_assert_str_eq(words(&k, s), stored[_i].says);
	}
	kit_free(&k);
}
END_TEST

START_TEST(no_answer_is_no_stored_spec)
{
	struct kit k = kit_new(NULL);
	struct pr_extract x = {k.arena, true};
	struct pr_spec *s =
	    kit_spec(&k, CREATE, "{'Image':'a','HostConfig':{}}");

	ck_assert_ptr_null(pr_spec_of_container(&x, NULL));
	ck_assert_int_lt(pr_spec_add_volumes_from(&x, s, NULL), 0);
	kit_free(&k);
}
END_TEST

/* ---- VolumesFrom brings the source's mounts ---- */

static const struct {
	const char *inspect;
	bool read;
	const char *says;
} sources[] = {
    {"{'Mounts':[]}", true, ""},
    /* not said is not nothing */
    {"{}", false, NULL},
    {"{'Mounts':null}", false, NULL},
    {"{'Mounts':[{'Type':'bind','Source':'/etc','RW':true}]}", true,
	"bind(/etc)"},
    {"{'Mounts':[{'Type':'bind','Source':'/etc','RW':false,'Propagation':"
     "'rprivate'}]}",
	true, "bind(/etc ro)"},
    {"{'Mounts':[{'Type':'bind','Source':'/etc'}]}", true, "bind(/etc ro)"},
    {"{'Mounts':[{'Type':'volume','Name':'data','RW':true}]}", true,
	"volume(data) <volume volume data>"},
    {"{'Mounts':[{'Type':'tmpfs'}]}", true, "tmpfs( ro)"},
    {"{'Mounts':[{'Type':'image'}]}", true, "other( ro type=image)"},
    {"{'Mounts':[{'Type':'bind'}]}", false, NULL},
    {"{'Mounts':[{'Type':'bind','Source':'rel'}]}", false, NULL},
    {"{'Mounts':[{'Type':'volume','Name':'/etc'}]}", false, NULL},
    {"{'Mounts':{}}", false, NULL},
    {"{'Mounts':['x']}", false, NULL},
    {"[]", false, NULL},
};

START_TEST(volumes_from_source)
{
	struct kit k = kit_new(NULL);
	struct pr_extract x = {k.arena, true};
	struct pr_spec *s =
	    kit_spec(&k, CREATE, "{'Image':'a','HostConfig':{}}");
	int rc =
	    pr_spec_add_volumes_from(&x, s, kit_json(&k, sources[_i].inspect));

	ck_assert_msg((rc == 0) == sources[_i].read, "%s", sources[_i].inspect);
	if (rc == 0)
		ck_assert_str_eq(words(&k, s), sources[_i].says);
	kit_free(&k);
}
END_TEST

/* ---- an update beside what is stored ---- */

static const struct {
	const char *host; /* HostConfig of the inspect answer */
	const char *body, *says;
} updates[] = {
    {"{}", "{}", ""},
    {"{}", "{'Memory':5,'CpusetCpus':'0','PidsLimit':7}",
	"cpuset=0 memory=5 pids=7"},
    /* zero, null and the empty string are what is stored */
    {"{'Memory':5,'CpusetCpus':'0','NanoCpus':3,'BlkioWeight':9}",
	"{'Memory':0,'CpusetCpus':'','NanoCpus':0,'BlkioWeight':null}",
	"cpuset=0 weight memory=5 cpus=3"},
    /* pointers count as they stand, null does not */
    {"{'PidsLimit':100,'OomKillDisable':true}", "{'PidsLimit':0}", "oomkill"},
    {"{'PidsLimit':100}", "{'PidsLimit':-1}", "pids=-1"},
    {"{'PidsLimit':100}", "{'PidsLimit':null}", "pids=100"},
    {"{'PidsLimit':100}", "{'pidslimit':-1}", "pids=-1"},
    {"{'OomKillDisable':true}", "{'OomKillDisable':false}", ""},
    {"{'OomKillDisable':null}", "{'OomKillDisable':true}", "oomkill"},
    /* processors: raw quota and period */
    {"{'CpuQuota':50000}", "{'CpuPeriod':1000}", "cpus=50000000000"},
    {"{'CpuQuota':50000,'CpuPeriod':100000}", "{'CpuQuota':900000}",
	"cpus=9000000000"},
    {"{'CpuPeriod':1000}", "{'CpuQuota':50000}", "cpus=50000000000"},
    {"{'CpuQuota':50000}", "{'CpuQuota':-1}", ""},
    {"{'NanoCpus':1000000000}", "{'CpuQuota':-1}", ""},
    {"{'NanoCpus':1000000000,'CpuQuota':-1}", "{'CpuQuota':0}", ""},
    {"{'Memory':5,'MemorySwap':5}", "{'MemorySwap':-1}", "memory=5 swap=-1"},
    {"{'Memory':5,'MemorySwap':10}", "{'Memory':7}", "memory=7 swap=10"},
    /* a restart policy is taken whole, if it has a name */
    {"{'RestartPolicy':{'Name':'on-failure','MaximumRetryCount':3}}",
	"{'RestartPolicy':{'MaximumRetryCount':9}}",
	"restart=on-failure max=3"},
    {"{'RestartPolicy':{'Name':'on-failure','MaximumRetryCount':3}}",
	"{'RestartPolicy':{'Name':'on-failure'}}", "restart=on-failure"},
    {"{'RestartPolicy':{'Name':'','MaximumRetryCount':0}}",
	"{'restartpolicy':{'name':'always'}}", "restart=always"},
    /* what an engine may apply one day */
    {"{'CgroupParent':'/a','Devices':[{'PathOnHost':'/dev/a'}]}",
	"{'CgroupParent':'/b','DeviceCgroupRules':['a *:* rwm']}",
	"device=/dev/a rule=a *:* rwm parent=/b"},
    {"{'Devices':[{'PathOnHost':'/dev/a'}]}",
	"{'Devices':[{'PathOnHost':'/dev/b'}]}", "device=/dev/b"},
    {"{'Ulimits':[{'Name':'nofile','Soft':1,'Hard':2}]}", "{'Ulimits':null}",
	"ulimit(nofile 1 2)"},
    /* the rest of the container is not what an update is about */
    {"{'Privileged':true,'Binds':['/:/x'],'Memory':5}", "{'Memory':6}",
	"memory=6"},
};

START_TEST(update_beside_what_is_stored)
{
	struct kit k = kit_new(NULL);
	struct pr_extract x = {k.arena, true};
	struct pr_spec *s =
	    kit_spec(&k, "POST /v1.41/containers/x/update", updates[_i].body);
	const char *inspect =
	    pr_arena_printf(k.arena, "{'HostConfig':%s}", updates[_i].host);

	ck_assert_msg(s != NULL, "%s: %s", updates[_i].body, k.why.text);
	ck_assert(!s->updated);
	ck_assert_int_eq(pr_spec_update(&x, s, kit_json(&k, inspect)), 0);
	ck_assert(s->updated);
	ck_assert_msg(strcmp(words(&k, s), updates[_i].says) == 0,
	    "%s on %s\n     is %s\n wanted %s", updates[_i].body,
	    updates[_i].host, words(&k, s), updates[_i].says);
	kit_free(&k);
}
END_TEST

START_TEST(update_beside_nothing)
{
	static const char *const odd[] = {
	    "[]", "{}", "{'HostConfig':null}", "{'HostConfig':{'Memory':'5'}}"};
	struct kit k = kit_new(NULL);
	struct pr_extract x = {k.arena, true};

	for (size_t i = 0; i < PR_COUNT(odd); i++) {
		struct pr_spec *s =
		    kit_spec(&k, "POST /containers/x/update", "{'Memory':5}");

		ck_assert_msg(pr_spec_update(&x, s, kit_json(&k, odd[i])) < 0,
		    "%s", odd[i]);
		ck_assert(!s->updated);
		/* no container at all: what the body says is all there is */
		ck_assert_int_eq(pr_spec_update(&x, s, NULL), 0);
		ck_assert_int_eq(s->memory, 5);
	}
	kit_free(&k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("spec_stored");
	TCase *t = tcase_create("spec_stored");

	tcase_add_loop_test(t, stored_spec, 0, PR_COUNT(stored));
	tcase_add_loop_test(t, volumes_from_source, 0, PR_COUNT(sources));
	tcase_add_loop_test(
	    t, update_beside_what_is_stored, 0, PR_COUNT(updates));
	tcase_add_test(t, update_beside_nothing);
	tcase_add_test(t, no_answer_is_no_stored_spec);
	suite_add_tcase(s, t);
	return unit_run(s);
}
