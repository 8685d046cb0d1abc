/* SPDX-License-Identifier: MIT */
/* `hashroom new-plugin NAME`: copies the plugin `counter` under another name. */
#include "cli.h"
#include "plugins_check.h"
#include "xalloc.h"
#include <errno.h>
#include <sys/stat.h>

enum { FILE_MAX_BYTES = 64 * 1024 };

static const char old_name[] = "counter";
static const char *const files[] = {"counter.c", "counter_test.c", "Makefile", "README.md", "counter.conf"};

/* Puts the new name wherever the old one stands. */
static void rename_all(struct buf *out, const char *text, const char *name)
{
    const char *found;
    while ((found = strstr(text, old_name))) {
        (void)buf_add(out, text, (size_t)(found - text));
        (void)buf_adds(out, name);
        text = found + sizeof old_name - 1;
    }
    (void)buf_adds(out, text);
}

static int read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(text, 1, size - 1, file) : 0;
    bool good = file && !ferror(file) && len > 0 && len < size - 1;
    if (file) {
        (void)fclose(file);
    }
    text[len] = '\0';
    return good ? HR_OK : HR_EFAIL;
}

static int copy_file(const char *from, const char *to, const char *name)
{
    CLEANUP_FREE char *text = xmalloc(FILE_MAX_BYTES);
    if (read_file(from, text, FILE_MAX_BYTES) < 0) {
        (void)fprintf(stderr, "hashroom: %s can't be read. Install hashroom again\n", from);
        return HR_EFAIL;
    }
    struct buf out;
    buf_init(&out, 4 * FILE_MAX_BYTES);
    rename_all(&out, text, name);
    FILE *file = fopen(to, "wxe");
    bool good = file && fwrite(buf_str(&out), 1, out.len, file) == out.len;
    if (file) {
        good = fclose(file) == 0 && good;
    }
    if (!good) {
        (void)fprintf(stderr, "hashroom: %s can't be written: %s\n", to, strerror(errno));
    }
    buf_clear(&out);
    return good ? HR_OK : HR_EFAIL;
}

static int copy_all(const char *skeleton, const char *folder, const char *name)
{
    int status = HR_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && status == HR_OK; i++) {
        struct buf target;
        buf_init(&target, 4096);
        rename_all(&target, files[i], name);
        CLEANUP_FREE char *from = xasprintf("%s/%s", skeleton, files[i]);
        CLEANUP_FREE char *to = xasprintf("%s/%s", folder, buf_str(&target));
        status = copy_file(from, to, name);
        buf_clear(&target);
    }
    return status;
}

int cli_new_plugin(struct cli *cli)
{
    if (!cli_no_more(cli, 2)) {
        return CLI_WRONG;
    }
    const char *name = cli->argc > 0 ? cli->argv[0] : "", *dir = cli->argc > 1 ? cli->argv[1] : ".";
    if (!plugins_name_is_sound(name)) {
        return cli_wrong(
            "'%s' can't be the name of a plugin. Write a small letter, then up to 30 small letters or digits; core, "
            "delivery, host and sqlite are taken",
            name);
    }
    CLEANUP_FREE char *skeleton = cli_data(cli, "skeleton", "config/skeleton");
    if (!skeleton) {
        return cli_wrong("the skeleton is not installed beside this program. Install hashroom with its share folder");
    }
    CLEANUP_FREE char *folder = xasprintf("%s/%s", dir, name);
    if (mkdir(folder, 0777) != 0) {
        return cli_wrong("%s can't be made: %s. Name a folder that is there, and a plugin that isn't", folder,
                         strerror(errno));
    }
    if (copy_all(skeleton, folder, name) < 0) {
        return CLI_FAILED;
    }
    (void)printf("%s is a plugin that answers !%s. To build and try it: cd %s && make && make check\n", folder, name,
                 folder);
    return CLI_OK;
}
