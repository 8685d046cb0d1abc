/* SPDX-License-Identifier: MIT */
/* The sts capability and the policies kept from it. */
#include "sts.h"
#include "irc.h"
#include "link.h"
#include <string.h>

static const int64_t longest_ms = INT64_C(366) * 24 * 3600 * 1000;

static int on_policy(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    *(int *)arg = (int)column[0].num;
    return 0;
}

void sts_load(struct irc *irc)
{
    const struct hr_value args[] = {HR_V_STR(irc_option(irc, "server")), HR_V_INT(irc->api->wall_ms(irc->bot))};
    (void)irc->api->sql(irc->bot, "SELECT port FROM irc_sts WHERE server = ?1 AND until_ms > ?2", args, 2, on_policy,
                        &irc->sts.port);
}

void sts_target(struct irc *irc, int *port, bool *plain)
{
    if (*plain && irc->sts.port) {
        *port = irc->sts.port;
        *plain = false;
    }
    irc->sts.secure = !*plain;
    irc->sts.duration_ms = 0;
}

static void keep(struct irc *irc)
{
    const struct hr_value args[] = {
        HR_V_STR(irc_option(irc, "server")),
        HR_V_INT(irc->sts.port),
        HR_V_INT(irc->api->wall_ms(irc->bot) + irc->sts.duration_ms),
    };
    (void)irc->api->sql(irc->bot, "INSERT OR REPLACE INTO irc_sts VALUES(?1, ?2, ?3)", args, 3, NULL, NULL);
}

/* The number behind `key` in "a=1,key=2"; -1 if there is none. */
static int64_t number_of(const char *value, const char *key)
{
    size_t len = strlen(key);
    while (*value) {
        if (strncmp(value, key, len) == 0 && value[len] == '=') {
            const char *digits = value + len + 1;
            size_t count = strspn(digits, "0123456789");
            bool ends = digits[count] == ',' || !digits[count];
            return count > 0 && count <= 12 && ends ? strtoll(digits, NULL, 10) : -1;
        }
        value += strcspn(value, ",");
        value += *value == ',';
    }
    return -1;
}

void sts_on_offered(struct irc *irc, const char *value)
{
    struct sts *sts = &irc->sts;
    int64_t port = number_of(value, "port"), duration = number_of(value, "duration");
    if (!sts->secure) {
        if (port > 0 && port <= 65535) {
            sts->port = (int)port;
            link_end(irc, LINK_RETRY,
                     "%s asks for an encrypted connection, which the bot opens next (port %d). Set "
                     "tls = yes and port = %d in the configuration",
                     irc_option(irc, "server"), sts->port, sts->port);
        }
        return;
    }
    if (duration < 0) {
        return; /* not what the standard wants: no policy */
    }
    if (!sts->port) {
        sts->port = (int)irc->api->option(irc->bot, "port")->num;
    }
    sts->duration_ms = duration * 1000 < longest_ms ? duration * 1000 : longest_ms;
    keep(irc);
    if (duration == 0) { /* taken back: holds for this process no longer either */
        sts->port = 0;
    }
}

void sts_renew(struct irc *irc)
{
    if (irc->sts.secure && irc->sts.duration_ms > 0) {
        keep(irc);
    }
}
