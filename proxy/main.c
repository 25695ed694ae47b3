/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portreeve-proxy: the door that sees every byte.  Event loops take clients
 * and ask the daemon for them, a few threads wait for look-ups, one commits
 * the log; this one starts them, takes signals, and ends them.
 */
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>
#include <portreeve/notify.h>
#include <portreeve/version.h>

#include "admin.h"
#include "jobs.h"
#include "loop.h"
#include "proxy.h"
#include "subjects.h"

enum exit_code { /* DESIGN 12 */
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 64,
	EXIT_UNREACHABLE = 69,
	EXIT_CONFIG = 78,
};

#define DRAIN_TIME (5 * PR_SEC)
#define SPARE_FDS  64

struct options {
	const char *config;
	bool check;
};

/* --- the command line --------------------------------------------------- */

static const char usage[] =
    "usage: portreeve-proxy [--config FILE] [options]\n\n"
    "The proxy before a Docker daemon: mutual TLS and unix sockets in front,\n"
    "nothing unseen behind.\n\n"
    "  -c, --config FILE      default " PR_CONFIG_PATH "\n"
    "      --check            read configuration, policy and certificates,\n"
    "                         say what is wrong, and end\n"
    "      --log-level LEVEL  error, warning, notice, info (default), debug\n"
    "      --version\n"
    "      --help\n\n"
    "SIGHUP reads policy, certificates and revocation lists again; what has\n"
    "mistakes leaves the old ones in force.  Connections whose right ended\n"
    "are cut off.  SIGTERM answers what is in flight, and ends.\n\n"
    "exit status: 0 ok, 1 failure, 64 usage, 69 unreachable, 78 bad\n"
    "configuration or policy\n\n"
    "examples:\n"
    "  portreeve-proxy --config /etc/portreeve/portreeve.yaml\n"
    "  portreeve-proxy --check\n";

static int
read_level(const char *word)
{
	static const struct {
		const char *name;
		enum pr_log_level level;
	} levels[] = {{"error", PR_LOG_ERROR}, {"warning", PR_LOG_WARNING},
	    {"notice", PR_LOG_NOTICE}, {"info", PR_LOG_INFO},
	    {"debug", PR_LOG_DEBUG}};

	for (size_t i = 0; i < PR_COUNT(levels); i++) {
		if (strcmp(word, levels[i].name) == 0) {
			pr_log_set_level(levels[i].level);
			return -1;
		}
	}
	fprintf(stderr, "portreeve-proxy: no log level \"%s\"\n", word);
	return EXIT_USAGE;
}

/* -1: go on; else the exit code. */
static int
read_option(int letter, struct options *o)
{
	switch (letter) {
	case 'c':
		o->config = optarg;
		return -1;
	case 'k':
		o->check = true;
		return -1;
	case 'l':
		return read_level(optarg);
	case 'v':
		printf("portreeve-proxy %s\n", PR_VERSION);
		return EXIT_OK;
	case 'h':
		fputs(usage, stdout);
		return EXIT_OK;
	default:
		fputs("try: portreeve-proxy --help\n", stderr);
		return EXIT_USAGE;
	}
}

static int
read_options(int argc, char **argv, struct options *o)
{
	static const struct option long_options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"check", no_argument, NULL, 'k'},
	    {"log-level", required_argument, NULL, 'l'},
	    {"version", no_argument, NULL, 'v'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int letter, rc;

	while ((letter = getopt_long(argc, argv, "c:h", long_options, NULL)) !=
	    -1) {
		rc = read_option(letter, o);
		if (rc >= 0)
			return rc;
	}
	if (optind == argc)
		return -1;
	fprintf(stderr,
	    "portreeve-proxy: no operands are taken: %s\n"
	    "try: portreeve-proxy --help\n",
	    argv[optind]);
	return EXIT_USAGE;
}

/* --- start-up, a step each: EXIT_OK or the exit code -------------------- */

static int
failed(const struct pr_err *err)
{
	pr_log(PR_LOG_ERROR, "%s", pr_err_text(err));
	if (err == NULL)
		return EXIT_FAILED;
	switch (err->code) {
	case PR_ERR_OFFLINE:
	case PR_ERR_TIMEOUT:
		return EXIT_UNREACHABLE;
	case PR_ERR_INVALID:
		return EXIT_CONFIG;
	default:
		return EXIT_FAILED;
	}
}

static int
open_config(struct proxy *p, const struct options *o, struct pr_diags *ds)
{
	if (pr_config_load(o->config, p->arena, &p->config, ds) != 0)
		return EXIT_CONFIG;
	if (p->config.proxy.n_listen > 0)
		return EXIT_OK;
	pr_diags_add(ds, PR_ERROR, (struct pr_loc){0},
	    "proxy: {listen: [{name: tcp, address: \"0.0.0.0:2376\", tls: "
	    "...}]}",
	    "%s: the proxy listens nowhere", o->config);
	return EXIT_CONFIG;
}

static int
open_judge(struct proxy *p, struct pr_diags *ds)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

	p->judge = pr_judge_open(&p->config, PR_DOOR_PROXY, ds, &err);
	if (p->judge != NULL)
		return EXIT_OK;
	return err != NULL ? failed(err) : EXIT_CONFIG;
}

static int
open_audit(struct proxy *p)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_audit_config config = p->config.audit;

	config.door = "proxy";
	p->audit = pr_audit_open(&config, &err);
	return p->audit != NULL ? EXIT_OK : failed(err);
}

/* --check reads the certificates, and leaves sockets alone. */
static int
check_tls(const struct proxy *p)
{
	int rc = EXIT_OK;

	for (size_t i = 0; i < p->config.proxy.n_listen; i++) {
		PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
		const struct pr_config_listen *l = &p->config.proxy.listen[i];
		struct tls_ctx *c;

		if (l->address == NULL)
			continue;
		c = tls_ctx_new(l, &err);
		if (c == NULL)
			rc = failed(err);
		tls_ctx_unref(c);
	}
	return rc;
}

static int
open_listeners(struct proxy *p)
{
	size_t n = p->config.proxy.n_listen;

	p->listeners = pr_xcalloc(n, sizeof *p->listeners);
	for (size_t i = 0; i < n; i++) {
		PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

		p->n_listeners++;
		if (listener_open(
			&p->listeners[i], &p->config.proxy.listen[i], &err) < 0)
			return failed(err);
	}
	if (p->config.proxy.admin != NULL) {
		PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

		p->admin = admin_open(p, p->config.proxy.admin, &err);
		if (p->admin == NULL)
			return failed(err);
	}
	return EXIT_OK;
}

/* Two descriptors a connection, or fewer connections. */
static void
raise_descriptors(struct proxy *p)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max;
	(void)!setrlimit(RLIMIT_NOFILE, &r);
	if (r.rlim_cur != RLIM_INFINITY &&
	    r.rlim_cur <
		(rlim_t)p->config.proxy.max_connections * 2 + SPARE_FDS)
		pr_log(PR_LOG_NOTICE,
		    "%llu descriptors are all there are: when they are used "
		    "up, new connections wait",
		    (unsigned long long)r.rlim_cur);
}

static int
start_serving(struct proxy *p)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

	p->subjects = subjects_new(
	    p->config.proxy.max_per_subject, p->config.proxy.rate_per_subject);
	p->jobs = jobs_start(p->config.proxy.workers, &err);
	if (p->jobs == NULL)
		return failed(err);
	p->loops = pr_xcalloc(p->config.proxy.threads, sizeof(struct loop *));
	while (p->n_loops < p->config.proxy.threads) {
		p->loops[p->n_loops] = loop_start(p, &err);
		if (p->loops[p->n_loops] == NULL)
			return failed(err);
		p->n_loops++;
	}
	if (p->admin != NULL && admin_start(p->admin, &err) < 0)
		return failed(err);
	return EXIT_OK;
}

static int
confine(struct proxy *p)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

	if (pr_judge_confine(&p->config, PR_PROXY, &err) == 0)
		return EXIT_OK;
	if (err == NULL || err->code != PR_ERR_INVALID)
		return failed(err);
	fprintf(stderr, "portreeve-proxy: error: %s\n", err->text);
	return EXIT_CONFIG;
}

static int
trust(struct proxy *p)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

	if (pr_judge_trust_for_owner(&p->config, PR_PROXY, &err) == 0)
		return EXIT_OK;
	fprintf(stderr, "portreeve-proxy: error: %s\n", pr_err_text(err));
	return EXIT_CONFIG;
}

static int
start(struct proxy *p, const struct options *o)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	int rc = open_config(p, o, ds);

	if (rc == EXIT_OK && !o->check) {
		raise_descriptors(p);
		rc = open_listeners(p);
		/* from here on it may open no other sockets */
		if (rc == EXIT_OK)
			rc = confine(p);
	}
	if (rc == EXIT_OK && o->check)
		rc = trust(p);
	if (rc == EXIT_OK)
		rc = open_judge(p, ds);
	pr_diags_print(ds, stderr);
	if (rc == EXIT_OK && o->check) {
		(void)!seteuid(getuid()); /* keys are root's, it may be */
		rc = check_tls(p);
	}
	if (rc != EXIT_OK || o->check)
		return rc;
	rc = open_audit(p);
	if (rc == EXIT_OK)
		rc = start_serving(p);
	return rc;
}

/* --- reload ------------------------------------------------------------- */

/* All listeners or none: contexts made from the files of now. */
static int
reload_tls(struct proxy *p)
{
	struct tls_ctx **fresh =
	    pr_xcalloc(p->n_listeners, sizeof(struct tls_ctx *));
	int rc = 0;

	for (size_t i = 0; i < p->n_listeners && rc == 0; i++) {
		PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

		if (p->listeners[i].tls == NULL)
			continue;
		fresh[i] = tls_ctx_new(p->listeners[i].config, &err);
		if (fresh[i] == NULL) {
			pr_log(PR_LOG_ERROR, "reload: %s", pr_err_text(err));
			rc = -1;
		}
	}
	for (size_t i = 0; i < p->n_listeners; i++) {
		if (rc == 0 && fresh[i] != NULL)
			listener_set_tls(&p->listeners[i], fresh[i]);
		else
			tls_ctx_unref(fresh[i]);
	}
	free(fresh);
	return rc;
}

int
proxy_reload(struct proxy *p, struct pr_buf *text)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	char hash[65];
	int rc;

	pr_notify_reloading();
	pthread_mutex_lock(&p->reload_lock);
	/* revocation counts even where the policy has mistakes */
	rc = reload_tls(p);
	if (pr_judge_reload(p->judge, ds) < 0)
		rc = -1;
	pr_judge_policy_hash(p->judge, hash);
	p->reload_failed = rc != 0;
	p->count.reloads++;
	p->count.reloads_failed += rc != 0;
	pthread_mutex_unlock(&p->reload_lock);
	pr_diags_print(ds, stderr);
	pr_diags_format(ds, text);
	pr_buf_printf(text, "%spolicy %s is in force\n",
	    rc == 0 ? "" : "not all was done; see the log; ", hash);
	for (size_t i = 0; i < p->n_loops; i++)
		loop_order(p->loops[i], LOOP_LOOK);
	if (rc == 0)
		pr_log_always(
		    PR_LOG_NOTICE, "reload: policy %s is in force", hash);
	else
		pr_log_always(PR_LOG_ERROR,
		    "reload: not all was done, see above; policy %s is in "
		    "force",
		    hash);
	pr_notify_ready(
	    rc == 0 ? "serving" : "serving; the last reload failed");
	return rc;
}

static void
reload_by_signal(struct proxy *p)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;

	(void)!proxy_reload(p, &text); /* it has said what happened */
}

/* --- signals ------------------------------------------------------------ */

/* Before any thread: all of them leave signals to this one. */
static int
take_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Until SIGTERM or SIGINT. */
static void
serve(struct proxy *p, int signals)
{
	uint64_t every = pr_notify_watchdog_every();
	int timeout = every != 0 ? (int)(every / PR_MS) + 1 : -1;
	struct pollfd fd = {.fd = signals, .events = POLLIN};
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(&fd, 1, timeout) < 0 && errno != EINTR)
			return;
		if (every != 0)
			pr_notify_watchdog();
		while (read(signals, &info, sizeof info) == sizeof info) {
			if (info.ssi_signo != SIGHUP)
				return;
			reload_by_signal(p);
		}
	}
}

/* --- the end ------------------------------------------------------------ */

static void
drain(struct proxy *p)
{
	uint64_t until = pr_clock_now() + DRAIN_TIME;

	p->draining = true;
	for (size_t i = 0; i < p->n_loops; i++)
		loop_order(p->loops[i], LOOP_DRAIN);
	while (p->connections > 0 && pr_clock_now() < until)
		poll(NULL, 0, 20);
}

/* What loops and workers have between them ends when both have stopped. */
static void
stop(struct proxy *p)
{
	admin_stop(p->admin);
	drain(p);
	for (size_t i = 0; i < p->n_loops; i++)
		loop_order(p->loops[i], LOOP_STOP);
	for (size_t i = 0; i < p->n_loops; i++)
		loop_halt(p->loops[i]);
	for (size_t i = 0; i < p->n_listeners; i++)
		listener_shut(&p->listeners[i]);
	jobs_stop(p->jobs);
	pr_audit_close(p->audit);
	for (size_t i = 0; i < p->n_loops; i++)
		loop_free(p->loops[i]);
	free(p->loops);
	subjects_free(p->subjects);
	for (size_t i = 0; i < p->n_listeners; i++)
		listener_close(&p->listeners[i]);
	free(p->listeners);
	if (p->judge != NULL)
		pr_judge_close(p->judge);
	pr_arena_free(p->arena);
}

static void
say_started(const struct proxy *p)
{
	char hash[65];

	pr_judge_policy_hash(p->judge, hash);
	for (size_t i = 0; i < p->n_listeners; i++) {
		const struct pr_config_listen *l = p->listeners[i].config;

		pr_log(PR_LOG_NOTICE,
		    "portreeve-proxy %s listens on %s (%s) with policy %s",
		    PR_VERSION, l->address != NULL ? l->address : l->unix_path,
		    l->name, hash);
	}
	pr_notify_ready("serving");
}

int
main(int argc, char **argv)
{
	struct options o = {.config = PR_CONFIG_PATH};
	struct proxy p = {.reload_lock = PTHREAD_MUTEX_INITIALIZER,
	    .started = pr_clock_now()};
	int signals, rc = read_options(argc, argv, &o);

	if (rc >= 0)
		return rc;
	/* few heaps: threads wait more than they allocate */
	mallopt(M_ARENA_MAX, 2);
	/* buffers come and go with each request: neither to the kernel */
	mallopt(M_MMAP_THRESHOLD, 4 << 20);
	mallopt(M_TRIM_THRESHOLD, 8 << 20);
	signals = take_signals();
	if (signals < 0) {
		pr_log(PR_LOG_ERROR, "signals: %s", strerror(errno));
		return EXIT_FAILED;
	}
	p.arena = pr_arena_new(4096);
	rc = start(&p, &o);
	if (rc == EXIT_OK && !o.check) {
		say_started(&p);
		serve(&p, signals);
		pr_log(PR_LOG_NOTICE, "ending: answering what is in flight");
		pr_notify_stopping();
	}
	stop(&p);
	close(signals);
	return rc;
}
