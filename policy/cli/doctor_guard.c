/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's checks of the guard itself: is it there, can it be passed by. */
#include <sys/stat.h>

#include <string.h>

#include "doctor.h"

/* --- the plugin --------------------------------------------------------- */

static void
look_plugin(const struct doctor *d, struct doctor_finding *f)
{
	static const char key[] = "authorization-plugins";
	struct doctor_setting s;
	bool in_file =
	    d->file != NULL && pr_json_get(d->file, pr_str_of(key)) != NULL;

	doctor_setting(d, key, &s);
	if (s.by_flag)
		doctor_say(d, f, DOCTOR_FAIL,
		    "given by a flag: dockerd forgets it at SIGHUP");
	else if (d->file_why != NULL)
		doctor_say(d, f, DOCTOR_FAIL, "%s", d->file_why);
	else if (!in_file || !doctor_has_value(&s, d->plugin_name))
		doctor_say(d, f, DOCTOR_FAIL, "%s does not name %s",
		    d->daemon_file, d->plugin_name);
	else
		doctor_say(d, f, DOCTOR_PASS, "%s names %s", d->daemon_file,
		    d->plugin_name);
}

/* A file of this name elsewhere sends dockerd to another address. */
static void
look_plugin_files(const struct doctor *d, struct doctor_finding *f)
{
	static const char *const folders[] = {
	    "/etc/docker/plugins", "/usr/lib/docker/plugins"};
	static const char *const ends[] = {"spec", "json"};
	struct stat st;

	for (size_t i = 0; i < PR_COUNT(folders); i++)
		for (size_t k = 0; k < PR_COUNT(ends); k++) {
			const char *path = pr_arena_printf(d->a, "%s/%s.%s",
			    folders[i], d->plugin_name, ends[k]);

			if (lstat(doctor_path(d, path), &st) != 0)
				continue;
			doctor_say(d, f, DOCTOR_FAIL, "%s is there", path);
			f->mend = pr_arena_printf(d->a, "rm %s", path);
			return;
		}
	doctor_say(d, f, DOCTOR_PASS, "no other address of %s", d->plugin_name);
}

/* The first line that is not ok, or the last one. */
static void
look_ready(const struct doctor *d, struct doctor_finding *f)
{
	struct pr_str rest = d->ready;

	if (d->ready_why != NULL) {
		doctor_say(d, f, DOCTOR_FAIL, "%s", d->ready_why);
		return;
	}
	while (d->ready_status != 200 && rest.n > 0) {
		struct pr_str line = pr_str_cut(&rest, '\n');

		if (!pr_str_starts(line, "not ok"))
			continue;
		doctor_say(d, f, DOCTOR_FAIL, "%.*s", PR_STRF(line));
		return;
	}
	doctor_say(d, f, d->ready_status == 200 ? DOCTOR_PASS : DOCTOR_FAIL,
	    "it answers %u", d->ready_status);
}

static void
look_config(const struct doctor *d, struct doctor_finding *f)
{
	doctor_say(d, f, d->config_why == NULL ? DOCTOR_PASS : DOCTOR_FAIL,
	    "%s", d->config_why != NULL ? d->config_why : d->o.config);
}

/* --- the engine --------------------------------------------------------- */

struct version {
	uint64_t v[3];
};

/* "20.10.24+dfsg1", "28.5.2-rc.1"; false: not such a version */
static bool
read_version(const char *text, struct version *out)
{
	struct pr_str rest = pr_str_of(text);

	*out = (struct version){{0}};
	for (size_t i = 0; i < 3; i++) {
		struct pr_str part = pr_str_cut(&rest, '.');
		size_t n = 0;

		while (n < part.n && part.p[n] >= '0' && part.p[n] <= '9')
			n++;
		if (!pr_str_u64(pr_str_sub(part, 0, n), &out->v[i]))
			return false;
	}
	return true;
}

static bool
before(const struct version *a, uint64_t x, uint64_t y, uint64_t z)
{
	if (a->v[0] != x)
		return a->v[0] < x;
	if (a->v[1] != y)
		return a->v[1] < y;
	return a->v[2] < z;
}

static bool
engine_known(
    const struct doctor *d, struct doctor_finding *f, struct version *v)
{
	if (d->engine != NULL && read_version(d->engine, v))
		return true;
	doctor_say(d, f, DOCTOR_UNKNOWN,
	    "the engine's version is not known%s%s",
	    d->info_why != NULL ? ": " : "",
	    d->info_why != NULL ? d->info_why : "");
	return false;
}

static void
look_41110(const struct doctor *d, struct doctor_finding *f)
{
	/* the first versions of each line that have the whole of it */
	static const struct version mended[] = {
	    {{23, 0, 15}}, {{25, 0, 6}}, {{26, 1, 5}}};
	struct version v;
	bool good;

	if (!engine_known(d, f, &v))
		return;
	good = !before(&v, 27, 1, 1);
	for (size_t i = 0; i < PR_COUNT(mended); i++)
		good |= v.v[0] == mended[i].v[0] && v.v[1] == mended[i].v[1] &&
		    v.v[2] >= mended[i].v[2];
	doctor_say(
	    d, f, good ? DOCTOR_PASS : DOCTOR_WARN, "engine %s", d->engine);
}

static void
look_34040(const struct doctor *d, struct doctor_finding *f)
{
	struct version v;

	if (engine_known(d, f, &v))
		doctor_say(d, f,
		    before(&v, 29, 3, 1) ? DOCTOR_WARN : DOCTOR_PASS,
		    "engine %s", d->engine);
}

static bool
is_tcp(struct pr_str host)
{
	return pr_str_starts(host, "tcp://") ||
	    (!pr_str_starts(host, "unix://") && !pr_str_starts(host, "fd://") &&
		!pr_str_starts(host, "npipe://"));
}

static size_t
tcp_listeners(const struct doctor *d, struct pr_str *first)
{
	struct doctor_setting s;
	size_t n = 0;

	doctor_setting(d, "hosts", &s);
	for (size_t i = 0; i < s.n; i++)
		if (is_tcp(s.v[i]) && n++ == 0)
			*first = s.v[i];
	/* a unit file may hand it more than it is told of */
	if (n == 0)
		*first = PR_STR("a TCP socket that it was handed");
	return n > d->n_tcp ? n : d->n_tcp;
}

static void
look_grpc(const struct doctor *d, struct doctor_finding *f)
{
	struct pr_str first;
	struct version v;

	if (!engine_known(d, f, &v))
		return;
	if (before(&v, 29, 2, 0))
		doctor_say(
		    d, f, DOCTOR_PASS, "engine %s has no such door", d->engine);
	else if (d->config.proxy.n_listen > 0 && tcp_listeners(d, &first) == 0)
		doctor_say(d, f, DOCTOR_PASS,
		    "engine %s, behind the proxy alone", d->engine);
	else if (d->config.plugin.accept_grpc_bypass)
		doctor_say(d, f, DOCTOR_WARN,
		    "engine %s; accept_grpc_bypass is written", d->engine);
	else
		doctor_say(d, f, DOCTOR_FAIL, "engine %s", d->engine);
}

/* --- the doors ---------------------------------------------------------- */

static void
look_listeners(const struct doctor *d, struct doctor_finding *f)
{
	struct pr_str first;
	size_t n = tcp_listeners(d, &first);

	if (n == 0)
		doctor_say(d, f, DOCTOR_PASS, "no TCP listener");
	else if (!doctor_setting_is(d, "tlsverify", "true"))
		doctor_say(d, f, DOCTOR_FAIL,
		    "%.*s takes callers without a certificate", PR_STRF(first));
	else if (n > 1)
		doctor_say(d, f, DOCTOR_WARN, "%zu TCP listeners", n);
	else
		doctor_say(
		    d, f, DOCTOR_PASS, "%.*s, mutual TLS", PR_STRF(first));
}

static void
look_tls(const struct doctor *d, struct doctor_finding *f)
{
	static const char *const files[] = {"tlscacert", "tlscert", "tlskey"};
	struct doctor_setting s;
	struct pr_str first;

	if (tcp_listeners(d, &first) == 0 &&
	    !doctor_setting_is(d, "tlsverify", "true")) {
		doctor_say(d, f, DOCTOR_PASS, "no TCP listener wants it");
		return;
	}
	if (!doctor_setting_is(d, "tlsverify", "true")) {
		doctor_say(d, f, DOCTOR_FAIL, "tlsverify is not true");
		return;
	}
	for (size_t i = 0; i < PR_COUNT(files); i++) {
		doctor_setting(d, files[i], &s);
		if (s.n > 0)
			continue;
		doctor_say(d, f, DOCTOR_FAIL, "%s is not given", files[i]);
		return;
	}
	doctor_say(d, f, DOCTOR_PASS, "tlsverify, with CA, certificate, key");
}

static void
look_socket(const struct doctor *d, struct doctor_finding *f)
{
	const char *path = d->docker_socket;
	struct stat st;
	unsigned mode;

	if (stat(doctor_path(d, path), &st) != 0 || !S_ISSOCK(st.st_mode)) {
		doctor_say(d, f, DOCTOR_UNKNOWN, "%s is no socket", path);
		return;
	}
	mode = st.st_mode & 07777;
	if (st.st_uid != 0 || (mode & 0007) != 0) {
		doctor_say(d, f, DOCTOR_FAIL, "%s: user %u, mode %04o", path,
		    (unsigned)st.st_uid, mode);
		f->mend = pr_arena_printf(
		    d->a, "chown root %s && chmod 0660 %s", path, path);
		return;
	}
	doctor_say(d, f, DOCTOR_PASS, "%s: root, mode %04o", path, mode);
}

static void
look_plugin_socket(const struct doctor *d, struct doctor_finding *f)
{
	const char *path = d->config.plugin.socket;
	struct stat st;

	if (lstat(doctor_path(d, path), &st) != 0 || !S_ISSOCK(st.st_mode))
		doctor_say(d, f, DOCTOR_FAIL, "%s is no socket", path);
	else if (st.st_uid != 0 || (st.st_mode & 0077) != 0)
		doctor_say(d, f, DOCTOR_FAIL, "%s: user %u, mode %04o", path,
		    (unsigned)st.st_uid, (unsigned)st.st_mode & 07777);
	else
		doctor_say(d, f, DOCTOR_PASS, "%s: root, mode %04o", path,
		    (unsigned)st.st_mode & 07777);
}

const struct doctor_check doctor_guard_checks[] = {
    {"plugin", "without its name in the file nobody is asked",
	"daemon.json: \"authorization-plugins\": [\"portreeve\"]; take the "
	"flag away; systemctl reload docker",
	look_plugin},
    {"plugin-files", "dockerd may ask somebody else in Portreeve's name",
	"remove the file", look_plugin_files},
    {"plugin-socket", "whoever may connect can ask in dockerd's name",
	"systemctl restart portreeve-plugin.socket", look_plugin_socket},
    {"plugin-ready", "calls are refused while it is not",
	"systemctl status portreeve-plugin; portreeve check", look_ready},
    {"config", "with mistakes in it the daemons do not start",
	"portreeve-plugin --check says all of them", look_config},
    {"cve-2024-41110",
	"such engines show a plugin no body where it matters; Portreeve "
	"refuses what it does not see, and honest calls with it",
	"upgrade to 25.0.6, 26.1.5, 27.1.1 or later", look_41110},
    {"cve-2026-34040",
	"bodies of a mebibyte and more are kept from plugins; Portreeve "
	"refuses such calls, honest ones too",
	"upgrade to 29.3.1 or later", look_34040},
    {"grpc", "engines from 29.2 on let gRPC over HTTP/2 pass round plugins",
	"put portreeve-proxy in front, and no TCP listener beside it",
	look_grpc},
    {"listeners", "a listener without tlsverify is root for everybody",
	"daemon.json: one \"tcp://\" host, \"tlsverify\": true",
	look_listeners},
    {"tls", "certificates say who calls",
	"daemon.json: tlsverify, tlscacert, tlscert, tlskey", look_tls},
    {"docker-socket", "callers of the socket have no name",
	"systemctl edit docker.socket: SocketUser=root, SocketMode=0660",
	look_socket},
};
const size_t doctor_n_guard_checks = PR_COUNT(doctor_guard_checks);
