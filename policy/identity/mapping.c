/* SPDX-License-Identifier: Apache-2.0 */
/* Rules × certificate → a name, or the reason why there is none. */
#include <string.h>

#include <openssl/err.h>

#include <portreeve/caps.h>

#include "rules.h"

/* What a rule found: *wrong is set where the field is there but unfit. */
typedef bool getter(
    const struct certificate *c, struct pr_str *name, const char **wrong);

/* The name of something that patterns are written for is no pattern. */
static const char *
check_name(struct pr_str s, size_t max)
{
	if (s.n > max)
		return "its name is too long";
	if (!text_is_plain(s))
		return "its name is empty or holds characters that are not fit "
		       "for a name";
	if (pr_str_find(s, '*') < s.n)
		return "its name holds a '*'";
	return NULL;
}

static bool
only_of(const struct pr_str *v, size_t n, struct pr_str *name,
    const char *several, const char **wrong)
{
	if (n == 0)
		return false;
	if (n > 1) {
		*wrong = several;
		return false;
	}
	*name = v[0];
	return true;
}

static bool
get_cn(const struct certificate *c, struct pr_str *name, const char **wrong)
{
	if (c->n_cn > 1)
		*wrong = "it has several CNs (dockerd takes the last, others "
			 "the first)";
	if (c->n_cn != 1)
		return false;
	*name = c->facts.cn;
	*wrong = check_name(*name, PR_CAP_NAME);
	return *wrong == NULL;
}

static bool
get_dn(const struct certificate *c, struct pr_str *name, const char **wrong)
{
	if (c->subject.n == 0)
		return false;
	*name = c->facts.subject;
	if (!x500_is_plain(&c->subject))
		*wrong = "its DN has a part that is of no known type, or not "
			 "fit for a name";
	else if (name->n > PR_CAP_SAN)
		*wrong = "its DN is too long";
	return *wrong == NULL;
}

/* One '@' with something on both sides (RFC 5280 4.2.1.6, rfc822Name). */
static bool
get_email(const struct certificate *c, struct pr_str *name, const char **wrong)
{
	size_t at;

	if (!only_of(c->facts.emails, c->facts.n_emails, name,
		"its SAN has several e-mail addresses", wrong))
		return false;
	at = pr_str_find(*name, '@');
	*wrong = check_name(*name, PR_CAP_NAME);
	if (*wrong == NULL &&
	    (at == 0 || at + 1 >= name->n ||
		pr_str_find(pr_str_sub(*name, at + 1, name->n), '@') <
		    name->n - at - 1 ||
		pr_str_find(*name, ' ') < name->n))
		*wrong = "the e-mail address of its SAN is none";
	return *wrong == NULL;
}

static bool
get_upn(const struct certificate *c, struct pr_str *name, const char **wrong)
{
	if (!only_of(c->facts.upns, c->facts.n_upns, name,
		"its SAN has several UPNs", wrong))
		return false;
	*wrong = check_name(*name, PR_CAP_NAME);
	return *wrong == NULL;
}

static bool
all_in(struct pr_str s, const char *also, bool upper)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			(upper && c >= 'A' && c <= 'Z') ||
			(c != '\0' && strchr(also, c) != NULL)))
			return false;
	}
	return true;
}

/*
 * SPIFFE-ID, sections 2.1 and 2.2: no port, query, fragment, escapes, empty
 * or dot segments; so a pattern cannot be walked out of.
 */
static bool
is_spiffe(struct pr_str s)
{
	struct pr_str rest = pr_str_sub(s, strlen("spiffe://"), s.n);
	struct pr_str domain = pr_str_cut(&rest, '/');

	if (domain.n == 0 || !all_in(domain, ".-_", false))
		return false;
	while (rest.p != NULL) {
		struct pr_str seg = pr_str_cut(&rest, '/');

		if (seg.n == 0 || pr_str_is(seg, ".") || pr_str_is(seg, "..") ||
		    !all_in(seg, ".-_", true))
			return false;
	}
	return true;
}

static bool
get_uri(const struct certificate *c, struct pr_str *name, const char **wrong)
{
	size_t colon;

	if (!only_of(c->facts.uris, c->facts.n_uris, name,
		"its SAN has several URIs", wrong))
		return false;
	colon = pr_str_find(*name, ':');
	*wrong = check_name(*name, PR_CAP_SAN);
	if (*wrong == NULL &&
	    (colon == 0 || colon == name->n ||
		pr_str_find(*name, ' ') < name->n ||
		!all_in(pr_str_sub(*name, 0, colon), "+-.", true)))
		*wrong = "the URI of its SAN is none";
	if (*wrong == NULL &&
	    pr_str_is_nocase(pr_str_sub(*name, 0, colon), "spiffe") &&
	    (!pr_str_starts(*name, "spiffe://") || !is_spiffe(*name)))
		*wrong = "the URI of its SAN is no SPIFFE ID";
	return *wrong == NULL;
}

static bool
get_exact(const struct certificate *c, struct pr_str *name, const char **wrong)
{
	(void)wrong;
	*name = c->facts.fingerprint;
	return true;
}

static getter *const getters[BY_COUNT] = {
    [BY_CN] = get_cn,
    [BY_DN] = get_dn,
    [BY_SAN_EMAIL] = get_email,
    [BY_SAN_UPN] = get_upn,
    [BY_SAN_URI] = get_uri,
    [BY_EXACT] = get_exact,
    /* BY_USER takes no certificate */
};

/* True if the rule pins no key, or one of its keys signed the certificate. */
static bool
is_signed(const struct rule *r, X509 *x)
{
	for (size_t i = 0; i < r->n_ca; i++) {
		if (X509_verify(x, X509_get0_pubkey(r->ca[i])) == 1)
			return true;
		ERR_clear_error();
	}
	return r->n_ca == 0;
}

static const char *
take(struct pr_arena *a, const struct rule *r, enum pr_subject_how how,
    struct pr_str name, struct pr_subject *s)
{
	struct pr_subject to = *s;
	const char *wrong = NULL;

	to.source = pr_arena_str(a, r->source);
	to.name = name;
	to.id = pr_str_of(
	    pr_arena_printf(a, "%.*s:%.*s", PR_STRF(r->source), PR_STRF(name)));
	if (r->search.n > 0)
		wrong = filter_render(a, &r->search, &to, &to.search);
	if (wrong != NULL)
		return wrong;
	to.how = how;
	*s = to;
	return NULL;
}

const char *
rules_apply(const struct pr_identity *id, struct pr_arena *a,
    const struct certificate *c, struct pr_subject *s)
{
	const char *none = "no identity rule has its issuer";

	if (denylist_has(id, c->facts.fingerprint))
		return "its fingerprint is on the deny list";
	for (size_t i = 0; i < id->n_rules; i++) {
		const struct rule *r = &id->rules[i];
		const char *wrong = NULL;
		struct pr_str name;

		if (getters[r->by] == NULL ||
		    !pr_str_eq(r->issuer, c->issuer_key))
			continue;
		if (!is_signed(r, c->x509)) {
			none = "the key of its issuer is not the one that the "
			       "identity rule names";
			continue;
		}
		if (getters[r->by](c, &name, &wrong))
			return take(a, r, PR_SUBJECT_CERT, name, s);
		if (wrong != NULL)
			return wrong;
		none = "it has nothing that an identity rule of its issuer "
		       "takes a name from";
	}
	return none;
}

const char *
rules_apply_user(const struct pr_identity *id, struct pr_arena *a,
    struct pr_str user, struct pr_subject *s)
{
	const char *wrong;

	for (size_t i = 0; i < id->n_rules; i++) {
		if (id->rules[i].by != BY_USER)
			continue;
		if ((wrong = check_name(user, PR_CAP_NAME)) != NULL)
			return wrong;
		return take(a, &id->rules[i], PR_SUBJECT_USER,
		    pr_arena_str(a, user), s);
	}
	return "the daemon shows no certificate, and no rule says by: user";
}

const char *
rules_apply_uid(struct pr_arena *a, const struct pr_identity_call *call,
    struct pr_subject *s)
{
	const char *wrong = check_name(call->local_name, PR_CAP_NAME);
	struct pr_str local = pr_arena_str(a, call->local);

	s->has_uid = true;
	s->uid = call->uid;
	if (call->local_name.n == 0)
		return "the uid has no name on this host";
	if (wrong != NULL)
		return wrong;
	s->source = local;
	s->name = pr_arena_str(a, call->local_name);
	s->id = pr_str_of(pr_arena_printf(
	    a, "%.*s:%.*s", PR_STRF(s->source), PR_STRF(s->name)));
	s->how = PR_SUBJECT_UID;
	return NULL;
}
