/* SPDX-License-Identifier: Apache-2.0 */
/* What a container counts in quotas (docs/semantics.md 11.2, 11.3). */
#include <portreeve/quota.h>

#include "body.h"

#define DEFAULT_PERIOD 100000

static int64_t
bound(int64_t v)
{
	return v > 0 ? v : PR_UNBOUND;
}

void
pr_amounts_of_spec(const struct pr_spec *s, struct pr_amounts *out)
{
	out->v[PR_LIMIT_CONTAINERS] = 1;
	out->v[PR_LIMIT_MEMORY] = bound(s->memory);
	out->v[PR_LIMIT_CPUS] = bound(s->cpus);
	out->v[PR_LIMIT_PORTS] =
	    s->publish_all ? PR_UNBOUND : (int64_t)s->n_ports;
}

/* As dockerd keeps it: what an update changes, each by itself. */
struct resources {
	int64_t memory, nano, quota, period;
};

static struct resources
read_resources(const struct body_slots *host)
{
	return (struct resources){.memory = body_int(host->f[F_H_MEMORY]),
	    .nano = body_int(host->f[F_H_NANOCPUS]),
	    .quota = body_int(host->f[F_H_CPUQUOTA]),
	    .period = body_int(host->f[F_H_CPUPERIOD])};
}

static int64_t
cpus_of(const struct resources *r)
{
	__int128 cpus = 0;

	if (r->quota < 0) /* lifts NanoCpus too */
		return PR_UNBOUND;
	if (r->nano != 0)
		return bound(r->nano);
	if (r->quota > 0)
		cpus = (__int128)r->quota * 1000000000 /
		    (r->period > 0 ? r->period : DEFAULT_PERIOD);
	return bound(cpus > INT64_MAX ? INT64_MAX : (int64_t)cpus);
}

static int
read_host(struct pr_arena *a, const struct pr_json *v, bool stored,
    struct body_slots **out)
{
	struct pr_refusal why = {0};
	struct body_walk walk = {.arena = a, .stored = stored, .why = &why};

	*out = pr_arena_alloc(a, sizeof **out);
	if (v == NULL || v->type != PR_JSON_OBJECT)
		return -1;
	return body_walk(&walk, BODY_HOSTCONFIG, v, "HostConfig", *out);
}

static int
read_inspect(
    struct pr_arena *a, const struct pr_json *inspect, struct body_slots **out)
{
	if (inspect == NULL || inspect->type != PR_JSON_OBJECT)
		return -1;
	return read_host(
	    a, pr_json_get(inspect, PR_STR("HostConfig")), true, out);
}

static int64_t
ports_of(const struct body_slots *host)
{
	const struct pr_json *all = host->f[F_H_PORTBINDINGS];
	int64_t n = 0;

	if (body_bool(host->f[F_H_PUBLISHALLPORTS]))
		return PR_UNBOUND;
	for (size_t i = 0; i < body_count(all); i++)
		n += (int64_t)body_count(&all->members[i].value);
	return n;
}

static struct pr_amounts
amounts(const struct body_slots *host, const struct resources *r)
{
	struct pr_amounts out;

	out.v[PR_LIMIT_CONTAINERS] = 1;
	out.v[PR_LIMIT_MEMORY] = bound(r->memory);
	out.v[PR_LIMIT_CPUS] = cpus_of(r);
	out.v[PR_LIMIT_PORTS] = ports_of(host);
	return out;
}

int
pr_amounts_of_container(
    struct pr_arena *a, const struct pr_json *inspect, struct pr_amounts *out)
{
	struct body_slots *host;
	struct resources r;

	if (read_inspect(a, inspect, &host) < 0)
		return -1;
	r = read_resources(host);
	*out = amounts(host, &r);
	return 0;
}

int
pr_quota_ask_of_update(struct pr_arena *a, const struct pr_request *rq,
    const struct pr_json *inspect, struct pr_quota_ask *out)
{
	struct body_slots *host, *body;
	struct resources r, asked;

	if (read_inspect(a, inspect, &host) < 0 ||
	    read_host(a, rq->json, false, &body) < 0)
		return -1;
	r = read_resources(host);
	out->before = amounts(host, &r);
	asked = read_resources(body);
	r.memory = asked.memory != 0 ? asked.memory : r.memory;
	r.nano = asked.nano != 0 ? asked.nano : r.nano;
	r.quota = asked.quota != 0 ? asked.quota : r.quota;
	r.period = asked.period != 0 ? asked.period : r.period;
	out->after = amounts(host, &r);
	return 0;
}
