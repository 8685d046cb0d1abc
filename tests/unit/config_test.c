/* SPDX-License-Identifier: MIT */
#include "config_inside.h"
#include "log.h"
#include "test.h"
#include "xalloc.h"
#include <hashroom/network.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- scan ------------------------------------------------------------------------ */

static void assert_scan(const char *text, int line, const char *piece)
{
    CLEANUP_FREE char *copy = xstrdup(text);
    int at = 0;
    const char *wrong = NULL;
    bool good = config_scan(copy, strlen(copy), &at, &wrong);
    assert_int_equal(good, piece == NULL);
    if (piece) {
        assert_non_null(strstr(wrong, piece));
        assert_int_equal(at, line);
    }
}

static void scan_lets_ordinary_files_pass(void **state)
{
    (void)state;
    assert_scan("", 0, NULL);
    assert_scan("# only a comment", 0, NULL);
    assert_scan("a = 1 # behind a value\nb = \"#x // {\" // so\n/* a\nb */c = 'it''s ${HOME} \\x'\n", 0, NULL);
    assert_scan("s \"t\" { a = { \"b\", c } } /* end *//* again */# done", 0, NULL);
    assert_scan("url = \"https://example.org/#a\"\n", 0, NULL);
}

static void scan_names_the_line_of_what_a_person_would_read_otherwise(void **state)
{
    (void)state;
    assert_scan("a = 1\nroom libera/#x { }", 2, "Put quotes");
    assert_scan("tag = #DPULO\n", 1, "Put quotes");
    assert_scan("url = https://example.org", 1, "Put quotes");
    assert_scan("\n\na = \"${HOME}\"", 3, "is not replaced");
    assert_scan("a = ${HOME}", 1, "is not replaced");
    assert_scan("a = \"b\nc\"", 1, "closing quote");
    assert_scan("a = 'b", 1, "closing quote");
    assert_scan("a = \"b\\", 1, "backslash");
    assert_scan("a = \"\\33[m\"", 1, "backslash");
    assert_scan("\n/* b\n\n", 2, "never closed");
    assert_scan("s {\n\n", 1, "never closed");
    assert_scan("s { } }", 1, "closes nothing");
    assert_scan("a = b\x01", 1, "control character");
    assert_scan("a = \"\xC3\x28\"", 1, "UTF-8");
    assert_scan("a = \xE2\x80\x9Cso\xE2\x80\x9D", 1, "not the quotes");
    assert_scan("a = \"\xE2\x80\x9Cso\xE2\x80\x9D\"", 0, NULL);
}

static void scan_leaves_no_comment_behind(void **state)
{
    (void)state;
    char text[] = "a = 1 # b\n/* c\nd */e = \"#f\" // g\n#";
    int line = 0;
    const char *wrong = NULL;
    assert_true(config_scan(text, strlen(text), &line, &wrong));
    assert_string_equal(text, "a = 1    \n    \n    e = \"#f\"     \n ");
}

/* ---- values ------------------------------------------------------------------------ */

static void assert_value(enum hr_type type, const char *text, int64_t expected)
{
    struct hr_option option = {.name = "o", .type = type};
    struct hr_value value = {0};
    char err[256] = "";
    assert_int_equal(config_parse(&option, text, &value, err, sizeof err), HR_OK);
    assert_int_equal(value.num, expected);
}

static void assert_refused(enum hr_type type, const char *text)
{
    struct hr_option option = {.name = "o", .type = type, .min = 1000, .max = 60000};
    struct hr_value value = {.num = 42};
    char err[256] = "";
    assert_int_equal(config_parse(&option, text, &value, err, sizeof err), HR_EINVAL);
    assert_non_null(strstr(err, "Write"));
    assert_int_equal(value.num, 42);
}

static void values_are_read_by_their_type(void **state)
{
    (void)state;
    assert_value(HR_BOOL, "Yes", 1);
    assert_value(HR_BOOL, "off", 0);
    assert_value(HR_INT, "-17", -17);
    assert_value(HR_DURATION, "0", 0);
    assert_value(HR_DURATION, "500ms", 500);
    assert_value(HR_DURATION, "90s", 90000);
    assert_value(HR_DURATION, "5 min", 300000);
    assert_value(HR_DURATION, "2h", 7200000);
    assert_value(HR_DURATION, "7d", 604800000);
}

static void wrong_values_are_refused_and_nothing_is_set(void **state)
{
    (void)state;
    static const char *const numbers[] = {"",      "x",   "12x", "1.5", "999", "60001", "99999999999999999999",
                                          " 5000", "0x10"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_refused(HR_INT, numbers[i]);
    }
    static const char *const times[] = {"", "5", "5 years", "999ms", "2m", "9223372036854775807d"};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        assert_refused(HR_DURATION, times[i]);
    }
    assert_refused(HR_BOOL, "2");
    assert_refused(HR_REAL, "nan");
}

static void presets_are_read_as_in_a_file(void **state)
{
    (void)state;
    char err[256] = "";
    struct hr_value value = {0};
    struct hr_option list = {.name = "o", .type = HR_LIST, .preset = "{ \"a b\", c }"};
    assert_int_equal(config_preset(&list, &value, err, sizeof err), HR_OK);
    assert_string_equal(value.list[0], "a b");
    assert_string_equal(value.list[1], "c");
    assert_null(value.list[2]);
    config_value_clear(&value);
    struct hr_option text = {.name = "o", .type = HR_STR, .preset = "\"quoted\""};
    assert_int_equal(config_preset(&text, &value, err, sizeof err), HR_OK);
    assert_string_equal(value.str, "quoted");
    config_value_clear(&value);
    struct hr_option wrong = {.name = "o", .type = HR_INT, .preset = "many"};
    assert_int_equal(config_preset(&wrong, &value, err, sizeof err), HR_EINVAL);
}

/* ---- the whole ------------------------------------------------------------------------ */

static int check_room(const char *address, char *err, size_t err_size)
{
    (void)snprintf(err, err_size, "no");
    return address[0] == '#' ? HR_OK : HR_EINVAL;
}

static void check_toy(struct hr_bot *bot, const struct hr_api *api)
{
    if (api->option(bot, "port")->num == 13) {
        api->problem(bot, "port", "13 brings bad luck. Write another");
    }
}

static const struct hr_network toy_network = {.size = sizeof toy_network, .service = "Toy", .check_room = check_room};
static const struct hr_option toy_options[] = {
    {.name = "server", .type = HR_STR, .help = "Server."},
    {.name = "port", .type = HR_INT, .preset = "6697", .min = 1, .max = 65535, .help = "Port."},
    {.name = "names", .type = HR_LIST, .preset = "{ \"x\" }", .help = "Names."},
    {0},
};
static const struct hr_plugin toy = {HR_PLUGIN_HEADER,       .name = "toy",           .version = "1",    .help = "Toy.",
                                     .options = toy_options, .network = &toy_network, .check = check_toy};

static const struct hr_plugin *find(void *arg, const struct config *config, const char *name, char *err,
                                    size_t err_size)
{
    (void)arg, (void)config;
    (void)snprintf(err, err_size, "there is no plugin %s", name);
    return strcmp(name, "toy") == 0 ? &toy : NULL;
}

static struct config *read_files(const char *host, const char *plugin)
{
    char folder[] = "/tmp/hashroom-config-XXXXXX";
    assert_non_null(mkdtemp(folder));
    CLEANUP_FREE char *plugins = xasprintf("%s/plugins", folder), *file = xasprintf("%s/plugins/toy.conf", folder);
    CLEANUP_FREE char *main_file = xasprintf("%s/hashroom.conf", folder);
    assert_int_equal(mkdir(plugins, 0700), 0);
    const char *const paths[] = {main_file, file}, *const texts[] = {host, plugin};
    for (size_t i = 0; i < 2; i++) {
        FILE *out = fopen(paths[i], "w");
        assert_non_null(out);
        assert_true(fputs(texts[i], out) >= 0);
        assert_int_equal(fclose(out), 0);
    }
    struct config *config = config_read(folder, find, NULL);
    (void)unlink(main_file);
    (void)unlink(file);
    (void)rmdir(plugins);
    (void)rmdir(folder);
    return config;
}

static const char host_file[] =
    "prefix = '?'\n"
    "chat \"one\" {\n"
    "  tag = \"#One\"\n"
    "  room \"a/#x\" { pace = full  power_host = 50 }\n"
    "  room \"a/#y\" { }\n"
    "  route { from = \"a/#x\"  to = { \"a/#y\" }  when = live }\n"
    "}\n"
    "role \"host\" { accounts = { \"a/asha\" }  names = { \"Asha\" }  chats = { \"one\" } }\n"
    "role \"host\" { accounts = { \"a/ben\" } }\n";

static void sound_files_are_read_whole(void **state)
{
    (void)state;
    struct config *config = read_files(host_file, "instance \"a\" { server = here port = 7 names = { } }\n"
                                                  "instance \"b\" {\n server = there\n}\n");
    assert_string_equal(buf_str(&config->problems), "");
    assert_string_equal(config->prefix, "?");
    assert_string_equal(config->name, "hashroom");
    assert_int_equal(config->chat_count, 1);
    const struct config_chat *chat = &config->chat[0];
    assert_string_equal(chat->room[0].network, "a");
    assert_string_equal(chat->room[0].address, "#x");
    assert_true(chat->room[0].full);
    assert_int_equal(chat->room[0].power_host, 50);
    assert_int_equal(chat->room[1].where.line, 5);
    assert_int_equal(chat->route[0].from, 0);
    assert_int_equal(chat->route[0].to[0], 1);
    assert_true(chat->route[0].live_only);
    assert_int_equal(config->role_count, 2);
    assert_string_equal(config->role[0].chats[0], "one");
    assert_null(config->role[1].chats[0]);
    const struct hr_plugin *plugin = NULL;
    const struct config_instance *b = config_network(config, "b", &plugin);
    assert_ptr_equal(plugin, &toy);
    assert_int_equal(b->where.line, 2);
    assert_string_equal(config_value(&toy, b, "server")->str, "there");
    assert_int_equal(config_value(&toy, b, "port")->num, 6697);
    assert_string_equal(config_value(&toy, b, "names")->list[0], "x");
    assert_null(config_value(&toy, config_network(config, "a", NULL), "names")->list[0]);
    assert_null(config_network(config, "c", NULL));
    config_free(config);
}

static void pages_need_an_address_with_tls(void **state)
{
    static const struct {
        const char *text, *listen, *url, *problem;
    } row[] = {
        {"", "", "", ""},
        {"pages { listen = '127.0.0.1:8780' url = 'https://m.example.org/' }\n", "127.0.0.1:8780",
         "https://m.example.org", ""},
        {"pages { listen = '[::1]:8780' url = 'http://localhost:1' }\n", "[::1]:8780", "http://localhost:1", ""},
        {"pages { listen = '127.0.0.1' url = 'https://x' }\n", "127.0.0.1", "https://x", "listen: '127.0.0.1' is not"},
        {"pages { listen = '127.0.0.1:99999' url = 'https://x' }\n", NULL, NULL, "listen: '127.0.0.1:99999' is not"},
        {"pages { listen = '127.0.0.1:1' url = 'http://x' }\n", NULL, NULL, "url: 'http://x' is not"},
        {"pages { listen = '127.0.0.1:1' }\n", NULL, NULL, "url"},
        {"pages { listen = '127.0.0.1:1' url = 'https://x' }\npages { }\n", NULL, NULL, "written twice"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char text[2048];
        (void)snprintf(text, sizeof text, "%s%s", row[i].text, host_file);
        struct config *config = read_files(text, "instance \"a\" {\n server = s\n}\n");
        assert_int_equal(config->problem_count > 0, row[i].problem[0] != '\0');
        assert_non_null(strstr(buf_str(&config->problems), row[i].problem));
        if (row[i].listen) {
            assert_string_equal(config->pages_listen, row[i].listen);
            assert_string_equal(config->pages_url, row[i].url);
        }
        config_free(config);
    }
    struct config *config =
        read_files("pages { listen = '0.0.0.0:8780' url = 'https://x' }\nchat \"c\" { tag = '#C' }\n",
                   "instance \"a\" {\n server = s\n}\n");
    assert_non_null(strstr(buf_str(&config->warnings), "from other machines, without TLS"));
    config_free(config);
}

static void plugin_checks_its_own_values(void **state)
{
    (void)state;
    struct config *config = read_files(host_file, "instance \"a\" {\n server = s\n port = 13\n}\n");
    assert_int_equal(config->problem_count, 1);
    assert_non_null(strstr(buf_str(&config->problems), "toy.conf:3: port: 13 brings bad luck. Write another"));
    config_free(config);
}

static void file_after_a_broken_one_is_read_as_ever(void **state)
{
    (void)state;
    struct config *config = read_files("chat \"one { tag = x\n", "instance \"a\" {\n server = s\n}\n");
    assert_int_equal(config->problem_count, 1);
    assert_int_equal(config->plugin[0].instance_count, 1);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_lets_ordinary_files_pass),
        cmocka_unit_test(scan_names_the_line_of_what_a_person_would_read_otherwise),
        cmocka_unit_test(scan_leaves_no_comment_behind),
        cmocka_unit_test(values_are_read_by_their_type),
        cmocka_unit_test(wrong_values_are_refused_and_nothing_is_set),
        cmocka_unit_test(presets_are_read_as_in_a_file),
        cmocka_unit_test(sound_files_are_read_whole),
        cmocka_unit_test(pages_need_an_address_with_tls),
        cmocka_unit_test(plugin_checks_its_own_values),
        cmocka_unit_test(file_after_a_broken_one_is_read_as_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
