/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that judge a spec by a profile. */
#ifndef PROFILE_H
#define PROFILE_H

#include <portreeve/image.h>
#include <portreeve/spec.h>

struct judging {
	const struct pr_profile *profile;
	const struct pr_spec *spec;
	const struct pr_judge_env *env;
	enum pr_profile_key key;    /* the one that is judged now */
	const struct pr_leaf *leaf; /* its value */
	char *text;                 /* why not, for the user */
	size_t len;
};

/* One key: YES, NO or CANNOT_TELL, with why in j->text. */
typedef enum pr_tri (*key_judge)(struct judging *j);

/* NO, with "<what>, <profile>.<key> wants <list or word>" as the text. */
enum pr_tri judge_no(struct judging *j, const char *fmt, ...) PR_PRINTF(2, 3);
enum pr_tri judge_cannot_tell(struct judging *j, const char *fmt, ...)
    PR_PRINTF(2, 3);

/* The list of the key has exactly this word. */
bool list_has(const struct pr_leaf *leaf, const char *word);
/*
 * Some pattern of the list matches, ${team}, ${user} and ${phase} replaced.
 * A substitution that holds '*' or '/' matches nothing.
 */
bool list_matches(struct judging *j, struct pr_str s, char sep);
/* A pattern with its substitutions, in buf; p == NULL: matches nothing. */
struct pr_str pattern_expand(
    const struct judging *j, struct pr_str pattern, char *buf, size_t len);
/* A value for a message: short, printable. */
#define SHOWN 48
const char *shown(struct pr_str s, char buf[SHOWN + 4]);
/* All keys of a map match the list. */
enum pr_tri keys_allowed(
    struct judging *j, struct pr_kvs map, const char *field);
/* All values of a list match the list. */
enum pr_tri values_allowed(
    struct judging *j, struct pr_strs values, const char *field, char sep);
/*
 * What a field of HostConfig is called in the body that is judged: a build
 * says the same things by keys of its query.
 */
const char *field_in(
    const struct judging *j, const char *field, const char *query);
/* `default`: unset, or what this daemon fills in (semantics 5.6). */
enum pr_tri default_or_listed(struct judging *j, struct pr_str s,
    struct pr_str fills_in, const char *field);
/* A driver's option, by patterns of keys or of key=value. */
bool option_allowed(struct judging *j, struct pr_str key, struct pr_str value);
/* Is this User root, however it is spelled? */
bool user_is_root(struct pr_str user);
/* The ref at index i has an object that is known. */
const struct pr_object *ref_object(const struct judging *j, int ref);

enum pr_tri judge_network(struct judging *j);
enum pr_tri judge_endpoints(struct judging *j);
enum pr_tri judge_service_network(struct judging *j);
enum pr_tri judge_net_drivers(struct judging *j);
enum pr_tri judge_ipam_drivers(struct judging *j);
enum pr_tri judge_net_options(struct judging *j);
enum pr_tri judge_pid(struct judging *j);
enum pr_tri judge_ipc(struct judging *j);
enum pr_tri judge_uts(struct judging *j);
enum pr_tri judge_userns(struct judging *j);
enum pr_tri judge_cgroupns(struct judging *j);
enum pr_tri judge_links(struct judging *j);
enum pr_tri judge_static_ip(struct judging *j);
enum pr_tri judge_driver_opts(struct judging *j);
enum pr_tri judge_ports_bind(struct judging *j);
enum pr_tri judge_ports_range(struct judging *j);
enum pr_tri judge_publish_all(struct judging *j);
enum pr_tri judge_ports_container(struct judging *j);

enum pr_tri judge_bind(struct judging *j);
enum pr_tri judge_protected(struct judging *j);
enum pr_tri judge_shared_trees(struct judging *j);
enum pr_tri judge_propagation(struct judging *j);
enum pr_tri judge_relabel(struct judging *j);
enum pr_tri judge_volumes(struct judging *j);
enum pr_tri judge_volume_drivers(struct judging *j);
enum pr_tri judge_volume_opts(struct judging *j);
enum pr_tri judge_volumes_from(struct judging *j);
enum pr_tri judge_tmpfs(struct judging *j);
enum pr_tri judge_mount_images(struct judging *j);

enum pr_tri judge_memory(struct judging *j);
enum pr_tri judge_swap(struct judging *j);
enum pr_tri judge_cpus(struct judging *j);
enum pr_tri judge_pids(struct judging *j);
enum pr_tri judge_shm(struct judging *j);
enum pr_tri judge_cpu_shares(struct judging *j);
enum pr_tri judge_ulimits(struct judging *j);
enum pr_tri judge_oom_score(struct judging *j);
enum pr_tri judge_cgroup_parent(struct judging *j);
enum pr_tri judge_cpuset(struct judging *j);
enum pr_tri judge_extra_hosts(struct judging *j);
enum pr_tri judge_restart(struct judging *j);

/* Some pattern of the list matches a name as the daemon spells it out. */
bool image_name_allowed(struct judging *j, const struct pr_image *image);
/* The same for all tags of a repository at once. */
bool image_tags_allowed(struct judging *j, const struct pr_image *image);
/*
 * The image that the spec names, by name or by id: some name of it, or
 * (`all`) every name of it, is allowed.
 */
enum pr_tri judge_image(struct judging *j, bool all);
/* One of the image rules is about this name. */
bool profile_names_image(const struct pr_profile *profile,
    const struct pr_judge_env *env, const struct pr_image *image);
enum pr_tri judge_images_allow(struct judging *j);
enum pr_tri judge_images_digest(struct judging *j);
enum pr_tri judge_env_forbid(struct judging *j);
enum pr_tri judge_require_user(struct judging *j);
enum pr_tri judge_require_health(struct judging *j);

/* ---- profile_bodies.c ---- */
/* The judge of a key on a body, or NULL: it says nothing about it. */
key_judge judge_of(enum pr_profile_key key, enum pr_spec_body body);
/* The judge that a key has unless a body has another; NULL: none. */
key_judge judge_of_key(enum pr_profile_key key);

/* ---- profile_names.c ---- */
enum pr_tri judge_images_source(struct judging *j);
enum pr_tri judge_images_write(struct judging *j);
enum pr_tri judge_images_push(struct judging *j);
enum pr_tri judge_images_from_src(struct judging *j);
/* ---- profile_build.c ---- */
enum pr_tri judge_build_network(struct judging *j);
enum pr_tri judge_build_remote(struct judging *j);
enum pr_tri judge_build_secrets(struct judging *j);
enum pr_tri judge_build_opaque(struct judging *j);
/* Is this an http(s) URL whose host and path are what they look like? */
bool url_is_plain(struct pr_str url);

#endif /* PROFILE_H */
