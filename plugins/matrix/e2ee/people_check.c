/* SPDX-License-Identifier: MIT */
/* Checks a reply of keys/query, on any thread: memory in, memory out. */
#include "people_inside.h"

#include <hashroom/plugin.h>

#include <stdlib.h>
#include <string.h>

struct pieces { /* of one user, slices of the reply */
    struct scan devices, master, self_signing, user_signing;
};

struct walk {
    struct check *check;
    struct pieces *pieces;
    size_t member; /* which of pieces' slices is filled */
};

static struct scan *slot(struct pieces *pieces, size_t member)
{
    return member == 0   ? &pieces->devices
           : member == 1 ? &pieces->master
           : member == 2 ? &pieces->self_signing
                         : &pieces->user_signing;
}

static int on_user(void *arg, const char *key, struct scan value)
{
    struct walk *walk = arg;
    for (size_t i = 0; i < walk->check->count; i++) {
        if (strcmp(walk->check->found[i].user, key) == 0) {
            *slot(&walk->pieces[i], walk->member) = value;
            walk->check->found[i].present = walk->check->found[i].present || walk->member == 0;
        }
    }
    return HR_OK; /* nobody asked for the others */
}

static json_t *load(struct scan value)
{
    char err[120];
    return value.at != NULL ? scan_load(value, err, sizeof(err)) : NULL;
}

struct one { /* the devices of one user */
    struct found *found;
};

static int on_device(void *arg, const char *id, struct scan value)
{
    struct found *found = ((struct one *)arg)->found;
    struct device_keys keys;
    const char *why = "it can't be read";
    if (found->count >= PEOPLE_MAX_DEVICES) {
        found->too_many = true;
        return HR_EEXIST; /* ends the walk */
    }
    json_t *object = load(value);
    int rc = object != NULL ? device_keys_read(object, found->user, id, &keys, &why) : HR_EINVAL;
    if (rc == HR_OK && keys.olm) {
        found->device = mem_grow(found->device, found->count, &found->cap, sizeof(*found->device));
        struct found_device *device = &found->device[found->count++];
        *device = (struct found_device){.id = mem_dup(keys.device)};
        memcpy(device->curve, keys.curve25519, BASE64_KEY);
        memcpy(device->ed, keys.ed25519, BASE64_KEY);
        device->is_signed = cross_signing_keys_has_signed(&found->identity, found->user, object);
    } else if (rc != HR_OK && rc != HR_ENOTFOUND) { /* a login without encryption is no fault */
        found->bad++;
        found->why = why;
    }
    json_decref(object);
    return HR_OK;
}

static void read_user(struct check *check, struct found *found, const struct pieces *pieces)
{
    struct one one = {found};
    json_t *master = load(pieces->master), *self_signing = load(pieces->self_signing);
    json_t *user_signing = load(pieces->user_signing);
    if (master != NULL &&
        cross_signing_keys_read(found->user, master, self_signing, user_signing, &found->identity) != HR_OK) {
        found->identity = (struct cross_signing_keys_public){0};
        found->bad++;
        found->why = "its identity is malformed";
    }
    found->vouched = found->identity.master[0] != '\0' && check->ours.master[0] != '\0' &&
                     strcmp(found->user, check->our_user) != 0 &&
                     cross_signing_keys_vouched(&check->ours, check->our_user, found->user, master);
    (void)scan_object(pieces->devices, on_device, &one);
    json_decref(master);
    json_decref(self_signing);
    json_decref(user_signing);
}

static int on_failure(void *arg, const char *server, struct scan value)
{
    struct check *check = arg;
    (void)value;
    for (size_t i = 0; i < check->count; i++) {
        const char *colon = strchr(check->found[i].user, ':');
        if (colon != NULL && strcmp(colon + 1, server) == 0) {
            check->found[i].failed = true;
        }
    }
    return HR_OK;
}

void people_check(struct check *check)
{
    static const char *const members[] = {"device_keys", "master_keys", "self_signing_keys", "user_signing_keys"};
    const struct scan all = {check->body, check->len};
    struct pieces *pieces = mem_new(check->count * sizeof(*pieces));
    struct scan value;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct walk walk = {check, pieces, i};
        if (scan_get(all, members[i], &value) == HR_OK) {
            (void)scan_object(value, on_user, &walk);
        } else if (i == 0) {
            check->broken = true;
        }
    }
    if (scan_get(all, "failures", &value) == HR_OK) {
        (void)scan_object(value, on_failure, check);
    }
    for (size_t i = 0; i < check->count && !check->broken; i++) {
        if (check->found[i].present) {
            read_user(check, &check->found[i], &pieces[i]);
        }
    }
    free(pieces);
}

void people_check_clear(struct check *check)
{
    for (size_t i = 0; i < check->count; i++) {
        struct found *found = &check->found[i];
        for (size_t n = 0; n < found->count; n++) {
            free(found->device[n].id);
        }
        free(found->device);
        free(found->user);
    }
    free(check->found);
    free(check->body);
    free(check->our_user);
    *check = (struct check){0};
}
