/* SPDX-License-Identifier: MIT */
/* Long computations, derived keys and the store id of the fake host. */
#include "fake_inside.h"
#include <stdlib.h>
#include <string.h>

enum { WORK_MAX = 64 };

int fake_work_add(struct fake *fake, hr_work_fn *work, hr_work_fn *done, hr_work_fn *drop, void *arg)
{
    if (!work || !done) {
        return HR_EINVAL;
    }
    if (fake->work_count >= WORK_MAX) {
        return HR_ELIMIT;
    }
    *FAKE_PUSH(fake->works, fake->work_count) = (struct fake_work){work, done, drop, arg, fake->depth};
    return HR_OK;
}

/* Those asked for at `depth` or deeper: gone, without a call back. */
static void drop_works(struct fake *fake, int depth)
{
    size_t count = fake->work_count;
    fake->work_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct fake_work work = fake->works[i];
        if (work.depth < depth) {
            fake->works[fake->work_count++] = work;
        } else if (work.drop) {
            work.drop(work.arg);
        }
    }
}

void fake_works_leave(struct fake *fake, bool keep)
{
    if (!keep) {
        drop_works(fake, fake->depth);
    }
    for (size_t i = 0; i < fake->work_count; i++) {
        if (fake->works[i].depth >= fake->depth) {
            fake->works[i].depth = fake->depth - 1;
        }
    }
}

void fake_works_clear(struct fake *fake)
{
    drop_works(fake, 0);
    free(fake->works);
    fake->works = NULL;
}

size_t fake_works(const struct fake *fake)
{
    return fake->work_count;
}

size_t fake_work(struct fake *fake)
{
    size_t count = 0;
    while (fake->work_count > 0) {
        struct fake_work work = fake->works[0];
        memmove(fake->works, fake->works + 1, --fake->work_count * sizeof(*fake->works));
        work.work(work.arg);
        size_t mark = fake->entry_count;
        fake_enter(fake);
        work.done(work.arg);
        (void)fake_leave(fake, mark, HR_OK);
        count++;
    }
    return count;
}

void fake_key(struct fake *fake, int number)
{
    fake->key = number;
}

void fake_store_id(struct fake *fake, const char *id)
{
    fake->store_id = fake_copy(&fake->kept, id);
}

static uint64_t mix(uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    } while (*text++);
    return hash;
}

/* No cryptography: other bytes for another plugin, instance, purpose or key, that is all. */
int fake_derive(struct fake *fake, const char *purpose, void *out, size_t len)
{
    if (!purpose || !purpose[0] || strlen(purpose) > 200 || len == 0 || len > 64) {
        return HR_EINVAL;
    }
    uint64_t hash = mix(mix(mix(UINT64_C(14695981039346656037) + (uint64_t)fake->key, fake->plugin->name),
                            fake->instance ? fake->instance : fake->plugin->name),
                        purpose);
    for (size_t i = 0; i < len; i++) {
        hash ^= hash << 13;
        hash ^= hash >> 7;
        hash ^= hash << 17;
        ((unsigned char *)out)[i] = (unsigned char)(hash >> 32);
    }
    return HR_OK;
}
