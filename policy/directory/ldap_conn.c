/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to one server.  Every wait has its own bound: libldap's
 * NETWORK_TIMEOUT covers connecting only, and a stopped server would keep a
 * caller of the synchronous functions for ever.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/clock.h>
#include <portreeve/file.h>

#include "ldap_local.h"

#define PAGE         500
#define MESSAGE_MAX  ((ber_len_t)16 << 20) /* one LDAP message from a server */

#define DOMAIN_SCOPE "1.2.840.113556.1.4.1339" /* AD: no referrals, please */
#define AD_SERVER    "1.2.840.113556.1.4.800"  /* supportedCapabilities */

static struct timeval
timeval_of(uint64_t ns)
{
	return (struct timeval){
	    (time_t)(ns / PR_SEC), (suseconds_t)(ns % PR_SEC / 1000)};
}

/* What a server or libldap says, in one harmless line. */
static void
add_text(struct pr_buf *b, const char *s)
{
	for (size_t i = 0; s != NULL && s[i] != '\0' && i < 160; i++)
		pr_buf_char(
		    b, (char)(s[i] >= 0x20 && s[i] < 0x7f ? s[i] : '?'));
}

static enum pr_err_code
code_of(int rc)
{
	switch (rc) {
	case LDAP_SERVER_DOWN:
	case LDAP_CONNECT_ERROR:
	case LDAP_UNAVAILABLE:
	case LDAP_BUSY:
		return PR_ERR_OFFLINE;
	case LDAP_TIMEOUT:
		return PR_ERR_TIMEOUT;
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INAPPROPRIATE_AUTH:
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_STRONG_AUTH_REQUIRED:
	case LDAP_CONFIDENTIALITY_REQUIRED:
	case LDAP_AUTH_METHOD_NOT_SUPPORTED:
		return PR_ERR_DENIED;
	default:
		return PR_ERR_INVALID;
	}
}

/* A result code as an error; -1.  The server's own words may be NULL. */
static int
fail(struct conn *c, int rc, const char *what, const char *words,
    struct pr_err **err)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	char *own = NULL;

	if (rc < 0 || code_of(rc) == PR_ERR_OFFLINE)
		c->dead = true;
	if (words == NULL || words[0] == '\0') {
		ldap_get_option(c->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &own);
		words = own;
	}
	pr_buf_printf(&b, "%s: ", what);
	add_text(&b, ldap_err2string(rc));
	if (words != NULL && words[0] != '\0') {
		pr_buf_cstr(&b, " (");
		add_text(&b, words);
		pr_buf_cstr(&b, ")");
	}
	ldap_memfree(own);
	return pr_err_set(err, code_of(rc), 0, "%s", b.p);
}

static int
last_error(struct conn *c)
{
	int rc = LDAP_OTHER;

	ldap_get_option(c->ld, LDAP_OPT_RESULT_CODE, &rc);
	return rc;
}

/*
 * The next message that answers msgid, until `until`.  NULL with *err.  A
 * server that was given its whole time and did not use it is said to be slow.
 */
static LDAPMessage *
next_message(struct conn *c, int msgid, uint64_t until, bool whole,
    const char *what, struct pr_err **err)
{
	LDAPMessage *msg = NULL;
	uint64_t now = pr_clock_now();
	struct timeval tv = timeval_of(until > now ? until - now : 0);
	int type;

	type = ldap_result(c->ld, msgid, LDAP_MSG_ONE, &tv, &msg);
	if (type > 0)
		return msg;
	ldap_msgfree(msg);
	c->dead = true;
	if (type < 0) {
		fail(c, last_error(c), what, NULL, err);
		return NULL;
	}
	c->timed_out = whole;
	pr_err_set(err, PR_ERR_TIMEOUT, 0, "%s: no answer in time", what);
	return NULL;
}

/* Waits for the one answer of a bind or StartTLS. */
static int
finish(struct conn *c, int msgid, const char *what, struct pr_err **err)
{
	uint64_t until = pr_clock_now() + c->c->timeouts.connect;
	LDAPMessage *msg = next_message(c, msgid, until, true, what, err);
	char *words = NULL;
	int code = LDAP_OTHER, rc;

	if (msg == NULL)
		return -1;
	rc = ldap_parse_result(c->ld, msg, &code, NULL, &words, NULL, NULL, 1);
	if (rc == LDAP_SUCCESS)
		rc = code;
	if (rc != LDAP_SUCCESS)
		fail(c, rc, what, words, err);
	ldap_memfree(words);
	return rc == LDAP_SUCCESS ? 0 : -1;
}

/*
 * TLS as we want it, said in full: LDAPNOINIT keeps ldap.conf and LDAPTLS_*
 * out, and this would overrule them.
 */
static int
set_tls(struct conn *c, struct pr_err **err)
{
	int demand = LDAP_OPT_X_TLS_DEMAND, client = 0;
	/* the CN counts only where there are no alternative names */
	int san = LDAP_OPT_X_TLS_TRY;
	int tls12 = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	const struct {
		int option;
		const void *value;
	} options[] = {
	    {LDAP_OPT_X_TLS_CACERTDIR, NULL},
	    {LDAP_OPT_X_TLS_CACERTFILE, c->c->tls.ca.s},
	    {LDAP_OPT_X_TLS_REQUIRE_CERT, &demand},
	    {LDAP_OPT_X_TLS_REQUIRE_SAN, &san},
	    {LDAP_OPT_X_TLS_PROTOCOL_MIN, &tls12},
	    {LDAP_OPT_X_TLS_NEWCTX, &client}, /* last: it takes the others */
	};

	if (c->c->tls.ca.s[0] == '\0')
		return pr_err_set(
		    err, PR_ERR_INVALID, 0, "TLS without a CA is none");
	for (size_t i = 0; i < PR_COUNT(options); i++) {
		int rc =
		    ldap_set_option(c->ld, options[i].option, options[i].value);

		if (rc != LDAP_OPT_SUCCESS && options[i].value != NULL)
			return pr_err_set(err, PR_ERR_INVALID, 0,
			    "TLS with the CA %s cannot be set up",
			    c->c->tls.ca.s);
	}
	return 0;
}

static int
set_options(struct conn *c, bool tls, struct pr_err **err)
{
	int version = LDAP_VERSION3, never = LDAP_DEREF_NEVER, idle = 60,
	    probes = 3, interval = 10;
	struct timeval connect = timeval_of(c->c->timeouts.connect);
	struct timeval search = timeval_of(c->c->timeouts.search);
	const struct {
		int option;
		const void *value;
	} options[] = {
	    {LDAP_OPT_PROTOCOL_VERSION, &version},
	    {LDAP_OPT_REFERRALS, LDAP_OPT_OFF},
	    {LDAP_OPT_RESTART, LDAP_OPT_ON},
	    {LDAP_OPT_DEREF, &never},
	    {LDAP_OPT_NETWORK_TIMEOUT, &connect},
	    {LDAP_OPT_TIMEOUT, &search},
	    {LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON},
	    {LDAP_OPT_X_KEEPALIVE_IDLE, &idle},
	    {LDAP_OPT_X_KEEPALIVE_PROBES, &probes},
	    {LDAP_OPT_X_KEEPALIVE_INTERVAL, &interval},
	};

	for (size_t i = 0; i < PR_COUNT(options); i++) {
		if (ldap_set_option(c->ld, options[i].option,
			options[i].value) != LDAP_OPT_SUCCESS)
			return pr_err_set(err, PR_ERR_INVALID, 0,
			    "libldap does not take option %#x",
			    (unsigned)options[i].option);
	}
	return tls ? set_tls(c, err) : 0;
}

/* Messages are bounded, and no read waits for the rest of one. */
static void
set_socket(struct conn *c)
{
	ber_len_t max = MESSAGE_MAX;
	Sockbuf *sb = NULL;

	ldap_get_option(c->ld, LDAP_OPT_SOCKBUF, &sb);
	if (sb == NULL)
		return;
	ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_MAX_INCOMING, &max);
	ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_NONBLOCK, sb);
}

/* libldap over GnuTLS does not say why; it is nearly always one of these. */
static int
fail_tls(struct conn *c, int rc, struct pr_err **err)
{
	fail(c, rc, "connect with TLS", NULL, err);
	if (err != NULL)
		pr_err_set(err, (*err)->code, 0,
		    "%s; if it is there: is its certificate of the CA in %s, "
		    "valid, and for this very name?",
		    (*err)->text, c->c->tls.ca.s);
	return -1;
}

static int
start_tls(struct conn *c, struct pr_err **err)
{
	int msgid = 0, rc;

	rc = ldap_start_tls(c->ld, NULL, NULL, &msgid);
	if (rc != LDAP_SUCCESS)
		return fail(c, rc, "StartTLS", NULL, err);
	if (finish(c, msgid, "StartTLS", err) < 0)
		return -1;
	rc = ldap_install_tls(c->ld);
	return rc == LDAP_SUCCESS ? 0 : fail_tls(c, rc, err);
}

static int
bind_simple(struct conn *c, int *msgid, struct pr_err **err)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(512);
	const char *file = c->c->bind.password_file.s;
	struct berval secret;
	struct pr_str password;
	int rc;

	if (pr_file_read_secret(a, file, 4096, &password, err) < 0)
		return -1;
	if (password.n > 0 && password.p[password.n - 1] == '\n')
		password.n--;
	/* a bind with a name and no password succeeds, as nobody */
	if (password.n == 0 || c->c->bind.dn.s[0] == '\0')
		return pr_err_set(
		    err, PR_ERR_DENIED, 0, "%s: the password is empty", file);
	secret = (struct berval){password.n, (char *)(uintptr_t)password.p};
	rc = ldap_sasl_bind(c->ld, c->c->bind.dn.s, LDAP_SASL_SIMPLE, &secret,
	    NULL, NULL, msgid);
	explicit_bzero(secret.bv_val, secret.bv_len);
	return rc == LDAP_SUCCESS ? 0 : fail(c, rc, "bind", NULL, err);
}

static int
bind_external(struct conn *c, int *msgid, struct pr_err **err)
{
	char empty[] = "";
	/* an empty response: without one slapd asks for it */
	struct berval none = {0, empty};
	int rc =
	    ldap_sasl_bind(c->ld, NULL, "EXTERNAL", &none, NULL, NULL, msgid);

	return rc == LDAP_SUCCESS ? 0 : fail(c, rc, "bind EXTERNAL", NULL, err);
}

static int
do_bind(struct conn *c, struct pr_err **err)
{
	int msgid = 0;

	switch (c->c->bind.method) {
	case PR_BIND_NONE:
		return 0;
	case PR_BIND_SIMPLE:
		if (bind_simple(c, &msgid, err) < 0)
			return -1;
		break;
	case PR_BIND_EXTERNAL:
		if (bind_external(c, &msgid, err) < 0)
			return -1;
		break;
	}
	return finish(c, msgid, "bind", err);
}

static int
root_entry(void *ctx, struct conn *c, LDAPMessage *entry, struct pr_err **err)
{
	static const char *const names[] = {
	    "supportedControl", "supportedCapabilities"};

	(void)ctx;
	(void)err;
	for (size_t i = 0; i < PR_COUNT(names); i++) {
		struct berval **v = ldap_get_values_len(c->ld, entry, names[i]);

		for (size_t k = 0; v != NULL && v[k] != NULL; k++) {
			struct pr_str s = {v[k]->bv_val, v[k]->bv_len};

			c->paging |=
			    i == 0 && pr_str_is(s, LDAP_CONTROL_PAGEDRESULTS);
			c->ad |= i == 1 && pr_str_is(s, AD_SERVER);
		}
		ldap_value_free_len(v);
	}
	return 0;
}

/* What the server can do; one that does not say can do nothing special. */
static int
read_root(struct conn *c, struct pr_err **err)
{
	const struct query q = {"", LDAP_SCOPE_BASE, "(objectClass=*)",
	    {"supportedControl", "supportedCapabilities", NULL}, 1};
	uint64_t until = pr_clock_now() + c->c->timeouts.search;
	int code = LDAP_SUCCESS;

	if (dir_conn_search(c, &q, until, root_entry, NULL, &code, err) == 0)
		return 0;
	return c->dead ? -1 : 0;
}

static int
set_up(struct conn *c, const struct uri *u, struct pr_err **err)
{
	bool tls =
	    u->scheme == URI_LDAPS || (u->scheme == URI_LDAP && c->c->starttls);
	int rc;

	if (set_options(c, tls, err) < 0)
		return -1;
	rc = ldap_connect(c->ld);
	if (rc != LDAP_SUCCESS)
		return u->scheme == URI_LDAPS
		    ? fail_tls(c, rc, err)
		    : fail(c, rc, "connect", NULL, err);
	set_socket(c);
	if (u->scheme == URI_LDAP && c->c->starttls && start_tls(c, err) < 0)
		return -1;
	if (tls && !ldap_tls_inplace(c->ld))
		return pr_err_set(
		    err, PR_ERR_INVALID, 0, "there is no TLS where it must be");
	set_socket(c);
	if (do_bind(c, err) < 0)
		return -1;
	return read_root(c, err);
}

struct conn *
dir_conn_open(
    const struct pr_directory_config *config, size_t uri, struct pr_err **err)
{
	struct conn *c = pr_xcalloc(1, sizeof *c);
	const char *text = config->uri[uri].s, *why;
	struct uri u;

	c->c = config;
	c->uri = uri;
	if (!dir_uri_read(text, &u, &why) ||
	    ldap_initialize(&c->ld, text) != LDAP_SUCCESS) {
		pr_err_set(err, PR_ERR_INVALID, 0, "%s: not a URI", text);
		free(c);
		return NULL;
	}
	if (set_up(c, &u, err) < 0) {
		pr_err_wrap(err, "%s", text);
		dir_conn_close(c);
		return NULL;
	}
	c->source_text = pr_xmalloc(strlen(text) + 6);
	memcpy(c->source_text, "ldap ", 5);
	memcpy(c->source_text + 5, text, strlen(text) + 1);
	c->source = pr_str_of(c->source_text);
	return c;
}

void
dir_conn_close(struct conn *c)
{
	if (c == NULL)
		return;
	ldap_unbind_ext(c->ld, NULL, NULL);
	free(c->source_text);
	free(c);
}

bool
dir_conn_is_alive(const struct conn *c)
{
	struct pollfd p = {.fd = -1, .events = POLLIN};

	ldap_get_option(c->ld, LDAP_OPT_DESC, &p.fd);
	return p.fd >= 0 && poll(&p, 1, 0) == 0;
}

/* One page of a search. */
struct page {
	const struct query *q;
	on_entry *entry;
	void *ctx;
	uint64_t until;
	bool whole; /* `until` is the search timeout, not the caller's */
	struct berval cookie;
};

static int
send_search(struct conn *c, struct page *p, int *msgid, struct pr_err **err)
{
	LDAPControl *controls[3] = {NULL, NULL, NULL}, *paged = NULL;
	LDAPControl domain = {.ldctl_oid = (char *)(uintptr_t)DOMAIN_SCOPE};
	uint64_t now = pr_clock_now();
	struct timeval tv;
	const char *attrs[PR_COUNT(p->q->attrs)];
	int rc, n = 0;

	if (now >= p->until)
		return pr_err_set(
		    err, PR_ERR_TIMEOUT, 0, "search: no time is left");
	/* a server counts in seconds, and 0 means no limit to it */
	tv = timeval_of((p->until - now + PR_SEC - 1) / PR_SEC * PR_SEC);
	if (p->q->limit == 0 && c->paging) {
		rc = ldap_create_page_control(
		    c->ld, PAGE, &p->cookie, 0, &paged);
		if (rc != LDAP_SUCCESS)
			return fail(c, rc, "search", NULL, err);
		controls[n++] = paged;
	}
	if (c->ad)
		controls[n++] = &domain;
	memcpy(attrs, p->q->attrs, sizeof attrs);
	rc = ldap_search_ext(c->ld, p->q->base, p->q->scope, p->q->filter,
	    (char **)(uintptr_t)attrs, 0, controls, NULL, &tv, p->q->limit,
	    msgid);
	ldap_control_free(paged);
	return rc == LDAP_SUCCESS ? 0 : fail(c, rc, "search", NULL, err);
}

/* The end of a page; the cookie says if there is another. */
static int
end_page(struct conn *c, struct page *p, LDAPMessage *msg, int *code,
    struct pr_err **err)
{
	LDAPControl **controls = NULL, *paged;
	char *words = NULL;
	ber_int_t estimate;
	int rc, result = -1;

	ber_memfree(p->cookie.bv_val);
	p->cookie = (struct berval){0, NULL};
	rc = ldap_parse_result(
	    c->ld, msg, code, NULL, &words, NULL, &controls, 0);
	if (rc != LDAP_SUCCESS) {
		c->dead = true;
		fail(c, rc, "search", NULL, err);
	} else if (*code == LDAP_REFERRAL) {
		pr_err_set(err, PR_ERR_INVALID, 0,
		    "search: a referral, and none is followed");
	} else if (*code != LDAP_SUCCESS) {
		fail(c, *code, "search", words, err);
	} else {
		result = 0;
		paged = ldap_control_find(
		    LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
		if (paged != NULL &&
		    ldap_parse_pageresponse_control(
			c->ld, paged, &estimate, &p->cookie) != LDAP_SUCCESS)
			result = pr_err_set(err, PR_ERR_INVALID, 0,
			    "search: the page control makes no sense");
	}
	ldap_memfree(words);
	ldap_controls_free(controls);
	return result;
}

/* 1: go on; 0: the page is complete; -1 */
static int
handle(struct conn *c, struct page *p, LDAPMessage *msg, int *code,
    struct pr_err **err)
{
	switch (ldap_msgtype(msg)) {
	case LDAP_RES_SEARCH_ENTRY:
		if (p->entry(p->ctx, c, msg, err) == 0)
			return 1;
		c->dead = true; /* the rest is on its way */
		return -1;
	case LDAP_RES_SEARCH_REFERENCE:
		c->dead = true;
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "search: part of %s is on another server; referrals are "
		    "not followed, so name a base without them",
		    p->q->base);
	case LDAP_RES_SEARCH_RESULT:
		return end_page(c, p, msg, code, err);
	default:
		return 1; /* intermediate: nothing that we asked for */
	}
}

static int
run_page(struct conn *c, struct page *p, int *code, struct pr_err **err)
{
	int msgid = 0, rc = 1;

	if (send_search(c, p, &msgid, err) < 0)
		return -1;
	while (rc > 0) {
		LDAPMessage *msg =
		    next_message(c, msgid, p->until, p->whole, "search", err);

		if (msg == NULL)
			return -1;
		rc = handle(c, p, msg, code, err);
		ldap_msgfree(msg);
	}
	return rc;
}

int
dir_conn_search(struct conn *c, const struct query *q, uint64_t deadline,
    on_entry *entry, void *ctx, int *code, struct pr_err **err)
{
	struct page p = {.q = q, .entry = entry, .ctx = ctx};
	int rc;

	*code = LDAP_OTHER;
	p.until = pr_clock_now() + c->c->timeouts.search;
	p.whole = p.until <= deadline;
	if (!p.whole)
		p.until = deadline;
	do {
		rc = run_page(c, &p, code, err);
	} while (rc == 0 && p.cookie.bv_len > 0);
	ber_memfree(p.cookie.bv_val);
	return rc;
}
