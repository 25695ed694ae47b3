/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <sys/mman.h>

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct mapping {
	uintptr_t begin, end;
	bool file; /* of a file, and nobody may write to it */
};

/* "7f00-7f10 r-xp 00000000 fe:01 1234  /usr/lib/libx.so" */
static bool
read_heading(const char *line, struct mapping *m)
{
	char mode[8] = "", path[2] = "";
	unsigned long begin, end, inode = 0;

	if (sscanf(line, "%lx-%lx %7s %*x %*x:%*x %lu %1s", &begin, &end, mode,
		&inode, path) < 4)
		return false;
	m->begin = begin;
	m->end = end;
	m->file = mode[0] == 'r' && mode[1] == '-' && mode[3] == 'p' &&
	    inode != 0 && path[0] == '/';
	return true;
}

/*
 * Only pages that are the file's own: a mapping with anonymous pages holds
 * what the linker has relocated, which no file would give back.
 */
static void
drop_clean_pages(void)
{
	struct mapping m = {0, 0, false};
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512];
	unsigned long kib;

	if (f == NULL)
		return;
	while (fgets(line, sizeof line, f) != NULL) {
		if (read_heading(line, &m))
			continue;
		if (sscanf(line, "Anonymous: %lu kB", &kib) != 1)
			continue;
		if (m.file && kib == 0)
			(void)madvise(
			    (void *)m.begin, m.end - m.begin, MADV_DONTNEED);
		m.file = false;
	}
	fclose(f);
}

void
memory_give_back(void)
{
	malloc_trim(0);
	drop_clean_pages();
}
