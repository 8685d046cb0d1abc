/* SPDX-License-Identifier: MIT */
/* Where the homeserver is. */
#include "discover.h"

#include "call.h"
#include "login.h"
#include "scan.h"
#include "sync.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_REDIRECTS = 5, MAX_URL = 1000, MAX_PAGE = 64 * 1024, TIMEOUT_MS = 20000 };

static const int64_t AGAIN_MS = 600000;

static void ask(struct matrix *mx, const char *url);

/* ---- the end of it -------------------------------------------------------------------- */

static void begin(struct matrix *mx)
{
    mx->discovering = false;
    if (!mx->begun) {
        mx->begun = true;
        if (login_start(mx) < 0) {
            matrix_down(mx, "the account's state could not be read from the database; restart the bot");
        }
    }
}

static void on_timer(void *arg)
{
    struct matrix *mx = arg;
    mx->discover_timer = NULL;
    mx->discovering = false;
    discover_again(mx);
}

static void fail(struct matrix *mx, const char *words)
{
    if (mx->homeserver[0] != '\0') {
        matrix_error(mx, "%s; going on with %s, as before", words, mx->homeserver);
        begin(mx);
        return;
    }
    int64_t wait_ms = matrix_backoff_ms(mx, mx->tries++);
    matrix_down(mx, mx->api->print(mx->bot, "%s; %s", words, matrix_next_try(mx, wait_ms)));
    (void)mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, mx, &mx->discover_timer);
}

static void found(struct matrix *mx, const char *base)
{
    bool moved = mx->homeserver[0] != '\0' && strcmp(mx->homeserver, base) != 0;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(mx->server_name), HR_V_STR(base)};
    if (strcmp(mx->homeserver, base) != 0) {
        mx->api->log(mx->bot, HR_INFO, "the homeserver of %s is %s%s%s", mx->server_name, base,
                     moved ? "; it was " : "", moved ? mx->homeserver : "");
        mem_set(&mx->homeserver, base);
        (void)mx->api->sql(mx->bot, "INSERT OR REPLACE INTO matrix_server(instance, name, base_url) VALUES(?1, ?2, ?3)",
                           args, 3, NULL, NULL);
    }
    if (!mx->begun) {
        mx->tries = 0;
        begin(mx);
        return;
    }
    mx->discovering = false;
    if (moved && mx->token != NULL && !mx->stopped) {
        sync_stop(mx);
        sync_start(mx);
    }
}

static void on_versions(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    char *base = arg;
    if (reply->status == HR_OK && json_is_array(json_object_get(reply->json, "versions"))) {
        found(mx, base);
    } else {
        fail(mx, mx->api->print(mx->bot,
                                "the homeserver of %s should be %s, but that does not answer as one (%s). Look at "
                                "homeserver and user",
                                mx->server_name, base,
                                reply->words[0] != '\0' ? reply->words : "not one of a Matrix server"));
    }
    free(base);
}

static void check(struct matrix *mx, const char *base)
{
    struct call_request request = {
        .method = "GET",
        .path = mx->api->print(mx->bot, "%s/_matrix/client/versions", base),
        .max_bytes = MAX_PAGE,
        .timeout_ms = TIMEOUT_MS,
        .no_token = true,
    };
    char *own = mem_dup(base);
    if (call_start(mx, &request, on_versions, free, own) < 0) {
        free(own);
        fail(mx, mx->api->print(mx->bot, "no request can be made of %s", base));
    }
}

/* ---- the page ------------------------------------------------------------------------------ */

/* https:// and a host, perhaps a path; nothing that hides where it leads. */
static bool is_base(const char *url)
{
    size_t len = url != NULL ? strlen(url) : 0;
    if (len <= 8 || len > MAX_URL || strncmp(url, "https://", 8) != 0 || url[8] == '/' || url[8] == ':') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (url[i] <= ' ' || url[i] >= 0x7F || strchr("@?#\\\"<>", url[i]) != NULL) {
            return false;
        }
    }
    return true;
}

static void named(struct matrix *mx, const char *url)
{
    if (!is_base(url)) {
        fail(mx, mx->api->print(mx->bot,
                                "https://%s/.well-known/matrix/client names no homeserver with https://. Tell its "
                                "administrator, or write the address into homeserver",
                                mx->server_name));
        return;
    }
    char *base = mem_dup(url);
    size_t len = strlen(base);
    while (base[len - 1] == '/') {
        base[--len] = '\0';
    }
    check(mx, base);
    free(base);
}

/* The host follows redirects within one origin; those to another come here. */
static const char *location(struct matrix *mx, const struct call_reply *reply)
{
    static const int codes[] = {301, 302, 303, 307, 308};
    bool is_redirect = false;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        is_redirect = is_redirect || reply->code == codes[i];
    }
    const char *at = is_redirect && reply->headers != NULL ? strstr(reply->headers, "location: ") : NULL;
    if (at == NULL || (at != reply->headers && at[-1] != '\n')) {
        return is_redirect ? "" : NULL;
    }
    at += strlen("location: ");
    return mx->api->print(mx->bot, "%.*s", (int)strcspn(at, "\n"), at);
}

static void redirected(struct matrix *mx, const char *to)
{
    bool here = to[0] == '/' && to[1] != '/'; /* the host has followed some of these already */
    if ((strncmp(to, "https://", 8) != 0 && !here) || strlen(to) > MAX_URL) {
        fail(mx,
             mx->api->print(mx->bot, "https://%s/.well-known/matrix/client leads to a page that can't be read safely",
                            mx->server_name));
    } else if (here || ++mx->redirects > MAX_REDIRECTS) {
        fail(mx, mx->api->print(mx->bot, "https://%s/.well-known/matrix/client leads from page to page without end",
                                mx->server_name));
    } else {
        ask(mx, to);
    }
}

static void on_page(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    (void)arg;
    const char *to = location(mx, reply);
    const json_t *server = json_object_get(reply->json, "m.homeserver");
    if (to != NULL) {
        redirected(mx, to);
    } else if (reply->code == 404) {
        check(mx, mx->api->print(mx->bot, "https://%s", mx->server_name));
    } else if (reply->status == HR_OK) {
        named(mx, scan_text(server, "base_url"));
    } else {
        fail(mx,
             mx->api->print(mx->bot,
                            "cannot learn where the homeserver of %s is: %s. If it stays so, write its address into "
                            "homeserver",
                            mx->server_name, reply->words));
    }
}

static void ask(struct matrix *mx, const char *url)
{
    struct call_request request = {
        .method = "GET", .path = url, .max_bytes = MAX_PAGE, .timeout_ms = TIMEOUT_MS, .no_token = true};
    if (call_start(mx, &request, on_page, NULL, NULL) < 0) {
        fail(mx, mx->api->print(mx->bot, "no request can be made of %s", url));
    }
}

/* ---- the way in ----------------------------------------------------------------------------- */

static void look_up(struct matrix *mx)
{
    mx->discovering = true;
    mx->redirects = 0;
    mx->discovered_ms = mx->api->monotonic_ms(mx->bot);
    ask(mx, mx->api->print(mx->bot, "https://%s/.well-known/matrix/client", mx->server_name));
}

void discover_again(struct matrix *mx)
{
    if (mx->server_name == NULL || mx->discovering || mx->discover_timer != NULL ||
        (mx->begun && mx->api->monotonic_ms(mx->bot) - mx->discovered_ms < AGAIN_MS)) {
        return;
    }
    look_up(mx);
}

static int on_row(void *arg, const struct hr_value *column, size_t count)
{
    struct matrix *mx = arg;
    (void)count;
    mem_set(&mx->homeserver, column[0].str);
    return HR_OK;
}

/* What stands behind the first colon of the user id, without a port: that one is for other servers. */
static char *name_of_user(const struct matrix *mx)
{
    const char *name = matrix_server(mx->user);
    const char *end = name[0] == '[' ? strchr(name, ']') : strchr(name, ':');
    size_t len = end == NULL ? strlen(name) : (size_t)(end - name) + (name[0] == '[');
    return mem_copy(name, len);
}

int discover_start(struct matrix *mx)
{
    char *given = matrix_trim(mx->api->option(mx->bot, "homeserver")->str);
    size_t len = strlen(given);
    if (strncmp(given, "https://", 8) == 0 || strncmp(given, "http://", 7) == 0) {
        while (len > 0 && given[len - 1] == '/') {
            given[--len] = '\0';
        }
        mx->homeserver = given;
        mx->begun = true;
        return login_start(mx);
    }
    mx->server_name = len > 0 ? given : name_of_user(mx);
    if (len == 0) {
        free(given);
    }
    mx->homeserver = mem_dup("");
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(mx->server_name)};
    int rc = mx->api->sql(mx->bot, "SELECT base_url FROM matrix_server WHERE instance = ?1 AND name = ?2", args, 2,
                          on_row, mx);
    if (rc == HR_OK) {
        look_up(mx);
    }
    return rc;
}
