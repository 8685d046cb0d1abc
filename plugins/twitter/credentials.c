/* SPDX-License-Identifier: MIT */
/* Which credentials the configuration gives, and what is wrong with them. */
#include "credentials.h"

static const char *const oauth1[] = {"consumer_key_file", "consumer_secret_file", "access_token_file",
                                     "access_secret_file"};
/* Only the id must be there: not each application has a secret, and the login can come from the tool. */
static const char *const oauth2[] = {"client_id", "client_secret_file", "refresh_token_file"};
enum { OAUTH1 = sizeof(oauth1) / sizeof(*oauth1), OAUTH2 = sizeof(oauth2) / sizeof(*oauth2) };

static bool is_set(struct hr_bot *bot, const struct hr_api *api, const char *option)
{
    const char *value = api->option(bot, option)->str;
    return value != NULL && value[0] != '\0';
}

static size_t count_set(struct hr_bot *bot, const struct hr_api *api, const char *const *option, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        n += is_set(bot, api, option[i]);
    }
    return n;
}

enum credentials credentials_kind(struct hr_bot *bot, const struct hr_api *api)
{
    if (!is_set(bot, api, "bearer_file")) {
        return CREDENTIALS_NONE;
    }
    return is_set(bot, api, "client_id")                   ? CREDENTIALS_OAUTH2
           : count_set(bot, api, oauth1, OAUTH1) == OAUTH1 ? CREDENTIALS_OAUTH1
                                                           : CREDENTIALS_NONE;
}

static void missing(struct hr_bot *bot, const struct hr_api *api, const char *const *option, size_t count,
                    const char *fix)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_set(bot, api, option[i])) {
            api->problem(bot, option[i], "missing, though other credentials are given. Fix: %s", fix);
        }
    }
}

void credentials_check(struct hr_bot *bot, const struct hr_api *api)
{
    static const char *const bearer[] = {"bearer_file"};
    size_t first = count_set(bot, api, oauth1, OAUTH1);
    size_t second = count_set(bot, api, oauth2, OAUTH2);
    if (first == 0 && second == 0 && !is_set(bot, api, "bearer_file")) {
        return;
    }
    missing(bot, api, bearer, 1, "give the bearer token as well, or no credentials and post by hand");
    if (first > 0 && second > 0) {
        api->problem(
            bot, "client_id",
            "two ways to log in are given. Fix: take out client_id, client_secret_file and refresh_token_file, "
            "or the four files of consumer_key_file to access_secret_file");
    } else if (second > 0) {
        missing(bot, api, oauth2, 1, "give client_id, too");
    } else {
        missing(bot, api, oauth1, OAUTH1, "give all five files, or none and post by hand");
    }
}
