/* SPDX-License-Identifier: Apache-2.0 */
#include "leaf.h"

#include <string.h>

#include <portreeve/caps.h>

static const char *const ulimits[] = {"core", "cpu", "data", "fsize", "locks",
    "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime",
    "sigpending", "stack"};

enum unit
leaf_unit(enum pr_profile_key key)
{
	switch (key) {
	case PR_KEY_MEMORY:
	case PR_KEY_SWAP:
	case PR_KEY_SHM:
		return UNIT_SIZE;
	case PR_KEY_CPUS:
		return UNIT_CPUS;
	default:
		return UNIT_NUM;
	}
}

/*
 * "seccomp profile (default, unconfined)", "(none, any: weights)": what is in
 * the last parentheses, parted by commas, up to a colon.
 */
const char *
profile_key_words(struct lang *l, enum pr_profile_key key)
{
	const char *open = strrchr(pr_profile_key(key)->text, '(');
	const char *words = NULL;
	struct pr_str rest;

	if (open == NULL)
		return NULL;
	rest = pr_str_of(open + 1);
	rest = pr_str_sub(rest, 0, pr_str_find(rest, ')'));
	while (rest.p != NULL) {
		struct pr_str w = pr_str_trim(pr_str_cut(&rest, ','));

		w = pr_str_sub(w, 0, pr_str_find(w, ':'));
		words = words == NULL
		    ? pr_arena_printf(l->tree, "%.*s", PR_STRF(w))
		    : pr_arena_printf(l->tree, "%s|%.*s", words, PR_STRF(w));
	}
	return words;
}

static bool
shape(struct load *ld, enum pr_profile_key key, const struct ynode *n,
    enum shape s, const char *words)
{
	struct field f = {.shape = s, .words = words};

	return schema_shape(&ld->l, n, pr_profile_key(key)->path, &f);
}

static bool
read_bool(struct load *ld, enum pr_profile_key key, const struct ynode *n,
    struct pr_leaf *leaf)
{
	/* the table's own values are not plain */
	if (n->line > 0 && !shape(ld, key, n, SHAPE_BOOL, NULL))
		return false;
	leaf->b = value_bool(n);
	leaf->made = leaf->b || !profile_key_is_demand(key);
	return true;
}

static bool
read_word(struct load *ld, enum pr_profile_key key, const struct ynode *n,
    struct pr_leaf *leaf)
{
	const char *words = profile_key_words(&ld->l, key);

	if (!shape(ld, key, n, SHAPE_WORD, words))
		return false;
	leaf->word = value_keep(&ld->l, n);
	leaf->made = !profile_key_is_demand(key) || !pr_str_is(n->s, "any");
	return true;
}

static bool
is_word(struct pr_str s, const char *words)
{
	struct pr_str rest = pr_str_of(words);

	while (rest.p != NULL) {
		if (pr_str_eq(pr_str_cut(&rest, '|'), s))
			return true;
	}
	return false;
}

static bool
check_entry(struct load *ld, enum pr_profile_key key,
    const struct leaf_list *row, const struct ynode *e)
{
	const char *v[SCHEMA_WORDS_MAX];
	size_t n;

	if (row->words != NULL && is_word(e->s, row->words))
		return true;
	if (row->other != NULL)
		return row->other(ld, e);
	n = schema_words(&ld->l, row->words, v, PR_COUNT(v));
	lang_error(&ld->l, ynode_loc(e),
	    lang_meant(&ld->l, e->s, v, n, pr_profile_key(key)->text),
	    "\"%.*s\" is no value of \"%s\"", PR_STRF(e->s),
	    pr_profile_key(key)->path);
	return false;
}

static bool
read_list(struct load *ld, enum pr_profile_key key, const struct ynode *n,
    struct pr_leaf *leaf)
{
	const struct leaf_list *row = leaf_list(key);
	bool good = true;

	if (!shape(ld, key, n, SHAPE_STRS, NULL))
		return false;
	if (n->n > PR_CAP_LEAF_LIST) {
		lang_error(&ld->l, ynode_loc(n), NULL,
		    "\"%s\" has more than %zu entries",
		    pr_profile_key(key)->path, PR_CAP_LEAF_LIST);
		return false;
	}
	Y_EACH(n, e)
	{
		good = check_entry(ld, key, row, e) && good;
	}
	leaf->list = value_strs(&ld->l, n);
	leaf->made = n->n > 0 || !profile_key_is_demand(key);
	return good;
}

static bool
read_bool_or_list(struct load *ld, enum pr_profile_key key,
    const struct ynode *n, struct pr_leaf *leaf)
{
	if (n->type != Y_LIST)
		return read_bool(ld, key, n, leaf);
	leaf->b = true;
	return read_list(ld, key, n, leaf);
}

static bool
read_any_or_list(struct load *ld, enum pr_profile_key key,
    const struct ynode *n, struct pr_leaf *leaf)
{
	if (n->type == Y_LIST)
		return read_list(ld, key, n, leaf);
	if (!shape(ld, key, n, SHAPE_WORD_OR_STRS, "any"))
		return false;
	leaf->b = true;
	leaf->made = true;
	return true;
}

static bool
read_range(struct load *ld, enum pr_profile_key key, const struct ynode *n,
    struct pr_leaf *leaf)
{
	struct pr_range *r = pr_arena_alloc(ld->l.arena, sizeof *r);

	if (!shape(ld, key, n, SHAPE_STR, NULL) ||
	    !value_range(&ld->l, n, leaf_unit(key), r))
		return false;
	leaf->ranges = r;
	leaf->n_ranges = 1;
	leaf->made = true;
	return true;
}

static bool
read_ranges(struct load *ld, enum pr_profile_key key, const struct ynode *n,
    struct pr_leaf *leaf)
{
	struct pr_range *v;
	size_t count = 0;
	bool good = true;

	if (!shape(ld, key, n, SHAPE_MAP, NULL))
		return false;
	v = pr_arena_array(ld->l.arena, n->n, sizeof *v);
	Y_EACH_PAIR(n, k, e)
	{
		size_t i = 0;

		while (i < PR_COUNT(ulimits) && !pr_str_is(k->s, ulimits[i]))
			i++;
		if (i == PR_COUNT(ulimits)) {
			lang_error(&ld->l, ynode_loc(k),
			    lang_meant(&ld->l, k->s, ulimits, PR_COUNT(ulimits),
				"as nofile or nproc"),
			    "unknown ulimit \"%.*s\"", PR_STRF(k->s));
			good = false;
		} else if (k->bad || !shape(ld, key, e, SHAPE_STR, NULL) ||
		    !value_range(&ld->l, e, UNIT_NUM, &v[count])) {
			good = false;
		} else {
			v[count++].name = value_keep(&ld->l, k);
		}
	}
	leaf->ranges = v;
	leaf->n_ranges = leaf->n_own_ranges = count;
	leaf->made = count > 0;
	return good;
}

static bool
read_ports(struct load *ld, enum pr_profile_key key, const struct ynode *n,
    struct pr_leaf *leaf)
{
	struct pr_range *r = pr_arena_alloc(ld->l.arena, sizeof *r);

	if (!shape(ld, key, n, SHAPE_STR, NULL) || !value_ports(&ld->l, n, r))
		return false;
	leaf->ranges = r;
	leaf->n_ranges = 1;
	leaf->made = true;
	return true;
}

struct raw_device {
	const struct ynode *driver, *capabilities, *count;
};
static const struct field device_fields[] = {
    {"driver", SHAPE_STR, offsetof(struct raw_device, driver), false, NULL,
	NULL, "pattern; not given: it must be unset"},
    {"capabilities", SHAPE_STRS, offsetof(struct raw_device, capabilities),
	false, NULL, NULL, "patterns; each of a request must match one"},
    {"count", SHAPE_NUM, offsetof(struct raw_device, count), true, NULL, NULL,
	"at most; -1: all"},
};
static const struct table device_table = {
    "device request", device_fields, PR_COUNT(device_fields)};

static bool
read_requests(struct load *ld, enum pr_profile_key key, const struct ynode *n,
    struct pr_leaf *leaf)
{
	struct pr_device_request *v;
	bool good = true;

	if (!shape(ld, key, n, SHAPE_MAPS, NULL))
		return false;
	v = pr_arena_array(ld->l.arena, n->n, sizeof *v);
	Y_EACH(n, e)
	{
		struct pr_device_request *r = &v[leaf->n_requests];
		struct raw_device raw = {0};

		if (!schema_read(&ld->l, e, &device_table, &raw)) {
			good = false;
			continue;
		}
		if (!value_parse(raw.count->s, UNIT_NUM, &r->count) ||
		    r->count < -1 || r->count > 1000000) {
			lang_error(&ld->l, ynode_loc(raw.count), NULL,
			    "wants a number of devices, or -1 for all");
			good = false;
		}
		if (raw.driver != NULL)
			r->driver = value_keep(&ld->l, raw.driver);
		r->capabilities = value_strs(&ld->l, raw.capabilities);
		leaf->n_requests++;
	}
	leaf->requests = v;
	leaf->made = true;
	return good;
}

static bool (*const readers[])(struct load *, enum pr_profile_key,
    const struct ynode *, struct pr_leaf *) = {
    [PR_LEAF_BOOL] = read_bool,
    [PR_LEAF_WORD] = read_word,
    [PR_LEAF_LIST] = read_list,
    [PR_LEAF_BOOL_OR_LIST] = read_bool_or_list,
    [PR_LEAF_ANY_OR_LIST] = read_any_or_list,
    [PR_LEAF_RANGE] = read_range,
    [PR_LEAF_RANGES] = read_ranges,
    [PR_LEAF_PORTS] = read_ports,
    [PR_LEAF_REQUESTS] = read_requests,
};

bool
leaf_read(struct load *ld, enum pr_profile_key key, const struct ynode *n,
    struct pr_leaf *leaf)
{
	struct pr_leaf fresh = {0};

	if (n->bad || !readers[pr_profile_key(key)->type](ld, key, n, &fresh))
		return false;
	*leaf = fresh;
	return true;
}
