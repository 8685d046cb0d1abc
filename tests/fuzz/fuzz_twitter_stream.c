/* SPDX-License-Identifier: MIT */
/*
 * Any bytes from X: as lines of the stream in pieces of a size the first byte
 * chooses, as a page of search, as the body of an error, and as the text of a
 * post of ours. Whatever comes: what is shown has an id, an author and words, in
 * the room whose tag it carries, and nothing is posted.
 */
#include "../../plugins/twitter/length.h"
#include "../../plugins/twitter/problem.h"
#include "../plugin/fake_host.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MINUTE = 60 * 1000 };

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static struct fake *reading(void)
{
    static const char *const secrets[] = {"bearer_file", "consumer_key_file", "consumer_secret_file",
                                          "access_token_file", "access_secret_file"};
    struct fake *fake = fake_new(&hashroom_plugin);
    fake_instance(fake, "x");
    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) {
        fake_option(fake, secrets[i], "some-secret");
    }
    fake_chat(fake, "dpulo", "#DPULO");
    fake_room(fake, "x", "#dpulo", "Twitter", "dpulo", HR_ROOM_SOCIAL);
    must(fake_start(fake) == HR_OK, "the plugin starts");
    fake_chat_record(fake, &(struct hr_chat){.size = sizeof(struct hr_chat),
                                             .name = "dpulo",
                                             .tag = "#DPULO",
                                             .read_from_ms = FAKE_NOW_MS,
                                             .read_to_ms = FAKE_NOW_MS + 90 * MINUTE});
    fake_reply(fake, fake_request(fake, "/stream/rules"), 200,
               "{\"data\":[{\"id\":\"1\",\"value\":\"#dpulo -is:retweet\",\"tag\":\"hashroom #dpulo\"}]}");
    return fake;
}

static void as_lines(struct fake *fake, const char *bytes, size_t size, size_t piece)
{
    struct hr_request *stream = fake_request(fake, "/2/tweets/search/stream?");
    must(stream != NULL, "the stream is asked for");
    for (size_t at = 0; at < size; at += piece) {
        (void)fake_reply_piece(fake, stream, bytes + at, size - at < piece ? size - at : piece);
    }
    (void)fake_reply_piece(fake, stream, "\r\n", 2);
}

static void as_page(struct fake *fake, const char *bytes, size_t size)
{
    fake_pass(fake, 4 * MINUTE);
    struct hr_request *search = fake_request(fake, "/2/tweets/search/recent?");
    must(search != NULL, "the gap is searched");
    fake_reply_full(fake, search,
                    &(struct hr_reply){.status = HR_OK,
                                       .code = 200,
                                       .body = bytes,
                                       .body_len = size,
                                       .retry_ms = -1,
                                       .headers = "",
                                       .error = "",
                                       .sent = true});
}

static void look(struct fake *fake)
{
    for (size_t i = 0; i < fake_count(fake, FAKE_POST); i++) {
        const struct fake_record *post = fake_nth(fake, FAKE_POST, i);
        must(strcmp(post->address, "#dpulo") == 0, "a post comes in its room");
        must(post->key[0] != '\0' && strspn(post->key, "0123456789") == strlen(post->key), "its key is an id");
        must(post->len > 0 && post->len == strlen(post->text), "it has words");
        must(post->name[0] != '\0' && post->account[0] == '\0', "its author has a name and no account");
        must(strncmp(post->url, "https://x.com/", 14) == 0 && strpbrk(post->url, " \n\"<") == NULL,
             "its link is sound");
    }
    must(fake_count(fake, FAKE_SENT) == 0 && fake_with(fake, FAKE_HTTP, "\"text\"") == NULL, "nothing is posted");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 256 * 1024) {
        return 0;
    }
    char *bytes = calloc(size, 1);
    must(bytes != NULL, "there is memory");
    memcpy(bytes, data + 1, size - 1); /* a NUL follows */
    struct fake *fake = reading();
    as_lines(fake, bytes, size - 1, data[0] == 0 ? 4096 : data[0]);
    as_page(fake, bytes, size - 1);
    look(fake);
    fake_free(fake);

    struct problem problem;
    struct length_url url;
    problem_read(&problem, 400 + data[0] % 130, bytes, size - 1);
    must(strpbrk(problem.detail, "\r\n") == NULL, "a detail is one line");
    must(length_weighted(bytes) >= -1, "a length is a length");
    for (size_t from = 0; length_find_url(bytes, from, &url); from = url.end) {
        must(url.start >= from && url.end > url.start && url.end <= strlen(bytes), "an address lies in the text");
    }
    free(bytes);
    return 0;
}
