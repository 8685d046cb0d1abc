/* SPDX-License-Identifier: MIT */
/* The rows of Olm sessions, of messages read, and what is remembered of a device. */
#include "olm_inside.h"

#include <stdlib.h>
#include <string.h>

static const int64_t SEEN_MS = INT64_C(30) * 24 * 3600 * 1000;
enum { PRUNE_EACH = 1000 };

struct load {
    struct matrix *mx;
    struct olm_row *out;
    size_t count;
};

static int on_session(void *arg, const struct hr_value *column, size_t count)
{
    struct load *load = arg;
    struct olm_row *row = &load->out[load->count];
    (void)count;
    if (ratchet_session_unpickle(column[0].str, column[0].len, load->mx->e2ee->pickle_key, &row->session) == HR_OK) {
        row->created_ms = column[1].num;
        load->count++;
    }
    return HR_OK;
}

size_t olm_store_load(struct matrix *mx, const char *curve, struct olm_row *out, size_t most)
{
    struct load load = {.mx = mx, .out = out};
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(curve), HR_V_INT((int64_t)most)};
    (void)mx->api->sql(mx->bot,
                       "SELECT pickle, created_ms FROM matrix_olm WHERE instance = ?1 AND curve = ?2"
                       " ORDER BY used_ms DESC, created_ms DESC LIMIT ?3",
                       args, 3, on_session, &load);
    return load.count;
}

int olm_store_put(struct matrix *mx, const char *curve, const char *id, const char *pickle, bool used)
{
    const struct hr_value args[] = {
        HR_V_STR(mx->name), HR_V_STR(curve), HR_V_STR(id), HR_V_STR(pickle), HR_V_INT(mx->api->wall_ms(mx->bot)),
        HR_V_INT(used)};
    int rc = mx->api->sql(mx->bot,
                          "INSERT INTO matrix_olm(instance, curve, session, pickle, created_ms, used_ms)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT(instance, curve, session) DO UPDATE SET"
                          " pickle = ?4, used_ms = CASE WHEN ?6 THEN ?5 ELSE used_ms END",
                          args, 6, NULL, NULL);
    return rc < 0 || !used ? rc
                           : mx->api->sql(mx->bot,
                                          "DELETE FROM matrix_olm WHERE instance = ?1 AND curve = ?2 AND session IN"
                                          " (SELECT session FROM matrix_olm WHERE instance = ?1 AND curve = ?2"
                                          " ORDER BY used_ms DESC, created_ms DESC LIMIT -1 OFFSET 5)",
                                          args, 2, NULL, NULL);
}

int olm_store_save(struct matrix *mx, const char *curve, struct ratchet_session *session, bool used)
{
    char *pickle = ratchet_session_pickle(session, mx->e2ee->pickle_key);
    int rc = olm_store_put(mx, curve, ratchet_session_id(session), pickle, used);
    free(pickle);
    return rc;
}

static int on_number(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    *(int64_t *)arg = column[0].num;
    return HR_OK;
}

int64_t olm_store_newest_ms(struct matrix *mx, const char *curve)
{
    int64_t ms = 0;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(curve)};
    (void)mx->api->sql(mx->bot,
                       "SELECT coalesce(max(created_ms), 0) FROM matrix_olm WHERE instance = ?1 AND curve = ?2", args,
                       2, on_number, &ms);
    return ms;
}

bool olm_store_seen(struct matrix *mx, const char *hash)
{
    int64_t found = 0;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(hash)};
    (void)mx->api->sql(mx->bot, "SELECT 1 FROM matrix_olm_seen WHERE instance = ?1 AND hash = ?2", args, 2, on_number,
                       &found);
    return found != 0;
}

static int prune_seen(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_INT(mx->api->wall_ms(mx->bot) - SEEN_MS)};
    return mx->api->sql(mx->bot, "DELETE FROM matrix_olm_seen WHERE instance = ?1 AND at_ms < ?2", args, 2, NULL, NULL);
}

void olm_store_remember(struct matrix *mx, const char *hash)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(hash), HR_V_INT(mx->api->wall_ms(mx->bot))};
    (void)mx->api->sql(mx->bot, "INSERT OR IGNORE INTO matrix_olm_seen(instance, hash, at_ms) VALUES(?1, ?2, ?3)", args,
                       3, NULL, NULL);
    if (++mx->e2ee->olm->remembered % PRUNE_EACH == 0) {
        (void)prune_seen(mx);
    }
}

int64_t olm_store_peer_ms(struct matrix *mx, const struct peer *peer, const char *column)
{
    int64_t ms = 0;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(peer->user), HR_V_STR(peer->device)};
    const char *sql =
        mx->api->print(mx->bot, "SELECT %s FROM matrix_peer WHERE instance = ?1 AND user = ?2 AND device = ?3", column);
    (void)mx->api->sql(mx->bot, sql, args, 3, on_number, &ms);
    return ms;
}

void olm_store_set_peer_ms(struct matrix *mx, const struct peer *peer, const char *column, int64_t ms)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(peer->user), HR_V_STR(peer->device), HR_V_INT(ms)};
    const char *sql = mx->api->print(
        mx->bot, "UPDATE matrix_peer SET %s = ?4 WHERE instance = ?1 AND user = ?2 AND device = ?3", column);
    (void)mx->api->sql(mx->bot, sql, args, 4, NULL, NULL);
}

int olm_session_load(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_INT(mx->api->wall_ms(mx->bot) - SEEN_MS)};
    mx->e2ee->olm = mem_new(sizeof(*mx->e2ee->olm));
    mx->e2ee->olm->sends_end = &mx->e2ee->olm->sends;
    int rc = prune_seen(mx);
    return rc < 0 ? rc /* devices nobody knows any more */
                  : mx->api->sql(mx->bot,
                                 "DELETE FROM matrix_olm WHERE instance = ?1 AND used_ms < ?2 AND curve NOT IN"
                                 " (SELECT curve FROM matrix_peer WHERE instance = ?1 AND gone = 0)",
                                 args, 2, NULL, NULL);
}
