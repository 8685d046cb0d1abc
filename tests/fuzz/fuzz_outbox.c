/* SPDX-License-Identifier: MIT */
/*
 * Two bytes a step: posts, edits, removals, tokens, refusals, lost answers and deaths, in any order, through a whole
 * host into one room whose network merges lines. The far side is kept as people see it. In the end nothing waits,
 * each line stands there once in its newest words or has an outcome that says why not, words that were taken back
 * stand nowhere, and where nothing was taken back the order is that of the log.
 */
#include "../unit/host_fixture.h"
#include "log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern const int fuzz_rounds;
const int fuzz_rounds = 12; /* of fuzz_main.c: this target is slow */

enum { POSTS = 48, STEPS = 120, EVENTS = FIXTURE_SENT_MAX };

struct line { /* one post, as its author left it */
    int edits;
    bool removed;
};

struct event { /* one event of the far room */
    char txn[64], id[64], words[512];
    bool gone;
};

struct world {
    struct fixture *f;
    struct line line[POSTS];
    int posts;
    struct event event[EVENTS];
    size_t events, seen;
    bool removals, refusals;
};

/* ---- the far side --------------------------------------------------------------------------- */

static void far_remove(struct world *w, const char *id)
{
    for (size_t i = 0; i < w->events; i++) {
        w->event[i].gone = w->event[i].gone || strcmp(w->event[i].id, id) == 0;
    }
}

/* What was sent since the last look; a part that comes again with its txn is the same event. */
static void far_look(struct world *w)
{
    for (; w->seen < w->f->sent_count; w->seen++) {
        const struct fixture_sent *sent = &w->f->sent[w->seen];
        bool again = false;
        for (size_t i = 0; i < w->events; i++) {
            again = again || strcmp(w->event[i].txn, sent->txn) == 0;
        }
        if (w->f->answer == HR_EFAIL || strcmp(sent->room, "a/one") != 0 || again) {
            continue;
        }
        if (sent->act == HR_ACT_REMOVE) {
            far_remove(w, strrchr(sent->body, ' ') + 1);
            continue;
        }
        BUG_IF(w->events == EVENTS);
        struct event *event = &w->event[w->events++];
        *event = (struct event){0};
        snprintf(event->txn, sizeof(event->txn), "%s", sent->txn);
        snprintf(event->id, sizeof(event->id), "r%llu", (unsigned long long)sent->part);
        snprintf(event->words, sizeof(event->words), "%s", sent->body);
    }
}

/* ---- steps -------------------------------------------------------------------------------------- */

static void up(struct world *w, double tokens)
{
    struct hr_bot *a = fixture_bot(w->f, "a");
    a->network->limits =
        (struct hr_limits){.size = sizeof(struct hr_limits), .rate = 1e-9, .burst = 1000, .window = 4, .window_all = 8};
    a->network->tokens = tokens;
    a->network->blocked_until_ms = 0; /* a retry was asked for in 1 ms */
    network_up(a, NULL);
    network_up(a, "one");
    fixture_turn(w->f);
    far_look(w);
}

static void post(struct world *w)
{
    char key[16], text[16];
    if (w->posts == POSTS) {
        return;
    }
    snprintf(key, sizeof(key), "k%d", w->posts);
    snprintf(text, sizeof(text), "[%d.0]", w->posts);
    BUG_IF(fixture_post(w->f, "b", "one", key, "ann", text) != HR_OK);
    w->posts++;
}

static void change(struct world *w, int which, bool remove)
{
    struct line *line = &w->line[w->posts ? which % w->posts : 0];
    char key[16], text[32], revision[32];
    if (w->posts == 0 || line->removed) {
        return;
    }
    struct hr_bot *b = fixture_bot(w->f, "b");
    snprintf(key, sizeof(key), "k%d", which % w->posts);
    snprintf(text, sizeof(text), "[%d.%d]", which % w->posts, line->edits + 1);
    snprintf(revision, sizeof(revision), "%s.%d", key, line->edits + 1);
    instance_enter(b);
    int rc = remove ? messages_remove(w->f->app.messages, b, key)
                    : messages_edit(w->f->app.messages, b, key, revision, text, strlen(text), "ann");
    instance_leave(b, HR_OK);
    BUG_IF(rc != HR_OK);
    line->removed = remove;
    line->edits += !remove;
    w->removals = w->removals || remove;
}

static void die(struct world *w)
{
    turn_finish(w->f->app.turn);
    far_look(w);
    int answer = w->f->answer;
    fixture_restart(w->f, false);
    w->f->answer = answer;
    w->seen = 0;
    up(w, 1);
}

static void step(struct world *w, uint8_t what, uint8_t which)
{
    switch (what % 12) {
    case 0:
    case 1:
    case 2: post(w); break;
    case 3: change(w, which, false); break;
    case 4: change(w, which, true); break;
    case 5: up(w, which % 8); break;
    case 6: w->f->answer = HR_OK; break;
    case 7: w->f->answer = 1; break; /* nobody answers */
    case 8: w->f->answer = which % 2 ? HR_EFAIL : HR_ERETRY; break;
    case 9: die(w); break;
    case 10: network_down(fixture_bot(w->f, "a"), which % 2 ? "one" : NULL, "the test says so"); break;
    default: fixture_turn(w->f); break;
    }
    w->refusals = w->refusals || w->f->answer == HR_EFAIL;
    far_look(w);
}

/* ---- what holds ----------------------------------------------------------------------------------- */

static int64_t outcome(struct world *w, int post_no, const char *state)
{
    char sql[256];
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM delivery d JOIN message m ON m.id = d.message JOIN room r ON r.id = d.room"
             " WHERE m.key = 'k%d' AND r.network = 'a' AND r.address = 'one' AND d.act = 0 AND d.state = '%s'",
             post_no, state);
    return fixture_number(w->f, sql);
}

/* Live events that hold these words; edits of an event are events of their own. */
static int live(const struct world *w, const char *words, bool edits, size_t *last)
{
    int count = 0;
    for (size_t i = 0; i < w->events; i++) {
        bool edit = strncmp(w->event[i].words, "Correction", 10) == 0;
        if (!w->event[i].gone && edit == edits && strstr(w->event[i].words, words) != NULL) {
            *last = i;
            count++;
        }
    }
    return count;
}

static void check_line(struct world *w, int no)
{
    char any[16], newest[16];
    size_t said = 0, changed = 0, first = 0;
    snprintf(any, sizeof(any), "[%d.", no);
    snprintf(newest, sizeof(newest), "[%d.%d]", no, w->line[no].edits);
    int alive = live(w, any, false, &said), corrected = live(w, any, true, &changed);
    if (w->line[no].removed) {
        BUG_IF(!w->refusals && alive + corrected > 0); /* taken back: nowhere */
        return;
    }
    bool delivered = outcome(w, no, "delivered") == 1;
    BUG_IF(!w->refusals && alive > 1);  /* said twice */
    BUG_IF(delivered && alive == 0);    /* lost */
    BUG_IF(!w->refusals && !delivered); /* no outcome that says why */
    BUG_IF(!w->refusals && live(w, newest, false, &first) + live(w, newest, true, &first) == 0);
}

static void check_order(const struct world *w)
{
    int before = -1;
    for (size_t i = 0; i < w->events; i++) {
        const char *at = w->event[i].words;
        while (strncmp(at, "Correction", 10) != 0 && (at = strchr(at, '[')) != NULL) {
            int no = (int)strtol(++at, NULL, 10);
            BUG_IF(no <= before);
            before = no;
        }
    }
}

static void show(struct world *w)
{
    sqlite3_stmt *stmt;
    for (size_t i = 0; i < w->events; i++) {
        printf("%s %s%s\n", w->event[i].id, w->event[i].words, w->event[i].gone ? " (gone)" : "");
    }
    BUG_IF(
        sqlite3_prepare_v2(store_db(w->f->app.store),
                           "SELECT m.key, m.state, d.act, d.state, coalesce(group_concat(p.id || ' ' || p.state), ''),"
                           " coalesce(d.reason, '') FROM delivery d JOIN message m ON m.id = d.message"
                           " JOIN room r ON r.id = d.room LEFT JOIN delivery_part dp ON dp.delivery = d.id"
                           " LEFT JOIN part p ON p.id = dp.part WHERE r.network = 'a' AND r.address = 'one'"
                           " GROUP BY d.id",
                           -1, &stmt, NULL) != SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        for (int i = 0; i < 6; i++) {
            printf("%s%s", (const char *)sqlite3_column_text(stmt, i), i < 5 ? " | " : "\n");
        }
    }
    sqlite3_finalize(stmt);
    fflush(stdout);
}

static void check(struct world *w)
{
    if (getenv("FUZZ_SHOW") != NULL) {
        show(w);
    }
    BUG_IF(fixture_number(w->f, "SELECT count(*) FROM delivery WHERE state IN ('waiting', 'claimed') AND room ="
                                " (SELECT id FROM room WHERE network = 'a' AND address = 'one')") != 0);
    for (int no = 0; no < w->posts; no++) {
        check_line(w, no);
    }
    if (!w->removals && !w->refusals) {
        check_order(w);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    log_level(HR_ERROR);
    struct world w = {.f = fixture_new(NULL)};
    w.f->relay = true;
    for (size_t at = 0; at + 1 < size && at < (size_t)STEPS * 2 && w.f->sent_count < FIXTURE_SENT_MAX / 2; at += 2) {
        step(&w, data[at], data[at + 1]);
    }
    w.f->answer = HR_OK;
    die(&w); /* whatever was left without an answer */
    for (int i = 0; i < 20; i++) {
        outbox_wake(w.f->app.outbox);
        up(&w, 1000);
    }
    check(&w);
    fixture_free(w.f);
    return 0;
}
