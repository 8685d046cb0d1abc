/* SPDX-License-Identifier: MIT */
/* `hashroom backup FILE`: the database as it is now, also while the bot runs. */
#include "cli.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

enum { BUSY_MS = 5000 };

static int copy(const char *from, const char *to)
{
    sqlite3 *source = NULL, *target = NULL;
    int code = sqlite3_open_v2(from, &source, SQLITE_OPEN_READONLY, NULL);
    if (code == SQLITE_OK) {
        (void)sqlite3_busy_timeout(source, BUSY_MS);
        code = sqlite3_open(to, &target);
    }
    sqlite3_backup *backup = code == SQLITE_OK ? sqlite3_backup_init(target, "main", source, "main") : NULL;
    if (code == SQLITE_OK) {
        (void)sqlite3_backup_step(backup, -1);
        code = backup == NULL ? sqlite3_errcode(target) : sqlite3_backup_finish(backup);
    }
    (void)sqlite3_close(target);
    (void)sqlite3_close(source);
    return code;
}

int cli_copy_database(const char *state_dir, const char *file)
{
    CLEANUP_FREE char *from = xasprintf("%s/hashroom.db", state_dir);
    int code = copy(from, file);
    if (code == SQLITE_OK) {
        return HR_OK;
    }
    (void)fprintf(stderr,
                  "hashroom: the database %s can't be read (%s). Run this as the user the bot runs as, after the "
                  "bot ran once\n",
                  from, sqlite3_errstr(code));
    (void)unlink(file);
    return HR_EFAIL;
}

/* A database that is put back is a new one: with the old identity a homeserver
 * would take its new messages for old ones. It gets another at its first start. */
static int forget_identity(const char *file)
{
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_exec(db, "PRAGMA journal_mode = DELETE; DELETE FROM host_meta WHERE key = 'store_id'", NULL,
                            NULL, NULL);
    }
    (void)sqlite3_close(db);
    return code == SQLITE_OK ? HR_OK : HR_EFAIL;
}

static int keep(const char *part, const char *file)
{
    int fd = open(part, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0 && link(part, file) == 0; /* link: never over another backup */
    if (!good) {
        (void)fprintf(stderr, "hashroom: %s can't be written: %s\n", file, strerror(errno));
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return good ? HR_OK : HR_EFAIL;
}

static int write_backup(const char *state_dir, const char *file)
{
    CLEANUP_FREE char *part = xasprintf("%s.part", file);
    (void)unlink(part);
    int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600); /* for its owner alone, from the first byte */
    if (fd < 0) {
        (void)fprintf(stderr, "hashroom: %s can't be written: %s\n", part, strerror(errno));
        return CLI_FAILED;
    }
    (void)close(fd);
    int rc = cli_copy_database(state_dir, part);
    if (rc == HR_OK && forget_identity(part) != HR_OK) {
        (void)fprintf(stderr, "hashroom: the copy can't be finished. Is the disk full?\n");
        rc = HR_EFAIL;
    }
    rc = rc == HR_OK ? keep(part, file) : rc;
    (void)unlink(part);
    if (rc == HR_OK) {
        printf("The backup is in %s. It holds what people wrote and the bot's sessions: keep it safe.\n", file);
    }
    return rc == HR_OK ? CLI_OK : CLI_FAILED;
}

int cli_backup(struct cli *cli)
{
    if (!cli_no_more(cli, 1)) {
        return CLI_WRONG;
    }
    if (cli->argc < 1) {
        return cli_wrong("backup needs the name of a new file, for example: hashroom backup hashroom-backup.db");
    }
    if (access(cli->argv[0], F_OK) == 0) {
        return cli_wrong("%s is there already. Give the name of a new file", cli->argv[0]);
    }
    struct app app = {0};
    int code = cli_open(cli, &app);
    if (code == CLI_OK) {
        code = write_backup(app.config->state_dir, cli->argv[0]);
    }
    cli_close(&app);
    return code;
}
