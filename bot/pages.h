/* SPDX-License-Identifier: MIT */
/*
 * What people without an account can open: one HTTP listener on the loop (libmicrohttpd) for all plugins, meant to
 * stand behind a web server that does TLS. /INSTANCE/PATH is asked of that instance once, however many want it; the
 * answer is kept in memory for as long as the plugin says, and never on disk.
 *
 * Bounds: GET and HEAD without a body, 128 connections, 20 s without a byte, 100 requests a second (200 at once),
 * 60 s for an answer, 64 MiB of pages in memory, those being sent included.
 */
#ifndef HASHROOM_PAGES_H
#define HASHROOM_PAGES_H
#include "app.h"

enum {
    PAGES_MAX_PATH_BYTES = 256,
    PAGES_MAX_CONNECTIONS = 128,
    PAGES_MAX_BYTES = 64 * 1024 * 1024,
    PAGES_RATE = 100, /* requests a second */
    PAGES_BURST = 200,
    PAGES_STALL_S = 20,
    PAGES_ANSWER_MS = 60000,
};

struct pages;

/* `listen`: "127.0.0.1:8780", "[::1]:8780"; port 0: any free one. `url`: where people find it, without a slash at the
 * end. HR_EFAIL: why in err; the bot can run without. */
int pages_open(struct pages **out, struct app *app, const char *listen, const char *url, char *err, size_t err_size);
void pages_close(struct pages *pages); /* after all owners are swept; NULL is fine */
int pages_port(const struct pages *pages);

/* hr_api serve(), serve_url(), page(). `pages` NULL: HR_ENOTFOUND, NULL. */
int pages_serve(struct pages *pages, struct hr_bot *owner, hr_page_fn *fn, void *arg);
const char *pages_url(struct pages *pages, struct hr_bot *owner);
int pages_answer(struct pages *pages, struct hr_bot *owner, const char *path, const struct hr_page *page);
void pages_sweep(struct pages *pages, struct hr_bot *owner); /* who waits is told to come again */
#endif
