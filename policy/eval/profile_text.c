/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile says of a spec that it refuses. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "profile.h"

const char *
shown(struct pr_str s, char buf[SHOWN + 4])
{
	size_t n = s.n < SHOWN ? s.n : SHOWN;

	for (size_t i = 0; i < n; i++)
		buf[i] = (char)(s.p[i] >= 0x20 && s.p[i] < 0x7f ? s.p[i] : '?');
	memcpy(buf + n, "...", 4);
	if (s.n <= SHOWN)
		buf[n] = '\0';
	if (s.n == 0)
		memcpy(buf, "\"\"", 3);
	return buf;
}

/* "[a, b, ...]", or the word, or true/false: what the leaf wants. */
static void
wanted(const struct judging *j, char *out, size_t len)
{
	const struct pr_leaf *leaf = j->leaf;
	enum pr_leaf_type type = pr_profile_key(j->key)->type;
	size_t at;

	if (type == PR_LEAF_BOOL) {
		snprintf(out, len, "%s", leaf->b ? "true" : "false");
		return;
	}
	if (type == PR_LEAF_WORD) {
		snprintf(out, len, "%.*s", PR_STRF(leaf->word));
		return;
	}
	if (leaf->n_ranges > 0 && leaf->list.n == 0) {
		snprintf(out, len, "%.*s", PR_STRF(leaf->ranges[0].text));
		return;
	}
	if (type == PR_LEAF_BOOL_OR_LIST && leaf->list.n == 0) {
		snprintf(out, len, "%s", leaf->b ? "true" : "false");
		return;
	}
	if (j->key == PR_KEY_SWAP) { /* not given: semantics 9.14 */
		snprintf(out, len, "at most twice the memory");
		return;
	}
	at = (size_t)snprintf(out, len, "[");
	for (size_t i = 0; i < leaf->list.n && at + 24 < len; i++) {
		char one[SHOWN + 4];
		int n = snprintf(out + at, len - at, "%s%s", i > 0 ? ", " : "",
		    shown(leaf->list.v[i], one));

		at += n > 0 ? (size_t)n : 0;
		if (at + 24 >= len && i + 1 < leaf->list.n) {
			at = at < len - 8 ? at : len - 8;
			at += (size_t)snprintf(out + at, len - at, ", ...");
			break;
		}
	}
	if (at < len)
		snprintf(out + at, len - at, "]");
}

/*
 * Judges name the fields of a container; the same thing stands elsewhere in
 * a service.
 */
static const struct {
	const char *container, *service;
} places[] = {
    {"HostConfig.CapAdd", "CapabilityAdd"},
    {"HostConfig.CapDrop", "CapabilityDrop"},
    {"HostConfig.SecurityOpt", "Privileges"},
    {"HostConfig.DeviceRequests", "GenericResources"},
    {"HostConfig.Sysctls", "Sysctls"},
    {"HostConfig.OomScoreAdj", "OomScoreAdj"},
    {"HostConfig.GroupAdd", "Groups"},
    {"HostConfig.ExtraHosts", "Hosts"},
    {"HostConfig.Dns", "DNSConfig"},
    {"HostConfig.LogConfig.Type", "LogDriver.Name"},
    {"HostConfig.LogConfig.Config", "LogDriver.Options"},
    {"HostConfig.Memory ", "Limits.MemoryBytes "},
    {"HostConfig.MemorySwap", "Resources.SwapBytes, with the memory,"},
    {"HostConfig.NanoCpus", "Limits.NanoCPUs"},
    {"HostConfig.PidsLimit", "Limits.Pids"},
    {"HostConfig.RestartPolicy", "RestartPolicy"},
    {"HostConfig.ReadonlyRootfs", "ReadOnly"},
};

static void
say_of_service(struct judging *j)
{
	char rest[200];

	if (j->spec->body != PR_SPEC_SERVICE)
		return;
	for (size_t i = 0; i < PR_COUNT(places); i++) {
		size_t n = strlen(places[i].container);

		if (strncmp(j->text, places[i].container, n) != 0)
			continue;
		snprintf(rest, sizeof rest, "%s", j->text + n);
		snprintf(j->text, j->len, "%s%s", places[i].service, rest);
		return;
	}
}

static void explain(struct judging *j, const char *fmt, va_list ap)
    PR_PRINTF(2, 0);

static void
explain(struct judging *j, const char *fmt, va_list ap)
{
	char want[96];
	size_t n;

	vsnprintf(j->text, j->len, fmt, ap);
	say_of_service(j);
	n = strlen(j->text);
	wanted(j, want, sizeof want);
	if (n + 1 < j->len)
		snprintf(j->text + n, j->len - n, ", %.*s.%s wants %s",
		    PR_STRF(j->profile->name), pr_profile_key(j->key)->path,
		    want);
}

enum pr_tri
judge_no(struct judging *j, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	explain(j, fmt, ap);
	va_end(ap);
	return PR_NO;
}

enum pr_tri
judge_cannot_tell(struct judging *j, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(j->text, j->len, fmt, ap);
	va_end(ap);
	return PR_CANNOT_TELL;
}
