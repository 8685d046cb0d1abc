/* SPDX-License-Identifier: MIT */
/* What the server said of itself in 005, and names compared the way it does. Pure. */
#ifndef IRC_ISUPPORT_H
#define IRC_ISUPPORT_H
#include "wire.h"

enum casemap { CASEMAP_RFC1459, CASEMAP_STRICT, CASEMAP_ASCII };

struct isupport {
    char chantypes[16];
    char prefix_mode[16], prefix_sign[16]; /* "qaohv" and "~&@%+", highest first */
    char list_modes[64], arg_modes[64], set_modes[64]; /* CHANMODES A, B, C */
    char bot_mode; /* 0: none */
    enum casemap casemap;
    int nick_bytes; /* longest nick */
    int history_lines; /* of one answer at most; 0: not said */
    bool whox, accounts; /* the server speaks of services accounts */
};

void isupport_init(struct isupport *support);
void isupport_read(struct isupport *support, const struct wire *wire); /* a 005 line */
bool isupport_channel(const struct isupport *support, const char *name);
/* Does this channel mode come with an argument? */
bool isupport_takes_arg(const struct isupport *support, char mode, bool adding);
/* 50 from operator up, 10 for half operators and voice, 0; of the modes in `modes`. */
int isupport_power(const struct isupport *support, const char *modes);

void name_fold(const struct isupport *support, char *out, size_t size, const char *name);
bool name_equal(const struct isupport *support, const char *a, const char *b);
#endif
