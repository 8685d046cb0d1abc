/* SPDX-License-Identifier: MIT */
/* Functions nobody calls: included into every file by the compiler (-include). */
#ifndef HASHROOM_BANNED_H
#define HASHROOM_BANNED_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* fortified headers may define some as macros; what is written here goes all the same */
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok gmtime localtime atoi atol system popen
#endif
