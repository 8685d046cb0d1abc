/* SPDX-License-Identifier: MIT */
/* Which of the sessions of group_in.h the server-side backup does not hold yet. */
#ifndef MATRIX_GROUP_BACKUP_H
#define MATRIX_GROUP_BACKUP_H

#include "group_in.h"

/* At most `most` of them, oldest first, exported at their first known index; fn: 0 to go on. */
int group_backup_missing(struct matrix *mx, size_t most, int (*fn)(void *arg, const struct group_export *session),
                         void *arg);
void group_backup_done(struct matrix *mx, const char *room_id, const char *session, int64_t first_index);
void group_backup_again(struct matrix *mx); /* a new version of the backup holds none */

#endif
