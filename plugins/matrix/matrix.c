/* SPDX-License-Identifier: MIT */
/* The matrix plugin: what it declares, start and stop, its lines for !status. */
#include "matrix.h"

#include "account.h"
#include "batch.h"
#include "budget.h"
#include "call.h"
#include "check.h"
#include "consent.h"
#include "discover.h"
#include "doubt.h"
#include "e2ee/e2ee.h"
#include "e2ee/recovery.h"
#include "e2ee/verify.h"
#include "e2ee/verify_chat.h"
#include "invite.h"
#include "login.h"
#include "media.h"
#include "render.h"
#include "room.h"
#include "schema.h"
#include "send.h"
#include "sync.h"
#include "texts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct hr_option options[] = {
    {"homeserver", HR_STR, "", 0, 0,
     "Address of the homeserver, or a server name that leads to it. Without it the name in the user id does.",
     "https://matrix.example.org"},
    {"user", HR_STR, NULL, 0, 0, "The bot's own user id. Make an account for it as for a person.", "@bot:example.org"},
    {"password_file", HR_SECRET, "", 0, 0,
     "File with the account's password, readable for the bot alone. Give this or token_file.",
     "/etc/hashroom/matrix.password"},
    {"token_file", HR_SECRET, "", 0, 0, "File with an access token of the account. Give this or password_file.", ""},
    {"ca_file", HR_STR, "", 0, 0,
     "File with the certificate authority of the homeserver and of the name that leads to it, if it is not a public "
     "one.",
     ""},
    {"device_name", HR_STR, "hashroom", 0, 0, "Name of the bot's session, as people see it in its profile.", NULL},
    {"strict", HR_BOOL, "no", 0, 0,
     "In encrypted rooms: give no keys to devices their owner has not signed, and do not read what they say.", NULL},
    {"invite_from", HR_LIST, "", 0, 0,
     "User ids or server names whose invites are accepted, besides those of people in the chat's rooms.", ""},
    {"media", HR_STR, "nobody", 0, 0,
     "Whose pictures and files are carried to the chat's other rooms: nobody, roles (who has a role here or power 50 "
     "in "
     "the room), known (also who first spoke a day ago), everyone. Other Matrix rooms get the picture; elsewhere a "
     "link is said, if hashroom.conf has a section pages.",
     "roles"},
    {"media_keep", HR_DURATION, "7d", 3600000, 2592000000, "How long such a link works.", NULL},
    {"media_max_mb", HR_INT, "20", 1, 50, "The largest picture or file that is carried, in megabytes.", NULL},
    {"max_private", HR_INT, "50", 0, 400, "How many private conversations may be open at once.", NULL},
    {"rate_ms", HR_INT, "5000", 0, 3600000,
     "Milliseconds for each message the account may send in the long run (Synapse as installed: 5000); 0: no limit.",
     NULL},
    {"burst", HR_INT, "10", 0, 100000, "Messages that may go at once after a quiet time; 0: no limit.", NULL},
    {0},
};

/* ---- helpers of all files ------------------------------------------------------------ */

void matrix_error(struct matrix *mx, const char *fmt, ...)
{
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    mem_set(&mx->last_error, text);
    mx->api->log(mx->bot, HR_WARN, "%s", text);
}

char *matrix_trim(const char *text)
{
    text = text != NULL ? text : "";
    text += strspn(text, " \t\r\n");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL) {
        len--;
    }
    return mem_copy(text, len);
}

static const int64_t LONGEST_BACKOFF_MS = 24000;

int64_t matrix_backoff_ms(struct matrix *mx, unsigned tries)
{
    uint16_t dice = 0x7FFF;
    int64_t base = 1000LL << (tries > 4 ? 4 : tries); /* LONGEST_BACKOFF_MS: rooms wait for it after an outage */
    (void)mx->api->random(mx->bot, &dice, sizeof(dice));
    return base / 2 + base * dice / 0xFFFF;
}

const char *matrix_next_try(struct matrix *mx, int64_t wait_ms)
{
    int minutes = (int)((wait_ms + 59999) / 60000);
    return wait_ms <= LONGEST_BACKOFF_MS ? "it is tried again within half a minute"
           : minutes <= 1                ? "it is tried again in a minute"
                                         : mx->api->print(mx->bot, "it is tried again in %d minutes", minutes);
}

const char *matrix_server(const char *id)
{
    const char *colon = id != NULL ? strchr(id, ':') : NULL;
    return colon != NULL ? colon + 1 : "";
}

const char *matrix_column(const struct hr_value *column)
{
    return column->type == HR_NULL ? NULL : column->str;
}

void matrix_down(struct matrix *mx, const char *reason)
{
    if (mx->up || mx->reason == NULL || strcmp(mx->reason, reason) != 0) {
        mem_set(&mx->reason, reason);
        mx->up = false;
        mx->net->down(mx->bot, NULL, reason);
    }
}

/* ---- life ------------------------------------------------------------------------------- */

static void stop(void *state)
{
    struct matrix *mx = state;
    sync_stop(mx);
    doubt_stop_all(mx);
    call_stop_all(mx);
    e2ee_stop(mx);
    invite_free_all(mx);
    room_free_all(mx);
    free(mx->name);
    free(mx->homeserver);
    free(mx->server_name);
    free(mx->user);
    free(mx->token);
    free(mx->refresh);
    free(mx->device);
    free(mx->since);
    free(mx->reason);
    free(mx->last_error);
    free(mx);
}

static int start(struct hr_bot *bot, const struct hr_api *api, void **state)
{
    struct matrix *mx = mem_new(sizeof(*mx));
    int64_t rate_ms = api->option(bot, "rate_ms")->num, burst = api->option(bot, "burst")->num;
    *mx = (struct matrix){
        .bot = bot,
        .api = api,
        .net = api->net,
        .name = mem_dup(api->instance(bot)),
        .user = matrix_trim(api->option(bot, "user")->str),
        .rate_set = rate_ms > 0 ? 1000.0 / (double)rate_ms : MATRIX_NO_LIMIT,
        .burst_set = burst > 0 ? (double)burst : MATRIX_NO_LIMIT,
    };
    int rc = budget_start(mx);
    rc = rc < 0 ? rc : room_load(mx);
    rc = rc < 0 ? rc : invite_load(mx);
    rc = rc < 0 ? rc : e2ee_start(mx);
    rc = rc < 0 ? rc : media_start(mx);
    rc = rc < 0 ? rc : account_start(mx);
    rc = rc < 0 ? rc : discover_start(mx);
    if (rc < 0) {
        stop(mx);
        return rc;
    }
    *state = mx;
    return HR_OK;
}

static void report(void *state, struct hr_out *out)
{
    struct matrix *mx = state;
    size_t up = 0;
    for (size_t i = 0; i < mx->room_count; i++) {
        up += mx->room[i]->up;
    }
    if (mx->up) {
        mx->api->out(out, "Matrix: %zu of %zu rooms are ready.\n", up, mx->room_count);
    } else {
        mx->api->out(out, "Matrix is not connected: %s.\n", mx->reason != NULL ? mx->reason : "starting");
    }
    budget_report(mx, out);
    for (size_t i = 0; i < mx->room_count; i++) {
        if (!mx->room[i]->up && mx->room[i]->reason != NULL && !mx->room[i]->private) {
            mx->api->out(out, "Room %s: %s.\n", mx->room[i]->address, mx->room[i]->reason);
        }
    }
    e2ee_report(mx, out);
    if (mx->last_error != NULL) {
        mx->api->out(out, "Last problem: %s.\n", mx->last_error);
    }
}

static const struct hr_command commands[] = {
    {"bridge", NULL, "encrypted yes|no",
     "Says whether what is said in an encrypted Matrix room may be carried to the chat's other rooms.",
     "!bridge encrypted yes", "chat.run", HR_CMD_HOSTS, consent_command},
    {"verify", NULL, "[yes|no]",
     "Shows what a person who verifies me on Matrix must see, and takes your answer. By encrypted private message.",
     "!verify", "bot.operate", HR_CMD_NO_CHAT, verify_chat_command},
    {0},
};

static const struct hr_tool tools[] = {
    {"verify", "[yes | no | accept USER]",
     "Shows the emoji and numbers of a person who verifies the bot, and takes the answer whether they see the same.",
     verify_tool},
    {"recovery-key", "[new | use]",
     "Shows the recovery key of the bot's Matrix account, once; makes a new one; or gives the bot its identity back.",
     recovery_tool},
    {0},
};

static const struct hr_network network = {
    .size = sizeof(network),
    .service = "Matrix",
    .scope = "matrix",
    .room_flags = HR_ROOM_PEOPLE,
    .limits = {.size = sizeof(struct hr_limits), .rate = 0.2, .burst = 10, .window = 1, .window_all = 8},
    .check_room = check_room,
    .render = render_delivery,
    .send = send_part,
    .farewell = login_farewell,
    .flags = HR_NET_SAME_TXN | HR_NET_MERGE,
};

const struct hr_plugin hashroom_plugin = {
    HR_PLUGIN_HEADER,      .name = "matrix",
    .version = "0.1.0",    .help = "Rooms on a Matrix homeserver, as an ordinary user of it.",
    .options = options,    .commands = commands,
    .texts = matrix_texts, .schema = matrix_schema,
    .network = &network,   .check = check_options,
    .start = start,        .stop = stop,
    .report = report,      .tools = tools,
};
