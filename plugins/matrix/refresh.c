/* SPDX-License-Identifier: MIT */
/* A token that ends and is renewed. */
#include "refresh.h"

#include "call.h"
#include "login.h"
#include "scan.h"

#include <stdlib.h>
#include <string.h>

static const int64_t MARGIN_MS = 60000; /* before its end, but at most a fifth of its life */
static const int64_t LONGEST_MS = 7LL * 24 * 3600 * 1000;

static void ask(struct matrix *mx);

static void on_timer(void *arg)
{
    struct matrix *mx = arg;
    mx->refresh_timer = NULL;
    if (mx->renewing) {
        ask(mx);
    } else {
        refresh_now(mx);
    }
}

static void later(struct matrix *mx, int64_t wait_ms)
{
    mx->api->timer_stop(mx->refresh_timer);
    mx->refresh_timer = NULL;
    if (mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, mx, &mx->refresh_timer) < 0) {
        matrix_error(mx, "no timer to be had: the token is renewed when the server refuses it");
    }
}

static void failed(struct matrix *mx, const struct call_reply *reply)
{
    int64_t wait_ms = matrix_backoff_ms(mx, mx->refresh_tries++);
    const char *words = mx->api->print(mx->bot, "the session could not be renewed: %s",
                                       reply->words[0] != '\0' ? reply->words : "the answer can't be read");
    wait_ms = reply->retry_ms > wait_ms ? reply->retry_ms : wait_ms;
    later(mx, wait_ms);
    if (mx->api->wall_ms(mx->bot) < mx->expires_ms) { /* the token still lives: go on with it */
        mx->renewing = false;
        call_resume_held(mx);
    } else {
        call_fail_held(mx, words);
    }
}

static void on_answer(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    (void)arg;
    const char *token = scan_text(reply->json, "access_token"), *refresh = scan_text(reply->json, "refresh_token");
    if (!mx->renewing) {
        return; /* the session has ended meanwhile */
    }
    /* Synapse 1.160: 401 for a token it does not know, 403 for one that was used up. */
    bool unknown = strcmp(reply->errcode, "M_UNKNOWN_TOKEN") == 0;
    if (reply->status == HR_EFAIL || unknown) {
        login_lost(mx, !unknown || json_is_true(json_object_get(reply->json, "soft_logout")));
        return;
    }
    if (reply->status != HR_OK || token == NULL || token[0] == '\0') {
        failed(mx, reply);
        return;
    }
    mx->renewing = false;
    mx->refresh_tries = 0;
    login_take_tokens(mx, token, refresh != NULL ? refresh : mx->refresh,
                      json_object_get(reply->json, "expires_in_ms"));
    mx->api->log(mx->bot, HR_DEBUG, "the session was renewed");
    call_resume_held(mx);
}

static void ask(struct matrix *mx)
{
    json_t *body = json_pack("{s:s}", "refresh_token", mx->refresh);
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    struct call_request request = {
        .method = "POST", .path = "/_matrix/client/v3/refresh", .body = text, .no_token = true, .handle = &mx->renewal};
    json_decref(body);
    if (text == NULL || call_start(mx, &request, on_answer, NULL, NULL) < 0) {
        failed(mx, &(struct call_reply){.words = "the request could not be made", .retry_ms = -1});
    }
    free(text);
}

void refresh_now(struct matrix *mx)
{
    if (mx->renewing || mx->refresh == NULL) {
        return;
    }
    mx->renewing = true;
    mx->api->timer_stop(mx->refresh_timer);
    mx->refresh_timer = NULL;
    ask(mx);
}

void refresh_plan(struct matrix *mx)
{
    mx->api->timer_stop(mx->refresh_timer);
    mx->refresh_timer = NULL;
    if (mx->refresh == NULL || mx->expires_ms == 0) {
        return;
    }
    int64_t left_ms = mx->expires_ms - mx->api->wall_ms(mx->bot);
    int64_t margin_ms = left_ms / 5 < MARGIN_MS ? left_ms / 5 : MARGIN_MS;
    if (left_ms <= 0) {
        refresh_now(mx);
        return;
    }
    left_ms -= margin_ms;
    later(mx, left_ms < LONGEST_MS ? left_ms : LONGEST_MS);
}

void refresh_stop(struct matrix *mx)
{
    mx->api->timer_stop(mx->refresh_timer);
    mx->refresh_timer = NULL;
    call_cancel(mx->renewal);
    mx->renewing = false;
    mx->refresh_tries = 0;
    mx->expires_ms = 0;
    mem_set(&mx->refresh, NULL);
    call_fail_held(mx, "the server ended the session");
}
