/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds.  The context is a tar that no plugin sees, so a build is judged by
 * its query (docs/semantics.md 5.11, 11); what BuildKit is told in a session
 * nobody can look into, and needs build.opaque.
 */
#include <stdint.h>
#include <string.h>

#include <portreeve/image.h>

#include "extract.h"

/* A query key that holds JSON; *out is NULL for absent, "" and null. */
static int
json_of(struct extract *e, const struct pr_request *rq, const char *key,
    enum pr_json_type type, const struct pr_json **out)
{
	struct pr_str text = extract_query(rq, key);
	struct pr_json_fault fault;

	*out = NULL;
	if (text.n == 0)
		return 0;
	*out = pr_json_read(e->arena, text, &fault);
	if (*out == NULL)
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "the query key %s: %s", key, fault.text);
	if ((*out)->type == PR_JSON_NULL)
		*out = NULL;
	else if ((*out)->type != type)
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "the query key %s is no %s", key,
		    type == PR_JSON_ARRAY ? "array" : "object");
	return 0;
}

/* A number as Go's strconv reads it; the daemon takes 0 for what is none. */
static int
number_of(struct extract *e, const struct pr_request *rq, const char *key,
    int64_t *out)
{
	struct pr_str text = extract_query(rq, key);
	bool negative = text.n > 1 && text.p[0] == '-';
	uint64_t n = 0;

	*out = 0;
	if (text.n == 0)
		return 0;
	if (!pr_str_u64(negative ? pr_str_sub(text, 1, text.n) : text, &n) ||
	    n > INT64_MAX)
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "the query key %s is no number", key);
	*out = negative ? -(int64_t)n : (int64_t)n;
	return 0;
}

static bool
is_plain(struct pr_str s)
{
	return s.n == 0 || memchr(s.p, '\0', s.n) == NULL;
}

/* A map of strings; null is a value that is not given. */
static int
map_of(struct extract *e, const struct pr_request *rq, const char *key,
    struct pr_kvs *out)
{
	const struct pr_json *v;
	struct pr_kv *all;

	if (json_of(e, rq, key, PR_JSON_OBJECT, &v) < 0)
		return -1;
	all = pr_arena_array(e->arena, body_count(v), sizeof *all);
	for (size_t i = 0; v != NULL && i < v->n; i++) {
		const struct pr_json_member *m = &v->members[i];

		if (!is_plain(m->key) ||
		    (m->value.type != PR_JSON_NULL &&
			m->value.type != PR_JSON_STRING))
			return body_refuse(e->why, PR_REASON_AMBIGUOUS,
			    "the query key %s is no map of strings", key);
		all[i] = (struct pr_kv){m->key, body_str(&m->value)};
	}
	*out = (struct pr_kvs){all, body_count(v)};
	return 0;
}

/* Every value of a key that may stand there several times. */
static struct pr_strs
all_of(struct extract *e, const struct pr_request *rq, const char *key)
{
	struct pr_str *out = pr_arena_array(e->arena, rq->n_query, sizeof *out);
	size_t n = 0;

	for (size_t i = 0; i < rq->n_query; i++) {
		if (pr_str_is(rq->query[i].key, key) &&
		    rq->query[i].value.n > 0)
			out[n++] = rq->query[i].value;
	}
	return (struct pr_strs){out, n};
}

/*
 * What takes the build out of sight: BuildKit, a session, its exporters.  The
 * first such field is named.
 */
static int
read_opaque(struct extract *e, const struct pr_request *rq)
{
	struct pr_str version = extract_query(rq, "version");
	struct pr_spec *s = e->spec;
	const struct pr_json *outputs;

	if (json_of(e, rq, "outputs", PR_JSON_ARRAY, &outputs) < 0)
		return -1;
	if (version.n > 0 && !pr_str_is(version, "1") &&
	    !pr_str_is(version, "2"))
		return body_refuse(e->why, PR_REASON_AMBIGUOUS,
		    "the query key version is neither 1 nor 2");
	if (pr_str_is(version, "2"))
		s->opaque = "version 2 (BuildKit)";
	else if (extract_query(rq, "session").n > 0)
		s->opaque = "the query key session";
	else if (pr_str_is(extract_query(rq, "remote"), "client-session"))
		s->opaque = "remote=client-session";
	else if (body_count(outputs) > 0)
		s->opaque = "the query key outputs";
	return 0;
}

/* As the daemon finds out what it is: a URL, or github.com without one. */
static void
read_remote(struct extract *e, const struct pr_request *rq)
{
	struct pr_str remote = extract_query(rq, "remote");

	if (pr_str_is(remote, "client-session"))
		return;
	e->spec->remote = pr_str_starts(remote, "github.com/")
	    ? pr_str_of(
		  pr_arena_printf(e->arena, "https://%.*s", PR_STRF(remote)))
	    : remote;
}

/* The names that are given, and images whose layers may become the build's. */
static int
read_names(struct extract *e, const struct pr_request *rq)
{
	struct pr_strs tags = all_of(e, rq, "t");
	const struct pr_str none = {NULL, 0};
	const struct pr_json *caches;

	for (size_t i = 0; i < tags.n; i++) {
		if (extract_name(e, PR_IMAGE_WRITTEN, tags.v[i], none,
			"the query key t") < 0)
			return -1;
	}
	if (json_of(e, rq, "cachefrom", PR_JSON_ARRAY, &caches) < 0)
		return -1;
	for (size_t i = 0; caches != NULL && i < caches->n; i++) {
		struct pr_str name = body_str(&caches->items[i]);
		struct pr_image image;

		if (caches->items[i].type != PR_JSON_STRING || !is_plain(name))
			return body_refuse(e->why, PR_REASON_AMBIGUOUS,
			    "the query key cachefrom is no list of names");
		if (name.n == 0)
			continue;
		image = pr_image_read(e->arena, name);
		if (image.form != PR_IMAGE_NAME) {
			e->spec->body = PR_SPEC_UNREAD;
			e->spec->unread = "an image id in cachefrom";
			continue;
		}
		/* the daemon looks for one image, not for all tags */
		if (image.tag.n == 0 && image.digest.n == 0)
			image.tag = PR_STR("latest");
		if (extract_name(e, PR_IMAGE_PULLED, name,
			image.digest.n > 0 ? none : image.tag,
			"the query key cachefrom") < 0)
			return -1;
	}
	return 0;
}

static int
read_limits(struct extract *e, const struct pr_request *rq)
{
	struct pr_spec *s = e->spec;
	int64_t quota, period;
	const struct pr_json *ulimits;

	if (number_of(e, rq, "memory", &s->memory) < 0 ||
	    number_of(e, rq, "memswap", &s->swap) < 0 ||
	    number_of(e, rq, "cpuquota", &quota) < 0 ||
	    number_of(e, rq, "cpuperiod", &period) < 0 ||
	    number_of(e, rq, "cpushares", &s->cpu_shares) < 0 ||
	    number_of(e, rq, "shmsize", &s->shm) < 0 ||
	    json_of(e, rq, "ulimits", PR_JSON_ARRAY, &ulimits) < 0)
		return -1;
	s->cpus = extract_cpus(quota, period);
	s->cpuset_cpus = extract_query(rq, "cpusetcpus");
	s->cpuset_mems = extract_query(rq, "cpusetmems");
	s->cgroup_parent = extract_query(rq, "cgroupparent");
	return extract_ulimits(e, ulimits, false, "the query key ulimits");
}

/* Windows has them; no engine on Linux takes anything here. */
static int
read_foreign(struct extract *e, const struct pr_request *rq)
{
	struct pr_str isolation = extract_query(rq, "isolation");
	const struct pr_json *options;

	if (json_of(e, rq, "securityopt", PR_JSON_ARRAY, &options) < 0)
		return -1;
	if (body_count(options) > 0)
		e->spec->must_default = "the query key securityopt";
	else if (isolation.n > 0 && !pr_str_is(isolation, "default"))
		e->spec->must_default = "the query key isolation";
	return 0;
}

int
extract_build(struct extract *e, const struct pr_request *rq)
{
	struct pr_spec *s = e->spec;

	s->body = PR_SPEC_BUILD;
	s->network = extract_network_mode(
	    e, extract_query(rq, "networkmode"), "the query key networkmode");
	s->extra_hosts = all_of(e, rq, "extrahosts");
	read_remote(e, rq);
	if (map_of(e, rq, "labels", &s->labels) < 0 ||
	    map_of(e, rq, "buildargs", &s->build_args) < 0 ||
	    read_opaque(e, rq) < 0 || read_limits(e, rq) < 0 ||
	    read_foreign(e, rq) < 0)
		return -1;
	return read_names(e, rq);
}

/* /session, /grpc: nothing of what follows is seen. */
int
extract_session(struct extract *e, const struct pr_request *rq)
{
	(void)rq;
	e->spec->body = PR_SPEC_SESSION;
	e->spec->opaque = "what follows";
	return 0;
}
