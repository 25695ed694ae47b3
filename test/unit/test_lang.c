/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled policy: what it is asked.  Messages: test/policy. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>
#include <portreeve/policy.h>

#include "unit.h"

#define HEAD                                                             \
	"version: 1\n"                                                   \
	"teams: {pay: {ldap: [\"cn=pay,ou=groups,dc=acme\"]}, ops: {}, " \
	"pay-ci: {cert: [\"spiffe://acme/ci/*\"], acts_for: pay}}\n"     \
	"phases: {dev: {mode: complain}, test: {}, production: {}}\n"    \
	"hosts: {\"*\": [dev, test], \"prod-*\": [production], "         \
	"prod-dev: [dev]}\n"                                             \
	"roles:\n"                                                       \
	"  viewer: {allow: {container: [list, inspect]}}\n"              \
	"  dev: {extends: viewer, allow: {container: [exec], image: "    \
	"[\"*\"]}, "                                                     \
	"deny: {image: [push]}}\n"

static struct pr_policy *
parse(const char *text)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	struct pr_policy *p = pr_policy_parse("t", pr_str_of(text), ds);

	if (p == NULL)
		pr_diags_print(ds, stderr);
	ck_assert_ptr_nonnull(p);
	return p;
}

START_TEST(names_become_indexes)
{
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *p = parse(HEAD
	    "grants:\n"
	    "  - {id: z, team: pay, role: dev, phases: [dev], profile: p}\n"
	    "  - {id: a, team: \"*\", role: viewer, phases: [\"*\"]}\n"
	    "  - {id: m, team: pay, role: viewer, phases: [test, dev], owner: "
	    "[ops, pay]}\n"
	    "profiles: {p: {}, o: {extends: p}}\n");
	int pay = pr_policy_team(p, PR_STR("pay"));
	int dev = pr_policy_phase(p, PR_STR("dev"));

	ck_assert_int_ge(pay, 0);
	ck_assert_int_eq(pr_policy_team(p, PR_STR("pa")), -1);
	ck_assert_int_eq(pr_policy_profile(p, PR_STR("unrestricted")), 0);
	ck_assert(p->profiles[0].unrestricted);
	ck_assert_int_eq(pr_policy_grant(p, PR_STR("a")), 0);
	ck_assert_int_eq(pr_policy_grant(p, PR_STR("m")), 1);
	ck_assert_int_eq(pr_policy_grant(p, PR_STR("z")), 2);
	ck_assert_int_eq(p->grants[0].team, -1);
	ck_assert(p->grants[0].all_phases);
	ck_assert_int_eq(p->grants[2].team, pay);
	ck_assert_uint_eq(p->grants[2].phases, UINT64_C(1) << dev);
	ck_assert_int_eq(
	    p->grants[2].profile, pr_policy_profile(p, PR_STR("p")));
	ck_assert_int_eq(p->grants[1].owner, PR_OWNER_TEAMS);
	ck_assert_uint_eq(p->grants[1].n_owner_teams, 2);
	ck_assert_uint_eq(p->grants_of[pay].n, 2);
	ck_assert_uint_eq(p->grants_of[pay].v[0], 1);
	ck_assert_uint_eq(p->grants_of[pay].v[1], 2);
	ck_assert_uint_eq(p->grants_of[p->n_teams].n, 1);
	ck_assert_int_eq(
	    p->teams[pr_policy_team(p, PR_STR("pay-ci"))].acts_for, pay);
	ck_assert_uint_eq(p->grants[0].loc.line, 10);
}
END_TEST

START_TEST(roles_unite_with_their_parents)
{
	PR_CLEANUP(pr_policy_unrefp) struct pr_policy *p = parse(HEAD);
	const struct pr_role *r = &p->roles[pr_policy_role(p, PR_STR("dev"))];

	ck_assert(pr_opset_has(&r->allow, PR_OP_CONTAINER_LIST));
	ck_assert(!pr_opset_has(&r->own_allow, PR_OP_CONTAINER_LIST));
	/* exec covers its start (semantics 3.1) */
	ck_assert(pr_opset_has(&r->allow, PR_OP_CONTAINER_EXEC_START));
	ck_assert(pr_opset_has(&r->allow, PR_OP_IMAGE_PUSH));
	ck_assert(pr_opset_has(&r->deny, PR_OP_IMAGE_PUSH));
	ck_assert(!pr_opset_has(&r->allow, PR_OP_CONTAINER_CREATE));
}
END_TEST

START_TEST(hosts_are_found_by_the_nearest_pattern)
{
	PR_CLEANUP(pr_policy_unrefp) struct pr_policy *p = parse(HEAD);
	pr_phase_mask dev = UINT64_C(1) << pr_policy_phase(p, PR_STR("dev"));
	pr_phase_mask test = UINT64_C(1) << pr_policy_phase(p, PR_STR("test"));
	pr_phase_mask prod = UINT64_C(1)
	    << pr_policy_phase(p, PR_STR("production"));

	ck_assert_uint_eq(pr_policy_host(p, PR_STR("x")), dev | test);
	ck_assert_uint_eq(pr_policy_host(p, PR_STR("prod-1")), prod);
	ck_assert_uint_eq(pr_policy_host(p, PR_STR("prod-dev")), dev);
	ck_assert_uint_eq(pr_policy_host(p, PR_STR("")), dev | test);
}
END_TEST

START_TEST(without_hosts_no_phase_is_served)
{
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *p = parse("version: 1\nphases: {dev: {}}\n");

	ck_assert_uint_eq(pr_policy_host(p, PR_STR("x")), 0);
}
END_TEST

START_TEST(leaves_are_inherited_one_by_one)
{
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *p =
	    parse(HEAD "profiles:\n"
		       "  base:\n"
		       "    privileged: true\n"
		       "    limits: {memory: \"..1GiB?\", pids: \"..10\"}\n"
		       "    defaults: {memory: 64MiB, cpus: 0.5}\n"
		       "  kid:\n"
		       "    extends: base\n"
		       "    limits: {memory: \"1K..2K\"}\n"
		       "    defaults: {memory: 32MiB}\n");
	const struct pr_profile *kid =
	    &p->profiles[pr_policy_profile(p, PR_STR("kid"))];
	const struct pr_leaf *leaf = kid->leaf;

	ck_assert(leaf[PR_KEY_PRIVILEGED].b);
	ck_assert(pr_str_is(leaf[PR_KEY_PRIVILEGED].profile, "base"));
	ck_assert_uint_eq(leaf[PR_KEY_PRIVILEGED].loc.line, 10);
	ck_assert(pr_str_is(leaf[PR_KEY_MEMORY].profile, "kid"));
	ck_assert_int_eq(leaf[PR_KEY_MEMORY].ranges[0].lo, 1024);
	ck_assert_int_eq(leaf[PR_KEY_MEMORY].ranges[0].hi, 2048);
	ck_assert(!leaf[PR_KEY_MEMORY].ranges[0].optional);
	ck_assert_int_eq(leaf[PR_KEY_PIDS].ranges[0].hi, 10);
	ck_assert(!leaf[PR_KEY_PIDS].ranges[0].has_lo);
	ck_assert_uint_eq(kid->defaults.n, 2);
	ck_assert(pr_str_is(kid->defaults.v[0], "memory=32MiB"));
	ck_assert(pr_str_is(kid->defaults.v[1], "cpus=0.5"));
}
END_TEST

/* semantics 5.2: the safest value; a demand is not made. */
START_TEST(what_is_not_written_is_the_safest)
{
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *p = parse(HEAD "profiles: {p: {}}\n");
	const struct pr_leaf *leaf =
	    p->profiles[pr_policy_profile(p, PR_STR("p"))].leaf;

	for (int k = 0; k < PR_KEY_COUNT; k++) {
		const struct pr_profile_key_info *info =
		    pr_profile_key((enum pr_profile_key)k);

		ck_assert(!leaf[k].given);
		ck_assert_uint_eq(leaf[k].loc.line, 0);
		ck_assert_msg(leaf[k].made == (info->absent[0] != '\0'), "%s",
		    info->path);
	}
	ck_assert(!leaf[PR_KEY_PRIVILEGED].b);
	ck_assert_uint_eq(leaf[PR_KEY_BIND].list.n, 0);
	ck_assert(pr_str_is(leaf[PR_KEY_RESTART].list.v[0], "no"));
	ck_assert_uint_eq(leaf[PR_KEY_LOG_OPTS].list.n, 10);
	ck_assert(pr_str_is(leaf[PR_KEY_LOG_OPTS].list.v[9], "env-regex"));
	ck_assert(pr_str_is(leaf[PR_KEY_UNKNOWN_FIELDS].word, "deny"));
	ck_assert(leaf[PR_KEY_TMPFS].b);
	ck_assert(leaf[PR_KEY_EXTRA_HOSTS].b);
	ck_assert_int_eq(leaf[PR_KEY_OOM_SCORE].ranges[0].hi, 1000);
	ck_assert(leaf[PR_KEY_OOM_SCORE].ranges[0].optional);
	/* no port lies between 1 and 0 */
	ck_assert_int_gt(leaf[PR_KEY_PORTS_RANGE].ranges[0].lo,
	    leaf[PR_KEY_PORTS_RANGE].ranges[0].hi);
}
END_TEST

START_TEST(a_demand_may_be_taken_back)
{
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *p = parse(
	    HEAD "profiles:\n"
		 "  base: {require: {healthcheck: true, user: non-root}}\n"
		 "  kid: {extends: base, require: {healthcheck: false, user: "
		 "any}}\n");
	const struct pr_leaf *base =
	    p->profiles[pr_policy_profile(p, PR_STR("base"))].leaf;
	const struct pr_leaf *kid =
	    p->profiles[pr_policy_profile(p, PR_STR("kid"))].leaf;

	ck_assert(base[PR_KEY_REQUIRE_HEALTH].made);
	ck_assert(base[PR_KEY_REQUIRE_USER].made);
	ck_assert(!kid[PR_KEY_REQUIRE_HEALTH].made);
	ck_assert(!kid[PR_KEY_REQUIRE_USER].made);
}
END_TEST

/* 5.1: maps merge, so a child cannot drop a demand by naming another. */
START_TEST(ulimits_merge_name_by_name)
{
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *p =
	    parse(HEAD "profiles:\n"
		       "  base: {limits: {ulimits: {nofile: \"..9\", core: "
		       "\"0..0\"}}}\n"
		       "  none: {extends: base, limits: {ulimits: {}}}\n"
		       "  kid: {extends: base, limits: {ulimits: {nofile: "
		       "\"..5\", nproc: \"..7\"}}}\n");
	const struct pr_leaf *none =
	    &p->profiles[pr_policy_profile(p, PR_STR("none"))]
		 .leaf[PR_KEY_ULIMITS];
	const struct pr_leaf *kid =
	    &p->profiles[pr_policy_profile(p, PR_STR("kid"))]
		 .leaf[PR_KEY_ULIMITS];

	ck_assert(none->made);
	ck_assert_uint_eq(none->n_ranges, 2);
	ck_assert_uint_eq(kid->n_ranges, 3);
	ck_assert(pr_str_is(kid->ranges[0].name, "nofile"));
	ck_assert_int_eq(kid->ranges[0].hi, 5);
	ck_assert(pr_str_is(kid->ranges[1].name, "nproc"));
	ck_assert(pr_str_is(kid->ranges[2].name, "core"));
}
END_TEST

static const struct {
	const char *leaf;
	enum pr_profile_key key;
	bool has_lo, has_hi, optional;
	int64_t lo, hi;
} ranges[] = {
    {"limits: {memory: \"64MiB..2GiB\"}", PR_KEY_MEMORY, true, true, false,
	67108864, 2147483648},
    {"limits: {memory: \"1k..1MB?\"}", PR_KEY_MEMORY, true, true, true, 1024,
	1048576},
    {"limits: {memory: \"5..\"}", PR_KEY_MEMORY, true, false, false, 5, 0},
    {"limits: {cpus: \"0.1..2\"}", PR_KEY_CPUS, true, true, false, 100000000,
	2000000000},
    {"limits: {cpus: \"..0.000000001\"}", PR_KEY_CPUS, false, true, false, 0,
	1},
    {"limits: {pids: \"..1024?\"}", PR_KEY_PIDS, false, true, true, 0, 1024},
    {"limits: {pids: \"..\"}", PR_KEY_PIDS, false, false, false, 0, 0},
    {"kernel: {oom_score: \"-1000..1000?\"}", PR_KEY_OOM_SCORE, true, true,
	true, -1000, 1000},
    {"ports: {range: \"1024-65535\"}", PR_KEY_PORTS_RANGE, true, true, false,
	1024, 65535},
    {"ports: {range: 8080}", PR_KEY_PORTS_RANGE, true, true, false, 8080, 8080},
};

START_TEST(ranges_are_read)
{
	const struct pr_range *r;
	char text[1024];

	snprintf(
	    text, sizeof text, HEAD "profiles: {p: {%s}}\n", ranges[_i].leaf);

	PR_CLEANUP(pr_policy_unrefp) struct pr_policy *p = parse(text);

	r = p->profiles[1].leaf[ranges[_i].key].ranges;
	ck_assert_uint_eq(p->profiles[1].leaf[ranges[_i].key].n_ranges, 1);
	ck_assert(r->has_lo == ranges[_i].has_lo);
	ck_assert(r->has_hi == ranges[_i].has_hi);
	ck_assert(r->optional == ranges[_i].optional);
	ck_assert_int_eq(r->lo, ranges[_i].lo);
	ck_assert_int_eq(r->hi, ranges[_i].hi);
}
END_TEST

/* Each of these is an error, one only, in line 8, at the column. */
static const struct {
	const char *line;
	unsigned col;
	const char *says;
} mistakes[] = {
    {"grants: [{id: a, team: pai, role: dev, phases: [dev]}]", 24,
	"unknown team \"pai\""},
    {"grants: [{id: a, team: pay, role: dev, phases: [dev], x: 1}]", 55,
	"unknown key \"x\" of a grant"},
    {"guards: [{id: a, deny: {container: [strat]}}]", 37,
	"unknown action \"container.strat\""},
    {"guards: [{id: a, deny: {contaner: [start]}}]", 25,
	"unknown resource \"contaner\""},
    {"profiles: {p: {limits: {memory: \"..1XB\"}}}", 33,
	"each end of the range wants a size"},
    {"profiles: {p: {limits: {pids: \"..-0\"}}}", 31,
	"each end of the range wants a whole number"},
    {"profiles: {p: {limits: {cpus: \"..0.0000000001\"}}}", 31,
	"each end of the range wants a number of CPUs"},
    {"profiles: {p: {limits: {memory: \"2..1\"}}}", 33, "the range is empty"},
    {"profiles: {p: {limits: {memory: 64M}}}", 33, "wants a range"},
    {"profiles: {p: {limits: {memory: \"..9999999T\"}}}", 33,
	"each end of the range wants a size"},
    {"profiles: {p: {ports: {range: \"0-5\"}}}", 31, "wants ports"},
    {"profiles: {p: {mounts: {bind: [/a/../b]}}}", 32, "empty, . and .. parts"},
    {"profiles: {p: {mounts: {bind: [\"/a/${home}\"]}}}", 32,
	"unknown substitution"},
    {"profiles: {p: {images: {allow: [\"a/?\"]}}}", 33,
	"? is not part of a pattern"},
    {"profiles: {p: {privileged: yes}}", 28, "wants true or false"},
    {"profiles: {p: {privileged: [true]}}", 28, "wants true or false"},
    {"profiles: {a: {extends: b}, b: {extends: a}}", 12, "extends itself"},
    {"profiles: {a: {extends: unrestricted}}", 25, "cannot be extended"},
    {"profiles: {unrestricted: {}}", 12, "is built in"},
    {"quotas: [{team: pay}]", 10, "limits nothing"},
    {"cluster_phases: [dvr]", 18, "unknown phase \"dvr\""},
    {"guards: [{id: builtin.x, deny: {image: [push]}}]", 15, "are taken"},
    {"tests: [{as: a@pay+opps, do: docker ps, expect: deny}]", 20,
	"unknown team \"opps\""},
    {"tests: [{as: a@pay, do: docker ps, at: 2026-02-30T10:00Z, expect: "
     "deny}]",
	40, "not a time"},
    {"grants: &a []", 9, "anchors"},
    {"grants: !!seq []", 9, "tags"},
    {"grants: *a", 9, "aliases"},
    {"grants: [{<<: 1}]", 11, "merge keys"},
    {"version: 1", 1, "\"version\" is here twice"},
};

START_TEST(mistakes_are_placed)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_buf_fini) struct pr_buf out = PR_BUF_INIT;
	char text[2048], place[64];
	struct pr_policy *p;

	snprintf(text, sizeof text, HEAD "%s\n", mistakes[_i].line);
	p = pr_policy_parse("t", pr_str_of(text), ds);
	ck_assert_ptr_null(p);
	pr_diags_format(ds, &out);
	snprintf(place, sizeof place, "t:8:%u: error: ", mistakes[_i].col);
	ck_assert_msg(strstr(out.p, place) == out.p &&
		strstr(out.p, mistakes[_i].says) != NULL,
	    "%s wanted %s... %s", out.p, place, mistakes[_i].says);
}
END_TEST

START_TEST(one_run_reports_every_mistake)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	struct pr_policy *p = pr_policy_parse("t",
	    PR_STR("version: 2\n"
		   "temas: {}\n"
		   "teams: {X: {}, y: {ldap: cn=a}}\n"
		   "roles: {r: {allow: {image: [poll]}}}\n"
		   "grants: [{id: g, team: z, role: q, phases: [p]}]\n"),
	    ds);

	ck_assert_ptr_null(p);
	ck_assert_uint_eq(pr_diags_count(ds, PR_ERROR), 8);
}
END_TEST

START_TEST(a_flood_of_mistakes_is_bounded)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	pr_buf_cstr(&b, "version: 1\nhosts: {h: [");
	for (int i = 0; i < 50000; i++)
		pr_buf_cstr(&b, "x,");
	pr_buf_cstr(&b, "]}\n");
	ck_assert_ptr_null(pr_policy_parse("t", pr_buf_view(&b), ds));
	ck_assert_uint_eq(pr_diags_count(ds, PR_NOTE), 101);
}
END_TEST

static void
collect(void *arg, unsigned team)
{
	uint64_t *set = arg;

	*set |= UINT64_C(1) << team;
}

START_TEST(groups_are_compared_as_names)
{
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *p = parse(
	    "version: 1\n"
	    "teams:\n"
	    "  a: {ldap: [\"CN=Pay , ou=Groups,dc=acme\"]}\n"
	    "  b: {ldap: [\"cn=pay,ou=groups,dc=acme\", \"cn=x,dc=acme\"]}\n"
	    "  c: {ldap: [\"cn=p*,ou=groups,dc=acme\"]}\n"
	    "  d: {ldap: [\"cn=*,dc=acme\"]}\n");
	static const struct {
		const char *dn;
		uint64_t want;
	} rows[] = {
	    {"cn=pay,OU=groups,DC=ACME", 7},
	    {"cn=pa,ou=groups,dc=acme", 4},
	    {"cn=x,dc=acme", 8 | 2},
	    {"cn=y,dc=acme", 8},
	    {"cn=y,ou=a,dc=acme", 0},
	    {"cn=p\\,ou\\=groups,dc=acme", 8},
	    {"cn=pay", 0},
	};
	struct pr_arena *a = pr_arena_new(256);

	for (size_t i = 0; i < PR_COUNT(rows); i++) {
		struct pr_str dn = pr_dn_normal(a, pr_str_of(rows[i].dn));
		uint64_t got = 0;

		ck_assert_ptr_nonnull(dn.p);
		pr_policy_teams_of_group(p, dn, collect, &got);
		ck_assert_msg(got == rows[i].want, "%s: %llx", rows[i].dn,
		    (unsigned long long)got);
	}
	ck_assert_ptr_null(pr_dn_normal(a, PR_STR("no dn")).p);
	pr_arena_free(a);
}
END_TEST

/* What GNU date says of TZ=...; the last ones lie past the file's table. */
static const struct {
	const char *window;
	int64_t wall; /* seconds */
	bool frozen;
} moments[] = {
    /* Friday 2026-01-16 16:00 in Berlin is 15:00 UTC */
    {"Fri 16:00..Mon 06:00 Europe/Berlin", 1768575599, false},
    {"Fri 16:00..Mon 06:00 Europe/Berlin", 1768575600, true},
    {"Fri 16:00..Mon 06:00 Europe/Berlin", 1768798799, true},
    {"Fri 16:00..Mon 06:00 Europe/Berlin", 1768798800, false},
    /* in July it is 14:00 UTC: 2026-07-17 */
    {"Fri 16:00..Mon 06:00 Europe/Berlin", 1784296799, false},
    {"Fri 16:00..Mon 06:00 Europe/Berlin", 1784296800, true},
    /* Sunday 2026-03-29 02:30 does not exist; 01:00 UTC is 03:00 */
    {"Sun 02:00..Sun 03:00 Europe/Berlin", 1774746000, false},
    {"Sun 02:00..Sun 03:00 Europe/Berlin", 1774745999, false},
    /* Sunday 2026-10-25 02:30 is twice: 00:30 and 01:30 UTC */
    {"Sun 02:00..Sun 03:00 Europe/Berlin", 1792888200, true},
    {"Sun 02:00..Sun 03:00 Europe/Berlin", 1792891800, true},
    {"Sun 02:00..Sun 03:00 Europe/Berlin", 1792893600, false},
    /* Thursday 2060-07-01 10:00 UTC is 12:00 there, by the rule */
    {"Thu 12:00..Thu 13:00 Europe/Berlin", 2855901600, true},
    {"Thu 12:00..Thu 13:00 Europe/Berlin", 2855901599, false},
    /* Thursday 2060-01-01 11:00 UTC is 12:00 */
    {"Thu 12:00..Thu 13:00 Europe/Berlin", 2840180400, true},
    {"Thu 12:00..Thu 13:00 Europe/Berlin", 2840180399, false},
    /* the south: Thursday 2060-01-01 01:00 UTC is 12:00 in Sydney */
    {"Thu 12:00..Thu 13:00 Australia/Sydney", 2840144400, true},
    {"Thu 12:00..Thu 13:00 Australia/Sydney", 2840144399, false},
    {"Thu 00:00..Thu 24:00 UTC", 0, true},
    {"Thu 00:00..Thu 24:00 UTC", -1, false},
    {"Thu 00:00..Thu 24:00 UTC", 86400, false},
    {"Mon 00:00..Sun 24:00 UTC", 0, true},
};

START_TEST(freezes_know_daylight_saving)
{
	char text[1024];

	snprintf(text, sizeof text,
	    "version: 1\nphases: {p: {freeze: {windows: [\"%s\"]}}}\n",
	    moments[_i].window);
	if (strncmp(moments[_i].window, "Mon 00:00..Sun", 14) == 0) {
		/* the whole week has no begin and no end: refused */
		PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = pr_diags_new();

		ck_assert_ptr_null(pr_policy_parse("t", pr_str_of(text), ds));
		return;
	}

	PR_CLEANUP(pr_policy_unrefp) struct pr_policy *p = parse(text);

	ck_assert(
	    pr_phase_frozen(&p->phases[0],
		moments[_i].wall * (int64_t)PR_SEC) == moments[_i].frozen);
}
END_TEST

/* Every hour of sixty years, against the C library. */
static void
compare_zone(const char *zone)
{
	char text[256];
	struct tm tm;

	snprintf(text, sizeof text,
	    "version: 1\nphases: {p: {freeze: {windows: [\"Mon 00:00..Thu "
	    "11:30 %s\"]}}}\n",
	    zone);

	PR_CLEANUP(pr_policy_unrefp) struct pr_policy *p = parse(text);

	setenv("TZ", zone, 1);
	tzset();
	for (int64_t t = 1700000000; t < 3600000000; t += 9973) {
		time_t at = (time_t)t;
		int day, minute;

		localtime_r(&at, &tm);
		day = (tm.tm_wday + 6) % 7;
		minute = day * 1440 + tm.tm_hour * 60 + tm.tm_min;
		ck_assert_msg(
		    pr_phase_frozen(&p->phases[0], t * (int64_t)PR_SEC) ==
			(minute < 3 * 1440 + 11 * 60 + 30),
		    "%s at %lld", zone, (long long)t);
	}
}

START_TEST(zones_agree_with_the_c_library)
{
	static const char *const zones[] = {"Europe/Berlin", "UTC",
	    "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
	    "Africa/Casablanca", "America/St_Johns", "Pacific/Auckland",
	    "Europe/Dublin", "Asia/Tehran"};

	compare_zone(zones[_i]);
}
END_TEST

START_TEST(a_print_is_read_as_the_same)
{
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *p = parse(HEAD
	    "labels: {team: \"a b\"}\n"
	    "cluster_phases: [test]\n"
	    "profiles:\n"
	    "  empty: {}\n"
	    "  p: {mounts: {tmpfs: [exec], bind: [\"/a\\u00e4\\\"/${user}\"]}, "
	    "net: {dns: any, extra_hosts: [\"a:*\"]}, devices: {requests: "
	    "[{driver: nvidia, capabilities: [gpu, \"x y\"], count: -1}]}, "
	    "limits: {ulimits: {nofile: \"..5\", core: \"0..0?\"}}, "
	    "defaults: {shm: 1G}}\n"
	    "guards: [{id: g, deny: {\"*\": [\"*\"]}, message: \"no: way\"}, "
	    "{id: h, deny: {}}]\n"
	    "quotas: [{team: pay, cpus: 1.5, ports: 0}]\n"
	    "tests: [{as: x@pay, request: {method: GET, target: /a, body: "
	    "\"{\\\"a\\\":\\n1}\"}, given: {\"a b\": {kind: volume, absent: "
	    "true}}, at: 2026-01-01T00:00Z, door: plugin, expect: "
	    "would-deny}]\n");
	PR_CLEANUP(pr_buf_fini) struct pr_buf one = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf two = PR_BUF_INIT;

	pr_policy_print(p, &one);

	PR_CLEANUP(pr_policy_unrefp) struct pr_policy *q = parse(one.p);

	pr_policy_print(q, &two);
	ck_assert_str_eq(one.p, two.p);
	ck_assert_str_eq(p->hash, q->hash);
	ck_assert_uint_eq(strlen(p->hash), 64);
	ck_assert_ptr_nonnull(strstr(one.p, "cpus: 1.5"));
	ck_assert_ptr_nonnull(strstr(one.p, "core: \"0..0?\""));
}
END_TEST

START_TEST(order_does_not_change_the_hash)
{
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *p =
	    parse(HEAD "guards: [{id: a, deny: {image: [push, pull]}}, "
		       "{id: b, deny: {container: [exec]}}]\n");
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *q =
	    parse("guards: [{deny: {container: [exec, exec-start]}, id: b}, "
		  "{id: a, deny: {image: [pull, push]}}]\n" HEAD);
	PR_CLEANUP(pr_policy_unrefp)
	struct pr_policy *r =
	    parse("guards: [{deny: {container: [exec-start]}, id: b}, "
		  "{id: a, deny: {image: [pull, push]}}]\n" HEAD);

	ck_assert_str_eq(p->hash, q->hash);
	ck_assert_str_ne(p->hash, r->hash);
}
END_TEST

START_TEST(a_policy_of_ten_thousand_loads)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	pr_buf_cstr(&b, HEAD "profiles: {p: {}}\ngrants:\n");
	for (int i = 0; i < 10000; i++)
		pr_buf_printf(&b,
		    "  - {id: g%d, team: pay, role: dev, phases: [dev], "
		    "profile: p}\n",
		    i);

	PR_CLEANUP(pr_policy_unrefp) struct pr_policy *p = parse(b.p);

	ck_assert_uint_eq(p->n_grants, 10000);
	ck_assert_int_ge(pr_policy_grant(p, PR_STR("g9999")), 0);
	ck_assert_uint_lt(pr_arena_used(p->arena), 8 << 20);
}
END_TEST

START_TEST(references_keep_a_policy)
{
	struct pr_policy *p = parse(HEAD);
	struct pr_policy *q = pr_policy_ref(p);

	pr_policy_unref(p);
	ck_assert_int_ge(pr_policy_team(q, PR_STR("pay")), 0);
	pr_policy_unref(q);
	pr_policy_unref(NULL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("lang");
	TCase *tc = tcase_create("policy");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, names_become_indexes);
	tcase_add_test(tc, roles_unite_with_their_parents);
	tcase_add_test(tc, hosts_are_found_by_the_nearest_pattern);
	tcase_add_test(tc, without_hosts_no_phase_is_served);
	tcase_add_test(tc, leaves_are_inherited_one_by_one);
	tcase_add_test(tc, what_is_not_written_is_the_safest);
	tcase_add_test(tc, a_demand_may_be_taken_back);
	tcase_add_test(tc, ulimits_merge_name_by_name);
	tcase_add_loop_test(tc, ranges_are_read, 0, (int)PR_COUNT(ranges));
	tcase_add_loop_test(
	    tc, mistakes_are_placed, 0, (int)PR_COUNT(mistakes));
	tcase_add_test(tc, one_run_reports_every_mistake);
	tcase_add_test(tc, a_flood_of_mistakes_is_bounded);
	tcase_add_test(tc, groups_are_compared_as_names);
	tcase_add_loop_test(
	    tc, freezes_know_daylight_saving, 0, (int)PR_COUNT(moments));
	tcase_add_loop_test(tc, zones_agree_with_the_c_library, 0, 10);
	tcase_add_test(tc, a_print_is_read_as_the_same);
	tcase_add_test(tc, order_does_not_change_the_hash);
	tcase_add_test(tc, a_policy_of_ten_thousand_loads);
	tcase_add_test(tc, references_keep_a_policy);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
