/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of portreeve.yaml as rows: the tables, walked. */
#include <stdio.h>

#include <portreeve/config.h>

#include "schema.h"

#define DEPTH 8 /* tables in tables */

static const char *const shapes[SHAPE_COUNT] = {
    [SHAPE_STR] = "text",
    [SHAPE_TEXT] = "text",
    [SHAPE_BOOL] = "true or false",
    [SHAPE_WORD] = "word",
    [SHAPE_NUM] = "number",
    [SHAPE_SIZE] = "size",
    [SHAPE_CPUS] = "number",
    [SHAPE_DURATION] = "duration",
    [SHAPE_STRS] = "list",
    [SHAPE_NUMS] = "list of numbers",
    [SHAPE_MAP] = "map",
    [SHAPE_MAPS] = "list of maps",
    [SHAPE_WORD_OR_STRS] = "word or list",
    [SHAPE_STR_OR_STRS] = "text or list",
};

struct level {
	const struct table *t;
	size_t at;
	char path[256]; /* with its dot, or "" */
};

void
pr_config_keys(void (*row)(void *arg, const char *path, const char *type,
		   const char *words, const char *text),
    void *arg)
{
	struct level stack[DEPTH] = {{.t = &config_table}};
	size_t depth = 1;
	char path[512];

	while (depth > 0) {
		struct level *l = &stack[depth - 1];
		const struct field *f;

		if (l->at == l->t->n) {
			depth--;
			continue;
		}
		f = &l->t->fields[l->at++];
		snprintf(path, sizeof path, "%s%s", l->path, f->name);
		row(arg, path, shapes[f->shape], f->words, f->text);
		if (f->sub == NULL || depth == DEPTH)
			continue;
		stack[depth] = (struct level){.t = f->sub};
		snprintf(stack[depth].path, sizeof stack[depth].path,
		    "%.200s%s", path, f->shape == SHAPE_MAPS ? "[]." : ".");
		depth++;
	}
}
