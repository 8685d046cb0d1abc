/* SPDX-License-Identifier: MIT */
/* Which sessions the backup does not hold yet. */
#include "group_backup.h"

#include "backup.h"

#include <string.h>

struct each {
    struct matrix *mx;
    int (*fn)(void *arg, const struct group_export *session);
    void *arg;
};

static int on_unsaved(void *arg, const struct hr_value *column, size_t count)
{
    struct each *each = arg;
    struct ratchet_inbound *ratchet = NULL;
    char key[RATCHET_EXPORTED_KEY];
    (void)count;
    if (ratchet_inbound_unpickle(column[5].str, column[5].len, each->mx->e2ee->pickle_key, &ratchet) < 0) {
        return HR_OK;
    }
    const struct group_export export = {
        .room_id = column[0].str,
        .session = column[1].str,
        .sender_curve = column[2].str,
        .sender_ed = column[3].str,
        .exported = key,
        .first_index = ratchet_inbound_first_index(ratchet),
        .shared_history = column[4].num != 0,
    };
    int rc = ratchet_inbound_export(ratchet, export.first_index, key);
    ratchet_inbound_free(ratchet);
    rc = rc == HR_OK ? each->fn(each->arg, &export) : HR_OK;
    explicit_bzero(key, sizeof(key));
    return rc;
}

int group_backup_missing(struct matrix *mx, size_t most, int (*fn)(void *arg, const struct group_export *session),
                         void *arg)
{
    struct each each = {mx, fn, arg};
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_INT((int64_t)most)};
    return mx->api->sql(mx->bot,
                        "SELECT room_id, session, sender_curve, sender_ed, shared_history, pickle FROM matrix_group_in"
                        " INDEXED BY matrix_group_in_backup" /* SQLite would read all of them */
                        " WHERE instance = ?1 AND backed_up = 0 ORDER BY used_ms LIMIT ?2",
                        args, 2, on_unsaved, &each);
}

void group_backup_done(struct matrix *mx, const char *room_id, const char *session, int64_t first_index)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(session), HR_V_INT(first_index)};
    (void)mx->api->sql(mx->bot,
                       "UPDATE matrix_group_in SET backed_up = 1 WHERE instance = ?1 AND room_id = ?2 AND session = ?3"
                       " AND first_index = ?4", /* else a better copy came while that one was on its way */
                       args, 4, NULL, NULL);
}

void group_backup_again(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name)};
    (void)mx->api->sql(mx->bot, "UPDATE matrix_group_in SET backed_up = 0 WHERE instance = ?1", args, 1, NULL, NULL);
    backup_wake(mx);
}
