/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files the configuration names, and what is done with them: one list
 * for all who must know, so that a new key is forgotten nowhere.
 */
#include <portreeve/config.h>
#include <portreeve/file.h>

#define DAEMONS (PR_PLUGIN | PR_PROXY)

/* what is done with it, and the bits that its mode must not have */
#define READ    PR_CONFIG_READ, PR_FILE_NOT_WRITABLE
#define SECRET  PR_CONFIG_READ, PR_FILE_SECRET
#define SOCKET  PR_CONFIG_SOCKET, 0
#define CHECKED PR_CONFIG_READ, 0 /* by whoever reads it */

struct list {
	struct pr_config_file *v;
	size_t n, cap;
	struct pr_arena *arena;
};

static void
add(struct list *l, const char *path, unsigned processes,
    enum pr_config_use use, unsigned forbidden)
{
	struct pr_config_file *v;

	if (path == NULL)
		return;
	if (l->n == l->cap) {
		l->cap = l->cap > 0 ? l->cap * 2 : 32;
		v = pr_arena_array(l->arena, l->cap, sizeof *v);
		for (size_t i = 0; i < l->n; i++)
			v[i] = l->v[i];
		l->v = v;
	}
	l->v[l->n++] = (struct pr_config_file){path, processes, use, forbidden};
}

static void
add_audit(struct list *l, const struct pr_audit_config *audit)
{
	/* its group may read the log, nobody else */
	add(l, audit->dir, DAEMONS, PR_CONFIG_FOLDER, PR_FILE_SECRET & ~0050U);
	add(l, audit->key_file, DAEMONS, PR_CONFIG_MADE, PR_FILE_SECRET);
	add(l, audit->checkpoint_key, DAEMONS, SECRET);
	if (audit->checkpoint_copy != NULL &&
	    audit->checkpoint_copy[0] == '/') /* not "syslog" */
		add(l, audit->checkpoint_copy, DAEMONS, PR_CONFIG_WRITE,
		    PR_FILE_NOT_WRITABLE);
}

static void
add_listener(struct list *l, const struct pr_config_listen *at)
{
	add(l, at->unix_path, PR_PROXY, SOCKET);
	add(l, at->tls.cert, PR_PROXY, READ);
	add(l, at->tls.key, PR_PROXY, SECRET);
	add(l, at->tls.client_ca, PR_PROXY, READ);
	add(l, at->tls.crl, PR_PROXY, READ);
}

static void
add_signature(struct list *l, const struct pr_config *c)
{
	if (c->policy_signature.loc.line == 0)
		return;
	for (size_t i = 0; i < c->policy_signature.n_keys; i++)
		add(l, c->policy_signature.keys[i], DAEMONS, READ);
	/* of a folder it lies inside, of a file beside it */
	add(l, pr_policy_signature_path(c->policy, l->arena), DAEMONS, READ);
}

const struct pr_config_file *
pr_config_files(const struct pr_config *c, struct pr_arena *a, size_t *n)
{
	struct list l = {NULL, 0, 0, a};

	add(&l, c->file, DAEMONS, READ);
	add(&l, c->policy, DAEMONS, READ);
	add(&l, c->ledger, DAEMONS, PR_CONFIG_WRITE, PR_FILE_SECRET);
	add(&l, c->promotions, DAEMONS, READ);
	add(&l, c->break_glass, DAEMONS, CHECKED);
	add_audit(&l, &c->audit);
	add(&l, c->plugin.socket, PR_PLUGIN, SOCKET);
	add(&l, c->admin_socket, PR_PLUGIN, SOCKET);
	add(&l, c->proxy.admin, PR_PROXY, SOCKET);
	for (size_t i = 0; i < c->n_identity; i++)
		add(&l, c->identity[i].ca, DAEMONS, READ);
	add(&l, c->identity_deny, DAEMONS, READ);
	add(&l, c->directory.file.s, DAEMONS, READ);
	add(&l, c->directory.tls.ca.s, DAEMONS, READ);
	add(&l, c->directory.bind.password_file.s, DAEMONS, SECRET);
	add(&l, c->proxy.assertion_key, DAEMONS, SECRET);
	for (size_t i = 0; i < c->proxy.n_listen; i++)
		add_listener(&l, &c->proxy.listen[i]);
	add_signature(&l, c);
	*n = l.n;
	return l.v;
}
