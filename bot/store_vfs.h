/* SPDX-License-Identifier: MIT */
/*
 * SQLite writes each changed page of a commit with two calls, a header of 24 bytes and the page: twenty for an ordinary
 * turn. This layer over the system's VFS gathers what goes to the log of changes (WAL) and hands it on in one piece when
 * it is synced, read, or written elsewhere. It needs synchronous=FULL: there each commit is synced before anybody is
 * told of it, so nothing that counts ever waits here.
 */
#ifndef HASHROOM_STORE_VFS_H
#define HASHROOM_STORE_VFS_H
#include <sqlite3.h>

struct store_vfs;

struct store_vfs *store_vfs_new(void);
void store_vfs_free(struct store_vfs *vfs); /* after the databases that use it are closed; NULL is fine */
const char *store_vfs_name(const struct store_vfs *vfs); /* for sqlite3_open_v2() */
#endif
