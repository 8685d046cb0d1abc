/* SPDX-License-Identifier: MIT */
/* A state folder in a unit test. */
#include "state_fixture.h"
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 1 << 20 };

void state_open(struct state *s)
{
    char err[256] = "";
    uv_loop_init(&s->loop);
    s->config = (struct config){.state_dir = s->dir, .key = (char *)(uintptr_t) ""};
    s->app = (struct app){.loop = &s->loop, .config = &s->config};
    assert_int_equal(clock_init(&s->app.clock, NULL), HR_OK);
    int rc = store_open(&s->app.store, s->dir, 0, err, sizeof(err));
    assert_string_equal(err, "");
    assert_int_equal(rc, HR_OK);
    s->app.turn = turn_new(&s->loop, s->app.store);
}

void state_close(struct state *s)
{
    turn_free(s->app.turn);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    store_close(s->app.store);
}

int state_setup(void **state)
{
    struct state *s = xcalloc(1, sizeof(*s));
    snprintf(s->dir, sizeof(s->dir), "/tmp/hashroom-state-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    state_open(s);
    *state = s;
    return 0;
}

int state_teardown(void **state)
{
    struct state *s = *state;
    state_close(s);
    DIR *dir = opendir(s->dir);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        CLEANUP_FREE char *path = state_path(s, e->d_name);
        (void)unlink(path);
    }
    closedir(dir);
    rmdir(s->dir);
    free(s);
    return 0;
}

char *state_path(struct state *s, const char *name)
{
    return xasprintf("%s/%s", s->dir, name);
}

static size_t read_into(struct state *s, const char *name, char *out)
{
    CLEANUP_FREE char *path = state_path(s, name);
    FILE *file = fopen(path, "r");
    size_t len = file == NULL ? 0 : fread(out, 1, FILE_MAX_BYTES, file);
    assert_true(len < FILE_MAX_BYTES);
    if (file != NULL) {
        fclose(file);
    }
    out[len] = '\0';
    return len;
}

char *state_read(struct state *s, const char *name)
{
    char *text = xmalloc(FILE_MAX_BYTES + 1);
    (void)read_into(s, name, text);
    return text;
}

static void write_bytes(struct state *s, const char *name, const char *bytes, size_t len)
{
    CLEANUP_FREE char *path = state_path(s, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

void state_write(struct state *s, const char *name, const char *text)
{
    write_bytes(s, name, text, strlen(text));
}

void state_copy(struct state *s, const char *from, const char *to)
{
    CLEANUP_FREE char *bytes = xmalloc(FILE_MAX_BYTES + 1);
    size_t len = read_into(s, from, bytes);
    write_bytes(s, to, bytes, len);
}
