/* SPDX-License-Identifier: Apache-2.0 */
/* docker run and docker create: flags to the body of POST /containers/create. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

enum flag_kind {
	IGNORE, /* takes a value that changes nothing here */
	SWITCH, /* takes none */
	NAME,
	BOOL,
	TEXT,
	LIST,
	MAP,
	NUMBER,
	SIZE,
	CPUS,
	DEVICE,
	GPUS,
	HEALTH,
	NOHEALTH,
	MOUNT,
	PORT,
	RESTART,
	TMPFS,
	ULIMIT,
	VOLUME,
};

struct flag {
	const char *name;
	char letter;
	enum flag_kind kind;
	const char *field;
};

static const struct flag flags[] = {
#define DOCKER_FLAG(name, letter, kind, field) {name, letter, kind, field},
#include "docker_flags.def"
#undef DOCKER_FLAG
};

/* One field's JSON, growing: "[a,b" or "{k:v" without its end, or a value. */
struct field {
	const char *name;
	struct pr_buf json;
	char end; /* ']', '}' or 0 */
};

struct run {
	struct command *c;
	struct field fields[PR_COUNT(flags)];
	size_t n;
	struct pr_buf volumes; /* of -v /x */
	struct pr_str name;
};

static struct field *
field_of(struct run *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->fields[i].name, name) == 0)
			return &r->fields[i];
	}
	r->fields[r->n] = (struct field){name, PR_BUF_INIT, 0};
	return &r->fields[r->n++];
}

/* Room for one more element; the buffer to write it in. */
static struct pr_buf *
element(struct field *f, char begin, char end)
{
	pr_buf_char(&f->json, (char)(f->json.n == 0 ? begin : ','));
	f->end = end;
	return &f->json;
}

static void
add_pair(struct pr_buf *b, struct pr_str text, char sep)
{
	struct pr_str value = text, key = pr_str_cut(&value, sep);

	pr_buf_json(b, key);
	pr_buf_char(b, ':');
	pr_buf_json(b, value);
}

static bool
parse_size(struct pr_str s, int64_t *out)
{
	static const char units[] = "bkmgt";
	char *end;
	char text[64];
	double v;
	const char *unit;

	if (s.n == 0 || s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	v = strtod(text, &end);
	if (end == text)
		return false;
	if (*end != '\0') {
		unit = strchr(units, *end | 0x20);
		if (unit == NULL)
			return false;
		for (long i = unit - units; i > 0; i--)
			v *= 1024;
	}
	*out = (int64_t)v;
	return true;
}

static int
add_number(struct run *r, struct field *f, enum flag_kind kind, struct pr_str s)
{
	int64_t v;

	if (kind == CPUS) {
		char text[64];

		if (s.n == 0 || s.n >= sizeof text)
			return command_fail(r->c, "--cpus wants a number");
		snprintf(text, sizeof text, "%.*s", PR_STRF(s));
		v = (int64_t)(strtod(text, NULL) * 1e9);
	} else if (!parse_size(s, &v)) {
		return command_fail(
		    r->c, "%.*s is no number or size", PR_STRF(s));
	}
	pr_buf_reset(&f->json);
	pr_buf_i64(&f->json, v);
	return 0;
}

static void
add_device(struct field *f, struct pr_str s)
{
	struct pr_buf *b = element(f, '[', ']');
	struct pr_str rest = s, host = pr_str_cut(&rest, ':');
	struct pr_str inside = rest.p != NULL ? pr_str_cut(&rest, ':') : host;

	pr_buf_cstr(b, "{\"PathOnHost\":");
	pr_buf_json(b, host);
	pr_buf_cstr(b, ",\"PathInContainer\":");
	pr_buf_json(b, inside);
	pr_buf_cstr(b, ",\"CgroupPermissions\":");
	pr_buf_json(b, rest.p != NULL ? rest : PR_STR("rwm"));
	pr_buf_char(b, '}');
}

/* [ip:][host:]container[/proto] */
static void
add_port(struct field *f, struct pr_str s)
{
	struct pr_buf *b = element(f, '{', '}');
	size_t last = s.n, mid;
	struct pr_str inside, host = {NULL, 0}, ip = {NULL, 0};

	while (last > 0 && s.p[last - 1] != ':')
		last--;
	inside = pr_str_sub(s, last, s.n);
	if (last > 0) {
		host = pr_str_sub(s, 0, last - 1);
		mid = host.n;
		while (mid > 0 && host.p[mid - 1] != ':')
			mid--;
		if (mid > 0) {
			ip = pr_str_sub(host, 0, mid - 1);
			host = pr_str_sub(host, mid, host.n);
		}
	}
	if (ip.n > 2 && ip.p[0] == '[')
		ip = pr_str_sub(ip, 1, ip.n - 1);
	pr_buf_printf(b, "\"%.*s%s\":[{\"HostIp\":", PR_STRF(inside),
	    pr_str_find(inside, '/') < inside.n ? "" : "/tcp");
	pr_buf_json(b, ip);
	pr_buf_cstr(b, ",\"HostPort\":");
	pr_buf_json(b, host);
	pr_buf_cstr(b, "}]");
}

static int
add_ulimit(struct run *r, struct field *f, struct pr_str s)
{
	struct pr_str hard = s, name = pr_str_cut(&hard, '=');
	struct pr_str soft = pr_str_cut(&hard, ':');
	int64_t lo, hi;

	if (hard.p == NULL)
		hard = soft;
	if (!parse_size(soft, &lo) || !parse_size(hard, &hi))
		return command_fail(r->c, "--ulimit wants name=soft[:hard]");
	struct pr_buf *b = element(f, '[', ']');

	pr_buf_cstr(b, "{\"Name\":");
	pr_buf_json(b, name);
	pr_buf_printf(
	    b, ",\"Soft\":%lld,\"Hard\":%lld}", (long long)lo, (long long)hi);
	return 0;
}

static int
add_mount(struct run *r, struct field *f, struct pr_str s)
{
	static const struct {
		const char *key, *json, *sub;
	} keys[] = {{"type", "Type", NULL}, {"source", "Source", NULL},
	    {"src", "Source", NULL}, {"target", "Target", NULL},
	    {"dst", "Target", NULL}, {"destination", "Target", NULL},
	    {"bind-propagation", "Propagation", "BindOptions"},
	    {"readonly", "ReadOnly", NULL}, {"ro", "ReadOnly", NULL}};
	struct pr_buf *b = element(f, '[', ']');
	bool first = true;

	pr_buf_char(b, '{');
	while (s.p != NULL) {
		struct pr_str value = pr_str_cut(&s, ',');
		struct pr_str key = pr_str_cut(&value, '=');
		size_t i = 0;

		while (i < PR_COUNT(keys) && !pr_str_is(key, keys[i].key))
			i++;
		if (i == PR_COUNT(keys))
			return command_fail(r->c,
			    "--mount: %.*s is not known here", PR_STRF(key));
		pr_buf_cstr(b, first ? "" : ",");
		first = false;
		if (keys[i].sub != NULL)
			pr_buf_printf(b, "\"%s\":{", keys[i].sub);
		pr_buf_printf(b, "\"%s\":", keys[i].json);
		if (strcmp(keys[i].json, "ReadOnly") == 0)
			pr_buf_cstr(b, "true");
		else
			pr_buf_json(b, value);
		if (keys[i].sub != NULL)
			pr_buf_char(b, '}');
	}
	pr_buf_char(b, '}');
	return 0;
}

static void
add_restart(struct field *f, struct pr_str s)
{
	struct pr_str max = s, name = pr_str_cut(&max, ':');
	uint64_t count = 0;

	pr_str_u64(max, &count);
	pr_buf_reset(&f->json);
	pr_buf_cstr(&f->json, "{\"Name\":");
	pr_buf_json(&f->json, name);
	pr_buf_printf(&f->json, ",\"MaximumRetryCount\":%llu}",
	    (unsigned long long)count);
}

/* "-v /x" is an anonymous volume; everything else is a bind. */
static void
add_volume(struct run *r, struct pr_str s)
{
	if (pr_str_find(s, ':') < s.n) {
		pr_buf_json(element(field_of(r, ".Binds"), '[', ']'), s);
		return;
	}
	struct pr_buf *b = element(field_of(r, "Volumes"), '{', '}');

	pr_buf_json(b, s);
	pr_buf_cstr(b, ":{}");
}

static int
apply(struct run *r, const struct flag *flag, struct pr_str value)
{
	struct field *f;

	switch (flag->kind) {
	case IGNORE:
	case SWITCH:
		return 0;
	case NAME:
		r->name = value;
		return 0;
	case VOLUME:
		add_volume(r, value);
		return 0;
	default:
		break;
	}
	f = field_of(r, flag->field);
	switch (flag->kind) {
	case BOOL:
		pr_buf_reset(&f->json);
		pr_buf_cstr(
		    &f->json, pr_str_is(value, "false") ? "false" : "true");
		break;
	case TEXT:
		pr_buf_reset(&f->json);
		pr_buf_json(&f->json, value);
		break;
	case LIST:
		pr_buf_json(element(f, '[', ']'), value);
		break;
	case MAP:
		add_pair(element(f, '{', '}'), value, '=');
		break;
	case TMPFS:
		add_pair(element(f, '{', '}'), value, ':');
		break;
	case NUMBER:
	case SIZE:
	case CPUS:
		return add_number(r, f, flag->kind, value);
	case DEVICE:
		add_device(f, value);
		break;
	case GPUS:
		pr_buf_cstr(element(f, '[', ']'),
		    "{\"Count\":-1,\"Capabilities\":[[\"gpu\"]]}");
		break;
	case HEALTH:
		pr_buf_cstr(&f->json, "{\"Test\":[\"CMD-SHELL\",");
		pr_buf_json(&f->json, value);
		pr_buf_cstr(&f->json, "]}");
		break;
	case NOHEALTH:
		pr_buf_cstr(&f->json, "{\"Test\":[\"NONE\"]}");
		break;
	case MOUNT:
		return add_mount(r, f, value);
	case PORT:
		add_port(f, value);
		break;
	case RESTART:
		add_restart(f, value);
		break;
	case ULIMIT:
		return add_ulimit(r, f, value);
	case IGNORE:
	case SWITCH:
	case NAME:
	case VOLUME:
		break;
	}
	return 0;
}

static bool
takes_value(const struct flag *flag)
{
	return flag->kind != BOOL && flag->kind != SWITCH &&
	    flag->kind != NOHEALTH;
}

static const struct flag *
find_long(struct pr_str name)
{
	for (size_t i = 0; i < PR_COUNT(flags); i++) {
		if (pr_str_is(name, flags[i].name))
			return &flags[i];
	}
	return NULL;
}

static const struct flag *
find_short(char letter)
{
	for (size_t i = 0; i < PR_COUNT(flags); i++) {
		if (flags[i].letter == letter)
			return &flags[i];
	}
	return NULL;
}

static int
next_value(struct run *r, const struct flag *flag, struct pr_str *value)
{
	if (r->c->at == r->c->n)
		return command_fail(r->c, "--%s wants a value", flag->name);
	*value = r->c->words[r->c->at++];
	return 0;
}

static int
read_long(struct run *r, struct pr_str word)
{
	struct pr_str value = pr_str_sub(word, 2, word.n);
	struct pr_str name = pr_str_cut(&value, '=');
	const struct flag *flag = find_long(name);

	if (flag == NULL)
		return command_fail(
		    r->c, "--%.*s is not known here", PR_STRF(name));
	if (value.p == NULL && takes_value(flag) &&
	    next_value(r, flag, &value) < 0)
		return -1;
	return apply(r, flag, value);
}

/* "-it", "-p80:80", "-p 80:80" */
static int
read_short(struct run *r, struct pr_str word)
{
	for (size_t i = 1; i < word.n; i++) {
		const struct flag *flag = find_short(word.p[i]);
		struct pr_str value = {NULL, 0};

		if (flag == NULL)
			return command_fail(
			    r->c, "-%c is not known here", word.p[i]);
		if (!takes_value(flag)) {
			if (apply(r, flag, value) < 0)
				return -1;
			continue;
		}
		value = pr_str_sub(word, i + 1, word.n);
		if (value.n > 0 && value.p[0] == '=')
			value = pr_str_sub(value, 1, value.n);
		if (value.n == 0 && next_value(r, flag, &value) < 0)
			return -1;
		return apply(r, flag, value);
	}
	return 0;
}

static void
put_fields(struct run *r, struct pr_buf *out, bool host)
{
	bool first = true, log = false;

	for (size_t i = 0; i < r->n; i++) {
		struct field *f = &r->fields[i];
		const char *name = f->name;

		if ((name[0] == '.') != host || f->json.n == 0)
			continue;
		name += host;
		if (strncmp(name, "LogConfig.", 10) == 0) {
			log = true;
			continue;
		}
		pr_buf_printf(out, "%s\"%s\":", first ? "" : ",", name);
		first = false;
		pr_buf_str(out, pr_buf_view(&f->json));
		if (f->end != 0)
			pr_buf_char(out, f->end);
	}
	if (!log)
		return;
	pr_buf_printf(out, "%s\"LogConfig\":{", first ? "" : ",");
	first = true;
	for (size_t i = 0; i < r->n; i++) {
		struct field *f = &r->fields[i];

		if (strncmp(f->name, ".LogConfig.", 11) != 0)
			continue;
		pr_buf_printf(out, "%s\"%s\":", first ? "" : ",", f->name + 11);
		first = false;
		pr_buf_str(out, pr_buf_view(&f->json));
		if (f->end != 0)
			pr_buf_char(out, f->end);
	}
	pr_buf_char(out, '}');
}

static void
put_body(struct run *r, struct pr_str image, struct pr_buf *out)
{
	pr_buf_cstr(out, "{\"Image\":");
	pr_buf_json(out, image);
	pr_buf_cstr(out, ",\"Cmd\":[");
	for (size_t i = r->c->at; i < r->c->n; i++) {
		pr_buf_cstr(out, i > r->c->at ? "," : "");
		pr_buf_json(out, r->c->words[i]);
	}
	pr_buf_cstr(out, "],");

	size_t before = out->n;

	put_fields(r, out, false);
	if (out->n > before)
		pr_buf_char(out, ',');
	pr_buf_cstr(out, "\"HostConfig\":{");
	put_fields(r, out, true);
	pr_buf_cstr(out, "}}");
}

int
command_run(struct command *c, struct pr_call *call)
{
	struct run r = {.c = c};
	PR_CLEANUP(pr_buf_fini) struct pr_buf body = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf target = PR_BUF_INIT;
	int rc = 0;

	while (rc == 0 && c->at < c->n && c->words[c->at].n > 1 &&
	    c->words[c->at].p[0] == '-') {
		struct pr_str word = c->words[c->at++];

		rc = word.p[1] == '-' ? read_long(&r, word)
				      : read_short(&r, word);
	}
	if (rc == 0 && c->at == c->n)
		rc = command_fail(c, "no image is named");
	if (rc == 0) {
		struct pr_str image = c->words[c->at++];

		put_body(&r, image, &body);
		pr_buf_cstr(&target, "/v1.41/containers/create");
		if (r.name.n > 0) {
			pr_buf_cstr(&target, "?name=");
			command_escape(&target, r.name, true);
		}
		command_set(
		    call, "POST", pr_arena_str(c->arena, pr_buf_view(&target)));
		command_set_json(c, call, &body);
	}
	for (size_t i = 0; i < r.n; i++)
		pr_buf_fini(&r.fields[i].json);
	return rc;
}
