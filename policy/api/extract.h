/* SPDX-License-Identifier: Apache-2.0 */
/* Between the extractors: one file a body. */
#ifndef EXTRACT_H
#define EXTRACT_H

#include "body.h"

struct extract {
	const struct pr_extract *x;
	struct pr_arena *arena;
	struct pr_spec *spec;
	struct pr_refusal *why;
	struct pr_strs echoes; /* the request's query keys that its route has */
};

/* Adds a reference and returns its index. */
int extract_ref(struct extract *e, enum pr_kind kind, enum pr_ref_role role,
    struct pr_str name, pr_field field);
/* Adds a host path, cleaned as Go's path.Clean does; returns its index. */
int extract_bind(struct extract *e, struct pr_str path, bool writes);

/* Config, HostConfig and endpoints of a container: create and stored. */
int extract_container(struct extract *e, const struct body_slots *config,
    const struct body_slots *host, const struct pr_json *endpoints);
/* Adds a mount; valid until the next one is added. */
struct pr_mount *extract_mount(
    struct extract *e, enum pr_mount_type type, pr_field field);
/* Its source: an absolute path of the host, or the name of a volume. */
int extract_source(struct extract *e, struct pr_mount *m, struct pr_str source);
/* Adds the host paths in the options of a volume. */
void extract_volume_paths(
    struct extract *e, struct pr_str driver, struct pr_kvs options);
/* HostConfig.Binds, Mounts, Tmpfs, VolumesFrom, Config.Volumes. */
int extract_mounts(struct extract *e, const struct body_slots *config,
    const struct body_slots *host);
/* NetworkMode and the other namespaces, endpoints, links, ports. */
int extract_network(struct extract *e, const struct body_slots *host,
    const struct pr_json *endpoints);
/* What an update may change: limits, devices, the restart policy. */
int extract_resources(struct extract *e, const struct body_slots *host);
/* SecurityOpt, capabilities, masked paths. */
int extract_security(struct extract *e, const struct body_slots *host);

/* What containers and services have in common; `field`: where it stands. */
struct pr_strs extract_capabilities(
    struct pr_arena *a, const struct pr_json *v);
struct pr_strs extract_join(
    struct pr_arena *a, const struct pr_json *const *v, size_t n);
void extract_health(struct extract *e, const struct pr_json *health);
int extract_image(
    struct extract *e, const struct pr_json *image, pr_field field);
int extract_mount_list(
    struct extract *e, const struct pr_json *mounts, pr_field where);

/* POST /containers/create */
int extract_create(struct extract *e, const struct pr_request *rq);
/* POST /containers/x/exec */
int extract_exec(struct extract *e, const struct pr_request *rq);
/* Bodies that say nothing about power: exec start, attach, start, ... */
int extract_exec_start(struct extract *e, const struct pr_request *rq);
int extract_start(struct extract *e, const struct pr_request *rq);
int extract_rename(struct extract *e, const struct pr_request *rq);
/* POST /containers/x/update: completed by pr_spec_update */
int extract_update(struct extract *e, const struct pr_request *rq);
/* POST /commit */
int extract_commit(struct extract *e, const struct pr_request *rq);
/* Checkpoints: their ids and directories are paths of the host. */
int extract_checkpoint(struct extract *e, const struct pr_request *rq);
int extract_checkpoints(struct extract *e, const struct pr_request *rq);
int extract_uncheckpoint(struct extract *e, const struct pr_request *rq);

/* The value of a query key; empty if it is not there. */
struct pr_str extract_query(const struct pr_request *rq, const char *key);
/*
 * Adds the name of an image that the request pulls, gives or pushes; `tag`,
 * if not empty, takes the place of the name's own.
 */
int extract_name(struct extract *e, enum pr_image_act act, struct pr_str repo,
    struct pr_str tag, pr_field field);
/*
 * The query key `changes` of commit and import: adds what its lines set to
 * labels (beside those of the body) and env of the spec.
 */
int extract_changes(
    struct extract *e, const struct pr_request *rq, struct pr_kvs labels);

int extract_pull(struct extract *e, const struct pr_request *rq);
int extract_tag(struct extract *e, const struct pr_request *rq);
int extract_push(struct extract *e, const struct pr_request *rq);
int extract_remove_image(struct extract *e, const struct pr_request *rq);
int extract_import(struct extract *e, const struct pr_request *rq);
int extract_load(struct extract *e, const struct pr_request *rq);
int extract_volume(struct extract *e, const struct pr_request *rq);
int extract_network_create(struct extract *e, const struct pr_request *rq);
int extract_connect(struct extract *e, const struct pr_request *rq);
int extract_build(struct extract *e, const struct pr_request *rq);
int extract_session(struct extract *e, const struct pr_request *rq);

/* HostConfig.NetworkMode, or what means the same elsewhere. */
struct pr_ns extract_network_mode(
    struct extract *e, struct pr_str text, pr_field field);
/* Billionths of a CPU that a quota and a period (us) make. */
int64_t extract_cpus(int64_t quota, int64_t period);
/* A list of ulimits; `checked`: a walk has looked at it already. */
int extract_ulimits(struct extract *e, const struct pr_json *ulimits,
    bool checked, pr_field field);
int extract_service(struct extract *e, const struct pr_request *rq);
int extract_plain(struct extract *e, const struct pr_request *rq);
int extract_secret(struct extract *e, const struct pr_request *rq);
int extract_config(struct extract *e, const struct pr_request *rq);
int extract_privileges(struct extract *e, const struct pr_request *rq);
int extract_settings(struct extract *e, const struct pr_request *rq);
int extract_tar(struct extract *e, const struct pr_request *rq);

#endif /* EXTRACT_H */
