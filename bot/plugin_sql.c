/* SPDX-License-Identifier: MIT */
/* A plugin's way to the database, fenced by an SQLite authorizer. */
#include "plugin_sql.h"
#include "instance.h"
#include "log.h"
#include "turn.h"
#include "xalloc.h"
#include <ctype.h>
#include <uthash.h>

enum { COLUMNS_MAX = 64 };

struct fence {
    const char *plugin;
    bool schema; /* CREATE and friends, for the steps of the manifest */
};

static bool is_own(const struct fence *fence, const char *name)
{
    size_t len = strlen(fence->plugin);
    return name != NULL && strncmp(name, fence->plugin, len) == 0 && name[len] == '_';
}

static bool is_published(const char *name)
{
    return name != NULL && strstr(name, "_pub_") != NULL;
}

/* A view gives away what its owner has: the host anything, a plugin its own tables. */
static bool is_given(const char *view, const char *table)
{
    if (!is_published(view)) {
        return false;
    }
    size_t owner_len = (size_t)(strstr(view, "_pub_") - view);
    return strncmp(view, "core_pub_", 9) == 0 || (strncmp(view, table, owner_len) == 0 && table[owner_len] == '_');
}

/* SQLite names a WITH table to the guard as it names a view: one called like a
 * published view would open every table. A subquery does the same work. */
static bool has_with(const char *sql)
{
    for (const char *at = strcasestr(sql, "with"); at != NULL; at = strcasestr(at + 4, "with")) {
        bool starts = at == sql || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
        if (starts && !(isalnum((unsigned char)at[4]) || at[4] == '_')) {
            return true;
        }
    }
    return false;
}

static int guard_schema(const struct fence *fence, int action, const char *name, const char *table)
{
    switch (action) {
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_VIEW:
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_VIEW: return is_own(fence, name) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_CREATE_INDEX:
    case SQLITE_DROP_INDEX: return is_own(fence, table) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_ALTER_TABLE: return is_own(fence, table) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_REINDEX: return SQLITE_OK;
    default: return SQLITE_DENY;
    }
}

/* `view`: the one inside which this happens, or NULL. */
static int guard(void *arg, int action, const char *a, const char *b, const char *database, const char *view)
{
    const struct fence *fence = arg;
    (void)database;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    case SQLITE_READ:
        /* An empty column: a table that SQLite joins but reads nothing of, often one of a view. It gives
         * away how many rows there are, no more. */
        return b == NULL || b[0] == '\0' || is_own(fence, a) || is_published(a) || is_given(view, a) || a[0] == '\0' ||
                       (fence->schema && strncmp(a, "sqlite_", 7) == 0)
                   ? SQLITE_OK
                   : SQLITE_DENY;
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
        return is_own(fence, a) || (fence->schema && strncmp(a, "sqlite_", 7) == 0) ? SQLITE_OK : SQLITE_DENY;
    default: return fence->schema ? guard_schema(fence, action, a, b) : SQLITE_DENY;
    }
}

static void bind_value(sqlite3_stmt *stmt, int at, const struct hr_value *value)
{
    switch (value->type) {
    case HR_BOOL:
    case HR_INT:
    case HR_DURATION: sqlite3_bind_int64(stmt, at, value->num); break;
    case HR_STR:
    case HR_SECRET: sqlite3_bind_text(stmt, at, value->str, -1, SQLITE_TRANSIENT); break;
    case HR_BLOB: sqlite3_bind_blob64(stmt, at, value->str, value->len, SQLITE_TRANSIENT); break;
    case HR_REAL: sqlite3_bind_double(stmt, at, value->real); break;
    case HR_NULL:
    case HR_LIST: sqlite3_bind_null(stmt, at); break;
    }
}

static struct hr_value column(sqlite3_stmt *stmt, int at)
{
    struct hr_value value = {.type = HR_NULL, .str = ""};
    switch (sqlite3_column_type(stmt, at)) {
    case SQLITE_INTEGER:
        value.type = HR_INT;
        value.num = sqlite3_column_int64(stmt, at);
        break;
    case SQLITE_FLOAT:
        value.type = HR_REAL;
        value.real = sqlite3_column_double(stmt, at);
        break;
    case SQLITE_TEXT:
        value.type = HR_STR;
        value.str = store_text(stmt, at);
        value.len = (size_t)sqlite3_column_bytes(stmt, at);
        break;
    case SQLITE_BLOB:
        value.type = HR_BLOB;
        value.str = sqlite3_column_blob(stmt, at);
        value.len = (size_t)sqlite3_column_bytes(stmt, at);
        break;
    default: break;
    }
    return value;
}

static int step_all(struct hr_bot *bot, sqlite3_stmt *stmt, hr_row_fn *row, void *arg)
{
    int count = sqlite3_column_count(stmt);
    if (count > COLUMNS_MAX) {
        return HR_ELIMIT;
    }
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct hr_value value[COLUMNS_MAX];
        for (int i = 0; i < count; i++) {
            value[i] = column(stmt, i);
        }
        int said = row == NULL ? HR_OK : row(arg, value, (size_t)count);
        if (said < 0) {
            return said;
        }
    }
    if (rc == SQLITE_DONE) {
        return HR_OK;
    }
    if ((rc & 0xff) == SQLITE_CONSTRAINT) {
        return HR_EEXIST;
    }
    if ((rc & 0xff) == SQLITE_FULL || (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CORRUPT) {
        store_fatal(bot->app->store, "a plugin's write");
    }
    log_line(HR_ERROR, bot->who, "a query failed: %s", sqlite3_errmsg(store_db(bot->app->store)));
    return HR_EFAIL;
}

/* ---- prepared once for each text --------------------------------------------- */

enum { CACHE_MAX = 128 };

struct plugin_stmt {
    char *sql;
    sqlite3_stmt *stmt;
    UT_hash_handle hh;
};

static int prepare(struct hr_bot *bot, const char *sql, sqlite3_stmt **out)
{
    sqlite3 *db = store_db(bot->app->store);
    struct fence fence = {.plugin = bot->plugin->name};
    sqlite3_stmt *stmt = NULL;
    const char *tail = NULL;
    if (has_with(sql)) {
        log_line(HR_ERROR, bot->who, "a query is not allowed: WITH is not for plugins, use a subquery: %s", sql);
        return HR_EDENIED;
    }
    /* Only the preparation is watched: statements of the host must not be. */
    sqlite3_set_authorizer(db, guard, &fence);
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, &tail);
    sqlite3_set_authorizer(db, NULL, NULL);
    if (rc != SQLITE_OK || stmt == NULL || (tail != NULL && tail[strspn(tail, " ;\n")] != '\0')) {
        log_line(HR_ERROR, bot->who, "a query is not allowed: %s", rc != SQLITE_OK ? sqlite3_errmsg(db) : sql);
        sqlite3_finalize(stmt);
        return rc == SQLITE_AUTH ? HR_EDENIED : HR_EINVAL;
    }
    *out = stmt;
    return HR_OK;
}

/* keep: the statement stays in the cache; else the caller finalizes it. */
static int find_or_prepare(struct hr_bot *bot, const char *sql, sqlite3_stmt **out, bool *keep)
{
    struct plugin_stmt *cached;
    HASH_FIND_STR(bot->sql_cache, sql, cached);
    if (cached != NULL && !sqlite3_stmt_busy(cached->stmt)) {
        *out = cached->stmt;
        *keep = true;
        return HR_OK;
    }
    int rc = prepare(bot, sql, out);
    *keep = rc == HR_OK && cached == NULL && HASH_COUNT(bot->sql_cache) < CACHE_MAX;
    if (*keep) {
        cached = xcalloc(1, sizeof(*cached));
        cached->sql = xstrdup(sql);
        cached->stmt = *out;
        HASH_ADD_KEYPTR(hh, bot->sql_cache, cached->sql, strlen(cached->sql), cached);
    }
    return rc;
}

void plugin_sql_sweep(struct hr_bot *bot)
{
    struct plugin_stmt *cached, *next;
    HASH_ITER(hh, bot->sql_cache, cached, next)
    {
        HASH_DEL(bot->sql_cache, cached);
        sqlite3_finalize(cached->stmt);
        free(cached->sql);
        free(cached);
    }
}

int plugin_sql(struct hr_bot *bot, const char *sql, const struct hr_value *args, size_t count, hr_row_fn *row,
               void *arg)
{
    sqlite3_stmt *stmt;
    bool keep;
    int rc = find_or_prepare(bot, sql, &stmt, &keep);
    if (rc != HR_OK) {
        return rc;
    }
    if (!sqlite3_stmt_readonly(stmt)) {
        turn_write(bot->app->turn);
    }
    for (size_t i = 0; i < count; i++) {
        bind_value(stmt, (int)i + 1, &args[i]);
    }
    rc = step_all(bot, stmt, row, arg);
    if (keep) {
        sqlite3_reset(stmt);
        sqlite3_clear_bindings(stmt);
    } else {
        sqlite3_finalize(stmt);
    }
    return rc;
}

int plugin_sql_migrate(struct hr_bot *bot, char *err, size_t err_size)
{
    if (bot->plugin->schema == NULL) {
        return HR_OK;
    }
    for (const char *const *step = bot->plugin->schema; *step != NULL; step++) {
        if (has_with(*step)) {
            snprintf(err, err_size, "WITH is not for plugins, use a subquery: %s", *step);
            return HR_EDENIED;
        }
    }
    struct fence fence = {.plugin = bot->plugin->name, .schema = true};
    turn_finish(bot->app->turn); /* schema steps are transactions of their own */
    /* store_migrate keeps its own book, which the fence would not let it write:
     * the fence is only up while a step of the plugin is prepared. */
    store_fence(bot->app->store, guard, &fence);
    int rc = store_migrate(bot->app->store, bot->plugin->name, bot->plugin->schema, err, err_size);
    store_fence(bot->app->store, NULL, NULL);
    return rc;
}
