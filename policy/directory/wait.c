/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <time.h>

#include <portreeve/clock.h>

#include "local.h"

void
dir_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(c, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

/*
 * Conditions know no BOOTTIME; what is left of it is waited for by the
 * monotonic clock, and BOOTTIME has the last word.
 */
int
dir_wait_until(pthread_cond_t *c, pthread_mutex_t *lock, uint64_t deadline)
{
	uint64_t now = pr_clock_now(), left;
	struct timespec ts;

	if (now >= deadline)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	left = deadline - now;
	if (left > 3600 * PR_SEC)
		left = 3600 * PR_SEC;
	left += (uint64_t)ts.tv_nsec;
	ts.tv_sec += (time_t)(left / PR_SEC);
	ts.tv_nsec = (long)(left % PR_SEC);
	pthread_cond_timedwait(c, lock, &ts);
	return 0;
}

int
dir_thread_start(pthread_t *t, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(t, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}
