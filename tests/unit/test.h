/* SPDX-License-Identifier: MIT */
/* What every unit test includes: cmocka and its ceremony. */
#ifndef HASHROOM_TEST_H
#define HASHROOM_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#endif
