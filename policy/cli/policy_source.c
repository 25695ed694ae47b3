/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_source.h"

#include <string.h>

#include <portreeve/clock.h>
#include <portreeve/config.h>
#include <portreeve/policytest.h>

#define PATIENCE (10 * PR_SEC) /* for the directory */

struct pr_policy *
cli_policy(const char *path, const char *config_file, struct pr_diags *ds)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = NULL;
	struct pr_config config;

	if (path != NULL)
		return pr_policy_load(path, ds);
	a = pr_arena_new(4096);
	if (pr_config_load(config_file != NULL ? config_file : PR_CONFIG_PATH,
		a, &config, ds) < 0)
		return NULL;
	return pr_policy_load_signed(
	    config.policy, &config.policy_signature, ds);
}

struct gathering {
	const struct pr_policy *policy;
	bool *in, *lacks_factor;
};

static void
gather(void *arg, unsigned team)
{
	struct gathering *g = arg;

	/* a second factor is in a certificate, which nobody shows here */
	if (g->policy->teams[team].n_require > 0)
		g->lacks_factor[team] = true;
	else
		g->in[team] = true;
}

static void
take_teams(struct cli *cli, const struct pr_policy *p, struct pr_arena *a,
    const struct gathering *g, struct pr_who *who)
{
	unsigned *list = pr_arena_array(a, p->n_teams + 1, sizeof *list);

	for (unsigned t = 0; t < p->n_teams; t++) {
		if (g->in[t])
			list[who->n_teams++] = t;
		if (g->lacks_factor[t])
			fprintf(cli->err,
			    "team %.*s counts only with its second factor, a "
			    "certificate: not taken\n",
			    PR_STRF(p->teams[t].name));
	}
	who->teams = list;
}

struct pr_directory *
cli_directory(
    const char *file, const char *hint, struct pr_arena *a, struct pr_diags *ds)
{
	struct pr_config config;

	if (file == NULL)
		file = PR_CONFIG_PATH;
	if (pr_config_load(file, a, &config, ds) < 0)
		return NULL;
	if (config.directory.type == PR_DIRECTORY_UNSET) {
		pr_diags_add(ds, PR_ERROR, (struct pr_loc){.file = file}, hint,
		    "no directory is configured");
		return NULL;
	}
	return pr_directory_check(&config.directory, ds)
	    ? pr_directory_open(&config.directory, ds)
	    : NULL;
}

static int
ask_directory(struct cli *cli, const struct pr_policy *p, const char *name,
    const char *config, struct pr_arena *a, struct pr_who *who)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	struct pr_directory *d = cli_directory(
	    config, "name the teams: alice@payments+platform", a, ds);
	struct gathering g = {p,
	    pr_arena_array(a, p->n_teams + 1, sizeof(bool)),
	    pr_arena_array(a, p->n_teams + 1, sizeof(bool))};
	struct pr_directory_answer answer;
	int rc = CLI_OK;

	if (d == NULL) {
		cli_diagnosed(cli, ds);
		return CLI_CONFIG;
	}
	if (pr_directory_lookup(d, pr_str_of(name), PR_STR(""), 0,
		pr_clock_now() + PATIENCE, &answer, &err) < 0) {
		rc = cli_failed(cli, err);
	} else {
		if (!answer.m->found)
			fprintf(
			    cli->err, "the directory has no single %s\n", name);
		for (size_t i = 0; answer.m->found && i < answer.m->n_groups;
		     i++)
			pr_policy_teams_of_group(
			    p, answer.m->groups[i].dn, gather, &g);
		take_teams(cli, p, a, &g, who);
		pr_membership_unref(answer.m);
	}
	pr_directory_close(d);
	return rc;
}

int
cli_who(struct cli *cli, const struct pr_policy *p, const char *text,
    const char *config, struct pr_arena *a, struct pr_who *who)
{
	struct pr_str unknown = {NULL, 0};

	if (!pr_who_read(p, a, pr_str_of(text), who, &unknown)) {
		cli_error(cli, "the policy has no team %.*s", PR_STRF(unknown));
		return CLI_USAGE;
	}
	if (strchr(text, '@') != NULL || who->anonymous)
		return CLI_OK;
	return ask_directory(cli, p, text, config, a, who);
}
