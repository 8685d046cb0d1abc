/* SPDX-License-Identifier: MIT */
/* One part to the server. The transaction id makes a repeated attempt harmless. */
#ifndef MATRIX_SEND_H
#define MATRIX_SEND_H

#include "matrix.h"

int send_part(void *state, const struct hr_part *part);
/* Tells the host what the account may send, from rate_ms, burst and what 429 taught. */
void send_limits(struct matrix *mx);

#endif
