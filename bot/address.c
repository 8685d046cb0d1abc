/* SPDX-License-Identifier: MIT */
/* Host names and addresses: what is this machine itself, what is a literal. */
#include "address.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool v4_is_loopback(const uint8_t bytes[4])
{
    return bytes[0] == 127;
}

static bool v6_is_loopback(const struct in6_addr *address)
{
    return IN6_IS_ADDR_LOOPBACK(address) || (IN6_IS_ADDR_V4MAPPED(address) && v4_is_loopback(address->s6_addr + 12));
}

bool address_is_literal(const char *host)
{
    struct in6_addr address;

    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

bool address_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, host, &v4) == 1) {
        return v4_is_loopback((const uint8_t *)&v4.s_addr);
    }
    if (inet_pton(AF_INET6, host, &v6) == 1) {
        return v6_is_loopback(&v6);
    }
    return strcasecmp(host, "localhost") == 0;
}

bool address_points_here(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        return v4_is_loopback((const uint8_t *)&((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr);
    }
    if (address->sa_family == AF_INET6) {
        return v6_is_loopback(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    }
    return false;
}

bool address_read(const char *text, struct sockaddr_storage *out)
{
    const char *colon = strrchr(text, ':');
    size_t digits = colon != NULL ? strspn(colon + 1, "0123456789") : 0;
    if (digits == 0 || digits > 5 || colon[1 + digits] != '\0' || strtol(colon + 1, NULL, 10) > 65535) {
        return false;
    }
    char host[64];
    bool six = text[0] == '[' && colon > text + 1 && colon[-1] == ']';
    int len = (int)(colon - text) - (six ? 2 : 0);
    if (len <= 0 || len >= (int)sizeof(host)) {
        return false;
    }
    (void)snprintf(host, sizeof(host), "%.*s", len, text + (six ? 1 : 0));
    uint16_t port = htons((uint16_t)strtol(colon + 1, NULL, 10));
    struct sockaddr_in *four = (void *)out;
    struct sockaddr_in6 *sixth = (void *)out;
    *out = (struct sockaddr_storage){0};
    if (six) {
        *sixth = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
        return inet_pton(AF_INET6, host, &sixth->sin6_addr) == 1;
    }
    *four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    return inet_pton(AF_INET, host, &four->sin_addr) == 1;
}
