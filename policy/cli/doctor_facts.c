/* SPDX-License-Identifier: Apache-2.0 */
/* Where the doctor's facts come from. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <dirent.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/caps.h>
#include <portreeve/diag.h>
#include <portreeve/file.h>

#include "admin_client.h"
#include "doctor.h"

#define ARGS_MAX ((size_t)65536)

const char *
doctor_path(const struct doctor *d, const char *path)
{
	if (d->o.root[0] == '\0')
		return path;
	return pr_arena_printf(d->a, "%s%s", d->o.root, path);
}

/* --- our own configuration ---------------------------------------------- */

static void
read_config(struct doctor *d)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;
	const char *file = doctor_path(d, d->o.config);
	struct pr_str first;

	if (pr_config_load(file, d->a, &d->config, ds) == 0)
		return;
	pr_diags_format(ds, &text);
	first = pr_buf_view(&text);
	first = pr_str_cut(&first, '\n');
	d->config_why = first.n > 0
	    ? pr_arena_strdup(d->a, first)
	    : pr_arena_printf(d->a, "%s cannot be read", file);
	/* what it would be by default, so that the rest can be looked at */
	d->config = (struct pr_config){
	    .policy = "/etc/portreeve/policy.d",
	    .ledger = "/var/lib/portreeve/ledger.db",
	    .admin_socket = "/run/portreeve/admin.sock",
	};
	d->config.daemon.socket = "/var/run/docker.sock";
	d->config.plugin.socket = "/run/docker/plugins/portreeve.sock";
	d->config.audit.dir = "/var/log/portreeve";
}

static void
name_plugin(struct doctor *d)
{
	const char *base = strrchr(d->config.plugin.socket, '/');
	struct pr_str s = pr_str_of(base != NULL ? base + 1 : "");

	if (pr_str_ends(s, ".sock"))
		s.n -= 5;
	d->plugin_name = pr_arena_strdup(d->a, s);
}

/* --- dockerd's process -------------------------------------------------- */

/* A file of /proc: its size says nothing, so it is read until its end. */
static struct pr_str
read_proc(const struct doctor *d, pid_t pid, const char *name)
{
	const char *path = doctor_path(
	    d, pr_arena_printf(d->a, "/proc/%d/%s", (int)pid, name));
	char *p = pr_arena_bytes(d->a, ARGS_MAX);
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL)
		return (struct pr_str){NULL, 0};
	n = fread(p, 1, ARGS_MAX - 1, f);
	fclose(f);
	p[n] = '\0';
	return (struct pr_str){p, n};
}

static bool
is_dockerd(const struct doctor *d, pid_t pid)
{
	return pr_str_is(pr_str_trim(read_proc(d, pid, "comm")), "dockerd");
}

/* Who listens at the socket; 0: nobody, or it is made by somebody else. */
static pid_t
pid_of_socket(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct ucred cred = {0};
	socklen_t n = sizeof cred;
	int fd;

	if (strlen(path) >= sizeof sa.sun_path)
		return 0;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	if (connect(fd, (const struct sockaddr *)&sa, sizeof sa) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0)
		cred.pid = 0;
	close(fd);
	return cred.pid;
}

/* The only dockerd; 0: none, or several. */
static pid_t
only_dockerd(const struct doctor *d)
{
	DIR *dir = opendir(doctor_path(d, "/proc"));
	struct dirent *e;
	pid_t found = 0;
	uint64_t n;
	int count = 0;

	if (dir == NULL)
		return 0;
	while ((e = readdir(dir)) != NULL) {
		if (!pr_str_u64(pr_str_of(e->d_name), &n) || n > INT32_MAX ||
		    !is_dockerd(d, (pid_t)n))
			continue;
		found = (pid_t)n;
		count++;
	}
	closedir(dir);
	return count == 1 ? found : 0;
}

static void
read_args(struct doctor *d)
{
	struct pr_str text = read_proc(d, d->pid, "cmdline");
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\0';
	d->args = pr_arena_array(d->a, n + 1, sizeof *d->args);
	while (text.n > 0 && d->n_args < n) {
		struct pr_str arg = pr_str_cut(&text, '\0');

		d->args[d->n_args++] = pr_arena_strdup(d->a, arg);
	}
}

/* "socket:[123]" of a descriptor: 123, else "". */
static struct pr_str
socket_inode(struct doctor *d, const char *fd)
{
	const char *path = doctor_path(
	    d, pr_arena_printf(d->a, "/proc/%d/fd/%s", (int)d->pid, fd));
	char to[64];
	ssize_t n = readlink(path, to, sizeof to);
	struct pr_str s = {to, n > 0 ? (size_t)n : 0};

	if (!pr_str_starts(s, "socket:[") || !pr_str_ends(s, "]"))
		return PR_STR("");
	return pr_arena_str(d->a, pr_str_sub(s, 8, s.n - 1));
}

/* Is it in a row of /proc/net/tcp that listens (state 0A)? */
static bool
is_listening(struct pr_str table, struct pr_str inode)
{
	while (table.n > 0) {
		struct pr_str line = pr_str_trim(pr_str_cut(&table, '\n'));
		struct pr_str word[10] = {{0}};
		size_t n = 0;

		while (line.n > 0 && n < PR_COUNT(word)) {
			struct pr_str w = pr_str_cut(&line, ' ');

			if (w.n > 0)
				word[n++] = w;
		}
		if (n == PR_COUNT(word) && pr_str_is(word[3], "0A") &&
		    pr_str_eq(word[9], inode))
			return true;
	}
	return false;
}

/* TCP sockets that the process listens on, also those it was handed. */
static void
count_tcp(struct doctor *d)
{
	struct pr_str tcp = read_proc(d, d->pid, "net/tcp");
	struct pr_str tcp6 = read_proc(d, d->pid, "net/tcp6");
	DIR *dir = opendir(
	    doctor_path(d, pr_arena_printf(d->a, "/proc/%d/fd", (int)d->pid)));
	struct dirent *e;

	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL) {
		struct pr_str inode = socket_inode(d, e->d_name);

		d->n_tcp += inode.n > 0 &&
		    (is_listening(tcp, inode) || is_listening(tcp6, inode));
	}
	closedir(dir);
}

static void
find_dockerd(struct doctor *d)
{
	pid_t pid = d->o.root[0] == '\0' ? pid_of_socket(d->docker_socket) : 0;

	if (pid == 0 || !is_dockerd(d, pid))
		pid = only_dockerd(d);
	d->pid = pid;
	if (pid == 0)
		return;
	read_args(d);
	count_tcp(d);
}

/* --- daemon.json -------------------------------------------------------- */

static void
read_daemon_file(struct doctor *d)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct doctor_setting told;
	struct pr_json_fault fault;
	const struct pr_json *doc;
	struct pr_str text;

	doctor_setting(d, "config-file", &told);
	d->daemon_file = d->o.daemon_file;
	if (d->daemon_file == NULL)
		d->daemon_file = told.n > 0 ? pr_arena_strdup(d->a, told.v[0])
					    : "/etc/docker/daemon.json";
	if (pr_file_read(d->a, doctor_path(d, d->daemon_file),
		PR_CAP_SMALL_FILE, &text, &err) != 0) {
		d->file_why = pr_arena_printf(d->a, "%s", pr_err_text(err));
		return;
	}
	doc = pr_json_read(d->a, text, &fault);
	if (doc == NULL || doc->type != PR_JSON_OBJECT)
		d->file_why = pr_arena_printf(d->a, "%s: %s", d->daemon_file,
		    doc == NULL ? fault.text : "not an object");
	else
		d->file = doc;
}

/* --- what the daemons say ----------------------------------------------- */

/* An object, or NULL with *why. */
static const struct pr_json *
ask(struct doctor *d, const char *path, const char **why)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	PR_CLEANUP(pr_buf_fini) struct pr_buf body = PR_BUF_INIT;
	struct pr_json_fault fault;
	const struct pr_json *doc;
	unsigned status;

	if (admin_ask(doctor_path(d, d->docker_socket), "GET", path, &status,
		&body, &err) != 0) {
		*why = pr_arena_printf(d->a, "%s", pr_err_text(err));
		return NULL;
	}
	if (status == 403) {
		d->kept = true;
		*why = "the policy keeps it from anonymous callers of this "
		       "socket";
		return NULL;
	}
	doc =
	    pr_json_read(d->a, pr_arena_str(d->a, pr_buf_view(&body)), &fault);
	if (status == 200 && doc != NULL && doc->type == PR_JSON_OBJECT)
		return doc;
	*why = pr_arena_printf(d->a, "dockerd answered %u", status);
	return NULL;
}

static const char *
string_member(struct doctor *d, const struct pr_json *object, const char *name)
{
	const struct pr_json *v =
	    object != NULL ? pr_json_get(object, pr_str_of(name)) : NULL;

	if (v == NULL || v->type != PR_JSON_STRING || v->str.n == 0)
		return NULL;
	return pr_arena_strdup(d->a, v->str);
}

static void
ask_dockerd(struct doctor *d)
{
	const char *why = NULL;

	d->info = ask(d, "/info", &d->info_why);
	d->engine = string_member(d, d->info, "ServerVersion");
	if (d->engine == NULL && d->kept)
		d->engine =
		    string_member(d, ask(d, "/version", &why), "Version");
}

/* Its admin socket is its own; without one: the user of the units. */
static uid_t
guard_of(const struct doctor *d)
{
	const struct passwd *pw;
	struct stat st;

	if (stat(doctor_path(d, d->config.admin_socket), &st) == 0 &&
	    S_ISSOCK(st.st_mode))
		return st.st_uid;
	pw = d->o.root[0] == '\0' ? getpwnam("portreeve") : NULL;
	return pw != NULL ? pw->pw_uid : geteuid();
}

static void
ask_plugin(struct doctor *d)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	PR_CLEANUP(pr_buf_fini) struct pr_buf body = PR_BUF_INIT;
	const char *socket = doctor_path(d, d->config.admin_socket);
	struct pr_json_fault fault;
	const struct pr_json *doc;
	unsigned status;

	d->guard = guard_of(d);
	if (admin_ask(socket, "GET", "/readyz?verbose", &d->ready_status, &body,
		&err) != 0) {
		d->ready_why = pr_arena_printf(d->a, "%s", pr_err_text(err));
		return;
	}
	d->ready = pr_arena_str(d->a, pr_buf_view(&body));
	if (d->engine != NULL)
		return;
	/* who may ask dockerd nothing learns it from who may */
	pr_buf_reset(&body);
	if (admin_ask(socket, "GET", "/status", &status, &body, &err) != 0)
		return;
	doc =
	    pr_json_read(d->a, pr_arena_str(d->a, pr_buf_view(&body)), &fault);
	if (doc != NULL && doc->type == PR_JSON_OBJECT)
		d->engine = string_member(d, doc, "engine");
}

void
doctor_gather(
    struct doctor *d, struct pr_arena *a, const struct doctor_options *o)
{
	*d = (struct doctor){.a = a, .o = *o};
	read_config(d);
	name_plugin(d);
	d->docker_socket =
	    o->socket != NULL ? o->socket : d->config.daemon.socket;
	find_dockerd(d);
	read_daemon_file(d);
	ask_dockerd(d);
	ask_plugin(d);
}
