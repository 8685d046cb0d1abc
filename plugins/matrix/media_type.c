/* SPDX-License-Identifier: MIT */
/* Which pictures and files are carried. No SVG and no HTML: they are programs. */
#include "media_type.h"

#include <string.h>
#include <strings.h>

static const struct media_type types[] = {
    {"image/jpeg", "jpg", true, "\xff\xd8\xff"},
    {"image/png", "png", true, "\x89PNG"},
    {"image/gif", "gif", true, "GIF8"},
    {"image/webp", "webp", true, "RIFF....WEBP"},
    {"image/avif", "avif", true, "....ftyp"},
    {"audio/mpeg", "mp3", true, "ID3 \xff\xfb \xff\xf3 \xff\xf2"},
    {"audio/ogg", "ogg", true, "OggS"},
    {"audio/mp4", "m4a", true, "....ftyp"},
    {"audio/webm", "weba", true, "\x1a\x45\xdf\xa3"},
    {"audio/flac", "flac", true, "fLaC"},
    {"audio/wav", "wav", true, "RIFF....WAVE"},
    {"audio/x-wav", "wav", true, "RIFF....WAVE"},
    {"audio/aac", "aac", true, "\xff\xf1 \xff\xf9"},
    {"video/mp4", "mp4", true, "....ftyp"},
    {"video/webm", "webm", true, "\x1a\x45\xdf\xa3"},
    {"video/ogg", "ogv", true, "OggS"},
    {"video/quicktime", "mov", true, "....ftyp"},
    {"application/pdf", "pdf", false, "%PDF-"},
    {"text/plain", "txt", false, NULL},
};

const struct media_type *media_type_of(const char *name)
{
    size_t len = name != NULL ? strcspn(name, "; ") : 0;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strlen(types[i].name) == len && strncasecmp(types[i].name, name, len) == 0) {
            return &types[i];
        }
    }
    return NULL;
}

bool media_type_fits(const struct media_type *type, const char *bytes, size_t len)
{
    if (type->magic == NULL) {
        return memchr(bytes, '\0', len) == NULL;
    }
    for (const char *magic = type->magic; *magic != '\0';) {
        size_t part = strcspn(magic, " "), same = 0;
        while (same < part && same < len && (magic[same] == '.' || magic[same] == bytes[same])) {
            same++;
        }
        if (same == part) {
            return true;
        }
        magic += part + strspn(magic + part, " ");
    }
    return false;
}
