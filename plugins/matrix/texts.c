/* SPDX-License-Identifier: MIT */
/* What the matrix plugin itself says to people. */
#include "texts.h"

const struct hr_text matrix_texts[] = {
    {"gap_older", "I was away. The newest lines from here reach the other rooms now. Older ones do not.", ""},
    {"gap_all", "I was away. Lines said here in the meantime do not reach the other rooms.", ""},
    {"M01", "I could not read a message from {name}. Please send it again.", "name=Asha"},
    {"M02",
     "This room is encrypted. What you say here stays here until a host agrees that I carry it to the chat's other "
     "rooms. To agree, a host types: !bridge encrypted yes",
     NULL},
    {"M03",
     "This room is encrypted, and what you say here is carried to the chat's other rooms, where it is not. A host "
     "agreed to that. To end it, a host types: !bridge encrypted no",
     NULL},
    {"M04", "From now on nothing is carried out of this room or into it.", NULL},
    {"M05", "Please type !bridge encrypted yes, or !bridge encrypted no", NULL},
    {"M06", "This room is not encrypted, so there is nothing to agree to.", NULL},
    {"M07", "Your messages here are private. Please type that in the room it is about.", NULL},
    {"M08", "{name} shows a new identity. I take no commands from {name} until the one who runs me has confirmed it.",
     "name=Asha"},
    {"M09", "That works by private message alone, in an encrypted room on Matrix.", NULL},
    {"M10",
     "I take that from people I have verified. Please verify me yourself first: the one who runs me types hashroom "
     "verify in a terminal.",
     NULL},
    {"M11",
     "Nobody is waiting to verify me. A person begins it in their app: in Element, open the profile of {user}, then "
     "Verify.",
     "user=@bot:example.org"},
    {"M12",
     "{user} wants to verify me. They must see these seven emoji: {emoji}. Or these numbers: {numbers}. Ask them in "
     "another way, by phone for example. If it is the same, type !verify yes. If not, type !verify no",
     "user=@asha:example.org;emoji=dog, cat, lion, horse, unicorn, pig, light bulb;numbers=1234, 5678, 8765"},
    {"M13", "Please type !verify first, and compare what it shows.", NULL},
    {"M14", "Thank you. {user} is verified as soon as they have confirmed as well.", "user=@asha:example.org"},
    {"M15", "The verification with {user} has ended. Nothing was verified.", "user=@asha:example.org"},
    {"M16", "Please type !verify, !verify yes, or !verify no", NULL},
    {0},
};
