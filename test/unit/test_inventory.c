/* SPDX-License-Identifier: Apache-2.0 */
/* The inventory against a dockerd that answers what a row of a table says. */
#include <sys/socket.h>
#include <sys/un.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/buf.h>
#include <portreeve/clock.h>
#include <portreeve/inventory.h>

#include "unit.h"

#define ID_A "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
#define ID_B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define WEB  "{\"Id\":\"" ID_A "\",\"Name\":\"/web\",\"Config\":{\"Labels\":{}}}"

/* ---- the daemon ---- */

static char dir[64], path[96];
static struct pr_inventory *inv;
static struct pr_ledger *ledger;
static int listener = -1;
static pthread_t acceptor;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int conns[256]; /* open; index by order of arrival */
static pthread_t servers[256];
static unsigned n_conns, n_asked;
static int events_fd = -1;

/* the script: what look-ups of objects get, raw or as JSON with a status */
static const char *raw, *json, *list;
static int status;
static unsigned delay_ms;
static bool hold;
static atomic_bool hang_up, drop_idle;
static atomic_uint wrong_nonces;
static const char *events_head;

static void
send_all(int fd, const char *text)
{
	size_t n = strlen(text);

	while (n > 0) {
		ssize_t w = send(fd, text, n, MSG_NOSIGNAL);

		if (w <= 0)
			return;
		text += w;
		n -= (size_t)w;
	}
}

static void
send_json(int fd, int code, const char *body)
{
	char head[160];

	snprintf(head, sizeof head,
	    "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    code, strlen(body));
	send_all(fd, head);
	send_all(fd, body);
}

static void
send_event(const char *event)
{
	char chunk[1024];

	pthread_mutex_lock(&lock);
	snprintf(
	    chunk, sizeof chunk, "%zx\r\n%s\n\r\n", strlen(event) + 1, event);
	send_all(events_fd, chunk);
	pthread_mutex_unlock(&lock);
}

static bool
accept_nonce(const char *nonce, const char *target, enum pr_nonce_stage stage)
{
	bool ok = pr_nonce_accept(pr_inventory_nonces(inv), pr_str_of(nonce),
	    PR_STR("GET"), pr_str_of(target), stage, true);

	if (!ok)
		atomic_fetch_add(&wrong_nonces, 1);
	return ok;
}

static void
begin_events(int fd)
{
	static const char head[] =
	    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n";

	pthread_mutex_lock(&lock);
	events_fd = fd;
	send_all(fd, events_head != NULL ? events_head : head);
	pthread_mutex_unlock(&lock);
}

static void
answer_object(int fd)
{
	pthread_mutex_lock(&lock);
	unsigned ms = delay_ms;

	n_asked++;
	pthread_mutex_unlock(&lock);
	usleep(ms * 1000);
	pthread_mutex_lock(&lock);
	while (hold) {
		pthread_mutex_unlock(&lock);
		usleep(1000);
		pthread_mutex_lock(&lock);
	}
	if (raw != NULL)
		send_all(fd, raw);
	else
		send_json(fd, status, json);
	pthread_mutex_unlock(&lock);
}

static void
send_list(int fd)
{
	pthread_mutex_lock(&lock);
	send_json(fd, 200, list);
	pthread_mutex_unlock(&lock);
}

/* False: the connection is to be closed. */
static bool
answer(int fd, const char *target, const char *nonce)
{
	if (!accept_nonce(nonce, target, PR_NONCE_REQUEST)) {
		send_json(fd, 403, "{\"message\":\"no\"}");
		return true;
	}
	if (strncmp(target, "/events?", 8) == 0) {
		begin_events(fd);
		return true;
	}
	(void)accept_nonce(nonce, target, PR_NONCE_RESPONSE);
	if (strcmp(target, "/version") == 0)
		send_json(fd, 200, "{\"ApiVersion\":\"1.41\"}");
	else if (strcmp(target, "/info") == 0)
		send_json(fd, 200, "{\"DefaultRuntime\":\"runc\"}");
	else if (strcmp(target, "/containers/json?all=1") == 0 ||
	    strcmp(target, "/images/json?all=1") == 0 ||
	    strcmp(target, "/networks") == 0)
		send_list(fd);
	else
		answer_object(fd);
	return !hang_up && !drop_idle;
}

static bool
read_request(int fd, char *buf, size_t cap)
{
	size_t n = 0;

	while (n + 1 < cap) {
		ssize_t r = recv(fd, buf + n, 1, 0);

		if (r <= 0)
			return false;
		buf[++n] = '\0';
		if (n >= 4 && strcmp(buf + n - 4, "\r\n\r\n") == 0)
			return true;
		buf[n] = '\0';
	}
	return false;
}

static void *
serve(void *arg)
{
	int fd = *(int *)arg;
	char buf[4096], target[2048], nonce[80];

	while (read_request(fd, buf, sizeof buf)) {
		const char *header = strstr(buf, PR_LOOKUP_HEADER ": ");

		if (header == NULL || sscanf(buf, "GET %2047s", target) != 1 ||
		    sscanf(header, "%*s %64s", nonce) != 1 ||
		    !answer(fd, target, nonce))
			break;
	}
	/* the descriptor is closed at the end of the test */
	shutdown(fd, SHUT_RDWR);
	return NULL;
}

static void *
accept_all(void *arg PR_UNUSED)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			return NULL;
		ck_assert_uint_lt(n_conns, PR_COUNT(conns));
		conns[n_conns] = fd;
		pthread_create(&servers[n_conns], NULL, serve, &conns[n_conns]);
		n_conns++;
	}
}

static void
start_daemon(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	strcpy(sun.sun_path, path);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(
	    bind(listener, (const struct sockaddr *)&sun, sizeof sun), 0);
	ck_assert_int_eq(listen(listener, 128), 0);
	pthread_create(&acceptor, NULL, accept_all, NULL);
}

static void
wait_events(bool on)
{
	struct pr_inventory_stats s;

	do {
		usleep(2000);
		pr_inventory_stats(inv, &s);
	} while (s.events != on);
}

static void
open_with(unsigned max_lookups)
{
	struct pr_inventory_config config = {
	    .socket = path, .max_lookups = max_lookups};
	char db[128];

	snprintf(db, sizeof db, "%s/ledger.db", dir);
	ledger = pr_ledger_open(db, NULL);
	inv = pr_inventory_open(&config, ledger, NULL);
	ck_assert_ptr_nonnull(inv);
	start_daemon();
}

static void
setup(void)
{
	strcpy(dir, "/tmp/inventory.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/docker.sock", dir);
	status = 200;
	json = WEB;
	list = "[]";
}

static void
set_hold(bool on)
{
	pthread_mutex_lock(&lock);
	hold = on;
	pthread_mutex_unlock(&lock);
}

static void
teardown(void)
{
	static const char *const names[] = {
	    "docker.sock", "ledger.db", "ledger.db-wal", "ledger.db-shm"};

	/* the daemon asks the inventory about nonces: it ends first */
	set_hold(false);
	shutdown(listener, SHUT_RDWR);
	pthread_join(acceptor, NULL);
	close(listener);
	for (unsigned i = 0; i < n_conns; i++)
		shutdown(conns[i], SHUT_RDWR);
	for (unsigned i = 0; i < n_conns; i++) {
		pthread_join(servers[i], NULL);
		close(conns[i]);
	}
	pr_inventory_close(inv);
	pr_ledger_close(ledger);
	for (size_t i = 0; i < PR_COUNT(names); i++) {
		char name[128];

		snprintf(name, sizeof name, "%s/%s", dir, names[i]);
		unlink(name);
	}
	rmdir(dir);
}

static struct pr_object_ref *
get(const char *ref)
{
	return pr_inventory_get(inv, PR_KIND_CONTAINER, pr_str_of(ref),
	    pr_clock_now() + 20 * PR_SEC);
}

static unsigned
asked(void)
{
	pthread_mutex_lock(&lock);
	unsigned n = n_asked;

	pthread_mutex_unlock(&lock);
	return n;
}

static void
set_json(int code, const char *body)
{
	pthread_mutex_lock(&lock);
	raw = NULL;
	status = code;
	json = body;
	pthread_mutex_unlock(&lock);
}

static void
make_stale(void)
{
	pr_inventory_mutating_end(
	    inv, pr_inventory_mutating_begin(inv, PR_KIND_CONTAINER, 0));
}

/* ---- what comes back ---- */

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

static const struct {
	const char *raw;
	int status; /* with json, where raw is NULL */
	const char *json;
	enum pr_presence want;
} answers[] = {
    {NULL, 200, WEB, PR_PRESENT},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n"
	  "5\r\n{\"Id\"\r\n"
	  "44\r\n:\"" ID_A "\",\r\n"
	  "10\r\n\"Name\": \"/web\" }\r\n0\r\n\r\n",
	0, NULL, PR_PRESENT},
    {NULL, 404, "{\"message\":\"No such container: web\"}", PR_ABSENT},
    {NULL, 404, "{\"message\":\"page not found\"}", PR_PRESENCE_UNKNOWN},
    {NULL, 404, "{}", PR_PRESENCE_UNKNOWN},
    {NULL, 404, "[]", PR_PRESENCE_UNKNOWN},
    {NULL, 500, "{\"message\":\"boom\"}", PR_PRESENCE_UNKNOWN},
    {NULL, 403, "{\"message\":\"denied\"}", PR_PRESENCE_UNKNOWN},
    {NULL, 201, WEB, PR_PRESENCE_UNKNOWN},
    {NULL, 301, "{}", PR_PRESENCE_UNKNOWN},
    {NULL, 200, "{}", PR_PRESENCE_UNKNOWN},
    {NULL, 200, "[]", PR_PRESENCE_UNKNOWN},
    {NULL, 200, "null", PR_PRESENCE_UNKNOWN},
    {NULL, 200, "", PR_PRESENCE_UNKNOWN},
    {NULL, 200, WEB "x", PR_PRESENCE_UNKNOWN},
    {NULL, 200, "{\"Id\":\"" ID_A "\",\"Name\":\"/other\"}",
	PR_PRESENCE_UNKNOWN},
    {NULL, 200, "{\"Id\":\"" ID_A "\",\"Name\":\"web\\u0000\"}",
	PR_PRESENCE_UNKNOWN},
    {NULL, 200, "{\"Id\":7,\"Name\":\"/web\"}", PR_PRESENCE_UNKNOWN},
    {NULL, 200, "{\"Id\":\"\",\"Name\":\"/web\"}", PR_PRESENCE_UNKNOWN},
    {NULL, 200, "{\"id\":\"" ID_A "\",\"name\":\"/web\"}", PR_PRESENCE_UNKNOWN},
    {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0, NULL,
	PR_PRESENCE_UNKNOWN},
    {"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
     "Content-Length: 2\r\n\r\n{}",
	0, NULL, PR_PRESENCE_UNKNOWN},
    {HEAD "\r\n" WEB, 0, NULL, PR_PRESENCE_UNKNOWN},
    {HEAD "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 0, NULL,
	PR_PRESENCE_UNKNOWN},
    {HEAD "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", 0, NULL,
	PR_PRESENCE_UNKNOWN},
    {HEAD "Content-Length: -2\r\n\r\n{}", 0, NULL, PR_PRESENCE_UNKNOWN},
    {HEAD "Content-Length: 99999999999\r\n\r\n{}", 0, NULL,
	PR_PRESENCE_UNKNOWN},
    {HEAD "Transfer-Encoding: gzip\r\n\r\n{}", 0, NULL, PR_PRESENCE_UNKNOWN},
    {HEAD "Transfer-Encoding: chunked\r\n\r\nxx\r\n{}", 0, NULL,
	PR_PRESENCE_UNKNOWN},
    {HEAD "Transfer-Encoding: chunked\r\n\r\nffffffff\r\n{}", 0, NULL,
	PR_PRESENCE_UNKNOWN},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}x\r\n0\r\n\r\n", 0, NULL,
	PR_PRESENCE_UNKNOWN},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\n\r\n", 0,
	NULL, PR_PRESENCE_UNKNOWN},
    {"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", 0, NULL, PR_PRESENCE_UNKNOWN},
    {HEAD " folded: x\r\nContent-Length: 2\r\n\r\n{}", 0, NULL,
	PR_PRESENCE_UNKNOWN},
    {HEAD "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 0, NULL,
	PR_PRESENCE_UNKNOWN},
    {"HTTP/1.1 2000 OK\r\n\r\n", 0, NULL, PR_PRESENCE_UNKNOWN},
    {"HTTP/1.1 100 Continue\r\n\r\n", 0, NULL, PR_PRESENCE_UNKNOWN},
    {"garbage\r\n\r\n", 0, NULL, PR_PRESENCE_UNKNOWN},
};

START_TEST(answers_are_taken_or_not)
{
	hang_up = answers[_i].raw != NULL;
	raw = answers[_i].raw;
	status = answers[_i].status;
	json = answers[_i].json;
	open_with(0);
	struct pr_object_ref *r = get("web");
	const struct pr_object *o = pr_object_of(r);

	ck_assert_msg(o->presence == answers[_i].want, "row %d: %d %s", _i,
	    (int)o->presence, o->why != NULL ? o->why : "");
	ck_assert_int_eq(
	    o->why != NULL, answers[_i].want == PR_PRESENCE_UNKNOWN);
	if (o->presence == PR_PRESENT) {
		ck_assert(pr_str_is(o->id, ID_A));
		ck_assert(pr_str_is(o->name, "web"));
		ck_assert_int_eq(o->by, PR_BY_NAME);
	} else {
		ck_assert_uint_eq(o->id.n, 0);
		ck_assert_ptr_null(o->inspect);
	}
	pr_object_unref(r);
}
END_TEST

START_TEST(an_answer_cut_anywhere_is_unknown)
{
	static const char whole[] =
	    HEAD "Transfer-Encoding: chunked\r\n\r\n"
		 "5\r\n{\"Id\"\r\n44\r\n:\"" ID_A "\",\r\n"
		 "10\r\n\"Name\": \"/web\" }\r\n0\r\n\r\n";
	static char part[sizeof whole];

	open_with(0);
	hang_up = true;
	for (size_t n = 0; n < sizeof whole - 1; n++) {
		pthread_mutex_lock(&lock);
		memcpy(part, whole, n);
		part[n] = '\0';
		raw = part;
		pthread_mutex_unlock(&lock);
		struct pr_object_ref *r = get("web");

		ck_assert_int_eq(
		    pr_object_of(r)->presence, PR_PRESENCE_UNKNOWN);
		pr_object_unref(r);
	}
}
END_TEST

static const struct {
	enum pr_kind kind;
	const char *ref;
} faulty[] = {
    {PR_KIND_CONTAINER, ""},
    {PR_KIND_CONTAINER, "a/b"},
    {PR_KIND_CONTAINER, "."},
    {PR_KIND_CONTAINER, ".."},
    {PR_KIND_CONTAINER, "a\nb"},
    {PR_KIND_CONTAINER, "a\x7f"},
    {PR_KIND_VOLUME, "../x"},
    {PR_KIND_IMAGE, "a//b"},
    {PR_KIND_IMAGE, "a/../b"},
    {PR_KIND_IMAGE, "/a"},
    {PR_KIND_NONE, "a"},
    {PR_KIND_COUNT, "a"},
};

START_TEST(some_references_are_not_even_asked)
{
	open_with(0);
	struct pr_object_ref *r = pr_inventory_get(inv, faulty[_i].kind,
	    pr_str_of(faulty[_i].ref), pr_clock_now() + PR_SEC);

	ck_assert_int_eq(pr_object_of(r)->presence, PR_PRESENCE_UNKNOWN);
	ck_assert_ptr_nonnull(pr_object_of(r)->why);
	ck_assert_uint_eq(asked(), 0);
	pr_object_unref(r);
}
END_TEST

/* ---- time, numbers, sharing ---- */

START_TEST(a_slow_daemon_is_unknown_at_the_deadline)
{
	open_with(0);
	wait_events(true);
	set_hold(true);
	struct pr_object_ref *r = pr_inventory_get(
	    inv, PR_KIND_CONTAINER, PR_STR("web"), pr_clock_now() + 50 * PR_MS);

	ck_assert_int_eq(pr_object_of(r)->presence, PR_PRESENCE_UNKNOWN);
	pr_object_unref(r);
	r = pr_inventory_get(inv, PR_KIND_CONTAINER, PR_STR("web"), 1);
	ck_assert_int_eq(pr_object_of(r)->presence, PR_PRESENCE_UNKNOWN);
	pr_object_unref(r);
	set_hold(false);
}
END_TEST

static void *
get_thread(void *arg)
{
	return get(arg);
}

static void
await_lookups(unsigned n)
{
	struct pr_inventory_stats s;

	do {
		usleep(1000);
		pr_inventory_stats(inv, &s);
	} while (s.in_flight < n);
}

START_TEST(callers_of_the_same_name_share)
{
	static char web[] = "web";
	struct pr_inventory_stats s;
	pthread_t t[20];

	open_with(0);
	wait_events(true);
	set_hold(true);
	for (size_t i = 0; i < PR_COUNT(t); i++)
		pthread_create(&t[i], NULL, get_thread, web);
	await_lookups(1);
	set_hold(false);
	for (size_t i = 0; i < PR_COUNT(t); i++) {
		void *r;

		pthread_join(t[i], &r);
		ck_assert_int_eq(pr_object_of(r)->presence, PR_PRESENT);
		pr_object_unref(r);
	}
	pr_inventory_stats(inv, &s);
	ck_assert_uint_eq(asked(), 1);
	ck_assert_uint_eq(s.shared + s.hits, PR_COUNT(t) - 1);
}
END_TEST

START_TEST(a_share_does_not_outlive_a_change)
{
	static char web[] = "web";
	pthread_t t[2];

	open_with(0);
	wait_events(true);
	set_hold(true);
	pthread_create(&t[0], NULL, get_thread, web);
	await_lookups(1);
	make_stale();
	pthread_create(&t[1], NULL, get_thread, web);
	await_lookups(2);
	set_hold(false);
	for (size_t i = 0; i < PR_COUNT(t); i++) {
		void *r;

		pthread_join(t[i], &r);
		pr_object_unref(r);
	}
	ck_assert_uint_eq(asked(), 2);
}
END_TEST

START_TEST(look_ups_are_bounded)
{
	static char names[3][4] = {"a", "b", "c"};
	struct pr_inventory_stats s;
	pthread_t t[2];

	open_with(2);
	wait_events(true);
	set_hold(true);
	for (size_t i = 0; i < PR_COUNT(t); i++)
		pthread_create(&t[i], NULL, get_thread, names[i]);
	await_lookups(2);
	struct pr_object_ref *r = pr_inventory_get(
	    inv, PR_KIND_CONTAINER, PR_STR("c"), pr_clock_now() + 50 * PR_MS);

	ck_assert_int_eq(pr_object_of(r)->presence, PR_PRESENCE_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(pr_object_of(r)->why, "too many"));
	pr_object_unref(r);
	pr_inventory_stats(inv, &s);
	ck_assert_uint_eq(s.refused, 1);
	set_hold(false);
	for (size_t i = 0; i < PR_COUNT(t); i++) {
		void *got;

		pthread_join(t[i], &got);
		pr_object_unref(got);
	}
	ck_assert_uint_eq(asked(), 2);
}
END_TEST

START_TEST(a_closed_idle_connection_is_no_failure)
{
	open_with(0);
	wait_events(true);
	for (int i = 0; i < 5; i++) {
		drop_idle = i % 2 == 0;
		make_stale();
		struct pr_object_ref *r = get("web");

		ck_assert_int_eq(pr_object_of(r)->presence, PR_PRESENT);
		pr_object_unref(r);
	}
	ck_assert_uint_eq(atomic_load(&wrong_nonces), 0);
}
END_TEST

/* ---- the cache ---- */

static bool
cached(const char *ref)
{
	struct pr_object_ref *r =
	    pr_inventory_peek(inv, PR_KIND_CONTAINER, pr_str_of(ref));
	bool is = r != NULL;

	pr_object_unref(r);
	return is;
}

static void
fill(void)
{
	struct pr_object_ref *r = get("web");

	ck_assert_int_eq(pr_object_of(r)->presence, PR_PRESENT);
	pr_object_unref(r);
}

START_TEST(what_is_known_is_not_asked_again)
{
	open_with(0);
	wait_events(true);
	ck_assert(!cached("web"));
	fill();
	fill();
	ck_assert(cached("web"));
	ck_assert(cached(ID_A));
	ck_assert(!cached("aaaaaaaaaaaaaaaa"));
	ck_assert_uint_eq(asked(), 1);
}
END_TEST

START_TEST(absence_is_asked_each_time)
{
	open_with(0);
	wait_events(true);
	set_json(404, "{\"message\":\"No such container: web\"}");
	pr_object_unref(get("web"));
	pr_object_unref(get("web"));
	ck_assert_uint_eq(asked(), 2);
	ck_assert(!cached("web"));
}
END_TEST

static const struct {
	const char *event;
	bool stale;
} happenings[] = {
    {"{\"Type\":\"container\",\"Action\":\"rename\"}", true},
    {"{\"Type\":\"container\",\"Action\":\"destroy\"}", true},
    {"{\"Type\":\"container\",\"Action\":\"die\"}", true},
    {"{\"Type\":\"container\",\"Action\":\"update\"}", true},
    {"{\"Type\":\"network\",\"Action\":\"connect\"}", true},
    {"{\"Type\":\"daemon\",\"Action\":\"reload\"}", true},
    {"{\"Type\":\"unheard-of\",\"Action\":\"x\"}", true},
    {"{}", true},
    {"nonsense", true},
    {"{\"Type\":\"container\",\"Action\":\"attach\"}", false},
    {"{\"Type\":\"container\",\"Action\":\"exec_create: sh\"}", false},
    {"{\"Type\":\"container\",\"Action\":\"health_status: healthy\"}", false},
    {"{\"Type\":\"image\",\"Action\":\"tag\"}", false},
    {"{\"Type\":\"volume\",\"Action\":\"destroy\"}", false},
};

START_TEST(events_make_stale)
{
	open_with(0);
	wait_events(true);
	fill();
	send_event(happenings[_i].event);
	if (happenings[_i].stale) {
		while (cached("web"))
			usleep(1000);
		fill();
		ck_assert_uint_eq(asked(), 2);
	} else {
		/* a second event shows that the first was taken */
		send_event("{\"Type\":\"container\",\"Action\":\"destroy\","
			   "\"Actor\":{\"ID\":\"x\"},\"timeNano\":1}");
		while (cached("web"))
			usleep(1000);
		fill();
		send_event(happenings[_i].event);
		fill();
		ck_assert_uint_eq(asked(), 2);
	}
}
END_TEST

START_TEST(a_destroyed_container_leaves_the_ledger)
{
	static const char event[] =
	    "{\"Type\":\"container\",\"Action\":\"destroy\",\"Actor\":"
	    "{\"ID\":\"" ID_A "\"},\"timeNano\":9000000000000000000}";
	struct pr_ledger_entry e = {.kind = PR_KIND_CONTAINER,
	    .id = PR_STR(ID_A),
	    .team = PR_STR("pay"),
	    .phase = PR_STR("dev")};

	list = "[{\"Id\":\"" ID_A "\"}]";
	open_with(0);
	wait_events(true);
	ck_assert_int_eq(pr_ledger_put(ledger, &e, NULL), 0);
	struct pr_object_ref *r = get("web");

	ck_assert(pr_object_of(r)->in_ledger);
	ck_assert(pr_str_is(pr_object_of(r)->ledger_team, "pay"));
	ck_assert(pr_str_is(pr_object_of(r)->ledger_phase, "dev"));
	pr_object_unref(r);
	send_event(event);
	while (pr_ledger_count(ledger) > 0)
		usleep(1000);
	r = get("web");
	ck_assert(!pr_object_of(r)->in_ledger);
	pr_object_unref(r);
}
END_TEST

START_TEST(a_broken_stream_empties_the_cache)
{
	open_with(0);
	wait_events(true);
	fill();
	pthread_mutex_lock(&lock);
	shutdown(events_fd, SHUT_RDWR);
	events_head = "HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n";
	pthread_mutex_unlock(&lock);
	wait_events(false);
	ck_assert(!cached("web"));
	fill();
	ck_assert(!cached("web"));
	pthread_mutex_lock(&lock);
	events_head = NULL;
	pthread_mutex_unlock(&lock);
	wait_events(true);
	fill();
	ck_assert(cached("web"));
}
END_TEST

START_TEST(names_wait_for_what_is_on_its_way)
{
	open_with(0);
	wait_events(true);
	fill();
	uint64_t t = pr_inventory_mutating_begin(inv, PR_KIND_CONTAINER, 0);
	uint64_t other = pr_inventory_mutating_begin(inv, PR_KIND_IMAGE, 0);

	ck_assert(!cached("web"));
	fill();
	ck_assert(!cached("web"));
	ck_assert(cached(ID_A));
	pr_inventory_mutating_end(inv, t);
	pr_inventory_mutating_end(inv, t);
	ck_assert(!cached(ID_A));
	fill();
	ck_assert(cached("web"));
	pr_inventory_mutating_end(inv, other);
	ck_assert(cached("web"));
	/* one whose end is never told ends by itself */
	pr_inventory_mutating_begin(
	    inv, PR_KIND_CONTAINER, pr_clock_now() + 20 * PR_MS);
	ck_assert(!cached("web"));
	while (!cached("web"))
		fill();
	ck_assert_uint_eq(pr_inventory_mutating_begin(inv, PR_KIND_NONE, 0), 0);
	pr_inventory_mutating_end(inv, 0);
}
END_TEST

/* ---- semantics 6.3 ---- */

static const struct {
	const char *ref, *json, *list;
	enum pr_presence presence;
	enum pr_named_by by;
	bool ambiguous;
} named[] = {
    {"web", WEB, NULL, PR_PRESENT, PR_BY_NAME, false},
    {ID_A, WEB, NULL, PR_PRESENT, PR_BY_ID, false},
    {"aaaaaaaaaaaa", WEB, NULL, PR_PRESENT, PR_BY_PREFIX, false},
    {"aaaaaaaaaaa", WEB, NULL, PR_PRESENT, PR_BY_PREFIX, true},
    {"a", WEB, NULL, PR_PRESENT, PR_BY_PREFIX, true},
    {"AAAAAAAAAAAA", WEB, NULL, PR_PRESENCE_UNKNOWN, PR_BY_NOTHING, false},
    {"abab", "{\"Id\":\"" ID_A "\",\"Name\":\"/abab\"}", "[]", PR_PRESENT,
	PR_BY_NAME, false},
    {"0123", "{\"Id\":\"" ID_A "\",\"Name\":\"/0123\"}",
	"[{\"Id\":\"" ID_A "\"},{\"Id\":\"" ID_B "\"}]", PR_PRESENT, PR_BY_NAME,
	true},
    {"aaaa", "{\"Id\":\"" ID_A "\",\"Name\":\"/aaaa\"}",
	"[{\"Id\":\"" ID_A "\"}]", PR_PRESENT, PR_BY_NAME, false},
    {"0123", "{\"Id\":\"" ID_A "\",\"Name\":\"/0123\"}", "[{}]",
	PR_PRESENCE_UNKNOWN, PR_BY_NOTHING, false},
    {"0123", "{\"Id\":\"" ID_A "\",\"Name\":\"/0123\"}", "{}",
	PR_PRESENCE_UNKNOWN, PR_BY_NOTHING, false},
    {ID_B, "{\"Id\":\"" ID_A "\",\"Name\":\"/" ID_B "\"}", "[]", PR_PRESENT,
	PR_BY_NAME, false},
    {"xyz", "{\"Id\":\"" ID_A "\",\"Name\":\"/xyz\"}", "garbage", PR_PRESENT,
	PR_BY_NAME, false},
};

START_TEST(how_a_reference_names)
{
	json = named[_i].json;
	list = named[_i].list != NULL ? named[_i].list : "[]";
	open_with(0);
	struct pr_object_ref *r = get(named[_i].ref);
	const struct pr_object *o = pr_object_of(r);

	ck_assert_msg(o->presence == named[_i].presence, "%s: %s",
	    named[_i].ref, o->why != NULL ? o->why : "");
	ck_assert_int_eq(o->by, named[_i].by);
	ck_assert_int_eq(o->ambiguous, named[_i].ambiguous);
	pr_object_unref(r);
}
END_TEST

/* What is made next may have an id that begins so. */
static const struct {
	enum pr_kind kind;
	const char *ref;
	bool ambiguous;
} nothings[] = {
    {PR_KIND_CONTAINER, "a", true},
    {PR_KIND_CONTAINER, "0123456789a", true},
    {PR_KIND_CONTAINER, "0123456789ab", false},
    {PR_KIND_CONTAINER, "web", false},
    {PR_KIND_CONTAINER, "A", false},
    {PR_KIND_NETWORK, "cafe", true},
    {PR_KIND_VOLUME, "cafe", false},
    {PR_KIND_IMAGE, "cafe", false},
};

START_TEST(a_few_hex_digits_that_name_nothing)
{
	status = 404;
	json = "{\"message\":\"No such object\"}";
	open_with(0);
	struct pr_object_ref *r = pr_inventory_get(inv, nothings[_i].kind,
	    pr_str_of(nothings[_i].ref), pr_clock_now() + 10 * PR_SEC);

	ck_assert_int_eq(pr_object_of(r)->presence, PR_ABSENT);
	ck_assert_int_eq(pr_object_of(r)->ambiguous, nothings[_i].ambiguous);
	pr_object_unref(r);
}
END_TEST

static const struct {
	enum pr_kind kind;
	const char *ref, *json;
	enum pr_named_by by;
} kinds[] = {
    {PR_KIND_EXEC, ID_B, "{\"ID\":\"" ID_B "\",\"ContainerID\":\"" ID_A "\"}",
	PR_BY_ID},
    {PR_KIND_EXEC, ID_B, "{\"ID\":\"" ID_B "\"}", PR_BY_NOTHING},
    {PR_KIND_EXEC, "0123456789ab",
	"{\"ID\":\"" ID_B "\",\"ContainerID\":\"" ID_A "\"}", PR_BY_NOTHING},
    {PR_KIND_VOLUME, "data", "{\"Name\":\"data\",\"Driver\":\"nfs\"}",
	PR_BY_NAME},
    {PR_KIND_VOLUME, "dat", "{\"Name\":\"data\"}", PR_BY_NOTHING},
    {PR_KIND_NETWORK, "front", "{\"Id\":\"" ID_A "\",\"Name\":\"front\"}",
	PR_BY_NAME},
    {PR_KIND_IMAGE, "bb",
	"{\"Id\":\"sha256:" ID_A "\",\"RepoTags\":[\"bb:latest\"]}",
	PR_BY_NAME},
    {PR_KIND_IMAGE, "docker.io/library/bb:latest",
	"{\"Id\":\"sha256:" ID_A "\",\"RepoTags\":[\"x\",\"bb:latest\"]}",
	PR_BY_NAME},
    {PR_KIND_IMAGE, "bb:1",
	"{\"Id\":\"sha256:" ID_A "\",\"RepoTags\":[\"bb:latest\"]}",
	PR_BY_NOTHING},
    {PR_KIND_IMAGE, "evil/bb",
	"{\"Id\":\"sha256:" ID_A "\",\"RepoTags\":[\"bb:latest\"]}",
	PR_BY_NOTHING},
    {PR_KIND_IMAGE, "bb@sha256:" ID_B,
	"{\"Id\":\"sha256:" ID_A "\",\"RepoDigests\":[\"bb@sha256:" ID_B "\"]}",
	PR_BY_NAME},
    {PR_KIND_IMAGE, "bb:1@sha256:" ID_B,
	"{\"Id\":\"sha256:" ID_A "\",\"RepoDigests\":[\"bb@sha256:" ID_B "\"]}",
	PR_BY_NAME},
    {PR_KIND_IMAGE, "sha256:" ID_A, "{\"Id\":\"sha256:" ID_A "\"}", PR_BY_ID},
    {PR_KIND_IMAGE, ID_A, "{\"Id\":\"sha256:" ID_A "\"}", PR_BY_ID},
    {PR_KIND_IMAGE, "sha256:aaaaaaaaaaaaaa", "{\"Id\":\"sha256:" ID_A "\"}",
	PR_BY_PREFIX},
    {PR_KIND_SERVICE, "web",
	"{\"ID\":\"abc\",\"Spec\":{\"Name\":\"web\",\"Labels\":{}}}",
	PR_BY_NAME},
    {PR_KIND_SECRET, "abc", "{\"ID\":\"abc\",\"Spec\":{\"Name\":\"web\"}}",
	PR_BY_ID},
    {PR_KIND_SERVICE, "abcdefghijklm",
	"{\"ID\":\"abcdefghijklmnop\",\"Spec\":{\"Name\":\"web\"}}",
	PR_BY_PREFIX},
    {PR_KIND_NODE, "host7",
	"{\"ID\":\"abc\",\"Spec\":{},\"Description\":{\"Hostname\":"
	"\"host7\"}}",
	PR_BY_NAME},
    {PR_KIND_TASK, "abc", "{\"ID\":\"abc\",\"ServiceID\":\"def\"}", PR_BY_ID},
    /* an attachment of the swarm's own: whose it is nobody can tell */
    {PR_KIND_TASK, "abc", "{\"ID\":\"abc\"}", PR_BY_NOTHING},
    {PR_KIND_CONFIG, "zzz", "{\"ID\":\"abc\",\"Spec\":{\"Name\":\"web\"}}",
	PR_BY_NOTHING},
    {PR_KIND_PLUGIN, "vieux/sshfs",
	"{\"Id\":\"" ID_A "\",\"Name\":\"vieux/sshfs:latest\"}", PR_BY_NAME},
};

START_TEST(how_each_kind_is_named)
{
	json = kinds[_i].json;
	open_with(0);
	struct pr_object_ref *r = pr_inventory_get(inv, kinds[_i].kind,
	    pr_str_of(kinds[_i].ref), pr_clock_now() + 20 * PR_SEC);
	const struct pr_object *o = pr_object_of(r);

	ck_assert_msg(o->by == kinds[_i].by, "%s: %d %s", kinds[_i].ref,
	    (int)o->by, o->why != NULL ? o->why : "");
	ck_assert_int_eq(o->presence,
	    kinds[_i].by != PR_BY_NOTHING ? PR_PRESENT : PR_PRESENCE_UNKNOWN);
	pr_object_unref(r);
}
END_TEST

START_TEST(the_list_tells_states_and_owners)
{
	struct pr_ledger_entry e = {.kind = PR_KIND_CONTAINER,
	    .id = PR_STR(ID_A),
	    .team = PR_STR("pay")};
	const char *why;
	size_t n;

	list = "[{\"Id\":\"" ID_A "\",\"Names\":[\"/x/alias\",\"/web\"],"
	       "\"State\":\"running\"},{\"Id\":\"" ID_B "\"}]";
	open_with(0);
	wait_events(true);
	ck_assert_int_eq(pr_ledger_put(ledger, &e, NULL), 0);
	struct pr_list_ref *l = pr_inventory_list_containers(
	    inv, pr_clock_now() + 20 * PR_SEC, &why);

	ck_assert_ptr_nonnull(l);
	const struct pr_listed *c = pr_list_items(l, &n);

	ck_assert_uint_eq(n, 2);
	ck_assert(pr_str_is(c[0].name, "web"));
	ck_assert(pr_str_is(c[0].state, "running"));
	ck_assert(c[0].in_ledger);
	ck_assert_str_eq(c[0].owner.team, "pay");
	ck_assert(!c[1].in_ledger);
	pr_list_unref(l);
	pthread_mutex_lock(&lock);
	list = "[{\"Id\":7}]";
	pthread_mutex_unlock(&lock);
	make_stale();
	ck_assert_ptr_null(pr_inventory_list_containers(
	    inv, pr_clock_now() + 20 * PR_SEC, &why));
	ck_assert_ptr_nonnull(why);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("inventory");
	TCase *c = tcase_create("inventory");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(
	    c, answers_are_taken_or_not, 0, (int)PR_COUNT(answers));
	tcase_add_test(c, an_answer_cut_anywhere_is_unknown);
	tcase_add_loop_test(
	    c, some_references_are_not_even_asked, 0, (int)PR_COUNT(faulty));
	tcase_add_test(c, a_slow_daemon_is_unknown_at_the_deadline);
	tcase_add_test(c, callers_of_the_same_name_share);
	tcase_add_test(c, a_share_does_not_outlive_a_change);
	tcase_add_test(c, look_ups_are_bounded);
	tcase_add_test(c, a_closed_idle_connection_is_no_failure);
	tcase_add_test(c, what_is_known_is_not_asked_again);
	tcase_add_test(c, absence_is_asked_each_time);
	tcase_add_loop_test(c, events_make_stale, 0, (int)PR_COUNT(happenings));
	tcase_add_test(c, a_destroyed_container_leaves_the_ledger);
	tcase_add_test(c, a_broken_stream_empties_the_cache);
	tcase_add_test(c, names_wait_for_what_is_on_its_way);
	tcase_add_loop_test(c, how_a_reference_names, 0, (int)PR_COUNT(named));
	tcase_add_loop_test(
	    c, a_few_hex_digits_that_name_nothing, 0, (int)PR_COUNT(nothings));
	tcase_add_loop_test(c, how_each_kind_is_named, 0, (int)PR_COUNT(kinds));
	tcase_add_test(c, the_list_tells_states_and_owners);
	suite_add_tcase(s, c);
	return unit_run(s);
}
