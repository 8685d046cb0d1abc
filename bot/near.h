/* SPDX-License-Identifier: MIT */
/* "Did you mean": how far two words are apart. Pure. */
#ifndef HASHROOM_NEAR_H
#define HASHROOM_NEAR_H
#include <stddef.h>

enum { NEAR_WORD_MAX = 64 };

/* Letters to add, drop, change or swap with their neighbour to make b of a, any
 * case. Words over NEAR_WORD_MAX bytes are far from everything. */
size_t near_distance(const char *a, const char *b);

struct near {         /* the nearest of the words offered so far */
    const char *word; /* what was typed; borrowed */
    const char *best; /* or NULL if nothing is near */
    size_t distance;
};
void near_offer(struct near *near, const char *candidate);
#endif
