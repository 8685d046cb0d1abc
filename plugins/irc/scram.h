/* SPDX-License-Identifier: MIT */
/*
 * SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding, as a client. The password never travels, and the server
 * must prove that it knows it. Messages are plain text here; base64 and lines are sasl.c's affair. Pure.
 */
#ifndef IRC_SCRAM_H
#define IRC_SCRAM_H
#include <stdbool.h>
#include <stddef.h>

enum { SCRAM_TEXT = 1024, SCRAM_HASH = 32, SCRAM_ROUNDS_MIN = 4096, SCRAM_ROUNDS_MAX = 200000 };

struct scram {
    char first[SCRAM_TEXT]; /* our first message, without its header */
    char nonce[64];
    unsigned char proof_of_server[SCRAM_HASH];
    int step;      /* messages sent */
    bool verified; /* the server knows the password */
};

/* nonce: printable, no comma, new for each login. False: it does not fit. */
bool scram_first(struct scram *scram, const char *account, const char *nonce, char *out, size_t size);
/* Answers the server's first message. False: it is none, or asks for too little or too much work; err says which. */
bool scram_final(struct scram *scram, const char *password, const char *server, char *out, size_t size, char *err,
                 size_t err_size);
/* The server's last message: sets verified. False: whoever this is does not know the password. */
bool scram_verify(struct scram *scram, const char *server);

size_t scram_base64(const unsigned char *bytes, size_t len, char *out, size_t size); /* 0: does not fit */
/* Decodes; out gets a NUL behind. -1: not base64, or does not fit. */
int scram_unbase64(const char *text, unsigned char *out, size_t size);
#endif
