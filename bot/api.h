/* SPDX-License-Identifier: MIT */
/* Fills struct hr_api and hr_network_api: thin adapters, no logic. */
#ifndef HASHROOM_API_H
#define HASHROOM_API_H
#include "app.h"

const struct hr_api *api_table(bool network);
struct hr_out { /* whoever collects lines embeds it */
    int (*write)(struct hr_out *out, const char *text, size_t len);
    int (*ask)(struct hr_out *out, uint32_t flags, const char *text); /* NULL: nobody can be asked */
};
#endif
