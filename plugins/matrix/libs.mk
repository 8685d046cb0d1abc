# SPDX-License-Identifier: MIT
LIBS_matrix = -ljansson -lgumbo -lolm -lcrypto
CFLAGS_matrix = -fvisibility=hidden
