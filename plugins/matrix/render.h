/* SPDX-License-Identifier: MIT */
/*
 * From a delivery to parts, pure. A part is a JSON object: "type" and "content"
 * of the event, and "redacts" where the event takes another one back. HTML holds
 * no other elements than R35 allows; the plain body is complete without it.
 */
#ifndef MATRIX_RENDER_H
#define MATRIX_RENDER_H

#include <hashroom/network.h>

/* An event is refused above 65,536 bytes with all the server adds (up to 3 KB) and what encryption adds (a third). */
enum {
    RENDER_MAX_BYTES = 38000,    /* words of one line as HTML; a part of an edit half of it */
    RENDER_MERGED_BYTES = 40000, /* several lines at once: the whole JSON */
    RENDER_EDIT_BYTES = 46000,   /* and that of an edit of them, which may have grown */
};

int render_delivery(void *state, const struct hr_delivery *const *deliveries, size_t count, struct hr_parts *out,
                    char *err, size_t err_size);

#endif
