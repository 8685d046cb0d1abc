/* SPDX-License-Identifier: MIT */
/* Reads a secret from a file that only the bot may read. */
#include "secret.h"
#include "log.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_MAX_BYTES = 64 * 1024 };

static const char credential_prefix[] = "credential:";

static bool is_credential(const char *where)
{
    return strncmp(where, credential_prefix, sizeof credential_prefix - 1) == 0;
}

/* The path behind `where`; NULL with err set. The caller frees it. */
static char *find_path(const char *where, char *err, size_t err_size)
{
    if (where[0] == '/') {
        return xstrdup(where);
    }
    if (!is_credential(where)) { /* never repeated in the message: it may be the secret itself */
        (void)snprintf(err, err_size,
                       "this must name a file, not hold the secret itself. Put the secret into a file, "
                       "make it readable for the bot alone (chmod 600 FILE) and write its full path");
        return NULL;
    }
    const char *name = where + sizeof credential_prefix - 1;
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (!name[0] || strchr(name, '/') || name[0] == '.') {
        (void)snprintf(err, err_size,
                       "'%s' is not a credential. Write credential:NAME with the name that stands in "
                       "the service's LoadCredential line",
                       where);
        return NULL;
    }
    if (!folder) {
        (void)snprintf(err, err_size,
                       "'%s' can only be read when systemd starts the bot. Write the full path of a "
                       "file, or run this from the service",
                       where);
        return NULL;
    }
    return xasprintf("%s/%s", folder, name);
}

/* Files of systemd are its own affair: it gives them to this service alone. */
static int check_mode(int fd, const char *path, bool credential, char *err, size_t err_size)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        (void)snprintf(err, err_size, "%s is not a file. Write the path of the file that holds the secret", path);
        return HR_EINVAL;
    }
    if (!credential && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        (void)snprintf(err, err_size, "others can read the secret in %s. Type: chmod 600 %s", path, path);
        return HR_EDENIED;
    }
    return HR_OK;
}

static int read_content(int fd, const char *path, char **content, char *err, size_t err_size)
{
    char *text = xmalloc(SECRET_MAX_BYTES + 2);
    size_t len = 0;
    ssize_t got = 0;
    while (len <= SECRET_MAX_BYTES && (got = read(fd, text + len, SECRET_MAX_BYTES + 1 - len)) > 0) {
        len += (size_t)got;
    }
    const char *wrong = NULL;
    if (got < 0) {
        wrong = "cannot be read";
    } else if (len > SECRET_MAX_BYTES) {
        wrong = "is larger than 64 KiB";
    } else {
        if (len > 0 && text[len - 1] == '\n') {
            len--;
        }
        if (len > 0 && text[len - 1] == '\r') {
            len--;
        }
        if (len == 0) {
            wrong = "is empty";
        } else if (memchr(text, '\0', len)) {
            wrong = "holds a zero byte";
        }
    }
    if (wrong) {
        explicit_bzero(text, SECRET_MAX_BYTES + 2);
        free(text);
        (void)snprintf(err, err_size, "%s %s. Write the secret into it, on one line", path, wrong);
        return HR_EINVAL;
    }
    text[len] = '\0';
    *content = xrealloc(text, len + 1, 1);
    return HR_OK;
}

int secret_read(const char *where, char **content, char *err, size_t err_size)
{
    CLEANUP_FREE char *path = find_path(where, err, err_size);
    if (!path) {
        return HR_EINVAL;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us up */
    if (fd < 0) {
        (void)snprintf(err, err_size,
                       errno == ENOENT ? "there is no file %s. Make it, with the secret in it, and type: "
                                         "chmod 600 %s"
                                       : "%s cannot be opened. Its owner must be the "
                                         "user the bot runs as; then type: chmod 600 %s",
                       path, path);
        return HR_EINVAL;
    }
    int status = check_mode(fd, path, is_credential(where), err, err_size);
    if (status == HR_OK) {
        status = read_content(fd, path, content, err, err_size);
    }
    (void)close(fd);
    if (status == HR_OK) {
        log_secret(*content);
    }
    return status;
}
