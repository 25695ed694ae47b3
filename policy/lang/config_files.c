/* SPDX-License-Identifier: Apache-2.0 */
/* Which files the configuration names: nobody mounts them. */
#include <portreeve/config.h>

struct list {
	const char **v;
	size_t n, cap;
	struct pr_arena *arena;
};

static void
add(struct list *l, const char *path)
{
	const char **v;

	if (path == NULL)
		return;
	if (l->n == l->cap) {
		l->cap = l->cap > 0 ? l->cap * 2 : 32;
		v = pr_arena_array(l->arena, l->cap, sizeof(char *));
		for (size_t i = 0; i < l->n; i++)
			v[i] = l->v[i];
		l->v = v;
	}
	l->v[l->n++] = path;
}

const char *const *
pr_config_files(const struct pr_config *c, struct pr_arena *a, size_t *n)
{
	struct list l = {NULL, 0, 0, a};

	add(&l, c->file);
	add(&l, c->policy);
	add(&l, c->ledger);
	add(&l, c->promotions);
	add(&l, c->break_glass);
	add(&l, c->audit.dir);
	add(&l, c->audit.key_file);
	add(&l, c->audit.checkpoint_key);
	if (c->audit.checkpoint_copy != NULL &&
	    c->audit.checkpoint_copy[0] == '/') /* not "syslog" */
		add(&l, c->audit.checkpoint_copy);
	add(&l, c->admin_socket);
	add(&l, c->plugin.socket);
	add(&l, c->identity_deny);
	add(&l, c->directory.file.s);
	add(&l, c->directory.tls.ca.s);
	add(&l, c->directory.bind.password_file.s);
	add(&l, c->proxy.assertion_key);
	for (size_t i = 0; i < c->proxy.n_listen; i++) {
		const struct pr_config_listen *at = &c->proxy.listen[i];

		add(&l, at->unix_path);
		add(&l, at->tls.cert);
		add(&l, at->tls.key);
		add(&l, at->tls.client_ca);
		add(&l, at->tls.crl);
	}
	for (size_t i = 0; i < c->policy_signature.n_keys; i++)
		add(&l, c->policy_signature.keys[i]);
	*n = l.n;
	return l.v;
}
