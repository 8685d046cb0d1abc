/* SPDX-License-Identifier: MIT */
/*
 * Olm and Megolm behind one narrow interface: ratchet*.c are the only files that
 * know libolm (libolm is no longer maintained; another library, which can read its
 * pickles, can take its place here).
 *
 * Everything foreign is checked before the library sees it: strict base64, exact
 * or bounded lengths, Curve25519 keys that are no point of low order, also those
 * inside of messages. Inputs are never changed. Objects may be used on any thread,
 * one at a time each; nothing is shared between them. All memory of secrets is
 * wiped before it is freed.
 *
 * Whoever changes an object saves its pickle BEFORE what it made leaves the
 * machine: an index that is used twice gives the plaintext away.
 *
 * Statuses: HR_EINVAL what was given can't be read (or is a forbidden key);
 * HR_EDENIED it can be read but is not genuine (MAC, signature, pickle key);
 * HR_ENOTFOUND the key it needs is not here (any more); HR_ELIMIT too long or too
 * many. An object is unchanged after an error, outputs are untouched.
 * Texts that come out are NUL-terminated; those by pointer belong to the caller: free(), or
 * curve_free() where they are called secret.
 */
#ifndef MATRIX_E2EE_RATCHET_H
#define MATRIX_E2EE_RATCHET_H

#include "base64.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RATCHET_PICKLE_KEY = 32,                  /* bytes */
    RATCHET_MAX_MESSAGE = 128 * 1024,         /* characters of a ciphertext that is read */
    RATCHET_MAX_PLAINTEXT = 64 * 1024,        /* bytes that are encrypted at once */
    RATCHET_MAX_PICKLE = 256 * 1024,          /* characters */
    RATCHET_ONE_TIME_KEYS = 50,               /* unpublished ones at a time: half of what an account holds */
    RATCHET_KEY_ID = 12,                      /* name of a one-time key, with NUL */
    RATCHET_SESSION_KEY = BASE64_SIZE(229),   /* 306 characters and NUL: starts a Megolm session */
    RATCHET_EXPORTED_KEY = BASE64_SIZE(165),  /* 220 characters and NUL: the same without its signature */
    RATCHET_MAC = BASE64_SIZE(32),            /* of short authentication strings */
    RATCHET_BACKUP_MAC = BASE64_SIZE(8),
};

/* ---- account: the identity keys of a device, its one-time keys ---- */

struct ratchet_account;

struct ratchet_identity {
    char curve25519[BASE64_KEY], ed25519[BASE64_KEY];
};

struct ratchet_key { /* a public one-time key that is not published yet */
    char id[RATCHET_KEY_ID];
    char key[BASE64_KEY];
};

struct ratchet_account *ratchet_account_new(void);
void ratchet_account_free(struct ratchet_account *account);
/* Borrowed, for as long as the account lives. */
const struct ratchet_identity *ratchet_account_identity(const struct ratchet_account *account);
void ratchet_account_sign(struct ratchet_account *account, const void *message, size_t len,
                          char signature[BASE64_SIGNATURE]);
/* HR_ELIMIT: more than RATCHET_ONE_TIME_KEYS would wait to be published. The library keeps 100 private
 * halves and silently drops the oldest ones: with 50 on the server and 50 here none in use is lost.
 * 0.2 ms for each key. */
int ratchet_account_generate(struct ratchet_account *account, size_t count);
/* Those not published yet; the number written, at most RATCHET_ONE_TIME_KEYS. */
size_t ratchet_account_unpublished(struct ratchet_account *account, struct ratchet_key out[RATCHET_ONE_TIME_KEYS]);
/* A new fallback key; the one before it stays usable until ratchet_account_forget_fallback(). */
void ratchet_account_generate_fallback(struct ratchet_account *account);
/* false: there is none that is not published yet. */
bool ratchet_account_unpublished_fallback(struct ratchet_account *account, struct ratchet_key *out);
void ratchet_account_forget_fallback(struct ratchet_account *account); /* the old one */
/* All keys of now, the fallback key too, are on the server. */
void ratchet_account_mark_published(struct ratchet_account *account);

struct ratchet_session;
/* The one-time key that an inbound session used up is gone for good: after its first message was
 * decrypted, in the transaction that saves both. A fallback key stays, so only the caller's table of
 * messages stops a second session from the same message. HR_ENOTFOUND: it was gone already. */
int ratchet_account_remove_key(struct ratchet_account *account, const struct ratchet_session *session);

/* ---- Olm: a session with one device ---- */

/* Both keys must be verified as the device's own before (device_keys.h); low order is refused here. */
int ratchet_session_outbound(const struct ratchet_account *account, const char *their_curve25519,
                             const char *their_one_time_key, struct ratchet_session **out);
/* From a message of type 0. HR_EDENIED: it was made by another key than sender_key; HR_ENOTFOUND: the
 * one-time key is unknown or used up. The account isn't changed; nothing is genuine until
 * ratchet_session_decrypt() of the same message succeeds. */
int ratchet_session_inbound(struct ratchet_account *account, const char *sender_key, const char *body, size_t len,
                            struct ratchet_session **out);
void ratchet_session_free(struct ratchet_session *session);
/* A message of type 0 belongs to this session, and to that sender. */
bool ratchet_session_matches(struct ratchet_session *session, const char *sender_key, const char *body, size_t len);
const char *ratchet_session_id(const struct ratchet_session *session); /* borrowed; the same on both sides */
bool ratchet_session_has_received(const struct ratchet_session *session); /* type 1 from now on */
/* type: 0 until something was received, else 1. HR_ELIMIT. */
int ratchet_session_encrypt(struct ratchet_session *session, const void *plaintext, size_t len, int *type, char **body,
                            size_t *body_len);
/* plaintext is secret. HR_EDENIED: not genuine, of another session, or its key is used up or too far ahead
 * (libolm keeps 40 skipped keys, bridges gaps of 2000). */
int ratchet_session_decrypt(struct ratchet_session *session, int type, const char *body, size_t len, char **plaintext,
                            size_t *plaintext_len);

/* ---- Megolm: what one device says in one room ---- */

struct ratchet_outbound;

struct ratchet_outbound *ratchet_outbound_new(void);
void ratchet_outbound_free(struct ratchet_outbound *outbound);
const char *ratchet_outbound_id(const struct ratchet_outbound *outbound); /* borrowed, 43 characters */
uint32_t ratchet_outbound_index(const struct ratchet_outbound *outbound); /* of the next message */
/* What others need to read from the next message on. Secret. */
void ratchet_outbound_key(struct ratchet_outbound *outbound, char key[RATCHET_SESSION_KEY]);
int ratchet_outbound_encrypt(struct ratchet_outbound *outbound, const void *plaintext, size_t len, char **ciphertext,
                             size_t *ciphertext_len);

struct ratchet_inbound;

/* From the session_key of an m.room_key; its own signature is verified. */
int ratchet_inbound_new(const char *session_key, size_t len, struct ratchet_inbound **out);
/* From an export (backup, forwarded key): nothing proves where it comes from. */
int ratchet_inbound_import(const char *exported_key, size_t len, struct ratchet_inbound **out);
void ratchet_inbound_free(struct ratchet_inbound *inbound);
const char *ratchet_inbound_id(const struct ratchet_inbound *inbound); /* borrowed; compare with the one announced */
uint32_t ratchet_inbound_first_index(const struct ratchet_inbound *inbound);
/* The key from that index on. Secret. HR_ENOTFOUND: before the first known one. */
int ratchet_inbound_export(struct ratchet_inbound *inbound, uint32_t index, char key[RATCHET_EXPORTED_KEY]);
/* Two copies of one session (same id) hold the same keys from the later first index on: the same id
 * alone doesn't prove that, except for copies from signed session keys. */
bool ratchet_inbound_connects(struct ratchet_inbound *one, struct ratchet_inbound *other);
/* The same index is decrypted as often as asked: the caller's table finds what is replayed. Nothing changes
 * that would have to be saved. HR_EDENIED: not by the session's owner, or changed; HR_ENOTFOUND: an index before the first known one. plaintext is secret. */
int ratchet_inbound_decrypt(struct ratchet_inbound *inbound, const char *ciphertext, size_t len, char **plaintext,
                            size_t *plaintext_len, uint32_t *index);

/* ---- backup m.megolm_backup.v1.curve25519-aes-sha2: anybody who knows the public key can write into it ---- */

struct ratchet_sealed {
    char *ciphertext;
    char mac[RATCHET_BACKUP_MAC], ephemeral[BASE64_KEY];
};
void ratchet_backup_public(const uint8_t private_key[32], char public_key[BASE64_KEY]);
int ratchet_backup_seal(const char *public_key, const void *plaintext, size_t len, struct ratchet_sealed *out);
/* The format's MAC covers nothing: what comes out may have been changed by the server. Read it as a
 * stranger's, compare the session's id after import, never take its sender for proven. Secret. */
int ratchet_backup_open(const uint8_t private_key[32], const char *ciphertext, const char *mac, const char *ephemeral,
                        char **plaintext, size_t *plaintext_len);
void ratchet_sealed_clear(struct ratchet_sealed *sealed);

/* ---- short authentication strings: a key agreement for one verification (sas.h has the rest) ---- */

struct ratchet_sas;

struct ratchet_sas *ratchet_sas_new(void);
void ratchet_sas_free(struct ratchet_sas *sas);
const char *ratchet_sas_public(const struct ratchet_sas *sas); /* borrowed */
int ratchet_sas_set_their_key(struct ratchet_sas *sas, const char *their_key); /* once: HR_EEXIST */
/* HR_ENOTFOUND: their key isn't set. hkdf-hmac-sha256.v2 for the MAC. */
int ratchet_sas_bytes(struct ratchet_sas *sas, const char *info, size_t info_len, uint8_t *out, size_t len);
int ratchet_sas_mac(struct ratchet_sas *sas, const char *text, size_t len, const char *info, size_t info_len,
                    char mac[RATCHET_MAC]);

/* ---- pickles: the object as text, encrypted under a key that is kept outside of the database ---- */

/* free() it; the key protects it. */
char *ratchet_account_pickle(struct ratchet_account *account, const uint8_t key[RATCHET_PICKLE_KEY]);
char *ratchet_session_pickle(struct ratchet_session *session, const uint8_t key[RATCHET_PICKLE_KEY]);
char *ratchet_outbound_pickle(struct ratchet_outbound *outbound, const uint8_t key[RATCHET_PICKLE_KEY]);
char *ratchet_inbound_pickle(struct ratchet_inbound *inbound, const uint8_t key[RATCHET_PICKLE_KEY]);
/* HR_EDENIED: another key, or changed; HR_EINVAL: no pickle of that kind; HR_ELIMIT: too long. */
int ratchet_account_unpickle(const char *pickle, size_t len, const uint8_t key[RATCHET_PICKLE_KEY],
                             struct ratchet_account **out);
int ratchet_session_unpickle(const char *pickle, size_t len, const uint8_t key[RATCHET_PICKLE_KEY],
                             struct ratchet_session **out);
int ratchet_outbound_unpickle(const char *pickle, size_t len, const uint8_t key[RATCHET_PICKLE_KEY],
                              struct ratchet_outbound **out);
int ratchet_inbound_unpickle(const char *pickle, size_t len, const uint8_t key[RATCHET_PICKLE_KEY],
                             struct ratchet_inbound **out);

#endif
