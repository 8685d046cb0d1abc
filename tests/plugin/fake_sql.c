/* SPDX-License-Identifier: MIT */
/* The fake host's database: in memory, the plugin writes to its own tables alone. */
#include "fake_inside.h"
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 64 };

static bool is_own(const struct fake *fake, const char *table)
{
    size_t len = strlen(fake->plugin->name);
    return table && strncmp(table, fake->plugin->name, len) == 0 && table[len] == '_';
}

static int authorize(void *arg, int action, const char *one, const char *two, const char *database, const char *inner)
{
    const struct fake *fake = arg;
    (void)two, (void)database, (void)inner;
    if (!fake->guarded) {
        return SQLITE_OK;
    }
    switch (action) {
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
    case SQLITE_DROP_TABLE:
    case SQLITE_CREATE_TABLE:
        return is_own(fake, one) || (one && strncmp(one, "sqlite_", 7) == 0) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_PRAGMA:
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT: return SQLITE_DENY;
    default: return SQLITE_OK;
    }
}

void fake_db_open(struct fake *fake)
{
    if (sqlite3_open(":memory:", &fake->db) != SQLITE_OK ||
        sqlite3_set_authorizer(fake->db, authorize, fake) != SQLITE_OK) {
        fake_die("no database in memory");
    }
}

int fake_db_schema(struct fake *fake)
{
    const char *const *steps = fake->plugin->schema;
    for (; steps && steps[fake->schema_done]; fake->schema_done++) {
        fake->guarded = true;
        char *wrong = NULL;
        int code = sqlite3_exec(fake->db, steps[fake->schema_done], NULL, NULL, &wrong);
        fake->guarded = false;
        if (code != SQLITE_OK) {
            fake_die("schema step %d of %s: %s", fake->schema_done + 1, fake->plugin->name, wrong ? wrong : "failed");
        }
    }
    return HR_OK;
}

static int bind(sqlite3_stmt *stmt, int place, const struct hr_value *value)
{
    switch (value->type) {
    case HR_NULL: return sqlite3_bind_null(stmt, place);
    case HR_BOOL:
    case HR_INT:
    case HR_DURATION: return sqlite3_bind_int64(stmt, place, value->num);
    case HR_REAL: return sqlite3_bind_double(stmt, place, value->real);
    case HR_STR:
    case HR_SECRET:
        return value->str ? sqlite3_bind_text(stmt, place, value->str, -1, SQLITE_TRANSIENT)
                          : sqlite3_bind_null(stmt, place);
    case HR_BLOB: return sqlite3_bind_blob64(stmt, place, value->str ? value->str : "", value->len, SQLITE_TRANSIENT);
    case HR_LIST: break;
    }
    fake_die("a list can't be bound to a place in SQL");
}

static void read_row(sqlite3_stmt *stmt, struct hr_value *columns, int count)
{
    for (int i = 0; i < count; i++) {
        struct hr_value *value = &columns[i];
        *value = (struct hr_value){.type = HR_NULL, .str = ""};
        switch (sqlite3_column_type(stmt, i)) {
        case SQLITE_INTEGER:
            value->type = HR_INT;
            value->num = sqlite3_column_int64(stmt, i);
            break;
        case SQLITE_FLOAT:
            value->type = HR_REAL;
            value->real = sqlite3_column_double(stmt, i);
            break;
        case SQLITE_TEXT:
            value->type = HR_STR;
            value->str = (const char *)sqlite3_column_text(stmt, i);
            value->len = (size_t)sqlite3_column_bytes(stmt, i);
            break;
        case SQLITE_BLOB:
            value->type = HR_BLOB;
            value->str = sqlite3_column_blob(stmt, i);
            value->len = (size_t)sqlite3_column_bytes(stmt, i);
            break;
        default: break;
        }
    }
}

static int step_all(struct fake *fake, sqlite3_stmt *stmt, hr_row_fn *row, void *arg)
{
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct hr_value columns[COLUMNS_MAX];
        int count = sqlite3_column_count(stmt);
        if (count > COLUMNS_MAX) {
            fake_die("a query with over %d columns", COLUMNS_MAX);
        }
        read_row(stmt, columns, count);
        int status = row ? row(arg, columns, (size_t)count) : HR_OK;
        if (status < 0) {
            return status;
        }
    }
    if (code == SQLITE_DONE) {
        return HR_OK;
    }
    if ((code & 0xff) == SQLITE_CONSTRAINT) {
        return HR_EEXIST;
    }
    fake_die("SQL of %s: %s", fake->plugin->name, sqlite3_errmsg(fake->db));
}

int fake_db_run(struct fake *fake, const char *sql, const struct hr_value *args, size_t count, hr_row_fn *row,
                void *arg)
{
    sqlite3_stmt *stmt = NULL;
    const char *rest = NULL;
    fake->guarded = true;
    int code = sqlite3_prepare_v2(fake->db, sql, -1, &stmt, &rest);
    fake->guarded = false;
    if (code == SQLITE_AUTH) {
        fake_die("%s may not do this: %s", fake->plugin->name, sql);
    }
    if (code != SQLITE_OK || !stmt) {
        fake_die("SQL of %s: %s in: %s", fake->plugin->name, sqlite3_errmsg(fake->db), sql);
    }
    if (rest && rest[strspn(rest, " \n\t;")] != '\0') {
        fake_die("one statement at a time: %s", sql);
    }
    if ((size_t)sqlite3_bind_parameter_count(stmt) > count) {
        fake_die("%zu values for %d places in: %s", count, sqlite3_bind_parameter_count(stmt), sql);
    }
    for (size_t i = 0; i < count; i++) {
        if (bind(stmt, (int)i + 1, &args[i]) != SQLITE_OK) {
            fake_die("value %zu has no place in: %s", i + 1, sql);
        }
    }
    int status = step_all(fake, stmt, row, arg);
    (void)sqlite3_finalize(stmt);
    return status;
}

int fake_sql(struct fake *fake, const char *sql)
{
    char *wrong = NULL;
    if (sqlite3_exec(fake->db, sql, NULL, NULL, &wrong) != SQLITE_OK) {
        fake_die("SQL of the test: %s in: %s", wrong ? wrong : "failed", sql);
    }
    return HR_OK;
}

int64_t fake_number(struct fake *fake, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(fake->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        fake_die("SQL of the test: %s in: %s", sqlite3_errmsg(fake->db), sql);
    }
    int64_t number = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -1;
    (void)sqlite3_finalize(stmt);
    return number;
}
