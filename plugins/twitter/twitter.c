/* SPDX-License-Identifier: MIT */
/* The manifest: what the plugin is to the host, and which part of it answers a callback. */
#include "twitter.h"
#include "feed.h"
#include "hand.h"
#include "mem.h"
#include "reader.h"
#include "say.h"
#include "tag.h"

static const struct hr_option options[] = {
    {.name = "feed", .type = HR_STR, .preset = "",
     .help = "File that plays Twitter in a rehearsal: X API v2 objects, one a line; nothing connects then.",
     .example = "posts.jsonl"},
    {0},
};

static const struct hr_text texts[] = {
    {"hand-post", "Please post this on Twitter, then type !posted and the link of your post.\n{text}",
     "text=Question 1. What do you read before bed? #dpulo"},
    {"hand-reply",
     "Please post this on Twitter, then type !posted and the link of your post.\n{text}\n"
     "Post it as a reply to: https://x.com/i/status/{id}",
     "text=Question 2. Who read to you as a child? #dpulo;id=2105009737002090497"},
    {"hand-delete",
     "Please delete this post on Twitter, then type !posted done.\nhttps://x.com/i/status/{id}",
     "id=2105009737002090497"},
    {"hand-nothing", "Nothing waits to be posted on Twitter.", NULL},
    {"hand-no-link",
     "I need the link of your post. Type: !posted and the address that Share, Copy link gives you.", NULL},
    {"hand-done", "Thank you. I have noted the link.", NULL},
    {"hand-more", "Thank you. I have noted the link. There is one more: type {command}", "command=!post"},
    {"not-by-hand", "I post on Twitter myself. Nothing to do by hand.", NULL},
    {0},
};

static const char *const schema[] = {
    "CREATE TABLE twitter_seen(key TEXT PRIMARY KEY, newest TEXT NOT NULL, seen_ms INTEGER NOT NULL) STRICT,"
    " WITHOUT ROWID",
    NULL,
};

static int check_room(const char *address, char *err, size_t err_size)
{
    if (tag_valid(address)) {
        return HR_OK;
    }
    snprintf(err, err_size, "a room on Twitter is a hashtag: # and letters, digits or underscores, such as \"#dpulo\"");
    return HR_EINVAL;
}

static void check(struct hr_bot *bot, const struct hr_api *api)
{
    const char *feed = api->option(bot, "feed")->str;
    FILE *file = feed[0] != '\0' ? fopen(feed, "re") : NULL;
    if (feed[0] != '\0' && file == NULL) {
        api->problem(bot, "feed", "%s can't be read. Fix: give the path of a file with posts, one a line", feed);
    }
    if (file != NULL) {
        fclose(file);
    }
}

static int room_up(void *arg, const struct hr_room *room)
{
    struct twitter *twitter = arg;
    twitter->api->net->up(twitter->bot, room->address);
    return HR_OK;
}

static int tell_chat(void *arg, const struct hr_chat *chat)
{
    feed_chat(((struct twitter *)arg)->feed, chat);
    return HR_OK;
}

static int start_feed(struct twitter *twitter, const char *path)
{
    char err[512];
    twitter->mode = MODE_FEED;
    twitter->feed = feed_new(twitter, path, err, sizeof(err));
    if (twitter->feed == NULL) {
        twitter->api->log(twitter->bot, HR_ERROR, "%s; correct the option \"feed\" and start again", err);
        return HR_EFAIL;
    }
    twitter->api->log(twitter->bot, HR_INFO, "%zu posts from %s will play Twitter in the next session",
                      feed_count(twitter->feed), path);
    return twitter->api->chats(twitter->bot, tell_chat, twitter);
}

static void stop(void *state)
{
    struct twitter *twitter = state;
    if (twitter != NULL) {
        feed_free(twitter->feed);
        hand_free(twitter->hand);
        free(twitter);
    }
}

static int start(struct hr_bot *bot, const struct hr_api *api, void **state)
{
    struct twitter *twitter = mem_calloc(1, sizeof(*twitter));
    *twitter = (struct twitter){.bot = bot, .api = api, .mode = MODE_HAND};
    const char *feed = api->option(bot, "feed")->str;
    int status = HR_OK;
    reader_forget_old(twitter);
    if (feed[0] != '\0') {
        status = start_feed(twitter, feed);
    } else {
        twitter->hand = hand_new(twitter);
        api->log(bot, HR_INFO, "no credentials: posts on Twitter are not read, and a host posts for the bot with !post");
    }
    if (status != HR_OK) {
        stop(twitter);
        return status;
    }
    api->net->up(bot, NULL);
    status = api->net->rooms(bot, room_up, twitter);
    *state = twitter;
    return status;
}

static int event(void *state, const struct hr_event *event)
{
    struct twitter *twitter = state;
    if (event->kind == HR_EV_CHAT && twitter->feed != NULL) {
        feed_chat(twitter->feed, event->chat);
    }
    return HR_OK;
}

static int send_part(void *state, const struct hr_part *part)
{
    struct twitter *twitter = state;
    if (twitter->mode == MODE_FEED) { /* a rehearsal has nobody to post to */
        twitter->api->net->sent(twitter->bot, part->id, HR_OK, NULL, -1, NULL);
        return HR_OK;
    }
    return hand_send(twitter->hand, part);
}

static int run_post(void *state, const struct hr_call *call)
{
    struct twitter *twitter = state;
    return twitter->hand != NULL ? hand_run_post(twitter->hand, call)
                                 : twitter->api->answer(twitter->bot, call,
                                                        twitter->api->words(twitter->bot, "not-by-hand", NULL));
}

static int run_posted(void *state, const struct hr_call *call)
{
    struct twitter *twitter = state;
    return twitter->hand != NULL ? hand_run_posted(twitter->hand, call)
                                 : twitter->api->answer(twitter->bot, call,
                                                        twitter->api->words(twitter->bot, "not-by-hand", NULL));
}

static void report(void *state, struct hr_out *out)
{
    struct twitter *twitter = state;
    if (twitter->mode == MODE_FEED) {
        twitter->api->out(out, "A file plays Twitter: %zu of its %zu posts are still to come.\n",
                          feed_left(twitter->feed), feed_count(twitter->feed));
        return;
    }
    size_t waiting = hand_waiting(twitter->hand);
    twitter->api->out(out, waiting == 0 ? "Posts on Twitter are made by hand. Nothing waits.\n"
                                        : "A text waits to be posted on Twitter by hand. To see it, type !post\n");
}

static const struct hr_command commands[] = {
    {.name = "post", .usage = "", .help = "Shows the text that waits to be posted on Twitter by hand.",
     .example = "!post", .permission = "chat.run", .flags = HR_CMD_NO_CHAT, .run = run_post},
    {.name = "posted", .usage = "LINK", .help = "Tells the bot the link of what you posted on Twitter.",
     .example = "!posted https://x.com/dpulochat/status/2105009737002090497", .permission = "chat.run",
     .flags = HR_CMD_NO_CHAT, .run = run_posted},
    {0},
};

static const struct hr_network network = {
    .size = sizeof(struct hr_network),
    .service = "Twitter",
    .scope = "x",
    .room_flags = HR_ROOM_SOCIAL,
    .limits = {.size = sizeof(struct hr_limits), .rate = 0.1, .burst = 5, .window = 1, .window_all = 4},
    .check_room = check_room,
    .render = say_render,
    .send = send_part,
};

const struct hr_plugin hashroom_plugin = {
    HR_PLUGIN_HEADER,
    .name = "twitter",
    .version = HASHROOM_VERSION,
    .help = "Hashtag posts on X (Twitter) into the rooms, questions onto X.",
    .events = HR_EV(HR_EV_CHAT),
    .options = options,
    .commands = commands,
    .texts = texts,
    .schema = schema,
    .network = &network,
    .check = check,
    .start = start,
    .stop = stop,
    .event = event,
    .report = report,
};
