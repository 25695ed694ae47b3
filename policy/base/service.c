/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/signalfd.h>

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>
#include <portreeve/notify.h>
#include <portreeve/service.h>
#include <portreeve/str.h>
#include <portreeve/version.h>

/* ---- the command line ---- */

static int PR_PRINTF(2, 3)
    misused(const struct pr_service *s, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", s->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\ntry: %s --help\n", s->name);
	return PR_EXIT_USAGE;
}

static int
read_level(const struct pr_service *s, const char *word)
{
	int level = pr_log_level_of(word);

	if (level < 0)
		return misused(s, "no log level \"%s\"", word);
	pr_log_set_level((enum pr_log_level)level);
	return -1;
}

static int
read_format(const struct pr_service *s, const char *word)
{
	bool json = strcmp(word, "json") == 0;

	if (!json && strcmp(word, "text") != 0)
		return misused(s, "no log format \"%s\"", word);
	pr_log_set_json(json);
	return -1;
}

static int
read_fd(const struct pr_service *s, const char *word, int *out)
{
	uint64_t n;

	if (!pr_str_u64(pr_str_of(word), &n) || n < 3 || n > 1 << 20)
		return misused(s, "no descriptor \"%s\"", word);
	*out = (int)n;
	return -1;
}

static int
read_option(
    const struct pr_service *s, int letter, struct pr_service_options *o)
{
	switch (letter) {
	case 'c':
		o->config = optarg;
		return -1;
	case 'k':
		o->check = true;
		return -1;
	case 's':
		return read_fd(s, optarg, &o->socket_fd);
	case 'l':
		return read_level(s, optarg);
	case 'f':
		return read_format(s, optarg);
	case 'v':
		printf("%s %s\n", s->name, PR_VERSION);
		return PR_EXIT_OK;
	case 'h':
		fputs(s->usage, stdout);
		return PR_EXIT_OK;
	default:
		fprintf(stderr, "try: %s --help\n", s->name);
		return PR_EXIT_USAGE;
	}
}

int
pr_service_options(const struct pr_service *s, int argc, char **argv,
    struct pr_service_options *o)
{
	static const struct option options[] = {
	    {"socket-fd", required_argument, NULL, 's'},
	    {"config", required_argument, NULL, 'c'},
	    {"check", no_argument, NULL, 'k'},
	    {"log-level", required_argument, NULL, 'l'},
	    {"log-format", required_argument, NULL, 'f'},
	    {"version", no_argument, NULL, 'v'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int letter, rc;

	while ((letter = getopt_long(argc, argv, "c:h",
		    options + !s->takes_socket_fd, NULL)) != -1) {
		rc = read_option(s, letter, o);
		if (rc >= 0)
			return rc;
	}
	if (optind < argc)
		return misused(s, "no operands are taken: %s", argv[optind]);
	return -1;
}

int
pr_service_failed(const struct pr_service *s, const struct pr_err *err)
{
	if (err != NULL && err->code == PR_ERR_INVALID) {
		/* with a hint, on a line of its own */
		fprintf(stderr, "%s: error: %s\n", s->name, pr_err_text(err));
		return PR_EXIT_CONFIG;
	}
	pr_log_always(PR_LOG_ERROR, "%s", pr_err_text(err));
	if (err != NULL &&
	    (err->code == PR_ERR_OFFLINE || err->code == PR_ERR_TIMEOUT))
		return PR_EXIT_UNREACHABLE;
	return PR_EXIT_FAILED;
}

/* ---- signals ---- */

int
pr_service_signals(void)
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

void
pr_service_serve(
    int signals, void (*feed)(void *arg), void (*reload)(void *arg), void *arg)
{
	uint64_t every = pr_notify_watchdog_every();
	int timeout = every != 0 ? (int)(every / PR_MS) + 1 : -1;
	struct pollfd fd = {.fd = signals, .events = POLLIN};
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(&fd, 1, timeout) < 0 && errno != EINTR)
			return;
		if (every != 0)
			feed(arg);
		while (read(signals, &info, sizeof info) == sizeof info) {
			if (info.ssi_signo != SIGHUP)
				return;
			reload(arg);
		}
	}
}

/* ---- reloads ---- */

void
pr_service_say_reload(const struct pr_diags *ds, int rc, const char *not_done,
    bool taken, const char *hash, struct pr_buf *text)
{
	const char *in_force = taken ? "is in force" : "stays in force";

	pr_diags_print(ds, stderr);
	pr_diags_format(ds, text);
	if (rc == 0) {
		pr_log_always(
		    PR_LOG_NOTICE, "reload: policy %s is in force", hash);
		pr_buf_printf(text, "policy %s is in force\n", hash);
	} else {
		pr_log_always(PR_LOG_ERROR,
		    "reload: %s, see above; policy %s %s", not_done, hash,
		    in_force);
		pr_buf_printf(
		    text, "%s; policy %s %s\n", not_done, hash, in_force);
	}
	pr_notify_ready(
	    rc == 0 ? "serving" : "serving; the last reload failed");
}
