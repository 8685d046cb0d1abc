/* SPDX-License-Identifier: MIT */
/* Pages for people without an account, in the fake host. */
#include "fake_inside.h"

#include <string.h>

static int api_serve(struct hr_bot *bot, hr_page_fn *fn, void *arg)
{
    struct fake *fake = bot->fake;
    if (!fake->pages) {
        return HR_ENOTFOUND;
    }
    if (!fn || fake->page_fn) {
        return fn ? HR_EEXIST : HR_EINVAL;
    }
    fake->page_fn = fn;
    fake->page_arg = arg;
    return HR_OK;
}

static const char *api_serve_url(struct hr_bot *bot)
{
    struct fake *fake = bot->fake;
    const char *name = fake->instance ? fake->instance : fake->plugin->name;
    return fake->page_fn ? fake->api.print(bot, "https://pages.example.org/%s/", name) : NULL;
}

static int api_page(struct hr_bot *bot, const char *path, const struct hr_page *page)
{
    struct fake *fake = bot->fake;
    struct fake_piece **memory;
    if (!fake->pages) {
        return HR_ENOTFOUND;
    }
    if (!path || strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/") != strlen(path) ||
        strlen(path) > 200 || page->size != sizeof *page || page->code < 200 || page->code > 599 || !page->type) {
        return HR_EINVAL;
    }
    struct fake_record *record = fake_record_add(fake, FAKE_PAGE, &memory);
    record->address = fake_copy(memory, path);
    record->number = page->code;
    record->key = fake_copy(memory, page->type);
    record->name = fake_copy(memory, page->file_name);
    record->text = fake_copy_bytes(memory, page->bytes ? page->bytes : "", page->len);
    record->len = page->len;
    record->flags = page->download;
    record->time_ms = page->keep_ms;
    return HR_OK;
}

void fake_fill_pages(struct fake *fake)
{
    fake->page_fn = NULL; /* a restart begins without */
    fake->api.serve = api_serve;
    fake->api.serve_url = api_serve_url;
    fake->api.page = api_page;
}

void fake_pages(struct fake *fake)
{
    fake->pages = true;
}

int fake_visit(struct fake *fake, const char *path)
{
    if (!fake->page_fn) {
        return HR_ENOTFOUND;
    }
    size_t mark = fake->entry_count;
    fake_enter(fake);
    return fake_leave(fake, mark, fake->page_fn(fake->page_arg, path));
}
