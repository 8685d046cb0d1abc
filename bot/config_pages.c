/* SPDX-License-Identifier: MIT */
/* hashroom.conf, section `pages`: where people without an account can open what the bot serves. */
#include "address.h"
#include "config_inside.h"
#include "xalloc.h"

const struct hr_option config_pages_options[] = {
    {.name = "listen",
     .type = HR_STR,
     .example = "127.0.0.1:8780",
     .help = "Address and port the bot listens on, for the web server in front of it."},
    {.name = "url",
     .type = HR_STR,
     .example = "https://media.example.org",
     .help = "The address under which people reach that web server."},
    {0},
};

enum { LISTEN, URL, COUNT };

static bool is_url(const char *url)
{
    bool plain = strncmp(url, "http://", 7) == 0;
    if (!plain && strncmp(url, "https://", 8) != 0) {
        return false;
    }
    const char *host = url + (plain ? 7 : 8);
    CLEANUP_FREE char *name = xstrndup(host, strcspn(host, ":/"));
    return name[0] != '\0' && strlen(url) <= 200 && (!plain || address_is_loopback(name)) &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/:") == strlen(host);
}

static void check(struct config *config, const struct config_file *file, cfg_t *section, const int *line)
{
    struct sockaddr_storage address;
    int first = config_line(section);
    struct config_where at[COUNT] = {{file->name, line[LISTEN] ? line[LISTEN] : first},
                                     {file->name, line[URL] ? line[URL] : first}};
    if (!address_read(config->pages_listen, &address)) {
        config_problem(config, at[LISTEN],
                       "listen: '%.60s' is not an address and a port. Write for example: listen = \"127.0.0.1:8780\"",
                       config->pages_listen);
    } else if (!address_points_here((const struct sockaddr *)&address)) {
        config_warning(config, at[LISTEN],
                       "listen: %s can be reached from other machines, without TLS. If the web server in front of the "
                       "bot is on this machine, write: listen = \"127.0.0.1:8780\"",
                       config->pages_listen);
    }
    if (!is_url(config->pages_url)) {
        config_problem(config, at[URL],
                       "url: '%.60s' is not a public address with TLS. Write for example: url = "
                       "\"https://media.example.org\"",
                       config->pages_url);
    }
}

void config_read_pages(struct config *config, struct config_file *file)
{
    size_t count = file->root != NULL ? config_count(file->root, "pages") : 0;
    if (count == 0) {
        config->pages_listen = xstrdup("");
        config->pages_url = xstrdup("");
        return;
    }
    cfg_t *section = config_section(file->root, "pages", 0);
    struct hr_value value[COUNT];
    int line[COUNT];
    config_values(file, section, config_pages_options, "the section pages", value, line);
    config->pages_listen = xstrdup(value[LISTEN].str != NULL ? value[LISTEN].str : "");
    config->pages_url = xstrdup(value[URL].str != NULL ? value[URL].str : "");
    for (size_t len = strlen(config->pages_url); len > 0 && config->pages_url[len - 1] == '/';) {
        config->pages_url[--len] = '\0';
    }
    if (line[LISTEN] && line[URL]) { /* what is missing was told */
        check(config, file, section, line);
    }
    if (count > 1) {
        config_problem(config, (struct config_where){file->name, config_line(config_section(file->root, "pages", 1))},
                       "pages is written twice. Keep one section");
    }
    for (size_t i = 0; i < COUNT; i++) {
        config_value_clear(&value[i]);
    }
}
