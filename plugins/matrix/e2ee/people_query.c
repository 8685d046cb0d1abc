/* SPDX-License-Identifier: MIT */
/* Asking for the devices of people: who is outdated, in pieces, with back-off, and who waits for it. */
#include "people_inside.h"

#include "../call.h"
#include "own_identity.h"

#include <stdlib.h>
#include <string.h>

enum {
    AT_ONCE = 50,           /* users in a request */
    RUNNING = 4,            /* requests under way */
    SERVER_WAIT_MS = 10000, /* what our server may wait for others */
    REQUEST_MS = 30000,
    WAIT_MS = 10000, /* nobody waits longer for a list */
    MAX_REPLY = 16 * 1024 * 1024,
    PATIENT_TRIES = 6, /* then ten times slower: a server that is dead for long */
};

struct query {
    struct matrix *mx; /* NULL: the plugin went on without it */
    struct check check;
    struct person **person;
    uint64_t *generation; /* in which each was asked for */
    size_t count;
    struct call *call;
    struct query *next;
};

struct waiter {
    struct matrix *mx;
    struct person **person;
    size_t count;
    people_fn *done;
    void (*drop)(void *arg);
    void *arg;
    struct hr_timer *timer;
    struct waiter *next;
};

static void start(struct matrix *mx);

static bool may_ask(struct matrix *mx, const struct person *person)
{
    return person->tracked && person->outdated && !person->asking && person->retry_ms <= mx->api->monotonic_ms(mx->bot);
}

/* ---- waiting ------------------------------------------------------------------------------- */

static bool is_settled(struct matrix *mx, const struct waiter *waiter)
{
    for (size_t i = 0; i < waiter->count; i++) {
        const struct person *person = waiter->person[i];
        if (may_ask(mx, person) || (person->tracked && person->outdated && person->asking)) {
            return false;
        }
    }
    return true;
}

static void waiter_free(struct waiter *waiter)
{
    waiter->mx->api->timer_stop(waiter->timer);
    free(waiter->person);
    free(waiter);
}

static void waiter_unlink(struct waiter *waiter)
{
    struct waiter **at = &waiter->mx->e2ee->people->waiters;
    while (*at != waiter) {
        at = &(*at)->next;
    }
    *at = waiter->next;
}

static void waiter_end(struct waiter *waiter)
{
    struct matrix *mx = waiter->mx;
    people_fn *done = waiter->done;
    void *arg = waiter->arg;
    waiter_unlink(waiter);
    waiter_free(waiter);
    done(mx, arg);
}

static void on_waited(void *arg)
{
    struct waiter *waiter = arg;
    waiter->timer = NULL;
    waiter_end(waiter);
}

/* Whoever got all there is goes on; each may begin to wait anew, so the list is read again from its start. */
static void settle(struct matrix *mx)
{
    for (struct waiter *waiter = mx->e2ee->people->waiters; waiter != NULL;) {
        if (is_settled(mx, waiter)) {
            waiter_end(waiter);
            waiter = mx->e2ee->people->waiters;
        } else {
            waiter = waiter->next;
        }
    }
}

void people_fresh(struct matrix *mx, const char *const *users, size_t count, people_fn *done, void (*drop)(void *arg),
                  void *arg)
{
    struct people *people = mx->e2ee->people;
    struct waiter *waiter = mem_new(sizeof(*waiter));
    *waiter = (struct waiter){.mx = mx, .done = done, .drop = drop, .arg = arg};
    waiter->person = mem_new(count * sizeof(*waiter->person));
    for (size_t i = 0; i < count; i++) {
        if (people_track(mx, users[i]) == HR_OK) {
            waiter->person[waiter->count++] = people_find(mx, users[i]);
        }
    }
    waiter->next = people->waiters;
    people->waiters = waiter;
    if (is_settled(mx, waiter)) {
        waiter_end(waiter);
        return;
    }
    if (mx->api->timer_in(mx->bot, WAIT_MS, 0, on_waited, waiter, &waiter->timer) < 0) {
        waiter_end(waiter);
        return;
    }
    start(mx);
}

/* ---- queries --------------------------------------------------------------------------------- */

static void query_free(struct query *query)
{
    if (query->mx != NULL) {
        struct people *people = query->mx->e2ee->people;
        struct query **at = &people->queries;
        while (*at != query) {
            at = &(*at)->next;
        }
        *at = query->next;
        people->running--;
        for (size_t i = 0; i < query->count; i++) {
            query->person[i]->asking = false;
        }
    }
    people_check_clear(&query->check);
    free(query->person);
    free(query->generation);
    free(query);
}

static void query_drop(void *arg)
{
    query_free(arg);
}

static void put_off(struct matrix *mx, struct person *person, int64_t at_least_ms)
{
    int64_t wait_ms = matrix_backoff_ms(mx, person->tries++);
    wait_ms = person->tries > PATIENT_TRIES ? wait_ms * 10 : wait_ms;
    wait_ms = at_least_ms > wait_ms ? at_least_ms : wait_ms;
    person->retry_ms = mx->api->monotonic_ms(mx->bot) + wait_ms;
}

static void failed(struct query *query, bool too_big, int64_t at_least_ms)
{
    struct matrix *mx = query->mx;
    bool split = too_big && query->count > 1;
    for (size_t i = 0; i < query->count; i++) {
        query->person[i]->alone = query->person[i]->alone || split;
        if (!split) {
            put_off(mx, query->person[i], at_least_ms);
        }
    }
    query_free(query);
    settle(mx);
    start(mx);
}

static void learn(struct query *query)
{
    struct matrix *mx = query->mx;
    for (size_t i = 0; i < query->count; i++) {
        struct person *person = query->person[i];
        const struct found *found = &query->check.found[i];
        if (!person->tracked) {
            continue;
        }
        if (!found->present && found->failed) {
            put_off(mx, person, -1);
            continue;
        }
        people_learn(mx, person, found);
        if (person->generation == query->generation[i]) { /* else something changed meanwhile: asked again */
            person->outdated = false;
            person->tries = 0;
        }
        (void)people_save(mx, person);
    }
}

static void on_checked(void *arg)
{
    struct query *query = arg;
    struct matrix *mx = query->mx;
    if (mx == NULL) {
        query_free(query);
        return;
    }
    if (query->check.broken) {
        failed(query, false, -1);
        return;
    }
    learn(query);
    query_free(query);
    settle(mx);
    start(mx);
}

static void work(void *arg)
{
    people_check(&((struct query *)arg)->check);
}

static void on_reply(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct query *query = arg;
    const struct cross_signing_keys *keys = own_identity_keys(mx);
    if (reply->status != HR_OK) {
        failed(query, reply->status == HR_ELIMIT, reply->retry_ms);
        return;
    }
    query->check.body = mem_copy(reply->body, reply->body_len);
    query->check.len = reply->body_len;
    query->check.our_user = mem_dup(mx->user);
    if (keys != NULL) {
        cross_signing_keys_to_public(keys, &query->check.ours);
    }
    if (mx->api->work(mx->bot, work, on_checked, query_drop, query) < 0) {
        failed(query, false, -1);
    }
}

static void send(struct matrix *mx, struct query *query)
{
    json_t *users = json_object(), *body = json_pack("{s:i}", "timeout", SERVER_WAIT_MS);
    for (size_t i = 0; i < query->count; i++) {
        (void)json_object_set_new(users, query->person[i]->user, json_array());
    }
    (void)json_object_set_new(body, "device_keys", users);
    char *text = json_dumps(body, JSON_COMPACT);
    struct call_request request = {.method = "POST",
                                   .path = "/_matrix/client/v3/keys/query",
                                   .body = text,
                                   .max_bytes = MAX_REPLY,
                                   .timeout_ms = REQUEST_MS,
                                   .raw = true,
                                   .handle = &query->call};
    if (call_start(mx, &request, on_reply, query_drop, query) < 0) {
        for (size_t i = 0; i < query->count; i++) {
            put_off(mx, query->person[i], -1);
        }
        query_free(query);
    }
    free(text);
    json_decref(body);
}

static void take(struct matrix *mx, struct query *query, struct person *person)
{
    if (query->count < AT_ONCE && may_ask(mx, person) && (!person->alone || query->count == 0) &&
        !(query->count > 0 && query->person[0]->alone)) {
        person->asking = true;
        query->person[query->count] = person;
        query->generation[query->count] = person->generation;
        query->check.found[query->count].user = mem_dup(person->user);
        query->check.count = ++query->count;
    }
}

/* The next request, those first for whom somebody waits; NULL: nobody is to be asked for now. */
static struct query *pick(struct matrix *mx)
{
    struct people *people = mx->e2ee->people;
    struct query *query = mem_new(sizeof(*query));
    query->person = mem_new(AT_ONCE * sizeof(*query->person));
    query->generation = mem_new(AT_ONCE * sizeof(*query->generation));
    query->check.found = mem_new(AT_ONCE * sizeof(*query->check.found));
    for (const struct waiter *waiter = people->waiters; waiter != NULL; waiter = waiter->next) {
        for (size_t i = 0; i < waiter->count; i++) {
            take(mx, query, waiter->person[i]);
        }
    }
    for (struct person *person = people->by_user; person != NULL; person = person->hh.next) {
        take(mx, query, person);
    }
    if (query->count == 0) {
        query_free(query); /* it is in no list: mx is not set */
        return NULL;
    }
    query->mx = mx;
    query->next = people->queries;
    people->queries = query;
    people->running++;
    return query;
}

static void on_timer(void *arg)
{
    struct matrix *mx = arg;
    mx->e2ee->people->timer = NULL;
    mx->e2ee->people->soon = false;
    start(mx);
}

static void plan(struct matrix *mx, int64_t wait_ms)
{
    struct people *people = mx->e2ee->people;
    mx->api->timer_stop(people->timer);
    people->timer = NULL;
    people->soon = mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, mx, &people->timer) == HR_OK && wait_ms == 0;
}

static void start(struct matrix *mx)
{
    struct people *people = mx->e2ee->people;
    struct query *query = NULL;
    if (!mx->e2ee->open || mx->token == NULL) {
        return; /* people_wake() comes */
    }
    while (people->running < RUNNING && (query = pick(mx)) != NULL) {
        send(mx, query);
    }
    if (people->running > 0) {
        return; /* the next reply looks again */
    }
    int64_t next_ms = 0, now_ms = mx->api->monotonic_ms(mx->bot);
    for (const struct person *person = people->by_user; person != NULL; person = person->hh.next) {
        if (person->tracked && person->outdated && (next_ms == 0 || person->retry_ms < next_ms)) {
            next_ms = person->retry_ms;
        }
    }
    if (next_ms != 0) {
        plan(mx, next_ms > now_ms ? next_ms - now_ms : 1000);
    }
}

void people_query_wake(struct matrix *mx)
{
    if (mx->e2ee->open && !mx->e2ee->people->soon) {
        plan(mx, 0); /* at the end of the turn: more may become outdated in it */
    }
}

void people_wake(struct matrix *mx)
{
    people_query_wake(mx);
}

void people_query_stop(struct matrix *mx)
{
    struct people *people = mx->e2ee->people;
    struct query *next;
    mx->api->timer_stop(people->timer);
    for (struct query *query = people->queries; query != NULL; query = next) {
        next = query->next;
        if (query->call != NULL) {
            call_cancel(query->call); /* and with it the query */
        } else {
            query->mx = NULL; /* a thread works on it: on_checked() frees it */
        }
    }
    while (people->waiters != NULL) {
        struct waiter *waiter = people->waiters;
        people->waiters = waiter->next;
        if (waiter->drop != NULL) {
            waiter->drop(waiter->arg);
        }
        waiter_free(waiter);
    }
}
