/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled rules.  Local to identity/. */
#ifndef RULES_H
#define RULES_H

#include <openssl/x509.h>

#include <portreeve/diag.h>
#include <portreeve/digest.h>
#include <portreeve/identity.h>

#include "certificate.h"
#include "x500.h"

enum by {
#define X(id, word, text) BY_##id,
	PR_IDENTITY_BY(X)
#undef X
	BY_COUNT
};

/* A search template: literal, field, literal, field ... */
struct filter_part {
	struct pr_str literal;
	int field; /* index of pr_identity_fields, or -1: the literal alone */
};

struct filter {
	struct filter_part *v;
	size_t n;
};

struct rule {
	enum by by;
	struct pr_str source;
	struct pr_str issuer; /* normal form (dn.h) */
	struct filter search; /* n == 0: none */
	X509 **ca;            /* n_ca == 0: the signature is dockerd's affair */
	size_t n_ca;
};

struct pr_identity {
	unsigned refs; /* atomic */
	struct pr_arena *arena;
	struct rule *rules;
	size_t n_rules;
	uint8_t (*denied)[PR_SHA256_LEN]; /* sorted */
	size_t n_denied;
};

/*
 * What a certificate, once read, makes of its owner; kept by the cache.  Both
 * records point into the arena and count on this struct.
 */
struct pr_subject_owner {
	unsigned refs; /* atomic */
	struct pr_arena *arena;
	struct pr_subject mapped; /* how == UNMAPPED: refused, see why */
	struct pr_subject facts;  /* the same, without a name */
	struct pr_str text;       /* of RequestPeerCertificates[0] */
	bool one_cn;              /* User must be it */
	bool no_cn;               /* User must be absent */
	const char *why;
};

/* The record of one certificate under these rules; one reference. */
struct pr_subject_owner *owner_of_certificate(
    const struct pr_identity *id, struct pr_str entry);
void owner_ref(struct pr_subject_owner *o);
void owner_unref(struct pr_subject_owner *o);
/* What is checked at every call: validity, User, method.  See pr_identity_map. */
int owner_judge(struct pr_subject_owner *o, const struct pr_identity_call *call,
    const struct pr_subject **out, struct pr_identity_why *why);

/*
 * The first rule that matches fills s (how, source, name, id, search).
 * NULL, or why nobody is named (in the arena).
 */
const char *rules_apply(const struct pr_identity *id, struct pr_arena *a,
    const struct certificate *c, struct pr_subject *s);
/* The same for User without a certificate. */
const char *rules_apply_user(const struct pr_identity *id, struct pr_arena *a,
    struct pr_str user, struct pr_subject *s);

/* The same for a local user: source and name as they are. */
const char *rules_apply_uid(struct pr_arena *a,
    const struct pr_identity_call *call, struct pr_subject *s);

bool denylist_has(const struct pr_identity *id, struct pr_str fingerprint);

/*
 * Compiles a search template; false: wrong, reported at loc.  Templates for
 * `by: user` have {name} only.
 */
bool filter_parse(struct pr_arena *a, const char *text, bool user,
    struct pr_loc loc, struct pr_diags *ds, struct filter *out);
/* RFC 4515 text of the filter for s.  NULL, or why it cannot be made. */
const char *filter_render(struct pr_arena *a, const struct filter *f,
    const struct pr_subject *s, struct pr_str *out);

#endif /* RULES_H */
