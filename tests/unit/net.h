/* SPDX-License-Identifier: MIT */
/*
 * What the tests of sockets share: certificates, the server that behaves badly
 * (hostile.py), and an app with a loop, a store and a turn around one owner.
 */
#ifndef HASHROOM_NET_TEST_H
#define HASHROOM_NET_TEST_H
#include "test.h"
#include "app.h"
#include "config.h"
#include "instance.h"
#include "log.h"
#include "store.h"
#include "turn.h"
#include "xalloc.h"
#include <dirent.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NET_PATIENCE_MS = 20000 }; /* far beyond what any of this takes */

struct net_server { /* one for all tests of a program */
    char dir[64];
    pid_t pid;
    int in;
    struct { char name[32]; int port; } door[32];
    size_t doors;
};

struct net { /* one for each test */
    struct net_server *server;
    struct app app;
    uv_loop_t loop;
    uv_timer_t guard;
    bool late;
    int64_t late_ms;
    struct hr_plugin plugin;
    struct hr_bot bot;
    struct config config;
};

/* ---- certificates ------------------------------------------------------------- */

static inline void net_extend(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static inline X509 *net_certificate(EVP_PKEY *key, const char *name, const char *alt, bool expired, X509 *issuer,
                                    EVP_PKEY *issuer_key)
{
    static const long HOUR = 3600;
    X509 *cert = X509_new();

    X509_set_version(cert, 2);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), (uint64_t)(uintptr_t)key);
    X509_gmtime_adj(X509_getm_notBefore(cert), -48 * HOUR);
    X509_gmtime_adj(X509_getm_notAfter(cert), expired ? -24 * HOUR : 24 * HOUR);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : X509_get_subject_name(cert));
    net_extend(cert, NID_basic_constraints, alt ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (alt) {
        net_extend(cert, NID_subject_alt_name, alt);
    }
    assert_true(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
    return cert;
}

static inline void net_save(const char *dir, const char *name, X509 *cert, EVP_PKEY *key)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s.pem", dir, name);
    file = fopen(path, "w");
    assert_non_null(file);
    if (key) {
        PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    }
    PEM_write_X509(file, cert);
    fclose(file);
}

static inline void net_certificates(const char *dir)
{
    EVP_PKEY *key = EVP_EC_gen("P-256"), *other_key = EVP_EC_gen("P-256");
    X509 *ca = net_certificate(key, "test authority", NULL, false, NULL, key);
    X509 *other = net_certificate(other_key, "other authority", NULL, false, NULL, other_key);
    struct { const char *name, *alt; bool expired, unknown; } wanted[] = {
        {"good", "DNS:localhost,IP:127.0.0.1", false, false},
        {"wrong", "DNS:elsewhere.example", false, false},
        {"expired", "DNS:localhost,IP:127.0.0.1", true, false},
        {"unknown", "DNS:localhost,IP:127.0.0.1", false, true},
    };

    net_save(dir, "ca", ca, NULL);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        EVP_PKEY *own = EVP_EC_gen("P-256");
        X509 *cert = net_certificate(own, wanted[i].name, wanted[i].alt, wanted[i].expired,
                                     wanted[i].unknown ? other : ca, wanted[i].unknown ? other_key : key);

        net_save(dir, wanted[i].name, cert, own);
        X509_free(cert);
        EVP_PKEY_free(own);
    }
    X509_free(ca);
    X509_free(other);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other_key);
}

/* ---- the server ------------------------------------------------------------------ */

static inline void net_read_doors(struct net_server *server, int fd)
{
    FILE *out = fdopen(fd, "r");
    char line[64];

    assert_non_null(out);
    while (fgets(line, sizeof(line), out) && strcmp(line, "ready\n") != 0) {
        assert_true(server->doors < sizeof(server->door) / sizeof(server->door[0]));
        assert_int_equal(sscanf(line, "%31s %d", server->door[server->doors].name, &server->door[server->doors].port), 2);
        server->doors++;
    }
    fclose(out);
    assert_true(server->doors > 0);
}

static inline int net_server_start(void **state)
{
    struct net_server *server = xcalloc(1, sizeof(*server));
    int in[2], out[2];

    signal(SIGPIPE, SIG_IGN);
    unsetenv("http_proxy"), unsetenv("https_proxy"), unsetenv("HTTPS_PROXY"), unsetenv("all_proxy"), unsetenv("ALL_PROXY");
    snprintf(server->dir, sizeof(server->dir), "/tmp/hashroom-net-XXXXXX");
    assert_non_null(mkdtemp(server->dir));
    net_certificates(server->dir);
    assert_int_equal(pipe(in) | pipe(out), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execlp("python3", "python3", "tests/unit/hostile.py", server->dir, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    server->in = in[1];
    net_read_doors(server, out[0]);
    *state = server;
    return 0;
}

static inline void net_remove_dir(const char *dir)
{
    DIR *list = opendir(dir);
    struct dirent *entry;

    while (list && (entry = readdir(list))) {
        char path[512];

        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        unlink(path);
    }
    closedir(list);
    rmdir(dir);
}

static inline int net_server_stop(void **state)
{
    struct net_server *server = *state;

    close(server->in);
    waitpid(server->pid, NULL, 0);
    net_remove_dir(server->dir);
    free(server);
    return 0;
}

static inline int net_port(const struct net *net, const char *door)
{
    for (size_t i = 0; i < net->server->doors; i++) {
        if (strcmp(net->server->door[i].name, door) == 0) {
            return net->server->door[i].port;
        }
    }
    fail_msg("no door called %s", door);
    return 0;
}

/* ---- the app ------------------------------------------------------------------------ */

static inline void net_init(struct net *net, struct net_server *server)
{
    char err[256] = "";

    *net = (struct net){.server = server, .plugin = {HR_PLUGIN_HEADER, .name = "test"}};
    assert_int_equal(uv_loop_init(&net->loop), 0);
    uv_timer_init(&net->loop, &net->guard);
    net->app.loop = &net->loop;
    assert_int_equal(clock_init(&net->app.clock, NULL), HR_OK);
    if (store_open(&net->app.store, server->dir, STORE_TEMPORARY, err, sizeof(err)) != HR_OK) {
        fail_msg("%s", err);
    }
    net->app.turn = turn_new(&net->loop, net->app.store);
    net->config.contact = "who runs it";
    net->app.config = &net->config;
    net->bot = (struct hr_bot){.app = &net->app, .plugin = &net->plugin, .who = "test"};
}

/* After the module under test was freed: nothing may be left on the loop. */
static inline void net_clear(struct net *net)
{
    turn_free(net->app.turn);
    uv_close((uv_handle_t *)&net->guard, NULL);
    uv_run(&net->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&net->loop), 0);
    store_close(net->app.store);
    arena_clear(&net->app.arena);
}

/* Ticks, because UV_RUN_ONCE may sleep after it has run what was waited for. */
static inline void net_on_guard(uv_timer_t *guard)
{
    struct net *net = guard->data;

    net->late = clock_monotonic_ms() >= net->late_ms;
}

static inline void net_guard(struct net *net, int ms)
{
    net->late = false;
    net->late_ms = clock_monotonic_ms() + ms;
    net->guard.data = net;
    uv_timer_start(&net->guard, net_on_guard, 5, 5);
}

/* Runs the loop until *count reaches at_least; fails if that takes unreasonably long. */
static inline void net_until(struct net *net, const int *count, int at_least)
{
    net_guard(net, NET_PATIENCE_MS);
    while (*count < at_least && !net->late) {
        uv_run(&net->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&net->guard);
    assert_true(*count >= at_least);
}

/* Lets the loop run for a while, to see that nothing happens. */
static inline void net_pause(struct net *net, int ms)
{
    net_guard(net, ms);
    while (!net->late) {
        uv_run(&net->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&net->guard);
}
#endif
