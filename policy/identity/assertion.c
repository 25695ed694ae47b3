/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/assertion.h>
#include <portreeve/caps.h>
#include <portreeve/clock.h>
#include <portreeve/digest.h>
#include <portreeve/file.h>

#define KEY_LEAST 32
#define NONCE     16
#define GOOD_FOR  (5 * PR_SEC)
#define SEEN      65536 /* nonces that are remembered */
#define PROBES    64
#define VALUE_CAP ((size_t)65536)
#define BOOT_ID   "/proc/sys/kernel/random/boot_id"

struct seen {
	uint8_t nonce[NONCE];
	uint64_t until; /* 0: free */
};

struct pr_asserter {
	uint8_t key[PR_SHA256_LEN];
	char boot[64];
	pthread_mutex_t lock; /* of seen */
	struct seen *seen;    /* SEEN, made at the first check */
};

/* ---- the key ---- */

static int
read_boot_id(struct pr_asserter *as, struct pr_err **err)
{
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, as->boot, sizeof as->boot - 1) : -1;
	int e = errno;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return pr_err_set(
		    err, PR_ERR_IO, e, "%s: %s", BOOT_ID, strerror(e));
	as->boot[strcspn(as->boot, "\n")] = '\0';
	return 0;
}

struct pr_asserter *
pr_asserter_open(const char *key_file, struct pr_err **err)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	struct pr_asserter *as;
	struct pr_str text;

	if (pr_file_read_secret(a, key_file, PR_CAP_SMALL_FILE, &text, err) < 0)
		return NULL;
	if (pr_str_trim(text).n < KEY_LEAST) {
		pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s: %d bytes at least; make one: openssl rand -hex 32",
		    key_file, KEY_LEAST);
		return NULL;
	}
	as = pr_xcalloc(1, sizeof *as);
	pthread_mutex_init(&as->lock, NULL);
	pr_sha256(text.p, text.n, as->key);
	explicit_bzero((void *)(uintptr_t)text.p, text.n);
	if (read_boot_id(as, err) == 0)
		return as;
	pr_asserter_close(as);
	return NULL;
}

void
pr_asserter_close(struct pr_asserter *as)
{
	if (as == NULL)
		return;
	explicit_bzero(as->key, sizeof as->key);
	pthread_mutex_destroy(&as->lock);
	free(as->seen);
	free(as);
}

/* ---- what is signed ---- */

/*
 * The header's text before the signature, and the message it is about, each
 * part with its length.
 */
static void
sign(const struct pr_asserter *as, struct pr_str said, struct pr_str method,
    struct pr_str target, struct pr_str type, char out[PR_SHA256_HEX])
{
	const struct pr_str parts[] = {said, method, target, type};
	struct pr_buf b = PR_BUF_INIT;
	uint8_t mac[PR_SHA256_LEN];

	pr_buf_cstr(&b, "portreeve.assertion/1\n");
	for (size_t i = 0; i < PR_COUNT(parts); i++) {
		pr_buf_u64(&b, parts[i].n);
		pr_buf_char(&b, ':');
		pr_buf_str(&b, parts[i]);
		pr_buf_char(&b, '\n');
	}
	pr_hmac_sha256(as->key, sizeof as->key, b.p, b.n, mac);
	pr_hex(mac, sizeof mac, out);
	pr_buf_fini(&b);
}

static void
put_hex(struct pr_buf *b, struct pr_str s)
{
	char two[3];

	for (size_t i = 0; i < s.n; i++) {
		pr_hex(s.p + i, 1, two);
		pr_buf_cstr(b, two);
	}
}

static void
digest_of(struct pr_str body, char out[PR_SHA256_HEX])
{
	uint8_t sum[PR_SHA256_LEN];

	pr_sha256(body.p != NULL ? body.p : "", body.n, sum);
	pr_hex(sum, sizeof sum, out);
}

void
pr_assertion_write(
    struct pr_asserter *as, const struct pr_assertion *a, struct pr_buf *out)
{
	size_t begin = out->n;
	uint8_t nonce[NONCE];
	char hex[PR_SHA256_HEX];
	struct pr_str said;

	pr_random(nonce, sizeof nonce);
	pr_hex(nonce, sizeof nonce, hex);
	pr_buf_printf(out, "v1;kind=%s;time=%llu;nonce=%s;boot=%s;body=",
	    a->kind == PR_ASSERT_LOOKUP ? "look-up" : "request",
	    (unsigned long long)pr_clock_now(), hex, as->boot);
	digest_of(a->body, hex);
	pr_buf_cstr(out, a->streams ? "stream" : hex);
	if (a->kind == PR_ASSERT_REQUEST) {
		pr_buf_cstr(out, ";decision=");
		pr_buf_str(out, a->decision);
		pr_buf_cstr(out, ";policy=");
		pr_buf_str(out, a->policy);
		if (a->caller->has_uid) {
			pr_buf_printf(
			    out, ";uid=%u;local=", (unsigned)a->caller->uid);
			put_hex(out, a->caller->local);
			pr_buf_cstr(out, ";name=");
			put_hex(out, a->caller->local_name);
		} else {
			pr_buf_cstr(out, ";cert=");
			pr_buf_str(out, a->caller->chain[0]);
		}
	}
	said = pr_str_sub(pr_buf_view(out), begin, out->n);
	sign(as, said, a->method, a->target, a->content_type, hex);
	pr_buf_cstr(out, ";mac=");
	pr_buf_cstr(out, hex);
}

/* ---- what is checked ---- */

static struct pr_str
field(struct pr_str value, const char *name)
{
	size_t n = strlen(name);

	while (value.p != NULL) {
		struct pr_str part = pr_str_cut(&value, ';');

		if (part.n > n && part.p[n] == '=' &&
		    memcmp(part.p, name, n) == 0)
			return pr_str_sub(part, n + 1, part.n);
	}
	return (struct pr_str){NULL, 0};
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0'
	    : c >= 'a' && c <= 'f'  ? c - 'a' + 10
				    : -1;
}

/* In the arena; p == NULL: not hex. */
static struct pr_str
from_hex(struct pr_arena *a, struct pr_str s)
{
	char *p = pr_arena_bytes(a, s.n / 2 + 1);

	if (s.n % 2 != 0)
		return (struct pr_str){NULL, 0};
	for (size_t i = 0; i < s.n / 2; i++) {
		int hi = hex_digit(s.p[2 * i]), lo = hex_digit(s.p[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return (struct pr_str){NULL, 0};
		p[i] = (char)(hi << 4 | lo);
	}
	return (struct pr_str){p, s.n / 2};
}

/* True: it was not seen before, and is remembered now. */
static bool
is_fresh(struct pr_asserter *as, struct pr_str nonce, uint64_t now)
{
	uint64_t hash = pr_hash(PR_HASH_SEED, nonce.p, NONCE);
	struct seen *to = NULL;
	bool known = false;

	pthread_mutex_lock(&as->lock);
	if (as->seen == NULL)
		as->seen = pr_xcalloc(SEEN, sizeof *as->seen);
	for (size_t i = 0; i < PROBES && !known; i++) {
		struct seen *s = &as->seen[(hash + i) % SEEN];

		if (s->until < now)
			to = to != NULL ? to : s;
		else
			known = memcmp(s->nonce, nonce.p, NONCE) == 0;
	}
	if (!known && to != NULL) {
		memcpy(to->nonce, nonce.p, NONCE);
		to->until = now + 2 * GOOD_FOR;
	}
	pthread_mutex_unlock(&as->lock);
	return !known && to != NULL;
}

static int
wrong(const char **why, const char *text)
{
	*why = text;
	return -1;
}

static int
check_mac(struct pr_asserter *as, struct pr_str value,
    const struct pr_call *call, const char **why)
{
	static const char mark[] = ";mac=";
	const size_t tail = sizeof mark - 1 + PR_SHA256_HEX - 1;
	const struct pr_str none = {NULL, 0};
	char mac[PR_SHA256_HEX];
	const struct pr_str *type;
	bool repeated = false;
	struct pr_str said;

	if (value.n > VALUE_CAP || value.n < tail ||
	    !pr_str_starts(value, "v1;"))
		return wrong(why, "the assertion is none of version 1");
	said = pr_str_sub(value, 0, value.n - tail);
	if (memcmp(value.p + said.n, mark, sizeof mark - 1) != 0)
		return wrong(why, "the assertion is not signed");
	type = pr_header_get(
	    call->headers, call->n_headers, "Content-Type", &repeated);
	sign(as, said, call->method, call->target, type != NULL ? *type : none,
	    mac);
	if (!pr_equal_secret(mac, value.p + value.n - (PR_SHA256_HEX - 1),
		PR_SHA256_HEX - 1))
		return wrong(why,
		    "the assertion is not about this request, or not of this "
		    "key");
	return 0;
}

static int
check_once(struct pr_asserter *as, struct pr_arena *a, struct pr_str value,
    const char **why)
{
	struct pr_str nonce = from_hex(a, field(value, "nonce"));
	uint64_t now = pr_clock_now(), said;

	if (!pr_str_is(field(value, "boot"), as->boot) ||
	    !pr_str_u64(field(value, "time"), &said) || said > now ||
	    now - said > GOOD_FOR)
		return wrong(
		    why, "the assertion is too old, or from elsewhere");
	if (nonce.n != NONCE || !is_fresh(as, nonce, now))
		return wrong(why, "the assertion was used before");
	return 0;
}

/* Routes whose body no plugin is shown may say `stream`, no others. */
static int
check_body(struct pr_arena *a, struct pr_str value, const struct pr_call *call,
    const char **why)
{
	struct pr_str said = field(value, "body");
	struct pr_call head = *call;
	struct pr_request rq;
	struct pr_refusal ignored;
	char digest[PR_SHA256_HEX];

	digest_of(call->body_shown ? call->body : PR_STR(""), digest);
	if (pr_str_is(said, digest))
		return 0;
	head.body_shown = false;
	head.body = PR_STR("");
	(void)!pr_request_read(a, &head, &rq, &ignored);
	if (pr_str_is(said, "stream") && rq.op->body == PR_BODY_KIND_OPAQUE)
		return 0;
	/* engines that show its body to no plugin */
	if (!call->body_shown && rq.op->body == PR_BODY_KIND_WITHHELD)
		return 0;
	return wrong(why, "the body is not the one that was asserted");
}

static int
read_caller(struct pr_arena *a, struct pr_str value,
    struct pr_identity_call *caller, const char **why)
{
	struct pr_str uid = field(value, "uid"), cert = field(value, "cert");
	struct pr_str *chain;
	uint64_t n;

	*caller = (struct pr_identity_call){.verified = true};
	if (cert.n > 0 && uid.n == 0) {
		chain = pr_arena_alloc(a, sizeof *chain);
		*chain = cert;
		caller->chain = chain;
		caller->n_chain = 1;
		return 0;
	}
	if (cert.n > 0 || !pr_str_u64(uid, &n) || n > UINT32_MAX)
		return wrong(why, "the assertion names nobody");
	caller->has_uid = true;
	caller->uid = (uint32_t)n;
	caller->local = from_hex(a, field(value, "local"));
	caller->local_name = from_hex(a, field(value, "name"));
	return 0;
}

int
pr_assertion_read(struct pr_asserter *as, struct pr_arena *a,
    struct pr_str value, const struct pr_call *call, bool response,
    enum pr_assertion_kind *kind, struct pr_identity_call *caller,
    const char **why)
{
	struct pr_str word = field(value, "kind");

	if (check_mac(as, value, call, why) < 0)
		return -1;
	/* the answer repeats its request, however much later */
	if (!response && check_once(as, a, value, why) < 0)
		return -1;
	if (check_body(a, value, call, why) < 0)
		return -1;
	if (pr_str_is(word, "look-up")) {
		*kind = PR_ASSERT_LOOKUP;
		return pr_str_is(call->method, "GET")
		    ? 0
		    : wrong(why, "a look-up is a GET");
	}
	*kind = PR_ASSERT_REQUEST;
	return pr_str_is(word, "request")
	    ? read_caller(a, value, caller, why)
	    : wrong(why, "the assertion is of no known kind");
}
