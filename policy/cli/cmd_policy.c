/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve policy sign, verify: whose policy it is. */
#include <string.h>

#include <portreeve/config.h>
#include <portreeve/policy_signature.h>

#include "cli.h"

struct sign_options {
	const char *config, *key;
	uint64_t serial;
};

static const struct cli_option sign_options[] = {
    CLI_OPTION_CONFIG(struct sign_options, config),
    {"key", 'k', CLI_TEXT, offsetof(struct sign_options, key), "FILE",
	"sign with this key: Ed25519 or P-256, PEM"},
    {"serial", 's', CLI_NUMBER, offsetof(struct sign_options, serial), "N",
	"number of this policy; higher than the one before"},
};

struct verify_options {
	const char *config;
	struct cli_list keys;
	uint64_t min_serial;
	enum cli_format format;
};

static const struct cli_option verify_options[] = {
    CLI_OPTION_CONFIG(struct verify_options, config),
    {"key", 'k', CLI_LIST, offsetof(struct verify_options, keys), "FILE",
	"a public key that is trusted, instead of the configuration's"},
    {"min-serial", 's', CLI_NUMBER, offsetof(struct verify_options, min_serial),
	"N", "with --key: the oldest serial that is taken"},
    CLI_OPTION_OUTPUT(struct verify_options, format),
};

static const struct cli_column columns[] = {
    {.name = "serial", .right = true},
    {.name = "time"},
    {.name = "digest"},
    {.name = "key"},
};

/* The operand, or what the configuration names; false: ds says why. */
static bool
policy_path(const struct cli *cli, const char *file, struct pr_arena *a,
    const char **path, struct pr_policy_signers *signers, struct pr_diags *ds)
{
	struct pr_config config;

	if (pr_config_load(
		file != NULL ? file : CLI_CONFIG_FILE, a, &config, ds) < 0)
		return false;
	*path = cli->n_args > 0 ? cli->args[0] : config.policy;
	*signers = config.policy_signature;
	return true;
}

static int
sign(struct cli *cli, const void *opts)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	PR_CLEANUP(pr_pem_key_freep) struct pr_pem_key *key = NULL;
	PR_CLEANUP(pr_buf_fini) struct pr_buf line = PR_BUF_INIT;
	const struct sign_options *o = opts;
	const char *path = cli->n_args > 0 ? cli->args[0] : NULL;
	struct pr_policy_signers signers;

	if (o->key == NULL || o->serial == 0 || o->serial > INT64_MAX)
		return cli_usage(cli, "--key FILE and --serial N are wanted");
	key = pr_pem_key_private(o->key, &err);
	if (key == NULL)
		return cli_failed(cli, err);
	if ((path == NULL &&
		!policy_path(cli, o->config, a, &path, &signers, ds)) ||
	    pr_policy_sign(path, o->serial, key, &line, ds) < 0)
		return cli_diagnosed(cli, ds);
	fwrite(line.p, 1, line.n, cli->out);
	return CLI_OK;
}

static int
verify(struct cli *cli, const void *opts)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	const struct verify_options *o = opts;
	const char *path = cli->n_args > 0 ? cli->args[0] : NULL;
	struct pr_policy_signers signers = {.loc = {.line = 1},
	    .keys = o->keys.v,
	    .n_keys = o->keys.n,
	    .min_serial = o->min_serial};
	struct pr_policy_signers configured;
	struct pr_policy_signature s;
	struct cli_rows *rows;

	if ((o->keys.n == 0 || path == NULL) &&
	    !policy_path(cli, o->config, a, &path, &configured, ds))
		return cli_diagnosed(cli, ds);
	if (o->keys.n == 0)
		signers = configured;
	if (signers.n_keys == 0) {
		cli_error(cli,
		    "the configuration has no policy_signature: any policy is "
		    "taken (or name keys: --key FILE)");
		return CLI_CONFIG;
	}
	if (pr_policy_verify(path, &signers, &s, ds) < 0)
		return cli_diagnosed(cli, ds);
	rows = cli_rows_new(cli, o->format, columns, PR_COUNT(columns));
	cli_cell_u64(rows, s.serial);
	cli_cell_cstr(rows, s.time);
	cli_cell_cstr(rows, s.digest);
	cli_cell_cstr(rows, s.key);
	cli_rows_end(rows);
	return CLI_OK;
}

const struct cli_command cli_cmd_policy_sign = {
    .name = "policy sign",
    .args = "[PATH]",
    .text = "Sign a policy",
    .help =
	"Prints a signature of the policy file or folder PATH, or of the one\n"
	"that the configuration names: a line for the file PATH.sig, or\n"
	"SIGNATURE in a folder. It is of the files' names and bytes, so a\n"
	"remark that changes wants a new one. Daemons whose configuration has\n"
	"policy_signature: take no policy without a line of one of its keys,\n"
	"nor one whose serial is lower than min_serial, or than that of the\n"
	"policy in force.\n"
	"\n"
	"A pair of keys is made by `openssl genpkey -algorithm ed25519 -out\n"
	"policy.key` and `openssl pkey -in policy.key -pubout -out "
	"policy.pem`;\n"
	"one on the curve P-256 is as good.\n"
	"\n"
	"The line can be made without this program: it is\n"
	"\"portreeve-policy/1 SERIAL DIGEST TIME KEY SIGNATURE\". DIGEST is\n"
	"sha256: and what `LC_ALL=C sha256sum *.yaml | sha256sum` prints in "
	"the\n"
	"folder, KEY the same of the public key in DER, SIGNATURE in base64, "
	"of\n"
	"all before the blank in front of it.\n",
    .examples = "portreeve policy sign --key policy.key --serial 7 policy.d "
		">policy.d/SIGNATURE\n"
		"portreeve policy sign -k policy.key -s 8 one.yaml "
		">one.yaml.sig\n",
    .options = sign_options,
    .n_options = PR_COUNT(sign_options),
    .size = sizeof(struct sign_options),
    .max_args = 1,
    .run = sign,
};

const struct cli_command cli_cmd_policy_verify = {
    .name = "policy verify",
    .args = "[PATH]",
    .text = "Check the signature of a policy",
    .help =
	"Says which signature of the policy file or folder PATH, or of the "
	"one\n"
	"that the configuration names, is good, by the keys of the\n"
	"configuration or those that are named here. Exits with 78 if none\n"
	"is. The policy itself is not read: see portreeve check.\n",
    .examples = "portreeve policy verify\n"
		"portreeve policy verify --key policy.pem policy.d\n"
		"portreeve policy verify -o json\n",
    .options = verify_options,
    .n_options = PR_COUNT(verify_options),
    .size = sizeof(struct verify_options),
    .max_args = 1,
    .run = verify,
};
