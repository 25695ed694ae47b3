/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Schema of a policy file, from the tables; editors take it. */
#include <string.h>

#include "leaf.h"

#define DRAFT "http://json-schema.org/draft-07/schema#"

/* Shapes without words or tables; those with them are made below. */
static const char *const plain_schemas[SHAPE_COUNT] = {
    [SHAPE_STR] = "\"type\": [\"string\", \"number\"]",
    [SHAPE_TEXT] = "\"type\": \"string\"",
    [SHAPE_BOOL] = "\"type\": \"boolean\"",
    [SHAPE_NUM] = "\"type\": \"integer\", \"minimum\": 0",
    [SHAPE_SIZE] = "\"type\": [\"string\", \"integer\"], \"pattern\": "
		   "\"^[0-9]+([KMGTkmgt]?[Ii]?[Bb]?)$\"",
    [SHAPE_CPUS] = "\"type\": [\"string\", \"number\"], \"pattern\": "
		   "\"^[0-9]+([.][0-9]{1,9})?$\"",
    [SHAPE_DURATION] =
	"\"type\": \"string\", \"pattern\": \"^([0-9]+(d|h|m|s|ms))+$\"",
    [SHAPE_STRS] = "\"type\": \"array\", \"items\": {\"type\": [\"string\", "
		   "\"number\"]}",
    [SHAPE_NUMS] = "\"type\": \"array\", \"items\": {\"type\": \"integer\"}",
    [SHAPE_LISTS] =
	"\"type\": \"object\", \"additionalProperties\": {\"type\": "
	"\"array\", \"items\": {\"type\": \"string\"}}",
    [SHAPE_VERBS] = "\"$ref\": \"#/definitions/verbs\"",
};

static void
put_words(struct pr_buf *out, const char *words)
{
	struct pr_str rest = pr_str_of(words);
	bool any = false;

	pr_buf_cstr(out, "\"enum\": [");
	while (rest.p != NULL) {
		pr_buf_cstr(out, any ? ", " : "");
		pr_buf_json(out, pr_str_cut(&rest, '|'));
		any = true;
	}
	pr_buf_char(out, ']');
}

static void
put_text(struct pr_buf *out, const char *text)
{
	pr_buf_cstr(out, "\"description\": ");
	pr_buf_json(out, pr_str_of(text));
}

static void
indent(struct pr_buf *out, unsigned depth)
{
	pr_buf_char(out, '\n');
	for (unsigned i = 0; i < depth; i++)
		pr_buf_cstr(out, "  ");
}

static void
put_list_schema(struct pr_buf *out, enum pr_profile_key key)
{
	const struct leaf_list *row = leaf_list(key);

	pr_buf_cstr(out, "\"type\": \"array\", \"items\": {");
	if (row->words != NULL && row->other == NULL)
		put_words(out, row->words);
	else
		pr_buf_cstr(out, "\"type\": [\"string\", \"number\"]");
	pr_buf_char(out, '}');
}

void
leaf_schema(struct pr_buf *out, enum pr_profile_key key)
{
	struct lang l = {.tree = pr_arena_new(1024)};

	switch (pr_profile_key(key)->type) {
	case PR_LEAF_BOOL:
		pr_buf_cstr(out, plain_schemas[SHAPE_BOOL]);
		break;
	case PR_LEAF_WORD:
		put_words(out, profile_key_words(&l, key));
		break;
	case PR_LEAF_LIST:
		put_list_schema(out, key);
		break;
	case PR_LEAF_BOOL_OR_LIST:
		pr_buf_cstr(out, "\"anyOf\": [{\"type\": \"boolean\"}, {");
		put_list_schema(out, key);
		pr_buf_cstr(out, "}]");
		break;
	case PR_LEAF_ANY_OR_LIST:
		pr_buf_cstr(out, "\"anyOf\": [{\"enum\": [\"any\"]}, {");
		put_list_schema(out, key);
		pr_buf_cstr(out, "}]");
		break;
	case PR_LEAF_RANGE:
		pr_buf_cstr(
		    out, "\"type\": \"string\", \"pattern\": \"[.][.]\"");
		break;
	case PR_LEAF_RANGES:
		pr_buf_cstr(out,
		    "\"type\": \"object\", \"additionalProperties\": "
		    "{\"type\": \"string\", \"pattern\": \"[.][.]\"}");
		break;
	case PR_LEAF_PORTS:
		pr_buf_cstr(out, "\"type\": [\"string\", \"integer\"]");
		break;
	case PR_LEAF_REQUESTS:
		pr_buf_cstr(out,
		    "\"type\": \"array\", \"items\": {\"type\": \"object\"}");
		break;
	}
	pr_arena_free(l.tree);
}

static size_t
group_of(const char *path)
{
	const char *dot = strchr(path, '.');

	return dot != NULL ? (size_t)(dot - path) : 0;
}

static bool
in_group(int key, const char *head, size_t len)
{
	const char *path = pr_profile_key((enum pr_profile_key)key)->path;

	return group_of(path) == len && strncmp(path, head, len) == 0;
}

static void
put_leaf(struct pr_buf *out, int key, unsigned depth)
{
	const struct pr_profile_key_info *k =
	    pr_profile_key((enum pr_profile_key)key);
	size_t len = group_of(k->path);

	indent(out, depth);
	pr_buf_printf(out, "\"%s\": {", k->path + (len > 0 ? len + 1 : 0));
	leaf_schema(out, (enum pr_profile_key)key);
	pr_buf_cstr(out, ", ");
	put_text(out, k->text);
	pr_buf_char(out, '}');
}

/* The keys of a profile: those without a group, and a map a group. */
static void
put_profile_keys(struct pr_buf *out, unsigned depth)
{
	for (int k = 0; k < PR_KEY_COUNT; k++) {
		const char *path = pr_profile_key((enum pr_profile_key)k)->path;
		size_t len = group_of(path);
		bool any = false, first = true;

		for (int j = 0; j < k && len > 0; j++)
			first = first && !in_group(j, path, len);
		if (!first)
			continue;
		pr_buf_char(out, ',');
		if (len == 0) {
			put_leaf(out, k, depth);
			continue;
		}
		indent(out, depth);
		pr_buf_printf(out,
		    "\"%.*s\": {\"type\": \"object\", "
		    "\"additionalProperties\": false, \"properties\": {",
		    (int)len, path);
		for (int j = k; j < PR_KEY_COUNT; j++) {
			if (!in_group(j, path, len))
				continue;
			pr_buf_cstr(out, any ? "," : "");
			put_leaf(out, j, depth + 1);
			any = true;
		}
		indent(out, depth);
		pr_buf_cstr(out, "}}");
	}
}

static const char *
definition_of(const struct table *t)
{
	static const struct {
		const struct table *t;
		const char *name;
	} rows[] = {{&labels_table, "labels"}, {&team_table, "team"},
	    {&require_table, "require"}, {&phase_table, "phase"},
	    {&freeze_table, "freeze"}, {&role_table, "role"},
	    {&profile_table, "profile"}, {&defaults_table, "defaults"},
	    {&grant_table, "grant"}, {&promoted_table, "promotion"},
	    {&guard_table, "guard"}, {&response_table, "response"},
	    {&quota_table, "quota"}, {&test_table, "test"},
	    {&request_table, "request"}, {&given_table, "given"}};

	for (size_t i = 0; i < PR_COUNT(rows); i++) {
		if (rows[i].t == t)
			return rows[i].name;
	}
	return NULL;
}

static void
put_ref(struct pr_buf *out, const struct table *t)
{
	pr_buf_printf(out, "\"$ref\": \"#/definitions/%s\"", definition_of(t));
}

static void
put_field(struct pr_buf *out, const struct field *f)
{
	switch (f->shape) {
	case SHAPE_WORD:
		put_words(out, f->words);
		break;
	case SHAPE_WORD_OR_STRS:
		pr_buf_cstr(out, "\"anyOf\": [{");
		put_words(out, f->words);
		pr_buf_printf(out, "}, {%s}]", plain_schemas[SHAPE_STRS]);
		break;
	case SHAPE_MAP:
		put_ref(out, f->sub);
		break;
	case SHAPE_MAPS:
		pr_buf_cstr(out, "\"type\": \"array\", \"items\": {");
		put_ref(out, f->sub);
		pr_buf_char(out, '}');
		break;
	case SHAPE_NAMED:
	case SHAPE_PROFILE:
		pr_buf_cstr(
		    out, "\"type\": \"object\", \"additionalProperties\": {");
		put_ref(out, f->sub);
		pr_buf_char(out, '}');
		break;
	default:
		pr_buf_cstr(out, plain_schemas[f->shape]);
		break;
	}
}

void
schema_print(struct pr_buf *out, const struct table *t)
{
	bool any = false;

	pr_buf_cstr(out,
	    "\"type\": \"object\", \"additionalProperties\": false, "
	    "\"required\": [");
	for (size_t i = 0; i < t->n; i++) {
		if (!t->fields[i].required)
			continue;
		pr_buf_printf(
		    out, "%s\"%s\"", any ? ", " : "", t->fields[i].name);
		any = true;
	}
	pr_buf_cstr(out, "], \"properties\": {");
	for (size_t i = 0; i < t->n; i++) {
		pr_buf_cstr(out, i > 0 ? "," : "");
		indent(out, 3);
		pr_buf_printf(out, "\"%s\": {", t->fields[i].name);
		put_field(out, &t->fields[i]);
		pr_buf_cstr(out, ", ");
		put_text(out, t->fields[i].text);
		pr_buf_char(out, '}');
	}
	if (t == &profile_table)
		put_profile_keys(out, 3);
	indent(out, 2);
	pr_buf_char(out, '}');
}

/* resource: [verbs], from the catalogue */
static void
put_verbs(struct pr_buf *out)
{
	const char *verbs[128];

	indent(out, 2);
	pr_buf_cstr(out,
	    "\"verbs\": {\"type\": \"object\", \"additionalProperties\": "
	    "false, \"properties\": {");
	indent(out, 3);
	pr_buf_cstr(out,
	    "\"*\": {\"type\": \"array\", \"items\": {\"enum\": [\"*\"]}}");
	for (int r = 0; r < PR_RES_COUNT; r++) {
		size_t n =
		    pr_api_verbs((enum pr_resource)r, verbs, PR_COUNT(verbs));

		pr_buf_char(out, ',');
		indent(out, 3);
		pr_buf_printf(out,
		    "\"%s\": {\"type\": \"array\", \"items\": {\"enum\": "
		    "[\"*\"",
		    pr_resource_name((enum pr_resource)r));
		for (size_t i = 0; i < n; i++)
			pr_buf_printf(out, ", \"%s\"", verbs[i]);
		pr_buf_cstr(out, "]}}");
	}
	indent(out, 2);
	pr_buf_cstr(out, "}}");
}

void
pr_policy_schema(struct pr_buf *out)
{
	static const struct table *const tables[] = {&labels_table, &team_table,
	    &require_table, &phase_table, &freeze_table, &role_table,
	    &profile_table, &defaults_table, &grant_table, &promoted_table,
	    &guard_table, &response_table, &quota_table, &test_table,
	    &request_table, &given_table};

	pr_buf_cstr(out, "{\n  \"$schema\": \"" DRAFT "\",\n");
	pr_buf_cstr(out, "  \"title\": \"Portreeve policy\",\n");
	pr_buf_cstr(out, "  \"definitions\": {");
	put_verbs(out);
	for (size_t i = 0; i < PR_COUNT(tables); i++) {
		pr_buf_char(out, ',');
		indent(out, 2);
		pr_buf_printf(out, "\"%s\": {", definition_of(tables[i]));
		schema_print(out, tables[i]);
		pr_buf_char(out, '}');
	}
	pr_buf_cstr(out, "\n  },\n  ");
	schema_print(out, &top_table);
	pr_buf_cstr(out, "\n}\n");
}
