/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve log, portreeve log verify: reading and proving the decision log. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include <portreeve/arena.h>
#include <portreeve/clock.h>
#include <portreeve/reason.h>

#include "cli.h"
#include "log_source.h"

struct options {
	const char *dir, *config, *door, *since, *until;
	const char *team, *user, *phase, *action, *verdict, *reason, *id;
	bool follow, all, wide;
	const char *last;
	enum cli_format format;
};

static const struct cli_option options[] = {
    LOG_OPTION_DIR(struct options, dir),
    CLI_OPTION_CONFIG(struct options, config),
    LOG_OPTION_DOOR(struct options, door, ""),
    {"since", 0, CLI_TEXT, offsetof(struct options, since), "TIME",
	"not before: 90s, 15m, 2h, 7d, or 2026-11-22T10:16 (UTC)"},
    {"until", 0, CLI_TEXT, offsetof(struct options, until), "TIME",
	"before, spelled as --since"},
    {"team", 't', CLI_TEXT, offsetof(struct options, team), "TEAM",
	"the acting team, or one of the subject's"},
    {"user", 'u', CLI_TEXT, offsetof(struct options, user), "USER",
	"the subject; * stands for anything"},
    {"phase", 'p', CLI_TEXT, offsetof(struct options, phase), "PHASE",
	"dev, test, ..."},
    {"action", 'a', CLI_TEXT, offsetof(struct options, action), "ACTION",
	"container.create, \"container.*\", ..."},
    {"verdict", 'v', CLI_TEXT, offsetof(struct options, verdict), "VERDICT",
	"allow, deny or would-deny"},
    {"reason", 'r', CLI_TEXT, offsetof(struct options, reason), "REASON",
	"a reason code"},
    {"id", 0, CLI_TEXT, offsetof(struct options, id), "ID",
	"one decision and its outcome"},
    {"follow", 'f', CLI_FLAG, offsetof(struct options, follow), NULL,
	"wait for more"},
    {"last", 'n', CLI_TEXT, offsetof(struct options, last), "N",
	"only the last N (with -f: 10 unless given)"},
    {"all", 0, CLI_FLAG, offsetof(struct options, all), NULL,
	"outcomes, losses and segment headers, too"},
    {"wide", 'w', CLI_FLAG, offsetof(struct options, wide), NULL,
	"tables with every column"},
    CLI_OPTION_OUTPUT(struct options, format),
};

enum column {
	COL_TIME = 0,
	COL_VERDICT,
	COL_USER,
	COL_TEAM,
	COL_PHASE,
	COL_ACTION,
	COL_RESOURCE,
	COL_REASON,
	COL_BY,
	COL_COUNTED,
	COL_TYPE,
	COL_SEQ,
	COL_ID,
	COL_DOOR,
	COL_DAEMON,
	COL_HOST,
	COL_METHOD,
	COL_CANONICAL,
	COL_PLACE,
	COL_POLICY,
	COL_STATUS,
	COL_MESSAGE,
	COL_COUNT
};

static const struct cli_column columns[COL_COUNT] = {
    [COL_TIME] = {.name = "time", .width = 20},
    [COL_VERDICT] = {.name = "verdict", .width = 10},
    [COL_USER] = {.name = "user", .width = 16},
    [COL_TEAM] = {.name = "team", .width = 12},
    [COL_PHASE] = {.name = "phase", .width = 10},
    [COL_ACTION] = {.name = "action", .width = 18},
    [COL_RESOURCE] = {.name = "resource", .width = 16},
    [COL_REASON] = {.name = "reason", .width = 14},
    [COL_BY] = {.name = "by"},
    [COL_COUNTED] = {.name = "times", .right = true, .hidden = true},
    [COL_TYPE] = {.name = "type", .hidden = true},
    [COL_SEQ] = {.name = "seq", .right = true, .hidden = true},
    [COL_ID] = {.name = "id", .hidden = true},
    [COL_DOOR] = {.name = "door", .hidden = true},
    [COL_DAEMON] = {.name = "daemon", .hidden = true},
    [COL_HOST] = {.name = "host", .hidden = true},
    [COL_METHOD] = {.name = "method", .hidden = true},
    [COL_CANONICAL] = {.name = "canonical", .hidden = true},
    [COL_PLACE] = {.name = "place", .hidden = true},
    [COL_POLICY] = {.name = "policy", .hidden = true},
    [COL_STATUS] = {.name = "status", .right = true, .hidden = true},
    [COL_MESSAGE] = {.name = "message", .hidden = true},
};

/* --- what is wanted -------------------------------------------------------- */

struct wanted {
	const struct options *o;
	char since[32], until[32]; /* as in lines; "": no bound */
	uint64_t last;
	bool has_last;
};

/* "2026-11-22T10:16" and shorter and longer; all of it is a prefix. */
static bool
is_timestamp(const char *s)
{
	static const char shape[] = "0000-00-00T00:00:00.000000Z";
	size_t n = strlen(s);

	if (n < 4 || n >= sizeof shape)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (shape[i] == '0' ? s[i] < '0' || s[i] > '9'
				    : s[i] != shape[i])
			return false;
	}
	return true;
}

static uint64_t
unit(char c)
{
	return c == 's' ? 1
	    : c == 'm'  ? 60
	    : c == 'h'  ? 3600
	    : c == 'd'  ? 86400
	    : c == 'w'  ? 604800
			: 0;
}

/* Fills out with what times are compared with; false: not understood. */
static bool
read_time(const char *s, char out[32])
{
	struct pr_str text = pr_str_of(s);
	uint64_t n, seconds = text.n > 1 ? unit(text.p[text.n - 1]) : 0;

	out[0] = '\0';
	if (s == NULL)
		return true;
	if (is_timestamp(s)) {
		(void)snprintf(out, 32, "%s", s);
		return true;
	}
	if (seconds == 0 || !pr_str_u64(pr_str_sub(text, 0, text.n - 1), &n) ||
	    n > 1000000000 / seconds)
		return false;
	pr_clock_format(pr_clock_wall() - (int64_t)(n * seconds * PR_SEC), out);
	return true;
}

static int
read_wanted(const struct cli *cli, const struct options *o, struct wanted *w)
{
	static const char *const verdicts[] = {"allow", "deny", "would-deny"};
	static const char *const reasons[] = {
#define X(id, code) code,
	    PR_REASONS(X)
#undef X
	};
	bool known = o->verdict == NULL, reason = o->reason == NULL;

	*w = (struct wanted){.o = o, .has_last = o->follow, .last = 10};
	if (!read_time(o->since, w->since) || !read_time(o->until, w->until))
		return cli_usage(cli,
		    "a time is 90s, 15m, 2h, 7d, or "
		    "2026-11-22T10:16 (UTC)");
	if (o->last != NULL) {
		w->has_last = true;
		if (!pr_str_u64(pr_str_of(o->last), &w->last) ||
		    w->last > 1000000)
			return cli_usage(
			    cli, "-n takes a number up to 1000000");
	}
	for (size_t i = 0; i < PR_COUNT(verdicts); i++)
		known |=
		    o->verdict != NULL && strcmp(o->verdict, verdicts[i]) == 0;
	if (!known)
		return cli_unknown(
		    cli, "verdict", o->verdict, verdicts, PR_COUNT(verdicts));
	for (size_t i = 0; i < PR_COUNT(reasons); i++)
		reason |=
		    o->reason != NULL && strcmp(o->reason, reasons[i]) == 0;
	return reason
	    ? CLI_OK
	    : cli_unknown(cli, "reason", o->reason, reasons, PR_COUNT(reasons));
}

static struct pr_str
get(const json_t *v, const char *key)
{
	const json_t *s = json_object_get(v, key);

	return (struct pr_str){json_string_value(s), json_string_length(s)};
}

static bool
matches(const char *pattern, struct pr_str s)
{
	return pattern == NULL || pr_glob(pr_str_of(pattern), s, 0);
}

/* "alice" is alice of every source, "lab:alice" that one alone. */
static bool
is_user(const char *user, struct pr_str subject)
{
	struct pr_str name = subject;

	pr_str_cut(&name, ':');
	return matches(user, subject) ||
	    (name.p != NULL && matches(user, name));
}

static bool
team_matches(const char *team, const json_t *v)
{
	const json_t *teams = json_object_get(v, "teams"), *t;
	size_t i;

	if (team == NULL || matches(team, get(v, "team")))
		return true;
	json_array_foreach(teams, i, t)
	{
		if (matches(team, get(t, "name")))
			return true;
	}
	return false;
}

static bool
in_time(const struct wanted *w, struct pr_str time)
{
	return (w->since[0] == '\0' ||
		   pr_str_cmp(time, pr_str_of(w->since)) >= 0) &&
	    (w->until[0] == '\0' || pr_str_cmp(time, pr_str_of(w->until)) < 0);
}

static bool
is_wanted(const struct wanted *w, const json_t *v)
{
	const struct options *o = w->o;
	bool decision = pr_str_is(get(v, "type"), "decision");
	bool filtered = o->team != NULL || o->user != NULL ||
	    o->phase != NULL || o->verdict != NULL || o->reason != NULL;

	if (!in_time(w, get(v, "time")))
		return false;
	if (o->id != NULL)
		return pr_str_is(get(v, "id"), o->id);
	if (!decision)
		return o->all && !filtered &&
		    matches(o->action, get(v, "action"));
	return team_matches(o->team, v) &&
	    is_user(o->user, get(json_object_get(v, "subject"), "name")) &&
	    matches(o->phase, get(v, "phase")) &&
	    matches(o->action, get(v, "action")) &&
	    (o->verdict == NULL || pr_str_is(get(v, "verdict"), o->verdict)) &&
	    (o->reason == NULL || pr_str_is(get(v, "reason"), o->reason));
}

/* --- printing -------------------------------------------------------------- */

struct printer {
	struct cli *cli;
	enum cli_format format;
	struct cli_column cols[COL_COUNT];
	struct cli_rows *rows; /* table and CSV; the others print the lines */
	uint64_t printed;
};

static void
cell(struct printer *p, struct pr_str s)
{
	if (s.n > 0)
		cli_cell(p->rows, s);
	else
		cli_cell_null(p->rows);
}

static void
cell_number(struct printer *p, const json_t *v)
{
	if (json_is_integer(v))
		cli_cell_i64(p->rows, json_integer_value(v));
	else
		cli_cell_null(p->rows);
}

static struct pr_str
first_of(const json_t *v, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (get(v, keys[i]).n > 0)
			return get(v, keys[i]);
	}
	return (struct pr_str){NULL, 0};
}

static void
cell_verdict(struct printer *p, const json_t *v)
{
	struct pr_str verdict = get(v, "verdict");

	cli_cell_paint(p->rows,
	    pr_str_is(verdict, "allow")      ? CLI_GREEN
		: pr_str_is(verdict, "deny") ? CLI_RED
					     : CLI_YELLOW);
	cell(p, verdict.n > 0 ? verdict : get(v, "type"));
}

static void
cell_place(struct printer *p, const json_t *v)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	json_int_t line = json_integer_value(json_object_get(v, "line"));

	pr_buf_str(&b, get(v, "file"));
	if (line > 0) {
		pr_buf_char(&b, ':');
		pr_buf_i64(&b, line);
	}
	cell(p, pr_buf_view(&b));
}

static void
print_row(struct printer *p, const json_t *v)
{
	static const char *const by[] = {"guard", "profile", "grant", "role"};
	static const char *const name[] = {"name", "id", "kind"};
	const json_t *ids = json_object_get(v, "ids");
	const json_t *resource = json_object_get(v, "resource");
	struct pr_str time = get(v, "time");

	/* to the second, where a person reads */
	if (p->format == CLI_TABLE)
		time = pr_str_sub(time, 0, 19);
	cell(p, time);
	cell_verdict(p, v);
	cell(p, get(json_object_get(v, "subject"), "name"));
	cell(p, get(v, "team"));
	cell(p, get(v, "phase"));
	cell(p, get(v, "action"));
	cell(p,
	    json_is_string(resource)
		? get(v, "resource")
		: first_of(resource, name, PR_COUNT(name)));
	cell(p, get(v, "reason"));
	cell(p, first_of(ids, by, PR_COUNT(by)));
	cell_number(p, json_object_get(json_object_get(v, "folded"), "count"));
	cell(p, get(v, "type"));
	cell_number(p, json_object_get(v, "seq"));
	cell(p, get(v, "id"));
	cell(p, get(v, "door"));
	cell(p, get(v, "daemon"));
	cell(p, get(v, "host"));
	cell(p, get(v, "method"));
	cell(p, get(v, "canonical"));
	cell_place(p, v);
	cell(p, get(v, "policy"));
	cell_number(p, json_object_get(v, "status"));
	cell(p, get(v, "message"));
}

static void
print_line(struct printer *p, struct pr_str line, const json_t *v)
{
	if (p->format == CLI_JSON)
		fputs(p->printed > 0 ? ",\n" : "[\n", p->cli->out);
	p->printed++;
	if (p->rows != NULL) {
		print_row(p, v);
		return;
	}
	fwrite(line.p, 1, line.n, p->cli->out);
	if (p->format == CLI_JSONL)
		fputc('\n', p->cli->out);
}

static void
printer_begin(struct printer *p, struct cli *cli, const struct options *o)
{
	*p = (struct printer){.cli = cli, .format = o->format};
	memcpy(p->cols, columns, sizeof columns);
	for (size_t i = 0; i < COL_COUNT; i++)
		p->cols[i].hidden &= !o->wide;
	if (o->format == CLI_JSON || o->format == CLI_JSONL)
		return;
	p->rows = cli_rows_new(cli, o->format, p->cols, COL_COUNT);
	if (o->follow)
		cli_rows_live(p->rows);
}

static void
printer_end(struct printer *p)
{
	if (p->format == CLI_JSON)
		fputs(p->printed > 0 ? "\n]\n" : "[]\n", p->cli->out);
	if (p->rows != NULL)
		cli_rows_end(p->rows);
}

/* --- the last N -------------------------------------------------------------- */

struct ring {
	struct pr_buf *v;
	size_t n, at, filled;
};

static void
ring_put(struct ring *r, struct pr_str line)
{
	if (r->n == 0)
		return;
	pr_buf_reset(&r->v[r->at]);
	pr_buf_str(&r->v[r->at], line);
	r->at = (r->at + 1) % r->n;
	r->filled += r->filled < r->n;
}

static json_t *
parse(struct pr_str line)
{
	return json_loadb(
	    line.p, line.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
}

static void
ring_print(struct ring *r, struct printer *p)
{
	for (size_t i = 0; i < r->filled; i++) {
		size_t at = (r->at + r->n - r->filled + i) % r->n;
		json_t *v = parse(pr_buf_view(&r->v[at]));

		print_line(p, pr_buf_view(&r->v[at]), v);
		json_decref(v);
	}
	for (size_t i = 0; i < r->n; i++)
		pr_buf_fini(&r->v[i]);
	free(r->v);
	*r = (struct ring){0};
}

/* --- the command -------------------------------------------------------------- */

/* All that is there now; into the ring, or printed if it is NULL. */
static int
drain(struct log_source *s, const struct wanted *w, struct printer *p,
    struct ring *ring, uint64_t *unread, struct pr_err **err)
{
	struct pr_str line;
	int rc;

	while ((rc = log_source_next(s, w->o->follow, &line, err)) == 1) {
		json_t *v;

		/* most lines of a long log are older: no need to read them */
		if (!in_time(w, log_line_time(line)))
			continue;
		v = parse(line);
		if (v == NULL || pr_log_line_fault(line) != NULL)
			++*unread;
		else if (!is_wanted(w, v))
			;
		else if (ring != NULL)
			ring_put(ring, line);
		else
			print_line(p, line, v);
		json_decref(v);
	}
	return rc;
}

static int
show(struct log_source *s, const struct wanted *w, struct printer *p,
    uint64_t *unread, struct pr_err **err)
{
	const struct timespec pause = {.tv_nsec = 200000000};
	struct ring ring = {.n = w->last};
	int rc;

	if (!w->has_last)
		return drain(s, w, p, NULL, unread, err);
	ring.v = pr_xcalloc(ring.n + 1, sizeof *ring.v);
	rc = drain(s, w, p, &ring, unread, err);
	ring_print(&ring, p);
	while (rc == 0 && w->o->follow) {
		if (fflush(p->cli->out) != 0)
			return 0; /* who read it has gone */
		nanosleep(&pause, NULL);
		rc = drain(s, w, p, NULL, unread, err);
	}
	return rc;
}

static int
run(struct cli *cli, const void *opts)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	const struct options *o = opts;
	struct log_source *s;
	struct wanted w;
	struct printer p;
	uint64_t unread = 0;
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	const char *dir;
	int rc = read_wanted(cli, o, &w);

	if (rc != CLI_OK)
		return rc;
	dir = log_dir(a, o->dir, o->config, cli->err);
	if (dir == NULL)
		return CLI_CONFIG;
	s = log_source_open(dir, o->door, &err);
	if (s == NULL)
		return cli_failed(cli, err);
	printer_begin(&p, cli, o);
	rc = show(s, &w, &p, &unread, &err);
	printer_end(&p);
	log_source_free(s);
	if (unread > 0)
		cli_error(cli,
		    "%llu lines are none of this log's; see portreeve log "
		    "verify",
		    (unsigned long long)unread);
	if (rc < 0)
		return cli_failed(cli, err);
	return unread > 0 ? CLI_FAILURE : CLI_OK;
}

const struct cli_command cli_cmd_log = {
    .name = "log",
    .args = "",
    .text = "Read the decision log",
    .help =
	"Decisions in the order of their times, filtered; -o jsonl and json\n"
	"print the records as they stand in the log. It proves nothing:\n"
	"see `portreeve log verify`.\n",
    .examples = "portreeve log --since 1h --verdict deny\n"
		"portreeve log -f --user \"alice*\"\n"
		"portreeve log --phase production --since 90d -o csv\n",
    .options = options,
    .n_options = PR_COUNT(options),
    .size = sizeof(struct options),
    .run = run,
};
