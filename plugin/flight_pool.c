/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flights are reused with their arenas and buffers, because a call costs
 * microseconds and an allocation does too.  What is kept is bounded, and what
 * a flood or a big body needed goes back to the system when it is quiet.
 */
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>

#include "flight_local.h"
#include "memory.h"

#define TEXT_FIRST ((size_t)16 << 10)
#define TEXT_KEEP  ((size_t)128 << 10)
#define ARENA_KEEP ((size_t)64 << 10)
#define BIG_MAX    ((size_t)2 << 20) /* of a buffer that is kept */
#define SPARE_MAX  64
#define SPARE_FEW  8
#define QUIET      (1 * PR_SEC)

static struct flight *
make(struct flights *fs)
{
	struct flight *f = pr_xcalloc(1, sizeof *f);

	f->fs = fs;
	f->parse = pr_arena_new(TEXT_FIRST);
	f->work = pr_arena_new(TEXT_FIRST);
	return f;
}

static void
destroy(struct flight *f)
{
	pr_arena_free(f->parse);
	pr_arena_free(f->work);
	free(f->text);
	free(f);
}

struct flight *
flight_new(struct flights *fs, enum call_stage stage, void *conn)
{
	struct flight *f;

	pthread_mutex_lock(&fs->spare.lock);
	f = fs->spare.list;
	if (f != NULL) {
		fs->spare.list = f->next;
		fs->spare.n--;
	}
	pthread_mutex_unlock(&fs->spare.lock);
	if (f == NULL)
		f = make(fs);
	f->stage = stage;
	f->conn = conn;
	f->refs = 1;
	f->next = NULL;
	return f;
}

/* Its pages are there already: a new one of a megabyte costs 300 faults. */
static void
keep_text(struct flights *fs, char *p, size_t cap)
{
	pthread_mutex_lock(&fs->spare.lock);
	for (int i = 0; i < BIG_TEXTS && p != NULL && cap <= BIG_MAX; i++) {
		if (fs->spare.texts[i].p != NULL)
			continue;
		fs->spare.texts[i].p = pr_take(&p);
		fs->spare.texts[i].cap = cap;
	}
	pthread_mutex_unlock(&fs->spare.lock);
	free(p);
}

/* A kept one of at least that size, and of which size; or NULL. */
static char *
kept_text(struct flights *fs, size_t want, size_t *cap)
{
	char *p = NULL;

	pthread_mutex_lock(&fs->spare.lock);
	for (int i = 0; i < BIG_TEXTS && p == NULL; i++) {
		if (fs->spare.texts[i].cap < want)
			continue;
		*cap = fs->spare.texts[i].cap;
		p = pr_take(&fs->spare.texts[i].p);
		fs->spare.texts[i].cap = 0;
	}
	pthread_mutex_unlock(&fs->spare.lock);
	return p;
}

/* Everything that a call left behind; big memory goes. */
static size_t
clean(struct flight *f)
{
	size_t big = f->cap > TEXT_KEEP ? f->cap : 0;

	pr_judgement_end(&f->out);
	f->out = (struct pr_judgement){0};
	pr_arena_reset(f->work, ARENA_KEEP);
	pr_arena_reset(f->parse, ARENA_KEEP);
	if (big > 0) {
		keep_text(f->fs, pr_take(&f->text), big);
		f->cap = 0;
	}
	f->n = 0;
	f->too_long = false;
	f->begun = false;
	f->appended = false;
	f->allow = false;
	f->message[0] = '\0';
	atomic_store(&f->claimed, false);
	atomic_store(&f->meet, 0);
	return big;
}

void
flight_unref(struct flight *f)
{
	struct flights *fs;
	uint64_t used;
	size_t big;
	bool poke;

	if (f == NULL || atomic_fetch_sub(&f->refs, 1) != 1)
		return;
	fs = f->fs;
	used = f->begun ? f->call.judge.received : 0;
	big = clean(f);
	pthread_mutex_lock(&fs->spare.lock);
	poke = big > 0 || fs->spare.n > SPARE_FEW;
	fs->spare.big += big;
	if (used > fs->spare.used)
		fs->spare.used = used;
	if (fs->spare.n < SPARE_MAX) {
		f->next = fs->spare.list;
		fs->spare.list = f;
		fs->spare.n++;
		f = NULL;
	} else {
		fs->spare.big += TEXT_FIRST;
	}
	pthread_mutex_unlock(&fs->spare.lock);
	if (f != NULL)
		destroy(f);
	if (poke)
		timer_poke(fs);
}

static void
grow(struct flight *f, size_t want)
{
	char *more;

	if (want <= f->cap)
		return;
	if (want < TEXT_FIRST)
		want = TEXT_FIRST;
	/* nothing in it: not worth copying */
	if (f->n == 0) {
		free(f->text);
		f->text = NULL;
		if (want > TEXT_KEEP)
			f->text = kept_text(f->fs, want, &want);
		if (f->text == NULL)
			f->text = pr_xmalloc(want);
	} else {
		more = pr_xrealloc(f->text, want);
		f->text = more;
	}
	f->cap = want;
}

void
flight_expect(struct flight *f, uint64_t length)
{
	if (length <= PR_CAP_PLUGIN_CALL)
		grow(f, (size_t)length);
	else
		f->too_long = true;
}

void
flight_add(struct flight *f, const char *p, size_t n)
{
	if (f->too_long || n > PR_CAP_PLUGIN_CALL - f->n) {
		f->too_long = true;
		f->n = 0;
		return;
	}
	if (f->n + n > f->cap) {
		size_t twice = f->cap * 2;

		grow(f, f->n + n > twice ? f->n + n : twice);
	}
	memcpy(f->text + f->n, p, n);
	f->n += n;
}

static void
free_list(struct flight *f)
{
	while (f != NULL) {
		struct flight *next = f->next;

		destroy(f);
		f = next;
	}
}

static void
free_texts(struct flights *fs)
{
	for (int i = 0; i < BIG_TEXTS; i++) {
		free(pr_take(&fs->spare.texts[i].p));
		fs->spare.texts[i].cap = 0;
	}
}

bool
pool_trim(struct flights *fs, uint64_t now)
{
	struct flight *list = NULL;
	bool quiet, left;

	pthread_mutex_lock(&fs->spare.lock);
	left = fs->spare.big > 0 || fs->spare.n > SPARE_FEW;
	quiet = fs->spare.used + QUIET < now;
	if (left && quiet) {
		list = fs->spare.list;
		fs->spare.list = NULL;
		fs->spare.n = 0;
		fs->spare.big = 0;
		free_texts(fs);
	}
	pthread_mutex_unlock(&fs->spare.lock);
	if (!left || !quiet)
		return left;
	free_list(list);
	memory_give_back();
	return false;
}

void
pool_init(struct flights *fs)
{
	pthread_mutex_init(&fs->spare.lock, NULL);
}

void
pool_fini(struct flights *fs)
{
	free_list(fs->spare.list);
	fs->spare.list = NULL;
	free_texts(fs);
	pthread_mutex_destroy(&fs->spare.lock);
}
