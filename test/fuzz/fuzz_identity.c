/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates as they come from outside.  The first byte says how the rest
 * is wrapped: as it stands, as PEM text, as DER.  Whatever it is: no crash,
 * nobody is named twice differently, and every text is fit to be shown.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/buf.h>
#include <portreeve/digest.h>
#include <portreeve/identity.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct pr_identity_rule rules[] = {
    {.source = "mail",
	.issuer = "CN=Fuzz CA",
	.by = "san-email",
	.search = "(&(mail={san.email})(cn={cn}))"},
    {.source = "upn", .issuer = "CN=Fuzz CA", .by = "san-upn"},
    {.source = "uri", .issuer = "CN=Fuzz CA", .by = "san-uri"},
    {.source = "cn", .issuer = "CN=Fuzz CA", .by = "cn"},
    {.source = "dn", .issuer = "CN=Fuzz CA", .by = "dn"},
    {.source = "exact", .issuer = "CN=Fuzz CA", .by = "exact"},
};

static void
add_base64(struct pr_buf *to, const void *p, size_t n)
{
	char *at = pr_buf_reserve(to, 4 * ((n + 2) / 3) + 1);

	pr_buf_grew(to, pr_base64_encode(p, n, at));
}

static void
wrap(struct pr_buf *out, unsigned how, const uint8_t *data, size_t size)
{
	struct pr_buf pem = PR_BUF_INIT, b64 = PR_BUF_INIT;

	if (how == 0) {
		pr_buf_add(out, data, size);
	} else if (how == 1) {
		add_base64(out, data, size);
	} else {
		add_base64(&b64, data, size);
		pr_buf_cstr(&pem, "-----BEGIN CERTIFICATE-----\n");
		for (size_t i = 0; i < b64.n; i += 64) {
			pr_buf_add(
			    &pem, b64.p + i, b64.n - i < 64 ? b64.n - i : 64);
			pr_buf_char(&pem, '\n');
		}
		pr_buf_cstr(&pem, "-----END CERTIFICATE-----\n");
		add_base64(out, pem.p, pem.n);
	}
	pr_buf_fini(&pem);
	pr_buf_fini(&b64);
}

static void
is_fit(struct pr_str s)
{
	assert(pr_str_utf8(s));
	for (size_t i = 0; i < s.n; i++)
		assert((unsigned char)s.p[i] >= 0x20 && s.p[i] != 0x7f);
}

static void
check(const struct pr_subject *s)
{
	is_fit(s->id);
	is_fit(s->name);
	is_fit(s->search);
	is_fit(s->issuer);
	is_fit(s->subject);
	is_fit(s->cn);
	for (size_t i = 0; i < s->n_emails; i++)
		is_fit(s->emails[i]);
	for (size_t i = 0; i < s->n_uris; i++)
		is_fit(s->uris[i]);
	for (size_t i = 0; i < s->n_upns; i++)
		is_fit(s->upns[i]);
	for (size_t i = 0; i < s->n_dns; i++)
		is_fit(s->dns[i]);
	assert(s->how != PR_SUBJECT_CERT || s->name.n > 0);
	assert(s->how != PR_SUBJECT_UNMAPPED || s->name.n == 0);
}

/* User is what was found the first time, as dockerd would send it. */
static int
ask(struct pr_identity_cache *c, struct pr_str user, struct pr_str entry,
    const struct pr_subject **s)
{
	struct pr_identity_call call = {.user = user,
	    .method = PR_STR("TLS"),
	    .chain = &entry,
	    .n_chain = 1};
	struct pr_identity_why why;
	int rc = pr_identity_find(c, &call, s, &why);

	check(*s);
	is_fit(pr_str_of(why.text));
	assert((rc == 0) == (why.text[0] == '\0'));
	assert((rc == 0) == ((*s)->how == PR_SUBJECT_CERT));
	return rc;
}

static void
try_search(struct pr_str text)
{
	char *search = malloc(text.n + 1);
	struct pr_identity_rule r = {
	    .source = "s", .issuer = "CN=x", .by = "cn", .search = search};
	struct pr_identity_rule q = {
	    .source = "s", .issuer = search, .by = "cn"};
	struct pr_diags *ds = pr_diags_new();

	memcpy(search, text.p, text.n);
	search[text.n] = '\0';
	pr_identity_unref(pr_identity_compile(&r, 1, ds));
	pr_identity_unref(pr_identity_compile(&q, 1, ds));
	pr_diags_free(ds);
	free(search);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pr_identity_cache *cache;
	struct pr_buf entry = PR_BUF_INIT;
	const struct pr_subject *a, *b, *c;

	if (cache == NULL) {
		struct pr_diags *ds = pr_diags_new();
		struct pr_identity *id =
		    pr_identity_compile(rules, PR_COUNT(rules), ds);

		assert(id != NULL);
		cache = pr_identity_cache_new(id, 16);
		pr_identity_unref(id);
		pr_diags_free(ds);
	}
	if (size < 1)
		return 0;
	if (data[0] % 4 == 3) {
		try_search((struct pr_str){(const char *)data + 1, size - 1});
		return 0;
	}
	wrap(&entry, data[0] % 4, data + 1, size - 1);
	ask(cache, (struct pr_str){NULL, 0}, pr_buf_view(&entry), &a);
	int rc = ask(cache, a->cn, pr_buf_view(&entry), &b);
	int again = ask(cache, a->cn, pr_buf_view(&entry), &c);

	assert(rc == again && pr_str_eq(b->id, c->id));
	pr_subject_unref(a);
	pr_subject_unref(b);
	pr_subject_unref(c);
	pr_buf_fini(&entry);
	return 0;
}
