/* SPDX-License-Identifier: MIT */
/* !links, !links word, !link URL words, !link drop 4, !link 4 title words. */
#include "resources.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ACK_POINTS = 60 }; /* R32 */

static int answer(struct resources *resources, const struct hr_call *call, const char *text)
{
    return resources->api->answer(resources->bot, call, text);
}

static const char *words(struct resources *resources, const char *id)
{
    return resources->api->words(resources->bot, id, NULL);
}

static const char *decimal(struct resources *resources, int64_t n)
{
    return resources->api->print(resources->bot, "%lld", (long long)n);
}

/* ---- !links ------------------------------------------------------------------------- */

struct listing {
    struct resources *resources;
    const char *text;
    int shown;
};

static int add_line(void *arg, const struct link *link)
{
    struct listing *listing = arg;
    const struct hr_api *api = listing->resources->api;
    struct hr_bot *bot = listing->resources->bot;
    const char *n = decimal(listing->resources, link->n);
    const char *line =
        link->title[0]
            ? api->words(bot, "link", "n", n, "title", link->title, "site", link->site, "url", link->url, NULL)
            : api->words(bot, "link_bare", "n", n, "site", link->site, "url", link->url, NULL);
    listing->text = api->print(bot, "%s\n%s", listing->text, line);
    listing->shown++;
    return 0;
}

int run_links(void *state, const struct hr_call *call)
{
    struct resources *resources = state;
    const struct hr_api *api = resources->api;
    struct place place = links_place(resources, call->chat, call->message);
    const char *word = call->rest[0] ? call->rest : NULL;
    struct listing listing = {.resources = resources, .text = ""};
    int64_t all = 0;
    int status = links_last(resources, &place, word, MAX_SHOWN, &all, add_line, &listing);
    if (status < 0) {
        return status;
    }
    if (!listing.shown) {
        return answer(resources, call, words(resources, word ? "none_found" : "none"));
    }
    const char *head;
    if (all == 1) {
        head = words(resources, word ? "found_one" : "head_one");
    } else if (all == listing.shown) {
        head = api->words(resources->bot, word ? "found" : "head", "count", decimal(resources, all), NULL);
    } else {
        head = api->words(resources->bot, word ? "found_more" : "head_more", "shown", decimal(resources, listing.shown),
                          "count", decimal(resources, all), NULL);
    }
    return answer(resources, call, api->print(resources->bot, "%s%s", head, listing.text));
}

/* ---- !link --------------------------------------------------------------------------------- */

static size_t points(const char *text)
{
    size_t count = 0;
    for (; *text; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

static int acknowledge(struct resources *resources, const struct hr_call *call, int64_t n, const char *title)
{
    const char *text = resources->api->words(resources->bot, "T19", "n", decimal(resources, n), "title", title, NULL);
    if (!title[0] || points(text) > ACK_POINTS) {
        text = resources->api->words(resources->bot, "T19_short", "n", decimal(resources, n), NULL);
    }
    struct hr_say say = {.size = sizeof(say), .text = text, .priority = HR_ACK};
    return resources->api->say(resources->bot, &call->room->id, 1, &say, NULL);
}

static int save(struct resources *resources, const struct hr_call *call, const char *at, size_t len)
{
    struct url url;
    int64_t n = 0;
    if (url_tidy(at, len, &url) < 0) {
        return answer(resources, call, words(resources, "not_an_address"));
    }
    const char *rest = at + len;
    rest += strcspn(rest, " \n\t");
    char before[MAX_TITLE_BYTES];
    (void)snprintf(before, sizeof(before), "%.*s", (int)(at - call->rest), call->rest);
    const char *title = links_clean_title(resources, before[strspn(before, " <(")] ? before : rest);
    struct place place = links_place(resources, call->chat, call->message);
    int status = links_add(resources, &place, &url, title, call->message->id, &n);
    if (status == HR_EDENIED || status == HR_ELIMIT) {
        return answer(resources, call, words(resources, status == HR_EDENIED ? "was_dropped" : "full"));
    }
    return status < 0 ? status : acknowledge(resources, call, n, title);
}

static bool may_tidy(struct resources *resources, const struct hr_call *call, int *status)
{
    if (resources->api->may(resources->bot, call, "links.tidy")) {
        return true;
    }
    *status = answer(resources, call, words(resources, "not_allowed"));
    return false;
}

static int drop(struct resources *resources, const struct hr_call *call, const struct place *place, int64_t n)
{
    int status;
    if (!may_tidy(resources, call, &status)) {
        return status;
    }
    status = links_drop(resources, place, n);
    if (status < 0 && status != HR_ENOTFOUND) {
        return status;
    }
    const char *id = status < 0 ? "no_such_link" : "dropped";
    return answer(resources, call, resources->api->words(resources->bot, id, "n", decimal(resources, n), NULL));
}

static int retitle(struct resources *resources, const struct hr_call *call, const struct place *place, int64_t n,
                   const char *given)
{
    int status;
    const char *title = links_clean_title(resources, given);
    if (!may_tidy(resources, call, &status)) {
        return status;
    }
    if (!title[0]) {
        return answer(resources, call, words(resources, "how"));
    }
    status = links_title(resources, place, n, title);
    if (status == HR_ENOTFOUND) {
        return answer(resources, call,
                      resources->api->words(resources->bot, "no_such_link", "n", decimal(resources, n), NULL));
    }
    return status < 0 ? status : acknowledge(resources, call, n, title);
}

static bool whole_number(const char *text, int64_t *out)
{
    char *rest;
    *out = strtoll(text, &rest, 10);
    return rest != text && *rest == '\0' && *out > 0 && *out <= MAX_LINKS_A_SESSION;
}

int run_link(void *state, const struct hr_call *call)
{
    struct resources *resources = state;
    struct place place = links_place(resources, call->chat, call->message);
    size_t len;
    int64_t n;
    if (call->argc == 2 && strcasecmp(call->argv[0], "drop") == 0 && whole_number(call->argv[1], &n)) {
        return drop(resources, call, &place, n);
    }
    if (call->argc >= 2 && strcasecmp(call->argv[1], "title") == 0 && whole_number(call->argv[0], &n)) {
        const char *given = strcasestr(call->rest, "title");
        return retitle(resources, call, &place, n, given + strlen("title"));
    }
    const char *at = url_find(call->rest, &len);
    if (at) {
        return save(resources, call, at, len);
    }
    /* "!link gov.uk/access-to-work Guide": an address without its beginning */
    if (call->argc && strchr(call->argv[0], '.') && !strchr(call->argv[0], '@')) {
        return save(resources, call, call->rest, strlen(call->argv[0]));
    }
    return answer(resources, call, words(resources, "how"));
}
