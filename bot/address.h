/* SPDX-License-Identifier: MIT */
/* Host names and addresses: what is this machine itself, what is a literal. Pure functions. */
#ifndef HASHROOM_ADDRESS_H
#define HASHROOM_ADDRESS_H
#include <stdbool.h>
#include <sys/socket.h>

bool address_is_literal(const char *host);  /* "192.0.2.1", "2001:db8::1" (no brackets) */
bool address_is_loopback(const char *host); /* "localhost", 127.0.0.0/8, "::1" */
/* "192.0.2.1:80", "[2001:db8::1]:80"; port 0 is one. */
bool address_read(const char *text, struct sockaddr_storage *out);
bool address_points_here(const struct sockaddr *address); /* 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104 */
#endif
