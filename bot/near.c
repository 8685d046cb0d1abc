/* SPDX-License-Identifier: MIT */
/* Distance of two words, for "did you mean". */
#include "near.h"
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

size_t near_distance(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    if (a_len > NEAR_WORD_MAX || b_len > NEAR_WORD_MAX) {
        return SIZE_MAX;
    }
    size_t rows[3][NEAR_WORD_MAX + 1]; /* the row before the last, the last, this one */
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_len; j++) {
        last[j] = j;
        before[j] = 0;
    }
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] = least(last[j - 1] + !same(a[i - 1], b[j - 1]), least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
        size_t *old = before;
        before = last;
        last = row;
        row = old;
    }
    return last[b_len];
}

void near_offer(struct near *near, const char *candidate)
{
    size_t distance = near_distance(near->word, candidate);
    size_t allowed = strlen(near->word) < 4 ? 1 : strlen(near->word) / 3 + 1;
    if (distance <= allowed && (!near->best || distance < near->distance)) {
        near->best = candidate;
        near->distance = distance;
    }
}
