/* SPDX-License-Identifier: MIT */
/* For `hashroom status`: what database and state folder say, beside a running bot. */
#include "cli_status.h"
#include "clock.h"
#include "key.h"
#include "store.h"
#include "xalloc.h"
#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { BUSY_MS = 5000 };

#define DAY_MS (24LL * 3600 * 1000)
#define LOW_BYTES (64ULL << 20)

static const char *const states[] = {"waiting", "claimed", "delivered", "named", "expired", "refused", "unknown"};

static json_t *zero_counts(void)
{
    json_t *counts = json_object();
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
        (void)json_object_set_new(counts, states[i], json_integer(0));
    }
    return counts;
}

static void add_to(json_t *counts, const char *state, int64_t more)
{
    json_int_t before = json_integer_value(json_object_get(counts, state));
    (void)json_object_set_new(counts, state, json_integer(before + more));
}

/* The room of that id, in the list or added to it. */
static json_t *room_of(json_t *rooms, json_int_t id, const char *network, const char *address, bool private)
{
    size_t i = 0;
    json_t *room = NULL;
    json_array_foreach(rooms, i, room)
    {
        if (json_integer_value(json_object_get(room, "id")) == id) {
            break;
        }
    }
    if (i == json_array_size(rooms)) {
        room = json_pack("{s:I, s:s, s:s}", "id", id, "network", network, "address", address);
        (void)json_array_append_new(rooms, room);
    }
    if (json_object_get(room, "waiting") == NULL) {
        (void)json_object_set_new(room, "private", json_boolean(private));
        (void)json_object_set_new(room, "waiting", json_integer(0));
        (void)json_object_set_new(room, "oldest_ms", json_integer(0));
        (void)json_object_set_new(room, "day", zero_counts());
    }
    return room;
}

static void add_room(json_t *status, sqlite3_stmt *stmt, int64_t now_ms)
{
    json_t *rooms = json_object_get(status, "rooms");
    json_t *room = room_of(rooms, sqlite3_column_int64(stmt, 0), store_text(stmt, 1), store_text(stmt, 2),
                           sqlite3_column_int(stmt, 3) != 0);
    const char *state = store_text(stmt, 4);
    if (state[0] == '\0') { /* a room without deliveries */
        return;
    }
    int64_t count = sqlite3_column_int64(stmt, 5), today = sqlite3_column_int64(stmt, 6);
    if (strcmp(state, "waiting") == 0 || strcmp(state, "claimed") == 0) {
        int64_t oldest_ms = now_ms - sqlite3_column_int64(stmt, 7);
        oldest_ms = oldest_ms < 0 ? 0 : oldest_ms;
        add_to(room, "waiting", count);
        if (oldest_ms > json_integer_value(json_object_get(room, "oldest_ms"))) {
            (void)json_object_set_new(room, "oldest_ms", json_integer(oldest_ms));
        }
        today = count;
    }
    add_to(json_object_get(room, "day"), state, today);
    add_to(json_object_get(status, "day"), state, today);
    add_to(json_object_get(status, "counts"), state, count);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql, int64_t since_ms)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK) {
        (void)sqlite3_bind_int64(stmt, 1, since_ms);
    }
    return stmt;
}

static int read_rows(sqlite3 *db, json_t *status)
{
    int64_t now_ms = clock_wall_ms();
    sqlite3_stmt *stmt = prepare(db,
                                 "SELECT r.id, r.network, r.address, r.private, coalesce(d.state, ''), d.count,"
                                 " d.today, d.oldest_ms FROM room r LEFT JOIN (SELECT room, state, count(*) AS count,"
                                 " total(settled_ms > ?1) AS today, min(due_ms) AS oldest_ms FROM delivery"
                                 " GROUP BY room, state) d ON d.room = r.id WHERE r.private = 0 OR d.state IS NOT NULL"
                                 " ORDER BY r.id",
                                 now_ms - DAY_MS);
    if (stmt == NULL) {
        return HR_EFAIL;
    }
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        add_room(status, stmt, now_ms);
    }
    (void)sqlite3_finalize(stmt);
    stmt = prepare(db,
                   "SELECT state, coalesce(reason, ''), count(*) FROM delivery WHERE settled_ms > ?1 AND state IN"
                   " ('expired', 'refused', 'unknown') GROUP BY state, reason ORDER BY 3 DESC LIMIT 20",
                   now_ms - DAY_MS);
    while (stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW) {
        json_t *one = json_pack("{s:s, s:s, s:I}", "state", store_text(stmt, 0), "reason", store_text(stmt, 1), "count",
                                (json_int_t)sqlite3_column_int64(stmt, 2));
        (void)json_array_append_new(json_object_get(status, "reasons"), one);
    }
    (void)sqlite3_finalize(stmt);
    return HR_OK;
}

static json_int_t file_bytes(const char *dir, const char *name)
{
    CLEANUP_FREE char *path = xasprintf("%s/%s", dir, name);
    struct stat info;
    return stat(path, &info) == 0 ? (json_int_t)info.st_size : 0;
}

static void add_files(const struct config *config, json_t *status)
{
    const char *dir = config->state_dir;
    struct statvfs disk = {0};
    json_t *store = json_pack("{s:s, s:I, s:I}", "folder", dir, "bytes", file_bytes(dir, "hashroom.db"), "wal_bytes",
                              file_bytes(dir, "hashroom.db-wal"));
    if (statvfs(dir, &disk) == 0) {
        uint64_t left = (uint64_t)disk.f_bavail * disk.f_frsize;
        (void)json_object_set_new(store, "disk_free_bytes", json_integer((json_int_t)left));
        (void)json_object_set_new(store, "disk_low", json_boolean(left < LOW_BYTES));
    }
    (void)json_object_set_new(status, "store", store);
    char text[1024] = "";
    bool well = config->problem_count > 0 || key_look(config, text, sizeof(text));
    (void)json_object_set_new(status, "key", json_pack("{s:b, s:s}", "well", (int)well, "text", text));
}

int cli_status_store(const struct config *config, json_t *status)
{
    CLEANUP_FREE char *file = xasprintf("%s/hashroom.db", config->state_dir);
    sqlite3 *db = NULL;
    if (json_object_get(status, "rooms") == NULL) {
        (void)json_object_set_new(status, "rooms", json_array());
    }
    (void)json_object_set_new(status, "counts", zero_counts());
    (void)json_object_set_new(status, "day", zero_counts());
    (void)json_object_set_new(status, "reasons", json_array());
    int rc = sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK ? HR_OK : HR_ENOTFOUND;
    if (rc == HR_OK) {
        (void)sqlite3_busy_timeout(db, BUSY_MS);
        rc = read_rows(db, status);
    }
    (void)sqlite3_close(db);
    add_files(config, status);
    return rc;
}
