/* SPDX-License-Identifier: MIT */
/* What is asked for through DIR/hashroom.sock: tools of plugins, the status. */
#include "api.h"
#include "buf.h"
#include "control.h"
#include "control_status.h"
#include "instance.h"
#include "plugins.h"
#include "plugins_check.h"
#include "utf8.h"
#include "xalloc.h"
#include <jansson.h>

enum { WORD_MAX_BYTES = 4096, NAMES_MAX_BYTES = 1024, EXIT_OK = 0, EXIT_FAILED = 1, EXIT_WRONG = 2 };

struct answer {        /* what a tool says */
    struct hr_out out; /* first: the tool is given its address */
    struct buf text;
    bool cut;
    char *ask;
    uint32_t flags;
};

static int on_write(struct hr_out *out, const char *text, size_t len)
{
    struct answer *answer = (struct answer *)out;
    int rc = buf_add(&answer->text, text, len);
    answer->cut |= rc != HR_OK;
    return rc;
}

static int on_ask(struct hr_out *out, uint32_t flags, const char *text)
{
    struct answer *answer = (struct answer *)out;
    free(answer->ask);
    answer->ask = xstrdup(text);
    answer->flags = flags;
    return HR_OK;
}

static char *to_line(json_t *reply)
{
    CLEANUP_FREE char *text = json_dumps(reply, JSON_COMPACT);
    BUG_IF(text == NULL);
    json_decref(reply);
    return xasprintf("%s\n", text);
}

static json_t *say(int code, const char *text)
{
    return json_pack("{s:i, s:s}", "exit", code, "text", text);
}

/* ---- tools ------------------------------------------------------------------------ */

/* The running instance that has the tool; NULL with why it isn't clear. */
static struct hr_bot *find_owner(struct app *app, const char *name, const char *instance, const struct hr_tool **tool,
                                 struct buf *why)
{
    struct hr_bot *found = NULL;
    size_t count = 0;
    struct buf names;
    buf_init(&names, NAMES_MAX_BYTES);
    for (struct hr_bot *bot = plugins_each(app->plugins, NULL); bot != NULL; bot = plugins_each(app->plugins, bot)) {
        const struct hr_tool *has = bot->started && !bot->stopping ? plugins_tool(bot->plugin, name) : NULL;
        if (has != NULL && (instance == NULL || strcmp(bot->config->title, instance) == 0)) {
            *tool = has;
            found = bot;
            (void)buf_addf(&names, "%s%s", count++ > 0 ? ", " : "", bot->config->title);
        }
    }
    if (count > 1) {
        (void)buf_addf(why, "there are several: %s. Write --instance and the name of one\n", buf_str(&names));
        found = NULL;
    } else if (count == 0 && instance != NULL) {
        (void)buf_addf(why, "the bot runs no '%s' that knows '%s'\n", instance, name);
    } else if (count == 0) {
        (void)buf_addf(why, "no plugin that knows '%s' runs in the bot. Is its file in plugins/?\n", name);
    }
    buf_clear(&names);
    return found;
}

static json_t *run_tool(struct hr_bot *bot, const struct hr_tool *tool, int argc, const char *const *argv)
{
    struct answer answer = {.out = {.write = on_write, .ask = on_ask}};
    buf_init(&answer.text, CONTROL_TEXT_MAX);
    instance_enter(bot);
    int rc = tool->run(bot->state, argc, argv, &answer.out);
    instance_leave(bot, rc);
    struct buf clean;
    buf_init(&clean, CONTROL_TEXT_MAX + 64);
    (void)utf8_clean(&clean, buf_str(&answer.text), answer.text.len, CONTROL_TEXT_MAX, 0);
    if (clean.len > 0) {
        (void)buf_addf(&clean, "\n%s", answer.cut ? "(There is more than can be shown.)\n" : "");
    }
    json_t *reply = say(rc >= 0 ? EXIT_OK : rc == HR_EINVAL ? EXIT_WRONG : EXIT_FAILED, buf_str(&clean));
    if (answer.ask != NULL && rc >= 0) {
        buf_reset(&clean);
        (void)utf8_clean(&clean, answer.ask, strlen(answer.ask), CONTROL_TEXT_MAX, UTF8_LINE);
        (void)json_object_set_new(reply, "ask", json_string(buf_str(&clean)));
        (void)json_object_set_new(reply, "hidden", json_boolean(answer.flags & HR_ASK_HIDDEN));
        (void)json_object_set_new(reply, "wait", json_boolean(answer.flags & HR_ASK_WAIT));
    }
    buf_clear(&clean);
    buf_clear(&answer.text);
    free(answer.ask);
    return reply;
}

static bool is_word(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            return false;
        }
    }
    return strlen(text) <= WORD_MAX_BYTES;
}

static json_t *do_tool(struct app *app, json_t *request)
{
    const char *argv[CONTROL_ARGS_MAX + 1] = {NULL};
    const char *name = json_string_value(json_object_get(request, "name"));
    const char *instance = json_string_value(json_object_get(request, "instance"));
    json_t *args = json_object_get(request, "args");
    size_t argc = json_array_size(args);
    if (name == NULL || (args != NULL && !json_is_array(args)) || argc > CONTROL_ARGS_MAX) {
        return say(EXIT_WRONG, "a tool needs its name and at most 32 words\n");
    }
    for (size_t i = 0; i < argc; i++) {
        argv[i] = json_string_value(json_array_get(args, i));
        if (argv[i] == NULL || !is_word(argv[i])) {
            return say(EXIT_WRONG, "a word may have 4096 bytes and no control characters\n");
        }
    }
    struct buf why;
    buf_init(&why, 2 * NAMES_MAX_BYTES);
    const struct hr_tool *tool = NULL;
    struct hr_bot *bot = find_owner(app, name, instance, &tool, &why);
    json_t *reply = bot == NULL ? say(EXIT_WRONG, buf_str(&why)) : run_tool(bot, tool, (int)argc, argv);
    buf_clear(&why);
    return reply;
}

/* ---- requests ---------------------------------------------------------------------- */

char *control_run(struct app *app, const char *line, size_t len)
{
    json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    const char *what = json_string_value(json_object_get(request, "do"));
    json_t *reply = NULL;
    if (what != NULL && strcmp(what, "tool") == 0) {
        reply = do_tool(app, request);
    } else if (what != NULL && strcmp(what, "status") == 0) {
        reply = json_pack("{s:i, s:o}", "exit", EXIT_OK, "status", control_status(app));
    } else {
        reply = say(EXIT_WRONG, "this bot doesn't know that request. Are bot and command of one version?\n");
    }
    json_decref(request);
    return to_line(reply);
}
