/* SPDX-License-Identifier: MIT */
/* The rows of our own Megolm sessions. */
#include "group_session.h"

#include "group_in.h"
#include "group_out.h"

#include <stdlib.h>
#include <string.h>

/* ---- sessions ------------------------------------------------------------------------------- */

static int on_session(void *arg, const struct hr_value *column, size_t count)
{
    struct group_session *session = arg;
    (void)count;
    int rc = ratchet_outbound_unpickle(column[0].str, column[0].len, session->mx->e2ee->pickle_key, &session->ratchet);
    session->created_ms = column[1].num;
    session->messages = column[2].num;
    return rc;
}

struct group_session group_session_load(struct matrix *mx, const char *room_id)
{
    struct group_session session = {.mx = mx};
    struct crypto_room rules;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id)};
    int rc = mx->api->sql(mx->bot,
                          "SELECT pickle, created_ms, messages FROM matrix_group_out"
                          " WHERE instance = ?1 AND room_id = ?2",
                          args, 2, on_session, &session);
    int64_t age_ms = mx->api->wall_ms(mx->bot) - session.created_ms;
    if (session.ratchet != NULL &&
        (rc < 0 || crypto_room_get(mx, room_id, &rules) < 0 || session.messages >= rules.rotation_messages ||
         age_ms >= rules.rotation_ms || age_ms < 0)) {
        ratchet_outbound_free(session.ratchet);
        session.ratchet = NULL;
    }
    return session;
}

int group_session_save(struct matrix *mx, const char *room_id, const struct group_session *session)
{
    char *pickle = ratchet_outbound_pickle(session->ratchet, mx->e2ee->pickle_key);
    const struct hr_value args[] = {HR_V_STR(mx->name),
                                    HR_V_STR(room_id),
                                    HR_V_STR(ratchet_outbound_id(session->ratchet)),
                                    HR_V_STR(pickle),
                                    HR_V_INT(session->created_ms),
                                    HR_V_INT(session->messages)};
    int rc = mx->api->sql(mx->bot,
                          "INSERT OR REPLACE INTO matrix_group_out(instance, room_id, session, pickle, created_ms,"
                          " messages) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                          args, 6, NULL, NULL);
    free(pickle);
    return rc;
}

void group_out_discard(struct matrix *mx, const char *room_id)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id)};
    (void)mx->api->sql(mx->bot,
                       "DELETE FROM matrix_group_shared WHERE instance = ?1 AND session IN (SELECT session"
                       " FROM matrix_group_out WHERE instance = ?1 AND room_id = ?2)",
                       args, 2, NULL, NULL);
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_group_out WHERE instance = ?1 AND room_id = ?2", args, 2, NULL,
                       NULL);
    mx->e2ee->changes++;
}

int group_session_begin(struct matrix *mx, const char *room_id, const struct crypto_room *rules,
                        struct group_session *session)
{
    const struct ratchet_identity *own = ratchet_account_identity(mx->e2ee->account);
    char key[RATCHET_SESSION_KEY];
    group_out_discard(mx, room_id);
    *session =
        (struct group_session){.mx = mx, .ratchet = ratchet_outbound_new(), .created_ms = mx->api->wall_ms(mx->bot)};
    ratchet_outbound_key(session->ratchet, key);
    const struct group_key mine = {
        .room_id = room_id,
        .session = ratchet_outbound_id(session->ratchet),
        .key = key,
        .origin = GROUP_DIRECT,
        .sender = mx->user,
        .sender_curve = own->curve25519,
        .sender_ed = own->ed25519,
        .shared_history = rules->shared_history,
    };
    int rc = group_in_take(mx, &mine);
    explicit_bzero(key, sizeof(key));
    return rc < 0 ? rc : group_session_save(mx, room_id, session);
}

/* ---- who was given it ------------------------------------------------------------------ */

void group_session_remember(struct matrix *mx, const char *session, const struct peer *peer, uint32_t index)
{
    const struct hr_value args[] = {HR_V_STR(mx->name),     HR_V_STR(session),     HR_V_STR(peer->user),
                                    HR_V_STR(peer->device), HR_V_STR(peer->curve), HR_V_INT(index)};
    (void)mx->api->sql(mx->bot,
                       "INSERT INTO matrix_group_shared(instance, session, user, device, curve, from_index)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(instance, session, user, device)"
                       " DO UPDATE SET from_index = min(from_index, ?6), curve = ?5",
                       args, 6, NULL, NULL);
}

static int on_from(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    *(int64_t *)arg = column[0].num;
    return HR_OK;
}

/* -1: nothing is known of it, or of another key of that device. */
static int64_t shared_from(struct matrix *mx, const char *session, const struct peer *peer)
{
    int64_t from = -1;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(session), HR_V_STR(peer->user), HR_V_STR(peer->device),
                                    HR_V_STR(peer->curve)};
    (void)mx->api->sql(mx->bot,
                       "SELECT from_index FROM matrix_group_shared WHERE instance = ?1 AND session = ?2"
                       " AND user = ?3 AND device = ?4 AND curve = ?5",
                       args, 5, on_from, &from);
    return from;
}

enum group_had group_session_had(struct matrix *mx, const char *session, const struct peer *peer)
{
    int64_t from = shared_from(mx, session, peer);
    return from < 0 ? GROUP_HAD_NOTHING : from == GROUP_REFUSED ? GROUP_HAD_REFUSAL : GROUP_HAD_KEY;
}

int group_out_shared_from(struct matrix *mx, const char *session, const struct peer *peer, uint32_t *index)
{
    int64_t from = shared_from(mx, session, peer);
    if (from < 0 || from == GROUP_REFUSED) {
        return HR_ENOTFOUND;
    }
    *index = (uint32_t)from;
    return HR_OK;
}

void group_out_share_again(struct matrix *mx, const struct peer *peer)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(peer->user), HR_V_STR(peer->device)};
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_group_shared WHERE instance = ?1 AND user = ?2 AND device = ?3",
                       args, 3, NULL, NULL);
    mx->e2ee->changes++;
}
