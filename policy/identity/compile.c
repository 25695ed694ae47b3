/* SPDX-License-Identifier: Apache-2.0 */
/* `identity:` as written → rules, with every mistake at its place. */
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <portreeve/caps.h>
#include <portreeve/dn.h>
#include <portreeve/file.h>

#include "rules.h"

/* RFC 4523 2.1: the certificate's serial and issuer; the issuer is pinned. */
#define EXACT_SEARCH                                              \
	"(userCertificate:certificateExactMatch:={ serialNumber " \
	"{serial.decimal}, issuer rdnSequence:\"{issuer.gser}\" })"

const char *const pr_identity_by_words[] = {
#define X(id, word, text) word,
    PR_IDENTITY_BY(X)
#undef X
	NULL};

static struct pr_loc
place(struct pr_loc of_value, const struct pr_identity_rule *r)
{
	return of_value.line != 0 ? of_value : r->loc;
}

static bool
source_is_fit(struct pr_str s)
{
	if (s.n == 0 || s.n > 64 || !(s.p[0] >= '0' && s.p[0] <= 'z') ||
	    strchr("._-", s.p[0]) != NULL)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') ||
			(s.p[i] >= '0' && s.p[i] <= '9') ||
			(s.p[i] != '\0' && strchr("._-", s.p[i]) != NULL)))
			return false;
	/* what logs write where there is no source */
	return !pr_str_is(s, "anonymous") && !pr_str_is(s, "unmapped");
}

static bool
compile_source(struct pr_arena *a, const struct pr_identity_rule *r,
    struct rule *to, struct pr_diags *ds)
{
	if (r->source == NULL) {
		pr_diags_add(ds, PR_ERROR, r->loc, NULL,
		    "an identity rule needs a source: the first half of the "
		    "names that it gives");
		return false;
	}
	to->source = pr_arena_str(a, pr_str_of(r->source));
	if (source_is_fit(to->source))
		return true;
	pr_diags_add(ds, PR_ERROR, place(r->source_loc, r), NULL,
	    "\"%s\" is no source: lower-case letters, digits, '.', '_', '-', "
	    "and not \"anonymous\" or \"unmapped\"",
	    r->source);
	return false;
}

static bool
compile_by(
    const struct pr_identity_rule *r, struct rule *to, struct pr_diags *ds)
{
	const char *near;
	char hint[64];

	if (r->by == NULL) {
		pr_diags_add(ds, PR_ERROR, r->loc,
		    "cn, dn, san-email, san-upn, san-uri, exact or user",
		    "an identity rule needs by: what the name is taken from");
		return false;
	}
	for (to->by = 0; to->by < BY_COUNT; to->by++)
		if (strcmp(r->by, pr_identity_by_words[to->by]) == 0)
			return true;
	near = pr_suggest(pr_str_of(r->by), pr_identity_by_words, BY_COUNT);
	snprintf(hint, sizeof hint, "did you mean \"%s\"?",
	    near != NULL ? near : "");
	pr_diags_add(ds, PR_ERROR, place(r->by_loc, r),
	    near != NULL ? hint
			 : "cn, dn, san-email, san-upn, san-uri, exact or user",
	    "unknown by: \"%s\"", r->by);
	return false;
}

static bool
compile_issuer(struct pr_arena *a, const struct pr_identity_rule *r,
    struct rule *to, struct pr_diags *ds)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	if (to->by == BY_USER && r->issuer != NULL) {
		pr_diags_add(ds, PR_ERROR, place(r->issuer_loc, r), NULL,
		    "by: user has no issuer: the daemon shows no certificate");
		return false;
	}
	if (to->by == BY_USER)
		return true;
	if (r->issuer == NULL) {
		pr_diags_add(ds, PR_ERROR, r->loc,
		    "portreeve cert inspect ca.pem prints the subject of a CA",
		    "a rule by: %s needs the issuer of the certificates",
		    r->by);
		return false;
	}
	/* an empty DN is a DN, but no authority's */
	if (pr_dn_normalise(pr_str_of(r->issuer), &b) && b.n > 0) {
		to->issuer = pr_arena_str(a, pr_buf_view(&b));
		return true;
	}
	pr_diags_add(ds, PR_ERROR, place(r->issuer_loc, r),
	    "as in RFC 4514, most specific part first: CN=Acme User CA,O=Acme",
	    "issuer \"%.200s\" is no distinguished name", r->issuer);
	return false;
}

static bool
compile_search(struct pr_arena *a, const struct pr_identity_rule *r,
    struct rule *to, struct pr_diags *ds)
{
	const char *text = r->search;

	if (text == NULL && to->by == BY_EXACT)
		text = EXACT_SEARCH;
	return text == NULL ||
	    filter_parse(a, text, to->by == BY_USER, place(r->search_loc, r),
		ds, &to->search);
}

static bool
check_ca(const struct pr_identity_rule *r, const struct rule *to, X509 *x,
    struct pr_arena *a, struct pr_diags *ds)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf key = PR_BUF_INIT;
	struct pr_str text = PR_STR("?");
	struct x500_name subject;

	if (x500_read(a, X509_get_subject_name(x), &subject))
		text = x500_text(a, &subject);
	if (pr_dn_normalise(text, &key) &&
	    pr_str_eq(pr_buf_view(&key), to->issuer))
		return true;
	pr_diags_add(ds, PR_ERROR, place(r->ca_loc, r), NULL,
	    "%s is the certificate of \"%.*s\", not of the issuer", r->ca,
	    PR_STRF(text));
	return false;
}

static void
bio_freep(BIO **b)
{
	BIO_free(*b);
}

static bool
load_cas(struct pr_arena *a, const struct pr_identity_rule *r, struct rule *to,
    struct pr_str pem, struct pr_diags *ds)
{
	PR_CLEANUP(bio_freep) BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	bool ok = true;
	X509 *x;

	/* NOLINTNEXTLINE(bugprone-sizeof-expression): room for pointers */
	to->ca = pr_arena_array(a, 16, sizeof *to->ca);
	while (b != NULL && to->n_ca < 16 &&
	    (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
		to->ca[to->n_ca++] = x;
		ok = check_ca(r, to, x, a, ds) && ok;
	}
	ERR_clear_error();
	if (to->n_ca == 0)
		pr_diags_add(ds, PR_ERROR, place(r->ca_loc, r), NULL,
		    "%s holds no certificate in PEM", r->ca);
	return ok && to->n_ca > 0;
}

static bool
compile_ca(struct pr_arena *a, const struct pr_identity_rule *r,
    struct rule *to, struct pr_diags *ds)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_str pem;

	if (r->ca == NULL)
		return true;
	if (to->by == BY_USER) {
		pr_diags_add(ds, PR_ERROR, place(r->ca_loc, r), NULL,
		    "by: user has no ca: the daemon shows no certificate");
		return false;
	}
	if (pr_file_read(a, r->ca, PR_CAP_SMALL_FILE, &pem, &err) < 0) {
		pr_diags_add(ds, PR_ERROR, place(r->ca_loc, r), NULL, "%s",
		    pr_err_text(err));
		return false;
	}
	return load_cas(a, r, to, pem, ds);
}

static bool
compile_rule(struct pr_arena *a, const struct pr_identity_rule *r,
    struct rule *to, struct pr_diags *ds)
{
	bool ok = compile_source(a, r, to, ds);

	if (!compile_by(r, to, ds))
		return false;
	ok = compile_issuer(a, r, to, ds) && ok;
	ok = compile_search(a, r, to, ds) && ok;
	return compile_ca(a, r, to, ds) && ok;
}

/* Rules that hide a later one, and sources that make two people one. */
static void
compare_rules(const struct pr_identity_rule *r, const struct rule *v, size_t i,
    struct pr_diags *ds)
{
	bool warned = false;

	for (size_t k = 0; k < i; k++) {
		bool hides = v[k].by == v[i].by && v[k].n_ca == 0 &&
		    pr_str_eq(v[k].issuer, v[i].issuer);

		if (hides) {
			pr_diags_add(ds, PR_ERROR, r[i].loc, NULL,
			    "this rule is never reached: an earlier one has "
			    "the "
			    "same issuer and the same by");
			pr_diags_add(
			    ds, PR_NOTE, r[k].loc, NULL, "the earlier one");
			return;
		}
		if (!warned && pr_str_eq(v[k].source, v[i].source)) {
			warned = true;
			pr_diags_add(ds, PR_WARNING,
			    place(r[i].source_loc, &r[i]),
			    "give it a source of its own, unless the names "
			    "mean "
			    "the same people",
			    "source \"%s\" is given by two rules: equal names "
			    "are one subject",
			    r[i].source);
			pr_diags_add(
			    ds, PR_NOTE, r[k].loc, NULL, "the other one");
		}
	}
}

struct pr_identity *
pr_identity_compile(
    const struct pr_identity_rule *rules, size_t n, struct pr_diags *ds)
{
	struct pr_arena *a = pr_arena_new(4096);
	struct pr_identity *id = pr_arena_alloc(a, sizeof *id);
	size_t before = pr_diags_count(ds, PR_ERROR);

	*id = (struct pr_identity){.refs = 1, .arena = a};
	id->rules = pr_arena_array(a, n + 1, sizeof *id->rules);
	id->n_rules = n;
	for (size_t i = 0; i < n; i++)
		compile_rule(a, &rules[i], &id->rules[i], ds);
	if (pr_diags_count(ds, PR_ERROR) == before)
		for (size_t i = 0; i < n; i++)
			compare_rules(rules, id->rules, i, ds);
	if (pr_diags_count(ds, PR_ERROR) != before)
		pr_identity_unrefp(&id);
	return id;
}

struct pr_identity *
pr_identity_ref(struct pr_identity *id)
{
	__atomic_fetch_add(&id->refs, 1, __ATOMIC_RELAXED);
	return id;
}

void
pr_identity_unref(struct pr_identity *id)
{
	if (id == NULL ||
	    __atomic_fetch_sub(&id->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	for (size_t i = 0; i < id->n_rules; i++)
		for (size_t k = 0; k < id->rules[i].n_ca; k++)
			X509_free(id->rules[i].ca[k]);
	pr_arena_free(id->arena); /* id lives in it */
}

void
pr_identity_unrefp(struct pr_identity **id)
{
	pr_identity_unref(*id);
	*id = NULL;
}
