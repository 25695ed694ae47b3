/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record as text.  This runs once a call of dockerd, so it reserves room
 * once, for the worst case, and then only stores: no printf, no growing.
 * Every string has a cap; what is longer is clipped and counted.
 */
#include <string.h>
#include <time.h>

#include <portreeve/clock.h>

#include "local.h"

enum {
	CAP_WORD = 128,    /* our own vocabulary: phase, action, ids */
	CAP_NAME = 512,    /* names of people, teams, objects */
	CAP_TEXT = 1024,   /* a fact's value, a message */
	CAP_TARGET = 4096, /* targets */
	CAP_LIST = 32,     /* teams, facts */
	EXPANSION = 6,     /* \u00XX */
};

struct out {
	struct pr_buf *b;
	char *p; /* the next byte; there is room */
	unsigned clipped;
};

#define LIT(o, literal) raw((o), (literal), sizeof(literal) - 1)

static void
raw(struct out *o, const char *p, size_t n)
{
	memcpy(o->p, p, n);
	o->p += n;
}

static void
number(struct out *o, uint64_t v)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	raw(o, digits + at, sizeof digits - at);
}

static void
integer(struct out *o, int64_t v)
{
	if (v < 0)
		*o->p++ = '-';
	number(o, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

/* True if none of the eight bytes needs an escape (false may be wrong). */
static bool
plain8(uint64_t w)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';
	uint64_t odd = (w - ones * 0x20) | (quote - ones) | (slash - ones);

	return ((odd | w | (w + ones)) & (ones << 7)) == 0;
}

static bool
plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* The plain front of s is stored; returns how much that was. */
static size_t
copy_plain(char *to, struct pr_str s)
{
	size_t i = 0;

	for (uint64_t w; i + 8 <= s.n; i += 8) {
		memcpy(&w, s.p + i, 8);
		if (!plain8(w))
			break;
		memcpy(to + i, &w, 8);
	}
	for (; i < s.n && plain((unsigned char)s.p[i]); i++)
		to[i] = s.p[i];
	return i;
}

static struct pr_str
clip(struct out *o, struct pr_str s, size_t cap)
{
	if (s.n <= cap)
		return s;
	o->clipped++;
	/* not in the middle of a character */
	while (cap > 0 && ((unsigned char)s.p[cap] & 0xc0) == 0x80)
		cap--;
	return pr_str_sub(s, 0, cap);
}

static void
string(struct out *o, struct pr_str s, size_t cap)
{
	s = clip(o, s, cap);
	*o->p = '"';
	if (copy_plain(o->p + 1, s) == s.n) {
		o->p += s.n + 1;
		*o->p++ = '"';
		return;
	}
	o->b->n = (size_t)(o->p - o->b->p);
	pr_buf_json(o->b, s);
	o->p = o->b->p + o->b->n;
}

/* `,"key":"value"`, unless the value is empty. */
static void
field(struct out *o, const char *key, size_t n, struct pr_str s, size_t cap)
{
	if (s.n == 0)
		return;
	raw(o, key, n);
	string(o, s, cap);
}
#define FIELD(o, key, s, cap) \
	field((o), ",\"" key "\":", sizeof(key) + 3, (s), (cap))

/* Puts a comma before every field but the first in an object. */
static void
object_end(struct out *o, char *begin)
{
	begin[0] = '{'; /* where the first comma stands, if there was one */
	if (o->p == begin)
		o->p++;
	*o->p++ = '}';
}

void
pr_record_time(int64_t wall, char out[27])
{
	static __thread int64_t cached = INT64_MIN;
	static __thread char text[28];
	int64_t sec = (wall = wall > 0 ? wall : 0) / (int64_t)PR_SEC;
	int64_t us = wall % (int64_t)PR_SEC / 1000;

	if (sec != cached) {
		pr_clock_format(sec * (int64_t)PR_SEC, text);
		cached = sec;
	}
	memcpy(out, text, 27);
	for (int i = 25; i > 19; i--) {
		out[i] = (char)('0' + us % 10);
		us /= 10;
	}
}

static void
begin(struct out *o, struct pr_buf *b, size_t bound, int64_t wall,
    struct pr_str constants)
{
	*o = (struct out){.b = b};
	o->p = pr_buf_reserve(b, bound + constants.n);
	LIT(o, "\"time\":\"");
	pr_record_time(wall != 0 ? wall : pr_clock_wall(), o->p);
	o->p += 27;
	*o->p++ = '"';
	raw(o, constants.p, constants.n);
}

static size_t
finish(struct out *o)
{
	if (o->clipped > 0) {
		LIT(o, ",\"clipped\":");
		number(o, o->clipped);
	}
	*o->p++ = '}';
	o->b->n = (size_t)(o->p - o->b->p);
	*o->p = '\0';
	return o->b->n;
}

void
pr_record_constants(struct pr_buf *b, const char *boot, const char *daemon,
    const char *host, const char *door)
{
	struct out o = {.b = b};

	o.p = pr_buf_reserve(b, (size_t)4 * CAP_NAME * EXPANSION);
	FIELD(&o, "boot", pr_str_of(boot), CAP_WORD);
	FIELD(&o, "daemon", pr_str_of(daemon), CAP_NAME);
	FIELD(&o, "host", pr_str_of(host), CAP_NAME);
	FIELD(&o, "door", pr_str_of(door), CAP_WORD);
	b->n = (size_t)(o.p - b->p);
	*o.p = '\0';
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* No record of r is longer than this. */
static size_t
bound(const struct pr_record *r)
{
	const struct pr_str *const texts[] = {&r->id, &r->correlation,
	    &r->stage, &r->subject.name, &r->subject.how,
	    &r->subject.fingerprint, &r->subject.serial, &r->team, &r->phase,
	    &r->action, &r->method, &r->target, &r->canonical,
	    &r->resource.kind, &r->resource.id, &r->resource.name,
	    &r->resource.owner, &r->grant, &r->guard, &r->profile_key, &r->role,
	    &r->file, &r->policy, &r->message};
	size_t n = 0;

	for (size_t i = 0; i < PR_COUNT(texts); i++)
		n += least(texts[i]->n, CAP_TARGET);
	for (size_t i = 0; i < least(r->n_teams, CAP_LIST); i++)
		n += 64 + least(r->teams[i].name.n, CAP_NAME) +
		    least(r->teams[i].source.n, CAP_WORD);
	for (size_t i = 0; i < least(r->n_facts, CAP_LIST); i++)
		n += 64 + least(r->facts[i].name.n, CAP_NAME) +
		    least(r->facts[i].value.n, CAP_TEXT);
	return n * EXPANSION + 2048; /* keys, numbers, hashes */
}

static void
put_teams(struct out *o, const struct pr_record *r)
{
	size_t n = least(r->n_teams, CAP_LIST);

	if (n == 0)
		return;
	LIT(o, ",\"teams\":[");
	for (size_t i = 0; i < n; i++) {
		LIT(o, "{\"name\":");
		string(o, r->teams[i].name, CAP_NAME);
		FIELD(o, "source", r->teams[i].source, CAP_WORD);
		if (r->teams[i].age_ms >= 0) {
			LIT(o, ",\"age_ms\":");
			integer(o, r->teams[i].age_ms);
		}
		LIT(o, "},");
	}
	o->p[-1] = ']';
	o->clipped += n < r->n_teams;
}

static void
put_facts(struct out *o, const struct pr_record *r)
{
	size_t n = least(r->n_facts, CAP_LIST);

	if (n == 0)
		return;
	LIT(o, ",\"facts\":[");
	for (size_t i = 0; i < n; i++) {
		LIT(o, "{\"name\":");
		string(o, r->facts[i].name, CAP_NAME);
		LIT(o, ",\"value\":");
		string(o, r->facts[i].value, CAP_TEXT);
		LIT(o, "},");
	}
	o->p[-1] = ']';
	o->clipped += n < r->n_facts;
}

static void
put_subject(struct out *o, const struct pr_record *r)
{
	char *at;

	LIT(o, ",\"subject\":");
	at = o->p;
	FIELD(o, "name", r->subject.name, CAP_NAME);
	FIELD(o, "how", r->subject.how, CAP_WORD);
	FIELD(o, "fingerprint", r->subject.fingerprint, CAP_WORD);
	if (r->level >= PR_AUDIT_LEVEL_METADATA)
		FIELD(o, "serial", r->subject.serial, CAP_WORD);
	if (r->subject.has_uid) {
		LIT(o, ",\"uid\":");
		integer(o, r->subject.uid);
	}
	object_end(o, at);
}

static void
put_resource(struct out *o, const struct pr_record *r)
{
	char *at;

	if (r->resource.kind.n == 0)
		return;
	LIT(o, ",\"resource\":");
	at = o->p;
	FIELD(o, "kind", r->resource.kind, CAP_WORD);
	FIELD(o, "id", r->resource.id, CAP_NAME);
	if (r->level >= PR_AUDIT_LEVEL_METADATA) {
		FIELD(o, "name", r->resource.name, CAP_NAME);
		FIELD(o, "owner", r->resource.owner, CAP_NAME);
	}
	object_end(o, at);
}

/* With its length; what is no reason is none. */
static struct pr_str
reason(enum pr_reason r)
{
	static const struct pr_str codes[] = {
#define X(id, code) [PR_REASON_##id] = {(code), sizeof(code) - 1},
	    PR_REASONS(X)
#undef X
	};

	return (unsigned)r < PR_COUNT(codes) ? codes[r] : codes[0];
}

static void
put_verdict(struct out *o, const struct pr_record *r)
{
	char *at;

	if (r->verdict != PR_ALLOW)
		LIT(o, ",\"verdict\":\"deny\"");
	else if (r->would_deny)
		LIT(o, ",\"verdict\":\"would-deny\"");
	else
		LIT(o, ",\"verdict\":\"allow\"");
	FIELD(o, "reason", reason(r->reason), CAP_WORD);
	LIT(o, ",\"ids\":");
	at = o->p;
	FIELD(o, "grant", r->grant, CAP_WORD);
	FIELD(o, "guard", r->guard, CAP_WORD);
	FIELD(o, "profile", r->profile_key, CAP_WORD);
	FIELD(o, "role", r->role, CAP_WORD);
	object_end(o, at);
	if (r->break_glass)
		LIT(o, ",\"break_glass\":true");
	if (r->file.n > 0) {
		FIELD(o, "file", r->file, CAP_NAME);
		LIT(o, ",\"line\":");
		number(o, r->line);
	}
	FIELD(o, "policy", r->policy, CAP_WORD);
}

/* What differs from one call to the next equal one. */
static void
put_volatile(struct out *o, const struct pr_record *r)
{
	FIELD(o, "id", r->id, CAP_WORD);
	FIELD(o, "correlation", r->correlation, CAP_WORD);
	LIT(o, ",\"latency_us\":");
	number(o, r->latency_us);
	if (r->level >= PR_AUDIT_LEVEL_METADATA) {
		put_teams(o, r);
		FIELD(o, "message", r->message, CAP_TEXT);
	}
	if (r->level >= PR_AUDIT_LEVEL_REQUEST && r->body_sha256 != NULL) {
		LIT(o, ",\"body_sha256\":\"");
		pr_hex(r->body_sha256, PR_SHA256_LEN, o->p);
		o->p += PR_SHA256_HEX - 1;
		*o->p++ = '"';
	}
}

size_t
pr_record_encode(
    struct pr_buf *b, struct pr_str constants, const struct pr_record *r)
{
	struct out o;
	size_t stable;

	begin(&o, b, bound(r), r->time, constants);
	put_volatile(&o, r);
	stable = (size_t)(o.p - b->p);
	FIELD(&o, "stage", r->stage, CAP_WORD);
	put_subject(&o, r);
	FIELD(&o, "team", r->team, CAP_NAME);
	FIELD(&o, "phase", r->phase, CAP_WORD);
	FIELD(&o, "action", r->action, CAP_WORD);
	FIELD(&o, "method", r->method, CAP_WORD);
	if (r->level >= PR_AUDIT_LEVEL_METADATA) {
		/* as sent only where that is another spelling: bytes cost */
		if (!pr_str_eq(r->target, r->canonical))
			FIELD(&o, "target", r->target, CAP_TARGET);
		FIELD(&o, "canonical", r->canonical, CAP_TARGET);
	}
	put_resource(&o, r);
	put_verdict(&o, r);
	if (r->level >= PR_AUDIT_LEVEL_REQUEST)
		put_facts(&o, r);
	finish(&o);
	return stable;
}

void
pr_outcome_encode(
    struct pr_buf *b, struct pr_str constants, const struct pr_outcome *v)
{
	struct out o;

	begin(
	    &o, b, (size_t)4 * CAP_NAME * EXPANSION + 1024, v->time, constants);
	FIELD(&o, "id", v->id, CAP_WORD);
	FIELD(&o, "correlation", v->correlation, CAP_WORD);
	FIELD(&o, "action", v->action, CAP_WORD);
	if (v->status != 0) {
		LIT(&o, ",\"status\":");
		integer(&o, v->status);
	}
	if (v->has_bytes) {
		LIT(&o, ",\"bytes\":");
		number(&o, v->bytes);
	}
	if (v->duration_us != 0) {
		LIT(&o, ",\"duration_us\":");
		number(&o, v->duration_us);
	}
	FIELD(&o, "resource", v->resource, CAP_NAME);
	FIELD(&o, "note", v->note, CAP_WORD);
	finish(&o);
}
