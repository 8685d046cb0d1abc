/* SPDX-License-Identifier: MIT */
/* What encryption needs to know of a room. */
#include "crypto_room.h"

#include "crypto_members.h"
#include "group_out.h"

#include <string.h>

enum {
    ROTATION_MS_PRESET = 604800000, /* a week */
    ROTATION_MESSAGES_PRESET = 100,
};

/* ---- the row ------------------------------------------------------------------------------ */

static int on_row(void *arg, const struct hr_value *column, size_t count)
{
    struct crypto_room *out = arg;
    const char *visibility = column[3].str;
    (void)count;
    *out = (struct crypto_room){
        .readable = column[0].num != 0,
        .rotation_ms = column[1].num,
        .rotation_messages = column[2].num,
        .invited_read = strcmp(visibility, "joined") != 0,
        .shared_history = strcmp(visibility, "shared") == 0 || strcmp(visibility, "world_readable") == 0,
        .members_known = column[4].num != 0,
    };
    return HR_OK;
}

int crypto_room_get(struct matrix *mx, const char *room_id, struct crypto_room *out)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id)};
    struct crypto_room found = {.rotation_ms = 0};
    int rc = mx->api->sql(mx->bot,
                          "SELECT readable, rotation_ms, rotation_messages, visibility, members_known"
                          " FROM matrix_crypto_room WHERE instance = ?1 AND room_id = ?2",
                          args, 2, on_row, &found);
    if (rc < 0) {
        return rc;
    }
    if (found.rotation_ms == 0) {
        return HR_ENOTFOUND;
    }
    *out = found;
    return HR_OK;
}

/* text NULL: no ?3 */
static int set(struct matrix *mx, const char *sql, const char *room_id, const char *text)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(text)};
    return mx->api->sql(mx->bot, sql, args, text != NULL ? 3 : 2, NULL, NULL);
}

static int on_agreed(void *arg, const struct hr_value *column, size_t count)
{
    struct {
        struct matrix *mx;
        const char *who;
    } *found = arg;
    (void)count;
    found->who = found->mx->api->print(found->mx->bot, "%s", column[0].str);
    return HR_OK;
}

const char *crypto_room_agreed(struct matrix *mx, const char *room_id)
{
    struct {
        struct matrix *mx;
        const char *who;
    } found = {mx, ""};
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id)};
    (void)mx->api->sql(mx->bot, "SELECT agreed FROM matrix_crypto_room WHERE instance = ?1 AND room_id = ?2", args, 2,
                       on_agreed, &found);
    return found.who;
}

int crypto_room_agree(struct matrix *mx, const char *room_id, const char *who)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(who),
                                    HR_V_INT(mx->api->now_ms(mx->bot))};
    return mx->api->sql(mx->bot,
                        "UPDATE matrix_crypto_room SET agreed = ?3, agreed_ms = ?4"
                        " WHERE instance = ?1 AND room_id = ?2",
                        args, 4, NULL, NULL);
}

/* ---- state of the room ------------------------------------------------------------------------ */

static int64_t wish(const json_t *content, const char *key, int64_t preset, int64_t least, int64_t most)
{
    const json_t *value = json_object_get(content, key);
    int64_t number = json_is_integer(value) ? (int64_t)json_integer_value(value) : preset;
    return number < least ? least : number > most ? most : number;
}

/* Encrypted once is encrypted for ever: a later event may change the rotation, never the algorithm. */
static void encryption(struct mx_room *room, const json_t *content)
{
    struct matrix *mx = room->mx;
    struct crypto_room known = {.readable = false};
    const char *algorithm = scan_text(content, "algorithm");
    bool readable = algorithm != NULL && strcmp(algorithm, DEVICE_KEYS_MEGOLM) == 0;
    bool is_new = crypto_room_get(mx, room->id, &known) != HR_OK;
    if (!is_new && !readable) {
        e2ee_refuse(mx, "somebody tried to change the encryption of %s; it stays as it was", room->address);
        return;
    }
    const struct hr_value args[] = {
        HR_V_STR(mx->name),
        HR_V_STR(room->id),
        HR_V_INT(readable),
        HR_V_INT(wish(content, "rotation_period_ms", ROTATION_MS_PRESET, ROTATION_LEAST_MS, INT64_MAX)),
        HR_V_INT(wish(content, "rotation_period_msgs", ROTATION_MESSAGES_PRESET, 1, ROTATION_MOST_MESSAGES)),
        HR_V_STR(room->visibility != NULL ? room->visibility : "shared"), /* its event may have come before this one */
    };
    (void)mx->api->sql(mx->bot,
                       "INSERT INTO matrix_crypto_room(instance, room_id, readable, rotation_ms, rotation_messages,"
                       " visibility) VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(instance, room_id) DO UPDATE SET"
                       " readable = excluded.readable, rotation_ms = excluded.rotation_ms,"
                       " rotation_messages = excluded.rotation_messages",
                       args, 6, NULL, NULL);
    mx->e2ee->changes++;
}

static void visibility(struct mx_room *room, const json_t *content)
{
    const char *says = scan_text(content, "history_visibility");
    struct crypto_room before, after;
    if (says == NULL) {
        return;
    }
    mem_set(&room->visibility, says);
    if (crypto_room_get(room->mx, room->id, &before) != HR_OK) {
        return;
    }
    (void)set(room->mx, "UPDATE matrix_crypto_room SET visibility = ?3 WHERE instance = ?1 AND room_id = ?2", room->id,
              says);
    if (crypto_room_get(room->mx, room->id, &after) == HR_OK && before.shared_history != after.shared_history) {
        group_out_discard(room->mx, room->id); /* the key says whether later members may get it */
    }
    room->mx->e2ee->changes++;
}

void crypto_room_state(struct mx_room *room, const struct event *event)
{
    if (room->id == NULL) {
        return;
    }
    if (strcmp(event->type, "m.room.member") == 0) {
        crypto_members_event(room, event);
    } else if (event->state_key[0] == '\0' && strcmp(event->type, "m.room.encryption") == 0) {
        encryption(room, event->content);
    } else if (event->state_key[0] == '\0' && strcmp(event->type, "m.room.history_visibility") == 0) {
        visibility(room, event->content);
    }
}

static int on_room(void *arg, const struct hr_value *column, size_t count)
{
    struct mem_buf *rooms = arg;
    (void)count;
    mem_add(rooms, column[0].str, strlen(column[0].str) + 1);
    return HR_OK;
}

void crypto_room_lost_device(struct matrix *mx, const char *user, const char *device)
{
    struct mem_buf rooms = {.max = 1024 * 1024};
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(user), HR_V_STR(device != NULL ? device : "")};
    (void)mx->api->sql(mx->bot,
                       "SELECT DISTINCT o.room_id FROM matrix_group_shared s JOIN matrix_group_out o"
                       " ON o.instance = s.instance AND o.session = s.session"
                       " WHERE s.instance = ?1 AND s.user = ?2 AND (?3 = '' OR s.device = ?3)",
                       args, 3, on_room, &rooms);
    for (size_t at = 0; at < rooms.len; at += strlen(rooms.at + at) + 1) {
        group_out_discard(mx, rooms.at + at);
    }
    mem_clear(&rooms);
    mx->e2ee->changes++;
}
