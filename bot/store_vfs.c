/* SPDX-License-Identifier: MIT */
/* Gathers what SQLite writes to its log of changes (WAL). */
#include "store_vfs.h"
#include "xalloc.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { GATHER_MAX_BYTES = 120 * 1024 /* one write of unixWrite() in SQLite 3.40 has at most 0x1ffff bytes */ };

struct store_vfs {
    sqlite3_vfs vfs; /* first: SQLite gives us its address */
    sqlite3_vfs *below;
    char name[64];
};

struct log_file {
    sqlite3_file file; /* first: SQLite gives us its address */
    char *bytes;       /* gathered, for the place `at` */
    int len;
    sqlite3_int64 at;
    sqlite3_file *real; /* behind this struct */
};

static struct log_file *log_of(sqlite3_file *file)
{
    return (struct log_file *)file;
}

/* What fails here is what would have failed earlier: the commit isn't done yet. */
static int hand_on(struct log_file *log)
{
    if (log->len == 0) {
        return SQLITE_OK;
    }
    int len = log->len;
    log->len = 0;
    return log->real->pMethods->xWrite(log->real, log->bytes, len, log->at);
}

static int on_close(sqlite3_file *file)
{
    struct log_file *log = log_of(file);
    int gathered = hand_on(log), closed = log->real->pMethods->xClose(log->real);
    free(log->bytes);
    log->bytes = NULL;
    return gathered != SQLITE_OK ? gathered : closed;
}

static int on_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    int rc = hand_on(log);
    return rc != SQLITE_OK ? rc : log->real->pMethods->xRead(log->real, out, len, at);
}

static int on_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    if (log->len > 0 && (log->at + log->len != at || log->len + len > GATHER_MAX_BYTES)) {
        int rc = hand_on(log);
        if (rc != SQLITE_OK) {
            return rc;
        }
    }
    if (len > GATHER_MAX_BYTES) {
        return log->real->pMethods->xWrite(log->real, bytes, len, at);
    }
    if (log->len == 0) {
        log->at = at;
    }
    memcpy(log->bytes + log->len, bytes, (size_t)len);
    log->len += len;
    return SQLITE_OK;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct log_file *log = log_of(file);
    int rc = hand_on(log);
    return rc != SQLITE_OK ? rc : log->real->pMethods->xTruncate(log->real, size);
}

static int on_sync(sqlite3_file *file, int flags)
{
    struct log_file *log = log_of(file);
    int rc = hand_on(log);
    return rc != SQLITE_OK ? rc : log->real->pMethods->xSync(log->real, flags);
}

static int on_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct log_file *log = log_of(file);
    int rc = hand_on(log);
    return rc != SQLITE_OK ? rc : log->real->pMethods->xFileSize(log->real, size);
}

static int on_lock(sqlite3_file *file, int level)
{
    return log_of(file)->real->pMethods->xLock(log_of(file)->real, level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    return log_of(file)->real->pMethods->xUnlock(log_of(file)->real, level);
}

static int on_check_lock(sqlite3_file *file, int *out)
{
    return log_of(file)->real->pMethods->xCheckReservedLock(log_of(file)->real, out);
}

static int on_control(sqlite3_file *file, int op, void *arg)
{
    return log_of(file)->real->pMethods->xFileControl(log_of(file)->real, op, arg);
}

static int on_sector_size(sqlite3_file *file)
{
    return log_of(file)->real->pMethods->xSectorSize(log_of(file)->real);
}

static int on_characteristics(sqlite3_file *file)
{
    return log_of(file)->real->pMethods->xDeviceCharacteristics(log_of(file)->real);
}

static const sqlite3_io_methods log_methods = {
    .iVersion = 1, /* shared memory belongs to the database's own file */
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_lock,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
};

/* Every other file is the system's own, without a layer. */
static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    sqlite3_vfs *below = ((struct store_vfs *)vfs)->below;
    if (!(flags & SQLITE_OPEN_WAL)) {
        return below->xOpen(below, name, file, flags, out_flags);
    }
    struct log_file *log = log_of(file);
    *log = (struct log_file){.real = (sqlite3_file *)(log + 1)};
    int rc = below->xOpen(below, name, log->real, flags, out_flags);
    if (rc == SQLITE_OK) {
        log->bytes = xmalloc(GATHER_MAX_BYTES);
        log->file.pMethods = &log_methods;
    } else if (log->real->pMethods != NULL) {
        (void)log->real->pMethods->xClose(log->real);
    }
    return rc;
}

struct store_vfs *store_vfs_new(void)
{
    struct store_vfs *own = xcalloc(1, sizeof(*own));
    own->below = sqlite3_vfs_find(NULL);
    BUG_IF(own->below == NULL);
    own->vfs = *own->below; /* its other functions don't look at whose they are */
    own->vfs.pNext = NULL;
    own->vfs.szOsFile = (int)sizeof(struct log_file) + own->below->szOsFile;
    own->vfs.xOpen = on_open;
    (void)snprintf(own->name, sizeof(own->name), "hashroom-%p", (void *)own);
    own->vfs.zName = own->name;
    BUG_IF(sqlite3_vfs_register(&own->vfs, 0) != SQLITE_OK);
    return own;
}

void store_vfs_free(struct store_vfs *own)
{
    if (own != NULL) {
        (void)sqlite3_vfs_unregister(&own->vfs);
        free(own);
    }
}

const char *store_vfs_name(const struct store_vfs *own)
{
    return own->name;
}
