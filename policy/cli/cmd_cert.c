/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve cert …: the lab's certificate authority. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/certs.h>

#include "cli.h"

#define FOLDER "portreeve-ca"
#define DAY    ((int64_t)86400)

struct options {
	const char *dir, *cn, *org, *ou, *days, *not_before, *key, *eku, *out;
	const char *reason;
	struct cli_list emails, uris, upns, dns, ips;
	bool force;
	enum cli_format format;
};

#define OPTION(word, type, field, arg, text)                              \
	{                                                                 \
		word, 0, type, offsetof(struct options, field), arg, text \
	}
#define OPTION_DIR                          \
	OPTION("dir", CLI_TEXT, dir, "DIR", \
	    "folder of the authority (default " FOLDER ")")
#define OPTION_FORCE \
	OPTION("force", CLI_FLAG, force, NULL, "replace what is there")
#define OPTIONS_NAME                                              \
	OPTION("cn", CLI_TEXT, cn, "NAME", "common name"),        \
	    OPTION("org", CLI_TEXT, org, "NAME", "organisation"), \
	    OPTION("ou", CLI_TEXT, ou, "NAME", "organisational unit")
#define OPTIONS_MAKE                                                         \
	OPTION("days", CLI_TEXT, days, "N", "how long it is valid"),         \
	    OPTION("not-before", CLI_TEXT, not_before, "TIME",               \
		"2026-12-24T18:00:00Z, 2026-12-24, or -10d, +12h from now"), \
	    OPTION("key", CLI_TEXT, key, "KIND",                             \
		"ec-p256 (default), ec-p384, ed25519, rsa-2048, -3072, "     \
		"-4096")

static const struct cli_option ca_options[] = {
    OPTION_DIR,
    OPTIONS_NAME,
    OPTIONS_MAKE,
    OPTION_FORCE,
};

static const struct cli_option issue_options[] = {
    OPTION_DIR,
    OPTIONS_NAME,
    OPTION("dns", CLI_LIST, dns, "HOST", "a DNS name of the SAN"),
    OPTION("ip", CLI_LIST, ips, "ADDRESS", "an address of the SAN"),
    OPTION("email", CLI_LIST, emails, "ADDRESS", "an e-mail address"),
    OPTION("uri", CLI_LIST, uris, "URI", "a URI (spiffe://…)"),
    OPTION("upn", CLI_LIST, upns, "NAME", "a user principal name"),
    OPTIONS_MAKE,
    OPTION("eku", CLI_TEXT, eku, "USE",
	"server, client, both or none: not the usual one"),
    OPTION("out", CLI_TEXT, out, "NAME", "DIR/NAME.pem (default: the cn)"),
    OPTION_FORCE,
};

static const struct cli_option revoke_options[] = {
    OPTION_DIR,
    OPTION("reason", CLI_TEXT, reason, "WORD",
	"key-compromise, superseded, cessation-of-operation, …"),
};

static const struct cli_option crl_options[] = {
    OPTION_DIR,
    OPTION("days", CLI_TEXT, days, "N", "until the next one (default 7)"),
    OPTION("out", CLI_TEXT, out, "FILE", "default: DIR/crl.pem"),
};

static const struct cli_option bundle_options[] = {
    OPTION_DIR,
    OPTION("out", CLI_TEXT, out, "FOLDER", "default: DIR/NAME.docker"),
    OPTION_FORCE,
};

static const struct cli_option inspect_options[] = {
    CLI_OPTION_OUTPUT(struct options, format),
};

/* --- words → values; each returns CLI_OK or says what is wrong --- */

static int
read_days(struct cli *cli, const char *word, int64_t *seconds)
{
	uint64_t n;

	*seconds = 0;
	if (word == NULL)
		return CLI_OK;
	if (!pr_str_u64(pr_str_of(word), &n) || n < 1 || n > 36500)
		return cli_usage(cli,
		    "--days wants a number from 1 to 36500, not \"%s\"", word);
	*seconds = (int64_t)n * DAY;
	return CLI_OK;
}

/* "-10d", "+12h", "+5m": from now. */
static bool
read_relative(const char *word, int64_t *out)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'d', DAY}, {'h', 3600}, {'m', 60}, {'s', 1}};
	struct pr_str s = pr_str_of(word);
	uint64_t n;

	if (s.n < 3 || (s.p[0] != '-' && s.p[0] != '+') ||
	    !pr_str_u64(pr_str_sub(s, 1, s.n - 1), &n) || n > 10000000)
		return false;
	for (size_t i = 0; i < PR_COUNT(units); i++) {
		int64_t by = (int64_t)n * units[i].seconds;

		if (s.p[s.n - 1] != units[i].letter)
			continue;
		*out = time(NULL) + (s.p[0] == '-' ? -by : by);
		return true;
	}
	return false;
}

static int
read_time(struct cli *cli, const char *word, int64_t *out)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"};

	*out = 0;
	if (word == NULL || read_relative(word, out))
		return CLI_OK;
	for (size_t i = 0; i < PR_COUNT(forms); i++) {
		struct tm tm = {0};
		const char *end = strptime(word, forms[i], &tm);

		if (end == NULL || *end != '\0')
			continue;
		*out = timegm(&tm);
		if (*out > 0)
			return CLI_OK;
	}
	return cli_usage(cli,
	    "--not-before wants 2026-12-24T18:00:00Z, 2026-12-24, or -10d or "
	    "+12h from now, not \"%s\"",
	    word);
}

static size_t
count_words(const char *const *words)
{
	size_t n = 0;

	while (words[n] != NULL)
		n++;
	return n;
}

static int
read_word(struct cli *cli, const char *what, const char *word,
    const char *const *words)
{
	for (size_t i = 0; word != NULL && words[i] != NULL; i++)
		if (strcmp(word, words[i]) == 0)
			return CLI_OK;
	if (word == NULL)
		return CLI_OK;
	return cli_unknown(cli, what, word, words, count_words(words));
}

static int
read_eku(struct cli *cli, const char *word, struct pr_cert_spec *spec)
{
	/* the index is the value: PR_CERT_EKU_* */
	static const char *const words[] = {
	    "none", "server", "client", "both", NULL};
	int rc = read_word(cli, "use", word, words);

	if (word == NULL || rc != CLI_OK)
		return rc;
	spec->eku_given = true;
	while (strcmp(word, words[spec->eku]) != 0)
		spec->eku++;
	return CLI_OK;
}

static int
read_spec(struct cli *cli, const struct options *o, struct pr_cert_spec *spec)
{
	int rc;

	if (o->cn == NULL && o->org == NULL)
		return cli_usage(cli, "wants --cn NAME");
	spec->cn = o->cn;
	spec->org = o->org;
	spec->ou = o->ou;
	spec->key = o->key;
	if ((rc = read_word(cli, "kind of key", o->key, pr_cert_key_words)) !=
		CLI_OK ||
	    (rc = read_days(cli, o->days, &spec->seconds)) != CLI_OK ||
	    (rc = read_time(cli, o->not_before, &spec->not_before)) != CLI_OK)
		return rc;
	return read_eku(cli, o->eku, spec);
}

static size_t
gather(struct pr_cert_san *to, enum pr_cert_san_type type,
    const struct cli_list *from)
{
	for (size_t i = 0; i < from->n; i++)
		to[i] = (struct pr_cert_san){type, from->v[i]};
	return from->n;
}

static size_t
gather_all(const struct options *o, struct pr_cert_san *to)
{
	size_t n = 0;

	n += gather(to + n, PR_CERT_DNS, &o->dns);
	n += gather(to + n, PR_CERT_IP, &o->ips);
	n += gather(to + n, PR_CERT_EMAIL, &o->emails);
	n += gather(to + n, PR_CERT_URI, &o->uris);
	n += gather(to + n, PR_CERT_UPN, &o->upns);
	return n;
}

/* --- the commands --- */

static const char *
folder(const struct options *o)
{
	return o->dir != NULL ? o->dir : FOLDER;
}

static void
format_time(int64_t seconds, char out[32])
{
	time_t t = seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void
say_made(struct cli *cli, const struct pr_cert_made *made)
{
	char until[32];

	format_time(made->not_after, until);
	fprintf(
	    cli->out, "wrote %s and %s (mode 0600)\n", made->cert, made->key);
	fprintf(cli->out, "serial %s, valid until %s\n", made->serial, until);
	fprintf(cli->out, "SHA-256 %s\n", made->fingerprint);
}

static int
run_ca(struct cli *cli, const void *opts)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	PR_CLEANUP(pr_cert_made_fini) struct pr_cert_made made = {0};
	struct pr_cert_spec spec = {.kind = PR_CERT_CA};
	const struct options *o = opts;
	int rc = read_spec(cli, o, &spec);

	if (rc != CLI_OK)
		return rc;
	if (pr_certs_init(folder(o), &spec, o->force, &made, &err) < 0)
		return cli_failed(cli, err);
	say_made(cli, &made);
	return CLI_OK;
}

static int
issue(struct cli *cli, const struct options *o, enum pr_cert_kind kind)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	PR_CLEANUP(pr_cert_made_fini) struct pr_cert_made made = {0};
	struct pr_cert_san sans[5 * CLI_LIST_MAX];
	struct pr_cert_spec spec = {.kind = kind, .sans = sans};
	char name[128];
	int rc = read_spec(cli, o, &spec);

	if (rc != CLI_OK)
		return rc;
	spec.n_sans = gather_all(o, sans);
	if (kind == PR_CERT_SERVER && o->dns.n + o->ips.n == 0)
		return cli_usage(cli,
		    "wants --dns HOST or --ip ADDRESS: clients look there and "
		    "not at the common name");
	pr_certs_file_name(o->out != NULL ? o->out
		: o->cn != NULL           ? o->cn
					  : "",
	    name, sizeof name);
	if (o->out != NULL && strcmp(o->out, name) != 0)
		return cli_usage(cli,
		    "--out is a name in the folder: letters, digits, '.', '_', "
		    "'-'");
	if (name[0] == '\0')
		return cli_usage(cli, "wants --cn NAME or --out NAME");
	if (pr_certs_issue(folder(o), name, &spec, o->force, &made, &err) < 0)
		return cli_failed(cli, err);
	say_made(cli, &made);
	return CLI_OK;
}

static int
run_server(struct cli *cli, const void *opts)
{
	return issue(cli, opts, PR_CERT_SERVER);
}

static int
run_client(struct cli *cli, const void *opts)
{
	return issue(cli, opts, PR_CERT_CLIENT);
}

static int
run_revoke(struct cli *cli, const void *opts)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	PR_CLEANUP(pr_cert_made_fini) struct pr_cert_made made = {0};
	const struct options *o = opts;
	int rc = read_word(cli, "reason", o->reason, pr_cert_reason_words);

	if (rc != CLI_OK)
		return rc;
	if (pr_certs_revoke(folder(o), cli->args[0], o->reason, &made, &err) <
	    0)
		return cli_failed(cli, err);
	fprintf(cli->out, "revoked %s\nSHA-256 %s\n", made.serial,
	    made.fingerprint);
	fprintf(cli->out,
	    "next: portreeve cert crl --dir %s; or the SHA-256 into the deny "
	    "list of portreeve.yaml\n",
	    folder(o));
	return CLI_OK;
}

static int
run_crl(struct cli *cli, const void *opts)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	const struct options *o = opts;
	int64_t seconds;
	size_t n;
	int rc = read_days(cli, o->days, &seconds);

	if (rc != CLI_OK)
		return rc;
	if (pr_certs_crl(folder(o), o->out, seconds, &n, &err) < 0)
		return cli_failed(cli, err);
	if (o->out != NULL)
		fprintf(cli->out, "wrote %s", o->out);
	else
		fprintf(cli->out, "wrote %s/crl.pem", folder(o));
	fprintf(cli->out, ": %zu revoked, next one due in %d days\n", n,
	    seconds != 0 ? (int)(seconds / DAY) : 7);
	return CLI_OK;
}

static int
run_bundle(struct cli *cli, const void *opts)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	const struct options *o = opts;
	char to[4096];

	if (o->out != NULL)
		snprintf(to, sizeof to, "%s", o->out);
	else
		snprintf(
		    to, sizeof to, "%s/%s.docker", folder(o), cli->args[0]);
	if (pr_certs_bundle(folder(o), cli->args[0], to, o->force, &err) < 0)
		return cli_failed(cli, err);
	fprintf(cli->out, "wrote %s/ca.pem, cert.pem and key.pem (mode 0600)\n",
	    to);
	fprintf(cli->out,
	    "try: DOCKER_CERT_PATH=%s DOCKER_TLS_VERIFY=1 "
	    "DOCKER_HOST=tcp://HOST:2376 docker version\n",
	    to);
	return CLI_OK;
}

/* --- inspect --- */

static const struct cli_column columns[] = {
    {.name = "file"},
    {.name = "status"},
    {.name = "subject"},
    {.name = "issuer"},
    {.name = "sans"},
    {.name = "serial"},
    {.name = "sha256"},
    {.name = "not_before"},
    {.name = "not_after"},
    {.name = "eku"},
    {.name = "ca"},
    {.name = "key"},
    {.name = "signature"},
};

static const char *
status_of(const struct pr_cert_info *info)
{
	int64_t now = time(NULL);

	if (now < info->not_before)
		return "not-yet-valid";
	return now > info->not_after ? "expired" : "valid";
}

static void
cell_list(struct cli_rows *rows, const struct pr_str *v, size_t n)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	pr_buf_char(&b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			pr_buf_cstr(&b, ", ");
		pr_buf_json(&b, v[i]);
	}
	pr_buf_char(&b, ']');
	cli_cell_json(rows, pr_buf_view(&b));
}

static void
cell_time(struct cli_rows *rows, int64_t seconds)
{
	char text[32];

	format_time(seconds, text);
	cli_cell_cstr(rows, text);
}

static void
print_row(
    struct cli_rows *rows, const char *file, const struct pr_cert_info *info)
{
	cli_cell_cstr(rows, file);
	cli_cell_cstr(rows, status_of(info));
	cli_cell(rows, info->subject);
	cli_cell(rows, info->issuer);
	cell_list(rows, info->sans, info->n_sans);
	cli_cell(rows, info->serial);
	cli_cell(rows, info->fingerprint);
	cell_time(rows, info->not_before);
	cell_time(rows, info->not_after);
	cell_list(rows, info->eku, info->n_eku);
	cli_cell_bool(rows, info->ca);
	cli_cell(rows, info->key);
	cli_cell(rows, info->signature);
}

static void
line(struct cli *cli, const char *what, struct pr_str s)
{
	fprintf(cli->out, "  %-12s", what);
	cli_print_safe(cli->out, s);
	fputc('\n', cli->out);
}

static void
print_people(struct cli *cli, const char *file, const struct pr_cert_info *info)
{
	const char *status = status_of(info);
	char text[32];

	cli_print_safe(cli->out, pr_str_of(file));
	fprintf(cli->out, ": %s%s%s%s\n",
	    cli_paint(cli, strcmp(status, "valid") == 0 ? CLI_GREEN : CLI_RED),
	    status, cli_paint(cli, CLI_PLAIN),
	    info->ca ? ", an authority" : "");
	line(cli, "subject", info->subject);
	line(cli, "issuer", info->issuer);
	for (size_t i = 0; i < info->n_sans; i++)
		line(cli, i == 0 ? "names" : "", info->sans[i]);
	for (size_t i = 0; i < info->n_eku; i++)
		line(cli, i == 0 ? "for" : "", info->eku[i]);
	line(cli, "serial", info->serial);
	line(cli, "SHA-256", info->fingerprint);
	format_time(info->not_before, text);
	line(cli, "not before", pr_str_of(text));
	format_time(info->not_after, text);
	line(cli, "not after", pr_str_of(text));
	line(cli, "key", info->key);
	line(cli, "signed with", info->signature);
}

static int
run_inspect(struct cli *cli, const void *opts)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	const struct options *o = opts;
	struct cli_rows *rows = NULL;
	int rc = CLI_OK;

	if (o->format != CLI_TABLE)
		rows = cli_rows_new(cli, o->format, columns, PR_COUNT(columns));
	for (size_t i = 0; i < cli->n_args; i++) {
		PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
		struct pr_cert_info info;

		if (pr_certs_read(a, cli->args[i], &info, &err) < 0)
			rc = cli_failed(cli, err);
		else if (rows != NULL)
			print_row(rows, cli->args[i], &info);
		else
			print_people(cli, cli->args[i], &info);
	}
	if (rows != NULL)
		cli_rows_end(rows);
	return rc;
}

/* --- the table --- */

#define LAB                                                                  \
	"For labs and tests: the key of the authority lies unencrypted in\n" \
	"its folder (mode 0600).  Nothing is overwritten without --force.\n"

#define COMMAND(id, operands, least, most, options_, line_, help_, try_) \
	const struct cli_command cli_cmd_cert_##id = {                   \
	    .name = "cert " #id,                                         \
	    .args = operands,                                            \
	    .text = line_,                                               \
	    .help = help_,                                               \
	    .examples = try_,                                            \
	    .options = options_,                                         \
	    .n_options = PR_COUNT(options_),                             \
	    .size = sizeof(struct options),                              \
	    .min_args = least,                                           \
	    .max_args = most,                                            \
	    .run = run_##id,                                             \
	}

COMMAND(ca, "", 0, 0, ca_options, "Make a certificate authority", LAB,
    "portreeve cert ca --dir lab --cn \"Lab CA\" --org Acme\n");
COMMAND(server, "", 0, 0, issue_options, "Issue a certificate for a daemon",
    LAB,
    "portreeve cert server --dir lab --cn prod-1 --dns prod-1.acme.com "
    "--ip 10.0.0.7\n");
COMMAND(client, "", 0, 0, issue_options, "Issue a certificate for a person",
    LAB
    "Wrong ones, for tests, are made with --not-before, --days and --eku.\n",
    "portreeve cert client --dir lab --cn alice --email alice@acme.com\n"
    "portreeve cert client --dir lab --cn old --not-before -10d --days 5\n"
    "portreeve cert client --dir lab --cn ci --uri spiffe://acme.com/ci\n");
COMMAND(bundle, "NAME", 1, 1, bundle_options,
    "Gather what docker wants in DOCKER_CERT_PATH",
    "Copies ca.pem, NAME.pem and NAME.key to ca.pem, cert.pem, key.pem.\n",
    "portreeve cert bundle --dir lab alice --out ~/.docker/lab\n");
COMMAND(revoke, "SERIAL|FILE", 1, 1, revoke_options, "Revoke a certificate",
    "Marks it in the index; `cert crl` writes the list.\n",
    "portreeve cert revoke --dir lab lab/alice.pem --reason "
    "key-compromise\n");
COMMAND(crl, "", 0, 0, crl_options, "Write the revocation list", NULL,
    "portreeve cert crl --dir lab --days 1\n");
COMMAND(inspect, "FILE...", 1, SIZE_MAX, inspect_options,
    "Show what is in a certificate",
    "The subject of a CA stands as identity: rules want their issuer.\n",
    "portreeve cert inspect lab/alice.pem\n"
    "portreeve cert inspect -o json lab/*.pem | jq -r '.[].sha256'\n");
