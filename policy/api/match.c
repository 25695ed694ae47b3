/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's router (gorilla/mux 1.8), for the templates that the daemon
 * has: "{x}" is one segment that is not empty, "{x:.*}" and "{x:.+}" take as
 * much as they can, and only literal text follows them, so what they take is
 * known without backtracking.
 */
#include <pthread.h>
#include <string.h>

#include <portreeve/api.h>

struct variable {
	size_t len;  /* of the template text, braces included */
	bool greedy; /* may hold slashes */
	size_t least;
};

static struct variable
variable_at(const char *t)
{
	struct variable v = {.least = 1};

	for (; t[v.len] != '}'; v.len++)
		;
	v.len++;
	v.greedy = v.len > 4 && memcmp(t + v.len - 4, ":.", 2) == 0;
	if (v.greedy && t[v.len - 2] == '*')
		v.least = 0;
	return v;
}

/*
 * True if the whole path fits the template; names[] gets what the variables
 * took, in their order.
 */
static bool
fits(const char *t, struct pr_str path, struct pr_str names[2])
{
	size_t at = 0, n = 0;

	while (*t != '\0') {
		struct variable v;
		size_t end;

		if (*t != '{') {
			if (at == path.n || path.p[at] != *t)
				return false;
			at++;
			t++;
			continue;
		}
		v = variable_at(t);
		t += v.len;
		if (v.greedy) {
			size_t rest = strlen(t);

			if (path.n - at < rest + v.least)
				return false;
			end = path.n - rest;
		} else {
			end =
			    at + pr_str_find(pr_str_sub(path, at, path.n), '/');
			if (end == at)
				return false;
		}
		names[n++] = (struct pr_str){path.p + at, end - at};
		at = end;
	}
	return at == path.n;
}

/*
 * What tells most rows apart, side by side: the first byte of the method and
 * the two of the path after its slash.
 */
struct hint {
	char method, path[2];
};
static struct hint hints[PR_OP_COUNT];
static pthread_once_t hints_once = PTHREAD_ONCE_INIT;

static void
make_hints(void)
{
	for (size_t i = PR_OP_UNKNOWN + 1; i < PR_OP_COUNT; i++) {
		const struct pr_op_info *op = pr_api_op((enum pr_op)i);

		hints[i].method = op->method[0];
		memcpy(hints[i].path, op->path + 1, 2);
	}
}

static bool
may_fit(const struct hint *h, struct pr_str method, struct pr_str path)
{
	if (h->method != method.p[0])
		return false;
	return h->path[0] == '{' ||
	    (path.n > 2 && memcmp(h->path, path.p + 1, 2) == 0);
}

const struct pr_op_info *
pr_api_match(struct pr_str method, struct pr_str path, struct pr_str *name,
    struct pr_str *name2)
{
	struct pr_str names[2];

	pthread_once(&hints_once, make_hints);
	for (size_t i = PR_OP_UNKNOWN + 1; method.n > 0 && i < PR_OP_COUNT;
	     i++) {
		const struct pr_op_info *op;

		if (!may_fit(&hints[i], method, path))
			continue;
		op = pr_api_op((enum pr_op)i);
		names[0] = names[1] = (struct pr_str){NULL, 0};
		if (!pr_str_is(method, op->method) ||
		    !fits(op->path, path, names))
			continue;
		*name = names[0];
		*name2 = names[1];
		return op;
	}
	*name = *name2 = (struct pr_str){NULL, 0};
	return pr_api_op(PR_OP_UNKNOWN);
}
