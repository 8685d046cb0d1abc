/* SPDX-License-Identifier: MIT */
/* `hashroom example`: commented configuration from the same tables that read it. */
#include "cli.h"
#include "config_inside.h"
#include "plugins.h"
#include "xalloc.h"

enum { WIDTH = 100, INDENT = 4 };

struct page { /* where on the page we are */
    int depth;
    bool comment; /* all of it is one: an optional section */
};

static void begin_line(const struct page *page)
{
    (void)printf("%*s%s", page->depth * INDENT, "", page->comment ? "# " : "");
}

static void print_comment(const struct page *page, const char *text)
{
    int column = WIDTH;
    for (bool first = true; *text; first = false) {
        int word = (int)strcspn(text, " ");
        if (column + 1 + word > WIDTH) {
            (void)printf("%s%*s#", first ? "" : "\n", page->depth * INDENT, "");
            column = page->depth * INDENT + 1;
        }
        column += printf(" %.*s", word, text);
        text += word;
        text += strspn(text, " ");
    }
    (void)putchar('\n');
}

/* Without a line of its own, does the option hold nothing? */
static bool is_empty(const struct hr_option *option)
{
    return option->preset && strspn(option->preset, "{} ") == strlen(option->preset);
}

/* What holds without a line of its own, or where that is nothing, an example. */
static const char *shown_value(const struct hr_option *option)
{
    bool nothing = !option->preset || is_empty(option);
    return nothing && option->example ? option->example : option->preset ? option->preset : "";
}

static void print_value(const struct hr_option *option)
{
    const char *value = shown_value(option);
    bool text = option->type == HR_STR || option->type == HR_SECRET;
    if (option->type == HR_LIST && value[0] != '{') {
        (void)printf(value[0] ? "{ \"%s\" }" : "{%s}", value);
    } else if (text && value[0] != '"') {
        (void)printf("\"%s\"", value);
    } else {
        (void)fputs(value, stdout);
    }
}

static char *make_range(const struct hr_option *option)
{
    if (option->min == 0 && option->max == 0) {
        return xstrdup("");
    }
    if (option->type == HR_INT) {
        return xasprintf(" From %lld to %lld.", (long long)option->min, (long long)option->max);
    }
    char min[32], max[32];
    config_duration(min, sizeof min, option->min);
    config_duration(max, sizeof max, option->max);
    return xasprintf(" From %s to %s.", min, max);
}

static void print_help(const struct page *page, const struct hr_option *option)
{
    CLEANUP_FREE char *range = make_range(option);
    bool example = is_empty(option) && option->example && option->example[0];
    CLEANUP_FREE char *text = xasprintf("%s%s%s", option->help, range, example ? " Not set; example:" : "");
    print_comment(page, text);
}

static void print_options(const struct page *page, const struct hr_option *options)
{
    for (const struct hr_option *option = options; option && option->name; option++) {
        print_help(page, option);
        begin_line(page);
        (void)printf("%s%s = ", option->preset && !page->comment ? "# " : "", option->name);
        print_value(option);
        (void)fputs(option[1].name ? "\n\n" : "\n", stdout);
    }
}

static void print_part(const struct page *outer, const struct config_part *part)
{
    struct page page = {outer->depth, outer->comment || part->optional};
    (void)putchar('\n');
    if (part->help) {
        print_comment(&page, part->help);
    }
    begin_line(&page);
    (void)printf("%s ", part->name);
    if (part->title) {
        (void)printf("\"%s\" ", part->title);
    }
    (void)printf("{\n");
    page.depth++;
    print_options(&page, part->options);
    for (const struct config_part *sub = part->parts; sub && sub->name; sub++) {
        print_part(&page, sub);
    }
    page.depth--;
    begin_line(&page);
    (void)printf("}\n");
    for (const struct config_sample *sample = part->samples; sample && sample->title; sample++) {
        page.comment = true;
        (void)putchar('\n');
        print_comment(&page, sample->help);
        begin_line(&page);
        (void)printf("%s \"%s\" { }\n", part->name, sample->title);
    }
}

static void print_host(void)
{
    struct page page = {0};
    print_comment(
        &page, "hashroom.conf: the bot, its chats and roles. What stands behind # is a comment. A value in a comment "
               "is what holds without it; to change it, take the # away.");
    (void)putchar('\n');
    print_options(&page, config_host_part.options);
    for (const struct config_part *part = config_host_part.parts; part->name; part++) {
        print_part(&page, part);
    }
}

static void print_plugin(const struct hr_plugin *plugin)
{
    struct page page = {0};
    CLEANUP_FREE char *head =
        xasprintf("plugins/%s.conf: %s The plugin is on when this file is there.", plugin->name, plugin->help);
    print_comment(&page, head);
    if (!plugin->network) {
        if (plugin->options && plugin->options[0].name) {
            print_comment(&page, "With several chats, put the values into sections: instance \"CHAT\" { ... }");
            (void)putchar('\n');
        }
        print_options(&page, plugin->options);
        return;
    }
    const struct config_part part = {.name = "instance",
                                     .title = plugin->name,
                                     .options = plugin->options,
                                     .help =
                                         "One for each account on this service. Its name is what rooms and roles of "
                                         "hashroom.conf begin with."};
    print_part(&page, &part);
}

int cli_example(struct cli *cli)
{
    if (!cli_no_more(cli, 1)) {
        return CLI_WRONG;
    }
    if (cli->argc == 0) {
        print_host();
        return CLI_OK;
    }
    struct app app = {0};
    char err[1024] = "";
    cli_open_plugins(cli, &app);
    const struct hr_plugin *plugin = plugins_load(app.plugins, cli->argv[0], err, sizeof err);
    if (plugin) {
        print_plugin(plugin);
    }
    int code = plugin ? CLI_OK : cli_wrong("%s", err);
    cli_close(&app);
    return code;
}
