/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles (semantics 5): each key (profile_rows.h), and all together. */
#include <string.h>

#include "eval_kit.h"
#include "profile_rows.h"

static struct kit
profile_kit(const char *leaf)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf yaml = PR_BUF_INIT;
	struct kit k;

	pr_buf_cstr(&yaml, "version: 1\nprofiles:\n  p:");
	if (leaf[0] == '{') { /* the whole profile */
		pr_buf_printf(&yaml, " %s\n", leaf);
	} else {
		pr_buf_char(&yaml, '\n');
		if (strstr(leaf, "images: {allow") == NULL)
			pr_buf_cstr(&yaml, "    images: {allow: [\"**\"]}\n");
		pr_buf_printf(&yaml, "    %s\n", leaf);
	}
	pr_buf_char(&yaml, '\0');
	k = kit_new(yaml.p);
	return k;
}

/* Where the body of "POST /x {...}" begins: at a brace or a bracket. */
static const char *
split(const char *row)
{
	size_t n = strcspn(row, "{[");

	return n > 0 && row[n] != '\0' && row[n - 1] == ' ' ? row + n - 1
							    : NULL;
}

static void
read_row(
    struct kit *k, const char *body, const char *objects, const char *paths)
{
	const char *rest = body + 2, *call = "POST /v1.41/containers/create";
	struct ask a = {.objects = objects, .paths = paths};

	if (strncmp(body, "POST ", 5) == 0 ||
	    strncmp(body, "DELETE ", 7) == 0) {
		const char *at = split(body);
		size_t n = at != NULL ? (size_t)(at - body) : strlen(body);

		call = pr_arena_printf(k->arena, "%.*s", (int)n, body);
		body = at != NULL ? at + 1 : NULL;
	} else if (body[0] == 'S' || body[0] == 'T') {
		call = "POST /v1.41/services/create";
		body = pr_arena_printf(k->arena,
		    body[0] == 'S'
			? "{'TaskTemplate':{'RestartPolicy':{'Condition':"
			  "'none'},'ContainerSpec':{'Image':'alpine'%s%s}}}"
			: "{'TaskTemplate':{'ContainerSpec':{'Image':"
			  "'alpine'}%s%s}}",
		    rest[0] != '\0' ? "," : "", rest);
	} else if (body[0] == 'X') {
		call = "POST /v1.41/containers/web/exec";
		body = pr_arena_printf(k->arena, "{%s}", rest);
	} else if (body[0] == 'I') {
		body = pr_arena_printf(k->arena, "{'Image':'%s'}", rest);
	} else if (body[0] == 'H') {
		body = pr_arena_printf(
		    k->arena, "{'Image':'alpine','HostConfig':{%s}}", rest);
	} else {
		body = pr_arena_printf(k->arena, "{'Image':'alpine'%s%s}",
		    rest[0] != '\0' ? "," : "", rest);
	}
	ck_assert_msg(
	    kit_spec(k, call, body) != NULL, "%s: %s", call, k->why.text);
	kit_resolve(k, &a);
}

static const struct pr_judge_env env = {.team = {"pay", 3},
    .user = {"alice", 5},
    .phase = {"dev", 3},
    .default_runtime = {"runc", 4},
    .default_log_driver = {"json-file", 9},
    .default_cgroupns = {"private", 7}};

START_TEST(key_answers)
{
	const struct row *r = &rows[_i];
	struct kit k = profile_kit(r->leaf);
	struct pr_shortfall why;
	enum pr_tri answer;

	read_row(&k, r->body, r->objects, r->paths);
	answer = pr_profile_judge(
	    &k.policy->profiles[pr_policy_profile(k.policy, PR_STR("p"))],
	    k.spec, &env, &why);
	ck_assert_msg((int)answer == r->answer, "%s | %s | %s: %d, %s",
	    pr_profile_key(r->key)->path, r->leaf, r->body, answer, why.text);
	if (answer == PR_YES) {
		kit_free(&k);
		return;
	}
	ck_assert_msg(why.key == r->key, "%s | %s: %s, %s",
	    pr_profile_key(r->key)->path, r->body,
	    pr_profile_key(why.key)->path, why.text);
	ck_assert(why.text[0] != '\0');
	if (answer == PR_NO) {
		/* one key fails: soft or hard as the table says */
		ck_assert_int_eq(why.all_soft, pr_profile_key(r->key)->soft);
		ck_assert_ptr_nonnull(strstr(why.text, " wants "));
	} else {
		ck_assert(!why.all_soft);
	}
	kit_free(&k);
}
END_TEST

static enum pr_spec_body
body_of_row(const struct row *r)
{
	struct kit k = kit_new(NULL);
	enum pr_spec_body body;

	read_row(&k, r->body, NULL, NULL);
	body = k.spec->body;
	kit_free(&k);
	return body;
}

/*
 * The column "bodies" of the table, row by row: for each body that a key is
 * asked of something satisfies it and something does not.
 */
START_TEST(every_key_has_a_yes_and_a_no_on_each_body)
{
	enum pr_profile_key key = (enum pr_profile_key)_i;
	bool yes[PR_SPEC_BODY_COUNT] = {false};
	bool no[PR_SPEC_BODY_COUNT] = {false};

	for (size_t i = 0; i < PR_COUNT(rows); i++) {
		enum pr_spec_body body;

		if (rows[i].key != key)
			continue;
		body = body_of_row(&rows[i]);
		yes[body] = yes[body] || rows[i].answer == YES;
		no[body] = no[body] || rows[i].answer == NO;
	}
	for (unsigned b = 0; b < PR_SPEC_BODY_COUNT; b++) {
		if (pr_spec_body_name((enum pr_spec_body)b) != NULL &&
		    pr_profile_key_asks(key, (enum pr_spec_body)b))
			ck_assert_msg(yes[b] && no[b], "%s on %s",
			    pr_profile_key(key)->path,
			    pr_spec_body_name((enum pr_spec_body)b));
	}
}
END_TEST

/* The table itself, written anew: path, soft, absent value. */
static const struct {
	const char *path;
	bool soft;
	const char *absent;
} table[] = {
    {"unknown_fields", false, "deny"},
    {"privileged", false, "false"},
    {"namespaces.network", false, "[private]"},
    {"namespaces.pid", false, "[private]"},
    {"namespaces.ipc", false, "[private]"},
    {"namespaces.uts", false, "[private]"},
    {"namespaces.user", false, "[default]"},
    {"namespaces.cgroup", false, "[private]"},
    {"mounts.bind", false, "[]"},
    {"mounts.protected", false, "deny"},
    {"mounts.shared_trees", false, "false"},
    {"mounts.propagation", false, "[private, rprivate]"},
    {"mounts.relabel", false, "false"},
    {"mounts.volumes", false, "own"},
    {"mounts.volume_drivers", false, "[local]"},
    {"mounts.volume_opts", false, "[]"},
    {"mounts.volumes_from", false, "none"},
    {"mounts.tmpfs", false, "true"},
    {"mounts.images", false, "[]"},
    {"capabilities.add", false, "[]"},
    {"capabilities.drop", false, ""},
    {"security.seccomp", false, "[default]"},
    {"security.apparmor", false, "[default]"},
    {"security.selinux", false, "[default]"},
    {"security.no_new_privileges", false, "any"},
    {"security.masked_paths", false, "default"},
    {"security.options", false, "[]"},
    {"devices.allow", false, "[]"},
    {"devices.requests", false, "[]"},
    {"devices.cgroup_rules", false, "[]"},
    {"kernel.sysctls", false, "[]"},
    {"kernel.runtimes", false, "[default]"},
    {"kernel.cgroup_parent", false, "[]"},
    {"kernel.oom_kill_disable", false, "false"},
    {"kernel.oom_score", false, "0..1000?"},
    {"kernel.annotations", false, "[]"},
    {"kernel.storage_opt", false, "[]"},
    {"kernel.group_add", false, "[]"},
    {"kernel.cpuset", false, "any"},
    {"kernel.realtime", false, "false"},
    {"kernel.blkio", false, "any"},
    {"net.links", false, "own"},
    {"net.extra_hosts", false, "any"},
    {"net.dns", false, "any"},
    {"net.static_ip", false, "true"},
    {"net.driver_opts", false, "[]"},
    {"net.drivers", false, "[default, bridge]"},
    {"net.options", false, "[]"},
    {"net.ipam_drivers", false, "[default]"},
    {"images.allow", false, "[]"},
    {"images.digest", true, ""},
    {"images.write", false, "[]"},
    {"images.push", false, "[]"},
    {"images.from_src", false, "[]"},
    {"exec.privileged", false, "false"},
    {"exec.user", false, "[same-as-container]"},
    {"build.network", false, "[default]"},
    {"build.remote", false, "[]"},
    {"build.secrets", false, "false"},
    {"build.opaque", false, "false"},
    {"log_opts", false,
	"[max-size, max-file, compress, mode, max-buffer-size, tag, labels, "
	"labels-regex, env, env-regex]"},
    {"log_drivers", true, "[default]"},
    {"limits.memory", true, ""},
    {"limits.swap", true, ""},
    {"limits.cpus", true, ""},
    {"limits.pids", true, ""},
    {"limits.ulimits", true, ""},
    {"limits.shm", true, ""},
    {"limits.cpu_shares", true, ""},
    {"ports.bind", true, "[]"},
    {"ports.range", true, "none"},
    {"ports.publish_all", true, "false"},
    {"ports.container", true, ""},
    {"restart", true, "[\"no\"]"},
    {"env.forbid", true, ""},
    {"require.user", true, ""},
    {"require.read_only_rootfs", true, ""},
    {"require.healthcheck", true, ""},
    {"require.labels", true, ""},
};

START_TEST(the_table_is_what_the_semantics_say)
{
	const struct pr_profile_key_info *key;

	ck_assert_uint_eq(PR_COUNT(table), PR_KEY_COUNT);
	key = pr_profile_key((enum pr_profile_key)_i);
	ck_assert_str_eq(key->path, table[_i].path);
	ck_assert_int_eq(key->soft, table[_i].soft);
	ck_assert_str_eq(key->absent, table[_i].absent);
}
END_TEST

/* ---- several keys at once (semantics 9.8) ---- */

static const struct {
	const char *leaf, *body;
	int answer;
	enum pr_profile_key key;
	bool soft;
	const char *objects;
} many[] = {
    /* the first that fails, in the table's order */
    {"", "H:'Privileged':true,'PidMode':'host'", NO, PR_KEY_PRIVILEGED, false,
	NULL},
    {"", "H:'PidMode':'host','RestartPolicy':{'Name':'always'}", NO,
	PR_KEY_NS_PID, false, NULL},
    /* a key that fails beats one that cannot be told, before it too */
    {"namespaces: {network: [own]}",
	"H:'NetworkMode':'n1','RestartPolicy':{'Name':'always'}", NO,
	PR_KEY_RESTART, false,
	"[{'kind':'network','ref':'n1','presence':'unknown'}]"},
    /* soft keys only */
    {"limits: {memory: \"..1GiB\"}", "H:'RestartPolicy':{'Name':'always'}", NO,
	PR_KEY_MEMORY, true, NULL},
    {"limits: {memory: \"..1GiB\"}",
	"H:'RestartPolicy':{'Name':'always'},'CapAdd':['CHOWN']", NO,
	PR_KEY_CAP_ADD, false, NULL},
};

START_TEST(several_keys)
{
	struct kit k = profile_kit(many[_i].leaf);
	struct pr_shortfall why;

	read_row(&k, many[_i].body, many[_i].objects, NULL);
	ck_assert_int_eq(
	    pr_profile_judge(
		&k.policy->profiles[pr_policy_profile(k.policy, PR_STR("p"))],
		k.spec, &env, &why),
	    many[_i].answer);
	ck_assert_msg(
	    why.key == many[_i].key, "%s: %s", many[_i].body, why.text);
	ck_assert_int_eq(why.all_soft, many[_i].soft);
	kit_free(&k);
}
END_TEST

/* What must be default stands before every key, and nothing softens it. */
START_TEST(must_default_comes_first)
{
	struct kit k = profile_kit("privileged: true");
	struct pr_shortfall why;

	read_row(&k, "H:'Cgroup':'container:x','Privileged':true", NULL, NULL);
	ck_assert_int_eq(
	    pr_profile_judge(
		&k.policy->profiles[pr_policy_profile(k.policy, PR_STR("p"))],
		k.spec, &env, &why),
	    PR_NO);
	ck_assert(why.must_default);
	ck_assert(!why.all_soft);
	ck_assert_ptr_nonnull(strstr(why.text, "HostConfig.Cgroup"));
	kit_free(&k);
}
END_TEST

/* A body that nobody reads satisfies no profile but the unrestricted one. */
START_TEST(an_unread_body_cannot_be_told)
{
	struct kit k = profile_kit("privileged: true");
	struct pr_shortfall why;

	ck_assert_ptr_nonnull(
	    kit_spec(&k, "POST /v1.41/containers/x/update", "{'Memory':1}"));
	ck_assert_int_eq(
	    pr_profile_judge(&k.policy->profiles[1], k.spec, &env, &why),
	    PR_CANNOT_TELL);
	ck_assert(!why.all_soft);
	ck_assert_int_eq(
	    pr_profile_judge(&k.policy->profiles[0], k.spec, &env, &why),
	    PR_YES);
	kit_free(&k);
}
END_TEST

/* ${team} and ${user} are inserted as they are, never as a pattern. */
static const struct {
	const char *team, *user, *pattern, *path;
	bool fits;
} substitutions[] = {
    {"pay", "alice", "/srv/${team}/${user}/${phase}/*", "/srv/pay/alice/dev/x",
	true},
    {"pay", "alice", "/srv/${team}", "/srv/pay", true},
    {"pay", "*", "/srv/${user}", "/srv/x", false},
    {"pay", "**", "/srv/${user}", "/srv/a/b", false},
    {"pay", "a/b", "/srv/${user}", "/srv/a/b", false},
    {"pay", "..", "/srv/x/${user}", "/srv", false},
    {"pay", ".", "/srv/${user}/a", "/srv/a", false},
    {"pay", "", "/srv/${user}/a", "/srv/a", false},
    {"", "alice", "/srv/${team}/**", "/srv", false},
    {"pay", "${team}", "/srv/${user}", "/srv/pay", false},
    {"pay", "alice@acme.com", "/home/${user}", "/home/alice@acme.com", true},
};

START_TEST(substitution)
{
	struct pr_judge_env e = env;
	struct pr_shortfall why;
	char leaf[128];
	struct kit k;

	snprintf(leaf, sizeof leaf, "mounts: {bind: [\"%s\"]}",
	    substitutions[_i].pattern);
	k = profile_kit(leaf);
	e.team = pr_str_of(substitutions[_i].team);
	e.user = pr_str_of(substitutions[_i].user);
	read_row(&k,
	    pr_arena_printf(
		k.arena, "H:'Binds':['%s:/x']", substitutions[_i].path),
	    NULL, NULL);
	ck_assert_int_eq(pr_profile_judge(&k.policy->profiles[1], k.spec, &e,
			     &why) == PR_YES,
	    substitutions[_i].fits);
	kit_free(&k);
}
END_TEST

/* An image pattern's ':' and '@' stay where the policy wrote them. */
START_TEST(a_name_is_no_tag_of_a_pattern)
{
	struct kit k =
	    profile_kit("images: {allow: [\"registry.acme.com/${user}\"]}");
	struct pr_judge_env e = env;
	struct pr_shortfall why;

	e.user = PR_STR("bob:1");
	read_row(&k, "I:registry.acme.com/bob:1", NULL, NULL);
	ck_assert_int_eq(
	    pr_profile_judge(&k.policy->profiles[1], k.spec, &e, &why), PR_NO);
	kit_free(&k);
}
END_TEST

/* ---- what even `unrestricted` does not have (semantics 5.10) ---- */

START_TEST(unrestricted_allows_all_but_protected_places)
{
	struct kit k = kit_new("version: 1\n");
	struct pr_shortfall why;

	read_row(&k,
	    "H:'Privileged':true,'Binds':['/etc:/x'],'NetworkMode':'host',"
	    "'Foo':1,'Cgroup':'x'",
	    NULL, NULL);
	ck_assert_int_eq(
	    pr_profile_judge(&k.policy->profiles[0], k.spec, &env, &why),
	    PR_YES);
	read_row(&k, "H:'Binds':['/run:/x:ro']", NULL,
	    "[{'path':'/run','protected':true}]");
	ck_assert_int_eq(
	    pr_profile_judge(&k.policy->profiles[0], k.spec, &env, &why),
	    PR_NO);
	ck_assert_int_eq(why.key, PR_KEY_PROTECTED);
	ck_assert(!why.all_soft);
	read_row(&k, "H:'Binds':['/run:/x']", NULL,
	    "[{'path':'/run','unknown':true}]");
	ck_assert_int_eq(
	    pr_profile_judge(&k.policy->profiles[0], k.spec, &env, &why),
	    PR_CANNOT_TELL);
	kit_free(&k);
}
END_TEST

/* ---- what the daemon fills in is no surprise at start (5.6) ---- */

START_TEST(a_container_made_by_an_ordinary_request_may_start)
{
	struct kit k = profile_kit("limits: {memory: \"..1GiB?\"}");
	struct pr_extract x = {k.arena, true};
	struct pr_judge_env e = env;
	struct pr_shortfall why;
	struct pr_spec *s = pr_spec_of_container(&x,
	    kit_json(&k,
		"{'Config':{'Hostname':'x','User':'','Image':'alpine','Env':["
		"'PATH=/bin'],'Cmd':['sh'],'Labels':{},'Volumes':null,"
		"'OnBuild':null},'HostConfig':{'Binds':null,'ContainerIDFile':"
		"'','LogConfig':{'Type':'json-file','Config':{}},'NetworkMode':"
		"'default','PortBindings':{},'RestartPolicy':{'Name':'no',"
		"'MaximumRetryCount':0},'AutoRemove':false,'VolumeDriver':'',"
		"'VolumesFrom':null,'ConsoleSize':[0,0],'CapAdd':null,'CapDrop'"
		":null,'CgroupnsMode':'host','Dns':[],'DnsOptions':[],"
		"'DnsSearch':[],'ExtraHosts':null,'GroupAdd':null,'IpcMode':"
		"'private','Cgroup':'','Links':null,'OomScoreAdj':0,'PidMode':"
		"'','Privileged':false,'PublishAllPorts':false,"
		"'ReadonlyRootfs':false,'SecurityOpt':null,'UTSMode':'',"
		"'UsernsMode':'','ShmSize':67108864,'Runtime':'runc',"
		"'Isolation':'','CpuShares':0,'Memory':1048576,'MemorySwap':"
		"2097152,'MemorySwappiness':null,'OomKillDisable':false,"
		"'PidsLimit':null,'Ulimits':null,'NewThing':0,'MaskedPaths':"
		"[" MASKED
		",'/sys/devices/virtual/powercap'],'ReadonlyPaths':[" READONLY
		"]},'NetworkSettings':{'Networks':{'bridge':{"
		"'IPAMConfig':null,'Links':null,'Aliases':null,'NetworkID':"
		"'cafe','MacAddress':'02:42:ac:11:00:02','DriverOpts':null}}}"
		"}"));

	ck_assert_ptr_nonnull(s);
	e.default_cgroupns = PR_STR("host");
	ck_assert_msg(
	    pr_profile_judge(&k.policy->profiles[1], s, &e, &why) == PR_YES,
	    "%s", why.text);
	e.default_cgroupns = PR_STR("private");
	ck_assert_int_eq(
	    pr_profile_judge(&k.policy->profiles[1], s, &e, &why), PR_NO);
	ck_assert_int_eq(why.key, PR_KEY_NS_CGROUP);
	ck_assert(why.stored);
	/* nobody has asked the daemon: it may have filled that in */
	e = (struct pr_judge_env){.daemon_unknown = true};
	ck_assert_int_eq(pr_profile_judge(&k.policy->profiles[1], s, &e, &why),
	    PR_CANNOT_TELL);
	kit_free(&k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("profile");
	TCase *t = tcase_create("keys"), *u = tcase_create("profiles");

	tcase_add_loop_test(t, key_answers, 0, PR_COUNT(rows));
	tcase_add_loop_test(
	    t, every_key_has_a_yes_and_a_no_on_each_body, 0, PR_KEY_COUNT);
	tcase_add_loop_test(
	    t, the_table_is_what_the_semantics_say, 0, PR_COUNT(table));
	suite_add_tcase(s, t);
	tcase_add_loop_test(u, several_keys, 0, PR_COUNT(many));
	tcase_add_loop_test(u, substitution, 0, PR_COUNT(substitutions));
	tcase_add_test(u, a_name_is_no_tag_of_a_pattern);
	tcase_add_test(u, must_default_comes_first);
	tcase_add_test(u, an_unread_body_cannot_be_told);
	tcase_add_test(u, unrestricted_allows_all_but_protected_places);
	tcase_add_test(u, a_container_made_by_an_ordinary_request_may_start);
	suite_add_tcase(s, u);
	return unit_run(s);
}
