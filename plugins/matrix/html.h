/* SPDX-License-Identifier: MIT */
/*
 * Formatted bodies to plain text: quoted replies go, emphasis becomes *so*,
 * links become `text (URL)`, list items start with a hyphen. Pure.
 */
#ifndef MATRIX_HTML_H
#define MATRIX_HTML_H

#include "mem.h"

#include <stddef.h>

/* HR_ELIMIT: too long, too many tags or nested too deep; take the plain body then. */
int html_text(const char *html, size_t len, struct mem_buf *out);

#endif
