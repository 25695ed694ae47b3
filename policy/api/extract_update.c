/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /containers/x/update.  The daemon reads Resources and RestartPolicy of
 * a HostConfig, and takes a zero for "as it is" (docs/semantics.md 5.4), so
 * what a body means is known only beside the container's stored limits.
 */
#include <string.h>

#include "extract.h"

/* Resources: what an update may change. */
static const enum body_field resources[] = {F_H_CPUSHARES, F_H_MEMORY,
    F_H_NANOCPUS, F_H_CGROUPPARENT, F_H_BLKIOWEIGHT, F_H_BLKIOWEIGHTDEV,
    F_H_BLKIOREADBPS, F_H_BLKIOWRITEBPS, F_H_BLKIOREADIOPS, F_H_BLKIOWRITEIOPS,
    F_H_CPUPERIOD, F_H_CPUQUOTA, F_H_CPURTPERIOD, F_H_CPURTRUNTIME,
    F_H_CPUSETCPUS, F_H_CPUSETMEMS, F_H_DEVICES, F_H_DEVICECGROUP,
    F_H_DEVICEREQUESTS, F_H_KERNELMEMORY, F_H_KERNELMEMORYTCP,
    F_H_MEMRESERVATION, F_H_MEMORYSWAP, F_H_SWAPPINESS, F_H_OOMKILLDISABLE,
    F_H_PIDSLIMIT, F_H_ULIMITS, F_H_CPUCOUNT, F_H_CPUPERCENT, F_H_IOMAXIOPS,
    F_H_IOMAXBANDWIDTH};
/* Pointers to the daemon: what is given counts, zero or not. */
static const enum body_field pointers[] = {
    F_H_SWAPPINESS, F_H_OOMKILLDISABLE, F_H_PIDSLIMIT};

static bool
is_in(const enum body_field *list, size_t n, unsigned f)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] == f)
			return true;
	}
	return false;
}

int
extract_update(struct extract *e, const struct pr_request *rq)
{
	struct body_walk walk = {.arena = e->arena, .why = e->why};
	struct body_slots *given = pr_arena_alloc(e->arena, sizeof *given);

	if (rq->json == NULL || rq->json->type != PR_JSON_OBJECT)
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "the body of container.update is no object");
	if (body_walk(&walk, BODY_HOSTCONFIG, rq->json, "", given) < 0)
		return -1;
	e->spec->body = PR_SPEC_UPDATE;
	e->spec->unknown_field = walk.unknown_field;
	e->spec->must_default = walk.must_default;
	e->spec->update = given;
	/* no engine takes the rest of a HostConfig here: who sends it means
	 * something else than what would happen */
	for (unsigned f = 0; f < BODY_FIELD_COUNT; f++) {
		if (e->spec->must_default == NULL && f != F_H_RESTARTPOLICY &&
		    !is_in(resources, PR_COUNT(resources), f) &&
		    !body_is_zero(given->f[f], true))
			e->spec->must_default = body_name((enum body_field)f);
	}
	return 0;
}

/* RestartPolicy is taken as a whole if it has a name. */
static bool
names_restart(struct extract *e, const struct pr_json *policy)
{
	struct body_walk walk = {
	    .arena = e->arena, .checked = true, .why = e->why};
	struct body_slots r = {{NULL}};

	return body_walk(&walk, BODY_RESTART, policy, "RestartPolicy", &r) ==
	    0 &&
	    body_str(r.f[F_R_NAME]).n > 0;
}

static void
merge(struct extract *e, struct body_slots *stored,
    const struct body_slots *given)
{
	for (size_t i = 0; i < PR_COUNT(resources); i++) {
		enum body_field f = resources[i];
		bool pointer = is_in(pointers, PR_COUNT(pointers), f);

		if (given->f[f] != NULL &&
		    (pointer || !body_is_zero(given->f[f], true)))
			stored->f[f] = given->f[f];
	}
	if (names_restart(e, given->f[F_H_RESTARTPOLICY]))
		stored->f[F_H_RESTARTPOLICY] = given->f[F_H_RESTARTPOLICY];
}

int
pr_spec_update(const struct pr_extract *x, struct pr_spec *s,
    const struct pr_json *inspect)
{
	struct pr_refusal why = {0};
	struct extract e = {.x = x, .arena = x->arena, .spec = s, .why = &why};
	struct body_walk walk = {
	    .arena = x->arena, .stored = true, .why = &why};
	struct body_slots *all = pr_arena_alloc(x->arena, sizeof *all);
	const struct pr_json *host;

	if (inspect != NULL) {
		if (inspect->type != PR_JSON_OBJECT)
			return -1;
		host = pr_json_get(inspect, PR_STR("HostConfig"));
		if (host == NULL || host->type != PR_JSON_OBJECT ||
		    body_walk(&walk, BODY_HOSTCONFIG, host, "HostConfig", all) <
			0)
			return -1;
	}
	merge(&e, all, s->update);
	if (extract_resources(&e, all) < 0)
		return -1;
	s->updated = true;
	return 0;
}
