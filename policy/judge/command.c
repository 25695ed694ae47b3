/* SPDX-License-Identifier: Apache-2.0 */
/* A docker command line as a request. */
#include "command.h"

#include <stdarg.h>
#include <string.h>

#include <portreeve/caps.h>

int
command_fail(struct command *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	c->why = pr_arena_vprintf(c->arena, fmt, ap);
	va_end(ap);
	return -1;
}

void
command_escape(struct pr_buf *b, struct pr_str s, bool query)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];
		bool plain = (ch >= 'a' && ch <= 'z') ||
		    (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
		    strchr("-_.~", ch) != NULL || (!query && ch == '/') ||
		    ch == ':';

		if (plain && ch != '\0')
			pr_buf_char(b, (char)ch);
		else
			pr_buf_printf(b, "%%%02X", ch);
	}
}

void
command_set(struct pr_call *call, const char *method, struct pr_str target)
{
	call->method = pr_str_of(method);
	call->target = target;
	call->max_body = PR_CAP_PLUGIN_BODY;
}

void
command_set_json(
    struct command *c, struct pr_call *call, const struct pr_buf *body)
{
	struct pr_header *h = pr_arena_array(c->arena, 1, sizeof *h);

	*h = (struct pr_header){
	    PR_STR("Content-Type"), PR_STR("application/json")};
	call->headers = h;
	call->n_headers = 1;
	call->body = pr_arena_str(c->arena, pr_buf_view(body));
	call->body_shown = true;
}

/*
 * Commands that name at most one object and send no body: %1 is the first
 * operand, %2 the second.
 */
static const struct {
	const char *words, *method, *target;
} simple[] = {
    {"ps", "GET", "/v1.41/containers/json"},
    {"container ls", "GET", "/v1.41/containers/json"},
    {"start", "POST", "/v1.41/containers/%1/start"},
    {"stop", "POST", "/v1.41/containers/%1/stop"},
    {"restart", "POST", "/v1.41/containers/%1/restart"},
    {"kill", "POST", "/v1.41/containers/%1/kill"},
    {"pause", "POST", "/v1.41/containers/%1/pause"},
    {"unpause", "POST", "/v1.41/containers/%1/unpause"},
    {"wait", "POST", "/v1.41/containers/%1/wait"},
    {"rm", "DELETE", "/v1.41/containers/%1"},
    {"logs", "GET", "/v1.41/containers/%1/logs?stdout=1&stderr=1"},
    {"top", "GET", "/v1.41/containers/%1/top"},
    {"stats", "GET", "/v1.41/containers/%1/stats"},
    {"inspect", "GET", "/v1.41/containers/%1/json"},
    {"diff", "GET", "/v1.41/containers/%1/changes"},
    {"export", "GET", "/v1.41/containers/%1/export"},
    {"attach", "POST",
	"/v1.41/containers/%1/attach?stdin=1&stdout=1&stderr=1&stream=1"},
    {"rename", "POST", "/v1.41/containers/%1/rename?name=%2"},
    {"images", "GET", "/v1.41/images/json"},
    {"pull", "POST", "/v1.41/images/create?fromImage=%1"},
    {"push", "POST", "/v1.41/images/%1/push"},
    {"rmi", "DELETE", "/v1.41/images/%1"},
    {"history", "GET", "/v1.41/images/%1/history"},
    {"tag", "POST", "/v1.41/images/%1/tag?repo=%2"},
    {"build", "POST", "/v1.41/build"},
    {"info", "GET", "/v1.41/info"},
    {"version", "GET", "/v1.41/version"},
    {"events", "GET", "/v1.41/events"},
    {"system df", "GET", "/v1.41/system/df"},
    {"volume ls", "GET", "/v1.41/volumes"},
    {"volume inspect", "GET", "/v1.41/volumes/%1"},
    {"volume rm", "DELETE", "/v1.41/volumes/%1"},
    {"network ls", "GET", "/v1.41/networks"},
    {"network inspect", "GET", "/v1.41/networks/%1"},
    {"network rm", "DELETE", "/v1.41/networks/%1"},
    {"container prune", "POST", "/v1.41/containers/prune"},
    {"image prune", "POST", "/v1.41/images/prune"},
    {"volume prune", "POST", "/v1.41/volumes/prune"},
    {"network prune", "POST", "/v1.41/networks/prune"},
    {"node ls", "GET", "/v1.41/nodes"},
    {"service ls", "GET", "/v1.41/services"},
    {"secret ls", "GET", "/v1.41/secrets"},
    {"config ls", "GET", "/v1.41/configs"},
    {"plugin ls", "GET", "/v1.41/plugins"},
    {"plugin disable", "POST", "/v1.41/plugins/%1/disable"},
    {"plugin rm", "DELETE", "/v1.41/plugins/%1"},
    {"swarm leave", "POST", "/v1.41/swarm/leave"},
};

static int
fill_target(struct command *c, const char *method, const char *template,
    bool exact, struct pr_call *call)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	struct pr_header *h = pr_arena_array(c->arena, 1, sizeof *h);
	size_t most = 0; /* operands that the template takes */

	for (const char *t = template; *t != '\0'; t++) {
		size_t i;

		if (*t == '%' && (size_t)(t[1] - '0') > most)
			most = (size_t)(t[1] - '0');
		if (*t != '%') {
			pr_buf_char(&b, *t);
			continue;
		}
		i = c->at + (size_t)(*++t - '1');
		if (i >= c->n)
			return command_fail(c, "an operand is missing");
		command_escape(&b, c->words[i],
		    strchr(template, '?') != NULL && strchr(template, '?') < t);
	}
	/* "stop -t 5 web" would stop container 5 */
	if (exact && most > 0 && c->n - c->at > most)
		return command_fail(c,
		    "there is a word too many: one command names one object, "
		    "and flags are written as --flag=value");
	command_set(call, method, pr_arena_str(c->arena, pr_buf_view(&b)));
	*h = (struct pr_header){PR_STR("Content-Length"), PR_STR("0")};
	call->headers = h;
	call->n_headers = strcmp(method, "GET") != 0;
	return 0;
}

/* Flags of the simple commands change nothing that a policy judges. */
static void
drop_flags(struct command *c)
{
	size_t n = c->at;

	for (size_t i = c->at; i < c->n; i++) {
		if (c->words[i].n > 0 && c->words[i].p[0] != '-')
			c->words[n++] = c->words[i];
	}
	c->n = n;
}

static bool
begins_with(struct command *c, const char *words)
{
	struct pr_str rest = pr_str_of(words);
	size_t i = c->at;

	while (rest.p != NULL) {
		if (i == c->n ||
		    !pr_str_eq(c->words[i], pr_str_cut(&rest, ' ')))
			return false;
		i++;
	}
	c->at = i;
	return true;
}

/* docker exec [--privileged] [-u USER] [-it] NAME COMMAND... */
static int
read_exec(struct command *c, struct pr_call *call)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf body = PR_BUF_INIT;
	struct pr_str user = {NULL, 0};
	bool privileged = false;
	const char *target = "/v1.41/containers/%1/exec";

	while (c->at < c->n && c->words[c->at].n > 1 &&
	    c->words[c->at].p[0] == '-') {
		struct pr_str word = c->words[c->at++];

		if (pr_str_is(word, "--privileged")) {
			privileged = true;
		} else if (pr_str_starts(word, "--user=")) {
			user = pr_str_sub(word, 7, word.n);
		} else if (pr_str_is(word, "-u") || pr_str_is(word, "--user")) {
			if (c->at == c->n)
				return command_fail(c, "-u wants a user");
			user = c->words[c->at++];
		}
	}
	if (fill_target(c, "POST", target, false, call) < 0)
		return -1;
	pr_buf_printf(&body,
	    "{\"Privileged\":%s,\"User\":", privileged ? "true" : "false");
	pr_buf_json(&body, user);
	pr_buf_cstr(&body, ",\"Cmd\":[");
	for (size_t i = c->at + 1; i < c->n; i++) {
		pr_buf_cstr(&body, i > c->at + 1 ? "," : "");
		pr_buf_json(&body, c->words[i]);
	}
	pr_buf_cstr(&body, "]}");
	command_set_json(c, call, &body);
	return 0;
}

/* Words parted by blanks; '...' and "..." hold them together. */
static int
split(struct command *c, struct pr_str line)
{
	char *out = pr_arena_bytes(c->arena, line.n + 1);
	size_t i = 0;

	c->words = pr_arena_array(c->arena, line.n + 1, sizeof *c->words);
	while (i < line.n) {
		char quote = 0;
		char *begin = out;

		if (line.p[i] == ' ' || line.p[i] == '\t' ||
		    line.p[i] == '\n') {
			i++;
			continue;
		}
		for (; i < line.n; i++) {
			char ch = line.p[i];

			if (quote == 0 &&
			    (ch == ' ' || ch == '\t' || ch == '\n'))
				break;
			if (quote == 0 && (ch == '\'' || ch == '"'))
				quote = ch;
			else if (ch == quote)
				quote = 0;
			else
				*out++ = ch;
		}
		if (quote != 0)
			return command_fail(c, "a quote is not closed");
		c->words[c->n++] =
		    (struct pr_str){begin, (size_t)(out - begin)};
	}
	return 0;
}

int
pr_docker_command(struct pr_arena *a, struct pr_str line, struct pr_call *call,
    const char **why)
{
	struct command c = {.arena = a};
	int rc = split(&c, line);

	*call = (struct pr_call){.max_body = PR_CAP_PLUGIN_BODY};
	if (rc == 0 && !begins_with(&c, "docker"))
		rc = command_fail(&c, "the command does not begin with docker");
	if (rc == 0) {
		size_t start = c.at, i = 0;

		if (begins_with(&c, "container"))
			start = c.at;
		if (begins_with(&c, "run") || begins_with(&c, "create")) {
			rc = command_run(&c, call);
		} else if (begins_with(&c, "exec")) {
			rc = read_exec(&c, call);
		} else {
			for (; i < PR_COUNT(simple); i++) {
				c.at = start;
				if (begins_with(&c, simple[i].words))
					break;
				c.at = 1;
				if (begins_with(&c, simple[i].words))
					break;
			}
			if (i == PR_COUNT(simple)) {
				rc = command_fail(&c,
				    "this command is not known here; write the "
				    "request with request: instead");
			} else {
				drop_flags(&c);
				rc = fill_target(&c, simple[i].method,
				    simple[i].target, true, call);
			}
		}
	}
	*why = c.why;
	return rc;
}
