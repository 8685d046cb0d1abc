/* SPDX-License-Identifier: MIT */
/* Places that other files of this folder fill. */
#include "group_out.h"
#include "key_request.h"
#include "room_key.h"
#include "verify.h"

__attribute__((weak)) void crypto_room_lost_device(struct matrix *mx, const char *user, const char *device)
{
    (void)mx, (void)user, (void)device;
}
__attribute__((weak)) void group_out_share_again(struct matrix *mx, const struct peer *peer)
{
    (void)mx, (void)peer;
}
__attribute__((weak)) void room_key_take(struct matrix *mx, const struct to_device_secret *secret)
{
    (void)mx, (void)secret;
}
__attribute__((weak)) void room_key_forwarded(struct matrix *mx, const struct to_device_secret *secret)
{
    (void)mx, (void)secret;
}
__attribute__((weak)) void room_key_withheld(struct matrix *mx, const char *sender, const json_t *content)
{
    (void)mx, (void)sender, (void)content;
}
__attribute__((weak)) void key_request_take(struct matrix *mx, const char *sender, const json_t *content)
{
    (void)mx, (void)sender, (void)content;
}
__attribute__((weak)) void verify_to_device(struct matrix *mx, const char *sender, const char *type,
                                            const json_t *content)
{
    (void)mx, (void)sender, (void)type, (void)content;
}
