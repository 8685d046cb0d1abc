/* SPDX-License-Identifier: MIT */
/* What a manifest must have, and that those built before its last members still load. */
#include "plugins_check.h"
#include "test.h"
#include <string.h>

static int start(struct hr_bot *bot, const struct hr_api *api, void **state)
{
    (void)bot;
    (void)api;
    (void)state;
    return HR_OK;
}

static void stop(void *state)
{
    (void)state;
}

static int run(void *state, int argc, const char *const *argv, struct hr_out *out)
{
    (void)state;
    (void)argc;
    (void)argv;
    (void)out;
    return HR_OK;
}

static const struct hr_tool sound_tools[] = {{"verify-it", "", "Verifies.", run}, {0}};
static const struct hr_plugin sound = {
    HR_PLUGIN_HEADER, .name = "p", .version = "1", .help = "h", .start = start, .stop = stop, .tools = sound_tools,
};

static void refused(const struct hr_plugin *plugin, const char *name, const char *piece)
{
    char why[256] = "";
    assert_int_equal(plugins_check(plugin, name, why, sizeof(why)), HR_EINVAL);
    if (strstr(why, piece) == NULL) {
        fail_msg("no '%s' in: %s", piece, why);
    }
}

static void a_sound_manifest_passes_with_its_tools(void **state)
{
    (void)state;
    char why[256] = "";
    assert_int_equal(plugins_check(&sound, "p", why, sizeof(why)), HR_OK);
    assert_ptr_equal(plugins_tool(&sound, "verify-it"), &sound_tools[0]);
    assert_null(plugins_tool(&sound, "verify"));
}

static void one_built_before_there_were_tools_loads_and_has_none(void **state)
{
    (void)state;
    struct hr_plugin old = sound;
    char why[256] = "";
    old.size = offsetof(struct hr_plugin, tools);
    assert_int_equal(plugins_check(&old, "p", why, sizeof(why)), HR_OK);
    assert_null(plugins_tools(&old));
    assert_null(plugins_tool(&old, "verify-it"));
    old.size--;
    refused(&old, "p", "too short");
}

static void tools_need_a_function_words_and_a_sound_name(void **state)
{
    (void)state;
    static const struct hr_tool bad[] = {
        {"x", "", "h", run},     {"-x", "", "h", run},     {"Upper", "", "h", run}, {"sp ace", "", "h", run},
        {"okay", "", "h", NULL}, {"okay", NULL, "h", run}, {"okay", "", NULL, run},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const struct hr_tool tools[] = {bad[i], {0}};
        struct hr_plugin plugin = sound;
        plugin.tools = tools;
        refused(&plugin, "p", "a tool of the plugin");
    }
}

static void another_abi_name_or_a_hole_is_refused(void **state)
{
    (void)state;
    struct hr_plugin plugin = sound;
    refused(&plugin, "q", "own name");
    plugin.abi = HR_ABI + 1;
    refused(&plugin, "p", "another hashroom");
    plugin = sound;
    plugin.stop = NULL;
    refused(&plugin, "p", "lacks version, help, start or stop");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_manifest_passes_with_its_tools),
        cmocka_unit_test(one_built_before_there_were_tools_loads_and_has_none),
        cmocka_unit_test(tools_need_a_function_words_and_a_sound_name),
        cmocka_unit_test(another_abi_name_or_a_hole_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
