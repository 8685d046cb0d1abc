/* SPDX-License-Identifier: MIT */
/* Which code points never come in, and which scripts need joiners. */
#include "utf8_table.h"
#include <utf8proc.h>

struct range {
    int32_t first, last;
};

/* Invisible or steering characters beyond the categories Cc and Cs (R9). */
static const struct range hidden[] = {
    {0x00AD, 0x00AD},   {0x034F, 0x034F},   {0x061C, 0x061C},   {0x115F, 0x1160},   {0x17B4, 0x17B5},
    {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F},   {0x3164, 0x3164},
    {0xFDD0, 0xFDEF},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},
    {0x13430, 0x1345F}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

/* Scripts in which ZWJ or ZWNJ changes what a word says. */
static const struct range joining[] = {
    {0x0600, 0x08FF},   {0x0900, 0x0DFF},   {0x0F00, 0x109F},   {0x1780, 0x18AF},
    {0x1A20, 0x1AAF},   {0x1B00, 0x1C4F},   {0xA840, 0xA8FF},   {0xA900, 0xAADF},
    {0xABC0, 0xABFF},   {0xFB50, 0xFDFF},   {0xFE70, 0xFEFE},   {0x10A00, 0x10AFF},
    {0x10D00, 0x10D3F}, {0x10F30, 0x10FDF}, {0x11000, 0x11FFF}, {0x1E900, 0x1E95F},
};

static bool in_ranges(const struct range *range, size_t count, int32_t cp)
{
    for (size_t i = 0; i < count && cp >= range[i].first; i++) {
        if (cp <= range[i].last) {
            return true;
        }
    }
    return false;
}

bool utf8_is_hidden(int32_t cp)
{
    if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || (cp & 0xFFFE) == 0xFFFE) {
        return true;
    }
    return cp >= 0xAD && in_ranges(hidden, sizeof(hidden) / sizeof(hidden[0]), cp);
}

bool utf8_is_joiner(int32_t cp)
{
    return cp == 0x200C || cp == 0x200D;
}

bool utf8_is_selector(int32_t cp)
{
    return cp == 0xFE0E || cp == 0xFE0F || (cp >= 0xE0020 && cp <= 0xE007F);
}

bool utf8_is_tone(int32_t cp)
{
    return cp >= 0x1F3FB && cp <= 0x1F3FF;
}

bool utf8_needs_joiner(int32_t cp)
{
    if (cp < 0x600 || !in_ranges(joining, sizeof(joining) / sizeof(joining[0]), cp)) {
        return false;
    }
    const int category = utf8proc_category(cp);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) || utf8_is_attached(cp);
}

bool utf8_is_emoji(int32_t cp)
{
    return cp >= 0xA9 && utf8proc_get_property(cp)->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

bool utf8_is_attached(int32_t cp)
{
    const int category = utf8proc_category(cp);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_ME;
}
