/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <sys/resource.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/version.h>

#include "plugin.h"

#define PREFIX "portreeve_"

static const char *const stages[] =
    {[CALL_REQUEST] = "request", [CALL_RESPONSE] = "response"};

static void
head(struct pr_buf *b, const char *name, const char *type, const char *help)
{
	pr_buf_printf(b, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n",
	    name, help, name, type);
}

static void
one(struct pr_buf *b, const char *name, const char *type, const char *help,
    uint64_t v)
{
	head(b, name, type, help);
	pr_buf_printf(b, PREFIX "%s %llu\n", name, (unsigned long long)v);
}

static void
counter(struct pr_buf *b, const char *name, const char *help, uint64_t v)
{
	one(b, name, "counter", help, v);
}

static void
gauge(struct pr_buf *b, const char *name, const char *help, uint64_t v)
{
	one(b, name, "gauge", help, v);
}

/* --- decisions ---------------------------------------------------------- */

/* Rows that are always there, so that a rate can be taken of the first one. */
static bool
is_usual(size_t stage, size_t allowed, size_t reason)
{
	bool allows = reason >= PR_REASON_GRANT;

	return reason != PR_REASON_NONE && stage == CALL_REQUEST &&
	    allows == (allowed == 1);
}

static void
print_decisions(struct pr_buf *b, const struct flight_meter *m)
{
	head(b, "decisions_total", "counter",
	    "Decisions, by stage, verdict and reason");
	for (size_t s = 0; s < 2; s++)
		for (size_t ok = 0; ok < 2; ok++)
			for (size_t r = 0; r < PR_REASON_COUNT; r++) {
				uint64_t n = m->verdicts[s][ok][r];

				if (n == 0 && !is_usual(s, ok, r))
					continue;
				pr_buf_printf(b,
				    PREFIX "decisions_total{stage=\"%s\","
					   "verdict=\"%s\",reason=\"%s\"} "
					   "%llu\n",
				    stages[s], ok != 0 ? "allow" : "deny",
				    pr_reason_code((enum pr_reason)r),
				    (unsigned long long)n);
			}
	counter(b, "would_deny_total",
	    "Allowed in complain mode: enforcing would deny", m->would_deny);
}

static void
print_seconds(struct pr_buf *b, uint64_t us)
{
	pr_buf_printf(b, "%llu.%06llu", (unsigned long long)(us / 1000000),
	    (unsigned long long)(us % 1000000));
}

static void
print_latency(struct pr_buf *b, const struct flight_meter *m)
{
	head(b, "answer_duration_seconds", "histogram",
	    "From the whole call to its answer");
	for (size_t s = 0; s < 2; s++) {
		uint64_t n = 0;

		for (size_t i = 0; i < FLIGHT_TIMES; i++) {
			n += m->took[s][i];
			pr_buf_printf(b,
			    PREFIX "answer_duration_seconds_bucket{"
				   "stage=\"%s\",le=\"",
			    stages[s]);
			print_seconds(b, flight_times[i]);
			pr_buf_printf(b, "\"} %llu\n", (unsigned long long)n);
		}
		n += m->took[s][FLIGHT_TIMES];
		pr_buf_printf(b,
		    PREFIX "answer_duration_seconds_bucket{stage=\"%s\","
			   "le=\"+Inf\"} %llu\n",
		    stages[s], (unsigned long long)n);
		pr_buf_printf(b,
		    PREFIX "answer_duration_seconds_sum{stage=\"%s\"} ",
		    stages[s]);
		print_seconds(b, m->took_us[s]);
		pr_buf_printf(b,
		    "\n" PREFIX
		    "answer_duration_seconds_count{stage=\"%s\"} %llu\n",
		    stages[s], (unsigned long long)n);
	}
}

/* --- the parts ---------------------------------------------------------- */

static void
print_calls(struct plugin *p, struct pr_buf *b)
{
	struct server_counts s;
	struct flight_counts c;
	struct flight_meter m;

	flights_meter(p->flights, &m);
	print_decisions(b, &m);
	print_latency(b, &m);
	flights_counts(p->flights, &c);
#define X(field, text) counter(b, "calls_" #field "_total", text, c.field);
	FLIGHT_COUNTS(X)
#undef X
	server_counts(p->server, &s);
	gauge(b, "connections", "Connections of dockerd now", s.connections);
	counter(b, "connections_accepted_total", "Connections", s.accepted);
	counter(b, "connections_refused_total",
	    "Connections of users that may not call", s.refused);
	counter(b, "calls_unknown_total", "Calls of no endpoint", s.unknown);
	gauge(b, "overdue_seconds",
	    "How long the oldest answer has not been sent in time",
	    flights_overdue(p->flights) / PR_SEC);
}

static void
print_audit(struct plugin *p, struct pr_buf *b)
{
	struct pr_audit_stats s;

	pr_audit_stats(p->audit, &s);
	gauge(b, "audit_healthy",
	    "0: allows are refused, no record can be made", s.healthy);
	counter(b, "audit_records_total", "Lines written", s.records);
	counter(b, "audit_bytes_total", "Bytes written", s.bytes);
	counter(b, "audit_commits_total", "fdatasync calls", s.commits);
	counter(b, "audit_segments_total", "Segments begun", s.segments);
	counter(b, "audit_failures_total", "Segments given up for an error",
	    s.failures);
	counter(
	    b, "audit_refused_total", "Allows that found no room", s.refused);
	counter(b, "audit_lost_total",
	    "Allows without a record (failure: allow)", s.lost);
	counter(
	    b, "audit_folded_total", "Denials that are only counted", s.folded);
	counter(b, "audit_dropped_total", "Denials and outcomes not written",
	    s.dropped);
}

static void
print_inventory(struct plugin *p, struct pr_buf *b)
{
	struct pr_inventory_stats s;

	pr_inventory_stats(pr_judge_inventory(p->judge), &s);
	gauge(b, "inventory_events_up", "1: the daemon's event stream stands",
	    s.events);
	counter(b, "inventory_lookups_total", "Asked of the daemon", s.lookups);
	counter(b, "inventory_hits_total", "Answered from memory", s.hits);
	counter(b, "inventory_shared_total", "Waited for another's look-up",
	    s.shared);
	counter(b, "inventory_failed_total", "Look-ups that failed", s.failed);
	counter(b, "inventory_refused_total", "Look-ups beyond the limit",
	    s.refused);
	counter(b, "inventory_reconnects_total", "Event streams begun anew",
	    s.reconnects);
	gauge(b, "inventory_in_flight", "Look-ups now", s.in_flight);
	gauge(b, "inventory_cached", "Objects in memory", s.cached);
}

static void
print_policy(struct plugin *p, struct pr_buf *b)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf ignored = PR_BUF_INIT;

	head(b, "build_info", "gauge", "Always 1; the version is the label");
	pr_buf_cstr(b, PREFIX "build_info{version=\"" PR_VERSION "\"} 1\n");
	gauge(
	    b, "ready", "1: ready, as /readyz says", plugin_ready(p, &ignored));
	gauge(b, "directory_up", "1: the directory can be asked",
	    pr_judge_directory_ready(p->judge, &ignored));
	gauge(b, "policy_number",
	    "First 48 bits of the policy's hash: the same on hosts with the "
	    "same policy",
	    pr_judge_policy_number(p->judge));
	gauge(b, "policy_loaded_timestamp_seconds",
	    "When the policy in force was read", p->policy_since);
	head(b, "reloads_total", "counter", "Reloads of the policy, by result");
	pr_buf_printf(b,
	    PREFIX "reloads_total{result=\"ok\"} %llu\n" PREFIX
		   "reloads_total{result=\"failed\"} %llu\n",
	    (unsigned long long)p->reloads,
	    (unsigned long long)p->reloads_failed);
	gauge(b, "last_reload_successful", "0: the last reload was refused",
	    !p->reload_failed);
}

/* --- the process -------------------------------------------------------- */

static uint64_t
resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	char line[128], *end = line;
	uint64_t resident = 0;

	if (f == NULL)
		return 0;
	if (fgets(line, sizeof line, f) != NULL) {
		(void)strtoull(line, &end, 10); /* all of it */
		resident = strtoull(end, NULL, 10);
	}
	fclose(f);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t
open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n > 3 ? n - 3 : 0; /* ".", ".." and its own */
}

static void
print_process(struct plugin *p, struct pr_buf *b)
{
	struct rusage u = {0};

	getrusage(RUSAGE_SELF, &u);
	gauge(b, "resident_memory_bytes", "Memory of this process",
	    resident_bytes());
	gauge(b, "open_fds", "Descriptors open", open_files());
	gauge(b, "uptime_seconds", "Since the start",
	    (pr_clock_now() - p->started) / PR_SEC);
	head(b, "cpu_seconds_total", "counter", "CPU time, user and system");
	pr_buf_cstr(b, PREFIX "cpu_seconds_total ");
	print_seconds(b,
	    (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
		(uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec));
	pr_buf_char(b, '\n');
}

void
metrics_print(struct plugin *p, struct pr_buf *b)
{
	print_policy(p, b);
	print_calls(p, b);
	print_audit(p, b);
	print_inventory(p, b);
	print_process(p, b);
}
