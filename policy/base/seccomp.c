/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls of confine.def; everything else is EPERM. */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/str.h>

#include "confine_local.h"

static const struct {
	unsigned processes;
	const char *names;
} calls[] = {
#define CALLS(processes, names, why) {processes, names},
#include "confine.def"
#undef CALLS
};

/* A call that this machine does not have (open on arm64) is left out. */
static int
allow(scmp_filter_ctx ctx, struct pr_str name)
{
	char text[64];
	int nr;

	if (name.n == 0 || name.n >= sizeof text)
		return 0;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	nr = seccomp_syscall_resolve_name(text);
	if (nr == __NR_SCMP_ERROR || nr < 0)
		return 0;
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
}

static int
allow_plain(scmp_filter_ctx ctx, enum pr_process process)
{
	int rc = 0;

	for (size_t i = 0; i < PR_COUNT(calls) && rc == 0; i++) {
		struct pr_str rest = pr_str_of(calls[i].names);

		while ((calls[i].processes & process) != 0 && rest.n > 0 &&
		    rc == 0)
			rc = allow(ctx, pr_str_cut(&rest, ' '));
	}
	return rc;
}

/* One argument; `only` bits of it (0: all) must be `value`. */
struct limit {
	const char *name;
	unsigned arg;
	uint64_t only, value;
};

static const struct limit limits[] = {
    {"socket", 0, 0, AF_UNIX},
    {"socket", 0, 0, AF_INET},
    {"socket", 0, 0, AF_INET6},
    {"clone", 0, CLONE_THREAD, CLONE_THREAD},
    {"mmap", 2, PROT_EXEC, 0},
    {"mmap", 2, PROT_WRITE, 0},
    {"mprotect", 2, PROT_EXEC, 0},
    {"prctl", 0, 0, PR_SET_NAME},
    {"ioctl", 1, 0, FIONBIO},
    {"ioctl", 1, 0, FIONREAD},
    {"ioctl", 1, 0, TCGETS},
    {"prlimit64", 2, 0, 0},
    {"openat", 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
};

static const struct {
	unsigned processes;
	const char *name;
} limited[] = {
#define LIMITED(processes, name, only, why) {processes, name},
#include "confine.def"
#undef LIMITED
};

static int
add_limit(scmp_filter_ctx ctx, const struct limit *l)
{
	int nr = seccomp_syscall_resolve_name(l->name);

	if (nr == __NR_SCMP_ERROR || nr < 0)
		return 0;
	if (l->only == 0)
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
		    SCMP_CMP64(l->arg, SCMP_CMP_EQ, l->value, 0));
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
	    SCMP_CMP64(l->arg, SCMP_CMP_MASKED_EQ, l->only, l->value));
}

static int
allow_limited(scmp_filter_ctx ctx, enum pr_process process)
{
	int rc = 0;

	for (size_t i = 0; i < PR_COUNT(limited); i++) {
		if ((limited[i].processes & process) == 0)
			continue;
		for (size_t k = 0; k < PR_COUNT(limits) && rc == 0; k++)
			if (strcmp(limits[k].name, limited[i].name) == 0)
				rc = add_limit(ctx, &limits[k]);
	}
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW,
		    seccomp_syscall_resolve_name("tgkill"), 1,
		    SCMP_CMP64(0, SCMP_CMP_EQ, (uint64_t)getpid(), 0));
	/* its flags are in memory, where no filter looks; glibc then takes
	 * clone */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
		    seccomp_syscall_resolve_name("clone3"), 0);
	return rc;
}

int
confine_calls(enum pr_process process, struct pr_err **err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = ctx == NULL ? -ENOMEM : 0;

	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	/* a tree instead of a list: it is asked at every call */
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc == 0)
		rc = allow_plain(ctx, process);
	if (rc == 0)
		rc = allow_limited(ctx, process);
	if (rc == 0)
		rc = seccomp_load(ctx);
	if (ctx != NULL)
		seccomp_release(ctx);
	if (rc == 0)
		return 0;
	return pr_err_set(err, PR_ERR_IO, -rc,
	    "cannot confine this process to its system calls: %s",
	    strerror(-rc));
}
