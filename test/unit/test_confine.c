/* SPDX-License-Identifier: Apache-2.0 */
/* What a confined process tries, and does not get; each in a process of its
 * own, for there is no way back. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/confine.h>
#include <portreeve/eyes.h>

#include "unit.h"

static char room[64], policy[96], policy_file[128], log_dir[96], log_file[128];
static uint16_t open_port, other_port;

static void
put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* A TCP listener of our own; its port. */
static uint16_t
listen_tcp(void)
{
	struct sockaddr_in sa = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof sa;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	return ntohs(sa.sin_port);
}

static void
make_room(void)
{
	snprintf(room, sizeof room, "/tmp/confine.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(room));
	snprintf(policy, sizeof policy, "%s/policy", room);
	snprintf(log_dir, sizeof log_dir, "%s/log", room);
	snprintf(policy_file, sizeof policy_file, "%s/a.yaml", policy);
	snprintf(log_file, sizeof log_file, "%s/1.jsonl", log_dir);
	ck_assert_int_eq(mkdir(policy, 0755), 0);
	ck_assert_int_eq(mkdir(log_dir, 0700), 0);
	put_file(policy_file, "version: 1\n");
	open_port = listen_tcp();
	other_port = listen_tcp();
}

static void
leave_room(void)
{
	unlink(policy_file);
	unlink(log_file);
	rmdir(policy);
	rmdir(log_dir);
	rmdir(room);
}

/* Check's own words need calls that are not on the list. */
static void PR_NORETURN
give_up(const char *what, long rc, const char *why)
{
	dprintf(2, "FAIL %s: %ld, %s (errno %d)\n", what, rc, why, errno);
	_exit(1);
}

#define must(condition) \
	((condition) ? (void)0 : give_up(#condition, __LINE__, "does not hold"))

static bool
is_confined(void)
{
	return strcmp(pr_confined(), "not confined") != 0;
}

/* In builds with a sanitizer nothing is confined, and that is what is said. */
static bool
confine(void)
{
	const struct pr_place places[] = {
	    {policy, PR_PLACE_READ}, {log_dir, PR_PLACE_WRITE}};
	struct pr_err *err = NULL;

	if (pr_confine(
		PR_PLUGIN, places, PR_COUNT(places), &open_port, 1, &err) != 0)
		give_up("confine", 0, pr_err_text(err));
	return is_confined();
}

static void
expect_refused(const char *what, long rc)
{
	if (rc != -1 || (errno != EPERM && errno != EACCES))
		give_up(what, rc, rc == -1 ? strerror(errno) : "done");
}

static void
calls(void)
{
	static const struct {
		const char *name;
		long nr, a, b, c;
	} rows[] = {
	    {"ptrace", SYS_ptrace, 16, 1, 0},
	    {"io_uring_setup", 425, 8, 0, 0},
	    {"io_uring_enter", 426, 0, 0, 0},
	    {"process_vm_readv", SYS_process_vm_readv, 1, 0, 0},
	    {"mount", SYS_mount, 0, 0, 0},
	    {"umount2", SYS_umount2, 0, 0, 0},
	    {"move_mount", 429, 0, 0, 0},
	    {"pivot_root", SYS_pivot_root, 0, 0, 0},
	    {"chroot", SYS_chroot, 0, 0, 0},
	    {"setns", SYS_setns, 0, 0, 0},
	    {"unshare", SYS_unshare, 0x10000000, 0, 0},
	    {"bpf", SYS_bpf, 0, 0, 0},
	    {"perf_event_open", SYS_perf_event_open, 0, 0, 0},
	    {"userfaultfd", SYS_userfaultfd, 0, 0, 0},
	    {"keyctl", SYS_keyctl, 0, 0, 0},
	    {"add_key", SYS_add_key, 0, 0, 0},
	    {"memfd_create", SYS_memfd_create, 0, 0, 0},
	    {"init_module", SYS_init_module, 0, 0, 0},
	    {"kexec_load", SYS_kexec_load, 0, 0, 0},
	    {"reboot", SYS_reboot, 0, 0, 0},
	    {"setuid", SYS_setuid, 0, 0, 0},
	    {"setresuid", SYS_setresuid, 0, 0, 0},
	    {"setgroups", SYS_setgroups, 0, 0, 0},
	    {"capset", SYS_capset, 0, 0, 0},
	    {"kill", SYS_kill, 1, 0, 0},
	    {"tgkill of another", SYS_tgkill, 1, 1, 0},
	    {"pidfd_send_signal", 424, 0, 0, 0},
	    {"pidfd_getfd", 438, 0, 0, 0},
	    {"personality", SYS_personality, 0xffffffff, 0, 0},
	    {"open_by_handle_at", SYS_open_by_handle_at, 0, 0, 0},
	    {"name_to_handle_at", SYS_name_to_handle_at, 0, 0, 0},
	    {"mknod", SYS_mknodat, -100, 0, 0},
	    {"symlink", SYS_symlinkat, 0, -100, 0},
	    {"link", SYS_linkat, -100, 0, -100},
	    {"seccomp", SYS_seccomp, 1, 0, 0},
	    {"prctl PR_SET_DUMPABLE", SYS_prctl, 4, 1, 0},
	    {"prctl PR_CAPBSET_DROP", SYS_prctl, 24, 0, 0},
	    {"fork", SYS_fork, 0, 0, 0},
	    {"vfork", SYS_clone, 0x4111, 0, 0},
	    {"clone with a namespace", SYS_clone, 0x10000011, 0, 0},
	    {"socket of netlink", SYS_socket, AF_NETLINK, SOCK_RAW, 0},
	    {"socket of packets", SYS_socket, 17, SOCK_RAW, 0},
	    {"socket of vsock", SYS_socket, 40, SOCK_STREAM, 0},
	    {"iopl", SYS_iopl, 3, 0, 0},
	    {"acct", SYS_acct, 0, 0, 0},
	    {"quotactl", SYS_quotactl, 0, 0, 0},
	    {"settimeofday", SYS_settimeofday, 0, 0, 0},
	    {"sethostname", SYS_sethostname, 0, 0, 0},
	};

	if (!confine())
		return;
	for (size_t i = 0; i < PR_COUNT(rows); i++) {
		errno = 0;
		expect_refused(rows[i].name,
		    syscall(rows[i].nr, rows[i].a, rows[i].b, rows[i].c, 0, 0));
	}
}

static void
no_exec(void)
{
	char name[] = "/bin/true";
	char *argv[] = {name, NULL};

	if (!confine())
		return;
	expect_refused("execve", execv(name, argv));
	expect_refused(
	    "execveat", syscall(SYS_execveat, -100, name, argv, NULL, 0));
}

static void
no_code(void)
{
	void *p;

	if (!confine())
		return;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect_refused("mmap", p == MAP_FAILED ? -1 : 0);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must((p) != (MAP_FAILED));
	expect_refused("mprotect", mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int
open_close(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static void
files(void)
{
	static const char *const closed[] = {"/etc/shadow", "/etc/passwd",
	    "/root", "/home", "/etc/docker", "/proc/1/environ", "/boot", "/tmp",
	    "/var/lib", "/bin/sh"};
	char other[160];

	if (!confine() || strstr(pr_confined(), "no Landlock") != NULL)
		return;
	for (size_t i = 0; i < PR_COUNT(closed); i++)
		if (open_close(closed[i], O_RDONLY) == 0 || errno != ENOENT)
			expect_refused(
			    closed[i], open_close(closed[i], O_RDONLY));
	must((open_close(policy_file, O_RDONLY)) == (0));
	expect_refused("write policy", open_close(policy_file, O_WRONLY));
	expect_refused(
	    "append to policy", open_close(policy_file, O_RDWR | O_APPEND));
	expect_refused(
	    "truncate policy", open_close(policy_file, O_RDONLY | O_TRUNC));
	expect_refused("remove policy", unlink(policy_file));
	expect_refused("rename policy", rename(policy_file, log_file));
	snprintf(other, sizeof other, "%s/new.yaml", policy);
	expect_refused("new policy", open_close(other, O_CREAT | O_WRONLY));
	expect_refused("replace policy", rmdir(policy));
	snprintf(other, sizeof other, "%s/next-door", room);
	expect_refused("beside", open_close(other, O_CREAT | O_WRONLY));
	/* what it is for */
	must((open_close(log_file, O_CREAT | O_WRONLY)) == (0));
	snprintf(other, sizeof other, "%s/2.jsonl", log_dir);
	must((rename(log_file, other)) == (0));
	must((unlink(other)) == (0));
	expect_refused("a folder in the log", mkdir(other, 0700));
}

static int
connect_tcp(uint16_t port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc, e;

	must((fd) >= (0));
	rc = connect(fd, (struct sockaddr *)&sa, sizeof sa);
	e = errno;
	close(fd);
	errno = e;
	return rc;
}

static void
network(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	int version = 0, fd;

	if (!confine() ||
	    sscanf(pr_confined(), "seccomp, Landlock %d", &version) != 1 ||
	    version < 4)
		return;
	must((connect_tcp(open_port)) == (0));
	expect_refused("connect elsewhere", connect_tcp(other_port));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	expect_refused("listen", bind(fd, (struct sockaddr *)&any, sizeof any));
	close(fd);
}

/* The value of a line of /proc/PID/status, in hex or decimal as it stands. */
static unsigned long long
status_of(pid_t pid, const char *key, int base)
{
	char path[64], line[256];
	unsigned long long v = ~0ULL;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	must(f != NULL);
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0 &&
		    line[strlen(key)] == ':')
			v = strtoull(line + strlen(key) + 1, NULL, base);
	fclose(f);
	return v;
}

#define BIT(cap) (1ULL << (cap))
#define EYES     (BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH))

static void
powers(void)
{
	struct rlimit core;

	if (!confine())
		return;
	must((status_of(getpid(), "NoNewPrivs", 10)) == (1));
	must((status_of(getpid(), "Seccomp", 10)) == (2));
	must((status_of(getpid(), "CapEff", 16) & ~BIT(CAP_DAC_READ_SEARCH)) ==
	    (0));
	must((status_of(getpid(), "CapPrm", 16) & ~BIT(CAP_DAC_READ_SEARCH)) ==
	    (0));
	must((status_of(getpid(), "CapBnd", 16) & ~BIT(CAP_DAC_READ_SEARCH)) ==
	    (0));
	must((status_of(getpid(), "CapInh", 16)) == (0));
	must((status_of(getpid(), "CapAmb", 16)) == (0));
	must((getrlimit(RLIMIT_CORE, &core)) == (0));
	must((core.rlim_max) == (0));
}

static void *
nothing(void *arg)
{
	return arg;
}

static void
what_it_is_for(void)
{
	pthread_t t;
	void *p = NULL;

	(void)confine();
	must((pthread_create(&t, NULL, nothing, room)) == (0));
	must((pthread_join(t, &p)) == (0));
	must((p) == (room));
	free(malloc((size_t)64 << 20));
	must((open_close("/proc/self/statm", O_RDONLY)) == (0));
}

static pid_t
only_child(void)
{
	char path[64];
	int pid = 0;
	FILE *f;

	snprintf(
	    path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "re");
	must(f != NULL);
	must((fscanf(f, "%d", &pid)) == (1));
	fclose(f);
	return pid;
}

static void
eyes_see(void)
{
	struct stat a, b;
	char text[64] = "";
	int fd;

	must((pr_eyes_open(NULL)) == (0));
	(void)confine();
	/* a process outside of its confinement, and with all powers */
	fd = pr_eyes_look(getppid(), PR_EYES_ROOT);
	must((fd) >= (0));
	must((fstat(fd, &a)) == (0));
	must((stat("/", &b)) == (0));
	must((a.st_ino) == (b.st_ino));
	must((fcntl(fd, F_GETFL) & O_PATH) == (O_PATH));
	must((fcntl(fd, F_GETFD)) == (FD_CLOEXEC));
	close(fd);
	fd = pr_eyes_look(getpid(), PR_EYES_MOUNTS);
	must((fd) >= (0));
	must((read(fd, text, sizeof text)) > (10));
	expect_refused("write",
	    write(fd, "x", 1) == -1 && errno == EBADF ? (errno = EPERM, -1)
						      : 0);
	close(fd);
	errno = 0;
	must((pr_eyes_look(-5, PR_EYES_ROOT)) == (-1));
	must((errno) == (ESRCH));
	errno = 0;
	must((pr_eyes_look(0x3fffffff, PR_EYES_ROOT)) == (-1));
	must((errno) == (ENOENT));
	/* it still sees after a failure */
	fd = pr_eyes_look(getppid(), PR_EYES_ROOT);
	must((fd) >= (0));
	close(fd);
}

/* A process that was started with these arguments; it ends with the pipe. */
static pid_t
started_with(const char *a, const char *b, int hold[2])
{
	char copy[2][160] = {"", ""};
	char *argv[] = {copy[0], copy[1], NULL};
	pid_t pid;

	snprintf(copy[0], sizeof copy[0], "%s", a);
	snprintf(copy[1], sizeof copy[1], "%s", b);
	must(pipe(hold) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(hold[0], 0);
		close(hold[1]);
		execv("/bin/cat", argv);
		_exit(1);
	}
	close(hold[0]);
	return pid;
}

static void
eyes_read_configuration(void)
{
	char text[64], flag[160];
	int hold[2], fd, i = 0;
	pid_t pid;

	must(pr_eyes_open(NULL) == 0);
	snprintf(flag, sizeof flag, "--config-file=%s", policy_file);
	/* argv[0] may be anything; cat takes no such option, and ends: so the
	 * argument stands in the place of the name */
	pid = started_with(flag, "-", hold);
	(void)confine();
	/* until it has been started as what it is */
	do {
		fd = pr_eyes_look(pid, PR_EYES_CONFIG);
	} while (fd < 0 && i++ < 100000);
	must(fd >= 0);
	memset(text, 0, sizeof text);
	must(read(fd, text, sizeof text - 1) > 0);
	must(strcmp(text, "version: 1\n") == 0);
	close(fd);
	fd = pr_eyes_look(pid, PR_EYES_ARGUMENTS);
	must(fd >= 0);
	memset(text, 0, sizeof text);
	must(read(fd, text, sizeof text - 1) > 0);
	must(strncmp(text, "--config-file=", 14) == 0);
	close(fd);
	fd = pr_eyes_look(pid, PR_EYES_PROGRAM);
	must(fd >= 0);
	must((fcntl(fd, F_GETFL) & O_PATH) == O_PATH);
	close(fd);
	errno = 0;
	must(pr_eyes_look(pid, (enum pr_eyes_file)77) == -1);
	must(errno == EINVAL);
	close(hold[1]);
}

static void
eyes_do_nothing_else(void)
{
	int fd;

	must((pr_eyes_open(NULL)) == (0));
	pid_t child = only_child();

	/* asked once, so it has confined itself */
	fd = pr_eyes_look(getpid(), PR_EYES_ROOT);
	must((fd) >= (0));
	close(fd);
	must((status_of(child, "NoNewPrivs", 10)) ==
	    (is_confined() || status_of(child, "Seccomp", 10) == 2 ? 1 : 0));
	if (status_of(child, "Seccomp", 10) != 2)
		return; /* a sanitizer */
	must((status_of(child, "CapEff", 16) & ~EYES) == (0));
	must((status_of(child, "CapBnd", 16) & ~EYES) == (0));
	/* when it is gone nothing can be told, and nobody looks instead */
	must((kill(child, SIGKILL)) == (0));
	must((waitpid(child, NULL, 0)) == (child));
	errno = 0;
	must((pr_eyes_look(getpid(), PR_EYES_ROOT)) == (-1));
	must((errno) == (EIO));
	must((pr_eyes_look(getpid(), PR_EYES_MOUNTS)) == (-1));
}

static void
eyes_without_a_child(void)
{
	int fd = pr_eyes_look(getpid(), PR_EYES_ROOT);

	must((fd) >= (0));
	close(fd);
}

static const struct {
	const char *name;
	void (*run)(void);
} attempts[] = {
    {"calls", calls},
    {"no exec", no_exec},
    {"no code", no_code},
    {"files", files},
    {"network", network},
    {"powers", powers},
    {"what it is for", what_it_is_for},
    {"eyes see", eyes_see},
    {"eyes read configuration", eyes_read_configuration},
    {"eyes do nothing else", eyes_do_nothing_else},
    {"eyes without a child", eyes_without_a_child},
};

START_TEST(attempt)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		attempts[_i].run();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(status == 0, "%s: status %d", attempts[_i].name, status);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("confine");
	TCase *t = tcase_create("confined");

	tcase_add_unchecked_fixture(t, make_room, leave_room);
	tcase_add_loop_test(t, attempt, 0, (int)PR_COUNT(attempts));
	suite_add_tcase(suite, t);
	return unit_run(suite);
}
