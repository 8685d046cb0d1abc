/* SPDX-License-Identifier: MIT */
/* `hashroom NAME ...`: a tool of a plugin, run in the bot that runs; asks in the terminal what the tool asks. */
#include "cli.h"
#include "cli_bot.h"
#include "control.h"
#include "plugins.h"
#include "plugins_check.h"
#include "xalloc.h"
#include <signal.h>
#include <termios.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 };

struct wanted {
    const char *name;
    const struct hr_tool *tool;
};

static int look(void *arg, const char *name, const struct hr_plugin *plugin, const char *err)
{
    struct wanted *wanted = arg;
    (void)name;
    (void)err;
    if (plugin && !wanted->tool) {
        wanted->tool = plugins_tool(plugin, wanted->name);
    }
    return HR_OK;
}

/* ---- asking in the terminal ---------------------------------------------------------- */

static void echo(bool on)
{
    struct termios mode;
    if (tcgetattr(STDIN_FILENO, &mode) == 0) {
        mode.c_lflag = on ? mode.c_lflag | ECHO : mode.c_lflag & ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &mode);
    }
}

/* One line, without its end; NULL: there is no more to read. The caller frees. */
static char *read_answer(const char *question, bool hidden)
{
    char line[LINE_MAX_BYTES + 2];
    sigset_t all, before;
    (void)printf("%s ", question);
    (void)fflush(stdout);
    if (hidden) { /* an interrupt meanwhile would leave the terminal mute */
        (void)sigfillset(&all);
        (void)sigprocmask(SIG_BLOCK, &all, &before);
        echo(false);
    }
    const char *got = fgets(line, sizeof line, stdin);
    if (hidden) {
        echo(true);
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        (void)putchar('\n');
    }
    if (!got) {
        return NULL;
    }
    line[strcspn(line, "\r\n")] = '\0';
    char *copy = xstrdup(line);
    explicit_bzero(line, sizeof line);
    return copy;
}

/* Appends the answer to the words; false: nobody answers. */
static bool follow(json_t *words, json_t *reply)
{
    const char *question = json_string_value(json_object_get(reply, "ask"));
    if (json_is_true(json_object_get(reply, "wait"))) {
        (void)sleep(1);
        return true;
    }
    char *answer = read_answer(question, json_is_true(json_object_get(reply, "hidden")));
    if (!answer) {
        (void)fprintf(stderr, "\nhashroom: there was no answer; nothing more is done\n");
        return false;
    }
    (void)json_array_append_new(words, json_string(answer));
    explicit_bzero(answer, strlen(answer));
    free(answer);
    return true;
}

/* ---- the tool ------------------------------------------------------------------------- */

/* What a tool that waits says again and again is said once. */
static void print_fresh(const char *text, char **last)
{
    if (!*last || strcmp(*last, text) != 0) {
        (void)fputs(text, stdout);
        (void)fflush(stdout);
    }
    free(*last);
    *last = xstrdup(text);
}

static int converse(const char *state_dir, const char *name, const char *instance, json_t *words)
{
    CLEANUP_FREE char *last = NULL;
    for (;;) {
        char err[1024] = "";
        json_t *reply = NULL;
        json_t *request =
            json_pack("{s:s, s:s, s:s*, s:O}", "do", "tool", "name", name, "instance", instance, "args", words);
        int rc = cli_ask_bot(state_dir, request, &reply, err, sizeof err);
        json_decref(request);
        if (rc < 0) {
            (void)fprintf(stderr, "hashroom: %s\n", err);
            return CLI_FAILED;
        }
        const char *text = json_string_value(json_object_get(reply, "text"));
        int code = (int)json_integer_value(json_object_get(reply, "exit"));
        bool more = json_is_string(json_object_get(reply, "ask"));
        if (code == CLI_OK) {
            print_fresh(text ? text : "", &last);
        } else {
            (void)fputs(text ? text : "", stderr);
        }
        more = more && json_array_size(words) < CONTROL_ARGS_MAX && follow(words, reply);
        bool unanswered = !more && json_is_string(json_object_get(reply, "ask"));
        json_decref(reply);
        if (!more) {
            return unanswered ? CLI_FAILED : code;
        }
    }
}

int cli_tool(struct cli *cli, const char *name)
{
    bool wrong = false;
    const char *instance = cli_option(cli, "--instance", &wrong);
    struct wanted wanted = {.name = name};
    struct app app = {0};
    if (wrong) {
        return CLI_WRONG;
    }
    cli_open_plugins(cli, &app);
    (void)plugins_list(app.plugins, look, &wanted);
    int code = CLI_WRONG;
    if (!wanted.tool) {
        code = cli_wrong("there is no command '%s'. See: hashroom --help", name);
    } else if (!app.config || !app.config->state_dir[0]) {
        code = cli_wrong("'%s' asks the running bot, but there is no configuration in %s. Write -c and its folder",
                         name, cli->config_dir);
    } else {
        json_t *words = json_array();
        for (int i = 0; i < cli->argc; i++) {
            (void)json_array_append_new(words, json_string(cli->argv[i]));
        }
        code = json_array_size(words) == (size_t)cli->argc ? converse(app.config->state_dir, name, instance, words)
                                                           : cli_wrong("a word is not valid UTF-8");
        json_decref(words);
    }
    cli_close(&app);
    return code;
}

/* ---- for --help, plugins and the man page --------------------------------------------- */

struct each {
    void (*fn)(const struct hr_plugin *plugin, const struct hr_tool *tool);
};

static int tell(void *arg, const char *name, const struct hr_plugin *plugin, const char *err)
{
    struct each *each = arg;
    (void)name;
    (void)err;
    for (const struct hr_tool *tool = plugin ? plugins_tools(plugin) : NULL; tool && tool->name; tool++) {
        each->fn(plugin, tool);
    }
    return HR_OK;
}

void cli_each_tool(struct cli *cli, void (*fn)(const struct hr_plugin *plugin, const struct hr_tool *tool))
{
    struct each each = {fn};
    struct app app = {0};
    cli_open_plugins(cli, &app);
    (void)plugins_list(app.plugins, tell, &each);
    cli_close(&app);
}
