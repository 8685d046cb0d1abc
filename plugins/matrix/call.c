/* SPDX-License-Identifier: MIT */
/* One request to the homeserver. */
#include "call.h"

#include "login.h"
#include "refresh.h"
#include "scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WAIT_MS = 600000, MAX_WORDS = 160, MAX_TOKENS = 3, LOCKED_MS = 300000 };

struct call {
    struct matrix *mx;
    call_fn *fn;
    void (*drop)(void *arg);
    void *arg;
    const char *method;
    char *path, *body; /* own: it may go again with a newer token */
    size_t body_len;
    const char *type;
    size_t max_bytes;
    int64_t timeout_ms;
    struct hr_request *request; /* NULL while it waits for a token */
    unsigned login_no, tokens;  /* tokens: how many were refused */
    bool raw, no_token;
    bool held, failing; /* waits for a new token; there is none to be had */
    struct call **handle;
    struct call *next, **link;
};

static void call_free(struct call *call)
{
    if (call->handle != NULL) {
        *call->handle = NULL;
    }
    *call->link = call->next;
    if (call->next != NULL) {
        call->next->link = call->link;
    }
    free(call->path);
    free(call->body);
    free(call);
}

const char *call_encode(struct matrix *mx, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    struct mem_buf buf = {.max = 64 * 1024};
    const unsigned char *p = (const unsigned char *)text;
    while (*p != '\0') {
        const unsigned char *start = p;
        while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '-' ||
               *p == '.' || *p == '_' || *p == '~') {
            p++;
        }
        if (p > start) {
            mem_add(&buf, (const char *)start, (size_t)(p - start));
        }
        if (*p != '\0') {
            const char hex[] = {'%', digits[*p >> 4], digits[*p & 15]};
            mem_add(&buf, hex, sizeof(hex));
            p++;
        }
    }
    const char *encoded = mx->api->print(mx->bot, "%s", mem_text(&buf));
    mem_clear(&buf);
    return encoded;
}

/* The server's words may come from anybody: short, and printable only. */
static const char *tame(struct matrix *mx, const char *text)
{
    char out[MAX_WORDS + 1];
    size_t len = 0;
    for (; text != NULL && *text != '\0' && len < MAX_WORDS; text++) {
        out[len++] = *text >= ' ' && *text < 0x7F ? *text : '?';
    }
    out[len] = '\0';
    return mx->api->print(mx->bot, "%s", out);
}

static int64_t wait_of(const struct hr_reply *reply, const json_t *json)
{
    const json_t *fine = json_object_get(json, "retry_after_ms");
    int64_t ms = json_is_integer(fine) ? (int64_t)json_integer_value(fine) : reply->retry_ms;
    if (ms < 0) {
        return -1;
    }
    return ms > MAX_WAIT_MS ? MAX_WAIT_MS : ms;
}

/* A proxy in front of the server answers in HTML while that is away: no verdict of the server. */
static bool is_worth_another(const struct call_reply *out)
{
    static const char *const waits[] = {"M_USER_LOCKED", "M_USER_SUSPENDED"};
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        if (strcmp(out->errcode, waits[i]) == 0) {
            return true;
        }
    }
    return out->code >= 500 || out->code == 429 || out->code == 408 || (out->json == NULL && out->code != 413) ||
           (out->code == 401 && strcmp(out->errcode, "M_UNKNOWN_TOKEN") == 0);
}

static void judge(struct matrix *mx, const struct hr_reply *reply, struct call_reply *out)
{
    const char *text = scan_text(out->json, "error"), *errcode = scan_text(out->json, "errcode");
    out->errcode = errcode != NULL ? tame(mx, errcode) : "";
    out->words = "";
    if (reply->status != HR_OK) {
        out->status = reply->status;
        out->words = reply->error != NULL && reply->error[0] != '\0' ? reply->error : "no answer";
        return;
    }
    if (reply->code >= 200 && reply->code < 300) {
        out->status = HR_OK;
        return;
    }
    out->status = is_worth_another(out) ? HR_ERETRY : HR_EFAIL;
    out->words =
        mx->api->print(mx->bot, "the server answered %d%s%s%s%s", reply->code, out->errcode[0] != '\0' ? " " : "",
                       out->errcode, text != NULL ? ": " : "", tame(mx, text));
    if (call_is_locked(out)) {
        out->retry_ms = out->retry_ms > LOCKED_MS ? out->retry_ms : LOCKED_MS;
        const char *what = strcmp(out->errcode, "M_USER_LOCKED") == 0
                               ? "an administrator of the server has locked the account"
                               : "an administrator of the server has suspended the account";
        out->words = mx->api->print(mx->bot, "%s %s", what, mx->user);
    }
}

bool call_is_locked(const struct call_reply *reply)
{
    return strcmp(reply->errcode, "M_USER_LOCKED") == 0 || strcmp(reply->errcode, "M_USER_SUSPENDED") == 0;
}

static int launch(struct call *call);

/* The token was refused: true if the request goes again with another one. */
static bool goes_again(struct call *call, bool soft)
{
    struct matrix *mx = call->mx;
    bool newer = call->login_no != mx->login_no; /* than the one it went out with */
    if (mx->token == NULL || ++call->tokens >= MAX_TOKENS || !(newer || (soft && mx->refresh != NULL))) {
        return false;
    }
    if (newer && !mx->renewing) {
        return launch(call) == HR_OK;
    }
    call->held = true;
    refresh_now(mx);
    return true;
}

static void on_reply(void *arg, const struct hr_reply *reply)
{
    struct call *call = arg;
    struct matrix *mx = call->mx;
    enum { NOT_LOST, LOST, LOST_SOFT } lost = NOT_LOST;
    char err[120];
    json_t *json = NULL;
    call->request = NULL;
    if (reply->status == HR_OK && reply->body_len > 0 && (!call->raw || reply->code >= 400)) {
        json = scan_load((struct scan){reply->body, reply->body_len}, err, sizeof(err));
    }
    struct call_reply out = {.code = reply->code,
                             .json = json,
                             .body = reply->body,
                             .body_len = reply->body_len,
                             .headers = reply->headers,
                             .sent = reply->sent,
                             .retry_ms = wait_of(reply, json)};
    judge(mx, reply, &out);
    if (reply->code == 401 && !call->no_token && strcmp(out.errcode, "M_UNKNOWN_TOKEN") == 0) {
        bool soft = json_is_true(json_object_get(json, "soft_logout")), known = call->login_no == mx->login_no;
        if (goes_again(call, soft)) {
            json_decref(json);
            return;
        }
        lost = known ? (soft ? LOST_SOFT : LOST) : NOT_LOST;
    }
    call_fn *fn = call->fn;
    void *own = call->arg;
    call_free(call); /* what ends the session cancels all others */
    if (lost != NOT_LOST) {
        login_lost(mx, lost == LOST_SOFT);
    }
    fn(mx, own, &out);
    json_decref(json);
}

static int launch(struct call *call)
{
    struct matrix *mx = call->mx;
    const char *headers[4] = {"Accept: application/json"};
    size_t count = 1;
    if (call->body != NULL) {
        headers[count++] = mx->api->print(mx->bot, "Content-Type: %s", call->type);
    }
    if (!call->no_token) {
        headers[count++] = mx->api->print(mx->bot, "Authorization: Bearer %s", mx->token != NULL ? mx->token : "");
    }
    const char *ca_file = mx->api->option(mx->bot, "ca_file")->str;
    struct hr_http http = {
        .size = sizeof(http),
        .method = call->method,
        .url = call->path[0] == '/' ? mx->api->print(mx->bot, "%s%s", mx->homeserver, call->path) : call->path,
        .headers = headers,
        .body = call->body,
        .body_len = call->body_len,
        .max_reply_bytes = call->max_bytes,
        .timeout_ms = call->timeout_ms,
        .stall_ms = call->timeout_ms, /* a long poll is silent on purpose */
        .ca_file = ca_file[0] != '\0' ? ca_file : NULL,
    };
    call->held = false;
    call->login_no = mx->login_no;
    return mx->net->http(mx->bot, &http, on_reply, call, &call->request);
}

int call_start(struct matrix *mx, const struct call_request *request, call_fn *fn, void (*drop)(void *arg), void *arg)
{
    struct call *call = mem_new(sizeof(*call));
    *call = (struct call){.mx = mx,
                          .fn = fn,
                          .drop = drop,
                          .arg = arg,
                          .method = request->method,
                          .path = mem_dup(request->path),
                          .body_len = request->type != NULL   ? request->body_len
                                      : request->body != NULL ? strlen(request->body)
                                                              : 0,
                          .type = request->type != NULL ? request->type : "application/json",
                          .max_bytes = request->max_bytes,
                          .timeout_ms = request->timeout_ms,
                          .raw = request->raw,
                          .no_token = request->no_token,
                          .handle = request->handle};
    call->body = request->body != NULL ? mem_copy(request->body, call->body_len) : NULL;
    call->next = mx->calls;
    call->link = &mx->calls;
    if (call->next != NULL) {
        call->next->link = &call->next;
    }
    mx->calls = call;
    call->held = mx->renewing && !call->no_token;
    int rc = call->held ? HR_OK : launch(call);
    if (rc < 0) {
        call->handle = NULL;
        call_free(call);
        mx->calls_refused++;
    } else if (call->handle != NULL) {
        *call->handle = call;
    }
    return rc;
}

/* ---- those that wait for a token ------------------------------------------------------ */

static struct call *failing(struct matrix *mx)
{
    struct call *call = mx->calls;
    while (call != NULL && !call->failing) {
        call = call->next;
    }
    return call;
}

void call_fail_held(struct matrix *mx, const char *words)
{
    struct call_reply reply = {.status = HR_ERETRY, .errcode = "", .words = words, .retry_ms = -1, .headers = ""};
    struct call *call;
    for (call = mx->calls; call != NULL; call = call->next) {
        call->failing = call->held; /* what is asked for in a callback below waits anew */
    }
    while ((call = failing(mx)) != NULL) {
        call_fn *fn = call->fn;
        void *arg = call->arg;
        call_free(call);
        fn(mx, arg, &reply);
    }
}

void call_resume_held(struct matrix *mx)
{
    bool failed = false;
    for (struct call *call = mx->calls; call != NULL; call = call->next) {
        if (call->held && launch(call) < 0) {
            call->held = failed = true;
        }
    }
    if (failed) {
        call_fail_held(mx, "the request could not be made");
    }
}

void call_cancel(struct call *call)
{
    if (call == NULL) {
        return;
    }
    if (call->request != NULL) {
        call->mx->net->http_cancel(call->request);
        if (call->handle != NULL) { /* may stand in what drop() frees */
            *call->handle = NULL;
            call->handle = NULL;
        }
    }
    void (*drop)(void *) = call->drop;
    void *arg = call->arg;
    call_free(call); /* first: the handle may stand in what drop() frees */
    if (drop != NULL) {
        drop(arg);
    }
}

void call_stop_all(struct matrix *mx)
{
    while (mx->calls != NULL) {
        call_cancel(mx->calls);
    }
}
