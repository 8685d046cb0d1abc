/* SPDX-License-Identifier: MIT */
/* What a status line is made of: networks and the reports of plugins. */
#include "api_status.h"
#include "api.h"
#include "instance.h"
#include "network.h"
#include "plugins.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct hr_bot bots[3];

struct hr_bot *plugins_each(struct plugins *unused, struct hr_bot *after)
{
    (void)unused;
    const size_t next = after == NULL ? 0 : (size_t)(after - bots) + 1;
    return next < 3 ? &bots[next] : NULL;
}

void instance_enter(struct hr_bot *bot)
{
    (void)bot;
}

void instance_leave(struct hr_bot *bot, int status)
{
    (void)bot;
    (void)status;
}

int64_t clock_wall_ms(void)
{
    return 100000;
}

static void report(void *state, struct hr_out *out)
{
    const char *text = state;
    (void)out->write(out, text, strlen(text));
    (void)out->write(out, "\n", 1);
}

static const struct hr_network irc = {.service = "IRC"}, matrix = {.service = "Matrix"};
static const struct hr_plugin irc_plugin = {.name = "irc", .network = &irc, .report = report},
                              matrix_plugin = {.name = "matrix", .network = &matrix},
                              feature = {.name = "resources", .report = report};
static struct network libera = {.name = "libera",
                                .up = true,
                                .since_ms = 40000,
                                .trouble = (char *)"cut off",
                                .trouble_ms = 30000},
                      home = {.name = "home", .reason = (char *)"no answer", .since_ms = 99000};

static int setup(void **state)
{
    (void)state;
    bots[0] = (struct hr_bot){.plugin = &irc_plugin,
                              .who = (char *)"irc/libera",
                              .network = &libera,
                              .started = true,
                              .state = (void *)"all well"};
    bots[1] =
        (struct hr_bot){.plugin = &matrix_plugin, .who = (char *)"matrix/home", .network = &home, .started = true};
    bots[2] =
        (struct hr_bot){.plugin = &feature, .who = (char *)"resources", .started = true, .state = (void *)"9 links"};
    return 0;
}

static struct app app;
static struct hr_bot asking = {.app = &app};
static char seen[512];

static int on_network(void *arg, const struct hr_network_state *network)
{
    const size_t n = strlen(seen);
    (void)snprintf(seen + n, sizeof(seen) - n, "%s %s %s '%s' %d '%s' %d; ", network->name, network->service,
                   network->up ? "up" : "down", network->reason, (int)network->for_ms, network->trouble,
                   (int)network->trouble_ago_ms);
    return *(int *)arg;
}

static int on_report(void *arg, const char *who, const char *text)
{
    const size_t n = strlen(seen);
    (void)snprintf(seen + n, sizeof(seen) - n, "%s: %s", who, text);
    return *(int *)arg;
}

static void networks_come_with_their_state_and_how_long(void **state)
{
    (void)state;
    int status = 0;
    seen[0] = 0;
    assert_int_equal(api_networks(&asking, on_network, &status), 0);
    assert_string_equal(seen, "libera IRC up '' 60000 'cut off' 70000; home Matrix down 'no answer' 1000 '' 0; ");
    status = HR_EFAIL;
    seen[0] = 0;
    assert_int_equal(api_networks(&asking, on_network, &status), HR_EFAIL);
    assert_string_equal(seen, "libera IRC up '' 60000 'cut off' 70000; ");
}

static void reports_come_with_who_says_them(void **state)
{
    (void)state;
    int status = 0;
    seen[0] = 0;
    assert_int_equal(api_reports(&asking, on_report, &status), 0);
    assert_string_equal(seen, "irc/libera: all well\nresources: 9 links\n");
    bots[0].stopping = true;
    bots[2].started = false;
    seen[0] = 0;
    assert_int_equal(api_reports(&asking, on_report, &status), 0);
    assert_string_equal(seen, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(networks_come_with_their_state_and_how_long, setup),
        cmocka_unit_test_setup(reports_come_with_who_says_them, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
