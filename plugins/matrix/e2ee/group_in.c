/* SPDX-License-Identifier: MIT */
/* Megolm sessions of others and of ourselves: taking them in, decrypting. */
#include "group_in.h"

#include "../room.h"
#include "backup.h"
#include "group_late.h"
#include "key_request.h"

#include <stdlib.h>
#include <string.h>

enum {
    CACHE = 64,            /* sessions kept ready for use */
    KEEP_DAYS = 30,        /* unused so long: a session goes, with its table of indices */
    MAX_SESSIONS = 200000, /* of all rooms: then those that were unused longest go */
    A_DAY_MS = 86400000,
};

struct row { /* of matrix_group_in, its ratchet opened */
    char room_id[256], session[44], sender[256], curve[44], ed[44];
    enum group_origin origin;
    uint32_t first_index;
    bool shared_history;
    int64_t used_ms; /* wall clock, to the day */
    struct ratchet_inbound *ratchet;
    uint64_t used; /* the cache drops the longest unused one */
    struct matrix *mx;
};

struct group_ins {
    struct row *cache[CACHE];
    uint64_t clock;
    int64_t count; /* of the rows */
};

/* ---- rows ------------------------------------------------------------------------------------ */

static void row_free(struct row *row)
{
    if (row != NULL) {
        ratchet_inbound_free(row->ratchet);
        free(row);
    }
}

static bool copy(char *to, size_t size, const char *from)
{
    size_t len = from != NULL ? strlen(from) : size;
    if (len >= size) {
        return false;
    }
    memcpy(to, from, len + 1);
    return true;
}

static int on_row(void *arg, const struct hr_value *column, size_t count)
{
    struct row *row = arg;
    (void)count;
    if (!copy(row->sender, sizeof(row->sender), column[0].str) ||
        !copy(row->curve, sizeof(row->curve), column[1].str) || !copy(row->ed, sizeof(row->ed), column[2].str)) {
        return HR_EINVAL;
    }
    row->origin = (enum group_origin)column[3].num;
    row->first_index = (uint32_t)column[4].num;
    row->shared_history = column[5].num != 0;
    row->used_ms = column[7].num;
    return ratchet_inbound_unpickle(column[6].str, column[6].len, row->mx->e2ee->pickle_key, &row->ratchet);
}

static struct row **place(struct matrix *mx, const char *room_id, const char *session)
{
    struct group_ins *ins = mx->e2ee->group_in;
    struct row **oldest = &ins->cache[0];
    for (size_t i = 0; i < CACHE; i++) {
        struct row **at = &ins->cache[i];
        if (*at != NULL && strcmp((*at)->session, session) == 0 && strcmp((*at)->room_id, room_id) == 0) {
            return at;
        }
        if (*oldest != NULL && (*at == NULL || (*at)->used < (*oldest)->used)) {
            oldest = at;
        }
    }
    row_free(*oldest);
    *oldest = NULL;
    return oldest;
}

/* Borrowed from the cache; NULL: there is no such session. */
static struct row *find(struct matrix *mx, const char *room_id, const char *session)
{
    struct row **at = place(mx, room_id, session);
    if (*at == NULL) {
        struct row *row = mem_new(sizeof(*row));
        row->mx = mx;
        const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(session)};
        int rc = mx->api->sql(mx->bot,
                              "SELECT sender, sender_curve, sender_ed, origin, first_index, shared_history, pickle,"
                              " used_ms FROM matrix_group_in WHERE instance = ?1 AND room_id = ?2 AND session = ?3",
                              args, 3, on_row, row);
        if (rc < 0 || row->ratchet == NULL || !copy(row->room_id, sizeof(row->room_id), room_id) ||
            !copy(row->session, sizeof(row->session), session)) {
            row_free(row);
            return NULL;
        }
        *at = row;
    }
    (*at)->used = ++mx->e2ee->group_in->clock;
    return *at;
}

static int save(struct matrix *mx, struct row *row)
{
    row->used_ms = mx->api->wall_ms(mx->bot);
    if (room_by_id(mx, row->room_id) == NULL) { /* the bot may come there yet; these go first */
        row->used_ms -= (KEEP_DAYS - 1) * (int64_t)A_DAY_MS;
    }
    char *pickle = ratchet_inbound_pickle(row->ratchet, mx->e2ee->pickle_key);
    const struct hr_value args[] = {
        HR_V_STR(mx->name),    HR_V_STR(row->room_id),     HR_V_STR(row->session),
        HR_V_STR(row->sender), HR_V_STR(row->curve),       HR_V_STR(row->ed),
        HR_V_INT(row->origin), HR_V_INT(row->first_index), HR_V_INT(row->shared_history),
        HR_V_STR(pickle),      HR_V_INT(row->used_ms),     HR_V_INT(row->origin == GROUP_BACKUP),
    };
    int rc = mx->api->sql(mx->bot,
                          "INSERT OR REPLACE INTO matrix_group_in(instance, room_id, session, sender, sender_curve,"
                          " sender_ed, origin, first_index, shared_history, pickle, used_ms, backed_up)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                          args, 12, NULL, NULL);
    free(pickle);
    return rc;
}

/* It is in use: kept for another month. */
static void touch(struct matrix *mx, struct row *row)
{
    int64_t now_ms = mx->api->wall_ms(mx->bot);
    if (now_ms - row->used_ms < A_DAY_MS) {
        return;
    }
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(row->room_id), HR_V_STR(row->session),
                                    HR_V_INT(now_ms)};
    row->used_ms = now_ms;
    (void)mx->api->sql(mx->bot,
                       "UPDATE matrix_group_in SET used_ms = ?4 WHERE instance = ?1 AND room_id = ?2 AND session = ?3",
                       args, 4, NULL, NULL);
}

/* Strangers can send as many as they like. */
static void make_place(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_INT(MAX_SESSIONS / 100)};
    if (++mx->e2ee->group_in->count <= MAX_SESSIONS) {
        return;
    }
    mx->e2ee->group_in->count -= MAX_SESSIONS / 100;
    (void)mx->api->sql(mx->bot,
                       "DELETE FROM matrix_group_in WHERE instance = ?1 AND (room_id, session) IN (SELECT room_id,"
                       " session FROM matrix_group_in WHERE instance = ?1 ORDER BY used_ms LIMIT ?2)",
                       args, 2, NULL, NULL);
    matrix_error(mx, "more than %d room keys: those unused longest are forgotten", MAX_SESSIONS);
}

/* ---- taking one in ------------------------------------------------------------------------------ */

/* What the key is, checked against what was said of it. */
static int open_key(const struct group_key *key, struct row *row)
{
    size_t len = key->key != NULL ? strlen(key->key) : 0;
    int rc = key->exported ? ratchet_inbound_import(key->key, len, &row->ratchet)
                           : ratchet_inbound_new(key->key, len, &row->ratchet);
    if (rc < 0) {
        return rc;
    }
    if (strcmp(ratchet_inbound_id(row->ratchet), key->session) != 0 ||
        !copy(row->room_id, sizeof(row->room_id), key->room_id) ||
        !copy(row->session, sizeof(row->session), key->session) ||
        !copy(row->sender, sizeof(row->sender), key->sender != NULL ? key->sender : "") ||
        !copy(row->curve, sizeof(row->curve), key->sender_curve) ||
        !copy(row->ed, sizeof(row->ed), key->sender_ed != NULL ? key->sender_ed : "")) {
        return HR_EDENIED;
    }
    row->origin = key->origin;
    row->first_index = ratchet_inbound_first_index(row->ratchet);
    row->shared_history = key->shared_history;
    return HR_OK;
}

/* Two copies of one session become the better one: the lower first index, and what
 * proves more of where it comes from. The id is the key that signs its messages, so that
 * proof of one copy holds for the other once they are shown to be the same. */
static int merge(const struct row *known, struct row *fresh)
{
    bool same_owner =
        strcmp(known->curve, fresh->curve) == 0 &&
        (known->sender[0] == '\0' || fresh->sender[0] == '\0' || strcmp(known->sender, fresh->sender) == 0);
    if (!ratchet_inbound_connects(known->ratchet, fresh->ratchet) ||
        (known->origin == GROUP_DIRECT && fresh->origin == GROUP_DIRECT && !same_owner)) {
        return HR_EDENIED;
    }
    if (known->first_index <= fresh->first_index && known->origin >= fresh->origin) {
        return HR_EEXIST;
    }
    if (known->first_index < fresh->first_index) {
        char key[RATCHET_EXPORTED_KEY];
        struct ratchet_inbound *lower = NULL;
        int rc = ratchet_inbound_export(known->ratchet, known->first_index, key);
        rc = rc == HR_OK ? ratchet_inbound_import(key, strlen(key), &lower) : rc;
        explicit_bzero(key, sizeof(key));
        if (rc < 0) {
            return rc;
        }
        ratchet_inbound_free(fresh->ratchet);
        fresh->ratchet = lower;
        fresh->first_index = known->first_index;
    }
    if (known->origin > fresh->origin) {
        fresh->origin = known->origin;
        fresh->shared_history = known->shared_history;
        memcpy(fresh->sender, known->sender, sizeof(fresh->sender));
        memcpy(fresh->curve, known->curve, sizeof(fresh->curve));
        memcpy(fresh->ed, known->ed, sizeof(fresh->ed));
    }
    return HR_OK;
}

int group_in_take(struct matrix *mx, const struct group_key *key)
{
    struct row *fresh = mem_new(sizeof(*fresh));
    fresh->mx = mx;
    int rc = open_key(key, fresh);
    const struct row *known = rc == HR_OK ? find(mx, fresh->room_id, fresh->session) : NULL;
    if (known != NULL) {
        rc = merge(known, fresh);
    }
    if (rc == HR_OK && known == NULL) {
        make_place(mx);
    }
    if (rc == HR_OK) {
        rc = save(mx, fresh);
    }
    if (rc < 0) {
        row_free(fresh);
        return rc == HR_EEXIST ? HR_OK : rc;
    }
    struct row **at = place(mx, fresh->room_id, fresh->session);
    row_free(*at);
    *at = fresh;
    fresh->used = ++mx->e2ee->group_in->clock;
    key_request_cancel(mx, fresh->room_id, fresh->session);
    if (fresh->origin != GROUP_BACKUP) {
        backup_wake(mx);
    }
    group_late_key(mx, fresh->room_id, fresh->session);
    return HR_OK;
}

/* ---- decrypting ------------------------------------------------------------------------------------------ */

struct index_use {
    const char *event;
    bool used, same;
};

static int on_index(void *arg, const struct hr_value *column, size_t count)
{
    struct index_use *use = arg;
    (void)count;
    use->used = true;
    use->same = strcmp(column[0].str, use->event) == 0;
    return HR_OK;
}

/* An index belongs to the event that used it first. */
static bool index_is_free(struct matrix *mx, const char *session, uint32_t index, const struct event *event)
{
    struct index_use use = {.event = event->id};
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(session), HR_V_INT(index), HR_V_STR(event->id),
                                    HR_V_INT(event->time_ms)};
    (void)mx->api->sql(mx->bot,
                       "SELECT event FROM matrix_group_index WHERE instance = ?1 AND session = ?2 AND idx = ?3", args,
                       3, on_index, &use);
    if (!use.used) {
        return mx->api->sql(mx->bot,
                            "INSERT INTO matrix_group_index(instance, session, idx, event, time_ms)"
                            " VALUES(?1, ?2, ?3, ?4, ?5)",
                            args, 5, NULL, NULL) == HR_OK;
    }
    return use.same;
}

/* Who is behind the session: fills trust, device, direct. HR_EDENIED: not who sent the event. */
static int judge(struct matrix *mx, const struct row *row, const struct event *event, struct e2ee_plain *out)
{
    struct peer peer;
    bool own = strcmp(row->curve, ratchet_account_identity(mx->e2ee->account)->curve25519) == 0;
    if ((row->sender[0] != '\0' && strcmp(row->sender, event->sender) != 0) ||
        (own && strcmp(event->sender, mx->user) != 0)) {
        return HR_EDENIED; /* a session of one person in an event of another */
    }
    out->trust = TRUST_NONE;
    out->direct = false;
    out->device[0] = '\0';
    int rc = people_by_curve(mx, event->sender, row->curve, &peer);
    if (rc == HR_OK && (row->ed[0] == '\0' || strcmp(row->ed, peer.ed) == 0)) {
        out->trust = peer.trust;
        out->direct = row->origin == GROUP_DIRECT;
        memcpy(out->device, peer.device, sizeof(out->device));
    }
    if (people_changed(mx, event->sender)) {
        out->trust = TRUST_CHANGED;
    }
    return rc == HR_OK || own ? HR_OK : HR_ENOTFOUND;
}

/* The plaintext as an event of its own. */
static int read_plain(const struct event *event, const char *text, size_t len, const char *room_id, struct event *out)
{
    char err[120];
    json_t *plain = scan_load((struct scan){text, len}, err, sizeof(err));
    const char *room = scan_text(plain, "room_id"), *type = scan_text(plain, "type");
    json_t *content = json_object_get(plain, "content"), *relates = json_object_get(event->content, "m.relates_to");
    if (room == NULL || strcmp(room, room_id) != 0 || type == NULL || strlen(type) >= sizeof(out->type) ||
        strcmp(type, "m.room.encrypted") == 0 || !json_is_object(content)) {
        json_decref(plain);
        return HR_EDENIED;
    }
    *out = *event;
    memcpy(out->type, type, strlen(type) + 1);
    out->content = json_incref(content);
    (void)json_object_del(content, "m.relates_to"); /* only what stands outside counts */
    if (relates != NULL) {
        (void)json_object_set(content, "m.relates_to", relates);
    }
    json_decref(plain);
    return HR_OK;
}

static int decrypt_with(struct mx_room *room, const struct event *event, struct row *row, const char *cipher,
                        struct e2ee_plain *out)
{
    struct matrix *mx = room->mx;
    char *plain = NULL;
    size_t len = 0;
    uint32_t index = 0;
    int rc = ratchet_inbound_decrypt(row->ratchet, cipher, strlen(cipher), &plain, &len, &index);
    if (rc == HR_ENOTFOUND) {
        return HR_ENOTFOUND; /* said before we were given the key */
    }
    const char *why = rc < 0 ? "is not genuine" : NULL;
    if (rc == HR_OK && read_plain(event, plain, len, room->id, &out->event) < 0) {
        why = "was encrypted for another room, or is none";
    } else if (rc == HR_OK && !index_is_free(mx, row->session, index, event)) { /* last: what is refused uses none up */
        why = "repeats another one";
        event_clear(&out->event);
    }
    if (why != NULL) {
        e2ee_refuse(mx, "a message of %s in %s %s: left aside", event->sender, room->address, why);
        rc = HR_EDENIED;
    } else {
        touch(mx, row);
    }
    if (plain != NULL) {
        explicit_bzero(plain, len);
    }
    free(plain);
    return rc;
}

int group_in_decrypt(struct mx_room *room, const struct event *event, uint32_t flags, struct e2ee_plain *out)
{
    struct matrix *mx = room->mx;
    const char *algorithm = scan_text(event->content, "algorithm");
    const char *session = scan_text(event->content, "session_id"), *cipher = scan_text(event->content, "ciphertext");
    if (algorithm == NULL || strcmp(algorithm, DEVICE_KEYS_MEGOLM) != 0 || session == NULL || strlen(session) != 43 ||
        cipher == NULL) {
        e2ee_refuse(mx, "a message of %s in %s is encrypted in a way this bot can't read", event->sender,
                    room->address);
        return HR_EDENIED;
    }
    struct row *row = find(mx, room->id, session);
    if (row == NULL) {
        return group_late_keep(room, event, session, flags, false);
    }
    struct e2ee_plain plain = {.trust = TRUST_NONE};
    int known = judge(mx, row, event, &plain);
    if (known == HR_EDENIED) {
        e2ee_refuse(mx, "a message of %s in %s uses a key that is not its sender's: left aside", event->sender,
                    room->address);
        return HR_EDENIED;
    }
    if (known == HR_ENOTFOUND && !(flags & GROUP_LATE_LAST_TRY)) { /* a new device: its list may be on the way */
        return group_late_keep(room, event, session, flags, true);
    }
    if (mx->e2ee->strict && plain.trust == TRUST_NONE && strcmp(event->sender, mx->user) != 0) {
        e2ee_refuse(mx, "a message of %s in %s comes from a device its owner has not verified: left aside (strict)",
                    event->sender, room->address);
        return HR_EDENIED;
    }
    int rc = decrypt_with(room, event, row, cipher, &plain);
    if (rc == HR_ENOTFOUND) {
        return group_late_keep(room, event, session, flags, false);
    }
    if (rc == HR_OK) {
        *out = plain;
    }
    return rc;
}

int group_in_export(struct matrix *mx, const char *room_id, const char *session, uint32_t from,
                    struct group_export *out, char key[RATCHET_EXPORTED_KEY])
{
    const struct row *row = find(mx, room_id, session);
    if (row == NULL || row->origin != GROUP_DIRECT) {
        return HR_ENOTFOUND; /* what nobody vouches for is not handed on */
    }
    uint32_t first = from > row->first_index ? from : row->first_index;
    int rc = ratchet_inbound_export(row->ratchet, first, key);
    if (rc == HR_OK) {
        *out = (struct group_export){row->room_id, row->session, row->curve, row->ed, key, first, row->shared_history};
    }
    return rc;
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

static int on_count(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    *(int64_t *)arg = column[0].num;
    return HR_OK;
}

void group_in_load(struct matrix *mx)
{
    int64_t old_ms = mx->api->wall_ms(mx->bot) - KEEP_DAYS * (int64_t)A_DAY_MS;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_INT(old_ms)};
    mx->e2ee->group_in = mem_new(sizeof(*mx->e2ee->group_in));
    /* Without its session nothing can be decrypted twice: both go together. */
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_group_in WHERE instance = ?1 AND used_ms < ?2", args, 2, NULL,
                       NULL);
    (void)mx->api->sql(mx->bot,
                       "DELETE FROM matrix_group_index WHERE instance = ?1 AND session NOT IN"
                       " (SELECT session FROM matrix_group_in WHERE instance = ?1)",
                       args, 1, NULL, NULL);
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_withheld WHERE instance = ?1 AND at_ms < ?2", args, 2, NULL, NULL);
    /* Of parts that were given up without being sent. */
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_sealed WHERE instance = ?1 AND at_ms < ?2", args, 2, NULL, NULL);
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_key_request WHERE instance = ?1 AND at_ms < ?2", args, 2, NULL,
                       NULL);
    (void)mx->api->sql(mx->bot, "SELECT count(*) FROM matrix_group_in WHERE instance = ?1", args, 1, on_count,
                       &mx->e2ee->group_in->count);
    group_late_load(mx);
}

void group_in_stop(struct matrix *mx)
{
    group_late_stop(mx);
    for (size_t i = 0; mx->e2ee->group_in != NULL && i < CACHE; i++) {
        row_free(mx->e2ee->group_in->cache[i]);
    }
    free(mx->e2ee->group_in);
    mx->e2ee->group_in = NULL;
}
