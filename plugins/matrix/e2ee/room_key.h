/* SPDX-License-Identifier: MIT */
/*
 * m.room_key, m.forwarded_room_key and m.room_key.withheld, as to_device.h hands
 * them on. The first two only out of an Olm message; forwarded ones only from our
 * own signed devices and only if asked for. Withheld ones come plain: they explain, they
 * decide nothing.
 */
#ifndef MATRIX_ROOM_KEY_H
#define MATRIX_ROOM_KEY_H

#include "to_device.h"

void room_key_take(struct matrix *mx, const struct to_device_secret *secret);
void room_key_forwarded(struct matrix *mx, const struct to_device_secret *secret);
void room_key_withheld(struct matrix *mx, const char *sender, const json_t *content);

#endif
