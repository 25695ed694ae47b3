/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portreeve-plugin: the authorization plugin of dockerd.  One thread takes
 * the calls, a few wait for dockerd and the directory, one commits the log;
 * this one starts them, takes signals, and ends them.
 */

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>
#include <portreeve/notify.h>
#include <portreeve/service.h>
#include <portreeve/version.h>

#include "memory.h"
#include "plugin.h"

/* Beyond the deadline of a call, when the program ends. */
#define DRAIN_GRACE (1 * PR_SEC)
/* An answer that waits so long to be sent: the event thread hangs. */
#define STUCK       (10 * PR_SEC)

/* --- the command line --------------------------------------------------- */

static const char usage[] =
    "usage: portreeve-plugin [--config FILE] [options]\n\n"
    "The authorization plugin of a Docker daemon.\n\n"
    "  -c, --config FILE      default " PR_CONFIG_PATH "\n"
    "      --check            read configuration and policy, say what is\n"
    "                         wrong, and end\n"
    "      --socket-fd N      listen on this descriptor\n"
    "      --log-level LEVEL  error, warning, notice, info (default), debug\n"
    "      --log-format FORM  text (default), or json\n"
    "      --version\n"
    "      --help\n\n"
    "SIGHUP reads the policy again; one with mistakes leaves the old one in\n"
    "force.  SIGTERM answers what is in flight, and ends.\n\n"
    "exit status: 0 ok, 1 failure, 64 usage, 69 unreachable, 78 bad\n"
    "configuration or policy\n\n"
    "examples:\n"
    "  portreeve-plugin --config /etc/portreeve/portreeve.yaml\n"
    "  portreeve-plugin --check\n";

static const struct pr_service service = {.name = "portreeve-plugin",
    .usage = usage,
    .takes_socket_fd = true};

/* --- start-up, a step each: PR_EXIT_OK or the exit code -------------------- */

static int
failed(const struct pr_err *err)
{
	return pr_service_failed(&service, err);
}

static int
open_config(
    struct plugin *p, const struct pr_service_options *o, struct pr_diags *ds)
{
	if (pr_config_load(o->config, p->arena, &p->config, ds) != 0)
		return PR_EXIT_CONFIG;
	return PR_EXIT_OK;
}

static int
open_judge(struct plugin *p, struct pr_diags *ds)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

	p->judge = pr_judge_open(&p->config, PR_DOOR_PLUGIN, ds, &err);
	p->policy_since = (uint64_t)time(NULL);
	if (p->judge != NULL)
		return PR_EXIT_OK;
	return err != NULL ? failed(err) : PR_EXIT_CONFIG;
}

static int
open_audit(struct plugin *p)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_audit_config config = p->config.audit;

	config.door = "plugin";
	p->audit = pr_audit_open(&config, &err);
	return p->audit != NULL ? PR_EXIT_OK : failed(err);
}

static int
open_listener(struct listener *l, const char *path, int fd)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	int rc;

	if (fd < 0 && listener_inherit(l, path))
		return PR_EXIT_OK;
	rc =
	    fd >= 0 ? listener_take(l, fd, &err) : listener_open(l, path, &err);
	return rc == 0 ? PR_EXIT_OK : failed(err);
}

static int
open_sockets(struct plugin *p, const struct pr_service_options *o)
{
	int rc =
	    open_listener(&p->listener, p->config.plugin.socket, o->socket_fd);

	if (rc != PR_EXIT_OK)
		return rc;
	return open_listener(&p->admin_listener, p->config.admin_socket, -1);
}

static int
start_serving(struct plugin *p)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_inventory *inventory = pr_judge_inventory(p->judge);
	struct flights_config flights = {
	    .judge = p->judge,
	    .audit = p->audit,
	    .nonces = pr_inventory_nonces(inventory),
	    .asserter = pr_judge_asserter(p->judge),
	    .deadline = p->config.plugin.deadline,
	    .workers = p->config.plugin.workers,
	    .wake = server_wake,
	};

	p->flights = flights_start(&flights, &err);
	if (p->flights == NULL)
		return failed(err);

	struct server_config server = {
	    .listener = &p->listener,
	    .peer_uids = p->config.plugin.peer_uids,
	    .n_peer_uids = p->config.plugin.n_peer_uids,
	    .flights = p->flights,
	    .inventory = inventory,
	};

	p->server = server_start(&server, &err);
	if (p->server == NULL)
		return failed(err);
	p->admin = admin_start(p, &p->admin_listener, &err);
	return p->admin != NULL ? PR_EXIT_OK : failed(err);
}

/* Folders of sockets are made before: later it may not. */
static int
confine(struct plugin *p)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

	if (listener_make_folder(p->config.plugin.socket, &err) != 0 ||
	    listener_make_folder(p->config.admin_socket, &err) != 0)
		return failed(err);
	if (pr_judge_confine(&p->config, PR_PLUGIN, &err) != 0)
		return failed(err);
	return PR_EXIT_OK;
}

static int
trust(struct plugin *p)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

	if (pr_judge_trust_for_owner(&p->config, PR_PLUGIN, &err) != 0)
		return failed(err);
	return PR_EXIT_OK;
}

static int
start(struct plugin *p, const struct pr_service_options *o)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	int rc = open_config(p, o, ds);

	if (rc == PR_EXIT_OK && o->check)
		rc = trust(p);
	if (rc == PR_EXIT_OK && !o->check)
		rc = confine(p);
	if (rc == PR_EXIT_OK)
		rc = open_judge(p, ds);
	pr_diags_print(ds, stderr);
	if (rc != PR_EXIT_OK || o->check)
		return rc;
	rc = open_audit(p);
	if (rc == PR_EXIT_OK)
		rc = open_sockets(p, o);
	if (rc == PR_EXIT_OK)
		rc = start_serving(p);
	return rc;
}

/* --- reload ------------------------------------------------------------- */

int
plugin_reload(struct plugin *p, struct pr_buf *text)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	char hash[65];
	int rc;

	pr_notify_reloading();
	pthread_mutex_lock(&p->reload_lock);
	rc = pr_judge_reload(p->judge, ds);
	pr_judge_policy_hash(p->judge, hash);
	pthread_mutex_unlock(&p->reload_lock);
	p->reload_failed = rc != 0;
	if (rc == 0) {
		p->reloads++;
		p->policy_since = (uint64_t)time(NULL);
	} else {
		p->reloads_failed++;
	}
	pr_service_say_reload(ds, rc, "not done", rc == 0, hash, text);
	memory_give_back();
	return rc;
}

static void
reload_by_signal(void *arg)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;

	(void)!plugin_reload(arg, &text); /* it has said what happened */
}

static void
feed_watchdog(void *arg)
{
	const struct plugin *p = arg;

	if (flights_overdue(p->flights) < STUCK)
		pr_notify_watchdog();
	else
		pr_log(PR_LOG_ERROR, "answers are not sent: something hangs");
}

/* --- the end ------------------------------------------------------------ */

/* In the order of who calls whom; what was not opened is skipped. */
static void
stop(struct plugin *p)
{
	admin_stop(p->admin);
	if (p->server != NULL) {
		uint64_t judged = pr_clock_now() + p->config.plugin.deadline;

		server_drain(p->server, judged, judged + DRAIN_GRACE);
		server_stop(p->server);
	}
	if (p->flights != NULL)
		flights_stop(p->flights);
	pr_audit_close(p->audit);
	flights_free(p->flights);
	if (p->judge != NULL)
		pr_judge_close(p->judge);
	listener_close(&p->listener);
	listener_close(&p->admin_listener);
	pr_arena_free(p->arena);
}

static void
say_started(const struct plugin *p)
{
	char hash[65];

	pr_judge_policy_hash(p->judge, hash);
	pr_log(PR_LOG_NOTICE, "portreeve-plugin %s serves %s with policy %s",
	    PR_VERSION, p->config.plugin.socket, hash);
	memory_give_back();
	pr_notify_ready("serving");
}

int
main(int argc, char **argv)
{
	struct pr_service_options o = {
	    .config = PR_CONFIG_PATH, .socket_fd = -1};
	struct plugin p = {
	    .listener = {.fd = -1},
	    .admin_listener = {.fd = -1},
	    .reload_lock = PTHREAD_MUTEX_INITIALIZER,
	    .started = pr_clock_now(),
	};
	int signals, rc = pr_service_options(&service, argc, argv, &o);

	if (rc >= 0)
		return rc;
	/* few heaps: threads wait more than they allocate, and memory that is
	 * spread over many is never given back */
	mallopt(M_ARENA_MAX, 2);
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
