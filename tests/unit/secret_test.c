/* SPDX-License-Identifier: MIT */
#include "log.h"
#include "secret.h"
#include <hashroom/plugin.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/hashroom-secret-XXXXXX";
static char path[64];

static void write_secret(const char *bytes, size_t len, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fwrite(bytes, 1, len, file);
    (void)fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/password", folder);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    log_clear();
    return rmdir(folder);
}

static void last_newline_is_cut(void **state)
{
    (void)state;
    char *content = NULL, err[256] = "";
    write_secret("pass word\n", 10, 0600);
    assert_int_equal(secret_read(path, &content, err, sizeof err), HR_OK);
    assert_string_equal(content, "pass word");
    free(content);
}

static void readable_for_others_is_refused_with_the_command_to_type(void **state)
{
    (void)state;
    char *content = NULL, err[256] = "";
    write_secret("pass", 4, 0640);
    assert_int_equal(secret_read(path, &content, err, sizeof err), HR_EDENIED);
    assert_non_null(strstr(err, "chmod 600 /tmp/"));
    assert_null(content);
}

static void empty_missing_and_huge_are_refused(void **state)
{
    (void)state;
    char *content = NULL, err[256] = "";
    write_secret("\n", 1, 0600);
    assert_int_equal(secret_read(path, &content, err, sizeof err), HR_EINVAL);
    assert_non_null(strstr(err, "is empty"));
    char *huge = calloc(1, 70000);
    assert_non_null(huge);
    memset(huge, 'x', 70000);
    write_secret(huge, 70000, 0600);
    free(huge);
    assert_int_equal(secret_read(path, &content, err, sizeof err), HR_EINVAL);
    assert_non_null(strstr(err, "64 KiB"));
    assert_int_equal(secret_read("/nowhere/at/all", &content, err, sizeof err), HR_EINVAL);
    assert_non_null(strstr(err, "no file /nowhere/at/all"));
    assert_int_equal(secret_read(folder, &content, err, sizeof err), HR_EINVAL);
    assert_null(content);
}

static void secret_in_place_of_a_path_is_not_repeated(void **state)
{
    (void)state;
    char *content = NULL, err[256] = "";
    assert_int_equal(secret_read("hunter2", &content, err, sizeof err), HR_EINVAL);
    assert_null(strstr(err, "hunter2"));
    assert_non_null(strstr(err, "must name a file"));
}

static void credential_comes_from_its_folder_alone(void **state)
{
    (void)state;
    char *content = NULL, err[256] = "";
    write_secret("pass", 4, 0644);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
    assert_int_equal(secret_read("credential:password", &content, err, sizeof err), HR_OK);
    assert_string_equal(content, "pass");
    free(content);
    content = NULL;
    assert_int_equal(secret_read("credential:../etc/passwd", &content, err, sizeof err), HR_EINVAL);
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    assert_int_equal(secret_read("credential:password", &content, err, sizeof err), HR_EINVAL);
    assert_null(content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_newline_is_cut),
        cmocka_unit_test(readable_for_others_is_refused_with_the_command_to_type),
        cmocka_unit_test(empty_missing_and_huge_are_refused),
        cmocka_unit_test(secret_in_place_of_a_path_is_not_repeated),
        cmocka_unit_test(credential_comes_from_its_folder_alone),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
