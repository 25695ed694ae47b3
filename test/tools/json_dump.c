/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we see in documents, for test/integration/go/json.go to compare with
 * what Go sees.  stdin: documents, each after its length (32 bits, little
 * endian); the length ~0 alone: answer now.  stdout: for each a line,
 * "REFUSED" or the values of the types below in a canonical spelling: fields
 * in the order of the type, ~ for nil, maps sorted.
 */
#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/caps.h>
#include <portreeve/json.h>

enum kind {
	STRING,
	BOOL,
	INT,
	UINT16,
	LIST,
	MAP,
	STRUCT,
	POINTER,
	WORDS, /* Docker's strslice: a string, or a list of strings */
};

struct type {
	enum kind kind;
	const struct type *of;
	const struct field *fields;
};

struct field {
	const char *name; /* NULL: the end */
	const struct type *type;
};

#define TYPE(name, ...) static const struct type name = {__VA_ARGS__}
#define RECORD(name, ...)                             \
	static const struct field name##_fields[] = { \
	    __VA_ARGS__, {NULL, NULL}};               \
	TYPE(name, STRUCT, NULL, name##_fields)

TYPE(string, STRING, NULL, NULL);
TYPE(boolean, BOOL, NULL, NULL);
TYPE(integer, INT, NULL, NULL);
TYPE(uint16, UINT16, NULL, NULL);
TYPE(words, WORDS, NULL, NULL);
TYPE(strings, LIST, &string, NULL);
TYPE(string_map, MAP, &string, NULL);
TYPE(boolean_ptr, POINTER, &boolean, NULL);
TYPE(integer_ptr, POINTER, &integer, NULL);
static const struct field nothing[] = {{NULL, NULL}};
TYPE(empty, STRUCT, NULL, nothing);
TYPE(empty_map, MAP, &empty, NULL);

RECORD(
    health, {"Test", &strings}, {"Interval", &integer}, {"Retries", &integer});
TYPE(health_ptr, POINTER, &health, NULL);
RECORD(port, {"HostIp", &string}, {"HostPort", &string});
TYPE(ports, LIST, &port, NULL);
TYPE(port_map, MAP, &ports, NULL);
RECORD(restart, {"Name", &string}, {"MaximumRetryCount", &integer});
RECORD(device, {"PathOnHost", &string}, {"PathInContainer", &string},
    {"CgroupPermissions", &string});
TYPE(devices, LIST, &device, NULL);
RECORD(ulimit, {"Name", &string}, {"Hard", &integer}, {"Soft", &integer});
TYPE(ulimit_ptr, POINTER, &ulimit, NULL);
TYPE(ulimits, LIST, &ulimit_ptr, NULL);
RECORD(bind, {"Propagation", &string}, {"NonRecursive", &boolean});
TYPE(bind_ptr, POINTER, &bind, NULL);
RECORD(mount, {"Type", &string}, {"Source", &string}, {"Target", &string},
    {"ReadOnly", &boolean}, {"BindOptions", &bind_ptr});
TYPE(mounts, LIST, &mount, NULL);
RECORD(logging, {"Type", &string}, {"Config", &string_map});
RECORD(host, {"Binds", &strings}, {"NetworkMode", &string},
    {"PortBindings", &port_map}, {"RestartPolicy", &restart},
    {"AutoRemove", &boolean}, {"VolumesFrom", &strings}, {"CapAdd", &words},
    {"PidMode", &string}, {"Privileged", &boolean}, {"SecurityOpt", &strings},
    {"Sysctls", &string_map}, {"Memory", &integer}, {"MemorySwap", &integer},
    {"NanoCpus", &integer}, {"BlkioWeight", &uint16}, {"Devices", &devices},
    {"OomKillDisable", &boolean_ptr}, {"PidsLimit", &integer_ptr},
    {"Ulimits", &ulimits}, {"Mounts", &mounts}, {"LogConfig", &logging},
    {"MaskedPaths", &strings}, {"Tmpfs", &string_map});
TYPE(host_ptr, POINTER, &host, NULL);
RECORD(ipam, {"IPv4Address", &string}, {"LinkLocalIPs", &strings});
TYPE(ipam_ptr, POINTER, &ipam, NULL);
RECORD(endpoint, {"IPAMConfig", &ipam_ptr}, {"Links", &strings},
    {"Aliases", &strings}, {"DriverOpts", &string_map},
    {"MacAddress", &string});
TYPE(endpoint_ptr, POINTER, &endpoint, NULL);
TYPE(endpoint_map, MAP, &endpoint_ptr, NULL);
RECORD(networking, {"EndpointsConfig", &endpoint_map});
TYPE(networking_ptr, POINTER, &networking, NULL);
RECORD(create, {"Hostname", &string}, {"User", &string},
    {"AttachStdin", &boolean}, {"ExposedPorts", &empty_map}, {"Tty", &boolean},
    {"Env", &strings}, {"Cmd", &words}, {"Entrypoint", &words},
    {"Healthcheck", &health_ptr}, {"Image", &string}, {"Volumes", &empty_map},
    {"WorkingDir", &string}, {"Labels", &string_map},
    {"StopTimeout", &integer_ptr}, {"HostConfig", &host_ptr},
    {"NetworkingConfig", &networking_ptr});

static bool show(
    struct pr_buf *b, const struct type *t, const struct pr_json *v);

static void
show_string(struct pr_buf *b, struct pr_str s)
{
	pr_buf_char(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == '"' || c == '\\')
			pr_buf_printf(b, "\\%02x", c);
		else
			pr_buf_char(b, (char)c);
	}
	pr_buf_char(b, '"');
}

/* Absent, and null where it means "leave it as it is". */
static bool
is_unset(const struct pr_json *v)
{
	return v == NULL || v->type == PR_JSON_NULL;
}

static bool
show_int(struct pr_buf *b, const struct pr_json *v, int64_t max)
{
	int64_t i = is_unset(v) ? 0 : v->i;

	if (!is_unset(v) &&
	    (v->type != PR_JSON_NUMBER || !(v->flags & PR_JSON_INT)))
		return false;
	if (max < INT64_MAX && (i < 0 || i > max))
		return false;
	/* a uint is not parsed from "-0" */
	if (max < INT64_MAX && !is_unset(v) && i == 0 && v->end - v->begin > 1)
		return false;
	pr_buf_i64(b, i);
	return true;
}

static bool
show_list(struct pr_buf *b, const struct type *of, const struct pr_json *v)
{
	if (v->type != PR_JSON_ARRAY)
		return false;
	pr_buf_char(b, '[');
	for (uint32_t i = 0; i < v->n; i++) {
		if (!show(b, of, &v->items[i]))
			return false;
		pr_buf_char(b, ',');
	}
	pr_buf_char(b, ']');
	return true;
}

static int
by_key(const void *a, const void *b)
{
	const struct pr_json_member *const *x = a, *const *y = b;

	return pr_str_cmp((*x)->key, (*y)->key);
}

static bool
show_map(struct pr_buf *b, const struct type *of, const struct pr_json *v)
{
	const struct pr_json_member **sorted;
	bool ok = true;

	if (v->type != PR_JSON_OBJECT)
		return false;
	sorted = pr_xcalloc(v->n, sizeof(void *));
	for (uint32_t i = 0; i < v->n; i++)
		sorted[i] = &v->members[i];
	qsort(sorted, v->n, sizeof(void *), by_key);
	pr_buf_char(b, '<');
	for (uint32_t i = 0; ok && i < v->n; i++) {
		show_string(b, sorted[i]->key);
		pr_buf_char(b, ':');
		ok = show(b, of, &sorted[i]->value);
		pr_buf_char(b, ',');
	}
	pr_buf_char(b, '>');
	free(sorted);
	return ok;
}

static bool
show_struct(struct pr_buf *b, const struct field *f, const struct pr_json *v)
{
	if (!is_unset(v) &&
	    (v->type != PR_JSON_OBJECT ||
		(v->flags & (PR_JSON_TWINS | PR_JSON_ODD_KEY))))
		return false;
	pr_buf_char(b, '{');
	for (; f->name != NULL; f++) {
		if (!show(b, f->type, pr_json_field(v, f->name)))
			return false;
		pr_buf_char(b, ',');
	}
	pr_buf_char(b, '}');
	return true;
}

/* v may be NULL: absent.  False: Go would not take it, or we refuse. */
static bool
show(struct pr_buf *b, const struct type *t, const struct pr_json *v)
{
	if (is_unset(v) && t->kind >= LIST && t->kind != STRUCT) {
		pr_buf_char(b, '~');
		return true;
	}
	switch (t->kind) {
	case STRING:
		if (!is_unset(v) && v->type != PR_JSON_STRING)
			return false;
		show_string(b, is_unset(v) ? PR_STR("") : v->str);
		return true;
	case BOOL:
		if (!is_unset(v) && v->type != PR_JSON_TRUE &&
		    v->type != PR_JSON_FALSE)
			return false;
		pr_buf_char(
		    b, !is_unset(v) && v->type == PR_JSON_TRUE ? 't' : 'f');
		return true;
	case INT:
		return show_int(b, v, INT64_MAX);
	case UINT16:
		return show_int(b, v, UINT16_MAX);
	case LIST:
		return show_list(b, t->of, v);
	case MAP:
		return show_map(b, t->of, v);
	case STRUCT:
		return show_struct(b, t->fields, v);
	case POINTER:
		return show(b, t->of, v);
	case WORDS:
		if (v->type != PR_JSON_STRING)
			return show_list(b, &string, v);
		pr_buf_char(b, '[');
		show_string(b, v->str);
		pr_buf_cstr(b, ",]");
		return true;
	}
	return false;
}

static void
answer(struct pr_arena *a, struct pr_buf *b, struct pr_str text)
{
	struct pr_json_fault fault;
	const struct pr_json *v = pr_json_read(a, text, &fault);

	pr_buf_reset(b);
	if (v == NULL || !show(b, &create, v)) {
		pr_buf_reset(b);
		pr_buf_cstr(b, "REFUSED");
	}
	pr_buf_char(b, '\n');
	fwrite(b->p, 1, b->n, stdout);
	pr_arena_reset(a, 1 << 20);
}

int
main(void)
{
	struct pr_arena *a = pr_arena_new(65536);
	struct pr_buf b = PR_BUF_INIT;
	uint32_t n;

	while (fread(&n, sizeof n, 1, stdin) == 1) {
		char *text;

		n = le32toh(n);
		if (n == UINT32_MAX) {
			fflush(stdout);
			continue;
		}
		if (n > PR_CAP_PROXY_BODY)
			return EXIT_FAILURE;
		/* of its own, so that a byte too many is seen by ASan */
		text = pr_xmalloc(n);
		if (fread(text, 1, n, stdin) != n)
			return EXIT_FAILURE;
		answer(a, &b, (struct pr_str){text, n});
		free(text);
	}
	pr_buf_fini(&b);
	pr_arena_free(a);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
