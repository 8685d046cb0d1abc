/* SPDX-License-Identifier: MIT */
/* The list of links people share, wherever they share them, with the question each belongs to. */
#include "resources.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct hr_text resources_texts[] = {
    {"T19", "Saved as link {n}: {title}.", "n=4;title=Access to Work guide"},
    {"T19_short", "Saved as link {n}.", "n=4"},
    {"head", "People shared {count} links:", "count=4"},
    {"head_one", "People shared 1 link:", ""},
    {"head_more", "The last {shown} of {count} links:", "shown=5;count=9"},
    {"found", "I found {count} links:", "count=3"},
    {"found_one", "I found 1 link:", ""},
    {"found_more", "The last {shown} of {count} links I found:", "shown=5;count=7"},
    {"link", "Link {n}: {title}. Site: {site}. {url}",
     "n=4;title=Access to Work guide;site=example.org;url=https://example.org/guide"},
    {"link_bare", "Link {n} to {site}. {url}", "n=5;site=example.org;url=https://example.org/guide"},
    {"none", "Nobody has shared a link yet. To add one, type !link and the address.", ""},
    {"none_found", "No link has this word. To see the last links, type !links", ""},
    {"how", "To add a link, type !link, the address, and some words about it. To see the links, type !links", ""},
    {"not_an_address",
     "I cannot list this address. Please send a full web address, for example https://example.org/guide", ""},
    {"was_dropped", "A host took this link off the list. To ask why, write to the host.", ""},
    {"full", "The list is full. To make room, a host types !link drop and a number.", ""},
    {"dropped", "Link {n} is off the list.", "n=4"},
    {"no_such_link", "There is no link {n} in this chat. To see the links, type !links", "n=40"},
    {"not_allowed", "Only hosts and moderators can change the list. To add a link, type !link and the address.", ""},
    {0},
};

/* ---- which question -------------------------------------------------------------------- */

/* "A2", "a2.", "Q2:", "T2 " at the start of a line, after names and tags; else 0. */
static int named_question(const char *line)
{
    while (*line == '@' || *line == '#' || *line == ' ') {
        line += strcspn(line, " \n");
        line += strspn(line, " ");
    }
    if (!strchr("AaQqTt", *line) || !*line || !isdigit((unsigned char)line[1])) {
        return 0;
    }
    int n = 0;
    const char *c = line + 1;
    for (; isdigit((unsigned char)*c) && n < 100; c++) {
        n = n * 10 + *c - '0';
    }
    return isalnum((unsigned char)*c) || (unsigned char)*c >= 0x80 || n > MAX_TOPICS ? 0 : n;
}

/* The answer a place in the text belongs to: the last "A2" at the start of a line before it. */
static int question_at(const char *text, const char *at)
{
    int found = 0;
    for (const char *line = text; line && line <= at; line = strchr(line, '\n'), line += line != NULL) {
        int named = named_question(line);
        found = named ? named : found;
    }
    return found;
}

/* ---- catching ------------------------------------------------------------------------------ */

static int catch_one(struct resources *resources, const struct hr_message *message, struct place place, const char *raw,
                     size_t len, const char *title, const char *at)
{
    struct url url;
    int64_t n;
    if (url_tidy(raw, len, &url) < 0) {
        return 0;
    }
    int named = question_at(message->text, at);
    if (named && links_has_question(resources, place.session, named)) {
        place.question = named;
    }
    int status = links_add(resources, &place, &url, links_clean_title(resources, title), message->id, &n);
    return status == HR_EDENIED || status == HR_ELIMIT ? 0 : status;
}

/* Where the source's own link stands in the text, for its "A2"; else the start. */
static const char *stands_at(const char *text, const char *url)
{
    const char *at = strstr(text, url);
    return at ? at : text;
}

static int catch_links(struct resources *resources, const struct hr_chat *chat, const struct hr_message *message)
{
    struct place place = links_place(resources, chat, message);
    int left = MAX_LINKS_A_MESSAGE, status = 0;
    for (size_t i = 0; i < message->link_count && left-- > 0 && status >= 0; i++) {
        const struct hr_link *link = &message->links[i];
        status = catch_one(resources, message, place, link->url, strlen(link->url), link->title ? link->title : "",
                           stands_at(message->text, link->url));
    }
    size_t len = 0;
    for (const char *at = message->text; status >= 0 && left-- > 0 && (at = url_find(at, &len)); at += len ? len : 1) {
        status = catch_one(resources, message, place, at, len, "", at);
    }
    return status;
}

static int on_edit(struct resources *resources, const struct hr_chat *chat, const struct hr_message *message)
{
    int status = links_unmark(resources, message->id);
    if (status >= 0) {
        status = catch_links(resources, chat, message);
    }
    return status < 0 ? status : links_sweep(resources);
}

static int event(void *state, const struct hr_event *event)
{
    struct resources *resources = state;
    const struct hr_message *message = event->message;
    if (event->kind == HR_EV_CHAT) {
        return event->chat->session ? links_adopt(resources, event->chat) : 0;
    }
    if (event->kind == HR_EV_REMOVE) {
        return links_forget(resources, message->id);
    }
    if (!message->chat[0] || (message->flags & (HR_MSG_OWN | HR_MSG_PRIVATE | HR_MSG_COMMAND))) {
        return 0;
    }
    return event->kind == HR_EV_EDIT ? on_edit(resources, event->chat, message)
                                     : catch_links(resources, event->chat, message);
}

/* ---- life ---------------------------------------------------------------------------------------- */

static int start(struct hr_bot *bot, const struct hr_api *api, void **state)
{
    struct resources *resources = calloc(1, sizeof(*resources));
    if (!resources) {
        abort();
    }
    resources->bot = bot;
    resources->api = api;
    *state = resources;
    return 0;
}

static void stop(void *state)
{
    free(state);
}

static const struct hr_command commands[] = {
    {"links", "resources", "[word]", "Shows the last links people shared, or those with a word in them.",
     "!links guide", NULL, HR_CMD_CARD, run_links},
    {"link", NULL, "address words | drop 4 | 4 title words",
     "Adds a link to the list. Hosts also tidy the list with it.",
     "!link https://example.org/guide Access to Work guide", NULL, 0, run_link},
    {0},
};

static const struct hr_export exports[] = {
    {"links", "The links of the last chat, by question.", "html md csv json", export_last},
    {"all-links", "The links of all chats, by chat and question.", "html md csv json", export_all},
    {0},
};

const struct hr_plugin hashroom_plugin = {
    HR_PLUGIN_HEADER,
    .name = "resources",
    .version = HASHROOM_VERSION,
    .help = "Keeps the list of links people share, with the question each belongs to.",
    .events = HR_EV(HR_EV_MESSAGE) | HR_EV(HR_EV_EDIT) | HR_EV(HR_EV_REMOVE) | HR_EV(HR_EV_CHAT),
    .commands = commands,
    .texts = resources_texts,
    .exports = exports,
    .schema = links_schema,
    .start = start,
    .stop = stop,
    .event = event,
};
