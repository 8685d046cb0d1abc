/* SPDX-License-Identifier: MIT */
/*
 * From a delivery to parts, pure. A part is a JSON object: "type" and "content"
 * of the event, and "redacts" where the event takes another one back. HTML holds
 * no other elements than R35 allows; the plain body is complete without it.
 */
#ifndef MATRIX_RENDER_H
#define MATRIX_RENDER_H

#include <hashroom/network.h>

/* An event is refused above 65,536 bytes with all the server adds; body and HTML stay well below. */
enum { RENDER_MAX_BYTES = 38000 };

int render_delivery(void *state, const struct hr_delivery *const *deliveries, size_t count, struct hr_parts *out,
                    char *err, size_t err_size);

#endif
