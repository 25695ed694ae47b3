/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve test, can, and check of policies with tests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "unit.h"

#define POLICY                                                                 \
	"version: 1\n"                                                         \
	"labels: {team: t, phase: p}\n"                                        \
	"teams:\n"                                                             \
	"  pay: {ldap: [\"cn=pay,dc=acme\"]}\n"                                \
	"  ml: {ldap: [\"cn=ml,dc=acme\"]}\n"                                  \
	"  vip: {ldap: [\"cn=pay,dc=acme\"], require: {cert: [\"x*\"]}}\n"     \
	"hosts: {d: [dev], a: [dev, prod]}\n"                                  \
	"phases: {dev: {}, prod: {}}\n"                                        \
	"roles:\n"                                                             \
	"  run: {allow: {container: [create, stop, exec]}}\n"                  \
	"  no: {allow: {container: [stop]}, deny: {container: [export]}}\n"    \
	"profiles: {base: {images: {allow: [\"docker.io/library/*\"]}, "       \
	"privileged: false}}\n"                                                \
	"grants:\n"                                                            \
	"  - {id: g, team: pay, role: run, phases: [dev], profile: base}\n"    \
	"  - {id: n, team: ml, role: no, phases: [dev], profile: base}\n"      \
	"guards: [{id: q, deny: {container: [exec]}, phases: [prod]}]\n"       \
	"tests:\n"                                                             \
	"  - {as: a@pay, host: d, do: docker run alpine, expect: allow}\n"     \
	"  - {as: a@pay, host: d, do: docker run --privileged alpine, expect:" \
	" deny, by: base.privileged}\n"
#define FAILING \
	"  - {as: a@ml, host: d, do: docker run alpine, expect: allow}\n"

#define PEOPLE                                                     \
	"dn: uid=alice,dc=acme\nobjectClass: inetOrgPerson\nuid: " \
	"alice\ncn: a\nsn: a\n\ndn: cn=pay,dc=acme\nobjectClass: " \
	"groupOfNames\ncn: pay\nmember: uid=alice,dc=acme\n"

static const struct {
	const char *name, *text;
} files[] = {
    {"good.yaml", POLICY},
    {"bad.yaml", POLICY FAILING},
    {"broken.yaml", "version: 1\nfrob: 1\n"},
    {"none.yaml", "version: 1\n"},
    {"people.ldif", PEOPLE},
    {"conf.yaml",
	"policy: good.yaml\nidentity: [{source: bare, by: user}]\n"
	"directory: {type: ldif, file: people.ldif}\n"},
    {"nodir.yaml", "policy: good.yaml\nidentity: [{source: bare, by: user}]\n"},
};

static const struct {
	const char *args; /* words; of files too: @good.yaml is its path */
	int rc;
	const char *out, *err; /* parts; NULL: not looked at */
} runs[] = {
    {"test @good.yaml", CLI_OK, "passed", "2 passed, 0 failed"},
    {"test @bad.yaml", CLI_FAILURE, "failed",
	"test failed: expected allow, got deny, by role"},
    {"test @broken.yaml", CLI_CONFIG, NULL, "unknown key \"frob\""},
    {"test @none.yaml", CLI_OK, NULL, "0 passed, 0 failed"},
    {"test @gone.yaml", CLI_CONFIG, NULL, "gone.yaml"},
    {"test -c @conf.yaml", CLI_OK, "docker run alpine", "2 passed"},
    {"test -o json @bad.yaml", CLI_FAILURE, "\"result\": \"failed\"",
	"1 failed"},
    {"test -o jsonl @good.yaml", CLI_OK,
	"\"got\":\"deny, by profile, base.privileged\"", NULL},
    {"test --coverage -o csv @good.yaml", CLI_OK, "\ntested,grant,g,", NULL},
    {"test --coverage -o csv @good.yaml", CLI_OK, "\nuntested,grant,n,", NULL},
    {"test --coverage -o csv @good.yaml", CLI_OK, "\nuntested,guard,q,", NULL},
    {"test --coverage -o csv @good.yaml", CLI_OK, "\nuntested,role-deny,no,",
	NULL},
    {"test --coverage -o csv @good.yaml", CLI_OK,
	"\ntested,key,base.privileged,", NULL},
    {"test --coverage -o csv @good.yaml", CLI_OK,
	"\nuntested,key,base.images.allow,", NULL},
    {"test @good.yaml extra", CLI_USAGE, NULL, "extra"},

    {"check @good.yaml", CLI_OK, "2 tests passed", NULL},
    {"check @bad.yaml", CLI_CONFIG, NULL, "test failed"},
    {"check -o json @bad.yaml", CLI_CONFIG, "test failed", NULL},

    {"can a@pay container.create -p dev -P @good.yaml", CLI_OK,
	"yes: grant g (", NULL},
    {"can a@pay container.create -p dev -P @good.yaml", CLI_OK,
	"within profile base\n", NULL},
    {"can a@pay container.stop web -p dev -P @good.yaml", CLI_OK,
	"yes: grant g (", NULL},
    {"can a@pay container.stop web -p dev -w ml -P @good.yaml", CLI_DENY,
	"no: owner, container web belongs to team ml; the nearest is grant g "
	"(",
	NULL},
    {"can a@pay container.create -p prod -P @good.yaml", CLI_DENY,
	"no: phase, the grant does not cover this phase", NULL},
    {"can a@pay container.exec -p prod -P @good.yaml", CLI_DENY, "; guard q (",
	NULL},
    {"can a@ml container.export -p dev -P @good.yaml", CLI_DENY,
	"no: role-deny", NULL},
    {"can a@pay image.pull -p dev -P @good.yaml", CLI_DENY, "no: role", NULL},
    {"can a@pay+ml container.create -p dev -P @good.yaml", CLI_OK,
	"yes: grant g", NULL},
    {"can a@ml container.create -p dev -P @good.yaml", CLI_DENY, "no: role",
	NULL},
    {"can a@ml system.ping -p dev -P @good.yaml", CLI_OK, "yes: builtin.ping\n",
	NULL},
    {"can anonymous system.ping -p dev -P @good.yaml", CLI_DENY, "no: no-grant",
	NULL},
    {"can a@pay container.create -p dev -H d -P @good.yaml", CLI_OK, "yes",
	NULL},
    {"can a@pay container.create -p prod -H d -P @good.yaml", CLI_DENY,
	"no: phase-not-served", NULL},
    {"can a@pay container.create -p dev -H x -P @good.yaml", CLI_DENY,
	"no: phase-not-served", NULL},
    {"can a@pay container.exec-start -p dev -P @good.yaml", CLI_OK, "yes",
	NULL},
    {"can a@pay container.commit -p dev -P @good.yaml", CLI_DENY, "no: role",
	NULL},
    /* every action of every phase */
    {"can a@pay -l -P @good.yaml", CLI_OK, "\ncontainer.stop", NULL},
    {"can a@pay -l -o csv -P @good.yaml", CLI_OK,
	"\nallow,container.create,dev,grant,g,base,", NULL},
    {"can a@pay -l -o csv -P @good.yaml", CLI_OK,
	"\ndeny,container.exec,prod,guard,q,", NULL},
    {"can a@pay container.stop -p dev -o json -P @good.yaml", CLI_OK,
	"\"verdict\": \"allow\"", NULL},
    /* the directory is asked who has no teams named */
    {"can alice container.stop -p dev -c @conf.yaml", CLI_OK, "yes: grant g",
	"team vip counts only with its second factor"},
    {"can bob container.stop -p dev -c @conf.yaml", CLI_DENY, "no: no-grant",
	"no single bob"},
    {"can alice container.stop -p dev -c @nodir.yaml", CLI_CONFIG, NULL,
	"no directory is configured"},
    /* mistakes */
    {"can", CLI_USAGE, NULL, "USER"},
    {"can a@pay -P @good.yaml", CLI_USAGE, NULL, "which ACTION"},
    {"can a@pay container.stop -l -P @good.yaml", CLI_USAGE, NULL, "--list"},
    {"can a@pay container.stop -P @good.yaml", CLI_USAGE, NULL, "--phase"},
    {"can a@pay container.stpo -p dev -P @good.yaml", CLI_USAGE, NULL,
	"did you mean \"container.stop\"?"},
    {"can a@pay container.stop -p dve -P @good.yaml", CLI_USAGE, NULL,
	"did you mean \"dev\"?"},
    {"can a@gone container.stop -p dev -P @good.yaml", CLI_USAGE, NULL,
	"no team gone"},
    {"can a@pay container.stop -p dev -w gone -P @good.yaml", CLI_USAGE, NULL,
	"no team gone"},
    {"can a@pay container.stop -p dev -P @broken.yaml", CLI_CONFIG, NULL,
	"unknown key"},
};

static char dir[64];

static void
make_files(void)
{
	snprintf(dir, sizeof dir, "/tmp/portreeve-cli-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	for (size_t i = 0; i < PR_COUNT(files); i++) {
		char path[128];
		FILE *f;

		snprintf(path, sizeof path, "%s/%s", dir, files[i].name);
		f = fopen(path, "w");
		ck_assert_ptr_nonnull(f);
		fputs(files[i].text, f);
		ck_assert_int_eq(fclose(f), 0);
	}
}

static void
remove_files(void)
{
	for (size_t i = 0; i < PR_COUNT(files); i++) {
		char path[128];

		snprintf(path, sizeof path, "%s/%s", dir, files[i].name);
		unlink(path);
	}
	rmdir(dir);
}

START_TEST(command)
{
	char text[256], paths[4][160], *argv[16] = {(char[]){"portreeve"}};
	char *out = NULL, *err = NULL, *save = NULL;
	size_t n_out, n_err, n_paths = 0;
	FILE *o = open_memstream(&out, &n_out),
	     *e = open_memstream(&err, &n_err);
	int argc = 1, rc;

	snprintf(text, sizeof text, "%s", runs[_i].args);
	for (char *w = strtok_r(text, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save)) {
		if (w[0] == '@' && n_paths < 4) {
			snprintf(paths[n_paths], sizeof paths[0], "%s/%s", dir,
			    w + 1);
			w = paths[n_paths++];
		}
		argv[argc++] = w;
	}
	rc = cli_main(argc, argv, o, e);
	fclose(o);
	fclose(e);
	ck_assert_msg(
	    rc == runs[_i].rc, "%s: %d\n%s%s", runs[_i].args, rc, out, err);
	ck_assert_msg(runs[_i].out == NULL || strstr(out, runs[_i].out) != NULL,
	    "%s\n%s lacks %s\n%s", runs[_i].args, out, runs[_i].out, err);
	ck_assert_msg(runs[_i].err == NULL || strstr(err, runs[_i].err) != NULL,
	    "%s\n%s lacks %s", runs[_i].args, err, runs[_i].err);
	free(out);
	free(err);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli policy");
	TCase *t = tcase_create("policy");

	tcase_add_checked_fixture(t, make_files, remove_files);
	tcase_add_loop_test(t, command, 0, PR_COUNT(runs));
	suite_add_tcase(s, t);
	return unit_run(s);
}
