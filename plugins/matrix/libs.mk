# SPDX-License-Identifier: MIT
LIBS_matrix = -ljansson -lgumbo
CFLAGS_matrix = -fvisibility=hidden
