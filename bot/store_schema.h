/* SPDX-License-Identifier: MIT */
/* The host's tables. Steps are never changed once released: a new one is added at the end. */
#ifndef HASHROOM_STORE_SCHEMA_H
#define HASHROOM_STORE_SCHEMA_H
#include <stddef.h>

/* Times: *_ms of messages and expires_ms on the chat clock; due_ms, claimed_ms,
 * first_ms, last_ms, settled_ms on the system's clock.
 * delivery.state: waiting, claimed, then one of delivered, named, expired, refused, unknown.
 * part.state: ready, claimed, delivered, refused, unknown, dropped, removed.
 * message.state: live, held, hidden, removed. */
static const char *const store_schema[] = {
    "CREATE TABLE room(id INTEGER PRIMARY KEY AUTOINCREMENT, network TEXT NOT NULL, address TEXT NOT NULL,"
    " private INTEGER NOT NULL, UNIQUE(network, address)) STRICT;"

    "CREATE TABLE chat(name TEXT PRIMARY KEY, session INTEGER NOT NULL, question INTEGER NOT NULL,"
    " quiet_until_ms INTEGER NOT NULL, read_from_ms INTEGER NOT NULL, read_to_ms INTEGER NOT NULL) STRICT;"

    "CREATE TABLE message(id INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL, key TEXT NOT NULL,"
    " room INTEGER REFERENCES room, author TEXT NOT NULL, account TEXT NOT NULL, name TEXT NOT NULL,"
    " handle TEXT NOT NULL, power INTEGER NOT NULL, text TEXT NOT NULL, url TEXT NOT NULL, links TEXT NOT NULL,"
    " reply_to INTEGER NOT NULL, reply_name TEXT NOT NULL, reply_text TEXT NOT NULL, time_ms INTEGER NOT NULL,"
    " logged_ms INTEGER NOT NULL, chat TEXT NOT NULL, session INTEGER NOT NULL, question INTEGER NOT NULL,"
    " flags INTEGER NOT NULL, state TEXT NOT NULL, UNIQUE(scope, key)) STRICT;"

    "CREATE TABLE revision(scope TEXT NOT NULL, remote_id TEXT NOT NULL, message INTEGER NOT NULL,"
    " PRIMARY KEY(scope, remote_id)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE delivery(id INTEGER PRIMARY KEY AUTOINCREMENT, message INTEGER NOT NULL REFERENCES message,"
    " room INTEGER NOT NULL REFERENCES room, act INTEGER NOT NULL, priority INTEGER NOT NULL,"
    " flags INTEGER NOT NULL, lead TEXT NOT NULL, lead_url TEXT NOT NULL, expires_ms INTEGER NOT NULL,"
    " due_ms INTEGER NOT NULL, claimed_ms INTEGER, settled_ms INTEGER, state TEXT NOT NULL, reason TEXT) STRICT;"
    "CREATE INDEX delivery_message ON delivery(message);"

    "CREATE TABLE part(id INTEGER PRIMARY KEY AUTOINCREMENT, room INTEGER NOT NULL REFERENCES room,"
    " txn TEXT NOT NULL, act INTEGER NOT NULL, body BLOB NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,"
    " remote_id TEXT, first_ms INTEGER, last_ms INTEGER, settled_ms INTEGER, reason TEXT) STRICT;"

    /* merged: the part carries several deliveries */
    "CREATE TABLE delivery_part(delivery INTEGER NOT NULL REFERENCES delivery, part INTEGER NOT NULL REFERENCES part,"
    " merged INTEGER NOT NULL, PRIMARY KEY(delivery, part)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX delivery_part_merged ON delivery_part(part) WHERE merged = 1;"

    /* What the host lets every plugin read. */
    "CREATE VIEW core_pub_delivery AS SELECT r.network, r.address, d.room, d.state, d.act, d.priority,"
    " count(*) AS count, min(d.due_ms) AS oldest_ms FROM delivery d JOIN room r ON r.id = d.room"
    " GROUP BY d.room, d.state, d.act, d.priority;"
    "CREATE VIEW core_pub_message AS SELECT m.id, m.scope, m.key, m.room, r.network, r.address, m.author, m.account,"
    " m.name, m.handle, m.text, m.url, m.reply_to, m.time_ms, m.logged_ms, m.chat, m.session, m.question, m.flags,"
    " m.state FROM message m LEFT JOIN room r ON r.id = m.room;"
    "CREATE VIEW core_pub_said AS SELECT message, room, act, state, settled_ms FROM delivery;"
    "CREATE VIEW core_pub_room AS SELECT id, network, address, private FROM room;",

    "ALTER TABLE chat ADD COLUMN starts_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE chat ADD COLUMN ends_ms INTEGER NOT NULL DEFAULT 0;",

    "CREATE VIEW core_pub_part AS SELECT p.id, r.network, r.address, p.state, p.remote_id FROM part p"
    " JOIN room r ON r.id = p.room;",

    /* Posts that were left out of a room, to be read with !missed. */
    "CREATE INDEX delivery_named ON delivery(state) WHERE state = 'named';"
    "CREATE VIEW core_pub_left_out AS SELECT d.id, d.room, m.id AS message, m.chat, d.lead, m.text, m.url"
    " FROM delivery d JOIN message m ON m.id = d.message WHERE d.state = 'named' AND m.state = 'live';",

    /* named: a number that rises with each delivery left out, whatever its priority: who reads on from a number misses
     * none. told_named: up to which the room was told how many there are. */
    "ALTER TABLE delivery ADD COLUMN named INTEGER;"
    "UPDATE delivery SET named = id WHERE state = 'named';"
    "DROP INDEX delivery_named;"
    "CREATE INDEX delivery_left_out ON delivery(named) WHERE named IS NOT NULL;"
    "ALTER TABLE room ADD COLUMN told_named INTEGER NOT NULL DEFAULT 0;"
    "UPDATE room SET told_named = (SELECT coalesce(max(named), 0) FROM delivery WHERE named IS NOT NULL);"
    "DROP VIEW core_pub_left_out;"
    "CREATE VIEW core_pub_left_out AS SELECT d.named AS id, d.room, m.id AS message, m.chat, d.lead, m.text, m.url"
    " FROM delivery d JOIN message m ON m.id = d.message WHERE d.named IS NOT NULL AND m.state = 'live';",
    "ALTER TABLE message ADD COLUMN media_url TEXT NOT NULL DEFAULT '';",
    NULL,
};
#endif
