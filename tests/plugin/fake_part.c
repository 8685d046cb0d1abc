/* SPDX-License-Identifier: MIT */
/* Parts in the fake host: what a network plugin makes of words, and sends. */
#include "fake_inside.h"
#include <string.h>

struct parts {
    struct hr_parts hr;
    struct fake *fake;
    size_t count;
};

static void add_part(struct hr_parts *hr, const void *body, size_t len)
{
    struct parts *parts = (struct parts *)hr;
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(parts->fake, FAKE_PART, &memory);
    record->text = fake_copy_bytes(memory, body, len);
    record->len = len;
    parts->count++;
}

size_t fake_render(struct fake *fake, const struct hr_delivery *delivery)
{
    return fake_render_all(fake, &delivery, 1);
}

size_t fake_render_all(struct fake *fake, const struct hr_delivery *const *deliveries, size_t count)
{
    struct parts parts = {.hr = {.add = add_part}, .fake = fake};
    char err[256] = "";
    fake_enter(fake);
    int status = fake->plugin->network->render(fake->state, deliveries, count, &parts.hr, err, sizeof err);
    (void)fake_leave(fake, fake->entry_count, HR_OK);
    if (status < 0) {
        fake->api.problem(&fake->bot, "", "%s", err);
        return 0;
    }
    return parts.count;
}

int fake_send_part(struct fake *fake, const struct hr_part *part)
{
    size_t mark = fake->entry_count;
    fake_enter(fake);
    return fake_leave(fake, mark, fake->plugin->network->send(fake->state, part));
}

int fake_send(struct fake *fake, uint64_t id, uint64_t room, const char *body)
{
    char txn[32] = "fake.0";
    txn[5] = (char)('0' + id % 10);
    return fake_send_part(fake, &(struct hr_part){.size = sizeof(struct hr_part),
                                                  .id = id,
                                                  .txn = txn,
                                                  .room = fake->api.room(&fake->bot, room),
                                                  .act = HR_ACT_SAY,
                                                  .body = body,
                                                  .body_len = strlen(body),
                                                  .attempt = 1,
                                                  .first_ms = fake->chat_ms});
}
