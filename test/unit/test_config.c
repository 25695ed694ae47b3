/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve.yaml: values, defaults, paths.  Messages: test/policy/5*. */
#include <string.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/config.h>

#include "unit.h"

/* The configuration of the design, whole. */
static const char design[] =
    "daemon: {name: prod-1, socket: /var/run/docker.sock}\n"
    "policy: /etc/portreeve/policy.d\n"
    "identity:\n"
    "  - {source: corp, issuer: \"CN=Acme User CA,O=Acme\", by: san-email, "
    "search: \"(mail={san.email})\"}\n"
    "  - {source: lab,  issuer: \"CN=Lab CA\", by: cn}\n"
    "  - {source: bare, by: user}\n"
    "directory:\n"
    "  type: ldap\n"
    "  uri: [ldaps://ldap1.acme.com, ldaps://ldap2.acme.com]\n"
    "  tls: {ca: /etc/portreeve/ldap-ca.pem}\n"
    "  bind: {method: simple, dn: \"cn=portreeve,ou=svc,dc=acme,dc=com\", "
    "password_file: /etc/portreeve/ldap.password}\n"
    "  user:  {base: \"ou=people,dc=acme,dc=com\", filter: "
    "\"(objectClass=inetOrgPerson)\", name: uid}\n"
    "  group: {base: \"ou=groups,dc=acme,dc=com\", filter: "
    "\"(objectClass=groupOfNames)\", member: member, name: cn, nested: expand, "
    "depth: 5}\n"
    "  timeouts: {connect: 1s, search: 1s}\n"
    "  cache: {ttl: 60s, negative_ttl: 10s, stale_ok: 15m}\n"
    "audit: {dir: /var/log/portreeve, failure: deny, sync: group, segment: "
    "64MiB}\n"
    "ledger: /var/lib/portreeve/ledger.db\n"
    "plugin: {socket: /run/docker/plugins/portreeve.sock, deadline: 2s}\n"
    "proxy:\n"
    "  listen:\n"
    "    - {name: tcp, address: \"0.0.0.0:2376\", tls: {cert: server.pem, key: "
    "server.key, client_ca: ca.pem, crl: ca.crl}}\n"
    "    - {name: local, unix: /run/portreeve/docker.sock, mode: \"0666\"}\n"
    "  assertion_key: /etc/portreeve/assertion.key\n"
    "admin: {socket: /run/portreeve/admin.sock}\n";

static struct pr_arena *arena;

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

static int
parse(const char *text, struct pr_config *c)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();

	return pr_config_parse(
	    "/etc/portreeve/x.yaml", pr_str_of(text), arena, c, ds);
}

START_TEST(the_design_is_read)
{
	struct pr_config c;

	ck_assert_int_eq(parse(design, &c), 0);
	ck_assert_str_eq(c.daemon.name, "prod-1");
	ck_assert_str_eq(c.daemon.socket, "/var/run/docker.sock");
	ck_assert_str_eq(c.policy, "/etc/portreeve/policy.d");
	ck_assert_uint_eq(c.policy_loc.line, 2);
	ck_assert_str_eq(c.ledger, "/var/lib/portreeve/ledger.db");
	ck_assert_str_eq(c.admin_socket, "/run/portreeve/admin.sock");
	ck_assert_str_eq(c.plugin.socket, "/run/docker/plugins/portreeve.sock");
	ck_assert_uint_eq(c.plugin.deadline, 2 * PR_SEC);
	ck_assert_str_eq(c.audit.dir, "/var/log/portreeve");
	ck_assert_str_eq(c.audit.daemon, "prod-1");
	ck_assert_int_eq(c.audit.failure, PR_AUDIT_FAILURE_DENY);
	ck_assert_int_eq(c.audit.sync, PR_AUDIT_SYNC_GROUP);
	ck_assert_uint_eq(c.audit.segment, UINT64_C(64) << 20);
}
END_TEST

START_TEST(identity_keeps_its_order_and_places)
{
	struct pr_config c;

	ck_assert_int_eq(parse(design, &c), 0);
	ck_assert_uint_eq(c.n_identity, 3);
	ck_assert_str_eq(c.identity[0].source, "corp");
	ck_assert_str_eq(c.identity[0].issuer, "CN=Acme User CA,O=Acme");
	ck_assert_str_eq(c.identity[0].by, "san-email");
	ck_assert_str_eq(c.identity[0].search, "(mail={san.email})");
	ck_assert_uint_eq(c.identity[0].by_loc.line, 4);
	ck_assert_ptr_null(c.identity[1].search);
	ck_assert_str_eq(c.identity[2].by, "user");
	ck_assert_ptr_null(c.identity[2].issuer);
	ck_assert_uint_eq(c.identity[2].loc.line, 6);
}
END_TEST

START_TEST(the_directory_passes_its_own_check)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	struct pr_config c;

	ck_assert_int_eq(parse(design, &c), 0);
	ck_assert_int_eq(c.directory.type, PR_DIRECTORY_LDAP);
	ck_assert_uint_eq(c.directory.n_uri, 2);
	ck_assert_str_eq(c.directory.uri[1].s, "ldaps://ldap2.acme.com");
	ck_assert_str_eq(c.directory.tls.ca.s, "/etc/portreeve/ldap-ca.pem");
	ck_assert_int_eq(c.directory.bind.method, PR_BIND_SIMPLE);
	ck_assert_str_eq(c.directory.user.name.s, "uid");
	ck_assert_str_eq(c.directory.group.member.s, "member");
	ck_assert_int_eq(c.directory.group.nested, PR_NESTED_EXPAND);
	ck_assert_uint_eq(c.directory.group.depth, 5);
	ck_assert_uint_eq(c.directory.timeouts.search, PR_SEC);
	ck_assert_uint_eq(c.directory.cache.stale_ok, 900 * PR_SEC);
	ck_assert(pr_directory_check(&c.directory, ds));
}
END_TEST

START_TEST(listeners_are_read)
{
	const struct pr_config_listen *l;
	struct pr_config c;

	ck_assert_int_eq(parse(design, &c), 0);
	ck_assert_uint_eq(c.proxy.n_listen, 2);
	l = &c.proxy.listen[0];
	ck_assert_str_eq(l->name, "tcp");
	ck_assert_str_eq(l->address, "0.0.0.0:2376");
	ck_assert_ptr_null(l->unix_path);
	ck_assert_str_eq(l->tls.cert, "/etc/portreeve/server.pem");
	ck_assert_str_eq(l->tls.crl, "/etc/portreeve/ca.crl");
	l = &c.proxy.listen[1];
	ck_assert_str_eq(l->unix_path, "/run/portreeve/docker.sock");
	ck_assert_uint_eq(l->mode, 0666);
	ck_assert_str_eq(c.proxy.assertion_key, "/etc/portreeve/assertion.key");
}
END_TEST

START_TEST(what_is_not_given_is_the_default)
{
	char host[256] = "";
	struct pr_config c;

	ck_assert_int_eq(gethostname(host, sizeof host - 1), 0);
	host[strcspn(host, ".")] = '\0';
	ck_assert_int_eq(parse("", &c), 0);
	ck_assert_str_eq(c.daemon.name, host);
	ck_assert_str_eq(c.daemon.socket, "/var/run/docker.sock");
	ck_assert_str_eq(c.policy, "/etc/portreeve/policy.d");
	ck_assert_uint_eq(c.n_identity, 0);
	ck_assert_ptr_null(c.identity_deny);
	ck_assert_int_eq(c.directory.type, PR_DIRECTORY_UNSET);
	ck_assert_str_eq(c.audit.dir, "/var/log/portreeve");
	ck_assert_ptr_null(c.audit.key_file);
	ck_assert_uint_eq(c.plugin.deadline, 2 * PR_SEC);
	ck_assert_uint_eq(c.plugin.n_peer_uids, 1);
	ck_assert_uint_eq(c.plugin.peer_uids[0], 0);
	ck_assert(!c.plugin.accept_plain_tcp);
	ck_assert(!c.plugin.accept_grpc_bypass);
	ck_assert_uint_eq(c.plugin.workers, 0);
	ck_assert_uint_eq(c.proxy.n_listen, 0);
	ck_assert_uint_eq(c.policy_signature.loc.line, 0);
}
END_TEST

START_TEST(paths_are_taken_from_the_folder_of_the_file)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	struct pr_config c;

	ck_assert_int_eq(parse("policy: p.d\n"
			       "identity_deny: ../deny\n"
			       "directory: {type: ldif, file: people.ldif}\n"
			       "audit: {dir: log, key: k}\n"
			       "policy_signature: {keys: [a.pem, /b.pem], "
			       "min_serial: 7}\n",
			     &c),
	    0);
	ck_assert_str_eq(c.policy, "/etc/portreeve/p.d");
	ck_assert_str_eq(c.identity_deny, "/etc/portreeve/../deny");
	ck_assert_str_eq(c.directory.file.s, "/etc/portreeve/people.ldif");
	ck_assert_str_eq(c.audit.dir, "/etc/portreeve/log");
	ck_assert_str_eq(c.audit.key_file, "/etc/portreeve/k");
	ck_assert_uint_eq(c.policy_signature.n_keys, 2);
	ck_assert_str_eq(c.policy_signature.keys[0], "/etc/portreeve/a.pem");
	ck_assert_str_eq(c.policy_signature.keys[1], "/b.pem");
	ck_assert_uint_eq(c.policy_signature.min_serial, 7);
	ck_assert_int_eq(
	    pr_config_parse("x.yaml", PR_STR("policy: p.d\n"), arena, &c, ds),
	    0);
	ck_assert_str_eq(c.policy, "p.d");
}
END_TEST

START_TEST(the_plugin_is_read)
{
	struct pr_config c;

	ck_assert_int_eq(
	    parse("plugin: {deadline: 500ms, peer_uids: [0, 100000], "
		  "accept_plain_tcp: true, accept_grpc_bypass: true, "
		  "workers: 8}\n"
		  "audit: {failure: allow, sync: none, segment: 1M, space: "
		  "1G}\n",
		&c),
	    0);
	ck_assert_uint_eq(c.plugin.deadline, 500 * PR_MS);
	ck_assert_uint_eq(c.plugin.n_peer_uids, 2);
	ck_assert_uint_eq(c.plugin.peer_uids[1], 100000);
	ck_assert(c.plugin.accept_plain_tcp);
	ck_assert(c.plugin.accept_grpc_bypass);
	ck_assert_uint_eq(c.plugin.workers, 8);
	ck_assert_int_eq(c.audit.failure, PR_AUDIT_FAILURE_ALLOW);
	ck_assert_int_eq(c.audit.sync, PR_AUDIT_SYNC_NONE);
	ck_assert_uint_eq(c.audit.segment, 1 << 20);
	ck_assert_uint_eq(c.audit.space, 1 << 30);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_reported)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	struct pr_config c;

	ck_assert_int_eq(
	    pr_config_load("/nonexistent/x.yaml", arena, &c, ds), -1);
	ck_assert_uint_eq(pr_diags_count(ds, PR_ERROR), 1);
}
END_TEST

/* Every path in the text is in the list of what nobody may mount. */
START_TEST(every_file_is_somebody_s)
{
	static const char text[] =
	    "policy: /f1\n"
	    "identity_deny: /f2\n"
	    "directory: {type: ldap, uri: [\"ldaps://a\"], tls: {ca: /f3}, "
	    "bind: {method: simple, dn: \"cn=a\", password_file: /f4}, user: "
	    "{base: \"dc=a\"}, group: {base: \"dc=a\"}}\n"
	    "audit: {dir: /f5, key: /f6, checkpoint: {key: /fk, copy: "
	    "/fl}}\n"
	    "identity: [{source: a, ca: /fj, by: cn}]\n"
	    "ledger: /f7\n"
	    "promotions: /fh\n"
	    "break_glass: /fi\n"
	    "plugin: {socket: /f8}\n"
	    "admin: {socket: /f9}\n"
	    "policy_signature: {keys: [/fa]}\n"
	    "proxy: {assertion_key: /fb, admin: /fm, listen: [{name: t, "
	    "address: "
	    "\"0.0.0.0:1\", tls: {cert: /fc, key: /fd, client_ca: /fe, crl: "
	    "/ff}}, {name: u, unix: /fg}]}\n";
	struct pr_config c;
	const struct pr_config_file *files;
	size_t n;

	ck_assert_int_eq(parse(text, &c), 0);
	files = pr_config_files(&c, arena, &n);
	for (const char *at = text; (at = strstr(at, "/f")) != NULL; at++) {
		bool found = false;

		for (size_t i = 0; i < n; i++)
			found = found || strncmp(files[i].path, at, 3) == 0;
		ck_assert_msg(found, "%.3s", at);
	}
	ck_assert_str_eq(files[0].path, "/etc/portreeve/x.yaml");
	/* and the policy's signature */
	ck_assert_uint_eq(n, 24);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("config");
	TCase *tc = tcase_create("config");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_design_is_read);
	tcase_add_test(tc, identity_keeps_its_order_and_places);
	tcase_add_test(tc, the_directory_passes_its_own_check);
	tcase_add_test(tc, listeners_are_read);
	tcase_add_test(tc, what_is_not_given_is_the_default);
	tcase_add_test(tc, paths_are_taken_from_the_folder_of_the_file);
	tcase_add_test(tc, the_plugin_is_read);
	tcase_add_test(tc, every_file_is_somebody_s);
	tcase_add_test(tc, a_file_that_is_not_there_is_reported);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
