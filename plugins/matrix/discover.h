/* SPDX-License-Identifier: MIT */
/*
 * Where the homeserver is. An address in the configuration is taken as it is; a
 * server name, or the one in the user id, is asked: https://NAME/.well-known/
 * matrix/client names the address, and where there is none it is NAME itself.
 * Always over TLS that is verified for the name asked. The answer is kept for
 * the days when that page is away, and asked for anew at each start and when
 * the homeserver fails again and again: accounts move.
 */
#ifndef MATRIX_DISCOVER_H
#define MATRIX_DISCOVER_H

#include "matrix.h"

int discover_start(struct matrix *mx);  /* login_start() follows, now or when the server is found */
void discover_again(struct matrix *mx); /* the homeserver failed several times; asks at most each 10 minutes */

#endif
