/* SPDX-License-Identifier: MIT */
/* The plugin's tables. */
#include "record.h"
#include "history.h"
#include "irc.h"
#include <string.h>

const char *const record_schema[] = {
    "CREATE TABLE irc_network(name TEXT PRIMARY KEY, history INTEGER NOT NULL, nick TEXT NOT NULL) WITHOUT ROWID",
    /* the server's clock: everything said up to then is in the log */
    "CREATE TABLE irc_seen(network TEXT NOT NULL, channel TEXT NOT NULL, time_ms INTEGER NOT NULL,"
    " PRIMARY KEY(network, channel)) WITHOUT ROWID",
    /* servers that asked for TLS, and until when; the system's clock */
    "CREATE TABLE irc_sts(server TEXT PRIMARY KEY, port INTEGER NOT NULL, until_ms INTEGER NOT NULL) WITHOUT ROWID",
    /* networks that take fewer lines than configured */
    "CREATE TABLE irc_rate(network TEXT PRIMARY KEY, line_ms INTEGER NOT NULL) WITHOUT ROWID",
    NULL,
};

static const int64_t saved_every_ms = 1000;

static struct hr_value own_name(const struct irc *irc)
{
    return HR_V_STR(irc->api->instance(irc->bot));
}

static int on_network(void *arg, const struct hr_value *column, size_t count)
{
    struct record *record = arg;
    (void)count;
    record->history = column[0].num != 0;
    (void)snprintf(record->nick, sizeof record->nick, "%s", column[1].str);
    return 0;
}

static struct channel *by_address(struct irc *irc, const char *address)
{
    for (size_t i = 0; i < irc->channels.count; i++) {
        if (strcmp(irc->channels.all[i].address, address) == 0) {
            return &irc->channels.all[i];
        }
    }
    return NULL;
}

static int on_seen(void *arg, const struct hr_value *column, size_t count)
{
    struct channel *channel = by_address(arg, column[0].str);
    (void)count;
    if (channel) {
        channel->seen_ms = column[1].num;
    }
    return 0;
}

/* The newest own line of each channel that is settled, and whether one is not. */
static int on_part(void *arg, const struct hr_value *column, size_t count)
{
    struct channel *channel = by_address(arg, column[0].str);
    (void)count;
    if (channel && strcmp(column[1].str, "claimed") == 0) {
        channel->doubt = true;
    } else if (channel) {
        (void)snprintf(channel->anchor, sizeof channel->anchor, "%s", column[2].str);
    }
    return 0;
}

void record_load(struct irc *irc)
{
    const struct hr_value name = own_name(irc);
    (void)irc->api->sql(irc->bot, "SELECT history, nick FROM irc_network WHERE name = ?1", &name, 1, on_network,
                        &irc->record);
    (void)irc->api->sql(irc->bot, "SELECT channel, time_ms FROM irc_seen WHERE network = ?1", &name, 1, on_seen, irc);
    (void)irc->api->sql(irc->bot,
                        "SELECT address, state, remote_id, max(id) FROM core_pub_part WHERE network = ?1"
                        " AND (state = 'claimed' OR (state = 'delivered' AND remote_id IS NOT NULL))"
                        " GROUP BY address, state",
                        &name, 1, on_part, irc);
}

void record_network(struct irc *irc)
{
    struct record *record = &irc->record;
    bool history = history_offered(irc);
    if (record->history == history && strcmp(record->nick, irc->nick) == 0) {
        return;
    }
    record->history = history;
    (void)snprintf(record->nick, sizeof record->nick, "%s", irc->nick);
    const struct hr_value args[] = {own_name(irc), HR_V_INT(history), HR_V_STR(irc->nick)};
    (void)irc->api->sql(irc->bot, "INSERT OR REPLACE INTO irc_network VALUES(?1, ?2, ?3)", args, 3, NULL, NULL);
}

void record_seen(struct irc *irc, struct channel *channel, int64_t server_ms)
{
    if (server_ms <= channel->seen_ms || !history_offered(irc)) {
        return;
    }
    channel->seen_ms = server_ms;
    if (server_ms - channel->saved_ms < saved_every_ms) { /* what is read again after a crash is recognised */
        return;
    }
    channel->saved_ms = server_ms;
    const struct hr_value args[] = {own_name(irc), HR_V_STR(channel->address), HR_V_INT(server_ms)};
    (void)irc->api->sql(irc->bot, "INSERT OR REPLACE INTO irc_seen VALUES(?1, ?2, ?3)", args, 3, NULL, NULL);
}
