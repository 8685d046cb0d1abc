/* SPDX-License-Identifier: MIT */
/* Takes in posts as X gives them. */
#include "reader.h"
#include "snowflake.h"

static const int64_t KEPT_MS = 30LL * 24 * 3600 * 1000; /* X allows edits for an hour: ample */

static int take_id(void *arg, const struct hr_value *column, size_t count)
{
    char *out = arg;
    if (count == 1 && column[0].str != NULL) {
        snprintf(out, SNOWFLAKE_SIZE, "%s", column[0].str);
    }
    return HR_OK;
}

static bool newest_version(struct twitter *twitter, const char *key, char out[SNOWFLAKE_SIZE])
{
    out[0] = '\0';
    (void)twitter->api->sql(twitter->bot, "SELECT newest FROM twitter_seen WHERE key = ?1",
                            (struct hr_value[]){HR_V_STR(key)}, 1, take_id, out);
    return out[0] != '\0';
}

static int note_version(struct twitter *twitter, const struct post *post)
{
    struct hr_value args[] = {HR_V_STR(post->key), HR_V_STR(post->id), HR_V_INT(twitter->api->now_ms(twitter->bot))};
    return twitter->api->sql(twitter->bot,
                             "INSERT INTO twitter_seen(key, newest, seen_ms) VALUES(?1, ?2, ?3)"
                             " ON CONFLICT(key) DO UPDATE SET newest = ?2, seen_ms = ?3",
                             args, 3, NULL, NULL);
}

int reader_take(struct twitter *twitter, const struct post *post, const char *address)
{
    const struct hr_network_api *net = twitter->api->net;
    char newest[SNOWFLAKE_SIZE];
    int status;
    if (!newest_version(twitter, post->key, newest)) {
        struct hr_post out = post_for_room(post, address);
        status = net->post(twitter->bot, &out, NULL);
    } else if (snowflake_compare(post->id, newest) > 0) {
        status = net->edit(twitter->bot, post->key, post->id, post->wording.text, strlen(post->wording.text),
                           post->author_id);
        status = status == HR_ENOTFOUND ? HR_EEXIST : status;
    } else {
        return HR_EEXIST;
    }
    status = status == HR_EDENIED ? HR_EEXIST : status; /* our own, or taken away here: stays as it is */
    if (status != HR_OK && status != HR_EEXIST) {
        twitter->api->log(twitter->bot, HR_WARN, "post %s was not taken in (%d): left out", post->id, status);
        return status;
    }
    int noted = note_version(twitter, post);
    return noted != HR_OK ? noted : status;
}

bool reader_seen(struct twitter *twitter, const char *key)
{
    char newest[SNOWFLAKE_SIZE];
    return newest_version(twitter, key, newest);
}

void reader_forget_old(struct twitter *twitter)
{
    (void)twitter->api->sql(twitter->bot, "DELETE FROM twitter_seen WHERE seen_ms < ?1",
                            (struct hr_value[]){HR_V_INT(twitter->api->now_ms(twitter->bot) - KEPT_MS)}, 1, NULL, NULL);
}
