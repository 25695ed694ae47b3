/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* They wait, they do not compute: more of them than processors. */
#define WORKERS 16
#define QUEUE   4096

struct jobs {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct flow *head, **tail;
	unsigned n;
	bool stop;
	pthread_t *threads;
	unsigned n_threads;
};

static bool
push(struct jobs *j, struct flow *f, bool again)
{
	bool room;

	pthread_mutex_lock(&j->lock);
	room = again || (j->n < QUEUE && !j->stop);
	if (room) {
		f->next = NULL;
		*j->tail = f;
		j->tail = &f->next;
		j->n++;
		pthread_cond_signal(&j->more);
	}
	pthread_mutex_unlock(&j->lock);
	return room;
}

bool
jobs_push(struct jobs *j, struct flow *f)
{
	return push(j, f, false);
}

static struct flow *
pop(struct jobs *j)
{
	struct flow *f;

	pthread_mutex_lock(&j->lock);
	while ((f = j->head) == NULL && !j->stop)
		pthread_cond_wait(&j->more, &j->lock);
	if (f != NULL) {
		j->head = f->next;
		if (f->next == NULL)
			j->tail = &j->head;
		f->next = NULL;
		j->n--;
	}
	pthread_mutex_unlock(&j->lock);
	return f;
}

static void *
work(void *arg)
{
	struct jobs *j = arg;
	struct flow *f;

	while ((f = pop(j)) != NULL) {
		if (flow_work(f))
			loop_post(f->loop, f);
		else
			(void)push(j, f, true);
	}
	return NULL;
}

struct jobs *
jobs_start(unsigned workers, struct pr_err **err)
{
	struct jobs *j = pr_xcalloc(1, sizeof *j);
	unsigned want = workers != 0 ? workers : WORKERS;
	int e = 0;

	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->more, NULL);
	j->tail = &j->head;
	j->threads = pr_xcalloc(want, sizeof *j->threads);
	while (e == 0 && j->n_threads < want) {
		e = pthread_create(&j->threads[j->n_threads], NULL, work, j);
		if (e == 0)
			j->n_threads++;
	}
	if (e == 0)
		return j;
	jobs_stop(j);
	pr_err_set(err, PR_ERR_IO, e, "cannot start a thread: %s", strerror(e));
	return NULL;
}

void
jobs_stop(struct jobs *j)
{
	if (j == NULL)
		return;
	pthread_mutex_lock(&j->lock);
	j->stop = true;
	pthread_cond_broadcast(&j->more);
	pthread_mutex_unlock(&j->lock);
	for (unsigned i = 0; i < j->n_threads; i++)
		pthread_join(j->threads[i], NULL);
	pthread_mutex_destroy(&j->lock);
	pthread_cond_destroy(&j->more);
	free(j->threads);
	free(j);
}
