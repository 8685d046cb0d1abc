/* SPDX-License-Identifier: MIT */
/*
 * m.room_key_request: asking our own other devices for a key, and answering: own
 * cross-signed devices, or a device that had the session already, from that
 * index on. Everybody else gets no answer. "Key requests".
 */
#ifndef MATRIX_KEY_REQUEST_H
#define MATRIX_KEY_REQUEST_H

#include "people.h"

void key_request_ask(struct matrix *mx, const char *room_id, const char *session);
void key_request_cancel(struct matrix *mx, const char *room_id, const char *session); /* it came */
bool key_request_asked(struct matrix *mx, const char *room_id, const char *session);
void key_request_take(struct matrix *mx, const char *sender, const json_t *content); /* plain to-device event */

#endif
