/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/hostpath.h>

#define MAX_LINKS 40
#define MAX_DEPTH 256
#define MAX_TODO  ((size_t)4 * PATH_MAX)

/* ---- the mount table ---- */

/* Types whose files are doors into the kernel or to devices. */
static const char *const kernel_types[] = {"proc", "sysfs", "devtmpfs",
    "cgroup", "cgroup2", "securityfs", "debugfs", "tracefs", "bpf", "configfs",
    "pstore", "efivarfs", "nsfs", "selinuxfs", "binfmt_misc", "fusectl",
    "hugetlbfs", "devpts"};

static struct pr_str
next_field(struct pr_str *line)
{
	return pr_str_cut(line, ' ');
}

/* \040 and its like, as the kernel writes blanks in names. */
static struct pr_str
unescape(struct pr_arena *a, struct pr_str s)
{
	if (pr_str_find(s, '\\') == s.n)
		return s;
	char *p = pr_arena_bytes(a, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 3 < s.n) {
			p[n++] = (char)((s.p[i + 1] - '0') << 6 |
			    (s.p[i + 2] - '0') << 3 | (s.p[i + 3] - '0'));
			i += 3;
		} else {
			p[n++] = s.p[i];
		}
	}
	return (struct pr_str){p, n};
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" */
static bool
read_mount(struct pr_arena *a, struct pr_str line, struct pr_mount *m)
{
	struct pr_str rest = line, type;

	if (!pr_str_u64(next_field(&rest), &m->id))
		return false;
	next_field(&rest);
	m->dev = next_field(&rest);
	m->root = unescape(a, next_field(&rest));
	m->point = unescape(a, next_field(&rest));
	while (rest.p != NULL && !pr_str_is(next_field(&rest), "-"))
		;
	if (rest.p == NULL || m->point.n == 0 || m->root.n == 0)
		return false;
	type = next_field(&rest);
	m->kernel = false;
	for (size_t i = 0; i < PR_COUNT(kernel_types); i++)
		m->kernel |= pr_str_is(type, kernel_types[i]);
	return true;
}

int
pr_mounts_read(struct pr_arena *a, struct pr_str text, struct pr_mounts *out)
{
	size_t lines = 0;
	struct pr_mount *m;

	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	*out = (struct pr_mounts){NULL, 0};
	m = pr_arena_array(a, lines + 1, sizeof *m);
	while (text.n > 0) {
		struct pr_str line = pr_str_cut(&text, '\n');

		if (out->n > lines || !read_mount(a, line, &m[out->n]))
			return -1;
		out->n++;
	}
	out->mounts = m;
	return out->n > 0 ? 0 : -1;
}

static const struct pr_mount *
mount_of(const struct pr_mounts *t, uint64_t id)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->mounts[i].id == id)
			return &t->mounts[i];
	return NULL;
}

/* ---- the walk ---- */

struct walk {
	struct pr_arena *a;
	const struct pr_mounts *mounts;
	const char **why;
	struct pr_hostpath *out;
	/* directories from the root to here; fds[0] is the caller's */
	int fds[MAX_DEPTH];
	struct pr_hostnode nodes[MAX_DEPTH];
	const struct pr_mount *mount[MAX_DEPTH];
	size_t crossed[MAX_DEPTH]; /* length of real where that mount begins */
	size_t ends[MAX_DEPTH];    /* length of real up to here */
	size_t depth;              /* index of the last */
	char real[MAX_TODO];
	char todo[2][MAX_TODO];
	struct pr_str rest; /* in todo[] or the path itself */
	unsigned turn, links;
	char mark[64];
};

static int
cannot(struct walk *w, const char *why)
{
	*w->why = why;
	return -1;
}

static void
step_back(struct walk *w)
{
	if (w->depth == 0)
		return;
	close(w->fds[w->depth--]);
}

static int
look(struct walk *w, int fd, struct statx *st)
{
	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW,
		STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID, st) < 0)
		return cannot(w, "a directory on its way cannot be looked at");
	if ((st->stx_mask & STATX_MNT_ID) == 0)
		return cannot(w, "this kernel does not tell mounts apart");
	return 0;
}

/* The node at fd is where the walk is now. */
static int
arrive(struct walk *w, size_t at, const struct statx *st)
{
	const struct pr_mount *m = at > 0 ? w->mount[at - 1] : NULL;

	w->nodes[at] = (struct pr_hostnode){
	    makedev(st->stx_dev_major, st->stx_dev_minor), st->stx_ino};
	w->crossed[at] = at > 0 ? w->crossed[at - 1] : 0;
	if (m == NULL || m->id != st->stx_mnt_id) {
		m = mount_of(w->mounts, st->stx_mnt_id);
		if (m == NULL)
			return cannot(w, "it is on a mount that was not there");
		w->crossed[at] = w->ends[at];
	}
	w->mount[at] = m;
	return 0;
}

static void
remember_mark(struct walk *w, const struct statx *st)
{
	snprintf(w->mark, sizeof w->mark, "%llu:%lld.%09u",
	    (unsigned long long)st->stx_ino,
	    (st->stx_mask & STATX_BTIME) != 0 ? (long long)st->stx_btime.tv_sec
					      : -1,
	    (st->stx_mask & STATX_BTIME) != 0 ? st->stx_btime.tv_nsec : 0);
}

/* Replaces what is left by a link's target and what is left. */
static int
follow_link(struct walk *w, int fd)
{
	char *to = w->todo[w->turn ^= 1];
	ssize_t n = readlinkat(fd, "", to, PATH_MAX);

	if (n <= 0 || n >= PATH_MAX)
		return cannot(w, "a symlink on its way cannot be read");
	if (++w->links > MAX_LINKS)
		return cannot(w, "too many symlinks on its way");
	if ((size_t)n + 1 + w->rest.n > MAX_TODO)
		return cannot(w, "a path that grows too long");
	if (to[0] == '/')
		while (w->depth > 0)
			step_back(w);
	to[n] = '/';
	if (w->rest.n > 0)
		memcpy(to + n + 1, w->rest.p, w->rest.n);
	w->rest = (struct pr_str){to, (size_t)n + 1 + w->rest.n};
	return 0;
}

static int
add_name(struct walk *w, size_t at, struct pr_str name)
{
	size_t n = w->ends[at];

	if (n + 1 + name.n > sizeof w->real)
		return cannot(w, "a path that grows too long");
	w->real[n] = '/';
	memcpy(w->real + n + 1, name.p, name.n);
	w->ends[at + 1] = n + 1 + name.n;
	return 0;
}

/* What is left does not exist, or is not walked: it is taken by name. */
static int
add_rest(struct walk *w, struct pr_str name, size_t *len)
{
	size_t at = w->ends[w->depth];

	for (;;) {
		if (pr_str_is(name, ".."))
			return cannot(w,
			    "a symlink that leads back from "
			    "what does not exist");
		if (name.n > 0 && !pr_str_is(name, ".")) {
			if (at + 1 + name.n > sizeof w->real)
				return cannot(w, "a path that grows too long");
			w->real[at] = '/';
			memcpy(w->real + at + 1, name.p, name.n);
			at += 1 + name.n;
		}
		if (w->rest.p == NULL || w->rest.n == 0)
			break;
		name = pr_str_cut(&w->rest, '/');
	}
	*len = at;
	return 0;
}

/*
 * A link was met.  What is left to walk ends with what is left of the path
 * itself, so its length says where in the path we are; links inside of what
 * a link leads to have more left, and count no further than that link.
 */
static void
note_link(struct walk *w)
{
	size_t whole = w->out->path.n;
	size_t left = w->rest.p != NULL ? w->rest.n + 1 : 0;
	size_t end = left < whole ? whole - left : 0;

	if (end > w->out->last_link)
		w->out->last_link = end;
}

/*
 * One component.  1: go on; 0: the rest does not exist (name is put back);
 * -1: cannot tell.
 */
static int
step(struct walk *w, struct pr_str name)
{
	char z[NAME_MAX + 1];
	struct statx st;
	int fd, rc;

	if (name.n > NAME_MAX)
		return cannot(w, "a name that is too long");
	if (w->depth + 1 >= MAX_DEPTH)
		return cannot(w, "a path that is too deep");
	memcpy(z, name.p, name.n);
	z[name.n] = '\0';
	fd = openat(w->fds[w->depth], z, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return cannot(w, "a directory on its way cannot be entered");
	rc = look(w, fd, &st);
	if (rc == 0)
		rc = add_name(w, w->depth, name);
	if (rc == 0)
		rc = arrive(w, w->depth + 1, &st);
	if (rc < 0 || !S_ISLNK(st.stx_mode) || w->mount[w->depth + 1]->kernel) {
		if (rc < 0) {
			close(fd);
			return -1;
		}
		w->fds[++w->depth] = fd;
		remember_mark(w, &st);
		return 1;
	}
	/* the first link is a component of the path itself */
	if (w->links == 0)
		w->out->plain = (size_t)(name.p - w->out->path.p) - 1;
	note_link(w);
	rc = follow_link(w, fd);
	close(fd);
	return rc < 0 ? -1 : 1;
}

static int
walk_all(struct walk *w, size_t *len)
{
	struct pr_str none = {NULL, 0};

	while (w->rest.n > 0) {
		struct pr_str name = pr_str_cut(&w->rest, '/');
		int rc;

		if (name.n == 0 || pr_str_is(name, "."))
			continue;
		if (pr_str_is(name, "..")) {
			step_back(w);
			continue;
		}
		if ((rc = step(w, name)) < 0)
			return -1;
		if (rc == 0) {
			w->out->exists = false;
			return add_rest(w, name, len);
		}
		if (w->mount[w->depth]->kernel) {
			w->out->kernel = true;
			return add_rest(w, none, len);
		}
	}
	*len = w->ends[w->depth];
	return 0;
}

/* Where in its file system: the mount's root and what is below the mount. */
static void
place_in_fs(struct walk *w, struct pr_str real)
{
	const struct pr_mount *m = w->mount[w->depth];
	size_t from = w->crossed[w->depth];
	struct pr_str below = pr_str_sub(real, from, real.n);

	/* "/" of the whole is written as "" below the mount */
	if (pr_str_is(below, "/"))
		below = PR_STR("");
	w->out->fs_dev = pr_arena_str(w->a, m->dev);
	w->out->fs_path = pr_str_of(pr_arena_printf(w->a, "%.*s%.*s",
	    pr_str_is(m->root, "/") ? 0 : (int)m->root.n, m->root.p,
	    PR_STRF(below)));
	if (w->out->fs_path.n == 0)
		w->out->fs_path = PR_STR("/");
}

static bool
is_clean(struct pr_str path)
{
	if (path.n == 0 || path.p[0] != '/' || path.n >= PATH_MAX ||
	    memchr(path.p, '\0', path.n) != NULL)
		return false;
	if (path.n == 1)
		return true;
	struct pr_str rest = pr_str_sub(path, 1, path.n);

	while (rest.p != NULL) {
		struct pr_str part = pr_str_cut(&rest, '/');

		if (part.n == 0 || pr_str_is(part, ".") ||
		    pr_str_is(part, ".."))
			return false;
	}
	return true;
}

static int
begin(struct walk *w, int root_fd)
{
	struct statx st;

	w->fds[0] = root_fd;
	if (look(w, root_fd, &st) < 0)
		return -1;
	remember_mark(w, &st);
	return arrive(w, 0, &st);
}

static void
finish(struct walk *w, size_t len)
{
	struct pr_hostpath *out = w->out;
	struct pr_hostnode *chain =
	    pr_arena_array(w->a, w->depth + 1, sizeof *chain);

	memcpy(chain, w->nodes, (w->depth + 1) * sizeof *chain);
	out->chain = chain;
	out->n_chain = w->depth + 1;
	out->real = len > 0 ? pr_arena_str(w->a, (struct pr_str){w->real, len})
			    : PR_STR("/");
	out->mark = pr_str_of(pr_arena_strdup(w->a, pr_str_of(w->mark)));
	place_in_fs(w, out->real);
}

int
pr_hostpath_resolve(struct pr_arena *a, int root_fd,
    const struct pr_mounts *mounts, struct pr_str path, struct pr_hostpath *out,
    const char **why)
{
	struct walk *w = pr_xmalloc(sizeof *w); /* too large for a stack */
	size_t len = 0;
	int rc;

	*out =
	    (struct pr_hostpath){.path = path, .exists = true, .plain = path.n};
	w->a = a;
	w->mounts = mounts;
	w->why = why;
	w->out = out;
	w->depth = w->turn = w->links = 0;
	w->ends[0] = 0;
	w->rest = path;
	rc = is_clean(path) ? begin(w, root_fd)
			    : cannot(w, "not an absolute, clean path");
	if (rc == 0)
		rc = walk_all(w, &len);
	if (rc == 0)
		finish(w, len);
	while (w->depth > 0)
		step_back(w);
	pr_freep(&w);
	return rc;
}

/* ---- comparing ---- */

bool
pr_path_covers(struct pr_str a, struct pr_str b)
{
	if (pr_str_is(a, "/"))
		return true;
	return a.n > 0 && b.n >= a.n && pr_str_eq(a, pr_str_sub(b, 0, a.n)) &&
	    (b.n == a.n || b.p[a.n] == '/');
}

static bool
related(struct pr_str a, struct pr_str b)
{
	return pr_path_covers(a, b) || pr_path_covers(b, a);
}

static bool
node_eq(struct pr_hostnode a, struct pr_hostnode b)
{
	return a.dev == b.dev && a.ino == b.ino;
}

/* Is the deepest existing node of `end`, which must be all of it, on it? */
static bool
on_chain(const struct pr_hostpath *end, const struct pr_hostpath *p)
{
	if (!end->exists || end->kernel)
		return false;
	for (size_t i = 0; i < p->n_chain; i++)
		if (node_eq(end->chain[end->n_chain - 1], p->chain[i]))
			return true;
	return false;
}

static bool
mounted_below(const struct pr_hostpath *source, const struct pr_mount *m)
{
	return pr_path_covers(source->real, m->point) &&
	    !pr_str_eq(source->real, m->point);
}

bool
pr_hostpath_shows(const struct pr_hostpath *source,
    const struct pr_hostpath *place, const struct pr_mounts *mounts)
{
	if (related(source->path, place->path) ||
	    related(source->path, place->real) ||
	    related(source->real, place->path) ||
	    related(source->real, place->real) || on_chain(source, place) ||
	    on_chain(place, source))
		return true;
	if (pr_str_eq(source->fs_dev, place->fs_dev) &&
	    related(source->fs_path, place->fs_path))
		return true;
	for (size_t i = 0; i < mounts->n; i++) {
		const struct pr_mount *m = &mounts->mounts[i];

		if (mounted_below(source, m) &&
		    pr_str_eq(m->dev, place->fs_dev) &&
		    related(m->root, place->fs_path))
			return true;
	}
	return false;
}

bool
pr_hostpath_shows_kernel(
    const struct pr_hostpath *source, const struct pr_mounts *mounts)
{
	if (source->kernel)
		return true;
	for (size_t i = 0; i < mounts->n; i++)
		if (mounts->mounts[i].kernel &&
		    mounted_below(source, &mounts->mounts[i]))
			return true;
	return false;
}

bool
pr_hostpath_above(const struct pr_hostpath *a, const struct pr_hostpath *b)
{
	if (pr_path_covers(a->real, b->real) && !pr_str_eq(a->real, b->real))
		return true;
	return pr_str_eq(a->fs_dev, b->fs_dev) &&
	    pr_path_covers(a->fs_path, b->fs_path) &&
	    !pr_str_eq(a->fs_path, b->fs_path);
}
