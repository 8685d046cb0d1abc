/* SPDX-License-Identifier: MIT */
/* Our user-signing key signs the identity of somebody we verified, so that our other devices know it too. */
#include "../call.h"
#include "own_identity.h"
#include "people.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_REPLY = 4 * 1024 * 1024 };

static void on_uploaded(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    if (reply->status != HR_OK || json_object_size(json_object_get(reply->json, "failures")) != 0) {
        matrix_error(mx, "the signature of %s could not be kept at the server%s%s", (const char *)arg,
                     reply->words[0] != '\0' ? ": " : "", reply->words);
    }
    free(arg);
}

static json_t *master_of(struct matrix *mx, struct scan reply, const char *user)
{
    struct scan at;
    struct cross_signing_keys_public keys;
    char err[120];
    const char *verified = people_master(mx, user);
    if (scan_get(reply, "master_keys", &at) < 0 || scan_get(at, user, &at) < 0) {
        return NULL;
    }
    json_t *master = scan_load(at, err, sizeof(err));
    if (cross_signing_keys_read(user, master, NULL, NULL, &keys) < 0 || verified == NULL ||
        strcmp(keys.master, verified) != 0) {
        json_decref(master);
        return NULL;
    }
    return master;
}

static void on_master(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    char *user = arg;
    const struct cross_signing_keys *own = own_identity_keys(mx);
    json_t *master = reply->status == HR_OK ? master_of(mx, (struct scan){reply->body, reply->body_len}, user) : NULL;
    (void)json_object_del(master, "signatures"); /* the server has those */
    if (own == NULL || master == NULL || cross_signing_keys_sign_user(own, mx->user, master) < 0) {
        matrix_error(mx, "the identity of %s could not be signed; verify once more", user);
        json_decref(master);
        free(user);
        return;
    }
    json_t *body = json_pack("{s:{s:o}}", user, people_master(mx, user), master);
    char *text = json_dumps(body, JSON_COMPACT);
    struct call_request request = {.method = "POST", .path = "/_matrix/client/v3/keys/signatures/upload", .body = text};
    json_decref(body);
    if (call_start(mx, &request, on_uploaded, free, user) < 0) {
        free(user);
    }
    free(text);
}

void own_identity_sign_user(struct matrix *mx, const char *user)
{
    json_t *body = json_pack("{s:{s:[]}}", "device_keys", user);
    char *text = json_dumps(body, JSON_COMPACT), *copy = mem_dup(user);
    struct call_request request = {
        .method = "POST", .path = "/_matrix/client/v3/keys/query", .body = text, .max_bytes = MAX_REPLY, .raw = true};
    json_decref(body);
    if (call_start(mx, &request, on_master, free, copy) < 0) {
        free(copy);
    }
    free(text);
}
