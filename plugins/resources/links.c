/* SPDX-License-Identifier: MIT */
/* The table of links: each once a session, with the messages that hold it. */
#include "resources.h"

#include <string.h>

const char *const links_schema[] = {
    /* dropped: 1 by a host, so that it doesn't come back; 2 gone with its last message */
    "CREATE TABLE resources_link(chat TEXT NOT NULL, session INTEGER NOT NULL, n INTEGER NOT NULL, key TEXT,"
    " url TEXT NOT NULL, site TEXT NOT NULL, title TEXT NOT NULL, question INTEGER NOT NULL, first_ms INTEGER NOT NULL,"
    " dropped INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(chat, session, n), UNIQUE(chat, session, key)) WITHOUT ROWID",
    "CREATE TABLE resources_shared(message INTEGER NOT NULL, chat TEXT NOT NULL, session INTEGER NOT NULL,"
    " n INTEGER NOT NULL, PRIMARY KEY(message, chat, session, n)) WITHOUT ROWID",
    "CREATE INDEX resources_shared_link ON resources_shared(chat, session, n)",
    "CREATE VIEW resources_pub_count AS SELECT session, count(*) AS count FROM resources_link"
    " WHERE dropped = 0 AND session > 0 GROUP BY session",
    "CREATE VIEW resources_pub_link AS SELECT chat, session, n, url, site, title, question, first_ms FROM "
    "resources_link"
    " WHERE dropped = 0",
    NULL,
};

static int do_sql(struct resources *resources, const char *sql, const struct hr_value *args, size_t count)
{
    return resources->api->sql(resources->bot, sql, args, count, NULL, NULL);
}

static int on_number(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    *(int64_t *)arg = column[0].type == HR_INT ? column[0].num : 0;
    return 0;
}

static int64_t number(struct resources *resources, const char *sql, const struct hr_value *args, size_t count,
                      int64_t preset)
{
    int64_t out = preset;
    return resources->api->sql(resources->bot, sql, args, count, on_number, &out) < 0 ? preset : out;
}

/* ---- adding ------------------------------------------------------------------------ */

struct known {
    int64_t n, dropped;
};

static int on_known(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    *(struct known *)arg = (struct known){column[0].num, column[1].num};
    return 0;
}

static int insert(struct resources *resources, const struct place *place, const struct url *url, const char *title,
                  int64_t *n)
{
    const struct hr_value of[] = {HR_V_STR(place->chat), HR_V_INT(place->session)};
    *n = number(resources, "SELECT coalesce(max(n), 0) + 1 FROM resources_link WHERE chat = ?1 AND session = ?2", of, 2,
                0);
    if (*n < 1 || *n > MAX_LINKS_A_SESSION) {
        return HR_ELIMIT;
    }
    const struct hr_value args[] = {of[0],
                                    of[1],
                                    HR_V_INT(*n),
                                    HR_V_STR(url->key),
                                    HR_V_STR(url->url),
                                    HR_V_STR(url->site),
                                    HR_V_STR(title),
                                    HR_V_INT(place->question),
                                    HR_V_INT(place->time_ms)};
    return do_sql(resources, "INSERT INTO resources_link VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)", args, 9);
}

int links_add(struct resources *resources, const struct place *place, const struct url *url, const char *title,
              uint64_t message, int64_t *n)
{
    const struct hr_value key[] = {HR_V_STR(place->chat), HR_V_INT(place->session), HR_V_STR(url->key),
                                   HR_V_STR(title)};
    struct known known = {0};
    int status = resources->api->sql(
        resources->bot, "SELECT n, dropped FROM resources_link WHERE chat = ?1 AND session = ?2 AND key = ?3", key, 3,
        on_known, &known);
    if (status < 0) {
        return status;
    }
    if (known.dropped) {
        return HR_EDENIED;
    }
    if (known.n && title[0]) {
        status =
            do_sql(resources,
                   "UPDATE resources_link SET title = ?4 WHERE chat = ?1 AND session = ?2 AND key = ?3 AND title = ''",
                   key, 4);
    } else if (!known.n) {
        status = insert(resources, place, url, title, &known.n);
    }
    if (status < 0) {
        return status;
    }
    *n = known.n;
    const struct hr_value share[] = {HR_V_INT((int64_t)message), key[0], key[1], HR_V_INT(known.n)};
    return do_sql(resources, "INSERT OR IGNORE INTO resources_shared VALUES(?1, ?2, ?3, ?4)", share, 4);
}

/* ---- taking away -------------------------------------------------------------------------- */

int links_unmark(struct resources *resources, uint64_t message)
{
    const struct hr_value id = HR_V_INT((int64_t)message);
    return do_sql(resources, "DELETE FROM resources_shared WHERE message = ?1", &id, 1);
}

/* What was shared is gone from the database too, its number stays taken. */
int links_sweep(struct resources *resources)
{
    return do_sql(
        resources,
        "UPDATE resources_link SET dropped = 2, key = NULL, url = '', site = '', title = '' WHERE dropped = 0 AND NOT "
        "EXISTS"
        " (SELECT 1 FROM resources_shared s WHERE s.chat = resources_link.chat AND s.session = resources_link.session"
        " AND s.n = resources_link.n)",
        NULL, 0);
}

int links_forget(struct resources *resources, uint64_t message)
{
    const struct hr_value id = HR_V_INT((int64_t)message);
    if (number(resources, "SELECT count(*) FROM resources_shared WHERE message = ?1", &id, 1, 0) == 0) {
        return 0;
    }
    int status = links_unmark(resources, message);
    return status < 0 ? status : links_sweep(resources);
}

static bool is_listed(struct resources *resources, const struct place *place, int64_t n)
{
    const struct hr_value args[] = {HR_V_STR(place->chat), HR_V_INT(place->session), HR_V_INT(n)};
    return number(resources,
                  "SELECT count(*) FROM resources_link WHERE chat = ?1 AND session = ?2 AND n = ?3 AND dropped = 0",
                  args, 3, 0) > 0;
}

int links_drop(struct resources *resources, const struct place *place, int64_t n)
{
    if (!is_listed(resources, place, n)) {
        return HR_ENOTFOUND;
    }
    const struct hr_value args[] = {HR_V_STR(place->chat), HR_V_INT(place->session), HR_V_INT(n)};
    return do_sql(resources, "UPDATE resources_link SET dropped = 1 WHERE chat = ?1 AND session = ?2 AND n = ?3", args,
                  3);
}

int links_title(struct resources *resources, const struct place *place, int64_t n, const char *title)
{
    if (!is_listed(resources, place, n)) {
        return HR_ENOTFOUND;
    }
    const struct hr_value args[] = {HR_V_STR(place->chat), HR_V_INT(place->session), HR_V_INT(n), HR_V_STR(title)};
    return do_sql(resources, "UPDATE resources_link SET title = ?4 WHERE chat = ?1 AND session = ?2 AND n = ?3", args,
                  4);
}

/* ---- where it belongs ------------------------------------------------------------------------- */

int64_t links_ask_session(struct resources *resources, const char *sql, const struct hr_value *args, size_t count,
                          int64_t preset)
{
    int64_t out = preset;
    if (!resources->alone && resources->api->sql(resources->bot, sql, args, count, on_number, &out) < 0) {
        resources->alone = true; /* said by the host; asked once is enough */
    }
    return resources->alone ? preset : out;
}

bool links_has_question(struct resources *resources, int64_t session, int question)
{
    const struct hr_value args[] = {HR_V_INT(session), HR_V_INT(question)};
    return links_ask_session(resources,
                             "SELECT (SELECT count(*) FROM session_pub_question WHERE session = ?1) = 0"
                             " OR EXISTS (SELECT 1 FROM session_pub_question WHERE session = ?1 AND n = ?2)",
                             args, 2, 1) != 0;
}

struct place links_place(struct resources *resources, const struct hr_chat *chat, const struct hr_message *message)
{
    struct place place = {.chat = message->chat[0] ? message->chat
                                  : chat           ? chat->name
                                                   : "",
                          .session = (int64_t)message->session,
                          .question = message->question,
                          .time_ms = message->logged_ms};
    if (place.session) {
        return place;
    }
    /* the minutes before a chat belong to it, the days after it are for late answers */
    bool soon = chat && chat->read_from_ms <= place.time_ms && place.time_ms < chat->read_to_ms;
    const struct hr_value args[] = {HR_V_STR(place.chat), HR_V_INT(place.time_ms),
                                    HR_V_INT(soon ? chat->read_from_ms : 0)};
    place.session = links_ask_session(
        resources, "SELECT max(session) FROM session_pub_run WHERE chat = ?1 AND late_ms > ?2 AND end_ms >= ?3", args,
        3, 0);
    place.question = 0;
    return place;
}

int links_adopt(struct resources *resources, const struct hr_chat *chat)
{
    const struct hr_value args[] = {HR_V_STR(chat->name), HR_V_INT((int64_t)chat->session),
                                    HR_V_INT(chat->read_from_ms)};
    if (number(resources, "SELECT count(*) FROM resources_link WHERE chat = ?1 AND session = 0 AND first_ms >= ?3",
               args, 3, 0) == 0 ||
        number(resources, "SELECT count(*) FROM resources_link WHERE chat = ?1 AND session = ?2", args, 2, 1) > 0) {
        return 0;
    }
    int status = do_sql(resources,
                        "UPDATE resources_shared SET session = ?2 WHERE chat = ?1 AND session = 0 AND n IN"
                        " (SELECT n FROM resources_link WHERE chat = ?1 AND session = 0 AND first_ms >= ?3)",
                        args, 3);
    return status < 0
               ? status
               : do_sql(resources,
                        "UPDATE resources_link SET session = ?2 WHERE chat = ?1 AND session = 0 AND first_ms >= ?3",
                        args, 3);
}

/* ---- reading -------------------------------------------------------------------------------------- */

struct reading {
    link_fn *fn;
    void *arg;
};

static int on_link(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    const struct reading *reading = arg;
    struct link link = {.n = column[0].num,
                        .session = column[1].num,
                        .question = (int)column[2].num,
                        .title = column[3].str,
                        .url = column[4].str,
                        .site = column[5].str,
                        .first_ms = column[6].num};
    return reading->fn(reading->arg, &link);
}

/* %, _ and \ in what people type are letters. */
static const char *like(struct resources *resources, const char *word)
{
    char out[256];
    size_t len = 0;
    out[len++] = '%';
    for (; *word && len < sizeof(out) - 4; word++) {
        if (strchr("%_\\", *word)) {
            out[len++] = '\\';
        }
        out[len++] = *word;
    }
    return resources->api->print(resources->bot, "%.*s%%", (int)len, out);
}

int links_last(struct resources *resources, const struct place *place, const char *word, int most, int64_t *all,
               link_fn *fn, void *arg)
{
    struct reading reading = {fn, arg};
    const struct hr_value args[] = {HR_V_STR(place->chat), HR_V_INT(place->session), HR_V_INT(most),
                                    HR_V_STR(word ? like(resources, word) : "")};
    if (!word) {
        *all = number(resources, "SELECT count(*) FROM resources_link WHERE chat = ?1 AND session = ?2 AND dropped = 0",
                      args, 2, 0);
        return resources->api->sql(
            resources->bot,
            "SELECT * FROM (SELECT n, session, question, title, url, site, first_ms FROM resources_link"
            " WHERE chat = ?1 AND session = ?2 AND dropped = 0 ORDER BY n DESC LIMIT ?3) ORDER BY n",
            args, 3, on_link, &reading);
    }
    *all = number(resources,
                  "SELECT count(*) FROM resources_link WHERE chat = ?1 AND dropped = 0"
                  " AND (title LIKE ?4 ESCAPE '\\' OR url LIKE ?4 ESCAPE '\\') AND ?2 = ?2 AND ?3 = ?3",
                  args, 4, 0);
    return resources->api->sql(
        resources->bot,
        "SELECT * FROM (SELECT n, session, question, title, url, site, first_ms FROM resources_link"
        " WHERE chat = ?1 AND dropped = 0 AND ?2 = ?2"
        " AND (title LIKE ?4 ESCAPE '\\' OR url LIKE ?4 ESCAPE '\\')"
        " ORDER BY session DESC, n DESC LIMIT ?3) ORDER BY session, n",
        args, 4, on_link, &reading);
}

const char *links_clean_title(struct resources *resources, const char *title)
{
    char out[MAX_TITLE_BYTES];
    size_t len = 0, points = 0;
    for (const char *c = title; *c; c++) {
        bool space = *c == ' ' || *c == '\n' || *c == '\t';
        bool first = ((unsigned char)*c & 0xc0) != 0x80;
        if (space && (!len || out[len - 1] == ' ')) {
            continue;
        }
        if (first && points++ == MAX_TITLE_POINTS) {
            break;
        }
        out[len++] = space ? ' ' : *c;
    }
    while (len && strchr(" .", out[len - 1])) {
        len--;
    }
    return resources->api->print(resources->bot, "%.*s", (int)len, out);
}
