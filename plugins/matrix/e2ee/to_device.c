/* SPDX-License-Identifier: MIT */
/* Messages to devices: on disk until the server took them, one request after the other. */
#include "to_device.h"

#include "../call.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_BYTES = 512 * 1024, /* of one request; proxies refuse more than 1 MB as installed */
    MAX_TYPES = 4,          /* kinds that one callback sends */
    MAX_WAITING = 2000,     /* requests on disk */
};

struct pending { /* one request in the making */
    char *type;
    json_t *messages; /* user, device, content */
    size_t count, bytes;
};

struct after {
    people_fn *fn;
    void (*drop)(void *arg);
    void *arg;
    uint64_t until; /* so many requests have to be settled */
    struct after *next;
};

struct to_device {
    struct pending pending[MAX_TYPES];
    uint64_t queued, settled; /* requests since the start; what the last run left counts as queued */
    int64_t sending;          /* row under way */
    struct call *call;
    struct hr_timer *timer;
    unsigned tries, full;
    struct after *after, **after_end;
};

static void send_next(struct matrix *mx);

/* ---- queue ------------------------------------------------------------------------------ */

static int make_txn(struct matrix *mx, char txn[33])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t dice[16];
    int rc = mx->api->random(mx->bot, dice, sizeof(dice));
    for (size_t i = 0; i < 16; i++) {
        txn[2 * i] = hex[dice[i] >> 4];
        txn[2 * i + 1] = hex[dice[i] & 15];
    }
    txn[32] = '\0';
    return rc;
}

static void clear(struct pending *pending)
{
    free(pending->type);
    json_decref(pending->messages);
    *pending = (struct pending){0};
}

static int store(struct matrix *mx, struct pending *pending)
{
    char txn[33];
    json_t *body = json_object();
    (void)json_object_set(body, "messages", pending->messages);
    char *text = json_dumps(body, JSON_COMPACT);
    int rc = text != NULL ? make_txn(mx, txn) : HR_EINVAL;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(txn), HR_V_STR(pending->type), HR_V_STR(text),
                                    HR_V_INT(mx->api->wall_ms(mx->bot))};
    rc = rc < 0 ? rc
                : mx->api->sql(mx->bot,
                               "INSERT INTO matrix_to_device(instance, txn, type, body, at_ms)"
                               " VALUES(?1, ?2, ?3, ?4, ?5)",
                               args, 5, NULL, NULL);
    mx->e2ee->to_device->queued += rc >= 0;
    free(text);
    json_decref(body);
    clear(pending);
    return rc;
}

/* The request of that type that still has place for one more message to this device. */
static int place(struct matrix *mx, const char *type, const char *user, const char *device, size_t bytes,
                 struct pending **out)
{
    struct to_device *to = mx->e2ee->to_device;
    struct pending *found = NULL;
    for (size_t i = 0; i < MAX_TYPES && found == NULL; i++) {
        struct pending *pending = &to->pending[i];
        if (pending->type == NULL || strcmp(pending->type, type) == 0) {
            found = pending;
        }
    }
    int rc = HR_OK;
    if (found == NULL) { /* order matters inside of a type only */
        found = &to->pending[0];
        rc = store(mx, found);
    } else if (found->type != NULL && (found->count == TO_DEVICE_AT_ONCE || found->bytes + bytes > MAX_BYTES ||
                                       json_object_get(json_object_get(found->messages, user), device) != NULL)) {
        rc = store(mx, found);
    }
    if (rc >= 0 && found->type == NULL) {
        *found = (struct pending){.type = mem_dup(type), .messages = json_object()};
    }
    *out = found;
    return rc;
}

int to_device_add(struct matrix *mx, const char *type, const char *user, const char *device, const json_t *content)
{
    struct to_device *to = mx->e2ee->to_device;
    struct pending *pending = NULL;
    if (to->queued - to->settled >= MAX_WAITING) {
        if (e2ee_worth_a_line(&to->full)) {
            matrix_error(mx, "%d requests with messages to devices wait for the server; no more are made", MAX_WAITING);
        }
        return HR_ELIMIT;
    }
    size_t bytes = json_dumpb(content, NULL, 0, JSON_COMPACT) + strlen(user) + strlen(device) + 16;
    int rc = bytes > MAX_BYTES ? HR_ELIMIT : place(mx, type, user, device, bytes, &pending);
    if (rc < 0) {
        return rc;
    }
    json_t *devices = json_object_get(pending->messages, user);
    if (devices == NULL) {
        devices = json_object();
        (void)json_object_set_new(pending->messages, user, devices);
    }
    (void)json_object_set(devices, device, (json_t *)content);
    pending->count++;
    pending->bytes += bytes;
    return HR_OK;
}

int to_device_flush(struct matrix *mx)
{
    struct to_device *to = mx->e2ee->to_device;
    int rc = HR_OK;
    for (size_t i = 0; i < MAX_TYPES && rc >= 0; i++) {
        rc = to->pending[i].type != NULL ? store(mx, &to->pending[i]) : HR_OK;
    }
    send_next(mx);
    return rc;
}

/* ---- requests ---------------------------------------------------------------------------- */

static void on_timer(void *arg)
{
    struct matrix *mx = arg;
    mx->e2ee->to_device->timer = NULL;
    send_next(mx);
}

static void later(struct matrix *mx, int64_t at_least_ms)
{
    struct to_device *to = mx->e2ee->to_device;
    int64_t wait_ms = matrix_backoff_ms(mx, to->tries++);
    wait_ms = at_least_ms > wait_ms ? at_least_ms : wait_ms;
    (void)mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, mx, &to->timer);
}

static void run_after(struct matrix *mx)
{
    struct to_device *to = mx->e2ee->to_device;
    while (to->after != NULL && to->after->until <= to->settled) {
        struct after *after = to->after;
        to->after = after->next;
        to->after_end = to->after != NULL ? to->after_end : &to->after;
        after->fn(mx, after->arg);
        free(after);
    }
}

static void on_sent(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct to_device *to = mx->e2ee->to_device;
    (void)arg;
    bool refused = reply->status == HR_EFAIL && reply->code != 401;
    if (reply->status != HR_OK && !refused) {
        later(mx, reply->retry_ms);
        return;
    }
    if (refused) {
        matrix_error(mx, "the server refused messages to devices for good: %s; some people may miss a key",
                     reply->words);
    }
    const struct hr_value args[] = {HR_V_INT(to->sending)};
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_to_device WHERE id = ?1", args, 1, NULL, NULL);
    to->tries = 0;
    to->settled++;
    run_after(mx);
    send_next(mx);
}

struct row {
    int64_t id;
    char *path, *body;
    struct matrix *mx;
};

static int on_row(void *arg, const struct hr_value *column, size_t count)
{
    struct row *row = arg;
    (void)count;
    row->id = column[0].num;
    row->path = mem_dup(row->mx->api->print(row->mx->bot, "/_matrix/client/v3/sendToDevice/%s/%s",
                                            call_encode(row->mx, column[1].str), column[2].str));
    row->body = mem_dup(column[3].str);
    return HR_OK;
}

static void send_next(struct matrix *mx)
{
    struct to_device *to = mx->e2ee->to_device;
    if (to->call != NULL || to->timer != NULL || mx->token == NULL || !mx->e2ee->open || to->queued == to->settled) {
        return;
    }
    struct row row = {.mx = mx};
    const struct hr_value args[] = {HR_V_STR(mx->name)};
    (void)mx->api->sql(mx->bot,
                       "SELECT id, type, txn, body FROM matrix_to_device WHERE instance = ?1 ORDER BY id LIMIT 1", args,
                       1, on_row, &row);
    if (row.path == NULL) {
        return;
    }
    to->sending = row.id;
    struct call_request request = {.method = "PUT", .path = row.path, .body = row.body, .handle = &to->call};
    if (call_start(mx, &request, on_sent, NULL, NULL) < 0) {
        later(mx, -1);
    }
    free(row.path);
    free(row.body);
}

void to_device_wake(struct matrix *mx)
{
    struct to_device *to = mx->e2ee->to_device;
    mx->api->timer_stop(to->timer);
    to->timer = NULL;
    send_next(mx);
}

void to_device_after(struct matrix *mx, people_fn *fn, void (*drop)(void *arg), void *arg)
{
    struct to_device *to = mx->e2ee->to_device;
    if (to->settled == to->queued) {
        fn(mx, arg);
        return;
    }
    struct after *after = mem_new(sizeof(*after));
    *after = (struct after){.fn = fn, .drop = drop, .arg = arg, .until = to->queued};
    *to->after_end = after;
    to->after_end = &after->next;
}

/* ---- life ---------------------------------------------------------------------------------- */

static int on_count(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    ((struct to_device *)arg)->queued = (uint64_t)column[0].num;
    return HR_OK;
}

int to_device_load(struct matrix *mx)
{
    struct to_device *to = mem_new(sizeof(*to));
    const struct hr_value args[] = {HR_V_STR(mx->name)};
    to->after_end = &to->after;
    mx->e2ee->to_device = to;
    return mx->api->sql(mx->bot, "SELECT count(*) FROM matrix_to_device WHERE instance = ?1", args, 1, on_count, to);
}

void to_device_forget(struct matrix *mx)
{
    struct to_device *to = mx->e2ee->to_device;
    const struct hr_value args[] = {HR_V_STR(mx->name)};
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_to_device WHERE instance = ?1", args, 1, NULL, NULL);
    to->settled = to->queued;
    run_after(mx);
}

void to_device_stop(struct matrix *mx)
{
    struct to_device *to = mx->e2ee->to_device;
    if (to == NULL) {
        return;
    }
    mx->e2ee->to_device = NULL;
    call_cancel(to->call);
    mx->api->timer_stop(to->timer);
    for (size_t i = 0; i < MAX_TYPES; i++) {
        clear(&to->pending[i]);
    }
    while (to->after != NULL) {
        struct after *after = to->after;
        to->after = after->next;
        if (after->drop != NULL) {
            after->drop(after->arg);
        }
        free(after);
    }
    free(to);
}
