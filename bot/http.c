/* SPDX-License-Identifier: MIT */
/* One curl multi handle on the loop; life and end of a request. */
#include "http.h"
#include "config.h"
#include "http_request.h"
#include "instance.h"
#include "log.h"
#include "turn.h"
#include "xalloc.h"
#include <utlist.h>

struct http {
    struct app *app;
    CURLM *multi;
    uv_timer_t curl_timer;  /* as curl asks */
    uv_timer_t later_timer; /* something is ready that no action of curl will bring out */
    uv_timer_t stall_timer;
    int handles;
    bool in_timer;
    struct hr_request *all, *ready;
};

struct watch { /* one socket of curl */
    uv_poll_t poll;
    curl_socket_t fd;
    struct http *http;
};

static void act(struct http *http, curl_socket_t fd, int flags);

/* ---- curl on the loop ---------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;

    flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    act(watch->http, watch->fd, flags);
}

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct http *http = arg;
    struct watch *watch = known;
    int result, events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
            curl_multi_assign(http->multi, fd, NULL);
        }
        return 0;
    }
    if (!watch) {
        watch = xcalloc(1, sizeof(*watch));
        watch->http = http;
        watch->fd = fd;
        watch->poll.data = watch;
        if ((result = uv_poll_init_socket(http->app->loop, &watch->poll, fd)) < 0) {
            log_line(HR_ERROR, NULL, "can't watch a connection: %s; its request fails at its timeout",
                     uv_strerror(result));
            free(watch);
            return 0;
        }
        curl_multi_assign(http->multi, fd, watch);
    }
    events |= what & CURL_POLL_IN ? UV_READABLE : 0;
    events |= what & CURL_POLL_OUT ? UV_WRITABLE : 0;
    uv_poll_start(&watch->poll, events, on_poll);
    return 0;
}

static void on_curl_timer(uv_timer_t *timer)
{
    struct http *http = timer->data;

    http->in_timer = true;
    act(http, CURL_SOCKET_TIMEOUT, 0);
    http->in_timer = false;
}

static int on_curl_timeout(CURLM *multi, long timeout_ms, void *arg)
{
    struct http *http = arg;

    (void)multi;
    if (timeout_ms < 0) {
        uv_timer_stop(&http->curl_timer);
        return 0;
    }
    /* 0 inside the timer's own callback would run it again without polling. */
    uv_update_time(http->app->loop);
    uv_timer_start(&http->curl_timer, on_curl_timer, timeout_ms == 0 && http->in_timer ? 1 : (uint64_t)timeout_ms, 0);
    return 0;
}

/* ---- telling the owners ---------------------------------------------------------- */

static void request_free(struct hr_request *request)
{
    if (request->state == HTTP_GONE && !request->queued && !request->busy) {
        http_request_clear(request);
        free(request);
    }
}

static void request_gone(struct hr_request *request)
{
    struct http *http = request->http;

    request->state = HTTP_GONE;
    DL_DELETE(request->owner->requests, request);
    DL_DELETE2(http->all, request, all_prev, all_next);
    if (request->ready) {
        DL_DELETE2(http->ready, request, ready_prev, ready_next);
        request->ready = false;
    }
}

static void on_later(uv_timer_t *timer);

void http_ready(struct hr_request *request)
{
    struct http *http = request->http;

    if (!request->ready) {
        request->ready = true;
        DL_APPEND2(http->ready, request, ready_prev, ready_next);
    }
    if (!uv_is_active((uv_handle_t *)&http->later_timer)) {
        uv_timer_start(&http->later_timer, on_later, 0, 0);
    }
}

static void tell_opened(struct hr_request *request)
{
    struct hr_bot *owner = request->owner;

    request->opened_due = false;
    if (request->in.opened) {
        instance_enter(owner);
        request->in.opened(request->arg);
        instance_leave(owner, HR_OK);
    }
}

static void tell_data(struct hr_request *request)
{
    struct hr_bot *owner = request->owner;
    size_t done = 0;

    while (done < request->body.len && request->state != HTTP_GONE) {
        size_t left = request->body.len - done, len = left < HTTP_CHUNK_BYTES ? left : HTTP_CHUNK_BYTES;
        int status;

        instance_enter(owner);
        status = request->in.data(request->arg, request->body.ptr + done, len);
        instance_leave(owner, status);
        done += len;
        if (status < 0) {
            http_cancel(request);
        }
    }
    buf_reset(&request->body);
}

static void tell_done(struct hr_request *request)
{
    struct hr_bot *owner = request->owner;
    struct hr_reply reply = {
        .status = request->status,
        .code = request->code,
        .body = buf_str(&request->body),
        .body_len = request->body.len,
        .retry_ms = request->retry_ms,
        .headers = buf_str(&request->head),
        .error = request->error,
        .sent = request->tries > 0,
    };

    if (request->status != HR_OK) {
        reply.body = "";
        reply.body_len = 0;
    }
    request_gone(request); /* before the call: a cancel inside it finds nothing to do */
    instance_enter(owner);
    request->fn(request->arg, &reply);
    instance_leave(owner, HR_OK);
}

static void tell(struct hr_request *request)
{
    request->busy = true;
    if (request->opened_due) {
        tell_opened(request);
    }
    if (request->streaming && request->state != HTTP_GONE) {
        tell_data(request);
    }
    if (request->state == HTTP_DONE) {
        tell_done(request);
    }
    request->busy = false;
    request_free(request);
}

/* ---- transfers that end ------------------------------------------------------------ */

static void request_leave_multi(struct hr_request *request)
{
    if (request->easy) {
        curl_multi_remove_handle(request->http->multi, request->easy);
    }
}

static void request_finish(struct hr_request *request, CURLcode result)
{
    request_leave_multi(request);
    if (result == CURLE_OK && request->status == HR_OK && http_request_redirect(request) &&
        curl_multi_add_handle(request->http->multi, request->easy) == CURLM_OK) {
        return;
    }
    http_request_result(request, result);
    http_ready(request);
}

static void drain(struct http *http)
{
    struct hr_request *request;
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(http->multi, &left))) {
        CURLcode result = message->data.result;

        if (message->msg == CURLMSG_DONE) {
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
            request_finish(request, result); /* `message` is gone from here on */
        }
    }
    while ((request = http->ready)) {
        DL_DELETE2(http->ready, request, ready_prev, ready_next);
        request->ready = false;
        tell(request);
    }
}

static void act(struct http *http, curl_socket_t fd, int flags)
{
    int running;

    curl_multi_socket_action(http->multi, fd, flags, &running);
    drain(http); /* after every action: waiting for `running` to fall loses transfers */
}

static void on_later(uv_timer_t *timer)
{
    drain(timer->data);
}

static void on_stall(uv_timer_t *timer)
{
    struct http *http = timer->data;
    struct hr_request *request, *next;
    int64_t now_ms = clock_monotonic_ms(), first_ms = INT64_MAX;

    DL_FOREACH_SAFE2(http->all, request, next, all_next)
    {
        int64_t left_ms;

        if (request->state != HTTP_RUNNING || request->last_ms == 0) {
            continue;
        }
        left_ms = request->last_ms + http_request_stall_ms(request) - now_ms;
        if (left_ms <= 0) {
            http_request_fail(request, HR_ERETRY, "no byte came for %lld s",
                              (long long)((http_request_stall_ms(request) + 999) / 1000));
            request_finish(request, CURLE_OPERATION_TIMEDOUT);
        } else if (left_ms < first_ms) {
            first_ms = left_ms;
        }
    }
    if (first_ms != INT64_MAX) {
        http_watch_stall(http, first_ms);
    }
}

void http_watch_stall(struct http *http, int64_t stall_ms)
{
    bool active = uv_is_active((uv_handle_t *)&http->stall_timer);

    if (!active || (int64_t)uv_timer_get_due_in(&http->stall_timer) > stall_ms) {
        uv_timer_start(&http->stall_timer, on_stall, stall_ms < 1 ? 1 : (uint64_t)stall_ms, 0);
    }
}

/* ---- what plugins call ---------------------------------------------------------------- */

static void timer_init(struct http *http, uv_timer_t *timer)
{
    BUG_IF(uv_timer_init(http->app->loop, timer) != 0);
    timer->data = http;
    http->handles++;
}

struct http *http_new(struct app *app)
{
    struct http *http = xcalloc(1, sizeof(*http));

    BUG_IF(curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK);
    http->app = app;
    timer_init(http, &http->curl_timer);
    timer_init(http, &http->later_timer);
    timer_init(http, &http->stall_timer);
    http->multi = curl_multi_init();
    BUG_IF(!http->multi);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_curl_timeout);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, 16L);
    curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 64L);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, 16L);
    return http;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct http *http = handle->data;

    if (--http->handles == 0) {
        free(http);
    }
}

void http_free(struct http *http)
{
    if (!http) {
        return;
    }
    BUG_IF(http->all);
    curl_multi_cleanup(http->multi);
    curl_global_cleanup();
    uv_close((uv_handle_t *)&http->curl_timer, on_timer_closed);
    uv_close((uv_handle_t *)&http->later_timer, on_timer_closed);
    uv_close((uv_handle_t *)&http->stall_timer, on_timer_closed);
}

static void begin(void *arg)
{
    struct hr_request *request = arg;

    request->queued = false;
    if (request->state == HTTP_QUEUED && request->status == HR_OK) {
        http_request_prepare(request);
        request->state = HTTP_RUNNING;
        if (curl_multi_add_handle(request->http->multi, request->easy) != CURLM_OK) {
            request_finish(request, CURLE_FAILED_INIT);
        }
    } else if (request->state == HTTP_QUEUED) {
        request->state = HTTP_DONE; /* refused by its address */
        http_ready(request);
    }
    request_free(request);
}

static void begin_undone(void *arg)
{
    struct hr_request *request = arg;

    request->queued = false;
    if (request->state == HTTP_QUEUED) {
        http_request_fail(request, HR_ERETRY, "the step that asked for it failed");
        request->state = HTTP_DONE;
        http_ready(request);
    }
    request_free(request);
}

int http_start(struct http *http, struct hr_bot *owner, const struct hr_http *given, hr_http_fn *fn, void *arg,
               struct hr_request **out)
{
    const struct config *config = http->app->config;
    struct hr_request *request;
    int status, count = 0;

    DL_COUNT(owner->requests, request, count);
    if (count >= HTTP_MAX_PER_OWNER) {
        return HR_ELIMIT;
    }
    request = xcalloc(1, sizeof(*request));
    request->http = http;
    status = fn ? http_request_copy(request, given, config ? config->contact : NULL) : HR_EINVAL;
    if (status != HR_OK) {
        http_request_clear(request);
        free(request);
        return status;
    }
    request->owner = owner;
    request->fn = fn;
    request->arg = arg;
    request->queued = true;
    DL_APPEND(owner->requests, request);
    DL_APPEND2(http->all, request, all_prev, all_next);
    turn_effect(http->app->turn, begin, begin_undone, request);
    if (out) {
        *out = request;
    }
    return HR_OK;
}

void http_cancel(struct hr_request *request)
{
    if (!request || request->state == HTTP_GONE) {
        return;
    }
    if (request->state == HTTP_RUNNING) {
        request_leave_multi(request);
        /* Its end may free a connection that another one waits for. */
        uv_timer_start(&request->http->later_timer, on_later, 0, 0);
    }
    request_gone(request);
    request_free(request);
}

void http_sweep(struct hr_bot *owner)
{
    while (owner->requests) {
        http_cancel(owner->requests);
    }
}
