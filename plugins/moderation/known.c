/* SPDX-License-Identifier: MIT */
/* Who has been let in before, for `!hold new`: numbers made of network and id, no names, and not for ever. */
#include "moderation.h"

enum { KNOWN_MAX = 20000, SPARE = 1000 };

static const int64_t refresh_ms = INT64_C(24) * 3600 * 1000;

int64_t known_number(const char *network, const char *author)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (const char *c = network; *c != '\0'; c++) {
        h = (h ^ (unsigned char)*c) * UINT64_C(1099511628211);
    }
    h = (h ^ 0xff) * UINT64_C(1099511628211);
    for (const char *c = author; *c != '\0'; c++) {
        h = (h ^ (unsigned char)*c) * UINT64_C(1099511628211);
    }
    return (int64_t)(h & INT64_MAX);
}

static int on_number(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    *(int64_t *)arg = column[0].num;
    return 0;
}

static int add(struct moderation *m, int64_t who)
{
    int64_t last_ms = 0, now_ms = m->api->now_ms(m->bot);
    const struct hr_value args[] = {HR_V_INT(who), HR_V_INT(now_ms)};
    int status =
        m->api->sql(m->bot, "SELECT seen_ms FROM moderation_known WHERE who = ?1", args, 1, on_number, &last_ms);
    if (status < 0 || now_ms - last_ms < refresh_ms) {
        return status < 0 ? status : 0; /* one write a day for each */
    }
    status = m->api->sql(m->bot, "INSERT OR REPLACE INTO moderation_known VALUES(?1, ?2)", args, 2, NULL, NULL);
    m->known += last_ms == 0 && status >= 0;
    if (status < 0 || m->known <= KNOWN_MAX) {
        return status < 0 ? status : 0;
    }
    const struct hr_value spare = HR_V_INT(SPARE);
    m->known -= SPARE;
    return m->api->sql(m->bot,
                       "DELETE FROM moderation_known WHERE who IN"
                       " (SELECT who FROM moderation_known ORDER BY seen_ms LIMIT ?1)",
                       &spare, 1, NULL, NULL);
}

static int on_author(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    return add(arg, known_number(column[0].str, column[1].str));
}

int known_start(struct moderation *m)
{
    int status = m->api->sql(m->bot, "SELECT count(*) FROM moderation_known", NULL, 0, on_number, &m->known);
    if (status < 0 || m->known > 0) {
        return status;
    }
    /* Once: those of the log, from before there was this table. */
    return m->api->sql(m->bot,
                       "SELECT DISTINCT network, author FROM core_pub_message WHERE state = 'live' AND author <> ''",
                       NULL, 0, on_author, m);
}

int known_let_in(struct moderation *m, const struct hr_message *message)
{
    if (message->room == NULL || !(message->room->flags & HR_ROOM_SOCIAL)) {
        return 0;
    }
    return add(m, known_number(message->room->network, message->author.id));
}

bool known_has(struct moderation *m, const struct hr_message *message)
{
    int64_t seen_ms = 0;
    const struct hr_value who = HR_V_INT(known_number(message->room->network, message->author.id));
    (void)m->api->sql(m->bot, "SELECT seen_ms FROM moderation_known WHERE who = ?1", &who, 1, on_number, &seen_ms);
    return seen_ms != 0;
}
