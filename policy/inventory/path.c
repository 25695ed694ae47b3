/* SPDX-License-Identifier: Apache-2.0 */
/* Bind sources, seen from dockerd's mount namespace (semantics 5.10). */
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/buf.h>
#include <portreeve/clock.h>
#include <portreeve/eyes.h>

#include "local.h"
#include "places.h"

#define VIEW_AGE   (1 * PR_SEC)
#define MAX_MOUNTS ((size_t)16 << 20) /* bytes of mountinfo */
#define PEER_TIME  (1 * PR_SEC)

/*
 * Places whose files are power over the daemon or over us; what is above
 * them and what is in them as well.  The daemon's root directory, its socket
 * and the configured places come on top.
 */
static const char *const protected_places[] = {"/var/run/docker.sock",
    "/run/docker.sock", "/run/docker", "/run/containerd", "/etc/docker",
    "/usr/lib/docker", "/usr/libexec/docker", "/var/lib/docker",
    "/var/lib/containerd", "/etc/containerd", "/etc/default/docker",
    "/usr/bin/dockerd", "/usr/sbin/dockerd", "/etc/portreeve", "/run/portreeve",
    "/var/lib/portreeve", "/var/log/portreeve", "/proc", "/sys", "/dev"};

struct path_places {
	pthread_mutex_t lock;
	struct path_view *view;
};

struct path_places *
path_places_new(struct pr_inventory *inv PR_UNUSED)
{
	struct path_places *p = pr_xcalloc(1, sizeof *p);

	pthread_mutex_init(&p->lock, NULL);
	return p;
}

/* places->lock held, or nobody else is there */
static void
view_unref(struct path_view *v)
{
	if (v == NULL || --v->refs > 0)
		return;
	if (v->root_fd >= 0)
		close(v->root_fd);
	pr_arena_free(v->arena); /* v is in it */
}

void
path_places_free(struct path_places *p)
{
	if (p == NULL)
		return;
	view_unref(p->view);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* ---- dockerd's process ---- */

static void
set_pid(struct pr_inventory *inv, pid_t pid)
{
	int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	pthread_mutex_lock(&inv->lock);
	if (inv->pid_fd >= 0)
		close(inv->pid_fd);
	inv->pid = fd >= 0 ? pid : 0;
	inv->pid_fd = fd;
	pthread_mutex_unlock(&inv->lock);
}

/* lock held */
static bool
is_alive(const struct pr_inventory *inv)
{
	struct pollfd p = {.fd = inv->pid_fd, .events = POLLIN};

	return inv->pid > 0 && poll(&p, 1, 0) == 0;
}

void
pr_inventory_daemon_pid(struct pr_inventory *inv, pid_t pid)
{
	pthread_mutex_lock(&inv->lock);
	inv->caller = pid;
	pthread_mutex_unlock(&inv->lock);
}

/*
 * Who listens on the docker socket is dockerd, unless the service manager
 * opened it: then it is whoever calls the plugin.
 */
static void
find_daemon(struct pr_inventory *inv)
{
	pid_t pid = docker_peer(inv->docker, pr_clock_now() + PEER_TIME);

	if (pid <= 1) {
		pthread_mutex_lock(&inv->lock);
		pid = inv->caller;
		pthread_mutex_unlock(&inv->lock);
	}
	set_pid(inv, pid);
}

/* It is that process still. */
int
inv_open(struct pr_inventory *inv, enum pr_eyes_file file, const char **why)
{
	int fd = -1;

	pthread_mutex_lock(&inv->lock);
	bool alive = is_alive(inv);

	pthread_mutex_unlock(&inv->lock);
	if (!alive)
		find_daemon(inv);

	pthread_mutex_lock(&inv->lock);
	if (!is_alive(inv)) {
		*why = "dockerd's process is not known";
	} else {
		fd = pr_eyes_look(inv->pid, file);
		if (fd < 0)
			*why = errno == EACCES || errno == EPERM
			    ? "dockerd's files may not be looked at"
			    : "dockerd's files cannot be looked at";
		/* the number may have been another's when it was opened */
		if (fd >= 0 && !is_alive(inv)) {
			close(fd);
			fd = -1;
			*why = "dockerd's process has ended";
		}
	}
	pthread_mutex_unlock(&inv->lock);
	return fd;
}

int
inv_root(struct pr_inventory *inv, const char **why)
{
	return inv_open(inv, PR_EYES_ROOT, why);
}

/* ---- views ---- */

static int
read_mounts(struct pr_inventory *inv, struct path_view *v, const char **why)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;
	int fd = inv_open(inv, PR_EYES_MOUNTS, why);
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	while (text.n < MAX_MOUNTS) {
		n = read(fd, pr_buf_reserve(&text, 65536), 65536);
		if (n <= 0)
			break;
		pr_buf_grew(&text, (size_t)n);
	}
	close(fd);
	if (n == 0 &&
	    pr_mounts_read(v->arena, pr_arena_str(v->arena, pr_buf_view(&text)),
		&v->mounts) == 0)
		return 0;
	*why = "dockerd's mount table cannot be read";
	return -1;
}

static struct pr_str
root_dir(struct pr_inventory *inv, struct pr_arena *a)
{
	struct pr_str dir = {NULL, 0};

	pthread_mutex_lock(&inv->lock);
	if (inv->info != NULL)
		dir =
		    pr_arena_str(a, json_str(inv->info->json, "DockerRootDir"));
	pthread_mutex_unlock(&inv->lock);
	return dir;
}

/* A place that cannot be walked is one by its name alone. */
static void
add_place(struct path_view *v, struct pr_str name)
{
	struct pr_hostpath *p = &v->places[v->n_places];
	const char *why;

	if (name.n == 0)
		return;
	if (pr_hostpath_resolve(
		v->arena, v->root_fd, &v->mounts, name, p, &why) < 0)
		*p = (struct pr_hostpath){.path = name, .real = name};
	v->n_places++;
}

static int
view_fill(struct pr_inventory *inv, struct path_view *v, const char **why)
{
	size_t max = PR_COUNT(protected_places) + inv->n_protect + 2;
	struct pr_strs files;

	v->root_fd = inv_root(inv, why);
	if (v->root_fd < 0 || read_mounts(inv, v, why) < 0)
		return -1;
	files = daemon_files(inv, v->arena);
	max += files.n;
	v->places = pr_arena_array(v->arena, max, sizeof *v->places);
	for (size_t i = 0; i < PR_COUNT(protected_places); i++)
		add_place(v, pr_str_of(protected_places[i]));
	for (size_t i = 0; i < inv->n_protect; i++)
		add_place(v, pr_str_of(inv->protect[i]));
	add_place(v, pr_str_of(inv->socket));
	add_place(v, root_dir(inv, v->arena));
	for (size_t i = 0; i < files.n; i++)
		add_place(v, files.v[i]);
	v->born = pr_clock_now();
	return 0;
}

static struct path_view *
view_new(struct pr_inventory *inv, const char **why)
{
	struct pr_arena *arena = pr_arena_new(32768);
	struct path_view *v = pr_arena_alloc(arena, sizeof *v);

	v->arena = arena;
	v->refs = 1;
	v->root_fd = -1;
	if (view_fill(inv, v, why) < 0) {
		view_unref(v);
		return NULL;
	}
	return v;
}

static bool
lives(struct pr_inventory *inv)
{
	pthread_mutex_lock(&inv->lock);
	bool alive = is_alive(inv);

	pthread_mutex_unlock(&inv->lock);
	return alive;
}

struct path_view *
path_view_get(struct pr_inventory *inv, const char **why)
{
	struct path_places *p = inv->places;
	struct path_view *v;

	pthread_mutex_lock(&p->lock);
	if (p->view != NULL &&
	    (pr_clock_now() - p->view->born > VIEW_AGE || !lives(inv))) {
		view_unref(p->view);
		p->view = NULL;
	}
	if (p->view == NULL)
		p->view = view_new(inv, why);
	v = p->view;
	if (v != NULL)
		v->refs++;
	pthread_mutex_unlock(&p->lock);
	return v;
}

void
path_view_put(struct pr_inventory *inv, struct path_view *v)
{
	pthread_mutex_lock(&inv->places->lock);
	view_unref(v);
	pthread_mutex_unlock(&inv->places->lock);
}

/* The view no longer fits the host. */
static void
view_forget(struct pr_inventory *inv, const struct path_view *v)
{
	pthread_mutex_lock(&inv->places->lock);
	if (inv->places->view == v) {
		view_unref(inv->places->view);
		inv->places->view = NULL;
	}
	pthread_mutex_unlock(&inv->places->lock);
}

/* ---- judging ---- */

static void
judge_places(const struct path_view *v, const struct pr_hostpath *p,
    struct pr_arena *a, struct pr_path_fact *out)
{
	if (pr_hostpath_shows_kernel(p, &v->mounts)) {
		out->is_protected = true;
		out->protected_by = PR_STR("a file system of the kernel");
	}
	for (size_t i = 0; i < v->n_places; i++)
		if (pr_hostpath_shows(p, &v->places[i], &v->mounts)) {
			out->is_protected = true;
			out->protected_by = pr_arena_str(a, v->places[i].path);
			return;
		}
}

/* False: try again with a new view. */
static bool
judge_path(struct pr_inventory *inv, struct path_view *v, struct pr_arena *a,
    struct pr_str path, bool writes, struct pr_str except, uint64_t deadline,
    struct pr_path_fact *out)
{
	struct pr_hostpath p;
	const char *why = NULL;
	int shared;

	if (pr_hostpath_resolve(a, v->root_fd, &v->mounts, path, &p, &why) <
	    0) {
		out->why = why;
		return false;
	}
	out->known = true;
	out->why = NULL;
	out->real = p.real;
	out->exists = p.exists;
	out->plain = p.plain;
	out->last_link = p.last_link;
	judge_places(v, &p, a, out);
	shared = shared_with(
	    inv, a, v, &p, writes, except, deadline, &out->shared_with, &why);
	out->shared_known = shared >= 0;
	out->shared = shared > 0;
	if (shared < 0)
		out->why = why;
	return true;
}

void
pr_inventory_path(struct pr_inventory *inv, struct pr_arena *a,
    struct pr_str path, bool writes, struct pr_str except, uint64_t deadline,
    struct pr_path_fact *out)
{
	bool done = false;

	*out = (struct pr_path_fact){.why = "not looked at"};
	for (int i = 0; i < 2 && !done; i++) {
		struct path_view *v = path_view_get(inv, &out->why);

		if (v == NULL)
			return;
		done =
		    judge_path(inv, v, a, path, writes, except, deadline, out);
		if (!done)
			view_forget(inv, v);
		path_view_put(inv, v);
	}
}

/* ---- volumes ---- */

struct pr_str
volume_mark(
    struct pr_inventory *inv, struct pr_arena *a, struct pr_str mountpoint)
{
	struct pr_str none = {NULL, 0}, mark = none;
	struct pr_hostpath p;
	const char *why;
	struct path_view *v;
	size_t slash = mountpoint.n;

	/* the directory above: options may mount something over _data */
	while (slash > 0 && mountpoint.p[slash - 1] != '/')
		slash--;
	if (slash < 2 || (v = path_view_get(inv, &why)) == NULL)
		return none;
	if (pr_hostpath_resolve(a, v->root_fd, &v->mounts,
		pr_str_sub(mountpoint, 0, slash - 1), &p, &why) == 0 &&
	    p.exists && !p.kernel)
		mark = p.mark;
	path_view_put(inv, v);
	return mark;
}
