/* SPDX-License-Identifier: MIT */
/* What a status line is made of: networks and the reports of plugins. */
#ifndef HASHROOM_API_STATUS_H
#define HASHROOM_API_STATUS_H
#include "app.h"

int api_networks(struct hr_bot *bot, hr_network_fn *fn, void *arg);
int api_reports(struct hr_bot *bot, hr_report_fn *fn, void *arg);
#endif
