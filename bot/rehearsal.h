/* SPDX-License-Identifier: MIT */
/* What a rehearsal is made of: its settings and the configuration written for it. */
#ifndef HASHROOM_REHEARSAL_H
#define HASHROOM_REHEARSAL_H
#include "cli.h"

enum { REHEARSAL_QUESTIONS_MAX = 12 };

struct rehearsal {
    char *feed;   /* posts of X, one a line */
    double speed; /* chat time per real time */
    int length_min;
    char *questions[REHEARSAL_QUESTIONS_MAX];
    size_t question_count;
    int64_t starts_ms; /* chat clock: a Tuesday at 20:00, which is said as UK time */
};

/* The sample where nothing was asked for. CLI_WRONG: told what is wrong. */
int rehearsal_init(struct rehearsal *rehearsal, struct cli *cli);
void rehearsal_clear(struct rehearsal *rehearsal);
/* Writes hashroom.conf and plugins/ into dir. HR_EFAIL: told. */
int rehearsal_write(const struct rehearsal *rehearsal, const struct cli *cli, const char *dir);
#endif
