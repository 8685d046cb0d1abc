/* SPDX-License-Identifier: MIT */
/* A whole host in a unit test. */
#include "host_fixture.h"
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* Plugins can't carry a pointer of the test: there is one fixture at a time. */
static struct fixture *current;

struct fake {
    struct hr_bot *bot;
    const struct hr_api *api;
};

static int fake_start(struct hr_bot *bot, const struct hr_api *api, void **state)
{
    struct fake *fake = xcalloc(1, sizeof(*fake));
    *fake = (struct fake){.bot = bot, .api = api};
    *state = fake;
    return HR_OK;
}

static void fake_stop(void *state)
{
    free(state);
}

static int fake_render(void *state, const struct hr_delivery *const *deliveries, size_t count, struct hr_parts *out,
                       char *err, size_t err_size)
{
    static const char *const acts[] = {"", "Correction: "};
    struct fake *fake = state;
    const struct hr_delivery *d = deliveries[0];
    if (count > 1) {
        const char *body = acts[d->act];
        for (size_t i = 0; i < count; i++) {
            body = fake->api->print(fake->bot, "%s%s%s", body, i > 0 ? " | " : "", deliveries[i]->text);
        }
        body = fake->api->print(fake->bot, "%s%s%s", body, d->act == HR_ACT_EDIT ? " @" : "",
                                d->act == HR_ACT_EDIT ? d->target[0] : "");
        out->add(out, body, strlen(body));
        return HR_OK;
    }
    if (d->act == HR_ACT_REMOVE) {
        for (size_t i = 0; i < d->target_count; i++) {
            const char *body =
                fake->api->print(fake->bot, "Removed: %s%s%s", d->lead, d->lead[0] ? ": " : "", d->target[i]);
            out->add(out, body, strlen(body));
        }
        return HR_OK;
    }
    if (strcmp(d->text, "too long") == 0) {
        snprintf(err, err_size, "it is too long");
        return HR_EINVAL;
    }
    char *text = xstrdup(d->text), *rest = text, *line;
    while ((line = strsep(&rest, "\n")) != NULL) { /* a part a line */
        const char *body = fake->api->print(
            fake->bot, "%s%s%s%s%s%s%s%s%s", acts[d->act], d->lead, d->lead[0] ? ": " : "", line,
            d->reply_remote[0] ? " ^" : "", d->reply_remote,
            d->act != HR_ACT_SAY && d->target_count > 0 ? d->target[0] : "", d->origin[0] ? " shows " : "", d->origin);
        out->add(out, body, strlen(body));
    }
    free(text);
    return HR_OK;
}

/* Seen through another connection: committed, and claimed. */
static bool is_on_disk(struct fixture *f, uint64_t part)
{
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *stmt;
    snprintf(path, sizeof(path), "%s/state/hashroom.db", f->dir);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT 1 FROM part WHERE id = ?1 AND state = 'claimed'", -1, &stmt, NULL),
                     SQLITE_OK);
    sqlite3_bind_int64(stmt, 1, (int64_t)part);
    bool there = sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return there;
}

static int fake_send(void *state, const struct hr_part *part)
{
    struct fake *fake = state;
    struct fixture *f = current;
    assert_true(f->sent_count < FIXTURE_SENT_MAX);
    assert_true(is_on_disk(f, part->id)); /* nothing leaves before it is recorded */
    struct fixture_sent *sent = &f->sent[f->sent_count++];
    *sent = (struct fixture_sent){
        .part = part->id, .act = part->act, .attempt = part->attempt, .flags = part->flags, .priority = part->priority};
    snprintf(sent->room, sizeof(sent->room), "%s/%s", part->room->network, part->room->address);
    snprintf(sent->body, sizeof(sent->body), "%s", part->body);
    snprintf(sent->txn, sizeof(sent->txn), "%s", part->txn);
    if (f->answer == HR_OK) {
        char remote[64];
        snprintf(remote, sizeof(remote), "r%llu", (unsigned long long)part->id);
        fake->api->net->sent(fake->bot, part->id, HR_OK, remote, -1, NULL);
    } else if (f->answer < 0) {
        fake->api->net->sent(fake->bot, part->id, f->answer, NULL, 1, "the test says so");
    }
    return HR_OK;
}

static int fake_check_room(const char *address, char *err, size_t err_size)
{
    (void)address;
    (void)err;
    (void)err_size;
    return HR_OK;
}

static const struct hr_network fake_network = {
    .size = sizeof(fake_network),
    .service = "Fake",
    .room_flags = HR_ROOM_PEOPLE,
    .limits = {.size = sizeof(struct hr_limits), .rate = 0, .burst = 0, .window = 1, .window_all = 8},
    .check_room = fake_check_room,
    .render = fake_render,
    .send = fake_send,
    .flags = HR_NET_MERGE,
};

static int run_where(void *state, int argc, const char *const *argv, struct hr_out *out)
{
    struct fake *fake = state;
    (void)argc;
    (void)argv;
    fake->api->out(out, "in %s\n", fake->api->instance(fake->bot));
    return HR_OK;
}

static const struct hr_tool fake_tools[] = {
    {.name = "where", .usage = "", .help = "Says which instance it is.", .run = run_where},
    {0},
};

static const struct hr_plugin fake_plugin = {
    HR_PLUGIN_HEADER,         .name = "fake",      .version = "1",    .help = "A network of the test.",
    .network = &fake_network, .start = fake_start, .stop = fake_stop, .tools = fake_tools,
};

struct to_room {
    struct fake *fake;
    uint64_t message;
};

static int relay_to(void *arg, const struct hr_room *room)
{
    struct to_room *to = arg;
    struct hr_say say = {.size = sizeof(say), .lead = "Lead", .priority = current->relay_as, .flags = HR_SAY_TEXT};
    return to->fake->api->relay(to->fake->bot, to->message, room->id, &say);
}

static int feature_event(void *state, const struct hr_event *event)
{
    struct fake *fake = state;
    struct fixture *f = current;
    f->events++;
    f->last_count = event->count;
    snprintf(f->last_event, sizeof(f->last_event), "%d:%s", (int)event->kind,
             event->message != NULL   ? event->message->text
             : event->network != NULL ? event->network
                                      : "");
    if (f->relay && event->kind == HR_EV_MESSAGE) {
        struct to_room to = {.fake = fake, .message = event->message->id};
        int rc = fake->api->routes(fake->bot, event->message->room->id, relay_to, &to);
        if (rc < 0) {
            return rc;
        }
    }
    return f->fail_event ? HR_EFAIL : HR_OK;
}

static enum hr_verdict feature_judge(void *state, const struct hr_message *message)
{
    (void)state;
    (void)message;
    return current->verdict;
}

static int run_hello(void *state, const struct hr_call *call)
{
    struct fake *fake = state;
    return fake->api->answer(fake->bot, call, "hello");
}

static const struct hr_command feature_commands[] = {
    {.name = "hello",
     .usage = "",
     .help = "Says hello.",
     .example = "!hello",
     .run = run_hello,
     .flags = HR_CMD_NO_CHAT},
    {.name = "secret",
     .usage = "",
     .help = "Hosts only.",
     .example = "!secret",
     .permission = "chat.run",
     .run = run_hello},
    {0},
};

/* Says its words; the first of them may make it fail or ask. */
static int run_echo(void *state, int argc, const char *const *argv, struct hr_out *out)
{
    struct fake *fake = state;
    const char *first = argc > 0 ? argv[0] : "";
    fake->api->out(out, "%d words: ", argc);
    for (int i = 0; i < argc; i++) {
        fake->api->out(out, "%s%s", i > 0 ? ", " : "", argv[i]);
    }
    int rc = fake->api->sql(fake->bot, "INSERT INTO feature_called VALUES(1)", NULL, 0, NULL, NULL);
    if (strcmp(first, "ask") == 0) {
        rc = fake->api->ask(out, HR_ASK_HIDDEN, "Go %s?", "on");
    }
    return strcmp(first, "fail") == 0 ? HR_EFAIL : strcmp(first, "wrong") == 0 ? HR_EINVAL : rc;
}

static const struct hr_tool feature_tools[] = {
    {.name = "echo", .usage = "[WORD]...", .help = "Says its words.", .run = run_echo},
    {0},
};

static const char *const feature_schema[] = {"CREATE TABLE feature_called(n INTEGER)", NULL};

static const struct hr_plugin feature_plugin = {
    HR_PLUGIN_HEADER,
    .name = "feature",
    .version = "1",
    .help = "A feature of the test.",
    .events = HR_EV(HR_EV_MESSAGE) | HR_EV(HR_EV_EDIT) | HR_EV(HR_EV_REMOVE) | HR_EV(HR_EV_NETWORK) |
              HR_EV(HR_EV_DOUBT) | HR_EV(HR_EV_BACKLOG) | HR_EV(HR_EV_LEFT_OUT),
    .commands = feature_commands,
    .schema = feature_schema,
    .tools = feature_tools,
    .start = fake_start,
    .stop = fake_stop,
    .event = feature_event,
    .judge = feature_judge,
};

static const struct hr_plugin *find(void *arg, const struct config *config, const char *name, char *err,
                                    size_t err_size)
{
    (void)arg;
    (void)config;
    snprintf(err, err_size, "there is no plugin %s", name);
    return strcmp(name, "fake") == 0 ? &fake_plugin : strcmp(name, "feature") == 0 ? &feature_plugin : NULL;
}

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void open_app(struct fixture *f)
{
    static const char *const path[] = {NULL};
    char err[256] = "";
    uv_loop_init(&f->loop);
    f->app = (struct app){.loop = &f->loop};
    assert_int_equal(clock_init(&f->app.clock, NULL), HR_OK);
    f->app.plugins = plugins_new(&f->app, path);
    f->app.config = config_read(f->dir, find, NULL);
    if (f->app.config->problem_count > 0) {
        fail_msg("%s", buf_str(&f->app.config->problems));
    }
    int rc = app_open(&f->app, STORE_TEMPORARY, err, sizeof(err));
    assert_string_equal(err, "");
    assert_int_equal(rc, HR_OK);
}

static void close_app(struct fixture *f)
{
    app_close(&f->app);
    plugins_free(f->app.plugins);
    config_free(f->app.config);
    assert_int_equal(uv_loop_close(&f->loop), 0);
}

struct fixture *fixture_new(const char *conf)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    current = f;
    f->relay_as = HR_PEOPLE;
    const char *where = getenv("TMPDIR");
    snprintf(f->dir, sizeof(f->dir), "%.30s/hashroom-host-XXXXXX", where != NULL ? where : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    char plugins[128], text[4096];
    snprintf(plugins, sizeof(plugins), "%s/plugins", f->dir);
    assert_int_equal(mkdir(plugins, 0700), 0);
    snprintf(text, sizeof(text), "name = \"testbot\"\nstate = \"%s/state\"\n%s", f->dir,
             conf != NULL
                 ? conf
                 : "chat \"c\" {\n tag = \"#C\"\n room \"a/one\" { pace = full }\n room \"a/two\" { pace = full }\n"
                   " room \"b/one\" { pace = full }\n}\n"
                   "role \"host\" { accounts = { \"a/boss\" }\n names = { \"Asha\" } }\n");
    write_file(f->dir, "hashroom.conf", text);
    write_file(plugins, "fake.conf", "instance \"a\" { }\ninstance \"b\" { }\n");
    write_file(plugins, "feature.conf", "");
    open_app(f);
    return f;
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        char sub[512];
        snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            remove_tree(sub);
        }
    }
    if (dir != NULL) {
        closedir(dir);
        rmdir(path);
    } else {
        unlink(path);
    }
}

void fixture_free(struct fixture *f)
{
    close_app(f);
    remove_tree(f->dir);
    free(f);
    current = NULL;
}

void fixture_restart(struct fixture *f, bool clean)
{
    turn_finish(f->app.turn);
    if (!clean) { /* the plugins never hear of it: parts stay claimed */
        f->answer = 1;
    }
    close_app(f);
    f->sent_count = 0;
    open_app(f);
}

void fixture_turn(struct fixture *f)
{
    turn_finish(f->app.turn);
    turn_write(f->app.turn); /* what has arrived is settled with the next transaction: here it is */
    turn_finish(f->app.turn);
    arena_reset(&f->app.arena);
}

struct hr_bot *fixture_bot(struct fixture *f, const char *title)
{
    struct hr_bot *bot = NULL;
    while ((bot = plugins_each(f->app.plugins, bot)) != NULL && strcmp(bot->config->title, title) != 0) {
    }
    assert_non_null(bot);
    return bot;
}

int fixture_post(struct fixture *f, const char *title, const char *room, const char *key, const char *name,
                 const char *text)
{
    struct hr_bot *bot = fixture_bot(f, title);
    struct hr_post post = {.size = sizeof(post),
                           .room = room,
                           .key = key,
                           .author = {.id = name, .account = name, .name = name, .handle = ""},
                           .text = text,
                           .text_len = strlen(text),
                           .time_ms = 1};
    instance_enter(bot);
    int rc = messages_post(f->app.messages, bot, &post, NULL);
    instance_leave(bot, HR_OK);
    return rc;
}

int fixture_say(struct fixture *f, const char *room, enum hr_priority priority, const char *text, const char *key)
{
    struct hr_bot *bot = fixture_bot(f, "feature");
    struct fake *fake = bot->state;
    struct hr_say say = {.size = sizeof(say), .text = text, .priority = priority, .key = key};
    uint64_t id = fixture_room(f, room);
    instance_enter(bot);
    int rc = fake->api->say(bot, &id, 1, &say, NULL);
    instance_leave(bot, HR_OK);
    return rc;
}

int64_t fixture_number(struct fixture *f, const char *sql)
{
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_prepare_v2(store_db(f->app.store), sql, -1, &stmt, NULL), SQLITE_OK);
    int64_t number = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -1;
    sqlite3_finalize(stmt);
    return number;
}

uint64_t fixture_room(struct fixture *f, const char *where)
{
    char network[64];
    snprintf(network, sizeof(network), "%.*s", (int)strcspn(where, "/"), where);
    struct room *room = rooms_find(f->app.rooms, network, strchr(where, '/') + 1);
    assert_non_null(room);
    return room->hr.id;
}

int fixture_setup(void **state)
{
    *state = fixture_new(NULL);
    return 0;
}

int fixture_teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

void fixture_all_up(struct fixture *f)
{
    static const char *const rooms[][2] = {{"a", "one"}, {"a", "two"}, {"b", "one"}};
    network_up(fixture_bot(f, "a"), NULL);
    network_up(fixture_bot(f, "b"), NULL);
    for (size_t i = 0; i < 3; i++) {
        network_up(fixture_bot(f, rooms[i][0]), rooms[i][1]);
    }
    fixture_turn(f);
}

int64_t fixture_in_state(struct fixture *f, const char *state)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM delivery WHERE state = '%s'", state);
    return fixture_number(f, sql);
}
