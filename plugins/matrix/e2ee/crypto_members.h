/* SPDX-License-Identifier: MIT */
/*
 * The members of encrypted rooms: the behind of crypto_room.h. They are read whole once and after each gap, and
 * follow the sync; what the sync says while they are on their way is newer.
 */
#ifndef MATRIX_CRYPTO_MEMBERS_H
#define MATRIX_CRYPTO_MEMBERS_H

#include "crypto_room.h"

void crypto_members_event(struct mx_room *room, const struct event *event); /* an m.room.member */

#endif
