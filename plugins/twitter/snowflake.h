/* SPDX-License-Identifier: MIT */
/* X's ids: decimal strings of 64 bits that carry the time of their making. */
#ifndef TWITTER_SNOWFLAKE_H
#define TWITTER_SNOWFLAKE_H
#include <stdbool.h>
#include <stdint.h>

enum { SNOWFLAKE_SIZE = 24 };

bool snowflake_valid(const char *id);                    /* 1 to 19 digits; NULL isn't */
int snowflake_compare(const char *a, const char *b);     /* by number; both valid */
int64_t snowflake_ms(const char *id);                    /* instant of its making */
void snowflake_at(int64_t ms, char out[SNOWFLAKE_SIZE]); /* the smallest id of that instant */
#endif
