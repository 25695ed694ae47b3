/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock, by its three system calls; the kernel's header may be older. */
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "confine_local.h"

/* linux/landlock.h; the numbers are of all machines */
#define CALL_CREATE   444
#define CALL_ADD      445
#define CALL_RESTRICT 446
#define RULE_PATH     1
#define RULE_PORT     2
#define TELL_VERSION  1U

enum { /* of files */
	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	REMOVE_DIR = 1 << 4,
	REMOVE_FILE = 1 << 5,
	MAKE_CHAR = 1 << 6,
	MAKE_DIR = 1 << 7,
	MAKE_REG = 1 << 8,
	MAKE_SOCK = 1 << 9,
	MAKE_FIFO = 1 << 10,
	MAKE_BLOCK = 1 << 11,
	MAKE_SYM = 1 << 12,
	REFER = 1 << 13,     /* version 2 */
	TRUNCATE = 1 << 14,  /* 3 */
	IOCTL_DEV = 1 << 15, /* 5 */
};
enum { /* 4 */
	BIND_TCP = 1 << 0,
	CONNECT_TCP = 1 << 1,
};
enum { /* 6 */
	SCOPE_ABSTRACT = 1 << 0,
	SCOPE_SIGNAL = 1 << 1,
};
#define OF_FILES (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV)

struct ruleset {
	uint64_t fs, net, scoped;
};
struct path_rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));
struct port_rule {
	uint64_t allowed, port;
};

/* What a kernel of this version can refuse: all of it is. */
static struct ruleset
everything(long version)
{
	struct ruleset r = {.fs = (1 << 13) - 1};

	if (version >= 2)
		r.fs |= REFER;
	if (version >= 3)
		r.fs |= TRUNCATE;
	if (version >= 4)
		r.net = BIND_TCP | CONNECT_TCP;
	if (version >= 5)
		r.fs |= IOCTL_DEV;
	/* abstract sockets: a service manager may listen at one */
	if (version >= 6)
		r.scoped = SCOPE_SIGNAL;
	return r;
}

static size_t
size_of(long version)
{
	return version >= 6 ? sizeof(struct ruleset)
	    : version >= 4  ? 2 * sizeof(uint64_t)
			    : sizeof(uint64_t);
}

static uint64_t
rights_of(unsigned rights)
{
	uint64_t r = 0;

	if ((rights & (PR_PLACE_READ | PR_PLACE_WRITE)) != 0)
		r |= READ_FILE | READ_DIR;
	if ((rights & PR_PLACE_WRITE) != 0)
		r |= WRITE_FILE | MAKE_REG | REMOVE_FILE | TRUNCATE;
	if ((rights & PR_PLACE_SOCKETS) != 0)
		r |= MAKE_SOCK | REMOVE_FILE;
	return r;
}

static int
add_place(int set, const struct pr_place *p, uint64_t handled)
{
	struct path_rule rule = {.allowed = rights_of(p->rights) & handled};
	struct stat st;
	int rc;

	rule.fd = open(p->path, O_PATH | O_CLOEXEC);
	if (rule.fd < 0)
		return 0;
	if (fstat(rule.fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed &= OF_FILES;
	rc = rule.allowed == 0
	    ? 0
	    : (int)syscall(CALL_ADD, set, RULE_PATH, &rule, 0);
	close(rule.fd);
	return rc;
}

static const struct {
	unsigned processes;
	struct pr_place place;
} common[] = {
#define PLACE(processes, path, rights, why) {processes, {path, rights}},
#include "confine.def"
#undef PLACE
};

static int
fill(int set, long version, enum pr_process process,
    const struct pr_place *places, size_t n, const uint16_t *ports,
    size_t n_ports)
{
	uint64_t handled = everything(version).fs;
	int rc = 0;

	for (size_t i = 0; i < PR_COUNT(common) && rc == 0; i++)
		if ((common[i].processes & process) != 0)
			rc = add_place(set, &common[i].place, handled);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_place(set, &places[i], handled);
	for (size_t i = 0; version >= 4 && i < n_ports && rc == 0; i++) {
		struct port_rule rule = {CONNECT_TCP, ports[i]};

		rc = (int)syscall(CALL_ADD, set, RULE_PORT, &rule, 0);
	}
	return rc;
}

int
confine_files(enum pr_process process, const struct pr_place *places, size_t n,
    const uint16_t *ports, size_t n_ports, struct pr_err **err)
{
	long version = syscall(CALL_CREATE, NULL, 0, TELL_VERSION);
	struct ruleset all;
	int set, rc, e;

	if (version <= 0)
		return 0;
	all = everything(version);
	set = (int)syscall(CALL_CREATE, &all, size_of(version), 0);
	rc = set < 0 ? -1
		     : fill(set, version, process, places, n, ports, n_ports);
	if (rc == 0)
		rc = (int)syscall(CALL_RESTRICT, set, 0);
	e = errno;
	if (set >= 0)
		close(set);
	if (rc == 0)
		return (int)version;
	return pr_err_set(err, PR_ERR_IO, e,
	    "cannot confine this process to its files: %s", strerror(e));
}
