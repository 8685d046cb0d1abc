/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over its corpus without a fuzzer: fuzz_X DIR...
 *
 * Each file goes in as it is, cut short at every length up to 64, and changed in
 * ROUNDS ways that depend on nothing but the file, so that a failure comes again.
 * A file is tried in a process of its own: a crash or a leak names it. With
 * clang -fsanitize=fuzzer (make fuzz) this file is left out.
 */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 300, INPUT_BYTES = 128 * 1024, SECONDS = 60, FILES = 4096, CUTS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern const int fuzz_rounds __attribute__((weak)); /* a slow target wants fewer */

struct total {
    int inputs, failed;
};

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* A copy of exactly that size, so that the address sanitizer sees the byte after it. */
static void try_one(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy) {
        abort();
    }
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static size_t change(uint8_t *data, size_t size, uint32_t *seed)
{
    static const char *const spice[] = {"\r\n", "\xff", "\xe2\x80\xae",    "{", "\"", "99999999999", "%",
                                        ":",    " ",    "\xf0\x9f\x98\x80"};
    size_t at = size ? next_random(seed) % size : 0, len;

    switch (next_random(seed) % 4) {
    case 0: data[at] ^= (uint8_t)(1u << next_random(seed) % 8); return size;
    case 1: /* a piece goes */
        len = next_random(seed) % (size - at + 1);
        memmove(data + at, data + at + len, size - at - len);
        return size - len;
    case 2: /* a piece comes twice */
        len = next_random(seed) % (size - at + 1);
        len = size + len > INPUT_BYTES ? 0 : len;
        memmove(data + at + len, data + at, size - at);
        return size + len;
    default: { /* something that means something to a parser */
        const char *text = spice[next_random(seed) % (sizeof(spice) / sizeof(spice[0]))];

        len = strlen(text);
        if (size + len > INPUT_BYTES) {
            return size;
        }
        memmove(data + at + len, data + at, size - at);
        memcpy(data + at, text, len);
        return size + len;
    }
    }
}

static void try_file(const char *path)
{
    static uint8_t data[INPUT_BYTES], changed[INPUT_BYTES + 16];
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(data, 1, sizeof(data), file) : 0;
    uint32_t seed = 2463534242u;
    const int rounds = &fuzz_rounds ? fuzz_rounds : ROUNDS;
    const size_t cuts = (size_t)rounds < CUTS ? (size_t)rounds : CUTS;

    if (file) {
        fclose(file);
    }
    try_one(data, size);
    for (size_t cut = 0; cut < size && cut < cuts; cut++) {
        try_one(data, cut);
    }
    for (int round = 0; round < rounds; round++) {
        size_t len = size;

        memcpy(changed, data, size);
        for (uint32_t times = next_random(&seed) % 4 + 1; times > 0; times--) {
            len = change(changed, len, &seed);
        }
        try_one(changed, len);
    }
}

static void run_file(struct total *total, const char *path)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        alarm(SECONDS);
        try_file(path);
        exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        total->failed++;
        fprintf(stderr, "fuzz: %s breaks it%s\n", path,
                WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? " (never ends)" : "");
    }
    total->inputs++;
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void run_dir(struct total *total, const char *dir)
{
    struct dirent **entry = NULL;
    int count = scandir(dir, &entry, is_input, alphasort);

    for (int i = 0; i < count; i++) {
        char path[4096];

        if (i < FILES) {
            snprintf(path, sizeof(path), "%s/%s", dir, entry[i]->d_name);
            run_file(total, path);
        }
        free(entry[i]);
    }
    free(entry);
}

int main(int argc, char **argv)
{
    struct total total = {0};
    const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];

    run_file(&total, "/dev/null"); /* nothing is an input too */
    for (int i = 1; i < argc; i++) {
        run_dir(&total, argv[i]);
    }
    printf("fuzz %s: %d inputs, %d failed\n", name, total.inputs, total.failed);
    return total.failed > 0;
}
