/* SPDX-License-Identifier: MIT */
/* The manifest: what the plugin is to the host, and which part of it answers a callback. */
#include "twitter.h"
#include "account.h"
#include "again.h"
#include "budget.h"
#include "client.h"
#include "credentials.h"
#include "deletions.h"
#include "feed.h"
#include "hand.h"
#include "login.h"
#include "mem.h"
#include "reader.h"
#include "say.h"
#include "tag.h"
#include "token.h"
#include "trial.h"
#include "watch.h"
#include "writer.h"

static const struct hr_option options[] = {
    {.name = "bearer_file",
     .type = HR_SECRET,
     .preset = "",
     .help = "File with the application's bearer token, for reading. With it give the four files that follow, or "
             "client_id and client_secret_file. With none of them no post is read, and the bot hands each text to a "
             "host, who posts it: that costs nothing.",
     .example = "/etc/hashroom/x-bearer"},
    {.name = "consumer_key_file",
     .type = HR_SECRET,
     .preset = "",
     .help = "File with the application's API key (also called consumer key), for posting.",
     .example = "/etc/hashroom/x-consumer-key"},
    {.name = "consumer_secret_file",
     .type = HR_SECRET,
     .preset = "",
     .help = "File with the application's API key secret.",
     .example = "/etc/hashroom/x-consumer-secret"},
    {.name = "access_token_file",
     .type = HR_SECRET,
     .preset = "",
     .help = "File with the access token of the account that posts; the application must be allowed to read and write.",
     .example = "/etc/hashroom/x-access-token"},
    {.name = "access_secret_file",
     .type = HR_SECRET,
     .preset = "",
     .help = "File with that token's secret.",
     .example = "/etc/hashroom/x-access-secret"},
    {.name = "client_id",
     .type = HR_STR,
     .preset = "",
     .help = "The application's OAuth 2.0 client id: instead of the four files above, to post with a login that the "
             "bot renews every two hours. A person logs in once: hashroom twitter-login.",
     .example = "bGllbnQtaWQ6MTpjaQ"},
    {.name = "client_secret_file",
     .type = HR_SECRET,
     .preset = "",
     .help = "File with the application's OAuth 2.0 client secret; applications of the kind Native App have none.",
     .example = "/etc/hashroom/x-client-secret"},
    {.name = "refresh_token_file",
     .type = HR_SECRET,
     .preset = "",
     .help = "File with a refresh token that was made elsewhere, instead of hashroom twitter-login; scopes tweet.read, "
             "tweet.write, users.read, offline.access. The bot uses it once and keeps the next ones in its database.",
     .example = "/etc/hashroom/x-refresh-token"},
    {.name = "redirect_url",
     .type = HR_STR,
     .preset = "http://127.0.0.1/",
     .help = "One of the callback addresses of the application: where the browser goes after a login. Nothing has to "
             "answer there."},
    {.name = "ask_again",
     .type = HR_DURATION,
     .preset = "1h",
     .min = 1000,
     .max = 7LL * 24 * 3600 * 1000,
     .help = "How long the bot waits before it asks X again after X refused the account, the application or the "
             "payment."},
    {.name = "budget_day_cents",
     .type = HR_INT,
     .preset = "300",
     .max = 10000000,
     .help = "Reading stops when Twitter has cost so many US cents in a UTC day; 0: no limit."},
    {.name = "budget_month_cents",
     .type = HR_INT,
     .preset = "1500",
     .max = 10000000,
     .help = "Reading stops when Twitter has cost so many US cents in a calendar month (UTC); 0: no limit."},
    {.name = "soft_percent",
     .type = HR_INT,
     .preset = "80",
     .min = 1,
     .max = 100,
     .help = "Part of a budget, in percent, at which the log warns."},
    {.name = "price_post_read",
     .type = HR_INT,
     .preset = "5",
     .max = 100000,
     .help = "What X asks for a post read, in thousandths of a US dollar."},
    {.name = "price_user_read",
     .type = HR_INT,
     .preset = "10",
     .max = 100000,
     .help = "What X asks for a person read, in thousandths of a US dollar."},
    {.name = "price_own_read",
     .type = HR_INT,
     .preset = "1",
     .max = 100000,
     .help = "What X asks for an own post read, in thousandths of a US dollar."},
    {.name = "price_create",
     .type = HR_INT,
     .preset = "15",
     .max = 100000,
     .help = "What X asks for a post made, in thousandths of a US dollar."},
    {.name = "price_delete",
     .type = HR_INT,
     .preset = "10",
     .max = 100000,
     .help = "What X asks for a post taken back, in thousandths of a US dollar."},
    {.name = "deletions",
     .type = HR_BOOL,
     .preset = "yes",
     .help = "Follow deletions: posts deleted on Twitter are taken out of the rooms. When a chat is over its posts are "
             "looked at once more, for those deleted, protected or withheld meanwhile."},
    {.name = "api_url", .type = HR_STR, .preset = "https://api.x.com", .help = "Address of the X API."},
    {.name = "dialect",
     .type = HR_STR,
     .preset = "tweet",
     .help = "Names used in requests: \"tweet\" or \"post\"; changed once by itself if X refuses them."},
    {.name = "ca_file",
     .type = HR_STR,
     .preset = "",
     .help = "File with the certificate authority of api_url, if it is not a public one."},
    {.name = "feed",
     .type = HR_STR,
     .preset = "",
     .help = "File that plays Twitter in a rehearsal: X API v2 objects, one a line; nothing connects then.",
     .example = "posts.jsonl"},
    {0},
};

static const struct hr_text texts[] = {
    {"hand-post", "Please post this on Twitter, then type !posted and the link of your post.\n{text}",
     "text=Question 1. What do you read before bed? #DPULO"},
    {"hand-reply",
     "Please post this on Twitter, then type !posted and the link of your post.\n{text}\n"
     "Post it as a reply to: https://x.com/i/status/{id}",
     "text=Question 2. Who read to you as a child? #DPULO;id=2105009737002090497"},
    {"hand-delete", "Please delete this post on Twitter, then type !posted done.\nhttps://x.com/i/status/{id}",
     "id=2105009737002090497"},
    {"hand-nothing", "Nothing waits to be posted on Twitter.", NULL},
    {"hand-no-link", "I need the link of your post. Type: !posted and the address that Share, Copy link gives you.",
     NULL},
    {"hand-done", "Thank you. I have noted the link.", NULL},
    {"hand-more", "Thank you. I have noted the link. There is one more: type {command}", "command=!post"},
    {"not-by-hand", "I post on Twitter myself. Nothing to do by hand.", NULL},
    {0},
};

static const char *const schema[] = {
    "CREATE TABLE twitter_seen(key TEXT PRIMARY KEY, newest TEXT NOT NULL, seen_ms INTEGER NOT NULL) STRICT,"
    " WITHOUT ROWID",

    "CREATE TABLE twitter_cursor(instance TEXT NOT NULL, tag TEXT NOT NULL, cursor TEXT NOT NULL,"
    " closed_ms INTEGER NOT NULL, PRIMARY KEY(instance, tag)) STRICT, WITHOUT ROWID",
    "CREATE TABLE twitter_ledger(instance TEXT NOT NULL, day INTEGER NOT NULL, kind TEXT NOT NULL,"
    " count INTEGER NOT NULL, cost INTEGER NOT NULL, PRIMARY KEY(instance, day, kind)) STRICT, WITHOUT ROWID",
    "CREATE TABLE twitter_read(instance TEXT NOT NULL, day INTEGER NOT NULL, kind INTEGER NOT NULL, id TEXT NOT NULL,"
    " PRIMARY KEY(instance, day, kind, id)) STRICT, WITHOUT ROWID",
    "CREATE TABLE twitter_author(instance TEXT NOT NULL, user_id TEXT NOT NULL, watched INTEGER NOT NULL,"
    " UNIQUE(instance, user_id)) STRICT",
    "CREATE TABLE twitter_own(instance TEXT PRIMARY KEY, last_id TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE twitter_token(instance TEXT PRIMARY KEY, origin TEXT NOT NULL, access TEXT NOT NULL,"
    " refresh TEXT NOT NULL, ends_ms INTEGER NOT NULL, asked INTEGER NOT NULL, lost INTEGER NOT NULL) STRICT,"
    " WITHOUT ROWID",
    "ALTER TABLE twitter_author ADD COLUMN seen_ms INTEGER NOT NULL DEFAULT 0",
    "UPDATE twitter_author SET seen_ms = CAST(strftime('%s', 'now') AS INTEGER) * 1000",
    "ALTER TABLE twitter_cursor ADD COLUMN open_from_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE twitter_cursor ADD COLUMN open_to_ms INTEGER NOT NULL DEFAULT 0",
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
    const char *url = api->option(bot, "api_url")->str, *dialect = api->option(bot, "dialect")->str;
    credentials_check(bot, api);
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) {
        api->problem(bot, "api_url", "\"%s\" is not a web address. Fix: leave it out, or begin with https://", url);
    }
    if (strcmp(dialect, "tweet") != 0 && strcmp(dialect, "post") != 0) {
        api->problem(bot, "dialect", "\"%s\" is not known. Fix: \"tweet\" or \"post\"", dialect);
    }
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
        watch_free(twitter->watch);
        deletions_free(twitter->deletions);
        again_free(twitter->again);
        writer_free(twitter->writer);
        trial_free(twitter->trial);
        login_free(twitter->login);
        token_free(twitter->token);
        account_free(twitter->account);
        budget_free(twitter->budget);
        client_free(twitter->client);
        free(twitter);
    }
}

static void on_account(void *arg, enum account_side side)
{
    struct twitter *twitter = arg;
    if (side == ACCOUNT_WRITE) {
        writer_account(twitter->writer);
    } else if (twitter->watch != NULL) {
        watch_account(twitter->watch);
    }
}

static void on_token(void *arg, const struct problem *refused)
{
    writer_token(((struct twitter *)arg)->writer, refused);
}

static void start_api(struct twitter *twitter)
{
    twitter->mode = MODE_API;
    twitter->client = client_new(twitter);
    if (HR_HAS(twitter->api, trial) && twitter->api->trial(twitter->bot)) {
        twitter->trial = trial_new(twitter, twitter->client);
        return;
    }
    twitter->account = account_new(twitter, on_account, twitter);
    twitter->budget = budget_new(twitter);
    twitter->writer = writer_new(twitter, twitter->client);
    if (credentials_kind(twitter->bot, twitter->api) == CREDENTIALS_OAUTH2) {
        twitter->token = token_new(twitter, twitter->client, on_token, twitter);
        twitter->login = login_new(twitter, twitter->client, twitter->token);
    }
    if (twitter->api->option(twitter->bot, "deletions")->num != 0) {
        twitter->deletions = deletions_new(twitter, twitter->client);
        twitter->again = again_new(twitter, twitter->client);
    }
}

static int start(struct hr_bot *bot, const struct hr_api *api, void **state)
{
    struct twitter *twitter = mem_calloc(1, sizeof(*twitter));
    *twitter = (struct twitter){.bot = bot, .api = api, .mode = MODE_HAND};
    const char *feed = api->option(bot, "feed")->str;
    int status = HR_OK;
    reader_forget_old(twitter);
    token_forget_left(twitter);
    if (credentials_kind(bot, api) != CREDENTIALS_OAUTH2) {
        token_forget(twitter);
    }
    if (feed[0] != '\0') {
        status = start_feed(twitter, feed);
    } else if (credentials_kind(bot, api) != CREDENTIALS_NONE) {
        start_api(twitter);
    } else {
        twitter->hand = hand_new(twitter);
        api->log(bot, HR_INFO,
                 "no credentials: posts on Twitter are not read, and a host posts for the bot with !post");
    }
    if (status != HR_OK) {
        stop(twitter);
        return status;
    }
    if (twitter->trial == NULL) {
        api->net->up(bot, NULL);
    }
    (void)api->net->rooms(bot, room_up, twitter);
    if (twitter->account != NULL) {
        twitter->watch = watch_new(twitter, twitter->client);
        writer_begin(twitter->writer);
    }
    *state = twitter;
    return HR_OK;
}

static int event(void *state, const struct hr_event *event)
{
    struct twitter *twitter = state;
    if (event->kind == HR_EV_CHAT && twitter->feed != NULL) {
        feed_chat(twitter->feed, event->chat);
    } else if (event->kind == HR_EV_CHAT && twitter->watch != NULL) {
        watch_chat(twitter->watch, event->chat);
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
    if (twitter->trial != NULL) {
        return HR_ERETRY;
    }
    return twitter->mode == MODE_API ? writer_send(twitter->writer, part) : hand_send(twitter->hand, part);
}

static int run_post(void *state, const struct hr_call *call)
{
    struct twitter *twitter = state;
    return twitter->hand != NULL
               ? hand_run_post(twitter->hand, call)
               : twitter->api->answer(twitter->bot, call, twitter->api->words(twitter->bot, "not-by-hand", NULL));
}

static int run_posted(void *state, const struct hr_call *call)
{
    struct twitter *twitter = state;
    return twitter->hand != NULL
               ? hand_run_posted(twitter->hand, call)
               : twitter->api->answer(twitter->bot, call, twitter->api->words(twitter->bot, "not-by-hand", NULL));
}

static void report(void *state, struct hr_out *out)
{
    struct twitter *twitter = state;
    if (twitter->mode == MODE_FEED) {
        twitter->api->out(out, "A file plays Twitter: %zu of its %zu posts are still to come.\n",
                          feed_left(twitter->feed), feed_count(twitter->feed));
        return;
    }
    if (twitter->trial != NULL) {
        trial_report(twitter->trial, out);
        return;
    }
    if (twitter->mode == MODE_API) {
        watch_report(twitter->watch, out);
        if (twitter->deletions != NULL) {
            deletions_report(twitter->deletions, out);
        }
        account_report(twitter->account, out);
        budget_report(twitter->budget, out);
        return;
    }
    size_t waiting = hand_waiting(twitter->hand);
    twitter->api->out(out, waiting == 0 ? "Posts on Twitter are made by hand. Nothing waits.\n"
                                        : "A text waits to be posted on Twitter by hand. To see it, type !post\n");
}

static const struct hr_command commands[] = {
    {.name = "post",
     .usage = "",
     .help = "Shows the text that waits to be posted on Twitter by hand.",
     .example = "!post",
     .permission = "chat.run",
     .flags = HR_CMD_NO_CHAT,
     .run = run_post},
    {.name = "posted",
     .usage = "LINK",
     .help = "Tells the bot the link of what you posted on Twitter.",
     .example = "!posted https://x.com/dpulochat/status/2105009737002090497",
     .permission = "chat.run",
     .flags = HR_CMD_NO_CHAT,
     .run = run_posted},
    {0},
};

static int run_login(void *state, int argc, const char *const *argv, struct hr_out *out)
{
    struct twitter *twitter = state;
    if (twitter->login == NULL) {
        twitter->api->out(out, "This account needs no login. To use one, write client_id and client_secret_file into "
                               "plugins/twitter.conf instead of the four key files.\n");
        return HR_EINVAL;
    }
    return login_run(twitter->login, argc, argv, out);
}

static const struct hr_tool tools[] = {
    {"twitter-login", "", "Logs the bot in at Twitter by your browser, where client_id is set.", run_login},
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
    .flags = HR_NET_SAME_TXN,
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
    .tools = tools,
};
