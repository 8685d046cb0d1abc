/* SPDX-License-Identifier: MIT */
/* Names and texts of enum hr_status, from the one table in plugin.h. */
#ifndef HASHROOM_STATUS_H
#define HASHROOM_STATUS_H
const char *status_text(int status); /* "over a limit"; never NULL */
const char *status_name(int status); /* "HR_ELIMIT"; never NULL */
#endif
