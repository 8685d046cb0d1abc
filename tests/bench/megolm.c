/* SPDX-License-Identifier: MIT */
/*
 * Megolm through our code beside bare libolm, in one run: messages of 200 bytes,
 * a ratio of 100 % is as fast. Rounds take turns, the median of each side counts,
 * so that what else runs on the machine meets both.
 */
#include "../../plugins/matrix/e2ee/curve.h"
#include "../../plugins/matrix/e2ee/ratchet.h"

#include <hashroom/plugin.h>
#include <olm/olm.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BYTES = 200, MESSAGES = 300, ROUNDS = 21 };

struct bench {
    uint8_t key[RATCHET_PICKLE_KEY];
    char plaintext[BYTES];
    char *outbound_pickle, *inbound_pickle;
    char *message[MESSAGES];
    size_t len[MESSAGES];
};

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "bench: %s failed\n", what);
        exit(1);
    }
}

static void *memory(size_t size)
{
    void *out = calloc(1, size);
    must(out != NULL, "memory");
    return out;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- ours: seconds for all messages ---- */

static double our_encrypt(const struct bench *bench, bool keep)
{
    struct ratchet_outbound *outbound;
    must(ratchet_outbound_unpickle(bench->outbound_pickle, strlen(bench->outbound_pickle), bench->key, &outbound) ==
             HR_OK,
         "unpickle");
    double start = now();
    for (size_t i = 0; i < MESSAGES; i++) {
        char *text;
        size_t len;
        must(ratchet_outbound_encrypt(outbound, bench->plaintext, BYTES, &text, &len) == HR_OK, "encrypt");
        if (keep) {
            free(ratchet_outbound_pickle(outbound, bench->key));
        }
        free(text);
    }
    double took = now() - start;
    ratchet_outbound_free(outbound);
    return took;
}

static double our_decrypt(const struct bench *bench, bool load)
{
    struct ratchet_inbound *inbound = NULL;
    double start = now();
    for (size_t i = 0; i < MESSAGES; i++) {
        char *text;
        size_t len;
        uint32_t index;
        if (load || i == 0) {
            ratchet_inbound_free(inbound);
            must(ratchet_inbound_unpickle(bench->inbound_pickle, strlen(bench->inbound_pickle), bench->key, &inbound) ==
                     HR_OK,
                 "unpickle");
        }
        const char *message = bench->message[load ? i % 8 : i];
        must(ratchet_inbound_decrypt(inbound, message, bench->len[load ? i % 8 : i], &text, &len, &index) == HR_OK,
             "decrypt");
        curve_free(text, len);
    }
    double took = now() - start;
    ratchet_inbound_free(inbound);
    return took;
}

/* ---- bare: only what libolm itself asks for ---- */

static double bare_encrypt(const struct bench *bench, bool keep)
{
    char pickle[1024], out[1024];
    OlmOutboundGroupSession *olm = olm_outbound_group_session(memory(olm_outbound_group_session_size()));
    memcpy(pickle, bench->outbound_pickle, strlen(bench->outbound_pickle));
    must(olm_unpickle_outbound_group_session(olm, bench->key, sizeof(bench->key), pickle,
                                             strlen(bench->outbound_pickle)) != olm_error(),
         "unpickle");
    double start = now();
    for (size_t i = 0; i < MESSAGES; i++) {
        must(olm_group_encrypt(olm, (const uint8_t *)bench->plaintext, BYTES, (uint8_t *)out,
                               olm_group_encrypt_message_length(olm, BYTES)) != olm_error(),
             "encrypt");
        if (keep) {
            must(olm_pickle_outbound_group_session(olm, bench->key, sizeof(bench->key), pickle,
                                                   olm_pickle_outbound_group_session_length(olm)) != olm_error(),
                 "pickle");
        }
    }
    double took = now() - start;
    olm_clear_outbound_group_session(olm);
    free(olm);
    return took;
}

static double bare_decrypt(const struct bench *bench, bool load)
{
    char copy[1024], out[1024];
    OlmInboundGroupSession *olm = olm_inbound_group_session(memory(olm_inbound_group_session_size()));
    size_t pickle_len = strlen(bench->inbound_pickle);
    double start = now();
    for (size_t i = 0; i < MESSAGES; i++) {
        uint32_t index;
        size_t at = load ? i % 8 : i;
        if (load || i == 0) {
            memcpy(copy, bench->inbound_pickle, pickle_len);
            must(olm_unpickle_inbound_group_session(olm, bench->key, sizeof(bench->key), copy, pickle_len) !=
                     olm_error(),
                 "unpickle");
        }
        memcpy(copy, bench->message[at], bench->len[at]);
        must(olm_group_decrypt(olm, (uint8_t *)copy, bench->len[at], (uint8_t *)out, sizeof(out), &index) !=
                 olm_error(),
             "decrypt");
    }
    double took = now() - start;
    olm_clear_inbound_group_session(olm);
    free(olm);
    return took;
}

/* ---- beside each other ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef double side_fn(const struct bench *bench, bool with_pickle);

static void show(const struct bench *bench, const char *name, side_fn *ours, side_fn *bare, bool with_pickle)
{
    double our[ROUNDS], their[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        our[i] = ours(bench, with_pickle);
        their[i] = bare(bench, with_pickle);
    }
    qsort(our, ROUNDS, sizeof(our[0]), compare);
    qsort(their, ROUNDS, sizeof(their[0]), compare);
    double a = our[ROUNDS / 2], b = their[ROUNDS / 2];
    printf("%-52s %8.0f a second   bare libolm %8.0f   %5.1f %%\n", name, MESSAGES / a, MESSAGES / b, 100 * b / a);
}

int main(void)
{
    struct bench bench = {0};
    char key[RATCHET_SESSION_KEY];
    struct ratchet_outbound *outbound = ratchet_outbound_new();
    struct ratchet_inbound *inbound;
    curve_random(bench.key, sizeof(bench.key));
    memset(bench.plaintext, 'x', sizeof(bench.plaintext));
    ratchet_outbound_key(outbound, key);
    must(ratchet_inbound_new(key, strlen(key), &inbound) == HR_OK, "a session");
    bench.outbound_pickle = ratchet_outbound_pickle(outbound, bench.key);
    bench.inbound_pickle = ratchet_inbound_pickle(inbound, bench.key);
    for (size_t i = 0; i < MESSAGES; i++) {
        must(ratchet_outbound_encrypt(outbound, bench.plaintext, BYTES, &bench.message[i], &bench.len[i]) == HR_OK,
             "encrypt");
    }
    show(&bench, "Megolm encrypt, 200 bytes", our_encrypt, bare_encrypt, false);
    show(&bench, "Megolm encrypt and pickle, as it is sent", our_encrypt, bare_encrypt, true);
    show(&bench, "Megolm decrypt, 200 bytes, in order", our_decrypt, bare_decrypt, false);
    show(&bench, "Megolm unpickle and decrypt, as from the database", our_decrypt, bare_decrypt, true);
    for (size_t i = 0; i < MESSAGES; i++) {
        free(bench.message[i]);
    }
    free(bench.outbound_pickle);
    free(bench.inbound_pickle);
    ratchet_inbound_free(inbound);
    ratchet_outbound_free(outbound);
    return 0;
}
