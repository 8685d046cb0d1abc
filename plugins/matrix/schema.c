/* SPDX-License-Identifier: MIT */
/* The tables of the matrix plugin. */
#include "schema.h"

#include <stddef.h>

const char *const matrix_schema[] = {
    "CREATE TABLE matrix_account(instance TEXT PRIMARY KEY, homeserver TEXT NOT NULL, user TEXT NOT NULL,"
    " device TEXT NOT NULL, token TEXT NOT NULL, since TEXT, device_since_ms INTEGER NOT NULL) STRICT",
    "CREATE TABLE matrix_room(instance TEXT NOT NULL, address TEXT NOT NULL, room_id TEXT, last_event TEXT,"
    " private INTEGER NOT NULL, gone TEXT, PRIMARY KEY(instance, address)) STRICT, WITHOUT ROWID",
    "CREATE TABLE matrix_encrypted(room_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
    "CREATE TABLE matrix_invite(instance TEXT NOT NULL, room_id TEXT NOT NULL, sender TEXT NOT NULL,"
    " encrypted INTEGER NOT NULL, PRIMARY KEY(instance, room_id)) STRICT, WITHOUT ROWID",

    /* ---- end-to-end encryption (docs/e2ee.md). Pickles and seeds are enciphered under a key outside the database ----
     */

    /* Our device: `store` is the store's id when its keys were made; another one means a restored copy. */
    "CREATE TABLE matrix_crypto(instance TEXT PRIMARY KEY, user TEXT NOT NULL, device TEXT NOT NULL,"
    " store TEXT NOT NULL, account TEXT NOT NULL, uploaded INTEGER NOT NULL DEFAULT 0,"
    " fallback_ms INTEGER NOT NULL DEFAULT 0, fallback_used_ms INTEGER NOT NULL DEFAULT 0) STRICT",
    /* Our identity outlives devices. */
    "CREATE TABLE matrix_identity(instance TEXT PRIMARY KEY, user TEXT NOT NULL, master TEXT NOT NULL,"
    " self_signing TEXT NOT NULL, user_signing TEXT NOT NULL, uploaded INTEGER NOT NULL DEFAULT 0,"
    " recovery_key TEXT, backup_key TEXT, backup_version TEXT) STRICT",
    "CREATE TABLE matrix_person(instance TEXT NOT NULL, user TEXT NOT NULL, outdated INTEGER NOT NULL DEFAULT 1,"
    " generation INTEGER NOT NULL DEFAULT 0, master TEXT, shown_master TEXT, self_signing TEXT,"
    " verified INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(instance, user)) STRICT, WITHOUT ROWID",
    "CREATE TABLE matrix_peer(instance TEXT NOT NULL, user TEXT NOT NULL, device TEXT NOT NULL, curve TEXT NOT NULL,"
    " ed TEXT NOT NULL, signed INTEGER NOT NULL DEFAULT 0, no_olm_ms INTEGER NOT NULL DEFAULT 0,"
    " wedged_ms INTEGER NOT NULL DEFAULT 0, gone INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY(instance, user, device)) STRICT, WITHOUT ROWID",
    "CREATE INDEX matrix_peer_curve ON matrix_peer(instance, curve)",
    "CREATE TABLE matrix_olm(instance TEXT NOT NULL, curve TEXT NOT NULL, session TEXT NOT NULL, pickle TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL, PRIMARY KEY(instance, curve, session)) STRICT,"
    " WITHOUT ROWID",
    "CREATE TABLE matrix_olm_seen(instance TEXT NOT NULL, hash TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " PRIMARY KEY(instance, hash)) STRICT, WITHOUT ROWID",
    "CREATE TABLE matrix_to_device(id INTEGER PRIMARY KEY, instance TEXT NOT NULL, txn TEXT NOT NULL,"
    " type TEXT NOT NULL, body TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT",
    /* agreed: the host who let an encrypted room be carried to other networks. */
    "CREATE TABLE matrix_crypto_room(instance TEXT NOT NULL, room_id TEXT NOT NULL, readable INTEGER NOT NULL,"
    " rotation_ms INTEGER NOT NULL, rotation_messages INTEGER NOT NULL, visibility TEXT NOT NULL DEFAULT 'shared',"
    " members_known INTEGER NOT NULL DEFAULT 0, agreed TEXT NOT NULL DEFAULT '',"
    " agreed_ms INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(instance, room_id)) STRICT, WITHOUT ROWID",
    "CREATE TABLE matrix_crypto_member(instance TEXT NOT NULL, room_id TEXT NOT NULL, user TEXT NOT NULL,"
    " joined INTEGER NOT NULL, PRIMARY KEY(instance, room_id, user)) STRICT, WITHOUT ROWID",
    "CREATE INDEX matrix_crypto_member_user ON matrix_crypto_member(instance, user)",
    "CREATE TABLE matrix_group_out(instance TEXT NOT NULL, room_id TEXT NOT NULL, session TEXT NOT NULL,"
    " pickle TEXT NOT NULL, created_ms INTEGER NOT NULL, messages INTEGER NOT NULL,"
    " PRIMARY KEY(instance, room_id)) STRICT, WITHOUT ROWID",
    "CREATE TABLE matrix_group_shared(instance TEXT NOT NULL, session TEXT NOT NULL, user TEXT NOT NULL,"
    " device TEXT NOT NULL, curve TEXT NOT NULL, from_index INTEGER NOT NULL,"
    " PRIMARY KEY(instance, session, user, device)) STRICT, WITHOUT ROWID",
    "CREATE TABLE matrix_group_in(instance TEXT NOT NULL, room_id TEXT NOT NULL, session TEXT NOT NULL,"
    " sender TEXT NOT NULL, sender_curve TEXT NOT NULL, sender_ed TEXT NOT NULL, origin INTEGER NOT NULL,"
    " first_index INTEGER NOT NULL, shared_history INTEGER NOT NULL, backed_up INTEGER NOT NULL DEFAULT 0,"
    " used_ms INTEGER NOT NULL, pickle TEXT NOT NULL, PRIMARY KEY(instance, room_id, session)) STRICT, WITHOUT ROWID",
    "CREATE INDEX matrix_group_in_backup ON matrix_group_in(instance, backed_up) WHERE backed_up = 0",
    "CREATE TABLE matrix_group_index(instance TEXT NOT NULL, session TEXT NOT NULL, idx INTEGER NOT NULL,"
    " event TEXT NOT NULL, time_ms INTEGER NOT NULL, PRIMARY KEY(instance, session, idx)) STRICT, WITHOUT ROWID",
    "CREATE TABLE matrix_group_wait(instance TEXT NOT NULL, room_id TEXT NOT NULL, session TEXT NOT NULL,"
    " event TEXT NOT NULL, body TEXT NOT NULL, flags INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    " PRIMARY KEY(instance, room_id, session, event)) STRICT, WITHOUT ROWID",
    "CREATE TABLE matrix_withheld(instance TEXT NOT NULL, room_id TEXT NOT NULL, session TEXT NOT NULL,"
    " code TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY(instance, room_id, session)) STRICT, WITHOUT ROWID",
    "CREATE TABLE matrix_sealed(instance TEXT NOT NULL, txn TEXT NOT NULL, session TEXT NOT NULL,"
    " content TEXT NOT NULL, PRIMARY KEY(instance, txn)) STRICT, WITHOUT ROWID",
    "CREATE TABLE matrix_key_request(instance TEXT NOT NULL, room_id TEXT NOT NULL, session TEXT NOT NULL,"
    " request TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY(instance, room_id, session)) STRICT, WITHOUT ROWID",

    /* ---- the session's life ---- */

    "ALTER TABLE matrix_account ADD COLUMN refresh TEXT",
    "ALTER TABLE matrix_account ADD COLUMN expires_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE matrix_room ADD COLUMN inviter TEXT",
    "ALTER TABLE matrix_room ADD COLUMN active_ms INTEGER NOT NULL DEFAULT 0",
    "CREATE TABLE matrix_server(instance TEXT PRIMARY KEY, name TEXT NOT NULL, base_url TEXT NOT NULL) STRICT",
    "CREATE TABLE matrix_budget(instance TEXT PRIMARY KEY, rate REAL NOT NULL, burst REAL NOT NULL,"
    " rate_set REAL NOT NULL, burst_set REAL NOT NULL, at_ms INTEGER NOT NULL) STRICT",

    /* ---- pictures and files ---- */

    /* key: of an encrypted one, enciphered */
    "CREATE TABLE matrix_media(instance TEXT NOT NULL, event TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL,"
    " uri TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,"
    " key BLOB, expires_ms INTEGER NOT NULL, PRIMARY KEY(instance, event)) STRICT, WITHOUT ROWID",
    "CREATE INDEX matrix_media_id ON matrix_media(id)",
    "CREATE INDEX matrix_media_event ON matrix_media(event)",
    /* who: a number made of the user id under a key outside the database */
    "CREATE TABLE matrix_media_person(instance TEXT NOT NULL, who TEXT NOT NULL, since_ms INTEGER NOT NULL,"
    " seen_ms INTEGER NOT NULL, PRIMARY KEY(instance, who)) STRICT, WITHOUT ROWID",
    "ALTER TABLE matrix_sealed ADD COLUMN at_ms INTEGER NOT NULL DEFAULT 0",
    /* 0: token and refresh stand there as an earlier version wrote them; 1: under a key outside the database */
    "ALTER TABLE matrix_account ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0",
    NULL,
};
