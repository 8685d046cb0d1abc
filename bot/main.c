/* SPDX-License-Identifier: MIT */
/* The program: finds the command and gives it the words that follow. */
#include "cli.h"
#include "log.h"
#include "xalloc.h"
#include <unistd.h>

static const struct cli_command commands[] = {
    {"run", "", "The bot. Stop it with SIGTERM or Ctrl-C; SIGHUP reads the configuration anew.", cli_run},
    {"check", "", "Reads all configuration and prints each problem with file, line and the fix. Connects to nothing.",
     cli_check},
    {"doctor", "", "Connects to each network and says in plain words which step fails and what to do.", cli_doctor},
    {"status", "[--json]",
     "How the running bot is: networks, budgets, what waits, what became of each message, the disk. It ends with 0 if "
     "all is well, 1 if something is down, 2 if the bot doesn't run.",
     cli_status},
    {"plugins", "[--texts | --commands]",
     "Lists the plugins there are; --texts: everything the bot can say; --commands: "
     "everything it can be asked.",
     cli_plugins},
    {"example", "[NAME]", "Prints a commented example of hashroom.conf, or of the file of plugin NAME.", cli_example},
    {"rehearse", "[--feed FILE] [--speed N] [--length MINUTES] [--questions FILE]",
     "Plays a whole chat in this terminal, without any configuration. --feed: posts as the X API v2 gives them, one a "
     "line; "
     "--speed: so many times faster than life; --length: of the chat; --questions: one a line.",
     cli_rehearse},
    {"backup", "FILE",
     "Writes the database into a new file, also while the bot runs. To go back to it, put it in the place of "
     "hashroom.db.",
     cli_backup},
    {"new-key", "",
     "For when the store key is lost: the bot makes a new one at its next start. What plugins had encrypted in the "
     "database is lost then. Does nothing while the key is in its place.",
     cli_new_key},
    {"export", "NAME [--chat CHAT] [--format FORMAT]",
     "Prints what a plugin kept, for example: export links --format md. Without NAME: lists what there is.",
     cli_export},
    {"new-plugin", "NAME [DIR]", "Writes a small plugin with its test, to start your own from.", cli_new_plugin},
    {0},
};

const struct cli_command *cli_commands(void)
{
    return commands;
}

static void print_wrapped(const char *text, int indent)
{
    int column = indent;
    (void)printf("%*s", indent, "");
    while (*text) {
        int word = (int)strcspn(text, " ");
        if (column > indent && column + 1 + word > 79) {
            (void)printf("\n%*s", indent, "");
            column = indent;
        }
        column += printf("%s%.*s", column > indent ? " " : "", word, text);
        text += word;
        text += strspn(text, " ");
    }
    (void)putchar('\n');
}

static void help_tool(const struct hr_plugin *plugin, const struct hr_tool *tool)
{
    (void)plugin;
    (void)printf("  %s%s%s\n", tool->name, tool->usage[0] ? " " : "", tool->usage);
    print_wrapped(tool->help, 6);
}

static int help(struct cli *cli)
{
    (void)printf("usage: hashroom COMMAND [-c DIR] ...\n\n");
    for (const struct cli_command *command = commands; command->name; command++) {
        (void)printf("  %s%s%s\n", command->name, command->usage[0] ? " " : "", command->usage);
        print_wrapped(command->help, 6);
    }
    cli_each_tool(cli, help_tool);
    (void)printf("\n  -c DIR      Folder of the configuration. Else $HASHROOM_CONFIG, else\n"
                 "              /etc/hashroom.\n"
                 "  --instance NAME   For a command of a plugin that runs several times:\n"
                 "              which one is meant.\n"
                 "  --version   Prints the version.\n\n"
                 "It ends with 0 if all went well, 1 if something failed, 2 if the\n"
                 "configuration or the command line is wrong.\n");
    return CLI_OK;
}

static char *find_exe_dir(void)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    if (len <= 0) {
        return xstrdup("");
    }
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    return xstrndup(path, slash ? (size_t)(slash - path) : 0);
}

int cli_wrong(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)fputs("hashroom: ", stderr);
    (void)vfprintf(stderr, fmt, ap);
    (void)fputc('\n', stderr);
    va_end(ap);
    return CLI_WRONG;
}

static void take_words(struct cli *cli, int at, int count)
{
    for (int i = at; i + count <= cli->argc; i++) {
        cli->argv[i] = cli->argv[i + count]; /* the NULL at the end moves too */
    }
    cli->argc -= count;
}

const char *cli_option(struct cli *cli, const char *name, bool *wrong)
{
    for (int i = 0; i < cli->argc; i++) {
        if (strcmp(cli->argv[i], name) != 0) {
            continue;
        }
        const char *value = cli->argv[i + 1];
        if (!value) {
            *wrong = true;
            (void)cli_wrong("%s needs a value behind it. See: hashroom --help", name);
            return NULL;
        }
        take_words(cli, i, 2);
        return value;
    }
    return NULL;
}

bool cli_flag(struct cli *cli, const char *name)
{
    for (int i = 0; i < cli->argc; i++) {
        if (strcmp(cli->argv[i], name) == 0) {
            take_words(cli, i, 1);
            return true;
        }
    }
    return false;
}

bool cli_no_more(const struct cli *cli, int most)
{
    for (int i = 0; i < cli->argc; i++) {
        if (i >= most || cli->argv[i][0] == '-') {
            (void)cli_wrong("'%s' is not expected here. See: hashroom --help", cli->argv[i]);
            return false;
        }
    }
    return true;
}

static void find_config(struct cli *cli, bool *wrong)
{
    const char *dir = cli_option(cli, "-c", wrong);
    cli->config_dir = dir ? dir : getenv("HASHROOM_CONFIG");
    if (!cli->config_dir || !cli->config_dir[0]) {
        cli->config_dir = "/etc/hashroom";
    }
}

static int dispatch(struct cli *cli, const char *word)
{
    for (const struct cli_command *command = commands; command->name; command++) {
        if (strcmp(command->name, word) == 0) {
            return command->run(cli);
        }
    }
    return cli_tool(cli, word);
}

int main(int argc, char **argv)
{
    bool wrong = false;
    char **copy = xcalloc((size_t)argc + 1, sizeof *copy);
    memcpy(copy, argv, (size_t)argc * sizeof *copy);
    struct cli cli = {.exe_dir = find_exe_dir(), .argc = argc - 1, .argv = argv + 1, .whole_argv = copy};
    find_config(&cli, &wrong);
    int code = CLI_WRONG;
    const char *word = cli.argc > 0 ? cli.argv[0] : "";
    if (wrong) {
        code = CLI_WRONG;
    } else if (cli.argc == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        code = cli.argc == 0 ? (help(&cli), CLI_WRONG) : help(&cli);
    } else if (strcmp(word, "--man") == 0) {
        code = cli_man(&cli);
    } else if (strcmp(word, "--version") == 0) {
        code = printf("hashroom %s\n", HASHROOM_VERSION) < 0 ? CLI_FAILED : CLI_OK;
    } else {
        take_words(&cli, 0, 1);
        code = dispatch(&cli, word);
    }
    if (fflush(stdout) != 0) {
        code = code == CLI_OK ? CLI_FAILED : code;
    }
    config_strings_free(cli.plugin_path);
    free(cli.exe_dir);
    free(copy);
    log_clear();
    return code;
}
