/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/file.h>
#include <portreeve/hostpath.h>

#include "unit.h"

static char dir[64];
static struct pr_arena *arena;
static struct pr_mounts mounts;
static int root;
static const char *why;

/*
 * The world below `dir`, which is "/" of the walks:
 *   /srv/pay/app /srv/pay/file
 *   /srv/pay/link -> /run   /srv/pay/up -> ..   /srv/pay/self -> self
 *   /srv/pay/chain -> link  /srv/pay/dead -> /no/such/place
 *   /srv/pay/odd -> /no/../run   /run/docker.sock   /srv/abs -> /srv/pay/app
 */
static const char *const dirs[] = {
    "srv", "srv/pay", "srv/pay/app", "run", "run/docker", "etc"};
static const char *const files[] = {"srv/pay/file", "run/docker.sock"};
static const char *const links[][2] = {{"/run", "srv/pay/link"},
    {"..", "srv/pay/up"}, {"self", "srv/pay/self"}, {"link", "srv/pay/chain"},
    {"/no/such/place", "srv/pay/dead"}, {"/no/../run", "srv/pay/odd"},
    {"/srv/pay/app", "srv/abs"}, {"../../../../../run", "srv/pay/deep"}};

static void
setup(void)
{
	struct pr_str table;

	strcpy(dir, "/tmp/paths.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
	for (size_t i = 0; i < PR_COUNT(dirs); i++)
		ck_assert_int_eq(mkdirat(root, dirs[i], 0755), 0);
	for (size_t i = 0; i < PR_COUNT(files); i++)
		close(openat(root, files[i], O_CREAT | O_WRONLY, 0600));
	for (size_t i = 0; i < PR_COUNT(links); i++)
		ck_assert_int_eq(symlinkat(links[i][0], root, links[i][1]), 0);
	arena = pr_arena_new(4096);
	/* files of /proc have no size, so pr_file_read is not for them */
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	char *text = pr_arena_bytes(arena, (size_t)1 << 20);

	table = (struct pr_str){text, 0};
	for (ssize_t n; (n = read(fd, text + table.n, 65536)) > 0;)
		table.n += (size_t)n;
	close(fd);
	ck_assert_int_eq(pr_mounts_read(arena, table, &mounts), 0);
}

static int
remove_one(const char *path, const struct stat *st PR_UNUSED,
    int flag PR_UNUSED, struct FTW *ftw PR_UNUSED)
{
	return remove(path);
}

static void
teardown(void)
{
	close(root);
	pr_arena_free(arena);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct pr_hostpath
walk(const char *path)
{
	struct pr_hostpath p;

	ck_assert_msg(pr_hostpath_resolve(
			  arena, root, &mounts, pr_str_of(path), &p, &why) == 0,
	    "%s: %s", path, why);
	return p;
}

static const struct {
	const char *path, *real;
	size_t plain, last_link;
	bool exists;
} rows[] = {
    {"/", "/", 1, 0, true},
    {"/srv", "/srv", 4, 0, true},
    {"/srv/pay/app", "/srv/pay/app", 12, 0, true},
    {"/srv/pay/file", "/srv/pay/file", 13, 0, true},
    {"/srv/pay/link", "/run", 8, 13, true},
    {"/srv/pay/link/docker.sock", "/run/docker.sock", 8, 13, true},
    {"/srv/pay/chain/docker", "/run/docker", 8, 14, true},
    {"/srv/pay/up/pay", "/srv/pay", 8, 11, true},
    {"/srv/pay/up/pay/up", "/srv", 8, 18, true},
    {"/srv/abs", "/srv/pay/app", 4, 8, true},
    {"/srv/pay/deep/docker", "/run/docker", 8, 13, true},
    {"/srv/pay/new", "/srv/pay/new", 12, 0, false},
    {"/srv/pay/new/a/b", "/srv/pay/new/a/b", 16, 0, false},
    {"/srv/pay/link/new/a", "/run/new/a", 8, 13, false},
    {"/srv/pay/dead", "/no/such/place", 8, 13, false},
    {"/srv/pay/dead/x", "/no/such/place/x", 8, 13, false},
    {"/srv/pay/file/x", "/srv/pay/file/x", 15, 0, false},
    {"/no", "/no", 3, 0, false},
};

START_TEST(resolves)
{
	struct pr_hostpath p = walk(rows[_i].path);

	ck_assert_msg(pr_str_is(p.real, rows[_i].real), "%s is %.*s",
	    rows[_i].path, PR_STRF(p.real));
	ck_assert_uint_eq(p.plain, rows[_i].plain);
	ck_assert_uint_eq(p.last_link, rows[_i].last_link);
	ck_assert_int_eq(p.exists, rows[_i].exists);
	ck_assert(!p.kernel);
}
END_TEST

static const char *const refused[] = {"", "srv", "/srv/", "//srv", "/srv//pay",
    "/srv/./pay", "/srv/../etc", "/..", "/srv/pay/self", "/srv/pay/self/x",
    "/srv/pay/odd", "./srv"};

START_TEST(cannot_tell)
{
	struct pr_hostpath p;

	why = NULL;
	ck_assert_int_eq(pr_hostpath_resolve(arena, root, &mounts,
			     pr_str_of(refused[_i]), &p, &why),
	    -1);
	ck_assert_ptr_nonnull(why);
}
END_TEST

START_TEST(nul_and_giants_are_refused)
{
	struct pr_hostpath p;
	char longer[5000];

	ck_assert_int_eq(pr_hostpath_resolve(arena, root, &mounts,
			     (struct pr_str){"/srv\0x", 6}, &p, &why),
	    -1);
	memset(longer, 'a', sizeof longer);
	longer[0] = '/';
	ck_assert_int_eq(pr_hostpath_resolve(arena, root, &mounts,
			     (struct pr_str){longer, 300}, &p, &why),
	    -1);
	ck_assert_int_eq(pr_hostpath_resolve(arena, root, &mounts,
			     (struct pr_str){longer, 4999}, &p, &why),
	    -1);
	for (size_t i = 0; i < 4000; i += 2)
		longer[i] = '/';
	/* the first does not exist: the rest is not walked */
	ck_assert_int_eq(pr_hostpath_resolve(arena, root, &mounts,
			     (struct pr_str){longer, 4000}, &p, &why),
	    0);
	ck_assert_uint_eq(p.real.n, 4000);
}
END_TEST

static const struct {
	const char *source, *place;
	bool shows;
} pairs[] = {
    {"/run/docker.sock", "/run/docker.sock", true},
    {"/run", "/run/docker.sock", true},
    {"/", "/run/docker.sock", true},
    {"/run/docker/x", "/run/docker", true},
    {"/srv/pay/link", "/run/docker.sock", true},
    {"/srv/pay/link/docker.sock", "/run/docker.sock", true},
    {"/srv/pay/deep", "/run/docker.sock", true},
    {"/srv/pay/app", "/run/docker.sock", false},
    {"/srv", "/run/docker.sock", false},
    {"/run/docker.socks", "/run/docker.sock", false},
    {"/ru", "/run/docker.sock", false},
    {"/run/other", "/run/docker.sock", false},
    {"/etc", "/etc/portreeve/x", true}, /* that is not there yet */
    {"/etc/portreeve", "/etc/portreeve/x", true},
    {"/etc/other", "/etc/portreeve/x", false},
    {"/srv/pay/app", "/srv/abs", true}, /* a place that is a symlink */
    {"/srv/abs", "/srv/abs/x", true},
};

START_TEST(shows_what_is_protected)
{
	struct pr_hostpath s = walk(pairs[_i].source);
	struct pr_hostpath p = walk(pairs[_i].place);

	/* this machine's own mounts below /run and the like do not matter */
	ck_assert_msg(pr_hostpath_shows(&s, &p, &(struct pr_mounts){0}) ==
		pairs[_i].shows,
	    "%s, %s", pairs[_i].source, pairs[_i].place);
}
END_TEST

START_TEST(a_hard_link_is_the_same_place)
{
	ck_assert_int_eq(
	    linkat(root, "run/docker.sock", root, "srv/pay/sock", 0), 0);
	struct pr_hostpath s = walk("/srv/pay/sock"),
			   p = walk("/run/docker.sock");

	ck_assert(pr_hostpath_shows(&s, &p, &(struct pr_mounts){0}));
}
END_TEST

START_TEST(the_same_file_system_elsewhere)
{
	/* as a mount table says it: /run of device 9:9 seen at /mnt/x */
	struct pr_hostpath place = {.path = PR_STR("/run/docker"),
	    .real = PR_STR("/run/docker"),
	    .fs_dev = PR_STR("9:9"),
	    .fs_path = PR_STR("/docker")};
	struct pr_hostpath alias = {.path = PR_STR("/mnt/x/docker/p"),
	    .real = PR_STR("/mnt/x/docker/p"),
	    .fs_dev = PR_STR("9:9"),
	    .fs_path = PR_STR("/docker/p")};
	struct pr_hostpath above = {.path = PR_STR("/mnt"),
	    .real = PR_STR("/mnt"),
	    .fs_dev = PR_STR("8:1"),
	    .fs_path = PR_STR("/mnt")};
	struct pr_mount m[] = {
	    {1, PR_STR("9:9"), PR_STR("/"), PR_STR("/mnt/x"), false},
	    {2, PR_STR("0:5"), PR_STR("/"), PR_STR("/mnt/proc"), true}};
	struct pr_mounts t = {m, 1};

	ck_assert(pr_hostpath_shows(&alias, &place, &(struct pr_mounts){0}));
	ck_assert(pr_hostpath_shows(&above, &place, &t));
	m[0].root = PR_STR("/other");
	ck_assert(!pr_hostpath_shows(&above, &place, &t));
	m[0].root = PR_STR("/docker/plugins");
	ck_assert(pr_hostpath_shows(&above, &place, &t));
	m[0].dev = PR_STR("9:8");
	ck_assert(!pr_hostpath_shows(&above, &place, &t));
	ck_assert(!pr_hostpath_shows_kernel(&above, &t));
	t.n = 2;
	ck_assert(pr_hostpath_shows_kernel(&above, &t));
}
END_TEST

START_TEST(above_is_strict)
{
	struct pr_hostpath pay = walk("/srv/pay"), app = walk("/srv/pay/app");
	struct pr_hostpath abs = walk("/srv/abs"), new = walk("/srv/pay/new/x");

	ck_assert(pr_hostpath_above(&pay, &app));
	ck_assert(pr_hostpath_above(&pay, &abs));
	ck_assert(pr_hostpath_above(&pay, &new));
	ck_assert(!pr_hostpath_above(&app, &pay));
	ck_assert(!pr_hostpath_above(&app, &abs));
	ck_assert(!pr_hostpath_above(&app, &new));
}
END_TEST

START_TEST(into_proc_and_no_further)
{
	static const char *const into[] = {"/proc", "/proc/self/root/etc",
	    "/proc/1/cwd", "/proc/self/fd/0", "/sys/kernel"};
	int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < PR_COUNT(into); i++) {
		struct pr_hostpath p;

		ck_assert_int_eq(pr_hostpath_resolve(arena, top, &mounts,
				     pr_str_of(into[i]), &p, &why),
		    0);
		ck_assert(p.kernel);
		ck_assert(pr_str_is(p.real, into[i]));
		ck_assert(pr_hostpath_shows_kernel(&p, &mounts));
	}
	close(top);
}
END_TEST

START_TEST(a_symlink_into_proc)
{
	char link[128];
	struct pr_hostpath p;
	int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	snprintf(link, sizeof link, "%s/door", dir);
	ck_assert_int_eq(symlink("/proc/1/root", link), 0);
	ck_assert_int_eq(
	    pr_hostpath_resolve(arena, top, &mounts, pr_str_of(link), &p, &why),
	    0);
	ck_assert(p.kernel);
	ck_assert(pr_str_is(p.real, "/proc/1/root"));
	close(top);
}
END_TEST

START_TEST(a_mark_tells_directories_apart)
{
	struct pr_str first = walk("/srv/pay/app").mark;

	ck_assert(pr_str_eq(first, walk("/srv/pay/app").mark));
	ck_assert(!pr_str_eq(first, walk("/srv/pay").mark));
	unlinkat(root, "srv/pay/app", AT_REMOVEDIR);
	mkdirat(root, "srv/pay/app", 0755);
	ck_assert(!pr_str_eq(first, walk("/srv/pay/app").mark));
}
END_TEST

START_TEST(mount_tables_are_read)
{
	static const char text[] =
	    "36 35 98:0 /a\\040b /mnt\\0112 rw master:1 - ext3 /dev/root rw\n"
	    "37 36 0:5 / /proc rw - proc proc rw\n";
	struct pr_mounts t;

	ck_assert_int_eq(pr_mounts_read(arena, pr_str_of(text), &t), 0);
	ck_assert_uint_eq(t.n, 2);
	ck_assert(pr_str_is(t.mounts[0].root, "/a b"));
	ck_assert(pr_str_is(t.mounts[0].point, "/mnt\t2"));
	ck_assert(pr_str_is(t.mounts[0].dev, "98:0"));
	ck_assert(!t.mounts[0].kernel);
	ck_assert(t.mounts[1].kernel);
	static const char *const bad[] = {
	    "", "x\n", "36 35 98:0 /a\n", "36 35 98:0 / /mnt rw master:1\n"};

	for (size_t i = 0; i < PR_COUNT(bad); i++)
		ck_assert_int_eq(
		    pr_mounts_read(arena, pr_str_of(bad[i]), &t), -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("paths");
	TCase *c = tcase_create("paths");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, resolves, 0, (int)PR_COUNT(rows));
	tcase_add_loop_test(c, cannot_tell, 0, (int)PR_COUNT(refused));
	tcase_add_test(c, nul_and_giants_are_refused);
	tcase_add_loop_test(
	    c, shows_what_is_protected, 0, (int)PR_COUNT(pairs));
	tcase_add_test(c, a_hard_link_is_the_same_place);
	tcase_add_test(c, the_same_file_system_elsewhere);
	tcase_add_test(c, above_is_strict);
	tcase_add_test(c, into_proc_and_no_further);
	tcase_add_test(c, a_symlink_into_proc);
	tcase_add_test(c, a_mark_tells_directories_apart);
	tcase_add_test(c, mount_tables_are_read);
	suite_add_tcase(s, c);
	return unit_run(s);
}
