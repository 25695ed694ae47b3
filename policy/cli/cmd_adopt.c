/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve adopt: says whose an object is; recorded before it is done. */
#include <sys/stat.h>

#include <libgen.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/audit.h>
#include <portreeve/clock.h>
#include <portreeve/config.h>
#include <portreeve/digest.h>
#include <portreeve/ledger.h>
#include <portreeve/policy.h>

#include "cli.h"

#define RECORD_TIME (5 * PR_SEC)

struct options {
	const char *config, *team, *phase, *name;
};

static const struct cli_option options[] = {
    CLI_OPTION_CONFIG(struct options, config),
    {"team", 't', CLI_TEXT, offsetof(struct options, team), "TEAM",
	"whose it is from now on"},
    {"phase", 'p', CLI_TEXT, offsetof(struct options, phase), "PHASE",
	"of which phase; may be left out where the host serves only one"},
    {"name", 'n', CLI_TEXT, offsetof(struct options, name), "NAME",
	"what people call it, for the log"},
};

/* What can be owned (semantics 2.1), and how long its id is; 0: a name. */
static const struct {
	const char *name;
	enum pr_kind kind;
	size_t id_len;
	const char *how; /* to find the id */
} kinds[] = {
    {"container", PR_KIND_CONTAINER, 64, "docker inspect -f '{{.Id}}' NAME"},
    {"network", PR_KIND_NETWORK, 64,
	"docker network inspect -f '{{.Id}}' NAME"},
    {"volume", PR_KIND_VOLUME, 0, NULL},
    {"service", PR_KIND_SERVICE, 25,
	"docker service inspect -f '{{.ID}}' NAME"},
    {"secret", PR_KIND_SECRET, 25, "docker secret inspect -f '{{.ID}}' NAME"},
    {"config", PR_KIND_CONFIG, 25, "docker config inspect -f '{{.ID}}' NAME"},
};

static int
read_kind(struct cli *cli, const char *word, size_t *out)
{
	const char *names[PR_COUNT(kinds)];

	for (size_t i = 0; i < PR_COUNT(kinds); i++) {
		names[i] = kinds[i].name;
		if (strcmp(word, names[i]) == 0) {
			*out = i;
			return CLI_OK;
		}
	}
	return cli_unknown(cli, "kind of object that can be owned", word, names,
	    PR_COUNT(names));
}

/*
 * Only the id itself: a name would have to be asked of the daemon, through
 * the very plugin that refuses it to those who may not see it.
 */
static int
check_id(struct cli *cli, size_t kind, const char *id)
{
	size_t want = kinds[kind].id_len, n = strlen(id);

	if (want == 0)
		return n > 0 ? CLI_OK : cli_usage(cli, "an empty name");
	if (n == want &&
	    strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz") == n)
		return CLI_OK;
	return cli_usage(cli, "\"%s\" is no full id of a %s; see: %s", id,
	    kinds[kind].name, kinds[kind].how);
}

static int
unknown_team(struct cli *cli, const struct pr_policy *p, const char *word)
{
	const char **names = pr_xcalloc(p->n_teams + 1, sizeof *names);
	struct pr_arena *a = pr_arena_new(1024);
	int rc;

	for (size_t i = 0; i < p->n_teams; i++)
		names[i] = pr_arena_strdup(a, p->teams[i].name);
	rc = cli_unknown(cli, "team", word, names, p->n_teams);
	pr_arena_free(a);
	pr_freep(&names);
	return rc;
}

static int
unknown_phase(struct cli *cli, const struct pr_policy *p, const char *word)
{
	const char **names = pr_xcalloc(p->n_phases + 1, sizeof *names);
	struct pr_arena *a = pr_arena_new(1024);
	int rc;

	for (size_t i = 0; i < p->n_phases; i++)
		names[i] = pr_arena_strdup(a, p->phases[i].name);
	rc = cli_unknown(cli, "phase", word, names, p->n_phases);
	pr_arena_free(a);
	pr_freep(&names);
	return rc;
}

static int
check_names(
    struct cli *cli, const struct options *o, const struct pr_config *config)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *p = pr_policy_load_signed(
	    config->policy, &config->policy_signature, ds);

	if (p == NULL)
		return cli_diagnosed(cli, ds);
	if (pr_policy_team(p, pr_str_of(o->team)) < 0)
		return unknown_team(cli, p, o->team);
	if (o->phase != NULL && pr_policy_phase(p, pr_str_of(o->phase)) < 0)
		return unknown_phase(cli, p, o->phase);
	return CLI_OK;
}

/* Durable before the ledger is touched, in a chain of the command's own. */
static int
record(struct cli *cli, const struct options *o, size_t kind, const char *id,
    const struct pr_config *config, char decision[PR_UUID_LEN])
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_audit_config audit = config->audit;
	const struct passwd *pw = getpwuid(getuid());
	struct pr_record r = {.level = PR_AUDIT_LEVEL_REQUEST,
	    .stage = PR_STR("request"),
	    .action = PR_STR("portreeve.adopt"),
	    .verdict = PR_ALLOW,
	    .reason = PR_REASON_GRANT,
	    .team = pr_str_of(o->team),
	    .phase = pr_str_of(o->phase),
	    .message = PR_STR("written into the ledger by portreeve adopt")};

	pr_uuid7(pr_clock_wall(), decision);
	r.id = pr_str_of(decision);
	r.subject.name = pr_str_of(pw != NULL ? pw->pw_name : NULL);
	r.subject.how = PR_STR("uid");
	r.subject.uid = getuid();
	r.subject.has_uid = true;
	r.resource.kind = pr_str_of(kinds[kind].name);
	r.resource.id = pr_str_of(id);
	r.resource.name = pr_str_of(o->name);
	r.resource.owner = pr_str_of(o->team);
	audit.door = "command";
	struct pr_audit *log = pr_audit_open(&audit, &err);

	if (log == NULL)
		return cli_failed(cli, err);
	bool ok = pr_audit_append_wait(log, &r, pr_clock_now() + RECORD_TIME);

	pr_audit_close(log);
	if (ok)
		return CLI_OK;
	cli_error(cli, "the decision log in %s cannot be written; nothing done",
	    audit.dir);
	return CLI_FAILURE;
}

static int
write_ledger(struct cli *cli, const struct options *o, size_t kind,
    const char *id, const char *path, const char *decision)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_ledger *l = pr_ledger_open(path, &err);
	struct pr_ledger_entry e = {.kind = kinds[kind].kind,
	    .id = pr_str_of(id),
	    .name = pr_str_of(o->name),
	    .team = pr_str_of(o->team),
	    .phase = pr_str_of(o->phase),
	    .how = PR_LEDGER_ADOPTED,
	    .decision = pr_str_of(decision)};
	int rc = CLI_OK;

	if (l == NULL)
		return cli_failed(cli, err);
	if (pr_ledger_put(l, &e, &err) < 0 || pr_ledger_flush(l, &err) < 0)
		rc = cli_failed(cli, err);
	pr_ledger_close(l);
	return rc;
}

/*
 * The daemon runs as a user of its own, who must be able to use what is made
 * here: so root is, for a while, whoever owns the folder.  NULL: root again.
 */
static void
act_for_owner(const char *folder)
{
	struct stat st;

	if (getuid() != 0)
		return;
	if (folder == NULL || stat(folder, &st) != 0) {
		if (seteuid(0) == 0)
			(void)!setegid(0);
		return;
	}
	if (setegid(st.st_gid) == 0)
		(void)!seteuid(st.st_uid);
}

static int
adopt(struct cli *cli, const struct options *o, size_t kind, const char *id,
    const struct pr_config *config)
{
	char decision[PR_UUID_LEN];
	int rc = check_names(cli, o, config);

	if (rc == CLI_OK) {
		act_for_owner(config->audit.dir);
		rc = record(cli, o, kind, id, config, decision);
		act_for_owner(NULL);
	}
	if (rc == CLI_OK) {
		char *folder = pr_xstrdup(config->ledger);

		act_for_owner(dirname(folder));
		rc = write_ledger(cli, o, kind, id, config->ledger, decision);
		act_for_owner(NULL);
		free(folder);
	}
	if (rc == CLI_OK)
		fprintf(cli->out, "%s %s belongs to team %s%s%s\n",
		    kinds[kind].name, id, o->team,
		    o->phase != NULL ? ", phase " : "",
		    o->phase != NULL ? o->phase : "");
	return rc;
}

static int
run(struct cli *cli, const void *opts)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	const struct options *o = opts;
	struct pr_config config;
	size_t kind = 0;
	int rc = read_kind(cli, cli->args[0], &kind);

	if (rc == CLI_OK)
		rc = check_id(cli, kind, cli->args[1]);
	if (rc != CLI_OK)
		return rc;
	if (o->team == NULL)
		return cli_usage(cli, "--team is missing");
	if (pr_config_load(o->config != NULL ? o->config : CLI_CONFIG_FILE, a,
		&config, ds) < 0)
		return cli_diagnosed(cli, ds);
	return adopt(cli, o, kind, cli->args[1], &config);
}

const struct cli_command cli_cmd_adopt = {
    .name = "adopt",
    .args = "KIND ID",
    .text = "Say whose an object is that nobody's request made",
    .help =
	"Writes the ledger: from now on the object belongs to the team, and "
	"is\n"
	"of the phase. For what was made before Portreeve, by swarm, or while\n"
	"it was away. KIND is container, network, volume, service, secret or\n"
	"config; ID is the full id, or the name of a volume.\n"
	"\n"
	"A record is made durable in the decision log before the ledger is\n"
	"written. A running plugin notices within a second or two.\n",
    .examples =
	"portreeve adopt volume pgdata --team payments --phase production\n"
	"portreeve adopt container $(docker inspect -f '{{.Id}}' web) "
	"-t payments -p dev\n",
    .options = options,
    .n_options = PR_COUNT(options),
    .size = sizeof(struct options),
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
