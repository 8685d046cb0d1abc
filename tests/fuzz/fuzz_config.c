/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a configuration file: the first one chooses hashroom.conf or the file of a plugin. Each fault is one
 * line with a place inside the file, the second reading says the same as the first, and nothing of it is left in
 * libconfuse when a good file is read afterwards.
 */
#include "config_inside.h"
#include "xalloc.h"
#include <hashroom/network.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern const int fuzz_rounds;
const int fuzz_rounds = 40; /* of fuzz_main.c: this target is slow */

static const char good_host[] = "name = \"bot\"\nchat \"c\" {\n tag = \"#C\"\n room \"n/#one\" { }\n"
                                " room \"n/#two\" { pace = full }\n}\nrole \"host\" { accounts = { \"n/asha\" } }\n";
static const char good_plugin[] = "instance \"n\" { word = a }\n";

static char dir[64];

/* ---- a plugin with an option of each kind ------------------------------------------------- */

static const struct hr_option options[] = {
    {"word", HR_STR, "a word", 0, 0, "A word.", NULL},    {"yes", HR_BOOL, "yes", 0, 0, "Yes or no.", NULL},
    {"number", HR_INT, "5", 1, 70000, "A number.", NULL}, {"wait", HR_DURATION, "5s", 1000, 3600000, "A time.", NULL},
    {"share", HR_REAL, "0.5", 0, 1, "A share.", NULL},    {"words", HR_LIST, "{}", 0, 0, "Some words.", NULL},
    {"word_file", HR_SECRET, "", 0, 0, "A file.", NULL},  {0},
};

static int check_room(const char *address, char *err, size_t err_size)
{
    snprintf(err, err_size, "\"%.40s\" is no room. Write #room", address);
    return *address == '#' ? HR_OK : HR_EINVAL;
}

static const struct hr_network network = {
    .size = sizeof(network), .service = "Fake", .room_flags = HR_ROOM_PEOPLE, .check_room = check_room};
static const struct hr_plugin plugin = {HR_PLUGIN_HEADER,     .name = "fake",     .version = "1",
                                        .help = "A network.", .options = options, .network = &network};

static const struct hr_plugin *find(void *arg, const struct config *config, const char *name, char *err,
                                    size_t err_size)
{
    (void)arg;
    (void)config;
    (void)name;
    (void)err;
    (void)err_size;
    return &plugin;
}

/* ---- files ------------------------------------------------------------------------------------ */

static void write_file(const char *name, const void *bytes, size_t len)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "wb");
    BUG_IF(file == NULL || fwrite(bytes, 1, len, file) != len || fclose(file) != 0);
}

static void remove_files(void)
{
    static const char *const names[] = {"plugins/fake.conf", "hashroom.conf", "plugins", ""};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        (void)remove(path);
    }
}

static void make_folder(void)
{
    static bool made;
    char path[128];
    if (!made) {
        made = true;
        const char *where = getenv("TMPDIR");
        snprintf(dir, sizeof(dir), "%.30s/hashroom-fuzz-config-XXXXXX", where != NULL ? where : "/tmp");
        BUG_IF(mkdtemp(dir) == NULL);
        snprintf(path, sizeof(path), "%s/plugins", dir);
        BUG_IF(mkdir(path, 0700) != 0);
        (void)atexit(remove_files);
    }
}

/* ---- what holds ---------------------------------------------------------------------------------- */

/* "FILE:LINE: text." in each line. */
static void look(const struct buf *told, size_t count, int lines)
{
    size_t seen = 0;
    for (const char *at = buf_str(told); *at != '\0'; at += strcspn(at, "\n") + 1) {
        BUG_IF(strncmp(at, dir, strlen(dir)) != 0);
        const char *place = at + strlen(dir) + strcspn(at + strlen(dir), ":");
        char *end = NULL;
        long line = strtol(place + 1, &end, 10);
        BUG_IF(*place != ':' || end == place + 1 || strncmp(end, ": ", 2) != 0 || line < 0 || line > lines);
        BUG_IF(strchr(".?!", at[strcspn(at, "\n") - 1]) == NULL);
        seen++;
    }
    BUG_IF(seen != count && told->len < 200000);
}

static char *read_once(int lines)
{
    struct config *config = config_read(dir, find, NULL);
    look(&config->problems, config->problem_count, lines);
    look(&config->warnings, config->warning_count, lines);
    char *told = xasprintf("%s%s", buf_str(&config->problems), buf_str(&config->warnings));
    config_free(config);
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    make_folder();
    bool host = size > 0 && (data[0] & 1) == 0;
    const char *name = host ? "hashroom.conf" : "plugins/fake.conf";
    int lines = 9; /* of the good files */
    for (size_t i = 1; i < size; i++) {
        lines += data[i] == '\n';
    }
    write_file("hashroom.conf", good_host, sizeof(good_host) - 1);
    write_file("plugins/fake.conf", good_plugin, sizeof(good_plugin) - 1);
    write_file(name, data + (size > 0), size - (size > 0));
    char *first = read_once(lines), *second = read_once(lines);
    BUG_IF(strcmp(first, second) != 0);
    free(first);
    free(second);
    write_file("hashroom.conf", good_host, sizeof(good_host) - 1);
    write_file("plugins/fake.conf", good_plugin, sizeof(good_plugin) - 1);
    char *good = read_once(lines);
    if (*good != '\0') {
        bug_abort(__FILE__, __LINE__, good);
    }
    free(good);
    return 0;
}
