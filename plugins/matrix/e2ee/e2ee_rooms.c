/* SPDX-License-Identifier: MIT */
/* The door of encryption, as far as rooms and what is said in them are concerned. */
#include "crypto_room.h"
#include "group_in.h"
#include "group_out.h"
#include "group_sealed.h"
#include "verify.h"

#include <stdlib.h>

void e2ee_state(struct mx_room *room, const struct event *event)
{
    if (room->mx->e2ee != NULL) {
        crypto_room_state(room, event);
    }
}

void e2ee_gap(struct mx_room *room)
{
    if (room->encrypted) {
        crypto_room_gap(room);
    }
}

bool e2ee_may_speak(struct mx_room *room)
{
    struct crypto_room known;
    const struct matrix *mx = room->mx;
    return (mx->e2ee->open || mx->api->trial(mx->bot)) && room->id != NULL &&
           crypto_room_get(room->mx, room->id, &known) == HR_OK && known.readable;
}

const char *e2ee_agreed(struct mx_room *room)
{
    return room->id != NULL ? crypto_room_agreed(room->mx, room->id) : "";
}

int e2ee_agree(struct mx_room *room, const char *who)
{
    return crypto_room_agree(room->mx, room->id, who);
}

void e2ee_verification(struct mx_room *room, const struct event *event)
{
    verify_room_event(room, event);
}

int e2ee_decrypt(struct mx_room *room, const struct event *event, uint32_t flags, struct e2ee_plain *out)
{
    return room->mx->e2ee->open ? group_in_decrypt(room, event, flags, out) : HR_EDENIED;
}

int e2ee_send(struct mx_room *room, const struct hr_part *part, const char *type, const json_t *content)
{
    return group_out_send(room, part, type, content);
}

const char *e2ee_identity(struct matrix *mx, const char *user)
{
    return people_shown_master(mx, user);
}

json_t *e2ee_sealed(struct matrix *mx, const char *txn)
{
    char *text = group_sealed(mx, txn);
    json_t *content = text != NULL ? json_loads(text, 0, NULL) : NULL;
    free(text);
    return content;
}
