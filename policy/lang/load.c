/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/digest.h>

#include "files.h"

#define VERSION 1

static void
add_entry(struct load *ld, enum section s, struct entry e)
{
	struct entries *list = &ld->sec[s];

	list->v = pr_grow(list->v, list->n, &list->cap, sizeof *list->v);
	e.order = list->n;
	list->v[list->n++] = e;
}

static void
add_section(struct load *ld, enum section s, const struct ynode *n)
{
	if (n == NULL)
		return;
	if (n->type == Y_LIST) {
		Y_EACH(n, e)
		{
			add_entry(ld, s, (struct entry){e, e, {NULL, 0}, 0});
		}
		return;
	}
	Y_EACH_PAIR(n, k, v)
	{
		if (!k->bad)
			add_entry(ld, s, (struct entry){k, v, k->s, 0});
	}
}

static void
check_version(struct load *ld, const struct ynode *n)
{
	uint64_t v;

	ld->version = n;
	if (!pr_str_u64(n->s, &v) || v != VERSION)
		lang_error(&ld->l, ynode_loc(n), NULL,
		    "version %.*s of the language is not known; this is %d",
		    PR_STRF(n->s), VERSION);
}

/* labels: one map over all files, each key once. */
static void
add_labels(struct load *ld, const struct ynode *n)
{
	if (ld->labels != NULL) {
		lang_error(
		    &ld->l, ynode_loc(n), NULL, "\"labels\" is here twice");
		lang_note(&ld->l, ynode_loc(ld->labels), "first defined here");
		return;
	}
	ld->labels = n;
}

static void
add_cluster_phases(struct load *ld, const struct ynode *n)
{
	if (ld->cluster_phases != NULL) {
		lang_error(&ld->l, ynode_loc(n), NULL,
		    "\"cluster_phases\" is here twice");
		lang_note(&ld->l, ynode_loc(ld->cluster_phases),
		    "first defined here");
		return;
	}
	ld->cluster_phases = n;
}

static void
read_text(struct load *ld, const char *file, struct pr_str text)
{
	struct pr_loc loc = {file, 0, 0, 0};
	struct raw_top top = {0};
	bool empty;
	const struct ynode *root = yaml_read(&ld->l, file, text, &empty);

	if (empty)
		lang_warn(&ld->l, loc, NULL, "there is nothing in it");
	if (root == NULL)
		return;
	(void)schema_read(&ld->l, root, &top_table, &top);
	if (top.version != NULL)
		check_version(ld, top.version);
	if (top.labels != NULL)
		add_labels(ld, top.labels);
	if (top.cluster_phases != NULL)
		add_cluster_phases(ld, top.cluster_phases);
	for (int s = 0; s < SEC_COUNT; s++)
		add_section(ld, (enum section)s, top.sec[s]);
}

/* Name first, then the order of reading, so that "first" is the first. */
static int
entry_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = pr_str_cmp(x->name, y->name);

	if (c != 0)
		return c;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Sorts a section by name; entries with a name that is taken are reported
 * and go. */
static void
sort_section(struct load *ld, enum section s, const char *what)
{
	struct entries *list = &ld->sec[s];
	size_t kept = 0;

	if (list->n == 0)
		return;
	qsort(list->v, list->n, sizeof *list->v, entry_order);
	for (size_t i = 0; i < list->n; i++) {
		const struct entry *e = &list->v[i];

		if (kept > 0 && pr_str_eq(list->v[kept - 1].name, e->name)) {
			lang_error(&ld->l, ynode_loc(e->key), NULL,
			    "%s \"%.*s\" is defined twice", what,
			    PR_STRF(e->name));
			lang_note(&ld->l, ynode_loc(list->v[kept - 1].key),
			    "first defined here");
			continue;
		}
		list->v[kept++] = *e;
	}
	list->n = kept;
}

/* Elements of a list get their ids; those without one are reported and go. */
static void
name_by_id(struct load *ld, enum section s, const char *what)
{
	struct entries *list = &ld->sec[s];
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct entry e = list->v[i];
		const struct ynode *id =
		    e.value->type == Y_MAP ? ynode_get(e.value, "id") : NULL;

		/* what is missing is said when the element is read */
		if (id == NULL || id->type != Y_SCALAR || id->bad ||
		    !value_name(&ld->l, id, what, true)) {
			e.name = (struct pr_str){NULL, 0};
			e.key = NULL;
		} else {
			e.name = id->s;
			e.key = id;
		}
		if (pr_str_starts(e.name, "builtin.")) {
			lang_error(&ld->l, ynode_loc(id), NULL,
			    "names that begin with \"builtin.\" are taken");
			continue;
		}
		list->v[kept++] = e;
	}
	list->n = kept;
}

static void
report_unnamed(struct load *ld, enum section s, const struct table *t)
{
	struct entries *list = &ld->sec[s];
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		union {
			struct raw_grant g;
			struct raw_guard d;
			struct raw_response r;
		} raw = {0};

		if (list->v[i].key == NULL)
			(void)schema_read(&ld->l, list->v[i].value, t, &raw);
		else
			list->v[kept++] = list->v[i];
	}
	list->n = kept;
}

static void
compile(struct load *ld)
{
	static const struct {
		enum section s;
		const char *what;
		const struct table *by_id;
	} named[] = {
	    {SEC_TEAMS, "team", NULL},
	    {SEC_HOSTS, "host", NULL},
	    {SEC_PHASES, "phase", NULL},
	    {SEC_ROLES, "role", NULL},
	    {SEC_PROFILES, "profile", NULL},
	    {SEC_GRANTS, "grant", &grant_table},
	    {SEC_GUARDS, "guard", &guard_table},
	    {SEC_RESPONSES, "response rule", &response_table},
	};

	for (size_t i = 0; i < PR_COUNT(named); i++) {
		if (named[i].by_id != NULL) {
			name_by_id(ld, named[i].s, named[i].what);
			report_unnamed(ld, named[i].s, named[i].by_id);
		}
		sort_section(ld, named[i].s, named[i].what);
	}
	load_top(ld);
	load_phases(ld);
	load_teams(ld);
	load_freeze_excepts(ld);
	load_hosts(ld);
	load_roles(ld);
	load_profiles(ld);
	load_grants(ld);
	load_guards(ld);
	load_responses(ld);
	load_quotas(ld);
	load_tests(ld);
	if (ld->l.errors == 0)
		load_check(ld);
}

static void
set_hash(struct pr_policy *p)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;
	uint8_t sum[PR_SHA256_LEN];

	pr_policy_print(p, &text);
	pr_sha256(text.p, text.n, sum);
	pr_hex(sum, sizeof sum, p->hash);
}

static void
begin(struct load *ld, struct pr_diags *ds, size_t expected)
{
	*ld = (struct load){0};
	ld->l.ds = ds;
	ld->l.tree = pr_arena_new(16384 + expected);
	ld->l.arena = pr_arena_new(16384);
	ld->p = pr_arena_alloc(ld->l.arena, sizeof *ld->p);
	ld->p->arena = ld->l.arena;
	atomic_init(&ld->p->refs, 1);
}

static void
end(struct load *ld)
{
	for (size_t i = 0; i < SEC_COUNT; i++)
		free(ld->sec[i].v);
	pr_arena_free(ld->l.tree);
	/* the tree was most of the heap; a daemon keeps this for weeks */
	malloc_trim(0);
}

static struct pr_policy *
abandon(struct load *ld)
{
	end(ld);
	pr_policy_unref(ld->p);
	return NULL;
}

static struct pr_policy *
finish(struct load *ld, const struct files *files)
{
	struct pr_policy *p = ld->p;

	compile(ld);
	for (size_t i = 0; i < files->n; i++)
		pr_diags_source(ld->l.ds, files->v[i].name, files->v[i].text.p);
	if (ld->l.errors == 0) {
		set_hash(p);
	} else {
		pr_policy_unref(p);
		p = NULL;
	}
	end(ld);
	return p;
}

struct pr_policy *
pr_policy_load(const char *path, struct pr_diags *ds)
{
	return pr_policy_load_signed(path, NULL, ds);
}

struct pr_policy *
pr_policy_load_signed(
    const char *path, const struct pr_policy_signers *s, struct pr_diags *ds)
{
	struct files files = {0};
	struct pr_policy *p;
	struct load ld;

	begin(&ld, ds, 0);
	path = pr_arena_strdup(ld.l.arena, pr_str_of(path));
	files_read(&ld.l, path, &files);
	/* nothing of a stranger's is even parsed */
	if (s == NULL || s->loc.line == 0 ||
	    files_signed(&ld.l, path, &files, s, &ld.p->signature)) {
		for (size_t i = 0; i < files.n; i++)
			read_text(&ld, files.v[i].name, files.v[i].text);
		p = finish(&ld, &files);
	} else {
		p = abandon(&ld);
	}
	free(files.v);
	return p;
}

struct pr_policy *
pr_policy_parse(const char *name, struct pr_str text, struct pr_diags *ds)
{
	struct pr_loc loc = {0};
	struct load ld;
	struct file f;
	struct files files = {.v = &f, .n = 1};

	begin(&ld, ds, text.n);
	loc.file = f.name = pr_arena_strdup(ld.l.arena, pr_str_of(name));
	f.text =
	    pr_str_of(pr_arena_strdup(ld.l.tree, text)); /* NUL-terminated */
	f.text.n = text.n;
	if (text.n > PR_CAP_POLICY_FILE)
		lang_error(&ld.l, loc, NULL, "larger than %zu bytes",
		    PR_CAP_POLICY_FILE);
	else
		read_text(&ld, f.name, f.text);
	return finish(&ld, &files);
}
