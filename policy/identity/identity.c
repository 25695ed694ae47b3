/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon says of its caller → a subject. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <portreeve/clock.h>
#include <portreeve/identity.h>

#include "der.h"
#include "rules.h"

#define ARENA_FIRST 4096

/* One line of at most sizeof why->text, cut between characters. */
static void PR_PRINTF(2, 3)
    say(struct pr_identity_why *why, const char *fmt, ...)
{
	char all[1024];
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(all, sizeof all, fmt, ap);
	va_end(ap);
	n = strlen(all);
	if (n >= sizeof why->text) {
		n = sizeof why->text - 1;
		while (n > 0 && ((unsigned char)all[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(why->text, all, n);
	why->text[n] = '\0';
}

static struct pr_subject_owner *
owner_new(size_t first)
{
	struct pr_arena *a = pr_arena_new(first);
	struct pr_subject_owner *o = pr_arena_alloc(a, sizeof *o);

	*o = (struct pr_subject_owner){.refs = 1, .arena = a};
	return o;
}

/* The nameless copy, made before a rule names the other one. */
static void
set_facts(struct pr_subject_owner *o, const struct pr_subject *facts)
{
	o->facts = *facts;
	o->facts.how = PR_SUBJECT_UNMAPPED;
	o->facts.id = pr_subject_unmapped.id;
	o->facts.owner = o;
	o->mapped = o->facts;
}

struct pr_subject_owner *
owner_of_certificate(const struct pr_identity *id, struct pr_str entry)
{
	struct pr_subject_owner *o = owner_new(ARENA_FIRST);
	struct certificate c = {0};
	struct pr_str der;
	const char *wrong;

	o->text = entry;
	wrong = der_of_call(o->arena, entry, &der);
	if (wrong != NULL) {
		set_facts(o, &c.facts);
		o->why = wrong;
		return o;
	}
	wrong = certificate_read(o->arena, der, &c);
	set_facts(o, &c.facts);
	o->one_cn = c.n_cn == 1;
	o->no_cn = c.n_cn == 0;
	if (wrong == NULL)
		wrong = rules_apply(id, o->arena, &c, &o->mapped);
	if (wrong != NULL)
		o->why = pr_arena_printf(o->arena,
		    "certificate \"%.*s\" of \"%.*s\": %s",
		    PR_STRF(pr_str_sub(c.facts.subject, 0, 300)),
		    PR_STRF(pr_str_sub(c.facts.issuer, 0, 300)), wrong);
	certificate_fini(&c);
	return o;
}

static void
say_time(struct pr_identity_why *why, const struct pr_subject_owner *o,
    const char *what, int64_t seconds)
{
	time_t t = seconds;
	struct tm tm;
	char text[40];

	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	say(why, "certificate of %.*s %s %s",
	    PR_STRF(pr_str_sub(o->mapped.id, 0, 150)), what, text);
}

/*
 * dockerd takes User and method from the same certificate (moby
 * middleware.go); a call in which they differ was not written by it.
 */
static bool
is_consistent(
    const struct pr_subject_owner *o, const struct pr_identity_call *call)
{
	if (!pr_str_is(call->method, "TLS"))
		return false;
	if (o->one_cn)
		return pr_str_eq(call->user, o->mapped.cn);
	return !o->no_cn || call->user.n == 0;
}

int
owner_judge(struct pr_subject_owner *o, const struct pr_identity_call *call,
    const struct pr_subject **out, struct pr_identity_why *why)
{
	const struct pr_subject *s = &o->mapped;
	int64_t now = pr_clock_wall() / (int64_t)PR_SEC;

	owner_ref(o);
	*out = &o->facts;
	if (s->how != PR_SUBJECT_CERT) {
		say(why, "%s", o->why);
		return -1;
	}
	if (now < s->not_before) {
		say_time(why, o, "is not valid before", s->not_before);
		return -1;
	}
	if (now > s->not_after) {
		say_time(why, o, "expired at", s->not_after);
		return -1;
	}
	if (!call->verified && !is_consistent(o, call)) {
		say(why,
		    "certificate of %.*s, but User or UserAuthNMethod of "
		    "the call is another's",
		    PR_STRF(pr_str_sub(s->id, 0, 150)));
		return -1;
	}
	*out = s;
	return 0;
}

static int
map_uid(const struct pr_identity_call *call, const struct pr_subject **out,
    struct pr_identity_why *why)
{
	struct pr_subject_owner *o = owner_new(1024);
	const char *wrong;

	set_facts(o, &pr_subject_unmapped);
	wrong = rules_apply_uid(o->arena, call, &o->mapped);
	o->facts.has_uid = true;
	o->facts.uid = call->uid;
	*out = wrong == NULL ? &o->mapped : &o->facts;
	if (wrong != NULL)
		say(why, "uid %u: %s", (unsigned)call->uid, wrong);
	return wrong == NULL ? 0 : -1;
}

static int
map_without_chain(const struct pr_identity *id,
    const struct pr_identity_call *call, const struct pr_subject **out,
    struct pr_identity_why *why)
{
	struct pr_subject_owner *o;
	const char *wrong;

	*out = &pr_subject_unmapped;
	if (call->has_uid)
		return map_uid(call, out, why);
	if (call->verified) {
		say(why, "the connection shows no certificate");
		return -1;
	}
	if (call->user.n == 0 && call->method.n == 0) {
		*out = &pr_subject_anonymous;
		return 0;
	}
	if (!pr_str_is(call->method, "TLS") || call->user.n == 0) {
		say(why,
		    "the daemon names neither a certificate nor a user "
		    "of TLS");
		return -1;
	}
	o = owner_new(1024);
	set_facts(o, &pr_subject_unmapped);
	wrong = rules_apply_user(id, o->arena, call->user, &o->mapped);
	*out = wrong == NULL ? &o->mapped : &o->facts;
	if (wrong != NULL)
		say(why, "%s", wrong);
	return wrong == NULL ? 0 : -1;
}

int
pr_identity_map(const struct pr_identity *id,
    const struct pr_identity_call *call, const struct pr_subject **out,
    struct pr_identity_why *why)
{
	struct pr_subject_owner *o;
	int rc;

	why->text[0] = '\0';
	if (call->n_chain == 0)
		return map_without_chain(id, call, out, why);
	o = owner_of_certificate(id, call->chain[0]);
	rc = owner_judge(o, call, out, why);
	owner_unref(o);
	return rc;
}
