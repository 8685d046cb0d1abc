/* SPDX-License-Identifier: MIT */
/* Names and texts of enum hr_status, from the one table. */
#include "status.h"
#include <hashroom/plugin.h>

const char *status_text(int status)
{
    switch (status) {
#define X(name, value, text) \
    case value: return text;
        HR_STATUS_MAP(X)
#undef X
    default: return "unknown status";
    }
}

const char *status_name(int status)
{
    switch (status) {
#define X(name, value, text) \
    case value: return #name;
        HR_STATUS_MAP(X)
#undef X
    default: return "unknown status";
    }
}
