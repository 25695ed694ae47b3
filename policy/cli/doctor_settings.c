/* SPDX-License-Identifier: Apache-2.0 */
/* A setting of dockerd: daemon.json, or a flag that it was started with. */
#include <string.h>

#include "doctor.h"

/* Names in the file, of flags, and the flag's letter. */
static const struct {
	const char *name, *flag;
	char letter;
} flags[] = {
    {"authorization-plugins", "authorization-plugin", 0},
    {"data-root", "data-root", 'g'},
    {"debug", "debug", 'D'},
    {"default-ulimits", "default-ulimit", 0},
    {"hosts", "host", 'H'},
    {"icc", "icc", 0},
    {"insecure-registries", "insecure-registry", 0},
    {"live-restore", "live-restore", 0},
    {"log-driver", "log-driver", 0},
    {"log-level", "log-level", 'l'},
    {"no-new-privileges", "no-new-privileges", 0},
    {"seccomp-profile", "seccomp-profile", 0},
    {"storage-driver", "storage-driver", 's'},
    {"tlscacert", "tlscacert", 0},
    {"tlscert", "tlscert", 0},
    {"tlskey", "tlskey", 0},
    {"tlsverify", "tlsverify", 0},
    {"userland-proxy", "userland-proxy", 0},
    {"userns-remap", "userns-remap", 0},
    {"config-file", "config-file", 0},
};

static void
add(struct doctor_setting *s, struct pr_str v)
{
	s->given = true;
	if (s->n < DOCTOR_VALUES)
		s->v[s->n++] = v;
}

static struct pr_str
text_of(const struct pr_json *v)
{
	switch (v->type) {
	case PR_JSON_STRING:
		return v->str;
	case PR_JSON_TRUE:
		return PR_STR("true");
	case PR_JSON_FALSE:
		return PR_STR("false");
	default: /* nothing that any check takes for good */
		return PR_STR("?");
	}
}

static void
from_file(const struct pr_json *v, struct doctor_setting *s)
{
	if (v->type == PR_JSON_ARRAY) {
		s->given = true;
		for (uint32_t i = 0; i < v->n; i++)
			add(s, text_of(&v->items[i]));
	} else if (v->type == PR_JSON_OBJECT) {
		s->given = true;
		for (uint32_t i = 0; i < v->n; i++)
			add(s, v->members[i].key);
	} else {
		add(s, text_of(v));
	}
}

static bool
is_switch(const char *flag)
{
	static const char *const switches[] = {"debug", "icc", "live-restore",
	    "no-new-privileges", "tlsverify", "userland-proxy"};

	for (size_t i = 0; i < PR_COUNT(switches); i++)
		if (strcmp(switches[i], flag) == 0)
			return true;
	return false;
}

/* "--icc=false", "--host X", "-H X", "-HX": its value at args[*i], or not. */
static bool
flag_value(const struct doctor *d, size_t *i, const char *flag, char letter,
    struct pr_str *v)
{
	struct pr_str rest = pr_str_of(d->args[*i]), name;

	if (rest.n < 2 || rest.p[0] != '-')
		return false;
	if (rest.p[1] != '-' && letter != 0 && rest.p[1] == letter) {
		*v = pr_str_sub(rest, 2, rest.n);
		if (v->n > 0 && v->p[0] == '=')
			*v = pr_str_sub(*v, 1, v->n);
	} else {
		rest = pr_str_sub(rest, rest.p[1] == '-' ? 2 : 1, rest.n);
		name = pr_str_cut(&rest, '=');
		if (!pr_str_is(name, flag))
			return false;
		*v = rest;
	}
	if (v->n > 0 || v->p != NULL)
		if (v->n > 0)
			return true;
	if (is_switch(flag)) {
		*v = PR_STR("true");
		return true;
	}
	if (*i + 1 >= d->n_args)
		return false;
	*v = pr_str_of(d->args[++*i]);
	return true;
}

static void
from_flags(const struct doctor *d, const char *flag, char letter,
    struct doctor_setting *s)
{
	struct pr_str v;

	for (size_t i = 1; i < d->n_args; i++) {
		if (!flag_value(d, &i, flag, letter, &v))
			continue;
		s->by_flag = true;
		add(s, v);
	}
}

void
doctor_setting(
    const struct doctor *d, const char *name, struct doctor_setting *out)
{
	const struct pr_json *v;

	*out = (struct doctor_setting){0};
	if (d->file != NULL &&
	    (v = pr_json_get(d->file, pr_str_of(name))) != NULL &&
	    v->type != PR_JSON_NULL)
		from_file(v, out);
	for (size_t i = 0; i < PR_COUNT(flags); i++)
		if (strcmp(flags[i].name, name) == 0)
			from_flags(d, flags[i].flag, flags[i].letter, out);
}

bool
doctor_has_value(const struct doctor_setting *s, const char *text)
{
	for (size_t i = 0; i < s->n; i++)
		if (pr_str_is(s->v[i], text))
			return true;
	return false;
}

bool
doctor_setting_is(const struct doctor *d, const char *name, const char *text)
{
	struct doctor_setting s;

	doctor_setting(d, name, &s);
	return s.n > 0 && pr_str_is(s.v[s.n - 1], text);
}
