/* SPDX-License-Identifier: MIT */
/* 005 tokens and case folding. */
#include "isupport.h"
#include <stdio.h>
#include <string.h>

void isupport_init(struct isupport *support)
{
    *support = (struct isupport){
        .chantypes = "#&",
        .prefix_mode = "ov",
        .prefix_sign = "@+",
        .list_modes = "beI",
        .arg_modes = "k",
        .set_modes = "l",
        .casemap = CASEMAP_RFC1459,
        .nick_bytes = 30,
    };
}

static void copy(char *out, size_t size, const char *text, size_t len)
{
    (void)snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), text);
}

static void read_prefix(struct isupport *support, const char *value)
{
    const char *close = strchr(value, ')');
    if (*value != '(' || !close || strlen(close + 1) != (size_t)(close - value - 1) || close - value > 15) {
        return;
    }
    copy(support->prefix_mode, sizeof support->prefix_mode, value + 1, (size_t)(close - value - 1));
    copy(support->prefix_sign, sizeof support->prefix_sign, close + 1, strlen(close + 1));
}

static void read_chanmodes(struct isupport *support, const char *value)
{
    struct {
        char *to;
        size_t size;
    } field[] = {
        {support->list_modes, sizeof support->list_modes},
        {support->arg_modes, sizeof support->arg_modes},
        {support->set_modes, sizeof support->set_modes},
    };
    for (size_t i = 0; i < 3; i++) {
        size_t len = strcspn(value, ",");
        copy(field[i].to, field[i].size, value, len);
        value += len + (value[len] == ',');
    }
}

static int number(const char *text, int max)
{
    int value = 0;
    for (; *text >= '0' && *text <= '9' && value < max; text++) {
        value = value * 10 + (*text - '0');
    }
    return value < max ? value : max;
}

static void read_token(struct isupport *support, const char *token)
{
    size_t key = strcspn(token, "=");
    const char *value = token[key] ? token + key + 1 : "";
#define IS(name) (key == sizeof(name) - 1 && memcmp(token, name, key) == 0)
    if (IS("CHANTYPES")) {
        copy(support->chantypes, sizeof support->chantypes, value, strlen(value));
    } else if (IS("PREFIX")) {
        read_prefix(support, value);
    } else if (IS("CHANMODES")) {
        read_chanmodes(support, value);
    } else if (IS("CASEMAPPING")) {
        support->casemap = strcmp(value, "ascii") == 0            ? CASEMAP_ASCII
                           : strcmp(value, "strict-rfc1459") == 0 ? CASEMAP_STRICT
                                                                  : CASEMAP_RFC1459;
    } else if (IS("NICKLEN") && number(value, WIRE_NAME_BYTES - 1) > 0) {
        support->nick_bytes = number(value, WIRE_NAME_BYTES - 1);
    } else if (IS("CHATHISTORY") || IS("draft/CHATHISTORY")) {
        support->history_lines = number(value, 100000);
    } else if (IS("BOT")) {
        support->bot_mode = *value;
    } else if (IS("WHOX")) {
        support->whox = true;
        support->accounts = true;
    } else if (IS("ACCOUNTEXTBAN")) {
        support->accounts = true;
    }
#undef IS
}

void isupport_read(struct isupport *support, const struct wire *wire)
{
    for (size_t i = 1; i < wire->count; i++) {
        read_token(support, wire->param[i]);
    }
}

bool isupport_channel(const struct isupport *support, const char *name)
{
    return *name && strchr(support->chantypes, *name);
}

bool isupport_takes_arg(const struct isupport *support, char mode, bool adding)
{
    return strchr(support->prefix_mode, mode) || strchr(support->list_modes, mode) ||
           strchr(support->arg_modes, mode) || (adding && strchr(support->set_modes, mode));
}

int isupport_power(const struct isupport *support, const char *modes)
{
    const char *op = strchr(support->prefix_mode, 'o');
    int power = 0;
    for (; *modes; modes++) {
        const char *rank = strchr(support->prefix_mode, *modes);
        if (rank && op && rank <= op) {
            return 50;
        }
        power = rank ? 10 : power;
    }
    return power;
}

void name_fold(const struct isupport *support, char *out, size_t size, const char *name)
{
    char last = support->casemap == CASEMAP_ASCII ? 'Z' : support->casemap == CASEMAP_STRICT ? ']' : '^';
    size_t len = 0;
    for (; name[len] && len + 1 < size; len++) {
        char c = name[len];
        out[len] = c >= 'A' && c <= last ? (char)(c + 32) : c;
    }
    out[len] = '\0';
}

bool name_equal(const struct isupport *support, const char *a, const char *b)
{
    char x[WIRE_HOST_BYTES], y[WIRE_HOST_BYTES];
    if (strlen(a) != strlen(b)) {
        return false;
    }
    name_fold(support, x, sizeof x, a);
    name_fold(support, y, sizeof y, b);
    return strcmp(x, y) == 0;
}
