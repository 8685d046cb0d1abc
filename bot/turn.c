/* SPDX-License-Identifier: MIT */
/* A turn of the loop: one transaction, then the effects it let go. */
#include "turn.h"
#include "xalloc.h"

enum { DEPTH_MAX = 16, ROUNDS_MAX = 8 };

struct effect {
    turn_effect_fn *fn, *drop;
    void *arg;
};

struct effects {
    struct effect *item;
    size_t count, cap;
};

struct level { /* one savepoint, opened only when something is written in it */
    size_t effects;
    bool open;
};

struct turn {
    uv_prepare_t prepare;
    uv_idle_t idle; /* keeps the loop from sleeping while effects wait */
    struct store *store;
    struct effects effects;
    struct level level[DEPTH_MAX];
    int depth;
    bool open, touched, ending;
    uint64_t commits;
    void (*end_fn)(void *arg);
    void *end_arg;
    void (*begin_fn)(void *arg);
    void *begin_arg;
};

static void run(struct turn *turn, const char *sql)
{
    sqlite3_stmt *stmt = store_sql(turn->store, sql);
    int rc = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    if (rc != SQLITE_DONE) {
        store_fatal(turn->store, sql);
    }
}

static const char *savepoint_sql(int depth, int what)
{
    static const char *const sql[DEPTH_MAX][3] = {
#define LEVEL(n) {"SAVEPOINT l" #n, "RELEASE l" #n, "ROLLBACK TO l" #n}
        LEVEL(0), LEVEL(1), LEVEL(2),  LEVEL(3),  LEVEL(4),  LEVEL(5),  LEVEL(6),  LEVEL(7),
        LEVEL(8), LEVEL(9), LEVEL(10), LEVEL(11), LEVEL(12), LEVEL(13), LEVEL(14), LEVEL(15),
#undef LEVEL
    };
    return sql[depth][what];
}

static void commit(struct turn *turn)
{
    if (!turn->open) {
        return;
    }
    /* A full disk inside a savepoint drops the whole transaction and leaves
     * autocommit on (SQLite 3.40): memory is then ahead of the disk. */
    if (sqlite3_get_autocommit(store_db(turn->store))) {
        store_fatal(turn->store, "the transaction");
    }
    run(turn, "COMMIT");
    turn->open = false;
    turn->commits++;
}

static void release(struct turn *turn)
{
    struct effects now = turn->effects;
    turn->effects = (struct effects){0};
    for (size_t i = 0; i < now.count; i++) {
        now.item[i].fn(now.item[i].arg);
    }
    free(now.item);
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static void end(struct turn *turn)
{
    if (turn->ending || turn->depth > 0) {
        return;
    }
    turn->ending = true;
    for (int round = 0; round < ROUNDS_MAX && (turn->open || turn->touched || turn->effects.count > 0); round++) {
        turn->touched = false;
        if (turn->end_fn != NULL) {
            turn->end_fn(turn->end_arg);
        }
        commit(turn);
        release(turn);
    }
    commit(turn);
    turn->ending = false;
    if (turn->effects.count > 0 || turn->touched) {
        uv_idle_start(&turn->idle, on_idle);
    } else {
        uv_idle_stop(&turn->idle);
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    end(prepare->data);
}

struct turn *turn_new(uv_loop_t *loop, struct store *store)
{
    struct turn *turn = xcalloc(1, sizeof(*turn));
    turn->store = store;
    uv_prepare_init(loop, &turn->prepare);
    uv_idle_init(loop, &turn->idle);
    turn->prepare.data = turn;
    turn->idle.data = turn;
    uv_prepare_start(&turn->prepare, on_prepare);
    uv_unref((uv_handle_t *)&turn->prepare);
    return turn;
}

static void on_idle_closed(uv_handle_t *handle)
{
    struct turn *turn = handle->data;
    for (size_t i = 0; i < turn->effects.count; i++) {
        if (turn->effects.item[i].drop != NULL) {
            turn->effects.item[i].drop(turn->effects.item[i].arg);
        }
    }
    free(turn->effects.item);
    free(turn);
}

static void on_prepare_closed(uv_handle_t *handle)
{
    struct turn *turn = handle->data;
    uv_close((uv_handle_t *)&turn->idle, on_idle_closed);
}

void turn_free(struct turn *turn)
{
    if (turn == NULL) {
        return;
    }
    BUG_IF(turn->depth > 0);
    turn->end_fn = NULL;
    turn->begin_fn = NULL;
    commit(turn);
    uv_prepare_stop(&turn->prepare);
    uv_close((uv_handle_t *)&turn->prepare, on_prepare_closed);
}

void turn_on_end(struct turn *turn, void (*fn)(void *arg), void *arg)
{
    turn->end_fn = fn;
    turn->end_arg = arg;
}

void turn_on_begin(struct turn *turn, void (*fn)(void *arg), void *arg)
{
    turn->begin_fn = fn;
    turn->begin_arg = arg;
}

void turn_write(struct turn *turn)
{
    if (!turn->open) {
        run(turn, "BEGIN IMMEDIATE");
        turn->open = true;
        if (turn->begin_fn != NULL) {
            int depth = turn->depth;
            turn->depth = 0; /* outside the savepoints: it stays when a callback is undone */
            turn->begin_fn(turn->begin_arg);
            turn->depth = depth;
        }
    }
    for (int i = 0; i < turn->depth; i++) {
        if (!turn->level[i].open) {
            run(turn, savepoint_sql(i, 0));
            turn->level[i].open = true;
        }
    }
}

bool turn_is_open(const struct turn *turn)
{
    return turn->open;
}

void turn_effect(struct turn *turn, turn_effect_fn *fn, turn_effect_fn *drop, void *arg)
{
    struct effects *list = &turn->effects;
    if (list->count == list->cap) {
        list->cap = list->cap < 16 ? 16 : list->cap * 2;
        list->item = xrealloc(list->item, list->cap, sizeof(*list->item));
    }
    list->item[list->count++] = (struct effect){.fn = fn, .drop = drop, .arg = arg};
}

void turn_touch(struct turn *turn)
{
    turn->touched = true;
}

void turn_enter(struct turn *turn)
{
    BUG_IF(turn->depth == DEPTH_MAX);
    turn->level[turn->depth++] = (struct level){.effects = turn->effects.count};
}

void turn_leave(struct turn *turn, bool keep)
{
    BUG_IF(turn->depth == 0);
    struct level level = turn->level[--turn->depth];
    if (level.open) {
        if (!keep) {
            run(turn, savepoint_sql(turn->depth, 2));
        }
        run(turn, savepoint_sql(turn->depth, 1));
    }
    while (!keep && turn->effects.count > level.effects) {
        struct effect effect = turn->effects.item[--turn->effects.count];
        if (effect.drop != NULL) {
            effect.drop(effect.arg);
        }
    }
}

void turn_finish(struct turn *turn)
{
    end(turn);
}

uint64_t turn_commits(const struct turn *turn)
{
    return turn->commits;
}
