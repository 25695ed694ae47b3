/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_db.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/arena.h>

#define SCHEMA_VERSION 2          /* 1: without runs */
#define APPLICATION_ID 1347581489 /* "PRv1" */
#define BUSY_MS        2000       /* another process is writing */

#define TEXT_(x)       #x
#define TEXT(x)        TEXT_(x)

enum stmt {
	STMT_BEGIN = 0,
	STMT_COMMIT,
	STMT_ROLLBACK,
	STMT_PUT,
	STMT_FORGET,
	STMT_EACH,
	STMT_VERSION,
	STMT_RUN_BEST,
	STMT_RUN_BEGINS,
	STMT_RUN_ENDS,
	STMT_EACH_RUN,
	STMT_EACH_RUNNING,
	STMT_COUNT
};

static const char *const stmt_sql[STMT_COUNT] = {
    [STMT_BEGIN] = "BEGIN IMMEDIATE",
    [STMT_COMMIT] = "COMMIT",
    [STMT_ROLLBACK] = "ROLLBACK",
    [STMT_PUT] = ("INSERT OR REPLACE INTO object (kind, id, name, created,"
		  " team, phase, how, decision, time)"
		  " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    [STMT_FORGET] = "DELETE FROM object WHERE kind = ? AND id = ?",
    [STMT_EACH] = ("SELECT kind, id, name, created, team, phase, how,"
		   " decision, time FROM object"),
    [STMT_RUN_BEST] = ("INSERT INTO run (phase, digest, ns, time, container)"
		       " VALUES (?, ?, ?, ?, ?) ON CONFLICT (phase, digest)"
		       " DO UPDATE SET ns = excluded.ns, time = excluded.time,"
		       " container = excluded.container"
		       " WHERE excluded.ns > run.ns"),
    [STMT_RUN_BEGINS] = ("INSERT OR REPLACE INTO running"
			 " (container, started, boot, since)"
			 " VALUES (?, ?, ?, ?)"),
    [STMT_RUN_ENDS] = "DELETE FROM running WHERE container = ?",
    [STMT_EACH_RUN] = "SELECT phase, digest, ns, time, container FROM run",
    [STMT_EACH_RUNNING] = ("SELECT container, started, boot, since"
			   " FROM running"),
    [STMT_VERSION] = "PRAGMA data_version",
};

#define RUN_TABLES                                     \
	"CREATE TABLE run ("                           \
	" phase TEXT NOT NULL,"                        \
	" digest TEXT NOT NULL,"                       \
	" ns INTEGER NOT NULL,"                        \
	" time INTEGER NOT NULL,"                      \
	" container TEXT NOT NULL,"                    \
	" PRIMARY KEY (phase, digest)) WITHOUT ROWID;" \
	"CREATE TABLE running ("                       \
	" container TEXT PRIMARY KEY NOT NULL,"        \
	" started TEXT NOT NULL,"                      \
	" boot TEXT NOT NULL,"                         \
	" since INTEGER NOT NULL) WITHOUT ROWID;"      \
	"PRAGMA user_version = " TEXT(SCHEMA_VERSION) ";"

static const char schema[] =
    "BEGIN EXCLUSIVE;"
    "CREATE TABLE object ("
    " kind TEXT NOT NULL,"
    " id TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " created TEXT NOT NULL,"
    " team TEXT NOT NULL,"
    " phase TEXT NOT NULL,"
    " how TEXT NOT NULL,"
    " decision TEXT NOT NULL,"
    " time INTEGER NOT NULL,"
    " PRIMARY KEY (kind, id)) WITHOUT ROWID;" RUN_TABLES
    "PRAGMA application_id = " TEXT(APPLICATION_ID) ";"
						    "COMMIT;";

/* From version 1. */
static const char upgrade[] = "BEGIN EXCLUSIVE;" RUN_TABLES "COMMIT;";

static const char *const how_names[] = {
    [PR_LEDGER_REQUEST] = "request",
    [PR_LEDGER_ADOPTED] = "adopted",
};

/* Names in the file, not numbers: the enum may change its order. */
static const char *const kind_names[PR_KIND_COUNT] = {
    [PR_KIND_CONTAINER] = "container",
    [PR_KIND_EXEC] = "exec",
    [PR_KIND_IMAGE] = "image",
    [PR_KIND_NETWORK] = "network",
    [PR_KIND_VOLUME] = "volume",
    [PR_KIND_PLUGIN] = "plugin",
    [PR_KIND_SERVICE] = "service",
    [PR_KIND_TASK] = "task",
    [PR_KIND_NODE] = "node",
    [PR_KIND_SECRET] = "secret",
    [PR_KIND_CONFIG] = "config",
};

struct ledger_db {
	sqlite3 *sql;
	char *path;
	sqlite3_stmt *stmts[STMT_COUNT];
};

static int
failed(struct ledger_db *db, const char *doing, struct pr_err **err)
{
	return pr_err_set(err, PR_ERR_IO, sqlite3_system_errno(db->sql),
	    "ledger %s: %s: %s", db->path, doing, sqlite3_errmsg(db->sql));
}

static int
damaged(struct ledger_db *db, const char *what, struct pr_err **err)
{
	return pr_err_set(err, PR_ERR_INVALID, 0,
	    "ledger %s is damaged (%s); save what can be read with: "
	    "sqlite3 %s .recover | sqlite3 %s.new && mv %s.new %s, or move it "
	    "away and adopt what matters with portreeve adopt",
	    db->path, what, db->path, db->path, db->path, db->path);
}

/* The first column of the first row, as a number. */
static int
query_int(struct ledger_db *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db->sql, sql, -1, &st, NULL);

	if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		*out = sqlite3_column_int64(st, 0);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(st);
	return rc;
}

static bool
check_is_ok(struct ledger_db *db)
{
	sqlite3_stmt *st = NULL;
	bool ok = false;

	if (sqlite3_prepare_v2(
		db->sql, "PRAGMA quick_check(1)", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW) {
		const void *text = sqlite3_column_text(st, 0);

		ok = text != NULL && strcmp(text, "ok") == 0;
	}
	sqlite3_finalize(st);
	return ok;
}

/*
 * Made here, not by SQLite: nobody else may read or write it, whatever the
 * umask; -wal and -shm inherit its mode.
 */
static int
make_file(const char *path, struct pr_err **err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
	struct stat st;
	int rc = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		rc = pr_err_set(err, PR_ERR_IO, errno, "ledger %s: %s", path,
		    strerror(errno));
	else if (!S_ISREG(st.st_mode))
		rc = pr_err_set(err, PR_ERR_INVALID, 0,
		    "ledger %s: not a regular file", path);
	else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		rc = pr_err_set(err, PR_ERR_INVALID, 0,
		    "ledger %s: mode %04o lets others write whose objects are; "
		    "chmod 0600 %s",
		    path, (unsigned)(st.st_mode & 07777), path);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int
check_schema(struct ledger_db *db, struct pr_err **err)
{
	int64_t version = -1, id = -1, tables = -1;
	int rc = query_int(db, "PRAGMA user_version", &version);

	if (rc == SQLITE_OK)
		rc = query_int(db, "PRAGMA application_id", &id);
	if (rc == SQLITE_OK)
		rc = query_int(
		    db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT)
		return damaged(db, sqlite3_errmsg(db->sql), err);
	if (rc != SQLITE_OK)
		return failed(db, "cannot be read", err);
	if (tables == 0 && version == 0) {
		if (sqlite3_exec(db->sql, schema, NULL, NULL, NULL) !=
		    SQLITE_OK)
			return failed(db, "cannot make its table", err);
		return 0;
	}
	if (id != APPLICATION_ID)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "ledger %s: a database of another program", db->path);
	if (version > SCHEMA_VERSION || version < 1)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "ledger %s: written by a newer Portreeve (schema %lld, "
		    "this "
		    "one knows %d); install that version again",
		    db->path, (long long)version, SCHEMA_VERSION);
	if (!check_is_ok(db))
		return damaged(db, "its pages do not agree", err);
	if (version == 1 &&
	    sqlite3_exec(db->sql, upgrade, NULL, NULL, NULL) != SQLITE_OK)
		return failed(db, "cannot make its new tables", err);
	return 0;
}

static int
open_sql(struct ledger_db *db, struct pr_err **err)
{
	static const char pragmas[] = "PRAGMA journal_mode = WAL;"
				      "PRAGMA synchronous = FULL;"
				      "PRAGMA trusted_schema = OFF;"
				      "PRAGMA cell_size_check = ON;"
				      "PRAGMA cache_size = -256;";

	/* one thread at a time: who opens it, then the writer */
	if (sqlite3_open_v2(db->path, &db->sql,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return failed(db, "cannot be opened", err);
	sqlite3_busy_timeout(db->sql, BUSY_MS);
	sqlite3_extended_result_codes(db->sql, 0);

	int rc = sqlite3_exec(db->sql, pragmas, NULL, NULL, NULL);

	if (rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT)
		return damaged(db, sqlite3_errmsg(db->sql), err);
	if (rc != SQLITE_OK)
		return failed(db, "cannot be written", err);
	if (check_schema(db, err) < 0)
		return -1;
	for (unsigned i = 0; i < STMT_COUNT; i++)
		if (sqlite3_prepare_v3(db->sql, stmt_sql[i], -1,
			SQLITE_PREPARE_PERSISTENT, &db->stmts[i],
			NULL) != SQLITE_OK)
			return damaged(db, sqlite3_errmsg(db->sql), err);
	return 0;
}

struct ledger_db *
ledger_db_open(const char *path, struct pr_err **err)
{
	if (make_file(path, err) < 0)
		return NULL;
	struct ledger_db *db = pr_xcalloc(1, sizeof *db);

	db->path = pr_xstrdup(path);
	if (open_sql(db, err) < 0) {
		ledger_db_close(db);
		return NULL;
	}
	return db;
}

void
ledger_db_close(struct ledger_db *db)
{
	if (db == NULL)
		return;
	for (unsigned i = 0; i < STMT_COUNT; i++)
		sqlite3_finalize(db->stmts[i]);
	sqlite3_close(db->sql);
	free(db->path);
	free(db);
}

/* Runs a statement that answers nothing, and resets it. */
static int
run(struct ledger_db *db, enum stmt which, const char *doing,
    struct pr_err **err)
{
	sqlite3_stmt *st = db->stmts[which];
	int rc = sqlite3_step(st);
	int ret = rc == SQLITE_DONE ? 0 : failed(db, doing, err);

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return ret;
}

int
ledger_db_begin(struct ledger_db *db, struct pr_err **err)
{
	return run(db, STMT_BEGIN, "cannot begin to write", err);
}

int
ledger_db_commit(struct ledger_db *db, struct pr_err **err)
{
	return run(db, STMT_COMMIT, "cannot write", err);
}

void
ledger_db_rollback(struct ledger_db *db)
{
	if (!sqlite3_get_autocommit(db->sql))
		(void)run(db, STMT_ROLLBACK, "cannot roll back", NULL);
}

static void
bind(sqlite3_stmt *st, int at, struct pr_str s)
{
	/* borrowed: the statement is run before the string goes */
	sqlite3_bind_text(
	    st, at, s.p != NULL ? s.p : "", (int)s.n, SQLITE_STATIC);
}

int
ledger_db_put(
    struct ledger_db *db, const struct pr_ledger_entry *e, struct pr_err **err)
{
	sqlite3_stmt *st = db->stmts[STMT_PUT];

	bind(st, 1, pr_str_of(kind_names[e->kind]));
	bind(st, 2, e->id);
	bind(st, 3, e->name);
	bind(st, 4, e->created);
	bind(st, 5, e->team);
	bind(st, 6, e->phase);
	bind(st, 7, pr_str_of(how_names[e->how]));
	bind(st, 8, e->decision);
	sqlite3_bind_int64(st, 9, e->time);
	return run(db, STMT_PUT, "cannot write", err);
}

int
ledger_db_forget(struct ledger_db *db, enum pr_kind kind, struct pr_str id,
    struct pr_err **err)
{
	sqlite3_stmt *st = db->stmts[STMT_FORGET];

	bind(st, 1, pr_str_of(kind_names[kind]));
	bind(st, 2, id);
	return run(db, STMT_FORGET, "cannot write", err);
}

static struct pr_str
column(sqlite3_stmt *st, int at)
{
	const char *p = (const char *)sqlite3_column_text(st, at);

	return (struct pr_str){p, (size_t)sqlite3_column_bytes(st, at)};
}

static bool
read_row(sqlite3_stmt *st, struct pr_ledger_entry *e)
{
	struct pr_str kind = column(st, 0), how = column(st, 6);

	*e = (struct pr_ledger_entry){.id = column(st, 1),
	    .name = column(st, 2),
	    .created = column(st, 3),
	    .team = column(st, 4),
	    .phase = column(st, 5),
	    .decision = column(st, 7),
	    .time = sqlite3_column_int64(st, 8)};
	for (unsigned k = 1; k < PR_KIND_COUNT; k++)
		if (pr_str_is(kind, kind_names[k]))
			e->kind = (enum pr_kind)k;
	e->how = pr_str_is(how, how_names[PR_LEDGER_ADOPTED])
	    ? PR_LEDGER_ADOPTED
	    : PR_LEDGER_REQUEST;
	return e->kind != PR_KIND_NONE && e->id.n > 0 &&
	    e->team.n <= PR_LEDGER_NAME && e->phase.n <= PR_LEDGER_NAME;
}

int
ledger_db_each(struct ledger_db *db,
    void (*row)(void *arg, const struct pr_ledger_entry *e), void *arg,
    struct pr_err **err)
{
	sqlite3_stmt *st = db->stmts[STMT_EACH];
	struct pr_ledger_entry e;
	int rc, ret = 0;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW && ret == 0) {
		if (read_row(st, &e))
			row(arg, &e);
		else
			ret = damaged(db, "a row that makes no sense", err);
	}
	if (ret == 0 && rc == SQLITE_CORRUPT)
		ret = damaged(db, sqlite3_errmsg(db->sql), err);
	else if (ret == 0 && rc != SQLITE_DONE)
		ret = failed(db, "cannot be read", err);
	sqlite3_reset(st);
	return ret;
}

int
ledger_db_run(
    struct ledger_db *db, const struct run_row *row, struct pr_err **err)
{
	static const enum stmt which[] = {[RUN_BEST] = STMT_RUN_BEST,
	    [RUN_BEGINS] = STMT_RUN_BEGINS,
	    [RUN_ENDS] = STMT_RUN_ENDS};
	sqlite3_stmt *st = db->stmts[which[row->what]];

	if (row->what == RUN_BEST) {
		bind(st, 1, row->run.phase);
		bind(st, 2, row->run.digest);
		sqlite3_bind_int64(st, 3, (int64_t)row->run.ns);
		sqlite3_bind_int64(st, 4, row->run.time);
		bind(st, 5, row->run.container);
	} else {
		bind(st, 1, row->running.container);
	}
	if (row->what == RUN_BEGINS) {
		bind(st, 2, row->running.started);
		bind(st, 3, row->running.boot);
		sqlite3_bind_int64(st, 4, (int64_t)row->running.since);
	}
	return run(db, which[row->what], "cannot write", err);
}

/* Takes one row of a statement; false: it makes no sense. */
static bool
take_run(sqlite3_stmt *st, bool best, struct runs *into)
{
	struct pr_ledger_run r = {0};
	struct pr_ledger_running g = {0};
	struct run_row *row;
	int64_t n = sqlite3_column_int64(st, best ? 2 : 3);

	if (best) {
		r = (struct pr_ledger_run){.phase = column(st, 0),
		    .digest = column(st, 1),
		    .ns = (uint64_t)n,
		    .time = sqlite3_column_int64(st, 3),
		    .container = column(st, 4)};
	} else {
		g = (struct pr_ledger_running){.container = column(st, 0),
		    .started = column(st, 1),
		    .boot = column(st, 2),
		    .since = (uint64_t)n};
	}
	if (n < 0)
		return false;
	row = run_row_new(best ? RUN_BEST : RUN_BEGINS, &r, &g);
	(void)runs_take(into, row);
	free(row);
	return true;
}

int
ledger_db_each_run(
    struct ledger_db *db, struct runs *into, bool all, struct pr_err **err)
{
	static const enum stmt which[] = {STMT_EACH_RUN, STMT_EACH_RUNNING};
	int rc = SQLITE_DONE, ret = 0;

	for (size_t i = 0; i < (all ? 2U : 1U) && ret == 0; i++) {
		sqlite3_stmt *st = db->stmts[which[i]];

		while ((rc = sqlite3_step(st)) == SQLITE_ROW && ret == 0) {
			if (!take_run(st, i == 0, into))
				ret = damaged(
				    db, "a run that makes no sense", err);
		}
		sqlite3_reset(st);
		if (ret == 0 && rc == SQLITE_CORRUPT)
			ret = damaged(db, sqlite3_errmsg(db->sql), err);
		else if (ret == 0 && rc != SQLITE_DONE)
			ret = failed(db, "cannot be read", err);
	}
	return ret;
}

int
ledger_db_probe(struct ledger_db *db, struct pr_err **err)
{
	static const char sql[] =
	    "BEGIN IMMEDIATE; PRAGMA user_version = " TEXT(
		SCHEMA_VERSION) "; COMMIT;";

	if (sqlite3_exec(db->sql, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	(void)failed(db, "cannot write", err);
	ledger_db_rollback(db);
	return -1;
}

int64_t
ledger_db_version(struct ledger_db *db)
{
	sqlite3_stmt *st = db->stmts[STMT_VERSION];
	int64_t v = -1;

	if (sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return v;
}
