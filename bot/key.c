/* SPDX-License-Identifier: MIT */
/* The store key: where it is, whether it fits the database, what is derived from it. */
#include "key.h"
#include "config.h"
#include "durable.h"
#include "log.h"
#include "secret.h"
#include "store.h"
#include "turn.h"
#include "xalloc.h"
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sys/random.h>
#include <unistd.h>

enum { CHECK_BYTES = 16, PURPOSE_MAX = 200 };

static const char key_name[] = "hashroom.key";

struct key {
    unsigned char bytes[KEY_BYTES];
    bool marked; /* the database knows it, or never will */
};

/* ---- forms ------------------------------------------------------------------ */

static void to_hex(const unsigned char *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        (void)snprintf(out + i * 2, 3, "%02x", bytes[i]);
    }
}

bool key_parse(const char *text, unsigned char out[KEY_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(text) != KEY_BYTES * 2) {
        return false;
    }
    unsigned char bytes[KEY_BYTES] = {0};
    for (size_t i = 0; i < sizeof(bytes) * 2; i++) {
        const char *digit = strchr(digits, text[i] >= 'A' && text[i] <= 'F' ? text[i] + 32 : text[i]);
        if (digit == NULL) {
            return false;
        }
        bytes[i / 2] = (unsigned char)(bytes[i / 2] << 4 | (digit - digits));
    }
    memcpy(out, bytes, sizeof(bytes));
    explicit_bzero(bytes, sizeof(bytes));
    return true;
}

/* The parts of info stand apart by NUL, which none of them contains. */
static void hkdf(const unsigned char key[KEY_BYTES], const char *plugin, const char *instance, const char *purpose,
                 void *out, size_t len)
{
    char info[512];
    int info_len = snprintf(info, sizeof(info), "hashroom%c%s%c%s%c%s", 0, plugin, 0, instance, 0, purpose);
    BUG_IF(info_len < 0 || (size_t)info_len >= sizeof(info));
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key, KEY_BYTES),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, (size_t)info_len),
        OSSL_PARAM_construct_end(),
    };
    BUG_IF(ctx == NULL || EVP_KDF_derive(ctx, out, len, params) != 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

static void check_value(const unsigned char key[KEY_BYTES], char out[CHECK_BYTES * 2 + 1])
{
    unsigned char bytes[CHECK_BYTES];
    hkdf(key, "", "", "check", bytes, sizeof(bytes));
    to_hex(bytes, sizeof(bytes), out);
}

/* ---- does it fit? ----------------------------------------------------------- */

/* The check value the database holds, "" if no key was in use. */
static void read_check(sqlite3 *db, char out[CHECK_BYTES * 2 + 1])
{
    sqlite3_stmt *stmt = NULL;
    out[0] = '\0';
    if (sqlite3_prepare_v2(db, "SELECT value FROM host_meta WHERE key = 'key_check'", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        (void)snprintf(out, CHECK_BYTES * 2 + 1, "%s", store_text(stmt, 0));
    }
    (void)sqlite3_finalize(stmt);
}

#define START_ANEW                                                                                                   \
    "If it is lost, type: hashroom new-key. What plugins had encrypted is lost then: in encrypted Matrix rooms the " \
    "bot appears as a new device, which people have to verify again"

static int tell_missing(const char *path, char *err, size_t err_size)
{
    (void)snprintf(err, err_size,
                   "%s is missing, the key to what stands encrypted in the database. Put the file back from where you "
                   "keep it. " START_ANEW,
                   path);
    return HR_ENOTFOUND;
}

static int tell_other(const char *where, char *err, size_t err_size)
{
    (void)snprintf(err, err_size,
                   "%s is not the key this database was used with. Put back the one that belongs to it. " START_ANEW,
                   where);
    return HR_EDENIED;
}

/* key_file, or hashroom.key. HR_ENOTFOUND: there is none yet. */
static int read_key(const struct config *config, const char *path, unsigned char out[KEY_BYTES], char *err,
                    size_t err_size)
{
    if (config->key[0] != '\0') {
        BUG_IF(!key_parse(config->key, out)); /* the configuration's reader looked */
        return HR_OK;
    }
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return HR_ENOTFOUND;
    }
    char *text = NULL;
    int rc = secret_read(path, &text, err, err_size);
    if (rc == HR_OK && !key_parse(text, out)) {
        (void)snprintf(err, err_size, "%s is damaged: it has to hold 64 hex digits. Put it back from where you keep it",
                       path);
        rc = HR_EINVAL;
    }
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
    return rc;
}

static int make_key(const char *dir, const char *path, unsigned char out[KEY_BYTES], char *err, size_t err_size)
{
    char text[KEY_BYTES * 2 + 2];
    BUG_IF(getrandom(out, KEY_BYTES, 0) != KEY_BYTES);
    to_hex(out, KEY_BYTES, text);
    log_secret(text);
    text[KEY_BYTES * 2] = '\n';
    text[KEY_BYTES * 2 + 1] = '\0';
    int rc = durable_write(dir, key_name, text, true);
    if (rc < 0) {
        (void)snprintf(err, err_size, "%s can't be written: %s", path, strerror(errno));
    }
    explicit_bzero(text, sizeof(text));
    return rc;
}

static int find_key(struct key *key, struct app *app, char *err, size_t err_size)
{
    const char *dir = app->config->state_dir;
    char known[CHECK_BYTES * 2 + 1], own[CHECK_BYTES * 2 + 1];
    CLEANUP_FREE char *path = xasprintf("%s/%s", dir, key_name);
    read_check(store_db(app->store), known);
    int rc = read_key(app->config, path, key->bytes, err, err_size);
    if (rc == HR_ENOTFOUND) {
        rc = known[0] != '\0' ? tell_missing(path, err, err_size) : make_key(dir, path, key->bytes, err, err_size);
    }
    if (rc < 0) {
        return rc;
    }
    check_value(key->bytes, own);
    key->marked = known[0] != '\0';
    return key->marked && strcmp(known, own) != 0
               ? tell_other(app->config->key[0] != '\0' ? "key_file of hashroom.conf" : path, err, err_size)
               : HR_OK;
}

int key_open(struct key **out, struct app *app, bool temporary, char *err, size_t err_size)
{
    struct key *key = xcalloc(1, sizeof(*key));
    int rc = HR_OK;
    if (temporary) {
        BUG_IF(getrandom(key->bytes, KEY_BYTES, 0) != KEY_BYTES);
        key->marked = true;
    } else {
        rc = find_key(key, app, err, err_size);
    }
    if (rc < 0) {
        key_close(key);
        return rc;
    }
    *out = key;
    return HR_OK;
}

void key_close(struct key *key)
{
    if (key != NULL) {
        OPENSSL_cleanse(key, sizeof(*key));
        free(key);
    }
}

int key_derive(struct key *key, struct app *app, const char *plugin, const char *instance, const char *purpose,
               void *out, size_t len)
{
    if (purpose == NULL || purpose[0] == '\0' || strlen(purpose) > PURPOSE_MAX || len == 0 || len > KEY_DERIVED_MAX) {
        return HR_EINVAL;
    }
    if (!key->marked) { /* again and again in this run: the callback that asked may be undone */
        char own[CHECK_BYTES * 2 + 1];
        check_value(key->bytes, own);
        turn_write(app->turn);
        sqlite3_stmt *stmt =
            store_sql(app->store, "INSERT OR IGNORE INTO host_meta(key, value) VALUES('key_check', ?1)");
        sqlite3_bind_text(stmt, 1, own, -1, SQLITE_TRANSIENT);
        (void)store_run(app->store, stmt);
    }
    hkdf(key->bytes, plugin, instance, purpose, out, len);
    return HR_OK;
}

/* ---- beside a running bot ----------------------------------------------------- */

bool key_look(const struct config *config, char *text, size_t text_size)
{
    char known[CHECK_BYTES * 2 + 1] = "", own[CHECK_BYTES * 2 + 1];
    unsigned char bytes[KEY_BYTES];
    CLEANUP_FREE char *path = xasprintf("%s/%s", config->state_dir, key_name);
    CLEANUP_FREE char *file = xasprintf("%s/hashroom.db", config->state_dir);
    const char *where = config->key[0] != '\0' ? "key_file of hashroom.conf" : path;
    sqlite3 *db = NULL;
    (void)snprintf(text, text_size, "%s", "");
    if (access(config->state_dir, R_OK | X_OK) != 0) {
        return true; /* before the first start, or this is somebody else's folder */
    }
    if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK) {
        read_check(db, known);
    }
    (void)sqlite3_close(db);
    int rc = read_key(config, path, bytes, text, text_size);
    if (rc == HR_ENOTFOUND && known[0] != '\0') {
        (void)tell_missing(path, text, text_size);
    } else if (rc == HR_ENOTFOUND) {
        (void)snprintf(text, text_size, "%s is made when the bot starts", path);
        rc = HR_OK;
    } else if (rc == HR_OK) {
        check_value(bytes, own);
        explicit_bzero(bytes, sizeof(bytes));
        if (known[0] != '\0' && strcmp(known, own) != 0) {
            rc = tell_other(where, text, text_size);
        } else {
            (void)snprintf(text, text_size, "%s is in its place%s", where,
                           known[0] != '\0' ? " and fits the database" : ", nothing is encrypted with it so far");
        }
    }
    return rc == HR_OK;
}
