/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load for the decision log, and the check that goes with it.
 *
 *   audit_load run DIR SYNC [key=value …]   writes; acknowledged ids to acked=
 *   audit_load check DIR ACKED [partial]    every acknowledged id counts?
 *
 * Keys: threads, count (allows a thread), seconds, denials (a hundred
 * allows), segment, failure=allow, acked=FILE, level=none|metadata|request,
 * pause_us, settle=1 (after that, until one is served).
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/arena.h>
#include <portreeve/audit.h>
#include <portreeve/audit_read.h>
#include <portreeve/buf.h>
#include <portreeve/clock.h>

struct load {
	struct pr_audit *a;
	uint64_t threads, count, seconds, denials, pause_us, settle;
	enum pr_audit_level level;
	int acked; /* -1: not wanted */
	uint64_t until;
	_Atomic uint64_t allowed, refused;
};

static void
fill(struct pr_record *r, enum pr_audit_level level)
{
	static const struct pr_record_team teams[] = {
	    {PR_STR("payments"), PR_STR("ldap"), 1200},
	    {PR_STR("platform"), PR_STR("ldap"), 1200}};
	static const struct pr_record_fact facts[] = {
	    {PR_STR("HostConfig.Privileged"), PR_STR("false")},
	    {PR_STR("HostConfig.NetworkMode"), PR_STR("bridge")}};
	static const uint8_t hash[PR_SHA256_LEN] = {7};

	*r = (struct pr_record){
	    .level = level,
	    .correlation = PR_STR("9f3a51c2"),
	    .stage = PR_STR("request"),
	    .subject = {.name = PR_STR("alice@acme.com"),
		.how = PR_STR("san-email"),
		.fingerprint = PR_STR("0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"
				      "4b5a69788796a5b4c3d2e1f0"),
		.serial = PR_STR("4f1a")},
	    .teams = teams,
	    .n_teams = PR_COUNT(teams),
	    .team = PR_STR("payments"),
	    .phase = PR_STR("staging"),
	    .action = PR_STR("container.create"),
	    .method = PR_STR("POST"),
	    .target = PR_STR("/v1.41/containers/create?name=api"),
	    .canonical = PR_STR("/v1.41/containers/create?name=api"),
	    .resource = {.kind = PR_STR("container"),
		.name = PR_STR("api"),
		.owner = PR_STR("payments")},
	    .reason = PR_REASON_GRANT,
	    .grant = PR_STR("pay-dev"),
	    .role = PR_STR("developer"),
	    .profile_key = PR_STR("baseline"),
	    .file = PR_STR("policy.d/10-pay.yaml"),
	    .line = 41,
	    .policy = PR_STR("3f786850e387550fdab836ed7e6dc881de23001b"),
	    .facts = facts,
	    .n_facts = PR_COUNT(facts),
	    .body_sha256 = hash,
	    .latency_us = 9,
	};
}

static void
denials(struct load *l, struct pr_record *r, uint64_t i)
{
	char name[64];

	for (uint64_t k = 0; k < l->denials; k++) {
		if (i % 100 != 0)
			return;
		snprintf(name, sizeof name, "user-%llu-%llu",
		    (unsigned long long)i, (unsigned long long)k);
		r->subject.name = pr_str_of(name);
		r->verdict = PR_DENY;
		r->reason = PR_REASON_OWNER;
		if (pr_audit_append(l->a, r, NULL, NULL) != PR_AUDIT_DONE)
			abort();
		fill(r, l->level);
	}
}

static void
acknowledge(struct load *l, const char id[PR_UUID_LEN])
{
	char line[PR_UUID_LEN];

	l->allowed++;
	if (l->acked < 0)
		return;
	memcpy(line, id, PR_UUID_LEN - 1);
	line[PR_UUID_LEN - 1] = '\n';
	/* pwrite, so that tests can make write fail for the log alone */
	if (pwrite(l->acked, line, sizeof line, 0) != (ssize_t)sizeof line)
		abort();
}

/* Goes on until an allow is served, if that was asked for. */
static void
settle(struct load *l, struct pr_record *r)
{
	char id[PR_UUID_LEN];
	bool ok = l->settle == 0;
	uint64_t until = pr_clock_now() + 30 * PR_SEC;

	while (!ok && pr_clock_now() < until) {
		pr_uuid7(pr_clock_wall(), id);
		r->id = pr_str_of(id);
		ok = pr_audit_append_wait(l->a, r, until);
		if (ok)
			acknowledge(l, id);
		usleep(5000);
	}
}

static void *
work(void *arg)
{
	struct load *l = arg;
	struct pr_record r;
	char id[PR_UUID_LEN];

	for (uint64_t i = 0; l->count == 0 || i < l->count; i++) {
		uint64_t now = pr_clock_now();

		if (l->until != 0 && now >= l->until)
			break;
		fill(&r, l->level);
		denials(l, &r, i);
		pr_uuid7(pr_clock_wall(), id);
		r.id = pr_str_of(id);
		r.verdict = PR_ALLOW;
		if (pr_audit_append_wait(l->a, &r, now + 20 * PR_SEC))
			acknowledge(l, id);
		else
			l->refused++;
		if (l->pause_us > 0)
			usleep((useconds_t)l->pause_us);
	}
	settle(l, &r);
	return NULL;
}

static uint64_t
key(int argc, char **argv, const char *name, uint64_t otherwise)
{
	size_t n = strlen(name);

	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=')
			return strtoull(argv[i] + n + 1, NULL, 10);
	}
	return otherwise;
}

static const char *
word(int argc, char **argv, const char *name)
{
	size_t n = strlen(name);

	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=')
			return argv[i] + n + 1;
	}
	return "";
}

static double
cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void
report(struct load *l, uint64_t begin, double cpu)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	struct pr_audit_stats st;
	double wall = (double)(pr_clock_now() - begin) / 1e9;
	uint64_t allowed = l->allowed, calls = allowed + l->refused;

	pr_audit_stats(l->a, &st);
	pr_buf_printf(&b,
	    "allowed=%llu refused=%llu lost=%llu seconds=%.2f "
	    "allows_per_s=%.0f cpu_us_per_call=%.2f\n",
	    (unsigned long long)allowed, (unsigned long long)l->refused,
	    (unsigned long long)st.lost, wall, (double)allowed / wall,
	    calls > 0 ? (cpu_us() - cpu) / (double)calls : 0);
	pr_buf_printf(&b,
	    "records=%llu bytes=%llu commits=%llu segments=%llu "
	    "failures=%llu folded=%llu dropped=%llu healthy=%d\n",
	    (unsigned long long)st.records, (unsigned long long)st.bytes,
	    (unsigned long long)st.commits, (unsigned long long)st.segments,
	    (unsigned long long)st.failures, (unsigned long long)st.folded,
	    (unsigned long long)st.dropped, st.healthy);
	/* writev, so that tests can make write fail for the log alone */
	if (writev(STDOUT_FILENO,
		&(struct iovec){.iov_base = b.p, .iov_len = b.n}, 1) < 0)
		abort();
}

static struct pr_audit *
start(int argc, char **argv)
{
	struct pr_err *err = NULL;
	struct pr_audit *a = pr_audit_open(
	    &(struct pr_audit_config){.dir = argv[0],
		.door = "plugin",
		.daemon = "load",
		.failure = strcmp(word(argc, argv, "failure"), "allow") == 0
		    ? PR_AUDIT_FAILURE_ALLOW
		    : PR_AUDIT_FAILURE_DENY,
		.sync = strcmp(argv[1], "none") == 0 ? PR_AUDIT_SYNC_NONE
						     : PR_AUDIT_SYNC_GROUP,
		.segment = key(argc, argv, "segment", 0)},
	    &err);

	if (a == NULL) {
		fprintf(stderr, "audit_load: %s\n", pr_err_text(err));
		exit(1);
	}
	return a;
}

static int
run(int argc, char **argv)
{
	struct load l = {.acked = -1};
	const char *acked = word(argc, argv, "acked");
	const char *level = word(argc, argv, "level");
	uint64_t begin;
	double cpu;
	pthread_t *threads;

	l.threads = key(argc, argv, "threads", 1);
	l.count = key(argc, argv, "count", 0);
	l.denials = key(argc, argv, "denials", 0);
	l.settle = key(argc, argv, "settle", 0);
	l.pause_us = key(argc, argv, "pause_us", 0);
	l.seconds = key(argc, argv, "seconds", l.count == 0 ? 1 : 0);
	l.level = strcmp(level, "none") == 0 ? PR_AUDIT_LEVEL_NONE
	    : strcmp(level, "metadata") == 0 ? PR_AUDIT_LEVEL_METADATA
					     : PR_AUDIT_LEVEL_REQUEST;
	if (acked[0] != '\0')
		l.acked = open(
		    acked, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	l.a = start(argc, argv);
	if (l.seconds != 0)
		l.until = pr_clock_now() + l.seconds * PR_SEC;
	threads = pr_xcalloc(l.threads, sizeof *threads);
	begin = pr_clock_now();
	cpu = cpu_us();
	for (uint64_t i = 0; i < l.threads; i++) {
		if (pthread_create(&threads[i], NULL, work, &l) != 0)
			abort();
	}
	for (uint64_t i = 0; i < l.threads; i++)
		pthread_join(threads[i], NULL);
	report(&l, begin, cpu);
	free(threads);
	pr_audit_close(l.a);
	return 0;
}

/* --- check ---------------------------------------------------------------- */

struct ids {
	char (*v)[PR_UUID_LEN];
	size_t n, cap;
};

static void
add(struct ids *ids, const char *p)
{
	ids->v = pr_grow(ids->v, ids->n, &ids->cap, PR_UUID_LEN);
	memcpy(ids->v[ids->n], p, PR_UUID_LEN - 1);
	ids->v[ids->n++][PR_UUID_LEN - 1] = '\0';
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
gather(const char *path, uint64_t limit, struct ids *ids)
{
	static const char name[] = "\"id\":\"",
			  allow[] = "\"verdict\":\"allow\"";
	struct pr_log_stream *s = pr_log_stream_open(path, NULL);
	struct pr_str line;
	uint64_t offset;

	while (s != NULL &&
	    pr_log_stream_next(s, &line, &offset, NULL) == PR_LOG_GOT_LINE &&
	    offset < limit) {
		const char *at = memmem(line.p, line.n, name, sizeof name - 1);

		if (at != NULL &&
		    memmem(line.p, line.n, allow, sizeof allow - 1) != NULL)
			add(ids, at + sizeof name - 1);
	}
	pr_log_stream_free(s);
}

static struct ids
logged(const char *dir)
{
	struct pr_log_files f;
	struct pr_err *err = NULL;
	struct ids ids = {0};
	uint64_t *limits;

	if (pr_log_files(dir, "plugin", &f, &err) != 0)
		exit(1);
	limits = pr_xcalloc(f.n + 1, sizeof *limits);
	if (pr_log_limits(dir, &f, limits, &err) != 0)
		exit(1);
	for (size_t i = 0; i < f.n; i++) {
		char path[4200];

		snprintf(path, sizeof path, "%s/%s", dir, f.names[i]);
		gather(path, limits[i], &ids);
	}
	free(limits);
	pr_log_files_free(&f);
	if (ids.n > 0)
		qsort(ids.v, ids.n, PR_UUID_LEN, by_text);
	return ids;
}

static int
check(int argc, char **argv)
{
	struct ids ids = logged(argv[0]);
	struct pr_log_report r;
	struct pr_err *err = NULL;
	FILE *f = fopen(argv[1], "r");
	char line[PR_UUID_LEN + 1];
	size_t n = 0, lost = 0;
	bool partial = argc > 2 && strcmp(argv[2], "partial") == 0;

	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		n++;
		lost += ids.n == 0 ||
		    bsearch(line, ids.v, ids.n, PR_UUID_LEN, by_text) == NULL;
	}
	if (f != NULL)
		fclose(f);
	free(ids.v);
	if (pr_log_verify(argv[0], "plugin", partial, NULL, &r, &err) != 0) {
		fprintf(stderr, "audit_load: %s\n", pr_err_text(err));
		return 1;
	}
	printf("acked=%zu lost=%zu intact=%d records=%llu segments=%llu %s\n",
	    n, lost, r.intact, (unsigned long long)r.lines,
	    (unsigned long long)r.segments, r.intact ? "" : r.what);
	if (r.notes.n > 0)
		fputs(r.notes.p, stderr);
	n = r.intact && lost == 0 ? n + 1 : 0;
	pr_log_report_fini(&r);
	return n > 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	if (argc >= 4 && strcmp(argv[1], "run") == 0)
		return run(argc - 2, argv + 2);
	if (argc >= 4 && strcmp(argv[1], "check") == 0)
		return check(argc - 2, argv + 2);
	fputs("usage: audit_load run DIR SYNC [key=value …]\n"
	      "       audit_load check DIR ACKED [partial]\n",
	    stderr);
	return 64;
}
