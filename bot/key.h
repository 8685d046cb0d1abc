/* SPDX-License-Identifier: MIT */
/*
 * The store key: 32 random bytes outside the database, from which plugins derive what they encrypt rows with. It is
 * what key_file of the configuration names, else DIR/hashroom.key, which is made at the first start. From the first
 * derive() on the database holds a check value and is never used with another key.
 */
#ifndef HASHROOM_KEY_H
#define HASHROOM_KEY_H
#include "app.h"

enum { KEY_BYTES = 32, KEY_DERIVED_MAX = 64 };

struct key;

/* Finds or makes the key of app->store. `temporary`: a throwaway one, nothing is read or written. err says what to
 * do if it is missing, other than the database's, or readable for others. */
int key_open(struct key **out, struct app *app, bool temporary, char *err, size_t err_size);
void key_close(struct key *key); /* NULL is fine */
/* HKDF-SHA256; the same for the same plugin, instance and purpose. HR_EINVAL: no purpose, or len not 1 to 64. */
int key_derive(struct key *key, struct app *app, const char *plugin, const char *instance, const char *purpose,
               void *out, size_t len);
bool key_parse(const char *text, unsigned char out[KEY_BYTES]); /* 64 hex digits, in any case */
/* For check, doctor, status, beside a running bot: is all well? says it in a sentence either way, "" if the folder
 * can't be looked into. */
bool key_look(const struct config *config, char *text, size_t text_size);
#endif
