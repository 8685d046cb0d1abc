/* SPDX-License-Identifier: MIT */
/* Ciphertexts on their way: a part is encrypted once, however often it is sent. */
#include "group_sealed.h"

int group_sealed_keep(struct matrix *mx, const char *txn, const char *session, const char *content)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(txn), HR_V_STR(session), HR_V_STR(content),
                                    HR_V_INT(mx->api->wall_ms(mx->bot))};
    return mx->api->sql(mx->bot,
                        "INSERT INTO matrix_sealed(instance, txn, session, content, at_ms)"
                        " VALUES(?1, ?2, ?3, ?4, ?5)",
                        args, 5, NULL, NULL);
}

static int on_sealed(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    mem_set(arg, column[0].str);
    return HR_OK;
}

char *group_sealed(struct matrix *mx, const char *txn)
{
    char *content = NULL;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(txn)};
    (void)mx->api->sql(mx->bot, "SELECT content FROM matrix_sealed WHERE instance = ?1 AND txn = ?2", args, 2,
                       on_sealed, &content);
    return content;
}

void group_sealed_drop(struct matrix *mx, const char *txn)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(txn)};
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_sealed WHERE instance = ?1 AND txn = ?2", args, 2, NULL, NULL);
}
