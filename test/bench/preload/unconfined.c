/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a daemon under valgrind, which knows neither seccomp nor
 * Landlock: its filter is made and not loaded.  For callgrind alone.
 */
#include <stdint.h>

int seccomp_attr_set(void *ctx, int attr, uint32_t value);
int seccomp_load(void *ctx);

/* the library asks the kernel which of them it has */
int
seccomp_attr_set(void *ctx, int attr, uint32_t value)
{
	(void)ctx;
	(void)attr;
	(void)value;
	return 0;
}

int
seccomp_load(void *ctx)
{
	(void)ctx;
	return 0;
}
