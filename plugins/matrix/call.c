/* SPDX-License-Identifier: MIT */
/* One request to the homeserver. */
#include "call.h"

#include "login.h"
#include "scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WAIT_MS = 600000, MAX_WORDS = 160 };

struct call {
    struct matrix *mx;
    call_fn *fn;
    void (*drop)(void *arg);
    void *arg;
    struct hr_request *request;
    unsigned login_no;
    bool raw, no_token;
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
    free(call);
}

const char *call_encode(struct matrix *mx, const char *text)
{
    struct mem_buf buf = {.max = 64 * 1024};
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        char hex[4];
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                     strchr("-._~", *p) != NULL;
        int len = plain ? snprintf(hex, sizeof(hex), "%c", *p) : snprintf(hex, sizeof(hex), "%%%02X", *p);
        mem_add(&buf, hex, (size_t)len);
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

static void judge(struct matrix *mx, const struct hr_reply *reply, struct call_reply *out)
{
    const char *text = scan_text(out->json, "error"), *errcode = scan_text(out->json, "errcode");
    out->errcode = errcode != NULL ? tame(mx, errcode) : "";
    out->words = "";
    if (reply->status != HR_OK) {
        out->status = reply->status;
        out->words = reply->error != NULL && reply->error[0] != '\0' ? reply->error : "no answer";
    } else if (reply->code >= 200 && reply->code < 300) {
        out->status = HR_OK;
    } else {
        bool again = reply->code >= 500 || reply->code == 429 || reply->code == 408 ||
                     (reply->code == 401 && strcmp(out->errcode, "M_UNKNOWN_TOKEN") == 0);
        out->status = again ? HR_ERETRY : HR_EFAIL;
        out->words =
            mx->api->print(mx->bot, "the server answered %d%s%s%s%s", reply->code, out->errcode[0] != '\0' ? " " : "",
                           out->errcode, text != NULL ? ": " : "", tame(mx, text));
    }
}

static void on_reply(void *arg, const struct hr_reply *reply)
{
    struct call call = *(struct call *)arg;
    struct matrix *mx = call.mx;
    char err[120];
    json_t *json = NULL;
    call_free(arg);
    if (reply->status == HR_OK && reply->body_len > 0 && (!call.raw || reply->code >= 400)) {
        json = scan_load((struct scan){reply->body, reply->body_len}, err, sizeof(err));
    }
    struct call_reply out = {.code = reply->code,
                             .json = json,
                             .body = reply->body,
                             .body_len = reply->body_len,
                             .sent = reply->sent,
                             .retry_ms = wait_of(reply, json)};
    judge(mx, reply, &out);
    if (reply->code == 401 && !call.no_token && call.login_no == mx->login_no &&
        strcmp(out.errcode, "M_UNKNOWN_TOKEN") == 0) {
        login_lost(mx, json_is_true(json_object_get(json, "soft_logout")));
    }
    call.fn(mx, call.arg, &out);
    json_decref(json);
}

int call_start(struct matrix *mx, const struct call_request *request, call_fn *fn, void (*drop)(void *arg), void *arg)
{
    const char *headers[4] = {"Accept: application/json"};
    size_t count = 1;
    if (request->body != NULL) {
        headers[count++] = "Content-Type: application/json";
    }
    if (!request->no_token) {
        headers[count++] = mx->api->print(mx->bot, "Authorization: Bearer %s", mx->token != NULL ? mx->token : "");
    }
    const char *ca_file = mx->api->option(mx->bot, "ca_file")->str;
    struct hr_http http = {
        .size = sizeof(http),
        .method = request->method,
        .url = mx->api->print(mx->bot, "%s%s", mx->homeserver, request->path),
        .headers = headers,
        .body = request->body,
        .body_len = request->body != NULL ? strlen(request->body) : 0,
        .max_reply_bytes = request->max_bytes,
        .timeout_ms = request->timeout_ms,
        .stall_ms = request->timeout_ms, /* a long poll is silent on purpose */
        .ca_file = ca_file[0] != '\0' ? ca_file : NULL,
    };
    struct call *call = mem_new(sizeof(*call));
    *call = (struct call){.mx = mx,
                          .fn = fn,
                          .drop = drop,
                          .arg = arg,
                          .login_no = mx->login_no,
                          .raw = request->raw,
                          .no_token = request->no_token,
                          .handle = request->handle};
    call->next = mx->calls;
    call->link = &mx->calls;
    if (call->next != NULL) {
        call->next->link = &call->next;
    }
    mx->calls = call;
    int rc = mx->net->http(mx->bot, &http, on_reply, call, &call->request);
    if (rc < 0) {
        call_free(call);
        mx->calls_refused++;
    } else if (call->handle != NULL) {
        *call->handle = call;
    }
    return rc;
}

void call_cancel(struct call *call)
{
    if (call == NULL) {
        return;
    }
    call->mx->net->http_cancel(call->request);
    if (call->drop != NULL) {
        call->drop(call->arg);
    }
    call_free(call);
}

void call_stop_all(struct matrix *mx)
{
    while (mx->calls != NULL) {
        call_cancel(mx->calls);
    }
}
