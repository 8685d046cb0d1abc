/* SPDX-License-Identifier: MIT */
/* Pictures and files: whose are carried, what is known of each. */
#include "media.h"

#include "e2ee/base64.h"
#include "e2ee/curve.h"
#include "member.h"

#include <stdio.h>
#include <string.h>

enum { MODERATOR = 50, KEY_ROW = 16 + (int)sizeof(struct attachment) + 32 };

static const int64_t known_ms = INT64_C(24) * 3600 * 1000, forget_ms = INT64_C(90) * 24 * 3600 * 1000;

/* ---- whose ------------------------------------------------------------------------ */

static const char *whose(struct matrix *mx)
{
    return mx->api->option(mx->bot, "media")->str;
}

static bool is_on(struct matrix *mx)
{
    return strcmp(whose(mx), "nobody") != 0;
}

void media_check(struct hr_bot *bot, const struct hr_api *api)
{
    const char *value = api->option(bot, "media")->str;
    if (strcmp(value, "nobody") != 0 && strcmp(value, "roles") != 0 && strcmp(value, "known") != 0 &&
        strcmp(value, "everyone") != 0) {
        api->problem(bot, "media", "\"%s\" is none of nobody, roles, known, everyone. Write for example: media = roles",
                     value);
    }
}

/* Ids are not kept for this, only numbers made of them under a key outside the database. */
static const char *person_of(struct matrix *mx, const char *user_id)
{
    uint8_t key[32], hash[32];
    char text[BASE64_KEY];
    if (mx->api->derive(mx->bot, "media: who is known", key, sizeof(key)) < 0) {
        return "";
    }
    curve_hmac(key, sizeof(key), user_id, strlen(user_id), hash);
    (void)base64_encode(BASE64, hash, sizeof(hash), text);
    return mx->api->print(mx->bot, "%s", text);
}

static int on_number(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    *(int64_t *)arg = column[0].num;
    return HR_OK;
}

static bool is_known(struct matrix *mx, const char *user_id)
{
    int64_t since_ms = INT64_MAX;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(person_of(mx, user_id))};
    (void)mx->api->sql(mx->bot, "SELECT since_ms FROM matrix_media_person WHERE instance = ?1 AND who = ?2", args, 2,
                       on_number, &since_ms);
    return since_ms <= mx->api->now_ms(mx->bot) - known_ms;
}

void media_person(struct mx_room *room, const struct event *event)
{
    struct matrix *mx = room->mx;
    if (room->private || strcmp(whose(mx), "known") != 0) {
        return;
    }
    int64_t now_ms = mx->api->now_ms(mx->bot);
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(person_of(mx, event->sender)), HR_V_INT(now_ms),
                                    HR_V_INT(now_ms - known_ms)};
    (void)mx->api->sql(mx->bot,
                       "INSERT INTO matrix_media_person VALUES(?1, ?2, ?3, ?3) ON CONFLICT DO UPDATE"
                       " SET seen_ms = ?3 WHERE seen_ms < ?4",
                       args, 4, NULL, NULL);
}

static bool may(struct mx_room *room, const struct event *event, uint32_t flags, const struct e2ee_plain *proof)
{
    struct matrix *mx = room->mx;
    bool bridged = (flags & HR_MSG_BOT) != 0, changed = proof != NULL && proof->trust == TRUST_CHANGED;
    if (!is_on(mx) || room->private || bridged || changed || room->encrypted != (proof != NULL) ||
        (room->encrypted && e2ee_agreed(room)[0] == '\0')) {
        return false;
    }
    if (strcmp(whose(mx), "everyone") == 0) {
        return true;
    }
    return mx->net->account_known(mx->bot, event->sender) || member_power(room, event->sender) >= MODERATOR ||
           (strcmp(whose(mx), "known") == 0 && is_known(mx, event->sender));
}

/* ---- what --------------------------------------------------------------------------- */

static bool take(const char *from, size_t len, const char *allowed, char out[256])
{
    if (len == 0 || len > 255 || strspn(from, allowed) < len) {
        return false;
    }
    memcpy(out, from, len);
    out[len] = '\0';
    return true;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

bool media_uri(const char *uri, char server[256], char media[256])
{
    if (uri == NULL || strncmp(uri, "mxc://", 6) != 0) {
        return false;
    }
    const char *host = uri + 6, *slash = strchr(host, '/');
    return slash != NULL && take(host, (size_t)(slash - host), LETTERS ".-:[]", server) &&
           take(slash + 1, strlen(slash + 1), LETTERS "-_", media);
}

static void read_name(const json_t *content, char out[256])
{
    const char *name = scan_text(content, "filename");
    size_t len = 0;
    name = name != NULL ? name : scan_text(content, "body");
    for (const char *c = name; c != NULL && *c != '\0' && len < 200; c++) {
        if ((unsigned char)*c >= ' ' && *c != 0x7f && *c != '/' && *c != '\\') {
            out[len++] = *c;
        }
    }
    while (len > 0 && ((unsigned char)out[len - 1] & 0xC0) == 0x80) { /* no half a letter at the end */
        len--;
    }
    out[len] = '\0';
}

static int64_t number_of(const json_t *info, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(info, key));
    return value > 0 && value < 100000 ? (int64_t)value : 0;
}

static bool read_item(struct matrix *mx, const json_t *content, struct media_item *item)
{
    const json_t *file = json_object_get(content, "file"), *info = json_object_get(content, "info");
    const char *kind = scan_text(content, "msgtype"), *uri = scan_text(json_is_object(file) ? file : content, "url");
    bool is_media = kind != NULL && (strcmp(kind, "m.image") == 0 || strcmp(kind, "m.video") == 0 ||
                                     strcmp(kind, "m.audio") == 0 || strcmp(kind, "m.file") == 0);
    int64_t max = mx->api->option(mx->bot, "media_max_mb")->num * 1024 * 1024;
    *item = (struct media_item){.type = media_type_of(scan_text(info, "mimetype")), .sealed = json_is_object(file)};
    if (!is_media || item->type == NULL || !media_uri(uri, item->server, item->media) ||
        json_integer_value(json_object_get(info, "size")) > max ||
        (item->sealed && attachment_read(file, &item->key) < 0)) {
        return false;
    }
    (void)snprintf(item->kind, sizeof(item->kind), "%s", kind);
    read_name(content, item->name);
    item->width = number_of(info, "w");
    item->height = number_of(info, "h");
    return true;
}

bool media_offered(struct mx_room *room, const struct event *event, uint32_t flags, const struct e2ee_plain *proof,
                   struct media_item *item, const char **url)
{
    struct matrix *mx = room->mx;
    uint8_t id[MEDIA_ID_BYTES];
    if (!may(room, event, flags, proof) || !read_item(mx, event->content, item)) {
        return false;
    }
    curve_random(id, sizeof(id));
    (void)base64_encode(BASE64_URL, id, sizeof(id), item->id);
    item->expires_ms = mx->api->now_ms(mx->bot) + mx->api->option(mx->bot, "media_keep")->num;
    const char *base = mx->media_pages ? mx->api->serve_url(mx->bot) : NULL;
    *url = base != NULL ? mx->api->print(mx->bot, "%s%s", base, media_path(mx, item)) : NULL;
    return true;
}

/* ---- rows ----------------------------------------------------------------------------- */

static void row_keys(struct matrix *mx, uint8_t cipher[32], uint8_t mac[32])
{
    uint8_t both[64] = {0};
    (void)mx->api->derive(mx->bot, "media: keys at rest", both, sizeof(both));
    memcpy(cipher, both, 32);
    memcpy(mac, both + 32, 32);
    curve_wipe(both, sizeof(both));
}

/* iv, the key enciphered, a MAC over both. */
static void wrap(struct matrix *mx, const struct attachment *key, uint8_t out[KEY_ROW])
{
    uint8_t cipher[32], mac[32];
    row_keys(mx, cipher, mac);
    curve_random(out, 16);
    memcpy(out + 16, key, sizeof(*key));
    curve_aes_ctr(cipher, out, out + 16, sizeof(*key));
    curve_hmac(mac, sizeof(mac), out, KEY_ROW - 32, out + KEY_ROW - 32);
    curve_wipe(cipher, sizeof(cipher));
}

static bool unwrap(struct matrix *mx, const struct hr_value *blob, struct attachment *key)
{
    uint8_t cipher[32], mac[32], found[32], iv[16];
    if (blob->type != HR_BLOB || blob->len != KEY_ROW) {
        return false;
    }
    row_keys(mx, cipher, mac);
    curve_hmac(mac, sizeof(mac), blob->str, KEY_ROW - 32, found);
    bool good = curve_equal(found, blob->str + KEY_ROW - 32, sizeof(found));
    if (good) {
        memcpy(iv, blob->str, sizeof(iv));
        memcpy(key, blob->str + 16, sizeof(*key));
        curve_aes_ctr(cipher, iv, key, sizeof(*key));
    }
    curve_wipe(cipher, sizeof(cipher));
    return good;
}

static void write_row(struct matrix *mx, const char *sql, const char *event_id, const struct media_item *item)
{
    uint8_t row[KEY_ROW];
    if (item->sealed) {
        wrap(mx, &item->key, row);
    }
    const struct hr_value args[] = {
        HR_V_STR(mx->name),
        HR_V_STR(event_id),
        HR_V_STR(item->id),
        HR_V_STR(item->kind),
        HR_V_STR(mx->api->print(mx->bot, "mxc://%s/%s", item->server, item->media)),
        HR_V_STR(item->type->name),
        HR_V_STR(item->name),
        HR_V_INT(item->width),
        HR_V_INT(item->height),
        item->sealed ? HR_V_BLOB((const char *)row, sizeof(row)) : (struct hr_value){.type = HR_NULL},
        HR_V_INT(item->expires_ms),
    };
    (void)mx->api->sql(mx->bot, sql, args, sizeof(args) / sizeof(args[0]), NULL, NULL);
}

static void drop_old(struct matrix *mx)
{
    int64_t now_ms = mx->api->now_ms(mx->bot);
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_INT(now_ms), HR_V_INT(now_ms - forget_ms)};
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_media WHERE instance = ?1 AND expires_ms <= ?2", args, 2, NULL,
                       NULL);
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_media_person WHERE instance = ?1 AND seen_ms < ?3", args, 3, NULL,
                       NULL);
}

void media_keep(struct matrix *mx, const char *event_id, const struct media_item *item)
{
    drop_old(mx);
    write_row(mx, "INSERT OR REPLACE INTO matrix_media VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", event_id,
              item);
}

bool media_is_by(struct matrix *mx, const char *event_id, const char *user_id)
{
    int64_t count = 0;
    const struct hr_value args[] = {HR_V_STR(event_id), HR_V_STR(user_id)};
    if (!is_on(mx)) {
        return false;
    }
    (void)mx->api->sql(mx->bot,
                       "SELECT count(*) FROM matrix_media m JOIN core_pub_message c ON c.scope = 'matrix'"
                       " AND c.key = m.event WHERE m.event = ?1 AND c.author = ?2",
                       args, 2, on_number, &count);
    return count > 0;
}

void media_edited(struct mx_room *room, const char *event_id, const json_t *content)
{
    struct media_item item = {0}, old = {0};
    if (media_find(room->mx, NULL, event_id, &old) == HR_OK && read_item(room->mx, content, &item) &&
        item.sealed == room->encrypted && item.type == old.type) {
        media_forget(room->mx, &old);
        item.expires_ms = 0; /* id and time stay as they are, so its address does, too */
        write_row(room->mx,
                  "UPDATE matrix_media SET uri = ?5, name = ?7, width = ?8, height = ?9, key = ?10"
                  " WHERE instance = ?1 AND event = ?2 AND ?3 = '' AND ?4 = kind AND ?6 = type AND ?11 = 0",
                  event_id, &item);
    }
    attachment_clear(&item.key);
    attachment_clear(&old.key);
}

void media_removed(struct matrix *mx, const char *event_id)
{
    struct media_item item;
    if (media_find(mx, NULL, event_id, &item) == HR_OK) {
        media_forget(mx, &item);
        attachment_clear(&item.key);
    }
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(event_id)};
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_media WHERE instance = ?1 AND event = ?2", args, 2, NULL, NULL);
}

struct finding {
    struct matrix *mx;
    struct media_item *item;
    bool found;
};

static int on_row(void *arg, const struct hr_value *column, size_t count)
{
    struct finding *finding = arg;
    struct media_item *item = finding->item;
    (void)count;
    *item = (struct media_item){.type = media_type_of(column[3].str),
                                .width = column[5].num,
                                .height = column[6].num,
                                .sealed = column[7].type != HR_NULL,
                                .expires_ms = column[8].num};
    (void)snprintf(item->id, sizeof(item->id), "%s", column[0].str);
    (void)snprintf(item->kind, sizeof(item->kind), "%s", column[1].str);
    (void)snprintf(item->name, sizeof(item->name), "%s", column[4].str);
    finding->found = item->type != NULL && media_uri(column[2].str, item->server, item->media) &&
                     (!item->sealed || unwrap(finding->mx, &column[7], &item->key));
    return HR_OK;
}

int media_find(struct matrix *mx, const char *id, const char *event_id, struct media_item *out)
{
    struct finding finding = {.mx = mx, .item = out};
    const struct hr_value args[] = {HR_V_STR(id != NULL ? id : event_id), HR_V_INT(mx->api->now_ms(mx->bot))};
    /* another account's too: its rooms are this one's as well */
    static const char by_id[] =
        "SELECT m.id, m.kind, m.uri, m.type, m.name, m.width, m.height, m.key, m.expires_ms FROM matrix_media m"
        " JOIN core_pub_message c ON c.scope = 'matrix' AND c.key = m.event"
        " WHERE m.id = ?1 AND m.expires_ms > ?2 AND c.state = 'live'";
    static const char by_event[] =
        "SELECT m.id, m.kind, m.uri, m.type, m.name, m.width, m.height, m.key, m.expires_ms FROM matrix_media m"
        " JOIN core_pub_message c ON c.scope = 'matrix' AND c.key = m.event"
        " WHERE m.event = ?1 AND m.expires_ms > ?2 AND c.state = 'live'";
    int rc = is_on(mx) ? mx->api->sql(mx->bot, id != NULL ? by_id : by_event, args, 2, on_row, &finding) : HR_OK;
    return rc < 0 ? rc : finding.found ? HR_OK : HR_ENOTFOUND;
}

const char *media_path(struct matrix *mx, const struct media_item *item)
{
    uint8_t key[32] = {0}, hash[32];
    char signature[BASE64_SIZE(16)];
    (void)mx->api->derive(mx->bot, "media: addresses", key, sizeof(key));
    const char *text = mx->api->print(mx->bot, "%s %lld", item->id, (long long)item->expires_ms);
    curve_hmac(key, sizeof(key), text, strlen(text), hash);
    (void)base64_encode(BASE64_URL, hash, 16, signature);
    return mx->api->print(mx->bot, "%s%s.%s", item->id, signature, item->type->extension);
}

/* ---- life -------------------------------------------------------------------------------- */

int media_start(struct matrix *mx)
{
    if (!is_on(mx)) {
        return HR_OK;
    }
    drop_old(mx);
    int rc = HR_HAS(mx->api, page) ? mx->api->serve(mx->bot, media_page, mx) : HR_ENOTFOUND;
    mx->media_pages = rc == HR_OK;
    return rc == HR_ENOTFOUND ? HR_OK : rc;
}
