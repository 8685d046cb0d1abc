/* SPDX-License-Identifier: MIT */
/* Pages for people without an account: what is asked of the plugin, what leaves, what is refused. */
#include "pages.h"
#include "host_fixture.h"
#include "page.h"
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WHO_MAX = 300 };

struct world {
    struct fixture *f;
    int asked;
    char path[300];
    int status; /* what the plugin's function returns */
    bool later; /* it answers when the test says so */
    struct hr_page page;
    int fd[WHO_MAX];
    char reply[WHO_MAX][4096];
    size_t len[WHO_MAX];
    bool ended[WHO_MAX];
};

static struct hr_bot *owner(struct world *w)
{
    return fixture_bot(w->f, "a");
}

static int answer(struct world *w, const char *path)
{
    return pages_answer(w->f->app.pages, owner(w), path, &w->page);
}

static int on_page(void *arg, const char *path)
{
    struct world *w = arg;
    w->asked++;
    snprintf(w->path, sizeof(w->path), "%s", path);
    int rc = w->later ? HR_OK : answer(w, path);
    return w->status < 0 ? w->status : rc;
}

static int setup(void **state)
{
    char err[200] = "";
    struct world *w = xcalloc(1, sizeof(*w));
    w->f = fixture_new(NULL);
    w->page =
        (struct hr_page){.size = sizeof(w->page), .code = 200, .type = "image/png", .bytes = "0123456789", .len = 10};
    assert_int_equal(
        pages_open(&w->f->app.pages, &w->f->app, "127.0.0.1:0", "https://media.example.org", err, sizeof(err)), HR_OK);
    instance_enter(owner(w));
    assert_int_equal(pages_serve(w->f->app.pages, owner(w), on_page, w), HR_OK);
    instance_leave(owner(w), HR_OK);
    for (int i = 0; i < WHO_MAX; i++) {
        w->fd[i] = -1;
    }
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < WHO_MAX; i++) {
        if (w->fd[i] >= 0) {
            close(w->fd[i]);
        }
    }
    fixture_free(w->f);
    free(w);
    return 0;
}

static void send_text(struct world *w, int who, const char *text)
{
    if (w->fd[who] < 0) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)pages_port(w->f->app.pages))};
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        w->fd[who] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(w->fd[who], (struct sockaddr *)&to, sizeof(to)), 0);
    }
    assert_int_equal(send(w->fd[who], text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void request(struct world *w, int who, const char *method, const char *path, const char *more)
{
    char text[2048];
    snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", method, path, more);
    send_text(w, who, text);
}

static void read_all(struct world *w)
{
    for (int i = 0; i < WHO_MAX; i++) {
        ssize_t n = w->fd[i] < 0 || w->ended[i]
                        ? -1
                        : recv(w->fd[i], w->reply[i] + w->len[i], sizeof(w->reply[i]) - 1 - w->len[i], MSG_DONTWAIT);
        w->len[i] += n > 0 ? (size_t)n : 0;
        w->ended[i] = w->ended[i] || n == 0 || (n < 0 && w->fd[i] >= 0 && errno == ECONNRESET);
    }
}

static void step(struct world *w)
{
    fixture_turn(w->f);
    uv_run(w->f->app.loop, UV_RUN_NOWAIT);
    read_all(w);
    usleep(200);
}

/* The whole reply; the connection ends with it. */
static const char *reply(struct world *w, int who)
{
    while (!w->ended[who]) {
        step(w);
    }
    return w->reply[who];
}

static const char *get(struct world *w, int who, const char *path)
{
    request(w, who, "GET", path, "");
    return reply(w, who);
}

static void has(const char *text, const char *piece)
{
    if (strstr(text, piece) == NULL) {
        fail_msg("'%s' is not in: %s", piece, text);
    }
}

static void ends_with(const char *text, const char *body)
{
    const char *at = strstr(text, "\r\n\r\n");
    assert_non_null(at);
    assert_string_equal(at + 4, body);
}

static void a_page_comes_with_headers_that_let_it_do_nothing(void **state)
{
    struct world *w = *state;
    w->page.file_name = "a \"cat\"\n\xc3\xa9.png";
    const char *text = get(w, 0, "/a/some.png");
    assert_string_equal(w->path, "some.png");
    has(text, "HTTP/1.1 200 OK\r\n");
    has(text, "Content-Type: image/png\r\n");
    has(text, "Content-Disposition: inline; filename*=UTF-8''a%20%22cat%22%0A%C3%A9.png\r\n");
    has(text, "X-Content-Type-Options: nosniff\r\n");
    has(text, "sandbox\r\n");
    has(text, "Referrer-Policy: no-referrer\r\n");
    has(text, "Cache-Control: no-store\r\n");
    ends_with(text, "0123456789");
}

static void a_download_is_never_shown(void **state)
{
    struct world *w = *state;
    w->page.download = true;
    has(get(w, 0, "/a/x"), "Content-Disposition: attachment\r\n");
}

static void head_has_the_length_and_no_body(void **state)
{
    struct world *w = *state;
    request(w, 0, "HEAD", "/a/x", "");
    has(reply(w, 0), "Content-Length: 10\r\n");
    ends_with(w->reply[0], "");
}

static void one_range_is_given(void **state)
{
    static const struct {
        const char *range, *status, *where, *body;
    } row[] = {
        {"Range: bytes=2-4\r\n", "206", "Content-Range: bytes 2-4/10\r\n", "234"},
        {"Range: bytes=7-\r\n", "206", "Content-Range: bytes 7-9/10\r\n", "789"},
        {"Range: bytes=-2\r\n", "206", "Content-Range: bytes 8-9/10\r\n", "89"},
        {"Range: bytes=8-99\r\n", "206", "Content-Range: bytes 8-9/10\r\n", "89"},
        {"Range: bytes=10-\r\n", "416", "Content-Range: bytes */10\r\n", ""},
        {"Range: bytes=-0\r\n", "416", "Content-Range: bytes */10\r\n", ""},
        {"Range: bytes=4-2\r\n", "200", "Content-Length: 10\r\n", "0123456789"},
        {"Range: bytes=0-1,3-4\r\n", "200", "Content-Length: 10\r\n", "0123456789"},
        {"Range: bytes=99999999999999999999-\r\n", "200", "Content-Length: 10\r\n", "0123456789"},
        {"Range: lines=1-2\r\n", "200", "Content-Length: 10\r\n", "0123456789"},
    };
    struct world *w = *state;
    for (int i = 0; i < (int)(sizeof(row) / sizeof(row[0])); i++) {
        request(w, i, "GET", "/a/x", row[i].range);
        has(reply(w, i), row[i].status);
        has(w->reply[i], row[i].where);
        ends_with(w->reply[i], row[i].body);
    }
}

static void many_who_want_one_page_ask_the_plugin_once(void **state)
{
    struct world *w = *state;
    w->later = true;
    for (int i = 0; i < 20; i++) {
        request(w, i, "GET", "/a/x", "");
    }
    request(w, 20, "GET", "/a/y", "");
    while (w->asked < 2) {
        step(w);
    }
    w->page.keep_ms = 600000;
    instance_enter(owner(w));
    assert_int_equal(answer(w, "x"), HR_OK);
    instance_leave(owner(w), HR_OK);
    for (int i = 0; i < 20; i++) {
        ends_with(reply(w, i), "0123456789");
    }
    assert_int_equal(w->asked, 2);
    assert_false(w->ended[20]);
    get(w, 21, "/a/x"); /* from memory */
    has(w->reply[21], "Cache-Control: private, max-age=");
    assert_int_equal(w->asked, 2);
}

static void what_is_kept_can_be_taken_back(void **state)
{
    struct world *w = *state;
    w->page.keep_ms = 600000;
    get(w, 0, "/a/x");
    w->page = (struct hr_page){.size = sizeof(w->page), .code = 410, .type = "text/plain", .bytes = "gone", .len = 4};
    instance_enter(owner(w));
    assert_int_equal(answer(w, "x"), HR_OK);
    instance_leave(owner(w), HR_OK);
    has(get(w, 1, "/a/x"), "HTTP/1.1 410");
    assert_int_equal(w->asked, 2);
}

static void a_callback_that_fails_gives_nothing_away(void **state)
{
    struct world *w = *state;
    w->status = HR_EFAIL;
    const char *text = get(w, 0, "/a/x");
    has(text, "HTTP/1.1 500");
    assert_null(strstr(text, "0123456789"));
}

static void what_is_no_page_is_refused_without_asking(void **state)
{
    static const struct {
        const char *method, *path, *more, *status;
    } row[] = {
        {"GET", "/", "", "404"},
        {"GET", "/b/x", "", "404"},
        {"GET", "/aa/x", "", "404"},
        {"GET", "/a%2fx", "", "404"},
        {"GET", "/a/%00x", "", "404"},
        {"GET", "/a/x%0d%0aX:y", "", "404"},
        {"GET", "/a/<b>", "", "404"},
        {"POST", "/a/x", "Content-Length: 0\r\n", "405"},
        {"PUT", "/a/x", "Content-Length: 3\r\n", "405"},
        {"GET", "/a/x", "Content-Length: 3\r\n", "405"},
        {"GET", "/a/x", "Transfer-Encoding: chunked\r\n", "405"},
    };
    struct world *w = *state;
    for (int i = 0; i < (int)(sizeof(row) / sizeof(row[0])); i++) {
        request(w, i, row[i].method, row[i].path, row[i].more);
        char want[16];
        snprintf(want, sizeof(want), "HTTP/1.1 %s", row[i].status);
        has(reply(w, i), want);
    }
    char path[400] = "/a/";
    memset(path + 3, 'x', 300);
    has(get(w, 20, path), "HTTP/1.1 404");
    assert_int_equal(w->asked, 0);
}

static int count_of(const char *text, const char *piece)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, piece)) != NULL; at++) {
        count++;
    }
    return count;
}

static void no_more_are_answered_than_the_rate_allows(void **state)
{
    enum { REQUESTS = 600 };
    struct world *w = *state;
    struct buf all, ask;
    w->page.keep_ms = 600000;
    get(w, 0, "/a/x");
    buf_init(&all, 4 * 1024 * 1024);
    buf_init(&ask, 64 * 1024);
    for (int i = 0; i < REQUESTS; i++) {
        assert_int_equal(
            buf_addf(&ask, "GET /a/x HTTP/1.1\r\nHost: x\r\n%s\r\n", i + 1 < REQUESTS ? "" : "Connection: close\r\n"),
            HR_OK);
    }
    int64_t start_ms = clock_monotonic_ms();
    send_text(w, 1, buf_str(&ask));
    while (!w->ended[1]) {
        step(w);
        (void)buf_add(&all, w->reply[1], w->len[1]);
        w->len[1] = 0;
        memset(w->reply[1], 0, sizeof(w->reply[1]));
    }
    int64_t took_ms = clock_monotonic_ms() - start_ms;
    int good = count_of(buf_str(&all), "HTTP/1.1 200"), refused = count_of(buf_str(&all), "HTTP/1.1 429");
    assert_int_equal(good + refused, REQUESTS);
    assert_true(good >= PAGES_BURST - 1);
    assert_true(good <= PAGES_BURST + PAGES_RATE * (took_ms + 1000) / 1000);
    buf_clear(&all);
    buf_clear(&ask);
}

static void memory_has_a_ceiling(void **state)
{
    struct world *w = *state;
    static char big[1024 * 1024];
    struct pages *pages = w->f->app.pages;
    int rc = HR_OK, count = 0;
    instance_enter(owner(w));
    struct hr_page page = {.size = sizeof(page), .code = 200, .type = "video/mp4", .bytes = big, .len = sizeof(big)};
    for (; rc == HR_OK && count < 1000; count++) {
        char path[16];
        snprintf(path, sizeof(path), "p%d", count);
        page.keep_ms = 600000;
        rc = pages_answer(pages, owner(w), path, &page);
    }
    assert_int_equal(rc, HR_ELIMIT);
    assert_int_equal(count, PAGES_MAX_BYTES / (int)sizeof(big) + 1);
    instance_leave(owner(w), HR_OK);
    fixture_turn(w->f);
    instance_enter(owner(w)); /* nobody is being sent one: the oldest make place */
    assert_int_equal(pages_answer(pages, owner(w), "new", &page), HR_OK);
    instance_leave(owner(w), HR_OK);
}

static void who_waits_for_a_plugin_that_stops_is_told(void **state)
{
    struct world *w = *state;
    w->later = true;
    request(w, 0, "GET", "/a/x", "");
    while (w->asked < 1) {
        step(w);
    }
    pages_sweep(w->f->app.pages, owner(w));
    has(reply(w, 0), "HTTP/1.1 503");
    has(get(w, 1, "/a/x"), "HTTP/1.1 404");
}

static void who_went_away_while_waiting_does_no_harm(void **state)
{
    struct world *w = *state;
    w->later = true;
    request(w, 0, "GET", "/a/x", "");
    while (w->asked < 1) {
        step(w);
    }
    close(w->fd[0]);
    w->fd[0] = -1;
    instance_enter(owner(w));
    assert_int_equal(answer(w, "x"), HR_OK);
    instance_leave(owner(w), HR_OK);
    w->later = false;
    has(get(w, 1, "/a/y"), "HTTP/1.1 200");
}

/* teardown closes the host */
static void the_end_does_not_wait_for_who_waits(void **state)
{
    struct world *w = *state;
    w->later = true;
    request(w, 0, "GET", "/a/x", "");
    while (w->asked < 1) {
        step(w);
    }
    request(w, 1, "GET", "/a/y", "");
}

static void an_address_is_as_the_operator_wrote_it(void **state)
{
    struct world *w = *state;
    assert_string_equal(pages_url(w->f->app.pages, owner(w)), "https://media.example.org/a/");
    assert_null(pages_url(w->f->app.pages, fixture_bot(w->f, "b")));
    assert_null(pages_url(NULL, owner(w)));
    assert_int_equal(pages_serve(NULL, owner(w), on_page, w), HR_ENOTFOUND);
    assert_int_equal(pages_serve(w->f->app.pages, owner(w), on_page, w), HR_EEXIST);
    assert_int_equal(pages_answer(w->f->app.pages, owner(w), "a b", &w->page), HR_EINVAL);
    w->page.type = "image/png\r\nX: y";
    assert_int_equal(pages_answer(w->f->app.pages, owner(w), "x", &w->page), HR_EINVAL);
}

static void where_it_cannot_listen_it_says_why(void **state)
{
    struct world *w = *state;
    struct pages *other = NULL;
    char err[200] = "", listen_at[40];
    snprintf(listen_at, sizeof(listen_at), "127.0.0.1:%d", pages_port(w->f->app.pages));
    assert_int_equal(pages_open(&other, &w->f->app, listen_at, "https://x", err, sizeof(err)), HR_EFAIL);
    has(err, "can't listen on 127.0.0.1:");
    assert_int_equal(pages_open(&other, &w->f->app, "nowhere", "https://x", err, sizeof(err)), HR_EFAIL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_page_comes_with_headers_that_let_it_do_nothing),
        TEST(a_download_is_never_shown),
        TEST(head_has_the_length_and_no_body),
        TEST(one_range_is_given),
        TEST(many_who_want_one_page_ask_the_plugin_once),
        TEST(what_is_kept_can_be_taken_back),
        TEST(a_callback_that_fails_gives_nothing_away),
        TEST(what_is_no_page_is_refused_without_asking),
        TEST(no_more_are_answered_than_the_rate_allows),
        TEST(memory_has_a_ceiling),
        TEST(who_waits_for_a_plugin_that_stops_is_told),
        TEST(who_went_away_while_waiting_does_no_harm),
        TEST(the_end_does_not_wait_for_who_waits),
        TEST(an_address_is_as_the_operator_wrote_it),
        TEST(where_it_cannot_listen_it_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
