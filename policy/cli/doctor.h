/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `portreeve doctor` looks at: daemon.json, how dockerd was started,
 * what it says of itself, and who may touch the files.  It only reads.  What
 * it cannot see it does not call good.
 */
#ifndef PR_DOCTOR_H
#define PR_DOCTOR_H

#include <sys/types.h>

#include <portreeve/arena.h>
#include <portreeve/config.h>
#include <portreeve/json.h>

#define DOCTOR_VALUES 64 /* of one setting; more are not looked at */

struct doctor_options {
	const char *root; /* "" or a folder that stands for "/" */
	const char *config;
	const char *daemon_file; /* NULL: as dockerd was told */
	const char *socket;      /* dockerd's; NULL: of the configuration */
};

struct doctor {
	struct pr_arena *a;
	struct doctor_options o;

	struct pr_config config;
	const char *config_why;  /* NULL: it was read */
	const char *plugin_name; /* "portreeve": of the socket's name */
	uid_t guard;             /* whom the plugin runs as, or we */

	const char *daemon_file;    /* without the root */
	const struct pr_json *file; /* NULL: none, or not readable */
	const char *file_why;       /* what is wrong with it; NULL: nothing */

	pid_t pid; /* dockerd's; 0: not found */
	const char **args;
	size_t n_args;
	size_t n_tcp; /* TCP sockets that it listens on */

	const char *docker_socket;
	const struct pr_json *info; /* NULL: see info_why */
	const char *info_why;
	bool kept;          /* the policy keeps it from us */
	const char *engine; /* its version; NULL: not known */

	struct pr_str ready; /* what the plugin says of itself */
	unsigned ready_status;
	const char *ready_why; /* NULL: it was asked */
};

/* One setting of dockerd, wherever it comes from, its values as text. */
struct doctor_setting {
	bool given, by_flag;
	size_t n;
	struct pr_str v[DOCTOR_VALUES];
};

enum doctor_result {
	DOCTOR_UNKNOWN = 0, /* cannot tell: not good */
	DOCTOR_FAIL,
	DOCTOR_WARN,
	DOCTOR_PASS,
};

struct doctor_finding {
	enum doctor_result result;
	const char *found; /* in the arena, or static */
	const char *mend;  /* NULL: as the check's row says */
};

struct doctor_check {
	const char *id, *why, *mend;
	void (*look)(const struct doctor *d, struct doctor_finding *f);
};

/* doctor_facts.c */
void doctor_gather(
    struct doctor *d, struct pr_arena *a, const struct doctor_options *o);
/* The path below the root. */
const char *doctor_path(const struct doctor *d, const char *path);

/* doctor_settings.c: name as in daemon.json; flags are known by their own */
void doctor_setting(
    const struct doctor *d, const char *name, struct doctor_setting *out);
/* True if it is given and its only value is `text`. */
bool doctor_setting_is(
    const struct doctor *d, const char *name, const char *text);
bool doctor_has_value(const struct doctor_setting *s, const char *text);

/* Each is a table; ids are unique over all. */
extern const struct doctor_check doctor_daemon_checks[];
extern const size_t doctor_n_daemon_checks;
extern const struct doctor_check doctor_guard_checks[];
extern const size_t doctor_n_guard_checks;
extern const struct doctor_check doctor_file_checks[];
extern const size_t doctor_n_file_checks;

void doctor_say(const struct doctor *d, struct doctor_finding *f,
    enum doctor_result result, const char *fmt, ...) PR_PRINTF(4, 5);

#endif /* PR_DOCTOR_H */
