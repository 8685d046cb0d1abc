/* SPDX-License-Identifier: MIT */
/* What a checked reply of keys/query changes: pins, devices that are new, gone, or refused. */
#include "people_inside.h"

#include "crypto_room.h"
#include "own_identity.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_KEPT = 2 * PEOPLE_MAX_DEVICES }; /* with those that are gone */

/* ---- identity ------------------------------------------------------------------------------ */

static void tell_changed(struct matrix *mx, const struct person *person)
{
    struct cross_signing_keys_public ours;
    const struct cross_signing_keys *keys = own_identity_keys(mx);
    if (strcmp(person->user, mx->user) != 0) {
        matrix_error(mx,
                     "%s shows another identity than before: a new start with the account, or somebody else. Commands "
                     "of that person are not obeyed and no keys are given, until you ask the person and type "
                     "`hashroom verify accept %s`",
                     person->user, person->user);
        return;
    }
    if (keys != NULL) {
        cross_signing_keys_to_public(keys, &ours);
        if (strcmp(ours.master, person->shown) != 0 && mx->e2ee->open) {
            e2ee_close(mx, mx->api->print(mx->bot,
                                          "somebody has reset the identity of %s. Everybody who verified the bot is "
                                          "warned now. Give the bot the new recovery key, or find out who did it; "
                                          "then restart.",
                                          mx->user));
        }
    }
}

static void learn_identity(struct matrix *mx, struct person *person, const struct found *found)
{
    bool same = strcmp(person->shown, found->identity.master) == 0;
    mx->e2ee->changes += !same;
    memcpy(person->shown, found->identity.master, BASE64_KEY);
    memcpy(person->self_signing, found->identity.self_signing, BASE64_KEY);
    if (person->master[0] == '\0') {
        memcpy(person->master, person->shown, BASE64_KEY); /* pinned at first sight */
    }
    if (found->vouched && !people_is_changed(person)) {
        person->verified = true; /* by an earlier life of this bot */
    }
    if (!same && people_is_changed(person)) {
        tell_changed(mx, person);
        crypto_room_lost_device(mx, person->user, NULL);
    }
}

/* ---- devices --------------------------------------------------------------------------------- */

static void save(struct matrix *mx, const struct person *person, const struct device *device)
{
    const struct hr_value args[] = {
        HR_V_STR(mx->name),   HR_V_STR(person->user),      HR_V_STR(device->id),   HR_V_STR(device->curve),
        HR_V_STR(device->ed), HR_V_INT(device->is_signed), HR_V_INT(device->gone),
    };
    mx->e2ee->changes++;
    (void)mx->api->sql(mx->bot,
                       "INSERT INTO matrix_peer(instance, user, device, curve, ed, signed, gone)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(instance, user, device)"
                       " DO UPDATE SET signed = ?6, gone = ?7",
                       args, 7, NULL, NULL);
}

/* Two devices with one key would read as each other. */
static bool is_curve_taken(const struct person *person, const char *curve)
{
    for (size_t i = 0; i < person->count; i++) {
        if (!person->device[i].gone && strcmp(person->device[i].curve, curve) == 0) {
            return true;
        }
    }
    return false;
}

static bool make_place(struct matrix *mx, struct person *person)
{
    size_t i = 0;
    if (person->count < MAX_KEPT) {
        return true;
    }
    while (i < person->count && !person->device[i].gone) {
        i++;
    }
    if (i == person->count) {
        return false;
    }
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(person->user), HR_V_STR(person->device[i].id)};
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_peer WHERE instance = ?1 AND user = ?2 AND device = ?3", args, 3,
                       NULL, NULL);
    free(person->device[i].id);
    memmove(&person->device[i], &person->device[i + 1], (--person->count - i) * sizeof(*person->device));
    return true;
}

static int on_taken(void *arg, const struct hr_value *column, size_t count)
{
    (void)column, (void)count;
    *(bool *)arg = true;
    return HR_OK;
}

/* Sessions are kept by the curve key: under another one's key a stranger would come between us and its owner. */
static bool is_somebody_elses(struct matrix *mx, const struct person *person, const char *curve)
{
    bool taken = false;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(curve), HR_V_STR(person->user)};
    (void)mx->api->sql(mx->bot, /* SQLite would read all devices there are */
                       "SELECT 1 FROM matrix_peer INDEXED BY matrix_peer_curve"
                       " WHERE instance = ?1 AND curve = ?2 AND user <> ?3 AND gone = 0 LIMIT 1",
                       args, 3, on_taken, &taken);
    return taken;
}

static void learn_new(struct matrix *mx, struct person *person, const struct found_device *found)
{
    if (is_somebody_elses(mx, person, found->curve)) {
        e2ee_refuse(mx, "device %s of %s has the key of somebody else's device: it is left aside", found->id,
                    person->user);
        return;
    }
    if (is_curve_taken(person, found->curve)) {
        e2ee_refuse(mx, "device %s of %s has the key of another device of that person: it is left aside", found->id,
                    person->user);
        return;
    }
    if (!make_place(mx, person)) {
        return;
    }
    person->device = mem_grow(person->device, person->count, &person->cap, sizeof(*person->device));
    struct device *device = &person->device[person->count++];
    *device = (struct device){.id = mem_dup(found->id), .is_signed = found->is_signed};
    memcpy(device->curve, found->curve, BASE64_KEY);
    memcpy(device->ed, found->ed, BASE64_KEY);
    save(mx, person, device);
}

static void learn_device(struct matrix *mx, struct person *person, const struct found_device *found)
{
    struct device *device = people_find_device(person, found->id);
    if (device == NULL) {
        learn_new(mx, person, found);
        return;
    }
    if (strcmp(device->ed, found->ed) != 0 || strcmp(device->curve, found->curve) != 0) {
        e2ee_refuse(mx,
                    "device %s of %s shows other keys than before: the new ones are refused. An honest client makes a "
                    "new device instead",
                    found->id, person->user);
        return;
    }
    if (device->gone || device->is_signed != found->is_signed) {
        bool lost = device->is_signed && !found->is_signed && mx->e2ee->strict;
        device->gone = false;
        device->is_signed = found->is_signed;
        save(mx, person, device);
        if (lost) {
            crypto_room_lost_device(mx, person->user, device->id);
        }
    }
}

static bool is_listed(const struct found *found, const char *id)
{
    for (size_t i = 0; i < found->count; i++) {
        if (strcmp(found->device[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static void learn_gone(struct matrix *mx, struct person *person, const struct found *found)
{
    for (size_t i = 0; i < person->count; i++) {
        struct device *device = &person->device[i];
        if (!device->gone && !is_listed(found, device->id)) {
            device->gone = true;
            save(mx, person, device);
            crypto_room_lost_device(mx, person->user, device->id);
        }
    }
}

void people_learn(struct matrix *mx, struct person *person, const struct found *found)
{
    if (found->bad > 0) {
        e2ee_refuse(mx, "%u devices or identities of %s are left aside: %s", found->bad, person->user, found->why);
    }
    if (found->too_many) {
        e2ee_refuse(mx, "%s has more than %d devices: the others are left aside", person->user, PEOPLE_MAX_DEVICES);
    }
    learn_identity(mx, person, found);
    for (size_t i = 0; i < found->count; i++) {
        learn_device(mx, person, &found->device[i]);
    }
    if (!found->too_many && found->bad == 0) { /* what can't be read now may be one we know */
        learn_gone(mx, person, found);
    }
}
