/* SPDX-License-Identifier: MIT */
/*
 * Pictures and files that people post (options `media*`): what is known of each until its time is over, never the
 * bytes. From there it is linked for rooms of other networks (media_page.c) and handed on to other Matrix rooms
 * (media_copy.c). The keys of encrypted ones are enciphered under a key outside the database.
 */
#ifndef MATRIX_MEDIA_H
#define MATRIX_MEDIA_H

#include "e2ee/attachment.h"
#include "e2ee/base64.h"
#include "e2ee/e2ee.h"
#include "media_type.h"

enum { MEDIA_ID_BYTES = 8, MEDIA_MAX_FETCHES = 4 /* at once, for pages */ };

struct media_item {
    char id[BASE64_SIZE(MEDIA_ID_BYTES)]; /* in its address; random */
    char kind[16];                        /* "m.image" */
    char server[256], media[256];         /* of its mxc: URI */
    const struct media_type *type;
    char name[256];                       /* of the file, or "" */
    int64_t width, height;                /* 0: not said */
    bool sealed;                          /* encrypted, under key */
    struct attachment key;
    int64_t expires_ms;                   /* chat clock */
};

int media_start(struct matrix *mx); /* the option, the host's pages */
void media_check(struct hr_bot *bot, const struct hr_api *api);

/* ---- in: inbound.c ------------------------------------------------------------ */

/* Somebody said something: remembers whom the room knows (media = known). */
void media_person(struct mx_room *room, const struct event *event);
/* Does it hold a picture or file that may be carried? Then *item is filled in, and *url is where people without an
 * account will find it, or NULL. proof: NULL for what came unencrypted. */
bool media_offered(struct mx_room *room, const struct event *event, uint32_t flags, const struct e2ee_plain *proof,
                   struct media_item *item, const char **url);
void media_keep(struct matrix *mx, const char *event_id, const struct media_item *item);
void media_edited(struct mx_room *room, const char *event_id, const json_t *content); /* m.new_content of its author */
bool media_is_by(struct matrix *mx, const char *event_id, const char *user_id); /* posted by that person */
void media_removed(struct matrix *mx, const char *event_id);

/* ---- out ------------------------------------------------------------------------- */

/* HR_ENOTFOUND: none, its time is over, or the message was taken away or hidden. One of id and event_id. */
int media_find(struct matrix *mx, const char *id, const char *event_id, struct media_item *out);
/* Where it is found behind serve_url(): its id and a signature over id and end of time, made with a key outside the
 * database, so that a copy of that opens nothing. */
const char *media_path(struct matrix *mx, const struct media_item *item);
void media_forget(struct matrix *mx, const struct media_item *item); /* its page is no longer kept in memory */
bool media_uri(const char *uri, char server[256], char media[256]); /* "mxc://example.org/AbC" */

/* The bytes, decrypted and proven to be those that were sent; fn is called once, unless the plugin stops first: then
 * drop(arg). HR_ELIMIT: too big; HR_EDENIED: another hash, or not what it is called; HR_ENOTFOUND: the server has it
 * not (any more); HR_ERETRY: not now. `bytes` are fn's for the call, it may change them. */
typedef void media_fn(struct matrix *mx, void *arg, int status, char *bytes, size_t len);
void media_fetch(struct matrix *mx, const struct media_item *item, media_fn *fn, void (*drop)(void *arg), void *arg);

int media_page(void *mx, const char *path); /* media_page.c, hr_page_fn */
/* A part that hands on a picture: fetched, uploaded for its room, sent; words alone where that can't be. Answers with
 * sent(). event: what render() made. */
int media_copy(struct mx_room *room, const struct hr_part *part, const json_t *event);

#endif
