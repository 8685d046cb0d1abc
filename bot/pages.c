/* SPDX-License-Identifier: MIT */
/* What people without an account can open: the listener, who waits for what. */
#include "pages.h"
#include "address.h"
#include "instance.h"
#include "log.h"
#include "page.h"
#include "turn.h"
#include "xalloc.h"
#include <utlist.h>

struct visit { /* a request that waits for its page */
    struct pages *pages;
    struct MHD_Connection *connection;
    char *key;
    struct page *page; /* the answer, NULL: not yet */
    bool asked;        /* the instance knows that somebody waits */
    int64_t since_ms;  /* monotonic */
    struct visit *prev, *next;
};

struct source { /* an instance that serves pages */
    struct hr_bot *owner;
    hr_page_fn *fn;
    void *arg;
    char *url; /* with the slash */
    struct source *next;
};

struct pages {
    struct app *app;
    struct MHD_Daemon *daemon;
    char *url;
    uv_poll_t poll;
    uv_timer_t timer;
    int handles;
    struct source *sources;
    struct visit *visits; /* oldest first */
    struct page *kept;    /* oldest first */
    size_t held;          /* bytes of all pages alive */
    double tokens;
    int64_t filled_ms;
    bool closed;
};

/* ---- pages in memory ------------------------------------------------------------------ */

static void forget(struct pages *pages, struct page *page)
{
    DL_DELETE(pages->kept, page);
    page_unref(page);
}

static struct page *find(struct pages *pages, const char *key)
{
    struct page *page, *next, *found = NULL;
    int64_t now_ms = clock_monotonic_ms();
    DL_FOREACH_SAFE(pages->kept, page, next)
    {
        if (page->until_ms <= now_ms) {
            forget(pages, page);
        } else if (strcmp(page->key, key) == 0) {
            found = page;
        }
    }
    return found;
}

static struct source *source_of(const struct pages *pages, const char *key)
{
    size_t len = strcspn(key, "/");
    for (struct source *source = pages->sources; source != NULL; source = source->next) {
        const char *title = source->owner->config->title;
        if (strlen(title) == len && strncmp(title, key, len) == 0) {
            return source;
        }
    }
    return NULL;
}

/* ---- answers ------------------------------------------------------------------------------ */

static struct page *words(struct pages *pages, const char *key, int code, const char *text)
{
    const struct hr_page page = {
        .size = sizeof(page), .code = code, .type = "text/plain; charset=utf-8", .bytes = text, .len = strlen(text)};
    return page_new(key, &page, &pages->held);
}

static enum MHD_Result send_words(struct pages *pages, struct MHD_Connection *connection, int code, const char *text)
{
    struct page *page = words(pages, "", code, text);
    enum MHD_Result result = page_send(page, connection, NULL, 0);
    page_unref(page);
    return result;
}

static enum MHD_Result send_page(struct page *page, struct MHD_Connection *connection)
{
    int64_t left_ms = page->until_ms - clock_monotonic_ms();
    const char *range = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Range");
    return page_send(page, connection, range, left_ms > 0 ? left_ms / 1000 : 0);
}

/* To all who wait for it. */
static void give(struct pages *pages, struct page *page)
{
    struct visit *visit;
    DL_FOREACH(pages->visits, visit)
    {
        if (visit->page == NULL && strcmp(visit->key, page->key) == 0) {
            visit->page = page_ref(page);
            MHD_resume_connection(visit->connection);
        }
    }
}

static void give_words(struct pages *pages, const char *key, int code, const char *text)
{
    struct page *page = words(pages, key, code, text);
    give(pages, page);
    page_unref(page);
}

/* ---- requests ------------------------------------------------------------------------------ */

static bool has_body(struct MHD_Connection *connection)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding") != NULL ||
           (length != NULL && strcmp(length, "0") != 0);
}

static bool is_path(const char *url)
{
    size_t len = strnlen(url, PAGES_MAX_PATH_BYTES + 1);
    return url[0] == '/' && len <= PAGES_MAX_PATH_BYTES &&
           strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/") == len;
}

static bool take_token(struct pages *pages)
{
    int64_t now_ms = clock_monotonic_ms();
    pages->tokens += (double)(now_ms - pages->filled_ms) * PAGES_RATE / 1000.0;
    pages->tokens = pages->tokens > PAGES_BURST ? PAGES_BURST : pages->tokens;
    pages->filled_ms = now_ms;
    if (pages->tokens < 1) {
        return false;
    }
    pages->tokens -= 1;
    return true;
}

static bool is_asked(const struct pages *pages, const char *key)
{
    const struct visit *visit;
    DL_FOREACH(pages->visits, visit)
    {
        if (visit->asked && visit->page == NULL && strcmp(visit->key, key) == 0) {
            return true;
        }
    }
    return false;
}

/* A path is taken as it stands: what would have to be decoded is no page. */
static size_t on_escaped(void *arg, struct MHD_Connection *connection, char *text)
{
    (void)arg, (void)connection;
    return strlen(text);
}

static enum MHD_Result find_page(struct pages *pages, struct MHD_Connection *connection, const char *url,
                                 void **request)
{
    if (!take_token(pages)) {
        return send_words(pages, connection, MHD_HTTP_TOO_MANY_REQUESTS, "Too much at once. Try again in a minute.\n");
    }
    if (!is_path(url) || source_of(pages, url + 1) == NULL) {
        return send_words(pages, connection, MHD_HTTP_NOT_FOUND, "There is no such page.\n");
    }
    struct page *page = find(pages, url + 1);
    if (page != NULL) {
        return send_page(page, connection);
    }
    struct visit *visit = xcalloc(1, sizeof(*visit));
    *visit = (struct visit){.pages = pages,
                            .connection = connection,
                            .key = xstrdup(url + 1),
                            .asked = is_asked(pages, url + 1),
                            .since_ms = clock_monotonic_ms()};
    DL_APPEND(pages->visits, visit);
    *request = visit;
    MHD_suspend_connection(connection);
    return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_len, void **request)
{
    struct pages *pages = arg;
    (void)version, (void)upload, (void)upload_len;
    if (*request == NULL) { /* the header is in; an answer now ends the connection */
        *request = pages;
        return (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) && !has_body(connection)
                   ? MHD_YES
                   : send_words(pages, connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                                "Here pages can be read, nothing else.\n");
    }
    if (*request == pages) {
        return find_page(pages, connection, url, request);
    }
    struct visit *visit = *request;
    return visit->page != NULL ? send_page(visit->page, connection) : MHD_NO;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode code)
{
    struct pages *pages = arg;
    (void)connection, (void)code;
    if (*request != NULL && *request != pages) {
        struct visit *visit = *request;
        DL_DELETE(pages->visits, visit);
        page_unref(visit->page);
        free(visit->key);
        free(visit);
        *request = NULL;
    }
}

/* ---- the loop -------------------------------------------------------------------------------- */

static struct visit *unasked(const struct pages *pages)
{
    struct visit *visit;
    DL_FOREACH(pages->visits, visit)
    {
        if (!visit->asked && visit->page == NULL) {
            return visit;
        }
    }
    return NULL;
}

/* Plugins are called when libmicrohttpd has come back, never from inside of it. */
static void ask(struct pages *pages)
{
    struct visit *visit, *other;
    while ((visit = unasked(pages)) != NULL) {
        CLEANUP_FREE char *key = xstrdup(visit->key);
        struct source *source = source_of(pages, key);
        DL_FOREACH(pages->visits, other)
        {
            other->asked = other->asked || strcmp(other->key, key) == 0;
        }
        if (source == NULL) {
            give_words(pages, key, MHD_HTTP_NOT_FOUND, "There is no such page.\n");
            continue;
        }
        struct hr_bot *owner = source->owner;
        instance_enter(owner);
        int rc = source->fn(source->arg, key + strcspn(key, "/") + (strchr(key, '/') != NULL));
        instance_leave(owner, rc);
        if (rc < 0) {
            give_words(pages, key, MHD_HTTP_INTERNAL_SERVER_ERROR, "This failed. Try again later.\n");
        }
    }
}

static void late(struct pages *pages)
{
    int64_t before_ms = clock_monotonic_ms() - PAGES_ANSWER_MS;
    struct visit *visit;
    DL_FOREACH(pages->visits, visit)
    {
        if (visit->page == NULL && visit->since_ms < before_ms) {
            visit->page = words(pages, visit->key, MHD_HTTP_GATEWAY_TIMEOUT, "This took too long. Try again later.\n");
            MHD_resume_connection(visit->connection);
        }
    }
}

static void on_timer(uv_timer_t *timer);

static void run(struct pages *pages)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    late(pages);
    (void)MHD_run(pages->daemon);
    ask(pages);
    if (MHD_get_timeout(pages->daemon, &wait_ms) != MHD_YES || wait_ms > 1000) {
        wait_ms = 1000;
    }
    if (pages->visits != NULL ||
        MHD_get_daemon_info(pages->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections > 0) {
        uv_timer_start(&pages->timer, on_timer, wait_ms, 0);
    }
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    run(poll->data);
}

/* ---- what plugins ask for ---------------------------------------------------------------------- */

int pages_serve(struct pages *pages, struct hr_bot *owner, hr_page_fn *fn, void *arg)
{
    if (pages == NULL) {
        return HR_ENOTFOUND;
    }
    const char *title = owner->config->title;
    if (fn == NULL || source_of(pages, title) != NULL) {
        return fn == NULL ? HR_EINVAL : HR_EEXIST;
    }
    struct source *source = xcalloc(1, sizeof(*source));
    *source = (struct source){.owner = owner, .fn = fn, .arg = arg, .url = xasprintf("%s/%s/", pages->url, title)};
    LL_PREPEND(pages->sources, source);
    return HR_OK;
}

const char *pages_url(struct pages *pages, struct hr_bot *owner)
{
    const struct source *source = pages == NULL ? NULL : source_of(pages, owner->config->title);
    return source != NULL && source->owner == owner ? source->url : NULL;
}

struct answer {
    struct pages *pages;
    struct page *page;
    bool keep;
};

static void answer_drop(void *arg)
{
    struct answer *answer = arg;
    page_unref(answer->page);
    free(answer);
}

/* After the commit: what it shows is recorded. */
static void answer_give(void *arg)
{
    struct answer *answer = arg;
    struct pages *pages = answer->pages;
    struct page *old = find(pages, answer->page->key);
    if (old != NULL) {
        forget(pages, old);
    }
    if (answer->keep) {
        (void)page_ref(answer->page);
        DL_APPEND(pages->kept, answer->page);
    }
    give(pages, answer->page);
    answer_drop(answer);
    if (!pages->closed) {
        uv_timer_start(&pages->timer, on_timer, 0, 0);
    }
}

/* Pages that nobody is being sent make place. */
static bool make_place(struct pages *pages, size_t len)
{
    struct page *page, *next;
    DL_FOREACH_SAFE(pages->kept, page, next)
    {
        if (pages->held + len > PAGES_MAX_BYTES && page->refs == 1) {
            forget(pages, page);
        }
    }
    return pages->held + len <= PAGES_MAX_BYTES;
}

int pages_answer(struct pages *pages, struct hr_bot *owner, const char *path, const struct hr_page *from)
{
    if (pages == NULL) {
        return HR_ENOTFOUND;
    }
    CLEANUP_FREE char *url = path == NULL ? NULL : xasprintf("/%s/%s", owner->config->title, path);
    bool is_text = from->type != NULL && strpbrk(from->type, "\r\n") == NULL;
    if (url == NULL || !is_path(url) || from->code < 200 || from->code > 599 || !is_text ||
        (from->bytes == NULL && from->len > 0)) {
        return HR_EINVAL;
    }
    if (!make_place(pages, from->len)) {
        return HR_ELIMIT;
    }
    struct answer *answer = xcalloc(1, sizeof(*answer));
    *answer = (struct answer){.pages = pages, .page = page_new(url + 1, from, &pages->held), .keep = from->keep_ms > 0};
    answer->page->until_ms = clock_monotonic_ms() + from->keep_ms;
    turn_effect(pages->app->turn, answer_give, answer_drop, answer);
    return HR_OK;
}

void pages_sweep(struct pages *pages, struct hr_bot *owner)
{
    struct source **at = pages == NULL ? NULL : &pages->sources;
    while (at != NULL && *at != NULL) {
        struct source *source = *at;
        if (source->owner != owner) {
            at = &source->next;
            continue;
        }
        struct page *page, *next;
        struct visit *visit;
        DL_FOREACH_SAFE(pages->kept, page, next)
        {
            if (source_of(pages, page->key) == source) {
                forget(pages, page);
            }
        }
        DL_FOREACH(pages->visits, visit)
        {
            if (visit->page == NULL && source_of(pages, visit->key) == source) {
                visit->page = words(pages, visit->key, MHD_HTTP_SERVICE_UNAVAILABLE, "Try again in a minute.\n");
                MHD_resume_connection(visit->connection);
            }
        }
        *at = source->next;
        free(source->url);
        free(source);
    }
}

/* ---- life ------------------------------------------------------------------------------------------ */

static struct MHD_Daemon *start(struct pages *pages, const struct sockaddr *address)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (address->sa_family == AF_INET6 ? MHD_USE_IPv6 : 0u);
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, pages, MHD_OPTION_SOCK_ADDR, address,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)PAGES_MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)PAGES_STALL_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(32 * 1024),
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, pages, MHD_OPTION_UNESCAPE_CALLBACK, on_escaped,
                            NULL, MHD_OPTION_END);
}

int pages_open(struct pages **out, struct app *app, const char *listen, const char *url, char *err, size_t err_size)
{
    struct sockaddr_storage address = {0};
    if (!address_read(listen, &address)) {
        (void)snprintf(err, err_size, "pages: '%.80s' is not an address and a port", listen);
        return HR_EFAIL;
    }
    struct pages *pages = xcalloc(1, sizeof(*pages));
    pages->app = app;
    pages->tokens = PAGES_BURST;
    pages->filled_ms = clock_monotonic_ms();
    pages->daemon = start(pages, (const struct sockaddr *)&address);
    if (pages->daemon == NULL) {
        (void)snprintf(err, err_size, "pages: the bot can't listen on %.80s: %s", listen, strerror(errno));
        free(pages);
        return HR_EFAIL;
    }
    pages->url = xstrdup(url);
    pages->handles = 2;
    uv_timer_init(app->loop, &pages->timer);
    uv_poll_init(app->loop, &pages->poll, MHD_get_daemon_info(pages->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
    pages->timer.data = pages->poll.data = pages;
    uv_poll_start(&pages->poll, UV_READABLE, on_readable);
    *out = pages;
    return HR_OK;
}

int pages_port(const struct pages *pages)
{
    return MHD_get_daemon_info(pages->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void on_closed(uv_handle_t *handle)
{
    struct pages *pages = handle->data;
    if (--pages->handles == 0) {
        free(pages->url);
        free(pages);
    }
}

void pages_close(struct pages *pages)
{
    if (pages == NULL) {
        return;
    }
    pages->closed = true;
    uv_poll_stop(&pages->poll);
    (void)MHD_run(pages->daemon); /* the last words, and those that were resumed */
    MHD_stop_daemon(pages->daemon);
    while (pages->kept != NULL) {
        forget(pages, pages->kept);
    }
    uv_close((uv_handle_t *)&pages->poll, on_closed);
    uv_close((uv_handle_t *)&pages->timer, on_closed);
}
