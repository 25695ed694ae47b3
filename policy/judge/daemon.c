/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dockerd says of itself, where a judgement needs it.  After a start it
 * takes a moment until it was asked: nothing is refused for that, it waits.
 */
#include <time.h>

#include <portreeve/clock.h>

#include "work.h"

bool
work_time_is_up(const struct work *w)
{
	return pr_clock_now() + LAST_MOMENT >= w->call->deadline;
}

enum pr_judge_answer
work_await(struct work *w, bool (*known)(struct work *w))
{
	const struct timespec moment = {.tv_nsec = 5 * PR_MS};

	while (!known(w)) {
		if (!w->may_wait)
			return PR_JUDGE_WOULD_WAIT;
		if (work_time_is_up(w))
			break;
		/* whoever calls is about to be followed */
		nanosleep(&moment, NULL);
	}
	return PR_JUDGED;
}

bool
work_knows_daemon(struct work *w)
{
	if (!w->daemon_known)
		w->daemon_known =
		    pr_inventory_daemon(w->j->inventory, w->a, &w->daemon);
	return w->daemon_known;
}

bool
work_knows_listeners(struct work *w)
{
	w->plain_tcp = pr_inventory_plain_tcp(w->j->inventory);
	return w->plain_tcp != PR_CANNOT_TELL;
}
