/* SPDX-License-Identifier: MIT */
/* A plugin's way to the database: own tables only, others' published views and the log read-only. */
#ifndef HASHROOM_PLUGIN_SQL_H
#define HASHROOM_PLUGIN_SQL_H
#include "app.h"

int plugin_sql(struct hr_bot *bot, const char *sql, const struct hr_value *args, size_t count, hr_row_fn *row, void *arg);
void plugin_sql_sweep(struct hr_bot *bot); /* its prepared statements; when it stops */
/* Schema steps of a plugin, under the same authorizer (CREATE allowed). */
int plugin_sql_migrate(struct hr_bot *bot, char *err, size_t err_size);
#endif
