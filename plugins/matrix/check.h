/* SPDX-License-Identifier: MIT */
/* What the operator wrote for this network: is it possible, and what to write instead. */
#ifndef MATRIX_CHECK_H
#define MATRIX_CHECK_H

#include <hashroom/network.h>

void check_options(struct hr_bot *bot, const struct hr_api *api);
int check_room(const char *address, char *err, size_t err_size);

#endif
