/* SPDX-License-Identifier: MIT */
/* The tables of the matrix plugin: steps that each database runs once, in order. Released ones never change. */
#ifndef MATRIX_SCHEMA_H
#define MATRIX_SCHEMA_H

extern const char *const matrix_schema[];

#endif
