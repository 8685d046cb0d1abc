/* SPDX-License-Identifier: MIT */
/*
 * One page in memory and the HTTP response made of it: headers that let a browser do nothing with it but show it,
 * one range of bytes. Counted references: whoever holds one may send it, however long that takes.
 */
#ifndef HASHROOM_PAGE_H
#define HASHROOM_PAGE_H
#include <hashroom/plugin.h>
#include <microhttpd.h>

struct page {
    char *key; /* "instance/path" */
    int code;
    char *type, *disposition;
    char *bytes;
    size_t len;
    int64_t until_ms; /* monotonic: how long it may be kept */
    int refs;
    size_t *held;     /* bytes of all pages alive: less when it is freed */
    struct page *prev, *next; /* in pages->kept */
};

struct page *page_new(const char *key, const struct hr_page *from, size_t *held); /* one reference; copies */
struct page *page_ref(struct page *page);
void page_unref(struct page *page); /* NULL is fine */
/* `range`: the header's value or NULL. max_age_s 0: nobody may keep it. */
enum MHD_Result page_send(struct page *page, struct MHD_Connection *connection, const char *range, int64_t max_age_s);
/* "bytes=10-", "bytes=-5", "bytes=0-9" of `len` bytes. HR_OK: one range; HR_EINVAL: none that is understood, all is
 * sent; HR_ELIMIT: beyond the end. */
int page_range(const char *range, size_t len, size_t *from, size_t *count);
#endif
