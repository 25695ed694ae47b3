/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portreeve-proxy: the door that sees every byte.  Event loops take clients
 * and ask the daemon for them, a few threads wait for look-ups, one commits
 * the log; this one starts them, takes signals, and ends them.
 */
#include <sys/resource.h>

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>
#include <portreeve/notify.h>
#include <portreeve/service.h>
#include <portreeve/version.h>

#include "admin.h"
#include "jobs.h"
#include "loop.h"
#include "proxy.h"
#include "subjects.h"

#define DRAIN_TIME (5 * PR_SEC)
#define SPARE_FDS  64

/* --- the command line --------------------------------------------------- */

static const char usage[] =
    "usage: portreeve-proxy [--config FILE] [options]\n\n"
    "The proxy before a Docker daemon: mutual TLS and unix sockets in front,\n"
    "nothing unseen behind.\n\n"
    "  -c, --config FILE      default " PR_CONFIG_PATH "\n"
    "      --check            read configuration, policy and certificates,\n"
    "                         say what is wrong, and end\n"
    "      --log-level LEVEL  error, warning, notice, info (default), debug\n"
    "      --log-format FORM  text (default), or json\n"
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

static const struct pr_service service = {.name = "portreeve-proxy",
    .usage = usage};

/* --- start-up, a step each: PR_EXIT_OK or the exit code -------------------- */

static int
failed(const struct pr_err *err)
{
	return pr_service_failed(&service, err);
}

static int
open_config(
    struct proxy *p, const struct pr_service_options *o, struct pr_diags *ds)
{
	if (pr_config_load(o->config, p->arena, &p->config, ds) != 0)
		return PR_EXIT_CONFIG;
	if (p->config.proxy.n_listen > 0)
		return PR_EXIT_OK;
	pr_diags_add(ds, PR_ERROR, (struct pr_loc){0},
	    "proxy: {listen: [{name: tcp, address: \"0.0.0.0:2376\", tls: "
	    "...}]}",
	    "%s: the proxy listens nowhere", o->config);
	return PR_EXIT_CONFIG;
}

static int
open_judge(struct proxy *p, struct pr_diags *ds)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

	p->judge = pr_judge_open(&p->config, PR_DOOR_PROXY, ds, &err);
	if (p->judge != NULL)
		return PR_EXIT_OK;
	return err != NULL ? failed(err) : PR_EXIT_CONFIG;
}

static int
open_audit(struct proxy *p)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_audit_config config = p->config.audit;

	config.door = "proxy";
	p->audit = pr_audit_open(&config, &err);
	return p->audit != NULL ? PR_EXIT_OK : failed(err);
}

/* --check reads the certificates, and leaves sockets alone. */
static int
check_tls(const struct proxy *p)
{
	int rc = PR_EXIT_OK;

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
	return PR_EXIT_OK;
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
	return PR_EXIT_OK;
}

static int
confine(struct proxy *p)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

	if (pr_judge_confine(&p->config, PR_PROXY, &err) != 0)
		return failed(err);
	return PR_EXIT_OK;
}

static int
trust(struct proxy *p)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

	if (pr_judge_trust_for_owner(&p->config, PR_PROXY, &err) != 0)
		return failed(err);
	return PR_EXIT_OK;
}

static int
start(struct proxy *p, const struct pr_service_options *o)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	int rc = open_config(p, o, ds);

	if (rc == PR_EXIT_OK && !o->check) {
		raise_descriptors(p);
		rc = open_listeners(p);
		/* from here on it may open no other sockets */
		if (rc == PR_EXIT_OK)
			rc = confine(p);
	}
	if (rc == PR_EXIT_OK && o->check)
		rc = trust(p);
	if (rc == PR_EXIT_OK)
		rc = open_judge(p, ds);
	pr_diags_print(ds, stderr);
	if (rc == PR_EXIT_OK && o->check) {
		(void)!seteuid(getuid()); /* keys are root's, it may be */
		rc = check_tls(p);
	}
	if (rc != PR_EXIT_OK || o->check)
		return rc;
	rc = open_audit(p);
	if (rc == PR_EXIT_OK)
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
	bool taken;
	int rc;

	pr_notify_reloading();
	pthread_mutex_lock(&p->reload_lock);
	/* revocation counts even where the policy has mistakes */
	rc = reload_tls(p);
	taken = pr_judge_reload(p->judge, ds) == 0;
	if (!taken)
		rc = -1;
	pr_judge_policy_hash(p->judge, hash);
	p->reload_failed = rc != 0;
	p->count.reloads++;
	p->count.reloads_failed += rc != 0;
	pthread_mutex_unlock(&p->reload_lock);
	for (size_t i = 0; i < p->n_loops; i++)
		loop_order(p->loops[i], LOOP_LOOK);
	pr_service_say_reload(ds, rc, "not all was done", taken, hash, text);
	return rc;
}

static void
reload_by_signal(void *arg)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;

	(void)!proxy_reload(arg, &text); /* it has said what happened */
}

static void
feed_watchdog(void *arg)
{
	(void)arg;
	pr_notify_watchdog();
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
	struct pr_service_options o = {
	    .config = PR_CONFIG_PATH, .socket_fd = -1};
	struct proxy p = {.reload_lock = PTHREAD_MUTEX_INITIALIZER,
	    .started = pr_clock_now()};
	int signals, rc = pr_service_options(&service, argc, argv, &o);

	if (rc >= 0)
		return rc;
	/* few heaps: threads wait more than they allocate */
	mallopt(M_ARENA_MAX, 2);
	/* buffers come and go with each request: neither to the kernel */
	mallopt(M_MMAP_THRESHOLD, 4 << 20);
	mallopt(M_TRIM_THRESHOLD, 8 << 20);
	signals = pr_service_signals();
	if (signals < 0) {
		pr_log(PR_LOG_ERROR, "signals: %s", strerror(errno));
		return PR_EXIT_FAILED;
	}
	p.arena = pr_arena_new(4096);
	rc = start(&p, &o);
	if (rc == PR_EXIT_OK && !o.check) {
		say_started(&p);
		pr_service_serve(signals, feed_watchdog, reload_by_signal, &p);
		pr_log(PR_LOG_NOTICE, "ending: answering what is in flight");
		pr_notify_stopping();
	}
	stop(&p);
	close(signals);
	return rc;
}
