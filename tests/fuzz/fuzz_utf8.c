/* SPDX-License-Identifier: MIT */
/* Any bytes: what comes through the door is valid, clean, within its size, and the same the second time. */
#include "reduce.h"
#include "utf8.h"
#include "utf8_table.h"
#include "xalloc.h"
#include <utf8proc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_BYTES = 4096 };

static void is_clean(const char *text, size_t len, bool lines)
{
    BUG_IF(!utf8_valid(text, len));
    utf8proc_int32_t cp = 0;
    for (size_t at = 0; at < len;) {
        at += (size_t)utf8proc_iterate((const uint8_t *)text + at, (utf8proc_ssize_t)(len - at), &cp);
        BUG_IF(cp == '\n' && !lines);
        BUG_IF(cp != '\n' && utf8_is_hidden(cp) && !utf8_is_joiner(cp) && !utf8_is_selector(cp));
    }
}

static void clean_twice(const uint8_t *data, size_t size, size_t max_bytes, unsigned flags)
{
    struct buf once, twice;
    buf_init(&once, MAX_BYTES + 1);
    buf_init(&twice, MAX_BYTES + 1);
    BUG_IF(utf8_clean(&once, (const char *)data, size, max_bytes, flags) != HR_OK);
    BUG_IF(once.len > max_bytes);
    is_clean(buf_str(&once), once.len, !(flags & UTF8_LINE));
    BUG_IF(utf8_clean(&twice, buf_str(&once), once.len, max_bytes, flags) != HR_OK);
    BUG_IF(strcmp(buf_str(&once), buf_str(&twice)) != 0);
    buf_clear(&once);
    buf_clear(&twice);
}

/* For calm rooms: valid, and hardly longer. */
static void reduce_once(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct buf clean;
    buf_init(&clean, MAX_BYTES + 1);
    BUG_IF(utf8_clean(&clean, (const char *)data, size, MAX_BYTES, 0) != HR_OK);
    const char *once = reduce_text(&arena, buf_str(&clean), "");
    BUG_IF(!utf8_valid(once, strlen(once)) || strlen(once) > clean.len + 64);
    buf_clear(&clean);
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reduce_once(data, size);
    clean_twice(data, size, MAX_BYTES, 0);
    clean_twice(data, size, MAX_BYTES, UTF8_LINE);
    clean_twice(data, size, size / 2 < MAX_BYTES ? size / 2 : MAX_BYTES, 0);

    struct buf name;
    buf_init(&name, MAX_BYTES);
    BUG_IF(utf8_name(&name, (const char *)data, size) != HR_OK);
    BUG_IF(name.len == 0 || name.len > 200);
    is_clean(name.ptr, name.len, false);
    buf_clear(&name);

    for (size_t max = 0; max < size && max < 64; max++) {
        BUG_IF(utf8_prefix((const char *)data, size, max) > max);
    }
    return 0;
}
