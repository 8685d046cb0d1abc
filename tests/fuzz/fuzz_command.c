/* SPDX-License-Identifier: MIT */
/* Lines people type: what is taken as a command has the form command.h promises. */
#include "command.h"
#include "utf8.h"
#include "xalloc.h"
#include <ctype.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(struct arena *arena, const char *prefix, const char *text, bool in_private)
{
    struct command_line line = {0};
    if (!command_parse(arena, prefix, "hashroom", text, in_private, &line)) {
        return;
    }
    BUG_IF(line.word == NULL || line.rest == NULL);
    BUG_IF(line.word[0] == 0 && !in_private);
    BUG_IF(strlen(line.word) > 32 || strlen(line.rest) > strlen(text));
    BUG_IF(strchr(line.rest, '\n') != NULL);
    for (const char *at = line.word; *at != 0; at++) {
        const bool upper = *at >= 'A' && *at <= 'Z';
        BUG_IF(upper || !(isalnum((unsigned char)*at) || *at == '-' || *at == '_'));
    }
    /* An answer to a question is never taken, so that it is never kept from the other rooms. */
    const bool answer = line.word[0] != 0 && strchr("aqt", line.word[0]) != NULL && line.word[1] != 0 &&
                        strspn(line.word + 1, "0123456789") == strlen(line.word + 1);
    BUG_IF(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct buf clean;
    buf_init(&clean, 70000);
    if (utf8_clean(&clean, (const char *)data, size, 65536, 0) == HR_OK) {
        for (int in_private = 0; in_private < 2; in_private++) {
            look(&arena, "!", buf_str(&clean), in_private != 0);
            look(&arena, "hr:", buf_str(&clean), in_private != 0);
        }
    }
    buf_clear(&clean);
    arena_clear(&arena);
    return 0;
}
