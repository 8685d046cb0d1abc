/* SPDX-License-Identifier: MIT */
/* What goes over the wire to X and comes back: signatures, errors, lines, when to connect again. */
#include "../../plugins/twitter/backoff.h"
#include "../../plugins/twitter/budget.h"
#include "../../plugins/twitter/lines.h"
#include "../../plugins/twitter/oauth.h"
#include "../../plugins/twitter/problem.h"
#include "../../plugins/twitter/search.h"
#include "../../plugins/twitter/snowflake.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- OAuth 1.0a ----------------------------------------------------------------- */

static void check_signature(const char *expected, const struct oauth_keys *keys, const char *method, const char *url,
                            const struct oauth_param *params, size_t count, const char *nonce, int64_t timestamp)
{
    char *signature = oauth_signature(keys, method, url, params, count, nonce, timestamp);
    assert_string_equal(signature, expected);
    free(signature);
}

static void signatures_match_known_vectors(void **state)
{
    (void)state;
    static const struct oauth_keys doc = {"xvz1evFS4wEEPTGEFPHBog", "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
                                          "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
                                          "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"};
    static const struct oauth_keys own = {"ck-example", "cs-example", "tok-example", "ts-example"};
    static const struct oauth_param form[] = {{"status", "Hello Ladies + Gentlemen, a signed OAuth request!"},
                                              {"include_entities", "true"}};
    static const struct oauth_param query[] = {
        {"query", "#dpulo -is:retweet"}, {"max_results", "100"}, {"tweet.fields", "created_at,author_id"}};
    check_signature("Ls93hJiZbQ3akF3HF3x1Bz8/zU4=", &doc, "POST", "https://api.x.com/1.1/statuses/update.json", form, 2,
                    "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", 1318622958);
    check_signature("6V4M22TUFgcPKqqoFdOA81SO79Y=", &own, "POST", "https://api.x.com/2/tweets", NULL, 0, "abc123",
                    1767225600);
    check_signature("KlSINVxR/nU18U/G6mzgojNpfy0=", &own, "GET", "https://api.x.com/2/tweets/search/recent", query, 3,
                    "abc123", 1767225600);
}

static void header_is_encoded(void **state)
{
    (void)state;
    static const struct oauth_keys own = {"ck-example", "cs-example", "tok-example", "ts-example"};
    char *header = oauth_header(&own, "POST", "https://api.x.com/2/tweets", NULL, 0, "abc123", 1767225600);
    assert_string_equal(header,
                        "Authorization: OAuth oauth_consumer_key=\"ck-example\", oauth_nonce=\"abc123\","
                        " oauth_signature=\"6V4M22TUFgcPKqqoFdOA81SO79Y%3D\", oauth_signature_method=\"HMAC-SHA1\","
                        " oauth_timestamp=\"1767225600\", oauth_token=\"tok-example\", oauth_version=\"1.0\"");
    free(header);
}

/* ---- errors -------------------------------------------------------------------------- */

static const struct {
    int code;
    const char *body;
    enum problem_kind kind;
} error_table[] = {
    {401, "{\"title\":\"Unauthorized\",\"type\":\"about:blank\",\"status\":401,\"detail\":\"Unauthorized\"}",
     PROBLEM_AUTH},
    {429, "{\"title\":\"Too Many Requests\",\"detail\":\"Too Many Requests\",\"type\":\"about:blank\",\"status\":429}",
     PROBLEM_RATE},
    {429, "{\"errors\":[{\"code\":88,\"message\":\"Rate limit exceeded\"}]}", PROBLEM_RATE},
    {429, "{\"title\":\"UsageCapExceeded\",\"type\":\"https://api.twitter.com/2/problems/usage-capped\"}", PROBLEM_CAP},
    {429,
     "{\"title\":\"ConnectionException\",\"connection_issue\":\"TooManyConnections\",\"type\":\"https://api.x.com/"
     "2/problems/streaming-connection\"}",
     PROBLEM_CONNECTIONS},
    {402, "{\"account_id\":15,\"title\":\"CreditsDepleted\",\"type\":\"https://api.twitter.com/2/problems/credits\"}",
     PROBLEM_MONEY},
    {403,
     "{\"title\":\"SpendCapReached\",\"reset_date\":\"2026-10-12\",\"type\":\"https://api.x.com/2/problems/"
     "credits\"}",
     PROBLEM_MONEY},
    {403,
     "{\"detail\":\"You are not allowed to create a Tweet with duplicate "
     "content.\",\"type\":\"about:blank\",\"title\":\"Forbidden\"}",
     PROBLEM_DUPLICATE},
    {403,
     "{\"detail\":\"Reply to this conversation is not allowed "
     "because\",\"type\":\"about:blank\",\"title\":\"Forbidden\"}",
     PROBLEM_REFUSED},
    {403,
     "{\"errors\":[{\"title\":\"Unsupported "
     "Authentication\",\"type\":\"https://api.twitter.com/2/problems/unsupported-authentication\"}]}",
     PROBLEM_AUTH},
    {403,
     "{\"title\":\"Client "
     "Forbidden\",\"reason\":\"client-not-enrolled\",\"type\":\"https://api.twitter.com/2/problems/"
     "client-forbidden\"}",
     PROBLEM_AUTH},
    {400,
     "{\"errors\":[{\"parameters\":{\"since_id\":[\"21\"]},\"message\":\"'since_id' must be a tweet id created "
     "after 2026\"}],\"title\":\"Invalid "
     "Request\",\"type\":\"https://api.twitter.com/2/problems/invalid-request\"}",
     PROBLEM_SINCE},
    {400,
     "{\"errors\":[{\"parameters\":{\"tweet.fields\":[\"x\"]},\"message\":\"The query parameter [tweet.fields] is "
     "not one of [query,post.fields]\"}],\"title\":\"Invalid Request\"}",
     PROBLEM_PARAMETER},
    {400, "{\"errors\":[{\"message\":\"Your Tweet text is too long.\"}],\"title\":\"Invalid Request\"}",
     PROBLEM_REFUSED},
    {404, "{\"type\":\"https://api.x.com/2/problems/resource-not-found\"}", PROBLEM_GONE},
    {409,
     "{\"title\":\"ConnectionException\",\"connection_issue\":\"RuleConfigurationIssue\",\"type\":\"https://"
     "api.x.com/2/problems/streaming-connection\"}",
     PROBLEM_NO_RULES},
    {503, "{\"title\":\"Service Unavailable\",\"status\":503}", PROBLEM_SERVER},
    {502, "<html>bad gateway</html>", PROBLEM_SERVER},
    {403, "", PROBLEM_REFUSED},
    {200, "{\"errors\":[{\"title\":\"operational-disconnect\",\"disconnect_type\":\"UpstreamOperationalDisconnect\"}]}",
     PROBLEM_SERVER},
    {200, "{\"errors\":[{\"title\":\"ConnectionException\",\"connection_issue\":\"TooManyConnections\"}]}",
     PROBLEM_CONNECTIONS},
};

static void errors_are_classified_by_status_type_and_title(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(error_table) / sizeof(*error_table); i++) {
        struct problem problem;
        problem_read(&problem, error_table[i].code, error_table[i].body, strlen(error_table[i].body));
        if (problem.kind != error_table[i].kind) {
            fail_msg("%d %s: kind %d, expected %d", error_table[i].code, error_table[i].body, (int)problem.kind,
                     (int)error_table[i].kind);
        }
    }
}

static void detail_is_found_in_both_styles_without_control_characters(void **state)
{
    (void)state;
    struct problem problem;
    static const char v1[] = "{\"errors\":[{\"code\":99,\"message\":\"Unable to\\nverify\"}]}";
    problem_read(&problem, 403, v1, strlen(v1));
    assert_string_equal(problem.detail, "Unable to verify");
    static const char cap[] = "{\"title\":\"SpendCapReached\",\"reset_date\":\"2026-10-12\"}";
    problem_read(&problem, 403, cap, strlen(cap));
    assert_string_equal(problem.reset_date, "2026-10-12");
}

/* ---- lines ------------------------------------------------------------------------------ */

struct heard {
    char text[256];
    int count, beats, too_long;
};

static bool hear(void *arg, const char *line, size_t len)
{
    struct heard *heard = arg;
    if (line == NULL) {
        heard->too_long++;
    } else if (len == 0) {
        heard->beats++;
    } else {
        heard->count++;
        snprintf(heard->text + strlen(heard->text), sizeof(heard->text) - strlen(heard->text), "%s|", line);
    }
    return true;
}

static void lines_are_whole_wherever_pieces_end(void **state)
{
    (void)state;
    static const char wire[] = "{\"a\":\"\xE2\x98\x95\"}\r\n\r\n{\"b\":1}\n\r\n{\"c\":\"\\r\"}\r\n";
    for (size_t first = 0; first <= sizeof(wire) - 1; first++) {
        for (size_t second = first; second <= sizeof(wire) - 1; second++) {
            struct lines lines = {0};
            struct heard heard = {0};
            lines_feed(&lines, wire, first, hear, &heard);
            lines_feed(&lines, wire + first, second - first, hear, &heard);
            lines_feed(&lines, wire + second, sizeof(wire) - 1 - second, hear, &heard);
            assert_string_equal(heard.text, "{\"a\":\"\xE2\x98\x95\"}|{\"b\":1}|{\"c\":\"\\r\"}|");
            assert_int_equal(heard.beats, 2);
            lines_clear(&lines);
        }
    }
}

static void a_line_over_the_limit_goes_by(void **state)
{
    (void)state;
    struct lines lines = {0};
    struct heard heard = {0};
    char *big = malloc(LINES_MAX_BYTES);
    memset(big, 'x', LINES_MAX_BYTES);
    lines_feed(&lines, big, LINES_MAX_BYTES, hear, &heard);
    lines_feed(&lines, big, LINES_MAX_BYTES, hear, &heard);
    lines_feed(&lines, "y\r\nok\r\n", 7, hear, &heard);
    assert_int_equal(heard.too_long, 1);
    assert_string_equal(heard.text, "ok|");
    free(big);
    lines_clear(&lines);
}

/* ---- when to connect again ---------------------------------------------------------------- */

static void dropped_connections_come_back_at_once_then_slower(void **state)
{
    (void)state;
    struct backoff backoff = {0};
    assert_int_equal(backoff_next_ms(&backoff, BACKOFF_DROP, 0), 0);
    for (int i = 1; i <= 64; i++) {
        assert_int_equal(backoff_next_ms(&backoff, BACKOFF_DROP, 0), 250 * i);
    }
    assert_int_equal(backoff_next_ms(&backoff, BACKOFF_DROP, 0), 16000);
    backoff_lived(&backoff);
    assert_int_equal(backoff_next_ms(&backoff, BACKOFF_DROP, 0), 0);
}

static void refusals_double_from_5_s_to_320_s(void **state)
{
    (void)state;
    static const int64_t waits[] = {5000, 10000, 20000, 40000, 80000, 160000, 320000, 320000};
    struct backoff backoff = {0};
    for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
        assert_int_equal(backoff_next_ms(&backoff, BACKOFF_HTTP, 0), waits[i]);
    }
}

static void a_429_waits_a_minute_and_never_less_than_the_reset(void **state)
{
    (void)state;
    struct backoff backoff = {0};
    assert_int_equal(backoff_next_ms(&backoff, BACKOFF_RATE, 0), 60000);
    assert_int_equal(backoff_next_ms(&backoff, BACKOFF_RATE, 400000), 400000);
    assert_int_equal(backoff_next_ms(&backoff, BACKOFF_RATE, 1000), 240000);
}

/* ---- since_id and months -------------------------------------------------------------------- */

static void a_search_never_goes_beyond_window_or_seven_days(void **state)
{
    (void)state;
    enum { MINUTE = 60 * 1000 };
    const int64_t now = 1790708400000, day = 24LL * 60 * MINUTE;
    char cursor[SNOWFLAKE_SIZE], id[SNOWFLAKE_SIZE];
    int64_t start = 0;
    search_since("", now - 15 * MINUTE, now, id, &start); /* never searched */
    assert_string_equal(id, "");
    assert_int_equal(start, now - 15 * MINUTE);
    snowflake_at(now - 5 * MINUTE, cursor); /* in this window: two minutes of overlap */
    search_since(cursor, now - 15 * MINUTE, now, id, &start);
    assert_int_equal(snowflake_ms(id), now - 7 * MINUTE);
    snowflake_at(now - 7 * day, cursor); /* last week's: X would answer 400 */
    search_since(cursor, now - 15 * MINUTE, now, id, &start);
    assert_string_equal(id, "");
    assert_int_equal(start, now - 15 * MINUTE);
    search_since(cursor, now - 10 * day, now, id, &start); /* a window that began too long ago */
    assert_string_equal(id, "");
    assert_int_equal(start, now - 7 * day + 10 * MINUTE);
}

static void months_begin_on_their_first_day(void **state)
{
    (void)state;
    assert_int_equal(budget_month_start(0), 0);
    assert_int_equal(budget_month_start(30), 0);
    assert_int_equal(budget_month_start(31), 31);
    assert_int_equal(budget_month_start(20789), 20788); /* 2 December 2026 */
    assert_int_equal(budget_month_start(11016), 10988); /* 29 February 2000 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_match_known_vectors),
        cmocka_unit_test(header_is_encoded),
        cmocka_unit_test(errors_are_classified_by_status_type_and_title),
        cmocka_unit_test(detail_is_found_in_both_styles_without_control_characters),
        cmocka_unit_test(lines_are_whole_wherever_pieces_end),
        cmocka_unit_test(a_line_over_the_limit_goes_by),
        cmocka_unit_test(dropped_connections_come_back_at_once_then_slower),
        cmocka_unit_test(refusals_double_from_5_s_to_320_s),
        cmocka_unit_test(a_429_waits_a_minute_and_never_less_than_the_reset),
        cmocka_unit_test(a_search_never_goes_beyond_window_or_seven_days),
        cmocka_unit_test(months_begin_on_their_first_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
