/* SPDX-License-Identifier: MIT */
/* Our own Megolm sessions: one part on its way from the outbox to an encrypted event. */
#include "group_out.h"

#include "../call.h"
#include "../send.h"
#include "group_sealed.h"
#include "group_session.h"
#include "olm_session.h"
#include "to_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    READERS_A_TURN = 100, /* whose devices are looked up in one turn */
    MOST_ROUNDS = 5,      /* of sharing a key for one part */
};

struct job { /* one part; its room has no other under way */
    struct matrix *mx;
    char *room_id, *txn, *type;
    json_t *content;
    uint64_t part;
    int attempt; /* 1 is the first */
    unsigned rounds;
    char session[44]; /* whose key is handed out */
    uint32_t index;   /* ... from which message on */
    bool revoke;      /* a device has the key that may no longer have it */
    char **reader;    /* users */
    size_t reader_count, reader_cap, looked;
    struct peer *missing; /* devices without the key */
    size_t missing_count, missing_cap;
    unsigned seen; /* of e2ee.changes, when the looking began */
    struct hr_timer *timer;
    struct job *next;
};

struct complete { /* every device that may read a room had the session's key, when `changes` stood there */
    char *room_id;
    char session[44];
    unsigned changes;
    struct complete *next;
};

struct group_outs {
    struct job *jobs;
    struct complete *complete;
};

/* ---- jobs ------------------------------------------------------------------------------------ */

static void forget_readers(struct job *job)
{
    for (size_t i = 0; i < job->reader_count; i++) {
        free(job->reader[i]);
    }
    job->reader_count = job->looked = job->missing_count = 0;
}

static void job_free(void *arg)
{
    struct job *job = arg;
    struct job **at = &job->mx->e2ee->group_out->jobs;
    while (*at != job) {
        at = &(*at)->next;
    }
    *at = job->next;
    job->mx->api->timer_stop(job->timer);
    forget_readers(job);
    free(job->reader);
    free(job->missing);
    free(job->room_id);
    free(job->txn);
    free(job->type);
    json_decref(job->content);
    free(job);
}

static void give_back(struct job *job, int status, int64_t wait_ms, const char *reason)
{
    struct matrix *mx = job->mx;
    uint64_t part = job->part;
    job_free(job);
    if (part != 0) {
        mx->net->sent(mx->bot, part, status, NULL, wait_ms, reason);
    } else {
        matrix_error(mx, "an event of a verification could not be sent: %s", reason);
    }
}

static void try_later(struct job *job, const char *reason)
{
    give_back(job, HR_ERETRY, matrix_backoff_ms(job->mx, (unsigned)job->attempt), reason);
}

static void on_members(struct matrix *mx, void *arg, int status);

/* Somebody left while the key was handed out: it has to be another one. */
static void begin_again(struct job *job)
{
    forget_readers(job);
    job->revoke = false;
    if (++job->rounds > MOST_ROUNDS) {
        try_later(job, "people come and go faster than the room's key can be changed");
    } else {
        crypto_room_members(job->mx, job->room_id, on_members, job_free, job);
    }
}

/* The session the job began with: another one has not been handed out to everybody. */
static struct group_session load(const struct job *job)
{
    struct group_session session = group_session_load(job->mx, job->room_id);
    if (session.ratchet != NULL && strcmp(ratchet_outbound_id(session.ratchet), job->session) != 0) {
        ratchet_outbound_free(session.ratchet);
        session.ratchet = NULL;
    }
    return session;
}

/* ---- encrypting ------------------------------------------------------------------------------------ */

static int seal(struct job *job, struct group_session *session, json_t **out)
{
    struct matrix *mx = job->mx;
    const struct ratchet_identity *own = ratchet_account_identity(mx->e2ee->account);
    json_t *relates = json_incref(json_object_get(job->content, "m.relates_to"));
    json_t *inside = json_copy(job->content);
    (void)json_object_del(inside, "m.relates_to"); /* servers have to see it: it goes outside */
    json_t *plain = json_pack("{s:s, s:o, s:s}", "type", job->type, "content", inside, "room_id", job->room_id);
    char *text = plain != NULL ? json_dumps(plain, JSON_COMPACT) : NULL, *cipher = NULL;
    size_t len = 0;
    json_decref(plain);
    int rc = text == NULL ? HR_EINVAL : ratchet_outbound_encrypt(session->ratchet, text, strlen(text), &cipher, &len);
    if (rc == HR_OK) {
        *out = json_pack("{s:s, s:s%, s:s, s:s, s:s}", "algorithm", DEVICE_KEYS_MEGOLM, "ciphertext", cipher, len,
                         "session_id", ratchet_outbound_id(session->ratchet), "sender_key", own->curve25519,
                         "device_id", mx->device); /* the last two are deprecated, and older clients need them */
        if (relates != NULL) {
            (void)json_object_set(*out, "m.relates_to", relates);
        }
        session->messages++;
        rc = group_session_save(mx, job->room_id, session);
    }
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
    }
    json_decref(relates);
    free(text);
    free(cipher);
    return rc;
}

static void put(struct matrix *mx, const char *room_id, const char *txn, uint64_t part, int attempt,
                const char *content)
{
    const char *path = mx->api->print(mx->bot, "/_matrix/client/v3/rooms/%s/send/m.room.encrypted/%s",
                                      call_encode(mx, room_id), call_encode(mx, txn));
    if (send_put(mx, &(struct send_request){.part = part,
                                            .attempt = attempt,
                                            .txn = txn,
                                            .path = path,
                                            .body = content,
                                            .settled = group_sealed_drop}) < 0) {
        mx->net->sent(mx->bot, part, HR_ERETRY, NULL, 5000, "the request could not be made");
    }
}

/* Everybody has the key, and the server has the messages that carry it. */
static void encrypt(struct matrix *mx, void *arg)
{
    struct job *job = arg;
    struct group_session session = load(job);
    json_t *event = NULL;
    if (session.ratchet == NULL) { /* somebody left meanwhile */
        begin_again(job);
        return;
    }
    int rc = seal(job, &session, &event);
    char *text = rc == HR_OK ? json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (rc == HR_OK) {
        rc = group_sealed_keep(mx, job->txn, ratchet_outbound_id(session.ratchet), text);
    }
    ratchet_outbound_free(session.ratchet);
    json_decref(event);
    if (rc < 0) {
        give_back(job, rc == HR_ELIMIT ? HR_EFAIL : HR_ERETRY, 5000,
                  rc == HR_ELIMIT ? "the message is too long to be encrypted" : "it could not be encrypted");
    } else {
        put(mx, job->room_id, job->txn, job->part, job->attempt, text);
        job_free(job);
    }
    free(text);
}

/* ---- sharing --------------------------------------------------------------------------------------- */

static struct complete *complete_of(struct matrix *mx, const char *room_id)
{
    struct complete *at = mx->e2ee->group_out->complete;
    while (at != NULL && strcmp(at->room_id, room_id) != 0) {
        at = at->next;
    }
    if (at == NULL) {
        at = mem_new(sizeof(*at));
        *at = (struct complete){.room_id = mem_dup(room_id), .next = mx->e2ee->group_out->complete};
        mx->e2ee->group_out->complete = at;
    }
    return at;
}

static void all_have_it(struct job *job)
{
    struct complete *complete = complete_of(job->mx, job->room_id);
    complete->changes = job->seen;
    memcpy(complete->session, job->session, sizeof(complete->session));
    to_device_after(job->mx, encrypt, job_free, job);
}

static void on_shared(struct matrix *mx, void *arg, const struct peer *reached, size_t reached_count,
                      const struct peer *missed, size_t missed_count)
{
    struct job *job = arg;
    struct group_session session = load(job);
    (void)missed, (void)missed_count; /* told by m.no_olm; tried again when their devices change */
    if (session.ratchet == NULL) {
        begin_again(job);
        return;
    }
    ratchet_outbound_free(session.ratchet);
    for (size_t i = 0; i < reached_count; i++) {
        group_session_remember(mx, job->session, &reached[i], job->index);
    }
    all_have_it(job);
}

static void share(struct job *job)
{
    struct matrix *mx = job->mx;
    struct group_session session = load(job);
    struct crypto_room rules;
    char key[RATCHET_SESSION_KEY];
    if (session.ratchet == NULL || crypto_room_get(mx, job->room_id, &rules) < 0) {
        ratchet_outbound_free(session.ratchet);
        begin_again(job);
        return;
    }
    job->index = ratchet_outbound_index(session.ratchet);
    ratchet_outbound_key(session.ratchet, key);
    json_t *content =
        json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "algorithm", DEVICE_KEYS_MEGOLM, "room_id", job->room_id,
                  "session_id", ratchet_outbound_id(session.ratchet), "session_key", key, "shared_history",
                  rules.shared_history, "org.matrix.msc3061.shared_history", rules.shared_history);
    explicit_bzero(key, sizeof(key));
    ratchet_outbound_free(session.ratchet);
    int rc = olm_session_send(mx, job->missing, job->missing_count, "m.room_key", content, on_shared, job_free, job);
    json_decref(content);
    if (rc < 0) {
        try_later(job, "the room's key could not be shared");
    }
}

/* ---- who lacks the key ---------------------------------------------------------------------------------- */

struct look {
    struct job *job;
    const char *session;
};

static int on_device(void *arg, const struct peer *peer)
{
    struct look *look = arg;
    struct job *job = look->job;
    struct matrix *mx = job->mx;
    enum group_had had = group_session_had(mx, look->session, peer);
    bool may = peer->trust != TRUST_CHANGED && (!mx->e2ee->strict || peer->trust != TRUST_NONE);
    job->revoke = job->revoke || (had == GROUP_HAD_KEY && !may);
    if (had == (may ? GROUP_HAD_KEY : GROUP_HAD_REFUSAL) || job->revoke) {
        return HR_OK;
    }
    if (!may) {
        json_t *content = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "algorithm", DEVICE_KEYS_MEGOLM, "room_id",
                                    job->room_id, "session_id", look->session, "sender_key",
                                    ratchet_account_identity(mx->e2ee->account)->curve25519, "code", "m.unverified",
                                    "reason", "This device is not verified by its owner.");
        (void)to_device_add(mx, "m.room_key.withheld", peer->user, peer->device, content);
        json_decref(content);
        group_session_remember(mx, look->session, peer, GROUP_REFUSED); /* told once */
        return HR_OK;
    }
    job->missing = mem_grow(job->missing, job->missing_count, &job->missing_cap, sizeof(*job->missing));
    job->missing[job->missing_count++] = *peer;
    return HR_OK;
}

static void look_on(void *arg)
{
    struct job *job = arg;
    struct matrix *mx = job->mx;
    job->timer = NULL;
    struct group_session session = load(job);
    if (session.ratchet == NULL) {
        begin_again(job);
        return;
    }
    struct look look = {job, ratchet_outbound_id(session.ratchet)};
    for (int i = 0; i < READERS_A_TURN && job->looked < job->reader_count; i++) {
        (void)people_devices(mx, job->reader[job->looked++], on_device, &look);
    }
    ratchet_outbound_free(session.ratchet);
    (void)to_device_flush(mx);
    if (job->revoke) {
        group_out_discard(mx, job->room_id);
        begin_again(job);
    } else if (job->looked < job->reader_count) {
        if (mx->api->timer_in(mx->bot, 0, 0, look_on, job, &job->timer) < 0) {
            try_later(job, "no timer to be had");
        }
    } else if (job->missing_count > 0) {
        share(job);
    } else {
        all_have_it(job);
    }
}

static void on_fresh(struct matrix *mx, void *arg)
{
    struct job *job = arg;
    struct group_session session = group_session_load(mx, job->room_id);
    struct crypto_room rules;
    if (session.ratchet == NULL && (crypto_room_get(mx, job->room_id, &rules) < 0 ||
                                    group_session_begin(mx, job->room_id, &rules, &session) < 0)) {
        ratchet_outbound_free(session.ratchet);
        try_later(job, "the room's key could not be made");
        return;
    }
    (void)snprintf(job->session, sizeof(job->session), "%s", ratchet_outbound_id(session.ratchet));
    ratchet_outbound_free(session.ratchet);
    job->seen = mx->e2ee->changes;
    look_on(job);
}

static int on_reader(void *arg, const char *user)
{
    struct job *job = arg;
    job->reader = mem_grow(job->reader, job->reader_count, &job->reader_cap, sizeof(*job->reader));
    job->reader[job->reader_count++] = mem_dup(user);
    return HR_OK;
}

static void on_members(struct matrix *mx, void *arg, int status)
{
    struct job *job = arg;
    if (status < 0 || crypto_room_readers(mx, job->room_id, on_reader, job) < 0) {
        try_later(job, "who is in the room could not be read, so it can't be encrypted for them");
        return;
    }
    people_fresh(mx, (const char *const *)job->reader, job->reader_count, on_fresh, job_free, job);
}

/* ---- one part ------------------------------------------------------------------------------------------- */

/* Nobody came, went or changed since everybody had the key: nothing to look up. */
static bool is_complete(struct job *job)
{
    struct matrix *mx = job->mx;
    const struct complete *complete = complete_of(mx, job->room_id);
    struct crypto_room rules;
    memcpy(job->session, complete->session, sizeof(job->session));
    struct group_session session = load(job);
    bool usable = session.ratchet != NULL && crypto_room_get(mx, job->room_id, &rules) == HR_OK && rules.members_known;
    ratchet_outbound_free(session.ratchet);
    return usable && complete->changes == mx->e2ee->changes;
}

static void begin(struct mx_room *room, const struct hr_part *part, const char *type, const json_t *content)
{
    struct matrix *mx = room->mx;
    if (mx->e2ee->group_out == NULL) {
        mx->e2ee->group_out = mem_new(sizeof(*mx->e2ee->group_out));
        mx->e2ee->changes += mx->e2ee->changes == 0; /* 0 stands for never complete */
    }
    struct job *job = mem_new(sizeof(*job));
    *job = (struct job){.mx = mx,
                        .room_id = mem_dup(room->id),
                        .txn = mem_dup(part->txn),
                        .type = mem_dup(type),
                        .content = json_deep_copy(content),
                        .part = part->id,
                        .attempt = part->attempt,
                        .next = mx->e2ee->group_out->jobs};
    mx->e2ee->group_out->jobs = job;
    if (is_complete(job)) {
        job->seen = mx->e2ee->changes;
        all_have_it(job);
    } else {
        crypto_room_members(mx, room->id, on_members, job_free, job);
    }
}

static bool is_ready(struct matrix *mx, const struct mx_room *room)
{
    struct crypto_room rules;
    return room->id != NULL && crypto_room_get(mx, room->id, &rules) == HR_OK && rules.readable && mx->e2ee->open;
}

int group_out_send(struct mx_room *room, const struct hr_part *part, const char *type, const json_t *content)
{
    struct matrix *mx = room->mx;
    if (!is_ready(mx, room)) {
        return HR_ERETRY; /* its state is still to come, or our keys are */
    }
    for (struct job *job = mx->e2ee->group_out != NULL ? mx->e2ee->group_out->jobs : NULL; job != NULL;
         job = job->next) {
        if (job->part == part->id && strcmp(job->txn, part->txn) == 0) { /* the network was down in between */
            job->attempt = part->attempt;
            return HR_OK;
        }
    }
    char *before = group_sealed(mx, part->txn);
    if (before != NULL) {
        put(mx, room->id, part->txn, part->id, part->attempt, before);
        free(before);
    } else {
        begin(room, part, type, content);
    }
    return HR_OK;
}

void group_out_event(struct mx_room *room, const char *txn, const char *type, const json_t *content)
{
    struct matrix *mx = room->mx;
    const struct hr_part part = {.size = sizeof(part), .txn = txn, .attempt = 1};
    mx->net->spend(mx->bot, 1);
    if (room->encrypted && is_ready(mx, room)) {
        begin(room, &part, type, content);
    } else if (!room->encrypted && room->id != NULL) {
        char *text = json_dumps(content, JSON_COMPACT);
        const char *path = mx->api->print(mx->bot, "/_matrix/client/v3/rooms/%s/send/%s/%s", call_encode(mx, room->id),
                                          call_encode(mx, type), call_encode(mx, txn));
        (void)send_put(mx, &(struct send_request){.attempt = 1, .txn = txn, .path = path, .body = text});
        free(text);
    }
}

void group_out_stop(struct matrix *mx)
{
    struct group_outs *outs = mx->e2ee->group_out;
    if (outs == NULL) {
        return;
    }
    while (outs->jobs != NULL) { /* those that waited elsewhere were dropped there */
        job_free(outs->jobs);
    }
    while (outs->complete != NULL) {
        struct complete *next = outs->complete->next;
        free(outs->complete->room_id);
        free(outs->complete);
        outs->complete = next;
    }
    free(outs);
    mx->e2ee->group_out = NULL;
}
