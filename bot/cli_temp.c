/* SPDX-License-Identifier: MIT */
/* A private folder and configuration for commands that must not touch the bot's own. */
#include "cli.h"
#include "xalloc.h"
#include <errno.h>
#include <ftw.h>
#include <unistd.h>

enum { OPEN_DIRS = 8 };

char *cli_temp_make(void)
{
    const char *base = getenv("TMPDIR");
    char *dir = xasprintf("%s/hashroom-XXXXXX", base && base[0] == '/' ? base : "/tmp");
    if (!mkdtemp(dir)) {
        (void)fprintf(stderr, "hashroom: %s can't be made: %s. Free some room there, or set TMPDIR\n", dir,
                      strerror(errno));
        free(dir);
        return NULL;
    }
    return dir;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    (void)remove(path);
    return 0;
}

void cli_temp_remove(char *dir)
{
    if (dir) {
        (void)nftw(dir, remove_entry, OPEN_DIRS, FTW_DEPTH | FTW_PHYS);
        free(dir);
    }
}

void cli_keep_plugins(struct config *config, bool (*keep)(const struct config_plugin *plugin, const void *arg),
                      const void *arg)
{
    for (size_t i = 0; i < config->plugin_count; i++) {
        if (!keep(&config->plugin[i], arg)) {
            config->plugin[i].switched_off = true;
        }
    }
}
