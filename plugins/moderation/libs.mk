LIBS_moderation = -lutf8proc
