/* SPDX-License-Identifier: Apache-2.0 */
/* docker commands as the requests that the docker CLI sends. */
#include <string.h>

#include <portreeve/command.h>

#include "eval_kit.h"

/* says: "METHOD TARGET [BODY]", ' for " */
static const struct {
	const char *line, *says;
} read[] = {
    {"docker ps", "GET /v1.41/containers/json"},
    {"docker container ls", "GET /v1.41/containers/json"},
    {"docker container stop web", "POST /v1.41/containers/web/stop"},
    {"docker stop web", "POST /v1.41/containers/web/stop"},
    {"docker stop --time=5 web", "POST /v1.41/containers/web/stop"},
    {"docker rm -f web", "DELETE /v1.41/containers/web"},
    {"docker rename web api", "POST /v1.41/containers/web/rename?name=api"},
    {"docker start 'a b'", "POST /v1.41/containers/a%20b/start"},
    {"docker logs web", "GET /v1.41/containers/web/logs?stdout=1&stderr=1"},
    {"docker pull alpine:3", "POST /v1.41/images/create?fromImage=alpine:3"},
    {"docker pull acme/x", "POST /v1.41/images/create?fromImage=acme%2Fx"},
    {"docker push acme/x", "POST /v1.41/images/acme/x/push"},
    {"docker tag a b/c", "POST /v1.41/images/a/tag?repo=b%2Fc"},
    {"docker volume rm data", "DELETE /v1.41/volumes/data"},
    {"docker network inspect back", "GET /v1.41/networks/back"},
    {"docker system df", "GET /v1.41/system/df"},
    {"docker exec web sh -c 'ls -l'",
	"POST /v1.41/containers/web/exec {'Privileged':false,'User':'','Cmd':["
	"'sh','-c','ls -l']}"},
    {"docker exec --privileged -it -u root web sh",
	"POST /v1.41/containers/web/exec {'Privileged':true,'User':'root',"
	"'Cmd':['sh']}"},
    {"docker exec --user=app web sh",
	"POST /v1.41/containers/web/exec {'Privileged':false,'User':'app',"
	"'Cmd':['sh']}"},
};

static const char *
words(struct kit *k, const struct pr_call *call)
{
	char *out = pr_arena_printf(k->arena, "%.*s %.*s%s%.*s",
	    PR_STRF(call->method), PR_STRF(call->target),
	    call->body_shown ? " " : "", PR_STRF(call->body));

	for (char *c = out; *c != '\0'; c++) {
		if (*c == '"')
			*c = '\'';
	}
	return out;
}

START_TEST(command)
{
	struct kit k = kit_new(NULL);
	struct pr_call call;
	const char *why = NULL;

	ck_assert_msg(pr_docker_command(
			  k.arena, pr_str_of(read[_i].line), &call, &why) == 0,
	    "%s: %s", read[_i].line, why);
	ck_assert_msg(strcmp(words(&k, &call), read[_i].says) == 0,
	    "%s\n     is %s\n wanted %s", read[_i].line, words(&k, &call),
	    read[_i].says);
	kit_free(&k);
}
END_TEST

/* docker run: what stands in HostConfig, or beside it after "C:". */
static const struct {
	const char *flags, *says;
} flags[] = {
    {"", ""},
    {"--privileged", "'Privileged':true"},
    {"--privileged=false", "'Privileged':false"},
    {"--privileged=true", "'Privileged':true"},
    {"-d -it --rm", "'AutoRemove':true"},
    {"--cap-add SYS_ADMIN --cap-add=NET_RAW",
	"'CapAdd':['SYS_ADMIN','NET_RAW']"},
    {"--cap-drop ALL", "'CapDrop':['ALL']"},
    {"--security-opt seccomp=unconfined",
	"'SecurityOpt':['seccomp=unconfined']"},
    {"-v /etc:/x:ro", "'Binds':['/etc:/x:ro']"},
    {"-v data:/x -v/a:/b", "'Binds':['data:/x','/a:/b']"},
    {"-v /x", "C:'Volumes':{'/x':{}}"},
    {"--mount type=bind,src=/etc,dst=/x,ro",
	"'Mounts':[{'Type':'bind','Source':'/etc','Target':'/x','ReadOnly':"
	"true}]"},
    {"--mount type=bind,source=/a,target=/b,bind-propagation=rshared",
	"'Mounts':[{'Type':'bind','Source':'/a','Target':'/b','BindOptions':{"
	"'Propagation':'rshared'}}]"},
    {"--tmpfs /t:exec", "'Tmpfs':{'/t':'exec'}"},
    {"--tmpfs /t", "'Tmpfs':{'/t':''}"},
    {"--volumes-from web", "'VolumesFrom':['web']"},
    {"--net host", "'NetworkMode':'host'"},
    {"--network=back", "'NetworkMode':'back'"},
    {"--pid host --ipc=host --uts host --userns host --cgroupns host",
	"'PidMode':'host','IpcMode':'host','UTSMode':'host','UsernsMode':"
	"'host','CgroupnsMode':'host'"},
    {"--device /dev/fuse",
	"'Devices':[{'PathOnHost':'/dev/fuse','PathInContainer':'/dev/fuse',"
	"'CgroupPermissions':'rwm'}]"},
    {"--device /dev/a:/dev/b:r",
	"'Devices':[{'PathOnHost':'/dev/a','PathInContainer':'/dev/b',"
	"'CgroupPermissions':'r'}]"},
    {"--gpus all", "'DeviceRequests':[{'Count':-1,'Capabilities':[['gpu']]}]"},
    {"-m 1g", "'Memory':1073741824"},
    {"--memory=512m --memory-swap 1G",
	"'Memory':536870912,'MemorySwap':1073741824"},
    {"--memory-swap -1", "'MemorySwap':-1"},
    {"--cpus 1.5", "'NanoCpus':1500000000"},
    {"--pids-limit 100", "'PidsLimit':100"},
    {"--ulimit nofile=10:20",
	"'Ulimits':[{'Name':'nofile','Soft':10,'Hard':20}]"},
    {"--ulimit nofile=10", "'Ulimits':[{'Name':'nofile','Soft':10,'Hard':10}]"},
    {"-p 80:8080",
	"'PortBindings':{'8080/tcp':[{'HostIp':'','HostPort':'80'}]"
	"}"},
    {"-p127.0.0.1:80:8080/udp",
	"'PortBindings':{'8080/udp':[{'HostIp':'127.0.0.1','HostPort':'80'}]}"},
    {"-p 80", "'PortBindings':{'80/tcp':[{'HostIp':'','HostPort':''}]}"},
    {"-p [::1]:80:8080",
	"'PortBindings':{'8080/tcp':[{'HostIp':'::1','HostPort':'80'}]}"},
    {"-P", "'PublishAllPorts':true"},
    {"--restart on-failure:3",
	"'RestartPolicy':{'Name':'on-failure','MaximumRetryCount':3}"},
    {"--restart always",
	"'RestartPolicy':{'Name':'always','MaximumRetryCount':0}"},
    {"--log-driver syslog --log-opt a=b",
	"'LogConfig':{'Type':'syslog','Config':{'a':'b'}}"},
    {"--sysctl a=b --annotation c=d",
	"'Sysctls':{'a':'b'},'Annotations':{'c':'d'}"},
    {"--read-only", "'ReadonlyRootfs':true"},
    {"-u root", "C:'User':'root'"},
    {"-eA=b --env 'C=d e'", "C:'Env':['A=b','C=d e']"},
    {"-l a=b --label c", "C:'Labels':{'a':'b','c':''}"},
    {"-w /w -h box", "C:'WorkingDir':'/w','Hostname':'box'"},
    {"--health-cmd 'curl x'",
	"C:'Healthcheck':{'Test':['CMD-SHELL','curl x']}"},
    {"--no-healthcheck", "C:'Healthcheck':{'Test':['NONE']}"},
    {"-it", "C:'OpenStdin':true,'Tty':true"},
    {"--platform linux/arm64 --pull always", ""},
};

START_TEST(run_flags)
{
	struct kit k = kit_new(NULL);
	const char *why = NULL, *want, *says = flags[_i].says;
	struct pr_call call;
	bool beside = strncmp(says, "C:", 2) == 0;

	ck_assert_msg(pr_docker_command(k.arena,
			  pr_str_of(pr_arena_printf(k.arena,
			      "docker run %s alpine sh", flags[_i].flags)),
			  &call, &why) == 0,
	    "%s: %s", flags[_i].flags, why);
	/* -it stands in both */
	if (strcmp(flags[_i].flags, "-d -it --rm") == 0)
		want = "POST /v1.41/containers/create {'Image':'alpine','Cmd':["
		       "'sh'],'OpenStdin':true,'Tty':true,'HostConfig':{"
		       "'AutoRemove':true}}";
	else
		want = pr_arena_printf(k.arena,
		    "POST /v1.41/containers/create {'Image':'alpine','Cmd':["
		    "'sh'],%s%s'HostConfig':{%s}}",
		    beside ? says + 2 : "", beside ? "," : "",
		    beside ? "" : says);
	ck_assert_msg(strcmp(words(&k, &call), want) == 0,
	    "%s\n     is %s\n wanted %s", flags[_i].flags, words(&k, &call),
	    want);
	/* and it is a request that is understood */
	ck_assert_ptr_nonnull(kit_spec(&k, "POST /v1.41/containers/create",
	    pr_arena_strdup(k.arena, call.body)));
	ck_assert_msg(k.spec->unknown_field == NULL, "%s: %s", flags[_i].flags,
	    k.spec->unknown_field);
	kit_free(&k);
}
END_TEST

START_TEST(run_names_the_container)
{
	struct kit k = kit_new(NULL);
	struct pr_call call;
	const char *why;

	ck_assert_int_eq(
	    pr_docker_command(k.arena,
		PR_STR("docker run --name 'a b&c' alpine"), &call, &why),
	    0);
	ck_assert(
	    pr_str_is(call.target, "/v1.41/containers/create?name=a%20b%26c"));
	kit_free(&k);
}
END_TEST

/* Every flag of the table is understood: with a value where it takes one. */
static const struct {
	const char *name;
	bool takes;
} table[] = {
#define IGNORE                                 true
#define SWITCH                                 false
#define NAME                                   true
#define BOOL                                   false
#define TEXT                                   true
#define LIST                                   true
#define MAP                                    true
#define NUMBER                                 true
#define SIZE                                   true
#define CPUS                                   true
#define DEVICE                                 true
#define GPUS                                   true
#define HEALTH                                 true
#define NOHEALTH                               false
#define MOUNT                                  true
#define PORT                                   true
#define RESTART                                true
#define TMPFS                                  true
#define ULIMIT                                 true
#define VOLUME                                 true
#define DOCKER_FLAG(name, letter, kind, field) {name, kind},
#include "docker_flags.def"
};

START_TEST(every_flag_makes_a_request)
{
	struct kit k = kit_new(NULL);
	const char *name = table[_i].name, *why = NULL;
	const char *value = strcmp(name, "mount") == 0 ? "type=tmpfs"
	    : strcmp(name, "ulimit") == 0              ? "nofile=1"
						       : "1";
	struct pr_call call;

	ck_assert_msg(
	    pr_docker_command(k.arena,
		pr_str_of(pr_arena_printf(k.arena, "docker run --%s%s%s alpine",
		    name, table[_i].takes ? "=" : "",
		    table[_i].takes ? value : "")),
		&call, &why) == 0,
	    "--%s: %s", name, why);
	ck_assert_msg(kit_spec(&k, "POST /v1.41/containers/create",
			  pr_arena_strdup(k.arena, call.body)) != NULL ||
		strcmp(name, "volume") == 0,
	    "--%s: %s", name, k.why.text);
	if (k.spec != NULL)
		ck_assert_msg(k.spec->unknown_field == NULL, "--%s: %s", name,
		    k.spec->unknown_field);
	kit_free(&k);
}
END_TEST

START_TEST(no_flag_is_lost)
{
	ck_assert_uint_eq(PR_COUNT(table), 74);
}
END_TEST

static const struct {
	const char *line, *why;
} refused[] = {
    {"", "does not begin with docker"},
    {"podman run x", "does not begin with docker"},
    {"docker", "not known here"},
    {"docker frobnicate", "not known here"},
    {"docker run", "no image"},
    {"docker run -it", "no image"},
    {"docker run --privileged", "no image"},
    {"docker run --frob alpine", "--frob is not known here"},
    {"docker run -Z alpine", "-Z is not known here"},
    {"docker run -v", "wants a value"},
    {"docker run --memory", "wants a value"},
    {"docker run --memory lots alpine", "no number or size"},
    {"docker run --memory 1x alpine", "no number or size"},
    {"docker run --ulimit nofile alpine", "--ulimit wants"},
    {"docker run --mount type=bind,frob=1 alpine", "frob is not known here"},
    {"docker run 'alpine", "quote"},
    {"docker stop", "operand is missing"},
    {"docker stop -t 5 web", "a word too many"},
    {"docker stop web api", "a word too many"},
    {"docker rename web", "operand is missing"},
    {"docker exec -u", "wants a user"},
    {"docker exec", "operand is missing"},
    {"docker update --memory 1g web", "request: instead"},
};

START_TEST(command_is_refused)
{
	struct kit k = kit_new(NULL);
	struct pr_call call;
	const char *why = NULL;

	ck_assert_msg(pr_docker_command(k.arena, pr_str_of(refused[_i].line),
			  &call, &why) < 0,
	    "%s", refused[_i].line);
	ck_assert_msg(strstr(why, refused[_i].why) != NULL, "%s: %s",
	    refused[_i].line, why);
	kit_free(&k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("command");
	TCase *t = tcase_create("command");

	tcase_add_loop_test(t, command, 0, PR_COUNT(read));
	tcase_add_loop_test(t, run_flags, 0, PR_COUNT(flags));
	tcase_add_loop_test(t, every_flag_makes_a_request, 0, PR_COUNT(table));
	tcase_add_loop_test(t, command_is_refused, 0, PR_COUNT(refused));
	tcase_add_test(t, run_names_the_container);
	tcase_add_test(t, no_flag_is_lost);
	suite_add_tcase(s, t);
	return unit_run(s);
}
