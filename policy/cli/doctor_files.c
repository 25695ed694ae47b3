/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's checks of files: whose they are, and who may touch them. */
#include <sys/stat.h>

#include <string.h>
#include <unistd.h>

#include <portreeve/file.h>

#include "doctor.h"

/* What is not there is nobody's way in; `must`: but it should be there. */
static void
look_owned(const struct doctor *d, struct doctor_finding *f, const char *path,
    unsigned forbidden, bool must, uid_t owner)
{
	struct pr_file_fault fault;

	switch (pr_file_trusted_of(
	    doctor_path(d, path), forbidden, owner, &fault)) {
	case PR_FILE_GOOD:
		doctor_say(d, f, DOCTOR_PASS, "%s", path);
		break;
	case PR_FILE_MISSING:
		doctor_say(d, f, must ? DOCTOR_UNKNOWN : DOCTOR_PASS,
		    "%s is not there", path);
		break;
	default:
		doctor_say(d, f, DOCTOR_FAIL, "%s", fault.text);
		f->mend = pr_arena_printf(d->a, "%s", fault.mend);
		break;
	}
}

/* dockerd's, and what decides over us: root's. */
static void
look_file(const struct doctor *d, struct doctor_finding *f, const char *path,
    unsigned forbidden, bool must)
{
	look_owned(d, f, path, forbidden, must, geteuid());
}

/* What the plugin writes or keeps secret. */
static void
look_ours(const struct doctor *d, struct doctor_finding *f, const char *path,
    unsigned forbidden, bool must)
{
	look_owned(d, f, path, forbidden, must, d->guard);
}

/* A file that a setting of dockerd names. */
static void
look_named(const struct doctor *d, struct doctor_finding *f,
    const char *setting, unsigned forbidden)
{
	struct doctor_setting s;

	doctor_setting(d, setting, &s);
	if (s.n == 0)
		doctor_say(d, f, DOCTOR_PASS, "no %s is given", setting);
	else
		look_file(
		    d, f, pr_arena_strdup(d->a, s.v[s.n - 1]), forbidden, true);
}

#define FILE_CHECK_BY(look, name, path, forbidden, must)                   \
	static void name(const struct doctor *d, struct doctor_finding *f) \
	{                                                                  \
		look(d, f, path, forbidden, must);                         \
	}
#define FILE_CHECK(...) FILE_CHECK_BY(look_file, __VA_ARGS__)
#define OUR_CHECK(...)  FILE_CHECK_BY(look_ours, __VA_ARGS__)

FILE_CHECK(look_daemon_json, d->daemon_file, PR_FILE_NOT_WRITABLE, true)
FILE_CHECK(look_etc_docker, "/etc/docker", PR_FILE_NOT_WRITABLE, false)
FILE_CHECK(look_default, "/etc/default/docker", PR_FILE_NOT_WRITABLE, false)
FILE_CHECK(look_service, "/lib/systemd/system/docker.service",
    PR_FILE_NOT_WRITABLE, false)
FILE_CHECK(look_socket_unit, "/lib/systemd/system/docker.socket",
    PR_FILE_NOT_WRITABLE, false)
FILE_CHECK(look_containerd, "/run/containerd/containerd.sock", 0117, false)
FILE_CHECK(look_our_config, d->o.config, PR_FILE_NOT_WRITABLE, true)
FILE_CHECK(look_policy, d->config.policy, PR_FILE_NOT_WRITABLE, true)
OUR_CHECK(look_log, d->config.audit.dir, PR_FILE_SECRET & ~0050U, true)
OUR_CHECK(look_ledger, d->config.ledger, PR_FILE_SECRET, false)

static void
look_data_root(const struct doctor *d, struct doctor_finding *f)
{
	struct doctor_setting s;

	doctor_setting(d, "data-root", &s);
	look_file(d, f,
	    s.n > 0 ? pr_arena_strdup(d->a, s.v[s.n - 1]) : "/var/lib/docker",
	    0066, false);
}

static void
look_tls_ca(const struct doctor *d, struct doctor_finding *f)
{
	look_named(d, f, "tlscacert", PR_FILE_NOT_WRITABLE);
}

static void
look_tls_cert(const struct doctor *d, struct doctor_finding *f)
{
	look_named(d, f, "tlscert", PR_FILE_NOT_WRITABLE);
}

static void
look_tls_key(const struct doctor *d, struct doctor_finding *f)
{
	look_named(d, f, "tlskey", PR_FILE_SECRET);
}

/* The first of our own secrets that somebody else may read. */
static void
look_secrets(const struct doctor *d, struct doctor_finding *f)
{
	const char *const files[] = {d->config.directory.bind.password_file.s,
	    d->config.proxy.assertion_key, d->config.audit.key_file};
	size_t n = 0;

	for (size_t i = 0; i < PR_COUNT(files); i++) {
		if (files[i] == NULL)
			continue;
		n++;
		look_ours(d, f, files[i], PR_FILE_SECRET, true);
		if (f->result != DOCTOR_PASS)
			return;
	}
	for (size_t i = 0; i < d->config.proxy.n_listen; i++) {
		const char *key = d->config.proxy.listen[i].tls.key;

		if (key == NULL)
			continue;
		n++;
		look_ours(d, f, key, PR_FILE_SECRET, true);
		if (f->result != DOCTOR_PASS)
			return;
	}
	doctor_say(d, f, DOCTOR_PASS, "%zu of them", n);
}

#define WHY_WRITE "whoever may write to it decides what dockerd does"

const struct doctor_check doctor_file_checks[] = {
    {"file-daemon-json", WHY_WRITE, "make root its owner", look_daemon_json},
    {"file-etc-docker", WHY_WRITE, "make root its owner", look_etc_docker},
    {"file-default", WHY_WRITE, "make root its owner", look_default},
    {"file-docker-service", WHY_WRITE, "make root its owner", look_service},
    {"file-docker-socket", WHY_WRITE, "make root its owner", look_socket_unit},
    {"file-tls-ca", "whoever may write to it makes callers",
	"name a file that is there", look_tls_ca},
    {"file-tls-cert", "whoever may write to it cuts everybody off",
	"name a file that is there", look_tls_cert},
    {"file-tls-key", "whoever may read it can be the daemon",
	"name a file that is there", look_tls_key},
    {"file-data-root", "layers and volumes are readable through it",
	"chmod 0711", look_data_root},
    {"file-containerd-socket",
	"containerd obeys whoever connects, and asks no plugin", "chmod 0660",
	look_containerd},
    {"file-config", "whoever may write to it turns the guard off",
	"put the configuration there", look_our_config},
    {"file-policy", "whoever may write to it is what he likes to be",
	"put the policy there", look_policy},
    {"file-log", "the log says who did what, and must stay true",
	"install -d -m 0700 it", look_log},
    {"file-ledger", "whoever may write to it owns every object", "chmod 0600",
	look_ledger},
    {"file-secrets", "keys and passwords that others may read are lost",
	"put the file there", look_secrets},
};
const size_t doctor_n_file_checks = PR_COUNT(doctor_file_checks);
