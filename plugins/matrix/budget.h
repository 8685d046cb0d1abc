/* SPDX-License-Identifier: MIT */
/*
 * What the account may send: rate_ms and burst of the configuration, lowered when
 * the server says 429 twice within ten minutes, raised by a tenth for each hour
 * without one. What was learned outlives a restart.
 */
#ifndef MATRIX_BUDGET_H
#define MATRIX_BUDGET_H

#include "matrix.h"

int budget_start(struct matrix *mx); /* what was learned before, and tells the host */
void budget_limited(struct matrix *mx, int64_t retry_ms); /* a 429; retry_ms is about what one event costs */
void budget_report(const struct matrix *mx, struct hr_out *out);

#endif
