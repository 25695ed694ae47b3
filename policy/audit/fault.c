/* SPDX-License-Identifier: Apache-2.0 */
/* The format of a line, as a table. */
#include <string.h>

#include <jansson.h>

#include <portreeve/audit_read.h>
#include <portreeve/reason.h>

#include "local.h"

#define TYPE(t) (1U << (t))
#define ALL     (TYPE(LINE_TYPES) - 1)

static const struct {
	const char *key;
	unsigned in;   /* line types that may have it */
	unsigned must; /* and those that must */
	json_type type;
} keys[] = {
    {"type", ALL, ALL, JSON_STRING},
    {"seq", ALL, ALL, JSON_INTEGER},
    {"prev", ALL, ALL, JSON_STRING},
    {"durable", ALL, 0, JSON_INTEGER},
    {"time", ALL, ALL, JSON_STRING},
    {"boot", ALL, 0, JSON_STRING},
    {"daemon", ALL, 0, JSON_STRING},
    {"host", ALL, 0, JSON_STRING},
    {"door", ALL, ALL, JSON_STRING},
    {"format", TYPE(LINE_SEGMENT), TYPE(LINE_SEGMENT), JSON_STRING},
    {"version", TYPE(LINE_SEGMENT), TYPE(LINE_SEGMENT), JSON_STRING},
    {"chain", TYPE(LINE_SEGMENT) | TYPE(LINE_CHECKPOINT),
	TYPE(LINE_SEGMENT) | TYPE(LINE_CHECKPOINT), JSON_STRING},
    {"key", TYPE(LINE_CHECKPOINT), TYPE(LINE_CHECKPOINT), JSON_STRING},
    {"signature", TYPE(LINE_CHECKPOINT), TYPE(LINE_CHECKPOINT), JSON_STRING},
    {"previous", TYPE(LINE_SEGMENT), 0, JSON_OBJECT},
    {"id", TYPE(LINE_DECISION) | TYPE(LINE_OUTCOME), 0, JSON_STRING},
    {"correlation", TYPE(LINE_DECISION) | TYPE(LINE_OUTCOME), 0, JSON_STRING},
    {"latency_us", TYPE(LINE_DECISION), TYPE(LINE_DECISION), JSON_INTEGER},
    {"teams", TYPE(LINE_DECISION), 0, JSON_ARRAY},
    {"message", TYPE(LINE_DECISION), 0, JSON_STRING},
    {"body_sha256", TYPE(LINE_DECISION), 0, JSON_STRING},
    {"stage", TYPE(LINE_DECISION), 0, JSON_STRING},
    {"subject", TYPE(LINE_DECISION), TYPE(LINE_DECISION), JSON_OBJECT},
    {"team", TYPE(LINE_DECISION), 0, JSON_STRING},
    {"phase", TYPE(LINE_DECISION), 0, JSON_STRING},
    {"action", TYPE(LINE_DECISION) | TYPE(LINE_OUTCOME), 0, JSON_STRING},
    {"method", TYPE(LINE_DECISION), 0, JSON_STRING},
    {"target", TYPE(LINE_DECISION), 0, JSON_STRING},
    {"canonical", TYPE(LINE_DECISION), 0, JSON_STRING},
    {"resource", TYPE(LINE_DECISION), 0, JSON_OBJECT},
    {"resource", TYPE(LINE_OUTCOME), 0, JSON_STRING},
    {"verdict", TYPE(LINE_DECISION), TYPE(LINE_DECISION), JSON_STRING},
    {"reason", TYPE(LINE_DECISION), TYPE(LINE_DECISION), JSON_STRING},
    {"ids", TYPE(LINE_DECISION), TYPE(LINE_DECISION), JSON_OBJECT},
    {"break_glass", TYPE(LINE_DECISION), 0, JSON_TRUE},
    {"file", TYPE(LINE_DECISION), 0, JSON_STRING},
    {"line", TYPE(LINE_DECISION), 0, JSON_INTEGER},
    {"policy", TYPE(LINE_DECISION), 0, JSON_STRING},
    {"facts", TYPE(LINE_DECISION), 0, JSON_ARRAY},
    {"clipped", TYPE(LINE_DECISION) | TYPE(LINE_OUTCOME), 0, JSON_INTEGER},
    {"folded", TYPE(LINE_DECISION), 0, JSON_OBJECT},
    {"status", TYPE(LINE_OUTCOME), 0, JSON_INTEGER},
    {"bytes", TYPE(LINE_OUTCOME), 0, JSON_INTEGER},
    {"duration_us", TYPE(LINE_OUTCOME), 0, JSON_INTEGER},
    {"note", TYPE(LINE_OUTCOME), 0, JSON_STRING},
    {"refused", TYPE(LINE_LOSS), TYPE(LINE_LOSS), JSON_INTEGER},
    {"lost", TYPE(LINE_LOSS), TYPE(LINE_LOSS), JSON_INTEGER},
    {"dropped", TYPE(LINE_LOSS), TYPE(LINE_LOSS), JSON_INTEGER},
};

/* Is this a key of a line of that type, with a value of its kind? */
static bool
known(enum line_type type, const char *key, const json_t *value)
{
	for (size_t i = 0; i < PR_COUNT(keys); i++) {
		if ((keys[i].in & TYPE(type)) == 0 ||
		    strcmp(keys[i].key, key) != 0)
			continue;
		return json_typeof(value) == keys[i].type ||
		    (type == LINE_SEGMENT && strcmp(key, "previous") == 0 &&
			json_is_null(value));
	}
	return false;
}

static const char *
decision_fault(const json_t *line)
{
	static const char *const verdicts[] = {"allow", "deny", "would-deny"};
	static const char *const reasons[] = {
#define X(id, code) code,
	    PR_REASONS(X)
#undef X
	};
	const char *verdict =
	    json_string_value(json_object_get(line, "verdict"));
	const char *reason = json_string_value(json_object_get(line, "reason"));
	bool known_verdict = false, known_reason = false;

	for (size_t i = 0; i < PR_COUNT(verdicts); i++)
		known_verdict |= strcmp(verdicts[i], verdict) == 0;
	for (size_t i = 0; i < PR_COUNT(reasons); i++)
		known_reason |= strcmp(reasons[i], reason) == 0;
	if (!known_verdict)
		return "there is no such verdict";
	return known_reason ? NULL : "there is no such reason";
}

static const char *
object_fault(enum line_type type, json_t *line)
{
	const char *key;
	json_t *value;

	json_object_foreach(line, key, value)
	{
		if (!known(type, key, value))
			return "a key that does not belong, or a wrong value";
	}
	for (size_t i = 0; i < PR_COUNT(keys); i++) {
		if ((keys[i].must & TYPE(type)) != 0 &&
		    json_object_get(line, keys[i].key) == NULL)
			return "a key is missing";
	}
	return type == LINE_DECISION ? decision_fault(line) : NULL;
}

const char *
pr_log_line_fault(struct pr_str line)
{
	struct line_head head;
	const char *fault;
	json_t *v;

	if (!pr_line_read(line, &head))
		return "this is no line of the log";
	v = json_loadb(
	    line.p, line.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (v == NULL)
		return "this is not JSON";
	fault = object_fault(head.type, v);
	json_decref(v);
	return fault;
}
