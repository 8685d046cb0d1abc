/* SPDX-License-Identifier: MIT */
/* The host's own words and commands. */
#include "command_texts.h"

const struct hr_text command_texts[] = {
    {"T20", "I do not know !{word}. Did you mean !{near}? For help, type !help", "word=nxt;near=next"},
    {"T20-none", "I do not know !{word}. For help, type !help", "word=dance"},
    {"T21", "Only {who} can use !{name}. {hosts} {account}",
     "who=hosts;name=next;hosts=The host is Asha.;account=If you are a host, please sign in to your account first."},
    {"T21-hosts", "The host is {hosts}.", "hosts=Asha or Ben"},
    {"T21-account", "If you are a host, please sign in to your account first.", NULL},
    {"T21-weak", "Please type it in an encrypted room or private message, from a verified device.", NULL},
    {"private-sentence", "I am a bot. I only know short commands. To see them, type help", NULL},
    {"no-chat", "This room has no chat, so !{name} does nothing here.", "name=now"},
    {"which-chat", "Which chat do you mean? Type its name first, for example: {chat} {name}", "chat=dpulo;name=now"},
    {"fault", "Sorry, !{name} did not work. The fault is mine. Please try again later.", "name=links"},
    {"help-card", "You can type {words}. {hosts}\nTo read about one of them, type for example: !help {first}",
     "words=!now, !questions, !links, !when or !help;hosts=Hosts can also type !start, !next, !extend, !pause or "
     "!end.;first=now"},
    {"help-hosts", "As a host you can also type {words}.", "words=!start, !next, !extend, !pause or !end"},
    {"help-about", "!{name}: {help} {who} {aliases}\n{example}",
     "name=extend;help=Adds minutes to the open question.;who=Only hosts can use it.;aliases=You can also type "
     "!more.;example=For example: !extend 5"},
    {"help-who", "Only {who} can use it.", "who=hosts"},
    {"help-example", "For example: {example}", "example=!extend 5"},
    {"help-aliases", "You can also type {aliases}.", "aliases=!q or !question"},
    {0},
};

const struct hr_command command_own[] = {
    {.name = "help",
     .aliases = "commands",
     .usage = "[command]",
     .help = "I tell you what you can type.",
     .example = "!help now",
     .flags = HR_CMD_NO_CHAT},
    {0},
};
