/* SPDX-License-Identifier: MIT */
/* Secrets from files and systemd credentials, never from the configuration itself. */
#ifndef HASHROOM_SECRET_H
#define HASHROOM_SECRET_H
#include <stddef.h>

/* where: a path, or "credential:NAME" (a file of $CREDENTIALS_DIRECTORY).
 * Gives the content without its last newline (caller frees) and registers it
 * with log_secret(). Refuses missing, empty, over 64 KiB, and files that the
 * group or others can read; err then says what to type. HR_EINVAL, HR_EDENIED. */
int secret_read(const char *where, char **content, char *err, size_t err_size);
#endif
