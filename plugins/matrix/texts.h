/* SPDX-License-Identifier: MIT */
/* What the matrix plugin itself says to people; a template is a design decision. */
#ifndef MATRIX_TEXTS_H
#define MATRIX_TEXTS_H

#include <hashroom/plugin.h>

extern const struct hr_text matrix_texts[];

#endif
