/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#ifndef DIRECTORY_LOCAL_H
#define DIRECTORY_LOCAL_H

#include <pthread.h>

#include <portreeve/arena.h>
#include <portreeve/directory.h>
#include <portreeve/dn.h>

#define FILTER_NODES 256
#define FILTER_MAX   ((size_t)8192)

/*
 * attribute.c: how values of an attribute compare (RFC 4517), by its name as
 * pr_dn_type gives it.
 */
enum syntax {
	SYNTAX_FOLD = 0,
	SYNTAX_EXACT,
	SYNTAX_DN,
	SYNTAX_CLASS
};
enum syntax dir_attribute_syntax(const char *name);
/* Appends what is compared; a value that has no such form becomes "". */
void dir_attribute_form(enum syntax s, struct pr_str value, struct pr_buf *out);
/* True if object class `sub` is `super` or comes from it (both folded). */
bool dir_class_is(struct pr_str sub, struct pr_str super);

/* ldif.c: a file that ldapadd would take, as entries. */
struct ldif_value {
	const char *type; /* as pr_dn_type gives it */
	struct pr_str value;
};

struct ldif_entry {
	struct pr_str dn, normal;
	const struct ldif_value *v; /* values of the RDN included */
	size_t n;
	unsigned line;
};

struct ldif {
	struct ldif_entry *v;
	size_t n;
};

/* Entries live in the arena.  False: ds says why, out is what was read. */
bool dir_ldif_read(struct pr_arena *a, const char *file, struct pr_str text,
    struct ldif *out, struct pr_diags *ds) PR_NODISCARD;

/* filter.c: RFC 4515, as a program in postfix order. */
struct filter_node;
struct filter {
	const struct filter_node *v;
	size_t n;
	bool extensible; /* has (attr:rule:=value): only servers know that */
};

/* False: *at is where in text, *why what is wrong (static). */
bool dir_filter_parse(struct pr_arena *a, struct pr_str text,
    struct filter *out, size_t *at, const char **why) PR_NODISCARD;
bool dir_filter_matches(const struct filter *f, const struct ldif_entry *e);

/* membership.c: a membership while it is being put together. */
struct builder;

struct builder *dir_builder_new(struct pr_str source) PR_NODISCARD;
void dir_builder_freep(struct builder **b);
void dir_builder_user(
    struct builder *b, struct pr_str normal_dn, struct pr_str name);
/* 1: it is new; 0: it was there; -1: more than PR_CAP_GROUPS. */
int dir_builder_group(struct builder *b, struct pr_str normal_dn,
    struct pr_str name) PR_NODISCARD;
bool dir_builder_has(const struct builder *b, struct pr_str normal_dn);
size_t dir_builder_count(const struct builder *b);
/* In the order they were added; valid as long as the builder. */
struct pr_str dir_builder_dn(const struct builder *b, size_t i);
/* Takes the builder over; the caller unrefs the result. */
const struct pr_membership *dir_builder_found(struct builder **b);
const struct pr_membership *dir_membership_none(
    struct pr_str source, bool ambiguous) PR_NODISCARD;

/* True if a name can be a user's at all: short, UTF-8, no controls. */
bool dir_name_is_sane(struct pr_str name);
/* Equal without regard to case; blanks count: " a" is nobody's name. */
bool dir_name_matches(struct pr_str asked, struct pr_str value);

/* wait.c: deadlines are of pr_clock_now; signals are for main's threads. */
void dir_cond_init(pthread_cond_t *c);
/* -1: the deadline has passed; 0: look again. */
int dir_wait_until(pthread_cond_t *c, pthread_mutex_t *lock, uint64_t deadline);
int dir_thread_start(
    pthread_t *t, void *(*run)(void *), void *arg) PR_NODISCARD;

/* config.c: checked strings are never NULL in a copy. */
struct pr_directory_config *dir_config_copy(
    struct pr_arena *a, const struct pr_directory_config *c);

struct uri {
	enum {
		URI_LDAP,
		URI_LDAPS,
		URI_LDAPI
	} scheme;
	bool loopback;
};
/* False: *why (static). */
bool dir_uri_read(const char *s, struct uri *u, const char **why) PR_NODISCARD;

/*
 * A kind of directory.  fetch asks once, as pr_directory_lookup does without
 * a cache; the name is sane, the filter parsed.
 */
struct backend_ops {
	int (*fetch)(void *self, struct pr_str name, struct pr_str filter,
	    uint64_t deadline, const struct pr_membership **out,
	    struct pr_err **err);
	int (*reload)(void *self, struct pr_diags *ds);
	bool (*ready)(void *self, struct pr_buf *why);
	void (*close)(void *self);
};

extern const struct backend_ops dir_people_backend; /* people.c: ldif */
extern const struct backend_ops dir_ldap_backend;   /* ldap_backend.c */

/* NULL with diagnostics.  c outlives them. */
void *dir_people_open(
    const struct pr_directory_config *c, struct pr_diags *ds) PR_NODISCARD;
void *dir_people_open_text(const struct pr_directory_config *c,
    struct pr_str text, struct pr_diags *ds) PR_NODISCARD;
void *dir_ldap_open(
    const struct pr_directory_config *c, struct pr_diags *ds) PR_NODISCARD;

#endif /* DIRECTORY_LOCAL_H */
