/* SPDX-License-Identifier: MIT */
/* !privacy: where what is said in a room is shown. */
#ifndef DESK_PRIVACY_H
#define DESK_PRIVACY_H

#include <hashroom/plugin.h>

/* What to answer to `call`; callback's arena. The texts "privacy-..." are among the plugin's own. */
const char *privacy_words(struct hr_bot *bot, const struct hr_api *api, const struct hr_call *call);

#define PRIVACY_TEXTS                                                                                              \
    {"privacy-private", "What you write to me here stays between us. I do not carry it to any room.", NULL},       \
        {"privacy-sealed",                                                                                         \
         "This room is encrypted. What you say here stays here, and I do not keep it. A host can change that, and "\
         "then I say so.",                                                                                         \
         NULL},                                                                                                    \
        {"privacy-alone", "What you say here is shown in no other room.", NULL},                                   \
        {"privacy-carried", "What you say here is shown in {rooms}, too.",                                         \
         "rooms=1 room on IRC and 2 rooms on Matrix"},                                                             \
        {"privacy-encrypted", "This room is encrypted, the others need not be. A host agreed to that.", NULL},     \
        {"privacy-kept",                                                                                           \
         "I keep words for some weeks at most, and links for the list of links. If something of yours has to go, " \
         "take it back in your app, or ask a host.",                                                               \
         NULL}

#endif
