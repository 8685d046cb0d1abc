/* SPDX-License-Identifier: MIT */
/* Who is in a room, under which name, with which rights: from state events, bounded. */
#ifndef MATRIX_MEMBER_H
#define MATRIX_MEMBER_H

#include "event.h"
#include "matrix.h"

void member_event(struct mx_room *room, const struct event *event);
void member_power_event(struct mx_room *room, const struct event *event);
void member_create_event(struct mx_room *room, const struct event *event);
/* The shown name, with the id behind it where two have the same; callback's arena. */
const char *member_name(struct mx_room *room, const char *id);
int member_power(const struct mx_room *room, const char *id);
/* May the bot speak, by the room's levels? */
bool member_may_speak(const struct mx_room *room, int *has, int *needs);
bool member_is_known(const struct mx_room *room, const char *id); /* seen with or without a name of their own */
bool member_is_joined(const struct mx_room *room, const char *id); /* as far as is known */
void member_clear(struct mx_room *room);

#endif
