/* SPDX-License-Identifier: MIT */
/* The door of end-to-end encryption: what is kept over a restart, sync replies, the status line. */
#include "e2ee.h"

#include "../call.h"
#include "backup.h"
#include "crypto_room.h"
#include "curve.h"
#include "e2ee_account.h"
#include "own_identity.h"
#include "own_keys.h"
#include "people.h"
#include "to_device.h"
#include "group_in.h"
#include "group_out.h"
#include "olm_session.h"
#include "recovery.h"
#include "verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the files here share ---------------------------------------------------- */

int e2ee_account_save(struct matrix *mx)
{
    struct e2ee *e2ee = mx->e2ee;
    char *pickle = ratchet_account_pickle(e2ee->account, e2ee->pickle_key);
    const struct hr_value args[] = {
        HR_V_STR(mx->name), HR_V_STR(mx->user), HR_V_STR(e2ee->device), HR_V_STR(mx->api->store_id(mx->bot)),
        HR_V_STR(pickle),
    };
    int rc = mx->api->sql(mx->bot,
                          "INSERT INTO matrix_crypto(instance, user, device, store, account) VALUES(?1, ?2, ?3, ?4, ?5)"
                          " ON CONFLICT(instance) DO UPDATE SET account = ?5",
                          args, 5, NULL, NULL);
    free(pickle);
    if (rc < 0) {
        matrix_error(mx, "the keys of the device could not be saved");
    }
    return rc;
}

bool e2ee_worth_a_line(unsigned *count)
{
    unsigned n = ++*count;
    return (n & (n - 1)) == 0; /* who floods us does not flood the log */
}

/* Whether these words are new, and the log has place for them. */
static bool is_worth_telling(struct matrix *mx, const char *text)
{
    struct e2ee *e2ee = mx->e2ee;
    int64_t now_ms = mx->api->monotonic_ms(mx->bot);
    uint64_t hash = 14695981039346656037ULL; /* FNV-1a */
    for (const char *p = text; *p != '\0'; p++) {
        hash = (hash ^ (unsigned char)*p) * 1099511628211ULL;
    }
    for (size_t i = 0; i < E2EE_TOLD; i++) {
        if (e2ee->told[i] == hash) {
            return false;
        }
    }
    if (now_ms - e2ee->told_ms >= 3600000) {
        e2ee->told_ms = now_ms;
        e2ee->told_lines = 0;
    }
    e2ee->told[e2ee->told_count++ % E2EE_TOLD] = hash;
    return e2ee->told_lines++ < E2EE_TOLD_AN_HOUR || (e2ee->told_lines & (e2ee->told_lines - 1)) == 0;
}

void e2ee_refuse(struct matrix *mx, const char *fmt, ...)
{
    char text[500];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    for (char *p = text; *p != '\0'; p++) { /* ids of strangers are in it */
        *p = (unsigned char)*p < ' ' || *p == 0x7F ? '?' : *p;
    }
    mx->e2ee->refused++;
    if (is_worth_telling(mx, text)) {
        mx->api->log(mx->bot, HR_WARN, "%s (refused so far: %u)", text, mx->e2ee->refused);
    }
}

/* ---- life --------------------------------------------------------------------------- */

static int on_row(void *arg, const struct hr_value *column, size_t count)
{
    struct matrix *mx = arg;
    struct e2ee *e2ee = mx->e2ee;
    (void)count;
    if (strcmp(column[1].str, mx->api->store_id(mx->bot)) != 0) {
        mx->api->log(
            mx->bot, HR_WARN,
            "the database is an older copy: device %s is not used again, its keys may have been turned further",
            column[0].str);
        e2ee->lost = true;
    } else if (ratchet_account_unpickle(column[2].str, column[2].len, e2ee->pickle_key, &e2ee->account) < 0) {
        mx->api->log(
            mx->bot, HR_WARN,
            "the keys of device %s can't be read: they were made under another store key; a new device is made",
            column[0].str);
        e2ee->lost = true;
    }
    mem_set(&e2ee->device, column[0].str);
    return HR_OK;
}

int e2ee_start(struct matrix *mx)
{
    struct e2ee *e2ee = mem_new(sizeof(*e2ee));
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(mx->user)};
    e2ee->mx = mx;
    e2ee->strict = mx->api->option(mx->bot, "strict")->num != 0;
    mx->e2ee = e2ee;
    int rc = mx->api->derive(mx->bot, "pickles", e2ee->pickle_key, sizeof(e2ee->pickle_key));
    if (rc < 0) {
        matrix_error(mx, "the store key gives no key for encryption; see `hashroom doctor`");
        return rc;
    }
    rc = mx->api->sql(mx->bot, "SELECT device, store, account FROM matrix_crypto WHERE instance = ?1 AND user = ?2",
                      args, 2, on_row, mx);
    if (rc < 0) {
        matrix_error(mx, "the keys of the device could not be read from the database");
        return rc;
    }
    rc = people_load(mx);
    rc = rc < 0 ? rc : to_device_load(mx);
    rc = rc < 0 ? rc : olm_session_load(mx);
    group_in_load(mx);
    return rc;
}

void e2ee_stop(struct matrix *mx)
{
    struct e2ee *e2ee = mx->e2ee;
    if (e2ee == NULL) {
        return;
    }
    mx->api->timer_stop(e2ee->timer);
    call_cancel(e2ee->opening);
    crypto_room_stop(mx); /* each of these four drops what waits there, which group_out holds the list of */
    olm_session_stop(mx);
    people_stop(mx);
    to_device_stop(mx);
    group_out_stop(mx);
    group_in_stop(mx);
    verify_stop(mx);
    recovery_stop(mx);
    backup_stop(mx);
    own_identity_stop(mx);
    own_keys_stop(mx);
    ratchet_account_free(e2ee->account);
    free(e2ee->device);
    free(e2ee->why);
    curve_wipe(e2ee, sizeof(*e2ee));
    free(e2ee);
    mx->e2ee = NULL;
}

void e2ee_rest(struct matrix *mx)
{
    recovery_stop(mx);
    backup_stop(mx);
}

bool e2ee_needs_device(const struct matrix *mx)
{
    return mx->e2ee->lost;
}

const char *e2ee_closed(const struct matrix *mx)
{
    return mx->e2ee->why;
}

/* ---- a sync reply --------------------------------------------------------------------- */

static int on_unused(void *arg, struct scan item)
{
    char type[64];
    (void)arg;
    return scan_string(item, type, sizeof(type)) == HR_OK && strcmp(type, "signed_curve25519") == 0 ? HR_EEXIST : HR_OK;
}

static void take_counts(struct matrix *mx, struct scan reply)
{
    struct scan counts, number, unused;
    long long count = -1;
    if (scan_get(reply, "device_one_time_keys_count", &counts) == HR_OK &&
        scan_get(counts, "signed_curve25519", &number) == HR_OK) {
        count = scan_number(number, -1);
    }
    bool fresh = scan_get(reply, "device_unused_fallback_key_types", &unused) != HR_OK || /* a server without them */
                 scan_array(unused, on_unused, NULL) == HR_EEXIST;
    own_keys_counts(mx, count < 0 ? -1 : count > 1000 ? 1000 : (int)count, fresh);
}

static int on_changed(void *arg, struct scan item)
{
    char user[256];
    if (scan_string(item, user, sizeof(user)) == HR_OK) {
        people_outdated(arg, user);
    }
    return HR_OK;
}

static int on_left(void *arg, struct scan item)
{
    char user[256];
    if (scan_string(item, user, sizeof(user)) == HR_OK) {
        (void)people_untrack(arg, user);
    }
    return HR_OK;
}

void e2ee_sync(struct matrix *mx, struct scan reply)
{
    struct scan lists, part;
    if (mx->recovering) {
        people_all_outdated(mx);
    }
    if (scan_get(reply, "device_lists", &lists) == HR_OK) {
        if (scan_get(lists, "changed", &part) == HR_OK) {
            (void)scan_array(part, on_changed, mx);
        }
        if (scan_get(lists, "left", &part) == HR_OK) {
            (void)scan_array(part, on_left, mx);
        }
    }
    if (mx->e2ee->account == NULL || mx->e2ee->own_keys == NULL) {
        return; /* this device has no keys: nobody can have sent it any */
    }
    take_counts(mx, reply); /* first: a fallback key that was given away becomes the old one */
    if (scan_get(reply, "to_device", &part) == HR_OK && scan_get(part, "events", &part) == HR_OK) {
        to_device_take(mx, part);
    }
}

/* ---- status line ------------------------------------------------------------------------ */

void e2ee_report(struct matrix *mx, struct hr_out *out)
{
    struct e2ee *e2ee = mx->e2ee;
    if (e2ee == NULL || (!e2ee->open && e2ee->why == NULL)) {
        return;
    }
    if (!e2ee->open) {
        mx->api->out(out, "Encrypted rooms can't be used: %s\n", e2ee->why);
        return;
    }
    const struct ratchet_identity *identity = ratchet_account_identity(e2ee->account);
    mx->api->out(out, "Encryption works. Device %s, its key %s.\n", e2ee->device, identity->ed25519);
    if (e2ee->unreadable > 0) {
        mx->api->out(out, "%u messages could not be read for want of a key.\n", e2ee->unreadable);
    }
    if (e2ee->refused > 0) {
        mx->api->out(out, "%u encrypted things were refused; the log says why.\n", e2ee->refused);
    }
}
