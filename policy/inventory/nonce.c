/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/clock.h>
#include <portreeve/digest.h>
#include <portreeve/nonce.h>

#define RANDOM_BYTES (PR_NONCE_HEX / 2)

struct slot {
	uint64_t handle; /* 0: free */
	uint64_t request_by, response_by;
	bool asked; /* its AuthZReq has been */
	char value[PR_NONCE_HEX];
	char *target; /* NULL: free */
	size_t n;
};

struct pr_nonces {
	pthread_mutex_t lock;
	unsigned max;
	uint64_t last; /* handle */
	struct slot *slots;
};

/*
 * What we ever ask.  suffix NULL: exactly the prefix; otherwise a name stands
 * between them, of one path segment unless `deep`.
 */
static const struct {
	const char *prefix, *suffix;
	bool deep;
} allowed[] = {
    {"/version", NULL, false},
    {"/info", NULL, false},
    {"/events?since=", "", false},
    {"/containers/json?all=1", NULL, false},
    {"/networks", NULL, false},
    {"/volumes?filters=", "", false},
    {"/images/json?all=1", NULL, false},
    {"/containers/", "/json", false},
    {"/exec/", "/json", false},
    {"/images/", "/json", true},
    {"/plugins/", "/json", true},
    {"/volumes/", "", false},
    {"/networks/", "", false},
    {"/services/", "", false},
    {"/tasks/", "", false},
    {"/nodes/", "", false},
    {"/secrets/", "", false},
    {"/configs/", "", false},
};

static bool
target_allowed(struct pr_str t)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] <= ' ' || t.p[i] >= 0x7f || t.p[i] == '#')
			return false;
	for (size_t i = 0; i < PR_COUNT(allowed); i++) {
		const char *prefix = allowed[i].prefix;
		const char *suffix = allowed[i].suffix;

		if (suffix == NULL) {
			if (pr_str_is(t, prefix))
				return true;
			continue;
		}
		if (!pr_str_starts(t, prefix) || !pr_str_ends(t, suffix) ||
		    t.n <= strlen(prefix) + strlen(suffix))
			continue;
		struct pr_str name =
		    pr_str_sub(t, strlen(prefix), t.n - strlen(suffix));

		if (pr_str_find(name, '?') == name.n &&
		    (allowed[i].deep || pr_str_find(name, '/') == name.n))
			return true;
	}
	return false;
}

struct pr_nonces *
pr_nonces_new(unsigned max)
{
	struct pr_nonces *ns = pr_xcalloc(1, sizeof *ns);

	ns->slots = pr_xcalloc(max, sizeof *ns->slots);
	ns->max = max;
	pthread_mutex_init(&ns->lock, NULL);
	return ns;
}

static void
burn(struct slot *s)
{
	explicit_bzero(s->value, sizeof s->value);
	free(s->target);
	s->target = NULL;
	s->handle = 0;
}

void
pr_nonces_free(struct pr_nonces *ns)
{
	if (ns == NULL)
		return;
	for (unsigned i = 0; i < ns->max; i++)
		burn(&ns->slots[i]);
	free(ns->slots);
	pthread_mutex_destroy(&ns->lock);
	free(ns);
}

static bool
expired(const struct slot *s, uint64_t now)
{
	return now > (s->asked ? s->response_by : s->request_by);
}

static struct slot *
free_slot(struct pr_nonces *ns)
{
	uint64_t now = pr_clock_now();

	for (unsigned i = 0; i < ns->max; i++)
		if (ns->slots[i].handle != 0 && expired(&ns->slots[i], now))
			burn(&ns->slots[i]);
	for (unsigned i = 0; i < ns->max; i++)
		if (ns->slots[i].handle == 0)
			return &ns->slots[i];
	return NULL;
}

uint64_t
pr_nonce_add(struct pr_nonces *ns, struct pr_str target, uint64_t request_by,
    uint64_t response_by, char value[PR_NONCE_HEX + 1])
{
	uint8_t random[RANDOM_BYTES];
	uint64_t handle = 0;

	value[0] = '\0';
	if (target.n > PR_NONCE_TARGET || !target_allowed(target))
		return 0;
	pr_random(random, sizeof random);
	pr_hex(random, sizeof random, value);
	explicit_bzero(random, sizeof random);

	pthread_mutex_lock(&ns->lock);
	struct slot *s = free_slot(ns);

	if (s != NULL) {
		handle = ++ns->last;
		s->handle = handle;
		s->request_by = request_by;
		s->response_by = response_by;
		s->asked = false;
		s->n = target.n;
		s->target = pr_xmalloc(target.n);
		memcpy(s->target, target.p, target.n);
		memcpy(s->value, value, PR_NONCE_HEX);
	}
	pthread_mutex_unlock(&ns->lock);
	return handle;
}

void
pr_nonce_drop(struct pr_nonces *ns, uint64_t handle, uint64_t expires)
{
	if (handle == 0)
		return;
	pthread_mutex_lock(&ns->lock);
	for (unsigned i = 0; i < ns->max; i++) {
		struct slot *s = &ns->slots[i];

		if (s->handle != handle)
			continue;
		if (s->request_by > expires)
			s->request_by = expires;
		if (s->response_by > expires)
			s->response_by = expires;
		if (expired(s, pr_clock_now()))
			burn(s);
		break;
	}
	pthread_mutex_unlock(&ns->lock);
}

/* The slot of that value; all in use are looked at, whichever it is. */
static struct slot *
slot_of(struct pr_nonces *ns, struct pr_str value)
{
	struct slot *found = NULL;

	for (unsigned i = 0; i < ns->max; i++) {
		struct slot *s = &ns->slots[i];

		if (s->handle != 0 &&
		    pr_equal_secret(s->value, value.p, PR_NONCE_HEX))
			found = s;
	}
	return found;
}

static bool
slot_fits(const struct slot *s, struct pr_str method, struct pr_str uri,
    enum pr_nonce_stage stage, bool body_empty)
{
	return body_empty && pr_str_is(method, "GET") &&
	    pr_str_eq(uri, (struct pr_str){s->target, s->n}) &&
	    s->asked == (stage == PR_NONCE_RESPONSE) &&
	    !expired(s, pr_clock_now());
}

bool
pr_nonce_accept(struct pr_nonces *ns, struct pr_str value, struct pr_str method,
    struct pr_str uri, enum pr_nonce_stage stage, bool body_empty)
{
	bool ours = false;

	if (value.n != PR_NONCE_HEX)
		return false;
	pthread_mutex_lock(&ns->lock);
	struct slot *s = slot_of(ns, value);

	if (s != NULL) {
		ours = slot_fits(s, method, uri, stage, body_empty);
		/* used up, or somebody plays with it */
		if (!ours || stage == PR_NONCE_RESPONSE)
			burn(s);
		else
			s->asked = true;
	}
	pthread_mutex_unlock(&ns->lock);
	return ours;
}

unsigned
pr_nonces_live(struct pr_nonces *ns)
{
	uint64_t now = pr_clock_now();
	unsigned n = 0;

	pthread_mutex_lock(&ns->lock);
	for (unsigned i = 0; i < ns->max; i++)
		n += ns->slots[i].handle != 0 && !expired(&ns->slots[i], now);
	pthread_mutex_unlock(&ns->lock);
	return n;
}
