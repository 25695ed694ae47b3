/* SPDX-License-Identifier: Apache-2.0 */
/* What the admin socket tells: ready or not, and the numbers. */
#include <stdio.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/confine.h>
#include <portreeve/version.h>

#include "plugin.h"

/* Engines from here on let gRPC over HTTP/2 pass round AuthZ (DESIGN 2). */
#define GRPC_BYPASS_MAJOR 29
#define GRPC_BYPASS_MINOR 2

static bool PR_PRINTF(3, 4)
    check(struct pr_buf *text, bool ok, const char *fmt, ...)
{
	va_list ap;

	pr_buf_cstr(text, ok ? "ok      " : "not ok  ");
	va_start(ap, fmt);
	pr_buf_vprintf(text, fmt, ap);
	va_end(ap);
	pr_buf_char(text, '\n');
	return ok;
}

/* "29.2.1+dfsg1": major and minor; false: not such a version. */
static bool
engine_version(struct pr_str s, uint64_t *major, uint64_t *minor)
{
	struct pr_str first = pr_str_cut(&s, '.');
	size_t digits = 0;

	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	return pr_str_u64(first, major) &&
	    pr_str_u64(pr_str_sub(s, 0, digits), minor);
}

static bool
check_daemon(struct plugin *p, struct pr_buf *text)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	struct pr_daemon_facts facts;
	uint64_t major, minor;
	bool ok;

	if (!pr_inventory_daemon(pr_judge_inventory(p->judge), a, &facts))
		return check(text, false, "daemon: not seen yet at %s",
		    p->config.daemon.socket);
	ok = check(text, true, "daemon: engine %.*s, API %.*s",
	    PR_STRF(facts.engine), PR_STRF(facts.api_version));
	if (p->config.plugin.accept_grpc_bypass)
		return ok;
	if (!engine_version(facts.engine, &major, &minor))
		return check(text, false,
		    "grpc: cannot tell what engine that is (plugin: "
		    "{accept_grpc_bypass: true} takes it)");
	return check(text,
		   major < GRPC_BYPASS_MAJOR ||
		       (major == GRPC_BYPASS_MAJOR &&
			   minor < GRPC_BYPASS_MINOR),
		   "grpc: engines from %d.%d let gRPC pass round the plugin",
		   GRPC_BYPASS_MAJOR, GRPC_BYPASS_MINOR) &&
	    ok;
}

static bool
check_directory(struct plugin *p, struct pr_buf *text)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf why = PR_BUF_INIT;
	static const char *const types[] = {[PR_DIRECTORY_UNSET] = "none",
	    [PR_DIRECTORY_LDIF] = "ldif",
	    [PR_DIRECTORY_LDAP] = "ldap"};

	if (!pr_judge_directory_ready(p->judge, &why))
		return check(text, false, "%.*s", PR_STRF(pr_buf_view(&why)));
	return check(
	    text, true, "directory: %s", types[p->config.directory.type]);
}

bool
plugin_ready(struct plugin *p, struct pr_buf *text)
{
	char hash[65];
	bool ok = true;

	pr_judge_policy_hash(p->judge, hash);
	ok &= check(text, hash[0] != '\0', "policy: %s", hash);
	ok &= check(
	    text, pr_audit_healthy(p->audit), "audit: %s", p->config.audit.dir);
	ok &= check_daemon(p, text);
	ok &= check_directory(p, text);
	(void)check(text, true, "confinement: %s", pr_confined());
	ok &= check(text, flights_overdue(p->flights) < 5 * PR_SEC,
	    "event loop: answers");
	return ok;
}

static void
member(struct pr_buf *b, const char *name, uint64_t v)
{
	pr_buf_printf(b, ",\"%s\":%llu", name, (unsigned long long)v);
}

static void
add_inventory(struct plugin *p, struct pr_buf *b)
{
	struct pr_inventory_stats s;

	pr_inventory_stats(pr_judge_inventory(p->judge), &s);
	pr_buf_printf(
	    b, ",\"inventory\":{\"events\":%s", s.events ? "true" : "false");
	member(b, "lookups", s.lookups);
	member(b, "hits", s.hits);
	member(b, "shared", s.shared);
	member(b, "failed", s.failed);
	member(b, "refused", s.refused);
	member(b, "reconnects", s.reconnects);
	member(b, "in_flight", s.in_flight);
	member(b, "cached", s.cached);
	pr_buf_char(b, '}');
}

static void
add_audit(struct plugin *p, struct pr_buf *b)
{
	struct pr_audit_stats s;

	pr_audit_stats(p->audit, &s);
	pr_buf_printf(
	    b, ",\"audit\":{\"healthy\":%s", s.healthy ? "true" : "false");
	member(b, "records", s.records);
	member(b, "bytes", s.bytes);
	member(b, "commits", s.commits);
	member(b, "segments", s.segments);
	member(b, "failures", s.failures);
	member(b, "refused", s.refused);
	member(b, "lost", s.lost);
	member(b, "folded", s.folded);
	member(b, "dropped", s.dropped);
	pr_buf_char(b, '}');
}

static void
add_calls(struct plugin *p, struct pr_buf *b)
{
	struct server_counts s;
	struct flight_counts c;

	server_counts(p->server, &s);
	flights_counts(p->flights, &c);
	pr_buf_printf(b, ",\"calls\":{\"connections\":%u", s.connections);
	member(b, "accepted", s.accepted);
	member(b, "refused_peers", s.refused);
	member(b, "unknown", s.unknown);
#define X(field, text) member(b, #field, c.field);
	FLIGHT_COUNTS(X)
#undef X
	pr_buf_char(b, '}');
}

static void
add_engine(struct plugin *p, struct pr_buf *b)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	struct pr_daemon_facts facts;

	pr_buf_cstr(b, ",\"engine\":");
	if (pr_inventory_daemon(pr_judge_inventory(p->judge), a, &facts))
		pr_buf_json(b, facts.engine);
	else
		pr_buf_cstr(b, "null");
}

void
plugin_status(struct plugin *p, struct pr_buf *b)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf checks = PR_BUF_INIT;
	char hash[65];

	pr_judge_policy_hash(p->judge, hash);
	pr_buf_printf(b,
	    "{\"version\":\"" PR_VERSION "\",\"pid\":%d,\"door\":\"plugin\","
	    "\"ready\":%s",
	    (int)getpid(), plugin_ready(p, &checks) ? "true" : "false");
	member(b, "uptime_s", (pr_clock_now() - p->started) / PR_SEC);
	pr_buf_printf(b, ",\"policy\":\"%s\"", hash);
	member(b, "policy_serial", pr_judge_policy_serial(p->judge));
	add_engine(p, b);
	member(b, "reloads", p->reloads);
	member(b, "reloads_failed", p->reloads_failed);
	add_calls(p, b);
	add_audit(p, b);
	add_inventory(p, b);
	pr_buf_cstr(b, "}\n");
}
