/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's file.  Only ledger_db.c knows SQLite.  One thread at a time. */
#ifndef LEDGER_DB_H
#define LEDGER_DB_H

#include <portreeve/ledger.h>

#include "ledger_runs.h"

struct ledger_db; /* opaque */

struct ledger_db *ledger_db_open(
    const char *path, struct pr_err **err) PR_NODISCARD;
void ledger_db_close(struct ledger_db *db);

/* Every entry; strings are borrowed during the call. */
int ledger_db_each(struct ledger_db *db,
    void (*row)(void *arg, const struct pr_ledger_entry *e), void *arg,
    struct pr_err **err) PR_NODISCARD;

/* Every longest run; with `all` those under way too. */
int ledger_db_each_run(struct ledger_db *db, struct runs *into, bool all,
    struct pr_err **err) PR_NODISCARD;

/* A transaction: begin, any number of put and forget, commit or rollback. */
int ledger_db_begin(struct ledger_db *db, struct pr_err **err) PR_NODISCARD;
int ledger_db_put(struct ledger_db *db, const struct pr_ledger_entry *e,
    struct pr_err **err) PR_NODISCARD;
int ledger_db_forget(struct ledger_db *db, enum pr_kind kind, struct pr_str id,
    struct pr_err **err) PR_NODISCARD;
int ledger_db_run(struct ledger_db *db, const struct run_row *row,
    struct pr_err **err) PR_NODISCARD;
int ledger_db_commit(struct ledger_db *db, struct pr_err **err) PR_NODISCARD;
void ledger_db_rollback(struct ledger_db *db);

/* Writes what is there already: can the disk be written again? */
int ledger_db_probe(struct ledger_db *db, struct pr_err **err) PR_NODISCARD;

/* Changes when another process has written. */
int64_t ledger_db_version(struct ledger_db *db);

#endif /* LEDGER_DB_H */
