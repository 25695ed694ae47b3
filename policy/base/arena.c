/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>

#define ALIGNMENT 16

struct block {
	struct block *older;
	size_t size; /* bytes after the header */
	size_t used;
	_Alignas(ALIGNMENT) char bytes[];
};

struct pr_arena {
	struct block *now;
	size_t next; /* size of the block after this one */
	size_t used;
};

static void *
must(void *p)
{
	if (p == NULL) {
		static const char text[] = "portreeve: out of memory\n";

		fwrite(text, 1, sizeof text - 1, stderr);
		abort();
	}
	return p;
}

void *
pr_xmalloc(size_t n)
{
	return must(malloc(n > 0 ? n : 1));
}

void *
pr_xcalloc(size_t n, size_t size)
{
	return must(calloc(n > 0 ? n : 1, size > 0 ? size : 1));
}

void *
pr_xrealloc(void *p, size_t n)
{
	return must(realloc(p, n > 0 ? n : 1));
}

char *
pr_xstrdup(const char *s)
{
	return must(strdup(s));
}

void
pr_freep(void *p)
{
	void **pp = p;

	free(*pp);
	*pp = NULL;
}

void *
pr_grow(void *array, size_t count, size_t *cap, size_t size)
{
	size_t want, bytes;

	if (count < *cap)
		return array;
	want = *cap < 8 ? 8 : *cap * 2;
	while (want <= count)
		want *= 2;
	if (__builtin_mul_overflow(want, size, &bytes))
		must(NULL);
	*cap = want;
	return pr_xrealloc(array, bytes);
}

static struct block *
block_new(size_t size)
{
	size_t total;

	if (__builtin_add_overflow(size, sizeof(struct block), &total))
		must(NULL);

	struct block *b = pr_xmalloc(total);

	b->older = NULL;
	b->size = size;
	b->used = 0;
	return b;
}

struct pr_arena *
pr_arena_new(size_t first)
{
	struct pr_arena *a = pr_xcalloc(1, sizeof *a);

	if (first < 256)
		first = 256;
	a->now = block_new(first);
	a->next = first;
	return a;
}

void
pr_arena_free(struct pr_arena *a)
{
	if (a == NULL)
		return;
	while (a->now != NULL) {
		struct block *older = a->now->older;

		free(a->now);
		a->now = older;
	}
	free(a);
}

void
pr_arena_freep(struct pr_arena **a)
{
	pr_arena_free(*a);
	*a = NULL;
}

void
pr_arena_reset(struct pr_arena *a, size_t keep)
{
	while (a->now->older != NULL) {
		struct block *older = a->now->older;

		free(a->now);
		a->now = older;
	}
	if (a->now->size > keep && keep >= 256) {
		free(a->now);
		a->now = block_new(keep);
	}
	a->now->used = 0;
	a->next = a->now->size;
	a->used = 0;
}

size_t
pr_arena_used(const struct pr_arena *a)
{
	return a->used;
}

static void *
take(struct pr_arena *a, size_t n, size_t align)
{
	size_t at = (a->now->used + align - 1) & ~(align - 1);

	if (at > a->now->size || n > a->now->size - at) {
		size_t size =
		    a->next < ((size_t)1 << 20) ? a->next * 2 : a->next;

		a->next = size;
		if (size < n + ALIGNMENT)
			size = n + ALIGNMENT;

		struct block *b = block_new(size);

		b->older = a->now;
		a->now = b;
		at = 0;
	}
	a->now->used = at + n;
	a->used += n;
	return a->now->bytes + at;
}

void *
pr_arena_alloc(struct pr_arena *a, size_t n)
{
	if (n > SIZE_MAX / 2)
		must(NULL);
	return memset(take(a, n, ALIGNMENT), 0, n);
}

char *
pr_arena_bytes(struct pr_arena *a, size_t n)
{
	if (n > SIZE_MAX / 2)
		must(NULL);
	return take(a, n, 1);
}

void *
pr_arena_copy(struct pr_arena *a, const void *p, size_t n)
{
	void *copy;

	if (n > SIZE_MAX / 2)
		must(NULL);
	copy = take(a, n, ALIGNMENT);
	return n > 0 ? memcpy(copy, p, n) : copy;
}

void *
pr_arena_array(struct pr_arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		must(NULL);
	return pr_arena_alloc(a, bytes);
}

char *
pr_arena_strdup(struct pr_arena *a, struct pr_str s)
{
	char *p = pr_arena_bytes(a, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

struct pr_str
pr_arena_str(struct pr_arena *a, struct pr_str s)
{
	return (struct pr_str){pr_arena_strdup(a, s), s.n};
}

char *
pr_arena_vprintf(struct pr_arena *a, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		must(NULL);

	char *p = pr_arena_bytes(a, (size_t)n + 1);

	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *
pr_arena_printf(struct pr_arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = pr_arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}
