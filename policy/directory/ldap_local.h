/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LDAP backend's parts.  Only the ldap_*.c of this folder know <ldap.h>.
 *
 *   ldap_conn.c     one connection: options, TLS, bind, one search
 *   ldap_pool.c     connections that callers share; the thread that makes them
 *   ldap_read.c     what is asked about a subject, over one connection
 *   ldap_backend.c  opening, reloading, one retry
 */
#ifndef LDAP_LOCAL_H
#define LDAP_LOCAL_H

#include <ldap.h>

#include "local.h"

struct conn {
	struct conn *next; /* in the pool */
	LDAP *ld;
	const struct pr_directory_config *c;
	size_t uri;           /* index into c->uri */
	unsigned generation;  /* of the pool's files */
	struct pr_str source; /* "ldap URI" */
	char *source_text;
	bool paging; /* the server has the paged results control */
	bool ad;     /* Active Directory */
	bool dead;   /* to be closed: broken, or an answer may be under way */
	bool timed_out; /* dead, because the server used all of its time */
};

/* Connects, with TLS and bind as configured.  Blocks; NULL with *err. */
struct conn *dir_conn_open(const struct pr_directory_config *c, size_t uri,
    struct pr_err **err) PR_NODISCARD;
void dir_conn_close(struct conn *c);
/* False: the server has hung up, or speaks without being asked. */
bool dir_conn_is_alive(const struct conn *c);

struct query {
	const char *base;
	int scope;
	const char *filter;
	const char *attrs[3]; /* ends with NULL */
	int limit;            /* entries; 0: all, in pages */
};

/* One entry; -1 ends the search as a failure. */
typedef int on_entry(
    void *ctx, struct conn *c, LDAPMessage *entry, struct pr_err **err);

/*
 * Runs a search within the search timeout and until `deadline`.  *code is
 * the server's result; -1 for every one but success, for a referral, and when
 * nothing came.  Entries may have been shown before a failure.
 */
int dir_conn_search(struct conn *c, const struct query *q, uint64_t deadline,
    on_entry *entry, void *ctx, int *code, struct pr_err **err) PR_NODISCARD;

struct pool;

/* Copies the configuration and starts connecting in the background. */
struct pool *dir_pool_new(const struct pr_directory_config *c) PR_NODISCARD;
void dir_pool_close(struct pool *p);
/* A connection for the caller alone, or NULL. */
struct conn *dir_pool_take(
    struct pool *p, uint64_t deadline, struct pr_err **err) PR_NODISCARD;
void dir_pool_put(struct pool *p, struct conn *c);
/* Every connection is made anew before its next use. */
void dir_pool_renew(struct pool *p);
bool dir_pool_ready(struct pool *p, struct pr_buf *why);

int dir_ldap_read(struct conn *c, struct pr_str name, struct pr_str filter,
    uint64_t deadline, const struct pr_membership **out,
    struct pr_err **err) PR_NODISCARD;

#endif /* LDAP_LOCAL_H */
