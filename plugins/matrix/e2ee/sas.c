/* SPDX-License-Identifier: MIT */
/* Short authentication strings: what is compared, and what proves keys. */
#include "sas.h"

#include "../mem.h"
#include "../scan.h"
#include "canonical.h"
#include "curve.h"

#include <hashroom/plugin.h>

#include <stdlib.h>
#include <string.h>

enum { INFO_MAX = 4096 };

const struct sas_emoji *sas_emoji(unsigned number)
{
    static const struct sas_emoji emoji[64] = {
        {"🐶", "Dog"},          {"🐱", "Cat"},
        {"🦁", "Lion"},      {"🐎", "Horse"},
        {"🦄", "Unicorn"},   {"🐷", "Pig"},
        {"🐘", "Elephant"},     {"🐰", "Rabbit"},
        {"🐼", "Panda"},        {"🐓", "Rooster"},
        {"🐧", "Penguin"},      {"🐢", "Turtle"},
        {"🐟", "Fish"},         {"🐙", "Octopus"},
        {"🦋", "Butterfly"}, {"🌷", "Flower"},
        {"🌳", "Tree"},         {"🌵", "Cactus"},
        {"🍄", "Mushroom"},     {"🌏", "Globe"},
        {"🌙", "Moon"},         {"☁️", "Cloud"},
        {"🔥", "Fire"},         {"🍌", "Banana"},
        {"🍎", "Apple"},        {"🍓", "Strawberry"},
        {"🌽", "Corn"},         {"🍕", "Pizza"},
        {"🎂", "Cake"},         {"❤️", "Heart"},
        {"😀", "Smiley"},       {"🤖", "Robot"},
        {"🎩", "Hat"},          {"👓", "Glasses"},
        {"🔧", "Spanner"},      {"🎅", "Santa"},
        {"👍", "Thumbs Up"},    {"☂️", "Umbrella"},
        {"⌛", "Hourglass"},    {"⏰", "Clock"},
        {"🎁", "Gift"},         {"💡", "Light Bulb"},
        {"📕", "Book"},         {"✏️", "Pencil"},
        {"📎", "Paperclip"},    {"✂️", "Scissors"},
        {"🔒", "Lock"},         {"🔑", "Key"},
        {"🔨", "Hammer"},       {"☎️", "Telephone"},
        {"🏁", "Flag"},         {"🚂", "Train"},
        {"🚲", "Bicycle"},      {"✈️", "Aeroplane"},
        {"🚀", "Rocket"},       {"🏆", "Trophy"},
        {"⚽", "Ball"},         {"🎸", "Guitar"},
        {"🎺", "Trumpet"},      {"🔔", "Bell"},
        {"⚓", "Anchor"},       {"🎧", "Headphones"},
        {"📁", "Folder"},       {"📌", "Pin"},
    };
    return number < 64 ? &emoji[number] : NULL;
}

int sas_commitment(const char *public_key, const json_t *start_content, char out[BASE64_KEY])
{
    struct mem_buf text = {.max = CANONICAL_MAX_BYTES};
    uint8_t hash[32];
    mem_puts(&text, public_key);
    int status = canonical_write(start_content, &text);
    if (status == HR_OK) {
        curve_sha256(text.at, text.len, hash);
        (void)base64_encode(BASE64, hash, sizeof(hash), out);
    }
    mem_clear(&text);
    return status;
}

int sas_commitment_check(const char *public_key, const json_t *start_content, const char *commitment)
{
    char want[BASE64_KEY];
    int status = sas_commitment(public_key, start_content, want);
    if (status != HR_OK) {
        return status;
    }
    return commitment != NULL && strlen(commitment) == sizeof(want) - 1 &&
                   curve_equal(commitment, want, sizeof(want) - 1)
               ? HR_OK
               : HR_EDENIED;
}

int sas_code(struct ratchet_sas *sas, struct sas_party starter, const char *starter_key, struct sas_party other,
             const char *other_key, const char *transaction, struct sas_code *out)
{
    const char *const piece[] = {"MATRIX_KEY_VERIFICATION_SAS",
                                 starter.user,
                                 starter.device,
                                 starter_key,
                                 other.user,
                                 other.device,
                                 other_key,
                                 transaction};
    struct mem_buf info = {.max = INFO_MAX};
    uint8_t b[6];
    for (size_t i = 0; i < sizeof(piece) / sizeof(piece[0]); i++) {
        mem_puts(&info, i > 0 ? "|" : "");
        mem_puts(&info, piece[i]);
    }
    int status = info.full ? HR_ELIMIT : ratchet_sas_bytes(sas, info.at, info.len, b, sizeof(b));
    mem_clear(&info);
    if (status != HR_OK) {
        return status;
    }
    uint64_t bits = 0;
    for (size_t i = 0; i < sizeof(b); i++) {
        bits = bits << 8 | b[i];
    }
    for (size_t i = 0; i < SAS_EMOJI; i++) { /* 6 bits each, from the top of 48 */
        out->emoji[i] = (uint8_t)(bits >> (42 - 6 * i) & 63);
    }
    for (size_t i = 0; i < SAS_DECIMALS; i++) { /* 13 bits each */
        out->decimal[i] = (uint16_t)((bits >> (35 - 13 * i) & 0x1fff) + 1000);
    }
    return HR_OK;
}

/* ---- MACs over keys ---- */

/* The MAC over text for that key id, or over the list of ids for "KEY_IDS". */
static int mac_of(struct ratchet_sas *sas, struct sas_party from, struct sas_party to, const char *transaction,
                  const char *key_id, const char *text, char mac[RATCHET_MAC])
{
    const char *const piece[] = {
        "MATRIX_KEY_VERIFICATION_MAC", from.user, from.device, to.user, to.device, transaction, key_id};
    struct mem_buf info = {.max = INFO_MAX};
    for (size_t i = 0; i < sizeof(piece) / sizeof(piece[0]); i++) {
        mem_puts(&info, piece[i]);
    }
    int status = info.full ? HR_ELIMIT : ratchet_sas_mac(sas, text, strlen(text), info.at, info.len, mac);
    mem_clear(&info);
    return status;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The MAC over all ids, sorted, joined by commas. */
static int mac_of_ids(struct ratchet_sas *sas, struct sas_party from, struct sas_party to, const char *transaction,
                      const json_t *macs, char mac[RATCHET_MAC])
{
    const char *id[SAS_MAX_KEYS], *key;
    json_t *value;
    size_t count = 0;
    struct mem_buf list = {.max = INFO_MAX};
    json_object_foreach((json_t *)macs, key, value)
    {
        if (count == SAS_MAX_KEYS) {
            return HR_ELIMIT;
        }
        id[count++] = key;
    }
    qsort(id, count, sizeof(id[0]), compare);
    for (size_t i = 0; i < count; i++) {
        mem_puts(&list, i > 0 ? "," : "");
        mem_puts(&list, id[i]);
    }
    int status = list.full ? HR_ELIMIT : mac_of(sas, from, to, transaction, "KEY_IDS", mem_text(&list), mac);
    mem_clear(&list);
    return status;
}

int sas_mac_make(struct ratchet_sas *sas, struct sas_party from, struct sas_party to, const char *transaction,
                 const struct sas_key *key, size_t count, json_t **out)
{
    json_t *macs = json_object();
    char mac[RATCHET_MAC];
    int status = HR_OK;
    for (size_t i = 0; i < count && status == HR_OK; i++) {
        status = mac_of(sas, from, to, transaction, key[i].id, key[i].key, mac);
        if (status == HR_OK) {
            (void)json_object_set_new(macs, key[i].id, json_string(mac));
        }
    }
    if (status == HR_OK) {
        status = mac_of_ids(sas, from, to, transaction, macs, mac);
    }
    if (status == HR_OK) {
        *out = json_pack("{s:O, s:s}", "mac", macs, "keys", mac);
    }
    json_decref(macs);
    return status;
}

static bool same_mac(const json_t *object, const char *key, const char want[RATCHET_MAC])
{
    const char *text = scan_text(object, key);
    return text != NULL && strlen(text) == RATCHET_MAC - 1 && curve_equal(text, want, RATCHET_MAC - 1);
}

/* Two keys under one id: a device that calls itself like a master key. Nobody could say which was meant. */
static bool ambiguous(const struct sas_key *key, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            if (strcmp(key[i].id, key[j].id) == 0) {
                return true;
            }
        }
    }
    return false;
}

int sas_mac_check(struct ratchet_sas *sas, struct sas_party from, struct sas_party to, const char *transaction,
                  const json_t *content, const struct sas_key *key, size_t count, bool *good)
{
    const json_t *macs = json_object_get(content, "mac");
    char mac[RATCHET_MAC];
    bool found[SAS_MAX_KEYS] = {false}, any = false;
    if (count > SAS_MAX_KEYS) {
        return HR_ELIMIT;
    }
    if (ambiguous(key, count)) {
        return HR_EDENIED;
    }
    int status = mac_of_ids(sas, from, to, transaction, macs, mac);
    if (status != HR_OK) {
        return status;
    }
    if (!same_mac(content, "keys", mac)) {
        return HR_EDENIED;
    }
    for (size_t i = 0; i < count; i++) {
        if (json_object_get(macs, key[i].id) == NULL) {
            continue;
        }
        status = mac_of(sas, from, to, transaction, key[i].id, key[i].key, mac);
        if (status != HR_OK || !same_mac(macs, key[i].id, mac)) {
            return status != HR_OK ? status : HR_EDENIED;
        }
        found[i] = any = true;
    }
    if (!any) {
        return HR_ENOTFOUND;
    }
    memcpy(good, found, count * sizeof(*good));
    return HR_OK;
}
