/* SPDX-License-Identifier: MIT */
/* `hashroom status`: how the running bot is; and what its database says when it doesn't run. */
#include "cli_status.h"
#include "cli.h"
#include "cli_bot.h"

enum { NOT_RUNNING = 2 };

/* The bot's own words; {"running": false, "why": ...} without one. */
static json_t *ask(const char *state_dir)
{
    char err[1024] = "";
    json_t *request = json_pack("{s:s}", "do", "status"), *reply = NULL;
    int rc = cli_ask_bot(state_dir, request, &reply, err, sizeof err);
    json_decref(request);
    json_t *status = json_incref(json_object_get(reply, "status"));
    json_decref(reply);
    if (rc == HR_OK && json_is_object(status)) {
        return status;
    }
    json_decref(status);
    return json_pack("{s:b, s:s}", "running", 0, "why", rc < 0 ? err : "the bot that runs is of another version");
}

static int show(const struct config *config, bool as_json)
{
    json_t *status = ask(config->state_dir);
    bool running = json_is_true(json_object_get(status, "running"));
    if (cli_status_store(config, status) == HR_ENOTFOUND && !as_json) {
        (void)printf("There is no database in %s yet: the bot has never run, or this user may not read it.\n",
                     config->state_dir);
    }
    bool well = running && cli_status_is_well(status);
    (void)json_object_set_new(status, "well", json_boolean(well));
    if (as_json) {
        (void)json_dumpf(status, stdout, JSON_INDENT(2));
        (void)putchar('\n');
    } else {
        cli_status_print(status);
    }
    json_decref(status);
    return !running ? NOT_RUNNING : well ? CLI_OK : CLI_FAILED;
}

int cli_status(struct cli *cli)
{
    bool as_json = cli_flag(cli, "--json");
    if (!cli_no_more(cli, 0)) {
        return CLI_WRONG;
    }
    struct app app = {0};
    cli_open_plugins(cli, &app);
    int code = CLI_WRONG;
    if (!app.config || app.config->state_dir[0] != '/') {
        code = cli_wrong("there is no configuration in %s that says where the database is. Write -c and its folder",
                         cli->config_dir);
    } else {
        code = show(app.config, as_json);
    }
    cli_close(&app);
    return code;
}
