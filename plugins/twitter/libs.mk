# SPDX-License-Identifier: MIT
LIBS_twitter = -ljansson -lcrypto -lutf8proc
