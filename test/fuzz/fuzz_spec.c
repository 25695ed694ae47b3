/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bodies and queries ask for, and what the daemon says about the objects
 * that they touch, up to the decision.  The input is lines: method, target,
 * an inspect answer that every object gives, then the body, shown if there is
 * such a line.  Nothing is allowed without a grant, and a profile allows
 * nothing that `unrestricted` does not.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/decide.h>
#include <portreeve/resolve.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD                                                               \
	"version: 1\n"                                                     \
	"labels: {team: com.acme.team, phase: com.acme.phase}\n"           \
	"teams: {alpha: {cert: [\"spiffe://acme/*\"]}}\n"                  \
	"hosts: {\"*\": [dev]}\n"                                          \
	"phases: {dev: {}}\n"                                              \
	"roles: {all: {allow: {\"*\": [\"*\"]}}}\n"                        \
	"profiles: {p: {images: {allow: [\"**\"], write: [\"**\"]}, "      \
	"mounts: {bind: [\"/srv/${team}/**\", \"/etc:ro\"], volume_opts: " \
	"[\"*\"]}, env: {forbid: [\"*TOKEN*\"]}, limits: {memory: "        \
	"\"..1GiB?\"}, security: {apparmor: [default, mine]}, "            \
	"require: {user: non-root, healthcheck: true}}}\n"
#define GRANT(profile)                                                      \
	"grants: [{id: g, team: alpha, role: all, phases: [\"*\"], owner: " \
	"any, profile: " profile "}]\n"

static const char *const texts[] = {
    HEAD, HEAD GRANT("p"), HEAD GRANT("unrestricted")};
enum {
	NOBODY,
	PROFILE,
	UNRESTRICTED,
	POLICIES
};

struct world {
	struct pr_arena *arena;
	const struct pr_json *inspect;
};

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static const struct pr_json *
member(const struct pr_json *o, const char *key)
{
	return o != NULL && o->type == PR_JSON_OBJECT
	    ? pr_json_get(o, pr_str_of(key))
	    : NULL;
}

static const struct pr_object *
object_of(void *arg, enum pr_kind kind, struct pr_str name, bool lazy)
{
	const struct world *w = arg;
	struct pr_object *o = pr_arena_alloc(w->arena, sizeof *o);
	const struct pr_json *labels = member(w->inspect, "Labels");

	(void)lazy;
	o->kind = kind;
	o->presence = w->inspect != NULL ? PR_PRESENT : PR_ABSENT;
	o->id = o->name = name;
	o->inspect = w->inspect;
	o->container = o->image_id = PR_STR("0123456789ab");
	if (labels != NULL && labels->type == PR_JSON_OBJECT)
		o->labels = o->options = labels;
	return o;
}

static const struct pr_path_fact *
path_of(void *arg, struct pr_str path, bool writes, struct pr_str except)
{
	const struct world *w = arg;
	struct pr_path_fact *f = pr_arena_alloc(w->arena, sizeof *f);

	(void)writes;
	(void)except;
	must(path.n > 0 && path.p[0] == '/');
	f->real = path;
	f->known = f->exists = f->shared_known = true;
	f->is_protected = pr_str_starts(path, "/var/run");
	return f;
}

static const struct pr_policy *
policy_of(int which)
{
	static struct pr_policy *policies[POLICIES];

	if (policies[which] == NULL) {
		struct pr_diags *ds = pr_diags_new();

		policies[which] =
		    pr_policy_parse("p", pr_str_of(texts[which]), ds);
		must(policies[which] != NULL);
		pr_diags_free(ds);
	}
	return policies[which];
}

static bool
allowed(struct world *w, const struct pr_call *call, int which)
{
	static const unsigned alpha[] = {0};
	struct pr_extract x = {w->arena, true};
	struct pr_lookup lookup = {w, object_of, path_of};
	struct pr_facts facts = {
	    .arena = w->arena, .lookup = &lookup, .plugin = true};
	struct pr_who who = {.name = PR_STR("alice"),
	    .source = PR_STR("c"),
	    .teams = alpha,
	    .n_teams = 1};
	struct pr_question q = {.policy = policy_of(which), .who = &who};
	struct pr_spec *spec = NULL;
	struct pr_decision d;
	struct pr_request rq;
	struct pr_refusal why = {0};

	if (pr_request_read(w->arena, call, &rq, &why) < 0)
		return false;
	if (pr_spec_read(&x, &rq, &spec, &why) < 0) {
		must(why.reason != PR_REASON_NONE && why.text[0] != '\0' &&
		    pr_str_printable(pr_str_of(why.text)));
		return false;
	}
	pr_resolve(&facts, &rq, spec);
	pr_resolve_lazy(&facts, spec);
	q.request = &rq;
	q.served = pr_policy_host(q.policy, PR_STR("h"));
	q.refs = facts.refs;
	q.n_refs = facts.n_refs;
	q.spec = spec;
	q.stored = facts.stored;
	q.stored_known = facts.stored_known;
	pr_decide(w->arena, &q, &d);
	must(d.reason != PR_REASON_NONE && pr_str_printable(pr_str_of(d.what)));
	must(d.verdict != PR_ALLOW || d.grant >= 0 ||
	    d.reason == PR_REASON_PING);
	return d.verdict == PR_ALLOW && d.reason != PR_REASON_PING;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.arena = pr_arena_new(1 << 14)};
	char *copy = pr_xmalloc(size + 1);
	struct pr_str rest = {copy, size}, inspect;
	struct pr_header header[1];
	struct pr_call call = {
	    .max_body = 65536, .headers = header, .n_headers = 1};
	struct pr_json_fault fault;

	if (size > 0)
		memcpy(copy, data, size);
	call.method = pr_str_cut(&rest, '\n');
	call.target = pr_str_cut(&rest, '\n');
	inspect = pr_str_cut(&rest, '\n');
	w.inspect = pr_json_read(w.arena, inspect, &fault);
	call.body = rest;
	call.body_shown = rest.p != NULL && rest.n > 0;
	header[0] = call.body_shown
	    ? (struct pr_header){PR_STR("Content-Type"),
		  PR_STR("application/json")}
	    : (struct pr_header){PR_STR("Content-Length"), PR_STR("0")};
	must(!allowed(&w, &call, NOBODY));
	if (allowed(&w, &call, PROFILE))
		must(allowed(&w, &call, UNRESTRICTED));
	free(copy);
	pr_arena_free(w.arena);
	return 0;
}
