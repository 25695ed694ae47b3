/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's checks of dockerd's settings. */
#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "doctor.h"

void
doctor_say(const struct doctor *d, struct doctor_finding *f,
    enum doctor_result result, const char *fmt, ...)
{
	va_list ap;

	f->result = result;
	va_start(ap, fmt);
	f->found = pr_arena_vprintf(d->a, fmt, ap);
	va_end(ap);
}

/* A setting that is good with one value; the last one given counts. */
static void
look_setting(const struct doctor *d, struct doctor_finding *f, const char *name,
    const char *good, const char *by_default)
{
	struct doctor_setting s;
	struct pr_str v;

	doctor_setting(d, name, &s);
	v = s.n > 0 ? s.v[s.n - 1] : pr_str_of(by_default);
	doctor_say(d, f, pr_str_is(v, good) ? DOCTOR_PASS : DOCTOR_WARN,
	    "%s is %.*s%s", name, PR_STRF(v), s.given ? "" : " by default");
}

static void
look_icc(const struct doctor *d, struct doctor_finding *f)
{
	look_setting(d, f, "icc", "false", "true");
}

static void
look_live_restore(const struct doctor *d, struct doctor_finding *f)
{
	look_setting(d, f, "live-restore", "true", "false");
}

static void
look_userland_proxy(const struct doctor *d, struct doctor_finding *f)
{
	look_setting(d, f, "userland-proxy", "false", "true");
}

static void
look_no_new_privileges(const struct doctor *d, struct doctor_finding *f)
{
	look_setting(d, f, "no-new-privileges", "true", "false");
}

static void
look_log_level(const struct doctor *d, struct doctor_finding *f)
{
	if (doctor_setting_is(d, "debug", "true")) {
		doctor_say(d, f, DOCTOR_WARN, "debug is true");
		return;
	}
	look_setting(d, f, "log-level", "info", "info");
}

static void
look_userns(const struct doctor *d, struct doctor_finding *f)
{
	struct doctor_setting s;

	doctor_setting(d, "userns-remap", &s);
	if (s.n > 0 && s.v[s.n - 1].n > 0)
		doctor_say(d, f, DOCTOR_PASS, "containers' root is %.*s",
		    PR_STRF(s.v[s.n - 1]));
	else
		doctor_say(d, f, DOCTOR_WARN,
		    "root in a container is root of the host");
}

static void
look_insecure(const struct doctor *d, struct doctor_finding *f)
{
	struct doctor_setting s;

	doctor_setting(d, "insecure-registries", &s);
	if (s.n == 0)
		doctor_say(d, f, DOCTOR_PASS, "none");
	else
		doctor_say(d, f, DOCTOR_FAIL, "%zu, the first is %.*s", s.n,
		    PR_STRF(s.v[0]));
}

static void
look_ulimits(const struct doctor *d, struct doctor_finding *f)
{
	struct doctor_setting s;

	doctor_setting(d, "default-ulimits", &s);
	doctor_say(d, f, s.n > 0 ? DOCTOR_PASS : DOCTOR_WARN,
	    s.n > 0 ? "%zu set" : "none set", s.n);
}

/* Does /info's SecurityOptions name it ("name=seccomp,profile=default")? */
static bool
has_security_option(const struct doctor *d, const char *prefix)
{
	const struct pr_json *v =
	    pr_json_get(d->info, PR_STR("SecurityOptions"));

	if (v == NULL || v->type != PR_JSON_ARRAY)
		return false;
	for (uint32_t i = 0; i < v->n; i++)
		if (v->items[i].type == PR_JSON_STRING &&
		    pr_str_starts(v->items[i].str, prefix))
			return true;
	return false;
}

static void
look_seccomp(const struct doctor *d, struct doctor_finding *f)
{
	struct doctor_setting s;
	struct pr_str v;

	doctor_setting(d, "seccomp-profile", &s);
	v = s.n > 0 ? s.v[s.n - 1] : PR_STR("");
	if (pr_str_is(v, "unconfined"))
		doctor_say(d, f, DOCTOR_FAIL, "seccomp-profile is unconfined");
	else if (d->info != NULL && !has_security_option(d, "name=seccomp"))
		doctor_say(d, f, DOCTOR_FAIL, "this daemon runs without one");
	else if (d->info == NULL)
		doctor_say(d, f, DOCTOR_UNKNOWN,
		    "nothing turns it off; dockerd does not say: %s",
		    d->info_why);
	else
		doctor_say(d, f, DOCTOR_PASS, "%.*s",
		    PR_STRF(v.n > 0 ? v : PR_STR("the daemon's own")));
}

static void
look_logging(const struct doctor *d, struct doctor_finding *f)
{
	static const char *const central[] = {"syslog", "journald", "gelf",
	    "fluentd", "splunk", "awslogs", "gcplogs", "logentries", "loki"};
	struct doctor_setting s;
	struct pr_str v;
	enum doctor_result result = DOCTOR_WARN;

	doctor_setting(d, "log-driver", &s);
	v = s.n > 0 ? s.v[s.n - 1] : PR_STR("json-file");
	for (size_t i = 0; i < PR_COUNT(central); i++)
		if (pr_str_is(v, central[i]))
			result = DOCTOR_PASS;
	doctor_say(d, f, result, "containers log to %.*s", PR_STRF(v));
}

static bool
file_says(const struct doctor *d, const char *path, const char *line)
{
	FILE *file = fopen(doctor_path(d, path), "re");
	char text[256];
	bool found = false;

	if (file == NULL)
		return false;
	while (!found && fgets(text, sizeof text, file) != NULL)
		found = pr_str_is(pr_str_trim(pr_str_of(text)), line);
	fclose(file);
	return found;
}

static void
look_content_trust(const struct doctor *d, struct doctor_finding *f)
{
	const char *own = getenv("DOCKER_CONTENT_TRUST");

	if (d->o.root[0] == '\0' && own != NULL && strcmp(own, "1") == 0)
		doctor_say(d, f, DOCTOR_PASS, "DOCKER_CONTENT_TRUST=1");
	else if (file_says(d, "/etc/environment", "DOCKER_CONTENT_TRUST=1"))
		doctor_say(d, f, DOCTOR_PASS, "/etc/environment sets it");
	else
		doctor_say(d, f, DOCTOR_WARN,
		    "clients of this host do not ask for signatures");
}

static struct pr_str
storage_driver(const struct doctor *d)
{
	const struct pr_json *v =
	    d->info != NULL ? pr_json_get(d->info, PR_STR("Driver")) : NULL;
	struct doctor_setting s;

	if (v != NULL && v->type == PR_JSON_STRING)
		return v->str;
	doctor_setting(d, "storage-driver", &s);
	return s.n > 0 ? s.v[s.n - 1] : PR_STR("");
}

static void
look_storage(const struct doctor *d, struct doctor_finding *f)
{
	static const char *const good[] = {
	    "overlay2", "overlayfs", "btrfs", "zfs", "fuse-overlayfs"};
	struct pr_str v = storage_driver(d);

	if (v.n == 0) {
		doctor_say(d, f, DOCTOR_UNKNOWN,
		    "not set, and dockerd does not say: %s", d->info_why);
		return;
	}
	for (size_t i = 0; i < PR_COUNT(good); i++)
		if (pr_str_is(v, good[i])) {
			doctor_say(d, f, DOCTOR_PASS, "%s", good[i]);
			return;
		}
	doctor_say(d, f, DOCTOR_WARN, "%.*s", PR_STRF(v));
}

static const char *
data_root(const struct doctor *d)
{
	struct doctor_setting s;

	doctor_setting(d, "data-root", &s);
	return s.n > 0 ? pr_arena_strdup(d->a, s.v[s.n - 1])
		       : "/var/lib/docker";
}

static void
look_partition(const struct doctor *d, struct doctor_finding *f)
{
	const char *folder = data_root(d);
	const char *real = doctor_path(d, folder);
	struct stat st, top;

	/* the root of the machine, or of the tree that stands for it */
	if (stat(real, &st) != 0 ||
	    stat(d->o.root[0] != '\0' ? d->o.root : "/", &top) != 0)
		doctor_say(
		    d, f, DOCTOR_UNKNOWN, "%s cannot be looked at", folder);
	else if (st.st_dev == top.st_dev)
		doctor_say(
		    d, f, DOCTOR_WARN, "%s is on the file system of /", folder);
	else
		doctor_say(d, f, DOCTOR_PASS,
		    "%s is on a file system of its own", folder);
}

const struct doctor_check doctor_daemon_checks[] = {
    {"icc", "containers of the default bridge reach one another's ports",
	"daemon.json: \"icc\": false", look_icc},
    {"userns-remap", "who gets out of a container as root is root of the host",
	"daemon.json: \"userns-remap\": \"default\"", look_userns},
    {"live-restore", "without it a restart of dockerd ends every container",
	"daemon.json: \"live-restore\": true", look_live_restore},
    {"userland-proxy",
	"a process a published port, which hides where callers come from",
	"daemon.json: \"userland-proxy\": false", look_userland_proxy},
    {"log-level",
	"debug writes more than logs should hold; less than info hides what "
	"an auditor looks for",
	"daemon.json: \"log-level\": \"info\", no \"debug\"", look_log_level},
    {"insecure-registries",
	"whoever is on the way can give images and take credentials",
	"daemon.json: take \"insecure-registries\" out; give the registry a "
	"certificate in /etc/docker/certs.d",
	look_insecure},
    {"default-ulimits",
	"a container may open files and start processes up to the daemon's "
	"own limit",
	"daemon.json: \"default-ulimits\": {\"nofile\": {\"Name\": "
	"\"nofile\", \"Soft\": 1024, \"Hard\": 4096}}",
	look_ulimits},
    {"no-new-privileges", "setuid programs in a container raise privileges",
	"daemon.json: \"no-new-privileges\": true", look_no_new_privileges},
    {"seccomp-profile", "containers may call every door of the kernel",
	"daemon.json: take \"seccomp-profile\" out, or name a profile",
	look_seccomp},
    {"central-logging",
	"logs that stay on the host go with the host, and with whoever owns it",
	"daemon.json: \"log-driver\": \"journald\" (forwarded) or \"syslog\"",
	look_logging},
    {"content-trust", "a registry may give other content for a name",
	"/etc/environment: DOCKER_CONTENT_TRUST=1; better: images.digest: "
	"required in the policy, which clients cannot leave out",
	look_content_trust},
    {"storage-driver", "other drivers are slow, deprecated or for tests",
	"daemon.json: \"storage-driver\": \"overlay2\"", look_storage},
    {"partition", "images and logs of containers can fill /",
	"mount a file system at the daemon's data root", look_partition},
};
const size_t doctor_n_daemon_checks = PR_COUNT(doctor_daemon_checks);
