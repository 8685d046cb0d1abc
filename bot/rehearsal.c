/* SPDX-License-Identifier: MIT */
/* What a rehearsal is made of: words of the command line, the feed, a configuration. */
#include "rehearsal.h"
#include "utf8.h"
#include "xalloc.h"
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SPEED_PRESET = 30,
    SPEED_MAX = 10000,
    LENGTH_PRESET = 60,
    LENGTH_MIN = 10,
    LENGTH_MAX = 240,
    LINE_MAX_BYTES = 1 << 20
};

static const char *const sample_questions[] = {
    "What has Access to Work paid for, and what did that change for you?",
    "What has helped you get it agreed faster?",
    "What still goes wrong, or takes too long?",
    "What should we ask for together?",
};

/* ---- words of the command line ---------------------------------------------------- */

static bool read_number(const char *text, double least, double most, double *out)
{
    char *end = NULL;
    double number = strtod(text, &end);
    if (end == text || *end || !isfinite(number) || number < least || number > most) {
        return false;
    }
    *out = number;
    return true;
}

static int read_questions(struct rehearsal *rehearsal, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        return cli_wrong("the questions in %s can't be read: %s. Write a file with one question a line", path,
                         strerror(errno));
    }
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    int code = CLI_OK;
    while (code == CLI_OK && (len = getline(&line, &size, file)) >= 0) {
        len -= len > 0 && line[len - 1] == '\n';
        len -= len > 0 && line[len - 1] == '\r';
        if (len == 0) {
            continue;
        }
        if (rehearsal->question_count == REHEARSAL_QUESTIONS_MAX || len > 400 || !utf8_valid(line, (size_t)len)) {
            code = cli_wrong("%s has more than %d questions, or one that is too long or not UTF-8", path,
                             REHEARSAL_QUESTIONS_MAX);
        } else {
            rehearsal->questions[rehearsal->question_count++] = xstrndup(line, (size_t)len);
        }
    }
    free(line);
    (void)fclose(file);
    if (code == CLI_OK && rehearsal->question_count == 0) {
        code = cli_wrong("%s is empty. Write one question a line", path);
    }
    return code;
}

/* ---- the feed ------------------------------------------------------------------------ */

static bool is_post_line(const char *line, size_t len)
{
    json_t *root = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    bool good = json_is_object(json_object_get(root, "data")) || json_is_array(json_object_get(root, "data"));
    json_decref(root);
    return good;
}

static int check_feed(const char *path)
{
    struct stat info;
    FILE *file = stat(path, &info) == 0 && S_ISREG(info.st_mode) ? fopen(path, "re") : NULL;
    if (!file) {
        return cli_wrong("there is no feed in %s that can be read. Name a file of X API v2 objects, one a line", path);
    }
    char *line = NULL;
    size_t size = 0, number = 0, posts = 0;
    ssize_t len;
    int code = CLI_OK;
    while (code == CLI_OK && (len = getline(&line, &size, file)) >= 0) {
        number++;
        if (strspn(line, " \t\r\n") == (size_t)len) {
            continue;
        }
        posts++;
        if (len > LINE_MAX_BYTES || !is_post_line(line, (size_t)len)) {
            code = cli_wrong(
                "%s:%zu: this is not a post. Each line is one JSON object with \"data\" in it, as the X API v2 "
                "gives it",
                path, number);
        }
    }
    free(line);
    (void)fclose(file);
    return code == CLI_OK && posts == 0 ? cli_wrong("%s is empty. Put at least one post into it", path) : code;
}

/* Tuesday of next week at 20:00. */
static int64_t next_start_ms(void)
{
    const int64_t day_ms = 24 * 60 * 60 * 1000;
    int64_t day = clock_wall_ms() / day_ms + 3;
    while ((day + 4) % 7 != 2) { /* day 0 was a Thursday, 2 is Tuesday */
        day++;
    }
    return day * day_ms + 20 * (day_ms / 24);
}

static int take_words(struct rehearsal *rehearsal, struct cli *cli)
{
    bool wrong = false;
    const char *feed = cli_option(cli, "--feed", &wrong), *speed = cli_option(cli, "--speed", &wrong);
    const char *length = cli_option(cli, "--length", &wrong), *questions = cli_option(cli, "--questions", &wrong);
    if (wrong || !cli_no_more(cli, 0)) {
        return CLI_WRONG;
    }
    if (speed && (!read_number(speed, 0, SPEED_MAX, &rehearsal->speed) || rehearsal->speed <= 0)) {
        return cli_wrong("--speed %s: write how many times faster than life it goes, above 0 and at most %d", speed,
                         SPEED_MAX);
    }
    double minutes = LENGTH_PRESET;
    if (length && !read_number(length, LENGTH_MIN, LENGTH_MAX, &minutes)) {
        return cli_wrong("--length %s: write the minutes of the chat, %d to %d", length, LENGTH_MIN, LENGTH_MAX);
    }
    rehearsal->length_min = (int)minutes;
    rehearsal->feed = feed ? realpath(feed, NULL) : cli_data(cli, "sample-feed.jsonl", "tests/data/sample-feed.jsonl");
    if (!rehearsal->feed) {
        return feed ? cli_wrong("there is no feed %s: %s", feed, strerror(errno))
                    : cli_wrong("the sample feed is not installed. Name one: --feed FILE");
    }
    int code = check_feed(rehearsal->feed);
    return code == CLI_OK && questions ? read_questions(rehearsal, questions) : code;
}

int rehearsal_init(struct rehearsal *rehearsal, struct cli *cli)
{
    *rehearsal = (struct rehearsal){.speed = SPEED_PRESET, .starts_ms = next_start_ms()};
    int code = take_words(rehearsal, cli);
    if (code == CLI_OK && rehearsal->question_count == 0) {
        for (size_t i = 0; i < sizeof sample_questions / sizeof *sample_questions; i++) {
            rehearsal->questions[rehearsal->question_count++] = xstrdup(sample_questions[i]);
        }
    }
    return code;
}

void rehearsal_clear(struct rehearsal *rehearsal)
{
    for (size_t i = 0; i < rehearsal->question_count; i++) {
        free(rehearsal->questions[i]);
    }
    free(rehearsal->feed);
    *rehearsal = (struct rehearsal){0};
}

/* ---- its configuration ------------------------------------------------------------------- */

static void put_quoted(struct buf *out, const char *text)
{
    (void)buf_adds(out, "\"");
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\') {
            (void)buf_adds(out, "\\");
        }
        (void)buf_add(out, c, 1);
    }
    (void)buf_adds(out, "\"");
}

static void put_host(struct buf *out, const char *dir)
{
    (void)buf_adds(out, "state = ");
    put_quoted(out, dir);
    (void)buf_adds(out, "\nchat \"rehearsal\" {\n"
                        "    tag = \"#DPULO\"\n"
                        "    room \"terminal/room\" { pace = full }\n"
                        "    room \"x/#dpulo\" { }\n"
                        "}\n"
                        "role \"host\" {\n"
                        "    accounts = { \"terminal/you\" }\n"
                        "    names = { \"Asha\" }\n"
                        "}\n");
}

static void put_session(struct buf *out, const struct rehearsal *rehearsal)
{
    int seconds = rehearsal->length_min * 60, welcome = seconds / 12, closing = seconds * 7 / 60;
    (void)buf_addf(out,
                   "instance \"rehearsal\" {\n"
                   "    rule = \"FREQ=WEEKLY;BYDAY=TU\"\n"
                   "    time = \"20:00\"\n"
                   "    zone = \"UTC\"\n"
                   "    zone_name = \"UK time\"\n"
                   "    length = \"%ds\"\n"
                   "    welcome = \"%ds\"\n"
                   "    closing = \"%ds\"\n"
                   "    question_length = \"%ds\"\n"
                   "    topic = \"Access to Work\"\n"
                   "    questions = { ",
                   seconds, welcome, closing, (seconds - welcome - closing) / (int)rehearsal->question_count);
    for (size_t i = 0; i < rehearsal->question_count; i++) {
        (void)buf_adds(out, i ? ", " : "");
        put_quoted(out, rehearsal->questions[i]);
    }
    (void)buf_adds(out, " }\n}\n");
}

static int write_file(const char *dir, const char *name, const struct buf *text)
{
    CLEANUP_FREE char *path = xasprintf("%s/%s", dir, name);
    FILE *file = fopen(path, "wxe");
    bool good = file && fputs(buf_str(text), file) >= 0;
    if (file) {
        good = fclose(file) == 0 && good;
    }
    if (!good) {
        (void)fprintf(stderr, "hashroom: %s can't be written: %s\n", path, strerror(errno));
    }
    return good ? HR_OK : HR_EFAIL;
}

static int write_plugins(const struct rehearsal *rehearsal, const struct cli *cli, const char *dir)
{
    static const char *const plain[] = {"relay", "resources", "moderation", "desk"};
    struct buf text;
    buf_init(&text, 64 * 1024);
    int status = HR_OK;
    for (size_t i = 0; i < sizeof plain / sizeof *plain && status == HR_OK; i++) {
        CLEANUP_FREE char *name = xasprintf("plugins/%s.conf", plain[i]);
        status = cli_has_plugin(cli, plain[i]) ? write_file(dir, name, &text) : HR_OK;
    }
    (void)buf_adds(&text, "instance \"terminal\" { }\n");
    status = status == HR_OK ? write_file(dir, "plugins/console.conf", &text) : status;
    buf_reset(&text);
    (void)buf_adds(&text, "instance \"x\" { feed = ");
    put_quoted(&text, rehearsal->feed);
    (void)buf_adds(&text, " }\n");
    status = status == HR_OK ? write_file(dir, "plugins/twitter.conf", &text) : status;
    buf_reset(&text);
    put_session(&text, rehearsal);
    status = status == HR_OK ? write_file(dir, "plugins/session.conf", &text) : status;
    buf_clear(&text);
    return status;
}

int rehearsal_write(const struct rehearsal *rehearsal, const struct cli *cli, const char *dir)
{
    struct buf text;
    buf_init(&text, 64 * 1024);
    CLEANUP_FREE char *plugins = xasprintf("%s/plugins", dir);
    put_host(&text, dir);
    int status = mkdir(plugins, 0700) == 0 ? write_file(dir, "hashroom.conf", &text) : HR_EFAIL;
    buf_clear(&text);
    return status == HR_OK ? write_plugins(rehearsal, cli, dir) : status;
}
