/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <sys/mman.h>

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mapping {
	uintptr_t begin, end;
	bool file; /* of a file, and nobody may write to it */
};

/* "7f00-7f10 r-xp 00000000 fe:01 1234  /usr/lib/libx.so" */
static bool
read_heading(const char *line, struct mapping *m)
{
	char *at;

	if (strchr("0123456789abcdef", line[0]) == NULL)
		return false;
	m->begin = strtoul(line, &at, 16);
	if (*at != '-')
		return false;
	m->end = strtoul(at + 1, &at, 16);
	m->file = strncmp(at, " r-", 3) == 0 && at[4] == 'p' &&
	    strstr(at, " /") != NULL;
	return true;
}

/* "Anonymous:            12 kB": is that so, and none? */
static bool
read_anonymous(const char *line, bool *none)
{
	static const char name[] = "Anonymous:";

	if (strncmp(line, name, sizeof name - 1) != 0)
		return false;
	*none = strtoul(line + sizeof name - 1, NULL, 10) == 0;
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
	bool none;

	if (f == NULL)
		return;
	while (fgets(line, sizeof line, f) != NULL) {
		if (read_heading(line, &m))
			continue;
		if (!read_anonymous(line, &none))
			continue;
		if (m.file && none)
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
