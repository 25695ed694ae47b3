/* SPDX-License-Identifier: Apache-2.0 */
/* portreeve.yaml: the proxy and its listeners. */
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/clock.h>

#include "config_local.h"

/* "127.0.0.1:2376", "[::1]:2376", "host:2376" */
static void
check_address(struct reader *r, const struct ynode *n)
{
	struct pr_str s = n->s, host;
	size_t colon = s.n;
	uint64_t port = 0;

	while (colon > 0 && s.p[colon - 1] != ':')
		colon--;
	host = pr_str_sub(s, 0, colon > 0 ? colon - 1 : 0);
	if (host.n == 0 || !pr_str_u64(pr_str_sub(s, colon, s.n), &port) ||
	    port > 65535 || (host.p[0] == '[') != (host.p[host.n - 1] == ']') ||
	    (host.p[0] != '[' && pr_str_find(host, ':') < host.n))
		lang_error(&r->l, ynode_loc(n),
		    "as \"0.0.0.0:2376\" or \"[::1]:2376\"",
		    "not an address with a port");
}

/* -- proxy -- */

static void
check_mode(struct reader *r, const struct ynode *n, unsigned *mode)
{
	unsigned v = 0;

	for (size_t i = 0; i < n->s.n && v <= 07777; i++)
		v = n->s.p[i] >= '0' && n->s.p[i] <= '7'
		    ? v * 8 + (unsigned)(n->s.p[i] - '0')
		    : 010000;
	if (v > 0777 || n->s.n < 3) {
		lang_error(&r->l, ynode_loc(n), "as \"0660\"",
		    "not the mode of a socket");
		return;
	}
	*mode = v;
}

static void
read_tls(struct reader *r, struct pr_config_listen *to, const struct ynode *n)
{
	struct raw_tls raw = {0};

	if (!config_block(r, n, &tls_table, &raw))
		return;
	to->tls.loc = ynode_loc(n);
	to->tls.cert = config_path_of(r, raw.cert, NULL);
	to->tls.key = config_path_of(r, raw.key, NULL);
	to->tls.client_ca = config_path_of(r, raw.client_ca, NULL);
	to->tls.crl = config_path_of(r, raw.crl, NULL);
}

static void
read_listen(
    struct reader *r, struct pr_config_listen *to, const struct ynode *n)
{
	struct raw_listen raw = {0};

	to->loc = ynode_loc(n);
	to->mode = 0660;
	if (!schema_read(&r->l, n, &listen_table, &raw))
		return;
	if (value_name(&r->l, raw.name, "listener", false))
		to->name = config_text_of(r, raw.name);
	if ((raw.address != NULL) == (raw.unix_path != NULL))
		lang_error(&r->l, to->loc, NULL,
		    "a listener has either \"address\" or \"unix\"");
	if (raw.address != NULL) {
		check_address(r, raw.address);
		to->address = config_text_of(r, raw.address);
		if (raw.tls == NULL)
			lang_error(&r->l, to->loc,
			    "tls: {cert: ..., key: ..., client_ca: ...}",
			    "an address without \"tls\" would let anybody in");
	}
	to->unix_path = config_path_of(r, raw.unix_path, NULL);
	if (raw.phases != NULL) {
		struct pr_strs phases = value_strs(&r->l, raw.phases);

		if (phases.n == 0)
			lang_error(&r->l, ynode_loc(raw.phases), NULL,
			    "nothing could be reached here");
		to->phases = phases.v;
		to->n_phases = phases.n;
	}
	if (raw.mode != NULL)
		check_mode(r, raw.mode, &to->mode);
	if (raw.mode != NULL && raw.unix_path == NULL)
		lang_error(&r->l, ynode_loc(raw.mode), NULL,
		    "\"mode\" is for unix sockets");
	if (raw.tls != NULL && raw.unix_path != NULL)
		lang_error(&r->l, ynode_loc(raw.tls), NULL,
		    "\"tls\" is for addresses");
	read_tls(r, to, raw.tls);
}

static void
read_proxy_bounds(struct reader *r, const struct raw_proxy *raw)
{
	struct pr_config *c = r->out;
	struct raw_proxy_timeouts t = {0};
	struct raw_proxy_limits l = {0};

	c->proxy.deadline = 2 * PR_SEC;
	config_duration(r, raw->deadline, &c->proxy.deadline);
	if (c->proxy.deadline < CONFIG_DEADLINE_MIN ||
	    c->proxy.deadline > CONFIG_DEADLINE_MAX)
		lang_error(&r->l, ynode_loc(raw->deadline), NULL,
		    "the deadline lies between 100ms and 60s");
	c->proxy.timeouts.handshake = 10 * PR_SEC;
	c->proxy.timeouts.head = 10 * PR_SEC;
	c->proxy.timeouts.body = 60 * PR_SEC;
	c->proxy.timeouts.idle = 300 * PR_SEC;
	c->proxy.timeouts.stall = 60 * PR_SEC;
	(void)config_block(r, raw->timeouts, &proxy_timeouts_table, &t);
	config_duration(r, t.handshake, &c->proxy.timeouts.handshake);
	config_duration(r, t.head, &c->proxy.timeouts.head);
	config_duration(r, t.body, &c->proxy.timeouts.body);
	config_duration(r, t.idle, &c->proxy.timeouts.idle);
	config_duration(r, t.stall, &c->proxy.timeouts.stall);
	config_duration(r, t.total, &c->proxy.timeouts.total);
	c->proxy.threads = 1;
	c->proxy.max_connections = 20000;
	c->proxy.max_per_subject = 1000;
	config_count(r, raw->workers, CONFIG_WORKERS_MAX, &c->proxy.workers);
	config_count(r, raw->threads, 64, &c->proxy.threads);
	(void)config_block(r, raw->limits, &proxy_limits_table, &l);
	config_count(r, l.connections, 1000000, &c->proxy.max_connections);
	config_count(r, l.per_subject, 1000000, &c->proxy.max_per_subject);
	config_count(r, l.rate, 1000000, &c->proxy.rate_per_subject);
}

void
config_proxy(struct reader *r, const struct ynode *n)
{
	struct pr_config *c = r->out;
	struct raw_proxy raw = {0};
	struct pr_config_listen *v;

	(void)config_block(r, n, &proxy_table, &raw);
	c->proxy.assertion_key = config_path_of(r, raw.assertion_key, NULL);
	c->proxy.admin = config_path_of(r, raw.admin, NULL);
	read_proxy_bounds(r, &raw);
	if (raw.listen == NULL)
		return;
	v = pr_arena_array(r->l.arena, raw.listen->n, sizeof *v);
	Y_EACH(raw.listen, e)
	{
		struct pr_config_listen *to = &v[c->proxy.n_listen++];

		read_listen(r, to, e);
		for (size_t i = 0; i + 1 < c->proxy.n_listen; i++) {
			if (to->name == NULL || v[i].name == NULL ||
			    strcmp(v[i].name, to->name) != 0)
				continue;
			lang_error(&r->l, to->loc, NULL,
			    "listener \"%s\" is defined twice", to->name);
			lang_note(&r->l, v[i].loc, "first defined here");
			break;
		}
		if (c->proxy.n_listen == PR_CAP_LISTENERS && e->next != NULL) {
			lang_error(&r->l, ynode_loc(e->next), NULL,
			    "more than %zu listeners", PR_CAP_LISTENERS);
			break;
		}
	}
	c->proxy.listen = v;
}
