/* SPDX-License-Identifier: MIT */
/* Encrypted events that wait for their key. */
#include "group_late.h"

#include "../inbound.h"
#include "../member.h"
#include "../room.h"
#include "backup.h"
#include "group_in.h"
#include "key_request.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_A_ROOM = 1000, TELL_AFTER_MS = 60000, KEEP_DAYS = 7 };

/* In the row's flags. */
#define TOLD (UINT32_C(1) << 30)   /* the room was asked to say it again */
#define SEALED (UINT32_C(1) << 29) /* when it came, nobody had agreed that it leaves the room */

struct ask { /* a person whose devices are looked up */
    struct matrix *mx;
    char *room_id, *session;
};

struct group_lates {
    struct hr_timer *timer;
};

/* ---- keeping --------------------------------------------------------------------------------- */

static int on_number(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    *(int64_t *)arg = column[0].num;
    return HR_OK;
}

bool group_late_waits(struct matrix *mx, const char *room_id, const char *session)
{
    int64_t count = 0;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(session)};
    (void)mx->api->sql(mx->bot,
                       "SELECT count(*) FROM matrix_group_wait WHERE instance = ?1 AND room_id = ?2 AND session = ?3",
                       args, 3, on_number, &count);
    return count > 0;
}

static void make_place(struct matrix *mx, const char *room_id)
{
    int64_t count = 0;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id)};
    (void)mx->api->sql(mx->bot, "SELECT count(*) FROM matrix_group_wait WHERE instance = ?1 AND room_id = ?2", args, 2,
                       on_number, &count);
    if (count >= MOST_A_ROOM) {
        e2ee_refuse(mx, "more than %d messages in %s wait for their keys: the oldest is given up", MOST_A_ROOM,
                    room_id);
        (void)mx->api->sql(mx->bot,
                           "DELETE FROM matrix_group_wait WHERE instance = ?1 AND room_id = ?2 AND event IN (SELECT"
                           " event FROM matrix_group_wait WHERE instance = ?1 AND room_id = ?2 ORDER BY at_ms LIMIT 1)",
                           args, 2, NULL, NULL);
    }
}

static bool is_sealed(struct mx_room *room)
{
    return room->encrypted && !room->private && crypto_room_agreed(room->mx, room->id)[0] == '\0';
}

static int write_row(struct mx_room *room, const struct event *event, const char *session, uint32_t flags)
{
    struct matrix *mx = room->mx;
    json_t *json = json_pack("{s:s, s:s, s:s, s:I, s:O}", "event_id", event->id, "type", event->type, "sender",
                             event->sender, "origin_server_ts", (json_int_t)event->time_ms, "content", event->content);
    char *body = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (body == NULL) {
        return HR_EINVAL;
    }
    const struct hr_value args[] = {HR_V_STR(mx->name),
                                    HR_V_STR(room->id),
                                    HR_V_STR(session),
                                    HR_V_STR(event->id),
                                    HR_V_STR(body),
                                    HR_V_INT(flags),
                                    HR_V_INT(mx->api->wall_ms(mx->bot))};
    int rc = mx->api->sql(mx->bot,
                          "INSERT OR IGNORE INTO matrix_group_wait(instance, room_id, session, event, body, flags,"
                          " at_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                          args, 7, NULL, NULL);
    free(body);
    return rc;
}

static void ask_free(void *arg)
{
    struct ask *ask = arg;
    free(ask->room_id);
    free(ask->session);
    free(ask);
}

static void on_fresh(struct matrix *mx, void *arg)
{
    struct ask *ask = arg;
    group_late_key(mx, ask->room_id, ask->session);
    ask_free(ask);
}

static void watch(struct matrix *mx);

int group_late_keep(struct mx_room *room, const struct event *event, const char *session, uint32_t flags,
                    bool new_device)
{
    struct matrix *mx = room->mx;
    bool waited = group_late_waits(mx, room->id, session);
    make_place(mx, room->id);
    flags |= is_sealed(room) ? SEALED : 0;
    if (write_row(room, event, session, flags & ~GROUP_LATE_LAST_TRY) < 0) {
        return HR_EDENIED;
    }
    if (new_device) {
        const char *users[] = {event->sender};
        struct ask *ask = mem_new(sizeof(*ask));
        *ask = (struct ask){mx, mem_dup(room->id), mem_dup(session)};
        people_fresh(mx, users, 1, on_fresh, ask_free, ask);
    } else if (!waited) {
        backup_fetch(mx, room->id, session);
        key_request_ask(mx, room->id, session);
    }
    watch(mx);
    return HR_ERETRY;
}

/* ---- reading what waited ------------------------------------------------------------------------ */

struct row {
    char *body;
    uint32_t flags;
    int64_t at_ms; /* wall clock: when it was kept */
};

struct rows {
    struct row *row;
    size_t count, cap;
};

static int on_row(void *arg, const struct hr_value *column, size_t count)
{
    struct rows *rows = arg;
    (void)count;
    rows->row = mem_grow(rows->row, rows->count, &rows->cap, sizeof(*rows->row));
    rows->row[rows->count++] =
        (struct row){mem_copy(column[0].str, column[0].len), (uint32_t)column[1].num, column[2].num};
    return HR_OK;
}

static void read_again(struct mx_room *room, const struct row *row)
{
    struct event event;
    struct e2ee_plain plain;
    char err[120];
    if ((row->flags & SEALED) && !is_sealed(room)) {
        return; /* said before a host agreed */
    }
    if (event_read(&event, (struct scan){row->body, strlen(row->body)}, err, sizeof(err)) == HR_OK) {
        /* Its sender's clock may be ahead: it is at least as old as we know it. */
        int64_t at_ms = event.time_ms < row->at_ms ? event.time_ms : row->at_ms;
        event.age_ms = room->mx->api->wall_ms(room->mx->bot) - at_ms;
        if (group_in_decrypt(room, &event, row->flags | GROUP_LATE_LAST_TRY, &plain) == HR_OK) {
            inbound_plain(room, &plain, row->flags & ~(TOLD | SEALED));
            event_clear(&plain.event);
        }
    }
    event_clear(&event);
}

void group_late_key(struct matrix *mx, const char *room_id, const char *session)
{
    struct rows rows = {.count = 0};
    struct mx_room *room = room_by_id(mx, room_id);
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(session)};
    (void)mx->api->sql(mx->bot,
                       "SELECT body, flags, at_ms FROM matrix_group_wait WHERE instance = ?1 AND room_id = ?2"
                       " AND session = ?3 ORDER BY at_ms, event",
                       args, 3, on_row, &rows);
    if (rows.count > 0) {
        (void)mx->api->sql(mx->bot,
                           "DELETE FROM matrix_group_wait WHERE instance = ?1 AND room_id = ?2 AND session = ?3", args,
                           3, NULL, NULL);
    }
    for (size_t i = 0; i < rows.count; i++) {
        if (room != NULL) {
            read_again(room, &rows.row[i]);
        }
        free(rows.row[i].body);
    }
    free(rows.row);
}

/* ---- telling ---------------------------------------------------------------------------------------- */

struct overdue {
    struct matrix *mx;
    struct mem_buf lines; /* room, session, sender, code, flags; each with its NUL */
    int64_t next;         /* rows that are not due yet */
};

static int on_overdue(void *arg, const struct hr_value *column, size_t count)
{
    struct overdue *overdue = arg;
    for (size_t i = 0; i < count; i++) {
        const char *text = matrix_column(&column[i]) != NULL ? column[i].str : "";
        mem_add(&overdue->lines, text, strlen(text) + 1);
    }
    return HR_OK;
}

static const char *why(const char *code)
{
    if (strcmp(code, "m.unverified") == 0) {
        return "its sender gives keys to verified devices only, and has not verified this bot";
    }
    if (strcmp(code, "m.blacklisted") == 0) {
        return "its sender has blocked this bot";
    }
    return code[0] != '\0' ? "its sender does not give the key to this bot" : "its key was not sent";
}

static void tell(struct matrix *mx, const char *room_id, const char *session, const char *sender, const char *code,
                 bool old)
{
    struct mx_room *room = room_by_id(mx, room_id);
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(session), HR_V_INT(TOLD)};
    (void)mx->api->sql(mx->bot,
                       "UPDATE matrix_group_wait SET flags = flags | ?4 WHERE instance = ?1 AND room_id = ?2"
                       " AND session = ?3",
                       args, 4, NULL, NULL);
    mx->e2ee->unreadable++;
    mx->api->log(mx->bot, HR_WARN, "a message of %s in %s can't be read: %s", sender, room_id, why(code));
    if (room != NULL && !old) {
        /* Once a person and hour: who makes up sessions does not make the bot talk. */
        long long hour = (long long)mx->api->wall_ms(mx->bot) / 3600000;
        room_say(room, mx->api->words(mx->bot, "M01", "name", member_name(room, sender), NULL),
                 mx->api->print(mx->bot, "unreadable:%s:%s:%lld", room_id, sender, hour));
    }
}

static void on_timer(void *arg)
{
    struct matrix *mx = arg;
    struct overdue overdue = {.mx = mx, .lines = {.max = 256 * 1024}};
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_INT(mx->api->wall_ms(mx->bot) - TELL_AFTER_MS),
                                    HR_V_INT(TOLD), HR_V_INT(HR_MSG_HISTORY)};
    mx->e2ee->late->timer = NULL;
    (void)mx->api->sql(mx->bot,
                       "SELECT w.room_id, w.session, json_extract(w.body, '$.sender'), (SELECT code FROM"
                       " matrix_withheld h WHERE h.instance = w.instance AND h.room_id = w.room_id"
                       " AND h.session = w.session), iif(w.flags & ?4, 'old', '') FROM matrix_group_wait w"
                       " WHERE w.instance = ?1 AND w.at_ms <= ?2 AND w.flags & ?3 = 0"
                       " GROUP BY w.room_id, w.session LIMIT 20",
                       args, 4, on_overdue, &overdue);
    const char *field[5];
    for (size_t at = 0; at < overdue.lines.len;) {
        for (int i = 0; i < 5; i++) {
            field[i] = overdue.lines.at + at;
            at += strlen(field[i]) + 1;
        }
        tell(mx, field[0], field[1], field[2], field[3], field[4][0] != '\0');
    }
    mem_clear(&overdue.lines);
    watch(mx);
}

/* Looks again while something waits that nobody was told of. */
static void watch(struct matrix *mx)
{
    int64_t count = 0;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_INT(TOLD)};
    if (mx->e2ee->late->timer != NULL) {
        return;
    }
    (void)mx->api->sql(mx->bot, "SELECT count(*) FROM matrix_group_wait WHERE instance = ?1 AND flags & ?2 = 0", args,
                       2, on_number, &count);
    if (count > 0) {
        (void)mx->api->timer_in(mx->bot, TELL_AFTER_MS / 2, 0, on_timer, mx, &mx->e2ee->late->timer);
    }
}

void group_late_load(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name),
                                    HR_V_INT(mx->api->wall_ms(mx->bot) - KEEP_DAYS * INT64_C(86400000))};
    mx->e2ee->late = mem_new(sizeof(*mx->e2ee->late));
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_group_wait WHERE instance = ?1 AND at_ms < ?2", args, 2, NULL,
                       NULL);
    watch(mx);
}

void group_late_stop(struct matrix *mx)
{
    if (mx->e2ee->late != NULL) {
        mx->api->timer_stop(mx->e2ee->late->timer);
        free(mx->e2ee->late);
        mx->e2ee->late = NULL;
    }
}
