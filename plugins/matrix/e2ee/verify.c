/* SPDX-License-Identifier: MIT */
/* Who verifies the bot, and what the operator says to it. */
#include "verify.h"

#include "verify_sas.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 10, LIVES_MS = 600000, REFUSALS_AN_HOUR = 10, AN_HOUR_MS = 3600000, AHEAD_MS = 300000 };

static const char PREFIX[] = "m.key.verification.";

enum { TOLD = 2 * REFUSALS_AN_HOUR }; /* an hour may begin in one of those of the refusals and end in the next */

struct verifications {
    struct verification *first;
    char *shown; /* name of the one whose emoji the operator was shown last, or NULL */
    unsigned refusals;
    int64_t refusals_since_ms;
    struct {
        char *user; /* refused, and the log says so; NULL: free */
        int64_t at_ms;
    } told[TOLD]; /* a ring */
    unsigned next_told;
};

/* ---- the list -------------------------------------------------------------------------------------- */

static void free_one(struct verification *verification)
{
    verification->mx->api->timer_stop(verification->timer);
    ratchet_sas_free(verification->sas);
    json_decref(verification->start);
    json_decref(verification->mac);
    free(verification->user);
    free(verification->device);
    free(verification->room_id);
    free(verification->transaction);
    free(verification->shown_to);
    free(verification);
}

void verify_end(struct verification *verification)
{
    struct verification **at = &verification->mx->e2ee->verify->first;
    while (*at != verification) {
        at = &(*at)->next;
    }
    *at = verification->next;
    free_one(verification);
}

struct verification *verify_find(struct matrix *mx, const char *user, const char *transaction)
{
    struct verification *at = mx->e2ee->verify != NULL ? mx->e2ee->verify->first : NULL;
    while (at != NULL &&
           (strcmp(at->user, user) != 0 || (transaction != NULL && strcmp(at->transaction, transaction) != 0))) {
        at = at->next;
    }
    return at;
}

struct verification *verify_next(struct matrix *mx, const struct verification *at)
{
    return at != NULL ? at->next : mx->e2ee->verify != NULL ? mx->e2ee->verify->first : NULL;
}

static size_t count(const struct verifications *list)
{
    size_t n = 0;
    for (const struct verification *at = list->first; at != NULL; at = at->next) {
        n++;
    }
    return n;
}

static void on_timeout(void *arg)
{
    struct verification *verification = arg;
    verification->timer = NULL;
    if (verification->step == VERIFY_DONE) {
        verify_end(verification); /* for us it has been done all the while */
        return;
    }
    verify_sas_cancel(verification, "m.timeout", "It took more than ten minutes.");
}

/* ---- requests ---------------------------------------------------------------------------------------- */

struct request {
    const char *user, *device, *room_id, *transaction;
    int64_t time_ms; /* wall clock */
};

static struct verification *make(struct matrix *mx, const struct request *request)
{
    struct verification *verification = mem_new(sizeof(*verification));
    *verification = (struct verification){.mx = mx,
                                          .user = mem_dup(request->user),
                                          .device = mem_dup(request->device),
                                          .room_id = mem_dup(request->room_id),
                                          .transaction = mem_dup(request->transaction),
                                          .next = mx->e2ee->verify->first};
    mx->e2ee->verify->first = verification;
    return verification;
}

/* Was a refusal of that person logged within the hour? If not it is going to be. */
static bool is_told(struct verifications *list, const char *user, int64_t now_ms)
{
    for (size_t i = 0; i < TOLD; i++) {
        if (list->told[i].user != NULL && strcmp(list->told[i].user, user) == 0 &&
            now_ms - list->told[i].at_ms < AN_HOUR_MS) {
            return true;
        }
    }
    mem_set(&list->told[list->next_told].user, user);
    list->told[list->next_told].at_ms = now_ms;
    list->next_told = (list->next_told + 1) % TOLD;
    return false;
}

/* Their client is told, so that nobody waits; but not as often as a stranger likes. */
static void refuse(struct matrix *mx, const struct request *request, const char *reason)
{
    struct verifications *list = mx->e2ee->verify;
    int64_t now_ms = mx->api->monotonic_ms(mx->bot);
    if (now_ms - list->refusals_since_ms >= AN_HOUR_MS) {
        list->refusals_since_ms = now_ms;
        list->refusals = 0;
    }
    if (++list->refusals <= REFUSALS_AN_HOUR) {
        struct verification *verification = make(mx, request);
        verification->told = is_told(list, request->user, now_ms);
        verify_sas_cancel(verification, "m.user", reason);
    }
}

static void requested(struct matrix *mx, const struct request *request)
{
    int64_t age_ms = mx->api->wall_ms(mx->bot) - request->time_ms;
    bool own = strcmp(request->user, mx->user) == 0;
    if (mx->e2ee->verify == NULL) {
        mx->e2ee->verify = mem_new(sizeof(*mx->e2ee->verify));
    }
    struct verification *before = verify_find(mx, request->user, NULL);
    if (before != NULL && before->step == VERIFY_DONE) { /* they never said so themselves */
        verify_end(before);
        before = NULL;
    }
    if (age_ms > LIVES_MS || age_ms < -AHEAD_MS || (own && strcmp(request->device, mx->device) == 0) ||
        verify_find(mx, request->user, request->transaction) != NULL) {
        return;
    }
    if (!own && !mx->net->account_known(mx->bot, request->user)) {
        refuse(mx, request, "Only people who run the chat can verify this bot.");
    } else if (before != NULL) { /* as the specification wants: two at once are none */
        verify_sas_cancel(before, "m.unexpected_message", "Another verification was begun.");
        refuse(mx, request, "Another verification was under way. Please begin once more.");
    } else if (count(mx->e2ee->verify) >= MOST) {
        refuse(mx, request, "Too many verifications are under way. Please try again in ten minutes.");
    } else {
        struct verification *verification = make(mx, request);
        (void)mx->api->timer_in(mx->bot, LIVES_MS, 0, on_timeout, verification, &verification->timer);
        verify_sas_begin(verification);
    }
}

static bool can_sas(const json_t *content)
{
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(content, "methods"), i, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), "m.sas.v1") == 0) {
            return true;
        }
    }
    return false;
}

void verify_room_event(struct mx_room *room, const struct event *event)
{
    struct matrix *mx = room->mx;
    const char *type = strcmp(event->type, "m.room.message") == 0 ? scan_text(event->content, "msgtype") : event->type;
    const char *to = scan_text(event->content, "to"), *device = scan_text(event->content, "from_device");
    const char *transaction = scan_text(json_object_get(event->content, "m.relates_to"), "event_id");
    if (!mx->e2ee->open || type == NULL || strncmp(type, PREFIX, sizeof(PREFIX) - 1) != 0) {
        return;
    }
    type += sizeof(PREFIX) - 1;
    if (strcmp(type, "request") == 0) {
        if (to != NULL && strcmp(to, mx->user) == 0 && device != NULL && strlen(device) < 256 &&
            can_sas(event->content)) {
            requested(mx, &(struct request){event->sender, device, room->id, event->id, event->time_ms});
        }
        return;
    }
    struct verification *verification = transaction != NULL ? verify_find(mx, event->sender, transaction) : NULL;
    if (verification != NULL && verification->room_id != NULL && strcmp(verification->room_id, room->id) == 0) {
        verify_sas_message(verification, type, event->content);
    }
}

void verify_to_device(struct matrix *mx, const char *sender, const char *type, const json_t *content)
{
    const char *transaction = scan_text(content, "transaction_id"), *device = scan_text(content, "from_device");
    const json_t *timestamp = json_object_get(content, "timestamp");
    if (!mx->e2ee->open || strncmp(type, PREFIX, sizeof(PREFIX) - 1) != 0 || transaction == NULL ||
        strlen(transaction) > 255) {
        return;
    }
    type += sizeof(PREFIX) - 1;
    if (strcmp(type, "request") == 0) {
        if (device != NULL && strlen(device) < 256 && can_sas(content)) {
            requested(mx, &(struct request){sender, device, NULL, transaction,
                                            json_is_integer(timestamp) ? json_integer_value(timestamp) : 0});
        }
        return;
    }
    struct verification *verification = verify_find(mx, sender, transaction);
    if (verification != NULL && verification->room_id == NULL) {
        verify_sas_message(verification, type, content);
    }
}

void verify_stop(struct matrix *mx)
{
    while (mx->e2ee->verify != NULL && mx->e2ee->verify->first != NULL) {
        struct verification *first = mx->e2ee->verify->first;
        mx->e2ee->verify->first = first->next;
        free_one(first);
    }
    for (size_t i = 0; mx->e2ee->verify != NULL && i < TOLD; i++) {
        free(mx->e2ee->verify->told[i].user);
    }
    if (mx->e2ee->verify != NULL) {
        free(mx->e2ee->verify->shown);
    }
    free(mx->e2ee->verify);
    mx->e2ee->verify = NULL;
}

/* ---- the tool ---------------------------------------------------------------------------------------------- */

static const char *name_of(const struct verification *verification)
{
    return verification->mx->api->print(verification->mx->bot, "%s %s", verification->user, verification->transaction);
}

/* The one that has waited longest for the operator. */
static struct verification *oldest(struct matrix *mx)
{
    struct verification *found = NULL;
    for (struct verification *at = mx->e2ee->verify != NULL ? mx->e2ee->verify->first : NULL; at != NULL;
         at = at->next) {
        found = at->step == VERIFY_SHOWN ? at : found;
    }
    return found;
}

/* The one whose emoji the operator has seen: another one may have come since, and must not get the answer. */
static struct verification *seen(struct matrix *mx)
{
    struct verification *at = mx->e2ee->verify != NULL ? mx->e2ee->verify->first : NULL;
    const char *shown = at != NULL ? mx->e2ee->verify->shown : NULL;
    while (at != NULL && (at->step != VERIFY_SHOWN || shown == NULL || strcmp(name_of(at), shown) != 0)) {
        at = at->next;
    }
    return at;
}

static void show(struct matrix *mx, const struct verification *verification, struct hr_out *out)
{
    const struct sas_code *code = &verification->code;
    mem_set(&mx->e2ee->verify->shown, name_of(verification));
    mx->api->out(out, "%s verifies this bot, from device %s. They see seven emoji:\n", verification->user,
                 verification->device);
    for (size_t i = 0; i < SAS_EMOJI; i++) {
        const struct sas_emoji *emoji = sas_emoji(code->emoji[i]);
        mx->api->out(out, "  %zu. %s  %s\n", i + 1, emoji->name, emoji->symbol);
    }
    mx->api->out(out, "or three numbers: %u %u %u\n", code->decimal[0], code->decimal[1], code->decimal[2]);
}

static int answer(struct matrix *mx, bool same, struct hr_out *out)
{
    struct verification *verification = seen(mx);
    if (verification == NULL) {
        mx->api->out(out, oldest(mx) != NULL
                              ? "Please type hashroom verify first, and compare what it shows.\n"
                              : "Nobody waits for an answer. It may have taken too long: then it has to be begun once "
                                "more.\n");
        return HR_ENOTFOUND;
    }
    mx->api->out(out,
                 same ? "Thank you. %s sees the bot as verified as soon as they have confirmed as well.\n"
                      : "The verification with %s has ended. Nothing was verified.\n",
                 verification->user);
    verify_sas_answer(verification, same);
    return HR_OK;
}

static int accept(struct matrix *mx, const char *user, struct hr_out *out)
{
    if (people_accept(mx, user) < 0) {
        mx->api->out(out,
                     "The identity of %s has not changed, or the bot doesn't know them. There is nothing to accept.\n",
                     user);
        return HR_ENOTFOUND;
    }
    mx->api->out(out, "The new identity of %s is accepted. They are not verified until they compare emoji with you.\n",
                 user);
    return HR_OK;
}

int verify_tool(void *state, int argc, const char *const *argv, struct hr_out *out)
{
    struct matrix *mx = state;
    if (mx->e2ee == NULL || !mx->e2ee->open) {
        mx->api->out(out, "The bot is not ready for that. `hashroom status` says why.\n");
        return HR_ERETRY;
    }
    if (argc == 2 && strcmp(argv[0], "accept") == 0) {
        return accept(mx, argv[1], out);
    }
    if (argc == 1 && (strcmp(argv[0], "yes") == 0 || strcmp(argv[0], "no") == 0)) {
        return answer(mx, argv[0][0] == 'y', out);
    }
    if (argc > 0) {
        mx->api->out(out, "Please type hashroom verify, hashroom verify yes, hashroom verify no, or hashroom verify "
                          "accept USER\n");
        return HR_EINVAL;
    }
    const struct verification *verification = oldest(mx);
    if (verification == NULL) {
        mx->api->out(out,
                     "Nobody verifies the bot at the moment. A person begins it in their app: in Element, open the "
                     "profile of %s, then Verify.\n",
                     mx->user);
        return HR_OK;
    }
    show(mx, verification, out);
    return mx->api->ask(out, 0, "Does %s see the same? yes or no: ", verification->user);
}
