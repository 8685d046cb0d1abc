/* SPDX-License-Identifier: MIT */
/* Other people's devices and identities: who is tracked, what is known. */
#include "people_inside.h"

#include "crypto_room.h"

#include <stdlib.h>
#include <string.h>

enum { UP_TO_DATE = 0, OUTDATED = 1, NOT_TRACKED = 2 /* left; the pinned identity is remembered */ };

/* ---- memory ------------------------------------------------------------------------------ */

struct person *people_find(struct matrix *mx, const char *user)
{
    struct person *person;
    HASH_FIND_STR(mx->e2ee->people->by_user, user, person);
    return person;
}

struct device *people_find_device(struct person *person, const char *device)
{
    for (size_t i = 0; i < person->count; i++) {
        if (strcmp(person->device[i].id, device) == 0) {
            return &person->device[i];
        }
    }
    return NULL;
}

static struct person *add(struct matrix *mx, const char *user)
{
    struct people *people = mx->e2ee->people;
    struct person *person = mem_new(sizeof(*person));
    person->user = mem_dup(user);
    HASH_ADD_KEYPTR(hh, people->by_user, person->user, strlen(person->user), person);
    return person;
}

static void drop_devices(struct person *person)
{
    for (size_t i = 0; i < person->count; i++) {
        free(person->device[i].id);
    }
    free(person->device);
    person->device = NULL;
    person->count = person->cap = 0;
}

static void key_copy(char to[BASE64_KEY], const char *from)
{
    size_t len = from != NULL ? strlen(from) : 0;
    memset(to, 0, BASE64_KEY);
    memcpy(to, from, len < BASE64_KEY ? len : 0);
}

/* ---- tables ------------------------------------------------------------------------------- */

static int on_person(void *arg, const struct hr_value *column, size_t count)
{
    struct matrix *mx = arg;
    struct person *person = add(mx, column[0].str);
    (void)count;
    person->tracked = column[1].num != NOT_TRACKED;
    person->outdated = column[1].num == OUTDATED;
    key_copy(person->master, matrix_column(&column[2]));
    key_copy(person->shown, matrix_column(&column[3]));
    key_copy(person->self_signing, matrix_column(&column[4]));
    person->verified = column[5].num != 0;
    mx->e2ee->people->tracked += person->tracked;
    return HR_OK;
}

static int on_device(void *arg, const struct hr_value *column, size_t count)
{
    struct person *person = people_find(arg, column[0].str);
    (void)count;
    if (person == NULL) {
        return HR_OK;
    }
    person->device = mem_grow(person->device, person->count, &person->cap, sizeof(*person->device));
    struct device *device = &person->device[person->count++];
    *device =
        (struct device){.id = mem_dup(column[1].str), .is_signed = column[4].num != 0, .gone = column[5].num != 0};
    key_copy(device->curve, column[2].str);
    key_copy(device->ed, column[3].str);
    return HR_OK;
}

int people_save(struct matrix *mx, const struct person *person)
{
    const struct hr_value args[] = {
        HR_V_STR(mx->name),
        HR_V_STR(person->user),
        HR_V_INT(!person->tracked   ? NOT_TRACKED
                 : person->outdated ? OUTDATED
                                    : UP_TO_DATE),
        HR_V_STR(person->master),
        HR_V_STR(person->shown),
        HR_V_STR(person->self_signing),
        HR_V_INT(person->verified),
    };
    return mx->api->sql(
        mx->bot,
        "INSERT INTO matrix_person(instance, user, outdated, master, shown_master, self_signing, verified)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(instance, user) DO UPDATE SET outdated = ?3,"
        " master = ?4, shown_master = ?5, self_signing = ?6, verified = ?7",
        args, 7, NULL, NULL);
}

/* Of those who left only pinned identities are worth a row, and not without end. */
static int prune(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_INT(NOT_TRACKED), HR_V_INT(PEOPLE_MAX)};
    int rc = mx->api->sql(mx->bot,
                          "DELETE FROM matrix_person WHERE instance = ?1 AND outdated = ?2 AND verified = 0 AND"
                          " (master = '' OR user IN (SELECT user FROM matrix_person WHERE instance = ?1 AND"
                          " outdated = ?2 AND verified = 0 ORDER BY user LIMIT -1 OFFSET ?3))",
                          args, 3, NULL, NULL);
    return rc < 0 ? rc
                  : mx->api->sql(mx->bot,
                                 "DELETE FROM matrix_peer WHERE instance = ?1 AND user NOT IN"
                                 " (SELECT user FROM matrix_person WHERE instance = ?1 AND outdated <> ?2)",
                                 args, 2, NULL, NULL);
}

int people_load(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name)};
    mx->e2ee->people = mem_new(sizeof(*mx->e2ee->people));
    int rc = prune(mx);
    rc = rc < 0 ? rc
                : mx->api->sql(mx->bot,
                               "SELECT user, outdated, master, shown_master, self_signing, verified FROM matrix_person"
                               " WHERE instance = ?1",
                               args, 1, on_person, mx);
    rc = rc < 0 ? rc
                : mx->api->sql(mx->bot,
                               "SELECT user, device, curve, ed, signed, gone FROM matrix_peer WHERE instance = ?1",
                               args, 1, on_device, mx);
    return rc < 0 ? rc : people_track(mx, mx->user);
}

void people_stop(struct matrix *mx)
{
    struct people *people = mx->e2ee->people;
    struct person *person, *next;
    if (people == NULL) {
        return;
    }
    people_query_stop(mx);
    HASH_ITER(hh, people->by_user, person, next)
    {
        HASH_DEL(people->by_user, person);
        drop_devices(person);
        free(person->user);
        free(person);
    }
    free(people);
    mx->e2ee->people = NULL;
}

/* ---- tracking ------------------------------------------------------------------------------- */

int people_track(struct matrix *mx, const char *user)
{
    struct people *people = mx->e2ee->people;
    struct person *person = people_find(mx, user);
    if (person != NULL && person->tracked) {
        return HR_OK;
    }
    if (people->tracked >= PEOPLE_MAX) {
        if (e2ee_worth_a_line(&people->full)) {
            matrix_error(mx, "more than %d people share encrypted rooms with the bot; some get no keys", PEOPLE_MAX);
        }
        return HR_ELIMIT;
    }
    person = person != NULL ? person : add(mx, user);
    person->tracked = person->outdated = true;
    person->generation++;
    person->retry_ms = 0;
    people->tracked++;
    mx->e2ee->changes++;
    int rc = people_save(mx, person);
    people_query_wake(mx);
    return rc;
}

bool people_tracked(struct matrix *mx, const char *user)
{
    const struct person *person = people_find(mx, user);
    return person != NULL && person->tracked;
}

int people_untrack(struct matrix *mx, const char *user)
{
    struct person *person = people_find(mx, user);
    if (person == NULL || !person->tracked || strcmp(user, mx->user) == 0) {
        return HR_OK;
    }
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(user)};
    person->tracked = person->outdated = false;
    person->generation++;
    mx->e2ee->people->tracked--;
    mx->e2ee->changes++;
    drop_devices(person);
    int rc = people_save(mx, person);
    return rc < 0 ? rc
                  : mx->api->sql(mx->bot, "DELETE FROM matrix_peer WHERE instance = ?1 AND user = ?2", args, 2, NULL,
                                 NULL);
}

static void outdate(struct matrix *mx, struct person *person)
{
    bool was = person->outdated;
    person->generation++;
    mx->e2ee->changes++;
    person->outdated = true;
    person->tries = 0;
    person->retry_ms = 0;
    if (!was) {
        (void)people_save(mx, person);
    }
}

void people_outdated(struct matrix *mx, const char *user)
{
    struct person *person = people_find(mx, user);
    if (person != NULL && person->tracked) {
        outdate(mx, person);
        people_query_wake(mx);
    }
}

void people_all_outdated(struct matrix *mx)
{
    struct person *person, *next;
    HASH_ITER(hh, mx->e2ee->people->by_user, person, next)
    {
        if (person->tracked) {
            outdate(mx, person);
        }
    }
    people_query_wake(mx);
}

/* ---- what is known ------------------------------------------------------------------------------ */

bool people_is_changed(const struct person *person)
{
    return person->master[0] != '\0' && person->shown[0] != '\0' && strcmp(person->master, person->shown) != 0;
}

static enum trust trust_of(const struct matrix *mx, const struct person *person, bool is_signed)
{
    if (people_is_changed(person)) {
        return TRUST_CHANGED;
    }
    if (!is_signed) {
        return TRUST_NONE;
    }
    return person->verified && strcmp(person->user, mx->user) != 0 ? TRUST_VERIFIED : TRUST_SIGNED;
}

static void fill(const struct matrix *mx, const struct person *person, const struct device *device, struct peer *out)
{
    *out = (struct peer){.trust = trust_of(mx, person, device->is_signed), .own = strcmp(person->user, mx->user) == 0};
    memcpy(out->user, person->user, strnlen(person->user, sizeof(out->user) - 1));
    memcpy(out->device, device->id, strnlen(device->id, sizeof(out->device) - 1));
    memcpy(out->curve, device->curve, BASE64_KEY);
    memcpy(out->ed, device->ed, BASE64_KEY);
}

int people_devices(struct matrix *mx, const char *user, int (*fn)(void *arg, const struct peer *peer), void *arg)
{
    struct person *person = people_find(mx, user);
    bool own = strcmp(user, mx->user) == 0;
    int rc = HR_OK;
    for (size_t i = 0; person != NULL && i < person->count && rc == HR_OK; i++) {
        struct peer peer;
        const struct device *device = &person->device[i];
        if (!device->gone && !(own && mx->e2ee->device != NULL && strcmp(device->id, mx->e2ee->device) == 0)) {
            fill(mx, person, device, &peer);
            rc = fn(arg, &peer);
        }
    }
    return rc;
}

int people_by_curve(struct matrix *mx, const char *user, const char *curve, struct peer *out)
{
    struct person *person = people_find(mx, user);
    for (size_t i = 0; person != NULL && i < person->count; i++) {
        if (!person->device[i].gone && strcmp(person->device[i].curve, curve) == 0) {
            fill(mx, person, &person->device[i], out);
            return HR_OK;
        }
    }
    return HR_ENOTFOUND;
}

int people_device(struct matrix *mx, const char *user, const char *device, struct peer *out)
{
    struct person *person = people_find(mx, user);
    const struct device *found = person != NULL ? people_find_device(person, device) : NULL;
    if (found == NULL || found->gone) {
        return HR_ENOTFOUND;
    }
    fill(mx, person, found, out);
    return HR_OK;
}

void people_judge(struct matrix *mx, const struct device_keys *keys, const json_t *object, struct peer *out)
{
    const struct person *person = people_find(mx, keys->user);
    struct cross_signing_keys_public identity = {0};
    bool is_signed = false;
    if (person != NULL && person->self_signing[0] != '\0') {
        memcpy(identity.master, person->shown, BASE64_KEY);
        memcpy(identity.self_signing, person->self_signing, BASE64_KEY);
        is_signed = cross_signing_keys_has_signed(&identity, keys->user, object);
    }
    *out = (struct peer){.trust = person != NULL ? trust_of(mx, person, is_signed) : TRUST_NONE,
                         .own = strcmp(keys->user, mx->user) == 0};
    memcpy(out->user, keys->user, sizeof(out->user));
    memcpy(out->device, keys->device, sizeof(out->device));
    memcpy(out->curve, keys->curve25519, BASE64_KEY);
    memcpy(out->ed, keys->ed25519, BASE64_KEY);
}

/* ---- identities ------------------------------------------------------------------------------------ */

const char *people_master(struct matrix *mx, const char *user)
{
    const struct person *person = people_find(mx, user);
    return person != NULL && person->master[0] != '\0' ? mx->api->print(mx->bot, "%s", person->master) : NULL;
}

const char *people_shown_master(struct matrix *mx, const char *user)
{
    const struct person *person = people_find(mx, user);
    return person != NULL && person->shown[0] != '\0' ? mx->api->print(mx->bot, "%s", person->shown) : NULL;
}

bool people_changed(struct matrix *mx, const char *user)
{
    const struct person *person = people_find(mx, user);
    return person != NULL && people_is_changed(person);
}

void people_verified(struct matrix *mx, const char *user)
{
    struct person *person = people_find(mx, user);
    if (person != NULL && person->master[0] != '\0' && !people_is_changed(person)) {
        person->verified = true;
        mx->e2ee->changes++;
        (void)people_save(mx, person);
    }
}

bool people_is_verified(struct matrix *mx, const char *user)
{
    const struct person *person = people_find(mx, user);
    return person != NULL && person->verified && !people_is_changed(person);
}

int people_accept(struct matrix *mx, const char *user)
{
    struct person *person = people_find(mx, user);
    if (person == NULL || !people_is_changed(person)) {
        return HR_ENOTFOUND;
    }
    memcpy(person->master, person->shown, BASE64_KEY);
    person->verified = false;
    mx->e2ee->changes++;
    crypto_room_lost_device(mx, user, NULL); /* the keys of now were withheld from them for good: new ones */
    mx->api->log(mx->bot, HR_INFO, "the identity that %s shows now is accepted", user);
    return people_save(mx, person);
}
