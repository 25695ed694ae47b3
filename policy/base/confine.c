/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/log.h>

#include "confine_local.h"

static char state[64] = "not confined";

static const struct {
	unsigned processes;
	const char *name, *why;
	unsigned number;
} powers[] = {
#define POWER(processes, name, why) {processes, name, why, 0},
#include "confine.def"
#undef POWER
};

static unsigned
power_number(const char *name)
{
	return strcmp(name, "CAP_SYS_PTRACE") == 0 ? CAP_SYS_PTRACE
						   : CAP_DAC_READ_SEARCH;
}

/* --- capabilities ------------------------------------------------------- */

static uint64_t
wanted_powers(enum pr_process process)
{
	uint64_t w = 0;

	for (size_t i = 0; i < PR_COUNT(powers); i++)
		if ((powers[i].processes & process) != 0)
			w |= UINT64_C(1) << power_number(powers[i].name);
	return w;
}

/* What it cannot drop (no CAP_SETPCAP) it cannot gain either. */
static void
narrow_bounds(uint64_t wanted)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if ((wanted >> cap & 1) == 0 &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			return;
}

static int
keep_powers(uint64_t wanted)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];
	bool same = true;

	if (syscall(SYS_capget, &head, d) != 0)
		return -1;
	narrow_bounds(wanted);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int i = 0; i < 2; i++) {
		uint32_t keep = (uint32_t)(wanted >> 32 * i) & d[i].permitted;

		same &= d[i].permitted == keep && d[i].effective == keep &&
		    d[i].inheritable == 0;
		d[i].permitted = d[i].effective = keep;
		d[i].inheritable = 0;
	}
	/* a service manager may have done it all, and forbid to do it again */
	return same ? 0 : (int)syscall(SYS_capset, &head, d);
}

/* --- all of it ---------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static int
refused(struct pr_err **err, const char *what)
{
	return pr_err_set(
	    err, PR_ERR_IO, errno, "cannot %s: %s", what, strerror(errno));
}

int
pr_confine(enum pr_process process, const struct pr_place *places, size_t n,
    const uint16_t *ports, size_t n_ports, struct pr_err **err)
{
	const struct rlimit none = {0, 0};
	int landlock = 0;

	/* their own threads, files and traces are not in the tables */
	if (SANITIZED)
		return 0;
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return refused(err, "forbid core files");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return refused(err, "forbid others to trace this process");
	if (keep_powers(wanted_powers(process)) != 0)
		return refused(err, "drop capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return refused(err, "forbid new privileges");
	/* the eyes look where Landlock forbids it */
	if (process != PR_EYES) {
		landlock =
		    confine_files(process, places, n, ports, n_ports, err);
		if (landlock < 0)
			return -1;
		if (landlock == 0)
			pr_log(PR_LOG_WARNING,
			    "this kernel has no Landlock: files are guarded "
			    "by their owners and modes alone");
	}
	if (confine_calls(process, err) != 0)
		return -1;
	if (landlock > 0)
		snprintf(state, sizeof state, "seccomp, Landlock %d", landlock);
	else
		snprintf(state, sizeof state, "seccomp, no Landlock");
	return 0;
}

const char *
pr_confined(void)
{
	return state;
}

/* --- for people --------------------------------------------------------- */

static void
put_processes(struct pr_buf *b, unsigned processes)
{
	static const struct {
		enum pr_process process;
		const char *name;
	} names[] = {
	    {PR_PLUGIN, "plugin"}, {PR_PROXY, "proxy"}, {PR_EYES, "eyes"}};
	bool any = false;

	for (size_t i = 0; i < PR_COUNT(names); i++)
		if ((processes & names[i].process) != 0) {
			pr_buf_printf(
			    b, "%s%s", any ? ", " : "", names[i].name);
			any = true;
		}
}

static void
put_row(struct pr_buf *b, unsigned processes, const char *what,
    const char *more, const char *why)
{
	pr_buf_cstr(b, "| ");
	put_processes(b, processes);
	pr_buf_printf(b, " | %s%s%s | %s |\n", what, more != NULL ? ": " : "",
	    more != NULL ? more : "", why);
}

static const char *
rights_text(unsigned rights)
{
	return (rights & PR_PLACE_WRITE) != 0  ? "write"
	    : (rights & PR_PLACE_SOCKETS) != 0 ? "sockets"
					       : "read";
}

void
pr_confine_print(struct pr_buf *b)
{
	pr_buf_cstr(b, "| process | capability | why |\n| --- | --- | --- |\n");
	for (size_t i = 0; i < PR_COUNT(powers); i++)
		put_row(b, powers[i].processes, powers[i].name, NULL,
		    powers[i].why);
	pr_buf_cstr(
	    b, "\n| process | system calls | why |\n| --- | --- | --- |\n");
#define CALLS(processes, names, why) put_row(b, processes, names, NULL, why);
#include "confine.def"
#undef CALLS
#define LIMITED(processes, name, only, why) \
	put_row(b, processes, name, only, why);
#include "confine.def"
#undef LIMITED
	pr_buf_cstr(b, "\n| process | place | why |\n| --- | --- | --- |\n");
#define PLACE(processes, path, rights, why) \
	put_row(b, processes, path, rights_text(rights), why);
#include "confine.def"
#undef PLACE
}
