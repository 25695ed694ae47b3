/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portreeve can: may somebody do something in a phase?  The policy is asked
 * about an object that is there and whose shape nobody objects to, so that
 * what is left is team, role, phase, owner, guards and freeze.
 */
#include <string.h>

#include <portreeve/clock.h>

#include "policy_source.h"

struct options {
	enum cli_format format;
	const char *config, *policy;
	const char *phase, *owner, *host;
	bool list;
};

static const struct cli_option options[] = {
    CLI_OPTION_OUTPUT(struct options, format),
    CLI_OPTION_CONFIG(struct options, config),
    {"phase", 'p', CLI_TEXT, offsetof(struct options, phase), "PHASE",
	"in this phase"},
    {"owner", 'w', CLI_TEXT, offsetof(struct options, owner), "TEAM",
	"the object is this team's (default: one of USER's own)"},
    {"host", 'H', CLI_TEXT, offsetof(struct options, host), "HOST",
	"on this host (default: one that serves PHASE alone)"},
    {"policy", 'P', CLI_TEXT, offsetof(struct options, policy), "PATH",
	"policy file or folder (default: the configuration's)"},
    {"list", 'l', CLI_FLAG, offsetof(struct options, list), NULL,
	"every action in every phase"},
};

/* ---- one question ---- */

struct asking {
	const struct pr_policy *policy;
	const struct pr_who *who;
	struct pr_arena *arena;
	const char *resource; /* or NULL */
	const char *host;     /* or NULL */
};

static struct pr_ref
object_ref(const struct asking *k, enum pr_kind kind, enum pr_ref_role role,
    struct pr_str owner, struct pr_str phase)
{
	struct pr_object *o = pr_arena_alloc(k->arena, sizeof *o);

	o->kind = kind;
	o->presence = PR_PRESENT;
	o->by = PR_BY_NAME;
	o->name = o->id =
	    k->resource != NULL ? pr_str_of(k->resource) : PR_STR("it");
	o->in_ledger = true;
	o->ledger_team = owner;
	o->ledger_phase = phase;
	return (struct pr_ref){
	    .kind = kind, .role = role, .name = o->name, .object = o};
}

/* The labels of a create: whose it will be, and of which phase. */
static struct pr_kvs
labels_of(const struct asking *k, struct pr_str owner, struct pr_str phase)
{
	struct pr_kv *v = pr_arena_array(k->arena, 2, sizeof *v);
	size_t n = 0;

	if (owner.n > 0 && k->policy->label_team.n > 0)
		v[n++] = (struct pr_kv){k->policy->label_team, owner};
	if (k->policy->label_phase.n > 0)
		v[n++] = (struct pr_kv){k->policy->label_phase, phase};
	return (struct pr_kvs){v, n};
}

static struct pr_spec *
spec_new(const struct asking *k, bool stored)
{
	struct pr_spec *s = pr_arena_alloc(k->arena, sizeof *s);

	s->body = PR_SPEC_NOTHING;
	s->stored = stored;
	s->image_ref = -1;
	return s;
}

static void
ask(const struct asking *k, const struct pr_op_info *op, unsigned phase,
    struct pr_str owner, struct pr_decision *d)
{
	struct pr_str name = k->policy->phases[phase].name;
	struct pr_request rq = {.op = op, .spec = op->spec};
	struct pr_ref refs[2];
	struct pr_question q = {.policy = k->policy,
	    .request = &rq,
	    .who = k->who,
	    .door = PR_DOOR_PROXY,
	    .served = pr_policy_host(k->policy, pr_str_of(k->host)),
	    .now = pr_clock_wall(),
	    .refs = refs,
	    .spec = spec_new(k, false),
	    .stored = spec_new(k, true),
	    .stored_known = true,
	    .wanted_team = owner,
	    .without_quotas = true};

	if (k->host == NULL)
		q.served = UINT64_C(1) << phase % PR_MAX_PHASES;
	if (op->scope == PR_SCOPE_OWNED && op->kind != PR_KIND_NONE)
		refs[q.n_refs++] =
		    object_ref(k, op->kind, PR_REF_TARGET, owner, name);
	/* an exec is its container's, a commit acts on one */
	if (op->scope == PR_SCOPE_OWNED &&
	    (op->kind == PR_KIND_EXEC || op->op == PR_OP_CONTAINER_COMMIT))
		refs[q.n_refs++] = object_ref(k, PR_KIND_CONTAINER,
		    op->kind == PR_KIND_EXEC ? PR_REF_CONTAINER_OF
					     : PR_REF_TARGET,
		    owner, name);
	if (op->kind == PR_KIND_NONE && op->creates != PR_KIND_NONE)
		q.spec->labels = labels_of(k, owner, name);
	pr_decide(k->arena, &q, d);
}

/*
 * Owned by a team of the subject's own unless one is named: the first of them
 * that may; what none may is told for the first.
 */
static void
ask_own(const struct asking *k, const struct pr_op_info *op, unsigned phase,
    const char *owner, struct pr_decision *d)
{
	struct pr_decision one;

	if (owner != NULL || k->who->n_teams == 0) {
		ask(k, op, phase, pr_str_of(owner), d);
		return;
	}
	for (size_t i = 0; i < k->who->n_teams; i++) {
		const struct pr_team *t = &k->policy->teams[k->who->teams[i]];

		if (t->acts_for >= 0)
			t = &k->policy->teams[t->acts_for];
		ask(k, op, phase, t->name, &one);
		if (i == 0 || one.verdict == PR_ALLOW)
			*d = one;
		if (one.verdict == PR_ALLOW)
			return;
	}
}

/* ---- actions and phases by name ---- */

static const struct pr_op_info *
find_action(const char *name)
{
	for (unsigned i = 0; i < PR_OP_COUNT; i++) {
		const struct pr_op_info *op = pr_api_op((enum pr_op)i);

		if (op->op != PR_OP_UNKNOWN && strcmp(op->action, name) == 0)
			return op;
	}
	return NULL;
}

static int
unknown_action(const struct cli *cli, const char *name)
{
	const char *all[PR_OP_COUNT];
	size_t n = 0;

	for (unsigned i = 0; i < PR_OP_COUNT; i++) {
		const struct pr_op_info *op = pr_api_op((enum pr_op)i);

		if (op->op != PR_OP_UNKNOWN)
			all[n++] = op->action;
	}
	return cli_unknown(cli, "action", name, all, n);
}

static int
find_phase(const struct cli *cli, const struct pr_policy *p, const char *name,
    int *phase)
{
	const char *all[PR_MAX_PHASES];
	struct pr_arena *a;
	int rc;

	*phase = name != NULL ? pr_policy_phase(p, pr_str_of(name)) : -1;
	if (*phase < 0 && name == NULL && p->n_phases == 1)
		*phase = 0;
	if (*phase >= 0)
		return CLI_OK;
	if (name == NULL)
		return cli_usage(cli, "--phase: which one?");
	a = pr_arena_new(1024);
	for (size_t i = 0; i < p->n_phases; i++)
		all[i] = pr_arena_strdup(a, p->phases[i].name);
	rc = cli_unknown(cli, "phase", name, all, p->n_phases);
	pr_arena_free(a);
	return rc;
}

/* ---- answers ---- */

/* What decided, in a word: a grant, a guard, or the reason's code. */
static const char *
by(const struct pr_policy *p, const struct pr_decision *d, struct pr_arena *a)
{
	if (d->guard >= 0)
		return pr_arena_strdup(a, p->guards[d->guard].id);
	if (d->grant >= 0 && d->verdict == PR_ALLOW)
		return pr_arena_strdup(a, p->grants[d->grant].id);
	return pr_reason_code(d->reason);
}

static const char *
shape(const struct pr_policy *p, const struct pr_op_info *op,
    const struct pr_decision *d, struct pr_arena *a)
{
	int profile;

	if (!op->spec || d->verdict != PR_ALLOW || d->grant < 0)
		return NULL;
	profile = p->grants[d->grant].profile;
	return profile < 0 ? NULL
			   : pr_arena_strdup(a, p->profiles[profile].name);
}

static const struct cli_column columns[] = {
    {.name = "verdict"},
    {.name = "action"},
    {.name = "phase"},
    {.name = "reason"},
    {.name = "by"},
    {.name = "profile"},
    {.name = "file"},
    {.name = "line", .right = true},
    {.name = "what", .hidden = true},
};

static void
put(struct cli_rows *rows, const struct pr_policy *p,
    const struct pr_op_info *op, unsigned phase, const struct pr_decision *d,
    struct pr_arena *a)
{
	bool allowed = d->verdict == PR_ALLOW;

	cli_cell_paint(rows, allowed ? CLI_GREEN : CLI_RED);
	cli_cell_cstr(rows, allowed ? "allow" : "deny");
	cli_cell_cstr(rows, op->action);
	cli_cell(rows, p->phases[phase].name);
	cli_cell_cstr(rows, pr_reason_code(d->reason));
	cli_cell_cstr(rows, by(p, d, a));
	cli_cell_cstr(rows, shape(p, op, d, a));
	cli_cell_cstr(rows, d->loc.line > 0 ? d->loc.file : NULL);
	if (d->loc.line > 0)
		cli_cell_u64(rows, d->loc.line);
	else
		cli_cell_null(rows);
	cli_cell_cstr(rows, d->what);
}

/* "yes: grant pay-dev (policy.d/10.yaml:41), within profile baseline" */
static void
print_sentence(struct cli *cli, const struct pr_policy *p,
    const struct pr_op_info *op, const struct pr_decision *d,
    struct pr_arena *a)
{
	const char *profile = shape(p, op, d, a);
	bool allowed = d->verdict == PR_ALLOW;

	fprintf(cli->out,
	    "%s%s%s: ", cli_paint(cli, allowed ? CLI_GREEN : CLI_RED),
	    allowed ? "yes" : "no", cli_paint(cli, CLI_PLAIN));
	if (allowed && d->grant < 0)
		fputs(pr_reason_code(d->reason), cli->out);
	if (!allowed)
		fprintf(cli->out, "%s%s%s", pr_reason_code(d->reason),
		    d->what[0] != '\0' ? ", " : "", d->what);
	if (d->guard >= 0)
		fprintf(
		    cli->out, "; guard %.*s", PR_STRF(p->guards[d->guard].id));
	else if (d->grant >= 0)
		fprintf(cli->out, "%sgrant %.*s",
		    allowed ? "" : "; the nearest is ",
		    PR_STRF(p->grants[d->grant].id));
	if (d->loc.line > 0)
		fprintf(cli->out, " (%s:%u)", d->loc.file, d->loc.line);
	if (profile != NULL)
		fprintf(cli->out, ", within profile %s", profile);
	fputc('\n', cli->out);
}

static int
answer(struct cli *cli, const struct options *o, const struct asking *k)
{
	const struct pr_op_info *op = find_action(cli->args[1]);
	struct pr_decision d;
	int phase, rc;

	if (op == NULL)
		return unknown_action(cli, cli->args[1]);
	rc = find_phase(cli, k->policy, o->phase, &phase);
	if (rc != CLI_OK)
		return rc;
	ask_own(k, op, (unsigned)phase, o->owner, &d);
	if (o->format == CLI_TABLE) {
		print_sentence(cli, k->policy, op, &d, k->arena);
	} else {
		struct cli_rows *rows =
		    cli_rows_new(cli, o->format, columns, PR_COUNT(columns));

		put(rows, k->policy, op, (unsigned)phase, &d, k->arena);
		cli_rows_end(rows);
	}
	return d.verdict == PR_ALLOW ? CLI_OK : CLI_DENY;
}

/* ---- the matrix ---- */

/* Rows of twins (GET and HEAD of one action) are one. */
static bool
is_first(const struct pr_op_info *op)
{
	return op->op != PR_OP_UNKNOWN && find_action(op->action) == op;
}

static void
list_rows(struct cli *cli, const struct options *o, const struct asking *k)
{
	struct cli_rows *rows =
	    cli_rows_new(cli, o->format, columns, PR_COUNT(columns));

	for (unsigned i = 0; i < PR_OP_COUNT; i++) {
		const struct pr_op_info *op = pr_api_op((enum pr_op)i);

		for (unsigned ph = 0; is_first(op) && ph < k->policy->n_phases;
		     ph++) {
			struct pr_decision d;

			ask_own(k, op, ph, o->owner, &d);
			put(rows, k->policy, op, ph, &d, k->arena);
		}
	}
	cli_rows_end(rows);
}

/* Actions down, phases across; a cell says what allows or forbids it. */
static void
list_matrix(struct cli *cli, const struct options *o, const struct asking *k)
{
	const struct pr_policy *p = k->policy;
	struct cli_column *cols =
	    pr_arena_array(k->arena, p->n_phases + 1, sizeof *cols);
	struct cli_rows *rows;

	cols[0].name = "action";
	for (size_t i = 0; i < p->n_phases; i++)
		cols[i + 1].name = pr_arena_strdup(k->arena, p->phases[i].name);
	rows = cli_rows_new(cli, CLI_TABLE, cols, p->n_phases + 1);
	for (unsigned i = 0; i < PR_OP_COUNT; i++) {
		const struct pr_op_info *op = pr_api_op((enum pr_op)i);

		if (!is_first(op))
			continue;
		cli_cell_cstr(rows, op->action);
		for (unsigned ph = 0; ph < p->n_phases; ph++) {
			struct pr_decision d;
			bool allowed;

			ask_own(k, op, ph, o->owner, &d);
			allowed = d.verdict == PR_ALLOW;
			cli_cell_paint(rows, allowed ? CLI_GREEN : CLI_DIM);
			cli_cell_cstr(rows,
			    allowed ? by(p, &d, k->arena)
				    : pr_arena_printf(k->arena, "- (%s)",
					  by(p, &d, k->arena)));
		}
	}
	cli_rows_end(rows);
}

static int
can(struct cli *cli, const void *opts)
{
	const struct options *o = opts;
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(1 << 14);
	PR_CLEANUP(pr_policy_unrefp) struct pr_policy *p = NULL;
	struct asking k = {.arena = a, .host = o->host};
	struct pr_who who;
	int rc;

	if (!o->list && cli->n_args < 2)
		return cli_usage(cli, "which ACTION?  --list asks about all");
	if (o->list && cli->n_args > 1)
		return cli_usage(cli, "--list asks about every action");
	p = cli_policy(o->policy, o->config, ds);
	if (p == NULL) {
		cli_diagnosed(cli, ds);
		return CLI_CONFIG;
	}
	if (o->owner != NULL && pr_policy_team(p, pr_str_of(o->owner)) < 0)
		return cli_usage(cli, "the policy has no team %s", o->owner);
	rc = cli_who(cli, p, cli->args[0], o->config, a, &who);
	if (rc != CLI_OK)
		return rc;
	k.policy = p;
	k.who = &who;
	k.resource = cli->n_args > 2 ? cli->args[2] : NULL;
	if (!o->list)
		return answer(cli, o, &k);
	if (o->format == CLI_TABLE)
		list_matrix(cli, o, &k);
	else
		list_rows(cli, o, &k);
	return CLI_OK;
}

const struct cli_command cli_cmd_can = {
    .name = "can",
    .args = "USER[@TEAM+TEAM] [ACTION [RESOURCE]]",
    .text = "Ask the policy what somebody may do",
    .help =
	"May USER do ACTION (as `portreeve api` lists them) to an object of\n"
	"the team --owner in the phase --phase?  Says which grant allows it\n"
	"and where it is written, or which one came nearest.  An action that\n"
	"carries a spec is allowed \"within profile X\": what a request asks\n"
	"for is judged when it is made.  Without @TEAM the directory of the\n"
	"configuration is asked for USER's teams.  --list prints the matrix "
	"of\n"
	"all actions and phases.  Exit 0: allowed, 2: denied.\n",
    .examples =
	"portreeve can alice@payments container.create --phase dev\n"
	"portreeve can alice container.stop api --phase production --owner ml\n"
	"portreeve can alice@payments+platform --list\n"
	"portreeve can alice@payments image.pull -p test -P policy.d -o json\n",
    .options = options,
    .n_options = PR_COUNT(options),
    .size = sizeof(struct options),
    .min_args = 1,
    .max_args = 3,
    .run = can,
};
