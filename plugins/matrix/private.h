/* SPDX-License-Identifier: MIT */
/* Private rooms in which nobody has spoken for 30 days are left: they would fill up the places of others. */
#ifndef MATRIX_PRIVATE_H
#define MATRIX_PRIVATE_H

#include "matrix.h"

void private_start(struct matrix *mx); /* looks each hour from now on */

#endif
