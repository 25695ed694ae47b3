/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the policy language, one row each (DESIGN 9). */
#include <portreeve/compiler.h>

#include "load.h"

#define KEY(type, member, name, shape, text)                               \
	{                                                                  \
		name, SHAPE_##shape, offsetof(struct type, member), false, \
		    NULL, NULL, text                                       \
	}
#define NEED(type, member, name, shape, text)                             \
	{                                                                 \
		name, SHAPE_##shape, offsetof(struct type, member), true, \
		    NULL, NULL, text                                      \
	}
#define WORDS(type, member, name, shape, words, text)                      \
	{                                                                  \
		name, SHAPE_##shape, offsetof(struct type, member), false, \
		    words, NULL, text                                      \
	}
#define SUB(type, member, name, shape, table, text)                        \
	{                                                                  \
		name, SHAPE_##shape, offsetof(struct type, member), false, \
		    NULL, &(table), text                                   \
	}
#define TABLE(variable, what, fields) \
	const struct table variable = {what, fields, PR_COUNT(fields)}

/* clang-format off */
static const struct field labels_fields[] = {
	KEY(raw_labels, team, "team", STR, "label key that holds the owner team"),
	KEY(raw_labels, phase, "phase", STR, "label key that holds the phase"),
};
TABLE(labels_table, "map of label keys", labels_fields);

static const struct field require_fields[] = {
	NEED(raw_require, cert, "cert", STRS, "patterns on SAN or DN, one of which the certificate must match"),
	KEY(raw_require, issuer, "issuer", STR, "DN of the issuer of that certificate"),
};
TABLE(require_table, "team's second factor", require_fields);

static const struct field team_fields[] = {
	KEY(raw_team, ldap, "ldap", STRS, "group DNs, * in a value stands for anything"),
	KEY(raw_team, cert, "cert", STRS, "patterns on SAN or DN of the certificate"),
	KEY(raw_team, issuer, "issuer", STR, "DN of the issuer that the certificates must have"),
	KEY(raw_team, anonymous, "anonymous", BOOL, "callers without any identity"),
	KEY(raw_team, acts_for, "acts_for", STR, "the team whose objects its members handle"),
	KEY(raw_team, contact, "contact", STR, "whom a refused user may ask"),
	SUB(raw_team, require, "require", MAP, require_table, "a second factor: without it membership does not count"),
};
TABLE(team_table, "team", team_fields);

static const struct field freeze_fields[] = {
	NEED(raw_freeze, windows, "windows", STRS, "\"Fri 16:00..Mon 06:00 Europe/Berlin\""),
	KEY(raw_freeze, except, "except", STRS, "teams that the freeze does not hold"),
	KEY(raw_freeze, allow, "allow", VERBS, "actions that stay possible; default: container stop, kill, restart"),
};
TABLE(freeze_table, "freeze", freeze_fields);

static const struct field phase_fields[] = {
	WORDS(raw_phase, mode, "mode", WORD, "enforce|complain", "complain: soft keys of profiles are logged as would-deny and allowed"),
	WORDS(raw_phase, audit, "audit", WORD, "none|metadata|request", "how much of a decision is written; default metadata"),
	SUB(raw_phase, freeze, "freeze", MAP, freeze_table, "when nothing is changed"),
	KEY(raw_phase, stale_ok, "directory_stale_ok", DURATION, "how old an answer of the directory may be, past its ttl"),
};
TABLE(phase_table, "phase", phase_fields);

static const struct field role_fields[] = {
	KEY(raw_role, extends, "extends", STR, "the role that this one adds to"),
	KEY(raw_role, allow, "allow", VERBS, "resource: [verbs] that it allows"),
	KEY(raw_role, deny, "deny", VERBS, "resource: [verbs] that it denies, also to parents and other grants"),
};
TABLE(role_table, "role", role_fields);

static const struct field defaults_fields[] = {
	KEY(raw_defaults, v[0], "memory", SIZE, "memory limit that is filled in"),
	KEY(raw_defaults, v[1], "swap", SIZE, "memory and swap that is filled in"),
	KEY(raw_defaults, v[2], "cpus", CPUS, "CPUs that are filled in"),
	KEY(raw_defaults, v[3], "pids", NUM, "limit of processes that is filled in"),
	KEY(raw_defaults, v[4], "shm", SIZE, "size of /dev/shm that is filled in"),
};
TABLE(defaults_table, "map of defaults", defaults_fields);

static const struct field profile_fields[] = {
	KEY(raw_profile, extends, "extends", STR, "the profile that this one replaces leaves of"),
	SUB(raw_profile, defaults, "defaults", MAP, defaults_table, "what the proxy fills in where a body says nothing"),
};
TABLE(profile_table, "profile", profile_fields);

static const struct field promoted_fields[] = {
	NEED(raw_promoted, phase, "phase", STR, "the phase that the image must have run in"),
	NEED(raw_promoted, min_runtime, "min_runtime", DURATION, "how long"),
	KEY(raw_promoted, via, "via", STRS, "public keys of other daemons whose promotion lines count"),
};
TABLE(promoted_table, "promotion", promoted_fields);

static const struct field grant_fields[] = {
	NEED(raw_grant, id, "id", STR, "what the log and the user see"),
	NEED(raw_grant, team, "team", STR, "who; \"*\": every identified subject"),
	NEED(raw_grant, role, "role", STR, "what"),
	NEED(raw_grant, phases, "phases", STRS, "where; [\"*\"]: everywhere"),
	KEY(raw_grant, profile, "profile", STR, "which shape; \"unrestricted\": any"),
	WORDS(raw_grant, owner, "owner", WORD_OR_STRS, "own|any", "whose objects: own, any, or a list of teams"),
	WORDS(raw_grant, stored_specs, "stored_specs", WORD, "any", "any: containers that somebody with more power made are in reach"),
	SUB(raw_grant, promoted_from, "promoted_from", MAP, promoted_table, "only images that have run elsewhere"),
};
TABLE(grant_table, "grant", grant_fields);

static const struct field guard_fields[] = {
	NEED(raw_guard, id, "id", STR, "what the log and the user see"),
	NEED(raw_guard, deny, "deny", VERBS, "resource: [verbs] that no grant can allow"),
	KEY(raw_guard, phases, "phases", STRS, "where; not given: everywhere"),
	KEY(raw_guard, except, "except", STRS, "teams that it does not hold"),
	KEY(raw_guard, message, "message", STR, "what the user is told"),
};
TABLE(guard_table, "guard", guard_fields);

static const struct field response_fields[] = {
	NEED(raw_response, id, "id", STR, "what the log and the user see"),
	NEED(raw_response, on, "on", VERBS, "resource: [verbs] whose answers it is about"),
	WORDS(raw_response, keep, "keep", WORD, "own-team", "own-team: elements of other teams are left out"),
	KEY(raw_response, redact, "redact", STRS, "fields whose values are masked: \"Config.Env[*TOKEN*]\""),
	KEY(raw_response, except, "except", STRS, "teams that it does not hold"),
};
TABLE(response_table, "response rule", response_fields);

static const struct field quota_fields[] = {
	NEED(raw_quota, team, "team", STR, "whose; \"*\": each team's"),
	KEY(raw_quota, phases, "phases", STRS, "where; not given: everywhere, together"),
	KEY(raw_quota, containers, "containers", NUM, "number of containers"),
	KEY(raw_quota, memory, "memory", SIZE, "sum of memory limits"),
	KEY(raw_quota, cpus, "cpus", CPUS, "sum of CPU limits"),
	KEY(raw_quota, ports, "ports", NUM, "number of published ports"),
};
TABLE(quota_table, "quota", quota_fields);

static const struct field request_fields[] = {
	NEED(raw_request, method, "method", STR, "HTTP method"),
	NEED(raw_request, target, "target", STR, "\"/v1.41/containers/create?name=x\""),
	KEY(raw_request, body, "body", TEXT, "JSON, as a string"),
};
TABLE(request_table, "request", request_fields);

static const struct field given_fields[] = {
	WORDS(raw_given, kind, "kind", WORD, "container|exec|image|network|volume|plugin|service|task|node|secret|config", "default: container"),
	KEY(raw_given, team, "team", STR, "its owner; not given: nobody's"),
	KEY(raw_given, phase, "phase", STR, "its phase; not given: unknown"),
	KEY(raw_given, absent, "absent", BOOL, "it does not exist"),
};
TABLE(given_table, "given object", given_fields);

static const struct field test_fields[] = {
	NEED(raw_test, as, "as", STR, "\"alice@payments+ops\": a subject with its teams; \"anonymous\""),
	KEY(raw_test, command, "do", STR, "a docker command"),
	SUB(raw_test, request, "request", MAP, request_table, "or a call as the API has it"),
	SUB(raw_test, given, "given", NAMED, given_table, "objects that are there, by name"),
	KEY(raw_test, host, "host", STR, "name of the daemon; needed if there are several hosts"),
	WORDS(raw_test, door, "door", WORD, "proxy|plugin", "default: proxy"),
	KEY(raw_test, at, "at", STR, "\"2026-11-27T17:00:00+01:00\""),
	{"expect", SHAPE_WORD, offsetof(struct raw_test, expect), true, "allow|deny|would-deny", NULL, "the verdict"},
	KEY(raw_test, by, "by", STR, "reason code, id, or profile.key that decides"),
};
TABLE(test_table, "test", test_fields);

static const struct table host_value = {"host", NULL, 0};

static const struct field top_fields[] = {
	KEY(raw_top, version, "version", NUM, "of the language: 1"),
	SUB(raw_top, labels, "labels", MAP, labels_table, "where owner and phase are written on resources"),
	SUB(raw_top, sec[SEC_TEAMS], "teams", NAMED, team_table, "team: who is in it"),
	SUB(raw_top, sec[SEC_HOSTS], "hosts", LISTS, host_value, "daemon's name or glob: [phases that it serves]"),
	SUB(raw_top, sec[SEC_PHASES], "phases", NAMED, phase_table, "phase: how strict it is"),
	KEY(raw_top, cluster_phases, "cluster_phases", STRS, "phases that services may run in, on whichever worker"),
	SUB(raw_top, sec[SEC_ROLES], "roles", NAMED, role_table, "role: actions"),
	SUB(raw_top, sec[SEC_PROFILES], "profiles", PROFILE, profile_table, "profile: the shape that a workload may have"),
	SUB(raw_top, sec[SEC_GRANTS], "grants", MAPS, grant_table, "who may do what where"),
	SUB(raw_top, sec[SEC_GUARDS], "guards", MAPS, guard_table, "denials that no grant overrides"),
	SUB(raw_top, sec[SEC_RESPONSES], "responses", MAPS, response_table, "what answers may show"),
	SUB(raw_top, sec[SEC_QUOTAS], "quotas", MAPS, quota_table, "how much a team may have"),
	SUB(raw_top, sec[SEC_TESTS], "tests", MAPS, test_table, "run by check, by reload and in CI"),
};
TABLE(top_table, "policy", top_fields);
/* clang-format on */
