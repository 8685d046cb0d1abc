/* SPDX-License-Identifier: MIT */
/* `hashroom new-key`: gives up a store key that is lost, and with it what was encrypted. */
#include "cli.h"
#include "key.h"
#include "store.h"
#include "xalloc.h"
#include <errno.h>

/* A key that doesn't fit may be another bot's: it is put aside, never deleted. */
static int put_aside(const char *state_dir)
{
    CLEANUP_FREE char *path = xasprintf("%s/hashroom.key", state_dir);
    CLEANUP_FREE char *aside = xasprintf("%s.old", path);
    if (rename(path, aside) != 0 && errno != ENOENT) {
        (void)fprintf(stderr, "hashroom: %s can't be renamed: %s\n", path, strerror(errno));
        return HR_EFAIL;
    }
    return HR_OK;
}

static int forget(const struct config *config)
{
    struct store *store = NULL;
    char err[1024] = "";
    if (store_open(&store, config->state_dir, 0, err, sizeof err) < 0) { /* locked: the bot doesn't run meanwhile */
        (void)fprintf(stderr, "hashroom: %s\n", err);
        return CLI_FAILED;
    }
    int rc = config->key[0] ? HR_OK : put_aside(config->state_dir);
    if (rc == HR_OK) {
        (void)store_run(store, store_sql(store, "DELETE FROM host_meta WHERE key = 'key_check'"));
        (void)printf("The old key is given up. The bot makes a new one at its next start%s.\n",
                     config->key[0] ? ", from key_file" : "");
    }
    store_close(store);
    return rc == HR_OK ? CLI_OK : CLI_FAILED;
}

int cli_new_key(struct cli *cli)
{
    if (!cli_no_more(cli, 0)) {
        return CLI_WRONG;
    }
    struct app app = {0};
    char text[1024] = "";
    int code = cli_open(cli, &app);
    if (code == CLI_OK && key_look(app.config, text, sizeof text)) {
        (void)printf("There is nothing to give up%s%s.\n", text[0] ? ": " : "", text);
    } else if (code == CLI_OK) {
        code = forget(app.config);
    }
    cli_close(&app);
    return code;
}
