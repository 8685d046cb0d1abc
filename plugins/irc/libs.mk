# SPDX-License-Identifier: MIT
LIBS_irc = -lircclient -lutf8proc -lcrypto
