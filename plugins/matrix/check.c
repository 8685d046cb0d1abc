/* SPDX-License-Identifier: MIT */
/* What the operator wrote for this network. */
#include "check.h"

#include "media.h"

#include <stdio.h>
#include <string.h>

#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]"

static bool is_loopback(const char *host)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(names[i]);
        if (strncmp(host, names[i], len) == 0 && (host[len] == '\0' || host[len] == ':' || host[len] == '/')) {
            return true;
        }
    }
    return false;
}

static bool has_space(const char *text)
{
    return strpbrk(text, " \t\r\n") != NULL;
}

static bool is_server_name(const char *text)
{
    return text[0] != '.' && text[0] != ':' && strspn(text, NAME_BYTES) == strlen(text) && strstr(text, "..") == NULL;
}

static void check_homeserver(struct hr_bot *bot, const struct hr_api *api, const char *url)
{
    bool tls = strncmp(url, "https://", 8) == 0, plain = strncmp(url, "http://", 7) == 0;
    const char *host = url + (tls ? 8 : plain ? 7 : 0), *path = strchr(host, '/');
    if (!tls && !plain && (url[0] == '\0' || is_server_name(url))) {
        return; /* it leads to the homeserver */
    }
    if (!tls && !plain) {
        api->problem(bot, "homeserver",
                     "\"%s\" is neither a server name such as \"example.org\" nor an address such as "
                     "\"https://matrix.example.org\". Leave it out to go by the user id.",
                     url);
    } else if (plain && !is_loopback(host)) {
        api->problem(bot, "homeserver", "without https the password could be read on the way. Write https://%s.", host);
    } else if (host[0] == '\0' || has_space(host) || strpbrk(host, "?#@") != NULL ||
               (path != NULL && path[1] != '\0')) {
        api->problem(bot, "homeserver",
                     "write only the name of the server, for example \"https://matrix.example.org\".");
    }
}

static void check_user(struct hr_bot *bot, const struct hr_api *api, const char *user)
{
    const char *colon = strchr(user, ':');
    if (user[0] != '@' || colon == NULL || colon == user + 1 || colon[1] == '\0' || has_space(user) ||
        strlen(user) > 255) {
        api->problem(bot, "user", "\"%s\" is no user id. Write it in full, for example \"@bot:example.org\".", user);
    }
}

static void check_invites(struct hr_bot *bot, const struct hr_api *api)
{
    const char *const *entry = api->option(bot, "invite_from")->list;
    for (; entry != NULL && *entry != NULL; entry++) {
        bool is_user = (*entry)[0] == '@';
        if ((is_user && strchr(*entry, ':') == NULL) || has_space(*entry) || (*entry)[0] == '\0' ||
            strpbrk(*entry, "/#!*") != NULL) {
            api->problem(bot, "invite_from",
                         "\"%s\" is neither a user id such as \"@asha:example.org\" nor a server name "
                         "such as \"example.org\".",
                         *entry);
        }
    }
}

void check_options(struct hr_bot *bot, const struct hr_api *api)
{
    bool password = api->option(bot, "password_file")->str[0] != '\0',
         token = api->option(bot, "token_file")->str[0] != '\0';
    check_homeserver(bot, api, api->option(bot, "homeserver")->str);
    check_user(bot, api, api->option(bot, "user")->str);
    if (!password && !token) {
        api->problem(bot, "password_file",
                     "neither password_file nor token_file gives the bot access. Add one of them.");
    } else if (password && token) {
        api->problem(bot, "token_file", "password_file and token_file are both given. Keep the one the bot is to use.");
    }
    check_invites(bot, api);
    media_check(bot, api);
}

int check_room(const char *address, char *err, size_t err_size)
{
    const char *behind = strstr(address, "matrix.to/#/");
    if (behind != NULL) {
        snprintf(err, err_size, "\"%s\" is a link. Write only what stands behind \"/#/\": \"%s\"", address,
                 behind + 12);
    } else if (address[0] == '@') {
        snprintf(err, err_size, "\"%s\" is a person. Private rooms open by themselves; write a room", address);
    } else if (address[0] != '!' && address[0] != '#') {
        snprintf(err, err_size,
                 "\"%s\" is no room. Write an alias such as \"#chat:example.org\", or the room id that "
                 "starts with \"!\"",
                 address);
    } else if (has_space(address) || address[1] == '\0' || strlen(address) > 255) {
        snprintf(err, err_size, "\"%s\" is no room: it is empty, too long or holds a space", address);
    } else if (address[0] == '#' && (strchr(address, ':') == NULL || strchr(address, ':')[1] == '\0')) {
        snprintf(err, err_size, "\"%s\" lacks its server. Write it in full, for example \"%s:example.org\"", address,
                 address);
    } else {
        return HR_OK;
    }
    return HR_EINVAL;
}
