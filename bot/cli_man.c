/* SPDX-License-Identifier: MIT */
/* `hashroom --man`: the man page, from the table that drives --help. docs/hashroom.1 is what it prints. */
#include "cli.h"
#include "xalloc.h"

/* In roff a line may not begin with . or ', and - is a hyphen unless escaped. */
static void put(const char *text)
{
    if (*text == '.' || *text == '\'') {
        (void)fputs("\\&", stdout);
    }
    for (const char *c = text; *c; c++) {
        if (*c == '-') {
            (void)fputs("\\-", stdout);
        } else if (*c == '\\') {
            (void)fputs("\\e", stdout);
        } else {
            (void)putchar(*c);
        }
    }
}

static void put_item(const char *head, const char *rest, const char *text)
{
    (void)fputs(".TP\n\\fB", stdout);
    put(head);
    (void)fputs("\\fR", stdout);
    if (rest[0]) {
        (void)putchar(' ');
        put(rest);
    }
    (void)putchar('\n');
    put(text);
    (void)putchar('\n');
}

struct item {
    const char *head, *text;
};

static void put_section(const char *title, const struct item *items)
{
    (void)printf(".SH %s\n", title);
    for (const struct item *item = items; item->head; item++) {
        put_item(item->head, "", item->text);
    }
}

static const struct item files[] = {
    {"/etc/hashroom/hashroom.conf", "The bot, its chats with rooms and routes, its roles. See: hashroom example"},
    {"/etc/hashroom/plugins/NAME.conf", "One for each plugin that is switched on. See: hashroom example NAME"},
    {"/var/lib/hashroom/hashroom.db",
     "What was said and what is still to be said. To copy it beside a running bot: hashroom backup"},
    {"/var/lib/hashroom/hashroom.key",
     "The key to what plugins encrypt in the database (keys and logins), if key_file names no other. Keep a copy, never "
     "together with a backup."},
    {"/var/lib/hashroom/hashroom.sock", "Through it commands reach the running bot; open to its user and root alone."},
    {"/var/lib/hashroom/hashroom.boot", "Beside it an old copy of the database is noticed. Moves with the database."},
    {0},
};

static const struct item environment[] = {
    {"HASHROOM_CONFIG", "Folder of the configuration, where -c is not given."},
    {"HASHROOM_CLOCK", "File with one line, WALL_MS CHAT_MS SPEED, that sets the clock of the chats. For tests."},
    {"CREDENTIALS_DIRECTORY", "Set by systemd: where credential:NAME in the configuration is looked for."},
    {0},
};

static const struct item signals[] = {
    {"SIGTERM, SIGINT", "Stops the bot cleanly. What was not said yet is said after the next start."},
    {"SIGHUP",
     "Reads the configuration anew. If all is well the bot restarts with it, else it says what is wrong and goes on "
     "as it was."},
    {0},
};

static const struct item codes[] = {
    {"0", "All went well."},
    {"1", "Something failed; it was said what."},
    {"2", "The configuration or the command line is wrong, or the database or its key needs somebody: starting again "
          "changes nothing. For status: the bot does not run."},
    {0},
};

static void put_tool(const struct hr_plugin *plugin, const struct hr_tool *tool)
{
    CLEANUP_FREE char *text = xasprintf("%s (Plugin %s; asks the running bot.)", tool->help, plugin->name);
    put_item(tool->name, tool->usage, text);
}

int cli_man(struct cli *cli)
{
    (void)printf(".TH HASHROOM 1 2026-11-23 \"hashroom %s\"\n", HASHROOM_VERSION);
    (void)printf(
        ".SH NAME\nhashroom \\- carries a weekly hashtag chat into IRC channels and Matrix rooms, and runs it there\n"
        ".SH SYNOPSIS\n\\fBhashroom\\fR \\fICOMMAND\\fR [\\fB\\-c\\fR \\fIDIR\\fR] ...\n"
        ".SH COMMANDS\n");
    for (const struct cli_command *command = cli_commands(); command->name; command++) {
        put_item(command->name, command->usage, command->help);
    }
    cli_each_tool(cli, put_tool);
    (void)printf(".SH OPTIONS\n");
    put_item("-c", "DIR", "Folder of the configuration. Else $HASHROOM_CONFIG, else /etc/hashroom.");
    put_item("--instance", "NAME", "For a command of a plugin that runs several times: which one is meant.");
    put_item("--help", "", "Prints the commands.");
    put_item("--version", "", "Prints the version.");
    put_section("FILES", files);
    put_section("ENVIRONMENT", environment);
    put_section("SIGNALS", signals);
    put_section("EXIT STATUS", codes);
    return CLI_OK;
}
