/* SPDX-License-Identifier: MIT */
/* The recovery key opens what the account keeps at the server. */
#include "recovery_use.h"

#include "../call.h"
#include "backup.h"
#include "curve.h"
#include "own_identity.h"
#include "secret_storage.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS = RECOVERY_SECRETS + 2 }; /* which key, its description, the secrets */

struct recovery_use {
    uint8_t key[SECRET_STORAGE_KEY];
    uint8_t secret[RECOVERY_SECRETS][32];
    bool have[RECOVERY_SECRETS];
    char id[256];
    int step;
    bool done;
    const char *outcome; /* a sentence, once done */
    int status;
    struct call *call;
};

const char *const recovery_secrets[RECOVERY_SECRETS] = {
    "m.cross_signing.master",
    "m.cross_signing.self_signing",
    "m.cross_signing.user_signing",
    "m.megolm_backup.v1",
};

static void ask(struct matrix *mx);

static void end(struct matrix *mx, int status, const char *outcome)
{
    struct recovery_use *use = mx->e2ee->use;
    use->done = true;
    use->status = status;
    use->outcome = outcome;
    curve_wipe(use->key, sizeof(use->key));
    curve_wipe(use->secret, sizeof(use->secret));
    mx->api->log(mx->bot, status == HR_OK ? HR_INFO : HR_WARN, "recovery key: %s", outcome);
}

static void finish(struct matrix *mx)
{
    struct recovery_use *use = mx->e2ee->use;
    if (!use->have[0] || !use->have[1] || !use->have[2]) {
        end(mx, HR_EFAIL, "The account keeps no identity at the server that this key opens.");
    } else if (own_identity_restore(mx, use->secret[0], use->secret[1], use->secret[2]) < 0) {
        end(mx, HR_EFAIL, "What it opens is another identity than the one the server shows. Nothing was changed.");
    } else {
        if (use->have[3]) {
            (void)backup_restore(mx, use->secret[3]);
        }
        end(mx, HR_OK, "The bot has its identity again.");
    }
}

/* One answer of the server; false: it is over. */
static bool take(struct matrix *mx, const struct call_reply *reply)
{
    struct recovery_use *use = mx->e2ee->use;
    const char *id = scan_text(reply->json, "key");
    if (use->step == 0) {
        if (id == NULL || strlen(id) >= sizeof(use->id)) {
            end(mx, HR_ENOTFOUND, "The account keeps no secrets at the server.");
            return false;
        }
        memcpy(use->id, id, strlen(id) + 1);
        return true;
    }
    if (use->step == 1) {
        int rc = reply->status == HR_OK ? secret_storage_check(reply->json, use->key) : HR_EINVAL;
        if (rc < 0) {
            end(mx, rc,
                rc == HR_EDENIED ? "This is not the recovery key in use. Please look for the latest one."
                                 : "The server keeps secrets in a way this bot can't read.");
            return false;
        }
        return true;
    }
    size_t n = (size_t)use->step - 2;
    const json_t *sealed = json_object_get(json_object_get(reply->json, "encrypted"), use->id);
    use->have[n] =
        sealed != NULL && secret_storage_open_key(use->key, recovery_secrets[n], sealed, use->secret[n]) == HR_OK;
    return true;
}

static void on_reply(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    (void)arg;
    if (reply->status != HR_OK && reply->code != 404) {
        end(mx, HR_ERETRY, "The server did not answer as it should. Please try again.");
    } else if (take(mx, reply)) {
        if (++mx->e2ee->use->step == STEPS) {
            finish(mx);
        } else {
            ask(mx);
        }
    }
}

static void ask(struct matrix *mx)
{
    struct recovery_use *use = mx->e2ee->use;
    const char *type = use->step == 0   ? "m.secret_storage.default_key"
                       : use->step == 1 ? mx->api->print(mx->bot, "m.secret_storage.key.%s", call_encode(mx, use->id))
                                        : recovery_secrets[use->step - 2];
    struct call_request request = {
        .method = "GET",
        .path = mx->api->print(mx->bot, "/_matrix/client/v3/user/%s/account_data/%s", call_encode(mx, mx->user), type),
        .handle = &use->call,
    };
    if (call_start(mx, &request, on_reply, NULL, NULL) < 0) {
        end(mx, HR_ERETRY, "The server could not be asked. Please try again.");
    }
}

void recovery_use_stop(struct matrix *mx)
{
    struct recovery_use *use = mx->e2ee->use;
    if (use != NULL) {
        call_cancel(use->call);
        curve_wipe(use, sizeof(*use));
        free(use);
        mx->e2ee->use = NULL;
    }
}

int recovery_use(struct matrix *mx, int argc, const char *const *argv, struct hr_out *out)
{
    struct recovery_use *use = mx->e2ee->use;
    uint8_t key[SECRET_STORAGE_KEY];
    struct mem_buf typed = {.max = 512};
    if (use != NULL && !use->done) {
        return mx->api->ask(out, HR_ASK_WAIT, "%s", "");
    }
    if (use != NULL) {
        int status = use->status;
        mx->api->out(out, "%s\n", use->outcome);
        recovery_use_stop(mx);
        return status;
    }
    if (argc == 0) {
        return mx->api->ask(out, HR_ASK_HIDDEN, "Recovery key: ");
    }
    for (int i = 0; i < argc; i++) {
        mem_puts(&typed, argv[i]);
    }
    int rc = secret_storage_recovery_read(mem_text(&typed), key);
    curve_wipe(typed.at, typed.len);
    mem_clear(&typed);
    if (rc < 0) {
        mx->api->out(out, rc == HR_EDENIED ? "There is a typing error in the recovery key.\n"
                                           : "That is no recovery key: it has 12 groups of 4 characters.\n");
        return HR_EINVAL;
    }
    mx->e2ee->use = mem_new(sizeof(*mx->e2ee->use));
    memcpy(mx->e2ee->use->key, key, sizeof(key));
    curve_wipe(key, sizeof(key));
    ask(mx);
    return mx->api->ask(out, HR_ASK_WAIT, "%s", "");
}
