/* SPDX-License-Identifier: MIT */
/* The fake host: memory, records, a plugin's life. */
#include "fake_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fake_die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)fputs("fake host: ", stderr);
    (void)vfprintf(stderr, fmt, ap);
    (void)fputc('\n', stderr);
    va_end(ap);
    abort();
}

void *fake_alloc(struct fake_piece **list, size_t size)
{
    struct fake_piece *piece = calloc(1, sizeof *piece + (size ? size : 1));
    if (!piece) {
        fake_die("out of memory");
    }
    piece->next = *list;
    *list = piece;
    return piece->bytes;
}

char *fake_copy_bytes(struct fake_piece **list, const char *text, size_t len)
{
    char *copy = fake_alloc(list, len + 1);
    if (len) {
        memcpy(copy, text, len);
    }
    return copy;
}

char *fake_copy(struct fake_piece **list, const char *text)
{
    return fake_copy_bytes(list, text ? text : "", text ? strlen(text) : 0);
}

void fake_drop_list(struct fake_piece **list)
{
    while (*list) {
        struct fake_piece *piece = *list;
        *list = piece->next;
        free(piece);
    }
}

void *fake_grow(void *array, size_t count, size_t size)
{
    char *bytes = realloc(array, (count + 1) * size);
    if (!bytes) {
        fake_die("out of memory");
    }
    memset(bytes + count * size, 0, size);
    return bytes;
}

/* ---- records ------------------------------------------------------------------ */

struct fake_record *fake_record_add(struct fake *fake, enum fake_kind kind, struct fake_piece ***memory)
{
    struct fake_entry *entry = calloc(1, sizeof *entry);
    if (!entry) {
        fake_die("out of memory");
    }
    *FAKE_PUSH(fake->entries, fake->entry_count) = entry;
    entry->record = (struct fake_record){.kind = kind,
                                         .address = "",
                                         .text = "",
                                         .lead = "",
                                         .lead_url = "",
                                         .key = "",
                                         .revision = "",
                                         .author_id = "",
                                         .account = "",
                                         .name = "",
                                         .handle = "",
                                         .url = "",
                                         .method = "",
                                         .headers = "",
                                         .reply_to = "",
                                         .reply_name = "",
                                         .reply_text = "",
                                         .media_url = ""};
    *memory = &entry->memory;
    return &entry->record;
}

static void drop_entry(struct fake_entry *entry)
{
    fake_drop_list(&entry->memory);
    free(entry);
}

static void cut_records(struct fake *fake, size_t count)
{
    while (fake->entry_count > count) {
        drop_entry(fake->entries[--fake->entry_count]);
    }
}

void fake_forget(struct fake *fake)
{
    cut_records(fake, 0);
}

size_t fake_count(const struct fake *fake, enum fake_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < fake->entry_count; i++) {
        count += fake->entries[i]->record.kind == kind;
    }
    return count;
}

const struct fake_record *fake_nth(const struct fake *fake, enum fake_kind kind, size_t nth)
{
    for (size_t i = 0; i < fake->entry_count; i++) {
        if (fake->entries[i]->record.kind == kind && nth-- == 0) {
            return &fake->entries[i]->record;
        }
    }
    return NULL;
}

const struct fake_record *fake_last(const struct fake *fake, enum fake_kind kind)
{
    size_t count = fake_count(fake, kind);
    return count ? fake_nth(fake, kind, count - 1) : NULL;
}

const struct fake_record *fake_with(const struct fake *fake, enum fake_kind kind, const char *piece)
{
    for (size_t i = 0; i < fake->entry_count; i++) {
        const struct fake_record *record = &fake->entries[i]->record;
        if ((!kind || record->kind == kind) && strstr(record->text, piece)) {
            return record;
        }
    }
    return NULL;
}

/* ---- calls into the plugin -------------------------------------------------------- */

void fake_enter(struct fake *fake)
{
    fake->depth++;
    char sql[48];
    (void)snprintf(sql, sizeof sql, "SAVEPOINT fake_%d", fake->depth);
    (void)fake_sql(fake, sql);
}

/* What says how the plugin failed stays; what it did is undone. */
static void undo_records(struct fake *fake, size_t mark)
{
    size_t kept = mark;
    for (size_t i = mark; i < fake->entry_count; i++) {
        enum fake_kind kind = fake->entries[i]->record.kind;
        struct fake_entry *entry = fake->entries[i];
        if (kind == FAKE_LOG || kind == FAKE_PROBLEM || kind == FAKE_OUT || kind == FAKE_UP || kind == FAKE_DOWN) {
            fake->entries[kept++] = entry;
        } else {
            drop_entry(entry);
        }
    }
    fake->entry_count = kept;
}

int fake_leave(struct fake *fake, size_t mark, int status)
{
    char sql[48];
    if (status < 0) {
        (void)snprintf(sql, sizeof sql, "ROLLBACK TO fake_%d", fake->depth);
        (void)fake_sql(fake, sql);
        undo_records(fake, mark < fake->entry_count ? mark : fake->entry_count);
    }
    fake_works_leave(fake, status >= 0);
    (void)snprintf(sql, sizeof sql, "RELEASE fake_%d", fake->depth);
    (void)fake_sql(fake, sql);
    if (--fake->depth == 0) {
        fake_drop_list(&fake->scratch);
    }
    return status;
}

/* ---- a plugin's life ---------------------------------------------------------------- */

struct fake *fake_new(const struct hr_plugin *plugin)
{
    struct fake *fake = calloc(1, sizeof *fake);
    if (!fake) {
        fake_die("out of memory");
    }
    if (plugin->abi != HR_ABI || plugin->size < sizeof *plugin) {
        fake_die("the plugin was built for another version of hashroom's headers");
    }
    fake->plugin = plugin;
    fake->bot.fake = fake;
    fake->out.fake = fake;
    fake->chat_ms = fake->mono_ms = FAKE_NOW_MS;
    fake->private_left = 100;
    fake->instance = fake_copy(&fake->kept, plugin->name);
    fake->hosts = fake_copy(&fake->kept, "Asha");
    fake->store_id = fake_copy(&fake->kept, "fakestore2222222");
    fake_settings_init(fake);
    fake_db_open(fake);
    fake_fill_api(fake);
    fake_fill_network(fake);
    return fake;
}

void fake_free(struct fake *fake)
{
    if (!fake) {
        return;
    }
    fake_stop(fake);
    fake_net_clear(fake);
    fake_settings_clear(fake);
    cut_records(fake, 0);
    free(fake->entries);
    free(fake->rooms);
    free(fake->chats);
    free(fake->routes);
    free(fake->log);
    free(fake->said);
    free(fake->accounts);
    free(fake->networks);
    free(fake->reports);
    fake_drop_list(&fake->scratch);
    fake_drop_list(&fake->kept);
    (void)sqlite3_close(fake->db);
    free(fake);
}

void fake_instance(struct fake *fake, const char *title)
{
    fake->instance = fake_copy(&fake->kept, title);
}

int fake_check(struct fake *fake)
{
    size_t before = fake_count(fake, FAKE_PROBLEM);
    if (fake->plugin->check) {
        fake_enter(fake);
        fake->plugin->check(&fake->bot, &fake->api);
        (void)fake_leave(fake, fake->entry_count, HR_OK);
    }
    return (int)(fake_count(fake, FAKE_PROBLEM) - before);
}

int fake_start(struct fake *fake)
{
    if (fake->started) {
        fake_die("fake_start() came twice without fake_stop()");
    }
    int status = fake_db_schema(fake);
    if (status < 0) {
        return status;
    }
    for (size_t i = 0; i < fake->setting_count; i++) {
        (void)fake_value(fake, fake->settings[i].option->name); /* aborts where a required one is missing */
    }
    size_t mark = fake->entry_count;
    fake->started = true;
    if (fake->plugin->start) {
        fake_enter(fake);
        status = fake_leave(fake, mark, fake->plugin->start(&fake->bot, &fake->api, &fake->state));
    }
    if (status < 0) {
        fake->started = false;
        fake_timers_clear(fake);
        fake_works_clear(fake);
        fake_net_clear(fake);
    }
    return status;
}

void fake_stop(struct fake *fake)
{
    if (!fake->started) {
        return;
    }
    fake_works_clear(fake);
    if (fake->plugin->stop) {
        fake_enter(fake);
        fake->plugin->stop(fake->state);
        (void)fake_leave(fake, fake->entry_count, HR_OK);
    }
    fake->started = false;
    fake->state = NULL;
    fake_timers_clear(fake);
    fake_works_clear(fake);
    fake_net_clear(fake);
}

struct hr_bot *fake_bot(struct fake *fake)
{
    return &fake->bot;
}

const struct hr_api *fake_api(struct fake *fake)
{
    return &fake->api;
}

void *fake_state(struct fake *fake)
{
    return fake->state;
}

int fake_report(struct fake *fake)
{
    size_t before = fake_count(fake, FAKE_OUT);
    if (fake->plugin->report) {
        fake_enter(fake);
        fake->plugin->report(fake->state, &fake->out);
        (void)fake_leave(fake, fake->entry_count, HR_OK);
    }
    return (int)(fake_count(fake, FAKE_OUT) - before);
}

int fake_tool(struct fake *fake, const char *name, int argc, const char *const *argv)
{
    for (const struct hr_tool *tool = fake->plugin->tools; tool && tool->name; tool++) {
        if (strcmp(tool->name, name) == 0) {
            size_t mark = fake->entry_count;
            struct hr_out out = {fake, true};
            fake_enter(fake);
            return fake_leave(fake, mark, tool->run(fake->state, argc, argv, &out));
        }
    }
    return HR_ENOTFOUND;
}

int fake_export(struct fake *fake, const char *name, const char *chat, const char *format)
{
    for (const struct hr_export *e = fake->plugin->exports; e && e->name; e++) {
        if (strcmp(e->name, name) == 0) {
            size_t mark = fake->entry_count;
            fake_enter(fake);
            return fake_leave(fake, mark, e->run(fake->state, chat, format, &fake->out));
        }
    }
    return HR_ENOTFOUND;
}
