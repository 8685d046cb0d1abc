/* SPDX-License-Identifier: MIT */
/*
 * Invites: to rooms of the configuration, from people and servers the operator
 * listed, and to private rooms by people who share a chat room with the bot.
 * All others are turned down. An undecided invite survives a restart.
 */
#ifndef MATRIX_INVITE_H
#define MATRIX_INVITE_H

#include "matrix.h"
#include "scan.h"

int invite_load(struct matrix *mx);
void invite_resume(struct matrix *mx); /* decides what waited; after a whole reply was read */
void invite_take(struct matrix *mx, const char *room_id, struct scan events);
void invite_free_all(struct matrix *mx);

#endif
