/* SPDX-License-Identifier: MIT */
/*
 * What outlives the process, in tables of the plugin: does the network give its
 * history, what were we called, up to where has each channel been read. Written
 * in the callback that posts.
 */
#ifndef IRC_RECORD_H
#define IRC_RECORD_H
#include <stdbool.h>
#include <stdint.h>

struct irc;
struct channel;

extern const char *const record_schema[];

/* At start: fills irc->record, and seen_ms, anchor and doubt of the channels. */
void record_load(struct irc *irc);
/* After login: what this network offers, and our nick. */
void record_network(struct irc *irc);
/* All up to `server_ms` (the server's clock) of this channel is in the log. Written once a second: history is asked for
 * from a little before, and lines that are known are recognised. */
void record_seen(struct irc *irc, struct channel *channel, int64_t server_ms);

#endif
